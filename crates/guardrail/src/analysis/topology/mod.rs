//! What each subnet is, which route table it uses, and whom each table serves.

use std::collections::HashMap;
use std::fmt;

use ipnet::IpNet;

use crate::baseline::Baseline;
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{AssociationId, NatGatewayId, SubnetId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{
    Connectivity, NatGateway, NatGatewayState, Route, RouteState, RouteTable, Subnet, Tag,
};

/// The subnets and tables of one VPC, related to each other.
#[derive(Debug, Clone)]
pub struct Topology<'w> {
    /// The VPC's own address blocks.
    pub own: Vec<IpNet>,
    /// The subnets, by id.
    pub subnets: Vec<SubnetUse<'w>>,
    /// The route tables, by id.
    pub tables: Vec<TableUse<'w>>,
}

/// A subnet, what it is and which table it uses.
#[derive(Debug, Clone)]
pub struct SubnetUse<'w> {
    /// The subnet as it was observed.
    pub subnet: &'w Subnet,
    /// Whether the subnet is private or public, by its tags.
    pub class: Class<'w>,
    /// The route table that the subnet uses; `None` when the VPC's main table was not among those
    /// observed.
    pub table: Option<&'w RouteTable>,
    /// How the subnet is bound to its route table.
    pub association: Association<'w>,
}

/// What a subnet is, and the tag that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class<'w> {
    /// The subnet is meant to have no way to the internet; the tag says so.
    Private(&'w Tag),
    /// The subnet is meant to have a way to the internet; the tag says so.
    Public(&'w Tag),
    /// No tag says what the subnet is: it is shown, never touched.
    Unclassified,
    /// Two tags contradict each other, the private one first: the subnet is shown, never touched.
    Contradictory(&'w Tag, &'w Tag),
    /// The tag says private, and the subnet is built as a public one: it is told of, never touched.
    /// Taking its way out away would cut off whatever relies on it.
    BuiltPublic(&'w Tag, PublicBuild<'w>),
}

/// What a public subnet is built with, beside the route to an internet gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicBuild<'w> {
    /// A public NAT gateway is in the subnet, for others.
    NatGateway(&'w NatGatewayId),
    /// What is launched in the subnet gets a public IPv4 address.
    AddressesOnLaunch,
}

impl fmt::Display for PublicBuild<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NatGateway(id) => write!(f, "it holds the public NAT gateway {id}"),
            Self::AddressesOnLaunch => f.write_str("it gives public IPv4 addresses on launch"),
        }
    }
}

impl Class<'_> {
    /// The class in one word: `private`, `public` or `unclassified`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Private(_) => "private",
            Self::Public(_) => "public",
            Self::Unclassified | Self::Contradictory(..) | Self::BuiltPublic(..) => "unclassified",
        }
    }

    /// Whether the subnet is neither private nor public.
    pub fn is_unclassified(&self) -> bool {
        match self {
            Self::Unclassified | Self::Contradictory(..) | Self::BuiltPublic(..) => true,
            Self::Private(_) | Self::Public(_) => false,
        }
    }

    /// Whether the subnet is private by its tag and built as a public one.
    pub fn is_built_public(&self) -> bool {
        match self {
            Self::BuiltPublic(..) => true,
            Self::Private(_) | Self::Public(_) | Self::Unclassified | Self::Contradictory(..) => {
                false
            }
        }
    }

    /// Whether the subnet is private.
    pub fn is_private(&self) -> bool {
        matches!(self, Self::Private(_))
    }
}

impl fmt::Display for Class<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private(tag) => write!(f, "private by its tag {}", tag.shown()),
            Self::Public(tag) => write!(f, "public by its tag {}", tag.shown()),
            Self::Unclassified => f.write_str("unclassified: no tag of the baseline's selectors"),
            Self::Contradictory(private, public) => write!(
                f,
                "unclassified: private by {}, public by {}",
                private.shown(),
                public.shown()
            ),
            Self::BuiltPublic(tag, how) => write!(
                f,
                "private by its tag {} but built public: {how}, and its table leads to an internet \
                 gateway",
                tag.shown()
            ),
        }
    }
}

