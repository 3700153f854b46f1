//! The report of a run, from what was seen first, what was done and what was seen last.

use jiff::{SignedDuration, Timestamp};

use super::RunRequest;
use super::assess::{Assessment, VpcStanding};
use super::killed::Judged;
use super::memory::OpenRun;
use super::recheck::{Outcomes, StillPlanned, known_group, still_planned};
use crate::baseline::{Baseline, Mode, VpcOverride};
use crate::cloud::{Applied, CallError, NatTraffic, Unread};
use crate::ec2::change::Action;
use crate::ec2::id::{Scope, ServiceName};
use crate::ec2::resource_id::ResourceId;
use crate::event::Evidence;
use crate::history::{Closed, LookAgain, RecordedStep, RunRecord, Standing};
use crate::plan::{Condition, Hold, Plan, Step, StepId, Task};
use crate::report;
use crate::report::commands::{self, RoutesAtStake};
use crate::report::{
    Cause, ExemptedFinding, ExemptingNothing, Found, Next, Outcome, Report, StepReport, VERSION,
    Verdict,
};
use crate::rules::exemptions::{Exempted, ExemptedIn, InVain};
use crate::rules::finding::Finding;

/// A run that is over.
#[derive(Clone)]
pub(super) struct Ended<'a> {
    pub(super) baseline: &'a Baseline,
    pub(super) request: &'a RunRequest,
    pub(super) started: Timestamp,
    pub(super) finished: Timestamp,
    pub(super) first: Assessment,
    pub(super) last: Assessment,
    pub(super) outcomes: Outcomes,
    pub(super) unread: Vec<Unread>,
    /// What the NAT gateways carried whose routes the first plan removes.
    pub(super) nat_traffic: Vec<NatTraffic>,
    /// What probes did not reach once routes were removed.
    pub(super) cut_off: Vec<report::CutOff>,
    pub(super) look_again: Option<LookAgain>,
    /// Whether the VPC was known as looked after before.
    pub(super) was_known: bool,
    /// What was told and has ended.
    pub(super) ended: Vec<Standing>,
    /// How long the VPC was off its baseline, when it is back on it.
    pub(super) was_off_for: Option<SignedDuration>,
    pub(super) notes_error: Option<CallError>,
}

/// Tells what was found and done.
pub(super) fn report_of(ended: Ended<'_>) -> Report {
    let again = another_run_helps_after(&ended);
    let Ended {
        baseline,
        request,
        started,
        finished,
        first,
        last,
        outcomes,
        unread,
        nat_traffic,
        cut_off,
        look_again,
        was_known,
        ended: told,
        was_off_for,
        notes_error,
    } = ended;
    let known = known(&first, &last).cloned();
    let baseline = &*baseline.under(known.as_ref());
    let findings = findings(baseline, &first, &last, &outcomes);
    let exempted = last.plan.exempted.iter().map(|it| exempted(it, baseline, request)).collect();
    let verdict = verdict(&first, &last, &findings);
    let cause = cause(request, &first);
    let taken = taken(&first.plan, &outcomes);
    let routes = at_stake(&taken, &first);
    let steps = first.plan.steps.iter();
    let steps = steps.map(|step| step_report(step, &outcomes, &request.scope, routes)).collect();
    // What is left is asked of the last look: what the run did need not be done by hand.
    let script = commands::script(&last.plan, &last.reliances, &request.scope, baseline.settling);
    let undo_script = commands::undo_script(&taken, &first.at_stake, &request.scope, |group| {
        known_group(group, &outcomes)
    });
    let vpc_name = match first.standing {
        VpcStanding::Managed(name) | VpcStanding::NotManaged(name) => name,
        VpcStanding::Missing | VpcStanding::Unobserved => None,
    };
    let was_managed = was_known && verdict == Verdict::NotManaged && first.departures.is_empty();
    Report {
        version: VERSION,
        run_id: request.run_id.clone(),
        scope: request.scope.clone(),
        vpc_name,
        cause,
        evidence: request.evidence.clone(),
        mode: baseline.mode,
        modes_of_override: known.is_some_and(|known| known.says_modes()),
        started,
        finished,
        verdict,
        departures: first.departures,
        findings,
        exempted,
        exempting_nothing: last.plan.in_vain.iter().map(exempting_nothing).collect(),
        steps,
        costs: first.costs,
        advice: first.advice,
        nat_traffic,
        cut_off,
        left_alone: first.plan.left_alone,
        unread,
        script,
        undo_script,
        next: if again { Next::Again } else { Next::Settled },
        look_again,
        was_managed,
        ended: told.into_iter().map(gone).collect(),
        was_off_for_seconds: was_off_for.map(|time| time.as_secs()),
        notes_error,
    }
}

