//! Private DNS works only while both DNS attributes of the VPC are on
//! (docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html).

use super::{Rule, RuleId};
use crate::action::DnsAttribute;
use crate::finding::{Drift, Finding, View};
use crate::promise::Promise;
use crate::snapshot::Section;

pub(super) static RULE: Rule = Rule {
    id: RuleId::VpcDns,
    finds: "enableDnsSupport or enableDnsHostnames of the VPC is off though a promised service has private DNS",
    repairs: "turns the attribute on",
    needs: &[Section::VpcAttributes, Section::VpcEndpointServices, Section::Subnets],
    actions: &["ec2:ModifyVpcAttribute"],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let wanted = |promise: &Promise<'_>| promise.wants_private_dns() && !promise.zones_wanted(&view.topology).is_empty();
    let Some(attributes) = view.snapshot.attributes.filter(|_| view.promises.iter().any(wanted)) else {
        return Vec::new();
    };
    let both = [
        (attributes.enable_dns_support, DnsAttribute::Support),
        (attributes.enable_dns_hostnames, DnsAttribute::Hostnames),
    ];
    let off = both.into_iter().filter(|(on, _)| *on == Some(false));
    off.map(|(_, attribute)| Finding { rule: RuleId::VpcDns, drift: Drift::VpcDnsOff { attribute } }).collect()
}
