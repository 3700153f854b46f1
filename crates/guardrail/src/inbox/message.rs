//! The queue's messages: where to look, and why. A message is a hint and evidence for the alert;
//! nothing is decided on it.

use serde_json::{Value, json};

use crate::cloud::Envelope;
use crate::ec2::id::{Scope, VpcId};
use crate::event::{Evidence, digest};
use crate::history::{LookAgain, Open};
use crate::report::Cause;

/// The version of a message's JSON form: fields are only added within one.
const VERSION: u32 = 1;

/// SQS takes 128 characters for either id
/// (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html); the rest
/// is for the VPC's.
const CAUSE_LIMIT: usize = 80;

/// One message: about one VPC, or about none because the sender has no baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The VPC to look at, or why the sender cannot tell one.
    pub about: About,
    /// What led to the message.
    pub cause: Cause,
    /// Names what led to it: the same in every message about it; absent where the sender does not
    /// name it.
    pub incident: Option<String>,
    /// The calls that led to it.
    pub evidence: Vec<Evidence>,
}

/// What a message asks to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// This VPC.
    Vpc(Scope),
    /// Nothing in particular: which VPCs are managed could not be told, because the baseline cannot
    /// be used. Why not.
    NoBaseline(String),
}

/// A body that says nothing to act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body is not JSON; with the reader's message.
    #[error("the body is not JSON: {0}")]
    Json(String),
    /// The body says no VPC to look at; with what is wrong with it.
    #[error("the body names no VPC: {0}; it needs `scope` with `account`, `region` and `vpc`")]
    NoScope(String),
}

impl Message {
    /// The message as the JSON body to send.
    pub fn body(&self) -> String {
        let mut body = json!({
            "version": VERSION, "cause": self.cause, "incident": self.incident, "evidence": self.evidence,
        });
        if let Some(fields) = body.as_object_mut() {
            match &self.about {
                About::Vpc(scope) => fields.insert("scope".to_owned(), json!(scope)),
                About::NoBaseline(why) => fields.insert("no_baseline".to_owned(), json!(why)),
            };
        }
        body.to_string()
    }

    /// Reads a body. Only what to look at must be right: evidence that cannot be read is dropped,
    /// unknown fields are passed over, and what does not say why it was sent counts as an
    /// operator's. No body says of its own evidence who claims it: that is for the queue, which knows
    /// who sent the message.
    ///
    /// # Errors
    /// When the body does not say what to look at.
    pub fn parse(body: &str) -> Result<Self, Unreadable> {
        let body: Value =
            serde_json::from_str(body).map_err(|error| Unreadable::Json(error.to_string()))?;
        let field = |name: &str| body.get(name).cloned().unwrap_or_default();
        let about = match body.get("no_baseline").and_then(Value::as_str) {
            Some(why) => About::NoBaseline(why.to_owned()),
            None => About::Vpc(
                serde_json::from_value(field("scope"))
                    .map_err(|error| Unreadable::NoScope(error.to_string()))?,
            ),
        };
        let evidence = body.get("evidence").and_then(Value::as_array).into_iter().flatten();
        let unsigned = |one: &Value| {
            let evidence: Evidence = serde_json::from_value(one.clone()).ok()?;
            Some(Evidence { claimed_by: None, ..evidence })
        };
        Ok(Self {
            about,
            cause: serde_json::from_value(field("cause")).unwrap_or(Cause::Operator),
            incident: field("incident").as_str().filter(|name| !name.is_empty()).map(str::to_owned),
            evidence: evidence.filter_map(unsigned).collect(),
        })
    }

    /// The message as the queue takes it.
    pub fn envelope(&self) -> Envelope {
        Envelope {
            group: self.group_id(),
            deduplication_id: self.deduplication_id(),
            body: self.body(),
        }
    }

    /// Messages of one group are handled in order, one batch at a time: one writer for a VPC.
    pub fn group_id(&self) -> String {
        match &self.about {
            About::Vpc(scope) => scope.to_string(),
            About::NoBaseline(_) => "no-baseline".to_owned(),
        }
    }

    /// The queue swallows a second message with the same id within five minutes, even when the
    /// first is handled and gone. So it is the call's own id, which is the same in every delivery
    /// of one call and another for the next call; of what has none it is the body's digest.
    pub fn deduplication_id(&self) -> String {
        let about = match &self.about {
            About::Vpc(scope) => scope.vpc.as_str(),
            About::NoBaseline(_) => "no-baseline",
        };
        let cause = match self.cause {
            Cause::Event | Cause::SelectionChanged => {
                self.evidence.first().and_then(|evidence| evidence.record.event_id.as_deref())
            }
            Cause::Sweep | Cause::Clock | Cause::Operator => self.incident.as_deref(),
        };
        let usable = |cause: &&str| {
            cause.len() <= CAUSE_LIMIT && cause.bytes().all(|b| b.is_ascii_graphic())
        };
        cause
            .filter(usable)
            .map_or_else(|| digest(&self.body()), |cause| format!("{cause}/{about}"))
    }
}

