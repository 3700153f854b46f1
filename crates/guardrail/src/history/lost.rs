//! Alerts that a destination has not taken within two weeks: they are given up and counted, and once a
//! day it is told how many.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::Destination;
use super::item::{Condition, Item, Key, Kind, Transaction, Write};
use super::outgoing::{Unreadable, Unsent, body_of, clear, value_of};
use crate::ec2::id::Place;

/// What the names of the items begin with that count what destinations have not taken.
pub const LOST: &str = "lost#";

/// Alerts that one destination has not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// How many they are.
    pub count: u32,
    /// Since when the oldest of them waited (UTC).
    pub since: Timestamp,
    /// Since when the newest of them waited (UTC).
    pub until: Timestamp,
}

/// The item that counts what a destination has not taken.
pub fn lost_key(place: &Place, destination: &Destination) -> Key {
    Kind::Told.at(place).key(format!("{LOST}{destination}"))
}

/// What a destination has not taken, by its item; `None` for another item.
///
/// # Errors
/// When the item cannot be read.
pub fn lost_of(item: &Item) -> Result<Option<(Destination, Lost)>, Unreadable> {
    match item.key.name.strip_prefix(LOST) {
        Some(destination) => Ok(Some((Destination::new(destination), value_of(item)?))),
        None => Ok(None),
    }
}

/// What gives up an alert and counts it, after what was counted `before`. A count that cannot be read
/// begins anew.
pub fn given_up(item: &Item, unsent: &Unsent, before: Option<&Item>) -> Transaction {
    let counted = before.and_then(|item| value_of::<Lost>(item).ok());
    let lost =
        counted.map_or(Lost { count: 1, since: unsent.since, until: unsent.since }, |lost| Lost {
            count: lost.count.saturating_add(1),
            since: lost.since.min(unsent.since),
            until: lost.until.max(unsent.since),
        });
    let count = Write::Put {
        key: lost_key(&item.key.partition.place, &unsent.destination),
        body: body_of(&lost),
        expires: None,
        condition: Condition::unchanged(before),
    };
    let writes = clear(item, item.version, unsent).into_iter().chain([count]).collect();
    Transaction { token: None, writes }
}