fn gone(Standing { rule, summary, since, .. }: Standing) -> report::Ended {
    report::Ended { rule, summary, since }
}

/// What a run writes down before its first change.
pub(super) fn record_of(
    request: &RunRequest,
    seed: &str,
    plan: &Plan,
    now: Timestamp,
) -> RunRecord {
    let changes = plan.steps.iter().filter(|step| step.mode == Mode::Repair && step.held.is_none());
    let steps = changes.filter_map(|step| match &step.task {
        Task::Change(action) => Some(RecordedStep {
            id: step.id,
            action: action.clone(),
            before: action.before(),
            inverse: commands::inverse(action, &request.scope),
        }),
        Task::Await(_) => None,
    });
    RunRecord {
        run_id: request.run_id.clone(),
        scope: request.scope.clone(),
        seed: seed.to_owned(),
        cause: request.cause.to_string(),
        began: now,
        steps: steps.collect(),
        closed: None,
    }
}

/// The record of a run that has come to its end.
pub(super) fn own_record(ended: &Ended<'_>, seed: &str, report: &Report) -> RunRecord {
    let is_change = |step: &&StepReport| match &step.outcome {
        Outcome::Done(applied) => step.command.is_some() && *applied != Applied::Already,
        Outcome::FoundMade(_) => true,
        Outcome::Ready
        | Outcome::Planned
        | Outcome::NotAllowed(_)
        | Outcome::Held(_)
        | Outcome::Stale
        | Outcome::Skipped { .. }
        | Outcome::Failed(_)
        | Outcome::RecheckFailed(_)
        | Outcome::TimedOut
        | Outcome::WillNotBeReady { .. }
        | Outcome::OutOfTime
        | Outcome::NotRecorded(_) => false,
    };
    let closed = Closed {
        at: ended.finished,
        by: report.run_id.clone(),
        verdict: report.verdict.to_string(),
        changes: report.steps.iter().filter(is_change).count(),
    };
    let record = record_of(ended.request, seed, &ended.first.plan, ended.started);
    RunRecord { closed: Some(closed), ..record }
}

/// The record of a killed run, closed by this one.
pub(super) fn closed_record(
    open: &OpenRun,
    judged: &Judged,
    request: &RunRequest,
    now: Timestamp,
) -> RunRecord {
    let closed = Closed {
        at: now,
        by: request.run_id.clone(),
        verdict: "killed".to_owned(),
        changes: judged.iter().filter(|(_, became)| became.may_be_made()).count(),
    };
    RunRecord { closed: Some(closed), ..open.record.clone() }
}

/// The override by which a run went: that of the first look, by which it planned.
pub(super) fn known<'a>(first: &'a Assessment, last: &'a Assessment) -> Option<&'a VpcOverride> {
    match first.standing {
        VpcStanding::Managed(_) => first.known.as_ref(),
        VpcStanding::NotManaged(_) | VpcStanding::Missing | VpcStanding::Unobserved => {
            last.known.as_ref()
        }
    }
}

/// Whether a later run may do more than this one without anybody's doing.
pub(super) fn another_run_helps_after(ended: &Ended<'_>) -> bool {
    another_run_helps(&ended.first.plan, &ended.last.plan, &ended.outcomes)
        || ended.unread.iter().any(|unread| unread.error.class.passes())
        // An endpoint comes up without a call that anybody would hear of.
        || ended.last.findings.iter().any(Finding::comes_by_itself)
}

