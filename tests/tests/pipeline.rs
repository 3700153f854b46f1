//! Incidents, each from the call somebody makes to the alert that arrives: the stack of
//! `template.yaml` with its functions as processes.

#![cfg(test)]

use std::collections::BTreeMap;

use e2e::pipeline::{Pipeline, REGION, scenario, wait_until};
use serde_json::{Value, json};

const VPC: &str = "vpc-0a1b2c3d4e5f60000";
const NAT: &str = "nat-0a1b2c3d4e5f60001";
const S3_ENDPOINT: &str = "vpce-0a1b2c3d4e5f60031";
const SSM_ENDPOINT: &str = "vpce-0a1b2c3d4e5f60033";
const MAIN_TABLE: &str = "rtb-0a1b2c3d4e5f60010";
const PRIVATE_TABLE: &str = "rtb-0a1b2c3d4e5f60011";
const OTHER_PRIVATE_TABLE: &str = "rtb-0a1b2c3d4e5f60012";
const PRIVATE_SUBNET: &str = "subnet-0a1b2c3d4e5f60023";
const ENDPOINTS_GROUP: &str = "sg-0a1b2c3d4e5f60051";
/// Nothing takes time to act: waiting has a test of its own.
const REPAIR: &[(&str, &str)] =
    &[("Mode", "repair"), ("SettlingMinutes", "0"), ("GraceMinutes", "0")];

/// What the AWS CLI, the console or Terraform would call.
fn add_nat_route(stack: &Pipeline, table: &str, destination: &str) {
    let route =
        json!({ "RouteTableId": table, "DestinationCidrBlock": destination, "NatGatewayId": NAT });
    stack.ec2("create_route", &route);
}

/// Each table's routes: destination to target.
fn routes(world: &Value) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let either = |route: &Value, fields: [&str; 2]| {
        text(fields.iter().map(|name| &route[name]).find(|it| it.is_string()).unwrap())
    };
    let tables = world["RouteTables"].as_array().unwrap().iter();
    let routes = |table: &Value| {
        let routes = table["Routes"].as_array().unwrap().iter();
        let ends = |route| {
            (
                either(route, ["DestinationCidrBlock", "DestinationPrefixListId"]),
                either(route, ["GatewayId", "NatGatewayId"]),
            )
        };
        routes.map(ends).collect()
    };
    tables.map(|table| (text(&table["RouteTableId"]), routes(table))).collect()
}

/// The endpoint of a service that is there, and not on its way out.
fn endpoint_of<'w>(world: &'w Value, service: &str) -> &'w Value {
    let name = format!("com.amazonaws.{REGION}.{service}");
    let endpoints = world["VpcEndpoints"].as_array().unwrap().iter();
    { endpoints }.find(|it| it["ServiceName"] == name && it["State"] == "available").unwrap()
}

/// What of an alert says what happened.
fn gist(alert: &Value) -> Value {
    let calls: Vec<&Value> =
        alert["evidence"].as_array().unwrap().iter().map(|call| &call["event"]).collect();
    let rules: Vec<&Value> =
        alert["findings"].as_array().unwrap().iter().map(|found| &found["rule"]).collect();
    json!({ "vpc": alert["scope"]["vpc"], "verdict": alert["verdict"], "cause": alert["cause"], "calls": calls, "rules": rules })
}

#[test]
fn a_nat_route_and_a_deleted_endpoint_are_repaired_and_told() {
    let world = scenario("demo");
    let stack = Pipeline::over(&world, REPAIR);
    let all = stack.subscribe("all", &json!({}));
    let repairs = stack
        .subscribe("repairs", &json!({ "verdict": ["repaired"], "rules": ["internet-route"] }));
    let failures = stack.subscribe("failures", &json!({ "verdict": ["drift-left", "incomplete"] }));
    add_nat_route(&stack, PRIVATE_TABLE, "0.0.0.0/0");
    stack.ec2("delete_vpc_endpoints", &json!({ "VpcEndpointIds": [S3_ENDPOINT] }));
    stack.settle();

    assert_eq!(
        stack.writes(),
        ["CreateRoute", "DeleteVpcEndpoints", "CreateVpcEndpoint", "DeleteRoute"]
    );
    let after = stack.sim("world");
    let recreated = endpoint_of(&after, "s3")["VpcEndpointId"].as_str().unwrap();
    let with_it: Value =
        serde_json::from_str(&world.to_string().replace(S3_ENDPOINT, recreated)).unwrap();
    assert_eq!(routes(&after), routes(&with_it));
    let alerts = stack.alerts(&repairs);
    assert_eq!(alerts, stack.alerts(&all));
    assert_eq!(stack.alerts(&failures), Vec::<Value>::new());
    let told: Vec<Value> = alerts.iter().map(gist).collect();
    let rules = ["gateway-endpoint", "internet-route"];
    let [told] = told.as_slice() else { panic!("one alert was expected, not {told:?}") };
    assert_eq!(
        (&told["vpc"], &told["verdict"], &told["rules"]),
        (&json!(VPC), &json!("repaired"), &json!(rules))
    );
}

