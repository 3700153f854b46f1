//! What of a run goes out, and what is known of the VPC from then on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::assess::Assessment;
use super::conclude::{Ended, known, report_of};
use super::{Life, is_managed};
use crate::baseline::{Baseline, Mode, RuleId};
use crate::ec2::change::Action;
use crate::ec2::id::ServiceName;
use crate::history::first_contact::FirstContact;
use crate::history::ledger::report_writes;
use crate::history::news::{Left, Look, News, Sees, decide};
use crate::history::outgoing::{Level, writes};
use crate::history::packed::pack;
use crate::history::{Alert, Blind, ExemptedLeft, ExemptedStanding, VpcState, Write, kept_calls};
use crate::plan::{Hold, Plan, Task};
use crate::report::alert::alert;
use crate::report::{Cause, Found, Report, Verdict};
use crate::rules::exemptions::InVain;
use crate::rules::finding::Drift;

/// A run's report, what is known of the VPC from now on, and who is told.
pub(super) struct Telling {
    pub(super) report: Report,
    /// `None` where nothing is to be known of the VPC, because it is not looked after.
    pub(super) state: Option<VpcState>,
    pub(super) is_told: Option<Told>,
    /// The sweep whose summary a first contact belongs into.
    pub(super) sweep: String,
}

/// How a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// In an alert of its own.
    ByItself,
    /// In the summary of the sweep that found the VPC for the first time.
    WithOthers,
}

/// How urgent a run's alert is: what the run may have cut off waits for no limit.
pub(super) fn level(report: &Report) -> Level {
    if report.cut_off.is_empty() { Level::News } else { Level::Alarm }
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
    // What the report calls repaired was found once more, and is told as that.
    let repaired: Vec<String> = report
        .findings
        .iter()
        .filter(|found| found.repaired)
        .map(|found| fingerprint(&found.drift))
        .collect();
    let has_ended = !decided.ended.is_empty();
    let gone = decided.ended.into_iter().filter(|it| !repaired.contains(&it.fingerprint)).collect();
    let mut report =
        report_of(Ended { ended: gone, was_off_for: decided.was_off_for, ..ended.clone() });
    for exempted in &mut report.exempted {
        let fingerprint = fingerprint(&exempted.drift);
        let known = decided.exempted.iter().find(|it| it.key() == (&fingerprint, exempted.until));
        exempted.set_by = known.and_then(|known| known.set_by.clone());
    }
    // Where the baseline wants nobody told, nobody is told of what could not be seen either.
    let is_silent = report.mode == Mode::Observe
        && !report.may_have_changed()
        && look.left.is_empty()
        && !has_ended;
    let was_told = |blind: &Blind| {
        let before = before.and_then(|state| state.blind.as_ref());
        before.is_some_and(|it| it.told && it.fingerprint == blind.fingerprint)
    };
    let blind =
        decided.blind.map(|it| Blind { told: it.told && (!is_silent || was_told(&it)), ..it });
    // Who took something out of the guardrail's care was told, and would be told again.
    let calls = match ended.look_again.is_some() && report.departures.is_empty() {
        true => kept_calls(&ended.request.evidence, look.at),
        false => Vec::new(),
    };
    let sweep = before.and_then(|state| state.first_contact.as_ref());
    let sweep = sweep.unwrap_or(&ended.request.incident).clone();
    let was_off = before.is_some_and(|state| state.off_since.is_some());
    let state = VpcState {
        looked: Some(look.at),
        standing: decided.standing,
        exempted: decided.exempted,
        exempting_nothing: decided.exempting_nothing,
        off_since: decided.off_since.filter(|_| !is_silent || was_off),
        blind,
        grace: graces,
        look_again: ended.look_again,
        first_contact: decided.owes_first_contact.then(|| sweep.clone()),
        calls,
        in_vain,
        lease: None,
    };
    Telling {
        is_told: is_told.filter(|_| !is_silent),
        sweep,
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
    let baseline = ended.baseline.under(known(&ended.first, &ended.last));
    let mode = |rule| baseline.mode_of(rule);
    let remaining = remaining(report, &ended.last);
    let (told, untold): (Vec<Remaining<'_>>, Vec<Remaining<'_>>) =
        remaining.into_iter().partition(|one| mode(one.rule) != Mode::Observe);
    let left = told.into_iter().map(|one| Left {
        rule: one.rule,
        fingerprint: fingerprint(one.drift),
        summary: one.drift.to_string(),
        passes: one.comes_by_itself || is_in_grace(one.drift, ended, graces),
    });
    let untold = untold.into_iter().filter(|one| !one.rule.is_advice());
    Look {
        at: ended.finished,
        left: left.collect(),
        untold: untold.map(|one| fingerprint(one.drift)).collect(),
        exempted: exempted_left(report, &ended.last.plan),
        exempting_nothing: exempting_nothing(&ended.last.plan),
        managed: is_managed(&ended.last),
        sees: sees(report, &ended.last),
        done: report.may_have_changed()
            || report.was_managed
            || (!report.departures.is_empty() && report.mode != Mode::Observe),
        is_first_contact: report.cause == Cause::Sweep && is_new(first_seen, ended.finished),
        is_by_itself: matches!(report.cause, Cause::Sweep | Cause::Clock),
    }
}

/// What is exempted when a run ends, of what subscribers would be told of.
fn exempted_left(report: &Report, last: &Plan) -> Vec<ExemptedLeft> {
    let both = report.exempted.iter().zip(&last.exempted);
    let told = both.filter(|(exempted, _)| exempted.mode != Mode::Observe);
    let left = told.map(|(exempted, of)| ExemptedLeft {
        standing: ExemptedStanding {
            rule: exempted.rule,
            fingerprint: fingerprint(&exempted.drift),
            summary: exempted.summary.clone(),
            since: report.finished,
            until: exempted.until,
            exemption: exempted.exemption(),
            set_by: exempted.set_by.clone(),
            lapse_told: false,
        },
        whole: fingerprint(&of.whole),
    });
    left.collect()
}

/// What tells the exemptions that exempt nothing from each other; one that is over is told with what
/// it exempted, which is found again.
pub fn exempting_nothing(plan: &Plan) -> BTreeSet<String> {
    plan.in_vain.iter().filter(|it| !it.why.is_over()).map(InVain::name).collect()
}

/// Something that is not as the baseline wants it when a run ends.
struct Remaining<'a> {
    rule: RuleId,
    drift: &'a Drift,
    comes_by_itself: bool,
}

