//! Where a route leads: the class every rule about routes rests on.

use std::fmt;

use ipnet::IpNet;

use crate::analysis::topology::{Topology, leads_to_internet_gateway};
use crate::ec2::cidr::covers_public;
use crate::ec2::id::{EndpointId, InstanceId, InterfaceId, NatGatewayId, PrefixListId, SubnetId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{
    AvailabilityMode, Connectivity, Destination, EndpointType, NatGateway, NetworkInterface, Route,
    RouteState,
};
use crate::shown::word;

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteClass {
    /// The route is the table's local one: it leads within the VPC.
    Local,
    /// To a gateway endpoint: written by its association, never judged or deleted as a route.
    Endpoint(EndpointId),
    /// To no public address, or through something that cannot pass one on.
    Inside(Inside),
    /// To the internet, through this exit.
    Internet(InternetExit),
    /// Perhaps to the internet: this table alone cannot tell.
    MayLeadOut(PossibleExit),
    /// To something this version does not know: alert, never delete.
    Unknown(Unknown),
}

/// Why a route does not lead out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside {
    /// The route's destination holds no public address.
    NoPublicAddress,
    /// A private NAT gateway: the internet gateway drops its traffic.
    PrivateNatGateway(NatGatewayId),
    /// VPC peering does not pass on the peer's gateways.
    Peering(String),
}

/// What a route leads to the internet through, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InternetExit {
    /// A public NAT gateway in a subnet.
    NatGateway(NatGatewayId),
    /// A public NAT gateway across the Region's zones.
    RegionalNatGateway(NatGatewayId),
    /// A NAT gateway that is gone: the route is a blackhole.
    GoneNatGateway(NatGatewayId),
    /// An internet gateway.
    InternetGateway(String),
    /// An egress-only internet gateway.
    EgressOnlyInternetGateway(String),
    /// A carrier gateway.
    CarrierGateway(String),
    /// An interface that forwards, in a subnet that reaches an internet gateway.
    NatInstance(InterfaceId, Option<InstanceId>),
}

/// What a route may lead to the internet through, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PossibleExit {
    /// A transit gateway: central egress is the usual hub.
    TransitGateway(String),
    /// A Cloud WAN core network.
    CoreNetwork(String),
    /// A virtual private gateway: egress on premises.
    VirtualPrivateGateway(String),
    /// A local gateway of an Outpost.
    LocalGateway(String),
    /// A Gateway Load Balancer endpoint: the appliances' VPC may have egress.
    GatewayLoadBalancerEndpoint(EndpointId),
    /// An interface that is no NAT instance today.
    Appliance(InterfaceId),
    /// A next hop of Route Server.
    NextHop(String),
    /// An Oracle Database@AWS network.
    OracleNetwork(String),
    /// A way out, by a prefix list whose entries were not read.
    UnreadPrefixList(PrefixListId),
}

/// What is not known of a route, so that it cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// The route's destination is in no field that this version knows, or is no address block.
    Destination,
    /// The route's target is of no known form.
    Target(String),
    /// The route has no target.
    NoTarget,
    /// The route's target is a NAT gateway that was not among those observed.
    UnseenNatGateway(NatGatewayId),
    /// The route's target is an interface or instance that was not among those observed.
    UnseenInterface(String),
}

/// Whether a destination holds public addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coverage {
    Public,
    NotPublic,
    Unread,
}

/// Judges a route of a table in this VPC.
pub fn classify(route: &Route, snapshot: &Snapshot<'_>, topology: &Topology<'_>) -> RouteClass {
    let gateway = route.gateway_id.as_deref().map(RouteTarget::of_gateway_id);
    match (&gateway, &route.destination_prefix_list_id) {
        (Some(RouteTarget::Local), _) => return RouteClass::Local,
        (Some(RouteTarget::VpcEndpoint(id)), Some(list)) if writes_routes(id, list, snapshot) => {
            return RouteClass::Endpoint(id.clone());
        }
        (Some(_) | None, _) => {}
    }
    let Some(destination) = route.destination() else {
        return RouteClass::Unknown(Unknown::Destination);
    };
    let target = route.target();
    let reached = coverage(&destination, snapshot, &topology.own);
    match (reached, destination) {
        (Some(Coverage::NotPublic), _) => RouteClass::Inside(Inside::NoPublicAddress),
        (Some(Coverage::Public), _) => leads_to(target, route, snapshot, topology),
        (Some(Coverage::Unread), destination) => {
            match (leads_to(target, route, snapshot, topology), destination) {
                (RouteClass::Internet(_), Destination::PrefixList(list)) => {
                    RouteClass::MayLeadOut(PossibleExit::UnreadPrefixList(list))
                }
                (leads, _) => leads,
            }
        }
        (None, _) => RouteClass::Unknown(Unknown::Destination),
    }
}

