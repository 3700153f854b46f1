//! The repair function as Lambda runs it.

#![cfg(test)]

use e2e::aws::FakeAws;
use e2e::process::{Answer, Function};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_repair");
const TOPIC: (&str, &str) = ("GUARDRAIL_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:alerts");
const TABLE: (&str, &str) = ("GUARDRAIL_TABLE", "history");
const QUEUE: (&str, &str) =
    ("GUARDRAIL_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/111122223333/vpcs.fifo");
const UNREADABLE: (&str, &str) =
    ("GUARDRAIL_UNREADABLE_URL", "https://sqs.eu-central-1.amazonaws.com/111122223333/unreadable");
const NOTIFY: &str = r#"{"version":1,"mode":"notify"}"#;
const DENIED: &str = "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>";

async fn start(aws: &FakeAws, baseline: &str) -> Function {
    Function::start(
        BINARY,
        aws,
        &[TOPIC, TABLE, QUEUE, UNREADABLE, ("GUARDRAIL_BASELINE", baseline)],
    )
    .await
}

/// A record of a batch: its id, its VPC and how often it was handed out.
fn message(id: &str, vpc: &str, receive_count: u32) -> Value {
    let scope = json!({"account": "111122223333", "region": "eu-central-1", "vpc": vpc});
    let body = json!({"version": 1, "scope": scope, "cause": "event", "incident": format!("incident-{id}")});
    record(id, &format!("111122223333/eu-central-1/{vpc}"), receive_count, &body.to_string())
}

fn record(id: &str, group: &str, receive_count: u32, body: &str) -> Value {
    let attributes =
        json!({"ApproximateReceiveCount": receive_count.to_string(), "MessageGroupId": group});
    let handle = format!("handle-{id}");
    json!({"messageId": id, "receiptHandle": handle, "body": body, "attributes": attributes, "eventSource": "aws:sqs"})
}

fn batch(records: &[Value]) -> Value {
    json!({ "Records": records })
}

/// The answer that sends these messages back.
fn back(ids: &[&str]) -> Answer {
    let failures: Vec<_> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    Answer::Response(json!({ "batchItemFailures": failures }))
}

/// The reports that were published.
fn published(aws: &FakeAws) -> Vec<Value> {
    let json = |call: &Value| -> Value {
        let by_protocol: Value = serde_json::from_str(call["Message"].as_str().unwrap()).unwrap();
        assert!(by_protocol["email"].is_string());
        serde_json::from_str(by_protocol["default"].as_str().unwrap()).unwrap()
    };
    aws.calls("Publish").iter().map(json).collect()
}

/// The operations asked for, but for reads, the table and how long messages are held.
fn actions(aws: &FakeAws) -> Vec<String> {
    let held = "ChangeMessageVisibilityBatch";
    aws.actions().into_iter().filter(|action| action != held).collect()
}

/// How long which messages were held, in the order of the calls.
fn held(aws: &FakeAws) -> Vec<(Vec<String>, i64)> {
    let one = |call: &Value| {
        let entries = call["Entries"].as_array().unwrap();
        let handle = |entry: &Value| entry["ReceiptHandle"].as_str().unwrap().to_owned();
        let time = entries[0]["VisibilityTimeout"].as_i64().unwrap();
        (entries.iter().map(handle).collect(), time)
    };
    aws.calls("ChangeMessageVisibilityBatch").iter().map(one).collect()
}

/// The lines that sum up a run.
fn summaries(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["message"] == "run ended").collect()
}

