//! What was seen of a VPC, and since when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, RecordedCall};
use super::premise::Seen;
use crate::ec2::id::SubnetId;
use crate::ec2::snapshot::Section;
use crate::ec2::world::VpcAttributes;

/// What was seen of a VPC, and since when: written by runs and by sweeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcFacts {
    /// Since when each premise has been as it is.
    pub facts: Facts,
    /// When the VPC was first seen (UTC); a VPC has no age that EC2 tells.
    pub first_seen: Timestamp,
    /// When each of its subnets was first seen (UTC).
    pub subnets: BTreeMap<SubnetId, Timestamp>,
    /// The VPC's DNS attributes as they were last read, which cost a call each; `None` when they have
    /// not been read since something may have changed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<CachedAttributes>,
}

/// A VPC's DNS attributes as they were read once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedAttributes {
    /// When they were read (UTC).
    pub read: Timestamp,
    /// What was read.
    pub attributes: VpcAttributes,
}

/// What a look at a VPC brought that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// The premises that were seen.
    pub seen: Vec<Seen>,
    /// The sections that were not read.
    pub unread: BTreeSet<Section>,
    /// The subnets that were seen.
    pub subnets: BTreeSet<SubnetId>,
    /// The DNS attributes, where they were read afresh.
    pub attributes: Option<VpcAttributes>,
}

impl Looked {
    /// A look that saw nothing of the VPC.
    pub fn nothing() -> Self {
        Self { unread: Section::ALL.into_iter().collect(), ..Self::default() }
    }
}

impl VpcFacts {
    /// Nothing but that the VPC is there since then.
    pub fn first_seen_at(now: Timestamp) -> Self {
        Self {
            facts: Facts::default(),
            first_seen: now,
            subnets: BTreeMap::new(),
            attributes: None,
        }
    }

    /// What is remembered after one more look, to which these calls led; `before` is what was
    /// remembered, if anything.
    #[must_use]
    pub fn after_look(
        before: Option<&Self>,
        looked: &Looked,
        calls: &[RecordedCall],
        now: Timestamp,
    ) -> Self {
        let new = Self::first_seen_at(now);
        let before = before.unwrap_or(&new);
        let since = |id: &SubnetId| before.subnets.get(id).copied().unwrap_or(now);
        let subnets = match looked.unread.contains(&Section::Subnets) {
            true => before.subnets.clone(),
            false => looked.subnets.iter().map(|id| (id.clone(), since(id))).collect(),
        };
        let read = looked.attributes;
        let attributes = read.map(|attributes| CachedAttributes { read: now, attributes });
        Self {
            facts: before.facts.after_look(&looked.seen, &looked.unread, calls, now),
            first_seen: before.first_seen,
            subnets,
            attributes: attributes.or_else(|| before.attributes.clone()),
        }
    }

    /// Whether the VPC, or one of its subnets, was first seen less than this long ago.
    pub fn is_young(&self, now: Timestamp, young: Duration) -> bool {
        let is_young = |seen: &Timestamp| now.duration_since(*seen).unsigned_abs() < young;
        is_young(&self.first_seen) || self.subnets.values().any(is_young)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn seen(subnets: &[&str], unread: &[Section]) -> Looked {
        Looked {
            subnets: subnets.iter().map(|id| id.parse().unwrap()).collect(),
            unread: unread.iter().copied().collect(),
            ..Looked::default()
        }
    }

    #[test]
    fn a_subnet_is_as_old_as_the_first_look_that_saw_it() {
        let first = VpcFacts::after_look(None, &seen(&["subnet-a"], &[]), &[], at(10));
        let later =
            VpcFacts::after_look(Some(&first), &seen(&["subnet-a", "subnet-b"], &[]), &[], at(700));
        let subnets = BTreeMap::from([
            ("subnet-a".parse().unwrap(), at(10)),
            ("subnet-b".parse().unwrap(), at(700)),
        ]);
        assert_eq!(later, VpcFacts { subnets, ..VpcFacts::first_seen_at(at(10)) });
        let young = |facts: &VpcFacts, now| facts.is_young(at(now), Duration::from_secs(600));
        assert_eq!(
            [young(&first, 609), young(&first, 610), young(&later, 1299)],
            [true, false, true]
        );
        let blind =
            VpcFacts::after_look(Some(&later), &seen(&[], &[Section::Subnets]), &[], at(800));
        assert_eq!(blind, later, "what was not read is remembered as it was");
    }
}
