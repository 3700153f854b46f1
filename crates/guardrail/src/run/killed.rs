//! What a run did that was killed: told by the next one.

use jiff::{SignedDuration, Timestamp};

use super::RunRequest;
use super::assess::{Assessment, VpcStanding};
use super::memory::OpenRun;
use super::recheck::{StillPlanned, still_planned};
use crate::baseline::Baseline;
use crate::ec2::change::{Action, Applied, CREATED_TAG, GroupRef, StepId};
use crate::ec2::id::SecurityGroupId;
use crate::ec2::world::{Tag, World};
use crate::history::{Alert, Became, Changed, Mark, RecordedCall, RecordedStep};
use crate::report::alert::{ClosedRun, ClosedStep, closed_run_alert};
use crate::report::commands::{self, RoutesAtStake};

/// What became of each step, in their order.
pub(super) type Judged = Vec<(StepId, Became)>;

/// What became of the steps of a run that was killed: from its marks, and for the one that it had
/// just begun from what is seen now.
pub(super) fn judged(open: &OpenRun, now: &Assessment, world: &World) -> Judged {
    let became = |step: &RecordedStep| match open.marks.get(&step.id) {
        None => Became::NotBegun,
        Some(Mark::Done { applied, .. }) => Became::Made(applied.clone()),
        // A call whose answer was lost may have had its effect.
        Some(Mark::Failed { from, why, request_id: None, .. }) => {
            match looked_for(step, *from, now, world) {
                Became::DoesNotShow => Became::Failed { why: why.clone() },
                shows @ (Became::Made(_)
                | Became::Failed { .. }
                | Became::MadeByTag
                | Became::MadeOrFoundMade
                | Became::CannotTell
                | Became::NotBegun) => shows,
            }
        }
        Some(Mark::Failed { why, .. }) => Became::Failed { why: why.clone() },
        Some(Mark::Started { at }) => looked_for(step, *at, now, world),
    };
    open.record.steps.iter().map(|step| (step.id, became(step))).collect()
}

/// Whether a change shows whose call was about to be made.
fn looked_for(step: &RecordedStep, at: Timestamp, now: &Assessment, world: &World) -> Became {
    // A plan for a VPC that is not looked after holds nothing, whatever was done in it.
    let is_seen = now.complete && matches!(now.standing, VpcStanding::Managed(_));
    match still_planned(&step.action, &now.plan) {
        StillPlanned::Holds | StillPlanned::NotYet | StillPlanned::Held(_) => Became::DoesNotShow,
        StillPlanned::Changed if carries_our_tag(&step.action, at, world) => Became::MadeByTag,
        StillPlanned::Changed if is_seen => Became::MadeOrFoundMade,
        StillPlanned::Changed => Became::CannotTell,
    }
}

/// Whether what the action makes is there with the guardrail's tag, made no earlier than its call.
fn carries_our_tag(action: &Action<GroupRef>, at: Timestamp, world: &World) -> bool {
    /// EC2's clock and ours need not agree to the second.
    const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(30);
    let ours = |tags: &[Tag]| tags.contains(&Tag::new(CREATED_TAG.0, CREATED_TAG.1));
    let is_later = |created: Option<&str>| {
        let created: Option<Timestamp> = created.and_then(|time| time.parse().ok());
        created.is_some_and(|created| created.duration_since(at) >= -CLOCKS_APART)
    };
    match action {
        Action::CreateEndpoint { vpc, service, .. } => {
            world.vpc_endpoints.iter().flatten().any(|endpoint| {
                endpoint.vpc_id == *vpc
                    && endpoint.service_name.as_ref() == Some(service)
                    && ours(&endpoint.tags)
                    && is_later(endpoint.creation_timestamp.as_deref())
            })
        }
        Action::CreateSecurityGroup { vpc, name, .. } => {
            world.security_groups.iter().flatten().any(|group| {
                group.vpc_id.as_ref() == Some(vpc) && group.group_name == *name && ours(&group.tags)
            })
        }
        Action::EnableVpcDns { .. }
        | Action::AuthorizeHttps { .. }
        | Action::RevokeIngress { .. }
        | Action::ModifyEndpoint { .. }
        | Action::SetEndpointPolicy { .. }
        | Action::DeleteRoute { .. }
        | Action::DisablePublicIpOnLaunch { .. }
        | Action::StopAutomaticAddress { .. }
        | Action::DisassociateAddress { .. } => false,
    }
}

