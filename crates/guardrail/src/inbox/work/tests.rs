use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::baseline::source::Source;
use crate::cloud::{Answer, Applied, InMemoryTable, Observation};
use crate::ec2::change::Call;
use crate::ec2::id::Scope;
use crate::ec2::snapshot::Section;
use crate::fixture::Fixture;
use crate::history::{Alert, Destination, Item, Key, Partition};
use crate::inbox::batch::Received;
use crate::inbox::message::tests::{call, scope};
use crate::inbox::message::{for_call, sweep_without_baseline};

/// One managed VPC with a route to remove; whoever looks at another VPC panics.
struct OneVpc {
    world: Fixture,
    calls: RefCell<Vec<String>>,
    now: Cell<Timestamp>,
}

impl Cloud for OneVpc {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        assert_eq!(scope.vpc, crate::fixture::vpc(), "scripted");
        let mut seen = Observation::default();
        seen.world.refresh(self.world.world(), sections);
        seen
    }

    async fn apply(&self, _: &Scope, call: &Call) -> Answer {
        self.calls.borrow_mut().push(call.to_string());
        Answer::without_id(Ok(Applied::Done))
    }

    async fn pause(&self, _: Duration) {}
}

/// A table that takes so many changes, and then fails at all.
struct Failing {
    table: InMemoryTable,
    takes: Cell<u32>,
}

impl Failing {
    fn after(changes: u32) -> Self {
        Self { table: InMemoryTable::default(), takes: Cell::new(changes) }
    }

    fn works(&self) -> Result<(), CallError> {
        match self.takes.get() {
            0 => Err(error()),
            _ => Ok(()),
        }
    }
}

fn error() -> CallError {
    CallError {
        operation: "TransactWriteItems".to_owned(),
        class: ErrorClass::Transient,
        code: None,
        message: "scripted".to_owned(),
    }
}

impl Table for Failing {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        self.works()?;
        self.table.get(key).await
    }

    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError> {
        self.works()?;
        self.table.list(partition, prefix).await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        self.works()?;
        self.takes.set(self.takes.get() - 1);
        self.table.commit(transaction).await
    }
}

/// The queue, and who reads alerts: what they were asked and told.
#[derive(Default)]
struct Outside {
    held: RefCell<Vec<(Vec<String>, u64)>>,
    set_aside: RefCell<Vec<String>>,
    refuses_copies: bool,
    told: RefCell<Vec<String>>,
}

impl Queue for Outside {
    async fn hold(&self, handles: &[&str], time: Duration) -> Result<(), CallError> {
        let handles = handles.iter().map(|it| (*it).to_owned()).collect();
        self.held.borrow_mut().push((handles, time.as_secs()));
        Ok(())
    }

    async fn set_aside(&self, message: &SetAside<'_>) -> Result<(), CallError> {
        if self.refuses_copies {
            return Err(error());
        }
        self.set_aside.borrow_mut().push(message.body.to_owned());
        Ok(())
    }
}

impl Telling for Outside {
    fn destinations(&self) -> Vec<Destination> {
        vec![Destination::new("arn:aws:sns:eu-central-1:111122223333:alerts")]
    }

    async fn tell(&self, _: &Destination, alert: &Alert) -> Result<(), CallError> {
        self.told.borrow_mut().push(alert.subject.clone());
        Ok(())
    }
}

/// Everything that a batch meets.
struct Stage {
    cloud: OneVpc,
    table: Failing,
    outside: Outside,
    /// How many seconds the invocation has.
    seconds: u64,
    log: RefCell<Vec<String>>,
}

impl Stage {
    fn new(table: Failing) -> Self {
        let world = Fixture::edited(|w| {
            w.route("rtb-a", "0.0.0.0/0", "nat-1")
                .baseline("settling", json!({"minutes": 0, "dhcp_options_minutes": 0}))
        });
        let cloud = OneVpc { world, calls: RefCell::default(), now: Cell::default() };
        let outside = Outside::default();
        Self { cloud, table, outside, seconds: 300, log: RefCell::default() }
    }

    /// Does what these messages ask for: which of them go back.
    fn work(&self, messages: &[Received], fault: Option<&BaselineError>) -> Vec<String> {
        let batch = batch::runs(messages, |_| true);
        let baseline = self.cloud.world.wanted();
        let place = scope("vpc-1").place();
        let hands = Hands {
            cloud: &self.cloud,
            table: &self.table,
            telling: &self.outside,
            queue: &self.outside,
            alerts_per_hour: 20,
            stack: "guardrail",
        };
        // Another invocation each time.
        let request_id = format!("r-{}", self.outside.held.borrow().len());
        let invocation = Invocation {
            baseline: fault.map_or(Ok(&baseline), Err),
            place: &place,
            request_id: &request_id,
            ends: self.seconds * 1_000,
        };
        let log = |event: Event<'_>| self.log.borrow_mut().push(named(&event));
        let mut working = pin!(super::work(&hands, &batch, &invocation, &log));
        match working.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(back) => back,
            Poll::Pending => panic!("nobody waits here"),
        }
    }

    /// For how long which messages were held, after all of them at the beginning.
    fn held(&self) -> Vec<(Vec<String>, u64)> {
        self.outside.held.borrow().iter().skip(1).cloned().collect()
    }

    fn told(&self) -> Vec<String> {
        self.outside.told.borrow().clone()
    }
}

