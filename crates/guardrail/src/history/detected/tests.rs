use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use super::*;
use crate::cloud::{CallError, Commit, InMemoryTable, Table as _};
use crate::event::decode;

fn place() -> Place {
    Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-09-14T08:00:00Z".parse().unwrap();
    start.checked_add(SignedDuration::from_mins(minute)).unwrap()
}

/// What a table in memory answers, which never waits.
fn now<T>(answer: impl Future<Output = Result<T, CallError>>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("nothing is waited for"),
    }
}

fn note(table: &InMemoryTable, noted: &[Noted], minute: i64) -> Vec<Commit> {
    let all = transactions(&place(), noted, at(minute));
    all.iter().map(|transaction| now(table.commit(transaction))).collect()
}

fn write(table: &InMemoryTable, write: Write) -> Commit {
    now(table.commit(&Transaction::one(write)))
}

fn asked(table: &InMemoryTable) -> Option<Requested> {
    requested(now(table.get(&comparison_key(&place()))).as_ref())
}

fn kept(table: &InMemoryTable) -> OwnCalls {
    own_calls(&now(table.list(&partition(&place()), own_calls_prefix())))
}

fn dropped(table: &InMemoryTable) -> DroppedAttributes {
    dropped_attributes(&now(table.list(&partition(&place()), dropped_prefix())))
}

fn own(event_id: &str) -> Noted {
    let call = json!({"eventName": "DeleteRoute", "eventID": event_id});
    Noted::OwnCall(Box::new(OwnCall::noted(&decode(&call).unwrap(), at(0))))
}

fn put(name: &str, body: &str) -> Write {
    let key = partition(&place()).key(name);
    let body = Body::Text(body.to_owned());
    Write::Put { key, body, expires: None, condition: Condition::Any }
}

#[test]
fn what_is_noted_is_read_again() {
    let table = InMemoryTable::default();
    let vpc: VpcId = "vpc-1".parse().unwrap();
    let noted =
        [own("e-1"), Noted::CompareRegion, Noted::VpcAttributesChanged(vpc.clone()), own("e-2")];
    assert_eq!(note(&table, &noted, 3), [Commit::Made; 3]);
    let names: Vec<(String, String)> = table
        .everything()
        .into_iter()
        .map(|item| (item.key.partition.to_string(), item.key.name))
        .collect();
    let names: Vec<(&str, &str)> =
        names.iter().map(|(partition, name)| (partition.as_str(), name.as_str())).collect();
    let partition = "DETECT#111122223333/eu-central-1";
    let expected = ["comparison", "dropped#vpc-1", "own#e-1", "own#e-2"];
    assert_eq!(names, expected.map(|name| (partition, name)));
    assert_eq!(asked(&table).unwrap().at, Some(at(3)));
    let ids: Vec<String> = kept(&table).calls.iter().map(|kept| kept.own.call.incident()).collect();
    assert_eq!(ids, ["e-1", "e-2"]);
    let attributes = dropped(&table);
    assert!(!attributes.count(&vpc, at(3)));
    assert!(attributes.count(&vpc, at(4)));
    assert!(attributes.count(&"vpc-2".parse().unwrap(), at(3)));
}

#[test]
fn a_comparison_is_made_at_most_every_five_minutes_and_only_on_request() {
    let table = InMemoryTable::default();
    assert!(!comparison_is_due(None, None, at(0)));
    note(&table, &[Noted::CompareRegion], 0);
    let request = asked(&table);
    let due = |last: Option<i64>| comparison_is_due(request.as_ref(), last.map(at), at(60));
    let table = [(None, true), (Some(55), true), (Some(56), false), (Some(61), false)];
    for (last, expected) in table {
        assert_eq!(due(last), expected, "{last:?}");
    }
    assert!(due(Some(600)), "a time of the future that would stop comparisons for hours");
}

