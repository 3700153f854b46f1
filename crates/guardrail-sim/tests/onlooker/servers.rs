//! Who answers a client's queries: Amazon's resolver, others, or nobody.
//!
//! A client asks the servers that its VPC's DHCP options name. Those that are not Amazon's are hosts
//! like others: packets have to get there, and back, and what they ask in their turn too.

use std::net::IpAddr;

use guardrail::ec2::id::{SubnetId, VpcId};
use guardrail::ec2::world::{Subnet, World};

use crate::client::Client;
use crate::packet::{Met, leads_there, passes_within};

/// A root server of the internet's DNS, where whoever asks nobody else begins
/// (www.iana.org/domains/root/servers).
const ROOT: [&str; 2] = ["198.41.0.4", "2001:503:ba3e::2:30"];
/// Where a server may be of which nobody knows where it is.
const SOMEWHERE: &str = "9.9.9.9";
const AMAZONS: &str = "AmazonProvidedDNS";

/// Who answers a client's queries in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The VPC's own resolver, which knows the private names.
    Amazons,
    /// Somebody who knows what the world knows.
    Others,
    /// Nobody: the client resolves no name.
    Nobody,
}

/// The servers that the VPC's DHCP options name; none where Amazon's resolver answers, `None` where
/// nobody read them.
fn servers(world: &World, vpc: &VpcId) -> Option<Vec<String>> {
    let vpc = world.vpcs.iter().flatten().find(|it| it.vpc_id == *vpc);
    let Some(id) = vpc.and_then(|vpc| vpc.dhcp_options_id.as_ref()) else {
        return Some(Vec::new());
    };
    if id.as_str() == "default" {
        return Some(Vec::new());
    }
    let set = world.dhcp_options.iter().flatten().find(|set| set.dhcp_options_id == *id)?;
    let named = set.dhcp_configurations.iter().filter(|c| c.key == "domain-name-servers");
    let values = named.flat_map(|c| &c.values).flat_map(|value| value.value.split(','));
    let values: Vec<String> = values.map(|server| server.trim().to_owned()).collect();
    Some(if values.iter().all(|server| is_amazons(server)) { Vec::new() } else { values })
}

fn is_amazons(server: &str) -> bool {
    [AMAZONS, "169.254.169.253", "fd00:ec2::253", "10.0.0.2"].contains(&server)
}

/// How many servers clients differ by.
pub(crate) fn kinds_of_servers(world: &World, vpc: &VpcId) -> usize {
    servers(world, vpc).map_or(1, |all| all.len().max(1))
}

/// Who answers the client, which asks what the DHCP options of `named` say. It may hold old options;
/// what is on the way to a server acts at once.
pub(crate) fn asked(
    now: &World,
    named: &World,
    client: &Client,
    vpc: &VpcId,
    forwards: bool,
) -> Asked {
    let surely_amazons = forwards || !client.doubts;
    let to_the_end = if surely_amazons { Asked::Amazons } else { Asked::Others };
    // Servers that nobody read may be any.
    let unread = || vec![if client.doubts { SOMEWHERE } else { AMAZONS }.to_owned()];
    let servers = servers(named, vpc).unwrap_or_else(unread);
    if servers.is_empty() {
        return Asked::Amazons;
    }
    let server = &servers[client.server % servers.len()];
    if is_amazons(server) {
        return Asked::Amazons;
    }
    let to: IpAddr = server.parse().unwrap_or_else(|_| SOMEWHERE.parse().unwrap());
    let there = subnet_of(now, vpc, to);
    if !gets_to(now, client, vpc, (to, there)) {
        return Asked::Nobody;
    }
    // Whom a server outside of the VPC asks is its own affair.
    let Some(there) = there.filter(|_| !surely_amazons) else { return to_the_end };
    let met = Met { now, acls: now, policies: now };
    let root = ROOT[usize::from(to.is_ipv6())].parse().unwrap();
    match leads_there(met, client, ("", root), &there.subnet_id, &mut Vec::new()) {
        true => Asked::Others,
        false => Asked::Nobody,
    }
}

fn subnet_of<'w>(world: &'w World, vpc: &VpcId, at: IpAddr) -> Option<&'w Subnet> {
    let holds = |subnet: &&Subnet| {
        subnet.vpc_id == *vpc
            && subnet.cidrs().iter().filter_map(|cidr| cidr.net()).any(|net| net.contains(&at))
    };
    world.subnets.iter().flatten().find(holds)
}

/// Whether what the client asks gets to the server, and the answer back where it is in the VPC.
fn gets_to(now: &World, client: &Client, vpc: &VpcId, to: (IpAddr, Option<&Subnet>)) -> bool {
    let (to, there) = to;
    let on_the_link = match to {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    };
    let from = if to.is_ipv4() { client.v4 } else { client.v6 };
    // Who has no address of the server's version asks another one.
    let Some(from) = from else { return !client.doubts };
    if on_the_link {
        return true;
    }
    if let Some(there) = there {
        return within(now, client, from, (to, &there.subnet_id));
    }
    let vpcs = now.vpcs.iter().flatten().filter(|it| it.vpc_id == *vpc);
    let mut blocks = vpcs.flat_map(|vpc| vpc.cidrs()).filter_map(|cidr| cidr.net());
    let met = Met { now, acls: now, policies: now };
    // Nobody has an address of the VPC's that is in none of its subnets.
    !blocks.any(|net| net.contains(&to))
        && leads_there(met, client, ("", to), &client.subnet, &mut Vec::new())
}

/// Whether packets between a client and an address of the VPC come through, both ways.
fn within(now: &World, client: &Client, from: IpAddr, (to, there): (IpAddr, &SubnetId)) -> bool {
    client.subnet == *there
        || (passes_within(now, &client.subnet, to, client.doubts)
            && passes_within(now, there, from, client.doubts))
}
