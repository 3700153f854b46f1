//! What of a run goes out, and what is known of the VPC from then on.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::conclude::{Ended, report_of};
use super::{Life, is_managed};
use crate::baseline::{Baseline, Mode, RuleId};
use crate::ec2::change::Action;
use crate::ec2::id::ServiceName;
use crate::history::first_contact::FirstContact;
use crate::history::ledger::report_writes;
use crate::history::news::{Left, Look, News, Sees, decide};
use crate::history::outgoing::{Level, writes};
use crate::history::packed::pack;
use crate::history::{Alert, VpcState, Write};
use crate::plan::{Hold, Plan, Task};
use crate::report::alert::alert;
use crate::report::{Cause, Found, Report, Verdict};
use crate::rules::finding::Drift;
use crate::rules::left_alone::LeftAloneReason;

/// A run's report, what is known of the VPC from now on, and who is told.
pub(super) struct Telling {
    pub(super) report: Report,
    /// `None` where nothing is to be known of the VPC, because it is not looked after.
    pub(super) state: Option<VpcState>,
    pub(super) is_told: Option<Told>,
}

/// How a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// In an alert of its own.
    ByItself,
    /// In the summary of the sweep that found the VPC for the first time.
    WithOthers,
}

/// What tells a finding from every other one, and from itself once it has changed.
pub fn fingerprint(found: &Drift) -> String {
    let said = serde_json::to_string(found).unwrap_or_else(|_| found.to_string());
    let digest = Sha256::digest(said.as_bytes());
    digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}

/// What a run comes to, after what was known `before`.
pub(super) fn conclude(
    before: Option<&VpcState>,
    first_seen: Option<Timestamp>,
    ended: Ended<'_>,
    in_vain: u32,
) -> Telling {
    let report = report_of(ended.clone());
    let graces = graces(before, &ended.last.plan, &report);
    let look = look(&report, &ended, &graces, first_seen);
    let decided = decide(before, &look);
    let is_told = match decided.news {
        News::Nothing => None,
        News::Tell => Some(Told::ByItself),
        News::FirstContact => Some(Told::WithOthers),
    };
    let state = VpcState {
        looked: Some(look.at),
        standing: decided.standing,
        off_since: decided.off_since,
        blind: decided.blind,
        grace: graces,
        look_again: ended.look_again.clone(),
        in_vain,
        lease: None,
    };
    let report =
        report_of(Ended { ended: decided.ended, was_off_for: decided.was_off_for, ..ended });
    // Where the baseline wants nobody told, nobody is told of what could not be seen either.
    let is_silent = report.mode == Mode::Observe
        && !report.changed()
        && look.left.is_empty()
        && report.ended.is_empty();
    Telling {
        is_told: is_told.filter(|_| !is_silent),
        state: look.managed.then_some(state),
        report,
    }
}

/// Whether a VPC was first seen a short while ago.
fn is_new(first_seen: Option<Timestamp>, now: Timestamp) -> bool {
    const NEW: SignedDuration = SignedDuration::from_mins(30);
    first_seen.is_none_or(|seen| now.duration_since(seen) < NEW)
}

fn look(
    report: &Report,
    ended: &Ended<'_>,
    graces: &BTreeMap<ServiceName, Timestamp>,
    first_seen: Option<Timestamp>,
) -> Look {
    let is_told = |found: &&Found| !found.repaired && found.mode != Mode::Observe;
    let left = report.findings.iter().filter(is_told).map(|found| Left {
        rule: found.rule,
        fingerprint: fingerprint(&found.drift),
        summary: found.summary.clone(),
        passes: passes(found, ended, graces),
    });
    Look {
        at: ended.finished,
        left: left.collect(),
        managed: is_managed(&ended.last),
        sees: sees(report),
        done: report.changed()
            || report.was_managed
            || (!report.departures.is_empty() && report.mode != Mode::Observe),
        is_first_contact: report.cause == Cause::Sweep && is_new(first_seen, ended.finished),
    }
}

