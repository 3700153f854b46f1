//! The proof that nobody is cut off, and that what can go goes: an onlooker, which knows what a
//! packet and a name do and nothing of the guardrail's own judgement, looks on at every write and
//! for the time that answers live after it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test's helpers stop the test as the test does"
)]

mod client;
mod look;
mod meddler;
mod names;
mod nat64;
mod packet;
mod policy;
mod scene;
mod servers;
#[path = "../spec/mod.rs"]
#[allow(dead_code, reason = "the other properties use the rest")]
mod spec;
mod stage;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};

use guardrail::baseline::RuleId;
use guardrail::cloud::Cloud as _;
use guardrail::ec2::id::SubnetId;
use guardrail::ec2::world::{Route, World};
use guardrail::plan::StepId;
use guardrail::report::{Outcome, Report};
use guardrail::rules::left_alone::{LeftAlone, LeftAloneReason, Unserved};
use guardrail::run::preview;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::client::Client;
use crate::meddler::{deeds, meddle, meddled};
use crate::scene::{Scene, base, some_wrong};
use crate::spec::obstacles::{OBSTACLES, obstacle_in};
use crate::stage::{Stage, request};
use crate::wrong::Wrong;

fn stage(scene: &Scene) -> Stage {
    Stage::new(&scene.world(), &scene.baseline, scene.required(), &scene.private(), true)
}

/// What a route to a NAT gateway carries: everything of IPv4, or what NAT64 makes IPv4 of. Half of
/// either is no reason to keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Ipv4,
    Nat64,
}

fn carries(route: &Route) -> Option<Carries> {
    let v4 = route.destination_cidr_block.as_ref().map(|cidr| cidr.as_str() == "0.0.0.0/0");
    let v6 = route.destination_ipv6_cidr_block.as_ref();
    let nat64 = v6.map(|cidr| ["64:ff9b::/96", "::/0"].contains(&cidr.as_str()));
    route.nat_gateway_id.as_ref()?;
    let kind = v4.map(|all| (all, Carries::Ipv4)).or(nat64.map(|all| (all, Carries::Nat64)));
    kind.filter(|(all, _)| *all).map(|(_, kind)| kind)
}

/// The tables of private subnets that have a route to a NAT gateway, and what it carries.
fn kept(scene: &Scene, world: &World) -> Vec<(String, Carries)> {
    let private = scene.tables();
    let tables = world.route_tables.iter().flatten();
    let all = tables.flat_map(|table| {
        let its = table.routes.iter().filter_map(carries);
        its.map(|carries| (table.route_table_id.to_string(), carries))
    });
    all.filter(|(id, _)| private.contains(id)).collect()
}

/// The subnets of a table of private ones that is kept, and the world without any of their routes out,
/// or any that carries NAT64.
fn without_routes(
    scene: &Scene,
    world: &World,
    (table, carried): (&str, Carries),
) -> (World, Vec<SubnetId>) {
    let mut without = world.clone();
    for table in without.route_tables.iter_mut().flatten() {
        if scene.tables().iter().any(|id| table.route_table_id == **id) {
            let goes = |route: &Route| {
                let is_v6 = route.destination_ipv6_cidr_block.is_some();
                route.nat_gateway_id.is_some() && (is_v6 || carried == Carries::Ipv4)
            };
            table.routes.retain(|route| !goes(route));
        }
    }
    // An endpoint that is not the VPC's own to use may go at any time, and nobody counts on it.
    for endpoint in without.vpc_endpoints.iter_mut().flatten().filter(|e| e.requester_managed) {
        endpoint.groups.clear();
    }
    let tables = world.route_tables.iter().flatten();
    let its = tables.filter(|it| it.route_table_id == *table).flat_map(|it| &it.associations);
    (without, its.filter_map(|bound| bound.subnet_id.clone()).collect())
}

/// Every kept route is kept for something: without it a client that may use it would not reach what is
/// required.
fn assert_not_kept_for_nothing(scene: &Scene, stage: &Stage, report: &Report) -> bool {
    let world = stage.world();
    let kept = kept(scene, &world);
    for (table, carried) in &kept {
        let (without, users) = without_routes(scene, &world, (table, *carried));
        // What goes by NAT64 keeps no route for IPv4, but where nothing else is known of the clients.
        let uses =
            |client: &Client| *carried == Carries::Nat64 || !client.nat64 || client.v4.is_none();
        assert!(
            !stage.onlooker.all_reach(&without, &users, uses),
            "every client of {table} reaches everything without its route for {carried:?}, and it is kept: {scene:#?}\n{report:#?}",
        );
    }
    !kept.is_empty()
}

