//! What is said of a run that was killed, and what one reads and leaves of a VPC.

use super::super::killed::made_groups;
use super::super::memory::OpenRun;
use super::telling::done;
use super::*;
use crate::cloud::Table;
use crate::ec2::change::Action;
use crate::history::ledger::{begin, facts_key, gave_way_key, mark, put, put_facts, state_key};
use crate::history::{Became, Mark, Marks, VpcFacts};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn seen(fixture: &Fixture) -> Assessment {
    let request = request(60);
    let circumstances = request.circumstances(at(0), Memory::NotAsked, Grace::none());
    assess(&fixture.wanted(), &fixture.world(), &request, circumstances)
}

fn no_ssm() -> Fixture {
    let mut fixture = Fixture::edited(|w| w.remove("vpce-ssm"));
    at_once(&mut fixture);
    fixture
}

/// A run that was about to make the endpoint for `ssm`, with this mark of that step.
fn open(marked: Option<Mark>) -> (OpenRun, StepId) {
    let mut record = record_of(&request(60), "seed", &seen(&no_ssm()).plan, at(0));
    record.run_id = "killed".to_owned();
    let makes = |action: &Action<_>| matches!(action, Action::CreateEndpoint { .. });
    let step = record.steps.iter().find(|step| makes(&step.action)).unwrap().id;
    let marks: Marks = marked.map(|mark| (step, mark)).into_iter().collect();
    (OpenRun { record, marks }, step)
}

/// What became of that step, as a later look at this world has it.
fn became(marked: Option<Mark>, edit: Edit) -> Became {
    let (open, step) = open(marked);
    let mut fixture = Fixture::edited(edit);
    at_once(&mut fixture);
    let judged = judged(&open, &seen(&fixture), &fixture.world());
    judged.into_iter().find(|(id, _)| *id == step).unwrap().1
}

fn missing(w: &mut Fixture) -> &mut Fixture {
    w.remove("vpce-ssm")
}

fn tagged_at(w: &mut Fixture, seconds: i64) -> &mut Fixture {
    w.tag("vpce-ssm", "vpc-guardrail", "created").set(
        "vpce-ssm",
        "CreationTimestamp",
        json!(at(seconds).to_string()),
    )
}

#[test]
fn what_the_marks_say_of_a_killed_run_is_fact() {
    let applied = Applied::CreatedEndpoint("vpce-ssm".parse().unwrap());
    let request_id = Some("q-1".to_owned());
    let made = Mark::Done { from: at(1), at: at(2), applied: applied.clone(), request_id };
    assert_eq!(became(Some(made), missing), Became::Made(applied));
    let why = "it was refused".to_owned();
    let request_id = Some("q-1".to_owned());
    let failed = Mark::Failed { from: at(1), at: at(2), why: why.clone(), request_id };
    assert_eq!(became(Some(failed), |w| w), Became::Failed { why });
    assert_eq!(became(None, |w| w), Became::NotBegun);
}

#[test]
fn of_a_step_without_an_answer_is_said_what_shows() {
    let cases: [(Edit, Became); 7] = [
        (missing, Became::DoesNotShow),
        (|w| w, Became::MadeOrFoundMade),
        (|w| tagged_at(w, 100), Became::MadeByTag),
        (|w| tagged_at(w, 70), Became::MadeByTag),
        (|w| tagged_at(w, 69), Became::MadeOrFoundMade),
        (|w| w.without("Subnets"), Became::CannotTell),
        (|w| w.set("vpc-1", "Tags", json!([])), Became::CannotTell),
    ];
    for (number, (edit, expected)) in cases.into_iter().enumerate() {
        let started = became(Some(Mark::Started { at: at(100) }), edit);
        assert_eq!(started, expected, "case {number}");
        let why = "no answer came".to_owned();
        let lost = Mark::Failed { from: at(100), at: at(120), why: why.clone(), request_id: None };
        let expected =
            if expected == Became::DoesNotShow { Became::Failed { why } } else { expected };
        assert_eq!(became(Some(lost), edit), expected, "case {number}");
    }
}

#[test]
fn a_killed_run_that_changed_nothing_is_told_to_nobody() {
    let baseline = no_ssm().wanted();
    let is_told = |became: Became| {
        let (open, step) = open(None);
        let others = open.record.steps.iter().filter(|it| it.id != step);
        let mut judged: Vec<_> = others.map(|it| (it.id, Became::NotBegun)).collect();
        judged.push((step, became));
        judged.sort_by_key(|(id, _)| *id);
        closed_alert(&open, &judged, &request(60), &baseline).is_some()
    };
    let why = String::new();
    let endpoint = Applied::CreatedEndpoint("vpce-ssm".parse().unwrap());
    let untold = [
        Became::NotBegun,
        Became::DoesNotShow,
        Became::Failed { why },
        Became::Made(Applied::Already),
    ];
    let told =
        [Became::Made(endpoint), Became::MadeByTag, Became::MadeOrFoundMade, Became::CannotTell];
    assert_eq!(untold.map(is_told), [false; 4]);
    assert_eq!(told.map(is_told), [true; 4]);
}

