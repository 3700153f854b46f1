//! Addresses, NAT gateways' tokens, customers' prefix lists, and instances.

use guardrail::ec2::world::{Connectivity, PrefixListEntry, Tag};

use super::*;
use crate::{
    AddressCall, AddressFamily, AssociateAddress, Beside, CreateManagedPrefixList,
    CreateNatGateway, InstanceCall, InstanceState, ModifyManagedPrefixList, PrefixListCall,
    Profile, ProfileAssociation, Query, RunInstance, RunInstances,
};

fn allocate(sim: &mut Sim) -> (String, String) {
    let request = Request::Address(AddressCall::AllocateAddress { tags: Vec::new() });
    let Response::Address(address) = sim.call(&request).unwrap() else { panic!() };
    (address.allocation_id, address.public_ip)
}

fn associate(allocation: &str, interface: &str, again: Option<bool>) -> Request {
    Request::Address(AddressCall::AssociateAddress(AssociateAddress {
        allocation_id: allocation.to_owned(),
        network_interface_id: Some(id(interface)),
        allow_reassociation: again,
        ..AssociateAddress::default()
    }))
}

fn release(allocation: &str) -> Request {
    Request::Address(AddressCall::ReleaseAddress { allocation_id: allocation.to_owned() })
}

fn public_ip(sim: &Sim, interface: &str) -> Option<String> {
    let all = sim.world().network_interfaces.unwrap();
    let found = all.into_iter().find(|eni| eni.network_interface_id == *interface).unwrap();
    found.public_ip().map(str::to_owned)
}

/// "This is an idempotent operation." "If the Elastic IP address is already associated …, it is
/// disassociated", unless "you can specify false to ensure the operation fails".
#[test]
fn an_address_is_at_one_interface() {
    let mut sim = sim();
    let (allocation, ip) = allocate(&mut sim);
    assert_eq!(
        code(&mut sim, &associate("eipalloc-9", "eni-router", None)),
        "InvalidAllocationID.NotFound"
    );
    let first = sim.call(&associate(&allocation, "eni-router", None)).unwrap();
    assert_eq!(public_ip(&sim, "eni-router"), Some(ip.clone()));
    assert_eq!(sim.call(&associate(&allocation, "eni-router", None)).unwrap(), first);
    let refused = associate(&allocation, "eni-ssm", Some(false));
    assert_eq!(code(&mut sim, &refused), "Resource.AlreadyAssociated");
    assert_eq!(code(&mut sim, &release(&allocation)), "InvalidIPAddress.InUse");
    let Response::AddressAssociation { association_id } = first else { panic!() };
    let end = Request::DisassociateAddress { association_id };
    sim.call(&end).unwrap();
    assert_ne!(public_ip(&sim, "eni-router"), Some(ip));
    sim.call(&end).unwrap();
    sim.call(&release(&allocation)).unwrap();
    assert_eq!(code(&mut sim, &release(&allocation)), "InvalidAllocationID.NotFound");
}

/// "5 Elastic IP addresses per Region": `AddressLimitExceeded`.
#[test]
fn there_are_five_addresses() {
    let mut sim = sim();
    let all: std::collections::BTreeSet<_> = (0..5).map(|_| allocate(&mut sim)).collect();
    assert_eq!(all.len(), 5);
    let sixth = Request::Address(AddressCall::AllocateAddress { tags: Vec::new() });
    assert_eq!(code(&mut sim, &sixth), "AddressLimitExceeded");
}

/// "The network interface or instance must be in a VPC with an internet gateway": `Gateway.NotAttached`.
#[test]
fn an_address_needs_an_internet_gateway() {
    let mut world = guardrail::ec2::world_file::load(WORLD).unwrap();
    world.internet_gateways = Some(Vec::new());
    let mut sim = Sim::new(world, Default::default(), SimOptions::default());
    let (allocation, _) = allocate(&mut sim);
    assert_eq!(code(&mut sim, &associate(&allocation, "eni-router", None)), "Gateway.NotAttached");
}

