//! `guardrail replay`: the guardrail's whole job on a world and recorded calls.

use std::path::PathBuf;
use std::time::Duration;

use guardrail::baseline::Baseline;
use guardrail::ec2::id::{Scope, VpcId};
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::event::{Evidence, Reach};
use guardrail::inbox::resolve::vpcs_of;
use guardrail::report::{Cause, Report, Verdict};
use guardrail::run::{self, RunRequest};
use guardrail_sim::{Replayed, Sim, SimCloud, SimOptions, replay_call};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::arguments::{Format, WorldArgs};
use crate::ending::Ending;
use crate::error::BadInput;
use crate::input;
use crate::render::{json_line, line, private_tables};

/// A run may last as long as a Lambda function may.
const RUN: Duration = Duration::from_secs(900);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    world_args: WorldArgs,
    /// Recorded calls: EventBridge events or CloudTrail records, played in this order.
    #[arg(long = "event", required = true, value_name = "E.json")]
    events: Vec<PathBuf>,
    /// Where to save the world as it is afterwards.
    #[arg(long, value_name = "AFTER.json")]
    out: Option<PathBuf>,
    /// How to print the reports.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    arguments.out.as_deref().map_or(Ok(()), input::writable)?;
    let (world, baseline) = input::world_args(&arguments.world_args)?;
    Snapshot::all(&world, &Shared::of(&world))?;
    let mut calls = Vec::new();
    for path in &arguments.events {
        calls.extend(input::records(path)?);
    }
    let mut stage = Stage::new(Sim::new(world, start(&calls), SimOptions::default()), baseline);
    let mut ending = Ending::Fine;
    for (value, evidence) in &calls {
        let act = stage.play(value, evidence);
        match arguments.format {
            Format::Text => tell(out, &act, &stage.baseline),
            Format::Json => tell_json(out, &act),
        }
        ending = ending.max(act.ending());
    }
    if let Some(path) = &arguments.out {
        input::write(path, &format!("{:#}\n", json!(stage.cloud.sim().world())))?;
    }
    Ok(ending)
}

/// The first call's time, so that a replay is the same whenever it is made.
pub(crate) fn start(calls: &[(Value, Evidence)]) -> Timestamp {
    calls.iter().find_map(|(_, evidence)| evidence.time.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A simulated world and the guardrail that looks after it.
pub(crate) struct Stage {
    pub(crate) cloud: SimCloud,
    pub(crate) baseline: Baseline,
}

/// One recorded call, and what the guardrail made of it.
pub(crate) struct Act {
    pub(crate) call: Evidence,
    pub(crate) enacted: Replayed,
    pub(crate) runs: Vec<ReplayedRun>,
}

/// One run over one VPC, with its private subnets' tables before and after.
pub(crate) struct ReplayedRun {
    pub(crate) report: Report,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Act {
    fn ending(&self) -> Ending {
        let fine = |run: &ReplayedRun| match run.report.verdict {
            Verdict::Compliant | Verdict::Repaired | Verdict::NotManaged | Verdict::NoSuchVpc => true,
            Verdict::DriftLeft | Verdict::Incomplete => false,
        };
        if self.runs.iter().all(fine) { Ending::Fine } else { Ending::DriftLeft }
    }
}

impl Stage {
    pub(crate) fn new(sim: Sim, baseline: Baseline) -> Self {
        Self { cloud: SimCloud::new(sim), baseline }
    }

    /// Lets time pass until the recorded call, makes it on the world, and lets the guardrail look at what it points to.
    pub(crate) fn play(&mut self, value: &Value, call: &Evidence) -> Act {
        let mut sim = self.cloud.sim_mut();
        let until = call.time.parse().map(|time: Timestamp| time.duration_since(sim.now())).unwrap_or_default();
        sim.advance(Duration::try_from(until).unwrap_or_default());
        let enacted = replay_call(&mut sim, value);
        drop(sim);
        let runs = self.scopes(call).into_iter().map(|scope| self.look(scope, Cause::Event, call)).collect();
        Act { call: call.clone(), enacted, runs }
    }

    /// One run over one VPC.
    pub(crate) fn look(&self, scope: Scope, cause: Cause, call: &Evidence) -> ReplayedRun {
        let before = self.tables(&scope.vpc);
        let now = self.cloud.sim().now();
        let evidence = match cause {
            Cause::Event => vec![call.clone()],
            Cause::Sweep | Cause::Operator => Vec::new(),
        };
        let request = RunRequest {
            run_id: format!("{}/{}", call.record.event_id, scope.vpc),
            incident: call.record.event_id.clone(),
            deadline: now.checked_add(RUN).unwrap_or(Timestamp::MAX),
            scope,
            cause,
            evidence,
        };
        let report = pollster::block_on(run::run(&self.cloud, &self.baseline, &request));
        ReplayedRun { before, after: self.tables(&report.scope.vpc), report }
    }

    fn tables(&self, vpc: &VpcId) -> String {
        let mut text = String::new();
        private_tables(&mut text, &self.cloud.sim().world(), &self.baseline, vpc, "  ");
        text
    }

    /// The VPCs that a call points to: those it names, those of what it names, or every managed one.
    fn scopes(&self, call: &Evidence) -> Vec<Scope> {
        let world = self.cloud.sim().world();
        let shared = Shared::of(&world);
        let Ok(all) = Snapshot::all(&world, &shared) else { return Vec::new() };
        let named: Vec<VpcId> = match call.trigger().map(|trigger| trigger.reach) {
            None => return Vec::new(),
            Some(Reach::Vpcs(vpcs)) => vpcs,
            Some(Reach::Resolve(ids)) => vpcs_of(&world, &ids).into_iter().collect(),
            Some(Reach::AllManaged) => Vec::new(),
        };
        let managed = |snapshot: &&Snapshot<'_>| self.baseline.managed_vpcs.matches(&snapshot.vpc.tags);
        let wanted = |snapshot: &&Snapshot<'_>| match named.is_empty() {
            true => managed(snapshot),
            false => named.contains(&snapshot.scope.vpc),
        };
        all.iter().filter(wanted).map(|snapshot| snapshot.scope.clone()).collect()
    }
}

/// Why a call led to no run.
fn why_no_run(call: &Evidence) -> &'static str {
    if call.record.failed {
        "the call failed and changed nothing"
    } else if !call.record.watched {
        "the guardrail does not watch this call"
    } else {
        "it concerns no VPC of this world"
    }
}

fn tell(out: &mut String, act: &Act, baseline: &Baseline) {
    line(out, &format!("== {}", guardrail::report::alert::call(&act.call)));
    line(out, &format!("The world: {}", act.enacted));
    if act.runs.is_empty() {
        line(out, &format!("No run: {}.", why_no_run(&act.call)));
    }
    for run in &act.runs {
        line(out, "Private route tables before:");
        out.push_str(&run.before);
        line(out, "");
        line(out, guardrail::report::alert::text(&run.report, baseline).trim_end());
        if run.before != run.after {
            line(out, "");
            line(out, "Private route tables after:");
            out.push_str(&run.after);
        }
    }
    line(out, "");
}

fn tell_json(out: &mut String, act: &Act) {
    if act.runs.is_empty() {
        let record = &act.call.record;
        json_line(out, &json!({ "event": record.event, "event_id": record.event_id, "no_run": why_no_run(&act.call) }));
    }
    act.runs.iter().for_each(|run| json_line(out, &run.report));
}
