//! The endpoints of required services have a policy that the baseline is content with.

use super::Rule;
use crate::analysis::View;
use crate::analysis::served::{Obstacle, prove};
use crate::baseline::RuleId;
use crate::ec2::id::EndpointId;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;

pub(super) static RULE: Rule = Rule {
    id: RuleId::EndpointPolicy,
    finds: "the policy of a required service's endpoint is neither full access, nor the baseline's own for the service, nor \
            an accepted one",
    repairs: "nothing: a narrowed policy may be meant; `accepted_policies` in the baseline says that it is",
    needs: &[Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let mut told: Vec<EndpointId> = Vec::new();
    let mut findings = Vec::new();
    for required in view.required_services.iter().filter(|it| !it.is_passed_over()) {
        for placed in view.topology.private().filter(|it| required.is_required_in(it.subnet)) {
            for obstacle in prove(view, required, placed).obstacles {
                let Obstacle::Policy { endpoint, readable, digest } = obstacle else { continue };
                if told.contains(&endpoint) {
                    continue;
                }
                told.push(endpoint.clone());
                let service = required.name.clone();
                let drift = Drift::PolicyNotFullAccess { service, endpoint, readable };
                let reason = LeftAloneReason::PolicyOfTheirOwn { digest };
                findings.push(Finding::left_alone(RuleId::EndpointPolicy, drift, reason));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings};

    const NARROW: &str = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ssm:Get*", "Resource": "*"}]}"#;

    fn narrowed(w: &mut Fixture) -> &mut Fixture {
        w.set("vpce-ssm", "PolicyDocument", json!(NARROW))
    }

    #[test]
    fn a_narrowed_policy_is_told_of_once() {
        assert_eq!(
            findings(narrowed),
            [
                "endpoint-policy: the policy of vpce-ssm (com.amazonaws.eu-central-1.ssm) is not full access"
            ]
        );
    }

    #[test]
    fn the_baselines_own_and_an_accepted_policy_are_not() {
        let own: serde_json::Value = serde_json::from_str(NARROW).unwrap();
        let listed =
            json!({"services": [{"service": "ssm", "policy": own}, "ssmmessages", "ec2messages"]});
        assert_eq!(findings(|w| narrowed(w).baseline("interface_endpoints", listed)), [""; 0]);
        let digest = crate::ec2::policy::PolicyDigest::of(
            NARROW,
            crate::ec2::partition::Partition::of(&"eu-central-1".parse().unwrap()),
        );
        let accepted = json!([{"service": "ssm", "digest": digest}]);
        assert_eq!(
            findings(|w| narrowed(w).baseline("accepted_policies", accepted.clone())),
            [""; 0]
        );
        let of_another = json!([{"service": "ssmmessages", "digest": digest}]);
        assert_eq!(findings(|w| narrowed(w).baseline("accepted_policies", of_another)).len(), 1);
        let edited = NARROW.replace("Get*", "Put*");
        let told = findings(|w| {
            w.set("vpce-ssm", "PolicyDocument", json!(edited))
                .baseline("accepted_policies", accepted)
        });
        assert_eq!(told.len(), 1);
    }
}
