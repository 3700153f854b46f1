//! The alert about a run that was killed, told by the one that found its record open.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{SUBJECT_LIMIT, printable};
use crate::baseline::Mode;
use crate::ec2::change::StepId;
use crate::ec2::id::Scope;
use crate::history::{Alert, Attribute, Became};
use crate::shown::{self, one_line, word};

/// A run that was killed, as far as the next one can tell what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClosedRun {
    /// The run.
    pub run_id: String,
    /// The account, Region and VPC.
    pub scope: Scope,
    /// When it began (UTC).
    pub began: Timestamp,
    /// The run that found its record open.
    pub closed_by: String,
    /// Every step that it was about to take.
    pub steps: Vec<ClosedStep>,
}

/// A step of a run that was killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClosedStep {
    /// The step's number.
    pub id: StepId,
    /// What it does, for people.
    pub summary: String,
    /// What was so before, for people.
    pub before: String,
    /// What became of it.
    pub became: Became,
    /// What takes it back, or what to look for first; absent where nothing was done.
    pub undo: Option<String>,
}

/// The alert about a run that was killed.
pub fn closed_run_alert(run: &ClosedRun, mode: Mode) -> Alert {
    let scope = &run.scope;
    let mut text = format!(
        "VPC {} in account {}, {}: a run of the guardrail was killed before its end.\n\n\
         What it did was not told. It is told now, by the run that found its record\n\
         open; that run tells by itself what is left.\n\nSteps\n",
        scope.vpc, scope.account, scope.region
    );
    for step in &run.steps {
        let (summary, became) = (one_line(&step.summary), one_line(&step.became.to_string()));
        let _ = writeln!(text, "  {}. {summary}\n     {became}", step.id);
        if step.became.may_be_made() {
            let _ = writeln!(text, "     before: {}", one_line(&step.before));
        }
    }
    let undos: Vec<&ClosedStep> =
        run.steps.iter().rev().filter(|step| step.undo.is_some()).collect();
    if !undos.is_empty() {
        let _ = writeln!(text, "\nTo undo, in this order");
        for step in undos {
            let undo = step.undo.as_deref().unwrap_or_default();
            let _ = writeln!(text, "  {}. {}", step.id, one_line(undo));
        }
    }
    let _ = writeln!(
        text,
        "\nRun {}, begun {}; closed by {}.",
        word(&run.run_id),
        run.began,
        word(&run.closed_by)
    );
    let attributes = [
        ("account", Attribute::of(&scope.account)),
        ("region", Attribute::of(&scope.region)),
        ("vpc", Attribute::of(&scope.vpc)),
        ("verdict", Attribute::of("run-killed")),
        ("mode", Attribute::of(mode)),
        ("changed", Attribute::of(true)),
    ];
    let subject = format!("VPC guardrail: a run was killed {} {}", scope.vpc, scope.region);
    Alert {
        subject: printable(&subject, SUBJECT_LIMIT),
        text,
        json: shown::json(&json!({ "version": 1, "verdict": "run-killed", "run": run })),
        attributes: BTreeMap::from(attributes.map(|(name, value)| (name.to_owned(), value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::change::Applied;

    #[test]
    fn it_says_what_was_done_what_is_not_known_and_what_undoes_it() {
        let step = |id, summary: &str, became, undo: Option<&str>| ClosedStep {
            id: StepId(id),
            summary: summary.to_owned(),
            before: "it was so".to_owned(),
            became,
            undo: undo.map(str::to_owned),
        };
        let run = ClosedRun {
            run_id: "r-1/vpc-1".to_owned(),
            scope: Scope {
                account: "111122223333".parse().unwrap(),
                region: "eu-central-1".parse().unwrap(),
                vpc: "vpc-1".parse().unwrap(),
            },
            began: Timestamp::UNIX_EPOCH,
            closed_by: "r-2/vpc-1".to_owned(),
            steps: vec![
                step(1, "create it", Became::Made(Applied::Done), Some("aws one")),
                step(2, "delete it", Became::MadeOrFoundMade, Some("aws two")),
                step(3, "the rest", Became::NotBegun, None),
            ],
        };
        let alert = closed_run_alert(&run, Mode::Repair);
        assert_eq!(alert.subject, "VPC guardrail: a run was killed vpc-1 eu-central-1");
        let expected = "VPC vpc-1 in account 111122223333, eu-central-1: a run of the guardrail was \
            killed before its end.\n\nWhat it did was not told. It is told now, by the run that found \
            its record\nopen; that run tells by itself what is left.\n\nSteps\n  1. create it\n     made\n     \
            before: it was so\n  2. delete it\n     made, or found made: not known by whom\n     before: \
            it was so\n  3. the rest\n     not begun\n\nTo undo, in this order\n  2. aws two\n  1. aws \
            one\n\nRun r-1/vpc-1, begun 1970-01-01T00:00:00Z; closed by r-2/vpc-1.\n";
        assert_eq!(alert.text, expected);
    }
}
