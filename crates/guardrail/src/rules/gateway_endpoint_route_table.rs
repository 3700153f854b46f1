//! The tables of private subnets lead to the VPC's gateway endpoints.

use super::{Rule, RuleId};
use crate::finding::{Drift, Finding, View};
use crate::id::RouteTableId;
use crate::promise::{Health, PromiseKind, health};
use crate::snapshot::Section;

pub(super) static RULE: Rule = Rule {
    id: RuleId::GatewayEndpointRouteTable,
    finds: "a gateway endpoint is not associated with a route table that should lead to it",
    repairs: "associates the table with the endpoint that is there",
    needs: &[Section::Subnets, Section::RouteTables, Section::VpcEndpoints, Section::VpcEndpointServices, Section::NatGateways],
    actions: &["ec2:ModifyVpcEndpoint"],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let wanting = view.tables_wanting_gateways();
    let gateway = view.promises.iter().filter(|promise| promise.kind == PromiseKind::Gateway);
    gateway
        .filter_map(|promise| {
            let endpoint = promise.adopted(view.snapshot).filter(|endpoint| health(endpoint) != Health::Broken)?;
            // An association shows before its route does, and is not to be made twice.
            let listed = |id: &RouteTableId| {
                promise.endpoints(view.snapshot).any(|e| e.exists() && e.route_table_ids.contains(id))
            };
            let tables: Vec<RouteTableId> = wanting
                .iter()
                .filter(|used| promise.route_to(used.table, view.snapshot).is_none())
                .map(|used| used.table.route_table_id.clone())
                .filter(|id| !listed(id))
                .collect();
            let (service, endpoint) = (promise.name.clone(), endpoint.vpc_endpoint_id.clone());
            let rule = RuleId::GatewayEndpointRouteTable;
            (!tables.is_empty())
                .then_some(Finding { rule, drift: Drift::RouteTableNotAssociated { service, endpoint, tables } })
        })
        .collect()
}
