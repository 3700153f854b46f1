//! What is not as the baseline wants it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::baseline::RuleId;
use crate::ec2::change::DnsAttribute;
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{
    EndpointId, InterfaceId, RouteTableId, SecurityGroupId, ServiceName, SubnetId, Zone,
};
use crate::ec2::list;
use crate::ec2::route_target::RouteTarget;
use crate::ec2::world::Destination;
use crate::rules::left_alone::{LeftAlone, LeftAloneReason};
use crate::rules::repair::Repair;
use crate::shown::{quoted_message, word};

/// One thing that is not as the baseline wants it, the rule that found it, and what repairs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: RuleId,
    /// What the rule found.
    pub drift: Drift,
    /// What repairs it, as far as anything does.
    pub repair: Repair,
    /// What of the finding is left alone, and why.
    pub left_alone: Vec<LeftAlone>,
}

impl Finding {
    /// A finding with its repair.
    pub fn new(rule: RuleId, drift: Drift, repair: Repair) -> Self {
        Self { rule, drift, repair, left_alone: Vec::new() }
    }

    /// A finding that nothing repairs.
    pub fn left_alone(rule: RuleId, drift: Drift, reason: LeftAloneReason) -> Self {
        let what = drift.to_string();
        Self::new(rule, drift, Repair::None).leaving(what, reason)
    }

    /// Whether the other finding is of the same rule and says the same, whatever repairs either.
    pub fn is_same_drift(&self, other: &Self) -> bool {
        self.rule == other.rule && self.drift == other.drift
    }

    /// Whether what it tells of goes by itself, and nothing has to be done.
    pub fn comes_by_itself(&self) -> bool {
        self.left_alone.iter().any(|left| left.reason == LeftAloneReason::ComesByItself)
    }

    /// The finding, of which this is left alone.
    #[must_use]
    pub fn leaving(mut self, what: String, reason: LeftAloneReason) -> Self {
        self.left_alone.push(LeftAlone { what, rule: Some(self.rule), reason });
        self
    }
}

