//! Many incidents, one after another and several at once, with the real functions: EC2 fails and loses
//! answers, events come late and twice, table and topic refuse, and processes of repair are killed at
//! their calls. In the end every VPC is on its baseline, and everything was told.
//!
//! `INCIDENTS=200 cargo test -p e2e --test incidents -- --nocapture` makes 200 and prints its counts;
//! `SEED=7` makes others.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use e2e::pipeline::scenario;
use e2e::stack::{Kill, Options, Stack, Which};
use e2e::worlds::copies;
use guardrail::ec2::world_file;
use guardrail_sim::SimOptions;
use guardrail_sim::http::Mishaps;
use serde_json::{Value, json};

const DEMO: &str = "0a1b2c3d4e5f6";
const PLAIN: &str = "0b1c2d3e4f5a6";
/// How many VPCs have an incident at the same time.
const AT_ONCE: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);
/// After the last incident everything is over within this time.
const MINUTES_TO_REST: usize = 60;

/// A number from the environment, which a command by hand gives.
fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// SplitMix64: small, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % most
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        (!all.is_empty()).then(|| &all[self.below(all.len())])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    NatRoute,
    EndpointDeleted,
    PrivateDnsOff,
    GroupEdited,
}

const ALL: [What; 4] =
    [What::NatRoute, What::EndpointDeleted, What::PrivateDnsOff, What::GroupEdited];

/// Something that somebody did.
#[derive(Debug)]
struct Incident {
    vpc: String,
    what: What,
    /// An alert about it names one of these: the table; the service, or its endpoint or group, as of a
    /// run that was killed only what it did is told.
    names: Vec<String>,
    /// How many calls the functions had made by then.
    after: usize,
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

fn of_vpc<'w>(world: &'w Value, section: &str, vpc: &str) -> Vec<&'w Value> {
    list(world, section).filter(|item| text(item, "VpcId") == vpc).collect()
}

fn is_there(endpoint: &Value) -> bool {
    ["available", "pending"].contains(&text(endpoint, "State"))
}

fn endpoints<'w>(world: &'w Value, vpc: &str) -> Vec<&'w Value> {
    of_vpc(world, "VpcEndpoints", vpc).into_iter().filter(|it| is_there(it)).collect()
}

/// Whether a group lets HTTPS in, from anywhere.
fn lets_in(world: &Value, group: &str) -> bool {
    let group = list(world, "SecurityGroups").find(|it| text(it, "GroupId") == group).unwrap();
    list(group, "IpPermissions").any(|rule| rule["FromPort"] == 443)
}

fn open_groups<'w>(world: &'w Value, endpoint: &'w Value) -> Vec<&'w str> {
    let groups = list(endpoint, "Groups").map(|group| text(group, "GroupId"));
    groups.filter(|group| lets_in(world, group)).collect()
}

/// Makes a call until it is answered, or was made though its answer was lost.
async fn make(stack: &Stack, action: &str, fields: &[(&str, &str)]) -> bool {
    loop {
        match stack.ec2(action, fields).await {
            Some((200, _)) | None => return true,
            Some((500.., _)) => {}
            Some((_, body)) if body.contains("RequestLimitExceeded") => {}
            Some(_) => return false,
        }
    }
}

/// Tables that a private subnet has: none of their routes leads to the internet by itself.
fn private_tables<'w>(world: &'w Value, vpc: &str) -> Vec<&'w Value> {
    let is_private = |table: &&Value| {
        let is_public = list(table, "Routes").any(|it| text(it, "GatewayId").starts_with("igw-"));
        list(table, "Associations").any(|it| it["SubnetId"].is_string()) && !is_public
    };
    of_vpc(world, "RouteTables", vpc).into_iter().filter(is_private).collect()
}

fn leads_out(table: &Value) -> bool {
    list(table, "Routes").any(|route| text(route, "NatGatewayId").starts_with("nat-"))
}

