//! The commands that reach AWS, against the simulator on a socket of this machine.
#![expect(clippy::unwrap_used, reason = "a test's helpers stop the test as the test does")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;

use guardrail::ec2::world::World;
use guardrail_sim::Sim;
use guardrail_sim::http::{Server, ServerOptions};
use serde_json::Value;

const DEMO: &str = "scenarios/demo/world.json";
const VPC: &str = "vpc-0a1b2c3d4e5f60000";

struct Said {
    out: String,
    error: String,
    code: i32,
}

/// A simulated account, served until the test ends.
struct Account {
    address: SocketAddr,
}

impl Account {
    fn of(world: World) -> Self {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sim = Sim::new(
                    world,
                    "2026-03-01T10:00:00Z".parse().unwrap(),
                    guardrail_sim::SimOptions::default(),
                );
                let server =
                    Server::bind(sim, ServerOptions { speed: 60, ..ServerOptions::default() })
                        .await
                        .unwrap();
                tell.send(server.address()).unwrap();
                server.run().await.unwrap();
            });
        });
        Self { address: told.recv().unwrap() }
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        body.to_owned()
    }

    /// Makes a call of EC2.
    fn call(&self, query: &str) {
        self.ask("POST", &format!("/?Action={query}"));
    }

    fn world(&self) -> World {
        serde_json::from_str(&self.ask("GET", "/_sim/world")).unwrap()
    }

    /// The operations that could change something and were not dry runs, since the account was
    /// made.
    fn writes(&self) -> Vec<String> {
        let calls: Vec<Value> = serde_json::from_str(&self.ask("GET", "/_sim/calls")).unwrap();
        let made = calls.iter().filter(|call| call["write"] == true && call["dry_run"] == false);
        made.map(|call| call["operation"].as_str().unwrap().to_owned()).collect()
    }

    fn guardrail(&self, arguments: &[&str]) -> Said {
        said(command(arguments, &format!("http://{}", self.address)))
    }
}

fn command(arguments: &[&str], endpoint: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardrail"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "no secret")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    command
}

fn said(mut command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap(),
    }
}

fn demo() -> World {
    guardrail::ec2::world_file::load(include_str!("../scenarios/demo/world.json")).unwrap()
}

/// The demo's VPC with a NAT route in a private table and without its gateway endpoint for S3, both
/// done since.
fn tampered() -> (Account, usize) {
    let account = Account::of(demo());
    let table = "rtb-0a1b2c3d4e5f60012";
    account.call(&format!(
        "CreateRoute&RouteTableId={table}&DestinationCidrBlock=0.0.0.0/0&NatGatewayId=nat-0a1b2c3d4e5f60001"
    ));
    account.call("DeleteVpcEndpoints&VpcEndpointId.1=vpce-0a1b2c3d4e5f60031");
    let before = account.writes().len();
    (account, before)
}

/// The AWS CLI and the SDKs write the same time differently.
fn in_one_form(mut world: World) -> World {
    let endpoints =
        world.vpc_endpoints.iter_mut().flatten().map(|endpoint| &mut endpoint.creation_timestamp);
    for time in endpoints.filter_map(Option::as_mut) {
        *time = time.parse::<jiff::Timestamp>().unwrap().to_string();
    }
    world
}

fn refuses(said: &Said, error: &str) {
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.error);
    assert!(said.error.starts_with("error: ") && said.error.contains(error), "{}", said.error);
    assert_eq!(said.error.lines().count(), 1, "{}", said.error);
}

#[test]
fn a_snapshot_is_the_world_and_judged_like_it() {
    let account = Account::of(demo());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json").to_str().unwrap().to_owned();
    let snapshot = account.guardrail(&["snapshot", "--out", &file]);
    assert_eq!((snapshot.code, snapshot.out.as_str(), snapshot.error.as_str()), (0, "", ""));
    let read = in_one_form(
        guardrail::ec2::world_file::load(&std::fs::read_to_string(&file).unwrap()).unwrap(),
    );
    let there = in_one_form(account.world());
    assert_eq!(read.vpcs, there.vpcs);
    assert_eq!(read.subnets, there.subnets);
    assert_eq!(read.route_tables, there.route_tables);
    assert_eq!(read.vpc_endpoints, there.vpc_endpoints);
    assert_eq!(read.nat_gateways, there.nat_gateways);
    assert_eq!(read.security_groups, there.security_groups);
    assert_eq!(read.vpc_attributes, there.vpc_attributes);
    assert_eq!(read.network_acls, there.network_acls);
    assert_eq!(read.dhcp_options, there.dhcp_options);
    assert_eq!(read.internet_gateways, there.internet_gateways);
    assert_eq!(read.egress_only_internet_gateways, there.egress_only_internet_gateways);
    for command in ["explain", "plan"] {
        let of_file = account.guardrail(&[command, "--world", &file]);
        assert_eq!(of_file.out, account.guardrail(&[command, "--world", DEMO]).out);
        assert_eq!(of_file.out, account.guardrail(&[command]).out);
    }
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn a_snapshot_says_what_it_could_not_read_and_leaves_it_out() {
    let account = Account::of(demo());
    account.ask(
        "POST",
        "/_sim/fault?operation=DescribeNatGateways&code=UnauthorizedOperation&times=9",
    );
    let said = account.guardrail(&["snapshot"]);
    let world: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.code, world.get("NatGateways"), world.get("RouteTables").is_some()),
        (1, None, true)
    );
    assert!(
        said.error
            .contains("NatGateways could not be read: DescribeNatGateways: UnauthorizedOperation")
    );
}