/// The address of a NAT gateway is in use until the gateway is gone, and nobody takes it from it.
#[test]
fn a_nat_gateway_has_its_address_until_it_is_gone() {
    let mut sim = sim();
    let (allocation, ip) = allocate(&mut sim);
    let wanted = CreateNatGateway {
        subnet_id: Some(id("subnet-a2")),
        allocation_id: Some(allocation.clone()),
        client_token: Some("t".to_owned()),
        ..CreateNatGateway::default()
    };
    let private = CreateNatGateway {
        connectivity_type: Some(Connectivity::Private),
        client_token: None,
        ..wanted.clone()
    };
    assert_eq!(code(&mut sim, &Request::CreateNatGateway(private)), "InvalidParameterCombination");
    let Response::NatGateway(nat) = sim.call(&Request::CreateNatGateway(wanted.clone())).unwrap()
    else {
        panic!()
    };
    assert_eq!(nat.nat_gateway_addresses[0].public_ip, Some(ip));
    let other = CreateNatGateway { client_token: None, ..wanted };
    assert_eq!(code(&mut sim, &Request::CreateNatGateway(other)), "Resource.AlreadyAssociated");
    let query = Query::of([allocation.clone()]);
    let listed = sim
        .call(&Request::Address(AddressCall::DescribeAddresses { query, public_ips: Vec::new() }))
        .unwrap();
    let Response::Addresses(listed) = listed else { panic!() };
    let unknown = AddressCall::DescribeAddresses {
        query: Query::default(),
        public_ips: vec!["192.0.2.9".to_owned()],
    };
    assert_eq!(code(&mut sim, &Request::Address(unknown)), "InvalidAddress.NotFound");
    let association_id = listed[0].address.bound.clone().unwrap().association_id;
    let end = Request::DisassociateAddress { association_id };
    assert_eq!(code(&mut sim, &end), "OperationNotPermitted");
    sim.call(&Request::DeleteNatGateway { nat_gateway_id: nat.nat_gateway_id }).unwrap();
    assert_eq!(code(&mut sim, &release(&allocation)), "InvalidIPAddress.InUse");
    sim.advance(seconds(60));
    sim.call(&release(&allocation)).unwrap();
}

/// `InvalidAllocationID.NotFound`: "The specified allocation ID … does not exist." A world that was read
/// from an account does not say which there are.
#[test]
fn a_nat_gateway_takes_an_address_that_is_there() {
    let wanted = Request::CreateNatGateway(CreateNatGateway {
        subnet_id: Some(id("subnet-a2")),
        allocation_id: Some("eipalloc-1".to_owned()),
        ..CreateNatGateway::default()
    });
    let mut sim = sim().with_beside(Beside::of_nothing());
    assert_eq!(code(&mut sim, &wanted), "InvalidAllocationID.NotFound");
    let Response::NatGateway(nat) = self::sim().call(&wanted).unwrap() else { panic!() };
    assert_eq!(nat.nat_gateway_addresses[0].public_ip, None);
}

/// The same token with the same parameters makes nothing new; with others it is
/// `IdempotentParameterMismatch`.
#[test]
fn a_nat_gateways_token_makes_one() {
    let mut sim = sim();
    let wanted = |subnet: &str| {
        Request::CreateNatGateway(CreateNatGateway {
            subnet_id: Some(id(subnet)),
            connectivity_type: Some(Connectivity::Private),
            client_token: Some("t".to_owned()),
            ..CreateNatGateway::default()
        })
    };
    let first = sim.call(&wanted("subnet-a2")).unwrap();
    assert_eq!(sim.call(&wanted("subnet-a2")).unwrap(), first);
    assert_eq!(sim.world().nat_gateways.unwrap().len(), 2);
    assert_eq!(code(&mut sim, &wanted("subnet-b1")), "IdempotentParameterMismatch");
}

fn entries(cidrs: &[&str]) -> Vec<PrefixListEntry> {
    let entry = |cidr: &&str| PrefixListEntry { cidr: (*cidr).into(), description: None };
    cidrs.iter().map(entry).collect()
}

fn create_list(name: &str, cidrs: &[&str]) -> Request {
    Request::PrefixList(PrefixListCall::CreateManagedPrefixList(CreateManagedPrefixList {
        prefix_list_name: name.to_owned(),
        entries: entries(cidrs),
        max_entries: 2,
        address_family: AddressFamily::IPv4,
        client_token: None,
        tags: Vec::new(),
    }))
}

fn modify_list(list: &str, version: Option<i64>, add: &[&str], remove: &[&str]) -> Request {
    Request::PrefixList(PrefixListCall::ModifyManagedPrefixList(ModifyManagedPrefixList {
        prefix_list_id: id(list),
        current_version: version,
        prefix_list_name: None,
        add_entries: entries(add),
        remove_entries: remove.iter().map(|cidr| Cidr::from(*cidr)).collect(),
        max_entries: None,
    }))
}