/// Does it to a VPC, if there is anything to do it to; what an alert about it may name.
async fn strike(
    stack: &Stack,
    world: &Value,
    vpc: &str,
    what: What,
    chance: &mut Chance,
) -> Option<Vec<String>> {
    let endpoints: Vec<&Value> =
        endpoints(world, vpc).into_iter().filter(|it| it["State"] == "available").collect();
    let interfaces: Vec<&Value> =
        endpoints.iter().copied().filter(|it| it["VpcEndpointType"] == "Interface").collect();
    match what {
        What::NatRoute => {
            let nat = of_vpc(world, "NatGateways", vpc);
            let nat = text(nat.first()?, "NatGatewayId");
            let tables: Vec<&Value> =
                private_tables(world, vpc).into_iter().filter(|table| !leads_out(table)).collect();
            let table = text(chance.one_of(&tables)?, "RouteTableId");
            let fields = [
                ("RouteTableId", table),
                ("DestinationCidrBlock", "0.0.0.0/0"),
                ("NatGatewayId", nat),
            ];
            make(stack, "CreateRoute", &fields).await.then(|| vec![table.to_owned()])
        }
        What::EndpointDeleted => {
            let endpoint = chance.one_of(&endpoints)?;
            let fields = [("VpcEndpointId.1", text(endpoint, "VpcEndpointId"))];
            make(stack, "DeleteVpcEndpoints", &fields)
                .await
                .then(|| vec![service(endpoint).to_owned()])
        }
        What::PrivateDnsOff => {
            let on: Vec<&Value> =
                interfaces.into_iter().filter(|it| it["PrivateDnsEnabled"] == true).collect();
            let endpoint = chance.one_of(&on)?;
            let fields = [
                ("VpcEndpointId", text(endpoint, "VpcEndpointId")),
                ("PrivateDnsEnabled", "false"),
            ];
            make(stack, "ModifyVpcEndpoint", &fields).await.then(|| names_of(endpoint))
        }
        What::GroupEdited => {
            let open = |it: &&Value| open_groups(world, it).len() == 1;
            let open: Vec<&Value> = interfaces.into_iter().filter(open).collect();
            let endpoint = chance.one_of(&open)?;
            let group = *open_groups(world, endpoint).first()?;
            close(stack, world, group)
                .await
                .then(|| [names_of(endpoint), vec![group.to_owned()]].concat())
        }
    }
}

/// Takes from a group the rule that lets HTTPS in.
async fn close(stack: &Stack, world: &Value, group: &str) -> bool {
    let mut groups = list(world, "SecurityGroups");
    let group = groups.find(|it| text(it, "GroupId") == group).unwrap();
    let rule = list(group, "IpPermissions").find(|rule| rule["FromPort"] == 443).unwrap();
    let to_port = rule["ToPort"].to_string();
    let ranges = list(rule, "IpRanges").zip(1..);
    let ranges: Vec<(String, &str)> = ranges
        .map(|(range, n)| (format!("IpPermissions.1.IpRanges.{n}.CidrIp"), text(range, "CidrIp")))
        .collect();
    let mut fields = vec![
        ("GroupId", text(group, "GroupId")),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "443"),
        ("IpPermissions.1.ToPort", to_port.as_str()),
    ];
    fields.extend(ranges.iter().map(|(name, range)| (name.as_str(), *range)));
    make(stack, "RevokeSecurityGroupIngress", &fields).await
}

/// What an alert about an endpoint that is there names.
fn names_of(endpoint: &Value) -> Vec<String> {
    vec![service(endpoint).to_owned(), text(endpoint, "VpcEndpointId").to_owned()]
}

fn service(endpoint: &Value) -> &str {
    text(endpoint, "ServiceName").rsplit('.').next().unwrap()
}

/// What of a VPC its baseline is about, as far as it is as it should be; where it is not, why.
fn standing(world: &Value, vpc: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for table in private_tables(world, vpc) {
        if leads_out(table) {
            wrong.push(format!("{vpc}: {} leads out", text(table, "RouteTableId")));
        }
        let routes = list(table, "Routes");
        let through = routes.filter(|it| text(it, "GatewayId").starts_with("vpce-")).count();
        if through != 2 {
            wrong.push(format!(
                "{vpc}: {} has {through} routes to endpoints",
                table["RouteTableId"]
            ));
        }
    }
    for wanted in ["s3", "dynamodb", "ssm", "ssmmessages", "ec2messages"] {
        let its: Vec<&Value> =
            endpoints(world, vpc).into_iter().filter(|it| service(it) == wanted).collect();
        let [one] = its.as_slice() else {
            wrong.push(format!("{vpc}: {} endpoints for {wanted}", its.len()));
            continue;
        };
        if one["State"] != "available" {
            wrong.push(format!("{vpc}: {wanted} is {}", one["State"]));
        }
        if one["VpcEndpointType"] == "Interface" {
            if one["PrivateDnsEnabled"] != true {
                wrong.push(format!("{vpc}: {wanted} has no private name"));
            }
            if open_groups(world, one).is_empty() {
                wrong.push(format!("{vpc}: {wanted} lets nobody in"));
            }
        }
    }
    wrong
}

