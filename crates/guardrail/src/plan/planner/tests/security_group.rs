//! The guardrail's own security group.

use serde_json::{Value, json};

use super::{check, modes};
use crate::fixture::{group, own_group, planned};

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
fn a_group_that_was_not_observed_is_named() {
    check(
        |w| w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-shared"}])),
        &[
            "- security groups of vpce-ssm (com.amazonaws.eu-central-1.ssm): not everything was observed: SecurityGroups missing",
        ],
    );
}

#[test]
fn a_group_with_our_tag_and_another_name_is_not_ours() {
    let mut theirs = group("sg-theirs", "web", &[]);
    theirs["Tags"] = json!([{"Key": "vpc-guardrail", "Value": "created"}]);
    let steps =
        planned(|w| w.add("SecurityGroups", theirs).set("sg-https", "IpPermissions", json!([])));
    assert!(!steps.iter().any(|step| step.contains("sg-theirs")), "{steps:#?}");
    assert!(steps.iter().any(|step| step.contains("create security group")), "{steps:#?}");
}
