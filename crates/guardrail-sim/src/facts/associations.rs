use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::world::{
    AddressAssociation, Association, Attachment, CidrState, Connectivity, Tag,
};

use super::*;
use crate::{CreateNatGateway, Query, SubnetAttribute};

fn associate(table: &str, subnet: &str) -> Request {
    Request::AssociateRouteTable { route_table_id: id(table), subnet_id: id(subnet) }
}

fn new_association(sim: &mut Sim, request: &Request) -> guardrail::ec2::id::AssociationId {
    let Response::Association { association_id } = sim.call(request).unwrap() else { panic!() };
    association_id
}

/// The tables that hold an association which fits.
fn tables_with(sim: &Sim, fits: impl Fn(&Association) -> bool) -> Vec<String> {
    let tables = sim.world().route_tables.unwrap();
    tables
        .iter()
        .filter(|t| t.associations.iter().any(&fits))
        .map(|t| t.route_table_id.to_string())
        .collect()
}

fn table_of(sim: &Sim, subnet: &str) -> Vec<String> {
    tables_with(sim, |a| a.subnet_id.as_ref().is_some_and(|own| *own == *subnet))
}

/// "AssociateRouteTable on an already associated subnet: `Resource.AlreadyAssociated`": it is not
/// moved.
#[test]
fn a_subnet_has_one_table() {
    let mut sim = sim();
    assert_eq!(code(&mut sim, &associate("rtb-b", "subnet-a1")), "Resource.AlreadyAssociated");
    assert_eq!(code(&mut sim, &associate("rtb-x", "subnet-b1")), "InvalidParameterValue");
    new_association(&mut sim, &associate("rtb-b", "subnet-b1"));
    assert_eq!(table_of(&sim, "subnet-b1"), ["rtb-b"]);
}

/// "A subnet with no explicit association uses the main table; DescribeRouteTables then shows
/// nothing for that subnet."
#[test]
fn a_disassociated_subnet_falls_back_to_the_main_table_without_a_trace() {
    let mut sim = sim();
    sim.call(&Request::DisassociateRouteTable { association_id: id("rtbassoc-a1") }).unwrap();
    assert_eq!(table_of(&sim, "subnet-a1"), Vec::<String>::new());
    let again = Request::DisassociateRouteTable { association_id: id("rtbassoc-a1") };
    assert_eq!(code(&mut sim, &again), "InvalidAssociationID.NotFound");
    let main = Request::DisassociateRouteTable { association_id: id("rtbassoc-main") };
    assert_eq!(code(&mut sim, &main), "InvalidParameterValue");
}

/// "Deleting the main table is refused; main can be swapped by ReplaceRouteTableAssociation", which
/// gives a new id.
#[test]
fn replacing_an_association_moves_a_subnet_or_the_vpcs_main() {
    let mut sim = sim();
    let replace = |old: &str| Request::ReplaceRouteTableAssociation {
        association_id: id(old),
        route_table_id: id("rtb-b"),
    };
    let main = new_association(&mut sim, &replace("rtbassoc-main"));
    let subnet = new_association(&mut sim, &replace("rtbassoc-a1"));
    assert_eq!(tables_with(&sim, |a| a.main), ["rtb-b", "rtb-x"]);
    assert_eq!(table_of(&sim, "subnet-a1"), ["rtb-b"]);
    let ids: Vec<_> = table(&sim, "rtb-b")
        .associations
        .into_iter()
        .map(|a| a.route_table_association_id)
        .collect();
    assert_eq!(ids, [Some(main), Some(subnet)]);
    assert_eq!(code(&mut sim, &replace("rtbassoc-main")), "InvalidAssociationID.NotFound");
    assert_eq!(code(&mut sim, &replace("rtbassoc-x")), "InvalidParameterValue");
}

/// "You must disassociate the route table from any subnets before you can delete it. You can't
/// delete the main route table."
#[test]
fn only_a_table_nobody_uses_can_be_deleted() {
    let mut sim = sim();
    let delete = |table: &str| Request::DeleteRouteTable { route_table_id: id(table) };
    for used in ["rtb-main", "rtb-a"] {
        assert_eq!(code(&mut sim, &delete(used)), "DependencyViolation");
    }
    sim.call(&delete("rtb-b")).unwrap();
    assert_eq!(code(&mut sim, &delete("rtb-b")), "InvalidRouteTableID.NotFound");
}

