//! One rule of a network ACL, as far as it concerns TCP.

use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::analysis::network_acl::area::Area;
use crate::analysis::network_acl::{Direction, StoppedBy};
use crate::ec2::cidr::Cidr;
use crate::ec2::world::{NetworkAcl, NetworkAclEntry, RuleAction};

/// The highest number that a rule of a person's can have; those above are "reserved for internal
/// use" (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html): the
/// denials that the console shows as `*`.
const HIGHEST_NUMBER: u32 = 32_766;

const ALL_PORTS: RangeInclusive<u16> = 0..=u16::MAX;

/// A rule that may match TCP.
#[derive(Debug)]
pub(super) struct Rule {
    number: u32,
    reach: Reach,
    /// What becomes of what it matches.
    pub(super) effect: Effect,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Admit,
    Stop(StoppedBy),
}

/// What a rule matches.
#[derive(Debug)]
enum Reach {
    /// The rule matches these addresses and ports.
    Area(Area),
    /// The rule's block cannot be read: it may match these ports of any address.
    Anywhere(RangeInclusive<u16>),
}

impl Effect {
    /// Whether a packet may pass: it does, or that cannot be told.
    pub(super) fn may_admit(self) -> bool {
        match self {
            Self::Admit => true,
            Self::Stop(by) => !by.is_certain(),
        }
    }
}

/// Whether any rule of this direction is listed, whatever protocol it is about.
pub(super) fn is_listed(acl: &NetworkAcl, direction: Direction) -> bool {
    entries(acl, direction).next().is_some()
}

fn entries(acl: &NetworkAcl, direction: Direction) -> impl Iterator<Item = &NetworkAclEntry> {
    let egress = match direction {
        Direction::Inbound => false,
        Direction::Outbound => true,
    };
    acl.entries.iter().filter(move |entry| entry.egress == egress)
}

/// The rules of one direction that may match TCP, in the order in which AWS tries them. No two
/// rules of a direction have the same number.
pub(super) fn rules(acl: &NetworkAcl, direction: Direction) -> Vec<Rule> {
    let mut rules: Vec<Rule> = entries(acl, direction).filter_map(Rule::of).collect();
    rules.sort_by_key(|rule| rule.number);
    rules
}

impl Rule {
    /// An entry as a rule; `None` where it is about other protocols than TCP.
    fn of(entry: &NetworkAclEntry) -> Option<Self> {
        let number = entry.rule_number;
        let (ports, ports_read) = match ports(entry) {
            Ports::NotTcp => return None,
            Ports::These(range) => (range, true),
            Ports::Unreadable => (ALL_PORTS, false),
        };
        let area = block(entry).and_then(|net| Area::of(net, &ports));
        let effect = match &entry.rule_action {
            RuleAction::Other(_) => None,
            RuleAction::Allow => Some(Effect::Admit),
            RuleAction::Deny if number > HIGHEST_NUMBER => Some(Effect::Stop(StoppedBy::NoRule)),
            RuleAction::Deny => Some(Effect::Stop(StoppedBy::Rule(number))),
        };
        let readable = effect.filter(|_| area.is_some() && ports_read);
        Some(Self {
            number,
            reach: area.map_or(Reach::Anywhere(ports), Reach::Area),
            effect: readable.unwrap_or(Effect::Stop(StoppedBy::UnreadableRule(number))),
        })
    }

    /// The part of an area that the rule matches.
    pub(super) fn matched(&self, area: &Area) -> Option<Area> {
        match &self.reach {
            Reach::Area(reach) => reach.overlap(area),
            Reach::Anywhere(ports) => area.overlap(&area.with_ports(ports)?),
        }
    }
}

/// The ports of TCP that a rule is about.
enum Ports {
    /// The rule is about these.
    These(RangeInclusive<u16>),
    /// The rule is about another protocol.
    NotTcp,
    /// Protocol or ports are written in a way that this version does not know.
    Unreadable,
}

/// AWS prints a protocol by its number. With `-1` "traffic on all ports is allowed, regardless of
/// any ports … that you specify"; TCP needs a range of ports
/// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html).
fn ports(entry: &NetworkAclEntry) -> Ports {
    match entry.protocol.to_ascii_lowercase().as_str() {
        "-1" => Ports::These(ALL_PORTS),
        "6" | "tcp" => port_range(entry).map_or(Ports::Unreadable, Ports::These),
        "udp" | "icmp" | "icmpv6" => Ports::NotTcp,
        other if other.parse::<u8>().is_ok_and(|number| number != 6) => Ports::NotTcp,
        _ => Ports::Unreadable,
    }
}

fn port_range(entry: &NetworkAclEntry) -> Option<RangeInclusive<u16>> {
    let range = entry.port_range?;
    let first = u16::try_from(range.from?).ok()?;
    let last = u16::try_from(range.to?).ok()?;
    (first <= last).then_some(first..=last)
}

/// The block of a rule: it has one, under the key of its IP version.
fn block(entry: &NetworkAclEntry) -> Option<IpNet> {
    let net = |cidr: &Cidr| cidr.net();
    match (&entry.cidr_block, &entry.ipv6_cidr_block) {
        (Some(v4), None) => net(v4).filter(|net| matches!(net, IpNet::V4(_))),
        (None, Some(v6)) => net(v6).filter(|net| matches!(net, IpNet::V6(_))),
        (None, None) | (Some(_), Some(_)) => None,
    }
}