#[test]
fn only_managed_vpcs_are_read_unless_told() {
    let mut world = demo();
    world.vpcs.as_mut().unwrap()[0].tags.clear();
    let account = Account::of(world);
    let vpcs = |arguments: &[&str]| {
        let world: World = serde_json::from_str(&account.guardrail(arguments).out).unwrap();
        world.vpcs.unwrap().len()
    };
    assert_eq!(vpcs(&["snapshot"]), 0);
    assert_eq!((vpcs(&["snapshot", "--all"]), vpcs(&["snapshot", "--vpc", VPC])), (1, 1));
    let said = account.guardrail(&["plan"]);
    assert_eq!(said.code, 0, "{}", said.error);
    assert!(said.out.starts_with(
        "There is no VPC in account 111122223333, eu-central-1 with the tag vpc-guardrail="
    ));
    let said =
        account.guardrail(&["repair", "--vpc", VPC, "--yes", "--no-history", "--mode", "repair"]);
    assert_eq!((said.code, account.writes()), (1, Vec::new()));
    assert!(
        said.error.contains("it does not carry the tag vpc-guardrail=managed"),
        "{}",
        said.error
    );
}

#[test]
fn a_plan_of_the_account_is_the_plan_of_its_world() {
    let (account, before) = tampered();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json").to_str().unwrap().to_owned();
    std::fs::write(&file, serde_json::to_string(&account.world()).unwrap()).unwrap();
    for vpc in [[].as_slice(), &["--vpc", VPC]] {
        let live = account.guardrail(&[["plan", "--mode", "repair"].as_slice(), vpc].concat());
        let of_file = account.guardrail(&["plan", "--mode", "repair", "--world", &file]);
        // What only AWS can say, the simulator does not.
        let unreadable =
            "  - what nat-0a1b2c3d4e5f60001 carried in the last hour could not be read: ";
        let (asked, rest): (Vec<&str>, Vec<&str>) =
            live.out.lines().partition(|line| line.starts_with(unreadable));
        assert_eq!((live.code, asked.len()), (1, 1), "{}", live.out);
        assert_eq!(rest, of_file.out.lines().collect::<Vec<_>>());
    }
    assert_eq!(account.writes().len(), before);
}

/// A baseline in which a change acts after so many minutes, and the arguments of a repair by it.
fn repair_by(minutes: u16, folder: &tempfile::TempDir) -> Vec<String> {
    let file = folder.path().join("baseline.json").to_str().unwrap().to_owned();
    let baseline =
        serde_json::json!({ "version": 1, "mode": "repair", "settling": { "minutes": minutes } });
    std::fs::write(&file, baseline.to_string()).unwrap();
    ["repair", "--vpc", VPC, "--yes", "--no-history", "--format", "json", "--baseline", &file]
        .map(str::to_owned)
        .to_vec()
}

fn reports(said: &Said) -> Vec<Value> {
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_repair_repairs_and_the_next_one_writes_nothing() {
    let (account, before) = tampered();
    let folder = tempfile::tempdir().unwrap();
    let arguments = repair_by(0, &folder);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = account.guardrail(&arguments);
    let report = reports(&said).pop().unwrap();
    assert_eq!((said.code, &report["verdict"]), (0, &"repaired".into()), "{}", said.error);
    assert_eq!(account.writes()[before..], ["CreateVpcEndpoint", "DeleteRoute"]);
    assert!(said.error.contains("delete the route 0.0.0.0/0"), "progress is told: {}", said.error);
    let again = reports(&account.guardrail(&arguments)).pop().unwrap();
    assert_eq!((&again["verdict"], account.writes().len()), (&"compliant".into(), before + 2));
}

#[test]
fn a_repair_that_may_not_wait_keeps_the_route_and_says_how_long_to_wait() {
    let (account, before) = tampered();
    let folder = tempfile::tempdir().unwrap();
    let arguments = repair_by(20, &folder);
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["--wait", "3"]);
    let said = account.guardrail(&arguments);
    let told: Vec<Value> = reports(&said).iter().map(|report| report["verdict"].clone()).collect();
    assert_eq!((said.code, told), (1, vec!["drift-left".into()]), "{}", said.error);
    assert_eq!(account.writes()[before..], ["CreateVpcEndpoint"]);
    assert!(said.error.contains("so run it again with `--wait 2"), "{}", said.error);
}

