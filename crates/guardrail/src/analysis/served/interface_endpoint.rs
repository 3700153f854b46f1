//! The premises of a service that is reached through an interface endpoint.

use ipnet::IpNet;

use super::{IpVersion, Obstacle, Proof, blocks_of, has_ipv6, network_acl, policy, resolver};
use crate::analysis::View;
use crate::analysis::required_service::{Health, RequiredService, health, https_sources_of};
use crate::analysis::route::is_blackhole;
use crate::analysis::topology::SubnetUse;
use crate::baseline::ReachedBy;
use crate::ec2::change::{DnsAttribute, PrivateDns};
use crate::ec2::cidr::{Cidr, covered};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{
    Destination, EndpointState, IpAddressType, PrefixList, RouteState, Subnet, VpcEndpoint,
};
use crate::history::{Premise, Seen};

/// Adds what keeps this endpoint from serving the subnet, and what its serving rests on.
pub(super) fn prove(
    view: &View<'_>,
    required: &RequiredService<'_>,
    endpoint: &VpcEndpoint,
    placed: &SubnetUse<'_>,
    proof: &mut Proof,
) {
    let id = || endpoint.vpc_endpoint_id.clone();
    proof.endpoints.push(id());
    let state = state(endpoint);
    let is_over =
        matches!(state, Some(Obstacle::Broken { .. } | Obstacle::AwaitsAcceptance { .. }));
    proof.obstacles.extend(state);
    if is_over {
        return;
    }
    if endpoint.subnet_ids.is_empty() {
        proof.obstacles.push(Obstacle::NoInterface { endpoint: id() });
    }
    if required.reached_by == ReachedBy::PrivateName {
        name(view, required, endpoint, proof);
    }
    let versions = versions(endpoint, placed, proof);
    groups(view, endpoint, placed, &versions, proof);
    way(view, endpoint, placed, &versions, proof);
    for version in &versions {
        network_acl::to_endpoint(view, endpoint, placed, *version, proof);
    }
    policy::prove(view, required, endpoint, proof);
}

/// What the endpoint's state keeps from its clients.
pub(super) fn state(endpoint: &VpcEndpoint) -> Option<Obstacle> {
    let (id, state) = (endpoint.vpc_endpoint_id.clone(), endpoint.state.clone());
    match health(endpoint) {
        Health::Works => None,
        Health::Coming if endpoint.state == EndpointState::PendingAcceptance => {
            Some(Obstacle::AwaitsAcceptance { endpoint: id })
        }
        Health::Coming | Health::Gone => Some(Obstacle::NotAvailable { endpoint: id, state }),
        Health::Broken => Some(Obstacle::Broken { endpoint: id, state }),
    }
}

/// Whether the service's own name leads to the endpoint.
fn name(
    view: &View<'_>,
    required: &RequiredService<'_>,
    endpoint: &VpcEndpoint,
    proof: &mut Proof,
) {
    let id = || endpoint.vpc_endpoint_id.clone();
    if let Some(holder) = required.holder_beside(endpoint, view.snapshot) {
        let endpoint = holder.vpc_endpoint_id.clone();
        proof.obstacles.push(Obstacle::NameHeldByAnother { endpoint });
    } else if !endpoint.private_dns_enabled {
        proof.obstacles.push(Obstacle::PrivateDnsOff { endpoint: id() });
    } else if endpoint.is_for_inbound_resolvers() {
        proof.obstacles.push(Obstacle::InboundOnly { endpoint: id() });
    } else if has_the_option(required) && !endpoint.says_for_whom_its_name_is() {
        proof.obstacles.push(Obstacle::InboundUnclear { endpoint: id() });
    }
    proof.premises.push(name_seen(endpoint));
    vpc_dns(view, proof);
    let (obstacle, premise) = resolver::judge(view);
    proof.obstacles.extend(obstacle);
    proof.premises.extend(premise);
}

/// The endpoint's private name, as a premise that takes time to act.
pub(super) fn name_seen(endpoint: &VpcEndpoint) -> Seen {
    // No name is answered before the endpoint is available.
    let is_answered = health(endpoint) == Health::Works;
    let state =
        format!("{} {:?} {is_answered}", endpoint.private_dns_enabled, endpoint.dns_options);
    Seen::of(Premise::EndpointName(endpoint.vpc_endpoint_id.clone()), &state)
}

