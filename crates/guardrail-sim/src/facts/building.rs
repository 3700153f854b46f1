use guardrail::ec2::world::{
    DhcpConfiguration, DhcpValue, IpPermission, NetworkAclEntry, RouteState, RuleAction, Tag, Vpc,
};

use super::*;
use crate::{GroupRule, NetworkCall, Query, empty_world};

fn nothing() -> Sim {
    let world = empty_world(&id("111122223333"), &id("eu-central-1"));
    Sim::new(world, "2026-11-22T12:00:00Z".parse().unwrap(), SimOptions::default())
}

fn create(cidr: &str, v6: bool) -> Request {
    Request::Network(NetworkCall::CreateVpc {
        cidr_block: cidr.into(),
        amazon_provided_ipv6_cidr_block: v6,
        tags: vec![Tag::new("Name", "one")],
    })
}

fn made(sim: &mut Sim, cidr: &str) -> Vpc {
    let Response::Vpc(vpc) = sim.call(&create(cidr, false)).unwrap() else { panic!() };
    vpc
}

fn delete(vpc: &Vpc) -> Request {
    Request::Network(NetworkCall::DeleteVpc { vpc_id: vpc.vpc_id.clone() })
}

fn subnet(sim: &mut Sim, vpc: &Vpc, cidr: &str) -> guardrail::ec2::world::Subnet {
    let request = Request::CreateSubnet {
        vpc_id: vpc.vpc_id.clone(),
        cidr_block: cidr.into(),
        availability_zone: None,
        tags: Vec::new(),
    };
    let Response::Subnet(subnet) = sim.call(&request).unwrap() else { panic!() };
    subnet
}

fn igw(sim: &mut Sim) -> guardrail::ec2::id::InternetGatewayId {
    let request = Request::Network(NetworkCall::CreateInternetGateway { tags: Vec::new() });
    let Response::InternetGateway(gateway) = sim.call(&request).unwrap() else { panic!() };
    gateway.internet_gateway_id
}

fn attach(gateway: &guardrail::ec2::id::InternetGatewayId, vpc: &Vpc) -> Request {
    Request::Network(NetworkCall::AttachInternetGateway {
        internet_gateway_id: gateway.clone(),
        vpc_id: vpc.vpc_id.clone(),
    })
}

fn detach(gateway: &guardrail::ec2::id::InternetGatewayId, vpc: &Vpc) -> Request {
    Request::Network(NetworkCall::DetachInternetGateway {
        internet_gateway_id: gateway.clone(),
        vpc_id: vpc.vpc_id.clone(),
    })
}

/// "When you create a VPC, it has a main route table", "a default network ACL" that "allows all
/// inbound and outbound traffic", "a default security group" that admits itself, and DNS support
/// without DNS hostnames.
#[test]
fn a_new_vpc_has_what_aws_makes_along_with_it() {
    let mut sim = nothing();
    let vpc = made(&mut sim, "10.0.0.7/16");
    assert_eq!(vpc.cidr_block, Some(Cidr::from("10.0.0.0/16")));
    assert_eq!(vpc.owner_id, Some(id("111122223333")));
    let world = sim.world();
    let table = &world.route_tables.unwrap()[0];
    assert!(table.associations[0].main);
    let main = table.route_table_id.as_str();
    assert_eq!(routes(&sim, main), ["10.0.0.0/16 local active"]);
    let acl = &world.network_acls.unwrap()[0];
    let line =
        |it: &NetworkAclEntry| (it.rule_number, it.egress, it.rule_action == RuleAction::Allow);
    let mut lines: Vec<_> = acl.entries.iter().map(line).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [(100, false, true), (100, true, true), (32767, false, false), (32767, true, false)]
    );
    let group = &world.security_groups.unwrap()[0];
    let pair = &group.ip_permissions[0].user_id_group_pairs[0];
    assert_eq!(
        (group.group_name.as_str(), &pair.group_id),
        ("default", &Some(group.group_id.clone()))
    );
    let attributes = world.vpc_attributes.unwrap()[&vpc.vpc_id];
    assert_eq!(attributes.enable_dns_support, Some(true));
    assert_eq!(attributes.enable_dns_hostnames, Some(false));
    assert_eq!(vpc.dhcp_options_id, Some(id("dopt-0000000000000000d")));
}

