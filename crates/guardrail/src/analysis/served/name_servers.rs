//! Whether a subnet's clients reach the DNS servers that the VPC's DHCP options name, where those are
//! not Amazon's: who resolves no name reaches no service, through whatever endpoint.
//!
//! Amazon's resolver is reached without a route
//! (docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html).

use std::net::IpAddr;

use ipnet::IpNet;

use super::interface_endpoint::vpc_dns_seen;
use super::resolver::{Servers, servers_of};
use super::{Obstacle, Proof, way};
use crate::analysis::View;
use crate::analysis::route::{RouteClass, classify, is_blackhole};
use crate::analysis::topology::SubnetUse;
use crate::baseline::Resolver;
use crate::ec2::change::DnsAttribute;
use crate::ec2::cidr::{Cidr, covers_public};
use crate::ec2::id::SubnetId;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{Destination, Route, RouteState, RouteTable};

/// Adds that nobody answers the subnet's clients: the VPC's Amazon resolver, where it is asked, is off,
/// or the table leads to no other server; or that it cannot be told which servers its clients ask.
pub(super) fn prove(view: &View<'_>, placed: &SubnetUse<'_>, proof: &mut Proof) {
    let servers = match servers_of(view) {
        Servers::Amazons => return amazons(view, proof),
        Servers::Unread => return proof.note(Obstacle::Unread { section: Section::DhcpOptions }),
        Servers::Named(servers) => servers,
    };
    let Some(table) = placed.table else { return };
    let has_none = !servers.is_empty()
        && servers.iter().all(|server| {
            !server.is_amazons && server.address().is_some_and(|at| !may_reach(view, table, at))
        });
    if has_none {
        let servers = servers.iter().map(|server| server.text.clone()).collect();
        let table = table.route_table_id.clone();
        proof.note(Obstacle::NoServerReached { table, servers });
    }
}

/// Adds that the VPC's Amazon resolver answers nobody, or that it may not: "If this attribute is false,
/// the Amazon Route 53 Resolver server [...] is not enabled"
/// (docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html). Who gets an answer there asks
/// servers of its own, and by which way nobody knows.
fn amazons(view: &View<'_>, proof: &mut Proof) {
    match view.snapshot.attributes.and_then(|attributes| attributes.enable_dns_support) {
        Some(true) => {}
        Some(false) => proof.note(Obstacle::VpcDnsOff { attribute: DnsAttribute::Support }),
        None => proof.note(Obstacle::Unread { section: Section::VpcAttributes }),
    }
    let seen = vpc_dns_seen(view).filter(|seen| !proof.premises.contains(seen));
    proof.premises.extend(seen);
}

/// What a subnet's clients lose of their DNS servers when a route of its table goes: a server that
/// nothing else leads to, or what a server behind the route asks in its turn. Clients ask the servers
/// in order, so that each that is lost costs time-outs.
pub fn lost_servers(
    now: &View<'_>,
    after: &View<'_>,
    placed: &SubnetUse<'_>,
    (going, of): (&Destination, &[SubnetId]),
) -> Vec<Obstacle> {
    let Servers::Named(servers) = servers_of(now) else { return Vec::new() };
    let table_in = |view: &View<'_>| {
        let mut all = view.topology.subnets.iter();
        all.find(|it| it.subnet.subnet_id == placed.subnet.subnet_id)
            .and_then(|it| it.table.cloned())
    };
    let (Some(before), Some(later)) = (table_in(now), table_in(after)) else { return Vec::new() };
    let table = || before.route_table_id.clone();
    let mut lost = Vec::new();
    for server in servers.iter().filter(|server| !server.is_amazons) {
        let text = || server.text.clone();
        let Some(address) = server.address() else {
            lost.push(Obstacle::ServerLost { table: table(), server: text() });
            continue;
        };
        if carries(now, &before, going, address) && !reaches(after, &later, address) {
            lost.push(Obstacle::ServerLost { table: table(), server: text() });
        } else if !forwards_to_amazon(now) && may_be_in(now, of, address) {
            lost.push(Obstacle::ServerAsksOthers { table: table(), server: text() });
        }
    }
    lost
}

