//! What network ACLs stop, decided for whole blocks of addresses and ranges of ports at once.
//!
//! "Rules are evaluated starting with the lowest numbered rule. As soon as a rule matches traffic,
//! it's applied regardless of any higher-numbered rule that might contradict it"
//! (docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html). ACLs keep no state, so the answers
//! need rules of their own, and they act at a subnet's edge only: within a subnet none applies.

mod area;
mod rule;

use std::fmt;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::analysis::network_acl::area::Area;
use crate::analysis::network_acl::rule::{Effect, is_listed, rules};
use crate::ec2::cidr::covers_public;
use crate::ec2::id::{NetworkAclId, SubnetId};
use crate::ec2::world::{NetworkAcl, Subnet};

const HTTPS: RangeInclusive<u16> = 443..=443;

/// Which way a packet crosses the edge of the ACL's subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The packet comes into the subnet.
    Inbound,
    /// The packet leaves the subnet.
    Outbound,
}

/// TCP packets that should all pass an ACL.
#[derive(Debug, Clone)]
pub struct Traffic<'a> {
    /// Which way the packets go.
    pub direction: Direction,
    /// The blocks on the other side: of the destinations of outbound packets, of the sources of
    /// inbound ones.
    pub remotes: &'a [IpNet],
    /// The ports of the packets' destinations.
    pub ports: RangeInclusive<u16>,
}

/// TCP packets that an ACL stops, or may stop: one part of what should pass.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stop {
    /// The ACL.
    pub acl: NetworkAclId,
    /// Which way the packets go.
    pub direction: Direction,
    /// A block on the other side, every address of which is concerned.
    pub remote: IpNet,
    /// The ports of the packets' destinations: the first and the last.
    pub ports: (u16, u16),
    /// What stops them.
    pub by: StoppedBy,
}

/// What stops a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoppedBy {
    /// The rule of this number denies it.
    Rule(u32),
    /// No rule admits it before the last one, which the console shows as `*`.
    NoRule,
    /// No rule of this direction is listed, although every ACL has some: they were not read.
    NoneListed,
    /// The rule of this number may deny it: this version cannot read the rule. Whether the packet
    /// passes cannot be told.
    UnreadableRule(u32),
}

impl StoppedBy {
    /// Whether the packet is known not to pass; otherwise it cannot be told.
    pub fn is_certain(self) -> bool {
        match self {
            Self::Rule(_) | Self::NoRule => true,
            Self::UnreadableRule(_) | Self::NoneListed => false,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acl, direction, remote, ports, by } = self;
        let verb = if by.is_certain() { "stops" } else { "may stop" };
        let (way, side) = match direction {
            Direction::Inbound => ("inbound", "from"),
            Direction::Outbound => ("outbound", "to"),
        };
        let ports = match ports {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        write!(f, "{acl} {verb} {way} TCP {ports} {side} {remote} ({by})")
    }
}

impl fmt::Display for StoppedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(number) => write!(f, "rule {number}"),
            Self::NoRule => f.write_str("no rule admits it"),
            Self::NoneListed => f.write_str("its rules were not read"),
            Self::UnreadableRule(number) => write!(f, "rule {number} cannot be read"),
        }
    }
}

/// The part of some traffic that an ACL stops; `None` when every packet of it passes.
///
/// Of several such parts it is the one whose rule comes first, and what is certainly stopped comes
/// before what cannot be told.
pub fn judge(acl: &NetworkAcl, traffic: &Traffic<'_>) -> Option<Stop> {
    let asked = traffic.remotes.iter().filter_map(|net| Area::of(*net, &traffic.ports)).collect();
    let decided = decide(acl, traffic.direction, asked);
    let stopped = decided.into_iter().filter_map(|(area, effect)| match effect {
        Effect::Admit => None,
        Effect::Stop(by) => Some((area, by)),
    });
    let (area, by) = stopped.min_by_key(|(_, by)| !by.is_certain())?;
    Some(Stop {
        acl: acl.network_acl_id.clone(),
        direction: traffic.direction,
        remote: area.blocks().min_by_key(IpNet::prefix_len)?,
        ports: area.ports().into_inner(),
        by,
    })
}

/// Divides what is asked among the rules, in their order: each takes what it matches of what the
/// rules before it have left. The last rule of every ACL denies the rest. AWS lists it with the others,
/// for each direction, so that an ACL of which no rule is listed was not read
/// (docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html).
fn decide(acl: &NetworkAcl, direction: Direction, asked: Vec<Area>) -> Vec<(Area, Effect)> {
    let mut decided = Vec::new();
    let mut left = asked;
    let rest = if is_listed(acl, direction) { StoppedBy::NoRule } else { StoppedBy::NoneListed };
    for rule in rules(acl, direction) {
        if left.is_empty() {
            break;
        }
        let mut still_left = Vec::new();
        for area in left {
            if let Some(matched) = rule.matched(&area) {
                decided.push((matched, rule.effect));
                still_left.extend(area.without(matched));
            } else {
                still_left.push(area);
            }
        }
        left = still_left;
    }
    decided.extend(left.into_iter().map(|area| (area, Effect::Stop(rest))));
    decided
}

