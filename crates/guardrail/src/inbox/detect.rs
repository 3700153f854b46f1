//! From one delivered event to the messages about it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::baseline::Baseline;
use crate::baseline::source::BaselineError;
use crate::ec2::id::{Place, VpcId};
use crate::ec2::resource_id::ResourceId;
use crate::event::{self, Evidence, Gone, NotARecord, Reach, Record, TagChange, Trigger};
use crate::history::detected::Noted;
use crate::history::own_calls::OwnCall;
use crate::inbox::message::{About, Message, for_call, selection_changed, without_baseline};
use crate::shown::word;

/// Why an event leads to nothing. None of these is a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// It is none of CloudTrail's.
    #[error("not a recorded call: {0}")]
    NotARecord(#[from] NotARecord),
    /// The call failed.
    #[error("{} failed ({}) and changed nothing", word(.event), word(.code))]
    Failed {
        /// `eventName`.
        event: String,
        /// AWS's code.
        code: String,
    },
    /// No rule reads what the call changes.
    #[error("{} changes nothing that is watched", word(.event))]
    NotWatched {
        /// `eventName`.
        event: String,
    },
    /// The call was made somewhere else.
    #[error("{} was made in {place}; the guardrail there looks after that", word(.event))]
    Elsewhere {
        /// `eventName`.
        event: String,
        /// The account or Region.
        place: String,
    },
}

/// What an event asks to look at.
///
/// # Errors
/// When it asks for nothing.
pub fn accept(delivered: &Value, place: &Place) -> Result<Trigger, Ignored> {
    let evidence = event::decode(delivered)?;
    let record = &evidence.record;
    let event = record.event.clone();
    if let Some(code) = record.error_code.clone() {
        return Err(Ignored::Failed { event, code });
    }
    let elsewhere = made_elsewhere(record, place);
    let not_watched = || Ignored::NotWatched { event: event.clone() };
    let trigger = evidence.into_trigger().ok_or_else(not_watched)?;
    match elsewhere {
        Some(place) => Err(Ignored::Elsewhere { event, place }),
        None => Ok(trigger),
    }
}

/// The other account or Region that a call was made in; `None` for a call that was made here, or
/// that does not say.
pub fn made_elsewhere(record: &Record, place: &Place) -> Option<String> {
    let account = record.account.as_ref().filter(|account| **account != place.account);
    let region = || record.region.as_ref().filter(|region| **region != place.region);
    account
        .map(|account| format!("account {account}"))
        .or_else(|| region().map(ToString::to_string))
}

/// The VPCs that what a call names was found in, and what was found nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The VPCs.
    pub vpcs: BTreeSet<VpcId>,
    /// The ids that belong to no VPC, or none any more.
    pub gone: Vec<ResourceId>,
}

/// What is known of which VPCs are managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Managed<'b> {
    /// These are, by this baseline.
    Known(&'b Baseline, Vec<VpcId>),
    /// Nobody can tell, because the baseline cannot be used.
    NoBaseline(BaselineError),
}

/// Where and when a call is looked into, and by whose role the guardrail's own calls are known.
#[derive(Debug, Clone, Copy)]
pub struct Detecting<'d> {
    /// The account and Region.
    pub place: &'d Place,
    /// The ARN of the repair function's role, with its path; `None` where no such function is
    /// deployed.
    pub repair_role: Option<&'d str>,
    /// The time (UTC).
    pub now: Timestamp,
}

/// What a call leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The messages to send.
    pub messages: Vec<Message>,
    /// What to note in the table.
    pub notes: Vec<Noted>,
}

/// Whether a call was made with this role: AWS says so, and neither the agent nor the session's name
/// does.
fn is_own_call(evidence: &Evidence, repair_role: Option<&str>) -> bool {
    evidence.session_issuer.as_deref().is_some_and(|issuer| repair_role == Some(issuer))
}

/// What a call leads to, where `resolved` is what the ids of its reach were found to belong to.
/// A call of the guardrail's own is noted only, and nothing needs to be looked up for it. Any other
/// leads to messages about the managed ones of the VPCs that it concerns, and about those that it
/// took out of the guardrail's care. What is done about what is gone, its row of the event table
/// says. Without a baseline nobody can tell which VPCs are managed: then every VPC it names is
/// looked at, and where it may be any VPC, one message says so; or, where the baseline is likely to be
/// readable soon, a comparison of the Region is asked for.
pub fn decide(
    trigger: &Trigger,
    detecting: Detecting<'_>,
    resolved: &Resolved,
    managed: &Managed<'_>,
) -> Detected {
    if let Some(own) = own_call(trigger, detecting) {
        return own;
    }
    let beyond = beyond(trigger, resolved);
    let any = beyond == Beyond::EveryManagedVpc;
    let mut messages = messages_about(trigger, detecting.place, resolved, managed, any);
    // A baseline that could not be read at this moment is nobody's news. Whoever compares the Region
    // later looks at all VPCs that this call may be about.
    let waits = any && matches!(managed, Managed::NoBaseline(unusable) if unusable.passes());
    if waits {
        messages.retain(|message| matches!(message.about, About::Vpc(_)));
    }
    let compare = (waits || beyond == Beyond::Comparison).then_some(Noted::CompareRegion);
    let changed = changed_attributes(trigger, &messages).into_iter();
    let notes = compare.into_iter().chain(changed.map(Noted::VpcAttributesChanged)).collect();
    Detected { messages, notes }
}

