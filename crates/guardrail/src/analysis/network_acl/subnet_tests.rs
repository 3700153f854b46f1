use serde_json::json;

use super::tests::{DEFAULT, EVERYWHERE, acl, nets};
use super::*;

#[test]
fn a_subnet_is_under_the_acl_that_lists_it_else_its_vpcs_default_one() {
    let subnet: Subnet = serde_json::from_value(json!({
        "SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "eu-central-1a",
    }))
    .unwrap();
    let acl = |id: &str, vpc: &str, is_default: bool, subnets: &[&str]| -> NetworkAcl {
        let bound: Vec<_> = subnets.iter().map(|id| json!({ "SubnetId": id })).collect();
        serde_json::from_value(json!({
            "NetworkAclId": id, "VpcId": vpc, "IsDefault": is_default, "Associations": bound,
        }))
        .unwrap()
    };
    let other = acl("acl-other", "vpc-1", false, &["subnet-2"]);
    let listing = acl("acl-listing", "vpc-1", false, &["subnet-2", "subnet-1"]);
    let second = acl("acl-second", "vpc-1", false, &["subnet-1"]);
    let default = acl("acl-default", "vpc-1", true, &[]);
    let elsewhere = acl("acl-elsewhere", "vpc-2", true, &[]);
    let cases: [(&[&NetworkAcl], Option<&str>); 6] = [
        (&[&default, &listing, &other], Some("acl-listing")),
        (&[&elsewhere, &other, &default], Some("acl-default")),
        (&[&elsewhere, &other], None),
        (&[&default, &listing, &second], None),
        (&[&default, &default], None),
        (&[], None),
    ];
    for (acls, wanted) in cases {
        let found = acl_of(&subnet, acls.iter().copied());
        assert_eq!(found.map(|acl| acl.network_acl_id.as_str()), wanted);
    }
}

/// What stops connections from 10.0.1.0/24 and 10.0.2.0/25 to an interface at 10.0.3.5.
fn stops(client: &NetworkAcl, endpoint: &NetworkAcl, endpoint_subnet: &str) -> Vec<String> {
    let subnets: [SubnetId; 2] = ["subnet-1", endpoint_subnet].map(|id| id.parse().unwrap());
    let blocks = nets(&["10.0.1.0/24", "10.0.2.0/25"]);
    let interface = nets(&["10.0.3.5/32"]);
    let client = SubnetSide { subnet: &subnets[0], blocks: &blocks, acl: client };
    let endpoint = SubnetSide { subnet: &subnets[1], blocks: &interface, acl: endpoint };
    between(&client, &endpoint, &client_ports(false)).iter().map(ToString::to_string).collect()
}

#[test]
fn between_two_subnets_a_packet_crosses_four_edges() {
    let closed = acl(&[]);
    let mut endpoints = acl(&[]);
    endpoints.network_acl_id = "acl-2".parse().unwrap();
    let all = [
        "acl-1 stops outbound TCP 443 to 10.0.3.5/32 (no rule admits it)",
        "acl-2 stops inbound TCP 443 from 10.0.1.0/24 (no rule admits it)",
        "acl-2 stops outbound TCP 32768-65535 to 10.0.1.0/24 (no rule admits it)",
        "acl-1 stops inbound TCP 32768-65535 from 10.0.3.5/32 (no rule admits it)",
    ];
    assert_eq!(stops(&closed, &endpoints, "subnet-2"), all);

    let client_rules =
        ["out 1 allow 6 10.0.3.0/24 443-443", "in 1 allow 6 10.0.3.0/24 32768-65535"];
    let client = acl(&client_rules);
    assert_eq!(stops(&client, &endpoints, "subnet-2"), all[1..3]);

    for (rules, said) in [
        (
            ["in 1 allow 6 10.0.1.0/24 443-443", "out 1 allow 6 10.0.0.0/16 32768-65535"],
            vec!["acl-1 stops inbound TCP 443 from 10.0.2.0/25 (no rule admits it)"],
        ),
        (
            ["in 1 allow 6 10.0.0.0/16 443-443", "out 1 allow 6 10.0.0.0/16 32768-61000"],
            vec!["acl-1 stops outbound TCP 61001-65535 to 10.0.1.0/24 (no rule admits it)"],
        ),
        (["in 1 allow 6 10.0.0.0/16 443-443", "out 1 allow 6 10.0.0.0/16 32768-65535"], vec![]),
    ] {
        assert_eq!(stops(&client, &acl(&rules), "subnet-2"), said);
    }
}