/// What is not as the baseline wants it when a run ends: as it was seen last, because that is what a
/// sweep compares with; and what the report calls unrepaired and the last look has no other word for.
fn remaining<'a>(report: &'a Report, last: &'a Assessment) -> Vec<Remaining<'a>> {
    let is_said = |found: &Found| {
        last.findings.iter().any(|finding| {
            let same_service = || {
                let service = finding.drift.service();
                service.is_some() && service == found.drift.service()
            };
            finding.drift.is_about_the_same_as(&found.drift)
                || (finding.comes_by_itself() && same_service())
        })
    };
    let seen_last = last.findings.iter().map(|finding| Remaining {
        rule: finding.rule,
        drift: &finding.drift,
        comes_by_itself: finding.comes_by_itself(),
    });
    let left = report.findings.iter().filter(|found| !found.repaired && !is_said(found));
    let left = left.map(|found| Remaining {
        rule: found.rule,
        drift: &found.drift,
        comes_by_itself: false,
    });
    seen_last.chain(left).collect()
}

/// Whether an endpoint is left to a tool that may be about to make it.
fn is_in_grace(
    drift: &Drift,
    ended: &Ended<'_>,
    graces: &BTreeMap<ServiceName, Timestamp>,
) -> bool {
    let until = drift.service().and_then(|service| graces.get(service));
    until.is_some_and(|until| *until > ended.finished)
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
fn sees(report: &Report, last: &Assessment) -> Sees {
    let denied = report.unread.iter().filter(|unread| !unread.error.class.passes());
    let mut hidden: Vec<String> =
        denied.map(|unread| format!("{} {:?}", unread.section, unread.error.code)).collect();
    if report.unread.is_empty() && report.verdict == Verdict::Incomplete {
        hidden.extend(last.not_observed().map(|left| left.what.clone()));
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
