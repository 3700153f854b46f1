//! From the ids that a call names to the VPCs that they belong to, where those are in a world.

use std::collections::BTreeSet;

use crate::ec2::id::VpcId;
use crate::ec2::resource_id::{ResourceId, ResourceKind};
use crate::ec2::world::{Association, Route, RouteTable, SecurityGroup, World};
use crate::inbox::detect::Resolved;

/// Looks these ids up in a world as the detect function looks them up in an account: a VPC's own id
/// is never among those that are gone, and neither is a prefix list, because where none uses it, it
/// concerns no VPC.
pub fn resolve(world: &World, ids: &[ResourceId]) -> Resolved {
    let mut resolved = Resolved::default();
    for id in ids {
        let mut vpcs = vpcs_of(world, std::slice::from_ref(id));
        if let ResourceId::Vpc(vpc) = id {
            vpcs.insert(vpc.clone());
        }
        if vpcs.is_empty() && id.kind() != ResourceKind::PrefixList {
            resolved.gone.push(id.clone());
        }
        resolved.vpcs.append(&mut vpcs);
    }
    resolved
}

/// The VPCs of a world that any of these ids belongs to. A gateway that worlds do not list belongs
/// to the VPCs with a route to it, and a prefix list to those whose routes or security groups name
/// it.
pub fn vpcs_of(world: &World, ids: &[ResourceId]) -> BTreeSet<VpcId> {
    let named = |id: &str| ids.iter().any(|wanted| wanted.as_str() == id);
    let vpcs =
        world.vpcs.iter().flatten().filter(|vpc| named(vpc.vpc_id.as_str())).map(|vpc| &vpc.vpc_id);
    let subnets =
        world.subnets.iter().flatten().filter(|s| named(s.subnet_id.as_str())).map(|s| &s.vpc_id);
    let tables = world
        .route_tables
        .iter()
        .flatten()
        .filter(|table| touches(table, &named))
        .map(|t| &t.vpc_id);
    let endpoints = world
        .vpc_endpoints
        .iter()
        .flatten()
        .filter(|e| named(e.vpc_endpoint_id.as_str()))
        .map(|e| &e.vpc_id);
    let nats = world.nat_gateways.iter().flatten().filter(|n| named(n.nat_gateway_id.as_str()));
    let groups = world
        .security_groups
        .iter()
        .flatten()
        .filter(|group| named(group.group_id.as_str()) || admits(group, &named));
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
        route.target().is_some_and(|target| target.unlisted().is_some_and(named))
            || route.destination_prefix_list_id.as_ref().is_some_and(|id| named(id.as_str()))
    };
    named(table.route_table_id.as_str())
        || table.associations.iter().any(bound)
        || table.routes.iter().any(leads)
}

fn admits(group: &SecurityGroup, named: &impl Fn(&str) -> bool) -> bool {
    let lists = group.ip_permissions.iter().flat_map(|permission| &permission.prefix_list_ids);
    lists.into_iter().any(|list| named(list.prefix_list_id.as_str()))
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
            assert_eq!(
                vpcs_of(&world, &[id.parse().unwrap()]),
                BTreeSet::from([crate::fixture::vpc()]),
                "{id}"
            );
        }
        for id in ["vpc-2", "rtbassoc-gone"] {
            assert_eq!(vpcs_of(&world, &[id.parse().unwrap()]), BTreeSet::new(), "{id}");
        }
    }

    fn resolved(world: &World, ids: &[&str]) -> (Vec<String>, Vec<String>) {
        let ids: Vec<ResourceId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        let Resolved { vpcs, gone } = resolve(world, &ids);
        (vpcs.into_iter().map(String::from).collect(), gone.into_iter().map(String::from).collect())
    }

    #[test]
    fn what_a_world_does_not_have_is_gone() {
        let mut fixture = Fixture::compliant();
        fixture.route("rtb-a", "172.16.0.0/12", "nat-gone");
        let world = fixture.world();
        let vpc = || vec!["vpc-1".to_owned()];
        assert_eq!(resolved(&world, &["rtb-a", "nat-1"]), (vpc(), vec![]));
        let gone = vec!["vpce-gone".to_owned(), "nat-gone".to_owned()];
        assert_eq!(resolved(&world, &["rtb-a", "vpce-gone", "nat-gone"]), (vpc(), gone));
        assert_eq!(
            resolved(&world, &["rtbassoc-gone"]),
            (vec![], vec!["rtbassoc-gone".to_owned()])
        );
    }

    #[test]
    fn prefix_lists_and_vpcs_are_never_gone() {
        let world = Fixture::compliant().world();
        assert_eq!(resolved(&world, &["pl-unused"]), (vec![], vec![]));
        assert_eq!(resolved(&world, &["vpc-9"]), (vec!["vpc-9".to_owned()], vec![]));
        assert_eq!(resolved(&world, &[]), (vec![], vec![]));
    }
}
