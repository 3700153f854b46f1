//! Each folder of `scenarios/` is a world, or what is otherwise in it than in the demo's, perhaps a
//! baseline and a recorded call, and what the command says of them.
//!
//! After a change of what is said: `UPDATE_EXPECT=1 cargo test -p guardrail-cli --test scenarios`,
//! then read the difference.
#![expect(clippy::unwrap_used, reason = "a test's helpers stop the test as the test does")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort_unstable();
    assert!(all.len() >= 7, "scenarios are missing");
    all
}

/// What the command prints, and its exit code in a last line.
fn guardrail(arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_guardrail"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    format!(
        "{}{}exit code {}\n",
        text(output.stdout),
        text(output.stderr),
        output.status.code().unwrap()
    )
}

fn check(folder: &Path, file: &str, said: &str) {
    let path = folder.join(file);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == said, "{} differs; this is what was said:\n{said}", path.display());
}

/// The arguments with the scenario's baseline, and its world: a whole one, or the demo's with some
/// things in place of its own.
fn on_scenario<'a>(folder: &Path, arguments: &[&'a str]) -> Vec<&'a str> {
    let mut all = with_baseline(folder, arguments);
    match folder.join("changes.json").exists() {
        true => all.extend(["--world", "../demo/world.json", "--world", "changes.json"]),
        false => all.extend(["--world", "world.json"]),
    }
    all
}

fn with_baseline<'a>(folder: &Path, arguments: &[&'a str]) -> Vec<&'a str> {
    let mut all = arguments.to_vec();
    if folder.join("baseline.json").exists() {
        all.extend(["--baseline", "baseline.json"]);
    }
    all
}

#[test]
fn each_subnet_route_and_service_is_explained() {
    for folder in scenarios() {
        check(
            &folder,
            "explain.txt",
            &guardrail(&on_scenario(&folder, &["explain"]), &folder),
        );
    }
}

#[test]
fn what_would_be_done_is_planned() {
    for folder in scenarios() {
        check(
            &folder,
            "plan.txt",
            &guardrail(&on_scenario(&folder, &["plan"]), &folder),
        );
    }
}

/// The whole job, and after it: what was repaired stays repaired, and a second time nothing is
/// done.
#[test]
fn recorded_calls_are_replayed() {
    for folder in scenarios().into_iter().filter(|folder| folder.join("event.json").exists()) {
        let after = tempfile::NamedTempFile::new().unwrap();
        let after = after.path().to_str().unwrap();
        let base = ["replay", "--mode", "repair", "--event", "event.json"];
        let first = on_scenario(&folder, &[base.as_slice(), &["--out", after]].concat());
        let said = guardrail(&first, &folder);
        check(&folder, "replay.txt", &said);
        if said.contains(": back on its baseline.") {
            let again = with_baseline(&folder, &["plan", "--mode", "repair", "--world", after]);
            let said = guardrail(&again, &folder);
            assert!(
                said.contains(": on its baseline.") && said.ends_with("exit code 0\n"),
                "{said}"
            );
        }
    }
}
