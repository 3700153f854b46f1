//! What is out of the guardrail's care: a VPC that is not managed, or a subnet that is not private,
//! where a call changed the tags by which the baseline selects them. Whether it was in its care
//! before, nobody can tell from the call: nobody says what tags were there.

use serde::{Deserialize, Serialize};

use crate::analysis::topology::{Class, SubnetUse, Topology};
use crate::baseline::Baseline;
use crate::ec2::id::{AccountId, SubnetId, VpcId};
use crate::ec2::snapshot::Snapshot;
use crate::event::{Evidence, NamedTag, TagChange, Tagging};

/// Something that is out of the guardrail's care, and the call that may have put it there. From now
/// on nothing of it is looked at, so that it is told once and strongly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Departure {
    /// What has left.
    pub what: Departed,
    /// Whether the call set the tags or took them away.
    pub change: TagChange,
    /// The selecting tags that the call names; none when it took all tags away.
    pub tags: Vec<NamedTag>,
    /// Who made the call.
    pub actor: String,
    /// The account of whoever made the call; absent where the record does not say.
    pub actor_account: Option<AccountId>,
    /// The call's `eventID`; absent where the record does not say.
    pub event_id: Option<String>,
}

/// What is out of the guardrail's care.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Departed {
    /// The VPC is not managed.
    Vpc {
        /// The VPC.
        vpc: VpcId,
    },
    /// A subnet of a managed VPC is not private.
    Subnet {
        /// The subnet.
        subnet: SubnetId,
        /// What the subnet is now, in words.
        class: String,
    },
}

impl Departed {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Vpc { vpc: one }, Self::Vpc { vpc: two }) => one == two,
            (Self::Subnet { subnet: one, .. }, Self::Subnet { subnet: two, .. }) => one == two,
            (Self::Vpc { .. }, Self::Subnet { .. }) | (Self::Subnet { .. }, Self::Vpc { .. }) => {
                false
            }
        }
    }
}

/// What these calls may have taken out of the guardrail's care and is out of it as the VPC is seen
/// now: a tag that was put back meanwhile is no news. Each thing is told once, with the last call.
pub fn departures(
    baseline: &Baseline,
    snapshot: &Snapshot<'_>,
    calls: &[Evidence],
) -> Vec<Departure> {
    let mut all: Vec<Departure> = Vec::new();
    for call in calls {
        let Some(tagging) = call.tagging.as_ref().filter(|_| call.is_of_interest()) else {
            continue;
        };
        for departure in of_call(baseline, snapshot, call, tagging) {
            all.retain(|earlier| !earlier.what.is_same(&departure.what));
            all.push(departure);
        }
    }
    all
}

fn of_call(
    baseline: &Baseline,
    snapshot: &Snapshot<'_>,
    call: &Evidence,
    tagging: &Tagging,
) -> Vec<Departure> {
    let departure = |what: Departed, tags: &[&NamedTag]| Departure {
        what,
        change: tagging.change,
        tags: tags.iter().copied().cloned().collect(),
        actor: call.actor().into_owned(),
        actor_account: call.actor_account.clone(),
        event_id: call.record.event_id.clone(),
    };
    if !baseline.managed_vpcs.matches(&snapshot.vpc.tags) {
        let vpc = &snapshot.vpc.vpc_id;
        let named = tagging.vpcs(baseline).filter(|(vpcs, _)| vpcs.contains(vpc));
        let what = Departed::Vpc { vpc: vpc.clone() };
        return named.map(|(_, tags)| departure(what, &tags)).into_iter().collect();
    }
    let Some((subnets, tags)) = tagging.subnets(baseline) else { return Vec::new() };
    let topology = Topology::of(snapshot, baseline);
    let named = |placed: &&SubnetUse<'_>| subnets.contains(&placed.subnet.subnet_id);
    let may_lead_out = baseline.internet_routes.may_lead_out;
    let has_left = |used: &&SubnetUse<'_>| {
        has_left(used, tagging.change, || {
            topology.leads_to_gateways_only(used, snapshot, may_lead_out)
        })
    };
    let gone = topology.subnets.iter().filter(named).filter(has_left);
    gone.map(|placed| {
        let (subnet, class) = (placed.subnet.subnet_id.clone(), placed.class.to_string());
        departure(Departed::Subnet { subnet, class }, &tags)
    })
    .collect()
}

/// Whether a subnet whose selecting tags were changed so is one that the guardrail has lost sight
/// of. A public subnet, by its tag and by its way out through internet gateways alone, was never in
/// its care; one that is tagged private and built public is found by a rule.
fn has_left(
    placed: &SubnetUse<'_>,
    change: TagChange,
    is_led_out_by_gateways: impl FnOnce() -> bool,
) -> bool {
    match (placed.class, change) {
        (Class::Private(_) | Class::BuiltPublic(..), _) => false,
        (Class::Public(_), _)
        | (
            Class::Unclassified | Class::Contradictory(..) | Class::TaggedPublicOnly(..),
            TagChange::Set,
        ) => !is_led_out_by_gateways(),
        (
            Class::Unclassified | Class::Contradictory(..) | Class::TaggedPublicOnly(..),
            TagChange::TakenAway,
        ) => true,
    }
}

