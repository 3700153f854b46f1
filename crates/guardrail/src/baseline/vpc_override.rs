//! What is known of single VPCs that cannot be observed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::id::VpcId;
use crate::ec2::world::Vpc;

/// What the baseline says of one VPC, or of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VpcOverride {
    /// The VPCs that it holds for.
    pub vpc: VpcSelector,
    /// Who answers the VPC's DNS queries, where its DHCP options name servers that are not Amazon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolver: Option<Resolver>,
}

/// Which VPCs are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VpcSelector {
    /// The VPC of this id.
    Id(VpcId),
    /// The VPCs with this tag `Name`, to the letter.
    Name(String),
    /// The VPCs with this tag, key and value to the letter.
    Tag {
        /// The tag's key, to the letter.
        key: String,
        /// The tag's value, to the letter.
        value: String,
    },
}

/// Who answers a VPC's DNS queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Resolver {
    /// The servers hand queries for AWS's names to the VPC's Amazon-provided resolver.
    ForwardsToAmazon,
}

impl VpcSelector {
    /// Whether this VPC is meant.
    pub fn matches(&self, vpc: &Vpc) -> bool {
        let tagged =
            |key: &str, value: &str| vpc.tags.iter().any(|t| t.key == key && t.value == value);
        match self {
            Self::Id(id) => vpc.vpc_id == *id,
            Self::Name(name) => tagged("Name", name),
            Self::Tag { key, value } => tagged(key, value),
        }
    }

    /// Whether both mean the same VPCs, by whatever tags these have.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }

    /// The field that has to say something and is empty.
    pub(super) fn empty_field(&self) -> Option<&'static str> {
        match self {
            Self::Id(_) => None,
            Self::Name(name) => name.is_empty().then_some("name"),
            Self::Tag { key, .. } => key.is_empty().then_some("tag.key"),
        }
    }
}

impl fmt::Display for VpcSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => write!(f, "the tag Name={name}"),
            Self::Tag { key, value } => write!(f, "the tag {key}={value}"),
        }
    }
}
