//! By what each obstacle is known in what people are told, and the scenario that tells of it. The
//! compiler asks for a line for each.

use guardrail::analysis::served::Obstacle;

/// What is told of one kind of obstacle.
pub(crate) struct Told {
    /// The variant's name.
    pub(crate) name: &'static str,
    /// The line, with a star for what differs.
    pub(crate) text: &'static str,
    /// The scenario's file that has such a line.
    pub(crate) file: &'static str,
}

/// Takes what is told by the names of the variants; one that is left out does not compile.
macro_rules! told {
    ($($name:ident => $text:literal, told in $file:literal,)*) => {
        /// What is told of each obstacle.
        pub(crate) const OBSTACLES: &[Told] =
            &[$(Told { name: stringify!($name), text: $text, file: $file }),*];

        const _: fn(&Obstacle) -> &'static str = |obstacle| match obstacle {
            $(Obstacle::$name { .. } => $text),*
        };
    };
}

// The first that fits is meant, so those with more in stars stand last.
told! {
    NotOffered => "the Region does not offer it", told in "not-offered/replay.txt",
    NoEndpoint => "no endpoint", told in "cdk/explain.txt",
    NotAvailable => "vpce-* is in state pending", told in "odd-endpoints/explain.txt",
    Broken => "vpce-* is in state *", told in "terraform-aws-vpc/explain.txt",
    AwaitsAcceptance => "vpce-* waits for the service's owner to accept it", told in "pending-acceptance/explain.txt",
    NoInterface => "vpce-* has no interface", told in "odd-endpoints/explain.txt",
    NotAssociated => "no endpoint on rtb-*", told in "plain/explain.txt",
    NoRoute => "rtb-* has no active route to vpce-*", told in "odd-endpoints/explain.txt",
    RouteStateUnclear => "whether the route of rtb-* to vpce-* is active is not said", told in "odd-words/explain.txt",
    NotAGateway => "rtb-* leads to vpce-*, which is not listed as a gateway endpoint", told in "odd-words/explain.txt",
    NoPrivateName => "the service has no private name", told in "no-private-name/explain.txt",
    PrivateDnsOff => "private DNS of vpce-* is off", told in "plain/explain.txt",
    InboundOnly => "the name of vpce-* is for inbound Resolver endpoints only", told in "inbound-only-name/explain.txt",
    NameHeldByAnother => "vpce-*, which is not the VPC's own to use, holds the name", told in "name-elsewhere/explain.txt",
    VpcDnsOff => "enableDns* of the VPC is off", told in "dns-off-and-closed/explain.txt",
    OtherResolver => "the DHCP options name DNS servers not Amazon's: *", told in "custom-dns/explain.txt",
    NoServerReached => "rtb-* leads to no DNS server of the DHCP options: *", told in "dns-behind-nat/explain.txt",
    ServerLost => "rtb-* has no other route to DNS server *", told in "dns-behind-nat/replay.txt",
    ServerAsksOthers => "DNS server * may ask others by way of rtb-*", told in "custom-dns/replay.txt",
    Dns64 => "DNS64 * in subnet-*: vpce-* would have to answer over IPv6", told in "dual-stack/explain.txt",
    HttpsNotAdmitted => "vpce-* admits no TCP 443 from *", told in "dns-off-and-closed/explain.txt",
    GroupsUnread => "a security group of vpce-* was not read", told in "odd-endpoints/explain.txt",
    GroupRuleUnclear => "a rule of sg-*, a group of vpce-*, cannot be read", told in "odd-words/explain.txt",
    Acl => "acl-* stops * TCP *", told in "acl-closed/explain.txt",
    NoAcl => "the network ACL of subnet-* was not seen", told in "not-seen/explain.txt",
    IpVersionUnclear => "the IP address type of vpce-* is not known: *", told in "odd-words/explain.txt",
    NoIpVersion => "vpce-* does not answer over IPv*", told in "ipv6-only/explain.txt",
    InboundUnclear => "whether the name of vpce-* is for inbound Resolver endpoints only is not said", told in "odd-endpoints/explain.txt",
    NameAnswersUnclear => "whether the name of vpce-* answers over IPv6 is not said", told in "ipv6-answers/explain.txt",
    Policy => "the policy of vpce-* is not full access", told in "narrow-policy/explain.txt",
    Overruled => "rtb-*: * overrules the endpoint's route", told in "overruled-route/explain.txt",
    PerhapsOverruled => "rtb-*: * may overrule the endpoint's route", told in "diverted/explain.txt",
    Diverted => "rtb-*: * the way * vpce-*", told in "diverted/explain.txt",
    RangesUnread => "* address ranges * read", told in "dual-stack/explain.txt",
    Unread => "* not read", told in "not-seen/explain.txt",
}

/// The name of the obstacle that a line tells of.
pub(crate) fn obstacle_in(line: &str) -> Option<&'static str> {
    // An endpoint that is still to be made has no id.
    let line = line.replace("the new endpoint", "vpce-new");
    OBSTACLES.iter().find(|told| fits(told.text, &line)).map(|told| told.name)
}

/// Whether a line is the text with something for each star.
fn fits(text: &str, line: &str) -> bool {
    match text.split_once('*') {
        None => text == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.any(|at| line.get(at..).is_some_and(|left| fits(rest, left)))
        }),
    }
}
