//! The repair function as Lambda runs it.

#![cfg(test)]

use e2e::aws::FakeAws;
use e2e::process::{Answer, Function};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_repair");
const TOPIC: (&str, &str) = ("GUARDRAIL_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:alerts");
const TABLE: (&str, &str) = ("GUARDRAIL_TABLE", "notes");
const NOTIFY: &str = r#"{"version":1,"mode":"notify"}"#;
const DENIED: &str = "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>";

async fn start(aws: &FakeAws, baseline: &str) -> Function {
    Function::start(BINARY, aws, &[TOPIC, TABLE, ("GUARDRAIL_BASELINE", baseline)]).await
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
    json!({"messageId": id, "body": body, "attributes": attributes, "eventSource": "aws:sqs"})
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
    assert_eq!(aws.actions(), ["Publish"], "notify changes nothing");
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
async fn a_poison_message_goes_back_and_no_other_vpc_with_it() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    let batch = batch(&[record("m-1", "elsewhere", 1, "poison"), message("m-2", "vpc-0a1", 1)]);
    assert_eq!(repair.invoke(&batch).await, back(&["m-1"]));
    assert_eq!(published(&aws).len(), 1);
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
async fn an_alert_that_is_not_taken_sends_the_messages_back_and_is_told_later() {
    let aws = FakeAws::start().await;
    aws.on("Publish", 403, DENIED);
    let mut repair = start(&aws, NOTIFY).await;
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 1)])).await, back(&["m-1"]));
    aws.on(
        "Publish",
        200,
        "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
    );
    aws.on("DescribeVpcs", 200, "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>");
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 2)])).await, back(&[]));
    let runs: Vec<_> = published(&aws).iter().map(|report| report["run_id"].clone()).collect();
    assert_eq!(
        runs, ["request-1/vpc-0a1"; 2],
        "the same alert, though there is nothing to tell any more"
    );
    let lines = repair.end().await;
    let error = lines.iter().find(|line| line["level"] == "ERROR").unwrap();
    assert_eq!(
        error["message"],
        "an alert could not be published: Publish: AuthorizationError: no"
    );
    assert!(error["alert"].as_str().unwrap().contains("\"verdict\":\"drift-left\""));
}

#[tokio::test]
async fn a_run_that_will_be_tried_again_is_told_the_first_and_the_last_time() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    let later = "<Response><Errors><Error><Code>ServiceUnavailable</Code><Message>later</Message></Error></Errors></Response>";
    aws.on("DescribeNatGateways", 503, later);
    let mut alerts = Vec::new();
    for receive_count in [1, 2, 4, 5] {
        let batch = batch(&[message("m-1", "vpc-0a1", receive_count)]);
        assert_eq!(repair.invoke(&batch).await, back(&["m-1"]));
        alerts.push(published(&aws).len());
    }
    assert_eq!(alerts, [1, 1, 1, 2]);
}

#[tokio::test]
async fn observe_tells_nobody() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, r#"{"version":1,"mode":"observe"}"#).await;
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 1)])).await, back(&[]));
    assert_eq!(aws.actions(), [""; 0]);
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
        assert_eq!(aws.actions(), ["Publish"], "{baseline}");
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
    assert_eq!(aws.actions(), ["Publish"]);
    aws.store(NOTIFY);
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 2)])).await, back(&[]));
    assert_eq!(published(&aws).len(), 2);
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
async fn a_run_notes_what_it_saw_and_says_when_it_could_not() {
    let aws = FakeAws::start().await;
    let mut repair = start(&aws, NOTIFY).await;
    assert_eq!(repair.invoke(&batch(&[message("m-1", "vpc-0a1", 1)])).await, back(&[]));
    let put = aws.calls("PutItem").pop().unwrap();
    assert_eq!(put["Item"]["vpc"]["S"], "111122223333/eu-central-1/vpc-0a1");
    let refused = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}"#;
    aws.on("GetItem", 400, refused);
    assert_eq!(repair.invoke(&batch(&[message("m-2", "vpc-0a1", 1)])).await, back(&[]));
    assert_eq!(aws.calls("PutItem").len(), 1, "what could not be read is not overwritten");
    let reports = published(&aws);
    let errors: Vec<&Value> = reports.iter().map(|report| &report["notes_error"]["code"]).collect();
    assert_eq!(errors, [&Value::Null, &json!("ResourceNotFoundException")]);
    let lines = repair.end().await;
    let said = "what is noted between runs could not be read or kept: GetItem: ResourceNotFoundException: no table";
    assert!(lines.iter().any(|line| line["message"] == said), "{lines:?}");
}