#[test]
fn a_table_that_goes_leaves_its_endpoints() {
    let mut sim = sim();
    sim.call(&Request::DisassociateRouteTable { association_id: id("rtbassoc-a1") }).unwrap();
    sim.call(&Request::DeleteRouteTable { route_table_id: id("rtb-a") }).unwrap();
    assert!(endpoint(&sim, "vpce-s3").unwrap().route_table_ids.is_empty());
}

/// "CreateRouteTable takes a client token", and a new table has the VPC's local routes and no
/// association.
#[test]
fn a_new_table_is_local_only() {
    let mut sim = sim();
    sim.call(&Request::AssociateVpcCidrBlock {
        vpc_id: id("vpc-1"),
        cidr_block: Cidr::from("10.9.0.0/16"),
    })
    .unwrap();
    let request = Request::CreateRouteTable {
        vpc_id: id("vpc-1"),
        client_token: Some("once".to_owned()),
        tags: Vec::new(),
    };
    let Response::RouteTable(made) = sim.call(&request).unwrap() else { panic!() };
    assert_eq!(
        routes(&sim, made.route_table_id.as_str()),
        ["10.0.0.0/16 local active", "10.9.0.0/16 local active"]
    );
    assert_eq!(sim.call(&request).unwrap(), Response::RouteTable(made));
    assert_eq!(routes(&sim, "rtb-a").last().unwrap(), "10.9.0.0/16 local active");
}

/// "Associations with `GatewayId` are edge tables: allowed targets are local, ENI, GWLB endpoint;
/// no prefix lists."
#[test]
fn an_edge_table_leads_inward() {
    let mut sim = sim();
    let associate = |gateway: &str| Request::AssociateGateway {
        route_table_id: id("rtb-b"),
        gateway_id: gateway.to_owned(),
    };
    assert_eq!(code(&mut sim, &associate("igw-none")), "InvalidGatewayID.NotFound");
    sim.call(&associate("igw-1")).unwrap();
    assert_eq!(
        code(&mut sim, &create_route("rtb-b", v4("0.0.0.0/0"), nat("nat-1"))),
        "InvalidParameterValue"
    );
    let eni = RouteTarget::NetworkInterface(id("eni-router"));
    sim.call(&create_route("rtb-b", v4("10.0.0.0/24"), eni)).unwrap();
}

/// "`CreateNatGateway` with `AvailabilityMode=regional`, `VpcId` in place of `SubnetId`; private
/// connectivity isn't available in regional mode."
#[test]
fn a_nat_gateway_is_in_a_subnet_or_regional() {
    let mut sim = sim();
    let regional = CreateNatGateway { vpc_id: Some(id("vpc-1")), ..CreateNatGateway::default() };
    let Response::NatGateway(made) =
        sim.call(&Request::CreateNatGateway(regional.clone())).unwrap()
    else {
        panic!()
    };
    assert_eq!((made.subnet_id, made.vpc_id), (None, Some(id("vpc-1"))));
    let private = CreateNatGateway { connectivity_type: Some(Connectivity::Private), ..regional };
    assert_eq!(code(&mut sim, &Request::CreateNatGateway(private)), "InvalidParameter");
    assert_eq!(
        code(&mut sim, &Request::CreateNatGateway(CreateNatGateway::default())),
        "MissingParameter"
    );
}

#[test]
fn a_subnet_lies_in_its_vpc_and_beside_the_others() {
    let mut sim = sim();
    let create = |cidr: &str| Request::CreateSubnet {
        vpc_id: id("vpc-1"),
        cidr_block: Cidr::from(cidr),
        availability_zone: Some(id("eu-central-1b")),
        tags: vec![Tag::new("Tier", "private")],
    };
    assert_eq!(code(&mut sim, &create("10.0.0.128/25")), "InvalidSubnet.Conflict");
    assert_eq!(code(&mut sim, &create("10.5.0.0/24")), "InvalidSubnet.Range");
    let Response::Subnet(made) = sim.call(&create("10.0.8.0/24")).unwrap() else { panic!() };
    assert_eq!(made.available_ip_address_count, Some(251));
    // DNS64 is off until `ModifySubnetAttribute` turns it on, and always said.
    assert_eq!(made.enable_dns64, Some(false));
    assert_eq!(
        made.subnet_arn,
        Some(format!("arn:aws:ec2:eu-central-1:111122223333:subnet/{}", made.subnet_id))
    );
    let attribute = SubnetAttribute::MapPublicIpOnLaunch(true);
    sim.call(&Request::ModifySubnetAttribute { subnet_id: made.subnet_id.clone(), attribute })
        .unwrap();
    let now = sim
        .world()
        .subnets
        .unwrap()
        .into_iter()
        .find(|subnet| subnet.subnet_id == made.subnet_id)
        .unwrap();
    assert!(now.map_public_ip_on_launch);
}

