//! The things of a world as elements of EC2's answers.

use guardrail::ec2::id::{AccountId, DhcpOptionsId, SecurityGroupId};
use guardrail::ec2::partition::Partition;
use guardrail::ec2::world::{
    AddressAssociation, Association, DhcpConfiguration, DhcpOptions, DhcpValue,
    EgressOnlyInternetGateway, EndpointGroup, EndpointService, GatewayAttachment, InterfaceAddress,
    InternetGateway, IpPermission, Ipv6CidrAssociation, NatGateway, NatGatewayAddress, NetworkAcl,
    NetworkAclAssociation, NetworkAclEntry, NetworkInterface, PrefixList, Route, RouteTable,
    SecurityGroup, Subnet, Tag, Vpc, VpcEndpoint, World,
};
use jiff::Timestamp;

use super::built;
use super::tree::Fields;
use crate::ec2::beside::ListDetails;
use crate::ec2::filters::interface_status;
use crate::ec2::gateways::Instance;
use crate::ec2::group_life::{everything_out, rule_id};
use crate::ids::derived_id;

/// Whose world it is, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServedPlace {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl ServedPlace {
    /// The partition that the Region belongs to.
    pub(crate) fn partition(&self) -> Partition {
        self.region.parse().map_or_else(|_| Partition::default(), |region| Partition::of(&region))
    }

    /// The owner of a thing: the account, where the thing does not say.
    fn owner<'a>(&'a self, owner: Option<&'a AccountId>) -> &'a str {
        owner.map_or(&self.account, AccountId::as_str)
    }

    /// The ARN of a thing of EC2.
    pub(crate) fn arn(&self, what: &str, id: &str) -> String {
        format!("arn:{}:ec2:{}:{}:{what}/{id}", self.partition(), self.region, self.account)
    }
}

pub(crate) fn tags(all: &[Tag]) -> impl Iterator<Item = Fields> {
    all.iter().map(|tag| Fields::new().text("key", &tag.key).text("value", &tag.value))
}

pub(crate) fn vpc(vpc: &Vpc) -> Fields {
    let id = vpc.vpc_id.as_str();
    let v4 = vpc.cidr_block_association_set.iter().map(|association| {
        let cidr = association.cidr_block.as_str();
        let state = association
            .cidr_block_state
            .as_ref()
            .map_or("associated", |state| state.state.as_str());
        cidr_association(id, cidr, state)
    });
    // A world file may leave out the set that says the primary block again.
    let primary = vpc.cidr_block.iter().filter(|_| vpc.cidr_block_association_set.is_empty());
    let primary = primary.map(|cidr| cidr_association(id, cidr.as_str(), "associated"));
    Fields::new()
        .text("vpcId", id)
        .maybe("ownerId", vpc.owner_id.as_ref())
        .text("state", "available")
        .maybe("cidrBlock", vpc.cidr_block.as_ref())
        .list("cidrBlockAssociationSet", primary.chain(v4))
        .list(
            "ipv6CidrBlockAssociationSet",
            ipv6_associations("vpc", id, &vpc.ipv6_cidr_block_association_set),
        )
        .text(
            "dhcpOptionsId",
            vpc.dhcp_options_id.as_ref().map_or("default", DhcpOptionsId::as_str),
        )
        .text("instanceTenancy", "default")
        .flag("isDefault", vpc.is_default)
        .list("tagSet", tags(&vpc.tags))
}

/// An item of `cidrBlockAssociationSet`.
pub(crate) fn cidr_association(vpc: &str, cidr: &str, state: &str) -> Fields {
    Fields::new()
        .text("associationId", derived_id("vpc-cidr-assoc-", &[vpc, cidr]))
        .text("cidrBlock", cidr)
        .fields("cidrBlockState", Fields::new().text("state", state))
}

/// An item of `ipv6CidrBlockAssociationSet`; `of` is `vpc` or `subnet`.
pub(crate) fn ipv6_association(of: &str, id: &str, cidr: &str, state: &str) -> Fields {
    Fields::new()
        .text("associationId", derived_id(&format!("{of}-cidr-assoc-"), &[id, cidr]))
        .text("ipv6CidrBlock", cidr)
        .fields("ipv6CidrBlockState", Fields::new().text("state", state))
}

