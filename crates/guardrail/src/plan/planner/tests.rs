use serde_json::{Value, json};

use crate::ec2::change::Action;
use crate::fixture::{
    Fixture, gateway_endpoint, group, interface_endpoint, own_group, planned, ready, subnet, table,
};
use crate::plan::{Condition, Task};

fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
    assert_eq!(planned(edit), expected);
}

/// Somebody's NAT route on the table of `subnet-pria`.
fn nat(w: &mut Fixture) -> &mut Fixture {
    w.route("rtb-a", "0.0.0.0/0", "nat-1")
}

fn modes<'f>(w: &'f mut Fixture, rules: &[(&str, &str)]) -> &'f mut Fixture {
    for (rule, mode) in rules {
        w.baseline["rules"][*rule] = json!({"mode": mode});
    }
    w
}

fn dns_off(w: &mut Fixture) -> &mut Fixture {
    w.world["VpcAttributes"]["vpc-1"]["EnableDnsHostnames"] = json!(false);
    w
}

/// `vpce-ssm` in one zone only, closed, and without private DNS.
fn bent_ssm(w: &mut Fixture) -> &mut Fixture {
    w.set("vpce-ssm", "Groups", json!([])).set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]));
    w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))
}

const DELETE: &str = "delete the route 0.0.0.0/0 → nat-1 from rtb-a";

#[test]
fn nothing_at_all_for_a_vpc_on_its_baseline() {
    let (findings, plan) = Fixture::compliant().plan("test");
    assert_eq!((findings, plan), (vec![], crate::plan::Plan::default()));
}

