//! How long it takes until what was changed acts everywhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long what takes time to act must have been seen as it is, before a route goes that it is to
/// replace: names, DNS attributes, endpoint policies, network ACLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Settling {
    /// The minutes for all but DHCP options: "a few minutes"
    /// (docs.aws.amazon.com/vpc/latest/privatelink/interface-endpoints.html).
    #[cfg_attr(feature = "schema", schemars(range(max = 10_080)))]
    pub minutes: u32,
    /// The minutes for a VPC's DHCP options after a change of them, which reaches running instances
    /// "within a few hours" (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateDhcpOptions.html).
    #[cfg_attr(feature = "schema", schemars(range(max = 10_080)))]
    pub dhcp_options_minutes: u32,
}

impl Default for Settling {
    fn default() -> Self {
        Self { minutes: 5, dhcp_options_minutes: 240 }
    }
}

impl Settling {
    /// The most minutes that can be meant: a week.
    pub(super) const LONGEST: u32 = 7 * 24 * 60;

    /// How long all but DHCP options take.
    pub fn usual(self) -> Duration {
        Duration::from_secs(u64::from(self.minutes) * 60)
    }

    /// How long DHCP options take after a change.
    pub fn dhcp_options(self) -> Duration {
        Duration::from_secs(u64::from(self.dhcp_options_minutes) * 60)
    }
}
