//! From the wire's parameters to a call. Names are those of botocore's model of the API of
//! 2016-11-15.

use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::world::{
    Connectivity, Destination, EndpointType, GroupPair, IpAddressType, IpPermission, IpRange,
    Ipv6Range, NetworkAclEntry, PermissionPrefixList, PortRange, RuleAction, Tag,
};

use super::building;
use super::parameters::{Parameters, missing};
use crate::ec2::errors::ApiError;
use crate::ec2::request::{
    CreateNatGateway, CreateVpcEndpoint, Filter, ModifyVpcEndpoint, Query, Request,
    SubnetAttribute, gateway_parameter,
};

/// The call that the parameters ask for.
///
/// # Errors
/// EC2's refusal of an action, a parameter or a value that it does not know, or of a parameter that
/// is missing.
pub(crate) fn read(action: &str, mut parameters: Parameters) -> Result<Request, ApiError> {
    let dry_run = match action {
        "ModifyVpcAttribute" | "ModifySubnetAttribute" | "AssociateVpcCidrBlock" => false,
        _ => parameters.flag("DryRun")?.unwrap_or(false),
    };
    let reads = action.starts_with("Describe") || action.starts_with("Get");
    let request = match building::read(action, &mut parameters)? {
        Some(request) => request,
        None if reads => reading(action, &mut parameters)?,
        None => writing(action, &mut parameters)?,
    };
    parameters.finish()?;
    Ok(if dry_run { Request::DryRun(Box::new(request)) } else { request })
}

fn invalid_action(action: &str) -> ApiError {
    ApiError::new(
        "InvalidAction",
        format!("The action {action} is not valid for this web service."),
    )
}

fn reading(action: &str, p: &mut Parameters) -> Result<Request, ApiError> {
    Ok(match action {
        "DescribeVpcs" => Request::DescribeVpcs(query("VpcId", p)?),
        "DescribeSubnets" => Request::DescribeSubnets(query("SubnetId", p)?),
        "DescribeRouteTables" => Request::DescribeRouteTables(query("RouteTableId", p)?),
        "DescribeVpcEndpoints" => Request::DescribeVpcEndpoints(query("VpcEndpointId", p)?),
        "DescribeNatGateways" => Request::DescribeNatGateways(query("NatGatewayId", p)?),
        "DescribeSecurityGroups" => {
            let names = p.texts("GroupName")?;
            let mut query = query("GroupId", p)?;
            if !names.is_empty() {
                query.filters.push(Filter { name: "group-name".to_owned(), values: names });
            }
            Request::DescribeSecurityGroups(query)
        }
        "DescribeNetworkAcls" => Request::DescribeNetworkAcls(query("NetworkAclId", p)?),
        "DescribeDhcpOptions" => Request::DescribeDhcpOptions(query("DhcpOptionsId", p)?),
        "DescribeNetworkInterfaces" => {
            p.ignore(&["IncludeManagedResources"]);
            Request::DescribeNetworkInterfaces(query("NetworkInterfaceId", p)?)
        }
        "DescribeInstances" => {
            p.ignore(&["IncludeManagedResources"]);
            Request::DescribeInstances(query("InstanceId", p)?)
        }
        "DescribeInternetGateways" => {
            Request::DescribeInternetGateways(query("InternetGatewayId", p)?)
        }
        "DescribeEgressOnlyInternetGateways" => {
            Request::DescribeEgressOnlyInternetGateways(query("EgressOnlyInternetGatewayId", p)?)
        }
        "DescribePrefixLists" => Request::DescribePrefixLists(query("PrefixListId", p)?),
        "DescribeManagedPrefixLists" => {
            Request::DescribeManagedPrefixLists(query("PrefixListId", p)?)
        }
        "DescribeVpcEndpointServices" => {
            Request::DescribeVpcEndpointServices(query("ServiceName", p)?)
        }
        "DescribeVpcAttribute" => vpc_attribute(p)?,
        "GetManagedPrefixListEntries" => {
            p.ignore(&["MaxResults", "NextToken", "TargetVersion"]);
            Request::GetManagedPrefixListEntries { prefix_list_id: p.id("PrefixListId")? }
        }
        _ => return Err(invalid_action(action)),
    })
}

