//! What stands where the way to AWS is, in a build without it.

use guardrail::baseline::Baseline;
use guardrail::ec2::id::VpcId;
use guardrail::ec2::resource_id::ResourceId;
use guardrail::ec2::world::World;

use crate::arguments::PlaceArgs;
use crate::error::{BadInput, Unavailable};

pub(crate) fn tag(_: &PlaceArgs, _: &ResourceId, _: &str, _: &str) -> Result<(), BadInput> {
    Err(Unavailable { instead: ", or leave `--yes` out and run the command that is printed" }
        .into())
}

pub(crate) fn look(_: &PlaceArgs, _: &[VpcId], _: &Baseline) -> Result<(World, bool), BadInput> {
    Err(Unavailable { instead: ", or name a world with `--world`" }.into())
}
