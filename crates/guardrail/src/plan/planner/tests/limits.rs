//! What one run may change at most.

use serde_json::json;

use super::{DELETE, check, dns_off, modes, nat};
use crate::fixture::own_group;

#[test]
fn limits_leave_the_rest_and_what_depends_on_it_for_the_next_run() {
    check(
        |w| {
            w.baseline("limits", json!({"changes": 40, "endpoint_changes": 1}))
                .add("SecurityGroups", own_group(&["10.0.0.0/16"]));
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
                .add("SecurityGroups", own_group(&["10.0.0.0/16"]));
            dns_off(modes(w, &[("vpc-dns", "notify")])).remove("vpce-ssm");
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
