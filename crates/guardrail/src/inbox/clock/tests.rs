use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::baseline::RuleId;
use crate::cloud::{Commit, ErrorClass};
use crate::ec2::change::{Action, Applied, GroupRef, StepId};
use crate::ec2::id::VpcId;
use crate::ec2::snapshot::Section;
use crate::event::decode;
use crate::fixture::vpc;
use crate::history::detected::Noted;
use crate::history::first_contact::FirstContact;
use crate::history::ledger::{due_key, mark, record_key, state_key};
use crate::history::own_calls::OwnCall;
use crate::history::{
    Alert, Kept, Lease, LookAgain, Mark, RecordedStep, RunRecord, Standing, VpcState, ledger,
};
use crate::inbox::round::tests::{Region, at, done, place};
use crate::run::Lived;

const TABLE: &str = "rtb-0a1b2c3d4e5f60011";

/// A Region in whose first day no digest is due.
fn region() -> Region {
    let region = Region::new(|w| w);
    let day = json!({"day": "1970-01-01"});
    region.put(crate::history::digest::digest_key(&place()), &day);
    region
}

fn minute(region: &Region) -> Result<Minute, CallError> {
    let baseline = region.state.borrow().wanted();
    let hands = ClockHands { region, table: &region.table, telling: region, queue: region };
    let settings = ClockSettings {
        place: &place(),
        baseline: Some(&baseline),
        repair_role: "arn:aws:iam::111122223333:role/repair",
        alerts_per_hour: 20,
        digest_hour: 0,
        stack: "guardrail",
        until: region.now.get() + SignedDuration::from_mins(1),
    };
    done(super::minute(&hands, settings))
}

fn groups(region: &Region) -> Vec<String> {
    region.sent.take().into_iter().map(|envelope| envelope.group).collect()
}

fn is_asked(region: &Region) -> bool {
    let item = done(region.table.get(&comparison_key(&place()))).unwrap();
    requested(item.as_ref()).is_some()
}

/// The name of the sweep or comparison that was made in a minute.
fn compared(minute: &Minute) -> Option<&str> {
    minute.round.as_ref().map(|round| round.progress.sweep.as_str())
}

#[test]
fn nothing_to_do_is_nothing_done() {
    let region = region();
    let quiet = minute(&region).unwrap();
    assert_eq!((quiet.due, quiet.open, quiet.unsent, quiet.unmatched), (0, 0, 0, 0));
    assert_eq!(compared(&quiet), None);
    assert_eq!((quiet.faults, quiet.sent), (vec![], Sent::default()));
    assert_eq!((groups(&region), region.told.take()), (vec![], vec![]));
}

#[test]
fn what_is_due_is_sent() {
    let region = region();
    let again = LookAgain { at: at(1), why: "it settles".to_owned() };
    region.put(due_key(&place().scope(&vpc())), &again);
    assert_eq!((minute(&region).unwrap().due, groups(&region)), (0, vec![]));
    region.now.set(at(1));
    let sent = (minute(&region).unwrap().due, groups(&region));
    assert_eq!(sent, (1, vec!["111122223333/eu-central-1/vpc-1".to_owned()]));
}

/// The queue has nothing to do with those who read alerts.
#[test]
fn a_queue_that_takes_nothing_keeps_no_alert_back() {
    let region = region();
    let again = LookAgain { at: at(0), why: String::new() };
    region.put(due_key(&place().scope(&vpc())), &again);
    let alert = Alert {
        subject: "something changed".to_owned(),
        text: "text".to_owned(),
        json: "{}".to_owned(),
        attributes: BTreeMap::new(),
    };
    let all = writes(&place(), "r-1", &alert, Level::News, &region.destinations(), at(0));
    let waits = Transaction { token: None, writes: all };
    assert_eq!(done(region.table.commit(&waits)), Ok(Commit::Made));
    region.refuses.set(true);
    assert!(minute(&region).is_err());
    assert_eq!(region.told.take(), ["something changed"]);
}

#[test]
fn an_unfinished_sweep_goes_on_and_then_is_left() {
    let region = region();
    region.hidden.replace(vec![(Section::RouteTables, ErrorClass::Throttled)]);
    let begun = region.round(&Round::Begins("s".to_owned()), 1).unwrap();
    assert_eq!(begun.progress.remaining, BTreeSet::from([vpc()]));
    assert_eq!(compared(&minute(&region).unwrap()), Some("s"));
    region.hidden.take();
    let ended = minute(&region).unwrap();
    let progress = &ended.round.as_ref().unwrap().progress;
    assert_eq!((compared(&ended), progress.ended), (Some("s"), Some(at(0))));
    assert_eq!(compared(&minute(&region).unwrap()), None);
}

