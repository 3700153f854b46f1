//! Which VPCs are looked after.

use serde::{Deserialize, Serialize};

use crate::ec2::world::Tag;

/// Which VPCs are looked after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ManagedVpcs {
    /// Every VPC the account owns in the Region.
    All,
    /// The VPCs that carry this tag, key and value to the letter.
    Tag {
        /// The tag's key, to the letter.
        key: String,
        /// The tag's value, to the letter.
        value: String,
    },
}

impl Default for ManagedVpcs {
    fn default() -> Self {
        Self::Tag { key: "vpc-guardrail".to_owned(), value: "managed".to_owned() }
    }
}

impl ManagedVpcs {
    /// The key of the tag by which VPCs are selected; `None` when no tag selects them.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Tag { key, .. } => Some(key),
        }
    }

    /// Whether a VPC with these tags is looked after.
    pub fn matches(&self, tags: &[Tag]) -> bool {
        match self {
            Self::All => true,
            Self::Tag { key, value } => {
                tags.iter().any(|tag| tag.key == *key && tag.value == *value)
            }
        }
    }
}
