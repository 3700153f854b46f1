//! The commands that reach AWS.

use clap::Subcommand;

use crate::commands::{doctor, history, probe, redrive, repair, snapshot, status};
use crate::ending::Ending;
use crate::error::BadInput;
use crate::live::wait_for;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads an account's VPCs into a world file. Makes no call that writes.
    Snapshot(snapshot::Arguments),
    /// Repairs VPCs of an account, now: what the repair function does, and its report.
    Repair(repair::Arguments),
    /// Lists the runs that changed or told something, or tells one of them.
    History(history::Arguments),
    /// Says what waits: VPCs that are looked at again, runs that have not ended, alerts that are not
    /// sent; and how far the last sweep came.
    Status(status::Arguments),
    /// Says which messages were given up and why, and sends them back.
    Redrive(redrive::Arguments),
    /// Asks the probes that the baseline names what their subnets reach.
    Probe(probe::Arguments),
    /// Checks credentials, permissions, the trail and the stack, and says what is missing.
    Doctor(doctor::Arguments),
}

pub(crate) fn run(command: &Command, out: &mut String) -> Result<Ending, BadInput> {
    match command {
        Command::Snapshot(arguments) => wait_for(snapshot::run(arguments, out)),
        Command::Repair(arguments) => wait_for(repair::run(arguments, out)),
        Command::History(arguments) => wait_for(history::run(arguments, out)),
        Command::Status(arguments) => wait_for(status::run(arguments, out)),
        Command::Redrive(arguments) => wait_for(redrive::run(arguments, out)),
        Command::Probe(arguments) => wait_for(probe::run(arguments, out)),
        Command::Doctor(arguments) => wait_for(doctor::run(arguments, out)),
    }
}
