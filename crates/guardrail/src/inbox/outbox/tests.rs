//! Nothing is lost, everything is told at least once, and nobody is flooded, wherever a process dies,
//! whoever works at the same time, and whatever fails.

mod attacks;
mod deaths;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::*;
use crate::cloud::{ErrorClass, InMemoryTable};
use crate::history::outgoing::{Level, writes};
use crate::history::{Attribute, Key, Partition, Transaction};

fn place() -> Place {
    Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// Waits once, so that a test can stop here.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// What a future comes to when it is polled at most so often; `None` when it was dropped then.
fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

fn whole<F: Future>(future: F) -> F::Output {
    polled(future, 1_000_000).unwrap()
}

/// A table and a topic that wait before and after each thing that they do, so that a process can die
/// before it, and after it without having heard of it; and that fail as they are told.
#[derive(Default)]
struct World {
    table: InMemoryTable,
    /// What was told to each destination, by run.
    told: RefCell<BTreeMap<String, Vec<String>>>,
    /// The whole alerts, in order.
    alerts: RefCell<Vec<Alert>>,
    /// Those who take nothing.
    failing: RefCell<Vec<&'static str>>,
    /// A run whose alert nobody takes.
    poison: Cell<&'static str>,
    /// How many calls of the table succeed before all fail.
    table_works: Cell<Option<usize>>,
    calls: Cell<usize>,
    now: Cell<i64>,
    /// How many alerts an hour, where not 20.
    limit: Cell<Option<u32>>,
}

fn failed(operation: &str) -> CallError {
    CallError {
        operation: operation.to_owned(),
        class: ErrorClass::Transient,
        code: None,
        message: "it fails".to_owned(),
    }
}

impl World {
    fn with_limit(limit: u32) -> Self {
        Self { limit: Cell::new(Some(limit)), ..Self::default() }
    }

    async fn call(&self) -> Result<(), CallError> {
        Yield::default().await;
        self.calls.set(self.calls.get() + 1);
        match self.table_works.get() {
            Some(0) => Err(failed("TransactWriteItems")),
            Some(works) => {
                self.table_works.set(Some(works - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn outbox<'a>(&'a self, place: &'a Place) -> Outbox<'a, Self, Self, impl Fn() -> Timestamp> {
        self.outbox_at(place, 0)
    }

    /// An outbox of a process whose clock is so many seconds ahead.
    fn outbox_at<'a>(
        &'a self,
        place: &'a Place,
        ahead: i64,
    ) -> Outbox<'a, Self, Self, impl Fn() -> Timestamp> {
        Outbox {
            table: self,
            telling: self,
            clock: move || at(self.now.get() + ahead),
            place,
            limit: self.limit.get().unwrap_or(20),
            until: Timestamp::MAX,
            stack: "stack",
        }
    }

    /// A run ends, and its alert is there with it.
    fn ends(&self, run: &str, level: Level, to: &[&str]) {
        let alert = Alert {
            subject: format!("about {run}"),
            text: format!("text of {run}"),
            json: "{}".to_owned(),
            attributes: BTreeMap::from([("verdict".to_owned(), Attribute::of("drift-left"))]),
        };
        let to: Vec<Destination> = to.iter().map(|to| Destination::new(to)).collect();
        let writes = writes(&place(), run, &alert, level, &to, at(self.now.get()));
        let transaction = Transaction { token: None, writes };
        assert_eq!(whole(self.table.commit(&transaction)), Ok(Commit::Made));
    }

    fn takes(&self, destination: &Destination, alert: &Alert) {
        let mut told = self.told.borrow_mut();
        told.entry(destination.to_string()).or_default().push(alert.subject.clone());
        self.alerts.borrow_mut().push(alert.clone());
    }

    fn waiting(&self) -> Vec<Item> {
        whole(self.table.list(&Kind::Waiting.at(&place()), "")).unwrap()
    }

    fn unsent(&self) -> Vec<Item> {
        whole(self.table.list(&Kind::Waiting.at(&place()), UNSENT)).unwrap()
    }

    /// The clock, once.
    fn tick(&self) -> Sent {
        let place = place();
        let outbox = self.outbox(&place);
        whole(outbox.make_summaries(&self.unsent())).unwrap();
        whole(outbox.send_unsent(&self.unsent()))
    }

    fn told_to(&self, to: &str) -> Vec<String> {
        self.told.borrow().get(to).cloned().unwrap_or_default()
    }

    /// Everything but what was told is left in no table.
    fn is_clean(&self) -> bool {
        let is_note = |item: &Item| item.key.partition.kind == Kind::Told;
        self.table.everything().iter().all(is_note)
    }
}

impl Table for World {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        self.call().await?;
        self.table.get(key).await
    }

    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError> {
        self.call().await?;
        self.table.list(partition, prefix).await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        self.call().await?;
        let keys: std::collections::BTreeSet<&Key> =
            transaction.writes.iter().map(crate::history::Write::key).collect();
        assert_eq!(keys.len(), transaction.writes.len(), "an item is changed twice");
        assert!(keys.len() <= 100, "a transaction has 100 changes at most");
        let made = self.table.commit(transaction).await;
        Yield::default().await;
        made
    }
}

impl Telling for World {
    fn destinations(&self) -> Vec<Destination> {
        ["a", "b"].map(Destination::new).to_vec()
    }

    async fn tell(&self, destination: &Destination, alert: &Alert) -> Result<(), CallError> {
        Yield::default().await;
        let is_poison = alert.subject == format!("about {}", self.poison.get());
        if is_poison || self.failing.borrow().iter().any(|failing| *failing == destination.as_str())
        {
            return Err(failed("Publish"));
        }
        self.takes(destination, alert);
        Yield::default().await;
        Ok(())
    }
}

#[test]
fn the_alert_of_a_run_is_told_to_each_destination_and_forgotten() {
    let world = World::default();
    world.ends("r-1", Level::News, &["a", "b"]);
    world.ends("r-10", Level::News, &["a"]);
    let place = place();
    let sent = whole(world.outbox(&place).send("r-1"));
    assert_eq!(sent, Sent { told: 2, ..Sent::default() });
    assert_eq!(
        (world.told_to("a"), world.told_to("b")),
        (vec!["about r-1".into()], vec!["about r-1".into()])
    );
    assert_eq!(world.alerts.borrow()[0].text, "text of r-1");
    let left: Vec<String> = world.waiting().into_iter().map(|item| item.key.name).collect();
    assert_eq!(left, ["unsent#r-10#a"], "it is another run's");
    assert_eq!(whole(world.outbox(&place).send("r-1")), Sent::default());
}

#[test]
fn a_destination_that_fails_keeps_nothing_from_the_others_and_is_tried_again() {
    let world = World::default();
    world.ends("r-1", Level::News, &["a", "b"]);
    world.ends("r-2", Level::News, &["a", "b"]);
    world.failing.borrow_mut().push("a");
    let sent = world.tick();
    let not_told = NotTold {
        destination: Destination::new("a"),
        run_id: "r-1".to_owned(),
        tries: 0,
        error: failed("Publish"),
    };
    let expected = Sent { told: 2, left: 2, not_told: vec![not_told], ..Sent::default() };
    assert_eq!(sent, expected);
    world.failing.borrow_mut().clear();
    assert_eq!(world.tick(), Sent { told: 1, left: 1, ..Sent::default() }, "r-1 is claimed");
    world.now.set(60);
    assert_eq!(world.tick(), Sent { told: 1, ..Sent::default() });
    assert_eq!(world.told_to("a"), ["about r-2", "about r-1"]);
    assert_eq!(world.told_to("b"), ["about r-1", "about r-2"], "no repeat");
    assert!(world.is_clean());
}

#[test]
fn nothing_is_told_that_the_table_does_not_know_of() {
    for works in 0..5 {
        let world = World::default();
        world.ends("r-1", Level::News, &["a"]);
        world.ends("r-2", Level::News, &["b"]);
        world.table_works.set(Some(works));
        let place = place();
        let sent = whole(world.outbox(&place).send_unsent(&world.unsent()));
        assert_eq!(sent.table_error, Some(failed("TransactWriteItems")));
        // The hour, the claim, the text; then it is told, and the fourth call clears it.
        assert_eq!((sent.told, world.told_to("b").len()), (usize::from(works > 2), 0), "{works}");
        assert_eq!(world.unsent().len(), if works == 4 { 1 } else { 2 });
        world.table_works.set(None);
        world.now.set(60);
        world.tick();
        assert!(world.is_clean() && !world.told_to("a").is_empty(), "{works}");
        assert_eq!(world.told_to("b"), ["about r-2"]);
    }
}

#[test]
fn what_cannot_be_read_is_reported_each_time_and_what_is_behind_it_is_told() {
    let world = World::default();
    world.ends("r-1", Level::News, &["a"]);
    let text = Kind::Alert.at(&place()).key("r-1#a");
    let odd = Kind::Waiting.at(&place()).key("unsent#r-0#a");
    let any = crate::history::Condition::Any;
    let body = crate::history::Body::Text("{}".to_owned());
    let writes = vec![
        crate::history::Write::Delete { key: text, condition: any },
        crate::history::Write::Put { key: odd, body, expires: None, condition: any },
    ];
    whole(world.table.commit(&Transaction { token: None, writes })).map(drop).unwrap();
    let sent = world.tick();
    let names: Vec<&str> = sent.unreadable.iter().map(|item| item.name.as_str()).collect();
    assert_eq!((sent.told, names), (1, vec!["unsent#r-0#a", "r-1"]));
    let text = world.alerts.borrow()[0].text.clone();
    assert!(text.contains("The text of this alert is lost: 0 of its 1 parts"), "{text}");
    let again = world.tick();
    assert_eq!((again.told, again.unreadable.len()), (0, 1));
}

#[test]
fn a_process_that_ends_begins_nothing_more() {
    let world = World::default();
    world.ends("r-1", Level::Alarm, &["a"]);
    let place = place();
    let outbox = Outbox { until: at(0), ..world.outbox(&place) };
    assert_eq!(whole(outbox.send("r-1")), Sent { left: 1, ..Sent::default() });
    assert_eq!(world.unsent().len(), 1);
}
