//! Where a route leads: the class every rule about routes rests on.

use std::fmt;

use ipnet::IpNet;

use crate::analysis::topology::Topology;
use crate::ec2::cidr::covers_public;
use crate::ec2::id::{InstanceId, InterfaceId, NatGatewayId, PrefixListId, SubnetId};
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{AvailabilityMode, Connectivity, Destination, NatGateway, NetworkInterface, Route, RouteState};

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteClass<'w> {
    /// The route is the table's local one: it leads within the VPC.
    Local,
    /// To a gateway endpoint: written by its association, never judged or deleted as a route.
    Endpoint(&'w str),
    /// To no public address, or through something that cannot pass one on.
    Inside(Inside<'w>),
    /// To the internet, through this exit.
    Internet(InternetExit<'w>),
    /// Perhaps to the internet: this table alone cannot tell.
    MayLeadOut(PossibleExit<'w>),
    /// To something this version does not know: alert, never delete.
    Unknown(Unknown<'w>),
}

/// Why a route does not lead out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside<'w> {
    /// The route's destination holds no public address.
    NoPublicAddress,
    /// A private NAT gateway: the internet gateway drops its traffic.
    PrivateNatGateway(&'w NatGatewayId),
    /// VPC peering does not pass on the peer's gateways.
    Peering(&'w str),
}

/// What a route leads to the internet through, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InternetExit<'w> {
    /// A public NAT gateway in a subnet.
    NatGateway(&'w NatGatewayId),
    /// A public NAT gateway across the Region's zones.
    RegionalNatGateway(&'w NatGatewayId),
    /// A NAT gateway that is gone: the route is a blackhole.
    GoneNatGateway(&'w NatGatewayId),
    /// An internet gateway.
    InternetGateway(&'w str),
    /// An egress-only internet gateway.
    EgressOnlyInternetGateway(&'w str),
    /// A carrier gateway.
    CarrierGateway(&'w str),
    /// An interface that forwards, in a subnet that reaches an internet gateway.
    NatInstance(&'w InterfaceId, Option<&'w InstanceId>),
}

/// What a route may lead to the internet through, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PossibleExit<'w> {
    /// A transit gateway: central egress is the usual hub.
    TransitGateway(&'w str),
    /// A Cloud WAN core network.
    CoreNetwork(&'w str),
    /// A virtual private gateway: egress on premises.
    VirtualPrivateGateway(&'w str),
    /// A local gateway of an Outpost.
    LocalGateway(&'w str),
    /// A Gateway Load Balancer endpoint: the appliances' VPC may have egress.
    GatewayLoadBalancerEndpoint(&'w str),
    /// An interface that is no NAT instance today.
    Appliance(&'w InterfaceId),
    /// A next hop of Route Server.
    NextHop(&'w str),
    /// An Oracle Database@AWS network.
    OracleNetwork(&'w str),
    /// A way out, by a prefix list whose entries were not read.
    UnreadPrefixList(&'w PrefixListId),
}

/// What is not known of a route, so that it cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown<'w> {
    /// The route's destination is in no field that this version knows, or is no address block.
    Destination,
    /// The route's target is of no known form.
    Target(&'w str),
    /// The route has no target.
    NoTarget,
    /// The route's target is a NAT gateway that was not among those observed.
    UnseenNatGateway(&'w NatGatewayId),
    /// The route's target is an interface or instance that was not among those observed.
    UnseenInterface(&'w str),
}

/// Whether a destination holds public addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coverage {
    Public,
    NotPublic,
    Unread,
}

/// Judges a route of a table in this VPC.
pub fn classify<'w>(route: &'w Route, snapshot: &Snapshot<'w>, topology: &Topology<'w>) -> RouteClass<'w> {
    if route.gateway_id.as_deref() == Some("local") {
        return RouteClass::Local;
    }
    if let (Some(_), Some(gateway)) = (&route.destination_prefix_list_id, route.gateway_id.as_deref())
        && gateway.starts_with("vpce-")
    {
        return RouteClass::Endpoint(gateway);
    }
    let Some(destination) = route.destination() else { return RouteClass::Unknown(Unknown::Destination) };
    let leads = target(route, snapshot, topology);
    match coverage(&destination, snapshot, &topology.own) {
        Some(Coverage::Public) => leads,
        Some(Coverage::NotPublic) => RouteClass::Inside(Inside::NoPublicAddress),
        Some(Coverage::Unread) => match (leads, &route.destination_prefix_list_id) {
            (RouteClass::Internet(_), Some(list)) => RouteClass::MayLeadOut(PossibleExit::UnreadPrefixList(list)),
            (leads, _) => leads,
        },
        None => RouteClass::Unknown(Unknown::Destination),
    }
}

/// Whether a route's packets are dropped because its target is gone.
pub fn is_blackhole(route: &Route) -> bool {
    route.state == Some(RouteState::Blackhole)
}

fn coverage(destination: &Destination, snapshot: &Snapshot<'_>, own: &[IpNet]) -> Option<Coverage> {
    let of = |net: IpNet| if covers_public(net, own) { Coverage::Public } else { Coverage::NotPublic };
    match destination {
        Destination::CidrBlock(cidr) | Destination::Ipv6CidrBlock(cidr) => cidr.net().map(of),
        Destination::PrefixList(id) => {
            let list = snapshot.shared.prefix_lists.iter().find(|list| list.prefix_list_id == *id);
            let Some(blocks) = list.and_then(|list| list.blocks()) else { return Some(Coverage::Unread) };
            let reaches: Option<Vec<Coverage>> = blocks.into_iter().map(|cidr| cidr.net().map(of)).collect();
            reaches.map(|all| if all.contains(&Coverage::Public) { Coverage::Public } else { Coverage::NotPublic })
        }
    }
}

/// Where the target leads a packet for a public address.
fn target<'w>(route: &'w Route, snapshot: &Snapshot<'w>, topology: &Topology<'w>) -> RouteClass<'w> {
    if let Some(id) = &route.nat_gateway_id {
        return nat_gateway(id, route, snapshot);
    }
    if route.network_interface_id.is_some() || route.instance_id.is_some() {
        return interface(route, snapshot, topology);
    }
    if let Some(id) = route.egress_only_internet_gateway_id.as_deref() {
        return RouteClass::Internet(InternetExit::EgressOnlyInternetGateway(id));
    }
    if let Some(id) = route.carrier_gateway_id.as_deref() {
        return RouteClass::Internet(InternetExit::CarrierGateway(id));
    }
    if let Some(id) = route.vpc_peering_connection_id.as_deref() {
        return RouteClass::Inside(Inside::Peering(id));
    }
    if let Some(id) = route.gateway_id.as_deref() {
        return gateway(id);
    }
    maybe(route).map_or(RouteClass::Unknown(Unknown::NoTarget), RouteClass::MayLeadOut)
}

fn maybe(route: &Route) -> Option<PossibleExit<'_>> {
    let transit = route.transit_gateway_id.as_deref().map(PossibleExit::TransitGateway);
    let core = || route.core_network_arn.as_deref().map(PossibleExit::CoreNetwork);
    let local = || route.local_gateway_id.as_deref().map(PossibleExit::LocalGateway);
    let oracle = || route.odb_network_arn.as_deref().map(PossibleExit::OracleNetwork);
    let hop = || route.ip_address.as_deref().map(PossibleExit::NextHop);
    transit.or_else(core).or_else(local).or_else(oracle).or_else(hop)
}

/// `GatewayId` holds gateways of many kinds; what is none of them is unknown.
fn gateway(id: &str) -> RouteClass<'_> {
    match id.split_once('-').map(|(kind, _)| kind) {
        Some("igw") => RouteClass::Internet(InternetExit::InternetGateway(id)),
        Some("eigw") => RouteClass::Internet(InternetExit::EgressOnlyInternetGateway(id)),
        Some("cagw") => RouteClass::Internet(InternetExit::CarrierGateway(id)),
        Some("vgw") => RouteClass::MayLeadOut(PossibleExit::VirtualPrivateGateway(id)),
        Some("lgw") => RouteClass::MayLeadOut(PossibleExit::LocalGateway(id)),
        Some("tgw") => RouteClass::MayLeadOut(PossibleExit::TransitGateway(id)),
        Some("vpce") => RouteClass::MayLeadOut(PossibleExit::GatewayLoadBalancerEndpoint(id)),
        Some(_) | None => RouteClass::Unknown(Unknown::Target(id)),
    }
}

fn nat_gateway<'w>(id: &'w NatGatewayId, route: &Route, snapshot: &Snapshot<'w>) -> RouteClass<'w> {
    let seen = snapshot.nat_gateways.iter().find(|nat| nat.nat_gateway_id == *id);
    match (seen, seen.and_then(|nat| nat.connectivity_type.as_ref())) {
        (Some(_), Some(Connectivity::Private)) => RouteClass::Inside(Inside::PrivateNatGateway(id)),
        (Some(_), Some(Connectivity::Other(word))) => RouteClass::Unknown(Unknown::Target(word)),
        (Some(nat), Some(Connectivity::Public) | None) => public_nat(id, nat),
        // Ids are never given twice: a NAT gateway that is listed no more cannot come back, and whether it was private
        // no longer matters, because its route drops every packet.
        (None, _) if is_blackhole(route) => RouteClass::Internet(InternetExit::GoneNatGateway(id)),
        (None, _) => RouteClass::Unknown(Unknown::UnseenNatGateway(id)),
    }
}

fn public_nat<'w>(id: &'w NatGatewayId, nat: &'w NatGateway) -> RouteClass<'w> {
    match &nat.availability_mode {
        Some(AvailabilityMode::Regional) => RouteClass::Internet(InternetExit::RegionalNatGateway(id)),
        Some(AvailabilityMode::Zonal) | None => RouteClass::Internet(InternetExit::NatGateway(id)),
        Some(AvailabilityMode::Other(word)) => RouteClass::Unknown(Unknown::Target(word)),
    }
}

/// An interface is a NAT instance when it forwards what is not addressed to it (its source/destination check is off) and
/// its own subnet reaches an internet gateway.
fn interface<'w>(route: &'w Route, snapshot: &Snapshot<'w>, topology: &Topology<'w>) -> RouteClass<'w> {
    let Some(seen) = snapshot.interfaces.iter().find(|i| is_target(i, route)) else {
        return RouteClass::Unknown(Unknown::UnseenInterface(route.target().unwrap_or_default()));
    };
    let id = &seen.network_interface_id;
    let forwards = seen.source_dest_check == Some(false);
    if forwards && seen.subnet_id.as_ref().is_some_and(|subnet| reaches_internet_gateway(subnet, topology)) {
        let instance = route.instance_id.as_ref().or(seen.attachment.as_ref().and_then(|a| a.instance_id.as_ref()));
        return RouteClass::Internet(InternetExit::NatInstance(id, instance));
    }
    RouteClass::MayLeadOut(PossibleExit::Appliance(id))
}

fn is_target(interface: &NetworkInterface, route: &Route) -> bool {
    match (&route.network_interface_id, &route.instance_id) {
        (Some(id), _) => interface.network_interface_id == *id,
        (None, Some(id)) => interface.attachment.as_ref().is_some_and(|a| a.instance_id.as_ref() == Some(id)),
        (None, None) => false,
    }
}

fn reaches_internet_gateway(subnet: &SubnetId, topology: &Topology<'_>) -> bool {
    let routes = topology.table_of(subnet).map(|table| table.routes.as_slice()).unwrap_or_default();
    routes
        .iter()
        .any(|route| route.gateway_id.as_deref().is_some_and(|id| id.starts_with("igw-")) && !is_blackhole(route))
}

impl RouteClass<'_> {
    /// The class in one or two words, as `explain` prints it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Endpoint(_) => "endpoint",
            Self::Inside(_) => "inside",
            Self::Internet(_) => "internet",
            Self::MayLeadOut(_) => "may lead out",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl fmt::Display for RouteClass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("within the VPC"),
            Self::Endpoint(id) => write!(f, "gateway endpoint {id}"),
            Self::Inside(why) => why.fmt(f),
            Self::Internet(exit) => exit.fmt(f),
            Self::MayLeadOut(maybe) => maybe.fmt(f),
            Self::Unknown(what) => what.fmt(f),
        }
    }
}

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPublicAddress => f.write_str("no public address in the destination"),
            Self::PrivateNatGateway(id) => write!(f, "private NAT gateway {id}, whose traffic cannot leave"),
            Self::Peering(id) => write!(f, "peering connection {id}, which passes on no internet traffic"),
        }
    }
}

impl fmt::Display for InternetExit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NatGateway(id) => write!(f, "public NAT gateway {id}"),
            Self::RegionalNatGateway(id) => write!(f, "regional NAT gateway {id}"),
            Self::GoneNatGateway(id) => write!(f, "NAT gateway {id}, which is gone"),
            Self::InternetGateway(id) => write!(f, "internet gateway {id}"),
            Self::EgressOnlyInternetGateway(id) => write!(f, "egress-only internet gateway {id}"),
            Self::CarrierGateway(id) => write!(f, "carrier gateway {id}"),
            Self::NatInstance(id, Some(instance)) => write!(f, "NAT instance {instance} ({id})"),
            Self::NatInstance(id, None) => write!(f, "NAT instance interface {id}"),
        }
    }
}

impl fmt::Display for PossibleExit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TransitGateway(id) => write!(f, "transit gateway {id}"),
            Self::CoreNetwork(arn) => write!(f, "Cloud WAN core network {arn}"),
            Self::VirtualPrivateGateway(id) => write!(f, "virtual private gateway {id}"),
            Self::LocalGateway(id) => write!(f, "local gateway {id}"),
            Self::GatewayLoadBalancerEndpoint(id) => write!(f, "Gateway Load Balancer endpoint {id}"),
            Self::Appliance(id) => write!(f, "interface {id}, which may be an appliance"),
            Self::NextHop(address) => write!(f, "Route Server next hop {address}"),
            Self::OracleNetwork(arn) => write!(f, "Oracle Database@AWS network {arn}"),
            Self::UnreadPrefixList(id) => write!(f, "prefix list {id}, whose entries were not read"),
        }
    }
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination => f.write_str("a destination of no known form"),
            Self::Target(text) => write!(f, "a target of no known kind: {text}"),
            Self::NoTarget => f.write_str("no known target"),
            Self::UnseenNatGateway(id) => write!(f, "NAT gateway {id}, which was not among those observed"),
            Self::UnseenInterface(id) => write!(f, "{id}, which was not among the interfaces observed"),
        }
    }
}

#[cfg(test)]
mod tests;
