//! A required endpoint works, or is on its way there.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::{Health, health};
use crate::baseline::RuleId;
use crate::ec2::snapshot::Section;
use crate::ec2::world::EndpointState;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;

pub(super) static RULE: Rule = Rule {
    id: RuleId::EndpointState,
    finds: "the endpoint for a required service has failed, was rejected, has expired, waits for its service's owner to \
            accept it, or is in a state of no known meaning",
    repairs: "nothing: deleting it is a person's decision; once it is gone the guardrail makes a new one",
    needs: &[Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    view.required_services
        .iter()
        .filter_map(|required| {
            let endpoint = required.adopted(view.snapshot)?;
            let reason = match health(endpoint) {
                Health::Broken => LeftAloneReason::Broken,
                Health::Coming if endpoint.state == EndpointState::PendingAcceptance => {
                    LeftAloneReason::AwaitsAcceptance
                }
                Health::Works | Health::Coming | Health::Gone => return None,
            };
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
            Some(Finding::left_alone(RuleId::EndpointState, drift, reason))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, interface_endpoint, planned};

    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        assert_eq!(findings(edit), expected);
    }

    const SSM: &str = "vpce-ssm (com.amazonaws.eu-central-1.ssm)";

    #[test]
    fn an_endpoint_that_nobody_has_accepted_is_found_and_keeps_the_route() {
        let waits = |w: &mut Fixture| {
            w.set("vpce-ssm", "State", json!("pendingAcceptance"));
        };
        let found = format!("{SSM} is in state pendingAcceptance");
        check(
            |w| {
                waits(w);
                w
            },
            &[&format!("endpoint-state: {found}")],
        );
        let steps = planned(|w| {
            waits(w);
            w.route("rtb-a", "0.0.0.0/0", "nat-1")
        });
        assert_eq!(
            steps,
            [
                format!("- {found}: the owner of the service has to accept the endpoint first"),
                "- rtb-a: 0.0.0.0/0 → nat-1: removing it may cut off \
                 com.amazonaws.eu-central-1.ssm"
                    .to_owned()
            ]
        );
    }

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
        check(|w| w.set("vpce-ssm", "State", json!("Available")), &[]);
        for state in ["pending", "Pending"] {
            check(
                |w| w.set("vpce-ssm", "State", json!(state)),
                &[
                    "service-not-served: com.amazonaws.eu-central-1.ssm is not served to subnet-pria, subnet-prib: vpce-ssm \
                     is in state pending",
                ],
            );
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
            &[&format!("endpoint-state: {SSM} is in state failed: \"NoRoom: no address left\"")],
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