/// "You cannot create a prefix list with both"; "When you create a prefix list, you must specify the
/// maximum number of entries": `PrefixListMaxEntriesExceeded`; a change names the version that it
/// changes: `PrefixListVersionMismatch`.
#[test]
fn a_customers_list_changes_a_version_at_a_time() {
    let mut sim = sim();
    assert_eq!(code(&mut sim, &create_list("com.amazonaws.x", &[])), "InvalidParameterValue");
    assert_eq!(code(&mut sim, &create_list("a", &["2001:db8::/32"])), "InvalidParameterValue");
    let three = ["198.51.100.0/24", "203.0.113.0/25", "203.0.113.128/25"];
    assert_eq!(code(&mut sim, &create_list("a", &three)), "PrefixListMaxEntriesExceeded");
    let Response::PrefixList { list: made, .. } = sim.call(&create_list("a", &three[..1])).unwrap()
    else {
        panic!()
    };
    let list = made.prefix_list_id.as_str();
    assert_eq!(code(&mut sim, &modify_list(list, None, &three[1..2], &[])), "MissingParameter");
    assert_eq!(
        code(&mut sim, &modify_list(list, Some(2), &three[1..2], &[])),
        "PrefixListVersionMismatch"
    );
    sim.call(&modify_list(list, Some(1), &three[1..2], &three[..1])).unwrap();
    let read = Request::GetManagedPrefixListEntries { prefix_list_id: id(list) };
    assert_eq!(sim.call(&read).unwrap(), Response::PrefixListEntries(entries(&three[1..2])));
    assert_eq!(
        code(&mut sim, &modify_list(list, Some(1), &[], &three[1..2])),
        "PrefixListVersionMismatch"
    );
    assert_eq!(code(&mut sim, &modify_list("pl-s3", Some(1), &[], &[])), "OperationNotPermitted");
}

/// "You must first remove all references to the prefix list in your resources."
#[test]
fn a_list_that_a_route_names_stays() {
    let mut sim = sim();
    let delete = Request::PrefixList(PrefixListCall::DeleteManagedPrefixList {
        prefix_list_id: id("pl-own"),
    });
    sim.call(&create_route("rtb-b", Destination::PrefixList(id("pl-own")), nat("nat-1"))).unwrap();
    assert_eq!(code(&mut sim, &delete), "DependencyViolation");
    let destination = Destination::PrefixList(id("pl-own"));
    sim.call(&Request::DeleteRoute { route_table_id: id("rtb-b"), destination }).unwrap();
    sim.call(&delete).unwrap();
    assert_eq!(code(&mut sim, &delete), "InvalidPrefixListID.NotFound");
}

fn run(subnet: &str) -> RunInstances {
    RunInstances {
        image_id: "ami-1".to_owned(),
        instance_type: "t3.nano".to_owned(),
        min_count: 1,
        max_count: 1,
        subnet_id: id(subnet),
        security_group_ids: Vec::new(),
        associate_public_ip_address: None,
        iam_instance_profile: None,
        client_token: Some("t".to_owned()),
        tags: vec![Tag::new("Name", "one")],
    }
}

fn ran(sim: &mut Sim, wanted: RunInstances) -> RunInstance {
    let request = Request::Instance(InstanceCall::RunInstances(wanted));
    let Response::InstancesRun(run) = sim.call(&request).unwrap() else { panic!() };
    run[0].clone()
}

/// An instance has an interface in its subnet, with the VPC's default group where none is named, and
/// goes with it; the same token runs nothing new.
#[test]
fn an_instance_comes_and_goes_with_its_interface() {
    let mut sim = sim();
    let before = sim.world();
    let instance = ran(&mut sim, run("subnet-b1"));
    assert_eq!(ran(&mut sim, run("subnet-b1")), instance);
    let world = sim.world();
    let eni = world.network_interfaces.as_ref().unwrap().last().unwrap();
    assert_eq!(eni.attachment.as_ref().unwrap().instance_id, Some(instance.instance_id.clone()));
    assert_eq!(eni.groups[0].group_id.as_str(), "sg-default");
    assert_eq!(eni.private_ip_address.as_deref(), Some("10.0.1.4"));
    let end = Request::Instance(InstanceCall::TerminateInstances {
        instance_ids: vec![instance.instance_id.clone()],
    });
    let state = |sim: &mut Sim| {
        let answer = sim.call(&end).unwrap();
        let Response::InstancesTerminated(changes) = answer else { panic!() };
        changes[0].1
    };
    assert_eq!(
        (state(&mut sim), state(&mut sim)),
        (InstanceState::Running, InstanceState::Terminated)
    );
    assert_eq!(sim.world(), before);
}

