//! What a world comes to under a baseline, for a run, a sweep and a preview.

use jiff::Timestamp;

use super::RunRequest;
use super::conclude::{Ended, report};
use crate::analysis::View;
use crate::analysis::required_service::required_services;
use crate::baseline::{Baseline, Mode};
use crate::ec2::snapshot::{Shared, Snapshot};
use crate::ec2::world::World;
use crate::plan::planner::plan;
use crate::plan::reliance::Reliances;
use crate::plan::{Circumstances, Plan, Step};
use crate::report::{Outcome, Report};
use crate::rules::finding::Finding;

/// What a world comes to under a baseline.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// Whether the VPC is there and looked after, and its name.
    pub standing: VpcStanding,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// What to do about it.
    pub plan: Plan,
    /// What the plan's deletions count on.
    pub reliances: Reliances,
    /// Whether all of it was observed.
    pub complete: bool,
}

impl Assessment {
    /// A VPC in which nothing is looked for.
    fn nothing(standing: VpcStanding) -> Self {
        Self {
            standing,
            findings: Vec::new(),
            plan: Plan::default(),
            reliances: Reliances::default(),
            complete: true,
        }
    }
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

/// Compares the VPC of a request with the baseline, and plans.
pub fn assess(
    baseline: &Baseline,
    world: &World,
    request: &RunRequest,
    circumstances: Circumstances<'_>,
) -> Assessment {
    let shared = Shared::of(world);
    match Snapshot::one(world, &shared, &request.scope.vpc) {
        Ok(Some(snapshot)) => assess_snapshot(baseline, &snapshot, circumstances),
        Ok(None) => Assessment::nothing(VpcStanding::Missing),
        Err(_) => Assessment { complete: false, ..Assessment::nothing(VpcStanding::Unobserved) },
    }
}

/// Compares one VPC with the baseline, and plans.
pub fn assess_snapshot(
    baseline: &Baseline,
    snapshot: &Snapshot<'_>,
    circumstances: Circumstances<'_>,
) -> Assessment {
    let required_services = required_services(baseline, &snapshot.scope.region, snapshot.shared);
    let view = View::of(baseline, snapshot, &required_services);
    let name = view.vpc_name().map(str::to_owned);
    if !view.is_managed() {
        return Assessment::nothing(VpcStanding::NotManaged(name));
    }
    let (findings, plan) = plan(&view, circumstances);
    Assessment {
        standing: VpcStanding::Managed(name),
        findings,
        reliances: if plan.steps.is_empty() {
            Reliances::default()
        } else {
            Reliances::of(&view, &plan)
        },
        plan,
        complete: snapshot.missing.is_empty(),
    }
}

/// What a run would report if it stopped before its first change: the plan, and nothing done.
pub fn preview(baseline: &Baseline, world: &World, request: &RunRequest, now: Timestamp) -> Report {
    not_taken(baseline, assess(baseline, world, request, request.circumstances(now)), request, now)
}

/// What a run over the VPC of this snapshot would report if it stopped before its first change.
/// Many VPCs of one world are cut out of it once ([`Snapshot::all`]) and previewed one by one.
pub fn preview_snapshot(
    baseline: &Baseline,
    snapshot: &Snapshot<'_>,
    request: &RunRequest,
    now: Timestamp,
) -> Report {
    not_taken(
        baseline,
        assess_snapshot(baseline, snapshot, request.circumstances(now)),
        request,
        now,
    )
}

/// The report of a plan of which no step is taken.
fn not_taken(
    baseline: &Baseline,
    assessment: Assessment,
    request: &RunRequest,
    now: Timestamp,
) -> Report {
    let outcome = |step: &Step| match (step.mode, step.held) {
        (Mode::Observe | Mode::Notify, _) => Outcome::NotAllowed(step.mode),
        (Mode::Repair, Some(hold)) => Outcome::Held(hold),
        (Mode::Repair, None) => Outcome::Planned,
    };
    let outcomes = assessment.plan.steps.iter().map(|step| (step.id, outcome(step))).collect();
    let (first, last) = (assessment.clone(), assessment);
    report(Ended {
        baseline,
        request,
        started: now,
        finished: now,
        first,
        last,
        outcomes,
        unread: Vec::new(),
    })
}
