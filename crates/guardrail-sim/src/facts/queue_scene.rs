//! Queues for the tests of what AWS says of them: `fifo.fifo` with `dead.fifo` behind it after three
//! receives, and `standard` with `dead`.

use std::time::Duration;

use jiff::Timestamp;

use crate::queue::{DeadLetter, Outgoing, QueueOptions, Received, Refusal, Sender, Sent, Sqs};

pub(super) const FIFO: &str = "fifo.fifo";
pub(super) const STANDARD: &str = "standard";

pub(super) struct Scene {
    pub(super) sqs: Sqs,
    pub(super) now: Timestamp,
}

pub(super) fn detect() -> Sender {
    Sender {
        principal: "arn:aws:iam::111122223333:role/detect".to_owned(),
        id: "AROADETECT:detect".to_owned(),
    }
}

impl Scene {
    pub(super) fn new() -> Self {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut sqs = Sqs::new("111122223333", "eu-central-1");
        for (dead, name) in [("dead.fifo", FIFO), ("dead", STANDARD)] {
            sqs.create(dead, QueueOptions::default(), now).unwrap();
            let dead_letter = DeadLetter { queue: dead.to_owned(), max_receive_count: 3 };
            let options =
                QueueOptions { dead_letter: Some(dead_letter), ..QueueOptions::default() };
            sqs.create(name, options, now).unwrap();
        }
        Self { sqs, now }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub(super) fn try_send(&mut self, queue: &str, outgoing: Outgoing) -> Result<Sent, Refusal> {
        self.sqs.send(queue, &detect(), outgoing, self.now)
    }

    /// Messages of one group, each with its body as its deduplication id.
    pub(super) fn send(&mut self, group: &str, bodies: &[&str]) {
        for body in bodies {
            self.try_send(FIFO, Outgoing::fifo(group, body, body)).unwrap();
        }
    }

    pub(super) fn receive(&mut self, queue: &str) -> Vec<Received> {
        self.sqs.receive(queue, 10, None, self.now).unwrap()
    }

    /// The bodies of up to ten messages of the FIFO queue.
    pub(super) fn bodies(&mut self) -> Vec<String> {
        bodies(&self.receive(FIFO))
    }

    pub(super) fn one(&mut self, queue: &str) -> Received {
        self.sqs.receive(queue, 1, None, self.now).unwrap().pop().unwrap()
    }

    pub(super) fn delete(&mut self, queue: &str, message: &Received) -> Result<(), Refusal> {
        self.sqs.delete(queue, &message.receipt_handle, self.now)
    }

    pub(super) fn hide(
        &mut self,
        queue: &str,
        message: &Received,
        seconds: u32,
    ) -> Result<(), Refusal> {
        self.sqs.change_visibility(queue, &message.receipt_handle, seconds, self.now)
    }
}

pub(super) fn bodies(messages: &[Received]) -> Vec<String> {
    messages.iter().map(|message| message.body.clone()).collect()
}

/// SQS's code and words.
pub(super) fn refused<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> String {
    outcome.unwrap_err().to_string()
}
