use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ec2::id::Scope;
use crate::event::decode;
use crate::fixture::Fixture;
use crate::report::Cause;
use crate::run::{RunRequest, preview};

/// What is reported of a NAT route that this caller added with this tool's agent, in the mode
/// given.
fn report(mode: &str, user: &str, agent: &str) -> (Report, Baseline) {
    let mut fixture = Fixture::compliant();
    fixture.route("rtb-a", "0.0.0.0/0", "nat-1").baseline("mode", json!(mode));
    let record = json!({
        "eventName": "CreateRoute", "eventSource": "ec2.amazonaws.com", "eventID": "e-1", "eventTime": "2026-09-14T08:31:07Z",
        "userIdentity": {"type": "IAMUser", "userName": user}, "userAgent": agent, "sourceIPAddress": "203.0.113.24",
    });
    let scope = Scope {
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        vpc: crate::fixture::vpc(),
    };
    let request = RunRequest {
        scope,
        cause: Cause::Event,
        evidence: vec![decode(&record).unwrap()],
        run_id: "run-1".to_owned(),
        incident: "e-1".to_owned(),
        deadline: Timestamp::MAX,
    };
    let baseline = fixture.wanted();
    (preview(&baseline, &fixture.world(), &request, Timestamp::UNIX_EPOCH), baseline)
}

#[test]
fn an_alert_says_who_what_why_and_what_to_do() {
    let (report, baseline) = report("notify", "ops", "APN/1.0 HashiCorp/1.0 Terraform/1.13.5");
    let alert = alert(&report, &baseline);
    assert_eq!(alert.subject, "VPC guardrail: drift found vpc-1 eu-central-1 (internet-route)");
    let script = report.script.as_deref().unwrap();
    assert!(alert.text.contains(script), "{}", alert.text);
    assert_eq!(
        alert.text.replace(script, "( … )\n"),
        "VPC vpc-1 in account 111122223333, eu-central-1: not on its baseline; nothing was changed. Its name is \"shop\".\n\
         \nWho\n\
         \x20 CreateRoute by \"ops\" (user agent: \"terraform\") from 203.0.113.24 at 2026-09-14T08:31:07Z\n\
         \nFound\n\
         \x20 - internet-route: rtb-a: 0.0.0.0/0 → nat-1 leads to the internet through public NAT gateway nat-1, for private \
         subnet-pria\n\
         \nWould be done (the mode is notify: nothing was changed)\n\
         \x20 1. delete the route 0.0.0.0/0 → nat-1 from rtb-a\n\
         \nWhat this moves or cuts off\n\
         \x20 - not covered by an endpoint here, and not reached without the route: ecr.api, ecr.dkr, sts, logs, \
         monitoring, events, kms, secretsmanager, ec2, autoscaling, elasticloadbalancing, eks, eks-auth, ecs, ecs-agent, \
         lambda, sqs, sns, cloudformation\n\
         \x20 - resource policies that allow the addresses of nat-1 (not read) by aws:SourceIp stop matching: allow the VPC \
         by aws:SourceVpc too\n\
         \x20 - open connections that go that way now break\n\
         \x20 - buckets in other Regions are not reached through S3's endpoint\n\
         \x20 - not looked at: whether clients' own security groups let TCP 443 out to the endpoints\n\
         \nTo exempt\n\
         \x20 this VPC: aws ec2 delete-tags --resources vpc-1 --tags 'Key=vpc-guardrail' --region eu-central-1\n\
         \x20 a subnet: take away the tag that makes it private (`guardrail explain` names it)\n\
         \x20 until a day, with a reason: guardrail exempt rtb-a --rule internet-route --until 1970-01-31 --reason '…'\n\
         \x20 a rule: \"rules\": { \"internet-route\": { \"mode\": \"observe\" } } in the baseline\n\
         \nTo fix it for good\n\
         \x20 CreateRoute came through Terraform, as its user agent says (\"ops\"): change it in that code, or the next run of it brings the fault back.\n\
         \nTo do it by hand\n\
         \x20 before each deletion it looks again at route and endpoints, not at policies, security groups, network ACLs \
         and DHCP options\n\
         \x20 paste all of it, both parentheses included, into a POSIX shell:\n\
         \n( … )\n\
         \nRun run-1, 1970-01-01T00:00:00Z to 1970-01-01T00:00:00Z.\n"
    );
    let expected = [
        ("account", "111122223333"),
        ("cause", "event"),
        ("changed", "false"),
        ("exempted", "false"),
        ("left", "false"),
        ("mode", "notify"),
        ("region", "eu-central-1"),
        ("verdict", "drift-left"),
        ("vpc", "vpc-1"),
    ];
    let expected =
        expected.into_iter().map(|(name, value)| (name.to_owned(), Attribute::of(value)));
    let rules = ("rules".to_owned(), Attribute::List(vec!["internet-route".to_owned()]));
    assert_eq!(alert.attributes, expected.chain([rules]).collect());
    assert_eq!(serde_json::from_str::<Report>(&alert.json).unwrap(), report);
}

