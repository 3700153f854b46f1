//! The `guardrail` command: the guardrail's whole job on files, and a look inside each of its parts.

mod clock;
mod commands;
mod input;
#[cfg(feature = "live")]
mod live;
#[cfg(not(feature = "live"))]
#[path = "not_live.rs"]
mod live;
mod render;
mod source;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use guardrail::baseline::Mode;
use guardrail::ec2::id::Region;

use crate::commands::{baseline, decode, demo, explain, plan, replay, sim};
use crate::input::BadInput;

/// Keeps private subnets on VPC endpoints and off the internet.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 compliant or repaired, 1 drift left or not all of it seen, 2 bad input or no way to AWS.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays a short incident on an example VPC: what is seen, planned, done and told.
    Demo,
    /// Plays recorded calls on a world, and runs the guardrail after each.
    Replay(replay::Arguments),
    /// Says what would be done in every managed VPC of a world or an account, and what would be left alone.
    Plan(plan::Arguments),
    /// Says why each subnet is private or public, where each route leads, and what serves each required service.
    Explain(explain::Arguments),
    #[command(flatten)]
    Live(live::Command),
    /// Reads CloudTrail records: one JSON line for each.
    Decode(decode::Arguments),
    /// Serves a world as EC2's API on this machine, for the AWS CLI, the SDKs and the guardrail's own functions.
    Sim(sim::Arguments),
    /// Checks a baseline, or prints an example or the JSON Schema.
    #[command(subcommand)]
    Baseline(baseline::Command),
    /// Describes the JSON form of reports.
    #[command(subcommand)]
    Report(ReportCommand),
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// Prints the JSON Schema of a report.
    Schema,
}

/// The world and the baseline a command works on.
#[derive(Debug, clap::Args)]
struct WorldArgs {
    /// A world: a file, or a folder with the outputs of `aws ec2 describe-*`. Several are put together.
    #[arg(long, required = true, value_name = "W.json")]
    world: Vec<PathBuf>,
    #[command(flatten)]
    baseline_args: BaselineArgs,
}

/// What a command judges by.
#[derive(Debug, clap::Args)]
struct BaselineArgs {
    /// The baseline; without it, the one that `guardrail baseline example` prints.
    #[arg(long, value_name = "B.json")]
    baseline: Option<PathBuf>,
    /// The mode, in place of the baseline's for every rule.
    #[arg(long, value_enum)]
    mode: Option<ModeWord>,
}

/// Which account and Region a command reaches.
#[derive(Debug, clap::Args)]
struct PlaceArgs {
    /// The Region; without it, `AWS_REGION` or the profile says which.
    #[arg(long)]
    region: Option<Region>,
    /// The profile of the AWS CLI's files that says who calls; without it, the environment says.
    #[arg(long)]
    profile: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ModeWord {
    Observe,
    Notify,
    Repair,
}

impl From<ModeWord> for Mode {
    fn from(word: ModeWord) -> Self {
        match word {
            ModeWord::Observe => Self::Observe,
            ModeWord::Notify => Self::Notify,
            ModeWord::Repair => Self::Repair,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One report object a line.
    Json,
}

/// How a command that worked ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Fine,
    DriftLeft,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = String::new();
    let result = run(arguments.command, &mut out);
    // A closed pipe (`guardrail … | head`) is no fault of the input.
    let _ = std::io::stdout().write_all(out.as_bytes());
    match result {
        Ok(Ending::Fine) => ExitCode::SUCCESS,
        Ok(Ending::DriftLeft) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command, out: &mut String) -> Result<Ending, BadInput> {
    match command {
        Command::Demo => demo::run(out),
        Command::Replay(arguments) => replay::run(&arguments, out),
        Command::Plan(arguments) => plan::run(&arguments, out),
        Command::Explain(arguments) => explain::run(&arguments, out),
        Command::Live(command) => live::run(&command, out),
        Command::Decode(arguments) => decode::run(&arguments, out),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Baseline(command) => baseline::run(&command, out),
        Command::Report(ReportCommand::Schema) => {
            baseline::schema::<guardrail::report::Report>(out);
            Ok(Ending::Fine)
        }
    }
}
