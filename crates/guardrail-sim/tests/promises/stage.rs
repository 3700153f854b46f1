//! What the promises are shown on: two VPCs in the simulator, of which one is looked after; a
//! table, a queue and those who read alerts, which can be taken away; and all that was done.

use std::cell::{Cell, RefCell};
use std::mem::take;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use guardrail::baseline::Baseline;
use guardrail::cloud::{Envelope, InMemoryTable};
use guardrail::ec2::id::Place;
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::World;
use guardrail::ec2::world_file;
use guardrail::event;
use guardrail::history::{Alert, Body, Item, Kind};
use guardrail::inbox::batch::{self, Received};
use guardrail::inbox::clock::{ClockHands, ClockSettings, minute};
use guardrail::inbox::message::for_call;
use guardrail::inbox::round::{Round, SweepHands, round};
use guardrail::inbox::work::{Hands, Invocation, work};
use guardrail_sim::{Request, Sim, SimCloud, SimOptions};
use jiff::Timestamp;
use serde_json::{Value, json};

const DEMO: &str = include_str!("../../../guardrail-cli/scenarios/demo/world.json");

const CREATE_ROUTE: &str = include_str!("../../../../events/CreateRoute.json");

const DELETE_ENDPOINT: &str = include_str!("../../../../events/DeleteVpcEndpoints.json");

/// The VPC that is looked after.
pub(crate) const MANAGED: &str = "vpc-0a1b2c3d4e5f60000";

/// The VPC beside it, the same in everything but its tag and its ids.
pub(crate) const OTHER: &str = "vpc-0bbbbbbbbbbbb0000";

/// A private subnet's table.
pub(crate) const TABLE: &str = "rtb-0a1b2c3d4e5f60011";

/// The NAT gateway.
pub(crate) const NAT: &str = "nat-0a1b2c3d4e5f60001";

/// S3's gateway endpoint.
pub(crate) const S3: &str = "vpce-0a1b2c3d4e5f60031";

/// The Systems Manager's interface endpoint.
pub(crate) const SSM: &str = "vpce-0a1b2c3d4e5f60033";

/// A call that writes, as it was seen at the simulator.
pub(crate) struct Made {
    pub(crate) operation: &'static str,
    pub(crate) call: String,
    /// Everything there was right before and right after.
    pub(crate) before: Value,
    pub(crate) after: Value,
    /// The texts of the runs' items in the table right before.
    pub(crate) recorded: Vec<String>,
    /// The sections that were read since the write before, but for the look that a run begins with.
    pub(crate) read: Vec<Section>,
}

impl Made {
    /// Whether anything is otherwise than before.
    pub(crate) fn has_effect(&self) -> bool {
        self.before != self.after
    }
}

/// An alert as it was told.
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    pub(crate) alert: Alert,
    /// How many writes had been made.
    pub(crate) writes: usize,
}

/// What does not work at the moment.
#[derive(Default)]
pub(crate) struct Down {
    pub(crate) table: Cell<bool>,
    pub(crate) topic: Cell<bool>,
    pub(crate) copies: Cell<bool>,
    pub(crate) section: Cell<Option<Section>>,
    /// What is read again: a core that acts on an older look gets that one.
    pub(crate) looks_again: Cell<bool>,
}

/// Everything that a life meets.
pub(crate) struct Stage {
    pub(crate) sim: SimCloud,
    pub(crate) kept: InMemoryTable,
    pub(crate) baseline: Baseline,
    pub(crate) down: Down,
    pub(crate) made: RefCell<Vec<Made>>,
    pub(crate) told: RefCell<Vec<Told>>,
    pub(crate) sent: RefCell<Vec<Envelope>>,
    pub(crate) aside: RefCell<Vec<String>>,
    /// What somebody else does right before the next write's recheck.
    pub(crate) meddling: RefCell<Option<Request>>,
    /// What such a core goes on to see.
    pub(crate) older: RefCell<Option<World>>,
    /// What was read again since the last write.
    pub(crate) read: RefCell<Vec<Section>>,
    invocations: Cell<u32>,
}

