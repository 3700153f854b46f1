//! Each folder of `scenarios/` is a world, or what is otherwise in it than in the demo's, perhaps a
//! baseline and a recorded call, and what the command says of them.
//!
//! After a change of what is said: `UPDATE_EXPECT=1 cargo test -p guardrail-cli --test scenarios`,
//! then read the difference.
#![expect(clippy::unwrap_used, reason = "a test's helpers stop the test as the test does")]

#[path = "../../guardrail-sim/tests/spec/obstacles.rs"]
mod obstacles;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::obstacles::{OBSTACLES, Told, obstacle_in};

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
        check(&folder, "explain.txt", &guardrail(&on_scenario(&folder, &["explain"]), &folder));
    }
}

#[test]
fn what_would_be_done_is_planned() {
    for folder in scenarios() {
        check(&folder, "plan.txt", &guardrail(&on_scenario(&folder, &["plan"]), &folder));
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

/// The scenarios in which something keeps a required service from a private subnet, or may.
const HELD: [&str; 18] = [
    "acl-closed",
    "acl-no-internet",
    "custom-dns",
    "diverted",
    "dns-behind-nat",
    "dns-off-and-closed",
    "inbound-only-name",
    "ipv6-answers",
    "ipv6-only",
    "name-elsewhere",
    "narrow-policy",
    "no-private-name",
    "not-offered",
    "not-seen",
    "odd-endpoints",
    "odd-words",
    "overruled-route",
    "pending-acceptance",
];

/// The paragraphs of a text that tell of a service and a subnet: obstacles stand in such.
fn paragraphs(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("        "), all.last_mut()) {
            (Some(more), Some(last)) if more.starts_with("  ") => {
                last.push(' ');
                last.push_str(more.trim());
            }
            (Some(first), _) => all.push(first.to_owned()),
            (None, _) => {}
        }
    }
    all
}

/// Every obstacle there is has a scenario, which tells of it.
#[test]
fn every_obstacle_has_a_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let is_told = |told: &Told| {
        let text = std::fs::read_to_string(root.join(told.file)).unwrap();
        let told_of = paragraphs(&text).into_iter().filter_map(|paragraph| {
            let obstacle = paragraph.strip_prefix("cannot tell: ").unwrap_or(&paragraph);
            obstacle_in(obstacle)
        });
        told_of.into_iter().any(|name| name == told.name)
    };
    let missing = OBSTACLES.iter().filter(|told| !is_told(told)).map(|told| told.name);
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
}

/// A VPC of which anything is not served, or cannot be told, is never on its baseline, whatever the
/// mode, and no command says so by its exit code.
#[test]
fn an_obstacle_keeps_a_vpc_off_its_baseline() {
    for name in HELD {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        for mode in ["observe", "notify", "repair"] {
            let said = guardrail(&on_scenario(&folder, &["plan", "--mode", mode]), &folder);
            let verdict = said.lines().next().unwrap_or_default();
            assert!(verdict.contains(": not on its baseline; "), "{name}, {mode}: {verdict}");
            assert!(said.ends_with("exit code 1\n"), "{name}, {mode}: {said}");
        }
    }
}

/// What of the scenario with an obstacle keeps the route that its recorded call adds.
#[test]
fn an_obstacle_keeps_the_route_unless_it_stops_as_much_with_it() {
    const GOES: [&str; 2] = ["acl-no-internet", "narrow-policy"];
    for name in HELD {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        let route = [("rtb-0a1b2c3d4e5f60011", "0.0.0.0/0", "nat-0a1b2c3d4e5f60001")];
        let expected = if GOES.contains(&name) { route.as_slice() } else { &[] };
        assert_eq!(removed(&folder), deletions(expected), "{name}");
    }
}

