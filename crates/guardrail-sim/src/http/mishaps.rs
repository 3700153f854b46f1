//! What happens to events on their way: they get lost, come twice, late, and in another order.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

/// What the way to where events go does to them. EventBridge gives CloudTrail's events of EC2 as
/// best it can ("best effort"), more than once at times, and in no order:
/// <https://docs.aws.amazon.com/eventbridge/latest/ref/event-delivery-level.html>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// How many of a hundred events never come.
    pub lost: u8,
    /// How many of a hundred events come twice.
    pub repeated: u8,
    /// Each coming of an event takes up to this long, in real time; so later events overtake
    /// earlier ones. At zero all come at once, in their order. What is still on its way when the
    /// server stops never comes.
    pub late: Duration,
    /// What chance follows: with the same seed the same events get lost, come twice, and take as
    /// long.
    pub seed: u64,
}

/// Text that names no mishaps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is nothing that happens to events; write it as `lost=5,repeated=10,late=30s,seed=7`: percent, percent, the longest time, and what chance follows"
)]
pub struct NotAMishap(String);

impl FromStr for Mishaps {
    type Err = NotAMishap;

    fn from_str(text: &str) -> Result<Self, NotAMishap> {
        let mut mishaps = Self::default();
        for part in text.split(',') {
            mishaps.take(part).ok_or_else(|| NotAMishap(part.to_owned()))?;
        }
        Ok(mishaps)
    }
}

impl Mishaps {
    fn take(&mut self, part: &str) -> Option<()> {
        let (name, value) = part.split_once('=')?;
        let percent = || value.parse().ok().filter(|percent| *percent <= 100);
        match name {
            "lost" => self.lost = percent()?,
            "repeated" => self.repeated = percent()?,
            "late" => {
                let time: SignedDuration = value.parse().ok()?;
                self.late = Duration::try_from(time).ok()?;
            }
            "seed" => self.seed = value.parse().ok()?,
            _ => return None,
        }
        Some(())
    }

    /// After how long the event of this number comes: not at all, once, or twice.
    pub(crate) fn comings(&self, number: u64) -> Vec<Duration> {
        let mut chance = Chance(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let is_lost = chance.percent() < self.lost;
        let is_repeated = chance.percent() < self.repeated;
        let times = if is_lost { 0 } else { 1 + usize::from(is_repeated) };
        (0..times).map(|_| chance.up_to(self.late)).collect()
    }
}

/// SplitMix64: small, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn percent(&mut self) -> u8 {
        u8::try_from(self.next() % 100).unwrap_or_default()
    }

    fn up_to(&mut self, time: Duration) -> Duration {
        let most = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.next() % most.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mishaps_are_read_from_their_text() {
        let read = "lost=5,repeated=10,late=1m 30s,seed=7".parse();
        let late = Duration::from_secs(90);
        assert_eq!(read, Ok(Mishaps { lost: 5, repeated: 10, late, seed: 7 }));
        assert_eq!("lost=100".parse(), Ok(Mishaps { lost: 100, ..Mishaps::default() }));
        for wrong in
            ["", "lost", "lost=101", "lost=-1", "late=-1s", "late=soon", "seed=", "early=1"]
        {
            assert_eq!(wrong.parse::<Mishaps>(), Err(NotAMishap(wrong.to_owned())));
        }
    }

    #[test]
    fn nothing_happens_to_events_by_default() {
        let comings: Vec<_> = (0..50).map(|n| Mishaps::default().comings(n)).collect();
        assert_eq!(comings, vec![vec![Duration::ZERO]; 50]);
    }

    #[test]
    fn as_many_are_lost_and_repeated_as_was_asked_for_and_the_same_each_time() {
        let late = Duration::from_secs(10);
        let mishaps = Mishaps { lost: 20, repeated: 50, late, seed: 3 };
        let comings: Vec<_> = (0..10_000).map(|n| mishaps.comings(n)).collect();
        let count =
            |times: usize| comings.iter().filter(|times_of| times_of.len() == times).count();
        assert!((1900..2100).contains(&count(0)), "{}", count(0));
        assert!((3800..4200).contains(&count(2)), "{}", count(2));
        assert!(comings.iter().flatten().all(|time| *time <= late));
        assert!(comings.iter().flatten().any(|time| *time > Duration::from_secs(9)));
        let overtaken = comings.windows(2).filter(|two| two[0].iter().max() > two[1].iter().min());
        assert!(overtaken.count() > 1000);
        assert_eq!(comings, (0..10_000).map(|n| mishaps.comings(n)).collect::<Vec<_>>());
        let other = Mishaps { seed: 4, ..mishaps };
        assert_ne!(comings, (0..10_000).map(|n| other.comings(n)).collect::<Vec<_>>());
    }
}
