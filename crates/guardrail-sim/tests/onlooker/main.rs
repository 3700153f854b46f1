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
mod names;
mod packet;
mod policy;
mod scene;
#[path = "../spec/mod.rs"]
#[allow(dead_code, reason = "the other properties use the rest")]
mod spec;
mod stage;

use std::collections::BTreeMap;

use guardrail::ec2::id::SubnetId;
use guardrail::ec2::world::World;
use guardrail::report::Report;
use guardrail::rules::left_alone::{LeftAloneReason, Unserved};
use guardrail_sim::SimOptions;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::scene::{Scene, Wrong, base, scene};
use crate::stage::Stage;

fn stage(scene: &Scene) -> Stage {
    let options = SimOptions::default();
    Stage::new(&scene.world(), &scene.baseline, scene.required(), &scene.private(), &options)
}

/// The route to the NAT gateway for everything, where a private subnet's table has it.
fn kept(scene: &Scene, world: &World) -> Vec<String> {
    let tables = world.route_tables.iter().flatten();
    let leads_out = tables.filter(|table| {
        table.routes.iter().any(|route| route.nat_gateway_id.is_some() && !is_half(route))
    });
    let private = scene.tables();
    let ids = leads_out.map(|table| table.route_table_id.to_string());
    ids.filter(|id| private.contains(id)).collect()
}

fn is_half(route: &guardrail::ec2::world::Route) -> bool {
    route.destination_cidr_block.as_ref().is_none_or(|cidr| cidr.as_str() != "0.0.0.0/0")
}

/// The subnets of a table of private ones that is kept, and the world without any of their routes out.
fn without_routes(scene: &Scene, world: &World, table: &str) -> (World, Vec<SubnetId>) {
    let mut without = world.clone();
    for table in without.route_tables.iter_mut().flatten() {
        if scene.tables().iter().any(|id| table.route_table_id == **id) {
            table.routes.retain(|route| route.nat_gateway_id.is_none());
        }
    }
    let tables = world.route_tables.iter().flatten();
    let its = tables.filter(|it| it.route_table_id == *table).flat_map(|it| &it.associations);
    (without, its.filter_map(|bound| bound.subnet_id.clone()).collect())
}

/// Every kept route is kept for something: without it a client would not reach what is required.
fn assert_not_kept_for_nothing(scene: &Scene, stage: &Stage, report: &Report) -> bool {
    let world = stage.world();
    let kept = kept(scene, &world);
    for table in &kept {
        let (without, users) = without_routes(scene, &world, table);
        assert!(
            !stage.onlooker.all_reach(&without, &users),
            "every client of {table} reaches everything without its route, and it is kept: {scene:#?}\n{report:#?}",
        );
    }
    !kept.is_empty()
}

/// Plays a scene to its end. Whether a route is kept, and why.
fn play(scene: &Scene) -> (bool, Report) {
    let stage = stage(scene);
    let mut report = stage.settle();
    let remedy = scene.remedy();
    if !remedy.is_empty() {
        remedy.iter().for_each(|call| stage.somebody_calls(call));
        report = stage.settle();
    }
    let is_kept = assert_not_kept_for_nothing(scene, &stage, &report);
    stage.writes();
    let again = stage.run(1000);
    assert_eq!(stage.writes(), Vec::new(), "a second run makes a call");
    assert_eq!(again.findings, report.findings);
    assert!(stage.onlooker.asked() > 0);
    (is_kept, report)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// With anything wrong, nobody loses what the guardrail must not take, and no route is kept for
    /// nothing.
    #[test]
    fn nobody_is_cut_off_whatever_is_wrong(scene in scene()) {
        play(&scene);
    }

    /// The same on worlds that are wrong in other ways: odd routes, states and limits.
    #[test]
    fn nobody_is_cut_off_in_odd_worlds(case in spec::case()) {
        let world = case.world();
        let required = case.required();
        let stage = Stage::new(&world, &case.baseline, required, &case.private(), &SimOptions::default());
        stage.settle();
    }
}

/// What kept the routes of a report.
fn obstacles(report: &Report) -> Vec<Unserved> {
    let reasons = report.left_alone.iter().map(|left| &left.reason);
    let of = reasons.filter_map(|reason| match reason {
        LeftAloneReason::ServiceNotServed { services } => Some(services.clone()),
        _ => None,
    });
    of.flatten().collect()
}

#[test]
fn routes_go_where_they_can_and_each_obstacle_alone_keeps_one() {
    let mut runner = TestRunner::deterministic();
    let mut next = || base().new_tree(&mut runner).unwrap().current();
    let mut alone: BTreeMap<String, usize> = BTreeMap::new();
    let mut ended = BTreeMap::from([(true, 0), (false, 0)]);
    let started = std::time::Instant::now();
    for wrong in Wrong::ALL {
        let mut times = 0;
        let mut whys = BTreeMap::new();
        for _ in 0..6 {
            let scene = Scene::new(next(), vec![wrong]);
            let Ok((is_kept, report)) = std::panic::catch_unwind(|| play(&scene)) else {
                println!("FAILED {scene:?}");
                break;
            };
            *ended.get_mut(&is_kept).unwrap() += 1;
            let found = obstacles(&report);
            for o in &found { *whys.entry(o.obstacle.clone()).or_insert(0) += 1; }
            times += usize::from(is_kept);
        }
        println!("{wrong:?} {times} {:?} {whys:?}", started.elapsed());
        alone.insert(format!("{wrong:?}"), times);
    }
    println!("{alone:#?} {ended:?}");
}
