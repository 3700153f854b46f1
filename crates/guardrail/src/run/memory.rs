//! What a run reads of the table, and what it leaves there.

use jiff::Timestamp;

use super::RunRequest;
use super::journal::{TRIES, jitter, too_many_writers, unreadable};
use crate::cloud::{CallError, Cloud, Commit, Table};
use crate::ec2::id::Scope;
use crate::ec2::snapshot::Section;
use crate::event::Evidence;
use crate::history::ledger::{
    self, facts_key, gave_way_key, open_key, put_facts, record_key, record_name, state_key,
};
use crate::history::{
    GaveWay, Item, Kept, Kind, Lease, Looked, Marks, Open, RecordedCall, RunRecord, VpcFacts,
    VpcState, with_earlier,
};
use crate::report::Cause;

/// What is known of a VPC when a run begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) state: Kept<VpcState>,
    pub(super) facts: Kept<VpcFacts>,
    /// That an earlier run gave way to another.
    pub(super) gave_way: Option<Item>,
    /// When the VPC was first seen (UTC).
    pub(super) first_seen: Option<Timestamp>,
    /// The run that was begun and not ended, with how far it came.
    pub(super) open: Option<OpenRun>,
}

/// A run that was begun and not ended.
#[derive(Debug, Clone)]
pub(super) struct OpenRun {
    pub(super) record: RunRecord,
    pub(super) marks: Marks,
}

impl Known {
    /// Whether the VPC is remembered as one that was looked after: not one that could not be read.
    pub(super) fn is_known(&self) -> bool {
        let was_seen = |state: &VpcState| state.blind.is_none() || !state.standing.is_empty();
        self.facts.value.is_some() || self.state.value.as_ref().is_some_and(was_seen)
    }

    /// The lease that keeps this run from changing the VPC.
    pub(super) fn kept_out_by(&self, run_id: &str, now: Timestamp) -> Option<&Lease> {
        let lease = self.state.value.as_ref()?.lease.as_ref()?;
        lease.keeps_out(run_id, now).then_some(lease)
    }

    /// The lease of another run, also where its time is over: that run was killed since this one began
    /// to look, and whoever comes next has to close its record first.
    pub(super) fn leased_to_another(&self, run_id: &str) -> Option<&Lease> {
        let lease = self.state.value.as_ref()?.lease.as_ref()?;
        (lease.run_id != run_id).then_some(lease)
    }

    /// The request together with the calls that earlier runs have left: those that gave way, and those
    /// that wait for something.
    pub(super) fn with_earlier_calls(&self, request: &RunRequest) -> RunRequest {
        let waiting = self.state.value.iter().flat_map(|state| &state.calls);
        let gave_way = self.gave_way.as_ref().map(calls_of).unwrap_or_default();
        let earlier: Vec<Evidence> = gave_way.iter().chain(waiting).cloned().collect();
        let cause = match request.cause {
            // Calls explain more than that it was time to look.
            Cause::Sweep | Cause::Clock if !earlier.is_empty() => Cause::Event,
            cause @ (Cause::Sweep
            | Cause::Clock
            | Cause::Event
            | Cause::SelectionChanged
            | Cause::Operator) => cause,
        };
        let evidence = with_earlier(&request.evidence, &earlier);
        RunRequest { cause, evidence, ..request.clone() }
    }
}

/// The calls for whose sake an earlier run gave way; none where a newer version wrote of it.
pub(super) fn calls_of(gave_way: &Item) -> Vec<Evidence> {
    ledger::read::<GaveWay>(gave_way).map(|gave_way| gave_way.calls).unwrap_or_default()
}

/// Reads what is known of a VPC.
pub(super) async fn recall<T: Table>(table: &T, scope: &Scope) -> Result<Known, CallError> {
    let state =
        Kept::of(table.get(&state_key(scope)).await?).map_err(|error| unreadable(&error))?;
    let facts =
        Kept::of(table.get(&facts_key(scope)).await?).map_err(|error| unreadable(&error))?;
    let gave_way = table.get(&gave_way_key(scope)).await?;
    let open: Kept<Open> =
        Kept::of(table.get(&open_key(scope)).await?).map_err(|error| unreadable(&error))?;
    let open = match open.value {
        Some(open) => Some(open_run(table, scope, open).await?),
        None => None,
    };
    let first_seen = facts.value.as_ref().map(|facts: &VpcFacts| facts.first_seen);
    Ok(Known { state, facts, gave_way, first_seen, open })
}

async fn open_run<T: Table>(
    table: &T,
    scope: &Scope,
    Open { run_id, until }: Open,
) -> Result<OpenRun, CallError> {
    let run_id = run_id.as_str();
    let kept: Kept<RunRecord> = Kept::of(table.get(&record_key(scope, run_id)).await?)
        .map_err(|error| unreadable(&error))?;
    // A record that is gone (it is kept for 90 days) says nothing of what was done: it is closed as one
    // of nothing, or nobody would ever close it.
    let record = kept.value.unwrap_or_else(|| RunRecord {
        run_id: run_id.to_owned(),
        scope: scope.clone(),
        seed: run_id.to_owned(),
        cause: "unknown".to_owned(),
        began: until,
        steps: Vec::new(),
        closed: None,
    });
    let name = format!("{}#", record_name(&scope.vpc, run_id));
    let items = table.list(&Kind::Run.at(&scope.place()), &name).await?;
    let marks = ledger::marks(&items).map_err(|error| unreadable(&error))?;
    Ok(OpenRun { record, marks })
}

/// What looks at a VPC brought, each with its time (UTC), and the calls that may have changed something
/// before.
#[derive(Clone, Copy)]
pub(super) struct Looks<'a> {
    pub(super) looks: &'a [(Looked, Timestamp)],
    pub(super) calls: &'a [RecordedCall],
}

/// Keeps what was seen of the VPC, look by look. A sweep may keep the same at the same time: then what
/// it kept is what is added to.
pub(super) async fn keep_facts<C: Cloud, T: Table>(
    cloud: &C,
    table: &T,
    request: &RunRequest,
    Looks { looks, calls }: Looks<'_>,
    mut before: Kept<VpcFacts>,
) -> Result<(), CallError> {
    let scope = &request.scope;
    for attempt in 0..TRIES {
        let after = |facts: Option<VpcFacts>, (looked, at): &(Looked, Timestamp)| {
            // Of a VPC that was never seen there is nothing to remember.
            let has_seen = facts.is_some() || !looked.unread.contains(&Section::Vpcs);
            has_seen.then(|| VpcFacts::after_look(facts.as_ref(), looked, calls, *at))
        };
        let facts = looks.iter().fold(before.value.clone(), after);
        let Some(facts) = facts.filter(|facts| before.value.as_ref() != Some(facts)) else {
            return Ok(());
        };
        match table.commit(&put_facts(scope, &before, &facts)).await? {
            Commit::Made => return Ok(()),
            Commit::Conflict => cloud.pause(jitter(&request.run_id, attempt)).await,
        }
        before =
            Kept::of(table.get(&facts_key(scope)).await?).map_err(|error| unreadable(&error))?;
    }
    Err(too_many_writers())
}
