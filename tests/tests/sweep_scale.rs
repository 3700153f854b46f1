//! One full sweep of many VPCs by the real function, against EC2's documented token buckets.
//!
//! `VPCS=1000 cargo test -p e2e --test sweep_scale -- --nocapture` does it for 1,000 VPCs of 12
//! subnets, and prints what it took.

#![cfg(test)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use e2e::pipeline::scenario;
use e2e::stack::{Options, Stack};
use e2e::worlds::copies;
use guardrail::ec2::world_file;
use guardrail_sim::SimOptions;
use guardrail_sim::http::Mishaps;
use serde_json::{Value, json};

const IDS: &str = "0a1b2c3d4e5f6";
const MINUTE: Duration = Duration::from_secs(60);
/// Lambda's memory in the template.
const MOST_KIB: u64 = 256 * 1024;
/// How many VPCs somebody changed, with no event that tells of it.
const DRIFTED: usize = 5;
/// A sweep that takes more of them stands still.
const MOST_MINUTES: usize = 60;

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// The demo's VPC, with eight more private subnets: four for each private table.
fn with_twelve_subnets(mut world: Value) -> Value {
    for number in 0..8 {
        let like = 2 + number % 2;
        let (old, table) = (text(&world["Subnets"][like], "SubnetId"), 1 + number % 2);
        let id = format!("subnet-{IDS}{:04x}", 0x0700 + number);
        let mut subnet: Value =
            serde_json::from_str(&world["Subnets"][like].to_string().replace(&old, &id)).unwrap();
        subnet["CidrBlock"] = json!(format!("10.20.{}.0/20", 64 + 16 * number));
        world["Subnets"].as_array_mut().unwrap().push(subnet);
        let also = |associations: &mut Value, name: &str, kind: &str| {
            let its = |it: &&Value| it["SubnetId"] == old.as_str();
            let mut one = associations.as_array().unwrap().iter().find(its).unwrap().clone();
            one["SubnetId"] = json!(id);
            one[name] = json!(format!("{kind}-{IDS}{:04x}", 0x0800 + number));
            associations.as_array_mut().unwrap().push(one);
        };
        let tables = &mut world["RouteTables"][table]["Associations"];
        also(tables, "RouteTableAssociationId", "rtbassoc");
        let acl = &mut world["NetworkAcls"][0]["Associations"];
        also(acl, "NetworkAclAssociationId", "aclassoc");
    }
    world
}

/// Somebody adds a way out to the first private table of some VPCs: which.
async fn change_some(stack: &Stack, world: &Value) -> BTreeSet<String> {
    let nats = world["NatGateways"].as_array().unwrap();
    let mut changed = BTreeSet::new();
    for nat in nats.iter().step_by((nats.len() / DRIFTED).max(1)).take(DRIFTED) {
        let vpc = text(nat, "VpcId");
        let tables = world["RouteTables"].as_array().unwrap().iter();
        let table = tables.filter(|table| text(table, "VpcId") == vpc).nth(1).unwrap();
        let (table, nat) = (text(table, "RouteTableId"), text(nat, "NatGatewayId"));
        let fields = [
            ("RouteTableId", table.as_str()),
            ("DestinationCidrBlock", "0.0.0.0/0"),
            ("NatGatewayId", nat.as_str()),
        ];
        let (status, body) = stack.ec2("CreateRoute", &fields).await.unwrap();
        assert_eq!(status, 200, "{body}");
        changed.insert(vpc);
    }
    changed
}

/// The VPCs of the messages that sweep sent, each time.
fn queued(stack: &Stack) -> Vec<String> {
    let made = stack.made();
    let batches =
        made.iter().filter(|made| made.by == "sweep" && made.call.action == "SendMessageBatch");
    let entries = batches.flat_map(|made| made.call.input["Entries"].as_array().unwrap().clone());
    let vpc = |entry: Value| {
        let body: Value = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
        text(&body["scope"], "vpc")
    };
    let mut vpcs: Vec<String> = entries.map(vpc).collect();
    vpcs.sort();
    vpcs
}

fn print_buckets(buckets: &Value) {
    println!("{:>7} {:>8} {:>8} {:>8}  action", "calls", "used", "bucket", "a second");
    for bucket in buckets.as_array().unwrap() {
        let number = |name: &str| bucket[name].as_f64().unwrap();
        let (made, used) = (number("made"), number("highest_use"));
        let (capacity, refill) = (number("capacity"), number("refill"));
        let unfiltered = if bucket["unfiltered"] == true { ", unfiltered" } else { "" };
        let action = text(bucket, "action");
        println!("{made:7} {used:8.1} {capacity:8} {refill:8}  {action}{unfiltered}");
    }
}

#[tokio::test]
async fn a_sweep_compares_every_vpc_within_its_share_of_the_buckets() {
    let count: usize = std::env::var("VPCS").map_or(100, |text| text.parse().unwrap());
    let world = copies(&[(&with_twelve_subnets(scenario("demo")), IDS, count)]);
    let stack = Stack::start(Options {
        world: world_file::load(&world.to_string()).unwrap(),
        ec2: SimOptions { throttling: true, ..SimOptions::default() },
        mishaps: Mishaps { lost: 100, ..Mishaps::default() },
        baseline: json!({ "version": 1, "mode": "notify" }),
        // A call waits four seconds for its answer, and the simulator's take some for so many.
        speed: 1,
    })
    .await;
    let changed = change_some(&stack, &world).await;

    let begun = Instant::now();
    // On a busy machine an answer can take longer than a call waits: Lambda tries the schedule's
    // invocation three times, and the next minute does what this one has not.
    let mut tries = 0..3;
    while let Err(why) = stack.sweep().await {
        assert!(tries.next().is_some() && why.contains("timed out"), "{why}");
    }
    let mut minutes = 0;
    let progress = loop {
        let progress = stack.table(|items| items.of_kind("SWEEP")).remove("progress").unwrap();
        if progress["ended"].is_string() {
            break progress;
        }
        let left = progress["remaining"].as_array().unwrap().len();
        println!("minute {minutes}: {left} VPCs are left, after {:.0?}", begun.elapsed());
        assert!(minutes < MOST_MINUTES, "the sweep does not end: {:?}", stack.lines());
        minutes += 1;
        stack.advance(MINUTE).await;
        let _ = stack.clock().await;
    };
    let took = begun.elapsed();
    stack.quiet().await;
    let peak = stack.sweep_peak_kib().await;
    let buckets = stack.ask_sim("buckets").await;
    println!("{count} VPCs of 12 subnets, {} of them changed", changed.len());
    println!(
        "the sweep, and {minutes} minutes of the clock: {took:.0?}, at most {} MiB",
        peak / 1024
    );
    print_buckets(&buckets);

    let number = |name: &str| progress[name].as_u64().and_then(|it| usize::try_from(it).ok());
    assert_eq!((number("compared"), number("off")), (Some(count), Some(changed.len())));
    assert_eq!(progress["remaining"], json!([]), "left unread");
    assert_eq!(queued(&stack), changed.into_iter().collect::<Vec<_>>(), "messages");
    assert!(peak < MOST_KIB, "{peak} KiB");
    let refused = buckets.as_array().unwrap().iter().filter(|bucket| bucket["refused"] != 0);
    assert_eq!(refused.collect::<Vec<_>>(), Vec::<&Value>::new(), "RequestLimitExceeded");
    let errors = stack.lines().into_iter().filter(|(_, line)| !line.contains("timed out"));
    assert_eq!(errors.collect::<Vec<_>>(), Vec::new(), "errors");
}
