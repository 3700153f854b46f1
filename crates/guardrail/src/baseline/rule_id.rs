//! The names of the drift rules, in the order of repair. What a rule finds and repairs is in its file in `rules/`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Hands every rule to a macro: the name of its file in `rules/`, its variant, its name. A new rule is one line here.
macro_rules! every_rule {
    ($callback:ident) => {
        $callback! {
            vpc_dns VpcDns "vpc-dns";
            endpoint_security_group EndpointSecurityGroup "endpoint-security-group";
            gateway_endpoint GatewayEndpoint "gateway-endpoint";
            gateway_endpoint_route_table GatewayEndpointRouteTable "gateway-endpoint-route-table";
            interface_endpoint InterfaceEndpoint "interface-endpoint";
            interface_endpoint_zone InterfaceEndpointZone "interface-endpoint-zone";
            private_dns PrivateDns "private-dns";
            endpoint_state EndpointState "endpoint-state";
            internet_route InternetRoute "internet-route";
        }
    };
}
pub(crate) use every_rule;

macro_rules! rule_ids {
    ($($module:ident $name:ident $text:literal;)*) => {
        /// A rule's name, as baselines and reports write it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum RuleId {
            $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $name,)*
        }

        impl RuleId {
            /// Every rule, in the order of repair.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The rule's name as baselines, reports and logs write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

every_rule!(rule_ids);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
