//! From findings to a plan: make before break.
//!
//! Order: VPC DNS attributes, the endpoints' security group, gateway endpoints, interface endpoints, waiting for them, and
//! last the internet routes; with `remove: immediately` the routes come first.

mod routes;
#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

use crate::analysis::View;
use crate::analysis::required_service::{
    EndpointKind, RequiredService, cidrs_without_https, https_sources, own_group, zones_of,
};
use crate::baseline::RuleId;
use crate::baseline::{Mode, Remove, RouteTables};
use crate::ec2::change::{Action, GROUP_NAME, NewEndpoint};
use crate::ec2::cidr::{Cidr, covered};
use crate::ec2::id::{EndpointId, RouteTableId, ServiceName, SubnetId, Zone};
use crate::ec2::list;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{EndpointState, Subnet, VpcEndpoint};
use crate::plan::GroupRef;
use crate::plan::{Condition, LeftAlone, LeftAloneReason, Plan, Step, StepId, Task};
use crate::rules::evaluate;
use crate::rules::finding::{Drift, Finding};

/// AWS's limit of security groups on an interface (docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html).
const GROUPS_PER_INTERFACE: usize = 5;

/// Finds what is not as the baseline wants it, and plans what to do.
///
/// `incident` names what led to the run: client tokens depend on it, so that an endpoint that is deleted twice is made
/// twice, while a call repeated within one incident makes one endpoint.
pub fn plan(view: &View<'_>, incident: &str) -> (Vec<Finding>, Plan) {
    let findings = evaluate(view);
    let mut draft = Draft { view, incident, plan: Plan::default(), waits: Vec::new(), unmended: Vec::new() };
    if let Some(reason) = nothing_may_change(view) {
        findings.iter().for_each(|finding| draft.leave(finding.rule, finding.drift.to_string(), reason.clone()));
        if findings.is_empty() && !view.snapshot.missing.is_empty() {
            let what = view.snapshot.scope.vpc.to_string();
            draft.plan.left_alone.push(LeftAlone { what, rule: None, reason });
        }
        return (findings, draft.plan);
    }
    draft.leave_what_is_not_offered();
    draft.leave_groups_not_observed();
    let immediately = view.baseline.internet_routes.remove == Remove::Immediately;
    if immediately {
        draft.routes(&findings, &[]);
    }
    let dns = draft.vpc_dns(&findings);
    let group = draft.group(&findings);
    draft.gateways(&findings);
    draft.new_interface_endpoints(&findings, &dns, &group);
    draft.edits(&findings, &dns, &group);
    draft.broken(&findings);
    draft.waits();
    if !immediately {
        draft.routes(&findings, &dns);
    }
    draft.limit();
    (findings, draft.plan)
}

fn nothing_may_change(view: &View<'_>) -> Option<LeftAloneReason> {
    if view.snapshot.is_somebody_elses() {
        return Some(LeftAloneReason::SomebodyElsesVpc);
    }
    let sections: Vec<_> = view.snapshot.missing.iter().copied().collect();
    (!sections.is_empty()).then_some(LeftAloneReason::NotObserved { sections })
}

struct Draft<'v, 'w> {
    view: &'v View<'w>,
    incident: &'v str,
    plan: Plan,
    /// What is waited for once every endpoint change is under way, so that endpoints come up side by side.
    waits: Vec<Step>,
    /// Services with a fault that this plan does not mend.
    unmended: Vec<ServiceName>,
}

/// The guardrail's own security group, as far as this plan goes.
enum Group {
    /// Nobody needs it.
    NotNeeded,
    /// Steps may name it; those that do come after these.
    Usable(GroupRef, Vec<StepId>),
    /// It cannot be had.
    BaselineError(LeftAloneReason),
}

/// What one `ModifyVpcEndpoint` call changes.
#[derive(Default)]
struct Edit {
    rules: Vec<RuleId>,
    tables: Vec<RouteTableId>,
    subnets: Vec<SubnetId>,
    groups: Vec<GroupRef>,
    private_dns: bool,
    after: Vec<StepId>,
}

