//! The endpoints of required services have a policy that the baseline is content with.

use super::Rule;
use crate::analysis::View;
use crate::analysis::endpoint_policy::{Access, Comparison, compare};
use crate::analysis::required_service::{Health, RequiredService, health};
use crate::analysis::served::{Obstacle, is_accepted, prove};
use crate::baseline::RuleId;
use crate::ec2::id::EndpointId;
use crate::ec2::operation::Operation;
use crate::ec2::partition::Partition;
use crate::ec2::policy::{PolicyDigest, PolicyDocument};
use crate::ec2::snapshot::Section;
use crate::ec2::world::VpcEndpoint;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{NewPolicy, Repair};

pub(super) static RULE: Rule = Rule {
    id: RuleId::EndpointPolicy,
    finds: "the policy of a required service's endpoint is not the one that the baseline has for the service, nor an accepted \
            one; where the baseline has none, it is not full access",
    repairs: "sets the baseline's policy, in a run that takes no route away; where the baseline has none for the service, or \
              the policies cannot be compared, nothing: a narrowed policy may be meant, and `accepted_policies` says that it is",
    needs: &[Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[Operation::ModifyVpcEndpoint],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let required = || view.required_services.iter().filter(|it| !it.is_passed_over());
    let others = required().filter_map(|required| not_the_baselines(view, required));
    let mut findings: Vec<Finding> = others.collect();
    let mut told: Vec<EndpointId> = Vec::new();
    for required in required().filter(|required| !required.has_own_policy()) {
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

/// The service's endpoint where it has another policy than the baseline has for the service.
///
/// Nothing is asked of a service that takes no policies, whose endpoints give full access
/// (docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html), nor of an endpoint that
/// does not work yet, whose policy AWS may leave out.
fn not_the_baselines(view: &View<'_>, required: &RequiredService<'_>) -> Option<Finding> {
    let wanted = required.policy_in(&view.snapshot.scope)?;
    view.topology.private().find(|it| required.is_required_in(it.subnet))?;
    let endpoint = required.adopted(view.snapshot)?;
    let takes_policies = required.offered.is_some_and(|offer| offer.vpc_endpoint_policy_supported);
    if !takes_policies || health(endpoint) != Health::Works {
        return None;
    }
    let partition = Partition::of(&view.snapshot.scope.region);
    let comparison = match endpoint.policy_document.as_deref() {
        Some(text) => compare(text, &wanted, partition),
        None => Comparison::Different,
    };
    let seen = endpoint.policy_document.as_deref();
    let access = Access::of(seen, &required.name, &view.snapshot.scope.region);
    let wants_everything = is_full(&wanted, view, required);
    if comparison == Comparison::Equal
        || (wants_everything && access == Access::Full)
        || seen.is_some_and(|text| is_accepted(view, required, text))
    {
        return None;
    }
    let drift = Drift::PolicyNotTheBaselines {
        service: required.name.clone(),
        endpoint: endpoint.vpc_endpoint_id.clone(),
        allows_everything: access == Access::Full,
    };
    Some(repaired(drift, endpoint, &wanted, &comparison, partition))
}

fn is_full(wanted: &PolicyDocument, view: &View<'_>, required: &RequiredService<'_>) -> bool {
    let text = serde_json::to_string(wanted).unwrap_or_default();
    Access::of(Some(&text), &required.name, &view.snapshot.scope.region) == Access::Full
}

/// The finding, which is repaired where the two policies are known to differ: two that cannot be
/// compared may mean the same, and setting one of them would go on for ever.
fn repaired(
    drift: Drift,
    endpoint: &VpcEndpoint,
    wanted: &PolicyDocument,
    comparison: &Comparison,
    partition: Partition,
) -> Finding {
    let before = endpoint.policy_document.clone();
    match (comparison, serde_json::to_string(wanted)) {
        (Comparison::Equal | Comparison::Different, Ok(policy)) => {
            let endpoint = endpoint.vpc_endpoint_id.clone();
            let repair = Repair::SetPolicy(NewPolicy { endpoint, policy, before });
            Finding::new(RuleId::EndpointPolicy, drift, repair)
        }
        (Comparison::CannotCompare(_), _) | (_, Err(_)) => {
            let digest = PolicyDigest::of(before.as_deref().unwrap_or_default(), partition);
            let reason = LeftAloneReason::PolicyOfTheirOwn { digest };
            Finding::left_alone(RuleId::EndpointPolicy, drift, reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, planned};

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

    /// The baseline has a policy of its own for `ssm`, and the rule sets it.
    fn wants<'f>(w: &'f mut Fixture, policy: &str) -> &'f mut Fixture {
        let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
        let listed = json!({"services": [{"service": "ssm", "policy": policy}, "ssmmessages", "ec2messages"]});
        w.baseline("interface_endpoints", listed)
            .baseline("rules", json!({"endpoint-policy": {"mode": "repair"}}))
    }

    const SET: &str =
        "1 set the policy of vpce-ssm to the baseline's, which refuses what it does not allow";

    #[test]
    fn the_baselines_policy_is_set_where_another_or_full_access_is() {
        let full = "endpoint-policy: the policy of vpce-ssm (com.amazonaws.eu-central-1.ssm) allows \
                    everything; the baseline has its own";
        assert_eq!(findings(|w| wants(w, NARROW)), [full]);
        assert_eq!(planned(|w| wants(w, NARROW)), [SET]);
        let other = NARROW.replace("Get*", "Put*");
        let another = "endpoint-policy: the policy of vpce-ssm (com.amazonaws.eu-central-1.ssm) is another \
                       one; the baseline has its own";
        assert_eq!(findings(|w| wants(narrowed(w), &other)), [another]);
        assert_eq!(planned(|w| wants(narrowed(w), &other)), [SET]);
    }

    #[test]
    fn only_the_baseline_switches_it_on() {
        let only_told = |w: &mut Fixture| {
            wants(w, NARROW).baseline("rules", json!({}));
        };
        assert_eq!(
            planned(|w| {
                only_told(w);
                w
            }),
            [format!("{SET} [notify]")]
        );
    }

    #[test]
    fn policies_that_mean_the_same_are_left() {
        let spelled =
            NARROW.replace(r#""Principal": "*""#, r#""Principal": {"AWS": ["*"]}, "Sid": "x""#);
        assert_eq!(findings(|w| wants(narrowed(w), &spelled)), [""; 0]);
        let full = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;
        assert_eq!(findings(|w| wants(w, full)), [""; 0]);
    }

    #[test]
    fn account_region_and_vpc_are_filled_in() {
        let open = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ssm:*",
            "Resource": "arn:aws:ssm:{{region}}:{{account}}:*", "Condition": {"StringEquals": {"aws:SourceVpc": "{{vpc}}"}}}]}"#;
        let closed = open
            .replace("{{region}}", "eu-central-1")
            .replace("{{account}}", "111122223333")
            .replace("{{vpc}}", "vpc-1");
        let with = |text: &str| {
            let text = text.to_owned();
            findings(|w| wants(w.set("vpce-ssm", "PolicyDocument", json!(text)), open))
        };
        assert_eq!(with(&closed), [""; 0]);
        assert_eq!(with(&closed.replace("vpc-1", "vpc-2")).len(), 1);
    }

    #[test]
    fn a_policy_that_cannot_be_compared_is_left_to_a_person() {
        let negated = NARROW.replace(r#""Action""#, r#""NotAction""#);
        let lines = planned(|w| wants(narrowed(w), &negated));
        assert!(
            matches!(lines.as_slice(), [left] if left.starts_with("- the policy of vpce-ssm")),
            "{lines:?}"
        );
        assert_eq!(findings(|w| wants(narrowed(w), &negated)).len(), 1);
    }

    #[test]
    fn nothing_is_asked_of_what_takes_no_policy_or_is_still_coming() {
        let ssm = "com.amazonaws.eu-central-1.ssm";
        let none = |w: &mut Fixture| {
            wants(w, NARROW).set(ssm, "VpcEndpointPolicySupported", json!(false));
        };
        assert_eq!(
            findings(|w| {
                none(w);
                w
            }),
            [""; 0]
        );
        let coming = findings(|w| wants(w, NARROW).set("vpce-ssm", "State", json!("pending")));
        assert!(coming.iter().all(|it| !it.starts_with("endpoint-policy")), "{coming:?}");
    }

    #[test]
    fn a_run_that_takes_a_route_away_sets_no_policy() {
        assert_eq!(
            planned(|w| wants(w.route("rtb-a", "0.0.0.0/0", "nat-1"), NARROW)),
            [
                "1 delete the route 0.0.0.0/0 → nat-1 from rtb-a".to_owned(),
                format!("2{} [next run]", SET.strip_prefix('1').unwrap()),
            ]
        );
    }
}
