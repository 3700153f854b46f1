//! What stands where the commands are that reach AWS, in a build without them.

use clap::Subcommand;

use crate::ending::Ending;
use crate::error::{BadInput, Unavailable};

/// The commands that a build with the feature `live` has.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads an account's VPCs into a world file (in a build with the feature `live`).
    Snapshot(Whatever),
    /// Repairs VPCs of an account, now (in a build with the feature `live`).
    Repair(Whatever),
    /// Lists the runs that changed or told something (in a build with the feature `live`).
    History(Whatever),
    /// Says what waits, and how far the last sweep came (in a build with the feature `live`).
    Status(Whatever),
    /// Sends back messages that were given up (in a build with the feature `live`).
    Redrive(Whatever),
    /// Asks the probes that the baseline names what their subnets reach (in a build with the feature
    /// `live`).
    Probe(Whatever),
    /// Checks credentials, permissions, the trail and the stack (in a build with the feature
    /// `live`).
    Doctor(Whatever),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Whatever {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<String>,
}

pub(crate) fn run(_: &Command, _: &mut String) -> Result<Ending, BadInput> {
    Err(Unavailable { instead: "" }.into())
}
