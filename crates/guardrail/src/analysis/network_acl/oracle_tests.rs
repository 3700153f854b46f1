//! The decisions compared with asking for each address and port by itself, in a world that is small
//! enough for that.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::ec2::world::{NetworkAclEntry, PortRange};

/// Where a range of ports can begin and end.
const ENDS: [u16; 9] = [0, 442, 443, 1023, 1024, 32_767, 32_768, 49_152, 65_535];

/// The ends, and one port of each stretch between two of them: no rule tells the others apart.
fn ports() -> impl Iterator<Item = u16> + Clone {
    ENDS.into_iter().flat_map(|end| [Some(end), end.checked_add(1)]).flatten()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    Passes,
    Denied(Option<u32>),
    Unclear(Option<u32>),
}

/// Tries the rules on one packet, as AWS describes it.
fn ask(acl: &NetworkAcl, egress: bool, address: Ipv4Addr, port: u16) -> Answer {
    let mut entries: Vec<&NetworkAclEntry> = acl.entries.iter().collect();
    entries.sort_by_key(|entry| entry.rule_number);
    for entry in entries {
        let Some(cidr) = &entry.cidr_block else { continue };
        let (base, length) = cidr.as_str().split_once('/').unwrap();
        let shift = 32 - length.parse::<u32>().unwrap();
        let base = u32::from(base.parse::<Ipv4Addr>().unwrap());
        let same_block = u64::from(base) >> shift == u64::from(u32::from(address)) >> shift;
        let is_tcp = entry.protocol == "6";
        let ports = entry.port_range.filter(|_| is_tcp);
        let ports_match = ports.is_none_or(|range| {
            range.from.unwrap() <= i32::from(port) && i32::from(port) <= range.to.unwrap()
        });
        let protocol_matches = is_tcp || entry.protocol != "17";
        if entry.egress == egress && same_block && ports_match && protocol_matches {
            let number = entry.rule_number;
            return match (entry.rule_action.as_str(), entry.protocol.as_str()) {
                (_, "?") => Answer::Unclear(Some(number)),
                ("allow", _) => Answer::Passes,
                ("deny", _) => Answer::Denied(Some(number)),
                _ => Answer::Unclear(Some(number)),
            };
        }
    }
    match acl.entries.iter().any(|entry| entry.egress == egress) {
        true => Answer::Denied(None),
        false => Answer::Unclear(None),
    }
}

prop_compose! {
    fn block(first: u32)(offset in 0..8u32, length in 29..=32u32) -> (u32, u32) {
        (first + (offset >> (32 - length) << (32 - length)), length)
    }
}

fn any_block(first: u32) -> impl Strategy<Value = String> {
    let text = |(base, length)| format!("{}/{length}", Ipv4Addr::from(base));
    prop_oneof![8 => block(first).prop_map(text), 1 => Just("0.0.0.0/0".to_owned())]
}

fn entry(first: u32) -> impl Strategy<Value = NetworkAclEntry> {
    let action = prop::sample::select(vec!["allow", "allow", "allow", "deny", "deny", "what"]);
    let protocol = prop::sample::select(vec!["6", "6", "6", "6", "-1", "17", "?"]);
    let port = || prop::sample::select(ENDS.to_vec()).prop_map(i32::from);
    let fields = (any::<bool>(), action, protocol, any_block(first), port(), port(), 0..20u32);
    fields.prop_map(|(egress, action, protocol, block, a, b, is_v6)| NetworkAclEntry {
        rule_number: 0,
        egress,
        rule_action: action.into(),
        protocol: protocol.into(),
        cidr_block: (is_v6 != 0).then(|| block.as_str().into()),
        ipv6_cidr_block: (is_v6 == 0).then(|| "::/0".into()),
        port_range: Some(PortRange { from: Some(a.min(b)), to: Some(a.max(b)) }),
    })
}

