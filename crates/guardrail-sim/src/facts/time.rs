use guardrail::ec2::world::{EndpointState, EndpointType, NatGatewayState};

use super::*;
use crate::{CreateNatGateway, ModifyVpcEndpoint};

fn state(sim: &Sim, id: &EndpointId) -> Option<EndpointState> {
    endpoint(sim, id.as_str()).map(|endpoint| endpoint.state)
}

fn nat_state(sim: &Sim, name: &str) -> Option<NatGatewayState> {
    sim.world().nat_gateways.unwrap().into_iter().find(|nat| nat.nat_gateway_id == *name)?.state
}

/// "State machine pending → available → deleting → deleted → gone"; "deleted endpoints stay in
/// DescribeVpcEndpoints as `deleting` then `deleted` for a period."
#[test]
fn an_endpoint_comes_and_goes() {
    let mut sim = sim();
    let kind = Some(EndpointType::Interface);
    let wanted = CreateVpcEndpoint {
        vpc_endpoint_type: kind,
        subnet_ids: ids(&["subnet-a1"]),
        ..CreateVpcEndpoint::new(id("vpc-1"), KMS)
    };
    let id = made_endpoint(&mut sim, wanted).vpc_endpoint_id;
    sim.advance(seconds(89));
    assert_eq!(state(&sim, &id), Some(EndpointState::Pending));
    sim.advance(seconds(1));
    assert_eq!(state(&sim, &id), Some(EndpointState::Available));
    sim.call(&Request::DeleteVpcEndpoints { vpc_endpoint_ids: vec![id.clone()] }).unwrap();
    assert_eq!(state(&sim, &id), Some(EndpointState::Deleting));
    assert_eq!(interfaces_of(&sim, &id).len(), 1);
    sim.advance(seconds(60));
    assert_eq!(state(&sim, &id), Some(EndpointState::Deleted));
    assert_eq!(interfaces_of(&sim, &id), []);
    sim.advance(seconds(599));
    assert_eq!(state(&sim, &id), Some(EndpointState::Deleted));
    sim.advance(seconds(1));
    assert_eq!(state(&sim, &id), None);
}

#[test]
fn everything_due_happens_in_one_long_pause() {
    let mut sim = sim();
    sim.call(&Request::DeleteVpcEndpoints { vpc_endpoint_ids: ids(&["vpce-s3"]) }).unwrap();
    sim.advance(seconds(3600));
    assert_eq!(endpoint(&sim, "vpce-s3"), None);
    assert_eq!(sim.now(), "2026-11-22T13:00:00Z".parse().unwrap());
}

/// A gateway endpoint is ready at once, or nearly.
#[test]
fn a_gateway_endpoint_is_ready_sooner() {
    let mut sim = sim();
    let id = made_endpoint(&mut sim, CreateVpcEndpoint::new(id("vpc-1"), DYNAMODB)).vpc_endpoint_id;
    sim.advance(seconds(5));
    assert_eq!(state(&sim, &id), Some(EndpointState::Available));
}

/// "A modified endpoint may return to pending for a while; that is not a fault."
#[test]
fn new_subnets_make_an_endpoint_pending_again() {
    let mut sim = sim();
    let change = ModifyVpcEndpoint {
        add_subnet_ids: ids(&["subnet-b1"]),
        ..ModifyVpcEndpoint::new(id("vpce-ssm"))
    };
    sim.call(&Request::ModifyVpcEndpoint(Box::new(change))).unwrap();
    assert_eq!(state(&sim, &id("vpce-ssm")), Some(EndpointState::Pending));
    sim.advance(seconds(90));
    assert_eq!(state(&sim, &id("vpce-ssm")), Some(EndpointState::Available));
}

/// "NAT pending/failed; NAT ENI on the wire `nat_gateway`."
#[test]
fn a_nat_gateway_comes_and_goes() {
    let mut sim = sim();
    let wanted =
        CreateNatGateway { subnet_id: Some(id("subnet-a2")), ..CreateNatGateway::default() };
    let Response::NatGateway(made) = sim.call(&Request::CreateNatGateway(wanted)).unwrap() else {
        panic!()
    };
    let (nat_id, name) = (made.nat_gateway_id.clone(), made.nat_gateway_id.to_string());
    assert_eq!(made.state, Some(NatGatewayState::Pending));
    let interfaces = |sim: &Sim| {
        let all = sim.world().network_interfaces.unwrap();
        all.into_iter().filter(|eni| eni.interface_type.as_deref() == Some("nat_gateway")).count()
    };
    assert_eq!(interfaces(&sim), 1);
    sim.advance(seconds(60));
    assert_eq!(nat_state(&sim, &name), Some(NatGatewayState::Available));
    sim.call(&Request::DeleteNatGateway { nat_gateway_id: nat_id }).unwrap();
    assert_eq!(nat_state(&sim, &name), Some(NatGatewayState::Deleting));
    sim.advance(seconds(60));
    assert_eq!((nat_state(&sim, &name), interfaces(&sim)), (Some(NatGatewayState::Deleted), 0));
    sim.advance(seconds(600));
    assert_eq!(nat_state(&sim, &name), None);
}

/// A saved world goes on where it was.
#[test]
fn a_loaded_world_finishes_what_it_was_in_the_middle_of() {
    let mut world = guardrail::ec2::world_file::load(WORLD).unwrap();
    let endpoints = world.vpc_endpoints.as_mut().unwrap();
    endpoints[0].state = EndpointState::Pending;
    endpoints[1].state = EndpointState::Deleting;
    endpoints[2].state = EndpointState::Failed;
    let mut sim = Sim::new(world, Default::default(), SimOptions::default());
    sim.advance(seconds(90));
    let states: Vec<_> =
        sim.world().vpc_endpoints.unwrap().into_iter().map(|endpoint| endpoint.state).collect();
    assert_eq!(states, [EndpointState::Available, EndpointState::Deleted, EndpointState::Failed]);
}

#[test]
fn a_saved_world_loads_again_as_it_was() {
    let mut sim = sim();
    made_endpoint(&mut sim, CreateVpcEndpoint::new(id("vpc-1"), DYNAMODB));
    let text = serde_json::to_string(&sim.world()).unwrap();
    assert_eq!(guardrail::ec2::world_file::load(&text).unwrap(), sim.world());
}
