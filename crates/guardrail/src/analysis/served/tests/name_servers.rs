//! The DNS servers that DHCP options name must be reached by a route, whatever leads to the services.

use serde_json::{Value, json};

use super::{check, only_gateway, only_interface};
use crate::fixture::{Fixture, planned};

/// The VPC under a set that names these servers, with S3 alone required, and a way out of `rtb-a`.
fn world<'f>(w: &'f mut Fixture, servers: &[&str]) -> &'f mut Fixture {
    let values: Vec<Value> = servers.iter().map(|server| json!({"Value": server})).collect();
    let set = json!({"DhcpOptionsId": "dopt-1", "DhcpConfigurations": [
        {"Key": "domain-name-servers", "Values": values}]});
    w.set("vpc-1", "DhcpOptionsId", json!("dopt-1")).add("DhcpOptions", set);
    for (subnet, block) in [("subnet-pria", "10.0.1.0/24"), ("subnet-prib", "10.0.2.0/24")] {
        w.set(subnet, "CidrBlock", json!(block));
    }
    only_gateway(w, json!("s3")).route("rtb-a", "0.0.0.0/0", "nat-1")
}

const GONE: &str = "1 delete the route 0.0.0.0/0 → nat-1 from rtb-a";

fn kept(line: &str) -> String {
    format!("- rtb-a: 0.0.0.0/0 → nat-1: {line}")
}

/// What becomes of `rtb-a`'s way out with these servers and routes beside it.
fn with(servers: &[&str], beside: &[(&str, &str)]) -> Vec<String> {
    planned(|w| {
        world(w, servers);
        for (destination, target) in beside {
            w.route("rtb-a", destination, target);
        }
        w
    })
    .into_iter()
    .filter(|line| line.contains("nat-1"))
    .collect()
}

/// Without the route no client resolves any name: "nothing is reachable".
#[test]
fn the_route_that_leads_to_a_dns_server_stays() {
    let s3 = "removing it would cut off com.amazonaws.eu-central-1.s3";
    assert_eq!(with(&["8.8.8.8"], &[]), [kept(s3)]);
    assert_eq!(with(&["8.8.8.8", "AmazonProvidedDNS"], &[]), [kept(s3)]);
    assert_eq!(with(&["10.0.0.2", "8.8.8.8"], &[]), [kept(s3)]);
    // A server on premises that only the route leads towards; a server written as no address.
    assert_eq!(with(&["10.200.0.2"], &[]), [kept(s3)]);
    assert_eq!(with(&["dns.shop.test"], &[]), [kept(s3)]);
    // Amazon's own servers need no route.
    assert_eq!(with(&["AmazonProvidedDNS"], &[]), [GONE]);
    assert_eq!(with(&["10.0.0.2", "169.254.169.253"], &[]), [GONE]);
}

#[test]
fn another_route_that_leads_to_the_server_is_enough() {
    for target in ["tgw-1", "pcx-1", "vgw-1"] {
        assert_eq!(with(&["10.200.0.2"], &[("10.200.0.0/16", target)]), [GONE], "{target}");
    }
    assert_eq!(with(&["8.8.8.8"], &[("8.8.8.0/24", "tgw-1")]), [GONE]);
    // Peering leads to no public address, and a gateway endpoint's route to no DNS server.
    let s3 = "removing it would cut off com.amazonaws.eu-central-1.s3";
    assert_eq!(with(&["8.8.8.8"], &[("8.0.0.0/8", "tgw-1"), ("10.200.0.0/16", "pcx-1")]), [GONE]);
    assert_eq!(with(&["8.8.8.8"], &[("10.200.0.0/16", "tgw-1")]), [kept(s3)]);
}

/// "Unreachable already now: nothing is lost."
#[test]
fn what_is_unreached_with_the_route_too_keeps_no_route() {
    let lost = |state: &str| {
        let planned = planned(|w| {
            world(w, &["8.8.8.8", "AmazonProvidedDNS"]).route("rtb-a", "8.8.8.0/24", "tgw-1");
            w.set_route("rtb-a", "8.8.8.0/24", "State", json!(state))
        });
        planned.contains(&GONE.to_owned())
    };
    assert!(lost("blackhole"));
    assert!(lost("active"));
    // Which of the two acts is not known, and the route that goes carries nothing either way.
    assert!(lost("dreaming"));
}

