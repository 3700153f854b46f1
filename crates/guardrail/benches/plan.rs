//! Comparing VPCs with the baseline and planning for them: 12 subnets and 40 routes in each, one in
//! ten with drift.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use guardrail::analysis::View;
use guardrail::analysis::required_service::required_services;
use guardrail::baseline::Baseline;
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::ec2::world::World;
use guardrail::ec2::world_file;
use guardrail::history::{Grace, Memory};
use guardrail::plan::Circumstances;
use guardrail::plan::planner::plan;
use guardrail::report::alert::plan_text;
use guardrail::report::{Cause, Verdict};
use guardrail::run::{RunRequest, preview_snapshot};
use jiff::Timestamp;
use serde_json::{Value, json};

fn main() {
    divan::main();
}

const SIZES: [usize; 4] = [1, 10, 100, 1000];
const REGION: &str = "eu-central-1";
const CIRCUMSTANCES: Circumstances<'_> = Circumstances {
    incident: "bench",
    now: Timestamp::UNIX_EPOCH,
    memory: Memory::NotAsked,
    grace: Grace::none(),
};

#[divan::bench(args = SIZES)]
fn compare_and_plan(bencher: Bencher<'_, '_>, vpcs: usize) {
    let world = world(vpcs);
    let baseline = Baseline::default();
    bencher.counter(ItemsCount::new(vpcs)).bench_local(|| {
        let shared = Shared::of(black_box(&world));
        let snapshots = Snapshot::all(&world, &shared).unwrap_or_default();
        let region = snapshots.first().map(|snapshot| snapshot.scope.region.clone());
        let required_services =
            region.map(|region| required_services(&baseline, &region, &shared)).unwrap_or_default();
        let steps: usize = snapshots
            .iter()
            .map(|snapshot| {
                plan(&View::of(&baseline, snapshot, &required_services), CIRCUMSTANCES)
                    .1
                    .steps
                    .len()
            })
            .sum();
        assert_eq!(steps > 0, vpcs >= 10);
        steps
    });
}

/// The way of `guardrail plan`: a world in its file's form in, a report for each VPC out.
#[divan::bench(args = SIZES)]
fn plan_a_world(bencher: Bencher<'_, '_>, vpcs: usize) {
    let text = serde_json::to_string(&world(vpcs)).unwrap_or_default();
    let baseline = Baseline::default();
    bencher.counter(ItemsCount::new(vpcs)).bench_local(|| {
        let world = world_file::load(black_box(&text)).unwrap_or_default();
        let shared = Shared::of(&world);
        let snapshots = Snapshot::all(&world, &shared).unwrap_or_default();
        let report = |snapshot| {
            preview_snapshot(&baseline, snapshot, &request(snapshot), Timestamp::UNIX_EPOCH)
        };
        let reports = snapshots.iter().map(report);
        let texts = reports
            .filter(|report| report.verdict != Verdict::Compliant)
            .map(|report| plan_text(&report));
        let length: usize = texts.map(|text| text.len()).sum();
        assert_eq!(length > 0, vpcs >= 10);
        length
    });
}

fn request(snapshot: &Snapshot<'_>) -> RunRequest {
    RunRequest {
        scope: snapshot.scope.clone(),
        run_id: "bench".to_owned(),
        incident: "bench".to_owned(),
        cause: Cause::Operator,
        evidence: Vec::new(),
        deadline: Timestamp::MAX,
    }
}

fn id(prefix: &str, vpc: usize, thing: usize) -> String {
    format!("{prefix}-0a{vpc:07x}{thing:08x}")
}

fn world(vpcs: usize) -> World {
    let all = |of: fn(usize) -> Vec<Value>| (0..vpcs).flat_map(of).collect::<Vec<Value>>();
    let world = json!({
        "Region": REGION,
        "AccountId": "111122223333",
        "Vpcs": all(|v| vec![json!({
            "VpcId": id("vpc", v, 0),
            "CidrBlock": "10.0.0.0/16",
            "Tags": [{"Key": "vpc-guardrail", "Value": "managed"}],
        })]),
        "VpcAttributes": (0..vpcs)
            .map(|v| (id("vpc", v, 0), json!({"EnableDnsSupport": true, "EnableDnsHostnames": true})))
            .collect::<serde_json::Map<String, Value>>(),
        "Subnets": all(subnets),
        "RouteTables": all(route_tables),
        "VpcEndpoints": all(endpoints),
        "NatGateways": all(|v| vec![json!({
            "NatGatewayId": id("nat", v, 0), "VpcId": id("vpc", v, 0), "State": "available", "ConnectivityType": "public",
        })]),
        "SecurityGroups": all(|v| vec![json!({
            "GroupId": id("sg", v, 0), "GroupName": "endpoints", "VpcId": id("vpc", v, 0),
            "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}],
        })]),
        "NetworkInterfaces": [],
        "PrefixLists": [],
        "VpcEndpointServices": services(),
    });
    World::deserialize(world).unwrap_or_default()
}