/// What a call of the guardrail's own leads to, for which nothing needs to be looked up; `None` for any
/// other call.
pub fn own_call(trigger: &Trigger, detecting: Detecting<'_>) -> Option<Detected> {
    if !is_own_call(&trigger.evidence, detecting.repair_role) {
        return None;
    }
    let own = OwnCall::noted(&trigger.evidence, detecting.now);
    let changed = changed_attributes(trigger, &[]).into_iter().map(Noted::VpcAttributesChanged);
    let notes = std::iter::once(Noted::OwnCall(Box::new(own))).chain(changed).collect();
    Some(Detected { messages: Vec::new(), notes })
}

/// The messages about a call for whoever notes nothing: instead of one comparison of the Region,
/// every managed VPC is looked at.
pub fn messages(
    trigger: &Trigger,
    place: &Place,
    resolved: &Resolved,
    managed: &Managed<'_>,
) -> Vec<Message> {
    let any = match beyond(trigger, resolved) {
        Beyond::EveryManagedVpc | Beyond::Comparison => true,
        Beyond::Nothing => false,
    };
    messages_about(trigger, place, resolved, managed, any)
}

/// What a call asks for beyond the VPCs that it was found to concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beyond {
    EveryManagedVpc,
    Comparison,
    Nothing,
}

fn beyond(trigger: &Trigger, resolved: &Resolved) -> Beyond {
    match &trigger.reach {
        Reach::AllManaged => Beyond::EveryManagedVpc,
        Reach::Comparison => Beyond::Comparison,
        Reach::Resolve(_) if !resolved.gone.is_empty() => match trigger.evidence.when_gone() {
            Gone::EveryManagedVpc(_) => Beyond::EveryManagedVpc,
            Gone::Comparison(_) => Beyond::Comparison,
            Gone::Nothing(_) => Beyond::Nothing,
        },
        Reach::Resolve(_) | Reach::Vpcs(_) => Beyond::Nothing,
    }
}

/// The VPCs whose attributes the call may have changed: those that it names, and those that it is
/// taken to concern.
fn changed_attributes(trigger: &Trigger, messages: &[Message]) -> BTreeSet<VpcId> {
    let record = &trigger.evidence.record;
    if record.event != "ModifyVpcAttribute" {
        return BTreeSet::new();
    }
    let looked_at = messages.iter().filter_map(|message| match &message.about {
        About::Vpc(scope) => Some(&scope.vpc),
        About::NoBaseline(_) => None,
    });
    record.vpc_ids.iter().chain(looked_at).cloned().collect()
}

fn messages_about(
    trigger: &Trigger,
    place: &Place,
    resolved: &Resolved,
    managed: &Managed<'_>,
    any: bool,
) -> Vec<Message> {
    let named_itself: &[VpcId] = match &trigger.reach {
        Reach::Vpcs(vpcs) => vpcs,
        Reach::Resolve(_) | Reach::AllManaged | Reach::Comparison => &[],
    };
    let named: BTreeSet<&VpcId> = named_itself.iter().chain(&resolved.vpcs).collect();
    let vpcs: Vec<&VpcId> = match managed {
        Managed::Known(baseline, managed) => {
            let vpcs = managed.iter().filter(|vpc| any || named.contains(vpc)).collect();
            return messages_in_care(trigger, place, vpcs, &departed(trigger, baseline, managed));
        }
        Managed::NoBaseline(why) if named.is_empty() && any => {
            return vec![without_baseline(&trigger.evidence, &why.to_string())];
        }
        Managed::NoBaseline(_) => named.into_iter().collect(),
    };
    vpcs.into_iter().map(|vpc| for_call(&trigger.evidence, place.scope(vpc))).collect()
}

/// The messages about these VPCs, and about those among the departed that are not of them.
fn messages_in_care(
    trigger: &Trigger,
    place: &Place,
    vpcs: Vec<&VpcId>,
    departed: &Departed,
) -> Vec<Message> {
    let evidence = &trigger.evidence;
    let others = departed.vpcs.iter().filter(|vpc| !vpcs.contains(vpc));
    let others: Vec<Message> =
        others.map(|vpc| selection_changed(evidence, place.scope(vpc))).collect();
    let managed =
        vpcs.into_iter().map(|vpc| match departed.subnets || departed.vpcs.contains(vpc) {
            true => selection_changed(evidence, place.scope(vpc)),
            false => for_call(evidence, place.scope(vpc)),
        });
    managed.chain(others).collect()
}

/// What a call may have taken out of the guardrail's care.
struct Departed {
    /// VPCs, whether they are managed now or not.
    vpcs: BTreeSet<VpcId>,
    /// Whether subnets of the managed VPCs that it concerns.
    subnets: bool,
}

/// What a call may have taken out of the guardrail's care, as far as can be told without looking.
/// Tags that are taken away are gone, whatever is read of them by now; tags that are set took a VPC
/// away only if it is not managed now. What set tags make of a subnet is for the run to see: there
/// is one in any case, as its VPC is managed.
fn departed(trigger: &Trigger, baseline: &Baseline, managed: &[VpcId]) -> Departed {
    let tagging = trigger.evidence.tagging.as_ref();
    let vpcs = tagging.and_then(|tagging| tagging.vpcs(baseline)).map(|(vpcs, _)| vpcs);
    let subnets = tagging.and_then(|tagging| tagging.subnets(baseline)).map(|(subnets, _)| subnets);
    let is_taken_away = tagging.is_some_and(|tagging| match tagging.change {
        TagChange::TakenAway => true,
        TagChange::Set => false,
    });
    let has_left = |vpc: &VpcId| is_taken_away || !managed.contains(vpc);
    Departed {
        vpcs: vpcs.into_iter().flatten().filter(has_left).collect(),
        subnets: is_taken_away && subnets.is_some_and(|subnets| !subnets.is_empty()),
    }
}

#[cfg(test)]
mod tests;
