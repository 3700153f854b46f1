//! A world with the guardrail at work in it, the same without it, and the onlooker at both.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use guardrail::baseline::{Baseline, Remove, Resolver};
use guardrail::cloud::{Answer, Cloud, InMemoryTable, Observation};
use guardrail::ec2::change::Call;
use guardrail::ec2::id::{RouteTableId, Scope, SubnetId, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::World;
use guardrail::event::Evidence;
use guardrail::report::{Cause, Next, Report};
use guardrail::rules::left_alone::{LeftAlone, LeftAloneReason};
use guardrail::run::{Lived, RunRequest, run};
use guardrail_sim::{Recorded, Request, Sim, SimCloud, SimOptions};
use jiff::Timestamp;

use crate::look::Onlooker;
use crate::packet::table_of;
use crate::spec::{MANAGED, OTHER_MARK};

/// A scene is settled after so many runs, or never.
const RUNS: usize = 48;

pub(crate) struct Stage {
    cloud: SimCloud,
    /// The same world, left alone.
    alone: RefCell<Sim>,
    table: InMemoryTable,
    baseline: Baseline,
    pub(crate) onlooker: Onlooker,
    /// Whether the onlooker looks at every write and after it.
    watched: bool,
    private: Vec<SubnetId>,
    has_written: Cell<bool>,
    /// Records of calls on their way, each with the time when it comes.
    coming: RefCell<Vec<(Timestamp, Evidence)>>,
}

impl Cloud for Stage {
    fn now(&self) -> Timestamp {
        self.cloud.now()
    }

    fn uptime(&self) -> Duration {
        self.cloud.uptime()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        self.cloud.observe(scope, sections).await
    }

    async fn apply(&self, scope: &Scope, call: &Call) -> Answer {
        let text = format!("{call:?}");
        assert!(!text.contains(OTHER_MARK), "a call names the VPC that is not managed: {text}");
        if let Call::DeleteRoute { table, .. } = call {
            self.assert_only_private_users(table);
            self.onlooker.removes(table);
        }
        self.has_written.set(true);
        let applied = self.cloud.apply(scope, call).await;
        self.look();
        applied
    }

    async fn pause(&self, time: Duration) {
        self.advance(time);
    }
}

impl Stage {
    pub(crate) fn new(
        world: &World,
        baseline: &Baseline,
        required: Vec<String>,
        private: &[String],
        watched: bool,
    ) -> Self {
        let mut options = SimOptions::default();
        if !watched {
            // Nobody looks on while endpoints come up, and every wait is a look of the guardrail's.
            options.interface_endpoint_ready = Duration::from_secs(1);
            options.gateway_endpoint_ready = Duration::from_secs(1);
        }
        let sim = || Sim::new(world.clone(), Timestamp::UNIX_EPOCH, options.clone());
        let asks = baseline.internet_routes.remove == Remove::AfterEndpoints;
        let vpc = VpcId::try_from(MANAGED.to_owned()).unwrap();
        let its = world.vpcs.iter().flatten().find(|it| it.vpc_id == vpc);
        let resolver = its.and_then(|vpc| baseline.resolver_of(vpc));
        let forwards = matches!(resolver, Some(Resolver::ForwardsToAmazon));
        let private: Vec<SubnetId> = private.iter().map(|id| id.parse().unwrap()).collect();
        Self {
            cloud: SimCloud::new(sim()),
            alone: RefCell::new(sim()),
            table: InMemoryTable::default(),
            baseline: baseline.clone(),
            watched,
            onlooker: Onlooker::new(world, vpc, (required, private.clone()), (asks, forwards)),
            private,
            has_written: Cell::new(false),
            coming: RefCell::default(),
        }
    }

    pub(crate) fn world(&self) -> World {
        self.cloud.sim().world()
    }

    fn assert_only_private_users(&self, table: &RouteTableId) {
        let world = self.world();
        let users: Vec<&SubnetId> = world
            .subnets
            .iter()
            .flatten()
            .map(|subnet| &subnet.subnet_id)
            .filter(|id| table_of(&world, id).is_some_and(|used| used.route_table_id == *table))
            .collect();
        assert!(
            !users.is_empty() && users.iter().all(|id| self.private.contains(id)),
            "{table} serves {users:?}"
        );
    }

    fn look(&self) {
        if !self.watched {
            return;
        }
        let (now, world) = (self.cloud.now(), self.world());
        self.onlooker.look(now, world, self.alone.borrow().world());
    }

    fn advance(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            // Endpoints come and answers go within minutes.
            let step = left.min(Duration::from_secs(if left.as_secs() > 1800 { 1200 } else { 60 }));
            self.cloud.sim_mut().advance(step);
            self.alone.borrow_mut().advance(step);
            left -= step;
            self.look();
        }
    }

    /// A call of somebody else's, in both worlds.
    pub(crate) fn somebody_calls(&self, request: &Request) {
        self.cloud.sim_mut().call(request).unwrap();
        self.alone.borrow_mut().call(request).unwrap();
        self.look();
    }

    pub(crate) fn now_is(&self) -> Timestamp {
        self.cloud.now()
    }

    /// Time passes, and nobody does anything.
    pub(crate) fn passes(&self, time: Duration) {
        self.advance(time);
    }

    /// The record of a call comes so much later.
    pub(crate) fn will_hear(&self, late: Duration, record: Evidence) {
        let at = self.cloud.now().checked_add(late).unwrap();
        self.coming.borrow_mut().push((at, record));
    }

    /// Whether the guardrail has changed anything.
    pub(crate) fn has_written(&self) -> bool {
        self.has_written.get()
    }

    /// One run, with the records that have come since the last, the latest call first.
    pub(crate) fn look_once(&self, number: usize) -> Report {
        self.look();
        let now = self.cloud.now();
        let (come, coming): (Vec<_>, Vec<_>) =
            self.coming.take().into_iter().partition(|(at, _)| *at <= now);
        self.coming.replace(coming);
        let evidence = come.into_iter().rev().map(|(_, record)| record).collect();
        let request = RunRequest { evidence, ..request(number, now) };
        let lived = pollster::block_on(run(self, &self.table, &[], &self.baseline, &request));
        let Lived::Recorded { report, .. } = lived else { panic!("{lived:?}") };
        *report
    }

    /// One run, and then the time until the next: until what it waits for has come, a minute
    /// otherwise.
    pub(crate) fn run(&self, number: usize) -> Report {
        let report = self.look_once(number);
        let wait = report
            .look_again
            .as_ref()
            .and_then(|again| Duration::try_from(again.at.duration_since(self.cloud.now())).ok());
        self.advance(wait.unwrap_or(Duration::from_secs(60)));
        report
    }

    pub(crate) fn writes(&self) -> Vec<Recorded> {
        self.cloud.sim_mut().take_calls().into_iter().filter(Recorded::is_write).collect()
    }

    /// Runs until a run makes no call that writes and waits for nothing.
    pub(crate) fn settle(&self) -> Report {
        for number in 0..RUNS {
            self.writes();
            let report = self.run(number);
            let comes = |left: &LeftAlone| left.reason == LeftAloneReason::ComesByItself;
            let waits = report.look_again.is_some() || report.left_alone.iter().any(comes);
            if self.writes().is_empty() && report.next == Next::Settled && !waits {
                return report;
            }
        }
        panic!("not settled after {RUNS} runs: {:#?}", self.run(RUNS));
    }
}

pub(crate) fn request(number: usize, now: Timestamp) -> RunRequest {
    RunRequest {
        scope: Scope {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            vpc: VpcId::try_from(MANAGED.to_owned()).unwrap(),
        },
        cause: Cause::Event,
        evidence: Vec::new(),
        run_id: format!("run-{number}-{now}"),
        incident: format!("incident-{number}"),
        deadline: now.checked_add(Duration::from_secs(900)).unwrap(),
    }
}
