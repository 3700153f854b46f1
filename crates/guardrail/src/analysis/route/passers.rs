//! Who else a route serves: subnets whose own tables hand their traffic to something that stands in
//! a subnet of the route's table and passes it on there.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{is_target, read_blocks};
use crate::analysis::topology::{SubnetUse, Topology};
use crate::ec2::cidr::covers_public;
use crate::ec2::id::SubnetId;
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{NetworkInterface, Route, RouteTable};

/// The subnets of other tables whose traffic for public addresses may come to this route, through NAT
/// gateways, interfaces and Gateway Load Balancer endpoints, one behind the other. Whether these
/// do pass traffic on is not asked: whoever may need the route counts.
pub fn passers<'v, 'w>(
    route: &Route,
    table: &RouteTable,
    snapshot: &Snapshot<'_>,
    topology: &'v Topology<'w>,
) -> Vec<&'v SubnetUse<'w>> {
    let uses = |placed: &SubnetUse<'_>| {
        placed.tables().any(|own| own.route_table_id == table.route_table_id)
    };
    let its = topology.subnets.iter().filter(|placed| uses(placed));
    let mut reached: BTreeSet<&SubnetId> = its.map(|placed| &placed.subnet.subnet_id).collect();
    let mut passers: Vec<&SubnetUse<'_>> = Vec::new();
    loop {
        let comes_by = |other: &Route| {
            let hands_on = places_of(other, snapshot).iter().any(|place| reached.contains(place));
            hands_on && share_public_addresses(route, other, snapshot, &topology.own)
        };
        let new: Vec<&SubnetUse<'_>> = topology
            .subnets
            .iter()
            .filter(|placed| !reached.contains(&placed.subnet.subnet_id))
            .filter(|placed| placed.tables().any(|table| table.routes.iter().any(comes_by)))
            .collect();
        if new.is_empty() {
            return passers;
        }
        reached.extend(new.iter().map(|placed| &placed.subnet.subnet_id));
        passers.extend(new);
    }
}

/// The subnets in which what the route leads to stands.
fn places_of<'w>(route: &Route, snapshot: &Snapshot<'w>) -> Vec<&'w SubnetId> {
    match route.target() {
        Some(RouteTarget::NatGateway(id)) => {
            let its = snapshot.nat_gateways.iter().filter(|nat| nat.nat_gateway_id == id);
            its.filter_map(|nat| nat.subnet_id.as_ref()).collect()
        }
        Some(RouteTarget::NetworkInterface(_) | RouteTarget::Instance(_)) => {
            let target = snapshot.interfaces.iter().find(|eni| is_target(eni, route));
            let same = |eni: &&&NetworkInterface| target.is_some_and(|it| are_of_one(it, eni));
            let its = snapshot.interfaces.iter().filter(same);
            its.filter_map(|eni| eni.subnet_id.as_ref()).collect()
        }
        // What a Gateway Load Balancer sends back leaves by the table of the endpoint's own subnet.
        Some(RouteTarget::VpcEndpoint(id)) => {
            let endpoints = snapshot.endpoints.iter().copied();
            let its = endpoints.filter(|endpoint| endpoint.vpc_endpoint_id == id);
            its.flat_map(|endpoint| &endpoint.subnet_ids).collect()
        }
        Some(
            RouteTarget::Local
            | RouteTarget::InternetGateway(_)
            | RouteTarget::EgressOnlyInternetGateway(_)
            | RouteTarget::CarrierGateway(_)
            | RouteTarget::VpcPeeringConnection(_)
            | RouteTarget::VirtualPrivateGateway(_)
            | RouteTarget::TransitGateway(_)
            | RouteTarget::CoreNetwork(_)
            | RouteTarget::LocalGateway(_)
            | RouteTarget::OdbNetwork(_)
            | RouteTarget::NextHop(_)
            | RouteTarget::OtherGateway(_),
        )
        | None => Vec::new(),
    }
}

fn are_of_one(target: &NetworkInterface, other: &NetworkInterface) -> bool {
    let instance = |eni: &NetworkInterface| {
        eni.attachment.as_ref().and_then(|attachment| attachment.instance_id.clone())
    };
    target.network_interface_id == other.network_interface_id
        || instance(target).is_some_and(|id| instance(other) == Some(id))
}