#[test]
fn a_comparison_is_made_once_for_all_who_asked_before_it() {
    let region = region();
    region.note(&[Noted::CompareRegion], at(0));
    let first = minute(&region).unwrap();
    assert_eq!(compared(&first), Some("comparison-1970-01-01T00:00:00Z"));
    assert!(!is_asked(&region));
    region.note(&[Noted::CompareRegion], at(1));
    region.now.set(at(4));
    assert_eq!(compared(&minute(&region).unwrap()), None, "the last one is not old enough");
    region.now.set(at(5));
    region.asks_meanwhile.set(true);
    assert!(compared(&minute(&region).unwrap()).is_some());
    assert!(is_asked(&region), "somebody asked while the Region was read");
    region.now.set(at(10));
    assert!(compared(&minute(&region).unwrap()).is_some());
    assert!(!is_asked(&region));
}

/// One run over `vpc-1` that began at the first second and deletes a route.
fn ran(region: &Region, marked: Option<Mark>) -> RunRecord {
    let action = Action::<GroupRef>::DeleteRoute {
        table: TABLE.parse().unwrap(),
        destination: serde_json::from_value(json!({"CidrBlock": "0.0.0.0/0"})).unwrap(),
        target: "nat-1".to_owned().into(),
    };
    let record = RunRecord {
        run_id: "r-1".to_owned(),
        scope: place().scope(&vpc()),
        seed: "i-1".to_owned(),
        cause: "event".to_owned(),
        began: at(0),
        steps: vec![RecordedStep {
            id: StepId(1),
            before: action.before(),
            inverse: "create it".to_owned(),
            action,
        }],
        closed: None,
    };
    let lease = Lease::of("r-1", at(1));
    let begin = ledger::begin(&Kept::default(), &record, &lease, at(0));
    assert_eq!(done(region.table.commit(&begin)), Ok(Commit::Made));
    if let Some(marked) = marked {
        let marked = mark(&record.scope, "r-1", StepId(1), &marked, at(0));
        assert_eq!(done(region.table.commit(&marked)), Ok(Commit::Made));
    }
    record
}

fn answered(request_id: Option<&str>) -> Mark {
    let request_id = request_id.map(str::to_owned);
    Mark::Done { from: at(0), at: at(0), applied: Applied::Done, request_id }
}

/// A call with the guardrail's role of the first second.
fn own_call(region: &Region) {
    let call = decode(&json!({
        "eventName": "DeleteRoute", "eventSource": "ec2.amazonaws.com", "eventID": "e-1",
        "requestID": "q-1", "eventTime": at(0).to_string(),
        "requestParameters": {"routeTableId": TABLE},
    }))
    .unwrap();
    region.note(&[Noted::OwnCall(Box::new(OwnCall::noted(&call, at(0))))], at(0));
}

/// How many calls no run made, and what is told, in the fifth minute.
fn judged(region: &Region) -> (usize, usize) {
    region.now.set(at(5));
    let judged = minute(region).unwrap();
    (judged.unmatched, region.told.take().len())
}

#[test]
fn a_call_that_a_run_made_is_told_to_nobody() {
    let lost = Mark::Failed { from: at(0), at: at(0), why: String::new(), request_id: None };
    for mark in [answered(Some("q-1")), lost, Mark::Started { at: at(0) }] {
        let region = region();
        ran(&region, Some(mark));
        own_call(&region);
        assert_eq!(judged(&region), (0, 0));
        assert!(!is_asked(&region));
    }
}

#[test]
fn a_call_that_no_run_made_is_told_once_and_the_region_compared() {
    for mark in [None, Some(answered(Some("q-2")))] {
        let region = region();
        ran(&region, mark);
        own_call(&region);
        region.now.set(at(1));
        assert_eq!(minute(&region).unwrap().unmatched, 0, "the run may yet mark it");
        assert_eq!(judged(&region), (1, 1));
        assert!(is_asked(&region));
        assert_eq!(judged(&region), (0, 0));
    }
}

/// Nobody is accused of what a run may have made whose record a newer version wrote.
#[test]
fn what_cannot_be_read_accuses_nobody() {
    let region = region();
    let record = ran(&region, Some(answered(Some("q-1"))));
    region.put(record_key(&record.scope, "r-1"), &json!({"version": 99}));
    own_call(&region);
    region.now.set(at(5));
    let waits = minute(&region).unwrap();
    assert_eq!((waits.unmatched, waits.faults.len(), region.told.take().len()), (0, 1, 0));
    region.put(record_key(&record.scope, "r-1"), &record);
    assert_eq!(judged(&region), (0, 0));
}

