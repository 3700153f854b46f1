//! Lambda's poller: what it takes from a queue, hands to a function, and does with the answer.
//!
//! Whoever uses it runs the function: [`EventSourceMapping::poll`] gives the event,
//! [`EventSourceMapping::ended`] is told what came of it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::message::Received;
use super::refusal::Refusal;
use super::{BatchAnswer, Sqs};

/// How a function is fed from a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingOptions {
    /// The name of the queue.
    pub queue: String,
    /// The most messages that an invocation gets; 10 at most where there is no batching window, and
    /// a FIFO queue has none.
    pub batch_size: u32,
    /// The most invocations at once, 2 to 1,000; none says as many as Lambda has.
    pub maximum_concurrency: Option<usize>,
    /// Whether the function says which messages of a batch failed (`ReportBatchItemFailures`).
    pub report_batch_item_failures: bool,
    /// The function's time-out, which may not exceed the queue's visibility time-out.
    pub function_timeout: Duration,
}

/// Lambda's event source mapping of a queue to a function.
#[derive(Debug)]
pub struct EventSourceMapping {
    options: MappingOptions,
    /// The invocations that have not ended.
    running: BTreeSet<u64>,
    batches: u64,
}

/// What one invocation gets.
#[derive(Debug)]
pub struct Batch {
    number: u64,
    messages: Vec<Received>,
    event: Value,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// The function gave this back, which should be JSON.
    Answered(String),
    /// The function gave an error, took too long or was killed, or was throttled until the messages
    /// could be received again.
    Failed,
}

/// What became of the messages of a batch, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Those that SQS said are deleted; so it says of one that is no longer there, too, because it
    /// was deleted before or went to the dead-letter queue.
    pub deleted: Vec<String>,
    /// Those that come again when their visibility time-out ends.
    pub back: Vec<String>,
    /// Those that Lambda tried to delete and could not: they come again although the function dealt
    /// with them.
    pub not_deleted: Vec<(String, Refusal)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    batch_item_failures: Option<Vec<Failure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    #[serde(default)]
    item_identifier: Option<String>,
}

impl EventSourceMapping {
    /// Feeds a function from a queue.
    ///
    /// # Errors
    /// There is no such queue, or Lambda would not make such a mapping.
    pub fn new(sqs: &mut Sqs, options: MappingOptions, now: Timestamp) -> Result<Self, Refusal> {
        let visibility = sqs.queue_at(&options.queue, now)?.options.visibility_timeout;
        let value =
            |parameter, value: String, reason: &str| Err(Refusal::value(parameter, value, reason));
        if options.function_timeout > visibility {
            let function = format!("{} seconds", options.function_timeout.as_secs());
            let reason =
                format!("The queue's visibility timeout is {} seconds.", visibility.as_secs());
            return value("Timeout", function, &reason);
        }
        if !(1..=10).contains(&options.batch_size) {
            return value("BatchSize", options.batch_size.to_string(), "Must be between 1 and 10.");
        }
        if let Some(most) = options.maximum_concurrency.filter(|most| !(2..=1000).contains(most)) {
            let reason = "Must be between 2 and 1000.";
            return value("MaximumConcurrency", most.to_string(), reason);
        }
        Ok(Self { options, running: BTreeSet::new(), batches: 0 })
    }

    /// The next invocation, if there is anything to hand out and Lambda may invoke once more.
    pub fn poll(&mut self, sqs: &mut Sqs, now: Timestamp) -> Option<Batch> {
        if self.options.maximum_concurrency.is_some_and(|most| self.running.len() >= most) {
            return None;
        }
        let queue = &self.options.queue;
        let messages = sqs.receive(queue, self.options.batch_size, None, now).ok()?;
        if messages.is_empty() {
            return None;
        }
        self.batches = self.batches.saturating_add(1);
        self.running.insert(self.batches);
        let records = messages.iter().map(|message| record(message, &sqs.arn(queue), sqs.region()));
        let event = json!({ "Records": records.collect::<Vec<_>>() });
        Some(Batch { number: self.batches, messages, event })
    }

