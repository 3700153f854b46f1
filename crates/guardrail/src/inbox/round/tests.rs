use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::baseline::ManagedVpcs;
use crate::cloud::{
    Answer, Applied, Carried, Cloud, Envelope, InMemoryTable, NatTraffic, Observation, Telling,
};
use crate::ec2::change::Call;
use crate::ec2::id::{NatGatewayId, Scope};
use crate::fixture::{Fixture, vpc};
use crate::history::detected::Noted;
use crate::history::{Alert, Body, Destination};
use crate::report::Cause;
use crate::run::{Lived, RunRequest, run};

/// What a future of a fake comes to.
pub(crate) fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the fake never waits"),
    }
}

pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

pub(crate) fn place() -> Place {
    Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

/// A Region with its table, its queue and its readers.
pub(crate) struct Region {
    pub(crate) state: RefCell<Fixture>,
    pub(crate) now: Cell<Timestamp>,
    pub(crate) table: InMemoryTable,
    /// How long it takes to read DNS attributes once.
    pub(crate) takes: Cell<Duration>,
    /// The VPCs whose DNS attributes were asked for.
    pub(crate) asked: RefCell<Vec<String>>,
    /// What cannot be read.
    pub(crate) hidden: RefCell<Vec<(Section, ErrorClass)>>,
    /// The VPCs whose DNS attributes cannot be read.
    pub(crate) no_attributes: RefCell<Vec<(&'static str, ErrorClass)>>,
    /// Whether somebody asks for a comparison while the Region is read.
    pub(crate) asks_meanwhile: Cell<bool>,
    pub(crate) sent: RefCell<Vec<Envelope>>,
    pub(crate) refuses: Cell<bool>,
    pub(crate) told: RefCell<Vec<String>>,
}

pub(crate) fn error(class: ErrorClass) -> CallError {
    let (operation, message) = ("Call".to_owned(), "scripted".to_owned());
    CallError { operation, class, code: Some(format!("{class:?}")), message }
}

impl Region {
    pub(crate) fn new(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Self {
        Self {
            state: RefCell::new(Fixture::edited(edit)),
            now: Cell::new(at(0)),
            table: InMemoryTable::default(),
            takes: Cell::new(Duration::ZERO),
            asked: RefCell::default(),
            hidden: RefCell::default(),
            no_attributes: RefCell::default(),
            asks_meanwhile: Cell::new(false),
            sent: RefCell::default(),
            refuses: Cell::new(false),
            told: RefCell::default(),
        }
    }

    /// A Region with so many more VPCs that have neither subnets nor endpoints, which is nobody's news.
    pub(crate) fn with_vpcs(more: usize) -> Self {
        Self::new(|w| {
            w.baseline("mode", json!("observe"));
            for number in 0..more {
                let mut one = w.thing("vpc-1").clone();
                let id = format!("vpc-e{number:02}");
                one["VpcId"] = json!(id);
                w.add("Vpcs", one);
                let mut main = w.thing("rtb-main").clone();
                main["RouteTableId"] = json!(format!("rtb-e{number:02}"));
                main["VpcId"] = json!(id);
                w.add("RouteTables", main);
                w.world["VpcAttributes"][id] = w.world["VpcAttributes"]["vpc-1"].clone();
            }
            w
        })
    }

    pub(crate) fn put<V: serde::Serialize>(&self, key: crate::history::Key, value: &V) {
        let put = Transaction::one(put(key, value, Condition::Any));
        assert_eq!(done(self.table.commit(&put)), Ok(Commit::Made));
    }

    pub(crate) fn note(&self, noted: &[Noted], now: Timestamp) {
        for transaction in detected::transactions(&place(), noted, now) {
            assert_eq!(done(self.table.commit(&transaction)), Ok(Commit::Made));
        }
    }

    /// A round that has this many minutes.
    pub(crate) fn round(&self, round: &Round, minutes: i64) -> Result<RoundEnd, CallError> {
        let hands = SweepHands { region: self, table: &self.table, queue: self };
        let until = self.now.get() + jiff::SignedDuration::from_mins(minutes);
        let baseline = self.state.borrow().wanted();
        done(super::round(&hands, &baseline, &place(), round, until))
    }

    fn begins(&self) -> RoundEnd {
        self.round(&Round::Begins(format!("sweep-{}", self.now.get())), 60).unwrap()
    }

    /// A run over the fixture's VPC that the clock has asked for.
    pub(crate) fn run(&self) -> Lived {
        let now = self.now.get();
        let request = RunRequest {
            scope: place().scope(&vpc()),
            cause: Cause::Clock,
            evidence: Vec::new(),
            run_id: format!("run-{now}"),
            incident: "incident".to_owned(),
            deadline: now + Duration::from_secs(25),
        };
        let baseline = self.state.borrow().wanted();
        done(run(self, &self.table, &[], &baseline, &request))
    }
}

impl Survey for Region {
    fn time(&self) -> Timestamp {
        self.now.get()
    }

    async fn survey(&self, _: &ManagedVpcs) -> Observation {
        if self.asks_meanwhile.replace(false) {
            self.note(&[Noted::CompareRegion], self.now.get());
        }
        let mut seen = Observation { world: self.state.borrow().world(), ..Observation::default() };
        seen.world.vpc_attributes = None;
        for (section, class) in self.hidden.borrow().iter() {
            seen.world.refresh(World::default(), &[*section]);
            seen.unread.push(Unread { section: *section, error: error(*class) });
        }
        seen
    }

    async fn dns_attributes(&self, vpcs: &[VpcId]) -> Observation {
        self.asked.borrow_mut().extend(vpcs.iter().map(ToString::to_string));
        self.now.set(self.now.get() + self.takes.get());
        let mut all = self.state.borrow().world().vpc_attributes.unwrap_or_default();
        all.retain(|vpc, _| vpcs.contains(vpc));
        let mut seen = Observation::default();
        for (vpc, class) in self.no_attributes.borrow().iter() {
            if all.remove(&vpc.parse::<VpcId>().unwrap()).is_some() {
                let section = Section::VpcAttributes;
                seen.unread.push(Unread { section, error: error(*class) });
            }
        }
        seen.world.vpc_attributes = Some(all);
        seen
    }
}

impl Cloud for Region {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }

    async fn observe(&self, _: &Scope, sections: &[Section]) -> Observation {
        let mut seen = Observation::default();
        seen.world.refresh(self.state.borrow().world(), sections);
        seen
    }

    async fn apply(&self, _: &Scope, _: &Call) -> Answer {
        Answer::without_id(Ok(Applied::Done))
    }

    async fn carried(&self, _: &Scope, nats: &[NatGatewayId]) -> Vec<NatTraffic> {
        nats.iter().map(|nat| NatTraffic { nat: nat.clone(), carried: Carried::NoData }).collect()
    }

    async fn pause(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }
}

impl Send for Region {
    async fn send(&self, messages: &[Envelope]) -> Result<(), CallError> {
        match self.refuses.get() && !messages.is_empty() {
            true => Err(error(ErrorClass::Transient)),
            false => {
                self.sent.borrow_mut().extend(messages.iter().cloned());
                Ok(())
            }
        }
    }
}

impl Telling for Region {
    fn destinations(&self) -> Vec<Destination> {
        vec![Destination::new("topic")]
    }

    async fn tell(&self, _: &Destination, alert: &Alert) -> Result<(), CallError> {
        self.told.borrow_mut().push(alert.subject.clone());
        Ok(())
    }
}

type Edit = fn(&mut Fixture) -> &mut Fixture;

fn names(vpcs: &[VpcId]) -> Vec<&str> {
    vpcs.iter().map(VpcId::as_str).collect()
}

/// What a round has left and has done, and whether the sweep has come to its end.
fn came(ended: &RoundEnd) -> (usize, usize, bool) {
    let progress = &ended.progress;
    (progress.remaining.len(), progress.compared, progress.ended.is_some())
}

#[test]
fn a_sweep_goes_on_where_it_stopped() {
    let region = Region::with_vpcs(24);
    region.takes.set(Duration::from_secs(60));
    let first = region.round(&Round::Begins("s".to_owned()), 1).unwrap();
    assert_eq!((came(&first), region.asked.borrow().len()), ((5, 20, false), 20));
    let then = region.round(&Round::GoesOn, 1).unwrap();
    assert_eq!((came(&then), region.asked.borrow().len()), ((0, 25, true), 25));
    assert_eq!((then.progress.sweep.as_str(), then.progress.remembered.len()), ("s", 25));
    assert_eq!((then.queued.len(), then.not_remembered), (0, None));
}

#[test]
fn dns_attributes_are_read_when_they_are_not_known_dropped_or_old() {
    let region = Region::with_vpcs(1);
    let asked = || region.asked.take();
    region.begins();
    assert_eq!(asked(), ["vpc-1", "vpc-e00"]);
    region.now.set(at(60));
    region.begins();
    assert_eq!(asked(), Vec::<String>::new());
    region.note(&[Noted::VpcAttributesChanged("vpc-e00".parse().unwrap())], at(61));
    region.now.set(at(120));
    region.begins();
    assert_eq!(asked(), ["vpc-e00"]);
    region.now.set(at(20 * 60));
    region.begins();
    assert_eq!(asked(), ["vpc-1"], "the oldest, and no more than a day needs");
}

/// Of a VPC that a run knew somebody is told; also when the sweep could not look at once.
#[test]
fn a_vpc_that_is_managed_no_more_is_asked_about() {
    let region = Region::new(|w| w);
    region
        .put(facts_key(&place().scope(&"vpc-9".parse().unwrap())), &VpcFacts::first_seen_at(at(0)));
    region.hidden.replace(vec![(Section::RouteTables, ErrorClass::Throttled)]);
    let waits = region.begins();
    assert_eq!((came(&waits), names(&waits.queued)), ((1, 0, false), vec![]));
    region.hidden.take();
    let then = region.round(&Round::GoesOn, 1).unwrap();
    assert_eq!((came(&then), names(&then.queued)), ((0, 1, true), vec!["vpc-9"]));
}

#[test]
fn one_vpc_that_is_gone_blinds_no_other() {
    let region = Region::with_vpcs(24);
    region.takes.set(Duration::from_secs(60));
    region.no_attributes.replace(vec![("vpc-1", ErrorClass::NotFound)]);
    let first = region.round(&Round::Begins("s".to_owned()), 1).unwrap();
    assert_eq!((came(&first), names(&first.queued)), ((6, 19, false), vec![]));
    // What nobody may read is no reason to compare nothing.
    region.no_attributes.replace(vec![("vpc-1", ErrorClass::Denied)]);
    let then = region.round(&Round::GoesOn, 9).unwrap();
    assert_eq!((came(&then), names(&then.queued)), ((0, 25, true), vec!["vpc-1"]));
}

#[test]
fn what_a_newer_version_wrote_is_neither_lost_nor_written_over() {
    let region = Region::new(|w| w);
    let key = facts_key(&place().scope(&vpc()));
    region.put(key.clone(), &json!({"version": 99}));
    let ended = region.begins();
    assert!(ended.not_remembered.is_some_and(|why| why.message.contains("newer version")));
    assert_eq!(ended.progress.remembered, BTreeSet::from([vpc()]));
    assert_eq!(region.begins().forgotten, (1, 0));
    let kept = done(region.table.get(&key)).unwrap().unwrap();
    assert_eq!(kept.body, Body::Text(r#"{"version":99}"#.to_owned()));
}

/// What a run has left is what the next sweep finds: it asks nobody about the same thing again.
#[test]
fn a_sweep_asks_nobody_about_what_a_run_has_just_seen() {
    let edits: [(&str, Edit); 7] = [
        ("on its baseline", |w| w),
        ("an endpoint and a route", |w| {
            w.remove("vpce-ssm")
                .route("rtb-a", "0.0.0.0/0", "nat-1")
                .baseline("mode", json!("notify"))
        }),
        ("in silence", |w| w.remove("vpce-ssm").baseline("mode", json!("observe"))),
        ("an endpoint that comes", |w| w.set("vpce-ssm", "State", json!("pending"))),
        ("an endpoint in grace", |w| w.remove("vpce-ssm")),
        ("a group of another account", |w| {
            w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-somebodys"}]))
        }),
        ("one rule in silence", |w| {
            w.remove("vpce-ssm")
                .baseline("mode", json!("notify"))
                .baseline("rules", json!({"interface-endpoint": {"mode": "observe"}}))
        }),
    ];
    for (name, edit) in edits {
        let region = Region::new(edit);
        let lived = region.run();
        assert!(matches!(lived, Lived::Recorded { .. }), "{name}: {lived:?}");
        let swept = region.begins();
        assert_eq!(names(&swept.queued), Vec::<&str>::new(), "{name}");
    }
}

/// A comparison that the clock makes must not have a sweep of its hour forgotten.
#[test]
fn of_two_rounds_at_once_the_sweep_that_begins_stands() {
    struct Overtaken<'a>(&'a Region, Cell<bool>);
    impl Table for Overtaken<'_> {
        async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
            self.0.table.get(key).await
        }
        async fn list(
            &self,
            partition: &crate::history::Partition,
            prefix: &str,
        ) -> Result<Vec<Item>, CallError> {
            self.0.table.list(partition, prefix).await
        }
        async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
            let is_progress = transaction.writes.iter().any(|it| it.key().name == PROGRESS);
            if is_progress && !self.1.replace(true) {
                let other = Progress { sweep: "other".to_owned(), ..Progress::default() };
                self.0.put(Kind::Sweep.at(&place()).key(PROGRESS), &other);
            }
            self.0.table.commit(transaction).await
        }
    }
    for (round, stands) in [(Round::Begins("s".to_owned()), "s"), (Round::GoesOn, "other")] {
        let region = Region::new(|w| w);
        let table = Overtaken(&region, Cell::new(false));
        let hands = SweepHands { region: &region, table: &table, queue: &region };
        let baseline = region.state.borrow().wanted();
        let ended = done(super::round(&hands, &baseline, &place(), &round, at(9))).unwrap();
        assert_eq!(ended.not_remembered.is_some(), stands == "other");
        let kept = done(region.table.get(&Kind::Sweep.at(&place()).key(PROGRESS))).unwrap();
        assert_eq!(read::<Progress>(&kept.unwrap()).unwrap().sweep, stands);
    }
}
