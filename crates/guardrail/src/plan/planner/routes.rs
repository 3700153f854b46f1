//! Which internet routes are removed, and what must come before that.

use super::Draft;
use crate::analysis::View;
use crate::analysis::network_acl::{acl_of, stops_https_to_all_public};
use crate::analysis::required_service::{EndpointKind, RequiredService};
use crate::analysis::served::{
    Obstacle, carries_nat64, lost_servers, premises, prove, servers_among,
};
use crate::analysis::topology::SubnetUse;
use crate::baseline::{Remove, RuleId};
use crate::ec2::change::Action;
use crate::ec2::id::{NetworkAclId, SubnetId};
use crate::ec2::world::NetworkAcl;
use crate::history::{Seen, Unsettled};
use crate::plan::outlook::{Outlook, without_made_ids};
use crate::plan::{Condition, Hold, Step, StepId, Task};
use crate::rules::finding::Finding;
use crate::rules::left_alone::{LeftAloneReason, Unserved};
use crate::rules::repair::{Repair, RouteRemoval};

impl<'w> Draft<'_, 'w> {
    /// Plans the removal of the routes that nothing needs once the plan's other steps are taken, and
    /// leaves the others.
    pub(super) fn remove_routes(&mut self, findings: &[Finding], dns: &[StepId]) {
        let wanted: Vec<(RuleId, &RouteRemoval)> = findings
            .iter()
            .filter_map(|finding| match &finding.repair {
                Repair::RemoveRoute(route) => Some((finding.rule, route)),
                Repair::None
                | Repair::EnableVpcDns(_)
                | Repair::OpenOwnGroup
                | Repair::CreateEndpoint(_)
                | Repair::EditEndpoint(_)
                | Repair::SetPolicy(_)
                | Repair::Call(_)
                | Repair::Calls(_) => None,
            })
            .collect();
        let wanted = self.leave_to_name_servers(wanted);
        if wanted.is_empty() {
            return;
        }
        let needed = match self.view.baseline.internet_routes.remove {
            Remove::Immediately => vec![Vec::new(); wanted.len()],
            Remove::AfterEndpoints => self.still_needed(&wanted),
        };
        for ((rule, route), unserved) in wanted.into_iter().zip(needed) {
            if unserved.is_empty() {
                self.remove_route(rule, route, dns);
            } else {
                let RouteRemoval { table, destination, target, .. } = route;
                let what = format!("{table}: {destination} → {target}");
                self.leave(rule, what, LeftAloneReason::ServiceNotServed { services: unserved });
            }
        }
    }

    /// Leaves the routes by which a DNS server of the VPC's may ask others where nothing is required of
    /// their subnets: what is required asks for its names itself.
    fn leave_to_name_servers<'r>(
        &mut self,
        wanted: Vec<(RuleId, &'r RouteRemoval)>,
    ) -> Vec<(RuleId, &'r RouteRemoval)> {
        match self.view.baseline.internet_routes.remove {
            Remove::Immediately => return wanted,
            Remove::AfterEndpoints => {}
        }
        let mut others = Vec::new();
        for (rule, route) in wanted {
            let mut required = self.view.required_services.iter().filter(|it| !it.is_passed_over());
            let asks = required.any(|it| placed_in(self.view, &route.subnets, it).next().is_some());
            let servers = servers_among(self.view, &route.subnets);
            if asks || servers.is_empty() {
                others.push((rule, route));
            } else {
                let RouteRemoval { table, destination, target, .. } = route;
                let what = format!("{table}: {destination} → {target}");
                self.leave(rule, what, LeftAloneReason::AnswersNames { servers });
            }
        }
        others
    }

    fn remove_route(&mut self, rule: RuleId, route: &RouteRemoval, dns: &[StepId]) {
        let (after, held) = match self.view.baseline.internet_routes.remove {
            Remove::Immediately => (Vec::new(), None),
            Remove::AfterEndpoints => self.before_removal(route, rule, dns),
        };
        let RouteRemoval { table, destination, target, .. } = route.clone();
        let id = self.push_change(rule, Action::DeleteRoute { table, destination, target }, after);
        if let Some(step) = self.plan.steps.iter_mut().find(|step| step.id == id) {
            step.held = held;
        }
    }

    /// For each route: the services that its subnets would lose, judged in the tables as they will
    /// be once every route of this plan is gone. A route that stays may be an obstacle to others.
    fn still_needed(&self, wanted: &[(RuleId, &RouteRemoval)]) -> Vec<Vec<Unserved>> {
        let mut needed: Vec<Vec<Unserved>> = vec![Vec::new(); wanted.len()];
        loop {
            let going: Vec<Step> = wanted
                .iter()
                .zip(&needed)
                .filter(|(_, unserved)| unserved.is_empty())
                .map(|((rule, route), _)| removal_step(*rule, route))
                .collect();
            let outlook = Outlook::of(self.view.snapshot).after(&self.plan.steps).after(&going);
            let judged = outlook.look(self.view.baseline, |after| {
                let judge = |(_, route): &(RuleId, &RouteRemoval)| self.unserved(after, route);
                wanted.iter().map(judge).collect::<Vec<_>>()
            });
            let Some(judged) = judged else { return needed };
            let before = needed.iter().filter(|unserved| !unserved.is_empty()).count();
            for (known, now) in needed.iter_mut().zip(judged) {
                if known.is_empty() {
                    *known = now;
                }
            }
            if needed.iter().filter(|unserved| !unserved.is_empty()).count() == before {
                return needed;
            }
        }
    }

    /// What of the services that the route's subnets need would not be served in this outlook.
    fn unserved(&self, after: &View<'_>, route: &RouteRemoval) -> Vec<Unserved> {
        let mut unserved: Vec<Unserved> = Vec::new();
        for required in after.required_services.iter().filter(|it| !it.is_passed_over()) {
            for placed in placed_in(after, &route.subnets, required) {
                let going = (&route.destination, route.subnets.as_slice());
                let lost = lost_servers(self.view, after, placed, going);
                let obstacles = prove(after, required, placed).obstacles.into_iter().chain(lost);
                let keep =
                    |obstacle: &Obstacle| self.keeps_route(obstacle, required, placed, route);
                for obstacle in obstacles.filter(keep) {
                    Unserved::note(&mut unserved, &required.name, &obstacle, placed.subnet);
                }
            }
        }
        without_made_ids(unserved)
    }

    /// Whether a route stays because of an obstacle. What passes by itself is waited for, and what
    /// stops the service as much with the route as without it keeps no route.
    fn keeps_route(
        &self,
        obstacle: &Obstacle,
        required: &RequiredService<'_>,
        placed: &SubnetUse<'_>,
        route: &RouteRemoval,
    ) -> bool {
        if obstacle.passes() {
            return false;
        }
        match obstacle {
            Obstacle::Acl(stop) => !is_shut_off(self.view, placed, &stop.acl),
            Obstacle::Policy { .. } => !self.is_in_use_already(required, route),
            // What is lost by this route's going is asked for by itself.
            Obstacle::NoServerReached { .. } => false,
            Obstacle::Dns64 { .. } => carries_nat64(self.view, &route.table, &route.destination),
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
            | Obstacle::NoPrivateName
            | Obstacle::PrivateDnsOff { .. }
            | Obstacle::InboundOnly { .. }
            | Obstacle::NameHeldByAnother { .. }
            | Obstacle::VpcDnsOff { .. }
            | Obstacle::OtherResolver { .. }
            | Obstacle::ServerLost { .. }
            | Obstacle::ServerAsksOthers { .. }
            | Obstacle::HttpsNotAdmitted { .. }
            | Obstacle::GroupsUnread { .. }
            | Obstacle::GroupRuleUnclear { .. }
            | Obstacle::NoAcl { .. }
            | Obstacle::IpVersionUnclear { .. }
            | Obstacle::NoIpVersion { .. }
            | Obstacle::InboundUnclear { .. }
            | Obstacle::NameAnswersUnclear { .. }
            | Obstacle::Overruled { .. }
            | Obstacle::PerhapsOverruled { .. }
            | Obstacle::Diverted { .. }
            | Obstacle::Unread { .. }
            | Obstacle::RangesUnread { .. } => true,
        }
    }

    /// Whether every subnet of the route's table reaches the service through its endpoint already, or
    /// will without anybody's doing, but for the endpoint's policy: the policy refuses the same with
    /// the route as without it. Until that has settled, the removal is held as any other is.
    fn is_in_use_already(&self, required: &RequiredService<'_>, route: &RouteRemoval) -> bool {
        let view = self.view;
        let here = view
            .required_services
            .iter()
            .find(|it| it.name == required.name && it.kind == required.kind);
        let Some(required) = here else { return false };
        let users =
            view.topology.subnets.iter().filter(|p| route.subnets.contains(&p.subnet.subnet_id));
        users.into_iter().all(|placed| {
            let other = |obstacle: &Obstacle| {
                !obstacle.passes() && !matches!(obstacle, Obstacle::Policy { .. })
            };
            !prove(view, required, placed).obstacles.iter().any(other)
        })
    }

    fn unsettled(&self, seen: &[Seen]) -> Option<Unsettled> {
        let now = self.circumstances.now;
        self.circumstances.memory.unsettled(seen, self.view.baseline.settling, now)
    }

    /// The steps that must have been taken before the route goes, and what holds the removal back
    /// although nothing is left to be done.
    fn before_removal(
        &mut self,
        route: &RouteRemoval,
        rule: RuleId,
        dns: &[StepId],
    ) -> (Vec<StepId>, Option<Hold>) {
        let view = self.view;
        let (mut after, mut seen): (Vec<StepId>, Vec<Seen>) = (Vec::new(), Vec::new());
        for required in view.required_services.iter().filter(|it| !it.is_passed_over()) {
            for placed in placed_in(view, &route.subnets, required) {
                let open: Vec<Obstacle> = prove(view, required, placed)
                    .obstacles
                    .into_iter()
                    .filter(|it| it.passes() || self.keeps_route(it, required, placed, route))
                    .collect();
                if !open.is_empty() {
                    after.extend(self.steps_that_serve(required, placed, &open, rule, dns));
                }
                seen.extend(premises(view, required, placed));
            }
        }
        after.sort_unstable();
        after.dedup();
        let hold = |unsettled: Unsettled| match unsettled.until {
            Some(until) => Hold::Settling { premise: unsettled.premise, until },
            None => Hold::NotRemembered { premise: unsettled.premise },
        };
        let held = after.is_empty().then(|| self.unsettled(&seen)).flatten().map(hold);
        (after, held)
    }

    /// The steps of the plan that lead to the service's being served, and a wait for what comes by
    /// itself.
    fn steps_that_serve(
        &mut self,
        required: &'w RequiredService<'w>,
        placed: &SubnetUse<'w>,
        open: &[Obstacle],
        rule: RuleId,
        dns: &[StepId],
    ) -> Vec<StepId> {
        let leads_here = |step: &&Step| match &step.task {
            Task::Await(Condition::Ready { service, tables, .. }) => {
                *service == required.name
                    && match required.kind {
                        EndpointKind::Gateway => {
                            let own = placed.table.map(|table| &table.route_table_id);
                            own.is_some_and(|own| tables.contains(own))
                        }
                        // All that is changed on the endpoint, for each may be what the service is
                        // missed for.
                        EndpointKind::Interface => tables.is_empty(),
                    }
            }
            Task::Await(Condition::Gone { .. }) | Task::Change(_) => false,
        };
        let mut steps: Vec<StepId> =
            self.plan.steps.iter().filter(leads_here).map(|step| step.id).collect();
        if steps.is_empty() && open.iter().any(Obstacle::passes) {
            let mode = self.view.baseline.mode_of(rule);
            let coming = Task::Await(coming(required, placed));
            steps.push(self.push(vec![rule], mode, coming, Vec::new()));
        }
        let is_off = |obstacle: &Obstacle| matches!(obstacle, Obstacle::VpcDnsOff { .. });
        if required.wants_private_dns() || open.iter().any(is_off) {
            steps.extend_from_slice(dns);
        }
        steps
    }
}

