//! Each required service is served to each private subnet that needs it, whatever its endpoint looks
//! like by itself.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, RequiredService};
use crate::analysis::served::{Obstacle, prove};
use crate::baseline::RuleId;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::{LeftAloneReason, Unserved};

pub(super) static RULE: Rule = Rule {
    id: RuleId::ServiceNotServed,
    finds: "something that no other rule tells of keeps a required service from a private subnet, or it cannot be told: a \
            network ACL, DNS servers, a version of IP, somebody else's endpoint",
    repairs: "nothing: what is in the way is other people's",
    needs: &[Section::Vpcs, Section::Subnets, Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let mut unserved: Vec<Unserved> = Vec::new();
    for required in view.required_services.iter().filter(|it| !it.is_passed_over()) {
        for placed in view.topology.private().filter(|it| required.is_required_in(it.subnet)) {
            let obstacles = prove(view, required, placed).obstacles;
            for obstacle in obstacles.iter().filter(|it| is_told_here(view, required, it)) {
                Unserved::note(&mut unserved, &required.name, obstacle, placed.subnet);
            }
        }
    }
    let finding = |Unserved { service, obstacle, subnets, certain }| {
        let drift = Drift::ServiceNotServed { service, subnets, obstacle, certain };
        Finding::left_alone(RuleId::ServiceNotServed, drift, LeftAloneReason::NoRemedy)
    };
    unserved.into_iter().map(finding).collect()
}

/// Whether no other rule tells of the obstacle. What passes by itself is waited for, and a section that
/// was not read is told of as such.
fn is_told_here(view: &View<'_>, required: &RequiredService<'_>, obstacle: &Obstacle) -> bool {
    match obstacle {
        Obstacle::NoInterface { .. }
        | Obstacle::NoTable { .. }
        | Obstacle::RouteStateUnclear { .. }
        | Obstacle::NotAGateway { .. }
        | Obstacle::NameHeldByAnother { .. }
        | Obstacle::OtherResolver { .. }
        | Obstacle::NoServerReached { .. }
        | Obstacle::ServerLost { .. }
        | Obstacle::ServerAsksOthers { .. }
        | Obstacle::Dns64 { .. }
        | Obstacle::Acl(_)
        | Obstacle::NoAcl { .. }
        | Obstacle::IpVersionUnclear { .. }
        | Obstacle::NoIpVersion { .. }
        | Obstacle::InboundUnclear { .. }
        | Obstacle::NameAnswersUnclear { .. }
        | Obstacle::Diverted { .. }
        | Obstacle::RangesUnread { .. }
        | Obstacle::NoPrivateName => true,
        // Where no zone of a private subnet has the service, no endpoint is missing in any.
        Obstacle::NoEndpoint => required.zones_wanted(&view.topology).is_empty(),
        // The rules of interface endpoints do not look at one that only holds a gateway service's name.
        Obstacle::HttpsNotAdmitted { .. }
        | Obstacle::GroupsUnread { .. }
        | Obstacle::GroupRuleUnclear { .. }
        | Obstacle::VpcDnsOff { .. } => !is_required_by_interface(view, required),
        // One thing of a section that was read.
        Obstacle::Unread { section } => !view.snapshot.missing.contains(section),
        Obstacle::NotOffered
        | Obstacle::NotAvailable { .. }
        | Obstacle::NoRoute { .. }
        | Obstacle::Broken { .. }
        | Obstacle::AwaitsAcceptance { .. }
        | Obstacle::NotAssociated { .. }
        | Obstacle::PrivateDnsOff { .. }
        | Obstacle::InboundOnly { .. }
        | Obstacle::Policy { .. }
        | Obstacle::Overruled { .. }
        | Obstacle::PerhapsOverruled { .. } => false,
    }
}

fn is_required_by_interface(view: &View<'_>, required: &RequiredService<'_>) -> bool {
    let of_kind = |it: &&RequiredService<'_>| it.kind == EndpointKind::Interface;
    view.required_services.iter().filter(of_kind).any(|it| it.name == required.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings};

    fn found(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
        findings(edit)
    }

    #[test]
    fn a_vpc_on_its_baseline_has_none() {
        assert_eq!(found(|w| w), [""; 0]);
    }

    #[test]
    fn dns_servers_that_are_not_amazons_are_told_of_for_each_interface_service() {
        let told = found(|w| {
            w.set("vpc-1", "DhcpOptionsId", json!("dopt-own")).add(
                "DhcpOptions",
                json!({"DhcpOptionsId": "dopt-own", "DhcpConfigurations": [
                    {"Key": "domain-name-servers", "Values": [{"Value": "10.0.0.9"}]}]}),
            )
        });
        assert_eq!(told.len(), 3);
        assert_eq!(
            told.first().map(String::as_str),
            Some(
                "service-not-served: cannot tell whether com.amazonaws.eu-central-1.ssm is served to subnet-pria, \
                 subnet-prib: the DHCP options name DNS servers not Amazon's: 10.0.0.9"
            )
        );
    }
}
