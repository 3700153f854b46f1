//! A run over one VPC: recall, observe, compare, plan, begin, apply, verify by observing again,
//! report, finish.
//!
//! A run reads what is known of the VPC and the whole VPC once ([`assess()`] says what that comes
//! to). If it has a change to make it begins: its record and its lease stand in the table before the
//! first call. It takes the steps of its plan one by one, each after it has read again what the step
//! rests on, and each written down before and after; reads once more what was changed; and ends by
//! one transaction, in which the alert goes out with the outcome. The functions that await decide
//! nothing: what to do comes from `assess`, `recheck` and `killed`, and what to tell from `conclude`
//! and the core's `history::news`, which are pure.

mod apply;
mod assess;
mod conclude;
mod journal;
mod killed;
mod memory;
mod probed;
mod proof;
mod recheck;
mod told;
mod traffic;

use std::time::Duration;

use jiff::Timestamp;

pub use self::assess::{
    Assessment, VpcStanding, assess, assess_snapshot, looked_at, preview, preview_snapshot,
    remembered_since,
};
pub use self::probed::{Probed, ask_all};
pub use self::proof::watched_for;
pub use self::told::{exempting_nothing, fingerprint};
pub use self::traffic::{asks_for_traffic, with_traffic, with_unreadable_traffic};

use crate::baseline::Baseline;
use crate::cloud::{CallError, Cloud, Commit, Table};
use crate::ec2::id::Scope;
use crate::event::Evidence;
use crate::history::outgoing::Level;
use crate::history::{
    Condition, Destination, GaveWay, Grace, Kept, Lease, LeaseClock, LookAgain, Looked, Memory,
    RecordedCall, RunRecord, Transaction, VpcFacts, VpcState, Write, kept_calls, ledger,
    recorded_calls, with_earlier,
};
use crate::plan::Circumstances;
use crate::report::alert::Alert;
use crate::report::{Cause, Report};

use self::apply::{Remembered, Runner};
use self::conclude::{Ended, closed_record, record_of, report_of};
use self::journal::{Journal, TRIES, jitter};
pub(crate) use self::journal::{too_many_writers, unreadable};
use self::killed::{closed_alert, judged};
use self::memory::{Known, Looks, OpenRun, calls_of, keep_facts, recall};
use self::recheck::{
    Outcomes, in_view_of, is_in_vain, look_again, made_changes, takes_steps, tried_again_at,
};
use self::told::{Telling, tell};
use self::traffic::carried;

/// How long a run may take from its start to its last change: the rest of a minute is for what is
/// under way by then, one more look, and the end.
pub const PATIENCE: Duration = Duration::from_secs(25);

/// What to look at, and why.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Where to look.
    pub scope: Scope,
    /// What led to the run.
    pub cause: Cause,
    /// The calls that led to it: for the alert only.
    pub evidence: Vec<Evidence>,
    /// Names the run; no other has this name.
    pub run_id: String,
    /// Names what led to it: the same when the run is tried again.
    pub incident: String,
    /// When the run must end.
    pub deadline: Timestamp,
}

impl RunRequest {
    /// What a decision of this run rests on at this time, beside the baseline and what is seen.
    pub fn circumstances<'a>(
        &'a self,
        now: Timestamp,
        memory: Memory<'a>,
        grace: &'a Grace,
    ) -> Circumstances<'a> {
        Circumstances { incident: &self.incident, now, memory, grace }
    }
}

/// How a run ended.
#[derive(Debug, Clone)]
pub enum Lived {
    /// At once: another run may change the VPC until then, when this one is due.
    Busy {
        /// When the VPC is looked at again.
        due: Timestamp,
    },
    /// It is over, and the table has its outcome and the alerts that go out.
    Recorded {
        /// What was found and done.
        report: Box<Report>,
        /// Whether the report goes out to subscribers.
        is_told: bool,
    },
    /// It is over, and the table did not take its outcome: whoever called for it has to call again.
    NotRecorded {
        /// What was found and done.
        report: Box<Report>,
        /// Why the table did not take it.
        error: CallError,
        /// What subscribers are told at once, because something was changed.
        alert: Option<Box<Alert>>,
    },
}