fn ipv6_associations(of: &str, id: &str, all: &[Ipv6CidrAssociation]) -> Vec<Fields> {
    let one = |association: &Ipv6CidrAssociation| {
        let state = association
            .ipv6_cidr_block_state
            .as_ref()
            .map_or("associated", |state| state.state.as_str());
        ipv6_association(of, id, association.ipv6_cidr_block.as_str(), state)
    };
    all.iter().map(one).collect()
}

pub(crate) fn subnet(subnet: &Subnet, place: &ServedPlace) -> Fields {
    let id = subnet.subnet_id.as_str();
    Fields::new()
        .text("subnetId", id)
        .text("subnetArn", subnet.subnet_arn.clone().unwrap_or_else(|| place.arn("subnet", id)))
        .text("state", "available")
        .text("vpcId", &subnet.vpc_id)
        .maybe("cidrBlock", subnet.cidr_block.as_ref())
        .list(
            "ipv6CidrBlockAssociationSet",
            ipv6_associations("subnet", id, &subnet.ipv6_cidr_block_association_set),
        )
        .number("availableIpAddressCount", subnet.available_ip_address_count)
        .text("availabilityZone", &subnet.availability_zone)
        .text("ownerId", place.owner(subnet.owner_id.as_ref()))
        .flag("defaultForAz", false)
        .flag("mapPublicIpOnLaunch", subnet.map_public_ip_on_launch)
        .flag("assignIpv6AddressOnCreation", subnet.assign_ipv6_address_on_creation)
        .flag("ipv6Native", subnet.ipv6_native)
        .flag("enableDns64", subnet.enable_dns64.unwrap_or(false))
        .list("tagSet", tags(&subnet.tags))
}

pub(crate) fn route_table(table: &RouteTable, place: &ServedPlace) -> Fields {
    Fields::new()
        .text("routeTableId", &table.route_table_id)
        .text("vpcId", &table.vpc_id)
        .text("ownerId", &place.account)
        .list("routeSet", table.routes.iter().map(route))
        .list("associationSet", table.associations.iter().map(|one| association(table, one)))
        .list("propagatingVgwSet", [])
        .list("tagSet", tags(&table.tags))
}

fn route(route: &Route) -> Fields {
    Fields::new()
        .maybe("destinationCidrBlock", route.destination_cidr_block.as_ref())
        .maybe("destinationIpv6CidrBlock", route.destination_ipv6_cidr_block.as_ref())
        .maybe("destinationPrefixListId", route.destination_prefix_list_id.as_ref())
        .maybe("gatewayId", route.gateway_id.as_ref())
        .maybe("natGatewayId", route.nat_gateway_id.as_ref())
        .maybe("egressOnlyInternetGatewayId", route.egress_only_internet_gateway_id.as_ref())
        .maybe("instanceId", route.instance_id.as_ref())
        .maybe("instanceOwnerId", route.instance_owner_id.as_ref())
        .maybe("networkInterfaceId", route.network_interface_id.as_ref())
        .maybe("transitGatewayId", route.transit_gateway_id.as_ref())
        .maybe("vpcPeeringConnectionId", route.vpc_peering_connection_id.as_ref())
        .maybe("localGatewayId", route.local_gateway_id.as_ref())
        .maybe("carrierGatewayId", route.carrier_gateway_id.as_ref())
        .maybe("coreNetworkArn", route.core_network_arn.as_ref())
        .maybe("odbNetworkArn", route.odb_network_arn.as_ref())
        .maybe("ipAddress", route.ip_address.as_ref())
        .maybe("state", route.state.as_ref())
        .maybe("origin", route.origin.as_ref())
}

fn association(table: &RouteTable, association: &Association) -> Fields {
    let state =
        association.association_state.as_ref().map_or("associated", |state| state.state.as_str());
    Fields::new()
        .maybe("routeTableAssociationId", association.route_table_association_id.as_ref())
        .text("routeTableId", &table.route_table_id)
        .flag("main", association.main)
        .maybe("subnetId", association.subnet_id.as_ref())
        .maybe("gatewayId", association.gateway_id.as_ref())
        .maybe("publicIpv4Pool", association.public_ipv4_pool.as_ref())
        .fields("associationState", Fields::new().text("state", state))
}

/// As the wire has it: to the millisecond, in UTC. A world file may have the CLI's form with an
/// offset.
fn time(text: &str) -> String {
    text.parse::<Timestamp>().map_or_else(|_| text.to_owned(), |at| format!("{at:.3}"))
}

