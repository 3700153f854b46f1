//! What keeps a service from a subnet, in words: one short line each.

use std::fmt;

use super::{Leg, Obstacle};
use crate::ec2::list;
use crate::shown::word;

impl fmt::Display for Obstacle {
    #[expect(clippy::too_many_lines, reason = "a line or two for each obstacle")]
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
