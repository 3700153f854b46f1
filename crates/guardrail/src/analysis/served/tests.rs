use serde_json::json;

use super::*;
use crate::fixture::Fixture;

/// What keeps services from private subnets: `service subnet: obstacle`.
fn obstacles(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    Fixture::edited(edit).view(|view, required_services| {
        let mut told = Vec::new();
        for required in required_services {
            for placed in view.topology.private() {
                let proof = prove(view, required, placed);
                let id = placed.subnet.subnet_id.as_str();
                let service = required.service.to_string();
                told.extend(
                    proof.obstacles.iter().map(|obstacle| format!("{service} {id}: {obstacle}")),
                );
            }
        }
        told
    })
}

#[test]
fn a_vpc_on_its_baseline_has_no_obstacle() {
    assert_eq!(obstacles(|w| w), [""; 0]);
}

#[test]
fn a_route_within_the_vpc_that_goes_before_its_own_diverts_what_is_for_an_interface() {
    let diverted = |destination: &str, state: &str| {
        obstacles(|w| {
            w.set("subnet-pria", "CidrBlock", json!("10.0.1.0/24"));
            w.set("subnet-prib", "CidrBlock", json!("10.0.2.0/24"));
            w.route("rtb-a", destination, "eni-1");
            w.set_route("rtb-a", destination, "State", json!(state))
        })
    };
    let told = |text: &str| {
        ["ssm", "ssmmessages", "ec2messages"].map(|service| {
            format!("{service} subnet-pria: rtb-a: 10.0.2.0/25 → eni-1 {text} vpce-{service}")
        })
    };
    assert_eq!(diverted("10.0.2.0/25", "active"), told("may end the way to"));
    assert_eq!(diverted("10.0.2.0/25", "blackhole"), told("ends the way to"));
    // Within its own subnet no packet asks the table.
    assert_eq!(diverted("10.0.1.0/24", "blackhole"), [""; 0]);
}
