//! One queue: what is in it, who may have it, and for how long.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::checks::Kind;
use super::message::{Entry, Outgoing, Place, Receipt, Received, Sent};
use super::refusal::{Refusal, RefusalKind};
use super::{Counts, QueueOptions};
use crate::sim::later;

/// "Five minutes": how long a FIFO queue remembers a deduplication id.
const DEDUPLICATION_INTERVAL: Duration = Duration::from_secs(300);
/// "The maximum is 12 hours."
pub(crate) const LONGEST_VISIBILITY: u32 = 43_200;
/// "You must wait 60 seconds" between two purges.
const PURGE_TAKES: Duration = Duration::from_secs(60);

/// A queue and its messages, in the order that they came in.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) options: QueueOptions,
    pub(crate) created: Timestamp,
    pub(crate) counts: Counts,
    pub(crate) entries: Vec<Entry>,
    /// When an id was first sent, and what its sender got.
    deduplication: BTreeMap<String, (Timestamp, Sent)>,
    /// The order of the last message that came in.
    order: u64,
    /// The number of the last handing out.
    receipts: u64,
    purged: Option<Timestamp>,
}

/// What a handle is made of.
struct Handle {
    message: u64,
    receipt: u64,
}

impl Queue {
    pub(crate) fn new(name: &str, options: QueueOptions, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            kind: Kind::of(name),
            options,
            created: now,
            counts: Counts::default(),
            entries: Vec::new(),
            deduplication: BTreeMap::new(),
            order: 0,
            receipts: 0,
            purged: None,
        }
    }

    /// Messages that were kept for as long as the queue keeps them are gone.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        let retention = self.options.retention;
        let before = self.entries.len();
        self.entries.retain(|entry| later(entry.enqueued, retention) > now);
        let gone = before.saturating_sub(self.entries.len());
        self.counts.expired = self.counts.expired.saturating_add(gone);
    }

    /// What the sender of a duplicate gets: the first one's answer.
    pub(crate) fn duplicate(&mut self, outgoing: &Outgoing, now: Timestamp) -> Option<Sent> {
        self.deduplication.retain(|_, (at, _)| later(*at, DEDUPLICATION_INTERVAL) > now);
        let id = outgoing.deduplication_id.as_ref()?;
        let (_, sent) = self.deduplication.get(id)?;
        self.counts.deduplicated = self.counts.deduplicated.saturating_add(1);
        Some(sent.clone())
    }

    pub(crate) fn add(
        &mut self,
        number: u64,
        outgoing: Outgoing,
        sender_id: &str,
        now: Timestamp,
    ) -> Sent {
        self.order = self.order.saturating_add(1);
        let delay = Duration::from_secs(outgoing.delay_seconds.unwrap_or_default().into());
        let entry = Entry {
            number,
            order: self.order,
            outgoing,
            sender_id: sender_id.to_owned(),
            sent: now,
            enqueued: now,
            hidden_until: later(now, delay),
            first_received: None,
            receives: 0,
            receives_here: 0,
            receipt: None,
            dead_letter_source: None,
        };
        let sent = entry.sent_answer();
        if let Some(id) = &entry.outgoing.deduplication_id {
            self.deduplication.insert(id.clone(), (now, sent.clone()));
        }
        self.entries.push(entry);
        self.counts.sent = self.counts.sent.saturating_add(1);
        sent
    }

    /// A message that was received too often from the queue of this ARN.
    pub(crate) fn take_dead_letter(&mut self, mut entry: Entry, source: &str, now: Timestamp) {
        self.order = self.order.saturating_add(1);
        entry.order = self.order;
        entry.receives_here = 0;
        entry.receipt = None;
        entry.hidden_until = now;
        entry.dead_letter_source = Some(source.to_owned());
        // "For FIFO queues, the enqueue timestamp resets when the message is moved"; "for standard
        // queues, the expiration of a message is always based on its original enqueue timestamp":
        // AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention
        if self.kind == Kind::Fifo {
            entry.enqueued = now;
        }
        self.entries.push(entry);
    }

    /// Hands out up to `most` messages for `visibility` seconds, and gives those out that must go
    /// to the dead-letter queue instead.
    pub(crate) fn receive(
        &mut self,
        most: usize,
        visibility: u32,
        now: Timestamp,
    ) -> (Vec<Received>, Vec<Entry>) {
        let (numbers, dead) = self.next(most, now);
        let dead: Vec<Entry> =
            dead.into_iter().filter_map(|number| self.take_out(number)).collect();
        self.counts.dead_lettered = self.counts.dead_lettered.saturating_add(dead.len());
        let until = later(now, Duration::from_secs(visibility.into()));
        let handed = numbers.into_iter().filter_map(|number| self.hand_out(number, until, now));
        (handed.collect(), dead)
    }

    /// The numbers of the messages that come next, and of those that were received too often.
    fn next(&self, most: usize, now: Timestamp) -> (Vec<u64>, Vec<u64>) {
        let (mut next, mut dead) = (Vec::new(), Vec::new());
        let limit = self.options.dead_letter.as_ref().map(|to| to.max_receive_count);
        for entry in self.in_turn(now) {
            if next.len() >= most {
                break;
            }
            // "When the ReceiveCount for a message exceeds the maxReceiveCount for a queue, Amazon
            // SQS moves the message to the dead-letter queue": this receive would exceed it.
            if limit.is_some_and(|limit| entry.receives_here >= limit) {
                dead.push(entry.number);
            } else {
                next.push(entry.number);
            }
        }
        (next, dead)
    }

    /// The messages that could be handed out now, in the order that they would be.
    fn in_turn(&self, now: Timestamp) -> Vec<&Entry> {
        let visible = self.entries.iter().filter(|entry| entry.place(now) == Place::Visible);
        match self.kind {
            Kind::Standard => visible.collect(),
            Kind::Fifo => {
                let group = |entry: &&Entry| entry.outgoing.group.clone();
                let hidden = self.entries.iter().filter(|entry| entry.place(now) != Place::Visible);
                let held: BTreeSet<Option<String>> = hidden.map(|entry| group(&entry)).collect();
                let mut turns = visible.filter(|entry| !held.contains(&group(entry))).collect();
                group_by_group(&mut turns);
                turns
            }
        }
    }

    fn take_out(&mut self, number: u64) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.number == number)?;
        Some(self.entries.remove(at))
    }

    fn hand_out(&mut self, number: u64, until: Timestamp, now: Timestamp) -> Option<Received> {
        self.receipts = self.receipts.saturating_add(1);
        let receipt = Receipt { number: self.receipts, at: now };
        let handle = format!("AQEB-{}-{number}-{}", self.name, receipt.number);
        let entry = self.entries.iter_mut().find(|entry| entry.number == number)?;
        entry.receipt = Some(receipt);
        entry.hidden_until = until;
        entry.receives = entry.receives.saturating_add(1);
        entry.receives_here = entry.receives_here.saturating_add(1);
        entry.first_received.get_or_insert(now);
        self.counts.received = self.counts.received.saturating_add(1);
        Some(entry.received(handle))
    }

    /// Deletes the message that the handle was given out with.
    pub(crate) fn delete(&mut self, handle: &str, now: Timestamp) -> Result<(), Refusal> {
        let Handle { message, receipt } = self.parse(handle)?;
        let Some(entry) = self.entries.iter().find(|entry| entry.number == message) else {
            return Ok(());
        };
        let is_last = entry.receipt.is_some_and(|last| last.number == receipt);
        match self.kind {
            // "If you use an old ReceiptHandle, the request will succeed, but the message might not
            // be deleted": here it is not.
            Kind::Standard if !is_last => return Ok(()),
            Kind::Fifo if !is_last || entry.place(now) != Place::InFlight => {
                return Err(expired(handle));
            }
            Kind::Standard | Kind::Fifo => {}
        }
        self.take_out(message);
        self.counts.deleted = self.counts.deleted.saturating_add(1);
        Ok(())
    }

    /// Hides the message for this long from now on.
    pub(crate) fn change_visibility(
        &mut self,
        handle: &str,
        seconds: u32,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Handle { message, receipt } = self.parse(handle)?;
        if seconds > LONGEST_VISIBILITY {
            return Err(visibility_range(seconds));
        }
        let kind = self.kind;
        let entry = self.entries.iter_mut().find(|entry| entry.number == message);
        let Some(entry) = entry else {
            let reason =
                "Message does not exist or is not available for visibility timeout change.";
            return Err(Refusal::value("ReceiptHandle", handle, reason));
        };
        let last = entry.receipt.filter(|last| last.number == receipt);
        let Some(last) = last.filter(|_| entry.place(now) == Place::InFlight) else {
            return Err(match kind {
                Kind::Fifo => expired(handle),
                Kind::Standard => Refusal::new(
                    RefusalKind::MessageNotInflight,
                    "The specified message isn't in flight.",
                ),
            });
        };
        let until = later(now, Duration::from_secs(seconds.into()));
        if until > later(last.at, Duration::from_secs(LONGEST_VISIBILITY.into())) {
            let reason = format!(
                "Total VisibilityTimeout for the message is beyond the limit [{LONGEST_VISIBILITY} seconds]"
            );
            return Err(Refusal::value("VisibilityTimeout", seconds, &reason));
        }
        entry.hidden_until = until;
        Ok(())
    }

    /// Drops everything, also what is in flight.
    pub(crate) fn purge(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.purged.is_some_and(|at| later(at, PURGE_TAKES) > now) {
            let message = format!(
                "Only one PurgeQueue operation on {} is allowed every 60 seconds.",
                self.name
            );
            return Err(Refusal::new(RefusalKind::PurgeQueueInProgress, message));
        }
        self.purged = Some(now);
        self.entries.clear();
        Ok(())
    }

    pub(crate) fn in_place(&self, place: Place, now: Timestamp) -> usize {
        self.entries.iter().filter(|entry| entry.place(now) == place).count()
    }

    /// A handle that this queue never gave out is none.
    fn parse(&self, handle: &str) -> Result<Handle, Refusal> {
        let invalid = || {
            Refusal::new(
                RefusalKind::ReceiptHandleIsInvalid,
                "The input receipt handle is invalid.",
            )
        };
        let rest = handle.strip_prefix("AQEB-").ok_or_else(invalid)?;
        let rest = rest.strip_prefix(self.name.as_str()).ok_or_else(invalid)?;
        let rest = rest.strip_prefix('-').ok_or_else(invalid)?;
        let (message, receipt) = rest.split_once('-').ok_or_else(invalid)?;
        let message = message.parse().map_err(|_| invalid())?;
        let receipt = receipt.parse().ok().filter(|receipt| (1..=self.receipts).contains(receipt));
        Ok(Handle { message, receipt: receipt.ok_or_else(invalid)? })
    }
}

/// "Attempts to return as many messages with the same message group ID as possible in a single
/// call": the group of the oldest message first and whole, then the next.
fn group_by_group(turns: &mut Vec<&Entry>) {
    let mut oldest: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for entry in &*turns {
        let first = oldest.entry(entry.outgoing.group.clone()).or_insert(entry.order);
        *first = (*first).min(entry.order);
    }
    turns.sort_by_key(|entry| {
        (oldest.get(&entry.outgoing.group).copied().unwrap_or_default(), entry.order)
    });
}

pub(crate) fn visibility_range(seconds: impl std::fmt::Display) -> Refusal {
    let reason = format!("Must be between 0 and {LONGEST_VISIBILITY}, if provided.");
    Refusal::value("VisibilityTimeout", seconds, &reason)
}

fn expired(handle: &str) -> Refusal {
    Refusal::value("ReceiptHandle", handle, "The receipt handle has expired.")
}