impl Lived {
    /// The run's report, where it looked.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Busy { .. } => None,
            Self::Recorded { report, .. } | Self::NotRecorded { report, .. } => Some(report),
        }
    }
}

/// Brings one VPC back to the baseline as far as the modes allow, and leaves in the table what was
/// found and done, and the alerts that go out to these destinations.
///
/// What rests on something that was not read is not done, nor what could not be written down first.
pub async fn run<C: Cloud, T: Table>(
    cloud: &C,
    table: &T,
    destinations: &[Destination],
    baseline: &Baseline,
    request: &RunRequest,
) -> Lived {
    let started = cloud.now();
    let calls = &recorded_calls(&request.evidence);
    match recall(table, &request.scope).await {
        Ok(known) => {
            let request = &known.with_earlier_calls(request);
            let life = Life { cloud, table, destinations, baseline, request, calls, started };
            life.live(known).await
        }
        Err(error) => {
            let life = Life { cloud, table, destinations, baseline, request, calls, started };
            life.only_look(error).await
        }
    }
}

/// One run and what it has to do with.
struct Life<'a, C, T> {
    cloud: &'a C,
    table: &'a T,
    destinations: &'a [Destination],
    baseline: &'a Baseline,
    request: &'a RunRequest,
    /// The calls that led to this run and may have changed premises. Those that earlier runs have left
    /// to it were taken into account by these: the same call puts off once.
    calls: &'a [RecordedCall],
    started: Timestamp,
}

impl<'a, C: Cloud, T: Table> Life<'a, C, T> {
    async fn live(&self, mut known: Known) -> Lived {
        let request = self.request;
        if let Some(lease) = known.kept_out_by(&request.run_id, self.cloud.now()) {
            let until = lease.until;
            // Of the calls that led here nobody may hear again.
            let looks = &[(Looked::nothing(), self.cloud.now())];
            let looks = Looks { looks, calls: self.calls };
            return match self.keep(looks, known.facts).await {
                Ok(()) => self.give_way(until).await,
                Err(error) => self.only_look(error).await,
            };
        }
        let remembered = self.remembered(&known);
        let seed = remembered.seed.clone();
        let mut runner = Runner::new(self.cloud, self.baseline, request, remembered);
        let first = runner.first_look().await;
        if let Some(open) = known.open.take()
            && let Err(error) = self.close_killed(&mut known, &open, &runner, &first).await
        {
            return self.unrecorded(&runner, first, error);
        }
        let was_known = known.is_known();
        let mut journal = None;
        if takes_steps(&first.plan, self.cloud.now(), request.deadline) {
            match self.begin(&mut known, &seed, &first).await {
                Ok(Begun::Under(lease)) => {
                    let (scope, run_id) = (&request.scope, request.run_id.as_str());
                    journal = Some(Journal::new(self.table, scope, run_id, lease));
                }
                Ok(Begun::Late { until }) => {
                    let facts = std::mem::take(&mut known.facts);
                    return match self.keep(runner.looks(), facts).await {
                        Ok(()) => self.give_way(until).await,
                        Err(error) => self.unrecorded(&runner, first, error),
                    };
                }
                Err(error) => return self.unrecorded(&runner, first, error),
            }
        }
        let nat_traffic = carried(self.cloud, &request.scope, first.advice.as_ref()).await;
        let outcomes = runner.apply(&first.plan, &mut journal).await;
        let last = match made_changes(&outcomes) {
            true => runner.verify(&first.plan, &outcomes).await,
            false => first.clone(),
        };
        let outcomes = in_view_of(&first.plan, outcomes, &last.plan);
        let cut_off = runner.watch(&first.plan, &outcomes).await;
        let ended =
            Ended { nat_traffic, was_known, cut_off, ..self.ended(&runner, first, last, outcomes) };
        self.finish_under(known, &seed, &runner, &ended, journal).await
    }

    /// What a run leaves that has taken its steps, or had none to take.
    async fn finish_under(
        &self,
        mut known: Known,
        seed: &str,
        runner: &Runner<'_, C>,
        ended: &Ended<'_>,
        journal: Option<Journal<'_, T>>,
    ) -> Lived {
        let facts = std::mem::take(&mut known.facts);
        // What is not kept now, the next look need not see: that what a run has switched on was off.
        let kept = match is_managed(&ended.last) {
            true => self.keep(runner.looks(), facts).await,
            false => Ok(()),
        };
        let began = journal.is_some();
        match journal.and_then(|journal| journal.failed).or(kept.err()) {
            Some(error) => self.not_recorded(ended.clone(), error),
            None => self.finish(&mut known, seed, ended, began).await,
        }
    }

