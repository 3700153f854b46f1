//! Reads into worlds: one wave of reads in parallel, and a second only for what the first one
//! names.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use aws_sdk_ec2::types::Filter;
use guardrail::baseline::ManagedVpcs;
use guardrail::cloud::{CallError, Observation, Unread};
use guardrail::ec2::id::{AccountId, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{
    DhcpOptions, EgressOnlyInternetGateway, EndpointService, InternetGateway, NatGateway,
    NetworkAcl, NetworkInterface, PrefixList, RouteTable, SecurityGroup, Subnet, Vpc,
    VpcAttributes, VpcEndpoint, World,
};

use crate::ec2::concurrent::concurrent;
use crate::ec2::dependent_reads;
use crate::ec2::read::{self, FILTER_VALUES, Reads, filter};
use crate::ec2::{Aws, InRegion};
use crate::sdk::clock;
use crate::sdk::sdk_errors::unreadable;

/// What part of a Region to read.
pub(crate) enum Within<'a> {
    /// One VPC.
    Vpc(&'a VpcId),
    /// Every managed VPC of the account.
    Region { account: &'a AccountId, managed: &'a ManagedVpcs },
}

impl Within<'_> {
    /// The filter that most reads take; none for the Region.
    fn filters(&self) -> Vec<Filter> {
        match self {
            Self::Vpc(vpc) => vec![filter("vpc-id", [vpc.as_str()])],
            Self::Region { .. } => Vec::new(),
        }
    }

    /// The filter of `DescribeVpcs`. In values `*` and `?` stand for any text and any character,
    /// save after a backslash.
    fn vpc_filters(&self) -> Vec<Filter> {
        match self {
            Self::Vpc(_) | Self::Region { managed: ManagedVpcs::All, .. } => self.filters(),
            Self::Region { managed: ManagedVpcs::Tag { key, value }, .. } => {
                let value = value.replace('\\', r"\\").replace('*', r"\*").replace('?', r"\?");
                vec![filter(&format!("tag:{key}"), [value])]
            }
        }
    }

    fn holds(&self, vpc: &Vpc) -> bool {
        match self {
            Self::Vpc(id) => vpc.vpc_id == **id,
            Self::Region { account, managed } => {
                managed.matches(&vpc.tags)
                    && vpc.owner_id.as_ref().is_none_or(|owner| owner == *account)
            }
        }
    }
}

/// The VPCs in question.
pub(crate) async fn every_vpc(reads: &Reads, within: &Within<'_>) -> Result<Vec<Vpc>, CallError> {
    let mut vpcs = read::vpcs(reads, &within.vpc_filters()).await?;
    vpcs.retain(|vpc| within.holds(vpc));
    Ok(vpcs)
}

/// What a read brought; `None` where nobody asked.
type Look<T> = Option<Result<T, CallError>>;

/// The first wave: everything that can be asked for by VPC.
struct First {
    vpcs: Look<Vec<Vpc>>,
    subnets: Look<Vec<Subnet>>,
    route_tables: Look<Vec<RouteTable>>,
    vpc_endpoints: Look<Vec<VpcEndpoint>>,
    nat_gateways: Look<Vec<NatGateway>>,
    security_groups: Look<Vec<SecurityGroup>>,
    network_acls: Look<Vec<NetworkAcl>>,
    dhcp_options: Look<Vec<DhcpOptions>>,
    prefix_lists: Look<Vec<PrefixList>>,
    services: Look<Vec<EndpointService>>,
    attributes: Look<BTreeMap<VpcId, VpcAttributes>>,
}

/// The second wave: what the first one names, together with what it completes.
struct Second {
    network_interfaces: Look<Vec<NetworkInterface>>,
    security_groups: Look<Vec<SecurityGroup>>,
    prefix_lists: Look<Vec<PrefixList>>,
}

/// The gateways of the VPCs in question.
struct Gateways {
    internet: Look<Vec<InternetGateway>>,
    egress_only: Look<Vec<EgressOnlyInternetGateway>>,
}

