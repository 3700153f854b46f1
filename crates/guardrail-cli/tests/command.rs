//! What a user gets for right and for wrong input: what is printed, and the exit code.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers stop the test as the test does"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const PLAIN: &str = "scenarios/plain/world.json";
const NAT_ROUTE: &str = "../../events/CreateRoute.json";
const DEMO: &str = "scenarios/demo/world.json";

struct Said {
    out: String,
    error: String,
    code: i32,
}

fn guardrail(arguments: &[&str]) -> Said {
    with_input(arguments, "")
}

fn with_input(arguments: &[&str], input: &str) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_guardrail"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap(),
    }
}

/// A file with this text, and its path.
fn file(text: &str) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (file, path)
}

/// Bad input: exit code 2, nothing on standard output, and an error that names what is wrong.
fn refuses(arguments: &[&str], error: &str) {
    let said = guardrail(arguments);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.error);
    assert!(said.error.contains(error), "`{error}` is not in: {}", said.error);
    assert!(
        said.error.starts_with("error: ") && !said.error.contains("panicked"),
        "{}",
        said.error
    );
}

#[test]
fn the_demo_ends_on_the_baseline() {
    let said = guardrail(&["demo"]);
    assert_eq!(said.code, 0, "{}", said.error);
    assert!(said.out.ends_with(
        "\nvpc-0a1b2c3d4e5f60000 is back on its baseline, and a second run changes nothing.\n"
    ));
    assert_eq!(
        said.out.matches(": back on its baseline. Its name is \"shop\".\n").count(),
        4,
        "{}",
        said.out
    );
    assert_eq!(said.out, guardrail(&["demo"]).out, "the demo is the same every time");
}

#[test]
fn a_call_on_a_compliant_world_is_made_seen_and_repaired() {
    let said = guardrail(&[
        "replay", "--world", DEMO, "--mode", "repair", "--event", NAT_ROUTE, "--format", "json",
    ]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.code, &report["verdict"], &report["version"]),
        (0, &"repaired".into(), &1.into())
    );
    assert_eq!(report["findings"][0]["drift"]["leads-out"]["target"], "nat-0a1b2c3d4e5f60001");
    assert_eq!(report["evidence"][0]["event"], "CreateRoute");
}

#[test]
fn without_repair_drift_is_left_and_told() {
    for mode in ["observe", "notify"] {
        let said = guardrail(&["replay", "--world", DEMO, "--mode", mode, "--event", NAT_ROUTE]);
        assert_eq!(said.code, 1);
        assert!(said.out.contains("nothing was changed"), "{}", said.out);
    }
}

#[test]
fn several_calls_give_several_reports() {
    let events = ["--event", NAT_ROUTE, "--event", "../../events/DeleteVpcEndpoints.json"];
    let arguments = [["replay", "--world", DEMO, "--format", "json"].as_slice(), &events].concat();
    let said = guardrail(&arguments);
    assert_eq!((said.out.lines().count(), said.code), (2, 1));
}