/// What was found first, and whether it is gone; and what came to light at the last look.
fn findings(
    baseline: &Baseline,
    first: &Assessment,
    last: &Assessment,
    outcomes: &Outcomes,
) -> Vec<Found> {
    let pending = services_not_come(&first.plan, outcomes);
    let still_managed = matches!(last.standing, VpcStanding::Managed(_));
    let repaired = |finding: &Finding| {
        (still_managed && last.complete)
            && !last.findings.iter().any(|left| left.drift.is_about_the_same_as(&finding.drift))
            && !finding.drift.service().is_some_and(|service| pending.contains(&service))
    };
    // What was exempted meanwhile is told as that.
    let is_exempted = |finding: &&Finding| {
        let same = |it: &Finding| it.drift.is_about_the_same_as(&finding.drift);
        last.plan.exempted.iter().any(|it| it.whole.is_about_the_same_as(&finding.drift))
            && !last.findings.iter().any(same)
    };
    let first_seen = first.findings.iter().filter(|finding| !is_exempted(finding));
    let first_seen = first_seen.map(|finding| (finding, repaired(finding)));
    let is_new =
        |finding: &&Finding| !first.findings.iter().any(|seen| seen.is_same_drift(finding));
    // That the endpoint is not up yet, the step that waited for it says.
    let is_waited_for = |finding: &&Finding| {
        finding.comes_by_itself()
            && finding.drift.service().is_some_and(|service| pending.contains(&service))
    };
    let new = last.findings.iter().filter(is_new).filter(|finding| !is_waited_for(finding));
    let new = new.map(|finding| (finding, false));
    first_seen.chain(new).map(|(finding, repaired)| found(finding, repaired, baseline)).collect()
}

/// What led to the run: a call that took something out of the guardrail's care is told as that.
fn cause(request: &RunRequest, first: &Assessment) -> Cause {
    match first.departures.as_slice() {
        [] => request.cause,
        [_, ..] => Cause::SelectionChanged,
    }
}

fn verdict(first: &Assessment, last: &Assessment, findings: &[Found]) -> Verdict {
    let left = || findings.iter().filter(|found| !found.repaired);
    match first.standing {
        VpcStanding::Missing => Verdict::NoSuchVpc,
        VpcStanding::NotManaged(_) => Verdict::NotManaged,
        VpcStanding::Unobserved => Verdict::Incomplete,
        VpcStanding::Managed(_) if left().any(|found| !found.rule.is_advice()) => {
            Verdict::DriftLeft
        }
        VpcStanding::Managed(_) if !last.complete || last.not_observed().next().is_some() => {
            Verdict::Incomplete
        }
        VpcStanding::Managed(_) if left().next().is_some() => Verdict::Advised,
        VpcStanding::Managed(_) if findings.is_empty() => Verdict::Compliant,
        VpcStanding::Managed(_) => Verdict::Repaired,
    }
}

/// The services whose endpoints were waited for in vain: they exist, but do not serve yet.
fn services_not_come<'p>(plan: &'p Plan, outcomes: &Outcomes) -> Vec<&'p ServiceName> {
    let in_vain = |step: &&Step| {
        matches!(outcomes.get(&step.id), Some(Outcome::TimedOut | Outcome::WillNotBeReady { .. }))
    };
    let service = |step: &'p Step| match &step.task {
        Task::Await(Condition::Ready { service, .. }) => Some(service),
        Task::Await(Condition::Gone { .. }) | Task::Change(_) => None,
    };
    plan.steps.iter().filter(in_vain).filter_map(service).collect()
}

/// Whether a later run may do more without anybody's doing. One that stopped at its limits only
/// counts if it got somewhere, or calls that always fail would keep the rest waiting for ever; and
/// what came to light on the way counts.
fn another_run_helps(first: &Plan, last: &Plan, outcomes: &Outcomes) -> bool {
    let got_somewhere = outcomes.values().any(|outcome| matches!(outcome, Outcome::Done(_)));
    let passes = |outcome: &Outcome| {
        let rests = matches!(outcome, Outcome::Held(Hold::RunLimit | Hold::RoutesFirst));
        outcome.may_pass() && (got_somewhere || !rests)
    };
    let came_to_light = |step: &Step| match &step.task {
        Task::Change(action) => {
            let waits = matches!(step.held, Some(Hold::Settling { .. }));
            step.mode == Mode::Repair
                && !waits
                && still_planned(action, first) == StillPlanned::Changed
        }
        Task::Await(_) => false,
    };
    // The answer was lost, and what rests on the step waited for it; what it made was found since.
    let found_made = |id: &StepId| matches!(outcomes.get(id), Some(Outcome::FoundMade(_)));
    let can_go_on =
        |outcome: &Outcome| matches!(outcome, Outcome::Skipped { because } if found_made(because));
    outcomes.values().any(|outcome| passes(outcome) || can_go_on(outcome))
        || last.steps.iter().any(came_to_light)
}

