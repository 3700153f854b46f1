//! How much of what EC2 grants an account's readers this process takes.
//!
//! EC2 has one bucket for each API action, account and Region: 100 calls, and 20 more a second, for
//! a read (docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html). Consoles, pipelines and
//! every function of ours draw on the same ones, and nobody sees what another took; so each process
//! of ours keeps to a fixed share of each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::sdk::clock;

/// The calls that a full bucket of EC2's has.
const BURST: f64 = 100.0;

/// The calls that come into it in a second.
const PER_SECOND: f64 = 20.0;

/// How many processes of repair there are at once: the queue's `MaximumConcurrency` in the template.
pub const REPAIRS_AT_ONCE: u32 = 2;

/// What a process may read: a share of each of EC2's buckets, one bucket for each API action. Its
/// clones are one allowance.
#[derive(Debug, Clone, Default)]
pub struct Allowance(Option<Arc<Buckets>>);

#[derive(Debug)]
struct Buckets {
    share: f64,
    by_action: Mutex<BTreeMap<&'static str, Bucket>>,
}

impl Allowance {
    /// For the sweep: a quarter.
    pub fn sweep() -> Self {
        Self::share(0.25)
    }

    /// For one process of repair: a tenth, divided between as many as there may be.
    pub fn repair() -> Self {
        Self::share(0.1 / f64::from(REPAIRS_AT_ONCE))
    }

    /// For detect: a twentieth.
    pub fn detect() -> Self {
        Self::share(0.05)
    }

    /// For a person at the command, who waits for the answer: whatever EC2 gives.
    pub fn unlimited() -> Self {
        Self(None)
    }

    fn share(share: f64) -> Self {
        Self(Some(Arc::new(Buckets { share, by_action: Mutex::default() })))
    }

    /// Waits until one more call of this action is allowed.
    pub(crate) async fn take(&self, action: &'static str) {
        let Some(buckets) = &self.0 else { return };
        let wait = buckets.take(action, clock::uptime());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

impl Buckets {
    fn take(&self, action: &'static str, now: Duration) -> Duration {
        let mut by_action = self.by_action.lock().unwrap_or_else(PoisonError::into_inner);
        by_action.entry(action).or_insert_with(|| Bucket::full(self.share, now)).take(now)
    }
}

/// A bucket of calls. Who finds it empty is told when the call's turn comes, and has taken it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    burst: f64,
    per_second: f64,
    /// Less than none where calls wait for their turn.
    left: f64,
    at: Duration,
}

impl Bucket {
    fn full(share: f64, now: Duration) -> Self {
        let burst = BURST * share;
        Self { burst, per_second: PER_SECOND * share, left: burst, at: now }
    }

    /// How long a call waits from `now` on.
    fn take(&mut self, now: Duration) -> Duration {
        let since = now.saturating_sub(self.at).as_secs_f64();
        self.left = (self.left + since * self.per_second).min(self.burst) - 1.0;
        self.at = self.at.max(now);
        Duration::try_from_secs_f64(-self.left / self.per_second).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(7);

    /// How many milliseconds each of so many calls waits that all come now.
    fn waits(bucket: &mut Bucket, calls: usize, now: Duration) -> Vec<u128> {
        (0..calls).map(|_| bucket.take(now).as_millis()).collect()
    }

    #[test]
    fn a_twentieth_is_five_calls_and_one_more_a_second() {
        let mut bucket = Bucket::full(0.05, NOW);
        assert_eq!(waits(&mut bucket, 8, NOW), [0, 0, 0, 0, 0, 1000, 2000, 3000]);
        let later = NOW + Duration::from_secs(4);
        assert_eq!(waits(&mut bucket, 2, later), [0, 1000], "three of the four had waited");
        let much_later = NOW + Duration::from_secs(3600);
        assert_eq!(waits(&mut bucket, 6, much_later), [0, 0, 0, 0, 0, 1000], "no more than full");
        assert_eq!(waits(&mut bucket, 1, NOW), [2000], "a clock that went back gives nothing");
    }

    #[test]
    fn each_function_has_its_share() {
        let calls = |allowance: Allowance| {
            let buckets = allowance.0.unwrap();
            let waits = (0..100).map(|_| buckets.take("DescribeVpcs", NOW));
            let waits: Vec<_> = waits.collect();
            let at_once = waits.iter().filter(|wait| wait.is_zero()).count();
            let soon = waits.iter().filter(|wait| wait.as_secs() < 15).count();
            (at_once, soon - at_once)
        };
        assert_eq!(calls(Allowance::sweep()), (25, 74));
        assert_eq!(calls(Allowance::repair()), (5, 14));
        assert_eq!(calls(Allowance::detect()), (5, 14));
        assert!(Allowance::unlimited().0.is_none());
    }

    #[test]
    fn one_action_does_not_wait_for_another_and_clones_share() {
        let allowance = Allowance::detect();
        let buckets = allowance.0.clone().unwrap();
        let take = |action| buckets.take(action, NOW).as_millis();
        let vpcs: Vec<_> = (0..6).map(|_| take("DescribeVpcs")).collect();
        assert_eq!(vpcs, [0, 0, 0, 0, 0, 1000]);
        assert_eq!(take("DescribeSubnets"), 0);
        let clone = allowance.clone().0.unwrap();
        assert_eq!(clone.take("DescribeVpcs", NOW).as_millis(), 2000);
    }
}
