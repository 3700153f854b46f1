//! The subnets that may lead out though they are neither private nor public.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TagSelector;
use crate::ec2::id::SubnetId;
use crate::ec2::world::Subnet;

/// The subnets that may lead out though they are neither private nor public, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptedSubnets {
    /// The subnets, by id or by a tag; the rule `unguarded-subnet` lists none of them.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub accept: Vec<AcceptedSubnet>,
    /// Why they are accepted; `guardrail explain` shows it.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub reason: String,
}

/// Subnets that are accepted.
///
/// In JSON it is a subnet's id, or an object with `tag` and `values`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedSubnet {
    /// The subnet with this id.
    Id(SubnetId),
    /// Every subnet with such a tag.
    Tagged(TagSelector),
}

impl AcceptedSubnets {
    /// Whether this subnet is accepted.
    pub fn accepts(&self, subnet: &Subnet) -> bool {
        self.accept.iter().any(|accepted| match accepted {
            AcceptedSubnet::Id(id) => subnet.subnet_id == *id,
            AcceptedSubnet::Tagged(selector) => selector.find(&subnet.tags).is_some(),
        })
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.accept.is_empty() {
            faults.push(
                "`unclassified_subnets.accept`: is empty, so nothing is accepted; name subnets or a \
                 tag, or leave `unclassified_subnets` out"
                    .to_owned(),
            );
        }
        for (at, accepted) in self.accept.iter().enumerate() {
            match accepted {
                AcceptedSubnet::Id(_) => {}
                AcceptedSubnet::Tagged(selector) => {
                    faults.extend(selector.faults(&format!("unclassified_subnets.accept[{at}]")));
                }
            }
        }
        if self.reason.trim().is_empty() {
            faults.push(
                "`unclassified_subnets.reason`: is empty; write why these subnets may lead out"
                    .to_owned(),
            );
        }
        faults
    }
}

impl Serialize for AcceptedSubnet {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => id.serialize(output),
            Self::Tagged(selector) => selector.serialize(output),
        }
    }
}

impl<'de> Deserialize<'de> for AcceptedSubnet {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Written)
    }
}

/// Reads either form.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = AcceptedSubnet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a subnet's id, or an object with `tag` and `values`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AcceptedSubnet, E> {
        SubnetId::try_from(text.to_owned()).map(AcceptedSubnet::Id).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AcceptedSubnet, A::Error> {
        TagSelector::deserialize(MapAccessDeserializer::new(map)).map(AcceptedSubnet::Tagged)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for AcceptedSubnet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AcceptedSubnet".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (id, selector) =
            (generator.subschema_for::<SubnetId>(), generator.subschema_for::<TagSelector>());
        schemars::json_schema!({
            "description": "A subnet's id, or a tag that subnets carry.",
            "anyOf": [id, selector]
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::baseline::Baseline;

    fn parsed(field: &str) -> Result<Baseline, String> {
        let json = format!(r#"{{"version": 1, "unclassified_subnets": {field}}}"#);
        Baseline::parse(&json).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn an_id_and_a_tag_are_read_and_written_back() {
        let field = r#"{"accept":["subnet-1",{"tag":"Tier","values":["lab"]}],"reason":"a lab"}"#;
        let baseline = parsed(field).unwrap();
        assert_eq!(serde_json::to_string(&baseline.unclassified_subnets).unwrap(), field);
        let whole = serde_json::to_string(&baseline).unwrap();
        assert_eq!(Baseline::parse(&whole), Ok(baseline));
    }

    #[test]
    fn what_accepts_nothing_or_gives_no_reason_is_refused() {
        for (field, fault) in [
            (
                r#"{"accept": [], "reason": " "}"#,
                "`unclassified_subnets.accept`: is empty, so nothing is accepted; name subnets or a \
                 tag, or leave `unclassified_subnets` out\n\
                 `unclassified_subnets.reason`: is empty; write why these subnets may lead out",
            ),
            (r#"{"accept": ["subnet-1"]}"#, "`unclassified_subnets`: missing field `reason`"),
            (
                r#"{"accept": [{"tag": "", "values": []}], "reason": "r"}"#,
                "`unclassified_subnets.accept[0].tag`: is empty; write the tag's key\n\
                 `unclassified_subnets.accept[0].values`: is empty, so nothing matches; write \
                 values, or `*` for any",
            ),
        ] {
            let said = parsed(field).unwrap_err();
            assert!(said.starts_with(fault), "{said}");
        }
        for field in [
            r#"{"accept": ["vpc-1"], "reason": "r"}"#,
            r#"{"accept": [7], "reason": "r"}"#,
            r#"{"accept": [{"tags": "Tier"}], "reason": "r"}"#,
        ] {
            let said = parsed(field).unwrap_err();
            assert!(said.starts_with("`unclassified_subnets.accept[0]"), "{said}");
            assert!(!said.contains("enum") && !said.contains("struct"), "{said}");
        }
    }
}
