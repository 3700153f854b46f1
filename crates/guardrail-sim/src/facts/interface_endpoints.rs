use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::world::EndpointType;

use super::*;
use crate::ModifyVpcEndpoint;

fn interface(service: &str, subnets: &[&str]) -> CreateVpcEndpoint {
    CreateVpcEndpoint {
        vpc_endpoint_type: Some(EndpointType::Interface),
        subnet_ids: ids(subnets),
        private_dns_enabled: Some(false),
        ..CreateVpcEndpoint::new(id("vpc-1"), service)
    }
}

fn with_dns(service: &str) -> CreateVpcEndpoint {
    CreateVpcEndpoint { private_dns_enabled: Some(true), ..interface(service, &[]) }
}

fn create(wanted: CreateVpcEndpoint) -> Request {
    Request::CreateVpcEndpoint(Box::new(wanted))
}

fn modify(change: impl FnOnce(&mut ModifyVpcEndpoint)) -> Request {
    let mut request = ModifyVpcEndpoint::new(id("vpce-ssm"));
    change(&mut request);
    Request::ModifyVpcEndpoint(Box::new(request))
}

/// "Interface ENIs: InterfaceType vpc_endpoint, RequesterManaged, description 'VPC Endpoint
/// Interface vpce-…', endpoint's SGs, IP inside the subnet."
#[test]
fn an_interface_in_each_subnet_with_the_endpoints_groups() {
    let mut sim = sim();
    let wanted = CreateVpcEndpoint {
        security_group_ids: ids(&["sg-web"]),
        ..interface(KMS, &["subnet-a1", "subnet-b1"])
    };
    let made = made_endpoint(&mut sim, wanted);
    let interfaces = interfaces_of(&sim, &made.vpc_endpoint_id);
    let seen: Vec<_> = interfaces
        .iter()
        .map(|eni| (eni.subnet_id.clone().unwrap(), eni.private_ip_address.clone()))
        .collect();
    assert_eq!(
        seen,
        [
            (id("subnet-a1"), Some("10.0.0.5".to_owned())),
            (id("subnet-b1"), Some("10.0.1.4".to_owned()))
        ]
    );
    for eni in &interfaces {
        assert_eq!(eni.interface_type.as_deref(), Some("vpc_endpoint"));
        assert!(eni.requester_managed);
        assert_eq!(eni.groups, made.groups);
    }
    assert_eq!(made.groups.first().unwrap().group_id.as_str(), "sg-web");
    let ids: Vec<_> = interfaces.into_iter().map(|eni| eni.network_interface_id).collect();
    assert_eq!(made.network_interface_ids, ids);
}

/// "Follow Add/RemoveSubnetIds and SG changes"; "removing a subnet deletes its ENI".
#[test]
fn interfaces_follow_subnets_and_groups() {
    let mut sim = sim();
    sim.call(&modify(|change| {
        change.add_subnet_ids = ids(&["subnet-b1"]);
        change.remove_subnet_ids = ids(&["subnet-a1"]);
        change.add_security_group_ids = ids(&["sg-default"]);
        change.remove_security_group_ids = ids(&["sg-web"]);
    }))
    .unwrap();
    let endpoint = endpoint(&sim, "vpce-ssm").unwrap();
    assert_eq!(names(&endpoint.subnet_ids), ["subnet-b1"]);
    let interfaces = interfaces_of(&sim, &endpoint.vpc_endpoint_id);
    assert_eq!(interfaces.len(), 1);
    let eni = interfaces.first().unwrap();
    assert_eq!(
        (eni.subnet_id.clone(), eni.groups.clone()),
        (Some(id("subnet-b1")), endpoint.groups.clone())
    );
    assert_eq!(endpoint.groups.first().unwrap().group_id.as_str(), "sg-default");
    assert_eq!(names(&endpoint.network_interface_ids), names(&[&eni.network_interface_id]));
    let free = |name: &str| {
        let subnet =
            sim.world().subnets.unwrap().into_iter().find(|subnet| subnet.subnet_id == *name);
        subnet.unwrap().available_ip_address_count
    };
    assert_eq!((free("subnet-a1"), free("subnet-b1")), (Some(251), Some(250)));
}

