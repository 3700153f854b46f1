//! The one place of this crate that reads clocks.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use guardrail::time::since_1970;
use jiff::Timestamp;

/// The time now, to the millisecond; a clock before 1970 is taken for 1970.
pub(crate) fn now() -> Timestamp {
    since_1970(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// How long ago the process first asked for this, by a clock that nobody sets.
pub(crate) fn uptime() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed()
}
