//! The life of a batch: hold its messages, run over each VPC, publish, clear, and say which messages
//! go back.

use std::collections::BTreeSet;
use std::time::Duration;

use super::batch::{self, Batch, VpcRun, WithoutBaseline};
use super::outbox::Outbox;
use super::side_by_side::side_by_side;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::baseline::source::BaselineError;
use crate::cloud::{CallError, Cloud, Commit, ErrorClass, Queue, SetAside, Table, Telling};
use crate::ec2::id::{Place, Region};
use crate::history::ledger::put;
use crate::history::outgoing::{Level, writes};
use crate::history::{Condition, Kept, Kind, Transaction, Write};
use crate::report::alert::baseline_alert;
use crate::run::{Lived, RunRequest, run};

/// How many VPCs are worked on at once: most of a run is waiting, and one look takes about a dozen of
/// the reads that EC2 grants an account 20 of in a second.
const AT_ONCE: usize = 4;

/// How soon messages that go back come again.
const SOON: Duration = Duration::from_secs(30);

/// How soon they come again when the table fails: no run can change anything until it does not.
const WHEN_THE_TABLE_IS_BACK: Duration = Duration::from_secs(900);

/// How much longer than its invocation a message is held, so that no other gets it before.
const HELD_LONGER: Duration = Duration::from_secs(60);

/// Everything outside that a batch has to do with.
#[derive(Debug)]
pub struct Hands<'a, C, T, P, Q> {
    /// The VPCs.
    pub cloud: &'a C,
    /// What outlives the process.
    pub table: &'a T,
    /// Those who read alerts.
    pub telling: &'a P,
    /// Where the batch comes from.
    pub queue: &'a Q,
    /// How many alerts an hour each destination gets, at most.
    pub alerts_per_hour: u32,
    /// The stack's name, for the commands in alerts.
    pub stack: &'a str,
}

