//! What `guardrail baseline check` says of a baseline, alone and with a world; and what worlds may
//! be made of.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers stop the test as the test does"
)]

use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};

const DEMO: &str = "scenarios/demo/world.json";

struct Said {
    out: String,
    error: String,
    code: i32,
}

fn guardrail(arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_guardrail"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap(),
    }
}

/// Checks a baseline with these fields.
fn check(fields: &Value, more: &[&str]) -> Said {
    let mut baseline = fields.clone();
    baseline["version"] = json!(1);
    let (_file, path) = file(&baseline);
    guardrail(&[&["baseline", "check", &path], more].concat())
}

fn file(value: &Value) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    file.write_all(value.to_string().as_bytes()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (file, path)
}

fn world(path: &str) -> Value {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn alone_a_baseline_is_checked_against_a_list_of_services() {
    let said = check(&json!({"interface_endpoints": {"services": ["smm", "kms?"]}}), &[]);
    assert_eq!(
        said.out,
        "ok: mode notify, VPCs tagged vpc-guardrail=managed\n\
         gateway endpoints: s3, dynamodb\n\
         interface endpoints: smm, kms?\n"
    );
    assert_eq!(
        said.error,
        "warning: `interface_endpoints.services[0]`: `smm` is not a service that this release knows; did you \
         mean `ssm`?\n"
    );
    assert_eq!(said.code, 0);
}

#[test]
fn with_a_world_each_service_is_what_its_region_says() {
    let said = check(
        &json!({
            "interface_endpoints": {"services": ["ssm", "dynamodb", "sqs?", "smm"]},
            "overrides": [{"vpc": {"name": "warehouse"}, "resolver": "forwards-to-amazon"}]
        }),
        &["--world", DEMO],
    );
    assert_eq!(
        said.out,
        "ok: mode notify, VPCs tagged vpc-guardrail=managed\n\
         gateway endpoints: s3, dynamodb\n\
         interface endpoints: ssm, dynamodb, sqs?, smm\n\
         in eu-central-1:\n  \
         s3 (gateway): offered\n  \
         dynamodb (gateway): offered\n  \
         ssm (interface): offered in 3 zones, with a private name\n  \
         dynamodb (interface): offered in 3 zones, without a private name, so it cannot be served\n  \
         sqs? (interface): not offered; passed over because of its `?`\n  \
         smm (interface): not offered; routes to the internet stay for it\n"
    );
    assert_eq!(
        said.error,
        "warning: `interface_endpoints.services[1]`: `dynamodb` has no private name in eu-central-1, so no \
         endpoint serves it by its own name, and routes to the internet stay for it; write `reached_by`: \
         `endpoint-name` if clients use the endpoint's name\n\
         warning: `interface_endpoints.services[3]`: `smm` is not offered in eu-central-1, nor is it a \
         service that this release knows, so routes to the internet stay for it; did you mean `ssm`?\n\
         warning: `overrides[0].vpc`: no managed VPC of the world is or carries the tag Name=warehouse; \
         correct it, or leave the override out\n"
    );
    assert_eq!(said.code, 0);
    let fine = check(&json!({}), &["--world", DEMO]);
    assert_eq!((fine.error.as_str(), fine.code), ("", 0));
}

#[test]
fn what_the_region_offers_is_all_that_a_world_needs_to_say() {
    let services = json!({"ServiceDetails": world(DEMO)["VpcEndpointServices"]});
    let (_file, path) = file(&services);
    let said = check(&json!({}), &["--world", &path]);
    assert!(said.out.contains("in eu-central-1:\n  s3 (gateway): offered\n"), "{}", said.out);
    assert_eq!((said.error.as_str(), said.code), ("", 0));
    let (_file, path) = file(&json!({"Vpcs": []}));
    let said = check(&json!({}), &["--world", &path]);
    assert!(
        said.out
            .contains("in the world, which does not say its Region:\n  s3 (gateway): cannot tell"),
        "{}",
        said.out
    );
}

#[test]
fn a_warning_is_one_line_whatever_the_baseline_says() {
    let selector = json!([{"tag": "a\u{1b}[32m\nok: all is well", "values": ["*"]}]);
    let said = check(&json!({"private_subnets": selector}), &[]);
    assert_eq!(said.error.lines().count(), 1, "{}", said.error);
    assert!(!said.error.contains('\u{1b}'), "{}", said.error);
}

#[test]
fn what_contradicts_itself_is_refused_with_what_to_write() {
    let service = json!({"service": "s3", "reached_by": "endpoint-name", "create": "always"});
    let policy = json!({"service": "kms", "policy": {"Statement": [{"Effect": "Allow"}]}});
    let said = check(
        &json!({
            "gateway_endpoints": {"services": [service]},
            "settling": {"minutes": 20000},
            "overrides": [{"vpc": {"id": "vpc-1"}}]
        }),
        &["--world", DEMO],
    );
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    let faults: Vec<&str> = said.error.lines().skip(1).map(str::trim).collect();
    assert_eq!(
        faults,
        [
            "`gateway_endpoints.services[0].reached_by`: `endpoint-name` is for interface endpoints: a gateway \
             endpoint has no name, and clients reach `s3` through it by its own; leave `reached_by` out",
            "`gateway_endpoints.services[0].create`: `always` is for interface endpoints, which cost money: the \
             gateway endpoint of `s3` costs nothing and is made whenever it is missing; leave `create` out",
            "`settling.minutes`: `20000` is more than a week, and no route would go before; write 10080 or less",
            "`overrides[0]`: says nothing of vpc-1; write `mode`, `rules` or `resolver`, or leave the override out",
        ]
    );
    let said = check(&json!({"interface_endpoints": {"services": [policy]}}), &[]);
    assert_eq!(said.code, 2);
    assert!(said.error.contains("`interface_endpoints.services[0].policy`: "), "{}", said.error);
}

#[cfg(not(feature = "live"))]
#[test]
fn a_region_is_read_in_a_build_that_reaches_aws() {
    let said = check(&json!({}), &["--region", "eu-central-1"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.error.contains("--features live"), "{}", said.error);
    let said = check(&json!({}), &["--region", "eu-central-1", "--world", DEMO]);
    assert!(said.error.contains("cannot be used with"), "{}", said.error);
}

#[test]
fn nothing_rests_on_a_list_of_services_without_s3() {
    let mut world = world("scenarios/plain/world.json");
    let services = world["VpcEndpointServices"].as_array_mut().unwrap();
    services.retain(|service| !service["ServiceName"].as_str().unwrap().ends_with(".s3"));
    let (_file, path) = file(&world);
    let said = guardrail(&["plan", "--world", &path, "--mode", "repair"]);
    assert!(said.out.contains("VpcEndpointServices"), "{}", said.out);
    assert!(!said.out.contains("DeleteRoute"), "{}", said.out);
    assert_eq!(said.code, 1);
}

/// A NAT instance's interface is judged alike, whichever of the two commands printed it.
#[test]
fn instances_as_the_cli_prints_them_fill_up_a_world() {
    let (private, public) = ("subnet-0a1b2c3d4e5f60023", "subnet-0a1b2c3d4e5f60021");
    let (id, vpc) = ("i-0a1b2c3d4e5f69999", "vpc-0a1b2c3d4e5f60000");
    let mut without = world(DEMO);
    let tables = without["RouteTables"].as_array_mut().unwrap();
    let serves = |table: &&mut Value| table["Associations"].to_string().contains(private);
    let routes = tables.iter_mut().find(serves).unwrap()["Routes"].as_array_mut().unwrap();
    routes.push(json!({"DestinationCidrBlock": "0.0.0.0/0", "InstanceId": id, "State": "active"}));
    let interface = json!({"NetworkInterfaceId": "eni-0a1b2c3d4e5f69999", "VpcId": vpc, "SubnetId": public,
        "SourceDestCheck": false, "Attachment": {"Status": "attached"}});
    let explained = |world: &Value| {
        let (_file, path) = file(world);
        guardrail(&["explain", "--world", &path]).out
    };

    let mut whole = without.clone();
    let mut attached = interface.clone();
    attached["Attachment"]["InstanceId"] = json!(id);
    whole["NetworkInterfaces"].as_array_mut().unwrap().push(attached);
    let expected = explained(&whole);
    assert_ne!(explained(&without), expected);

    let instance = json!({"InstanceId": id, "NetworkInterfaces": [interface]});
    without["Reservations"] = json!([{"ReservationId": "r-1", "Instances": [instance]}]);
    assert_eq!(explained(&without), expected);
    without.as_object_mut().unwrap().remove("NetworkInterfaces");
    let said = explained(&without);
    assert!(said.contains("not observed") && said.contains("NetworkInterfaces"), "{said}");
}
