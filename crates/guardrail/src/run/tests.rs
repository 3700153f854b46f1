use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::cloud::{
    Answer, Applied, CallError, Carried, ErrorClass, InMemoryTable, NatTraffic, Observation, Unread,
};
use crate::ec2::change::{Call, NewEndpoint};
use crate::ec2::id::NatGatewayId;
use crate::ec2::snapshot::Section;
use crate::ec2::world::World;
use crate::fixture::{Fixture, gateway_endpoint, interface_endpoint, own_group, subnet, vpc};
use crate::plan::{Plan, StepId};
use crate::probe::{ProbeName, Question, ServiceVerdict};
use crate::report::{Next, Outcome, Verdict};

mod dying;
mod exempted;
mod killed_run;
mod left_calls;
mod probing;
mod telling;

use super::proof::tests::answer_of;

type Edit = fn(&mut Fixture) -> &mut Fixture;

/// A cloud that holds one world, does as it is told, and fails where the script says so.
struct Fake {
    state: RefCell<Fixture>,
    now: Cell<Timestamp>,
    reads: Cell<u32>,
    /// How many of those were of DNS attributes too.
    attribute_reads: Cell<u32>,
    calls: RefCell<Vec<String>>,
    /// What happens in the world before a read of this number.
    script: Vec<(u32, Edit)>,
    /// Sections that cannot be read in reads from one number to another.
    blind: Vec<(u32, u32, Section, ErrorClass)>,
    /// Calls, by a part of their words, that fail.
    refused: Vec<(&'static str, ErrorClass)>,
    /// Calls, by a part of their words, that have no answer, and come to nothing.
    unanswered: Vec<&'static str>,
    /// Whether changes that are made show.
    shows: bool,
    /// Whether endpoints come up with time.
    comes_up: bool,
    /// For which NAT gateways it was asked what they carried.
    asked: RefCell<Vec<NatGatewayId>>,
    /// What probes answer, one after another, for every service they are asked for.
    answers: RefCell<VecDeque<Result<ServiceVerdict, ErrorClass>>>,
}

impl Fake {
    fn new(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Self {
        Self {
            state: RefCell::new(Fixture::edited(edit)),
            now: Cell::new(Timestamp::UNIX_EPOCH),
            reads: Cell::new(0),
            attribute_reads: Cell::new(0),
            calls: RefCell::default(),
            script: Vec::new(),
            blind: Vec::new(),
            refused: Vec::new(),
            unanswered: Vec::new(),
            shows: true,
            comes_up: true,
            asked: RefCell::default(),
            answers: RefCell::default(),
        }
    }

    fn make(&self, call: &Call) -> Applied {
        let mut state = self.state.borrow_mut();
        match call {
            Call::DeleteRoute { table, destination, .. } => {
                state.drop_route(table.as_str(), &destination.to_string());
            }
            Call::CreateEndpoint { service, kind: NewEndpoint::Interface { .. }, .. } => {
                let mut made =
                    interface_endpoint("vpce-made", service.as_str().rsplit('.').next().unwrap());
                made["State"] = json!("pending");
                made["Groups"] = json!([{"GroupId": "sg-own"}]);
                return self.made(&mut state, made);
            }
            Call::CreateEndpoint {
                service, kind: NewEndpoint::Gateway { route_tables }, ..
            } => {
                let service = service.as_str().rsplit('.').next().unwrap();
                let tables: Vec<&str> = route_tables.iter().map(|table| table.as_str()).collect();
                for table in &tables {
                    state.route(table, &format!("pl-{service}"), "vpce-gateway");
                }
                let made = gateway_endpoint("vpce-gateway", service, &tables);
                return self.made(&mut state, made);
            }
            Call::CreateSecurityGroup { .. } => {
                state.add("SecurityGroups", own_group(&[]));
                return Applied::CreatedGroup("sg-own".parse().unwrap());
            }
            Call::AuthorizeHttps { .. } => {
                state.remove("sg-own").add("SecurityGroups", own_group(&["10.0.0.0/16"]));
            }
            Call::RevokeIngress { group, .. } => {
                state.set(
                    group.as_str(),
                    "IpPermissions",
                    own_group(&["10.0.0.0/16"])["IpPermissions"].clone(),
                );
            }
            Call::EnableVpcDns { .. } => {
                state.world["VpcAttributes"]["vpc-1"] =
                    json!({"EnableDnsSupport": true, "EnableDnsHostnames": true});
            }
            Call::DisablePublicIpOnLaunch { subnet } => {
                state.set(subnet.as_str(), "MapPublicIpOnLaunch", json!(false));
            }
            Call::SetEndpointPolicy { endpoint, policy, .. } => {
                state.set(endpoint.as_str(), "PolicyDocument", json!(policy));
            }
            Call::StopAutomaticAddress { address: None, .. } | Call::ModifyEndpoint { .. } => {}
            Call::StopAutomaticAddress { interface, address: Some(_) }
            | Call::DisassociateAddress { interface, .. } => {
                state.set(interface.as_str(), "Association", Value::Null);
            }
        }
        Applied::Done
    }

    /// An endpoint as the guardrail makes it.
    fn made(&self, state: &mut Fixture, mut endpoint: Value) -> Applied {
        endpoint["Tags"] = json!([{"Key": "vpc-guardrail", "Value": "created"}]);
        endpoint["CreationTimestamp"] = json!(self.now.get().to_string());
        let id = endpoint["VpcEndpointId"].as_str().unwrap().parse().unwrap();
        state.add("VpcEndpoints", endpoint);
        Applied::CreatedEndpoint(id)
    }
}

impl Cloud for Fake {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn uptime(&self) -> Duration {
        self.now.get().duration_since(Timestamp::UNIX_EPOCH).unsigned_abs()
    }

