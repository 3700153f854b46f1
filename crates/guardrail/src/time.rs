//! What a clock says, as the time that everything here is written in; and days.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// The time that is so long after the beginning of 1970, to the millisecond; a time too late to be
/// written is the latest one that can be.
pub fn since_1970(elapsed: Duration) -> Timestamp {
    let milliseconds = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}

/// A day of UTC, written `2026-11-24` and in no other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

/// Text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is no day of the calendar; write it as 2026-11-24", crate::shown::quoted(.0))]
pub struct NoDay(String);

impl Day {
    /// The day of UTC that this time is on.
    pub fn of(time: Timestamp) -> Self {
        Self(time.to_zoned(TimeZone::UTC).date())
    }

    /// The day so many days later; the last of the calendar if there is none.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        Self(self.0.checked_add(i64::from(days).days()).unwrap_or(Date::MAX))
    }

    /// How many days it is until the other day; less than none if that was before.
    pub fn days_until(self, other: Self) -> i32 {
        self.0.until(other.0).map_or(0, |span| span.get_days())
    }

    /// When the day begins (UTC).
    pub fn begins(self) -> Timestamp {
        let begins = self.0.to_zoned(TimeZone::UTC);
        begins.map_or(Timestamp::MAX, |begins| begins.timestamp())
    }
}

impl FromStr for Day {
    type Err = NoDay;
    fn from_str(text: &str) -> Result<Self, NoDay> {
        let no_day = || NoDay(text.to_owned());
        let bytes = text.as_bytes();
        let fits = bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !fits {
            return Err(no_day());
        }
        text.parse().map(Self).map_err(|_| no_day())
    }
}

impl TryFrom<String> for Day {
    type Error = NoDay;
    fn try_from(text: String) -> Result<Self, NoDay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_one_way() {
        let day = |text: &str| text.parse::<Day>();
        assert_eq!(day("2026-11-24").unwrap().to_string(), "2026-11-24");
        assert_eq!(day("2028-02-29").unwrap().plus(1), day("2028-03-01").unwrap());
        for text in [
            "",
            "2026-11-31",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "20261124",
            "2026-11-2",
            "2026-11-24T00:00",
            "+026-11-24",
            "2026/11/24",
            "24.11.2026",
            "２０２６-11-24",
        ] {
            assert!(day(text).is_err(), "{text}");
        }
        assert_eq!(
            day("31.12.").unwrap_err().to_string(),
            "\"31.12.\" is no day of the calendar; write it as 2026-11-24"
        );
    }

    #[test]
    fn days_are_of_utc_and_counted_over_the_ends_of_months() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(Day::of("2026-11-24T23:59:59Z".parse().unwrap()), day("2026-11-24"));
        assert_eq!(Day::of("2026-11-25T00:00:00Z".parse().unwrap()), day("2026-11-25"));
        assert_eq!(day("2026-11-24").begins(), "2026-11-24T00:00:00Z".parse().unwrap());
        assert_eq!(day("2026-12-25").days_until(day("2027-03-25")), 90);
        assert_eq!(day("2026-12-25").days_until(day("2026-12-24")), -1);
        assert_eq!(day("2026-12-25").plus(90), day("2027-03-25"));
        assert_eq!(day("9999-12-31").plus(1), day("9999-12-31"));
    }

    #[test]
    fn a_time_is_kept_to_the_millisecond_and_never_overflows() {
        assert_eq!(since_1970(Duration::ZERO), Timestamp::UNIX_EPOCH);
        assert_eq!(
            since_1970(Duration::from_nanos(1_789_374_667_123_456_789)).to_string(),
            "2026-09-14T08:31:07.123Z"
        );
        assert_eq!(since_1970(Duration::MAX), Timestamp::MAX);
    }
}