impl<'w> Draft<'_, 'w> {
    fn leave(&mut self, rule: RuleId, what: String, reason: LeftAloneReason) {
        self.plan.left_alone.push(LeftAlone { what, rule: Some(rule), reason });
    }

    fn leave_service(&mut self, rule: RuleId, service: &ServiceName, what: String, reason: LeftAloneReason) {
        self.unmended.push(service.clone());
        self.leave(rule, what, reason);
    }

    fn push(&mut self, rules: Vec<RuleId>, mode: Mode, task: Task, after: Vec<StepId>) -> StepId {
        let id = StepId(u32::try_from(self.plan.steps.len()).unwrap_or(u32::MAX).saturating_add(1));
        self.plan.steps.push(Step { id, rules, mode, task, after, over_limit: false });
        id
    }

    /// Notes a wait, which gets its number once all changes to endpoints have theirs.
    fn wait(&mut self, rules: Vec<RuleId>, mode: Mode, ready: Condition, after: Vec<StepId>) {
        self.waits.push(Step { id: StepId(0), rules, mode, task: Task::Await(ready), after, over_limit: false });
    }

    fn waits(&mut self) {
        for Step { rules, mode, task, after, .. } in std::mem::take(&mut self.waits) {
            self.push(rules, mode, task, after);
        }
    }

    fn required(&self, service: &ServiceName, kind: EndpointKind) -> Option<&'w RequiredService<'w>> {
        self.view.required_services.iter().find(|required| required.name == *service && required.kind == kind)
    }

    fn leave_what_is_not_offered(&mut self) {
        for required in self.view.required_services.iter().filter(|required| required.offered.is_none()) {
            let what = format!("{} endpoint for {}", required.kind, required.service);
            self.plan.left_alone.push(LeftAlone { what, rule: None, reason: LeftAloneReason::NotOffered });
        }
    }

    /// A group of another VPC or account may be attached that could not be read: whether it admits anybody is not known.
    fn leave_groups_not_observed(&mut self) {
        for required in self.view.required_services.iter().filter(|required| required.kind == EndpointKind::Interface) {
            let adopted = required.adopted(self.view.snapshot);
            let Some(endpoint) = adopted.filter(|e| cidrs_without_https(e, self.view.snapshot).is_none()) else {
                continue;
            };
            let what = format!("security groups of {} ({})", endpoint.vpc_endpoint_id, required.name);
            let why = LeftAloneReason::NotObserved { sections: vec![Section::SecurityGroups] };
            self.leave(RuleId::EndpointSecurityGroup, what, why);
        }
    }

    fn vpc_dns(&mut self, findings: &[Finding]) -> Vec<StepId> {
        let mut steps: Vec<StepId> = Vec::new();
        for finding in findings {
            if let Drift::VpcDnsOff { attribute } = finding.drift {
                let action = Action::EnableVpcDns { vpc: self.view.snapshot.scope.vpc.clone(), attribute };
                let mode = self.view.baseline.mode_of(finding.rule);
                steps.push(self.push(vec![finding.rule], mode, Task::Change(action), steps.clone()));
            }
        }
        steps
    }

    /// Makes sure that there is a group of the guardrail's own that admits TCP 443 from every block of the VPC, if a
    /// finding needs one.
    fn group(&mut self, findings: &[Finding]) -> Group {
        let wants = |finding: &&Finding| needs_group(&finding.drift) && !self.is_full(&finding.drift);
        let mut rules: Vec<RuleId> = findings.iter().filter(wants).map(|finding| finding.rule).collect();
        rules.dedup();
        let Some(mode) = rules.iter().map(|rule| self.view.baseline.mode_of(*rule)).max() else {
            return Group::NotNeeded;
        };
        let snapshot = self.view.snapshot;
        let cidrs: Vec<Cidr> = snapshot.vpc.cidrs().into_iter().filter(|cidr| cidr.net().is_some()).collect();
        if let Some(own) = own_group(snapshot) {
            let group = GroupRef::Existing(own.group_id.clone());
            let open = https_sources(own, snapshot.shared);
            let shut = |cidr: &Cidr| cidr.net().is_some_and(|net| !covered(net, &open));
            let cidrs: Vec<Cidr> = cidrs.into_iter().filter(shut).collect();
            if cidrs.is_empty() {
                return Group::Usable(group, Vec::new());
            }
            let action = Action::AuthorizeHttps { group: group.clone(), cidrs };
            let authorized = self.push(rules, mode, Task::Change(action), Vec::new());
            return Group::Usable(group, vec![authorized]);
        }
        if let Some(taken) = snapshot.groups.iter().find(|group| group.group_name.eq_ignore_ascii_case(GROUP_NAME)) {
            return Group::BaselineError(LeftAloneReason::GroupNameTaken { group: taken.group_id.clone() });
        }
        let create = Action::CreateSecurityGroup {
            vpc: snapshot.scope.vpc.clone(),
            name: GROUP_NAME.to_owned(),
            description: "HTTPS from the VPC to its interface endpoints".to_owned(),
        };
        let created = self.push(rules.clone(), mode, Task::Change(create), Vec::new());
        let group = GroupRef::MadeBy(created);
        let action = Action::AuthorizeHttps { group: group.clone(), cidrs };
        let authorized = self.push(rules, mode, Task::Change(action), vec![created]);
        Group::Usable(group, vec![created, authorized])
    }

    /// Tables with a subnet that is neither private nor public are left alone, unless the baseline means all tables.
    fn tables_ours(&mut self, rule: RuleId, service: &ServiceName, tables: &[RouteTableId]) -> Vec<RouteTableId> {
        let all = self.view.baseline.gateway_endpoints.route_tables == RouteTables::All;
        let topology = &self.view.topology;
        let shared: Vec<_> = topology.tables.iter().filter(|used| !all && used.has_unclassified_user()).collect();
        let (theirs, ours): (Vec<_>, Vec<_>) =
            tables.iter().partition(|id| shared.iter().any(|used| used.table.route_table_id == **id));
        for id in theirs {
            let users =
                shared.iter().filter(|used| used.table.route_table_id == *id).flat_map(|used| used.other_users());
            let with = users.filter(|(_, class)| class.word() == "unclassified").map(|(id, _)| id.clone()).collect();
            self.leave(rule, format!("{id} without {service}"), LeftAloneReason::SharedTable { with });
        }
        ours.into_iter().cloned().collect()
    }

    fn gateways(&mut self, findings: &[Finding]) {
        for finding in findings {
            let Drift::GatewayEndpointMissing { service, tables } = &finding.drift else { continue };
            let route_tables = self.tables_ours(finding.rule, service, tables);
            if route_tables.is_empty() {
                continue;
            }
            let kind = NewEndpoint::Gateway { route_tables: route_tables.clone() };
            let ready =
                Condition::Ready { service: service.clone(), tables: route_tables, zones: vec![], private_dns: false };
            self.create(finding.rule, service, kind, ready, Vec::new());
        }
    }

    fn new_interface_endpoints(&mut self, findings: &[Finding], dns: &[StepId], group: &Group) {
        for finding in findings {
            let Drift::InterfaceEndpointMissing { service, zones } = &finding.drift else { continue };
            let Some(required) = self.required(service, EndpointKind::Interface) else { continue };
            let (groups, mut after) = match group {
                Group::Usable(group, steps) => (vec![group.clone()], steps.clone()),
                Group::NotNeeded => (Vec::new(), Vec::new()),
                Group::BaselineError(why) => {
                    self.leave_service(finding.rule, service, finding.drift.to_string(), why.clone());
                    continue;
                }
            };
            let subnets = self.subnets_in(finding.rule, service, zones);
            if subnets.is_empty() {
                continue;
            }
            let private_dns = required.wants_private_dns();
            if private_dns {
                after.extend_from_slice(dns);
                after.extend(self.wait_for_names(finding.rule, required));
            }
            let zones = subnets.iter().map(|subnet| subnet.availability_zone.clone()).collect();
            let ready = Condition::Ready { service: service.clone(), tables: vec![], zones, private_dns };
            let subnets = subnets.into_iter().map(|subnet| subnet.subnet_id.clone()).collect();
            self.create(finding.rule, service, NewEndpoint::Interface { subnets, groups, private_dns }, ready, after);
        }
    }

    /// Waits for endpoints of the service that are being deleted: until they are gone they hold its private name.
    fn wait_for_names(&mut self, rule: RuleId, required: &RequiredService<'w>) -> Vec<StepId> {
        let mode = self.view.baseline.mode_of(rule);
        let holds =
            |endpoint: &&'w VpcEndpoint| endpoint.state == EndpointState::Deleting && endpoint.private_dns_enabled;
        let going: Vec<EndpointId> =
            required.endpoints(self.view.snapshot).filter(holds).map(|e| e.vpc_endpoint_id.clone()).collect();
        let wait = |endpoint| self.push(vec![rule], mode, Task::Await(Condition::Gone { endpoint }), Vec::new());
        going.into_iter().map(wait).collect()
    }

    fn create(
        &mut self,
        rule: RuleId,
        service: &ServiceName,
        kind: NewEndpoint<GroupRef>,
        ready: Condition,
        after: Vec<StepId>,
    ) {
        let token = self.token(service, &kind, &ready);
        let vpc = self.view.snapshot.scope.vpc.clone();
        let action = Action::CreateEndpoint { vpc, service: service.clone(), kind, token };
        let mode = self.view.baseline.mode_of(rule);
        let created = self.push(vec![rule], mode, Task::Change(action), after);
        self.wait(vec![rule], mode, ready, vec![created]);
    }

    /// One subnet for each zone: private, able to hold an IPv4 interface, the first by id.
    fn subnets_in(&mut self, rule: RuleId, service: &ServiceName, zones: &[Zone]) -> Vec<&'w Subnet> {
        let fits = |subnet: &&Subnet| !subnet.ipv6_native && subnet.available_ip_address_count != Some(0);
        let private: Vec<&'w Subnet> = self.view.topology.private().map(|placed| placed.subnet).filter(fits).collect();
        let pick = |zone: &Zone| private.iter().find(|subnet| subnet.availability_zone == *zone).copied();
        let without: Vec<Zone> = zones.iter().filter(|zone| pick(zone).is_none()).cloned().collect();
        let picked = zones.iter().filter_map(pick).collect();
        if !without.is_empty() {
            let what = format!("interface of the endpoint for {service}");
            self.leave_service(rule, service, what, LeftAloneReason::NoSubnetInZone { zones: without });
        }
        picked
    }

    /// Changes to endpoints that are there: all that one mode allows on one endpoint go into one call.
    fn edits(&mut self, findings: &[Finding], dns: &[StepId], group: &Group) {
        let mut seen: Vec<(EndpointId, ServiceName)> = Vec::new();
        for finding in findings {
            if let Some((endpoint, service)) = edited(&finding.drift)
                && !seen.contains(&(endpoint.clone(), service.clone()))
            {
                seen.push((endpoint.clone(), service.clone()));
            }
        }
        for (endpoint, service) in seen {
            for mode in [Mode::Repair, Mode::Notify, Mode::Observe] {
                let ours = |f: &&Finding| {
                    self.view.baseline.mode_of(f.rule) == mode && edited(&f.drift) == Some((&endpoint, &service))
                };
                let ours: Vec<&Finding> = findings.iter().filter(ours).collect();
                let mut edit = Edit::default();
                ours.into_iter().for_each(|finding| self.add_to(&mut edit, finding, dns, group));
                self.edit(&endpoint, &service, mode, edit);
            }
        }
    }

    fn add_to(&mut self, edit: &mut Edit, finding: &Finding, dns: &[StepId], group: &Group) {
        let before = (edit.tables.len(), edit.subnets.len(), edit.groups.len(), edit.private_dns);
        match &finding.drift {
            Drift::RouteTableNotAssociated { service, tables, .. } => {
                edit.tables = self.tables_ours(finding.rule, service, tables);
            }
            Drift::ZonesNotCovered { service, zones, .. } => {
                let subnets = self.subnets_in(finding.rule, service, zones);
                edit.subnets = subnets.into_iter().map(|subnet| subnet.subnet_id.clone()).collect();
            }
            Drift::PrivateDnsOff { service, .. } => {
                edit.private_dns = true;
                edit.after.extend_from_slice(dns);
                if let Some(required) = self.required(service, EndpointKind::Interface) {
                    edit.after.extend(self.wait_for_names(finding.rule, required));
                }
            }
            Drift::HttpsNotAdmitted { service, .. } if self.is_full(&finding.drift) => {
                self.leave_service(finding.rule, service, finding.drift.to_string(), LeftAloneReason::TooManyGroups);
            }
            Drift::HttpsNotAdmitted { service, endpoint, .. } => match self.group_for(endpoint, group) {
                Ok((group, steps)) => {
                    edit.groups.extend(group);
                    edit.after.extend(steps);
                    edit.rules.push(finding.rule);
                }
                Err(why) => self.leave_service(finding.rule, service, finding.drift.to_string(), why),
            },
            Drift::VpcDnsOff { .. }
            | Drift::GatewayEndpointMissing { .. }
            | Drift::InterfaceEndpointMissing { .. }
            | Drift::EndpointBroken { .. }
            | Drift::LeadsOut(_) => {}
        }
        let after = (edit.tables.len(), edit.subnets.len(), edit.groups.len(), edit.private_dns);
        if before != after && !edit.rules.contains(&finding.rule) {
            edit.rules.push(finding.rule);
        }
    }

    /// Whether the endpoint that wants a group cannot take one more and has not got the guardrail's.
    fn is_full(&self, drift: &Drift) -> bool {
        let own = own_group(self.view.snapshot).map(|own| &own.group_id);
        match drift {
            Drift::HttpsNotAdmitted { endpoint, .. } => self.view.snapshot.endpoint(endpoint).is_some_and(|endpoint| {
                endpoint.groups.len() >= GROUPS_PER_INTERFACE
                    && !endpoint.groups.iter().any(|group| Some(&group.group_id) == own)
            }),
            Drift::VpcDnsOff { .. }
            | Drift::GatewayEndpointMissing { .. }
            | Drift::RouteTableNotAssociated { .. }
            | Drift::InterfaceEndpointMissing { .. }
            | Drift::ZonesNotCovered { .. }
            | Drift::PrivateDnsOff { .. }
            | Drift::EndpointBroken { .. }
            | Drift::LeadsOut(_) => false,
        }
    }

    /// The group to attach to an endpoint, none if it is attached already, and the steps that open it.
    fn group_for(
        &self,
        endpoint: &EndpointId,
        group: &Group,
    ) -> Result<(Option<GroupRef>, Vec<StepId>), LeftAloneReason> {
        let attached = self.view.snapshot.endpoint(endpoint).map(|e| e.groups.as_slice()).unwrap_or_default();
        match group {
            Group::NotNeeded => Ok((None, Vec::new())),
            Group::BaselineError(why) => Err(why.clone()),
            Group::Usable(GroupRef::Existing(id), steps) if attached.iter().any(|g| g.group_id == *id) => {
                Ok((None, steps.clone()))
            }
            Group::Usable(group, steps) => Ok((Some(group.clone()), steps.clone())),
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
        let ready = Condition::Ready { service: service.clone(), tables: tables.clone(), zones, private_dns };
        let nothing = tables.is_empty() && subnets.is_empty() && groups.is_empty() && !private_dns;
        if nothing {
            // The group is attached already and an earlier step opens it: there is only something to wait for.
            self.wait(rules, mode, ready, after);
            return;
        }
        let action = Action::ModifyEndpoint {
            endpoint: endpoint.clone(),
            add_route_tables: tables,
            add_subnets: subnets,
            add_groups: groups,
            enable_private_dns: private_dns,
        };
        let modified = self.push(rules.clone(), mode, Task::Change(action), after);
        self.wait(rules, mode, ready, vec![modified]);
    }

    fn zones_after(&self, endpoint: &EndpointId, added: &[SubnetId]) -> Vec<Zone> {
        let snapshot = self.view.snapshot;
        let now = snapshot.endpoint(endpoint).map(|endpoint| zones_of(endpoint, snapshot)).unwrap_or_default();
        let new = added.iter().filter_map(|id| snapshot.subnet(id)).map(|subnet| &subnet.availability_zone);
        let mut zones: Vec<Zone> = now.into_iter().chain(new).cloned().collect();
        zones.sort_unstable();
        zones.dedup();
        zones
    }

    fn broken(&mut self, findings: &[Finding]) {
        for finding in findings {
            if let Drift::EndpointBroken { service, .. } = &finding.drift {
                self.leave_service(finding.rule, service, finding.drift.to_string(), LeftAloneReason::Broken);
            }
        }
    }

    /// Leaves for the next run what goes beyond the limits, and what depends on it.
    fn limit(&mut self) {
        let limits = self.view.baseline.limits;
        let (mut changes, mut endpoint_changes) = (0, 0);
        let mut held: Vec<StepId> = Vec::new();
        // What no mode allows, and what comes after it, is never taken and uses nothing up.
        let mut idle: Vec<StepId> = Vec::new();
        for step in &mut self.plan.steps {
            if step.mode != Mode::Repair || step.after.iter().any(|id| idle.contains(id)) {
                idle.push(step.id);
                continue;
            }
            let (change, endpoint_change) = match &step.task {
                Task::Change(action) => (1, u32::from(action.is_endpoint_change())),
                Task::Await(_) => (0, 0),
            };
            let over =
                changes + change > limits.changes || endpoint_changes + endpoint_change > limits.endpoint_changes;
            if over || step.after.iter().any(|id| held.contains(id)) {
                step.over_limit = true;
                held.push(step.id);
            } else {
                changes += change;
                endpoint_changes += endpoint_change;
            }
        }
    }

    /// A client token: the same for the same parameters within one incident, another one otherwise. The endpoints of the
    /// service that are gone count as parameters, so that a remembered token cannot bring a dead endpoint back.
    fn token(&self, service: &ServiceName, kind: &NewEndpoint<GroupRef>, ready: &Condition) -> String {
        // Not the group: there is one of the guardrail's own, which has an id only once it is made.
        let places = match kind {
            NewEndpoint::Gateway { route_tables } => list(route_tables),
            NewEndpoint::Interface { subnets, .. } => list(subnets),
        };
        let dead = self
            .view
            .snapshot
            .endpoints
            .iter()
            .filter(|endpoint| !endpoint.exists() && endpoint.service_name.as_ref() == Some(service));
        let dead: Vec<&str> = dead.map(|endpoint| endpoint.vpc_endpoint_id.as_str()).collect();
        let input = format!(
            "{}\n{service}\n{ready:?}\n{places}\n{}\n{}",
            self.view.snapshot.scope,
            dead.join(","),
            self.incident
        );
        let digest = Sha256::digest(input.as_bytes());
        let hex: String = digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        format!("vpc-guardrail-{hex}")
    }
}

fn needs_group(drift: &Drift) -> bool {
    match drift {
        Drift::HttpsNotAdmitted { .. } | Drift::InterfaceEndpointMissing { .. } => true,
        Drift::VpcDnsOff { .. }
        | Drift::GatewayEndpointMissing { .. }
        | Drift::RouteTableNotAssociated { .. }
        | Drift::ZonesNotCovered { .. }
        | Drift::PrivateDnsOff { .. }
        | Drift::EndpointBroken { .. }
        | Drift::LeadsOut(_) => false,
    }
}

/// The endpoint that a finding is mended on.
fn edited(drift: &Drift) -> Option<(&EndpointId, &ServiceName)> {
    match drift {
        Drift::HttpsNotAdmitted { service, endpoint, .. }
        | Drift::RouteTableNotAssociated { service, endpoint, .. }
        | Drift::ZonesNotCovered { service, endpoint, .. }
        | Drift::PrivateDnsOff { service, endpoint } => Some((endpoint, service)),
        Drift::VpcDnsOff { .. }
        | Drift::GatewayEndpointMissing { .. }
        | Drift::InterfaceEndpointMissing { .. }
        | Drift::EndpointBroken { .. }
        | Drift::LeadsOut(_) => None,
    }
}