    async fn observe(&self, _: &Scope, sections: &[Section]) -> Observation {
        let read = self.reads.get() + 1;
        self.reads.set(read);
        if sections.contains(&Section::VpcAttributes) {
            self.attribute_reads.set(self.attribute_reads.get() + 1);
        }
        self.script.iter().filter(|(at, _)| *at == read).for_each(|(_, happen)| {
            happen(&mut self.state.borrow_mut());
        });
        let mut seen = Observation::default();
        seen.world.refresh(self.state.borrow().world(), sections);
        for (from, to, section, class) in &self.blind {
            if (*from..=*to).contains(&read) && sections.contains(section) {
                seen.world.refresh(World::default(), &[*section]);
                seen.unread.push(Unread { section: *section, error: error(*class) });
            }
        }
        seen
    }

    async fn apply(&self, _: &Scope, call: &Call) -> Answer {
        self.calls.borrow_mut().push(call.to_string());
        if self.unanswered.iter().any(|part| call.to_string().contains(part)) {
            return Answer::without_id(Err(CallError {
                code: None,
                ..error(ErrorClass::Transient)
            }));
        }
        Answer::without_id(
            match self.refused.iter().find(|(part, _)| call.to_string().contains(part)) {
                Some((_, class)) => Err(error(*class)),
                None if self.shows => Ok(self.make(call)),
                None => Ok(Applied::Done),
            },
        )
    }

    async fn carried(&self, _: &Scope, nats: &[NatGatewayId]) -> Vec<NatTraffic> {
        self.asked.borrow_mut().extend(nats.iter().cloned());
        nats.iter().map(|nat| NatTraffic { nat: nat.clone(), carried: Carried::NoData }).collect()
    }

    async fn ask_probe(
        &self,
        _: &Scope,
        _: &ProbeName,
        question: &Question,
    ) -> Result<crate::probe::Answer, CallError> {
        self.calls.borrow_mut().push("ask".to_owned());
        let answer = self.answers.borrow_mut().pop_front().expect("no more questions");
        answer.map(|verdict| answer_of(question, verdict)).map_err(error)
    }

