//! Probes before and after a route goes.

use super::super::proof::tests::probed;
use super::*;
use crate::history::Attribute;
use crate::probe::ServiceVerdict;
use crate::report::alert::alert;

/// A VPC with a NAT gateway's route, a probe in the route's subnet, and what it answers when it is
/// asked for the first time, the second, ….
fn with_probe(answers: &[Result<ServiceVerdict, ErrorClass>]) -> Fake {
    let cloud = Fake::new(|w| nat(probed(w)));
    cloud.answers.borrow_mut().extend(answers.iter().copied());
    cloud
}

const SERVED: Result<ServiceVerdict, ErrorClass> = Ok(ServiceVerdict::Served);
const PUBLIC: Result<ServiceVerdict, ErrorClass> = Ok(ServiceVerdict::Public);

/// The calls in short: `ask` for each question, and the deletion.
fn calls(cloud: &Fake) -> Vec<&'static str> {
    let calls = cloud.calls.borrow();
    calls.iter().map(|call| if call == "ask" { "ask" } else { "delete" }).collect()
}

#[test]
fn a_route_goes_after_three_answers_and_is_watched_by_three_more_over_a_minute() {
    let cloud = with_probe(&[SERVED; 6]);
    let report = run(&cloud);
    assert_eq!(calls(&cloud), ["ask", "ask", "ask", "delete", "ask", "ask", "ask"]);
    assert_eq!((report.verdict, report.cut_off.len()), (Verdict::Repaired, 0));
    assert!(report.finished.duration_since(report.started).as_secs() >= 60);
}

#[test]
fn a_route_stays_while_one_answer_of_three_is_missing_or_another() {
    let classes = [ErrorClass::NotFound, ErrorClass::Transient, ErrorClass::Denied];
    let others = [PUBLIC, Ok(ServiceVerdict::Elsewhere), Ok(ServiceVerdict::NoAnswer)];
    for other in classes.map(Err).into_iter().chain(others) {
        for before in 0..3 {
            let mut answers = vec![SERVED; before];
            answers.push(other);
            let cloud = with_probe(&answers);
            let report = run(&cloud);
            assert_eq!(calls(&cloud), vec!["ask"; before + 1], "{other:?}");
            assert_eq!((report.verdict, report.next), (Verdict::DriftLeft, Next::Again));
            assert!(report.look_again.is_some(), "a probe that comes up is asked again");
            assert_eq!(report.undo_script, None);
            let outcome = report.steps.last().unwrap().outcome.to_string();
            let says = "not yet: vpc-guardrail-probe-subnet-pria must see services answer first: ";
            assert!(outcome.starts_with(says), "{outcome}");
        }
    }
}

#[test]
fn a_probe_that_loses_a_service_is_told_as_an_alarm_with_the_undo_first() {
    for (lost_at, lost) in
        [(3, PUBLIC), (4, Ok(ServiceVerdict::NoAnswer)), (5, Err(ErrorClass::Transient))]
    {
        let mut answers = vec![SERVED; lost_at];
        answers.push(lost);
        let cloud = with_probe(&answers);
        at_once(&mut cloud.state.borrow_mut());
        let table = InMemoryTable::default();
        let baseline = cloud.state.borrow().wanted();
        let report = recorded(lived(&cloud, &table, &request(300)));
        assert_eq!(calls(&cloud).len(), lost_at + 2, "the first try that fails is the last");
        assert_eq!(report.cut_off.len(), 1);
        let alert = alert(&report, &baseline);
        assert_eq!(
            alert.subject,
            "VPC guardrail: services cut off after repair vpc-1 eu-central-1 (internet-route)"
        );
        assert_eq!(alert.attributes.get("cut_off"), Some(&Attribute::Text("true".to_owned())));
        assert!(alert.attributes.len() <= 10, "SQS takes no more: {:?}", alert.attributes);
        let places = ["May be cut off", "To undo", "Who", "Found", "Done"]
            .map(|title| alert.text.find(&format!("\n{title}")).unwrap());
        assert!(places.is_sorted(), "{}", alert.text);
        assert_eq!(alert.text.matches("\nTo undo").count(), 1);
    }
}

#[test]
fn without_a_probe_in_the_table_nobody_is_asked() {
    let cloud = Fake::new(|w| probed(w).route("rtb-b", "0.0.0.0/0", "nat-1"));
    let report = run(&cloud);
    assert_eq!((calls(&cloud), report.verdict), (vec!["delete"], Verdict::Repaired));
}

#[test]
fn what_changes_while_a_probe_is_asked_is_seen_before_the_route_goes() {
    let mut cloud = with_probe(&[SERVED; 3]);
    // The first look, the one before the probe is asked, and the one after.
    cloud.script = vec![(3, |w| w.set("vpce-ssm", "PrivateDnsEnabled", json!(false)))];
    let report = run(&cloud);
    assert_eq!(calls(&cloud), ["ask", "ask", "ask"]);
    assert_eq!(report.steps.last().unwrap().outcome, Outcome::TimedOut);
}
