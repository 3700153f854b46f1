//! SQS's JSON protocol as its clients speak it, and what tests can ask of the queues.

use std::time::Duration;

use guardrail_sim::queue::http::{Queues, SqsServer, SqsServerOptions};
use guardrail_sim::queue::{
    DeadLetter, EventSourceMapping, Invocation, MappingOptions, QueueOptions, Sender, Senders, Sqs,
};
use serde_json::{Value, json};

use crate::client::{Client, NOW, Reply};

const DETECT: &str = "arn:aws:iam::111122223333:role/detect";
const URL: &str = "http://sim/111122223333/work.fifo";

/// A queue `work.fifo` with `dead.fifo` behind it, to which only detect may send, and `plain`.
async fn serve() -> (Client, Queues) {
    let now = NOW.parse().unwrap();
    let mut sqs = Sqs::new("111122223333", "eu-central-1");
    sqs.create("plain", QueueOptions::default(), now).unwrap();
    sqs.create("dead.fifo", QueueOptions::default(), now).unwrap();
    let options = QueueOptions {
        dead_letter: Some(DeadLetter { queue: "dead.fifo".to_owned(), max_receive_count: 12 }),
        senders: Senders::Only(vec![DETECT.to_owned()]),
        ..QueueOptions::default()
    };
    sqs.create("work.fifo", options, now).unwrap();
    let sender = Sender { principal: DETECT.to_owned(), id: "AROADETECT:detect".to_owned() };
    let senders = [("detect".to_owned(), sender)].into();
    let options = SqsServerOptions { senders, ..SqsServerOptions::default() };
    let server = SqsServer::bind(sqs, now, options).await.unwrap();
    let (client, queues) = (Client::of(server.address()), server.queues());
    assert_eq!(server.url("plain"), format!("http://{}/111122223333/plain", server.address()));
    tokio::spawn(server.run_until(std::future::pending()));
    (client, queues)
}

/// A call of SQS by detect.
async fn call(client: Client, action: &str, parameters: Value) -> Reply {
    call_as(client, "x-sim-sender: detect\r\n", action, parameters).await
}

async fn call_as(client: Client, who: &str, action: &str, parameters: Value) -> Reply {
    let headers = format!(
        "content-type: application/x-amz-json-1.0\r\nx-amz-target: AmazonSQS.{action}\r\n{who}"
    );
    client.send("POST", "/", &headers, &parameters.to_string()).await.unwrap()
}

async fn answered(client: Client, action: &str, parameters: Value) -> Value {
    let reply = call(client, action, parameters).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.head.contains("content-type: application/x-amz-json-1.0"), "{}", reply.head);
    serde_json::from_str(&reply.body).unwrap()
}

/// The status, the code that clients of the older protocol see, and the body.
async fn refused(
    client: Client,
    who: &str,
    action: &str,
    parameters: Value,
) -> (u16, String, Value) {
    let reply = call_as(client, who, action, parameters).await;
    let code = reply.head.lines().find_map(|line| line.strip_prefix("x-amzn-query-error: "));
    (reply.status, code.unwrap_or_default().to_owned(), serde_json::from_str(&reply.body).unwrap())
}

fn message(id: &str, body: &str) -> Value {
    json!({ "QueueUrl": URL, "MessageBody": body, "MessageGroupId": "vpc-1", "MessageDeduplicationId": id })
}

