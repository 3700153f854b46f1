//! What a `CreateTags` or `DeleteTags` call names: the tags that select a VPC or a subnet are a way
//! into the guardrail's care, and out of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids;
use crate::baseline::{Baseline, EXEMPT_TAG, can_be_exempted};
use crate::ec2::id::{SubnetId, VpcId};
use crate::ec2::resource_id::{ResourceId, ResourceKind};
use crate::shown::quoted;

/// What a call tags of the things that tags select or exempt, and the tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tagging {
    /// Whether the call sets the tags or takes them away.
    pub change: TagChange,
    /// The VPCs, subnets, route tables, endpoints and security groups whose tags the call changes;
    /// other things are left out.
    pub resources: Vec<ResourceId>,
    /// The tags that the call names. `DeleteTags` that names none takes all away
    /// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html).
    pub tags: Vec<NamedTag>,
}

/// What a call does to tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TagChange {
    /// `CreateTags` sets the tags, over those of the same keys.
    Set,
    /// `DeleteTags` takes the tags away.
    TakenAway,
}

/// A tag as a call names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedTag {
    /// The tag's key.
    pub key: String,
    /// The tag's value; absent where the call names the key alone, whatever its value.
    pub value: Option<String>,
}

impl NamedTag {
    /// The tag for people: `"key"`, or `"key=value"`.
    pub fn shown(&self) -> String {
        match &self.value {
            Some(value) => quoted(&format!("{}={value}", self.key)),
            None => quoted(&self.key),
        }
    }
}

impl Tagging {
    /// The tagging of a call of EC2; `None` for a call of another name.
    pub(super) fn read(event: &str, request: &Value) -> Option<Self> {
        let change = match event {
            "CreateTags" => TagChange::Set,
            "DeleteTags" => TagChange::TakenAway,
            _ => return None,
        };
        // The ids stand beside the tags: a tag's value may look like one.
        let mut found = BTreeMap::new();
        let beside = request.as_object().into_iter().flatten().filter(|(key, _)| *key != "tagSet");
        beside.for_each(|(_, field)| ids::collect(field, &mut found));
        let selected =
            |id: &ResourceId| id.kind() == ResourceKind::Vpc || can_be_exempted(id.kind());
        let mut tags = Vec::new();
        collect_tags(request.get("tagSet").unwrap_or(&Value::Null), &mut tags);
        Some(Self { change, resources: found.into_values().filter(selected).collect(), tags })
    }

    /// Of the tags that the call names, those with a key that selects; `None` where the call can
    /// change nothing that is selected by such a key. An empty list is that of a call that takes
    /// all tags away.
    pub fn naming(&self, selects: impl Fn(&str) -> bool) -> Option<Vec<&NamedTag>> {
        let named: Vec<&NamedTag> = self.tags.iter().filter(|tag| selects(&tag.key)).collect();
        let takes_all = match self.change {
            TagChange::TakenAway => self.tags.is_empty(),
            TagChange::Set => false,
        };
        (takes_all || !named.is_empty()).then_some(named)
    }

    /// Whether the call sets the tag that exempts this.
    pub fn exempts(&self, on: &ResourceId) -> bool {
        let names = || self.tags.iter().any(|tag| tag.key == EXEMPT_TAG);
        self.change == TagChange::Set && self.resources.contains(on) && names()
    }

    /// The VPCs of which the call may have changed whether the baseline selects them, with the tags
    /// that do.
    pub fn vpcs(&self, baseline: &Baseline) -> Option<(Vec<VpcId>, Vec<&NamedTag>)> {
        let key = baseline.managed_vpcs.key()?;
        let named = self.naming(|named| named == key)?;
        let vpcs = self.resources.iter().filter_map(|id| id.as_str().parse().ok()).collect();
        Some((vpcs, named))
    }

    /// The subnets of which the call may have changed what the baseline takes them for, with the
    /// tags that say so.
    pub fn subnets(&self, baseline: &Baseline) -> Option<(Vec<SubnetId>, Vec<&NamedTag>)> {
        let named = self.naming(|named| baseline.selects_subnets_by(named))?;
        let subnets = self.resources.iter().filter_map(|id| id.as_str().parse().ok()).collect();
        Some((subnets, named))
    }
}

