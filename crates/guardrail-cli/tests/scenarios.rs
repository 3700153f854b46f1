//! Each folder of `scenarios/` is a world, or what is otherwise in it than in the demo's, perhaps a
//! baseline and a recorded call, and what the command says of them.
//!
//! After a change of what is said: `UPDATE_EXPECT=1 cargo test -p guardrail-cli --test scenarios`,
//! then read the difference.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers stop the test as the test does"
)]

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

/// The day that a scenario is judged on, where its exemptions depend on one.
fn today(folder: &Path) -> Vec<String> {
    let day = std::fs::read_to_string(folder.join("today.txt"));
    day.map(|day| vec!["--today".to_owned(), day.trim().to_owned()]).unwrap_or_default()
}

/// What a command that judges by the day says of the scenario.
fn judged(folder: &Path, command: &str) -> String {
    let today = today(folder);
    let all: Vec<&str> = [command].into_iter().chain(today.iter().map(String::as_str)).collect();
    guardrail(&on_scenario(folder, &all), folder)
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
        check(&folder, "explain.txt", &judged(&folder, "explain"));
    }
}

#[test]
fn what_would_be_done_is_planned() {
    for folder in scenarios() {
        check(&folder, "plan.txt", &judged(&folder, "plan"));
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

/// What of the scenario with an obstacle keeps the route that its recorded call adds: not one that
/// stops as much with the route as without it, nor one that a later run takes away.
#[test]
fn an_obstacle_keeps_the_route_unless_it_stops_as_much_with_it() {
    const GOES: [&str; 3] = ["acl-no-internet", "dns-off-and-closed", "narrow-policy"];
    for name in HELD {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        let route = [("rtb-0a1b2c3d4e5f60011", "0.0.0.0/0", "nat-0a1b2c3d4e5f60001")];
        let expected = if GOES.contains(&name) { route.as_slice() } else { &[] };
        assert_eq!(settled(&folder).0, deletions(expected), "{name}");
    }
}

/// The routes that the guardrail removes in a scenario's world until all has settled, after the recorded
/// call if there is one; and what it is on then.
fn settled(folder: &Path) -> (Vec<String>, tempfile::NamedTempFile) {
    // Where nothing was recorded, a call that changes nothing leads to a look.
    let trigger = tempfile::NamedTempFile::new().unwrap();
    let after = tempfile::NamedTempFile::new().unwrap();
    let event = match folder.join("event.json").exists() {
        true => "event.json".to_owned(),
        false => {
            std::fs::write(trigger.path(), nothing_changes(folder)).unwrap();
            trigger.path().to_str().unwrap().to_owned()
        }
    };
    let out = after.path().to_str().unwrap();
    let base = ["replay", "--mode", "repair", "--event", &event, "--out", out];
    let again = [base.as_slice(), &["--world", out]].concat();
    let mut gone: Vec<String> = Vec::new();
    let mut said = guardrail(&on_scenario(folder, &base), folder);
    for _ in 0..4 {
        let done = said.lines().filter_map(|line| line.strip_suffix(": done"));
        let routes = done.filter_map(|line| line.split_once(". delete the route "));
        gone.extend(routes.map(|(_, route)| route.to_owned()));
        let goes_on = ["left for the next run", "the next run goes on"];
        if !goes_on.iter().any(|more| said.contains(more)) {
            break;
        }
        said = guardrail(&with_baseline(folder, &again), folder);
    }
    gone.sort_unstable();
    (gone, after)
}

/// The record of a call that changed nothing, of a VPC of the scenario's world.
fn nothing_changes(folder: &Path) -> String {
    let world = std::fs::read_to_string(folder.join("world.json")).unwrap();
    let world: serde_json::Value = serde_json::from_str(&world).unwrap();
    let vpc = &world["Vpcs"][0];
    let arn = vpc["OwnerId"].as_str().unwrap();
    let zone = world["Subnets"][0]["AvailabilityZone"].as_str().unwrap_or("eu-central-1a");
    let region = zone.trim_end_matches(char::is_alphabetic);
    serde_json::json!({
        "eventVersion": "1.11", "eventTime": "2026-09-14T09:11:07Z", "eventName": "ModifyVpcAttribute",
        "eventSource": "ec2.amazonaws.com", "awsRegion": region, "recipientAccountId": arn,
        "requestParameters": {"vpcId": vpc["VpcId"], "enableDnsSupport": {"value": true}},
        "eventID": "4f0a8f0e-1d0c-4d0e-9a51-0f3f5a7a1c11",
    })
    .to_string()
}

/// A route: its table, destination and target.
type Way<'a> = (&'a str, &'a str, &'a str);

fn deletions(routes: &[Way<'_>]) -> Vec<String> {
    let line = |(table, to, target): &Way<'_>| format!("{to} → {target} from {table}");
    let mut lines: Vec<String> = routes.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

/// The steps of a text that delete a route.
fn planned(folder: &Path, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let steps = text.lines().filter_map(|line| line.split_once(". delete the route "));
    // Destination, arrow, target, `from` and table; what becomes of the step may follow.
    let route = |text: &str| {
        let words = text.split_whitespace().take(5).collect::<Vec<_>>().join(" ");
        words.trim_end_matches([':', ',']).to_owned()
    };
    steps.map(|(_, text)| route(text)).collect()
}

/// Each route that a plan or a replay removes from a world is gone once all has settled; and these and no
/// others are, as the world's `gone.txt` has them, which is not there where none goes.
#[test]
fn the_routes_of_a_sane_vpc_go() {
    let mut worlds = 0;
    for folder in scenarios() {
        let (gone, _) = settled(&folder);
        let mut said: Vec<String> = gone.iter().map(|route| format!("{route}\n")).collect();
        said.dedup();
        if !said.is_empty() || folder.join("gone.txt").exists() {
            check(&folder, "gone.txt", &said.concat());
        }
        for route in [planned(&folder, "plan.txt"), planned(&folder, "replay.txt")].concat() {
            assert!(gone.contains(&route), "{}: {route} is still there", folder.display());
        }
        worlds += usize::from(!gone.is_empty());
    }
    assert!(worlds >= 7, "routes go in {worlds} worlds only");
}

/// Where a route to the internet stays in a table of private subnets alone, something is told of that
/// keeps it: an obstacle, or why it is left alone.
#[test]
fn no_route_stays_unexplained() {
    for folder in scenarios() {
        let (_, after) = settled(&folder);
        let world = ["--world", after.path().to_str().unwrap()];
        let said =
            guardrail(&with_baseline(&folder, &[["explain"].as_slice(), &world].concat()), &folder);
        let is_allowed = said.contains("; allowed by the");
        let stays = !is_allowed
            && tables_of_private(&said).into_iter().any(|route| route.contains(": internet, "));
        let plan: Vec<String> = ["plan", "--mode", "repair"].map(str::to_owned).into();
        let plan: Vec<String> = plan.into_iter().chain(today(&folder)).collect();
        let plan: Vec<&str> = plan.iter().map(String::as_str).collect();
        let plan = guardrail(&with_baseline(&folder, &[plan.as_slice(), &world].concat()), &folder);
        assert!(
            !stays || plan.contains("Left alone\n") || plan.contains("Exempted\n"),
            "{}: a route stays, and nothing says why:\n{plan}",
            folder.display()
        );
    }
}

/// The routes of an explanation's tables that serve private subnets and no others.
fn tables_of_private(explained: &str) -> Vec<&str> {
    let mut is_private = false;
    let mut routes = Vec::new();
    for line in explained.lines() {
        let indent = line.len() - line.trim_start().len();
        match indent {
            0..=3 => is_private = false,
            4 => is_private = line.contains(" private") && !line.contains(" public"),
            _ if is_private => routes.push(line),
            _ => {}
        }
    }
    routes
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