/// Clients that reach no server resolve no name, with whatever endpoints.
#[test]
fn a_subnet_that_reaches_no_server_is_served_nothing() {
    let none = |subnet: &str, servers: &str| {
        format!(
            "s3 for pri{subnet}: rtb-{subnet} leads to no DNS server of the DHCP options: {servers}"
        )
    };
    check(|w| world(w, &["8.8.8.8"]), &[&none("b", "8.8.8.8")]);
    check(
        |w| world(w, &["8.8.8.8", "10.200.0.2"]).drop_route("rtb-a", "0.0.0.0/0"),
        &[&none("a", "8.8.8.8, 10.200.0.2"), &none("b", "8.8.8.8, 10.200.0.2")],
    );
    check(|w| world(w, &["8.8.8.8", "AmazonProvidedDNS"]), &[]);
    check(|w| world(w, &["8.8.8.8", "10.0.1.10"]), &[]);
    check(|w| world(w, &["127.0.0.1"]), &[]);
}

/// A server in the VPC may itself ask by the route: only who says that it forwards to Amazon's resolver
/// knows that it does not.
#[test]
fn a_server_behind_the_route_may_ask_by_it() {
    let s3 = "removing it may cut off com.amazonaws.eu-central-1.s3";
    let seen = with(&["10.0.1.10"], &[]);
    assert_eq!(seen, [kept(s3)]);
    assert_eq!(with(&["10.0.2.10"], &[]), [GONE]);
    let over = json!([{"vpc": {"id": "vpc-1"}, "resolver": "forwards-to-amazon"}]);
    let seen = planned(|w| world(w, &["10.0.1.10"]).baseline("overrides", over.clone()));
    assert_eq!(seen, [GONE]);
    // Forwarding does not help whom no route leads to.
    let seen = planned(|w| world(w, &["8.8.8.8"]).baseline("overrides", over));
    assert!(!seen.contains(&GONE.to_owned()), "{seen:?}");
}

/// A service that is reached by its endpoint's name, or by an interface, is resolved by the same
/// servers.
#[test]
fn every_kind_of_service_needs_its_name_resolved() {
    let over = json!([{"vpc": {"id": "vpc-1"}, "resolver": "forwards-to-amazon"}]);
    for service in [json!("ssm"), json!({"service": "ssm", "reached_by": "endpoint-name"})] {
        let seen = planned(|w| {
            world(w, &["8.8.8.8"]).baseline("overrides", over.clone());
            only_interface(w, service.clone())
        });
        assert!(!seen.contains(&GONE.to_owned()), "{service}: {seen:?}");
        let seen = planned(|w| {
            world(w, &["8.8.8.8"]).baseline("overrides", over.clone());
            w.route("rtb-a", "8.8.8.8/32", "tgw-1");
            only_interface(w, service.clone())
        });
        assert!(seen.contains(&GONE.to_owned()), "{service}: {seen:?}");
    }
}

/// What is not said of a set is not known: every set has an option, and every option a value.
#[test]
fn a_set_that_is_not_whole_is_not_read() {
    for configurations in [
        json!(null),
        json!([]),
        json!([{"Key": "domain-name-servers"}]),
        json!([{"Key": "domain-name-servers", "Values": []}]),
        json!([{"Key": "domain-name-servers", "Values": [{"Value": " "}]}]),
    ] {
        let mut set = json!({"DhcpOptionsId": "dopt-1"});
        if !configurations.is_null() {
            set["DhcpConfigurations"] = configurations.clone();
        }
        check(
            |w| {
                w.set("vpc-1", "DhcpOptionsId", json!("dopt-1")).add("DhcpOptions", set);
                only_gateway(w, json!("s3"))
            },
            &["s3 for pria, prib: ? DhcpOptions not read"],
        );
    }
}

/// Amazon's resolver answers nobody while `enableDnsSupport` is off: who finds a service all the same
/// asks servers of its own, which a way out may lead to.
#[test]
fn nobody_is_answered_by_a_resolver_that_is_off() {
    let support = |servers: &'static [&'static str], on: Value| {
        planned(move |w| {
            world(w, servers);
            w.world["VpcAttributes"]["vpc-1"] =
                json!({"EnableDnsSupport": on, "EnableDnsHostnames": true});
            w
        })
    };
    let kept = kept("removing it would cut off com.amazonaws.eu-central-1.s3");
    let off = support(&["AmazonProvidedDNS"], json!(false));
    assert!(off.contains(&kept), "{off:#?}");
    let unread = support(&["AmazonProvidedDNS"], json!(null));
    assert!(unread.contains(&kept.replace("would", "may")), "{unread:#?}");
    assert_eq!(support(&["AmazonProvidedDNS"], json!(true)), [GONE]);
    check(
        |w| {
            w.world["VpcAttributes"]["vpc-1"]["EnableDnsSupport"] = json!(false);
            only_gateway(w, json!("s3"))
        },
        &["s3 for pria, prib: enableDnsSupport of the VPC is off"],
    );
    // Others answer, and are reached without the route.
    assert_eq!(support(&["169.254.1.1"], json!(false)), [GONE]);
}
