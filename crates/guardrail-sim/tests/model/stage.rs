//! Everything that a history plays in: EC2, the table, the queue, the topics, and who looks on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use guardrail::baseline::Baseline;
use guardrail::cloud::{Commit, InMemoryTable, Table as _};
use guardrail::ec2::id::Place;
use guardrail::history::{Alert, Condition, Item, Transaction, Write};
use guardrail::report::Report;
use guardrail_sim::{Request, Sim, SimCloud, SimOptions};
use jiff::Timestamp;

use crate::counts::Counts;
use crate::fifo::Fifo;
use crate::flow::Flow;
use crate::planted::Planted;
use crate::scene;
use crate::watch::Watch;

/// The topics.
pub(crate) const TOPICS: [&str; 2] = ["topic-people", "topic-machines"];

/// An alert that was told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) topic: String,
    pub(crate) alert: Alert,
}

pub(crate) struct Stage {
    pub(crate) cloud: SimCloud,
    pub(crate) table: InMemoryTable,
    pub(crate) flow: RefCell<Flow>,
    pub(crate) queue: RefCell<Fifo>,
    pub(crate) told: RefCell<Vec<Told>>,
    /// The ids of messages without a scope of which a copy was accepted.
    pub(crate) aside: RefCell<Vec<String>>,
    /// The handles of messages that were held.
    pub(crate) held: RefCell<BTreeSet<String>>,
    /// The runs whose outcomes were recorded, in their order.
    pub(crate) finished: RefCell<Vec<String>>,
    pub(crate) watch: RefCell<Watch>,
    pub(crate) counts: RefCell<Counts>,
    /// The reports of runs, in the order of their ends.
    pub(crate) reports: RefCell<Vec<Rc<Report>>>,
    pub(crate) baseline: Baseline,
    pub(crate) place: Place,
    pub(crate) planted: Option<Planted>,
    /// What a planted fault remembers.
    pub(crate) planted_memory: RefCell<Vec<String>>,
    /// The table and the topics refuse everything until then.
    pub(crate) table_out: Cell<Timestamp>,
    pub(crate) topics_out: Cell<Timestamp>,
    /// What happened, in words, where somebody wants to read it.
    pub(crate) log: RefCell<Option<Vec<String>>>,
    /// When EC2 changes something by itself.
    transitions: RefCell<Vec<Timestamp>>,
    /// What the guardrail's own calls were, for CloudTrail.
    pub(crate) own_calls: RefCell<Vec<(String, Request, Timestamp)>>,
}

/// When histories begin: an hour after all was seen for the first time.
pub(crate) fn start() -> Timestamp {
    "2026-09-14T08:00:00Z".parse().unwrap()
}

impl Stage {
    pub(crate) fn new(vpcs: usize, throttling: bool, planted: Option<Planted>) -> Self {
        let options = SimOptions { throttling, ..SimOptions::default() };
        let sim = Sim::new(scene::world(vpcs), start(), options);
        let stage = Self {
            cloud: SimCloud::new(sim),
            table: InMemoryTable::default(),
            flow: RefCell::default(),
            queue: RefCell::default(),
            told: RefCell::default(),
            aside: RefCell::default(),
            held: RefCell::default(),
            finished: RefCell::default(),
            watch: RefCell::default(),
            counts: RefCell::default(),
            reports: RefCell::default(),
            baseline: scene::baseline(),
            place: scene::place(),
            planted,
            planted_memory: RefCell::default(),
            table_out: Cell::new(Timestamp::MIN),
            topics_out: Cell::new(Timestamp::MIN),
            log: RefCell::default(),
            transitions: RefCell::default(),
            own_calls: RefCell::default(),
        };
        stage.note();
        stage
    }

    /// EC2's id of the last request.
    pub(crate) fn request_id(&self) -> String {
        format!("req-{}", self.cloud.sim().calls().len())
    }

    /// What the table held when all was seen for the first time.
    pub(crate) fn remember(&self, items: &[Item]) {
        let writes = items.iter().map(|item| Write::Put {
            key: item.key.clone(),
            body: item.body.clone(),
            expires: None,
            condition: Condition::Any,
        });
        let all = Transaction { token: None, writes: writes.collect() };
        assert_eq!(pollster::block_on(self.table.commit(&all)), Ok(Commit::Made));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.cloud.sim().now()
    }

    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(log) = self.log.borrow_mut().as_mut() {
            let after = now.duration_since(start());
            log.push(format!("{:>10.3} {}", after.as_secs_f64(), what()));
        }
    }

    pub(crate) fn count(&self, what: impl Into<String>) {
        self.counts.borrow_mut().add(what);
    }

    /// Takes note of the world as it is.
    pub(crate) fn note(&self) {
        let (now, world) = (self.now(), self.cloud.sim().world());
        self.watch.borrow_mut().note(now, world);
    }

    /// Lets time pass until then; what EC2 does by itself is taken note of when it happens.
    pub(crate) fn pass_until(&self, until: Timestamp) {
        loop {
            let now = self.now();
            let next = self.transitions.borrow().iter().filter(|at| **at > now).min().copied();
            let to = next.unwrap_or(until).min(until);
            if to > now {
                self.cloud.sim_mut().advance(to.duration_since(now).unsigned_abs());
            }
            if next == Some(to) {
                self.note();
            }
            if to >= until {
                return;
            }
        }
    }

    /// A call of somebody else's; whether EC2 took it.
    pub(crate) fn somebody_calls(&self, request: &Request) -> bool {
        let made = self.cloud.sim_mut().call(request).is_ok();
        self.will_change();
        self.note();
        self.watch.borrow_mut().somebody_changed();
        made
    }

    /// Endpoints come and go so long after a call.
    pub(crate) fn will_change(&self) {
        let now = self.now();
        let later = |seconds| now.checked_add(Duration::from_secs(seconds)).unwrap();
        let mut transitions = self.transitions.borrow_mut();
        transitions.retain(|at| *at > now);
        transitions.extend([5, 60, 90, 660].map(later));
        transitions.sort();
        transitions.dedup();
    }
}
