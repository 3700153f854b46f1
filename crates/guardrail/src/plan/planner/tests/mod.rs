//! Whole plans: their order, their modes, and what is left alone.

mod endpoints;
mod limits;
mod refusals;
mod refused_by_aws;
mod routes;
mod security_group;
mod settling;

use serde_json::json;

use crate::fixture::{Fixture, own_group, planned};

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
            "10 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 1, 7, 8, 9)",
        ],
    );
}

#[test]
fn a_modify_for_each_mode_and_none_that_needs_what_another_mode_keeps_back() {
    check(
        |w| {
            modes(w, &[("private-dns", "notify"), ("endpoint-security-group", "observe")]);
            bent_ssm(w).route("rtb-b", "0.0.0.0/0", "nat-1")
        },
        &[
            "1 create security group vpc-guardrail-endpoints in vpc-1 [observe]",
            "2 admit TCP 443 to the group made by step 1 from 10.0.0.0/16 (after 1) [observe]",
            "3 modify vpce-ssm: add subnet-prib",
            "4 modify vpce-ssm: attach the group made by step 1 (after 1, 2) [observe]",
            "5 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 3)",
            "6 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 4) [observe]",
            // By itself, without the group that another mode keeps back, the name would lead nowhere.
            "- private DNS of vpce-ssm (com.amazonaws.eu-central-1.ssm) is off: it would cut off \
             com.amazonaws.eu-central-1.ssm for subnets that reach it now",
            "- rtb-b: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm",
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
    for section in [
        "SecurityGroups",
        "VpcEndpoints",
        "VpcEndpointServices",
        "VpcAttributes",
        "NetworkAcls",
        "PrefixLists",
        "RouteTables",
        "NatGateways",
        "NetworkInterfaces",
        "Subnets",
    ] {
        let lines = planned(|w| nat(w).without(section));
        assert!(!lines.iter().any(|line| line.starts_with(char::is_numeric)), "{lines:#?}");
        let named = lines.iter().any(|line| line.contains(&format!("{section} missing")));
        let route_stays = lines.iter().any(|line| line.contains("cut off com.amazonaws"));
        assert!(named || route_stays, "{section}: {lines:#?}");
    }
    let unbound = planned(|w| nat(w).remove("rtb-main"));
    assert!(!unbound.iter().any(|line| line.starts_with(char::is_numeric)), "{unbound:#?}");
}

/// A section that was not read holds the steps that rest on it, and no others.
#[test]
fn what_rests_on_nothing_missing_is_planned() {
    let lines = planned(|w| {
        w.set("subnet-pria", "MapPublicIpOnLaunch", json!(true)).without("NetworkAcls");
        nat(w).baseline("rules", json!({"public-ip-on-launch": {"mode": "repair"}}))
    });
    let steps: Vec<&String> =
        lines.iter().filter(|line| line.starts_with(char::is_numeric)).collect();
    assert_eq!(steps, ["1 turn MapPublicIpOnLaunch of subnet-pria off"]);
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
