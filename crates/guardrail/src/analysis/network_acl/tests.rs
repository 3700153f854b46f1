use super::*;
use crate::ec2::world::{NetworkAclEntry, PortRange};

const IN: Direction = Direction::Inbound;
const OUT: Direction = Direction::Outbound;
pub(super) const EVERYWHERE: &str = "0.0.0.0/0";

/// An ACL of rules such as `out 100 allow 6 0.0.0.0/0 443-443`; the ports may be left out.
/// An ACL with these rules and the last one of each direction, which AWS lists too.
pub(super) fn acl(rules: &[&str]) -> NetworkAcl {
    let last = ["out 32767 deny -1 0.0.0.0/0", "in 32767 deny -1 0.0.0.0/0"];
    NetworkAcl {
        network_acl_id: "acl-1".parse().unwrap(),
        vpc_id: Some("vpc-1".parse().unwrap()),
        is_default: false,
        owner_id: None,
        associations: Vec::new(),
        entries: rules.iter().chain(&last).map(|rule| entry(rule)).collect(),
        tags: Vec::new(),
    }
}

fn entry(rule: &str) -> NetworkAclEntry {
    let words: Vec<&str> = rule.split(' ').collect();
    let is_v6 = words[4].contains(':');
    let block = Some(words[4].into());
    NetworkAclEntry {
        rule_number: words[1].parse().unwrap(),
        egress: words[0] == "out",
        rule_action: words[2].into(),
        protocol: words[3].into(),
        cidr_block: block.clone().filter(|_| !is_v6),
        ipv6_cidr_block: block.filter(|_| is_v6),
        port_range: words.get(5).map(|ports| {
            let (from, to) = ports.split_once('-').unwrap();
            PortRange { from: from.parse().ok(), to: to.parse().ok() }
        }),
    }
}

pub(super) fn nets(blocks: &[&str]) -> Vec<IpNet> {
    blocks.iter().map(|block| block.parse().unwrap()).collect()
}

/// What is said of traffic such as `out 10.0.3.0/24 443-443` under these rules.
fn judged(rules: &[&str], traffic: &str) -> String {
    let words: Vec<&str> = traffic.split(' ').collect();
    let (first, last) = words[2].split_once('-').unwrap();
    let traffic = Traffic {
        direction: if words[0] == "out" { OUT } else { IN },
        remotes: &nets(&[words[1]]),
        ports: first.parse().unwrap()..=last.parse().unwrap(),
    };
    judge(&acl(rules), &traffic).map_or_else(|| "passes".to_owned(), |stop| stop.to_string())
}

/// The rules of a VPC's default ACL.
pub(super) const DEFAULT: [&str; 8] = [
    "out 100 allow -1 0.0.0.0/0",
    "out 101 allow -1 ::/0",
    "out 32767 deny -1 0.0.0.0/0",
    "out 32768 deny -1 ::/0",
    "in 100 allow -1 0.0.0.0/0",
    "in 101 allow -1 ::/0",
    "in 32767 deny -1 0.0.0.0/0",
    "in 32768 deny -1 ::/0",
];

#[test]
fn a_default_acl_lets_everything_pass_and_a_new_one_nothing() {
    let new = [DEFAULT[2], DEFAULT[6]];
    let none: [&str; 0] = [];
    for (way, side, ports) in [("out", "to", "443-443"), ("in", "from", "32768-65535")] {
        for block in [EVERYWHERE, "::/0", "10.0.3.0/24", "fd00::1/128"] {
            let traffic = format!("{way} {block} {ports}");
            assert_eq!(judged(&DEFAULT, &traffic), "passes");
            let ports = ports.trim_start_matches("443-");
            let text =
                format!("acl-1 stops {way}bound TCP {ports} {side} {block} (no rule admits it)");
            assert_eq!(judged(&new, &traffic), text);
            assert_eq!(judged(&none, &traffic), text);
        }
    }
}

