//! `guardrail replay`: the guardrail's whole job on a world and recorded calls.

use std::path::PathBuf;
use std::time::Duration;

use guardrail::baseline::Baseline;
use guardrail::cloud::{InMemoryTable, Table as _};
use guardrail::ec2::id::{Place, Scope, VpcId};
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::ec2::world::{Vpc, World};
use guardrail::event::Evidence;
use guardrail::history::{Kept, ledger};
use guardrail::inbox::detect::{Ignored, Managed, accept, made_elsewhere, messages};
use guardrail::inbox::message::{About, incident_of};
use guardrail::inbox::resolve::resolve;
use guardrail::report::{Cause, Report, Verdict};
use guardrail::run::{self, RunRequest, remembered_since};
use guardrail::shown::one_line;
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

/// For how long the world has stood as it is before the first call.
const STOOD: Duration = Duration::from_secs(24 * 60 * 60);

/// A call leads to so many runs at most: each waits for what the one before has changed.
const LOOKS: usize = 10;

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
    calls
        .iter()
        .find_map(|(_, evidence)| evidence.time.as_ref()?.parse().ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A simulated world and the guardrail that looks after it.
pub(crate) struct Stage {
    pub(crate) cloud: SimCloud,
    table: InMemoryTable,
    pub(crate) baseline: Baseline,
    /// Where the world is of; `None` for one without a VPC.
    place: Option<Place>,
}

/// One recorded call, and what the guardrail made of it.
pub(crate) struct Act {
    pub(crate) call: Evidence,
    /// What the call did to the world; `None` for a call that was made in another account or
    /// Region.
    pub(crate) enacted: Option<Replayed>,
    /// The runs, or why there is none.
    pub(crate) runs: Result<Vec<ReplayedRun>, NoRun>,
}

/// Why a call led to no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRun {
    #[error(transparent)]
    Ignored(#[from] Ignored),
    #[error("it concerns no managed VPC of this world")]
    NothingManaged,
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
            _ if !run.report.departures.is_empty() => false,
            Verdict::Compliant
            | Verdict::Repaired
            | Verdict::Advised
            | Verdict::NotManaged
            | Verdict::NoSuchVpc => true,
            Verdict::DriftLeft | Verdict::Incomplete => false,
        };
        // Of several runs over one VPC the last one tells how it ended.
        let runs: &[ReplayedRun] = self.runs.as_deref().unwrap_or_default();
        let is_last = |at: usize, run: &ReplayedRun| {
            !runs.iter().skip(at + 1).any(|later| later.report.scope == run.report.scope)
        };
        let mut last = runs.iter().enumerate().filter(|(at, run)| is_last(*at, run));
        if last.all(|(_, run)| fine(run)) { Ending::Fine } else { Ending::DriftLeft }
    }
}

impl Stage {
    pub(crate) fn new(sim: Sim, baseline: Baseline) -> Self {
        let world = sim.world();
        let place = place(&world);
        let table = InMemoryTable::default();
        // The world is taken for one that sweeps have looked at as it stands.
        let since = sim.now().checked_sub(STOOD).unwrap_or(Timestamp::MIN);
        for vpc in place.iter().flat_map(|place| managed(&world, place, &baseline)) {
            let facts = remembered_since(&baseline, &world, &vpc, since);
            if let Some(place) = &place {
                let keep = ledger::put_facts(&place.scope(&vpc), &Kept::default(), &facts);
                // A table in memory does not fail, and nobody else writes to it.
                let _ = pollster::block_on(table.commit(&keep));
            }
        }
        Self { cloud: SimCloud::new(sim), table, baseline, place }
    }

    /// Lets time pass until the recorded call, makes it on the world, and lets the guardrail look
    /// at what it points to.
    pub(crate) fn play(&mut self, value: &Value, call: &Evidence) -> Act {
        let mut sim = self.cloud.sim_mut();
        let time = call.time.as_ref().and_then(|time| time.parse::<Timestamp>().ok());
        let until = time.and_then(|time| Duration::try_from(time.duration_since(sim.now())).ok());
        sim.advance(until.unwrap_or_default());
        let foreign =
            self.place.as_ref().is_some_and(|place| made_elsewhere(&call.record, place).is_some());
        let enacted = if foreign { None } else { Some(replay_call(&mut sim, value)) };
        drop(sim);
        let runs = self.scopes(value, call).map(|scopes| {
            scopes
                .into_iter()
                .flat_map(|(scope, cause)| self.look_until_settled(scope, cause, call))
                .collect()
        });
        Act { call: call.clone(), enacted, runs }
    }

    /// The runs over one VPC that a call leads to: the first, and those for which it waits.
    fn look_until_settled(&self, scope: Scope, cause: Cause, call: &Evidence) -> Vec<ReplayedRun> {
        let mut runs = Vec::new();
        while let Some(run) = self.look(scope.clone(), cause, call, runs.len() + 1) {
            let again = run.report.look_again.as_ref().map(|again| again.at);
            runs.push(run);
            let Some(at) = again.filter(|_| runs.len() < LOOKS) else { break };
            let wait = Duration::try_from(at.duration_since(self.cloud.sim().now()));
            self.cloud.sim_mut().advance(wait.unwrap_or_default());
        }
        runs
    }

