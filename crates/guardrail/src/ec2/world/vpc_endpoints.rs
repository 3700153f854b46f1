//! VPC endpoints, their types and states.

use serde::{Deserialize, Serialize};

use crate::ec2::id::{
    AccountId, EndpointId, InterfaceId, Region, RouteTableId, SecurityGroupId, ServiceName,
    SubnetId, VpcId,
};
use crate::ec2::world::Tag;
use crate::ec2::world::word::word;

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
    pub ip_address_type: Option<IpAddressType>,
    #[serde(default)]
    pub private_dns_enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_options: Option<DnsOptions>,
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

/// `DnsOptions` of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct DnsOptions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_record_ip_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_dns_only_for_inbound_resolver_endpoint: Option<bool>,
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
    /// Whether the service's private name leads to the endpoint for clients in the VPC. With
    /// `PrivateDnsOnlyForInboundResolverEndpoint` on, it does so only for who asks through an
    /// inbound Resolver endpoint, and the VPC's own clients get the service's public addresses
    /// (docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html).
    pub fn holds_name_in_vpc(&self) -> bool {
        self.private_dns_enabled && !self.is_for_inbound_resolvers()
    }

    /// Whether the private name is for inbound Resolver endpoints only.
    pub fn is_for_inbound_resolvers(&self) -> bool {
        let options = self.dns_options.as_ref();
        options.and_then(|o| o.private_dns_only_for_inbound_resolver_endpoint) == Some(true)
    }

    /// Whether AWS says for whom the private name is: it does for S3's interface endpoints alone.
    pub fn says_for_whom_its_name_is(&self) -> bool {
        let options = self.dns_options.as_ref();
        options.is_some_and(|o| o.private_dns_only_for_inbound_resolver_endpoint.is_some())
    }

    /// The type; AWS may leave it empty on a gateway endpoint (GovCloud), which then still has
    /// route tables.
    pub fn kind(&self) -> EndpointType {
        match &self.vpc_endpoint_type {
            Some(EndpointType::Other(text)) if text.is_empty() => EndpointType::Gateway,
            None => EndpointType::Gateway,
            Some(kind) => kind.clone(),
        }
    }

    /// An available endpoint with nothing said of it but its service: full access, IPv4.
    pub fn new(id: EndpointId, vpc: VpcId, service: ServiceName) -> Self {
        Self {
            vpc_endpoint_id: id,
            vpc_endpoint_type: None,
            vpc_id: vpc,
            service_name: Some(service),
            state: EndpointState::Available,
            policy_document: None,
            route_table_ids: Vec::new(),
            subnet_ids: Vec::new(),
            groups: Vec::new(),
            ip_address_type: None,
            private_dns_enabled: false,
            dns_options: None,
            requester_managed: false,
            network_interface_ids: Vec::new(),
            creation_timestamp: None,
            tags: Vec::new(),
            owner_id: None,
            service_region: None,
            failure_reason: None,
            last_error: None,
        }
    }

    /// Whether it still counts as existing: neither deleted nor on its way there.
    pub fn exists(&self) -> bool {
        !matches!(self.state, EndpointState::Deleting | EndpointState::Deleted)
    }
}

word! {
    /// `IpAddressType` of an endpoint.
    IpAddressType {
        /// The endpoint's interfaces have IPv4 addresses.
        Ipv4 = "ipv4",
        /// The endpoint's interfaces have IPv4 and IPv6 addresses.
        Dualstack = "dualstack",
        /// The endpoint's interfaces have IPv6 addresses.
        Ipv6 = "ipv6",
    }
}
