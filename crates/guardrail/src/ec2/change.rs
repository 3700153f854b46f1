//! The changes the guardrail can make, fully specified: nothing is left to choose when one is
//! applied.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::{
    AddressAssociationId, AllocationId, EndpointId, InterfaceId, RouteTableId, SecurityGroupId,
    ServiceName, SubnetId, VpcId,
};
use crate::ec2::list;
use crate::ec2::operation::Operation;
use crate::ec2::route_target::RouteTarget;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{Destination, IpPermission, Tag};
use crate::shown::word;

/// The tag on everything the guardrail makes; its role may change no other security group.
pub const CREATED_TAG: (&str, &str) = ("vpc-guardrail", "created");

/// The name of the security group the guardrail makes for endpoints: one in a VPC.
pub const GROUP_NAME: &str = "vpc-guardrail-endpoints";

/// One change. In a plan, a security group may be one that an earlier step of the plan makes (`G`
/// is a reference to a step); when applied it is known (`G` is [`SecurityGroupId`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Action<G> {
    /// `ModifyVpcAttribute`: turn a DNS attribute of the VPC on.
    EnableVpcDns {
        /// The VPC whose attribute is turned on.
        vpc: VpcId,
        /// The attribute to turn on.
        attribute: DnsAttribute,
    },
    /// `CreateSecurityGroup`: make a security group in the VPC.
    CreateSecurityGroup {
        /// The VPC that the group is made in.
        vpc: VpcId,
        /// The group's name.
        name: String,
        /// The group's description.
        description: String,
    },
    /// `AuthorizeSecurityGroupIngress`: admit TCP 443 from these blocks.
    AuthorizeHttps {
        /// The group, always one the guardrail made.
        group: G,
        /// The address blocks to admit, IPv4 and IPv6.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        cidrs: Vec<Cidr>,
    },
    /// `RevokeSecurityGroupIngress`: let in no more what this rule lets in.
    RevokeIngress {
        /// The group, always one the guardrail made.
        group: G,
        /// The rule, with one source, to the letter as it was described.
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        rule: IpPermission,
    },
    /// `CreateVpcEndpoint`: make an endpoint in the VPC.
    CreateEndpoint {
        /// The VPC that the endpoint is made in.
        vpc: VpcId,
        /// The service that the endpoint is for, by its full name.
        service: ServiceName,
        /// The endpoint's type and what goes with it.
        kind: NewEndpoint<G>,
        /// `PolicyDocument`, as JSON text; `None` for AWS's default, full access.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<String>,
        /// The client token: at most 64 characters.
        token: String,
    },
    /// `ModifyVpcEndpoint`: every change to one endpoint, in one call.
    ModifyEndpoint {
        /// The endpoint to change.
        endpoint: EndpointId,
        /// `AddRouteTableIds`: the route tables to associate with a gateway endpoint.
        add_route_tables: Vec<RouteTableId>,
        /// `AddSubnetIds`: the subnets to give an interface endpoint an interface in.
        add_subnets: Vec<SubnetId>,
        /// `AddSecurityGroupIds`: the security groups to attach to an interface endpoint.
        add_groups: Vec<G>,
        /// What turns private DNS on; `Off` leaves it as it is.
        private_dns: PrivateDns,
    },
    /// `ModifyVpcEndpoint`: set the policy of one endpoint.
    SetEndpointPolicy {
        /// The endpoint whose policy is set.
        endpoint: EndpointId,
        /// `PolicyDocument`, as JSON text.
        policy: String,
        /// The policy that it had, to the letter; `None` where it had AWS's default, full access.
        before: Option<String>,
    },
    /// `DeleteRoute`: delete one route of a route table.
    DeleteRoute {
        /// The route table that the route is in.
        table: RouteTableId,
        /// The route's destination, to the letter as it was described.
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        destination: Destination,
        /// The target it was judged by; a route that leads elsewhere by now is not this one.
        target: RouteTarget,
    },
    /// `ModifySubnetAttribute`: turn `MapPublicIpOnLaunch` off.
    DisablePublicIpOnLaunch {
        /// The subnet that gives public IPv4 addresses.
        subnet: SubnetId,
    },
    /// `ModifyNetworkInterfaceAttribute`: AWS assigns the interface no public IPv4 address, and
    /// releases the one that it assigned.
    StopAutomaticAddress {
        /// The interface.
        interface: InterfaceId,
        /// The address that AWS assigned and releases: nobody gets it back. `None` where it assigned
        /// none, and is kept from it.
        address: Option<String>,
    },
    /// `DisassociateAddress`: take an Elastic IP address from an interface. The account keeps it.
    DisassociateAddress {
        /// The interface that has it.
        interface: InterfaceId,
        /// The association that ends.
        association: AddressAssociationId,
        /// The address's id.
        allocation: AllocationId,
        /// The address.
        address: String,
        /// The private address that it stands for.
        private: Option<String>,
    },
}

