//! Where a packet goes: routes by longest prefix and priority, network ACLs, security groups.
//!
//! It is written from AWS's documentation and shares nothing with the guardrail's own judgement but
//! the types of a world.

use std::net::IpAddr;

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{RouteTableId, SubnetId};
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::world::{
    Connectivity, EndpointState, EndpointType, IpPermission, NatGatewayState, NetworkAcl, Route,
    RouteOrigin, RouteState, RouteTable, RuleAction, Subnet, VpcEndpoint, World,
};
use ipnet::IpNet;

use crate::client::Client;
use crate::{nat64, policy};

pub(crate) const HTTPS: i32 = 443;

/// A world as a client meets it: routes, groups and states act at once, ACLs and policies may still
/// be as they were.
#[derive(Clone, Copy)]
pub(crate) struct Met<'w> {
    pub(crate) now: &'w World,
    pub(crate) acls: &'w World,
    pub(crate) policies: &'w World,
}

pub(crate) fn subnet<'w>(world: &'w World, id: &SubnetId) -> Option<&'w Subnet> {
    world.subnets.iter().flatten().find(|subnet| subnet.subnet_id == *id)
}

/// The table of a subnet: its own, else the VPC's main one.
pub(crate) fn table_of<'w>(world: &'w World, id: &SubnetId) -> Option<&'w RouteTable> {
    let vpc = &subnet(world, id)?.vpc_id;
    let tables = || world.route_tables.iter().flatten().filter(|table| table.vpc_id == *vpc);
    let own = tables()
        .find(|table| table.associations.iter().any(|bound| bound.subnet_id.as_ref() == Some(id)));
    own.or_else(|| tables().find(|table| table.associations.iter().any(|bound| bound.main)))
}

/// The tables by which what the subnet sends may go: its own, and those of the subnets where NAT
/// gateways of its routes stand.
pub(crate) fn tables_passed(world: &World, id: &SubnetId) -> Vec<RouteTableId> {
    let mut passed = Vec::new();
    let mut subnets = vec![id.clone()];
    while let Some(subnet) = subnets.pop() {
        let Some(table) = table_of(world, &subnet) else { continue };
        if passed.contains(&table.route_table_id) {
            continue;
        }
        passed.push(table.route_table_id.clone());
        for id in table.routes.iter().filter_map(|route| route.nat_gateway_id.as_ref()) {
            let mut all = world.nat_gateways.iter().flatten();
            let nat = all.find(|nat| nat.nat_gateway_id == *id);
            subnets.extend(nat.and_then(|nat| nat.subnet_id.clone()));
        }
    }
    passed
}

/// The routes that may take a packet: those of the longest prefix, and of these static ones before
/// those of prefix lists, and these before propagated ones
/// (docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html). Of two lists with the same
/// prefix nobody knows which one wins.
pub(crate) fn winners<'w>(
    world: &World,
    table: &'w RouteTable,
    to: IpAddr,
    doubts: bool,
) -> Vec<&'w Route> {
    let mut best = (0, 0);
    let mut winners = Vec::new();
    for route in table.routes.iter().filter(|r| r.state != Some(RouteState::Filtered)) {
        let Some(rank) = rank(world, route, to, doubts) else { continue };
        if rank > best {
            best = rank;
            winners.clear();
        }
        if rank == best {
            winners.push(route);
        }
    }
    winners
}

/// How strongly a route draws a packet: the length of its prefix, and then its kind.
fn rank(world: &World, route: &Route, to: IpAddr, doubts: bool) -> Option<(u8, u8)> {
    let cidr = route.destination_cidr_block.as_ref().or(route.destination_ipv6_cidr_block.as_ref());
    if let Some(cidr) = cidr {
        let net = cidr.net().filter(|net| net.contains(&to))?;
        let propagated = matches!(
            route.origin,
            Some(RouteOrigin::EnableVgwRoutePropagation | RouteOrigin::Advertisement)
        );
        return Some((net.prefix_len() + 1, if propagated { 1 } else { 3 }));
    }
    let id = route.destination_prefix_list_id.as_ref()?;
    match blocks_of_list(world, id.as_str()) {
        Some(blocks) => {
            let longest = blocks.iter().filter(|net| net.contains(&to)).map(IpNet::prefix_len);
            Some((longest.max()? + 1, 2))
        }
        // A list that nobody read may hold the address itself; AWS's own lists hold their service's.
        None if is_endpoint_route(route) => is_public(to).then_some((25, 2)),
        None => doubts.then_some((130, 2)),
    }
}

/// Whether an address is one of the internet's.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            !(v4.is_private() || v4.is_link_local() || v4.is_loopback() || shared)
        }
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    }
}

fn is_endpoint_route(route: &Route) -> bool {
    route.gateway_id.as_deref().is_some_and(|id| id.starts_with("vpce-"))
}

