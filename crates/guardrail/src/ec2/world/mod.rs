//! A world: what `aws ec2 describe-*` prints, merged into one JSON object, as types.
//!
//! Key names are AWS's own. Unknown keys are ignored; a missing section is "not observed", never "none".

mod nat_gateways;
mod network_interfaces;
mod prefix_lists;
mod route_tables;
mod routes;
mod security_groups;
mod subnets;
mod tag;
mod vpc_attributes;
mod vpc_endpoint_services;
mod vpc_endpoints;
mod vpcs;
mod word;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ec2::id::{AccountId, Region, VpcId};
use crate::ec2::snapshot::Section;

pub use nat_gateways::{AvailabilityMode, Connectivity, NatGateway, NatGatewayState};
pub use network_interfaces::{Attachment, NetworkInterface};
pub use prefix_lists::{PrefixList, PrefixListEntry};
pub use route_tables::{Association, AssociationState, RouteTable};
pub use routes::{Destination, Route, RouteOrigin, RouteState};
pub use security_groups::{GroupPair, IpPermission, IpRange, Ipv6Range, PermissionPrefixList, SecurityGroup};
pub use subnets::Subnet;
pub use tag::Tag;
pub use vpc_attributes::VpcAttributes;
pub use vpc_endpoint_services::{EndpointService, PrivateDnsName, ServiceType};
pub use vpc_endpoints::{EndpointGroup, EndpointState, EndpointType, LastError, VpcEndpoint};
pub use vpcs::{CidrAssociation, CidrState, Ipv6CidrAssociation, Vpc};

/// Everything observed of one account and Region, or of one VPC in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct World {
    /// The Region, where the file says it; otherwise it is read off the ARNs and service names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The account the observer speaks for, where the file says it; otherwise the owner of the VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// `describe-vpcs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpcs: Option<Vec<Vpc>>,
    /// `describe-subnets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnets: Option<Vec<Subnet>>,
    /// `describe-route-tables`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_tables: Option<Vec<RouteTable>>,
    /// `describe-vpc-endpoints`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoints: Option<Vec<VpcEndpoint>>,
    /// `describe-nat-gateways`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_gateways: Option<Vec<NatGateway>>,
    /// `describe-security-groups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<Vec<SecurityGroup>>,
    /// `describe-network-interfaces`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_interfaces: Option<Vec<NetworkInterface>>,
    /// `describe-managed-prefix-lists` and `describe-prefix-lists`, with the entries of the customer's own lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_lists: Option<Vec<PrefixList>>,
    /// The `ServiceDetails` of `describe-vpc-endpoint-services`.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ServiceDetails")]
    pub vpc_endpoint_services: Option<Vec<EndpointService>>,
    /// `describe-vpc-attribute`, by VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_attributes: Option<BTreeMap<VpcId, VpcAttributes>>,
}

impl World {
    /// Whether the section was read at all.
    pub fn has(&self, section: Section) -> bool {
        match section {
            Section::Vpcs => self.vpcs.is_some(),
            Section::Subnets => self.subnets.is_some(),
            Section::RouteTables => self.route_tables.is_some(),
            Section::VpcEndpoints => self.vpc_endpoints.is_some(),
            Section::NatGateways => self.nat_gateways.is_some(),
            Section::SecurityGroups => self.security_groups.is_some(),
            Section::NetworkInterfaces => self.network_interfaces.is_some(),
            Section::PrefixLists => self.prefix_lists.is_some(),
            Section::VpcEndpointServices => self.vpc_endpoint_services.is_some(),
            Section::VpcAttributes => self.vpc_attributes.is_some(),
        }
    }

    /// Takes the sections of `newer` in place of this world's: what was read again replaces what was read before, and a
    /// section that could not be read again becomes "not observed".
    pub fn refresh(&mut self, newer: Self, sections: &[Section]) {
        for section in sections {
            match section {
                Section::Vpcs => self.vpcs.clone_from(&newer.vpcs),
                Section::Subnets => self.subnets.clone_from(&newer.subnets),
                Section::RouteTables => self.route_tables.clone_from(&newer.route_tables),
                Section::VpcEndpoints => self.vpc_endpoints.clone_from(&newer.vpc_endpoints),
                Section::NatGateways => self.nat_gateways.clone_from(&newer.nat_gateways),
                Section::SecurityGroups => self.security_groups.clone_from(&newer.security_groups),
                Section::NetworkInterfaces => self.network_interfaces.clone_from(&newer.network_interfaces),
                Section::PrefixLists => self.prefix_lists.clone_from(&newer.prefix_lists),
                Section::VpcEndpointServices => self.vpc_endpoint_services.clone_from(&newer.vpc_endpoint_services),
                Section::VpcAttributes => self.vpc_attributes.clone_from(&newer.vpc_attributes),
            }
        }
    }
}