#[test]
fn a_table_made_the_main_one_is_brought_to_the_baseline() {
    let mut world = scenario("demo");
    // The private subnet of zone b has no table of its own: the main table, which has the
    // endpoints, serves it.
    let main = world["RouteTables"][0]["Associations"][0].take();
    let association = main["RouteTableAssociationId"].clone();
    world["RouteTables"][0]["Associations"] = json!([]);
    world["RouteTables"][2]["Associations"] = json!([main]);
    world["RouteTables"][2]["Associations"][0]["RouteTableId"] = json!(OTHER_PRIVATE_TABLE);
    let stack = Pipeline::over(&world, REPAIR);
    let all = stack.subscribe("all", &json!({}));
    add_nat_route(&stack, MAIN_TABLE, "0.0.0.0/0");
    stack.settle();
    assert_eq!(stack.writes(), ["CreateRoute"], "no private subnet has this table yet");
    assert_eq!(stack.alerts(&all), Vec::<Value>::new());

    let swap = json!({ "AssociationId": association, "RouteTableId": MAIN_TABLE });
    stack.ec2("replace_route_table_association", &swap);
    stack.settle();
    let repairs = ["ModifyVpcEndpoint", "ModifyVpcEndpoint", "DeleteRoute"];
    assert_eq!(stack.writes()[2..], repairs);
    let after = routes(&stack.sim("world"));
    assert_eq!(after[MAIN_TABLE], after[OTHER_PRIVATE_TABLE]);
    let rules = ["gateway-endpoint-route-table", "gateway-endpoint-route-table", "internet-route"];
    let told: Vec<Value> = stack.alerts(&all).iter().map(gist).collect();
    let calls = ["ReplaceRouteTableAssociation"];
    let wanted = json!({ "vpc": VPC, "verdict": "repaired", "cause": "event", "calls": calls, "rules": rules });
    assert_eq!(told, [wanted]);
}

#[test]
fn endpoints_that_nobody_may_reach_get_a_security_group() {
    let world = scenario("demo");
    let stack = Pipeline::over(&world, REPAIR);
    let all = stack.subscribe("all", &json!({}));
    let https = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": "10.20.0.0/16" }] });
    stack.ec2(
        "revoke_security_group_ingress",
        &json!({ "GroupId": ENDPOINTS_GROUP, "IpPermissions": [https] }),
    );
    stack.settle();
    let modify = "ModifyVpcEndpoint";
    let repairs = ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress", modify, modify, modify];
    assert_eq!(stack.writes()[1..], repairs);
    // The account's allowance has two calls of a kind at once: the third endpoint follows.
    let told: Vec<Value> = stack.alerts(&all).iter().map(gist).collect();
    let [first, last] = told.as_slice() else { panic!("two alerts were expected, not {told:?}") };
    let calls = json!(["RevokeSecurityGroupIngress"]);
    assert_eq!((&first["verdict"], &first["calls"]), (&json!("drift-left"), &calls));
    assert_eq!(first["rules"], json!(vec!["endpoint-security-group"; 3]));
    assert_eq!(
        (&last["verdict"], &last["rules"]),
        (&json!("repaired"), &json!(["endpoint-security-group"]))
    );
}

#[test]
fn the_sweep_finds_what_no_event_told() {
    let world = scenario("demo");
    let stack = Pipeline::over(&world, REPAIR);
    let all = stack.subscribe("all", &json!({}));
    stack.sweep();
    stack.drain();
    add_nat_route(&stack, PRIVATE_TABLE, "0.0.0.0/0");
    stack.sweep();
    stack.drain();
    assert_eq!(stack.writes(), ["CreateRoute", "DeleteRoute"]);
    assert_eq!(routes(&stack.sim("world")), routes(&world));
    let told: Vec<Value> = stack.alerts(&all).iter().map(gist).collect();
    let wanted = json!({ "vpc": VPC, "verdict": "repaired", "cause": "sweep", "calls": [], "rules": ["internet-route"] });
    assert_eq!(told, [wanted]);
}