/// How a subnet is bound to its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Association<'w> {
    /// The subnet has an association of its own; `None` when AWS does not say its id.
    Explicit(Option<&'w AssociationId>),
    /// The subnet has no association, so it uses the main table.
    Main,
}

/// A table and whom it serves.
#[derive(Debug, Clone)]
pub struct TableUse<'w> {
    /// The route table as it was observed.
    pub table: &'w RouteTable,
    /// Whether the table is the VPC's main table.
    pub main: bool,
    /// Why the guardrail never judges or changes the table; `None` when it may.
    pub off_limits: Option<OffLimits<'w>>,
    /// The subnets that the table serves, each with what it is.
    pub users: Vec<(&'w SubnetId, Class<'w>)>,
}

/// Why a route table is never the guardrail's to judge or change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffLimits<'w> {
    /// The table is bound to a gateway, for traffic that comes in.
    Edge,
    /// AWS made the table for this regional NAT gateway.
    RegionalNatGateway(&'w NatGatewayId),
}

impl<'w> TableUse<'w> {
    /// The private subnets that the table serves.
    pub fn private_users(&self) -> impl Iterator<Item = &'w SubnetId> {
        self.users.iter().filter(|(_, class)| class.is_private()).map(|(id, _)| *id)
    }

    /// The other subnets that the table serves, for whose sake its routes must stay.
    pub fn other_users(&self) -> impl Iterator<Item = (&'w SubnetId, Class<'w>)> {
        self.users.iter().filter(|(_, class)| !class.is_private()).copied()
    }

    /// The subnets that are neither private nor public and use it: nothing may be changed for such
    /// a one.
    pub fn unclassified_users(&self) -> impl Iterator<Item = &'w SubnetId> {
        self.users.iter().filter(|(_, class)| class.is_unclassified()).map(|(id, _)| *id)
    }

    /// Whether a subnet uses it that is tagged private and built public: nothing of such a subnet is
    /// changed.
    pub fn serves_built_public(&self) -> bool {
        self.users.iter().any(|(_, class)| class.is_built_public())
    }

    /// Whether it is one the guardrail judges: it serves a private subnet and is not off limits.
    pub fn is_private(&self) -> bool {
        self.off_limits.is_none() && self.private_users().next().is_some()
    }
}

impl<'w> Topology<'w> {
    /// Relates a snapshot's subnets and tables.
    pub fn of(snapshot: &Snapshot<'w>, baseline: &Baseline) -> Self {
        let explicit = explicit_tables(snapshot);
        let main = snapshot.route_tables.iter().find(|table| is_main(table)).copied();
        let subnets: Vec<SubnetUse<'w>> = snapshot
            .subnets
            .iter()
            .map(|subnet| {
                let (table, association) = match explicit.get(&subnet.subnet_id) {
                    Some((table, id)) => (Some(*table), Association::Explicit(*id)),
                    None => (main, Association::Main),
                };
                let class = as_built(classify(subnet, baseline), subnet, table, snapshot);
                SubnetUse { subnet, class, table, association }
            })
            .collect();
        let tables = snapshot
            .route_tables
            .iter()
            .map(|table| used_table(table, snapshot, &subnets))
            .collect();
        let own = snapshot.vpc.cidrs().iter().filter_map(Cidr::net).collect();
        Self { own, subnets, tables }
    }

    /// The table that serves a subnet.
    pub fn table_of(&self, subnet: &SubnetId) -> Option<&'w RouteTable> {
        self.subnets.iter().find(|placed| placed.subnet.subnet_id == *subnet)?.table
    }

    /// The private subnets.
    pub fn private(&self) -> impl Iterator<Item = &SubnetUse<'w>> {
        self.subnets.iter().filter(|placed| placed.class.is_private())
    }
}

