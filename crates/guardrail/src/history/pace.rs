//! The allowance that all processes of an account and Region share for calls that change endpoints.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many calls of one action may follow each other at once, and how long one takes to be granted
/// again. EC2 grants 4 and then 0.3 in a second to the whole account and Region
/// (docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html): the guardrail leaves more than
/// half of that to others.
const BURST: i64 = 2;
const MILLISECONDS_PER_CALL: i64 = 8_334;

/// How much of the allowance of one action is used, as the table keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// When the whole allowance is there again (UTC): the present or the past where none is used.
    pub whole_at: Timestamp,
}

impl Pace {
    /// What is left after one more call at `now`, or when the next one is granted. A time that
    /// another process with a clock far ahead has written counts as the most that can be used.
    pub fn take(before: Option<Self>, now: Timestamp) -> Result<Self, Timestamp> {
        let call = SignedDuration::from_millis(MILLISECONDS_PER_CALL);
        let most = call * i32::try_from(BURST).unwrap_or(1);
        let latest = now.saturating_add(most).unwrap_or(now);
        let whole_at = before.map_or(now, |pace| pace.whole_at.clamp(now, latest));
        let after = whole_at.saturating_add(call).unwrap_or(whole_at);
        match after <= latest {
            true => Ok(Self { whole_at: after }),
            false => Err(after.saturating_sub(most).unwrap_or(after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn two_calls_at_once_and_then_one_each_eight_seconds() {
        let first = Pace::take(None, at(0)).unwrap();
        let second = Pace::take(Some(first), at(0)).unwrap();
        assert_eq!(Pace::take(Some(second), at(0)), Err(at(8_334)));
        assert_eq!(Pace::take(Some(second), at(8_333)), Err(at(8_334)));
        let third = Pace::take(Some(second), at(8_334)).unwrap();
        assert_eq!(Pace::take(Some(third), at(8_334)), Err(at(16_668)));
        assert!(Pace::take(Some(third), at(100_000)).is_ok());
    }

    #[test]
    fn never_more_than_the_allowance_in_any_hour() {
        let (mut pace, mut made) = (None, 0);
        for now in 0..3_600 {
            if let Ok(after) = Pace::take(pace, at(now * 1_000)) {
                (pace, made) = (Some(after), made + 1);
            }
        }
        assert_eq!(made, 2 + 3_599_000 / MILLISECONDS_PER_CALL);
    }

    /// A process whose clock is an hour ahead must not stop the others for an hour.
    #[test]
    fn a_clock_far_ahead_uses_up_no_more_than_there_is() {
        let ahead = Pace { whole_at: at(3_600_000) };
        assert_eq!(Pace::take(Some(ahead), at(0)), Err(at(8_334)));
    }
}
