//! What a subnet is in view of how it is built: a tag alone makes no subnet public, and none private
//! that has what makes a subnet public.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Class, SubnetUse, Topology};
use crate::analysis::route::{
    InternetExit, PossibleExit, RouteClass, classify, is_blackhole, read_blocks,
    takes_public_addresses,
};
use crate::baseline::{Baseline, MayLeadOut};
use crate::ec2::cidr::{Cidr, covers_public};
use crate::ec2::id::{InterfaceId, NatGatewayId, SubnetId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{
    Connectivity, NatGateway, NatGatewayState, Route, RouteTable, Subnet, Tag,
};

/// What a public subnet is built with, beside the route to an internet gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicBuild<'w> {
    /// A public NAT gateway is in the subnet, for others.
    NatGateway(&'w NatGatewayId),
    /// What is launched in the subnet gets a public IPv4 address.
    AddressesOnLaunch,
    /// An interface in the subnet has this public IPv4 or Elastic address.
    Address(&'w InterfaceId, &'w str),
}

impl fmt::Display for PublicBuild<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NatGateway(id) => write!(f, "it holds the public NAT gateway {id}"),
            Self::AddressesOnLaunch => f.write_str("it gives public IPv4 addresses on launch"),
            Self::Address(id, address) => {
                write!(f, "its interface {id} has the public address {address}")
            }
        }
    }
}

/// The subnets of a VPC, of which only the tags were looked at so far, as they are built.
pub(super) fn as_built<'w>(
    by_tags: &Topology<'w>,
    snapshot: &Snapshot<'w>,
    baseline: &Baseline,
) -> Vec<SubnetUse<'w>> {
    let built = |used: &SubnetUse<'w>| -> Option<Class<'w>> {
        match used.class {
            Class::Private(tag) => {
                let mut tables = used.tables();
                tables.find_map(|table| built_public(tag, used.subnet, table, by_tags, snapshot))
            }
            Class::Public(tag) => {
                let may_lead_out = baseline.internet_routes.may_lead_out;
                let (route, _) = by_tags.way_past_gateways(used, snapshot, may_lead_out)?;
                Some(Class::TaggedPublicOnly(tag, route))
            }
            Class::Unclassified
            | Class::Contradictory(..)
            | Class::BuiltPublic(..)
            | Class::TaggedPublicOnly(..) => None,
        }
    };
    let class = |used: &SubnetUse<'w>| built(used).unwrap_or(used.class);
    by_tags.subnets.iter().map(|used| SubnetUse { class: class(used), ..used.clone() }).collect()
}

/// The class of a subnet that is private by its tag but has what makes a subnet public.
fn built_public<'w>(
    tag: &'w Tag,
    subnet: &'w Subnet,
    table: &'w RouteTable,
    topology: &Topology<'w>,
    snapshot: &Snapshot<'w>,
) -> Option<Class<'w>> {
    let leads =
        |route: &&Route| classify(route, table, snapshot, topology).is_way_out(MayLeadOut::Report);
    let to_internet_gateway = |route: &&Route| is_to_internet_gateway(route) && leads(route);
    if let Some(nat) = public_nat_in(&subnet.subnet_id, snapshot) {
        // It needs its way out whatever that is, also while it is a blackhole: what is gone may come
        // back.
        let way = table.routes.iter().find(to_internet_gateway);
        let way = way.or_else(|| table.routes.iter().find(leads))?;
        return Some(Class::BuiltPublic(tag, PublicBuild::NatGateway(nat), way));
    }
    let active = |route: &&Route| to_internet_gateway(route) && !is_blackhole(route);
    let way = table.routes.iter().find(active)?;
    Some(Class::BuiltPublic(tag, public_addresses(subnet, snapshot)?, way))
}

impl<'w> Topology<'w> {
    /// The routes of a subnet that lead out at present, or may, or are of no known kind: those that
    /// certainly do first, and of them those that lead past internet gateways.
    pub fn ways_out(
        &self,
        used: &SubnetUse<'w>,
        snapshot: &Snapshot<'w>,
        may_lead_out: MayLeadOut,
    ) -> Vec<(&'w Route, RouteClass)> {
        let ways = self.ways(used, snapshot, may_lead_out);
        let mut ways: Vec<_> = ways.map(|(_, route, class)| (route, class)).collect();
        ways.sort_by_key(|(_, class)| {
            (!matches!(class, RouteClass::Internet(_)), is_to_gateway(class, used.subnet))
        });
        ways
    }

