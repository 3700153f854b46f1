//! The decisions between two awaits: whether a step is taken, whether what it was planned from
//! still holds, and what follows from an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::RunRequest;
use super::assess::Assessment;
use crate::analysis::View;
use crate::analysis::required_service::required_services;
use crate::baseline::{Baseline, Mode};
use crate::cloud::error_codes::is_group_not_found;
use crate::cloud::{Applied, CallError, ErrorClass};
use crate::ec2::change::{Action, Call};
use crate::ec2::id::SecurityGroupId;
use crate::ec2::snapshot::{Shared, Snapshot};
use crate::ec2::world::World;
use crate::event::{Evidence, TagChange};
use crate::history::LookAgain;
use crate::plan::{Condition, GroupRef, Hold, Plan, Step, StepId, Task, Wait};
use crate::report::Outcome;

/// How long to wait between two looks at an endpoint that is coming up. Terraform looks every 5
/// seconds.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What became of each step so far.
pub(super) type Outcomes = BTreeMap<StepId, Outcome>;

/// The outcome of a step that is not taken; `None` when it is to be taken.
pub(super) fn gate(
    step: &Step,
    outcomes: &Outcomes,
    now: Timestamp,
    deadline: Timestamp,
) -> Option<Outcome> {
    let failed = |id: &&StepId| !outcomes.get(id).is_some_and(Outcome::is_success);
    match step.mode {
        Mode::Observe | Mode::Notify => Some(Outcome::NotAllowed(step.mode)),
        Mode::Repair => match (step.held.clone(), step.after.iter().find(failed)) {
            (Some(hold), _) => Some(Outcome::Held(hold)),
            (None, Some(because)) => Some(Outcome::Skipped { because: *because }),
            (None, None) => (now >= deadline).then_some(Outcome::OutOfTime),
        },
    }
}

/// What to do next about a step that is being taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next<T> {
    /// The step goes on with this.
    Go(T),
    /// Too early: the same is tried again a little later.
    Later,
    /// The step has come to its end.
    End(Outcome),
}

/// Before a call: whether the plan that was just made again still holds the action, and the call
/// with every id in it.
pub(super) fn before_call(
    action: &Action<GroupRef>,
    now: &Plan,
    outcomes: &Outcomes,
    time: TimeLeft,
) -> Next<Call> {
    match (still_planned(action, now), time) {
        (StillPlanned::Changed, _) => Next::End(Outcome::Stale),
        (StillPlanned::Held(hold), _) => Next::End(Outcome::Held(hold)),
        (StillPlanned::NotYet, TimeLeft::No) => Next::End(Outcome::TimedOut),
        (StillPlanned::NotYet, TimeLeft::Yes) => Next::Later,
        (StillPlanned::Holds, _) => match action.with_group(|group| known_group(group, outcomes)) {
            Some(call) => Next::Go(call),
            None => Next::End(Outcome::Stale),
        },
    }
}

/// What comes after a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum After {
    /// The step has come to its end.
    End(Outcome),
    /// The call came too early and is made again after this time.
    Again(Duration),
}

/// After a call, the `attempt`th of its step: what comes of it. One that came a moment too early is
/// made again: because the group it names has just been made, or because the permission for it may
/// not have spread yet.
pub(super) fn after_call(
    action: &Action<GroupRef>,
    answer: Result<Applied, CallError>,
    attempt: u32,
    permission: Permission,
    time: TimeLeft,
) -> After {
    match (answer, time) {
        (Ok(applied), _) => After::End(Outcome::Done(applied)),
        (Err(error), TimeLeft::Yes) if is_too_new(action, &error) => After::Again(LOOK_AGAIN),
        (Err(error), TimeLeft::Yes) => match spreads_after(&error, attempt, permission) {
            Some(wait) => After::Again(wait),
            None => After::End(Outcome::Failed(error)),
        },
        (Err(error), TimeLeft::No) => After::End(Outcome::Failed(error)),
    }
}

/// Whether the permission for a call may be there and not yet act: its condition is a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// It rests on a tag that was set less than five minutes ago.
    MaySpread,
    /// It acts or is not there.
    IsSettled,
}

