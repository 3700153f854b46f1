//! Eventual consistency, faults and throttling.

use guardrail::ec2::world::Tag;

use super::*;
use crate::{CreateNatGateway, Fault, Query, Recorded};

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

/// "`InvalidVpcEndpointId.NotFound` can follow a successful create by seconds"; "just-created
/// table/target not yet visible: `InvalidRouteTableID.NotFound`"; "`InvalidGroup.NotFound` right
/// after create: eventual consistency, retry."
#[test]
fn what_was_just_made_may_not_be_found() {
    let mut sim = slow();
    let made =
        made_endpoint(&mut sim, CreateVpcEndpoint::new(id("vpc-1"), DYNAMODB)).vpc_endpoint_id;
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
        assert_eq!(
            refusal(&mut sim, &delete_default()),
            ("InternalError".to_owned(), "try again".to_owned())
        );
    }
    sim.call(&delete_default()).unwrap();
}

/// "An SDK-internal retry after a lost response would make a duplicate": the call happened, and
/// nobody was told.
#[test]
fn an_answer_can_be_lost_after_the_call_happened() {
    let mut sim = sim();
    sim.inject(Fault::lose_answer("CreateVpcEndpoint"));
    let wanted = CreateVpcEndpoint {
        client_token: Some("once".to_owned()),
        ..CreateVpcEndpoint::new(id("vpc-1"), DYNAMODB)
    };
    let request = Request::CreateVpcEndpoint(Box::new(wanted.clone()));
    let error = sim.call(&request).unwrap_err();
    assert_eq!((error.code.as_str(), error.http_status), ("", 0));
    let before = sim.world();
    assert_eq!(before.vpc_endpoints.as_ref().unwrap().len(), 4);
    made_endpoint(&mut sim, wanted);
    assert_eq!(sim.world(), before);
}

fn throttling() -> Sim {
    sim_with(SimOptions { throttling: true, ..SimOptions::default() })
}

/// How many of these calls go through at once.
fn calls_until_refused(sim: &mut Sim, request: &Request) -> usize {
    let outcomes = (0..1000).map(|_| sim.call(request));
    let refused = |error: &ApiError| error.code == "RequestLimitExceeded";
    outcomes.take_while(|outcome| !outcome.as_ref().is_err_and(refused)).count()
}

fn no_endpoints() -> Request {
    Request::DeleteVpcEndpoints { vpc_endpoint_ids: Vec::new() }
}

fn modify_s3() -> Request {
    Request::ModifyVpcEndpoint(Box::new(crate::ModifyVpcEndpoint::new(id("vpce-s3"))))
}

/// "Limits are applied to individual API actions, not API action categories." CreateVpcEndpoint,
/// ModifyVpcEndpoint and DeleteVpcEndpoints have 4 / 0.3 each.
#[test]
fn each_endpoint_action_has_its_own_few_calls() {
    let mut sim = throttling();
    let dynamodb = CreateVpcEndpoint::new(id("vpc-1"), DYNAMODB);
    let create = Request::CreateVpcEndpoint(Box::new(CreateVpcEndpoint {
        client_token: Some("t".into()),
        ..dynamodb
    }));
    for request in [create, modify_s3(), no_endpoints()] {
        assert_eq!(calls_until_refused(&mut sim, &request), 4, "{}", request.operation());
        assert_eq!(code(&mut sim, &request), "RequestLimitExceeded");
    }
    sim.call(&delete_default()).unwrap();
    sim.advance(seconds(3));
    assert_eq!(code(&mut sim, &modify_s3()), "RequestLimitExceeded");
    sim.advance(seconds(1));
    sim.call(&modify_s3()).unwrap();
    assert_eq!(code(&mut sim, &modify_s3()), "RequestLimitExceeded");
    sim.call(&no_endpoints()).unwrap();
}

/// "Each API is evaluated individually, and you are throttled on the number of requests you make on
/// a per-API basis".
#[test]
fn two_reads_do_not_share_a_bucket() {
    let mut sim = throttling();
    assert_eq!(calls_until_refused(&mut sim, &Request::DescribeVpcs(Query::default())), 100);
    assert_eq!(calls_until_refused(&mut sim, &Request::DescribeSubnets(Query::default())), 100);
    assert_eq!(code(&mut sim, &Request::DescribeVpcs(Query::default())), "RequestLimitExceeded");
}

