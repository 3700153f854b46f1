//! The loop: observe, compare, plan, apply, verify by observing again, report.
//!
//! The functions that await decide nothing: what to do comes from `assess`, `gate` and `standing`, which are pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::analysis::View;
use crate::analysis::required_service::required_services;
use crate::baseline::{Baseline, Mode};
use crate::cloud::{Applied, CallError, Cloud, ErrorClass, Unread};
use crate::ec2::change::Action;
use crate::ec2::id::{Scope, SecurityGroupId, ServiceName};
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::{Section, Shared, Snapshot};
use crate::ec2::world::World;
use crate::event::Evidence;
use crate::plan::GroupRef;
use crate::plan::planner::plan;
use crate::plan::{Condition, Plan, Step, StepId, Task, Wait};
use crate::report::commands;
use crate::report::{Cause, Found, Next, Outcome, Report, StepReport, VERSION, Verdict};
use crate::rules::finding::Finding;

/// How long to wait between two looks at an endpoint that is coming up. Terraform looks every 5 seconds.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How often to look again for a change that was made but does not show yet
/// (docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html), and how long to wait first.
const VERIFY_LOOKS: u32 = 4;
const VERIFY_AFTER: Duration = Duration::from_secs(2);

/// What to look at, and why.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Where to look.
    pub scope: Scope,
    /// What led to the run.
    pub cause: Cause,
    /// The calls that led to it: for the alert only.
    pub evidence: Vec<Evidence>,
    /// Names the run.
    pub run_id: String,
    /// Names what led to it: the same when the run is tried again.
    pub incident: String,
    /// When the run must end.
    pub deadline: Timestamp,
}

/// Brings one VPC back to the baseline as far as the modes allow, and tells what was found and done.
///
/// With a snapshot that is not complete nothing is changed.
pub async fn run<C: Cloud>(cloud: &C, baseline: &Baseline, request: &RunRequest) -> Report {
    let started = cloud.now();
    let mut seen = Observed::new(&request.scope);
    seen.look(cloud, &request.scope, Section::ALL.as_slice()).await;
    let first = seen.assess(baseline, request);
    let outcomes = apply(cloud, baseline, request, &mut seen, &first.plan).await;
    let last = match made_changes(&outcomes) {
        true => verify(cloud, baseline, request, &mut seen, &first.plan, &outcomes).await,
        false => first.clone(),
    };
    report(Ended { baseline, request, started, finished: cloud.now(), first, last, outcomes, unread: seen.unread })
}

/// What a run would report if it stopped before its first change: the plan, and nothing done.
pub fn preview(baseline: &Baseline, world: &World, request: &RunRequest, now: Timestamp) -> Report {
    let assessment = assess(baseline, world, request);
    let outcome = |step: &Step| match step.mode {
        Mode::Observe | Mode::Notify => Outcome::NotAllowed(step.mode),
        Mode::Repair if step.over_limit => Outcome::OverLimit,
        Mode::Repair => Outcome::Planned,
    };
    let outcomes = assessment.plan.steps.iter().map(|step| (step.id, outcome(step))).collect();
    let (first, last) = (assessment.clone(), assessment);
    report(Ended { baseline, request, started: now, finished: now, first, last, outcomes, unread: Vec::new() })
}

/// What is known of the VPC at this moment.
struct Observed {
    world: World,
    unread: Vec<Unread>,
    /// The sections read since the plan was made and since the last change.
    fresh: BTreeSet<Section>,
}

impl Observed {
    fn new(scope: &Scope) -> Self {
        let world =
            World { region: Some(scope.region.clone()), account_id: Some(scope.account.clone()), ..World::default() };
        Self { world, unread: Vec::new(), fresh: BTreeSet::new() }
    }

    async fn look<C: Cloud>(&mut self, cloud: &C, scope: &Scope, sections: &[Section]) {
        let observation = cloud.observe(scope, sections).await;
        self.unread.retain(|unread| !sections.contains(&unread.section));
        self.unread.extend(observation.unread);
        self.world.refresh(observation.world, sections);
    }

