//! What probes are asked before and after a route goes, and whether what they say lets it go.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::SignedDuration;

use super::recheck::Outcomes;
use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, RequiredService, required_services};
use crate::analysis::served::prove;
use crate::analysis::topology::SubnetUse;
use crate::baseline::{Baseline, ReachedBy};
use crate::cloud::CallError;
use crate::ec2::change::Action;
use crate::ec2::id::{EndpointId, RouteTableId, Scope};
use crate::ec2::partition::Partition;
use crate::ec2::snapshot::{Shared, Snapshot};
use crate::ec2::world::World;
use crate::plan::{Plan, Task};
use crate::probe::{
    Answer, HostName, Limits, Own, ProbeName, Question, ServiceAnswer, ServiceQuestion,
    ServiceVerdict, VERSION,
};
use crate::report::Outcome;

/// How often each probe is asked just before a route goes.
pub(super) const TRIES_BEFORE: u32 = 3;

/// How often each probe is asked after routes went, and how long after the last time: over a minute,
/// in which what was cached or under way ends.
pub(super) const TRIES_AFTER: u32 = 3;
pub(super) const BETWEEN_TRIES_AFTER: Duration = Duration::from_secs(30);

/// How long a probe may look, so that three looks and what comes before them fit into a run.
const LIMITS: Limits = Limits { wait_ms: 2_000, whole_ms: 4_000 };

/// The label that stands for `*` in a service's private name, `*.dkr.ecr.eu-central-1.amazonaws.com`:
/// every name below it leads to the endpoint, and the certificate holds for it.
const ANY_LABEL: &str = "vpc-guardrail-probe";

/// How much longer than its deadline a run under this baseline may take, because it asks probes again
/// after routes went.
pub fn watched_for(baseline: &Baseline) -> SignedDuration {
    match baseline.probes.is_empty() {
        true => SignedDuration::ZERO,
        false => SignedDuration::from_secs(80),
    }
}

/// Whether probes let a route go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proven {
    /// No probe stands there.
    WithoutAsking,
    /// Every probe that stands there saw what it was asked for.
    ByAnswers,
}

/// What one probe is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inquiry {
    pub(super) probe: ProbeName,
    /// The services that are required in its subnet; or why it cannot be asked about one, for people.
    pub(super) services: Vec<Result<ServiceQuestion, String>>,
}

impl Inquiry {
    /// The question about all of the services, or why there is none.
    pub(super) fn question(&self) -> Result<Question, String> {
        let services: Result<Vec<ServiceQuestion>, String> =
            self.services.iter().cloned().collect();
        services.map(|services| Question {
            version: VERSION,
            targets: Vec::new(),
            services,
            limits: LIMITS,
        })
    }
}

/// The tables from which routes were removed.
pub(super) fn removed_from<'p>(plan: &'p Plan, outcomes: &Outcomes) -> BTreeSet<&'p RouteTableId> {
    let is_removed = |outcome: Option<&Outcome>| {
        matches!(outcome, Some(Outcome::Done(_) | Outcome::FoundMade(_)))
    };
    let removed = plan.steps.iter().filter(|step| is_removed(outcomes.get(&step.id)));
    let tables = removed.filter_map(|step| match &step.task {
        Task::Change(Action::DeleteRoute { table, .. }) => Some(table),
        Task::Change(_) | Task::Await(_) => None,
    });
    tables.collect()
}

/// What the probes are asked that stand in subnets of these tables: whether each service that is
/// required there answers through its endpoint. A subnet for which nothing is required has nothing
/// to ask.
pub(super) fn inquiries(
    baseline: &Baseline,
    world: &World,
    scope: &Scope,
    tables: &BTreeSet<&RouteTableId>,
) -> Vec<Inquiry> {
    let of_tables = |placed: &SubnetUse<'_>| {
        placed.tables().any(|table| tables.contains(&table.route_table_id))
    };
    let mut inquiries = inquiries_where(baseline, world, scope, of_tables);
    inquiries.retain(|inquiry| !inquiry.services.is_empty());
    inquiries
}

/// What the probes are asked that stand in such subnets of a VPC.
pub(super) fn inquiries_where(
    baseline: &Baseline,
    world: &World,
    scope: &Scope,
    is_asked: impl Fn(&SubnetUse<'_>) -> bool,
) -> Vec<Inquiry> {
    if baseline.probes.is_empty() {
        return Vec::new();
    }
    let shared = Shared::of(world);
    let Ok(Some(snapshot)) = Snapshot::one(world, &shared, &scope.vpc) else { return Vec::new() };
    let required = required_services(baseline, &scope.region, &shared);
    let view = View::of(baseline, &snapshot, &required);
    let inquiry = |probe: &ProbeName| {
        let mut subnets = view.topology.subnets.iter();
        let placed = subnets.find(|placed| placed.subnet.subnet_id == *probe.subnet())?;
        let needed = view.required_services.iter();
        let needed = needed.filter(|it| !it.is_passed_over() && it.is_required_in(placed.subnet));
        is_asked(placed)
            .then(|| Inquiry { probe: probe.clone(), services: questions(&view, needed, placed) })
    };
    baseline.probes.iter().filter_map(inquiry).collect()
}

/// The questions about these services: one for each name, which may be that of a gateway and of an
/// interface endpoint's service.
fn questions<'s, 'w: 's>(
    view: &View<'_>,
    needed: impl Iterator<Item = &'s RequiredService<'w>>,
    placed: &SubnetUse<'_>,
) -> Vec<Result<ServiceQuestion, String>> {
    let mut questions: Vec<Result<ServiceQuestion, String>> = Vec::new();
    for question in needed.map(|required| question_of(view, required, placed)) {
        let same = |before: &&mut ServiceQuestion| {
            question.as_ref().is_ok_and(|question| question.name == before.name)
        };
        match (questions.iter_mut().flatten().find(same), &question) {
            (Some(before), Ok(question)) => {
                before.own.addresses.extend(&question.own.addresses);
                before.own.ranges.extend(&question.own.ranges);
            }
            (Some(_) | None, _) => questions.push(question),
        }
    }
    questions
}

