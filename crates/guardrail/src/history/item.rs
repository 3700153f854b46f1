//! What the table keeps: items under keys that say whose they are, and changes to several at once.

use std::fmt;

use jiff::Timestamp;

use crate::ec2::id::Place;

/// Where an item is: its partition, and its name there, by which a partition is sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Whose item it is, and of which kind.
    pub partition: Partition,
    /// The item's name in its partition.
    pub name: String,
}

/// The items of one kind of one account and Region. Who may write which is bound to it: DynamoDB's
/// condition key `dynamodb:LeadingKeys` knows the partition key only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The kind.
    pub kind: Kind,
    /// The account and Region.
    pub place: Place,
}

/// The kinds of items. Two writers never share an item of one kind, save for facts, which are put
/// again from what is there by whoever finds them changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What is known of a VPC: one item for each, written by runs only.
    State,
    /// What was seen of a VPC and since when: one item for each.
    Facts,
    /// Runs: what each planned, did and reported.
    Run,
    /// Alerts that were not told yet, in full.
    Alert,
    /// What waits, which the clock asks for every minute: VPCs that are due, records that are open,
    /// alerts that are not told.
    Waiting,
    /// What was told, and how much within the hour.
    Told,
    /// The shared allowance for calls that change endpoints.
    Pace,
    /// What the detect function notes, and no other function writes.
    Detect,
    /// How far a sweep has come.
    Sweep,
}

impl Kind {
    /// The word that begins the partition's key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::Facts => "FACTS",
            Self::Run => "RUN",
            Self::Alert => "ALERT",
            Self::Waiting => "WAITING",
            Self::Told => "TOLD",
            Self::Pace => "PACE",
            Self::Detect => "DETECT",
            Self::Sweep => "SWEEP",
        }
    }

    /// The partition of this kind at a place.
    pub fn at(self, place: &Place) -> Partition {
        Partition { kind: self, place: place.clone() }
    }
}

impl Partition {
    /// The key of the item of this name.
    pub fn key(&self, name: impl fmt::Display) -> Key {
        Key { partition: self.clone(), name: name.to_string() }
    }
}

/// As the table has it: `STATE#111122223333/eu-central-1`.
impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.kind.as_str(), self.place)
    }
}

/// What an item holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Text, which is JSON.
    Text(String),
    /// Text that would be too long for an item, compressed; or a part of that.
    Packed(Vec<u8>),
}

/// An item as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub key: Key,
    /// How often it was written: a change can be made to depend on it.
    pub version: u64,
    /// What it holds.
    pub body: Body,
}

/// What must be so of an item for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Any,
    /// There is none.
    Absent,
    /// It was not written since it was read at this version.
    Version(u64),
}

impl Condition {
    /// That it is as it was read, or absent still.
    pub fn unchanged(read: Option<&Item>) -> Self {
        read.map_or(Self::Absent, |item| Self::Version(item.version))
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The item holds this from now on.
    Put {
        /// Where.
        key: Key,
        /// What.
        body: Body,
        /// When the table may forget it (UTC); it may keep it for days longer. `None` keeps it.
        expires: Option<Timestamp>,
        /// What must be so before.
        condition: Condition,
    },
    /// The item is gone from now on, if it was there.
    Delete {
        /// Where.
        key: Key,
        /// What must be so before.
        condition: Condition,
    },
}

impl Write {
    /// The item that is changed.
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } => key,
        }
    }

    /// What must be so of it.
    pub fn condition(&self) -> Condition {
        match self {
            Self::Put { condition, .. } | Self::Delete { condition, .. } => *condition,
        }
    }
}

/// Changes of which all are made or none, each to another item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Names the transaction, so that one that is sent twice within ten minutes is made once: at most
    /// 36 characters. `None` where sending it twice does no harm.
    pub token: Option<String>,
    /// The changes: at most 100.
    pub writes: Vec<Write>,
}

impl Transaction {
    /// One change by itself.
    pub fn one(write: Write) -> Self {
        Self { token: None, writes: vec![write] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_says_kind_account_and_region() {
        let place = Place {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
        };
        let key = Kind::State.at(&place).key("vpc-1");
        assert_eq!(key.partition.to_string(), "STATE#111122223333/eu-central-1");
        assert_eq!(key.name, "vpc-1");
    }

    #[test]
    fn what_was_not_there_must_be_absent_still() {
        assert_eq!(Condition::unchanged(None), Condition::Absent);
    }
}
