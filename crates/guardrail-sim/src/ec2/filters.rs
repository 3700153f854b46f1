//! Filters of the describing calls. A name that EC2 does not know is an error, never "everything".

use guardrail::ec2::world::{
    DhcpOptions, EndpointGroup, EndpointService, NatGateway, NetworkAcl, NetworkInterface,
    PrefixList, RouteTable, SecurityGroup, Subnet, Tag, Vpc, VpcEndpoint,
};

use crate::ec2::errors::ApiError;
use crate::ec2::request::Filter;

/// A kind of thing that can be described.
pub(crate) trait Described: Clone {
    /// The code for an id that does not exist.
    const NOT_FOUND: &'static str;
    /// What such a thing is called in EC2's messages.
    const WHAT: &'static str;
    /// The filters there are, besides `tag:<key>` and `tag-key`.
    const FILTERS: &'static [&'static str];

    fn id(&self) -> &str;
    fn tags(&self) -> &[Tag];
    /// What the thing has under the name of a filter.
    fn values(&self, filter: &str) -> Vec<String>;

    fn knows(filter: &str) -> bool {
        Self::FILTERS.contains(&filter) || filter == "tag-key" || filter.starts_with("tag:")
    }
}

/// Refuses a filter that this kind of thing does not have.
pub(crate) fn check<T: Described>(filters: &[Filter]) -> Result<(), ApiError> {
    match filters.iter().find(|filter| !T::knows(&filter.name)) {
        Some(filter) => {
            Err(ApiError::invalid_value(format!("The filter '{}' is invalid", filter.name)))
        }
        None => Ok(()),
    }
}

/// Whether the thing passes every filter; `more` are the tags that it has beside its own.
pub(crate) fn passes<T: Described>(thing: &T, more: &[Tag], filters: &[Filter]) -> bool {
    filters.iter().all(|filter| {
        let tags = || thing.tags().iter().chain(more);
        let values: Vec<String> = match filter.name.strip_prefix("tag:") {
            Some(key) => tags().filter(|tag| tag.key == key).map(|tag| tag.value.clone()).collect(),
            None if filter.name == "tag-key" => tags().map(|tag| tag.key.clone()).collect(),
            None => thing.values(&filter.name),
        };
        filter
            .values
            .iter()
            .any(|pattern| values.iter().any(|value| fits(pattern.as_bytes(), value.as_bytes())))
    })
}

/// `*` is any text, `?` any one character; case counts. Looks back only to the last `*`, so that
/// the time stays in bounds.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || Some(byte) == text.get(t) => (p, t) = (p + 1, t + 1),
            Some(_) | None => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

fn one(value: impl ToString) -> Vec<String> {
    vec![value.to_string()]
}

fn maybe(value: Option<&(impl ToString + ?Sized)>) -> Vec<String> {
    value.map(ToString::to_string).into_iter().collect()
}

fn all<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn group_ids(groups: &[EndpointGroup]) -> Vec<String> {
    all(groups.iter().map(|group| &group.group_id))
}

impl Described for Vpc {
    const NOT_FOUND: &'static str = "InvalidVpcID.NotFound";
    const WHAT: &'static str = "vpc";
    const FILTERS: &'static [&'static str] = &[
        "vpc-id",
        "owner-id",
        "cidr",
        "cidr-block-association.cidr-block",
        "dhcp-options-id",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "is-default",
        "state",
    ];

    fn id(&self) -> &str {
        self.vpc_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "vpc-id" => one(&self.vpc_id),
            "owner-id" => maybe(self.owner_id.as_ref()),
            "cidr" => maybe(self.cidr_block.as_ref()),
            "is-default" => one(self.is_default),
            "cidr-block-association.cidr-block" => {
                all(self.cidrs().into_iter().filter(|cidr| !cidr.as_str().contains(':')))
            }
            "ipv6-cidr-block-association.ipv6-cidr-block" => {
                all(self.cidrs().into_iter().filter(|cidr| cidr.as_str().contains(':')))
            }
            "dhcp-options-id" => {
                one(self.dhcp_options_id.as_ref().map_or("default", |id| id.as_str()))
            }
            "state" => one("available"), // a world file does not say; EC2's other word is for the seconds of making one
            _ => Vec::new(),
        }
    }
}

