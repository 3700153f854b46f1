//! How what is remembered stands in the table: which item holds what, and which are changed together.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::item::{Body, Condition, Item, Key, Kind, Transaction, Write};
use super::own_calls::MadeCall;
use super::packed::{pack_one, unpack_one};
use super::record::{Mark, Marks, RecordedStep, RunRecord};
use super::state::{Lease, LookAgain, VpcState};
use super::vpc_facts::VpcFacts;
use crate::ec2::change::{Applied, GroupRef, StepId};
use crate::ec2::id::{Place, Scope, SecurityGroupId, VpcId};

/// How long the table keeps what a run did: as long as CloudTrail's event history does.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// An item that says something this version cannot read: never taken for "nothing there".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the item `{name}` of `{partition}` cannot be read: {why}; a newer version may have written it"
)]
pub struct Unreadable {
    partition: String,
    name: String,
    why: String,
}

/// What an item holds, as this.
///
/// # Errors
/// When it holds something else.
pub fn read<T: DeserializeOwned>(item: &Item) -> Result<T, Unreadable> {
    let unreadable = |why: String| Unreadable {
        partition: item.key.partition.to_string(),
        name: item.key.name.clone(),
        why,
    };
    let text = unpack_one(&item.body).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

/// The item holds this from now on.
pub fn put<T: Serialize>(key: Key, value: &T, condition: Condition) -> Write {
    Write::Put { key, body: text(value), expires: None, condition }
}

fn put_for_a_while<T: Serialize>(key: Key, value: &T, now: Timestamp) -> Write {
    let expires = now.saturating_add(KEPT).ok();
    Write::Put { key, body: text(value), expires, condition: Condition::Any }
}

fn text<T: Serialize>(value: &T) -> Body {
    // Our own values have string keys only, so that this cannot fail; a null is refused on reading.
    pack_one(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
}

/// Where the state of a VPC is kept.
pub fn state_key(scope: &Scope) -> Key {
    Kind::State.at(&scope.place()).key(&scope.vpc)
}

/// Where the facts of a VPC are kept.
pub fn facts_key(scope: &Scope) -> Key {
    Kind::Facts.at(&scope.place()).key(&scope.vpc)
}

/// Where it is noted that a VPC is due.
pub fn due_key(scope: &Scope) -> Key {
    Kind::Waiting.at(&scope.place()).key(format_args!("{DUE}{}", scope.vpc))
}

/// Where it is noted that a run gave way to another and is due when that one's lease ends. It is no
/// part of what the other run leaves: what came meanwhile, that one has not seen.
pub fn gave_way_key(scope: &Scope) -> Key {
    Kind::Waiting.at(&scope.place()).key(format_args!("{GAVE_WAY}{}", scope.vpc))
}

/// Where it is noted that a VPC has an open record.
pub fn open_key(scope: &Scope) -> Key {
    Kind::Waiting.at(&scope.place()).key(format_args!("{OPEN}{}", scope.vpc))
}

/// Where the record of a run is kept.
pub fn record_key(scope: &Scope, run_id: &str) -> Key {
    Kind::Run.at(&scope.place()).key(record_name(&scope.vpc, run_id))
}

/// What a record is called, and what its marks' names begin with.
pub fn record_name(vpc: &VpcId, run_id: &str) -> String {
    format!("{vpc}#{run_id}")
}

/// What the names of VPCs that are due begin with.
pub const DUE: &str = "due#";

/// What the names of VPCs begin with over which a run gave way to another.
pub const GAVE_WAY: &str = "gave-way#";

/// What the names of VPCs with an open record begin with.
pub const OPEN: &str = "open#";

const STEP: &str = "#step#";

/// That a run over a VPC was begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The run.
    pub run_id: String,
    /// Until when it may change the VPC (UTC).
    pub until: Timestamp,
}

/// A value as it was read, with the item that it was read from: a change can depend on that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// The item; `None` when there was none.
    pub item: Option<Item>,
    /// What it held.
    pub value: Option<T>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { item: None, value: None }
    }
}

impl<T: DeserializeOwned> Kept<T> {
    /// What an item holds.
    ///
    /// # Errors
    /// When it holds something else.
    pub fn of(item: Option<Item>) -> Result<Self, Unreadable> {
        let value = item.as_ref().map(read).transpose()?;
        Ok(Self { item, value })
    }

    /// That it is as it was read.
    pub fn unchanged(&self) -> Condition {
        Condition::unchanged(self.item.as_ref())
    }
}

