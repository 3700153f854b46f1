//! Which exemptions hold in a VPC on a day, which do not and why, and what of the findings they
//! exempt. An exempted finding is left as it is: nothing that is planned counts on its being mended.

use serde::{Deserialize, Serialize};

use super::{gateway_endpoint, gateway_endpoint_route_table, service_not_served, unguarded_subnet};
use crate::analysis::View;
use crate::baseline::{
    Baseline, EXEMPT_TAG, Exempting, Exemption, ExemptionTags, MalformedExemption, RuleId,
};
use crate::ec2::id::{RouteTableId, SubnetId};
use crate::ec2::resource_id::ResourceId;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::Tag;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::Repair;
use crate::shown::quoted;
use crate::time::Day;

/// Where an exemption is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ExemptedIn {
    /// In a tag of what is exempted.
    Tag,
    /// In the baseline.
    Baseline,
}

/// An exemption that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// What is exempted; a VPC stands for all that is in it.
    pub on: ResourceId,
    /// Where that is written.
    pub written: ExemptedIn,
    /// What is written.
    pub exemption: Exemption,
}

/// An exemption that exempts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InVain {
    /// What it would exempt.
    pub on: ResourceId,
    /// Where that is written.
    pub written: ExemptedIn,
    /// Why it exempts nothing.
    pub why: Why,
}

/// Why an exemption exempts nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Its end has passed.
    #[error("has lapsed: it was until {0}")]
    Lapsed(Day),
    /// What is written is none.
    #[error(transparent)]
    Malformed(#[from] MalformedExemption),
    /// Its end is further away than the baseline lets it be.
    #[error(
        "is until {until}, and today none may last longer than until {latest} (`exempting.longest_days` in the baseline)"
    )]
    TooFar {
        /// The end that is written.
        until: Day,
        /// The last that may be.
        latest: Day,
    },
    /// The baseline refuses exemptions by tags.
    #[error(
        "does not count: the baseline refuses tags (`exempting.tags`); name the exemption there"
    )]
    Refused,
    /// The same tag is there twice, so that nobody can tell which is meant.
    #[error("is there twice, so that nobody can tell which is meant")]
    Twice,
    /// The tag's key is written otherwise.
    #[error("has the key {}, which has to be `{EXEMPT_TAG}` to the letter", quoted(.0))]
    OtherKey(String),
}

impl InVain {
    /// What tells it from others, and from itself once what is written is another; the same on each
    /// day.
    pub fn name(&self) -> String {
        let Self { on, written, why } = self;
        let written = match written {
            ExemptedIn::Tag => "tag",
            ExemptedIn::Baseline => "baseline",
        };
        match why {
            Why::TooFar { until, .. } => format!("{on} {written} too far {until}"),
            Why::Lapsed(_) | Why::Malformed(_) | Why::Refused | Why::Twice | Why::OtherKey(_) => {
                format!("{on} {written} {why}")
            }
        }
    }
}

impl Why {
    /// Whether it held once and is over: that is told with what it exempted, which is found again.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Lapsed(_) => true,
            Self::Malformed(_)
            | Self::TooFar { .. }
            | Self::Refused
            | Self::Twice
            | Self::OtherKey(_) => false,
        }
    }
}

/// A finding that is exempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempted {
    /// The finding, or the part of it that is exempted.
    pub finding: Finding,
    /// The whole of it, as it would be found without exemptions.
    pub whole: Drift,
    /// The exemption; of several that hold together, the one that ends first.
    pub by: InForce,
}

/// The exemptions of a VPC on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exemptions {
    /// Those that hold.
    pub in_force: Vec<InForce>,
    /// Those that do not.
    pub in_vain: Vec<InVain>,
}

