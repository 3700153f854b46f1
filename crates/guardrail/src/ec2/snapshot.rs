//! A world cut into VPCs: what was seen of each, and whether it is complete.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ec2::id::{
    AccountId, EndpointId, Region, RouteTableId, Scope, SecurityGroupId, SubnetId, VpcId,
};
use crate::ec2::list;
use crate::ec2::partition::Partition;
use crate::ec2::world::{
    DhcpOptions, EgressOnlyInternetGateway, EndpointService, InternetGateway, NatGateway,
    NetworkAcl, NetworkInterface, PrefixList, RouteTable, SecurityGroup, Subnet, Vpc,
    VpcAttributes, VpcEndpoint, World,
};

pub use crate::ec2::world::Section;

/// Why a world cannot be cut into VPCs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnplacedWorld {
    /// There is no list of VPCs.
    #[error("the world has no section `Vpcs`; add what `aws ec2 describe-vpcs` prints")]
    NoVpcs,
    /// Nothing in the file says which Region it is.
    #[error(
        "cannot tell the Region of {0}: no subnet's ARN or Availability Zone and no endpoint service names one; add \
         `\"Region\": \"eu-central-1\"` at the top of the file"
    )]
    NoRegion(VpcId),
    /// Nothing in the file says whose account it is.
    #[error(
        "cannot tell the account of {0}: it has no `OwnerId`; add `\"AccountId\": \"111122223333\"` at the top of the file"
    )]
    NoAccount(VpcId),
    /// The VPCs have several owners, and nothing says which of them is the account that was read.
    #[error(
        "the VPCs belong to several accounts ({}), and the world does not say which one was read; add \
         `\"AccountId\": \"111122223333\"` at the top of the file", list(.0)
    )]
    SeveralAccounts(Vec<AccountId>),
    /// The subnets are of several Regions.
    #[error("the subnets are of several Regions ({}); a world is of one account and Region", list(.0))]
    SeveralRegions(Vec<Region>),
}

/// One VPC as observed, and what all VPCs of the Region share.
#[derive(Debug, Clone)]
pub struct Snapshot<'w> {
    /// The VPC's account, Region and id.
    pub scope: Scope,
    /// The VPC itself: its tags and CIDR blocks.
    pub vpc: &'w Vpc,
    /// The VPC's DNS attributes; `None` when not read.
    pub attributes: Option<&'w VpcAttributes>,
    /// The VPC's subnets, in the order of their ids.
    pub subnets: Vec<&'w Subnet>,
    /// The VPC's route tables, in the order of their ids.
    pub route_tables: Vec<&'w RouteTable>,
    /// The VPC's endpoints, in the order of their ids, deleted ones that are still listed included.
    pub endpoints: Vec<&'w VpcEndpoint>,
    /// The VPC's NAT gateways, in the order of the world.
    pub nat_gateways: Vec<&'w NatGateway>,
    /// The internet gateways that are attached to the VPC, in the order of the world.
    pub internet_gateways: Vec<&'w InternetGateway>,
    /// The egress-only internet gateways that are attached to the VPC, in the order of the world.
    pub egress_only_gateways: Vec<&'w EgressOnlyInternetGateway>,
    /// The VPC's own security groups, in the order of the world.
    pub groups: Vec<&'w SecurityGroup>,
    /// The VPC's network interfaces, as far as they were read.
    pub interfaces: Vec<&'w NetworkInterface>,
    /// The VPC's network ACLs, in the order of the world.
    pub network_acls: Vec<&'w NetworkAcl>,
    /// Security groups, prefix lists and services, which do not belong to one VPC.
    pub shared: &'w Shared<'w>,
    /// The sections that were not read: nothing that rests on one of them may be changed.
    pub missing: BTreeSet<Section>,
}

/// What the VPCs of a world have in common.
#[derive(Debug, Default)]
pub struct Shared<'w> {
    /// Every security group read, by id: one can be attached across VPCs.
    pub groups: HashMap<&'w SecurityGroupId, &'w SecurityGroup>,
    /// Every prefix list read, in the order of the world.
    pub prefix_lists: &'w [PrefixList],
    /// Every endpoint service read, in the order of the world; none where the list is not whole.
    pub services: &'w [EndpointService],
    /// Whether the endpoint services were read in full: otherwise nobody knows what the Region
    /// offers.
    pub services_were_read: bool,
    /// Every network interface read: an instance may have one in another VPC too.
    pub interfaces: &'w [NetworkInterface],
    /// Every set of DHCP options read, in the order of the world.
    pub dhcp_options: &'w [DhcpOptions],
    region: Option<Region>,
}

