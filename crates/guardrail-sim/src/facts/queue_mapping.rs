//! Lambda's poller.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>

use serde_json::json;

use super::queue_scene::{FIFO, Scene, bodies, refused};
use crate::queue::{
    Attribute, Batch, Ended, EventSourceMapping, Invocation, MappingOptions, Outgoing,
};

fn options() -> MappingOptions {
    MappingOptions {
        queue: FIFO.to_owned(),
        batch_size: 10,
        maximum_concurrency: Some(2),
        report_batch_item_failures: true,
        function_timeout: super::seconds(30),
    }
}

fn mapping(scene: &mut Scene) -> EventSourceMapping {
    EventSourceMapping::new(&mut scene.sqs, options(), scene.now).unwrap()
}

fn ids(batch: &Batch) -> Vec<String> {
    batch.messages().iter().map(|message| message.message_id.clone()).collect()
}

/// What becomes of three messages of one group when the function says this.
fn after(answer: &str) -> (Ended, Vec<String>) {
    let mut scene = Scene::new();
    scene.send("a", &["1", "2", "3"]);
    let mut mapping = mapping(&mut scene);
    let batch = mapping.poll(&mut scene.sqs, scene.now).unwrap();
    let answer = Invocation::Answered(answer.replace("$2", &ids(&batch)[1]));
    let ended = mapping.ended(&mut scene.sqs, batch, &answer, scene.now);
    scene.wait(30);
    (ended, scene.bodies())
}

/// "Example FIFO queue message event": the records, with SQS's attributes.
#[test]
fn the_function_gets_records() {
    let mut scene = Scene::new();
    let note = Attribute { data_type: "Number".into(), value: "7".into() };
    let message = Outgoing {
        attributes: [("note".to_owned(), note)].into(),
        ..Outgoing::fifo("a", "dedup", "body")
    };
    scene.try_send(FIFO, message).unwrap();
    let mut mapping = mapping(&mut scene);
    let batch = mapping.poll(&mut scene.sqs, scene.now).unwrap();
    let message = &batch.messages()[0];
    assert_eq!(
        *batch.event(),
        json!({ "Records": [{
            "messageId": "00000000-0000-4000-9000-000000000001",
            "receiptHandle": message.receipt_handle,
            "body": "body",
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1795348800000",
                "SequenceNumber": "18849496460467696384",
                "MessageGroupId": "a",
                "SenderId": "AROADETECT:detect",
                "MessageDeduplicationId": "dedup",
                "ApproximateFirstReceiveTimestamp": "1795348800000",
            },
            "messageAttributes": { "note": {
                "stringValue": "7", "stringListValues": [], "binaryListValues": [], "dataType": "Number",
            } },
            "md5OfBody": "841a2d689ad86bd1611447453c22c6fc",
            "md5OfMessageAttributes": message.md5_of_attributes,
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:fifo.fifo",
            "awsRegion": "eu-central-1",
        }] })
    );
}

/// "Lambda treats a batch as a complete success if your function returns any of the following: an
/// empty batchItemFailures list, a null batchItemFailures list, an empty EventResponse, a null
/// EventResponse."
#[test]
fn a_batch_is_a_complete_success() {
    for answer in [
        r#"{"batchItemFailures":[]}"#,
        r#"{"batchItemFailures":null}"#,
        "{}",
        "null",
        "",
        r#"{"statusCode":200}"#,
    ] {
        let (ended, left) = after(answer);
        assert_eq!((ended.deleted.len(), ended.back.len()), (3, 0), "{answer}");
        assert_eq!(left, [""; 0], "{answer}");
    }
}

/// "Lambda treats a batch as a complete failure if your function returns any of the following: an
/// invalid JSON response, an empty string itemIdentifier, a null itemIdentifier, an itemIdentifier
/// with a bad key name, an itemIdentifier value with a message ID that doesn't exist."
#[test]
fn a_batch_is_a_complete_failure() {
    for answer in [
        "{",
        "\"ok\"",
        r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
        r#"{"batchItemFailures":[{"identifier":"$2"}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":"no such message"}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":"$2"},{"itemIdentifier":"other"}]}"#,
        r#"{"batchItemFailures":["$2"]}"#,
        r#"{"batchItemFailures":{"itemIdentifier":"$2"}}"#,
    ] {
        let (ended, left) = after(answer);
        assert_eq!((ended.deleted.len(), ended.back.len()), (0, 3), "{answer}");
        assert_eq!(left, ["1", "2", "3"], "{answer}");
    }
}