fn named(event: &Event<'_>) -> String {
    match event {
        Event::Ran(run, Lived::Busy { .. }) => format!("busy {}", run.scope.vpc),
        Event::Ran(run, Lived::Recorded { .. }) => format!("recorded {}", run.scope.vpc),
        Event::Ran(run, Lived::NotRecorded { .. }) => format!("not recorded {}", run.scope.vpc),
        Event::NoTime(run) => format!("no time {}", run.scope.vpc),
        Event::Panicked(run, _) => format!("panicked {}", run.scope.vpc),
        Event::SetAside { message, failed, .. } => {
            format!("set aside {message}: {}", failed.is_none())
        }
        Event::NotHeld(_) => "not held".to_owned(),
        Event::NotPublished(_) => "not published".to_owned(),
        Event::Lost(_, _) => "lost".to_owned(),
        Event::NoBaseline(_) => "no baseline".to_owned(),
        Event::TableFailed(_) => "table failed".to_owned(),
    }
}

fn received(id: &str, vpc: &str) -> Received {
    let message = for_call(&call("e-1", "2026-09-14T08:31:07Z"), scope(vpc));
    Received { group: Some(message.group_id()), ..by_itself(id, &message.body()) }
}

fn by_itself(id: &str, body: &str) -> Received {
    Received {
        id: id.to_owned(),
        handle: format!("handle of {id}"),
        sender: None,
        group: None,
        body: body.to_owned(),
    }
}

fn handles(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!("handle of {id}")).collect()
}

const NONE: [String; 0] = [];

#[test]
fn all_is_held_past_the_invocation_and_what_is_done_does_not_come_again() {
    let stage = Stage::new(Failing::after(u32::MAX));
    assert_eq!(stage.work(&[received("m-1", "vpc-1"), received("m-2", "vpc-1")], None), NONE);
    assert_eq!(*stage.outside.held.borrow(), [(handles(&["m-1", "m-2"]), 360)]);
    assert_eq!(*stage.log.borrow(), ["recorded vpc-1"]);
    assert_eq!(*stage.cloud.calls.borrow(), ["delete the route 0.0.0.0/0 → nat-1 from rtb-a"]);
    // The fake does not make the change: it does not show.
    let subject = "VPC guardrail: changed, drift left vpc-1 eu-central-1 (internet-route)";
    assert_eq!(stage.told(), [subject]);
}

#[test]
fn a_run_that_panics_takes_only_its_own_messages_back() {
    let stage = Stage::new(Failing::after(u32::MAX));
    let messages = [received("m-1", "vpc-9"), received("m-2", "vpc-1"), received("m-3", "vpc-9")];
    assert_eq!(stage.work(&messages, None), ["m-1", "m-3"]);
    assert_eq!(stage.held(), [(handles(&["m-1", "m-3"]), 30)]);
    let mut log = stage.log.take();
    log.sort();
    assert_eq!(log, ["panicked vpc-9", "recorded vpc-1"]);
}

#[test]
fn a_run_that_has_no_time_to_begin_comes_again_soon() {
    let stage = Stage { seconds: 4, ..Stage::new(Failing::after(u32::MAX)) };
    assert_eq!(stage.work(&[received("m-1", "vpc-1")], None), ["m-1"]);
    assert_eq!((stage.held(), stage.told()), (vec![(handles(&["m-1"]), 30)], vec![]));
    assert_eq!(*stage.log.borrow(), ["no time vpc-1"]);
}

#[test]
fn while_the_table_fails_nothing_is_changed_and_all_comes_again_later() {
    let stage = Stage::new(Failing::after(0));
    assert_eq!(stage.work(&[received("m-1", "vpc-1")], None), ["m-1"]);
    assert_eq!(stage.held(), [(handles(&["m-1"]), 900)]);
    assert_eq!((stage.cloud.calls.take(), stage.told()), (vec![], vec![]));
    assert_eq!(*stage.log.borrow(), ["not recorded vpc-1", "table failed"]);
    let body = sweep_without_baseline("s-1", "it is empty").body();
    let stage = Stage::new(Failing::after(0));
    assert_eq!(stage.work(&[by_itself("m-1", &body)], None), ["m-1"]);
    assert_eq!(stage.held(), [(handles(&["m-1"]), 900)], "of no group");
}