/// The transaction that begins a run: its record, its lease in the state, and that it is open. It is
/// made only while the state is as it was read, so that of two runs one begins.
pub fn begin(
    state: &Kept<VpcState>,
    record: &RunRecord,
    lease: &Lease,
    now: Timestamp,
) -> Transaction {
    let scope = &record.scope;
    let known = state.value.clone().unwrap_or_default();
    let leased = VpcState { lease: Some(lease.clone()), ..known };
    let open = Open { run_id: record.run_id.clone(), until: lease.until };
    Transaction {
        token: Some(token(&record.run_id, "begin", state, now)),
        writes: vec![
            put_for_a_while(record_key(scope, &record.run_id), record, now),
            put(state_key(scope), &leased, state.unchanged()),
            put(open_key(scope), &open, Condition::Any),
            ran(record, now),
        ],
    }
}

/// What the names of runs begin with that may have made calls within the last day.
pub const RAN: &str = "ran#";

/// That a run may have made calls: whoever sees a call with the guardrail's role looks there for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ran {
    /// When it began (UTC).
    began: Timestamp,
    /// What its record is called.
    record: String,
}

/// How long EventBridge may take to deliver the event of a call, and an hour
/// (template.yaml, `MaximumEventAgeInSeconds`).
const EVENTS_COME_WITHIN: SignedDuration = SignedDuration::from_hours(25);

fn ran(record: &RunRecord, now: Timestamp) -> Write {
    let record_name = record_name(&record.scope.vpc, &record.run_id);
    let key = Kind::Told.at(&record.scope.place()).key(format_args!("{RAN}{record_name}"));
    let ran = Ran { began: record.began, record: record_name };
    let expires = now.saturating_add(EVENTS_COME_WITHIN).ok();
    Write::Put { key, body: text(&ran), expires, condition: Condition::Any }
}

/// The names of the records of the runs that began since then, and what cannot be read of them.
pub fn runs_since(items: &[Item], since: Option<Timestamp>) -> (Vec<String>, Vec<Unreadable>) {
    let (mut names, mut unreadable) = (Vec::new(), Vec::new());
    for item in items {
        match read::<Ran>(item) {
            Ok(ran) if since.is_none_or(|since| ran.began >= since) => names.push(ran.record),
            Ok(_) => {}
            Err(why) => unreadable.push(why),
        }
    }
    (names, unreadable)
}

/// The calls that a run says it made: of the items that begin with its record's name.
///
/// # Errors
/// When its record or a mark cannot be read: it may have made any call.
pub fn ran_made(items: &[Item]) -> Result<Vec<MadeCall>, Unreadable> {
    let is_record = |item: &&Item| !item.key.name.contains(STEP) && !item.key.name.contains(REPORT);
    let Some(item) = items.iter().find(is_record) else { return Ok(Vec::new()) };
    let record: RunRecord = read(item)?;
    // Another run's name may begin with this one's.
    let its = format!("{}#", item.key.name);
    let its: Vec<Item> =
        items.iter().filter(|item| item.key.name.starts_with(&its)).cloned().collect();
    let marks = marks(&its)?;
    let step = |id: &StepId| record.steps.iter().find(|step| step.id == *id);
    let made = |(id, mark)| Some(made_call(step(id)?, mark, &marks));
    Ok(marks.iter().filter_map(made).collect())
}

fn made_call(step: &RecordedStep, mark: &Mark, marks: &Marks) -> MadeCall {
    let mut resources = step.action.ids();
    // The group that a call names, of which a step may have only the number of the one that made it.
    let _ = step.action.with_group(|group| {
        resources.extend(group_id(group, marks).map(|id| id.to_string()));
        Some(())
    });
    let (request_id, from, to) = match mark {
        Mark::Started { at } => (None, *at, at.saturating_add(RUN_TAKES).unwrap_or(*at)),
        Mark::Done { from, at, applied, request_id } => {
            match applied {
                Applied::Done | Applied::Already => {}
                Applied::CreatedEndpoint(id) => resources.extend([id.to_string()]),
                Applied::CreatedGroup(id) => resources.extend([id.to_string()]),
            }
            (request_id.clone(), *from, *at)
        }
        // More than one request may have been sent: the id is that of the last.
        Mark::Failed { from, at, request_id: _, why: _ } => (None, *from, *at),
    };
    let operation = step.action.operation().name().to_owned();
    MadeCall { request_id, operation, resources, from, to }
}

/// The id of a group, where it is known.
fn group_id(group: &GroupRef, marks: &Marks) -> Option<SecurityGroupId> {
    match group {
        GroupRef::Existing(id) => Some(id.clone()),
        GroupRef::MadeBy(step) => match marks.get(step)? {
            Mark::Done { applied: Applied::CreatedGroup(id), .. } => Some(id.clone()),
            Mark::Done { .. } | Mark::Started { .. } | Mark::Failed { .. } => None,
        },
    }
}

/// How long after its mark a call of a killed run may still have been made.
const RUN_TAKES: SignedDuration = SignedDuration::from_secs(60);

