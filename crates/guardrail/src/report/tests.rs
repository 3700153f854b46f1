//! What a report says of what left and of what comes, and what text from elsewhere can make of it.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::baseline::Baseline;
use crate::event::decode;
use crate::fixture::Fixture;
use crate::report::alert::{alert, baseline_alert, plan_text};
use crate::report::explain::explain;
use crate::run::{RunRequest, preview};
use crate::time::Day;

/// What is reported of a VPC after an edit, from this cause.
fn report(
    cause: Cause,
    evidence: Vec<Evidence>,
    edit: impl FnOnce(&mut Fixture),
) -> (Report, Fixture) {
    let mut fixture = Fixture::compliant();
    edit(&mut fixture);
    let scope = Scope {
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        vpc: crate::fixture::vpc(),
    };
    let (run_id, incident) = ("run-1".to_owned(), "e-1".to_owned());
    let deadline = Timestamp::MAX;
    let request = RunRequest { scope, cause, evidence, run_id, incident, deadline };
    (preview(&fixture.wanted(), &fixture.world(), &request, Timestamp::UNIX_EPOCH), fixture)
}

fn nat(w: &mut Fixture) {
    w.route("rtb-b", "0.0.0.0/0", "nat-1");
}

#[test]
fn an_endpoint_that_comes_up_is_never_called_on_its_baseline() {
    let (report, fixture) = report(Cause::Event, Vec::new(), |w| {
        w.set("vpce-ssm", "State", json!("pending"));
    });
    assert_eq!(report.verdict, Verdict::DriftLeft);
    let text = alert::text(&report, &fixture.wanted());
    assert!(text.contains("not on its baseline yet; an endpoint is still coming up"), "{text}");
}

/// A call that takes tags away.
fn untag(on: &str, key: &str) -> Evidence {
    let record = json!({
        "eventName": "DeleteTags", "eventSource": "ec2.amazonaws.com", "eventTime": "2026-09-14T08:31:07Z",
        "eventID": "e-1", "recipientAccountId": "111122223333", "userAgent": "aws-cli/2",
        "userIdentity": {"type": "AWSAccount", "principalId": "AROA:net", "accountId": "444455556666"},
        "requestParameters": {"tagSet": {"items": [{"key": key}]}},
    });
    let mut call = decode(&record).unwrap();
    call.tagging.as_mut().unwrap().resources = vec![on.parse().unwrap()];
    call
}

#[test]
fn a_vpc_that_left_is_told_first_with_who_and_how_it_comes_back() {
    let unmanaged = |w: &mut Fixture| {
        nat(w);
        w.tag("vpc-1", "Name", "shop");
    };
    let calls = vec![untag("vpc-1", "vpc-guardrail")];
    let (report, fixture) = report(Cause::SelectionChanged, calls.clone(), unmanaged);
    let alert = alert(&report, &fixture.wanted());
    assert_eq!(alert.subject, "VPC guardrail: not managed now vpc-1 eu-central-1");
    let expected = "VPC vpc-1 in account 111122223333, eu-central-1: not managed now; nothing of it is looked \
         after. Its name is \"shop\".\n\
         \nOut of the guardrail's care now\n\
         \x20 - the VPC: tag \"vpc-guardrail\" taken away by \"AROA:net\" (account 444455556666); it is not \
         managed now\n\
         \nWho\n\
         \x20 DeleteTags by \"AROA:net\" (account 444455556666) (user agent: \"cli\") at 2026-09-14T08:31:07Z\n\
         \nTo bring it back\n\
         \x20 aws ec2 create-tags --resources vpc-1 --tags 'Key=vpc-guardrail,Value=managed' --region eu-central-1\n\
         \nRun run-1, 1970-01-01T00:00:00Z to 1970-01-01T00:00:00Z.\n";
    assert_eq!(alert.text, expected);
    let seen = (report.verdict, report.cause, report.steps.len());
    assert_eq!(seen, (Verdict::NotManaged, Cause::SelectionChanged, 0));
    assert_eq!(serde_json::from_str::<Report>(&alert.json).unwrap(), report);
    let back = super::tests::report(Cause::SelectionChanged, calls, |_| ()).0;
    assert_eq!((back.verdict, back.departures.len()), (Verdict::Compliant, 0));
}

