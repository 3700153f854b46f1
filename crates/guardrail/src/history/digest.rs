//! What stands, told once a day.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Destination};
use super::gravity::Gravity;
use super::item::{Condition, Item, Key, Kind, Transaction, Write};
use super::outgoing::{Level, Unreadable, Unsent, body_of, clear, value_of, writes};
use super::state::{Standing, VpcState};
use crate::ec2::id::{Place, VpcId};

/// What the run of a digest is called, before its day.
const DIGEST: &str = "digest-";

/// The last day whose digest was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// The day on which the digest was due (UTC): `2026-09-14`.
    day: String,
}

/// What is not as the baseline wants it in one VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingVpc {
    /// The VPC.
    pub vpc: VpcId,
    /// When a run looked last (UTC).
    pub looked: Timestamp,
    /// What was found then, the worst first and of that the oldest.
    pub findings: Vec<Standing>,
}

/// The item of the last day whose digest was made.
pub fn digest_key(place: &Place) -> Key {
    Kind::Told.at(place).key("digest")
}

/// The name of the digest that is due now; `None` when it was made.
///
/// A digest's day begins at its hour: what was missed at that hour is made up for whenever the clock
/// runs again before the next. What cannot be read is told once more rather than never.
pub fn digest_is_due(told: Option<&Item>, now: Timestamp, hour: u8) -> Option<String> {
    let day = day(now, hour);
    let told = told.and_then(|item| value_of::<Told>(item).ok());
    // Days of four digits sort as text.
    told.is_none_or(|told| told.day < day).then(|| format!("{DIGEST}{day}"))
}

/// The day of the digest that was due last.
fn day(now: Timestamp, hour: u8) -> String {
    let begun = now.saturating_sub(SignedDuration::from_hours(i64::from(hour.min(23))));
    let begun = begun.unwrap_or(now);
    begun.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// What stands in all VPCs of a place by their states, the worst first; and which states cannot be
/// read.
pub fn standing(states: &[Item]) -> (Vec<StandingVpc>, Vec<Unreadable>) {
    let (mut all, mut unreadable) = (Vec::new(), Vec::new());
    for item in states {
        match standing_of(item) {
            Ok(standing) => all.extend(standing),
            Err(why) => unreadable.push(why),
        }
    }
    all.sort_by_cached_key(|of: &StandingVpc| {
        let findings = of.findings.iter().map(order).collect::<Vec<_>>();
        (findings, of.vpc.clone())
    });
    (all, unreadable)
}

fn standing_of(item: &Item) -> Result<Option<StandingVpc>, Unreadable> {
    let state: VpcState = value_of(item)?;
    let vpc = item
        .key
        .name
        .parse::<VpcId>()
        .map_err(|error| Unreadable { name: item.key.name.clone(), why: error.to_string() })?;
    let mut findings = state.standing;
    findings.sort_by_key(order);
    Ok((!findings.is_empty()).then_some(StandingVpc { vpc, looked: state.looked, findings }))
}

fn order(finding: &Standing) -> (Gravity, Timestamp, String) {
    (Gravity::of(finding.rule), finding.since, finding.fingerprint.clone())
}

/// What makes the digest of a name: the alert for each destination, if anything stands, and that it
/// was made. Of two clocks that make it one succeeds. A digest of another day that was not told yet
/// is not told any more.
pub fn digest(
    told: Option<&Item>,
    place: &Place,
    id: &str,
    alert: Option<&Alert>,
    destinations: &[Destination],
    waiting: &[(&Item, Unsent)],
    now: Timestamp,
) -> Transaction {
    let day = id.strip_prefix(DIGEST).unwrap_or(id).to_owned();
    let made = Write::Put {
        key: digest_key(place),
        body: body_of(&Told { day }),
        expires: None,
        condition: Condition::unchanged(told),
    };
    let alerts = alert.map(|alert| writes(place, id, alert, Level::Overview, destinations, now));
    let old = waiting.iter().filter(|(_, unsent)| {
        unsent.run_id.starts_with(DIGEST) && unsent.run_id != id && !unsent.is_claimed(now)
    });
    let old = old.flat_map(|(item, unsent)| clear(item, item.version, unsent));
    let writes = [made].into_iter().chain(alerts.into_iter().flatten()).chain(old).take(100);
    Transaction { token: None, writes: writes.collect() }
}