/// "The allowed block size is between a /28 netmask (16 IP addresses) and /16 netmask".
#[test]
fn a_block_is_between_16_and_28() {
    let mut sim = nothing();
    assert_eq!(code(&mut sim, &create("10.0.0.0/15", false)), "InvalidVpc.Range");
    assert_eq!(code(&mut sim, &create("10.0.0.0/29", false)), "InvalidVpc.Range");
    assert_eq!(code(&mut sim, &create("10.0.0.0", false)), "InvalidParameterValue");
    let Response::Vpc(vpc) = sim.call(&create("10.0.0.0/28", true)).unwrap() else { panic!() };
    let v6 = &vpc.ipv6_cidr_block_association_set[0].ipv6_cidr_block;
    let main = sim.world().route_tables.unwrap()[0].route_table_id.to_string();
    assert_eq!(
        routes(&sim, &main),
        ["10.0.0.0/28 local active".to_owned(), format!("{v6} local active")]
    );
}

/// "You must detach or delete all gateways and resources that are associated with the VPC before you
/// can delete it. … When you delete the VPC, it deletes the default security group, network ACL, and
/// route table for the VPC."
#[test]
fn a_vpc_goes_when_nothing_is_left_in_it() {
    let mut sim = nothing();
    let vpc = made(&mut sim, "10.0.0.0/16");
    let subnet = subnet(&mut sim, &vpc, "10.0.1.0/24");
    assert_eq!(subnet.availability_zone.as_str(), "eu-central-1a");
    assert_eq!(code(&mut sim, &delete(&vpc)), "DependencyViolation");
    let gone = NetworkCall::DeleteSubnet { subnet_id: subnet.subnet_id.clone() };
    sim.call(&Request::Network(gone.clone())).unwrap();
    assert_eq!(code(&mut sim, &Request::Network(gone)), "InvalidSubnetID.NotFound");
    let gateway = igw(&mut sim);
    sim.call(&attach(&gateway, &vpc)).unwrap();
    assert_eq!(code(&mut sim, &delete(&vpc)), "DependencyViolation");
    sim.call(&detach(&gateway, &vpc)).unwrap();
    let group = Request::CreateSecurityGroup {
        group_name: "web".to_owned(),
        description: "web".to_owned(),
        vpc_id: vpc.vpc_id.clone(),
        tags: Vec::new(),
    };
    let Response::SecurityGroup { group_id } = sim.call(&group).unwrap() else { panic!() };
    assert_eq!(code(&mut sim, &delete(&vpc)), "DependencyViolation");
    sim.call(&Request::Network(NetworkCall::DeleteSecurityGroup { group_id })).unwrap();
    sim.call(&delete(&vpc)).unwrap();
    let left = sim.world();
    assert_eq!((left.vpcs, left.route_tables), (Some(Vec::new()), Some(Vec::new())));
    assert_eq!((left.network_acls, left.security_groups), (Some(Vec::new()), Some(Vec::new())));
    assert_eq!(left.vpc_attributes, Some(Default::default()));
    assert_eq!(code(&mut sim, &delete(&vpc)), "InvalidVpcID.NotFound");
}

/// "You must terminate all running instances in the subnet before you can delete the subnet."
#[test]
fn a_subnet_with_an_interface_stays() {
    let mut sim = sim();
    let delete =
        |subnet: &str| Request::Network(NetworkCall::DeleteSubnet { subnet_id: id(subnet) });
    assert_eq!(code(&mut sim, &delete("subnet-a1")), "DependencyViolation");
    sim.call(&delete("subnet-b1")).unwrap();
    let bound = sim.world().network_acls.unwrap().into_iter().flat_map(|acl| acl.associations);
    assert!(!bound.into_iter().any(|it| it.subnet_id == *"subnet-b1"));
}