#[test]
fn an_interface_endpoint_beside_a_gateway_endpoint_for_the_same_service_has_private_dns() {
    check(
        |w| {
            w.baseline("interface_endpoints", json!({"services": ["s3"]}));
            w.add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &[
            "1 create an interface endpoint for com.amazonaws.eu-central-1.s3 in subnet-pria, subnet-prib with sg-own, with \
             private DNS",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
        ],
    );
}

#[test]
fn a_route_that_nothing_needs_goes_at_once() {
    check(nat, &[&format!("1 {DELETE}")]);
}

#[test]
fn make_before_break_and_wait_side_by_side() {
    check(
        |w| dns_off(nat(w)).delete_gateway("vpce-s3").remove("vpce-ssm").remove("vpce-ssmmessages"),
        &[
            "1 turn enableDnsHostnames of vpc-1 on",
            "2 create security group vpc-guardrail-endpoints in vpc-1",
            "3 admit TCP 443 to the group made by step 2 from 10.0.0.0/16 (after 2)",
            "4 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-a, rtb-b",
            "5 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with the group \
             made by step 2, with private DNS (after 2, 3, 1)",
            "6 create an interface endpoint for com.amazonaws.eu-central-1.ssmmessages in subnet-pria, subnet-prib with \
             the group made by step 2, with private DNS (after 2, 3, 1)",
            "7 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 4)",
            "8 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 5)",
            "9 wait until the endpoint for com.amazonaws.eu-central-1.ssmmessages is available (after 6)",
            "10 wait until the endpoint for com.amazonaws.eu-central-1.ec2messages is available (after 1)",
            "11 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 1, 7, 8, 9, 10)",
        ],
    );
}

#[test]
fn one_modify_carries_every_delta_of_one_endpoint() {
    check(
        |w| bent_ssm(nat(w)),
        &[
            "1 create security group vpc-guardrail-endpoints in vpc-1",
            "2 admit TCP 443 to the group made by step 1 from 10.0.0.0/16 (after 1)",
            "3 modify vpce-ssm: add subnet-prib; attach the group made by step 1; turn private DNS on (after 1, 2)",
            "4 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 3)",
            "5 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 4)",
        ],
    );
    check(
        |w| {
            w.drop_route("rtb-a", "pl-s3").drop_route("rtb-b", "pl-s3").set(
                "vpce-s3",
                "RouteTableIds",
                json!([]),
            );
            w.add("VpcEndpoints", gateway_endpoint("vpce-zzz", "s3", &[]))
        },
        &[
            "1 modify vpce-s3: associate rtb-a, rtb-b",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
        ],
    );
}

#[test]
fn a_modify_for_each_mode_and_the_route_waits_for_all_of_them() {
    check(
        |w| {
            modes(w, &[("private-dns", "notify"), ("endpoint-security-group", "observe")]);
            bent_ssm(w).route("rtb-b", "0.0.0.0/0", "nat-1")
        },
        &[
            "1 create security group vpc-guardrail-endpoints in vpc-1 [observe]",
            "2 admit TCP 443 to the group made by step 1 from 10.0.0.0/16 (after 1) [observe]",
            "3 modify vpce-ssm: add subnet-prib",
            "4 modify vpce-ssm: turn private DNS on [notify]",
            "5 modify vpce-ssm: attach the group made by step 1 (after 1, 2) [observe]",
            "6 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 3)",
            "7 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 4) [notify]",
            "8 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 5) [observe]",
            "9 delete the route 0.0.0.0/0 → nat-1 from rtb-b (after 6, 7, 8)",
        ],
    );
}

#[test]
fn a_rule_in_notify_shows_its_steps() {
    check(
        |w| modes(nat(w), &[("internet-route", "notify")]),
        &["1 delete the route 0.0.0.0/0 → nat-1 from rtb-a [notify]"],
    );
}

#[test]
fn immediately_means_before_everything_else() {
    check(
        |w| {
            w.baseline("internet_routes", json!({"remove": "immediately"}));
            nat(w).add("SecurityGroups", own_group(&["10.0.0.0/16"])).remove("vpce-ssm")
        },
        &[
            "1 delete the route 0.0.0.0/0 → nat-1 from rtb-a",
            "2 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with sg-own, \
             with private DNS",
            "3 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 2)",
        ],
    );
}

#[test]
fn endpoints_that_are_on_their_way_are_waited_for() {
    check(
        |w| nat(w).set("vpce-ssm", "State", json!("pending")).drop_route("rtb-a", "pl-s3"),
        &[
            "1 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available",
            "3 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 1, 2)",
        ],
    );
    check(
        |w| dns_off(nat(w)).baseline("interface_endpoints", json!({"services": ["ssm"]})),
        &[
            "1 turn enableDnsHostnames of vpc-1 on",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
            "3 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 1, 2)",
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
        w.remove("vpce-ssm").set("com.amazonaws.eu-central-1.ssm", "PrivateDnsNames", json!([]))
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
        awaited(|w| nat(w).set("vpce-ssm", "State", json!("pending")).drop_route("rtb-a", "pl-s3")),
        [ready("s3", &["rtb-a"], &[], false), ready("ssm", &[], &["a", "b"], true)]
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
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm, which no endpoint serves",
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
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.s3, which no endpoint serves",
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
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.s3, which no endpoint serves",
        ],
    );
}

#[test]
fn a_gateway_endpoint_that_comes_to_another_table_is_not_waited_for_in_its_stead() {
    check(
        |w| {
            w.drop_route("rtb-b", "pl-s3").set("vpce-s3", "RouteTableIds", json!(["rtb-a"]));
            nat(w).drop_route("rtb-a", "pl-s3")
        },
        &[
            "1 modify vpce-s3: associate rtb-b",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
            "3 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available",
            "4 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 3)",
        ],
    );
}

#[test]
fn a_route_stays_while_a_service_is_served_by_nothing() {
    let stays = "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm, which no endpoint \
                 serves";
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
        &[unseen, stays],
    );
}

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
            "1 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria with sg-own, with private DNS",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
            "- interface of the endpoint for com.amazonaws.eu-central-1.ssm: no private subnet in eu-central-1b has room \
             for an endpoint's IPv4 interface",
            "- rtb-b: 64:ff9b::/96 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm, which no endpoint \
             serves",
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
            w.set("vpce-ssm", "IpAddressType", json!("dualstack")).set(
                "vpce-ssm",
                "State",
                json!("pending"),
            )
        },
        &[
            "1 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available",
            "2 delete the route 64:ff9b::/96 → nat-1 from rtb-b (after 1)",
        ],
    );
}

