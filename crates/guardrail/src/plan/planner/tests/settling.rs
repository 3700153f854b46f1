//! Routes that wait for what was changed to act, and obstacles that stop as much with the route.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::{DELETE, nat};
use crate::analysis::served::premises;
use crate::fixture::{Fixture, findings, planned};
use crate::history::{Facts, Grace, Memory, Premise};
use crate::plan::planner::plan;
use crate::plan::{Circumstances, Hold, Plan};

const NARROW: &str =
    r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:Get*","Resource":"*"}]}"#;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// What is remembered of the VPC after a look at its private subnets at this time.
fn looked(fixture: &Fixture, second: i64) -> Facts {
    fixture.view(|view, required| {
        let all = required
            .iter()
            .flat_map(|it| view.topology.private().flat_map(|at| premises(view, it, at)));
        let seen: BTreeSet<_> = all.collect();
        let seen: Vec<_> = seen.into_iter().collect();
        Facts::default().after_look(&seen, &BTreeSet::new(), &[], at(second))
    })
}

fn planned_with(fixture: &Fixture, memory: Memory<'_>, second: i64) -> Plan {
    let now = at(second);
    fixture.view(|view, _| {
        plan(
            view,
            Circumstances { incident: "test", now, memory, grace: crate::history::Grace::none() },
        )
        .1
    })
}

fn holds(plan: &Plan) -> Vec<Option<Hold>> {
    plan.steps.iter().map(|step| step.held.clone()).collect()
}

#[test]
fn a_route_waits_until_every_premise_has_been_seen_so_for_long_enough() {
    let fixture = Fixture::edited(nat);
    let facts = looked(&fixture, 1_000);
    let held = |second| holds(&planned_with(&fixture, Memory::Of(&facts), second));
    let until = at(1_300);
    assert!(
        matches!(held(1_299).as_slice(), [Some(Hold::Settling { until: at, .. })] if *at == until)
    );
    assert_eq!(held(1_300), [None]);
    assert_eq!(holds(&planned_with(&fixture, Memory::NotAsked, 0)), [None]);
}

/// "In the functions: no item or no table, no route goes, and the report says why."
#[test]
fn nothing_counts_that_is_not_remembered() {
    let fixture = Fixture::edited(nat);
    for memory in [Memory::Unreadable, Memory::Of(&Facts::default())] {
        let held = holds(&planned_with(&fixture, memory, 9_999_999));
        assert!(matches!(held.as_slice(), [Some(Hold::NotRemembered { .. })]), "{held:?}");
    }
}

/// A premise of another table's subnets holds nothing here, and one that has changed since does.
#[test]
fn what_has_changed_since_is_what_is_waited_for() {
    let before = Fixture::edited(nat);
    let facts = looked(&before, 1_000);
    let after = Fixture::edited(|w| nat(w).set("vpce-ssm", "PolicyDocument", json!(null)));
    assert_eq!(holds(&planned_with(&after, Memory::Of(&facts), 9_000)), [None]);
    let full = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    let after = Fixture::edited(|w| nat(w).set("vpce-ssm", "PolicyDocument", json!(full)));
    let premise = Premise::EndpointPolicy("vpce-ssm".parse().unwrap());
    assert_eq!(
        holds(&planned_with(&after, Memory::Of(&facts), 9_000)),
        [Some(Hold::NotRemembered { premise })]
    );
}

