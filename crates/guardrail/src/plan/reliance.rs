//! What the deletion of a route counts on: the endpoints that serve instead, each by its id or by the
//! step that makes it.

use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, RequiredService};
use crate::analysis::route::is_blackhole;
use crate::baseline::Remove;
use crate::ec2::change::{Action, NewEndpoint};
use crate::ec2::id::{EndpointId, RouteTableId, ServiceName};
use crate::ec2::world::{EndpointType, VpcEndpoint};
use crate::plan::{Plan, StepId, Task};
use crate::rules::finding::Finding;
use crate::rules::repair::{Repair, RouteRemoval};

/// The routes that are to go now or later, as far as they carry anything. What a run makes stands in
/// for them once they are gone, in a later run too: it is undone only while they are there.
pub fn at_stake(view: &View<'_>, findings: &[Finding]) -> Vec<RouteRemoval> {
    let carries = |removal: &&RouteRemoval| {
        let table = view.snapshot.route_table(&removal.table);
        let mut routes = table.into_iter().flat_map(|table| &table.routes);
        routes.any(|route| route.goes_to(&removal.destination) && !is_blackhole(route))
    };
    let wanted = findings.iter().filter_map(|finding| match &finding.repair {
        Repair::RemoveRoute(removal) => Some(removal),
        Repair::None
        | Repair::EnableVpcDns(_)
        | Repair::CreateEndpoint(_)
        | Repair::EditEndpoint(_)
        | Repair::Call(_) => None,
    });
    wanted.filter(carries).cloned().collect()
}

/// What the deletions of a plan count on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reliances {
    /// When the baseline has a route removed; `immediately` counts on nothing.
    pub remove: Remove,
    /// The endpoints of the required services, as they will be once the plan's other steps are
    /// taken.
    pub endpoints: Vec<Reliance>,
}

/// An endpoint that is counted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reliance {
    /// The service that it is for.
    pub service: ServiceName,
    /// Its type.
    pub kind: EndpointKind,
    /// Which one it is.
    pub endpoint: EndpointRef,
    /// The tables that lead to it, or will; none for an interface endpoint.
    pub tables: Vec<RouteTableId>,
    /// Whether the service's private name has to lead to it.
    pub private_dns: bool,
}

/// An endpoint that is there, or that a step makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointRef {
    /// This one.
    Existing(EndpointId),
    /// The one that step makes.
    MadeBy(StepId),
}

impl Reliances {
    /// What the deletions of this plan, made from this view, count on.
    pub fn of(view: &View<'_>, plan: &Plan) -> Self {
        let asked = view
            .required_services
            .iter()
            .filter(|required| !required.is_passed_over() && !required.cannot_be_served());
        let endpoints = asked.flat_map(|required| match required.kind {
            EndpointKind::Gateway => gateways(required, view, plan),
            EndpointKind::Interface => interface(required, view, plan).into_iter().collect(),
        });
        Self { remove: view.baseline.internet_routes.remove, endpoints: endpoints.collect() }
    }

    /// The endpoints that a deletion from this table counts on.
    pub fn for_table<'s>(
        &'s self,
        table: &'s RouteTableId,
    ) -> impl Iterator<Item = &'s Reliance> + 's {
        self.endpoints.iter().filter(move |reliance| match reliance.kind {
            EndpointKind::Gateway => reliance.tables.contains(table),
            EndpointKind::Interface => true,
        })
    }
}

