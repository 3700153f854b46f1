//! The names of the drift rules, in the order of repair. What a rule finds and repairs is in its
//! file in `rules/`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Hands every rule to a macro: the name of its file in `rules/`, its variant, its name, and the
/// mode it has where the baseline gives it none. A new rule is one line here, with the mode
/// `Notify`: an update changes no network by itself.
macro_rules! every_rule {
    ($callback:ident) => {
        $callback! {
            private_but_public PrivateButPublic "private-but-public" Notify;
            vpc_dns VpcDns "vpc-dns" OfBaseline;
            endpoint_security_group EndpointSecurityGroup "endpoint-security-group" OfBaseline;
            own_group_edited OwnGroupEdited "own-group-edited" Notify;
            gateway_endpoint GatewayEndpoint "gateway-endpoint" OfBaseline;
            gateway_endpoint_route_table GatewayEndpointRouteTable "gateway-endpoint-route-table" OfBaseline;
            interface_endpoint InterfaceEndpoint "interface-endpoint" OfBaseline;
            interface_endpoint_zone InterfaceEndpointZone "interface-endpoint-zone" OfBaseline;
            private_dns PrivateDns "private-dns" OfBaseline;
            endpoint_state EndpointState "endpoint-state" OfBaseline;
            service_not_served ServiceNotServed "service-not-served" Notify;
            endpoint_policy EndpointPolicy "endpoint-policy" Notify;
            endpoint_route_overruled EndpointRouteOverruled "endpoint-route-overruled" Notify;
            internet_route InternetRoute "internet-route" OfBaseline;
            public_ip_on_launch PublicIpOnLaunch "public-ip-on-launch" Notify;
            public_address PublicAddress "public-address" Notify;
            unguarded_subnet UnguardedSubnet "unguarded-subnet" Advice;
        }
    };
}
pub(crate) use every_rule;

/// The mode of a rule that the baseline's `rules` give none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultMode {
    /// The baseline's own mode.
    OfBaseline,
    /// `notify`, whatever the baseline's own mode is: the rule came after the first nine, and
    /// whoever wrote the baseline did not know it. `rules` switches it on, or off.
    Notify,
    /// `notify` at most, whatever `rules` say: what the rule finds is no drift from the baseline but
    /// advice, and nothing repairs it.
    Advice,
}

macro_rules! rule_ids {
    ($($module:ident $name:ident $text:literal $default:ident;)*) => {
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

            /// The mode that the rule has where the baseline's `rules` give it none.
            pub fn default_mode(self) -> DefaultMode {
                match self { $(Self::$name => DefaultMode::$default,)* }
            }

            /// Whether what repairs the rule's findings makes endpoints.
            pub fn makes_endpoints(self) -> bool {
                matches!(self, Self::GatewayEndpoint | Self::InterfaceEndpoint)
            }

            /// Whether what the rule finds is advice: the VPC is as the baseline says, and a person
            /// should know of something that the baseline says nothing of.
            pub fn is_advice(self) -> bool {
                self.default_mode() == DefaultMode::Advice
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
