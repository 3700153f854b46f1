//! The services that endpoints can be made for.

use serde::{Deserialize, Serialize};

use crate::ec2::id::{ServiceName, Zone};
use crate::ec2::world::{EndpointType, IpAddressType};

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
    #[serde(default)]
    pub acceptance_required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supported_ip_address_types: Vec<IpAddressType>,
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
    /// Whether this entry is the service's gateway, or its interface, side: S3 and DynamoDB have an
    /// entry for each.
    pub fn is(&self, kind: &EndpointType) -> bool {
        self.service_type.iter().any(|t| t.service_type == *kind)
    }

    /// Whether private DNS can be turned on for it.
    pub fn has_private_dns(&self) -> bool {
        self.private_dns_name.is_some() || !self.private_dns_names.is_empty()
    }

    /// The private names that its endpoints get.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let listed = self.private_dns_names.iter().map(|it| it.private_dns_name.as_str());
        self.private_dns_name.as_deref().into_iter().chain(listed)
    }

    /// Whether its endpoints can have IPv4 addresses; where nothing is said, they can.
    pub fn has_ipv4(&self) -> bool {
        self.supported_ip_address_types.is_empty()
            || self.supported_ip_address_types.contains(&IpAddressType::Ipv4)
    }
}