    /// Reads again what has not been read since the plan was made and since the last change.
    async fn look_again<C: Cloud>(&mut self, cloud: &C, scope: &Scope, sections: &[Section]) -> Result<(), CallError> {
        let stale: Vec<Section> = sections.iter().filter(|section| !self.fresh.contains(section)).copied().collect();
        if !stale.is_empty() {
            self.look(cloud, scope, &stale).await;
            let unread: Vec<Section> = self.unread.iter().map(|unread| unread.section).collect();
            self.fresh.extend(stale.into_iter().filter(|section| !unread.contains(section)));
        }
        match self.unread.iter().find(|unread| sections.contains(&unread.section)) {
            Some(unread) => Err(unread.error.clone()),
            None => Ok(()),
        }
    }

    fn assess(&self, baseline: &Baseline, request: &RunRequest) -> Assessment {
        assess(baseline, &self.world, request)
    }
}

/// What a world comes to under a baseline.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// Whether the VPC is there and looked after, and its name.
    pub standing: VpcStanding,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// What to do about it.
    pub plan: Plan,
    /// Whether all of it was observed.
    pub complete: bool,
}

/// Whether a VPC is there and looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VpcStanding {
    /// It is, under this name.
    Managed(Option<String>),
    /// It is there, but not the guardrail's.
    NotManaged(Option<String>),
    /// It is not there.
    Missing,
    /// Whether it is there could not be observed.
    Unobserved,
}

/// Compares one VPC of a world with the baseline, and plans.
pub fn assess(baseline: &Baseline, world: &World, request: &RunRequest) -> Assessment {
    let nothing = |standing| Assessment { standing, findings: Vec::new(), plan: Plan::default(), complete: true };
    let shared = Shared::of(world);
    let snapshot = match Snapshot::one(world, &shared, &request.scope.vpc) {
        Ok(Some(snapshot)) => snapshot,
        Ok(None) => return nothing(VpcStanding::Missing),
        Err(_) => return Assessment { complete: false, ..nothing(VpcStanding::Unobserved) },
    };
    assess_snapshot(baseline, &snapshot, &request.incident)
}

/// Compares one VPC with the baseline, and plans for this incident.
pub fn assess_snapshot(baseline: &Baseline, snapshot: &Snapshot<'_>, incident: &str) -> Assessment {
    let required_services = required_services(baseline, &snapshot.scope.region, snapshot.shared);
    let view = View::of(baseline, snapshot, &required_services);
    let name = snapshot.vpc.tags.iter().find(|tag| tag.key == "Name").map(|tag| tag.value.clone());
    let complete = snapshot.missing.is_empty();
    if !view.is_managed() {
        let standing = VpcStanding::NotManaged(name);
        return Assessment { standing, findings: Vec::new(), plan: Plan::default(), complete: true };
    }
    let (findings, plan) = plan(&view, incident);
    Assessment { standing: VpcStanding::Managed(name), findings, plan, complete }
}

type Outcomes = BTreeMap<StepId, Outcome>;

async fn apply<C: Cloud>(
    cloud: &C,
    baseline: &Baseline,
    request: &RunRequest,
    seen: &mut Observed,
    plan: &Plan,
) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for step in &plan.steps {
        let outcome = match gate(step, &outcomes, cloud.now(), request.deadline) {
            Some(outcome) => outcome,
            None => match &step.task {
                Task::Change(action) => change(cloud, baseline, request, seen, action, &outcomes).await,
                Task::Await(condition) => wait(cloud, baseline, request, seen, condition).await,
            },
        };
        outcomes.insert(step.id, outcome);
    }
    outcomes
}

