//! Probes, as runs of the guardrail's meet them.

use guardrail::baseline::Baseline;
use guardrail::cloud::InMemoryTable;
use guardrail::ec2::id::{Place, Scope};
use guardrail::report::{Cause, Report, Verdict};
use guardrail::run::{Lived, Probed, RunRequest, ask_all, run};
use jiff::Timestamp;
use pollster::block_on;
use serde_json::json;

use super::*;
use crate::{ApiError, SimCloud};

const DEMO: &str = include_str!("../../../guardrail-cli/scenarios/demo/world.json");
const TABLE: &str = "rtb-0a1b2c3d4e5f60012";
const PROBE: &str = "vpc-guardrail-probe-subnet-0a1b2c3d4e5f60024";

/// The demo's VPC with a route to a NAT gateway in the table of a probed subnet.
fn cloud() -> SimCloud {
    let world = serde_json::from_str(DEMO).unwrap();
    let mut sim = Sim::new(world, Timestamp::UNIX_EPOCH, SimOptions::default());
    let out = v4("0.0.0.0/0");
    sim.call(&create_route(TABLE, out, nat("nat-0a1b2c3d4e5f60001"))).unwrap();
    SimCloud::new(sim)
}

fn baseline(probe: &str) -> Baseline {
    let baseline = json!({
        "version": 1, "mode": "repair", "probes": [probe],
        "settling": {"minutes": 0, "dhcp_options_minutes": 0},
        "rules": {"interface-endpoint": {"grace_minutes": 0}},
    });
    Baseline::parse(&baseline.to_string()).unwrap()
}

fn repaired(cloud: &SimCloud) -> Report {
    let request = RunRequest {
        scope: Scope {
            account: id("111122223333"),
            region: id("eu-central-1"),
            vpc: id("vpc-0a1b2c3d4e5f60000"),
        },
        cause: Cause::Sweep,
        evidence: Vec::new(),
        run_id: "run".to_owned(),
        incident: "incident".to_owned(),
        deadline: cloud.sim().now() + seconds(60),
    };
    match block_on(run(cloud, &InMemoryTable::default(), &[], &baseline(PROBE), &request)) {
        Lived::Recorded { report, .. } => *report,
        other @ (Lived::Busy { .. } | Lived::NotRecorded { .. }) => panic!("{other:?}"),
    }
}

fn leads_out(cloud: &SimCloud) -> bool {
    routes(&cloud.sim(), TABLE).iter().any(|route| route.contains("nat-"))
}

#[test]
fn a_route_goes_where_the_world_lets_a_probe_see_every_service() {
    let cloud = cloud();
    let report = repaired(&cloud);
    assert_eq!((report.verdict, report.cut_off), (Verdict::Repaired, Vec::new()));
    assert!(!leads_out(&cloud));
}

#[test]
fn a_route_stays_while_lambda_has_no_such_function_or_makes_its_interface() {
    let cloud = cloud();
    let probe = guardrail::probe::ProbeName::try_from(PROBE.to_owned()).unwrap();
    for code in ["ResourceNotFoundException", "ResourceConflictException"] {
        let error =
            ApiError { code: code.to_owned(), message: "not now".to_owned(), http_status: 409 };
        cloud.sim_mut().break_probe(probe.clone(), error);
        let report = repaired(&cloud);
        assert_eq!(report.verdict, Verdict::DriftLeft);
        let said = report.steps.last().unwrap().outcome.to_string();
        assert!(said.contains(&format!("it gave no answer: Invoke: {code}")), "{said}");
        assert!(leads_out(&cloud));
    }
    cloud.sim_mut().mend_probe(&probe);
    assert_eq!(repaired(&cloud).verdict, Verdict::Repaired);
}

fn asked(cloud: &SimCloud, probe: &str) -> Probed {
    let place = Place { account: id("111122223333"), region: id("eu-central-1") };
    let world = cloud.sim().world();
    let mut all = block_on(ask_all(cloud, &place, &baseline(probe), &world));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn a_probe_that_is_asked_by_hand_says_whether_a_way_out_is_seen() {
    let cloud = cloud();
    let before = asked(&cloud, PROBE);
    assert!(!before.is_well());
    let said = before.to_string();
    let first = said.lines().take(2).collect::<Vec<_>>();
    let head = format!("{PROBE} in vpc-0a1b2c3d4e5f60000");
    assert_eq!(first, [&head, "  over IPv4: there is a way out; over IPv6: not tested"]);

    repaired(&cloud);
    let after = asked(&cloud, PROBE);
    assert!(after.is_well(), "{after}");
    let lines: Vec<String> = after.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[1], "  over IPv4: no way out seen; over IPv6: not tested");
    assert_eq!(
        lines.iter().filter(|line| line.contains("answers through its endpoint")).count(),
        5
    );
}

#[test]
fn a_probe_that_stands_nowhere_or_does_not_answer_is_not_well() {
    let cloud = cloud();
    repaired(&cloud);
    let elsewhere = asked(&cloud, "vpc-guardrail-probe-subnet-elsewhere");
    assert_eq!(
        elsewhere.to_string(),
        "vpc-guardrail-probe-subnet-elsewhere\n  it was not asked, because its subnet is in no VPC \
         that was read\n"
    );
    let probe = guardrail::probe::ProbeName::try_from(PROBE.to_owned()).unwrap();
    let message = "The function is being made".to_owned();
    let code = "ResourceConflictException".to_owned();
    cloud.sim_mut().break_probe(probe, ApiError { code, message, http_status: 409 });
    assert_eq!(
        asked(&cloud, PROBE).to_string(),
        format!(
            "{PROBE} in vpc-0a1b2c3d4e5f60000\n  it gave no answer: Invoke: \
             ResourceConflictException: \"The function is being made\"\n"
        )
    );
    assert!(!elsewhere.is_well() && !asked(&cloud, PROBE).is_well());
}

#[test]
fn a_probe_knows_the_interfaces_of_an_endpoint_that_the_run_has_just_made() {
    let cloud = cloud();
    let world = cloud.sim().world();
    let of_ssm = |endpoint: &&VpcEndpoint| {
        endpoint.service_name.as_ref().is_some_and(|name| name.as_str() == SSM)
    };
    let ssm = world.vpc_endpoints.iter().flatten().find(of_ssm).unwrap();
    let gone = Request::DeleteVpcEndpoints { vpc_endpoint_ids: vec![ssm.vpc_endpoint_id.clone()] };
    cloud.sim_mut().call(&gone).unwrap();
    cloud.sim_mut().advance(seconds(900));
    let options = SimOptions { interface_endpoint_ready: seconds(5), ..SimOptions::default() };
    let world = cloud.into_inner().world();
    let cloud = SimCloud::new(Sim::new(world, Timestamp::UNIX_EPOCH, options));
    let report = repaired(&cloud);
    let said: Vec<String> = report.steps.iter().map(|step| step.outcome.to_string()).collect();
    assert_eq!((report.verdict, report.cut_off), (Verdict::Repaired, Vec::new()), "{said:?}");
    assert!(!leads_out(&cloud));
}
