//! What is not repaired, and why: not acting is a value too.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::analysis::served::{Certainty, Obstacle};
use crate::baseline::{RuleId, RuleSwitch, UsDollars};
use crate::ec2::id::{EndpointId, Region, SecurityGroupId, ServiceName, SubnetId, Zone};
use crate::ec2::list;
use crate::ec2::policy::PolicyDigest;
use crate::ec2::snapshot::Section;
use crate::ec2::world::Subnet;
use crate::shown::{filled, word};

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
    /// The route also serves private subnets that are exempted, which would lose it.
    ServesExempted {
        /// The exempted subnets.
        subnets: Vec<SubnetId>,
    },
    /// Traffic of other subnets, which are not private, is passed on to the route by something in the
    /// table's subnets, and would be cut.
    PassesOn {
        /// The other subnets.
        from: Vec<SubnetId>,
    },
    /// A DNS server that the VPC's DHCP options name is in a subnet of the table, and may ask others by
    /// the route.
    AnswersNames {
        /// The servers, as the options name them.
        servers: Vec<String>,
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
    /// The subnet's tags contradict each other, or the way it is built.
    Contradictory,
    /// The route's destination or target is of a kind that this version does not know.
    Unknown,
    /// The route was propagated or advertised; the remedy is to disable that.
    Propagated,
    /// Without the route, a required service would be cut off.
    ServiceNotServed {
        /// The services that would be cut off, each with what keeps an endpoint from serving it.
        services: Vec<Unserved>,
    },
    /// The write would move a service's traffic to an endpoint that does not serve everybody who
    /// reaches the service now.
    WouldCutOff {
        /// The services that would be cut off, each with what keeps the endpoint from serving it.
        services: Vec<Unserved>,
    },
    /// An endpoint, which costs money, would not serve the subnets that need it.
    WouldNotServe {
        /// The service, with what would keep the endpoint from serving it.
        services: Vec<Unserved>,
    },
    /// The guardrail's interface endpoints would cost more than the baseline allows, or nobody knows what.
    CostsTooMuch {
        /// What they would cost a month in the VPC, in US dollars; absent where the price is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        per_month: Option<UsDollars>,
        /// What they may cost a month, in US dollars.
        ceiling: UsDollars,
    },
    /// AWS gives no private name to an endpoint of a VPC whose DNS is off, and it stays off.
    NameNeedsVpcDns,
    /// AWS gives a private name to one endpoint of a VPC only, and another has it.
    NameTaken {
        /// The endpoint that has the name.
        by: EndpointId,
    },
    /// AWS writes no second route for a service's prefix list into a table.
    ListLeadsElsewhere {
        /// The prefix list.
        destination: String,
        /// What the table's route for it leads to.
        target: String,
    },
    /// The owner of the service accepts endpoints one by one, and nobody knows whether this one.
    NeedsAcceptance,
    /// The service's endpoints have IPv6 addresses only, and the guardrail's have IPv4 ones.
    OnlyOverIpv6,
    /// The service is offered in no zone of the private subnets that need it.
    NoZoneInCommon,
    /// The endpoint's policy may be meant.
    PolicyOfTheirOwn {
        /// What the policy is accepted by.
        digest: PolicyDigest,
    },
    /// The route, or what it leads to, may be meant.
    OverrulesOnPurpose,
    /// Nothing that the guardrail does makes the service served.
    NoRemedy,
    /// What is in the way goes by itself: the endpoint is coming up.
    ComesByItself,
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
    /// Nobody can tell at present whether these subnets use the table or another one.
    AssociationUnsettled {
        /// The subnets whose associations are between two states, or in one of no known kind.
        subnets: Vec<SubnetId>,
    },
    /// The baseline's options of the rule do not allow it.
    NotSwitchedOn {
        /// The option that does.
        switch: RuleSwitch,
    },
    /// The security group rule admits TCP 443 from private addresses, whose clients may come to an
    /// endpoint by it.
    AdmitsPrivateClients,
    /// The interface is a service's own, which alone may change it.
    OfAService,
    /// A route may lead traffic of the public address to an internet gateway, or its answers.
    MayBeInUse {
        /// The route's table, destination and target, in words.
        by: String,
    },
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
    #[expect(clippy::too_many_lines, reason = "a line or two of words for each reason")]
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
            Self::ServesExempted { subnets } => write!(
                f,
                "{} would lose it too, and an exemption keeps it; give the other private subnets a table of \
                 their own",
                list(subnets)
            ),
            Self::PassesOn { from } => write!(
                f,
                "traffic of {} is passed on to it, through what stands in the table's subnets",
                list(from)
            ),
            Self::AnswersNames { servers } => {
                let servers: Vec<_> = servers.iter().map(|server| word(server)).collect();
                write!(
                    f,
                    "DNS server {} may ask others by it, for whoever asks that server; if it forwards to Amazon's \
                     resolver, say `resolver: forwards-to-amazon` in the baseline's `overrides`",
                    list(&servers)
                )
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
            Self::Contradictory => f.write_str(
                "no rule changes a subnet whose tags contradict each other or the way it is built; correct \
                 them, or accept it in `unclassified_subnets`",
            ),
            Self::Unclassified => f.write_str(
                "no rule changes a subnet that is neither private nor public; tag it as what it is, or \
                 accept it in `unclassified_subnets`",
            ),
            Self::Unknown => f.write_str("what is not known is never deleted"),
            Self::Propagated => f.write_str("a propagated route cannot be deleted; disable the propagation"),
            Self::ServiceNotServed { services } => {
                let may = if is_certain(services) { "would" } else { "may" };
                write!(f, "removing it {may} cut off {}", each_once(services))
            }
            Self::WouldCutOff { services } => {
                let may = if is_certain(services) { "would" } else { "may" };
                write!(f, "it {may} cut off {} for subnets that reach it now", each_once(services))
            }
            Self::CostsTooMuch { per_month: Some(per_month), ceiling } => write!(
                f,
                "the guardrail's interface endpoints would cost {per_month} a month here, and the baseline's \
                 ceiling is {ceiling}; raise `costs.ceiling_per_month`, or make the endpoint by hand"
            ),
            Self::CostsTooMuch { per_month: None, ceiling: _ } => f.write_str(
                "the baseline has a ceiling, and what an interface endpoint costs here is not known; set \
                 `costs.interface_endpoint_hour`",
            ),
            Self::WouldNotServe { services } => write!(
                f,
                "it costs money and would not serve {}; `create: always` in the baseline makes it \
                 all the same",
                each_once(services)
            ),
            Self::NameNeedsVpcDns => f.write_str(
                "AWS gives private names only where enableDnsSupport and enableDnsHostnames of the VPC \
                 are on",
            ),
            Self::NameTaken { by } => {
                write!(f, "{by} has the private name, and AWS gives it to one endpoint of a VPC only")
            }
            Self::ListLeadsElsewhere { destination, target } => write!(
                f,
                "the table leads {} to {} already, and AWS adds no second route for it; a person must \
                 decide",
                word(destination),
                word(target)
            ),
            Self::NeedsAcceptance => f.write_str(
                "it costs money and would wait for the owner of the service to accept it; \
                 `create: always` in the baseline makes it all the same",
            ),
            Self::OnlyOverIpv6 => f.write_str(
                "the service's endpoints have IPv6 addresses only, and the guardrail makes them with IPv4 \
                 ones",
            ),
            Self::NoZoneInCommon => f.write_str(
                "the service is offered in no zone of the private subnets that need it; make one in \
                 another zone",
            ),
            Self::PolicyOfTheirOwn { digest } => {
                write!(f, "policies are people's; if it is meant, accept {digest} in the baseline")
            }
            Self::OverrulesOnPurpose => {
                f.write_str("it may be meant; take the route away if it is not")
            }
            Self::NoRemedy => f.write_str("nothing that the guardrail may do removes it"),
            Self::ComesByItself => f.write_str("it comes up by itself"),
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
            Self::AssociationUnsettled { subnets } => write!(
                f,
                "nobody can tell at present whether {} use this table, by the state of their associations",
                list(subnets)
            ),
            Self::InboundResolverOnly => f.write_str(
                "set PrivateDnsOnlyForInboundResolverEndpoint of the endpoint to false, which moves the \
                 whole VPC's traffic to it",
            ),
            Self::NotSwitchedOn { switch } => {
                write!(f, "`{switch}: true` among this rule's options in the baseline allows it")
            }
            Self::AdmitsPrivateClients => f.write_str(
                "private clients may come to an endpoint by it; if it is not meant, a person revokes it",
            ),
            Self::OfAService => f.write_str(
                "the interface is a service's own: only its owner changes it, by what it belongs to",
            ),
            Self::MayBeInUse { by } => {
                write!(f, "an internet gateway may serve it by {by}; a person must decide")
            }
            Self::TooManyGroups => f.write_str("the endpoint has five security groups already, as many as AWS allows"),
        }
    }
}

