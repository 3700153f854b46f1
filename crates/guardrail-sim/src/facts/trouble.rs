//! Eventual consistency, faults and throttling.

use super::*;
use crate::{Fault, Query, Recorded};

fn seen_routes(sim: &mut Sim, table: &str) -> usize {
    let request = Request::DescribeRouteTables(Query::of([table]));
    let Response::Described { found, .. } = sim.call(&request).unwrap() else { panic!() };
    found.route_tables.unwrap().pop().unwrap().routes.len()
}

fn delete_default() -> Request {
    Request::DeleteRoute { route_table_id: id("rtb-a"), destination: v4("0.0.0.0/0") }
}

fn slow() -> Sim {
    sim_with(SimOptions { visibility_delay: seconds(10), ..SimOptions::default() })
}

/// "A single describe right after an event can be stale in both directions."
#[test]
fn a_read_may_be_stale_in_both_directions() {
    let mut sim = slow();
    sim.call(&delete_default()).unwrap();
    sim.call(&create_route("rtb-b", v4("0.0.0.0/0"), nat("nat-1"))).unwrap();
    assert_eq!((seen_routes(&mut sim, "rtb-a"), seen_routes(&mut sim, "rtb-b")), (3, 2));
    sim.advance(seconds(9));
    assert_eq!((seen_routes(&mut sim, "rtb-a"), seen_routes(&mut sim, "rtb-b")), (3, 2));
    sim.advance(seconds(1));
    assert_eq!((seen_routes(&mut sim, "rtb-a"), seen_routes(&mut sim, "rtb-b")), (2, 3));
    assert_eq!(table(&sim, "rtb-a").routes.len(), 2);
}

/// "`InvalidVpcEndpointId.NotFound` can follow a successful create by seconds"; "just-created table/target not yet visible:
/// `InvalidRouteTableID.NotFound`"; "`InvalidGroup.NotFound` right after create: eventual consistency, retry."
#[test]
fn what_was_just_made_may_not_be_found() {
    let mut sim = slow();
    let made = made_endpoint(&mut sim, CreateVpcEndpoint::new(id("vpc-1"), DYNAMODB)).vpc_endpoint_id;
    let read = Request::DescribeVpcEndpoints(Query::of([made.as_str()]));
    let change = Request::ModifyVpcEndpoint(Box::new(crate::ModifyVpcEndpoint::new(made.clone())));
    assert_eq!(code(&mut sim, &read), "InvalidVpcEndpointId.NotFound");
    assert_eq!(code(&mut sim, &change), "InvalidVpcEndpointId.NotFound");
    sim.advance(seconds(10));
    sim.call(&read).unwrap();
    sim.call(&change).unwrap();
}

#[test]
fn the_next_calls_of_an_operation_fail_and_change_nothing() {
    let mut sim = sim();
    sim.inject(Fault::refuse("DeleteRoute", "InternalError").times(2).message("try again"));
    for _ in 0..2 {
        assert_eq!(refusal(&mut sim, &delete_default()), ("InternalError".to_owned(), "try again".to_owned()));
    }
    sim.call(&delete_default()).unwrap();
}

/// "An SDK-internal retry after a lost response would make a duplicate": the call happened, and nobody was told.
#[test]
fn an_answer_can_be_lost_after_the_call_happened() {
    let mut sim = sim();
    sim.inject(Fault::lose_answer("CreateVpcEndpoint"));
    let wanted =
        CreateVpcEndpoint { client_token: Some("once".to_owned()), ..CreateVpcEndpoint::new(id("vpc-1"), DYNAMODB) };
    let request = Request::CreateVpcEndpoint(Box::new(wanted.clone()));
    let error = sim.call(&request).unwrap_err();
    assert_eq!((error.code.as_str(), error.http_status), ("", 0));
    let before = sim.world();
    assert_eq!(before.vpc_endpoints.as_ref().unwrap().len(), 4);
    made_endpoint(&mut sim, wanted);
    assert_eq!(sim.world(), before);
}

/// "Create/Modify/DeleteVpcEndpoint share a bucket of 4 calls, then 0.3 per second": `RequestLimitExceeded`.
#[test]
fn endpoint_calls_are_few() {
    let mut sim = sim_with(SimOptions { throttling: true, ..SimOptions::default() });
    let request = Request::DeleteVpcEndpoints { vpc_endpoint_ids: Vec::new() };
    for _ in 0..4 {
        sim.call(&request).unwrap();
    }
    let change = Request::ModifyVpcEndpoint(Box::new(crate::ModifyVpcEndpoint::new(id("vpce-s3"))));
    assert_eq!(code(&mut sim, &change), "RequestLimitExceeded");
    sim.call(&delete_default()).unwrap();
    sim.advance(seconds(3));
    assert_eq!(code(&mut sim, &change), "RequestLimitExceeded");
    sim.advance(seconds(1));
    sim.call(&change).unwrap();
    assert_eq!(code(&mut sim, &request), "RequestLimitExceeded");
}

#[test]
fn every_call_is_recorded_with_its_outcome() {
    let mut sim = sim();
    let read = Request::DescribeVpcs(Query::default());
    let dry = Request::DryRun(Box::new(delete_default()));
    for request in [&read, &delete_default(), &delete_default(), &dry] {
        drop(sim.call(request));
    }
    let line = |call: &Recorded| {
        let code = call.outcome.as_ref().err().map_or("ok", |error| error.code.as_str());
        format!("{} {} {code}", call.request.operation(), call.is_write())
    };
    assert_eq!(
        sim.calls().iter().map(line).collect::<Vec<_>>(),
        [
            "DescribeVpcs false ok",
            "DeleteRoute true ok",
            "DeleteRoute true InvalidRoute.NotFound",
            "DeleteRoute false DryRunOperation"
        ]
    );
}
