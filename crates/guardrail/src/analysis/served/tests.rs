use serde_json::{Value, json};

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