impl LeftAloneReason {
    /// What the reason rests on, in short lines with this indentation; none where it says all itself.
    pub fn details(&self, region: &Region, indent: usize) -> Vec<String> {
        match self {
            Self::ServiceNotServed { services }
            | Self::WouldCutOff { services }
            | Self::WouldNotServe { services } => {
                services.iter().flat_map(|it| it.lines(region, indent)).collect()
            }
            Self::SomebodyElsesVpc
            | Self::CostsTooMuch { .. }
            | Self::NotObserved { .. }
            | Self::NotOffered
            | Self::SharedTable { .. }
            | Self::ServesExempted { .. }
            | Self::NameNeedsVpcDns
            | Self::NameTaken { .. }
            | Self::ListLeadsElsewhere { .. }
            | Self::NeedsAcceptance
            | Self::OnlyOverIpv6
            | Self::NoZoneInCommon
            | Self::PassesOn { .. }
            | Self::AnswersNames { .. }
            | Self::MayLeadOut
            | Self::CarriesMore { .. }
            | Self::UnprovenDetour { .. }
            | Self::Unclassified
            | Self::Contradictory
            | Self::Unknown
            | Self::Propagated
            | Self::Broken
            | Self::NoSubnetInZone { .. }
            | Self::GroupNameTaken { .. }
            | Self::TableOfGateway
            | Self::AssociationUnsettled { .. }
            | Self::TooManyGroups
            | Self::NotSwitchedOn { .. }
            | Self::OfAService
            | Self::MayBeInUse { .. }
            | Self::AdmitsPrivateClients
            | Self::InboundResolverOnly
            | Self::RequiredButNotOffered
            | Self::BuiltPublic
            | Self::AwaitsAcceptance
            | Self::PolicyOfTheirOwn { .. }
            | Self::OverrulesOnPurpose
            | Self::ComesByItself
            | Self::NoRemedy => Vec::new(),
        }
    }
}

