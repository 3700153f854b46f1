//! What has ended, and how long the VPC was not on its baseline.

use std::fmt::Write as _;

use crate::report::{Report, Verdict};
use crate::shown::one_line;

/// What subscribers were told of and is so no more.
pub(super) fn ended(out: &mut String, report: &Report) {
    if report.ended.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nEnded");
    const SHOWN: usize = 20;
    for ended in report.ended.iter().take(SHOWN) {
        let (rule, summary) = (ended.rule, one_line(&ended.summary));
        let _ = writeln!(out, "  - {rule}: {summary} [since {}]", ended.since);
    }
    if let Some(more) = report.ended.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more");
    }
}

/// Whether the VPC is back on its baseline and this run did nothing for it.
pub(super) fn is_back_by_others(report: &Report) -> bool {
    report.was_off_for_seconds.is_some()
        && report.verdict == Verdict::Compliant
        && report.departures.is_empty()
}

/// How long the VPC was not on its baseline, when it is back on it: ` after 1 h 20 min`.
pub(super) fn after_how_long(report: &Report) -> String {
    let seconds = report.was_off_for_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map(|seconds| format!(" after {}", in_words(seconds))).unwrap_or_default()
}

/// A time in its two greatest units.
fn in_words(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |great: u64, unit: &str, small: u64, sub: &str| match small {
        0 => format!("{great} {unit}"),
        _ => format!("{great} {unit} {small} {sub}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => two(hours, "h", minutes % 60, "min"),
        (_, _, _) => two(days, "d", hours % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_two_greatest_units() {
        let times = [0, 59, 60, 119, 3_600, 4_800, 86_399, 86_400, 97_200];
        let told = times.map(in_words);
        let expected =
            ["0 s", "59 s", "1 min", "1 min", "1 h", "1 h 20 min", "23 h 59 min", "1 d", "1 d 3 h"];
        assert_eq!(told, expected);
    }
}