/// Whether AWS wrote the route of this prefix list to this endpoint: it writes those of gateway
/// endpoints, for its own lists. A customer's list may lead to a Gateway Load Balancer endpoint.
fn writes_routes(id: &EndpointId, list: &PrefixListId, snapshot: &Snapshot<'_>) -> bool {
    let is_awss = || {
        let list = snapshot.shared.prefix_lists.iter().find(|seen| seen.prefix_list_id == *list);
        list.is_none_or(|list| list.owner_id.as_deref().is_none_or(|owner| owner == "AWS"))
    };
    let endpoint = snapshot.endpoint(id);
    endpoint.map_or_else(is_awss, |endpoint| endpoint.kind() == EndpointType::Gateway)
}

/// Whether a route's packets are dropped because its target is gone.
pub fn is_blackhole(route: &Route) -> bool {
    route.state == Some(RouteState::Blackhole)
}

fn coverage(destination: &Destination, snapshot: &Snapshot<'_>, own: &[IpNet]) -> Option<Coverage> {
    let of =
        |net: IpNet| if covers_public(net, own) { Coverage::Public } else { Coverage::NotPublic };
    match destination {
        Destination::CidrBlock(cidr) | Destination::Ipv6CidrBlock(cidr) => cidr.net().map(of),
        Destination::PrefixList(id) => {
            let list = snapshot.shared.prefix_lists.iter().find(|list| list.prefix_list_id == *id);
            let Some(blocks) = list.and_then(|list| list.blocks()) else {
                return Some(Coverage::Unread);
            };
            let reaches: Option<Vec<Coverage>> =
                blocks.into_iter().map(|cidr| cidr.net().map(of)).collect();
            reaches.map(|all| {
                if all.contains(&Coverage::Public) { Coverage::Public } else { Coverage::NotPublic }
            })
        }
    }
}

/// Where the target leads a packet for a public address.
fn leads_to(
    target: Option<RouteTarget>,
    route: &Route,
    snapshot: &Snapshot<'_>,
    topology: &Topology<'_>,
) -> RouteClass {
    use RouteClass::{Inside as Within, Internet, MayLeadOut};
    match target {
        None => RouteClass::Unknown(Unknown::NoTarget),
        Some(target) => match target {
            RouteTarget::Local => RouteClass::Local,
            RouteTarget::NatGateway(id) => nat_gateway(id, route, snapshot),
            RouteTarget::NetworkInterface(_) | RouteTarget::Instance(_) => {
                interface(&target, route, snapshot, topology)
            }
            RouteTarget::InternetGateway(id) => Internet(InternetExit::InternetGateway(id)),
            RouteTarget::EgressOnlyInternetGateway(id) => {
                Internet(InternetExit::EgressOnlyInternetGateway(id))
            }
            RouteTarget::CarrierGateway(id) => Internet(InternetExit::CarrierGateway(id)),
            RouteTarget::VpcPeeringConnection(id) => Within(Inside::Peering(id)),
            RouteTarget::VirtualPrivateGateway(id) => {
                MayLeadOut(PossibleExit::VirtualPrivateGateway(id))
            }
            RouteTarget::TransitGateway(id) => MayLeadOut(PossibleExit::TransitGateway(id)),
            RouteTarget::CoreNetwork(arn) => MayLeadOut(PossibleExit::CoreNetwork(arn)),
            RouteTarget::LocalGateway(id) => MayLeadOut(PossibleExit::LocalGateway(id)),
            RouteTarget::OdbNetwork(arn) => MayLeadOut(PossibleExit::OracleNetwork(arn)),
            RouteTarget::NextHop(address) => MayLeadOut(PossibleExit::NextHop(address)),
            RouteTarget::VpcEndpoint(id) => {
                MayLeadOut(PossibleExit::GatewayLoadBalancerEndpoint(id))
            }
            RouteTarget::OtherGateway(id) => RouteClass::Unknown(Unknown::Target(id)),
        },
    }
}

fn nat_gateway(id: NatGatewayId, route: &Route, snapshot: &Snapshot<'_>) -> RouteClass {
    let seen = snapshot.nat_gateways.iter().find(|nat| nat.nat_gateway_id == id);
    match (seen, seen.and_then(|nat| nat.connectivity_type.as_ref())) {
        (Some(_), Some(Connectivity::Private)) => RouteClass::Inside(Inside::PrivateNatGateway(id)),
        (Some(_), Some(Connectivity::Other(word))) => {
            RouteClass::Unknown(Unknown::Target(word.clone()))
        }
        (Some(nat), Some(Connectivity::Public) | None) => public_nat(id, nat),
        // Ids are never given twice: a NAT gateway that is listed no more cannot come back, and
        // whether it was private no longer matters, because its route drops every packet.
        (None, _) if is_blackhole(route) => RouteClass::Internet(InternetExit::GoneNatGateway(id)),
        (None, _) => RouteClass::Unknown(Unknown::UnseenNatGateway(id)),
    }
}

