//! From one delivered event to the messages about it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::baseline::Baseline;
use crate::baseline::source::BaselineError;
use crate::ec2::id::{Place, VpcId};
use crate::ec2::resource_id::{ResourceId, ResourceKind};
use crate::event::{self, NotARecord, Reach, Record, TagChange, Trigger};
use crate::inbox::message::{Message, for_call, selection_changed, without_baseline};
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

/// The messages about a call, where `resolved` is what the ids of its reach were found to belong
/// to: the managed ones of the VPCs it concerns, and those that it took out of the guardrail's
/// care. Where nothing it names is found, or an endpoint is not, that may be any managed VPC.
/// Without a baseline nobody can tell which are managed: then every VPC it names, and if it names
/// none, one message that says so.
pub fn messages(
    trigger: &Trigger,
    place: &Place,
    resolved: &Resolved,
    managed: &Managed<'_>,
) -> Vec<Message> {
    let named_itself: &[VpcId] = match &trigger.reach {
        Reach::Vpcs(vpcs) => vpcs,
        Reach::Resolve(_) | Reach::AllManaged => &[],
    };
    let named: BTreeSet<&VpcId> = named_itself.iter().chain(&resolved.vpcs).collect();
    let any =
        named.is_empty() || resolved.gone.iter().any(|id| id.kind() == ResourceKind::Endpoint);
    let vpcs: Vec<&VpcId> = match managed {
        Managed::Known(baseline, managed) => {
            let vpcs = managed.iter().filter(|vpc| any || named.contains(vpc)).collect();
            return messages_in_care(trigger, place, vpcs, &departed(trigger, baseline, managed));
        }
        Managed::NoBaseline(why) if named.is_empty() => {
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
    use crate::inbox::message::About;
    use serde_json::json;

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    fn event(name: &str) -> Value {
        json!({
            "detail-type": "AWS API Call via CloudTrail", "account": "111122223333", "region": "eu-central-1",
            "detail": {
                "eventName": name, "eventSource": "ec2.amazonaws.com", "eventID": "e-1",
                "requestParameters": {"routeTableId": "rtb-1"},
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
        assert_eq!(looked_at(&named(&["vpc-2", "vpc-9"], &["nat-1"]), &managed), about(&["vpc-2"]));
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

    #[test]
    fn what_is_gone_may_have_been_anywhere() {
        let baseline = Baseline::default();
        let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
        assert_eq!(looked_at(&named(&[], &["rtb-1"]), &managed), about(&["vpc-1", "vpc-2"]));
        assert_eq!(
            looked_at(&named(&["vpc-1"], &["vpce-1"]), &managed),
            about(&["vpc-1", "vpc-2"])
        );
    }

    #[test]
    fn without_a_baseline_whatever_is_named_is_looked_at() {
        let fault = Source::of(None).unwrap_err();
        let unknown = Managed::NoBaseline(fault.clone());
        assert_eq!(looked_at(&named(&["vpc-9"], &["vpce-1"]), &unknown), about(&["vpc-9"]));
        assert_eq!(looked_at(&named(&[], &[]), &unknown), [About::NoBaseline(fault.to_string())]);
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
