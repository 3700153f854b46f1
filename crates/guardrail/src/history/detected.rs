//! What the detect function notes in the table, in a partition that no other function adds to, and
//! what the clock and the sweep make of it. Nothing of it rests on what others keep.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::item::{Body, Condition, Item, Key, Kind, Partition, Transaction, Write};
use super::own_calls::{OwnCall, Said};
use crate::ec2::id::{Place, VpcId};
use crate::event::{Evidence, digest};

/// Comparisons of the Region are so far apart, however many calls ask for one.
const BETWEEN_COMPARISONS: SignedDuration = SignedDuration::from_mins(5);

/// How far the clocks of two of our functions may be apart.
const CLOCKS: SignedDuration = SignedDuration::from_secs(30);

/// How long it is kept that cached attributes do not count: every cached one is older by then, and
/// was read again.
const DROPPED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long a call of which all is said is kept: no delivery of its event comes later
/// (template.yaml, `MaximumEventAgeInSeconds`).
const SAID_FOR: SignedDuration = SignedDuration::from_hours(24);

/// DynamoDB takes so many changes in one transaction
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html).
const CHANGES: usize = 100;

const COMPARISON: &str = "comparison";
const OWN: &str = "own#";
const DROPPED: &str = "dropped#";

/// What a recorded call asks for beside looks at VPCs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// One comparison of the Region with the baseline, when the last one is old enough.
    CompareRegion,
    /// The call was made with the guardrail's role: whether a run made it is for the clock to say.
    OwnCall(Box<OwnCall>),
    /// Cached attributes of this VPC count no longer.
    VpcAttributesChanged(VpcId),
}

#[derive(Serialize, Deserialize)]
struct Comparison {
    /// Absent once the comparison is made. The item stays, so that its versions go on and no
    /// request is taken for an earlier one.
    requested_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Dropped {
    at: Timestamp,
}

/// The prefix by which the clock lists the calls with the guardrail's role.
pub fn own_calls_prefix() -> &'static str {
    OWN
}

/// The prefix by which the sweep lists the VPCs whose cached attributes do not count.
pub fn dropped_prefix() -> &'static str {
    DROPPED
}

/// Where the request for a comparison is.
pub fn comparison_key(place: &Place) -> Key {
    partition(place).key(COMPARISON)
}

/// The detect function's partition.
pub fn partition(place: &Place) -> Partition {
    Kind::Detect.at(place)
}

/// The changes that note all this. Each conflict is tried again; where that of a call with the
/// guardrail's role stays one, an earlier delivery of its event has noted the call.
pub fn transactions(place: &Place, noted: &[Noted], now: Timestamp) -> Vec<Transaction> {
    let partition = partition(place);
    let mut names = BTreeSet::new();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for note in noted {
        let (name, body, expires, condition) = match note {
            Noted::CompareRegion => {
                let body = Comparison { requested_at: Some(now) };
                (COMPARISON.to_owned(), text(&body), None, Condition::Any)
            }
            Noted::VpcAttributesChanged(vpc) => {
                let expires = now.checked_add(DROPPED_FOR).ok();
                (format!("{DROPPED}{vpc}"), text(&Dropped { at: now }), expires, Condition::Any)
            }
            // No other delivery of the event takes back what was said of the call.
            Noted::OwnCall(call) => (own_name(&call.call), text(call), None, Condition::Absent),
        };
        if !names.insert(name.clone()) {
            continue;
        }
        let put = Write::Put { key: partition.key(name), body, expires, condition };
        match note {
            Noted::OwnCall(_) => own.push(Transaction::one(put)),
            Noted::CompareRegion | Noted::VpcAttributesChanged(_) => others.push(put),
        }
    }
    let others = others.chunks(CHANGES);
    own.extend(others.map(|writes| Transaction { token: None, writes: writes.to_vec() }));
    own
}

/// The call's own id where it can be part of a key, else a digest of what is known of the call.
fn own_name(call: &Evidence) -> String {
    let name = call.incident();
    match name.len() <= 80 && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => format!("{OWN}{name}"),
        false => format!("{OWN}{}", digest(&name)),
    }
}

