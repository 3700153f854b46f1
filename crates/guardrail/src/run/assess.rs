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
use crate::plan::{Plan, Step};
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
