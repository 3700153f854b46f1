//! No table of a private subnet leads to the internet.

use super::{Rule, RuleId};
use crate::baseline::MayLeadOut;
use crate::finding::{Drift, Finding, LeadingRoute, Leads, View};
use crate::route::{Judgement, is_blackhole, judge};
use crate::snapshot::Section;
use crate::topology::UsedTable;
use crate::world::{Route, RouteOrigin};

pub(super) static RULE: Rule = Rule {
    id: RuleId::InternetRoute,
    finds: "a private subnet's route table, its own or the main one, has a route that leads or may lead to the internet",
    repairs: "deletes the route once every service promised to the table's subnets is served; never from a table that \
              other subnets use too",
    needs: &[
        Section::Vpcs,
        Section::Subnets,
        Section::RouteTables,
        Section::NatGateways,
        Section::NetworkInterfaces,
        Section::PrefixLists,
    ],
    actions: &["ec2:DeleteRoute"],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let private = view.topology.tables.iter().filter(|used| used.is_private());
    private.flat_map(|used| used.table.routes.iter().filter_map(move |route| finding(view, used, route))).collect()
}

fn finding(view: &View<'_>, used: &UsedTable<'_>, route: &Route) -> Option<Finding> {
    let judgement = judge(route, view.snapshot, &view.topology);
    let leads = match judgement {
        Judgement::Local | Judgement::Endpoint(_) | Judgement::Inside(_) => return None,
        Judgement::Internet(_) => Leads::Out,
        Judgement::MayLeadOut(_) => match view.baseline.internet_routes.may_lead_out {
            MayLeadOut::Accept => return None,
            MayLeadOut::Report | MayLeadOut::Remove => Leads::Maybe,
        },
        Judgement::Unknown(_) => Leads::Unknown,
    };
    let propagated = match &route.origin {
        Some(RouteOrigin::EnableVgwRoutePropagation | RouteOrigin::Advertisement) => true,
        Some(RouteOrigin::CreateRoute | RouteOrigin::CreateRouteTable | RouteOrigin::Other(_)) | None => false,
    };
    let drift = Drift::LeadsOut(LeadingRoute {
        table: used.table.route_table_id.clone(),
        destination: route.destination(),
        target: route.target().unwrap_or("no target").to_owned(),
        leads,
        via: judgement.to_string(),
        blackhole: is_blackhole(route),
        propagated,
        main: used.main,
        subnets: used.private_users().cloned().collect(),
        shared_with: used.other_users().map(|(id, _)| id.clone()).collect(),
    });
    Some(Finding { rule: RuleId::InternetRoute, drift })
}
