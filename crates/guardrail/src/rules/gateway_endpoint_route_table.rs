//! The tables of private subnets lead to the VPC's gateway endpoints.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, Health, health};
use crate::baseline::RuleId;
use crate::ec2::id::{EndpointId, RouteTableId, ServiceName};
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Addition, EndpointEdit, Repair};

pub(super) static RULE: Rule = Rule {
    id: RuleId::GatewayEndpointRouteTable,
    finds: "a gateway endpoint is not associated with a route table that should lead to it",
    repairs: "associates the table with the endpoint that is there",
    needs: &[
        Section::Subnets,
        Section::RouteTables,
        Section::VpcEndpoints,
        Section::VpcEndpointServices,
        Section::NatGateways,
    ],
    operations: &[Operation::ModifyVpcEndpoint],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let wanting = view.tables_wanting_gateways();
    let gateway =
        view.required_services.iter().filter(|required| required.kind == EndpointKind::Gateway);
    gateway
        .filter_map(|required| {
            let endpoint = required
                .adopted(view.snapshot)
                .filter(|endpoint| health(endpoint) != Health::Broken)?;
            // An association shows before its route does, and is not to be made twice.
            let listed = |id: &RouteTableId| {
                required
                    .endpoints(view.snapshot)
                    .any(|e| e.exists() && e.route_table_ids.contains(id))
            };
            let tables: Vec<RouteTableId> = wanting
                .iter()
                .filter(|used| required.route_to(used.table, view.snapshot).is_none())
                .map(|used| used.table.route_table_id.clone())
                .filter(|id| !listed(id))
                .collect();
            let (service, endpoint) = (required.name.clone(), endpoint.vpc_endpoint_id.clone());
            (!tables.is_empty()).then(|| finding(view, service, endpoint, tables))
        })
        .collect()
}

/// The finding that these tables, and no others, do not lead to the endpoint.
pub(super) fn finding(
    view: &View<'_>,
    service: ServiceName,
    endpoint: EndpointId,
    tables: Vec<RouteTableId>,
) -> Finding {
    let (ours, shared) = view.split_by_unclassified_users(&tables);
    let drift = Drift::RouteTableNotAssociated {
        service: service.clone(),
        endpoint: endpoint.clone(),
        tables,
    };
    let addition = Addition::RouteTables(ours.clone());
    let repair = match ours.is_empty() {
        true => Repair::None,
        false => {
            Repair::EditEndpoint(EndpointEdit { endpoint, service: service.clone(), addition })
        }
    };
    let found = Finding::new(RuleId::GatewayEndpointRouteTable, drift, repair);
    shared.into_iter().fold(found, |found, (table, with)| {
        found.leaving(format!("{table} without {service}"), LeftAloneReason::SharedTable { with })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, gateway_endpoint, subnet, table};

    /// What is not served besides, `service-not-served` tells.
    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        let mut found = findings(edit);
        found.retain(|line| !line.starts_with("service-not-served"));
        assert_eq!(found, expected);
    }

    fn unlink<'f>(w: &'f mut Fixture, tables: &[&str]) -> &'f mut Fixture {
        for table in tables {
            w.drop_route(table, "pl-s3");
        }
        let left: Vec<&str> =
            ["rtb-a", "rtb-b"].into_iter().filter(|id| !tables.contains(id)).collect();
        w.set("vpce-s3", "RouteTableIds", json!(left))
    }

    fn found(tables: &str) -> String {
        format!(
            "gateway-endpoint-route-table: {tables} not associated with vpce-s3 (com.amazonaws.eu-central-1.s3)"
        )
    }

    #[test]
    fn tables_that_do_not_lead_to_the_endpoint_are_found() {
        check(|w| unlink(w, &["rtb-b"]), &[&found("rtb-b")]);
        check(|w| unlink(w, &["rtb-a", "rtb-b"]), &[&found("rtb-a, rtb-b")]);
    }

    #[test]
    fn an_association_whose_route_does_not_show_yet_is_not_made_twice() {
        check(|w| w.drop_route("rtb-b", "pl-s3"), &[]);
    }

    #[test]
    fn a_table_that_leads_to_a_second_endpoint_is_right_as_it_is() {
        check(
            |w| {
                unlink(w, &["rtb-b"]).route("rtb-b", "pl-s3", "vpce-zzz");
                w.add("VpcEndpoints", gateway_endpoint("vpce-zzz", "s3", &["rtb-b"]))
            },
            &[],
        );
    }

    #[test]
    fn a_new_private_table_is_found_and_a_new_public_one_is_not() {
        check(
            |w| {
                w.add("Subnets", subnet("subnet-pric", "a", "private"))
                    .add("RouteTables", table("rtb-c", &["subnet-pric"]));
                w.add("Subnets", subnet("subnet-pubc", "a", "public"))
                    .add("RouteTables", table("rtb-d", &["subnet-pubc"]))
            },
            &[
                "gateway-endpoint-route-table: rtb-c not associated with vpce-s3 (com.amazonaws.eu-central-1.s3)",
                "gateway-endpoint-route-table: rtb-c not associated with vpce-dynamodb \
                 (com.amazonaws.eu-central-1.dynamodb)",
            ],
        );
    }

    #[test]
    fn a_regional_nat_gateways_own_table_and_edge_tables_want_no_endpoint() {
        for off_limits in [json!({"GatewayId": "igw-1"}), json!({"GatewayId": "vgw-1"})] {
            check(
                |w| {
                    w.add("Subnets", subnet("subnet-pric", "a", "private"));
                    w.add("RouteTables", table("rtb-c", &["subnet-pric"]))
                        .associate("rtb-c", off_limits)
                },
                &[],
            );
        }
        check(
            |w| {
                w.add("Subnets", subnet("subnet-pric", "a", "private"));
                w.add("RouteTables", table("rtb-regional", &["subnet-pric"]))
            },
            &[],
        );
    }

    #[test]
    fn a_broken_endpoint_is_not_associated_with_more() {
        check(
            |w| unlink(w, &["rtb-b"]).set("vpce-s3", "State", json!("failed")),
            &["endpoint-state: vpce-s3 (com.amazonaws.eu-central-1.s3) is in state failed"],
        );
    }
}