/// What is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Drift {
    /// A subnet is private by its tag and built as a public one.
    PrivateButPublic {
        /// The subnet.
        subnet: SubnetId,
        /// What the subnet is by its tag, and how it is built, in words.
        how: String,
    },
    /// A DNS attribute of the VPC is off though private DNS needs it.
    VpcDnsOff {
        /// The attribute that is off.
        attribute: DnsAttribute,
    },
    /// No security group of an interface endpoint admits TCP 443 from some of the VPC's blocks.
    HttpsNotAdmitted {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The endpoint that admits too little.
        endpoint: EndpointId,
        /// The VPC's address blocks that are not admitted.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        cidrs: Vec<Cidr>,
    },
    /// The guardrail's own security group lacks rules that it was made with.
    OwnGroupAdmitsLess {
        /// The group.
        group: SecurityGroupId,
        /// The VPC's address blocks from which the group admits TCP 443 no more.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        cidrs: Vec<Cidr>,
    },
    /// The guardrail's own security group has a rule that it was not made with.
    OwnGroupAdmitsMore {
        /// The group.
        group: SecurityGroupId,
        /// What the rule lets in, in words.
        rule: String,
    },
    /// There is no gateway endpoint for a service.
    GatewayEndpointMissing {
        /// The service without an endpoint.
        service: ServiceName,
        /// The route tables that should lead to the service.
        tables: Vec<RouteTableId>,
    },
    /// A gateway endpoint is there, but some tables do not lead to it.
    RouteTableNotAssociated {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The gateway endpoint that is there.
        endpoint: EndpointId,
        /// The route tables that should lead to the endpoint and do not.
        tables: Vec<RouteTableId>,
    },
    /// There is no interface endpoint for a service.
    InterfaceEndpointMissing {
        /// The service without an endpoint.
        service: ServiceName,
        /// The zones that the endpoint should have an interface in.
        zones: Vec<Zone>,
    },
    /// A service is required that the Region does not offer, so that nothing can serve it.
    ServiceNotOffered {
        /// The service, under its usual full name.
        service: ServiceName,
    },
    /// An interface endpoint is there, but not in some zones that hold private subnets.
    ZonesNotCovered {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The interface endpoint that is there.
        endpoint: EndpointId,
        /// The zones that the endpoint has no interface in.
        zones: Vec<Zone>,
    },
    /// An interface endpoint's private DNS is off.
    PrivateDnsOff {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The endpoint whose private DNS is off.
        endpoint: EndpointId,
    },
    /// An interface endpoint's private DNS is on for inbound Resolver endpoints only.
    PrivateDnsForInboundOnly {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The endpoint whose name does not act in the VPC.
        endpoint: EndpointId,
    },
    /// An endpoint does not work and will not by itself.
    EndpointBroken {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The endpoint that does not work.
        endpoint: EndpointId,
        /// The endpoint's state, as AWS says it.
        state: String,
        /// AWS's reason for the state, where it gives one.
        reason: Option<String>,
    },
    /// Something keeps a required service from private subnets.
    ServiceNotServed {
        /// The service that is not served.
        service: ServiceName,
        /// The subnets that the service is not served to.
        subnets: Vec<SubnetId>,
        /// What keeps the service from them, in words.
        obstacle: String,
        /// Whether it is certain that it does; otherwise it cannot be told.
        certain: bool,
    },
    /// An endpoint's policy is neither full access nor one that the baseline names.
    PolicyNotFullAccess {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The endpoint whose policy is narrowed.
        endpoint: EndpointId,
        /// Whether the policy can be read; what one that cannot lets through is not known.
        readable: bool,
    },
    /// An endpoint's policy is not the one that the baseline has for the service.
    PolicyNotTheBaselines {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The endpoint with the other policy.
        endpoint: EndpointId,
        /// Whether its policy allows everything.
        allows_everything: bool,
    },
    /// A route takes addresses of a gateway service elsewhere than to its endpoint.
    EndpointRouteOverruled {
        /// The service whose addresses are taken elsewhere.
        service: ServiceName,
        /// The route table that the route is in.
        table: RouteTableId,
        /// The route's destination.
        destination: String,
        /// The route's target.
        target: String,
        /// Whether the route overrules the endpoint's for certain.
        certain: bool,
    },
    /// A private subnet's table leads, or may lead, to the internet.
    LeadsOut(LeadingRoute),
    /// A private subnet gives what is launched in it a public IPv4 address.
    PublicIpOnLaunch {
        /// The subnet whose `MapPublicIpOnLaunch` is on.
        subnet: SubnetId,
    },
    /// An interface in a private subnet has public IPv4 addresses.
    PublicAddress {
        /// The subnet that the interface is in.
        subnet: SubnetId,
        /// The interface.
        interface: InterfaceId,
        /// The addresses, each with whose it is, in words.
        addresses: Vec<String>,
    },
    /// Subnets that are neither private nor public lead out, or may.
    SubnetsUnguarded {
        /// The subnets, each with its way out.
        subnets: Vec<UnguardedSubnet>,
    },
}

/// A subnet that is neither private nor public and leads out, or may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnguardedSubnet {
    /// The subnet.
    pub subnet: SubnetId,
    /// Whether its tags contradict each other, or the way it is built, so that nobody can tell what is
    /// meant; otherwise no tag says what it is.
    pub contradictory: bool,
    /// What its tags say, in words.
    pub what: String,
    /// How certain it is that the subnet's table leads to the internet.
    pub certainty: Certainty,
    /// What the table leads out through, in words.
    pub via: String,
}

/// A route that leads, or may lead, to the internet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeadingRoute {
    /// The route table that the route is in.
    pub table: RouteTableId,
    /// The route's destination, to the letter; absent when it is of no known form.
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub destination: Option<Destination>,
    /// The id or ARN of the route's target.
    pub target: Option<RouteTarget>,
    /// How certain it is that the route leads to the internet.
    pub certainty: Certainty,
    /// What the route leads to, in words.
    pub via: String,
    /// Whether the route's packets are dropped at present, because its target is gone.
    pub blackhole: bool,
    /// Whether the route was propagated or advertised, so that it cannot be deleted as a route.
    pub propagated: bool,
    /// Whether the route's table is the VPC's main table.
    pub main: bool,
    /// The private subnets that the route's table serves.
    pub subnets: Vec<SubnetId>,
    /// The public or unclassified subnets that the route's table serves too.
    pub shared_with: Vec<SubnetId>,
}

