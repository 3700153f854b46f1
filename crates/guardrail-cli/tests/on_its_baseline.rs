//! "On its baseline" is said only of a VPC where every required service is proved to be served to every
//! private subnet: over the example worlds, with one thing of each changed at a time.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy knows only the test functions themselves"
)]

use std::fs;
use std::path::{Path, PathBuf};

use guardrail::analysis::View;
use guardrail::analysis::required_service::required_services;
use guardrail::analysis::served::prove;
use guardrail::baseline::Baseline;
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::ec2::world::World;
use guardrail::report::{Cause, Verdict};
use guardrail::run::{RunRequest, preview_snapshot};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The example worlds, each with its name, without the routes that lead to NAT gateways.
fn worlds() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let whole = folders.iter().filter_map(|folder| {
        let text = fs::read_to_string(folder.join("world.json")).ok()?;
        let world = guardrail::ec2::world_file::load(&text).ok()?;
        let name = folder.file_name()?.to_string_lossy().into_owned();
        Some((name, without_nat(serde_json::to_value(world).ok()?)))
    });
    whole.collect()
}

fn without_nat(mut world: Value) -> Value {
    for table in world["RouteTables"].as_array_mut().into_iter().flatten() {
        if let Some(routes) = table["Routes"].as_array_mut() {
            routes.retain(|route| route.get("NatGatewayId").is_none());
        }
    }
    world
}

/// The places in a world that may be otherwise, as JSON pointers. The service catalogue is only as it
/// is, and what names are for people is nobody's premise.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    const LEFT_OUT: [&str; 4] = ["VpcEndpointServices", "Tags", "TagSet", "PrivateIpAddresses"];
    match value {
        Value::Object(fields) => {
            for (key, field) in fields.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())) {
                let there = format!("{at}/{key}");
                places(field, &there, all);
                all.push(there);
            }
        }
        Value::Array(things) => {
            for (index, thing) in things.iter().enumerate() {
                let there = format!("{at}/{index}");
                places(thing, &there, all);
                all.push(there);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What a place may hold instead; nothing at all is always one.
fn instead(at: &str, value: &Value) -> Vec<Option<Value>> {
    let words = |words: &[&str]| words.iter().map(|word| Some(json!(word))).collect();
    let others: Vec<Option<Value>> = match (at.rsplit('/').next().unwrap_or_default(), value) {
        (_, Value::Bool(is_on)) => vec![Some(json!(!is_on))],
        (_, Value::Array(_)) => vec![Some(json!([]))],
        ("State", _) => words(&[
            "blackhole",
            "filtered",
            "pending",
            "pendingAcceptance",
            "deleting",
            "failed",
            "unheard-of",
        ]),
        ("CidrBlock" | "CidrIp" | "DestinationCidrBlock", _) => {
            words(&["10.99.0.0/20", "52.219.140.0/24", "nonsense"])
        }
        ("RuleAction", _) => words(&["deny"]),
        ("GatewayId", _) => words(&["vpce-0a1b2c3d4e5f6ffff", "igw-0a1b2c3d4e5f6ffff"]),
        ("IpAddressType" | "DnsRecordIpType", _) => words(&["ipv6", "dualstack", "unheard-of"]),
        ("PolicyDocument", _) => words(&["{}", "nonsense"]),
        ("Value", _) => words(&["10.0.0.9"]),
        _ => Vec::new(),
    };
    others.into_iter().chain([None]).collect()
}

/// The world with one place otherwise; `None` where it is no world any more.
fn bent(world: &Value, at: &str, instead: Option<Value>) -> Option<World> {
    let mut world = world.clone();
    match instead {
        Some(instead) => *world.pointer_mut(at)? = instead,
        None => {
            let (parent, key) = at.rsplit_once('/')?;
            match world.pointer_mut(parent)? {
                Value::Object(fields) => {
                    fields.remove(key);
                }
                Value::Array(things) => {
                    things.remove(key.parse().ok()?);
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            }
        }
    }
    serde_json::from_value(world).ok()
}

/// Of the world's VPCs: how many are said to be on their baseline, and which of these have a private
/// subnet that is not served.
fn said(baseline: &Baseline, world: &World) -> (usize, Vec<String>) {
    let shared = Shared::of(world);
    let (mut on_it, mut wrong) = (0, Vec::new());
    for snapshot in Snapshot::all(world, &shared).unwrap_or_default() {
        let verdict = verdict(baseline, &snapshot);
        if !matches!(verdict, Verdict::Compliant | Verdict::Repaired | Verdict::Advised) {
            continue;
        }
        on_it += 1;
        let required = required_services(baseline, &snapshot.scope.region, &shared);
        let view = View::of(baseline, &snapshot, &required);
        for service in required.iter().filter(|it| !it.is_passed_over()) {
            for placed in view.topology.private().filter(|it| service.is_required_in(it.subnet)) {
                let obstacles = prove(&view, service, placed).obstacles;
                let line = |it| format!("{} for {}: {it}", service.name, placed.subnet.subnet_id);
                wrong.extend(obstacles.iter().map(line));
            }
        }
    }
    (on_it, wrong)
}

fn verdict(baseline: &Baseline, snapshot: &Snapshot<'_>) -> Verdict {
    let request = RunRequest {
        scope: snapshot.scope.clone(),
        cause: Cause::Operator,
        evidence: Vec::new(),
        run_id: "test".to_owned(),
        incident: "test".to_owned(),
        deadline: Timestamp::MAX,
    };
    preview_snapshot(baseline, snapshot, &request, Timestamp::UNIX_EPOCH).verdict
}

/// No world has more changes than this looked at: they are taken at even distances.
const CHANGES: usize = 600;

#[test]
fn a_vpc_is_on_its_baseline_only_where_everything_is_proved_to_be_served() {
    let baseline = Baseline::default();
    let (mut looked_at, mut on_it, mut bases) = (0, 0, 0);
    for (name, world) in worlds() {
        let (sound, wrong) = said(&baseline, &serde_json::from_value(world.clone()).unwrap());
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
        if sound == 0 {
            continue;
        }
        bases += 1;
        let mut all = Vec::new();
        places(&world, "", &mut all);
        let changes: Vec<(&String, Option<Value>)> = all
            .iter()
            .flat_map(|at| {
                let value = world.pointer(at).unwrap();
                instead(at, value).into_iter().map(move |instead| (at, instead))
            })
            .collect();
        for (at, instead) in changes.iter().step_by(changes.len().div_ceil(CHANGES)) {
            let Some(bent) = bent(&world, at, instead.clone()) else { continue };
            let (sound, wrong) = said(&baseline, &bent);
            assert_eq!(wrong, Vec::<String>::new(), "{name} with {instead:?} at {at}");
            looked_at += 1;
            on_it += sound;
        }
    }
    println!("{on_it} of {looked_at} changes to {bases} worlds leave a VPC on its baseline");
    assert!(bases >= 4 && looked_at > 1000 && on_it > 100, "{bases} {looked_at} {on_it}");
}