/// The EC2 calls that can fail, and how.
const FAULTS: [(&str, &str); 9] = [
    ("CreateVpcEndpoint", "lost"),
    ("DeleteRoute", "lost"),
    ("ModifyVpcEndpoint", "lost"),
    ("CreateSecurityGroup", "lost"),
    ("CreateVpcEndpoint", "InternalError"),
    ("DeleteRoute", "RequestLimitExceeded"),
    ("ModifyVpcEndpoint", "Unavailable"),
    ("DescribeRouteTables", "InternalError"),
    ("DescribeVpcEndpoints", "lost"),
];

const KILLS: [(Which, bool); 7] = [
    (Which::NetworkChange, true),
    (Which::TableChange, true),
    (Which::NetworkChange, false),
    (Which::Publish, false),
    (Which::Any, true),
    (Which::Publish, true),
    (Which::TableChange, false),
];

/// What was ever seen of the endpoints: those of each VPC and service, each time the world was looked
/// at. A deleted one is listed for longer than a minute.
#[derive(Default)]
struct Onlooker {
    ids: BTreeMap<(String, String), BTreeSet<String>>,
    doubles: Vec<String>,
}

impl Onlooker {
    fn look(&mut self, world: &Value) {
        let mut there: BTreeMap<(String, String), usize> = BTreeMap::new();
        for endpoint in list(world, "VpcEndpoints") {
            let key = (text(endpoint, "VpcId").to_owned(), service(endpoint).to_owned());
            let id = text(endpoint, "VpcEndpointId").to_owned();
            self.ids.entry(key.clone()).or_default().insert(id);
            let count = there.entry(key).or_default();
            *count += usize::from(is_there(endpoint));
        }
        let doubles = there.into_iter().filter(|(_, count)| *count > 1);
        self.doubles.extend(doubles.map(|((vpc, service), _)| format!("{vpc} {service}")));
    }
}

struct Played {
    incidents: Vec<Incident>,
    onlooker: Onlooker,
    vpcs: Vec<String>,
    /// How many groups each VPC had.
    groups: BTreeMap<String, usize>,
}

async fn minute(stack: &Stack, onlooker: &mut Onlooker) {
    stack.quiet().await;
    onlooker.look(&stack.ask_sim("world").await);
    stack.advance(MINUTE).await;
    let _ = stack.clock().await;
    stack.quiet().await;
}