fn question_of(
    view: &View<'_>,
    required: &RequiredService<'_>,
    placed: &SubnetUse<'_>,
) -> Result<ServiceQuestion, String> {
    let service = &required.name;
    // Whoever holds a gateway service's name takes its clients.
    let addresses = addresses(view, &prove(view, required, placed).endpoints);
    let (name, ranges) = match required.kind {
        EndpointKind::Interface => (private_name(required), Vec::new()),
        EndpointKind::Gateway => (public_name(view, required), ranges(view, required)),
    };
    let own = Own { addresses, ranges };
    let name = name.ok_or_else(|| {
        format!(
            "it cannot be asked about {service}, because the name that clients use is not known"
        )
    })?;
    match own == Own::default() {
        true => Err(format!(
            "it cannot be asked about {service}, because the addresses it should answer from were \
             not read"
        )),
        false => Ok(ServiceQuestion { service: service.clone(), name, port: 443, own }),
    }
}

/// The name of an interface endpoint's service; `None` where clients use the endpoint's own, which is
/// not read.
fn private_name(required: &RequiredService<'_>) -> Option<HostName> {
    match required.reached_by {
        ReachedBy::PrivateName => {}
        ReachedBy::EndpointName => return None,
    }
    let name = required.offered?.names().next()?;
    let name = match name.strip_prefix("*.") {
        Some(below) => format!("{ANY_LABEL}.{below}"),
        None => name.to_owned(),
    };
    HostName::try_from(name).ok()
}

/// The name of a gateway service: `s3.eu-central-1.amazonaws.com`. S3 Express has none of its own for
/// all its buckets; its control plane's leads the same way
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-Regions-and-Zones.html).
fn public_name(view: &View<'_>, required: &RequiredService<'_>) -> Option<HostName> {
    let region = &view.snapshot.scope.region;
    let short = match required.name.short_in(region) {
        "s3express" => "s3express-control",
        short => short,
    };
    HostName::try_from(format!("{short}.{region}.{}", Partition::of(region).dns_suffix())).ok()
}

/// The addresses of these endpoints' interfaces.
fn addresses(view: &View<'_>, endpoints: &[EndpointId]) -> Vec<IpAddr> {
    let snapshot = view.snapshot;
    let ids: Vec<_> = endpoints
        .iter()
        .filter_map(|id| snapshot.endpoint(id))
        .flat_map(|endpoint| &endpoint.network_interface_ids)
        .collect();
    let its = snapshot.interfaces.iter().filter(|it| ids.contains(&&it.network_interface_id));
    let addresses: BTreeSet<IpAddr> = its.flat_map(|interface| interface.addresses()).collect();
    addresses.into_iter().collect()
}

/// The ranges of a gateway service, as AWS's list of its name has them.
fn ranges(view: &View<'_>, required: &RequiredService<'_>) -> Vec<IpNet> {
    let lists = view.snapshot.shared.prefix_lists.iter().filter(|list| {
        list.prefix_list_name == required.name.as_str() && list.is_awss() != Some(false)
    });
    lists.filter_map(|list| list.blocks()).flatten().filter_map(|block| block.net()).collect()
}

/// Why what a probe answered does not show what it was asked for; `None` where it does.
pub(super) fn doubt(question: &Question, answer: &Result<Answer, CallError>) -> Option<String> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Some(format!("it gave no answer: {}", error.shown())),
    };
    if answer.version != VERSION {
        let version = answer.version;
        return Some(format!(
            "it answered in version {version} and not in {VERSION}; deploy it from this release"
        ));
    }
    question.services.iter().find_map(|asked| {
        let is_it = |said: &&ServiceAnswer| {
            said.service == asked.service && said.name == asked.name && said.port == asked.port
        };
        match answer.services.iter().find(is_it) {
            Some(said) => match said.verdict {
                ServiceVerdict::Served => None,
                ServiceVerdict::Elsewhere | ServiceVerdict::Public | ServiceVerdict::NoAnswer => {
                    Some(said.to_string())
                }
            },
            None => Some(format!("it said nothing of {}", asked.service)),
        }
    })
}

#[cfg(test)]
pub(super) mod tests;
