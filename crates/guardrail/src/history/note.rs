//! What is noted of a VPC between two runs.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, RecordedCall};
use super::premise::Seen;
use crate::ec2::snapshot::Section;

/// What is noted of a VPC between two runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Since when each premise has been as it is.
    pub facts: Facts,
    /// When to look again though nothing happens; `None` when nothing is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_again: Option<LookAgain>,
}

/// What a look at a VPC brought that notes are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// The premises that were seen.
    pub seen: Vec<Seen>,
    /// The sections that were not read.
    pub unread: BTreeSet<Section>,
}

impl Note {
    /// What is noted after one more look, to which these calls led; what is waited for stays.
    #[must_use]
    pub fn after_look(&self, looked: &Looked, calls: &[RecordedCall], now: Timestamp) -> Self {
        let facts = self.facts.after_look(&looked.seen, &looked.unread, calls, now);
        Self { facts, look_again: self.look_again.clone() }
    }
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
