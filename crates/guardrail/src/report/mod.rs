//! What a run found, did and left alone: the value that the alert, the log and the command print.
//!
//! The JSON form is versioned: fields are only added within a version. `guardrail report schema`
//! prints its JSON Schema.

pub mod alert;
pub mod baseline_check;
pub mod commands;
pub mod doctor;
pub mod explain;
pub mod memory;
pub mod metrics;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::analysis::departure::{Departed, Departure};
use crate::baseline::Mode;
use crate::baseline::RuleId;
use crate::cloud::{Applied, CallError, ErrorClass, NatTraffic, Unread};
use crate::ec2::id::Scope;
use crate::ec2::resource_id::ResourceId;
use crate::event::Evidence;
use crate::history::LookAgain;
use crate::plan::advice::Advice;
use crate::plan::costs::StepCost;
use crate::plan::{Hold, StepId};
use crate::probe::ProbeName;
use crate::rules::exemptions::ExemptedIn;
use crate::rules::finding::Drift;
use crate::rules::left_alone::{LeftAlone, LeftAloneReason};
use crate::shown::quoted_message;
use crate::time::Day;

/// The version of the report's JSON form.
pub const VERSION: u32 = 1;

/// One run over one VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// The version of this JSON form.
    pub version: u32,
    /// The run's name in logs and alerts.
    pub run_id: String,
    /// The account, Region and VPC that the run looked at.
    pub scope: Scope,
    /// The value of the VPC's `Name` tag; absent without one.
    pub vpc_name: Option<String>,
    /// What led to the run.
    pub cause: Cause,
    /// The calls that led to the run; more than one when several were handled together.
    pub evidence: Vec<Evidence>,
    /// The baseline's default mode for the VPC.
    pub mode: Mode,
    /// Whether an override of the baseline says the modes for the VPC.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub modes_of_override: bool,
    /// When the run began (UTC).
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub started: Timestamp,
    /// When the run ended (UTC).
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub finished: Timestamp,
    /// How the run ended.
    pub verdict: Verdict,
    /// What the calls that led to the run took out of the guardrail's care.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub departures: Vec<Departure>,
    /// The findings: what was not as the baseline wants it.
    pub findings: Vec<Found>,
    /// What is exempted, and by what: nothing is done about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempted: Vec<ExemptedFinding>,
    /// The exemptions that exempt nothing, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempting_nothing: Vec<ExemptingNothing>,
    /// The steps that were taken about the findings, or would be.
    pub steps: Vec<StepReport>,
    /// What the steps cost that make interface endpoints, or give them interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<StepCost>,
    /// What to know of the traffic that the steps move or cut off; absent where they do neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// What the NAT gateways carried in the last hour whose routes the plan removes; none where
    /// nobody was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nat_traffic: Vec<NatTraffic>,
    /// What probes did not reach after the run had removed routes: it may have cut something off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut_off: Vec<CutOff>,
    /// What was left alone, and why.
    pub left_alone: Vec<LeftAlone>,
    /// The sections that could not be read in full, each with the reason.
    pub unread: Vec<Unread>,
    /// What is left of the plan as one text for a shell; absent when nothing is, and in an alert
    /// that would be too long with it.
    pub script: Option<String>,
    /// What undoes the steps that were done as one text for a shell; absent when nothing was done,
    /// and in an alert that would be too long with it.
    pub undo_script: Option<String>,
    /// Whether another run is needed.
    pub next: Next,
    /// When the VPC is looked at again, because something has to act first; absent when nothing is
    /// waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_again: Option<LookAgain>,
    /// Whether the VPC was looked after before this run, and is not now, though no recorded call that
    /// led to the run says who changed that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_managed: bool,
    /// What subscribers were told of and is so no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<Ended>,
    /// How many seconds the VPC was not on its baseline, when it is back on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_off_for_seconds: Option<i64>,
    /// Why the table did not take the run: nothing was changed from then on, and the next run closes
    /// its record. Absent when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes_error: Option<CallError>,
}

/// What a probe saw, or did not, after a route of its subnet's table was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CutOff {
    /// The probe, which had seen every required service answer just before.
    pub probe: ProbeName,
    /// What it saw instead, or why it could not be asked, for people.
    pub why: String,
}

/// A finding that was told and has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ended {
    /// The rule that had found it.
    pub rule: RuleId,
    /// The finding in one line, for people, as it was told.
    pub summary: String,
    /// When it was first found (UTC).
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub since: Timestamp,
}

