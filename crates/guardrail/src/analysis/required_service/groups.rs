//! From where the security groups of an endpoint admit TCP 443.

use ipnet::IpNet;

use crate::ec2::cidr::{Cidr, covered, reaches_private};
use crate::ec2::snapshot::{Shared, Snapshot};
use crate::ec2::world::{IpAddressType, IpPermission, IpProtocol, SecurityGroup, VpcEndpoint};

fn has_ipv6(endpoint: &VpcEndpoint) -> bool {
    endpoint.ip_address_type.as_ref().is_some_and(|kind| match kind {
        IpAddressType::Ipv4 => false,
        IpAddressType::Dualstack | IpAddressType::Ipv6 | IpAddressType::Other(_) => true,
    })
}

/// The VPC's blocks from which none of an endpoint's groups admits TCP 443, taken together as AWS
/// does; `None` when a group was not observed, or a rule that may admit them cannot be read. IPv6
/// blocks count only for an endpoint that has IPv6
/// addresses.
pub fn cidrs_without_https(endpoint: &VpcEndpoint, snapshot: &Snapshot<'_>) -> Option<Vec<Cidr>> {
    let admitted = https_sources_of(endpoint, snapshot)?;
    let wanted = snapshot.vpc.cidrs().into_iter().filter(|cidr| match cidr.net() {
        Some(net @ IpNet::V4(_)) => !covered(net, &admitted),
        Some(net @ IpNet::V6(_)) => has_ipv6(endpoint) && !covered(net, &admitted),
        None => false,
    });
    let wanted: Vec<Cidr> = wanted.collect();
    let is_known = wanted.is_empty() || unclear_group_of(endpoint, snapshot).is_none();
    is_known.then_some(wanted)
}

/// A group of the endpoint that may admit TCP 443 by a rule that cannot be read.
pub fn unclear_group_of<'w>(
    endpoint: &VpcEndpoint,
    snapshot: &Snapshot<'w>,
) -> Option<&'w SecurityGroup> {
    let groups = &snapshot.shared.groups;
    let mut its = endpoint.groups.iter().filter_map(|group| groups.get(&group.group_id).copied());
    its.find(|group| is_unclear(group, snapshot.shared))
}

/// Whether the group may admit TCP 443 by a rule that cannot be read.
fn is_unclear(group: &SecurityGroup, shared: &Shared<'_>) -> bool {
    group.ip_permissions.iter().any(|rule| match admits_https(rule) {
        Some(admits) => admits && sources(rule, shared).is_none(),
        None => true,
    })
}

/// The VPC's blocks from which a group admits TCP 443 no more that endpoints have, or may have by a
/// rule that cannot be read: none then. IPv6 blocks count only where one of its endpoints has IPv6
/// addresses.
pub fn blocks_shut_out(group: &SecurityGroup, snapshot: &Snapshot<'_>) -> Vec<Cidr> {
    let has_it = |endpoint: &&&VpcEndpoint| {
        endpoint.exists() && endpoint.groups.iter().any(|it| it.group_id == group.group_id)
    };
    let users: Vec<_> = snapshot.endpoints.iter().filter(has_it).collect();
    if users.is_empty() || is_unclear(group, snapshot.shared) {
        return Vec::new();
    }
    let (open, v6) = (https_sources(group, snapshot.shared), users.iter().any(|it| has_ipv6(it)));
    let is_shut = |cidr: &Cidr| match cidr.net() {
        Some(net @ IpNet::V4(_)) => !covered(net, &open),
        Some(net @ IpNet::V6(_)) => v6 && !covered(net, &open),
        None => false,
    };
    snapshot.vpc.cidrs().into_iter().filter(is_shut).collect()
}

/// What a rule of the guardrail's own group is, beside those that the group was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedRule {
    /// The rule lets nobody in whom the group is not for: TCP 443 from a part of the VPC.
    OfTheVpc,
    /// The rule lets clients with private addresses in on TCP 443, among others perhaps.
    ForPrivateClients,
    /// The rule lets no such client in.
    Other,
    /// The rule cannot be read.
    Unclear,
}

