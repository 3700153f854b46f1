//! The drift rules: one file each, one line each in the registry below.

pub mod finding;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::snapshot::Section;
use crate::rules::finding::{Finding, View};

/// One rule: what it finds, what is done about it, and what it needs for both.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// What it finds.
    pub finds: &'static str,
    /// What the repair is; what is left to a person.
    pub repairs: &'static str,
    /// What must have been observed, or the rule says nothing.
    pub needs: &'static [Section],
    /// The IAM actions that its repair calls.
    pub actions: &'static [&'static str],
    /// The rule itself.
    pub check: fn(&View<'_>) -> Vec<Finding>,
}

macro_rules! registry {
    ($($module:ident $name:ident $text:literal;)*) => {
        $(mod $module;)*

        /// A rule's name, as baselines and reports write it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum RuleId {
            $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $name,)*
        }

        impl RuleId {
            /// Every rule, in the order of repair.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The rule of this name.
            pub fn rule(self) -> &'static Rule {
                match self { $(Self::$name => &$module::RULE,)* }
            }
        }
    };
}

registry! {
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

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What every rule finds, in the order of repair; rules that need what was not observed say nothing.
pub fn evaluate(view: &View<'_>) -> Vec<Finding> {
    let observed = |rule: &&Rule| !rule.needs.iter().any(|section| view.snapshot.missing.contains(section));
    RuleId::ALL.iter().map(|id| id.rule()).filter(observed).flat_map(|rule| (rule.check)(view)).collect()
}