#[test]
fn within_a_subnet_no_acl_applies() {
    assert_eq!(stops(&acl(&[]), &acl(&[]), "subnet-1"), [""; 0]);
}

#[test]
fn every_block_of_a_service_is_reached_and_answers() {
    let ranges = nets(&["3.5.136.0/22", "52.219.0.0/16"]);
    let said = |rules: &[&str], lambda: bool| -> Vec<String> {
        let stops = to_ranges(&acl(rules), &ranges, &client_ports(lambda));
        stops.iter().map(ToString::to_string).collect()
    };
    let open = ["out 1 allow 6 0.0.0.0/0 443-443", "in 1 allow 6 0.0.0.0/0 32768-65535"];
    assert_eq!(said(&open, false), [""; 0]);
    assert_eq!(
        said(&open, true),
        ["acl-1 stops inbound TCP 1024-32767 from 3.5.136.0/22 (no rule admits it)"]
    );
    let one_range = ["out 1 allow 6 3.5.0.0/16 443-443", "in 1 allow -1 0.0.0.0/0"];
    assert_eq!(
        said(&one_range, true),
        ["acl-1 stops outbound TCP 443 to 52.219.0.0/16 (no rule admits it)"]
    );
    assert_eq!(
        said(&[], false),
        [
            "acl-1 stops outbound TCP 443 to 3.5.136.0/22 (no rule admits it)",
            "acl-1 stops inbound TCP 32768-65535 from 3.5.136.0/22 (no rule admits it)",
        ]
    );
}

#[test]
fn a_way_out_loses_nothing_where_no_public_address_is_reached_and_answers() {
    let answers = "in 100 allow -1 0.0.0.0/0";
    let requests = "out 100 allow -1 0.0.0.0/0";
    let cases: [(&[&str], bool); 15] = [
        (&DEFAULT, false),
        (&[], true),
        (&[requests], true),
        (&[answers], true),
        (&[requests, answers], false),
        (&["out 100 allow -1 10.0.0.0/8", answers], true),
        (&["out 100 allow -1 10.0.0.0/8", "out 110 allow 6 52.95.1.1/32 443-443", answers], false),
        // The VPC's own blocks are reached without any way out, public as they look.
        (&["out 100 allow -1 52.0.0.0/16", answers], true),
        (&["out 100 allow -1 52.0.0.0/15", answers], false),
        (&["out 90 deny 6 0.0.0.0/0 443-443", requests, answers], true),
        (&["out 90 deny 17 0.0.0.0/0 443-443", requests, answers], false),
        // Requests to the one half, answers from the other.
        (&["out 1 allow -1 0.0.0.0/1", "in 1 allow -1 128.0.0.0/1"], true),
        (&[requests, "in 100 allow 6 0.0.0.0/0 443-443"], true),
        (&[requests, "in 100 allow 6 0.0.0.0/0 443-1024"], false),
        // What cannot be read may admit.
        (&["out 90 what -1 0.0.0.0/0", answers], false),
    ];
    for (rules, nothing_lost) in cases {
        let within = EVERYWHERE.parse().unwrap();
        let own = nets(&["10.0.0.0/16", "52.0.0.0/16"]);
        let stops = stops_https_to_all_public(&acl(rules), within, &own);
        assert_eq!(stops, nothing_lost, "{rules:?}");
    }
}

#[test]
fn a_way_out_of_one_ip_version_is_judged_by_that_versions_rules() {
    let v4_only = acl(&["out 1 allow -1 0.0.0.0/0", "in 1 allow -1 0.0.0.0/0"]);
    assert!(stops_https_to_all_public(&v4_only, "::/0".parse().unwrap(), &[]));
    assert!(!stops_https_to_all_public(&v4_only, EVERYWHERE.parse().unwrap(), &[]));
    // NAT64 stands for the IPv4 internet.
    let nat64 = acl(&["out 1 allow -1 64:ff9b::/96", "in 1 allow -1 64:ff9b::/96"]);
    assert!(!stops_https_to_all_public(&nat64, "::/0".parse().unwrap(), &[]));
    assert!(stops_https_to_all_public(&nat64, "2000::/3".parse().unwrap(), &[]));
}
