//! A required interface endpoint has an interface in each zone that holds a private subnet. Its
//! resolver answers hold for the whole VPC, so one subnet of a zone is enough, and which one does
//! not matter.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, Health, health, zones_of};
use crate::baseline::RuleId;
use crate::ec2::id::{EndpointId, ServiceName, SubnetId, Zone};
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Addition, EndpointEdit, Repair};

pub(super) static RULE: Rule = Rule {
    id: RuleId::InterfaceEndpointZone,
    finds: "a required interface endpoint has no interface in a zone that holds a private subnet and offers the service",
    repairs: "adds a private subnet of that zone to the endpoint",
    needs: &[Section::Subnets, Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[Operation::ModifyVpcEndpoint],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let interface =
        view.required_services.iter().filter(|required| required.kind == EndpointKind::Interface);
    interface
        .filter_map(|required| {
            let endpoint = required
                .adopted(view.snapshot)
                .filter(|endpoint| health(endpoint) != Health::Broken)?;
            let covered = zones_of(endpoint, view.snapshot);
            let wanted = required.zones_wanted(&view.topology);
            let zones: Vec<Zone> =
                wanted.into_iter().filter(|zone| !covered.contains(zone)).cloned().collect();
            let (service, endpoint) = (required.name.clone(), endpoint.vpc_endpoint_id.clone());
            (!zones.is_empty()).then(|| finding(view, service, endpoint, zones))
        })
        .collect()
}

fn finding(
    view: &View<'_>,
    service: ServiceName,
    endpoint: EndpointId,
    zones: Vec<Zone>,
) -> Finding {
    let (subnets, without) = view.subnets_for_interfaces(&zones);
    let subnets: Vec<SubnetId> =
        subnets.into_iter().map(|subnet| subnet.subnet_id.clone()).collect();
    let what = format!("interface of the endpoint for {service}");
    let drift =
        Drift::ZonesNotCovered { service: service.clone(), endpoint: endpoint.clone(), zones };
    let repair = match subnets.is_empty() {
        true => Repair::None,
        false => Repair::EditEndpoint(EndpointEdit {
            endpoint,
            service,
            addition: Addition::Subnets(subnets),
        }),
    };
    let found = Finding::new(RuleId::InterfaceEndpointZone, drift, repair);
    match without.is_empty() {
        true => found,
        false => found.leaving(what, LeftAloneReason::NoSubnetInZone { zones: without }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, interface_endpoint, subnet};

    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        assert_eq!(findings(edit), expected);
    }

    const NOT_B: &str = "interface-endpoint-zone: vpce-ssm (com.amazonaws.eu-central-1.ssm) has no interface in eu-central-1b";

    #[test]
    fn a_zone_with_a_private_subnet_and_no_interface_is_found() {
        check(|w| w.set("vpce-ssm", "SubnetIds", json!(["subnet-pria"])), &[NOT_B]);
    }

    #[test]
    fn another_subnet_of_the_zone_does_as_well_even_a_public_one() {
        check(|w| w.set("vpce-ssm", "SubnetIds", json!(["subnet-puba", "subnet-prib"])), &[]);
    }

    #[test]
    fn a_second_private_subnet_of_a_covered_zone_wants_nothing() {
        check(
            |w| {
                w.add("Subnets", subnet("subnet-pric", "a", "private"));
                w.associate("rtb-a", json!({"SubnetId": "subnet-pric"}))
            },
            &[],
        );
    }

    #[test]
    fn zones_with_public_or_unclassified_subnets_only_want_nothing() {
        check(
            |w| {
                w.set("com.amazonaws.eu-central-1.ssm", "AvailabilityZones", json!([]));
                w.add("Subnets", subnet("subnet-pubc", "c", "public"))
                    .add("Subnets", subnet("subnet-c", "c", "data"))
            },
            &[],
        );
    }

    #[test]
    fn a_zone_where_the_service_is_not_offered_wants_nothing() {
        check(
            |w| {
                w.set(
                    "com.amazonaws.eu-central-1.ssm",
                    "AvailabilityZones",
                    json!(["eu-central-1a"]),
                );
                w.set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]))
            },
            &[],
        );
    }

    #[test]
    fn of_two_endpoints_the_one_in_most_zones_is_judged() {
        check(
            |w| {
                w.set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]));
                w.add("VpcEndpoints", interface_endpoint("vpce-zzz", "ssm"))
            },
            &[],
        );
    }

    #[test]
    fn a_broken_endpoint_is_not_extended() {
        check(
            |w| {
                w.set("vpce-ssm", "SubnetIds", json!([])).set(
                    "vpce-ssm",
                    "State",
                    json!("rejected"),
                )
            },
            &["endpoint-state: vpce-ssm (com.amazonaws.eu-central-1.ssm) is in state rejected"],
        );
    }
}
