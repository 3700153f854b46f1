use super::*;
use crate::history::alert::Attribute;
use crate::history::item::Body;

fn place() -> Place {
    Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn to() -> Destination {
    Destination::new("topic")
}

fn key() -> Key {
    hourly_key(&place(), &to())
}

/// An alert that waits, with its item.
fn waiting(run: &str, level: Level, verdict: &str, rule: &str) -> (Item, Unsent) {
    let alert = Alert {
        subject: format!("about {run}"),
        text: String::new(),
        json: String::new(),
        attributes: BTreeMap::from([
            ("verdict".to_owned(), Attribute::of(verdict)),
            ("rules".to_owned(), Attribute::List(vec![rule.to_owned()])),
        ]),
    };
    let mut writes = writes(&place(), run, &alert, level, &[to()], at(0));
    let Some(Write::Put { key, body, .. }) = writes.pop() else { panic!("{writes:?}") };
    let item = Item { key, version: 1, body };
    let unsent = Unsent::read(&item).unwrap();
    (item, unsent)
}

fn news(run: &str) -> (Item, Unsent) {
    waiting(run, Level::News, "drift-left", "internet-route")
}

fn item(hourly: &Hourly) -> Item {
    Item { key: key(), version: 7, body: body_of(hourly) }
}

/// What is counted when this is written.
fn counted(write: &Write) -> Hourly {
    let Write::Put { body: Body::Text(text), expires: None, .. } = write else {
        panic!("{write:?}")
    };
    serde_json::from_str(text).unwrap()
}

fn slot(hourly: &Hourly, unsent: &Unsent, now: i64) -> Slot {
    take_slot(&key(), Some(&item(hourly)), hourly, unsent, 2, at(now))
}

#[test]
fn so_many_an_hour_have_a_place_and_the_rest_is_held() {
    let (_, unsent) = news("r-1");
    let first = take_slot(&key(), None, &Hourly::default(), &unsent, 2, at(3700));
    let Slot::Send { hour: Some(hour), write: Some(write) } = first else { panic!("{first:?}") };
    assert_eq!((hour, write.condition()), (at(3600), Condition::Absent));
    let one = Hourly { hour: Some(at(3600)), count: 1, held: None, summary: None };
    assert_eq!(counted(&write), one);
    let Slot::Send { write: Some(write), .. } = slot(&one, &unsent, 3700) else { panic!() };
    assert_eq!(write.condition(), Condition::Version(7));
    let two = Hourly { count: 2, ..one };
    assert_eq!(counted(&write), two);
    let Slot::Hold(write) = slot(&two, &unsent, 3700) else { panic!() };
    let held = Held {
        since: at(3700),
        until: at(3700),
        count: 1,
        asks: BTreeMap::from([(Asks::ToAct, 1)]),
        verdicts: BTreeMap::from([("drift-left".to_owned(), 1)]),
        rules: BTreeMap::from([("internet-route".to_owned(), 1)]),
        worst: vec![HeldAlert {
            rank: unsent.rank(),
            since: at(0),
            run_id: "r-1".to_owned(),
            subject: "about r-1".to_owned(),
        }],
    };
    assert_eq!(counted(&write), Hourly { held: Some(held), ..two });
}

#[test]
fn an_alert_keeps_its_place_for_its_hour_and_needs_another_in_the_next() {
    let (_, unsent) = news("r-1");
    let unsent = Unsent { hour: Some(at(0)), ..unsent };
    let full = Hourly { hour: Some(at(0)), count: 2, ..Hourly::default() };
    assert_eq!(slot(&full, &unsent, 3599), Slot::Send { hour: Some(at(0)), write: None });
    let Slot::Send { hour, write: Some(write) } = slot(&full, &unsent, 3600) else { panic!() };
    assert_eq!(hour, Some(at(3600)));
    assert_eq!(counted(&write), Hourly { hour: Some(at(3600)), count: 1, ..Hourly::default() });
}

/// Two processes at the turn of the hour, whose clocks are seconds apart.
#[test]
fn a_clock_that_is_behind_does_not_begin_the_hour_anew() {
    let (_, unsent) = news("r-1");
    let full = Hourly { hour: Some(at(3600)), count: 2, ..Hourly::default() };
    assert!(matches!(slot(&full, &unsent, 3590), Slot::Hold(_)));
}

#[test]
fn alarms_and_overviews_are_never_held_and_take_no_place() {
    let full = Hourly { hour: Some(at(0)), count: 2, ..Hourly::default() };
    for level in [Level::Alarm, Level::Overview] {
        let (_, unsent) = waiting("r-1", level, "x", "y");
        assert_eq!(slot(&full, &unsent, 1), Slot::Send { hour: None, write: None });
    }
}

#[test]
fn a_place_is_taken_with_the_claim_and_an_alert_is_held_with_its_end() {
    let (waits, unsent) = news("r-1");
    let names = |transaction: &Transaction| {
        let name = |write: &Write| (write.key().name.clone(), write.condition());
        transaction.writes.iter().map(name).collect::<Vec<_>>()
    };
    let hour = Hourly { hour: Some(at(0)), count: 1, ..Hourly::default() };
    let before = item(&hour);
    let admit =
        |unsent: &Unsent, limit| admit(&waits, unsent, (Some(&before), &hour), limit, at(10));
    let Admission::Tell { claim, takes_place: true } = admit(&unsent, 2) else { panic!() };
    let (pointer, counted) = ("unsent#r-1#topic".to_owned(), "hour#topic".to_owned());
    let expected =
        [(pointer.clone(), Condition::Version(1)), (counted.clone(), Condition::Version(7))];
    assert_eq!(names(&claim), expected);
    let Admission::Hold(transaction) = admit(&unsent, 1) else { panic!() };
    let expected = [
        (counted, Condition::Version(7)),
        (pointer, Condition::Version(1)),
        ("r-1#topic".to_owned(), Condition::Any),
    ];
    assert_eq!(names(&transaction), expected);
    let has_one = Unsent { hour: Some(at(0)), ..unsent.clone() };
    let Admission::Tell { claim, takes_place: false } = admit(&has_one, 1) else { panic!() };
    assert_eq!(names(&claim), [("unsent#r-1#topic".to_owned(), Condition::Version(1))]);
    let claimed = Unsent { claimed_until: Some(at(11)), ..unsent };
    assert_eq!([1, 2].map(|limit| admit(&claimed, limit)), [Admission::Others, Admission::Others]);
}

/// What is held grows with the kinds of things, not with their number, and names the worst.
#[test]
fn a_thousand_held_alerts_are_one_small_item() {
    let mut hourly = Hourly { hour: Some(at(0)), count: 2, ..Hourly::default() };
    for run in 0..1_000 {
        let (verdict, rule) = match run {
            500..504 => ("drift-left", "internet-route"),
            504..520 => ("drift-left", "vpc-dns"),
            _ => ("repaired", "internet-route"),
        };
        let (_, unsent) = waiting(&format!("r-{run}"), Level::News, verdict, rule);
        let Slot::Hold(write) = slot(&hourly, &unsent, 60) else { panic!() };
        hourly = counted(&write);
    }
    let held = hourly.held.clone().unwrap();
    assert_eq!(held.count, 1_000);
    assert_eq!(held.asks, BTreeMap::from([(Asks::ToAct, 20), (Asks::Nothing, 980)]));
    let worst: Vec<&str> = held.worst.iter().map(|alert| alert.run_id.as_str()).collect();
    assert_eq!(worst[..4], ["r-500", "r-501", "r-502", "r-503"]);
    assert_eq!(worst.len(), 10);
    assert!(worst[4..].iter().all(|run| ("r-504".."r-520").contains(run)), "{worst:?}");
    let Body::Text(text) = body_of(&hourly) else { panic!() };
    assert!(text.len() < 4_000, "{}", text.len());
}

fn holding(since: i64, summary: Option<i64>) -> Hourly {
    let held = Held::none(at(since)).and(&news("r-1").1, at(since));
    Hourly { hour: None, count: 0, held: Some(held), summary: summary.map(at) }
}

#[test]
fn a_summary_is_due_five_minutes_after_the_first_and_once_an_hour() {
    let is_due = |hourly: &Hourly, now| summary_is_due(hourly, &[], at(now)).is_some();
    let first = holding(1000, None);
    assert_eq!([1299, 1300].map(|now| is_due(&first, now)), [false, true]);
    let second = holding(1000, Some(900));
    assert_eq!([1300, 4499, 4500].map(|now| is_due(&second, now)), [false, false, true]);
    assert!(!is_due(&Hourly::default(), 1_000_000));
}

/// A destination that fails for a day gets one summary afterwards, not 24.
#[test]
fn no_summary_is_made_while_one_waits() {
    let hourly = holding(1000, None);
    let is_due = |run: &str, level| {
        let (_, waits) = waiting(run, level, "x", "y");
        summary_is_due(&hourly, &[&waits], at(1_000_000)).is_some()
    };
    assert!(!is_due("summary-x", Level::Overview));
    assert!(is_due("digest-x", Level::Overview));
    assert!(is_due("summary-x", Level::News), "it is a run's");
}

#[test]
fn a_summary_is_made_together_with_what_ends_it() {
    let hourly = Hourly { hour: Some(at(0)), count: 2, ..holding(1000, None) };
    let held = hourly.held.clone().unwrap();
    let (_, unsent) = news("r-9");
    let alert = Alert {
        subject: unsent.subject,
        text: String::new(),
        json: String::new(),
        attributes: BTreeMap::new(),
    };
    let before = item(&hourly);
    let made =
        summarized(&key(), (Some(&before), &hourly), &held, (&alert, &to()), at(2000)).writes;
    let after = Hourly { held: None, summary: Some(at(2000)), ..hourly.clone() };
    assert_eq!((counted(&made[0]), made[0].condition()), (after, Condition::Version(7)));
    let names: Vec<&str> = made.iter().map(|write| write.key().name.as_str()).collect();
    let run = "summary-1970-01-01T00:16:40Z";
    assert_eq!(names, ["hour#topic", &format!("{run}#topic"), &format!("unsent#{run}#topic")]);
    assert_eq!(destination_of(&before), Some(to()));
}

#[test]
fn what_was_held_and_cannot_be_read_is_said() {
    let odd = Item { body: Body::Text("7".to_owned()), ..item(&Hourly::default()) };
    assert!(hourly(Some(&odd)).unwrap_err().to_string().starts_with("`hour#topic` in the table "));
    assert_eq!(hourly(None), Ok(Hourly::default()));
}