/// Adds every tag in a `tagSet`, whatever shape is around it. A set in which none can be read is
/// one that names none.
fn collect_tags(value: &Value, found: &mut Vec<NamedTag>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_tags(item, found)),
        Value::Object(fields) => match fields.get("key").and_then(text) {
            Some(key) => found.push(NamedTag { key, value: fields.get("value").and_then(text) }),
            None => fields.values().for_each(|field| collect_tags(field, found)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A key or a value as text; an exporter may have written `true` or a number as such.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const VPC: &str = "vpc-0a1b2c3d4e5f60000";
    const SUBNET: &str = "subnet-0a1b2c3d4e5f60021";

    fn read(event: &str, tags: Value) -> Tagging {
        let ids = [VPC, SUBNET, "rtb-0a1b2c3d4e5f60011"].map(|id| json!({ "resourceId": id }));
        let request = json!({"resourcesSet": {"items": ids}, "tagSet": tags});
        Tagging::read(event, &request).unwrap()
    }

    fn tag(key: &str, value: Option<&str>) -> NamedTag {
        NamedTag { key: key.to_owned(), value: value.map(str::to_owned) }
    }

    #[test]
    fn what_is_tagged_and_with_what_is_read() {
        let tags = json!({"items": [
            {"key": "Tier", "value": "public"}, {"key": "Owner"}, {"key": "vpc-guardrail", "value": ""},
            {"key": "peer", "value": "vpc-0a1b2c3d4e5f60009"}, {"key": 7, "value": true},
        ]});
        let expected = Tagging {
            change: TagChange::TakenAway,
            resources: ["rtb-0a1b2c3d4e5f60011", SUBNET, VPC]
                .map(|id| id.parse().unwrap())
                .to_vec(),
            tags: vec![
                tag("Tier", Some("public")),
                tag("Owner", None),
                tag("vpc-guardrail", Some("")),
                tag("peer", Some("vpc-0a1b2c3d4e5f60009")),
                tag("7", Some("true")),
            ],
        };
        assert_eq!(read("DeleteTags", tags), expected);
        for none in [json!(null), json!({}), json!({"items": []}), json!("")] {
            assert_eq!(read("DeleteTags", none.clone()).tags, [], "{none}");
        }
        assert_eq!(Tagging::read("CreateRoute", &json!({})), None);
        assert_eq!(Tagging::read("DeleteTags", &json!(null)).unwrap().resources, []);
    }

    #[test]
    fn a_call_that_sets_the_tag_exempts_what_it_names() {
        let exempts = |event: &str, key: &str, on: &str| {
            let tagging = read(event, json!({"items": [{"key": key, "value": "x"}]}));
            tagging.exempts(&on.parse().unwrap())
        };
        let table = "rtb-0a1b2c3d4e5f60011";
        assert!(exempts("CreateTags", "vpc-guardrail:exempt", table));
        assert!(exempts("CreateTags", "vpc-guardrail:exempt", VPC));
        assert!(!exempts("CreateTags", "vpc-guardrail", table));
        assert!(!exempts("CreateTags", "vpc-guardrail:exempt", "rtb-0a1b2c3d4e5f60012"));
        assert!(!exempts("DeleteTags", "vpc-guardrail:exempt", table));
    }

    /// What a call with these tags may have changed: of the VPC, and of the subnet.
    fn changes(event: &str, tags: Value, baseline: &Baseline) -> (bool, bool) {
        let tagging = read(event, json!({ "items": tags }));
        let vpcs = tagging.vpcs(baseline).map(|(vpcs, _)| vpcs.len());
        let subnets = tagging.subnets(baseline).map(|(subnets, _)| subnets.len());
        (vpcs == Some(1), subnets == Some(1))
    }

    #[test]
    fn only_keys_that_select_count_and_all_of_them_where_none_is_named() {
        let baseline = Baseline::default();
        let table = [
            (json!([]), "DeleteTags", (true, true)),
            (json!([]), "CreateTags", (false, false)),
            (json!([{"key": "vpc-guardrail"}]), "DeleteTags", (true, false)),
            (json!([{"key": "vpc-guardrail", "value": "off"}]), "CreateTags", (true, false)),
            (json!([{"key": "Tier"}]), "DeleteTags", (false, true)),
            (json!([{"key": "kubernetes.io/role/elb", "value": "1"}]), "CreateTags", (false, true)),
            (json!([{"key": "tier"}, {"key": "Owner"}]), "DeleteTags", (false, false)),
        ];
        for (tags, event, expected) in table {
            assert_eq!(changes(event, tags.clone(), &baseline), expected, "{event} {tags}");
        }
        let all = Baseline::parse(r#"{"version": 1, "managed_vpcs": "all"}"#).unwrap();
        assert_eq!(changes("DeleteTags", json!([]), &all), (false, true));
    }
}
