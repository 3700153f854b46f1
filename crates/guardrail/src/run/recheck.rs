//! The decisions between two awaits: whether a step is taken, and whether what it was planned from still holds.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::RunRequest;
use crate::analysis::View;
use crate::analysis::required_service::required_services;
use crate::baseline::{Baseline, Mode};
use crate::cloud::{Applied, CallError, ErrorClass};
use crate::ec2::change::Action;
use crate::ec2::id::SecurityGroupId;
use crate::ec2::snapshot::{Shared, Snapshot};
use crate::ec2::world::World;
use crate::plan::{Condition, GroupRef, Plan, Step, StepId, Task, Wait};
use crate::report::Outcome;

/// How long to wait between two looks at an endpoint that is coming up. Terraform looks every 5 seconds.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What became of each step so far.
pub(super) type Outcomes = BTreeMap<StepId, Outcome>;

/// The outcome of a step that is not taken; `None` when it is to be taken.
pub(super) fn gate(step: &Step, outcomes: &Outcomes, now: Timestamp, deadline: Timestamp) -> Option<Outcome> {
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

/// Whether a call failed because the security group that this run has just made is not known everywhere yet.
pub(super) fn is_too_new(action: &Action<GroupRef>, error: &CallError) -> bool {
    error.class == ErrorClass::NotFound && error.code.starts_with("InvalidGroup") && action.names_group_made_by_a_step()
}

/// Whether the plan that is made from what is seen now still holds an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StillPlanned {
    /// It does.
    Holds,
    /// It does, but what comes before it does not show yet.
    NotYet,
    /// It does not: somebody changed what it was planned from.
    Changed,
}

/// The check before each step: the plan is made again from what was just read, and the step must still be in it. A route is
/// removed only when nothing needs to come before that any more.
pub(super) fn still_planned(action: &Action<GroupRef>, now: &Plan) -> StillPlanned {
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
pub(super) fn comparable(action: &Action<GroupRef>) -> Option<Action<()>> {
    action.with_group(|_| Some(())).map(|mut action| {
        if let Action::CreateEndpoint { token, .. } = &mut action {
            token.clear();
        }
        action
    })
}

pub(super) fn known_group(group: &GroupRef, outcomes: &Outcomes) -> Option<SecurityGroupId> {
    match group {
        GroupRef::Existing(id) => Some(id.clone()),
        GroupRef::MadeBy(step) => match outcomes.get(step) {
            Some(Outcome::Done(Applied::CreatedGroup(id))) => Some(id.clone()),
            Some(_) | None => None,
        },
    }
}

pub(super) fn check(baseline: &Baseline, world: &World, request: &RunRequest, condition: &Condition) -> Wait {
    let shared = Shared::of(world);
    let Ok(Some(snapshot)) = Snapshot::one(world, &shared, &request.scope.vpc) else { return Wait::NotYet };
    let required_services = required_services(baseline, &request.scope.region, &shared);
    condition.check(&View::of(baseline, &snapshot, &required_services))
}

pub(super) fn has_time(now: Timestamp, deadline: Timestamp) -> bool {
    deadline.duration_since(now).unsigned_abs() > LOOK_AGAIN && deadline > now
}

pub(super) fn made_changes(outcomes: &Outcomes) -> bool {
    outcomes.values().any(|outcome| matches!(outcome, Outcome::Done(_) | Outcome::Failed(_)))
}

/// Whether no step that was taken would be taken again.
pub(super) fn all_shows(plan: &Plan, outcomes: &Outcomes, now: &Plan) -> bool {
    let taken = plan.steps.iter().filter(|step| matches!(outcomes.get(&step.id), Some(Outcome::Done(_))));
    let mut actions = taken.filter_map(|step| match &step.task {
        Task::Change(action) => Some(action),
        Task::Await(_) => None,
    });
    actions.all(|action| still_planned(action, now) == StillPlanned::Changed)
}
