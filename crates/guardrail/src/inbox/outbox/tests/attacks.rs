//! Floods, two processes at once, and destinations that fail for long.

use super::*;

/// Two futures in turns, of which the one is so many steps ahead.
fn in_turns<A: Future, B: Future>(one: A, two: B, ahead: usize) -> (A::Output, B::Output) {
    let (mut one, mut two) = (pin!(one), pin!(two));
    let mut context = Context::from_waker(Waker::noop());
    let (mut first, mut second) = (None, None);
    for step in 0..1_000_000 {
        if first.is_none()
            && let Poll::Ready(output) = one.as_mut().poll(&mut context)
        {
            first = Some(output);
        }
        if step >= ahead
            && second.is_none()
            && let Poll::Ready(output) = two.as_mut().poll(&mut context)
        {
            second = Some(output);
        }
        if first.is_some() && second.is_some() {
            break;
        }
    }
    (first.unwrap(), second.unwrap())
}

#[test]
fn two_clocks_at_once_tell_each_alert_once_and_keep_the_limit() {
    for ahead in 0..60 {
        let world = World::with_limit(4);
        for run in 0..7 {
            world.ends(&format!("r-{run:02}"), Level::News, &["a"]);
        }
        let (items, place) = (world.unsent(), place());
        // Half a minute apart, as clocks may be.
        let (one, two) = (world.outbox(&place), world.outbox_at(&place, 30));
        in_turns(one.send_unsent(&items), two.send_unsent(&items), ahead);
        for minute in 1..10 {
            world.now.set(minute * 61);
            world.tick();
        }
        let mut told = world.told_to("a");
        let summary = told.pop().unwrap();
        assert!(summary.contains("3 alerts more"), "{ahead}: {summary}");
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 4, "{ahead}");
        assert_eq!(world.told_to("a").len(), 5, "{ahead}: no repeat");
        assert!(world.is_clean(), "{ahead}");
    }
}

#[test]
fn two_clocks_at_once_make_one_summary() {
    for ahead in 0..12 {
        let world = World::with_limit(3);
        for run in 0..6 {
            world.ends(&format!("r-{run:02}"), Level::News, &["a"]);
        }
        world.tick();
        world.now.set(400);
        let place = place();
        let (one, two) = (world.outbox(&place), world.outbox_at(&place, 30));
        let (one, two) = in_turns(one.make_summaries(&[]), two.make_summaries(&[]), ahead);
        assert_eq!((one, two), (Ok(Vec::new()), Ok(Vec::new())));
        world.tick();
        assert_eq!(world.told_to("a").len(), 4, "{ahead}");
    }
}

#[test]
fn five_hundred_alerts_in_a_minute_are_twenty_and_one() {
    let world = World::default();
    for run in 0..500 {
        world.ends(&format!("r-{run:03}"), Level::News, &["a", "b"]);
    }
    world.ends("alarm", Level::Alarm, &["a", "b"]);
    assert_eq!(world.tick(), Sent { told: 42, held: 960, ..Sent::default() });
    for minute in 1..=10 {
        world.now.set(minute * 60);
        world.tick();
    }
    for to in ["a", "b"] {
        let told = world.told_to(to);
        assert_eq!((told.len(), told[0].as_str()), (22, "about alarm"), "the alarm comes first");
        assert!(told[21].contains("480 alerts more"), "{}", told[21]);
    }
    assert!(world.is_clean());
}

/// A destination takes nothing for a day, in which more happens each hour than is told one by one:
/// what waits is bounded all the time, and afterwards it is not flooded.
#[test]
fn a_destination_that_fails_for_a_day_is_not_flooded_afterwards() {
    const LIMIT: u32 = 3;
    let world = World::with_limit(LIMIT);
    world.failing.borrow_mut().push("a");
    let (mut most, mut runs) = (0, 0);
    for minute in (0..24 * 60).step_by(5) {
        world.now.set(minute * 60);
        world.ends(&format!("r-{minute:04}"), Level::News, &["a", "b"]);
        runs += 1;
        let before = world.calls.get();
        world.tick();
        most = most.max(world.unsent().len());
        assert!(world.calls.get() - before < 40, "minute {minute}");
    }
    assert!(most <= 4, "as many as have a place, and the summary: {most}");
    world.failing.borrow_mut().clear();
    for minute in (24 * 60..27 * 60).step_by(5) {
        world.now.set(minute * 60);
        let before = world.told_to("a").len();
        world.tick();
        assert!(world.told_to("a").len() - before <= 4, "minute {minute}");
    }
    assert!(world.told_to("a").len() <= 6, "{:?}", world.told_to("a"));
    assert_eq!(world.told_to("b").len(), 24 * 3 + 25, "three an hour, and the summaries");
    let counted = |subject: &String| {
        let of = subject.strip_prefix("VPC guardrail: ")?.split_once(' ')?.0;
        of.parse::<usize>().ok()
    };
    for to in ["a", "b"] {
        let told = world.told_to(to);
        let all: usize = told.iter().map(|subject| counted(subject).unwrap_or(1)).sum();
        assert_eq!(all, runs, "each is told of, by itself or in a summary");
    }
    assert!(world.is_clean());
}

