//! The `guardrail` command: the guardrail's whole job on files, and a look inside each of its
//! parts.

mod arguments;
mod clock;
mod commands;
mod ending;
mod error;
mod input;
#[cfg(feature = "live")]
mod live;
mod narrow;
#[cfg(not(feature = "live"))]
mod not_live;
mod render;
mod source;
mod traffic;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
#[cfg(not(feature = "live"))]
use not_live as live;

use crate::commands::{
    baseline, decode, demo, events, exempt, explain, live as on_aws, plan, replay, rules, sim,
};
use crate::ending::Ending;
use crate::error::BadInput;

/// Keeps private subnets on VPC endpoints and off the internet.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 compliant or repaired, 1 drift left or not all of it seen, 2 bad input or no way to AWS.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays a short incident on an example VPC: what is seen, planned, done and told.
    Demo,
    /// Plays recorded calls on a world, and runs the guardrail after each.
    Replay(replay::Arguments),
    /// Says what would be done in every managed VPC of a world or an account, and what would be
    /// left alone.
    Plan(plan::Arguments),
    /// Says why each subnet is private or public, where each route leads, and what serves each
    /// required service.
    Explain(explain::Arguments),
    /// Prints the command that exempts something from what rules find, until a day and for a reason.
    Exempt(exempt::Arguments),
    #[command(flatten)]
    OnAws(on_aws::Command),
    /// Reads CloudTrail records: one JSON line for each.
    Decode(decode::Arguments),
    /// Lists the calls that are watched, and why.
    Events(events::Arguments),
    /// Lists the rules: what each finds and repairs, and what it needs for both.
    Rules(rules::Arguments),
    /// Serves a world as EC2's API on this machine, for the AWS CLI, the SDKs and the guardrail's
    /// own functions.
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
            eprintln!("error: {}", error.lines().join("\n"));
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
        Command::Exempt(arguments) => exempt::run(&arguments, out),
        Command::OnAws(command) => on_aws::run(&command, out),
        Command::Decode(arguments) => decode::run(&arguments, out),
        Command::Events(arguments) => Ok(events::run(&arguments, out)),
        Command::Rules(arguments) => Ok(rules::run(&arguments, out)),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Baseline(command) => baseline::run(&command, out),
        Command::Report(ReportCommand::Schema) => {
            baseline::schema::<guardrail::report::Report>(out);
            Ok(Ending::Fine)
        }
    }
}
