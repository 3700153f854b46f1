//! CloudTrail records, as EventBridge delivers them or bare: what they name, who made the call, and
//! which VPCs it asks to look at. A record is a hint of where to look and evidence for the alert;
//! no plan is made from it.

mod actor;
mod decode;
mod ids;
mod table;
mod tagging;
mod tool;

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use decode::{NotARecord, decode, parse, parse_with_source};
pub use table::{Family, Gone, Names, TABLE, Watch, watched_names};
pub use tagging::{NamedTag, TagChange, Tagging};
pub use tool::Tool;

use crate::ec2::id::{AccountId, Region, VpcId};
use crate::ec2::resource_id::ResourceId;

/// One call as CloudTrail recorded it: the line that `guardrail decode` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record {
    /// The call's name (`eventName`): `CreateRoute`.
    pub event: String,
    /// `eventID`: the same in every delivery of one call; absent where the record does not say.
    pub event_id: Option<String>,
    /// The account whose resources the call touched.
    pub account: Option<AccountId>,
    /// The Region whose endpoint the call went to (`awsRegion`).
    pub region: Option<Region>,
    /// Whether the call failed, and so changed nothing.
    pub failed: bool,
    /// AWS's error code if the call failed.
    pub error_code: Option<String>,
    /// Whether the event table has the call, from EC2 itself and not a look-alike of another
    /// service.
    pub watched: bool,
    /// The VPCs that the call names.
    pub vpc_ids: Vec<VpcId>,
    /// Every id that the call names in its request or response, sorted, without duplicates.
    pub resource_ids: Vec<ResourceId>,
    /// Who made the call, in one line.
    pub actor: String,
    /// With what: `console`, `cli`, `terraform`, `cloudformation`, `sdk`, or a service's name as
    /// CloudTrail writes it (`eks.amazonaws.com`). Empty where the record does not say.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub tool: Tool,
    /// From where: an address, or the name of the AWS service that made the call; absent where the
    /// record does not say.
    pub source_ip: Option<String>,
}

/// A record, when it happened, and what else an alert says of the call that led to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Evidence {
    /// `eventTime`, as the record says it (UTC); absent where it does not.
    pub time: Option<String>,
    /// The account of whoever made the call, which may be another than that of the resources;
    /// absent where the record does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_account: Option<AccountId>,
    /// Whether AWS says what the call was made with; otherwise it is what the caller's user agent
    /// says, which can be anything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tool_vouched: bool,
    /// The role whose session made the call, by its ARN and with its path: AWS's word, unlike the
    /// session's name. Absent where no role did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_issuer: Option<String>,
    /// `requestID`, which EC2 gives each call and tells its caller; absent where the record does
    /// not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Who sent this evidence, where that is not the function that reads CloudTrail's events: then
    /// all of it is that sender's word. Whoever takes a message off the queue sets it; no message
    /// can say it of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    /// The tags that the call sets or takes away; absent for a call that does neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagging: Option<Tagging>,
    /// The call.
    #[serde(flatten)]
    pub record: Record,
}

/// Which VPCs a watched, successful call asks to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The VPCs to look at, or how to find them.
    pub reach: Reach,
    /// The call that asks for it: for the alert, never for the plan.
    pub evidence: Evidence,
}

/// Where a trigger points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// These VPCs, which the call names.
    Vpcs(Vec<VpcId>),
    /// The VPCs of these things, to be looked up; what is done about those that are gone says the
    /// call's row.
    Resolve(Vec<ResourceId>),
    /// Every managed VPC of the account and Region: the call names nothing that could be looked up.
    AllManaged,
    /// No VPC by itself: one comparison of the Region, for this call and others like it.
    Comparison,
}

impl Reach {
    /// The ids whose VPCs have to be looked up before it is known which VPCs the call concerns.
    pub fn ids_to_resolve(&self) -> &[ResourceId] {
        match self {
            Self::Resolve(ids) => ids,
            Self::Vpcs(_) | Self::AllManaged | Self::Comparison => &[],
        }
    }
}

impl Evidence {
    /// Where this call asks to look, or nothing if it is not watched, failed, or tagged only things
    /// that no rule reads.
    pub fn trigger(&self) -> Option<Trigger> {
        Some(Trigger { reach: self.reach()?, evidence: self.clone() })
    }

    /// As [`Evidence::trigger`], of a call that is needed for nothing else.
    pub fn into_trigger(self) -> Option<Trigger> {
        Some(Trigger { reach: self.reach()?, evidence: self })
    }

    /// Whether the call is watched, and changed something.
    pub fn is_of_interest(&self) -> bool {
        self.record.watched && !self.record.failed
    }

    /// Names the call: by its own id, or by the digest of what is known of it where it has none.
    pub fn incident(&self) -> String {
        let known = || digest(&serde_json::json!(self).to_string());
        self.record.event_id.clone().unwrap_or_else(known)
    }

    /// What is done where something that the call names is gone: its row's word.
    pub fn when_gone(&self) -> Gone {
        let unknown = Gone::EveryManagedVpc("nothing is known of such a call");
        table::find(&self.record.event).map_or(unknown, |row| row.gone)
    }