/// The VPC's DNS attributes, as a premise that takes time to act; `None` where they were not read.
pub(super) fn vpc_dns_seen(view: &View<'_>) -> Option<Seen> {
    let attributes = view.snapshot.attributes?;
    let both = [attributes.enable_dns_support?, attributes.enable_dns_hostnames?];
    Some(Seen::of(Premise::VpcDns, &format!("{both:?}")))
}

/// Whether private names of the service's endpoints can be for inbound Resolver endpoints only: S3's
/// can, and are by default (docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html).
fn has_the_option(required: &RequiredService<'_>) -> bool {
    match PrivateDns::on_for(&required.name) {
        PrivateDns::OnInTheVpc => true,
        PrivateDns::On | PrivateDns::Off => false,
    }
}

fn vpc_dns(view: &View<'_>, proof: &mut Proof) {
    let attributes = view.snapshot.attributes;
    let both = [
        (attributes.and_then(|a| a.enable_dns_support), DnsAttribute::Support),
        (attributes.and_then(|a| a.enable_dns_hostnames), DnsAttribute::Hostnames),
    ];
    for (on, attribute) in both {
        match on {
            Some(true) => {}
            Some(false) => proof.obstacles.push(Obstacle::VpcDnsOff { attribute }),
            None => {
                let unread = Obstacle::Unread { section: Section::VpcAttributes };
                if !proof.obstacles.contains(&unread) {
                    proof.obstacles.push(unread);
                }
            }
        }
    }
    proof.premises.extend(vpc_dns_seen(view));
}

/// The versions of IP over which the subnet's clients come and the endpoint answers. An IPv6-only subnet's come over IPv6, an
/// IPv4-only one's over IPv4; those of a subnet with both come over IPv4, and over IPv6 too where the
/// name also answers with IPv6 addresses, which clients try first.
fn versions(endpoint: &VpcEndpoint, placed: &SubnetUse<'_>, proof: &mut Proof) -> Vec<IpVersion> {
    let id = || endpoint.vpc_endpoint_id.clone();
    let (v4, v6) = addresses(endpoint);
    let answers = answers(endpoint);
    let mut needed = Vec::new();
    if !placed.subnet.ipv6_native {
        if !v4 || answers == Answers::Ipv6 {
            let version = IpVersion::V4.word();
            proof.obstacles.push(Obstacle::NoIpVersion { endpoint: id(), version });
        } else {
            needed.push(IpVersion::V4);
        }
    }
    if placed.subnet.ipv6_native {
        if !v6 || answers == Answers::Ipv4 {
            let version = IpVersion::V6.word();
            proof.obstacles.push(Obstacle::NoIpVersion { endpoint: id(), version });
        } else {
            needed.push(IpVersion::V6);
            let unclear = Obstacle::NameAnswersUnclear { endpoint: id() };
            proof.obstacles.extend((answers == Answers::LeftToTheService).then_some(unclear));
        }
    } else if has_ipv6(placed.subnet) && v6 && answers != Answers::Ipv4 {
        needed.push(IpVersion::V6);
    }
    needed
}

/// Whether the endpoint's interfaces have IPv4 addresses, and whether they have IPv6 ones.
fn addresses(endpoint: &VpcEndpoint) -> (bool, bool) {
    match &endpoint.ip_address_type {
        None | Some(IpAddressType::Ipv4) => (true, false),
        Some(IpAddressType::Ipv6) => (false, true),
        Some(IpAddressType::Dualstack) => (true, true),
        // A word of AWS's that is not known: nothing is taken for granted.
        Some(IpAddressType::Other(_)) => (false, false),
    }
}

/// The addresses that the endpoint's private name answers with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    Ipv4,
    Ipv6,
    Both,
    LeftToTheService,
}

