//! What NAT gateways carried whose routes a plan removes: advice for whoever reads the plan.

use crate::cloud::{CallError, Carried, Cloud, NatTraffic};
use crate::ec2::id::{NatGatewayId, Scope};
use crate::plan::advice::Advice;
use crate::report::Report;

/// The report of a preview, with what the NAT gateways carried whose routes its plan removes. Nobody is
/// asked where it removes none, and nothing else of the report depends on the answer.
pub async fn with_traffic<C: Cloud>(cloud: &C, report: Report) -> Report {
    let nat_traffic = carried(cloud, &report.scope, report.advice.as_ref()).await;
    Report { nat_traffic, ..report }
}

/// The report of a preview that says of these NAT gateways that nobody could be asked, and why.
pub fn with_unreadable_traffic(report: Report, why: &CallError) -> Report {
    let unreadable = |nat| NatTraffic { nat, carried: Carried::Unreadable(why.clone()) };
    let nats = losing_routes(report.advice.as_ref());
    Report { nat_traffic: nats.into_iter().map(unreadable).collect(), ..report }
}

/// Whether the report's plan removes a route that leads to a NAT gateway.
pub fn asks_for_traffic(report: &Report) -> bool {
    !losing_routes(report.advice.as_ref()).is_empty()
}

/// What the NAT gateways carried from which the advised plan takes a route.
pub(super) async fn carried<C: Cloud>(
    cloud: &C,
    scope: &Scope,
    advice: Option<&Advice>,
) -> Vec<NatTraffic> {
    let nats = losing_routes(advice);
    if nats.is_empty() {
        return Vec::new();
    }
    cloud.carried(scope, &nats).await
}

fn losing_routes(advice: Option<&Advice>) -> Vec<NatGatewayId> {
    advice.map(Advice::losing_routes).unwrap_or_default()
}
