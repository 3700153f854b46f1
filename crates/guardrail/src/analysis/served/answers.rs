//! Over which versions of IP a subnet's clients come to an endpoint: by the addresses that its name
//! answers with, and by the subnet's own.

use super::{IpVersion, Obstacle, Proof, has_ipv6};
use crate::analysis::topology::SubnetUse;
use crate::ec2::world::{EndpointType, IpAddressType, Subnet, VpcEndpoint};

/// The addresses that the name of an endpoint's service answers with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    Ipv4,
    Ipv6,
    Both,
    LeftToTheService,
    OfNoKnownKind,
}

/// The versions of IP that are to be looked at. An IPv6-only subnet's clients come over IPv6, an
/// IPv4-only one's over IPv4; those of a subnet with both come over IPv4, and over IPv6 too where the
/// name also answers with IPv6 addresses, which clients try first.
pub(super) fn versions(
    endpoint: &VpcEndpoint,
    placed: &SubnetUse<'_>,
    proof: &mut Proof,
) -> Vec<IpVersion> {
    let id = || endpoint.vpc_endpoint_id.clone();
    let answers = answers(endpoint);
    if answers == Answers::OfNoKnownKind {
        proof.note(Obstacle::NameAnswersUnclear { endpoint: id() });
    }
    let Some((v4, v6)) = addresses(endpoint, proof) else { return Vec::new() };
    let none_over =
        |version: IpVersion| Obstacle::NoIpVersion { endpoint: id(), version: version.word() };
    let subnet = placed.subnet;
    let mut needed = Vec::new();
    if subnet.ipv6_native {
        if !v6 || answers == Answers::Ipv4 {
            proof.note(none_over(IpVersion::V6));
        } else {
            needed.push(IpVersion::V6);
            // A gateway service's clients that have IPv6 alone name what answers over it.
            if answers == Answers::LeftToTheService && endpoint.kind() != EndpointType::Gateway {
                proof.note(Obstacle::NameAnswersUnclear { endpoint: id() });
            }
        }
    } else {
        if !v4 || answers == Answers::Ipv6 {
            proof.note(none_over(IpVersion::V4));
        } else {
            needed.push(IpVersion::V4);
        }
        if has_ipv6(subnet) && comes_over_ipv6(endpoint, answers, v6) {
            if v6 {
                needed.push(IpVersion::V6);
            } else {
                proof.note(none_over(IpVersion::V6));
            }
        }
    }
    // What does not answer an IPv6-only subnet over IPv6 at all is told of above.
    if !subnet.ipv6_native || (endpoint.kind() == EndpointType::Gateway && !needed.is_empty()) {
        dns64(endpoint, subnet, v6 && matches!(answers, Answers::Ipv6 | Answers::Both), proof);
    }
    needed
}

/// Whether clients that have both versions come over IPv6. What is left to the service is A records
/// for the Regional names of gateway services
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html).
fn comes_over_ipv6(endpoint: &VpcEndpoint, answers: Answers, v6: bool) -> bool {
    match answers {
        Answers::Ipv4 => false,
        Answers::Ipv6 | Answers::Both => true,
        Answers::LeftToTheService | Answers::OfNoKnownKind => {
            v6 && endpoint.kind() != EndpointType::Gateway
        }
    }
}

/// Adds that DNS64 makes clients come over NAT64 to what answers with IPv4 addresses alone: "DNS
/// queries made to the Amazon-provided DNS Resolver in this subnet should return synthetic IPv6
/// addresses for IPv4-only destinations", in 64:ff9b::/96, which only a route to a NAT gateway serves
/// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html,
/// docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html).
fn dns64(endpoint: &VpcEndpoint, subnet: &Subnet, answers_v6: bool, proof: &mut Proof) {
    let said = match subnet.enable_dns64 {
        Some(false) => return,
        Some(true) => true,
        None => false,
    };
    if has_ipv6(subnet) && !answers_v6 {
        let (subnet, endpoint) = (subnet.subnet_id.clone(), endpoint.vpc_endpoint_id.clone());
        proof.note(Obstacle::Dns64 { subnet, endpoint, said });
    }
}

/// Whether the endpoint has IPv4 addresses or routes, and whether it has IPv6 ones; `None` where AWS
/// says it in a word that is not known, so that nothing is taken for granted.
fn addresses(endpoint: &VpcEndpoint, proof: &mut Proof) -> Option<(bool, bool)> {
    match &endpoint.ip_address_type {
        None | Some(IpAddressType::Ipv4) => Some((true, false)),
        Some(IpAddressType::Ipv6) => Some((false, true)),
        Some(IpAddressType::Dualstack) => Some((true, true)),
        Some(IpAddressType::Other(word)) => {
            let (endpoint, word) = (endpoint.vpc_endpoint_id.clone(), word.clone());
            proof.note(Obstacle::IpVersionUnclear { endpoint, word });
            None
        }
    }
}

/// By default the name of an interface endpoint answers with what the endpoint has, and that of a
/// gateway endpoint with what the service says
/// (docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html,
/// docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html).
fn answers(endpoint: &VpcEndpoint) -> Answers {
    let said = endpoint.dns_options.as_ref().and_then(|o| o.dns_record_ip_type.as_deref());
    let is_gateway = endpoint.kind() == EndpointType::Gateway;
    match said.map(str::to_ascii_lowercase).as_deref() {
        Some("ipv4") => Answers::Ipv4,
        Some("ipv6") => Answers::Ipv6,
        Some("dualstack") => Answers::Both,
        None if is_gateway => Answers::LeftToTheService,
        None | Some("service-defined") => match &endpoint.ip_address_type {
            _ if is_gateway => Answers::LeftToTheService,
            None | Some(IpAddressType::Ipv4) => Answers::Ipv4,
            Some(IpAddressType::Ipv6) => Answers::Ipv6,
            Some(IpAddressType::Dualstack) if said.is_none() => Answers::Both,
            Some(IpAddressType::Dualstack) => Answers::LeftToTheService,
            Some(IpAddressType::Other(_)) => Answers::LeftToTheService,
        },
        Some(_) => Answers::OfNoKnownKind,
    }
}
