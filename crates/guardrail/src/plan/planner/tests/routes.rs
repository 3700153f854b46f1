//! Routes that go, what they wait for, and routes that stay.

use serde_json::json;

use super::{DELETE, bent_ssm, check, dns_off, nat};
use crate::fixture::{
    Fixture, gateway_endpoint, group, interface_endpoint, own_group, planned, ready, subnet, table,
};
use crate::plan::{Condition, Task};

#[test]
fn a_route_that_nothing_needs_goes_at_once() {
    check(nat, &[&format!("1 {DELETE}")]);
}

#[test]
fn endpoints_that_are_on_their_way_are_waited_for() {
    check(
        |w| s3_coming(nat(w).set("vpce-ssm", "State", json!("pending"))),
        &[
            "1 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available",
            "3 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 1, 2)",
            "- com.amazonaws.eu-central-1.s3 is not served to subnet-pria, subnet-prib: vpce-s3 is in state pending: it \
             comes up by itself",
            "- com.amazonaws.eu-central-1.ssm is not served to subnet-pria, subnet-prib: vpce-ssm is in state pending: it \
             comes up by itself",
        ],
    );
    check(
        |w| dns_off(nat(w)).baseline("interface_endpoints", json!({"services": ["ssm"]})),
        &[
            "1 turn enableDnsHostnames of vpc-1 on",
            "2 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 1)",
        ],
    );
}

/// A NAT route in a VPC in which nothing is required, whose DHCP options name this DNS server.
fn asked(w: &mut Fixture, server: &str) {
    let set = json!([{"Key": "domain-name-servers", "Values": [{"Value": server}]}]);
    nat(w).add("DhcpOptions", json!({"DhcpOptionsId": "dopt-1", "DhcpConfigurations": set}));
    w.set("vpc-1", "DhcpOptionsId", json!("dopt-1"))
        .set("subnet-pria", "CidrBlock", json!("10.0.1.0/24"))
        .baseline("gateway_endpoints", json!({"services": []}))
        .baseline("interface_endpoints", json!({"services": []}));
}

#[test]
fn a_route_by_which_the_vpcs_dns_server_may_ask_others_stays_also_where_nothing_is_required() {
    let inside = "10.0.1.9";
    check(
        |w| {
            asked(w, inside);
            w
        },
        &[&format!(
            "- rtb-a: 0.0.0.0/0 → nat-1: DNS server {inside} may ask others by it, for whoever asks that server; if it \
             forwards to Amazon's resolver, say `resolver: forwards-to-amazon` in the baseline's `overrides`"
        )],
    );
    let over = json!([{"vpc": {"id": "vpc-1"}, "resolver": "forwards-to-amazon"}]);
    check(
        |w| {
            asked(w, inside);
            w.baseline("overrides", over)
        },
        &[&format!("1 {DELETE}")],
    );
    check(
        |w| {
            asked(w, "10.0.99.9");
            w
        },
        &[&format!("1 {DELETE}")],
    );
}

/// S3's endpoint comes up, and has no route in `rtb-a` yet.
fn s3_coming(w: &mut Fixture) -> &mut Fixture {
    w.set("vpce-s3", "State", json!("pending")).drop_route("rtb-a", "pl-s3")
}

#[test]
fn a_route_to_an_available_endpoint_that_nobody_writes_is_not_waited_for() {
    check(
        |w| nat(w).drop_route("rtb-a", "pl-s3"),
        &[
            "- com.amazonaws.eu-central-1.s3 is not served to subnet-pria: rtb-a has no active route to vpce-s3: nothing \
             that the guardrail may do removes it",
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.s3",
        ],
    );
}

