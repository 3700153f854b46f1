//! From the ids that a call names to the VPCs that they belong to, where those are in a world.

use std::collections::BTreeSet;

use crate::ec2::id::VpcId;
use crate::ec2::world::{Association, Route, RouteTable, World};

/// The VPCs of a world that any of these ids belongs to, or that a route to one of them is in.
pub fn vpcs_of(world: &World, ids: &[String]) -> BTreeSet<VpcId> {
    let named = |id: &str| ids.iter().any(|wanted| wanted == id);
    let vpcs = world.vpcs.iter().flatten().filter(|vpc| named(vpc.vpc_id.as_str())).map(|vpc| &vpc.vpc_id);
    let subnets = world.subnets.iter().flatten().filter(|s| named(s.subnet_id.as_str())).map(|s| &s.vpc_id);
    let tables = world.route_tables.iter().flatten().filter(|table| touches(table, &named)).map(|t| &t.vpc_id);
    let endpoints =
        world.vpc_endpoints.iter().flatten().filter(|e| named(e.vpc_endpoint_id.as_str())).map(|e| &e.vpc_id);
    let nats = world.nat_gateways.iter().flatten().filter(|n| named(n.nat_gateway_id.as_str()));
    let groups = world.security_groups.iter().flatten().filter(|g| named(g.group_id.as_str()));
    let interfaces = world.network_interfaces.iter().flatten().filter(|i| {
        let instance = i.attachment.as_ref().and_then(|a| a.instance_id.as_ref());
        named(i.network_interface_id.as_str()) || instance.is_some_and(|id| named(id.as_str()))
    });
    vpcs.chain(subnets)
        .chain(tables)
        .chain(endpoints)
        .chain(nats.filter_map(|nat| nat.vpc_id.as_ref()))
        .chain(groups.filter_map(|group| group.vpc_id.as_ref()))
        .chain(interfaces.filter_map(|interface| interface.vpc_id.as_ref()))
        .cloned()
        .collect()
}

fn touches(table: &RouteTable, named: &impl Fn(&str) -> bool) -> bool {
    let bound = |association: &Association| {
        association.route_table_association_id.as_ref().is_some_and(|id| named(id.as_str()))
    };
    let leads = |route: &Route| {
        route.target().is_some_and(named)
            || route.destination_prefix_list_id.as_ref().is_some_and(|id| named(id.as_str()))
    };
    named(table.route_table_id.as_str()) || table.associations.iter().any(bound) || table.routes.iter().any(leads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn whatever_belongs_to_a_vpc_leads_to_it() {
        let mut fixture = Fixture::compliant();
        fixture.route("rtb-a", "pl-out", "tgw-1");
        fixture.add(
            "NetworkInterfaces",
            serde_json::json!({"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "Attachment": {"InstanceId": "i-1"}}),
        );
        let world = fixture.world();
        let named = [
            "vpc-1",
            "subnet-pria",
            "rtb-a",
            "rtbassoc-main",
            "vpce-ssm",
            "nat-1",
            "sg-https",
            "eni-1",
            "i-1",
            "igw-1",
            "tgw-1",
            "pl-out",
            "vpce-s3",
        ];
        for id in named {
            assert_eq!(vpcs_of(&world, &[id.to_owned()]), BTreeSet::from([crate::fixture::vpc()]), "{id}");
        }
        for id in ["vpc-2", "rtbassoc-gone", "subnet-", ""] {
            assert_eq!(vpcs_of(&world, &[id.to_owned()]), BTreeSet::new(), "{id}");
        }
    }
}
