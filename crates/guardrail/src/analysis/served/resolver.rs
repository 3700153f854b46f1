//! Who answers a VPC's DNS queries: private names lead to endpoints only where Amazon's resolver
//! does (docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html).

use std::net::IpAddr;

use ipnet::IpNet;

use super::Obstacle;
use crate::analysis::View;
use crate::baseline::Resolver;
use crate::ec2::cidr::Cidr;
use crate::ec2::snapshot::Section;
use crate::history::{Premise, Seen};

/// What keeps private names from being answered, and the premise that it rests on.
pub(super) fn judge(view: &View<'_>) -> (Option<Obstacle>, Option<Seen>) {
    let snapshot = view.snapshot;
    let forwards = match view.baseline.resolver_of(snapshot.vpc) {
        Some(Resolver::ForwardsToAmazon) => true,
        None => false,
    };
    // `default`, or nothing said: no set is associated, and Amazon's resolver answers
    // (docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html).
    let Some(id) = snapshot.vpc.dhcp_options_id.as_ref().filter(|id| id.as_str() != "default")
    else {
        return (None, Some(Seen::of(Premise::DhcpOptions, "default")));
    };
    if snapshot.missing.contains(&Section::DhcpOptions) {
        let unread = Obstacle::Unread { section: Section::DhcpOptions };
        return ((!forwards).then_some(unread), None);
    }
    let Some(set) = snapshot.shared.dhcp_options.iter().find(|set| set.dhcp_options_id == *id)
    else {
        let unread = Obstacle::Unread { section: Section::DhcpOptions };
        return ((!forwards).then_some(unread), None);
    };
    let servers = set.domain_name_servers();
    let seen = Seen::of(Premise::DhcpOptions, &format!("{id} {}", servers.join(",")));
    let others = servers.iter().any(|server| !is_amazons(server, view));
    let other =
        Obstacle::OtherResolver { servers: servers.iter().map(|s| (*s).to_owned()).collect() };
    ((others && !forwards).then_some(other), Some(seen))
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