#[test]
fn what_is_stopped_is_named_by_its_value() {
    let acl = acl(&["out 90 deny 6 10.0.3.0/25 0-500", "out 100 allow -1 0.0.0.0/0"]);
    let remotes = nets(&["10.0.2.0/24", "10.0.3.0/24"]);
    let stop = judge(&acl, &Traffic { direction: OUT, remotes: &remotes, ports: 400..=600 });
    let wanted = Stop {
        acl: "acl-1".parse().unwrap(),
        direction: OUT,
        remote: "10.0.3.0/25".parse().unwrap(),
        ports: (400, 500),
        by: StoppedBy::Rule(90),
    };
    assert_eq!(stop, Some(wanted));
}

#[test]
fn the_lowest_number_that_matches_decides_in_whatever_order_they_are_listed() {
    let cases: [(&[&str], &str); 6] = [
        (
            &["out 100 allow -1 0.0.0.0/0", "out 90 deny 6 10.0.3.0/24 443-443"],
            "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (rule 90)",
        ),
        (
            &["out 90 deny 6 10.0.3.0/24 443-443", "out 100 allow -1 0.0.0.0/0"],
            "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (rule 90)",
        ),
        (&["out 110 deny 6 10.0.3.0/24 443-443", "out 100 allow -1 0.0.0.0/0"], "passes"),
        (
            &["out 9 deny -1 10.0.0.0/8", "out 10 allow -1 0.0.0.0/0"],
            "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (rule 9)",
        ),
        (&["out 1 allow -1 10.0.3.0/24", "out 9 deny -1 10.0.0.0/8"], "passes"),
        (
            &["out 32766 deny 6 10.0.0.0/8 443-443", "out 32767 deny -1 0.0.0.0/0"],
            "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (rule 32766)",
        ),
    ];
    for (rules, said) in cases {
        assert_eq!(judged(rules, "out 10.0.3.0/24 443-443"), said, "{rules:?}");
    }
}

#[test]
fn one_denied_address_inside_a_block_is_found() {
    let rules = ["in 1 deny -1 10.0.3.77/32", "in 2 allow -1 10.0.0.0/16"];
    assert_eq!(
        judged(&rules, "in 10.0.3.0/24 443-443"),
        "acl-1 stops inbound TCP 443 from 10.0.3.77/32 (rule 1)"
    );
    assert_eq!(judged(&rules, "in 10.0.3.128/25 443-443"), "passes");
    let admitted_first = ["in 1 allow -1 10.0.3.77/32", rules[1], "in 3 deny -1 10.0.3.77/32"];
    assert_eq!(judged(&admitted_first, "in 10.0.3.0/24 443-443"), "passes");
}

#[test]
fn of_what_no_rule_admits_the_largest_block_is_named() {
    let rules = ["in 1 allow -1 10.0.3.77/32"];
    assert_eq!(
        judged(&rules, "in 10.0.3.0/24 443-443"),
        "acl-1 stops inbound TCP 443 from 10.0.3.0/26 (no rule admits it)"
    );
}

#[test]
fn several_blocks_and_ranges_can_admit_together_what_none_admits_alone() {
    let quarters = [
        "out 10 allow 6 10.0.3.0/25 0-1023",
        "out 20 allow 6 10.0.3.0/25 1024-65535",
        "out 30 allow -1 10.0.3.128/26",
        "out 40 allow 6 10.0.3.192/26 0-65535",
    ];
    assert_eq!(judged(&quarters, "out 10.0.3.0/24 0-65535"), "passes");
    for (left_out, said) in [
        (0, "acl-1 stops outbound TCP 0-1023 to 10.0.3.0/25 (no rule admits it)"),
        (1, "acl-1 stops outbound TCP 1024-65535 to 10.0.3.0/25 (no rule admits it)"),
        (2, "acl-1 stops outbound TCP 0-65535 to 10.0.3.128/26 (no rule admits it)"),
        (3, "acl-1 stops outbound TCP 0-65535 to 10.0.3.192/26 (no rule admits it)"),
    ] {
        let mut rules = quarters.to_vec();
        rules.remove(left_out);
        assert_eq!(judged(&rules, "out 10.0.3.0/24 0-65535"), said);
    }
}

