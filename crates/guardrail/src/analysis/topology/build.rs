//! What a subnet is in view of how it is built: a tag alone makes no subnet public, and none private
//! that has what makes a subnet public.

use std::fmt;

use super::{Class, SubnetUse, Topology};
use crate::analysis::route::{InternetExit, PossibleExit, RouteClass, classify, is_blackhole};
use crate::baseline::{Baseline, MayLeadOut};
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
        let table = used.table?;
        match used.class {
            Class::Private(tag) => built_public(tag, used.subnet, table, by_tags, snapshot),
            Class::Public(tag) => {
                let may_lead_out = baseline.internet_routes.may_lead_out;
                let (route, _) =
                    by_tags.way_past_internet_gateways(table, snapshot, may_lead_out)?;
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
    /// The routes of a table that lead out at present, or may, or are of no known kind; those that
    /// certainly do first.
    pub fn ways_out(
        &self,
        table: &'w RouteTable,
        snapshot: &Snapshot<'w>,
        may_lead_out: MayLeadOut,
    ) -> Vec<(&'w Route, RouteClass)> {
        let active = table.routes.iter().filter(|route| !is_blackhole(route));
        let judged = active.map(|route| (route, classify(route, table, snapshot, self)));
        let mut ways: Vec<_> = judged.filter(|(_, class)| class.is_way_out(may_lead_out)).collect();
        ways.sort_by_key(|(_, class)| !matches!(class, RouteClass::Internet(_)));
        ways
    }

    /// Whether a subnet has what makes a subnet public, whatever its tags say: a way to an internet or
    /// carrier gateway, or, for a NAT gateway, through a firewall's endpoint
    /// (docs.aws.amazon.com/network-firewall/latest/developerguide/arch-igw-ngw.html), and what has
    /// public addresses for it.
    pub fn is_public_by_build(&self, used: &SubnetUse<'w>, snapshot: &Snapshot<'w>) -> bool {
        let Some(table) = used.table else { return false };
        let holds_nat = public_nat_in(&used.subnet.subnet_id, snapshot).is_some();
        let has_public_addresses = holds_nat || public_addresses(used.subnet, snapshot).is_some();
        let ways = self.ways_out(table, snapshot, MayLeadOut::Report);
        let is_to_firewall = |class: &RouteClass| {
            matches!(class, RouteClass::MayLeadOut(PossibleExit::GatewayLoadBalancerEndpoint(_)))
        };
        (has_public_addresses && ways.iter().any(|(_, class)| is_to_gateway(class)))
            || (holds_nat && ways.iter().any(|(_, class)| is_to_firewall(class)))
    }

    /// A way out of a table that leads to no internet gateway, nor to a carrier gateway, which is the
    /// same for a Wavelength zone.
    fn way_past_internet_gateways(
        &self,
        table: &'w RouteTable,
        snapshot: &Snapshot<'w>,
        may_lead_out: MayLeadOut,
    ) -> Option<(&'w Route, RouteClass)> {
        let ways = self.ways_out(table, snapshot, may_lead_out);
        let by_gateway = ways.iter().any(|(_, class)| is_to_gateway(class));
        ways.into_iter().next().filter(|_| !by_gateway)
    }
}

fn is_to_gateway(class: &RouteClass) -> bool {
    matches!(
        class,
        RouteClass::Internet(InternetExit::InternetGateway(_) | InternetExit::CarrierGateway(_))
    )
}

/// Whether a route of the table leads to an internet gateway that is there.
pub fn leads_to_internet_gateway(table: &RouteTable) -> bool {
    let is_active = |route: &&Route| !is_blackhole(route);
    table.routes.iter().filter(is_active).any(is_to_internet_gateway)
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
        Some(Connectivity::Public) | None => true,
        Some(Connectivity::Private | Connectivity::Other(_)) => false,
    };
    let is_there = match &nat.state {
        Some(NatGatewayState::Pending | NatGatewayState::Available) | None => true,
        Some(
            NatGatewayState::Failed
            | NatGatewayState::Deleting
            | NatGatewayState::Deleted
            | NatGatewayState::Other(_),
        ) => false,
    };
    is_public && is_there && nat.subnet_id.as_ref() == Some(subnet)
}