#[test]
fn what_has_ended_is_told_with_since_when_and_for_how_long_it_was() {
    let (report, baseline) = report("repair", "ops", "aws-cli/2");
    let gone = crate::report::Ended {
        rule: crate::baseline::RuleId::InternetRoute,
        summary: "rtb-a: 0.0.0.0/0 leads out".to_owned(),
        since: Timestamp::UNIX_EPOCH,
    };
    let back = Report {
        verdict: Verdict::Compliant,
        findings: Vec::new(),
        steps: Vec::new(),
        evidence: Vec::new(),
        script: None,
        costs: Vec::new(),
        advice: None,
        ended: vec![gone],
        was_off_for_seconds: Some(4_800),
        ..report
    };
    let told = alert(&back, &baseline);
    assert_eq!(told.subject, "VPC guardrail: back on its baseline vpc-1 eu-central-1");
    let expected = "VPC vpc-1 in account 111122223333, eu-central-1: back on its baseline after 1 h 20 min. Its name \
         is \"shop\".\n\
         \nEnded\n\
         \x20 - internet-route: rtb-a: 0.0.0.0/0 leads out [since 1970-01-01T00:00:00Z]\n\
         \nWho\n\
         \x20 no recorded call led to this run (event)\n\
         \nRun run-1, 1970-01-01T00:00:00Z to 1970-01-01T00:00:00Z.\n";
    assert_eq!(told.text, expected);
    let still = Report { was_off_for_seconds: None, verdict: Verdict::DriftLeft, ..back };
    let text = alert(&still, &baseline).text;
    assert!(text.contains("\nEnded\n") && !text.contains("after 1 h"), "{text}");
}

#[test]
fn what_was_changed_and_not_recorded_is_said_first() {
    let (mut report, baseline) = report("repair", "ops", "aws-cli/2");
    report.notes_error = Some(crate::cloud::CallError {
        operation: "TransactWriteItems".to_owned(),
        class: crate::cloud::ErrorClass::Transient,
        code: None,
        message: "time out".to_owned(),
    });
    let nothing_done = alert(&report, &baseline);
    assert!(!nothing_done.subject.contains("not recorded"), "{}", nothing_done.subject);
    let left = "what runs do could not be recorded, so nothing is changed: TransactWriteItems";
    assert!(nothing_done.text.contains(left), "{}", nothing_done.text);
    report.steps[0].outcome = Outcome::Done(Applied::Done);
    let told = alert(&report, &baseline);
    let subject =
        "VPC guardrail: changed, drift left, not recorded vpc-1 eu-central-1 (internet-route)";
    assert_eq!(told.subject, subject);
    let second = told.text.lines().nth(1).unwrap();
    let expected =
        "Not recorded: TransactWriteItems: \"time out\"; the next run closes the record.";
    assert_eq!(second, expected);
}

#[test]
fn what_a_caller_typed_forges_no_line() {
    let (report, baseline) =
        report("notify", "eve\n\nDone\n  1. all is well\r\u{7}", "aws-cli/2.17");
    let text = alert(&report, &baseline).text;
    assert!(text.contains("by \"eve  Done   1. all is well  \" (user agent: \"cli\")"), "{text}");
    assert!(!text.contains("\nDone"), "{text}");
}

/// Nobody is told to change his code because somebody sent a message that says so.
#[test]
fn what_a_sender_claims_is_no_advice() {
    let (mut report, baseline) = report("notify", "ops", "Terraform/1.13.5");
    let wanted = "\nTo fix it for good\n";
    assert!(alert(&report, &baseline).text.contains(wanted));
    report.evidence[0].claimed_by = Some("AIDAIOSFODNN7EXAMPLE".to_owned());
    let text = alert(&report, &baseline).text;
    assert!(!text.contains(wanted), "{text}");
    let who =
        "\n  claimed by AIDAIOSFODNN7EXAMPLE: CreateRoute by \"ops\" (user agent: \"terraform\")";
    assert!(text.contains(who), "{text}");
}

