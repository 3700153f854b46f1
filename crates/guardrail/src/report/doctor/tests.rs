use super::*;
use crate::cloud::error_codes::call_error;

fn error(code: &str) -> CallError {
    call_error("DeleteRoute", code, "words")
}

#[test]
fn a_dry_run_that_would_succeed_is_an_error() {
    let state = |answer| permission("ec2:DeleteRoute", &answer).state;
    assert_eq!(state(Err(error("DryRunOperation"))), State::Fine);
    assert_eq!(state(Ok(())), State::Fine);
    assert_eq!(state(Err(error("UnauthorizedOperation"))), State::Missing);
    for code in [
        "InvalidRouteTableID.NotFound",
        "InvalidParameterValue",
        "AuthFailure",
        "RequestLimitExceeded",
        "",
    ] {
        assert_eq!(state(Err(error(code))), State::CannotTell, "{code}");
    }
}

fn field(name: &str, equals: &[&str], not_equals: &[&str]) -> FieldSelector {
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    FieldSelector {
        field: name.to_owned().into(),
        equals: texts(equals),
        not_equals: texts(not_equals),
    }
}

#[test]
fn a_trail_may_log_management_events_and_yet_not_ec2s_writes() {
    let management = field("eventCategory", &["Management"], &[]);
    let with = |more: FieldSelector| Selector::Advanced(vec![management.clone(), more]);
    let table = [
        (true, Selector::Basic { management: true, writes: true }),
        (false, Selector::Basic { management: true, writes: false }),
        (false, Selector::Basic { management: false, writes: true }),
        (true, Selector::Advanced(vec![management.clone()])),
        (true, with(field("readOnly", &["false"], &[]))),
        (false, with(field("readOnly", &["true"], &[]))),
        (true, with(field("eventSource", &[], &["kms.amazonaws.com"]))),
        (false, with(field("eventSource", &[], &["ec2.amazonaws.com"]))),
        (false, with(field("userIdentity.arn", &["arn:aws:iam::111122223333:user/one"], &[]))),
        (false, Selector::Advanced(vec![field("eventCategory", &["Data"], &[])])),
        (false, Selector::Advanced(Vec::new())),
    ];
    for (logs, selector) in table {
        assert_eq!(selector.logs_ec2_writes(), logs, "{selector:?}");
    }
}

#[test]
fn one_good_trail_is_enough_and_an_unread_one_leaves_it_open() {
    let good = Trail {
        name: "good".to_owned(),
        is_logging: Ok(true),
        selectors: Ok(vec![Selector::Basic { management: true, writes: true }]),
    };
    let off = Trail { name: "off".to_owned(), is_logging: Ok(false), ..good.clone() };
    let unread = Trail { selectors: Err(error("AccessDenied")), ..good.clone() };
    let state =
        |trails: &[&Trail]| trail(&Ok(trails.iter().map(|trail| (*trail).clone()).collect())).state;
    assert_eq!(state(&[&off, &unread, &good]), State::Fine);
    assert_eq!(state(&[&off, &unread]), State::CannotTell);
    assert_eq!((state(&[&off]), state(&[])), (State::Wrong, State::Missing));
    assert_eq!(trail(&Err(error("AccessDenied"))).state, State::CannotTell);
}

#[test]
fn a_rule_must_be_enabled_and_call_a_function() {
    let seen = |state: &str, target: &str| {
        let (state, targets) = (Some(state.into()), vec![target.to_owned().into()]);
        rule_states(&Ok(Some(SeenRule { name: "r".to_owned(), state, targets })))
    };
    let function = "arn:aws:lambda:eu-central-1:111122223333:function:detect";
    assert_eq!(seen("ENABLED", function), [State::Fine, State::Fine]);
    assert_eq!(
        seen("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", function),
        [State::Fine, State::Fine]
    );
    assert_eq!(seen("DISABLED", function), [State::Wrong, State::Fine]);
    assert_eq!(seen("SLEEPING", function), [State::CannotTell, State::Fine]);
    let silent = SeenRule { name: "r".to_owned(), state: None, targets: Vec::new() };
    assert_eq!(rule_states(&Ok(Some(silent))), [State::CannotTell, State::Missing]);
    assert_eq!(
        seen("ENABLED", "arn:aws:sqs:eu-central-1:111122223333:q"),
        [State::Fine, State::Missing]
    );
    assert_eq!(rule_states(&Ok(None)), [State::Missing]);
    assert_eq!(rule_states(&Err(error("AccessDenied"))), [State::CannotTell]);
}