/// The number of a step in its plan, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepId(pub u32);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
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

impl Action<GroupRef> {
    /// Whether it names a security group that another step of its plan makes.
    pub fn names_group_made_by_a_step(&self) -> bool {
        self.with_group(|group| match group {
            GroupRef::Existing(_) => Some(()),
            GroupRef::MadeBy(_) => None,
        })
        .is_none()
    }
}

impl fmt::Display for GroupRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Existing(id) => id.fmt(f),
            Self::MadeBy(step) => write!(f, "the group made by step {step}"),
        }
    }
}

/// A change ready to be made.
pub type Call = Action<SecurityGroupId>;

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Applied {
    /// The call succeeded; it made no endpoint and no security group.
    Done,
    /// The call was not needed: what it wants was so already.
    Already,
    /// The call succeeded and made this endpoint.
    CreatedEndpoint(EndpointId),
    /// The call succeeded and made this security group.
    CreatedGroup(SecurityGroupId),
}

/// The type of an endpoint to make, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum NewEndpoint<G> {
    /// A gateway endpoint, which writes a route into each of its route tables.
    Gateway {
        /// The route tables that the endpoint writes its route into.
        route_tables: Vec<RouteTableId>,
    },
    /// An interface endpoint, which has an interface in each of its subnets.
    Interface {
        /// The subnets that the endpoint has an interface in, one in each zone.
        subnets: Vec<SubnetId>,
        /// The endpoint's security groups.
        groups: Vec<G>,
        /// Whether private DNS is on, so that the service's own name leads to the endpoint.
        private_dns: PrivateDns,
    },
}

/// Whether the service's own name is to lead to an interface endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PrivateDns {
    /// The call says nothing that turns it on.
    #[default]
    Off,
    /// The name leads to the endpoint.
    On,
    /// The name leads to the endpoint, and `PrivateDnsOnlyForInboundResolverEndpoint` is sent as
    /// false: left out it is true, and then the name does not act in the VPC. AWS refuses the option
    /// for every service but S3.
    OnInTheVpc,
}

impl PrivateDns {
    /// Whether the call turns it on.
    pub fn is_on(self) -> bool {
        match self {
            Self::Off => false,
            Self::On | Self::OnInTheVpc => true,
        }
    }

    /// `PrivateDnsOnlyForInboundResolverEndpoint` as it is sent; `None` leaves it out.
    pub fn for_inbound_only(self) -> Option<bool> {
        match self {
            Self::Off | Self::On => None,
            Self::OnInTheVpc => Some(false),
        }
    }

    /// What turns the private name of this service on for clients in the VPC.
    pub fn on_for(service: &ServiceName) -> Self {
        match service.as_str().rsplit('.').next() {
            Some("s3") => Self::OnInTheVpc,
            Some(_) | None => Self::On,
        }
    }
}

