//! From findings to a plan: make before break.
//!
//! Order: VPC DNS attributes, the endpoints' security group, gateway endpoints, interface
//! endpoints, waiting for them, plain calls, and last the internet routes; with `remove:
//! immediately` the routes come first.

mod endpoints;
mod limits;
mod refusals;
mod refused_by_aws;
mod routes;
mod security_group;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::refusals::{Refusals, Refused};
use self::refused_by_aws::refused_by_aws;
use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, RequiredService, cidrs_without_https};
use crate::baseline::{Mode, Remove, RuleId};
use crate::ec2::change::Action;
use crate::ec2::id::{SecurityGroupId, ServiceName};
use crate::ec2::list;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::plan::{Circumstances, Condition, GroupRef, Hold, Plan, Step, StepId, Task};
use crate::rules::evaluate;
use crate::rules::exemptions::Exemptions;
use crate::rules::finding::Finding;
use crate::rules::left_alone::{LeftAlone, LeftAloneReason};
use crate::rules::repair::{NewEndpoint, NewPolicy, Repair};
use crate::time::Day;

/// Finds what is not as the baseline wants it, and plans what to do in these circumstances.
pub fn plan(view: &View<'_>, circumstances: Circumstances<'_>) -> (Vec<Finding>, Plan) {
    let exemptions = Exemptions::of(view.baseline, view.snapshot, Day::of(circumstances.now));
    let (findings, exempted) = exemptions.sort_out(evaluate(view), view);
    let plan = plan_for(view, circumstances, &findings);
    (findings, Plan { exempted, in_vain: exemptions.in_vain, ..plan })
}

/// Plans what to do about these findings.
fn plan_for(view: &View<'_>, circumstances: Circumstances<'_>, findings: &[Finding]) -> Plan {
    let (workable, unread): (Vec<Finding>, Vec<Finding>) =
        findings.iter().cloned().partition(|finding| missing_for(finding, view).is_empty());
    if view.snapshot.is_somebody_elses() {
        let mut draft = Draft::new(view, circumstances, Refusals::new());
        draft.leave_everything(findings, &LeftAloneReason::SomebodyElsesVpc);
        return draft.plan;
    }
    let mut refusals = refused_by_aws(view, &workable);
    // What is refused may be what made something else worth doing.
    let immediately = view.baseline.internet_routes.remove == Remove::Immediately;
    let (mut draft, dns) = loop {
        let (draft, dns) = Draft::without_routes(view, circumstances, &refusals, &workable);
        let more = draft.refusals();
        let known = refusals.len();
        for (refused, reason) in more {
            refusals.entry(refused).or_insert(reason);
        }
        if refusals.len() == known {
            break (draft, dns);
        }
    };
    for finding in &unread {
        let sections = missing_for(finding, view);
        draft.leave_finding(finding, LeftAloneReason::NotObserved { sections });
    }
    if !immediately {
        draft.remove_routes(&workable, &dns);
    }
    draft.set_policies(&workable);
    draft.hold_what_moves();
    draft.hold_for_grace();
    draft.apply_limits();
    draft.plan
}

/// The sections that the finding's repair rests on and that were not read. What moves a service's name
/// or route, or takes a route away, rests on more than its rule's findings do: the proof that services
/// are served asks for that.
fn missing_for(finding: &Finding, view: &View<'_>) -> Vec<Section> {
    let own = || finding.rule.rule().needs.iter().copied();
    let rests_on: BTreeSet<Section> = match &finding.repair {
        Repair::None => BTreeSet::new(),
        Repair::RemoveRoute(_) | Repair::EnableVpcDns(_) | Repair::OpenOwnGroup => own().collect(),
        // Without the tables nobody knows who comes by which way, nor whether the name moves anything.
        Repair::CreateEndpoint(NewEndpoint::Interface { .. }) => {
            let group = [Section::SecurityGroups, Section::RouteTables];
            own().chain(group).collect()
        }
        Repair::CreateEndpoint(NewEndpoint::Gateway { .. }) | Repair::EditEndpoint(_) => {
            own().chain([Section::Vpcs, Section::Subnets, Section::RouteTables]).collect()
        }
        Repair::Call(call) => own().chain(call.rests_on()).collect(),
        Repair::Calls(calls) => own().chain(calls.iter().flat_map(Action::rests_on)).collect(),
        // Whether a route is to go first is to be known.
        Repair::SetPolicy(_) => {
            own().chain(Operation::ModifyVpcEndpoint.rests_on().iter().copied()).collect()
        }
    };
    rests_on.into_iter().filter(|section| view.snapshot.missing.contains(section)).collect()
}

