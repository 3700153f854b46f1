//! What may be wrong in a VPC, and what of it keeps a route.

use guardrail::baseline::RuleId;

/// What may be wrong in a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    ServerAsksOthers,
    OtherServers,
    OtherServersBesideAmazons,
    ServersUnread,
    AclOwnOut,
    AclOwnBack,
    AclOfEndpoint,
    AclWrongPorts,
    AclShut,
    AclIpv6,
    AclsUnread,
    NoAcl,
    StaticRoute,
    PropagatedRoute,
    EqualPropagatedRoute,
    ListRoute,
    ListsUnread,
    GatewayPolicy,
    InterfacePolicy,
    PrivateDnsOff,
    InboundOnly,
    S3NameShut,
    VpcDnsOff,
    VpcDnsLeftOff,
    VpcDnsWouldCutOff,
    GroupShut,
    GroupNameTaken,
    GroupUnread,
    OtherZone,
    Pending,
    PendingAcceptance,
    Failed,
    RequesterManaged,
    Ipv6Only,
    DualStack,
    DualStackEndpoint,
    NoPrivateName,
    NotOffered,
    PublicUses,
    UnclassifiedUses,
    OtherClassBlocked,
    LocalOverruled,
    NothingMade,
    NothingAssociated,
    NameLeftOff,
    GroupLeftShut,
    NoInterface,
    InboundUnclear,
    NameAnswersUnclear,
    ServersLost,
    ServersOutOfReach,
    Dns64,
    NoRoute,
    RouteStateUnclear,
    NotAGateway,
    GroupRuleUnclear,
    IpVersionUnclear,
    DivertedBack,
}

impl Wrong {
    pub(crate) const ALL: [Self; 58] = [
        Self::ServerAsksOthers,
        Self::OtherServers,
        Self::OtherServersBesideAmazons,
        Self::ServersUnread,
        Self::AclOwnOut,
        Self::AclOwnBack,
        Self::AclOfEndpoint,
        Self::AclWrongPorts,
        Self::AclShut,
        Self::AclIpv6,
        Self::AclsUnread,
        Self::NoAcl,
        Self::StaticRoute,
        Self::PropagatedRoute,
        Self::EqualPropagatedRoute,
        Self::ListRoute,
        Self::ListsUnread,
        Self::GatewayPolicy,
        Self::InterfacePolicy,
        Self::PrivateDnsOff,
        Self::InboundOnly,
        Self::S3NameShut,
        Self::VpcDnsOff,
        Self::VpcDnsLeftOff,
        Self::VpcDnsWouldCutOff,
        Self::GroupShut,
        Self::GroupNameTaken,
        Self::GroupUnread,
        Self::OtherZone,
        Self::Pending,
        Self::PendingAcceptance,
        Self::Failed,
        Self::RequesterManaged,
        Self::Ipv6Only,
        Self::DualStack,
        Self::DualStackEndpoint,
        Self::NoPrivateName,
        Self::NotOffered,
        Self::PublicUses,
        Self::UnclassifiedUses,
        Self::OtherClassBlocked,
        Self::LocalOverruled,
        Self::NothingMade,
        Self::NothingAssociated,
        Self::NameLeftOff,
        Self::GroupLeftShut,
        Self::NoInterface,
        Self::InboundUnclear,
        Self::NameAnswersUnclear,
        Self::ServersLost,
        Self::ServersOutOfReach,
        Self::Dns64,
        Self::NoRoute,
        Self::RouteStateUnclear,
        Self::NotAGateway,
        Self::GroupRuleUnclear,
        Self::IpVersionUnclear,
        Self::DivertedBack,
    ];

    /// The repair that the baseline leaves to people.
    pub(crate) fn leaves(self) -> &'static [RuleId] {
        match self {
            Self::NothingMade => &[RuleId::InterfaceEndpoint],
            Self::NothingAssociated => {
                &[RuleId::GatewayEndpoint, RuleId::GatewayEndpointRouteTable]
            }
            Self::NameLeftOff => &[RuleId::PrivateDns],
            Self::VpcDnsLeftOff => &[RuleId::VpcDns],
            Self::GroupLeftShut => &[RuleId::EndpointSecurityGroup],
            Self::NoInterface => &[RuleId::InterfaceEndpointZone],
            _ => &[],
        }
    }

    /// The obstacles that this alone may put in the way of a route's going; none where it is put right.
    pub(crate) fn keeps(self) -> &'static [&'static str] {
        match self {
            Self::OtherServers | Self::OtherServersBesideAmazons => {
                &["OtherResolver", "ServerAsksOthers"]
            }
            Self::ServerAsksOthers => &["ServerAsksOthers"],
            Self::ServersLost => &["ServerLost"],
            Self::Dns64 => &["Dns64"],
            Self::NoRoute => &["NoRoute"],
            Self::RouteStateUnclear => &["RouteStateUnclear"],
            Self::NotAGateway => &["NotAGateway"],
            Self::GroupRuleUnclear => &["GroupRuleUnclear"],
            Self::IpVersionUnclear => &["IpVersionUnclear"],
            Self::ServersUnread | Self::AclsUnread => &["Unread"],
            Self::AclOwnOut | Self::AclOwnBack | Self::AclOfEndpoint => &["Acl"],
            Self::AclWrongPorts | Self::AclIpv6 | Self::OtherClassBlocked => &["Acl"],
            Self::NoAcl => &["NoAcl"],
            Self::StaticRoute | Self::PropagatedRoute => &["Overruled"],
            Self::ListRoute => &["Overruled", "PerhapsOverruled"],
            Self::ListsUnread => &["RangesUnread", "PerhapsOverruled"],
            Self::GatewayPolicy | Self::InterfacePolicy => &["Policy"],
            Self::InboundOnly => &["InboundOnly"],
            Self::S3NameShut | Self::GroupNameTaken | Self::GroupLeftShut => &["HttpsNotAdmitted"],
            Self::GroupUnread => &["GroupsUnread"],
            Self::VpcDnsWouldCutOff => &["VpcDnsOff", "HttpsNotAdmitted"],
            Self::PendingAcceptance => &["AwaitsAcceptance"],
            Self::Failed => &["Broken"],
            Self::RequesterManaged => &["NameHeldByAnother"],
            Self::Ipv6Only => &["NoIpVersion"],
            Self::NoPrivateName => &["NoPrivateName"],
            Self::NotOffered => &["NotOffered"],
            Self::LocalOverruled | Self::DivertedBack => &["Diverted"],
            Self::NothingMade => &["NoEndpoint"],
            Self::NothingAssociated => &["NotAssociated"],
            Self::NameLeftOff => &["PrivateDnsOff"],
            Self::VpcDnsLeftOff => &["VpcDnsOff"],
            Self::NoInterface => &["NoInterface"],
            Self::InboundUnclear => &["InboundUnclear"],
            Self::NameAnswersUnclear => &["NameAnswersUnclear"],
            // Who resolves no name has nothing to lose.
            Self::ServersOutOfReach
            | Self::AclShut
            | Self::EqualPropagatedRoute
            | Self::PrivateDnsOff
            | Self::VpcDnsOff
            | Self::GroupShut
            | Self::OtherZone
            | Self::Pending
            | Self::DualStack
            | Self::DualStackEndpoint
            | Self::PublicUses
            | Self::UnclassifiedUses => &[],
        }
    }
}
