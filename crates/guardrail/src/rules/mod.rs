//! The drift rules: one file each, one line each in the registry.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule's name, as baselines and reports write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RuleId {
    /// See [`RuleId::finds`].
    VpcDns,
    /// See [`RuleId::finds`].
    EndpointSecurityGroup,
    /// See [`RuleId::finds`].
    GatewayEndpoint,
    /// See [`RuleId::finds`].
    GatewayEndpointRouteTable,
    /// See [`RuleId::finds`].
    InterfaceEndpoint,
    /// See [`RuleId::finds`].
    InterfaceEndpointZone,
    /// See [`RuleId::finds`].
    PrivateDns,
    /// See [`RuleId::finds`].
    EndpointState,
    /// See [`RuleId::finds`].
    InternetRoute,
}

impl RuleId {
    /// Every rule, in the order of repair.
    pub const ALL: [Self; 9] = [
        Self::VpcDns,
        Self::EndpointSecurityGroup,
        Self::GatewayEndpoint,
        Self::GatewayEndpointRouteTable,
        Self::InterfaceEndpoint,
        Self::InterfaceEndpointZone,
        Self::PrivateDns,
        Self::EndpointState,
        Self::InternetRoute,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VpcDns => "vpc-dns",
            Self::EndpointSecurityGroup => "endpoint-security-group",
            Self::GatewayEndpoint => "gateway-endpoint",
            Self::GatewayEndpointRouteTable => "gateway-endpoint-route-table",
            Self::InterfaceEndpoint => "interface-endpoint",
            Self::InterfaceEndpointZone => "interface-endpoint-zone",
            Self::PrivateDns => "private-dns",
            Self::EndpointState => "endpoint-state",
            Self::InternetRoute => "internet-route",
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