impl Aws {
    /// Reads these sections into `base`.
    pub(crate) async fn look(
        &self,
        within: &Within<'_>,
        sections: &[Section],
        base: World,
    ) -> Observation {
        let needed = dependent_reads::needed(sections);
        let mut first = self.first_wave(within, &needed).await;
        if let Within::Region { .. } = within {
            first.leave_out_other_vpcs();
        }
        let (second, told) = tokio::join!(
            self.second_wave(within, &needed, &first),
            self.gateways(within, &needed, &first)
        );
        let mut sorted = Sorted { sections, unread: Vec::new() };
        let world = World {
            vpcs: sorted.keep(Section::Vpcs, first.vpcs),
            subnets: sorted.keep(Section::Subnets, first.subnets),
            route_tables: sorted.keep(Section::RouteTables, first.route_tables),
            vpc_endpoints: sorted.keep(Section::VpcEndpoints, first.vpc_endpoints),
            nat_gateways: sorted.keep(Section::NatGateways, first.nat_gateways),
            security_groups: sorted.keep(Section::SecurityGroups, second.security_groups),
            network_interfaces: sorted.keep(Section::NetworkInterfaces, second.network_interfaces),
            network_acls: sorted.keep(Section::NetworkAcls, first.network_acls),
            dhcp_options: sorted.keep(Section::DhcpOptions, first.dhcp_options),
            prefix_lists: sorted.keep(Section::PrefixLists, second.prefix_lists),
            internet_gateways: sorted.keep(Section::InternetGateways, told.internet),
            egress_only_internet_gateways: sorted
                .keep(Section::EgressOnlyInternetGateways, told.egress_only),
            vpc_endpoint_services: sorted.keep(Section::VpcEndpointServices, first.services),
            vpc_attributes: sorted.keep(Section::VpcAttributes, first.attributes),
            ..base
        };
        Observation { world, unread: sorted.unread }
    }

    async fn first_wave(&self, within: &Within<'_>, needed: &BTreeSet<Section>) -> First {
        let filters = within.filters();
        let reads = &self.shared.reads;
        let (
            vpcs,
            subnets,
            route_tables,
            vpc_endpoints,
            nat_gateways,
            security_groups,
            network_acls,
            dhcp_options,
            prefix_lists,
            services,
            attributes,
        ) = tokio::join!(
            asked(needed, Section::Vpcs, every_vpc(reads, within)),
            asked(needed, Section::Subnets, read::subnets(reads, &filters)),
            asked(needed, Section::RouteTables, read::route_tables(reads, &filters)),
            asked(needed, Section::VpcEndpoints, read::vpc_endpoints(reads, &filters)),
            asked(needed, Section::NatGateways, read::nat_gateways(reads, &filters)),
            asked(needed, Section::SecurityGroups, read::security_groups(reads, &filters)),
            asked(needed, Section::NetworkAcls, read::network_acls(reads, &filters)),
            asked(needed, Section::DhcpOptions, read::dhcp_options(reads, &[])),
            asked(needed, Section::PrefixLists, self.every_prefix_list()),
            asked(needed, Section::VpcEndpointServices, self.shared.services_on_offer()),
            asked(needed, Section::VpcAttributes, attributes_of(reads, within)),
        );
        First {
            vpcs,
            subnets,
            route_tables,
            vpc_endpoints,
            nat_gateways,
            security_groups,
            network_acls,
            dhcp_options,
            prefix_lists,
            services,
            attributes,
        }
    }

    /// What the first wave names, and what can only be asked for by its kind.
    async fn second_wave(
        &self,
        within: &Within<'_>,
        needed: &BTreeSet<Section>,
        first: &First,
    ) -> Second {
        let reads = &self.shared.reads;
        let groups_then_lists = async {
            let groups =
                asked(needed, Section::SecurityGroups, complete_groups(reads, first)).await;
            let lists =
                asked(needed, Section::PrefixLists, complete_lists(reads, first, &groups)).await;
            (groups, lists)
        };
        let interfaces =
            asked(needed, Section::NetworkInterfaces, interfaces(reads, within, first));
        let (network_interfaces, (security_groups, prefix_lists)) =
            tokio::join!(interfaces, groups_then_lists);
        Second { network_interfaces, security_groups, prefix_lists }
    }

    /// The gateways that are attached to the VPCs in question. Of egress-only ones AWS takes no filter on
    /// the VPC
    /// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeEgressOnlyInternetGateways.html).
    async fn gateways(
        &self,
        within: &Within<'_>,
        needed: &BTreeSet<Section>,
        first: &First,
    ) -> Gateways {
        let reads = &self.shared.reads;
        let filters = match within {
            Within::Vpc(vpc) => vec![filter("attachment.vpc-id", [vpc.as_str()])],
            Within::Region { .. } => Vec::new(),
        };
        let (internet, egress_only) = tokio::join!(
            asked(needed, Section::InternetGateways, read::internet_gateways(reads, &filters)),
            asked(
                needed,
                Section::EgressOnlyInternetGateways,
                read::egress_only_internet_gateways(reads, &[])
            ),
        );
        let mut gateways = Gateways { internet, egress_only };
        gateways.leave_out_other_vpcs(first);
        gateways
    }