/// How certain it is that a route leads to the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The route leads to the internet.
    Certain,
    /// The route may lead to the internet: its table alone cannot tell.
    Possible,
    /// The route's destination or target is of no known form.
    Unknown,
}

impl Drift {
    /// The service whose endpoint the finding is about; `None` when it is about none.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::VpcDnsOff { .. }
            | Self::LeadsOut(_)
            | Self::PublicIpOnLaunch { .. }
            | Self::PublicAddress { .. }
            | Self::SubnetsUnguarded { .. }
            | Self::OwnGroupAdmitsLess { .. }
            | Self::OwnGroupAdmitsMore { .. }
            | Self::PrivateButPublic { .. } => None,
            Self::HttpsNotAdmitted { service, .. }
            | Self::GatewayEndpointMissing { service, .. }
            | Self::RouteTableNotAssociated { service, .. }
            | Self::InterfaceEndpointMissing { service, .. }
            | Self::ZonesNotCovered { service, .. }
            | Self::PrivateDnsOff { service, .. }
            | Self::PrivateDnsForInboundOnly { service, .. }
            | Self::ServiceNotOffered { service }
            | Self::ServiceNotServed { service, .. }
            | Self::PolicyNotFullAccess { service, .. }
            | Self::PolicyNotTheBaselines { service, .. }
            | Self::EndpointRouteOverruled { service, .. }
            | Self::EndpointBroken { service, .. } => Some(service),
        }
    }

    /// The subnets that the finding lists because nobody guards them; `None` when it is about others.
    pub fn unguarded(&self) -> Option<&[UnguardedSubnet]> {
        if let Self::SubnetsUnguarded { subnets } = self { Some(subnets) } else { None }
    }

    /// Where the fault is, which with the finding's rule is the fault's key: the same when it comes
    /// back. So it names nothing that is made anew with the fault or its repair: no endpoint and no
    /// target of a route, whose ids are others each time, and no words for people, which may change
    /// with a version.
    pub fn place(&self) -> String {
        match self {
            Self::PrivateButPublic { subnet, how: _ } | Self::PublicIpOnLaunch { subnet } => {
                subnet.to_string()
            }
            Self::VpcDnsOff { attribute } => attribute.to_string(),
            Self::HttpsNotAdmitted { service, endpoint: _, cidrs: _ }
            | Self::GatewayEndpointMissing { service, tables: _ }
            | Self::InterfaceEndpointMissing { service, zones: _ }
            | Self::ServiceNotOffered { service }
            | Self::PrivateDnsOff { service, endpoint: _ }
            | Self::PrivateDnsForInboundOnly { service, endpoint: _ }
            | Self::EndpointBroken { service, endpoint: _, state: _, reason: _ }
            | Self::ServiceNotServed { service, subnets: _, obstacle: _, certain: _ }
            | Self::PolicyNotFullAccess { service, endpoint: _, readable: _ }
            | Self::PolicyNotTheBaselines { service, endpoint: _, allows_everything: _ } => {
                service.to_string()
            }
            Self::RouteTableNotAssociated { service, endpoint: _, tables } => {
                place_of(service.as_str(), tables)
            }
            Self::ZonesNotCovered { service, endpoint: _, zones } => {
                place_of(service.as_str(), zones)
            }
            Self::EndpointRouteOverruled { service, table, destination, target: _, certain: _ } => {
                format!("{table} {} {service}", word(destination))
            }
            Self::LeadsOut(route) => format!("{} {}", route.table, route.shown_destination()),
            Self::PublicAddress { subnet: _, interface, addresses: _ } => interface.to_string(),
            // There is one such group in a VPC, and it has another id once it was made anew.
            Self::OwnGroupAdmitsLess { group: _, cidrs: _ } => "own group, missing".to_owned(),
            Self::OwnGroupAdmitsMore { group: _, rule } => format!("own group, {rule}"),
            // One finding lists them all.
            Self::SubnetsUnguarded { subnets: _ } => "unguarded subnets".to_owned(),
        }
    }

    /// The one thing that the whole finding lies on, by its id; `None` where it is the VPC or there
    /// are several.
    pub fn one_place(&self) -> Option<String> {
        match self {
            Self::VpcDnsOff { .. }
            | Self::GatewayEndpointMissing { .. }
            | Self::InterfaceEndpointMissing { .. }
            | Self::ServiceNotOffered { .. }
            | Self::ServiceNotServed { .. }
            | Self::SubnetsUnguarded { .. } => None,
            Self::PrivateButPublic { subnet, .. }
            | Self::PublicIpOnLaunch { subnet }
            | Self::PublicAddress { subnet, .. } => Some(subnet.to_string()),
            Self::OwnGroupAdmitsLess { group, .. } | Self::OwnGroupAdmitsMore { group, .. } => {
                Some(group.to_string())
            }
            Self::HttpsNotAdmitted { endpoint, .. }
            | Self::RouteTableNotAssociated { endpoint, .. }
            | Self::ZonesNotCovered { endpoint, .. }
            | Self::PrivateDnsOff { endpoint, .. }
            | Self::PrivateDnsForInboundOnly { endpoint, .. }
            | Self::EndpointBroken { endpoint, .. }
            | Self::PolicyNotFullAccess { endpoint, .. }
            | Self::PolicyNotTheBaselines { endpoint, .. } => Some(endpoint.to_string()),
            Self::EndpointRouteOverruled { table, .. } => Some(table.to_string()),
            Self::LeadsOut(route) => Some(route.table.to_string()),
        }
    }

    /// Whether the guardrail's own security group, of which a VPC has one, lacks something.
    fn own_group_lacks(&self) -> bool {
        matches!(self, Self::OwnGroupAdmitsLess { .. })
    }

    /// Whether two findings are of one fault, which may have grown or shrunk between them: half
    /// repaired is not repaired.
    pub fn is_about_the_same_as(&self, other: &Self) -> bool {
        if let (Self::LeadsOut(one), Self::LeadsOut(two)) = (self, other) {
            return one.table == two.table && one.destination == two.destination;
        }
        if let (
            Self::PublicAddress { interface: one, .. },
            Self::PublicAddress { interface: two, .. },
        ) = (self, other)
        {
            return one == two;
        }
        if let (Some(_), Some(_)) = (self.unguarded(), other.unguarded()) {
            return true;
        }
        let same_kind = std::mem::discriminant(self) == std::mem::discriminant(other);
        same_kind
            && (self == other
                || self.own_group_lacks()
                || (self.service().is_some() && self.service() == other.service()))
    }
}

