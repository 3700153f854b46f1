//! The services that endpoints can be made for.

use serde::{Deserialize, Serialize};

use crate::ec2::id::{ServiceName, Zone};
use crate::ec2::world::EndpointType;

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
    /// Whether this entry is the service's gateway, or its interface, side: S3 and DynamoDB have an
    /// entry for each.
    pub fn is(&self, kind: &EndpointType) -> bool {
        self.service_type.iter().any(|t| t.service_type == *kind)
    }

    /// Whether private DNS can be turned on for it.
    pub fn has_private_dns(&self) -> bool {
        self.private_dns_name.is_some() || !self.private_dns_names.is_empty()
    }
}