fn public_nat(id: NatGatewayId, nat: &NatGateway) -> RouteClass {
    match &nat.availability_mode {
        Some(AvailabilityMode::Regional) => {
            RouteClass::Internet(InternetExit::RegionalNatGateway(id))
        }
        Some(AvailabilityMode::Zonal) | None => RouteClass::Internet(InternetExit::NatGateway(id)),
        Some(AvailabilityMode::Other(word)) => RouteClass::Unknown(Unknown::Target(word.clone())),
    }
}

/// An interface is a NAT instance when it forwards what is not addressed to it (its
/// source/destination check is off) and its own subnet reaches an internet gateway.
fn interface(
    target: &RouteTarget,
    route: &Route,
    snapshot: &Snapshot<'_>,
    topology: &Topology<'_>,
) -> RouteClass {
    let Some(seen) = snapshot.interfaces.iter().find(|i| is_target(i, route)) else {
        return RouteClass::Unknown(Unknown::UnseenInterface(target.to_string()));
    };
    let id = seen.network_interface_id.clone();
    let forwards = seen.source_dest_check == Some(false);
    if forwards
        && seen.subnet_id.as_ref().is_some_and(|subnet| reaches_internet_gateway(subnet, topology))
    {
        let instance = route
            .instance_id
            .as_ref()
            .or(seen.attachment.as_ref().and_then(|a| a.instance_id.as_ref()));
        return RouteClass::Internet(InternetExit::NatInstance(id, instance.cloned()));
    }
    RouteClass::MayLeadOut(PossibleExit::Appliance(id))
}

fn is_target(interface: &NetworkInterface, route: &Route) -> bool {
    match (&route.network_interface_id, &route.instance_id) {
        (Some(id), _) => interface.network_interface_id == *id,
        (None, Some(id)) => {
            interface.attachment.as_ref().is_some_and(|a| a.instance_id.as_ref() == Some(id))
        }
        (None, None) => false,
    }
}

fn reaches_internet_gateway(subnet: &SubnetId, topology: &Topology<'_>) -> bool {
    topology.table_of(subnet).is_some_and(leads_to_internet_gateway)
}

impl RouteClass {
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

impl fmt::Display for RouteClass {
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

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPublicAddress => f.write_str("no public address in the destination"),
            Self::PrivateNatGateway(id) => {
                write!(f, "private NAT gateway {id}, whose traffic cannot leave")
            }
            Self::Peering(id) => {
                write!(f, "peering connection {}, which passes on no internet traffic", word(id))
            }
        }
    }
}

impl fmt::Display for InternetExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NatGateway(id) => write!(f, "public NAT gateway {id}"),
            Self::RegionalNatGateway(id) => write!(f, "regional NAT gateway {id}"),
            Self::GoneNatGateway(id) => write!(f, "NAT gateway {id}, which is gone"),
            Self::InternetGateway(id) => write!(f, "internet gateway {id}"),
            Self::EgressOnlyInternetGateway(id) => {
                write!(f, "egress-only internet gateway {}", word(id))
            }
            Self::CarrierGateway(id) => write!(f, "carrier gateway {}", word(id)),
            Self::NatInstance(id, Some(instance)) => write!(f, "NAT instance {instance} ({id})"),
            Self::NatInstance(id, None) => write!(f, "NAT instance interface {id}"),
        }
    }
}

impl fmt::Display for PossibleExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TransitGateway(id) => write!(f, "transit gateway {}", word(id)),
            Self::CoreNetwork(arn) => write!(f, "Cloud WAN core network {}", word(arn)),
            Self::VirtualPrivateGateway(id) => write!(f, "virtual private gateway {}", word(id)),
            Self::LocalGateway(id) => write!(f, "local gateway {}", word(id)),
            Self::GatewayLoadBalancerEndpoint(id) => {
                write!(f, "Gateway Load Balancer endpoint {id}")
            }
            Self::Appliance(id) => write!(f, "interface {id}, which may be an appliance"),
            Self::NextHop(address) => write!(f, "Route Server next hop {}", word(address)),
            Self::OracleNetwork(arn) => write!(f, "Oracle Database@AWS network {}", word(arn)),
            Self::UnreadPrefixList(id) => {
                write!(f, "prefix list {id}, whose entries were not read")
            }
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination => f.write_str("a destination of no known form"),
            Self::Target(text) => write!(f, "a target of no known kind: {}", word(text)),
            Self::NoTarget => f.write_str("no known target"),
            Self::UnseenNatGateway(id) => {
                write!(f, "NAT gateway {id}, which was not among those observed")
            }
            Self::UnseenInterface(id) => {
                write!(f, "{id}, which was not among the interfaces observed")
            }
        }
    }
}

#[cfg(test)]
mod tests;
