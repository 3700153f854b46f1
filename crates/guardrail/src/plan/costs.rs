//! What the interface endpoints of a plan cost.

use serde::{Deserialize, Serialize};

use super::{GroupRef, Plan, Step, StepId, Task};
use crate::analysis::View;
use crate::baseline::{Mode, UsDollars};
use crate::ec2::change::{Action, CREATED_TAG, NewEndpoint};
use crate::ec2::id::ServiceName;
use crate::ec2::world::{EndpointType, Tag};

/// What a step of a plan costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepCost {
    /// The step.
    pub step: StepId,
    /// The service whose endpoint it makes, or gives interfaces.
    pub service: ServiceName,
    /// In how many Availability Zones more the endpoint is then.
    pub zones: usize,
    /// What that costs a month, in US dollars, data not counted; absent where the price of the Region is
    /// not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<UsDollars>,
}

/// What the steps of the plan cost that cost anything.
pub fn costs(view: &View<'_>, plan: &Plan) -> Vec<StepCost> {
    plan.steps.iter().filter_map(|step| of_step(view, step)).collect()
}

/// What the interface endpoints that the guardrail makes in the VPC cost a month once the plan's steps
/// are taken, those that it made before included; `None` where the price is not known.
pub(super) fn after(view: &View<'_>, plan: &Plan) -> Option<UsDollars> {
    let ours = Tag::new(CREATED_TAG.0, CREATED_TAG.1);
    let made = view.snapshot.endpoints.iter().filter(|endpoint| {
        endpoint.exists()
            && endpoint.kind() == EndpointType::Interface
            && endpoint.tags.contains(&ours)
    });
    let there: usize = made.map(|endpoint| endpoint.subnet_ids.len()).sum();
    let planned = plan.steps.iter().filter(|step| step.mode == Mode::Repair);
    let more: usize = planned.filter_map(|step| of_step(view, step)).map(|cost| cost.zones).sum();
    let zones = there.saturating_add(more);
    view.baseline.costs.of_interface_endpoint(&view.snapshot.scope.region, zones)
}

fn of_step(view: &View<'_>, step: &Step) -> Option<StepCost> {
    let Task::Change(action) = &step.task else { return None };
    let NewInterfaces { service, zones, .. } = new_interfaces(view, action)?;
    let region = &view.snapshot.scope.region;
    let per_month = view.baseline.costs.of_interface_endpoint(region, zones);
    Some(StepCost { step: step.id, service, zones, per_month })
}

/// The interfaces that an action gives an interface endpoint.
pub(super) struct NewInterfaces {
    /// The service that the endpoint is for.
    pub(super) service: ServiceName,
    /// In how many Availability Zones they are.
    pub(super) zones: usize,
    /// Whether the action makes the endpoint too.
    pub(super) makes_endpoint: bool,
}