/// How long to wait before a call is made again whose permission may not have spread yet.
fn spreads_after(error: &CallError, attempt: u32, permission: Permission) -> Option<Duration> {
    const WAITS: [u64; 4] = [2, 4, 8, 16];
    match (permission, error.class) {
        (Permission::MaySpread, ErrorClass::Denied) => {
            let wait = WAITS.get(usize::try_from(attempt).ok()?)?;
            Some(Duration::from_secs(*wait))
        }
        (
            Permission::MaySpread | Permission::IsSettled,
            ErrorClass::Denied
            | ErrorClass::NotFound
            | ErrorClass::AlreadyDone
            | ErrorClass::Throttled
            | ErrorClass::Transient
            | ErrorClass::Invalid,
        ) => None,
    }
}

/// Whether the permission for an action may not have spread yet: the policy lets the guardrail edit
/// only groups and endpoints that carry its tag, and change only VPCs that carry theirs.
pub(super) fn permission_for(
    action: &Action<GroupRef>,
    made_by_killed_run: &[SecurityGroupId],
    evidence: &[Evidence],
    baseline: &Baseline,
    now: Timestamp,
) -> Permission {
    let is_recent = |call: &&Evidence| {
        let at: Option<Timestamp> = call.time.as_deref().and_then(|at| at.parse().ok());
        at.is_some_and(|at| now.duration_since(at).abs() < TAG_SPREADS_WITHIN)
    };
    let selects = |call: &Evidence| {
        let tagging = call.tagging.as_ref().filter(|tagging| tagging.change == TagChange::Set);
        tagging.is_some_and(|tagging| tagging.vpcs(baseline).is_some())
    };
    let was_selected = evidence.iter().filter(is_recent).any(selects);
    let mut is_new = action.names_group_made_by_a_step();
    let _ = action.with_group(|group| {
        is_new |= matches!(group, GroupRef::Existing(id) if made_by_killed_run.contains(id));
        Some(())
    });
    match was_selected || is_new {
        true => Permission::MaySpread,
        false => Permission::IsSettled,
    }
}

/// How long a tag may take until every permission that rests on it acts.
const TAG_SPREADS_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// After a look at what is waited for: `read` is whether the look succeeded. What may be read the
/// next time is looked at again, as what is not there yet is: `None`.
pub(super) fn after_look(
    read: Result<(), CallError>,
    wait: impl FnOnce() -> Wait,
    time: TimeLeft,
) -> Option<Outcome> {
    if let Err(error) = read
        && !error.class.passes()
    {
        return Some(Outcome::RecheckFailed(error));
    }
    match (wait(), time) {
        (Wait::Over, _) => Some(Outcome::Ready),
        (Wait::Never(reason), _) => Some(Outcome::WillNotBeReady { reason }),
        (Wait::NotYet, TimeLeft::No) => Some(Outcome::TimedOut),
        (Wait::NotYet, TimeLeft::Yes) => None,
    }
}

/// Whether a call failed because the security group that this run has just made is not known
/// everywhere yet.
pub(super) fn is_too_new(action: &Action<GroupRef>, error: &CallError) -> bool {
    is_group_not_found(error) && action.names_group_made_by_a_step()
}

/// Whether the plan that is made from what is seen now still holds an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StillPlanned {
    /// It does.
    Holds,
    /// It does, but what comes before it does not show yet.
    NotYet,
    /// It does, and something that was changed a short while ago holds it back.
    Held(Hold),
    /// It does not: somebody changed what it was planned from.
    Changed,
}

/// The check before each step: the plan is made again from what was just read, and the step must
/// still be in it. A route is removed only when nothing needs to come before that any more.
pub(super) fn still_planned(action: &Action<GroupRef>, now: &Plan) -> StillPlanned {
    let wanted = comparable(action);
    let same = |step: &&Step| match &step.task {
        Task::Change(planned) => comparable(planned) == wanted,
        Task::Await(_) => false,
    };
    match (now.steps.iter().find(same), action) {
        (None, _) => StillPlanned::Changed,
        (Some(step), Action::DeleteRoute { .. }) if !step.after.is_empty() => StillPlanned::NotYet,
        (Some(step), _) => match &step.held {
            Some(
                hold @ (Hold::Settling { .. } | Hold::Grace { .. } | Hold::NotRemembered { .. }),
            ) => StillPlanned::Held(hold.clone()),
            Some(Hold::RunLimit | Hold::Pace { .. } | Hold::NotProven { .. }) | None => {
                StillPlanned::Holds
            }
            // A route came into the plan that goes first.
            Some(Hold::RoutesFirst) => StillPlanned::Changed,
        },
    }
}