/// "To avoid reprocessing successfully processed messages in a failed batch, you can configure your
/// event source mapping to make only the failed messages visible again."
#[test]
fn only_what_failed_comes_again() {
    let (ended, left) = after(r#"{"batchItemFailures":[{"itemIdentifier":"$2"}]}"#);
    assert_eq!((ended.deleted.len(), ended.back.len()), (2, 1));
    assert_eq!(left, ["2"]);
}

/// "If your function encounters an error while processing a batch, all messages in that batch become
/// visible in the queue again after the visibility timeout expires."
#[test]
fn a_failed_invocation_deletes_nothing() {
    let mut scene = Scene::new();
    scene.send("a", &["1"]);
    let mut mapping = mapping(&mut scene);
    let batch = mapping.poll(&mut scene.sqs, scene.now).unwrap();
    let back = ids(&batch);
    scene.wait(20);
    let ended = mapping.ended(&mut scene.sqs, batch, &Invocation::Failed, scene.now);
    assert_eq!(ended, Ended { back, ..Ended::default() });
    assert!(mapping.poll(&mut scene.sqs, scene.now).is_none(), "the time-out is not over");
    scene.wait(10);
    assert!(mapping.poll(&mut scene.sqs, scene.now).is_some());
}

/// "If your function returns an error, the function attempts all retries on the affected messages
/// before Lambda receives additional messages from the same group."
#[test]
fn what_failed_comes_before_the_rest_of_its_group() {
    let mut scene = Scene::new();
    scene.send("a", &["1"]);
    let mut mapping = mapping(&mut scene);
    let batch = mapping.poll(&mut scene.sqs, scene.now).unwrap();
    mapping.ended(&mut scene.sqs, batch, &Invocation::Failed, scene.now);
    scene.send("a", &["2"]);
    assert!(mapping.poll(&mut scene.sqs, scene.now).is_none());
    scene.wait(30);
    let batch = mapping.poll(&mut scene.sqs, scene.now).unwrap();
    assert_eq!(bodies(batch.messages()), ["1", "2"]);
}

/// "For FIFO queues, the number of concurrent invocations is capped either by the number of message
/// group IDs or the maximum concurrency setting—whichever is lower."
#[test]
fn as_many_invocations_run_as_there_are_groups_or_the_mapping_allows() {
    let mut scene = Scene::new();
    let mut one_each = EventSourceMapping::new(
        &mut scene.sqs,
        MappingOptions { batch_size: 1, ..options() },
        scene.now,
    )
    .unwrap();
    scene.send("a", &["a1", "a2"]);
    let first = one_each.poll(&mut scene.sqs, scene.now).unwrap();
    assert!(one_each.poll(&mut scene.sqs, scene.now).is_none(), "one group, one invocation");
    scene.send("b", &["b1"]);
    scene.send("c", &["c1"]);
    one_each.poll(&mut scene.sqs, scene.now).unwrap();
    assert!(one_each.poll(&mut scene.sqs, scene.now).is_none(), "two at most");
    let fine = Invocation::Answered(String::new());
    one_each.ended(&mut scene.sqs, first, &fine, scene.now);
    assert_eq!(one_each.running(), 1);
    let third = one_each.poll(&mut scene.sqs, scene.now).unwrap();
    assert_eq!(bodies(third.messages()), ["a2"]);
}

/// A function that ends after the visibility time-out is too late: "the action fails with an error",
/// and the messages come again.
#[test]
fn what_ended_too_late_is_not_deleted() {
    let mut scene = Scene::new();
    scene.send("a", &["1"]);
    let mut mapping = mapping(&mut scene);
    let batch = mapping.poll(&mut scene.sqs, scene.now).unwrap();
    scene.wait(30);
    let fine = Invocation::Answered(String::new());
    let ended = mapping.ended(&mut scene.sqs, batch, &fine, scene.now);
    assert_eq!((ended.deleted.len(), ended.not_deleted.len()), (0, 1));
    assert_eq!(scene.bodies(), ["1"]);
}

/// A visibility that the function sets itself counts: "Lambda does not touch the visibility of
/// returned items".
#[test]
fn the_function_may_have_its_messages_come_sooner() {
    let mut scene = Scene::new();
    scene.send("a", &["1"]);
    let mut mapping = mapping(&mut scene);
    let batch = mapping.poll(&mut scene.sqs, scene.now).unwrap();
    scene.hide(FIFO, &batch.messages()[0], 5).unwrap();
    let failed = json!({ "batchItemFailures": [{ "itemIdentifier": ids(&batch)[0] }] }).to_string();
    mapping.ended(&mut scene.sqs, batch, &Invocation::Answered(failed), scene.now);
    scene.wait(4);
    assert!(mapping.poll(&mut scene.sqs, scene.now).is_none());
    scene.wait(1);
    assert!(mapping.poll(&mut scene.sqs, scene.now).is_some());
}

/// "These responses will not be processed by Lambda unless the ReportBatchItemFailures feature is
/// explicitly turned on."
#[test]
fn without_reports_every_answer_is_a_success() {
    let mut scene = Scene::new();
    scene.send("a", &["1"]);
    let options = MappingOptions { report_batch_item_failures: false, ..options() };
    let mut mapping = EventSourceMapping::new(&mut scene.sqs, options, scene.now).unwrap();
    let batch = mapping.poll(&mut scene.sqs, scene.now).unwrap();
    let failed = json!({ "batchItemFailures": [{ "itemIdentifier": ids(&batch)[0] }] }).to_string();
    let ended = mapping.ended(&mut scene.sqs, batch, &Invocation::Answered(failed), scene.now);
    assert_eq!((ended.deleted.len(), ended.back.len()), (1, 0));
}

/// "Queue visibility timeout … is less than Function timeout" is refused when the mapping is made;
/// BatchSize is at most 10 for a FIFO queue, MaximumConcurrency 2 to 1,000.
#[test]
fn what_mapping_is_not_made() {
    let cases = [
        (MappingOptions { function_timeout: super::seconds(31), ..options() }, "Timeout"),
        (MappingOptions { batch_size: 11, ..options() }, "BatchSize"),
        (MappingOptions { maximum_concurrency: Some(1), ..options() }, "MaximumConcurrency"),
        (MappingOptions { queue: "nowhere".into(), ..options() }, "NonExistentQueue"),
    ];
    for (options, words) in cases {
        let mut scene = Scene::new();
        let said = refused(EventSourceMapping::new(&mut scene.sqs, options, scene.now));
        assert!(said.contains(words), "{said}");
    }
}
