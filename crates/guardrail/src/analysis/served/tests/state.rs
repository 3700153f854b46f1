//! Endpoints that are not there, not yet or no longer at work, groups, versions of IP, zones.

use serde_json::json;

use super::{check, only_interface, only_ssm};
use crate::fixture::{Fixture, group, interface_endpoint, subnet, table};

fn ssm<'f>(w: &'f mut Fixture, key: &str, value: serde_json::Value) -> &'f mut Fixture {
    only_ssm(w).set("vpce-ssm", key, value)
}

#[test]
fn no_endpoint() {
    check(|w| only_ssm(w).remove("vpce-ssm"), &["ssm for pria, prib: no endpoint"]);
    check(
        |w| ssm(w, "State", json!("deleted")).remove("vpce-s3"),
        &["ssm for pria, prib: no endpoint"],
    );
    check(
        |w| ssm(w, "RequesterManaged", json!(true)),
        &["ssm for pria, prib: vpce-ssm, which is not the VPC's own to use, holds the name"],
    );
    check(
        |w| ssm(w, "ServiceRegion", json!("eu-west-1")),
        &["ssm for pria, prib: vpce-ssm, which is not the VPC's own to use, holds the name"],
    );
}

#[test]
fn an_endpoint_that_is_coming_or_broken_or_not_accepted_yet() {
    check(
        |w| ssm(w, "State", json!("pending")),
        &["ssm for pria, prib: vpce-ssm is in state pending"],
    );
    for state in ["failed", "rejected", "expired", "partial", "sleeping"] {
        let expected = format!("ssm for pria, prib: vpce-ssm is in state {state}");
        check(|w| ssm(w, "State", json!(state)), &[&expected]);
    }
    check(
        |w| ssm(w, "State", json!("pendingAcceptance")),
        &["ssm for pria, prib: ? vpce-ssm waits for the service's owner to accept it"],
    );
    // AWS writes a state's first letter as it likes.
    check(|w| ssm(w, "State", json!("Available")), &[]);
}

#[test]
fn an_endpoint_without_an_interface_serves_nobody() {
    check(|w| ssm(w, "SubnetIds", json!([])), &["ssm for pria, prib: vpce-ssm has no interface"]);
}

/// "An interface in another zone serves: a missing zone stays a finding about resilience".
#[test]
fn an_interface_in_another_zone_serves() {
    check(|w| ssm(w, "SubnetIds", json!(["subnet-pria"])), &[]);
    check(|w| ssm(w, "SubnetIds", json!(["subnet-puba"])), &[]);
}

#[test]
fn a_group_must_admit_all_of_the_subnets_block() {
    let blocks = |w: &mut Fixture, admitted: &[&str]| {
        w.set("subnet-pria", "CidrBlock", json!("10.0.1.0/24"));
        w.set("subnet-prib", "CidrBlock", json!("10.0.2.0/24"));
        w.add("SecurityGroups", group("sg-part", "part", admitted));
        ssm(w, "Groups", json!([{"GroupId": "sg-part"}]));
    };
    check(
        |w| {
            blocks(w, &["10.0.1.0/25", "10.0.2.0/24"]);
            w
        },
        &["ssm for pria: vpce-ssm admits no TCP 443 from 10.0.1.0/24"],
    );
    // Two halves make a whole, and what is only a finding about the rest of the VPC is no obstacle.
    check(
        |w| {
            blocks(w, &["10.0.1.0/25", "10.0.1.128/25", "10.0.2.0/23"]);
            w
        },
        &[],
    );
    check(
        |w| ssm(w, "Groups", json!([])),
        &["ssm for pria, prib: vpce-ssm admits no TCP 443 from 10.0.0.0/16"],
    );
}

/// "An unread group … cannot tell, never on its baseline".
#[test]
fn a_group_that_was_not_read_admits_nobody_for_certain() {
    check(
        |w| only_ssm(w).without("SecurityGroups"),
        &["ssm for pria, prib: ? SecurityGroups not read"],
    );
    let two = json!([{"GroupId": "sg-https"}, {"GroupId": "sg-unseen"}]);
    check(
        |w| ssm(w, "Groups", two),
        &["ssm for pria, prib: ? a security group of vpce-ssm was not read"],
    );
}

