//! One call after another: its parameters read, made, and its answer put in SQS's words.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Queues;
use super::parameters::{
    JustQueue, ManyMessages, OneMessage, QueueAttributes, QueueUrl, ReceiveMessage, SendMessage,
    SendMessageBatch, number, queue, read,
};
use crate::queue::message::md5_of_attributes;
use crate::queue::one::visibility_range;
use crate::queue::{BatchAnswer, Received, Refusal, RefusalKind, Sender, Sent, Sqs};

/// "Valid values: 0 to 20" seconds.
const LONGEST_WAIT: u32 = 20;

/// What SQS may say of a message.
const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

/// What SQS may say of a queue: what [`Sqs::attributes`] knows, and what no queue here has.
const QUEUE_ATTRIBUTES: [&str; 22] = [
    "All",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "ContentBasedDeduplication",
    "CreatedTimestamp",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "LastModifiedTimestamp",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "QueueArn",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// Every call but `ReceiveMessage`, which may wait.
pub(crate) fn answer(
    sqs: &mut Sqs,
    now: Timestamp,
    sender: &Sender,
    host: &str,
    action: &str,
    text: &str,
) -> Result<Value, Refusal> {
    match action {
        "SendMessage" => {
            let sent: SendMessage = read(action, text)?;
            let name = queue(sent.queue_url.as_deref(), sqs.account())?.to_owned();
            sqs.send(&name, sender, sent.into(), now).map(|sent| sent_answer(&sent))
        }
        "SendMessageBatch" => {
            let batch: SendMessageBatch = read(action, text)?;
            let name = queue(batch.queue_url.as_deref(), sqs.account())?;
            let entries = batch.entries.into_iter().map(|entry| entry.outgoing()).collect();
            sqs.send_batch(name, sender, entries, now)
                .map(|answer| batch_answer(answer, &sent_answer))
        }
        "DeleteMessage" => {
            let one: OneMessage = read(action, text)?;
            sqs.delete(queue(one.queue_url.as_deref(), sqs.account())?, one.handle()?, now)
                .map(|()| json!({}))
        }
        "ChangeMessageVisibility" => {
            let one: OneMessage = read(action, text)?;
            let name = queue(one.queue_url.as_deref(), sqs.account())?;
            sqs.change_visibility(name, one.handle()?, one.visibility()?, now).map(|()| json!({}))
        }
        "DeleteMessageBatch" => {
            let many: ManyMessages = read(action, text)?;
            let name = queue(many.queue_url.as_deref(), sqs.account())?;
            let entries = many.entries.into_iter().map(|entry| (entry.id, entry.receipt_handle));
            sqs.delete_batch(name, entries.collect(), now).map(nothing_more)
        }
        "ChangeMessageVisibilityBatch" => change_visibility_batch(sqs, now, read(action, text)?),
        "GetQueueAttributes" => queue_attributes(sqs, now, read(action, text)?),
        "GetQueueUrl" => queue_url(sqs, now, host, read(action, text)?),
        "PurgeQueue" => {
            let just: JustQueue = read(action, text)?;
            sqs.purge(queue(just.queue_url.as_deref(), sqs.account())?, now).map(|()| json!({}))
        }
        _ => {
            let message = format!("the simulated queues have no action `{action}`");
            Err(Refusal::new(RefusalKind::UnsupportedOperation, message))
        }
    }
}

fn change_visibility_batch(
    sqs: &mut Sqs,
    now: Timestamp,
    many: ManyMessages,
) -> Result<Value, Refusal> {
    let name = queue(many.queue_url.as_deref(), sqs.account())?;
    let mut entries = Vec::new();
    for entry in many.entries {
        let seconds = entry.visibility_timeout.map(number);
        let seconds = seconds.ok_or_else(|| Refusal::missing("VisibilityTimeout"))?;
        entries.push((entry.id, (entry.receipt_handle, seconds)));
    }
    sqs.change_visibility_batch(name, entries, now).map(nothing_more)
}

fn queue_attributes(
    sqs: &mut Sqs,
    now: Timestamp,
    asked: QueueAttributes,
) -> Result<Value, Refusal> {
    known(&asked.attribute_names, &QUEUE_ATTRIBUTES)?;
    let told = sqs.attributes(queue(asked.queue_url.as_deref(), sqs.account())?, now)?;
    let told = told.into_iter().filter(|(name, _)| wants(&asked.attribute_names, name));
    let told: Map<String, Value> =
        told.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    Ok(if told.is_empty() { json!({}) } else { json!({ "Attributes": told }) })
}

fn queue_url(sqs: &mut Sqs, now: Timestamp, host: &str, asked: QueueUrl) -> Result<Value, Refusal> {
    let name = asked.queue_name.ok_or_else(|| Refusal::missing("QueueName"))?;
    sqs.counts(&name, now)?;
    if asked.owner.is_some_and(|owner| owner != sqs.account()) {
        return Err(crate::queue::no_queue());
    }
    Ok(json!({ "QueueUrl": format!("http://{host}/{}/{name}", sqs.account()) }))
}

/// `ReceiveMessage`. "If a message is available, the call returns sooner than WaitTimeSeconds"; the
/// wait is in real time.
pub(crate) async fn receive(queues: &Queues, text: &str) -> Result<Value, Refusal> {
    let asked: ReceiveMessage = read("ReceiveMessage", text)?;
    let account = queues.quietly(|sqs, _| sqs.account().to_owned());
    let name = queue(asked.queue_url.as_deref(), &account)?;
    let most = asked.max_number_of_messages.map_or(1, number);
    let visibility = asked.visibility_timeout.map(number);
    let wait = asked.wait_time_seconds.map_or(0, number);
    if wait > LONGEST_WAIT {
        let reason = format!("Must be >= 0 and <= {LONGEST_WAIT}, if provided.");
        return Err(Refusal::value("WaitTimeSeconds", wait, &reason));
    }
    if visibility == Some(u32::MAX) {
        return Err(visibility_range(asked.visibility_timeout.unwrap_or_default()));
    }
    let system: Vec<String> =
        [asked.attribute_names, asked.message_system_attribute_names].concat();
    known(&system, &SYSTEM_ATTRIBUTES)?;
    let end = Instant::now() + Duration::from_secs(wait.into());
    loop {
        let received = queues.quietly(|sqs, now| sqs.receive(name, most, visibility, now))?;
        let left = end.saturating_duration_since(Instant::now());
        if received.is_empty() && !left.is_zero() {
            // Nobody says when a visibility time-out ends: look again now and then.
            queues.changed(left.min(Duration::from_millis(100))).await;
            continue;
        }
        let messages = received.into_iter();
        let messages: Vec<Value> = messages
            .map(|message| message_answer(message, &system, &asked.message_attribute_names))
            .collect();
        return Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) });
    }
}