/// "No SG given → VPC default SG."
#[test]
fn without_a_group_it_has_the_vpcs_default() {
    let made = made_endpoint(&mut sim(), interface(KMS, &["subnet-a1"]));
    let groups: Vec<_> = made.groups.into_iter().map(|group| group.group_id).collect();
    assert_eq!(names(&groups), ["sg-default"]);
}

/// "One subnet per AZ per endpoint: `DuplicateSubnetsInSameZone`" ("Found another VPC endpoint
/// subnet in the availability zone of subnet-…").
#[test]
fn one_subnet_in_each_zone() {
    let mut sim = sim();
    assert_eq!(
        code(&mut sim, &create(interface(KMS, &["subnet-a1", "subnet-a2"]))),
        "DuplicateSubnetsInSameZone"
    );
    let (code, message) =
        refusal(&mut sim, &modify(|change| change.add_subnet_ids = ids(&["subnet-a2"])));
    assert_eq!(code, "DuplicateSubnetsInSameZone");
    assert_eq!(message, "Found another VPC endpoint subnet in the availability zone of subnet-a2");
    sim.call(&modify(|change| {
        change.remove_subnet_ids = ids(&["subnet-a1"]);
        change.add_subnet_ids = ids(&["subnet-a2"]);
    }))
    .unwrap();
}

/// "Service not in that AZ: code `InvalidParameter`, 'The VPC endpoint service … does not support
/// the availability zone of the subnet: subnet-…'."
#[test]
fn only_in_zones_the_service_is_in() {
    let (code, message) = refusal(&mut sim(), &create(interface(KMS, &["subnet-a1", "subnet-c1"])));
    assert_eq!(code, "InvalidParameter");
    assert_eq!(
        message,
        "The VPC endpoint service com.amazonaws.eu-central-1.kms does not support the availability zone of the subnet: \
         subnet-c1."
    );
}

#[test]
fn subnets_are_the_vpcs_and_have_an_address_left() {
    let mut sim = sim();
    assert_eq!(code(&mut sim, &create(interface(KMS, &["subnet-x1"]))), "InvalidParameter");
    assert_eq!(
        code(&mut sim, &create(interface(KMS, &["subnet-none"]))),
        "InvalidSubnetID.NotFound"
    );
    assert_eq!(
        code(&mut sim, &create(interface(SSM, &["subnet-c1"]))),
        "InsufficientFreeAddressesInSubnet"
    );
}

/// "Route table ids on an Interface endpoint are refused."
#[test]
fn what_gateways_have_is_not_for_interfaces() {
    let mut sim = sim();
    let wrong = CreateVpcEndpoint { route_table_ids: ids(&["rtb-a"]), ..interface(KMS, &[]) };
    assert_eq!(code(&mut sim, &create(wrong)), "InvalidParameter");
    assert_eq!(
        code(&mut sim, &modify(|change| change.add_route_table_ids = ids(&["rtb-a"]))),
        "InvalidParameter"
    );
    assert_eq!(
        code(&mut sim, &modify(|change| change.add_security_group_ids = ids(&["sg-9"]))),
        "InvalidGroup.NotFound"
    );
}

/// "Conflict with another endpoint of the same service in the VPC: code `InvalidParameter`, text
/// `private-dns-enabled cannot be set because there is already a conflicting DNS domain for <name>
/// in the VPC vpc-…`"; "don't create a private-DNS replacement until the old one is really gone."
#[test]
fn one_endpoint_of_a_service_has_the_private_name_until_it_is_gone() {
    let mut sim = sim();
    let (code, message) = refusal(&mut sim, &create(with_dns(SSM)));
    assert_eq!(code, "InvalidParameter");
    assert_eq!(
        message,
        "private-dns-enabled cannot be set because there is already a conflicting DNS domain for \
         ssm.eu-central-1.amazonaws.com in the VPC vpc-1"
    );
    sim.call(&Request::DeleteVpcEndpoints { vpc_endpoint_ids: ids(&["vpce-ssm"]) }).unwrap();
    assert_eq!(super::code(&mut sim, &create(with_dns(SSM))), "InvalidParameter");
    sim.advance(seconds(60));
    made_endpoint(&mut sim, with_dns(SSM));
}

