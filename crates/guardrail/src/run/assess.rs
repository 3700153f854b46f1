//! What a world comes to under a baseline, for a run, a sweep and a preview.

use jiff::Timestamp;

use super::RunRequest;
use super::conclude::{Ended, report_of};
use super::recheck::Outcomes;
use crate::analysis::View;
use crate::analysis::departure::{Departure, departures};
use crate::analysis::required_service::required_services;
use crate::analysis::served::every_premise;
use crate::baseline::{Baseline, Mode, VpcOverride};
use crate::ec2::id::VpcId;
use crate::ec2::snapshot::{Shared, Snapshot};
use crate::ec2::world::World;
use crate::history::{Grace, Looked, Memory, RecordedCall, VpcFacts};
use crate::plan::advice::Advice;
use crate::plan::costs::{StepCost, costs};
use crate::plan::planner::plan;
use crate::plan::reliance::{Reliances, at_stake};
use crate::plan::{Circumstances, Plan, StepId};
use crate::report::{Outcome, Report};
use crate::rules::finding::Finding;
use crate::rules::left_alone::{LeftAlone, LeftAloneReason};
use crate::rules::repair::RouteRemoval;

/// What a world comes to under a baseline.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// Whether the VPC is there and looked after, and its name.
    pub standing: VpcStanding,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// What to do about it.
    pub plan: Plan,
    /// What the calls of the request took out of the guardrail's care.
    pub departures: Vec<Departure>,
    /// How many private subnets the VPC has; none are counted in one that is not managed.
    pub private_subnets: usize,
    /// What the plan's deletions count on.
    pub reliances: Reliances,
    /// The routes that are to go now or later, as far as they carry anything.
    pub at_stake: Vec<RouteRemoval>,
    /// What the plan's steps cost that cost anything.
    pub costs: Vec<StepCost>,
    /// What to know of the traffic that the plan moves.
    pub advice: Option<Advice>,
    /// The baseline's override for the VPC, if it has one.
    pub known: Option<VpcOverride>,
    /// Whether all of it was observed.
    pub complete: bool,
}

impl Assessment {
    /// What nobody can tell of, though all was read that could be.
    pub(super) fn not_observed(&self) -> impl Iterator<Item = &LeftAlone> {
        let left_alone = self.plan.left_alone.iter();
        left_alone.filter(|left| matches!(left.reason, LeftAloneReason::NotObserved { .. }))
    }

    /// Whether nobody can say that the VPC is on its baseline, though nothing speaks against it.
    pub fn cannot_tell(&self) -> bool {
        let is_off = self.findings.iter().any(|finding| !finding.rule.is_advice());
        !self.complete || (!is_off && self.not_observed().next().is_some())
    }

