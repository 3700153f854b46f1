//! The sweep function as Lambda runs it.

#![cfg(test)]

use e2e::aws::FakeAws;
use e2e::process::{Answer, Function};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_sweep");
const QUEUE: (&str, &str) =
    ("GUARDRAIL_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/111122223333/vpcs.fifo");
const TABLE: (&str, &str) = ("GUARDRAIL_TABLE", "history");
const GOOD: &str = r#"{"version":1}"#;
const NO_VPCS: &str = "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>";

async fn start(aws: &FakeAws, baseline: &str) -> Function {
    Function::start(BINARY, aws, &[QUEUE, TABLE, ("GUARDRAIL_BASELINE", baseline)]).await
}

/// What the schedule of each minute sends.
fn minute() -> Value {
    json!({"clock": true})
}

fn tick() -> Value {
    json!({"version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"})
}

fn done() -> Answer {
    Answer::Response(Value::Null)
}

/// The counts of the one line of metrics, and the lines of the log.
fn sorted(lines: Vec<Value>) -> (Option<[Value; 3]>, Vec<Value>) {
    let (metrics, log): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.get("_aws").is_some());
    let beats: Vec<&Value> =
        metrics.iter().filter(|line| line.get("Heartbeat").is_some()).collect();
    assert!(beats.len() < 2, "{metrics:?}");
    (
        beats
            .first()
            .map(|line| ["Heartbeat", "ManagedVpcs", "DriftedVpcs"].map(|name| line[name].clone())),
        log,
    )
}

