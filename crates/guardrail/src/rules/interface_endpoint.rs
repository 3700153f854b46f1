//! Each required interface service has an endpoint in the VPC.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::EndpointKind;
use crate::baseline::RuleId;
use crate::ec2::id::{ServiceName, Zone};
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{NewEndpoint, Repair};

pub(super) static RULE: Rule = Rule {
    id: RuleId::InterfaceEndpoint,
    finds: "the VPC has no interface endpoint for a required service",
    repairs: "creates one, in one private subnet of each zone that has one, with private DNS and a security group of its own",
    needs: &[Section::Vpcs, Section::Subnets, Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[
        Operation::CreateSecurityGroup,
        Operation::AuthorizeSecurityGroupIngress,
        Operation::CreateVpcEndpoint,
    ],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let mut found = not_offered(view);
    found.extend(missing(view));
    found
}

/// The services that are required although the Region does not offer them, where a private subnet
/// wants them.
fn not_offered(view: &View<'_>) -> Vec<Finding> {
    let wanted = view.topology.private().next().is_some();
    let of_this_kind =
        view.required_services.iter().filter(|it| it.kind == EndpointKind::Interface);
    let cannot = of_this_kind.filter(|it| wanted && it.cannot_be_served());
    cannot
        .map(|required| {
            let drift = Drift::ServiceNotOffered { service: required.name.clone() };
            Finding::left_alone(
                RuleId::InterfaceEndpoint,
                drift,
                LeftAloneReason::RequiredButNotOffered,
            )
        })
        .collect()
}

fn missing(view: &View<'_>) -> Vec<Finding> {
    let interface =
        view.required_services.iter().filter(|required| required.kind == EndpointKind::Interface);
    interface
        .filter(|required| required.adopted(view.snapshot).is_none())
        .filter_map(|required| {
            let zones: Vec<Zone> =
                required.zones_wanted(&view.topology).into_iter().cloned().collect();
            (!zones.is_empty()).then(|| finding(view, required.name.clone(), zones))
        })
        .collect()
}

fn finding(view: &View<'_>, service: ServiceName, zones: Vec<Zone>) -> Finding {
    let (subnets, without) = view.subnets_for_interfaces(&zones);
    let what = format!("interface of the endpoint for {service}");
    let drift = Drift::InterfaceEndpointMissing { service: service.clone(), zones };
    let repair = match subnets.is_empty() {
        true => Repair::None,
        false => Repair::CreateEndpoint(NewEndpoint::Interface {
            service,
            zones: subnets.iter().map(|subnet| subnet.availability_zone.clone()).collect(),
            subnets: subnets.into_iter().map(|subnet| subnet.subnet_id.clone()).collect(),
        }),
    };
    let found = Finding::new(RuleId::InterfaceEndpoint, drift, repair);
    match without.is_empty() {
        true => found,
        false => found.leaving(what, LeftAloneReason::NoSubnetInZone { zones: without }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, subnet};

    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        assert_eq!(findings(edit), expected);
    }

    const NO_SSM: &str = "interface-endpoint: no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in \
                          eu-central-1a, eu-central-1b";

    #[test]
    fn a_missing_endpoint_is_found_with_the_zones_that_want_it() {
        check(|w| w.remove("vpce-ssm"), &[NO_SSM]);
    }

    #[test]
    fn one_that_goes_away_is_missing_and_one_that_comes_is_not() {
        check(|w| w.set("vpce-ssm", "State", json!("deleting")), &[NO_SSM]);
        check(
            |w| w.set("vpce-ssm", "State", json!("pending")),
            &[
                "service-not-served: com.amazonaws.eu-central-1.ssm is not served to subnet-pria, subnet-prib: vpce-ssm is \
                 in state pending",
            ],
        );
    }

    #[test]
    fn requester_managed_and_cross_region_endpoints_do_not_serve() {
        check(|w| w.set("vpce-ssm", "RequesterManaged", json!(true)), &[NO_SSM]);
        check(|w| w.set("vpce-ssm", "ServiceRegion", json!("us-east-1")), &[NO_SSM]);
        check(|w| w.set("vpce-ssm", "VpcEndpointType", json!("ServiceNetwork")), &[NO_SSM]);
    }

    #[test]
    fn only_zones_with_a_private_subnet_where_the_service_is_offered_want_it() {
        let only_a = "interface-endpoint: no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a";
        let only_ssm = json!({"services": ["ssm"]});
        check(
            |w| {
                w.baseline("interface_endpoints", only_ssm).remove("vpce-ssm").remove("subnet-prib")
            },
            &[only_a],
        );
        check(
            |w| {
                w.set(
                    "com.amazonaws.eu-central-1.ssm",
                    "AvailabilityZones",
                    json!(["eu-central-1a"]),
                );
                w.remove("vpce-ssm").add("Subnets", subnet("subnet-pubc", "c", "public"))
            },
            &[only_a],
        );
    }

    #[test]
    fn a_service_with_no_zones_listed_is_offered_in_all() {
        check(
            |w| {
                w.remove("vpce-ssm").set(
                    "com.amazonaws.eu-central-1.ssm",
                    "AvailabilityZones",
                    json!([]),
                )
            },
            &[NO_SSM],
        );
    }

    #[test]
    fn a_service_that_is_not_offered_is_found_unless_it_is_required_only_where_it_is() {
        let service = "com.amazonaws.eu-central-1.ec2messages";
        check(|w| w.remove("vpce-ec2messages").remove(service), &[]);
        let always = json!({"services": ["ssm", "ssmmessages", "ec2messages"]});
        let found =
            format!("interface-endpoint: {service} is required, and the Region does not offer it");
        check(|w| w.remove(service).baseline("interface_endpoints", always.clone()), &[&found]);
        check(
            |w| {
                w.remove(service)
                    .baseline("interface_endpoints", always)
                    .remove("subnet-pria")
                    .remove("subnet-prib")
            },
            &[],
        );
    }

    #[test]
    fn a_vpc_without_private_subnets_wants_none() {
        check(|w| w.remove("subnet-pria").remove("subnet-prib").remove("vpce-ssm"), &[]);
    }
}