pub(crate) fn query(ids: &str, p: &mut Parameters) -> Result<Query, ApiError> {
    let mut filters = Vec::new();
    for mut filter in p.groups("Filter")? {
        filters.push(Filter { name: filter.required("Name")?, values: filter.texts("Value")? });
        filter.finish()?;
    }
    Ok(Query {
        ids: p.texts(ids)?,
        filters,
        max_results: p.number("MaxResults")?,
        next_token: p.text("NextToken"),
    })
}

fn vpc_attribute(p: &mut Parameters) -> Result<Request, ApiError> {
    let attribute = match p.required("Attribute")?.as_str() {
        "enableDnsSupport" => DnsAttribute::Support,
        "enableDnsHostnames" => DnsAttribute::Hostnames,
        other => {
            let message =
                format!("Value ({other}) for parameter attribute is invalid. Unknown attribute.");
            return Err(ApiError::invalid_value(message));
        }
    };
    Ok(Request::DescribeVpcAttribute { vpc_id: p.id("VpcId")?, attribute })
}

fn writing(action: &str, p: &mut Parameters) -> Result<Request, ApiError> {
    Ok(match action {
        "CreateRoute" | "ReplaceRoute" | "DeleteRoute" => route(action, p)?,
        "CreateRouteTable" => Request::CreateRouteTable {
            vpc_id: p.id("VpcId")?,
            client_token: p.text("ClientToken"),
            tags: specified_tags("route-table", p)?,
        },
        "DeleteRouteTable" => Request::DeleteRouteTable { route_table_id: p.id("RouteTableId")? },
        "AssociateRouteTable" => associate(p)?,
        "DisassociateRouteTable" => {
            Request::DisassociateRouteTable { association_id: p.id("AssociationId")? }
        }
        "ReplaceRouteTableAssociation" => Request::ReplaceRouteTableAssociation {
            association_id: p.id("AssociationId")?,
            route_table_id: p.id("RouteTableId")?,
        },
        "CreateVpcEndpoint" => create_endpoint(p)?,
        "ModifyVpcEndpoint" => modify_endpoint(p)?,
        "DeleteVpcEndpoints" => Request::DeleteVpcEndpoints {
            vpc_endpoint_ids: not_empty("VpcEndpointId", p.ids("VpcEndpointId")?)?,
        },
        "CreateNatGateway" => create_nat_gateway(p)?,
        "DeleteNatGateway" => Request::DeleteNatGateway { nat_gateway_id: p.id("NatGatewayId")? },
        "CreateSubnet" => Request::CreateSubnet {
            vpc_id: p.id("VpcId")?,
            cidr_block: Cidr::from(p.required("CidrBlock")?),
            availability_zone: zone(p)?,
            tags: specified_tags("subnet", p)?,
        },
        "ModifySubnetAttribute" => modify_subnet_attribute(p)?,
        "ModifyVpcAttribute" => modify_vpc_attribute(p)?,
        "AssociateVpcCidrBlock" => {
            p.ignore(&["Ipv6Pool", "Ipv6CidrBlockNetworkBorderGroup"]);
            let block = match p.text("CidrBlock") {
                Some(block) => block,
                None => p.text("Ipv6CidrBlock").ok_or_else(|| missing("CidrBlock"))?,
            };
            Request::AssociateVpcCidrBlock { vpc_id: p.id("VpcId")?, cidr_block: Cidr::from(block) }
        }
        "ModifyNetworkInterfaceAttribute" => interface_attribute(p)?,
        "DisassociateAddress" => {
            Request::DisassociateAddress { association_id: p.id("AssociationId")? }
        }
        "CreateNetworkAclEntry"
        | "ReplaceNetworkAclEntry"
        | "DeleteNetworkAclEntry"
        | "ReplaceNetworkAclAssociation" => network_acl(action, p)?,
        "CreateSecurityGroup" | "AuthorizeSecurityGroupIngress" | "RevokeSecurityGroupIngress" => {
            security_group(action, p)?
        }
        "AssociateDhcpOptions" => Request::AssociateDhcpOptions {
            dhcp_options_id: p.id("DhcpOptionsId")?,
            vpc_id: p.id("VpcId")?,
        },
        "CreateTags" => Request::CreateTags {
            resources: not_empty("ResourceId", p.texts("ResourceId")?)?,
            tags: not_empty("Tag", tags(p)?)?,
        },
        "DeleteTags" => delete_tags(p)?,
        _ => return Err(invalid_action(action)),
    })
}

