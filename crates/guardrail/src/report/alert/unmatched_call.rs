//! The worst news there is: somebody else acts with the guardrail's role.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::json;

use super::summary::{alert_of, attributes, paragraph, time};
use super::{Alert, Attribute, call};
use crate::ec2::id::Place;
use crate::event::Evidence;
use crate::shown::word;

/// How many of the things are named that the call touched.
const SHOWN: usize = 10;

/// The alarm that a call was made with the guardrail's role, which is this ARN's, and by no run.
pub fn unmatched_call(evidence: &Evidence, role: &str, place: &Place, now: Timestamp) -> Alert {
    let record = &evidence.record;
    let event = word(&record.event);
    let subject =
        format!("VPC guardrail: ALARM: {event} with its role that no run made, {}", place.region);
    let mut text = String::from("A call with the guardrail's role that no run made.\n\nThe call\n");
    let _ = writeln!(text, "  {}", call(evidence, Some(&place.account)));
    let ids: Vec<&str> = record.resource_ids.iter().map(|id| id.as_str()).collect();
    for id in ids.iter().take(SHOWN) {
        let _ = writeln!(text, "  on {}", word(id));
    }
    if let Some(more) = ids.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and on {more} more");
    }
    let _ = writeln!(text, "  in account {}, {}", place.account, place.region);
    let _ = writeln!(text, "  with {}", word(role));
    text.push('\n');
    paragraph(
        &mut text,
        "Each call of the guardrail's own is recorded before it is made. No record has this one, so \
         somebody else has the role's credentials, or records were lost from the table.",
    );
    at_once(&mut text, evidence, role, place, now);
    let json = json!({
        "version": 1, "verdict": "unmatched-call", "account": place.account,
        "region": place.region, "role": role, "evidence": evidence,
    });
    let mut attributes = attributes(place, "unmatched-call");
    if let [vpc] = record.vpc_ids.as_slice() {
        attributes.insert("vpc".to_owned(), Attribute::of(vpc));
    }
    alert_of(&subject, text, &json, attributes)
}

/// What to do, in the order in which it helps.
fn at_once(text: &mut String, evidence: &Evidence, role: &str, place: &Place, now: Timestamp) {
    let _ = writeln!(text, "\nAt once");
    let _ = writeln!(text, "  1. look at the whole call, and at what came with it:");
    if let Some(id) = evidence.record.event_id.as_deref().filter(|id| is_plain(id)) {
        let _ = writeln!(
            text,
            "     aws cloudtrail lookup-events --region {} --lookup-attributes \
             AttributeKey=EventId,AttributeValue={id}",
            place.region
        );
    } else {
        let _ = writeln!(text, "     CloudTrail, event history, {}", place.region);
    }
    let _ = writeln!(
        text,
        "  2. if none of you made it, end all sessions of the role; the guardrail\n     \
         fails until its functions have new ones:"
    );
    // What the console's "Revoke active sessions" does:
    // docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
    match role.rsplit('/').next().filter(|name| is_plain(name)) {
        Some(name) => {
            let policy = json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Deny", "Action": "*", "Resource": "*",
                    "Condition": {"DateLessThan": {"aws:TokenIssueTime": whole_second(now)}},
                }],
            });
            let _ = writeln!(
                text,
                "     aws iam put-role-policy --role-name {name} --policy-name \
                 AWSRevokeOlderSessions --policy-document '{policy}'"
            );
        }
        None => {
            let _ = writeln!(text, "     IAM, the role, Revoke sessions");
        }
    }
    let _ = writeln!(
        text,
        "  3. see who may assume the role or change the functions: the role's trust\n     \
         policy; AssumeRole, UpdateFunctionCode and UpdateFunctionConfiguration\n     \
         in CloudTrail\n  \
         4. what the call changed is compared with the baseline like any change"
    );
    let _ = writeln!(text, "\nNoticed at {}.", time(now));
}

/// Whether text can stand in a command as it is: the characters of a role's name and an event's id.
fn is_plain(text: &str) -> bool {
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || "-_+=,.@".contains(c);
    !text.is_empty() && text.len() <= 64 && !text.starts_with('-') && text.chars().all(of_a_name)
}

fn whole_second(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
