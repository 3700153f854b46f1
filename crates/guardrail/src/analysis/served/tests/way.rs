//! The way from a client to an endpoint's interface, within the VPC.

use super::*;

/// What is in the way of each service, one line each.
fn lines(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    let found = obstacles(&Fixture::edited(edit)).into_iter();
    found
        .map(|(service, obstacle, subnets)| format!("{service} {}: {obstacle}", subnets.join(" ")))
        .collect()
}

#[test]
fn a_route_within_the_vpc_that_goes_before_its_own_diverts_what_is_for_an_interface() {
    let diverted = |destination: &str, state: &str| {
        lines(|w| {
            w.set("subnet-pria", "CidrBlock", json!("10.0.1.0/24"));
            w.set("subnet-prib", "CidrBlock", json!("10.0.2.0/24"));
            w.route("rtb-a", destination, "eni-1");
            w.set_route("rtb-a", destination, "State", json!(state))
        })
    };
    let all = |text: &str| {
        ["ssm", "ssmmessages", "ec2messages"].map(|service| {
            format!("{service} pria: rtb-a: 10.0.2.0/25 → eni-1 {text} vpce-{service}")
        })
    };
    assert_eq!(diverted("10.0.2.0/25", "active"), all("may end the way to"));
    assert_eq!(diverted("10.0.2.0/25", "blackhole"), all("ends the way to"));
    // Within its own subnet no packet asks the table.
    assert_eq!(diverted("10.0.1.0/24", "blackhole"), [""; 0]);
}