#[test]
fn a_state_is_its_word_and_one_that_is_not_known_is_kept() {
    for word in
        ["ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "DISABLED", "SLEEPING", ""]
    {
        assert_eq!(RuleState::from(word).to_string(), word);
    }
    assert_eq!(RuleState::from("SLEEPING"), RuleState::Other("SLEEPING".to_owned()));
}

#[test]
fn what_is_not_known_is_kept_as_it_is() {
    let text = || "arn:aws:sqs:eu-central-1:111122223333:function:x".to_owned();
    assert_eq!(Target::from(text()), Target::Other(text()));
    assert_eq!(Target::from(String::new()), Target::Other(String::new()));
    assert_eq!(Subscription::from("Later".to_owned()), Subscription::Other("Later".to_owned()));
    assert_eq!(Field::from("resources.ARN".to_owned()), Field::Other("resources.ARN".to_owned()));
}

fn rule_states(seen: &Lookup<SeenRule>) -> Vec<State> {
    rule("guard", seen).iter().map(|check| check.state).collect()
}

#[test]
fn a_subscription_counts_once_it_is_confirmed() {
    let subscriptions =
        |arns: &[&str]| arns.iter().map(|arn| Subscription::from((*arn).to_owned())).collect();
    let state = |arns: &[&str]| topic("guard", &Ok(Some(subscriptions(arns)))).state;
    assert_eq!(
        state(&["PendingConfirmation", "arn:aws:sns:eu-central-1:111122223333:t:1"]),
        State::Fine
    );
    assert_eq!(
        (state(&["PendingConfirmation", "Deleted"]), state(&[])),
        (State::Wrong, State::Wrong)
    );
}

#[test]
fn what_is_not_there_is_named_as_it_would_be() {
    let [given_up, ..] = DEAD_LETTERS;
    let missing = dead_letters(given_up, "guard", &Ok(None));
    assert_eq!(
        missing,
        Check::new(
            "no VPCs that were given up",
            State::Missing,
            "nothing here has a name like guard-RepairDeadLetters-…; deploy the stack, or name it with --stack",
        )
    );
    let states =
        [Ok(Some(0)), Ok(Some(2))].map(|seen| dead_letters(given_up, "guard", &seen).state);
    assert_eq!(states, [State::Fine, State::Wrong]);
}

#[test]
fn a_table_is_there_forgets_and_can_be_restored() {
    let of = |expires, is_restorable| {
        let seen = SeenTable { name: "guardrail-history-1".to_owned(), expires, is_restorable };
        let checks = table("guardrail", &Ok(Some(seen)));
        checks.into_iter().map(|check| check.state).collect::<Vec<_>>()
    };
    use State::{CannotTell, Fine, Missing, Wrong};
    assert_eq!(of(Ok(true), Ok(true)), [Fine, Fine, Fine]);
    assert_eq!(of(Ok(false), Ok(false)), [Fine, Wrong, CannotTell]);
    let denied = || Err(error("AccessDeniedException"));
    assert_eq!(of(denied(), denied()), [Fine, CannotTell, CannotTell]);
    let state = |seen| table("guardrail", &seen).into_iter().map(|it| it.state).collect::<Vec<_>>();
    assert_eq!(state(Ok(None)), [Missing]);
    assert_eq!(state(Err(error("AccessDeniedException"))), [CannotTell]);
}
