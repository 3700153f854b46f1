//! The functions' figures, next to a plain Python function that does the same repair against the
//! same simulator.
//!
//! `cargo run --release -p e2e --bin bench` prints them. Times are of this machine, and other work
//! on it shows in them: what carries over is the ratios.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot measure ends"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use e2e::aws::FakeAws;
use e2e::pipeline::parts::{self, FUNCTIONS};
use e2e::process::{Answer, Function};
use guardrail_sim::Sim;
use guardrail_sim::http::{Server, ServerOptions};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const RUNS: usize = 15;
const LATENCY: Duration = Duration::from_millis(30);
const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:alerts";

fn main() {
    let parts = parts::parts();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let functions = FUNCTIONS.map(|name| (name, parts.built.join(name)));
        let python = python_function(&parts.folder, &parts.python);
        println!("medians of {RUNS} runs; one look at the same machine, so compare the columns, not the days\n");
        sizes(&functions, &parts.python);
        starts(&functions, &python).await;
        incidents(&parts.built.join("repair"), &python).await;
    });
}

/// The Python function as one program.
fn python_function(folder: &Path, python: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/repair.py");
    let program = folder.join("python-repair");
    std::fs::write(
        &program,
        format!("#!/bin/sh\nexec '{}' '{}'\n", python.display(), script.display()),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

fn sizes(functions: &[(&str, PathBuf)], python: &Path) {
    println!("zip, MiB (target: under 6)");
    for (name, binary) in functions {
        let zip = binary.with_extension("zip");
        let done = std::process::Command::new(python)
            .args(["-m", "zipfile", "-c"])
            .arg(&zip)
            .arg(binary)
            .status();
        assert!(done.unwrap().success());
        println!("  {name:8} {:6.2}", mib(std::fs::metadata(&zip).unwrap().len()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files are far below 2^52")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// From the process's start to its first request for an event: everything before is paid for at
/// each cold start.
async fn starts(functions: &[(&str, PathBuf)], python: &Path) {
    println!("\nstart to ready for the first event, ms (target: under 12)");
    let reference = median(start_times(python).await);
    for (name, binary) in functions {
        let time = median(start_times(binary).await);
        println!("  {name:8} {:6.1}   Python / Rust {:5.1}", ms(time), ms(reference) / ms(time));
    }
    println!("  Python   {:6.1}", ms(reference));
}

async fn start_times(binary: &Path) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let aws = FakeAws::start().await;
        let began = Instant::now();
        let mut function = start(binary, &aws, &aws.url).await;
        function.ready().await;
        times.push(began.elapsed());
    }
    times
}

async fn start(binary: &Path, aws: &FakeAws, ec2: &str) -> Function {
    // Without settling and grace, one run does all of it: otherwise the route goes in a later one.
    let baseline = r#"{"version": 1, "mode": "repair", "settling": {"minutes": 0},
        "rules": {"gateway-endpoint": {"grace_minutes": 0}}}"#;
    let queue = "https://sqs.eu-central-1.amazonaws.com/111122223333/vpcs.fifo";
    let variables = [
        ("AWS_ENDPOINT_URL_EC2", ec2),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("GUARDRAIL_BASELINE", baseline),
        ("GUARDRAIL_TOPIC_ARN", TOPIC),
        ("GUARDRAIL_QUEUE_URL", queue),
        ("GUARDRAIL_TABLE", "notes"),
    ];
    Function::start(binary.to_str().unwrap(), aws, &variables).await
}

/// A call that was answered.
struct Call {
    /// How long after the simulator's start it came.
    at: Duration,
    operation: String,
    is_of_ec2: bool,
    writes: bool,
}

/// What one incident took.
struct Incident {
    time: Duration,
    /// What the process had of a processor, its start included.
    cpu: Duration,
    peak_kib: u64,
    calls: Vec<Call>,
}

async fn incidents(rust: &Path, python: &Path) {
    println!(
        "\nstandard incident (NAT route added, S3 gateway endpoint gone), {} ms in each call",
        LATENCY.as_millis()
    );
    let (rust, python) = (measure(rust).await, measure(python).await);
    let median_of =
        |incidents: &[Incident]| median(incidents.iter().map(|incident| incident.time).collect());
    let peak_of = |incidents: &[Incident]| {
        incidents.iter().map(|incident| incident.peak_kib).max().unwrap_or(0)
    };
    let (rust_time, python_time) = (median_of(&rust), median_of(&python));
    println!(
        "  time, ms          Rust {:7.0}   Python {:7.0}   Python / Rust {:4.1}",
        ms(rust_time),
        ms(python_time),
        ms(python_time) / ms(rust_time)
    );
    let cpu_of =
        |incidents: &[Incident]| median(incidents.iter().map(|incident| incident.cpu).collect());
    let (rust_cpu, python_cpu) = (cpu_of(&rust), cpu_of(&python));
    println!(
        "  cold CPU, ms      Rust {:7.1}   Python {:7.1}   Python / Rust {:4.1}   (goal: 30)",
        ms(rust_cpu),
        ms(python_cpu),
        ms(python_cpu) / ms(rust_cpu)
    );
    let (rust_peak, python_peak) = (peak_of(&rust) * 1024, peak_of(&python) * 1024);
    println!(
        "  peak memory, MiB  Rust {:7.1}   Python {:7.1}   Python / Rust {:4.1}   (target: under 24)",
        mib(rust_peak),
        mib(python_peak),
        mib(python_peak) / mib(rust_peak)
    );
    for (name, incident, time) in
        [("Rust", &rust[0], rust_time), ("Python", &python[0], python_time)]
    {
        let waves = waves(&incident.calls);
        let first_write = incident.calls.iter().position(|call| call.writes).unwrap();
        let before = waves.iter().filter(|wave| **wave < first_write).count();
        let chain = LATENCY * u32::try_from(waves.len()).unwrap();
        let of_ec2 = incident.calls.iter().filter(|call| call.is_of_ec2).count();
        println!(
            "  {name:6}  {of_ec2} calls of EC2 and {} others in {} waves, {before} of them before the first write: a chain of {} ms; time / chain {:.2}{}",
            incident.calls.len() - of_ec2,
            waves.len(),
            chain.as_millis(),
            ms(time) / ms(chain),
            if name == "Rust" { " (target: under 1.3)" } else { "" }
        );
    }
    reads(&rust[0].calls);
}

/// How often a run made each read; more than its share has at once would have waited.
fn reads(calls: &[Call]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.is_of_ec2 && !call.writes) {
        *counts.entry(&call.operation).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.iter().map(|(operation, count)| format!("{operation} {count}")).collect();
    println!("  reads of EC2 (five of each at once, then one a second): {}", counts.join(", "));
}

async fn measure(binary: &Path) -> Vec<Incident> {
    let mut all = Vec::new();
    for _ in 0..RUNS {
        all.push(incident(binary).await);
    }
    all
}

async fn incident(binary: &Path) -> Incident {
    let aws = FakeAws::start_with_latency(LATENCY).await;
    let options = ServerOptions { latency: LATENCY, speed: 1, ..ServerOptions::default() };
    let server = Server::bind(broken(), options).await.unwrap();
    let bound = Instant::now();
    let url = format!("http://{}", server.address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.run_until(async {
        let _ = stopped.await;
    }));
    let mut function = start(binary, &aws, &url).await;
    function.ready().await;
    let began = Instant::now();
    let answer = function.invoke(&batch()).await;
    let time = began.elapsed();
    assert_eq!(answer, Answer::Response(json!({ "batchItemFailures": [] })));
    assert_eq!(aws.calls("Publish").len(), 1, "one alert");
    let (peak_kib, cpu) = (function.peak_kib(), function.cpu());
    let others = aws.times().into_iter().map(|(at, operation)| Call {
        at: at.saturating_duration_since(bound),
        operation,
        is_of_ec2: false,
        writes: false,
    });
    let mut calls = calls(&url).await;
    calls.extend(others);
    calls.retain(|call| call.at >= began.duration_since(bound));
    calls.sort_by_key(|call| call.at);
    let _ = stop.send(());
    let world = serving.await.unwrap().unwrap();
    let world = json!(world).to_string();
    assert!(
        !world.contains(r#""0.0.0.0/0","NatGatewayId""#),
        "the route is still there: {:?}",
        aws.calls("Publish")
    );
    Incident { time, cpu, peak_kib, calls }
}

/// Every call that the simulator has answered so far.
async fn calls(url: &str) -> Vec<Call> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET /_sim/calls HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let calls: Vec<Value> = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let call = |call: &Value| {
        let at: Timestamp = call["at"].as_str().unwrap().parse().unwrap();
        Call {
            // It is noted when the answer goes out.
            at: Duration::try_from(at.duration_since(Timestamp::UNIX_EPOCH))
                .unwrap()
                .saturating_sub(LATENCY),
            operation: call["operation"].as_str().unwrap().to_owned(),
            is_of_ec2: true,
            writes: call["write"] == true,
        }
    };
    calls.iter().map(call).collect()
}

/// The demo's world after a NAT route was added and the S3 endpoint deleted.
fn broken() -> Sim {
    let world = guardrail::ec2::world_file::load(include_str!(
        "../../../crates/guardrail-cli/scenarios/demo/world.json"
    ))
    .unwrap();
    let options = guardrail_sim::SimOptions {
        gateway_endpoint_ready: Duration::ZERO,
        ..guardrail_sim::SimOptions::default()
    };
    let mut sim = Sim::new(world, Timestamp::UNIX_EPOCH, options);
    for event in [
        include_str!("../../../events/CreateRoute.json"),
        include_str!("../../../events/DeleteVpcEndpoints.json"),
    ] {
        guardrail_sim::replay_call(&mut sim, &serde_json::from_str(event).unwrap());
    }
    sim.take_calls();
    sim
}

fn batch() -> Value {
    let scope = json!({"account": "111122223333", "region": "eu-central-1", "vpc": "vpc-0a1b2c3d4e5f60000"});
    let body = json!({"version": 1, "cause": "event", "incident": "bench", "evidence": [], "scope": scope});
    let attributes = json!({"MessageGroupId": "vpc", "ApproximateReceiveCount": "1"});
    json!({"Records": [{"messageId": "m-1", "body": body.to_string(), "attributes": attributes, "eventSource": "aws:sqs"}]})
}

/// The places in the list of calls at which a new wave begins: a call that came after an answer to
/// the one that began the wave before it.
fn waves(calls: &[Call]) -> Vec<usize> {
    let mut waves: Vec<usize> = Vec::new();
    for (place, call) in calls.iter().enumerate() {
        let since = waves.last().map(|last| call.at.saturating_sub(calls[*last].at));
        if since.is_none_or(|since| since >= LATENCY) {
            waves.push(place);
        }
    }
    waves
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
