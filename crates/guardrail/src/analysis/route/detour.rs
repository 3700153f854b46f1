//! Where traffic goes on behind what only passes it on: a private NAT gateway, a NAT instance, an
//! appliance. Each leads where the table of its own subnet does, for each destination by longest
//! prefix; an interface only with its source/destination check off
//! (docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html).

use std::fmt;

use ipnet::IpNet;

use super::{
    Blocks, Inside, InternetExit, Part, PossibleExit, RouteClass, Unknown, blocks_of,
    gateway_endpoint_of, is_blackhole, target_class,
};
use crate::analysis::route::part::Way;
use crate::analysis::topology::Topology;
use crate::ec2::id::{InterfaceId, NatGatewayId, SubnetId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{NetworkInterface, Route, RouteState, RouteTable};

/// How many hops are looked at for one route, whichever way they lie behind each other.
const HOPS: usize = 64;

/// Something that passes traffic on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hop {
    /// A private NAT gateway.
    PrivateNat(NatGatewayId),
    /// An interface whose source/destination check is off.
    Interface(InterfaceId),
    /// Another interface of the instance that the interface before it is attached to.
    SameInstance(InterfaceId),
    /// The translation of NAT64's addresses to IPv4 by the instance that the interface before it is
    /// attached to.
    Nat64(InterfaceId),
}

impl Hop {
    /// Whether it is a private NAT gateway.
    pub fn is_private_nat(&self) -> bool {
        match self {
            Self::PrivateNat(_) => true,
            Self::Interface(_) | Self::SameInstance(_) | Self::Nat64(_) => false,
        }
    }
}

/// A way to the internet through what passes traffic on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detour {
    /// What the traffic passes, in order; never empty.
    pub through: Vec<Hop>,
    /// What the traffic leaves through.
    pub exit: InternetExit,
    /// Why the route is told of and never deleted, if there is a reason.
    pub doubt: Option<Doubt>,
}

/// Why a detour that leads out may not be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Part of what the route carries goes on there, and would be cut.
    CarriesMore(String),
    /// Nobody can tell from outside, or by what AWS documents, that the first passes traffic on to
    /// the second.
    Unproven(String, String),
}

/// Where a route leads that hands these addresses to this hop.
pub(super) fn follow(
    hop: Hop,
    nets: &[IpNet],
    table: &RouteTable,
    snapshot: &Snapshot<'_>,
    topology: &Topology<'_>,
) -> RouteClass {
    let mut walk = Walk {
        snapshot,
        topology,
        kept: kept_without(nets, table, snapshot),
        path: Vec::new(),
        hops: 0,
        found: Found::default(),
    };
    let parts = nets.iter().map(|net| Part::new(*net, &topology.own)).collect();
    walk.pass(hop.clone(), parts);
    let inside = match hop {
        Hop::PrivateNat(id) => RouteClass::Inside(Inside::PrivateNatGateway(id)),
        Hop::Interface(id) | Hop::SameInstance(id) | Hop::Nat64(id) => {
            RouteClass::MayLeadOut(PossibleExit::Appliance(id))
        }
    };
    walk.found.class(snapshot).unwrap_or(inside)
}

/// The blocks that the table's other routes keep for themselves, by longer prefixes, whether this
/// one is there or not.
fn kept_without(nets: &[IpNet], table: &RouteTable, snapshot: &Snapshot<'_>) -> Vec<IpNet> {
    let stays = |route: &&Route| {
        let by_target = match route.target() {
            Some(
                RouteTarget::Local
                | RouteTarget::VirtualPrivateGateway(_)
                | RouteTarget::TransitGateway(_)
                | RouteTarget::VpcPeeringConnection(_)
                | RouteTarget::LocalGateway(_)
                | RouteTarget::CoreNetwork(_)
                | RouteTarget::OdbNetwork(_),
            ) => true,
            Some(
                RouteTarget::VpcEndpoint(_)
                | RouteTarget::NatGateway(_)
                | RouteTarget::NetworkInterface(_)
                | RouteTarget::Instance(_)
                | RouteTarget::InternetGateway(_)
                | RouteTarget::EgressOnlyInternetGateway(_)
                | RouteTarget::CarrierGateway(_)
                | RouteTarget::NextHop(_)
                | RouteTarget::OtherGateway(_),
            )
            | None => false,
        };
        by_target && !is_blackhole(route)
    };
    let ways = ways(table, snapshot).0.into_iter().filter(|way| stays(&way.route));
    let blocks = ways.map(|way| way.block);
    blocks.filter(|block| !nets.iter().any(|net| block.contains(net))).collect()
}

