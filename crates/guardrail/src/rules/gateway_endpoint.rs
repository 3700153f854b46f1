//! Each required gateway service has an endpoint in the VPC.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::EndpointKind;
use crate::baseline::RuleId;
use crate::ec2::id::{RouteTableId, ServiceName};
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{NewEndpoint, Repair};

pub(super) static RULE: Rule = Rule {
    id: RuleId::GatewayEndpoint,
    finds: "the VPC has no gateway endpoint for a required service",
    repairs: "creates one on the tables that should lead to it",
    needs: &[
        Section::Subnets,
        Section::RouteTables,
        Section::VpcEndpoints,
        Section::VpcEndpointServices,
        Section::NatGateways,
    ],
    operations: &[Operation::CreateVpcEndpoint],
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
    let of_this_kind = view.required_services.iter().filter(|it| it.kind == EndpointKind::Gateway);
    let cannot = of_this_kind.filter(|it| wanted && it.cannot_be_served());
    cannot
        .map(|required| {
            let drift = Drift::ServiceNotOffered { service: required.name.clone() };
            Finding::left_alone(
                RuleId::GatewayEndpoint,
                drift,
                LeftAloneReason::RequiredButNotOffered,
            )
        })
        .collect()
}

fn missing(view: &View<'_>) -> Vec<Finding> {
    let wanting = view.tables_wanting_gateways();
    let gateway = view
        .required_services
        .iter()
        .filter(|required| required.kind == EndpointKind::Gateway && required.offered.is_some());
    gateway
        .filter(|required| required.adopted(view.snapshot).is_none())
        .filter_map(|required| {
            let unserved = wanting
                .iter()
                .filter(|used| required.route_to(used.table, view.snapshot).is_none());
            let tables: Vec<RouteTableId> =
                unserved.map(|used| used.table.route_table_id.clone()).collect();
            (!tables.is_empty()).then(|| finding(view, required.name.clone(), tables))
        })
        .collect()
}

/// The finding that these tables, and no others, want an endpoint for the service.
pub(super) fn finding(view: &View<'_>, service: ServiceName, tables: Vec<RouteTableId>) -> Finding {
    let (ours, shared) = view.split_by_unclassified_users(&tables);
    let drift = Drift::GatewayEndpointMissing { service: service.clone(), tables };
    let repair = match ours.is_empty() {
        true => Repair::None,
        false => {
            Repair::CreateEndpoint(NewEndpoint::Gateway { service: service.clone(), tables: ours })
        }
    };
    let found = Finding::new(RuleId::GatewayEndpoint, drift, repair);
    shared.into_iter().fold(found, |found, (table, with)| {
        found.leaving(format!("{table} without {service}"), LeftAloneReason::SharedTable { with })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, gateway_endpoint, table};

    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        assert_eq!(findings(edit), expected);
    }

    const NO_S3: &str = "gateway-endpoint: no gateway endpoint for com.amazonaws.eu-central-1.s3, wanted on rtb-a, rtb-b";

    #[test]
    fn a_missing_endpoint_is_found_with_the_tables_that_want_it() {
        check(|w| w.delete_gateway("vpce-s3"), &[NO_S3]);
    }

    #[test]
    fn one_that_is_deleted_but_still_listed_is_missing() {
        for state in ["deleting", "Deleted"] {
            check(|w| w.set("vpce-s3", "State", json!(state)), &[NO_S3]);
        }
    }

    #[test]
    fn an_interface_endpoint_does_not_stand_in_for_it_nor_one_of_another_vpc() {
        check(
            |w| {
                w.delete_gateway("vpce-s3");
                w.add("VpcEndpoints", crate::fixture::interface_endpoint("vpce-zzz", "s3"));
                let mut other = gateway_endpoint("vpce-yyy", "s3", &["rtb-a", "rtb-b"]);
                other["VpcId"] = json!("vpc-2");
                w.add("VpcEndpoints", other)
            },
            &[NO_S3],
        );
    }

    #[test]
    fn an_endpoint_without_a_type_is_a_gateway() {
        check(|w| w.set("vpce-s3", "VpcEndpointType", json!("")), &[]);
    }

    #[test]
    fn another_services_endpoint_that_serves_all_tables_is_enough() {
        check(|w| w.set("vpce-s3", "RequesterManaged", json!(true)), &[]);
    }

    #[test]
    fn with_all_tables_public_ones_want_it_too_but_unused_and_edge_tables_do_not() {
        check(
            |w| {
                w.baseline("gateway_endpoints", json!({"services": ["s3"], "route_tables": "all"}));
                w.add("RouteTables", table("rtb-edge", &[]));
                w.associate("rtb-edge", json!({"GatewayId": "igw-1"}));
                w.delete_gateway("vpce-s3")
            },
            &[
                "gateway-endpoint: no gateway endpoint for com.amazonaws.eu-central-1.s3, wanted on rtb-a, rtb-b, rtb-pub",
            ],
        );
    }

    #[test]
    fn a_service_that_is_not_offered_is_found_unless_it_is_required_only_where_it_is() {
        let with = |w: &'static str| json!({"services": ["s3", "dynamodb", w]});
        check(
            |w| w.baseline("gateway_endpoints", with("s3express")),
            &[
                "gateway-endpoint: com.amazonaws.eu-central-1.s3express is required, and the Region \
               does not offer it",
            ],
        );
        check(|w| w.baseline("gateway_endpoints", with("s3express?")), &[]);
    }

    #[test]
    fn a_vpc_without_private_subnets_wants_none() {
        check(|w| w.remove("subnet-pria").remove("subnet-prib").delete_gateway("vpce-s3"), &[]);
    }
}
