//! Repairs that are not made because of what they would do: writes that move traffic of the VPC to an
//! endpoint that does not serve it, and endpoints that cost money and would serve nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use super::routes::{own_acl, reaches_nothing_public};
use crate::analysis::View;
use crate::analysis::required_service::{
    EndpointKind, Health, RequiredService, health, vpc_dns_is_off,
};
use crate::analysis::route::{RouteClass, classify};
use crate::analysis::served::{Answer, Obstacle, Proof, prove, prove_route};
use crate::analysis::topology::SubnetUse;
use crate::baseline::{Create, Mode};
use crate::ec2::change::{Action, NewEndpoint};
use crate::ec2::id::{RouteTableId, ServiceName};
use crate::ec2::world::RouteTable;
use crate::history::{Premise, Seen};
use crate::plan::costs;
use crate::plan::outlook::{Outlook, without_made_ids};
use crate::plan::{Circumstances, GroupRef, Hold, Step, StepId, Task};
use crate::rules::left_alone::{LeftAloneReason, Unserved};

/// What of the repairs is not made, and why.
pub(super) type Refusals = BTreeMap<Refused, LeftAloneReason>;

/// A part of the repairs that can be left out by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refused {
    /// The VPC's DNS attributes are not turned on.
    VpcDns,
    /// No interface endpoint is made for the service.
    Made(ServiceName),
    /// The service's name does not lead to its interface endpoint.
    Name(ServiceName),
    /// The service's interface endpoint gets no more interfaces.
    Zones(ServiceName),
    /// The table is not associated with the service's gateway endpoint.
    Table(ServiceName, RouteTableId),
}

/// A service whose name or route a step moves, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Move {
    refused: Refused,
    service: ServiceName,
    gateway: bool,
    table: Option<RouteTableId>,
}

impl Move {
    fn kind(&self) -> EndpointKind {
        if self.gateway { EndpointKind::Gateway } else { EndpointKind::Interface }
    }
}

impl Draft<'_, '_> {
    /// What of this draft must not be done, in view of what it would come to.
    pub(super) fn refusals(&self) -> Refusals {
        let mut refusals = Refusals::new();
        for step in &self.plan.steps {
            refusals.extend(self.refusals_of(step));
        }
        refusals.extend(self.too_expensive());
        let made = self.services_with_new_interface_endpoints();
        if !made.is_empty() {
            let outlook = Outlook::of(self.view.snapshot).after(&self.plan.steps);
            outlook.look(self.view.baseline, |after| {
                for service in made {
                    let in_vain = self.in_vain(after, &service);
                    if !in_vain.is_empty() {
                        let reason = LeftAloneReason::WouldNotServe { services: in_vain };
                        refusals.entry(Refused::Made(service)).or_insert(reason);
                    }
                }
            });
        }
        refusals
    }

    /// The interface endpoints that would cost more than the baseline's ceiling, or nobody knows what.
    fn too_expensive(&self) -> Refusals {
        let Some(ceiling) = self.view.baseline.costs.ceiling_per_month else {
            return Refusals::new();
        };
        let per_month = costs::after(self.view, &self.plan);
        if per_month.is_some_and(|per_month| per_month <= ceiling) {
            return Refusals::new();
        }
        let reason = LeftAloneReason::CostsTooMuch { per_month, ceiling };
        let steps = self.plan.steps.iter().filter(|step| step.mode == Mode::Repair);
        let refused = steps.filter_map(|step| match &step.task {
            Task::Change(action) => {
                let new = costs::new_interfaces(self.view, action)?;
                Some(match new.makes_endpoint {
                    true => Refused::Made(new.service),
                    false => Refused::Zones(new.service),
                })
            }
            Task::Await(_) => None,
        });
        refused.map(|refused| (refused, reason.clone())).collect()
    }

    /// What of a step must not be done, judged at the moment when it is taken: after the steps that
    /// it comes after, and no others.
    fn refusals_of(&self, step: &Step) -> Refusals {
        let mut refusals = Refusals::new();
        let Task::Change(action) = &step.task else { return refusals };
        let moves = self.moved_by(action);
        if moves.is_empty() {
            return refusals;
        }
        let before = self.before(step);
        let outlook = Outlook::of(self.view.snapshot).after(before).after([step]).once_accepted();
        outlook.look(self.view.baseline, |after| {
            // While an attribute is off no private name lives: its turning on moves them.
            let names_live = !vpc_dns_is_off(after.snapshot);
            for moved in moves {
                let reason = if moved.gateway || names_live {
                    let services = self.cut_off(after, &moved);
                    (!services.is_empty()).then_some(LeftAloneReason::WouldCutOff { services })
                } else {
                    self.needs_vpc_dns(&moved).then_some(LeftAloneReason::NameNeedsVpcDns)
                };
                if let Some(reason) = reason {
                    refusals.entry(moved.refused).or_insert(reason);
                }
            }
        });
        refusals
    }