/// "There are not enough free IP addresses in the subnet": `InsufficientFreeAddressesInSubnet`; a group
/// of another VPC is refused.
#[test]
fn an_instance_needs_an_address_and_groups_of_its_vpc() {
    let mut sim = sim();
    let request = |wanted| Request::Instance(InstanceCall::RunInstances(wanted));
    assert_eq!(code(&mut sim, &request(run("subnet-c1"))), "InsufficientFreeAddressesInSubnet");
    let elsewhere = RunInstances { security_group_ids: ids(&["sg-x"]), ..run("subnet-b1") };
    assert_eq!(code(&mut sim, &request(elsewhere)), "InvalidParameter");
    let public = RunInstances { associate_public_ip_address: Some(true), ..run("subnet-b1") };
    ran(&mut sim, public);
    let interfaces = sim.world().network_interfaces.unwrap();
    assert_eq!(interfaces.last().unwrap().public_ip(), Some("192.0.2.1"));
}

/// "You cannot associate more than one IAM instance profile with an instance."
#[test]
fn an_instance_has_one_profile() {
    let mut sim = sim();
    let associate = Request::Instance(InstanceCall::AssociateIamInstanceProfile {
        instance_id: id("i-router"),
        iam_instance_profile: Profile::Name("ssm".to_owned()),
    });
    let made = |answer: Response| {
        let Response::ProfileAssociation { association, .. } = answer else { panic!() };
        association
    };
    let first: ProfileAssociation = made(sim.call(&associate).unwrap());
    assert_eq!(first.arn, "arn:aws:iam::111122223333:instance-profile/ssm");
    assert_eq!(code(&mut sim, &associate), "IncorrectState");
    let replace = |association_id| {
        Request::Instance(InstanceCall::ReplaceIamInstanceProfileAssociation {
            association_id,
            iam_instance_profile: Profile::Arn(
                "arn:aws:iam::111122223333:instance-profile/b".to_owned(),
            ),
        })
    };
    let second = made(sim.call(&replace(first.association_id.clone())).unwrap());
    assert_eq!(code(&mut sim, &replace(first.association_id)), "InvalidAssociationID.NotFound");
    let query = Query::by("instance-id", ["i-router"]);
    let describe = Request::Instance(InstanceCall::DescribeIamInstanceProfileAssociations(query));
    let listed = |found| Response::ProfileAssociations { found, next_token: None };
    assert_eq!(sim.call(&describe).unwrap(), listed(vec![second.clone()]));
    let end =
        InstanceCall::DisassociateIamInstanceProfile { association_id: second.association_id };
    sim.call(&Request::Instance(end)).unwrap();
    assert_eq!(sim.call(&describe).unwrap(), listed(Vec::new()));
}

/// What a world file has no section for is saved beside the world, and loaded again; ids go on.
#[test]
fn what_is_beside_a_world_is_saved_and_loaded_again() {
    let mut sim = sim();
    let (allocation, _) = allocate(&mut sim);
    sim.call(&associate(&allocation, "eni-router", None)).unwrap();
    sim.call(&create_list("a", &["198.51.100.0/24"])).unwrap();
    let instance = ran(
        &mut sim,
        RunInstances {
            iam_instance_profile: Some(Profile::Name("p".to_owned())),
            ..run("subnet-b1")
        },
    );
    let tagged = Request::CreateTags {
        resources: vec![allocation.clone(), instance.instance_id.to_string()],
        tags: vec![Tag::new("a", "b")],
    };
    sim.call(&tagged).unwrap();
    let saved = sim.saved();
    let world = guardrail::ec2::world_file::load(&saved.to_string()).unwrap();
    let again = Sim::new(world, sim.now(), SimOptions::default());
    let mut again = again.with_beside(Beside::of_saved(&saved).unwrap());
    assert_eq!(again.saved(), saved);
    assert_eq!(code(&mut again, &release(&allocation)), "InvalidIPAddress.InUse");
    let (other, _) = allocate(&mut again);
    assert!(!saved.to_string().contains(&other));
}
