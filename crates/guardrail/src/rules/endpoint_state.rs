//! A promised endpoint works, or is on its way there.

use super::{Rule, RuleId};
use crate::finding::{Drift, Finding, View};
use crate::promise::{Health, health};
use crate::snapshot::Section;

pub(super) static RULE: Rule = Rule {
    id: RuleId::EndpointState,
    finds: "the endpoint for a promised service has failed, was rejected, has expired, or is in a state of no known meaning",
    repairs: "nothing: deleting it is a person's decision; once it is gone the guardrail makes a new one",
    needs: &[Section::VpcEndpoints, Section::VpcEndpointServices],
    actions: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    view.promises
        .iter()
        .filter_map(|promise| {
            let endpoint = promise.adopted(view.snapshot).filter(|endpoint| health(endpoint) == Health::Broken)?;
            let said = endpoint.last_error.as_ref().map(|error| format!("{}: {}", error.code, error.message));
            Some(Finding {
                rule: RuleId::EndpointState,
                drift: Drift::EndpointBroken {
                    service: promise.name.clone(),
                    endpoint: endpoint.vpc_endpoint_id.clone(),
                    state: endpoint.state.as_str().to_owned(),
                    reason: endpoint.failure_reason.clone().or(said),
                },
            })
        })
        .collect()
}
