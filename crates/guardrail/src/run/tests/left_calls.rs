//! The calls that led to a run and that a later one has to name, or to go by.

use super::telling::{done, edit, next_of};
use super::*;
use crate::event::Evidence;
use crate::history::ledger::{gave_way_key, put, state_key};

fn call(name: &str, id: &str, at: Timestamp) -> Evidence {
    let record = json!({
        "eventName": name, "eventSource": "ec2.amazonaws.com", "eventID": id,
        "eventTime": at.to_string(),
    });
    crate::event::decode(&record).unwrap()
}

fn ids(report: &Report) -> Vec<&str> {
    report.evidence.iter().filter_map(|call| call.record.event_id.as_deref()).collect()
}

/// A run of the clock, a minute later.
fn clock(cloud: &Fake, table: &InMemoryTable) -> (bool, Report) {
    next_of(cloud, table, RunRequest { cause: Cause::Clock, ..request(0) })
}

fn leased(table: &InMemoryTable, until: i64) {
    let lease = Lease { run_id: "other".to_owned(), until: Timestamp::from_second(until).unwrap() };
    let state = VpcState { lease: Some(lease), ..VpcState::default() };
    let taken = put(state_key(&request(0).scope), &state, Condition::Any);
    assert_eq!(done(table.commit(&Transaction::one(taken))), Ok(Commit::Made));
}

/// Messages of runs that gave way are deleted: what they told of is known to nobody else.
#[test]
fn the_run_after_one_that_gave_way_names_who_led_to_it() {
    let cloud = Fake::new(|w| nat(w).baseline("mode", json!("notify")));
    let table = InMemoryTable::default();
    leased(&table, 30);
    for id in ["e-1", "e-2"] {
        let evidence = vec![call("CreateRoute", id, cloud.now())];
        let busy = lived(&cloud, &table, &RunRequest { evidence, ..request(60) });
        assert!(matches!(busy, Lived::Busy { .. }), "{busy:?}");
    }
    let (is_told, report) = clock(&cloud, &table);
    assert!(is_told);
    assert_eq!((ids(&report), report.cause), (vec!["e-2", "e-1"], Cause::Event));
    assert_eq!(done(table.get(&gave_way_key(&request(0).scope))), Ok(None));
    edit(&cloud, |w| w.drop_route("rtb-a", "0.0.0.0/0"));
    let (_, report) = clock(&cloud, &table);
    assert_eq!((ids(&report), report.cause), (vec![], Cause::Clock), "they were told");
}

/// A VPC that was on its baseline, is not young any more, and has lost an endpoint; and the call.
fn deleted() -> (Fake, InMemoryTable, Evidence) {
    let cloud = Fake::new(|w| w);
    at_once(&mut cloud.state.borrow_mut());
    edit(&cloud, |w| {
        w.baseline["rules"]["interface-endpoint"]["grace_minutes"] = json!(2);
        w
    });
    let table = InMemoryTable::default();
    assert!(!clock(&cloud, &table).0);
    cloud.now.set(cloud.now.get() + Duration::from_secs(3600));
    edit(&cloud, |w| w.remove("vpce-ssm").add("SecurityGroups", own_group(&["10.0.0.0/16"])));
    let evidence = call("DeleteVpcEndpoints", "e-1", cloud.now() + Duration::from_secs(50));
    (cloud, table, evidence)
}

fn event(cloud: &Fake, table: &InMemoryTable, call: &Evidence) -> (bool, Report) {
    next_of(cloud, table, RunRequest { evidence: vec![call.clone()], ..request(0) })
}

#[test]
fn the_run_that_makes_what_a_tool_did_not_names_who_deleted_it() {
    let (cloud, table, call) = deleted();
    assert!(!event(&cloud, &table, &call).0, "the tool has time");
    assert!(!clock(&cloud, &table).0);
    let (is_told, made) = clock(&cloud, &table);
    assert!(is_told && made.changed(), "{:?}", told(&made));
    assert_eq!((ids(&made), made.cause), (vec!["e-1"], Cause::Event));
}

/// The look that sees what was deleted is not always the one that knows of the call.
#[test]
fn a_deletion_whose_first_look_was_blind_leaves_the_tool_its_time() {
    let (mut cloud, table, call) = deleted();
    let next_read = cloud.reads.get() + 1;
    cloud.blind = vec![(next_read, next_read, Section::VpcEndpoints, ErrorClass::Throttled)];
    let (_, blind) = event(&cloud, &table, &call);
    assert_eq!(blind.verdict, Verdict::Incomplete);
    let (is_told, waits) = clock(&cloud, &table);
    let until = call.time.as_deref().unwrap().parse::<Timestamp>().unwrap();
    let until = until + Duration::from_secs(120);
    assert_eq!(waits.look_again.as_ref().map(|again| again.at), Some(until), "{:?}", told(&waits));
    assert!(!is_told && cloud.calls.borrow().is_empty(), "{:?}", cloud.calls);
    let (is_told, made) = clock(&cloud, &table);
    assert!(is_told && made.changed(), "{:?}", told(&made));
}

/// A clock that is ahead makes a call later than every look for a while.
#[test]
fn a_call_that_is_left_to_later_runs_puts_off_once() {
    let cloud = Fake::new(|w| nat(w).baseline("settling", json!({"minutes": 1})));
    let table = InMemoryTable::default();
    let ahead = call("ModifyVpcAttribute", "e-1", cloud.now() + Duration::from_secs(3_600));
    let (_, waits) = event(&cloud, &table, &ahead);
    assert!(!waits.changed() && waits.look_again.is_some(), "{:?}", told(&waits));
    let (_, then) = clock(&cloud, &table);
    assert!(then.changed(), "{:?}", told(&then));
    assert_eq!(ids(&then), ["e-1"]);
}