    /// Every prefix list: AWS's with what is in them, the others by name.
    async fn every_prefix_list(&self) -> Result<Vec<PrefixList>, CallError> {
        let (aws_lists, lists) = tokio::join!(
            self.shared.aws_prefix_lists(),
            read::prefix_lists(&self.shared.reads, &[])
        );
        Ok(dependent_reads::merged(aws_lists?, lists?))
    }
}

impl InRegion {
    pub(crate) async fn aws_prefix_lists(&self) -> Result<Vec<PrefixList>, CallError> {
        self.aws_lists.get(clock::now(), read::aws_prefix_lists(&self.reads, &[])).await
    }

    pub(crate) async fn services_on_offer(&self) -> Result<Vec<EndpointService>, CallError> {
        self.offered.get(clock::now(), read::endpoint_services(&self.reads, &[])).await
    }
}

impl Gateways {
    /// Gateways of other VPCs, or of none, are none of our business.
    fn leave_out_other_vpcs(&mut self, first: &First) {
        let listed = first.vpcs.iter().flatten().flatten();
        let ours: BTreeSet<&VpcId> = listed.map(|vpc| &vpc.vpc_id).collect();
        if let Some(Ok(gateways)) = &mut self.internet {
            gateways.retain(|gateway| gateway.vpc().is_some_and(|vpc| ours.contains(vpc)));
        }
        if let Some(Ok(gateways)) = &mut self.egress_only {
            gateways.retain(|gateway| gateway.vpc().is_some_and(|vpc| ours.contains(vpc)));
        }
    }
}

impl First {
    /// A look at a Region sees every VPC's things; those of VPCs nobody manages are none of our
    /// business.
    fn leave_out_other_vpcs(&mut self) {
        let Some(Ok(vpcs)) = &self.vpcs else { return };
        let ours: BTreeSet<_> = vpcs.iter().map(|vpc| &vpc.vpc_id).collect();
        if let Some(Ok(subnets)) = &mut self.subnets {
            subnets.retain(|subnet| ours.contains(&subnet.vpc_id));
        }
        if let Some(Ok(tables)) = &mut self.route_tables {
            tables.retain(|table| ours.contains(&table.vpc_id));
        }
        if let Some(Ok(endpoints)) = &mut self.vpc_endpoints {
            endpoints.retain(|endpoint| ours.contains(&endpoint.vpc_id));
        }
        if let Some(Ok(acls)) = &mut self.network_acls {
            acls.retain(|acl| acl.vpc_id.as_ref().is_some_and(|vpc| ours.contains(vpc)));
        }
        if let Some(Ok(gateways)) = &mut self.nat_gateways {
            gateways
                .retain(|gateway| gateway.vpc_id.as_ref().is_some_and(|vpc| ours.contains(vpc)));
        }
    }
}

/// What was read, sorted into the world and what is missing from it.
struct Sorted<'a> {
    sections: &'a [Section],
    unread: Vec<Unread>,
}

impl Sorted<'_> {
    /// The section's content if it was asked for and read; a section read only for another's sake
    /// is left out.
    fn keep<T>(&mut self, section: Section, look: Look<T>) -> Option<T> {
        let look = look.filter(|_| self.sections.contains(&section))?;
        look.map_err(|error| self.unread.push(Unread { section, error })).ok()
    }
}

async fn asked<T>(
    needed: &BTreeSet<Section>,
    section: Section,
    read: impl Future<Output = Result<T, CallError>>,
) -> Look<T> {
    if needed.contains(&section) { Some(read.await) } else { None }
}

/// What another section's reading brought; its failure is also the failure of what depends on it.
fn of<T>(look: &Look<T>) -> Result<&T, CallError> {
    match look {
        Some(read) => read.as_ref().map_err(CallError::clone),
        None => Err(unreadable("Observe", "a section was not read that another one depends on")),
    }
}

/// The kinds of interfaces that are read by their kind: those of endpoints, and those whose clients use
/// more ports than others.
const KINDS: [&str; 3] = ["vpc_endpoint", "lambda", "nat_gateway"];

