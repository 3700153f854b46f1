//! What is noted of a VPC between two runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::Facts;

/// What is noted of a VPC between two runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Since when each premise has been as it is.
    pub facts: Facts,
    /// When to look again though nothing happens; `None` when nothing is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_again: Option<LookAgain>,
}

/// When a VPC is to be looked at again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LookAgain {
    /// The time from which a look may do more (UTC).
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// What is waited for, in words.
    pub why: String,
}