    /// Closes what a killed run has left open, and keeps before that what was seen: the record says
    /// which names the killed run switched on.
    async fn close_killed(
        &self,
        known: &mut Known,
        open: &OpenRun,
        runner: &Runner<'_, C>,
        first: &Assessment,
    ) -> Result<(), CallError> {
        let became = judged(open, first, runner.world());
        let alert = closed_alert(open, &became, self.request, self.baseline);
        let closed = closed_record(open, &became, self.request, self.cloud.now());
        self.keep(runner.looks(), known.facts.clone()).await?;
        self.close(known, closed, alert).await
    }

    async fn keep(&self, looks: Looks<'_>, before: Kept<VpcFacts>) -> Result<(), CallError> {
        keep_facts(self.cloud, self.table, self.request, looks, before).await
    }

    /// A run that is over now, as far as its looks and its steps say.
    fn ended(
        &self,
        runner: &Runner<'_, C>,
        first: Assessment,
        last: Assessment,
        outcomes: Outcomes,
    ) -> Ended<'a> {
        Ended {
            baseline: self.baseline,
            request: self.request,
            started: self.started,
            finished: self.cloud.now(),
            first,
            last,
            outcomes,
            unread: runner.unread().to_vec(),
            nat_traffic: Vec::new(),
            cut_off: Vec::new(),
            look_again: None,
            was_known: false,
            ended: Vec::new(),
            was_off_for: None,
            notes_error: None,
        }
    }

    /// What the run goes by that was there before it.
    fn remembered(&self, known: &Known) -> Remembered {
        let state = known.state.value.as_ref();
        let noted = state.map(|state| state.grace.clone()).unwrap_or_default();
        let facts = known.facts.value.as_ref();
        let grace = match self.request.cause {
            // Somebody has asked for it now.
            Cause::Operator => Grace::none().clone(),
            Cause::Event | Cause::SelectionChanged | Cause::Sweep | Cause::Clock => {
                Grace::of(&noted, facts, &self.request.evidence, self.started)
            }
        };
        let seed = known.open.as_ref().map_or(&self.request.incident, |open| &open.record.seed);
        Remembered {
            facts: Some(facts.cloned()),
            grace,
            seed: seed.clone(),
            calls: self
                .calls
                .iter()
                .cloned()
                .chain(known.open.iter().flat_map(killed::calls_of))
                .collect(),
            made_by_killed_run: known.open.as_ref().map(killed::made_groups).unwrap_or_default(),
        }
    }

    /// Another run may change the VPC: this one is due when that is over.
    async fn give_way(&self, until: Timestamp) -> Lived {
        match self.note_way_given(until).await {
            Ok(()) => Lived::Busy { due: until },
            Err(error) => self.only_look(error).await,
        }
    }

    /// Notes when the VPC is due, and the calls that led to this run, beside those of others that gave
    /// way before it.
    async fn note_way_given(&self, until: Timestamp) -> Result<(), CallError> {
        let RunRequest { scope, evidence, run_id, .. } = self.request;
        let key = ledger::gave_way_key(scope);
        for attempt in 0..TRIES {
            let before = self.table.get(&key).await?;
            let earlier = before.as_ref().map(calls_of).unwrap_or_default();
            let calls = kept_calls(&with_earlier(evidence, &earlier), self.cloud.now());
            let again = LookAgain { at: until, why: "another run was under way".to_owned() };
            let condition = Condition::unchanged(before.as_ref());
            let gave_way = ledger::put(key.clone(), &GaveWay { again, calls }, condition);
            match self.table.commit(&Transaction::one(gave_way)).await? {
                Commit::Made => return Ok(()),
                Commit::Conflict => self.cloud.pause(jitter(run_id, attempt)).await,
            }
        }
        Err(too_many_writers())
    }

    /// What an earlier run gave way for has been looked at now. Where that is not taken, the VPC is
    /// looked at once more.
    async fn no_longer_gives_way(&self, known: &Known) {
        if let Some(item) = &known.gave_way {
            let condition = Condition::Version(item.version);
            let gone = Write::Delete { key: item.key.clone(), condition };
            let _ = self.table.commit(&Transaction::one(gone)).await;
        }
    }

    /// Looks, and changes nothing: the table cannot be read, so that nobody knows what is under way.
    async fn only_look(&self, error: CallError) -> Lived {
        let remembered = Remembered {
            facts: None,
            grace: Grace::none().clone(),
            seed: self.request.incident.clone(),
            calls: self.calls.to_vec(),
            made_by_killed_run: Vec::new(),
        };
        let mut runner = Runner::new(self.cloud, self.baseline, self.request, remembered);
        let first = runner.first_look().await;
        self.unrecorded(&runner, first, error)
    }

    /// The end of a run that has changed nothing because the table does not take it.
    fn unrecorded(&self, runner: &Runner<'_, C>, first: Assessment, error: CallError) -> Lived {
        let now = self.cloud.now();
        let outcomes = recheck::not_recorded(&first.plan, &error, now, self.request.deadline);
        let ended = self.ended(runner, first.clone(), first, outcomes);
        self.not_recorded(ended, error)
    }

    /// The end of a run whose outcome the table does not take. What it changed is told at once.
    fn not_recorded(&self, ended: Ended<'_>, error: CallError) -> Lived {
        let report = report_of(Ended { notes_error: Some(error.clone()), ..ended });
        let alert = report.changed().then(|| tell(&report, self.baseline)).map(Box::new);
        Lived::NotRecorded { report: Box::new(report), error, alert }
    }

    /// Closes the record of a killed run and lets out what it did.
    async fn close(
        &self,
        known: &mut Known,
        closed: RunRecord,
        alert: Option<Alert>,
    ) -> Result<(), CallError> {
        let now = self.cloud.now();
        let more = match alert {
            Some(alert) => {
                let name = format!("{}+killed", closed.run_id);
                told::outgoing(self, &name, &alert, Level::Alarm, now)
            }
            None => Vec::new(),
        };
        let before = known.state.value.clone();
        let state = before.map(|state| VpcState { lease: None, ..state });
        let name = format!("{} closes {}", self.request.run_id, closed.run_id);
        self.commit_end(known, &name, &[closed], state.as_ref(), more).await
    }

    /// Begins: the record, the lease, and that it is open, in one transaction.
    async fn begin(
        &self,
        known: &mut Known,
        seed: &str,
        first: &Assessment,
    ) -> Result<Begun, CallError> {
        let request = self.request;
        for attempt in 0..TRIES {
            let (now, uptime) = (self.cloud.now(), self.cloud.uptime());
            let record = record_of(request, seed, &first.plan, now);
            let lease = Lease::of(&request.run_id, request.deadline);
            let begin = ledger::begin(&known.state, &record, &lease, now);
            match self.table.commit(&begin).await? {
                Commit::Made => {
                    known.state = self.state().await?;
                    return Ok(Begun::Under(LeaseClock::of(&lease, now, uptime)));
                }
                Commit::Conflict => self.cloud.pause(jitter(&request.run_id, attempt)).await,
            }
            known.state = self.state().await?;
            if let Some(lease) = known.leased_to_another(&request.run_id) {
                return Ok(Begun::Late { until: lease.until });
            }
        }
        Err(too_many_writers())
    }

    async fn state(&self) -> Result<Kept<VpcState>, CallError> {
        let item = self.table.get(&ledger::state_key(&self.request.scope)).await?;
        Kept::of(item).map_err(|error| journal::unreadable(&error))
    }

    /// Ends the run by one transaction: outcome, state, what is due, and the alerts that go out.
    async fn finish(&self, known: &mut Known, seed: &str, ended: &Ended<'_>, began: bool) -> Lived {
        for attempt in 0..TRIES {
            let Telling { report, state, is_told, sweep } = self.conclude(known, ended);
            let now = self.cloud.now();
            let mut more = match is_told {
                Some(told::Told::ByItself) => {
                    let alert = tell(&report, self.baseline);
                    told::outgoing(self, &report.run_id, &alert, told::level(&report), now)
                }
                Some(told::Told::WithOthers) => {
                    vec![told::first_contact(&report, &sweep)]
                }
                None => Vec::new(),
            };
            if state.is_none() {
                more.push(Write::Delete {
                    key: ledger::facts_key(&self.request.scope),
                    condition: Condition::Any,
                });
            }
            if is_told.is_some() || began {
                more.extend(told::kept_report(&report, now));
            }
            let own = match began || is_told.is_some() {
                true => vec![conclude::own_record(ended, seed, &report)],
                false => Vec::new(),
            };
            match self.end(known, &self.request.run_id, &own, state.as_ref(), more).await {
                Ok(Commit::Made) => {
                    self.no_longer_gives_way(known).await;
                    let is_told = is_told == Some(told::Told::ByItself);
                    return Lived::Recorded { report: Box::new(report), is_told };
                }
                Ok(Commit::Conflict) => {
                    self.cloud.pause(jitter(&self.request.run_id, attempt)).await;
                }
                Err(error) => return self.not_recorded(ended.clone(), error),
            }
            let before = match self.state().await {
                Ok(state) => std::mem::replace(&mut known.state, state),
                Err(error) => return self.not_recorded(ended.clone(), error),
            };
            let now = self.cloud.now();
            let lease = known.kept_out_by(&self.request.run_id, now);
            // Another run may have seen what is newer. That it left the guardrail's care is told all
            // the same, as only these calls say so.
            let is_told_now = !ended.first.departures.is_empty() && lease.is_none();
            if !began && before.item != known.state.item && !is_told_now {
                return self.give_way(lease.map_or(now, |lease| lease.until)).await;
            }
            let lost = |lease: &Lease| lease.run_id != self.request.run_id;
            let lease = known.state.value.as_ref().and_then(|state| state.lease.as_ref());
            if began && lease.is_none_or(lost) {
                // Another run has closed this one's record, and tells of it.
                return self.not_recorded(ended.clone(), too_many_writers());
            }
        }
        self.not_recorded(ended.clone(), too_many_writers())
    }

    /// What the run comes to, in view of what is known by now.
    fn conclude(&self, known: &Known, ended: &Ended<'_>) -> Telling {
        let before = known.state.value.as_ref().filter(|state| state.looked.is_some());
        let in_vain = before.map_or(0, |state| state.in_vain);
        let in_vain = if is_in_vain(&ended.outcomes) { in_vain.saturating_add(1) } else { 0 };
        let again = conclude::another_run_helps_after(ended);
        let at = again.then(|| tried_again_at(ended.finished, in_vain));
        let look_again = look_again(&ended.outcomes, &ended.last.plan, at);
        let in_vain = if look_again.is_some() { in_vain } else { 0 };
        told::conclude(before, known.first_seen, Ended { look_again, ..ended.clone() }, in_vain)
    }

    async fn commit_end(
        &self,
        known: &mut Known,
        name: &str,
        closed: &[RunRecord],
        state: Option<&VpcState>,
        more: Vec<Write>,
    ) -> Result<(), CallError> {
        match self.end(known, name, closed, state, more).await? {
            Commit::Made => {
                known.state = self.state().await?;
                Ok(())
            }
            // Another run was quicker at closing it: it goes on from there.
            Commit::Conflict => Err(too_many_writers()),
        }
    }

    async fn end(
        &self,
        known: &Known,
        name: &str,
        closed: &[RunRecord],
        state: Option<&VpcState>,
        more: Vec<Write>,
    ) -> Result<Commit, CallError> {
        let finish = ledger::finish(crate::history::Finish {
            scope: &self.request.scope,
            name,
            before: &known.state,
            state,
            closed,
            more,
            now: self.cloud.now(),
        });
        self.table.commit(&finish).await
    }
}

/// Whether the VPC is looked after, as far as could be seen.
fn is_managed(seen: &Assessment) -> bool {
    match seen.standing {
        VpcStanding::Managed(_) | VpcStanding::Unobserved => true,
        VpcStanding::NotManaged(_) | VpcStanding::Missing => false,
    }
}

/// Whether a run may make changes now.
enum Begun {
    /// It may, as long as this lease lasts.
    Under(LeaseClock),
    /// Another one was quicker, and has a lease until then.
    Late { until: Timestamp },
}

#[cfg(test)]
mod tests;