    fn ways(
        &self,
        used: &SubnetUse<'w>,
        snapshot: &Snapshot<'w>,
        may_lead_out: MayLeadOut,
    ) -> impl Iterator<Item = (&'w RouteTable, &'w Route, RouteClass)> {
        used.tables()
            .flat_map(|table| table.routes.iter().map(move |route| (table, route)))
            .filter_map(move |(table, route)| {
                let class = classify(route, table, snapshot, self);
                let leads_out = !is_blackhole(route) && class.is_way_out(may_lead_out);
                leads_out.then_some((table, route, class))
            })
    }

    /// Whether a subnet has what makes a subnet public, whatever its tags say: no way out but to an
    /// internet or carrier gateway, or, for a NAT gateway, through a firewall's endpoint
    /// (docs.aws.amazon.com/network-firewall/latest/developerguide/arch-igw-ngw.html), and what has
    /// public addresses for it.
    pub fn is_public_by_build(&self, used: &SubnetUse<'w>, snapshot: &Snapshot<'w>) -> bool {
        let holds_nat = public_nat_in(&used.subnet.subnet_id, snapshot).is_some();
        let has_public_addresses = holds_nat || public_addresses(used.subnet, snapshot).is_some();
        let ways = self.ways_out(used, snapshot, MayLeadOut::Report);
        let past = self.ways_past_gateways(used, snapshot, MayLeadOut::Report);
        let is_to_firewall = |class: &RouteClass| {
            matches!(class, RouteClass::MayLeadOut(PossibleExit::GatewayLoadBalancerEndpoint(_)))
        };
        if past.is_empty() {
            has_public_addresses && ways.iter().any(|(_, class)| is_to_gateway(class, used.subnet))
        } else {
            holds_nat && past.iter().all(|(_, class)| is_to_firewall(class))
        }
    }

    /// Whether internet or carrier gateways take every public address of a family from the subnet, and
    /// nothing else takes any: a route for show makes no subnet public.
    pub fn leads_to_gateways_only(
        &self,
        used: &SubnetUse<'w>,
        snapshot: &Snapshot<'w>,
        may_lead_out: MayLeadOut,
    ) -> bool {
        let to_gateways = |table: &'w RouteTable| -> Vec<&'w Route> {
            let ways = self.ways(used, snapshot, may_lead_out);
            let its = ways.filter(|(of, _, _)| of.route_table_id == table.route_table_id);
            let its = its.filter(|(_, _, class)| is_to_gateway(class, used.subnet));
            its.map(|(_, route, _)| route).collect()
        };
        self.ways_past_gateways(used, snapshot, may_lead_out).is_empty()
            && used.table.is_some()
            && used.tables().all(|table| take_a_whole_family(&to_gateways(table), snapshot))
    }

    /// The first way out of a subnet by which some public address is sent past internet gateways.
    pub fn way_past_gateways(
        &self,
        used: &SubnetUse<'w>,
        snapshot: &Snapshot<'w>,
        may_lead_out: MayLeadOut,
    ) -> Option<(&'w Route, RouteClass)> {
        self.ways_past_gateways(used, snapshot, may_lead_out).into_iter().next()
    }

    /// The ways out of a subnet, each with a public address that goes by it, which lead to no internet
    /// gateway, nor to a carrier gateway, which is the same for a Wavelength Zone; those that
    /// certainly lead out first. An egress-only internet gateway beside an internet gateway that has
    /// all of IPv4 is a public subnet's too.
    fn ways_past_gateways(
        &self,
        used: &SubnetUse<'w>,
        snapshot: &Snapshot<'w>,
        may_lead_out: MayLeadOut,
    ) -> Vec<(&'w Route, RouteClass)> {
        let ways: Vec<_> = self.ways(used, snapshot, may_lead_out).collect();
        let has_all_of_ipv4 = |table: &RouteTable| {
            ways.iter().any(|(of, route, class)| {
                of.route_table_id == table.route_table_id
                    && route.destination_cidr_block.as_ref().and_then(Cidr::net)
                        == Some(ALL_OF_IPV4)
                    && is_to_gateway(class, used.subnet)
            })
        };
        let is_past = |table: &RouteTable, route: &Route, class: &RouteClass| match class {
            RouteClass::Internet(InternetExit::EgressOnlyInternetGateway(_))
                if has_all_of_ipv4(table) =>
            {
                false
            }
            class => {
                !is_to_gateway(class, used.subnet)
                    && takes_public_addresses(route, table, snapshot, &self.own)
            }
        };
        let past = ways.iter().filter(|(table, route, class)| is_past(table, route, class));
        let mut past: Vec<_> = past.map(|(_, route, class)| (*route, class.clone())).collect();
        past.sort_by_key(|(_, class)| !matches!(class, RouteClass::Internet(_)));
        past
    }
}

