//! What is exempted before a run and during one, and who is told.

use super::telling::{edit, next, state};
use super::*;
use crate::baseline::EXEMPT_TAG;
use crate::event::{Evidence, decode};

const VALUE: &str = "until=1970-01-31 reason=moving house";

fn tag_table(w: &mut Fixture) -> &mut Fixture {
    w.tag("rtb-a", EXEMPT_TAG, VALUE)
}

/// Somebody exempts what a run is about to change: the run looks again before the step.
#[test]
fn an_exemption_that_appears_in_a_run_keeps_its_steps_from_being_taken() {
    let on_vpc: Edit = |w| {
        w.set(
            "vpc-1",
            "Tags",
            json!([{"Key": "vpc-guardrail", "Value": "managed"},
            {"Key": EXEMPT_TAG, "Value": VALUE}]),
        )
    };
    let on_subnet: Edit = |w| {
        w.set(
            "subnet-pria",
            "Tags",
            json!([{"Key": "Tier", "Value": "private"},
            {"Key": EXEMPT_TAG, "Value": VALUE}]),
        )
    };
    let exempting: [Edit; 3] = [tag_table, on_vpc, on_subnet];
    for exempt in exempting {
        let cloud = Fake { script: vec![(2, exempt)], ..Fake::new(|w| nat(w)) };
        let first = run(&cloud);
        assert_eq!((&first.steps[0].outcome, first.next), (&Outcome::Stale, Next::Again));
        let second = run(&cloud);
        assert_eq!(cloud.calls.take(), Vec::<String>::new());
        assert_eq!((second.findings.len(), second.exempted.len()), (0, 1));
        assert_eq!((second.verdict, second.next), (Verdict::Compliant, Next::Settled));
    }
}

/// The call that sets the tag of `rtb-a`, as a record tells of it.
fn tagging() -> Evidence {
    let record = json!({
        "eventName": "CreateTags", "eventSource": "ec2.amazonaws.com",
        "userIdentity": {"type": "IAMUser", "userName": "ops"},
        "requestParameters": {"resourcesSet": {"items": [{"resourceId": "rtb-0a1b2c3d4e5f60011"}]},
            "tagSet": {"items": [{"key": EXEMPT_TAG, "value": VALUE}]}},
    });
    let mut call = decode(&record).unwrap();
    call.tagging.as_mut().unwrap().resources = vec!["rtb-a".parse().unwrap()];
    call
}

#[test]
fn who_set_the_tag_is_said_where_a_call_told_and_remembered() {
    let cloud = Fake::new(|w| tag_table(nat(w)));
    at_once(&mut cloud.state.borrow_mut());
    let table = InMemoryTable::default();
    let set_by = |evidence: Vec<Evidence>| {
        let request = RunRequest { evidence, ..request(300) };
        let report = recorded(lived(&cloud, &table, &request));
        report.exempted[0].set_by.clone()
    };
    let claimed = Evidence { claimed_by: Some("somebody".to_owned()), ..tagging() };
    assert_eq!(set_by(vec![claimed]), None);
    assert_eq!(set_by(vec![tagging()]).as_deref(), Some("ops"));
    assert_eq!(set_by(vec![]).as_deref(), Some("ops"));
    assert_eq!(state(&table).exempted[0].set_by.as_deref(), Some("ops"));
}

/// Told as found, then as exempted, then before the exemption lapses, and when it has.
#[test]
fn what_is_exempted_is_told_when_it_is_and_around_its_lapse() {
    let cloud = Fake::new(|w| nat(w).baseline("mode", json!("notify")));
    let table = InMemoryTable::default();
    let told = || {
        let (is_told, report) = next(&cloud, &table);
        (is_told, report.findings.len(), report.exempted.len(), report.ended.len())
    };
    let day = |day: i64| cloud.now.set(Timestamp::from_second(day * 24 * 60 * 60).unwrap());
    assert_eq!(told(), (true, 1, 0, 0));
    edit(&cloud, tag_table);
    assert_eq!(told(), (true, 0, 1, 0), "not as something that has ended");
    assert_eq!(told(), (false, 0, 1, 0));
    day(23);
    assert_eq!(told(), (true, 0, 1, 0), "it lapses in seven days");
    day(30);
    assert_eq!(told(), (false, 0, 1, 0), "the last day");
    day(31);
    assert_eq!(told(), (true, 1, 0, 0));
    assert_eq!(told(), (false, 1, 0, 0));
}

#[test]
fn what_exempts_nothing_is_told_once() {
    let malformed: Edit = |w| w.tag("rtb-b", EXEMPT_TAG, "for ever");
    let cloud = Fake::new(malformed);
    let table = InMemoryTable::default();
    let told = || {
        let (is_told, report) = next(&cloud, &table);
        (is_told, report.exempting_nothing.len())
    };
    assert_eq!([told(), told()], [(true, 1), (false, 1)]);
    edit(&cloud, |w| w.tag("rtb-b", EXEMPT_TAG, "until=1980-01-01 reason=x"));
    assert_eq!([told(), told()], [(true, 1), (false, 1)], "another fault");
}
