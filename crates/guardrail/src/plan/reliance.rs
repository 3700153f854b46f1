//! What the deletion of a route counts on: the endpoints that serve instead, each by its id or by the
//! step that makes it.

use std::collections::BTreeMap;

use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, RequiredService};
use crate::analysis::route::is_blackhole;
use crate::analysis::served::prove;
use crate::baseline::Remove;
use crate::ec2::change::Action;
use crate::ec2::id::{EndpointId, RouteTableId, ServiceName};
use crate::ec2::world::{EndpointType, VpcEndpoint};
use crate::plan::outlook::{Outlook, made_by};
use crate::plan::{Condition, Plan, StepId, Task};
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
        | Repair::OpenOwnGroup
        | Repair::CreateEndpoint(_)
        | Repair::EditEndpoint(_)
        | Repair::SetPolicy(_)
        | Repair::Call(_)
        | Repair::Calls(_) => None,
    });
    wanted.filter(carries).cloned().collect()
}

/// What the deletions of a plan count on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reliances {
    /// When the baseline has a route removed; `immediately` counts on nothing.
    pub remove: Remove,
    /// The endpoints that the subnets of these routes come to once the plan's steps are taken.
    pub endpoints: Vec<Reliance>,
    /// The endpoint that each wait of the plan is for.
    pub awaited: BTreeMap<StepId, EndpointRef>,
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
    /// The tables that lose a route and whose subnets come to it.
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

impl EndpointRef {
    /// The endpoint of this id in an outlook.
    fn of(endpoint: &EndpointId) -> Self {
        made_by(endpoint).map_or_else(|| Self::Existing(endpoint.clone()), Self::MadeBy)
    }
}

impl Reliances {
    /// What the deletions of this plan, made from this view, count on: the endpoints that the proof
    /// of each required service names, in the VPC as the plan leaves it.
    pub fn of(view: &View<'_>, plan: &Plan) -> Self {
        let outlook = Outlook::of(view.snapshot).after(&plan.steps);
        let look = |after: &View<'_>| (counted_on(after, plan), awaited(after, plan));
        let (endpoints, awaited) = outlook.look(view.baseline, look).unwrap_or_default();
        Self { remove: view.baseline.internet_routes.remove, endpoints, awaited }
    }

    /// The endpoints that a deletion from this table counts on.
    pub fn for_table<'s>(
        &'s self,
        table: &'s RouteTableId,
    ) -> impl Iterator<Item = &'s Reliance> + 's {
        self.endpoints.iter().filter(|reliance| reliance.tables.contains(table))
    }
}

fn counted_on(after: &View<'_>, plan: &Plan) -> Vec<Reliance> {
    let loses_route = |table: &RouteTableId| {
        plan.steps.iter().any(|step| match &step.task {
            Task::Change(Action::DeleteRoute { table: of, .. }) => of == table,
            Task::Change(_) | Task::Await(_) => false,
        })
    };
    let mut all: Vec<Reliance> = Vec::new();
    for required in after.required_services.iter().filter(|it| !it.is_passed_over()) {
        for placed in &after.topology.subnets {
            let table = placed.table.map(|table| &table.route_table_id);
            let table = table.filter(|table| loses_route(table));
            if let Some(table) = table.filter(|_| required.is_required_in(placed.subnet)) {
                for endpoint in prove(after, required, placed).endpoints {
                    count(&mut all, after, required, &endpoint, table);
                }
            }
        }
    }
    all
}

fn count(
    all: &mut Vec<Reliance>,
    after: &View<'_>,
    required: &RequiredService<'_>,
    endpoint: &EndpointId,
    table: &RouteTableId,
) {
    let (service, id) = (required.name.clone(), EndpointRef::of(endpoint));
    let known = all.iter_mut().find(|it| it.service == service && it.endpoint == id);
    match known {
        Some(known) if known.tables.contains(table) => {}
        Some(known) => known.tables.push(table.clone()),
        None => {
            let kind = after.snapshot.endpoint(endpoint).map(VpcEndpoint::kind);
            let (kind, private_dns) = if kind == Some(EndpointType::Gateway) {
                (EndpointKind::Gateway, false)
            } else {
                // One that holds a gateway service's name is come to by that name.
                let named = required.kind == EndpointKind::Gateway || required.wants_private_dns();
                (EndpointKind::Interface, named)
            };
            let tables = vec![table.clone()];
            all.push(Reliance { service, kind, endpoint: id, tables, private_dns });
        }
    }
}

fn awaited(after: &View<'_>, plan: &Plan) -> BTreeMap<StepId, EndpointRef> {
    let waits = plan.steps.iter().filter_map(|step| match &step.task {
        Task::Await(Condition::Ready { service, tables, .. }) => {
            Some((step.id, endpoint_for(after, service, tables)?))
        }
        Task::Await(Condition::Gone { .. }) | Task::Change(_) => None,
    });
    waits.collect()
}

