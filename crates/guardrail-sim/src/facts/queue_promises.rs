//! What a FIFO queue and Lambda's poller promise whatever happens, in any order of sends, polls,
//! ends, changes of visibility and waiting.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::queue_scene::{FIFO, Scene};
use crate::queue::{Batch, EventSourceMapping, Invocation, MappingOptions, Outgoing, Received};

#[derive(Debug, Clone)]
enum Act {
    Send {
        group: u8,
        id: u8,
    },
    Poll,
    /// Ends a running invocation, which says that these messages of its batch failed, or fails.
    End {
        which: usize,
        failed: Option<u16>,
    },
    /// Hides a message of a running invocation for so long.
    Hide {
        which: usize,
        message: usize,
        seconds: u32,
    },
    Wait {
        seconds: u64,
    },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..4u8, 0..60u8).prop_map(|(group, id)| Act::Send { group, id }),
        4 => Just(Act::Poll),
        3 => (0..4usize, proptest::option::weighted(0.8, any::<u16>()))
            .prop_map(|(which, failed)| Act::End { which, failed }),
        2 => (0..4usize, 0..10usize, 0..90u32)
            .prop_map(|(which, message, seconds)| Act::Hide { which, message, seconds }),
        2 => prop_oneof![0..40u64, Just(300u64)].prop_map(|seconds| Act::Wait { seconds }),
    ];
    proptest::collection::vec(act, 0..80)
}

/// What an onlooker knows who sees only what is sent, handed out and deleted.
#[derive(Default)]
struct Onlooker {
    /// Each accepted message's group, in the order of sending.
    sent: Vec<(String, String)>,
    /// The ids of messages that are deleted, or were received so often that they are dead.
    gone: BTreeSet<String>,
    receives: BTreeMap<String, u32>,
    /// Until when a handed out message is hidden, in seconds.
    hidden: BTreeMap<String, u64>,
}

impl Onlooker {
    fn group_of(&self, message: &str) -> String {
        self.sent.iter().find(|(id, _)| id == message).unwrap().1.clone()
    }

    /// None of the batch's groups was held up, each group is in its order from its first message
    /// that is left, and none was handed out too often.
    fn check(&mut self, batch: &[Received], now: u64) {
        let groups: BTreeSet<String> =
            batch.iter().map(|message| self.group_of(&message.message_id)).collect();
        for (id, until) in &self.hidden {
            let holds = *until > now && !self.gone.contains(id);
            assert!(!holds || !groups.contains(&self.group_of(id)), "{id} holds up its group");
        }
        assert!(batch.len() <= 10);
        for group in groups {
            let of_group = |id: &&str| self.group_of(id) == group;
            let handed: Vec<&str> =
                batch.iter().map(|message| message.message_id.as_str()).filter(of_group).collect();
            let mut left = self.sent.iter().filter(|(id, of)| *of == group && !self.is_over(id));
            let expected: Vec<&str> =
                left.by_ref().take(handed.len()).map(|(id, _)| id.as_str()).collect();
            assert_eq!(handed, expected);
        }
        for message in batch {
            let receives = self.receives.entry(message.message_id.clone()).or_default();
            *receives += 1;
            assert!(*receives <= 3);
            assert_eq!(message.system_attributes["ApproximateReceiveCount"], receives.to_string());
            self.hidden.insert(message.message_id.clone(), now + 30);
        }
    }

    fn is_over(&self, id: &str) -> bool {
        self.gone.contains(id) || self.receives.get(id).is_some_and(|receives| *receives >= 3)
    }
}

struct Play {
    scene: Scene,
    mapping: EventSourceMapping,
    running: Vec<Batch>,
    onlooker: Onlooker,
    seconds: u64,
    /// When each deduplication id was last accepted as new.
    accepted: BTreeMap<u8, u64>,
}

