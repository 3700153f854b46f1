//! A process dies at each point at which it waits.

use super::*;
use crate::baseline::RuleId;
use crate::history::first_contact::{FIRST, FirstContact};
use crate::history::{Body, Condition, Standing, VpcState, Write};

/// How many points there are at which a process dies, found by letting it live longer each time:
/// what it leaves is checked after each death.
fn deaths<O>(
    process: impl AsyncFn(&World) -> O,
    begin: impl Fn() -> World,
    check: impl Fn(&World, usize),
) -> usize {
    for polls in 0.. {
        let world = begin();
        let is_over = polled(process(&world), polls).is_some();
        check(&world, polls);
        if is_over {
            return polls;
        }
    }
    0
}

/// The next clocks, each later than the last claim.
fn later(world: &World) {
    for _ in 0..3 {
        world.now.set(world.now.get() + 61);
        world.tick();
    }
}

#[test]
fn an_alert_outlives_whoever_tells_it() {
    let begin = || {
        let world = World::default();
        world.ends("r-1", Level::News, &["a", "b"]);
        world
    };
    let process = async |world: &World| {
        let place = place();
        world.outbox(&place).send("r-1").await
    };
    let points = deaths(process, begin, |world, polls| {
        later(world);
        for to in ["a", "b"] {
            let times = world.told_to(to).len();
            assert!((1..=2).contains(&times), "{polls}: {to} was told {times} times");
        }
        assert!(world.is_clean(), "{polls}");
    });
    assert!(points > 15, "{points}");
}

/// Three have a place; the others are counted by a process that dies anywhere.
#[test]
fn no_held_alert_is_lost_or_counted_twice() {
    let begin = || {
        let world = World::with_limit(3);
        for run in 0..6 {
            world.ends(&format!("r-{run:02}"), Level::News, &["a"]);
        }
        world
    };
    let process = async |world: &World| {
        let place = place();
        world.outbox(&place).send_unsent(&world.unsent()).await
    };
    let points = deaths(process, begin, |world, polls| {
        later(world);
        world.now.set(700);
        world.tick();
        let told = world.told_to("a");
        let single: std::collections::BTreeSet<&String> =
            told.iter().filter(|subject| subject.starts_with("about")).collect();
        let summaries: Vec<&String> =
            told.iter().filter(|subject| !subject.starts_with("about")).collect();
        assert_eq!(single.len(), 3, "{polls}");
        assert!(told.len() <= 5, "{polls}: {told:?}");
        let expected = "VPC guardrail: 3 alerts more, 3 for you to act on, eu-central-1";
        assert_eq!(summaries, [expected], "{polls}");
        assert!(world.is_clean(), "{polls}");
    });
    assert!(points > 30, "{points}");
}

#[test]
fn a_summary_is_made_once_whoever_dies() {
    let begin = || {
        let world = World::with_limit(3);
        for run in 0..6 {
            world.ends(&format!("r-{run:02}"), Level::News, &["a"]);
        }
        world.tick();
        world.now.set(300);
        world
    };
    let process = async |world: &World| {
        let place = place();
        let outbox = world.outbox(&place);
        outbox.make_summaries(&[]).await.unwrap();
        outbox.send_unsent(&world.unsent()).await
    };
    deaths(process, begin, |world, polls| {
        later(world);
        let told = world.told_to("a");
        assert!((4..=5).contains(&told.len()), "{polls}: {told:?}");
        assert!(told[3..].iter().all(|subject| subject.contains("3 alerts more")), "{told:?}");
        assert!(world.is_clean(), "{polls}");
    });
}

fn put(world: &World, key: Key, body: Body) {
    let write = Write::Put { key, body, expires: None, condition: Condition::Any };
    whole(world.table.commit(&Transaction::one(write))).map(drop).unwrap();
}