/// A private subnet of each kind of IP: `pria` IPv4, `prib` both, `pric` IPv6 only.
fn versions(w: &mut Fixture) -> &mut Fixture {
    w.add("Subnets", subnet("subnet-pric", "a", "private"));
    w.set("subnet-pric", "Ipv6Native", json!(true));
    w.add("RouteTables", table("rtb-c", &["subnet-pric"]));
    w.ipv6("subnet-prib", "2001:db8:0:2::/64").ipv6("subnet-pric", "2001:db8:0:3::/64");
    only_ssm(w)
}

const NO_V4: &str = "vpce-ssm does not answer over IPv4";
const NO_V6: &str = "vpce-ssm does not answer over IPv6";

/// Each type of endpoint and each `DnsRecordIpType`, for an IPv4-only, a dual-stack and an IPv6-only
/// subnet.
#[test]
fn each_subnet_is_served_over_its_own_version_of_ip() {
    let unclear = "? whether the name of vpce-ssm answers over IPv6 is not said";
    let v6_only = |line: &str| vec![format!("ssm for pric: {line}")];
    let v4_users = |line: &str| vec![format!("ssm for pria, prib: {line}")];
    let all = |line: &str| vec![format!("ssm for pria, prib, pric: ? {line}")];
    let unknown = "the IP address type of vpce-ssm is not known: tristack";
    for (kind, record, expected) in [
        (json!(null), json!(null), v6_only(NO_V6)),
        (json!("ipv4"), json!(null), v6_only(NO_V6)),
        (json!("ipv4"), json!("service-defined"), v6_only(NO_V6)),
        (json!("ipv6"), json!(null), v4_users(NO_V4)),
        (json!("dualstack"), json!(null), vec![]),
        (json!("dualstack"), json!("dualstack"), vec![]),
        (json!("dualstack"), json!("ipv4"), v6_only(NO_V6)),
        (json!("dualstack"), json!("ipv6"), v4_users(NO_V4)),
        (json!("dualstack"), json!("service-defined"), v6_only(unclear)),
        (json!("DualStack"), json!("DUALSTACK"), vec![]),
        (json!("tristack"), json!(null), all(unknown)),
        (json!("ipv4"), json!("tristack"), {
            let unclear = unclear.trim_start_matches("? ");
            let first = all(unclear).into_iter();
            first.chain(v6_only(NO_V6)).collect()
        }),
    ] {
        let seen = super::told(|w| {
            versions(w).set("vpce-ssm", "IpAddressType", kind.clone());
            w.set("vpce-ssm", "DnsOptions", json!({"DnsRecordIpType": record}))
        });
        assert_eq!(seen, expected, "{kind} {record}");
    }
}

/// Where the name answers with IPv6 addresses too, dual-stack clients try those first.
#[test]
fn a_dual_stack_subnet_needs_its_ipv6_blocks_admitted_where_the_name_answers_over_ipv6() {
    let admits_v4_only = |w: &mut Fixture, record: serde_json::Value| {
        versions(w).set("vpce-ssm", "IpAddressType", json!("dualstack"));
        w.set("vpce-ssm", "DnsOptions", json!({"DnsRecordIpType": record}));
        w.add("SecurityGroups", group("sg-v4", "v4", &["10.0.0.0/16"]));
        w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-v4"}])).remove("subnet-pric");
    };
    check(
        |w| {
            admits_v4_only(w, json!("dualstack"));
            w
        },
        &["ssm for prib: vpce-ssm admits no TCP 443 from 2001:db8:0:2::/64"],
    );
    for (record, told) in [("service-defined", true), ("ipv4", false)] {
        let seen = super::told(|w| {
            admits_v4_only(w, json!(record));
            w
        });
        assert_eq!(!seen.is_empty(), told, "{record}: {seen:?}");
    }
}

/// "`required_in: <selector>` in the baseline says which subnets need a service."
#[test]
fn a_service_is_asked_of_the_subnets_that_need_it() {
    let needed_in = json!({"service": "ssm", "required_in": [{"tag": "Role", "values": ["app"]}]});
    let tagged = |w: &mut Fixture| {
        only_interface(w, needed_in).remove("vpce-ssm");
        let tags = json!([{"Key": "Tier", "Value": "private"}, {"Key": "Role", "Value": "app"}]);
        w.set("subnet-prib", "Tags", tags);
    };
    check(
        |w| {
            tagged(w);
            w
        },
        &["ssm for prib: no endpoint"],
    );
}