impl Departure {
    /// What has left and how, in one line for people, where `by` says who made the call.
    pub fn sentence(&self, by: &str) -> String {
        let tags: Vec<String> = self.tags.iter().map(NamedTag::shown).collect();
        let tags = match tags.as_slice() {
            [] => "all its tags".to_owned(),
            [one] => format!("tag {one}"),
            [_, ..] => format!("tags {}", tags.join(", ")),
        };
        let change = match self.change {
            TagChange::TakenAway => "taken away",
            TagChange::Set => "set",
        };
        let (what, now) = match &self.what {
            Departed::Vpc { .. } => ("the VPC", "not managed"),
            Departed::Subnet { subnet, class } => (subnet.as_str(), class.as_str()),
        };
        format!("{what}: {tags} {change} by {by}; it is {now} now")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::decode;
    use crate::fixture::Fixture;

    /// A call on these VPCs and subnets, which names these tags: `key`, or `key=value`.
    fn call(name: &str, on: &[&str], tags: &[&str]) -> Evidence {
        let record = json!({
            "eventName": name, "eventSource": "ec2.amazonaws.com", "eventID": "e-1",
            "userIdentity": {"type": "IAMUser", "userName": "ops", "accountId": "111122223333"},
        });
        let mut call = decode(&record).unwrap();
        let tagging = call.tagging.as_mut().unwrap();
        tagging.resources = on.iter().map(|id| id.parse().unwrap()).collect();
        let tag = |text: &&str| match text.split_once('=') {
            Some((key, value)) => NamedTag { key: key.to_owned(), value: Some(value.to_owned()) },
            None => NamedTag { key: (*text).to_owned(), value: None },
        };
        tagging.tags = tags.iter().map(tag).collect();
        call
    }

    type Edit = fn(&mut Fixture) -> &mut Fixture;

    fn all(edit: Edit, calls: &[Evidence]) -> Vec<Departure> {
        Fixture::edited(edit).view(|view, _| departures(view.baseline, view.snapshot, calls))
    }

    fn said(edit: Edit, calls: &[Evidence]) -> Vec<String> {
        all(edit, calls).iter().map(|left| left.sentence("X")).collect()
    }

    const UNMANAGED: Edit = |w| w.set("vpc-1", "Tags", json!([]));
    const UNTAGGED: Edit = |w| w.set("subnet-pria", "Tags", json!([]));
    const NONE: [&str; 0] = [];

    #[test]
    fn what_a_sender_claims_of_a_departure_is_told_as_claimed() {
        let mut call = call("DeleteTags", &["vpc-1"], &["vpc-guardrail"]);
        call.claimed_by = Some("AIDAIOSFODNN7EXAMPLE".to_owned());
        let told: Vec<String> =
            all(UNMANAGED, &[call]).into_iter().map(|departure| departure.actor).collect();
        assert_eq!(told, ["claimed by AIDAIOSFODNN7EXAMPLE: ops"]);
    }

    #[test]
    fn a_vpc_left_if_its_tag_was_touched_and_it_is_not_managed_now() {
        let taken = |tags: &[&str]| call("DeleteTags", &["vpc-1"], tags);
        let set = |tags: &[&str]| call("CreateTags", &["vpc-1"], tags);
        let left = |how: &str| [format!("the VPC: {how} by X; it is not managed now")];
        assert_eq!(
            said(UNMANAGED, &[taken(&["vpc-guardrail", "Owner"])]),
            left("tag \"vpc-guardrail\" taken away")
        );
        assert_eq!(
            said(UNMANAGED, &[taken(&["vpc-guardrail=managed"])]),
            left("tag \"vpc-guardrail=managed\" taken away")
        );
        assert_eq!(said(UNMANAGED, &[taken(&[])]), left("all its tags taken away"));
        assert_eq!(
            said(UNMANAGED, &[set(&["vpc-guardrail=off"])]),
            left("tag \"vpc-guardrail=off\" set")
        );
        assert_eq!(said(UNMANAGED, &[taken(&["Owner"])]), NONE);
        assert_eq!(said(UNMANAGED, &[set(&["Owner=x"])]), NONE);
        assert_eq!(said(UNMANAGED, &[call("DeleteTags", &["vpc-2"], &["vpc-guardrail"])]), NONE);
        assert_eq!(said(UNMANAGED, &[call("DeleteTags", &["subnet-pria"], &[])]), NONE);
        assert_eq!(said(|w| w, &[taken(&["vpc-guardrail"])]), NONE, "it was put back");
    }

    #[test]
    fn a_subnet_left_if_a_selecting_tag_was_touched_and_it_is_not_private_now() {
        let taken = |tags: &[&str]| call("DeleteTags", &["subnet-pria"], tags);
        let left = |how: &str, class: &str| [format!("subnet-pria: {how} by X; it is {class} now")];
        let bare = "unclassified: no tag of the baseline's selectors";
        assert_eq!(said(UNTAGGED, &[taken(&["Tier"])]), left("tag \"Tier\" taken away", bare));
        assert_eq!(said(UNTAGGED, &[taken(&[])]), left("all its tags taken away", bare));
        assert_eq!(
            said(UNTAGGED, &[taken(&["Tier", "Owner", "Name=x"])]),
            left("tags \"Tier\", \"Name=x\" taken away", bare)
        );
        assert_eq!(said(UNTAGGED, &[taken(&["Owner"])]), NONE);
        assert_eq!(said(UNTAGGED, &[call("DeleteTags", &["subnet-prib"], &["Tier"])]), NONE);
        assert_eq!(said(|w| w, &[taken(&["Tier"])]), NONE, "it was put back");
        let hidden: Edit = |w| UNTAGGED(w.route("rtb-a", "0.0.0.0/0", "igw-1"));
        assert_eq!(said(hidden, &[taken(&["Tier"])]), left("tag \"Tier\" taken away", bare));
    }

    #[test]
    fn a_tag_that_is_set_takes_a_subnet_away_unless_its_table_makes_it_public() {
        let set = |subnet| call("CreateTags", &[subnet], &["Tier=public"]);
        let public: Edit = |w| w.tag("subnet-pria", "Tier", "public");
        assert_eq!(
            said(public, &[set("subnet-pria")]),
            [
                "subnet-pria: tag \"Tier=public\" set by X; it is public by its tag \"Tier=public\" now"
            ]
        );
        let built: Edit =
            |w| w.tag("subnet-pria", "Tier", "public").route("rtb-a", "0.0.0.0/0", "igw-1");
        for (edit, subnet) in
            [(built, "subnet-pria"), (|w| w, "subnet-puba"), (|w| w, "subnet-prib")]
        {
            let subnet: &str = subnet;
            assert_eq!(said(edit, &[set(subnet)]), NONE, "{subnet}");
        }
        // A route for show, or one for some addresses only, makes no subnet public.
        let for_show: [Edit; 4] = [
            |w| w.route("rtb-a", "203.0.113.0/24", "igw-1"),
            |w| w.route("rtb-a", "8.8.8.8/32", "igw-1"),
            |w| w.route("rtb-a", "::/0", "igw-1").route("rtb-a", "0.0.0.0/0", "nat-1"),
            |w| w.route("rtb-a", "0.0.0.0/1", "igw-1").route("rtb-a", "0.0.0.0/0", "nat-1"),
        ];
        for route in for_show {
            let left: Vec<Departure> = Fixture::edited(|w| route(public(w)))
                .view(|view, _| departures(view.baseline, view.snapshot, &[set("subnet-pria")]));
            assert_eq!(left.len(), 1, "{left:?}");
        }
        let untagged_again: Edit = |w| UNTAGGED(w.route("rtb-a", "0.0.0.0/0", "igw-1"));
        assert_eq!(said(untagged_again, &[set("subnet-pria")]), NONE);
        let built_public: Edit = |w| w.tag("subnet-puba", "Tier", "private");
        assert_eq!(said(built_public, &[call("DeleteTags", &["subnet-puba"], &["Name"])]), NONE);
    }

    #[test]
    fn each_thing_is_told_once_with_the_last_call_and_who_made_it() {
        let mut first = call("DeleteTags", &["vpc-1"], &["vpc-guardrail"]);
        first.record.event_id = Some("e-0".to_owned());
        let mut last = call("DeleteTags", &["vpc-1"], &[]);
        last.actor_account = Some("444455556666".parse().unwrap());
        let mut failed = last.clone();
        failed.record.failed = true;
        let expected = Departure {
            what: Departed::Vpc { vpc: crate::fixture::vpc() },
            change: TagChange::TakenAway,
            tags: vec![],
            actor: "ops".to_owned(),
            actor_account: Some("444455556666".parse().unwrap()),
            event_id: Some("e-1".to_owned()),
        };
        let json = serde_json::to_value(&expected).unwrap();
        assert_eq!(json["what"], json!({"vpc": {"vpc": "vpc-1"}}));
        assert_eq!(serde_json::from_value::<Departure>(json).unwrap(), expected);
        assert_eq!(all(UNMANAGED, &[first, last, failed]), [expected]);
        assert_eq!(all(UNMANAGED, &[decode(&json!({"eventName": "CreateRoute"})).unwrap()]), []);
    }
}