/// What was changed is told, whatever the table does.
#[test]
fn what_was_changed_before_the_table_failed_is_told_directly() {
    // It takes that the run begins, and that its step is about to be taken.
    let stage = Stage::new(Failing::after(2));
    assert_eq!(stage.work(&[received("m-1", "vpc-1")], None), ["m-1"]);
    assert_eq!(stage.cloud.calls.borrow().len(), 1);
    assert_eq!(stage.held(), [(handles(&["m-1"]), 900)]);
    let subject =
        "VPC guardrail: changed, drift left, not recorded vpc-1 eu-central-1 (internet-route)";
    assert_eq!(stage.told(), [subject]);
}

#[test]
fn what_cannot_be_read_is_set_aside_or_comes_again() {
    let stage = Stage::new(Failing::after(u32::MAX));
    assert_eq!(stage.work(&[by_itself("m-1", "poison")], None), NONE);
    assert_eq!(*stage.outside.set_aside.borrow(), ["poison"]);
    let outside = Outside { refuses_copies: true, ..Outside::default() };
    let stage = Stage { outside, ..Stage::new(Failing::after(u32::MAX)) };
    assert_eq!(stage.work(&[by_itself("m-1", "poison")], None), ["m-1"]);
    assert_eq!(stage.held(), [(handles(&["m-1"]), 30)]);
    assert_eq!(*stage.log.borrow(), ["set aside m-1: false"]);
}

#[test]
fn that_there_is_no_baseline_is_told_once_until_there_is_one() {
    let fault = |passes| Source::Inline(String::new()).unread("it is wrong", passes);
    let (stays, passes) = (fault(false), fault(true));
    let stage = Stage::new(Failing::after(u32::MAX));
    let message = [received("m-1", "vpc-1")];
    assert_eq!(stage.work(&message, Some(&stays)), NONE);
    assert_eq!(stage.told().len(), 1);
    assert_eq!(stage.work(&message, Some(&stays)), NONE);
    assert_eq!(stage.work(&message, Some(&passes)), ["m-1"], "it may be there next time");
    assert_eq!(stage.told().len(), 1, "{:?}", stage.told());
    assert_eq!(stage.work(&[received("m-1", "vpc-1")], None), NONE);
    let told = stage.told().len();
    assert_eq!(stage.work(&message, Some(&stays)), NONE);
    assert_eq!(stage.told().len(), told + 1, "the same fault is a new one now");
}

#[test]
fn a_fault_that_cannot_be_told_keeps_its_messages() {
    let fault = Source::Inline(String::new()).unread("it is wrong", false);
    let stage = Stage::new(Failing::after(0));
    assert_eq!(stage.work(&[received("m-1", "vpc-1")], Some(&fault)), ["m-1"]);
    assert_eq!(stage.held(), [(handles(&["m-1"]), 900)]);
}

#[test]
fn a_sender_without_a_baseline_is_told_of() {
    let stage = Stage::new(Failing::after(u32::MAX));
    let body = sweep_without_baseline("s-1", "it is empty").body();
    assert_eq!(stage.work(&[by_itself("m-1", &body)], None), NONE);
    assert_eq!(stage.told().len(), 1);
    assert_eq!(*stage.log.borrow(), ["no baseline"]);
}

/// Parameter Store throttles for a moment: the messages come again, and nobody needs to know.
#[test]
fn a_passing_fault_of_the_baseline_is_told_only_if_it_lasts() {
    let fault = Source::Parameter("/b".to_owned()).unread("throttled", true);
    let stage = Stage::new(Failing::after(u32::MAX));
    let message = [received("m-1", "vpc-1")];
    let after = |seconds: i64, fault: Option<&BaselineError>| {
        stage.cloud.now.set(Timestamp::from_second(seconds).unwrap());
        let back = stage.work(&message, fault).len();
        (back, stage.told().len())
    };
    assert_eq!(after(0, Some(&fault)), (1, 0));
    assert_eq!(after(10, Some(&fault)), (1, 0), "another batch");
    assert_eq!(after(40, None), (0, 1), "the run, and nothing else");
    assert_eq!(after(50, Some(&fault)), (1, 1), "it is a new fault");
    assert_eq!(after(80, Some(&fault)), (1, 2), "it lasts");
    assert!(stage.told()[1].contains("the baseline cannot be used"), "{:?}", stage.told());
    let other = Source::Parameter("/b".to_owned()).unread("no answer", true);
    assert_eq!(after(110, Some(&other)), (1, 2), "that there is none was told");
    let stays = Source::Parameter("/b".to_owned()).unread("it is no JSON", false);
    assert_eq!(after(140, Some(&stays)), (0, 3), "and this is for somebody to mend");
}
