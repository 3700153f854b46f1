//! `guardrail plan`: what would be done, VPC by VPC.

use guardrail::ec2::id::Scope;
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::report::{Cause, Report, Verdict};
use guardrail::run::{RunRequest, preview_snapshot};
use jiff::Timestamp;

use crate::arguments::Format;
use crate::ending::Ending;
use crate::error::BadInput;
use crate::render::{json_line, line};
use crate::source::SourceArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: SourceArgs,
    /// How to print the reports.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print only the AWS CLI commands that do by hand what the plan says, whatever its modes and
    /// limits, as one text for each VPC to paste into a POSIX shell.
    #[arg(long, conflicts_with = "format")]
    script: bool,
}

pub(crate) fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let source = arguments.source.look()?;
    let shared = Shared::of(&source.world);
    let snapshots = Snapshot::all(&source.world, &shared)?;
    let now = arguments.source.now();
    let reports: Vec<Report> = snapshots
        .iter()
        .map(|snapshot| {
            preview_snapshot(&source.baseline, snapshot, &look_at(snapshot.scope.clone()), now)
        })
        .collect();
    let reports = arguments.source.with_traffic(reports);
    let (managed, others): (Vec<&Report>, Vec<&Report>) =
        reports.iter().partition(|report| report.verdict != Verdict::NotManaged);
    if arguments.script {
        managed.iter().for_each(|report| script(out, report));
    } else {
        for report in &managed {
            match arguments.format {
                Format::Text => line(out, &guardrail::report::alert::plan_text(report)),
                Format::Json => json_line(out, report),
            }
        }
    }
    if arguments.format == Format::Text {
        let mut comment = |text: &str| match arguments.script {
            true => line(out, &format!("# {text}")),
            false => line(out, text),
        };
        for report in others {
            comment(&format!("VPC {}: not managed, never changed.", report.scope.vpc));
        }
        if reports.is_empty() {
            comment(&source.nothing());
        } else if managed.is_empty() {
            comment(
                "No VPC of this world is managed: none carries the tag that the baseline names in `managed_vpcs`.",
            );
        }
    }
    let is_fine = |verdict: Verdict| matches!(verdict, Verdict::Compliant | Verdict::Advised);
    let fine = managed.iter().all(|report| is_fine(report.verdict));
    Ok(source.ending(if fine { Ending::Fine } else { Ending::DriftLeft }))
}

/// The script of a VPC under a comment that says what it is; where there is none, a comment that
/// says so. Comments hold nothing that a shell without comments would act on.
fn script(out: &mut String, report: &Report) {
    let Scope { account, region, vpc } = &report.scope;
    let place = format!("{vpc}\n# in account {account}, {region}, planned at {}", report.started);
    match (&report.script, report.verdict) {
        (Some(script), _) => {
            line(out, &format!("# VPC guardrail, commands for {place}\n{CHECKS}\n{script}"));
        }
        (None, Verdict::Compliant | Verdict::Advised) => {
            line(out, &format!("# Nothing to do for {place}"))
        }
        (
            None,
            Verdict::Repaired
            | Verdict::DriftLeft
            | Verdict::Incomplete
            | Verdict::NotManaged
            | Verdict::NoSuchVpc,
        ) => line(
            out,
            &format!(
                "# No commands for {place}.\n# What is left alone, guardrail plan says without --script."
            ),
        ),
    }
}

/// What a script looks at again, and what not.
const CHECKS: &str = "\
# Before each deletion it looks again at the route, and at state, name and routes of the endpoints.
# It does not look again at endpoint policies, security groups, network ACLs and DHCP options, nor
# does it know of names that were switched by others a short while ago.";

/// What a preview of a VPC is asked for.
pub(crate) fn look_at(scope: Scope) -> RunRequest {
    RunRequest {
        run_id: format!("plan-{}", scope.vpc),
        incident: "plan".to_owned(),
        cause: Cause::Operator,
        evidence: Vec::new(),
        deadline: Timestamp::MAX,
        scope,
    }
}