fn known(names: &[String], known: &[&str]) -> Result<(), Refusal> {
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Refusal::new(
            RefusalKind::InvalidAttributeName,
            format!("Unknown Attribute {name}."),
        )),
    }
}

fn wants(names: &[String], name: &str) -> bool {
    names.iter().any(|wanted| wanted == "All" || wanted == name)
}

/// "You can return all of the attributes by specifying `All` or `.*`. You can also use all message
/// attributes starting with a prefix, for example `bar.*`."
fn wants_own(names: &[String], name: &str) -> bool {
    wants(names, name)
        || names
            .iter()
            .any(|wanted| wanted.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix)))
}

fn message_answer(mut message: Received, system: &[String], own: &[String]) -> Value {
    message.system_attributes.retain(|name, _| wants(system, name));
    message.attributes.retain(|name, _| wants_own(own, name));
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("MessageId", json!(message.message_id));
    put("ReceiptHandle", json!(message.receipt_handle));
    put("MD5OfBody", json!(message.md5_of_body));
    put("Body", json!(message.body));
    if !message.system_attributes.is_empty() {
        put("Attributes", json!(message.system_attributes));
    }
    if let Some(md5) = md5_of_attributes(&message.attributes) {
        put("MD5OfMessageAttributes", json!(md5));
        let attributes = message.attributes.into_iter().map(|(name, attribute)| {
            (name, json!({ "DataType": attribute.data_type, "StringValue": attribute.value }))
        });
        put("MessageAttributes", attributes.collect::<Map<_, _>>().into());
    }
    fields.into()
}

fn sent_answer(sent: &Sent) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: &str| fields.insert(name.to_owned(), json!(value));
    put("MessageId", &sent.message_id);
    put("MD5OfMessageBody", &sent.md5_of_body);
    if let Some(md5) = &sent.md5_of_attributes {
        put("MD5OfMessageAttributes", md5);
    }
    if let Some(number) = &sent.sequence_number {
        put("SequenceNumber", number);
    }
    fields.into()
}

fn nothing_more(answer: BatchAnswer<()>) -> Value {
    batch_answer(answer, &|()| json!({}))
}

fn batch_answer<T>(answer: BatchAnswer<T>, told: &dyn Fn(&T) -> Value) -> Value {
    let successful = answer.successful.iter().map(|(id, done)| {
        let mut told = told(done);
        if let Value::Object(fields) = &mut told {
            fields.insert("Id".to_owned(), json!(id));
        }
        told
    });
    let failed = answer.failed.iter().map(|(id, refusal)| {
        json!({
            "Id": id,
            "SenderFault": true,
            "Code": refusal.kind.code(),
            "Message": refusal.message,
        })
    });
    json!({
        "Successful": successful.collect::<Vec<_>>(),
        "Failed": failed.collect::<Vec<_>>(),
    })
}
