//! Endpoints that are made and changed.

use serde_json::json;

use super::{bent_ssm, check, nat};
use crate::ec2::change::{Action, NewEndpoint, PrivateDns};
use crate::fixture::{Fixture, gateway_endpoint, interface_endpoint, own_group, subnet};
use crate::plan::Task;

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
fn a_zone_without_room_is_told_and_the_others_are_served() {
    check(
        |w| {
            w.set("subnet-prib", "AvailableIpAddressCount", json!(0));
            nat(w).remove("vpce-ssm").add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &[
            "1 create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria with sg-own, with private DNS",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
            "3 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 2)",
            "- interface of the endpoint for com.amazonaws.eu-central-1.ssm: no private subnet in eu-central-1b has room \
             for an endpoint's IPv4 interface",
        ],
    );
}

#[test]
fn the_subnet_of_a_zone_is_the_first_private_one_with_room() {
    check(
        |w| {
            w.associate("rtb-a", json!({"SubnetId": "subnet-aaa"}))
                .associate("rtb-a", json!({"SubnetId": "subnet-pri0"}));
            // It would not serve the IPv6-only subnet, and is wanted all the same.
            w.baseline(
                "interface_endpoints",
                json!({"services": [{"service": "ssm", "create": "always"}]}),
            );
            w.baseline("rules", json!({"service-not-served": {"mode": "observe"}}));
            w.baseline("gateway_endpoints", json!({"services": []}));
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
        token("one", |w| {
            let ssm = json!({"service": "ssm", "reached_by": "endpoint-name"});
            w.baseline("interface_endpoints", json!({"services": [ssm]}))
        }),
        token("one", |w| {
            let mut dead = interface_endpoint("vpce-dead", "ssm");
            dead["State"] = json!("deleted");
            w.add("VpcEndpoints", dead)
        }),
    ];
    let distinct: std::collections::BTreeSet<&String> = others.iter().chain([&usual]).collect();
    assert_eq!(distinct.len(), 6, "{others:?}");
}

/// An endpoint that is made has the policy that the baseline wants, and AWS's default where it wants
/// none.
#[test]
fn a_new_endpoint_has_the_policy_of_the_baseline() {
    let wanted = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ssm:Get*", "Resource": "*"}});
    let mut fixture = Fixture::compliant();
    let ssm = json!({"service": "ssm", "policy": wanted});
    fixture.baseline("interface_endpoints", json!({"services": [ssm, "ssmmessages"]}));
    fixture.remove("vpce-ssm").remove("vpce-ssmmessages");
    let steps = fixture.plan("test").1.steps.into_iter();
    let policies: Vec<Option<serde_json::Value>> = steps
        .filter_map(|step| match step.task {
            Task::Change(Action::CreateEndpoint { policy, .. }) => Some(policy),
            Task::Change(_) | Task::Await(_) => None,
        })
        .map(|policy| policy.map(|text| serde_json::from_str(&text).unwrap()))
        .collect();
    let [Some(first), None] = policies.as_slice() else { panic!("{policies:?}") };
    let read =
        |value: &serde_json::Value| crate::ec2::policy::PolicyDocument::from_value(value).unwrap();
    assert_eq!(read(first), read(&wanted));
}

#[test]
fn s3s_interface_endpoint_is_made_with_its_name_for_the_vpc() {
    let private_dns = |service: &str| {
        let mut fixture = Fixture::compliant();
        fixture.baseline("gateway_endpoints", json!({"services": []}));
        fixture.baseline("interface_endpoints", json!({"services": [service]}));
        fixture.remove(&format!("vpce-{service}"));
        let (_, plan) = fixture.plan("test");
        plan.steps.into_iter().find_map(|step| match step.task {
            Task::Change(Action::CreateEndpoint {
                kind: NewEndpoint::Interface { private_dns, .. },
                ..
            }) => Some(private_dns),
            Task::Change(_) | Task::Await(_) => None,
        })
    };
    assert_eq!(private_dns("s3"), Some(PrivateDns::OnInTheVpc));
    assert_eq!(private_dns("ssm"), Some(PrivateDns::On));
}

#[test]
fn none_is_made_while_another_holds_its_name_because_aws_refuses_it() {
    check(
        |w| {
            w.set("vpce-ssm", "RequesterManaged", json!(true));
            w.add("SecurityGroups", own_group(&["10.0.0.0/16"]))
        },
        &["- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a, \
           eu-central-1b: vpce-ssm has the private name, and AWS gives it to one endpoint of a VPC only"],
    );
}