/// What happens on the way, for the log and the metrics.
#[derive(Debug)]
pub enum Event<'a> {
    /// A run has ended.
    Ran(&'a VpcRun, &'a Lived),
    /// A run had no time to begin; its messages come again.
    NoTime(&'a VpcRun),
    /// A run panicked; its messages come again.
    Panicked(&'a VpcRun, &'a str),
    /// A message that says nothing to act on was set aside, or could not be.
    SetAside {
        /// SQS's id of the message.
        message: &'a str,
        /// Why nothing can be acted on.
        why: &'a str,
        /// Why no copy was accepted, if none was: then it comes again.
        failed: Option<&'a CallError>,
    },
    /// The queue did not take it how long messages are held.
    NotHeld(&'a CallError),
    /// An alert could not be published; the clock tries again.
    NotPublished(&'a CallError),
    /// An alert of something changed that could not be recorded could not be published either.
    Lost(&'a crate::history::Alert, &'a CallError),
    /// There is no usable baseline.
    NoBaseline(&'a str),
    /// The table failed.
    TableFailed(&'a CallError),
}

/// What a batch is worked on with.
#[derive(Debug, Clone)]
pub struct Invocation<'a> {
    /// The baseline, or why none can be used.
    pub baseline: Result<&'a Baseline, &'a BaselineError>,
    /// The account and Region that the function looks after.
    pub place: &'a Place,
    /// Names the invocation; no other has this name.
    pub request_id: &'a str,
    /// When the invocation ends, in milliseconds since the epoch.
    pub ends: u64,
}

/// Which messages of a batch go back, and how soon they come again.
#[derive(Debug, Default)]
struct GoesBack {
    soon: BTreeSet<String>,
    table_failed: BTreeSet<String>,
}

/// Does what a batch asks for; the ids of the messages that go back, in their order.
pub async fn work<C: Cloud, T: Table, P: Telling, Q: Queue>(
    hands: &Hands<'_, C, T, P, Q>,
    batch: &Batch,
    invocation: &Invocation<'_>,
    log: &dyn Fn(Event<'_>),
) -> Vec<String> {
    let work = Work { hands, batch, invocation, log };
    work.hold(&batch.ids(), work.time_left().saturating_add(HELD_LONGER)).await;
    let mut back = GoesBack::default();
    work.set_unreadable_aside(&mut back).await;
    match invocation.baseline {
        Ok(baseline) => {
            if batch.without_baseline.is_empty() {
                work.forget_fault().await;
            }
            work.run_all(baseline, &mut back).await;
        }
        Err(error) => work.without_baseline(error, &mut back).await,
    }
    for sender in &batch.without_baseline {
        work.sender_without_baseline(sender, &mut back).await;
    }
    work.send_back(back).await
}

struct Work<'w, 'a, C, T, P, Q> {
    hands: &'w Hands<'a, C, T, P, Q>,
    batch: &'w Batch,
    invocation: &'w Invocation<'w>,
    log: &'w dyn Fn(Event<'_>),
}

impl<C: Cloud, T: Table, P: Telling, Q: Queue> Work<'_, '_, C, T, P, Q> {
    fn time_left(&self) -> Duration {
        batch::time_left(self.hands.cloud.now(), self.invocation.ends)
    }

    async fn hold(&self, ids: &[&str], time: Duration) {
        let handles = self.batch.handles(ids);
        if handles.is_empty() {
            return;
        }
        if let Err(error) = self.hands.queue.hold(&handles, time).await {
            (self.log)(Event::NotHeld(&error));
        }
    }

    async fn set_unreadable_aside(&self, back: &mut GoesBack) {
        for (message, why) in &self.batch.unreadable {
            let why = why.to_string();
            let message_as_it_came = SetAside {
                id: &message.id,
                group: message.group.as_deref(),
                sender: message.sender.as_deref(),
                body: &message.body,
                why: &why,
            };
            let copied = self.hands.queue.set_aside(&message_as_it_came).await;
            let failed = copied.as_ref().err();
            (self.log)(Event::SetAside { message: &message.id, why: &why, failed });
            if failed.is_some() {
                back.soon.insert(message.id.clone());
            }
        }
    }

    async fn run_all(&self, baseline: &Baseline, back: &mut GoesBack) {
        let jobs =
            self.batch.runs.iter().map(|run| -> std::pin::Pin<Box<dyn Future<Output = Back>>> {
                Box::pin(self.run_one(baseline, run))
            });
        let ended = side_by_side(jobs, AT_ONCE).await;
        for (run, came) in self.batch.runs.iter().zip(ended) {
            match came {
                Ok(Back::Done) => {}
                Ok(Back::Soon) => back.soon.extend(run.messages.iter().cloned()),
                Ok(Back::Later) => {
                    back.table_failed.extend(run.messages.iter().cloned());
                }
                Err(panicked) => {
                    (self.log)(Event::Panicked(run, &panicked.to_string()));
                    back.soon.extend(run.messages.iter().cloned());
                }
            }
        }
    }

    /// One run over one VPC, and what it has to tell.
    async fn run_one(&self, baseline: &Baseline, run: &VpcRun) -> Back {
        let Hands { cloud, table, telling, .. } = self.hands;
        let now = cloud.now();
        let deadline = batch::deadline(now, self.invocation.ends, baseline);
        if !batch::may_begin(now, deadline) {
            (self.log)(Event::NoTime(run));
            return Back::Soon;
        }
        let request = RunRequest {
            scope: run.scope.clone(),
            cause: run.cause,
            evidence: run.evidence.clone(),
            run_id: format!("{}/{}", self.invocation.request_id, run.scope.vpc),
            incident: run.incident.clone(),
            deadline,
        };
        let lived = self::run(*cloud, *table, &telling.destinations(), baseline, &request).await;
        (self.log)(Event::Ran(run, &lived));
        match &lived {
            Lived::Busy { .. } => Back::Done,
            Lived::Recorded { .. } => {
                self.publish(&request.run_id).await;
                Back::Done
            }
            Lived::NotRecorded { alert, error, .. } => {
                (self.log)(Event::TableFailed(error));
                if let Some(alert) = alert {
                    self.publish_directly(alert).await;
                }
                // Where other writers were quicker, they are done soon.
                match error.class {
                    ErrorClass::Throttled => Back::Soon,
                    ErrorClass::NotFound
                    | ErrorClass::AlreadyDone
                    | ErrorClass::Denied
                    | ErrorClass::Transient
                    | ErrorClass::Invalid => Back::Later,
                }
            }
        }
    }

    /// Publishes what waits in the table under this name. What cannot be published now, the clock
    /// sends: it is in the table.
    async fn publish(&self, run_id: &str) {
        let Hands { cloud, table, telling, alerts_per_hour, .. } = self.hands;
        let outbox = Outbox {
            table: *table,
            telling: *telling,
            clock: || cloud.now(),
            place: self.invocation.place,
            limit: *alerts_per_hour,
            until: batch::last_moment(self.invocation.ends),
            stack: self.hands.stack,
        };
        let sent = outbox.send(run_id).await;
        for not_told in &sent.not_told {
            (self.log)(Event::NotPublished(&not_told.error));
        }
        if let Some(error) = &sent.table_error {
            (self.log)(Event::NotPublished(error));
        }
    }

    async fn publish_directly(&self, alert: &crate::history::Alert) {
        for destination in self.hands.telling.destinations() {
            if let Err(error) = self.hands.telling.tell(&destination, alert).await {
                (self.log)(Event::Lost(alert, &error));
            }
        }
    }

    async fn without_baseline(&self, error: &BaselineError, back: &mut GoesBack) {
        let fault = error.to_string();
        (self.log)(Event::NoBaseline(&fault));
        let told = match self.batch.incident() {
            Some(incident) => self.tell_fault(&fault, error.passes(), incident).await,
            None => Ok(()),
        };
        self.without_run(self.batch.runs_messages(), told, error.passes(), back);
    }

    async fn sender_without_baseline(&self, sender: &WithoutBaseline, back: &mut GoesBack) {
        (self.log)(Event::NoBaseline(&sender.why));
        let told = self.tell_fault(&sender.why, false, &sender.incident).await;
        self.without_run(vec![sender.message.clone()], told, false, back);
    }

    /// What becomes of messages about which nothing can be done without a baseline: with a fault that
    /// stays they are done with once it is told.
    fn without_run(
        &self,
        messages: Vec<String>,
        told: Result<(), CallError>,
        fault_passes: bool,
        back: &mut GoesBack,
    ) {
        match told {
            Err(error) => {
                (self.log)(Event::TableFailed(&error));
                back.table_failed.extend(messages);
            }
            Ok(()) if fault_passes => back.soon.extend(messages),
            Ok(()) => {}
        }
    }

    /// Tells that there is no usable baseline, unless that was told already, or may have passed when
    /// the messages come again.
    async fn tell_fault(&self, fault: &str, passes: bool, incident: &str) -> Result<(), CallError> {
        let Hands { cloud, table, telling, .. } = self.hands;
        let (place, now) = (self.invocation.place, cloud.now());
        let key = Kind::Told.at(place).key(FAULT);
        let item = table.get(&key).await?;
        // What cannot be read is told once more rather than never.
        let before = Kept::<Fault>::of(item.clone()).ok().and_then(|kept| kept.value);
        let condition = Condition::unchanged(item.as_ref());
        let told = before.as_ref().and_then(|before| before.told.as_deref());
        let since = before.as_ref().map_or(now, |before| before.since);
        let is_known = told == Some(fault) || (passes && told.is_some());
        if is_known || (passes && before.is_some() && !is_late(since, now)) {
            return Ok(());
        }
        if passes && before.is_none() {
            let noted = put(key, &Fault { since, told: None }, condition);
            // Another process has noted it.
            return table.commit(&Transaction::one(noted)).await.map(drop);
        }
        let name = format!("baseline-{}", self.invocation.request_id);
        let alert = baseline_alert(fault, &region_of(place), incident);
        let mut all = writes(place, &name, &alert, Level::News, &telling.destinations(), now);
        all.push(put(key, &Fault { since, told: Some(fault.to_owned()) }, condition));
        match table.commit(&Transaction { token: None, writes: all }).await? {
            Commit::Made => self.publish(&name).await,
            // Another process tells it.
            Commit::Conflict => {}
        }
        Ok(())
    }

    /// The baseline is good: the next fault is a new one, also if it is the same.
    async fn forget_fault(&self) {
        let key = Kind::Told.at(self.invocation.place).key(FAULT);
        let told = self.hands.table.get(&key).await;
        if let Ok(Some(item)) = told {
            let forget = Write::Delete { key, condition: Condition::Version(item.version) };
            let _ = self.hands.table.commit(&Transaction::one(forget)).await;
        }
    }

    /// The messages that go back, and every later one of their groups, soon to come again.
    async fn send_back(&self, back: GoesBack) -> Vec<String> {
        let failed = back.soon.union(&back.table_failed);
        let all = self.batch.batch_item_failures(failed.map(String::as_str));
        let late = self.batch.groups_of(&back.table_failed);
        let waits =
            |id: &&str| back.table_failed.contains(*id) || self.batch.is_of_group(id, &late);
        let (later, soon): (Vec<&str>, Vec<&str>) = all.iter().copied().partition(waits);
        self.hold(&soon, SOON).await;
        self.hold(&later, WHEN_THE_TABLE_IS_BACK).await;
        all.into_iter().map(str::to_owned).collect()
    }
}

/// What becomes of a run's messages.
enum Back {
    Done,
    Soon,
    /// When the table may be back.
    Later,
}

/// That the baseline cannot be used.
#[derive(Debug, Serialize, Deserialize)]
struct Fault {
    /// Since when (UTC).
    since: Timestamp,
    /// What was told of it last; `None` while it may pass.
    told: Option<String>,
}

/// Whether a fault that may pass has lasted for longer than it takes messages to come again.
fn is_late(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since).unsigned_abs() >= SOON
}

/// What it is called in the table that the baseline cannot be used.
const FAULT: &str = "baseline";

fn region_of(place: &Place) -> Region {
    place.region.clone()
}

#[cfg(test)]
mod tests;
