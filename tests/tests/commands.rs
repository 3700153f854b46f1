//! The commands that work with a deployed stack, on ministack's table, queues and topic; and a killed
//! run, which they show.

#![cfg(test)]

use std::time::Duration;

use e2e::pipeline::{Pipeline, scenario, wait_until};
use serde_json::{Value, json};

const VPC: &str = "vpc-0a1b2c3d4e5f60000";
const NAT: &str = "nat-0a1b2c3d4e5f60001";
const PRIVATE_TABLE: &str = "rtb-0a1b2c3d4e5f60011";
const OF_THE_STACK: [&str; 2] = ["--stack", "guardrail"];

fn add_nat_route(stack: &Pipeline) {
    let route = json!({
        "RouteTableId": PRIVATE_TABLE, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": NAT,
    });
    stack.ec2("create_route", &route);
}

/// What a command of the stack's writes, which ends well.
fn written(stack: &Pipeline, arguments: &[&str]) -> String {
    let (is_fine, text) = stack.command(&[arguments, &OF_THE_STACK].concat());
    assert!(is_fine, "{arguments:?}: {text}");
    text
}

/// What it writes as JSON, one object a line.
fn told(stack: &Pipeline, arguments: &[&str]) -> Vec<Value> {
    let text = written(stack, &[arguments, &["--format", "json"]].concat());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn baseline(folder: &tempfile::TempDir) -> String {
    let path = folder.path().join("baseline.json");
    let baseline = json!({ "version": 1, "mode": "repair", "settling": { "minutes": 0 } });
    std::fs::write(&path, baseline.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_repair_by_command_is_recorded_told_and_listed() {
    let stack = Pipeline::over(&scenario("demo"), &[]);
    let all = stack.subscribe("all", &json!({}));
    assert!(written(&stack, &["status"]).contains("Last sweep: none yet"));
    assert_eq!(told(&stack, &["history"]), Vec::<Value>::new());
    add_nat_route(&stack);

    let folder = tempfile::TempDir::new().unwrap();
    let baseline = baseline(&folder);
    let repair = ["repair", "--vpc", VPC, "--baseline", &baseline, "--yes"];
    let (is_fine, text) = stack.command(&repair);
    assert!(!is_fine && text.contains("--stack"), "no stack was named: {text}");
    assert_eq!(stack.writes(), ["CreateRoute"]);
    written(&stack, &repair);
    assert_eq!(stack.writes(), ["CreateRoute", "DeleteRoute"]);

    let alerts = stack.alerts(&all);
    let verdicts: Vec<&Value> = alerts.iter().map(|alert| &alert["verdict"]).collect();
    assert_eq!(verdicts, ["repaired"]);
    let listed = told(&stack, &["history"]);
    let [run] = listed.as_slice() else { panic!("one run was expected, not {listed:?}") };
    assert_eq!((&run["run_id"], &run["scope"]["vpc"]), (&alerts[0]["run_id"], &json!(VPC)));
    assert_eq!(told(&stack, &["history", "--vpc", "vpc-0a1b2c3d4e5f6ffff"]), Vec::<Value>::new());
    let whole = told(&stack, &["history", run["run_id"].as_str().unwrap()]);
    assert_eq!((whole.len(), &whole[0]), (1, &alerts[0]), "the report is in the table");

    stack.sweep();
    stack.drain();
    let status = told(&stack, &["status"]);
    let sweep = &status[0]["sweep"];
    assert_eq!((&sweep["compared"], &sweep["remaining"]), (&json!(1), &json!([])), "{status:?}");
    assert!(sweep["ended"].is_string(), "{status:?}");
}

#[test]
fn a_dead_letter_goes_back_and_its_run_is_made() {
    let stack = Pipeline::over(&scenario("demo"), &[("Mode", "repair"), ("SettlingMinutes", "0")]);
    let (is_fine, text) = stack.command(&["redrive", "--stack", "guardrail"]);
    assert!(is_fine && text.contains("no message was given up"), "{text}");
    add_nat_route(&stack);
    let scope = json!({ "account": "111122223333", "region": "eu-central-1", "vpc": VPC });
    let message = json!({
        "version": 1, "cause": "sweep", "incident": "sweep-1", "evidence": [], "scope": scope,
    });
    let dead = json!({
        "QueueUrl": stack.output("RepairDeadLettersUrl"), "MessageBody": message.to_string(),
        "MessageGroupId": VPC, "MessageDeduplicationId": "1",
    });
    stack.aws("sqs", "send_message", &dead);

    let (is_fine, text) = stack.command(&["redrive", "--stack", "guardrail"]);
    assert!(!is_fine && text.contains(&format!("no run over {VPC} came to its end")), "{text}");
    let text = written(&stack, &["redrive", "--yes"]);
    assert!(text.contains("1 sent back"), "{text}");
    wait_until("the route is gone", || (stack.writes().len() == 2).then_some(()));
    stack.drain();
    assert_eq!(stack.writes(), ["CreateRoute", "DeleteRoute"]);
    assert!(written(&stack, &["redrive"]).contains("no message was given up"));
}

/// Repair is killed after its change, before it could tell of it. Its record is open, and the run that
/// comes when its lease is over tells.
#[test]
fn a_killed_run_is_seen_as_open_and_told_by_the_next() {
    let parameters = [("Mode", "repair"), ("SettlingMinutes", "0"), ("GraceMinutes", "0")];
    let stack = Pipeline::slow(&scenario("demo"), &parameters, Duration::from_millis(400), 20);
    let all = stack.subscribe("all", &json!({}));
    add_nat_route(&stack);
    stack.deliver();
    wait_until("the route is gone", || (stack.writes().len() == 2).then_some(()));
    assert_eq!(stack.kill_repair(), 1);

    let status = told(&stack, &["status"]);
    assert_eq!(status[0]["waits"]["open"].as_array().unwrap().len(), 1, "{status:?}");
    let alert = wait_until("the killed run is told", || {
        std::thread::sleep(Duration::from_secs(2));
        stack.clock();
        stack.alerts(&all).into_iter().next()
    });
    stack.drain();
    assert_eq!(
        (&alert["verdict"], &alert["run"]["scope"]["vpc"]),
        (&json!("run-killed"), &json!(VPC))
    );
    assert_eq!(stack.writes(), ["CreateRoute", "DeleteRoute"]);
    let status = told(&stack, &["status"]);
    assert_eq!(status[0]["waits"]["open"], json!([]), "{status:?}");
    let closed: Vec<Value> = told(&stack, &["history"]);
    assert!(closed.iter().any(|run| run["closed"]["verdict"] == "killed"), "{closed:?}");
}
