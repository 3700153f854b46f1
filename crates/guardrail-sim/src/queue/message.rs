//! What goes into a queue, and what comes out of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use md5::{Digest as _, Md5};
use serde::Serialize;
use sha2::Sha256;

/// Who sends: what a queue's policy and a message's `SenderId` go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The ARN that `aws:PrincipalArn` has: of a role, not of its session.
    pub principal: String,
    /// The id that the message carries: "for an IAM role, returns the IAM role ID, for example
    /// `ABCDE1F2GH3I4JK5LMNOP:i-a123b456`".
    pub id: String,
}

/// A message as its sender gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The text.
    pub body: String,
    /// The group; a FIFO queue takes no message without.
    pub group: Option<String>,
    /// The id by which a FIFO queue tells that it was sent before.
    pub deduplication_id: Option<String>,
    /// Seconds until it can be received; a FIFO queue does not take it for a message.
    pub delay_seconds: Option<u32>,
    /// The sender's own attributes.
    pub attributes: BTreeMap<String, Attribute>,
}

impl Outgoing {
    /// A message for a FIFO queue.
    pub fn fifo(group: &str, deduplication_id: &str, body: &str) -> Self {
        Self {
            body: body.to_owned(),
            group: Some(group.to_owned()),
            deduplication_id: Some(deduplication_id.to_owned()),
            ..Self::default()
        }
    }

    /// A message for a standard queue.
    pub fn standard(body: &str) -> Self {
        Self { body: body.to_owned(), ..Self::default() }
    }
}

/// One of a message's own attributes; binary ones are not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// `String` or `Number`, or either with a `.label`.
    pub data_type: String,
    /// The value.
    pub value: String,
}

/// What the sender of a message gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message's id.
    pub message_id: String,
    /// Its place in a FIFO queue.
    pub sequence_number: Option<String>,
    /// The MD5 of the body, in hexadecimal digits.
    pub md5_of_body: String,
    /// The MD5 of the sender's own attributes, if there are any.
    pub md5_of_attributes: Option<String>,
}

/// A message as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message's id.
    pub message_id: String,
    /// What it is deleted by.
    pub receipt_handle: String,
    /// The text.
    pub body: String,
    /// The MD5 of the body, in hexadecimal digits.
    pub md5_of_body: String,
    /// What SQS says of it, under SQS's names.
    pub system_attributes: BTreeMap<&'static str, String>,
    /// The sender's own attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// Their MD5, if there are any.
    pub md5_of_attributes: Option<String>,
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) order: u64,
    pub(crate) outgoing: Outgoing,
    pub(crate) sender_id: String,
    pub(crate) sent: Timestamp,
    /// From when on the time counts that it is kept for.
    pub(crate) enqueued: Timestamp,
    pub(crate) hidden_until: Timestamp,
    pub(crate) first_received: Option<Timestamp>,
    /// Across all queues that it was in.
    pub(crate) receives: u32,
    /// From this queue.
    pub(crate) receives_here: u32,
    /// The last time that it was handed out from this queue.
    pub(crate) receipt: Option<Receipt>,
    /// The ARN of the queue that it was moved from.
    pub(crate) dead_letter_source: Option<String>,
}

/// One handing out of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    Visible,
    InFlight,
    Delayed,
}

impl Entry {
    pub(crate) fn place(&self, now: Timestamp) -> Place {
        match self.receipt {
            Some(_) | None if self.hidden_until <= now => Place::Visible,
            Some(_) => Place::InFlight,
            None => Place::Delayed,
        }
    }

    pub(crate) fn message_id(&self) -> String {
        format!("00000000-0000-4000-9000-{:012x}", self.number)
    }

    /// "The large, non-consecutive number that Amazon SQS assigns to each message."
    pub(crate) fn sequence_number(&self) -> Option<String> {
        let counted = 18_849_496_460_467_696_128 + u128::from(self.order) * 256;
        self.outgoing.deduplication_id.as_ref().map(|_| format!("{counted:020}"))
    }

    pub(crate) fn system_attributes(&self) -> BTreeMap<&'static str, String> {
        let milliseconds = |at: Timestamp| at.as_millisecond().to_string();
        let always = [
            ("ApproximateReceiveCount", Some(self.receives.to_string())),
            ("SentTimestamp", Some(milliseconds(self.sent))),
            ("SenderId", Some(self.sender_id.clone())),
            ("ApproximateFirstReceiveTimestamp", self.first_received.map(milliseconds)),
            ("MessageGroupId", self.outgoing.group.clone()),
            ("MessageDeduplicationId", self.outgoing.deduplication_id.clone()),
            ("SequenceNumber", self.sequence_number()),
            ("DeadLetterQueueSourceArn", self.dead_letter_source.clone()),
        ];
        always.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    pub(crate) fn sent_answer(&self) -> Sent {
        Sent {
            message_id: self.message_id(),
            sequence_number: self.sequence_number(),
            md5_of_body: md5_hex(self.outgoing.body.as_bytes()),
            md5_of_attributes: md5_of_attributes(&self.outgoing.attributes),
        }
    }

    pub(crate) fn received(&self, receipt_handle: String) -> Received {
        Received {
            message_id: self.message_id(),
            receipt_handle,
            body: self.outgoing.body.clone(),
            md5_of_body: md5_hex(self.outgoing.body.as_bytes()),
            system_attributes: self.system_attributes(),
            attributes: self.outgoing.attributes.clone(),
            md5_of_attributes: md5_of_attributes(&self.outgoing.attributes),
        }
    }
}

pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Sorted by name, each as name, data type, 1 for text, value, with their lengths before them:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>,
/// "Calculating the MD5 message digest for message attributes".
pub(crate) fn md5_of_attributes(attributes: &BTreeMap<String, Attribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut bytes = Vec::new();
    for (name, attribute) in attributes {
        push(&mut bytes, name);
        push(&mut bytes, &attribute.data_type);
        bytes.push(1);
        push(&mut bytes, &attribute.value);
    }
    Some(md5_hex(&bytes))
}

fn push(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test suite of RFC 1321, in part.
    #[test]
    fn a_digest_is_md5s() {
        assert_eq!(md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5_hex(b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    }

    /// What SQS answered for this attribute, as clients of it have recorded.
    #[test]
    fn a_label_of_a_data_type_counts() {
        let attribute = Attribute {
            data_type: "Number.java.lang.Long".to_owned(),
            value: "1493147359900".to_owned(),
        };
        let attributes = BTreeMap::from([("timestamp".to_owned(), attribute)]);
        let digest = md5_of_attributes(&attributes);
        assert_eq!(digest.as_deref(), Some("2e2e4876d8e0bd6b8c2c8f556831c349"));
    }
}
