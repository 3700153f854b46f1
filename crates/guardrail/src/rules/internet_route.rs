//! No table of a private subnet leads to the internet.

use super::Rule;
use crate::analysis::View;
use crate::analysis::route::{
    Doubt, InternetExit, PossibleExit, RouteClass, allowed, classify, is_blackhole, passers,
};
use crate::analysis::topology::TableUse;
use crate::baseline::MayLeadOut;
use crate::baseline::RuleId;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{Route, RouteOrigin, RouteState};
use crate::rules::finding::{Certainty, Drift, Finding, LeadingRoute};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Repair, RouteRemoval};

pub(super) static RULE: Rule = Rule {
    id: RuleId::InternetRoute,
    finds: "a private subnet's route table, its own or the main one, has a route that leads or may lead to the internet",
    repairs: "deletes the route once every service required for the table's subnets is served; never from a table that \
              other subnets use too",
    needs: &[
        Section::Vpcs,
        Section::Subnets,
        Section::RouteTables,
        Section::NatGateways,
        Section::NetworkInterfaces,
        Section::PrefixLists,
    ],
    operations: &[Operation::DeleteRoute],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    // Tables off limits too: one that serves a private subnet is told of, though never changed.
    let private = view.topology.tables.iter().filter(|used| used.private_users().next().is_some());
    private
        .flat_map(|used| {
            used.table.routes.iter().filter_map(move |route| finding(view, used, route))
        })
        .collect()
}

fn finding(view: &View<'_>, used: &TableUse<'_>, route: &Route) -> Option<Finding> {
    let class = classify(route, used.table, view.snapshot, &view.topology);
    let certainty = match &class {
        RouteClass::Local | RouteClass::Endpoint(_) | RouteClass::Inside(_) => return None,
        RouteClass::Internet(_) | RouteClass::MayLeadOut(_) if is_of_unknown_make(route) => {
            Certainty::Unknown
        }
        RouteClass::Internet(_) => Certainty::Certain,
        // Not a question of what the baseline accepts: nobody looked.
        RouteClass::MayLeadOut(PossibleExit::UnreadPrefixList(_)) => Certainty::Unknown,
        RouteClass::MayLeadOut(_) => match view.baseline.internet_routes.may_lead_out {
            MayLeadOut::Accept => return None,
            MayLeadOut::Report | MayLeadOut::Remove => Certainty::Possible,
        },
        RouteClass::Unknown(_) => Certainty::Unknown,
    };
    match certainty {
        Certainty::Certain | Certainty::Possible
            if allowed(route, view.snapshot, view.baseline).is_some() =>
        {
            return None;
        }
        Certainty::Certain | Certainty::Possible | Certainty::Unknown => {}
    }
    let propagated = match &route.origin {
        Some(RouteOrigin::EnableVgwRoutePropagation | RouteOrigin::Advertisement) => true,
        Some(RouteOrigin::CreateRoute | RouteOrigin::CreateRouteTable | RouteOrigin::Other(_))
        | None => false,
    };
    let leading = LeadingRoute {
        table: used.table.route_table_id.clone(),
        destination: route.destination(),
        target: route.target(),
        certainty,
        via: class.to_string(),
        blackhole: is_blackhole(route),
        propagated,
        main: used.main,
        subnets: used.private_users().cloned().collect(),
        shared_with: used.other_users().map(|(id, _)| id.clone()).collect(),
    };
    let removal = only_told(&class).map_or_else(|| removal(&leading, route, used, view), Err);
    let what =
        format!("{}: {} → {}", leading.table, leading.shown_destination(), leading.shown_target());
    let drift = Drift::LeadsOut(leading);
    Some(match removal {
        Ok(removal) => Finding::new(RuleId::InternetRoute, drift, Repair::RemoveRoute(removal)),
        Err(reason) => {
            Finding::new(RuleId::InternetRoute, drift, Repair::None).leaving(what, reason)
        }
    })
}