/// Alarms are never held. While their destination fails they cost next to nothing.
#[test]
fn alarms_wait_for_their_destination_as_they_are() {
    let world = World::default();
    world.failing.borrow_mut().push("a");
    for alarm in 0..300 {
        world.ends(&format!("alarm-{alarm:03}"), Level::Alarm, &["a"]);
    }
    let before = world.calls.get();
    assert_eq!(world.tick().left, 300);
    assert!(world.calls.get() - before < 10);
    world.failing.borrow_mut().clear();
    world.now.set(61);
    assert_eq!(world.tick(), Sent { told: 300, ..Sent::default() });
}

/// A topic that was replaced: what was held for the old one is told or tried, not forgotten.
#[test]
fn what_is_held_for_a_destination_that_is_no_more_is_still_summarized() {
    let world = World::with_limit(0);
    world.ends("r-1", Level::News, &["old"]);
    assert_eq!(world.tick().held, 1);
    world.now.set(300);
    assert_eq!(world.tick().told, 1);
    assert!(world.told_to("old")[0].contains("1 alert more"));
}

/// Somebody has broken the item that counts: alerts go out, and it is said that what was held is not
/// known.
#[test]
fn a_count_that_cannot_be_read_holds_up_nothing() {
    let world = World::default();
    let key = hourly_key(&place(), &Destination::new("a"));
    let body = crate::history::Body::Text("7".to_owned());
    let condition = crate::history::Condition::Any;
    let write = crate::history::Write::Put { key, body, expires: None, condition };
    whole(world.table.commit(&Transaction::one(write))).map(drop).unwrap();
    world.ends("r-1", Level::News, &["a"]);
    world.ends("r-2", Level::News, &["a"]);
    let place = place();
    let sent = whole(world.outbox(&place).send_unsent(&world.unsent()));
    assert_eq!((sent.told, sent.unreadable.len()), (2, 1));
    assert_eq!(world.tick(), Sent::default(), "it can be read again");
}

/// One alert that is never taken stands before all others.
#[test]
fn an_alert_that_is_never_taken_keeps_no_other_back() {
    let world = World::default();
    world.poison.set("r-0");
    for run in 0..5 {
        world.ends(&format!("r-{run}"), Level::News, &["a"]);
    }
    for minute in 0..4 {
        world.now.set(minute * 61);
        world.tick();
    }
    assert_eq!(world.told_to("a"), ["about r-1", "about r-2", "about r-3", "about r-4"]);
    assert_eq!(world.unsent().len(), 1);
    world.now.set(14 * 86_400);
    let given_up = vec![(Destination::new("a"), "r-0".to_owned())];
    assert_eq!(world.tick(), Sent { given_up, ..Sent::default() }, "it is no news any more");
    assert_eq!(world.unsent().len(), 0);
}

/// A topic that was deleted, and that somebody makes again after a month.
#[test]
fn alerts_that_are_given_up_are_counted_and_told_to_whom_they_were_lost() {
    let world = World::default();
    world.failing.borrow_mut().push("a");
    let digest = || {
        let place = place();
        whole(world.outbox(&place).make_digest(0, &[])).unwrap();
        world.tick()
    };
    for run in 0..30 {
        world.now.set(run);
        world.ends(&format!("r-{run}"), Level::Alarm, &["a", "b"]);
    }
    world.tick();
    assert_eq!(world.told_to("b").len(), 30);
    world.now.set(14 * 86_400 + 10);
    assert_eq!(world.tick().given_up.len(), 11);
    digest();
    let subject = "VPC guardrail: 11 alerts given up, not taken for 14 days, eu-central-1";
    assert_eq!(world.told_to("b")[30..], [subject]);
    world.now.set(14 * 86_400 + 100);
    assert_eq!(digest().given_up.len(), 19);
    assert_eq!(world.told_to("b").len(), 31, "once a day");
    world.failing.take();
    world.now.set(15 * 86_400);
    digest();
    let next = subject.replace("11", "19");
    assert_eq!(world.told_to("b")[31..], [next.as_str()]);
    // What was tried least comes first.
    assert_eq!(world.told_to("a"), [next, subject.to_owned()], "it hears of all");
}