/// Plays a scene to its end, with what people do about it on the way. Whether a route is kept, and
/// why.
fn play(scene: &Scene, stage: &Stage) -> (bool, Report) {
    let mut report = stage.settle();
    let remedy = scene.remedy();
    if !remedy.is_empty() {
        remedy.iter().for_each(|call| stage.somebody_calls(call));
        report = stage.settle();
    }
    (assert_not_kept_for_nothing(scene, stage, &report), report)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// With anything wrong, nobody loses what the guardrail must not take, and no route is kept for
    /// nothing.
    #[test]
    fn nobody_is_cut_off_whatever_is_wrong(scene in some_wrong(0..4)) {
        let stage = stage(&scene);
        let (_, report) = play(&scene, &stage);
        stage.writes();
        let again = stage.run(1000);
        prop_assert_eq!(stage.writes(), Vec::new(), "a second run makes a call");
        prop_assert_eq!(again.findings, report.findings);
        prop_assert!(stage.onlooker.asked() > 0);
    }

    /// The same while somebody changes things to and fro, and records of it come late, twice and out of
    /// order; and when all is right and has settled, the route goes.
    #[test]
    fn nobody_is_cut_off_by_what_is_heard_late(scene in meddled(), deeds in deeds()) {
        let stage = stage(&scene);
        meddle(&scene, &stage, &deeds);
        let report = stage.settle();
        prop_assert_eq!(kept(&scene, &stage.world()), Vec::new(), "{:#?}", report);
    }

    /// The same on worlds that are wrong in other ways: odd routes, states and limits.
    #[test]
    fn nobody_is_cut_off_in_odd_worlds(case in spec::case()) {
        let world = case.world();
        let required = case.required();
        let stage = Stage::new(&world, &case.baseline, required, &case.private(), true);
        stage.settle();
    }
}

/// What keeps routes, by a report, and what keeps endpoints from being made and bent for them.
fn obstacles(report: &Report) -> Vec<&Unserved> {
    let reasons = report.left_alone.iter().map(|left| &left.reason);
    let of = reasons.filter_map(|reason| match reason {
        LeftAloneReason::ServiceNotServed { services }
        | LeftAloneReason::WouldCutOff { services }
        | LeftAloneReason::WouldNotServe { services } => Some(services),
        _ => None,
    });
    of.flatten().collect()
}

/// The kinds of obstacle that keep a route, without what follows from others: that no endpoint is made
/// or bent while it would serve nobody.
fn kinds(report: &Report, wrong: Wrong) -> BTreeSet<&'static str> {
    const FOLLOWS: [&str; 3] = ["NoEndpoint", "NotAssociated", "PrivateDnsOff"];
    let is_kept =
        |left: &LeftAlone| matches!(left.reason, LeftAloneReason::ServiceNotServed { .. });
    if !report.left_alone.iter().any(is_kept) {
        let waits = waits_for_people(report, wrong);
        return wrong.keeps().iter().copied().filter(|_| waits).collect();
    }
    let kinds = obstacles(report)
        .into_iter()
        .map(|it| obstacle_in(&it.obstacle).unwrap_or_else(|| panic!("{}", it.obstacle)));
    // An endpoint that another's name keeps from being made is left alone as such.
    let is_taken = |left: &&LeftAlone| matches!(left.reason, LeftAloneReason::NameTaken { .. });
    let taken = report.left_alone.iter().filter(is_taken).map(|_| "NameHeldByAnother");
    let kinds = kinds.chain(taken);
    let follows = |kind: &str| FOLLOWS.contains(&kind) && !wrong.keeps().contains(&kind);
    kinds.filter(|kind| !follows(kind)).collect()
}

/// Whether a route's removal waits for repairs that the baseline leaves to people, and for no other
/// such.
fn waits_for_people(report: &Report, wrong: Wrong) -> bool {
    let left: BTreeMap<StepId, bool> = report
        .steps
        .iter()
        .filter(|step| matches!(step.outcome, Outcome::NotAllowed(_)))
        .map(|step| (step.id, step.rules.iter().any(|rule| wrong.leaves().contains(rule))))
        .collect();
    let mut removals =
        report.steps.iter().filter(|step| step.rules.contains(&RuleId::InternetRoute));
    left.values().all(|is_its| *is_its)
        && removals.any(|step| step.after.iter().any(|before| left.contains_key(before)))
}