/// Why a step is not taken, if so.
fn gate(step: &Step, outcomes: &Outcomes, now: Timestamp, deadline: Timestamp) -> Option<Outcome> {
    let failed = |id: &&StepId| !outcomes.get(id).is_some_and(Outcome::is_success);
    match step.mode {
        Mode::Observe | Mode::Notify => Some(Outcome::NotAllowed(step.mode)),
        Mode::Repair if step.over_limit => Some(Outcome::OverLimit),
        Mode::Repair => match step.after.iter().find(failed) {
            Some(because) => Some(Outcome::Skipped { because: *because }),
            None => (now >= deadline).then_some(Outcome::OutOfTime),
        },
    }
}

async fn change<C: Cloud>(
    cloud: &C,
    baseline: &Baseline,
    request: &RunRequest,
    seen: &mut Observed,
    action: &Action<GroupRef>,
    outcomes: &Outcomes,
) -> Outcome {
    loop {
        if let Err(error) = seen.look_again(cloud, &request.scope, &action.rests_on()).await {
            return Outcome::RecheckFailed(error);
        }
        match still_planned(action, &seen.assess(baseline, request).plan) {
            StillPlanned::Holds => break,
            StillPlanned::Changed => return Outcome::Stale,
            StillPlanned::NotYet if !has_time(cloud.now(), request.deadline) => return Outcome::TimedOut,
            StillPlanned::NotYet => {
                cloud.pause(LOOK_AGAIN).await;
                seen.fresh.clear();
            }
        }
    }
    let Some(call) = action.with_group(|group| known_group(group, outcomes)) else { return Outcome::Stale };
    seen.fresh.clear();
    loop {
        match cloud.apply(&request.scope, &call).await {
            Ok(applied) => return Outcome::Done(applied),
            Err(error) if !is_too_new(action, &error) => return Outcome::Failed(error),
            Err(error) if !has_time(cloud.now(), request.deadline) => return Outcome::Failed(error),
            Err(_) => cloud.pause(LOOK_AGAIN).await,
        }
    }
}

/// Whether a call failed because the security group that this run has just made is not known everywhere yet.
fn is_too_new(action: &Action<GroupRef>, error: &CallError) -> bool {
    error.class == ErrorClass::NotFound && error.code.starts_with("InvalidGroup") && action.names_group_made_by_a_step()
}

/// Whether the plan that is made from what is seen now still holds an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StillPlanned {
    /// It does.
    Holds,
    /// It does, but what comes before it does not show yet.
    NotYet,
    /// It does not: somebody changed what it was planned from.
    Changed,
}

/// The check before each step: the plan is made again from what was just read, and the step must still be in it. A route is
/// removed only when nothing needs to come before that any more.
fn still_planned(action: &Action<GroupRef>, now: &Plan) -> StillPlanned {
    let wanted = comparable(action);
    let same = |step: &&Step| match &step.task {
        Task::Change(planned) => comparable(planned) == wanted,
        Task::Await(_) => false,
    };
    match (now.steps.iter().find(same), action) {
        (None, _) => StillPlanned::Changed,
        (Some(step), Action::DeleteRoute { .. }) if !step.after.is_empty() => StillPlanned::NotYet,
        (Some(_), _) => StillPlanned::Holds,
    }
}

/// An action without what may differ between two plans for the same thing: there is one group of the guardrail's own, which
/// is named by its step until it shows; and a token depends on which dead endpoints are still listed.
fn comparable(action: &Action<GroupRef>) -> Option<Action<()>> {
    action.with_group(|_| Some(())).map(|mut action| {
        if let Action::CreateEndpoint { token, .. } = &mut action {
            token.clear();
        }
        action
    })
}

fn known_group(group: &GroupRef, outcomes: &Outcomes) -> Option<SecurityGroupId> {
    match group {
        GroupRef::Existing(id) => Some(id.clone()),
        GroupRef::MadeBy(step) => match outcomes.get(step) {
            Some(Outcome::Done(Applied::CreatedGroup(id))) => Some(id.clone()),
            Some(_) | None => None,
        },
    }
}

