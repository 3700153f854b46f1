//! What a service's usual name answers inside a VPC.

use std::collections::BTreeSet;
use std::net::IpAddr;

use guardrail::ec2::id::{EndpointId, SubnetId, VpcId};
use guardrail::ec2::world::{EndpointState, EndpointType, VpcEndpoint, World};
use ipnet::IpNet;

use crate::client::Client;
use crate::packet::subnet;
use crate::servers::Asked;

/// What a name answers to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing: nobody is there to answer.
    Nothing,
    /// The service's public addresses.
    Public,
    /// Addresses of an endpoint's interfaces; with none of the client's version of IP, the client has
    /// nowhere to go.
    Private(Vec<(IpAddr, SubnetId, EndpointId)>),
}

/// The endpoints whose names are answered: those that are available, and those that were and have
/// become pending by a change.
pub(crate) fn live(world: &World, before: &BTreeSet<EndpointId>) -> BTreeSet<EndpointId> {
    let endpoints = world.vpc_endpoints.iter().flatten();
    let alive = endpoints.filter(|endpoint| match endpoint.state {
        EndpointState::Available => true,
        EndpointState::Pending => before.contains(&endpoint.vpc_endpoint_id),
        EndpointState::PendingAcceptance
        | EndpointState::Deleting
        | EndpointState::Deleted
        | EndpointState::Rejected
        | EndpointState::Failed
        | EndpointState::Expired
        | EndpointState::Partial
        | EndpointState::Other(_) => false,
    });
    alive.map(|endpoint| endpoint.vpc_endpoint_id.clone()).collect()
}

/// What the name answers to this client in a world with these live endpoints, asked of whom the
/// client's queries come to.
pub(crate) fn answer(
    (world, live): (&World, &BTreeSet<EndpointId>),
    asked: Asked,
    client: &Client,
    vpc: &VpcId,
    service: &str,
) -> Answer {
    match asked {
        Asked::Nobody => return Answer::Nothing,
        Asked::Others => return Answer::Public,
        Asked::Amazons if !names_live(world, client, vpc) => return Answer::Public,
        Asked::Amazons => {}
    }
    let holders: Vec<&VpcEndpoint> = world
        .vpc_endpoints
        .iter()
        .flatten()
        .filter(|endpoint| {
            let options = endpoint.dns_options.as_ref();
            // S3's is for inbound Resolver endpoints only by default; whether it is where nothing is
            // said, nobody knows.
            let by_default = service.ends_with(".s3") && client.doubts;
            let inbound = options.and_then(|o| o.private_dns_only_for_inbound_resolver_endpoint);
            endpoint.vpc_id == *vpc
                && live.contains(&endpoint.vpc_endpoint_id)
                && endpoint.vpc_endpoint_type == Some(EndpointType::Interface)
                && endpoint.service_name.as_ref().is_some_and(|name| *name == *service)
                && endpoint.private_dns_enabled
                && !inbound.unwrap_or(by_default)
        })
        .collect();
    if holders.is_empty() {
        return Answer::Public;
    }
    Answer::Private(
        holders.into_iter().flat_map(|holder| addresses(world, client, holder)).collect(),
    )
}

/// Private names need both DNS attributes.
fn names_live(world: &World, client: &Client, vpc: &VpcId) -> bool {
    let attributes = world.vpc_attributes.as_ref().and_then(|all| all.get(vpc));
    let on = |it: Option<bool>| it.unwrap_or(!client.doubts);
    on(attributes.and_then(|a| a.enable_dns_support))
        && on(attributes.and_then(|a| a.enable_dns_hostnames))
}

/// The versions of IP that the endpoint's name answers with: what its interfaces have, unless its
/// options say otherwise.
fn versions(client: &Client, endpoint: &VpcEndpoint) -> (bool, bool) {
    let has = match endpoint.ip_address_type.as_ref().map(|kind| kind.as_str()) {
        None | Some("ipv4") => (true, false),
        Some("ipv6") => (false, true),
        Some("dualstack") => (true, true),
        // Nobody knows what it has.
        Some(_) => (!client.doubts, !client.doubts),
    };
    let options = endpoint.dns_options.as_ref();
    match options.and_then(|options| options.dns_record_ip_type.as_deref()) {
        Some("ipv4") => (has.0, false),
        Some("ipv6") => (false, has.1),
        // Which records it then has is the service's own affair.
        Some("service-defined") if has == (true, true) => (true, !client.doubts),
        Some(_) | None => has,
    }
}

/// The addresses that the client would take: all of its version of IP; of both where it has both,
/// because it tries IPv6 first. DNS64 makes IPv6 addresses where there are none.
fn addresses(
    world: &World,
    client: &Client,
    endpoint: &VpcEndpoint,
) -> Vec<(IpAddr, SubnetId, EndpointId)> {
    let (v4, v6) = versions(client, endpoint);
    let listed = world.network_interfaces.iter().flatten();
    let mut found: Vec<(IpAddr, SubnetId)> = listed
        .filter(|eni| endpoint.network_interface_ids.contains(&eni.network_interface_id))
        .filter_map(|eni| {
            Some((eni.private_ip_address.as_deref()?.parse().ok()?, eni.subnet_id.clone()?))
        })
        .collect();
    for id in &endpoint.subnet_ids {
        // An interface whose address nobody knows may have any of the subnet's.
        let known = |found: &[(IpAddr, SubnetId)], v6: bool| {
            found.iter().any(|(address, there)| there == id && address.is_ipv6() == v6)
        };
        let Some(subnet) = subnet(world, id) else { continue };
        for cidr in subnet.cidrs() {
            let Some(net) = cidr.net() else { continue };
            if !known(&found, matches!(net, IpNet::V6(_))) {
                found.extend(ends(net).into_iter().map(|address| (address, id.clone())));
            }
        }
    }
    let comes_over_v6 = v6 && client.v6.is_some();
    found.retain(|(address, _)| match address {
        IpAddr::V4(_) if client.nat64 => v4 && !comes_over_v6,
        IpAddr::V4(_) => v4 && client.v4.is_some(),
        IpAddr::V6(_) => comes_over_v6,
    });
    let id = &endpoint.vpc_endpoint_id;
    found.into_iter().map(|(address, there)| (address, there, id.clone())).collect()
}

/// The first and the last address of a block that something can have.
pub(crate) fn ends(net: IpNet) -> Vec<IpAddr> {
    match net {
        IpNet::V4(net) => {
            let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
            [first + 4, last - 1].map(|bits| IpAddr::V4(bits.into())).to_vec()
        }
        IpNet::V6(net) => {
            let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
            [first + 4, last - 1].map(|bits| IpAddr::V6(bits.into())).to_vec()
        }
    }
}
