//! What stands in all VPCs, once a day.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::summary::{alert_of, attributes, list_command, number, paragraph, time};
use super::{Alert, JSON_LIMIT, lapses};
use crate::ec2::id::Place;
use crate::history::digest::StandingVpc;
use crate::history::{ExemptedStanding, Standing};
use crate::shown::{self, filled, one_line, quoted};
use crate::time::Day;

/// How long the list may become, in bytes: a reader finds what is worst at its beginning.
const LIST_LIMIT: usize = 20_000;

/// How much of one finding is told, in characters.
const FINDING_LIMIT: usize = 300;

/// How many findings of one VPC are told.
const OF_A_VPC: usize = 10;

/// More findings than these are too long as data, each being a line.
const IN_DATA: usize = 1_500;

/// The digest of what stands, the worst first; `None` when nothing does. Of so many VPCs what stands
/// could not be read.
pub fn digest(
    id: &str,
    standing: &[StandingVpc],
    unreadable: usize,
    place: &Place,
    stack: &str,
    today: Day,
) -> Option<Alert> {
    let all_exempted = || standing.iter().flat_map(|vpc| &vpc.exempted);
    let lapses = all_exempted().any(|it| it.lapses_soon(today));
    if findings(standing) == 0 && unreadable == 0 && !lapses {
        return None;
    }
    let all = number(findings(standing), "finding", "findings");
    let vpcs = number(with_findings(standing), "VPC", "VPCs");
    let subject = format!("VPC guardrail: {all} in {vpcs}, once a day, {}", place.region);
    let mut text = String::new();
    let what = format!(
        "What stands: {all} in {vpcs} of account {}, {}. What is new is told when it happens; this \
         is what is left.",
        place.account, place.region
    );
    paragraph(&mut text, &what);
    if let exempted @ 1.. = all_exempted().count() {
        let exempted = number(exempted, "exempted finding stands", "exempted findings stand");
        let _ = writeln!(text, "{exempted} beside that, until the exemption lapses.");
    }
    if unreadable > 0 {
        let of = number(unreadable, "VPC", "VPCs");
        let _ = writeln!(text, "The state of {of} cannot be read from the table: see the log.");
    }
    let mut left = standing;
    while let [vpc, rest @ ..] = left {
        if text.len() > LIST_LIMIT {
            break;
        }
        told_of(&mut text, vpc, today);
        left = rest;
    }
    if !left.is_empty() {
        let (vpcs, all) =
            (number(left.len(), "VPC", "VPCs"), number(findings(left), "finding", "findings"));
        let _ = writeln!(text, "\nand {vpcs} more, with {all}");
    }
    let command = list_command(stack);
    let _ = writeln!(text, "\nAll of it, run by run\n  {command}\n\nThis is {}.", one_line(id));
    let json = as_json(id, standing, unreadable, place, &command);
    Some(alert_of(&subject, text, &json, attributes(place, "digest")))
}

fn findings(of: &[StandingVpc]) -> usize {
    of.iter().map(|vpc| vpc.findings.len()).sum()
}

fn with_findings(of: &[StandingVpc]) -> usize {
    of.iter().filter(|vpc| !vpc.findings.is_empty()).count()
}

fn told_of(text: &mut String, vpc: &StandingVpc, today: Day) {
    let looked = match vpc.looked {
        Some(looked) => format!("last looked at {}", time(looked)),
        None => "no look has come to its end".to_owned(),
    };
    let _ = writeln!(text, "\n{}, {looked}", vpc.vpc);
    for finding in vpc.findings.iter().take(OF_A_VPC) {
        let _ = writeln!(text, "  - {} since {}", finding.rule, time(finding.since));
        for line in filled(&short(&finding.summary), 4) {
            let _ = writeln!(text, "{line}");
        }
    }
    if let Some(more) = vpc.findings.len().checked_sub(OF_A_VPC).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more");
    }
    for exempted in vpc.exempted.iter().take(OF_A_VPC) {
        let ExemptedStanding { rule, until, exemption, set_by, .. } = exempted;
        let _ = writeln!(text, "  - exempted until {until}{}: {rule}", lapses(today, *until));
        let set_by = set_by.as_ref().map(|who| format!(", set by {}", quoted(who)));
        let by = format!("by {exemption}{}", set_by.unwrap_or_default());
        for line in filled(&short(&exempted.summary), 4).into_iter().chain(filled(&by, 4)) {
            let _ = writeln!(text, "{line}");
        }
    }
    if let Some(more) = vpc.exempted.len().checked_sub(OF_A_VPC).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more exempted");
    }
}

