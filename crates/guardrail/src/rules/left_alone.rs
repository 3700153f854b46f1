//! What is not repaired, and why: not acting is a value too.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::baseline::RuleId;
use crate::ec2::id::{SecurityGroupId, ServiceName, SubnetId, Zone};
use crate::ec2::list;
use crate::ec2::snapshot::Section;

/// Something that is not repaired, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftAlone {
    /// What is left alone, in words.
    pub what: String,
    /// The rule whose repair is left out; absent when it is no single rule's.
    pub rule: Option<RuleId>,
    /// Why it is left alone.
    pub reason: LeftAloneReason,
}

/// Why something is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum LeftAloneReason {
    /// Another account owns the VPC.
    SomebodyElsesVpc,
    /// Not all of the VPC was observed.
    NotObserved {
        /// The sections that were not observed.
        sections: Vec<Section>,
    },
    /// The Region does not offer the service.
    NotOffered,
    /// The table serves other subnets too, for which the route must stay.
    SharedTable {
        /// The other subnets that the table serves.
        with: Vec<SubnetId>,
    },
    /// The route may lead out, and the baseline says to report such routes only.
    MayLeadOut,
    /// Part of what the route carries goes on there, behind what passes it on, and would be cut.
    CarriesMore {
        /// What that part goes on to, in words.
        to: String,
    },
    /// That the route leads out rests on a step that nobody can prove.
    UnprovenDetour {
        /// What traffic would have to be passed on by, in words.
        from: String,
        /// What traffic would have to be passed on to, in words.
        to: String,
    },
    /// The subnets are neither private nor public, so that no rule changes anything of them.
    Unclassified,
    /// The route's destination or target is of a kind that this version does not know.
    Unknown,
    /// The route was propagated or advertised; the remedy is to disable that.
    Propagated,
    /// Without the route, a required service would be cut off.
    ServiceNotServed {
        /// The services that no endpoint serves.
        services: Vec<ServiceName>,
    },
    /// The endpoint's state is a person's to mend.
    Broken,
    /// No private subnet of these zones can take an interface.
    NoSubnetInZone {
        /// The zones without a fitting subnet.
        zones: Vec<Zone>,
    },
    /// Another security group of the VPC has the name of the guardrail's.
    GroupNameTaken {
        /// The group that has the name.
        group: SecurityGroupId,
    },
    /// The table belongs to a gateway and is never changed.
    TableOfGateway,
    /// The endpoint has as many security groups as AWS allows.
    TooManyGroups,
    /// The endpoint's private name is for inbound Resolver endpoints only.
    InboundResolverOnly,
    /// The baseline requires the service, and the Region does not offer it.
    RequiredButNotOffered,
    /// The subnet is private by its tag and built as a public one, so that nobody can tell which is
    /// meant.
    BuiltPublic,
    /// The endpoint acts once the owner of its service has accepted it.
    AwaitsAcceptance,
}

impl fmt::Display for LeftAloneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SomebodyElsesVpc => f.write_str("another account owns the VPC; run the guardrail there"),
            Self::NotObserved { sections } => write!(f, "not everything was observed: {} missing", list(sections)),
            Self::NotOffered => f.write_str("the Region does not offer the service"),
            Self::BuiltPublic => f.write_str(
                "nothing of the subnet is changed; take its tag away or, if it is meant, its way out",
            ),
            Self::AwaitsAcceptance => {
                f.write_str("the owner of the service has to accept the endpoint first")
            }
            Self::RequiredButNotOffered => f.write_str(
                "correct its name in the baseline, or write `?` behind it to require it only where it is \
                 offered",
            ),
            Self::SharedTable { with } => {
                write!(f, "the table serves {} too; give the private subnets a table of their own", list(with))
            }
            Self::MayLeadOut => f.write_str("it may be meant; the baseline says to report such routes only"),
            Self::CarriesMore { to } => write!(
                f,
                "part of what it carries goes on to {to}, which its removal would cut; a person must decide"
            ),
            Self::UnprovenDetour { from, to } => write!(
                f,
                "whether {from} passes traffic on to {to} cannot be proved; a person must decide"
            ),
            Self::Unclassified => f.write_str(
                "no rule changes a subnet that is neither private nor public; tag it as what it is, or \
                 accept it in `unclassified_subnets`",
            ),
            Self::Unknown => f.write_str("what is not known is never deleted"),
            Self::Propagated => f.write_str("a propagated route cannot be deleted; disable the propagation"),
            Self::ServiceNotServed { services } => {
                write!(f, "removing it would cut off {}, which no endpoint serves", list(services))
            }
            Self::Broken => f.write_str("it does not mend by itself; delete it, and the guardrail makes a new one"),
            Self::NoSubnetInZone { zones } => {
                write!(f, "no private subnet in {} has room for an endpoint's IPv4 interface", list(zones))
            }
            Self::GroupNameTaken { group } => {
                write!(f, "{group} has the name of the guardrail's own group but not its tag; rename or tag it")
            }
            Self::TableOfGateway => {
                f.write_str("the table is a gateway's own and is never changed; give the private subnets another one")
            }
            Self::InboundResolverOnly => f.write_str(
                "set PrivateDnsOnlyForInboundResolverEndpoint of the endpoint to false, which moves the \
                 whole VPC's traffic to it",
            ),
            Self::TooManyGroups => f.write_str("the endpoint has five security groups already, as many as AWS allows"),
        }
    }
}

impl LeftAloneReason {
    /// Whether the service that the finding is about stays without a working endpoint because of
    /// it, so that no route may go that the service is reached by.
    pub fn leaves_the_service_unrepaired(&self) -> bool {
        match self {
            Self::Broken
            | Self::InboundResolverOnly
            | Self::RequiredButNotOffered
            | Self::AwaitsAcceptance
            | Self::NoSubnetInZone { .. }
            | Self::GroupNameTaken { .. }
            | Self::TooManyGroups => true,
            Self::SomebodyElsesVpc
            | Self::NotObserved { .. }
            | Self::NotOffered
            | Self::SharedTable { .. }
            | Self::MayLeadOut
            | Self::CarriesMore { .. }
            | Self::UnprovenDetour { .. }
            | Self::Unclassified
            | Self::Unknown
            | Self::Propagated
            | Self::ServiceNotServed { .. }
            | Self::BuiltPublic
            | Self::TableOfGateway => false,
        }
    }
}
