//! A world: what `aws ec2 describe-*` prints, merged into one JSON object, as types.
//!
//! Key names are AWS's own. Unknown keys are ignored; a missing section is "not observed", never "none".

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::{
    AccountId, AssociationId, EndpointId, InstanceId, InterfaceId, NatGatewayId, PrefixListId, Region, RouteTableId,
    SecurityGroupId, ServiceName, SubnetId, VpcId, Zone,
};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Section;

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

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The key, case-sensitive.
    pub key: String,
    /// The value; AWS allows an empty one.
    #[serde(default)]
    pub value: String,
}

impl Tag {
    /// A tag of this key and value.
    pub fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: value.to_owned() }
    }
}

/// A word AWS uses as a state or a type: the values we know, and anything else as it came.
///
/// Compared without regard to case, because AWS writes the same state as `available` and as `Available`.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A word this version does not know.
            Other(String),
        }

        impl $name {
            /// The word as AWS writes it on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $(known if known.eq_ignore_ascii_case($text) => Self::$variant,)*
                    _ => Self::Other(text),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> String {
                word.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// `Vpcs[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Vpc {
    pub vpc_id: VpcId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_block: Option<Cidr>,
    #[serde(default)]
    pub cidr_block_association_set: Vec<CidrAssociation>,
    #[serde(default)]
    pub ipv6_cidr_block_association_set: Vec<Ipv6CidrAssociation>,
    #[serde(default)]
    pub is_default: bool,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `CidrBlockAssociationSet[]` of a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct CidrAssociation {
    pub cidr_block: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_block_state: Option<CidrState>,
}

/// `Ipv6CidrBlockAssociationSet[]` of a VPC or a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Ipv6CidrAssociation {
    pub ipv6_cidr_block: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr_block_state: Option<CidrState>,
}

/// The state of a CIDR block's association.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct CidrState {
    pub state: String,
}

impl Vpc {
    /// Every CIDR block in use, IPv4 and IPv6, primary first, without duplicates.
    pub fn cidrs(&self) -> Vec<Cidr> {
        let live = |state: &Option<CidrState>| {
            state.as_ref().is_none_or(|s| matches!(s.state.as_str(), "associated" | "associating"))
        };
        let v4 = self.cidr_block_association_set.iter().filter(|a| live(&a.cidr_block_state)).map(|a| &a.cidr_block);
        let v6 = self.ipv6_cidr_block_association_set.iter().filter(|a| live(&a.ipv6_cidr_block_state));
        let mut all: Vec<Cidr> = Vec::new();
        for cidr in self.cidr_block.iter().chain(v4).chain(v6.map(|a| &a.ipv6_cidr_block)) {
            if !all.contains(cidr) {
                all.push(cidr.clone());
            }
        }
        all
    }
}