pub(super) fn with_state() -> World {
    let world = World::default();
    let standing = Standing {
        rule: RuleId::InternetRoute,
        fingerprint: "f".to_owned(),
        summary: "s".to_owned(),
        since: at(0),
        told: true,
    };
    let state = VpcState { looked: Some(at(0)), standing: vec![standing], ..VpcState::default() };
    let body = Body::Text(serde_json::to_string(&state).unwrap());
    put(&world, Kind::State.at(&place()).key("vpc-1"), body);
    let yesterday = Body::Text(r#"{"day":"1969-12-30"}"#.to_owned());
    put(&world, Kind::Told.at(&place()).key("digest"), yesterday);
    world.now.set(8 * 3600);
    world
}

#[test]
fn a_digest_is_told_once_a_day_whoever_dies() {
    let process = async |world: &World| {
        let place = place();
        let outbox = world.outbox(&place);
        outbox.make_digest(7, &[]).await.unwrap();
        outbox.send_unsent(&world.unsent()).await
    };
    deaths(process, with_state, |world, polls| {
        let place = place();
        for _ in 0..5 {
            world.now.set(world.now.get() + 61);
            whole(world.outbox(&place).make_digest(7, &world.unsent())).unwrap();
            world.tick();
        }
        for to in ["a", "b"] {
            let times = world.told_to(to).len();
            assert!((1..=2).contains(&times), "{polls}: {to} was told {times} times");
        }
        let texts: std::collections::BTreeSet<String> =
            world.alerts.borrow().iter().map(|alert| alert.text.clone()).collect();
        assert_eq!(texts.len(), 1, "the same digest each time");
    });
}

#[test]
fn a_new_table_begins_with_no_digest() {
    let (world, place) = (with_state(), place());
    let gone =
        Write::Delete { key: Kind::Told.at(&place).key("digest"), condition: Condition::Any };
    assert_eq!(whole(world.table.commit(&Transaction::one(gone))), Ok(Commit::Made));
    let told = |world: &World| {
        whole(world.outbox(&place).make_digest(7, &world.unsent())).unwrap();
        world.tick();
        world.told_to("a").len()
    };
    assert_eq!(told(&world), 0);
    world.now.set((24 + 8) * 3600);
    assert_eq!(told(&world), 1);
}

#[test]
fn of_the_days_of_a_destination_that_fails_one_digest_is_left() {
    let world = with_state();
    let place = place();
    world.failing.borrow_mut().push("a");
    for day in 0..10 {
        world.now.set((day * 24 + 8) * 3600);
        whole(world.outbox(&place).make_digest(7, &world.unsent())).unwrap();
        world.tick();
    }
    let names: Vec<String> = world.unsent().into_iter().map(|item| item.key.name).collect();
    assert_eq!(names, ["unsent#digest-1970-01-10#a"]);
    assert_eq!(world.told_to("b").len(), 10);
}

/// More VPCs than are cleared at once.
pub(super) fn with_first_contacts() -> World {
    let world = World::default();
    for vpc in 0..130 {
        let first = FirstContact {
            vpc: format!("vpc-{vpc}").parse().unwrap(),
            vpc_name: None,
            sweep: "s-1".to_owned(),
            verdict: "drift-left".to_owned(),
            findings: BTreeMap::from([(RuleId::InternetRoute, 1)]),
            since: at(0),
        };
        let written = Transaction::one(first.write(&place()));
        whole(world.table.commit(&written)).map(drop).unwrap();
    }
    world
}

/// What the clock does for them, after the sweep has ended.
pub(super) async fn first_contacts(world: &World) -> Result<Vec<Unreadable>, CallError> {
    let place = place();
    let items = world.list(&Kind::Waiting.at(&place), FIRST).await?;
    let ended = BTreeMap::from([("s-1".to_owned(), 130)]);
    world.outbox(&place).make_first_contacts(&items, &ended, None).await
}

#[test]
fn the_vpcs_of_a_sweep_are_told_once_whoever_dies() {
    let points = deaths(first_contacts, with_first_contacts, |world, polls| {
        for _ in 0..3 {
            whole(first_contacts(world)).unwrap();
        }
        later(world);
        assert_eq!(world.told_to("a").len(), 1, "{polls}");
        assert_eq!(world.told_to("a"), world.told_to("b"));
        assert!(world.told_to("a")[0].contains("first look at 130 VPCs"));
        assert!(world.is_clean(), "{polls}");
    });
    assert!(points > 6, "{points}");
}
