//! Faults that somebody might build in, each as a hand that does not do what it should.

use guardrail::cloud::{Answer, Applied, CallError, Commit};
use guardrail::ec2::change::Call;
use guardrail::ec2::id::Scope;
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{EndpointState, World};
use guardrail::history::{Body, Condition, Item, Kind, Transaction, Write};
use serde_json::{Value, json};

use crate::hands::{Hand, kind_of};
use crate::scene::{MARKS, id};
use crate::stage::{Stage, TOPICS, Told};

/// The name of a planted fault.
pub(crate) type Planted = &'static str;

/// All of them, each with the first seed that found it when it was listed.
pub(crate) const ALL: [(Planted, u64); 21] = [
    ("a lease is never seen", 11),
    ("conditions are not looked at", 15),
    ("the record is not written", 0),
    ("that a step is started is not written", 0),
    ("alerts are published before the outcome is recorded", 0),
    ("a conflict is taken for a success", 0),
    ("a refused call is taken for a success", 6),
    ("a token is made anew by each run", 0),
    ("what was read once is not read again", 0),
    ("a section that could not be read is taken for empty", 74),
    ("an endpoint counts as available while it comes up", 9),
    ("names need no time", 28),
    ("a call goes to another VPC", 0),
    ("a call is made where nothing is wrong", 0),
    ("messages are not held", 1),
    ("messages that should go back are deleted", 1),
    ("nothing is set aside", 14),
    ("that a VPC is due is not written", 21),
    ("alerts are not kept", 0),
    ("a topic that refuses is taken for one that was told", 37),
    ("what stands is forgotten", 2),
];

impl Stage {
    pub(crate) fn is_planted(&self, fault: Planted) -> bool {
        self.planted == Some(fault)
    }
}

fn edited(body: &Body, edit: impl FnOnce(&mut Value)) -> Body {
    let Body::Text(text) = body else { return body.clone() };
    let mut value: Value = serde_json::from_str(text).unwrap();
    edit(&mut value);
    Body::Text(value.to_string())
}

fn set(value: &mut Value, key: &str, to: Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(key.to_owned(), to);
    }
}

impl Hand {
    /// What was read before, in place of a new read.
    pub(crate) fn planted_kept(&self, scope: &Scope, section: Section) -> Option<World> {
        if !self.stage.is_planted("what was read once is not read again") {
            return None;
        }
        let key = format!("{}{}{section}", self.process, scope.vpc);
        let mut memory = self.stage.planted_memory.borrow_mut();
        let kept = memory.iter().find_map(|kept| kept.strip_prefix(&key).map(str::to_owned));
        let kept: Option<World> = kept.map(|kept| serde_json::from_str(&kept).unwrap());
        if kept.is_none() {
            let mut only = World::default();
            only.refresh(self.stage.cloud.sim().world(), &[section]);
            memory.push(format!("{key}{}", serde_json::to_string(&only).unwrap()));
        }
        kept
    }

    pub(crate) fn planted_read(
        &self,
        scope: &Scope,
        section: Section,
        read: Result<World, CallError>,
    ) -> Result<World, CallError> {
        let stage = &self.stage;
        if stage.is_planted("a section that could not be read is taken for empty") && read.is_err()
        {
            let mut empty = World::default();
            let mut none = serde_json::to_value(stage.cloud.sim().world()).unwrap();
            none.as_object_mut().unwrap().values_mut().for_each(|it| match it {
                Value::Array(things) => things.clear(),
                Value::Object(things) => things.clear(),
                _ => {}
            });
            empty.refresh(serde_json::from_value(none).unwrap(), &[section]);
            return Ok(empty);
        }
        let mut read = read;
        if let Ok(world) = &mut read {
            if stage.is_planted("an endpoint counts as available while it comes up") {
                for endpoint in world.vpc_endpoints.iter_mut().flatten() {
                    if endpoint.state == EndpointState::Pending {
                        endpoint.state = EndpointState::Available;
                    }
                }
            }
            if stage.is_planted("a call is made where nothing is wrong")
                && section == Section::VpcAttributes
            {
                let attributes = world.vpc_attributes.iter_mut().flatten();
                for (vpc, attributes) in attributes {
                    if *vpc == scope.vpc {
                        attributes.enable_dns_hostnames = Some(false);
                    }
                }
            }
        }
        read
    }

