//! CloudTrail records, as EventBridge delivers them or bare.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, Region, VpcId};

/// One call as CloudTrail recorded it: the line that `guardrail decode` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record {
    /// `eventName`.
    pub event: String,
    /// `eventID`: the same in every delivery of one call.
    pub event_id: String,
    /// The account whose resources the call touched.
    pub account: Option<AccountId>,
    /// The Region.
    pub region: Option<Region>,
    /// Whether the call failed, and so changed nothing.
    pub failed: bool,
    /// AWS's code if it did.
    pub error_code: Option<String>,
    /// Whether the event table has it, from EC2 itself and not a look-alike of another service.
    pub watched: bool,
    /// The VPCs it names.
    pub vpc_ids: Vec<VpcId>,
    /// Every id it names in its request or response, sorted, without duplicates.
    pub resource_ids: Vec<String>,
    /// Who: one line.
    pub actor: String,
    /// With what: `console`, `cli`, `terraform`, `cloudformation`, `sdk`, or a service's name.
    pub tool: String,
    /// From where.
    pub source_ip: String,
}

/// A record and when it happened: what an alert says of the call that led to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Evidence {
    /// `eventTime`, as the record says it (UTC).
    pub time: String,
    /// The call.
    #[serde(flatten)]
    pub record: Record,
}

/// Which VPCs a watched, successful call asks to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Where to look.
    pub reach: Reach,
    /// Why: for the alert, never for the plan.
    pub evidence: Evidence,
}

/// Where a trigger points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// These VPCs, which the call names.
    Vpcs(Vec<VpcId>),
    /// The VPCs of these things, to be looked up; of every managed VPC where none can be found any more.
    Resolve(Vec<String>),
    /// Every managed VPC of the account and Region: the call names nothing that could be looked up.
    AllManaged,
}