/// The DNS servers of the VPC's DHCP options that are in one of these subnets, or may be, and may ask
/// others by its table: whoever asks them, in whatever subnet, would be without names.
pub fn servers_among(view: &View<'_>, subnets: &[SubnetId]) -> Vec<String> {
    let Servers::Named(servers) = servers_of(view) else { return Vec::new() };
    if forwards_to_amazon(view) {
        return Vec::new();
    }
    let others = servers.iter().filter(|server| !server.is_amazons);
    let among =
        others.filter(|server| server.address().is_some_and(|at| may_be_in(view, subnets, at)));
    among.map(|server| server.text.clone()).collect()
}

fn forwards_to_amazon(view: &View<'_>) -> bool {
    match view.baseline.resolver_of(view.snapshot.vpc) {
        Some(Resolver::ForwardsToAmazon) => true,
        None => false,
    }
}

/// Whether an address of the VPC is in one of these subnets, or may be.
fn may_be_in(view: &View<'_>, subnets: &[SubnetId], address: IpAddr) -> bool {
    let within = |cidrs: &[Cidr]| -> Option<bool> {
        let nets: Option<Vec<IpNet>> = cidrs.iter().map(Cidr::net).collect();
        nets.filter(|nets| !nets.is_empty())
            .map(|nets| nets.iter().any(|net| net.contains(&address)))
    };
    let is_of_vpc = within(&view.snapshot.vpc.cidrs()).unwrap_or(true);
    let its = view.snapshot.subnets.iter().filter(|it| subnets.contains(&it.subnet_id));
    is_of_vpc && its.into_iter().any(|subnet| within(&subnet.cidrs()).unwrap_or(true))
}

/// Whether this route of the table carries what is for the address, or may.
fn carries(view: &View<'_>, table: &RouteTable, going: &Destination, to: IpAddr) -> bool {
    let is_it = |route: &&Route| route.goes_to(going) && !is_blackhole(route);
    let unread = |route: &&Route| way::nets(view, route).is_none();
    way::taken(view, table, to).iter().any(is_it)
        || way::live_routes(table).filter(unread).any(|route| is_it(&route))
}

/// Whether something of the table leads to the address, as far as can be told.
fn reaches(view: &View<'_>, table: &RouteTable, to: IpAddr) -> bool {
    let taken = way::taken(view, table, to);
    let leads = |route: &&Route| {
        route.state == Some(RouteState::Active) && leads_to(view, table, route, to) == Some(true)
    };
    is_on_the_link(to) || (!taken.is_empty() && taken.iter().all(leads))
}

/// Whether something of the table may lead to the address.
fn may_reach(view: &View<'_>, table: &RouteTable, to: IpAddr) -> bool {
    let leads =
        |route: &&Route| !is_blackhole(route) && leads_to(view, table, route, to) != Some(false);
    let unread = |route: &&Route| way::nets(view, route).is_none() && !is_blackhole(route);
    is_on_the_link(to)
        || way::taken(view, table, to).iter().any(leads)
        || way::live_routes(table).any(|route| unread(&route))
}

/// Whether an address is the client's own or on its link, so that no route leads to it.
fn is_on_the_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

/// Whether the route's target passes on what is for the address; `None` where it cannot be told. A
/// public address is not behind what keeps to the inside.
fn leads_to(view: &View<'_>, table: &RouteTable, route: &Route, to: IpAddr) -> Option<bool> {
    match classify(route, table, view.snapshot, &view.topology) {
        RouteClass::Local | RouteClass::Internet(_) | RouteClass::MayLeadOut(_) => Some(true),
        RouteClass::Inside(_) => Some(!covers_public(to.into(), &view.topology.own)),
        RouteClass::Endpoint(_) => Some(false),
        RouteClass::Unknown(_) => None,
    }
}