    /// Does with the messages what Lambda does when their invocation has ended.
    pub fn ended(
        &mut self,
        sqs: &mut Sqs,
        batch: Batch,
        invocation: &Invocation,
        now: Timestamp,
    ) -> Ended {
        self.running.remove(&batch.number);
        let failed = failed(&batch.messages, invocation, self.options.report_batch_item_failures);
        let (back, done): (Vec<Received>, Vec<Received>) =
            batch.messages.into_iter().partition(|message| failed.contains(&message.message_id));
        let mut ended = Ended { back: ids(&back), ..Ended::default() };
        if done.is_empty() {
            return ended;
        }
        let entries = done.iter().enumerate();
        let entries = entries.map(|(n, message)| (n.to_string(), message.receipt_handle.clone()));
        match sqs.delete_batch(&self.options.queue, entries.collect(), now) {
            Ok(answer) => ended.note(&done, &answer),
            Err(refusal) => {
                ended.not_deleted =
                    ids(&done).into_iter().map(|id| (id, refusal.clone())).collect();
            }
        }
        ended
    }

    /// How many invocations have not ended.
    pub fn running(&self) -> usize {
        self.running.len()
    }
}

impl Batch {
    /// The event that the function gets.
    pub fn event(&self) -> &Value {
        &self.event
    }

    /// The messages in it.
    pub fn messages(&self) -> &[Received] {
        &self.messages
    }
}

impl Ended {
    fn note(&mut self, done: &[Received], answer: &BatchAnswer<()>) {
        for (n, message) in done.iter().enumerate() {
            let n = n.to_string();
            match answer.failed.iter().find(|(entry, _)| *entry == n) {
                None => self.deleted.push(message.message_id.clone()),
                Some((_, refusal)) => {
                    self.not_deleted.push((message.message_id.clone(), refusal.clone()));
                }
            }
        }
    }
}

fn ids(messages: &[Received]) -> Vec<String> {
    messages.iter().map(|message| message.message_id.clone()).collect()
}

/// The ids of the messages that come again. "Lambda treats a batch as a complete success" when the
/// list is empty or null, or the response is; "as a complete failure" when the response is no JSON,
/// or an identifier is an empty text, null, under another name, or of a message that does not exist:
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
fn failed(messages: &[Received], invocation: &Invocation, reports: bool) -> BTreeSet<String> {
    let all: BTreeSet<String> = ids(messages).into_iter().collect();
    let text = match invocation {
        Invocation::Failed => return all,
        Invocation::Answered(_) if !reports => return BTreeSet::new(),
        Invocation::Answered(text) => text.trim(),
    };
    if text.is_empty() {
        return BTreeSet::new();
    }
    let Ok(response) = serde_json::from_str::<Option<Response>>(text) else { return all };
    let failures = response.and_then(|response| response.batch_item_failures);
    let mut failed = BTreeSet::new();
    for failure in failures.into_iter().flatten() {
        match failure.item_identifier.filter(|id| all.contains(id)) {
            Some(id) => failed.insert(id),
            None => return all,
        };
    }
    failed
}

/// A record of the event, as "Example FIFO queue message event" has it:
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
fn record(message: &Received, arn: &str, region: &str) -> Value {
    let attribute = |(name, attribute): (&String, &super::Attribute)| {
        let value = json!({
            "stringValue": attribute.value,
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": attribute.data_type,
        });
        (name.clone(), value)
    };
    let mut record = json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": message.system_attributes,
        "messageAttributes": message.attributes.iter().map(attribute).collect::<Map<_, _>>(),
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    });
    if let (Some(md5), Value::Object(fields)) = (&message.md5_of_attributes, &mut record) {
        fields.insert("md5OfMessageAttributes".to_owned(), json!(md5));
    }
    record
}
