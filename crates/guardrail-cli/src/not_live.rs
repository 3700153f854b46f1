//! What stands where the commands are that reach AWS, in a build without them.

use clap::Subcommand;
use guardrail::baseline::Baseline;
use guardrail::ec2::id::VpcId;
use guardrail::ec2::world::World;

use crate::input::BadInput;
use crate::{Ending, PlaceArgs};

/// The commands that a build with the feature `live` has.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads an account's VPCs into a world file (in a build with the feature `live`).
    Snapshot(Whatever),
    /// Repairs VPCs of an account, now (in a build with the feature `live`).
    Repair(Whatever),
    /// Checks credentials, permissions, the trail and the stack (in a build with the feature `live`).
    Doctor(Whatever),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Whatever {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<String>,
}

/// Why there is no way to AWS.
#[derive(Debug, thiserror::Error)]
#[error(
    "this build of `guardrail` does not reach AWS: build it with `cargo build --release -p guardrail-cli --features live`\
     {instead}"
)]
pub(crate) struct Unavailable {
    instead: &'static str,
}

pub(crate) fn run(_: &Command, _: &mut String) -> Result<Ending, BadInput> {
    Err(Unavailable { instead: "" }.into())
}

pub(crate) fn look(_: &PlaceArgs, _: &[VpcId], _: &Baseline) -> Result<(World, bool), BadInput> {
    Err(Unavailable { instead: ", or name a world with `--world`" }.into())
}