/// What this rule, which has one source, lets in.
pub fn added_rule(rule: &IpPermission, snapshot: &Snapshot<'_>) -> AddedRule {
    let own: Vec<IpNet> = snapshot.vpc.cidrs().iter().filter_map(Cidr::net).collect();
    let is_https_alone = (rule.from_port, rule.to_port) == (Some(443), Some(443));
    let sources = sources(rule, snapshot.shared);
    let of_groups = !rule.user_id_group_pairs.is_empty();
    match (admits_https(rule), sources) {
        (None, _) => AddedRule::Unclear,
        (Some(false), _) => AddedRule::Other,
        (Some(true), _) if of_groups => AddedRule::ForPrivateClients,
        (Some(true), None) => AddedRule::Unclear,
        (Some(true), Some(nets)) => {
            if is_https_alone && nets.iter().all(|net| covered(*net, &own)) {
                AddedRule::OfTheVpc
            } else if nets.iter().any(|net| reaches_private(*net, &own)) {
                AddedRule::ForPrivateClients
            } else {
                AddedRule::Other
            }
        }
    }
}

/// Whether a rule is about TCP 443; `None` where it cannot be told. AWS leaves the ports out where the
/// rule is for every protocol, and for those that have none
/// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html).
fn admits_https(permission: &IpPermission) -> Option<bool> {
    match &permission.ip_protocol {
        IpProtocol::All => Some(true),
        IpProtocol::Tcp | IpProtocol::TcpNumber => {
            Some((permission.from_port?..=permission.to_port?).contains(&443))
        }
        IpProtocol::Other(word) => {
            let is_known = ["udp", "icmp", "icmpv6"].contains(&word.as_str());
            (is_known || word.parse::<u8>().is_ok()).then_some(false)
        }
    }
}

/// The blocks that a rule admits; `None` where not all of them were read.
fn sources(permission: &IpPermission, shared: &Shared<'_>) -> Option<Vec<IpNet>> {
    let v4 = permission.ip_ranges.iter().map(|range| range.cidr_ip.net());
    let v6 = permission.ipv6_ranges.iter().map(|range| range.cidr_ipv6.net());
    let mut all: Vec<IpNet> = v4.chain(v6).collect::<Option<_>>()?;
    for named in &permission.prefix_list_ids {
        let mut lists = shared.prefix_lists.iter();
        let list = lists.find(|list| list.prefix_list_id == named.prefix_list_id)?;
        all.extend(list.blocks()?.into_iter().map(Cidr::net).collect::<Option<Vec<_>>>()?);
    }
    Some(all)
}

/// The blocks from which any of an endpoint's groups admits TCP 443; `None` when a group was not
/// observed.
pub fn https_sources_of(endpoint: &VpcEndpoint, snapshot: &Snapshot<'_>) -> Option<Vec<IpNet>> {
    let groups: Option<Vec<&SecurityGroup>> = endpoint
        .groups
        .iter()
        .map(|group| snapshot.shared.groups.get(&group.group_id).copied())
        .collect();
    Some(groups?.iter().flat_map(|group| https_sources(group, snapshot.shared)).collect())
}

/// The blocks from which a group admits TCP 443, those of prefix lists included, as far as its rules can
/// be read.
pub fn https_sources(group: &SecurityGroup, shared: &Shared<'_>) -> Vec<IpNet> {
    let listed = |permission: &IpPermission| -> Vec<IpNet> {
        let ids = permission.prefix_list_ids.iter().map(|list| &list.prefix_list_id);
        let lists =
            ids.filter_map(|id| shared.prefix_lists.iter().find(|list| list.prefix_list_id == *id));
        lists.filter_map(|list| list.blocks()).flatten().filter_map(Cidr::net).collect()
    };
    group
        .ip_permissions
        .iter()
        .filter(|permission| admits_https(permission) == Some(true))
        .flat_map(|permission| {
            let v4 = permission.ip_ranges.iter().filter_map(|range| range.cidr_ip.net());
            let v6 = permission.ipv6_ranges.iter().filter_map(|range| range.cidr_ipv6.net());
            v4.chain(v6).chain(listed(permission)).collect::<Vec<_>>()
        })
        .collect()
}
