//! The service's own name leads to its endpoint.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::{Health, RequiredService, health};
use crate::baseline::RuleId;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Addition, EndpointEdit, Repair};

pub(super) static RULE: Rule = Rule {
    id: RuleId::PrivateDns,
    finds: "private DNS of a required interface endpoint is off, or on for inbound Resolver endpoints only, though the \
            service has a private name",
    repairs: "turns it on, after the VPC's DNS attributes and the security group; where it is on for inbound Resolver \
              endpoints only, that is a person's to change",
    needs: &[Section::Subnets, Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[Operation::ModifyVpcEndpoint],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let wanted = |required: &&RequiredService<'_>| {
        required.wants_private_dns() && !required.zones_wanted(&view.topology).is_empty()
    };
    let required = view.required_services.iter().filter(wanted);
    required
        .filter_map(|required| {
            let adopted = required.adopted(view.snapshot)?;
            let is_sound = health(adopted) != Health::Broken;
            if !is_sound || adopted.holds_name_in_vpc() {
                return None;
            }
            let (service, endpoint) = (required.name.clone(), adopted.vpc_endpoint_id.clone());
            Some(if adopted.private_dns_enabled {
                let drift = Drift::PrivateDnsForInboundOnly { service, endpoint };
                Finding::left_alone(RuleId::PrivateDns, drift, LeftAloneReason::InboundResolverOnly)
            } else {
                let edit = EndpointEdit {
                    endpoint: endpoint.clone(),
                    service: service.clone(),
                    addition: Addition::PrivateDns,
                };
                let drift = Drift::PrivateDnsOff { service, endpoint };
                Finding::new(RuleId::PrivateDns, drift, Repair::EditEndpoint(edit))
            })
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

    const OFF: &str =
        "private-dns: private DNS of vpce-ssm (com.amazonaws.eu-central-1.ssm) is off";

    #[test]
    fn a_name_for_inbound_resolvers_only_is_found_and_left_alone() {
        let inbound = |on: bool| json!({"PrivateDnsOnlyForInboundResolverEndpoint": on});
        check(|w| w.set("vpce-ssm", "DnsOptions", inbound(false)), &[]);
        let found = "private DNS of vpce-ssm (com.amazonaws.eu-central-1.ssm) is for inbound \
                     Resolver endpoints only, so that names in the VPC lead to public addresses";
        check(
            |w| w.set("vpce-ssm", "DnsOptions", inbound(true)),
            &[&format!("private-dns: {found}")],
        );
        assert_eq!(
            planned(|w| w.set("vpce-ssm", "DnsOptions", inbound(true)).route(
                "rtb-a",
                "0.0.0.0/0",
                "nat-1"
            )),
            [
                format!(
                    "- {found}: set PrivateDnsOnlyForInboundResolverEndpoint of the endpoint to \
                     false, which moves the whole VPC's traffic to it"
                ),
                "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off \
                 com.amazonaws.eu-central-1.ssm"
                    .to_owned()
            ]
        );
    }

    #[test]
    fn private_dns_that_is_off_is_found() {
        check(|w| w.set("vpce-ssm", "PrivateDnsEnabled", json!(false)), &[OFF]);
    }

    #[test]
    fn a_service_without_a_private_name_cannot_have_it() {
        check(
            |w| {
                w.set("com.amazonaws.eu-central-1.ssm", "PrivateDnsNames", json!([]));
                w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))
            },
            &[
                "service-not-served: com.amazonaws.eu-central-1.ssm is not served to subnet-pria, subnet-prib: the service \
                 has no private name",
            ],
        );
    }

    #[test]
    fn either_form_of_the_private_name_counts() {
        check(
            |w| {
                w.set("com.amazonaws.eu-central-1.ssm", "PrivateDnsNames", json!([]));
                w.set("com.amazonaws.eu-central-1.ssm", "PrivateDnsName", json!("ssm.example"));
                w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))
            },
            &[OFF],
        );
    }

    #[test]
    fn one_endpoint_of_a_service_with_it_is_enough() {
        check(
            |w| {
                w.set("vpce-ssm", "PrivateDnsEnabled", json!(false));
                w.add("VpcEndpoints", interface_endpoint("vpce-zzz", "ssm"))
            },
            &[],
        );
    }

    #[test]
    fn a_broken_endpoint_is_not_changed() {
        check(
            |w| {
                w.set("vpce-ssm", "PrivateDnsEnabled", json!(false)).set(
                    "vpce-ssm",
                    "State",
                    json!("failed"),
                )
            },
            &["endpoint-state: vpce-ssm (com.amazonaws.eu-central-1.ssm) is in state failed"],
        );
    }

    #[test]
    fn gateway_endpoints_have_none() {
        check(|w| w.set("vpce-s3", "PrivateDnsEnabled", json!(false)), &[]);
    }

    #[test]
    fn a_vpc_without_private_subnets_needs_none() {
        check(
            |w| {
                w.remove("subnet-pria").remove("subnet-prib").set(
                    "vpce-ssm",
                    "PrivateDnsEnabled",
                    json!(false),
                )
            },
            &[],
        );
    }
}
