//! The clients of a subnet: every way in which one can differ from another to whom the same answer
//! is of use.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use guardrail::ec2::id::SubnetId;
use guardrail::ec2::world::{Subnet, World};
use ipnet::IpNet;

use crate::names::ends;
use crate::packet::blocks_of_list;
use crate::servers::kinds_of_servers;

/// One kind of client of a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) subnet: SubnetId,
    pub(crate) v4: Option<IpAddr>,
    pub(crate) v6: Option<IpAddr>,
    /// The port that it is answered on.
    pub(crate) port: u16,
    /// Whether what nobody knows is to its harm: the servers of the VPC ask others than Amazon's, a
    /// group not read does not admit it.
    pub(crate) doubts: bool,
    /// Whether the networks behind transit gateways, VPNs and the like lead on to the internet.
    pub(crate) outside: bool,
    /// Which of the DNS servers that the VPC's DHCP options name it asks, of so many as there are.
    pub(crate) server: usize,
    /// Whether it takes the IPv6 address that DNS64 makes of an IPv4 one.
    pub(crate) nat64: bool,
}

/// The clients of a subnet in a world.
pub(crate) fn clients(world: &World, subnet: &Subnet) -> Vec<Client> {
    let nets: Vec<IpNet> =
        subnet.cidrs().iter().filter_map(|cidr| cidr.as_str().parse().ok()).collect();
    let edges = edges(world);
    let of = |v6: bool| -> Vec<Option<IpAddr>> {
        let own = nets.iter().filter(|net| matches!(net, IpNet::V6(_)) == v6);
        let mut all: Vec<IpAddr> = Vec::new();
        for net in own {
            all.extend(ends(*net));
            all.extend(edges.iter().filter(|edge| net.contains(*edge)));
        }
        all.sort_unstable();
        all.dedup();
        if all.is_empty() { vec![None] } else { all.into_iter().map(Some).collect() }
    };
    let (v4, v6) = (of(false), of(true));
    let servers = kinds_of_servers(world, &subnet.vpc_id);
    let mut clients = Vec::new();
    for at in 0..v4.len().max(v6.len()) {
        for port in ports(world, subnet) {
            for (doubts, outside) in [(false, false), (false, true), (true, false), (true, true)] {
                let its = (v4[at % v4.len()], v6[at % v6.len()]);
                for nat64 in takes_nat64(subnet, its, doubts) {
                    clients.extend((0..servers).map(|server| Client {
                        subnet: subnet.subnet_id.clone(),
                        v4: its.0,
                        v6: its.1,
                        port,
                        doubts,
                        outside,
                        server,
                        nat64: *nat64,
                    }));
                }
            }
        }
    }
    clients
}

/// Whether clients with these addresses take what DNS64 makes: those with IPv6 alone do where it is
/// on, of those with both some do. Where nothing is said it may be on.
fn takes_nat64(
    subnet: &Subnet,
    (v4, v6): (Option<IpAddr>, Option<IpAddr>),
    doubts: bool,
) -> &'static [bool] {
    match (v6, subnet.enable_dns64) {
        (None, _) | (_, Some(false)) => &[false],
        (Some(_), None) if !doubts => &[false],
        (Some(_), _) if v4.is_none() => &[true],
        (Some(_), _) => &[false, true],
    }
}

/// The ports that rules tell apart, of those that clients are answered on: Linux and Windows take
/// 32768 and more, Lambda functions and NAT gateways 1024 and more
/// (docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html).
fn ports(world: &World, subnet: &Subnet) -> Vec<u16> {
    let id = Some(&subnet.subnet_id);
    let lambda = |kind: &Option<String>| kind.as_deref() == Some("lambda");
    let mut interfaces = world.network_interfaces.iter().flatten();
    let wide = interfaces.any(|eni| eni.subnet_id.as_ref() == id && lambda(&eni.interface_type))
        || world.nat_gateways.iter().flatten().any(|nat| nat.subnet_id.as_ref() == id);
    let least = if wide { 1024 } else { 32768 };
    let rules = world.network_acls.iter().flatten().flat_map(|acl| &acl.entries);
    let mut ports: Vec<i32> = vec![least, 65535];
    for range in rules.filter_map(|rule| rule.port_range) {
        ports.extend(range.from.into_iter().flat_map(|port| [port - 1, port]));
        ports.extend(range.to.into_iter().flat_map(|port| [port, port + 1]));
    }
    ports.retain(|port| (least..=65535).contains(port));
    ports.sort_unstable();
    ports.dedup();
    if rules_have_no_ports(world) {
        ports.truncate(1);
    }
    ports.into_iter().filter_map(|port| u16::try_from(port).ok()).collect()
}