/// Whether a finding is expected to go by itself within minutes.
fn passes(found: &Found, ended: &Ended<'_>, graces: &BTreeMap<ServiceName, Timestamp>) -> bool {
    let in_grace = |service| graces.get(service).is_some_and(|until| *until > ended.finished);
    let comes = |finding: &crate::rules::finding::Finding| {
        finding.drift == found.drift && finding.comes_by_itself()
    };
    found.drift.service().is_some_and(in_grace) || ended.last.findings.iter().any(comes)
}

/// Until when endpoints are left to tools: as it was noted while the endpoint is missing still, or
/// as the last plan holds its step.
fn graces(
    before: Option<&VpcState>,
    last: &Plan,
    report: &Report,
) -> BTreeMap<ServiceName, Timestamp> {
    let noted = before.map(|state| state.grace.clone()).unwrap_or_default();
    let is_missing = |service: &ServiceName| {
        let left = report.findings.iter().filter(|found| !found.repaired);
        left.filter(|found| found.rule.makes_endpoints())
            .any(|found| found.drift.service() == Some(service))
    };
    let held = last.steps.iter().filter_map(|step| match (&step.task, &step.held) {
        (Task::Change(Action::CreateEndpoint { service, .. }), Some(Hold::Grace { until })) => {
            Some((service.clone(), *until))
        }
        (Task::Change(_) | Task::Await(_), _) => None,
    });
    let kept = noted.into_iter().filter(|(service, _)| is_missing(service));
    held.chain(kept).collect()
}

/// Whether the run saw everything.
fn sees(report: &Report) -> Sees {
    let denied = report.unread.iter().filter(|unread| !unread.error.class.passes());
    let mut hidden: Vec<String> =
        denied.map(|unread| format!("{} {:?}", unread.section, unread.error.code)).collect();
    if report.unread.is_empty() && report.verdict == Verdict::Incomplete {
        let not_seen = report
            .left_alone
            .iter()
            .filter(|left| matches!(left.reason, LeftAloneReason::NotObserved { .. }));
        hidden.extend(not_seen.map(|left| left.what.clone()));
    }
    match (hidden.is_empty(), report.unread.is_empty()) {
        (false, _) => {
            let digest = Sha256::digest(hidden.join("\n").as_bytes());
            Sees::Never(digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect())
        }
        (true, false) => Sees::NotYet,
        (true, true) => Sees::All,
    }
}

/// The alert of a report.
pub(super) fn tell(report: &Report, baseline: &Baseline) -> Alert {
    alert(report, baseline)
}

/// The alert as it waits in the table until it is told.
pub(super) fn outgoing<C, T>(
    life: &Life<'_, C, T>,
    run_id: &str,
    alert: &Alert,
    level: Level,
    now: Timestamp,
) -> Vec<Write> {
    let place = life.request.scope.place();
    writes(&place, run_id, alert, level, life.destinations, now)
}

/// That a sweep has found the VPC for the first time.
pub(super) fn first_contact(report: &Report, sweep: &str) -> Write {
    let mut findings: BTreeMap<RuleId, u32> = BTreeMap::new();
    for found in report.findings.iter().filter(|found| found.mode != Mode::Observe) {
        *findings.entry(found.rule).or_default() += 1;
    }
    let first = FirstContact {
        vpc: report.scope.vpc.clone(),
        vpc_name: report.vpc_name.clone(),
        sweep: sweep.to_owned(),
        verdict: report.verdict.to_string().replace(' ', "-"),
        findings,
        since: report.finished,
    };
    first.write(&report.scope.place())
}

/// The whole report, as it is kept with the run's record; nothing where it is too long even
/// compressed, as the log has it too.
pub(super) fn kept_report(report: &Report, now: Timestamp) -> Vec<Write> {
    let bodies = serde_json::to_string(report).ok().and_then(|text| pack(&text).ok());
    report_writes(&report.scope, &report.run_id, bodies.unwrap_or_default(), now)
}
