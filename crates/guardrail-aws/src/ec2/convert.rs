//! The SDK's types into the world's, one small function each.
//!
//! What AWS leaves out, or sends as an empty text, is absent. An item without the id it is known
//! by, or with one this version cannot read, is [`Unreadable`]: it makes its whole section unread,
//! because a world that silently lacks one thing is worse than one that is known to lack many.

use aws_sdk_ec2::types as sdk;
use aws_smithy_types::date_time::Format;
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::InvalidId;
use guardrail::ec2::world;

/// An item of AWS's answer that this version cannot read, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub(crate) struct Unreadable {
    field: String,
    why: String,
}

type Read<T> = Result<T, Unreadable>;

/// A thing of the world that one item of AWS's answer can be read as.
pub(crate) trait FromAws<S>: Sized {
    fn from_aws(item: S) -> Read<Self>;
}

fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn parsed<T: TryFrom<String, Error = InvalidId>>(field: &str, text: String) -> Read<T> {
    T::try_from(text)
        .map_err(|error| Unreadable { field: field.to_owned(), why: error.to_string() })
}

fn id<T: TryFrom<String, Error = InvalidId>>(field: &str, id: Option<String>) -> Read<T> {
    optional(field, id)?
        .ok_or_else(|| Unreadable { field: field.to_owned(), why: "it is missing".to_owned() })
}

fn optional<T: TryFrom<String, Error = InvalidId>>(
    field: &str,
    id: Option<String>,
) -> Read<Option<T>> {
    text(id).map(|id| parsed(field, id)).transpose()
}

fn ids<T: TryFrom<String, Error = InvalidId>>(
    field: &str,
    ids: Option<Vec<String>>,
) -> Read<Vec<T>> {
    ids.unwrap_or_default().into_iter().map(|id| parsed(field, id)).collect()
}

fn all<S, T: FromAws<S>>(items: Option<Vec<S>>) -> Read<Vec<T>> {
    items.unwrap_or_default().into_iter().map(T::from_aws).collect()
}

/// Says which item it was that had the fault.
fn within<T>(item: Option<&str>, read: Read<T>) -> Read<T> {
    read.map_err(|fault| Unreadable {
        field: format!("{} {}", item.unwrap_or("an item"), fault.field),
        why: fault.why,
    })
}

fn cidr(text: Option<String>) -> Option<Cidr> {
    self::text(text).map(Cidr::from)
}

fn cidr_of(field: &str, block: Option<String>) -> Read<Cidr> {
    cidr(block)
        .ok_or_else(|| Unreadable { field: field.to_owned(), why: "it is missing".to_owned() })
}

fn tags(tags: Option<Vec<sdk::Tag>>) -> Vec<world::Tag> {
    let tags = tags.unwrap_or_default().into_iter();
    tags.map(|tag| world::Tag {
        key: tag.key.unwrap_or_default(),
        value: tag.value.unwrap_or_default(),
    })
    .collect()
}

fn cidr_state(state: Option<&str>) -> Option<world::CidrState> {
    state.map(|state| world::CidrState { state: state.into() })
}

