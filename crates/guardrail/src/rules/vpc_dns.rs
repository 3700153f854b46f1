//! Private DNS works only while both DNS attributes of the VPC are on
//! (docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html).

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::RequiredService;
use crate::baseline::RuleId;
use crate::ec2::change::DnsAttribute;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::repair::Repair;

pub(super) static RULE: Rule = Rule {
    id: RuleId::VpcDns,
    finds: "enableDnsSupport or enableDnsHostnames of the VPC is off though a required service has private DNS",
    repairs: "turns the attribute on",
    needs: &[Section::VpcAttributes, Section::VpcEndpointServices, Section::Subnets],
    operations: &[Operation::ModifyVpcAttribute],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let wanted = |required: &RequiredService<'_>| {
        required.wants_private_dns() && !required.zones_wanted(&view.topology).is_empty()
    };
    let Some(attributes) =
        view.snapshot.attributes.filter(|_| view.required_services.iter().any(wanted))
    else {
        return Vec::new();
    };
    let both = [
        (attributes.enable_dns_support, DnsAttribute::Support),
        (attributes.enable_dns_hostnames, DnsAttribute::Hostnames),
    ];
    let off = both.into_iter().filter(|(on, _)| *on == Some(false));
    off.map(|(_, attribute)| {
        Finding::new(
            RuleId::VpcDns,
            Drift::VpcDnsOff { attribute },
            Repair::EnableVpcDns(attribute),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings};

    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        assert_eq!(findings(edit), expected);
    }

    fn attributes(w: &mut Fixture, support: bool, hostnames: bool) -> &mut Fixture {
        w.world["VpcAttributes"]["vpc-1"] =
            json!({"EnableDnsSupport": support, "EnableDnsHostnames": hostnames});
        w
    }

    #[test]
    fn each_attribute_that_is_off_is_found_support_first() {
        let support = "vpc-dns: enableDnsSupport of the VPC is off, so private DNS cannot work";
        let hostnames = "vpc-dns: enableDnsHostnames of the VPC is off, so private DNS cannot work";
        check(|w| attributes(w, true, true), &[]);
        check(|w| attributes(w, false, true), &[support]);
        check(|w| attributes(w, true, false), &[hostnames]);
        check(|w| attributes(w, false, false), &[support, hostnames]);
    }

    #[test]
    fn it_does_not_matter_where_no_required_service_has_a_private_name() {
        check(
            |w| attributes(w, true, false).baseline("interface_endpoints", json!({"services": []})),
            &[],
        );
    }

    #[test]
    fn it_does_not_matter_where_there_is_no_private_subnet() {
        check(|w| attributes(w, false, false).remove("subnet-pria").remove("subnet-prib"), &[]);
    }

    #[test]
    fn an_attribute_that_was_not_read_is_not_off() {
        check(|w| w.without("VpcAttributes"), &[]);
    }
}