#[tokio::test]
async fn messages_about_one_vpc_are_one_run_one_alert_and_one_line() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    let batch = batch(&[message("m-1", "vpc-0a1", 1), message("m-2", "vpc-0a1", 1)]);
    assert_eq!(repair.invoke(&batch).await, back(&[]));
    let reports = published(&aws);
    assert_eq!((reports.len(), &reports[0]["scope"]["vpc"]), (1, &json!("vpc-0a1")));
    assert_eq!(
        (&reports[0]["run_id"], &reports[0]["verdict"]),
        (&json!("request-1/vpc-0a1"), &json!("drift-left"))
    );
    assert_eq!(actions(&aws), ["Publish"], "notify changes nothing");
    let lines = repair.end().await;
    let [line] = summaries(&lines)[..] else { panic!("{lines:?}") };
    let fields =
        ["requestId", "vpc", "run_id", "level", "verdict"].map(|name| line[name].as_str().unwrap());
    assert_eq!(fields, ["request-1", "vpc-0a1", "request-1/vpc-0a1", "INFO", "drift left"]);
    let metrics: Vec<_> = lines.iter().filter(|line| line.get("_aws").is_some()).collect();
    assert_eq!(metrics.len(), 1);
    assert_eq!(
        ["Runs", "Repairs", "DriftLeft"].map(|name| metrics[0][name].clone()),
        [1, 0, 1].map(Value::from)
    );
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn a_message_that_says_nothing_to_act_on_is_set_aside_and_no_other_vpc_with_it() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    let batch = batch(&[record("m-1", "elsewhere", 1, "poison"), message("m-2", "vpc-0a1", 1)]);
    assert_eq!(repair.invoke(&batch).await, back(&[]));
    assert_eq!(published(&aws).len(), 1);
    let aside = aws.calls("SendMessage");
    assert_eq!((aside.len(), &aside[0]["MessageBody"]), (1, &json!("poison")));
    let refused = r#"{"__type":"AccessDenied","message":"no"}"#;
    aws.on("SendMessage", 403, refused);
    assert_eq!(repair.invoke(&batch).await, back(&["m-1"]), "no copy of it was accepted");
    let lines = repair.end().await;
    assert_eq!((&lines[0]["level"], &lines[0]["message_id"]), (&json!("ERROR"), &json!("m-1")));
}

#[tokio::test]
async fn what_is_no_batch_is_an_error_and_the_next_event_is_taken() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    for event in [json!({"Records": 7}), json!([]), batch(&[json!({"messageId": "", "body": ""})])]
    {
        let answer = repair.invoke(&event).await;
        assert!(matches!(&answer, Answer::Error(kind, _) if kind == "NotABatch"), "{answer:?}");
    }
    assert_eq!(repair.invoke(&batch(&[])).await, back(&[]));
    let levels: Vec<_> = repair.end().await.iter().map(|line| line["level"].clone()).collect();
    assert_eq!(levels, ["ERROR", "ERROR", "ERROR"]);
}

#[tokio::test]
async fn what_has_no_time_left_goes_back() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    let batch = batch(&[message("m-1", "vpc-0a1", 1)]);
    assert_eq!(repair.invoke_until(&batch, 0).await, back(&["m-1"]));
    assert_eq!(repair.invoke_until(&batch, u64::MAX).await, back(&[]));
    assert_eq!(published(&aws).len(), 1);
}

#[tokio::test]
async fn an_alert_that_is_not_taken_waits_in_the_table_and_holds_up_nobody() {
    let aws = FakeAws::start().await;
    aws.on("Publish", 403, DENIED);
    let mut repair = start(&aws, NOTIFY).await;
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 1)])).await, back(&[]));
    let waiting = aws.table(|items| items.of_kind("WAITING"));
    let names: Vec<&str> = waiting.keys().map(String::as_str).collect();
    let unsent = format!("unsent#request-1/vpc-0a1#{}", TOPIC.1);
    assert_eq!(names, [unsent]);
    assert_eq!(aws.table(|items| items.of_kind("ALERT").len()), 1);
    let lines = repair.end().await;
    let error = lines.iter().find(|line| line["level"] == "ERROR").unwrap();
    assert_eq!(
        error["message"],
        "an alert could not be published; it waits in the table: Publish: AuthorizationError: no"
    );
}

#[tokio::test]
async fn what_stands_is_told_once() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    for number in 1..4 {
        let batch = batch(&[message(&format!("m-{number}"), "vpc-0a1", 1)]);
        assert_eq!(repair.invoke(&batch).await, back(&[]));
    }
    assert_eq!(published(&aws).len(), 1);
    assert_eq!(summaries(&repair.end().await).len(), 3, "every report is in the log");
}

