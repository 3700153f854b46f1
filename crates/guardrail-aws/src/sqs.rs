//! The SQS FIFO queue of VPCs to look at.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::BatchResultErrorEntry;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use guardrail::cloud::CallError;
use guardrail::cloud::error_codes::classify;

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

const OPERATION: &str = "SendMessageBatch";

/// As many messages as one call takes.
const BATCH: usize = 10;

/// A FIFO queue to send to.
#[derive(Debug, Clone)]
pub struct Queue {
    sqs: Client,
    url: String,
}

/// A message for a FIFO queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Messages of one group are handled in order, one batch at a time. At most 128 characters.
    pub group: String,
    /// A second message with this within five minutes is accepted and never delivered. At most 128
    /// characters.
    pub deduplication_id: String,
    /// The body.
    pub body: String,
}

impl From<&guardrail::inbox::message::Message> for QueueMessage {
    fn from(message: &guardrail::inbox::message::Message) -> Self {
        Self {
            group: message.group_id(),
            deduplication_id: message.deduplication_id(),
            body: message.body(),
        }
    }
}

impl Queue {
    /// The queue of this URL.
    pub fn new(clients: &Clients, url: &str) -> Self {
        Self { sqs: Client::new(clients.config()), url: url.to_owned() }
    }

    /// Sends these messages in their order, ten to a call; none makes no call. A call that fails,
    /// or a message that is refused, does not keep the others from being sent, and sending them all
    /// again is safe within five minutes.
    ///
    /// # Errors
    /// The first failure.
    pub async fn send(&self, messages: &[QueueMessage]) -> Result<(), CallError> {
        let mut outcome = Ok(());
        for batch in messages.chunks(BATCH) {
            outcome = outcome.and(self.send_batch(batch).await);
        }
        outcome
    }

    async fn send_batch(&self, batch: &[QueueMessage]) -> Result<(), CallError> {
        let entries: Result<Vec<_>, _> =
            batch.iter().enumerate().map(|(number, message)| entry(number, message)).collect();
        let entries = entries.map_err(|error| unreadable(OPERATION, &error.to_string()))?;
        let request = self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
        answer.failed.first().map_or(Ok(()), |refused| Err(refusal(refused)))
    }
}

fn entry(
    number: usize,
    message: &QueueMessage,
) -> Result<SendMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(number.to_string())
        .message_group_id(&message.group)
        .message_deduplication_id(&message.deduplication_id)
        .message_body(&message.body)
        .build()
}

/// The call is HTTP 200 whatever happened to its messages.
fn refusal(refused: &BatchResultErrorEntry) -> CallError {
    let message = refused.message.clone().unwrap_or_default();
    CallError {
        operation: OPERATION.to_owned(),
        class: classify(&refused.code, &message),
        code: Some(refused.code.clone()),
        message,
    }
}
