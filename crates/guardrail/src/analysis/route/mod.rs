//! Where a route leads: the class every rule about routes rests on.

mod detour;
mod part;
mod passers;

use std::fmt;

use ipnet::IpNet;

pub use crate::analysis::route::detour::{Detour, Doubt, Hop, takes_public_addresses};
use crate::analysis::route::part::Part;
pub use crate::analysis::route::passers::passers;
use crate::analysis::topology::Topology;
use crate::baseline::{AllowedDestinations, Baseline, MayLeadOut};
use crate::ec2::cidr::covers_public;
use crate::ec2::id::{EndpointId, InstanceId, InterfaceId, NatGatewayId, PrefixListId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{
    Attachment, AvailabilityMode, Connectivity, Destination, EndpointType, NatGateway,
    NatGatewayState, NetworkInterface, Route, RouteState, RouteTable,
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
    /// A private NAT gateway whose subnet's table leads no further than to an internet gateway, which
    /// drops its traffic.
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
    /// A way out behind something that passes traffic on.
    Detour(Box<Detour>),
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
    /// Peering, behind something that passes traffic on: the peer's things may pass it on.
    Peering(String),
    /// A carrier gateway behind a private NAT gateway.
    CarrierGateway(String),
    /// A target that is gone at present, so that packets are dropped.
    Blackhole(String),
    /// One of these, behind something that passes traffic on.
    Detour(Vec<Hop>, Box<PossibleExit>),
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
    /// The route's target is a NAT gateway whose state AWS does not say, or in a word that this version
    /// does not know.
    NatGatewayState(NatGatewayId, Option<String>),
    /// The route's target is an interface of which nobody can tell whether it passes traffic on.
    Interface(InterfaceId, Unverified),
    /// The subnet of what passes traffic on, or the table that it uses, was not among those observed.
    UnseenSubnet(Hop),
    /// A route behind something that passes traffic on, by a prefix list whose entries were not read.
    UnreadPrefixList(PrefixListId),
    /// More hops, one behind the other, than are followed.
    TooManyHops,
    /// One of these, behind something that passes traffic on.
    Detour(Vec<Hop>, Box<Unknown>),
}

/// Why nobody can tell whether an interface passes traffic on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unverified {
    /// The interface's type is not said, or none that instances have.
    Type(Option<String>),
    /// The interface is attached to nothing at present.
    Detached,
    /// Whether its source/destination check is on is not said.
    SourceDestCheck,
}

/// The addresses that a destination stands for.
enum Blocks {
    Read(Vec<IpNet>),
    Unread(PrefixListId),
    OfNoKnownForm,
}

/// What of the baseline allows the route by its destination, whatever it leads to it through; `None`
/// where nothing does, or where it is not known what the destination holds.
pub fn allowed<'b>(
    route: &Route,
    snapshot: &Snapshot<'_>,
    baseline: &'b Baseline,
) -> Option<&'b AllowedDestinations> {
    let blocks = read_blocks(route, snapshot)?;
    baseline.internet_routes.allowed.iter().find(|it| it.hold(&blocks))
}

/// Judges a route of this table in this VPC.
pub fn classify(
    route: &Route,
    table: &RouteTable,
    snapshot: &Snapshot<'_>,
    topology: &Topology<'_>,
) -> RouteClass {
    if matches!(route.gateway_id.as_deref(), Some("local")) {
        return RouteClass::Local;
    }
    if let Some(id) = gateway_endpoint_of(route, snapshot) {
        return RouteClass::Endpoint(id);
    }
    match route.destination().map_or(Blocks::OfNoKnownForm, |to| blocks_of(&to, snapshot)) {
        Blocks::OfNoKnownForm => RouteClass::Unknown(Unknown::Destination),
        Blocks::Read(nets) if !nets.iter().any(|net| covers_public(*net, &topology.own)) => {
            RouteClass::Inside(Inside::NoPublicAddress)
        }
        Blocks::Read(nets) => leads_to(&nets, route, table, snapshot, topology),
        Blocks::Unread(list) => {
            match leads_to(&part::EVERYWHERE, route, table, snapshot, topology) {
                RouteClass::Internet(_) => {
                    RouteClass::MayLeadOut(PossibleExit::UnreadPrefixList(list))
                }
                leads @ (RouteClass::Local
                | RouteClass::Endpoint(_)
                | RouteClass::Inside(_)
                | RouteClass::MayLeadOut(_)
                | RouteClass::Unknown(_)) => leads,
            }
        }
    }
}