/// By default a name answers with what the endpoint has
/// (docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html).
fn answers(endpoint: &VpcEndpoint) -> Answers {
    let said = endpoint.dns_options.as_ref().and_then(|o| o.dns_record_ip_type.as_deref());
    match (said, addresses(endpoint)) {
        (Some("ipv4"), _) | (None, (true, false)) => Answers::Ipv4,
        (Some("ipv6"), _) | (None, (false, true)) => Answers::Ipv6,
        (Some("dualstack"), _) | (None, (true, true)) => Answers::Both,
        (Some(_), (true, false)) => Answers::Ipv4,
        (Some(_), (false, true)) => Answers::Ipv6,
        (Some(_), (true, true)) | (_, (false, false)) => Answers::LeftToTheService,
    }
}

/// Whether a group admits TCP 443 from all of the subnet's blocks.
fn groups(
    view: &View<'_>,
    endpoint: &VpcEndpoint,
    placed: &SubnetUse<'_>,
    versions: &[IpVersion],
    proof: &mut Proof,
) {
    let id = || endpoint.vpc_endpoint_id.clone();
    if view.snapshot.missing.contains(&Section::SecurityGroups) {
        proof.obstacles.push(Obstacle::Unread { section: Section::SecurityGroups });
        return;
    }
    let Some(admitted) = https_sources_of(endpoint, view.snapshot) else {
        proof.obstacles.push(Obstacle::GroupsUnread { endpoint: id() });
        return;
    };
    // Where nobody says from which addresses the clients come, nobody knows whether they are admitted.
    if versions.iter().any(|version| blocks_of(placed.subnet, *version, view).is_empty()) {
        proof.obstacles.push(Obstacle::Unread { section: Section::Subnets });
    }
    let blocks = versions.iter().flat_map(|version| blocks_of(placed.subnet, *version, view));
    let shut: Vec<IpNet> = blocks.filter(|net| !covered(*net, &admitted)).collect();
    if !shut.is_empty() {
        let blocks = shut.into_iter().map(Cidr::from).collect();
        proof.obstacles.push(Obstacle::HttpsNotAdmitted { endpoint: id(), blocks });
    }
}

/// Whether the VPC's own route takes the subnet's packets to every interface in another subnet. A
/// more specific one may lead to a middlebox
/// (docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html, "Routing for a middlebox
/// appliance").
fn way(
    view: &View<'_>,
    endpoint: &VpcEndpoint,
    placed: &SubnetUse<'_>,
    versions: &[IpVersion],
    proof: &mut Proof,
) {
    let Some(table) = placed.table else { return };
    let others = endpoint.subnet_ids.iter().filter(|id| **id != placed.subnet.subnet_id);
    let subnets: Vec<&Subnet> = others.filter_map(|id| view.snapshot.subnet(id)).collect();
    let blocks: Vec<IpNet> = versions
        .iter()
        .flat_map(|version| {
            subnets
                .iter()
                .flat_map(|subnet| network_acl::interface_blocks(view, endpoint, subnet, *version))
        })
        .collect();
    let own: Vec<IpNet> = view.snapshot.vpc.cidrs().iter().filter_map(Cidr::net).collect();
    let takes = |net: IpNet| {
        own.iter().any(|block| block.contains(&net))
            && blocks.iter().any(|block| net.contains(block) || block.contains(&net))
    };
    for route in table.routes.iter().filter(|route| route.state != Some(RouteState::Filtered)) {
        let Some(target) = route.target().filter(|target| *target != RouteTarget::Local) else {
            continue;
        };
        if let Some(there) = route.destination().filter(|to| nets(view, to).into_iter().any(takes))
        {
            proof.obstacles.push(Obstacle::Diverted {
                table: table.route_table_id.clone(),
                endpoint: endpoint.vpc_endpoint_id.clone(),
                destination: there.to_string(),
                target: target.to_string(),
                blackhole: is_blackhole(route),
            });
        }
    }
}

/// The blocks of a route's destination, as far as they were read.
fn nets(view: &View<'_>, destination: &Destination) -> Vec<IpNet> {
    match destination {
        Destination::CidrBlock(cidr) | Destination::Ipv6CidrBlock(cidr) => {
            cidr.net().into_iter().collect()
        }
        Destination::PrefixList(id) => {
            let lists = view.snapshot.shared.prefix_lists.iter();
            let its = lists.filter(|list| list.prefix_list_id == *id);
            its.filter_map(PrefixList::blocks).flatten().filter_map(Cidr::net).collect()
        }
    }
}
