use guardrail::ec2::world::{NetworkAcl, NetworkAclEntry, PortRange, RuleAction};

use super::*;
use crate::Query;

fn entry(number: u32, egress: bool, ports: Option<(i32, i32)>) -> NetworkAclEntry {
    NetworkAclEntry {
        rule_number: number,
        egress,
        rule_action: RuleAction::Deny,
        protocol: if ports.is_some() { "6" } else { "-1" }.to_owned(),
        cidr_block: Some(Cidr::from("10.0.0.0/24")),
        ipv6_cidr_block: None,
        port_range: ports.map(|(from, to)| PortRange { from: Some(from), to: Some(to) }),
    }
}

fn create(entry: &NetworkAclEntry) -> Request {
    Request::CreateNetworkAclEntry { network_acl_id: id("acl-1"), entry: entry.clone() }
}

fn replace(entry: &NetworkAclEntry) -> Request {
    Request::ReplaceNetworkAclEntry { network_acl_id: id("acl-1"), entry: entry.clone() }
}

fn delete(number: u32, egress: bool) -> Request {
    Request::DeleteNetworkAclEntry { network_acl_id: id("acl-1"), rule_number: number, egress }
}

fn acl(sim: &Sim, name: &str) -> NetworkAcl {
    sim.world().network_acls.unwrap().into_iter().find(|a| a.network_acl_id == *name).unwrap()
}

fn subnets(sim: &Sim, name: &str) -> Vec<String> {
    acl(sim, name).associations.iter().map(|bound| bound.subnet_id.to_string()).collect()
}

/// "Creates an entry (a rule) in a network ACL with the specified rule number. Each network ACL has a
/// set of numbered ingress rules and a separate set of numbered egress rules."
#[test]
fn a_number_is_taken_once_in_each_direction() {
    let mut sim = sim();
    let (out, inward) = (entry(90, true, Some((443, 443))), entry(90, false, None));
    sim.call(&create(&out)).unwrap();
    sim.call(&create(&inward)).unwrap();
    assert_eq!(acl(&sim, "acl-1").entries[4..], [out.clone(), inward]);
    assert_eq!(code(&mut sim, &create(&out)), "NetworkAclEntryAlreadyExists");
}

/// "The rule number for the entry (for example, 100). Constraints: Positive integer from 1 to 32766.
/// The range 32767 to 65535 is reserved for internal use." "Port: required if specifying protocol 6
/// (TCP) or 17 (UDP)."
#[test]
fn an_entry_has_a_number_of_ones_own_one_block_and_its_ports() {
    let mut sim = sim();
    for number in [0, 32_767] {
        assert_eq!(code(&mut sim, &create(&entry(number, true, None))), "InvalidParameterValue");
        assert_eq!(code(&mut sim, &delete(number, true)), "InvalidParameterValue");
    }
    let no_ports = NetworkAclEntry { protocol: "6".to_owned(), ..entry(90, true, None) };
    assert_eq!(code(&mut sim, &create(&no_ports)), "MissingParameter");
    let no_block = NetworkAclEntry { cidr_block: None, ..entry(90, true, None) };
    assert_eq!(code(&mut sim, &create(&no_block)), "MissingParameter");
    let other = NetworkAclEntry { cidr_block: Some("::/0".into()), ..entry(90, true, None) };
    assert_eq!(code(&mut sim, &create(&other)), "InvalidParameterValue");
}

/// "Replaces an entry (rule) in a network ACL." "Deletes the specified ingress or egress entry (rule)
/// from the specified network ACL."
#[test]
fn an_entry_that_is_there_is_replaced_and_deleted() {
    let mut sim = sim();
    sim.call(&replace(&entry(100, true, None))).unwrap();
    assert_eq!(acl(&sim, "acl-1").entries[0], entry(100, true, None));
    assert_eq!(code(&mut sim, &replace(&entry(90, true, None))), "InvalidNetworkAclEntry.NotFound");
    sim.call(&delete(100, true)).unwrap();
    assert_eq!(acl(&sim, "acl-1").entries.len(), 3);
    assert_eq!(code(&mut sim, &delete(100, true)), "InvalidNetworkAclEntry.NotFound");
    let elsewhere = Request::DeleteNetworkAclEntry {
        network_acl_id: id("acl-9"),
        rule_number: 100,
        egress: true,
    };
    assert_eq!(code(&mut sim, &elsewhere), "InvalidNetworkAclID.NotFound");
}

/// "Changes which network ACL a subnet is associated with." The answer holds "the ID of the new
/// association".
#[test]
fn a_subnet_goes_under_another_network_acl_of_its_vpc() {
    let mut world = guardrail::ec2::world_file::load(WORLD).unwrap();
    let own = NetworkAcl {
        network_acl_id: id("acl-3"),
        associations: Vec::new(),
        ..acl(&sim(), "acl-1")
    };
    world.network_acls.as_mut().unwrap().push(NetworkAcl { is_default: false, ..own });
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let mut sim = Sim::new(world, now, SimOptions::default());
    let to = |association: &str, acl: &str| Request::ReplaceNetworkAclAssociation {
        association_id: id(association),
        network_acl_id: id(acl),
    };
    assert_eq!(code(&mut sim, &to("aclassoc-a1", "acl-2")), "InvalidParameter");
    let answer = sim.call(&to("aclassoc-a1", "acl-3")).unwrap();
    let Response::NetworkAclAssociation { association_id } = answer else { panic!() };
    assert_eq!(acl(&sim, "acl-3").associations[0].network_acl_association_id, Some(association_id));
    assert_eq!(subnets(&sim, "acl-3"), ["subnet-a1"]);
    assert_eq!(subnets(&sim, "acl-1"), ["subnet-a2", "subnet-b1", "subnet-c1"]);
    assert_eq!(code(&mut sim, &to("aclassoc-a1", "acl-1")), "InvalidAssociationID.NotFound");
}

/// "Each subnet in your VPC must be associated with a network ACL. If you don't explicitly associate a
/// subnet with a network ACL, the subnet is automatically associated with the default network ACL."
#[test]
fn a_new_subnet_is_under_the_default_network_acl() {
    let mut sim = sim();
    let request = Request::CreateSubnet {
        vpc_id: id("vpc-1"),
        cidr_block: Cidr::from("10.0.250.0/24"),
        availability_zone: None,
        tags: Vec::new(),
    };
    let Response::Subnet(made) = sim.call(&request).unwrap() else { panic!() };
    assert_eq!(subnets(&sim, "acl-1").last(), Some(&made.subnet_id.to_string()));
}

/// "The ID of the DHCP options set, or default to associate no DHCP options with the VPC."
#[test]
fn a_vpc_takes_a_set_of_dhcp_options_that_is_there_or_none() {
    let mut sim = sim();
    let request =
        |set: &str| Request::AssociateDhcpOptions { dhcp_options_id: id(set), vpc_id: id("vpc-1") };
    assert_eq!(code(&mut sim, &request("dopt-9")), "InvalidDhcpOptionID.NotFound");
    sim.call(&request("default")).unwrap();
    let query = Request::DescribeVpcs(Query::of(["vpc-1"]));
    let Response::Described { found, .. } = sim.call(&query).unwrap() else { panic!() };
    assert_eq!(found.vpcs.unwrap()[0].dhcp_options_id, Some(id("default")));
}
