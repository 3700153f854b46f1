//! Calls that AWS would refuse, and endpoints that would wait for somebody else.

use serde_json::{Value, json};

use super::{check, nat};
use crate::fixture::{Fixture, interface_endpoint, own_group};

const STAYS: &str =
    "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm";

fn only_ssm(w: &mut Fixture, service: Value) -> &mut Fixture {
    w.add("SecurityGroups", own_group(&["10.0.0.0/16"]));
    w.baseline("interface_endpoints", json!({"services": [service]}))
}

fn offer<'f>(w: &'f mut Fixture, service: &str, key: &str, value: Value) -> &'f mut Fixture {
    w.set(&format!("com.amazonaws.eu-central-1.{service}"), key, value)
}

#[test]
fn no_name_is_turned_on_that_another_endpoint_of_the_vpc_has() {
    let off = "private DNS of vpce-ssm (com.amazonaws.eu-central-1.ssm) is off";
    let taken = "vpce-other has the private name, and AWS gives it to one endpoint of a VPC only";
    let left_alone = format!("- {off}: {taken}");
    for (service, state) in [("ssm", "available"), ("ssm", "pending"), ("ssm-twin", "available")] {
        let mut fixture = Fixture::compliant();
        only_ssm(&mut fixture, json!("ssm")).set("vpce-ssm", "PrivateDnsEnabled", json!(false));
        let mut other = interface_endpoint("vpce-other", service);
        other["RequesterManaged"] = json!(true);
        other["State"] = json!(state);
        fixture.add("VpcEndpoints", other).add(
            "VpcEndpointServices",
            json!({"ServiceName": "com.amazonaws.eu-central-1.ssm-twin",
                "ServiceType": [{"ServiceType": "Interface"}],
                "PrivateDnsNames": [{"PrivateDnsName": "ssm.example"}]}),
        );
        let lines = crate::fixture::lines(&fixture.plan("test").1);
        assert!(lines.contains(&left_alone), "{service} {state}: {lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("modify")), "{service}: {lines:#?}");
    }
}

/// One that is gone, or broken, is in nobody's way for certain.
#[test]
fn a_name_that_nobody_has_is_turned_on() {
    check(
        |w| {
            let mut other = interface_endpoint("vpce-other", "ssm");
            other["RequesterManaged"] = json!(true);
            other["PrivateDnsEnabled"] = json!(false);
            only_ssm(w, json!("ssm")).add("VpcEndpoints", other);
            w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))
        },
        &[
            "1 modify vpce-ssm: turn private DNS on",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
        ],
    );
}

/// `RouteAlreadyExists`: "one route per service per route table".
#[test]
fn a_table_whose_route_for_the_list_leads_elsewhere_is_a_persons() {
    let on_other = "rtb-a without com.amazonaws.eu-central-1.s3: the table leads pl-s3 to nat-1 already, and AWS adds no \
                    second route for it; a person must decide";
    let cut_off = "removing it would cut off com.amazonaws.eu-central-1.s3";
    check(
        |w| w.delete_gateway("vpce-s3").route("rtb-a", "pl-s3", "nat-1"),
        &[
            "1 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-b",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
            &format!("- {on_other}"),
            &format!("- rtb-a: pl-s3 → nat-1: {cut_off}"),
        ],
    );
    check(
        |w| {
            w.set("vpce-s3", "RouteTableIds", json!(["rtb-b"]));
            w.drop_route("rtb-a", "pl-s3").route("rtb-a", "pl-s3", "nat-1")
        },
        &[&format!("- {on_other}"), &format!("- rtb-a: pl-s3 → nat-1: {cut_off}")],
    );
    // A customer's list of the same name is another list.
    let decoyed = crate::fixture::planned(|w| {
        w.set("vpce-s3", "RouteTableIds", json!(["rtb-b"]));
        w.drop_route("rtb-a", "pl-s3").route("rtb-a", "pl-own", "tgw-1").add(
            "PrefixLists",
            json!({"PrefixListId": "pl-own", "PrefixListName": "com.amazonaws.eu-central-1.s3",
                "OwnerId": "111122223333", "Entries": [{"Cidr": "198.51.100.0/24"}]}),
        )
    });
    let associated = "1 modify vpce-s3: associate rtb-a";
    assert!(decoyed.iter().any(|line| line == associated), "{decoyed:#?}");
    // Its own route goes with a deleted endpoint, and routes that go first are in nobody's way.
    check(
        |w| w.set("vpce-s3", "State", json!("deleting")),
        &[
            "1 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-a, rtb-b",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
        ],
    );
    check(
        |w| {
            w.baseline("internet_routes", json!({"remove": "immediately"}));
            w.delete_gateway("vpce-s3").route("rtb-a", "pl-s3", "nat-1")
        },
        &[
            "1 delete the route pl-s3 → nat-1 from rtb-a",
            "2 create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-a, rtb-b",
            "3 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 2)",
        ],
    );
}