pub(crate) fn not_empty<T>(name: &str, list: Vec<T>) -> Result<Vec<T>, ApiError> {
    if list.is_empty() { Err(missing(name)) } else { Ok(list) }
}

fn route(action: &str, p: &mut Parameters) -> Result<Request, ApiError> {
    let route_table_id = p.id("RouteTableId")?;
    let destination = destination(p)?;
    if action == "DeleteRoute" {
        return Ok(Request::DeleteRoute { route_table_id, destination });
    }
    let target = target(p)?;
    Ok(match action {
        "CreateRoute" => Request::CreateRoute { route_table_id, destination, target },
        _ => Request::ReplaceRoute { route_table_id, destination, target },
    })
}

fn destination(p: &mut Parameters) -> Result<Destination, ApiError> {
    let given = [
        p.text("DestinationCidrBlock").map(|text| Destination::CidrBlock(Cidr::from(text))),
        p.text("DestinationIpv6CidrBlock").map(|text| Destination::Ipv6CidrBlock(Cidr::from(text))),
        p.maybe_id("DestinationPrefixListId")?.map(Destination::PrefixList),
    ];
    only_one(given).ok_or_else(|| {
        let names = "destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId";
        ApiError::new(
            "MissingParameter",
            format!("The request must contain exactly one of {names}"),
        )
    })
}

fn target(p: &mut Parameters) -> Result<RouteTarget, ApiError> {
    let local = p.flag("LocalTarget")?.unwrap_or(false);
    let given = [
        p.text("GatewayId").map(gateway_parameter),
        p.maybe_id("NatGatewayId")?.map(RouteTarget::NatGateway),
        p.text("EgressOnlyInternetGatewayId").map(RouteTarget::EgressOnlyInternetGateway),
        p.maybe_id("InstanceId")?.map(RouteTarget::Instance),
        p.maybe_id("NetworkInterfaceId")?.map(RouteTarget::NetworkInterface),
        p.text("TransitGatewayId").map(RouteTarget::TransitGateway),
        p.text("VpcPeeringConnectionId").map(RouteTarget::VpcPeeringConnection),
        p.maybe_id("VpcEndpointId")?.map(RouteTarget::VpcEndpoint),
        p.text("LocalGatewayId").map(RouteTarget::LocalGateway),
        p.text("CarrierGatewayId").map(RouteTarget::CarrierGateway),
        p.text("CoreNetworkArn").map(RouteTarget::CoreNetwork),
        p.text("OdbNetworkArn").map(RouteTarget::OdbNetwork),
        local.then_some(RouteTarget::Local),
    ];
    only_one(given).ok_or_else(|| {
        let message =
            "The request must contain exactly one target, such as gatewayId, natGatewayId or networkInterfaceId";
        ApiError::new("MissingParameter", message)
    })
}

/// The one that is given; `None` for none and for several.
fn only_one<T, const N: usize>(given: [Option<T>; N]) -> Option<T> {
    let mut given = given.into_iter().flatten();
    given.next().filter(|_| given.next().is_none())
}

fn associate(p: &mut Parameters) -> Result<Request, ApiError> {
    let route_table_id = p.id("RouteTableId")?;
    match (p.maybe_id("SubnetId")?, p.text("GatewayId")) {
        (Some(subnet_id), None) => Ok(Request::AssociateRouteTable { route_table_id, subnet_id }),
        (None, Some(gateway_id)) => Ok(Request::AssociateGateway { route_table_id, gateway_id }),
        (Some(_), Some(_)) | (None, None) => Err(ApiError::new(
            "MissingParameter",
            "The request must contain exactly one of subnetId or gatewayId",
        )),
    }
}

fn create_endpoint(p: &mut Parameters) -> Result<Request, ApiError> {
    Ok(Request::CreateVpcEndpoint(Box::new(CreateVpcEndpoint {
        vpc_id: p.id("VpcId")?,
        service_name: p.required("ServiceName")?,
        vpc_endpoint_type: p.text("VpcEndpointType").map(EndpointType::from),
        route_table_ids: p.ids("RouteTableId")?,
        subnet_ids: p.ids("SubnetId")?,
        security_group_ids: p.ids("SecurityGroupId")?,
        private_dns_enabled: p.flag("PrivateDnsEnabled")?,
        inbound_resolver_only: dns_options(p)?,
        policy_document: p.text("PolicyDocument"),
        ip_address_type: p.text("IpAddressType").map(IpAddressType::from),
        client_token: p.text("ClientToken"),
        tags: specified_tags("vpc-endpoint", p)?,
    })))
}