/// The subject, the verdict, what was found, and the lists of steps, when steps came to this.
fn came_to(outcomes: &[Outcome], repaired: bool) -> (String, String, String, Vec<String>) {
    let (mut report, baseline) = report("repair", "ops", "aws-cli/2.17");
    report.findings[0].repaired = repaired;
    report.verdict = if repaired { Verdict::Repaired } else { Verdict::DriftLeft };
    let step = report.steps.remove(0);
    report.steps = outcomes
        .iter()
        .map(|outcome| StepReport { outcome: outcome.clone(), ..step.clone() })
        .collect();
    let subject = subject(&report);
    let text = text(&report, &baseline);
    let (what, _) = subject.strip_prefix("VPC guardrail: ").unwrap().split_once(" vpc-1").unwrap();
    let verdict = text.split(": ").nth(1).unwrap().split(". ").next().unwrap().to_owned();
    let found = text.lines().find(|line| line.starts_with("  - internet-route")).unwrap();
    let mark = found.rsplit_once("subnet-pria").unwrap().1.trim().to_owned();
    let is_of_steps = |line: &&str| {
        line.ends_with("one") || line.starts_with("  1. ") || line.starts_with("Would")
    };
    let steps = text.lines().filter(is_of_steps);
    let steps = steps.map(|line| line.replace(&step.summary, "…").trim().to_owned()).collect();
    (what.to_owned(), verdict, mark, steps)
}

#[test]
fn done_is_said_only_of_what_was_done() {
    use crate::cloud::Applied;
    let say = |what: &str, verdict: &str, mark: &str, steps: &[&str]| {
        let steps = steps.iter().map(|step| (*step).to_owned()).collect();
        (what.to_owned(), verdict.to_owned(), mark.to_owned(), steps)
    };
    let (done, late) = (Outcome::Done(Applied::Done), Outcome::TimedOut);
    assert_eq!(
        came_to(&[done.clone(), late.clone()], true),
        say(
            "repaired",
            "back on its baseline",
            "[repaired]",
            &["Done", "1. …: done", "Not done", "1. …: not yet; the next run goes on"]
        )
    );
    assert_eq!(
        came_to(&[done], false),
        say(
            "changed, drift left",
            "not on its baseline after the changes below; the rest needs you",
            "[still so]",
            &["Done", "1. …: done"]
        )
    );
    assert_eq!(
        came_to(&[late], false),
        say(
            "drift found",
            "not on its baseline; nothing could be changed, it needs you",
            "",
            &["Not done", "1. …: not yet; the next run goes on"]
        )
    );
    assert_eq!(
        came_to(&[Outcome::Done(Applied::Already)], true),
        say(
            "back on its baseline",
            "back on its baseline",
            "[gone]",
            &["Not done", "1. …: was so already"]
        )
    );
}

