//! The queue as SQS documents a FIFO one: groups, visibility, receives, a dead-letter queue.

use std::collections::BTreeMap;
use std::time::Duration;

use guardrail::cloud::Envelope;
use jiff::Timestamp;

/// A message is handed out so often; then it is a dead letter.
const RECEIVES: u32 = 12;

/// How long a message that was handed out is nobody else's, unless somebody says otherwise.
const VISIBILITY: Duration = Duration::from_secs(1_800);

const DEDUPLICATED_FOR: Duration = Duration::from_secs(300);

#[derive(Debug, Clone)]
pub(crate) struct Queued {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) body: String,
    pub(crate) receives: u32,
    /// What names its last handing out.
    pub(crate) handle: String,
    /// From when on it may be handed out.
    pub(crate) visible: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Fifo {
    pub(crate) waiting: Vec<Queued>,
    pub(crate) dead: Vec<Queued>,
    sent: BTreeMap<String, Timestamp>,
    numbers: u64,
}

impl Fifo {
    pub(crate) fn send(&mut self, envelope: &Envelope, now: Timestamp) {
        let before = self.sent.get(&envelope.deduplication_id);
        if before.is_some_and(|at| now.duration_since(*at).unsigned_abs() < DEDUPLICATED_FOR) {
            return;
        }
        self.sent.insert(envelope.deduplication_id.clone(), now);
        self.numbers += 1;
        self.waiting.push(Queued {
            id: format!("m-{}", self.numbers),
            group: envelope.group.clone(),
            body: envelope.body.clone(),
            receives: 0,
            handle: String::new(),
            visible: now,
        });
    }

    /// The messages that may be handed out now: none of a group of which one is in flight.
    fn ready(&self, now: Timestamp) -> Vec<usize> {
        let is_locked = |group: &str| {
            self.waiting.iter().any(|it| it.group == group && it.receives > 0 && it.visible > now)
        };
        let all = self.waiting.iter().enumerate();
        let ready = all.filter(|(_, it)| it.visible <= now && !is_locked(&it.group));
        ready.map(|(at, _)| at).collect()
    }

    /// When a message may next be handed out.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        let of = |it: &Queued| {
            let of_group = self.waiting.iter().filter(|other| other.group == it.group);
            let locked = of_group.filter(|other| other.receives > 0).map(|other| other.visible);
            locked.chain([it.visible]).max()
        };
        self.waiting.iter().filter_map(of).min()
    }

    /// Hands out at most so many.
    pub(crate) fn receive(&mut self, now: Timestamp, most: usize) -> Vec<Queued> {
        let mut handed = Vec::new();
        for at in self.ready(now).into_iter().take(most) {
            self.numbers += 1;
            let message = &mut self.waiting[at];
            message.receives += 1;
            message.handle = format!("h-{}", self.numbers);
            message.visible = now.checked_add(VISIBILITY).unwrap();
            handed.push(message.clone());
        }
        let is_dead = |it: &Queued| it.receives > RECEIVES;
        self.dead.extend(self.waiting.iter().filter(|it| is_dead(it)).cloned());
        self.waiting.retain(|it| !is_dead(it));
        handed.retain(|it| !is_dead(it));
        handed
    }

    pub(crate) fn hold(&mut self, handle: &str, until: Timestamp) {
        for message in self.waiting.iter_mut().filter(|it| it.handle == handle) {
            message.visible = until;
        }
    }

    /// The message is gone, if this was its last handing out; SQS takes a late receipt handle of a FIFO
    /// queue for an error.
    pub(crate) fn delete(&mut self, handle: &str) {
        self.waiting.retain(|it| it.handle != handle);
    }

    /// A message that is in flight is handed out again: what held it was lost.
    pub(crate) fn lose_a_hold(&mut self, which: usize, now: Timestamp) -> bool {
        let mut flying: Vec<&mut Queued> =
            self.waiting.iter_mut().filter(|it| it.receives > 0 && it.visible > now).collect();
        let count = flying.len();
        match flying.get_mut(which % count.max(1)) {
            Some(message) => {
                message.visible = now;
                true
            }
            None => false,
        }
    }
}
