//! What is held, set aside, and sent back.

use std::time::Duration;

use guardrail::cloud::{ErrorClass, Queue as _, SetAside};
use guardrail_aws::{DeadLetter, DeadLetters, Inbox, Queue, ReceivedHandle};
use serde_json::{Value, json};

use crate::listener::{Listener, ok, page};

const QUEUE: &str = "http://localhost/111122223333/vpcs.fifo";
const UNREADABLE: &str = "http://localhost/111122223333/unreadable";
const DEAD: &str = "http://localhost/111122223333/dead.fifo";

/// The operations and their JSON, in the order of the operations' names.
fn asked(listener: &Listener) -> Vec<(String, Value)> {
    let read = |request: &String| {
        let (target, body) = request.split_once('\n').unwrap();
        let operation = target.strip_prefix("AmazonSQS.").unwrap().to_owned();
        (operation, serde_json::from_str(body).unwrap())
    };
    listener.requests().iter().map(read).collect()
}

fn handles(count: usize) -> Vec<ReceivedHandle> {
    (0..count).map(|n| format!("h{n}").into()).collect()
}

#[tokio::test]
async fn messages_are_held_ten_to_a_call_and_no_longer_than_is_allowed() {
    let listener = Listener::start().await;
    listener.on("", [ok(r#"{"Successful":[],"Failed":[]}"#)]);
    let queue = Queue::new(&listener.clients().await, QUEUE);
    assert_eq!(queue.hold(&[], Duration::from_secs(30)).await, Ok(()));
    assert_eq!(queue.hold(&handles(11), Duration::from_secs(30)).await, Ok(()));
    assert_eq!(queue.hold(&handles(1), Duration::from_secs(86_400)).await, Ok(()));
    let entry = |id: usize, n: usize, seconds: u32| json!({"Id": id.to_string(), "ReceiptHandle": format!("h{n}"), "VisibilityTimeout": seconds});
    let first: Vec<_> = (0..10).map(|n| entry(n, n, 30)).collect();
    let wanted = [first, vec![entry(0, 0, 43_200)], vec![entry(0, 10, 30)]].map(|entries| {
        let call = json!({"QueueUrl": QUEUE, "Entries": entries});
        ("ChangeMessageVisibilityBatch".to_owned(), call)
    });
    assert_eq!(asked(&listener), wanted);
}

#[tokio::test]
async fn a_batch_is_held_on_the_queue_that_it_comes_from() {
    let listener = Listener::start().await;
    listener.on("", [ok(r#"{"Successful":[],"Failed":[]}"#)]);
    let inbox = Inbox::new(&listener.clients().await, QUEUE, UNREADABLE);
    inbox.hold(&["h0", "h1"], Duration::from_secs(900)).await.unwrap();
    let entry = |n: usize| json!({"Id": n.to_string(), "ReceiptHandle": format!("h{n}"), "VisibilityTimeout": 900});
    let call = json!({"QueueUrl": QUEUE, "Entries": [entry(0), entry(1)]});
    assert_eq!(asked(&listener), [("ChangeMessageVisibilityBatch".to_owned(), call)]);
}

#[tokio::test]
async fn a_message_that_cannot_be_held_is_an_error_and_the_rest_are_held() {
    let listener = Listener::start().await;
    let refused = r#"{"Failed":[{"Id":"3","SenderFault":true,"Code":"ReceiptHandleIsInvalid","Message":"gone"}]}"#;
    listener.on("", [ok(refused), ok(r#"{"Successful":[],"Failed":[]}"#)]);
    let queue = Queue::new(&listener.clients().await, QUEUE);
    let error = queue.hold(&handles(11), Duration::ZERO).await.unwrap_err();
    assert_eq!(error.to_string(), "ChangeMessageVisibilityBatch: ReceiptHandleIsInvalid: gone");
    assert_eq!(listener.requests().len(), 2);
}

#[tokio::test]
async fn what_nobody_can_read_is_set_aside_to_the_letter_with_the_reason() {
    let listener = Listener::start().await;
    listener.on("", [ok(r#"{"MessageId":"m-2"}"#)]);
    let inbox = Inbox::new(&listener.clients().await, QUEUE, UNREADABLE);
    let message = SetAside {
        id: "m-1",
        group: Some("111122223333/eu-central-1/vpc-1"),
        sender: None,
        why: &"x".repeat(300),
        body: "{\"who knows\"",
    };
    inbox.set_aside(&message).await.unwrap();
    let text = |text: &str| json!({"DataType": "String", "StringValue": text});
    let attributes = json!({
        "message-id": text("m-1"),
        "group": text("111122223333/eu-central-1/vpc-1"),
        "why": text(&"x".repeat(256)),
    });
    let wanted = json!({
        "QueueUrl": UNREADABLE, "MessageBody": "{\"who knows\"", "MessageAttributes": attributes,
    });
    assert_eq!(asked(&listener), [("SendMessage".to_owned(), wanted)]);
}

fn received(id: &str) -> Value {
    json!({
        "MessageId": id, "ReceiptHandle": format!("handle of {id}"), "Body": format!("body of {id}"),
        "Attributes": {
            "MessageGroupId": "g", "ApproximateReceiveCount": "13",
            "SentTimestamp": "1795435200123", "SenderId": "AROAEXAMPLE:detect",
        },
    })
}

async fn dead_letters(listener: &Listener) -> (DeadLetters, Vec<DeadLetter>) {
    let messages = |ids: &[&str]| {
        let messages: Vec<Value> = ids.iter().map(|id| received(id)).collect();
        ok(json!({"Messages": messages}).to_string())
    };
    listener.on("AmazonSQS.ReceiveMessage", [messages(&["1", "2"]), messages(&["3"]), ok("{}")]);
    let dead = DeadLetters::new(&listener.clients().await, DEAD, QUEUE);
    let letters = dead.receive().await.unwrap();
    (dead, letters)
}

#[tokio::test]
async fn dead_letters_are_read_until_there_is_none_with_what_is_known_of_them() {
    let listener = Listener::start().await;
    let (_, letters) = dead_letters(&listener).await;
    let seen: Vec<_> = letters
        .iter()
        .map(|it| {
            let sender = it.sender.as_deref();
            (it.id.as_str(), it.group.as_str(), it.receive_count, sender, it.body.as_str())
        })
        .collect();
    let sender = Some("AROAEXAMPLE:detect");
    assert_eq!(
        seen,
        [
            ("1", "g", 13, sender, "body of 1"),
            ("2", "g", 13, sender, "body of 2"),
            ("3", "g", 13, sender, "body of 3")
        ]
    );
    assert_eq!(letters[0].sent, Some("2026-11-23T12:00:00.123Z".parse().unwrap()));
    let call = json!({
        "QueueUrl": DEAD, "MaxNumberOfMessages": 10, "VisibilityTimeout": 120,
        "WaitTimeSeconds": 1, "MessageSystemAttributeNames": ["All"],
    });
    assert_eq!(asked(&listener), vec![("ReceiveMessage".to_owned(), call); 3]);
}

#[tokio::test]
async fn a_message_that_comes_again_ends_the_reading() {
    let listener = Listener::start().await;
    let same = json!({"Messages": [received("1")]}).to_string();
    listener.on("AmazonSQS.ReceiveMessage", [ok(same)]);
    let dead = DeadLetters::new(&listener.clients().await, DEAD, QUEUE);
    assert_eq!(dead.receive().await.unwrap().len(), 1);
    assert_eq!(listener.requests().len(), 2);
}

#[tokio::test]
async fn a_dead_letter_goes_back_under_its_group_and_a_name_of_its_own() {
    let listener = Listener::start().await;
    let (dead, letters) = dead_letters(&listener).await;
    listener
        .on("AmazonSQS.SendMessage", [ok(r#"{"MessageId":"m-9"}"#)])
        .on("AmazonSQS.DeleteMessage", [ok("{}")])
        .on("AmazonSQS.ChangeMessageVisibilityBatch", [ok(r#"{"Successful":[],"Failed":[]}"#)]);
    dead.send_back(&letters[1]).await.unwrap();
    dead.give_back(&letters[..1]).await.unwrap();
    let asked = asked(&listener);
    let of = |operation: &str| -> Vec<&Value> {
        asked.iter().filter(|(name, _)| name == operation).map(|(_, call)| call).collect()
    };
    let sent = json!({
        "QueueUrl": QUEUE, "MessageGroupId": "g", "MessageDeduplicationId": "redrive-2-13",
        "MessageBody": "body of 2",
    });
    assert_eq!(of("SendMessage"), [&sent]);
    let deleted = json!({"QueueUrl": DEAD, "ReceiptHandle": "handle of 2"});
    assert_eq!(of("DeleteMessage"), [&deleted]);
    let entry = json!({"Id": "0", "ReceiptHandle": "handle of 1", "VisibilityTimeout": 0});
    let given_back = json!({"QueueUrl": DEAD, "Entries": [entry]});
    assert_eq!(of("ChangeMessageVisibilityBatch"), [&given_back]);
}

#[tokio::test]
async fn a_dead_letter_that_is_not_accepted_stays_where_it_is() {
    let listener = Listener::start().await;
    let (dead, letters) = dead_letters(&listener).await;
    let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}"#;
    listener.on("AmazonSQS.SendMessage", [page(403, denied)]);
    let error = dead.send_back(&letters[0]).await.unwrap_err();
    assert_eq!(
        (error.class, error.to_string()),
        (ErrorClass::Denied, "SendMessage: AccessDeniedException: no".to_owned())
    );
    assert!(asked(&listener).iter().all(|(operation, _)| operation != "DeleteMessage"));
}
