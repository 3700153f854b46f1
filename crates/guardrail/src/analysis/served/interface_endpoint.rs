//! The premises of a service that is reached through an interface endpoint.

use ipnet::IpNet;

use super::{IpVersion, Obstacle, Proof, answers, blocks_of, network_acl, policy, resolver, way};
use crate::analysis::View;
use crate::analysis::required_service::{
    Health, RequiredService, health, https_sources_of, unclear_group_of,
};
use crate::analysis::topology::SubnetUse;
use crate::baseline::ReachedBy;
use crate::ec2::change::{DnsAttribute, PrivateDns};
use crate::ec2::cidr::{Cidr, covered};
use crate::ec2::snapshot::Section;
use crate::ec2::world::{EndpointState, VpcEndpoint};
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
    let versions = answers::versions(endpoint, placed, proof);
    groups(view, endpoint, placed, &versions, proof);
    way::prove(view, endpoint, placed, &versions, proof);
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
    proof.obstacles.extend(resolver::judge(view));
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
    if shut.is_empty() {
        return;
    }
    if let Some(group) = unclear_group_of(endpoint, view.snapshot) {
        let group = group.group_id.clone();
        proof.note(Obstacle::GroupRuleUnclear { endpoint: id(), group });
    } else {
        let blocks = shut.into_iter().map(Cidr::from).collect();
        proof.obstacles.push(Obstacle::HttpsNotAdmitted { endpoint: id(), blocks });
    }
}