/// A service, one thing that keeps an endpoint from serving it, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unserved {
    /// The service.
    pub service: ServiceName,
    /// What keeps it from being served, in words.
    pub obstacle: String,
    /// Whether it is certain that this keeps it from being served; otherwise it cannot be told.
    pub certain: bool,
    /// The subnets that it is not served to because of that.
    pub subnets: Vec<SubnetId>,
}

impl Unserved {
    /// Notes that an obstacle keeps a service from a subnet.
    pub fn note(all: &mut Vec<Self>, service: &ServiceName, obstacle: &Obstacle, subnet: &Subnet) {
        let certain = obstacle.certainty() == Certainty::Certain;
        let obstacle = obstacle.to_string();
        let same = |it: &&mut Self| it.service == *service && it.obstacle == obstacle;
        match all.iter_mut().find(same) {
            // A service that is required of both kinds of endpoint is asked for twice.
            Some(known) if known.subnets.contains(&subnet.subnet_id) => {}
            Some(known) => known.subnets.push(subnet.subnet_id.clone()),
            None => all.push(Self {
                service: service.clone(),
                obstacle,
                certain,
                subnets: vec![subnet.subnet_id.clone()],
            }),
        }
    }
}

impl Unserved {
    /// What keeps the service from whom, in lines of the width of a terminal. Services of this Region
    /// go by their short names.
    pub fn lines(&self, region: &Region, indent: usize) -> Vec<String> {
        let Self { service, obstacle, subnets, certain } = self;
        let unclear = if *certain { "" } else { "cannot tell: " };
        let whom = format!("{} for {}:", service.short_in(region), list(subnets));
        let mut lines = filled(&whom, indent);
        lines.extend(filled(&format!("{unclear}{obstacle}"), indent.saturating_add(2)));
        lines
    }
}

/// Whether at least one of these is certain.
fn is_certain(services: &[Unserved]) -> bool {
    services.iter().any(|unserved| unserved.certain)
}

/// The services, each named once.
fn each_once(services: &[Unserved]) -> String {
    let mut names: Vec<&ServiceName> = services.iter().map(|unserved| &unserved.service).collect();
    names.dedup();
    list(&names)
}