/// Somebody does things to several VPCs, and each minute the clock runs.
async fn play(stack: &Stack, count: usize, mut chance: Chance) -> Played {
    stack.sweep().await.unwrap();
    let mut onlooker = Onlooker::default();
    let mut before = 0;
    let (world, vpcs) = loop {
        minute(stack, &mut onlooker).await;
        let world = stack.ask_sim("world").await;
        let vpcs = list(&world, "Vpcs").map(|vpc| text(vpc, "VpcId").to_owned());
        let vpcs: Vec<String> = vpcs.collect();
        let wrong: Vec<String> = vpcs.iter().flat_map(|vpc| standing(&world, vpc)).collect();
        if wrong.is_empty() {
            break (world, vpcs);
        }
        before += 1;
        assert!(before < 10, "before anything happened: {wrong:?}");
    };
    onlooker = Onlooker::default();
    let groups_of = |vpc: &String| (vpc.clone(), of_vpc(&world, "SecurityGroups", vpc).len());
    let groups = vpcs.iter().map(groups_of).collect();
    let mut incidents: Vec<Incident> = Vec::new();
    let (mut round, mut kills) = (0, 0);
    while incidents.len() < count {
        let world = stack.ask_sim("world").await;
        onlooker.look(&world);
        for n in 0..AT_ONCE.min(count - incidents.len()) {
            let vpc = &vpcs[(round * AT_ONCE + n + chance.below(2) * AT_ONCE) % vpcs.len()];
            let what = ALL[(round + n) % ALL.len()];
            let after = stack.made_so_far();
            if let Some(names) = strike(stack, &world, vpc, what, &mut chance).await {
                incidents.push(Incident { vpc: vpc.clone(), what, names, after });
            }
        }
        for n in 0..2 {
            let (operation, code) = FAULTS[(2 * round + n) % FAULTS.len()];
            stack.fault(operation, code, 1).await;
        }
        if stack.take_kill().is_none() {
            kills += 1;
        }
        let (which, after) = KILLS[kills % KILLS.len()];
        let most = if which == Which::Any { 60 } else { 4 };
        stack.kill(Kill { which, nth: 1 + chance.below(most), after });
        match round % 6 {
            2 => stack.refuse_alerts(5),
            4 => stack.refuse_table_calls(12),
            _ => {}
        }
        minute(stack, &mut onlooker).await;
        round += 1;
    }
    stack.take_kill();
    Played { incidents, onlooker, vpcs, groups }
}

/// What still waits: runs that are due or open, and alerts that were not sent.
fn waiting(stack: &Stack) -> Vec<String> {
    let names = stack.table(|items| items.of_kind("WAITING")).into_keys();
    names.filter(|name| !name.starts_with("first#")).collect()
}

fn messages(stack: &Stack, queue: &str) -> Vec<Value> {
    stack.queues()[queue]["messages"].as_array().unwrap().clone()
}

/// The clock runs until nothing waits; how many minutes it took.
async fn rest(stack: &Stack, onlooker: &mut Onlooker) -> usize {
    for minutes in 0..MINUTES_TO_REST {
        if minutes >= 3 && waiting(stack).is_empty() && messages(stack, "vpcs.fifo").is_empty() {
            return minutes;
        }
        minute(stack, onlooker).await;
    }
    panic!("it does not come to rest: {:?} {:?}", waiting(stack), messages(stack, "vpcs.fifo"));
}

/// The VPC that an alert is about: a run's report names it, and so does what is told of a killed run.
fn vpc_of(alert: &Value) -> &str {
    let of_killed = || text(&alert["run"]["scope"], "vpc");
    Some(text(&alert["scope"], "vpc")).filter(|vpc| !vpc.is_empty()).unwrap_or_else(of_killed)
}

/// What was done to a VPC and told of it, for whoever reads a failure.
fn story(stack: &Stack, played: &Played, vpc: &str) -> String {
    let mut parts: Vec<(usize, String)> = Vec::new();
    for incident in played.incidents.iter().filter(|incident| incident.vpc == vpc) {
        parts.push((incident.after, format!("{:?} {:?}", incident.what, incident.names)));
    }
    for alert in stack.published().iter().filter(|alert| vpc_of(&alert.report) == vpc) {
        let report = &alert.report;
        let steps: Vec<String> =
            list(report, "steps").map(|it| it["outcome"].to_string()).collect();
        let (verdict, cause) = (&report["verdict"], &report["cause"]);
        let again = &report["look_again"];
        let rules: Vec<&str> = list(report, "findings").map(|it| text(it, "rule")).collect();
        let told = format!("told {verdict} {cause} {rules:?} {steps:?} {again}");
        parts.push((alert.number, told));
    }
    parts.sort();
    let state = stack.table(|items| items.of_kind("STATE")).remove(vpc);
    let parts: String = parts.iter().map(|(at, what)| format!("\n  {at}: {what}")).collect();
    format!("{vpc}:{parts}\n  state: {state:?}")
}

/// The incidents that no alert is about. An alert about it came after it, is about its VPC, and names
/// what it was done to.
fn untold<'i>(stack: &Stack, incidents: &'i [Incident]) -> Vec<&'i Incident> {
    let published = stack.published();
    let is_told = |incident: &&Incident| {
        published.iter().any(|alert| {
            alert.number >= incident.after
                && vpc_of(&alert.report) == incident.vpc
                && incident.names.iter().any(|name| alert.report.to_string().contains(name))
        })
    };
    incidents.iter().filter(|incident| !is_told(incident)).collect()
}