fn rules_have_no_ports(world: &World) -> bool {
    world
        .network_acls
        .iter()
        .flatten()
        .flat_map(|acl| &acl.entries)
        .all(|rule| rule.port_range.is_none())
}

/// Addresses on both sides of every block that a rule, a group or a route names.
fn edges(world: &World) -> Vec<IpAddr> {
    let rules = world.network_acls.iter().flatten().flat_map(|acl| &acl.entries);
    let of_rules = rules.filter_map(|r| r.cidr_block.as_ref().or(r.ipv6_cidr_block.as_ref()));
    let groups = world.security_groups.iter().flatten().flat_map(|group| &group.ip_permissions);
    let of_groups = groups.flat_map(|permission| &permission.ip_ranges).map(|range| &range.cidr_ip);
    let routes = world.route_tables.iter().flatten().flat_map(|table| &table.routes);
    let of_routes = routes.filter_map(|r| {
        r.destination_cidr_block.as_ref().or(r.destination_ipv6_cidr_block.as_ref())
    });
    let cidrs = of_rules.chain(of_groups).chain(of_routes);
    let mut nets: Vec<IpNet> = cidrs.filter_map(|cidr| cidr.net()).collect();
    let lists = world.prefix_lists.iter().flatten();
    nets.extend(
        lists.filter_map(|list| blocks_of_list(world, list.prefix_list_id.as_str())).flatten(),
    );
    let mut edges: Vec<IpAddr> = nets.into_iter().flat_map(around).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// The first and last address of a block, and their neighbours outside.
fn around(net: IpNet) -> Vec<IpAddr> {
    match net {
        IpNet::V4(net) => {
            let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
            let all = [first.checked_sub(1), Some(first), Some(last), last.checked_add(1)];
            all.into_iter().flatten().map(|bits| IpAddr::V4(Ipv4Addr::from(bits))).collect()
        }
        IpNet::V6(net) => {
            let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
            let all = [first.checked_sub(1), Some(first), Some(last), last.checked_add(1)];
            all.into_iter().flatten().map(|bits| IpAddr::V6(Ipv6Addr::from(bits))).collect()
        }
    }
}

/// Addresses at which a service answers the world: some of its list's where it has one, on both sides
/// of everything that routes and rules tell apart there.
pub(crate) fn public_addresses(world: &World, service: &str) -> Vec<IpAddr> {
    let mut lists = world.prefix_lists.iter().flatten();
    let listed = lists
        .find(|list| list.prefix_list_name == service)
        .and_then(|list| blocks_of_list(world, list.prefix_list_id.as_str()));
    let known: Vec<IpNet> = match (listed, service.ends_with(".s3"), service.ends_with(".dynamodb"))
    {
        (Some(blocks), _, _) => blocks,
        (None, true, _) => vec!["52.219.0.0/16".parse().unwrap()],
        (None, _, true) => vec!["52.119.0.0/16".parse().unwrap()],
        (None, false, false) => {
            let text = ["3.120.0.9", "150.222.3.9", "2a05:d018::9"];
            return text.map(|text| text.parse().unwrap()).to_vec();
        }
    };
    let edges = edges(world);
    let mut all: Vec<IpAddr> = Vec::new();
    for net in known {
        all.extend(ends(net));
        all.extend(edges.iter().filter(|edge| net.contains(*edge)));
    }
    all.sort_unstable();
    all.dedup();
    all
}