async fn wait<C: Cloud>(
    cloud: &C,
    baseline: &Baseline,
    request: &RunRequest,
    seen: &mut Observed,
    condition: &Condition,
) -> Outcome {
    loop {
        // With these, what an earlier look could not read: on what is missing nothing is decided.
        let unread = seen.unread.iter().map(|unread| unread.section);
        let sections: Vec<Section> = [Section::VpcEndpoints, Section::RouteTables].into_iter().chain(unread).collect();
        if let Err(error) = seen.look_again(cloud, &request.scope, &sections).await
            && !error.class.passes()
        {
            return Outcome::RecheckFailed(error);
        }
        match check(baseline, &seen.world, request, condition) {
            Wait::Over => return Outcome::Ready,
            Wait::Never(reason) => return Outcome::WillNotBeReady { reason },
            Wait::NotYet if !has_time(cloud.now(), request.deadline) => return Outcome::TimedOut,
            Wait::NotYet => {
                cloud.pause(LOOK_AGAIN).await;
                seen.fresh.clear();
            }
        }
    }
}

fn check(baseline: &Baseline, world: &World, request: &RunRequest, condition: &Condition) -> Wait {
    let shared = Shared::of(world);
    let Ok(Some(snapshot)) = Snapshot::one(world, &shared, &request.scope.vpc) else { return Wait::NotYet };
    let required_services = required_services(baseline, &request.scope.region, &shared);
    condition.check(&View::of(baseline, &snapshot, &required_services))
}

fn has_time(now: Timestamp, deadline: Timestamp) -> bool {
    deadline.duration_since(now).unsigned_abs() > LOOK_AGAIN && deadline > now
}

fn made_changes(outcomes: &Outcomes) -> bool {
    outcomes.values().any(|outcome| matches!(outcome, Outcome::Done(_) | Outcome::Failed(_)))
}

/// Looks again at what was changed; a little later and again where a change that was made does not show yet.
async fn verify<C: Cloud>(
    cloud: &C,
    baseline: &Baseline,
    request: &RunRequest,
    seen: &mut Observed,
    plan: &Plan,
    outcomes: &Outcomes,
) -> Assessment {
    let mut looks = 0;
    loop {
        let unread = seen.unread.iter().map(|unread| unread.section);
        let sections: BTreeSet<Section> = changed_sections().chain(unread).collect();
        seen.look(cloud, &request.scope, &sections.into_iter().collect::<Vec<_>>()).await;
        looks += 1;
        let now = seen.assess(baseline, request);
        let shows = now.complete && all_shows(plan, outcomes, &now.plan);
        if looks >= VERIFY_LOOKS || shows || !has_time(cloud.now(), request.deadline) {
            return now;
        }
        cloud.pause(VERIFY_AFTER).await;
    }
}

/// The sections that the guardrail's changes show in, whichever it makes.
fn changed_sections() -> impl Iterator<Item = Section> {
    Operation::ALL.iter().flat_map(|operation| operation.shows_in()).copied()
}

/// Whether no step that was taken would be taken again.
fn all_shows(plan: &Plan, outcomes: &Outcomes, now: &Plan) -> bool {
    let taken = plan.steps.iter().filter(|step| matches!(outcomes.get(&step.id), Some(Outcome::Done(_))));
    let mut actions = taken.filter_map(|step| match &step.task {
        Task::Change(action) => Some(action),
        Task::Await(_) => None,
    });
    actions.all(|action| still_planned(action, now) == StillPlanned::Changed)
}

struct Ended<'a> {
    baseline: &'a Baseline,
    request: &'a RunRequest,
    started: Timestamp,
    finished: Timestamp,
    first: Assessment,
    last: Assessment,
    outcomes: Outcomes,
    unread: Vec<Unread>,
}

