//! Alerts that are not told yet.

use jiff::Timestamp;

use super::item::{Condition, Kind, Write};
use super::ledger::put;
use super::{Alert, Destination};
use crate::ec2::id::Place;

/// What the table keeps of an alert until each destination has it.
pub fn writes(
    place: &Place,
    run_id: &str,
    alert: &Alert,
    destinations: &[Destination],
    _now: Timestamp,
) -> Vec<Write> {
    let one = |destination: &Destination| {
        let name = format!("unsent#{run_id}#{destination}");
        put(Kind::Waiting.at(place).key(name), alert, Condition::Any)
    };
    destinations.iter().map(one).collect()
}