struct Draft<'v, 'w> {
    view: &'v View<'w>,
    circumstances: Circumstances<'v>,
    plan: Plan,
    /// What is waited for once every endpoint change is under way, so that endpoints come up side
    /// by side.
    waits: Vec<Step>,
    /// What of the repairs is not made, in view of what it would come to.
    refused: Refusals,
}

impl<'v, 'w> Draft<'v, 'w> {
    fn new(view: &'v View<'w>, circumstances: Circumstances<'v>, refused: Refusals) -> Self {
        Self { view, circumstances, plan: Plan::default(), waits: Vec::new(), refused }
    }

    /// Everything but the removal of routes, and the steps that turn the VPC's DNS on.
    fn without_routes(
        view: &'v View<'w>,
        circumstances: Circumstances<'v>,
        refused: &Refusals,
        findings: &[Finding],
    ) -> (Self, Vec<StepId>) {
        let mut draft = Self::new(view, circumstances, refused.clone());
        draft.leave_what_is_not_offered();
        draft.leave_groups_not_observed();
        draft.leave_what_was_not_observed();
        draft.leave_what_the_rules_leave(findings);
        match view.baseline.internet_routes.remove {
            Remove::Immediately => draft.remove_routes(findings, &[]),
            Remove::AfterEndpoints => {}
        }
        let dns = draft.enable_vpc_dns(findings);
        let group = draft.plan_security_group(findings);
        draft.create_gateway_endpoints(findings);
        draft.create_interface_endpoints(findings, &dns, &group);
        draft.edit_endpoints(findings, &dns, &group);
        draft.append_waits();
        draft.make_plain_calls(findings);
        (draft, dns)
    }

    fn leave(&mut self, rule: RuleId, what: String, reason: LeftAloneReason) {
        self.plan.left_alone.push(LeftAlone { what, rule: Some(rule), reason });
    }

    /// Leaves a finding alone because the planner cannot have what its repair needs.
    fn leave_finding(&mut self, finding: &Finding, reason: LeftAloneReason) {
        self.leave(finding.rule, finding.drift.to_string(), reason);
    }

    fn leave_everything(&mut self, findings: &[Finding], reason: &LeftAloneReason) {
        for finding in findings {
            self.leave(finding.rule, finding.drift.to_string(), reason.clone());
        }
    }

    /// The rules that say nothing, because what they look at was not read.
    fn leave_what_was_not_observed(&mut self) {
        let missing = &self.view.snapshot.missing;
        let mut blind: BTreeMap<Vec<Section>, Vec<RuleId>> = BTreeMap::new();
        for rule in RuleId::ALL {
            let needs = rule.rule().needs.iter().copied();
            let sections: Vec<Section> = needs.filter(|it| missing.contains(it)).collect();
            if !sections.is_empty() {
                blind.entry(sections).or_default().push(*rule);
            }
        }
        for (sections, rules) in blind {
            let what = format!("what these rules look at: {}", list(&rules));
            let reason = LeftAloneReason::NotObserved { sections };
            self.plan.left_alone.push(LeftAlone { what, rule: None, reason });
        }
    }

    fn leave_what_is_not_offered(&mut self) {
        for required in
            self.view.required_services.iter().filter(|required| required.is_passed_over())
        {
            let what = format!("{} endpoint for {}", required.kind, required.service);
            self.plan.left_alone.push(LeftAlone {
                what,
                rule: None,
                reason: LeftAloneReason::NotOffered,
            });
        }
    }

    /// A group of another VPC or account may be attached that could not be read: whether it admits
    /// anybody is not known.
    fn leave_groups_not_observed(&mut self) {
        for required in self
            .view
            .required_services
            .iter()
            .filter(|required| required.kind == EndpointKind::Interface)
        {
            let adopted = required.adopted(self.view.snapshot);
            let Some(endpoint) =
                adopted.filter(|e| cidrs_without_https(e, self.view.snapshot).is_none())
            else {
                continue;
            };
            let what =
                format!("security groups of {} ({})", endpoint.vpc_endpoint_id, required.name);
            let reason = LeftAloneReason::NotObserved { sections: vec![Section::SecurityGroups] };
            self.leave(RuleId::EndpointSecurityGroup, what, reason);
        }
    }