/// A sweep over a large Region takes many rounds, and each misses what was lost.
#[test]
fn that_the_table_was_lost_is_told_once_for_a_sweep() {
    let region = region();
    let all: BTreeSet<VpcId> = ["vpc-1", "vpc-2", "vpc-3"].map(|id| id.parse().unwrap()).into();
    let ended = RoundEnd {
        progress: Progress { sweep: "s".to_owned(), ..Progress::default() },
        managed: all.len(),
        forgotten: (3, 3),
        queued: Vec::new(),
        unread: Vec::new(),
        not_remembered: None,
    };
    let after = |ended: &RoundEnd| {
        let place = place();
        let after = after_round(&region.table, &region, &place, "guardrail", ended, at(0));
        assert_eq!(done(after), Ok(()));
        minute(&region).unwrap();
        region.told.take().len()
    };
    assert_eq!((after(&ended), after(&ended)), (1, 0));
    let next = Progress { sweep: "s-2".to_owned(), ..Progress::default() };
    assert_eq!(after(&RoundEnd { progress: next, ..ended }), 1);
}

/// A policy that was narrowed would else bring a message for each VPC and hour, and nobody would hear.
#[test]
fn what_sweeps_may_not_read_is_told_once_and_floods_no_queue() {
    let region = region();
    let sweep = |hour: i64| {
        region.now.set(at(hour * 60));
        let ended = region.round(&Round::Begins(format!("sweep-{hour}")), 5).unwrap();
        let (place, now) = (place(), region.now.get());
        let after = after_round(&region.table, &region, &place, "g", &ended, now);
        assert_eq!(done(after), Ok(()));
        for _ in &ended.queued {
            assert!(matches!(region.run(), Lived::Recorded { .. }));
        }
        let queued = ended.queued.len();
        minute(&region).unwrap();
        let is_of_it = |subject: &String| subject.contains("cannot see everything");
        (queued, region.told.take().iter().filter(|it| is_of_it(it)).count())
    };
    assert!(matches!(region.run(), Lived::Recorded { .. }));
    for (first, class) in [(1, ErrorClass::Denied), (5, ErrorClass::Invalid)] {
        *region.hidden.borrow_mut() = vec![(Section::RouteTables, class)];
        assert_eq!([first, first + 1, first + 2].map(sweep), [(0, 1), (0, 0), (0, 0)]);
        region.hidden.take();
        assert_eq!(sweep(first + 3), (0, 0));
    }
    *region.no_attributes.borrow_mut() = vec![("vpc-1", ErrorClass::Denied)];
    assert_eq!([sweep(40), sweep(41), sweep(62)], [(0, 1), (0, 0), (0, 0)]);
}

#[test]
fn the_digest_and_first_contacts_go_out_with_the_minute() {
    let region = region();
    let stands = Standing {
        rule: RuleId::InternetRoute,
        fingerprint: "f".to_owned(),
        summary: "a route leads out".to_owned(),
        since: at(0),
        told: true,
    };
    let state = VpcState { looked: Some(at(0)), standing: vec![stands], ..VpcState::default() };
    region.put(state_key(&place().scope(&vpc())), &state);
    let first = FirstContact {
        vpc: vpc(),
        vpc_name: None,
        sweep: "s".to_owned(),
        verdict: "drift-left".to_owned(),
        findings: BTreeMap::from([(RuleId::InternetRoute, 1)]),
        since: at(0),
    };
    let waits = Transaction::one(first.write(&place()));
    assert_eq!(done(region.table.commit(&waits)), Ok(Commit::Made));
    minute(&region).unwrap();
    assert_eq!(region.told.take(), Vec::<String>::new(), "other VPCs of the sweep may come");
    let sweep = Progress::begun(None, "s", BTreeSet::new(), at(0));
    region.put(Kind::Sweep.at(&place()).key(PROGRESS), &Progress { ended: Some(at(1)), ..sweep });
    region.now.set(at(24 * 60));
    assert!(minute(&region).unwrap().faults.is_empty());
    let told = region.told.take();
    assert_eq!(told.len(), 2);
    assert!(told.iter().any(|it| it.contains("first look at everything, 1 VPC,")), "{told:?}");
    minute(&region).unwrap();
    assert_eq!(region.told.take(), Vec::<String>::new());
}

/// What cannot be read is said each minute, and keeps nothing else back.
#[test]
fn a_waiting_item_that_cannot_be_read_is_a_fault() {
    let region = region();
    region.put(due_key(&place().scope(&"vpc-9".parse().unwrap())), &json!(7));
    let again = LookAgain { at: at(0), why: String::new() };
    region.put(due_key(&place().scope(&vpc())), &again);
    let came = minute(&region).unwrap();
    assert_eq!((came.due, came.faults.len(), groups(&region).len()), (1, 1, 1));
}
