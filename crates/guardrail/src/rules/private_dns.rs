//! The service's own name leads to its endpoint.

use super::{Rule, RuleId};
use crate::finding::{Drift, Finding, View};
use crate::promise::{Health, health};
use crate::snapshot::Section;

pub(super) static RULE: Rule = Rule {
    id: RuleId::PrivateDns,
    finds: "private DNS of a promised interface endpoint is off though the service has a private name",
    repairs: "turns it on, after the VPC's DNS attributes and the security group",
    needs: &[Section::Subnets, Section::VpcEndpoints, Section::VpcEndpointServices],
    actions: &["ec2:ModifyVpcEndpoint", "route53:AssociateVPCWithHostedZone"],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let wanted = |promise: &&crate::promise::Promise<'_>| {
        promise.wants_private_dns() && !promise.zones_wanted(&view.topology).is_empty()
    };
    view.promises
        .iter()
        .filter(wanted)
        .filter_map(|promise| {
            let adopted = promise.adopted(view.snapshot).filter(|endpoint| health(endpoint) != Health::Broken);
            let endpoint = adopted.filter(|endpoint| !endpoint.private_dns_enabled)?.vpc_endpoint_id.clone();
            let service = promise.name.clone();
            Some(Finding { rule: RuleId::PrivateDns, drift: Drift::PrivateDnsOff { service, endpoint } })
        })
        .collect()
}
