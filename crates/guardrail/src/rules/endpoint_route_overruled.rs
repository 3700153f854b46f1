//! No route of a private subnet's table takes a gateway service's addresses past its endpoint.

use super::{Rule, found_by};
use crate::analysis::View;
use crate::analysis::served::{Certainty, Obstacle, prove};
use crate::baseline::RuleId;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::Repair;

pub(super) static RULE: Rule = Rule {
    id: RuleId::EndpointRouteOverruled,
    finds: "a route of a private subnet's table is more specific than a range of a required gateway service, or as specific \
            and static, so that it takes the range elsewhere than to the endpoint",
    repairs: "nothing; where the route is a way out, `internet-route` takes it away",
    needs: &[
        Section::Subnets,
        Section::RouteTables,
        Section::VpcEndpoints,
        Section::VpcEndpointServices,
        Section::PrefixLists,
    ],
    operations: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let mut told: Vec<Drift> = Vec::new();
    for required in view.required_services.iter().filter(|it| !it.is_passed_over()) {
        for placed in view.topology.private().filter(|it| required.is_required_in(it.subnet)) {
            for obstacle in prove(view, required, placed).obstacles {
                let certain = obstacle.certainty() == Certainty::Certain;
                let (Obstacle::Overruled { table, destination, target }
                | Obstacle::PerhapsOverruled { table, destination, target }) = obstacle
                else {
                    continue;
                };
                let service = required.name.clone();
                let drift =
                    Drift::EndpointRouteOverruled { service, table, destination, target, certain };
                if !told.contains(&drift) {
                    told.push(drift);
                }
            }
        }
    }
    if told.is_empty() {
        return Vec::new();
    }
    let ways_out = found_by(view, RuleId::InternetRoute);
    let finding = |drift| {
        // What becomes of a way out, the rule of ways out says.
        if ways_out.iter().any(|out| is_of_one_route(&drift, &out.drift)) {
            return Finding::new(RuleId::EndpointRouteOverruled, drift, Repair::None);
        }
        let reason = LeftAloneReason::OverrulesOnPurpose;
        Finding::left_alone(RuleId::EndpointRouteOverruled, drift, reason)
    };
    told.into_iter().map(finding).collect()
}

fn is_of_one_route(overruled: &Drift, way_out: &Drift) -> bool {
    let (Drift::EndpointRouteOverruled { table, destination, .. }, Drift::LeadsOut(out)) =
        (overruled, way_out)
    else {
        return false;
    };
    let there = out.destination.as_ref().map(ToString::to_string);
    out.table == *table && there.as_ref() == Some(destination)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, planned};

    /// The fixture's S3 has the ranges 3.5.0.0/19 and 52.219.0.0/16.
    fn told(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
        let all = findings(edit).into_iter();
        all.filter(|line| line.starts_with("endpoint-route-overruled")).collect()
    }

    #[test]
    fn an_equal_or_longer_static_route_overrules() {
        for (destination, overrules) in [
            ("52.219.0.0/16", true),
            ("52.219.7.0/24", true),
            ("52.0.0.0/8", false),
            ("9.9.9.9/32", false),
        ] {
            let told = told(|w| w.route("rtb-a", destination, "pcx-1"));
            let expected = format!(
                "endpoint-route-overruled: rtb-a: {destination} → pcx-1 takes addresses of \
                 com.amazonaws.eu-central-1.s3 past its endpoint"
            );
            assert_eq!(told, if overrules { vec![expected] } else { vec![] });
        }
    }

    #[test]
    fn of_a_way_out_only_its_own_rule_says_what_becomes_of_it() {
        let with =
            |target: &'static str| planned(move |w| w.route("rtb-a", "52.219.7.0/24", target));
        assert_eq!(with("nat-1"), ["1 delete the route 52.219.7.0/24 → nat-1 from rtb-a"]);
        assert_eq!(
            with("pcx-1"),
            [
                "- rtb-a: 52.219.7.0/24 → pcx-1 takes addresses of com.amazonaws.eu-central-1.s3 past its endpoint: it may \
                 be meant; take the route away if it is not"
            ]
        );
    }

    #[test]
    fn a_propagated_route_overrules_only_when_it_is_longer() {
        for (destination, count) in [("52.219.0.0/16", 0), ("52.219.7.0/24", 1)] {
            let told = told(|w| {
                w.route("rtb-a", destination, "vgw-1").set_route(
                    "rtb-a",
                    destination,
                    "Origin",
                    json!("EnableVgwRoutePropagation"),
                )
            });
            assert_eq!(told.len(), count, "{destination}");
        }
    }

    #[test]
    fn an_equal_entry_of_a_customers_list_may_overrule() {
        let told = |cidr: &str| {
            told(|w| {
                w.add(
                    "PrefixLists",
                    json!({"PrefixListId": "pl-own", "OwnerId": "111122223333",
                    "Entries": [{"Cidr": cidr}]}),
                );
                w.route("rtb-a", "pl-own", "tgw-1")
            })
        };
        assert_eq!(
            told("52.219.0.0/16"),
            [
                "endpoint-route-overruled: rtb-a: pl-own → tgw-1 may take addresses of com.amazonaws.eu-central-1.s3 past \
                 its endpoint"
            ]
        );
        assert_eq!(
            told("52.219.1.0/24"),
            [
                "endpoint-route-overruled: rtb-a: pl-own → tgw-1 takes addresses of com.amazonaws.eu-central-1.s3 past its \
                 endpoint"
            ]
        );
        assert_eq!(told("52.0.0.0/8"), [""; 0]);
    }
}