    async fn pause(&self, time: Duration) {
        self.now.set(self.now.get() + time);
        for endpoint in
            self.state.borrow_mut().section("VpcEndpoints").iter_mut().filter(|_| self.comes_up)
        {
            if endpoint["State"] == "pending" {
                endpoint["State"] = json!("available");
            }
        }
    }
}

fn error(class: ErrorClass) -> CallError {
    CallError {
        operation: "Call".to_owned(),
        class,
        code: Some(format!("{class:?}")),
        message: "scripted".to_owned(),
    }
}

/// A request with this many seconds of time.
fn request(seconds: i64) -> RunRequest {
    RunRequest {
        scope: Scope {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            vpc: vpc(),
        },
        cause: Cause::Event,
        evidence: Vec::new(),
        run_id: "run".to_owned(),
        incident: "incident".to_owned(),
        deadline: Timestamp::from_second(seconds).unwrap(),
    }
}

/// What is seen counts at once in most tests, and no tool is left any time: waiting has tests of its
/// own.
fn at_once(w: &mut Fixture) {
    w.baseline("settling", json!({"minutes": 0, "dhcp_options_minutes": 0}));
    for rule in ["gateway-endpoint", "interface-endpoint"] {
        w.baseline["rules"][rule]["grace_minutes"] = json!(0);
    }
}

/// The run of a request on what this table remembers.
fn lived(cloud: &Fake, table: &InMemoryTable, request: &RunRequest) -> Lived {
    let baseline = cloud.state.borrow().wanted();
    let mut running = pin!(super::run(cloud, table, &[], &baseline, request));
    match running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(lived) => lived,
        Poll::Pending => panic!("the fake never waits"),
    }
}

/// The report of a run that is over and recorded.
fn recorded(lived: Lived) -> Report {
    match lived {
        Lived::Recorded { report, .. } => *report,
        Lived::Busy { .. } | Lived::NotRecorded { .. } => panic!("{lived:?}"),
    }
}

/// A run with this many seconds of time over a VPC of which nothing is remembered.
fn run_for(cloud: &Fake, seconds: i64) -> Report {
    at_once(&mut cloud.state.borrow_mut());
    recorded(lived(cloud, &InMemoryTable::default(), &request(seconds)))
}

fn run(cloud: &Fake) -> Report {
    run_for(cloud, 300)
}

/// How the run ended, whether another is needed, and what became of each step and finding.
fn told(report: &Report) -> Vec<String> {
    let steps =
        report.steps.iter().map(|step| format!("{} {}: {}", step.id, step.summary, step.outcome));
    let found =
        report.findings.iter().map(|found| format!("{} repaired: {}", found.rule, found.repaired));
    let end = format!("{}, {:?}", report.verdict, report.next);
    std::iter::once(end).chain(steps).chain(found).collect()
}

fn nat(w: &mut Fixture) -> &mut Fixture {
    w.route("rtb-a", "0.0.0.0/0", "nat-1")
}

#[test]
fn what_a_nat_gateway_carried_is_asked_before_its_route_goes_and_else_not() {
    let asked = |edit: Edit| {
        let cloud = Fake::new(edit);
        let report = run(&cloud);
        (cloud.asked.into_inner(), report.nat_traffic)
    };
    let id: NatGatewayId = "nat-1".parse().unwrap();
    let carried = vec![NatTraffic { nat: id.clone(), carried: Carried::NoData }];
    let two: Edit = |w| nat(w).route("rtb-b", "0.0.0.0/0", "nat-1");
    assert_eq!(asked(two), (vec![id.clone()], carried.clone()));
    // The route is not taken in this mode, but the plan has it go.
    let notify: Edit = |w| nat(w).baseline("mode", json!("notify"));
    assert_eq!(asked(notify), (vec![id], carried));
    let stays: Edit = |w| {
        nat(w).set("vpce-ssm", "PrivateDnsEnabled", json!(false)).set(
            "vpce-s3",
            "State",
            json!("failed"),
        )
    };
    assert_eq!(asked(stays), (vec![], vec![]));
    let egress_only: Edit = |w| w.route("rtb-a", "::/0", "eigw-1");
    assert_eq!(asked(egress_only), (vec![], vec![]));
}

/// "Live, what the NAT gateway carried in the last hour": of a plan too, and if it cannot be read the
/// plan says so and nothing else changes.
#[test]
fn a_preview_says_what_a_nat_gateway_carried_or_why_not() {
    let previewed = |edit: Edit| {
        let fixture = Fixture::edited(edit);
        preview(&fixture.wanted(), &fixture.world(), &request(60), Timestamp::UNIX_EPOCH)
    };
    let asked = |edit: Edit| {
        let cloud = Fake::new(edit);
        let mut future = pin!(with_traffic(&cloud, previewed(edit)));
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(report) = future.as_mut().poll(&mut context) else { panic!("pending") };
        report
    };
    let id: NatGatewayId = "nat-1".parse().unwrap();
    let told = |carried| vec![NatTraffic { nat: id.clone(), carried }];
    let report = asked(|w| nat(w));
    assert_eq!(report.nat_traffic, told(Carried::NoData));
    assert_eq!(Report { nat_traffic: Vec::new(), ..report }, previewed(|w| nat(w)));
    assert_eq!(asked(|w| w).nat_traffic, []);
    let why = error(ErrorClass::Transient);
    let report = with_unreadable_traffic(previewed(|w| nat(w)), &why);
    assert_eq!(report.nat_traffic, told(Carried::Unreadable(why)));
    assert_eq!(Report { nat_traffic: Vec::new(), ..report }, previewed(|w| nat(w)));
}

#[test]
fn a_vpc_that_is_let_go_meanwhile_is_not_said_to_be_repaired() {
    let let_go: Edit = |w| w.set("vpc-1", "Tags", json!([]));
    let gone: Edit = |w| w.remove("vpc-1");
    for happens in [let_go, gone] {
        let two_routes: Edit = |w| nat(w).route("rtb-b", "0.0.0.0/0", "nat-1");
        let cloud = Fake { script: vec![(3, happens)], ..Fake::new(two_routes) };
        assert_eq!(
            told(&run(&cloud)),
            [
                "drift left, Again",
                "1 delete the route 0.0.0.0/0 → nat-1 from rtb-a: done",
                "2 delete the route 0.0.0.0/0 → nat-1 from rtb-b: not taken: what it was planned from \
                 has changed meanwhile",
                "internet-route repaired: false",
                "internet-route repaired: false"
            ]
        );
    }
}

/// A group of another account may admit everybody or nobody: nobody can tell from here.
#[test]
fn a_vpc_whose_endpoints_group_was_not_read_is_not_said_to_be_on_its_baseline() {
    let cloud = Fake::new(|w| w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-somebodys"}])));
    assert_eq!(told(&run(&cloud)), ["not fully observed, Settled"]);
}

fn public_ip(w: &mut Fixture) -> &mut Fixture {
    w.set("subnet-pria", "MapPublicIpOnLaunch", json!(true))
        .baseline("rules", json!({"public-ip-on-launch": {"mode": "repair"}}))
}

#[test]
fn a_plain_call_is_made_verified_and_undone_by_its_opposite() {
    let cloud = Fake::new(public_ip);
    let report = run(&cloud);
    assert_eq!(
        told(&report),
        [
            "repaired, Settled",
            "1 turn MapPublicIpOnLaunch of subnet-pria off: done",
            "public-ip-on-launch repaired: true"
        ]
    );
    assert_eq!(
        report.steps[0].undo.as_deref(),
        Some(
            "aws ec2 modify-subnet-attribute --subnet-id subnet-pria --map-public-ip-on-launch \
             --region eu-central-1"
        )
    );
    let unseen = Fake { shows: false, ..Fake::new(public_ip) };
    assert_eq!(
        told(&run(&unseen)),
        [
            "drift left, Settled",
            "1 turn MapPublicIpOnLaunch of subnet-pria off: done",
            "public-ip-on-launch repaired: false"
        ]
    );
}

#[test]
fn rules_that_were_revoked_are_put_back_to_the_letter_by_their_undo() {
    let cloud = Fake::new(|w| {
        let ssh = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
            "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "it's mine"}]});
        let options = json!({"mode": "repair", "revoke_added": true});
        w.add("SecurityGroups", own_group(&["10.0.0.0/16"]));
        w.thing("sg-own")["IpPermissions"].as_array_mut().unwrap().push(ssh);
        w.baseline("rules", json!({"own-group-edited": options}))
    });
    let report = run(&cloud);
    assert_eq!(
        told(&report),
        [
            "repaired, Settled",
            "1 revoke the rule TCP 22 from 0.0.0.0/0 of sg-own: done",
            "own-group-edited repaired: true"
        ]
    );
    let undo = report.steps[0].undo.as_deref().unwrap();
    let start = "aws ec2 authorize-security-group-ingress --group-id sg-own --ip-permissions ";
    assert!(undo.starts_with(start), "{undo}");
    let words = undo.strip_prefix(start).unwrap().strip_suffix(" --region eu-central-1").unwrap();
    let shell =
        std::process::Command::new("sh").args(["-c", &format!("printf %s {words}")]).output();
    let sent: Value = serde_json::from_slice(&shell.unwrap().stdout).unwrap();
    let rule = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "it's mine"}]});
    assert_eq!(sent, json!([rule]));
}