impl Exemptions {
    /// The exemptions of this VPC, today.
    pub fn of(baseline: &Baseline, snapshot: &Snapshot<'_>, today: Day) -> Self {
        let mut all = Self::default();
        for (on, tags) in tagged(snapshot) {
            if let Some(read) = of_tags(tags, baseline.exempting) {
                all.add(on, ExemptedIn::Tag, read, baseline.exempting, today);
            }
        }
        let things: Vec<ResourceId> = tagged(snapshot).map(|(on, _)| on).collect();
        for listed in &baseline.exemptions {
            let vpc = listed.vpc.as_ref().filter(|vpc| vpc.matches(snapshot.vpc));
            let vpc = vpc.map(|_| ResourceId::Vpc(snapshot.scope.vpc.clone()));
            let resource = listed.resource.as_ref().filter(|id| things.contains(id)).cloned();
            for on in vpc.into_iter().chain(resource) {
                let read = Ok(listed.exemption());
                all.add(on, ExemptedIn::Baseline, read, baseline.exempting, today);
            }
        }
        all
    }

    fn add(
        &mut self,
        on: ResourceId,
        written: ExemptedIn,
        read: Result<Exemption, Why>,
        exempting: Exempting,
        today: Day,
    ) {
        let latest = today.plus(exempting.longest_days);
        let judged = read.and_then(|exemption| match exemption.until {
            until if until < today => Err(Why::Lapsed(until)),
            until if until > latest => Err(Why::TooFar { until, latest }),
            _ => Ok(exemption),
        });
        match judged {
            Ok(exemption) => self.in_force.push(InForce { on, written, exemption }),
            Err(why) => self.in_vain.push(InVain { on, written, why }),
        }
    }

    /// The exemption of this thing for what a rule finds: the one that lasts longest.
    fn on(&self, on: &ResourceId, rule: RuleId) -> Option<&InForce> {
        let such = |it: &&InForce| it.on == *on && it.exemption.is_for(rule);
        self.in_force.iter().filter(such).max_by_key(|it| it.exemption.until)
    }

    /// What of these findings is found, and what is exempted.
    pub fn sort_out(
        &self,
        findings: Vec<Finding>,
        view: &View<'_>,
    ) -> (Vec<Finding>, Vec<Exempted>) {
        let (mut found, mut exempted) = (Vec::new(), Vec::new());
        for finding in findings {
            if self.in_force.is_empty() {
                found.push(finding);
                continue;
            }
            let lies = lies_on(&finding.drift, view.snapshot);
            match self.whole(&finding, &lies, view.snapshot) {
                Some(by) => {
                    let (whole, by) = (finding.drift.clone(), by.clone());
                    exempted.push(Exempted { finding, whole, by });
                }
                None => {
                    let (rest, parts) = self.in_parts(finding, &lies, view);
                    found.push(rest);
                    exempted.extend(parts);
                }
            }
        }
        (found, exempted)
    }

    /// The exemption of the whole finding.
    fn whole(&self, finding: &Finding, lies: &Lies, snapshot: &Snapshot<'_>) -> Option<&InForce> {
        let vpc = ResourceId::Vpc(snapshot.scope.vpc.clone());
        let on = |id: &ResourceId| self.on(id, finding.rule);
        let of_one = lies.any.iter().chain([&vpc]).filter_map(on);
        let together: Option<Vec<&InForce>> = lies.all.iter().map(on).collect();
        let of_all = together.into_iter().flatten().min_by_key(|it| it.exemption.until);
        of_one.chain(of_all).max_by_key(|it| it.exemption.until)
    }

    /// What is left of a finding of which only a part is exempted, and that part.
    fn in_parts(&self, finding: Finding, lies: &Lies, view: &View<'_>) -> (Finding, Vec<Exempted>) {
        let is_open = |id: &ResourceId| self.on(id, finding.rule).is_none();
        if let Drift::LeadsOut(_) = &finding.drift {
            return (self.kept_for_exempted_subnets(finding), Vec::new());
        }
        let Some(rest) = part(&finding, is_open, view) else { return (finding, Vec::new()) };
        let parts = lies.all.iter().filter_map(|id| {
            let by = self.on(id, finding.rule)?.clone();
            let part = part(&finding, |other| other == id, view)?;
            Some(Exempted { finding: part, whole: finding.drift.clone(), by })
        });
        let parts = parts.collect();
        (rest, parts)
    }

