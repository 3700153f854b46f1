//! Incidents, from the call somebody makes to the alert that arrives.

use e2e::pipeline::{Pipeline, scenario};
use serde_json::json;

const TABLE: &str = "rtb-0a1b2c3d4e5f60011";

#[test]
fn a_nat_route_and_a_deleted_endpoint_are_repaired_and_told() {
    let stack = Pipeline::over(&scenario("demo"), &[("Mode", "repair")]);
    let all = stack.subscribe("all", &json!({}));
    stack.ec2(
        "create_route",
        &json!({ "RouteTableId": TABLE, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0a1b2c3d4e5f60001" }),
    );
    stack.ec2("delete_vpc_endpoints", &json!({ "VpcEndpointIds": ["vpce-0a1b2c3d4e5f60031"] }));
    stack.settle();
    println!("{:#}", stack.sim("calls"));
    println!("{:#?}", stack.alerts(&all));
    println!("{:?}", stack.writes());
}