/// Max and refill per second: reads 100 / 20, changes 50 / 5, tags 100 / 10, NAT gateways 10 / 1,
/// and ModifyNetworkInterfaceAttribute 100 / 5.
#[test]
fn each_action_refills_at_its_own_rate() {
    let mut sim = throttling();
    let resources = || vec!["vpc-1".to_owned()];
    let network_interface_id = id("eni-router");
    let regional = CreateNatGateway { vpc_id: Some(id("vpc-1")), ..CreateNatGateway::default() };
    let cases = [
        (Request::DescribeVpcs(Query::default()), 100, 20),
        (create_route("rtb-b", v4("0.0.0.0/0"), nat("nat-1")), 50, 5),
        (
            Request::CreateTags { resources: resources(), tags: vec![Tag::new("Tier", "private")] },
            100,
            10,
        ),
        (Request::DeleteTags { resources: resources(), tags: Vec::new() }, 100, 10),
        (Request::CreateNatGateway(regional), 10, 1),
        (Request::DeleteNatGateway { nat_gateway_id: id("nat-9") }, 10, 1),
        (
            Request::ModifyNetworkInterfaceAttribute {
                network_interface_id,
                source_dest_check: false,
            },
            100,
            5,
        ),
    ];
    let count = |sim: &mut Sim| {
        let calls = cases.iter().map(|(request, ..)| calls_until_refused(sim, request));
        calls.collect::<Vec<usize>>()
    };
    let capacities: Vec<usize> = cases.iter().map(|(_, capacity, _)| *capacity).collect();
    let refills: Vec<usize> = cases.iter().map(|(_, _, refill)| *refill).collect();
    assert_eq!(count(&mut sim), capacities);
    sim.advance(seconds(1));
    assert_eq!(count(&mut sim), refills);
    sim.advance(seconds(3600));
    assert_eq!(count(&mut sim), capacities, "no bucket overflows");
}

/// "A specific subset of non-mutating API actions that, when requested without specifying either
/// pagination or a filter, use tokens from a smaller token bucket": 50 / 10 for DescribeInstances,
/// DescribeNetworkInterfaces and DescribeSecurityGroups.
#[test]
fn a_read_of_everything_draws_on_a_smaller_bucket() {
    let kinds = [
        Request::DescribeNetworkInterfaces,
        Request::DescribeSecurityGroups,
        Request::DescribeInstances,
    ];
    let mut sim = throttling();
    for ask in kinds {
        assert_eq!(calls_until_refused(&mut sim, &ask(Query::default())), 50);
        assert_eq!(calls_until_refused(&mut sim, &ask(Query::by("vpc-id", ["vpc-1"]))), 100);
        let page = Query { max_results: Some(5), ..Query::default() };
        assert_eq!(code(&mut sim, &ask(page)), "RequestLimitExceeded");
    }
    sim.advance(seconds(1));
    for ask in kinds {
        assert_eq!(calls_until_refused(&mut sim, &ask(Query::default())), 10);
        assert_eq!(calls_until_refused(&mut sim, &ask(Query::by("vpc-id", ["vpc-1"]))), 20);
    }
}

/// What is counted of each bucket is what was made, what was refused, and the most that was missing
/// at once; without throttling a bucket owes what it would have refused.
#[test]
fn the_use_of_each_bucket_is_counted() {
    let used = |sim: &Sim| {
        let uses = sim.bucket_uses().into_iter();
        uses.map(|used| (used.action, used.made, used.refused, used.highest_use))
            .collect::<Vec<_>>()
    };
    let mut sim = throttling();
    assert_eq!(calls_until_refused(&mut sim, &modify_s3()), 4);
    sim.advance(seconds(3600));
    sim.call(&modify_s3()).unwrap();
    assert_eq!(used(&sim), [("ModifyVpcEndpoint", 6, 1, 4.0)]);

    let mut sim = super::sim();
    for _ in 0..6 {
        sim.call(&modify_s3()).unwrap();
    }
    assert_eq!(used(&sim), [("ModifyVpcEndpoint", 6, 0, 6.0)]);
}

/// A dry run is a request to the same API: it takes from the same bucket.
#[test]
fn a_dry_run_draws_on_the_bucket_of_its_call() {
    let mut sim = throttling();
    let dry = Request::DryRun(Box::new(modify_s3()));
    assert_eq!(calls_until_refused(&mut sim, &dry), 4);
    assert_eq!(code(&mut sim, &modify_s3()), "RequestLimitExceeded");
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