#[test]
fn a_plain_call_is_not_made_once_somebody_made_it() {
    let done: Edit = |w| w.set("subnet-pria", "MapPublicIpOnLaunch", json!(false));
    let cloud = Fake { script: vec![(2, done)], ..Fake::new(public_ip) };
    let what = "not taken: what it was planned from has changed meanwhile";
    let report = told(&run(&cloud));
    assert_eq!(report[1], format!("1 turn MapPublicIpOnLaunch of subnet-pria off: {what}"));
    assert_eq!(cloud.calls.take(), Vec::<String>::new());
}

/// SSM is missing, so that a NAT route on `rtb-a` has to wait for it.
fn nat_without_ssm(w: &mut Fixture) -> &mut Fixture {
    nat(w).remove("vpce-ssm").add("SecurityGroups", own_group(&["10.0.0.0/16"]))
}

const DELETE: &str = "delete the route 0.0.0.0/0 → nat-1 from rtb-a";
const CREATE: &str = "create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with \
                      sg-own, with private DNS";
const WAIT: &str = "wait until the endpoint for com.amazonaws.eu-central-1.ssm is available";

#[test]
fn a_compliant_vpc_is_read_once_and_nothing_is_called() {
    let cloud = Fake::new(|w| w);
    assert_eq!(told(&run(&cloud)), ["compliant, Settled"]);
    assert_eq!((cloud.reads.get(), cloud.calls.borrow().len()), (1, 0));
}

#[test]
fn a_vpc_that_is_not_managed_or_not_there_is_left_alone() {
    let cloud = Fake::new(|w| nat(w).set("vpc-1", "Tags", json!([])));
    assert_eq!(told(&run(&cloud)), ["not managed, Settled"]);
    let gone = Fake::new(|w| nat(w).remove("vpc-1"));
    assert_eq!(told(&run(&gone)), ["no such VPC, Settled"]);
    let mut unread = Fake::new(nat);
    unread.blind = vec![(1, 9, Section::Vpcs, ErrorClass::Denied)];
    assert_eq!(told(&run(&unread)), ["not fully observed, Settled"]);
    assert_eq!(
        [cloud, gone, unread].map(|cloud| cloud.calls.take()),
        [const { Vec::<String>::new() }; 3]
    );
}

