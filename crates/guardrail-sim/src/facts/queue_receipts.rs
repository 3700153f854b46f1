//! What is handed out, and what receipt handles are good for.

use std::collections::BTreeMap;

use super::queue_scene::{FIFO, STANDARD, Scene, bodies, refused};
use crate::queue::{Attribute, Outgoing, QueueOptions, RefusalKind};

/// "ApproximateReceiveCount – Returns the number of times a message has been received across all
/// queues but not deleted"; "SentTimestamp – Returns the time the message was sent to the queue
/// (epoch time in milliseconds)"; "ApproximateFirstReceiveTimestamp – Returns the time the message
/// was first received"; "SenderId … for an IAM role, returns the IAM role ID, for example
/// `ABCDE1F2GH3I4JK5LMNOP:i-a123b456`".
#[test]
fn a_message_comes_with_its_attributes() {
    let mut scene = Scene::new();
    scene.send("a", &["m"]);
    scene.wait(1);
    scene.one(FIFO);
    scene.wait(30);
    let expected = BTreeMap::from([
        ("ApproximateReceiveCount", "2"),
        ("SentTimestamp", "1795348800000"),
        ("SenderId", "AROADETECT:detect"),
        ("ApproximateFirstReceiveTimestamp", "1795348801000"),
        ("MessageGroupId", "a"),
        ("MessageDeduplicationId", "m"),
        ("SequenceNumber", "18849496460467696384"),
    ]);
    let message = scene.one(FIFO);
    let attributes: BTreeMap<&str, &str> =
        message.system_attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(attributes, expected);
}

/// "An MD5 digest of the message body"; "an MD5 digest of the message attributes", of their names,
/// types and values in the order of their names.
#[test]
fn a_message_comes_with_its_digests() {
    let mut scene = Scene::new();
    let text = |value: &str| Attribute { data_type: "String".into(), value: value.into() };
    let attributes = BTreeMap::from([
        ("RULE_ARN".to_owned(), text("arn:x")),
        ("ERROR_CODE".to_owned(), text("THROTTLING")),
    ]);
    scene.try_send(STANDARD, Outgoing { attributes, ..Outgoing::standard("body") }).unwrap();
    let message = scene.one(STANDARD);
    assert_eq!(message.md5_of_body, "841a2d689ad86bd1611447453c22c6fc");
    assert_eq!(message.md5_of_attributes.as_deref(), Some(MD5_OF_ATTRIBUTES));
}

const MD5_OF_ATTRIBUTES: &str = "072da0af4ad8867374ac8c2e148b978c";

/// "If you receive the same message more than once, you will get a different ReceiptHandle each
/// time."
#[test]
fn each_receive_has_its_own_handle() {
    let mut scene = Scene::new();
    scene.send("a", &["m"]);
    let first = scene.one(FIFO);
    scene.wait(30);
    let second = scene.one(FIFO);
    assert_eq!(first.message_id, second.message_id);
    assert_ne!(first.receipt_handle, second.receipt_handle);
}

/// "If a consumer whose message processing time is longer than the visibility timeout tries to
/// delete the processed messages, the action fails with an error" on a FIFO queue: when the message
/// is visible again, and when somebody else has it.
#[test]
fn a_fifo_queue_honours_no_handle_beyond_its_time() {
    let mut scene = Scene::new();
    scene.send("a", &["m"]);
    let first = scene.one(FIFO);
    scene.wait(30);
    assert!(refused(scene.delete(FIFO, &first)).contains("The receipt handle has expired."));
    let second = scene.one(FIFO);
    assert!(refused(scene.delete(FIFO, &first)).starts_with("InvalidParameterValue"));
    assert!(refused(scene.hide(FIFO, &first, 60)).contains("The receipt handle has expired."));
    scene.delete(FIFO, &second).unwrap();
    scene.wait(30);
    assert_eq!(scene.bodies(), [""; 0]);
}

