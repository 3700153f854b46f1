//! What a queue takes, from whom, and what it takes for a duplicate.

use std::collections::BTreeMap;

use super::queue_scene::{FIFO, STANDARD, Scene, detect, refused};
use crate::queue::{Attribute, Outgoing, QueueOptions, RefusalKind, Sender, Senders};

/// "If a message with a particular message deduplication ID is sent successfully, any messages sent
/// with the same message deduplication ID are accepted successfully but aren't delivered during the
/// 5-minute deduplication interval."
#[test]
fn a_duplicate_is_accepted_and_never_comes() {
    let mut scene = Scene::new();
    let first = scene.try_send(FIFO, Outgoing::fifo("a", "x", "one")).unwrap();
    scene.wait(299);
    assert_eq!(scene.try_send(FIFO, Outgoing::fifo("a", "x", "two")), Ok(first));
    assert_eq!(scene.bodies(), ["one"]);
    scene.wait(1);
    scene.try_send(FIFO, Outgoing::fifo("b", "x", "three")).unwrap();
    assert_eq!(scene.bodies(), ["three"], "the duplicate did not begin the interval anew");
    assert_eq!(scene.sqs.counts(FIFO, scene.now).unwrap().deduplicated, 1);
}

/// "Amazon SQS continues to keep track of the message deduplication ID even after the message is
/// received and deleted."
#[test]
fn a_duplicate_of_a_deleted_message_never_comes() {
    let mut scene = Scene::new();
    scene.send("a", &["a1"]);
    let message = scene.one(FIFO);
    scene.delete(FIFO, &message).unwrap();
    scene.send("a", &["a1"]);
    assert_eq!(scene.bodies(), [""; 0]);
    scene.wait(300);
    scene.send("a", &["a1"]);
    assert_eq!(scene.bodies(), ["a1"]);
}

/// "Message deduplication applies to an entire queue, not to individual message groups."
#[test]
fn a_duplicate_may_be_of_another_group() {
    let mut scene = Scene::new();
    scene.send("a", &["x"]);
    scene.send("b", &["x"]);
    assert_eq!(scene.bodies(), ["x"]);
}

/// "If you aren't able to provide a MessageDeduplicationId and you enable ContentBasedDeduplication
/// for your queue, Amazon SQS uses a SHA-256 hash to generate the MessageDeduplicationId using the
/// body of the message (but not the attributes of the message)"; "if the queue has
/// ContentBasedDeduplication set, your MessageDeduplicationId overrides the generated one."
#[test]
fn a_body_may_be_its_own_deduplication_id() {
    let mut scene = Scene::new();
    let options = QueueOptions { content_based_deduplication: true, ..QueueOptions::default() };
    scene.sqs.create("content.fifo", options, scene.now).unwrap();
    let message = Outgoing { group: Some("a".to_owned()), ..Outgoing::standard("abc") };
    let marked = BTreeMap::from([(
        "x".to_owned(),
        Attribute { data_type: "String".to_owned(), value: "y".to_owned() },
    )]);
    scene.try_send("content.fifo", message.clone()).unwrap();
    scene.try_send("content.fifo", Outgoing { attributes: marked, ..message.clone() }).unwrap();
    scene.try_send("content.fifo", Outgoing::fifo("a", "own", "abc")).unwrap();
    let ids: Vec<String> = scene
        .receive("content.fifo")
        .into_iter()
        .map(|mut message| message.system_attributes.remove("MessageDeduplicationId").unwrap())
        .collect();
    assert_eq!(ids, ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "own"]);
}

