//! Alerts on their way: kept with the end of the run that they tell of, told then, and gone when they
//! are told.
//!
//! Each destination of an alert has a pointer, which the clock lists, and the text by itself, which
//! is read only to be told. Whatever dies in between, the pointer is still there: the worst that can
//! happen is that an alert is told twice, under the same run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Attribute, Destination};
use super::gravity::Rank;
use super::item::{Body, Condition, Item, Key, Kind, Transaction, Write};
use super::packed::{NotPacked, pack, unpack, unpack_one};
use crate::ec2::id::Place;

/// What the names of all pointers begin with.
pub const UNSENT: &str = "unsent#";

/// How long an alert is tried to be told. After two weeks it is no news: the run's record has it, and
/// that it was given up is told.
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How much longer the table keeps it, for the clock to count it, which may have been off.
const THEN_FORGOTTEN: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How long a process has for telling an alert by itself: as long as a call may take, on both sides
/// of a clock that is half a minute off.
const CLAIMED: Duration = Duration::from_secs(60);

/// More parts than any text has that can be kept, and fewer than a transaction has changes.
const MOST_PARTS: usize = 60;

/// How much of a text is kept that is too long to be kept whole, in characters.
const CUT: usize = 20_000;

/// What kind of alert it is, as far as the limit of alerts in an hour goes; the most urgent is the
/// least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What must be known at once: no limit holds it, and it takes nobody's place.
    Alarm,
    /// What tells of many at once, and is bounded by itself: no limit holds it.
    Overview,
    /// What is new of one VPC: what is above the limit waits for the summary.
    News,
}

/// An alert that one destination has not taken yet: the pointer to its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// The run that it tells of.
    pub run_id: String,
    /// Who has not taken it yet.
    pub destination: Destination,
    /// Since when it waits (UTC).
    pub since: Timestamp,
    /// Which kind it is.
    pub level: Level,
    /// Its subject.
    pub subject: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// How many items its text is in.
    pub parts: usize,
    /// The hour in which it has a place among those that are told one by one (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Timestamp>,
    /// How often somebody has set out to tell it.
    #[serde(default)]
    pub tries: u32,
    /// Until when somebody is telling it (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<Timestamp>,
}

/// An item that should be a pointer to an alert and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` in the table cannot be read: {why}")]
pub struct Unreadable {
    /// The item's name.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

impl Unreadable {
    /// The item that holds no such value.
    pub(super) fn item(item: &Item, error: &serde_json::Error) -> Self {
        Self { name: item.key.name.clone(), why: error.to_string() }
    }
}

/// The value that an item holds as JSON.
pub(super) fn value_of<T: for<'de> Deserialize<'de>>(item: &Item) -> Result<T, Unreadable> {
    let text = unpack_one(&item.body)
        .map_err(|error| Unreadable { name: item.key.name.clone(), why: error.to_string() })?;
    serde_json::from_str(&text).map_err(|error| Unreadable::item(item, &error))
}

/// A value of ours as an item's body. None of ours is a map with keys that are no text.
pub(super) fn body_of(value: &impl Serialize) -> Body {
    Body::Text(serde_json::to_string(value).unwrap_or_default())
}

/// What keeps an alert until each of these destinations has taken it: to be written together with
/// what it tells of. Written twice, it is told twice.
pub fn writes(
    place: &Place,
    run_id: &str,
    alert: &Alert,
    level: Level,
    destinations: &[Destination],
    now: Timestamp,
) -> Vec<Write> {
    let bodies = bodies(alert);
    // A transaction that has an item twice is refused as a whole.
    let destinations: BTreeSet<&Destination> = destinations.iter().collect();
    let of = |destination: &Destination| {
        let unsent = Unsent {
            run_id: run_id.to_owned(),
            destination: destination.clone(),
            since: now,
            level,
            subject: alert.subject.clone(),
            attributes: alert.attributes.clone(),
            parts: bodies.len(),
            hour: None,
            tries: 0,
            claimed_until: None,
        };
        let expires = unsent.expires();
        let keys = unsent.text_keys(place);
        let texts: Vec<Write> = keys
            .into_iter()
            .zip(&bodies)
            .map(|(key, body)| Write::Put {
                key,
                body: body.clone(),
                expires,
                condition: Condition::Any,
            })
            .collect();
        texts.into_iter().chain([unsent.put(unsent.key(place), Condition::Any)])
    };
    destinations.into_iter().flat_map(of).collect()
}

/// An alert as bodies. One that is too long to be kept is kept as far as a person reads it.
fn bodies(alert: &Alert) -> Vec<Body> {
    let json = |alert: &Alert| serde_json::to_string(alert).unwrap_or_default();
    pack(&json(alert)).unwrap_or_else(|_| {
        let text = alert.text.chars().take(CUT).collect::<String>();
        let text = text + "\n… cut here: too long to be kept. The run's record has the report.\n";
        let short = Alert { text, json: "{}".to_owned(), ..alert.clone() };
        vec![Body::Text(json(&short))]
    })
}

impl Unsent {
    /// The pointer that an item holds.
    ///
    /// # Errors
    /// When it holds none: somebody must be told, for an alert is behind it.
    pub fn read(item: &Item) -> Result<Self, Unreadable> {
        value_of(item)
    }

