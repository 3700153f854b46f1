//! What each subnet is, where each route leads, and which endpoint serves what.

pub mod departure;
pub mod endpoint_policy;
pub mod network_acl;
pub mod required_service;
pub mod route;
pub mod served;
pub mod topology;
pub mod well_known;

use crate::analysis::required_service::RequiredService;
use crate::analysis::topology::{TableUse, Topology};
use crate::baseline::{Baseline, RouteTables};
use crate::ec2::id::{RouteTableId, SubnetId, Zone};
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::Subnet;

/// A VPC as seen, related to the baseline: all that a rule and the planner look at.
#[derive(Debug)]
pub struct View<'w> {
    /// The baseline that the VPC is compared with.
    pub baseline: &'w Baseline,
    /// The VPC as it was observed.
    pub snapshot: &'w Snapshot<'w>,
    /// The VPC's subnets and route tables, related to each other.
    pub topology: Topology<'w>,
    /// The services that the baseline requires in the VPC's Region.
    pub required_services: &'w [RequiredService<'w>],
}

impl<'w> View<'w> {
    /// Relates a snapshot to a baseline and to the services that the baseline requires in the
    /// snapshot's Region.
    pub fn of(
        baseline: &'w Baseline,
        snapshot: &'w Snapshot<'w>,
        required_services: &'w [RequiredService<'w>],
    ) -> Self {
        Self { baseline, snapshot, topology: Topology::of(snapshot, baseline), required_services }
    }

    /// What people call the VPC: its tag `Name`, which the console shows; `None` where it has none,
    /// or an empty one.
    pub fn vpc_name(&self) -> Option<&'w str> {
        let named = self.snapshot.vpc.tags.iter().find(|tag| tag.key == "Name");
        named.map(|tag| tag.value.as_str()).filter(|name| !name.is_empty())
    }

    /// The tables that should lead to the gateway endpoints.
    pub fn tables_wanting_gateways(&self) -> Vec<&TableUse<'w>> {
        let wants = |used: &&TableUse<'w>| match self.baseline.gateway_endpoints.route_tables {
            // One that nobody is known to use yet is no place to write into.
            RouteTables::Private => used.is_private() && used.is_settled_for_a_private_user(),
            RouteTables::All => {
                let is_used = used.off_limits.is_none() && !used.users.is_empty();
                is_used && (!used.serves_one_that_belies_its_tag() || used.is_private())
            }
        };
        self.topology.tables.iter().filter(wants).collect()
    }

    /// Of these tables, those that may be changed; and those that may not, each with the subnets
    /// that are neither private nor public and use it too. Where the baseline means all tables,
    /// only those are kept that serve a subnet that is built as another than its tag says.
    pub fn split_by_unclassified_users(
        &self,
        tables: &[RouteTableId],
    ) -> (Vec<RouteTableId>, Vec<(RouteTableId, Vec<SubnetId>)>) {
        let all = self.baseline.gateway_endpoints.route_tables == RouteTables::All;
        let users = |id: &RouteTableId| -> Vec<SubnetId> {
            let used = self.topology.tables.iter().filter(|used| used.table.route_table_id == *id);
            let others = used.flat_map(TableUse::unclassified_users);
            others
                .filter(|(_, class)| !all || class.belies_its_tag())
                .map(|(id, _)| id.clone())
                .collect()
        };
        let (mut ours, mut shared) = (Vec::new(), Vec::new());
        for id in tables {
            match users(id) {
                users if users.is_empty() => ours.push(id.clone()),
                users => shared.push((id.clone(), users)),
            }
        }
        (ours, shared)
    }

    /// One private subnet for each zone that can hold an IPv4 interface, the first by id; and the
    /// zones that have none.
    pub fn subnets_for_interfaces(&self, zones: &[Zone]) -> (Vec<&'w Subnet>, Vec<Zone>) {
        let fits =
            |subnet: &&Subnet| !subnet.ipv6_native && subnet.available_ip_address_count != Some(0);
        let private: Vec<&'w Subnet> =
            self.topology.private().map(|placed| placed.subnet).filter(fits).collect();
        let pick =
            |zone: &Zone| private.iter().find(|subnet| subnet.availability_zone == *zone).copied();
        let without = zones.iter().filter(|zone| pick(zone).is_none()).cloned().collect();
        (zones.iter().filter_map(pick).collect(), without)
    }

    /// Whether the baseline looks after this VPC.
    pub fn is_managed(&self) -> bool {
        self.baseline.managed_vpcs.matches(&self.snapshot.vpc.tags)
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Fixture;

    #[test]
    fn a_vpc_is_called_what_its_name_tag_says() {
        let name = |edit: fn(&mut Fixture) -> &mut Fixture| {
            Fixture::edited(edit).view(|view, _| view.vpc_name().map(str::to_owned))
        };
        assert_eq!(name(|w| w).as_deref(), Some("shop"));
        assert_eq!(name(|w| w.tag("vpc-1", "Name", "")), None);
        assert_eq!(name(|w| w.tag("vpc-1", "name", "shop")), None);
    }
}