fn text(body: &impl Serialize) -> Body {
    // Ids, texts and times are JSON always.
    Body::Text(serde_json::to_string(body).unwrap_or_default())
}

fn read<T: serde::de::DeserializeOwned>(item: &Item) -> Option<T> {
    match &item.body {
        Body::Text(text) => serde_json::from_str(text).ok(),
        Body::Packed(_) => None,
    }
}

/// A request for a comparison, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// When it was made last (UTC); `None` where that cannot be read.
    pub at: Option<Timestamp>,
    key: Key,
    version: u64,
}

/// The request that stands; `None` where there is none. One that cannot be read is one.
pub fn requested(item: Option<&Item>) -> Option<Requested> {
    let item = item?;
    let at = match read::<Comparison>(item) {
        Some(Comparison { requested_at }) => Some(requested_at?),
        None => None,
    };
    Some(Requested { at, key: item.key.clone(), version: item.version })
}

impl Requested {
    /// The request is done with by a comparison that began after it was read; not so if somebody
    /// asked again meanwhile.
    pub fn done(&self) -> Write {
        Write::Put {
            key: self.key.clone(),
            body: text(&Comparison { requested_at: None }),
            expires: None,
            condition: Condition::Version(self.version),
        }
    }
}

/// Whether the Region is to be compared now: somebody asked for it, and the last comparison is old
/// enough. One that is said to be of the future never was.
pub fn comparison_is_due(
    requested: Option<&Requested>,
    last_comparison: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let is_old = |last: Timestamp| now.duration_since(last).abs() >= BETWEEN_COMPARISONS;
    requested.is_some() && last_comparison.is_none_or(is_old)
}

/// The calls with the guardrail's role that are noted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnCalls {
    /// The calls, each with where it is kept.
    pub calls: Vec<KeptCall>,
    /// Items that cannot be read: of these nobody can tell what they were.
    pub unreadable: Vec<Key>,
}

/// A call with the guardrail's role, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCall {
    /// The call.
    pub own: OwnCall,
    key: Key,
    version: u64,
}

/// The calls in these items, which were listed by their prefix.
pub fn own_calls(items: &[Item]) -> OwnCalls {
    let mut all = OwnCalls::default();
    for item in items {
        let key = item.key.clone();
        match read::<OwnCall>(item) {
            Some(own) => all.calls.push(KeptCall { own, key, version: item.version }),
            None => all.unreadable.push(key),
        }
    }
    all
}

impl KeptCall {
    /// The change by which this is said of the call, once. The item stays for a while, so that a
    /// late delivery of the event is known and the run's call stands for no other.
    pub fn say(&self, said: Said, now: Timestamp) -> Write {
        Write::Put {
            key: self.key.clone(),
            body: text(&OwnCall { said: Some(said), ..self.own.clone() }),
            expires: now.checked_add(SAID_FOR).ok(),
            condition: Condition::Version(self.version),
        }
    }
}

/// The VPCs whose cached attributes do not count, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DroppedAttributes(BTreeMap<VpcId, Timestamp>);

/// The VPCs in these items, which were listed by their prefix. What cannot be read counts for ever:
/// then the attributes are read each time.
pub fn dropped_attributes(items: &[Item]) -> DroppedAttributes {
    let of = |item: &Item| {
        let vpc = item.key.name.strip_prefix(DROPPED)?.parse().ok()?;
        Some((vpc, read::<Dropped>(item).map_or(Timestamp::MAX, |dropped| dropped.at)))
    };
    DroppedAttributes(items.iter().filter_map(of).collect())
}

impl DroppedAttributes {
    /// Whether attributes of a VPC that were read at this time still count.
    pub fn count(&self, vpc: &VpcId, read_at: Timestamp) -> bool {
        let after = |at: &Timestamp| at.checked_add(CLOCKS).is_ok_and(|end| read_at > end);
        self.0.get(vpc).is_none_or(after)
    }
}

#[cfg(test)]
mod tests;