/// What the plan waits for after an edit.
fn awaited(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<Condition> {
    let steps = Fixture::edited(edit).plan("test").1.steps.into_iter();
    let awaited = steps.filter_map(|step| match step.task {
        Task::Await(condition) => Some(condition),
        Task::Change(_) => None,
    });
    awaited.collect()
}

#[test]
fn what_is_made_is_waited_for_where_it_is_made() {
    assert_eq!(
        awaited(|w| w.delete_gateway("vpce-s3").remove("vpce-ssm")),
        [ready("s3", &["rtb-a", "rtb-b"], &[], false), ready("ssm", &[], &["a", "b"], true)]
    );
    let nameless = awaited(|w| {
        let ssm = json!({"service": "ssm", "reached_by": "endpoint-name"});
        w.remove("vpce-ssm").baseline("interface_endpoints", json!({"services": [ssm]}))
    });
    assert_eq!(nameless, [ready("ssm", &[], &["a", "b"], false)]);
}

#[test]
fn what_is_changed_is_waited_for_and_no_more() {
    assert_eq!(awaited(bent_ssm), [ready("ssm", &[], &["a", "b"], true)]);
    assert_eq!(
        awaited(|w| w.set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]))),
        [ready("ssm", &[], &["a", "b"], false)]
    );
    assert_eq!(
        awaited(|w| w.drop_route("rtb-b", "pl-s3").set(
            "vpce-s3",
            "RouteTableIds",
            json!(["rtb-a"])
        )),
        [ready("s3", &["rtb-b"], &[], false)]
    );
}

#[test]
fn what_is_on_its_way_is_waited_for_as_the_subnet_needs_it() {
    assert_eq!(
        awaited(|w| s3_coming(nat(w).set("vpce-ssm", "State", json!("pending")))),
        [ready("s3", &["rtb-a"], &[], false), ready("ssm", &[], &[], true)]
    );
}

#[test]
fn a_route_stays_where_only_part_of_an_endpoint_can_be_mended() {
    check(
        |w| {
            w.set("vpce-ssm", "Groups", json!([])).set(
                "vpce-ssm",
                "SubnetIds",
                json!(["subnet-pria"]),
            );
            nat(w).add("SecurityGroups", group("sg-them", "vpc-guardrail-endpoints", &[]))
        },
        &[
            "1 modify vpce-ssm: add subnet-prib",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
            "- vpce-ssm (com.amazonaws.eu-central-1.ssm) admits no TCP 443 from 10.0.0.0/16: sg-them has the name of the \
             guardrail's own group but not its tag; rename or tag it",
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm",
        ],
    );
}

#[test]
fn a_route_stays_where_only_a_broken_gateway_endpoint_has_the_table() {
    check(
        |w| {
            w.set("vpce-s3", "RouteTableIds", json!(["rtb-b"])).drop_route("rtb-a", "pl-s3");
            w.add("VpcEndpoints", gateway_endpoint("vpce-zzz", "s3", &["rtb-a"]));
            nat(w).set("vpce-zzz", "State", json!("failed"))
        },
        &[
            "- com.amazonaws.eu-central-1.s3 is not served to subnet-pria: vpce-zzz is in state failed: nothing that the \
             guardrail may do removes it",
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.s3",
        ],
    );
}

#[test]
fn a_gateway_endpoint_does_not_serve_what_is_to_be_reached_through_an_interface_endpoint() {
    check(
        |w| {
            w.baseline("interface_endpoints", json!({"services": ["s3"]}));
            w.add("VpcEndpoints", interface_endpoint("vpce-s3i", "s3"));
            nat(w)
                .set("vpce-s3i", "Groups", json!([{"GroupId": "sg-unseen"}]))
                .delete_gateway("vpce-s3")
        },
        &[
            "1 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-a, rtb-b",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
            "- security groups of vpce-s3i (com.amazonaws.eu-central-1.s3): not everything was observed: SecurityGroups \
             missing",
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it may cut off com.amazonaws.eu-central-1.s3",
        ],
    );
}

#[test]
fn a_gateway_endpoint_that_comes_to_another_table_is_not_waited_for_in_its_stead() {
    check(
        |w| {
            w.drop_route("rtb-b", "pl-s3").set("vpce-s3", "RouteTableIds", json!(["rtb-a"]));
            s3_coming(nat(w))
        },
        &[
            "1 modify vpce-s3: associate rtb-b",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
            "3 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available",
            "4 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 3)",
            "- com.amazonaws.eu-central-1.s3 is not served to subnet-pria: vpce-s3 is in state pending: it comes up by \
             itself",
        ],
    );
}

