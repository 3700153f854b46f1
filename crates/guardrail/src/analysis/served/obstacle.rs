//! What keeps a service from a subnet.

use std::fmt;

use crate::analysis::network_acl::Stop;
use crate::ec2::change::DnsAttribute;
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{EndpointId, PrefixListId, RouteTableId, SecurityGroupId, SubnetId};
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
    /// Whether the table's route to the endpoint is active is not said.
    RouteStateUnclear {
        /// The table.
        table: RouteTableId,
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The table leads to the service through an endpoint that is listed as another than a gateway
    /// endpoint.
    NotAGateway {
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
    /// The subnet's table leads to none of the DNS servers that the VPC's DHCP options name.
    NoServerReached {
        /// The table.
        table: RouteTableId,
        /// The servers, as the options name them.
        servers: Vec<String>,
    },
    /// Nothing but what is to go from the table leads to a DNS server that the VPC's DHCP options name.
    ServerLost {
        /// The table.
        table: RouteTableId,
        /// The server, as the options name it.
        server: String,
    },
    /// A DNS server that the VPC's DHCP options name is in a subnet whose table it may need, to ask
    /// others.
    ServerAsksOthers {
        /// The table.
        table: RouteTableId,
        /// The server, as the options name it.
        server: String,
    },
    /// Clients of the subnet, which has DNS64 on, are answered with addresses of NAT64's that stand
    /// for the endpoint's IPv4 ones.
    Dns64 {
        /// The subnet.
        subnet: SubnetId,
        /// The endpoint.
        endpoint: EndpointId,
        /// Whether DNS64 is said to be on; otherwise nothing is said of it.
        said: bool,
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
    /// A rule of an endpoint's group may admit TCP 443, and cannot be read.
    GroupRuleUnclear {
        /// The endpoint.
        endpoint: EndpointId,
        /// The group.
        group: SecurityGroupId,
    },
    /// A network ACL stops what goes to the service, or what comes back.
    Acl(Stop),
    /// No network ACL was seen for a subnet that the traffic crosses.
    NoAcl {
        /// The subnet.
        subnet: SubnetId,
    },
    /// Which versions of IP the endpoint speaks is said in a word that this version does not know.
    IpVersionUnclear {
        /// The endpoint.
        endpoint: EndpointId,
        /// AWS's word.
        word: String,
    },
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
        /// Whether it can be read; one that cannot may be anything.
        readable: bool,
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
    /// A route of the table takes what goes to the endpoint's interfaces, or comes from them, elsewhere
    /// before the VPC's own route does.
    Diverted {
        /// The table.
        table: RouteTableId,
        /// The endpoint.
        endpoint: EndpointId,
        /// Which way the packets go that it takes.
        leg: Leg,
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
    RangesUnread {
        /// The table that leads to them.
        table: RouteTableId,
        /// The prefix list that they are in, where the table names one.
        list: Option<PrefixListId>,
    },
}

/// Which way packets go between a client and an endpoint's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leg {
    /// The packets go to the interface, by the table of the client's subnet.
    There,
    /// The packets come back, by the table of the interface's subnet.
    Back,
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
            | Self::RouteStateUnclear { .. }
            | Self::NotAGateway { .. }
            | Self::ServerAsksOthers { .. }
            | Self::Dns64 { .. }
            | Self::GroupsUnread { .. }
            | Self::GroupRuleUnclear { .. }
            | Self::AwaitsAcceptance { .. }
            | Self::NoAcl { .. }
            | Self::IpVersionUnclear { .. }
            | Self::Policy { readable: false, .. }
            | Self::InboundUnclear { .. }
            | Self::NameAnswersUnclear { .. }
            | Self::PerhapsOverruled { .. }
            | Self::Diverted { blackhole: false, .. }
            | Self::Unread { .. }
            | Self::RangesUnread { .. } => Certainty::CannotTell,
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
            | Self::NoServerReached { .. }
            | Self::ServerLost { .. }
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
            | Self::RouteStateUnclear { .. }
            | Self::NotAGateway { .. }
            | Self::NoServerReached { .. }
            | Self::ServerLost { .. }
            | Self::ServerAsksOthers { .. }
            | Self::Dns64 { .. }
            | Self::GroupRuleUnclear { .. }
            | Self::IpVersionUnclear { .. }
            | Self::NoPrivateName
            | Self::PrivateDnsOff { .. }
            | Self::InboundOnly { .. }
            | Self::NameHeldByAnother { .. }
            | Self::VpcDnsOff { .. }
            | Self::OtherResolver { .. }
            | Self::HttpsNotAdmitted { .. }
            | Self::GroupsUnread { .. }
            | Self::Acl(_)
            | Self::NoAcl { .. }
            | Self::NoIpVersion { .. }
            | Self::InboundUnclear { .. }
            | Self::NameAnswersUnclear { .. }
            | Self::Policy { .. }
            | Self::Overruled { .. }
            | Self::PerhapsOverruled { .. }
            | Self::Diverted { .. }
            | Self::Unread { .. }
            | Self::RangesUnread { .. } => false,
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
            Self::RouteStateUnclear { table, endpoint } => {
                write!(f, "whether the route of {table} to {endpoint} is active is not said")
            }
            Self::NotAGateway { table, endpoint } => {
                write!(f, "{table} leads to {endpoint}, which is not listed as a gateway endpoint")
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
                write!(f, "the DHCP options name DNS servers not Amazon's: {}", words(servers))
            }
            Self::NoServerReached { table, servers } => {
                write!(f, "{table} leads to no DNS server of the DHCP options: {}", words(servers))
            }
            Self::ServerLost { table, server } => {
                write!(f, "{table} has no other route to DNS server {}", word(server))
            }
            Self::ServerAsksOthers { table, server } => {
                write!(f, "DNS server {} may ask others by way of {table}", word(server))
            }
            Self::Dns64 { subnet, endpoint, said } => {
                let on = if *said { "is on" } else { "may be on" };
                write!(f, "DNS64 {on} in {subnet}: {endpoint} would have to answer over IPv6")
            }
            Self::HttpsNotAdmitted { endpoint, blocks } => {
                write!(f, "{endpoint} admits no TCP 443 from {}", list(blocks))
            }
            Self::GroupsUnread { endpoint } => {
                write!(f, "a security group of {endpoint} was not read")
            }
            Self::GroupRuleUnclear { endpoint, group } => {
                write!(f, "a rule of {group}, a group of {endpoint}, cannot be read")
            }
            Self::Acl(stop) => stop.fmt(f),
            Self::NoAcl { subnet } => write!(f, "the network ACL of {subnet} was not seen"),
            Self::IpVersionUnclear { endpoint, word: of_aws } => {
                write!(f, "the IP address type of {endpoint} is not known: {}", word(of_aws))
            }
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
            Self::Policy { endpoint, readable: true, .. } => {
                write!(f, "the policy of {endpoint} is not full access")
            }
            Self::Policy { endpoint, readable: false, .. } => {
                write!(f, "the policy of {endpoint} cannot be read")
            }
            Self::Overruled { table, destination, target } => {
                let (there, target) = (word(destination), word(target));
                write!(f, "{table}: {there} → {target} overrules the endpoint's route")
            }
            Self::PerhapsOverruled { table, destination, target } => {
                let (there, target) = (word(destination), word(target));
                write!(f, "{table}: {there} → {target} may overrule the endpoint's route")
            }
            Self::Diverted { table, endpoint, leg, destination, target, blackhole } => {
                let (there, target) = (word(destination), word(target));
                let verb = if *blackhole { "ends" } else { "may end" };
                let way = match leg {
                    Leg::There => "way to",
                    Leg::Back => "way back from",
                };
                write!(f, "{table}: {there} → {target} {verb} the {way} {endpoint}")
            }
            Self::Unread { section } => write!(f, "{section} not read"),
            Self::RangesUnread { list: Some(list), .. } => {
                write!(f, "the address ranges of {list} were not read")
            }
            Self::RangesUnread { table, list: None } => {
                write!(f, "{table} leads to none of the service's address ranges that were read")
            }
        }
    }
}

fn words(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| word(text).into_owned()).collect();
    list(&texts)
}
