//! What each subnet is, which route table it uses, and whom each table serves.

mod bindings;
mod build;

use std::fmt;

use ipnet::IpNet;

use crate::analysis::topology::bindings::{Bindings, Bound};
pub use crate::analysis::topology::build::PublicBuild;
use crate::baseline::Baseline;
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{AssociationId, NatGatewayId, SubnetId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{Route, RouteTable, Subnet, Tag};

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
    /// Other tables that the subnet may use at present, because an association is just being made or
    /// taken away, or is in a state that this version does not know.
    pub perhaps: Vec<&'w RouteTable>,
}

impl<'w> SubnetUse<'w> {
    /// The tables that the subnet uses, or may use at present.
    pub fn tables(&self) -> impl Iterator<Item = &'w RouteTable> {
        self.table.into_iter().chain(self.perhaps.iter().copied())
    }

    /// Whether the subnet uses this table, or may at present.
    fn may_use(&self, table: &RouteTable) -> bool {
        self.tables().any(|its| its.route_table_id == table.route_table_id)
    }
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
    /// The tag says private, and the subnet is built as a public one, with this way out: it is told
    /// of, never touched. Taking its way out away would cut off whatever relies on it.
    BuiltPublic(&'w Tag, PublicBuild<'w>, &'w Route),
    /// The tag says public, and the subnet's table leads out by this route, and by none to an internet
    /// gateway: it is told of, never touched. A tag is no way past the guardrail.
    TaggedPublicOnly(&'w Tag, &'w Route),
}

impl Class<'_> {
    /// The class in one word: `private`, `public` or `unclassified`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Private(_) => "private",
            Self::Public(_) => "public",
            Self::Unclassified
            | Self::Contradictory(..)
            | Self::BuiltPublic(..)
            | Self::TaggedPublicOnly(..) => "unclassified",
        }
    }

    /// Whether the subnet is neither private nor public.
    pub fn is_unclassified(&self) -> bool {
        match self {
            Self::Unclassified
            | Self::Contradictory(..)
            | Self::BuiltPublic(..)
            | Self::TaggedPublicOnly(..) => true,
            Self::Private(_) | Self::Public(_) => false,
        }
    }

    /// Whether the subnet is built as another than its tag says: nothing of it is ever changed.
    pub fn belies_its_tag(&self) -> bool {
        match self {
            Self::BuiltPublic(..) | Self::TaggedPublicOnly(..) => true,
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
            Self::BuiltPublic(tag, how, route) => {
                write!(
                    f,
                    "private by its tag {} but built public: {how}, and its table leads to ",
                    tag.shown()
                )?;
                match route.target() {
                    Some(RouteTarget::InternetGateway(_)) => f.write_str("an internet gateway"),
                    target => f.write_str(&shown(target)),
                }
            }
            Self::TaggedPublicOnly(tag, route) => write!(
                f,
                "public by its tag {} but not built so: its table leads out through {}, past any \
                 internet gateway",
                tag.shown(),
                shown(route.target())
            ),
        }
    }
}

fn shown(target: Option<RouteTarget>) -> String {
    target.map_or_else(|| "a target of no known kind".to_owned(), String::from)
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
    /// Those of the subnets of which nobody can tell at present whether they use this table or
    /// another one.
    pub unsettled: Vec<&'w SubnetId>,
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

    /// Whether it is known of some private subnet that it uses the table.
    pub fn is_settled_for_a_private_user(&self) -> bool {
        self.private_users().any(|id| !self.unsettled.contains(&id))
    }

    /// The other subnets that the table serves, for whose sake its routes must stay.
    pub fn other_users(&self) -> impl Iterator<Item = (&'w SubnetId, Class<'w>)> {
        self.users.iter().filter(|(_, class)| !class.is_private()).copied()
    }

    /// The subnets that are neither private nor public and use it: nothing may be changed for such
    /// a one.
    pub fn unclassified_users(&self) -> impl Iterator<Item = (&'w SubnetId, Class<'w>)> {
        self.users.iter().filter(|(_, class)| class.is_unclassified()).copied()
    }

    /// Whether a subnet uses it that is built as another than its tag says: nothing of such a subnet
    /// is changed.
    pub fn serves_one_that_belies_its_tag(&self) -> bool {
        self.users.iter().any(|(_, class)| class.belies_its_tag())
    }

    /// Whether it is one the guardrail judges: it serves a private subnet and is not off limits.
    pub fn is_private(&self) -> bool {
        self.off_limits.is_none() && self.private_users().next().is_some()
    }
}

impl<'w> Topology<'w> {
    /// Relates a snapshot's subnets and tables.
    pub fn of(snapshot: &Snapshot<'w>, baseline: &Baseline) -> Self {
        let bindings = Bindings::of(snapshot);
        let subnets = snapshot
            .subnets
            .iter()
            .map(|subnet| {
                let Bound { table, association, perhaps } = bindings.of_subnet(&subnet.subnet_id);
                SubnetUse { subnet, class: by_tags(subnet, baseline), table, association, perhaps }
            })
            .collect();
        let own = snapshot.vpc.cidrs().iter().filter_map(Cidr::net).collect();
        let by_tags = Self { own, subnets, tables: Vec::new() };
        let subnets = build::as_built(&by_tags, snapshot, baseline);
        let tables = snapshot
            .route_tables
            .iter()
            .map(|table| used_table(table, snapshot, &subnets))
            .collect();
        Self { subnets, tables, ..by_tags }
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
    let using = || subnets.iter().filter(|placed| placed.may_use(table));
    let users = using().map(|placed| (&placed.subnet.subnet_id, placed.class)).collect();
    let unsettled = using().filter(|placed| !placed.perhaps.is_empty());
    let unsettled = unsettled.map(|placed| &placed.subnet.subnet_id).collect();
    TableUse { table, main: is_main(table), off_limits, users, unsettled }
}

fn by_tags<'w>(subnet: &'w Subnet, baseline: &Baseline) -> Class<'w> {
    let private = baseline.private_subnets.iter().find_map(|selector| selector.find(&subnet.tags));
    let public = baseline.public_subnets.iter().find_map(|selector| selector.find(&subnet.tags));
    match (private, public) {
        (Some(tag), None) => Class::Private(tag),
        (None, Some(tag)) => Class::Public(tag),
        (None, None) => Class::Unclassified,
        (Some(private), Some(public)) => Class::Contradictory(private, public),
    }
}

#[cfg(test)]
mod tests;