#[test]
fn a_route_stays_while_a_service_is_served_by_nothing() {
    let stays =
        "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm";
    check(
        |w| nat(w).set("vpce-ssm", "State", json!("Failed")),
        &[
            "- vpce-ssm (com.amazonaws.eu-central-1.ssm) is in state failed: it does not mend by itself; delete it, and \
             the guardrail makes a new one",
            stays,
        ],
    );
    let both_subnets = planned(|w| {
        w.add("Subnets", subnet("subnet-pric", "a", "private"))
            .associate("rtb-a", json!({"SubnetId": "subnet-pric"}));
        nat(w).set("vpce-ssm", "State", json!("Failed"))
    });
    assert_eq!(both_subnets.last().unwrap(), stays);
    let unseen = "- security groups of vpce-ssm (com.amazonaws.eu-central-1.ssm): not everything was observed: \
                  SecurityGroups missing";
    check(
        |w| nat(w).set("vpce-ssm", "Groups", json!([{"GroupId": "sg-unseen"}])),
        &[unseen, &stays.replace("would", "may")],
    );
}

/// The name would lead an IPv6-only subnet that comes by NAT64 today to an endpoint without IPv6.
const MOVES_IPV6_ONLY: &str = "- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a, \
     eu-central-1b: it would cut off com.amazonaws.eu-central-1.ssm for subnets that reach it now";

