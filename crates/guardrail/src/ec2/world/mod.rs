//! A world: what `aws ec2 describe-*` prints, merged into one JSON object, as types.
//!
//! Key names are AWS's own. Unknown keys are ignored; a missing section is "not observed", never
//! "none".

mod dhcp_options;
mod internet_gateways;
mod nat_gateways;
mod network_acls;
mod network_interfaces;
mod prefix_lists;
mod route_tables;
mod routes;
mod section;
mod security_groups;
mod subnets;
mod tag;
mod vpc_attributes;
mod vpc_endpoint_services;
mod vpc_endpoints;
mod vpcs;
mod word;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::id::{AccountId, Region, VpcId};
use crate::ec2::world::section::sections;

pub use dhcp_options::{DhcpConfiguration, DhcpOptions, DhcpValue};
pub use internet_gateways::{EgressOnlyInternetGateway, GatewayAttachment, InternetGateway};
pub use nat_gateways::{
    AvailabilityMode, Connectivity, NatGateway, NatGatewayAddress, NatGatewayState,
};
pub use network_acls::{NetworkAcl, NetworkAclAssociation, NetworkAclEntry, PortRange, RuleAction};
pub use network_interfaces::{
    AddressAssociation, Attachment, InterfaceAddress, InterfaceIpv6Address, NetworkInterface,
};
pub use prefix_lists::{PrefixList, PrefixListEntry};
pub use route_tables::{Association, AssociationState, AssociationStateCode, RouteTable};
pub use routes::{Destination, Route, RouteOrigin, RouteState};
pub use security_groups::{
    GroupPair, IpPermission, IpProtocol, IpRange, Ipv6Range, PermissionPrefixList, SecurityGroup,
};
pub use subnets::Subnet;
pub use tag::Tag;
pub use vpc_attributes::VpcAttributes;
pub use vpc_endpoint_services::{EndpointService, PrivateDnsName, ServiceType};
pub use vpc_endpoints::{
    DnsOptions, EndpointGroup, EndpointState, EndpointType, IpAddressType, LastError, VpcEndpoint,
};
pub use vpcs::{CidrAssociation, CidrState, CidrStateCode, Ipv6CidrAssociation, Vpc};

sections! {
    /// The VPCs: their tags and CIDR blocks.
    Vpcs => vpcs: Vec<Vpc>, "describe-vpcs";
    /// The VPCs' subnets.
    Subnets => subnets: Vec<Subnet>, "describe-subnets";
    /// The VPCs' route tables.
    RouteTables => route_tables: Vec<RouteTable>, "describe-route-tables";
    /// The VPCs' endpoints.
    VpcEndpoints => vpc_endpoints: Vec<VpcEndpoint>, "describe-vpc-endpoints";
    /// The VPCs' NAT gateways.
    NatGateways => nat_gateways: Vec<NatGateway>, "describe-nat-gateways";
    /// The VPCs' security groups, and those attached to their endpoints.
    SecurityGroups => security_groups: Vec<SecurityGroup>, "describe-security-groups";
    /// The network interfaces that the VPCs' routes lead to, and those in subnets with a route to an
    /// internet gateway.
    NetworkInterfaces => network_interfaces: Vec<NetworkInterface>, "describe-network-interfaces";
    /// The prefix lists that the VPCs' routes and security groups name.
    PrefixLists => prefix_lists: Vec<PrefixList>, "describe-managed-prefix-lists";
    /// The services that endpoints can be made for.
    VpcEndpointServices or "ServiceDetails" =>
        vpc_endpoint_services: Vec<EndpointService>, "describe-vpc-endpoint-services";
    /// The VPCs' network ACLs.
    NetworkAcls => network_acls: Vec<NetworkAcl>, "describe-network-acls";
    /// The sets of DHCP options, which say who answers a VPC's DNS queries.
    DhcpOptions => dhcp_options: Vec<DhcpOptions>, "describe-dhcp-options";
    /// The internet gateways that are attached to the VPCs: told, and judged by nothing, as a way
    /// out is a route.
    InternetGateways => internet_gateways: Vec<InternetGateway>, "describe-internet-gateways";
    /// The egress-only internet gateways that are attached to the VPCs: told, as the others.
    EgressOnlyInternetGateways =>
        egress_only_internet_gateways: Vec<EgressOnlyInternetGateway>,
        "describe-egress-only-internet-gateways";
    /// The VPCs' DNS attributes, by VPC.
    VpcAttributes => vpc_attributes: BTreeMap<VpcId, VpcAttributes>, "describe-vpc-attribute";
}

impl Section {
    /// Every section that something is judged by. The others are for people to read, so that no run
    /// reads them, and nothing is held when they are not there.
    pub fn judged() -> Vec<Self> {
        let told_only = [Self::InternetGateways, Self::EgressOnlyInternetGateways];
        Self::ALL.into_iter().filter(|section| !told_only.contains(section)).collect()
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
