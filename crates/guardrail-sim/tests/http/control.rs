//! Faults, time and what else tests ask of the simulator.

use std::time::Duration;

use guardrail_sim::http::ServerOptions;
use guardrail_sim::{Sim, SimOptions};
use serde_json::{Value, json};

use crate::client::{NOW, serve, serve_sim};

const WORLD: &str = include_str!("../../src/facts/world.json");
const DELETE_ROUTE: &str = "Action=DeleteRoute&RouteTableId=rtb-a&DestinationCidrBlock=0.0.0.0%2F0";
const CREATE_ENDPOINT: &str = "Action=CreateVpcEndpoint&VpcId=vpc-1&ServiceName=com.amazonaws.eu-central-1.dynamodb&RouteTableId.1=rtb-b";

/// The states of the endpoints of DynamoDB.
fn states(world: &Value) -> Vec<&str> {
    let endpoints = world["VpcEndpoints"].as_array().unwrap().iter();
    let dynamodb = endpoints
        .filter(|endpoint| endpoint["ServiceName"] == "com.amazonaws.eu-central-1.dynamodb");
    dynamodb.map(|endpoint| endpoint["State"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn calls_do_not_wait_for_each_other() {
    // Nobody waits for that long: the test ends when both calls have been seen at once.
    let options = ServerOptions { latency: Duration::from_secs(3600), ..ServerOptions::default() };
    let client = serve(WORLD, options).await;
    let calls = [
        tokio::spawn(client.call("Action=DescribeVpcs")),
        tokio::spawn(client.call("Action=DescribeSubnets")),
    ];
    while client.look("status").await["in_flight"] != 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.look("status").await["most_in_flight"], 2);
    assert_eq!(client.look("calls").await, json!([]), "both are still on their way");
    calls.into_iter().for_each(|call| call.abort());
}

#[tokio::test]
async fn a_fault_is_told_as_often_as_it_was_asked_for() {
    let client = serve(WORLD, ServerOptions::default()).await;
    assert_eq!(
        client.tell("fault?operation=DeleteRoute&code=Unavailable&times=2", "").await.status,
        200
    );
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.call(DELETE_ROUTE).await.unwrap().status);
    }
    assert_eq!(statuses, [503, 503, 200]);
    let call = |outcome: &str| json!({"at": "2026-11-22T12:00:00Z", "operation": "DeleteRoute", "write": true, "dry_run": false, "outcome": outcome});
    assert_eq!(
        client.look("calls").await,
        json!([call("Unavailable"), call("Unavailable"), call("ok")])
    );
}

#[tokio::test]
async fn a_lost_answer_is_a_closed_connection_and_a_call_that_happened() {
    let client = serve(WORLD, ServerOptions::default()).await;
    client.tell("fault", "operation=CreateVpcEndpoint&code=lost").await;
    assert_eq!(client.call(CREATE_ENDPOINT).await, None);
    assert_eq!(states(&client.look("world").await), ["pending"]);
    assert_eq!(client.look("calls").await[0]["outcome"], "lost");
}

#[tokio::test]
async fn time_passes_when_told_so() {
    let client = serve(WORLD, ServerOptions::default()).await;
    client.call(CREATE_ENDPOINT).await.unwrap();
    assert_eq!(states(&client.look("world").await), ["pending"]);
    let reply = client.tell("advance?seconds=5", "").await;
    assert_eq!(reply.body, r#"{"now":"2026-11-22T12:00:05Z"}"#);
    assert_eq!(states(&client.look("world").await), ["available"]);
}

#[tokio::test]
async fn calls_are_counted_against_their_buckets() {
    let client = serve(WORLD, ServerOptions::default()).await;
    let delete = "Action=DeleteVpcEndpoints&VpcEndpointId.1=vpce-9";
    for form in [delete, "Action=DescribeSecurityGroups", delete, "Action=Nonsense"] {
        client.call(form).await.unwrap();
    }
    client.tell("advance?seconds=4", "").await;
    client.call(delete).await.unwrap();
    let used = |action: &str, unfiltered: bool, sizes: (f64, f64), made: u64, highest: f64| {
        json!({
            "action": action, "unfiltered": unfiltered, "capacity": sizes.0, "refill": sizes.1,
            "made": made, "refused": 0, "highest_use": highest,
        })
    };
    assert_eq!(
        client.look("buckets").await,
        json!([
            used("DeleteVpcEndpoints", false, (4.0, 0.3), 3, 2.0),
            used("DescribeSecurityGroups", true, (50.0, 10.0), 1, 1.0),
        ])
    );
}

/// "If you exceed an API throttling limit, you get the `RequestLimitExceeded` error code"; the
/// bucket fills again as time passes.
#[tokio::test]
async fn an_empty_bucket_refuses_until_it_has_filled_again() {
    let options = SimOptions { throttling: true, ..SimOptions::default() };
    let world = guardrail::ec2::world_file::load(WORLD).unwrap();
    let client =
        serve_sim(Sim::new(world, NOW.parse().unwrap(), options), ServerOptions::default());
    let client = client.await;
    let call = async || {
        let reply = client.call("Action=DeleteVpcEndpoints&VpcEndpointId.1=vpce-9").await.unwrap();
        (reply.status, reply.body.contains("<Code>RequestLimitExceeded</Code>"))
    };
    for _ in 0..4 {
        assert_eq!(call().await, (200, false));
    }
    assert_eq!(call().await, (503, true));
    client.tell("advance?seconds=3", "").await;
    assert_eq!(call().await, (503, true));
    client.tell("advance?seconds=1", "").await;
    assert_eq!(call().await, (200, false));
    let used = &client.look("buckets").await[0];
    assert_eq!(
        (&used["made"], &used["refused"], &used["highest_use"]),
        (&json!(7), &json!(2), &json!(4.0))
    );
}

#[tokio::test]
async fn another_world_begins_without_calls_and_faults() {
    let client = serve(WORLD, ServerOptions::default()).await;
    client.call(DELETE_ROUTE).await.unwrap();
    client.tell("fault", "operation=DeleteRoute&code=Unavailable").await;
    let before: Value = client.look("world").await;
    assert_eq!(client.tell("reset", WORLD).await.status, 200);
    assert_ne!(client.look("world").await, before);
    assert_eq!(client.look("calls").await, json!([]));
    assert_eq!(client.call(DELETE_ROUTE).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_it_does_not_know_it_says() {
    let client = serve(WORLD, ServerOptions::default()).await;
    let said = async |path: &str, body: &str| {
        let reply = client.tell(path, body).await;
        (reply.status, reply.body)
    };
    let error = |text: &str| json!({ "error": text }).to_string();
    assert_eq!(said("dance", "").await, (404, error("there is no POST /_sim/dance")));
    assert_eq!(said("advance", "").await, (400, error("`seconds` is missing")));
    assert_eq!(
        said("fault", "operation=DeleteRoute").await,
        (400, error("MissingParameter: The request must contain the parameter code"))
    );
    assert_eq!(said("reset", "[").await.0, 400);
}