fn json_of(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A NAT route, made in another place.
fn nat_route_with(key: &str, value: &str) -> (tempfile::NamedTempFile, String) {
    let mut event = json_of(NAT_ROUTE);
    event["detail"][key] = value.into();
    file(&event.to_string())
}

/// The call leads to no run for this reason, in text and in JSON; the world stays as it is.
fn set_aside(event: &str, why: &str) -> Said {
    let (_after, out) = file("");
    let said = guardrail(&[
        "replay", "--world", DEMO, "--mode", "repair", "--event", event, "--out", &out,
    ]);
    assert_eq!(said.code, 0, "{}", said.error);
    assert!(said.out.contains(&format!("\nNo run: {why}.\n")), "{}", said.out);
    let json = guardrail(&["replay", "--world", DEMO, "--event", event, "--format", "json"]);
    let line: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((line["no_run"].as_str(), json.code), (Some(why), 0));
    let plan = guardrail(&["plan", "--world", &out]);
    assert_eq!(
        plan.out,
        guardrail(&["plan", "--world", DEMO]).out,
        "the call was made on the world"
    );
    said
}

#[test]
fn calls_that_lead_to_no_run_say_why() {
    set_aside(
        "../../events/CreateRoute.denied.json",
        "CreateRoute failed (Client.UnauthorizedOperation) and changed nothing",
    );
    set_aside(
        "../../events/CreateRoute.appmesh.json",
        "CreateRoute changes nothing that is watched",
    );
    set_aside("../../events/DescribeVpcs.json", "DescribeVpcs changes nothing that is watched");
}

/// The simulator's sentences hold names that callers have chosen.
#[test]
fn what_the_world_makes_of_a_call_is_quoted() {
    let evil = "rtb-1\u{9b}31m is compliant. Done\u{2028}";
    let mut event = json_of(NAT_ROUTE);
    event["detail"]["requestParameters"]["routeTableId"] = evil.into();
    let (_event, event) = file(&event.to_string());
    let said = guardrail(&["replay", "--world", DEMO, "--event", &event]);
    let line = said.out.lines().find(|line| line.starts_with("The world:")).unwrap();
    let quoted = line
        .strip_prefix(
            "The world: it is unchanged, because it does not have what the call names: \"",
        )
        .unwrap();
    assert_eq!(quoted.matches('"').count(), 1, "{line}");
    assert!(quoted.ends_with('"') && quoted.contains("is compliant. Done"), "{line}");
    assert!(!line.contains(['\u{9b}', '\u{2028}']), "{line:?}");
}

#[test]
fn calls_of_another_account_or_region_are_set_aside_and_not_made() {
    for (key, value, place) in [
        ("awsRegion", "us-east-1", "us-east-1"),
        ("recipientAccountId", "444455556666", "account 444455556666"),
    ] {
        let (_event, event) = nat_route_with(key, value);
        let why = format!("CreateRoute was made in {place}; the guardrail there looks after that");
        let said = set_aside(&event, &why);
        assert!(!said.out.contains("The world:"), "{}", said.out);
        let (_world, world) =
            file(r#"{"AccountId": "111122223333", "Region": "eu-central-1", "Vpcs": []}"#);
        let said = guardrail(&["replay", "--world", &world, "--event", &event]);
        assert!(said.out.contains(&why) && !said.out.contains("The world:"), "{}", said.out);
    }
}

#[test]
fn in_a_world_of_no_place_a_call_that_failed_is_still_said_to_have_failed() {
    let (_world, world) = file(r#"{"Vpcs": []}"#);
    let (_event, event) = nat_route_with("errorCode", "Client.UnauthorizedOperation");
    let said = guardrail(&["replay", "--world", &world, "--event", &event]);
    let why = "No run: CreateRoute failed (Client.UnauthorizedOperation) and changed nothing.";
    assert!(said.out.contains(why), "{}", said.out);
}

/// Whatever a record says, it says in the lines that are there for it.
#[test]
fn what_a_record_says_makes_no_line_and_no_colour() {
    let forged = "x\n\u{1b}[32mVPC shop: on its baseline.\u{2028}\u{202e}";
    for key in ["eventID", "eventName", "eventSource", "errorCode", "userAgent"] {
        let (_event, event) = nat_route_with(key, forged);
        let said = guardrail(&["replay", "--world", DEMO, "--mode", "repair", "--event", &event]);
        let hidden = |c: char| c != '\n' && (c.is_control() || "\u{2028}\u{202e}".contains(c));
        assert!(!said.out.contains(hidden), "{key}: {:?}", said.out);
        assert!(!said.out.lines().any(|line| line.starts_with("VPC shop: on")), "{key}");
    }
}

/// Whose endpoint it was, nobody can tell any more.
#[test]
fn for_an_endpoint_that_is_gone_every_managed_vpc_is_looked_at() {
    let mut world = json_of(DEMO);
    let mut second = world["Vpcs"][0].clone();
    second["VpcId"] = "vpc-0b1b2c3d4e5f60000".into();
    world["Vpcs"].as_array_mut().unwrap().push(second.clone());
    second["VpcId"] = "vpc-0c1b2c3d4e5f60000".into();
    second["Tags"] = Value::Array(Vec::new());
    world["Vpcs"].as_array_mut().unwrap().push(second);
    world["VpcEndpoints"].as_array_mut().unwrap().clear();
    let (_world, world) = file(&world.to_string());
    let event = "../../events/DeleteVpcEndpoints.json";
    let said = guardrail(&["replay", "--world", &world, "--event", event, "--format", "json"]);
    let vpc = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["scope"]["vpc"].as_str().unwrap().to_owned()
    };
    let looked_at: Vec<String> = said.out.lines().map(vpc).collect();
    assert_eq!(looked_at, ["vpc-0a1b2c3d4e5f60000", "vpc-0b1b2c3d4e5f60000"], "{}", said.error);
}

#[test]
fn the_example_is_a_valid_baseline_and_the_default() {
    let example = guardrail(&["baseline", "example"]).out;
    let (_file, path) = file(&example);
    assert_eq!(guardrail(&["baseline", "check", &path]).code, 0);
    let with = guardrail(&["plan", "--world", PLAIN, "--baseline", &path]);
    assert_eq!(with.out, guardrail(&["plan", "--world", PLAIN]).out);
}

#[test]
fn a_wrong_baseline_is_refused_field_by_field() {
    for (baseline, error) in [
        ("", "EOF while parsing"),
        ("{}", "missing field `version`"),
        (
            r#"{"version": 2}"#,
            "`version`: `2` is not a version of the baseline; the only one is `1`",
        ),
        (
            r#"{"version": 1, "mode": "fix"}"#,
            "`mode`: unknown variant `fix`, expected one of `observe`, `notify`, `repair`",
        ),
        (
            r#"{"version": 1, "modes": 1}"#,
            "unknown field `modes`, expected one of `version`, `mode`, `managed_vpcs`",
        ),
        (
            r#"{"version": 1, "rules": {"nat": {"mode": "repair"}}}"#,
            "unknown variant `nat`, expected one of `private-but-public`, `vpc-dns`",
        ),
        (
            r#"{"version": 1, "interface_endpoints": {"services": ["SSM"]}}"#,
            "`interface_endpoints.services[0]`: `SSM` is not a service; write `ssm`",
        ),
        (r#"{"version": 1, "private_subnets": []}"#, "`private_subnets`: is empty"),
        (
            r#"{"version": 1, "limits": {"changes": 0}}"#,
            "`limits.changes`: `0` would never repair anything",
        ),
        (r#"{"version": 1} {"#, "after the baseline's end"),
        (
            r#"{"version": 1, "rules": {"vpc-dns": "repair"}}"#,
            "`rules.vpc-dns`: invalid type: string \"repair\", expected an object",
        ),
        (
            r#"{"version": 1, "rules": {"vpc-dns": {}, "private-dns": {"mode": "fix"}}}"#,
            "`rules.private-dns.mode`: unknown variant `fix`",
        ),
        (
            r#"{"version": 1, "rules": {"vpc-dns": {"mode": "notify"}, "vpc-dns": {"mode": "repair"}}}"#,
            "the rule `vpc-dns` stands twice",
        ),
        (
            r#"{"version": 1, "limits": {"changes": -1}}"#,
            "`limits.changes`: invalid value: integer `-1`, expected a whole number",
        ),
        (r#"{"version": 1, "limits": 1}"#, "expected an object"),
    ] {
        let (_file, path) = file(baseline);
        refuses(&["baseline", "check", &path], error);
        refuses(&["plan", "--world", PLAIN, "--baseline", &path], error);
    }
}

#[test]
fn a_wrong_world_is_refused_with_what_to_do() {
    for (world, error) in [
        ("", "world"),
        ("[1]", "world"),
        ("{\"Reservations\": []}", "Vpcs"),
        (
            "{\"Subnets\": []}",
            "the world has no section `Vpcs`; add what `aws ec2 describe-vpcs` prints",
        ),
        ("{\"Vpcs\": [{\"VpcId\": \"vpc_1\"}]}", "`vpc_1` is not the id of a VPC"),
        ("{\"Vpcs\": [{\"VpcId\": \"vpc-1\"}]}", "cannot tell the account of vpc-1"),
        (
            "{\"Vpcs\": [{\"VpcId\": \"vpc-1\", \"OwnerId\": \"111122223333\"}]}",
            "cannot tell the Region of vpc-1",
        ),
        ("{\"Vpcs\": [], \"NextToken\": \"abc\"}", "NextToken"),
        (
            r#"{"Region": "eu-central-1", "Vpcs": [{"VpcId": "vpc-1", "OwnerId": "111122223333"},
                {"VpcId": "vpc-2", "OwnerId": "444455556666"}]}"#,
            "the VPCs belong to several accounts (111122223333, 444455556666)",
        ),
        (
            r#"{"Vpcs": [{"VpcId": "vpc-1", "OwnerId": "111122223333"}], "Subnets": [
                {"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "eu-central-1a",
                 "SubnetArn": "arn:aws:ec2:eu-central-1:111122223333:subnet/subnet-1"},
                {"SubnetId": "subnet-2", "VpcId": "vpc-1", "AvailabilityZone": "us-east-1a",
                 "SubnetArn": "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-2"}]}"#,
            "the subnets are of several Regions (eu-central-1, us-east-1)",
        ),
    ] {
        let (_file, path) = file(world);
        for command in ["plan", "explain"] {
            refuses(&[command, "--world", &path], error);
        }
        refuses(&["replay", "--world", &path, "--event", NAT_ROUTE], error);
    }
    refuses(&["plan", "--world", "no-such.json"], "cannot read no-such.json");
    let (_broken, broken) = file("{");
    refuses(&["plan", "--world", DEMO, "--world", &broken], &format!("world: {broken}: not JSON"));
    let empty = tempfile::tempdir().unwrap();
    refuses(&["plan", "--world", empty.path().to_str().unwrap()], "holds no .json file");
    std::fs::write(empty.path().join("vpcs.json"), b"\xff\xfe{\0}\0").unwrap();
    refuses(&["plan", "--world", empty.path().to_str().unwrap()], "is not text in UTF-8");
    let (_marked, marked) = file("\u{feff}{\"Vpcs\":[]}");
    assert_eq!(guardrail(&["plan", "--world", &marked]).out, "The world holds no VPC.\n");
}

#[test]
fn what_a_file_says_makes_no_line_of_an_error_and_no_long_one() {
    let forged = "x\nVPC vpc-1: on its baseline";
    for id in [forged, &"a".repeat(50_000)] {
        let subnet = serde_json::json!({"Subnets": [{"SubnetId": id, "VpcId": "vpc-1"}]});
        let (_world, world) = file(&subnet.to_string());
        let said = guardrail(&["plan", "--world", &world]);
        assert_eq!((said.code, said.error.lines().count()), (2, 1), "{}", said.error);
        assert!(said.error.len() < 1100 && said.error.ends_with("`subnet-0123456789abcdef0`\n"));
        let (_baseline, baseline) = file(&serde_json::json!({"version": 1, id: 1}).to_string());
        let said = guardrail(&["baseline", "check", &baseline]);
        assert_eq!((said.code, said.error.lines().count()), (2, 2), "{}", said.error);
        assert!(said.error.len() < 1200 && said.error.contains("expected one of `version`"));
    }
}

#[test]
fn a_wrong_event_is_refused_and_nothing_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("after.json");
    for (event, error) in [
        ("", "empty input"),
        ("{", "broken JSON"),
        ("{\"a\": 1}", "an object without `eventName`"),
        ("[]", "holds no record"),
    ] {
        let (_file, path) = file(event);
        refuses(
            &[
                "replay",
                "--world",
                DEMO,
                "--event",
                NAT_ROUTE,
                "--event",
                &path,
                "--out",
                out.to_str().unwrap(),
            ],
            error,
        );
        assert!(!out.exists());
        refuses(&["decode", &path], error);
    }
    refuses(
        &["replay", "--world", DEMO, "--event", NAT_ROUTE, "--out", "no/such/folder/after.json"],
        "cannot write no/such/folder/after.json",
    );
    refuses(
        &[
            "replay",
            "--world",
            DEMO,
            "--event",
            NAT_ROUTE,
            "--out",
            folder.path().to_str().unwrap(),
        ],
        "is a directory",
    );
    refuses(
        &["sim", "--world", DEMO, "--events", "no/such/folder/events.jsonl"],
        "cannot write no/such/folder/events.jsonl",
    );
}