#[test]
fn only_where_the_vpc_itself_was_not_observed_is_nothing_known_of_it() {
    let seen = |edit: Edit| {
        let (w, request) = (Fixture::edited(edit), request(300));
        let circumstances =
            request.circumstances(Timestamp::UNIX_EPOCH, Memory::NotAsked, Grace::none());
        let Assessment { standing, findings, plan, departures, private_subnets, complete, .. } =
            assess(&w.wanted(), &w.world(), &request, circumstances);
        assert_eq!((findings, plan, departures), (vec![], Plan::default(), vec![]));
        assert_eq!(private_subnets, 0);
        (standing, complete)
    };
    assert_eq!(
        seen(|w| nat(w).set("vpc-1", "Tags", json!([]))),
        (VpcStanding::NotManaged(None), true)
    );
    assert_eq!(seen(|w| nat(w).remove("vpc-1")), (VpcStanding::Missing, true));
    assert_eq!(seen(|w| nat(w).without("Vpcs")), (VpcStanding::Unobserved, false));
}

/// What a call took out of the guardrail's care is told; what is done comes from what is seen.
#[test]
fn a_changed_selection_changes_nothing_that_the_plan_does_not() {
    let record = json!({
        "eventName": "DeleteTags", "eventSource": "ec2.amazonaws.com", "requestParameters": null,
    });
    let mut call = crate::event::decode(&record).unwrap();
    call.tagging.as_mut().unwrap().resources =
        ["vpc-1", "subnet-prib"].map(|id| id.parse().unwrap()).to_vec();
    let looked = |edit: Edit| {
        let cloud = Fake::new(edit);
        at_once(&mut cloud.state.borrow_mut());
        let (cause, evidence) = (Cause::SelectionChanged, vec![call.clone()]);
        let request = RunRequest { cause, evidence, ..request(300) };
        let report = recorded(lived(&cloud, &InMemoryTable::default(), &request));
        (report.verdict, report.departures.len(), cloud.calls.take().len())
    };
    assert_eq!(looked(|w| nat(w)), (Verdict::Repaired, 0, 1));
    assert_eq!(looked(|w| nat(w).set("subnet-prib", "Tags", json!([]))), (Verdict::Repaired, 1, 1));
    assert_eq!(looked(|w| nat(w).set("vpc-1", "Tags", json!([]))), (Verdict::NotManaged, 1, 0));
}

#[test]
fn nothing_is_called_on_an_incomplete_snapshot() {
    // What else a run reads, none of these steps rests on.
    let others = [
        Section::NatGateways,
        Section::PrefixLists,
        Section::NetworkInterfaces,
        Section::DhcpOptions,
    ];
    for section in Section::judged().into_iter().filter(|section| !others.contains(section)) {
        let mut cloud = Fake::new(nat_without_ssm);
        cloud.blind = vec![(1, 9, section, ErrorClass::Throttled)];
        let report = run(&cloud);
        assert_eq!(
            (report.next, report.steps, cloud.calls.take()),
            (Next::Again, vec![], vec![]),
            "{section}"
        );
        assert!(report.findings.iter().all(|found| !found.repaired), "{section}");
    }
}

#[test]
fn a_repair_makes_waits_breaks_and_looks_again() {
    let cloud = Fake::new(|w| nat(w).remove("vpce-ssm"));
    let made = "create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib with the group \
                made by step 1, with private DNS";
    assert_eq!(
        told(&run(&cloud)),
        [
            "repaired, Settled",
            "1 create security group vpc-guardrail-endpoints in vpc-1: done: sg-own",
            "2 admit TCP 443 to the group made by step 1 from 10.0.0.0/16: done",
            &format!("3 {made}: done: vpce-made"),
            &format!("4 {WAIT}: done"),
            &format!("5 {DELETE}: done"),
            "interface-endpoint repaired: true",
            "internet-route repaired: true",
        ]
    );
    assert_eq!(
        cloud.calls.take(),
        [
            "create security group vpc-guardrail-endpoints in vpc-1",
            "admit TCP 443 to sg-own from 10.0.0.0/16",
            CREATE,
            DELETE
        ]
    );
    assert_eq!(told(&run(&cloud)), ["compliant, Settled"]);
    assert_eq!(cloud.calls.take(), Vec::<String>::new());
}

#[test]
fn modes_other_than_repair_call_nothing() {
    for mode in ["observe", "notify"] {
        let cloud = Fake::new(|w| nat(w).baseline("mode", json!(mode)));
        assert_eq!(
            told(&run(&cloud)),
            [
                "drift left, Settled",
                &format!("1 {DELETE}: not taken: the mode is {mode}"),
                "internet-route repaired: false"
            ]
        );
        assert_eq!((cloud.reads.get(), cloud.calls.take()), (1, vec![]));
    }
}