impl<'w> Shared<'w> {
    /// The Region that the world is of, where anything in it says so.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// The shared part of a world.
    pub fn of(world: &'w World) -> Self {
        let groups =
            world.security_groups.iter().flatten().map(|group| (&group.group_id, group)).collect();
        let region = region_of(world);
        let services = region.as_ref().and_then(|region| every_service(world, region));
        Self {
            groups,
            prefix_lists: world.prefix_lists.as_deref().unwrap_or_default(),
            services: services.unwrap_or_default(),
            services_were_read: services.is_some(),
            interfaces: world.network_interfaces.as_deref().unwrap_or_default(),
            dhcp_options: world.dhcp_options.as_deref().unwrap_or_default(),
            region,
        }
    }
}

impl<'w> Snapshot<'w> {
    /// Cuts a world into its VPCs, in the order of their ids.
    ///
    /// # Errors
    /// When the world has no list of VPCs, or does not say which account and Region it is of.
    pub fn all(world: &'w World, shared: &'w Shared<'w>) -> Result<Vec<Self>, UnplacedWorld> {
        let vpcs = world.vpcs.as_ref().ok_or(UnplacedWorld::NoVpcs)?;
        of_one_place(world)?;
        let mut by_id: BTreeMap<&VpcId, Self> = BTreeMap::new();
        for vpc in vpcs {
            by_id.insert(&vpc.vpc_id, Self::empty(world, shared, vpc)?);
        }
        share_out(
            &mut by_id,
            world.subnets.iter().flatten(),
            |s| Some(&s.vpc_id),
            |snapshot| &mut snapshot.subnets,
        );
        share_out(
            &mut by_id,
            world.route_tables.iter().flatten(),
            |t| Some(&t.vpc_id),
            |snapshot| &mut snapshot.route_tables,
        );
        share_out(
            &mut by_id,
            world.vpc_endpoints.iter().flatten(),
            |e| Some(&e.vpc_id),
            |snapshot| &mut snapshot.endpoints,
        );
        share_out(
            &mut by_id,
            world.nat_gateways.iter().flatten(),
            |n| n.vpc_id.as_ref(),
            |snapshot| &mut snapshot.nat_gateways,
        );
        share_out_gateways(&mut by_id, world);
        share_out(
            &mut by_id,
            world.network_interfaces.iter().flatten(),
            |i| i.vpc_id.as_ref(),
            |snapshot| &mut snapshot.interfaces,
        );
        share_out(
            &mut by_id,
            world.network_acls.iter().flatten(),
            |acl| acl.vpc_id.as_ref(),
            |snapshot| &mut snapshot.network_acls,
        );
        share_out(
            &mut by_id,
            world.security_groups.iter().flatten(),
            |g| g.vpc_id.as_ref(),
            |snapshot| &mut snapshot.groups,
        );
        Ok(by_id
            .into_values()
            .map(|mut snapshot| {
                snapshot.subnets.sort_unstable_by_key(|s| &s.subnet_id);
                snapshot.route_tables.sort_unstable_by_key(|t| &t.route_table_id);
                snapshot.endpoints.sort_unstable_by_key(|e| &e.vpc_endpoint_id);
                if !binds_each_subnet_once(&snapshot) {
                    snapshot.missing.insert(Section::RouteTables);
                }
                snapshot
            })
            .collect())
    }

    /// The snapshot of one VPC; `None` when the world does not hold it.
    ///
    /// # Errors
    /// As [`Snapshot::all`].
    pub fn one(
        world: &'w World,
        shared: &'w Shared<'w>,
        vpc: &VpcId,
    ) -> Result<Option<Self>, UnplacedWorld> {
        Ok(Self::all(world, shared)?.into_iter().find(|snapshot| snapshot.scope.vpc == *vpc))
    }