#[test]
fn the_groups_of_a_killed_run_are_those_that_it_was_told_of() {
    let group = Applied::CreatedGroup("sg-own".parse().unwrap());
    let mark = |applied| Mark::Done { from: at(1), at: at(2), applied, request_id: None };
    let made = |marked| -> Vec<String> {
        made_groups(&open(Some(marked)).0).iter().map(ToString::to_string).collect()
    };
    assert_eq!(made(mark(group)), ["sg-own"]);
    assert_eq!(made(mark(Applied::Done)), Vec::<String>::new());
    assert_eq!(made(Mark::Started { at: at(1) }), Vec::<String>::new());
}

fn committed(table: &InMemoryTable, transaction: &Transaction) {
    assert_eq!(done(table.commit(transaction)), Ok(Commit::Made));
}

#[test]
fn a_run_reads_what_others_left() {
    let (table, scope) = (InMemoryTable::default(), request(60).scope);
    let nothing = done(recall(&table, &scope)).unwrap();
    assert!(!nothing.is_known() && nothing.open.is_none() && nothing.gave_way.is_none());
    assert_eq!((nothing.kept_out_by("r", at(0)), nothing.first_seen), (None, None));
    let (open, step) = open(None);
    let lease = Lease::of("killed", at(60));
    committed(&table, &begin(&Kept::default(), &open.record, &lease, at(0)));
    let started = Mark::Started { at: at(1) };
    committed(&table, &mark(&scope, "killed", step, &started, at(1)));
    // Of a run whose name begins with that one's nothing is taken.
    committed(&table, &mark(&scope, "killed-2", step, &started, at(1)));
    committed(&table, &put_facts(&scope, &Kept::default(), &VpcFacts::first_seen_at(at(7))));
    let known = done(recall(&table, &scope)).unwrap();
    let read = known.open.as_ref().unwrap();
    assert_eq!((&read.record, &read.marks), (&open.record, &Marks::from([(step, started)])));
    assert_eq!((known.is_known(), known.first_seen), (true, Some(at(7))));
    assert_eq!(known.kept_out_by("other", at(179)), Some(&lease));
    assert_eq!(known.kept_out_by("other", at(180)), None);
    assert_eq!(known.kept_out_by("killed", at(0)), None);
}

/// A VPC must not be forgotten because a newer version wrote of it: the run fails loudly.
#[test]
fn what_a_newer_version_wrote_is_not_taken_for_nothing() {
    let scope = request(60).scope;
    for key in [state_key(&scope), facts_key(&scope), ledger::open_key(&scope)] {
        let table = InMemoryTable::default();
        committed(&table, &Transaction::one(put(key.clone(), &json!([99]), Condition::Any)));
        let error = done(recall(&table, &scope)).unwrap_err();
        assert_eq!(error.class, ErrorClass::Invalid);
        assert!(error.message.contains("newer version"), "{}", error.message);
        let cloud = Fake::new(nat);
        at_once(&mut cloud.state.borrow_mut());
        let lived = lived(&cloud, &table, &request(60));
        assert!(matches!(lived, Lived::NotRecorded { .. }), "{lived:?}");
        assert_eq!(cloud.calls.take(), Vec::<String>::new());
    }
    let table = InMemoryTable::default();
    let unread = put(gave_way_key(&scope), &json!([99]), Condition::Any);
    committed(&table, &Transaction::one(unread));
    recorded(lived(&Fake::new(|w| w), &table, &request(60)));
    assert_eq!(done(table.get(&gave_way_key(&scope))), Ok(None), "it has looked");
}

/// A sweep may have seen the VPC first, and between the run's look and its end.
#[test]
fn what_was_seen_is_added_to_what_another_kept_meanwhile() {
    let (table, request) = (InMemoryTable::default(), request(60));
    let sweep = VpcFacts::first_seen_at(at(-500));
    committed(&table, &put_facts(&request.scope, &Kept::default(), &sweep));
    let cloud = Fake::new(|w| w);
    let (baseline, world) = (cloud.state.borrow().wanted(), cloud.state.borrow().world());
    let looked = super::super::assess::seen_in(&baseline, &world, &request.scope.vpc).unwrap();
    let looks = Looks { looks: &[(looked, at(0))], calls: &[] };
    let kept = done(keep_facts(&cloud, &table, &request, looks, Kept::default()));
    assert_eq!(kept, Ok(()));
    let item = done(table.get(&facts_key(&request.scope))).unwrap();
    let facts = Kept::<VpcFacts>::of(item).unwrap().value.unwrap();
    assert_eq!((facts.first_seen, facts.subnets.len()), (at(-500), 4));
}
