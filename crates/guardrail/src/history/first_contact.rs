//! VPCs that a sweep found and of which nothing was known: told together, for one sweep.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Destination};
use super::gravity::Gravity;
use super::item::{Condition, Item, Key, Kind, Transaction, Write};
use super::outgoing::{Level, Unreadable, body_of, value_of, writes};
use crate::baseline::RuleId;
use crate::ec2::id::{Place, VpcId};

/// What the names of all these items begin with.
pub const FIRST: &str = "first#";

/// How long a summary waits for VPCs whose runs have not ended.
const GATHERED: Duration = Duration::from_secs(10 * 60);

/// How long it is known which VPCs a sweep's summary had.
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How many changes a transaction has at most.
const MOST: usize = 100;

/// What the first run over a VPC came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstContact {
    /// The VPC.
    pub vpc: VpcId,
    /// The value of its `Name` tag; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_name: Option<String>,
    /// The sweep that found it.
    pub sweep: String,
    /// How the run ended, as reports write it: `drift-left`.
    pub verdict: String,
    /// How many findings there are of each rule.
    pub findings: BTreeMap<RuleId, u32>,
    /// When the run ended (UTC).
    pub since: Timestamp,
}

/// The VPCs of which a sweep's summaries have told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFirst {
    /// The VPCs.
    pub vpcs: BTreeSet<VpcId>,
    /// How many summaries there were.
    pub summaries: u32,
}

impl FirstContact {
    /// What keeps it until it is told: to be written together with the end of its run.
    pub fn write(&self, place: &Place) -> Write {
        Write::Put {
            key: Kind::Waiting.at(place).key(format!("{FIRST}{}", self.vpc)),
            body: body_of(self),
            expires: self.since.checked_add(KEPT).ok(),
            condition: Condition::Any,
        }
    }

    /// What an item holds.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn read(item: &Item) -> Result<Self, Unreadable> {
        value_of(item)
    }

    /// How bad the worst is that was found; nothing is better than anything.
    pub fn gravity(&self) -> Option<Gravity> {
        self.findings.keys().map(|rule| Gravity::of(*rule)).min()
    }
}

/// The item that says which VPCs a sweep's summaries have told of.
pub fn told_first_key(place: &Place, sweep: &str) -> Key {
    Kind::Told.at(place).key(format!("{FIRST}{sweep}"))
}

/// Which VPCs a sweep's summaries have told of, by its item. What cannot be read is nothing: told
/// twice is better than never.
pub fn told_first(item: Option<&Item>) -> ToldFirst {
    item.and_then(|item| value_of(item).ok()).unwrap_or_default()
}

/// What is to be told now of what waits for one sweep: nothing as long as others may come. `expected`
/// is how many VPCs without a state the sweep found, once it has ended.
pub fn first_contacts_due<'a>(
    waiting: &'a [FirstContact],
    told: &ToldFirst,
    expected: Option<usize>,
    now: Timestamp,
) -> Vec<&'a FirstContact> {
    let new: Vec<&FirstContact> =
        waiting.iter().filter(|first| !told.vpcs.contains(&first.vpc)).collect();
    let are_all_there =
        expected.is_some_and(|all| new.len().saturating_add(told.vpcs.len()) >= all);
    let has_waited =
        |first: &&FirstContact| first.since.checked_add(GATHERED).is_ok_and(|end| end <= now);
    match are_all_there || new.iter().any(has_waited) {
        true => new,
        false => Vec::new(),
    }
}

/// The name that the next summary of a sweep is told under.
pub fn first_contact_id(sweep: &str, told: &ToldFirst) -> String {
    match told.summaries {
        0 => format!("first-{sweep}"),
        before @ 1.. => format!("first-{sweep}-{}", before.saturating_add(1)),
    }
}

/// What makes a sweep's summary: the alert for each destination, and of which VPCs it tells. Of two
/// clocks that make it one succeeds. The VPCs' own items are cleared after it, by
/// [`cleared_first`]: they are more than a transaction takes.
pub fn first_contact(
    place: &Place,
    sweep: &str,
    (item, told): (Option<&Item>, &ToldFirst),
    of: &[&FirstContact],
    (alert, destinations): (&Alert, &[Destination]),
    now: Timestamp,
) -> Transaction {
    let vpcs = told.vpcs.iter().chain(of.iter().map(|first| &first.vpc)).cloned().collect();
    let after = ToldFirst { vpcs, summaries: told.summaries.saturating_add(1) };
    let noted = Write::Put {
        key: told_first_key(place, sweep),
        body: body_of(&after),
        expires: now.checked_add(KEPT).ok(),
        condition: Condition::unchanged(item),
    };
    let id = first_contact_id(sweep, told);
    let alerts = writes(place, &id, alert, Level::Overview, destinations, now);
    Transaction { token: None, writes: [noted].into_iter().chain(alerts).collect() }
}

/// What clears the items of VPCs that a sweep's summaries have told of, in as many transactions as
/// it takes; each may fail by itself and is made again by the next clock.
pub fn cleared_first(items: &[(&Item, FirstContact)], told: &ToldFirst) -> Vec<Transaction> {
    let deletes: Vec<Write> = items
        .iter()
        .filter(|(_, first)| told.vpcs.contains(&first.vpc))
        .map(|(item, _)| Write::Delete {
            key: item.key.clone(),
            condition: Condition::Version(item.version),
        })
        .collect();
    let chunks = deletes.chunks(MOST);
    chunks.map(|writes| Transaction { token: None, writes: writes.to_vec() }).collect()
}

/// Whether so many VPCs are without a state at once that the table was lost, and not that they are
/// new: more than a tenth of those that were known, and two at least.
pub fn table_was_lost(known: usize, without_state: usize) -> bool {
    without_state >= 2 && without_state.saturating_mul(10) > known
}