    fn empty(
        world: &'w World,
        shared: &'w Shared<'w>,
        vpc: &'w Vpc,
    ) -> Result<Self, UnplacedWorld> {
        let attributes = world.vpc_attributes.as_ref().and_then(|by_vpc| by_vpc.get(&vpc.vpc_id));
        let dns_read = attributes
            .is_some_and(|a| a.enable_dns_support.is_some() && a.enable_dns_hostnames.is_some());
        let mut missing = missing_sections(world);
        if !dns_read {
            missing.insert(Section::VpcAttributes);
        }
        if !shared.services_were_read {
            missing.insert(Section::VpcEndpointServices);
        }
        let scope = Scope {
            account: account_of(world, vpc)
                .ok_or_else(|| UnplacedWorld::NoAccount(vpc.vpc_id.clone()))?,
            region: shared
                .region
                .clone()
                .ok_or_else(|| UnplacedWorld::NoRegion(vpc.vpc_id.clone()))?,
            vpc: vpc.vpc_id.clone(),
        };
        Ok(Self {
            scope,
            vpc,
            attributes,
            subnets: Vec::new(),
            route_tables: Vec::new(),
            endpoints: Vec::new(),
            nat_gateways: Vec::new(),
            groups: Vec::new(),
            interfaces: Vec::new(),
            network_acls: Vec::new(),
            internet_gateways: Vec::new(),
            egress_only_gateways: Vec::new(),
            shared,
            missing,
        })
    }

    /// The subnet of this id.
    pub fn subnet(&self, id: &SubnetId) -> Option<&'w Subnet> {
        self.subnets.iter().find(|subnet| subnet.subnet_id == *id).copied()
    }

    /// The route table of this id.
    pub fn route_table(&self, id: &RouteTableId) -> Option<&'w RouteTable> {
        self.route_tables.iter().find(|table| table.route_table_id == *id).copied()
    }

    /// The endpoint of this id.
    pub fn endpoint(&self, id: &EndpointId) -> Option<&'w VpcEndpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.vpc_endpoint_id == *id).copied()
    }

    /// Whether another account owns the VPC: a participant of a shared VPC can change none of it.
    pub fn is_somebody_elses(&self) -> bool {
        self.vpc.owner_id.as_ref().is_some_and(|owner| *owner != self.scope.account)
    }
}

/// Gives each VPC the internet gateways that are attached to it.
fn share_out_gateways<'w>(by_id: &mut BTreeMap<&'w VpcId, Snapshot<'w>>, world: &'w World) {
    share_out(
        by_id,
        world.internet_gateways.iter().flatten(),
        |gateway| gateway.vpc(),
        |snapshot| &mut snapshot.internet_gateways,
    );
    share_out(
        by_id,
        world.egress_only_internet_gateways.iter().flatten(),
        |gateway| gateway.vpc(),
        |snapshot| &mut snapshot.egress_only_gateways,
    );
}

/// Gives each thing to the VPC it belongs to; what belongs to no VPC of the world is left out.
fn share_out<'w, T: 'w>(
    by_id: &mut BTreeMap<&VpcId, Snapshot<'w>>,
    things: impl Iterator<Item = &'w T>,
    vpc_of: impl Fn(&'w T) -> Option<&'w VpcId>,
    list_of: impl for<'s> Fn(&'s mut Snapshot<'w>) -> &'s mut Vec<&'w T>,
) {
    for thing in things {
        if let Some(snapshot) = vpc_of(thing).and_then(|vpc| by_id.get_mut(vpc)) {
            list_of(snapshot).push(thing);
        }
    }
}

/// Whether the tables say of each subnet which one it uses. Every VPC has one main table, and a
/// subnet one association at most; anything else was read in the middle of a change, or in part,
/// and whom a table serves cannot be told from it.
fn binds_each_subnet_once(snapshot: &Snapshot<'_>) -> bool {
    let live = || {
        snapshot.route_tables.iter().flat_map(|table| &table.associations).filter(|a| a.is_live())
    };
    let mut bound = BTreeSet::new();
    live().filter(|association| association.main).count() == 1
        && live()
            .filter_map(|association| association.subnet_id.as_ref())
            .all(|subnet| bound.insert(subnet))
}

/// The endpoint services that the Region offers, if the list is whole. Every Region offers S3
/// (docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html), so a list without it is a
/// page or a choice of the services, and what is not in it may be offered all the same.
fn every_service<'w>(world: &'w World, region: &Region) -> Option<&'w [EndpointService]> {
    let services = world.vpc_endpoint_services.as_deref()?;
    let partition = Partition::of(region);
    let is_s3 =
        |service: &EndpointService| partition.is_regional(&service.service_name, region, "s3");
    services.iter().any(is_s3).then_some(services)
}