#[tokio::test]
async fn messages_are_held_while_they_are_worked_on_and_come_again_soon_or_when_the_table_is_back()
{
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    let event = batch(&[message("m-1", "vpc-0a1", 1), message("m-2", "vpc-0a1", 1)]);
    assert_eq!(repair.invoke(&event).await, back(&[]));
    let held_first = held(&aws);
    let handles = ["handle-m-1", "handle-m-2"].map(str::to_owned).to_vec();
    let [(all, time)] = held_first.as_slice() else { panic!("{held_first:?}") };
    assert_eq!(all, &handles);
    assert!(*time > 60, "its own remaining time and a minute: {time}");
    let refused = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}"#;
    aws.on("GetItem", 400, refused);
    assert_eq!(repair.invoke(&event).await, back(&["m-1", "m-2"]));
    assert_eq!(held(&aws).last(), Some(&(handles, 900)));
    assert_eq!(published(&aws).len(), 1, "no function tells that the table fails");
    let lines = repair.end().await;
    let counted = lines.iter().filter(|line| line.get("TableFailures").is_some()).count();
    assert!(counted > 0, "its alarm is the one alert: {lines:?}");
}

#[tokio::test]
async fn observe_tells_nobody() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, r#"{"version":1,"mode":"observe"}"#).await;
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 1)])).await, back(&[]));
    assert_eq!(actions(&aws), [""; 0]);
    assert_eq!(summaries(&repair.end().await).len(), 1);
}

#[tokio::test]
async fn without_a_baseline_nothing_is_changed_and_one_alert_says_so() {
    for baseline in ["", r#"{"version":2}"#, "ssm:/guardrail/baseline"] {
        let aws = FakeAws::start().await;
        aws.on(
            "GetParameter",
            400,
            r#"{"__type":"ParameterNotFound","message":"no such parameter"}"#,
        );
        let mut repair = start(&aws, baseline).await;
        let first = batch(&[message("m-1", "vpc-0a1", 1), message("m-2", "vpc-0a2", 1)]);
        let second = batch(&[message("m-3", "vpc-0a1", 1)]);
        assert_eq!(repair.invoke(&first).await, back(&[]));
        assert_eq!(repair.invoke(&second).await, back(&[]));
        assert_eq!(actions(&aws), ["Publish"], "{baseline}");
        let report = &published(&aws)[0];
        assert_eq!(
            (&report["verdict"], &report["incident"]),
            (&json!("no-baseline"), &json!("incident-m-1"))
        );
        assert!(report["fault"].as_str().unwrap().contains("cannot be used: "), "{report}");
        let levels: Vec<_> = repair.end().await.iter().map(|line| line["level"].clone()).collect();
        assert_eq!(levels, ["ERROR", "ERROR"]);
    }
}

#[tokio::test]
async fn a_baseline_that_cannot_be_read_for_now_sends_the_messages_back() {
    let aws = FakeAws::start().await;
    aws.on("GetParameter", 500, r#"{"__type":"InternalServerError","message":"later"}"#);
    let mut repair = start(&aws, "ssm:/guardrail/baseline").await;
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 1)])).await, back(&["m-1"]));
    assert_eq!(actions(&aws), [""; 0], "it may be there in a moment");
    aws.store(NOTIFY);
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 2)])).await, back(&[]));
    assert_eq!(published(&aws).len(), 1);
}

#[tokio::test]
async fn a_sender_without_a_baseline_is_told_about_once() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    let body = json!({"version": 1, "no_baseline": "the baseline in `X` cannot be used: gone", "incident": "s-1"});
    let event = batch(&[record("m-1", "no-baseline", 1, &body.to_string())]);
    assert_eq!(repair.invoke(&event).await, back(&[]));
    assert_eq!(repair.invoke(&event).await, back(&[]));
    let faults: Vec<_> = published(&aws).iter().map(|alert| alert["fault"].clone()).collect();
    assert_eq!(faults, ["the baseline in `X` cannot be used: gone"]);
}

#[tokio::test]
async fn a_run_that_panics_sends_its_messages_back_and_the_process_takes_the_next_batch() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    repair.stop_listening().await;
    for receive_count in [1, 2] {
        let batch = batch(&[message("m-1", "vpc-0a1", receive_count)]);
        assert_eq!(repair.invoke(&batch).await, back(&["m-1"]));
    }
}

#[tokio::test]
async fn a_run_leaves_what_it_saw_and_what_stands() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 1)])).await, back(&[]));
    let state = aws.table(|items| items.of_kind("STATE")).remove("vpc-0a1").unwrap();
    assert!(state["standing"].as_array().is_some_and(|standing| !standing.is_empty()), "{state}");
    assert!(aws.table(|items| items.of_kind("FACTS")).contains_key("vpc-0a1"));
    let runs = aws.table(|items| items.of_kind("RUN"));
    assert!(runs.contains_key("vpc-0a1#request-1/vpc-0a1"), "{:?}", runs.keys());
}
