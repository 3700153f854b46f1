//! What is known of a VPC between two runs, and who may change it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use std::collections::{BTreeMap, BTreeSet};

use super::exempted::ExemptedStanding;
use crate::baseline::RuleId;
use crate::ec2::id::ServiceName;
use crate::event::Evidence;

/// What is known of a VPC between two runs: written by runs only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcState {
    /// When the last run that came to its end looked (UTC); `None` before the first has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<Timestamp>,
    /// What was not as the baseline wants it then.
    pub standing: Vec<Standing>,
    /// Since when it has not been on its baseline, as far as anybody was told; `None` when it is, or
    /// when nobody was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_since: Option<Timestamp>,
    /// What could not be observed though it was not a passing fault, or not for long; `None` when all
    /// could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<Blind>,
    /// What was exempted then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempted: Vec<ExemptedStanding>,
    /// Which exemptions that exempt nothing were told of.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exempting_nothing: BTreeSet<String>,
    /// Until when the endpoints of these services are left to the tool that may be about to make
    /// them (UTC).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grace: BTreeMap<ServiceName, Timestamp>,
    /// When to look again though nothing happens; `None` when nothing is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_again: Option<LookAgain>,
    /// The sweep that has found the VPC for the first time, as long as what it found is to be told in
    /// that sweep's summary; `None` once it was, and where there is nothing to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_contact: Option<String>,
    /// The calls that led to what is waited for: the alert of the run that comes then names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Evidence>,
    /// How many runs in a row have asked for another one and got nowhere.
    #[serde(default)]
    pub in_vain: u32,
    /// The run that may change the VPC; `None` when none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
}

/// A finding that stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Standing {
    /// The rule that found it.
    pub rule: RuleId,
    /// What tells it from every other finding, and from itself once it has changed.
    pub fingerprint: String,
    /// The finding in one line, for people.
    pub summary: String,
    /// When it was first found (UTC).
    pub since: Timestamp,
    /// Whether anybody was told of it.
    pub told: bool,
}

/// When a VPC is to be looked at again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LookAgain {
    /// The time from which a look may do more (UTC).
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// What is waited for, in words.
    pub why: String,
}

/// That a run gave way to another, and is due when that one's lease ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GaveWay {
    /// When, and why.
    #[serde(flatten)]
    pub again: LookAgain,
    /// The calls that led to the run, of which nobody else may hear again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Evidence>,
}

/// That not all could be observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    /// What could not, and why, as far as it tells one blindness from another.
    pub fingerprint: String,
    /// Since when (UTC).
    pub since: Timestamp,
    /// Whether anybody was told of it.
    pub told: bool,
}

/// That one run, and no other, may change a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run's name.
    pub run_id: String,
    /// Until when (UTC), by the clock of the process that took it.
    pub until: Timestamp,
}

/// How much longer than its run a lease lasts: what a run sent before its end may act as late as its
/// client gives up, and two clocks may be half a minute apart.
const LEASE_OUTLIVES_RUN: Duration = Duration::from_secs(120);

/// How much of a lease must be left for a call, beside the longest that a call takes: as far as two
/// clocks may be apart.
const CLOCKS_APART: Duration = Duration::from_secs(30);

impl Lease {
    /// The lease of a run that ends at its deadline.
    pub fn of(run_id: &str, deadline: Timestamp) -> Self {
        let until = deadline.checked_add(LEASE_OUTLIVES_RUN).unwrap_or(Timestamp::MAX);
        Self { run_id: run_id.to_owned(), until }
    }

    /// Whether it keeps this run from changing the VPC.
    pub fn keeps_out(&self, run_id: &str, now: Timestamp) -> bool {
        self.run_id != run_id && self.until > now
    }
}

/// How long a lease lasts by the clock of the process that took it, which nobody sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseClock {
    /// The process's uptime before it asked for the lease.
    taken: Duration,
    /// How long the lease lasts from then on.
    lasts: Duration,
}

impl LeaseClock {
    /// The clock of a lease that was asked for at `now`, when the process had run for `uptime`.
    pub fn of(lease: &Lease, now: Timestamp, uptime: Duration) -> Self {
        let lasts = match lease.until > now {
            true => lease.until.duration_since(now).unsigned_abs(),
            false => Duration::ZERO,
        };
        Self { taken: uptime, lasts }
    }

    /// Whether a call that takes at most `longest_call` ends while the lease still keeps others out,
    /// also those whose clocks are ahead.
    pub fn allows_call(&self, uptime: Duration, longest_call: Duration) -> bool {
        let used = uptime.saturating_sub(self.taken);
        self.lasts.saturating_sub(used) > longest_call.saturating_add(CLOCKS_APART)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_lease_outlives_its_run_and_keeps_others_out() {
        let lease = Lease::of("r-1", at(60));
        assert_eq!(lease, Lease { run_id: "r-1".to_owned(), until: at(180) });
        assert!(lease.keeps_out("r-2", at(179)));
        assert!(!lease.keeps_out("r-2", at(180)), "it has ended");
        assert!(!lease.keeps_out("r-1", at(0)), "it is this run's own");
    }

    #[test]
    fn a_call_needs_more_of_the_lease_than_it_may_take_and_clocks_may_be_apart() {
        let clock = LeaseClock::of(&Lease::of("r-1", at(60)), at(0), Duration::from_secs(1000));
        let allows =
            |uptime| clock.allows_call(Duration::from_secs(uptime), Duration::from_secs(20));
        assert_eq!([1000, 1129, 1130, 5000].map(allows), [true, true, false, false]);
        let over = LeaseClock::of(&Lease::of("r-1", at(60)), at(500), Duration::ZERO);
        assert!(!over.allows_call(Duration::ZERO, Duration::ZERO));
    }
}
