//! The loop over the steps of a plan: each reads, asks what to do, and does it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::RunRequest;
use super::assess::{Assessment, assess, seen_in};
use super::journal::{Journal, May};
use super::memory::Looks;
use super::proof::{
    BETWEEN_TRIES_AFTER, Inquiry, Proven, TRIES_AFTER, TRIES_BEFORE, doubt, inquiries, removed_from,
};
use super::recheck::{
    After, LOOK_AGAIN, Next, Outcomes, TimeLeft, after_call, after_look, before_call, check, gate,
    is_verified, permission_for,
};
use crate::baseline::Baseline;
use crate::cloud::{CallError, Cloud, Table, Unread};
use crate::ec2::change::{Action, Call};
use crate::ec2::id::{RouteTableId, Scope, SecurityGroupId};
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::ec2::world::World;
use crate::history::{Grace, Looked, Memory, RecordedCall, VpcFacts};
use crate::plan::{Circumstances, Condition, GroupRef, Hold, Plan, StepId, Task};
use crate::report::{CutOff, Outcome};

/// How often to look again for a change that was made but does not show yet
/// (docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html), and how long to wait first.
const VERIFY_LOOKS: u32 = 4;
const VERIFY_AFTER: Duration = Duration::from_secs(2);

/// The sections that the guardrail's changes show in, whichever it makes; but the DNS attributes, for
/// which EC2 wants two calls, only where this run may have changed them.
fn changed_sections(touched: &BTreeSet<Section>) -> BTreeSet<Section> {
    let all = Operation::ALL.iter().flat_map(|operation| operation.shows_in()).copied();
    all.filter(|it| *it != Section::VpcAttributes || touched.contains(it)).collect()
}

/// What is known of the VPC at this moment.
struct Observed {
    world: World,
    unread: Vec<Unread>,
    /// The sections read since the plan was made and since the last change.
    fresh: BTreeSet<Section>,
    /// Whether the VPC's DNS attributes were read since they were last remembered.
    has_new_attributes: bool,
}

impl Observed {
    pub(super) fn new(scope: &Scope) -> Self {
        let world = World {
            region: Some(scope.region.clone()),
            account_id: Some(scope.account.clone()),
            ..World::default()
        };
        Self { world, unread: Vec::new(), fresh: BTreeSet::new(), has_new_attributes: false }
    }

    async fn look<C: Cloud>(&mut self, cloud: &C, scope: &Scope, sections: &[Section]) {
        let observation = cloud.observe(scope, sections).await;
        self.unread.retain(|unread| !sections.contains(&unread.section));
        self.unread.extend(observation.unread);
        self.world.refresh(observation.world, sections);
        self.has_new_attributes |= sections.contains(&Section::VpcAttributes);
    }

    /// Reads again what has not been read since the plan was made and since the last change.
    async fn look_again<C: Cloud>(
        &mut self,
        cloud: &C,
        scope: &Scope,
        sections: &[Section],
    ) -> Result<(), CallError> {
        let stale: Vec<Section> =
            sections.iter().filter(|section| !self.fresh.contains(section)).copied().collect();
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
}

/// One run under way.
pub(super) struct Runner<'a, C> {
    cloud: &'a C,
    baseline: &'a Baseline,
    request: &'a RunRequest,
    observed: Observed,
    /// The sections that could not be read when the plan was made: no step of it rests on them.
    blind: BTreeSet<Section>,
    /// The sections in which changes of this run show, and that were not read since.
    touched: BTreeSet<Section>,
    /// What is remembered of the VPC.
    remembered: Remembered,
    /// What each look brought that is remembered, and when: what the run itself has changed and put
    /// right does not show in the last.
    looks: Vec<(Looked, Timestamp)>,
}

/// What a run remembers of the VPC.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    /// What was seen of it, and since when; `None` when that could not be read.
    pub(super) facts: Option<Option<VpcFacts>>,
    /// What is left to tools that may be about to make it themselves.
    pub(super) grace: Grace,
    /// What client tokens are made from.
    pub(super) seed: String,
    /// The calls that may have changed what takes time to act: those that led to the run, and those of
    /// a killed run.
    pub(super) calls: Vec<RecordedCall>,
    /// The groups that a killed run made a short while ago.
    pub(super) made_by_killed_run: Vec<SecurityGroupId>,
}

impl<'a, C: Cloud> Runner<'a, C> {
    pub(super) fn new(
        cloud: &'a C,
        baseline: &'a Baseline,
        request: &'a RunRequest,
        remembered: Remembered,
    ) -> Self {
        Self {
            cloud,
            baseline,
            request,
            observed: Observed::new(&request.scope),
            blind: BTreeSet::new(),
            touched: BTreeSet::new(),
            remembered,
            looks: Vec::new(),
        }
    }

    /// What is known of the VPC at this moment.
    pub(super) fn world(&self) -> &World {
        &self.observed.world
    }