/// Why a route behind which there is more than an exit is told of and never removed, if it is.
fn only_told(class: &RouteClass) -> Option<LeftAloneReason> {
    match class {
        RouteClass::Internet(InternetExit::Detour(detour)) => match detour.doubt.clone()? {
            Doubt::CarriesMore(to) => Some(LeftAloneReason::CarriesMore { to }),
            Doubt::Unproven(from, to) => Some(LeftAloneReason::UnprovenDetour { from, to }),
        },
        RouteClass::MayLeadOut(PossibleExit::Detour(through, exit)) => {
            let to = exit.to_string();
            match (exit.as_ref(), through.iter().find(|hop| hop.is_private_nat())) {
                (PossibleExit::Blackhole(_), None) => None,
                (PossibleExit::Blackhole(_), Some(nat)) => {
                    Some(LeftAloneReason::UnprovenDetour { from: nat.to_string(), to })
                }
                (_, _) => Some(LeftAloneReason::CarriesMore { to }),
            }
        }
        RouteClass::Internet(_)
        | RouteClass::MayLeadOut(_)
        | RouteClass::Local
        | RouteClass::Endpoint(_)
        | RouteClass::Inside(_)
        | RouteClass::Unknown(_) => None,
    }
}

/// The removal of the route; or why it stays, whatever is served without it.
fn removal(
    leading: &LeadingRoute,
    route: &Route,
    used: &TableUse<'_>,
    view: &View<'_>,
) -> Result<RouteRemoval, LeftAloneReason> {
    let destination = leading.destination.clone().ok_or(LeftAloneReason::Unknown)?;
    match leading.certainty {
        Certainty::Unknown => return Err(LeftAloneReason::Unknown),
        Certainty::Possible if view.baseline.internet_routes.may_lead_out != MayLeadOut::Remove => {
            return Err(LeftAloneReason::MayLeadOut);
        }
        Certainty::Possible | Certainty::Certain => {}
    }
    if used.off_limits.is_some() {
        return Err(LeftAloneReason::TableOfGateway);
    }
    if !used.unsettled.is_empty() {
        let subnets = used.unsettled.iter().copied().cloned().collect();
        return Err(LeftAloneReason::AssociationUnsettled { subnets });
    }
    if leading.propagated {
        return Err(LeftAloneReason::Propagated);
    }
    if !leading.shared_with.is_empty() {
        return Err(LeftAloneReason::SharedTable { with: leading.shared_with.clone() });
    }
    let passers = passers(route, used.table, view.snapshot, &view.topology);
    let (private, others): (Vec<_>, Vec<_>) =
        passers.into_iter().partition(|placed| placed.class.is_private());
    if !others.is_empty() {
        let from = others.iter().map(|placed| placed.subnet.subnet_id.clone()).collect();
        return Err(LeftAloneReason::PassesOn { from });
    }
    let target = leading.target.clone().ok_or(LeftAloneReason::Unknown)?;
    let (table, mut subnets) = (leading.table.clone(), leading.subnets.clone());
    subnets.extend(private.iter().map(|placed| placed.subnet.subnet_id.clone()));
    Ok(RouteRemoval { table, destination, target, subnets })
}

