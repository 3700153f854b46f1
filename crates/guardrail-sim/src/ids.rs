//! New ids: counted, so that a run is the same every time, and never one that the world already
//! has.

use std::collections::VecDeque;
use std::str::FromStr;

use guardrail::ec2::world::World;

use crate::ec2::errors::ApiError;

/// What every counted id begins with; AWS's own are random, and one in 2⁶⁸ is all zeros.
const COUNTED: &str = "-00000000";
const DIGITS: usize = 17;

/// The counter.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    last: u64,
    /// Ids to give out first: those that a recorded call got.
    reserved: VecDeque<String>,
}

impl Ids {
    /// Counts on from the highest counted id anywhere in the world, so that a saved world can be
    /// loaded again.
    pub(crate) fn after(world: &World) -> Self {
        let mut ids = Self::default();
        ids.skip_all(world);
        ids
    }

    /// Counts on from the highest counted id anywhere in this, too.
    pub(crate) fn skip_all(&mut self, things: &impl serde::Serialize) {
        if let Ok(text) = serde_json::to_string(things) {
            text.split('"').for_each(|word| self.skip(word));
        }
    }

    /// Never gives out `id`, nor one before it.
    pub(crate) fn skip(&mut self, id: &str) {
        let counted =
            id.split_once(COUNTED).filter(|(_, rest)| rest.len() == DIGITS + 1 - COUNTED.len());
        if let Some(n) = counted.and_then(|(_, rest)| u64::from_str_radix(rest, 16).ok()) {
            self.last = self.last.max(n);
        }
    }

    /// The ids that things made next get, each by its prefix, instead of counted ones; the former
    /// reservation ends.
    pub(crate) fn reserve(&mut self, ids: Vec<String>) {
        ids.iter().for_each(|id| self.skip(id));
        self.reserved = ids.into();
    }

    /// The next id with this prefix (`vpce-`).
    pub(crate) fn next<T: FromStr>(&mut self, prefix: &str) -> Result<T, ApiError> {
        let reserved = self.reserved.iter().position(|id| id.starts_with(prefix));
        if let Some(Ok(id)) = reserved.and_then(|at| self.reserved.remove(at)).map(|id| id.parse())
        {
            return Ok(id);
        }
        self.last = self.last.saturating_add(1);
        let id = format!("{prefix}{:0DIGITS$x}", self.last);
        id.parse().map_err(|_| ApiError::new("InternalError", format!("`{id}` is no id")))
    }
}

/// An id for what a world file has none for, the same every time for the same thing.
pub(crate) fn derived_id(prefix: &str, of: &[&str]) -> String {
    // FNV-1a: short, and the same in every build, which the standard library's hashers do not
    // promise.
    let bytes = of.iter().flat_map(|part| part.bytes().chain([0xff]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{prefix}0{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use guardrail::ec2::id::{EndpointId, RouteTableId, VpcId};

    #[test]
    fn ids_are_counted_on_from_what_the_world_has() {
        let world: World = serde_json::from_str(
            r#"{"Vpcs":[{"VpcId":"vpc-0a1b2c3d4e5f60718"}],"RouteTables":[{"RouteTableId":"rtb-00000000000000021",
            "VpcId":"vpc-0a1b2c3d4e5f60718","Routes":[{"GatewayId":"vpce-0000000000000002f"}]}]}"#,
        )
        .unwrap();
        let mut ids = Ids::after(&world);
        assert_eq!(ids.next::<EndpointId>("vpce-").unwrap().as_str(), "vpce-00000000000000030");
        assert_eq!(ids.next::<RouteTableId>("rtb-").unwrap().as_str(), "rtb-00000000000000031");
        assert_eq!(
            Ids::after(&World::default()).next::<VpcId>("vpc-").unwrap().as_str(),
            "vpc-00000000000000001"
        );
    }
}