pub(crate) fn blocks_of_list(world: &World, id: &str) -> Option<Vec<IpNet>> {
    let list = world.prefix_lists.iter().flatten().find(|l| l.prefix_list_id.as_str() == id)?;
    let cidrs = list.cidrs.iter().flatten();
    let entries = list.entries.iter().flatten().map(|entry| &entry.cidr);
    if list.cidrs.is_none() && list.entries.is_none() {
        return None;
    }
    cidrs.chain(entries).map(Cidr::net).collect()
}

/// Whether TCP 443 to a public address of a service, and its answers, come through.
pub(crate) fn reaches_public(met: Met<'_>, client: &Client, service: &str, to: IpAddr) -> bool {
    if let (IpAddr::V4(to), true) = (to, client.nat64) {
        return nat64::reaches_public(met, client, service, to);
    }
    let port = i32::from(client.port);
    crosses(met, &client.subnet, true, (to, HTTPS), true)
        && crosses(met, &client.subnet, false, (to, port), true)
        && leads_there(met, client, (service, to), &client.subnet, &mut Vec::new())
}

/// Whether what the subnet sends to the address gets there.
pub(crate) fn leads_there(
    met: Met<'_>,
    client: &Client,
    (service, to): (&str, IpAddr),
    from: &SubnetId,
    passed: &mut Vec<SubnetId>,
) -> bool {
    if passed.contains(from) {
        return false;
    }
    passed.push(from.clone());
    let Some(table) = table_of(met.now, from) else { return client.outside };
    let winners = winners(met.now, table, to, client.doubts);
    !winners.is_empty()
        && winners
            .into_iter()
            .all(|route| takes_there(met, client, (service, to), route, &mut passed.clone()))
}

fn takes_there(
    met: Met<'_>,
    client: &Client,
    (service, to): (&str, IpAddr),
    route: &Route,
    passed: &mut Vec<SubnetId>,
) -> bool {
    if route.state == Some(RouteState::Blackhole) {
        return false;
    }
    match route.target() {
        None | Some(RouteTarget::Local) => false,
        Some(RouteTarget::InternetGateway(_)) => is_public(to),
        Some(RouteTarget::EgressOnlyInternetGateway(_)) => to.is_ipv6(),
        Some(RouteTarget::VpcEndpoint(id)) => {
            let all = met.now.vpc_endpoints.iter().flatten();
            let endpoint = all.into_iter().find(|endpoint| endpoint.vpc_endpoint_id == id);
            // Nobody knows whether a route leads of which AWS does not say it, or where a gateway
            // endpoint's leads that is listed as another.
            let is_clear = route.state == Some(RouteState::Active)
                && endpoint.is_some_and(|it| it.vpc_endpoint_type == Some(EndpointType::Gateway));
            (is_clear || !client.doubts)
                && endpoint.is_some_and(|endpoint| passes_gateway(met, endpoint, service))
        }
        Some(RouteTarget::NatGateway(id)) => {
            let mut all = met.now.nat_gateways.iter().flatten();
            let Some(nat) = all.find(|nat| nat.nat_gateway_id == id) else { return client.outside };
            let works = nat.state == Some(NatGatewayState::Available) && to.is_ipv4();
            let private = nat.connectivity_type == Some(Connectivity::Private);
            works
                && match &nat.subnet_id {
                    Some(subnet) => leads_there(met, client, (service, to), subnet, passed),
                    None => !private || client.outside,
                }
        }
        // What is behind these is nobody's to know; who names a private address has it there.
        Some(
            RouteTarget::VirtualPrivateGateway(_)
            | RouteTarget::NetworkInterface(_)
            | RouteTarget::Instance(_)
            | RouteTarget::TransitGateway(_)
            | RouteTarget::VpcPeeringConnection(_)
            | RouteTarget::LocalGateway(_)
            | RouteTarget::CarrierGateway(_)
            | RouteTarget::CoreNetwork(_)
            | RouteTarget::OdbNetwork(_)
            | RouteTarget::NextHop(_)
            | RouteTarget::OtherGateway(_),
        ) => client.outside || !is_public(to),
    }
}

/// A gateway endpoint's route is there with the association, so one that is coming up leads too.
fn passes_gateway(met: Met<'_>, endpoint: &VpcEndpoint, service: &str) -> bool {
    let up = matches!(endpoint.state, EndpointState::Available | EndpointState::Pending);
    let its = endpoint.service_name.as_ref().is_some_and(|name| *name == *service);
    up && its && policy::of(met.policies, &endpoint.vpc_endpoint_id).is_none_or(policy::allows_all)
}

/// Whether TCP 443 to an address in the VPC, and its answers, come through, and the interface there
/// admits them by one of these groups.
pub(crate) fn reaches_interface(
    met: Met<'_>,
    client: &Client,
    from: IpAddr,
    (to, there): (IpAddr, &SubnetId),
    groups: &[&str],
) -> bool {
    // Within a subnet no table is asked. The answers go by the table of the interface's subnet.
    let gets_there = client.subnet == *there
        || (passes_within(met.now, &client.subnet, to, client.doubts)
            && passes_within(met.now, there, from, client.doubts));
    gets_there
        && through_acls(met, client, from, (to, there))
        && admitted(met.now, client, from, groups)
}

