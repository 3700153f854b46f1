//! The functions with the permissions that the template gives them, where each call is checked.

#![cfg(test)]

use e2e::pipeline::{Pipeline, REGION, recorded_events, translated_template, wait_until};
use serde_json::{Value, json};

/// The template in a form that ministack can enforce, and without one action altogether. For a call
/// it looks at one of its resources only and at none of EC2's tags, so that every EC2 and Route 53
/// action is on all resources and without conditions here; which are right is checked with AWS's
/// own list by `.ci/check-template.py`. It knows actions `sqs:SendMessageBatch` and
/// `sqs:ChangeMessageVisibilityBatch`, which on AWS are part of those without `Batch`, and no key
/// `aws:PrincipalArn`. And it is not reached through TLS.
fn by_action_alone(without: &str) -> Value {
    let mut template = translated_template();
    for resource in template["Resources"].as_object_mut().unwrap().values_mut() {
        let properties = &mut resource["Properties"];
        match properties.get_mut("PolicyDocument") {
            Some(document) => loosen(document, without),
            None => {
                let policies = properties.get_mut("Policies").and_then(Value::as_array_mut);
                policies
                    .into_iter()
                    .flatten()
                    .for_each(|policy| loosen(&mut policy["PolicyDocument"], without));
            }
        }
    }
    // Its endpoints never get their routes, and repair waits for them as long as it can.
    template["Resources"]["RepairFunction"]["Properties"]["Timeout"] = json!(30);
    template
}

fn loosen(document: &mut Value, without: &str) {
    if let Some(text) = document["Fn::Sub"].as_str() {
        *document = serde_json::from_str(text).unwrap();
    }
    let statements = document["Statement"].as_array_mut().unwrap();
    let beyond_it = ["TlsOnly", "SentByDetectAndSweepOnly"];
    statements.retain(|it| !it["Sid"].as_str().is_some_and(|sid| beyond_it.contains(&sid)));
    for statement in statements {
        let actions = statement["Action"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![statement["Action"].clone()]);
        let actions: Vec<String> =
            actions.iter().map(|action| action.as_str().unwrap().to_owned()).collect();
        let batches: Vec<String> = actions
            .iter()
            .filter(|action| {
                ["sqs:SendMessage", "sqs:ChangeMessageVisibility"].contains(&action.as_str())
            })
            .map(|action| format!("{action}Batch"))
            .collect();
        if !batches.is_empty() {
            statement["Action"] = json!([actions.clone(), batches].concat());
        }
        if actions.iter().all(|action| action.starts_with("ec2:") || action.starts_with("route53:"))
        {
            statement["Resource"] = json!("*");
            statement.as_object_mut().unwrap().remove("Condition");
            let kept: Vec<&String> = actions.iter().filter(|action| *action != without).collect();
            statement["Action"] = if kept.is_empty() { json!("ec2:None") } else { json!(kept) };
        }
    }
}

fn id(answer: &Value, thing: &str) -> String {
    answer[thing][format!("{thing}Id")].as_str().unwrap().to_owned()
}