/// A DNS attribute of a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DnsAttribute {
    /// `enableDnsSupport`: the Amazon resolver answers in the VPC.
    Support,
    /// `enableDnsHostnames`: instances get host names; it needs `enableDnsSupport`.
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

impl<G> Action<G> {
    /// The EC2 operation that makes the change.
    pub fn operation(&self) -> Operation {
        match self {
            Self::EnableVpcDns { .. } => Operation::ModifyVpcAttribute,
            Self::CreateSecurityGroup { .. } => Operation::CreateSecurityGroup,
            Self::AuthorizeHttps { .. } => Operation::AuthorizeSecurityGroupIngress,
            Self::RevokeIngress { .. } => Operation::RevokeSecurityGroupIngress,
            Self::CreateEndpoint { .. } => Operation::CreateVpcEndpoint,
            Self::ModifyEndpoint { .. } | Self::SetEndpointPolicy { .. } => {
                Operation::ModifyVpcEndpoint
            }
            Self::DeleteRoute { .. } => Operation::DeleteRoute,
            Self::DisablePublicIpOnLaunch { .. } => Operation::ModifySubnetAttribute,
            Self::StopAutomaticAddress { .. } => Operation::ModifyNetworkInterfaceAttribute,
            Self::DisassociateAddress { .. } => Operation::DisassociateAddress,
        }
    }

    /// What this change was planned from, and what is read again before it is made.
    pub fn rests_on(&self) -> Vec<Section> {
        let all = self.operation().rests_on().iter().copied();
        all.filter(|section| !self.is_settled(*section)).collect()
    }

    /// Whether nothing that this section can say by now speaks against the change. A NAT gateway never
    /// changes its kind, so that a route to one with a plain destination needs no second look at
    /// interfaces and prefix lists. A gateway endpoint takes addresses over, whose names resolve as
    /// they did before.
    fn is_settled(&self, section: Section) -> bool {
        match self {
            Self::DeleteRoute { destination, target, .. } => {
                let is_plain = match destination {
                    Destination::CidrBlock(_) | Destination::Ipv6CidrBlock(_) => true,
                    Destination::PrefixList(_) => false,
                };
                is_plain
                    && matches!(target, RouteTarget::NatGateway(_))
                    && matches!(section, Section::NetworkInterfaces | Section::PrefixLists)
            }
            Self::CreateEndpoint { kind: NewEndpoint::Gateway { .. }, .. } => {
                section == Section::VpcAttributes
            }
            Self::EnableVpcDns { .. }
            | Self::CreateSecurityGroup { .. }
            | Self::AuthorizeHttps { .. }
            | Self::RevokeIngress { .. }
            | Self::CreateEndpoint { kind: NewEndpoint::Interface { .. }, .. }
            | Self::ModifyEndpoint { .. }
            | Self::SetEndpointPolicy { .. }
            | Self::DisablePublicIpOnLaunch { .. }
            | Self::StopAutomaticAddress { .. }
            | Self::DisassociateAddress { .. } => false,
        }
    }

    /// The ids that its call names.
    pub fn ids(&self) -> BTreeSet<String> {
        let ids: Vec<&str> = match self {
            Self::EnableVpcDns { vpc, .. }
            | Self::CreateSecurityGroup { vpc, .. }
            | Self::CreateEndpoint { vpc, .. } => vec![vpc.as_str()],
            Self::ModifyEndpoint { endpoint, add_route_tables, add_subnets, .. } => {
                let tables = add_route_tables.iter().map(RouteTableId::as_str);
                let subnets = add_subnets.iter().map(SubnetId::as_str);
                std::iter::once(endpoint.as_str()).chain(tables).chain(subnets).collect()
            }
            Self::SetEndpointPolicy { endpoint, .. } => vec![endpoint.as_str()],
            Self::DeleteRoute { table, .. } => vec![table.as_str()],
            Self::DisablePublicIpOnLaunch { subnet } => vec![subnet.as_str()],
            Self::StopAutomaticAddress { interface, .. } => vec![interface.as_str()],
            Self::DisassociateAddress { interface, association, .. } => {
                vec![interface.as_str(), association.as_str()]
            }
            Self::AuthorizeHttps { .. } | Self::RevokeIngress { .. } => Vec::new(),
        };
        ids.into_iter().map(str::to_owned).collect()
    }

