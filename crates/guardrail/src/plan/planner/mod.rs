//! From findings to a plan: make before break.
//!
//! Order: VPC DNS attributes, the endpoints' security group, gateway endpoints, interface
//! endpoints, waiting for them, plain calls, and last the internet routes; with `remove:
//! immediately` the routes come first.

mod endpoints;
mod limits;
mod routes;
mod security_group;
#[cfg(test)]
mod tests;

use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, RequiredService, cidrs_without_https};
use crate::baseline::{Mode, Remove, RuleId};
use crate::ec2::change::Action;
use crate::ec2::id::ServiceName;
use crate::ec2::snapshot::Section;
use crate::plan::{Circumstances, Condition, GroupRef, Plan, Step, StepId, Task};
use crate::rules::evaluate;
use crate::rules::finding::Finding;
use crate::rules::left_alone::{LeftAlone, LeftAloneReason};
use crate::rules::repair::Repair;

/// Finds what is not as the baseline wants it, and plans what to do in these circumstances.
pub fn plan(view: &View<'_>, circumstances: Circumstances<'_>) -> (Vec<Finding>, Plan) {
    let findings = evaluate(view);
    let mut draft = Draft {
        view,
        circumstances,
        plan: Plan::default(),
        waits: Vec::new(),
        unmended: Vec::new(),
    };
    if let Some(reason) = nothing_may_change(view) {
        draft.leave_everything(&findings, &reason);
        return (findings, draft.plan);
    }
    draft.leave_what_is_not_offered();
    draft.leave_groups_not_observed();
    draft.leave_what_the_rules_leave(&findings);
    let immediately = view.baseline.internet_routes.remove == Remove::Immediately;
    if immediately {
        draft.remove_routes(&findings, &[]);
    }
    let dns = draft.enable_vpc_dns(&findings);
    let group = draft.plan_security_group(&findings);
    draft.create_gateway_endpoints(&findings);
    draft.create_interface_endpoints(&findings, &dns, &group);
    draft.edit_endpoints(&findings, &dns, &group);
    draft.append_waits();
    draft.make_plain_calls(&findings);
    if !immediately {
        draft.remove_routes(&findings, &dns);
    }
    draft.apply_limits();
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
    circumstances: Circumstances<'v>,
    plan: Plan,
    /// What is waited for once every endpoint change is under way, so that endpoints come up side
    /// by side.
    waits: Vec<Step>,
    /// Services with a fault that this plan does not mend.
    unmended: Vec<ServiceName>,
}

impl<'w> Draft<'_, 'w> {
    fn leave(&mut self, rule: RuleId, what: String, reason: LeftAloneReason) {
        self.plan.left_alone.push(LeftAlone { what, rule: Some(rule), reason });
    }

    /// Leaves a finding alone because the planner cannot have what its repair needs.
    fn leave_finding(&mut self, finding: &Finding, reason: LeftAloneReason) {
        self.note_unmended(finding, &reason);
        self.leave(finding.rule, finding.drift.to_string(), reason);
    }

    fn note_unmended(&mut self, finding: &Finding, reason: &LeftAloneReason) {
        if reason.leaves_the_service_unrepaired() {
            self.unmended.extend(finding.drift.service().cloned());
        }
    }

    fn leave_everything(&mut self, findings: &[Finding], reason: &LeftAloneReason) {
        for finding in findings {
            self.leave(finding.rule, finding.drift.to_string(), reason.clone());
        }
        if findings.is_empty() && !self.view.snapshot.missing.is_empty() {
            let what = self.view.snapshot.scope.vpc.to_string();
            self.plan.left_alone.push(LeftAlone { what, rule: None, reason: reason.clone() });
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
                self.note_unmended(finding, &left.reason);
                self.plan.left_alone.push(left.clone());
            }
        }
    }

    fn enable_vpc_dns(&mut self, findings: &[Finding]) -> Vec<StepId> {
        let mut steps: Vec<StepId> = Vec::new();
        for finding in findings {
            if let Repair::EnableVpcDns(attribute) = finding.repair {
                let action =
                    Action::EnableVpcDns { vpc: self.view.snapshot.scope.vpc.clone(), attribute };
                steps.push(self.push_change(finding.rule, action, steps.clone()));
            }
        }
        steps
    }

    fn make_plain_calls(&mut self, findings: &[Finding]) {
        for finding in findings {
            if let Repair::Call(call) = &finding.repair
                && let Some(action) =
                    call.with_group(|group| Some(GroupRef::Existing(group.clone())))
            {
                self.push_change(finding.rule, action, Vec::new());
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
