//! A run that is killed at any of its awaits is closed, told and finished by the next one.

use super::*;
use crate::cloud::{Commit, Table};
use crate::history::{Closed, Item, Key, Kind, Partition, RunRecord, Transaction, ledger};

/// Lets whoever polls come back once.
async fn moment() {
    let mut is_over = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut is_over, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// A cloud or a table whose every call is waited for once before it has its effect, and once before
/// its answer comes.
struct Slow<'a, T>(&'a T);

impl Cloud for Slow<'_, Fake> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn uptime(&self) -> Duration {
        self.0.uptime()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        moment().await;
        let seen = self.0.observe(scope, sections).await;
        moment().await;
        seen
    }

    async fn apply(&self, scope: &Scope, call: &Call) -> Answer {
        moment().await;
        let answer = self.0.apply(scope, call).await;
        moment().await;
        answer
    }

    async fn carried(&self, scope: &Scope, nats: &[NatGatewayId]) -> Vec<NatTraffic> {
        moment().await;
        self.0.carried(scope, nats).await
    }

    async fn pause(&self, time: Duration) {
        moment().await;
        self.0.pause(time).await;
        moment().await;
    }
}

impl Table for Slow<'_, InMemoryTable> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        moment().await;
        self.0.get(key).await
    }

    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError> {
        moment().await;
        self.0.list(partition, prefix).await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        moment().await;
        let answer = self.0.commit(transaction).await;
        moment().await;
        answer
    }
}

/// Everything that the guardrail makes is missing, and a route is to go.
fn bare() -> Fake {
    let cloud = Fake::new(|w| nat(w).remove("vpce-ssm").delete_gateway("vpce-s3"));
    at_once(&mut cloud.state.borrow_mut());
    cloud.state.borrow_mut().baseline("limits", json!({"changes": 20, "endpoint_changes": 20}));
    cloud
}

fn named(run_id: &str, now: Timestamp) -> RunRequest {
    RunRequest {
        run_id: run_id.to_owned(),
        incident: format!("incident of {run_id}"),
        deadline: now + PATIENCE,
        ..request(0)
    }
}

/// A run that is killed when it has been polled this often; `None` where it was.
fn killed_after(
    cloud: &Fake,
    table: &InMemoryTable,
    request: &RunRequest,
    polls: usize,
) -> Option<Lived> {
    let baseline = cloud.state.borrow().wanted();
    let (cloud, table, topic) = (Slow(cloud), Slow(table), [Destination::new("topic")]);
    let mut running = pin!(super::super::run(&cloud, &table, &topic, &baseline, request));
    for _ in 0..polls {
        let polled = running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(lived) = polled {
            return Some(lived);
        }
    }
    None
}

/// What is at these keys, as text.
fn names(table: &InMemoryTable, kind: Kind) -> Vec<String> {
    let items = table.everything().into_iter();
    items.filter(|item| item.key.partition.kind == kind).map(|item| item.key.name).collect()
}

fn record(table: &InMemoryTable, run_id: &str) -> Option<RunRecord> {
    let key = ledger::record_key(&request(0).scope, run_id);
    let item = table.everything().into_iter().find(|item| item.key == key);
    item.map(|item| ledger::read(&item).unwrap())
}

/// Runs, each when it is due, until nothing is waited for: how often.
fn settle(cloud: &Fake, table: &InMemoryTable) -> usize {
    for number in 2..10 {
        let request = named(&format!("run-{number}"), cloud.now.get());
        let lived = killed_after(cloud, table, &request, usize::MAX).unwrap();
        let again = recorded(lived).look_again;
        let Some(again) = again else { return number };
        cloud.now.set(cloud.now.get().max(again.at));
    }
    panic!("not settled: {:?}", cloud.calls.borrow());
}

/// How many polls a run takes that nobody kills, and the world and the calls that it leaves.
fn undisturbed() -> (usize, Value, Vec<String>) {
    let polls = (1..)
        .find(|polls| {
            let (cloud, table) = (bare(), InMemoryTable::default());
            killed_after(&cloud, &table, &named("run-1", cloud.now.get()), *polls).is_some()
        })
        .unwrap();
    let (cloud, table) = (bare(), InMemoryTable::default());
    settle(&cloud, &table);
    let world = same_whenever(&cloud);
    (polls, world, cloud.calls.take())
}

/// The world, but for when its endpoints were made.
fn same_whenever(cloud: &Fake) -> Value {
    let mut world = cloud.state.borrow().world.clone();
    for endpoint in world["VpcEndpoints"].as_array_mut().unwrap() {
        endpoint.as_object_mut().unwrap().remove("CreationTimestamp");
    }
    world
}

#[test]
fn a_run_that_is_killed_anywhere_is_closed_told_and_finished_by_the_next() {
    let (polls, world, calls) = undisturbed();
    assert_eq!(calls.len(), 5, "group, rule, two endpoints, route: {calls:?}");
    for killed_at in 1..polls {
        let (cloud, table) = (bare(), InMemoryTable::default());
        let first = named("run-1", cloud.now.get());
        assert!(killed_after(&cloud, &table, &first, killed_at).is_none());
        let made = cloud.calls.borrow().len();
        let begun = record(&table, "run-1");
        assert!(made == 0 || begun.is_some(), "{killed_at}: a call that was not written down");
        let was_open = begun.as_ref().is_some_and(|record| record.closed.is_none());

        // While its lease lasts, the killed run may still act: the next one waits.
        if was_open {
            let busy = killed_after(&cloud, &table, &named("early", cloud.now.get()), usize::MAX);
            let until = first.deadline + Duration::from_secs(120);
            assert!(
                matches!(busy, Some(Lived::Busy { due }) if due == until),
                "{killed_at}: {busy:?}"
            );
            assert_eq!(cloud.calls.borrow().len(), made, "{killed_at}");
            assert!(names(&table, Kind::Waiting).contains(&"gave-way#vpc-1".to_owned()));
            cloud.now.set(cloud.now.get().max(until));
        }
        settle(&cloud, &table);

        let mut once: Vec<String> = cloud.calls.take();
        once.sort();
        let mut wanted = calls.clone();
        wanted.sort();
        assert_eq!(once, wanted, "{killed_at}: each effect once, and none lost");
        assert_eq!(same_whenever(&cloud), world, "{killed_at}");
        let waiting = names(&table, Kind::Waiting);
        let is_left = |name: &String| {
            name.starts_with("open#") || name.starts_with("due#") || name.starts_with("gave-way#")
        };
        assert!(!waiting.iter().any(is_left), "{killed_at}: {waiting:?}");
        let told = |name: &str| waiting.contains(&format!("unsent#{name}#topic"));
        if was_open {
            let Closed { by, verdict, changes, .. } =
                record(&table, "run-1").unwrap().closed.unwrap();
            let expected = ("run-2", "killed", made);
            assert_eq!((by.as_str(), verdict.as_str(), changes), expected, "{killed_at}");
            assert_eq!(told("run-1+killed"), made > 0, "{killed_at}: {waiting:?}");
            assert!(!told("run-1"), "{killed_at}: {waiting:?}");
        } else {
            assert_eq!(told("run-1"), begun.is_some(), "{killed_at}: it is over, and is told");
        }
        for item in table.everything() {
            if item.key.partition.kind == Kind::State {
                let state: VpcState = ledger::read(&item).unwrap();
                assert_eq!(state.lease, None, "{killed_at}");
                assert_eq!(state.standing, [], "{killed_at}");
            }
        }
    }
}