/// How far a step of a run has come, as one write. Written twice it is the same.
pub fn mark(scope: &Scope, run_id: &str, step: StepId, mark: &Mark, now: Timestamp) -> Transaction {
    let name = format!("{}{STEP}{:05}", record_name(&scope.vpc, run_id), step.0);
    Transaction::one(put_for_a_while(Kind::Run.at(&scope.place()).key(name), mark, now))
}

/// The marks among the items that begin with a record's name.
///
/// # Errors
/// When one cannot be read.
pub fn marks(items: &[Item]) -> Result<Marks, Unreadable> {
    let numbered = items.iter().filter_map(|item| {
        let (_, number) = item.key.name.split_once(STEP)?;
        Some((StepId(number.parse().ok()?), item))
    });
    numbered.map(|(step, item)| Ok((step, read(item)?))).collect()
}

/// What keeps the whole report of a run, in these parts.
pub fn report_writes(scope: &Scope, run_id: &str, parts: Vec<Body>, now: Timestamp) -> Vec<Write> {
    let partition = Kind::Run.at(&scope.place());
    let expires = now.saturating_add(KEPT).ok();
    let part = |(number, body)| {
        let name = format!("{}{REPORT}{number:03}", record_name(&scope.vpc, run_id));
        Write::Put { key: partition.key(name), body, expires, condition: Condition::Any }
    };
    parts.into_iter().enumerate().map(part).collect()
}

/// The parts of a run's report among the items that begin with its record's name.
pub fn report_parts(items: &[Item]) -> Vec<Body> {
    let parts = items.iter().filter(|item| item.key.name.contains(REPORT));
    parts.map(|item| item.body.clone()).collect()
}

const REPORT: &str = "#report#";

/// What the end of a run changes, all at once.
#[derive(Debug, Clone)]
pub struct Finish<'a> {
    /// Where.
    pub scope: &'a Scope,
    /// Names the end: no other has this name.
    pub name: &'a str,
    /// The state as it was read, or as this run's begin left it.
    pub before: &'a Kept<VpcState>,
    /// What is known from now on, without a lease; `None` where nothing is to be known of the VPC.
    pub state: Option<&'a VpcState>,
    /// The records that are closed, this run's own and those of killed runs.
    pub closed: &'a [RunRecord],
    /// The alerts that go out, and whatever else is kept of the run.
    pub more: Vec<Write>,
    /// The time (UTC).
    pub now: Timestamp,
}

/// The transaction that ends a run: outcome, state, what is due, and the outgoing alerts.
pub fn finish(finish: Finish<'_>) -> Transaction {
    let Finish { scope, name, before, state, closed, more, now } = finish;
    let mut writes: Vec<Write> = closed
        .iter()
        .map(|record| put_for_a_while(record_key(scope, &record.run_id), record, now))
        .collect();
    writes.push(match state {
        Some(state) => put(state_key(scope), state, before.unchanged()),
        None => Write::Delete { key: state_key(scope), condition: before.unchanged() },
    });
    writes.push(due(scope, state.and_then(|state| state.look_again.as_ref())));
    if !closed.is_empty() {
        writes.push(Write::Delete { key: open_key(scope), condition: Condition::Any });
    }
    writes.extend(more);
    Transaction { token: Some(token(name, "finish", before, now)), writes }
}

/// Notes when a VPC is due, or that it is not.
pub fn due(scope: &Scope, again: Option<&LookAgain>) -> Write {
    match again {
        Some(again) => put(due_key(scope), again, Condition::Any),
        None => Write::Delete { key: due_key(scope), condition: Condition::Any },
    }
}

/// What is remembered of the premises of a VPC from now on.
pub fn put_facts(scope: &Scope, before: &Kept<VpcFacts>, facts: &VpcFacts) -> Transaction {
    Transaction::one(put(facts_key(scope), facts, before.unchanged()))
}

/// The VPC that the name of a waiting item is about.
pub fn vpc_of(name: &str, prefix: &str) -> Option<VpcId> {
    name.strip_prefix(prefix)?.parse().ok()
}

/// A transaction's name, of the 36 characters that DynamoDB takes: the same for the same part of the
/// same run, decided from the same state at the same time. DynamoDB refuses a name that comes with
/// other content within ten minutes
/// (docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
fn token(run_id: &str, part: &str, state: &Kept<VpcState>, now: Timestamp) -> String {
    let version = state.item.as_ref().map_or(0, |item| item.version);
    let digest = Sha256::digest(format!("{part}\n{run_id}\n{version}\n{now}").as_bytes());
    digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Where the allowance for an operation is kept.
pub fn pace_key(place: &Place, operation: &str) -> Key {
    Kind::Pace.at(place).key(operation)
}

#[cfg(test)]
mod tests;