/// Whether what a subnet sends to an address of the VPC gets there; a middlebox may pass on what a more
/// specific route than the VPC's own gives it.
pub(crate) fn passes_within(world: &World, from: &SubnetId, to: IpAddr, doubts: bool) -> bool {
    let Some(table) = table_of(world, from) else { return false };
    let winners = winners(world, table, to, doubts);
    let passes = |route: &Route| {
        route.target() == Some(RouteTarget::Local)
            || (route.state != Some(RouteState::Blackhole) && !doubts)
    };
    !winners.is_empty() && winners.into_iter().all(passes)
}

/// No ACL is asked within one subnet.
fn through_acls(
    met: Met<'_>,
    client: &Client,
    from: IpAddr,
    (to, there): (IpAddr, &SubnetId),
) -> bool {
    let port = i32::from(client.port);
    let sure = !client.doubts;
    client.subnet == *there
        || (crosses(met, &client.subnet, true, (to, HTTPS), sure)
            && crosses(met, there, false, (from, HTTPS), sure)
            && crosses(met, there, true, (from, port), sure)
            && crosses(met, &client.subnet, false, (to, port), sure))
}

/// Whether the ACL of a subnet lets TCP pass, in or out, with this remote address and this
/// destination port; `unknown` where no ACL of the subnet is known.
pub(crate) fn crosses(
    met: Met<'_>,
    id: &SubnetId,
    out: bool,
    (peer, port): (IpAddr, i32),
    unknown: bool,
) -> bool {
    let Some(acl) = acl_of(met.acls, id) else { return unknown };
    let mut rules: Vec<_> = acl.entries.iter().filter(|rule| rule.egress == out).collect();
    rules.sort_by_key(|rule| rule.rule_number);
    let decides = rules.into_iter().find(|rule| {
        let block = rule.cidr_block.as_ref().or(rule.ipv6_cidr_block.as_ref());
        let net = block.and_then(Cidr::net);
        let ports = rule.port_range.map_or((None, None), |range| (range.from, range.to));
        let in_ports =
            ports.0.is_none_or(|from| from <= port) && ports.1.is_none_or(|to| port <= to);
        net.is_some_and(|net| net.contains(&peer))
            && match rule.protocol.as_str() {
                "-1" => true,
                "6" => in_ports,
                _ => false,
            }
    });
    decides.is_some_and(|rule| rule.rule_action == RuleAction::Allow)
}

fn acl_of<'w>(world: &'w World, id: &SubnetId) -> Option<&'w NetworkAcl> {
    let acls = || world.network_acls.iter().flatten();
    let listed = acls().find(|acl| acl.associations.iter().any(|bound| bound.subnet_id == *id));
    let vpc = subnet(world, id).map(|subnet| &subnet.vpc_id);
    listed.or_else(|| acls().find(|acl| acl.is_default && acl.vpc_id.as_ref() == vpc))
}

/// Whether one of these groups lets TCP 443 in from the address.
fn admitted(world: &World, client: &Client, from: IpAddr, groups: &[&str]) -> bool {
    let group =
        |id: &str| world.security_groups.iter().flatten().find(|g| g.group_id.as_str() == id);
    // A group that nobody read may admit it; one that is read and does not is no doubt.
    groups.iter().any(|id| match group(id) {
        Some(group) => group
            .ip_permissions
            .iter()
            .any(|rule| admits(world, rule, from).unwrap_or(!client.doubts)),
        None => !client.doubts,
    })
}

/// Whether a rule lets TCP 443 in from the address; `None` where not all of it can be read.
fn admits(world: &World, rule: &IpPermission, from: IpAddr) -> Option<bool> {
    let ports = match rule.ip_protocol.as_str() {
        "-1" => Some(true),
        "tcp" | "6" => rule.from_port.zip(rule.to_port).map(|(a, b)| a <= HTTPS && HTTPS <= b),
        "udp" | "icmp" | "icmpv6" | "17" | "1" | "58" => Some(false),
        _ => None,
    };
    let v4 = rule.ip_ranges.iter().map(|range| &range.cidr_ip);
    let v6 = rule.ipv6_ranges.iter().map(|range| &range.cidr_ipv6);
    let in_range = |cidr: &Cidr| cidr.net().is_some_and(|net| net.contains(&from));
    let lists = rule.prefix_list_ids.iter();
    let lists: Vec<Option<Vec<IpNet>>> =
        lists.map(|list| blocks_of_list(world, list.prefix_list_id.as_str())).collect();
    let in_list = |net: &IpNet| net.contains(&from);
    let its = v4.chain(v6).any(in_range) || lists.iter().flatten().flatten().any(in_list);
    let source = if its { Some(true) } else { lists.iter().all(Option::is_some).then_some(false) };
    match (ports, source) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (ports, source) => ports.zip(source).map(|_| true),
    }
}
