//! What must hold of every world and baseline: the guardrail settles it, touches nothing that is
//! not its own, and never takes a way out before the way in is there.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's helpers stop the test as the test does"
)]

#[allow(dead_code, reason = "the onlooker uses the rest")]
mod spec;

use std::time::Duration;

use guardrail::analysis::View;
use guardrail::analysis::required_service::required_services;
use guardrail::analysis::served::prove;
use guardrail::baseline::{Mode, Remove, RuleId, RuleSwitch};
use guardrail::cloud::{Answer, Cloud, InMemoryTable, Observation};
use guardrail::ec2::change::Call;
use guardrail::ec2::id::{Scope, VpcId};
use guardrail::ec2::snapshot::{Section, Shared, Snapshot};
use guardrail::ec2::world::{Route, RouteTable, Subnet, Tag, World};
use guardrail::report::{Cause, Next, Outcome, Report, Verdict};
use guardrail::rules::left_alone::{LeftAlone, LeftAloneReason};
use guardrail::run::{Lived, RunRequest, preview, run};
use guardrail_sim::{Fault, Recorded, Sim, SimCloud, SimOptions};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::spec::{Case, Kind, MANAGED, OTHER, case};

/// A case is settled after so many runs, or never: one for each batch that the limits allow, and
/// some for what passes.
const RUNS: usize = 48;

fn request(vpc: &str, number: usize, now: Timestamp) -> RunRequest {
    RunRequest {
        scope: Scope {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            vpc: VpcId::try_from(vpc.to_owned()).unwrap(),
        },
        cause: Cause::Event,
        evidence: Vec::new(),
        run_id: format!("run-{number}-{now}"),
        incident: format!("incident-{number}"),
        deadline: now.checked_add(Duration::from_secs(900)).unwrap(),
    }
}

/// The simulator, and an onlooker at every call that changes something.
struct Watched<'a> {
    cloud: &'a SimCloud,
    case: &'a Case,
}

/// A simulated cloud, and what the runs on it remember for each other.
struct Stage {
    cloud: SimCloud,
    table: InMemoryTable,
}

impl Stage {
    fn new(world: World, options: SimOptions) -> Self {
        let cloud = SimCloud::new(Sim::new(world, Timestamp::UNIX_EPOCH, options));
        Self { cloud, table: InMemoryTable::default() }
    }
}

impl std::ops::Deref for Stage {
    type Target = SimCloud;

    fn deref(&self) -> &SimCloud {
        &self.cloud
    }
}

impl Cloud for Watched<'_> {
    fn now(&self) -> Timestamp {
        self.cloud.now()
    }

    fn uptime(&self) -> Duration {
        self.cloud.uptime()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        self.cloud.observe(scope, sections).await
    }

    async fn apply(&self, scope: &Scope, call: &Call) -> Answer {
        let text = format!("{call:?}");
        assert!(
            !text.contains(spec::OTHER_MARK),
            "a call names the VPC that is not managed: {text}"
        );
        if let Call::DeleteRoute { table, .. } = call {
            let world = self.cloud.sim().world();
            self.case.assert_only_private_users(table);
            if self.case.baseline.internet_routes.remove == Remove::AfterEndpoints {
                self.case.assert_served(&world, table);
            }
        }
        self.cloud.apply(scope, call).await
    }

    async fn pause(&self, time: Duration) {
        self.cloud.pause(time).await;
    }
}

/// One run, and then the time until the next: until what it waits for has come, a minute otherwise.
fn look(stage: &Stage, case: &Case, vpc: &str, number: usize) -> Report {
    let cloud = &stage.cloud;
    let request = request(vpc, number, cloud.now());
    let watched = Watched { cloud, case };
    let lived = pollster::block_on(run(&watched, &stage.table, &[], &case.baseline, &request));
    let Lived::Recorded { report, .. } = lived else { panic!("{lived:?}") };
    let wait = report
        .look_again
        .as_ref()
        .and_then(|again| Duration::try_from(again.at.duration_since(cloud.now())).ok());
    cloud.sim_mut().advance(wait.unwrap_or(Duration::from_secs(60)));
    *report
}

