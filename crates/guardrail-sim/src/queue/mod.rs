//! SQS as AWS documents it, in memory: standard and FIFO queues whose time is an argument.
//!
//! [`Sqs`] is the queues of an account in a Region. What it does is the same every time: ids are
//! counted, a receive looks at the whole queue, and a message of a standard queue comes once unless
//! its visibility time-out ends, although AWS promises only "at least once" and no order there.
//! [`EventSourceMapping`] is Lambda's side: what it takes from a queue, hands to a function, and
//! does with the function's answer. With the feature `http`, the module of that name puts the queues
//! on a socket.
//!
//! Not here: encryption, `ReceiveRequestAttemptId`, message move tasks, delays of a whole queue,
//! binary message attributes, deduplication by group (high throughput), the most that may be in
//! flight (120,000), and the most that Lambda gives an invocation (6 MB).

mod batch;
mod checks;
#[cfg(feature = "http")]
pub mod http;
mod mapping;
mod message;
mod one;
mod refusal;
mod state;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

pub use batch::{BatchAnswer, Entries};
pub use mapping::{Batch, Ended, EventSourceMapping, Invocation, MappingOptions};
pub use message::{Attribute, Outgoing, Received, Sender, Sent};
pub use refusal::{Refusal, RefusalKind};

use checks::Kind;
use one::{LONGEST_VISIBILITY, Queue};

/// How a queue is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueOptions {
    /// How long a received message is hidden, unless its receiver says otherwise.
    pub visibility_timeout: Duration,
    /// How long a message is kept.
    pub retention: Duration,
    /// Whether a FIFO queue takes the SHA-256 of a body for a deduplication id that is missing.
    pub content_based_deduplication: bool,
    /// Where messages go that were received too often.
    pub dead_letter: Option<DeadLetter>,
    /// Who may send.
    pub senders: Senders,
}

/// AWS's defaults.
impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(30),
            retention: Duration::from_secs(345_600),
            content_based_deduplication: false,
            dead_letter: None,
            senders: Senders::Anybody,
        }
    }
}

/// A redrive policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The name of the dead-letter queue.
    pub queue: String,
    /// After so many receives the next one moves the message instead.
    pub max_receive_count: u32,
}

/// Who may send to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Senders {
    /// Everybody in the account: the queue has no policy of its own.
    Anybody,
    /// The policy denies `sqs:SendMessage` to all but principals with these ARNs.
    Only(Vec<String>),
}

/// What happened in a queue since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages that came in.
    pub sent: usize,
    /// Messages that were accepted as duplicates of others and never come.
    pub deduplicated: usize,
    /// Messages that were refused because of who sent them.
    pub denied: usize,
    /// Messages that were handed out, each time.
    pub received: usize,
    /// Messages that were deleted by those who received them.
    pub deleted: usize,
    /// Messages that went to the dead-letter queue.
    pub dead_lettered: usize,
    /// Messages that were kept for as long as the queue keeps any.
    pub expired: usize,
}

/// The queues of an account in a Region.
#[derive(Debug)]
pub struct Sqs {
    account: String,
    region: String,
    queues: BTreeMap<String, Queue>,
    messages: u64,
}