/// What led to a run. Logged and told, never decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A call that CloudTrail recorded led to the run.
    Event,
    /// A recorded call changed the tags that say what the guardrail looks after.
    SelectionChanged,
    /// The scheduled look at every VPC led to the run.
    Sweep,
    /// What an earlier run had to wait for is due.
    Clock,
    /// A person started the run.
    Operator,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Event => "event",
            Self::SelectionChanged => "selection-changed",
            Self::Sweep => "sweep",
            Self::Clock => "clock",
            Self::Operator => "operator",
        })
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was to be found.
    Compliant,
    /// Everything found is repaired.
    Repaired,
    /// No drift is left, and a person should know of something that the baseline says nothing of.
    Advised,
    /// Something found is still there.
    DriftLeft,
    /// Not everything could be observed, and nothing was found in what was.
    Incomplete,
    /// The baseline does not look after this VPC.
    NotManaged,
    /// There is no such VPC.
    NoSuchVpc,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compliant => "compliant",
            Self::Repaired => "repaired",
            Self::Advised => "advised",
            Self::DriftLeft => "drift left",
            Self::Incomplete => "not fully observed",
            Self::NotManaged => "not managed",
            Self::NoSuchVpc => "no such VPC",
        })
    }
}

/// Whether another run is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// No: what is left is a person's, or there is nothing left.
    Settled,
    /// Yes: something was left that a later run may mend.
    Again,
}

/// A finding, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Found {
    /// The rule that found it.
    pub rule: RuleId,
    /// The mode that the rule's findings are handled in.
    pub mode: Mode,
    /// The finding in one line, for people.
    pub summary: String,
    /// The finding as data.
    pub drift: Drift,
    /// Whether the finding was gone when the run looked again.
    pub repaired: bool,
}

/// A finding that is exempted, or the exempted part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExemptedFinding {
    /// The rule that finds it.
    pub rule: RuleId,
    /// The mode that the rule's findings are handled in.
    pub mode: Mode,
    /// The finding in one line, for people.
    pub summary: String,
    /// The finding as data.
    pub drift: Drift,
    /// What is exempted; a VPC stands for all that is in it.
    pub on: ResourceId,
    /// Where the exemption is written.
    pub written: ExemptedIn,
    /// The last day of the exemption (UTC).
    pub until: Day,
    /// Why it is exempted, as whoever exempted it says.
    pub reason: String,
    /// Who set the tag that exempts; absent where no recorded call said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
}

impl ExemptedFinding {
    /// What exempts it, in words.
    pub fn exemption(&self) -> String {
        let Self { on, written, reason, .. } = self;
        format!("{} {on}: {}", written_on(*written), quoted_message(reason))
    }
}

/// Where an exemption is written, before the name of what it is for.
fn written_on(written: ExemptedIn) -> &'static str {
    match written {
        ExemptedIn::Tag => "the tag on",
        ExemptedIn::Baseline => "the baseline, for",
    }
}

/// An exemption that exempts nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExemptingNothing {
    /// What it would exempt.
    pub on: ResourceId,
    /// Where it is written.
    pub written: ExemptedIn,
    /// Why it exempts nothing, in words: `the tag on rtb-… ` and this make a sentence.
    pub why: String,
}

impl fmt::Display for ExemptingNothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", written_on(self.written), self.on, self.why)
    }
}

/// A step, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepReport {
    /// The step's number in the plan, from 1.
    pub id: StepId,
    /// The rules whose findings the step answers.
    pub rules: Vec<RuleId>,
    /// What the step does in one line, for people.
    pub summary: String,
    /// The AWS CLI command that does the same; absent for waiting.
    pub command: Option<String>,
    /// The numbers of the steps that the step comes after.
    pub after: Vec<StepId>,
    /// What became of the step.
    pub outcome: Outcome,
    /// The AWS CLI command that undoes the step, when it was done.
    pub undo: Option<String>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Outcome {
    /// The step was taken.
    Done(Applied),
    /// What the step waited for came.
    Ready,
    /// The plan was only asked for: the step would be taken.
    Planned,
    /// This mode of its rules does not allow the step.
    NotAllowed(Mode),
    /// The mode allows the step, but this holds it back.
    Held(Hold),
    /// What the step was planned from has changed.
    Stale,
    /// A step that this one comes after did not succeed.
    Skipped {
        /// The number of the step that did not succeed.
        because: StepId,
    },
    /// AWS refused the step's call.
    Failed(CallError),
    /// No answer to the step's call came, and its change shows: the call made it, or somebody else did.
    FoundMade(CallError),
    /// What the step was planned from could not be read again.
    RecheckFailed(CallError),
    /// What the step waited for did not come in time.
    TimedOut,
    /// What the step waited for will not come by itself.
    WillNotBeReady {
        /// Why it will not come, for people.
        reason: String,
    },
    /// The run's time was up before the step.
    OutOfTime,
    /// The table did not take it that the step was about to be taken.
    NotRecorded(CallError),
}

