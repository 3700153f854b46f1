//! The way from a subnet's clients to an endpoint's interfaces in other subnets, and back.
//!
//! "You can add a route that is more specific than the local route", to a middlebox
//! (docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html, "Routing for a middlebox
//! appliance"). What goes to the interface asks the table of the clients' subnet; the answers ask the
//! table of the interface's.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use super::gateway_endpoint::leads_to_internet;
use super::{IpVersion, Leg, Obstacle, Proof, blocks_of, network_acl};
use crate::analysis::View;
use crate::analysis::route::is_blackhole;
use crate::analysis::topology::SubnetUse;
use crate::ec2::cidr::Cidr;
use crate::ec2::id::RouteTableId;
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{
    Destination, PrefixList, Route, RouteOrigin, RouteState, RouteTable, Subnet, VpcEndpoint,
};

/// Adds the routes that take packets elsewhere before the VPC's own route does: those for an
/// interface in another subnet, and the interface's answers.
pub(super) fn prove(
    view: &View<'_>,
    endpoint: &VpcEndpoint,
    placed: &SubnetUse<'_>,
    versions: &[IpVersion],
    proof: &mut Proof,
) {
    let others = endpoint.subnet_ids.iter().filter(|id| **id != placed.subnet.subnet_id);
    let others: Vec<&Subnet> = others.filter_map(|id| view.snapshot.subnet(id)).collect();
    let of = |blocks: &dyn Fn(IpVersion) -> Vec<IpNet>| -> Vec<IpNet> {
        versions.iter().flat_map(|version| blocks(*version)).collect()
    };
    let there = of(&|version| {
        let blocks =
            |subnet: &&Subnet| network_acl::interface_blocks(view, endpoint, subnet, version);
        others.iter().flat_map(blocks).collect()
    });
    let back = of(&|version| blocks_of(placed.subnet, version, view));
    let tables = others.iter().map(|subnet| (Leg::Back, *subnet, &back));
    let tables = (!others.is_empty())
        .then_some((Leg::There, placed.subnet, &there))
        .into_iter()
        .chain(tables);
    for (leg, subnet, blocks) in tables {
        let Some(table) = table_of(view, subnet, proof) else { continue };
        for route in diverting(view, table, blocks) {
            let shown = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
            proof.note(Obstacle::Diverted {
                table: table.route_table_id.clone(),
                endpoint: endpoint.vpc_endpoint_id.clone(),
                leg,
                destination: shown(route.destination().map(|there| there.to_string())),
                target: shown(route.target().map(|target| target.to_string())),
                blackhole: is_blackhole(route) && nets(view, route).is_some(),
            });
        }
    }
}

/// The table that a subnet uses, of which the proof says where it was not seen.
fn table_of<'w>(view: &View<'w>, subnet: &Subnet, proof: &mut Proof) -> Option<&'w RouteTable> {
    let mut placed = view.topology.subnets.iter();
    let table = placed.find(|it| it.subnet.subnet_id == subnet.subnet_id).and_then(|it| it.table);
    if table.is_none() {
        // Tables that do not say of each subnet which one it uses count as not read.
        proof.note(Obstacle::Unread { section: Section::RouteTables });
    }
    table
}

/// The routes of the table, other than the VPC's own, that go to some of these addresses of the VPC,
/// or may: nobody knows where a list leads that was not read.
fn diverting<'w>(view: &View<'_>, table: &'w RouteTable, blocks: &[IpNet]) -> Vec<&'w Route> {
    let own: Vec<IpNet> = view.snapshot.vpc.cidrs().iter().filter_map(Cidr::net).collect();
    let takes = |net: &IpNet| {
        own.iter().any(|block| block.contains(net))
            && blocks.iter().any(|block| net.contains(block) || block.contains(net))
    };
    let diverts = |route: &&Route| {
        route.target() != Some(RouteTarget::Local)
            && match nets(view, route) {
                Some(nets) => nets.iter().any(takes),
                // What leads to the internet reaches the VPC's addresses too, and is told of as such.
                None => !is_for_aws_list(view, route) && !leads_to_internet(view, table, route),
            }
    };
    live_routes(table).filter(diverts).collect()
}

/// The routes of a table that Route Server does not keep out.
pub(super) fn live_routes(table: &RouteTable) -> impl Iterator<Item = &Route> {
    table.routes.iter().filter(|route| route.state != Some(RouteState::Filtered))
}

/// Whether the route is for a prefix list of AWS's, which holds no address of a VPC: what leads to an
/// endpoint for a list that was not seen was written by AWS too.
fn is_for_aws_list(view: &View<'_>, route: &Route) -> bool {
    let Some(Destination::PrefixList(id)) = route.destination() else { return false };
    let mut lists = view.snapshot.shared.prefix_lists.iter();
    match lists.find(|list| list.prefix_list_id == id) {
        Some(list) => {
            list.owner_id.as_deref() == Some("AWS")
                || list.prefix_list_name.starts_with("com.amazonaws.")
        }
        None => matches!(route.target(), Some(RouteTarget::VpcEndpoint(_))),
    }
}

/// The blocks of a route's destination; `None` where not all of them were read.
pub(super) fn nets(view: &View<'_>, route: &Route) -> Option<Vec<IpNet>> {
    match route.destination()? {
        Destination::CidrBlock(cidr) | Destination::Ipv6CidrBlock(cidr) => Some(vec![cidr.net()?]),
        Destination::PrefixList(id) => {
            let mut lists = view.snapshot.shared.prefix_lists.iter();
            let blocks =
                lists.find(|list| list.prefix_list_id == id).and_then(PrefixList::blocks)?;
            blocks.into_iter().map(Cidr::net).collect()
        }
    }
}

/// The routes that packets for an address take: those with the longest prefix, of them a static one
/// before a prefix list's before a propagated one
/// (docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html).
pub(super) fn taken<'w>(view: &View<'_>, table: &'w RouteTable, to: IpAddr) -> Vec<&'w Route> {
    let rank = |route: &'w Route| {
        let its = nets(view, route)?.into_iter().filter(|net| net.contains(&to));
        let length = its.map(|net| net.prefix_len()).max()?;
        let priority = match (&route.origin, &route.destination_prefix_list_id) {
            (Some(RouteOrigin::EnableVgwRoutePropagation | RouteOrigin::Advertisement), _) => 0,
            (_, Some(_)) => 1,
            (_, None) => 2,
        };
        Some(((length, priority), route))
    };
    let ranked: Vec<((u8, u8), &Route)> = live_routes(table).filter_map(rank).collect();
    let best = ranked.iter().map(|(rank, _)| *rank).max();
    ranked.into_iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, route)| route).collect()
}

/// NAT64: what an IPv6 client sends to an address in it comes out as IPv4 on the other side of a NAT
/// gateway (docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html).
const NAT64: IpNet =
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96));

/// Whether the table's route to this destination takes NAT64's addresses, or may.
pub fn carries_nat64(view: &View<'_>, table: &RouteTableId, destination: &Destination) -> bool {
    let routes = view.snapshot.route_table(table).into_iter().flat_map(live_routes);
    let carries = |route: &Route| {
        nets(view, route)
            .is_none_or(|nets| nets.iter().any(|net| net.contains(&NAT64) || NAT64.contains(net)))
    };
    routes.filter(|route| route.goes_to(destination)).any(carries)
}