impl Described for Subnet {
    const NOT_FOUND: &'static str = "InvalidSubnetID.NotFound";
    const WHAT: &'static str = "subnet";
    const FILTERS: &'static [&'static str] = &[
        "subnet-id",
        "vpc-id",
        "availability-zone",
        "availabilityZone",
        "available-ip-address-count",
        "cidr",
        "cidr-block",
        "cidrBlock",
        "enable-dns64",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "ipv6-native",
        "map-public-ip-on-launch",
        "owner-id",
        "state",
        "subnet-arn",
    ];

    fn id(&self) -> &str {
        self.subnet_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "subnet-id" => one(&self.subnet_id),
            "vpc-id" => one(&self.vpc_id),
            "availability-zone" | "availabilityZone" => one(&self.availability_zone),
            "available-ip-address-count" => maybe(self.available_ip_address_count.as_ref()),
            "cidr" | "cidr-block" | "cidrBlock" => maybe(self.cidr_block.as_ref()),
            "enable-dns64" => one(self.enable_dns64.unwrap_or(false)),
            "ipv6-cidr-block-association.ipv6-cidr-block" => {
                all(self.ipv6_cidr_block_association_set.iter().map(|it| &it.ipv6_cidr_block))
            }
            "ipv6-native" => one(self.ipv6_native),
            "owner-id" => maybe(self.owner_id.as_ref()),
            "subnet-arn" => maybe(self.subnet_arn.as_ref()),
            "map-public-ip-on-launch" => one(self.map_public_ip_on_launch),
            "state" => one("available"), // as of a VPC
            _ => Vec::new(),
        }
    }
}

impl Described for RouteTable {
    const NOT_FOUND: &'static str = "InvalidRouteTableID.NotFound";
    const WHAT: &'static str = "routeTable";
    const FILTERS: &'static [&'static str] = &[
        "route-table-id",
        "vpc-id",
        "association.main",
        "association.route-table-id",
        "association.subnet-id",
        "association.route-table-association-id",
        "association.gateway-id",
        "route.destination-ipv6-cidr-block",
        "route.egress-only-internet-gateway-id",
        "route.instance-id",
        "route.origin",
        "route.state",
        "route.transit-gateway-id",
        "route.vpc-peering-connection-id",
        "route.nat-gateway-id",
        "route.gateway-id",
        "route.destination-cidr-block",
        "route.destination-prefix-list-id",
    ];

    fn id(&self) -> &str {
        self.route_table_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    /// A subnet that uses the main table by default is not in `association.subnet-id`: it has no
    /// association.
    fn values(&self, filter: &str) -> Vec<String> {
        let (associations, routes) = (&self.associations, &self.routes);
        match filter {
            "route-table-id" => one(&self.route_table_id),
            "vpc-id" => one(&self.vpc_id),
            "association.route-table-id" => all(associations.iter().map(|_| &self.route_table_id)),
            "association.main" => all(associations.iter().map(|a| a.main)),
            "association.subnet-id" => {
                all(associations.iter().filter_map(|a| a.subnet_id.as_ref()))
            }
            "association.route-table-association-id" => {
                all(associations.iter().filter_map(|a| a.route_table_association_id.as_ref()))
            }
            "association.gateway-id" => {
                all(associations.iter().filter_map(|a| a.gateway_id.as_ref()))
            }
            "route.destination-ipv6-cidr-block" => {
                all(routes.iter().filter_map(|r| r.destination_ipv6_cidr_block.as_ref()))
            }
            "route.egress-only-internet-gateway-id" => {
                all(routes.iter().filter_map(|r| r.egress_only_internet_gateway_id.as_ref()))
            }
            "route.instance-id" => all(routes.iter().filter_map(|r| r.instance_id.as_ref())),
            "route.origin" => all(routes.iter().filter_map(|r| r.origin.as_ref())),
            "route.state" => all(routes.iter().filter_map(|r| r.state.as_ref())),
            "route.transit-gateway-id" => {
                all(routes.iter().filter_map(|r| r.transit_gateway_id.as_ref()))
            }
            "route.vpc-peering-connection-id" => {
                all(routes.iter().filter_map(|r| r.vpc_peering_connection_id.as_ref()))
            }
            "route.nat-gateway-id" => all(routes.iter().filter_map(|r| r.nat_gateway_id.as_ref())),
            "route.gateway-id" => all(routes.iter().filter_map(|r| r.gateway_id.as_ref())),
            "route.destination-cidr-block" => {
                all(routes.iter().filter_map(|r| r.destination_cidr_block.as_ref()))
            }
            "route.destination-prefix-list-id" => {
                all(routes.iter().filter_map(|r| r.destination_prefix_list_id.as_ref()))
            }
            _ => Vec::new(),
        }
    }
}

impl Described for VpcEndpoint {
    const NOT_FOUND: &'static str = "InvalidVpcEndpointId.NotFound";
    const WHAT: &'static str = "VpcEndpoint";
    const FILTERS: &'static [&'static str] = &[
        "ip-address-type",
        "vpc-endpoint-id",
        "vpc-id",
        "service-name",
        "vpc-endpoint-type",
        "vpc-endpoint-state",
    ];

    fn id(&self) -> &str {
        self.vpc_endpoint_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "vpc-endpoint-id" => one(&self.vpc_endpoint_id),
            "vpc-id" => one(&self.vpc_id),
            "service-name" => maybe(self.service_name.as_ref()),
            "ip-address-type" => maybe(self.ip_address_type.as_ref()),
            "vpc-endpoint-type" => one(self.kind()),
            "vpc-endpoint-state" => one(&self.state),
            _ => Vec::new(),
        }
    }
}