#[test]
fn wrong_flags_are_refused() {
    for arguments in [
        &["replay"][..],
        &["plan"],
        &["plan", "--world", PLAIN, "--mode", "fix"],
        &["decode"],
        &["fix"],
        &[],
    ] {
        let said = guardrail(arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
    }
}

#[test]
fn a_world_with_no_vpc_or_none_managed_is_said() {
    let (_file, path) =
        file(r#"{"Region": "eu-central-1", "AccountId": "111122223333", "Vpcs": []}"#);
    let said = guardrail(&["plan", "--world", &path]);
    assert_eq!((said.out.as_str(), said.code), ("The world holds no VPC.\n", 0));
    assert_eq!(guardrail(&["explain", "--world", &path]).out, "The world holds no VPC.\n");
    let (_file, path) = file(
        r#"{"Region": "eu-central-1", "Vpcs": [{"VpcId": "vpc-1", "OwnerId": "111122223333"}]}"#,
    );
    let said = guardrail(&["plan", "--world", &path]);
    assert!(
        said.out.contains("VPC vpc-1: not managed")
            && said.out.contains("No VPC of this world is managed"),
        "{}",
        said.out
    );
    assert_eq!(said.code, 0);
}

#[test]
fn a_folder_of_describe_outputs_is_a_world() {
    let world: Value = serde_json::from_str(
        &std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PLAIN)).unwrap(),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (section, value) in world.as_object().unwrap() {
        let key = if section == "VpcEndpointServices" { "ServiceDetails" } else { section };
        std::fs::write(
            folder.path().join(format!("{section}.json")),
            serde_json::json!({ key: value }).to_string(),
        )
        .unwrap();
    }
    let whole = guardrail(&["plan", "--world", PLAIN]);
    let merged = guardrail(&["plan", "--world", folder.path().to_str().unwrap()]);
    assert_eq!((merged.out, merged.code), (whole.out, whole.code));
}

#[test]
fn decode_prints_the_documented_keys_in_their_order() {
    let said = with_input(
        &["decode", "-", NAT_ROUTE],
        &std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(NAT_ROUTE)).unwrap(),
    );
    assert_eq!((said.out.lines().count(), said.code), (2, 0), "{}", said.error);
    let first = said.out.lines().next().unwrap();
    let keys = [
        "event",
        "event_id",
        "account",
        "region",
        "failed",
        "error_code",
        "watched",
        "vpc_ids",
        "resource_ids",
        "actor",
        "tool",
        "source_ip",
    ];
    let places: Vec<usize> =
        keys.iter().map(|key| first.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{first}");
    assert_eq!(
        serde_json::from_str::<Value>(first).unwrap().as_object().unwrap().len(),
        keys.len()
    );
}

#[test]
fn the_schemas_are_json_schemas_of_what_is_printed() {
    let schema: Value = serde_json::from_str(&guardrail(&["baseline", "schema"]).out).unwrap();
    let example: Value = serde_json::from_str(&guardrail(&["baseline", "example"]).out).unwrap();
    for key in example.as_object().unwrap().keys() {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    let schema: Value = serde_json::from_str(&guardrail(&["report", "schema"]).out).unwrap();
    let report: Value =
        serde_json::from_str(&guardrail(&["plan", "--world", PLAIN, "--format", "json"]).out)
            .unwrap();
    for key in report.as_object().unwrap().keys() {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
}

/// The commands that reach AWS are named in every build, and say how to get one that has them.
#[cfg(not(feature = "live"))]
#[test]
fn what_needs_aws_says_how_to_build_it_in() {
    let error = "build it with `cargo build --release -p guardrail-cli --features live`";
    refuses(&["plan"], &format!("{error}, or name a world with `--world`"));
    refuses(&["explain", "--vpc", "vpc-1"], &format!("{error}, or name a world with `--world`"));
    for command in ["snapshot", "repair", "probe", "doctor"] {
        refuses(&[command, "--vpc", "vpc-1", "--yes"], error);
    }
}

/// A day so many days from now.
fn in_days(days: u32) -> guardrail::time::Day {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    guardrail::time::Day::of(guardrail::time::since_1970(now)).plus(days)
}

#[test]
fn what_exempts_is_printed_as_a_command_that_a_shell_keeps_to_the_letter() {
    let (until, table) = (in_days(30).to_string(), "rtb-0a1b2c3d4e5f60011");
    let exempt = |more: &[&str]| {
        let base = ["exempt", table, "--until", &until, "--reason", "OPS-7 moving house"];
        guardrail(&[base.as_slice(), more].concat())
    };
    let said = exempt(&["--rule", "internet-route", "--region", "eu-central-1"]);
    let value = format!("until={until} rule=internet-route reason=OPS-7 moving house");
    let tags = format!("'[{{\"Key\":\"vpc-guardrail:exempt\",\"Value\":\"{value}\"}}]'");
    let command = format!("aws ec2 create-tags --resources {table} --tags {tags}");
    assert_eq!(
        (said.out.trim_end(), said.code),
        (format!("{command} --region eu-central-1").as_str(), 0)
    );
    assert!(exempt(&[]).out.contains(&format!("until={until} reason=OPS-7")));
    let two = exempt(&["--rule", "vpc-dns", "--rule", "private-dns"]).out;
    assert!(two.contains("rule=vpc-dns+private-dns reason="), "{two}");
}

#[test]
fn what_would_exempt_nothing_is_refused() {
    let (table, soon) = ("rtb-0a1b2c3d4e5f60011", in_days(30).to_string());
    let exempt = |on: &str, until: &str, reason: &str, more: &[&str], error: &str| {
        refuses(&[&["exempt", on, "--until", until, "--reason", reason], more].concat(), error);
    };
    exempt(table, &in_days(100).to_string(), "x", &[], "has to lie between today");
    exempt(table, "2020-01-01", "x", &[], "has to lie between today");
    exempt(table, &soon, "a \"b\"", &[], "has the character");
    exempt(table, &soon, " ", &[], "says no reason");
    exempt(table, &soon, "x until=2030-01-01", &[], "says `until=` twice");
    exempt(table, &soon, &"x".repeat(240), &[], "is longer than 256 characters");
    exempt("nat-0a1b2c3d4e5f60001", &soon, "x", &[], "nothing is found on it");
    let (_file, refusing) = file(r#"{"version": 1, "exempting": {"tags": "refuse"}}"#);
    exempt(
        table,
        &soon,
        "x",
        &["--baseline", &refusing],
        "the baseline refuses exemptions by tags",
    );
    for (arguments, error) in [
        (["exempt", table, "--until", "tomorrow", "--reason", "x"], "no day of the calendar"),
        (["exempt", "table", "--until", &soon, "--reason", "x"], "is not the id of a resource"),
    ] {
        let said = guardrail(&arguments);
        assert!(said.code == 2 && said.error.contains(error), "{}", said.error);
    }
}
