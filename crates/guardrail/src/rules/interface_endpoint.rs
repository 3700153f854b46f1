//! Each promised interface service has an endpoint in the VPC.

use super::{Rule, RuleId};
use crate::finding::{Drift, Finding, View};
use crate::id::Zone;
use crate::promise::PromiseKind;
use crate::snapshot::Section;

pub(super) static RULE: Rule = Rule {
    id: RuleId::InterfaceEndpoint,
    finds: "the VPC has no interface endpoint for a promised service",
    repairs: "creates one, in one private subnet of each zone that has one, with private DNS and a security group of its own",
    needs: &[Section::Vpcs, Section::Subnets, Section::VpcEndpoints, Section::VpcEndpointServices],
    actions: &[
        "ec2:CreateVpcEndpoint",
        "ec2:CreateSecurityGroup",
        "ec2:CreateTags",
        "ec2:AuthorizeSecurityGroupIngress",
        "route53:AssociateVPCWithHostedZone",
    ],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let interface = view.promises.iter().filter(|promise| promise.kind == PromiseKind::Interface);
    interface
        .filter(|promise| promise.adopted(view.snapshot).is_none())
        .filter_map(|promise| {
            let zones: Vec<Zone> = promise.zones_wanted(&view.topology).into_iter().cloned().collect();
            let service = promise.name.clone();
            let drift = Drift::InterfaceEndpointMissing { service, zones: zones.clone() };
            (!zones.is_empty()).then_some(Finding { rule: RuleId::InterfaceEndpoint, drift })
        })
        .collect()
}