impl Described for NatGateway {
    const NOT_FOUND: &'static str = "NatGatewayNotFound";
    const WHAT: &'static str = "NatGateway";
    const FILTERS: &'static [&'static str] = &["nat-gateway-id", "vpc-id", "subnet-id", "state"];

    fn id(&self) -> &str {
        self.nat_gateway_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "nat-gateway-id" => one(&self.nat_gateway_id),
            "vpc-id" => maybe(self.vpc_id.as_ref()),
            "subnet-id" => maybe(self.subnet_id.as_ref()),
            "state" => maybe(self.state.as_ref()),
            _ => Vec::new(),
        }
    }
}

impl Described for SecurityGroup {
    const NOT_FOUND: &'static str = "InvalidGroup.NotFound";
    const WHAT: &'static str = "security group";
    const FILTERS: &'static [&'static str] = &[
        "description",
        "group-id",
        "group-name",
        "ip-permission.cidr",
        "ip-permission.from-port",
        "ip-permission.group-id",
        "ip-permission.ipv6-cidr",
        "ip-permission.prefix-list-id",
        "ip-permission.protocol",
        "ip-permission.to-port",
        "ip-permission.user-id",
        "owner-id",
        "vpc-id",
    ];

    fn id(&self) -> &str {
        self.group_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        let rules = self.ip_permissions.iter();
        match filter {
            "description" => one(&self.description),
            "ip-permission.cidr" => all(rules.flat_map(|p| &p.ip_ranges).map(|it| &it.cidr_ip)),
            "ip-permission.ipv6-cidr" => {
                all(rules.flat_map(|p| &p.ipv6_ranges).map(|it| &it.cidr_ipv6))
            }
            "ip-permission.from-port" => all(rules.filter_map(|p| p.from_port)),
            "ip-permission.to-port" => all(rules.filter_map(|p| p.to_port)),
            "ip-permission.protocol" => all(rules.map(|p| &p.ip_protocol)),
            "ip-permission.group-id" => all(rules
                .flat_map(|p| &p.user_id_group_pairs)
                .filter_map(|it| it.group_id.as_ref())),
            "ip-permission.user-id" => {
                all(rules.flat_map(|p| &p.user_id_group_pairs).filter_map(|it| it.user_id.as_ref()))
            }
            "group-id" => one(&self.group_id),
            "group-name" => one(&self.group_name),
            "ip-permission.prefix-list-id" => all(self
                .ip_permissions
                .iter()
                .flat_map(|p| &p.prefix_list_ids)
                .map(|list| &list.prefix_list_id)),
            "vpc-id" => maybe(self.vpc_id.as_ref()),
            "owner-id" => maybe(self.owner_id.as_ref()),
            _ => Vec::new(),
        }
    }
}

impl Described for NetworkAcl {
    const NOT_FOUND: &'static str = "InvalidNetworkAclID.NotFound";
    const WHAT: &'static str = "networkAcl";
    const FILTERS: &'static [&'static str] = &[
        "association.association-id",
        "association.network-acl-id",
        "association.subnet-id",
        "default",
        "entry.cidr",
        "entry.egress",
        "entry.ipv6-cidr",
        "entry.port-range.from",
        "entry.port-range.to",
        "entry.protocol",
        "entry.rule-action",
        "entry.rule-number",
        "network-acl-id",
        "owner-id",
        "vpc-id",
    ];

    fn id(&self) -> &str {
        self.network_acl_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        let entries = self.entries.iter();
        match filter {
            "association.association-id" => {
                all(self.associations.iter().flat_map(|a| &a.network_acl_association_id))
            }
            "association.network-acl-id" => {
                all(self.associations.iter().flat_map(|a| &a.network_acl_id))
            }
            "association.subnet-id" => all(self.associations.iter().map(|a| &a.subnet_id)),
            "default" => one(self.is_default),
            "entry.cidr" => all(entries.filter_map(|it| it.cidr_block.as_ref())),
            "entry.egress" => all(entries.map(|it| it.egress)),
            "entry.ipv6-cidr" => all(entries.filter_map(|it| it.ipv6_cidr_block.as_ref())),
            "entry.port-range.from" => all(entries.filter_map(|it| it.port_range?.from)),
            "entry.port-range.to" => all(entries.filter_map(|it| it.port_range?.to)),
            "entry.protocol" => all(entries.map(|it| &it.protocol)),
            "entry.rule-action" => all(entries.map(|it| &it.rule_action)),
            "entry.rule-number" => all(entries.map(|it| it.rule_number)),
            "network-acl-id" => one(&self.network_acl_id),
            "owner-id" => maybe(self.owner_id.as_ref()),
            "vpc-id" => maybe(self.vpc_id.as_ref()),
            _ => Vec::new(),
        }
    }
}