/// The hour turns between two alerts, and between an alert's claim and its repeat.
#[test]
fn a_new_hour_has_new_places_and_none_is_used_twice() {
    let world = World::default();
    world.now.set(3599);
    world.failing.borrow_mut().push("a");
    for run in 0..40 {
        world.ends(&format!("r-{run:02}"), Level::News, &["a"]);
    }
    let sent = world.tick();
    assert_eq!((sent.told, sent.held, sent.left), (0, 20, 20), "half of them have no place");
    world.failing.borrow_mut().clear();
    world.now.set(3670);
    let sent = world.tick();
    assert_eq!((sent.told, sent.held, sent.left), (20, 0, 0));
    world.ends("r-40", Level::News, &["a"]);
    assert_eq!(world.tick().held, 1);
}

/// A process stands still for more than a minute after it has told, and another has its alert then.
#[test]
fn a_process_that_wakes_late_takes_nothing_from_the_one_that_came_after_it() {
    let world = World::default();
    world.ends("r-1", Level::News, &["a"]);
    let place = place();
    let outbox = world.outbox(&place);
    let mut slow = pin!(outbox.send("r-1"));
    let mut context = Context::from_waker(Waker::noop());
    while world.told_to("a").is_empty() {
        assert!(slow.as_mut().poll(&mut context).is_pending());
    }
    world.now.set(61);
    let other = world.outbox(&place);
    let items = world.unsent();
    let mut after = pin!(other.send_unsent(&items));
    while world.told_to("a").len() == 1 {
        assert!(after.as_mut().poll(&mut context).is_pending());
    }
    let expected = Sent { told: 1, ..Sent::default() };
    assert_eq!(whole(slow), expected);
    assert_eq!(world.unsent().len(), 1, "it is the other's");
    assert_eq!(whole(after), expected);
    assert_eq!(world.told_to("a").len(), 2);
    assert!(world.is_clean());
}

#[test]
fn two_clocks_at_once_make_one_digest() {
    for ahead in 0..12 {
        let world = deaths::with_state();
        let place = place();
        let (one, two) = (world.outbox(&place), world.outbox_at(&place, 30));
        let (one, two) = in_turns(one.make_digest(7, &[]), two.make_digest(7, &[]), ahead);
        assert_eq!((one, two), (Ok(Vec::new()), Ok(Vec::new())));
        world.tick();
        assert_eq!((world.told_to("a").len(), world.told_to("b").len()), (1, 1), "{ahead}");
    }
}

#[test]
fn two_clocks_at_once_tell_a_sweeps_vpcs_once() {
    for ahead in 0..20 {
        let world = deaths::with_first_contacts();
        let (one, two) =
            in_turns(deaths::first_contacts(&world), deaths::first_contacts(&world), ahead);
        assert_eq!((one, two), (Ok(Vec::new()), Ok(Vec::new())));
        whole(deaths::first_contacts(&world)).unwrap();
        world.tick();
        assert_eq!((world.told_to("a").len(), world.told_to("b").len()), (1, 1), "{ahead}");
        assert!(world.is_clean(), "{ahead}");
    }
}

/// A run is finished a second time under its name, while its alert is being told.
#[test]
fn an_alert_that_is_written_again_is_told_again() {
    for polls in 0..20 {
        let world = World::default();
        world.ends("r-1", Level::News, &["a"]);
        let place = place();
        let outbox = world.outbox(&place);
        let mut first = pin!(outbox.send("r-1"));
        let is_over = polled(first.as_mut(), polls).is_some();
        world.ends("r-1", Level::News, &["a"]);
        if !is_over {
            whole(first);
        }
        world.now.set(61);
        world.tick();
        assert!((1..=2).contains(&world.told_to("a").len()), "{polls}");
        assert!(world.is_clean(), "{polls}");
    }
}