fn found(finding: &Finding, repaired: bool, baseline: &Baseline) -> Found {
    Found {
        rule: finding.rule,
        mode: baseline.mode_of(finding.rule),
        summary: finding.drift.to_string(),
        drift: finding.drift.clone(),
        repaired,
    }
}

fn exempted(of: &Exempted, baseline: &Baseline, request: &RunRequest) -> ExemptedFinding {
    let Exempted { finding, whole: _, by } = of;
    let set_by = match by.written {
        ExemptedIn::Tag => request.evidence.iter().rev().find(|call| sets_exemption(call, &by.on)),
        ExemptedIn::Baseline => None,
    };
    ExemptedFinding {
        rule: finding.rule,
        mode: baseline.mode_of(finding.rule),
        summary: finding.drift.to_string(),
        drift: finding.drift.clone(),
        on: by.on.clone(),
        written: by.written,
        until: by.exemption.until,
        reason: by.exemption.reason.clone(),
        set_by: set_by.map(|call| call.actor().into_owned()),
    }
}

/// Whether a call that nobody only claims set the tag that exempts this.
fn sets_exemption(call: &Evidence, on: &ResourceId) -> bool {
    call.claimed_by.is_none()
        && call.is_of_interest()
        && call.tagging.as_ref().is_some_and(|tagging| tagging.exempts(on))
}

fn exempting_nothing(of: &InVain) -> ExemptingNothing {
    ExemptingNothing { on: of.on.clone(), written: of.written, why: of.why.to_string() }
}

/// The steps that the run took, with what became of each.
fn taken<'p>(plan: &'p Plan, outcomes: &'p Outcomes) -> Vec<commands::Taken<'p>> {
    let taken = plan.steps.iter().filter_map(|step| match (&step.task, outcomes.get(&step.id)) {
        (Task::Change(action), Some(Outcome::Done(applied))) => Some((step.id, action, applied)),
        (Task::Change(_) | Task::Await(_), _) => None,
    });
    taken.collect()
}

/// Whether a route that the run deleted, or that is to go later, counts on what the run made.
fn at_stake(taken: &[commands::Taken<'_>], first: &Assessment) -> RoutesAtStake {
    let is_deleted = |(_, action, applied): &commands::Taken<'_>| {
        matches!(action, Action::DeleteRoute { .. }) && **applied != Applied::Already
    };
    match taken.iter().any(is_deleted) || !first.at_stake.is_empty() {
        true => RoutesAtStake::Yes,
        false => RoutesAtStake::No,
    }
}

fn step_report(
    step: &Step,
    outcomes: &Outcomes,
    scope: &Scope,
    routes: RoutesAtStake,
) -> StepReport {
    let outcome = outcomes.get(&step.id).cloned().unwrap_or(Outcome::OutOfTime);
    let (command, undo) = match (&step.task, &outcome) {
        (Task::Change(action), Outcome::Done(applied)) => (
            Some(commands::of(step, action, scope)),
            commands::undo(action, applied, scope, routes, |g| known_group(g, outcomes)),
        ),
        (Task::Change(action), Outcome::FoundMade(_)) => {
            (Some(commands::of(step, action, scope)), Some(commands::inverse(action, scope)))
        }
        (Task::Change(action), _) => (Some(commands::of(step, action, scope)), None),
        (Task::Await(_), _) => (None, None),
    };
    StepReport {
        id: step.id,
        rules: step.rules.clone(),
        summary: step.task.to_string(),
        command,
        after: step.after.clone(),
        outcome,
        undo,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{CallError, ErrorClass};

    #[test]
    fn what_waited_for_a_call_whose_answer_was_lost_goes_on_once_its_change_shows() {
        let lost = CallError {
            operation: "CreateSecurityGroup".into(),
            class: ErrorClass::Transient,
            code: None,
            message: "no answer".to_owned(),
        };
        let (made, next) = (StepId(1), StepId(2));
        let found = (made, Outcome::FoundMade(lost));
        let skipped = (next, Outcome::Skipped { because: made });
        let helps = |outcomes: &[(StepId, Outcome)]| {
            let outcomes = outcomes.iter().cloned().collect();
            another_run_helps(&Plan::default(), &Plan::default(), &outcomes)
        };
        assert!(helps(&[found.clone(), skipped.clone()]));
        assert!(!helps(&[found]), "nothing waited for it");
        assert!(!helps(&[skipped]), "nothing came of it");
    }
}