    /// Whether AWS would refuse the step, because it gives a private name to an endpoint of a VPC whose
    /// DNS is off (docs.aws.amazon.com/vpc/latest/privatelink/interface-endpoints.html). Endpoints that
    /// are not made unless they serve are refused for more than that.
    fn needs_vpc_dns(&self, moved: &Move) -> bool {
        match &moved.refused {
            Refused::Name(_) => true,
            Refused::Made(service) => {
                let required = self.required(service, EndpointKind::Interface);
                required.is_some_and(|required| required.create == Create::Always)
            }
            Refused::VpcDns | Refused::Zones(_) | Refused::Table(..) => false,
        }
    }

    /// The steps that a step comes after, directly or through others.
    fn before(&self, step: &Step) -> Vec<&Step> {
        let mut ids: BTreeSet<StepId> = step.after.iter().copied().collect();
        // A step comes after earlier ones only, so that one look from the back finds all of them.
        for earlier in self.plan.steps.iter().rev().filter(|earlier| earlier.id < step.id) {
            if ids.contains(&earlier.id) {
                ids.extend(earlier.after.iter().copied());
            }
        }
        self.plan.steps.iter().filter(|earlier| ids.contains(&earlier.id)).collect()
    }

    fn moved_by(&self, action: &Action<GroupRef>) -> Vec<Move> {
        let interface = |refused: Refused, service: &ServiceName| Move {
            refused,
            service: service.clone(),
            gateway: false,
            table: None,
        };
        let on_table = |service: &ServiceName, table: &RouteTableId| Move {
            refused: Refused::Table(service.clone(), table.clone()),
            service: service.clone(),
            gateway: true,
            table: Some(table.clone()),
        };
        match action {
            // It brings to life the private names of every endpoint of the VPC.
            Action::EnableVpcDns { .. } => {
                let named = self.view.snapshot.endpoints.iter();
                let named = named.filter(|e| e.exists() && e.holds_name_in_vpc());
                let services = named.filter_map(|endpoint| endpoint.service_name.as_ref());
                services.map(|it| interface(Refused::VpcDns, it)).collect()
            }
            Action::CreateEndpoint { service, kind, .. } => match kind {
                NewEndpoint::Gateway { route_tables } => {
                    route_tables.iter().map(|table| on_table(service, table)).collect()
                }
                NewEndpoint::Interface { private_dns, .. } => {
                    let moved = || interface(Refused::Made(service.clone()), service);
                    private_dns.is_on().then(moved).into_iter().collect()
                }
            },
            Action::ModifyEndpoint {
                endpoint, add_route_tables, add_subnets, private_dns, ..
            } => {
                let there = self.view.snapshot.endpoint(endpoint);
                let Some(service) = there.and_then(|e| e.service_name.as_ref()) else {
                    return Vec::new();
                };
                // A name that is on is answered with the address of a new interface too.
                let is_named = there.is_some_and(|endpoint| endpoint.holds_name_in_vpc());
                let is_named = is_named || private_dns.is_on();
                let name = || interface(Refused::Name(service.clone()), service);
                let zones = || interface(Refused::Zones(service.clone()), service);
                let tables = add_route_tables.iter().map(|table| on_table(service, table));
                let name = private_dns.is_on().then(name);
                let zones = (is_named && !add_subnets.is_empty()).then(zones);
                tables.chain(name).chain(zones).collect()
            }
            Action::CreateSecurityGroup { .. }
            | Action::AuthorizeHttps { .. }
            | Action::RevokeIngress { .. }
            | Action::DeleteRoute { .. }
            // It is the baseline's own, behind which the service counts as served.
            | Action::SetEndpointPolicy { .. }
            | Action::DisablePublicIpOnLaunch { .. }
            | Action::StopAutomaticAddress { .. }
            | Action::DisassociateAddress { .. } => Vec::new(),
        }
    }