/// The one of an endpoint's DNS options that decides whether a call succeeds.
fn dns_options(p: &mut Parameters) -> Result<Option<bool>, ApiError> {
    let mut options = p.group("DnsOptions")?;
    let inbound_only = options.flag("PrivateDnsOnlyForInboundResolverEndpoint")?;
    options.ignore(&["DnsRecordIpType", "PrivateDnsPreference", "PrivateDnsSpecifiedDomain"]);
    options.finish()?;
    Ok(inbound_only)
}

fn modify_endpoint(p: &mut Parameters) -> Result<Request, ApiError> {
    let inbound_resolver_only = dns_options(p)?;
    Ok(Request::ModifyVpcEndpoint(Box::new(ModifyVpcEndpoint {
        vpc_endpoint_id: p.id("VpcEndpointId")?,
        add_route_table_ids: p.ids("AddRouteTableId")?,
        remove_route_table_ids: p.ids("RemoveRouteTableId")?,
        add_subnet_ids: p.ids("AddSubnetId")?,
        remove_subnet_ids: p.ids("RemoveSubnetId")?,
        add_security_group_ids: p.ids("AddSecurityGroupId")?,
        remove_security_group_ids: p.ids("RemoveSecurityGroupId")?,
        private_dns_enabled: p.flag("PrivateDnsEnabled")?,
        inbound_resolver_only,
        policy_document: p.text("PolicyDocument"),
        reset_policy: p.flag("ResetPolicy")?.unwrap_or(false),
        ip_address_type: p.text("IpAddressType").map(IpAddressType::from),
    })))
}

/// Whether it is regional is told by the VPC that it names instead of a subnet; its addresses are
/// AWS's business then, and so are second ones. "[Public NAT gateways only] The allocation ID of an
/// Elastic IP address" must be given for one in a subnet.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html>
fn create_nat_gateway(p: &mut Parameters) -> Result<Request, ApiError> {
    p.ignore(&[
        "AvailabilityMode",
        "AvailabilityZoneAddress",
        "PrivateIpAddress",
        "SecondaryAllocationId",
        "SecondaryPrivateIpAddress",
        "SecondaryPrivateIpAddressCount",
    ]);
    let subnet_id = p.maybe_id("SubnetId")?;
    let connectivity_type = p.text("ConnectivityType").map(Connectivity::from);
    let allocation_id = p.text("AllocationId");
    let is_private = connectivity_type == Some(Connectivity::Private);
    if subnet_id.is_some() && !is_private && allocation_id.is_none() {
        return Err(missing("AllocationId"));
    }
    Ok(Request::CreateNatGateway(CreateNatGateway {
        subnet_id,
        vpc_id: p.maybe_id("VpcId")?,
        connectivity_type,
        allocation_id,
        client_token: p.text("ClientToken"),
        tags: specified_tags("natgateway", p)?,
    }))
}

fn network_acl(action: &str, p: &mut Parameters) -> Result<Request, ApiError> {
    let network_acl_id = p.id("NetworkAclId")?;
    Ok(match action {
        "CreateNetworkAclEntry" => {
            Request::CreateNetworkAclEntry { network_acl_id, entry: acl_entry(p)? }
        }
        "ReplaceNetworkAclEntry" => {
            Request::ReplaceNetworkAclEntry { network_acl_id, entry: acl_entry(p)? }
        }
        "DeleteNetworkAclEntry" => Request::DeleteNetworkAclEntry {
            network_acl_id,
            rule_number: p.number("RuleNumber")?.ok_or_else(|| missing("RuleNumber"))?,
            egress: p.flag("Egress")?.ok_or_else(|| missing("Egress"))?,
        },
        _ => Request::ReplaceNetworkAclAssociation {
            association_id: p.id("AssociationId")?,
            network_acl_id,
        },
    })
}