/// The routes that replays of the scenario remove, one on what the other left, as limits ask for.
fn removed(folder: &Path) -> Vec<String> {
    let base = ["replay", "--mode", "repair", "--event", "event.json"];
    let (mut gone, mut left): (Vec<String>, Option<tempfile::NamedTempFile>) = (Vec::new(), None);
    for _ in 0..4 {
        let after = tempfile::NamedTempFile::new().unwrap();
        let out = [base.as_slice(), &["--out", after.path().to_str().unwrap()]].concat();
        let arguments = match &left {
            None => on_scenario(folder, &out),
            Some(left) => {
                let world = ["--world", left.path().to_str().unwrap()];
                with_baseline(folder, &[out.as_slice(), &world].concat())
            }
        };
        let said = guardrail(&arguments, folder);
        let done = said.lines().filter_map(|line| line.strip_suffix(": done"));
        gone.extend(
            done.filter_map(|line| Some(line.split_once(". delete the route ")?.1.to_owned())),
        );
        if !said.contains("left for the next run") {
            break;
        }
        left = Some(after);
    }
    gone.sort_unstable();
    gone
}

/// A route: its table, destination and target.
type Way<'a> = (&'a str, &'a str, &'a str);

fn deletions(routes: &[Way<'_>]) -> Vec<String> {
    let line = |(table, to, target): &Way<'_>| format!("{to} → {target} from {table}");
    let mut lines: Vec<String> = routes.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

/// The routes that the worlds of this tool's first versions lost to it: each still goes once all has
/// settled, in as many runs as that takes.
#[test]
fn the_routes_of_a_sane_vpc_go() {
    let messy = |table: &str| format!("rtb-0a6b7c8d9eaf100{table}");
    let (m10, m11, m12, m17, m18, m1f) =
        (messy("10"), messy("11"), messy("12"), messy("17"), messy("18"), messy("1f"));
    let worlds: [(&str, Vec<Way<'_>>); 5] = [
        ("plain", vec![("rtb-0b1c2d3e4f5a60012", "0.0.0.0/0", "nat-0b1c2d3e4f5a60001")]),
        ("eks", vec![("rtb-0d3e4f5a6b7c80012", "0.0.0.0/0", "nat-0d3e4f5a6b7c80001")]),
        ("dual-stack", vec![("rtb-0f5a6b7c8d9ea0012", "::/0", "eigw-0f5a6b7c8d9ea0042")]),
        (
            "cdk",
            vec![
                ("rtb-0c2d3e4f5a6b70014", "0.0.0.0/0", "nat-0c2d3e4f5a6b70001"),
                ("rtb-0c2d3e4f5a6b70015", "0.0.0.0/0", "nat-0c2d3e4f5a6b70002"),
                ("rtb-0c2d3e4f5a6b70016", "0.0.0.0/0", "nat-0c2d3e4f5a6b70003"),
            ],
        ),
        (
            "messy",
            vec![
                (&m10, "0.0.0.0/0", "nat-0a6b7c8d9eaf10001"),
                (&m11, "0.0.0.0/1", "nat-0a6b7c8d9eaf10001"),
                (&m11, "128.0.0.0/1", "nat-0a6b7c8d9eaf10001"),
                (&m11, "8.8.8.8/32", "nat-0a6b7c8d9eaf10001"),
                (&m12, "pl-0a6b7c8d9eaf10071", "nat-0a6b7c8d9eaf10002"),
                (&m17, "0.0.0.0/1", "eni-0a6b7c8d9eaf10101"),
                (&m17, "128.0.0.0/1", "eni-0a6b7c8d9eaf10104"),
                (&m18, "0.0.0.0/0", "eni-0a6b7c8d9eaf10102"),
                (&m1f, "0.0.0.0/0", "nat-0a6b7c8d9eaf10004"),
            ],
        ),
    ];
    for (name, routes) in worlds {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        assert_eq!(removed(&folder), deletions(&routes), "{name}");
    }
}

/// Lines that a terminal of 80 columns would break, but for ids and quotations, which stay whole.
#[test]
fn an_explanation_fits_a_terminal() {
    for folder in scenarios() {
        let said = guardrail(&on_scenario(&folder, &["explain"]), &folder);
        let is_wide = |line: &&str| {
            line.chars().count() > 80 && line.trim().contains(' ') && !line.contains('"')
        };
        let wide: Vec<&str> = said.lines().filter(is_wide).collect();
        assert_eq!(wide, [""; 0], "{}", folder.display());
    }
}
