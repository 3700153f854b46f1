//! The commands that reach AWS, with the functions' own code.

pub(crate) mod progress;
pub(crate) mod session;

use std::future::Future;

use clap::Subcommand;
use guardrail::baseline::Baseline;
use guardrail::cloud::{CallError, Unread};
use guardrail::ec2::id::VpcId;
use guardrail::ec2::world::World;
use guardrail_aws::{AnotherRegion, NotAvailable};

use crate::commands::{doctor, repair, snapshot};
use crate::input::BadInput;
use crate::live::session::Session;
use crate::{Ending, PlaceArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads an account's VPCs into a world file. Makes no call that writes.
    Snapshot(snapshot::Arguments),
    /// Repairs VPCs of an account, now: what the repair function does, and its report.
    Repair(repair::Arguments),
    /// Checks credentials, permissions, the trail and the stack, and says what is missing.
    Doctor(doctor::Arguments),
}

/// Why there is no way to AWS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error(transparent)]
    NotAvailable(#[from] NotAvailable),
    #[error(transparent)]
    AnotherRegion(#[from] AnotherRegion),
    #[error("AWS does not say whose credentials these are: {error}{}", advice(error))]
    NoIdentity { error: CallError },
    #[error("cannot read the VPCs: {error}{}", advice(error))]
    NoVpcs { error: CallError },
    #[error("cannot start: {0}")]
    NoRuntime(std::io::Error),
}

/// What to do about a call that brought no answer of AWS.
fn advice(error: &CallError) -> &'static str {
    if error.code.is_empty() && error.class.passes() {
        "; check the network, the Region, and `AWS_ENDPOINT_URL` if it is set"
    } else {
        ""
    }
}

pub(crate) fn run(command: &Command, out: &mut String) -> Result<Ending, BadInput> {
    match command {
        Command::Snapshot(arguments) => wait_for(snapshot::run(arguments, out)),
        Command::Repair(arguments) => wait_for(repair::run(arguments, out)),
        Command::Doctor(arguments) => wait_for(doctor::run(arguments, out)),
    }
}

/// Reads these VPCs, or every managed one, and tells what could not be read; whether all could is the second part.
pub(crate) fn look(place: &PlaceArgs, vpcs: &[VpcId], baseline: &Baseline) -> Result<(World, bool), BadInput> {
    wait_for(async {
        let session = Session::open(place).await?;
        let aws = session.cloud(baseline.service_names(&session.place.region))?;
        let seen = session.read(&aws, vpcs, &baseline.managed_vpcs).await?;
        tell(&seen.unread);
        Ok((seen.world, seen.unread.is_empty()))
    })
}

/// Says what is missing from what was read.
pub(crate) fn tell(unread: &[Unread]) {
    for Unread { section, error } in unread {
        eprintln!("warning: {section} could not be read: {error}");
    }
}

/// One thread is enough: everything here waits for the network.
fn wait_for<T>(work: impl Future<Output = Result<T, BadInput>>) -> Result<T, BadInput> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Unavailable::NoRuntime)?.block_on(work)
}
