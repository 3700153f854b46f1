//! The seam to a cloud: the few things a run asks of it, in our own nouns.
//!
//! There are two implementations: the simulator, and the adapter to AWS.

pub mod error_codes;
mod queue;
mod survey;
mod table;
mod telling;
mod traffic;

pub use queue::{Envelope, Queue, Send, SetAside};
pub use survey::Survey;
pub use table::{Commit, InMemoryTable, Table};
pub use telling::Telling;
pub use traffic::{Carried, NatTraffic};

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::ec2::change::Applied;
use crate::ec2::change::Call;
use crate::ec2::id::{NatGatewayId, Scope};
use crate::ec2::snapshot::Section;
use crate::ec2::world::World;
use crate::probe::{self, ProbeName, Question};
use crate::shown::{quoted_message, word};

/// The longest that a call may take, tries included, before its client gives up: what was sent until
/// then may still have its effect. Leases outlive it.
pub const LONGEST_CALL: Duration = Duration::from_secs(20);

/// What a run needs of a cloud.
#[expect(
    async_fn_in_trait,
    reason = "used through generics only; no run needs its futures to be Send"
)]
pub trait Cloud {
    /// The time now, by the cloud's clock.
    fn now(&self) -> Timestamp;

    /// How long the process has run, by a clock that nobody sets: leases are measured by it.
    fn uptime(&self) -> Duration;

    /// Reads these sections of one VPC, and with them what it shares with others. Never fails as a
    /// whole: a section that could not be read in full is absent from the world, and `unread` says
    /// why.
    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation;

    /// Makes one change to the scope's VPC, by one call.
    async fn apply(&self, scope: &Scope, call: &Call) -> Answer;

    /// Lets this much time pass, by the cloud's clock.
    async fn pause(&self, time: Duration);

    /// What these NAT gateways carried in the hour before now, each once: from CloudWatch's namespace
    /// `AWS/NATGateway`, by dimension `NatGatewayId`, and for a regional NAT gateway by `NatGatewayId`
    /// and `AvailabilityZone`, summed over its zones
    /// (docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html).
    ///
    /// It is advice: it is asked for once in a run whose plan removes a route, and nothing is decided
    /// by it. So it never fails as a whole, and does not try for long: what cannot be read within
    /// seconds is [`Carried::Unreadable`], and metrics without a data point are [`Carried::NoData`]. A
    /// cloud that has no such data is not asked, and answers nothing.
    async fn carried(&self, _scope: &Scope, _nats: &[NatGatewayId]) -> Vec<NatTraffic> {
        Vec::new()
    }

    /// Asks a probe, by one call that waits for its answer. A probe that cannot be asked has not
    /// answered: its function is missing, or AWS is still making its interface
    /// (docs.aws.amazon.com/lambda/latest/dg/functions-states.html). A cloud without probes has none to
    /// ask.
    async fn ask_probe(
        &self,
        _scope: &Scope,
        probe: &ProbeName,
        _question: &Question,
    ) -> Result<probe::Answer, CallError> {
        Err(CallError {
            operation: ASK_PROBE.to_owned(),
            class: ErrorClass::Invalid,
            code: None,
            message: format!("there is no way to ask `{probe}` here"),
        })
    }
}

/// The operation that asks a probe, by AWS's name.
pub const ASK_PROBE: &str = "Invoke";

/// What a look at the cloud brought back.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// The sections asked for, as far as they were read in full.
    pub world: World,
    /// The sections asked for that could not be read in full, each with the reason.
    pub unread: Vec<Unread>,
}

/// A section that was not read in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unread {
    /// The section that is missing.
    pub section: Section,
    /// The call that failed and so left the section missing.
    pub error: CallError,
}

/// What came back from a call that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the call did, or why not.
    pub outcome: Result<Applied, CallError>,
    /// EC2's id of the request, which CloudTrail's record of the call has too (`requestID`); `None`
    /// where no answer came.
    pub request_id: Option<String>,
}

impl Answer {
    /// An answer without an id.
    pub fn without_id(outcome: Result<Applied, CallError>) -> Self {
        Self { outcome, request_id: None }
    }
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{operation}: {}{message}", code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default())]
pub struct CallError {
    /// The operation that was called, by AWS's name: `DescribeRouteTables`.
    pub operation: String,
    /// What the failure means for the run.
    pub class: ErrorClass,
    /// AWS's code, without CloudTrail's `Client.` prefix; absent when no answer came, or one
    /// without a code.
    pub code: Option<String>,
    /// AWS's words.
    pub message: String,
}

impl CallError {
    /// The failure for people: the operation, and AWS's own words in quotation marks.
    pub fn shown(&self) -> String {
        let code = self.code.as_deref().map(|code| format!("{}: ", word(code)));
        let said = quoted_message(&self.message);
        format!("{}: {}{said}", word(&self.operation), code.unwrap_or_default())
    }

    /// Whether no answer to the call came, so that nobody knows whether it had its effect.
    pub fn is_unanswered(&self) -> bool {
        self.code.is_none() && self.class.passes()
    }
}

/// What a failed call means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// What the call names is not there.
    NotFound,
    /// What the call wants is so already.
    AlreadyDone,
    /// The caller's permissions do not allow the call.
    Denied,
    /// There were too many calls; the same call may succeed later.
    Throttled,
    /// AWS has a passing fault, or a thing a state that will pass; the same call may succeed later.
    Transient,
    /// The call can never succeed as it is.
    Invalid,
}

impl ErrorClass {
    /// Whether the same call may succeed later without anybody's doing.
    pub fn passes(self) -> bool {
        match self {
            Self::Throttled | Self::Transient => true,
            Self::NotFound | Self::AlreadyDone | Self::Denied | Self::Invalid => false,
        }
    }
}
