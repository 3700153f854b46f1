//! What keeps a service from a subnet.

use std::fmt;

use crate::analysis::network_acl::Stop;
use crate::ec2::change::DnsAttribute;
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{EndpointId, RouteTableId};
use crate::ec2::list;
use crate::ec2::policy::PolicyDigest;
use crate::ec2::snapshot::Section;
use crate::ec2::world::EndpointState;
use crate::shown::word;

/// What keeps a service from a subnet, with the facts it rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The Region does not offer the service.
    NotOffered,
    /// There is no endpoint for the service.
    NoEndpoint,
    /// The endpoint is not available yet.
    NotAvailable {
        /// The endpoint.
        endpoint: EndpointId,
        /// Its state.
        state: EndpointState,
    },
    /// The endpoint does not work, and will not by itself.
    Broken {
        /// The endpoint.
        endpoint: EndpointId,
        /// Its state.
        state: EndpointState,
    },
    /// The owner of the service has to accept the endpoint.
    AwaitsAcceptance {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The endpoint has no interface in the VPC.
    NoInterface {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The table is not associated with the endpoint, or there is no endpoint.
    NotAssociated {
        /// The table.
        table: RouteTableId,
    },
    /// The table is associated with the endpoint and has no active route to it.
    NoRoute {
        /// The table.
        table: RouteTableId,
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The service has no private name, so that clients find no endpoint by the service's name.
    NoPrivateName,
    /// Private DNS of the endpoint is off.
    PrivateDnsOff {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The endpoint's private name is for inbound Resolver endpoints only.
    InboundOnly {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// An endpoint that is not the VPC's own to use holds the service's private name.
    NameHeldByAnother {
        /// The endpoint that holds it.
        endpoint: EndpointId,
    },
    /// A DNS attribute of the VPC is off.
    VpcDnsOff {
        /// The attribute.
        attribute: DnsAttribute,
    },
    /// The VPC's DHCP options name servers that are not Amazon's.
    OtherResolver {
        /// The servers, as the options name them.
        servers: Vec<String>,
    },
    /// No group of the endpoint admits TCP 443 from these blocks of the subnet.
    HttpsNotAdmitted {
        /// The endpoint.
        endpoint: EndpointId,
        /// The blocks.
        blocks: Vec<Cidr>,
    },
    /// A group of the endpoint was not read.
    GroupsUnread {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// A network ACL stops what goes to the service, or what comes back.
    Acl(Stop),
    /// No network ACL was seen for a subnet that the traffic crosses.
    NoAcl,
    /// The endpoint does not speak the subnet's version of IP.
    NoIpVersion {
        /// The endpoint.
        endpoint: EndpointId,
        /// The version: `IPv4` or `IPv6`.
        version: &'static str,
    },
    /// Whether the endpoint's private name is for inbound Resolver endpoints only is not said, as it is
    /// by default for S3.
    InboundUnclear {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// With which addresses the endpoint's name answers is left to the service.
    NameAnswersUnclear {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The endpoint's policy is neither full access nor one that the baseline names.
    Policy {
        /// The endpoint.
        endpoint: EndpointId,
        /// What the baseline can accept it by.
        digest: PolicyDigest,
    },
    /// A route of the table takes some of the service's addresses elsewhere.
    Overruled {
        /// The table.
        table: RouteTableId,
        /// The route's destination.
        destination: String,
        /// The route's target.
        target: String,
    },
    /// A route of the table may take some of the service's addresses elsewhere.
    PerhapsOverruled {
        /// The table.
        table: RouteTableId,
        /// The route's destination.
        destination: String,
        /// The route's target.
        target: String,
    },
    /// A route of the table takes what goes to the endpoint's interfaces elsewhere, before the VPC's
    /// own route does.
    Diverted {
        /// The table.
        table: RouteTableId,
        /// The endpoint.
        endpoint: EndpointId,
        /// The route's destination.
        destination: String,
        /// The route's target.
        target: String,
        /// Whether the route leads nowhere; another target may pass traffic on.
        blackhole: bool,
    },
    /// A section that the answer rests on was not read.
    Unread {
        /// The section.
        section: Section,
    },
    /// The address ranges of the service were not read.
    RangesUnread,
}

/// How certain it is that an obstacle keeps the service from the subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// It cannot be told.
    CannotTell,
    /// The service is not served.
    Certain,
}

impl Obstacle {
    /// What a policy that is in the way can be accepted by; `None` where it is no policy.
    pub fn policy(&self) -> Option<&PolicyDigest> {
        if let Self::Policy { digest, .. } = self { Some(digest) } else { None }
    }

    /// How certain it is that it keeps the service from the subnet.
    pub fn certainty(&self) -> Certainty {
        match self {
            Self::Acl(stop) if !stop.by.is_certain() => Certainty::CannotTell,
            Self::OtherResolver { .. }
            | Self::GroupsUnread { .. }
            | Self::AwaitsAcceptance { .. }
            | Self::NoAcl
            | Self::InboundUnclear { .. }
            | Self::NameAnswersUnclear { .. }
            | Self::PerhapsOverruled { .. }
            | Self::Diverted { blackhole: false, .. }
            | Self::Unread { .. }
            | Self::RangesUnread => Certainty::CannotTell,
            Self::NotOffered
            | Self::NoEndpoint
            | Self::NotAvailable { .. }
            | Self::Broken { .. }
            | Self::NoInterface { .. }
            | Self::NotAssociated { .. }
            | Self::NoRoute { .. }
            | Self::NoPrivateName
            | Self::PrivateDnsOff { .. }
            | Self::InboundOnly { .. }
            | Self::NameHeldByAnother { .. }
            | Self::VpcDnsOff { .. }
            | Self::HttpsNotAdmitted { .. }
            | Self::Acl(_)
            | Self::NoIpVersion { .. }
            | Self::Policy { .. }
            | Self::Overruled { .. }
            | Self::Diverted { .. } => Certainty::Certain,
        }
    }

    /// Whether it goes away by itself, so that it is worth waiting for.
    pub fn passes(&self) -> bool {
        match self {
            Self::NotAvailable { .. } => true,
            Self::NotOffered
            | Self::NoEndpoint
            | Self::Broken { .. }
            | Self::AwaitsAcceptance { .. }
            | Self::NoInterface { .. }
            | Self::NotAssociated { .. }
            // Of an available endpoint, whose routes come at once.
            | Self::NoRoute { .. }
            | Self::NoPrivateName
            | Self::PrivateDnsOff { .. }
            | Self::InboundOnly { .. }
            | Self::NameHeldByAnother { .. }
            | Self::VpcDnsOff { .. }
            | Self::OtherResolver { .. }
            | Self::HttpsNotAdmitted { .. }
            | Self::GroupsUnread { .. }
            | Self::Acl(_)
            | Self::NoAcl
            | Self::NoIpVersion { .. }
            | Self::InboundUnclear { .. }
            | Self::NameAnswersUnclear { .. }
            | Self::Policy { .. }
            | Self::Overruled { .. }
            | Self::PerhapsOverruled { .. }
            | Self::Diverted { .. }
            | Self::Unread { .. }
            | Self::RangesUnread => false,
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered => f.write_str("the Region does not offer it"),
            Self::NoEndpoint => f.write_str("no endpoint"),
            Self::NotAvailable { endpoint, state } | Self::Broken { endpoint, state } => {
                write!(f, "{endpoint} is in state {}", word(state.as_str()))
            }
            Self::AwaitsAcceptance { endpoint } => {
                write!(f, "{endpoint} waits for the service's owner to accept it")
            }
            Self::NoInterface { endpoint } => write!(f, "{endpoint} has no interface"),
            Self::NotAssociated { table } => write!(f, "no endpoint on {table}"),
            Self::NoRoute { table, endpoint } => {
                write!(f, "{table} has no active route to {endpoint}")
            }
            Self::NoPrivateName => f.write_str("the service has no private name"),
            Self::PrivateDnsOff { endpoint } => write!(f, "private DNS of {endpoint} is off"),
            Self::InboundOnly { endpoint } => {
                write!(f, "the name of {endpoint} is for inbound Resolver endpoints only")
            }
            Self::NameHeldByAnother { endpoint } => {
                write!(f, "{endpoint}, which is not the VPC's own to use, holds the name")
            }
            Self::VpcDnsOff { attribute } => write!(f, "{attribute} of the VPC is off"),
            Self::OtherResolver { servers } => {
                let servers: Vec<String> =
                    servers.iter().map(|server| word(server).into_owned()).collect();
                write!(f, "the DHCP options name DNS servers not Amazon's: {}", list(&servers))
            }
            Self::HttpsNotAdmitted { endpoint, blocks } => {
                write!(f, "{endpoint} admits no TCP 443 from {}", list(blocks))
            }
            Self::GroupsUnread { endpoint } => {
                write!(f, "a security group of {endpoint} was not read")
            }
            Self::Acl(stop) => stop.fmt(f),
            Self::NoAcl => f.write_str("a subnet's network ACL was not seen"),
            Self::NoIpVersion { endpoint, version } => {
                write!(f, "{endpoint} does not answer over {version}")
            }
            Self::InboundUnclear { endpoint } => {
                write!(
                    f,
                    "whether the name of {endpoint} is for inbound Resolver endpoints only is not said"
                )
            }
            Self::NameAnswersUnclear { endpoint } => {
                write!(f, "whether the name of {endpoint} answers over IPv6 is not said")
            }
            Self::Policy { endpoint, .. } => {
                write!(f, "the policy of {endpoint} is not full access")
            }
            Self::Overruled { table, destination, target } => {
                let (there, target) = (word(destination), word(target));
                write!(f, "{table}: {there} → {target} overrules the endpoint's route")
            }
            Self::PerhapsOverruled { table, destination, target } => {
                let (there, target) = (word(destination), word(target));
                write!(f, "{table}: {there} → {target} may overrule the endpoint's route")
            }
            Self::Diverted { table, endpoint, destination, target, blackhole } => {
                let (there, target) = (word(destination), word(target));
                let verb = if *blackhole { "ends" } else { "may end" };
                write!(f, "{table}: {there} → {target} {verb} the way to {endpoint}")
            }
            Self::Unread { section } => write!(f, "{section} not read"),
            Self::RangesUnread => f.write_str("the service's address ranges were not read"),
        }
    }
}