    /// A VPC in which nothing is looked for.
    fn nothing(standing: VpcStanding) -> Self {
        Self {
            standing,
            findings: Vec::new(),
            plan: Plan::default(),
            departures: Vec::new(),
            private_subnets: 0,
            reliances: Reliances::default(),
            at_stake: Vec::new(),
            costs: Vec::new(),
            advice: None,
            known: None,
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
        Ok(Some(snapshot)) => Assessment {
            departures: departures(baseline, &snapshot, &request.evidence),
            ..assess_snapshot(baseline, &snapshot, circumstances)
        },
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
    let known = baseline.override_of(snapshot.vpc);
    let baseline = &*baseline.under(known);
    let required_services = required_services(baseline, &snapshot.scope.region, snapshot.shared);
    let view = View::of(baseline, snapshot, &required_services);
    let name = view.vpc_name().map(str::to_owned);
    if !view.is_managed() {
        return Assessment::nothing(VpcStanding::NotManaged(name));
    }
    let (findings, plan) = plan(&view, circumstances);
    Assessment {
        standing: VpcStanding::Managed(name),
        at_stake: at_stake(&view, &findings),
        findings,
        reliances: if plan.steps.is_empty() {
            Reliances::default()
        } else {
            Reliances::of(&view, &plan)
        },
        costs: costs(&view, &plan),
        advice: Advice::of(&view, &plan),
        plan,
        departures: Vec::new(),
        known: known.cloned(),
        private_subnets: view.topology.private().count(),
        complete: snapshot.missing.is_empty(),
    }
}

/// What of a VPC takes time to act, as it is seen.
pub fn looked_at(snapshot: &Snapshot<'_>, baseline: &Baseline) -> Looked {
    let required_services = required_services(baseline, &snapshot.scope.region, snapshot.shared);
    let view = View::of(baseline, snapshot, &required_services);
    let mut seen = every_premise(&view);
    seen.sort_unstable();
    seen.dedup();
    Looked {
        seen,
        unread: snapshot.missing.clone(),
        subnets: snapshot.subnets.iter().map(|subnet| subnet.subnet_id.clone()).collect(),
        attributes: snapshot.attributes.cloned(),
    }
}

/// What of this VPC in a world takes time to act; nothing where the world does not hold it.
pub(super) fn seen_in(baseline: &Baseline, world: &World, vpc: &VpcId) -> Option<Looked> {
    let shared = Shared::of(world);
    let snapshot = Snapshot::one(world, &shared, vpc).ok()??;
    Some(looked_at(&snapshot, baseline))
}

/// What is remembered of a VPC after a look at it, which these calls led to. What could not be seen
/// of it is remembered as before.
pub(super) fn remembered(
    before: Option<&VpcFacts>,
    baseline: &Baseline,
    world: &World,
    vpc: &VpcId,
    calls: &[RecordedCall],
    now: Timestamp,
) -> VpcFacts {
    match seen_in(baseline, world, vpc) {
        Some(looked) => VpcFacts::after_look(before, &looked, calls, now),
        None => before.cloned().unwrap_or_else(|| VpcFacts::first_seen_at(now)),
    }
}

/// What is remembered of a VPC that has been as it is in this world since `since`, but for what was
/// made later; nothing but the time where the world does not hold it.
pub fn remembered_since(
    baseline: &Baseline,
    world: &World,
    vpc: &VpcId,
    since: Timestamp,
) -> VpcFacts {
    let facts = remembered(None, baseline, world, vpc, &[], since);
    let endpoints = world.vpc_endpoints.iter().flatten();
    let created = endpoints.filter(|endpoint| endpoint.vpc_id == *vpc).filter_map(|endpoint| {
        let at = endpoint.creation_timestamp.as_deref()?.parse().ok()?;
        Some((&endpoint.vpc_endpoint_id, at))
    });
    let of_endpoints = created.fold(facts.facts, |facts, (id, at)| facts.none_older_than(id, at));
    VpcFacts { facts: of_endpoints, ..facts }
}

/// What a run would report if it stopped before its first change: the plan, and nothing done.
pub fn preview(baseline: &Baseline, world: &World, request: &RunRequest, now: Timestamp) -> Report {
    not_taken(
        baseline,
        assess(
            baseline,
            world,
            request,
            request.circumstances(now, Memory::NotAsked, Grace::none()),
        ),
        request,
        now,
    )
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
        assess_snapshot(
            baseline,
            snapshot,
            request.circumstances(now, Memory::NotAsked, Grace::none()),
        ),
        request,
        now,
    )
}

/// What would become of each step: none is promised that comes after one that is not taken.
fn foreseen(plan: &Plan) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for step in &plan.steps {
        let is_promised = |id: &&StepId| outcomes.get(*id) == Some(&Outcome::Planned);
        let not_taken = step.after.iter().find(|id| !is_promised(id));
        let outcome = match (step.mode, step.held.clone(), not_taken) {
            (Mode::Observe | Mode::Notify, _, _) => Outcome::NotAllowed(step.mode),
            (Mode::Repair, Some(hold), _) => Outcome::Held(hold),
            (Mode::Repair, None, Some(because)) => Outcome::Skipped { because: *because },
            (Mode::Repair, None, None) => Outcome::Planned,
        };
        outcomes.insert(step.id, outcome);
    }
    outcomes
}

/// The report of a plan of which no step is taken.
fn not_taken(
    baseline: &Baseline,
    assessment: Assessment,
    request: &RunRequest,
    now: Timestamp,
) -> Report {
    let outcomes = foreseen(&assessment.plan);
    let (first, last) = (assessment.clone(), assessment);
    report_of(Ended {
        baseline,
        request,
        started: now,
        finished: now,
        first,
        last,
        outcomes,
        unread: Vec::new(),
        nat_traffic: Vec::new(),
        cut_off: Vec::new(),
        look_again: None,
        was_known: false,
        ended: Vec::new(),
        was_off_for: None,
        notes_error: None,
    })
}