    /// Whether somebody else is telling it.
    pub fn is_claimed(&self, now: Timestamp) -> bool {
        self.claimed_until.is_some_and(|until| until > now)
    }

    /// Whether the limit of an hour may hold it.
    pub fn may_be_held(&self) -> bool {
        match self.level {
            Level::News => true,
            Level::Alarm | Level::Overview => false,
        }
    }

    /// In which order the alerts of a destination are tried: alarms first; then what was tried least,
    /// so that one which is never taken keeps no other back; then the oldest.
    pub fn order(&self) -> (Level, u32, Timestamp) {
        (self.level, self.tries, self.since)
    }

    /// How it ranks among others.
    pub fn rank(&self) -> Rank {
        Rank::of(&self.attributes)
    }

    /// The items that its text is in, in their order.
    pub fn text_keys(&self, place: &Place) -> Vec<Key> {
        let partition = Kind::Alert.at(place);
        let (run, to) = (&self.run_id, &self.destination);
        let name = |part: usize| match part {
            0 => format!("{run}#{to}"),
            1.. => format!("{run}#{to}#part{part}"),
        };
        (0..self.parts.min(MOST_PARTS)).map(|part| partition.key(name(part))).collect()
    }

    fn key(&self, place: &Place) -> Key {
        Kind::Waiting.at(place).key(format!("{UNSENT}{}#{}", self.run_id, self.destination))
    }

    /// Whether nobody tries to tell it any more.
    pub fn is_given_up(&self, now: Timestamp) -> bool {
        let end = self.since.checked_add(KEPT);
        end.is_ok_and(|end| end <= now) && !self.is_claimed(now)
    }

    fn expires(&self) -> Option<Timestamp> {
        self.since.checked_add(KEPT.saturating_add(THEN_FORGOTTEN)).ok()
    }

    fn put(&self, key: Key, condition: Condition) -> Write {
        Write::Put { key, body: body_of(self), expires: self.expires(), condition }
    }
}

/// What makes the telling of an alert this process's own for a minute, with the place that it has in
/// an hour. Nobody claims what [`Unsent::is_claimed`] by another.
pub(super) fn claim(
    item: &Item,
    unsent: &Unsent,
    hour: Option<Timestamp>,
    now: Timestamp,
) -> Write {
    let claimed = Unsent {
        hour: hour.or(unsent.hour),
        tries: unsent.tries.saturating_add(1),
        claimed_until: now.checked_add(CLAIMED).ok(),
        ..unsent.clone()
    };
    claimed.put(item.key.clone(), Condition::Version(item.version))
}

/// What forgets an alert that was claimed as it was read in this item and then told, unless somebody
/// else has claimed it since.
pub fn told(item: &Item, unsent: &Unsent) -> Transaction {
    // The claim has written the pointer once.
    Transaction { token: None, writes: clear(item, item.version.saturating_add(1), unsent) }
}

/// What forgets an alert, pointer and text, if its pointer has this version still.
pub(super) fn clear(item: &Item, version: u64, unsent: &Unsent) -> Vec<Write> {
    let pointer = Write::Delete { key: item.key.clone(), condition: Condition::Version(version) };
    let texts = unsent.text_keys(&item.key.partition.place);
    let texts = texts.into_iter().map(|key| Write::Delete { key, condition: Condition::Any });
    [pointer].into_iter().chain(texts).collect()
}

/// The alert whose text is in these items, read under [`Unsent::text_keys`] in that order.
///
/// # Errors
/// When a part is lacking or damaged.
pub fn alert_of(parts: Vec<Option<Item>>) -> Result<Alert, String> {
    let wanted = parts.len();
    let bodies: Vec<Body> = parts.into_iter().flatten().map(|item| item.body).collect();
    if bodies.len() < wanted {
        return Err(format!("{} of its {wanted} parts are in the table", bodies.len()));
    }
    let text = unpack(&bodies).map_err(|error: NotPacked| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("what is kept is no alert: {error}"))
}

/// What is told in the place of an alert whose text is lost: a subject is better than silence.
pub fn without_text(unsent: &Unsent, why: &str) -> Alert {
    let text = format!(
        "{}.\n\nThe text of this alert is lost: {why}.\n\nThe report is in the log and in the record \
         of run {}.\n",
        unsent.subject, unsent.run_id
    );
    let json = serde_json::json!({
        "version": 1, "run_id": unsent.run_id, "subject": unsent.subject, "text_lost": why,
    });
    Alert {
        subject: unsent.subject.clone(),
        text,
        json: json.to_string(),
        attributes: unsent.attributes.clone(),
    }
}

#[cfg(test)]
mod tests;
