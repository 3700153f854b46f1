//! Recorded calls on network ACLs.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::NetworkAclId;
use guardrail::ec2::world::{NetworkAclEntry, PortRange, RuleAction};

use crate::ec2::request::Request;
use crate::replay::record::{Body, Record};
use crate::replay::{Replayed, Turned, id, not_yet};
use crate::sim::Sim;

pub(super) fn network_acl(sim: &Sim, record: Record<'_>) -> Turned<Request> {
    let request = record.request;
    let network_acl_id: NetworkAclId = id(request.get("networkAclId"), "networkAclId")?;
    if record.event == "ReplaceNetworkAclAssociation" {
        not_yet(sim, record.response.get("newAssociationId"))?;
        let association_id = id(request.get("associationId"), "associationId")?;
        return Ok(Request::ReplaceNetworkAclAssociation { association_id, network_acl_id });
    }
    let number: Option<u32> = request.get("ruleNumber").number().and_then(|n| n.try_into().ok());
    let (Some(rule_number), Some(egress)) = (number, request.get("egress").flag()) else {
        let why = "the record does not say which rule it is about".to_owned();
        return Err(Replayed::NotSimulated(why));
    };
    let entries = sim.acl(&network_acl_id).map(|acl| acl.entries.as_slice()).unwrap_or_default();
    let mut there =
        entries.iter().filter(|it| (it.rule_number, it.egress) == (rule_number, egress));
    if record.event == "DeleteNetworkAclEntry" {
        return Ok(Request::DeleteNetworkAclEntry { network_acl_id, rule_number, egress });
    }
    let entry = entry(request, rule_number, egress);
    if there.any(|it| *it == entry) {
        let what = format!("{network_acl_id} has rule {rule_number} already");
        return Err(Replayed::AlreadySo(what));
    }
    Ok(match record.event {
        "CreateNetworkAclEntry" => Request::CreateNetworkAclEntry { network_acl_id, entry },
        _ => Request::ReplaceNetworkAclEntry { network_acl_id, entry },
    })
}

fn entry(request: Body<'_>, rule_number: u32, egress: bool) -> NetworkAclEntry {
    let ports = request.get("portRange");
    let (from, to) = (ports.get("from").number(), ports.get("to").number());
    NetworkAclEntry {
        rule_number,
        egress,
        rule_action: RuleAction::from(request.get("ruleAction").text().unwrap_or_default()),
        protocol: request.get("aclProtocol").text().unwrap_or_default(),
        cidr_block: request.get("cidrBlock").text().map(Cidr::from),
        ipv6_cidr_block: request.get("ipv6CidrBlock").text().map(Cidr::from),
        port_range: (from.is_some() || to.is_some()).then_some(PortRange { from, to }),
    }
}
