//! DNS64: what answers with IPv4 addresses alone is come to over NAT64.

use serde_json::{Value, json};

use super::{check, only_gateway, only_interface, told};
use crate::fixture::{Fixture, planned};

/// `subnet-pria` has both versions of IP, and DNS64 as said.
fn world(w: &mut Fixture, dns64: Value) -> &mut Fixture {
    w.ipv6("subnet-pria", "2001:db8:0:1::/64").set("subnet-pria", "EnableDns64", dns64);
    only_interface(w, json!("ssm"))
}

fn endpoint<'f>(w: &'f mut Fixture, kind: &str, record: Value) -> &'f mut Fixture {
    w.set("vpce-ssm", "IpAddressType", json!(kind));
    w.set("vpce-ssm", "DnsOptions", json!({"DnsRecordIpType": record}))
}

const ON: &str =
    "ssm for pria: ? DNS64 is on in subnet-pria: vpce-ssm would have to answer over IPv6";

#[test]
fn an_endpoint_whose_name_answers_over_ipv4_alone_is_come_to_over_nat64() {
    check(|w| world(w, json!(true)), &[ON]);
    check(|w| endpoint(world(w, json!(true)), "dualstack", json!("ipv4")), &[ON]);
    check(|w| endpoint(world(w, json!(true)), "dualstack", json!("service-defined")), &[ON]);
    check(|w| endpoint(world(w, json!(true)), "dualstack", json!("dualstack")), &[]);
    check(|w| endpoint(world(w, json!(true)), "dualstack", json!(null)), &[]);
    check(|w| world(w, json!(false)), &[]);
    // What is not said is not known, and a subnet without IPv6 addresses has no use for it.
    check(|w| world(w, json!(null)), &[&ON.replace("is on", "may be on")]);
    check(|w| only_interface(w, json!("ssm")).set("subnet-pria", "EnableDns64", json!(true)), &[]);
}

/// The Regional names of gateway services answer with IPv4 addresses, unless the endpoint's
/// `DnsRecordIpType` says otherwise.
#[test]
fn gateway_services_are_come_to_over_nat64_too() {
    let seen = told(|w| only_gateway(world(w, json!(true)), json!("s3")));
    assert_eq!(
        seen,
        ["s3 for pria: ? DNS64 is on in subnet-pria: vpce-s3 would have to answer over IPv6"]
    );
}

/// The way over NAT64 stays; what does not carry it goes.
#[test]
fn the_route_that_carries_nat64_stays() {
    let left = |destination: &str, target: &str, dns64: bool| {
        let plan = planned(|w| world(w, json!(dns64)).route("rtb-a", destination, target));
        plan.contains(&format!("1 delete the route {destination} → {target} from rtb-a"))
    };
    assert!(!left("64:ff9b::/96", "nat-1", true));
    assert!(!left("::/0", "eigw-1", true));
    assert!(left("0.0.0.0/0", "nat-1", true));
    assert!(left("64:ff9b::/96", "nat-1", false));
}