    /// Whether it changes one thing, so that EC2's "there already" answers all of it.
    pub fn is_single(&self) -> bool {
        match self {
            Self::EnableVpcDns { .. }
            | Self::CreateSecurityGroup { .. }
            | Self::RevokeIngress { .. }
            | Self::DeleteRoute { .. }
            | Self::SetEndpointPolicy { .. }
            | Self::DisablePublicIpOnLaunch { .. }
            | Self::StopAutomaticAddress { .. }
            | Self::DisassociateAddress { .. } => true,
            Self::AuthorizeHttps { cidrs, .. } => cidrs.len() == 1,
            Self::CreateEndpoint { kind, .. } => match kind {
                NewEndpoint::Gateway { route_tables } => route_tables.len() == 1,
                NewEndpoint::Interface { .. } => false,
            },
            Self::ModifyEndpoint {
                add_route_tables, add_subnets, add_groups, private_dns, ..
            } => {
                add_route_tables.len() == 1
                    && add_subnets.is_empty()
                    && add_groups.is_empty()
                    && !private_dns.is_on()
            }
        }
    }

    /// The same action with its security group named in another way; `None` when `name` cannot name
    /// it.
    pub fn with_group<H>(&self, mut name: impl FnMut(&G) -> Option<H>) -> Option<Action<H>> {
        Some(match self {
            Self::EnableVpcDns { vpc, attribute } => {
                Action::EnableVpcDns { vpc: vpc.clone(), attribute: *attribute }
            }
            Self::CreateSecurityGroup { vpc, name, description } => Action::CreateSecurityGroup {
                vpc: vpc.clone(),
                name: name.clone(),
                description: description.clone(),
            },
            Self::AuthorizeHttps { group, cidrs } => {
                Action::AuthorizeHttps { group: name(group)?, cidrs: cidrs.clone() }
            }
            Self::RevokeIngress { group, rule } => {
                Action::RevokeIngress { group: name(group)?, rule: rule.clone() }
            }
            Self::CreateEndpoint { vpc, service, kind, policy, token } => Action::CreateEndpoint {
                policy: policy.clone(),
                vpc: vpc.clone(),
                service: service.clone(),
                kind: kind.with_group(name)?,
                token: token.clone(),
            },
            Self::ModifyEndpoint {
                endpoint,
                add_route_tables,
                add_subnets,
                add_groups,
                private_dns,
            } => Action::ModifyEndpoint {
                endpoint: endpoint.clone(),
                add_route_tables: add_route_tables.clone(),
                add_subnets: add_subnets.clone(),
                add_groups: add_groups.iter().map(name).collect::<Option<_>>()?,
                private_dns: *private_dns,
            },
            Self::SetEndpointPolicy { endpoint, policy, before } => Action::SetEndpointPolicy {
                endpoint: endpoint.clone(),
                policy: policy.clone(),
                before: before.clone(),
            },
            Self::DeleteRoute { table, destination, target } => Action::DeleteRoute {
                table: table.clone(),
                destination: destination.clone(),
                target: target.clone(),
            },
            Self::DisablePublicIpOnLaunch { subnet } => {
                Action::DisablePublicIpOnLaunch { subnet: subnet.clone() }
            }
            Self::StopAutomaticAddress { interface, address } => Action::StopAutomaticAddress {
                interface: interface.clone(),
                address: address.clone(),
            },
            Self::DisassociateAddress { interface, association, allocation, address, private } => {
                Action::DisassociateAddress {
                    interface: interface.clone(),
                    association: association.clone(),
                    allocation: allocation.clone(),
                    address: address.clone(),
                    private: private.clone(),
                }
            }
        })
    }
}