#[tokio::test]
async fn a_vpc_that_drifted_is_queued_and_the_heart_beats() {
    let aws = FakeAws::start().await;
    let mut sweep = start(&aws, GOOD).await;
    assert_eq!(sweep.invoke(&tick()).await, done());
    let queued = aws.queued();
    let body: Value = serde_json::from_str(queued[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(
        (queued.len(), &body["scope"]["vpc"], &body["cause"]),
        (1, &json!("vpc-0a1"), &json!("sweep"))
    );
    assert_eq!(queued[0]["MessageGroupId"], "111122223333/eu-central-1/vpc-0a1");
    let id = queued[0]["MessageDeduplicationId"].as_str().unwrap();
    assert!(id.starts_with("sweep-20") && id.ends_with("Z-request-1/vpc-0a1"), "{id}");
    assert_eq!(aws.actions(), ["SendMessageBatch"]);
    let (metrics, log) = sorted(sweep.end().await);
    assert_eq!(metrics, Some([1, 1, 1].map(Value::from)));
    let line = log.last().unwrap();
    assert_eq!((&line["vpc"], &line["message"]), (&json!("vpc-0a1"), &json!("1 queued")));
    assert_eq!((&line["requestId"], &line["run_id"]), (&json!("request-1"), &body["incident"]));
}

#[tokio::test]
async fn the_heart_beats_when_there_is_nothing_to_do() {
    let aws = FakeAws::start().await;
    aws.on("DescribeVpcs", 200, NO_VPCS);
    let mut sweep = start(&aws, GOOD).await;
    assert_eq!(sweep.invoke(&tick()).await, done());
    assert_eq!(aws.actions(), [""; 0]);
    let (metrics, log) = sorted(sweep.end().await);
    assert_eq!((metrics, log.len()), (Some([1, 0, 0].map(Value::from)), 1));
}

#[tokio::test]
async fn a_sweep_that_fails_has_no_heartbeat_and_the_next_one_has() {
    let aws = FakeAws::start().await;
    let denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
    aws.on("DescribeVpcs", 403, denied);
    let mut sweep = start(&aws, GOOD).await;
    let failed = Answer::Error(
        "SweepFailed".to_owned(),
        "DescribeVpcs: UnauthorizedOperation: no".to_owned(),
    );
    assert_eq!(sweep.invoke(&tick()).await, failed);
    aws.on("DescribeVpcs", 200, NO_VPCS);
    assert_eq!(sweep.invoke(&tick()).await, done());
    let (metrics, log) = sorted(sweep.end().await);
    assert!(metrics.is_some());
    let levels: Vec<_> = log.iter().map(|line| (&line["level"], &line["requestId"])).collect();
    assert_eq!(
        levels,
        [(&json!("ERROR"), &json!("request-1")), (&json!("INFO"), &json!("request-2"))]
    );
}

#[tokio::test]
async fn what_could_not_be_read_of_a_vpc_is_left_to_repair() {
    let aws = FakeAws::start().await;
    let denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
    aws.on("DescribeSubnets", 403, denied);
    let mut sweep = start(&aws, GOOD).await;
    assert_eq!(sweep.invoke(&tick()).await, done());
    assert_eq!(aws.queued().len(), 1);
    let (metrics, log) = sorted(sweep.end().await);
    assert_eq!(metrics, Some([1, 1, 0].map(Value::from)), "what is not seen is not called drift");
    assert_eq!(
        log[0]["message"],
        "Subnets could not be read: DescribeSubnets: UnauthorizedOperation: no"
    );
}

#[tokio::test]
async fn without_a_baseline_it_says_so_and_its_heart_does_not_beat() {
    for baseline in ["", r#"{"version":1,"mode":"destroy"}"#, "ssm:/guardrail/baseline"] {
        let aws = FakeAws::start().await;
        aws.on(
            "GetParameter",
            400,
            r#"{"__type":"ParameterNotFound","message":"no such parameter"}"#,
        );
        let mut sweep = start(&aws, baseline).await;
        assert_eq!(sweep.invoke(&tick()).await, done());
        let queued = aws.queued();
        let body: Value = serde_json::from_str(queued[0]["MessageBody"].as_str().unwrap()).unwrap();
        assert!(
            queued.len() == 1 && body["no_baseline"].is_string() && body.get("scope").is_none(),
            "{body}"
        );
        let (metrics, log) = sorted(sweep.end().await);
        assert_eq!(
            (metrics, log.len(), &log[0]["level"]),
            (None, 1, &json!("ERROR")),
            "{baseline}"
        );
    }
}

#[tokio::test]
async fn a_stored_baseline_that_is_mended_takes_effect() {
    let aws = FakeAws::start().await;
    aws.store("{");
    let mut sweep = start(&aws, "ssm:/guardrail/baseline").await;
    assert_eq!(sweep.invoke(&tick()).await, done());
    aws.store(GOOD);
    assert_eq!(sweep.invoke(&tick()).await, done());
    let (metrics, _) = sorted(sweep.end().await);
    assert_eq!(metrics, Some([1, 1, 1].map(Value::from)));
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_process_takes_the_next_event() {
    let aws = FakeAws::start().await;
    let mut sweep = start(&aws, GOOD).await;
    sweep.stop_listening().await;
    for _ in 0..2 {
        let answer = sweep.invoke(&tick()).await;
        assert!(
            matches!(&answer, Answer::Error(_, why) if why.contains("failed printing to stdout")),
            "{answer:?}"
        );
    }
}

const WAITING: &str = "WAITING#111122223333/eu-central-1";

#[tokio::test]
async fn the_clock_sends_what_is_due_and_reads_no_network() {
    let aws = FakeAws::start().await;
    let again = json!({"at": "2026-09-14T08:36:07Z", "why": "a name settles"});
    aws.table(|items| items.put(WAITING, "due#vpc-0a1", &again));
    let mut sweep = start(&aws, GOOD).await;
    let before = aws.calls("DescribeVpcs").len();
    assert_eq!(sweep.invoke(&minute()).await, done());
    let queued = aws.queued();
    let body: Value = serde_json::from_str(queued[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(
        (queued.len(), &body["scope"]["vpc"], &body["cause"]),
        (1, &json!("vpc-0a1"), &json!("clock"))
    );
    assert_eq!(queued[0]["MessageDeduplicationId"], "clock-2026-09-14T08:36:07Z/vpc-0a1");
    assert_eq!(aws.calls("DescribeVpcs").len(), before);
    let (metrics, log) = sorted(sweep.end().await);
    assert_eq!((metrics, log.len(), &log[0]["due"]), (None, 1, &json!(1)));
}

#[tokio::test]
async fn the_clock_is_quiet_when_nothing_is_due_and_fails_when_it_cannot_tell() {
    let aws = FakeAws::start().await;
    let mut sweep = start(&aws, GOOD).await;
    assert_eq!(sweep.invoke(&minute()).await, done());
    let refused = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}"#;
    aws.on("Query", 400, refused);
    let failed = Answer::Error(
        "ClockFailed".to_owned(),
        "Query: ResourceNotFoundException: no table".to_owned(),
    );
    assert_eq!(sweep.invoke(&minute()).await, failed);
    assert_eq!(aws.actions(), [""; 0]);
}

#[tokio::test]
async fn what_a_sweep_sees_is_remembered_and_asked_about_once() {
    let aws = FakeAws::start().await;
    let mut sweep = start(&aws, GOOD).await;
    assert_eq!(sweep.invoke(&tick()).await, done());
    assert!(aws.table(|items| items.of_kind("FACTS")).contains_key("vpc-0a1"));
    let progress = aws.table(|items| items.of_kind("SWEEP")).remove("progress").unwrap();
    assert_eq!((&progress["compared"], &progress["queued"]), (&json!(1), &json!(1)));
    let attributes = aws.calls("DescribeVpcAttribute").len();
    assert_eq!(sweep.invoke(&tick()).await, done());
    assert_eq!(aws.calls("DescribeVpcAttribute").len(), attributes, "they are remembered");
}
