//! How many alerts a destination gets one by one within an hour, and what becomes of the rest: they
//! are counted, and told in one summary.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Destination};
use super::gravity::{self, Asks, Rank};
use super::item::{Condition, Item, Key, Kind, Transaction, Write};
use super::outgoing::{Level, Unreadable, Unsent, body_of, claim, clear, value_of, writes};
use crate::ec2::id::Place;

/// What the names of the items begin with that count what destinations got.
pub const HOUR_OF: &str = "hour#";

/// How many alerts a destination gets one by one within an hour, where nobody says otherwise.
pub const ALERTS_AN_HOUR: u32 = 20;

/// How long the first alert that is held waits for others: a flood is one summary, not one that
/// begins it and one that goes on.
const GATHERED: Duration = Duration::from_secs(5 * 60);

const HOUR: Duration = Duration::from_secs(60 * 60);

/// How many alerts a summary names.
const NAMED: usize = 10;

/// What the run of a summary is called, before its time.
const SUMMARY: &str = "summary-";

/// What one destination got within an hour, and what it is yet to get in a summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hourly {
    /// The hour that is counted (UTC): when it began; absent before the first alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Timestamp>,
    /// How many alerts have a place in it.
    #[serde(default)]
    pub count: u32,
    /// What waits for the summary; absent when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// When there was a summary last (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Timestamp>,
}

/// Alerts that were too many to be told one by one: as much of them as a summary says. It does not
/// grow with their number; the reports are in the runs' records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// When the first of them was held (UTC).
    pub since: Timestamp,
    /// When the last of them was held (UTC).
    pub until: Timestamp,
    /// How many they are.
    pub count: u32,
    /// How many of them ask what of their reader.
    pub asks: BTreeMap<Asks, u32>,
    /// How many there are of each verdict.
    pub verdicts: BTreeMap<String, u32>,
    /// How many of them are about each rule.
    pub rules: BTreeMap<String, u32>,
    /// The worst of them, worst first.
    pub worst: Vec<HeldAlert>,
}

/// One alert of a summary. The order is that of [`Rank`], and the older of two comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeldAlert {
    /// How it ranks among others.
    pub rank: Rank,
    /// Since when it waits to be told (UTC).
    pub since: Timestamp,
    /// Its run.
    pub run_id: String,
    /// Its subject.
    pub subject: String,
}

impl Held {
    fn none(now: Timestamp) -> Self {
        Self {
            since: now,
            until: now,
            count: 0,
            asks: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            rules: BTreeMap::new(),
            worst: Vec::new(),
        }
    }

    fn and(mut self, unsent: &Unsent, now: Timestamp) -> Self {
        self.until = self.until.max(now);
        self.count = self.count.saturating_add(1);
        let rank = unsent.rank();
        let verdict = gravity::text(&unsent.attributes, "verdict").unwrap_or("unknown");
        one_more(&mut self.asks, rank.asks);
        one_more(&mut self.verdicts, verdict.to_owned());
        for rule in gravity::rules(&unsent.attributes) {
            one_more(&mut self.rules, rule.to_owned());
        }
        self.worst.push(HeldAlert {
            rank,
            since: unsent.since,
            run_id: unsent.run_id.clone(),
            subject: unsent.subject.clone(),
        });
        self.worst.sort();
        self.worst.truncate(NAMED);
        self
    }
}

fn one_more<K: Ord>(counts: &mut BTreeMap<K, u32>, of: K) {
    let count = counts.entry(of).or_default();
    *count = count.saturating_add(1);
}

/// What an alert may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// It is told by itself.
    Send {
        /// The hour in which it has its place; `None` for what is counted in none.
        hour: Option<Timestamp>,
        /// What counts it, where it is not counted yet: to be written together with its claim.
        write: Option<Write>,
    },
    /// It is in the next summary: to be written together with what forgets it.
    Hold(Write),
}

/// The item of what a destination got.
pub fn hourly_key(place: &Place, destination: &Destination) -> Key {
    Kind::Told.at(place).key(format!("{HOUR_OF}{destination}"))
}

/// What a destination got, by its item.
///
/// # Errors
/// When the item cannot be read: what was held for a summary is not known then, and whoever goes on
/// with nothing says so.
pub fn hourly(before: Option<&Item>) -> Result<Hourly, Unreadable> {
    before.map_or_else(|| Ok(Hourly::default()), value_of)
}