/// Calls with the guardrail's role that were not found to be a run's.
fn not_matched(stack: &Stack) -> Vec<(String, Value)> {
    let noted = stack.table(|items| items.of_kind("DETECT"));
    let own = noted.into_iter().filter(|(name, _)| name.starts_with("own#"));
    own.filter(|(_, call)| call["said"] != "matched").collect()
}

/// Keeps a text for whoever reads a failure; where.
fn stack_file(name: &str, text: &str) -> String {
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Services with more endpoints made than deleted by somebody.
fn made_twice(played: &Played) -> Vec<String> {
    let deleted = |vpc: &str, service: &str| {
        let its = |it: &&Incident| it.vpc == vpc && it.what == What::EndpointDeleted;
        played.incidents.iter().filter(its).filter(|it| it.names == [service]).count()
    };
    let ids = played.onlooker.ids.iter();
    let twice = ids.filter(|((vpc, service), ids)| ids.len() > 1 + deleted(vpc, service));
    twice.map(|((vpc, service), ids)| format!("{vpc} {service}: {ids:?}")).collect()
}

/// VPCs with more groups made than something was done that a group can be an answer to.
fn groups_too_many(played: &Played, world: &Value) -> Vec<String> {
    let asked_for = |vpc: &str| {
        let kinds = [What::GroupEdited, What::EndpointDeleted];
        let its = |it: &&Incident| it.vpc == vpc && kinds.contains(&it.what);
        played.incidents.iter().filter(its).count()
    };
    let too_many = played.groups.iter().filter_map(|(vpc, before)| {
        let made = of_vpc(world, "SecurityGroups", vpc).len() - before;
        let asked = asked_for(vpc);
        (made > asked).then(|| format!("{vpc}: {made} groups were made, for {asked}"))
    });
    too_many.collect()
}

/// What happened how often, each by its name.
async fn counts(stack: &Stack, played: &Played) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut count = |name: String, times: usize| *counts.entry(name).or_default() += times;
    for what in ALL {
        let its = played.incidents.iter().filter(|incident| incident.what == what);
        count(format!("incident {what:?}"), its.count());
    }
    for (which, after) in KILLS {
        count(format!("kill {which:?} {}", if after { "after" } else { "before" }), 0);
    }
    for (kill, action) in stack.kills() {
        let when = if kill.after { "after" } else { "before" };
        count(format!("kill {:?} {when}", kill.which), 1);
        count(format!("  killed {when} {action}"), 1);
    }
    let calls = stack.ask_sim("calls").await;
    let codes: BTreeSet<&str> = FAULTS.iter().map(|(_, code)| *code).collect();
    for code in codes {
        let its = calls.as_array().unwrap().iter().filter(|call| call["outcome"] == code);
        count(format!("fault {code}"), its.count());
    }
    count("refusals of table and topic".to_owned(), stack.refusals());
    let queue = &stack.queues()["vpcs.fifo"]["counts"];
    let number = |name: &str| usize::try_from(queue[name].as_u64().unwrap()).unwrap();
    count("messages".to_owned(), number("sent"));
    count("redeliveries".to_owned(), number("received") - number("sent"));
    let status = stack.ask_sim("status").await;
    let repeated = status["events"]["repeated"].as_u64().unwrap();
    count("events that came twice".to_owned(), usize::try_from(repeated).unwrap());
    count("alerts".to_owned(), stack.published().len());
    counts
}

