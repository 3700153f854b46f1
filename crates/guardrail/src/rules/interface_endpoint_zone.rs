//! A promised interface endpoint has an interface in each zone that holds a private subnet. Its resolver answers hold for the
//! whole VPC, so one subnet of a zone is enough, and which one does not matter.

use super::{Rule, RuleId};
use crate::finding::{Drift, Finding, View};
use crate::id::Zone;
use crate::promise::{Health, PromiseKind, health, zones_of};
use crate::snapshot::Section;

pub(super) static RULE: Rule = Rule {
    id: RuleId::InterfaceEndpointZone,
    finds: "a promised interface endpoint has no interface in a zone that holds a private subnet and offers the service",
    repairs: "adds a private subnet of that zone to the endpoint",
    needs: &[Section::Subnets, Section::VpcEndpoints, Section::VpcEndpointServices],
    actions: &["ec2:ModifyVpcEndpoint"],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let interface = view.promises.iter().filter(|promise| promise.kind == PromiseKind::Interface);
    interface
        .filter_map(|promise| {
            let endpoint = promise.adopted(view.snapshot).filter(|endpoint| health(endpoint) != Health::Broken)?;
            let covered = zones_of(endpoint, view.snapshot);
            let wanted = promise.zones_wanted(&view.topology);
            let zones: Vec<Zone> = wanted.into_iter().filter(|zone| !covered.contains(zone)).cloned().collect();
            let (service, endpoint) = (promise.name.clone(), endpoint.vpc_endpoint_id.clone());
            let rule = RuleId::InterfaceEndpointZone;
            (!zones.is_empty()).then_some(Finding { rule, drift: Drift::ZonesNotCovered { service, endpoint, zones } })
        })
        .collect()
}
