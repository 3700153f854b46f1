//! What a run was about to do, and how far it came: written before the first change, so that a run
//! that is killed is finished and told by another.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ec2::change::{Action, Applied, GroupRef, StepId};
use crate::ec2::id::Scope;
use crate::shown::word;

/// One run that may change something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's name.
    pub run_id: String,
    /// The account, Region and VPC.
    pub scope: Scope,
    /// What the endpoints' client tokens are made from: a run that goes on from this one uses the
    /// same, so that a call whose answer was lost makes no second endpoint.
    pub seed: String,
    /// What led to the run, in one word.
    pub cause: String,
    /// When the run began (UTC).
    pub began: Timestamp,
    /// Every step that it was about to take.
    pub steps: Vec<RecordedStep>,
    /// How it ended; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// A step that a run was about to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedStep {
    /// The step's number in its plan.
    pub id: StepId,
    /// The change.
    pub action: Action<GroupRef>,
    /// What was so before it, in words.
    pub before: String,
    /// What takes it back: a command, or what to look for first.
    pub inverse: String,
}

/// That a run is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When (UTC).
    pub at: Timestamp,
    /// The run that closed it: itself, or one that came after it was killed.
    pub by: String,
    /// How it ended, in words.
    pub verdict: String,
    /// How many changes it made.
    pub changes: usize,
}

/// How far a step has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Mark {
    /// Its call is about to be made.
    Started {
        /// When (UTC).
        at: Timestamp,
    },
    /// Its call succeeded.
    Done {
        /// When it was about to be made (UTC).
        from: Timestamp,
        /// When the answer came (UTC).
        at: Timestamp,
        /// What it did.
        applied: Applied,
        /// EC2's id of the request.
        request_id: Option<String>,
    },
    /// Its call failed, which need not mean that it had no effect.
    Failed {
        /// When it was about to be made (UTC).
        from: Timestamp,
        /// When the answer came, or the client gave up (UTC).
        at: Timestamp,
        /// Why.
        why: String,
        /// EC2's id of the request; `None` where no answer came.
        request_id: Option<String>,
    },
}

/// How far the steps of a record have come, by their numbers.
pub type Marks = BTreeMap<StepId, Mark>;

/// What became of a step of a run that was killed, as far as can be told afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Became {
    /// The run made the change.
    Made(Applied),
    /// The run's call failed.
    Failed {
        /// Why.
        why: String,
    },
    /// The run was about to make the change; it shows, and carries the guardrail's tag.
    MadeByTag,
    /// The run was about to make the change; it shows, and nothing proves who made it.
    MadeOrFoundMade,
    /// The run was about to make the change; it does not show.
    DoesNotShow,
    /// The run was about to make the change, and it could not be looked at now.
    CannotTell,
    /// The run did not come to it.
    NotBegun,
}

impl Became {
    /// Whether the change was made, or may have been.
    pub fn may_be_made(&self) -> bool {
        match self {
            Self::Made(applied) => *applied != Applied::Already,
            Self::MadeByTag | Self::MadeOrFoundMade | Self::CannotTell => true,
            Self::Failed { .. } | Self::DoesNotShow | Self::NotBegun => false,
        }
    }
}

impl std::fmt::Display for Became {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Made(Applied::Already) => f.write_str("was so already"),
            Self::Made(Applied::Done) => f.write_str("made"),
            Self::Made(Applied::CreatedEndpoint(id)) => write!(f, "made: {id}"),
            Self::Made(Applied::CreatedGroup(id)) => write!(f, "made: {id}"),
            Self::Failed { why } => write!(f, "failed: {why}"),
            Self::MadeByTag => f.write_str("made: it carries the guardrail's tag"),
            Self::MadeOrFoundMade => f.write_str("made, or found made: not known by whom"),
            Self::DoesNotShow => f.write_str("does not show: not made, or taken back since"),
            Self::CannotTell => f.write_str("not known: it could not be looked at"),
            Self::NotBegun => f.write_str("not begun"),
        }
    }
}

impl Action<GroupRef> {
    /// What was so before the change, as its plan saw it, in words.
    pub fn before(&self) -> String {
        match self {
            Self::EnableVpcDns { vpc, attribute } => format!("{attribute} of {vpc} was off"),
            Self::CreateSecurityGroup { vpc, name, .. } => {
                format!("{vpc} had no security group {name} of the guardrail's")
            }
            Self::AuthorizeHttps { group, cidrs } => {
                format!("{group} did not admit TCP 443 from {}", crate::ec2::list(cidrs))
            }
            Self::RevokeIngress { group, rule } => format!("{group} had the rule {rule}"),
            Self::CreateEndpoint { vpc, service, .. } => {
                format!("{vpc} had no endpoint for {service} that the guardrail could use")
            }
            Self::ModifyEndpoint { endpoint, .. } => {
                format!("{endpoint} was without what the step adds")
            }
            Self::SetEndpointPolicy { endpoint, before: Some(policy), .. } => {
                format!("the policy of {endpoint} was {policy}")
            }
            Self::SetEndpointPolicy { endpoint, before: None, .. } => {
                format!("{endpoint} had AWS's default policy, full access")
            }
            Self::DeleteRoute { table, destination, target } => {
                format!("{table} had the route {destination} → {target}")
            }
            Self::DisablePublicIpOnLaunch { subnet } => {
                format!("MapPublicIpOnLaunch of {subnet} was on")
            }
            Self::StopAutomaticAddress { interface, address } => match address {
                Some(address) => format!("{interface} had the automatic address {}", word(address)),
                None => format!("AWS might have assigned {interface} an address"),
            },
            Self::DisassociateAddress { interface, association, address, .. } => {
                format!("{interface} had the Elastic IP address {} by {association}", word(address))
            }
        }
    }
}