    /// The subnets, of any class, that can reach the moved service now and could not afterwards.
    fn cut_off(&self, after: &View<'_>, moved: &Move) -> Vec<Unserved> {
        let now = service_in(self.view, &moved.service, moved.kind());
        let then = service_in(after, &moved.service, moved.kind());
        let (Some(now), Some(then)) = (now, then) else { return Vec::new() };
        let mut cut_off = Vec::new();
        for (placed, proof) in moved_proofs(after, moved, &then) {
            // An interface endpoint that holds the service's name takes no client from a gateway
            // endpoint's route for sure: its name may not be answered here, and it is not all names that
            // S3's addresses have
            // (docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html).
            let known = self.stops_already(&now, moved, placed);
            let stays = |obstacle: &Obstacle| {
                !obstacle.passes()
                    && !known.contains(obstacle)
                    && !self.stops_as_much_now(obstacle, moved, placed)
            };
            let mut obstacles = proof.obstacles.into_iter().filter(stays).peekable();
            if obstacles.peek().is_none() || !self.reaches(&now, placed) {
                continue;
            }
            for obstacle in obstacles {
                Unserved::note(&mut cut_off, &moved.service, &obstacle, placed.subnet);
            }
        }
        without_made_ids(cut_off)
    }

    /// What stops some of a subnet's clients already, whatever interfaces an endpoint gets. What is in
    /// the way of one interface and not of all stops more with each that it is in the way of.
    fn stops_already(
        &self,
        now: &RequiredService<'_>,
        moved: &Move,
        placed: &SubnetUse<'_>,
    ) -> Vec<Obstacle> {
        let mut subnets = self.view.topology.subnets.iter();
        let here = subnets.find(|it| it.subnet.subnet_id == placed.subnet.subnet_id);
        let (Refused::Zones(_), Some(here)) = (&moved.refused, here) else { return Vec::new() };
        let mut obstacles = prove(self.view, now, here).obstacles;
        obstacles.retain(|it| !matches!(it, Obstacle::Acl(_) | Obstacle::Diverted { .. }));
        obstacles
    }

    /// Whether the obstacle stops the service now as much as once it is moved. A gateway endpoint's
    /// clients come to the same public addresses as before: ranges that another route takes past the
    /// endpoint go the way they went, what the subnet's own ACL stops, it stopped before, and who comes
    /// by NAT64 still does.
    fn stops_as_much_now(&self, obstacle: &Obstacle, moved: &Move, placed: &SubnetUse<'_>) -> bool {
        let is_in_table = |table: &RouteTableId, destination: &String, target: &String| {
            let routes = self.view.snapshot.route_table(table).map(|table| table.routes.as_slice());
            routes.unwrap_or_default().iter().any(|route| {
                route.destination().is_some_and(|there| there.to_string() == *destination)
                    && route.target().is_some_and(|there| there.to_string() == *target)
            })
        };
        match obstacle {
            Obstacle::Overruled { table, destination, target }
            | Obstacle::PerhapsOverruled { table, destination, target } => {
                moved.gateway && is_in_table(table, destination, target)
            }
            Obstacle::Acl(stop) => {
                let own = own_acl(self.view, placed);
                moved.gateway && own.is_some_and(|own| own.network_acl_id == stop.acl)
            }
            Obstacle::NoAcl { .. } | Obstacle::Dns64 { .. } => moved.gateway,
            // No table changes, and clients ask the servers that they ask now.
            Obstacle::NoServerReached { .. }
            | Obstacle::ServerLost { .. }
            | Obstacle::ServerAsksOthers { .. } => true,
            Obstacle::NotOffered
            | Obstacle::NoEndpoint
            | Obstacle::NotAvailable { .. }
            | Obstacle::Broken { .. }
            | Obstacle::AwaitsAcceptance { .. }
            | Obstacle::NoInterface { .. }
            | Obstacle::NotAssociated { .. }
            | Obstacle::NoRoute { .. }
            | Obstacle::RouteStateUnclear { .. }
            | Obstacle::NotAGateway { .. }
            | Obstacle::GroupRuleUnclear { .. }
            | Obstacle::IpVersionUnclear { .. }
            | Obstacle::NoPrivateName
            | Obstacle::PrivateDnsOff { .. }
            | Obstacle::InboundOnly { .. }
            | Obstacle::NameHeldByAnother { .. }
            | Obstacle::VpcDnsOff { .. }
            | Obstacle::OtherResolver { .. }
            | Obstacle::HttpsNotAdmitted { .. }
            | Obstacle::GroupsUnread { .. }
            | Obstacle::NoIpVersion { .. }
            | Obstacle::InboundUnclear { .. }
            | Obstacle::NameAnswersUnclear { .. }
            | Obstacle::Policy { .. }
            | Obstacle::Diverted { .. }
            | Obstacle::Unread { .. }
            | Obstacle::RangesUnread { .. } => false,
        }
    }