/// `Subnets[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Subnet {
    pub subnet_id: SubnetId,
    pub vpc_id: VpcId,
    pub availability_zone: Zone,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_block: Option<Cidr>,
    #[serde(default)]
    pub ipv6_cidr_block_association_set: Vec<Ipv6CidrAssociation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_ip_address_count: Option<u32>,
    #[serde(default)]
    pub ipv6_native: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_arn: Option<String>,
    #[serde(default)]
    pub map_public_ip_on_launch: bool,
    #[serde(default)]
    pub assign_ipv6_address_on_creation: bool,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `RouteTables[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct RouteTable {
    pub route_table_id: RouteTableId,
    pub vpc_id: VpcId,
    #[serde(default)]
    pub associations: Vec<Association>,
    #[serde(default)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `Associations[]` of a route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Association {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_table_association_id: Option<AssociationId>,
    #[serde(default)]
    pub main: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<SubnetId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ipv4_pool: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association_state: Option<AssociationState>,
}

/// The state of a route table's association.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct AssociationState {
    pub state: String,
}

impl Association {
    /// Whether the association acts; one that is `disassociating`, `disassociated` or `failed` does not.
    pub fn is_live(&self) -> bool {
        self.association_state
            .as_ref()
            .is_none_or(|s| !matches!(s.state.as_str(), "disassociating" | "disassociated" | "failed"))
    }

    /// Whether it binds the table to a gateway, for traffic that comes in: such a table is no subnet's.
    pub fn is_edge(&self) -> bool {
        self.gateway_id.is_some() || self.public_ipv4_pool.is_some()
    }
}

/// `Routes[]` of a route table: one destination, one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Route {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_cidr_block: Option<Cidr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_ipv6_cidr_block: Option<Cidr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_prefix_list_id: Option<PrefixListId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_gateway_id: Option<NatGatewayId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_only_internet_gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_owner_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_interface_id: Option<InterfaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transit_gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_peering_connection_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_network_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odb_network_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RouteState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<RouteOrigin>,
}

word! {
    /// `State` of a route.
    RouteState {
        /// The target is there.
        Active = "active",
        /// The target is gone or not attached: packets are dropped.
        Blackhole = "blackhole",
        /// Kept out by Route Server.
        Filtered = "filtered",
    }
}

word! {
    /// `Origin` of a route.
    RouteOrigin {
        /// The table's own local route.
        CreateRouteTable = "CreateRouteTable",
        /// Added by a caller, or written by a gateway endpoint.
        CreateRoute = "CreateRoute",
        /// Propagated by a virtual private gateway.
        EnableVgwRoutePropagation = "EnableVgwRoutePropagation",
        /// Advertised through Route Server.
        Advertisement = "Advertisement",
    }
}

/// Where a route's packets are going: exactly one of AWS's three destination fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum Destination {
    /// `DestinationCidrBlock`.
    CidrBlock(Cidr),
    /// `DestinationIpv6CidrBlock`.
    Ipv6CidrBlock(Cidr),
    /// `DestinationPrefixListId`.
    PrefixList(PrefixListId),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CidrBlock(cidr) | Self::Ipv6CidrBlock(cidr) => cidr.fmt(f),
            Self::PrefixList(id) => id.fmt(f),
        }
    }
}

/// A target whose id is text to a world.
type OfText = fn(String) -> RouteTarget;

impl Route {
    /// The destination; `None` for a route that names none this version knows.
    pub fn destination(&self) -> Option<Destination> {
        let v4 = self.destination_cidr_block.clone().map(Destination::CidrBlock);
        let v6 = || self.destination_ipv6_cidr_block.clone().map(Destination::Ipv6CidrBlock);
        let list = || self.destination_prefix_list_id.clone().map(Destination::PrefixList);
        v4.or_else(v6).or_else(list)
    }

    /// Whether `destination` is this route's, to the letter.
    pub fn goes_to(&self, destination: &Destination) -> bool {
        match destination {
            Destination::CidrBlock(cidr) => self.destination_cidr_block.as_ref() == Some(cidr),
            Destination::Ipv6CidrBlock(cidr) => self.destination_ipv6_cidr_block.as_ref() == Some(cidr),
            Destination::PrefixList(id) => self.destination_prefix_list_id.as_ref() == Some(id),
        }
    }

    /// The target; an interface rather than the instance it is attached to.
    pub fn target(&self) -> Option<RouteTarget> {
        let id = self.nat_gateway_id.clone().map(RouteTarget::NatGateway);
        let id = id.or_else(|| self.network_interface_id.clone().map(RouteTarget::NetworkInterface));
        let id = id.or_else(|| self.instance_id.clone().map(RouteTarget::Instance));
        let id = id.or_else(|| self.gateway_id.as_deref().map(RouteTarget::of_gateway_id));
        let texts: [(&Option<String>, OfText); 8] = [
            (&self.egress_only_internet_gateway_id, RouteTarget::EgressOnlyInternetGateway),
            (&self.transit_gateway_id, RouteTarget::TransitGateway),
            (&self.vpc_peering_connection_id, RouteTarget::VpcPeeringConnection),
            (&self.local_gateway_id, RouteTarget::LocalGateway),
            (&self.carrier_gateway_id, RouteTarget::CarrierGateway),
            (&self.core_network_arn, RouteTarget::CoreNetwork),
            (&self.odb_network_arn, RouteTarget::OdbNetwork),
            (&self.ip_address, RouteTarget::NextHop),
        ];
        id.or_else(|| texts.into_iter().find_map(|(text, target)| text.clone().map(target)))
    }
}

/// `VpcEndpoints[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct VpcEndpoint {
    pub vpc_endpoint_id: EndpointId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_type: Option<EndpointType>,
    pub vpc_id: VpcId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<ServiceName>,
    pub state: EndpointState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_document: Option<String>,
    #[serde(default)]
    pub route_table_ids: Vec<RouteTableId>,
    #[serde(default)]
    pub subnet_ids: Vec<SubnetId>,
    #[serde(default)]
    pub groups: Vec<EndpointGroup>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address_type: Option<String>,
    #[serde(default)]
    pub private_dns_enabled: bool,
    #[serde(default)]
    pub requester_managed: bool,
    #[serde(default)]
    pub network_interface_ids: Vec<InterfaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(default)]
    pub tags: Vec<Tag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_region: Option<Region>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
}