impl<G> NewEndpoint<G> {
    fn with_group<H>(&self, name: impl FnMut(&G) -> Option<H>) -> Option<NewEndpoint<H>> {
        Some(match self {
            Self::Gateway { route_tables } => {
                NewEndpoint::Gateway { route_tables: route_tables.clone() }
            }
            Self::Interface { subnets, groups, private_dns } => NewEndpoint::Interface {
                subnets: subnets.clone(),
                groups: groups.iter().map(name).collect::<Option<_>>()?,
                private_dns: *private_dns,
            },
        })
    }
}

impl<G: fmt::Display> NewEndpoint<G> {
    fn in_words(&self, service: &ServiceName) -> String {
        match self {
            Self::Gateway { route_tables } => {
                format!("a gateway endpoint for {service} on {}", list(route_tables))
            }
            Self::Interface { subnets, groups, private_dns } => {
                let dns = match private_dns {
                    PrivateDns::Off => "",
                    PrivateDns::On | PrivateDns::OnInTheVpc => ", with private DNS",
                };
                let (subnets, groups) = (list(subnets), list(groups));
                format!("an interface endpoint for {service} in {subnets} with {groups}{dns}")
            }
        }
    }
}

impl<G: fmt::Display> fmt::Display for Action<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnableVpcDns { vpc, attribute } => write!(f, "turn {attribute} of {vpc} on"),
            Self::CreateSecurityGroup { vpc, name, .. } => {
                write!(f, "create security group {name} in {vpc}")
            }
            Self::AuthorizeHttps { group, cidrs } => {
                write!(f, "admit TCP 443 to {group} from {}", list(cidrs))
            }
            Self::RevokeIngress { group, rule } => write!(f, "revoke the rule {rule} of {group}"),
            Self::CreateEndpoint { service, kind, .. } => {
                write!(f, "create {}", kind.in_words(service))
            }
            Self::ModifyEndpoint {
                endpoint,
                add_route_tables,
                add_subnets,
                add_groups,
                private_dns,
            } => {
                let mut changes = Vec::new();
                changes.extend(
                    (!add_route_tables.is_empty())
                        .then(|| format!("associate {}", list(add_route_tables))),
                );
                changes.extend(
                    (!add_subnets.is_empty()).then(|| format!("add {}", list(add_subnets))),
                );
                changes.extend(
                    (!add_groups.is_empty()).then(|| format!("attach {}", list(add_groups))),
                );
                changes.extend(private_dns.is_on().then(|| "turn private DNS on".to_owned()));
                write!(f, "modify {endpoint}: {}", changes.join("; "))
            }
            Self::SetEndpointPolicy { endpoint, .. } => {
                write!(
                    f,
                    "set the policy of {endpoint} to the baseline's, which refuses what it does not allow"
                )
            }
            Self::DeleteRoute { table, destination, target } => {
                write!(f, "delete the route {destination} → {target} from {table}")
            }
            Self::DisablePublicIpOnLaunch { subnet } => {
                write!(f, "turn MapPublicIpOnLaunch of {subnet} off")
            }
            Self::StopAutomaticAddress { interface, address: Some(address) } => write!(
                f,
                "release the automatic public address {} of {interface}; IT CANNOT BE UNDONE: nobody \
                 gets that address back",
                word(address)
            ),
            Self::StopAutomaticAddress { interface, address: None } => {
                write!(f, "have AWS assign {interface} no public address")
            }
            Self::DisassociateAddress { interface, allocation, address, .. } => {
                write!(
                    f,
                    "take the Elastic IP address {} ({allocation}) from {interface}",
                    word(address)
                )
            }
        }
    }
}