    /// Who made the call. Of evidence that somebody else sent, that is the sender's word, and it says
    /// so first: what is shown of a long name is its start.
    pub fn actor(&self) -> Cow<'_, str> {
        let actor = &self.record.actor;
        match &self.claimed_by {
            Some(sender) => Cow::Owned(format!("claimed by {sender}: {actor}")),
            None => Cow::Borrowed(actor),
        }
    }

    fn reach(&self) -> Option<Reach> {
        let record = &self.record;
        if !self.is_of_interest() {
            return None;
        }
        table::find(&record.event)?.reach(&record.vpc_ids, &record.resource_ids)
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(event: &str, ids: &[&str]) -> Evidence {
        let record = Record {
            event: event.into(),
            event_id: Some("e".into()),
            account: None,
            region: None,
            failed: false,
            error_code: None,
            watched: true,
            vpc_ids: ids.iter().filter_map(|id| id.parse().ok()).collect(),
            resource_ids: ids.iter().map(|id| id.parse().unwrap()).collect(),
            actor: String::new(),
            tool: Tool::NotSaid,
            source_ip: None,
        };
        Evidence {
            time: None,
            actor_account: None,
            tool_vouched: false,
            session_issuer: None,
            request_id: None,
            claimed_by: None,
            tagging: None,
            record,
        }
    }

    fn reach(event: &str, ids: &[&str]) -> Option<Reach> {
        call(event, ids).trigger().map(|trigger| trigger.reach)
    }

    fn resolve(ids: &[&str]) -> Option<Reach> {
        Some(Reach::Resolve(ids.iter().map(|id| id.parse().unwrap()).collect()))
    }

    const VPC: &str = "vpc-0a1b2c3d4e5f60000";
    const TABLE_ID: &str = "rtb-0a1b2c3d4e5f60011";
    const SUBNET: &str = "subnet-0a1b2c3d4e5f60021";

    #[test]
    fn a_named_vpc_is_where_to_look() {
        let vpcs = Some(Reach::Vpcs(vec![VPC.parse().unwrap()]));
        assert_eq!(reach("CreateSubnet", &[SUBNET, VPC]), vpcs);
        assert_eq!(reach("CreateVpcBlockPublicAccessExclusion", &[VPC]), vpcs);
    }

    #[test]
    fn where_the_expected_vpc_is_not_named_its_parts_are_looked_up() {
        assert_eq!(reach("CreateVpcBlockPublicAccessExclusion", &[SUBNET]), resolve(&[SUBNET]));
        assert_eq!(
            reach("CreateNatGateway", &["eni-0a1b2c3d4e5f60051", "nat-0a1b2c3d4e5f60001", SUBNET]),
            resolve(&["nat-0a1b2c3d4e5f60001", SUBNET])
        );
        assert_eq!(reach("ModifyVpcAttribute", &[]), Some(Reach::AllManaged));
    }

    #[test]
    fn only_ids_worth_looking_up_are_looked_up() {
        assert_eq!(
            reach("CreateRoute", &["nat-0a1b2c3d4e5f60001", TABLE_ID]),
            resolve(&[TABLE_ID])
        );
        assert_eq!(
            reach("DeleteVpcEndpoints", &["vpce-0a1b2c3d4e5f60031", "vpce-0a1b2c3d4e5f60032"]),
            resolve(&["vpce-0a1b2c3d4e5f60031", "vpce-0a1b2c3d4e5f60032"])
        );
        assert_eq!(
            reach("ModifyManagedPrefixList", &["pl-0a1b2c3d4e5f60071"]),
            resolve(&["pl-0a1b2c3d4e5f60071"])
        );
    }

    #[test]
    fn what_is_gone_or_everywhere_asks_for_every_managed_vpc() {
        assert_eq!(
            reach("DisassociateRouteTable", &["rtbassoc-0a1b2c3d4e5f60061"]),
            Some(Reach::AllManaged)
        );
        assert_eq!(reach("DeleteRouteTable", &[TABLE_ID]), Some(Reach::Comparison));
        assert_eq!(reach("ModifyVpcBlockPublicAccessOptions", &[]), Some(Reach::AllManaged));
        assert_eq!(reach("CreateRoute", &[]), Some(Reach::AllManaged));
    }

    #[test]
    fn tags_matter_only_on_what_the_rules_read() {
        assert_eq!(
            reach("CreateTags", &["i-0a1b2c3d4e5f60081", SUBNET, VPC]),
            resolve(&[SUBNET, VPC])
        );
        assert_eq!(reach("DeleteTags", &["i-0a1b2c3d4e5f60081"]), None);
    }

    /// A record of a call on a thousand tags comes without its request: who takes a VPC out of the
    /// guardrail's care so is found by a comparison.
    #[test]
    fn a_tag_call_that_does_not_say_on_what_is_worth_a_comparison() {
        assert_eq!(reach("CreateTags", &[]), Some(Reach::Comparison));
        assert_eq!(reach("DeleteTags", &[]), Some(Reach::Comparison));
    }

    #[test]
    fn who_a_sender_says_made_a_call_is_claimed_to_have() {
        let mut evidence = call("CreateRoute", &[TABLE_ID]);
        evidence.record.actor = "x".repeat(500);
        assert_eq!(evidence.actor(), "x".repeat(500));
        evidence.claimed_by = Some("AIDAIOSFODNN7EXAMPLE".to_owned());
        let shown = crate::shown::quoted(&evidence.actor());
        assert!(shown.starts_with("\"claimed by AIDAIOSFODNN7EXAMPLE: xxx"), "{shown}");
    }

    #[test]
    fn failed_and_unwatched_calls_trigger_nothing() {
        let mut failed = call("CreateRoute", &[TABLE_ID]);
        failed.record.failed = true;
        assert_eq!(failed.trigger(), None);
        let mut look_alike = call("CreateRoute", &[]);
        look_alike.record.watched = false;
        assert_eq!(look_alike.trigger(), None);
        assert_eq!(call("DescribeVpcs", &[VPC]).trigger(), None);
    }
}