/// Everything that must be so in the end.
async fn judge(stack: &Stack, played: &Played) {
    let world = stack.ask_sim("world").await;
    let is_off = |vpc: &&String| !standing(&world, vpc).is_empty();
    for vpc in played.vpcs.iter().filter(is_off) {
        println!("off: {}", story(stack, played, vpc));
    }
    let wrong: Vec<String> = played.vpcs.iter().flat_map(|vpc| standing(&world, vpc)).collect();
    assert_eq!(wrong, Vec::<String>::new(), "off the baseline");
    assert_eq!(played.onlooker.doubles, Vec::<String>::new(), "two endpoints for one service");
    assert_eq!(made_twice(played), Vec::<String>::new(), "made more often than deleted");
    assert_eq!(groups_too_many(played, &world), Vec::<String>::new());
    assert_eq!(messages(stack, "dead.fifo"), Vec::<Value>::new(), "dead letters");
    assert_eq!(messages(stack, "unreadable"), Vec::<Value>::new(), "unreadable messages");
    let untold = untold(stack, &played.incidents);
    for incident in &untold {
        println!("not told: {}", story(stack, played, &incident.vpc));
    }
    assert!(untold.is_empty(), "not told: {untold:?}");
    let not_matched = not_matched(stack);
    if !not_matched.is_empty() {
        let made = stack.made().into_iter().filter(|made| made.by == "repair");
        let calls: Vec<String> = made
            .filter(|made| !made.call.action.starts_with("Describe"))
            .map(|made| format!("{:?} {} {}", made.status, made.call.action, made.call.input))
            .collect();
        let file = stack_file("not-matched.txt", &calls.join("\n"));
        println!("the calls of repair are in {file}");
    }
    assert_eq!(not_matched, Vec::new(), "own calls that no run made");
    let alarms = stack.published().into_iter().map(|alert| alert.report);
    let alarms: Vec<Value> = alarms.filter(|it| it["verdict"] == "unmatched-call").collect();
    assert_eq!(alarms, Vec::<Value>::new());
}

#[tokio::test]
async fn no_incident_is_lost_and_no_step_is_made_twice() {
    let (count, seed) = (number("INCIDENTS", 40), number("SEED", 1));
    let seed = u64::try_from(seed).unwrap();
    let (demo, plain) = (scenario("demo"), scenario("plain"));
    let world = copies(&[(&demo, DEMO, 10), (&plain, PLAIN, 2)]);
    // A run looks every five seconds of real time at what comes up, so here nothing takes time to.
    let ec2 = SimOptions {
        interface_endpoint_ready: Duration::ZERO,
        gateway_endpoint_ready: Duration::ZERO,
        endpoint_deleted: Duration::from_secs(1),
        ..SimOptions::default()
    };
    let late = Duration::from_millis(800);
    let stack = Stack::start(Options {
        world: world_file::load(&world.to_string()).unwrap(),
        ec2,
        mishaps: Mishaps { lost: 0, repeated: 20, late, seed },
        baseline: json!({
            "version": 1, "mode": "repair",
            "managed_vpcs": { "tag": { "key": "vpc-guardrail", "value": "managed" } },
            "gateway_endpoints": { "services": ["s3", "dynamodb"] },
            "interface_endpoints": { "services": ["ssm", "ssmmessages", "ec2messages?"] },
            "rules": {
                "gateway-endpoint": { "grace_minutes": 0 },
                "interface-endpoint": { "grace_minutes": 0 },
            },
            "settling": { "minutes": 0 },
        }),
        // A run waits for seconds at times, and has one read of each kind a second.
        speed: 5,
    })
    .await;
    let mut played = play(&stack, count, Chance(seed)).await;
    let minutes = rest(&stack, &mut played.onlooker).await;
    // No event was lost, so nothing is left to the sweep.
    let world = stack.ask_sim("world").await;
    let is_off = |vpc: &&String| !standing(&world, vpc).is_empty();
    let left: Vec<&String> = played.vpcs.iter().filter(is_off).collect();
    for vpc in &left {
        println!("left to the sweep: {}", story(&stack, &played, vpc));
    }
    assert_eq!(left, Vec::<&String>::new(), "left to the sweep");
    stack.sweep().await.unwrap();
    rest(&stack, &mut played.onlooker).await;

    let counts = counts(&stack, &played).await;
    println!("{count} incidents, seed {seed}; at rest {minutes} minutes after the last");
    counts.iter().for_each(|(name, times)| println!("{times:6} {name}"));
    judge(&stack, &played).await;
    let never: Vec<&String> =
        counts.iter().filter(|(_, times)| **times == 0).map(|(name, _)| name).collect();
    assert_eq!(never, Vec::<&String>::new(), "never happened");
}
