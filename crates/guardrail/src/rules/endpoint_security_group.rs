//! An interface endpoint is reached on TCP 443, from every block of the VPC.

use super::{Rule, RuleId};
use crate::finding::{Drift, Finding, View};
use crate::promise::{Health, PromiseKind, health, unadmitted};
use crate::snapshot::Section;

pub(super) static RULE: Rule = Rule {
    id: RuleId::EndpointSecurityGroup,
    finds: "no security group of a promised interface endpoint admits TCP 443 from every block of the VPC",
    repairs: "attaches a security group of the guardrail's own that does; never edits another one",
    needs: &[
        Section::Vpcs,
        Section::Subnets,
        Section::VpcEndpoints,
        Section::VpcEndpointServices,
        Section::SecurityGroups,
        Section::PrefixLists,
    ],
    actions: &[
        "ec2:CreateSecurityGroup",
        "ec2:CreateTags",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:ModifyVpcEndpoint",
    ],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let interface = view.promises.iter().filter(|promise| promise.kind == PromiseKind::Interface);
    interface
        .filter(|promise| !promise.zones_wanted(&view.topology).is_empty())
        .filter_map(|promise| {
            let endpoint = promise.adopted(view.snapshot).filter(|endpoint| health(endpoint) != Health::Broken)?;
            let cidrs = unadmitted(endpoint, view.snapshot).filter(|cidrs| !cidrs.is_empty())?;
            let (service, endpoint) = (promise.name.clone(), endpoint.vpc_endpoint_id.clone());
            Some(Finding {
                rule: RuleId::EndpointSecurityGroup,
                drift: Drift::HttpsNotAdmitted { service, endpoint, cidrs },
            })
        })
        .collect()
}