fn short(summary: &str) -> String {
    let mut shown: String = one_line(summary).chars().take(FINDING_LIMIT).collect();
    if summary.chars().nth(FINDING_LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

/// The digest as data: with every finding where that is not too long, else with their numbers.
fn as_json(
    id: &str,
    standing: &[StandingVpc],
    unreadable: usize,
    place: &Place,
    command: &str,
) -> Value {
    let of = |vpcs: Option<Vec<Value>>| {
        json!({
            "version": 1, "verdict": "digest", "digest": id, "account": place.account,
            "region": place.region, "findings": findings(standing), "vpcs": with_findings(standing),
            "exempted": standing.iter().map(|vpc| vpc.exempted.len()).sum::<usize>(),
            "unreadable": unreadable, "standing": vpcs, "command": command,
        })
    };
    if standing.iter().map(|vpc| vpc.findings.len() + vpc.exempted.len()).sum::<usize>() > IN_DATA {
        return of(None);
    }
    let whole = of(Some(standing.iter().map(vpc_as_json).collect()));
    if shown::json(&whole).len() <= JSON_LIMIT { whole } else { of(None) }
}

fn vpc_as_json(vpc: &StandingVpc) -> Value {
    let finding = |standing: &Standing| -> Value {
        let since: Timestamp = standing.since;
        json!({ "rule": standing.rule, "since": since, "summary": short(&standing.summary) })
    };
    let exempted = |of: &ExemptedStanding| -> Value {
        json!({ "rule": of.rule, "since": of.since, "until": of.until, "summary": short(&of.summary),
            "exemption": one_line(&of.exemption), "set_by": of.set_by })
    };
    let exempted: Vec<Value> = vpc.exempted.iter().map(exempted).collect();
    let findings: Vec<Value> = vpc.findings.iter().map(finding).collect();
    json!({ "vpc": vpc.vpc, "looked": vpc.looked, "findings": findings, "exempted": exempted })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::RuleId;
    use crate::report::alert::summary::tests::place;

    fn vpc(name: &str, findings: usize, summary: &str) -> StandingVpc {
        let finding = |at: usize| Standing {
            rule: RuleId::InternetRoute,
            fingerprint: at.to_string(),
            summary: summary.to_owned(),
            since: "2026-09-12T08:31:07Z".parse().unwrap(),
            told: true,
        };
        StandingVpc {
            vpc: name.parse().unwrap(),
            looked: Some("2026-09-14T06:59:00Z".parse().unwrap()),
            findings: (0..findings).map(finding).collect(),
            exempted: Vec::new(),
        }
    }

    fn today() -> Day {
        "2026-09-14".parse().unwrap()
    }

    fn exempted_until(day: &str) -> StandingVpc {
        let exempted = ExemptedStanding {
            rule: RuleId::InternetRoute,
            fingerprint: "e".to_owned(),
            summary: ROUTE.to_owned(),
            since: "2026-09-01T00:00:00Z".parse().unwrap(),
            until: day.parse().unwrap(),
            exemption: "the tag on rtb-0a1b2c3d4e5f60011: \"moving house\"".to_owned(),
            set_by: Some("ops".to_owned()),
            lapse_told: false,
        };
        StandingVpc { exempted: vec![exempted], ..vpc("vpc-3", 0, "") }
    }

    /// What is exempted alone is no reason for a message a day; its lapse is.
    #[test]
    fn what_is_exempted_is_told_with_what_stands_and_when_it_lapses_soon() {
        let of = |standing: &[StandingVpc]| digest("d", standing, 0, &place(), "s", today());
        assert_eq!(of(&[exempted_until("2026-09-22")]), None);
        let soon = of(&[exempted_until("2026-09-21")]).unwrap();
        assert_eq!(soon.subject, "VPC guardrail: 0 findings in 0 VPCs, once a day, eu-central-1");
        let told = "1 exempted finding stands beside that, until the exemption lapses.\n\n\
                    vpc-3, last looked at 2026-09-14 06:59 UTC\n\
                    \x20 - exempted until 2026-09-21 (it lapses in 7 days): internet-route\n\
                    \x20   rtb-0a1b2c3d4e5f60011: 0.0.0.0/0 → nat-0a1b2c3d4e5f60001 leads to the\n\
                    \x20     internet through public NAT gateway nat-0a1b2c3d4e5f60001\n\
                    \x20   by the tag on rtb-0a1b2c3d4e5f60011: \"moving house\", set by \"ops\"\n";
        assert!(soon.text.contains(told), "{}", soon.text);
        let both = of(&[vpc("vpc-1", 1, ROUTE), exempted_until("2026-12-01")]).unwrap();
        assert_eq!(both.subject, "VPC guardrail: 1 finding in 1 VPC, once a day, eu-central-1");
        assert!(both.text.contains("  - exempted until 2026-12-01: internet-route\n"));
        let json: Value = serde_json::from_str(&both.json).unwrap();
        assert_eq!(json["exempted"], 1);
        assert_eq!(json["standing"][1]["exempted"][0]["set_by"], "ops");
    }

    const ROUTE: &str = "rtb-0a1b2c3d4e5f60011: 0.0.0.0/0 → nat-0a1b2c3d4e5f60001 leads to the internet \
                         through public NAT gateway nat-0a1b2c3d4e5f60001";

    #[test]
    fn a_digest_says_what_stands_where_and_since_when() {
        let standing = [vpc("vpc-0a1b2c3d4e5f60000", 1, ROUTE), vpc("vpc-2", 12, "x")];
        let alert = digest("digest-2026-09-14", &standing, 0, &place(), "stack", today()).unwrap();
        assert_eq!(alert.subject, "VPC guardrail: 13 findings in 2 VPCs, once a day, eu-central-1");
        let ten = "  - internet-route since 2026-09-12 08:31 UTC\n    x\n".repeat(10);
        assert_eq!(
            alert.text,
            format!(
                "What stands: 13 findings in 2 VPCs of account 111122223333, eu-central-1. What\n\
                 is new is told when it happens; this is what is left.\n\
                 \n\
                 vpc-0a1b2c3d4e5f60000, last looked at 2026-09-14 06:59 UTC\n\
                 \x20 - internet-route since 2026-09-12 08:31 UTC\n\
                 \x20   rtb-0a1b2c3d4e5f60011: 0.0.0.0/0 → nat-0a1b2c3d4e5f60001 leads to the\n\
                 \x20     internet through public NAT gateway nat-0a1b2c3d4e5f60001\n\
                 \n\
                 vpc-2, last looked at 2026-09-14 06:59 UTC\n\
                 {ten}\
                 \x20 and 2 more\n\
                 \n\
                 All of it, run by run\n\
                 \x20 guardrail history --stack stack\n\
                 \n\
                 This is digest-2026-09-14.\n"
            )
        );
        let json: Value = serde_json::from_str(&alert.json).unwrap();
        assert_eq!((&json["findings"], &json["vpcs"]), (&json!(13), &json!(2)));
        assert_eq!(json["standing"][0]["findings"][0]["rule"], "internet-route");
    }

    #[test]
    fn nothing_that_stands_is_no_digest_but_what_cannot_be_read_is() {
        assert_eq!(digest("d", &[], 0, &place(), "s", today()), None);
        let text = digest("d", &[], 1, &place(), "s", today()).unwrap().text;
        let said = "\nThe state of 1 VPC cannot be read from the table: see the log.\n";
        assert!(text.contains(said), "{text}");
    }

    #[test]
    fn a_thousand_vpcs_are_told_as_far_as_anybody_reads() {
        let long = "東".repeat(1_000);
        let standing: Vec<StandingVpc> =
            (0..1000).map(|at| vpc(&format!("vpc-{at}"), 20, &long)).collect();
        let alert = digest("d", &standing, 0, &place(), "s", today()).unwrap();
        assert!(alert.text.len() < 32_000, "{}", alert.text.len());
        assert!(
            alert.text.contains("\nand 997 VPCs more, with 19940 findings\n"),
            "{}",
            alert.text
        );
        for (vpcs, of) in [(1000, &standing[..]), (50, &standing[..50])] {
            let alert = digest("d", of, 0, &place(), "s", today()).unwrap();
            let json: Value = serde_json::from_str(&alert.json).unwrap();
            assert_eq!((&json["vpcs"], &json["standing"]), (&json!(vpcs), &Value::Null));
        }
    }
}