#[test]
fn many_events_about_one_vpc_are_one_runs_worth_of_writes() {
    let stack = Pipeline::over(&scenario("demo"), REPAIR);
    let all = stack.subscribe("all", &json!({}));
    for network in 0..49 {
        add_nat_route(&stack, PRIVATE_TABLE, &format!("10.21.{network}.0/24"));
    }
    add_nat_route(&stack, PRIVATE_TABLE, "0.0.0.0/0");
    assert_eq!(stack.deliver(), 50);
    stack.drain();
    stack.settle();
    assert_eq!(stack.writes()[50..], ["DeleteRoute"]);
    assert_eq!(stack.alerts(&all).len(), 1);
}

fn give_public_addresses(stack: &Pipeline, subnet: &str) {
    let on = json!({ "SubnetId": subnet, "MapPublicIpOnLaunch": { "Value": true } });
    stack.ec2("modify_subnet_attribute", &on);
}

#[test]
fn public_addresses_in_a_private_subnet_are_told_of_and_turned_off_once_the_rule_is_switched_on() {
    let notifies = Pipeline::over(&scenario("demo"), REPAIR);
    let all = notifies.subscribe("all", &json!({}));
    give_public_addresses(&notifies, PRIVATE_SUBNET);
    notifies.settle();
    assert_eq!(notifies.writes(), ["ModifySubnetAttribute"]);
    let alerts = notifies.alerts(&all);
    assert_eq!(alerts.iter().map(|alert| &alert["verdict"]).collect::<Vec<_>>(), ["drift-left"]);

    let stored = [("BaselineParameter", "/guardrail/baseline"), ("AllowWrites", "true")];
    let world = scenario("demo");
    let repairs = Pipeline::over(&world, &stored);
    let rules = json!({ "public-ip-on-launch": { "mode": "repair" } });
    let baseline = json!({ "version": 1, "mode": "notify", "rules": rules }).to_string();
    let parameter = json!({ "Name": "/guardrail/baseline", "Type": "String", "Value": baseline });
    repairs.aws("ssm", "put_parameter", &parameter);
    let all = repairs.subscribe("all", &json!({}));
    give_public_addresses(&repairs, PRIVATE_SUBNET);
    repairs.settle();
    assert_eq!(repairs.writes(), ["ModifySubnetAttribute"; 2]);
    let on = |world: &Value| -> Vec<Value> {
        let subnets = world["Subnets"].as_array().unwrap().iter();
        subnets.map(|subnet| subnet["MapPublicIpOnLaunch"].clone()).collect()
    };
    assert_eq!(on(&repairs.sim("world")), on(&world));
    let told: Vec<Value> = repairs.alerts(&all).iter().map(gist).collect();
    let told = told.iter().map(|told| (&told["verdict"], &told["rules"])).collect::<Vec<_>>();
    assert_eq!(told, [(&json!("repaired"), &json!(["public-ip-on-launch"]))]);
}

#[test]
fn a_vpc_that_is_not_managed_is_left_alone() {
    let mut world = scenario("demo");
    world["Vpcs"][0]["Tags"] = json!([{ "Key": "Name", "Value": "shop" }]);
    let stack = Pipeline::over(&world, REPAIR);
    let all = stack.subscribe("all", &json!({}));
    add_nat_route(&stack, PRIVATE_TABLE, "0.0.0.0/0");
    stack.ec2("delete_vpc_endpoints", &json!({ "VpcEndpointIds": [S3_ENDPOINT] }));
    assert_eq!(stack.deliver(), 2);
    stack.drain();
    stack.sweep();
    stack.drain();
    assert_eq!(stack.writes(), ["CreateRoute", "DeleteVpcEndpoints"]);
    assert_eq!(stack.alerts(&all), Vec::<Value>::new());
}