/// "Amazon SQS can delete a message from a queue even if a visibility timeout setting causes the
/// message to be locked by another consumer"; "if you use an old ReceiptHandle, the request will
/// succeed, but the message might not be deleted" on a standard queue.
#[test]
fn a_standard_queue_deletes_by_the_last_handle_whenever_it_comes() {
    let mut scene = Scene::new();
    scene.try_send(STANDARD, Outgoing::standard("m")).unwrap();
    let first = scene.one(STANDARD);
    scene.wait(30);
    let second = scene.one(STANDARD);
    scene.delete(STANDARD, &first).unwrap();
    scene.wait(30);
    assert_eq!(
        scene.sqs.attributes(STANDARD, scene.now).unwrap()["ApproximateNumberOfMessages"],
        "1"
    );
    scene.delete(STANDARD, &second).unwrap();
    assert_eq!(scene.receive(STANDARD), []);
}

/// A message that is gone is deleted as often as somebody asks for it.
#[test]
fn deleting_twice_is_no_fault() {
    let mut scene = Scene::new();
    scene.send("a", &["m"]);
    let message = scene.one(FIFO);
    scene.delete(FIFO, &message).unwrap();
    scene.delete(FIFO, &message).unwrap();
    assert!(refused(scene.hide(FIFO, &message, 1)).contains("Message does not exist"));
}

/// "The specified receipt handle isn't valid."
#[test]
fn what_no_queue_gave_out_is_no_handle() {
    let mut scene = Scene::new();
    scene.send("a", &["m"]);
    let message = scene.one(FIFO);
    for handle in ["", "x", "AQEB-fifo.fifo-1", "AQEB-fifo.fifo-1-2", "AQEB-fifo.fifo-1-0"] {
        let refusal = scene.sqs.delete(FIFO, handle, scene.now).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::ReceiptHandleIsInvalid, "{handle}");
    }
    let refusal = scene.delete(STANDARD, &message).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::ReceiptHandleIsInvalid, "another queue's");
}

/// "The minimum is 0 seconds. The maximum is 12 hours"; "if you attempt to set the VisibilityTimeout
/// to a value greater than the maximum time left, Amazon SQS returns an error."
#[test]
fn no_message_is_hidden_for_more_than_twelve_hours() {
    let mut scene = Scene::new();
    scene.send("a", &["m"]);
    let message = scene.one(FIFO);
    assert!(refused(scene.hide(FIFO, &message, 43_201)).contains("between 0 and 43200"));
    scene.hide(FIFO, &message, 43_200).unwrap();
    scene.wait(1);
    assert!(refused(scene.hide(FIFO, &message, 43_200)).contains("beyond the limit"));
    scene.hide(FIFO, &message, 43_199).unwrap();
    scene.wait(43_199);
    assert_eq!(scene.bodies(), ["m"]);
}

/// "The specified message isn't in flight."
#[test]
fn a_visible_message_cannot_be_hidden() {
    let mut scene = Scene::new();
    scene.try_send(STANDARD, Outgoing::standard("m")).unwrap();
    let message = scene.one(STANDARD);
    scene.wait(30);
    let refusal = scene.hide(STANDARD, &message, 10).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::MessageNotInflight);
}

/// Batches of deletions and of visibility changes fail by entry.
#[test]
fn some_of_a_batch_may_fail() {
    let mut scene = Scene::new();
    scene.send("a", &["1", "2"]);
    let both = scene.receive(FIFO);
    let entry = |n: usize| (n.to_string(), both[n].receipt_handle.clone());
    let hide = vec![
        (String::from("0"), (both[0].receipt_handle.clone(), 60)),
        (String::from("x"), (both[1].receipt_handle.clone(), 50_000)),
    ];
    let answer = scene.sqs.change_visibility_batch(FIFO, hide, scene.now).unwrap();
    assert_eq!((answer.successful, answer.failed.len()), (vec![("0".to_owned(), ())], 1));
    scene.wait(30);
    let delete = vec![entry(0), entry(1)];
    let answer = scene.sqs.delete_batch(FIFO, delete, scene.now).unwrap();
    assert_eq!((answer.successful, answer.failed.len()), (vec![("0".to_owned(), ())], 1));
    assert_eq!(scene.bodies(), ["2"]);
}

