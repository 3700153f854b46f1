//! `guardrail repair`: one run of the repair function's code over each VPC named.

use std::time::Duration;

use guardrail::baseline::{Baseline, ManagedVpcs};
use guardrail::cloud::{Cloud, InMemoryTable, Table, Telling as _};
use guardrail::ec2::id::{Place, Scope, VpcId};
use guardrail::history::hourly::ALERTS_AN_HOUR;
use guardrail::history::{Destination, LookAgain};
use guardrail::inbox::outbox::Outbox;
use guardrail::report::{Cause, Outcome, Report, Verdict};
use guardrail::run::{self, Lived, PATIENCE, RunRequest, preview, with_traffic};
use guardrail_aws::{DynamoTable, Stack, Topics};
use jiff::Timestamp;

use crate::arguments::{BaselineArgs, Format, PlaceArgs, StackArgs};
use crate::ending::Ending;
use crate::error::{BadInput, Unavailable};
use crate::input;
use crate::live::progress::Progress;
use crate::live::session::Session;
use crate::live::table::table;
use crate::live::tell;
use crate::render::{json_line, line};

/// How long a run may take over which no other one waits.
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
    stack: StackArgs,
    /// Records nothing and tells nobody: for an account without a stack.
    #[arg(long, conflicts_with_all = ["stack", "table"])]
    no_history: bool,
    #[command(flatten)]
    baseline_args: BaselineArgs,
    /// How to print the reports.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let baseline = input::baseline_args(&arguments.baseline_args)?;
    if arguments.yes && !arguments.no_history && !is_named(&arguments.stack) {
        return Err(Unavailable::NoHistory.into());
    }
    let session = Session::open(&arguments.place).await?;
    let history = match arguments.yes && !arguments.no_history {
        true => Some(Recorded::open(&session, &arguments.stack).await?),
        false => None,
    };
    let aws = session.cloud()?;
    // All of them, before the first is changed: a wrong id must not show half-way.
    let seen = session.read(&aws, &arguments.vpcs, &baseline.managed_vpcs).await?;
    let mut ending = Ending::Fine;
    for vpc in &arguments.vpcs {
        let now = aws.now();
        let request = request(session.place.scope(vpc), now);
        let reports = if arguments.yes {
            let wait = Duration::from_secs(u64::from(arguments.wait) * 60);
            let cloud = Progress::new(&aws);
            match &history {
                Some(history) => until_settled(&cloud, history, &baseline, request, wait).await?,
                None => {
                    let unrecorded = Unrecorded(InMemoryTable::default());
                    until_settled(&cloud, &unrecorded, &baseline, request, wait).await?
                }
            }
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

/// Whether a table is named, by itself or by its stack.
fn is_named(stack: &StackArgs) -> bool {
    stack.stack.is_some() || stack.table.is_some()
}

/// Where a repair is recorded, and who is told.
trait History {
    type Table: Table;

    fn table(&self) -> &Self::Table;

    /// Where alerts go.
    fn destinations(&self) -> Vec<Destination>;

    /// How long a run may take.
    fn patience(&self) -> Duration;

    /// What to do when something has to act for longer than was to be waited.
    fn waits_longer(&self, again: &LookAgain, began: Timestamp) -> String;

    /// Tells what the run has left in the table.
    async fn tell(&self, run_id: &str);
}

/// Recorded nowhere but in this process.
struct Unrecorded(InMemoryTable);

impl History for Unrecorded {
    type Table = InMemoryTable;

    fn table(&self) -> &InMemoryTable {
        &self.0
    }

    fn destinations(&self) -> Vec<Destination> {
        Vec::new()
    }

    fn patience(&self) -> Duration {
        RUN
    }

    fn waits_longer(&self, again: &LookAgain, began: Timestamp) -> String {
        waits_longer(again, began)
    }

    async fn tell(&self, _: &str) {}
}

/// Recorded in the table of a stack, and told to its subscribers.
struct Recorded {
    table: DynamoTable,
    topics: Topics,
    place: Place,
    stack: String,
}

impl Recorded {
    async fn open(session: &Session, arguments: &StackArgs) -> Result<Self, Unavailable> {
        let clients = &session.clients;
        let stack = arguments.stack.clone().unwrap_or_default();
        let topics = match &arguments.stack {
            Some(stack) => Stack::new(clients, stack).topic().await?,
            None => String::new(),
        };
        Ok(Self {
            table: table(clients, arguments).await?,
            topics: Topics::new(clients, &topics),
            place: session.place.clone(),
            stack,
        })
    }
}

impl History for Recorded {
    type Table = DynamoTable;

    fn table(&self) -> &DynamoTable {
        &self.table
    }

    fn destinations(&self) -> Vec<Destination> {
        self.topics.destinations()
    }

    /// As long as any run: others wait for the lease.
    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn waits_longer(&self, again: &LookAgain, _: Timestamp) -> String {
        format!("it ends before {}: {}; the stack's clock goes on then", again.at, again.why)
    }

    async fn tell(&self, run_id: &str) {
        let outbox = Outbox {
            table: &self.table,
            telling: &self.topics,
            clock: guardrail_aws::now,
            place: &self.place,
            limit: ALERTS_AN_HOUR,
            until: Timestamp::MAX,
            stack: &self.stack,
        };
        for not_told in outbox.send(run_id).await.not_told {
            eprintln!(
                "warning: the alert waits in the table, and the stack's clock sends it: {}",
                not_told.error.shown()
            );
        }
    }
}

/// Runs until nothing is waited for, or what is waited for comes only after this time: the report of
/// each run.
async fn until_settled<C: Cloud, H: History>(
    cloud: &C,
    history: &H,
    baseline: &Baseline,
    mut request: RunRequest,
    wait: Duration,
) -> Result<Vec<Report>, Unavailable> {
    let began = cloud.now();
    let last = began.checked_add(wait).unwrap_or(Timestamp::MAX);
    let mut reports = Vec::new();
    let waits = |reports: &[Report]| reports.last().and_then(|report| report.look_again.clone());
    loop {
        let now = cloud.now();
        request.deadline = now.checked_add(history.patience()).unwrap_or(Timestamp::MAX);
        let to = history.destinations();
        let lived = run::run(cloud, history.table(), &to, baseline, &request).await;
        history.tell(&request.run_id).await;
        let until = match lived {
            Lived::Busy { due } => {
                eprintln!("note: another run may change {} until {due}", request.scope.vpc);
                Some((due, "another run is under way".to_owned()))
            }
            Lived::Recorded { report, .. } => {
                reports.push(*report);
                waits(&reports).map(|again| (again.at, again.why))
            }
            Lived::NotRecorded { report, error, .. } => {
                let changed = report.changed();
                reports.push(*report);
                if !changed {
                    return Err(Unavailable::NoTable(error));
                }
                eprintln!("warning: what was done is not recorded: {}", error.shown());
                None
            }
        };
        let Some((at, why)) = until.filter(|(at, _)| *at <= last) else { break };
        eprintln!("waiting until {at}: {why}");
        let rest = Duration::try_from(at.duration_since(cloud.now()));
        cloud.pause(rest.unwrap_or_default()).await;
        request = again_at(request, cloud.now());
    }
    if let Some(again) = waits(&reports) {
        eprintln!("note: {}", history.waits_longer(&again, began));
    }
    Ok(reports)
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
        deadline: now,
        scope,
    }
}

/// The same request once more: another run of the same incident.
fn again_at(request: RunRequest, now: Timestamp) -> RunRequest {
    RunRequest {
        run_id: format!("operator-{}/{}", now.as_millisecond(), request.scope.vpc),
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