/// The endpoint that these tables lead to for the service; without tables, the interface endpoint
/// that is adopted for it.
fn endpoint_for(
    after: &View<'_>,
    service: &ServiceName,
    tables: &[RouteTableId],
) -> Option<EndpointRef> {
    let kind = if tables.is_empty() { EndpointKind::Interface } else { EndpointKind::Gateway };
    let mut required = after.required_services.iter();
    let required = required.find(|it| it.name == *service && it.kind == kind)?;
    let endpoint = match kind {
        EndpointKind::Interface => required.adopted(after.snapshot),
        EndpointKind::Gateway => required.endpoints(after.snapshot).find(|endpoint| {
            let associated = &endpoint.route_table_ids;
            endpoint.exists() && tables.iter().all(|table| associated.contains(table))
        }),
    };
    endpoint.map(|endpoint| EndpointRef::of(&endpoint.vpc_endpoint_id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, interface_endpoint};

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

    #[test]
    fn who_holds_the_name_of_a_gateway_service_is_counted_on_too() {
        let counted = relied_on(|w| {
            w.route("rtb-a", "0.0.0.0/0", "nat-1")
                .baseline("interface_endpoints", json!({"services": ["ssm"]}))
                .add("VpcEndpoints", interface_endpoint("vpce-s3i", "s3"))
        });
        assert_eq!(
            counted,
            [
                "gateway vpce-s3",
                "interface vpce-s3i by name",
                "gateway vpce-dynamodb",
                "interface vpce-ssm by name"
            ]
        );
    }

    #[test]
    fn what_no_subnet_of_the_table_requires_is_not_counted_on() {
        let counted = relied_on(|w| {
            let elsewhere =
                json!({"service": "ssm", "required_in": [{"tag": "Tier", "values": ["other"]}]});
            w.route("rtb-a", "0.0.0.0/0", "nat-1")
                .baseline("interface_endpoints", json!({"services": [elsewhere, "ssmmessages"]}))
        });
        assert_eq!(
            counted,
            ["gateway vpce-s3", "gateway vpce-dynamodb", "interface vpce-ssmmessages by name"]
        );
    }

    #[test]
    fn a_wait_is_for_the_endpoint_that_is_there_or_that_a_step_makes() {
        let fixture = Fixture::edited(|w| {
            w.remove("vpce-ssm")
                .set("vpce-ssmmessages", "PrivateDnsEnabled", json!(false))
                .set("vpce-dynamodb", "RouteTableIds", json!(["rtb-b"]))
                .drop_route("rtb-a", "pl-dynamodb")
        });
        let (_, plan) = fixture.plan("test");
        let awaited = fixture.view(|view, _| Reliances::of(view, &plan).awaited);
        let text = |endpoint: &EndpointRef| match endpoint {
            EndpointRef::Existing(id) => id.to_string(),
            EndpointRef::MadeBy(step) => format!("step {step}"),
        };
        let awaited: Vec<String> = awaited.values().map(text).collect();
        assert_eq!(awaited, ["step 3", "vpce-dynamodb", "vpce-ssmmessages"]);
    }

    #[test]
    fn a_route_is_at_stake_while_it_carries_anything() {
        let at_stake = |edit: fn(&mut Fixture) -> &mut Fixture| {
            let fixture = Fixture::edited(edit);
            let (findings, _) = fixture.plan("test");
            let routes = fixture.view(|view, _| at_stake(view, &findings));
            let text = |it: RouteRemoval| format!("{} {} {}", it.table, it.destination, it.target);
            routes.into_iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(at_stake(|w| w), Vec::<String>::new());
        let nat: fn(&mut Fixture) -> &mut Fixture = |w| w.route("rtb-a", "0.0.0.0/0", "nat-1");
        assert_eq!(at_stake(nat), ["rtb-a 0.0.0.0/0 nat-1"]);
        // It stays for now, since a service is not served.
        let stays: fn(&mut Fixture) -> &mut Fixture =
            |w| w.route("rtb-a", "0.0.0.0/0", "nat-1").set("vpce-s3", "State", json!("failed"));
        assert_eq!(at_stake(stays), ["rtb-a 0.0.0.0/0 nat-1"]);
        let blackhole: fn(&mut Fixture) -> &mut Fixture = |w| {
            w.route("rtb-a", "0.0.0.0/0", "nat-1").set_route(
                "rtb-a",
                "0.0.0.0/0",
                "State",
                json!("blackhole"),
            )
        };
        assert_eq!(at_stake(blackhole), Vec::<String>::new());
    }
}