/// "Needs both `enableDnsSupport` and `enableDnsHostnames` on the VPC."
#[test]
fn private_dns_needs_both_attributes_of_the_vpc() {
    for attribute in [DnsAttribute::Support, DnsAttribute::Hostnames] {
        let mut sim = sim();
        sim.call(&Request::ModifyVpcAttribute { vpc_id: id("vpc-1"), attribute, value: false })
            .unwrap();
        assert_eq!(code(&mut sim, &create(with_dns(KMS))), "InvalidParameter");
        assert_eq!(
            code(&mut sim, &modify(|change| change.private_dns_enabled = Some(true))),
            "InvalidParameter"
        );
        made_endpoint(&mut sim, interface(KMS, &[]));
    }
}

/// "DynamoDB interface endpoint: private DNS is not supported": `InvalidParameter`, "Private DNS
/// can't be enabled because the service … does not provide a private DNS name".
#[test]
fn private_dns_needs_a_name() {
    let (code, message) = refusal(&mut sim(), &create(with_dns(DYNAMODB)));
    assert_eq!(code, "InvalidParameter");
    assert_eq!(
        message,
        "Private DNS can't be enabled because the service com.amazonaws.eu-central-1.dynamodb does not provide a private \
         DNS name."
    );
}

/// "Set `PrivateDnsEnabled` explicitly. The model states no default; the effect of leaving it out
/// was reported as true."
#[test]
fn private_dns_left_out_is_on_where_there_is_a_name() {
    let mut sim = sim();
    let unsaid =
        |service: &str| CreateVpcEndpoint { private_dns_enabled: None, ..interface(service, &[]) };
    assert!(made_endpoint(&mut sim, unsaid(KMS)).private_dns_enabled);
    assert!(!made_endpoint(&mut sim, unsaid(DYNAMODB)).private_dns_enabled);
}

#[test]
fn private_dns_is_turned_off_and_on() {
    let mut sim = sim();
    for on in [false, true] {
        sim.call(&modify(|change| change.private_dns_enabled = Some(on))).unwrap();
        assert_eq!(endpoint(&sim, "vpce-ssm").unwrap().private_dns_enabled, on);
    }
}

/// "S3 interface + private DNS: `PrivateDnsOnlyForInboundResolverEndpoint` is on by default and
/// then requires a gateway endpoint for S3 in the VPC."
#[test]
fn s3s_interface_leans_on_its_gateway() {
    let mut sim = sim();
    sim.call(&Request::DeleteVpcEndpoints { vpc_endpoint_ids: ids(&["vpce-s3"]) }).unwrap();
    let (code, message) = refusal(&mut sim, &create(with_dns(S3)));
    assert_eq!(code, "InvalidParameter");
    assert_eq!(
        message,
        "To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC vpc-1 must have a Gateway endpoint for the service."
    );
    made_endpoint(
        &mut sim,
        CreateVpcEndpoint { inbound_resolver_only: Some(false), ..with_dns(S3) },
    );
}

/// "With it on, in-VPC names keep resolving to public S3 addresses"; "for API/CLI too: left out = true
/// when private DNS is on for an S3 interface endpoint"; "absent, not false, on other services".
#[test]
fn s3s_private_name_is_for_inbound_resolvers_unless_told_otherwise() {
    let mut sim = sim();
    let options = |sim: &mut Sim, said| {
        let wanted = CreateVpcEndpoint { inbound_resolver_only: said, ..with_dns(S3) };
        let made = made_endpoint(sim, wanted);
        let gone =
            Request::DeleteVpcEndpoints { vpc_endpoint_ids: vec![made.vpc_endpoint_id.clone()] };
        sim.call(&gone).unwrap();
        sim.advance(seconds(600));
        (made.holds_name_in_vpc(), made.is_for_inbound_resolvers())
    };
    assert_eq!(options(&mut sim, None), (false, true));
    assert_eq!(options(&mut sim, Some(true)), (false, true));
    assert_eq!(options(&mut sim, Some(false)), (true, false));
    assert_eq!(endpoint(&sim, "vpce-ssm").unwrap().dns_options, None);
    let refused = CreateVpcEndpoint { inbound_resolver_only: Some(false), ..with_dns(KMS) };
    assert_eq!(code(&mut sim, &create(refused)), "InvalidParameter");
}
