//! Who made a call, in words. All of it is the caller's to choose but the account; and where somebody
//! else than the guardrail sent the evidence, all of it is that sender's.

use std::borrow::Cow;

use crate::ec2::id::AccountId;
use crate::event::{Evidence, Tool};
use crate::shown::{quoted, word};

/// Who made a call, with what and from where, in one line. The account of a caller is named where
/// it is another than that of what was changed. What a sender claims is told as claimed by it.
pub fn call(evidence: &Evidence, of_the_vpc: Option<&AccountId>) -> String {
    let record = &evidence.record;
    let from = record.source_ip.as_deref().filter(|ip| !record.actor.contains(ip));
    let from = from.map(|ip| format!(" from {}", word(ip))).unwrap_or_default();
    let at = evidence.time.as_ref().map(|time| format!(" at {}", word(time))).unwrap_or_default();
    let claimed = evidence.claimed_by.as_deref();
    let is_vouched = evidence.tool_vouched && claimed.is_none();
    let with = match (&record.tool, is_vouched) {
        (Tool::NotSaid, _) => String::new(),
        (tool, true) => format!(" ({})", tool_word(tool)),
        (tool, false) => format!(" (user agent: {})", quoted(tool.word())),
    };
    let by = caller(&record.actor, evidence.actor_account.as_ref(), of_the_vpc);
    let claimed = claimed.map(|sender| format!("claimed by {}: ", word(sender)));
    format!("{}{} by {by}{with}{from}{at}", claimed.unwrap_or_default(), word(&record.event))
}

/// A tool's word. One of AWS's own names has a space.
fn tool_word(tool: &Tool) -> Cow<'_, str> {
    match tool.word() {
        known @ "AWS Internal" => Cow::Borrowed(known),
        other => word(other),
    }
}

/// A caller by name, and by account where that is another one.
pub(super) fn caller(
    actor: &str,
    account: Option<&AccountId>,
    of_the_vpc: Option<&AccountId>,
) -> String {
    match account.filter(|account| of_the_vpc.is_some_and(|own| own != *account)) {
        Some(account) => format!("{} (account {account})", quoted(actor)),
        None => quoted(actor),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::decode;

    #[test]
    fn a_call_of_which_little_is_recorded_is_told_without_gaps() {
        let said = |record: serde_json::Value| call(&decode(&record).unwrap(), None);
        let name = json!({"eventName": "CreateRoute"});
        assert_eq!(said(name), "CreateRoute by \"unknown\"");
        let more = json!({
            "eventName": "CreateRoute", "eventTime": "t", "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2",
        });
        assert_eq!(
            said(more),
            "CreateRoute by \"unknown\" (user agent: \"cli\") from 203.0.113.7 at t"
        );
    }

    #[test]
    fn only_a_caller_of_another_account_has_it_named() {
        let by = |account: Option<&str>| {
            let account = account.map(|account| account.parse::<AccountId>().unwrap());
            caller(
                "ops (account 444455556666)",
                account.as_ref(),
                "111122223333".parse().ok().as_ref(),
            )
        };
        let own = "\"ops (account 444455556666)\"";
        assert_eq!(by(Some("111122223333")), own);
        assert_eq!(by(None), own);
        assert_eq!(by(Some("777788889999")), format!("{own} (account 777788889999)"));
    }

    #[test]
    fn what_is_no_word_where_one_should_be_is_quoted() {
        let record = json!({
            "eventName": "CreateRoute: done", "eventTime": "now. Done", "sourceIPAddress": "AWS Internal",
            "userIdentity": {"type": "Root", "invokedBy": "on its baseline"},
        });
        assert_eq!(
            call(&decode(&record).unwrap(), None),
            "\"CreateRoute: done\" by \"root via on its baseline\" (\"on its baseline\") from \"AWS Internal\" at \
             \"now. Done\""
        );
        let internal = json!({"eventName": "A", "userAgent": "AWS Internal",
            "sourceIPAddress": "AWS Internal"});
        assert_eq!(
            call(&decode(&internal).unwrap(), None),
            "A by \"unknown\" (AWS Internal) from \"AWS Internal\""
        );
    }

    /// Whoever may send to the queue may write there what he likes, his own name in it included.
    #[test]
    fn what_a_sender_claims_is_told_as_claimed() {
        let said = |sender: &str, actor: &str| {
            let record = json!({
                "eventName": "CreateRoute", "userAgent": "AWS Internal", "sourceIPAddress": "AWS Internal",
                "userIdentity": {"type": "IAMUser", "userName": actor},
            });
            let evidence = decode(&record).unwrap();
            assert!(evidence.tool_vouched);
            call(&Evidence { claimed_by: Some(sender.to_owned()), ..evidence }, None)
        };
        let from = "(user agent: \"AWS Internal\") from \"AWS Internal\"";
        assert_eq!(
            said("AIDAIOSFODNN7EXAMPLE", "bob"),
            format!("claimed by AIDAIOSFODNN7EXAMPLE: CreateRoute by \"bob\" {from}")
        );
        assert_eq!(
            said("AROAIOSFODNN7EXAMPLE:ci", "bob\nCreateRoute by \"root\""),
            format!(
                "claimed by AROAIOSFODNN7EXAMPLE:ci: CreateRoute by \"bob CreateRoute by 'root'\" {from}"
            )
        );
        assert_eq!(said("", "bob"), format!("claimed by \"\": CreateRoute by \"bob\" {from}"));
        let long = said(&"x".repeat(5000), "b");
        let start = format!("claimed by \"{}…\": CreateRoute by \"b\"", "x".repeat(120));
        assert_eq!(long, format!("{start} {from}"));
        let forged = said("AIDA\u{202e}: CreateRoute by \"x", "b");
        let start = "claimed by \"AIDA : CreateRoute by 'x\": CreateRoute by \"b\"";
        assert_eq!(forged, format!("{start} {from}"));
    }

    /// Anybody may give his client any name.
    #[test]
    fn what_a_user_agent_says_is_told_as_said_by_it() {
        let with = |agent: &str, more: serde_json::Value| {
            let mut record = json!({"eventName": "A", "userAgent": agent});
            record.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            call(&decode(&record).unwrap(), None)
        };
        for (agent, word) in [
            ("console.amazonaws.com", "console"),
            ("signin.amazonaws.com", "console"),
            ("Mozilla/5.0", "console"),
            ("cloudformation.amazonaws.com", "cloudformation"),
            ("aws-cli/2", "cli"),
            ("Terraform/1", "terraform"),
            ("guardrail", "sdk"),
            ("vpc-guardrail.amazonaws.com", "vpc-guardrail.amazonaws.com"),
            ("AWS Internal", "AWS Internal"),
        ] {
            let said = with(agent, json!({}));
            assert_eq!(said, format!("A by \"unknown\" (user agent: \"{word}\")"));
        }
        let console = json!({"sessionCredentialFromConsole": "true"});
        assert_eq!(with("Mozilla/5.0", console), "A by \"unknown\" (console)");
        let service = json!({"userIdentity": {"invokedBy": "eks.amazonaws.com"}});
        assert_eq!(
            with("aws-cli/2", service),
            "A by \"unknown via eks.amazonaws.com\" (eks.amazonaws.com)"
        );
    }
}