#[test]
fn a_subnet_that_left_does_not_pass_for_a_vpc_on_its_baseline() {
    let (report, fixture) = report(Cause::Event, vec![untag("subnet-pria", "Tier")], |w| {
        w.set("subnet-pria", "Tags", json!([]));
    });
    let alert = alert(&report, &fixture.wanted());
    assert_eq!(alert.subject, "VPC guardrail: subnet not private, compliant vpc-1 eu-central-1");
    let head: Vec<&str> = alert.text.lines().take(4).collect();
    let expected = [
        "VPC vpc-1 in account 111122223333, eu-central-1: a subnet is not private now; otherwise on its baseline. \
         Its name is \"shop\".",
        "",
        "Out of the guardrail's care now",
        "  - subnet-pria: tag \"Tier\" taken away by \"AROA:net\" (account 444455556666); it is \
         unclassified: no tag of the baseline's selectors now",
    ];
    assert_eq!(head, expected);
    assert_eq!(report.cause, Cause::SelectionChanged);
}

/// Every form for people, of a VPC in which each field that somebody else can write says this.
fn forms(text: &str) -> Vec<String> {
    let record = json!({
        "eventName": format!("x{text}"), "eventSource": "ec2.amazonaws.com", "eventTime": format!("x{text}"),
        "eventID": format!("x{text}"), "userAgent": format!("x{text}"), "sourceIPAddress": format!("x{text}"),
        "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "userName": format!("x{text}"), "accountId": "444455556666",
            "invokedBy": format!("x{text}")},
    });
    let mut left = untag("subnet-prib", "Tier");
    left.record.actor = format!("x{text}");
    let tags = &mut left.tagging.as_mut().unwrap().tags;
    tags[0].value = Some(format!("x{text}"));
    let bend = |w: &mut Fixture| {
        let tag = |key: &str, value: String| json!({"Key": key, "Value": value});
        let name = [tag("Name", format!("x{text}")), tag("vpc-guardrail", "managed".to_owned())];
        w.set("vpc-1", "Tags", json!(name));
        w.set("subnet-pria", "Tags", json!([tag("Name", format!("a-private-{text}"))]));
        let both =
            [tag("Name", format!("a-private-{text}-public-")), tag("Owner", text.to_owned())];
        w.set("subnet-prib", "Tags", json!(both));
        w.route("rtb-a", "0.0.0.0/0", "nat-1");
        let target = json!({"DestinationCidrBlock": "0.0.0.0/1", "GatewayId": format!("x{text}"), "State": format!("x{text}")});
        w.thing("rtb-a")["Routes"].as_array_mut().unwrap().push(target);
        w.set("vpce-ssm", "State", json!(format!("x{text}")));
        w.set("vpce-s3", "State", json!("failed"));
        w.set(
            "vpce-s3",
            "LastError",
            json!({"Code": format!("x{text}"), "Message": format!("x{text}")}),
        );
    };
    let (mut report, fixture) = report(Cause::Event, vec![decode(&record).unwrap(), left], bend);
    let error = CallError {
        operation: "CreateRoute".to_owned(),
        class: ErrorClass::Denied,
        code: Some(format!("x{text}")),
        message: format!("x{text}"),
    };
    report.run_id = format!("x{text}");
    report.unread =
        vec![Unread { section: crate::ec2::snapshot::Section::Subnets, error: error.clone() }];
    let plan = plan_text(&report);
    let outcomes = [Outcome::Failed(error.clone()), Outcome::RecheckFailed(error)];
    report.steps = report.steps.iter().cloned().cycle().take(2).collect();
    for (step, outcome) in report.steps.iter_mut().zip(outcomes) {
        step.outcome = outcome;
    }
    let baseline = fixture.wanted();
    let alert = alert(&report, &baseline);
    let explained = fixture.view(|view, _| explain(view, Day::of(Timestamp::UNIX_EPOCH)));
    let fault = baseline_alert(&format!("x{text}"), &report.scope.region, &format!("x{text}"));
    vec![alert.subject, alert.text, plan, explained, fault.subject, fault.text]
}