/// An ACL whose rules are about the eight addresses from `first` on, listed in any order.
fn acl(first: u32) -> impl Strategy<Value = NetworkAcl> {
    let entries = prop::collection::vec(entry(first), 0..10).prop_flat_map(|entries| {
        let numbers: Vec<u32> = (1..).take(entries.len()).collect();
        (Just(entries), Just(numbers).prop_shuffle())
    });
    entries.prop_map(|(entries, numbers)| {
        let numbered = entries.into_iter().zip(numbers);
        NetworkAcl {
            network_acl_id: "acl-1".parse().unwrap(),
            vpc_id: None,
            is_default: false,
            owner_id: None,
            associations: Vec::new(),
            entries: numbered
                .map(|(entry, number)| NetworkAclEntry { rule_number: number, ..entry })
                .collect(),
            tags: Vec::new(),
        }
    })
}

const PRIVATE: u32 = 0x0a00_0000;
const PUBLIC: u32 = 0x3400_0000;

fn addresses((base, length): (u32, u32)) -> Vec<Ipv4Addr> {
    (base..base + (1 << (32 - length))).map(Ipv4Addr::from).collect()
}

fn net((base, length): (u32, u32)) -> IpNet {
    format!("{}/{length}", Ipv4Addr::from(base)).parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_judgement_is_that_of_every_packet(
        acl in acl(PRIVATE),
        outbound in any::<bool>(),
        remotes in prop::collection::vec(block(PRIVATE), 1..3),
        ends in (prop::sample::select(ENDS.to_vec()), prop::sample::select(ENDS.to_vec())),
    ) {
        let (first, last) = (ends.0.min(ends.1), ends.0.max(ends.1));
        let within = ports().filter(|port| (first..=last).contains(port));
        let asked: Vec<(Ipv4Addr, u16)> = within
            .flat_map(|port| remotes.iter().flat_map(move |block| {
                addresses(*block).into_iter().map(move |address| (address, port))
            }))
            .collect();
        let answers: Vec<Answer> =
            asked.iter().map(|(address, port)| ask(&acl, outbound, *address, *port)).collect();

        let nets: Vec<IpNet> = remotes.iter().map(|block| net(*block)).collect();
        let direction = if outbound { Direction::Outbound } else { Direction::Inbound };
        let stop = judge(&acl, &Traffic { direction, remotes: &nets, ports: first..=last });

        let any_denied = answers.iter().any(|answer| matches!(answer, Answer::Denied(_)));
        let any_unclear = answers.iter().any(|answer| matches!(answer, Answer::Unclear(_)));
        prop_assert_eq!(stop.as_ref().map(|stop| stop.by.is_certain()),
            if any_denied { Some(true) } else if any_unclear { Some(false) } else { None });

        if let Some(stop) = stop {
            let wanted = match stop.by {
                StoppedBy::Rule(number) => Answer::Denied(Some(number)),
                StoppedBy::NoRule => Answer::Denied(None),
                StoppedBy::UnreadableRule(number) => Answer::Unclear(Some(number)),
                StoppedBy::NoneListed => Answer::Unclear(None),
            };
            prop_assert!(nets.iter().any(|net| net.contains(&stop.remote)));
            prop_assert!(first <= stop.ports.0 && stop.ports.1 <= last);
            for address in stop.remote.hosts() {
                let std::net::IpAddr::V4(address) = address else { panic!("{address}") };
                for port in [stop.ports.0, stop.ports.1] {
                    prop_assert_eq!(ask(&acl, outbound, address, port), wanted);
                }
            }
        }
    }

    #[test]
    fn nothing_is_lost_where_no_packet_comes_and_goes(
        acl in acl(PUBLIC),
        within in block(PUBLIC),
        own in block(PUBLIC),
    ) {
        let may_pass = |egress, address, port| {
            !matches!(ask(&acl, egress, address, port), Answer::Denied(_))
        };
        let own_addresses = addresses(own);
        let is_reached = addresses(within).into_iter().any(|address| {
            !own_addresses.contains(&address)
                && may_pass(true, address, 443)
                && ports().any(|port| port >= 1024 && may_pass(false, address, port))
        });
        prop_assert_eq!(stops_https_to_all_public(&acl, net(within), &[net(own)]), !is_reached);
    }
}
