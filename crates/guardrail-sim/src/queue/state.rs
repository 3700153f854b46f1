//! What a queue says of itself, to its users and to tests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::checks::{Kind, LARGEST};
use super::message::{Entry, Place};
use super::one::Queue;
use super::refusal::Refusal;
use super::{Counts, Senders, Sqs};

impl Sqs {
    /// `GetQueueAttributes` for all of a queue's attributes.
    ///
    /// # Errors
    /// There is no such queue.
    pub fn attributes(
        &mut self,
        queue: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<&'static str, String>, Refusal> {
        let arn = self.arn(queue);
        let redrive = self.redrive_policy(queue);
        let queue = self.queue_at(queue, now)?;
        let count = |place| Some(queue.in_place(place, now).to_string());
        let seconds = |time: std::time::Duration| Some(time.as_secs().to_string());
        let is_fifo = queue.kind == Kind::Fifo;
        let created = Some(queue.created.as_second().to_string());
        let content_based = queue.options.content_based_deduplication.to_string();
        let all = [
            ("QueueArn", Some(arn)),
            ("ApproximateNumberOfMessages", count(Place::Visible)),
            ("ApproximateNumberOfMessagesNotVisible", count(Place::InFlight)),
            ("ApproximateNumberOfMessagesDelayed", count(Place::Delayed)),
            ("VisibilityTimeout", seconds(queue.options.visibility_timeout)),
            ("MessageRetentionPeriod", seconds(queue.options.retention)),
            ("MaximumMessageSize", Some(LARGEST.to_string())),
            ("DelaySeconds", Some("0".to_owned())),
            ("ReceiveMessageWaitTimeSeconds", Some("0".to_owned())),
            ("CreatedTimestamp", created.clone()),
            ("LastModifiedTimestamp", created),
            ("RedrivePolicy", redrive),
            ("FifoQueue", is_fifo.then(|| "true".to_owned())),
            ("ContentBasedDeduplication", is_fifo.then_some(content_based)),
        ];
        Ok(all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    }

    fn redrive_policy(&self, queue: &str) -> Option<String> {
        let to = self.queues.get(queue)?.options.dead_letter.as_ref()?;
        let policy = json!({
            "deadLetterTargetArn": self.arn(&to.queue),
            "maxReceiveCount": to.max_receive_count,
        });
        Some(policy.to_string())
    }

    /// What happened in a queue since it was made.
    ///
    /// # Errors
    /// There is no such queue.
    pub fn counts(&mut self, queue: &str, now: Timestamp) -> Result<Counts, Refusal> {
        Ok(self.queue_at(queue, now)?.counts)
    }

    /// Everything: each queue by its name, with its counts and its messages in the order that they
    /// came in. It is for tests; SQS itself shows this to nobody.
    pub fn state(&mut self, now: Timestamp) -> Value {
        self.queues.values_mut().for_each(|queue| queue.expire(now));
        self.queues.iter().map(|(name, queue)| (name.clone(), state_of(queue, now))).collect()
    }
}

fn state_of(queue: &Queue, now: Timestamp) -> Value {
    let senders = match &queue.options.senders {
        Senders::Anybody => Value::Null,
        Senders::Only(principals) => json!(principals),
    };
    json!({
        "counts": queue.counts,
        "senders": senders,
        "messages": queue.entries.iter().map(|entry| message(entry, now)).collect::<Vec<_>>(),
    })
}

fn message(entry: &Entry, now: Timestamp) -> Value {
    let place = entry.place(now);
    json!({
        "message_id": entry.message_id(),
        "body": entry.outgoing.body,
        "system_attributes": entry.system_attributes(),
        "attributes": entry.outgoing.attributes,
        "place": place,
        "hidden_until": (place != Place::Visible).then_some(entry.hidden_until),
        "receives_here": entry.receives_here,
    })
}