/// The interfaces that decide something: those that routes lead to, directly or through the instance
/// they are attached to; those of subnets whose table leads to an internet gateway, where the subnets
/// were asked for; those of endpoints; and those of clients that use more ports than others. In as few
/// calls as that takes: a run has few of them.
async fn interfaces(
    reads: &Reads,
    within: &Within<'_>,
    first: &First,
) -> Result<Vec<NetworkInterface>, CallError> {
    let tables = of(&first.route_tables)?;
    let targets = dependent_reads::targets(tables);
    let subnets: &[Subnet] = match &first.subnets {
        Some(Ok(subnets)) => subnets,
        Some(Err(error)) => return Err(error.clone()),
        None => &[],
    };
    let before_gateways = dependent_reads::before_internet_gateways(tables, subnets);
    let endpoints = of(&first.vpc_endpoints)?;
    let kinds: Vec<Filter> =
        within.filters().into_iter().chain([filter("interface-type", KINDS)]).collect();
    let (by_kind, by_instance, by_subnet) = tokio::join!(
        read::network_interfaces(reads, &kinds),
        by_values("attachment.instance-id", targets.instances, async |filters| {
            read::network_interfaces(reads, filters).await
        }),
        by_values("subnet-id", before_gateways, async |filters| {
            read::network_interfaces(reads, filters).await
        }),
    );
    let mut interfaces = by_kind?;
    interfaces.extend(by_instance?);
    interfaces.extend(by_subnet?);
    let others = dependent_reads::other_interfaces(endpoints, targets.interfaces, &interfaces);
    let by_id = by_values("network-interface-id", others, async |filters| {
        read::network_interfaces(reads, filters).await
    });
    interfaces.extend(by_id.await?);
    Ok(dependent_reads::each_once(interfaces))
}

/// The VPC's groups, and those attached to its endpoints that belong to another VPC.
async fn complete_groups(reads: &Reads, first: &First) -> Result<Vec<SecurityGroup>, CallError> {
    let mut groups = of(&first.security_groups)?.clone();
    let others = dependent_reads::other_groups(of(&first.vpc_endpoints)?, &groups);
    groups.extend(
        by_values("group-id", others, async |filters| read::security_groups(reads, filters).await)
            .await?,
    );
    Ok(groups)
}

/// The prefix lists, with the entries of those that a route or an endpoint's group names.
async fn complete_lists(
    reads: &Reads,
    first: &First,
    groups: &Look<Vec<SecurityGroup>>,
) -> Result<Vec<PrefixList>, CallError> {
    let mut lists = of(&first.prefix_lists)?.clone();
    let named = dependent_reads::named_lists(
        of(&first.route_tables)?,
        of(&first.vpc_endpoints)?,
        of(groups)?,
    );
    let unknown =
        lists.iter().filter(|list| list.blocks().is_none() && named.contains(&list.prefix_list_id));
    let unknown: Vec<_> = unknown.map(|list| list.prefix_list_id.clone()).collect();
    let read = concurrent(unknown.clone(), |list| {
        let reads = reads.clone();
        async move { read::prefix_list_entries(&reads, &list).await }
    });
    for (id, entries) in unknown.into_iter().zip(read.await) {
        let entries = entries?;
        if let Some(list) = lists.iter_mut().find(|list| list.prefix_list_id == id) {
            list.entries = Some(entries);
        }
    }
    Ok(lists)
}

/// Reads by a filter on any number of values; none makes no call.
pub(crate) async fn by_values<T>(
    name: &str,
    values: impl IntoIterator<Item = String>,
    read: impl AsyncFn(&[Filter]) -> Result<Vec<T>, CallError>,
) -> Result<Vec<T>, CallError> {
    let values: Vec<String> = values.into_iter().collect();
    let mut found = Vec::new();
    for some in values.chunks(FILTER_VALUES) {
        found.extend(read(&[filter(name, some.iter().cloned())]).await?);
    }
    Ok(found)
}

async fn attributes_of(
    reads: &Reads,
    within: &Within<'_>,
) -> Result<BTreeMap<VpcId, VpcAttributes>, CallError> {
    match within {
        Within::Vpc(vpc) => {
            Ok(BTreeMap::from([((*vpc).clone(), read::attributes(reads, vpc).await?)]))
        }
        Within::Region { .. } => Ok(BTreeMap::new()),
    }
}

/// The DNS attributes of these VPCs.
pub(crate) async fn attributes(reads: &Reads, vpcs: &[VpcId]) -> Observation {
    let read = concurrent(vpcs.to_vec(), |vpc| {
        let reads = reads.clone();
        async move { read::attributes(&reads, &vpc).await }
    });
    let mut by_vpc = BTreeMap::new();
    let mut unread = Vec::new();
    for (vpc, attributes) in vpcs.iter().zip(read.await) {
        match attributes {
            Ok(attributes) => drop(by_vpc.insert(vpc.clone(), attributes)),
            Err(error) => unread.push(Unread { section: Section::VpcAttributes, error }),
        }
    }
    Observation { world: World { vpc_attributes: Some(by_vpc), ..World::default() }, unread }
}
