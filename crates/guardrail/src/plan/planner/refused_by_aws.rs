//! Repairs that are not made because AWS would refuse their calls, or because an endpoint would wait
//! for somebody else.

use super::refusals::{Refusals, Refused};
use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, Health, RequiredService, health};
use crate::baseline::{Create, Remove};
use crate::ec2::id::{EndpointId, RouteTableId, ServiceName};
use crate::ec2::world::{EndpointService, EndpointType, PrefixList, Route, VpcEndpoint};
use crate::rules::finding::Finding;
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Addition, NewEndpoint, Repair};

/// What of the repairs that these findings ask for would not come to anything, whatever else is done.
pub(super) fn refused_by_aws(view: &View<'_>, findings: &[Finding]) -> Refusals {
    let mut refusals = Refusals::new();
    for finding in findings {
        match &finding.repair {
            Repair::CreateEndpoint(NewEndpoint::Interface { service, .. }) => {
                let reason = reason_against_interface(view, service);
                refusals.extend(reason.map(|reason| (Refused::Made(service.clone()), reason)));
            }
            Repair::CreateEndpoint(NewEndpoint::Gateway { service, tables }) => {
                refusals.extend(against_tables(view, findings, service, tables));
            }
            Repair::EditEndpoint(edit) => match &edit.addition {
                Addition::RouteTables(tables) => {
                    refusals.extend(against_tables(view, findings, &edit.service, tables));
                }
                Addition::PrivateDns => {
                    let reason = name_taken(view, &edit.service, Some(&edit.endpoint));
                    let refused = Refused::Name(edit.service.clone());
                    refusals.extend(reason.map(|reason| (refused, reason)));
                }
                Addition::Subnets(_) | Addition::OwnGroup => {}
            },
            Repair::None
            | Repair::SetPolicy(_)
            | Repair::OpenOwnGroup
            | Repair::EnableVpcDns(_)
            | Repair::RemoveRoute(_)
            | Repair::Call(_)
            | Repair::Calls(_) => {}
        }
    }
    refusals
}

fn reason_against_interface(view: &View<'_>, service: &ServiceName) -> Option<LeftAloneReason> {
    let required = required(view, service, EndpointKind::Interface)?;
    let offer = required.offered?;
    if !offer.has_ipv4() {
        return Some(LeftAloneReason::OnlyOverIpv6);
    }
    if required.wants_private_dns()
        && let Some(reason) = name_taken(view, service, None)
    {
        return Some(reason);
    }
    let waits = offer.acceptance_required && required.create == Create::WhenItServes;
    waits.then_some(LeftAloneReason::NeedsAcceptance)
}

/// The endpoint that has the service's private name, so that AWS gives it to no other of the VPC:
/// "private-dns-enabled cannot be set because there is already a conflicting DNS domain"
/// (docs.aws.amazon.com/vpc/latest/privatelink/interface-endpoints.html). For one that is being deleted
/// the plan waits.
fn name_taken(
    view: &View<'_>,
    service: &ServiceName,
    than: Option<&EndpointId>,
) -> Option<LeftAloneReason> {
    let wanted = private_names(view, service);
    let has_it = |endpoint: &&VpcEndpoint| {
        let is_there = match health(endpoint) {
            Health::Works | Health::Coming => true,
            Health::Gone | Health::Broken => false,
        };
        let others = |name: &ServiceName| {
            name == service || private_names(view, name).iter().any(|it| wanted.contains(it))
        };
        is_there
            && endpoint.kind() == EndpointType::Interface
            && endpoint.private_dns_enabled
            && Some(&endpoint.vpc_endpoint_id) != than
            && endpoint.service_name.as_ref().is_some_and(others)
    };
    let holder = view.snapshot.endpoints.iter().copied().find(has_it)?;
    Some(LeftAloneReason::NameTaken { by: holder.vpc_endpoint_id.clone() })
}

/// The private names that the service's interface endpoints get.
fn private_names<'w>(view: &View<'w>, service: &ServiceName) -> Vec<&'w str> {
    let is_its = |offer: &&EndpointService| {
        offer.service_name == *service && offer.is(&EndpointType::Interface)
    };
    view.snapshot.shared.services.iter().filter(is_its).flat_map(EndpointService::names).collect()
}

/// Those of the tables that AWS would not associate with the service's gateway endpoint.
fn against_tables(
    view: &View<'_>,
    findings: &[Finding],
    service: &ServiceName,
    tables: &[RouteTableId],
) -> Refusals {
    let offer = required(view, service, EndpointKind::Gateway).and_then(|it| it.offered);
    let only_ipv6 = offer.is_some_and(|offer| !offer.has_ipv4());
    let refused = tables.iter().filter_map(|table| {
        let reason = match only_ipv6 {
            true => Some(LeftAloneReason::OnlyOverIpv6),
            false => list_leads_elsewhere(view, findings, service, table),
        };
        Some((Refused::Table(service.clone(), table.clone()), reason?))
    });
    refused.collect()
}

/// The route of the table that has the service's prefix list already: AWS refuses a second one
/// (`RouteAlreadyExists`, docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html), and where
/// the first leads matters not.
fn list_leads_elsewhere(
    view: &View<'_>,
    findings: &[Finding],
    service: &ServiceName,
    table: &RouteTableId,
) -> Option<LeftAloneReason> {
    // A customer's list may have the service's name too.
    let is_its = |list: &&PrefixList| {
        list.prefix_list_name == service.as_str() && list.is_awss() != Some(false)
    };
    let lists = view.snapshot.shared.prefix_lists.iter();
    let its: Vec<_> = lists.filter(is_its).map(|list| &list.prefix_list_id).collect();
    let is_its = |route: &&Route| {
        route.destination_prefix_list_id.as_ref().is_some_and(|list| its.contains(&list))
    };
    // The routes of an endpoint that is gone go with it.
    let outlives = |route: &&Route| match route.gateway_id.as_deref() {
        Some(id) if id.starts_with("vpce-") => {
            view.snapshot.endpoints.iter().any(|it| it.vpc_endpoint_id == *id && it.exists())
        }
        Some(_) | None => true,
    };
    let mut routes = view.snapshot.route_table(table)?.routes.iter();
    let route = routes.find(|route| is_its(route) && outlives(route))?;
    let destination = route.destination()?;
    let goes_first = view.baseline.internet_routes.remove == Remove::Immediately
        && findings.iter().any(|finding| match &finding.repair {
            Repair::RemoveRoute(removal) => {
                removal.table == *table && removal.destination == destination
            }
            Repair::None
            | Repair::OpenOwnGroup
            | Repair::EnableVpcDns(_)
            | Repair::CreateEndpoint(_)
            | Repair::EditEndpoint(_)
            | Repair::SetPolicy(_)
            | Repair::Call(_)
            | Repair::Calls(_) => false,
        });
    let target = route.target().map_or_else(|| "?".to_owned(), |target| target.to_string());
    let destination = destination.to_string();
    (!goes_first).then_some(LeftAloneReason::ListLeadsElsewhere { destination, target })
}

fn required<'w>(
    view: &View<'w>,
    service: &ServiceName,
    kind: EndpointKind,
) -> Option<&'w RequiredService<'w>> {
    view.required_services.iter().find(|it| it.name == *service && it.kind == kind)
}