type Explicit<'w> = HashMap<&'w SubnetId, (&'w RouteTable, Option<&'w AssociationId>)>;

fn explicit_tables<'w>(snapshot: &Snapshot<'w>) -> Explicit<'w> {
    let of_table = |table: &'w RouteTable| {
        let live = table.associations.iter().filter(|association| association.is_live());
        live.filter_map(move |a| {
            Some((a.subnet_id.as_ref()?, (table, a.route_table_association_id.as_ref())))
        })
    };
    snapshot.route_tables.iter().flat_map(|table| of_table(table)).collect()
}

fn is_main(table: &RouteTable) -> bool {
    table.associations.iter().any(|association| association.main && association.is_live())
}

fn used_table<'w>(
    table: &'w RouteTable,
    snapshot: &Snapshot<'w>,
    subnets: &[SubnetUse<'w>],
) -> TableUse<'w> {
    let edge =
        table.associations.iter().any(|association| association.is_live() && association.is_edge());
    let regional = snapshot
        .nat_gateways
        .iter()
        .find(|nat| nat.route_table_id.as_ref() == Some(&table.route_table_id));
    let off_limits = match (edge, regional) {
        (true, _) => Some(OffLimits::Edge),
        (false, Some(nat)) => Some(OffLimits::RegionalNatGateway(&nat.nat_gateway_id)),
        (false, None) => None,
    };
    let uses = |placed: &&SubnetUse<'w>| {
        placed.table.is_some_and(|used| used.route_table_id == table.route_table_id)
    };
    let users = subnets
        .iter()
        .filter(uses)
        .map(|placed| (&placed.subnet.subnet_id, placed.class))
        .collect();
    TableUse { table, main: is_main(table), off_limits, users }
}

fn classify<'w>(subnet: &'w Subnet, baseline: &Baseline) -> Class<'w> {
    let private = baseline.private_subnets.iter().find_map(|selector| selector.find(&subnet.tags));
    let public = baseline.public_subnets.iter().find_map(|selector| selector.find(&subnet.tags));
    match (private, public) {
        (Some(tag), None) => Class::Private(tag),
        (None, Some(tag)) => Class::Public(tag),
        (None, None) => Class::Unclassified,
        (Some(private), Some(public)) => Class::Contradictory(private, public),
    }
}

/// The class of a subnet in view of how it is built: one that is private by its tag, but has what
/// makes a subnet public, is neither.
fn as_built<'w>(
    class: Class<'w>,
    subnet: &'w Subnet,
    table: Option<&'w RouteTable>,
    snapshot: &Snapshot<'w>,
) -> Class<'w> {
    let Class::Private(tag) = class else { return class };
    let Some(table) = table else { return class };
    let gateway = snapshot.nat_gateways.iter().find(|nat| is_public_nat_in(nat, &subnet.subnet_id));
    // A NAT gateway needs the route also while it is a blackhole: the internet gateway comes back.
    let gateway = gateway.filter(|_| table.routes.iter().any(is_to_internet_gateway));
    let gives_addresses = subnet.map_public_ip_on_launch && leads_to_internet_gateway(table);
    match (gateway, gives_addresses) {
        (Some(nat), _) => Class::BuiltPublic(tag, PublicBuild::NatGateway(&nat.nat_gateway_id)),
        (None, true) => Class::BuiltPublic(tag, PublicBuild::AddressesOnLaunch),
        (None, false) => class,
    }
}

/// Whether a route of the table leads to an internet gateway that is there.
pub fn leads_to_internet_gateway(table: &RouteTable) -> bool {
    let is_active = |route: &&Route| route.state != Some(RouteState::Blackhole);
    table.routes.iter().filter(is_active).any(is_to_internet_gateway)
}

fn is_to_internet_gateway(route: &Route) -> bool {
    matches!(route.target(), Some(RouteTarget::InternetGateway(_)))
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

#[cfg(test)]
mod tests;