impl Stage {
    /// Both VPCs on their baseline, and known to the guardrail; nothing told, nothing waiting.
    pub(crate) fn new(baseline: Value) -> Self {
        let mut wanted = json!({"version": 1, "mode": "repair"});
        let fields = baseline.as_object().unwrap().clone();
        wanted.as_object_mut().unwrap().extend(fields);
        let start: Timestamp = "2026-09-14T08:30:00Z".parse().unwrap();
        let stage = Self {
            sim: SimCloud::new(Sim::new(two_vpcs(), start, SimOptions::default())),
            kept: InMemoryTable::default(),
            baseline: Baseline::parse(&wanted.to_string()).unwrap(),
            down: Down::default(),
            made: RefCell::default(),
            told: RefCell::default(),
            sent: RefCell::default(),
            aside: RefCell::default(),
            meddling: RefCell::default(),
            older: RefCell::default(),
            read: RefCell::default(),
            invocations: Cell::default(),
        };
        stage.sweep();
        stage.minutes(10);
        assert_eq!((stage.made.borrow().len(), stage.sent.borrow().len()), (0, 0));
        stage.told.borrow_mut().clear();
        stage
    }

    /// Somebody makes a call.
    pub(crate) fn somebody(&self, request: &Request) {
        self.sim.sim_mut().call(request).unwrap();
    }

    /// Somebody lets a VPC's private subnet out, and takes S3's and the Systems Manager's endpoints
    /// away.
    pub(crate) fn drift(&self, of: &str) {
        self.somebody(&nat_route(&id_in(of, TABLE), &id_in(of, NAT)));
        for endpoint in [S3, SSM] {
            self.somebody(&delete_endpoint(&id_in(of, endpoint)));
        }
        self.pass(Duration::from_secs(120));
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.sim.sim_mut().advance(time);
    }

    /// What a batch of these bodies comes to: the ids of the messages that go back.
    pub(crate) fn deliver(&self, bodies: &[&str]) -> Vec<String> {
        self.deliver_until(bodies, usize::MAX).unwrap()
    }

    /// The same, where the process is killed when it has come to so many awaits: then `None`.
    pub(crate) fn deliver_until(&self, bodies: &[&str], awaits: usize) -> Option<Vec<String>> {
        polled(self.handle(bodies), awaits)
    }

    /// What two processes make of a message each, at the same time.
    pub(crate) fn deliver_at_once(&self, bodies: [&str; 2]) {
        let [first, second] = bodies.map(|body| [body]);
        let (mut first, mut second) =
            (Some(Box::pin(self.handle(&first))), Some(Box::pin(self.handle(&second))));
        let mut context = Context::from_waker(Waker::noop());
        while first.is_some() || second.is_some() {
            for process in [&mut first, &mut second] {
                let polled = process.as_mut().map(|process| process.as_mut().poll(&mut context));
                if let Some(Poll::Ready(back)) = polled {
                    assert_eq!(back, [""; 0]);
                    *process = None;
                }
            }
        }
    }

    async fn handle(&self, bodies: &[&str]) -> Vec<String> {
        let received = |(number, body): (usize, &&str)| Received {
            id: format!("m-{number}"),
            handle: format!("handle of m-{number}"),
            sender: None,
            group: Some(MANAGED.to_owned()),
            body: (*body).to_owned(),
        };
        let received: Vec<Received> = bodies.iter().enumerate().map(received).collect();
        let batch = batch::runs(&received, |_| true);
        let number = self.invocations.get() + 1;
        self.invocations.set(number);
        let ends = self.now().as_millisecond() + 300_000;
        let invocation = Invocation {
            baseline: Ok(&self.baseline),
            place: &place(),
            request_id: &format!("invocation-{number}"),
            ends: u64::try_from(ends).unwrap(),
        };
        let hands = Hands {
            cloud: self,
            table: self,
            telling: self,
            queue: self,
            alerts_per_hour: 20,
            stack: "guardrail",
        };
        work(&hands, &batch, &invocation, &|_| {}).await
    }

    /// Hands out what was sent: how many messages.
    pub(crate) fn deliver_sent(&self) -> usize {
        let sent = take(&mut *self.sent.borrow_mut());
        for envelope in &sent {
            assert_eq!(self.deliver(&[&envelope.body]), [""; 0], "{}", envelope.body);
        }
        sent.len()
    }

    /// So many minutes of the clock, and what it asks for.
    pub(crate) fn minutes(&self, many: u32) {
        for _ in 0..many {
            self.pass(Duration::from_secs(60));
            self.clock();
            self.deliver_sent();
        }
    }

    pub(crate) fn clock(&self) {
        let place = place();
        let hands = ClockHands { region: self, table: self, telling: self, queue: self };
        let settings = ClockSettings {
            place: &place,
            baseline: Some(&self.baseline),
            repair_role: "arn:aws:iam::111122223333:role/repair",
            alerts_per_hour: 20,
            digest_hour: 7,
            stack: "guardrail",
            until: self.now() + Duration::from_secs(50),
        };
        let minute = polled(minute(&hands, settings), usize::MAX).unwrap().unwrap();
        assert_eq!(minute.faults, Vec::<String>::new());
    }

