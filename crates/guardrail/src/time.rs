//! What a clock says, as the time that everything here is written in.

use std::time::Duration;

use jiff::Timestamp;

/// The time that is so long after the beginning of 1970, to the millisecond; a time too late to be
/// written is the latest one that can be.
pub fn since_1970(elapsed: Duration) -> Timestamp {
    let milliseconds = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

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
