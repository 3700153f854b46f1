//! The premises of a service that is reached through a gateway endpoint.

use ipnet::IpNet;

use super::{IpVersion, Obstacle, Proof, interface_endpoint, network_acl, policy};
use crate::analysis::View;
use crate::analysis::required_service::RequiredService;
use crate::analysis::route::{PossibleExit, RouteClass, classify, is_blackhole};
use crate::analysis::topology::SubnetUse;
use crate::ec2::id::{EndpointId, PrefixListId};
use crate::ec2::snapshot::Section;
use crate::ec2::world::{
    Destination, IpAddressType, PrefixList, Route, RouteOrigin, RouteState, RouteTable, VpcEndpoint,
};

/// What keeps the service's route from serving the subnet, whoever holds the service's name.
pub(super) fn prove_route(
    view: &View<'_>,
    required: &RequiredService<'_>,
    placed: &SubnetUse<'_>,
) -> Proof {
    let mut proof = Proof::default();
    // Tables that do not say of each subnet which one it uses count as not read.
    let Some(table) = placed.table else {
        return Proof::not(Obstacle::Unread { section: Section::RouteTables });
    };
    match answering(view, required, table) {
        Ok(endpoint) => through(view, required, endpoint, (table, placed), &mut proof),
        Err(obstacle) => proof.obstacles.push(obstacle),
    }
    proof
}

/// What keeps the service from the subnet, and what its being served rests on.
pub(super) fn prove(
    view: &View<'_>,
    required: &RequiredService<'_>,
    placed: &SubnetUse<'_>,
) -> Proof {
    let mut proof = prove_route(view, required, placed);
    // Where an interface endpoint holds the service's name, clients come to that one first.
    if let Some(holder) = required.name_holder(view.snapshot) {
        interface_endpoint::prove(view, required, holder, placed, &mut proof);
    }
    proof
}

/// The endpoint that the table leads to the service through.
fn answering<'w>(
    view: &View<'w>,
    required: &RequiredService<'w>,
    table: &RouteTable,
) -> Result<&'w VpcEndpoint, Obstacle> {
    let id = || table.route_table_id.clone();
    if let Some(endpoint) = required.route_to(table, view.snapshot) {
        return match endpoint.route_table_ids.contains(&table.route_table_id) {
            true => Ok(endpoint),
            false => Err(Obstacle::NotAssociated { table: id() }),
        };
    }
    let associated = required
        .endpoints(view.snapshot)
        .find(|e| e.exists() && e.route_table_ids.contains(&table.route_table_id));
    Err(match associated {
        Some(endpoint) => interface_endpoint::state(endpoint).unwrap_or(Obstacle::NoRoute {
            table: id(),
            endpoint: endpoint.vpc_endpoint_id.clone(),
        }),
        None => Obstacle::NotAssociated { table: id() },
    })
}