    /// Holds the steps that move a service's traffic to where something was otherwise a short while
    /// ago: a policy or a network ACL that still acts as it was would cut off whoever reaches the
    /// service now.
    pub(super) fn hold_what_moves(&mut self) {
        let holds: Vec<(StepId, Hold)> = self
            .plan
            .steps
            .iter()
            .filter_map(|step| Some((step.id, self.hold_of(step)?)))
            .collect();
        for (id, hold) in holds {
            if let Some(step) = self.plan.steps.iter_mut().find(|step| step.id == id) {
                step.held.get_or_insert(hold);
            }
        }
    }

    /// Leaves endpoints for a while to the tool that may be about to make them.
    pub(super) fn hold_for_grace(&mut self) {
        let Circumstances { now, grace, .. } = self.circumstances;
        for step in &mut self.plan.steps {
            if let Task::Change(Action::CreateEndpoint { service, .. }) = &step.task
                && let Some(rule) = step.rules.first()
                && let Some(until) = grace.until(service, self.view.baseline.grace_of(*rule), now)
            {
                step.held.get_or_insert(Hold::Grace { until });
            }
        }
        self.hold_what_only_serves_the_held();
    }

    /// Leaves the guardrail's group alone as long as every endpoint that would use it is left to a tool.
    fn hold_what_only_serves_the_held(&mut self) {
        let steps = &self.plan.steps;
        let grace_of = |step: &Step| match step.held {
            Some(Hold::Grace { until }) => Some(until),
            Some(
                Hold::RunLimit
                | Hold::RoutesFirst
                | Hold::Settling { .. }
                | Hold::Pace { .. }
                | Hold::NotRemembered { .. }
                | Hold::NotProven { .. },
            )
            | None => None,
        };
        let is_for_endpoints = |step: &Step| match &step.task {
            Task::Change(action) => action.operation().changes_endpoints(),
            Task::Await(_) => false,
        };
        let is_group = |step: &Step| {
            matches!(
                step.task,
                Task::Change(Action::CreateSecurityGroup { .. } | Action::AuthorizeHttps { .. })
            )
        };
        let used_from = |group: &Step| {
            let users = steps
                .iter()
                .filter(|step| is_for_endpoints(step) && step.after.contains(&group.id));
            let graces: Option<Vec<_>> = users.map(grace_of).collect();
            graces?.into_iter().min()
        };
        let held: Vec<(StepId, _)> = steps
            .iter()
            .filter(|step| is_group(step))
            .filter_map(|step| Some((step.id, used_from(step)?)))
            .collect();
        for (id, until) in held {
            if let Some(step) = self.plan.steps.iter_mut().find(|step| step.id == id) {
                step.held.get_or_insert(Hold::Grace { until });
            }
        }
    }

    fn hold_of(&self, step: &Step) -> Option<Hold> {
        let Task::Change(action) = &step.task else { return None };
        let moves = self.moved_by(action);
        if moves.is_empty() {
            return None;
        }
        let before = self.before(step);
        let outlook = Outlook::of(self.view.snapshot).after(before).after([step]).once_accepted();
        let seen = outlook.look(self.view.baseline, |after| {
            moves.iter().flat_map(|moved| self.rests_on(after, moved)).collect::<Vec<Seen>>()
        })?;
        let settling = self.view.baseline.settling;
        let Circumstances { memory, now, .. } = self.circumstances;
        let (premise, until) = memory.lately_otherwise(&seen, settling, now)?;
        Some(Hold::Settling { premise, until })
    }

    /// What lets the subnets that reach the moved service now reach it afterwards, and takes time to
    /// act. Who still has the former name or resolver comes to the service by the former way.
    fn rests_on(&self, after: &View<'_>, moved: &Move) -> Vec<Seen> {
        let now = service_in(self.view, &moved.service, moved.kind());
        let then = service_in(after, &moved.service, moved.kind());
        let (Some(now), Some(then)) = (now, then) else { return Vec::new() };
        let may_cut_off = |seen: &Seen| match seen.premise {
            Premise::EndpointPolicy(_) | Premise::NetworkAcl(..) => true,
            Premise::EndpointName(_) | Premise::VpcDns | Premise::DhcpOptions => false,
        };
        let reach = moved_proofs(after, moved, &then)
            .into_iter()
            .filter(|(placed, _)| self.reaches(&now, placed));
        reach.flat_map(|(_, proof)| proof.premises).filter(may_cut_off).collect()
    }

