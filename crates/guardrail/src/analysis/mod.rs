//! What each subnet is, where each route leads, and which endpoint serves what.

pub mod required_service;
pub mod route;
pub mod topology;

use crate::analysis::required_service::RequiredService;
use crate::analysis::topology::{TableUse, Topology};
use crate::baseline::{Baseline, RouteTables};
use crate::ec2::snapshot::Snapshot;

/// A VPC as seen, related to the baseline: all that a rule and the planner look at.
#[derive(Debug)]
pub struct View<'w> {
    /// What is wanted.
    pub baseline: &'w Baseline,
    /// What was seen.
    pub snapshot: &'w Snapshot<'w>,
    /// The same, related.
    pub topology: Topology<'w>,
    /// The services required in this Region.
    pub required_services: &'w [RequiredService<'w>],
}

impl<'w> View<'w> {
    /// Relates a snapshot to a baseline.
    pub fn of(
        baseline: &'w Baseline,
        snapshot: &'w Snapshot<'w>,
        required_services: &'w [RequiredService<'w>],
    ) -> Self {
        Self { baseline, snapshot, topology: Topology::of(snapshot, baseline), required_services }
    }

    /// The tables that should lead to the gateway endpoints.
    pub fn tables_wanting_gateways(&self) -> Vec<&TableUse<'w>> {
        let wants = |used: &&TableUse<'w>| match self.baseline.gateway_endpoints.route_tables {
            RouteTables::Private => used.is_private(),
            RouteTables::All => used.off_limits.is_none() && !used.users.is_empty(),
        };
        self.topology.tables.iter().filter(wants).collect()
    }

    /// Whether the baseline looks after this VPC.
    pub fn is_managed(&self) -> bool {
        self.baseline.managed_vpcs.matches(&self.snapshot.vpc.tags)
    }
}