/// An action without what may differ between two plans for the same thing: there is one group of
/// the guardrail's own, which is named by its step until it shows; and a token depends on which
/// dead endpoints are still listed.
pub(super) fn comparable(action: &Action<GroupRef>) -> Option<Action<()>> {
    action.with_group(|_| Some(())).map(|mut action| {
        if let Action::CreateEndpoint { token, .. } = &mut action {
            token.clear();
        }
        action
    })
}

/// The security group that an action names, once it has an id.
pub(super) fn known_group(group: &GroupRef, outcomes: &Outcomes) -> Option<SecurityGroupId> {
    match group {
        GroupRef::Existing(id) => Some(id.clone()),
        GroupRef::MadeBy(step) => match outcomes.get(step) {
            Some(Outcome::Done(Applied::CreatedGroup(id))) => Some(id.clone()),
            Some(_) | None => None,
        },
    }
}

/// Whether what is waited for has come in the VPC of this request. What was not read has not.
pub(super) fn check(
    baseline: &Baseline,
    world: &World,
    request: &RunRequest,
    condition: &Condition,
) -> Wait {
    let shared = Shared::of(world);
    let Ok(Some(snapshot)) = Snapshot::one(world, &shared, &request.scope.vpc) else {
        return Wait::NotYet;
    };
    let required_services = required_services(baseline, &request.scope.region, &shared);
    condition.check(&View::of(baseline, &snapshot, &required_services))
}

/// Whether a run has time for one more look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeLeft {
    Yes,
    No,
}

impl TimeLeft {
    pub(super) fn until(deadline: Timestamp, now: Timestamp) -> Self {
        match deadline > now && deadline.duration_since(now).unsigned_abs() > LOOK_AGAIN {
            true => Self::Yes,
            false => Self::No,
        }
    }
}

/// When to look again, because something has to act, or somebody else has to be waited for, before
/// steps can be taken that were held or that came to light at the last look; or, at `otherwise`,
/// because another run may do more.
pub(super) fn look_again(
    outcomes: &Outcomes,
    last: &Plan,
    otherwise: Option<Timestamp>,
) -> Option<LookAgain> {
    let to_be_taken = last.steps.iter().filter(|step| step.mode == Mode::Repair);
    let came_to_light = to_be_taken.filter_map(|step| waits_for(step.held.as_ref()?));
    let waits = outcomes.values().filter_map(|outcome| match outcome {
        Outcome::Held(hold) => waits_for(hold),
        Outcome::Done(_)
        | Outcome::Ready
        | Outcome::FoundMade(_)
        | Outcome::Planned
        | Outcome::NotAllowed(_)
        | Outcome::Stale
        | Outcome::Skipped { .. }
        | Outcome::Failed(_)
        | Outcome::RecheckFailed(_)
        | Outcome::TimedOut
        | Outcome::WillNotBeReady { .. }
        | Outcome::OutOfTime
        | Outcome::NotRecorded(_) => None,
    });
    let again = otherwise.map(|at| LookAgain { at, why: "another run may do more".to_owned() });
    waits.chain(came_to_light).chain(again).min_by_key(|wait| wait.at)
}

fn waits_for(hold: &Hold) -> Option<LookAgain> {
    match hold {
        Hold::Settling { until, .. } | Hold::Grace { until } | Hold::Pace { until } => {
            Some(LookAgain { at: *until, why: hold.to_string() })
        }
        Hold::RunLimit
        | Hold::RoutesFirst
        | Hold::NotRemembered { .. }
        | Hold::NotProven { .. } => None,
    }
}

/// When another run is made that may do more: in a minute; and once several in a row got nowhere, in
/// ever longer times, up to a quarter of an hour.
pub(super) fn tried_again_at(now: Timestamp, in_vain: u32) -> Timestamp {
    const PATIENT: u32 = 10;
    let minutes = 1_i64 << in_vain.saturating_sub(PATIENT).min(4);
    now.saturating_add(SignedDuration::from_mins(minutes.min(15))).unwrap_or(Timestamp::MAX)
}

