//! The SQS FIFO queue of VPCs to look at, and the standard queue of messages that nobody can read.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue,
    SendMessageBatchRequestEntry,
};
use guardrail::cloud::error_codes::call_error;
use guardrail::cloud::{CallError, Envelope, Send, SetAside};

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

/// As many messages as one call takes.
const BATCH: usize = 10;

/// A FIFO queue to send to.
#[derive(Debug, Clone)]
pub struct Queue {
    sqs: Client,
    url: String,
}

/// The longest that a message can be held, in seconds
/// (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html).
const LONGEST_HOLD: u64 = 43_200;

/// What a message's attribute says at most: it counts as a part of the message, whose size is bounded.
const LONGEST_ATTRIBUTE: usize = 256;

/// The handle of a message as it was received: another one each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedHandle(String);

impl From<String> for ReceivedHandle {
    fn from(handle: String) -> Self {
        Self(handle)
    }
}

impl ReceivedHandle {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Queue {
    /// The queue of this URL.
    pub fn new(clients: &Clients, url: &str) -> Self {
        Self { sqs: Client::new(clients.config()), url: url.to_owned() }
    }

    /// Keeps these messages from being handed out for so long from now on, ten to a call; none makes
    /// no call. A call that fails, or a message that is refused, does not keep the others from being
    /// held.
    ///
    /// # Errors
    /// The first failure.
    pub async fn hold(&self, handles: &[ReceivedHandle], time: Duration) -> Result<(), CallError> {
        hold(&self.sqs, &self.url, handles, time).await
    }

    async fn send_batch(&self, batch: &[Envelope]) -> Result<(), CallError> {
        const OPERATION: &str = "SendMessageBatch";
        let entries: Result<Vec<_>, _> =
            batch.iter().enumerate().map(|(number, message)| entry(number, message)).collect();
        let entries = entries.map_err(|error| unreadable(OPERATION, &error.to_string()))?;
        let request = self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
        refusal(OPERATION, &answer.failed)
    }
}

/// Ten to a call; none makes no call.
impl Send for Queue {
    async fn send(&self, messages: &[Envelope]) -> Result<(), CallError> {
        let mut outcome = Ok(());
        for batch in messages.chunks(BATCH) {
            outcome = outcome.and(self.send_batch(batch).await);
        }
        outcome
    }
}

/// The queue that a batch comes from, and where what nobody can read of it goes.
#[derive(Debug, Clone)]
pub struct Inbox {
    queue: Queue,
    unreadable: UnreadableMessages,
}

impl Inbox {
    /// The queues of these URLs.
    pub fn new(clients: &Clients, queue: &str, unreadable: &str) -> Self {
        let unreadable = UnreadableMessages::new(clients, unreadable);
        Self { queue: Queue::new(clients, queue), unreadable }
    }
}

impl guardrail::cloud::Queue for Inbox {
    async fn hold(&self, handles: &[&str], time: Duration) -> Result<(), CallError> {
        let handles: Vec<ReceivedHandle> =
            handles.iter().map(|handle| ReceivedHandle::from((*handle).to_owned())).collect();
        self.queue.hold(&handles, time).await
    }

    async fn set_aside(&self, message: &SetAside<'_>) -> Result<(), CallError> {
        self.unreadable.set_aside(message).await
    }
}

pub(crate) async fn hold(
    sqs: &Client,
    url: &str,
    handles: &[ReceivedHandle],
    time: Duration,
) -> Result<(), CallError> {
    let mut outcome = Ok(());
    for batch in handles.chunks(BATCH) {
        outcome = outcome.and(hold_batch(sqs, url, batch, time).await);
    }
    outcome
}

async fn hold_batch(
    sqs: &Client,
    url: &str,
    batch: &[ReceivedHandle],
    time: Duration,
) -> Result<(), CallError> {
    const OPERATION: &str = "ChangeMessageVisibilityBatch";
    let seconds = i32::try_from(time.as_secs().min(LONGEST_HOLD)).unwrap_or_default();
    let entry = |(number, handle): (usize, &ReceivedHandle)| {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(number.to_string())
            .receipt_handle(handle.as_str())
            .visibility_timeout(seconds)
            .build()
    };
    let entries: Result<Vec<_>, _> = batch.iter().enumerate().map(entry).collect();
    let entries = entries.map_err(|error| unreadable(OPERATION, &error.to_string()))?;
    let request = sqs.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
    let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
    refusal(OPERATION, &answer.failed)
}

fn entry(number: usize, message: &Envelope) -> Result<SendMessageBatchRequestEntry, BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(number.to_string())
        .message_group_id(&message.group)
        .message_deduplication_id(&message.deduplication_id)
        .message_body(&message.body)
        .build()
}

/// The call is HTTP 200 whatever happened to its messages.
fn refusal(operation: &str, refused: &[BatchResultErrorEntry]) -> Result<(), CallError> {
    refused.first().map_or(Ok(()), |refused| {
        let message = refused.message.as_deref().unwrap_or_default();
        Err(call_error(operation, &refused.code, message))
    })
}

/// The standard queue of messages that nobody can read: there they hold up nobody.
#[derive(Debug, Clone)]
pub struct UnreadableMessages {
    sqs: Client,
    url: String,
}

impl UnreadableMessages {
    /// The queue of this URL.
    pub fn new(clients: &Clients, url: &str) -> Self {
        Self { sqs: Client::new(clients.config()), url: url.to_owned() }
    }

    /// Sets a copy of this message aside; attributes say which it was, whose, and why it is here. The
    /// message itself may go once this has ended well.
    ///
    /// # Errors
    /// When it was not accepted.
    pub async fn set_aside(&self, message: &SetAside<'_>) -> Result<(), CallError> {
        const OPERATION: &str = "SendMessage";
        let mut request = self.sqs.send_message().queue_url(&self.url).message_body(message.body);
        let attributes = [
            ("message-id", Some(message.id)),
            ("group", message.group),
            ("sender", message.sender),
            ("why", Some(message.why)),
        ];
        for (name, text) in attributes {
            let text: String =
                text.map(|text| text.chars().take(LONGEST_ATTRIBUTE).collect()).unwrap_or_default();
            // SQS refuses the whole message for an attribute with nothing in it.
            if !text.is_empty() {
                let value = MessageAttributeValue::builder().data_type("String").string_value(text);
                let value = value.build().map_err(|it| unreadable(OPERATION, &it.to_string()))?;
                request = request.message_attributes(name, value);
            }
        }
        on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error)).map(drop)
    }
}
