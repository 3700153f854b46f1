//! The way to AWS, with the functions' own code.

pub(crate) mod progress;
pub(crate) mod session;
pub(crate) mod table;

use std::future::Future;

use guardrail::baseline::Baseline;
use guardrail::cloud::Unread;
use guardrail::ec2::id::VpcId;
use guardrail::ec2::resource_id::ResourceId;
use guardrail::ec2::world::World;

use crate::arguments::PlaceArgs;
use crate::error::{BadInput, Unavailable};
use crate::live::session::Session;

/// Reads these VPCs, or every managed one, and tells what could not be read; whether all could is
/// the second part.
pub(crate) fn look(
    place: &PlaceArgs,
    vpcs: &[VpcId],
    baseline: &Baseline,
) -> Result<(World, bool), BadInput> {
    wait_for(async {
        let session = Session::open(place).await?;
        let aws = session.cloud()?;
        let seen = session.read(&aws, vpcs, &baseline.managed_vpcs).await?;
        tell(&seen.unread);
        Ok((seen.world, seen.unread.is_empty()))
    })
}

/// Sets a tag of one thing.
pub(crate) fn tag(
    place: &PlaceArgs,
    on: &ResourceId,
    key: &str,
    value: &str,
) -> Result<(), BadInput> {
    wait_for(async {
        let session = Session::open(place).await?;
        let set = guardrail_aws::set_tag(&session.clients, on, key, value).await;
        set.map_err(|error| Unavailable::NotTagged { error }.into())
    })
}

/// Says what is missing from what was read.
pub(crate) fn tell(unread: &[Unread]) {
    for Unread { section, error } in unread {
        eprintln!("warning: {section} could not be read: {}", error.shown());
    }
}

/// Waits until the work is done. One thread is enough: everything here waits for the network.
pub(crate) fn wait_for<T>(work: impl Future<Output = Result<T, BadInput>>) -> Result<T, BadInput> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Unavailable::NoRuntime)?.block_on(work)
}
