//! The seams of a life, on the stage: each call is waited for, so that a process can be killed
//! there.

use std::cell::Cell;
use std::mem::take;
use std::task::Poll;
use std::time::Duration;

use guardrail::baseline::ManagedVpcs;
use guardrail::cloud::{
    Answer, CallError, Cloud, Commit, Envelope, ErrorClass, Observation, Queue, Send, SetAside,
    Survey, Table, Telling, Unread,
};
use guardrail::ec2::change::Call;
use guardrail::ec2::id::{Scope, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::World;
use guardrail::history::{Alert, Destination, Item, Key, Kind, Partition, Transaction};
use jiff::Timestamp;

use crate::stage::{Made, Stage, Told};

/// Lets whoever polls come back once.
async fn moment() {
    let mut is_over = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut is_over, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

fn is_first_look(sections: &[Section]) -> bool {
    sections.len() >= Section::judged().len()
}

fn works(down: &Cell<bool>) -> Result<(), CallError> {
    if down.get() { Err(error()) } else { Ok(()) }
}

fn error() -> CallError {
    CallError {
        operation: "AnyCall".to_owned(),
        class: ErrorClass::Transient,
        code: None,
        message: "it is down".to_owned(),
    }
}

impl Cloud for Stage {
    fn now(&self) -> Timestamp {
        self.sim.now()
    }

    fn uptime(&self) -> Duration {
        self.sim.uptime()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        moment().await;
        // A run reads everything first, and again before each step what that rests on.
        let is_again = !is_first_look(sections);
        if is_again && let Some(request) = self.meddling.borrow_mut().take() {
            if self.down.looks_again.get() {
                *self.older.borrow_mut() = Some(self.sim.sim().world());
            }
            self.somebody(&request);
        }
        let missing = self.down.section.get();
        let (unread, read): (Vec<Section>, Vec<Section>) =
            sections.iter().partition(|section| Some(**section) == missing);
        let mut seen = self.sim.observe(scope, &read).await;
        if let Some(older) = self.older.borrow().as_ref() {
            seen.world.refresh(older.clone(), &read);
        }
        seen.unread.extend(unread.into_iter().map(|section| Unread { section, error: error() }));
        if is_again {
            self.read.borrow_mut().extend(read);
        }
        moment().await;
        seen
    }

    async fn apply(&self, scope: &Scope, call: &Call) -> Answer {
        moment().await;
        let before = self.world();
        let recorded = self.items(Kind::Run, "");
        let answer = self.sim.apply(scope, call).await;
        self.made.borrow_mut().push(Made {
            operation: call.operation().name(),
            call: call.to_string(),
            before,
            after: self.world(),
            recorded,
            read: take(&mut *self.read.borrow_mut()),
        });
        moment().await;
        answer
    }

    async fn pause(&self, time: Duration) {
        moment().await;
        self.sim.pause(time).await;
    }
}

impl Survey for Stage {
    fn time(&self) -> Timestamp {
        self.now()
    }

    async fn survey(&self, _: &ManagedVpcs) -> Observation {
        moment().await;
        let world = World { vpc_attributes: None, ..self.sim.sim().world() };
        Observation { world, unread: Vec::new() }
    }

    async fn dns_attributes(&self, vpcs: &[VpcId]) -> Observation {
        moment().await;
        let mut attributes = self.sim.sim().world().vpc_attributes;
        attributes.iter_mut().for_each(|of| of.retain(|vpc, _| vpcs.contains(vpc)));
        let world = World { vpc_attributes: attributes, ..World::default() };
        Observation { world, unread: Vec::new() }
    }
}

impl Table for Stage {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        moment().await;
        works(&self.down.table)?;
        self.kept.get(key).await
    }

    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError> {
        moment().await;
        works(&self.down.table)?;
        self.kept.list(partition, prefix).await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        moment().await;
        works(&self.down.table)?;
        let answer = self.kept.commit(transaction).await;
        moment().await;
        answer
    }
}

impl Telling for Stage {
    fn destinations(&self) -> Vec<Destination> {
        vec![Destination::new("arn:aws:sns:eu-central-1:111122223333:alerts")]
    }

    async fn tell(&self, _: &Destination, alert: &Alert) -> Result<(), CallError> {
        moment().await;
        works(&self.down.topic)?;
        let (alert, writes) = (alert.clone(), self.made.borrow().len());
        self.told.borrow_mut().push(Told { at: self.now(), alert, writes });
        moment().await;
        Ok(())
    }
}

impl Queue for Stage {
    async fn hold(&self, _: &[&str], _: Duration) -> Result<(), CallError> {
        moment().await;
        Ok(())
    }

    async fn set_aside(&self, message: &SetAside<'_>) -> Result<(), CallError> {
        moment().await;
        works(&self.down.copies)?;
        self.aside.borrow_mut().push(message.body.to_owned());
        Ok(())
    }
}

impl Send for Stage {
    async fn send(&self, messages: &[Envelope]) -> Result<(), CallError> {
        moment().await;
        self.sent.borrow_mut().extend(messages.iter().cloned());
        Ok(())
    }
}
