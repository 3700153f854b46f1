//! What people and tools may expect beside the promises: a tool that makes itself what it has deleted
//! is left alone, an incident is told as one, and a VPC that waits holds up no other.

use std::time::Duration;

use guardrail::ec2::id::RouteTableId;
use guardrail_sim::{CreateVpcEndpoint, Request};
use serde_json::{Value, json};

use crate::stage::{
    MANAGED, NAT, OTHER, S3, SSM, Stage, TABLE, delete_endpoint, endpoint_deleted, id_in,
    nat_route, route_created,
};
use crate::{NONE, at_once};

/// The message that somebody deleted an endpoint just now.
fn deleted_now(stage: &Stage) -> String {
    let mut body: Value = serde_json::from_str(&endpoint_deleted()).unwrap();
    body["evidence"][0]["time"] = json!(stage.now().to_string());
    body.to_string()
}

fn services(stage: &Stage) -> Vec<String> {
    let world = stage.world();
    let endpoints = world["VpcEndpoints"].as_array().unwrap().iter();
    let alive = endpoints.filter(|it| it["VpcId"] == MANAGED && it["State"] != "deleted");
    let mut names: Vec<String> =
        alive.map(|it| it["ServiceName"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Terraform replaces an endpoint by deleting it and making another: its apply succeeds, and nobody
/// hears of it.
#[test]
fn an_apply_that_deletes_an_endpoint_and_makes_it_again_succeeds_unheard() {
    let stage = Stage::new(json!({}));
    let before = services(&stage);
    stage.somebody(&delete_endpoint(S3));
    assert_eq!(stage.deliver(&[&deleted_now(&stage)]), NONE);
    stage.minutes(1);
    assert_eq!(stage.effects(), NONE, "it is left to whoever deleted it");
    let endpoint =
        CreateVpcEndpoint::new(MANAGED.parse().unwrap(), "com.amazonaws.eu-central-1.s3");
    let endpoint = CreateVpcEndpoint { route_table_ids: tables(&stage), ..endpoint };
    let made = Request::CreateVpcEndpoint(Box::new(endpoint));
    stage.somebody(&made);
    stage.minutes(10);
    stage.sweep();
    stage.minutes(10);
    assert_eq!((stage.effects(), stage.subjects()), (NONE.to_vec(), NONE.to_vec()));
    assert_eq!(services(&stage), before);
}

fn tables(stage: &Stage) -> Vec<RouteTableId> {
    let world = stage.world();
    let tables = world["RouteTables"].as_array().unwrap().iter();
    let its = tables.filter(|it| it["VpcId"] == MANAGED);
    its.map(|it| it["RouteTableId"].as_str().unwrap().parse().unwrap()).collect()
}

/// A NAT route and the missing endpoint behind it are one incident.
#[test]
fn a_route_and_the_missing_endpoint_behind_it_are_told_together() {
    let stage = Stage::new(json!({"settling": {"minutes": 0, "dhcp_options_minutes": 0}}));
    stage.somebody(&nat_route(TABLE, NAT));
    stage.somebody(&delete_endpoint(S3));
    assert_eq!(stage.deliver(&[&route_created(), &deleted_now(&stage)]), NONE);
    let text = |number: usize| stage.told.borrow()[number].alert.text.clone();
    assert_eq!(stage.subjects().len(), 1);
    assert!(
        text(0).contains("gateway-endpoint") && text(0).contains("internet-route"),
        "{}",
        text(0)
    );
    stage.minutes(10);
    assert!(!stage.leads_out());
    assert_eq!(stage.subjects().len(), 2, "what was done: {:?}", stage.subjects());
    assert!(stage.subjects()[1].contains("repaired"), "{:?}", stage.subjects());
}

/// An endpoint takes minutes to come up: that is state, and no run waits for it.
#[test]
fn a_vpc_that_waits_holds_up_no_other_of_its_batch() {
    let mut baseline = at_once();
    baseline["managed_vpcs"] = json!("all");
    let stage = Stage::new(baseline);
    stage.somebody(&delete_endpoint(SSM));
    stage.somebody(&nat_route(&id_in(OTHER, TABLE), &id_in(OTHER, NAT)));
    stage.pass(Duration::from_secs(120));
    let about_the_other = route_created().replace(MANAGED, OTHER);
    let began = stage.now();
    assert_eq!(stage.deliver(&[&deleted_now(&stage), &about_the_other]), NONE);
    assert!(stage.now().duration_since(began).as_secs() <= 90);
    let world = stage.world();
    let tables = world["RouteTables"].as_array().unwrap().iter();
    let others = tables.filter(|it| it["RouteTableId"] == id_in(OTHER, TABLE).as_str());
    assert!(others.into_iter().all(|it| !it.to_string().contains(&id_in(OTHER, NAT))));
}