#[test]
fn a_range_of_ports_is_judged_whole() {
    let windows = ["in 100 allow 6 0.0.0.0/0 49152-65535"];
    assert_eq!(
        judged(&windows, "in 10.0.3.0/24 32768-65535"),
        "acl-1 stops inbound TCP 32768-49151 from 10.0.3.0/24 (no rule admits it)"
    );
    let linux = ["in 100 allow 6 0.0.0.0/0 32768-61000"];
    assert_eq!(
        judged(&linux, "in 10.0.3.0/24 32768-65535"),
        "acl-1 stops inbound TCP 61001-65535 from 10.0.3.0/24 (no rule admits it)"
    );
    let no_desktop = ["in 90 deny 6 0.0.0.0/0 33890-33890", "in 100 allow -1 0.0.0.0/0"];
    assert_eq!(
        judged(&no_desktop, "in 10.0.3.0/24 32768-65535"),
        "acl-1 stops inbound TCP 33890 from 10.0.3.0/24 (rule 90)"
    );
    assert_eq!(judged(&no_desktop, "in 10.0.3.0/24 443-443"), "passes");
}

#[test]
fn only_rules_about_tcp_count() {
    let said = "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (rule 9)";
    for (protocol, ports, stops) in [
        ("-1", "", true),
        ("-1", " 80-80", true), // the range counts for nothing with -1
        ("6", " 443-443", true),
        ("6", " 80-80", false),
        ("tcp", " 443-443", true),
        ("TCP", " 443-443", true),
        ("17", " 443-443", false),
        ("udp", " 443-443", false),
        ("1", "", false),
        ("58", "", false),
        ("icmp", "", false),
        ("255", "", false),
    ] {
        let rule = format!("out 9 deny {protocol} 0.0.0.0/0{ports}");
        let said = if stops { said } else { "passes" };
        let rules = [rule.as_str(), "out 100 allow -1 0.0.0.0/0"];
        assert_eq!(judged(&rules, "out 10.0.3.0/24 443-443"), said, "{rule}");
    }
    assert_eq!(
        judged(&["out 9 allow 17 0.0.0.0/0 443-443"], "out 10.0.3.0/24 443-443"),
        "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (no rule admits it)"
    );
}

#[test]
fn the_other_directions_rules_do_not_count() {
    let rules = ["in 100 allow -1 0.0.0.0/0", "out 90 deny -1 0.0.0.0/0"];
    assert_eq!(judged(&rules, "in 10.0.3.0/24 443-443"), "passes");
    assert_eq!(
        judged(&rules, "out 10.0.3.0/24 443-443"),
        "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (rule 90)"
    );
}

#[test]
fn ip_versions_are_judged_apart() {
    let rules = ["out 90 deny -1 ::/0", "out 100 allow -1 0.0.0.0/0"];
    assert_eq!(judged(&rules, "out 0.0.0.0/0 443-443"), "passes");
    assert_eq!(
        judged(&rules, "out fd00::/64 443-443"),
        "acl-1 stops outbound TCP 443 to fd00::/64 (rule 90)"
    );
    let only_v6 = ["out 100 allow 6 ::/0 443-443"];
    assert_eq!(judged(&only_v6, "out fd00::/64 443-443"), "passes");
    assert_eq!(
        judged(&only_v6, "out 10.0.3.0/24 443-443"),
        "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (no rule admits it)"
    );
}

