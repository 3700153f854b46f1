//! Endpoints that are made, and endpoints that are changed: one call for all that one mode allows
//! on one endpoint.

use sha2::{Digest, Sha256};

use super::Draft;
use super::refusals::Refused;
use super::security_group::Group;
use crate::analysis::required_service::{EndpointKind, RequiredService, zones_of};
use crate::baseline::{Mode, RuleId};
use crate::ec2::change::{Action, NewEndpoint as Place, PrivateDns};
use crate::ec2::id::{EndpointId, RouteTableId, ServiceName, SubnetId, Zone};
use crate::ec2::list;
use crate::ec2::world::{EndpointState, VpcEndpoint};
use crate::plan::{Condition, GroupRef, StepId, Task};
use crate::rules::finding::Finding;
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Addition, EndpointEdit, NewEndpoint, Repair};

/// What one `ModifyVpcEndpoint` call changes.
#[derive(Default)]
struct Edit {
    rules: Vec<RuleId>,
    tables: Vec<RouteTableId>,
    subnets: Vec<SubnetId>,
    groups: Vec<GroupRef>,
    private_dns: PrivateDns,
    after: Vec<StepId>,
}

impl<'w> Draft<'_, 'w> {
    pub(super) fn create_gateway_endpoints(&mut self, findings: &[Finding]) {
        for finding in findings {
            let Repair::CreateEndpoint(NewEndpoint::Gateway { service, tables }) = &finding.repair
            else {
                continue;
            };
            let tables = self.not_refused(finding, service, tables);
            if tables.is_empty() {
                continue;
            }
            let place = Place::Gateway { route_tables: tables.clone() };
            let service = service.clone();
            let ready = Condition::Ready { service, tables, zones: vec![], private_dns: false };
            self.create(finding.rule, place, ready, Vec::new());
        }
    }

    pub(super) fn create_interface_endpoints(
        &mut self,
        findings: &[Finding],
        dns: &[StepId],
        group: &Group,
    ) {
        for finding in findings {
            let Repair::CreateEndpoint(NewEndpoint::Interface { service, subnets, zones }) =
                &finding.repair
            else {
                continue;
            };
            let Some(required) = self.required(service, EndpointKind::Interface) else { continue };
            if let Some(reason) = self.refused.get(&Refused::Made(service.clone())).cloned() {
                self.leave_finding(finding, reason);
                continue;
            }
            let (groups, mut after) = match group {
                Group::Usable(group, steps) => (vec![group.clone()], steps.clone()),
                Group::NotNeeded => (Vec::new(), Vec::new()),
                Group::Unusable(reason) => {
                    self.leave_finding(finding, reason.clone());
                    continue;
                }
            };
            let private_dns = required.wants_private_dns();
            if private_dns {
                after.extend_from_slice(dns);
                after.extend(self.wait_for_names(finding.rule, required));
            }
            let turned = if private_dns { PrivateDns::on_for(service) } else { PrivateDns::Off };
            let (service, zones) = (service.clone(), zones.clone());
            let ready = Condition::Ready { service, tables: vec![], zones, private_dns };
            self.create(
                finding.rule,
                Place::Interface { subnets: subnets.clone(), groups, private_dns: turned },
                ready,
                after,
            );
        }
    }

    /// Those of these tables on which the service's endpoint may be put; the others are left.
    fn not_refused(
        &mut self,
        finding: &Finding,
        service: &ServiceName,
        tables: &[RouteTableId],
    ) -> Vec<RouteTableId> {
        let mut ours = Vec::new();
        for table in tables {
            match self.refused.get(&Refused::Table(service.clone(), table.clone())).cloned() {
                None => ours.push(table.clone()),
                Some(reason) => {
                    self.leave(finding.rule, format!("{table} without {service}"), reason);
                }
            }
        }
        ours
    }

    /// Waits for endpoints of the service that are being deleted: until they are gone they hold its
    /// private name.
    fn wait_for_names(&mut self, rule: RuleId, required: &RequiredService<'w>) -> Vec<StepId> {
        let mode = self.view.baseline.mode_of(rule);
        let holds = |endpoint: &&'w VpcEndpoint| {
            endpoint.state == EndpointState::Deleting && endpoint.private_dns_enabled
        };
        let going: Vec<EndpointId> = required
            .endpoints(self.view.snapshot)
            .filter(holds)
            .map(|e| e.vpc_endpoint_id.clone())
            .collect();
        let wait = |endpoint| {
            self.push(vec![rule], mode, Task::Await(Condition::Gone { endpoint }), Vec::new())
        };
        going.into_iter().map(wait).collect()
    }

    fn create(
        &mut self,
        rule: RuleId,
        place: Place<GroupRef>,
        ready: Condition,
        after: Vec<StepId>,
    ) {
        let Condition::Ready { service, .. } = &ready else { return };
        let kind = match &place {
            Place::Gateway { .. } => EndpointKind::Gateway,
            Place::Interface { .. } => EndpointKind::Interface,
        };
        let scope = &self.view.snapshot.scope;
        let wanted = self.required(service, kind).and_then(|required| required.policy_in(scope));
        let policy = wanted.and_then(|policy| serde_json::to_string(&policy).ok());
        let token = self.token(service, &place, &ready, policy.as_deref());
        let (vpc, service) = (self.view.snapshot.scope.vpc.clone(), service.clone());
        let action = Action::CreateEndpoint { vpc, service, kind: place, policy, token };
        let created = self.push_change(rule, action, after);
        self.wait(vec![rule], self.view.baseline.mode_of(rule), ready, vec![created]);
    }

    pub(super) fn edit_endpoints(&mut self, findings: &[Finding], dns: &[StepId], group: &Group) {
        let mut endpoints: Vec<(&EndpointId, &ServiceName)> = Vec::new();
        for (_, edit) in edits(findings) {
            if !endpoints.contains(&(&edit.endpoint, &edit.service)) {
                endpoints.push((&edit.endpoint, &edit.service));
            }
        }
        for (endpoint, service) in endpoints {
            for mode in [Mode::Repair, Mode::Notify, Mode::Observe] {
                let mut merged = Edit::default();
                for (finding, edit) in edits(findings) {
                    let ours = (&edit.endpoint, &edit.service) == (endpoint, service);
                    if ours && self.view.baseline.mode_of(finding.rule) == mode {
                        self.merge(&mut merged, finding, edit, dns, group);
                    }
                }
                self.edit(endpoint, service, mode, merged);
            }
        }
    }

    fn merge(
        &mut self,
        into: &mut Edit,
        finding: &Finding,
        edit: &EndpointEdit,
        dns: &[StepId],
        group: &Group,
    ) {
        if let Some(reason) = self.refusal_of(edit) {
            return self.leave_finding(finding, reason);
        }
        match &edit.addition {
            Addition::RouteTables(tables) => {
                into.tables = self.not_refused(finding, &edit.service, tables);
                if into.tables.is_empty() {
                    return;
                }
            }
            Addition::Subnets(subnets) => into.subnets.clone_from(subnets),
            Addition::PrivateDns => {
                into.private_dns = PrivateDns::on_for(&edit.service);
                into.after.extend_from_slice(dns);
                if let Some(required) = self.required(&edit.service, EndpointKind::Interface) {
                    into.after.extend(self.wait_for_names(finding.rule, required));
                }
            }
            Addition::OwnGroup => match self.group_for(&edit.endpoint, group) {
                Ok((group, steps)) => {
                    into.groups.extend(group);
                    into.after.extend(steps);
                }
                Err(reason) => return self.leave_finding(finding, reason),
            },
        }
        if !into.rules.contains(&finding.rule) {
            into.rules.push(finding.rule);
        }
    }

    /// Why the endpoint gets no name or interface; `None` where it may.
    fn refusal_of(&self, edit: &EndpointEdit) -> Option<LeftAloneReason> {
        match edit.addition {
            Addition::Subnets(_) => {
                self.refused.get(&Refused::Zones(edit.service.clone())).cloned()
            }
            Addition::PrivateDns => self.refused.get(&Refused::Name(edit.service.clone())).cloned(),
            Addition::RouteTables(_) | Addition::OwnGroup => None,
        }
    }

    fn edit(&mut self, endpoint: &EndpointId, service: &ServiceName, mode: Mode, edit: Edit) {
        let Edit { rules, tables, subnets, groups, private_dns, mut after } = edit;
        if rules.is_empty() {
            return;
        }
        after.sort_unstable();
        after.dedup();
        let zones = self.zones_after(endpoint, &subnets);
        let ready = Condition::Ready {
            service: service.clone(),
            tables: tables.clone(),
            zones,
            private_dns: private_dns.is_on(),
        };
        let nothing =
            tables.is_empty() && subnets.is_empty() && groups.is_empty() && !private_dns.is_on();
        if nothing {
            // The group is attached already and an earlier step opens it: there is only something
            // to wait for.
            self.wait(rules, mode, ready, after);
            return;
        }
        let action = Action::ModifyEndpoint {
            endpoint: endpoint.clone(),
            add_route_tables: tables,
            add_subnets: subnets,
            add_groups: groups,
            private_dns,
        };
        let modified = self.push(rules.clone(), mode, Task::Change(action), after);
        self.wait(rules, mode, ready, vec![modified]);
    }

    fn zones_after(&self, endpoint: &EndpointId, added: &[SubnetId]) -> Vec<Zone> {
        let snapshot = self.view.snapshot;
        let now = snapshot
            .endpoint(endpoint)
            .map(|endpoint| zones_of(endpoint, snapshot))
            .unwrap_or_default();
        let new = added
            .iter()
            .filter_map(|id| snapshot.subnet(id))
            .map(|subnet| &subnet.availability_zone);
        let mut zones: Vec<Zone> = now.into_iter().chain(new).cloned().collect();
        zones.sort_unstable();
        zones.dedup();
        zones
    }

    /// A client token: the same for the same parameters within one incident, another one otherwise.
    /// The endpoints of the service that are gone count as parameters, so that a remembered token
    /// cannot bring a dead endpoint back.
    fn token(
        &self,
        service: &ServiceName,
        place: &Place<GroupRef>,
        ready: &Condition,
        policy: Option<&str>,
    ) -> String {
        // Not the group: there is one of the guardrail's own, which has an id only once it is made.
        let places = match place {
            Place::Gateway { route_tables } => list(route_tables),
            Place::Interface { subnets, .. } => list(subnets),
        };
        let dead = self.view.snapshot.endpoints.iter().filter(|endpoint| {
            !endpoint.exists() && endpoint.service_name.as_ref() == Some(service)
        });
        let dead: Vec<&str> = dead.map(|endpoint| endpoint.vpc_endpoint_id.as_str()).collect();
        let input = format!(
            "{}\n{service}\n{ready:?}\n{places}\n{}\n{}{}",
            self.view.snapshot.scope,
            dead.join(","),
            self.circumstances.incident,
            policy.map(|policy| format!("\n{policy}")).unwrap_or_default()
        );
        let digest = Sha256::digest(input.as_bytes());
        let hex: String = digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        format!("vpc-guardrail-{hex}")
    }
}

/// The edits that the findings ask for, each with its finding.
fn edits(findings: &[Finding]) -> impl Iterator<Item = (&Finding, &EndpointEdit)> {
    findings.iter().filter_map(|finding| match &finding.repair {
        Repair::EditEndpoint(edit) => Some((finding, edit)),
        Repair::None
        | Repair::OpenOwnGroup
        | Repair::EnableVpcDns(_)
        | Repair::CreateEndpoint(_)
        | Repair::RemoveRoute(_)
        | Repair::SetPolicy(_)
        | Repair::Call(_)
        | Repair::Calls(_) => None,
    })
}