/// Whether some public address takes this route of the table, as far as is known; other routes take
/// it away only while their targets are there.
pub fn takes_public_addresses(
    route: &Route,
    table: &RouteTable,
    snapshot: &Snapshot<'_>,
    own: &[IpNet],
) -> bool {
    let (mut ways, unread) = ways(table, snapshot);
    ways.retain(|way| std::ptr::eq(way.route, route) || !is_blackhole(way.route));
    let mut its = ways.iter().filter(|way| std::ptr::eq(way.route, route));
    unread.iter().any(|(other, _)| std::ptr::eq(*other, route))
        || its.any(|way| {
            let going = Part::new(way.block, own).going(way, &ways);
            going.is_some_and(|part| part.is_public(own))
        })
}

/// The table's routes, block by block; and those of which nobody can tell what they carry.
fn ways<'t>(
    table: &'t RouteTable,
    snapshot: &Snapshot<'_>,
) -> (Vec<Way<'t>>, Vec<(&'t Route, Unknown)>) {
    let (mut ways, mut unread) = (Vec::new(), Vec::new());
    for route in &table.routes {
        let blocks = route.destination().map(|to| blocks_of(&to, snapshot));
        match blocks.unwrap_or(Blocks::OfNoKnownForm) {
            Blocks::Read(blocks) => {
                ways.extend(blocks.into_iter().map(|block| Way { route, block }));
            }
            Blocks::Unread(list) => unread.push((route, Unknown::UnreadPrefixList(list))),
            Blocks::OfNoKnownForm => unread.push((route, Unknown::Destination)),
        }
    }
    (ways, unread)
}

/// What was found on the way: of each kind the first, with the hops before it.
#[derive(Default)]
struct Found {
    out: Option<(Vec<Hop>, InternetExit)>,
    unknown: Option<(Vec<Hop>, Unknown)>,
    maybe: Option<(Vec<Hop>, PossibleExit)>,
    doubt: Option<Doubt>,
}

impl Found {
    fn is_nothing(&self) -> bool {
        self.out.is_none() && self.unknown.is_none() && self.maybe.is_none()
    }

    fn class(self, snapshot: &Snapshot<'_>) -> Option<RouteClass> {
        if let Some((through, exit)) = self.out {
            return Some(RouteClass::Internet(way_out(through, exit, self.doubt, snapshot)));
        }
        if let Some((through, what)) = self.unknown {
            let detour = |what| Unknown::Detour(through.clone(), Box::new(what));
            return Some(RouteClass::Unknown(if through.is_empty() { what } else { detour(what) }));
        }
        let (through, exit) = self.maybe?;
        let detour = |exit| PossibleExit::Detour(through.clone(), Box::new(exit));
        Some(RouteClass::MayLeadOut(if through.is_empty() { exit } else { detour(exit) }))
    }
}

/// A plain NAT instance, or a detour.
fn way_out(
    through: Vec<Hop>,
    exit: InternetExit,
    doubt: Option<Doubt>,
    snapshot: &Snapshot<'_>,
) -> InternetExit {
    match (through.as_slice(), &exit, &doubt) {
        ([Hop::Interface(id)], InternetExit::InternetGateway(_), None) => {
            let seen = snapshot.interfaces.iter().find(|eni| eni.network_interface_id == *id);
            InternetExit::NatInstance(id.clone(), seen.and_then(|eni| instance_of(eni)).cloned())
        }
        _ => InternetExit::Detour(Box::new(Detour { through, exit, doubt })),
    }
}

fn instance_of(interface: &NetworkInterface) -> Option<&crate::ec2::id::InstanceId> {
    interface.attachment.as_ref().and_then(|attachment| attachment.instance_id.as_ref())
}

struct Walk<'a, 'w> {
    snapshot: &'a Snapshot<'w>,
    topology: &'a Topology<'w>,
    /// What the route does not carry, because longer ones of its table do, and stay.
    kept: Vec<IpNet>,
    path: Vec<Hop>,
    hops: usize,
    found: Found,
}