/// `Groups[]` of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct EndpointGroup {
    pub group_id: SecurityGroupId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
}

/// `LastError` of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct LastError {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub message: String,
}

word! {
    /// `VpcEndpointType`.
    EndpointType {
        /// Routes by prefix list: S3, DynamoDB.
        Gateway = "Gateway",
        /// PrivateLink interfaces in subnets.
        Interface = "Interface",
        /// In front of a Gateway Load Balancer.
        GatewayLoadBalancer = "GatewayLoadBalancer",
        /// To a VPC Lattice resource.
        Resource = "Resource",
        /// To a VPC Lattice service network.
        ServiceNetwork = "ServiceNetwork",
    }
}

word! {
    /// `State` of an endpoint.
    EndpointState {
        /// Waits for the service's owner to accept.
        PendingAcceptance = "pendingAcceptance",
        /// Being made or changed.
        Pending = "pending",
        /// Works.
        Available = "available",
        /// Being deleted.
        Deleting = "deleting",
        /// Deleted, still listed for a while.
        Deleted = "deleted",
        /// Refused by the service's owner.
        Rejected = "rejected",
        /// Could not be made.
        Failed = "failed",
        /// Not accepted in time.
        Expired = "expired",
        /// Works in part.
        Partial = "partial",
    }
}

impl VpcEndpoint {
    /// The type; AWS may leave it empty on a gateway endpoint (GovCloud), which then still has route tables.
    pub fn kind(&self) -> EndpointType {
        match &self.vpc_endpoint_type {
            Some(EndpointType::Other(text)) if text.is_empty() => EndpointType::Gateway,
            None => EndpointType::Gateway,
            Some(kind) => kind.clone(),
        }
    }

    /// Whether it still counts as existing: neither deleted nor on its way there.
    pub fn exists(&self) -> bool {
        !matches!(self.state, EndpointState::Deleting | EndpointState::Deleted)
    }
}

/// `NatGateways[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct NatGateway {
    pub nat_gateway_id: NatGatewayId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<VpcId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<SubnetId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NatGatewayState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectivity_type: Option<Connectivity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_mode: Option<AvailabilityMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_table_id: Option<RouteTableId>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

word! {
    /// `State` of a NAT gateway.
    NatGatewayState {
        /// Being made.
        Pending = "pending",
        /// Could not be made.
        Failed = "failed",
        /// Works.
        Available = "available",
        /// Being deleted.
        Deleting = "deleting",
        /// Deleted, still listed for a while.
        Deleted = "deleted",
    }
}

word! {
    /// `ConnectivityType` of a NAT gateway.
    Connectivity {
        /// Translates to public addresses.
        Public = "public",
        /// Translates to its private address; the internet gateway drops its traffic.
        Private = "private",
    }
}

word! {
    /// `AvailabilityMode` of a NAT gateway.
    AvailabilityMode {
        /// In one subnet.
        Zonal = "zonal",
        /// Across the Region's zones, with a route table of its own.
        Regional = "regional",
    }
}