/// Whether some public address is in the destinations of both; one that nobody can read may hold any.
fn share_public_addresses(
    one: &Route,
    other: &Route,
    snapshot: &Snapshot<'_>,
    own: &[IpNet],
) -> bool {
    let blocks = |route: &Route| read_blocks(route, snapshot);
    let (Some(one), Some(other)) = (blocks(one), blocks(other)) else { return true };
    let narrower = |a: &IpNet, b: &IpNet| {
        if a.contains(b) { Some(*b) } else { b.contains(a).then_some(*a) }
    };
    one.iter().any(|a| {
        let mut both = other.iter().filter_map(|b| narrower(a, b));
        both.any(|net| covers_public(net, own))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, subnet, table};

    /// Whose traffic comes to the route `0.0.0.0/0` of `rtb-b` after an edit.
    fn come(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
        let nat = |w: &mut Fixture| {
            w.route("rtb-b", "0.0.0.0/0", "nat-1");
        };
        Fixture::edited(|w| {
            nat(w);
            edit(w)
        })
        .topology(|topology, snapshot| {
            let mut tables = topology.tables.iter().map(|used| used.table);
            let table = tables.find(|table| table.route_table_id.as_str() == "rtb-b").unwrap();
            let route = table.routes.iter().find(|route| route.nat_gateway_id.is_some()).unwrap();
            let passers = passers(route, table, snapshot, topology);
            passers.iter().map(|placed| placed.subnet.subnet_id.to_string()).collect()
        })
    }

    /// `nat-private` stands in `subnet-prib`, which uses `rtb-b`.
    #[test]
    fn those_behind_a_nat_gateway_in_the_tables_subnet_come_by() {
        assert_eq!(come(|w| w), Vec::<String>::new());
        assert_eq!(come(|w| w.route("rtb-a", "0.0.0.0/0", "nat-private")), ["subnet-pria"]);
        assert_eq!(come(|w| w.route("rtb-a", "0.0.0.0/0", "nat-1")), Vec::<String>::new());
    }

    #[test]
    fn only_with_public_addresses_that_the_route_carries() {
        let none = Vec::<String>::new();
        assert_eq!(come(|w| w.route("rtb-a", "10.99.0.0/16", "nat-private")), none);
        assert_eq!(come(|w| w.route("rtb-a", "8.8.8.8/32", "nat-private")), ["subnet-pria"]);
        assert_eq!(come(|w| w.route("rtb-a", "::/0", "nat-private")), none);
        assert_eq!(come(|w| w.route("rtb-a", "pl-unread", "nat-private")), ["subnet-pria"]);
    }

    #[test]
    fn those_behind_any_interface_of_an_instance_there_come_by() {
        let eni = |id: &str, subnet: &str| {
            json!({"NetworkInterfaceId": id, "VpcId": "vpc-1", "SubnetId": subnet,
                "SourceDestCheck": false, "Attachment": {"InstanceId": "i-1"}})
        };
        let comes = come(|w| {
            w.add("NetworkInterfaces", eni("eni-in", "subnet-puba"));
            w.add("NetworkInterfaces", eni("eni-out", "subnet-prib"));
            w.route("rtb-a", "0.0.0.0/0", "eni-in")
        });
        assert_eq!(comes, ["subnet-pria"]);
    }

    #[test]
    fn those_behind_a_gateway_load_balancer_endpoint_there_come_by() {
        let endpoint = json!({"VpcEndpointId": "vpce-fw", "VpcEndpointType": "GatewayLoadBalancer",
            "VpcId": "vpc-1", "State": "available", "ServiceName": "com.amazonaws.vpce.eu-central-1.fw",
            "SubnetIds": ["subnet-prib"]});
        let comes =
            come(|w| w.add("VpcEndpoints", endpoint).route("rtb-a", "0.0.0.0/0", "vpce-fw"));
        assert_eq!(comes, ["subnet-pria"]);
    }

    #[test]
    fn one_behind_the_other_in_any_order() {
        let nat = json!({"NatGatewayId": "nat-more", "VpcId": "vpc-1", "SubnetId": "subnet-pria",
            "ConnectivityType": "private", "State": "available"});
        let comes = come(|w| {
            w.add("NatGateways", nat).add("Subnets", subnet("subnet-0", "a", "private"));
            w.add("RouteTables", table("rtb-0", &["subnet-0"]));
            w.route("rtb-0", "0.0.0.0/0", "nat-more").route("rtb-a", "0.0.0.0/0", "nat-private")
        });
        assert_eq!(comes, ["subnet-pria", "subnet-0"]);
    }
}