use serde::Deserialize as _;

/// Three public subnets and nine private ones, over three zones.
fn subnets(v: usize) -> Vec<Value> {
    let subnet = |n: usize| {
        json!({
            "SubnetId": id("subnet", v, n), "VpcId": id("vpc", v, 0), "CidrBlock": format!("10.0.{n}.0/24"),
            "AvailabilityZone": format!("{REGION}{}", ["a", "b", "c"].get(n % 3).unwrap_or(&"a")),
            "Tags": [{"Key": "Name", "Value": format!("net-{n}")}, {"Key": "Tier", "Value": if n < 3 { "public" } else { "private" }}],
        })
    };
    (0..12).map(subnet).collect()
}

/// One public table with 4 routes, and four private ones with 9 routes each; one VPC in ten has a
/// NAT route.
fn route_tables(v: usize) -> Vec<Value> {
    let table = |n: usize| {
        let users: Vec<usize> =
            (0..12).filter(|s| if n == 0 { *s < 3 } else { *s >= 3 && s % 4 == n - 1 }).collect();
        let inside = |r: usize| json!({"DestinationCidrBlock": format!("10.{}.0.0/16", r + 1), "TransitGatewayId": "tgw-0a1b2c3d4e5f60001", "State": "active"});
        let pl = |service: usize| json!({"DestinationPrefixListId": format!("pl-0a1b2c3d4e5f6000{service}"), "GatewayId": id("vpce", v, service), "State": "active"});
        let mut routes = vec![
            json!({"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}),
        ];
        if n == 0 {
            routes.push(
                json!({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a1b2c3d4e5f60001", "State": "active"}),
            );
            routes.extend((0..2).map(inside));
        } else {
            routes.extend([pl(0), pl(1)]);
            routes.extend((0..6).map(inside));
        }
        if n == 1 && v % 10 == 9 {
            routes.pop();
            routes
                .push(json!({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": id("nat", v, 0), "State": "active"}));
        }
        let mut associations: Vec<Value> =
            users.iter().map(|s| json!({"Main": false, "SubnetId": id("subnet", v, *s)})).collect();
        if n == 0 {
            associations.push(json!({"Main": true}));
        }
        json!({"RouteTableId": id("rtb", v, n), "VpcId": id("vpc", v, 0), "Associations": associations, "Routes": routes})
    };
    (0..5).map(table).collect()
}

fn endpoints(v: usize) -> Vec<Value> {
    let gateway = |n: usize, service: &str| {
        json!({
            "VpcEndpointId": id("vpce", v, n), "VpcEndpointType": "Gateway", "VpcId": id("vpc", v, 0), "State": "available",
            "ServiceName": format!("com.amazonaws.{REGION}.{service}"),
            "RouteTableIds": (1..5).map(|t| id("rtb", v, t)).collect::<Vec<_>>(),
        })
    };
    let interface = |n: usize, service: &str| {
        json!({
            "VpcEndpointId": id("vpce", v, n), "VpcEndpointType": "Interface", "VpcId": id("vpc", v, 0), "State": "available",
            "ServiceName": format!("com.amazonaws.{REGION}.{service}"), "PrivateDnsEnabled": true,
            "SubnetIds": (3..6).map(|s| id("subnet", v, s)).collect::<Vec<_>>(), "Groups": [{"GroupId": id("sg", v, 0)}],
        })
    };
    vec![
        gateway(0, "s3"),
        gateway(1, "dynamodb"),
        interface(2, "ssm"),
        interface(3, "ssmmessages"),
        interface(4, "ec2messages"),
    ]
}

/// As many services as a large Region has, so that looking one up costs what it costs there.
fn services() -> Vec<Value> {
    let service = |name: &str, kind: &str| {
        json!({
            "ServiceName": format!("com.amazonaws.{REGION}.{name}"), "ServiceType": [{"ServiceType": kind}],
            "AvailabilityZones": (["a", "b", "c"].map(|zone| format!("{REGION}{zone}"))),
            "PrivateDnsNames": [{"PrivateDnsName": format!("{name}.{REGION}.amazonaws.com")}],
        })
    };
    let others = (0..250).map(|n| service(&format!("other{n}"), "Interface"));
    let ours = ["ssm", "ssmmessages", "ec2messages"].map(|name| service(name, "Interface"));
    others.chain(ours).chain(["s3", "dynamodb"].map(|name| service(name, "Gateway"))).collect()
}
