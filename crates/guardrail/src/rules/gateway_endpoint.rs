//! Each promised gateway service has an endpoint in the VPC.

use super::{Rule, RuleId};
use crate::finding::{Drift, Finding, View};
use crate::id::RouteTableId;
use crate::promise::PromiseKind;
use crate::snapshot::Section;

pub(super) static RULE: Rule = Rule {
    id: RuleId::GatewayEndpoint,
    finds: "the VPC has no gateway endpoint for a promised service",
    repairs: "creates one on the tables that should lead to it",
    needs: &[Section::Subnets, Section::RouteTables, Section::VpcEndpoints, Section::VpcEndpointServices, Section::NatGateways],
    actions: &["ec2:CreateVpcEndpoint", "ec2:CreateTags"],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let wanting = view.tables_wanting_gateways();
    let gateway = view.promises.iter().filter(|promise| promise.kind == PromiseKind::Gateway && promise.offered.is_some());
    gateway
        .filter(|promise| promise.adopted(view.snapshot).is_none())
        .filter_map(|promise| {
            let unserved = wanting.iter().filter(|used| promise.route_to(used.table, view.snapshot).is_none());
            let tables: Vec<RouteTableId> = unserved.map(|used| used.table.route_table_id.clone()).collect();
            let service = promise.name.clone();
            let drift = Drift::GatewayEndpointMissing { service, tables: tables.clone() };
            (!tables.is_empty()).then_some(Finding { rule: RuleId::GatewayEndpoint, drift })
        })
        .collect()
}
