//! What keeps a service from a subnet.

use crate::analysis::network_acl::Stop;
use crate::ec2::change::DnsAttribute;
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{EndpointId, PrefixListId, RouteTableId, SecurityGroupId, SubnetId};
use crate::ec2::policy::PolicyDigest;
use crate::ec2::snapshot::Section;
use crate::ec2::world::EndpointState;

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
