//! The report of a run, from what was seen first, what was done and what was seen last.

use jiff::Timestamp;

use super::RunRequest;
use super::assess::{Assessment, VpcStanding};
use super::recheck::{Outcomes, StillPlanned, known_group, still_planned};
use crate::baseline::{Baseline, Mode};
use crate::cloud::{Applied, CallError, NatTraffic, Unread};
use crate::ec2::change::Action;
use crate::ec2::id::{Scope, ServiceName};
use crate::history::LookAgain;
use crate::plan::{Condition, Hold, Plan, Step, Task};
use crate::report::commands::{self, RoutesAtStake};
use crate::report::{Cause, Found, Next, Outcome, Report, StepReport, VERSION, Verdict};
use crate::rules::finding::Finding;
use crate::rules::left_alone::LeftAloneReason;

/// A run that is over.
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
    pub(super) look_again: Option<LookAgain>,
    pub(super) notes_error: Option<CallError>,
}

/// Tells what was found and done.
pub(super) fn report(ended: Ended<'_>) -> Report {
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
        look_again,
        notes_error,
    } = ended;
    let pending = services_not_come(&first.plan, &outcomes);
    let still_managed = matches!(last.standing, VpcStanding::Managed(_));
    let repaired = |finding: &Finding| {
        (still_managed && last.complete)
            && !last.findings.iter().any(|left| left.drift.is_about_the_same_as(&finding.drift))
            && !finding.drift.service().is_some_and(|service| pending.contains(&service))
    };
    let first_seen = first.findings.iter().map(|finding| (finding, repaired(finding)));
    let is_new =
        |finding: &&Finding| !first.findings.iter().any(|seen| seen.is_same_drift(finding));
    // That the endpoint is not up yet, the step that waited for it says.
    let is_waited_for = |finding: &&Finding| {
        finding.comes_by_itself()
            && finding.drift.service().is_some_and(|service| pending.contains(&service))
    };
    let new = last.findings.iter().filter(is_new).filter(|finding| !is_waited_for(finding));
    let new = new.map(|finding| (finding, false));
    let findings: Vec<Found> = first_seen
        .chain(new)
        .map(|(finding, repaired)| found(finding, repaired, baseline))
        .collect();
    let verdict = verdict(&first, &last, &findings);
    let again = another_run_helps(&first.plan, &last.plan, &outcomes)
        || unread.iter().any(|unread| unread.error.class.passes());
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
    Report {
        version: VERSION,
        run_id: request.run_id.clone(),
        scope: request.scope.clone(),
        vpc_name,
        cause,
        evidence: request.evidence.clone(),
        mode: baseline.mode,
        started,
        finished,
        verdict,
        departures: first.departures,
        findings,
        steps,
        advice: first.advice,
        nat_traffic,
        left_alone: first.plan.left_alone,
        unread,
        script,
        undo_script,
        next: if again { Next::Again } else { Next::Settled },
        look_again,
        notes_error,
    }
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
        VpcStanding::Managed(_) if !last.complete || cannot_tell(&last.plan) => Verdict::Incomplete,
        VpcStanding::Managed(_) if left().next().is_some() => Verdict::Advised,
        VpcStanding::Managed(_) if findings.is_empty() => Verdict::Compliant,
        VpcStanding::Managed(_) => Verdict::Repaired,
    }
}

/// Whether something of the VPC was not observed, so that nobody can say that it is on its baseline.
fn cannot_tell(plan: &Plan) -> bool {
    plan.left_alone.iter().any(|left| matches!(left.reason, LeftAloneReason::NotObserved { .. }))
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
        outcome.may_pass() && (got_somewhere || *outcome != Outcome::Held(Hold::RunLimit))
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
    outcomes.values().any(passes) || last.steps.iter().any(came_to_light)
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
