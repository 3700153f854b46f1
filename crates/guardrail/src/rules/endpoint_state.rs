//! A required endpoint works, or is on its way there.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::{Health, health};
use crate::baseline::RuleId;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;

pub(super) static RULE: Rule = Rule {
    id: RuleId::EndpointState,
    finds: "the endpoint for a required service has failed, was rejected, has expired, or is in a state of no known meaning",
    repairs: "nothing: deleting it is a person's decision; once it is gone the guardrail makes a new one",
    needs: &[Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    view.required_services
        .iter()
        .filter_map(|required| {
            let endpoint = required
                .adopted(view.snapshot)
                .filter(|endpoint| health(endpoint) == Health::Broken)?;
            let said = endpoint
                .last_error
                .as_ref()
                .map(|error| format!("{}: {}", error.code, error.message));
            let drift = Drift::EndpointBroken {
                service: required.name.clone(),
                endpoint: endpoint.vpc_endpoint_id.clone(),
                state: endpoint.state.as_str().to_owned(),
                reason: endpoint.failure_reason.clone().or(said),
            };
            Some(Finding::left_alone(RuleId::EndpointState, drift, LeftAloneReason::Broken))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, interface_endpoint};

    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        assert_eq!(findings(edit), expected);
    }

    const SSM: &str = "vpce-ssm (com.amazonaws.eu-central-1.ssm)";

    #[test]
    fn states_that_do_not_mend_by_themselves_are_found_in_any_case() {
        for (written, shown) in [
            ("failed", "failed"),
            ("Failed", "failed"),
            ("rejected", "rejected"),
            ("EXPIRED", "expired"),
            ("Partial", "partial"),
            ("Hibernating", "Hibernating"),
        ] {
            check(
                |w| w.set("vpce-ssm", "State", json!(written)),
                &[&format!("endpoint-state: {SSM} is in state {shown}")],
            );
        }
    }

    #[test]
    fn states_that_pass_are_not() {
        for state in ["Available", "pending", "Pending", "pendingAcceptance", "PendingAcceptance"] {
            check(|w| w.set("vpce-ssm", "State", json!(state)), &[]);
        }
    }

    #[test]
    fn awss_reason_is_told() {
        check(
            |w| {
                w.set("vpce-ssm", "State", json!("failed"));
                w.set(
                    "vpce-ssm",
                    "LastError",
                    json!({"Code": "NoRoom", "Message": "no address left"}),
                )
            },
            &[&format!("endpoint-state: {SSM} is in state failed: NoRoom: no address left")],
        );
    }

    #[test]
    fn a_broken_one_beside_a_sound_one_is_not_adopted() {
        check(
            |w| {
                w.set("vpce-ssm", "State", json!("failed"));
                w.add("VpcEndpoints", interface_endpoint("vpce-zzz", "ssm"))
            },
            &[],
        );
    }

    #[test]
    fn endpoints_of_other_services_and_owners_are_not_ours() {
        for (key, value) in
            [("RequesterManaged", json!(true)), ("ServiceRegion", json!("eu-west-1"))]
        {
            check(
                |w| {
                    let mut other = interface_endpoint("vpce-zzz", "ssm");
                    other["State"] = json!("failed");
                    other[key] = value;
                    w.add("VpcEndpoints", other)
                },
                &[],
            );
        }
        check(
            |w| {
                let mut other = interface_endpoint("vpce-zzz", "kms");
                other["State"] = json!("failed");
                w.add("VpcEndpoints", other)
            },
            &[],
        );
    }
}