fn missing_sections(world: &World) -> BTreeSet<Section> {
    Section::judged().into_iter().filter(|section| !world.has(*section)).collect()
}

/// Whether all of the world is of one account and Region, as far as it says.
fn of_one_place(world: &World) -> Result<(), UnplacedWorld> {
    let owners = world.vpcs.iter().flatten().filter_map(|vpc| vpc.owner_id.clone());
    let owners: BTreeSet<AccountId> = owners.collect();
    if world.account_id.is_none() && owners.len() > 1 {
        return Err(UnplacedWorld::SeveralAccounts(owners.into_iter().collect()));
    }
    let arns = world.subnets.iter().flatten().filter_map(|subnet| subnet.subnet_arn.as_deref());
    let regions = arns.filter_map(|arn| arn.split(':').nth(3)?.parse().ok());
    let regions: BTreeSet<Region> = regions.collect();
    if regions.len() > 1 {
        return Err(UnplacedWorld::SeveralRegions(regions.into_iter().collect()));
    }
    Ok(())
}

fn account_of(world: &World, vpc: &Vpc) -> Option<AccountId> {
    world.account_id.clone().or_else(|| vpc.owner_id.clone())
}

fn region_of(world: &World) -> Option<Region> {
    let subnets = || world.subnets.iter().flatten();
    let arns = subnets().filter_map(|subnet| subnet.subnet_arn.as_deref()?.split(':').nth(3));
    let services =
        world.vpc_endpoint_services.iter().flatten().map(|service| service.service_name.as_str());
    let endpoints = world
        .vpc_endpoints
        .iter()
        .flatten()
        .filter_map(|endpoint| Some(endpoint.service_name.as_ref()?.as_str()));
    let zones = subnets().map(|subnet| {
        subnet.availability_zone.as_str().trim_end_matches(|c: char| c.is_ascii_lowercase())
    });
    let named = services.chain(endpoints).flat_map(|name| name.split('.'));
    let read = arns.chain(named).chain(zones).find_map(|text| text.parse().ok());
    world.region.clone().or(read)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn services(names: &[&str]) -> (bool, usize, bool) {
        let services: Vec<_> = names.iter().map(|name| json!({"ServiceName": name})).collect();
        let world: World = serde_json::from_value(json!({
            "Region": "cn-north-1",
            "AccountId": "111122223333",
            "Vpcs": [{"VpcId": "vpc-1"}],
            "VpcEndpointServices": services,
        }))
        .unwrap();
        let shared = Shared::of(&world);
        let all = Snapshot::all(&world, &shared).unwrap();
        let missing = all[0].missing.contains(&Section::VpcEndpointServices);
        (shared.services_were_read, shared.services.len(), missing)
    }

    #[test]
    fn a_list_of_services_without_the_regions_s3_counts_as_not_observed() {
        let (ssm, iam) = ("com.amazonaws.cn-north-1.ssm", "com.amazonaws.iam");
        for s3 in ["com.amazonaws.cn-north-1.s3", "cn.com.amazonaws.cn-north-1.s3"] {
            assert_eq!(services(&[ssm, s3]), (true, 2, false), "{s3}");
        }
        for other in [
            iam,
            "com.amazonaws.cn-north-1.s3-outposts",
            "com.amazonaws.cn-northwest-1.s3",
            "gov.ic.c2s.cn-north-1.s3",
            "com.amazonaws.vpce.cn-north-1.s3",
        ] {
            assert_eq!(services(&[ssm, other]), (false, 0, true), "{other}");
        }
        assert_eq!(services(&[]), (false, 0, true));
    }
}
