//! The VPCs of a world that a command was asked to look at.

use guardrail::ec2::id::VpcId;
use guardrail::ec2::world::World;

use crate::error::BadInput;

/// Leaves these VPCs in a world; none stands for all.
///
/// # Errors
/// When one of them is not there.
pub(crate) fn narrow(world: &mut World, wanted: &[VpcId]) -> Result<(), BadInput> {
    let among = place(world);
    let Some(vpcs) = world.vpcs.as_mut().filter(|_| !wanted.is_empty()) else { return Ok(()) };
    match wanted.iter().find(|wanted| vpcs.iter().all(|vpc| vpc.vpc_id != **wanted)) {
        Some(missing) => Err(BadInput::NoSuchVpc { vpc: missing.clone(), among }),
        None => {
            vpcs.retain(|vpc| wanted.contains(&vpc.vpc_id));
            Ok(())
        }
    }
}

/// Where a world is of.
pub(crate) fn place(world: &World) -> String {
    match (&world.account_id, &world.region) {
        (Some(account), Some(region)) => format!("in account {account}, {region}"),
        (None, _) | (_, None) => "in the world".to_owned(),
    }
}