/// The calls of a killed run that take time to act: it could not keep since when what they made has
/// been so.
pub(super) fn calls_of(open: &OpenRun) -> Vec<RecordedCall> {
    let call = |step: &RecordedStep| {
        let at = match open.marks.get(&step.id)? {
            Mark::Started { at } => *at,
            Mark::Done { from, .. } | Mark::Failed { from, .. } => *from,
        };
        let changed = match &step.action {
            Action::EnableVpcDns { .. } => Changed::VpcDns,
            Action::ModifyEndpoint { endpoint, .. }
            | Action::SetEndpointPolicy { endpoint, .. } => {
                Changed::Endpoints(vec![endpoint.clone()])
            }
            Action::CreateEndpoint { .. }
            | Action::CreateSecurityGroup { .. }
            | Action::AuthorizeHttps { .. }
            | Action::RevokeIngress { .. }
            | Action::DeleteRoute { .. }
            | Action::DisablePublicIpOnLaunch { .. }
            | Action::StopAutomaticAddress { .. }
            | Action::DisassociateAddress { .. } => return None,
        };
        Some(RecordedCall { at, changed })
    };
    open.record.steps.iter().filter_map(call).collect()
}

/// The groups that a killed run made.
pub(super) fn made_groups(open: &OpenRun) -> Vec<SecurityGroupId> {
    let made = open.marks.values().filter_map(|mark| match mark {
        Mark::Done { applied: Applied::CreatedGroup(id), .. } => Some(id.clone()),
        Mark::Done { .. } | Mark::Started { .. } | Mark::Failed { .. } => None,
    });
    made.collect()
}

/// What subscribers are told of a killed run; `None` where it changed nothing.
pub(super) fn closed_alert(
    open: &OpenRun,
    judged: &Judged,
    request: &RunRequest,
    baseline: &Baseline,
) -> Option<Alert> {
    if !judged.iter().any(|(_, became)| became.may_be_made()) {
        return None;
    }
    let scope = &open.record.scope;
    let group = |group: &GroupRef| match group {
        GroupRef::Existing(id) => Some(id.clone()),
        GroupRef::MadeBy(step) => match open.marks.get(step) {
            Some(Mark::Done { applied: Applied::CreatedGroup(id), .. }) => Some(id.clone()),
            Some(Mark::Done { .. } | Mark::Started { .. } | Mark::Failed { .. }) | None => None,
        },
    };
    let steps = open.record.steps.iter().zip(judged).map(|(step, (_, became))| {
        let undo = match became {
            Became::Made(applied) => {
                commands::undo(&step.action, applied, scope, RoutesAtStake::Yes, group)
            }
            Became::MadeByTag | Became::MadeOrFoundMade | Became::CannotTell => {
                Some(step.inverse.clone())
            }
            Became::Failed { .. } | Became::DoesNotShow | Became::NotBegun => None,
        };
        ClosedStep {
            id: step.id,
            summary: step.action.to_string(),
            before: step.before.clone(),
            became: became.clone(),
            undo,
        }
    });
    let closed = ClosedRun {
        run_id: open.record.run_id.clone(),
        scope: scope.clone(),
        began: open.record.began,
        closed_by: request.run_id.clone(),
        steps: steps.collect(),
    };
    Some(closed_run_alert(&closed, baseline.mode))
}