impl Walk<'_, '_> {
    /// Traffic comes to a hop, which it has not passed yet: a circle leads nowhere.
    fn pass(&mut self, hop: Hop, parts: Vec<Part>) {
        if self.path.contains(&hop) {
            return;
        }
        if self.hops == HOPS {
            return self.unknown(Unknown::TooManyHops);
        }
        self.hops = self.hops.saturating_add(1);
        match &hop {
            Hop::PrivateNat(id) => {
                let parts = parts.iter().filter_map(Part::translated).collect();
                let nat = self.snapshot.nat_gateways.iter().find(|nat| nat.nat_gateway_id == *id);
                let subnet = nat.and_then(|nat| nat.subnet_id.as_ref());
                self.leave(hop.clone(), subnet, parts);
            }
            Hop::Interface(id) | Hop::SameInstance(id) | Hop::Nat64(id) => {
                let mut interfaces = self.snapshot.shared.interfaces.iter();
                let Some(eni) = interfaces.find(|eni| eni.network_interface_id == *id) else {
                    return self.unknown(Unknown::UnseenInterface(id.to_string()));
                };
                self.pass_interface(&hop, eni, parts);
            }
        }
    }

    fn pass_interface(&mut self, hop: &Hop, eni: &NetworkInterface, parts: Vec<Part>) {
        if eni.vpc_id.as_ref() != Some(&self.snapshot.scope.vpc) {
            return self.unknown(Unknown::UnseenSubnet(hop.clone()));
        }
        self.leave(hop.clone(), eni.subnet_id.as_ref(), parts.clone());
        match hop {
            Hop::Interface(_) => self.pass_beside(hop, eni, &parts),
            Hop::PrivateNat(_) | Hop::SameInstance(_) | Hop::Nat64(_) => {}
        }
    }

    /// What an instance may do beside passing on what comes in as it is: translate it, or send it out
    /// by another of its interfaces, as a firewall does, which has one on each side, or both.
    fn pass_beside(&mut self, hop: &Hop, eni: &NetworkInterface, parts: &[Part]) {
        let snapshot = self.snapshot;
        let others = snapshot.shared.interfaces.iter().filter(|other| {
            let same = instance_of(other).is_some() && instance_of(other) == instance_of(eni);
            same && other.subnet_id != eni.subnet_id
        });
        if self.found.out.is_some() {
            let is_elsewhere =
                |other: &&NetworkInterface| other.vpc_id.as_ref() != Some(&snapshot.scope.vpc);
            if let Some(other) = others.clone().find(is_elsewhere) {
                let id = other.network_interface_id.clone();
                self.carries(format!("{}, in another VPC", Hop::SameInstance(id)));
            }
            return;
        }
        self.path.push(hop.clone());
        let ipv4: Vec<Part> = parts.iter().filter_map(Part::nat64).collect();
        let either = [parts, &ipv4].concat();
        if !ipv4.is_empty() {
            self.pass(Hop::Nat64(eni.network_interface_id.clone()), ipv4);
        }
        for other in others {
            self.pass(Hop::SameInstance(other.network_interface_id.clone()), either.clone());
        }
        self.path.pop();
        if self.found.is_nothing() {
            self.maybe(PossibleExit::Appliance(eni.network_interface_id.clone()));
        }
    }

    /// Traffic leaves a hop into its subnet, whose table says where to.
    fn leave(&mut self, hop: Hop, subnet: Option<&SubnetId>, parts: Vec<Part>) {
        let Some(table) = subnet.and_then(|subnet| self.topology.table_of(subnet)) else {
            return self.unknown(Unknown::UnseenSubnet(hop));
        };
        self.path.push(hop);
        let (ways, unread) = ways(table, self.snapshot);
        for route in &table.routes {
            let own = || ways.iter().filter(|way| std::ptr::eq(way.route, route));
            let going =
                own().flat_map(|way| parts.iter().filter_map(|part| part.going(way, &ways)));
            let going: Vec<Part> = going.collect();
            if !going.is_empty() && gateway_endpoint_of(route, self.snapshot).is_none() {
                self.go(route, going);
            }
        }
        for (route, why) in unread {
            if !parts.is_empty() && gateway_endpoint_of(route, self.snapshot).is_none() {
                self.unknown(why);
            }
        }
        self.path.pop();
    }

