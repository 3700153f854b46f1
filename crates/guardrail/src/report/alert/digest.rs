//! What stands in all VPCs, once a day.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::summary::{alert_of, attributes, list_command, number, paragraph, time};
use super::{Alert, JSON_LIMIT};
use crate::ec2::id::Place;
use crate::history::Standing;
use crate::history::digest::StandingVpc;
use crate::shown::{self, filled, one_line};

/// How long the list may become, in bytes: a reader finds what is worst at its beginning.
const LIST_LIMIT: usize = 20_000;

/// How much of one finding is told, in characters.
const FINDING_LIMIT: usize = 300;

/// How many findings of one VPC are told.
const OF_A_VPC: usize = 10;

/// The digest of what stands, the worst first; `None` when nothing does. Of so many VPCs what stands
/// could not be read.
pub fn digest(
    id: &str,
    standing: &[StandingVpc],
    unreadable: usize,
    place: &Place,
    stack: &str,
) -> Option<Alert> {
    if standing.is_empty() && unreadable == 0 {
        return None;
    }
    let all = number(findings(standing), "finding", "findings");
    let vpcs = number(standing.len(), "VPC", "VPCs");
    let subject = format!("VPC guardrail: {all} in {vpcs}, once a day, {}", place.region);
    let mut text = String::new();
    let what = format!(
        "What stands: {all} in {vpcs} of account {}, {}. What is new is told when it happens; this \
         is what is left.",
        place.account, place.region
    );
    paragraph(&mut text, &what);
    if unreadable > 0 {
        let of = number(unreadable, "VPC", "VPCs");
        let _ = writeln!(text, "Of {of} more the table's item cannot be read: see the log.");
    }
    let mut left = standing;
    while let [vpc, rest @ ..] = left {
        if text.len() > LIST_LIMIT {
            break;
        }
        told_of(&mut text, vpc);
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

fn told_of(text: &mut String, vpc: &StandingVpc) {
    let _ = writeln!(text, "\n{}, last looked at {}", vpc.vpc, time(vpc.looked));
    for finding in vpc.findings.iter().take(OF_A_VPC) {
        let _ = writeln!(text, "  - {} since {}", finding.rule, time(finding.since));
        for line in filled(&short(finding), 4) {
            let _ = writeln!(text, "{line}");
        }
    }
    if let Some(more) = vpc.findings.len().checked_sub(OF_A_VPC).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more");
    }
}

fn short(finding: &Standing) -> String {
    let mut shown: String = one_line(&finding.summary).chars().take(FINDING_LIMIT).collect();
    if finding.summary.chars().nth(FINDING_LIMIT).is_some() {
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
            "region": place.region, "findings": findings(standing), "vpcs": standing.len(),
            "unreadable": unreadable, "standing": vpcs, "command": command,
        })
    };
    let whole = of(Some(standing.iter().map(vpc_as_json).collect()));
    if shown::json(&whole).len() <= JSON_LIMIT { whole } else { of(None) }
}

fn vpc_as_json(vpc: &StandingVpc) -> Value {
    let finding = |standing: &Standing| -> Value {
        let since: Timestamp = standing.since;
        json!({ "rule": standing.rule, "since": since, "summary": standing.summary })
    };
    let findings: Vec<Value> = vpc.findings.iter().map(finding).collect();
    json!({ "vpc": vpc.vpc, "looked": vpc.looked, "findings": findings })
}