#[test]
fn without_yes_and_without_the_mode_nothing_is_written() {
    let (account, before) = tampered();
    for (arguments, note) in [
        (["--mode", "repair"].as_slice(), "nothing was changed; add `--yes`"),
        (&["--yes", "--no-history"], "in mode notify nothing is changed; add `--mode repair`"),
    ] {
        let said = account.guardrail(&[["repair", "--vpc", VPC].as_slice(), arguments].concat());
        assert_eq!((said.code, account.writes().len()), (1, before), "{}", said.error);
        assert!(said.out.contains("nothing was changed"), "{}", said.out);
        assert!(said.error.contains(note), "{}", said.error);
    }
}

#[test]
fn a_vpc_that_is_not_there_is_named_before_anything_is_changed() {
    let (account, before) = tampered();
    let error = "there is no vpc-1 in account 111122223333, eu-central-1";
    refuses(
        &account.guardrail(&[
            "repair",
            "--vpc",
            VPC,
            "--vpc",
            "vpc-1",
            "--mode",
            "repair",
            "--yes",
            "--no-history",
        ]),
        error,
    );
    refuses(&account.guardrail(&["snapshot", "--vpc", "vpc-1"]), error);
    refuses(&account.guardrail(&["plan", "--vpc", "vpc-1"]), error);
    assert_eq!(account.writes().len(), before);
}

#[test]
fn without_credentials_region_or_answer_there_is_one_clear_error() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = format!("http://{closed}");
    let without = |variable: &str| {
        let mut command = command(&["plan"], &refused);
        command.env_remove(variable);
        said(command)
    };
    refuses(&without("AWS_ACCESS_KEY_ID"), "no AWS credentials in the environment");
    refuses(&without("AWS_REGION"), "no Region is set");
    refuses(
        &said(command(&["plan", "--profile", "nobody"], &refused)),
        "no AWS credentials in the profile `nobody`",
    );
    refuses(&without("NOTHING"), "check the network, the Region, and `AWS_ENDPOINT_URL`");
}

#[test]
fn a_world_and_an_account_exclude_each_other() {
    let account = Account::of(demo());
    let said = account.guardrail(&["plan", "--world", DEMO, "--region", "eu-central-1"]);
    assert_eq!(said.code, 2);
    assert!(said.error.contains("cannot be used with"), "{}", said.error);
}

#[test]
fn the_doctor_asks_for_every_permission_and_changes_nothing() {
    let account = Account::of(demo());
    account.ask("POST", "/_sim/fault?operation=DeleteRoute&code=UnauthorizedOperation&times=9");
    let said = account.guardrail(&["doctor"]);
    assert_eq!((said.code, account.writes()), (1, Vec::new()), "{}", said.out);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines.contains(&"ok           ec2:CreateVpcEndpoint"), "{}", said.out);
    assert!(said.out.contains("missing      ec2:DeleteRoute: not allowed"), "{}", said.out);
    assert!(
        said.out.contains("cannot tell  ec2:ModifyVpcAttribute: EC2 has no dry run of it"),
        "{}",
        said.out
    );
}

#[test]
fn the_doctor_says_when_there_are_no_credentials() {
    let mut command = command(&["doctor"], "http://127.0.0.1:1");
    command.env_remove("AWS_ACCESS_KEY_ID");
    let said = said(command);
    assert_eq!(said.code, 1);
    assert!(
        said.out.starts_with("missing      credentials and Region: no AWS credentials"),
        "{}",
        said.out
    );
}

/// A repair that nobody records is asked for by name.
#[test]
fn what_works_with_a_stacks_table_says_how_to_name_it() {
    let (account, before) = tampered();
    let repair = ["repair", "--vpc", VPC, "--mode", "repair", "--yes"];
    refuses(&account.guardrail(&repair), "name the stack with `--stack NAME`");
    for command in ["history", "status"] {
        refuses(&account.guardrail(&[command]), "name the stack with `--stack NAME`");
    }
    assert_eq!(account.writes().len(), before);
}
