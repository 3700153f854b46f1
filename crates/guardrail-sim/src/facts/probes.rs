//! Probes, as runs of the guardrail's meet them.

use guardrail::baseline::Baseline;
use guardrail::cloud::InMemoryTable;
use guardrail::ec2::id::Scope;
use guardrail::report::{Cause, Report, Verdict};
use guardrail::run::{Lived, RunRequest, run};
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

fn repaired(cloud: &SimCloud) -> Report {
    let baseline = json!({
        "version": 1, "mode": "repair", "probes": [PROBE],
        "settling": {"minutes": 0, "dhcp_options_minutes": 0},
    });
    let baseline = Baseline::parse(&baseline.to_string()).unwrap();
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
        deadline: cloud.sim().now() + seconds(25),
    };
    match block_on(run(cloud, &InMemoryTable::default(), &[], &baseline, &request)) {
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