#[test]
fn a_zone_without_room_is_told_and_the_others_are_served() {
    check(
        |w| {
            w.set("subnet-prib", "AvailableIpAddressCount", json!(0));
            nat(w).remove("vpce-ssm").add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &[
            "1 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria with sg-own, with private DNS",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
            "- interface of the endpoint for com.amazonaws.eu-central-1.ssm: no private subnet in eu-central-1b has room \
             for an endpoint's IPv4 interface",
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm, which no endpoint \
             serves",
        ],
    );
}

#[test]
fn the_subnet_of_a_zone_is_the_first_private_one_with_room() {
    check(
        |w| {
            w.associate("rtb-a", json!({"SubnetId": "subnet-aaa"}))
                .associate("rtb-a", json!({"SubnetId": "subnet-pri0"}));
            w.add("Subnets", subnet("subnet-aaa", "a", "private")).set(
                "subnet-aaa",
                "Ipv6Native",
                json!(true),
            );
            w.add("Subnets", subnet("subnet-pri0", "a", "private"))
                .add("SecurityGroups", own_group(&["10.0.0.0/16"]));
            w.remove("vpce-ssm")
        },
        &[
            "1 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pri0, subnet-prib with sg-own, \
             with private DNS",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
        ],
    );
}

#[test]
fn limits_leave_the_rest_and_what_depends_on_it_for_the_next_run() {
    check(
        |w| {
            w.baseline("limits", json!({"changes": 40, "endpoint_changes": 1}))
                .add("SecurityGroups", own_group(&["0.0.0.0/0"]));
            nat(w).delete_gateway("vpce-s3").remove("vpce-ssm")
        },
        &[
            "1 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-a, rtb-b",
            "2 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with sg-own, \
             with private DNS [next run]",
            "3 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
            "4 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 2) [next run]",
            "5 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 3, 4) [next run]",
        ],
    );
    check(
        |w| nat(w.baseline("limits", json!({"changes": 1}))).route("rtb-b", "0.0.0.0/0", "nat-1"),
        &[&format!("1 {DELETE}"), "2 delete the route 0.0.0.0/0 → nat-1 from rtb-b [next run]"],
    );
}

#[test]
fn steps_that_are_not_taken_use_no_limit_up() {
    check(
        |w| {
            w.baseline("limits", json!({"endpoint_changes": 1}))
                .add("SecurityGroups", own_group(&["0.0.0.0/0"]));
            dns_off(modes(w, &[("vpc-dns", "notify")]))
                .remove("vpce-ssm")
                .drop_route("rtb-a", "pl-s3");
            w.set("vpce-ssmmessages", "SubnetIds", json!(["subnet-pria"]))
        },
        &[
            "1 turn enableDnsHostnames of vpc-1 on [notify]",
            "2 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with sg-own, \
             with private DNS (after 1)",
            "3 modify vpce-ssmmessages: add subnet-prib",
            "4 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 2)",
            "5 wait until the endpoint for com.amazonaws.eu-central-1.ssmmessages is available (after 3)",
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
fn a_group_of_somebody_else_with_our_name_is_not_touched() {
    check(
        |w| {
            w.remove("vpce-ssm")
                .add("SecurityGroups", group("sg-them", "VPC-Guardrail-Endpoints", &[]))
        },
        &[
            "- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a, eu-central-1b: sg-them has \
           the name of the guardrail's own group but not its tag; rename or tag it",
        ],
    );
}

#[test]
fn the_group_is_made_as_soon_as_one_rule_that_wants_it_may() {
    check(
        |w| {
            modes(w, &[("endpoint-security-group", "notify")]).remove("vpce-ssm");
            w.set("vpce-ssmmessages", "Groups", json!([]))
        },
        &[
            "1 create security group vpc-guardrail-endpoints in vpc-1",
            "2 admit TCP 443 to the group made by step 1 from 10.0.0.0/16 (after 1)",
            "3 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with the group \
             made by step 1, with private DNS (after 1, 2)",
            "4 modify vpce-ssmmessages: attach the group made by step 1 (after 1, 2) [notify]",
            "5 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 3)",
            "6 wait until the endpoint for com.amazonaws.eu-central-1.ssmmessages is available (after 4) [notify]",
        ],
    );
}

#[test]
fn the_group_is_opened_to_what_it_does_not_admit_and_can_be_read() {
    let blocks = json!([{"CidrBlock": "100.64.0.0/16"}, {"CidrBlock": "elsewhere"}]);
    check(
        |w| {
            w.set("vpc-1", "CidrBlockAssociationSet", blocks.clone()).set(
                "vpce-ssm",
                "Groups",
                json!([{"GroupId": "sg-own"}]),
            );
            w.baseline("interface_endpoints", json!({"services": ["ssm"]}));
            w.add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &[
            "1 admit TCP 443 to sg-own from 100.64.0.0/16",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
        ],
    );
    check(
        |w| {
            w.set("vpc-1", "CidrBlockAssociationSet", blocks).set("vpce-ssm", "Groups", json!([]));
            w.baseline("interface_endpoints", json!({"services": ["ssm"]}))
        },
        &[
            "1 create security group vpc-guardrail-endpoints in vpc-1",
            "2 admit TCP 443 to the group made by step 1 from 10.0.0.0/16, 100.64.0.0/16 (after 1)",
            "3 modify vpce-ssm: attach the group made by step 1 (after 1, 2)",
            "4 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 3)",
        ],
    );
}

#[test]
fn our_own_group_is_opened_where_it_is_shut_and_attached_once() {
    check(
        |w| {
            w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-own"}]));
            w.add("SecurityGroups", own_group(&["10.0.0.0/17"]))
        },
        &[
            "1 admit TCP 443 to sg-own from 10.0.0.0/16",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
        ],
    );
    check(
        |w| {
            w.set("vpce-ssm", "Groups", json!([]))
                .add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &[
            "1 modify vpce-ssm: attach sg-own",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
        ],
    );
}

#[test]
fn an_endpoint_with_five_groups_takes_no_sixth_and_no_group_is_made_for_it() {
    let five: Vec<Value> = (1..6).map(|n| json!({"GroupId": format!("sg-{n}")})).collect();
    check(
        |w| {
            for n in 1..6 {
                w.add("SecurityGroups", group(&format!("sg-{n}"), "x", &[]));
            }
            w.set("vpce-ssm", "Groups", json!(five))
        },
        &[
            "- vpce-ssm (com.amazonaws.eu-central-1.ssm) admits no TCP 443 from 10.0.0.0/16: the endpoint has five security \
           groups already, as many as AWS allows",
        ],
    );
    let four_and_ours: Vec<Value> =
        ["sg-1", "sg-2", "sg-3", "sg-4", "sg-own"].map(|id| json!({"GroupId": id})).into();
    check(
        |w| {
            for n in 1..5 {
                w.add("SecurityGroups", group(&format!("sg-{n}"), "x", &[]));
            }
            w.add("SecurityGroups", own_group(&[])).set("vpce-ssm", "Groups", json!(four_and_ours))
        },
        &[
            "1 admit TCP 443 to sg-own from 10.0.0.0/16",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
        ],
    );
}

#[test]
fn an_endpoint_that_is_going_holds_its_private_name() {
    check(
        |w| {
            w.set("vpce-ssm", "State", json!("deleting"))
                .add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &[
            "1 wait until vpce-ssm is deleted",
            "2 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with sg-own, \
             with private DNS (after 1)",
            "3 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 2)",
        ],
    );
    let mut plain = interface_endpoint("vpce-new", "ssm");
    plain["PrivateDnsEnabled"] = json!(false);
    check(
        |w| w.set("vpce-ssm", "State", json!("Deleting")).add("VpcEndpoints", plain),
        &[
            "1 wait until vpce-ssm is deleted",
            "2 modify vpce-new: turn private DNS on (after 1)",
            "3 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 2)",
        ],
    );
    for (state, private_dns) in [("deleting", false), ("deleted", true)] {
        check(
            |w| {
                w.set("vpce-ssm", "State", json!(state)).set(
                    "vpce-ssm",
                    "PrivateDnsEnabled",
                    json!(private_dns),
                );
                w.add("SecurityGroups", own_group(&["10.0.0.0/16"]))
            },
            &[
                "1 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with sg-own, \
                 with private DNS",
                "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
            ],
        );
    }
}

#[test]
fn a_service_that_is_not_offered_is_passed_over_and_said_to_be() {
    check(
        |w| nat(w).remove("vpce-ec2messages").remove("com.amazonaws.eu-central-1.ec2messages"),
        &[
            &format!("1 {DELETE}"),
            "- interface endpoint for ec2messages: the Region does not offer the service",
        ],
    );
}

#[test]
fn nothing_is_planned_in_somebody_elses_vpc_or_on_part_of_a_reading() {
    let found = "- rtb-a: 0.0.0.0/0 → nat-1 leads to the internet through public NAT gateway nat-1, for private subnet-pria";
    check(
        |w| nat(w).set("vpc-1", "OwnerId", json!("444455556666")),
        &[&format!("{found}: another account owns the VPC; run the guardrail there")],
    );
    for section in ["SecurityGroups", "VpcEndpoints", "VpcEndpointServices", "VpcAttributes"] {
        check(
            |w| nat(w).without(section),
            &[&format!("{found}: not everything was observed: {section} missing")],
        );
    }
    check(
        |w| nat(w).remove("rtb-main"),
        &["- vpc-1: not everything was observed: RouteTables missing"],
    );
}

/// The client token of the endpoint that is made after an edit.
fn token(incident: &str, edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> String {
    let (_, plan) = Fixture::edited(|w| edit(w.remove("vpce-ssm"))).plan(incident);
    let mut tokens = plan.steps.iter().filter_map(|step| match &step.task {
        Task::Change(Action::CreateEndpoint { token, .. }) => Some(token.clone()),
        Task::Change(_) | Task::Await(_) => None,
    });
    tokens.next_back().unwrap()
}

#[test]
fn a_token_is_the_same_within_an_incident_and_for_the_same_parameters_only() {
    let usual = token("one", |w| w);
    assert_eq!(usual.len(), 54);
    assert!(usual.is_ascii());
    assert_eq!(token("one", |w| w), usual);
    assert_eq!(token("one", |w| w.add("SecurityGroups", own_group(&["10.0.0.0/16"]))), usual);
    assert_eq!(token("one", |w| w.set("vpce-s3", "State", json!("deleted"))), usual);
    let others = [
        token("two", |w| w),
        token("one", |w| w.remove("subnet-prib")),
        token("one", |w| w.add("Subnets", subnet("subnet-aaa", "a", "private"))),
        token("one", |w| w.set("com.amazonaws.eu-central-1.ssm", "PrivateDnsNames", json!([]))),
        token("one", |w| {
            let mut dead = interface_endpoint("vpce-dead", "ssm");
            dead["State"] = json!("deleted");
            w.add("VpcEndpoints", dead)
        }),
    ];
    let distinct: std::collections::BTreeSet<&String> = others.iter().chain([&usual]).collect();
    assert_eq!(distinct.len(), 6, "{others:?}");
}

#[test]
fn the_order_of_what_was_observed_changes_nothing() {
    let turned = |w: &mut Fixture| {
        for section in
            ["Subnets", "RouteTables", "VpcEndpoints", "SecurityGroups", "VpcEndpointServices"]
        {
            w.section(section).reverse();
        }
    };
    let bend = |w: &mut Fixture| {
        let _ = nat(bent_ssm(w)).delete_gateway("vpce-s3").remove("vpce-ssmmessages");
    };
    let straight = planned(|w| {
        bend(w);
        w
    });
    let reversed = planned(|w| {
        bend(w);
        turned(w);
        w
    });
    assert_eq!(straight, reversed);
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
            "1 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-v4 with sg-own, with \
             private DNS",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
            "3 delete the route 0.0.0.0/0 → nat-1 from rtb-c (after 2)",
            "- rtb-b: 64:ff9b::/96 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm, which no endpoint \
             serves",
        ],
    );
}

#[test]
fn a_group_that_was_not_observed_is_named() {
    check(
        |w| w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-shared"}])),
        &[
            "- security groups of vpce-ssm (com.amazonaws.eu-central-1.ssm): not everything was observed: SecurityGroups missing",
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