#[tokio::test]
async fn a_message_goes_through_its_life() {
    let (client, _) = serve().await;
    assert_eq!(
        answered(client, "GetQueueUrl", json!({ "QueueName": "work.fifo" })).await,
        json!({ "QueueUrl": URL })
    );
    assert_eq!(
        answered(client, "SendMessage", message("x", "body")).await,
        json!({
            "MessageId": "00000000-0000-4000-9000-000000000001",
            "MD5OfMessageBody": "841a2d689ad86bd1611447453c22c6fc",
            "SequenceNumber": "18849496460467696384",
        })
    );
    let ask = json!({ "QueueUrl": URL, "MaxNumberOfMessages": 10, "AttributeNames": ["SenderId"],
        "MessageSystemAttributeNames": ["MessageGroupId"], "VisibilityTimeout": 60 });
    let received = answered(client, "ReceiveMessage", ask.clone()).await;
    let handle = received["Messages"][0]["ReceiptHandle"].clone();
    assert_eq!(
        received,
        json!({ "Messages": [{
            "MessageId": "00000000-0000-4000-9000-000000000001",
            "ReceiptHandle": handle,
            "Body": "body",
            "MD5OfBody": "841a2d689ad86bd1611447453c22c6fc",
            "Attributes": { "SenderId": "AROADETECT:detect", "MessageGroupId": "vpc-1" },
        }] })
    );
    let one = json!({ "QueueUrl": URL, "ReceiptHandle": handle });
    let hide = json!({ "QueueUrl": URL, "ReceiptHandle": handle, "VisibilityTimeout": 30 });
    assert_eq!(answered(client, "ChangeMessageVisibility", hide).await, json!({}));
    client.tell("advance?seconds=29", "").await;
    assert_eq!(answered(client, "ReceiveMessage", ask).await, json!({}));
    assert_eq!(answered(client, "DeleteMessage", one).await, json!({}));
    let counts = client.look("queues").await["work.fifo"]["counts"].clone();
    assert_eq!((&counts["sent"], &counts["deleted"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn batches_answer_by_entry() {
    let (client, _) = serve().await;
    let entry = |id: &str, body: &str| json!({ "Id": id, "MessageBody": body, "MessageGroupId": "g", "MessageDeduplicationId": id });
    let batch = json!({ "QueueUrl": URL, "Entries": [entry("1", "one"), entry("2", "")] });
    assert_eq!(
        answered(client, "SendMessageBatch", batch).await,
        json!({
            "Successful": [{
                "Id": "1",
                "MessageId": "00000000-0000-4000-9000-000000000001",
                "MD5OfMessageBody": "f97c5d29941bfb1b2fdab0874906ab82",
                "SequenceNumber": "18849496460467696384",
            }],
            "Failed": [{
                "Id": "2",
                "SenderFault": true,
                "Code": "MissingParameter",
                "Message": "The request must contain the parameter MessageBody.",
            }],
        })
    );
    let received = answered(client, "ReceiveMessage", json!({ "QueueUrl": URL })).await;
    let handle = received["Messages"][0]["ReceiptHandle"].as_str().unwrap();
    let hide = json!({ "QueueUrl": URL, "Entries": [
        { "Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 5 },
        { "Id": "b", "ReceiptHandle": handle, "VisibilityTimeout": -1 },
    ] });
    let answer = answered(client, "ChangeMessageVisibilityBatch", hide).await;
    assert_eq!(answer["Successful"], json!([{ "Id": "a" }]));
    assert_eq!(answer["Failed"][0]["Code"], "InvalidParameterValue");
    let delete = json!({ "QueueUrl": URL, "Entries": [{ "Id": "a", "ReceiptHandle": handle },
        { "Id": "b", "ReceiptHandle": "none" }] });
    let answer = answered(client, "DeleteMessageBatch", delete).await;
    assert_eq!(answer["Successful"], json!([{ "Id": "a" }]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
}

#[tokio::test]
async fn own_attributes_come_as_they_are_asked_for() {
    let (client, _) = serve().await;
    let url = json!("http://sim/111122223333/plain");
    let attribute = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let send = json!({ "QueueUrl": url, "MessageBody": "m", "MessageAttributes":
        { "ERROR_CODE": attribute("E"), "ERROR_MESSAGE": attribute("M"), "RULE_ARN": attribute("R") } });
    let sent = answered(client, "SendMessage", send).await;
    assert!(sent["MD5OfMessageAttributes"].is_string());
    let ask = json!({ "QueueUrl": url, "MessageAttributeNames": ["ERROR.*"] });
    let received = answered(client, "ReceiveMessage", ask).await;
    let message = &received["Messages"][0];
    let own = json!({ "ERROR_CODE": attribute("E"), "ERROR_MESSAGE": attribute("M") });
    assert_eq!(message["MessageAttributes"], own);
    assert_ne!(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(message.get("Attributes"), None);
}

#[tokio::test]
async fn senders_are_told_by_header_or_access_key() {
    let (client, _) = serve().await;
    let key = |key: &str| {
        format!(
            "authorization: AWS4-HMAC-SHA256 Credential={key}/20261122/eu-central-1/sqs/aws4_request, Signature=x\r\n"
        )
    };
    let send = |id: &str| message(id, "m");
    for (id, who) in [("1", "x-sim-sender: detect\r\n".to_owned()), ("2", key("detect"))] {
        assert_eq!(call_as(client, &who, "SendMessage", send(id)).await.status, 200);
    }
    for who in [String::new(), key("AKIASOMEBODY")] {
        let (status, code, body) = refused(client, &who, "SendMessage", send("z")).await;
        assert_eq!((status, code.as_str()), (403, "AccessDenied;Sender"));
        assert_eq!(body["__type"], "com.amazon.coral.service#AccessDeniedException");
    }
    let somebody = json!({ "QueueUrl": "http://sim/111122223333/plain", "MessageBody": "m" });
    call_as(client, &key("AKIASOMEBODY"), "SendMessage", somebody).await;
    let sender =
        &client.look("queues").await["plain"]["messages"][0]["system_attributes"]["SenderId"];
    assert_eq!(sender, "AKIASOMEBODY");
}

#[tokio::test]
async fn what_is_refused_says_so_in_both_protocols_words() {
    let (client, _) = serve().await;
    let cases = [
        (
            "SendMessage",
            json!({ "QueueUrl": "http://sim/111122223333/none", "MessageBody": "m" }),
            "AWS.SimpleQueueService.NonExistentQueue;Sender",
            "com.amazonaws.sqs#QueueDoesNotExist",
        ),
        (
            "PurgeQueue",
            json!({ "QueueUrl": "http://sim/999988887777/plain" }),
            "AWS.SimpleQueueService.NonExistentQueue;Sender",
            "com.amazonaws.sqs#QueueDoesNotExist",
        ),
        (
            "GetQueueUrl",
            json!({ "QueueName": "work.fifo", "QueueOwnerAWSAccountId": "999988887777" }),
            "AWS.SimpleQueueService.NonExistentQueue;Sender",
            "com.amazonaws.sqs#QueueDoesNotExist",
        ),
        (
            "DeleteMessage",
            json!({ "QueueUrl": URL, "ReceiptHandle": "x" }),
            "ReceiptHandleIsInvalid;Sender",
            "com.amazonaws.sqs#ReceiptHandleIsInvalid",
        ),
        (
            "DeleteMessage",
            json!({ "QueueUrl": URL }),
            "MissingParameter;Sender",
            "com.amazon.coral.service#MissingRequiredParameterException",
        ),
        (
            "ReceiveMessage",
            json!({ "QueueUrl": URL, "WaitTimeSeconds": 21 }),
            "InvalidParameterValue;Sender",
            "com.amazon.coral.service#InvalidParameterValueException",
        ),
        (
            "ReceiveMessage",
            json!({ "QueueUrl": URL, "AttributeNames": ["Colour"] }),
            "InvalidAttributeName;Sender",
            "com.amazonaws.sqs#InvalidAttributeName",
        ),
        (
            "ReceiveMessage",
            json!({ "QueueUrl": URL, "ReceiveRequestAttemptId": "x" }),
            "AWS.SimpleQueueService.UnsupportedOperation;Sender",
            "com.amazonaws.sqs#UnsupportedOperation",
        ),
        (
            "ListQueues",
            json!({}),
            "AWS.SimpleQueueService.UnsupportedOperation;Sender",
            "com.amazonaws.sqs#UnsupportedOperation",
        ),
    ];
    for (action, parameters, code, shape) in cases {
        let (status, told, body) =
            refused(client, "x-sim-sender: detect\r\n", action, parameters).await;
        assert_eq!(
            (status, told.as_str(), &body["__type"]),
            (400, code, &json!(shape)),
            "{action}"
        );
    }
}

#[tokio::test]
async fn a_queue_tells_its_attributes_and_is_purged() {
    let (client, _) = serve().await;
    answered(client, "SendMessage", message("x", "m")).await;
    let ask = json!({ "QueueUrl": URL,
        "AttributeNames": ["ApproximateNumberOfMessages", "FifoQueue", "Policy"] });
    assert_eq!(
        answered(client, "GetQueueAttributes", ask.clone()).await,
        json!({ "Attributes": { "ApproximateNumberOfMessages": "1", "FifoQueue": "true" } })
    );
    assert_eq!(answered(client, "PurgeQueue", json!({ "QueueUrl": URL })).await, json!({}));
    let left = answered(client, "GetQueueAttributes", ask).await;
    assert_eq!(left["Attributes"]["ApproximateNumberOfMessages"], "0");
}

/// "If a message is available, the call returns sooner than WaitTimeSeconds."
#[tokio::test]
async fn a_receive_waits_for_a_message() {
    let (client, _) = serve().await;
    let ask = json!({ "QueueUrl": URL, "WaitTimeSeconds": 20 });
    let waiting = tokio::spawn(answered(client, "ReceiveMessage", ask));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    answered(client, "SendMessage", message("x", "m")).await;
    assert_eq!(waiting.await.unwrap()["Messages"][0]["Body"], "m");
}

#[tokio::test]
async fn the_clock_is_set_and_the_state_read() {
    let (client, _) = serve().await;
    let reply = client.tell("clock?now=2026-12-01T00:00:00Z", "").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"now":"2026-12-01T00:00:00Z"}"#));
    client.tell("advance?seconds=5", "").await;
    assert_eq!(client.look("status").await, json!({ "now": "2026-12-01T00:00:05Z" }));
    assert_eq!(client.tell("clock?now=noon", "").await.status, 400);
    assert_eq!(client.tell("dance", "").await.status, 404);
    answered(client, "SendMessage", message("x", "m")).await;
    answered(client, "ReceiveMessage", json!({ "QueueUrl": URL })).await;
    let state = client.look("queues").await;
    assert_eq!(state["plain"]["messages"], json!([]));
    let queue = &state["work.fifo"];
    assert_eq!(queue["senders"], json!([DETECT]));
    assert_eq!(
        queue["messages"][0],
        json!({
            "message_id": "00000000-0000-4000-9000-000000000001",
            "body": "m",
            "system_attributes": {
                "ApproximateReceiveCount": "1",
                "ApproximateFirstReceiveTimestamp": "1796083205000",
                "SentTimestamp": "1796083205000",
                "SenderId": "AROADETECT:detect",
                "MessageGroupId": "vpc-1",
                "MessageDeduplicationId": "x",
                "SequenceNumber": "18849496460467696384",
            },
            "attributes": {},
            "place": "in_flight",
            "hidden_until": "2026-12-01T00:00:35Z",
            "receives_here": 1,
        })
    );
}

/// A function's own calls and Lambda's poller see one queue.
#[tokio::test]
async fn a_mapping_polls_what_is_served() {
    let (client, queues) = serve().await;
    let options = MappingOptions {
        queue: "work.fifo".to_owned(),
        batch_size: 10,
        maximum_concurrency: Some(5),
        report_batch_item_failures: true,
        function_timeout: Duration::from_secs(30),
    };
    let mut mapping = queues.with(|sqs, now| EventSourceMapping::new(sqs, options, now)).unwrap();
    assert!(queues.with(|sqs, now| mapping.poll(sqs, now)).is_none());
    answered(client, "SendMessage", message("x", "m")).await;
    let batch = queues.with(|sqs, now| mapping.poll(sqs, now)).unwrap();
    let handle = &batch.event()["Records"][0]["receiptHandle"];
    let hide = json!({ "QueueUrl": URL, "ReceiptHandle": handle, "VisibilityTimeout": 5 });
    answered(client, "ChangeMessageVisibility", hide).await;
    let ended = queues.with(|sqs, now| mapping.ended(sqs, batch, &Invocation::Failed, now));
    assert_eq!(ended.back.len(), 1);
    queues.advance(Duration::from_secs(5));
    assert!(queues.with(|sqs, now| mapping.poll(sqs, now)).is_some());
}

/// A send whose answer is lost is sent again, and comes once: what deduplication ids are for.
#[tokio::test]
async fn calls_fail_and_answers_get_lost_as_asked_for() {
    let (client, _) = serve().await;
    client.tell("fault?operation=SendMessage&code=ServiceUnavailable", "").await;
    client.tell("fault?operation=SendMessage&code=lost", "").await;
    let detect = "x-sim-sender: detect\r\n";
    let (status, code, body) = refused(client, detect, "SendMessage", message("x", "m")).await;
    assert_eq!((status, code.as_str()), (503, "ServiceUnavailable;Receiver"));
    assert_eq!(body["__type"], "com.amazonaws.sqs#ServiceUnavailable");
    let headers = format!("x-amz-target: AmazonSQS.SendMessage\r\n{detect}");
    let lost = client.send("POST", "/", &headers, &message("x", "m").to_string()).await;
    assert_eq!(lost, None);
    answered(client, "SendMessage", message("x", "m")).await;
    let counts = client.look("queues").await["work.fifo"]["counts"].clone();
    assert_eq!((&counts["sent"], &counts["deduplicated"]), (&json!(1), &json!(1)));
}