pub(crate) fn endpoint(endpoint: &VpcEndpoint, place: &ServedPlace) -> Fields {
    let error = |error: &guardrail::ec2::world::LastError| {
        Fields::new().text("message", &error.message).text("code", &error.code)
    };
    let mut fields = Fields::new()
        .text("vpcEndpointId", &endpoint.vpc_endpoint_id)
        .maybe("vpcEndpointType", endpoint.vpc_endpoint_type.as_ref())
        .text("vpcId", &endpoint.vpc_id)
        .maybe("serviceName", endpoint.service_name.as_ref())
        .text("state", &endpoint.state)
        .maybe("policyDocument", endpoint.policy_document.as_ref())
        .texts("routeTableIdSet", &endpoint.route_table_ids)
        .texts("subnetIdSet", &endpoint.subnet_ids)
        .list("groupSet", groups(&endpoint.groups))
        .maybe("ipAddressType", endpoint.ip_address_type.as_ref())
        .flag("privateDnsEnabled", endpoint.private_dns_enabled)
        .flag("requesterManaged", endpoint.requester_managed)
        .texts("networkInterfaceIdSet", &endpoint.network_interface_ids)
        .list("dnsEntrySet", [])
        .maybe("creationTimestamp", endpoint.creation_timestamp.as_deref().map(time))
        .list("tagSet", tags(&endpoint.tags))
        .text("ownerId", place.owner(endpoint.owner_id.as_ref()))
        .maybe("serviceRegion", endpoint.service_region.as_ref())
        .maybe("failureReason", endpoint.failure_reason.as_ref());
    if let Some(options) = &endpoint.dns_options {
        let options =
            Fields::new().maybe("dnsRecordIpType", options.dns_record_ip_type.as_ref()).maybe(
                "privateDnsOnlyForInboundResolverEndpoint",
                options.private_dns_only_for_inbound_resolver_endpoint,
            );
        fields = fields.fields("dnsOptions", options);
    }
    if let Some(last) = &endpoint.last_error {
        fields = fields.fields("lastError", error(last));
    }
    fields
}

fn groups(all: &[EndpointGroup]) -> impl Iterator<Item = Fields> {
    let one = |group: &EndpointGroup| {
        Fields::new().text("groupId", &group.group_id).maybe("groupName", group.group_name.as_ref())
    };
    all.iter().map(one)
}

/// A gateway's first address is on its own interface, where the world has one.
pub(crate) fn nat_gateway(nat: &NatGateway, world: &World) -> Fields {
    let mark = format!("Interface for NAT Gateway {}", nat.nat_gateway_id);
    let interface_of = |address: &NatGatewayAddress| {
        let mut interfaces = world.network_interfaces.iter().flatten();
        let is_its = |eni: &&NetworkInterface| {
            eni.description == mark && eni.private_ip_address == address.private_ip
        };
        interfaces.find(is_its).map(|eni| &eni.network_interface_id)
    };
    let address = |(at, address): (usize, &NatGatewayAddress)| {
        Fields::new()
            .maybe("networkInterfaceId", interface_of(address))
            .maybe("privateIp", address.private_ip.as_ref())
            .maybe("publicIp", address.public_ip.as_ref())
            .flag("isPrimary", at == 0)
    };
    Fields::new()
        .text("natGatewayId", &nat.nat_gateway_id)
        .maybe("vpcId", nat.vpc_id.as_ref())
        .maybe("subnetId", nat.subnet_id.as_ref())
        .maybe("state", nat.state.as_ref())
        .maybe("connectivityType", nat.connectivity_type.as_ref())
        .maybe("availabilityMode", nat.availability_mode.as_ref())
        .maybe("routeTableId", nat.route_table_id.as_ref())
        .list("natGatewayAddressSet", nat.nat_gateway_addresses.iter().enumerate().map(address))
        .list("tagSet", tags(&nat.tags))
}

