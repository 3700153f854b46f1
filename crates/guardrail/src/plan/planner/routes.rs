//! Which internet routes are removed, and what must come before that.

use super::Draft;
use crate::analysis::required_service::{
    EndpointKind, Health, RequiredService, cidrs_without_https, health, vpc_dns_is_on, zones_of,
};
use crate::analysis::topology::SubnetUse;
use crate::baseline::{Remove, RuleId};
use crate::ec2::change::Action;
use crate::ec2::id::{ServiceName, SubnetId};
use crate::plan::{Condition, StepId, Task};
use crate::rules::finding::Finding;
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Repair, RouteRemoval};

impl<'w> Draft<'_, 'w> {
    pub(super) fn remove_routes(&mut self, findings: &[Finding], dns: &[StepId]) {
        for finding in findings {
            let Repair::RemoveRoute(route) = &finding.repair else { continue };
            let before = self.plan.steps.len();
            let after = match self.view.baseline.internet_routes.remove {
                Remove::Immediately => Ok(Vec::new()),
                Remove::AfterEndpoints => self.served_after(&route.subnets, finding.rule, dns),
            };
            let RouteRemoval { table, destination, target, .. } = route.clone();
            match after {
                Ok(after) => {
                    self.push_change(
                        finding.rule,
                        Action::DeleteRoute { table, destination, target },
                        after,
                    );
                }
                Err(services) => {
                    // What was to be waited for is waited for by nobody.
                    self.plan.steps.truncate(before);
                    let what = format!("{table}: {destination} → {target}");
                    self.leave(finding.rule, what, LeftAloneReason::ServiceNotServed { services });
                }
            }
        }
    }

    /// The steps after which every required service is served to these subnets; or the services
    /// that are not even then.
    fn served_after(
        &mut self,
        subnets: &[SubnetId],
        rule: RuleId,
        dns: &[StepId],
    ) -> Result<Vec<StepId>, Vec<ServiceName>> {
        let view = self.view;
        let placed =
            || view.topology.subnets.iter().filter(|p| subnets.contains(&p.subnet.subnet_id));
        let (mut after, mut unserved) = (Vec::new(), Vec::new());
        for required in view.required_services.iter().filter(|required| !required.is_passed_over())
        {
            if required.cannot_be_served() {
                unserved.push(required.name.clone());
                continue;
            }
            for p in placed().filter(|p| !required.serves(p.subnet, p.table, view.snapshot)) {
                match self.steps_that_serve(required, p, rule, dns) {
                    Some(steps) if !self.unmended.contains(&required.name) => after.extend(steps),
                    Some(_) | None => unserved.push(required.name.clone()),
                }
            }
        }
        after.sort_unstable();
        after.dedup();
        unserved.dedup();
        if unserved.is_empty() { Ok(after) } else { Err(unserved) }
    }

    /// The steps after which the service is served to a subnet; `None` when nothing in the plan
    /// leads there.
    fn steps_that_serve(
        &mut self,
        required: &'w RequiredService<'w>,
        placed: &SubnetUse<'w>,
        rule: RuleId,
        dns: &[StepId],
    ) -> Option<Vec<StepId>> {
        if !required.speaks_to(placed.subnet, placed.table, self.view.snapshot) {
            return None;
        }
        let mut steps: Vec<StepId> = Vec::new();
        for step in &self.plan.steps {
            let Task::Await(Condition::Ready { service, tables, .. }) = &step.task else {
                continue;
            };
            let leads_here = match required.kind {
                EndpointKind::Gateway => {
                    placed.table.is_some_and(|table| tables.contains(&table.route_table_id))
                }
                // All that is changed on the endpoint, for each may be what the service is missed
                // for.
                EndpointKind::Interface => tables.is_empty(),
            };
            if *service == required.name && leads_here {
                steps.push(step.id);
            }
        }
        let needs_dns = required.wants_private_dns();
        let steps: Vec<StepId> = if steps.is_empty() {
            let ready = self.coming(required, placed, dns)?;
            let after = if needs_dns { dns.to_vec() } else { Vec::new() };
            vec![self.push(vec![rule], self.view.baseline.mode_of(rule), Task::Await(ready), after)]
        } else {
            steps
        };
        Some(if needs_dns { steps.into_iter().chain(dns.iter().copied()).collect() } else { steps })
    }

    /// What to wait for where the endpoint itself needs no change: it is coming up, its route does
    /// not show yet, or it is held back only by the VPC's DNS attributes, which this plan turns on.
    fn coming(
        &self,
        required: &'w RequiredService<'w>,
        placed: &SubnetUse<'w>,
        dns: &[StepId],
    ) -> Option<Condition> {
        let snapshot = self.view.snapshot;
        let endpoint =
            required.adopted(snapshot).filter(|endpoint| health(endpoint) != Health::Broken)?;
        let service = required.name.clone();
        match required.kind {
            EndpointKind::Gateway => {
                let table = placed.table?.route_table_id.clone();
                let mut theirs = required
                    .endpoints(snapshot)
                    .filter(|e| e.exists() && health(e) != Health::Broken);
                theirs.find(|e| e.route_table_ids.contains(&table))?;
                Some(Condition::Ready {
                    service,
                    tables: vec![table],
                    zones: vec![],
                    private_dns: false,
                })
            }
            EndpointKind::Interface => {
                let dns_comes = vpc_dns_is_on(snapshot) || !dns.is_empty();
                let private_dns = required.wants_private_dns();
                let held = private_dns && !(endpoint.holds_name_in_vpc() && dns_comes);
                let admits = cidrs_without_https(endpoint, snapshot)
                    .is_some_and(|missing| missing.is_empty());
                let zones = zones_of(endpoint, snapshot);
                let zone = &placed.subnet.availability_zone;
                let covers = !required.is_offered_in(zone) || zones.contains(&zone);
                let zones = zones.into_iter().cloned().collect();
                (!held && admits && covers).then_some(Condition::Ready {
                    service,
                    tables: vec![],
                    zones,
                    private_dns,
                })
            }
        }
    }
}
