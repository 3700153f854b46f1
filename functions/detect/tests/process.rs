//! The detect function as Lambda runs it.

#![cfg(test)]

use e2e::aws::FakeAws;
use e2e::process::{Answer, Function};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_detect");
const QUEUE: (&str, &str) =
    ("GUARDRAIL_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/111122223333/vpcs.fifo");
const TABLE: (&str, &str) = ("GUARDRAIL_TABLE", "history");
const GOOD: &str = r#"{"version":1}"#;

async fn start(aws: &FakeAws, baseline: &str) -> Function {
    Function::start(BINARY, aws, &[QUEUE, TABLE, ("GUARDRAIL_BASELINE", baseline)]).await
}

fn event(name: &str) -> Value {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn done() -> Answer {
    Answer::Response(Value::Null)
}

/// The bodies of what was queued.
fn bodies(aws: &FakeAws) -> Vec<Value> {
    aws.queued()
        .iter()
        .map(|entry| serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_call_becomes_a_message_about_its_vpc_and_one_line() {
    let aws = FakeAws::start().await;
    let mut detect = start(&aws, GOOD).await;
    assert_eq!(detect.invoke(&event("CreateRoute")).await, done());
    let queued = aws.queued();
    let (group, id) = (&queued[0]["MessageGroupId"], &queued[0]["MessageDeduplicationId"]);
    assert_eq!(group, "111122223333/eu-central-1/vpc-0a1");
    assert_eq!(id, "1b96a496-9104-6601-fcac-614333f04ba6/vpc-0a1");
    let body = &bodies(&aws)[0];
    let scope = json!({"account": "111122223333", "region": "eu-central-1", "vpc": "vpc-0a1"});
    assert_eq!((queued.len(), &body["scope"], &body["cause"]), (1, &scope, &json!("event")));
    assert_eq!(body["evidence"][0]["event"], "CreateRoute");
    assert_eq!(aws.actions(), ["SendMessageBatch"]);

    let mut lines = detect.end().await;
    let mut line = lines.remove(0);
    let timestamp = line["timestamp"].take();
    assert!(timestamp.as_str().is_some_and(|time| time.ends_with('Z')), "{timestamp}");
    let actor = line["actor"].take();
    assert!(
        actor.as_str().is_some_and(|actor| actor.contains("maria.schmidt@example.com")),
        "{actor}"
    );
    let expected = json!({
        "timestamp": null, "level": "INFO", "message": "1 queued", "notes": 1, "requestId": "request-1", "vpc": "vpc-0a1",
        "event": "CreateRoute", "event_id": "1b96a496-9104-6601-fcac-614333f04ba6", "actor": null,
    });
    assert_eq!((line, lines), (expected, vec![]));
}

#[tokio::test]
async fn what_is_nothing_to_look_at_is_one_line_and_no_call() {
    let aws = FakeAws::start().await;
    let mut detect = start(&aws, GOOD).await;
    for nothing in [
        event("DescribeVpcs"),
        event("CreateRoute.denied"),
        json!([1]),
        json!({"source": "aws.ec2"}),
    ] {
        assert_eq!(detect.invoke(&nothing).await, done());
    }
    assert_eq!(aws.actions(), [""; 0]);
    let lines = detect.end().await;
    let messages: Vec<_> =
        lines.iter().map(|line| (&line["level"], line["message"].as_str().unwrap())).collect();
    assert_eq!(messages.len(), 4);
    assert!(
        messages
            .iter()
            .all(|(level, message)| **level == "INFO" && message.starts_with("ignored: ")),
        "{messages:?}"
    );
}

#[tokio::test]
async fn a_vpc_that_nobody_manages_leads_to_no_message() {
    let aws = FakeAws::start().await;
    aws.on("DescribeVpcs", 200, "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>");
    let mut detect = start(&aws, GOOD).await;
    assert_eq!(detect.invoke(&event("CreateRoute")).await, done());
    assert_eq!(aws.actions(), [""; 0]);
}

#[tokio::test]
async fn a_vpc_that_left_the_guardrail_is_looked_at_though_it_is_not_managed() {
    let aws = FakeAws::start().await;
    aws.on("DescribeVpcs", 200, "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>");
    let mut detect = start(&aws, GOOD).await;
    assert_eq!(detect.invoke(&event("DeleteTags.managed")).await, done());
    let bodies = bodies(&aws);
    let (cause, vpc) = (json!("selection-changed"), json!("vpc-0a1b2c3d4e5f60000"));
    assert_eq!((bodies.len(), &bodies[0]["cause"], &bodies[0]["scope"]["vpc"]), (1, &cause, &vpc));
}

#[tokio::test]
async fn a_message_that_is_refused_is_an_error_and_the_next_event_is_taken() {
    let aws = FakeAws::start().await;
    let refused = r#"{"Successful":[],"Failed":[{"Id":"0","SenderFault":true,"Code":"InvalidX","Message":"no"}]}"#;
    aws.on("SendMessageBatch", 200, refused);
    let mut detect = start(&aws, GOOD).await;
    let failed =
        Answer::Error("SendFailed".to_owned(), "SendMessageBatch: InvalidX: no".to_owned());
    assert_eq!(detect.invoke(&event("CreateRoute")).await, failed);
    aws.on("SendMessageBatch", 200, r#"{"Successful":[],"Failed":[]}"#);
    assert_eq!(detect.invoke(&event("CreateRoute")).await, done());
    let ids: Vec<_> =
        aws.queued().iter().map(|entry| entry["MessageDeduplicationId"].clone()).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]), "sending again is no second message");
    let lines = detect.end().await;
    let error = &lines[0];
    assert_eq!((&error["level"], &error["requestId"]), (&json!("ERROR"), &json!("request-1")));
    assert_eq!(error["message"], "SendFailed: SendMessageBatch: InvalidX: no");
}

#[tokio::test]
async fn without_a_baseline_events_are_passed_on() {
    for baseline in ["", "{", "ssm:/guardrail/baseline"] {
        let aws = FakeAws::start().await;
        aws.on(
            "GetParameter",
            400,
            r#"{"__type":"ParameterNotFound","message":"no such parameter"}"#,
        );
        let mut detect = start(&aws, baseline).await;
        assert_eq!(detect.invoke(&event("CreateRoute")).await, done());
        assert_eq!(detect.invoke(&event("DisassociateRouteTable")).await, done());
        let bodies = bodies(&aws);
        assert_eq!(
            (bodies.len(), &bodies[0]["scope"]["vpc"]),
            (2, &json!("vpc-0a1")),
            "{baseline}"
        );
        let why = bodies[1]["no_baseline"].as_str().unwrap();
        assert!(why.starts_with("the baseline in ") && why.contains("cannot be used"), "{why}");
        let levels: Vec<_> =
            detect.end().await.into_iter().map(|line| line["level"].clone()).collect();
        assert_eq!(levels, ["ERROR", "INFO", "ERROR", "INFO"]);
    }
}

#[tokio::test]
async fn a_stored_baseline_says_which_vpcs_are_managed() {
    let aws = FakeAws::start().await;
    aws.store(r#"{"version":1,"managed_vpcs":{"tag":{"key":"other","value":"x"}}}"#);
    let mut detect = start(&aws, "ssm:/guardrail/baseline").await;
    assert_eq!(detect.invoke(&event("CreateRoute")).await, done());
    assert_eq!(detect.invoke(&event("CreateRoute")).await, done());
    assert_eq!(aws.actions(), [""; 0]);
    let read = json!({"Name": "/guardrail/baseline", "WithDecryption": true});
    assert_eq!(aws.calls("GetParameter"), [read], "once a minute");
}

#[tokio::test]
async fn without_a_region_it_does_not_start_and_says_why() {
    let aws = FakeAws::start().await;
    let detect = Function::start(BINARY, &aws, &[QUEUE, ("AWS_REGION", "")]).await;
    let (well, lines) = detect.ended().await;
    assert!(!well && lines.len() == 1 && lines[0].contains("not started: "), "{lines:?}");
}