pub(crate) fn network_acl(acl: &NetworkAcl, place: &ServedPlace) -> Fields {
    let association = |bound: &NetworkAclAssociation| {
        Fields::new()
            .maybe("networkAclAssociationId", bound.network_acl_association_id.as_ref())
            .text("networkAclId", &acl.network_acl_id)
            .text("subnetId", &bound.subnet_id)
    };
    let entry = |entry: &NetworkAclEntry| {
        let fields = Fields::new()
            .text("ruleNumber", entry.rule_number)
            .text("protocol", &entry.protocol)
            .text("ruleAction", &entry.rule_action)
            .flag("egress", entry.egress)
            .maybe("cidrBlock", entry.cidr_block.as_ref())
            .maybe("ipv6CidrBlock", entry.ipv6_cidr_block.as_ref());
        match entry.port_range {
            Some(range) => fields.fields(
                "portRange",
                Fields::new().maybe("from", range.from.as_ref()).maybe("to", range.to.as_ref()),
            ),
            None => fields,
        }
    };
    Fields::new()
        .text("networkAclId", &acl.network_acl_id)
        .maybe("vpcId", acl.vpc_id.as_ref())
        .text("ownerId", place.owner(acl.owner_id.as_ref()))
        .flag("default", acl.is_default)
        .list("associationSet", acl.associations.iter().map(association))
        .list("entrySet", acl.entries.iter().map(entry))
        .list("tagSet", tags(&acl.tags))
}

pub(crate) fn dhcp_options(set: &DhcpOptions, own: &[Tag], place: &ServedPlace) -> Fields {
    let value = |value: &DhcpValue| Fields::new().text("value", &value.value);
    let option = |option: &DhcpConfiguration| {
        Fields::new().text("key", &option.key).list("valueSet", option.values.iter().map(value))
    };
    Fields::new()
        .text("dhcpOptionsId", &set.dhcp_options_id)
        .text("ownerId", place.owner(None))
        .list("dhcpConfigurationSet", set.dhcp_configurations.iter().map(option))
        .list("tagSet", tags(own))
}

pub(crate) fn security_group(group: &SecurityGroup, place: &ServedPlace) -> Fields {
    Fields::new()
        .text("groupId", &group.group_id)
        .text("securityGroupArn", place.arn("security-group", group.group_id.as_str()))
        .text("groupName", &group.group_name)
        .text("groupDescription", &group.description)
        .text("ownerId", place.owner(group.owner_id.as_ref()))
        .maybe("vpcId", group.vpc_id.as_ref())
        .list("ipPermissions", group.ip_permissions.iter().map(permission))
        // A world file does not hold these; a new group lets everything out.
        .list("ipPermissionsEgress", [permission(&everything_out())])
        .list("tagSet", tags(&group.tags))
}

fn permission(permission: &IpPermission) -> Fields {
    let v4 = permission.ip_ranges.iter().map(|range| {
        Fields::new()
            .text("cidrIp", &range.cidr_ip)
            .maybe("description", range.description.as_ref())
    });
    let v6 = permission.ipv6_ranges.iter().map(|range| {
        Fields::new()
            .text("cidrIpv6", &range.cidr_ipv6)
            .maybe("description", range.description.as_ref())
    });
    let pairs = permission.user_id_group_pairs.iter().map(|pair| {
        Fields::new()
            .maybe("userId", pair.user_id.as_ref())
            .maybe("groupId", pair.group_id.as_ref())
    });
    let lists = permission
        .prefix_list_ids
        .iter()
        .map(|list| Fields::new().text("prefixListId", &list.prefix_list_id));
    Fields::new()
        .text("ipProtocol", &permission.ip_protocol)
        .number("fromPort", permission.from_port)
        .number("toPort", permission.to_port)
        .list("groups", pairs)
        .list("ipRanges", v4)
        .list("ipv6Ranges", v6)
        .list("prefixListIds", lists)
}