#[test]
fn a_rule_that_cannot_be_read_counts_only_where_it_comes_before_the_decision() {
    for unreadable in [
        "out 90 allow hopopt 10.0.3.0/24",
        "out 90 allow 256 10.0.3.0/24",
        "out 90 allow -2 10.0.3.0/24",
        "out 90 allow  10.0.3.0/24",
        "out 90 perhaps 6 10.0.3.0/24 443-443",
        "out 90 allow 6 nonsense 443-443",
        "out 90 deny 6 10.0.3.0/24",
        "out 90 allow 6 10.0.3.0/24 443-",
        "out 90 allow 6 10.0.3.0/24 500-400",
        "out 90 allow 6 10.0.3.0/24 0-65536",
    ] {
        let said = "acl-1 may stop outbound TCP 443 to 10.0.3.0/24 (rule 90 cannot be read)";
        for later in ["out 100 allow -1 0.0.0.0/0", "out 100 deny -1 0.0.0.0/0"] {
            assert_eq!(judged(&[unreadable, later], "out 10.0.3.0/24 443-443"), said);
        }
        for (earlier, said) in [
            ("out 80 allow 6 10.0.3.0/24 443-443", "passes"),
            ("out 80 deny -1 10.0.3.0/24", "acl-1 stops outbound TCP 443 to 10.0.3.0/24 (rule 80)"),
        ] {
            assert_eq!(judged(&[unreadable, earlier], "out 10.0.3.0/24 443-443"), said);
        }
    }
}

#[test]
fn of_a_rule_that_cannot_be_read_the_readable_part_bounds_what_it_may_stop() {
    let all = "out 100 allow -1 0.0.0.0/0";
    for (unreadable, traffic, said) in [
        ("out 90 deny what 10.0.3.0/24", "out 10.0.4.0/24 443-443", "passes"),
        ("out 90 what 6 10.0.3.0/24 80-80", "out 10.0.3.0/24 443-443", "passes"),
        ("out 90 what 17 10.0.3.0/24 443-443", "out 10.0.3.0/24 443-443", "passes"),
        (
            "out 90 what -1 what",
            "out 10.0.4.0/24 443-443",
            "acl-1 may stop outbound TCP 443 to 10.0.4.0/24 (rule 90 cannot be read)",
        ),
        ("out 90 deny 6 what 80-80", "out 10.0.4.0/24 443-443", "passes"),
        ("in 90 what -1 what", "out 10.0.4.0/24 443-443", "passes"),
    ] {
        assert_eq!(judged(&[unreadable, all], traffic), said, "{unreadable}");
    }
}

#[test]
fn a_rule_with_no_block_or_two_or_one_of_the_other_version_cannot_be_read() {
    let all = "out 100 allow -1 0.0.0.0/0";
    let traffic =
        Traffic { direction: OUT, remotes: &nets(&["10.0.3.0/24"]), ports: HTTPS.clone() };
    for (v4, v6) in [
        (None, None),
        (Some("10.0.4.0/24"), Some("fd00::/64")),
        (Some("fd00::/64"), None),
        (None, Some("10.0.4.0/24")),
    ] {
        let mut acl = acl(&["out 90 deny -1 0.0.0.0/0", all]);
        acl.entries[0].cidr_block = v4.map(Into::into);
        acl.entries[0].ipv6_cidr_block = v6.map(Into::into);
        let by = judge(&acl, &traffic).map(|stop| stop.by);
        assert_eq!(by, Some(StoppedBy::UnreadableRule(90)));
    }
}

#[test]
fn what_is_stopped_comes_before_what_cannot_be_told() {
    let rules = [
        "in 10 what -1 10.0.3.0/25",
        "in 20 deny -1 10.0.3.192/26",
        "in 30 allow -1 0.0.0.0/0",
        "in 40 deny -1 10.0.3.128/26",
    ];
    assert_eq!(
        judged(&rules, "in 10.0.3.0/24 443-443"),
        "acl-1 stops inbound TCP 443 from 10.0.3.192/26 (rule 20)"
    );
}

#[test]
fn nothing_asked_passes() {
    #[expect(clippy::reversed_empty_ranges, reason = "an empty range is what is tested")]
    let no_ports = 2..=1;
    let everywhere = nets(&[EVERYWHERE]);
    for (remotes, ports) in [(&everywhere[..0], HTTPS), (&everywhere[..], no_ports)] {
        assert_eq!(judge(&acl(&[]), &Traffic { direction: IN, remotes, ports }), None);
    }
}
