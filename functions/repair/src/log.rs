//! What happens to a batch, in the log and in metrics.

use guardrail::inbox::work::Event;
use guardrail::report::{Outcome, Report, Verdict, metrics};
use guardrail::run::Lived;
use tracing::{error, info, warn};

/// Logs what happened. The full report of every run is in the log, in every mode.
pub(crate) fn log(stack: &str, event: Event<'_>) {
    match event {
        Event::Ran(run, lived) => match lived {
            Lived::Busy { due } => {
                info!(vpc = %run.scope.vpc, "another run is under way; looked at again at {due}");
            }
            Lived::Recorded { report, is_told } => summarize(stack, report, *is_told),
            Lived::NotRecorded { report, error, alert } => {
                error!(vpc = %run.scope.vpc, "not recorded: {error}");
                summarize(stack, report, alert.is_some());
            }
        },
        Event::NoTime(run) => {
            info!(vpc = %run.scope.vpc, "no time is left to begin; the messages come again");
        }
        Event::Panicked(run, why) => error!(vpc = %run.scope.vpc, "the run {why}"),
        Event::SetAside { message, why, failed: None } => {
            error!(message_id = %message, "a message was set aside: {why}");
        }
        Event::SetAside { message, why, failed: Some(error) } => {
            error!(message_id = %message, "a message comes again, as no copy of it was accepted ({error}): {why}");
        }
        Event::NotHeld(error) => warn!("how long messages are held could not be set: {error}"),
        Event::NotPublished(error) => {
            error!("an alert could not be published; it waits in the table: {error}");
        }
        Event::Lost(alert, error) => {
            error!(alert = %alert.json, "an alert could neither be recorded nor published: {error}");
        }
        Event::NoBaseline(fault) => error!("nothing is compared or changed: {fault}"),
        Event::TableFailed(error) => {
            error!("the table failed: {error}");
            println!("{}", metrics::line(now(), stack, &[("TableFailures", 1)]));
        }
    }
}

fn now() -> jiff::Timestamp {
    guardrail_aws::now()
}

/// A run in one line of the log, with its report, and in metrics.
fn summarize(stack: &str, report: &Report, is_told: bool) {
    let done = report.steps.iter().filter(|step| matches!(step.outcome, Outcome::Done(_))).count();
    let json = serde_json::to_string(report).unwrap_or_default();
    info!(
        vpc = %report.scope.vpc,
        run_id = %report.run_id,
        verdict = %report.verdict,
        findings = report.findings.len(),
        departures = report.departures.len(),
        steps = report.steps.len(),
        done,
        alert = is_told,
        cause = %report.cause,
        duration_ms = report.finished.duration_since(report.started).as_millis(),
        report = %json,
        "run ended"
    );
    if let Some(error) = &report.notes_error {
        error!(vpc = %report.scope.vpc, "what was seen could not be kept: {error}");
    }
    let drift_left = usize::from(report.verdict == Verdict::DriftLeft);
    let counts = [
        ("Runs", 1),
        ("Repairs", usize::from(report.changed())),
        ("DriftLeft", drift_left),
        ("Departures", report.departures.len()),
    ];
    println!("{}", metrics::line(report.finished, stack, &counts));
}