/// "Amazon SQS automatically deletes messages left in a queue longer than the retention period
/// configured for the queue": also what is in flight.
#[test]
fn a_message_is_kept_for_so_long() {
    let mut scene = Scene::new();
    let options = QueueOptions { retention: super::seconds(60), ..QueueOptions::default() };
    scene.sqs.create("short.fifo", options, scene.now).unwrap();
    for (group, id) in [("a", "1"), ("b", "2")] {
        scene.try_send("short.fifo", Outgoing::fifo(group, id, id)).unwrap();
    }
    let first = scene.one("short.fifo");
    scene.hide("short.fifo", &first, 600).unwrap();
    scene.wait(59);
    assert_eq!(bodies(&scene.receive("short.fifo")), ["2"]);
    scene.wait(1);
    assert_eq!(scene.receive("short.fifo"), []);
    assert_eq!(scene.sqs.counts("short.fifo", scene.now).unwrap().expired, 2);
}

/// "Deletes available messages in a queue (including in-flight messages)"; "the specified queue
/// previously received a PurgeQueue request within the last 60 seconds".
#[test]
fn a_purge_leaves_nothing_and_comes_once_a_minute() {
    let mut scene = Scene::new();
    scene.send("a", &["1", "2"]);
    scene.one(FIFO);
    scene.sqs.purge(FIFO, scene.now).unwrap();
    scene.wait(30);
    assert_eq!(scene.bodies(), [""; 0]);
    let refusal = scene.sqs.purge(FIFO, scene.now).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::PurgeQueueInProgress);
    scene.wait(30);
    scene.sqs.purge(FIFO, scene.now).unwrap();
}

/// "Valid values: 1 to 10. Default: 1."
#[test]
fn a_receive_takes_one_to_ten() {
    let mut scene = Scene::new();
    for most in [0, 11] {
        assert!(
            refused(scene.sqs.receive(FIFO, most, None, scene.now)).contains("between 1 and 10")
        );
    }
    assert!(refused(scene.sqs.receive(FIFO, 1, Some(43_201), scene.now)).contains("43200"));
}

/// "ApproximateNumberOfMessages – Returns the approximate number of messages available for
/// retrieval"; "ApproximateNumberOfMessagesNotVisible – … in flight"; "ApproximateNumberOfMessages-
/// Delayed – … delayed and not available for reading immediately".
#[test]
fn a_queue_counts_its_messages() {
    let mut scene = Scene::new();
    for delay in [None, None, Some(5)] {
        let message = Outgoing { delay_seconds: delay, ..Outgoing::standard("m") };
        scene.try_send(STANDARD, message).unwrap();
    }
    scene.one(STANDARD);
    let attributes = scene.sqs.attributes(STANDARD, scene.now).unwrap();
    let expected = BTreeMap::from([
        ("ApproximateNumberOfMessages", "1"),
        ("ApproximateNumberOfMessagesDelayed", "1"),
        ("ApproximateNumberOfMessagesNotVisible", "1"),
        ("CreatedTimestamp", "1795348800"),
        ("DelaySeconds", "0"),
        ("LastModifiedTimestamp", "1795348800"),
        ("MaximumMessageSize", "1048576"),
        ("MessageRetentionPeriod", "345600"),
        ("QueueArn", "arn:aws:sqs:eu-central-1:111122223333:standard"),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        (
            "RedrivePolicy",
            r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:111122223333:dead","maxReceiveCount":3}"#,
        ),
        ("VisibilityTimeout", "30"),
    ]);
    let told: BTreeMap<&str, &str> =
        attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(told, expected);
}