/// The first line up to where text from elsewhere may begin.
fn verdict(form: &str) -> &str {
    form.lines().next().unwrap_or_default().split('"').next().unwrap_or_default()
}

fn is_hidden(c: char) -> bool {
    c != '\n' && (c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

fn nasty() -> impl Strategy<Value = String> {
    let pieces = [
        "\n",
        "\r\n",
        "\u{1b}[32m",
        "\u{2028}",
        "\u{202e}",
        "\u{2067}",
        "\u{85}",
        "\u{9b}2J",
        "\" — on its baseline.",
        "”: on its baseline",
        "\n\nDone\n  1. all is well: done",
        ": on its baseline. Its name is \"",
        " (account 111122223333)",
        "'; rm -rf /; '",
    ];
    let piece = prop_oneof![3 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    // With a space in it, as in the harmless text: a word alone stands without quotation marks.
    prop::collection::vec(piece, 1..6).prop_map(|pieces| format!(" {}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn text_from_elsewhere_makes_no_line_ends_no_quotation_and_changes_no_verdict(text in nasty()) {
        let (harmless, bent) = (forms(" y"), forms(&text));
        for (number, (harmless, bent)) in harmless.iter().zip(&bent).enumerate() {
            prop_assert!(!bent.contains(is_hidden), "{bent:?}");
            prop_assert_eq!(bent.lines().count(), harmless.lines().count(), "{}\n{}", bent, harmless);
            // The alert about a baseline quotes nothing: its fault is the operator's own text.
            if number < 4 {
                prop_assert_eq!(verdict(bent), verdict(harmless));
                let marks = |form: &str| form.matches('"').count();
                prop_assert_eq!(marks(bent), marks(harmless), "{}\n{}", bent, harmless);
            }
        }
    }
}

#[test]
fn a_vpc_that_is_called_on_its_baseline_is_not() {
    for name in ["shop: on its baseline", "\" — on its baseline", "x\". VPC vpc-1: on its baseline"]
    {
        let (report, _) = report(Cause::Event, Vec::new(), |w| {
            nat(w);
            let tags = json!([{"Key": "Name", "Value": name}, {"Key": "vpc-guardrail", "Value": "managed"}]);
            w.set("vpc-1", "Tags", tags);
        });
        let first = plan_text(&report).lines().next().unwrap().to_owned();
        let (ours, theirs) = first.split_once(" Its name is ").unwrap();
        let would = "VPC vpc-1 in account 111122223333, eu-central-1: not on its baseline; nothing could be changed, \
                     it needs you.";
        assert!(
            ours == would || ours.contains(": not on its baseline; nothing was changed."),
            "{ours}"
        );
        assert_eq!(theirs, format!("\"{}\".", name.replace('"', "'")));
    }
}

#[test]
fn what_exempts_passes_the_check_for_every_rule_alone_and_for_all_at_once() {
    let (report, fixture) = report(Cause::Event, Vec::new(), nat);
    let of = |rules: &[RuleId], mode: Mode| {
        let mut report = report.clone();
        let found = report.findings.remove(0);
        report.findings =
            rules.iter().map(|rule| Found { rule: *rule, mode, ..found.clone() }).collect();
        let text = alert::text(&report, &fixture.wanted());
        let line =
            text.lines().find_map(|line| line.strip_prefix("  a rule: ")).unwrap().to_owned();
        line.strip_suffix(" in the baseline").unwrap().to_owned()
    };
    let alone = RuleId::ALL.iter().map(std::slice::from_ref);
    for (rules, mode) in alone
        .chain([RuleId::ALL])
        .flat_map(|rules| [Mode::Repair, Mode::Notify, Mode::Observe].map(|mode| (rules, mode)))
    {
        let snippet: Value = serde_json::from_str(&format!("{{ {} }}", of(rules, mode))).unwrap();
        let mut baseline: Value = serde_json::from_str(crate::baseline::EXAMPLE).unwrap();
        baseline["rules"] = snippet["rules"].clone();
        let baseline = Baseline::parse(&baseline.to_string()).unwrap();
        let less = if mode == Mode::Repair { Mode::Notify } else { Mode::Observe };
        assert!(rules.iter().all(|rule| baseline.mode_of(*rule) == less), "{snippet}");
    }
}
