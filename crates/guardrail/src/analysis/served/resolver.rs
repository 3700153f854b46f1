//! Who answers a VPC's DNS queries: private names lead to endpoints only where Amazon's resolver
//! does (docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html).

use std::net::IpAddr;

use ipnet::IpNet;

use super::Obstacle;
use crate::analysis::View;
use crate::baseline::Resolver;
use crate::ec2::cidr::Cidr;
use crate::ec2::snapshot::Section;
use crate::ec2::world::DhcpOptions;
use crate::history::{Premise, Seen};

/// Who answers a VPC's DNS queries, by its DHCP options.
pub(super) enum Servers {
    /// Amazon's resolver answers.
    Amazons,
    /// These servers do, in this order.
    Named(Vec<Server>),
    /// The options were not read, or not whole.
    Unread,
}

/// A DNS server that DHCP options name.
pub(super) struct Server {
    /// The server as the options write it.
    pub(super) text: String,
    /// Whether it is Amazon's resolver.
    pub(super) is_amazons: bool,
}

impl Server {
    /// The server's address; `None` where it is written as none.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.text.parse().ok()
    }
}

/// The servers that the VPC's DHCP options name. `default`, or nothing said: no set is associated,
/// and Amazon's resolver answers, as it does where a set names no server
/// (docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html). No set is without any
/// option.
pub(super) fn servers_of(view: &View<'_>) -> Servers {
    let snapshot = view.snapshot;
    let Some(id) = snapshot.vpc.dhcp_options_id.as_ref().filter(|id| id.as_str() != "default")
    else {
        return Servers::Amazons;
    };
    let read = !snapshot.missing.contains(&Section::DhcpOptions);
    let mut sets = snapshot.shared.dhcp_options.iter().filter(|_| read);
    let set = sets.find(|set| set.dhcp_options_id == *id);
    let Some(servers) = set.and_then(DhcpOptions::domain_name_servers) else {
        return Servers::Unread;
    };
    let server = |text: &str| Server { text: text.to_owned(), is_amazons: is_amazons(text, view) };
    let servers: Vec<Server> = servers.into_iter().map(server).collect();
    match servers.iter().all(|server| server.is_amazons) {
        true => Servers::Amazons,
        false => Servers::Named(servers),
    }
}

/// What keeps private names from being answered.
pub(super) fn judge(view: &View<'_>) -> Option<Obstacle> {
    let forwards = match view.baseline.resolver_of(view.snapshot.vpc) {
        Some(Resolver::ForwardsToAmazon) => true,
        None => false,
    };
    match servers_of(view) {
        Servers::Amazons => None,
        Servers::Unread => Some(Obstacle::Unread { section: Section::DhcpOptions }),
        Servers::Named(_) if forwards => None,
        Servers::Named(servers) => Some(Obstacle::OtherResolver {
            servers: servers.into_iter().map(|server| server.text).collect(),
        }),
    }
}

/// The VPC's DHCP options, as a premise that takes time to act; `None` where they were not read. Until
/// they act clients ask the servers that the former set names.
pub(super) fn seen(view: &View<'_>) -> Option<Seen> {
    let id = view.snapshot.vpc.dhcp_options_id.as_ref().filter(|id| id.as_str() != "default");
    let Some(id) = id else { return Some(Seen::of(Premise::DhcpOptions, "default")) };
    if view.snapshot.missing.contains(&Section::DhcpOptions) {
        return None;
    }
    let mut sets = view.snapshot.shared.dhcp_options.iter();
    let servers = sets.find(|set| set.dhcp_options_id == *id)?.domain_name_servers()?;
    Some(Seen::of(Premise::DhcpOptions, &format!("{id} {}", servers.join(","))))
}

/// Whether a server that DHCP options name is Amazon's: by name, under its link-local addresses, or
/// at the third address of the VPC's primary block
/// (docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html).
fn is_amazons(server: &str, view: &View<'_>) -> bool {
    if server.eq_ignore_ascii_case("AmazonProvidedDNS") {
        return true;
    }
    let Ok(address) = server.parse::<IpAddr>() else { return false };
    let fixed = ["169.254.169.253", "fd00:ec2::253"];
    let of_vpc = || match view.snapshot.vpc.cidr_block.as_ref().and_then(Cidr::net)? {
        IpNet::V4(net) => u32::from(net.network()).checked_add(2).map(|at| IpAddr::V4(at.into())),
        IpNet::V6(_) => None,
    };
    fixed.iter().any(|fixed| fixed.parse() == Ok(address)) || of_vpc() == Some(address)
}
