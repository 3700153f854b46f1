//! The reading calls: by id, by filter, a page at a time, of the world as it is visible.

use std::collections::BTreeMap;

use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::id::{PrefixListId, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{PrefixList, PrefixListEntry, VpcAttributes, World};

use crate::ec2::errors::{ApiError, NOT_IN_WORLD};
use crate::ec2::filters::{Described, check, passes};
use crate::ec2::request::{Query, Request, Response};
use crate::sim::Sim;

impl Sim {
    #[expect(clippy::too_many_lines, reason = "a line for each of EC2's calls")]
    pub(crate) fn read(&self, request: &Request) -> Result<Response, ApiError> {
        let world = self.visible();
        macro_rules! page {
            ($section:ident, $field:ident, $query:expr) => {
                self.page(Section::$section, &world.$field, $query, |w, found| w.$field = found)
            };
        }
        match request {
            Request::DryRun(inner) => Err(dry_run(inner)),
            Request::DescribeVpcs(query) => page!(Vpcs, vpcs, query),
            Request::DescribeSubnets(query) => page!(Subnets, subnets, query),
            Request::DescribeRouteTables(query) => page!(RouteTables, route_tables, query),
            Request::DescribeVpcEndpoints(query) => page!(VpcEndpoints, vpc_endpoints, query),
            Request::DescribeNatGateways(query) => page!(NatGateways, nat_gateways, query),
            Request::DescribeSecurityGroups(query) => page!(SecurityGroups, security_groups, query),
            Request::DescribeNetworkAcls(query) => page!(NetworkAcls, network_acls, query),
            Request::DescribeDhcpOptions(query) => page!(DhcpOptions, dhcp_options, query),
            Request::DescribeNetworkInterfaces(query) => self.interfaces(world, query),
            Request::DescribePrefixLists(query) => self.aws_prefix_lists(world, query),
            Request::DescribeManagedPrefixLists(query) => self.managed_prefix_lists(world, query),
            Request::DescribeVpcEndpointServices(query) => {
                page!(VpcEndpointServices, vpc_endpoint_services, query)
            }
            Request::DescribeInternetGateways(query) => self.internet_gateways(world, query),
            Request::DescribeEgressOnlyInternetGateways(query) => {
                self.egress_only_gateways(world, query)
            }
            Request::DescribeInstances(query) => self.instances(world, query),
            Request::DescribeVpcAttribute { vpc_id, attribute } => {
                self.vpc_attribute(world, vpc_id, *attribute)
            }
            Request::GetManagedPrefixListEntries { prefix_list_id } => {
                self.prefix_list_entries(world, prefix_list_id)
            }
            Request::CreateRoute { .. }
            | Request::ReplaceRoute { .. }
            | Request::DeleteRoute { .. }
            | Request::CreateRouteTable { .. }
            | Request::DeleteRouteTable { .. }
            | Request::AssociateRouteTable { .. }
            | Request::AssociateGateway { .. }
            | Request::DisassociateRouteTable { .. }
            | Request::ReplaceRouteTableAssociation { .. }
            | Request::CreateVpcEndpoint(_)
            | Request::ModifyVpcEndpoint(_)
            | Request::DeleteVpcEndpoints { .. }
            | Request::CreateNatGateway(_)
            | Request::DeleteNatGateway { .. }
            | Request::CreateSubnet { .. }
            | Request::ModifySubnetAttribute { .. }
            | Request::ModifyVpcAttribute { .. }
            | Request::AssociateVpcCidrBlock { .. }
            | Request::ModifyNetworkInterfaceAttribute { .. }
            | Request::AssociatePublicIp { .. }
            | Request::DisassociateAddress { .. }
            | Request::CreateNetworkAclEntry { .. }
            | Request::ReplaceNetworkAclEntry { .. }
            | Request::DeleteNetworkAclEntry { .. }
            | Request::ReplaceNetworkAclAssociation { .. }
            | Request::AssociateDhcpOptions { .. }
            | Request::CreateSecurityGroup { .. }
            | Request::AuthorizeSecurityGroupIngress { .. }
            | Request::RevokeSecurityGroupIngress { .. }
            | Request::Network(_)
            | Request::Address(_)
            | Request::PrefixList(_)
            | Request::Instance(_)
            | Request::CreateTags { .. }
            | Request::DeleteTags { .. } => Err(ApiError::new(
                "InternalError",
                format!("{} does not read", request.operation()),
            )),
        }
    }

    fn aws_prefix_lists(&self, world: &World, query: &Query) -> Result<Response, ApiError> {
        let without_owner = |list: &PrefixList| PrefixList { owner_id: None, ..list.clone() };
        let mine = lists(world, |list| is_awss(list).then(|| without_owner(list)));
        // The limit is that of the managed lists; this older call documents none, and pages all the
        // same.
        let most = query.max_results.map(|most| most.clamp(1, 100));
        let query = &Query { max_results: most, ..query.clone() };
        self.page(Section::PrefixLists, &mine, query, |w, found| w.prefix_lists = found)
    }

    fn managed_prefix_lists(&self, world: &World, query: &Query) -> Result<Response, ApiError> {
        let without_entries =
            |list: &PrefixList| PrefixList { cidrs: None, entries: None, ..list.clone() };
        let all = lists(world, |list| Some(without_entries(list)));
        self.page(Section::PrefixLists, &all, query, |w, found| w.prefix_lists = found)
    }

    fn interfaces(&self, world: &World, query: &Query) -> Result<Response, ApiError> {
        if query.max_results.is_some() && !query.ids.is_empty() {
            let message =
                "The parameter MaxResults cannot be used with the parameter NetworkInterfaceIds";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        let all = &world.network_interfaces;
        self.page(Section::NetworkInterfaces, all, query, |w, found| w.network_interfaces = found)
    }

    fn page<T: Described>(
        &self,
        section: Section,
        all: &Option<Vec<T>>,
        query: &Query,
        put: impl FnOnce(&mut World, Option<Vec<T>>),
    ) -> Result<Response, ApiError> {
        self.check_known(section)?;
        let all = all.as_deref().unwrap_or_default();
        let (found, next_token) = self.paged(all, query, page_bounds(section))?;
        let mut world = World::default();
        put(&mut world, Some(found));
        Ok(Response::Described { section, found: Box::new(world), next_token })
    }

    /// The page that the query asks for; `MaxResults` must be within these bounds.
    pub(crate) fn paged<T: Described>(
        &self,
        all: &[T],
        query: &Query,
        bounds: (usize, usize),
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        if let Some(id) =
            query.ids.iter().find(|id| !all.iter().any(|thing| thing.id() == id.as_str()))
        {
            return Err(ApiError::not_found(T::NOT_FOUND, T::WHAT, id));
        }
        check::<T>(&query.filters)?;
        let named =
            |thing: &&T| query.ids.is_empty() || query.ids.iter().any(|id| thing.id() == id);
        let beside = &self.visible_beside().tags;
        let more = |thing: &T| beside.get(thing.id()).map(Vec::as_slice).unwrap_or_default();
        let found: Vec<&T> = all
            .iter()
            .filter(named)
            .filter(|thing| passes(*thing, more(thing), &query.filters))
            .collect();
        let size = self.page_size(bounds, query.max_results)?;
        let start = match query.next_token.as_deref() {
            None | Some("") => 0,
            Some(token) => {
                start_of_page(token).filter(|start| *start <= found.len()).ok_or_else(|| {
                    ApiError::new("InvalidNextToken", format!("The token '{token}' is not valid"))
                })?
            }
        };
        let end = start.saturating_add(size);
        let next_token = (end < found.len()).then(|| format!("{PAGE}{end}"));
        Ok((found.into_iter().skip(start).take(size).cloned().collect(), next_token))
    }

    pub(crate) fn check_known(&self, section: Section) -> Result<(), ApiError> {
        if !self.is_unknown(section) {
            return Ok(());
        }
        let message =
            format!("the world has no section {section}; add what `{}` prints", section.command());
        Err(ApiError::new(NOT_IN_WORLD, message))
    }

    /// EC2's bounds on `MaxResults`, within which our own page may be smaller still.
    fn page_size(
        &self,
        (least, most): (usize, usize),
        asked: Option<usize>,
    ) -> Result<usize, ApiError> {
        match asked {
            Some(asked) if !(least..=most).contains(&asked) => {
                Err(ApiError::invalid_value(format!(
                    "Value ( {asked} ) for parameter maxResults is invalid. Expecting a value between {least} and {most}."
                )))
            }
            Some(asked) => Ok(asked.min(self.options.page_size.max(1))),
            None => Ok(self.options.page_size.max(1)),
        }
    }

    fn vpc_attribute(
        &self,
        world: &World,
        id: &VpcId,
        attribute: DnsAttribute,
    ) -> Result<Response, ApiError> {
        self.vpc(id)?;
        let known: Option<&BTreeMap<VpcId, VpcAttributes>> = world.vpc_attributes.as_ref();
        let attributes = known.and_then(|all| all.get(id)).copied().unwrap_or_default();
        let value = match attribute {
            DnsAttribute::Support => attributes.enable_dns_support,
            DnsAttribute::Hostnames => attributes.enable_dns_hostnames,
        };
        let value = value.ok_or_else(|| {
            let message =
                format!("the world does not say {attribute} of {id}; add it under `VpcAttributes`");
            ApiError::new(NOT_IN_WORLD, message)
        })?;
        Ok(Response::VpcAttribute { vpc_id: id.clone(), attribute, value })
    }

    fn prefix_list_entries(&self, world: &World, id: &PrefixListId) -> Result<Response, ApiError> {
        self.check_known(Section::PrefixLists)?;
        let list = world.prefix_lists.iter().flatten().find(|list| list.prefix_list_id == *id);
        let list = list.ok_or_else(|| {
            ApiError::not_found("InvalidPrefixListID.NotFound", "prefix list", id.as_str())
        })?;
        if let Some(entries) = &list.entries {
            return Ok(Response::PrefixListEntries(entries.clone()));
        }
        let cidrs = list.cidrs.as_ref().ok_or_else(|| {
            ApiError::new(
                NOT_IN_WORLD,
                format!("the world does not say what is in {id}; add its `Entries` or `Cidrs`"),
            )
        })?;
        let entry = |cidr: &guardrail::ec2::cidr::Cidr| PrefixListEntry {
            cidr: cidr.clone(),
            description: None,
        };
        Ok(Response::PrefixListEntries(cidrs.iter().map(entry).collect()))
    }
}

/// EC2's bounds on `MaxResults` for what is in this section.
fn page_bounds(section: Section) -> (usize, usize) {
    match section {
        Section::RouteTables => (5, 100),
        Section::PrefixLists => (1, 100),
        Section::VpcEndpoints | Section::VpcEndpointServices => (1, 1000),
        Section::Vpcs
        | Section::Subnets
        | Section::NatGateways
        | Section::SecurityGroups
        | Section::NetworkInterfaces
        | Section::NetworkAcls
        | Section::DhcpOptions
        | Section::InternetGateways
        | Section::EgressOnlyInternetGateways
        | Section::VpcAttributes => (5, 1000),
    }
}

const PAGE: &str = "page-from-";

fn start_of_page(token: &str) -> Option<usize> {
    token.strip_prefix(PAGE)?.parse().ok()
}

/// A dry run that may: an error in EC2's eyes. Two operations have no such flag.
fn dry_run(inner: &Request) -> ApiError {
    if matches!(inner, Request::ModifyVpcAttribute { .. } | Request::ModifySubnetAttribute { .. }) {
        return ApiError::new("UnknownParameter", "The parameter DryRun is not recognized");
    }
    ApiError::new("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

fn lists(
    world: &World,
    shown: impl Fn(&PrefixList) -> Option<PrefixList>,
) -> Option<Vec<PrefixList>> {
    world.prefix_lists.as_ref().map(|all| all.iter().filter_map(shown).collect())
}

/// AWS's own lists have a service's name; `OwnerId` may be missing where only
/// `describe-prefix-lists` was read.
fn is_awss(list: &PrefixList) -> bool {
    list.owner_id
        .as_deref()
        .map_or_else(|| list.prefix_list_name.starts_with("com.amazonaws."), |owner| owner == "AWS")
}