    /// Traffic takes a route.
    fn go(&mut self, route: &Route, parts: Vec<Part>) {
        let is_public = parts.iter().any(|part| part.is_public(&self.topology.own));
        let target = route.target().map(String::from).unwrap_or_default();
        if matches!(route.state, Some(RouteState::Filtered | RouteState::Other(_))) {
            self.carries(target.clone());
        }
        let next = self.next(route);
        if is_blackhole(route) {
            // What is gone may come back.
            if is_public && !matches!(next, Next::Nowhere) {
                self.maybe(PossibleExit::Blackhole(target));
            }
            return;
        }
        match next {
            Next::Nowhere => {}
            Next::Hop(hop) => self.pass(hop, parts),
            Next::Out(exit) if is_public => self.out(exit),
            Next::Out(_) => {}
            Next::Maybe(exit) => {
                if parts.iter().any(|part| part.reaches_beyond(&self.kept)) {
                    self.carries(exit.to_string());
                }
                if is_public {
                    self.maybe(exit);
                }
            }
            Next::Unknown(what) if is_public => self.unknown(what),
            Next::Unknown(what) => self.carries(what.to_string()),
        }
    }

    fn next(&self, route: &Route) -> Next {
        let behind_nat = self.path.last().is_some_and(Hop::is_private_nat);
        match target_class(route, self.snapshot) {
            Err(hop) => Next::Hop(hop),
            Ok(RouteClass::Inside(Inside::Peering(id))) => Next::Maybe(PossibleExit::Peering(id)),
            Ok(RouteClass::Local | RouteClass::Endpoint(_) | RouteClass::Inside(_)) => {
                Next::Nowhere
            }
            // An internet gateway drops what comes from a private NAT gateway
            // (docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html).
            Ok(RouteClass::Internet(
                InternetExit::InternetGateway(_) | InternetExit::EgressOnlyInternetGateway(_),
            )) if behind_nat => Next::Nowhere,
            Ok(RouteClass::Internet(InternetExit::CarrierGateway(id))) if behind_nat => {
                Next::Maybe(PossibleExit::CarrierGateway(id))
            }
            Ok(RouteClass::Internet(exit)) => Next::Out(exit),
            Ok(RouteClass::MayLeadOut(exit)) => Next::Maybe(exit),
            Ok(RouteClass::Unknown(what)) => Next::Unknown(what),
        }
    }

    fn out(&mut self, exit: InternetExit) {
        if let Some(doubt) = self.unproven(&exit) {
            self.found.doubt.get_or_insert(doubt);
        }
        self.found.out.get_or_insert_with(|| (self.path.clone(), exit));
    }

    fn maybe(&mut self, exit: PossibleExit) {
        self.found.maybe.get_or_insert_with(|| (self.path.clone(), exit));
    }

    fn unknown(&mut self, what: Unknown) {
        self.carries(what.to_string());
        self.found.unknown.get_or_insert_with(|| (self.path.clone(), what));
    }

    fn carries(&mut self, what: String) {
        match self.found.doubt {
            Some(Doubt::CarriesMore(_)) => {}
            Some(Doubt::Unproven(..)) | None => self.found.doubt = Some(Doubt::CarriesMore(what)),
        }
    }

    /// The step of the way that nobody can prove: no page says that a private NAT gateway passes
    /// traffic on to another NAT gateway or to an instance, and what an instance translates, or does
    /// between its interfaces, is not seen from outside.
    fn unproven(&self, exit: &InternetExit) -> Option<Doubt> {
        let behind = self.path.iter().skip(1).map(ToString::to_string).chain([exit.to_string()]);
        let mut steps = self.path.iter().zip(self.path.iter().skip(1).map(Some).chain([None]));
        let unproven = steps.position(|(hop, next)| {
            hop.is_private_nat() || matches!(next, Some(Hop::SameInstance(_) | Hop::Nat64(_)))
        })?;
        let from = self.path.get(unproven)?.to_string();
        behind.into_iter().nth(unproven).map(|to| Doubt::Unproven(from, to))
    }
}

/// Where a route behind a hop leads.
enum Next {
    Nowhere,
    Hop(Hop),
    Out(InternetExit),
    Maybe(PossibleExit),
    Unknown(Unknown),
}

/// Writes what is passed, in order, and what comes last.
pub(super) fn chain(
    f: &mut fmt::Formatter<'_>,
    through: &[Hop],
    last: impl fmt::Display,
) -> fmt::Result {
    through.iter().try_for_each(|hop| write!(f, "{hop}, then "))?;
    write!(f, "{last}")
}

impl fmt::Display for Detour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        chain(f, &self.through, &self.exit)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PrivateNat(id) => write!(f, "private NAT gateway {id}"),
            Self::Interface(id) => write!(f, "interface {id}"),
            Self::SameInstance(id) => write!(f, "interface {id} of the same instance"),
            Self::Nat64(_) => f.write_str("its translation to IPv4"),
        }
    }
}

#[cfg(test)]
mod tests;
