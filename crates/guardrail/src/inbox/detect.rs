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
/// looked at, and where it may be any VPC, one message says so.
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
    let messages = messages_about(trigger, detecting.place, resolved, managed, any);
    let compare = (beyond == Beyond::Comparison).then_some(Noted::CompareRegion);
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
mod tests {
    use super::*;
    use crate::baseline::source::Source;
    use serde_json::json;

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    fn event(name: &str) -> Value {
        json!({
            "detail-type": "AWS API Call via CloudTrail", "account": "111122223333", "region": "eu-central-1",
            "detail": {
                "eventName": name, "eventSource": "ec2.amazonaws.com", "eventID": "e-1",
                "requestParameters": {"routeTableId": "rtb-0a1b2c3d4e5f60011"},
            },
        })
    }

    fn ignored(delivered: &Value) -> String {
        accept(delivered, &place()).unwrap_err().to_string()
    }

    #[test]
    fn what_changes_nothing_here_is_ignored_with_a_reason() {
        let with = |name: &str, key: &str, value: &str| {
            let mut event = event(name);
            event["detail"][key] = json!(value);
            event
        };
        assert_eq!(ignored(&event("DescribeVpcs")), "DescribeVpcs changes nothing that is watched");
        let failed = with("CreateRoute", "errorCode", "Client.UnauthorizedOperation");
        assert_eq!(
            ignored(&failed),
            "CreateRoute failed (Client.UnauthorizedOperation) and changed nothing"
        );
        let far = with("CreateRoute", "awsRegion", "us-east-1");
        assert_eq!(
            ignored(&far),
            "CreateRoute was made in us-east-1; the guardrail there looks after that"
        );
        let other = with("CreateRoute", "recipientAccountId", "444455556666");
        assert_eq!(
            ignored(&other),
            "CreateRoute was made in account 444455556666; the guardrail there looks after that"
        );
        assert!(ignored(&json!(7)).starts_with("not a recorded call: a number"));
    }

    fn looked_at(named: &Resolved, managed: &Managed) -> Vec<About> {
        let trigger = accept(&event("CreateRoute"), &place()).unwrap();
        messages(&trigger, &place(), named, managed)
            .into_iter()
            .map(|message| message.about)
            .collect()
    }

    fn ids(vpcs: &[&str]) -> Vec<VpcId> {
        vpcs.iter().map(|vpc| vpc.parse().unwrap()).collect()
    }

    fn about(vpcs: &[&str]) -> Vec<About> {
        ids(vpcs).iter().map(|vpc| About::Vpc(place().scope(vpc))).collect()
    }