/// A service's place in these tables or zones, in whatever order they were found.
fn place_of<T: fmt::Display>(service: &str, of: &[T]) -> String {
    let mut all: Vec<String> = of.iter().map(ToString::to_string).collect();
    all.sort_unstable();
    format!("{service} {}", all.join(" "))
}

impl fmt::Display for Drift {
    #[expect(clippy::too_many_lines, reason = "a line or two of words for each fault")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PrivateButPublic { subnet, how } => write!(f, "{subnet} is {how}"),
            Self::VpcDnsOff { attribute } => {
                write!(f, "{attribute} of the VPC is off, so private DNS cannot work")
            }
            Self::HttpsNotAdmitted { service, endpoint, cidrs } => {
                write!(f, "{endpoint} ({service}) admits no TCP 443 from {}", list(cidrs))
            }
            Self::OwnGroupAdmitsLess { group, cidrs } => write!(
                f,
                "the guardrail's own {group} lacks its rule for TCP 443 from {}",
                list(cidrs)
            ),
            Self::OwnGroupAdmitsMore { group, rule } => {
                write!(
                    f,
                    "the guardrail's own {group} has a rule that is not the guardrail's: {rule}"
                )
            }
            Self::GatewayEndpointMissing { service, tables } => {
                write!(f, "no gateway endpoint for {service}, wanted on {}", list(tables))
            }
            Self::RouteTableNotAssociated { service, endpoint, tables } => {
                write!(f, "{} not associated with {endpoint} ({service})", list(tables))
            }
            Self::InterfaceEndpointMissing { service, zones } => {
                write!(f, "no interface endpoint for {service}, wanted in {}", list(zones))
            }
            Self::ZonesNotCovered { service, endpoint, zones } => {
                write!(f, "{endpoint} ({service}) has no interface in {}", list(zones))
            }
            Self::PrivateDnsOff { service, endpoint } => {
                write!(f, "private DNS of {endpoint} ({service}) is off")
            }
            Self::ServiceNotOffered { service } => {
                write!(f, "{service} is required, and the Region does not offer it")
            }
            Self::PrivateDnsForInboundOnly { service, endpoint } => write!(
                f,
                "private DNS of {endpoint} ({service}) is for inbound Resolver endpoints only, so \
                 that names in the VPC lead to public addresses"
            ),
            Self::EndpointBroken { service, endpoint, state, reason } => {
                write!(f, "{endpoint} ({service}) is in state {}", word(state))?;
                let said = reason.as_deref().map(quoted_message);
                said.map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
            Self::ServiceNotServed { service, subnets, obstacle, certain: true } => {
                write!(f, "{service} is not served to {}: {obstacle}", list(subnets))
            }
            Self::ServiceNotServed { service, subnets, obstacle, certain: false } => {
                let subnets = list(subnets);
                write!(f, "cannot tell whether {service} is served to {subnets}: {obstacle}")
            }
            Self::PolicyNotTheBaselines { service, endpoint, allows_everything } => {
                let what = if *allows_everything { "allows everything" } else { "is another one" };
                write!(f, "the policy of {endpoint} ({service}) {what}; the baseline has its own")
            }
            Self::PolicyNotFullAccess { service, endpoint, readable } => {
                let is = if *readable { "is not full access" } else { "cannot be read" };
                write!(f, "the policy of {endpoint} ({service}) {is}")
            }
            Self::EndpointRouteOverruled { service, table, destination, target, certain } => {
                let takes = if *certain { "takes" } else { "may take" };
                write!(
                    f,
                    "{table}: {} → {} {takes} addresses of {service} past its endpoint",
                    word(destination),
                    word(target)
                )
            }
            Self::LeadsOut(route) => route.fmt(f),
            Self::PublicIpOnLaunch { subnet } => write!(
                f,
                "private {subnet} gives instances launched in it a public IPv4 address (MapPublicIpOnLaunch is on)"
            ),
            Self::PublicAddress { subnet, interface, addresses } => {
                write!(f, "{interface} in private {subnet} has {}", list(addresses))
            }
            Self::SubnetsUnguarded { subnets } => {
                let each: Vec<String> = subnets.iter().map(ToString::to_string).collect();
                write!(f, "unguarded and leading out: {}", each.join("; "))
            }
        }
    }
}

