//! The scripts for doing by hand what a plan says, pasted into shells where a stand-in answers for
//! the AWS CLI: one that fails, hangs or says nothing at any call leads to no deletion, and the shell
//! goes on.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers stop the test as the test does"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

fn guardrail(name: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let folder = scenario(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardrail"));
    command.args(arguments).current_dir(&folder);
    match folder.join("changes.json").exists() {
        true => command.args(["--world", "../demo/world.json", "--world", "changes.json"]),
        false => command.args(["--world", "world.json"]),
    };
    if folder.join("baseline.json").exists() {
        command.args(["--baseline", "baseline.json"]);
    }
    let output = command.output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn script_of(name: &str) -> String {
    guardrail(name, &["plan", "--script"]).0
}

/// The shells of this machine that a reader may have.
fn shells() -> Vec<&'static [&'static str]> {
    let all: [&[&str]; 2] = [&["dash", "-i"], &["bash", "--norc", "--noprofile", "-i"]];
    let is_here = |shell: &&[&str]| {
        let found = Command::new(shell[0]).args(["-c", ":"]).output().is_ok();
        if !found {
            println!("skipped: there is no {} here", shell[0]);
        }
        found
    };
    all.into_iter().filter(is_here).collect()
}

/// Whether the shell, after an error in a command's words, forgets what it has read but not run: here
/// the question whether it is alive. An interactive dash does.
fn forgets(shell: &[&str]) -> bool {
    shell[0] == "dash"
}

/// What goes wrong, and at which call; nothing at call 0.
#[derive(Clone, Copy)]
struct Trouble {
    kind: &'static str,
    at: usize,
    /// Whether the calls after it go wrong too.
    on: bool,
}

/// What a script says when it stops, which is not in its text.
const STOPPED: &str = "guardrail: STOPPED";

const NONE: Trouble = Trouble { kind: "none", at: 0, on: false };

/// A VPC as the stand-in keeps it.
struct StandIn {
    folder: tempfile::TempDir,
}

impl StandIn {
    fn of(name: &str) -> Self {
        let stand_in = Self { folder: tempfile::tempdir().unwrap() };
        let world = std::fs::read(scenario(name).join("world.json")).unwrap();
        let world: Value = serde_json::from_slice(&world).unwrap();
        let aws = stand_in.folder.path().join("bin/aws");
        std::fs::create_dir(aws.parent().unwrap()).unwrap();
        std::fs::create_dir(stand_in.state()).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script/aws.sh");
        std::fs::copy(source, &aws).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&aws, executable).unwrap();
        stand_in.load(&world);
        stand_in
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.state().join(name.replace(['/', ' '], "_")), format!("{text}\n"))
            .unwrap();
    }

    fn load(&self, world: &Value) {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for attribute in ["EnableDnsSupport", "EnableDnsHostnames"] {
            let name = attribute.replacen('E', "e", 1);
            for (vpc, attributes) in world["VpcAttributes"].as_object().unwrap() {
                if attributes[attribute] == false {
                    self.put(&format!("off {vpc} {name}"), "");
                }
            }
        }
        for endpoint in list(&world["VpcEndpoints"]) {
            let id = text(&endpoint["VpcEndpointId"]);
            self.put(&format!("seen {id}"), "");
            self.put(&format!("vpc {id}"), &text(&endpoint["VpcId"]));
            self.put(&format!("service {id}"), &text(&endpoint["ServiceName"]));
            self.put(&format!("dns {id}"), &(endpoint["PrivateDnsEnabled"] == true).to_string());
        }
        for table in list(&world["RouteTables"]) {
            let id = text(&table["RouteTableId"]);
            for route in list(&table["Routes"]) {
                let of = |keys: &[&str]| -> String {
                    keys.iter().find_map(|key| route[*key].as_str()).unwrap_or_default().to_owned()
                };
                let target = of(&[
                    "NatGatewayId",
                    "NetworkInterfaceId",
                    "GatewayId",
                    "EgressOnlyInternetGatewayId",
                ]);
                let destination = of(&[
                    "DestinationCidrBlock",
                    "DestinationIpv6CidrBlock",
                    "DestinationPrefixListId",
                ]);
                self.put(&format!("route {id} {destination}"), &target);
                if target.starts_with("vpce-") {
                    self.put(&format!("leads {id} {target}"), "");
                }
            }
        }
    }

    /// Starts a shell with the text as its input, as if it were pasted.
    fn paste(&self, shell: &[&str], text: &str, trouble: Trouble) -> Child {
        let path = format!(
            "{}:{}",
            self.folder.path().join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .envs([("PATH", path.as_str()), ("KIND", trouble.kind)])
            .envs([
                ("AT", trouble.at.to_string()),
                ("ON", if trouble.on { "on" } else { "" }.to_owned()),
            ])
            .env("STATE", self.state())
            .envs([("GUARDRAIL_POLL_SECONDS", "0"), ("GUARDRAIL_POLLS", "3")])
            .envs([("GUARDRAIL_SETTLE_SECONDS", "0"), ("HISTFILE", "/dev/null")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child
    }

    /// The calls that came, each with its operation first.
    fn calls(&self) -> Vec<String> {
        let all = std::fs::read_to_string(self.state().join("calls")).unwrap_or_default();
        all.lines().map(|call| call.strip_prefix("ec2 ").unwrap_or(call).to_owned()).collect()
    }
}

/// What pasting a text came to: the calls, whether the shell was alive after it, and what it said.
struct Pasted {
    calls: Vec<String>,
    alive: bool,
    said: String,
}

/// Pastes a text into a shell by a scenario's VPC.
fn paste(name: &str, shell: &[&str], text: &str, trouble: Trouble) -> Pasted {
    paste_by(&StandIn::of(name), shell, text, trouble)
}

/// Pastes a text, with aliases in the way, and then asks the shell whether it is alive.
fn paste_by(stand_in: &StandIn, shell: &[&str], text: &str, trouble: Trouble) -> Pasted {
    // Single commands are called as the reader calls the AWS CLI, with the alias.
    let aliases = match text.contains("gr_aws") {
        true => "alias aws='aws --profile other' printf=false sleep='sleep 99' command=false\n",
        false => "",
    };
    let input = format!("{aliases}{text}\necho ali''ve\n");
    let child = stand_in.paste(shell, &input, trouble);
    if trouble.kind == "hang" {
        interrupt(stand_in);
    }
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Pasted {
        calls: stand_in.calls(),
        alive: stdout.lines().any(|line| line == "alive"),
        said: format!("{stdout}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Waits for the call that hangs, and ends it after a while, as a reader would lose patience.
fn interrupt(stand_in: &StandIn) {
    let hung = stand_in.state().join("hung");
    let start = Instant::now();
    while !hung.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "no call hangs");
        std::thread::sleep(Duration::from_millis(10));
    }
    let before = stand_in.calls();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(stand_in.calls(), before, "something went on while a call hung");
    let pid = std::fs::read_to_string(hung).unwrap();
    assert!(Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
}

fn is(call: &str, operation: &str) -> bool {
    call.starts_with(&format!("{operation} "))
}

fn deletions(calls: &[String]) -> usize {
    calls.iter().filter(|call| is(call, "delete-route")).count()
}

/// The operations that change something, in order.
fn changes(calls: &[String]) -> Vec<&str> {
    let operations = calls.iter().filter_map(|call| call.split(' ').next());
    operations.filter(|name| !name.starts_with("describe-") && *name != "sts").collect()
}

/// The other scenarios with a script.
const OTHERS_WITH_A_SCRIPT: [&str; 7] = [
    "dns-off-and-closed",
    "exempted",
    "odd-endpoints",
    "overridden-mode",
    "own-group-edited",
    "own-policy",
    "public-address",
];

const WITH_A_SCRIPT: [&str; 7] =
    ["cdk", "dual-stack", "eks", "messy", "plain", "public-ip-on-launch", "terraform-aws-vpc"];

#[test]
fn a_script_parses_and_keeps_its_lines_short() {
    for folder in std::fs::read_dir(scenario("")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let script = script_of(&name);
        assert_eq!(
            script.contains("( set -eu\n"),
            WITH_A_SCRIPT.contains(&name.as_str()) || OTHERS_WITH_A_SCRIPT.contains(&name.as_str()),
            "{name}: {script}"
        );
        assert!(script.is_ascii() && !script.contains(['\t', '!', '\r']), "{name}: {script}");
        assert!(script.lines().all(|line| line.len() < 1000), "{name}: {script}");
        for shell in shells() {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &script).unwrap();
            let parsed = Command::new(shell[0]).arg("-n").arg(file.path()).output().unwrap();
            assert!(parsed.status.success() && parsed.stderr.is_empty(), "{name}: {parsed:?}");
        }
    }
}

#[test]
fn a_script_does_what_the_plan_says_and_deletes_last() {
    for name in WITH_A_SCRIPT {
        let (script, plan) = (script_of(name), guardrail(name, &["plan"]).0);
        for shell in shells() {
            let Pasted { calls, alive, said } = paste(name, shell, &script, NONE);
            assert!(alive && said.contains("guardrail: done"), "{name}: {said}");
            assert!(!said.contains(STOPPED) && !said.contains("stand-in"), "{name}: {said}");
            let region = if name == "dual-stack" { "mx-central-1" } else { "eu-central-1" };
            for call in &calls {
                assert!(call.contains(&format!(" --region {region} --output text")), "{call}");
                assert!(!call.contains("--profile"), "{call}");
            }
            let planned = plan.lines().filter(|line| line.contains(". delete the route")).count();
            let changes = changes(&calls);
            let first = changes.iter().position(|name| *name == "delete-route");
            let last: Vec<&&str> = changes.iter().skip(first.unwrap_or(changes.len())).collect();
            assert!(last.iter().all(|name| **name == "delete-route"), "{name}: {changes:?}");
            assert_eq!(last.len(), planned, "{name}: {said}");
        }
    }
}

#[test]
fn every_change_is_made_in_the_order_of_the_plan() {
    for shell in shells() {
        let calls = paste("cdk", shell, &script_of("cdk"), NONE).calls;
        assert_eq!(
            changes(&calls),
            [
                "modify-vpc-attribute",
                "create-security-group",
                "authorize-security-group-ingress",
                "create-vpc-endpoint",
                "create-vpc-endpoint",
                "create-vpc-endpoint",
                "create-vpc-endpoint",
                "create-vpc-endpoint",
                "delete-route",
                "delete-route",
                "delete-route"
            ]
        );
        assert!(is(&calls[0], "sts") && is(&calls[1], "describe-vpcs"), "{calls:?}");
    }
}

/// Runs a script once for each call that could go wrong. Where `all` is not asked for, only changes
/// go wrong: a question that is asked again may be answered the second time.
fn try_each(name: &str, shell: &[&str], script: &str, kinds: &[&'static str], all: bool) {
    let good = paste(name, shell, script, NONE);
    let first = good.calls.iter().position(|call| is(call, "delete-route")).unwrap();
    for at in 1..=first {
        let asks = is(&good.calls[at - 1], "sts") || is(&good.calls[at - 1], "describe-vpcs");
        let changes = !changes(&good.calls[at - 1..at]).is_empty();
        for kind in kinds.iter().filter(|_| all || asks || changes) {
            let trouble = Trouble { kind, at, on: all && *kind != "hang" };
            let Pasted { calls, alive, said } = paste(name, shell, script, trouble);
            let what = &good.calls[at - 1];
            assert_eq!(calls.get(at - 1), Some(what), "{name}, {shell:?}: {kind} at {at}");
            // A question that hung was ended, and may be asked again.
            if *kind != "hang" || asks || changes {
                assert_eq!(deletions(&calls), 0, "{name}, {shell:?}: {kind} at {what}: {said}");
                assert!(said.contains(STOPPED) && !said.contains("guardrail: done"), "{said}");
            }
            assert!(alive, "{name}, {shell:?}: {kind} at {what}: {said}");
        }
    }
}

#[test]
fn a_call_that_fails_or_says_nothing_leads_to_no_deletion() {
    for shell in shells() {
        try_each("plain", shell, &script_of("plain"), &["fail", "empty"], true);
    }
}

#[test]
fn a_change_that_fails_or_says_nothing_once_leads_to_no_deletion() {
    for shell in shells() {
        try_each("cdk", shell, &script_of("cdk"), &["fail", "empty"], false);
    }
}

#[test]
fn a_call_that_hangs_leads_to_no_deletion() {
    for shell in shells() {
        try_each("plain", shell, &script_of("plain"), &["hang"], true);
    }
}

/// What is deleted once a deletion has gone wrong: nothing more.
#[test]
fn a_deletion_that_goes_wrong_is_the_last() {
    let script = script_of("messy");
    for shell in shells() {
        let good = paste("messy", shell, &script, NONE).calls;
        let second = good.iter().enumerate().filter(|(_, call)| is(call, "delete-route")).nth(1);
        let at = second.unwrap().0 + 1;
        for kind in ["fail", "empty"] {
            let Pasted { calls, alive, said } =
                paste("messy", shell, &script, Trouble { kind, at, on: false });
            // A deletion says nothing when it succeeds: whether the route is gone is looked for.
            assert_eq!(deletions(&calls), 2, "{said}");
            assert!(alive && said.contains(STOPPED), "{said}");
        }
    }
}

/// Whether the route is gone is seen in an answer that names its table, not in that there is none.
#[test]
fn done_is_said_only_when_the_routes_are_seen_to_be_gone() {
    let script = script_of("plain");
    for shell in shells() {
        let good = paste("plain", shell, &script, NONE).calls;
        let first = good.iter().position(|call| is(call, "delete-route")).unwrap() + 1;
        for at in first..=good.len() {
            for kind in ["fail", "empty"] {
                let Pasted { calls, alive, said } =
                    paste("plain", shell, &script, Trouble { kind, at, on: true });
                assert!(!said.contains("guardrail: done"), "{kind} at {at}: {said}");
                assert!(alive && said.contains(STOPPED), "{kind} at {at}: {said}");
                assert!(deletions(&calls) <= deletions(&good), "{said}");
            }
        }
    }
}

/// A route that leads elsewhere by now, or an endpoint that went away, is found before a deletion.
#[test]
fn what_is_not_as_it_was_judged_stops_the_script() {
    let script = script_of("plain");
    let swaps = [
        (" nat-0b1c2d3e4f5a60001\n", " nat-0b1c2d3e4f5a60009\n"),
        ("gr_begin 111122223333", "gr_begin 111122223334"),
        (
            "gr_leads rtb-0b1c2d3e4f5a60012 vpce-0b1c2d3e4f5a60032 &&",
            "gr_leads rtb-0b1c2d3e4f5a60012 vpce-0 &&",
        ),
        ("  gr_works vpce-0b1c2d3e4f5a60033 com", "  gr_works vpce-0b1c2d3e4f5a60033 net"),
    ];
    for shell in shells() {
        for (from, to) in swaps {
            assert!(script.contains(from), "{from}: {script}");
            let pasted = paste("plain", shell, &script.replace(from, to), NONE);
            assert_eq!(deletions(&pasted.calls), 0, "{to}: {}", pasted.said);
            assert!(pasted.alive && pasted.said.contains(STOPPED), "{to}: {}", pasted.said);
        }
    }
}

/// The shell reads to the last parenthesis before it runs anything.
#[test]
fn a_script_without_its_end_does_nothing() {
    let script = script_of("plain");
    let lines: Vec<&str> = script.trim_end().lines().collect();
    for shell in shells() {
        for kept in [lines.len() - 1, lines.len() - 2, lines.len() / 2, 3] {
            let part = lines[..kept].join("\n");
            assert_eq!(paste("plain", shell, &part, NONE).calls, Vec::<String>::new(), "{part}");
        }
    }
}

/// Without its beginning the lines run one by one in the reader's own shell, and a failure does not
/// end it. Nothing is deleted after it nevertheless.
#[test]
fn a_script_without_its_beginning_deletes_nothing_after_a_failure() {
    let script = script_of("plain");
    let lines: Vec<&str> = script.trim_end().lines().collect();
    let create = paste("plain", shells()[0], &script, NONE)
        .calls
        .iter()
        .position(|call| is(call, "create-vpc-endpoint"));
    let trouble = Trouble { kind: "fail", at: create.unwrap() + 1, on: true };
    for shell in shells() {
        for lost in (1..lines.len()).filter(|lost| *lost < 9 || lost % 4 == 0) {
            let part = lines[lost..].join("\n");
            let pasted = paste("plain", shell, &part, trouble);
            assert_eq!(deletions(&pasted.calls), 0, "{lost} lines lost: {}", pasted.said);
            assert!(pasted.alive || forgets(shell), "{lost} lines lost: {}", pasted.said);
        }
    }
}

/// The single commands of a report's steps, one a line: `command` of a plan, `undo` of a run.
fn single_commands(report: &Value, field: &str) -> String {
    let steps = report["steps"].as_array().unwrap();
    let commands = steps.iter().filter_map(|step| step[field].as_str());
    commands.collect::<Vec<_>>().join("\n")
}

/// Single commands know nothing of each other: a deletion insists on being told that what comes
/// before it is done.
#[test]
fn single_commands_that_are_pasted_together_delete_nothing() {
    let (plan, _) = guardrail("cdk", &["plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(plan.lines().next().unwrap()).unwrap();
    let run = run_in_one("plain");
    let fails_first = Trouble { kind: "fail", at: 1, on: false };
    for shell in shells() {
        for trouble in [NONE, fails_first] {
            let commands = single_commands(&plan, "command");
            assert_eq!(commands.matches("delete-route").count(), 3);
            let Pasted { calls, alive, said } = paste("cdk", shell, &commands, trouble);
            assert_eq!(deletions(&calls), 0, "{said}");
            assert!((alive || forgets(shell)) && !calls.is_empty(), "{said}");
        }
        let undo = single_commands(&run, "undo");
        let undo = undo.lines().rev().collect::<Vec<_>>().join("\n");
        let Pasted { calls, alive, said } = paste("plain", shell, &undo, fails_first);
        assert_eq!(changes(&calls), ["create-route"], "{said}");
        assert!(alive || forgets(shell), "{said}");
    }
}

#[test]
fn under_immediately_routes_go_where_the_plan_has_them() {
    let baseline = tempfile::NamedTempFile::new().unwrap();
    let text = r#"{"version": 1, "internet_routes": {"remove": "immediately"}}"#;
    std::fs::write(baseline.path(), text).unwrap();
    let path = baseline.path().to_str().unwrap();
    let (script, _) = guardrail("plain", &["plan", "--script", "--baseline", path]);
    for shell in shells() {
        let Pasted { calls, alive, said } = paste("plain", shell, &script, NONE);
        assert!(alive && said.contains("guardrail: done"), "{said}");
        let expected =
            ["delete-route", "create-vpc-endpoint", "modify-vpc-endpoint", "modify-vpc-endpoint"];
        assert_eq!(changes(&calls), expected);
    }
}

/// What undoes the run that a replay of the scenario makes.
fn undo_script_of(name: &str) -> String {
    run_in_one(name)["undo_script"].as_str().unwrap().to_owned()
}

/// The report of the run that a replay of the scenario makes, where nothing takes time to act and
/// nothing is left to a tool for a while.
fn run_in_one(name: &str) -> Value {
    let baseline = tempfile::NamedTempFile::new().unwrap();
    let text = r#"{"version": 1, "settling": {"minutes": 0, "dhcp_options_minutes": 0},
        "rules": {"interface-endpoint": {"grace_minutes": 0}}}"#;
    std::fs::write(baseline.path(), text).unwrap();
    let path = baseline.path().to_str().unwrap();
    let run = ["replay", "--mode", "repair", "--event", "event.json", "--format", "json"];
    let (said, _) = guardrail(name, &[run.as_slice(), &["--baseline", path]].concat());
    serde_json::from_str(said.lines().next().unwrap()).unwrap()
}

#[test]
fn undoing_puts_routes_back_before_it_takes_anything_away() {
    let script = undo_script_of("plain");
    for shell in shells() {
        let good = paste("plain", shell, &script, NONE);
        assert!(good.alive && good.said.contains("guardrail: done"), "{}", good.said);
        let made = changes(&good.calls);
        let expected =
            ["create-route", "modify-vpc-endpoint", "modify-vpc-endpoint", "delete-vpc-endpoints"];
        assert_eq!(made, expected);
        let is_back = good.calls.iter().position(|call| is(call, "modify-vpc-endpoint")).unwrap();
        for at in 1..=is_back {
            // A question that hung was ended, and may be asked again.
            let once = !is(&good.calls[at - 1], "describe-route-tables");
            for kind in ["fail", "empty", "hang"].into_iter().filter(|kind| once || *kind != "hang")
            {
                let trouble = Trouble { kind, at, on: kind != "hang" };
                // The route is not there before it is put back.
                let Pasted { calls, alive, said } = paste("cdk", shell, &script, trouble);
                let taken = changes(&calls).into_iter().filter(|name| *name != "create-route");
                assert_eq!(taken.count(), 0, "{kind} at {at}: {said}");
                assert!(alive && said.contains(STOPPED), "{kind} at {at}: {said}");
            }
        }
    }
}

/// The reports of the runs that a replay of the scenario makes, where names take their time.
fn runs_of(name: &str) -> Vec<Value> {
    let run = ["replay", "--mode", "repair", "--event", "event.json", "--format", "json"];
    let (said, _) = guardrail(name, &run);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The route that the second run over `plain` removes.
const LATER: &str = "route rtb-0b1c2d3e4f5a60012 0.0.0.0/0";

/// The VPC of `plain` once this leads to that route's target; to nothing where there is no route.
fn plain_with(target: &str) -> StandIn {
    let stand_in = StandIn::of("plain");
    stand_in.put(LATER, target);
    stand_in
}

/// The first run makes endpoints and keeps the route until their names have settled; the second
/// removes it. What the first made serves in the route's place from then on.
#[test]
fn what_a_run_made_stays_while_the_route_that_a_later_run_removed_is_gone() {
    let runs = runs_of("plain");
    let undo: Vec<&str> = runs.iter().filter_map(|run| run["undo_script"].as_str()).collect();
    assert_eq!((runs.len(), undo.len()), (2, 2));
    let taken = ["modify-vpc-endpoint", "modify-vpc-endpoint", "delete-vpc-endpoints"];
    for shell in shells() {
        for target in ["", "nat-0b1c2d3e4f5a60009"] {
            let first = paste_by(&plain_with(target), shell, undo[0], NONE);
            assert_eq!(changes(&first.calls), Vec::<&str>::new(), "{}", first.said);
            assert!(first.alive && first.said.contains(STOPPED), "{}", first.said);
            assert!(first.said.contains("undo that one first"), "{}", first.said);
        }
        let kept = paste("plain", shell, undo[0], NONE);
        assert!(kept.alive && kept.said.contains("guardrail: done"), "{}", kept.said);
        assert_eq!(changes(&kept.calls), taken);
        // The later run first, as the script asks for.
        let both = format!("{}{}", undo[1], undo[0]);
        let both = paste_by(&plain_with(""), shell, &both, NONE);
        assert_eq!(changes(&both.calls), [["create-route"].as_slice(), &taken].concat());
        assert!(!both.said.contains(STOPPED), "{}", both.said);
        // Single commands know nothing of each other, nor of the second run.
        let single = single_commands(&runs[0], "undo");
        let single = paste_by(&plain_with(""), shell, &single, NONE);
        assert_eq!(changes(&single.calls), Vec::<&str>::new(), "{}", single.said);
    }
}

/// Where the route is gone, nothing is taken away, whatever of the text is lost. Without its first
/// lines the rest runs line by line, in the reader's own shell.
#[test]
fn an_undo_script_that_came_over_in_part_takes_nothing_away() {
    let runs = runs_of("plain");
    let script = runs[0]["undo_script"].as_str().unwrap();
    let lines: Vec<&str> = script.trim_end().lines().collect();
    for shell in shells() {
        for lost in (0..lines.len()).filter(|lost| *lost < 9 || lost % 4 == 0) {
            let tail = lines[lost..].join("\n");
            let head = lines[..lost].join("\n");
            for part in [tail, head] {
                let pasted = paste_by(&plain_with(""), shell, &part, NONE);
                // A line that lost the one before it may call nothing in particular.
                let mut taken = changes(&pasted.calls);
                taken.retain(|operation| !operation.starts_with('-'));
                assert_eq!(taken, Vec::<&str>::new(), "{lost} lost: {}", pasted.said);
            }
        }
    }
}

#[test]
fn what_was_made_first_is_taken_away_last() {
    for shell in shells() {
        let script = undo_script_of("terraform-aws-vpc");
        let Pasted { calls, alive, said } = paste("terraform-aws-vpc", shell, &script, NONE);
        assert!(alive && said.contains("guardrail: done"), "{said}");
        let expected =
            ["delete-vpc-endpoints", "revoke-security-group-ingress", "delete-security-group"];
        assert_eq!(changes(&calls), expected);
    }
}

#[test]
fn what_there_is_nothing_to_script_of_is_a_comment_and_ends_as_the_plan_does() {
    for (name, says) in
        [("demo", "# Nothing to do for vpc-"), ("incomplete", "# No commands for vpc-")]
    {
        let (script, code) = guardrail(name, &["plan", "--script"]);
        assert!(script.starts_with(says), "{script}");
        assert!(script.lines().all(|line| line.starts_with('#')), "{script}");
        assert_eq!(code, guardrail(name, &["plan"]).1);
    }
    let (script, code) = guardrail("messy", &["plan", "--script"]);
    assert!(script.ends_with("# VPC vpc-0a6b7c8d9eaf10001: not managed, never changed.\n"));
    assert_eq!(code, Some(1));
}

#[test]
fn a_script_has_one_form() {
    let (script, code) = guardrail("plain", &["plan", "--script", "--format", "json"]);
    assert_eq!((script.as_str(), code), ("", Some(2)));
}
