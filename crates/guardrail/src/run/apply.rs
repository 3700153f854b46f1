//! The loop over the steps of a plan: each reads, asks what to do, and does it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::RunRequest;
use super::assess::{Assessment, assess, remembered};
use super::recheck::{
    LOOK_AGAIN, Next, Outcomes, TimeLeft, after_call, after_look, before_call, check, gate,
    is_verified,
};
use crate::baseline::Baseline;
use crate::cloud::{CallError, Cloud, Unread};
use crate::ec2::change::Action;
use crate::ec2::id::Scope;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::ec2::world::World;
use crate::history::{Facts, Memory};
use crate::plan::{Condition, GroupRef, Plan, Task};
use crate::report::Outcome;

/// How often to look again for a change that was made but does not show yet
/// (docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html), and how long to wait first.
const VERIFY_LOOKS: u32 = 4;
const VERIFY_AFTER: Duration = Duration::from_secs(2);

/// The sections that the guardrail's changes show in, whichever it makes.
fn changed_sections() -> impl Iterator<Item = Section> {
    Operation::ALL.iter().flat_map(|operation| operation.shows_in()).copied()
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
        let world = World {
            region: Some(scope.region.clone()),
            account_id: Some(scope.account.clone()),
            ..World::default()
        };
        Self { world, unread: Vec::new(), fresh: BTreeSet::new() }
    }

    async fn look<C: Cloud>(&mut self, cloud: &C, scope: &Scope, sections: &[Section]) {
        let observation = cloud.observe(scope, sections).await;
        self.unread.retain(|unread| !sections.contains(&unread.section));
        self.unread.extend(observation.unread);
        self.world.refresh(observation.world, sections);
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
    /// What is remembered of the VPC; `None` when it could not be read.
    facts: Option<Facts>,
}

impl<'a, C: Cloud> Runner<'a, C> {
    pub(super) fn new(
        cloud: &'a C,
        baseline: &'a Baseline,
        request: &'a RunRequest,
        facts: Option<Facts>,
    ) -> Self {
        Self {
            cloud,
            baseline,
            request,
            observed: Observed::new(&request.scope),
            blind: BTreeSet::new(),
            touched: BTreeSet::new(),
            facts,
        }
    }

    /// What could not be read when it was last looked at, and what is remembered now.
    pub(super) fn into_unread_and_facts(self) -> (Vec<Unread>, Option<Facts>) {
        (self.observed.unread, self.facts)
    }

    /// Reads everything.
    pub(super) async fn first_look(&mut self) -> Assessment {
        self.observed.look(self.cloud, &self.request.scope, &Section::judged()).await;
        self.blind = self.observed.unread.iter().map(|unread| unread.section).collect();
        self.assess()
    }

    /// Takes the steps of a plan, in their order.
    pub(super) async fn apply(&mut self, plan: &Plan) -> Outcomes {
        let mut outcomes = Outcomes::new();
        for step in &plan.steps {
            let outcome = match gate(step, &outcomes, self.cloud.now(), self.request.deadline) {
                Some(outcome) => outcome,
                None => match &step.task {
                    Task::Change(action) => self.change(action, &outcomes).await,
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
        self.facts =
            self.facts.as_ref().map(|facts| remembered(facts, baseline, world, request, now));
        let memory = self.facts.as_ref().map_or(Memory::Unreadable, Memory::Of);
        assess(baseline, world, request, request.circumstances(now, memory))
    }

    fn time_left(&self) -> TimeLeft {
        TimeLeft::until(self.request.deadline, self.cloud.now())
    }

    async fn read_again(&mut self, sections: &[Section]) -> Result<(), CallError> {
        self.observed.look_again(self.cloud, &self.request.scope, sections).await
    }

    /// Lets time pass, after which nothing that was read counts as fresh.
    async fn wait_a_little(&mut self) {
        self.cloud.pause(LOOK_AGAIN).await;
        self.observed.fresh.clear();
    }

    async fn change(&mut self, action: &Action<GroupRef>, outcomes: &Outcomes) -> Outcome {
        let call = loop {
            // With these, what this run has changed: half of a change is not what there is.
            let mut sections: BTreeSet<Section> = action.rests_on().into_iter().collect();
            sections.extend(&self.touched);
            let sections: Vec<Section> = sections.difference(&self.blind).copied().collect();
            if let Err(error) = self.read_again(&sections).await {
                return Outcome::RecheckFailed(error);
            }
            self.touched.clear();
            match before_call(action, &self.assess().plan, outcomes, self.time_left()) {
                Next::Go(call) => break call,
                Next::Later => self.wait_a_little().await,
                Next::End(outcome) => return outcome,
            }
        };
        loop {
            self.observed.fresh.clear();
            self.touched.extend(call.operation().shows_in());
            let answer = self.cloud.apply(&self.request.scope, &call).await;
            match after_call(action, answer.outcome, self.time_left()) {
                Some(outcome) => return outcome,
                None => self.wait_a_little().await,
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
                None => self.wait_a_little().await,
            }
        }
    }

    /// Looks again at what was changed; a little later and again where a change that was made does
    /// not show yet.
    pub(super) async fn verify(&mut self, plan: &Plan, outcomes: &Outcomes) -> Assessment {
        let mut looks_left = VERIFY_LOOKS;
        loop {
            let unread = self.observed.unread.iter().map(|unread| unread.section);
            let sections: BTreeSet<Section> = changed_sections().chain(unread).collect();
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
