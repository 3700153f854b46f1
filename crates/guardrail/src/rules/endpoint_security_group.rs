//! An interface endpoint is reached on TCP 443, from every block of the VPC.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::{
    EndpointKind, Health, cidrs_without_https, health, own_group,
};
use crate::baseline::RuleId;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::ec2::world::VpcEndpoint;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Addition, EndpointEdit, Repair};

/// AWS's limit of security groups on an interface
/// (docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html).
const GROUPS_PER_INTERFACE: usize = 5;

pub(super) static RULE: Rule = Rule {
    id: RuleId::EndpointSecurityGroup,
    finds: "no security group of a required interface endpoint admits TCP 443 from every block of the VPC",
    repairs: "attaches a security group of the guardrail's own that does; never edits another one",
    needs: &[
        Section::Vpcs,
        Section::Subnets,
        Section::VpcEndpoints,
        Section::VpcEndpointServices,
        Section::SecurityGroups,
        Section::PrefixLists,
    ],
    operations: &[
        Operation::CreateSecurityGroup,
        Operation::AuthorizeSecurityGroupIngress,
        Operation::ModifyVpcEndpoint,
    ],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let interface =
        view.required_services.iter().filter(|required| required.kind == EndpointKind::Interface);
    interface
        .filter(|required| !required.zones_wanted(&view.topology).is_empty())
        .filter_map(|required| {
            let endpoint = required
                .adopted(view.snapshot)
                .filter(|endpoint| health(endpoint) != Health::Broken)?;
            let cidrs =
                cidrs_without_https(endpoint, view.snapshot).filter(|cidrs| !cidrs.is_empty())?;
            let rule = RuleId::EndpointSecurityGroup;
            let (service, id) = (required.name.clone(), endpoint.vpc_endpoint_id.clone());
            let drift =
                Drift::HttpsNotAdmitted { service: service.clone(), endpoint: id.clone(), cidrs };
            if is_full(endpoint, view) {
                return Some(Finding::left_alone(rule, drift, LeftAloneReason::TooManyGroups));
            }
            let edit = EndpointEdit { endpoint: id, service, addition: Addition::OwnGroup };
            Some(Finding::new(rule, drift, Repair::EditEndpoint(edit)))
        })
        .collect()
}

/// Whether the endpoint cannot take one more group and has not got the guardrail's.
fn is_full(endpoint: &VpcEndpoint, view: &View<'_>) -> bool {
    let own = own_group(view.snapshot).map(|own| &own.group_id);
    endpoint.groups.len() >= GROUPS_PER_INTERFACE
        && !endpoint.groups.iter().any(|group| Some(&group.group_id) == own)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, group, interface_endpoint};

    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        assert_eq!(findings(edit), expected);
    }

    const SSM: &str = "vpce-ssm (com.amazonaws.eu-central-1.ssm)";

    /// `vpce-ssm` with other groups than the rest.
    fn groups<'f>(w: &'f mut Fixture, ids: &[&str]) -> &'f mut Fixture {
        let ids: Vec<_> = ids.iter().map(|id| json!({"GroupId": id})).collect();
        w.set("vpce-ssm", "Groups", json!(ids))
    }

    #[test]
    fn a_group_that_admits_only_part_of_the_vpc_is_found() {
        check(
            |w| {
                groups(
                    w.add("SecurityGroups", group("sg-half", "half", &["10.0.0.0/17"])),
                    &["sg-half"],
                )
            },
            &[&format!("endpoint-security-group: {SSM} admits no TCP 443 from 10.0.0.0/16")],
        );
    }

    #[test]
    fn groups_count_together() {
        check(
            |w| {
                w.add("SecurityGroups", group("sg-low", "low", &["10.0.0.0/17"]));
                w.add("SecurityGroups", group("sg-high", "high", &["10.0.128.0/17"]));
                groups(w, &["sg-low", "sg-high"])
            },
            &[],
        );
    }

    #[test]
    fn an_endpoint_without_a_group_admits_nothing() {
        check(
            |w| groups(w, &[]),
            &[&format!("endpoint-security-group: {SSM} admits no TCP 443 from 10.0.0.0/16")],
        );
    }

    #[test]
    fn a_secondary_block_counts_once_it_is_in_use() {
        let blocks = |state: &str| json!([{"CidrBlock": "100.64.0.0/16", "CidrBlockState": {"State": state}}]);
        let found = findings(|w| w.set("vpc-1", "CidrBlockAssociationSet", blocks("associated")));
        assert_eq!(
            found,
            ["ssm", "ssmmessages", "ec2messages"].map(|service| format!(
                "endpoint-security-group: vpce-{service} (com.amazonaws.eu-central-1.{service}) admits no TCP 443 from \
                 100.64.0.0/16"
            ))
        );
        check(|w| w.set("vpc-1", "CidrBlockAssociationSet", blocks("disassociated")), &[]);
    }

    #[test]
    fn ipv6_counts_for_endpoints_that_have_it() {
        let v6 = json!([{"Ipv6CidrBlock": "2600:1f16:abc:de00::/56"}]);
        check(|w| w.set("vpc-1", "Ipv6CidrBlockAssociationSet", v6.clone()), &[]);
        check(
            |w| {
                w.set("vpc-1", "Ipv6CidrBlockAssociationSet", v6);
                w.set("vpce-ssm", "IpAddressType", json!("dualstack"))
            },
            &[&format!(
                "endpoint-security-group: {SSM} admits no TCP 443 from 2600:1f16:abc:de00::/56"
            )],
        );
    }

    #[test]
    fn a_group_that_was_not_observed_admits_who_knows_what() {
        check(|w| groups(w, &["sg-elsewhere"]), &[]);
    }

    #[test]
    fn a_vpc_without_private_subnets_needs_none() {
        check(|w| groups(w.remove("subnet-pria").remove("subnet-prib"), &[]), &[]);
    }

    #[test]
    fn only_the_adopted_endpoint_is_judged_and_no_broken_one() {
        check(
            |w| {
                let mut second = interface_endpoint("vpce-zzz", "ssm");
                second["Groups"] = json!([]);
                w.add("VpcEndpoints", second)
            },
            &[],
        );
        check(
            |w| groups(w, &[]).set("vpce-ssm", "State", json!("failed")),
            &[&format!("endpoint-state: {SSM} is in state failed")],
        );
    }
}