impl Described for DhcpOptions {
    const NOT_FOUND: &'static str = "InvalidDhcpOptionID.NotFound";
    const WHAT: &'static str = "dhcpOptions";
    const FILTERS: &'static [&'static str] = &["dhcp-options-id", "key", "value"];

    fn id(&self) -> &str {
        self.dhcp_options_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &[]
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "dhcp-options-id" => one(&self.dhcp_options_id),
            "key" => all(self.dhcp_configurations.iter().map(|option| &option.key)),
            "value" => all(self
                .dhcp_configurations
                .iter()
                .flat_map(|option| &option.values)
                .map(|value| &value.value)),
            _ => Vec::new(),
        }
    }
}

impl Described for NetworkInterface {
    const NOT_FOUND: &'static str = "InvalidNetworkInterfaceID.NotFound";
    const WHAT: &'static str = "networkInterface";
    const FILTERS: &'static [&'static str] = &[
        "network-interface-id",
        "vpc-id",
        "subnet-id",
        "group-id",
        "interface-type",
        "description",
        "addresses.association.public-ip",
        "addresses.private-ip-address",
        "association.public-ip",
        "attachment.instance-id",
        "attachment.status",
        "private-ip-address",
        "requester-managed",
        "source-dest-check",
        "status",
    ];

    fn id(&self) -> &str {
        self.network_interface_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &[]
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "network-interface-id" => one(&self.network_interface_id),
            "vpc-id" => maybe(self.vpc_id.as_ref()),
            "subnet-id" => maybe(self.subnet_id.as_ref()),
            "group-id" => group_ids(&self.groups),
            "interface-type" => maybe(self.interface_type.as_ref()),
            "description" => one(&self.description),
            "addresses.association.public-ip" => {
                let second =
                    self.private_ip_addresses.iter().filter_map(|it| it.association.as_ref());
                all(self.association.iter().chain(second).filter_map(|it| it.public_ip.as_ref()))
            }
            "addresses.private-ip-address" => {
                let second = self.private_ip_addresses.iter();
                let second = second.filter_map(|it| it.private_ip_address.as_ref());
                all(self.private_ip_address.iter().chain(second))
            }
            "association.public-ip" => {
                maybe(self.association.as_ref().and_then(|it| it.public_ip.as_ref()))
            }
            "attachment.status" => {
                maybe(self.attachment.as_ref().and_then(|it| it.status.as_ref()))
            }
            "private-ip-address" => maybe(self.private_ip_address.as_ref()),
            "source-dest-check" => maybe(self.source_dest_check.as_ref()),
            "status" => one(interface_status(self)),
            "attachment.instance-id" => {
                maybe(self.attachment.as_ref().and_then(|a| a.instance_id.as_ref()))
            }
            "requester-managed" => one(self.requester_managed),
            _ => Vec::new(),
        }
    }
}

/// A service's interface is in use, as one is that is attached.
pub(crate) fn interface_status(eni: &NetworkInterface) -> &'static str {
    if eni.attachment.is_some() || eni.requester_managed { "in-use" } else { "available" }
}

impl Described for PrefixList {
    const NOT_FOUND: &'static str = "InvalidPrefixListID.NotFound";
    const WHAT: &'static str = "prefix list";
    const FILTERS: &'static [&'static str] = &["prefix-list-id", "prefix-list-name", "owner-id"];

    fn id(&self) -> &str {
        self.prefix_list_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &[]
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "prefix-list-id" => one(&self.prefix_list_id),
            "prefix-list-name" => one(&self.prefix_list_name),
            "owner-id" => maybe(self.owner_id.as_ref()),
            _ => Vec::new(),
        }
    }
}

impl Described for EndpointService {
    const NOT_FOUND: &'static str = "InvalidServiceName";
    const WHAT: &'static str = "service";
    const FILTERS: &'static [&'static str] =
        &["service-name", "service-type", "supported-ip-address-types"];

    fn id(&self) -> &str {
        self.service_name.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &[]
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "service-name" => one(&self.service_name),
            "supported-ip-address-types" => all(&self.supported_ip_address_types),
            "service-type" => all(self.service_type.iter().map(|kind| &kind.service_type)),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (pattern, text) in
            [("*", ""), ("prod-*", "prod-1"), ("*-a", "x-a-a"), ("a?c", "abc"), ("**b", "ab")]
        {
            assert!(fits(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("Prod", "prod"), ("a?c", "ac"), ("*-a", "x-b"), ("a", "ab")]
        {
            assert!(!fits(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }
}