impl FromAws<sdk::Vpc> for world::Vpc {
    fn from_aws(vpc: sdk::Vpc) -> Read<Self> {
        let name = vpc.vpc_id.clone();
        let read = || {
            Ok(Self {
                vpc_id: id("VpcId", vpc.vpc_id)?,
                owner_id: optional("OwnerId", vpc.owner_id)?,
                cidr_block: cidr(vpc.cidr_block),
                cidr_block_association_set: all(vpc.cidr_block_association_set)?,
                ipv6_cidr_block_association_set: all(vpc.ipv6_cidr_block_association_set)?,
                is_default: vpc.is_default.unwrap_or(false),
                dhcp_options_id: optional("DhcpOptionsId", vpc.dhcp_options_id)?,
                tags: tags(vpc.tags),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::VpcCidrBlockAssociation> for world::CidrAssociation {
    fn from_aws(association: sdk::VpcCidrBlockAssociation) -> Read<Self> {
        let state = association.cidr_block_state.and_then(|state| state.state);
        Ok(Self {
            cidr_block: cidr_of("CidrBlock", association.cidr_block)?,
            cidr_block_state: cidr_state(state.as_ref().map(sdk::VpcCidrBlockStateCode::as_str)),
        })
    }
}

impl FromAws<sdk::VpcIpv6CidrBlockAssociation> for world::Ipv6CidrAssociation {
    fn from_aws(association: sdk::VpcIpv6CidrBlockAssociation) -> Read<Self> {
        let state = association.ipv6_cidr_block_state.and_then(|state| state.state);
        Ok(Self {
            ipv6_cidr_block: cidr_of("Ipv6CidrBlock", association.ipv6_cidr_block)?,
            ipv6_cidr_block_state: cidr_state(
                state.as_ref().map(sdk::VpcCidrBlockStateCode::as_str),
            ),
        })
    }
}

impl FromAws<sdk::SubnetIpv6CidrBlockAssociation> for world::Ipv6CidrAssociation {
    fn from_aws(association: sdk::SubnetIpv6CidrBlockAssociation) -> Read<Self> {
        let state = association.ipv6_cidr_block_state.and_then(|state| state.state);
        Ok(Self {
            ipv6_cidr_block: cidr_of("Ipv6CidrBlock", association.ipv6_cidr_block)?,
            ipv6_cidr_block_state: cidr_state(
                state.as_ref().map(sdk::SubnetCidrBlockStateCode::as_str),
            ),
        })
    }
}

impl FromAws<sdk::Subnet> for world::Subnet {
    fn from_aws(subnet: sdk::Subnet) -> Read<Self> {
        let name = subnet.subnet_id.clone();
        let read = || {
            Ok(Self {
                subnet_id: id("SubnetId", subnet.subnet_id)?,
                vpc_id: id("VpcId", subnet.vpc_id)?,
                availability_zone: id("AvailabilityZone", subnet.availability_zone)?,
                cidr_block: cidr(subnet.cidr_block),
                ipv6_cidr_block_association_set: all(subnet.ipv6_cidr_block_association_set)?,
                available_ip_address_count: subnet
                    .available_ip_address_count
                    .and_then(|count| count.try_into().ok()),
                ipv6_native: subnet.ipv6_native.unwrap_or(false),
                enable_dns64: subnet.enable_dns64,
                owner_id: optional("OwnerId", subnet.owner_id)?,
                subnet_arn: text(subnet.subnet_arn),
                map_public_ip_on_launch: subnet.map_public_ip_on_launch.unwrap_or(false),
                assign_ipv6_address_on_creation: subnet
                    .assign_ipv6_address_on_creation
                    .unwrap_or_default(),
                tags: tags(subnet.tags),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::RouteTable> for world::RouteTable {
    fn from_aws(table: sdk::RouteTable) -> Read<Self> {
        let name = table.route_table_id.clone();
        let read = || {
            Ok(Self {
                route_table_id: id("RouteTableId", table.route_table_id)?,
                vpc_id: id("VpcId", table.vpc_id)?,
                associations: all(table.associations)?,
                routes: all(table.routes)?,
                tags: tags(table.tags),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::RouteTableAssociation> for world::Association {
    fn from_aws(association: sdk::RouteTableAssociation) -> Read<Self> {
        let state = association.association_state.and_then(|state| state.state);
        Ok(Self {
            route_table_association_id: optional(
                "RouteTableAssociationId",
                association.route_table_association_id,
            )?,
            main: association.main.unwrap_or(false),
            subnet_id: optional("SubnetId", association.subnet_id)?,
            gateway_id: text(association.gateway_id),
            public_ipv4_pool: text(association.public_ipv4_pool),
            association_state: state
                .map(|state| world::AssociationState { state: state.as_str().into() }),
        })
    }
}

impl FromAws<sdk::Route> for world::Route {
    fn from_aws(route: sdk::Route) -> Read<Self> {
        Ok(Self {
            destination_cidr_block: cidr(route.destination_cidr_block),
            destination_ipv6_cidr_block: cidr(route.destination_ipv6_cidr_block),
            destination_prefix_list_id: optional(
                "DestinationPrefixListId",
                route.destination_prefix_list_id,
            )?,
            gateway_id: text(route.gateway_id),
            nat_gateway_id: optional("NatGatewayId", route.nat_gateway_id)?,
            egress_only_internet_gateway_id: text(route.egress_only_internet_gateway_id),
            instance_id: optional("InstanceId", route.instance_id)?,
            instance_owner_id: text(route.instance_owner_id),
            network_interface_id: optional("NetworkInterfaceId", route.network_interface_id)?,
            transit_gateway_id: text(route.transit_gateway_id),
            vpc_peering_connection_id: text(route.vpc_peering_connection_id),
            local_gateway_id: text(route.local_gateway_id),
            carrier_gateway_id: text(route.carrier_gateway_id),
            core_network_arn: text(route.core_network_arn),
            odb_network_arn: text(route.odb_network_arn),
            ip_address: text(route.ip_address),
            state: route.state.map(|state| state.as_str().into()),
            origin: route.origin.map(|origin| origin.as_str().into()),
        })
    }
}

fn dns_options(options: sdk::DnsOptions) -> world::DnsOptions {
    world::DnsOptions {
        dns_record_ip_type: options.dns_record_ip_type.map(|kind| kind.as_str().to_owned()),
        private_dns_only_for_inbound_resolver_endpoint: options
            .private_dns_only_for_inbound_resolver_endpoint,
    }
}

impl FromAws<sdk::VpcEndpoint> for world::VpcEndpoint {
    fn from_aws(endpoint: sdk::VpcEndpoint) -> Read<Self> {
        let name = endpoint.vpc_endpoint_id.clone();
        let read = || {
            let created =
                endpoint.creation_timestamp.and_then(|time| time.fmt(Format::DateTime).ok());
            Ok(Self {
                vpc_endpoint_id: id("VpcEndpointId", endpoint.vpc_endpoint_id)?,
                vpc_endpoint_type: endpoint.vpc_endpoint_type.map(|kind| kind.as_str().into()),
                vpc_id: id("VpcId", endpoint.vpc_id)?,
                service_name: optional("ServiceName", endpoint.service_name)?,
                // The SDK's own enum knows `Available` only; the wire says `available`. Ours takes
                // both.
                state: endpoint.state.as_ref().map_or("", sdk::State::as_str).into(),
                policy_document: text(endpoint.policy_document),
                route_table_ids: ids("RouteTableIds", endpoint.route_table_ids)?,
                subnet_ids: ids("SubnetIds", endpoint.subnet_ids)?,
                groups: all(endpoint.groups)?,
                ip_address_type: endpoint.ip_address_type.map(|kind| kind.as_str().into()),
                private_dns_enabled: endpoint.private_dns_enabled.unwrap_or(false),
                dns_options: endpoint.dns_options.map(dns_options),
                requester_managed: endpoint.requester_managed.unwrap_or(false),
                network_interface_ids: ids("NetworkInterfaceIds", endpoint.network_interface_ids)?,
                creation_timestamp: created,
                tags: tags(endpoint.tags),
                owner_id: optional("OwnerId", endpoint.owner_id)?,
                service_region: optional("ServiceRegion", endpoint.service_region)?,
                failure_reason: text(endpoint.failure_reason),
                last_error: endpoint.last_error.map(last_error),
            })
        };
        within(name.as_deref(), read())
    }
}

fn last_error(error: sdk::LastError) -> world::LastError {
    world::LastError {
        code: error.code.unwrap_or_default(),
        message: error.message.unwrap_or_default(),
    }
}

impl FromAws<sdk::SecurityGroupIdentifier> for world::EndpointGroup {
    fn from_aws(group: sdk::SecurityGroupIdentifier) -> Read<Self> {
        Ok(Self { group_id: id("Groups", group.group_id)?, group_name: text(group.group_name) })
    }
}

impl FromAws<sdk::GroupIdentifier> for world::EndpointGroup {
    fn from_aws(group: sdk::GroupIdentifier) -> Read<Self> {
        Ok(Self { group_id: id("Groups", group.group_id)?, group_name: text(group.group_name) })
    }
}

impl FromAws<sdk::NatGateway> for world::NatGateway {
    fn from_aws(gateway: sdk::NatGateway) -> Read<Self> {
        let name = gateway.nat_gateway_id.clone();
        let read = || {
            Ok(Self {
                nat_gateway_id: id("NatGatewayId", gateway.nat_gateway_id)?,
                vpc_id: optional("VpcId", gateway.vpc_id)?,
                subnet_id: optional("SubnetId", gateway.subnet_id)?,
                state: gateway.state.map(|state| state.as_str().into()),
                connectivity_type: gateway.connectivity_type.map(|kind| kind.as_str().into()),
                availability_mode: gateway.availability_mode.map(|mode| mode.as_str().into()),
                route_table_id: optional("RouteTableId", gateway.route_table_id)?,
                nat_gateway_addresses: gateway
                    .nat_gateway_addresses
                    .unwrap_or_default()
                    .into_iter()
                    .map(|address| world::NatGatewayAddress {
                        public_ip: address.public_ip,
                        private_ip: address.private_ip,
                    })
                    .collect(),
                tags: tags(gateway.tags),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::SecurityGroup> for world::SecurityGroup {
    fn from_aws(group: sdk::SecurityGroup) -> Read<Self> {
        let name = group.group_id.clone();
        let read = || {
            Ok(Self {
                group_id: id("GroupId", group.group_id)?,
                group_name: group.group_name.unwrap_or_default(),
                description: group.description.unwrap_or_default(),
                vpc_id: optional("VpcId", group.vpc_id)?,
                owner_id: optional("OwnerId", group.owner_id)?,
                ip_permissions: all(group.ip_permissions)?,
                tags: tags(group.tags),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::IpPermission> for world::IpPermission {
    fn from_aws(permission: sdk::IpPermission) -> Read<Self> {
        Ok(Self {
            ip_protocol: permission.ip_protocol.unwrap_or_default().into(),
            from_port: permission.from_port,
            to_port: permission.to_port,
            ip_ranges: all(permission.ip_ranges)?,
            ipv6_ranges: all(permission.ipv6_ranges)?,
            prefix_list_ids: all(permission.prefix_list_ids)?,
            user_id_group_pairs: all(permission.user_id_group_pairs)?,
        })
    }
}

impl FromAws<sdk::IpRange> for world::IpRange {
    fn from_aws(range: sdk::IpRange) -> Read<Self> {
        Ok(Self {
            cidr_ip: cidr_of("CidrIp", range.cidr_ip)?,
            description: text(range.description),
        })
    }
}

impl FromAws<sdk::Ipv6Range> for world::Ipv6Range {
    fn from_aws(range: sdk::Ipv6Range) -> Read<Self> {
        Ok(Self {
            cidr_ipv6: cidr_of("CidrIpv6", range.cidr_ipv6)?,
            description: text(range.description),
        })
    }
}

impl FromAws<sdk::PrefixListId> for world::PermissionPrefixList {
    fn from_aws(list: sdk::PrefixListId) -> Read<Self> {
        Ok(Self { prefix_list_id: id("PrefixListId", list.prefix_list_id)? })
    }
}

impl FromAws<sdk::UserIdGroupPair> for world::GroupPair {
    fn from_aws(pair: sdk::UserIdGroupPair) -> Read<Self> {
        Ok(Self { group_id: optional("GroupId", pair.group_id)?, user_id: text(pair.user_id) })
    }
}

impl FromAws<sdk::NetworkAcl> for world::NetworkAcl {
    fn from_aws(acl: sdk::NetworkAcl) -> Read<Self> {
        let name = acl.network_acl_id.clone();
        let read = || {
            Ok(Self {
                network_acl_id: id("NetworkAclId", acl.network_acl_id)?,
                vpc_id: optional("VpcId", acl.vpc_id)?,
                is_default: acl.is_default.unwrap_or(false),
                owner_id: optional("OwnerId", acl.owner_id)?,
                associations: all(acl.associations)?,
                entries: all(acl.entries)?,
                tags: tags(acl.tags),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::NetworkAclAssociation> for world::NetworkAclAssociation {
    fn from_aws(association: sdk::NetworkAclAssociation) -> Read<Self> {
        Ok(Self {
            network_acl_association_id: optional(
                "NetworkAclAssociationId",
                association.network_acl_association_id,
            )?,
            network_acl_id: optional("NetworkAclId", association.network_acl_id)?,
            subnet_id: id("SubnetId", association.subnet_id)?,
        })
    }
}

impl FromAws<sdk::NetworkAclEntry> for world::NetworkAclEntry {
    fn from_aws(entry: sdk::NetworkAclEntry) -> Read<Self> {
        let missing =
            |field: &str| Unreadable { field: field.to_owned(), why: "it is missing".to_owned() };
        let number = entry.rule_number.and_then(|number| number.try_into().ok());
        let action = entry.rule_action.ok_or_else(|| missing("RuleAction"))?;
        Ok(Self {
            rule_number: number.ok_or_else(|| missing("RuleNumber"))?,
            egress: entry.egress.ok_or_else(|| missing("Egress"))?,
            rule_action: action.as_str().into(),
            protocol: text(entry.protocol).ok_or_else(|| missing("Protocol"))?,
            cidr_block: cidr(entry.cidr_block),
            ipv6_cidr_block: cidr(entry.ipv6_cidr_block),
            port_range: entry
                .port_range
                .map(|range| world::PortRange { from: range.from, to: range.to }),
        })
    }
}

impl FromAws<sdk::DhcpOptions> for world::DhcpOptions {
    fn from_aws(set: sdk::DhcpOptions) -> Read<Self> {
        let name = set.dhcp_options_id.clone();
        let read = || {
            Ok(Self {
                dhcp_options_id: id("DhcpOptionsId", set.dhcp_options_id)?,
                dhcp_configurations: all(set.dhcp_configurations)?,
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::DhcpConfiguration> for world::DhcpConfiguration {
    fn from_aws(option: sdk::DhcpConfiguration) -> Read<Self> {
        let values = option.values.unwrap_or_default().into_iter().filter_map(|value| value.value);
        Ok(Self {
            key: option.key.unwrap_or_default(),
            values: values.map(|value| world::DhcpValue { value }).collect(),
        })
    }
}

impl FromAws<sdk::InternetGateway> for world::InternetGateway {
    fn from_aws(gateway: sdk::InternetGateway) -> Read<Self> {
        let name = gateway.internet_gateway_id.clone();
        let read = || {
            Ok(Self {
                internet_gateway_id: id("InternetGatewayId", gateway.internet_gateway_id)?,
                attachments: all(gateway.attachments)?,
                tags: tags(gateway.tags),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::EgressOnlyInternetGateway> for world::EgressOnlyInternetGateway {
    fn from_aws(gateway: sdk::EgressOnlyInternetGateway) -> Read<Self> {
        let name = gateway.egress_only_internet_gateway_id.clone();
        let read = || {
            Ok(Self {
                egress_only_internet_gateway_id: id(
                    "EgressOnlyInternetGatewayId",
                    gateway.egress_only_internet_gateway_id,
                )?,
                attachments: all(gateway.attachments)?,
                tags: tags(gateway.tags),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::InternetGatewayAttachment> for world::GatewayAttachment {
    fn from_aws(attachment: sdk::InternetGatewayAttachment) -> Read<Self> {
        Ok(Self {
            vpc_id: optional("VpcId", attachment.vpc_id)?,
            state: attachment.state.map(|state| state.as_str().to_owned()),
        })
    }
}

impl FromAws<sdk::NetworkInterface> for world::NetworkInterface {
    fn from_aws(interface: sdk::NetworkInterface) -> Read<Self> {
        let name = interface.network_interface_id.clone();
        let read = || {
            Ok(Self {
                network_interface_id: id("NetworkInterfaceId", interface.network_interface_id)?,
                vpc_id: optional("VpcId", interface.vpc_id)?,
                subnet_id: optional("SubnetId", interface.subnet_id)?,
                interface_type: interface.interface_type.map(|kind| kind.as_str().to_owned()),
                description: interface.description.unwrap_or_default(),
                requester_managed: interface.requester_managed.unwrap_or(false),
                source_dest_check: interface.source_dest_check,
                groups: all(interface.groups)?,
                private_ip_address: text(interface.private_ip_address),
                private_ip_addresses: all(interface.private_ip_addresses)?,
                ipv6_addresses: all(interface.ipv6_addresses)?,
                association: interface.association.map(FromAws::from_aws).transpose()?,
                attachment: interface.attachment.map(FromAws::from_aws).transpose()?,
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::NetworkInterfaceIpv6Address> for world::InterfaceIpv6Address {
    fn from_aws(address: sdk::NetworkInterfaceIpv6Address) -> Read<Self> {
        Ok(Self { ipv6_address: text(address.ipv6_address) })
    }
}

impl FromAws<sdk::NetworkInterfacePrivateIpAddress> for world::InterfaceAddress {
    fn from_aws(address: sdk::NetworkInterfacePrivateIpAddress) -> Read<Self> {
        Ok(Self {
            private_ip_address: text(address.private_ip_address),
            association: address.association.map(FromAws::from_aws).transpose()?,
        })
    }
}

impl FromAws<sdk::NetworkInterfaceAssociation> for world::AddressAssociation {
    fn from_aws(association: sdk::NetworkInterfaceAssociation) -> Read<Self> {
        Ok(Self {
            public_ip: text(association.public_ip),
            ip_owner_id: text(association.ip_owner_id),
            allocation_id: text(association.allocation_id),
            association_id: text(association.association_id),
        })
    }
}

impl FromAws<sdk::NetworkInterfaceAttachment> for world::Attachment {
    fn from_aws(attachment: sdk::NetworkInterfaceAttachment) -> Read<Self> {
        Ok(Self {
            instance_id: optional("InstanceId", attachment.instance_id)?,
            device_index: attachment.device_index,
            status: attachment.status.map(|status| status.as_str().to_owned()),
        })
    }
}

/// `DescribePrefixLists` tells of AWS's lists only, and of what is in them.
impl FromAws<sdk::PrefixList> for world::PrefixList {
    fn from_aws(list: sdk::PrefixList) -> Read<Self> {
        let name = list.prefix_list_id.clone();
        let read = || {
            Ok(Self {
                prefix_list_id: id("PrefixListId", list.prefix_list_id)?,
                prefix_list_name: list.prefix_list_name.unwrap_or_default(),
                owner_id: Some("AWS".to_owned()),
                cidrs: list.cidrs.map(|cidrs| cidrs.into_iter().map(Cidr::from).collect()),
                entries: None,
            })
        };
        within(name.as_deref(), read())
    }
}

/// `DescribeManagedPrefixLists` tells of every list, and not what is in it.
impl FromAws<sdk::ManagedPrefixList> for world::PrefixList {
    fn from_aws(list: sdk::ManagedPrefixList) -> Read<Self> {
        let name = list.prefix_list_id.clone();
        let read = || {
            Ok(Self {
                prefix_list_id: id("PrefixListId", list.prefix_list_id)?,
                prefix_list_name: list.prefix_list_name.unwrap_or_default(),
                owner_id: text(list.owner_id),
                cidrs: None,
                entries: None,
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::PrefixListEntry> for world::PrefixListEntry {
    fn from_aws(entry: sdk::PrefixListEntry) -> Read<Self> {
        Ok(Self { cidr: cidr_of("Cidr", entry.cidr)?, description: text(entry.description) })
    }
}

impl FromAws<sdk::ServiceDetail> for world::EndpointService {
    fn from_aws(service: sdk::ServiceDetail) -> Read<Self> {
        let name = service.service_name.clone();
        let read = || {
            Ok(Self {
                service_name: id("ServiceName", service.service_name)?,
                service_type: all(service.service_type)?,
                availability_zones: ids("AvailabilityZones", service.availability_zones)?,
                private_dns_name: text(service.private_dns_name),
                private_dns_names: all(service.private_dns_names)?,
                vpc_endpoint_policy_supported: service
                    .vpc_endpoint_policy_supported
                    .unwrap_or(false),
                acceptance_required: service.acceptance_required.unwrap_or(false),
                supported_ip_address_types: service
                    .supported_ip_address_types
                    .unwrap_or_default()
                    .iter()
                    .map(|kind| kind.as_str().into())
                    .collect(),
            })
        };
        within(name.as_deref(), read())
    }
}

impl FromAws<sdk::ServiceTypeDetail> for world::ServiceType {
    fn from_aws(detail: sdk::ServiceTypeDetail) -> Read<Self> {
        Ok(Self {
            service_type: detail.service_type.as_ref().map_or("", sdk::ServiceType::as_str).into(),
        })
    }
}

impl FromAws<sdk::PrivateDnsDetails> for world::PrivateDnsName {
    fn from_aws(details: sdk::PrivateDnsDetails) -> Read<Self> {
        Ok(Self { private_dns_name: details.private_dns_name.unwrap_or_default() })
    }
}