/// A gateway is attached to one VPC and a VPC has one; routes to one that is detached are blackholes;
/// one that is attached is not deleted.
#[test]
fn an_internet_gateway_is_attached_to_one_vpc() {
    let mut sim = nothing();
    let (one, two) = (made(&mut sim, "10.0.0.0/16"), made(&mut sim, "10.1.0.0/16"));
    let (first, second) = (igw(&mut sim), igw(&mut sim));
    let delete = |gateway: &guardrail::ec2::id::InternetGatewayId| {
        Request::Network(NetworkCall::DeleteInternetGateway {
            internet_gateway_id: gateway.clone(),
        })
    };
    assert_eq!(code(&mut sim, &detach(&first, &one)), "Gateway.NotAttached");
    sim.call(&attach(&first, &one)).unwrap();
    assert_eq!(code(&mut sim, &attach(&first, &two)), "Resource.AlreadyAssociated");
    assert_eq!(code(&mut sim, &attach(&second, &one)), "InvalidParameter");
    assert_eq!(code(&mut sim, &delete(&first)), "DependencyViolation");
    let main = sim.world().route_tables.unwrap()[0].route_table_id.to_string();
    let target = RouteTarget::InternetGateway(first.to_string());
    let unattached = RouteTarget::InternetGateway(second.to_string());
    let refused = create_route(&main, v4("0.0.0.0/0"), unattached);
    assert_eq!(code(&mut sim, &refused), "InvalidParameterValue");
    sim.call(&create_route(&main, v4("0.0.0.0/0"), target)).unwrap();
    assert_eq!(code(&mut sim, &detach(&first, &two)), "Gateway.NotAttached");
    sim.call(&detach(&first, &one)).unwrap();
    assert_eq!(table(&sim, &main).routes[1].state, Some(RouteState::Blackhole));
    sim.call(&attach(&first, &one)).unwrap();
    assert_eq!(table(&sim, &main).routes[1].state, Some(RouteState::Active));
    sim.call(&detach(&first, &one)).unwrap();
    sim.call(&delete(&first)).unwrap();
    assert_eq!(code(&mut sim, &attach(&first, &one)), "InvalidInternetGatewayID.NotFound");
    let listed = sim.call(&Request::DescribeInternetGateways(Query::default())).unwrap();
    let Response::Described { found, .. } = listed else { panic!() };
    let listed = found.internet_gateways.unwrap();
    assert_eq!(listed.iter().map(|it| &it.internet_gateway_id).collect::<Vec<_>>(), [&second]);
}

/// "Unique, case-sensitive identifier that you provide to ensure the idempotency of the request."
#[test]
fn an_egress_only_gateway_is_made_once_for_a_token() {
    let mut sim = nothing();
    let vpc = made(&mut sim, "10.0.0.0/16");
    let request = Request::Network(NetworkCall::CreateEgressOnlyInternetGateway {
        vpc_id: vpc.vpc_id.clone(),
        client_token: Some("t".to_owned()),
        tags: Vec::new(),
    });
    let first = sim.call(&request).unwrap();
    assert_eq!(sim.call(&request).unwrap(), first);
    let Response::EgressOnlyInternetGateway(gateway) = first else { panic!() };
    assert_eq!(gateway.vpc(), Some(&vpc.vpc_id));
    let delete = Request::Network(NetworkCall::DeleteEgressOnlyInternetGateway {
        egress_only_internet_gateway_id: gateway.egress_only_internet_gateway_id,
    });
    assert_eq!(code(&mut sim, &self::delete(&vpc)), "DependencyViolation");
    sim.call(&delete).unwrap();
    assert_eq!(code(&mut sim, &delete), "InvalidGatewayID.NotFound");
    sim.call(&self::delete(&vpc)).unwrap();
}

fn delete_group(group: &str) -> Request {
    Request::Network(NetworkCall::DeleteSecurityGroup { group_id: id(group) })
}

/// "If you attempt to delete a security group that is associated with an instance or network
/// interface, or is referenced by another security group …, the operation fails with
/// `DependencyViolation`." "You can't delete a default security group": `CannotDelete`.
#[test]
fn a_group_in_use_and_the_default_group_stay() {
    let mut sim = sim();
    assert_eq!(code(&mut sim, &delete_group("sg-web")), "DependencyViolation");
    assert_eq!(code(&mut sim, &delete_group("sg-default")), "CannotDelete");
    assert_eq!(code(&mut sim, &delete_group("sg-9")), "InvalidGroup.NotFound");
}

fn rules(sim: &mut Sim, query: Query) -> Vec<GroupRule> {
    let call = Request::Network(NetworkCall::DescribeSecurityGroupRules(query));
    let Response::Rules { found, .. } = sim.call(&call).unwrap() else { panic!() };
    found
}