const ALL_OF_IPV4: IpNet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));
const ALL_OF_IPV6: IpNet = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0));

fn take_a_whole_family(routes: &[&Route], snapshot: &Snapshot<'_>) -> bool {
    let blocks: Vec<IpNet> =
        routes.iter().filter_map(|route| read_blocks(route, snapshot)).flatten().collect();
    [ALL_OF_IPV4, ALL_OF_IPV6].into_iter().any(|family| !covers_public(family, &blocks))
}

fn is_to_gateway(class: &RouteClass, subnet: &Subnet) -> bool {
    match class {
        RouteClass::Internet(InternetExit::InternetGateway(_)) => true,
        RouteClass::Internet(InternetExit::CarrierGateway(_)) => is_in_wavelength_zone(subnet),
        RouteClass::Internet(
            InternetExit::NatGateway(_)
            | InternetExit::RegionalNatGateway(_)
            | InternetExit::GoneNatGateway(_)
            | InternetExit::EgressOnlyInternetGateway(_)
            | InternetExit::NatInstance(..)
            | InternetExit::Detour(_),
        )
        | RouteClass::Local
        | RouteClass::Endpoint(_)
        | RouteClass::Inside(_)
        | RouteClass::MayLeadOut(_)
        | RouteClass::Unknown(_) => false,
    }
}

/// Carrier gateways are for subnets in Wavelength Zones, whose names are like
/// `us-east-1-wl1-bos-wlz-1` (docs.aws.amazon.com/vpc/latest/userguide/Carrier_Gateway.html).
fn is_in_wavelength_zone(subnet: &Subnet) -> bool {
    subnet.availability_zone.as_str().contains("-wlz-")
}

fn is_to_internet_gateway(route: &Route) -> bool {
    matches!(route.target(), Some(RouteTarget::InternetGateway(_)))
}

/// What public addresses the subnet has or gives; IPv6 addresses, which every address of a VPC's IPv6
/// block is, say nothing.
fn public_addresses<'w>(subnet: &Subnet, snapshot: &Snapshot<'w>) -> Option<PublicBuild<'w>> {
    if subnet.map_public_ip_on_launch {
        return Some(PublicBuild::AddressesOnLaunch);
    }
    let inside = snapshot
        .interfaces
        .iter()
        .filter(|interface| interface.subnet_id.as_ref() == Some(&subnet.subnet_id));
    inside
        .filter_map(|eni| Some(PublicBuild::Address(&eni.network_interface_id, eni.public_ip()?)))
        .next()
}

fn public_nat_in<'w>(subnet: &SubnetId, snapshot: &Snapshot<'w>) -> Option<&'w NatGatewayId> {
    let nat = snapshot.nat_gateways.iter().find(|nat| is_public_nat_in(nat, subnet));
    nat.map(|nat| &nat.nat_gateway_id)
}

fn is_public_nat_in(nat: &NatGateway, subnet: &SubnetId) -> bool {
    let is_public = match &nat.connectivity_type {
        Some(Connectivity::Public | Connectivity::Other(_)) | None => true,
        Some(Connectivity::Private) => false,
    };
    let is_there = match &nat.state {
        // What nobody knows may need its way out.
        Some(NatGatewayState::Pending | NatGatewayState::Available | NatGatewayState::Other(_))
        | None => true,
        Some(NatGatewayState::Failed | NatGatewayState::Deleting | NatGatewayState::Deleted) => {
            false
        }
    };
    is_public && is_there && nat.subnet_id.as_ref() == Some(subnet)
}