fn security_group(action: &str, p: &mut Parameters) -> Result<Request, ApiError> {
    if action == "CreateSecurityGroup" {
        return Ok(Request::CreateSecurityGroup {
            group_name: p.required("GroupName")?,
            description: p.required("GroupDescription")?,
            vpc_id: p.id("VpcId")?,
            tags: specified_tags("security-group", p)?,
        });
    }
    if action == "AuthorizeSecurityGroupIngress" {
        p.ignore(&["TagSpecification"]);
    }
    let (group_id, ip_permissions) = (p.id("GroupId")?, permissions(p)?);
    Ok(match action {
        "AuthorizeSecurityGroupIngress" => {
            Request::AuthorizeSecurityGroupIngress { group_id, ip_permissions }
        }
        _ => Request::RevokeSecurityGroupIngress { group_id, ip_permissions },
    })
}

/// A rule; what it says of ICMP decides nothing here.
fn acl_entry(p: &mut Parameters) -> Result<NetworkAclEntry, ApiError> {
    let mut icmp = p.group("Icmp")?;
    icmp.ignore(&["Code", "Type"]);
    icmp.finish()?;
    let port_range = if p.has("PortRange") {
        let mut range = p.group("PortRange")?;
        let ports = PortRange { from: range.number("From")?, to: range.number("To")? };
        range.finish()?;
        Some(ports)
    } else {
        None
    };
    Ok(NetworkAclEntry {
        rule_number: p.number("RuleNumber")?.ok_or_else(|| missing("RuleNumber"))?,
        egress: p.flag("Egress")?.ok_or_else(|| missing("Egress"))?,
        rule_action: RuleAction::from(p.required("RuleAction")?),
        protocol: p.required("Protocol")?,
        cidr_block: p.text("CidrBlock").map(Cidr::from),
        ipv6_cidr_block: p.text("Ipv6CidrBlock").map(Cidr::from),
        port_range,
    })
}

fn zone(p: &mut Parameters) -> Result<Option<guardrail::ec2::id::Zone>, ApiError> {
    let zone = p.text("AvailabilityZone");
    let invalid = |text: &str| {
        ApiError::invalid_value(format!(
            "Value ({text}) for parameter availabilityZone is invalid."
        ))
    };
    zone.map(|text| text.parse().map_err(|_| invalid(&text))).transpose()
}

fn modify_subnet_attribute(p: &mut Parameters) -> Result<Request, ApiError> {
    let subnet_id = p.id("SubnetId")?;
    let (public, ipv6) = ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation");
    let attribute = match (p.has(public), p.has(ipv6)) {
        (true, true) => {
            return Err(several_attributes("mapPublicIpOnLaunch, assignIpv6AddressOnCreation"));
        }
        (false, true) => SubnetAttribute::AssignIpv6AddressOnCreation(required_value(ipv6, p)?),
        (true | false, false) => SubnetAttribute::MapPublicIpOnLaunch(required_value(public, p)?),
    };
    Ok(Request::ModifySubnetAttribute { subnet_id, attribute })
}

fn modify_vpc_attribute(p: &mut Parameters) -> Result<Request, ApiError> {
    let vpc_id = p.id("VpcId")?;
    let attribute = match p.has("EnableDnsSupport") {
        true => DnsAttribute::Support,
        false => DnsAttribute::Hostnames,
    };
    let name = match attribute {
        DnsAttribute::Support => "EnableDnsSupport",
        DnsAttribute::Hostnames => "EnableDnsHostnames",
    };
    if p.has("EnableDnsSupport") && p.has("EnableDnsHostnames") {
        return Err(several_attributes("enableDnsSupport, enableDnsHostnames"));
    }
    Ok(Request::ModifyVpcAttribute { vpc_id, attribute, value: required_value(name, p)? })
}

/// AWS documents for `ModifySubnetAttribute` that a call changes one attribute, and not the code of
/// this refusal: it is taken to be that of `ModifyVpcAttribute`.
fn several_attributes(names: &str) -> ApiError {
    let message = format!("Fields for multiple attribute types specified: {names}");
    ApiError::new("InvalidParameterCombination", message)
}