/// The interfaces that the action gives an interface endpoint; `None` where it gives none.
pub(super) fn new_interfaces(view: &View<'_>, action: &Action<GroupRef>) -> Option<NewInterfaces> {
    match action {
        Action::CreateEndpoint {
            service, kind: NewEndpoint::Interface { subnets, .. }, ..
        } => {
            let (service, zones) = (service.clone(), subnets.len());
            Some(NewInterfaces { service, zones, makes_endpoint: true })
        }
        Action::ModifyEndpoint { endpoint, add_subnets, .. } if !add_subnets.is_empty() => {
            let service = view.snapshot.endpoint(endpoint)?.service_name.clone()?;
            let zones = add_subnets.len();
            Some(NewInterfaces { service, zones, makes_endpoint: false })
        }
        Action::CreateEndpoint { kind: NewEndpoint::Gateway { .. }, .. }
        | Action::ModifyEndpoint { .. }
        | Action::EnableVpcDns { .. }
        | Action::CreateSecurityGroup { .. }
        | Action::AuthorizeHttps { .. }
        | Action::SetEndpointPolicy { .. }
        | Action::DeleteRoute { .. }
        | Action::RevokeIngress { .. }
        | Action::DisablePublicIpOnLaunch { .. }
        | Action::StopAutomaticAddress { .. }
        | Action::DisassociateAddress { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, planned};

    fn told(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
        let fixture = Fixture::edited(edit);
        let (_, plan) = fixture.plan("test");
        fixture.view(|view, _| {
            let costs = costs(view, &plan).into_iter();
            costs
                .map(|cost| {
                    let amount = cost.per_month.map_or("?".to_owned(), |it| it.to_string());
                    format!("{} {} {amount}", cost.step, cost.zones)
                })
                .collect()
        })
    }

    fn priced(w: &mut Fixture, ceiling: Option<f64>) -> &mut Fixture {
        w.baseline(
            "costs",
            json!({"interface_endpoint_hour": {"eu-central-1": 0.012}, "ceiling_per_month": ceiling}),
        )
    }

    #[test]
    fn endpoints_and_interfaces_cost_by_their_zones_and_gateway_endpoints_nothing() {
        let bent = |w: &mut Fixture| {
            w.remove("vpce-ssm").delete_gateway("vpce-s3");
            w.set("vpce-ssmmessages", "SubnetIds", json!(["subnet-pria"]));
        };
        assert_eq!(
            told(|w| {
                bent(w);
                priced(w, None)
            }),
            ["4 2 $17.52", "5 1 $8.76"]
        );
        assert_eq!(
            told(|w| {
                bent(w);
                w
            }),
            ["4 2 ?", "5 1 ?"]
        );
        assert_eq!(told(|w| priced(w, None)), [""; 0]);
    }

    #[test]
    fn nothing_is_made_above_the_ceiling_or_without_a_price() {
        let makes = |ceiling: Option<f64>| {
            planned(|w| priced(w.remove("vpce-ssm"), ceiling))
                .iter()
                .filter(|line| line.contains("create an interface endpoint"))
                .count()
        };
        assert_eq!([None, Some(17.52), Some(17.51)].map(makes), [1, 1, 0]);
        let lines = planned(|w| priced(w.remove("vpce-ssm"), Some(17.51)));
        assert_eq!(
            lines,
            [
                "- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a, \
                 eu-central-1b: the guardrail's interface endpoints would cost $17.52 a month here, and \
                 the baseline's ceiling is $17.51; raise `costs.ceiling_per_month`, or make the endpoint \
                 by hand"
            ]
        );
        let unknown = planned(|w| {
            w.remove("vpce-ssm").baseline("costs", json!({"ceiling_per_month": 1000.0}))
        });
        assert_eq!(
            unknown,
            [
                "- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a, \
                 eu-central-1b: the baseline has a ceiling, and what an interface endpoint costs here is \
                 not known; set `costs.interface_endpoint_hour`"
            ]
        );
    }

    #[test]
    fn what_the_guardrail_made_before_counts_and_what_others_made_does_not() {
        let lines = |tag: &str| {
            planned(|w| {
                w.set("vpce-ssmmessages", "Tags", json!([{"Key": "vpc-guardrail", "Value": tag}]));
                priced(w.remove("vpce-ssm"), Some(17.52))
            })
        };
        assert!(
            lines("created").iter().all(|line| line.starts_with("- ")),
            "{:?}",
            lines("created")
        );
        assert!(lines("theirs").iter().any(|line| line.contains("create an interface endpoint")));
    }

    #[test]
    fn what_is_only_told_is_shown_with_its_cost_and_not_held_to_the_ceiling() {
        let told_only = |w: &mut Fixture| {
            w.remove("vpce-ssm").baseline("mode", json!("notify"));
            priced(w, Some(1.0));
        };
        assert_eq!(
            told(|w| {
                told_only(w);
                w
            }),
            ["3 2 $17.52"]
        );
    }
}