    /// A route that only some of its subnets are exempted for is found, and stays: its removal would
    /// take from those what they are exempted for.
    fn kept_for_exempted_subnets(&self, finding: Finding) -> Finding {
        let Repair::RemoveRoute(removal) = &finding.repair else { return finding };
        let is_exempted =
            |id: &&SubnetId| self.on(&ResourceId::Subnet((*id).clone()), finding.rule).is_some();
        let subnets: Vec<SubnetId> = removal.subnets.iter().filter(is_exempted).cloned().collect();
        if subnets.is_empty() {
            return finding;
        }
        let what = format!("{}: {} → {}", removal.table, removal.destination, removal.target);
        let kept = Finding { repair: Repair::None, ..finding };
        kept.leaving(what, LeftAloneReason::ServesExempted { subnets })
    }
}

/// The things of a VPC that can be exempted, each with its tags; the VPC first.
fn tagged<'s>(snapshot: &'s Snapshot<'_>) -> impl Iterator<Item = (ResourceId, &'s [Tag])> {
    let vpc = (ResourceId::Vpc(snapshot.scope.vpc.clone()), snapshot.vpc.tags.as_slice());
    let subnets = snapshot
        .subnets
        .iter()
        .map(|it| (ResourceId::Subnet(it.subnet_id.clone()), it.tags.as_slice()));
    let tables = snapshot
        .route_tables
        .iter()
        .map(|it| (ResourceId::RouteTable(it.route_table_id.clone()), it.tags.as_slice()));
    let endpoints = snapshot
        .endpoints
        .iter()
        .filter(|it| it.exists())
        .map(|it| (ResourceId::Endpoint(it.vpc_endpoint_id.clone()), it.tags.as_slice()));
    let groups = snapshot
        .groups
        .iter()
        .map(|it| (ResourceId::SecurityGroup(it.group_id.clone()), it.tags.as_slice()));
    [vpc].into_iter().chain(subnets).chain(tables).chain(endpoints).chain(groups)
}

/// What these tags of one thing say of an exemption; `None` where they say nothing.
fn of_tags(tags: &[Tag], exempting: Exempting) -> Option<Result<Exemption, Why>> {
    let of_the_key = || tags.iter().filter(|tag| tag.key == EXEMPT_TAG);
    let alike = || {
        let alike = |tag: &&Tag| tag.key.trim().eq_ignore_ascii_case(EXEMPT_TAG);
        tags.iter().find(alike).map(|tag| Err(Why::OtherKey(tag.key.clone())))
    };
    let Some(tag) = of_the_key().next() else { return alike() };
    Some(match exempting.tags {
        ExemptionTags::Refuse => Err(Why::Refused),
        ExemptionTags::Accept if of_the_key().nth(1).is_some() => Err(Why::Twice),
        ExemptionTags::Accept => Exemption::of_tag(&tag.value).map_err(Why::Malformed),
    })
}

/// What a finding lies on, beside its VPC.
#[derive(Default)]
struct Lies {
    /// An exemption of one of these exempts the whole finding.
    any: Vec<ResourceId>,
    /// Exemptions of all of these do so together. Of a finding that is a list of such, an exemption
    /// of one exempts its part.
    all: Vec<ResourceId>,
}

impl Lies {
    fn on(any: ResourceId) -> Self {
        Self { any: vec![any], all: Vec::new() }
    }
}