fn assign_ipv6(subnet: &str, value: bool) -> Request {
    let attribute = SubnetAttribute::AssignIpv6AddressOnCreation(value);
    Request::ModifySubnetAttribute { subnet_id: id(subnet), attribute }
}

/// "Modifies a subnet attribute. You can only modify one attribute at a time."
#[test]
fn each_attribute_of_a_subnet_changes_alone() {
    let mut sim = sim();
    let mut flags = |request: Request| {
        sim.call(&request).unwrap();
        let found = sim.call(&Request::DescribeSubnets(Query::of(["subnet-x1"]))).unwrap();
        let Response::Described { found, .. } = found else { panic!() };
        let subnet = found.subnets.unwrap().pop().unwrap();
        (subnet.map_public_ip_on_launch, subnet.assign_ipv6_address_on_creation)
    };
    let map_public = |value| {
        let attribute = SubnetAttribute::MapPublicIpOnLaunch(value);
        Request::ModifySubnetAttribute { subnet_id: id("subnet-x1"), attribute }
    };
    assert_eq!(flags(map_public(false)), (false, false));
    assert_eq!(flags(assign_ipv6("subnet-x1", true)), (false, true));
    assert_eq!(flags(map_public(true)), (true, true));
    assert_eq!(flags(assign_ipv6("subnet-x1", false)), (true, false));
}

/// "InvalidParameterValue: Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set
/// assign-ipv6-address-on-creation to true unless the subnet (subnet-123) has an IPv6 CIDR block
/// associated with it.": AWS's answer in terraform-aws-modules/terraform-aws-vpc, issue 735.
#[test]
fn ipv6_addresses_need_an_ipv6_block() {
    let mut sim = sim();
    let told = "Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set assign-ipv6-address-on-creation to \
                true unless the subnet (subnet-a1) has an IPv6 CIDR block associated with it.";
    let refused = refusal(&mut sim, &assign_ipv6("subnet-a1", true));
    assert_eq!(refused, ("InvalidParameterValue".to_owned(), told.to_owned()));
    sim.call(&assign_ipv6("subnet-a1", false)).unwrap();
    assert_eq!(code(&mut sim, &assign_ipv6("subnet-9", true)), "InvalidSubnetID.NotFound");

    let mut world = sim.world();
    for subnet in world.subnets.iter_mut().flatten() {
        for block in &mut subnet.ipv6_cidr_block_association_set {
            block.ipv6_cidr_block_state = Some(CidrState { state: "disassociated".into() });
        }
    }
    let mut sim = Sim::new(world, sim.now(), SimOptions::default());
    assert_eq!(code(&mut sim, &assign_ipv6("subnet-x1", true)), "InvalidParameterValue");
}

/// Host names need the resolver: "`EnableDnsHostnames`: you can only enable DNS hostnames if you've
/// enabled DNS support."
#[test]
fn host_names_need_dns_support() {
    let mut sim = sim();
    let set =
        |attribute, value| Request::ModifyVpcAttribute { vpc_id: id("vpc-2"), attribute, value };
    sim.call(&set(DnsAttribute::Support, false)).unwrap();
    assert_eq!(code(&mut sim, &set(DnsAttribute::Hostnames, true)), "InvalidParameterCombination");
    sim.call(&set(DnsAttribute::Support, true)).unwrap();
    sim.call(&set(DnsAttribute::Hostnames, true)).unwrap();
    let attributes = sim.world().vpc_attributes.unwrap();
    let own = attributes.iter().find(|(vpc, _)| **vpc == *"vpc-2").unwrap().1;
    assert_eq!((own.enable_dns_support, own.enable_dns_hostnames), (Some(true), Some(true)));
}

