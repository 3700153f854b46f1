//! The digest of a policy: equal for documents that are equal in meaning.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::PolicyDocument;
use crate::ec2::id::InvalidId;
use crate::ec2::partition::Partition;

const PREFIX: &str = "sha256:";

/// What stands for a policy where somebody accepts it: `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct PolicyDigest(String);

impl PolicyDigest {
    /// The digest of a policy as AWS prints it: that of its canonical form in this partition, or,
    /// where it has none, that of its exact text. An edit that changes the meaning changes it.
    pub fn of(text: &str, partition: Partition) -> Self {
        PolicyDocument::parse(text)
            .map_or_else(|_| Self::of_text(text), |document| document.digest(partition))
    }

    pub(super) fn of_text(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{PREFIX}{hex}"))
    }

    /// The digest as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PolicyDigest {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let hex = text.strip_prefix(PREFIX);
        if hex.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_digit)) {
            Ok(Self(text))
        } else {
            Err(InvalidId::of(
                text,
                "the digest of a policy",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ))
        }
    }
}

impl FromStr for PolicyDigest {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<PolicyDigest> for String {
    fn from(digest: PolicyDigest) -> Self {
        digest.0
    }
}

impl fmt::Display for PolicyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