/// The gateway endpoint whose association wrote the route, if one did.
fn gateway_endpoint_of(route: &Route, snapshot: &Snapshot<'_>) -> Option<EndpointId> {
    let list = route.destination_prefix_list_id.as_ref()?;
    let RouteTarget::VpcEndpoint(id) = RouteTarget::of_gateway_id(route.gateway_id.as_deref()?)
    else {
        return None;
    };
    writes_routes(&id, list, snapshot).then_some(id)
}

/// Whether AWS wrote the route of this prefix list to this endpoint: it writes those of gateway
/// endpoints, for its own lists. A customer's list may lead to a Gateway Load Balancer endpoint.
fn writes_routes(id: &EndpointId, list: &PrefixListId, snapshot: &Snapshot<'_>) -> bool {
    let is_awss = || {
        let list = snapshot.shared.prefix_lists.iter().find(|seen| seen.prefix_list_id == *list);
        list.is_none_or(|list| list.is_awss() == Some(true))
    };
    let endpoint = snapshot.endpoint(id);
    endpoint.map_or_else(is_awss, |endpoint| endpoint.kind() == EndpointType::Gateway)
}

/// Whether a route's packets are dropped because its target is gone.
pub fn is_blackhole(route: &Route) -> bool {
    route.state == Some(RouteState::Blackhole)
}

/// The blocks of the route's destination; `None` where they were not read, or are of no known form.
pub fn read_blocks(route: &Route, snapshot: &Snapshot<'_>) -> Option<Vec<IpNet>> {
    match blocks_of(&route.destination()?, snapshot) {
        Blocks::Read(blocks) => Some(blocks),
        Blocks::Unread(_) | Blocks::OfNoKnownForm => None,
    }
}

fn blocks_of(destination: &Destination, snapshot: &Snapshot<'_>) -> Blocks {
    let nets = match destination {
        Destination::CidrBlock(cidr) | Destination::Ipv6CidrBlock(cidr) => {
            cidr.net().map(|net| vec![net])
        }
        Destination::PrefixList(id) => {
            let list = snapshot.shared.prefix_lists.iter().find(|list| list.prefix_list_id == *id);
            let Some(blocks) = list.and_then(|list| list.blocks()) else {
                return Blocks::Unread(id.clone());
            };
            blocks.into_iter().map(|cidr| cidr.net()).collect()
        }
    };
    nets.map_or(Blocks::OfNoKnownForm, Blocks::Read)
}

/// Where the target leads packets for these addresses, of which some are public.
fn leads_to(
    nets: &[IpNet],
    route: &Route,
    table: &RouteTable,
    snapshot: &Snapshot<'_>,
    topology: &Topology<'_>,
) -> RouteClass {
    target_class(route, snapshot)
        .unwrap_or_else(|hop| detour::follow(hop, nets, table, snapshot, topology))
}