/// The message that a call asks to look at a VPC.
pub fn for_call(evidence: &Evidence, scope: Scope) -> Message {
    of_call(evidence, About::Vpc(scope))
}

/// The message that a call may have taken a VPC, or subnets of it, out of the guardrail's care. Its
/// id is the call's, so that no two such calls are one message.
pub fn selection_changed(evidence: &Evidence, scope: Scope) -> Message {
    Message { cause: Cause::SelectionChanged, ..of_call(evidence, About::Vpc(scope)) }
}

/// The message about a call when it cannot be told which VPCs are managed.
pub fn without_baseline(evidence: &Evidence, why: &str) -> Message {
    of_call(evidence, About::NoBaseline(why.to_owned()))
}

/// Names a call: by its own id, or by the digest of what is known of it where it has none.
pub fn incident_of(evidence: &Evidence) -> String {
    evidence.incident()
}

fn of_call(evidence: &Evidence, about: About) -> Message {
    Message {
        about,
        cause: Cause::Event,
        incident: Some(incident_of(evidence)),
        evidence: vec![evidence.clone()],
    }
}

/// The messages of a sweep: one for each VPC.
pub fn for_sweep(
    incident: &str,
    scope_of: impl Fn(&VpcId) -> Scope,
    vpcs: &[VpcId],
) -> Vec<Message> {
    vpcs.iter().map(|vpc| of_sweep(incident, About::Vpc(scope_of(vpc)))).collect()
}

/// The message of a sweep that has no baseline to compare with.
pub fn sweep_without_baseline(incident: &str, why: &str) -> Message {
    of_sweep(incident, About::NoBaseline(why.to_owned()))
}

/// The message about a VPC that is due by now. Its id is the time when it became due, so that the
/// minutes until the run has noted that it looked bring no second one.
pub fn is_due(scope: Scope, again: &LookAgain) -> Message {
    Message {
        about: About::Vpc(scope),
        cause: Cause::Clock,
        incident: Some(format!("clock-{}", again.at)),
        evidence: Vec::new(),
    }
}

/// The message about a VPC whose last run was begun and not ended: the next one finishes it.
pub fn goes_on(scope: Scope, open: &Open) -> Message {
    Message {
        about: About::Vpc(scope),
        cause: Cause::Clock,
        // A run is named by its invocation and its VPC, and the VPC is in the id already.
        incident: open.run_id.split('/').next().map(|run| format!("open-{run}")),
        evidence: Vec::new(),
    }
}