impl Sqs {
    /// No queues yet.
    pub fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            queues: BTreeMap::new(),
            messages: 0,
        }
    }

    /// Makes a queue; it is a FIFO queue if its name ends in `.fifo`. The dead-letter queue comes
    /// before the queue that it is for.
    ///
    /// # Errors
    /// The name is taken, or AWS would not make such a queue.
    pub fn create(
        &mut self,
        name: &str,
        options: QueueOptions,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.queues.contains_key(name) {
            let message = format!("A queue already exists with the name {name}.");
            return Err(Refusal::new(RefusalKind::QueueNameExists, message));
        }
        self.check_options(name, &options)?;
        self.queues.insert(name.to_owned(), Queue::new(name, options, now));
        Ok(())
    }

    fn check_options(&self, name: &str, options: &QueueOptions) -> Result<(), Refusal> {
        let plain = name.strip_suffix(".fifo").unwrap_or(name);
        let is_named = (1..=80).contains(&name.len())
            && !plain.is_empty()
            && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_named {
            let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(Refusal::value("QueueName", name, reason));
        }
        let visibility = options.visibility_timeout.as_secs();
        if visibility > LONGEST_VISIBILITY.into() {
            return Err(one::visibility_range(visibility));
        }
        let retention = options.retention.as_secs();
        if !(60..=1_209_600).contains(&retention) {
            let reason = "Must be between 60 and 1209600.";
            return Err(Refusal::value("MessageRetentionPeriod", retention, reason));
        }
        if options.content_based_deduplication && Kind::of(name) == Kind::Standard {
            let reason = "It is for FIFO queues only.";
            return Err(Refusal::value("ContentBasedDeduplication", true, reason));
        }
        let Some(DeadLetter { queue, max_receive_count }) = &options.dead_letter else {
            return Ok(());
        };
        let fits = self.queues.get(queue).is_some_and(|queue| queue.kind == Kind::of(name));
        // "The dead-letter queue of a FIFO queue must also be a FIFO queue."
        if !fits || !(1..=1000).contains(max_receive_count) {
            let value = format!("{queue}, {max_receive_count}");
            let reason = "Dead-letter target must be a queue that exists and is of the same type, \
                          and maxReceiveCount between 1 and 1000.";
            return Err(Refusal::value("RedrivePolicy", value, reason));
        }
        Ok(())
    }

    /// Has other people send to a queue from now on.
    ///
    /// # Errors
    /// There is no such queue.
    pub fn allow(&mut self, queue: &str, senders: Senders) -> Result<(), Refusal> {
        self.queue(queue)?.options.senders = senders;
        Ok(())
    }

    /// `SendMessage`.
    ///
    /// # Errors
    /// The queue does not take it, from this sender or from anybody.
    pub fn send(
        &mut self,
        queue: &str,
        sender: &Sender,
        outgoing: Outgoing,
        now: Timestamp,
    ) -> Result<Sent, Refusal> {
        self.may_send(queue, sender, 1)?;
        self.put(queue, sender, outgoing, now)
    }

    /// `SendMessageBatch`.
    ///
    /// # Errors
    /// The call as a whole is refused: none of its messages is sent.
    pub fn send_batch(
        &mut self,
        queue: &str,
        sender: &Sender,
        entries: Entries<Outgoing>,
        now: Timestamp,
    ) -> Result<BatchAnswer<Sent>, Refusal> {
        self.may_send(queue, sender, entries.len())?;
        let total: usize = entries.iter().map(|(_, outgoing)| checks::size(outgoing)).sum();
        if total > checks::LARGEST {
            let message = format!(
                "Batch requests cannot be longer than {} bytes. You have sent {total} bytes.",
                checks::LARGEST
            );
            return Err(Refusal::new(RefusalKind::BatchRequestTooLong, message));
        }
        batch::each(entries, |outgoing| self.put(queue, sender, outgoing, now))
    }

    fn may_send(&mut self, queue: &str, sender: &Sender, messages: usize) -> Result<(), Refusal> {
        let arn = self.arn(queue);
        let queue = self.queue(queue)?;
        let Senders::Only(principals) = &queue.options.senders else { return Ok(()) };
        if principals.contains(&sender.principal) {
            return Ok(());
        }
        queue.counts.denied = queue.counts.denied.saturating_add(messages);
        let message = format!(
            "User: {} is not authorized to perform: sqs:sendmessage on resource: {arn} with an explicit deny \
             in a resource-based policy",
            sender.principal
        );
        Err(Refusal::new(RefusalKind::AccessDenied, message))
    }

    fn put(
        &mut self,
        queue: &str,
        sender: &Sender,
        outgoing: Outgoing,
        now: Timestamp,
    ) -> Result<Sent, Refusal> {
        let number = self.messages.saturating_add(1);
        let queue = self.queue_at(queue, now)?;
        let content_based = queue.options.content_based_deduplication;
        let outgoing = checks::accepted(queue.kind, content_based, outgoing)?;
        if let Some(first) = queue.duplicate(&outgoing, now) {
            return Ok(first);
        }
        let sent = queue.add(number, outgoing, &sender.id, now);
        self.messages = number;
        Ok(sent)
    }

    /// `ReceiveMessage`: up to `most` messages, hidden for `visibility` seconds or as long as the
    /// queue says.
    ///
    /// # Errors
    /// There is no such queue, or a number is out of its range.
    pub fn receive(
        &mut self,
        queue: &str,
        most: u32,
        visibility: Option<u32>,
        now: Timestamp,
    ) -> Result<Vec<Received>, Refusal> {
        if !(1..=10).contains(&most) {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(Refusal::value("MaxNumberOfMessages", most, reason));
        }
        if let Some(seconds) = visibility.filter(|seconds| *seconds > LONGEST_VISIBILITY) {
            return Err(one::visibility_range(seconds));
        }
        let source = self.arn(queue);
        let queue = self.queue_at(queue, now)?;
        let standing = u32::try_from(queue.options.visibility_timeout.as_secs());
        let visibility = visibility.unwrap_or(standing.unwrap_or(LONGEST_VISIBILITY));
        let most = usize::try_from(most).unwrap_or_default();
        let (received, dead) = queue.receive(most, visibility, now);
        let to = queue.options.dead_letter.as_ref().map(|to| to.queue.clone());
        if let Some(to) = to.and_then(|to| self.queues.get_mut(&to)) {
            dead.into_iter().for_each(|entry| to.take_dead_letter(entry, &source, now));
        }
        Ok(received)
    }

    /// `DeleteMessage`.
    ///
    /// # Errors
    /// The handle is none of this queue, or one that a FIFO queue no longer honours.
    pub fn delete(&mut self, queue: &str, handle: &str, now: Timestamp) -> Result<(), Refusal> {
        self.queue_at(queue, now)?.delete(handle, now)
    }

    /// `DeleteMessageBatch`; an entry is a receipt handle.
    ///
    /// # Errors
    /// The call as a whole is refused.
    pub fn delete_batch(
        &mut self,
        queue: &str,
        entries: Entries<String>,
        now: Timestamp,
    ) -> Result<BatchAnswer<()>, Refusal> {
        let queue = self.queue_at(queue, now)?;
        batch::each(entries, |handle| queue.delete(&handle, now))
    }

    /// `ChangeMessageVisibility`: the message is hidden for so many seconds from now on.
    ///
    /// # Errors
    /// The message is not in flight by this handle, or the time is too long.
    pub fn change_visibility(
        &mut self,
        queue: &str,
        handle: &str,
        seconds: u32,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.queue_at(queue, now)?.change_visibility(handle, seconds, now)
    }

    /// `ChangeMessageVisibilityBatch`; an entry is a receipt handle and the seconds.
    ///
    /// # Errors
    /// The call as a whole is refused.
    pub fn change_visibility_batch(
        &mut self,
        queue: &str,
        entries: Entries<(String, u32)>,
        now: Timestamp,
    ) -> Result<BatchAnswer<()>, Refusal> {
        let queue = self.queue_at(queue, now)?;
        batch::each(entries, |(handle, seconds)| queue.change_visibility(&handle, seconds, now))
    }

    /// `PurgeQueue`.
    ///
    /// # Errors
    /// There is no such queue, or it was purged within the last minute.
    pub fn purge(&mut self, queue: &str, now: Timestamp) -> Result<(), Refusal> {
        self.queue_at(queue, now)?.purge(now)
    }

    /// The account that the queues are in.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The Region that the queues are in.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The ARN that a queue of this name has.
    pub fn arn(&self, queue: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{queue}", self.region, self.account)
    }

    fn queue(&mut self, name: &str) -> Result<&mut Queue, Refusal> {
        self.queues.get_mut(name).ok_or_else(no_queue)
    }

    /// The queue as it is now: without what it no longer keeps.
    fn queue_at(&mut self, name: &str, now: Timestamp) -> Result<&mut Queue, Refusal> {
        let queue = self.queue(name)?;
        queue.expire(now);
        Ok(queue)
    }
}

fn no_queue() -> Refusal {
    Refusal::new(RefusalKind::QueueDoesNotExist, "The specified queue does not exist.")
}