fn writes(cloud: &SimCloud) -> Vec<Recorded> {
    cloud.sim_mut().take_calls().into_iter().filter(Recorded::is_write).collect()
}

/// Runs until a run makes no call that writes.
fn settle(cloud: &Stage, case: &Case) -> Report {
    for number in 0..RUNS {
        writes(cloud);
        let report = look(cloud, case, MANAGED, number);
        let comes = |left: &LeftAlone| left.reason == LeftAloneReason::ComesByItself;
        let waits = report.look_again.is_some() || report.left_alone.iter().any(comes);
        if writes(cloud).is_empty() && report.next == Next::Settled && !waits {
            return report;
        }
    }
    panic!("not settled after {RUNS} runs: {:#?}", look(cloud, case, MANAGED, RUNS));
}

/// Whether a step that is still planned when all is settled has a reason to be there.
fn may_stay(report: &Report, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::NotAllowed(_) => true,
        Outcome::Skipped { because } => {
            report.steps.iter().any(|step| step.id == *because && may_stay(report, &step.outcome))
        }
        Outcome::WillNotBeReady { .. } | Outcome::Ready => true,
        Outcome::Done(_)
        | Outcome::FoundMade(_)
        | Outcome::Planned
        | Outcome::Held(_)
        | Outcome::Stale
        | Outcome::Failed(_)
        | Outcome::RecheckFailed(_)
        | Outcome::TimedOut
        | Outcome::OutOfTime
        | Outcome::NotRecorded(_) => false,
    }
}

fn assert_settled(cloud: &Stage, case: &Case, report: &Report) {
    for step in &report.steps {
        assert!(
            may_stay(report, &step.outcome),
            "left undone: {} {:?}\n{report:#?}",
            step.summary,
            step.outcome
        );
    }
    assert_public_addresses(cloud, case);
    assert_groups(cloud, case);
    assert_addresses(cloud, case);
    let all_repaired = report.findings.is_empty()
        || matches!(report.verdict, Verdict::DriftLeft | Verdict::Advised);
    assert!(all_repaired, "{report:#?}");
    let again = look(cloud, case, MANAGED, 1000);
    assert_eq!(writes(cloud), Vec::new(), "a second run makes a call");
    assert_eq!(again.findings, report.findings);
}

/// Where its rule repairs, no private subnet gives public addresses any more; all others do as they
/// did, and so does one whose table leads to an internet gateway, because it is built public.
fn assert_public_addresses(cloud: &SimCloud, case: &Case) {
    let (before, after) = (case.world(), cloud.sim().world());
    let repaired = case.baseline.mode_of(RuleId::PublicIpOnLaunch) == Mode::Repair;
    let of = |world: &World| -> Vec<Subnet> {
        let subnets = world.subnets.clone().unwrap_or_default().into_iter();
        subnets.filter(|subnet| subnet.vpc_id.as_str() == spec::MANAGED).collect()
    };
    let gives: Vec<bool> = of(&after).iter().map(|subnet| subnet.map_public_ip_on_launch).collect();
    let wanted = of(&before).into_iter().zip(&case.subnets).map(|(subnet, spec)| {
        let is_repaired =
            repaired && spec.kind == Kind::Private && !leads_to_internet_gateway(&before, &subnet);
        spec.public_ip && !is_repaired
    });
    assert_eq!(gives, wanted.collect::<Vec<_>>());
}

/// Of the guardrail's own group the rule for other ports goes where the baseline says so, and that for
/// private clients stays; nobody else's group is as it was not.
fn assert_groups(cloud: &SimCloud, case: &Case) {
    let (before, after) = (case.world(), cloud.sim().world());
    let revokes = case.baseline.allows(RuleId::OwnGroupEdited, RuleSwitch::RevokeAdded)
        && case.baseline.mode_of(RuleId::OwnGroupEdited) == Mode::Repair;
    for group in before.security_groups.iter().flatten() {
        let mut now = after.security_groups.iter().flatten();
        let now = now.find(|it| it.group_id == group.group_id).unwrap();
        let is_own = group.group_name == "vpc-guardrail-endpoints"
            && group.vpc_id.as_ref().is_some_and(|vpc| vpc.as_str() == spec::MANAGED);
        if !is_own {
            assert_eq!(now, group);
            continue;
        }
        let rules: Vec<String> = now.rules().iter().map(ToString::to_string).collect();
        let has = |rule: &str| rules.iter().any(|it| it == rule);
        assert!(has("TCP 443 from 172.16.0.0/12"), "{rules:?}");
        assert_eq!(has("TCP 22 from 0.0.0.0/0"), !revokes, "{rules:?}");
    }
}