fn of_sweep(incident: &str, about: About) -> Message {
    Message {
        about,
        cause: Cause::Sweep,
        incident: Some(incident.to_owned()),
        evidence: Vec::new(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn scope(vpc: &str) -> Scope {
        let (account, region) = ("111122223333".parse().unwrap(), "eu-central-1".parse().unwrap());
        Scope { account, region, vpc: vpc.parse().unwrap() }
    }

    pub(crate) fn call(event_id: &str, time: &str) -> Evidence {
        let record = json!({"eventName": "CreateRoute", "eventID": event_id, "eventTime": time});
        crate::event::decode(&record).unwrap()
    }

    fn one(event_id: &str, vpc: &str) -> Message {
        for_call(&call(event_id, "2026-09-14T08:31:07Z"), scope(vpc))
    }

    #[test]
    fn a_body_is_read_as_it_was_written() {
        let about_none = without_baseline(&call("e-1", ""), "it is empty");
        let record = json!({
            "eventName": "DeleteTags", "eventSource": "ec2.amazonaws.com", "userIdentity": {"accountId": "444455556666"},
            "requestParameters": {"tagSet": {"items": [{"key": "vpc-guardrail"}]}},
        });
        let left = selection_changed(&crate::event::decode(&record).unwrap(), scope("vpc-1"));
        assert!(left.body().contains(r#""cause":"selection-changed""#), "{}", left.body());
        for message in [one("e-1", "vpc-1"), about_none, sweep_without_baseline("s", "why"), left] {
            assert_eq!(Message::parse(&message.body()), Ok(message));
        }
    }

    #[test]
    fn a_body_needs_nothing_but_what_to_look_at() {
        let body = json!({
            "scope": {"account": "111122223333", "region": "eu-central-1", "vpc": "vpc-1", "zone": 1},
            "evidence": [{"time": 1}, call("e-1", "t"), 7], "cause": "boredom", "incident": [], "more": {},
        });
        let evidence = vec![call("e-1", "t")];
        let expected = Message {
            about: About::Vpc(scope("vpc-1")),
            cause: Cause::Operator,
            incident: None,
            evidence,
        };
        assert_eq!(Message::parse(&body.to_string()), Ok(expected));
    }

    /// Whoever reads the queue says by whom a message was sent, also where the body says otherwise.
    #[test]
    fn a_body_does_not_say_who_claims_its_evidence() {
        for claimed_by in [json!("detect"), json!(null), json!("")] {
            let mut evidence = json!(call("e-1", "t"));
            evidence["claimed_by"] = claimed_by;
            let body = json!({"scope": scope("vpc-1"), "evidence": [evidence]}).to_string();
            assert_eq!(Message::parse(&body).unwrap().evidence, [call("e-1", "t")]);
        }
    }

    #[test]
    fn a_body_without_a_vpc_says_what_it_needs() {
        let say = |body: &str| Message::parse(body).unwrap_err().to_string();
        assert_eq!(say("poison"), "the body is not JSON: expected value at line 1 column 1");
        assert_eq!(
            say(r#"{"scope":{"account":"111122223333","region":"eu-central-1"}}"#),
            "the body names no VPC: missing field `vpc`; it needs `scope` with `account`, `region` and `vpc`"
        );
        assert!(say("[]").starts_with("the body names no VPC"));
        assert!(
            say(r#"{"scope":{"account":"1","region":"eu-central-1","vpc":"vpc-1"}}"#)
                .contains("`1` is not an AWS account id")
        );
    }

    #[test]
    fn a_group_is_a_vpc() {
        assert_eq!(one("e-1", "vpc-1").group_id(), "111122223333/eu-central-1/vpc-1");
        assert_eq!(sweep_without_baseline("s", "why").group_id(), "no-baseline");
    }

    #[test]
    fn deliveries_of_one_call_are_one_message_and_the_next_call_is_another() {
        let id = |event_id: &str, vpc: &str| one(event_id, vpc).deduplication_id();
        assert_eq!(
            id("5f1e3175-23fd-5950-cb89-16e712df202b", "vpc-1"),
            "5f1e3175-23fd-5950-cb89-16e712df202b/vpc-1"
        );
        let all = [id("e-1", "vpc-1"), id("e-2", "vpc-1"), id("e-1", "vpc-2")];
        assert_eq!(all, ["e-1/vpc-1", "e-2/vpc-1", "e-1/vpc-2"]);
        let left = |event_id| selection_changed(&call(event_id, "t"), scope("vpc-1"));
        let leaving = ["e-1", "e-2"].map(|event_id| left(event_id).deduplication_id());
        assert_eq!(leaving, ["e-1/vpc-1", "e-2/vpc-1"], "a second leaving is another message");
        let (first, second) = (left(""), selection_changed(&call("", "u"), scope("vpc-1")));
        assert_ne!(first.deduplication_id(), second.deduplication_id());
        let sweeps = for_sweep("sweep-1", |vpc| scope(vpc.as_str()), &["vpc-1".parse().unwrap()]);
        assert_eq!(sweeps[0].deduplication_id(), "sweep-1/vpc-1");
    }

    #[test]
    fn a_call_without_a_usable_id_is_known_by_its_body() {
        let ids = ["", "two words", "ü", &"x".repeat(200)]
            .map(|event_id| one(event_id, "vpc-1").deduplication_id());
        for id in &ids {
            assert!(id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        }
        assert_eq!(one("", "vpc-1").deduplication_id(), ids[0]);
        let later = for_call(&call("", "2026-09-14T08:31:08Z"), scope("vpc-1"));
        assert_ne!(later.deduplication_id(), ids[0]);
        assert_ne!(one("", "vpc-2").deduplication_id(), ids[0]);
    }

    #[test]
    fn an_incident_is_the_calls_own_id_or_a_digest_of_the_call() {
        assert_eq!(incident_of(&call("e-1", "2026-09-14T08:31:07Z")), "e-1");
        let without = ["2026-09-14T08:31:07Z", "2026-09-14T08:31:08Z"]
            .map(|time| incident_of(&call("", time)));
        assert!(without.iter().all(|incident| incident.len() == 64), "{without:?}");
        assert_ne!(without[0], without[1]);
    }
}