    fn named(vpcs: &[&str], gone: &[&str]) -> Resolved {
        Resolved {
            vpcs: ids(vpcs).into_iter().collect(),
            gone: gone.iter().map(|id| id.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn managed_vpcs_that_are_named_are_looked_at() {
        let baseline = Baseline::default();
        let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
        assert_eq!(looked_at(&named(&["vpc-2", "vpc-9"], &[]), &managed), about(&["vpc-2"]));
        assert_eq!(looked_at(&named(&["vpc-9"], &[]), &managed), []);
    }

    #[test]
    fn a_vpc_that_the_call_names_itself_needs_no_look_up() {
        let baseline = Baseline::default();
        let mut call = event("CreateSubnet");
        call["detail"]["requestParameters"] = json!({"vpcId": "vpc-0a1b2c3d4e5f60002"});
        let trigger = accept(&call, &place()).unwrap();
        assert_eq!(trigger.reach.ids_to_resolve(), []);
        let managed =
            Managed::Known(&baseline, ids(&["vpc-0a1b2c3d4e5f60001", "vpc-0a1b2c3d4e5f60002"]));
        let messages = messages(&trigger, &place(), &Resolved::default(), &managed);
        let looked_at: Vec<About> = messages.into_iter().map(|message| message.about).collect();
        assert_eq!(looked_at, about(&["vpc-0a1b2c3d4e5f60002"]));
    }

    fn detecting(place: &Place) -> Detecting<'_> {
        Detecting { place, repair_role: Some(ROLE), now: Timestamp::UNIX_EPOCH }
    }

    const ROLE: &str = "arn:aws:iam::111122223333:role/guardrail-RepairRole-1";

    /// A call on one thing, and what was found of it.
    fn detected(
        name: &str,
        resolved: &Resolved,
        managed: &Managed<'_>,
    ) -> (Vec<About>, Vec<Noted>) {
        let mut call = event(name);
        let ids = ["rtb-0a1b2c3d4e5f60011", "sg-0a1b2c3d4e5f60041", "eni-0a1b2c3d4e5f60051"];
        let more = ["vpce-0a1b2c3d4e5f60031", "i-0a1b2c3d4e5f60081", "pl-0a1b2c3d4e5f60071"];
        call["detail"]["requestParameters"] = json!([ids, more, "acl-0a1b2c3d4e5f60091"]);
        let trigger = accept(&call, &place()).unwrap();
        let Detected { messages, notes } = decide(&trigger, detecting(&place()), resolved, managed);
        (messages.into_iter().map(|message| message.about).collect(), notes)
    }

    #[test]
    fn what_is_gone_is_looked_for_as_its_row_says() {
        let baseline = Baseline::default();
        let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
        let gone = named(&[], &["rtb-1"]);
        let compare = (vec![], vec![Noted::CompareRegion]);
        for name in [
            "CreateRoute",
            "DeleteRouteTable",
            "RevokeSecurityGroupIngress",
            "ModifyNetworkInterfaceAttribute",
            "ModifyInstanceAttribute",
            "ModifyVpcEndpoint",
            "DeleteNetworkAclEntry",
            "DeleteTags",
        ] {
            assert_eq!(detected(name, &gone, &managed), compare, "{name}");
        }
        let every = (about(&["vpc-1", "vpc-2"]), vec![]);
        for name in ["DisassociateRouteTable", "ReplaceRouteTableAssociation", "DeleteVpcEndpoints"]
        {
            assert_eq!(detected(name, &gone, &managed), every, "{name}");
        }
        let nothing = (vec![], vec![]);
        assert_eq!(detected("ModifyManagedPrefixList", &named(&[], &[]), &managed), nothing);
    }

    /// Of several things one may be there and another gone.
    #[test]
    fn what_is_found_beside_what_is_gone_is_looked_at_in_any_case() {
        let baseline = Baseline::default();
        let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
        let both = named(&["vpc-1"], &["vpce-1"]);
        assert_eq!(
            detected("DeleteVpcEndpoints", &both, &managed),
            (about(&["vpc-1", "vpc-2"]), vec![])
        );
        assert_eq!(
            detected("CreateTags", &both, &managed),
            (about(&["vpc-1"]), vec![Noted::CompareRegion])
        );
    }

    #[test]
    fn who_notes_nothing_looks_at_every_managed_vpc_instead_of_a_comparison() {
        let baseline = Baseline::default();
        let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
        assert_eq!(looked_at(&named(&[], &["rtb-1"]), &managed), about(&["vpc-1", "vpc-2"]));
        assert_eq!(looked_at(&named(&["vpc-1"], &[]), &managed), about(&["vpc-1"]));
    }

    #[test]
    fn without_a_baseline_whatever_is_named_is_looked_at() {
        let fault = Source::of(None).unwrap_err();
        let unknown = Managed::NoBaseline(fault.clone());
        let of = |name: &str, resolved: Resolved| detected(name, &resolved, &unknown);
        let gone = || named(&[], &["vpce-1"]);
        let told = vec![About::NoBaseline(fault.to_string())];
        assert_eq!(
            of("DeleteVpcEndpoints", named(&["vpc-9"], &["vpce-1"])),
            (about(&["vpc-9"]), vec![])
        );
        assert_eq!(of("DeleteVpcEndpoints", gone()), (told.clone(), vec![]));
        assert_eq!(of("ModifyVpcBlockPublicAccessOptions", named(&[], &[])), (told, vec![]));
        assert_eq!(of("DeleteRouteTable", named(&[], &[])), (vec![], vec![Noted::CompareRegion]));
    }

    /// A call of the guardrail's own, or of somebody who says so.
    fn call_by(issuer: Value, change: impl FnOnce(&mut Value)) -> Detected {
        let mut call = event("CreateSubnet");
        let detail = &mut call["detail"];
        detail["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = issuer;
        detail["requestID"] = json!("r-1");
        detail["requestParameters"] = json!({ "vpcId": VPC });
        change(detail);
        let baseline = Baseline::default();
        let managed = Managed::Known(&baseline, ids(&[VPC]));
        let trigger = accept(&call, &place()).unwrap();
        decide(&trigger, detecting(&place()), &Resolved::default(), &managed)
    }

    fn noted_calls(detected: &Detected) -> Vec<(Option<&str>, Option<&str>, &str)> {
        let own = detected.notes.iter().filter_map(|note| match note {
            Noted::OwnCall(own) => Some(&own.call),
            Noted::CompareRegion | Noted::VpcAttributesChanged(_) => None,
        });
        own.map(|call| {
            (
                call.record.event_id.as_deref(),
                call.request_id.as_deref(),
                call.record.event.as_str(),
            )
        })
        .collect()
    }

    #[test]
    fn a_call_with_the_guardrails_role_is_noted_and_leads_to_no_message() {
        let own = call_by(json!(ROLE), |_| ());
        assert_eq!(own.messages, []);
        assert_eq!(noted_calls(&own), [(Some("e-1"), Some("r-1"), "CreateSubnet")]);
        let bare = call_by(json!(ROLE), |call| {
            call["requestID"] = json!(null);
            call["eventID"] = json!(null);
        });
        assert_eq!(bare.messages, []);
        assert_eq!(noted_calls(&bare), [(None, None, "CreateSubnet")]);
    }

    /// Who made a call is what AWS says of its session's role, to the letter.
    #[test]
    fn whoever_only_looks_like_the_guardrail_is_looked_into() {
        let path = "arn:aws:iam::111122223333:role/x/guardrail-RepairRole-1";
        let other = "arn:aws:iam::444455556666:role/guardrail-RepairRole-1";
        let longer = format!("{ROLE}2");
        for issuer in
            [json!(null), json!(""), json!([ROLE]), json!(path), json!(other), json!(longer)]
        {
            let detected = call_by(issuer.clone(), |call| {
                call["userAgent"] = json!("guardrail");
                call["userIdentity"]["arn"] = json!(ROLE);
                call["userIdentity"]["principalId"] = json!("AROA:guardrail-RepairFunction");
                call["session_issuer"] = json!(ROLE);
            });
            assert_eq!((detected.messages.len(), detected.notes), (1, vec![]), "{issuer}");
        }
        let evidence = event::decode(&json!({"eventName": "A"})).unwrap();
        assert!(!is_own_call(&evidence, None));
        let trigger =
            call_by(json!(ROLE), |call| call["eventName"] = json!("AttachInternetGateway"));
        assert_eq!(trigger.messages, [], "whatever the role did");
    }

    #[test]
    fn a_failed_call_of_the_guardrails_changed_nothing() {
        let mut call = event("CreateRoute");
        call["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!(ROLE);
        call["detail"]["errorCode"] = json!("InvalidRoute.NotFound");
        assert_eq!(
            ignored(&call),
            "CreateRoute failed (InvalidRoute.NotFound) and changed nothing"
        );
    }

    #[test]
    fn cached_attributes_are_dropped_whoever_changed_them() {
        let modified = |issuer: Value, request: Value| {
            let all = call_by(issuer, |call| {
                call["eventName"] = json!("ModifyVpcAttribute");
                call["requestParameters"] = request;
            });
            let dropped = all.notes.iter().filter_map(|note| match note {
                Noted::VpcAttributesChanged(vpc) => Some(vpc.to_string()),
                Noted::CompareRegion | Noted::OwnCall(_) => None,
            });
            (all.messages.len(), dropped.collect::<Vec<_>>())
        };
        let (one, two) = (json!({"vpcId": VPC}), json!([VPC, OTHER]));
        assert_eq!(modified(json!(null), one.clone()), (1, vec![VPC.to_owned()]));
        assert_eq!(modified(json!(ROLE), one), (0, vec![VPC.to_owned()]));
        assert_eq!(modified(json!(null), two), (1, vec![VPC.to_owned(), OTHER.to_owned()]));
        assert_eq!(modified(json!(null), json!(null)), (1, vec![VPC.to_owned()]));
    }

    const VPC: &str = "vpc-0a1b2c3d4e5f60000";
    const OTHER: &str = "vpc-0b1b2c3d4e5f60000";
    const SUBNET: &str = "subnet-0a1b2c3d4e5f60021";

    /// The messages about a call on tags, of which the subnet is in the first VPC: VPC and kind.
    fn kinds(name: &str, on: &[&str], tags: Value, managed: &[&str]) -> Vec<(String, String)> {
        let mut call = event(name);
        let on_ids: Vec<Value> = on.iter().map(|id| json!({ "resourceId": id })).collect();
        call["detail"]["requestParameters"] =
            json!({"resourcesSet": {"items": on_ids}, "tagSet": {"items": tags}});
        let trigger = accept(&call, &place()).unwrap();
        let of = on.iter().map(|id| if *id == SUBNET { VPC } else { *id });
        let resolved = named(&of.collect::<Vec<_>>(), &[]);
        let baseline = Baseline::default();
        let messages =
            messages(&trigger, &place(), &resolved, &Managed::Known(&baseline, ids(managed)));
        let kind = |message: Message| match message.about {
            About::Vpc(scope) => (scope.vpc.to_string(), message.cause.to_string()),
            About::NoBaseline(why) => (String::new(), why),
        };
        messages.into_iter().map(kind).collect()
    }

    #[test]
    fn what_may_have_left_the_guardrail_is_looked_at_also_where_it_is_not_managed() {
        let (managed_tag, tier) = (json!([{"key": "vpc-guardrail"}]), json!([{"key": "Tier"}]));
        let (none, owner) = (json!([]), json!([{"key": "Owner", "value": "x"}]));
        let off = json!([{"key": "vpc-guardrail", "value": "off"}]);
        let public = json!([{"key": "Tier", "value": "public"}]);
        let (delete, create) = ("DeleteTags", "CreateTags");
        let (event, left) = ("event", "selection-changed");
        type Row<'a> = (&'a str, &'a [&'a str], &'a Value, &'a [&'a str], &'a [(&'a str, &'a str)]);
        let table: [Row<'_>; 15] = [
            (delete, &[VPC], &managed_tag, &[], &[(VPC, left)]),
            (delete, &[VPC], &managed_tag, &[VPC], &[(VPC, left)]),
            (delete, &[VPC], &none, &[], &[(VPC, left)]),
            (delete, &[VPC], &owner, &[], &[]),
            (delete, &[VPC], &tier, &[VPC], &[(VPC, event)]),
            (delete, &[SUBNET], &tier, &[VPC], &[(VPC, left)]),
            (delete, &[SUBNET], &none, &[VPC], &[(VPC, left)]),
            (delete, &[SUBNET], &owner, &[VPC], &[(VPC, event)]),
            (delete, &[SUBNET], &tier, &[], &[]),
            (delete, &[VPC, OTHER], &managed_tag, &[OTHER], &[(OTHER, left), (VPC, left)]),
            (create, &[VPC], &off, &[], &[(VPC, left)]),
            (create, &[VPC], &off, &[VPC], &[(VPC, event)]),
            (create, &[VPC], &owner, &[], &[]),
            (create, &[SUBNET], &public, &[VPC], &[(VPC, event)]),
            (create, &[SUBNET], &public, &[], &[]),
        ];
        for (name, on, tags, managed, expected) in table {
            let expected: Vec<(String, String)> = expected
                .iter()
                .map(|(vpc, kind)| ((*vpc).to_owned(), (*kind).to_owned()))
                .collect();
            assert_eq!(kinds(name, on, tags.clone(), managed), expected, "{name} {on:?} {tags}");
        }
    }
}
