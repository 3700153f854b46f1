//! `guardrail repair`: one run of the repair function's code over each VPC named.

use std::time::Duration;

use guardrail::baseline::{Baseline, ManagedVpcs};
use guardrail::cloud::{Cloud, InMemoryTable};
use guardrail::ec2::id::{Scope, VpcId};
use guardrail::history::LookAgain;
use guardrail::report::{Cause, Outcome, Report, Verdict};
use guardrail::run::{self, RunRequest, preview, with_traffic};
use jiff::Timestamp;

use crate::arguments::{BaselineArgs, Format, PlaceArgs};
use crate::ending::Ending;
use crate::error::BadInput;
use crate::input;
use crate::live::progress::Progress;
use crate::live::session::Session;
use crate::live::tell;
use crate::render::{json_line, line};

/// A run may last as long as a Lambda function may.
const RUN: Duration = Duration::from_secs(900);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: PlaceArgs,
    /// The VPC. Can be given several times.
    #[arg(long = "vpc", value_name = "ID", required = true)]
    vpcs: Vec<VpcId>,
    /// Really make the changes; without it, the plan is printed and nothing is changed.
    #[arg(long)]
    yes: bool,
    /// For how long to wait at most, in minutes, where something that was changed has to act before a
    /// route goes.
    #[arg(long, value_name = "MINUTES", default_value_t = 15)]
    wait: u16,
    #[command(flatten)]
    baseline_args: BaselineArgs,
    /// How to print the reports.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let baseline = input::baseline_args(&arguments.baseline_args)?;
    let session = Session::open(&arguments.place).await?;
    let aws = session.cloud()?;
    // All of them, before the first is changed: a wrong id must not show half-way.
    let seen = session.read(&aws, &arguments.vpcs, &baseline.managed_vpcs).await?;
    let mut ending = Ending::Fine;
    for vpc in &arguments.vpcs {
        let now = aws.now();
        let request = request(session.place.scope(vpc), now);
        let reports = if arguments.yes {
            let wait = Duration::from_secs(u64::from(arguments.wait) * 60);
            until_settled(&Progress::new(&aws), &baseline, request, wait).await
        } else {
            let report = preview(&baseline, &seen.world, &request, now);
            vec![with_traffic(&aws, report).await]
        };
        for report in &reports {
            match (arguments.format, arguments.yes) {
                (Format::Json, _) => json_line(out, report),
                (Format::Text, true) => {
                    line(out, &guardrail::report::alert::text(report, &baseline));
                }
                (Format::Text, false) => line(out, &guardrail::report::alert::plan_text(report)),
            }
        }
        if let Some(report) = reports.last() {
            if let Some(note) = note(report, &baseline) {
                eprintln!("note: {note}");
            }
            ending = ending.max(ended(report));
        }
    }
    if !arguments.yes {
        tell(&seen.unread);
        eprintln!("note: nothing was changed; add `--yes` to make the changes");
    }
    Ok(ending)
}

/// Runs until nothing is waited for, or what is waited for comes only after this time: the report of
/// each run.
async fn until_settled(
    cloud: &impl Cloud,
    baseline: &Baseline,
    mut request: RunRequest,
    wait: Duration,
) -> Vec<Report> {
    let table = InMemoryTable::default();
    let began = cloud.now();
    let last = began.checked_add(wait).unwrap_or(Timestamp::MAX);
    let mut reports = Vec::new();
    let waits = |reports: &[Report]| reports.last().and_then(|report| report.look_again.clone());
    loop {
        let lived = run::run(cloud, &table, &[], baseline, &request).await;
        // No other run is under way on a table that is this process's own.
        let Some(report) = lived.report() else { break };
        reports.push(report.clone());
        let Some(again) = waits(&reports).filter(|again| again.at <= last) else { break };
        eprintln!("waiting until {}: {}", again.at, again.why);
        let rest = Duration::try_from(again.at.duration_since(cloud.now()));
        cloud.pause(rest.unwrap_or_default()).await;
        request = again_at(request, cloud.now());
    }
    if let Some(again) = waits(&reports) {
        eprintln!("note: {}", waits_longer(&again, began));
    }
    reports
}

/// What to do when something has to act for longer than was to be waited. What this process has seen
/// is forgotten when it ends, so a later one waits for the whole time again.
fn waits_longer(again: &LookAgain, began: Timestamp) -> String {
    let seconds = again.at.duration_since(began).as_secs().max(0);
    let minutes = seconds / 60 + 1;
    format!(
        "it ends before {}: {}; what it has seen so far is not remembered, so run it again with \
         `--wait {minutes}`",
        again.at, again.why
    )
}

/// The incident is new each time: it goes into the calls' tokens, and AWS takes a call with a known
/// token for a repeat.
fn request(scope: Scope, now: Timestamp) -> RunRequest {
    let incident = format!("operator-{}", now.as_millisecond());
    RunRequest {
        run_id: format!("{incident}/{}", scope.vpc),
        incident,
        cause: Cause::Operator,
        evidence: Vec::new(),
        deadline: now.checked_add(RUN).unwrap_or(Timestamp::MAX),
        scope,
    }
}

/// The same request once more: another run of the same incident.
fn again_at(request: RunRequest, now: Timestamp) -> RunRequest {
    RunRequest {
        run_id: format!("operator-{}/{}", now.as_millisecond(), request.scope.vpc),
        deadline: now.checked_add(RUN).unwrap_or(Timestamp::MAX),
        ..request
    }
}

/// What a person should know who asked for a repair and got none.
fn note(report: &Report, baseline: &Baseline) -> Option<String> {
    if report.verdict == Verdict::NotManaged {
        let wanted = match &baseline.managed_vpcs {
            ManagedVpcs::All => String::new(),
            ManagedVpcs::Tag { key, value } => format!(": it does not carry the tag {key}={value}"),
        };
        return Some(format!("{} is not managed{wanted}", report.scope.vpc));
    }
    let mode = report.steps.iter().find_map(|step| match step.outcome {
        Outcome::NotAllowed(mode) => Some(mode),
        Outcome::Done(_)
        | Outcome::Ready
        | Outcome::FoundMade(_)
        | Outcome::Planned
        | Outcome::Held(_)
        | Outcome::Stale => None,
        Outcome::Skipped { .. } | Outcome::Failed(_) | Outcome::RecheckFailed(_) => None,
        Outcome::TimedOut
        | Outcome::WillNotBeReady { .. }
        | Outcome::OutOfTime
        | Outcome::NotRecorded(_) => None,
    })?;
    Some(format!(
        "in mode {mode} nothing is changed; add `--mode repair`, or set the mode in the baseline"
    ))
}

fn ended(report: &Report) -> Ending {
    match report.verdict {
        Verdict::Compliant | Verdict::Repaired | Verdict::Advised => Ending::Fine,
        Verdict::DriftLeft | Verdict::Incomplete | Verdict::NotManaged | Verdict::NoSuchVpc => {
            Ending::DriftLeft
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_too_short_is_told_for_how_long_to_wait() {
        let began = "2026-03-01T10:00:00Z".parse().unwrap();
        let again =
            |at: &str| LookAgain { at: at.parse().unwrap(), why: "a name settles".to_owned() };
        assert_eq!(
            waits_longer(&again("2026-03-01T10:20:30Z"), began),
            "it ends before 2026-03-01T10:20:30Z: a name settles; what it has seen so far is not \
             remembered, so run it again with `--wait 21`"
        );
        assert!(waits_longer(&again("2026-03-01T09:00:00Z"), began).ends_with("`--wait 1`"));
    }
}