fn report(ended: Ended<'_>) -> Report {
    let Ended { baseline, request, started, finished, first, last, outcomes, unread } = ended;
    let pending = services_not_come(&first.plan, &outcomes);
    let repaired = |finding: &Finding| {
        last.complete
            && !last.findings.iter().any(|left| left.drift.is_about_the_same_as(&finding.drift))
            && !finding.drift.service().is_some_and(|service| pending.contains(&service))
    };
    let first_seen = first.findings.iter().map(|finding| (finding, repaired(finding)));
    let new = last
        .findings
        .iter()
        .filter(|finding| !first.findings.iter().any(|seen| seen.is_same_drift(finding)))
        .map(|finding| (finding, false));
    let findings: Vec<Found> =
        first_seen.chain(new).map(|(finding, repaired)| found(finding, repaired, baseline)).collect();
    let verdict = verdict(&first, &last, &findings);
    let again = another_run_helps(&first.plan, &last.plan, &outcomes)
        || unread.iter().any(|unread| unread.error.class.passes());
    let steps = first.plan.steps.iter().map(|step| step_report(step, &outcomes, &request.scope)).collect();
    let vpc_name = match first.standing {
        VpcStanding::Managed(name) | VpcStanding::NotManaged(name) => name,
        VpcStanding::Missing | VpcStanding::Unobserved => None,
    };
    Report {
        version: VERSION,
        run_id: request.run_id.clone(),
        scope: request.scope.clone(),
        vpc_name,
        cause: request.cause,
        evidence: request.evidence.clone(),
        mode: baseline.mode,
        started,
        finished,
        verdict,
        findings,
        steps,
        left_alone: first.plan.left_alone,
        unread,
        next: if again { Next::Again } else { Next::Settled },
    }
}

fn verdict(first: &Assessment, last: &Assessment, findings: &[Found]) -> Verdict {
    match first.standing {
        VpcStanding::Missing => Verdict::NoSuchVpc,
        VpcStanding::NotManaged(_) => Verdict::NotManaged,
        VpcStanding::Unobserved => Verdict::Incomplete,
        VpcStanding::Managed(_) if findings.iter().any(|found| !found.repaired) => Verdict::DriftLeft,
        VpcStanding::Managed(_) if !last.complete => Verdict::Incomplete,
        VpcStanding::Managed(_) if findings.is_empty() => Verdict::Compliant,
        VpcStanding::Managed(_) => Verdict::Repaired,
    }
}

/// The services whose endpoints were waited for in vain: they exist, but do not serve yet.
fn services_not_come<'p>(plan: &'p Plan, outcomes: &Outcomes) -> Vec<&'p ServiceName> {
    let in_vain =
        |step: &&Step| matches!(outcomes.get(&step.id), Some(Outcome::TimedOut | Outcome::WillNotBeReady { .. }));
    let service = |step: &'p Step| match &step.task {
        Task::Await(Condition::Ready { service, .. }) => Some(service),
        Task::Await(Condition::Gone { .. }) | Task::Change(_) => None,
    };
    plan.steps.iter().filter(in_vain).filter_map(service).collect()
}

/// Whether a later run may do more without anybody's doing. One that stopped at its limits only counts if it got somewhere,
/// or calls that always fail would keep the rest waiting for ever; and what came to light on the way counts.
fn another_run_helps(first: &Plan, last: &Plan, outcomes: &Outcomes) -> bool {
    let got_somewhere = outcomes.values().any(|outcome| matches!(outcome, Outcome::Done(_)));
    let passes = |outcome: &Outcome| outcome.may_pass() && (got_somewhere || *outcome != Outcome::OverLimit);
    let came_to_light = |step: &Step| match &step.task {
        Task::Change(action) => step.mode == Mode::Repair && still_planned(action, first) == StillPlanned::Changed,
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

fn step_report(step: &Step, outcomes: &Outcomes, scope: &Scope) -> StepReport {
    let outcome = outcomes.get(&step.id).cloned().unwrap_or(Outcome::OutOfTime);
    let (command, undo) = match (&step.task, &outcome) {
        (Task::Change(action), Outcome::Done(applied)) => {
            (Some(commands::of(action, scope)), commands::undo(action, applied, scope, |g| known_group(g, outcomes)))
        }
        (Task::Change(action), _) => (Some(commands::of(action, scope)), None),
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
mod tests;