impl Play {
    fn new() -> Self {
        let mut scene = Scene::new();
        let options = MappingOptions {
            queue: FIFO.to_owned(),
            batch_size: 10,
            maximum_concurrency: Some(3),
            report_batch_item_failures: true,
            function_timeout: super::seconds(30),
        };
        let mapping = EventSourceMapping::new(&mut scene.sqs, options, scene.now).unwrap();
        let (running, onlooker) = (Vec::new(), Onlooker::default());
        Self { scene, mapping, running, onlooker, seconds: 0, accepted: BTreeMap::new() }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Send { group, id } => self.send(*group, *id),
            Act::Poll => self.poll(),
            Act::End { which, failed } => self.end(*which, *failed),
            Act::Hide { which, message, seconds } => self.hide(*which, *message, *seconds),
            Act::Wait { seconds } => {
                self.scene.wait(*seconds);
                self.seconds += seconds;
            }
        }
    }

    fn send(&mut self, group: u8, id: u8) {
        let message = Outgoing::fifo(&group.to_string(), &id.to_string(), "m");
        let sent = self.scene.try_send(FIFO, message).unwrap();
        let is_known = self.onlooker.sent.iter().any(|(known, _)| *known == sent.message_id);
        let is_duplicate = self.accepted.get(&id).is_some_and(|at| self.seconds < at + 300);
        assert_eq!(is_known, is_duplicate);
        if !is_duplicate {
            self.accepted.insert(id, self.seconds);
            self.onlooker.sent.push((sent.message_id, group.to_string()));
        }
    }

    fn poll(&mut self) {
        let Some(batch) = self.mapping.poll(&mut self.scene.sqs, self.scene.now) else { return };
        self.onlooker.check(batch.messages(), self.seconds);
        self.running.push(batch);
        assert!(self.running.len() <= 3);
    }

    fn end(&mut self, which: usize, failed: Option<u16>) {
        if which >= self.running.len() {
            return;
        }
        let batch = self.running.remove(which);
        let ids = batch.messages().iter().map(|message| message.message_id.clone());
        let chosen = |n: usize| failed.is_some_and(|bits| bits >> n & 1 == 1);
        let failures: Vec<_> = ids
            .enumerate()
            .filter(|(n, _)| chosen(*n))
            .map(|(_, id)| json!({ "itemIdentifier": id }))
            .collect();
        let answer = match failed {
            Some(_) => Invocation::Answered(json!({ "batchItemFailures": failures }).to_string()),
            None => Invocation::Failed,
        };
        let messages = batch.messages().len();
        let ended = self.mapping.ended(&mut self.scene.sqs, batch, &answer, self.scene.now);
        assert_eq!(ended.deleted.len() + ended.back.len() + ended.not_deleted.len(), messages);
        for id in ended.deleted {
            if self.onlooker.hidden[&id] > self.seconds {
                self.onlooker.gone.insert(id);
            } else {
                // It is said to be deleted, too, when it is no longer there.
                assert!(self.onlooker.is_over(&id), "{id} is deleted after its time");
            }
        }
        for (id, _) in &ended.not_deleted {
            let was_late = self.onlooker.hidden[id] <= self.seconds;
            let was_again = self.onlooker.receives[id] > 1;
            assert!(was_late || was_again, "{id} was its own to delete");
        }
    }

    fn hide(&mut self, which: usize, message: usize, seconds: u32) {
        let batch = self.running.get(which);
        let Some(message) = batch.and_then(|batch| batch.messages().get(message)) else { return };
        let (id, message) = (message.message_id.clone(), message.clone());
        if self.scene.hide(FIFO, &message, seconds).is_ok() {
            assert!(self.onlooker.hidden[&id] > self.seconds);
            self.onlooker.hidden.insert(id, self.seconds + u64::from(seconds));
        }
    }

    /// Everything that was accepted is deleted, or dead after three receives: nothing is lost.
    fn finish(&mut self) {
        for _ in 0..200 {
            while !self.running.is_empty() {
                self.end(0, None);
            }
            self.scene.wait(90);
            self.seconds += 90;
            self.poll();
        }
        let mut dead = BTreeSet::new();
        loop {
            let letters = self.scene.receive("dead.fifo");
            if letters.is_empty() {
                break;
            }
            for letter in &letters {
                self.scene.delete("dead.fifo", letter).unwrap();
                assert!(dead.insert(letter.message_id.clone()), "dead once");
                assert!(!self.onlooker.gone.contains(&letter.message_id), "deleted and dead");
            }
        }
        assert_eq!(self.onlooker.sent.len(), dead.len() + self.onlooker.gone.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_lost_reordered_or_handed_out_twice_at_once(acts in acts()) {
        let mut play = Play::new();
        acts.iter().for_each(|act| play.act(act));
        play.finish();
    }
}