/// "Describes one or more of your security group rules", one for each peer; a rule can be revoked by
/// its id.
#[test]
fn rules_are_described_and_revoked_one_by_one() {
    let mut sim = sim();
    let permission = |text: &str| serde_json::from_str::<IpPermission>(text).unwrap();
    let two = permission(
        r#"{"IpProtocol":"tcp","FromPort":80,"ToPort":80,"IpRanges":[{"CidrIp":"10.1.0.0/16"},{"CidrIp":"10.2.0.0/16"}]}"#,
    );
    let add = Request::AuthorizeSecurityGroupIngress {
        group_id: id("sg-web"),
        ip_permissions: vec![two],
    };
    sim.call(&add).unwrap();
    let found = rules(&mut sim, Query::by("group-id", ["sg-web"]));
    let line = |rule: &GroupRule| {
        let peer = rule.permission.ip_ranges[0].cidr_ip.to_string();
        (rule.is_egress, rule.permission.to_port, peer)
    };
    assert_eq!(
        found.iter().map(line).collect::<Vec<_>>(),
        [
            (false, Some(443), "10.0.0.0/16".to_owned()),
            (false, Some(80), "10.1.0.0/16".to_owned()),
            (false, Some(80), "10.2.0.0/16".to_owned()),
            (true, None, "0.0.0.0/0".to_owned()),
        ]
    );
    let one = found[1].security_group_rule_id.clone();
    assert_eq!(rules(&mut sim, Query::of([one.clone()])), [found[1].clone()]);
    let revoke = |rule: &str| {
        Request::Network(NetworkCall::RevokeRules {
            group_id: id("sg-web"),
            security_group_rule_ids: vec![rule.to_owned()],
        })
    };
    sim.call(&revoke(&one)).unwrap();
    assert_eq!(rules(&mut sim, Query::by("group-id", ["sg-web"])).len(), 3);
    assert_eq!(code(&mut sim, &revoke(&one)), "InvalidSecurityGroupRuleId.NotFound");
}

/// "By default, a custom network ACL denies all inbound and outbound traffic until you add rules."
/// "You can't delete the ACL if it's associated with any subnets. You can't delete the default network
/// ACL."
#[test]
fn a_network_acl_of_ones_own_denies_and_goes_when_no_subnet_is_under_it() {
    let mut sim = sim();
    let create = Request::Network(NetworkCall::CreateNetworkAcl {
        vpc_id: id("vpc-2"),
        client_token: Some("t".to_owned()),
        tags: Vec::new(),
    });
    let Response::NetworkAcl(acl) = sim.call(&create).unwrap() else { panic!() };
    assert_eq!(sim.call(&create).unwrap(), Response::NetworkAcl(acl.clone()));
    let mut numbers: Vec<_> = acl.entries.iter().map(|it| (it.rule_number, it.egress)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [(32767, false), (32767, true), (32768, false), (32768, true)]);
    assert!(acl.entries.iter().all(|it| it.rule_action == RuleAction::Deny));
    let delete =
        |acl: &str| Request::Network(NetworkCall::DeleteNetworkAcl { network_acl_id: id(acl) });
    assert_eq!(code(&mut sim, &delete("acl-1")), "InvalidParameter");
    let bind = Request::ReplaceNetworkAclAssociation {
        association_id: id("aclassoc-x1"),
        network_acl_id: acl.network_acl_id.clone(),
    };
    sim.call(&bind).unwrap();
    assert_eq!(code(&mut sim, &delete(acl.network_acl_id.as_str())), "DependencyViolation");
}

/// "You must disassociate the set of DHCP options before you can delete it."
#[test]
fn a_set_of_dhcp_options_is_made_and_goes_when_no_vpc_has_it() {
    let mut sim = nothing();
    let vpc = made(&mut sim, "10.0.0.0/16");
    let create = |key: &str, values: &[&str]| {
        let values = values.iter().map(|value| DhcpValue { value: (*value).to_owned() }).collect();
        Request::Network(NetworkCall::CreateDhcpOptions {
            dhcp_configurations: vec![DhcpConfiguration { key: key.to_owned(), values }],
            tags: Vec::new(),
        })
    };
    assert_eq!(code(&mut sim, &create("colour", &["red"])), "InvalidParameterValue");
    assert_eq!(code(&mut sim, &create("domain-name", &[])), "InvalidParameterValue");
    let made = sim.call(&create("domain-name-servers", &["10.0.0.5"])).unwrap();
    let Response::DhcpOptions(set) = made else { panic!() };
    let delete = Request::Network(NetworkCall::DeleteDhcpOptions {
        dhcp_options_id: set.dhcp_options_id.clone(),
    });
    let associate = |set: guardrail::ec2::id::DhcpOptionsId| Request::AssociateDhcpOptions {
        dhcp_options_id: set,
        vpc_id: vpc.vpc_id.clone(),
    };
    sim.call(&associate(set.dhcp_options_id)).unwrap();
    assert_eq!(code(&mut sim, &delete), "DependencyViolation");
    sim.call(&associate(id("default"))).unwrap();
    sim.call(&delete).unwrap();
    assert_eq!(code(&mut sim, &delete), "InvalidDhcpOptionID.NotFound");
}