/// Whether AWS says of the route what this version has no word for; such a route is told of, never
/// deleted.
fn is_of_unknown_make(route: &Route) -> bool {
    matches!(route.origin, Some(RouteOrigin::Other(_)))
        || matches!(route.state, Some(RouteState::Other(_)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings};

    fn check(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, expected: &[&str]) {
        assert_eq!(findings(edit), expected);
    }

    #[test]
    fn a_vpc_on_its_baseline_has_none() {
        check(|w| w, &[]);
    }

    #[test]
    fn a_nat_route_on_a_private_table_is_found() {
        check(
            |w| w.route("rtb-a", "0.0.0.0/0", "nat-1"),
            &[
                "internet-route: rtb-a: 0.0.0.0/0 → nat-1 leads to the internet through public NAT gateway nat-1, for \
               private subnet-pria",
            ],
        );
    }

    #[test]
    fn a_route_within_an_allowed_destination_is_none_and_a_larger_one_is() {
        let allowed = |blocks: &[&str], routes: &[(&str, &str)]| {
            let baseline = json!({"allowed": [{"destinations": blocks, "reason": "partner"}],
                "may_lead_out": "report"});
            let found = findings(|w| {
                w.baseline("internet_routes", baseline);
                for (to, target) in routes {
                    w.route("rtb-a", to, target);
                }
                w
            });
            found.len()
        };
        let partner = &["8.8.8.0/24", "2600:9000::/32"];
        assert_eq!(allowed(partner, &[("8.8.8.0/24", "nat-1")]), 0);
        assert_eq!(allowed(partner, &[("8.8.8.8/32", "igw-1")]), 0);
        assert_eq!(allowed(partner, &[("8.8.8.8/32", "tgw-1")]), 0);
        assert_eq!(allowed(partner, &[("2600:9000:1::/48", "eigw-1")]), 0);
        assert_eq!(allowed(partner, &[("8.8.8.0/23", "nat-1")]), 1, "more than is allowed");
        assert_eq!(allowed(partner, &[("0.0.0.0/0", "nat-1"), ("8.8.8.8/32", "nat-1")]), 1);
        assert_eq!(allowed(&["8.8.8.0/25", "8.8.8.128/25"], &[("8.8.8.0/24", "nat-1")]), 1);
        assert_eq!(allowed(partner, &[("2600:9001::/32", "eigw-1")]), 1);
        assert_eq!(allowed(&["0.0.0.0/0"], &[("::/0", "nat-1")]), 1, "the other family");
    }

    #[test]
    fn each_half_of_a_split_default_route_is_found() {
        check(
            |w| {
                w.route("rtb-b", "0.0.0.0/1", "nat-1").route("rtb-b", "128.0.0.0/1", "nat-regional")
            },
            &[
                "internet-route: rtb-b: 0.0.0.0/1 → nat-1 leads to the internet through public NAT gateway nat-1, for \
                 private subnet-prib",
                "internet-route: rtb-b: 128.0.0.0/1 → nat-regional leads to the internet through regional NAT gateway \
                 nat-regional, for private subnet-prib",
            ],
        );
    }

    #[test]
    fn public_unused_and_edge_tables_are_not_judged() {
        check(
            |w| w.route("rtb-pub", "10.9.0.0/16", "nat-1").route("rtb-main", "0.0.0.0/0", "nat-1"),
            &[],
        );
        check(
            |w| {
                w.associate("rtb-main", json!({"GatewayId": "igw-1"})).route(
                    "rtb-main",
                    "0.0.0.0/0",
                    "eni-1",
                );
                w.associate("rtb-main", json!({"PublicIpv4Pool": "amazon"}))
            },
            &[],
        );
    }

    #[test]
    fn a_subnet_without_an_association_uses_the_main_table() {
        let unbound = findings(|w| {
            w.set("rtb-a", "Associations", json!([])).route("rtb-main", "0.0.0.0/0", "nat-1")
        });
        assert_eq!(
            unbound.last().map(String::as_str),
            Some(
                "internet-route: rtb-main (the main table): 0.0.0.0/0 → nat-1 leads to the internet through public NAT \
                 gateway nat-1, for private subnet-pria"
            )
        );
    }

    #[test]
    fn a_private_subnet_on_a_regional_nat_gateways_own_table_is_told_of() {
        let told = findings(|w| {
            w.add("RouteTables", crate::fixture::table("rtb-regional", &["subnet-pria"]));
            w.route("rtb-regional", "0.0.0.0/0", "igw-1").set("rtb-a", "Associations", json!([]))
        });
        assert_eq!(
            told,
            [
                "service-not-served: com.amazonaws.eu-central-1.s3 is not served to subnet-pria: no endpoint on rtb-regional",
                "service-not-served: com.amazonaws.eu-central-1.dynamodb is not served to subnet-pria: no endpoint on \
                 rtb-regional",
                "internet-route: rtb-regional: 0.0.0.0/0 → igw-1 leads to the internet through internet gateway igw-1, for \
              private subnet-pria"
            ]
        );
    }

    #[test]
    fn what_may_lead_out_is_as_the_baseline_says() {
        let told = "internet-route: rtb-a: 0.0.0.0/0 → tgw-1 may lead to the internet through transit gateway tgw-1, for \
                    private subnet-pria";
        for (may_lead_out, expected) in
            [("accept", vec![]), ("report", vec![told]), ("remove", vec![told])]
        {
            check(
                |w| {
                    w.baseline("internet_routes", json!({"may_lead_out": may_lead_out}));
                    w.route("rtb-a", "0.0.0.0/0", "tgw-1")
                },
                &expected,
            );
        }
    }

    #[test]
    fn a_prefix_list_nobody_read_is_told_of_whatever_the_baseline_accepts() {
        for may_lead_out in ["accept", "report", "remove"] {
            check(
                |w| {
                    w.baseline("internet_routes", json!({"may_lead_out": may_lead_out}));
                    w.route("rtb-a", "pl-unread", "nat-1")
                },
                &[
                    "internet-route: rtb-a: pl-unread → nat-1 leads to prefix list pl-unread, whose entries were not read, \
                   for private subnet-pria",
                ],
            );
        }
    }

    #[test]
    fn a_route_of_unknown_make_is_told_of_as_such() {
        for (key, word) in [("Origin", "Teleport"), ("State", "wobbling")] {
            check(
                |w| {
                    w.route("rtb-a", "0.0.0.0/0", "nat-1").set_route(
                        "rtb-a",
                        "0.0.0.0/0",
                        key,
                        json!(word),
                    )
                },
                &[
                    "internet-route: rtb-a: 0.0.0.0/0 → nat-1 leads to public NAT gateway nat-1, for private subnet-pria",
                ],
            );
        }
    }

    /// What leads out behind a hop is not accepted by accepting what may; what cannot be proved, or
    /// carries more, is told of.
    #[test]
    fn a_detour_that_leads_out_is_found_whatever_is_accepted_and_removed_only_when_it_is_certain() {
        let steps = |target: &str, edit: &dyn Fn(&mut Fixture)| {
            crate::fixture::planned(|w| {
                let eni = json!({"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1",
                    "SubnetId": "subnet-pubb", "SourceDestCheck": false, "InterfaceType": "interface",
                    "Attachment": {"InstanceId": "i-1"}});
                w.baseline("internet_routes", json!({"may_lead_out": "accept"}));
                w.add("NetworkInterfaces", eni).set(
                    "nat-private",
                    "SubnetId",
                    json!("subnet-pubb"),
                );
                w.route("rtb-a", "0.0.0.0/0", target).drop_route("rtb-pub", "0.0.0.0/0");
                edit(w);
                w.set("subnet-pubb", "Tags", json!([])).set("subnet-puba", "Tags", json!([]))
            })
        };
        let to = |target: &'static str| {
            move |w: &mut Fixture| {
                w.route("rtb-pub", "0.0.0.0/0", target);
            }
        };
        let first = |target: &str, edit: &dyn Fn(&mut Fixture)| steps(target, edit).remove(0);
        assert_eq!(
            first("eni-1", &to("nat-regional")),
            "1 delete the route 0.0.0.0/0 → eni-1 from rtb-a"
        );
        assert_eq!(
            first("nat-private", &to("nat-1")),
            "- rtb-a: 0.0.0.0/0 → nat-private: whether private NAT gateway nat-private passes traffic \
             on to public NAT gateway nat-1 cannot be proved; a person must decide"
        );
        assert_eq!(
            first("eni-1", &|w| {
                w.route("rtb-pub", "0.0.0.0/0", "nat-1").route("rtb-pub", "10.9.0.0/16", "pcx-1");
            }),
            "- rtb-a: 0.0.0.0/0 → eni-1: part of what it carries goes on to peering connection pcx-1, \
             which its removal would cut; a person must decide"
        );
        assert_eq!(steps("eni-1", &to("tgw-1")), Vec::<String>::new());
    }

    #[test]
    fn a_detour_that_may_lead_out_is_told_of_even_where_such_routes_are_removed() {
        let steps = |target: &str| {
            crate::fixture::planned(|w| {
                w.baseline("internet_routes", json!({"may_lead_out": "remove"}));
                w.set("nat-private", "SubnetId", json!("subnet-puba"));
                w.set("nat-1", "SubnetId", json!("subnet-elsewhere"));
                w.route("rtb-pub", "52.0.0.0/8", "tgw-1").route("rtb-a", "52.0.0.0/8", target);
                let accept = json!({"accept": ["subnet-puba", "subnet-pubb"], "reason": "a test"});
                w.baseline("unclassified_subnets", accept)
            })
        };
        assert_eq!(steps("tgw-1"), ["1 delete the route 52.0.0.0/8 → tgw-1 from rtb-a"]);
        assert_eq!(
            steps("nat-private"),
            [
                "- rtb-a: 52.0.0.0/8 → nat-private: part of what it carries goes on to transit gateway \
              tgw-1, which its removal would cut; a person must decide"
            ]
        );
    }

    /// By the old table or by the new one, nobody can tell: both are looked at, and neither is changed.
    #[test]
    fn while_an_association_is_not_settled_both_tables_count_and_neither_is_changed() {
        let steps = |state: &'static str, table: &'static str| {
            crate::fixture::planned(|w| {
                let association =
                    json!([{"SubnetId": "subnet-pria", "AssociationState": {"State": state}}]);
                w.set("rtb-a", "Associations", association).route(table, "0.0.0.0/0", "nat-1")
            })
        };
        for state in ["associating", "disassociating", "wobbling"] {
            for table in ["rtb-a", "rtb-main"] {
                let told = format!(
                    "- {table}: 0.0.0.0/0 → nat-1: nobody can tell at present whether subnet-pria use \
                     this table, by the state of their associations"
                );
                let steps = steps(state, table);
                assert!(steps.contains(&told), "{state} {table}: {steps:#?}");
                let deleted = |step: &String| step.contains("delete the route");
                assert!(!steps.iter().any(deleted), "{state} {table}: {steps:#?}");
            }
        }
        assert_eq!(
            steps("associated", "rtb-a"),
            ["1 delete the route 0.0.0.0/0 → nat-1 from rtb-a"]
        );
        assert_eq!(steps("associated", "rtb-main"), Vec::<String>::new());
        // A public subnet that may use the table keeps its route.
        let shared = crate::fixture::planned(|w| {
            let state = json!({"State": "disassociating"});
            w.associate("rtb-a", json!({"SubnetId": "subnet-puba", "AssociationState": state}));
            w.route("rtb-a", "0.0.0.0/0", "nat-1")
        });
        assert!(!shared.iter().any(|step| step.contains("delete the route")), "{shared:#?}");
    }

    #[test]
    fn what_leads_out_through_what_is_not_known_is_told_and_never_deleted() {
        let steps = |edit: &dyn Fn(&mut Fixture)| {
            crate::fixture::planned(|w| {
                let eni = json!({"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1",
                    "SubnetId": "subnet-puba", "SourceDestCheck": false,
                    "InterfaceType": "interface", "Attachment": {"InstanceId": "i-1"}});
                for way in ["accept", "remove"] {
                    w.baseline("internet_routes", json!({"may_lead_out": way}));
                }
                w.add("NetworkInterfaces", eni);
                edit(w);
                w
            })
        };
        let to = |target: &'static str, key: &'static str, value: serde_json::Value| {
            steps(&move |w: &mut Fixture| {
                w.route("rtb-a", "0.0.0.0/0", target).set(target, key, value.clone());
            })
        };
        assert_eq!(
            to("eni-1", "SubnetId", json!("subnet-puba")),
            ["1 delete the route 0.0.0.0/0 → eni-1 from rtb-a"]
        );
        for (target, key, value) in [
            ("eni-1", "InterfaceType", json!("teleporter")),
            ("eni-1", "Attachment", json!(null)),
            ("eni-1", "SourceDestCheck", json!(null)),
            ("nat-1", "State", json!("wobbling")),
        ] {
            let told = format!("- rtb-a: 0.0.0.0/0 → {target}: ");
            let steps = to(target, key, value);
            assert!(steps.iter().any(|step| step.starts_with(&told)), "{key}: {steps:#?}");
            assert_eq!(steps.len(), 1, "{key}: {steps:#?}");
        }
    }

    #[test]
    fn blackholes_are_found_too() {
        check(
            |w| {
                w.route("rtb-a", "0.0.0.0/0", "nat-1").set_route(
                    "rtb-a",
                    "0.0.0.0/0",
                    "State",
                    json!("blackhole"),
                )
            },
            &[
                "internet-route: rtb-a: 0.0.0.0/0 → nat-1 leads to the internet through public NAT gateway nat-1 (a \
               blackhole at present), for private subnet-pria",
            ],
        );
    }

    #[test]
    fn without_all_it_rests_on_it_says_nothing() {
        for section in ["NatGateways", "PrefixLists", "NetworkInterfaces"] {
            check(|w| w.route("rtb-a", "0.0.0.0/0", "nat-1").without(section), &[]);
        }
    }
}