    /// One run over one VPC, the one of this number that the call leads to; nothing where another is
    /// under way, which is never so on a table that is this process's own.
    pub(crate) fn look(
        &self,
        scope: Scope,
        cause: Cause,
        call: &Evidence,
        number: usize,
    ) -> Option<ReplayedRun> {
        let before = self.tables(&scope.vpc);
        let now = self.cloud.sim().now();
        let evidence = match cause {
            Cause::Event | Cause::SelectionChanged => vec![call.clone()],
            Cause::Sweep | Cause::Clock | Cause::Operator => Vec::new(),
        };
        let incident = incident_of(call);
        let name = format!("{incident}/{}", scope.vpc);
        let request = RunRequest {
            run_id: if number > 1 { format!("{name}/{number}") } else { name },
            incident,
            deadline: now.checked_add(RUN).unwrap_or(Timestamp::MAX),
            scope,
            cause,
            evidence,
        };
        let run = run::run(&self.cloud, &self.table, &[], &self.baseline, &request);
        let report = pollster::block_on(run).report().cloned()?;
        Some(ReplayedRun { before, after: self.tables(&request.scope.vpc), report })
    }

    fn tables(&self, vpc: &VpcId) -> String {
        let mut text = String::new();
        private_tables(&mut text, &self.cloud.sim().world(), &self.baseline, vpc, "  ");
        text
    }

    /// The VPCs that the detect function would ask to look at, and why.
    fn scopes(&self, value: &Value, call: &Evidence) -> Result<Vec<(Scope, Cause)>, NoRun> {
        // In a world that says of no account and Region, every call was made here.
        let of_the_call = || {
            let (account, region) = (call.record.account.clone()?, call.record.region.clone()?);
            Some(Place { account, region })
        };
        let place = self.place.clone().or_else(of_the_call).ok_or(NoRun::NothingManaged)?;
        let place = &place;
        let trigger = accept(value, place)?;
        let world = self.cloud.sim().world();
        let resolved = resolve(&world, trigger.reach.ids_to_resolve());
        let managed = Managed::Known(&self.baseline, managed(&world, place, &self.baseline));
        let scopes: Vec<(Scope, Cause)> = messages(&trigger, place, &resolved, &managed)
            .into_iter()
            .filter_map(|message| match message.about {
                About::Vpc(scope) => Some((scope, message.cause)),
                About::NoBaseline(_) => None,
            })
            .collect();
        if scopes.is_empty() { Err(NoRun::NothingManaged) } else { Ok(scopes) }
    }
}

/// The account and Region of a world: those of its first VPC, because all are read by one account
/// in one Region.
fn place(world: &World) -> Option<Place> {
    let shared = Shared::of(world);
    let of_a_vpc = || Some(Snapshot::all(world, &shared).ok()?.first()?.scope.place());
    let stated = world.account_id.clone().zip(world.region.clone());
    stated.map(|(account, region)| Place { account, region }).or_else(of_a_vpc)
}

/// The VPCs that the account owns and the baseline manages.
fn managed(world: &World, place: &Place, baseline: &Baseline) -> Vec<VpcId> {
    let own = |vpc: &&Vpc| vpc.owner_id.as_ref().is_none_or(|owner| *owner == place.account);
    let vpcs = world
        .vpcs
        .iter()
        .flatten()
        .filter(own)
        .filter(|vpc| baseline.managed_vpcs.matches(&vpc.tags));
    let mut ids: Vec<VpcId> = vpcs.map(|vpc| vpc.vpc_id.clone()).collect();
    ids.sort_unstable();
    ids
}

fn tell(out: &mut String, act: &Act, baseline: &Baseline) {
    line(
        out,
        &format!(
            "== {}",
            guardrail::report::alert::call(&act.call, act.call.record.account.as_ref())
        ),
    );
    if let Some(enacted) = &act.enacted {
        line(out, &one_line(&format!("The world: {enacted}")));
    }
    match &act.runs {
        Ok(runs) => {
            for (at, run) in runs.iter().enumerate() {
                if at > 0 {
                    line(out, "");
                }
                tell_run(out, run, baseline);
            }
        }
        Err(why) => line(out, &one_line(&format!("No run: {why}."))),
    }
    line(out, "");
}

fn tell_run(out: &mut String, run: &ReplayedRun, baseline: &Baseline) {
    line(out, "Private route tables before:");
    out.push_str(&run.before);
    line(out, "");
    line(out, guardrail::report::alert::short_text(&run.report, baseline).trim_end());
    if run.before != run.after {
        line(out, "");
        line(out, "Private route tables after:");
        out.push_str(&run.after);
    }
}

fn tell_json(out: &mut String, act: &Act) {
    let record = &act.call.record;
    match &act.runs {
        Ok(runs) => runs.iter().for_each(|run| json_line(out, &run.report)),
        Err(why) => json_line(
            out,
            &json!({ "event": record.event, "event_id": record.event_id, "no_run": why.to_string() }),
        ),
    }
}