/// The rules that a permission stands for, one for each source; of a call that added them, or of
/// one that took them away, whose answer has less of them.
pub(crate) fn rules(
    group: &SecurityGroupId,
    permission: &IpPermission,
    place: &ServedPlace,
    added: bool,
    is_egress: bool,
) -> Vec<Fields> {
    let ports = (permission.from_port.unwrap_or(-1), permission.to_port.unwrap_or(-1));
    let rule = |one: IpPermission| {
        let one = IpPermission {
            ip_protocol: permission.ip_protocol.clone(),
            from_port: permission.from_port,
            to_port: permission.to_port,
            ..one
        };
        let id = rule_id(group, is_egress, &one);
        let fields = match added {
            true => Fields::new()
                .text("groupOwnerId", &place.account)
                .text("securityGroupRuleArn", place.arn("security-group-rule", &id)),
            false => Fields::new(),
        };
        fields
            .text("securityGroupRuleId", id)
            .text("groupId", group)
            .flag("isEgress", is_egress)
            .text("ipProtocol", &permission.ip_protocol)
            .number("fromPort", Some(ports.0))
            .number("toPort", Some(ports.1))
    };
    let v4 = permission.ip_ranges.iter().map(|range| {
        rule(IpPermission { ip_ranges: vec![range.clone()], ..IpPermission::default() })
            .text("cidrIpv4", &range.cidr_ip)
            .maybe("description", range.description.as_ref())
    });
    let v6 = permission.ipv6_ranges.iter().map(|range| {
        let one = IpPermission { ipv6_ranges: vec![range.clone()], ..IpPermission::default() };
        let fields = rule(one).text("cidrIpv6", &range.cidr_ipv6);
        fields.maybe("description", range.description.as_ref())
    });
    let lists = permission.prefix_list_ids.iter().map(|list| {
        let one = IpPermission { prefix_list_ids: vec![list.clone()], ..IpPermission::default() };
        rule(one).text("prefixListId", &list.prefix_list_id)
    });
    let pairs = permission.user_id_group_pairs.iter().map(|pair| {
        let one =
            IpPermission { user_id_group_pairs: vec![pair.clone()], ..IpPermission::default() };
        let id = pair.group_id.as_ref().map(|id| id.as_str()).unwrap_or_default();
        match added {
            true => {
                let other =
                    Fields::new().text("groupId", id).maybe("userId", pair.user_id.as_ref());
                rule(one).fields("referencedGroupInfo", other)
            }
            false => rule(one).text("referencedGroupId", id),
        }
    });
    v4.chain(v6).chain(lists).chain(pairs).collect()
}

pub(crate) fn interface(eni: &NetworkInterface, own: &[Tag], place: &ServedPlace) -> Fields {
    let mut fields = Fields::new()
        .text("networkInterfaceId", &eni.network_interface_id)
        .maybe("subnetId", eni.subnet_id.as_ref())
        .maybe("vpcId", eni.vpc_id.as_ref())
        .text("description", &eni.description)
        .text("ownerId", &place.account)
        .flag("requesterManaged", eni.requester_managed)
        .text("status", interface_status(eni))
        .maybe("privateIpAddress", eni.private_ip_address.as_ref())
        .list("groupSet", groups(&eni.groups))
        .list("tagSet", tags(own))
        .maybe("interfaceType", eni.interface_type.as_ref())
        .maybe("sourceDestCheck", eni.source_dest_check);
    if let Some(association) = &eni.association {
        fields = fields.fields("association", address_association(association));
    }
    if !eni.private_ip_addresses.is_empty() {
        let addresses = eni.private_ip_addresses.iter().map(interface_address);
        fields = fields.list("privateIpAddressesSet", addresses);
    }
    if !eni.ipv6_addresses.is_empty() {
        let addresses = eni.ipv6_addresses.iter();
        let addresses =
            addresses.map(|it| Fields::new().maybe("ipv6Address", it.ipv6_address.as_ref()));
        fields = fields.list("ipv6AddressesSet", addresses);
    }
    if let Some(attachment) = &eni.attachment {
        let attachment = Fields::new()
            .maybe("instanceId", attachment.instance_id.as_ref())
            .maybe("deviceIndex", attachment.device_index.as_ref())
            .maybe("status", attachment.status.as_ref());
        fields = fields.fields("attachment", attachment);
    }
    fields
}

fn interface_address(address: &InterfaceAddress) -> Fields {
    let fields = Fields::new().maybe("privateIpAddress", address.private_ip_address.as_ref());
    match &address.association {
        Some(association) => fields.fields("association", address_association(association)),
        None => fields,
    }
}

fn address_association(association: &AddressAssociation) -> Fields {
    Fields::new()
        .maybe("publicIp", association.public_ip.as_ref())
        .maybe("ipOwnerId", association.ip_owner_id.as_ref())
        .maybe("allocationId", association.allocation_id.as_ref())
        .maybe("associationId", association.association_id.as_ref())
}

/// As `DescribePrefixLists` has it.
pub(crate) fn prefix_list(list: &PrefixList) -> Fields {
    Fields::new()
        .text("prefixListId", &list.prefix_list_id)
        .text("prefixListName", &list.prefix_list_name)
        .texts("cidrSet", list.blocks().unwrap_or_default())
}