/// Every gateway endpoint of the service, whoever made it: a VPC may have several, each on tables of
/// its own.
fn gateways(required: &RequiredService<'_>, view: &View<'_>, plan: &Plan) -> Vec<Reliance> {
    let reliance = |endpoint, tables| Reliance {
        service: required.name.clone(),
        kind: EndpointKind::Gateway,
        endpoint,
        tables,
        private_dns: false,
    };
    let is_of_service = |endpoint: &&&VpcEndpoint| {
        endpoint.service_name.as_ref() == Some(&required.name)
            && endpoint.kind() == EndpointType::Gateway
            && endpoint.exists()
    };
    let existing = view.snapshot.endpoints.iter().filter(is_of_service).map(|endpoint| {
        let id = &endpoint.vpc_endpoint_id;
        let tables = endpoint.route_table_ids.iter().chain(added_tables(plan, id));
        reliance(EndpointRef::Existing(id.clone()), tables.cloned().collect())
    });
    let new = made(plan, &required.name).filter_map(|(step, kind)| match kind {
        NewEndpoint::Gateway { route_tables } => {
            Some(reliance(EndpointRef::MadeBy(step), route_tables.clone()))
        }
        NewEndpoint::Interface { .. } => None,
    });
    existing.chain(new).collect()
}

fn interface(required: &RequiredService<'_>, view: &View<'_>, plan: &Plan) -> Option<Reliance> {
    let new = made(plan, &required.name).find_map(|(step, kind)| match kind {
        NewEndpoint::Interface { .. } => Some(EndpointRef::MadeBy(step)),
        NewEndpoint::Gateway { .. } => None,
    });
    let existing = || {
        let adopted = required.adopted(view.snapshot)?;
        Some(EndpointRef::Existing(adopted.vpc_endpoint_id.clone()))
    };
    Some(Reliance {
        service: required.name.clone(),
        kind: EndpointKind::Interface,
        endpoint: new.or_else(existing)?,
        tables: Vec::new(),
        private_dns: required.wants_private_dns(),
    })
}

/// The endpoints for a service that steps of the plan make.
fn made<'p>(
    plan: &'p Plan,
    wanted: &'p ServiceName,
) -> impl Iterator<Item = (StepId, &'p NewEndpoint<super::GroupRef>)> {
    plan.steps.iter().filter_map(move |step| match &step.task {
        Task::Change(Action::CreateEndpoint { service, kind, .. }) if service == wanted => {
            Some((step.id, kind))
        }
        Task::Change(_) | Task::Await(_) => None,
    })
}

fn added_tables<'p>(
    plan: &'p Plan,
    wanted: &'p EndpointId,
) -> impl Iterator<Item = &'p RouteTableId> {
    let added = plan.steps.iter().filter_map(move |step| match &step.task {
        Task::Change(Action::ModifyEndpoint { endpoint, add_route_tables, .. })
            if endpoint == wanted =>
        {
            Some(add_route_tables)
        }
        Task::Change(_) | Task::Await(_) => None,
    });
    added.flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    /// What is counted on in table `rtb-a`, in short.
    fn relied_on(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
        let fixture = Fixture::edited(edit);
        let (_, plan) = fixture.plan("test");
        fixture.view(|view, _| {
            let reliances = Reliances::of(view, &plan);
            let table = "rtb-a".parse().unwrap();
            let short = reliances.for_table(&table).map(|reliance| {
                let by_name = if reliance.private_dns { " by name" } else { "" };
                match &reliance.endpoint {
                    EndpointRef::Existing(id) => format!("{} {id}{by_name}", reliance.kind),
                    EndpointRef::MadeBy(step) => {
                        format!("{} of step {step}{by_name}", reliance.kind)
                    }
                }
            });
            short.collect()
        })
    }

    #[test]
    fn what_is_there_and_what_the_plan_makes_is_counted_on() {
        assert_eq!(
            relied_on(|w| w.route("rtb-a", "0.0.0.0/0", "nat-1")),
            [
                "gateway vpce-s3",
                "gateway vpce-dynamodb",
                "interface vpce-ssm by name",
                "interface vpce-ssmmessages by name",
                "interface vpce-ec2messages by name",
            ]
        );
        assert_eq!(
            relied_on(|w| {
                w.route("rtb-a", "0.0.0.0/0", "nat-1").delete_gateway("vpce-s3").remove("vpce-ssm")
            }),
            [
                "gateway of step 3",
                "gateway vpce-dynamodb",
                "interface of step 4 by name",
                "interface vpce-ssmmessages by name",
                "interface vpce-ec2messages by name",
            ]
        );
    }
}