/// A service that is offered in no zone of a private subnet can have no endpoint there, and the VPC
/// is not on its baseline for that.
#[test]
fn a_service_that_no_zone_of_the_private_subnets_offers() {
    check(
        |w| {
            let name = "com.amazonaws.eu-central-1.ssm";
            only_ssm(w).remove("vpce-ssm").set(name, "AvailabilityZones", json!(["eu-central-1c"]))
        },
        &["ssm for pria, prib: no endpoint"],
    );
}

#[test]
fn a_section_that_was_not_read_is_named() {
    for (section, told) in [
        ("VpcEndpoints", "ssm for pria, prib: ? VpcEndpoints not read"),
        ("VpcEndpointServices", "ssm for pria, prib: ? VpcEndpointServices not read"),
        ("VpcAttributes", "ssm for pria, prib: ? VpcAttributes not read"),
        ("NetworkAcls", "ssm for pria, prib: ? NetworkAcls not read"),
    ] {
        check(|w| only_ssm(w).without(section), &[told]);
    }
    // At its own `default`, or where none is said, no set of DHCP options has a part in it.
    check(|w| only_ssm(w).without("DhcpOptions"), &[]);
    check(
        |w| only_ssm(w).set("vpc-1", "DhcpOptionsId", json!("dopt-1")).without("DhcpOptions"),
        &["ssm for pria, prib: ? DhcpOptions not read"],
    );
}

#[test]
fn what_the_region_does_not_offer() {
    let nowhere = "quantum for pria, prib: the Region does not offer it";
    check(|w| only_interface(w, json!("quantum")), &[nowhere]);
    check(|w| only_interface(w, json!("quantum?")), &[]);
    let held = |w: &mut Fixture| {
        let _ = only_interface(w, json!("quantum"));
        w.add("VpcEndpoints", interface_endpoint("vpce-quantum", "quantum"));
    };
    check(
        |w| {
            held(w);
            w
        },
        &[nowhere],
    );
}

/// What is not said of a group's rule is not known; what another rule says of the same clients is.
#[test]
fn a_groups_rule_that_cannot_be_read() {
    let from = json!([{"CidrIp": "10.0.0.0/16"}]);
    let unclear = ["ssm for pria, prib: ? a rule of sg-https, a group of vpce-ssm, cannot be read"];
    for rule in [
        json!({"IpProtocol": "tcp", "IpRanges": from}),
        json!({"IpProtocol": "tcp", "FromPort": 443, "IpRanges": from}),
        json!({"IpProtocol": "6", "ToPort": 443, "IpRanges": from}),
        json!({"IpRanges": from}),
        json!({"IpProtocol": "all of them", "IpRanges": from}),
        json!({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/99"}]}),
        json!({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-unread"}]}),
        json!({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-unseen"}]}),
    ] {
        check(|w| only_ssm(w).set("sg-https", "IpPermissions", json!([rule])), &unclear);
        let whole = json!({"IpProtocol": "-1", "IpRanges": from});
        check(|w| only_ssm(w).set("sg-https", "IpPermissions", json!([rule, whole])), &[]);
    }
    for rule in [
        json!({"IpProtocol": "udp", "IpRanges": from}),
        json!({"IpProtocol": "17", "IpRanges": from}),
        json!({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": from}),
        json!({"IpProtocol": "udp", "PrefixListIds": [{"PrefixListId": "pl-unread"}]}),
    ] {
        let shut = ["ssm for pria, prib: vpce-ssm admits no TCP 443 from 10.0.0.0/16"];
        check(|w| only_ssm(w).set("sg-https", "IpPermissions", json!([rule])), &shut);
    }
}

/// Where a subnet's own block is not said, or cannot be read, its clients are anywhere in the VPC's.
#[test]
fn a_subnet_without_a_block_that_can_be_read_is_any_part_of_the_vpc() {
    for block in [json!(null), json!("10.0.1.0/99"), json!("")] {
        let seen = super::told(|w| {
            w.set("subnet-pria", "CidrBlock", block.clone());
            w.set("subnet-prib", "CidrBlock", json!("10.0.2.0/24"));
            let half = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/17"}]}]);
            only_ssm(w).set("sg-https", "IpPermissions", half)
        });
        assert_eq!(seen, ["ssm for pria: vpce-ssm admits no TCP 443 from 10.0.0.0/16"], "{block}");
    }
    check(
        |w| {
            only_ssm(w).set("vpc-1", "CidrBlock", json!("nowhere"));
            w.set("subnet-prib", "CidrBlock", json!("10.0.2.0/24"))
        },
        &["ssm for pria: ? Subnets not read"],
    );
}
