//! What network ACLs stop between a subnet and a service.

use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::{IpVersion, Obstacle, Proof, blocks_of};
use crate::analysis::View;
use crate::analysis::network_acl::{
    SubnetSide, acl_of, between, client_ports, to_ranges as judge_ranges,
};
use crate::analysis::topology::SubnetUse;
use crate::ec2::id::SubnetId;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{NetworkAcl, NetworkInterface, Subnet, VpcEndpoint};
use crate::history::{Premise, Seen};

/// Adds what stops clients of the subnet from reaching the endpoint's interfaces in other subnets.
pub(super) fn to_endpoint(
    view: &View<'_>,
    endpoint: &VpcEndpoint,
    placed: &SubnetUse<'_>,
    version: IpVersion,
    proof: &mut Proof,
) {
    let others = endpoint.subnet_ids.iter().filter(|id| **id != placed.subnet.subnet_id);
    let others: Vec<&SubnetId> = others.collect();
    if others.is_empty() {
        return;
    }
    let Some(acl) = own_acl(view, placed.subnet, proof) else { return };
    let ports = ports_in(view, placed.subnet);
    let blocks = blocks_of(placed.subnet, version, view);
    let client = SubnetSide { subnet: &placed.subnet.subnet_id, blocks: &blocks, acl };
    for id in others {
        let Some(subnet) = view.snapshot.subnet(id) else {
            proof.note(Obstacle::Unread { section: Section::Subnets });
            continue;
        };
        let Some(acl) = own_acl(view, subnet, proof) else { continue };
        let blocks = interface_blocks(view, endpoint, subnet, version);
        let theirs = SubnetSide { subnet: id, blocks: &blocks, acl };
        for stop in between(&client, &theirs, &ports) {
            proof.note(Obstacle::Acl(stop));
        }
    }
}

/// Adds what stops clients of the subnet from reaching a gateway service's public ranges.
pub(super) fn to_ranges(
    view: &View<'_>,
    placed: &SubnetUse<'_>,
    ranges: &[IpNet],
    proof: &mut Proof,
) {
    let Some(acl) = own_acl(view, placed.subnet, proof) else { return };
    for stop in judge_ranges(acl, ranges, &ports_in(view, placed.subnet)) {
        proof.note(Obstacle::Acl(stop));
    }
}

/// The subnet's ACL, of which the proof takes note.
fn own_acl<'w>(view: &View<'w>, subnet: &Subnet, proof: &mut Proof) -> Option<&'w NetworkAcl> {
    if view.snapshot.missing.contains(&Section::NetworkAcls) {
        proof.note(Obstacle::Unread { section: Section::NetworkAcls });
        return None;
    }
    let Some(acl) = acl_of(subnet, view.snapshot.network_acls.iter().copied()) else {
        proof.note(Obstacle::NoAcl { subnet: subnet.subnet_id.clone() });
        return None;
    };
    let seen = seen_under(acl, subnet);
    if !proof.premises.contains(&seen) {
        proof.premises.push(seen);
    }
    Some(acl)
}

/// The subnet's ACL, as a premise that takes time to act; `None` where it was not read.
pub(super) fn seen(view: &View<'_>, subnet: &Subnet) -> Option<Seen> {
    let acl = acl_of(subnet, view.snapshot.network_acls.iter().copied())?;
    Some(seen_under(acl, subnet))
}

fn seen_under(acl: &NetworkAcl, subnet: &Subnet) -> Seen {
    // Which subnet is under the ACL is part of what may change.
    let premise = Premise::NetworkAcl(acl.network_acl_id.clone(), subnet.subnet_id.clone());
    Seen::of(premise, &format!("{} {:?}", subnet.subnet_id, acl.entries))
}

/// The ports that the subnet's clients open connections from: more where a Lambda function's or a
/// NAT gateway's interface is in it. Where the interfaces were not read, the more is asked for.
fn ports_in(view: &View<'_>, subnet: &Subnet) -> RangeInclusive<u16> {
    let is_wide = |interface: &&NetworkInterface| {
        interface.subnet_id.as_ref() == Some(&subnet.subnet_id)
            && interface.interface_type.as_deref().is_some_and(|kind| {
                ["lambda", "nat_gateway", "natGateway"].iter().any(|k| k.eq_ignore_ascii_case(kind))
            })
    };
    let holds_nat = view
        .snapshot
        .nat_gateways
        .iter()
        .any(|nat| nat.subnet_id.as_ref() == Some(&subnet.subnet_id));
    let unread = view.snapshot.missing.contains(&Section::NetworkInterfaces);
    let interfaces = view.snapshot.interfaces.iter().copied();
    client_ports(unread || holds_nat || interfaces.clone().any(|i| is_wide(&i)))
}

/// Where in a subnet the endpoint's interface is: at its address, or anywhere in the subnet where
/// that was not read.
pub(super) fn interface_blocks(
    view: &View<'_>,
    endpoint: &VpcEndpoint,
    subnet: &Subnet,
    version: IpVersion,
) -> Vec<IpNet> {
    let interfaces = view.snapshot.interfaces.iter().filter(|interface| {
        endpoint.network_interface_ids.contains(&interface.network_interface_id)
            && interface.subnet_id.as_ref() == Some(&subnet.subnet_id)
    });
    let addresses = interfaces.filter_map(|interface| {
        interface.private_ip_address.as_deref()?.parse::<std::net::IpAddr>().ok()
    });
    let own: Vec<IpNet> =
        addresses.map(IpNet::from).filter(|net| IpVersion::of(net) == version).collect();
    if own.is_empty() { blocks_of(subnet, version, view) } else { own }
}