/// `SecurityGroups[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct SecurityGroup {
    pub group_id: SecurityGroupId,
    #[serde(default)]
    pub group_name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<VpcId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<AccountId>,
    #[serde(default)]
    pub ip_permissions: Vec<IpPermission>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `IpPermissions[]` of a security group: who may come in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct IpPermission {
    #[serde(default)]
    pub ip_protocol: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i32>,
    #[serde(default)]
    pub ip_ranges: Vec<IpRange>,
    #[serde(default)]
    pub ipv6_ranges: Vec<Ipv6Range>,
    #[serde(default)]
    pub prefix_list_ids: Vec<PermissionPrefixList>,
    #[serde(default)]
    pub user_id_group_pairs: Vec<GroupPair>,
}

/// `IpRanges[]` of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct IpRange {
    pub cidr_ip: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `Ipv6Ranges[]` of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Ipv6Range {
    pub cidr_ipv6: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `PrefixListIds[]` of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct PermissionPrefixList {
    pub prefix_list_id: PrefixListId,
}

/// `UserIdGroupPairs[]` of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct GroupPair {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<SecurityGroupId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// `NetworkInterfaces[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct NetworkInterface {
    pub network_interface_id: InterfaceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<VpcId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<SubnetId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_type: Option<String>,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub requester_managed: bool,
    /// `None` is "not said", which must not be read as off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_dest_check: Option<bool>,
    #[serde(default)]
    pub groups: Vec<EndpointGroup>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
}

/// `Attachment` of a network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Attachment {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// `PrefixLists[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct PrefixList {
    pub prefix_list_id: PrefixListId,
    #[serde(default)]
    pub prefix_list_name: String,
    /// `AWS` for AWS's own lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
    /// As `describe-prefix-lists` prints them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidrs: Option<Vec<Cidr>>,
    /// As `get-managed-prefix-list-entries` prints them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<PrefixListEntry>>,
}

/// `Entries[]` of a prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct PrefixListEntry {
    pub cidr: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl PrefixList {
    /// The list's blocks; `None` when they were not read.
    pub fn blocks(&self) -> Option<Vec<&Cidr>> {
        match (&self.cidrs, &self.entries) {
            (Some(cidrs), _) => Some(cidrs.iter().collect()),
            (None, Some(entries)) => Some(entries.iter().map(|entry| &entry.cidr).collect()),
            (None, None) => None,
        }
    }
}

/// `ServiceDetails[]`: a service that endpoints can be made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct EndpointService {
    pub service_name: ServiceName,
    #[serde(default)]
    pub service_type: Vec<ServiceType>,
    #[serde(default)]
    pub availability_zones: Vec<Zone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_dns_name: Option<String>,
    #[serde(default)]
    pub private_dns_names: Vec<PrivateDnsName>,
    #[serde(default)]
    pub vpc_endpoint_policy_supported: bool,
}

/// `ServiceType[]` of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct ServiceType {
    pub service_type: EndpointType,
}

/// `PrivateDnsNames[]` of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct PrivateDnsName {
    pub private_dns_name: String,
}

impl EndpointService {
    /// Whether this entry is the service's gateway, or its interface, side: S3 and DynamoDB have an entry for each.
    pub fn is(&self, kind: &EndpointType) -> bool {
        self.service_type.iter().any(|t| t.service_type == *kind)
    }

    /// Whether private DNS can be turned on for it.
    pub fn has_private_dns(&self) -> bool {
        self.private_dns_name.is_some() || !self.private_dns_names.is_empty()
    }
}

/// The two DNS attributes of a VPC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VpcAttributes {
    /// Whether the Amazon resolver answers; `None` when not read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "plain_or_value")]
    pub enable_dns_support: Option<bool>,
    /// Whether host names are given; `None` when not read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "plain_or_value")]
    pub enable_dns_hostnames: Option<bool>,
}

/// `true`, or `{"Value": true}` as `describe-vpc-attribute` prints it.
fn plain_or_value<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected true, false or {\"Value\": true}")]
    enum Form {
        Plain(bool),
        Value {
            #[serde(rename = "Value")]
            value: bool,
        },
    }
    Ok(Option::<Form>::deserialize(input)?.map(|form| match form {
        Form::Plain(value) | Form::Value { value } => value,
    }))
}
