//! The changes the guardrail can make, fully specified: nothing is left to choose when one is applied.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cidr::Cidr;
use crate::id::{EndpointId, RouteTableId, SecurityGroupId, ServiceName, SubnetId, VpcId};
use crate::plan::StepId;
use crate::world::{Destination, Tag};

/// The tag on everything the guardrail makes; its role may change no other security group.
pub const CREATED_TAG: (&str, &str) = ("vpc-guardrail", "created");

/// The name of the security group the guardrail makes for endpoints: one in a VPC.
pub const GROUP_NAME: &str = "vpc-guardrail-endpoints";

/// One change. In a plan, a security group may be one that an earlier step of the plan makes (`G` is [`GroupRef`]); when
/// applied it is known (`G` is [`SecurityGroupId`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Action<G> {
    /// `ModifyVpcAttribute`: turn a DNS attribute of the VPC on.
    EnableVpcDns {
        /// The VPC.
        vpc: VpcId,
        /// Which attribute.
        attribute: DnsAttribute,
    },
    /// `CreateSecurityGroup`.
    CreateSecurityGroup {
        /// The VPC.
        vpc: VpcId,
        /// Its name.
        name: String,
        /// Its description.
        description: String,
    },
    /// `AuthorizeSecurityGroupIngress`: admit TCP 443 from these blocks.
    AuthorizeHttps {
        /// The group, always one the guardrail made.
        group: G,
        /// The blocks.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        cidrs: Vec<Cidr>,
    },
    /// `CreateVpcEndpoint`.
    CreateEndpoint {
        /// The VPC.
        vpc: VpcId,
        /// The service.
        service: ServiceName,
        /// Its type and what goes with it.
        kind: NewEndpoint<G>,
        /// The client token: at most 64 characters.
        token: String,
    },
    /// `ModifyVpcEndpoint`: every change to one endpoint, in one call.
    ModifyEndpoint {
        /// The endpoint.
        endpoint: EndpointId,
        /// `AddRouteTableIds`.
        add_route_tables: Vec<RouteTableId>,
        /// `AddSubnetIds`.
        add_subnets: Vec<SubnetId>,
        /// `AddSecurityGroupIds`.
        add_groups: Vec<G>,
        /// `PrivateDnsEnabled=true`; `false` here leaves it as it is.
        enable_private_dns: bool,
    },
    /// `DeleteRoute`.
    DeleteRoute {
        /// The route table.
        table: RouteTableId,
        /// The destination, to the letter as it was described.
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        destination: Destination,
        /// The target it was judged by; a route that leads elsewhere by now is not this one.
        target: String,
    },
}

/// A change ready to be made.
pub type Call = Action<SecurityGroupId>;

/// The type of an endpoint to make, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum NewEndpoint<G> {
    /// A gateway endpoint.
    Gateway {
        /// The tables it writes its route into.
        route_tables: Vec<RouteTableId>,
    },
    /// An interface endpoint.
    Interface {
        /// One subnet in each zone.
        subnets: Vec<SubnetId>,
        /// Its security groups.
        groups: Vec<G>,
        /// Whether the service's own name leads to it.
        private_dns: bool,
    },
}

/// A security group that is there, or that an earlier step makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GroupRef {
    /// This one.
    Existing(SecurityGroupId),
    /// The one that step makes.
    MadeBy(StepId),
}

/// A DNS attribute of a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DnsAttribute {
    /// `enableDnsSupport`.
    Support,
    /// `enableDnsHostnames`, which needs the other.
    Hostnames,
}

impl fmt::Display for DnsAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Support => "enableDnsSupport",
            Self::Hostnames => "enableDnsHostnames",
        })
    }
}

/// The tags on everything the guardrail makes: what made it, and a name a person recognises.
pub fn created_tags(name: &str) -> Vec<Tag> {
    vec![Tag::new(CREATED_TAG.0, CREATED_TAG.1), Tag::new("Name", name)]
}