#[test]
fn an_ipv6_only_subnet_keeps_its_way_out_through_nat64() {
    check(
        |w| {
            w.baseline("interface_endpoints", json!({"services": ["ssm"]})).route(
                "rtb-b",
                "64:ff9b::/96",
                "nat-1",
            );
            w.baseline("gateway_endpoints", json!({"services": []})).set(
                "subnet-prib",
                "Ipv6Native",
                json!(true),
            );
            w.remove("vpce-ssm").add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &[
            "- interface of the endpoint for com.amazonaws.eu-central-1.ssm: no private subnet in eu-central-1b has room \
             for an endpoint's IPv4 interface",
            MOVES_IPV6_ONLY,
            "- rtb-b: 64:ff9b::/96 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm",
        ],
    );
}

#[test]
fn an_ipv6_only_subnet_waits_for_an_endpoint_that_has_ipv6() {
    check(
        |w| {
            w.baseline("interface_endpoints", json!({"services": ["ssm"]})).route(
                "rtb-b",
                "64:ff9b::/96",
                "nat-1",
            );
            w.baseline("gateway_endpoints", json!({"services": []})).set(
                "subnet-prib",
                "Ipv6Native",
                json!(true),
            );
            w.ipv6("subnet-prib", "2001:db8:0:2::/64");
            w.set("vpce-ssm", "IpAddressType", json!("dualstack")).set(
                "vpce-ssm",
                "State",
                json!("pending"),
            )
        },
        &[
            "1 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available",
            "2 delete the route 64:ff9b::/96 → nat-1 from rtb-b (after 1)",
            "- com.amazonaws.eu-central-1.ssm is not served to subnet-pria, subnet-prib: vpce-ssm is in state pending: it \
             comes up by itself",
        ],
    );
}

#[test]
fn tables_that_others_use_are_left_alone() {
    check(
        |w| {
            w.associate("rtb-a", json!({"SubnetId": "subnet-c"}))
                .add("Subnets", subnet("subnet-c", "a", "data"));
            nat(w).delete_gateway("vpce-s3")
        },
        &[
            "1 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-b",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
            "- rtb-a without com.amazonaws.eu-central-1.s3: the table serves subnet-c too; give the private subnets a \
             table of their own",
            "- rtb-a: 0.0.0.0/0 → nat-1: the table serves subnet-c too; give the private subnets a table of their own",
            "- subnet-c: no rule changes a subnet that is neither private nor public; tag it as what it is, or accept it in \
             `unclassified_subnets`",
        ],
    );
    check(
        |w| {
            w.associate("rtb-a", json!({"SubnetId": "subnet-c"}))
                .add("Subnets", subnet("subnet-c", "a", "public"));
            nat(w)
        },
        &[
            "- rtb-a: 0.0.0.0/0 → nat-1: the table serves subnet-c too; give the private subnets a table of their own",
            "- subnet-c: no rule changes a subnet whose tags contradict each other or the way it is built; correct \
             them, or accept it in `unclassified_subnets`",
        ],
    );
    check(
        |w| {
            w.add("RouteTables", table("rtb-regional", &["subnet-pria"])).route(
                "rtb-regional",
                "0.0.0.0/0",
                "igw-1",
            );
            w.set("rtb-a", "Associations", json!([]))
        },
        &[
            "- com.amazonaws.eu-central-1.s3 is not served to subnet-pria: no endpoint on rtb-regional: nothing that the \
             guardrail may do removes it",
            "- com.amazonaws.eu-central-1.dynamodb is not served to subnet-pria: no endpoint on rtb-regional: nothing that \
             the guardrail may do removes it",
            "- rtb-regional: 0.0.0.0/0 → igw-1: the table is a gateway's own and is never changed; give the private subnets \
           another one",
        ],
    );
}

#[test]
fn where_the_baseline_means_all_tables_those_that_others_use_get_the_endpoint_too() {
    check(
        |w| {
            w.baseline("gateway_endpoints", json!({"services": ["s3"], "route_tables": "all"}));
            w.associate("rtb-a", json!({"SubnetId": "subnet-c"}))
                .add("Subnets", subnet("subnet-c", "a", "data"));
            w.delete_gateway("vpce-s3")
        },
        &[
            "1 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-a, rtb-b, rtb-pub",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
        ],
    );
}

#[test]
fn a_table_that_is_left_alone_holds_back_no_route_of_another() {
    check(
        |w| {
            w.associate("rtb-a", json!({"SubnetId": "subnet-c"}))
                .add("Subnets", subnet("subnet-c", "a", "data"));
            w.delete_gateway("vpce-s3").route("rtb-b", "0.0.0.0/0", "nat-1")
        },
        &[
            "1 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-b",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
            "3 delete the route 0.0.0.0/0 → nat-1 from rtb-b (after 2)",
            "- rtb-a without com.amazonaws.eu-central-1.s3: the table serves subnet-c too; give the private subnets a \
             table of their own",
        ],
    );
}

fn kinds(w: &mut Fixture) -> &mut Fixture {
    w.route("rtb-a", "0.0.0.0/0", "tgw-1").route("rtb-a", "pl-unread", "nat-1").route(
        "rtb-a",
        "1.0.0.0/8",
        "portal-1",
    );
    w.route("rtb-a", "::/0", "eigw-1").route("rtb-a", "2.0.0.0/8", "nat-1");
    w.set_route("rtb-a", "2.0.0.0/8", "Origin", json!("EnableVgwRoutePropagation"))
}

#[test]
fn routes_that_are_left_alone_are_named_with_the_reason() {
    let unknown = [
        "- rtb-a: pl-unread → nat-1: what is not known is never deleted",
        "- rtb-a: 1.0.0.0/8 → portal-1: what is not known is never deleted",
        "- rtb-a: 2.0.0.0/8 → nat-1: a propagated route cannot be deleted; disable the propagation",
    ];
    let mut report = vec!["1 delete the route ::/0 → eigw-1 from rtb-a"];
    report.push(
        "- rtb-a: 0.0.0.0/0 → tgw-1: it may be meant; the baseline says to report such routes only",
    );
    report.extend(unknown);
    check(kinds, &report);
    let mut remove = vec![
        "1 delete the route 0.0.0.0/0 → tgw-1 from rtb-a",
        "2 delete the route ::/0 → eigw-1 from rtb-a",
    ];
    remove.extend(unknown);
    check(|w| kinds(w.baseline("internet_routes", json!({"may_lead_out": "remove"}))), &remove);
}

#[test]
fn an_endpoint_made_for_a_zone_does_not_serve_the_ipv6_only_subnets_there() {
    check(
        |w| {
            w.baseline("interface_endpoints", json!({"services": ["ssm"]})).remove("vpce-ssm");
            w.baseline("gateway_endpoints", json!({"services": []})).set(
                "subnet-prib",
                "Ipv6Native",
                json!(true),
            );
            w.add("Subnets", subnet("subnet-v4", "b", "private"))
                .add("RouteTables", table("rtb-c", &["subnet-v4"]));
            w.route("rtb-b", "64:ff9b::/96", "nat-1").route("rtb-c", "0.0.0.0/0", "nat-1");
            w.add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &[
            MOVES_IPV6_ONLY,
            "- rtb-b: 64:ff9b::/96 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm",
            "- rtb-c: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm",
        ],
    );
}

#[test]
fn nothing_is_waited_for_where_the_route_stays_all_the_same() {
    let steps = planned(|w| {
        w.route("rtb-a", "0.0.0.0/0", "nat-1").set("vpce-ssm", "State", json!("failed")).set(
            "vpce-ssmmessages",
            "State",
            json!("pending"),
        )
    });
    assert!(!steps.iter().any(|line| line.contains("wait until")), "{steps:#?}");
    assert!(steps.iter().any(|line| line.contains("removing it would cut off")), "{steps:#?}");
}

/// A misspelt name, a full name of another Region, a service under the wrong kind, a service that the
/// Region has not: none of them is served by anything, so the way out stays.
#[test]
fn a_route_stays_for_what_is_required_and_cannot_be_had() {
    for (list, service) in [
        ("interface_endpoints", "smm"),
        ("interface_endpoints", "com.amazonaws.us-east-1.ssm"),
        ("interface_endpoints", "dynamodb"),
        ("gateway_endpoints", "ssm"),
    ] {
        let planned_with =
            |service: String| planned(|w| nat(w).baseline(list, json!({"services": [service]})));
        let stays = planned_with(service.to_owned());
        assert!(!stays.iter().any(|line| line.contains(DELETE)), "{service}: {stays:#?}");
        assert!(stays.iter().any(|line| line.contains("removing it would cut off")), "{stays:#?}");
        let goes = planned_with(format!("{service}?"));
        assert!(goes.iter().any(|line| line.contains(DELETE)), "{service}?: {goes:#?}");
    }
}

/// `nat-private` stands in `subnet-prib`, so that what `subnet-pria` sends to it leaves by `rtb-b`.
#[test]
fn whoever_passes_through_a_subnet_of_the_table_is_counted_too() {
    let through = |w: &mut Fixture| {
        w.route("rtb-b", "0.0.0.0/0", "nat-1").route("rtb-a", "0.0.0.0/0", "nat-private");
        w.baseline("interface_endpoints", json!({"services": []}));
    };
    let unproven = "- rtb-a: 0.0.0.0/0 → nat-private: whether private NAT gateway nat-private passes \
                    traffic on to public NAT gateway nat-1 cannot be proved; a person must decide";
    check(
        |w| {
            through(w);
            w
        },
        &["1 delete the route 0.0.0.0/0 → nat-1 from rtb-b", unproven],
    );
    // It is not served in its own table.
    check(
        |w| {
            through(w);
            w.set("vpce-s3", "PolicyDocument", json!("{\"Statement\":[]}"));
            w.drop_route("rtb-a", "pl-s3").set("vpce-s3", "RouteTableIds", json!(["rtb-b"]))
        },
        &[
            "- the policy of vpce-s3 (com.amazonaws.eu-central-1.s3) cannot be read: policies are \
             people's; if it is meant, accept \
             sha256:701f12e2a45641932e7716b160cc43c240755a8790dc94ac5af17eb9dc4d261f in the baseline",
            unproven,
            "- rtb-a without com.amazonaws.eu-central-1.s3: it may cut off \
             com.amazonaws.eu-central-1.s3 for subnets that reach it now",
            "- rtb-b: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.s3",
        ],
    );
    check(
        |w| {
            through(w);
            w.set("subnet-pria", "Tags", json!([]))
        },
        &[
            "- rtb-b: 0.0.0.0/0 → nat-1: traffic of subnet-pria is passed on to it, through what stands \
             in the table's subnets",
            "- subnet-pria: no rule changes a subnet that is neither private nor public; tag it as what \
             it is, or accept it in `unclassified_subnets`",
        ],
    );
}
