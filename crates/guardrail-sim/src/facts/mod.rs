//! What AWS documents, or was seen to do, as tests: each quotes the fact it holds the simulator to.

mod associations;
mod building;
mod cloud;
mod describing;
mod enacting;
mod endpoints;
mod gateway_endpoints;
mod groups;
mod interface_endpoints;
mod network_acls;
mod probes;
mod queue_dead_letters;
mod queue_groups;
mod queue_mapping;
mod queue_promises;
mod queue_receipts;
mod queue_scene;
mod queue_sending;
mod renting;
mod routes;
mod time;
mod trouble;
mod worlds;

use std::str::FromStr;
use std::time::Duration;

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{EndpointId, RouteTableId};
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::world::{Destination, NetworkInterface, RouteTable, VpcEndpoint};

use crate::{ApiError, CreateVpcEndpoint, Request, Response, Sim, SimOptions};

const WORLD: &str = include_str!("world.json");
const S3: &str = "com.amazonaws.eu-central-1.s3";
const SSM: &str = "com.amazonaws.eu-central-1.ssm";
const KMS: &str = "com.amazonaws.eu-central-1.kms";
const DYNAMODB: &str = "com.amazonaws.eu-central-1.dynamodb";

fn sim() -> Sim {
    sim_with(SimOptions::default())
}

fn sim_with(options: SimOptions) -> Sim {
    Sim::new(
        guardrail::ec2::world_file::load(WORLD).unwrap(),
        "2026-11-22T12:00:00Z".parse().unwrap(),
        options,
    )
}

fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn ids<T: FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| id(text)).collect()
}

fn names<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The code and words of a refusal, and that nothing changed by it.
#[track_caller]
fn refusal(sim: &mut Sim, request: &Request) -> (String, String) {
    let before = sim.world();
    let ApiError { code, message, .. } = sim.call(request).unwrap_err();
    assert_eq!(sim.world(), before, "a refused call must change nothing");
    (code, message)
}

#[track_caller]
fn code(sim: &mut Sim, request: &Request) -> String {
    refusal(sim, request).0
}

#[track_caller]
fn made_endpoint(sim: &mut Sim, wanted: CreateVpcEndpoint) -> VpcEndpoint {
    let made = sim.call(&Request::CreateVpcEndpoint(Box::new(wanted))).unwrap();
    let Response::Endpoint(endpoint) = made else { panic!() };
    *endpoint
}

fn table(sim: &Sim, name: &str) -> RouteTable {
    let found =
        sim.world().route_tables.unwrap().into_iter().find(|table| table.route_table_id == *name);
    found.unwrap()
}

/// A table's routes as `destination target state`.
fn routes(sim: &Sim, name: &str) -> Vec<String> {
    let route = |route: &guardrail::ec2::world::Route| {
        let destination = route.destination().unwrap();
        format!("{destination} {} {}", route.target().unwrap(), route.state.as_ref().unwrap())
    };
    table(sim, name).routes.iter().map(route).collect()
}

fn endpoint(sim: &Sim, name: &str) -> Option<VpcEndpoint> {
    sim.world()
        .vpc_endpoints
        .unwrap()
        .into_iter()
        .find(|endpoint| endpoint.vpc_endpoint_id == *name)
}

fn interfaces_of(sim: &Sim, endpoint: &EndpointId) -> Vec<NetworkInterface> {
    let description = format!("VPC Endpoint Interface {endpoint}");
    sim.world()
        .network_interfaces
        .unwrap()
        .into_iter()
        .filter(|eni| eni.description == description)
        .collect()
}

fn v4(cidr: &str) -> Destination {
    Destination::CidrBlock(Cidr::from(cidr))
}

fn create_route(table: &str, destination: Destination, target: RouteTarget) -> Request {
    Request::CreateRoute { route_table_id: id::<RouteTableId>(table), destination, target }
}

fn nat(name: &str) -> RouteTarget {
    RouteTarget::NatGateway(id(name))
}