    /// What the looks brought that is remembered.
    pub(super) fn looks(&self) -> Looks<'_> {
        Looks { looks: &self.looks, calls: &self.remembered.calls }
    }

    /// What could not be read when it was last looked at.
    pub(super) fn unread(&self) -> &[Unread] {
        &self.observed.unread
    }

    /// Reads everything.
    pub(super) async fn first_look(&mut self) -> Assessment {
        self.observed.look(self.cloud, &self.request.scope, &Section::judged()).await;
        self.blind = self.observed.unread.iter().map(|unread| unread.section).collect();
        self.assess()
    }

    /// Takes the steps of a plan, in their order, each written down before and after.
    pub(super) async fn apply<T: Table>(
        &mut self,
        plan: &Plan,
        journal: &mut Option<Journal<'_, T>>,
    ) -> Outcomes {
        let mut outcomes = Outcomes::new();
        for step in &plan.steps {
            let outcome = match gate(step, &outcomes, self.cloud.now(), self.request.deadline) {
                Some(outcome) => outcome,
                None => match &step.task {
                    Task::Change(action) => match journal {
                        Some(journal) => self.change(step.id, action, &outcomes, journal).await,
                        // Nothing of the plan was to be taken when the run began.
                        None => Outcome::Stale,
                    },
                    Task::Await(condition) => self.wait(condition).await,
                },
            };
            outcomes.insert(step.id, outcome);
        }
        outcomes
    }

    /// What is seen comes to this, together with what is remembered.
    fn assess(&mut self) -> Assessment {
        let now = self.cloud.now();
        let (baseline, world, request) = (self.baseline, &self.observed.world, self.request);
        let mut looked =
            seen_in(baseline, world, &request.scope.vpc).unwrap_or_else(Looked::nothing);
        if !std::mem::take(&mut self.observed.has_new_attributes) {
            looked.attributes = None;
        }
        if let Some(facts) = &mut self.remembered.facts {
            let calls = &self.remembered.calls;
            *facts = Some(VpcFacts::after_look(facts.as_ref(), &looked, calls, now));
        }
        if self.looks.last().is_none_or(|(last, _)| *last != looked) {
            self.looks.push((looked, now));
        }
        let Remembered { facts, grace, seed, .. } = &self.remembered;
        let facts = facts.as_ref().and_then(Option::as_ref);
        let memory = facts.map_or(Memory::Unreadable, |facts| Memory::Of(&facts.facts));
        assess(baseline, world, request, Circumstances { incident: seed, now, memory, grace })
    }

    fn time_left(&self) -> TimeLeft {
        TimeLeft::until(self.request.deadline, self.cloud.now())
    }

    async fn read_again(&mut self, sections: &[Section]) -> Result<(), CallError> {
        self.observed.look_again(self.cloud, &self.request.scope, sections).await
    }

    /// Lets time pass, after which nothing that was read counts as fresh.
    async fn wait_for(&mut self, time: Duration) {
        self.cloud.pause(time).await;
        self.observed.fresh.clear();
    }

    async fn change<T: Table>(
        &mut self,
        step: StepId,
        action: &Action<GroupRef>,
        outcomes: &Outcomes,
        journal: &mut Journal<'_, T>,
    ) -> Outcome {
        let mut attempt = 0;
        let mut proven = false;
        loop {
            let call = match self.ready_to(action, outcomes).await {
                Ok(call) => call,
                Err(outcome) => return outcome,
            };
            if !proven {
                match self.prove(action).await {
                    Ok(Proven::WithoutAsking) => {}
                    // That took a while, in which anything may have changed.
                    Ok(Proven::ByAnswers) => {
                        (proven, self.observed.fresh) = (true, BTreeSet::new());
                        continue;
                    }
                    Err(outcome) => return outcome,
                }
            }
            match journal.before(self.cloud, step, call.operation()).await {
                May::Call => {}
                May::NotUnderThisLease => return Outcome::OutOfTime,
                May::NotBefore(until) => return Outcome::Held(Hold::Pace { until }),
                May::NotRecord(error) => return Outcome::NotRecorded(error),
            }
            self.observed.fresh.clear();
            self.touched.extend(call.operation().shows_in());
            let from = self.cloud.now();
            let answer = self.cloud.apply(&self.request.scope, &call).await;
            journal.after(self.cloud, step, from, &answer).await;
            let made = &self.remembered.made_by_killed_run;
            let (evidence, now) = (&self.request.evidence, self.cloud.now());
            let permission = permission_for(action, made, evidence, self.baseline, now);
            match after_call(action, answer.outcome, attempt, permission, self.time_left()) {
                After::End(outcome) => return outcome,
                After::Again(wait) => self.wait_for(wait).await,
            }
            attempt += 1;
        }
    }

    /// Asks the probes that stand in the subnets of a route's table, before the route goes, whether
    /// every required service answers there: one after another, and as often as it takes to be sure.
    async fn prove(&mut self, action: &Action<GroupRef>) -> Result<Proven, Outcome> {
        let table = match action {
            Action::DeleteRoute { table, .. } => BTreeSet::from([table]),
            Action::EnableVpcDns { .. }
            | Action::CreateSecurityGroup { .. }
            | Action::AuthorizeHttps { .. }
            | Action::CreateEndpoint { .. }
            | Action::ModifyEndpoint { .. }
            | Action::SetEndpointPolicy { .. }
            | Action::RevokeIngress { .. }
            | Action::StopAutomaticAddress { .. }
            | Action::DisassociateAddress { .. }
            | Action::DisablePublicIpOnLaunch { .. } => BTreeSet::new(),
        };
        if self.inquiries(&table).is_empty() {
            return Ok(Proven::WithoutAsking);
        }
        // An endpoint that this run has made has interfaces that were not there at the first look.
        self.read_again(&[Section::NetworkInterfaces]).await.map_err(Outcome::RecheckFailed)?;
        let inquiries = self.inquiries(&table);
        for _ in 0..TRIES_BEFORE {
            for inquiry in &inquiries {
                if self.time_left() == TimeLeft::No {
                    return Err(Outcome::OutOfTime);
                }
                if let Some(why) = self.ask(inquiry).await {
                    let probe = inquiry.probe.clone();
                    return Err(Outcome::Held(Hold::NotProven { probe, why }));
                }
            }
        }
        Ok(Proven::ByAnswers)
    }

    /// Asks the same probes again after routes were removed, over a minute; what they do not reach may
    /// be cut off. The first try that fails is the last.
    pub(super) async fn watch(&self, plan: &Plan, outcomes: &Outcomes) -> Vec<CutOff> {
        let inquiries = self.inquiries(&removed_from(plan, outcomes));
        let mut cut_off = Vec::new();
        if inquiries.is_empty() {
            return cut_off;
        }
        for attempt in 0..TRIES_AFTER {
            if attempt > 0 {
                self.cloud.pause(BETWEEN_TRIES_AFTER).await;
            }
            for inquiry in &inquiries {
                if let Some(why) = self.ask(inquiry).await {
                    cut_off.push(CutOff { probe: inquiry.probe.clone(), why });
                }
            }
            if !cut_off.is_empty() {
                break;
            }
        }
        cut_off
    }

    fn inquiries(&self, tables: &BTreeSet<&RouteTableId>) -> Vec<Inquiry> {
        inquiries(self.baseline, &self.observed.world, &self.request.scope, tables)
    }

    async fn ask(&self, inquiry: &Inquiry) -> Option<String> {
        match inquiry.question() {
            Ok(question) => {
                let scope = &self.request.scope;
                let answer = self.cloud.ask_probe(scope, &inquiry.probe, &question).await;
                doubt(&question, &answer)
            }
            Err(why) => Some(why),
        }
    }

    /// Reads again what an action rests on until its call can be made; the outcome of its step where
    /// it cannot.
    async fn ready_to(
        &mut self,
        action: &Action<GroupRef>,
        outcomes: &Outcomes,
    ) -> Result<Call, Outcome> {
        loop {
            // With these, what this run has changed: half of a change is not what there is.
            let mut sections: BTreeSet<Section> = action.rests_on().into_iter().collect();
            sections.extend(&self.touched);
            let sections: Vec<Section> = sections.difference(&self.blind).copied().collect();
            self.read_again(&sections).await.map_err(Outcome::RecheckFailed)?;
            self.touched.clear();
            match before_call(action, &self.assess().plan, outcomes, self.time_left()) {
                Next::Go(call) => return Ok(call),
                Next::Later => self.wait_for(LOOK_AGAIN).await,
                Next::End(outcome) => return Err(outcome),
            }
        }
    }

    async fn wait(&mut self, condition: &Condition) -> Outcome {
        loop {
            // With these, what an earlier look could not read: on what is missing nothing is
            // decided.
            let unread = self.observed.unread.iter().map(|unread| unread.section);
            let sections: Vec<Section> =
                [Section::VpcEndpoints, Section::RouteTables].into_iter().chain(unread).collect();
            let read = self.read_again(&sections).await;
            let come = || check(self.baseline, &self.observed.world, self.request, condition);
            match after_look(read, come, self.time_left()) {
                Some(outcome) => return outcome,
                None => self.wait_for(LOOK_AGAIN).await,
            }
        }
    }

    /// Looks again at what was changed; a little later and again where a change that was made does
    /// not show yet.
    pub(super) async fn verify(&mut self, plan: &Plan, outcomes: &Outcomes) -> Assessment {
        let mut looks_left = VERIFY_LOOKS;
        loop {
            let mut sections = changed_sections(&self.touched);
            sections.extend(self.observed.unread.iter().map(|unread| unread.section));
            self.observed
                .look(self.cloud, &self.request.scope, &sections.into_iter().collect::<Vec<_>>())
                .await;
            looks_left = looks_left.saturating_sub(1);
            let now = self.assess();
            if is_verified(plan, outcomes, &now, looks_left, self.time_left()) {
                return now;
            }
            self.cloud.pause(VERIFY_AFTER).await;
        }
    }
}
