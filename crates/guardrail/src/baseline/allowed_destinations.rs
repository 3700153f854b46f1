//! The destinations on the internet that private subnets may have routes to.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;

/// Destinations that routes of private subnets may lead to, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AllowedDestinations {
    /// The address blocks. A route is allowed whose destination lies wholly within one of them; one
    /// to more than that is a finding as before.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>", length(min = 1)))]
    pub destinations: Vec<Cidr>,
    /// Why they are allowed; `guardrail explain` shows it.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub reason: String,
}

impl AllowedDestinations {
    /// Whether these blocks, all that a route leads to, each lie wholly within an allowed one.
    pub fn hold(&self, blocks: &[IpNet]) -> bool {
        let is_held = |block: &IpNet| {
            self.destinations.iter().filter_map(Cidr::net).any(|it| it.contains(block))
        };
        !blocks.is_empty() && blocks.iter().all(is_held)
    }

    /// What is wrong with it where it stands, one line each.
    pub(super) fn faults(&self, place: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if self.destinations.is_empty() {
            faults.push(format!(
                "`{place}.destinations`: is empty, so nothing is allowed; name address blocks, or leave \
                 this out"
            ));
        }
        for (at, block) in self.destinations.iter().enumerate() {
            let place = format!("{place}.destinations[{at}]");
            match block.net() {
                None => faults.push(format!(
                    "`{place}`: `{block}` is no address block; write one such as `203.0.113.7/32`"
                )),
                Some(net) if Some(net) != block.as_str().parse().ok() => faults.push(format!(
                    "`{place}`: `{block}` is an address in a block; write the block, `{net}`, or the \
                     address alone, with `/{}`",
                    net.max_prefix_len()
                )),
                Some(_) => {}
            }
        }
        if self.reason.trim().is_empty() {
            faults.push(format!("`{place}.reason`: is empty; write why routes may lead there"));
        }
        faults
    }
}