impl Outcome {
    /// Whether steps that come after this one may be taken.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Ready | Self::FoundMade(_))
    }

    /// Whether a later run may do better without anybody's doing.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Done(_)
            | Self::Ready
            | Self::FoundMade(_)
            | Self::Planned
            | Self::NotAllowed(_)
            | Self::Skipped { .. }
            | Self::Held(Hold::Settling { .. } | Hold::Grace { .. } | Hold::Pace { .. })
            | Self::WillNotBeReady { .. } => false,
            Self::Held(
                Hold::RunLimit
                | Hold::RoutesFirst
                | Hold::NotRemembered { .. }
                | Hold::NotProven { .. },
            )
            | Self::Stale
            | Self::TimedOut
            | Self::OutOfTime
            | Self::NotRecorded(_) => true,
            Self::RecheckFailed(error) => error.class.passes(),
            // What was not there, or was there already, when the call came was planned from a view
            // that was too old.
            Self::Failed(error) => match error.class {
                ErrorClass::Throttled
                | ErrorClass::Transient
                | ErrorClass::NotFound
                | ErrorClass::AlreadyDone => true,
                ErrorClass::Denied | ErrorClass::Invalid => false,
            },
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(Applied::Done) => f.write_str("done"),
            Self::Done(Applied::Already) => f.write_str("was so already"),
            Self::Done(Applied::CreatedEndpoint(id)) => write!(f, "done: {id}"),
            Self::Done(Applied::CreatedGroup(id)) => write!(f, "done: {id}"),
            Self::Ready => f.write_str("done"),
            Self::Planned => f.write_str("would be taken"),
            Self::NotAllowed(mode) => write!(f, "not taken: the mode is {mode}"),
            Self::Held(hold @ (Hold::RunLimit | Hold::RoutesFirst)) => {
                write!(f, "left for the next run: {hold}")
            }
            Self::Held(
                hold @ (Hold::Settling { .. }
                | Hold::Grace { .. }
                | Hold::Pace { .. }
                | Hold::NotRemembered { .. }
                | Hold::NotProven { .. }),
            ) => {
                write!(f, "not yet: {hold}")
            }
            Self::Stale => f.write_str("not taken: what it was planned from has changed meanwhile"),
            Self::Skipped { because } => write!(f, "not taken: step {because} comes first"),
            Self::Failed(error) if error.is_unanswered() => {
                write!(f, "failed, or taken back since: no answer came: {}", error.shown())
            }
            Self::Failed(error) => write!(f, "failed: {}", error.shown()),
            Self::FoundMade(error) => {
                write!(f, "made, or found made: no answer came: {}", error.shown())
            }
            Self::RecheckFailed(error) => {
                write!(f, "not taken: could not look again: {}", error.shown())
            }
            Self::TimedOut => f.write_str("not yet; the next run goes on"),
            Self::WillNotBeReady { reason } => write!(f, "will not come: {reason}"),
            Self::OutOfTime => f.write_str("not taken: the run's time was up"),
            Self::NotRecorded(error) => {
                write!(f, "not taken: it could not be recorded first: {}", error.shown())
            }
        }
    }
}

impl Report {
    /// Whether all that is left of the findings goes by itself: nobody has to do anything.
    pub fn is_only_coming_up(&self) -> bool {
        let comes = |left: &LeftAlone| left.reason == LeftAloneReason::ComesByItself;
        let mut left = self.findings.iter().filter(|found| !found.repaired).peekable();
        let of_rule = |rule: RuleId| self.left_alone.iter().filter(move |it| it.rule == Some(rule));
        let comes_by_itself =
            |rule: RuleId| of_rule(rule).next().is_some() && of_rule(rule).all(comes);
        left.peek().is_some() && left.all(|found| comes_by_itself(found.rule))
    }

    /// Whether the VPC has left the guardrail's care.
    pub fn vpc_departed(&self) -> bool {
        self.departures.iter().any(|departure| match departure.what {
            Departed::Vpc { .. } => true,
            Departed::Subnet { .. } => false,
        })
    }

    /// Whether a subnet has left the guardrail's care, and not the whole VPC.
    pub fn subnets_departed(&self) -> bool {
        !self.departures.is_empty() && !self.vpc_departed()
    }

    /// Whether the run changed something, and something found is gone.
    pub fn repaired_some(&self) -> bool {
        self.changed() && self.findings.iter().any(|found| found.repaired)
    }

    /// How many exemptions exempt something that was found.
    pub fn exemptions(&self) -> usize {
        let each: BTreeSet<_> = self.exempted.iter().map(|it| (&it.on, it.written)).collect();
        each.len()
    }

    /// Whether anything was changed.
    pub fn changed(&self) -> bool {
        let changed = |step: &StepReport| match &step.outcome {
            Outcome::Done(applied) => *applied != Applied::Already,
            Outcome::FoundMade(_) => true,
            Outcome::Ready
            | Outcome::Planned
            | Outcome::NotAllowed(_)
            | Outcome::Held(_)
            | Outcome::Stale
            | Outcome::Skipped { .. }
            | Outcome::Failed(_)
            | Outcome::RecheckFailed(_)
            | Outcome::TimedOut
            | Outcome::WillNotBeReady { .. }
            | Outcome::OutOfTime
            | Outcome::NotRecorded(_) => false,
        };
        self.steps.iter().any(changed)
    }

    /// Whether anything was changed, or a call had no answer: what it changed may show to nobody any
    /// more, as where somebody has taken it back since.
    pub fn may_have_changed(&self) -> bool {
        let unanswered = |step: &StepReport| matches!(&step.outcome, Outcome::Failed(error) if error.is_unanswered());
        self.changed() || self.steps.iter().any(unanswered)
    }
}

#[cfg(test)]
mod tests;