/// What an alert may do now. One that has a place in this hour keeps it however often it is tried, so
/// that a destination which takes nothing uses up no more than one that does; what could not be told
/// within its hour needs another place.
pub fn take_slot(
    key: &Key,
    before: Option<&Item>,
    hourly: &Hourly,
    unsent: &Unsent,
    limit: u32,
    now: Timestamp,
) -> Slot {
    if !unsent.may_be_held() {
        return Slot::Send { hour: None, write: None };
    }
    // A clock that is behind another's does not begin the hour anew.
    let hour = hourly.hour.map_or(begun(now), |hour| hour.max(begun(now)));
    if unsent.hour == Some(hour) {
        return Slot::Send { hour: Some(hour), write: None };
    }
    let count = if hourly.hour == Some(hour) { hourly.count } else { 0 };
    let put = |after: &Hourly| put(key, before, after);
    let mut after = Hourly { hour: Some(hour), count, ..hourly.clone() };
    if count < limit {
        after.count = count.saturating_add(1);
        return Slot::Send { hour: Some(hour), write: Some(put(&after)) };
    }
    let held = after.held.take().unwrap_or_else(|| Held::none(now));
    after.held = Some(held.and(unsent, now));
    Slot::Hold(put(&after))
}

/// When the hour of this time began.
fn begun(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    let begun = second.saturating_sub(second.rem_euclid(60 * 60));
    Timestamp::from_second(begun).unwrap_or(now)
}

fn put(key: &Key, before: Option<&Item>, after: &Hourly) -> Write {
    // It is a destination's for ever: what is held in it must outlast a destination that fails.
    let condition = Condition::unchanged(before);
    Write::Put { key: key.clone(), body: body_of(after), expires: None, condition }
}

/// What is to be done with an alert that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is told by itself.
    Tell {
        /// When this is made, it is this process's to tell, and nobody else's for a minute.
        claim: Transaction,
        /// Whether it takes a place in the hour that it did not have.
        takes_place: bool,
    },
    /// When this is made, it is in the next summary, and waits no more.
    Hold(Transaction),
    /// It is being told by somebody else.
    Others,
}

/// What is to be done with an alert that waits, as its destination stands. Pointer and count are
/// changed together: a process that dies leaves no place taken that nobody uses, and no alert that
/// is in a summary and by itself.
pub fn admit(
    item: &Item,
    unsent: &Unsent,
    (before, hourly): (Option<&Item>, &Hourly),
    limit: u32,
    now: Timestamp,
) -> Admission {
    if unsent.is_claimed(now) {
        return Admission::Others;
    }
    let key = hourly_key(&item.key.partition.place, &unsent.destination);
    let transaction = |writes| Transaction { token: None, writes };
    match take_slot(&key, before, hourly, unsent, limit, now) {
        Slot::Send { hour, write } => {
            let takes_place = write.is_some();
            let writes = [claim(item, unsent, hour, now)].into_iter().chain(write);
            Admission::Tell { claim: transaction(writes.collect()), takes_place }
        }
        Slot::Hold(counted) => {
            let writes = [counted].into_iter().chain(clear(item, item.version, unsent));
            Admission::Hold(transaction(writes.collect()))
        }
    }
}

/// What a summary is to tell now, if one is due: five minutes after the first alert that is held, an
/// hour after the summary before, and not while that one still waits to be told.
pub fn summary_is_due<'a>(
    hourly: &'a Hourly,
    waiting: &[&Unsent],
    now: Timestamp,
) -> Option<&'a Held> {
    let held = hourly.held.as_ref()?;
    let waits =
        waiting.iter().any(|unsent| is_overview(unsent) && unsent.run_id.starts_with(SUMMARY));
    let is_over =
        |since: Timestamp, time: Duration| since.checked_add(time).is_ok_and(|end| end <= now);
    let is_due = is_over(held.since, GATHERED)
        && hourly.summary.is_none_or(|last| is_over(last, HOUR))
        && !waits;
    is_due.then_some(held)
}

fn is_overview(unsent: &Unsent) -> bool {
    match unsent.level {
        Level::Overview => true,
        Level::Alarm | Level::News => false,
    }
}

/// What makes the summary of what is held: the alert, and that nothing is held any more. Of two
/// clocks that make it one succeeds.
pub fn summarized(
    key: &Key,
    (before, hourly): (Option<&Item>, &Hourly),
    held: &Held,
    (alert, destination): (&Alert, &Destination),
    now: Timestamp,
) -> Transaction {
    let after = Hourly { held: None, summary: Some(now), ..hourly.clone() };
    let id = format!("{SUMMARY}{}", held.since);
    let to = std::slice::from_ref(destination);
    let alert = writes(&key.partition.place, &id, alert, Level::Overview, to, now);
    let writes = [put(key, before, &after)].into_iter().chain(alert).collect();
    Transaction { token: None, writes }
}

/// The destination that an item counts for.
pub fn destination_of(item: &Item) -> Option<Destination> {
    item.key.name.strip_prefix(HOUR_OF).map(Destination::new)
}

#[cfg(test)]
mod tests;