/// How often each obstacle alone, in a VPC that is else sound, is what keeps a route. What passes by
/// itself keeps none: it is waited for. Who reaches no server already has nothing to lose either.
#[test]
fn each_obstacle_alone_keeps_a_route() {
    const PASS: [&str; 2] = ["NotAvailable", "NoServerReached"];
    let mut runner = TestRunner::deterministic();
    let mut times: BTreeMap<&str, usize> = OBSTACLES.iter().map(|told| (told.name, 0)).collect();
    for wrong in Wrong::ALL.into_iter().filter(|wrong| !wrong.keeps().is_empty()) {
        let (mut of_wrong, mut worlds) = (0, 0);
        while worlds < LEAST || worlds < MOST && wrong.keeps().iter().any(|it| times[it] < LEAST) {
            worlds += 1;
            let scene = Scene::new(base().new_tree(&mut runner).unwrap().current(), vec![wrong]);
            let (now, world) = (Timestamp::UNIX_EPOCH, scene.small_world());
            let report = preview(&scene.baseline, &world, &request(0, now), now);
            let kinds: Vec<&str> = kinds(&report, wrong).into_iter().collect();
            let is_it = !kinds.is_empty() && kinds.iter().all(|it| wrong.keeps().contains(it));
            of_wrong += usize::from(is_it && !kept(&scene, &world).is_empty());
            if let ([one], true) = (kinds.as_slice(), is_it) {
                *times.entry(one).or_default() += 1;
            }
        }
        println!("{wrong:?} alone keeps a route in {of_wrong} of {worlds} worlds");
        assert!(of_wrong >= LEAST, "{wrong:?}: {of_wrong}");
    }
    println!("worlds in which one obstacle alone keeps a route: {times:#?}");
    let seldom = times.into_iter().filter(|(name, times)| *times < LEAST && !PASS.contains(name));
    assert_eq!(seldom.collect::<Vec<_>>(), []);
}

const LEAST: usize = 50;
const MOST: usize = 160;

/// A guardrail that never removes a route fails here, and so does one that always does.
#[test]
fn routes_go_where_they_can_and_stay_where_they_must() {
    let mut runner = TestRunner::deterministic();
    let (mut gone, mut stayed) = (0, 0);
    for _ in 0..WORLDS {
        let scene = some_wrong(0..2).new_tree(&mut runner).unwrap().current();
        let world = scene.small_world();
        let stage = Stage::new(&world, &scene.baseline, scene.required(), &scene.private(), false);
        let (is_kept, _) = play(&scene, &stage);
        *(if is_kept { &mut stayed } else { &mut gone }) += 1;
    }
    println!("of {WORLDS} worlds {gone} end without the route and {stayed} with it");
    assert!(gone * 10 >= WORLDS * 3 && stayed * 10 >= WORLDS * 3, "{gone} and {stayed}");
}

const WORLDS: usize = 120;

/// What somebody puts right acts late, DHCP options hours late, and then the routes go.
#[test]
fn what_is_put_right_counts_once_it_acts() {
    let mut runner = TestRunner::deterministic();
    for wrong in [Wrong::OtherServers, Wrong::OtherServersBesideAmazons, Wrong::InterfacePolicy] {
        for _ in 0..3 {
            let scene = Scene::new(base().new_tree(&mut runner).unwrap().current(), vec![wrong]);
            let stage = stage(&scene);
            let before = stage.now();
            let (is_kept, report) = play(&scene, &stage);
            assert!(!is_kept, "{scene:?}: {report:#?}");
            let is_dhcp = matches!(wrong, Wrong::OtherServers | Wrong::OtherServersBesideAmazons);
            let hours = stage.now().duration_since(before).as_hours();
            assert_eq!(hours >= 4, is_dhcp, "{scene:?} took {hours} hours");
        }
    }
}

/// A table is associated with a gateway endpoint whose policy somebody has just reset, or an endpoint
/// made behind an ACL that somebody has just opened: for some minutes the old one may still act.
#[test]
fn no_traffic_moves_onto_what_may_still_be_as_it_was() {
    let mut runner = TestRunner::deterministic();
    for wrong in [Wrong::GatewayPolicy, Wrong::AclOwnOut, Wrong::AclOfEndpoint] {
        for _ in 0..8 {
            let scene = Scene::new(base().new_tree(&mut runner).unwrap().current(), vec![wrong]);
            let stage = stage(&scene);
            stage.settle();
            scene.early_remedy().iter().for_each(|call| stage.somebody_calls(call));
            stage.settle();
        }
    }
}