/// Also between two clocks that both have read the request: nobody's request is lost.
#[test]
fn a_request_is_done_with_only_as_it_was_read() {
    let table = InMemoryTable::default();
    note(&table, &[Noted::CompareRegion], 0);
    let (first, second) = (asked(&table).unwrap(), asked(&table).unwrap());
    assert_eq!(write(&table, first.done()), Commit::Made);
    assert_eq!(asked(&table), None);
    note(&table, &[Noted::CompareRegion], 1);
    assert_eq!(write(&table, second.done()), Commit::Conflict);
    assert_eq!(asked(&table).unwrap().at, Some(at(1)));
}

#[test]
fn a_request_that_cannot_be_read_is_one() {
    let table = InMemoryTable::default();
    for body in ["", "{\"requested_at\":7}", "[]", "{\"requested_at\":\"soon\"}"] {
        assert_eq!(write(&table, put("comparison", body)), Commit::Made);
        assert_eq!(asked(&table).map(|request| request.at), Some(None), "{body}");
    }
    assert_eq!(write(&table, asked(&table).unwrap().done()), Commit::Made);
    assert_eq!(asked(&table), None);
}

/// An event that comes twice, or again after all is said of its call, changes nothing.
#[test]
fn an_event_is_noted_once() {
    let table = InMemoryTable::default();
    assert_eq!(note(&table, &[own("e-1"), own("e-1")], 0), [Commit::Made]);
    assert_eq!(note(&table, &[own("e-1"), own("e-2")], 1), [Commit::Conflict, Commit::Made]);
    let first = kept(&table).calls.remove(0);
    assert_eq!(write(&table, first.say(Said::Matched, at(2))), Commit::Made);
    assert_eq!(write(&table, first.say(Said::Unmatched, at(2))), Commit::Conflict);
    assert_eq!(note(&table, &[own("e-1")], 3), [Commit::Conflict]);
    let said: Vec<Option<Said>> = kept(&table).calls.iter().map(|kept| kept.own.said).collect();
    assert_eq!(said, [Some(Said::Matched), None]);
    table.forget_expired(at(25 * 60));
    assert_eq!(kept(&table).calls.len(), 1, "what nobody has judged is never forgotten");
}

#[test]
fn a_call_without_a_usable_id_has_a_name_of_its_own() {
    let table = InMemoryTable::default();
    let odd = ["", "two words", "\u{fc}", &"x".repeat(5000)];
    note(&table, &odd.map(own), 0);
    let kept = kept(&table);
    assert_eq!(kept.calls.len(), odd.len());
    assert!(kept.calls.iter().all(|kept| kept.key.name.len() == "own#".len() + 64));
}

#[test]
fn an_item_that_cannot_be_read_is_named() {
    let table = InMemoryTable::default();
    for body in ["{}", "", "{\"noted_at\":\"2026-09-14T08:00:00Z\",\"call\":{}}"] {
        assert_eq!(write(&table, put("own#e-1", body)), Commit::Made);
        let key = partition(&place()).key("own#e-1");
        assert_eq!(kept(&table), OwnCalls { calls: vec![], unreadable: vec![key] }, "{body}");
    }
    assert_eq!(write(&table, put("dropped#vpc-1", "{}")), Commit::Made);
    assert_eq!(write(&table, put("dropped#x", "{}")), Commit::Made);
    assert!(!dropped(&table).count(&"vpc-1".parse().unwrap(), at(1_000_000)));
}

#[test]
fn hundreds_of_vpcs_are_noted_in_transactions_that_the_table_takes() {
    let vpcs = (0..250).map(|n| Noted::VpcAttributesChanged(format!("vpc-{n}").parse().unwrap()));
    let noted: Vec<Noted> = vpcs.clone().chain(vpcs).collect();
    let sizes: Vec<usize> =
        transactions(&place(), &noted, at(0)).iter().map(|all| all.writes.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
}

/// Of a later version, which may note more.
#[test]
fn unknown_fields_are_passed_over() {
    let table = InMemoryTable::default();
    let Noted::OwnCall(call) = own("e-1") else { panic!("it is one") };
    let mut body: Value = json!(call);
    body["more"] = json!({});
    assert_eq!(write(&table, put("own#e-1", &body.to_string())), Commit::Made);
    assert_eq!(kept(&table).calls.len(), 1);
}
