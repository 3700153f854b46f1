//! What is exempted, and what should exempt and does not.

use std::fmt::Write as _;

use crate::history::ANNOUNCED_DAYS;
use crate::report::{ExemptedFinding, Report};
use crate::shown::{filled, one_line, quoted};
use crate::time::Day;

/// How many lines of each kind are told.
const SHOWN: usize = 20;

/// What is exempted, each with its exemption; and the exemptions that exempt nothing.
pub(super) fn exempted(out: &mut String, report: &Report) {
    let today = Day::of(report.finished);
    if !report.exempted.is_empty() {
        let _ = writeln!(out, "\nExempted");
    }
    for exempted in report.exempted.iter().take(SHOWN) {
        let _ = writeln!(out, "  - {}: {}", exempted.rule, one_line(&exempted.summary));
        for line in filled(&by(exempted, today), 6) {
            let _ = writeln!(out, "{line}");
        }
    }
    more(out, report.exempted.len());
    if !report.exempting_nothing.is_empty() {
        let _ = writeln!(out, "\nExempts nothing");
    }
    for nothing in report.exempting_nothing.iter().take(SHOWN) {
        let _ = writeln!(out, "  - {}", one_line(&nothing.to_string()));
    }
    more(out, report.exempting_nothing.len());
}

fn more(out: &mut String, all: usize) {
    if let Some(more) = all.checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more");
    }
}

fn by(exempted: &ExemptedFinding, today: Day) -> String {
    let ExemptedFinding { until, set_by, .. } = exempted;
    let set_by = set_by.as_ref().map(|who| format!(", set by {}", quoted(who)));
    format!(
        "until {until}{}, by {}{}",
        lapses(today, *until),
        exempted.exemption(),
        set_by.unwrap_or_default()
    )
}

/// In how many days it lapses, in brackets, where that is soon.
pub(in crate::report) fn lapses(today: Day, until: Day) -> String {
    match today.days_until(until) {
        days if days > ANNOUNCED_DAYS => String::new(),
        0 => " (it lapses today)".to_owned(),
        1 => " (it lapses tomorrow)".to_owned(),
        days => format!(" (it lapses in {days} days)"),
    }
}

/// What a VPC is on its baseline but for: ` but for 2 exemptions`.
pub(super) fn but_for(report: &Report) -> String {
    match report.exemptions() {
        0 => String::new(),
        1 => " but for 1 exemption".to_owned(),
        many => format!(" but for {many} exemptions"),
    }
}