/// The plan with its outcomes, and the lines that exempt, of a NAT route and a missing endpoint.
fn planned_with(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> (Vec<String>, String) {
    let mut fixture = Fixture::compliant();
    edit(fixture.route("rtb-a", "0.0.0.0/0", "nat-1").remove("vpce-s3"));
    let baseline = fixture.wanted();
    let request = RunRequest {
        scope: Scope {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            vpc: crate::fixture::vpc(),
        },
        cause: Cause::Operator,
        evidence: Vec::new(),
        run_id: "run-1".to_owned(),
        incident: "e-1".to_owned(),
        deadline: Timestamp::MAX,
    };
    let report = preview(&baseline, &fixture.world(), &request, Timestamp::UNIX_EPOCH);
    let mut steps = String::new();
    super::steps(&mut steps, &report);
    let mut exempt = String::new();
    super::exempt(&mut exempt, &report, &baseline);
    let rule = exempt.lines().find_map(|line| line.strip_prefix("  a rule: ")).unwrap();
    let steps = steps.lines().filter(|line| !line.is_empty());
    (steps.map(|line| line.trim().to_owned()).collect(), rule.to_owned())
}

const CREATE: &str =
    "1. create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-a, rtb-b";
const AWAIT: &str = "2. wait until the endpoint for com.amazonaws.eu-central-1.s3 is available";
const DELETE: &str = "3. delete the route 0.0.0.0/0 → nat-1 from rtb-a";

#[test]
fn a_plan_says_of_each_step_that_would_not_be_taken_why() {
    let plan = |edit: fn(&mut Fixture) -> &mut Fixture| planned_with(edit).0;
    assert_eq!(plan(|w| w), ["Would be done", CREATE, AWAIT, DELETE]);
    let mode = |w: &mut Fixture, mode: &str| {
        w.baseline("mode", json!(mode));
    };
    let notified = planned_with(|w| {
        mode(w, "notify");
        w
    });
    assert_eq!(
        notified.0,
        ["Would be done (the mode is notify: nothing was changed)", CREATE, AWAIT, DELETE]
    );
    assert_eq!(
        plan(|w| w.baseline("rules", json!({"internet-route": {"mode": "notify"}}))),
        ["Would be done", CREATE, AWAIT, &format!("{DELETE}: not taken: the mode is notify")]
    );
    assert_eq!(
        plan(|w| w.baseline("limits", json!({"changes": 1}))),
        [
            "Would be done",
            CREATE,
            AWAIT,
            &format!("{DELETE}: left for the next run: the limit of changes is reached")
        ]
    );
}

#[test]
fn what_exempts_is_a_baseline_in_which_the_rules_do_less() {
    for (mode, less) in [
        (Mode::Repair, Mode::Notify),
        (Mode::Notify, Mode::Observe),
        (Mode::Observe, Mode::Observe),
    ] {
        let (_, rule) = planned_with(|w| w.baseline("mode", json!(mode)));
        let rules = rule.strip_suffix(" in the baseline").unwrap();
        let json = format!("{{ \"version\": 1, \"mode\": \"{mode}\", {rules} }}");
        let baseline = Baseline::parse(&json).unwrap();
        for rule in
            [crate::baseline::RuleId::GatewayEndpoint, crate::baseline::RuleId::InternetRoute]
        {
            assert_eq!(baseline.mode_of(rule), less, "{json}");
        }
    }
}

#[test]
fn a_report_of_any_length_fits_into_one_message() {
    let (mut report, baseline) = report("notify", "ops", "aws-cli/2.17");
    let (evidence, found, step) =
        (report.evidence.remove(0), report.findings.remove(0), report.steps.remove(0));
    for many in [1, 100, 10_000] {
        report.evidence = vec![evidence.clone(); many];
        report.findings = vec![found.clone(); many];
        report.steps = vec![step.clone(); many];
        let alert = alert(&report, &baseline);
        let message =
            json!({ "default": alert.json, "email": alert.text, "sms": alert.subject }).to_string();
        assert!(message.len() < 262_144, "{many}: {}", message.len());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&alert.json).unwrap()["run_id"],
            "run-1"
        );
    }
}

/// A script that is cut is worse than none.
#[test]
fn a_script_stands_in_an_alert_whole_or_not_at_all() {
    let (mut report, baseline) = report("notify", "ops", "aws-cli/2.17");
    let lines = |text: String| -> Vec<String> {
        let of_interest = |line: &&str| line.starts_with('(') || line.contains("script");
        text.lines().filter(of_interest).map(str::to_owned).collect()
    };
    let long = || Some(format!("( set -eu\n{}\n)\n", "x".repeat(TEXT_LIMIT)));
    (report.script, report.undo_script) = (long(), long());
    assert_eq!(
        lines(alert(&report, &baseline).text),
        [
            "  `undo_script` of the report, in the function's log or as JSON, is for a shell",
            "  `guardrail plan --script` prints a script for a shell",
        ]
    );
    (report.script, report.undo_script) =
        (Some("( a\n)\n".to_owned()), Some("( b\n)\n".to_owned()));
    assert_eq!(lines(alert(&report, &baseline).text), ["( b", "( a"]);
}

proptest! {
    /// SNS refuses a subject of 100 characters, with a line break or a control character: there
    /// would be no alert.
    #[test]
    fn the_subject_is_one_sns_takes(name in ".{0,200}", user in any::<String>()) {
        let (mut report, _) = report("notify", &user, "");
        report.vpc_name = Some(name);
        let subject = subject(&report);
        prop_assert!((1..=99).contains(&subject.len()));
        prop_assert!(subject.bytes().all(|b| b.is_ascii_graphic() || b == b' '), "{subject:?}");
    }

    #[test]
    fn printable_is_short_and_ascii_whatever_comes_in(text in any::<String>()) {
        let printed = printable(&text, 99);
        prop_assert!(printed.len() <= 99 && printed.bytes().all(|b| b.is_ascii_graphic() || b == b' '));
    }
}