    /// A sweep, and what it asks for.
    pub(crate) fn sweep(&self) {
        let hands = SweepHands { region: self, table: self, queue: self };
        let (place, begins) = (place(), Round::Begins(format!("sweep-{}", self.now())));
        let until = self.now() + Duration::from_secs(100);
        let swept = round(&hands, &self.baseline, &place, &begins, until);
        let swept = polled(swept, usize::MAX).unwrap().unwrap();
        assert_eq!(swept.progress.remaining.len(), 0);
        self.deliver_sent();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.sim.sim().now()
    }

    /// Everything there is.
    pub(crate) fn world(&self) -> Value {
        serde_json::to_value(self.sim.sim().world()).unwrap()
    }

    /// Whether the private subnet's table has a route to the NAT gateway.
    pub(crate) fn leads_out(&self) -> bool {
        self.world()["RouteTables"]
            .as_array()
            .unwrap()
            .iter()
            .any(|table| table["RouteTableId"] == TABLE && table.to_string().contains(NAT))
    }

    /// The texts of the items of a kind whose names begin so.
    pub(crate) fn items(&self, kind: Kind, prefix: &str) -> Vec<String> {
        let partition = kind.at(&place());
        let of_kind =
            |item: &Item| item.key.partition == partition && item.key.name.starts_with(prefix);
        let items = self.kept.everything().into_iter().filter(of_kind);
        items.map(|item| text(&item)).collect()
    }

    /// The writes that had an effect.
    pub(crate) fn effects(&self) -> Vec<String> {
        let made = self.made.borrow();
        made.iter().filter(|made| made.has_effect()).map(|made| made.call.clone()).collect()
    }

    pub(crate) fn subjects(&self) -> Vec<String> {
        self.told.borrow().iter().map(|told| told.alert.subject.clone()).collect()
    }
}

fn text(item: &Item) -> String {
    match &item.body {
        Body::Text(text) => text.clone(),
        Body::Packed(_) => String::new(),
    }
}

pub(crate) fn place() -> Place {
    Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

/// What an id of the one VPC is called in the other.
pub(crate) fn id_in(vpc: &str, id: &str) -> String {
    if vpc == OTHER { id.replace("0a1b2c3d4e5f6", "0bbbbbbbbbbbb") } else { id.to_owned() }
}

/// The demo's VPC, and the same again under other ids and without the tag.
fn two_vpcs() -> World {
    let mut world: Value = serde_json::from_str(DEMO).unwrap();
    let other = id_in(OTHER, DEMO).replace("\"managed\"", "\"no\"").replace("10.20.", "10.40.");
    let other: Value = serde_json::from_str(&other).unwrap();
    let mine = [
        "Vpcs",
        "Subnets",
        "RouteTables",
        "VpcEndpoints",
        "NatGateways",
        "SecurityGroups",
        "NetworkInterfaces",
        "NetworkAcls",
        "DhcpOptions",
        "InternetGateways",
    ];
    for section in mine {
        let more = other[section].as_array().unwrap().clone();
        world[section].as_array_mut().unwrap().extend(more);
    }
    world["VpcAttributes"][OTHER] = world["VpcAttributes"][MANAGED].clone();
    world_file::load(&world.to_string()).unwrap()
}

pub(crate) fn nat_route(table: &str, nat: &str) -> Request {
    Request::CreateRoute {
        route_table_id: table.parse().unwrap(),
        destination: serde_json::from_value(json!({"CidrBlock": "0.0.0.0/0"})).unwrap(),
        target: nat.to_owned().into(),
    }
}

pub(crate) fn delete_endpoint(endpoint: &str) -> Request {
    Request::DeleteVpcEndpoints { vpc_endpoint_ids: vec![endpoint.parse().unwrap()] }
}

/// The message that somebody added the route to the NAT gateway.
pub(crate) fn route_created() -> String {
    message(CREATE_ROUTE)
}

/// The message that somebody deleted S3's endpoint.
pub(crate) fn endpoint_deleted() -> String {
    message(DELETE_ENDPOINT)
}

fn message(event: &str) -> String {
    let evidence = event::parse(event).unwrap().remove(0);
    for_call(&evidence, place().scope(&MANAGED.parse().unwrap())).body()
}

/// What a future comes to; `None` if it is dropped before, after so many awaits.
fn polled<T>(future: impl Future<Output = T>, awaits: usize) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..awaits {
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(value) = polled {
            return Some(value);
        }
    }
    None
}