    /// Whether the subnet can reach the service now: through the endpoint that holds its name or
    /// route, or where none does by any way out.
    fn reaches(&self, service: &RequiredService<'_>, placed: &SubnetUse<'_>) -> bool {
        let id = &placed.subnet.subnet_id;
        let view = self.view;
        let Some(placed) = view.topology.subnets.iter().find(|p| p.subnet.subnet_id == *id) else {
            return false;
        };
        match service.kind {
            EndpointKind::Gateway => {
                let route = placed.table.and_then(|table| service.route_to(table, view.snapshot));
                if route.is_some() {
                    return prove_route(view, service, placed).answer() != Answer::NotServed;
                }
            }
            // What is in some clients' way there, or in that of some requests, is not in all of theirs.
            EndpointKind::Interface => {
                let holder = service.name_holder(view.snapshot);
                let is_held = holder.is_some_and(|holder| health(holder) == Health::Works);
                if is_held && !vpc_dns_is_off(view.snapshot) {
                    return true;
                }
            }
        }
        // Where the subnet's own ACL lets nobody out to public addresses, no public way is a way.
        let is_shut_off = reaches_nothing_public(view, placed);
        let leads_there = |table: &RouteTable| {
            // S3 and DynamoDB are reached through a gateway endpoint too, while no name says otherwise.
            let by_gateway = service.route_to(table, view.snapshot).is_some() && !is_shut_off;
            by_gateway
                || table.routes.iter().any(|route| {
                    match classify(route, table, view.snapshot, &view.topology) {
                        RouteClass::Local | RouteClass::Endpoint(_) | RouteClass::Inside(_) => {
                            false
                        }
                        RouteClass::Internet(_) => !is_shut_off,
                        RouteClass::MayLeadOut(_) | RouteClass::Unknown(_) => true,
                    }
                })
        };
        placed.table.is_none() || placed.tables().any(leads_there)
    }

    fn services_with_new_interface_endpoints(&self) -> BTreeSet<ServiceName> {
        let made = self.plan.steps.iter().filter_map(|step| match &step.task {
            Task::Change(Action::CreateEndpoint {
                service,
                kind: NewEndpoint::Interface { .. },
                ..
            }) => Some(service.clone()),
            Task::Change(_) | Task::Await(_) => None,
        });
        made.collect()
    }

    /// What would keep a new interface endpoint from serving the subnets that need it.
    fn in_vain(&self, after: &View<'_>, service: &ServiceName) -> Vec<Unserved> {
        let its =
            |it: &&RequiredService<'_>| it.name == *service && it.kind == EndpointKind::Interface;
        let required = after.required_services.iter().find(its);
        let Some(required) = required.filter(|it| it.create == Create::WhenItServes) else {
            return Vec::new();
        };
        let mut in_vain = Vec::new();
        for placed in after.topology.private().filter(|p| required.is_required_in(p.subnet)) {
            for obstacle in prove(after, required, placed).obstacles {
                if !obstacle.passes() {
                    Unserved::note(&mut in_vain, service, &obstacle, placed.subnet);
                }
            }
        }
        without_made_ids(in_vain)
    }
}

/// What comes of the moved service for each subnet that the step moves it for.
fn moved_proofs<'v, 'w>(
    after: &'v View<'w>,
    moved: &Move,
    then: &RequiredService<'_>,
) -> Vec<(&'v SubnetUse<'w>, Proof)> {
    let is_moved = |placed: &&SubnetUse<'_>| {
        let table = placed.table.map(|table| &table.route_table_id);
        moved.table.is_none() || moved.table.as_ref() == table
    };
    let proof = |placed: &SubnetUse<'_>| match moved.kind() {
        EndpointKind::Gateway => prove_route(after, then, placed),
        EndpointKind::Interface => prove(after, then, placed),
    };
    let subnets = after.topology.subnets.iter().filter(is_moved);
    subnets.map(|placed| (placed, proof(placed))).collect()
}

/// The service as the baseline requires it, or as any of the Region's where it does not.
fn service_in<'w>(
    view: &View<'w>,
    service: &ServiceName,
    kind: EndpointKind,
) -> Option<RequiredService<'w>> {
    let required =
        view.required_services.iter().find(|it| it.name == *service && it.kind == kind).cloned();
    required.or_else(|| RequiredService::unlisted(service, kind, view.snapshot.shared))
}
