//! Each required service is served to each private subnet that needs it, whatever its endpoint looks
//! like by itself.

use super::{Rule, found_by_others};
use crate::analysis::View;
use crate::analysis::required_service::EndpointKind;
use crate::analysis::served::{Obstacle, prove};
use crate::baseline::RuleId;
use crate::ec2::cidr::{Cidr, covered};
use crate::ec2::id::{ServiceName, SubnetId};
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::{LeftAloneReason, Unserved};

pub(super) static RULE: Rule = Rule {
    id: RuleId::ServiceNotServed,
    finds: "something that no other rule tells of keeps a required service from a private subnet, or it cannot be told: a \
            network ACL, DNS servers, a version of IP, somebody else's endpoint, a route that is missing, an endpoint that \
            is still coming up",
    repairs: "nothing: what is in the way is other people's, or passes by itself",
    needs: &[Section::Vpcs, Section::Subnets, Section::VpcEndpoints, Section::VpcEndpointServices],
    operations: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let (mut lasting, mut passing, mut nowhere) = (Vec::new(), Vec::new(), Vec::new());
    let mut others: Option<Vec<Finding>> = None;
    for required in view.required_services.iter().filter(|it| !it.is_passed_over()) {
        for placed in view.topology.private().filter(|it| required.is_required_in(it.subnet)) {
            for obstacle in prove(view, required, placed).obstacles {
                // In a VPC that serves everything no rule is asked twice.
                let others =
                    others.get_or_insert_with(|| found_by_others(view, RuleId::ServiceNotServed));
                let told = others.iter().any(|it| tells(&it.drift, &required.name, &obstacle));
                if !told && !is_told_as_unread(view, &obstacle) {
                    let noted = if obstacle == Obstacle::NoEndpoint {
                        // No endpoint is missing in any zone: the service is in none of them.
                        &mut nowhere
                    } else if obstacle.passes() {
                        &mut passing
                    } else {
                        &mut lasting
                    };
                    Unserved::note(noted, &required.name, &obstacle, placed.subnet);
                }
            }
        }
    }
    let with = |reason: LeftAloneReason| move |it| finding(it, reason.clone());
    let nowhere = nowhere.into_iter().map(with(LeftAloneReason::NoZoneInCommon));
    let lasting = lasting.into_iter().map(with(LeftAloneReason::NoRemedy));
    let passing = passing.into_iter().map(with(LeftAloneReason::ComesByItself));
    nowhere.chain(lasting).chain(passing).collect()
}

/// The part of a finding of this rule that is about the subnets to keep; `None` where there are none.
pub(super) fn only(found: &Finding, keep: impl Fn(&SubnetId) -> bool) -> Option<Finding> {
    let Drift::ServiceNotServed { service, subnets, obstacle, certain } = &found.drift else {
        return None;
    };
    let subnets: Vec<SubnetId> = subnets.iter().filter(|id| keep(id)).cloned().collect();
    let reason = found.left_alone.first()?.reason.clone();
    let (service, obstacle, certain) = (service.clone(), obstacle.clone(), *certain);
    let unserved = Unserved { service, obstacle, subnets, certain };
    (!unserved.subnets.is_empty()).then(|| finding(unserved, reason))
}

fn finding(unserved: Unserved, reason: LeftAloneReason) -> Finding {
    let Unserved { service, obstacle, subnets, certain } = unserved;
    let drift = Drift::ServiceNotServed { service, subnets, obstacle, certain };
    Finding::left_alone(RuleId::ServiceNotServed, drift, reason)
}

/// Whether another rule's finding tells of the obstacle. That a rule looks at such things is not
/// enough: it may look at another endpoint, or at other blocks.
fn tells(drift: &Drift, name: &ServiceName, obstacle: &Obstacle) -> bool {
    match obstacle {
        Obstacle::NotOffered => {
            matches!(drift, Drift::ServiceNotOffered { service } if service == name)
        }
        Obstacle::NoEndpoint | Obstacle::NameHeldByAnother { .. } => {
            matches!(drift, Drift::InterfaceEndpointMissing { service, .. } if service == name)
        }
        Obstacle::NotAssociated { table } => matches!(
            drift,
            Drift::GatewayEndpointMissing { service, tables }
            | Drift::RouteTableNotAssociated { service, tables, .. }
                if service == name && tables.contains(table)
        ),
        Obstacle::Broken { endpoint, .. } | Obstacle::AwaitsAcceptance { endpoint } => {
            matches!(drift, Drift::EndpointBroken { endpoint: told, .. } if told == endpoint)
        }
        Obstacle::NoInterface { endpoint } => {
            matches!(drift, Drift::ZonesNotCovered { endpoint: told, .. } if told == endpoint)
        }
        Obstacle::PrivateDnsOff { endpoint } => {
            matches!(drift, Drift::PrivateDnsOff { endpoint: told, .. } if told == endpoint)
        }
        Obstacle::InboundOnly { endpoint } => {
            matches!(drift, Drift::PrivateDnsForInboundOnly { endpoint: told, .. } if told == endpoint)
        }
        Obstacle::Policy { endpoint, .. } => {
            matches!(
                drift,
                Drift::PolicyNotFullAccess { endpoint: told, .. }
                | Drift::PolicyNotTheBaselines { endpoint: told, .. } if told == endpoint
            )
        }
        Obstacle::VpcDnsOff { attribute } => {
            matches!(drift, Drift::VpcDnsOff { attribute: told } if told == attribute)
        }
        Obstacle::HttpsNotAdmitted { endpoint, blocks } => matches!(
            drift,
            Drift::HttpsNotAdmitted { endpoint: told, cidrs, .. }
                if told == endpoint && blocks.iter().all(|block| is_within(block, cidrs))
        ),
        Obstacle::Overruled { table, destination, .. }
        | Obstacle::PerhapsOverruled { table, destination, .. } => matches!(
            drift,
            Drift::EndpointRouteOverruled { service, table: told, destination: there, .. }
                if service == name && (told, there) == (table, destination)
        ),
        Obstacle::NotAvailable { .. }
        | Obstacle::NoRoute { .. }
        | Obstacle::RouteStateUnclear { .. }
        | Obstacle::NotAGateway { .. }
        | Obstacle::NoPrivateName
        | Obstacle::NoServerReached { .. }
        | Obstacle::ServerLost { .. }
        | Obstacle::ServerAsksOthers { .. }
        | Obstacle::Dns64 { .. }
        | Obstacle::GroupRuleUnclear { .. }
        | Obstacle::IpVersionUnclear { .. }
        | Obstacle::OtherResolver { .. }
        | Obstacle::GroupsUnread { .. }
        | Obstacle::Acl(_)
        | Obstacle::NoAcl { .. }
        | Obstacle::NoIpVersion { .. }
        | Obstacle::InboundUnclear { .. }
        | Obstacle::NameAnswersUnclear { .. }
        | Obstacle::Diverted { .. }
        | Obstacle::Unread { .. }
        | Obstacle::RangesUnread { .. } => false,
    }
}