/// "If you do not provide a MessageGroupId when sending a message to a FIFO queue, the action
/// fails"; "if you don't provide a MessageDeduplicationId and the queue doesn't have
/// ContentBasedDeduplication set, the action fails with an error"; "when you set FifoQueue, you
/// can't set DelaySeconds per message"; "the minimum size is one character. The maximum size is
/// 1 MiB"; "if a message contains characters outside the allowed set, Amazon SQS rejects the
/// message"; "this parameter applies only to FIFO (first-in-first-out) queues".
#[test]
fn what_a_queue_does_not_take() {
    let good = || Outgoing::fifo("a", "x", "body");
    let cases = [
        (FIFO, Outgoing { group: None, ..good() }, "MissingParameter", "MessageGroupId"),
        (
            FIFO,
            Outgoing { deduplication_id: None, ..good() },
            "InvalidParameterValue",
            "ContentBasedDeduplication",
        ),
        (
            FIFO,
            Outgoing { delay_seconds: Some(0), ..good() },
            "InvalidParameterValue",
            "queue type",
        ),
        (FIFO, Outgoing::fifo("a", "x", ""), "MissingParameter", "MessageBody"),
        (
            FIFO,
            Outgoing::fifo("a", "x", &"m".repeat(1024 * 1024 + 1)),
            "InvalidParameterValue",
            "1048576 bytes",
        ),
        (FIFO, Outgoing::fifo("a", "x", "\u{0}"), "InvalidMessageContents", "#x0"),
        (FIFO, Outgoing::fifo("a", "x", "\u{FFFF}"), "InvalidMessageContents", "#xFFFF"),
        (FIFO, Outgoing::fifo("", "x", "m"), "InvalidParameterValue", "MessageGroupId"),
        (FIFO, Outgoing::fifo("a", "x y", "m"), "InvalidParameterValue", "MessageDeduplicationId"),
        (FIFO, Outgoing::fifo("a", &"x".repeat(129), "m"), "InvalidParameterValue", "1 to 128"),
        (STANDARD, good(), "InvalidParameterValue", "MessageDeduplicationId"),
        (
            STANDARD,
            Outgoing { delay_seconds: Some(901), ..Outgoing::standard("m") },
            "InvalidParameterValue",
            "900",
        ),
        ("nowhere", Outgoing::standard("m"), "AWS.SimpleQueueService.NonExistentQueue", "exist"),
    ];
    for (queue, message, code, words) in cases {
        let mut scene = Scene::new();
        let said = refused(scene.try_send(queue, message));
        assert!(said.starts_with(code) && said.contains(words), "{said}");
        assert_eq!((scene.receive(FIFO), scene.receive(STANDARD)), (vec![], vec![]));
    }
    let mut scene = Scene::new();
    let largest = "m".repeat(1024 * 1024);
    scene.try_send(FIFO, Outgoing::fifo(&"g".repeat(128), "x", &largest)).unwrap();
}

/// A policy that denies `sqs:SendMessage` unless `aws:PrincipalArn` is one of these: "an explicit
/// deny in any of these policies overrides the allow".
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
#[test]
fn only_those_may_send_whom_the_policy_names() {
    let mut scene = Scene::new();
    let only = Senders::Only(vec![detect().principal]);
    scene.sqs.allow(FIFO, only).unwrap();
    scene.send("a", &["from-detect"]);
    let other = Sender {
        principal: "arn:aws:iam::111122223333:role/other".to_owned(),
        id: "AROAOTHER:x".to_owned(),
    };
    let message = Outgoing::fifo("a", "x", "from another");
    let refusal = scene.sqs.send(FIFO, &other, message.clone(), scene.now).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::AccessDenied);
    let batch = vec![("1".to_owned(), message.clone()), ("2".to_owned(), message)];
    let refusal = scene.sqs.send_batch(FIFO, &other, batch, scene.now).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::AccessDenied, "all of the batch, not each entry");
    assert_eq!(scene.bodies(), ["from-detect"]);
    assert_eq!(scene.sqs.counts(FIFO, scene.now).unwrap().denied, 3);
}

/// "Because the batch request can result in a combination of successful and unsuccessful actions,
/// you should check for batch errors even when the call returns an HTTP status code of 200."
#[test]
fn entries_of_a_batch_fail_by_themselves() {
    let mut scene = Scene::new();
    let entry = |id: &str, body: &str| (id.to_owned(), Outgoing::fifo("a", id, body));
    let batch = vec![entry("one", "1"), entry("two", ""), entry("three", "3")];
    let answer = scene.sqs.send_batch(FIFO, &detect(), batch, scene.now).unwrap();
    let done: Vec<&String> = answer.successful.iter().map(|(id, _)| id).collect();
    assert_eq!(done, ["one", "three"]);
    assert_eq!((answer.failed.len(), answer.failed[0].0.as_str()), (1, "two"));
    assert_eq!(scene.bodies(), ["1", "3"]);
}

/// "The batch request contains more entries than permissible", "doesn't contain any entries", "two
/// or more batch entries in the request have the same Id", "the Id of a batch entry in a batch
/// request doesn't abide by the specification", "the length of all the messages put together is more
/// than the limit": nothing of such a call happens.
#[test]
fn a_batch_that_is_none_is_refused_whole() {
    let entry = |id: &str| (id.to_owned(), Outgoing::fifo("a", "x", "m"));
    let long = |id: &str| (id.to_owned(), Outgoing::fifo("a", id, &"m".repeat(600 * 1024)));
    let cases = [
        (
            (0..11).map(|n| entry(&n.to_string())).collect(),
            RefusalKind::TooManyEntriesInBatchRequest,
        ),
        (vec![], RefusalKind::EmptyBatchRequest),
        (vec![entry("1"), entry("1")], RefusalKind::BatchEntryIdsNotDistinct),
        (vec![entry("1"), entry("a b")], RefusalKind::InvalidBatchEntryId),
        (vec![long("1"), long("2")], RefusalKind::BatchRequestTooLong),
    ];
    for (batch, kind) in cases {
        let mut scene = Scene::new();
        let refusal = scene.sqs.send_batch(FIFO, &detect(), batch, scene.now).unwrap_err();
        assert_eq!(refusal.kind, kind);
        assert_eq!(scene.bodies(), [""; 0]);
    }
}