#[test]
fn a_step_whose_facts_have_changed_is_stale() {
    let changes: [Edit; 6] = [
        |w| w.drop_route("rtb-a", "0.0.0.0/0").route("rtb-a", "0.0.0.0/0", "nat-regional"),
        |w| w.drop_route("rtb-a", "0.0.0.0/0"),
        |w| w.set("vpc-1", "Tags", json!([])),
        |w| w.tag("subnet-pria", "Tier", "data"),
        |w| {
            w.add("Subnets", subnet("subnet-new", "a", "public"))
                .associate("rtb-a", json!({"SubnetId": "subnet-new"}))
        },
        |w| w.set("vpce-s3", "State", json!("failed")),
    ];
    for change in changes {
        let mut cloud = Fake::new(nat);
        cloud.script = vec![(2, change)];
        assert_eq!(
            told(&run(&cloud)),
            [
                "drift left, Again",
                &format!("1 {DELETE}: not taken: what it was planned from has changed meanwhile"),
                "internet-route repaired: false"
            ]
        );
        assert_eq!(cloud.calls.take(), Vec::<String>::new());
    }
}

#[test]
fn what_was_just_read_is_not_read_again() {
    let mut cloud = Fake::new(|w| nat(w).route("rtb-b", "0.0.0.0/0", "nat-1"));
    cloud.script = vec![(2, |w| w.drop_route("rtb-a", "0.0.0.0/0"))];
    run(&cloud);
    assert_eq!(cloud.calls.take(), ["delete the route 0.0.0.0/0 → nat-1 from rtb-b"]);
    assert_eq!(cloud.reads.get(), 3);
}

/// EC2 wants two calls for them, of which a run has few.
#[test]
fn dns_attributes_are_read_first_and_before_what_they_can_speak_against() {
    let cloud = Fake::new(|w| nat(w).delete_gateway("vpce-s3"));
    run(&cloud);
    let calls = cloud.calls.take();
    let [create, delete] = calls.as_slice() else { panic!("two calls are planned: {calls:?}") };
    assert!(create.starts_with("create a gateway endpoint") && delete == DELETE, "{calls:?}");
    assert_eq!(cloud.attribute_reads.get(), 2, "not before the endpoint, nor after the route");
}

#[test]
fn what_cannot_be_read_again_is_not_acted_on() {
    let mut cloud = Fake::new(nat);
    cloud.blind = vec![(2, 2, Section::RouteTables, ErrorClass::Throttled)];
    assert_eq!(
        told(&run(&cloud)),
        [
            "drift left, Again",
            &format!("1 {DELETE}: not taken: could not look again: Call: Throttled: \"scripted\""),
            "internet-route repaired: false"
        ]
    );
    assert_eq!(cloud.calls.take(), Vec::<String>::new());
}

#[test]
fn one_failed_look_spoils_one_step_only() {
    let mut cloud = Fake::new(|w| nat(w).route("rtb-b", "0.0.0.0/0", "nat-1"));
    cloud.blind = vec![(2, 2, Section::RouteTables, ErrorClass::Throttled)];
    run(&cloud);
    assert_eq!(cloud.calls.take(), ["delete the route 0.0.0.0/0 → nat-1 from rtb-b"]);
}

#[test]
fn when_a_step_fails_what_depends_on_it_is_skipped_and_the_rest_is_not() {
    for (class, next) in [(ErrorClass::Denied, "Settled"), (ErrorClass::Throttled, "Again")] {
        let mut cloud = Fake::new(|w| {
            nat_without_ssm(w).add("VpcEndpoints", gateway_endpoint("vpce-zzz", "kms", &[]));
            w.world["VpcAttributes"]["vpc-1"]["EnableDnsSupport"] = json!(false);
            w
        });
        cloud.refused = vec![("create an interface endpoint", class)];
        let report = run(&cloud);
        let expected = [
            format!("drift left, {next}"),
            "1 turn enableDnsSupport of vpc-1 on: done".to_owned(),
            format!("2 {CREATE}: failed: Call: {class:?}: \"scripted\""),
            format!("3 {WAIT}: not taken: step 2 comes first"),
        ];
        assert_eq!(told(&report)[..4], expected);
        assert_eq!(report.steps.last().unwrap().outcome, Outcome::Skipped { because: StepId(3) });
        assert!(cloud.calls.take().iter().all(|call| call != DELETE));
    }
}

#[test]
fn a_route_stays_where_the_steps_before_it_are_not_allowed() {
    let not_allowed: fn(&mut Fixture) -> &mut Fixture = |w| {
        w.baseline("rules", json!({"interface-endpoint": {"mode": "notify"}}));
        nat_without_ssm(w)
    };
    let cloud = Fake::new(not_allowed);
    let expected = [
        "drift left, Settled",
        &format!("1 {CREATE}: not taken: the mode is notify"),
        &format!("2 {WAIT}: not taken: the mode is notify"),
        &format!("3 {DELETE}: not taken: step 2 comes first"),
        "interface-endpoint repaired: false",
        "internet-route repaired: false",
    ];
    assert_eq!(told(&run(&cloud)), expected);
    assert_eq!(cloud.calls.take(), Vec::<String>::new());
    // Nor does a preview promise it.
    let fixture = Fixture::edited(not_allowed);
    let now = Timestamp::UNIX_EPOCH;
    let seen = preview(&fixture.wanted(), &fixture.world(), &request(60), now);
    assert_eq!(told(&seen), expected);
}