    fn leave_what_the_rules_leave(&mut self, findings: &[Finding]) {
        for finding in findings {
            for left in &finding.left_alone {
                self.plan.left_alone.push(left.clone());
            }
        }
    }

    fn enable_vpc_dns(&mut self, findings: &[Finding]) -> Vec<StepId> {
        let mut steps: Vec<StepId> = Vec::new();
        for finding in findings {
            if let Repair::EnableVpcDns(attribute) = finding.repair {
                if let Some(reason) = self.refused.get(&Refused::VpcDns).cloned() {
                    self.leave_finding(finding, reason);
                    continue;
                }
                let action =
                    Action::EnableVpcDns { vpc: self.view.snapshot.scope.vpc.clone(), attribute };
                steps.push(self.push_change(finding.rule, action, steps.clone()));
            }
        }
        steps
    }

    fn make_plain_calls(&mut self, findings: &[Finding]) {
        for finding in findings {
            let calls = match &finding.repair {
                Repair::Call(call) => std::slice::from_ref(call),
                Repair::Calls(calls) => calls.as_slice(),
                Repair::None
                | Repair::EnableVpcDns(_)
                | Repair::CreateEndpoint(_)
                | Repair::EditEndpoint(_)
                | Repair::OpenOwnGroup
                | Repair::SetPolicy(_)
                | Repair::RemoveRoute(_) => &[],
            };
            let mut before = Vec::new();
            for call in calls {
                let existing = |group: &SecurityGroupId| Some(GroupRef::Existing(group.clone()));
                if let Some(action) = call.with_group(existing) {
                    before = vec![self.push_change(finding.rule, action, before)];
                }
            }
        }
    }

    /// Sets the policies of endpoints, last: not in a run that takes a route away, or waits to.
    fn set_policies(&mut self, findings: &[Finding]) {
        let removes = |step: &Step| {
            step.mode == Mode::Repair
                && matches!(step.task, Task::Change(Action::DeleteRoute { .. }))
        };
        let removes = self.plan.steps.iter().any(removes);
        for finding in findings {
            let Repair::SetPolicy(NewPolicy { endpoint, policy, before }) = &finding.repair else {
                continue;
            };
            let (endpoint, policy, before) = (endpoint.clone(), policy.clone(), before.clone());
            let action = Action::SetEndpointPolicy { endpoint, policy, before };
            self.push_change(finding.rule, action, Vec::new());
            if let Some(step) = self.plan.steps.last_mut().filter(|_| removes) {
                step.held = Some(Hold::RoutesFirst);
            }
        }
    }

    fn push_change(
        &mut self,
        rule: RuleId,
        action: Action<GroupRef>,
        after: Vec<StepId>,
    ) -> StepId {
        let mode = self.view.baseline.mode_of(rule);
        self.push(vec![rule], mode, Task::Change(action), after)
    }

    fn push(&mut self, rules: Vec<RuleId>, mode: Mode, task: Task, after: Vec<StepId>) -> StepId {
        let id = StepId(u32::try_from(self.plan.steps.len()).unwrap_or(u32::MAX).saturating_add(1));
        self.plan.steps.push(Step { id, rules, mode, task, after, held: None });
        id
    }

    /// Notes a wait, which gets its number once all changes to endpoints have theirs.
    fn wait(&mut self, rules: Vec<RuleId>, mode: Mode, ready: Condition, after: Vec<StepId>) {
        self.waits.push(Step {
            id: StepId(0),
            rules,
            mode,
            task: Task::Await(ready),
            after,
            held: None,
        });
    }

    fn append_waits(&mut self) {
        for Step { rules, mode, task, after, .. } in std::mem::take(&mut self.waits) {
            self.push(rules, mode, task, after);
        }
    }

    fn required(
        &self,
        service: &ServiceName,
        kind: EndpointKind,
    ) -> Option<&'w RequiredService<'w>> {
        self.view
            .required_services
            .iter()
            .find(|required| required.name == *service && required.kind == kind)
    }
}