fn lies_on(drift: &Drift, snapshot: &Snapshot<'_>) -> Lies {
    let subnet = |id: &SubnetId| ResourceId::Subnet(id.clone());
    let table = |id: &RouteTableId| ResourceId::RouteTable(id.clone());
    match drift {
        // What does not exist, and what is of the whole VPC, is exempted at the VPC.
        Drift::VpcDnsOff { .. }
        | Drift::InterfaceEndpointMissing { .. }
        | Drift::ServiceNotOffered { .. } => Lies::default(),
        Drift::PrivateButPublic { subnet: id, how: _ }
        | Drift::PublicIpOnLaunch { subnet: id }
        | Drift::PublicAddress { subnet: id, .. } => Lies::on(subnet(id)),
        Drift::OwnGroupAdmitsLess { group, .. } | Drift::OwnGroupAdmitsMore { group, .. } => {
            Lies::on(ResourceId::SecurityGroup(group.clone()))
        }
        Drift::HttpsNotAdmitted { endpoint, .. } => {
            let groups = snapshot.endpoint(endpoint).map(|it| it.groups.as_slice());
            let groups = groups.unwrap_or_default().iter();
            let all = groups.map(|it| ResourceId::SecurityGroup(it.group_id.clone())).collect();
            Lies { all, ..Lies::on(ResourceId::Endpoint(endpoint.clone())) }
        }
        Drift::GatewayEndpointMissing { tables, .. } => {
            Lies { any: Vec::new(), all: tables.iter().map(table).collect() }
        }
        Drift::RouteTableNotAssociated { endpoint, tables, .. } => {
            let all = tables.iter().map(table).collect();
            Lies { all, ..Lies::on(ResourceId::Endpoint(endpoint.clone())) }
        }
        Drift::ZonesNotCovered { endpoint, .. }
        | Drift::PrivateDnsOff { endpoint, .. }
        | Drift::PrivateDnsForInboundOnly { endpoint, .. }
        | Drift::EndpointBroken { endpoint, .. }
        | Drift::PolicyNotFullAccess { endpoint, .. }
        | Drift::PolicyNotTheBaselines { endpoint, .. } => {
            Lies::on(ResourceId::Endpoint(endpoint.clone()))
        }
        Drift::ServiceNotServed { subnets, .. } => {
            Lies { any: Vec::new(), all: subnets.iter().map(subnet).collect() }
        }
        Drift::EndpointRouteOverruled { table: id, .. } => Lies::on(table(id)),
        Drift::LeadsOut(route) => {
            let all = route.subnets.iter().map(subnet).collect();
            Lies { all, ..Lies::on(table(&route.table)) }
        }
        Drift::SubnetsUnguarded { subnets } => {
            Lies { any: Vec::new(), all: subnets.iter().map(|it| subnet(&it.subnet)).collect() }
        }
    }
}

/// The part of a finding that lies on what is to be kept; `None` where it is no list, or nothing of
/// it is kept.
fn part(finding: &Finding, keep: impl Fn(&ResourceId) -> bool, view: &View<'_>) -> Option<Finding> {
    let tables_kept = |tables: &[RouteTableId]| -> Option<Vec<RouteTableId>> {
        let kept = tables.iter().filter(|id| keep(&ResourceId::RouteTable((*id).clone())));
        let kept: Vec<RouteTableId> = kept.cloned().collect();
        (!kept.is_empty()).then_some(kept)
    };
    let is_kept = |id: &SubnetId| keep(&ResourceId::Subnet(id.clone()));
    match &finding.drift {
        Drift::GatewayEndpointMissing { service, tables } => {
            Some(gateway_endpoint::finding(view, service.clone(), tables_kept(tables)?))
        }
        Drift::RouteTableNotAssociated { service, endpoint, tables } => {
            let (service, endpoint) = (service.clone(), endpoint.clone());
            let tables = tables_kept(tables)?;
            Some(gateway_endpoint_route_table::finding(view, service, endpoint, tables))
        }
        Drift::ServiceNotServed { .. } => service_not_served::only(finding, is_kept),
        Drift::SubnetsUnguarded { subnets } => {
            let kept = subnets.iter().filter(|it| is_kept(&it.subnet)).cloned().collect();
            unguarded_subnet::finding(kept)
        }
        Drift::PrivateButPublic { .. }
        | Drift::VpcDnsOff { .. }
        | Drift::HttpsNotAdmitted { .. }
        | Drift::InterfaceEndpointMissing { .. }
        | Drift::ServiceNotOffered { .. }
        | Drift::ZonesNotCovered { .. }
        | Drift::PrivateDnsOff { .. }
        | Drift::PrivateDnsForInboundOnly { .. }
        | Drift::EndpointBroken { .. }
        | Drift::PolicyNotFullAccess { .. }
        | Drift::PolicyNotTheBaselines { .. }
        | Drift::EndpointRouteOverruled { .. }
        | Drift::LeadsOut(_)
        | Drift::PublicIpOnLaunch { .. }
        | Drift::PublicAddress { .. }
        | Drift::OwnGroupAdmitsLess { .. }
        | Drift::OwnGroupAdmitsMore { .. } => None,
    }
}

#[cfg(test)]
mod tests;