#[test]
fn what_does_not_come_up_in_time_is_not_called_repaired() {
    let mut cloud = Fake::new(nat_without_ssm);
    cloud.comes_up = false;
    let report = run_for(&cloud, 60);
    assert_eq!(
        told(&report),
        [
            "drift left, Again",
            &format!("1 {CREATE}: done: vpce-made"),
            &format!("2 {WAIT}: not yet; the next run goes on"),
            &format!("3 {DELETE}: not taken: step 2 comes first"),
            "interface-endpoint repaired: false",
            "internet-route repaired: false",
        ]
    );
    assert!(report.finished <= Timestamp::from_second(60).unwrap());
    cloud.comes_up = true;
    assert_eq!(
        told(&run_for(&cloud, 120)),
        [
            "repaired, Settled",
            &format!("1 {WAIT}: done"),
            &format!("2 {DELETE}: done"),
            "service-not-served repaired: true",
            "internet-route repaired: true"
        ]
    );
}

#[test]
fn an_endpoint_that_fails_while_it_comes_up_is_not_waited_for() {
    let mut cloud = Fake::new(nat_without_ssm);
    cloud.comes_up = false;
    cloud.script = vec![(5, |w| w.set("vpce-made", "State", json!("failed")))];
    let report = run(&cloud);
    assert_eq!(
        report.steps[1].outcome,
        Outcome::WillNotBeReady { reason: "vpce-made is in state failed".to_owned() }
    );
    assert_eq!((report.verdict, report.next), (Verdict::DriftLeft, Next::Settled));
}

#[test]
fn after_the_deadline_nothing_is_begun() {
    let cloud = Fake::new(nat);
    assert_eq!(
        told(&run_for(&cloud, 0)),
        [
            "drift left, Again",
            &format!("1 {DELETE}: not taken: the run's time was up"),
            "internet-route repaired: false"
        ]
    );
    assert_eq!(cloud.calls.take(), Vec::<String>::new());
}

#[test]
fn a_change_that_does_not_show_yet_is_looked_at_again() {
    let mut cloud = Fake::new(nat);
    cloud.shows = false;
    cloud.script = vec![(5, |w| w.drop_route("rtb-a", "0.0.0.0/0"))];
    assert_eq!(
        told(&run(&cloud)),
        ["repaired, Settled", &format!("1 {DELETE}: done"), "internet-route repaired: true"]
    );
    assert_eq!(cloud.reads.get(), 5);
}

#[test]
fn a_change_that_never_shows_is_not_called_repaired() {
    let mut cloud = Fake::new(nat);
    cloud.shows = false;
    assert_eq!(
        told(&run(&cloud)),
        ["drift left, Settled", &format!("1 {DELETE}: done"), "internet-route repaired: false"]
    );
}

#[test]
fn what_could_not_be_looked_at_again_is_not_called_repaired() {
    let mut cloud = Fake::new(nat);
    cloud.blind = vec![(3, 9, Section::RouteTables, ErrorClass::Throttled)];
    assert_eq!(
        told(&run(&cloud)),
        ["drift left, Again", &format!("1 {DELETE}: done"), "internet-route repaired: false"]
    );
    let mut passing = Fake::new(nat);
    passing.blind = vec![(3, 4, Section::RouteTables, ErrorClass::Throttled)];
    assert_eq!(
        told(&run(&passing)),
        ["repaired, Settled", &format!("1 {DELETE}: done"), "internet-route repaired: true"]
    );
}

#[test]
fn somebody_who_undoes_the_repair_at_once_is_seen() {
    let mut cloud = Fake::new(nat);
    cloud.script = vec![(3, |w| w.route("rtb-a", "0.0.0.0/0", "nat-regional"))];
    assert_eq!(
        told(&run(&cloud)),
        [
            "drift left, Again",
            &format!("1 {DELETE}: done"),
            "internet-route repaired: false",
            "internet-route repaired: false"
        ]
    );
}

#[test]
fn a_throttled_look_does_not_make_an_endpoint_gone() {
    let mut cloud = Fake::new(|w| {
        w.add("SecurityGroups", own_group(&["10.0.0.0/16"])).set(
            "vpce-ssm",
            "State",
            json!("deleting"),
        )
    });
    cloud.blind = vec![(2, 4, Section::VpcEndpoints, ErrorClass::Throttled)];
    assert_eq!(run_for(&cloud, 30).steps[0].outcome, Outcome::TimedOut);
    assert_eq!(cloud.calls.take(), Vec::<String>::new());
}

#[test]
fn calls_that_always_fail_do_not_ask_for_another_run_for_the_rest() {
    let mut cloud = Fake::new(|w| {
        w.baseline("limits", json!({"changes": 1}));
        nat(w).route("rtb-b", "0.0.0.0/0", "nat-1")
    });
    cloud.refused = vec![("delete the route", ErrorClass::Denied)];
    assert_eq!(run(&cloud).next, Next::Settled);
    cloud.refused.clear();
    assert_eq!(run(&cloud).next, Next::Again);
    assert_eq!(run(&cloud).verdict, Verdict::Repaired);
}