/// "Where it is, the policy refuses the same with the NAT route as without: a finding of its own,
/// 'on its baseline' is not said, and no route is kept for it."
#[test]
fn a_restricted_policy_keeps_a_route_only_until_it_is_in_settled_use() {
    let narrowed = |w: &mut Fixture| {
        nat(w).set("vpce-ssm", "PolicyDocument", json!(NARROW));
    };
    let fixture = Fixture::edited(|w| {
        narrowed(w);
        w
    });
    let facts = looked(&fixture, 1_000);
    let held = |memory, second| holds(&planned_with(&fixture, memory, second));
    assert_eq!(held(Memory::Of(&facts), 1_300), [None]);
    // Held, so that it is looked at again, and not left alone.
    let early = held(Memory::Of(&facts), 1_299);
    let until = at(1_300);
    assert!(
        matches!(early.as_slice(), [Some(Hold::Settling { until: at, .. })] if *at == until),
        "{early:?}"
    );
    let unreadable = held(Memory::Unreadable, 9_999);
    assert!(matches!(unreadable.as_slice(), [Some(Hold::NotRemembered { .. })]), "{unreadable:?}");
    // Not in use, because the name is off, or because the subnet does not reach the endpoint.
    let not_in_use = planned(|w| {
        narrowed(w);
        w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))
    });
    assert!(!not_in_use.iter().any(|line| line.contains(DELETE)), "{not_in_use:#?}");
    let told = findings(|w| w.set("vpce-ssm", "PolicyDocument", json!(NARROW)));
    assert_eq!(
        told,
        [
            "endpoint-policy: the policy of vpce-ssm (com.amazonaws.eu-central-1.ssm) is not full access"
        ]
    );
}

/// "An obstacle in the subnet's own ACL that equally stops TCP 443 to every public address keeps no
/// route: nothing is lost by its going."
#[test]
fn an_acl_keeps_a_route_unless_it_stops_all_public_https() {
    let under = |w: &mut Fixture, out: &str| {
        let rule = |egress: bool, block: &str| {
            json!({"RuleNumber": 1, "Egress": egress, "RuleAction": "allow", "Protocol": "-1",
                "CidrBlock": block})
        };
        let acl = json!({"NetworkAclId": "acl-a", "VpcId": "vpc-1",
            "Entries": [rule(true, out), rule(false, "0.0.0.0/0")],
            "Associations": [{"NetworkAclId": "acl-a", "SubnetId": "subnet-pria"}]});
        nat(w).add("NetworkAcls", acl);
    };
    for (out, goes) in [("10.0.0.0/8", true), ("3.0.0.0/8", false), ("52.219.0.0/17", false)] {
        let plan = planned(|w| {
            under(w, out);
            w
        });
        assert_eq!(plan.iter().any(|line| line.contains(DELETE)), goes, "{out}: {plan:#?}");
        let found = findings(|w| {
            under(w, out);
            w
        });
        let told = found.iter().any(|line| line.starts_with("service-not-served: "));
        assert!(told, "{out}: {found:?}");
    }
}

/// "A route that is itself to be removed is never an obstacle to its own removal."
#[test]
fn a_route_into_the_services_own_ranges_goes_with_the_others() {
    let both = planned(|w| nat(w).route("rtb-a", "52.219.4.0/24", "nat-1"));
    assert_eq!(
        both,
        [
            "1 delete the route 0.0.0.0/0 → nat-1 from rtb-a",
            "2 delete the route 52.219.4.0/24 → nat-1 from rtb-a",
        ]
    );
    // One that stays is one to both.
    let stays = planned(|w| nat(w).route("rtb-a", "52.219.4.0/24", "tgw-1"));
    assert!(!stays.iter().any(|line| line.contains(DELETE)), "{stays:#?}");
}

/// The guardrail's group is for its endpoints: made while these are left to a tool, it would be a
/// change that nobody asked for.
#[test]
fn a_group_is_left_alone_as_long_as_every_endpoint_that_would_use_it() {
    let fixture = Fixture::edited(|w| w.remove("vpce-ssm"));
    let grace = Grace { from: Some(at(100)), ..Grace::default() };
    let held = |second| {
        let now = at(second);
        let circumstances =
            Circumstances { incident: "test", now, memory: Memory::NotAsked, grace: &grace };
        holds(&fixture.view(|view, _| plan(view, circumstances).1))
    };
    let until = Hold::Grace { until: at(220) };
    let graced = held(219);
    assert!(
        graced.len() > 1 && graced.iter().all(|held| *held == Some(until.clone())),
        "{graced:?}"
    );
    assert!(held(220).iter().all(Option::is_none));
}