/// Whether the subnet's own network ACL is this one and lets no client reach TCP 443 of any public
/// address: nothing is lost by the route's going.
fn is_shut_off(view: &View<'_>, placed: &SubnetUse<'_>, acl: &NetworkAclId) -> bool {
    own_acl(view, placed).is_some_and(|own| own.network_acl_id == *acl)
        && reaches_nothing_public(view, placed)
}

/// Whether the subnet's own network ACL lets no client reach TCP 443 of any public address.
pub(super) fn reaches_nothing_public(view: &View<'_>, placed: &SubnetUse<'_>) -> bool {
    let everything = ["0.0.0.0/0", "::/0"].iter().filter_map(|block| block.parse().ok());
    let blocks = &view.topology.own;
    own_acl(view, placed).is_some_and(|own| {
        everything.into_iter().all(|block| stops_https_to_all_public(own, block, blocks))
    })
}

/// The subnet's own network ACL.
pub(super) fn own_acl<'w>(view: &View<'w>, placed: &SubnetUse<'_>) -> Option<&'w NetworkAcl> {
    acl_of(placed.subnet, view.snapshot.network_acls.iter().copied())
}

fn removal_step(rule: RuleId, route: &RouteRemoval) -> Step {
    let RouteRemoval { table, destination, target, .. } = route.clone();
    Step {
        id: StepId(0),
        rules: vec![rule],
        mode: crate::baseline::Mode::Repair,
        task: Task::Change(Action::DeleteRoute { table, destination, target }),
        after: Vec::new(),
        held: None,
    }
}

/// Those of these subnets that need the service, as they stand in a view.
fn placed_in<'v, 'w>(
    view: &'v View<'w>,
    subnets: &'v [SubnetId],
    required: &'v RequiredService<'w>,
) -> impl Iterator<Item = &'v SubnetUse<'w>> {
    view.topology
        .subnets
        .iter()
        .filter(|p| subnets.contains(&p.subnet.subnet_id) && required.is_required_in(p.subnet))
}

/// What to wait for where the endpoint itself needs no change: it is coming up, or its route does
/// not show yet.
fn coming(required: &RequiredService<'_>, placed: &SubnetUse<'_>) -> Condition {
    let own = placed.table.map(|table| table.route_table_id.clone());
    let tables = match required.kind {
        EndpointKind::Gateway => own.into_iter().collect(),
        EndpointKind::Interface => Vec::new(),
    };
    Condition::Ready {
        service: required.name.clone(),
        tables,
        zones: Vec::new(),
        private_dns: required.wants_private_dns(),
    }
}