fn interface_attribute(p: &mut Parameters) -> Result<Request, ApiError> {
    let network_interface_id = p.id("NetworkInterfaceId")?;
    Ok(match p.flag("AssociatePublicIpAddress")? {
        Some(value) => Request::AssociatePublicIp { network_interface_id, value },
        None => Request::ModifyNetworkInterfaceAttribute {
            network_interface_id,
            source_dest_check: required_value("SourceDestCheck", p)?,
        },
    })
}

/// `Name.Value`, of an attribute that is on or off.
fn required_value(name: &str, p: &mut Parameters) -> Result<bool, ApiError> {
    let mut attribute = p.group(name)?;
    let value = attribute.flag("Value")?.ok_or_else(|| missing(name))?;
    attribute.finish()?;
    Ok(value)
}

/// The tags given on creation, which must be for what is created.
pub(crate) fn specified_tags(kind: &str, p: &mut Parameters) -> Result<Vec<Tag>, ApiError> {
    tags_for(kind, &[], p)
}

/// The same of a call that makes other things too, whose tags are not kept.
pub(crate) fn tags_for(
    kind: &str,
    others: &[&str],
    p: &mut Parameters,
) -> Result<Vec<Tag>, ApiError> {
    let mut all = Vec::new();
    for mut specification in p.groups("TagSpecification")? {
        let given = specification.required("ResourceType")?;
        if others.contains(&given.as_str()) {
            continue;
        }
        if given != kind {
            return Err(ApiError::invalid_value(format!(
                "'{given}' is not a valid taggable resource type for this call"
            )));
        }
        all.extend(tags(&mut specification)?);
        specification.finish()?;
    }
    Ok(all)
}

fn tags(p: &mut Parameters) -> Result<Vec<Tag>, ApiError> {
    let mut all = Vec::new();
    for mut tag in p.groups("Tag")? {
        all.push(Tag { key: tag.required("Key")?, value: tag.text("Value").unwrap_or_default() });
        tag.ignore(&["Value"]);
        tag.finish()?;
    }
    Ok(all)
}

/// A value that is given and empty goes only with an empty value; one that is not given goes with
/// any.
fn delete_tags(p: &mut Parameters) -> Result<Request, ApiError> {
    let resources = not_empty("ResourceId", p.texts("ResourceId")?)?;
    let mut tags = Vec::new();
    for mut tag in p.groups("Tag")? {
        let given = tag.has("Value");
        let value = tag.text("Value");
        tags.push((
            tag.required("Key")?,
            if given { Some(value.unwrap_or_default()) } else { None },
        ));
        tag.finish()?;
    }
    Ok(Request::DeleteTags { resources, tags })
}

/// The rules, from either of the two shapes of the request.
fn permissions(p: &mut Parameters) -> Result<Vec<IpPermission>, ApiError> {
    let mut all = Vec::new();
    for mut group in p.groups("IpPermissions")? {
        all.push(permission(&mut group)?);
        group.finish()?;
    }
    if let Some(cidr) = p.text("CidrIp") {
        let range = IpRange { cidr_ip: Cidr::from(cidr), description: None };
        all.push(IpPermission { ip_ranges: vec![range], ..permission(p)? });
    }
    not_empty("IpPermissions", all)
}

fn permission(p: &mut Parameters) -> Result<IpPermission, ApiError> {
    let mut permission = IpPermission {
        ip_protocol: p.required("IpProtocol")?.into(),
        from_port: p.number("FromPort")?,
        to_port: p.number("ToPort")?,
        ..IpPermission::default()
    };
    for mut range in p.groups("IpRanges")? {
        let cidr_ip = Cidr::from(range.required("CidrIp")?);
        permission.ip_ranges.push(IpRange { cidr_ip, description: range.text("Description") });
        range.finish()?;
    }
    for mut range in p.groups("Ipv6Ranges")? {
        let cidr_ipv6 = Cidr::from(range.required("CidrIpv6")?);
        permission
            .ipv6_ranges
            .push(Ipv6Range { cidr_ipv6, description: range.text("Description") });
        range.finish()?;
    }
    for mut list in p.groups("PrefixListIds")? {
        permission
            .prefix_list_ids
            .push(PermissionPrefixList { prefix_list_id: list.id("PrefixListId")? });
    }
    for mut pair in p.groups("Groups")? {
        permission
            .user_id_group_pairs
            .push(GroupPair { group_id: pair.maybe_id("GroupId")?, user_id: pair.text("UserId") });
    }
    Ok(permission)
}
