//! A private VPC is built from nothing in the simulator, by boto3 as a user's script would, and the
//! guardrail judges what was saved.
#![expect(clippy::unwrap_used, reason = "a test's helpers stop the test as the test does")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

const BUILD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/from_nothing/build.py");
const GUARDRAIL: &str = env!("CARGO_BIN_EXE_guardrail");

/// A simulator with nothing in it, and where it listens.
fn simulator(folder: &Path) -> (Child, String) {
    let mut sim = Command::new(GUARDRAIL)
        .args(["sim", "--region", "eu-central-1", "--speed", "600", "--save", "after.json"])
        .args(["--events", "events.jsonl"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(sim.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    (sim, url)
}

fn stop(mut sim: Child) {
    assert!(Command::new("kill").arg(sim.id().to_string()).status().unwrap().success());
    assert!(sim.wait().unwrap().success());
}

/// What the guardrail says of the world that was saved, and with which exit code.
fn judged(folder: &Path) -> (String, Option<i32>) {
    let plan = ["plan", "--world", "after.json"];
    let output = Command::new(GUARDRAIL).args(plan).current_dir(folder).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn has_boto3() -> bool {
    Command::new("python3")
        .args(["-c", "import boto3"])
        .output()
        .is_ok_and(|it| it.status.success())
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Builds it; with `private` the way out is taken at the end, with `open` it stays.
fn built(folder: &Path, kind: &str) -> Value {
    let (sim, url) = simulator(folder);
    let built = Command::new("python3").args([BUILD, &url, kind]).output().unwrap();
    stop(sim);
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    serde_json::from_slice(&built.stdout).unwrap()
}

#[test]
fn boto3_builds_a_private_vpc_that_is_on_its_baseline() {
    if !has_boto3() {
        println!("skipped: there is no python3 with boto3 here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let told = built(folder.path(), "private");
    assert_eq!(
        told,
        json!({
            "vpcs": 1,
            "elsewhere": 0,
            "other account": "444455556666",
            "after it": 1,
            "nat": "192.0.2.1",
            "addresses": ["192.0.2.1"],
            "instance": "running",
            "profile": "arn:aws:iam::111122223333:instance-profile/ssm",
            "rules": [[false, "-1"], [true, "-1"]],
            "list": [1, 2],
            "refused": [
                "DependencyViolation",
                "DependencyViolation",
                "DependencyViolation",
                "InvalidIPAddress.InUse",
                "InvalidAssociationID.NotFound",
            ],
            "bound": true,
        })
    );
    let (said, code) = judged(folder.path());
    assert!(said.contains(": on its baseline."), "{said}");
    assert_eq!(code, Some(0));
    let other = read(&folder.path().join("after.444455556666.eu-central-1.json"));
    assert_eq!(other["Vpcs"][0]["CidrBlock"], "10.9.0.0/16");
    assert_eq!(other["AccountId"], "444455556666");
    let saved = read(&folder.path().join("after.json"));
    assert_eq!(saved["Simulator"]["Addresses"][0]["PublicIp"], "192.0.2.1");
}

#[test]
fn with_the_way_out_it_is_not() {
    if !has_boto3() {
        println!("skipped: there is no python3 with boto3 here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    built(folder.path(), "open");
    let (said, code) = judged(folder.path());
    assert!(said.contains(": not on its baseline") && said.contains("nat-"), "{said}");
    assert_eq!(code, Some(1));
}