/// "ENIs are requester-managed (visible, not editable)."
#[test]
fn the_source_destination_check_is_changed_on_ones_own_interfaces() {
    let mut sim = sim();
    let set = |eni: &str| Request::ModifyNetworkInterfaceAttribute {
        network_interface_id: id(eni),
        source_dest_check: false,
    };
    sim.call(&set("eni-router")).unwrap();
    let eni = sim.world().network_interfaces.unwrap().pop().unwrap();
    assert_eq!((eni.network_interface_id, eni.source_dest_check), (id("eni-router"), Some(false)));
    assert_eq!(code(&mut sim, &set("eni-ssm")), "OperationNotPermitted");
}

/// "After you disassociate an Elastic IP address, AWS assigns a new public address", unless the
/// interface is to have none. An automatic one is released for good, and an association that is gone
/// is no error.
#[test]
fn an_instance_gets_another_public_address_unless_it_is_to_have_none() {
    let having = |association: &AddressAssociation| {
        let mut world = sim().world();
        let router = world.network_interfaces.iter_mut().flatten();
        let router =
            router.into_iter().find(|eni| eni.network_interface_id == *"eni-router").unwrap();
        router.association = Some(association.clone());
        let instance_id = Some(id("i-1"));
        router.attachment = Some(Attachment { instance_id, device_index: Some(0), status: None });
        Sim::new(world, sim().now(), SimOptions::default())
    };
    let owner = |sim: &Sim| -> Option<String> {
        let interfaces = sim.world().network_interfaces.unwrap();
        let its = interfaces.into_iter().find(|eni| eni.network_interface_id == *"eni-router");
        its?.association?.ip_owner_id
    };
    let elastic = AddressAssociation {
        public_ip: Some("203.0.113.9".to_owned()),
        ip_owner_id: Some("111122223333".to_owned()),
        allocation_id: Some("eipalloc-1".to_owned()),
        association_id: Some("eipassoc-1".to_owned()),
    };
    let take = Request::DisassociateAddress { association_id: id("eipassoc-1") };
    let public_ip =
        |value| Request::AssociatePublicIp { network_interface_id: id("eni-router"), value };
    let mut alone = having(&elastic);
    alone.call(&take).unwrap();
    assert_eq!(owner(&alone).as_deref(), Some("amazon"));
    alone.call(&take).unwrap();
    let mut kept_from_it = having(&elastic);
    kept_from_it.call(&public_ip(false)).unwrap();
    assert_eq!(owner(&kept_from_it).as_deref(), Some("111122223333"));
    kept_from_it.call(&take).unwrap();
    assert_eq!(owner(&kept_from_it), None);
    kept_from_it.call(&public_ip(true)).unwrap();
    assert_eq!(owner(&kept_from_it).as_deref(), Some("amazon"));
    kept_from_it.call(&public_ip(false)).unwrap();
    assert_eq!(owner(&kept_from_it), None);
}

#[test]
fn tags_are_set_by_key_and_deleted_by_key_or_by_value() {
    let mut sim = sim();
    let resources = vec!["vpc-1".to_owned(), "rtb-a".to_owned()];
    let set = |value: &str| Request::CreateTags {
        resources: resources.clone(),
        tags: vec![Tag::new("Tier", value)],
    };
    sim.call(&set("public")).unwrap();
    sim.call(&set("private")).unwrap();
    assert_eq!(table(&sim, "rtb-a").tags, [Tag::new("Tier", "private")]);
    let delete = |value: Option<&str>| Request::DeleteTags {
        resources: resources.clone(),
        tags: vec![("Tier".to_owned(), value.map(str::to_owned))],
    };
    sim.call(&delete(Some("public"))).unwrap();
    assert_eq!(table(&sim, "rtb-a").tags, [Tag::new("Tier", "private")]);
    sim.call(&delete(None)).unwrap();
    assert_eq!(table(&sim, "rtb-a").tags, []);
    let awss = Tag::new("aws:cloudformation:stack-name", "network");
    let tags = vec![awss.clone(), Tag::new("Tier", "private")];
    sim.call(&Request::CreateTags { resources: resources.clone(), tags }).unwrap();
    sim.call(&Request::DeleteTags { resources, tags: Vec::new() }).unwrap();
    assert_eq!(table(&sim, "rtb-a").tags, [awss], "without tags, all of the user's own go");
    let mixed = Request::CreateTags {
        resources: vec!["vpc-1".to_owned(), "vpc-9".to_owned()],
        tags: Vec::new(),
    };
    assert_eq!(code(&mut sim, &mixed), "InvalidID");
}