impl fmt::Display for UnguardedSubnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let perhaps = match self.certainty {
            Certainty::Certain => "",
            Certainty::Possible | Certainty::Unknown => "perhaps ",
        };
        write!(f, "{} ({}) {perhaps}through {}", self.subnet, self.what, self.via)
    }
}

impl fmt::Display for LeadingRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let main = if self.main { " (the main table)" } else { "" };
        let leads = match self.certainty {
            Certainty::Certain => "leads to the internet through",
            Certainty::Possible => "may lead to the internet through",
            Certainty::Unknown => "leads to",
        };
        write!(
            f,
            "{}{main}: {} → {} {leads} {}",
            self.table,
            self.shown_destination(),
            self.shown_target(),
            self.via
        )?;
        if self.blackhole {
            f.write_str(" (a blackhole at present)")?;
        }
        write!(f, ", for private {}", list(&self.subnets))
    }
}

impl LeadingRoute {
    /// The target as text.
    pub fn shown_target(&self) -> String {
        let known = self.target.as_ref();
        known.map_or_else(|| "no target".to_owned(), |target| word(target.as_str()).into_owned())
    }

    /// The destination as text.
    pub fn shown_destination(&self) -> String {
        self.destination.as_ref().map_or_else(
            || "unknown destination".to_owned(),
            |to| word(&to.to_string()).into_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture::Fixture;

    /// What is found first after an edit.
    fn drift(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Drift {
        Fixture::edited(edit).plan("test").0.remove(0).drift
    }

    fn route(table: &str, destination: &str, target: &str) -> Drift {
        drift(|w| w.route(table, destination, target))
    }

    fn set(endpoint: &str, key: &str, value: Value) -> Drift {
        drift(|w| w.set(endpoint, key, value))
    }

    fn dns_off(attribute: &str) -> Drift {
        drift(|w| {
            w.world["VpcAttributes"]["vpc-1"][attribute] = json!(false);
            w
        })
    }

    #[test]
    fn a_fault_that_grew_shrank_or_changed_its_target_is_the_same_one() {
        for (one, two) in [
            (route("rtb-a", "0.0.0.0/0", "nat-1"), route("rtb-a", "0.0.0.0/0", "igw-1")),
            (
                set("vpce-ssm", "SubnetIds", json!(["subnet-pria"])),
                set("vpce-ssm", "SubnetIds", json!(["subnet-prib"])),
            ),
            (dns_off("EnableDnsSupport"), dns_off("EnableDnsSupport")),
            (
                drift(|w| w.tag("subnet-pria", "Tier", "x").route("rtb-a", "0.0.0.0/0", "nat-1")),
                drift(|w| w.tag("subnet-prib", "Tier", "x").route("rtb-b", "0.0.0.0/0", "tgw-1")),
            ),
        ] {
            assert!(one.is_about_the_same_as(&two), "{one}, {two}");
        }
    }

    #[test]
    fn a_place_names_no_target_and_no_endpoint() {
        for (drift, place) in [
            (route("rtb-a", "0.0.0.0/0", "nat-1"), "rtb-a 0.0.0.0/0"),
            (route("rtb-a", "0.0.0.0/0", "igw-1"), "rtb-a 0.0.0.0/0"),
            (
                set("vpce-ssm", "SubnetIds", json!(["subnet-pria"])),
                "com.amazonaws.eu-central-1.ssm eu-central-1b",
            ),
            (set("vpce-ssm", "PrivateDnsEnabled", json!(false)), "com.amazonaws.eu-central-1.ssm"),
            (
                Drift::RouteTableNotAssociated {
                    service: "com.amazonaws.eu-central-1.s3".parse().unwrap(),
                    endpoint: "vpce-s3".parse().unwrap(),
                    tables: ["rtb-b", "rtb-a"].map(|id| id.parse().unwrap()).to_vec(),
                },
                "com.amazonaws.eu-central-1.s3 rtb-a rtb-b",
            ),
            (dns_off("EnableDnsSupport"), "enableDnsSupport"),
            (drift(|w| w.set("subnet-pria", "MapPublicIpOnLaunch", json!(true))), "subnet-pria"),
            (
                drift(|w| w.tag("subnet-pria", "Tier", "x").route("rtb-a", "0.0.0.0/0", "nat-1")),
                "unguarded subnets",
            ),
        ] {
            assert_eq!(drift.place(), place, "{drift}");
        }
    }

    #[test]
    fn faults_of_other_things_or_other_kinds_are_others() {
        let others = [
            route("rtb-a", "0.0.0.0/0", "nat-1"),
            route("rtb-b", "0.0.0.0/0", "nat-1"),
            route("rtb-a", "0.0.0.0/1", "nat-1"),
            set("vpce-ssm", "SubnetIds", json!(["subnet-pria"])),
            set("vpce-ssmmessages", "SubnetIds", json!(["subnet-pria"])),
            set("vpce-ssm", "PrivateDnsEnabled", json!(false)),
            dns_off("EnableDnsSupport"),
            dns_off("EnableDnsHostnames"),
        ];
        for (at, one) in others.iter().enumerate() {
            let same: Vec<usize> = (0..others.len())
                .filter(|other| one.is_about_the_same_as(&others[*other]))
                .collect();
            assert_eq!(same, [at], "{one}");
        }
    }
}