/// An address goes only where its rule repairs, from a private subnet in whose table nothing but NAT
/// gateways leads anywhere public; an automatic one with `irreversible` only; and no other comes for it.
fn assert_addresses(cloud: &SimCloud, case: &Case) {
    let (before, after) = (case.world(), cloud.sim().world());
    let baseline = &case.baseline;
    let repairs = baseline.mode_of(RuleId::PublicAddress) == Mode::Repair;
    let releases = baseline.allows(RuleId::PublicAddress, RuleSwitch::Irreversible);
    for eni in before.network_interfaces.iter().flatten() {
        let mut now = after.network_interfaces.iter().flatten();
        let now = now.find(|it| it.network_interface_id == eni.network_interface_id).unwrap();
        let mut subnets = before.subnets.iter().flatten();
        let subnet = subnets.find(|it| Some(&it.subnet_id) == eni.subnet_id.as_ref()).unwrap();
        let is_managed = subnet.vpc_id.as_str() == spec::MANAGED;
        let is_automatic = eni.association.as_ref().is_some_and(|it| it.association_id.is_none());
        let may_go = is_managed
            && repairs
            && case.subnets[0].kind == Kind::Private
            && (releases || !is_automatic)
            && !leads_to(&before, subnet, &["igw-", "tgw-", "vgw-"]);
        let must_go = may_go && !leads_to(&before, subnet, &["nat-"]);
        assert!(now.association == eni.association || (may_go && now.association.is_none()));
        assert!(!must_go || now.association.is_none(), "{now:?}");
    }
}

/// Whether a route of the subnet's table, its own or the main one, leads to an internet gateway, with
/// public addresses.
fn leads_to_internet_gateway(world: &World, subnet: &Subnet) -> bool {
    leads_to(world, subnet, &["igw-"])
}