#[test]
fn a_message_nobody_can_read_is_set_aside_alone() {
    let stack = Pipeline::over(&scenario("demo"), REPAIR);
    let all = stack.subscribe("all", &json!({}));
    let queue = stack.output("QueueUrl");
    let poison = json!({
        "QueueUrl": queue, "MessageBody": "not a message", "MessageGroupId": "anybody", "MessageDeduplicationId": "1"
    });
    stack.aws("sqs", "send_message", &poison);
    add_nat_route(&stack, PRIVATE_TABLE, "0.0.0.0/0");
    stack.settle();
    let dead = stack.output("UnreadableMessagesUrl");
    let given_up = wait_until("the message is set aside", || {
        Some(stack.receive(dead)).filter(|bodies| !bodies.is_empty())
    });
    assert_eq!(given_up, ["not a message"]);
    assert_eq!(stack.writes(), ["CreateRoute", "DeleteRoute"]);
    assert_eq!(
        stack.alerts(&all).iter().map(|alert| &alert["verdict"]).collect::<Vec<_>>(),
        ["repaired"]
    );

    // ministack measures no queues, so the alarm is rung by hand: it is the one on this queue, and
    // it reaches the topic.
    let name = dead.rsplit('/').next().unwrap();
    let alarms = stack.aws("cloudwatch", "describe_alarms", &json!({}));
    let alarms: Vec<&Value> = alarms["MetricAlarms"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|alarm| alarm["Dimensions"] == json!([{ "Name": "QueueName", "Value": name }]))
        .map(|alarm| &alarm["AlarmName"])
        .collect();
    let [alarm] = alarms.as_slice() else { panic!("one alarm was expected, not {alarms:?}") };
    let rung = json!({ "AlarmName": alarm, "StateValue": "ALARM", "StateReason": "a message was set aside" });
    stack.aws("cloudwatch", "set_alarm_state", &rung);
    let heard = wait_until("the alarm is heard", || stack.alerts(&all).into_iter().next());
    assert_eq!((&heard["AlarmName"], &heard["NewStateValue"]), (*alarm, &json!("ALARM")));
}

#[test]
fn a_new_stack_tells_and_changes_nothing() {
    let stack = Pipeline::over(&scenario("demo"), &[]);
    let drift = stack.subscribe(
        "drift",
        &json!({ "verdict": ["drift-left"], "mode": ["notify"], "changed": ["false"] }),
    );
    add_nat_route(&stack, PRIVATE_TABLE, "0.0.0.0/0");
    stack.settle();
    assert_eq!(stack.writes(), ["CreateRoute"]);
    let alerts = stack.alerts(&drift);
    let calls = ["CreateRoute"];
    let wanted = json!({ "vpc": VPC, "verdict": "drift-left", "cause": "event", "calls": calls, "rules": ["internet-route"] });
    assert_eq!(alerts.iter().map(gist).collect::<Vec<_>>(), [wanted]);
    let outcomes: Vec<&Value> =
        alerts[0]["steps"].as_array().unwrap().iter().map(|step| &step["outcome"]).collect();
    assert_eq!(outcomes.len(), 1, "the step that would be taken is in the alert: {outcomes:?}");
}

/// A route waits until what replaces it has been there for long enough: as state, not as a message,
/// and the clock sends what is due.
#[test]
fn a_route_waits_for_what_was_changed_and_the_clock_goes_on() {
    let stack = Pipeline::over(
        &scenario("demo"),
        &[("Mode", "repair"), ("SettlingMinutes", "1"), ("GraceMinutes", "0")],
    );
    let all = stack.subscribe("all", &json!({}));
    // The VPC is at rest: the sweep sees nothing to do, and notes what it sees.
    stack.sweep();
    stack.settle();
    stack.ec2(
        "modify_vpc_endpoint",
        &json!({ "VpcEndpointId": SSM_ENDPOINT, "PrivateDnsEnabled": false }),
    );
    add_nat_route(&stack, PRIVATE_TABLE, "0.0.0.0/0");
    stack.settle();
    let writes = ["ModifyVpcEndpoint", "CreateRoute", "ModifyVpcEndpoint"];
    assert_eq!(stack.writes(), writes, "the name is on again, and the route still there");
    stack.clock();
    stack.drain();
    assert_eq!(stack.writes(), writes, "nothing is due yet");
    std::thread::sleep(std::time::Duration::from_secs(65));
    stack.clock();
    stack.drain();
    assert_eq!(stack.writes()[3..], ["DeleteRoute"]);
    let told: Vec<Value> = stack.alerts(&all).iter().map(gist).collect();
    let last = told.last().unwrap();
    // The clock sent it; the calls that led there are what the reader wants to know.
    assert_eq!((&last["verdict"], &last["cause"]), (&json!("repaired"), &json!("event")));
}
