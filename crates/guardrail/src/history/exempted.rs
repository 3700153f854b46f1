//! What is remembered of exempted findings: each is told once, and once more before its exemption
//! lapses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::baseline::RuleId;
use crate::time::Day;

/// How many days before an exemption lapses that is announced.
pub const ANNOUNCED_DAYS: i32 = 7;

/// A finding that is exempted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExemptedStanding {
    /// The rule that finds it.
    pub rule: RuleId,
    /// What tells it from every other finding, and from itself once it has changed.
    pub fingerprint: String,
    /// The finding in one line, for people.
    pub summary: String,
    /// Since when it has been known as exempted until this day (UTC).
    pub since: Timestamp,
    /// The last day of the exemption (UTC).
    pub until: Day,
    /// What is exempted, where that is written, and why, in words.
    pub exemption: String,
    /// Who set the tag that exempts, where a recorded call said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// Whether it was announced that the exemption lapses.
    #[serde(default)]
    pub lapse_told: bool,
}

impl ExemptedStanding {
    /// Whether its exemption lapses so soon that this is announced.
    pub fn lapses_soon(&self, today: Day) -> bool {
        today.days_until(self.until) <= ANNOUNCED_DAYS
    }

    /// Whether it is the same finding, exempted until the same day.
    pub fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// What tells it from other findings, and from itself under an exemption with another end.
    pub fn key(&self) -> (&str, Day) {
        (&self.fingerprint, self.until)
    }
}

/// An exempted finding as a look leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExemptedLeft {
    /// The finding, as it is remembered where nothing was known of it.
    pub standing: ExemptedStanding,
    /// The fingerprint of the whole finding of which it is a part, or itself.
    pub whole: String,
}

impl ExemptedLeft {
    /// Whether what stood under this fingerprint is exempted now, or a part of it.
    pub fn covers(&self, fingerprint: &str) -> bool {
        self.whole == fingerprint || self.standing.fingerprint == fingerprint
    }
}

/// What is exempted after a look, with what was known of it; and whether any of it is news.
pub(super) fn after_look(
    known: &[ExemptedStanding],
    left: &[ExemptedLeft],
    today: Day,
) -> (Vec<ExemptedStanding>, bool) {
    let mut is_news = false;
    let merged = left.iter().map(|left| {
        let new = left.standing.clone();
        match known.iter().find(|it| it.is_same(&new)) {
            None => {
                is_news = true;
                new
            }
            Some(known) => {
                is_news |= new.lapses_soon(today) && !known.lapse_told;
                let (since, lapse_told) = (known.since, known.lapse_told);
                let set_by = new.set_by.clone().or_else(|| known.set_by.clone());
                ExemptedStanding { since, lapse_told, set_by, ..new }
            }
        }
    });
    (merged.collect(), is_news)
}