/// As `DescribeManagedPrefixLists` has it.
pub(crate) fn managed_prefix_list(
    list: &PrefixList,
    details: Option<&ListDetails>,
    own: &[Tag],
    state: &str,
    place: &ServedPlace,
) -> Fields {
    let fields = Fields::new().text("prefixListId", &list.prefix_list_id);
    built::list_details(fields, details)
        .text("state", state)
        .text("prefixListArn", place.arn("prefix-list", list.prefix_list_id.as_str()))
        .text("prefixListName", &list.prefix_list_name)
        .list("tagSet", tags(own))
        .maybe("ownerId", list.owner_id.as_ref())
}

pub(crate) fn service(service: &EndpointService, place: &ServedPlace) -> Fields {
    let kind = |kind: &guardrail::ec2::world::ServiceType| {
        Fields::new().text("serviceType", &kind.service_type)
    };
    let name = |name: &guardrail::ec2::world::PrivateDnsName| {
        Fields::new().text("privateDnsName", &name.private_dns_name)
    };
    let fields = Fields::new()
        .text("serviceName", &service.service_name)
        .list("serviceType", service.service_type.iter().map(kind))
        .text("serviceRegion", &place.region)
        .texts("availabilityZoneSet", &service.availability_zones)
        .text("owner", "amazon")
        .maybe("privateDnsName", service.private_dns_name.as_ref())
        .list("privateDnsNameSet", service.private_dns_names.iter().map(name))
        .flag("vpcEndpointPolicySupported", service.vpc_endpoint_policy_supported)
        .flag("acceptanceRequired", service.acceptance_required)
        .flag("managesVpcEndpoints", false)
        .list("tagSet", []);
    match service.supported_ip_address_types.as_slice() {
        [] => fields,
        kinds => fields.texts("supportedIpAddressTypeSet", kinds),
    }
}

pub(crate) fn internet_gateway(gateway: &InternetGateway, place: &ServedPlace) -> Fields {
    Fields::new()
        .text("internetGatewayId", &gateway.internet_gateway_id)
        .text("ownerId", place.owner(None))
        .list("attachmentSet", gateway.attachments.iter().map(attachment))
        .list("tagSet", tags(&gateway.tags))
}

pub(crate) fn egress_only_internet_gateway(gateway: &EgressOnlyInternetGateway) -> Fields {
    Fields::new()
        .text("egressOnlyInternetGatewayId", &gateway.egress_only_internet_gateway_id)
        .list("attachmentSet", gateway.attachments.iter().map(attachment))
        .list("tagSet", tags(&gateway.tags))
}

fn attachment(attachment: &GatewayAttachment) -> Fields {
    Fields::new()
        .maybe("state", attachment.state.as_ref())
        .maybe("vpcId", attachment.vpc_id.as_ref())
}

/// A reservation of one instance.
pub(crate) fn reservation(instance: &Instance, world: &World, place: &ServedPlace) -> Fields {
    let id = match &instance.run {
        Some(run) => run.reservation_id.clone(),
        None => derived_id("r-", &[instance.instance_id.as_str()]),
    };
    Fields::new()
        .text("reservationId", id)
        .text("ownerId", &place.account)
        .list("instancesSet", [self::instance(instance, world)])
}

/// An item of a reservation.
pub(crate) fn instance(instance: &Instance, world: &World) -> Fields {
    let interface =
        |id: &guardrail::ec2::id::InterfaceId| Fields::new().text("networkInterfaceId", id);
    let fields = Fields::new()
        .text("instanceId", &instance.instance_id)
        .maybe("subnetId", instance.subnet_id.as_ref())
        .maybe("vpcId", instance.vpc_id.as_ref())
        .list("networkInterfaceSet", instance.network_interface_ids.iter().map(interface));
    if instance.run.is_none() {
        return match instance.tags.as_slice() {
            [] => fields,
            own => fields.list("tagSet", tags(own)),
        };
    }
    let mut interfaces = world.network_interfaces.iter().flatten();
    let first = interfaces
        .find(|eni| Some(&eni.network_interface_id) == instance.network_interface_ids.first());
    let fields = fields
        .maybe("privateIpAddress", first.and_then(|eni| eni.private_ip_address.as_ref()))
        .maybe("ipAddress", first.and_then(NetworkInterface::public_ip))
        .list("groupSet", first.into_iter().flat_map(|eni| groups(&eni.groups)))
        .list("tagSet", tags(&instance.tags));
    built::of_run(fields, instance)
}