fn is_within(block: &Cidr, cidrs: &[Cidr]) -> bool {
    let cidrs: Vec<_> = cidrs.iter().filter_map(Cidr::net).collect();
    block.net().is_some_and(|net| covered(net, &cidrs))
}

/// Whether the plan tells of the obstacle as of something that was not read.
fn is_told_as_unread(view: &View<'_>, obstacle: &Obstacle) -> bool {
    if let Obstacle::Unread { section } = obstacle {
        // Otherwise it is one thing of a section that was read.
        return view.snapshot.missing.contains(section);
    }
    let Obstacle::GroupsUnread { endpoint } = obstacle else { return false };
    let interface = view.required_services.iter().filter(|it| it.kind == EndpointKind::Interface);
    let mut adopted = interface.filter_map(|it| it.adopted(view.snapshot));
    adopted.any(|it| it.vpc_endpoint_id == *endpoint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, gateway_endpoint};

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

    /// The fixture after one change, in words of what is found.
    fn s3(obstacle: &str) -> Vec<String> {
        vec![format!(
            "service-not-served: com.amazonaws.eu-central-1.s3 is not served to subnet-pria: {obstacle}"
        )]
    }

    #[test]
    fn an_endpoints_route_that_leads_nowhere_else_or_not_at_all_is_told_of() {
        let none = s3("rtb-a has no active route to vpce-s3");
        for state in ["blackhole", "filtered"] {
            assert_eq!(
                found(|w| w.set_route("rtb-a", "pl-s3", "State", json!(state))),
                none,
                "{state}"
            );
        }
        assert_eq!(found(|w| w.drop_route("rtb-a", "pl-s3")), none);
        assert_eq!(
            found(|w| w.drop_route("rtb-a", "pl-s3").route("rtb-a", "pl-s3", "vpce-zzz")),
            none
        );
    }

    #[test]
    fn a_table_that_the_endpoint_does_not_list_is_told_of() {
        assert_eq!(
            found(|w| w.set("vpce-s3", "RouteTableIds", json!(["rtb-b"]))),
            s3("no endpoint on rtb-a")
        );
    }

    #[test]
    fn a_subnets_block_that_no_block_of_the_vpc_holds_is_told_of() {
        let one = json!({"services": ["ssm"]});
        let not_admitted = "service-not-served: com.amazonaws.eu-central-1.ssm is not served to subnet-pria: vpce-ssm \
                            admits no TCP 443 from 10.99.0.0/20";
        let told = found(|w| {
            w.set("subnet-pria", "CidrBlock", json!("10.99.0.0/20"))
                .baseline("interface_endpoints", one)
        });
        assert_eq!(told, [not_admitted]);
    }

    #[test]
    fn what_the_plan_mends_is_told_of_once() {
        assert_eq!(
            found(|w| w.set("vpce-ssm", "SubnetIds", json!([]))),
            [
                "interface-endpoint-zone: vpce-ssm (com.amazonaws.eu-central-1.ssm) has no interface in eu-central-1a, \
                 eu-central-1b"
            ]
        );
    }

    #[test]
    fn one_endpoint_that_was_not_adopted_is_told_of_too() {
        let told = found(|w| {
            w.add("VpcEndpoints", gateway_endpoint("vpce-zzz", "s3", &["rtb-a"]));
            w.set("vpce-s3", "RouteTableIds", json!(["rtb-b"])).drop_route("rtb-a", "pl-s3");
            w.route("rtb-a", "pl-s3", "vpce-zzz").set(
                "vpce-zzz",
                "State",
                json!("pendingAcceptance"),
            )
        });
        assert_eq!(
            told,
            [
                "service-not-served: cannot tell whether com.amazonaws.eu-central-1.s3 is served to subnet-pria: vpce-zzz \
                 waits for the service's owner to accept it"
            ]
        );
    }
}