#[test]
fn a_route_stays_when_a_service_is_served_no_more_just_before() {
    let mut cloud = Fake::new(nat);
    cloud.comes_up = false;
    cloud.script = vec![(2, |w| w.set("vpce-ssm", "State", json!("pending")))];
    assert_eq!(
        told(&run_for(&cloud, 30)),
        [
            "drift left, Again",
            &format!("1 {DELETE}: not yet; the next run goes on"),
            "internet-route repaired: false"
        ]
    );
    assert_eq!(cloud.calls.take(), Vec::<String>::new());
}

#[test]
fn what_an_earlier_look_missed_is_read_again_while_waiting() {
    let mut cloud = Fake::new(|w| {
        w.world["VpcAttributes"]["vpc-1"]["EnableDnsSupport"] = json!(false);
        nat(w).set("vpce-s3", "State", json!("pending"))
    });
    cloud.blind = vec![(2, 2, Section::VpcAttributes, ErrorClass::Throttled)];
    cloud.script = vec![(4, |w| w.set("vpce-s3", "State", json!("available")))];
    let wait = "wait until the endpoint for com.amazonaws.eu-central-1.s3 is available";
    assert_eq!(
        told(&run(&cloud))[..3],
        [
            "drift left, Again",
            "1 turn enableDnsSupport of vpc-1 on: not taken: could not look again: Call: Throttled: \"scripted\"",
            &format!("2 {wait}: done"),
        ]
    );
}

/// What makes the subnet public must still be there at the third look: a rule that took it away at the
/// first would make the next step legal.
#[test]
fn a_mistagged_public_subnet_is_the_same_after_three_looks() {
    let edits: [Edit; 2] = [
        |w| w.set("subnet-pubb", "MapPublicIpOnLaunch", json!(true)),
        |w| {
            let elastic = json!({"PublicIp": "198.51.100.7"});
            w.add(
                "NetworkInterfaces",
                json!({"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-pubb",
                    "Association": elastic}),
            )
        },
    ];
    for edit in edits {
        let cloud = Fake::new(|w| {
            let w = w.remove("subnet-puba").set("nat-1", "SubnetId", json!("subnet-elsewhere"));
            let rules = json!({"public-ip-on-launch": {"mode": "repair"}});
            let w = w.tag("subnet-pubb", "Tier", "private").baseline("rules", rules);
            edit(w.baseline("internet_routes", json!({"remove": "immediately"})))
        });
        let before = cloud.state.borrow().world.clone();
        for _ in 0..3 {
            let report = run(&cloud);
            assert_eq!(report.verdict, Verdict::DriftLeft);
            let found: Vec<&str> = report.findings.iter().map(|f| f.rule.as_str()).collect();
            assert_eq!(found.first(), Some(&"private-but-public"), "{found:?}");
        }
        assert_eq!(*cloud.calls.borrow(), Vec::<String>::new());
        assert_eq!(cloud.state.borrow().world, before);
    }
}

#[test]
fn advice_alone_is_neither_drift_nor_a_vpc_on_its_baseline() {
    let advised = |w: &mut Fixture| {
        w.tag("subnet-prib", "Tier", "lab").route("rtb-b", "0.0.0.0/0", "nat-1");
    };
    let cloud = Fake::new(|w| {
        advised(w);
        w
    });
    let report = run(&cloud);
    assert_eq!((report.verdict, report.next), (Verdict::Advised, Next::Settled));
    let repaired = Fake::new(|w| {
        advised(w);
        w.route("rtb-a", "0.0.0.0/0", "nat-1")
    });
    let report = run(&repaired);
    assert!(report.changed());
    assert_eq!(report.verdict, Verdict::Advised);
    let blind = Fake::new(|w| {
        advised(w);
        w.without("VpcAttributes")
    });
    assert_eq!(run(&blind).verdict, Verdict::Incomplete);
}

/// "`CreationTimestamp` only says that nothing is older than it."
#[test]
fn what_is_noted_of_an_endpoint_is_never_older_than_it() {
    let fixture =
        Fixture::edited(|w| w.set("vpce-ssm", "CreationTimestamp", json!("1970-01-01T00:20:00Z")));
    let noted = |since| {
        let (baseline, world) = (fixture.wanted(), fixture.world());
        let since = Timestamp::from_second(since).unwrap();
        let facts = remembered_since(&baseline, &world, &vpc(), since).facts;
        let facts: Vec<crate::history::Fact> =
            serde_json::from_value(serde_json::to_value(facts).unwrap()).unwrap();
        let of = |id: &str| {
            let name = crate::history::Premise::EndpointName(id.parse().unwrap());
            facts.iter().find(|it| it.premise == name).unwrap().since.as_second()
        };
        [of("vpce-ssm"), of("vpce-ssmmessages")]
    };
    assert_eq!(noted(600), [1_200, 600]);
    assert_eq!(noted(1_500), [1_500, 1_500]);
}