/// Where the target of a route leads packets for public addresses; what only passes them on, where it
/// does no more.
fn target_class(route: &Route, snapshot: &Snapshot<'_>) -> Result<RouteClass, Hop> {
    use RouteClass::{Inside as Within, Internet, MayLeadOut};
    let Some(target) = route.target() else { return Ok(RouteClass::Unknown(Unknown::NoTarget)) };
    Ok(match target {
        RouteTarget::Local => RouteClass::Local,
        RouteTarget::NatGateway(id) => nat_gateway(id, route, snapshot)?,
        RouteTarget::NetworkInterface(_) | RouteTarget::Instance(_) => {
            match snapshot.interfaces.iter().find(|interface| is_target(interface, route)) {
                None => RouteClass::Unknown(Unknown::UnseenInterface(target.to_string())),
                Some(eni) => {
                    let id = eni.network_interface_id.clone();
                    match forwards(eni, is_blackhole(route)) {
                        Ok(true) => return Err(Hop::Interface(id)),
                        Ok(false) => MayLeadOut(PossibleExit::Appliance(id)),
                        Err(why) => RouteClass::Unknown(Unknown::Interface(id, why)),
                    }
                }
            }
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
        RouteTarget::VpcEndpoint(id) => MayLeadOut(PossibleExit::GatewayLoadBalancerEndpoint(id)),
        RouteTarget::OtherGateway(id) => RouteClass::Unknown(Unknown::Target(id)),
    })
}

/// Where a NAT gateway leads; a private one leads where its subnet's table does.
fn nat_gateway(
    id: NatGatewayId,
    route: &Route,
    snapshot: &Snapshot<'_>,
) -> Result<RouteClass, Hop> {
    let seen = snapshot.nat_gateways.iter().find(|nat| nat.nat_gateway_id == id);
    match (seen, seen.and_then(|nat| nat.connectivity_type.as_ref())) {
        (Some(_), Some(Connectivity::Private)) => Err(Hop::PrivateNat(id)),
        (Some(_), Some(Connectivity::Other(word))) => {
            Ok(RouteClass::Unknown(Unknown::Target(word.clone())))
        }
        (Some(nat), Some(Connectivity::Public) | None) => Ok(public_nat(id, nat)),
        // Ids are never given twice: a NAT gateway that is listed no more cannot come back, and
        // whether it was private no longer matters, because its route drops every packet.
        (None, _) if is_blackhole(route) => {
            Ok(RouteClass::Internet(InternetExit::GoneNatGateway(id)))
        }
        (None, _) => Ok(RouteClass::Unknown(Unknown::UnseenNatGateway(id))),
    }
}

fn public_nat(id: NatGatewayId, nat: &NatGateway) -> RouteClass {
    let unknown = match &nat.state {
        Some(
            NatGatewayState::Pending
            | NatGatewayState::Failed
            | NatGatewayState::Available
            | NatGatewayState::Deleting
            | NatGatewayState::Deleted,
        ) => None,
        Some(NatGatewayState::Other(word)) => Some(Some(word.clone())),
        None => Some(None),
    };
    if let Some(state) = unknown {
        return RouteClass::Unknown(Unknown::NatGatewayState(id, state));
    }
    match &nat.availability_mode {
        Some(AvailabilityMode::Regional) => {
            RouteClass::Internet(InternetExit::RegionalNatGateway(id))
        }
        Some(AvailabilityMode::Zonal) | None => RouteClass::Internet(InternetExit::NatGateway(id)),
        Some(AvailabilityMode::Other(word)) => RouteClass::Unknown(Unknown::Target(word.clone())),
    }
}

/// Whether the interface passes on what is not addressed to it: it is one of an instance, and its
/// source/destination check is off
/// (docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html).
///
/// Where its route is a blackhole, as AWS says of one to an interface that is attached to nothing, it
/// is judged by what it does once it is attached again.
fn forwards(interface: &NetworkInterface, is_blackhole: bool) -> Result<bool, Unverified> {
    // What AWS calls an elastic network interface, and those with a fabric or of a trunk
    // (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html).
    const OF_INSTANCES: [&str; 5] = ["interface", "efa", "efa-only", "trunk", "branch"];
    let kind = interface.interface_type.as_deref();
    if !kind.is_some_and(|kind| OF_INSTANCES.contains(&kind)) {
        return Err(Unverified::Type(kind.map(str::to_owned)));
    }
    let is_attached = |attachment: &Attachment| {
        attachment.status.as_deref().is_none_or(|status| status == "attached")
    };
    if !is_blackhole && !interface.attachment.as_ref().is_some_and(is_attached) {
        return Err(Unverified::Detached);
    }
    interface.source_dest_check.map(|check| !check).ok_or(Unverified::SourceDestCheck)
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

impl RouteClass {
    /// Whether the route leads out, or may, and what may is not accepted; of what is not known nobody
    /// can accept anything.
    pub fn is_way_out(&self, may_lead_out: MayLeadOut) -> bool {
        match self {
            Self::Local | Self::Endpoint(_) | Self::Inside(_) => false,
            Self::Internet(_)
            | Self::MayLeadOut(PossibleExit::UnreadPrefixList(_))
            | Self::Unknown(_) => true,
            Self::MayLeadOut(_) => may_lead_out != MayLeadOut::Accept,
        }
    }

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
            Self::Detour(detour) => detour.fmt(f),
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
            Self::Peering(id) => write!(f, "peering connection {id}"),
            Self::CarrierGateway(id) => write!(f, "carrier gateway {id}"),
            Self::Blackhole(target) => write!(f, "{target}, a blackhole at present"),
            Self::Detour(through, exit) => detour::chain(f, through, exit),
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
            Self::NatGatewayState(id, Some(state)) => {
                write!(f, "NAT gateway {id}, in a state of no known kind: {}", word(state))
            }
            Self::NatGatewayState(id, None) => {
                write!(f, "NAT gateway {id}, whose state is not said")
            }
            Self::Interface(id, why) => write!(f, "interface {id}, {why}"),
            Self::UnseenSubnet(hop) => write!(f, "{hop}, whose subnet's table was not observed"),
            Self::UnreadPrefixList(id) => {
                write!(f, "a way by prefix list {id}, whose entries were not read")
            }
            Self::TooManyHops => f.write_str("more hops than are followed"),
            Self::Detour(through, what) => detour::chain(f, through, what),
        }
    }
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(Some(kind)) => {
                write!(f, "of the type {}, which may pass traffic on or not", word(kind))
            }
            Self::Type(None) => f.write_str("whose type is not said"),
            Self::Detached => f.write_str("which is attached to nothing at present"),
            Self::SourceDestCheck => f.write_str("whose source/destination check is not said"),
        }
    }
}

#[cfg(test)]
mod tests;