/// Whether a run has a change to make: whether anything has to be written down before it begins.
pub(super) fn takes_steps(plan: &Plan, now: Timestamp, deadline: Timestamp) -> bool {
    let is_taken = |step: &&Step| gate(step, &assumed(plan, step), now, deadline).is_none();
    plan.steps.iter().filter(is_taken).any(|step| matches!(step.task, Task::Change(_)))
}

/// What becomes of each step of a run that the table does not take.
pub(super) fn not_recorded(
    plan: &Plan,
    error: &CallError,
    now: Timestamp,
    deadline: Timestamp,
) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for step in &plan.steps {
        let outcome = gate(step, &outcomes, now, deadline);
        outcomes.insert(step.id, outcome.unwrap_or_else(|| Outcome::NotRecorded(error.clone())));
    }
    outcomes
}

/// What comes before a step, as if it had succeeded wherever nothing holds it.
fn assumed(plan: &Plan, step: &Step) -> Outcomes {
    let before = plan.steps.iter().filter(|earlier| step.after.contains(&earlier.id));
    let outcome = |earlier: &Step| match (earlier.mode, &earlier.held) {
        (Mode::Repair, None) => Outcome::Ready,
        (Mode::Observe | Mode::Notify, _) | (Mode::Repair, Some(_)) => Outcome::Stale,
    };
    before.map(|earlier| (earlier.id, outcome(earlier))).collect()
}

/// Whether a run gave a later one nothing to build on, though it asks for one.
pub(super) fn is_in_vain(outcomes: &Outcomes) -> bool {
    !outcomes.values().any(|outcome| matches!(outcome, Outcome::Done(_)))
}

/// Whether anything may have been changed; a call that failed may have had its effect all the same.
pub(super) fn made_changes(outcomes: &Outcomes) -> bool {
    outcomes.values().any(|outcome| matches!(outcome, Outcome::Done(_) | Outcome::Failed(_)))
}

/// What became of the steps, in view of the last look: a call without an answer whose change shows has
/// made it, or somebody else has.
pub(super) fn in_view_of(plan: &Plan, outcomes: Outcomes, last: &Plan) -> Outcomes {
    let shows = |id: &StepId| {
        let step = plan.steps.iter().find(|step| step.id == *id);
        step.is_some_and(|step| match &step.task {
            Task::Change(action) => still_planned(action, last) == StillPlanned::Changed,
            Task::Await(_) => false,
        })
    };
    let seen = |(id, outcome)| {
        if let Outcome::Failed(error) = &outcome
            && error.is_unanswered()
            && shows(&id)
        {
            return (id, Outcome::FoundMade(error.clone()));
        }
        (id, outcome)
    };
    outcomes.into_iter().map(seen).collect()
}

/// Whether no step that was taken, or that may have been, would be taken again.
pub(super) fn all_shows(plan: &Plan, outcomes: &Outcomes, now: &Plan) -> bool {
    let may_be_made = |step: &&Step| match outcomes.get(&step.id) {
        Some(Outcome::Done(_)) => true,
        Some(Outcome::Failed(error)) => error.is_unanswered(),
        Some(_) | None => false,
    };
    let taken = plan.steps.iter().filter(may_be_made);
    let mut actions = taken.filter_map(|step| match &step.task {
        Task::Change(action) => Some(action),
        Task::Await(_) => None,
    });
    actions.all(|action| still_planned(action, now) == StillPlanned::Changed)
}