fn through(
    view: &View<'_>,
    required: &RequiredService<'_>,
    endpoint: &VpcEndpoint,
    (table, placed): (&RouteTable, &SubnetUse<'_>),
    proof: &mut Proof,
) {
    proof.endpoints.push(endpoint.vpc_endpoint_id.clone());
    proof.obstacles.extend(interface_endpoint::state(endpoint));
    let version = if placed.subnet.ipv6_native { IpVersion::V6 } else { IpVersion::V4 };
    let speaks = speaks(endpoint, version);
    if !speaks {
        let endpoint = endpoint.vpc_endpoint_id.clone();
        proof.obstacles.push(Obstacle::NoIpVersion { endpoint, version: version.word() });
    }
    match ranges(view, required, &endpoint.vpc_endpoint_id, table) {
        Some((lists, ranges)) => {
            let ranges: Vec<IpNet> =
                ranges.into_iter().filter(|net| IpVersion::of(net) == version).collect();
            // A table that names no list of this version leads none of its clients to the endpoint.
            if speaks && ranges.is_empty() {
                proof.obstacles.push(Obstacle::RangesUnread);
            }
            proof.obstacles.extend(overruling(view, endpoint, table, (&lists, &ranges)));
            network_acl::to_ranges(view, placed, &ranges, proof);
        }
        None if view.snapshot.missing.contains(&Section::PrefixLists) => {
            proof.obstacles.push(Obstacle::Unread { section: Section::PrefixLists });
        }
        None => proof.obstacles.push(Obstacle::RangesUnread),
    }
    policy::prove(view, required, endpoint, proof);
}

/// Whether a gateway endpoint writes a route for this version of IP
/// (docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html).
fn speaks(endpoint: &VpcEndpoint, version: IpVersion) -> bool {
    match (&endpoint.ip_address_type, version) {
        (None | Some(IpAddressType::Ipv4), IpVersion::V4)
        | (Some(IpAddressType::Ipv6), IpVersion::V6)
        | (Some(IpAddressType::Dualstack), _) => true,
        (None | Some(IpAddressType::Ipv4), IpVersion::V6)
        | (Some(IpAddressType::Ipv6), IpVersion::V4)
        | (Some(IpAddressType::Other(_)), _) => false,
    }
}

/// The service's prefix lists, which the endpoint's routes name and which have the service's name,
/// and the address ranges in them.
fn ranges(
    view: &View<'_>,
    required: &RequiredService<'_>,
    endpoint: &EndpointId,
    table: &RouteTable,
) -> Option<(Vec<PrefixListId>, Vec<IpNet>)> {
    let leads = |route: &&Route| route.gateway_id.as_deref() == Some(endpoint.as_str());
    let named: Vec<_> = table
        .routes
        .iter()
        .filter(leads)
        .filter_map(|route| route.destination_prefix_list_id.as_ref())
        .collect();
    let lists = view.snapshot.shared.prefix_lists;
    let is_named = |list: &PrefixList| named.contains(&&list.prefix_list_id);
    let is_called_so = |list: &PrefixList| list.prefix_list_name == required.name.as_str();
    // A customer's list may have the service's name too.
    let is_its =
        |list: &&PrefixList| is_named(list) || (is_called_so(list) && list.is_awss() == Some(true));
    let is_perhaps_its =
        |list: &PrefixList| !is_named(list) && is_called_so(list) && list.is_awss().is_none();
    let its: Vec<&PrefixList> = lists.iter().filter(is_its).collect();
    let all_seen = named.iter().all(|id| its.iter().any(|list| list.prefix_list_id == **id));
    if its.is_empty() || !all_seen || lists.iter().any(is_perhaps_its) {
        return None;
    }
    let ids = its.iter().map(|list| list.prefix_list_id.clone()).collect();
    let mut ranges = Vec::new();
    for list in its {
        for block in list.blocks()? {
            ranges.push(block.net()?);
        }
    }
    Some((ids, ranges))
}

/// The routes of the table that take some of the ranges elsewhere: the longest prefix wins, then a
/// static route before a prefix list's before a propagated one
/// (docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html, route priority).
pub(crate) fn overruling(
    view: &View<'_>,
    endpoint: &VpcEndpoint,
    table: &RouteTable,
    (its, ranges): (&[PrefixListId], &[IpNet]),
) -> Vec<Obstacle> {
    let id = endpoint.vpc_endpoint_id.as_str();
    // A list leads to one target at a time: a route of the service's own is the endpoint's.
    let own = |route: &Route| {
        route.gateway_id.as_deref() == Some(id)
            || route.destination_prefix_list_id.as_ref().is_some_and(|list| its.contains(list))
    };
    let elsewhere = table
        .routes
        .iter()
        .filter(|route| !own(route) && route.state != Some(RouteState::Filtered));
    elsewhere
        .filter_map(|route| {
            let (id, target) = (table.route_table_id.clone(), shown_target(route));
            let destination =
                route.destination().map_or_else(|| "?".to_owned(), |there| there.to_string());
            match overrules(view, route, ranges) {
                Overrules::No => None,
                // Whatever an unread list takes to the internet reaches the service's public addresses.
                Overrules::Perhaps if leads_to_internet(view, table, route) => None,
                Overrules::Yes => Some(Obstacle::Overruled { table: id, destination, target }),
                Overrules::Perhaps => {
                    Some(Obstacle::PerhapsOverruled { table: id, destination, target })
                }
            }
        })
        .collect()
}

fn leads_to_internet(view: &View<'_>, table: &RouteTable, route: &Route) -> bool {
    let unread = match classify(route, table, view.snapshot, &view.topology) {
        RouteClass::MayLeadOut(PossibleExit::UnreadPrefixList(_)) => true,
        RouteClass::Internet(_)
        | RouteClass::MayLeadOut(_)
        | RouteClass::Local
        | RouteClass::Endpoint(_)
        | RouteClass::Inside(_)
        | RouteClass::Unknown(_) => false,
    };
    unread && !is_blackhole(route)
}

fn shown_target(route: &Route) -> String {
    route.target().map_or_else(|| "?".to_owned(), |target| target.to_string())
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Overrules {
    No,
    Perhaps,
    Yes,
}

fn overrules(view: &View<'_>, route: &Route, ranges: &[IpNet]) -> Overrules {
    let lists = view.snapshot.shared.prefix_lists;
    match route.destination() {
        None => Overrules::Perhaps,
        Some(Destination::CidrBlock(cidr) | Destination::Ipv6CidrBlock(cidr)) => {
            let Some(net) = cidr.net() else { return Overrules::Perhaps };
            match &route.origin {
                Some(RouteOrigin::EnableVgwRoutePropagation | RouteOrigin::Advertisement) => {
                    by_length(net, ranges, Overrules::No)
                }
                Some(RouteOrigin::CreateRoute | RouteOrigin::CreateRouteTable) => {
                    by_length(net, ranges, Overrules::Yes)
                }
                Some(RouteOrigin::Other(_)) | None => by_length(net, ranges, Overrules::Perhaps),
            }
        }
        Some(Destination::PrefixList(list)) => {
            let list = lists.iter().find(|seen| seen.prefix_list_id == list);
            let Some(blocks) = list.and_then(PrefixList::blocks) else { return Overrules::Perhaps };
            let each = blocks.into_iter().map(|block| {
                block
                    .net()
                    .map_or(Overrules::Perhaps, |net| by_length(net, ranges, Overrules::Perhaps))
            });
            each.max().unwrap_or(Overrules::No)
        }
    }
}

/// A longer destination within a range takes its part of it; one that is as long, as `if_equal` says.
fn by_length(net: IpNet, ranges: &[IpNet], if_equal: Overrules) -> Overrules {
    let each = ranges.iter().filter(|range| range.contains(&net)).map(|range| {
        if range.prefix_len() == net.prefix_len() { if_equal } else { Overrules::Yes }
    });
    each.max().unwrap_or(Overrules::No)
}