/// Whether a route of the subnet's table leads to a target of one of these kinds, with public addresses.
fn leads_to(world: &World, subnet: &Subnet, kinds: &[&str]) -> bool {
    let tables: Vec<&RouteTable> =
        world.route_tables.iter().flatten().filter(|t| t.vpc_id == subnet.vpc_id).collect();
    let own = tables.iter().find(|table| {
        table.associations.iter().any(|a| a.subnet_id.as_ref() == Some(&subnet.subnet_id))
    });
    let main = || tables.iter().find(|table| table.associations.iter().any(|a| a.main));
    let routes = own.or_else(main).map(|table| table.routes.as_slice()).unwrap_or_default();
    let is_of_kind = |route: &&Route| {
        let target = route.target().map_or_else(String::new, |target| target.to_string());
        kinds.iter().any(|kind| target.starts_with(kind))
    };
    let to = |route: &Route| route.destination().map_or_else(String::new, |to| to.to_string());
    let mut destinations = routes.iter().filter(is_of_kind).map(to);
    destinations.any(|destination| !spec::NOT_PUBLIC.contains(&destination.as_str()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    /// Applying the plan until settled leaves nothing that the mode allows to repair; a second run
    /// makes no call; what is not managed is never named; and no route goes before what its subnets
    /// require is served.
    #[test]
    fn every_world_settles(case in case()) {
        let cloud = Stage::new(case.world(), SimOptions::default());
        let report = settle(&cloud, &case);
        assert_settled(&cloud, &case, &report);
    }

    /// What is exempted is left as it is: no call names an exempted table, and none is made in an
    /// exempted VPC; and what is not exempted settles all the same.
    #[test]
    fn nothing_exempted_is_changed(case in case(), at in 0_usize..8, whole in any::<bool>()) {
        let mut world = case.world();
        let tag = || Tag::new("vpc-guardrail:exempt", "until=1970-01-31 reason=a property");
        let mut exempted = None;
        if whole {
            let vpcs = world.vpcs.iter_mut().flatten();
            vpcs.filter(|it| it.vpc_id.as_str() == MANAGED).for_each(|it| it.tags.push(tag()));
        } else {
            let tables = world.route_tables.iter_mut().flatten();
            let mut own: Vec<_> = tables.filter(|it| it.vpc_id.as_str() == MANAGED).collect();
            let count = own.len();
            if let Some(table) = own.get_mut(at % count.max(1)) {
                table.tags.push(tag());
                exempted = Some(table.route_table_id.to_string());
            }
        }
        let cloud = Stage::new(world.clone(), SimOptions::default());
        for number in 0..RUNS {
            let report = look(&cloud, &case, MANAGED, number);
            let calls = writes(&cloud);
            for call in &calls {
                let text = format!("{call:?}");
                prop_assert!(!whole, "{text}");
                let is_exempted = exempted.as_ref().is_some_and(|id| text.contains(id.as_str()));
                prop_assert!(!is_exempted, "{text}");
            }
            if calls.is_empty() && report.next == Next::Settled && report.look_again.is_none() {
                break;
            }
        }
        let routes = |world: &World| -> Vec<RouteTable> {
            let tables = world.route_tables.clone().unwrap_or_default().into_iter();
            tables.filter(|it| exempted.as_deref() == Some(it.route_table_id.as_str())).collect()
        };
        prop_assert_eq!(routes(&cloud.sim().world()), routes(&world));
    }

    /// The same while changes show late, calls fail, answers get lost and EC2 throttles.
    #[test]
    fn every_world_settles_in_spite_of_trouble(
        case in case(),
        delay in 0_u64..20,
        faults in prop::collection::vec((0_usize..9, 0_usize..5, 1_u32..3), 0..4),
    ) {
        let options = SimOptions { visibility_delay: Duration::from_secs(delay), throttling: true, ..SimOptions::default() };
        let cloud = Stage::new(case.world(), options);
        for (operation, kind, times) in faults {
            cloud.sim_mut().inject(fault(operation, kind, times));
        }
        let report = settle(&cloud, &case);
        assert_settled(&cloud, &case, &report);
    }

    /// With any section missing, nothing is written that rests on it.
    #[test]
    fn nothing_is_written_that_rests_on_what_was_not_read(case in case(), at in 0_usize..Section::judged().len()) {
        let missing = Section::judged()[at];
        let mut world = case.world();
        world.refresh(World::default(), &[missing]);
        let cloud = Stage::new(world, SimOptions::default());
        let report = look(&cloud, &case, MANAGED, 0);
        for write in writes(&cloud) {
            let at_once = case.baseline.internet_routes.remove == Remove::Immediately;
            assert!(!needs(&write, missing, at_once), "{missing} was not read: {write:?}");
        }
        assert!(matches!(report.verdict, Verdict::Incomplete | Verdict::DriftLeft | Verdict::NoSuchVpc), "{report:#?}");
    }

    /// A VPC that the baseline does not look after has no findings and no steps.
    #[test]
    fn what_is_not_managed_is_let_be(case in case()) {
        let report = preview(&case.baseline, &case.world(), &request(OTHER, 0, Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
        assert_eq!((report.verdict, report.findings.len(), report.steps.len()), (Verdict::NotManaged, 0, 0));
    }

    /// Observe and notify plan and do nothing.
    #[test]
    fn without_the_mode_nothing_is_written(mut case in case(), observe in any::<bool>()) {
        case.baseline = case.baseline.with_mode(if observe { Mode::Observe } else { Mode::Notify });
        let cloud = Stage::new(case.world(), SimOptions::default());
        let report = look(&cloud, &case, MANAGED, 0);
        assert_eq!(writes(&cloud), Vec::new());
        assert!(report.steps.iter().all(|step| matches!(step.outcome, Outcome::NotAllowed(_))));
    }

    /// A VPC is on its baseline only where every required service is proved to be served.
    #[test]
    fn on_its_baseline_means_served(case in case()) {
        let world = case.world();
        let report = preview(&case.baseline, &world, &request(MANAGED, 0, Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
        let is_said = matches!(report.verdict, Verdict::Compliant | Verdict::Advised);
        assert!(!is_said || serves_all(&case, &world), "{report:#?}");
    }

    /// A plan's steps come after the steps they depend on, and every route it removes leads out of
    /// a private subnet.
    #[test]
    fn plans_are_in_order_and_name_only_private_tables(case in case()) {
        let report = preview(&case.baseline, &case.world(), &request(MANAGED, 0, Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
        for step in &report.steps {
            assert!(step.after.iter().all(|before| *before < step.id));
            assert!(!step.summary.contains(spec::OTHER_MARK));
        }
    }
}

/// Whether every required service is proved to be served to every private subnet that needs it.
fn serves_all(case: &Case, world: &World) -> bool {
    let shared = Shared::of(world);
    let snapshot = Snapshot::one(world, &shared, &MANAGED.parse().unwrap()).unwrap().unwrap();
    let required = required_services(&case.baseline, &snapshot.scope.region, &shared);
    let view = View::of(&case.baseline, &snapshot, &required);
    required.iter().filter(|it| !it.is_passed_over()).all(|service| {
        let mut users = view.topology.private().filter(|it| service.is_required_in(it.subnet));
        users.all(|placed| prove(&view, service, placed).is_served())
    })
}

/// Whether a call cannot be judged without a section, by AWS's own documentation of what it acts on.
fn needs(call: &Recorded, section: Section, at_once: bool) -> bool {
    use Section::{
        NetworkAcls, RouteTables, SecurityGroups, Subnets, VpcAttributes, VpcEndpointServices,
        VpcEndpoints, Vpcs,
    };
    let name = call.request.operation();
    let breaks = name == "DeleteRoute" && !at_once;
    match section {
        // Who is private, and which VPC is whose.
        Vpcs | Subnets => true,
        RouteTables => name.ends_with("VpcEndpoint") || name == "DeleteRoute",
        VpcEndpoints | VpcEndpointServices => name.ends_with("VpcEndpoint") || breaks,
        NetworkAcls => breaks,
        SecurityGroups => name.contains("SecurityGroup") || breaks,
        VpcAttributes => name == "ModifyVpcAttribute",
        Section::NatGateways | Section::NetworkInterfaces | Section::PrefixLists => {
            name == "DeleteRoute"
        }
        Section::DhcpOptions | Section::InternetGateways | Section::EgressOnlyInternetGateways => {
            false
        }
    }
}

fn fault(operation: usize, kind: usize, times: u32) -> Fault {
    const OPERATIONS: [&str; 9] = [
        "CreateVpcEndpoint",
        "ModifyVpcEndpoint",
        "DeleteRoute",
        "CreateSecurityGroup",
        "AuthorizeSecurityGroupIngress",
        "ModifyVpcAttribute",
        "ModifySubnetAttribute",
        "DescribeVpcEndpoints",
        "DescribeRouteTables",
    ];
    let operation = OPERATIONS[operation];
    let fault = match kind {
        0 => Fault::lose_answer(operation),
        1 => Fault::refuse(operation, "RequestLimitExceeded"),
        2 => Fault::refuse(operation, "InternalError"),
        3 => Fault::refuse(operation, "IncorrectState"),
        _ => Fault::refuse(operation, "Unavailable"),
    };
    fault.times(times)
}

/// The generator makes what the properties are about: private tables that lead out, in most cases.
#[test]
fn the_cases_are_not_empty() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let cases: Vec<Case> =
        (0..300).map(|_| case().new_tree(&mut runner).unwrap().current()).collect();
    let with = |what: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| what(case)).count();
    assert!(with(&|case| case.subnets.iter().any(|subnet| subnet.kind == Kind::Private)) > 180);
    let removes = |case: &Case| {
        let report = preview(
            &case.baseline,
            &case.world(),
            &request(MANAGED, 0, Timestamp::UNIX_EPOCH),
            Timestamp::UNIX_EPOCH,
        );
        report.steps.iter().any(|step| step.summary.starts_with("delete the route"))
    };
    assert!(with(&removes) > 45, "{}", with(&removes));
}