/// Whether verification is over: everything is read and every change shows, or there is no look or
/// no time left.
pub(super) fn is_verified(
    plan: &Plan,
    outcomes: &Outcomes,
    now: &Assessment,
    looks_left: u32,
    time: TimeLeft,
) -> bool {
    let shows = now.complete && all_shows(plan, outcomes, &now.plan);
    shows || looks_left == 0 || time == TimeLeft::No
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::RuleId;
    use crate::cloud::ErrorClass;
    use crate::ec2::change::DnsAttribute;
    use crate::plan::Hold;
    use crate::plan::reliance::Reliances;
    use crate::run::VpcStanding;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn enable_dns() -> Action<GroupRef> {
        Action::EnableVpcDns { vpc: "vpc-1".parse().unwrap(), attribute: DnsAttribute::Support }
    }

    fn delete_route() -> Action<GroupRef> {
        Action::DeleteRoute {
            table: "rtb-a".parse().unwrap(),
            destination: serde_json::from_value(serde_json::json!({"CidrBlock": "0.0.0.0/0"}))
                .unwrap(),
            target: "nat-1".to_owned().into(),
        }
    }

    fn authorize(group: GroupRef) -> Action<GroupRef> {
        Action::AuthorizeHttps {
            group,
            cidrs: vec![serde_json::from_value(serde_json::json!("10.0.0.0/16")).unwrap()],
        }
    }

    fn step(task: Task, after: &[u32]) -> Step {
        let after = after.iter().copied().map(StepId).collect();
        Step {
            id: StepId(2),
            rules: vec![RuleId::VpcDns],
            mode: Mode::Repair,
            task,
            after,
            held: None,
        }
    }

    fn plan_of(step: Step) -> Plan {
        Plan { steps: vec![step], ..Plan::default() }
    }

    fn with(action: Action<GroupRef>, after: &[u32]) -> Plan {
        plan_of(step(Task::Change(action), after))
    }

    fn error(class: ErrorClass, code: &str) -> CallError {
        CallError {
            operation: "AuthorizeSecurityGroupIngress".into(),
            class,
            code: Some(code.into()),
            message: String::new(),
        }
    }

    #[test]
    fn a_step_is_taken_when_its_mode_allows_it_nothing_holds_it_and_what_comes_before_succeeded() {
        let first = StepId(1);
        let wait = step(Task::Change(enable_dns()), &[1]);
        let gate = |step: &Step, before: Option<Outcome>, now| {
            gate(
                step,
                &before.into_iter().map(|outcome| (first, outcome)).collect(),
                at(now),
                at(10),
            )
        };
        assert_eq!(gate(&wait, Some(Outcome::Ready), 9), None);
        assert_eq!(gate(&wait, Some(Outcome::Done(Applied::Already)), 9), None);
        assert_eq!(gate(&wait, Some(Outcome::Ready), 10), Some(Outcome::OutOfTime));
        for failed in [None, Some(Outcome::TimedOut), Some(Outcome::Stale)] {
            assert_eq!(gate(&wait, failed, 9), Some(Outcome::Skipped { because: first }));
        }
        let held = Step { held: Some(Hold::RunLimit), ..wait.clone() };
        assert_eq!(gate(&held, Some(Outcome::Ready), 9), Some(Outcome::Held(Hold::RunLimit)));
        for mode in [Mode::Observe, Mode::Notify] {
            let told = Step { mode, ..held.clone() };
            assert_eq!(gate(&told, Some(Outcome::Ready), 9), Some(Outcome::NotAllowed(mode)));
        }
    }

    #[test]
    fn a_call_is_made_only_while_the_plan_still_holds_it() {
        let before = |action: &Action<GroupRef>, plan: &Plan, time| {
            before_call(action, plan, &Outcomes::new(), time)
        };
        let go = |action: &Action<GroupRef>| Next::Go(action.with_group(|_| None).unwrap());
        assert_eq!(
            before(&enable_dns(), &with(enable_dns(), &[1]), TimeLeft::No),
            go(&enable_dns())
        );
        assert_eq!(
            before(&delete_route(), &with(delete_route(), &[]), TimeLeft::No),
            go(&delete_route())
        );
        let early = with(delete_route(), &[1]);
        assert_eq!(before(&delete_route(), &early, TimeLeft::Yes), Next::Later);
        assert_eq!(before(&delete_route(), &early, TimeLeft::No), Next::End(Outcome::TimedOut));
        let other = with(enable_dns(), &[]);
        assert_eq!(before(&delete_route(), &other, TimeLeft::Yes), Next::End(Outcome::Stale));
        let waits = plan_of(step(
            Task::Await(Condition::Gone { endpoint: "vpce-1".parse().unwrap() }),
            &[],
        ));
        assert_eq!(before(&delete_route(), &waits, TimeLeft::Yes), Next::End(Outcome::Stale));
    }

    #[test]
    fn a_call_names_the_group_that_a_step_of_this_run_made() {
        let group: SecurityGroupId = "sg-1".parse().unwrap();
        let made_by = authorize(GroupRef::MadeBy(StepId(1)));
        let plan = with(authorize(GroupRef::Existing(group.clone())), &[]);
        let before = |outcomes: &Outcomes| before_call(&made_by, &plan, outcomes, TimeLeft::Yes);
        let call = made_by.with_group(|_| Some(group.clone())).unwrap();
        let made = Outcomes::from([(StepId(1), Outcome::Done(Applied::CreatedGroup(group)))]);
        assert_eq!(before(&made), Next::Go(call));
        assert_eq!(before(&Outcomes::new()), Next::End(Outcome::Stale));
        let there = Outcomes::from([(StepId(1), Outcome::Done(Applied::Already))]);
        assert_eq!(before(&there), Next::End(Outcome::Stale));
    }

    /// What comes after the first call of a step whose permission has long been there.
    fn after_first(
        action: &Action<GroupRef>,
        answer: Result<Applied, CallError>,
        time: TimeLeft,
    ) -> After {
        after_call(action, answer, 0, Permission::IsSettled, time)
    }

    #[test]
    fn a_call_is_made_again_only_for_a_group_that_was_just_made() {
        let too_new = || error(ErrorClass::NotFound, "InvalidGroup.NotFound");
        let failed = |error| After::End(Outcome::Failed(error));
        let made = authorize(GroupRef::MadeBy(StepId(1)));
        let there = authorize(GroupRef::Existing("sg-1".parse().unwrap()));
        let again = After::Again(LOOK_AGAIN);
        assert_eq!(after_first(&made, Err(too_new()), TimeLeft::Yes), again);
        assert_eq!(after_first(&made, Err(too_new()), TimeLeft::No), failed(too_new()));
        assert_eq!(after_first(&there, Err(too_new()), TimeLeft::Yes), failed(too_new()));
        for other in [
            error(ErrorClass::NotFound, "InvalidVpcID.NotFound"),
            error(ErrorClass::Denied, "InvalidGroup.Denied"),
            error(ErrorClass::Throttled, "RequestLimitExceeded"),
        ] {
            let after = after_first(&made, Err(other.clone()), TimeLeft::Yes);
            assert_eq!(after, failed(other));
        }
        let done = after_first(&made, Ok(Applied::Done), TimeLeft::No);
        assert_eq!(done, After::End(Outcome::Done(Applied::Done)));
    }

    #[test]
    fn what_is_not_allowed_yet_is_tried_four_times_more_while_the_permission_may_spread() {
        let denied = || error(ErrorClass::Denied, "UnauthorizedOperation");
        let after = |attempt, permission, time| {
            after_call(&enable_dns(), Err(denied()), attempt, permission, time)
        };
        let failed = After::End(Outcome::Failed(denied()));
        let spreads = |attempt| after(attempt, Permission::MaySpread, TimeLeft::Yes);
        let waits = [2, 4, 8, 16].map(|seconds| After::Again(Duration::from_secs(seconds)));
        assert_eq!([0, 1, 2, 3].map(spreads), waits);
        assert_eq!(spreads(4), failed);
        assert_eq!(after(0, Permission::IsSettled, TimeLeft::Yes), failed);
        assert_eq!(after(0, Permission::MaySpread, TimeLeft::No), failed);
        let throttled = || error(ErrorClass::Throttled, "RequestLimitExceeded");
        let other =
            after_call(&enable_dns(), Err(throttled()), 0, Permission::MaySpread, TimeLeft::Yes);
        assert_eq!(other, After::End(Outcome::Failed(throttled())));
    }

    /// The tagging call that a record tells of, on the VPC, at this second.
    fn tagged(event: &str, key: &str, second: i64) -> Evidence {
        let record = serde_json::json!({
            "eventName": event, "eventSource": "ec2.amazonaws.com", "eventID": "e-1",
            "eventTime": at(second).to_string(),
            "requestParameters": {
                "resourcesSet": {"items": [{"resourceId": "vpc-1"}]},
                "tagSet": {"items": [{"key": key, "value": "managed"}]},
            },
        });
        crate::event::decode(&record).unwrap()
    }

    #[test]
    fn a_permission_may_spread_where_its_tag_was_set_a_short_while_ago() {
        let baseline = Baseline::parse(crate::baseline::EXAMPLE).unwrap();
        let of = |action: &Action<GroupRef>, made: &[SecurityGroupId], calls: &[Evidence]| {
            permission_for(action, made, calls, &baseline, at(1000))
        };
        let group: SecurityGroupId = "sg-1".parse().unwrap();
        let existing = authorize(GroupRef::Existing(group.clone()));
        let of_dns = |calls: &[Evidence]| of(&enable_dns(), &[], calls);
        use Permission::{IsSettled, MaySpread};
        assert_eq!(of(&authorize(GroupRef::MadeBy(StepId(1))), &[], &[]), MaySpread);
        assert_eq!(of(&existing, std::slice::from_ref(&group), &[]), MaySpread, "a killed run's");
        assert_eq!(of(&existing, &[], &[]), IsSettled);
        assert_eq!(of_dns(&[tagged("CreateTags", "vpc-guardrail", 701)]), MaySpread);
        assert_eq!(of_dns(&[tagged("CreateTags", "vpc-guardrail", 700)]), IsSettled);
        assert_eq!(of_dns(&[tagged("CreateTags", "Owner", 999)]), IsSettled);
        assert_eq!(of_dns(&[tagged("DeleteTags", "vpc-guardrail", 999)]), IsSettled);
    }

    #[test]
    fn a_run_has_something_to_write_down_where_it_would_come_to_a_change() {
        let takes = |plan: &Plan| takes_steps(plan, at(9), at(10));
        assert!(takes(&with(enable_dns(), &[])));
        assert!(!takes_steps(&with(enable_dns(), &[]), at(10), at(10)), "its time is up");
        let waits = || Task::Await(Condition::Gone { endpoint: "vpce-1".parse().unwrap() });
        assert!(!takes(&plan_of(step(waits(), &[]))), "waiting changes nothing");
        let first = |mode, held| Step { id: StepId(1), mode, held, ..step(waits(), &[]) };
        let after = |first| Plan {
            steps: vec![first, step(Task::Change(enable_dns()), &[1])],
            ..Plan::default()
        };
        assert!(takes(&after(first(Mode::Repair, None))), "what is waited for may come");
        assert!(!takes(&after(first(Mode::Notify, None))));
        assert!(!takes(&after(first(Mode::Repair, Some(Hold::RunLimit)))));
        for mode in [Mode::Observe, Mode::Notify] {
            let told = Step { mode, ..step(Task::Change(enable_dns()), &[]) };
            assert!(!takes(&plan_of(told)));
        }
    }

    #[test]
    fn another_run_follows_in_a_minute_and_after_ten_in_vain_ever_later() {
        let minutes = |in_vain| tried_again_at(at(0), in_vain).as_second() / 60;
        assert_eq!([0, 1, 10, 11, 12, 13, 14, 15, 99].map(minutes), [1, 1, 1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(tried_again_at(Timestamp::MAX, 0), Timestamp::MAX);
    }

    #[test]
    fn no_step_is_taken_that_could_not_be_written_down() {
        let failed = error(ErrorClass::Transient, "InternalServerError");
        let outcomes = |mode| {
            let taken = Step { id: StepId(1), mode, ..step(Task::Change(enable_dns()), &[]) };
            let plan = Plan {
                steps: vec![taken, step(Task::Change(delete_route()), &[1])],
                ..Plan::default()
            };
            not_recorded(&plan, &failed, at(0), at(10)).into_values().collect::<Vec<_>>()
        };
        let skipped = || Outcome::Skipped { because: StepId(1) };
        assert_eq!(outcomes(Mode::Repair), [Outcome::NotRecorded(failed.clone()), skipped()]);
        assert_eq!(outcomes(Mode::Notify), [Outcome::NotAllowed(Mode::Notify), skipped()]);
    }

    #[test]
    fn what_is_waited_for_is_looked_at_until_it_comes_or_cannot() {
        let throttled = || Err(error(ErrorClass::Throttled, "RequestLimitExceeded"));
        let denied = error(ErrorClass::Denied, "UnauthorizedOperation");
        let never = || Wait::Never("it was rejected".to_owned());
        let will_not = || Some(Outcome::WillNotBeReady { reason: "it was rejected".to_owned() });
        assert_eq!(after_look(Ok(()), || Wait::Over, TimeLeft::No), Some(Outcome::Ready));
        assert_eq!(after_look(throttled(), || Wait::Over, TimeLeft::Yes), Some(Outcome::Ready));
        assert_eq!(after_look(Ok(()), never, TimeLeft::Yes), will_not());
        assert_eq!(after_look(Ok(()), || Wait::NotYet, TimeLeft::Yes), None);
        assert_eq!(after_look(throttled(), || Wait::NotYet, TimeLeft::Yes), None);
        assert_eq!(after_look(Ok(()), || Wait::NotYet, TimeLeft::No), Some(Outcome::TimedOut));
        let unread = after_look(Err(denied.clone()), || Wait::Over, TimeLeft::Yes);
        assert_eq!(unread, Some(Outcome::RecheckFailed(denied)));
    }

    #[test]
    fn a_look_needs_time_before_the_deadline() {
        let left = |now| TimeLeft::until(at(100), at(now));
        assert_eq!(
            [0, 94, 95, 100, 101, 200].map(left),
            [TimeLeft::Yes, TimeLeft::Yes, TimeLeft::No, TimeLeft::No, TimeLeft::No, TimeLeft::No]
        );
    }

    #[test]
    fn verification_ends_when_all_shows_or_no_look_or_time_is_left() {
        let taken = with(enable_dns(), &[]);
        let outcomes = |outcome| Outcomes::from([(StepId(2), outcome)]);
        let done = outcomes(Outcome::Done(Applied::Done));
        let seen = |plan: Plan, complete| Assessment {
            standing: VpcStanding::Managed(None),
            findings: Vec::new(),
            plan,
            departures: Vec::new(),
            private_subnets: 0,
            reliances: Reliances::default(),
            at_stake: Vec::new(),
            costs: Vec::new(),
            advice: None,
            known: None,
            complete,
        };
        let over = |now: &Assessment, outcomes: &Outcomes| {
            is_verified(&taken, outcomes, now, 1, TimeLeft::Yes)
        };
        assert!(over(&seen(Plan::default(), true), &done));
        assert!(!over(&seen(Plan::default(), false), &done), "not all was read");
        let still = seen(taken.clone(), true);
        assert!(!over(&still, &done), "the change does not show yet");
        assert!(over(&still, &outcomes(Outcome::TimedOut)), "what was not done need not show");
        assert!(is_verified(&taken, &done, &still, 0, TimeLeft::Yes));
        assert!(is_verified(&taken, &done, &still, 1, TimeLeft::No));
    }

    #[test]
    fn a_call_without_an_answer_whose_change_shows_is_found_made() {
        let unanswered = || CallError { code: None, ..error(ErrorClass::Transient, "") };
        let plan = with(enable_dns(), &[]);
        let seen = |failed: CallError, last: &Plan| {
            let outcomes = Outcomes::from([(StepId(2), Outcome::Failed(failed))]);
            in_view_of(&plan, outcomes, last).into_values().collect::<Vec<_>>()
        };
        let shows = Plan::default();
        assert_eq!(seen(unanswered(), &shows), [Outcome::FoundMade(unanswered())]);
        assert_eq!(seen(unanswered(), &plan), [Outcome::Failed(unanswered())]);
        let refused = || error(ErrorClass::Transient, "InternalError");
        assert_eq!(seen(refused(), &shows), [Outcome::Failed(refused())]);
        let failed = Outcomes::from([(StepId(2), Outcome::Failed(unanswered()))]);
        assert!(!all_shows(&plan, &failed, &plan), "it may not show yet");
    }

    #[test]
    fn a_call_that_failed_may_have_had_its_effect() {
        let made = |outcome| made_changes(&Outcomes::from([(StepId(1), outcome)]));
        assert!(made(Outcome::Done(Applied::Done)));
        assert!(made(Outcome::Failed(error(ErrorClass::Transient, ""))));
        assert!(!made(Outcome::Ready));
        assert!(!made(Outcome::OutOfTime));
        assert!(!made_changes(&Outcomes::new()));
    }
}