/// A managed VPC with one private subnet, which has no endpoint and a NAT route.
fn make_vpc(stack: &Pipeline) {
    let tags = |kind: &str, key: &str, value: &str| json!([{ "ResourceType": kind, "Tags": [{ "Key": key, "Value": value }] }]);
    let managed = tags("vpc", "vpc-guardrail", "managed");
    let vpc = id(
        &stack.ec2(
            "create_vpc",
            &json!({ "CidrBlock": "10.9.0.0/16", "TagSpecifications": managed }),
        ),
        "Vpc",
    );
    // The set that it gives its VPCs is in no list of its own.
    let servers = json!([{ "Key": "domain-name-servers", "Values": ["AmazonProvidedDNS"] }]);
    let options = stack.ec2("create_dhcp_options", &json!({ "DhcpConfigurations": servers }));
    let options = &options["DhcpOptions"]["DhcpOptionsId"];
    stack.ec2("associate_dhcp_options", &json!({ "DhcpOptionsId": options, "VpcId": vpc }));
    let subnet = |cidr: &str, tier: &str| {
        let tags = tags("subnet", "Tier", tier);
        id(
            &stack.ec2(
                "create_subnet",
                &json!({ "VpcId": vpc, "CidrBlock": cidr, "TagSpecifications": tags }),
            ),
            "Subnet",
        )
    };
    let (private, public) = (subnet("10.9.0.0/24", "private"), subnet("10.9.1.0/24", "public"));
    let table = id(&stack.ec2("create_route_table", &json!({ "VpcId": vpc })), "RouteTable");
    stack.ec2("associate_route_table", &json!({ "RouteTableId": table, "SubnetId": private }));
    let address =
        stack.ec2("allocate_address", &json!({ "Domain": "vpc" }))["AllocationId"].clone();
    let nat = id(
        &stack.ec2("create_nat_gateway", &json!({ "SubnetId": public, "AllocationId": address })),
        "NatGateway",
    );
    let route =
        json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": nat });
    stack.ec2("create_route", &route);
    let dynamodb = format!("com.amazonaws.{REGION}.dynamodb");
    stack.ec2(
        "create_vpc_endpoint",
        &json!({ "VpcId": vpc, "ServiceName": dynamodb, "VpcEndpointType": "Gateway" }),
    );
}

/// A stack with its baseline in Parameter Store, after a sweep found the VPC and repair was through
/// with it.
fn run(template: Value) -> (Pipeline, Value) {
    let stored = [("BaselineParameter", "/guardrail/baseline"), ("AllowWrites", "true")];
    let stack = Pipeline::enforcing(template, &stored);
    let at_once = json!({ "grace_minutes": 0 });
    let baseline = json!({
        "version": 1, "mode": "repair", "internet_routes": { "remove": "immediately" },
        "rules": { "gateway-endpoint": at_once, "interface-endpoint": at_once },
    });
    let parameter =
        json!({ "Name": "/guardrail/baseline", "Type": "String", "Value": baseline.to_string() });
    stack.aws("ssm", "put_parameter", &parameter);
    let all = stack.subscribe("all", &json!({}));
    make_vpc(&stack);
    stack.sweep();
    let alert = wait_until("an alert came", || stack.alerts(&all).into_iter().next());
    (stack, alert)
}

/// All that the functions said, and the alert.
fn said(stack: &Pipeline, alert: &Value) -> String {
    let logs = ["detect", "sweep", "repair"].iter().flat_map(|function| stack.log(function));
    logs.chain([alert.clone()]).map(|line| format!("{line}\n")).collect()
}

fn is_denied(said: &str) -> bool {
    ["UnauthorizedOperation", "AccessDenied", "not authorized"]
        .iter()
        .any(|word| said.contains(word))
}

#[test]
fn every_call_is_allowed() {
    let (stack, alert) = run(by_action_alone(""));
    stack.put_events(&recorded_events());
    let said = said(&stack, &alert);
    assert!(!is_denied(&said), "{said}");
    let steps = alert["steps"].as_array().unwrap().iter();
    let done: Vec<&str> = steps
        .filter(|step| step["outcome"].get("done").is_some())
        .map(|step| step["summary"].as_str().unwrap())
        .collect();
    // Of the kinds of change; the allowance has two calls of a kind on endpoints at once, and the
    // others follow.
    for kind in ["create security group", "admit TCP 443", "create a", "delete the route"] {
        let is_done = done.iter().any(|summary| summary.starts_with(kind));
        assert!(is_done, "{kind}: {done:?}, {:#}", alert["left_alone"]);
    }
}

#[test]
fn an_action_that_is_missing_shows() {
    let (stack, alert) = run(by_action_alone("ec2:DeleteRoute"));
    assert!(is_denied(&said(&stack, &alert)), "{alert}");
}