/// The ACL of a subnet: the one that lists it, else the default one of its VPC ("If you don't
/// explicitly associate a subnet with a network ACL, the subnet is automatically associated with
/// the default network ACL", docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html).
///
/// It is `None` where it was not observed, or where two answer, as while an association is being
/// replaced: which one acts cannot be told then.
pub fn acl_of<'w>(
    subnet: &Subnet,
    acls: impl IntoIterator<Item = &'w NetworkAcl> + Clone,
) -> Option<&'w NetworkAcl> {
    let lists =
        |acl: &NetworkAcl| acl.associations.iter().any(|bound| bound.subnet_id == subnet.subnet_id);
    let mut listing = acls.clone().into_iter().filter(|acl| lists(acl));
    match (listing.next(), listing.next()) {
        (None, _) => {
            let of_vpc = |acl: &NetworkAcl| acl.vpc_id.as_ref() == Some(&subnet.vpc_id);
            let mut defaults = acls.into_iter().filter(|acl| acl.is_default && of_vpc(acl));
            defaults.next().filter(|_| defaults.next().is_none())
        }
        (Some(acl), None) => Some(acl),
        (Some(_), Some(_)) => None,
    }
}

/// The ports that clients of a subnet open connections from, and take answers on.
///
/// Linux uses 32768 to 61000 and Windows 49152 to 65535; a NAT gateway and Lambda functions use
/// 1024 to 65535 (docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html).
pub fn client_ports(holds_lambda_or_nat_gateway: bool) -> RangeInclusive<u16> {
    if holds_lambda_or_nat_gateway { 1024..=u16::MAX } else { 32_768..=u16::MAX }
}

/// One side of connections between two subnets.
#[derive(Debug, Clone, Copy)]
pub struct SubnetSide<'w> {
    /// The subnet.
    pub subnet: &'w SubnetId,
    /// Where in it the connections end, in one IP version: of clients its whole blocks; of an
    /// endpoint the address of its interface, or the whole blocks where that is not known.
    pub blocks: &'w [IpNet],
    /// The subnet's ACL.
    pub acl: &'w NetworkAcl,
}

/// What stops connections to TCP 443 from a client's subnet to an endpoint's, both ways: at most
/// one part for each of the four times that a packet crosses an edge. Both sides are of one IP
/// version, and each has at least one block.
pub fn between(
    client: &SubnetSide<'_>,
    endpoint: &SubnetSide<'_>,
    client_ports: &RangeInclusive<u16>,
) -> Vec<Stop> {
    if client.subnet == endpoint.subnet {
        return Vec::new();
    }
    let (outbound, inbound) = (Direction::Outbound, Direction::Inbound);
    let request_leaves = judge_one(client.acl, outbound, endpoint.blocks, &HTTPS);
    let request_arrives = judge_one(endpoint.acl, inbound, client.blocks, &HTTPS);
    let answer_leaves = judge_one(endpoint.acl, outbound, client.blocks, client_ports);
    let answer_arrives = judge_one(client.acl, inbound, endpoint.blocks, client_ports);
    [request_leaves, request_arrives, answer_leaves, answer_arrives].into_iter().flatten().collect()
}

/// What stops connections to TCP 443 from a client's subnet to a service's public blocks, which a
/// gateway endpoint leads to: at most one part each of the requests and of the answers.
pub fn to_ranges(
    acl: &NetworkAcl,
    ranges: &[IpNet],
    client_ports: &RangeInclusive<u16>,
) -> Vec<Stop> {
    let request_leaves = judge_one(acl, Direction::Outbound, ranges, &HTTPS);
    let answer_arrives = judge_one(acl, Direction::Inbound, ranges, client_ports);
    [request_leaves, answer_arrives].into_iter().flatten().collect()
}

fn judge_one(
    acl: &NetworkAcl,
    direction: Direction,
    remotes: &[IpNet],
    ports: &RangeInclusive<u16>,
) -> Option<Stop> {
    judge(acl, &Traffic { direction, remotes, ports: ports.clone() })
}

/// Whether an ACL certainly lets no client open a connection to TCP 443 of any public address of a
/// block (`0.0.0.0/0` or `::/0` for all of an IP version): each address is either not reached, or
/// its answers come back on no client's port. A way out loses no HTTPS client by its going then.
///
/// `own` are the VPC's own blocks, which no way out leads to. What a rule that cannot be read may
/// admit counts as admitted.
pub fn stops_https_to_all_public(acl: &NetworkAcl, within: IpNet, own: &[IpNet]) -> bool {
    let may_pass = |direction, area: Area| {
        let decided = decide(acl, direction, vec![area]).into_iter();
        decided.filter(|(_, effect)| effect.may_admit()).map(|(area, _)| area)
    };
    let widest = client_ports(true);
    let is_public = |area: Area| area.blocks().any(|net| covers_public(net, own));
    let requests = Area::of(within, &HTTPS).into_iter();
    let mut answered = requests
        .flat_map(|area| may_pass(Direction::Outbound, area))
        .filter_map(|reached| reached.with_ports(&widest))
        .flat_map(|answers| may_pass(Direction::Inbound, answers));
    !answered.any(is_public)
}

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod subnet_tests;
#[cfg(test)]
mod tests;