    pub(crate) fn planted_call(&self, call: &Call) -> Call {
        let mut call = call.clone();
        match &mut call {
            Call::DeleteRoute { table, .. }
                if self.stage.is_planted("a call goes to another VPC") =>
            {
                *table = id("rtb", MARKS[2], 1).parse().unwrap();
            }
            Call::CreateEndpoint { token, .. }
                if self.stage.is_planted("a token is made anew by each run") =>
            {
                *token = format!("of-{}", self.request_id);
            }
            _ => {}
        }
        call
    }

    pub(crate) fn planted_answer(&self, answer: Answer) -> Answer {
        match self.stage.is_planted("a refused call is taken for a success")
            && answer.outcome.is_err()
        {
            true => Answer { outcome: Ok(Applied::Done), ..answer },
            false => answer,
        }
    }

    pub(crate) fn planted_item(&self, item: Option<Item>) -> Option<Item> {
        let mut item = item?;
        if item.key.partition.kind == Kind::State {
            if self.stage.is_planted("a lease is never seen") {
                item.body = edited(&item.body, |state| set(state, "lease", Value::Null));
            }
            if self.stage.is_planted("what stands is forgotten") {
                item.body = edited(&item.body, |state| set(state, "standing", json!([])));
            }
        }
        if item.key.partition.kind == Kind::Facts && self.stage.is_planted("names need no time") {
            let text = match &item.body {
                Body::Text(text) => text.replace("\"since\":\"20", "\"since\":\"19"),
                Body::Packed(_) => String::new(),
            };
            item.body = Body::Text(text);
        }
        Some(item)
    }

    /// An alert goes out before the transaction that it belongs to.
    pub(crate) fn planted_before_commit(&self, transaction: &Transaction) {
        if !self.stage.is_planted("alerts are published before the outcome is recorded") {
            return;
        }
        for write in &transaction.writes {
            if let Write::Put { body: Body::Text(text), .. } = write
                && write.key().partition.kind == Kind::Alert
                && let Ok(alert) = serde_json::from_str(text)
            {
                self.stage.tell(Told { topic: TOPICS[0].to_owned(), alert });
            }
        }
    }

    pub(crate) fn planted_transaction(&self, transaction: &Transaction) -> Transaction {
        let Some(planted) = self.stage.planted else { return transaction.clone() };
        let kind = kind_of(transaction);
        let mut changed = transaction.clone();
        if planted == "a token is made anew by each run" && kind == "begin" {
            for write in &mut changed.writes {
                if let Write::Put { key, body, .. } = write
                    && key.partition.kind == Kind::Run
                {
                    let seed = json!(self.request_id);
                    *body = edited(body, |record| set(record, "seed", seed));
                }
            }
        }
        changed.writes.retain(|write| {
            let (name, is_put) = (write.key().name.as_str(), matches!(write, Write::Put { .. }));
            let is_run = write.key().partition.kind == Kind::Run;
            let is_alert = write.key().partition.kind == Kind::Alert;
            !match planted {
                "the record is not written" => is_run && kind == "begin",
                "that a step is started is not written" => kind == "mark started",
                "that a VPC is due is not written" => is_put && name.starts_with("due#"),
                "alerts are not kept" => is_put && (is_alert || name.starts_with("unsent#")),
                _ => false,
            }
        });
        if planted == "conditions are not looked at" {
            for write in &mut changed.writes {
                match write {
                    Write::Put { condition, .. } | Write::Delete { condition, .. } => {
                        *condition = Condition::Any;
                    }
                }
            }
        }
        changed
    }

    pub(crate) fn planted_commit(&self, commit: Commit) -> Commit {
        match self.stage.is_planted("a conflict is taken for a success") {
            true => Commit::Made,
            false => commit,
        }
    }
}