const MISSING: &str = "- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a, eu-central-1b";

#[test]
fn no_endpoint_is_paid_for_that_its_services_owner_has_to_accept() {
    let missing = |w: &mut Fixture, service: Value| {
        offer(nat(only_ssm(w, service)), "ssm", "AcceptanceRequired", json!(true))
            .remove("vpce-ssm");
    };
    check(
        |w| {
            missing(w, json!("ssm"));
            w
        },
        &[
            &format!(
                "{MISSING}: it costs money and would wait for the owner of the service to accept it; `create: always` in the \
                 baseline makes it all the same"
            ),
            STAYS,
        ],
    );
    // It is nobody's guess when it is accepted: the route stays.
    check(
        |w| {
            missing(w, json!({"service": "ssm", "create": "always"}));
            w
        },
        &[
            "1 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with sg-own, with \
             private DNS",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it may cut off com.amazonaws.eu-central-1.ssm",
        ],
    );
}

/// "AWS refuses" is stronger than `create: always`.
#[test]
fn no_endpoint_is_planned_where_the_service_has_only_ipv6_or_no_zone_here() {
    let always = || json!({"service": "ssm", "create": "always"});
    check(
        |w| {
            let only_v6 = json!(["ipv6"]);
            offer(nat(only_ssm(w, always())), "ssm", "SupportedIpAddressTypes", only_v6)
                .remove("vpce-ssm")
        },
        &[
            &format!(
                "{MISSING}: the service's endpoints have IPv6 addresses only, and the guardrail makes them with IPv4 ones"
            ),
            STAYS,
        ],
    );
    check(
        |w| {
            let elsewhere = json!(["eu-central-1c"]);
            offer(nat(only_ssm(w, always())), "ssm", "AvailabilityZones", elsewhere)
                .remove("vpce-ssm")
        },
        &[
            "- com.amazonaws.eu-central-1.ssm is not served to subnet-pria, subnet-prib: no endpoint: the service is offered \
             in no zone of the private subnets that need it; make one in another zone",
            STAYS,
        ],
    );
}

/// An id that stands for what a step makes is nobody's to look up.
#[test]
fn what_a_new_endpoint_would_not_do_is_told_without_an_id() {
    let mut fixture = Fixture::compliant();
    only_ssm(&mut fixture, json!("ssm")).remove("vpce-ssm");
    nat(&mut fixture).set("subnet-pria", "CidrBlock", json!("10.99.0.0/20"));
    let (_, plan) = fixture.plan("test");
    let region = "eu-central-1".parse().unwrap();
    let details: Vec<String> =
        plan.left_alone.iter().flat_map(|left| left.reason.details(&region, 0)).collect();
    assert_eq!(
        details,
        [
            "ssm for subnet-pria:",
            "  the new endpoint admits no TCP 443 from 10.99.0.0/20",
            "ssm for subnet-pria:",
            "  no endpoint"
        ]
    );
}
