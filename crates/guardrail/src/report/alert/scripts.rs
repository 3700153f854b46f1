//! The scripts of a report in an alert: whole, or where they can be had.

use std::fmt::Write as _;

use super::is_idle;
use crate::report::Report;

/// How scripts stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scripts {
    /// They stand there whole.
    Whole,
    /// Where they can be had is named.
    Named,
}

/// How to undo what was done.
pub(super) fn to_undo(out: &mut String, report: &Report, scripts: Scripts) {
    let Some(undo) = &report.undo_script else { return };
    let _ = writeln!(out, "\nTo undo (exempt first, or the guardrail repairs it again)");
    match scripts {
        Scripts::Whole => paste(out, undo),
        Scripts::Named => {
            let _ = writeln!(
                out,
                "  `undo_script` of the report, in the function's log or as JSON, is for a shell"
            );
        }
    }
}

/// How to do what the guardrail only shows.
pub(super) fn by_hand(out: &mut String, report: &Report, scripts: Scripts) {
    let Some(script) = &report.script else { return };
    if !report.steps.iter().any(|step| is_idle(&step.outcome)) {
        return;
    }
    let _ = writeln!(out, "\nTo do it by hand");
    match scripts {
        Scripts::Whole => {
            let _ = writeln!(
                out,
                "  before each deletion it looks again at route and endpoints, not at policies, \
                 security groups, network ACLs and DHCP options"
            );
            paste(out, script);
        }
        Scripts::Named => {
            let _ = writeln!(out, "  `guardrail plan --script` prints a script for a shell");
        }
    }
}

fn paste(out: &mut String, script: &str) {
    let _ = writeln!(out, "  paste all of it, both parentheses included, into a POSIX shell:\n");
    out.push_str(script);
}
