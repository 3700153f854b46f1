//! The messages that the queue gave up, and their way back.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use guardrail::cloud::CallError;
use jiff::Timestamp;

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};
use crate::sqs::{ReceivedHandle, hold};

/// How long who reads the dead letters has them for himself, in seconds.
const HELD: i32 = 120;

/// How long the queue waits for a message before it says that there is none, in seconds: without a
/// wait it asks only some of its servers.
const WAIT: i32 = 1;

/// The FIFO dead-letter queue, and the FIFO queue whose messages it keeps.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    sqs: Client,
    url: String,
    source: String,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// SQS's id of the message.
    pub id: String,
    /// Its group.
    pub group: String,
    /// How often it was received, from the queue and from here.
    pub receive_count: u32,
    /// When it was sent; for a FIFO queue, when it came here
    /// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html).
    pub sent: Option<Timestamp>,
    /// Who sent it: SQS's `SenderId`.
    pub sender: Option<String>,
    /// Its body.
    pub body: String,
    handle: ReceivedHandle,
}

impl DeadLetters {
    /// The dead letters at this URL, of the queue at `source`. Makes no call.
    pub fn new(clients: &Clients, url: &str, source: &str) -> Self {
        let (url, source) = (url.to_owned(), source.to_owned());
        Self { sqs: Client::new(clients.config()), url, source }
    }

    /// The dead letters, which nobody else gets for two minutes. Of a group that has more than ten,
    /// the queue hands out the first ten until these are gone or given back
    /// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html):
    /// who has sent them back asks again until there is none.
    ///
    /// # Errors
    /// When the queue could not be read, or a message of it has no group or handle.
    pub async fn receive(&self) -> Result<Vec<DeadLetter>, CallError> {
        let (mut letters, mut known) = (Vec::new(), BTreeSet::new());
        loop {
            let some = self.receive_some().await?;
            let before = letters.len();
            for letter in some {
                // One that comes again was held for its two minutes already.
                if known.insert(letter.id.clone()) {
                    letters.push(letter);
                }
            }
            if letters.len() == before {
                return Ok(letters);
            }
        }
    }

    async fn receive_some(&self) -> Result<Vec<DeadLetter>, CallError> {
        const OPERATION: &str = "ReceiveMessage";
        let request = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(HELD)
            .wait_time_seconds(WAIT)
            .message_system_attribute_names(MessageSystemAttributeName::All);
        let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
        let letters = answer.messages.unwrap_or_default().into_iter().map(letter);
        letters.collect::<Result<_, _>>().map_err(|why| unreadable(OPERATION, &why))
    }

    /// Sends this one back to the queue that it came from, under its group, and deletes it here once
    /// that queue has accepted it. It is sent under a name of its own, because the queue would take a
    /// message of a name that it had within five minutes, and not deliver it.
    ///
    /// # Errors
    /// When it was not accepted, and is still here; or when it could not be deleted, and is in both.
    pub async fn send_back(&self, letter: &DeadLetter) -> Result<(), CallError> {
        let name = format!("redrive-{}-{}", letter.id, letter.receive_count);
        let request = self
            .sqs
            .send_message()
            .queue_url(&self.source)
            .message_group_id(&letter.group)
            .message_deduplication_id(name)
            .message_body(&letter.body);
        on_heap(request.send()).await.map_err(|error| failed("SendMessage", &error))?;
        let request =
            self.sqs.delete_message().queue_url(&self.url).receipt_handle(letter.handle.as_str());
        on_heap(request.send()).await.map_err(|error| failed("DeleteMessage", &error)).map(drop)
    }

    /// Gives these back to the queue of dead letters at once: who only looked leaves them to the next.
    ///
    /// # Errors
    /// The first failure; that one is there again after two minutes.
    pub async fn give_back(&self, letters: &[DeadLetter]) -> Result<(), CallError> {
        let handles: Vec<_> = letters.iter().map(|letter| letter.handle.clone()).collect();
        hold(&self.sqs, &self.url, &handles, Duration::ZERO).await
    }
}

fn letter(message: Message) -> Result<DeadLetter, String> {
    let id = message.message_id.unwrap_or_default();
    let attributes = message.attributes.unwrap_or_default();
    let attribute = |name| attributes.get(&name).map(String::as_str);
    let sent = attribute(MessageSystemAttributeName::SentTimestamp)
        .and_then(|time| Timestamp::from_millisecond(time.parse().ok()?).ok());
    Ok(DeadLetter {
        group: attribute(MessageSystemAttributeName::MessageGroupId)
            .ok_or_else(|| format!("the message `{id}` has no group; is its queue a FIFO queue?"))?
            .to_owned(),
        receive_count: attribute(MessageSystemAttributeName::ApproximateReceiveCount)
            .and_then(|count| count.parse().ok())
            .unwrap_or(1),
        sent,
        sender: attribute(MessageSystemAttributeName::SenderId).map(str::to_owned),
        body: message.body.unwrap_or_default(),
        handle: message
            .receipt_handle
            .ok_or_else(|| format!("the message `{id}` has no receipt handle"))?
            .into(),
        id,
    })
}
