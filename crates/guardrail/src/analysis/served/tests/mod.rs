//! Each obstacle, each near miss of one, and what is told of them.
//!
//! `told` lists what keeps services from the private subnets of the fixture's VPC after an edit, and
//! holds every such edit to a rule of its own: a VPC in which something is not served is never taken
//! for one on its baseline.

mod dns64;
mod gateway;
mod name;
mod name_servers;
mod network_acl;
mod policy;
mod state;
mod way;

use serde_json::{Value, json};

use super::*;
use crate::fixture::Fixture;
use crate::rules::left_alone::{LeftAlone, LeftAloneReason};

/// What keeps services from private subnets: `service for subnets: obstacle`, with `?` before an
/// obstacle of which it cannot be told whether it is one.
fn told(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    let fixture = Fixture::edited(edit);
    let obstacles = obstacles(&fixture);
    let (findings, plan) = fixture.plan("test");
    // A section or a group that was not read is told of by every report, whatever else is in it.
    let unread = |left: &LeftAlone| matches!(left.reason, LeftAloneReason::NotObserved { .. });
    let is_read = fixture.view(|view, _| view.snapshot.missing.is_empty());
    let is_said = !findings.is_empty() || !is_read || plan.left_alone.iter().any(unread);
    let passes = obstacles.iter().all(|(_, obstacle, _)| obstacle.passes());
    assert!(is_said || passes, "taken for a VPC on its baseline: {obstacles:#?}");
    let line = |(service, obstacle, subnets): &(String, Obstacle, Vec<String>)| {
        let unclear = match obstacle.certainty() {
            Certainty::Certain => "",
            Certainty::CannotTell => "? ",
        };
        format!("{service} for {}: {unclear}{obstacle}", subnets.join(", "))
    };
    obstacles.iter().map(line).collect()
}

fn obstacles(fixture: &Fixture) -> Vec<(String, Obstacle, Vec<String>)> {
    fixture.view(|view, required_services| {
        let mut all: Vec<(String, Obstacle, Vec<String>)> = Vec::new();
        for required in required_services.iter().filter(|it| !it.is_passed_over()) {
            for placed in view.topology.private().filter(|p| required.is_required_in(p.subnet)) {
                let service = required.service.to_string();
                let subnet = placed.subnet.subnet_id.as_str().trim_start_matches("subnet-");
                for obstacle in prove(view, required, placed).obstacles {
                    let same = |it: &&mut (String, Obstacle, Vec<String>)| {
                        it.0 == service && it.1 == obstacle
                    };
                    match all.iter_mut().find(same) {
                        Some(known) => known.2.push(subnet.to_owned()),
                        None => all.push((service.clone(), obstacle, vec![subnet.to_owned()])),
                    }
                }
            }
        }
        all
    })
}

fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
    assert_eq!(told(edit), expected);
}

/// The baseline requires this one interface service and no gateway service.
fn only_interface(w: &mut Fixture, service: Value) -> &mut Fixture {
    w.baseline("gateway_endpoints", json!({"services": []}));
    w.baseline("interface_endpoints", json!({"services": [service]}))
}

/// The baseline requires this one gateway service and no interface service.
fn only_gateway(w: &mut Fixture, service: Value) -> &mut Fixture {
    w.baseline("gateway_endpoints", json!({"services": [service]}));
    w.baseline("interface_endpoints", json!({"services": []}))
}

fn only_ssm(w: &mut Fixture) -> &mut Fixture {
    only_interface(w, json!("ssm"))
}

fn only_s3(w: &mut Fixture) -> &mut Fixture {
    only_gateway(w, json!("s3"))
}

/// An offer of an interface service, with a private name or none.
fn offer(name: &str, private_name: bool) -> Value {
    let names = if private_name { json!([{"PrivateDnsName": "a.example"}]) } else { json!([]) };
    json!({"ServiceName": format!("com.amazonaws.eu-central-1.{name}"),
        "ServiceType": [{"ServiceType": "Interface"}], "AvailabilityZones": [],
        "PrivateDnsNames": names})
}

#[test]
fn a_vpc_on_its_baseline_has_no_obstacle() {
    check(|w| w, &[]);
}

/// What the certainties of several obstacles come to, and that no obstacle means served.
#[test]
fn one_obstacle_that_is_certain_means_not_served() {
    let answer = |edit: fn(&mut Fixture) -> &mut Fixture| {
        Fixture::edited(edit).view(|view, required| {
            let placed = view.topology.private().next().unwrap();
            let ssm = required.iter().find(|it| it.service.to_string() == "ssm").unwrap();
            prove(view, ssm, placed).answer()
        })
    };
    assert_eq!(answer(|w| w), Answer::Served);
    assert_eq!(
        answer(|w| w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-unseen"}]))),
        Answer::CannotTell
    );
    assert_eq!(
        answer(|w| {
            w.set("vpce-ssm", "PrivateDnsEnabled", json!(false));
            w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-unseen"}]))
        }),
        Answer::NotServed
    );
}
