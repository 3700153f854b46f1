//! A second opinion: moto, another stand-in for EC2, by other authors, answers the same calls on
//! the same network alike. The scenarios are those that moto gets right; `moto/scenarios.py` says
//! what it does not.
//!
//! The network is made in moto, and loaded from what moto prints of it: world files of a producer
//! that is not ours.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use e2e::pipeline::parts::python;
use guardrail::ec2::world::World;
use guardrail::ec2::world_file;
use guardrail_sim::http::{Server, ServerOptions};
use guardrail_sim::{Sim, SimOptions};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Nothing takes this long; what hangs must end the test.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn moto_and_the_simulator_answer_alike() {
    let python =
        python(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto"), &own("moto/requirements.txt"));
    let (moto, moto_url) = start_moto(&python).await;
    let outputs = tempfile::tempdir().unwrap();
    scenarios(&python, &moto_url, &["build", outputs.path().to_str().unwrap()]).await;

    let sim = Sim::new(
        world(outputs.path()),
        "2026-11-22T12:00:00Z".parse().unwrap(),
        SimOptions::default(),
    );
    let server = Server::bind(sim, ServerOptions::default()).await.unwrap();
    let sim_url = format!("http://{}", server.address());
    tokio::spawn(server.run());

    let of_moto = scenarios(&python, &moto_url, &["run"]).await;
    let of_sim = scenarios(&python, &sim_url, &["run"]).await;
    drop(moto);
    let differences = differences(&of_moto, &of_sim);
    assert!(of_moto.lines().count() > 150, "hardly anything was called:\n{of_moto}");
    assert!(
        differences.is_empty(),
        "{} answers differ:\n\n{}",
        differences.len(),
        differences.join("\n\n")
    );
}

/// A file of this package.
fn own(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What moto printed, each command's output a file.
fn world(outputs: &Path) -> World {
    let mut files: Vec<PathBuf> =
        fs::read_dir(outputs).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let stem = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    let read = |file: &PathBuf| vec![(stem(file), fs::read_to_string(file).unwrap())];
    world_file::merge(files.iter().map(read).collect()).unwrap()
}

/// The calls that were answered differently; those to which one gave no answer at all are among
/// them.
fn differences(moto: &str, sim: &str) -> Vec<String> {
    let (moto, sim): (Vec<&str>, Vec<&str>) = (moto.lines().collect(), sim.lines().collect());
    let pairs = (0..moto.len().max(sim.len())).map(|n| (line(moto.get(n)), line(sim.get(n))));
    pairs
        .filter(|(moto, sim)| moto != sim)
        .map(|(moto, sim)| format!("moto: {moto}\n sim: {sim}"))
        .collect()
}

/// A line in terms of the world model: what it does not read is no difference.
fn line(text: Option<&&str>) -> Value {
    let Some(text) = text else { return Value::Null };
    let mut line: Value = serde_json::from_str(text).unwrap();
    if let Some(world) = line.get_mut("world") {
        *world = serde_json::to_value(world_file::load(&world.to_string()).unwrap()).unwrap();
        sort(world);
    }
    line
}

/// EC2 promises no order in any list.
fn sort(value: &mut Value) {
    match value {
        Value::Array(all) => {
            all.iter_mut().for_each(sort);
            all.sort_by_key(Value::to_string);
        }
        Value::Object(fields) => fields.values_mut().for_each(sort),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

async fn scenarios(python: &Path, url: &str, task: &[&str]) -> String {
    run(Command::new(python).env_clear().arg(own("moto/scenarios.py")).arg(url).args(task)).await
}

/// A moto on a free port, which ends when the handle is dropped.
async fn start_moto(python: &Path) -> (Child, String) {
    let mut moto = Command::new(python)
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
        .env_clear()
        .env("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(moto.stderr.take().unwrap()).lines();
    let url = timeout(PATIENCE, async {
        loop {
            let line = said.next_line().await.unwrap().expect("moto ended instead of starting");
            if let Some((_, url)) = line.split_once("Running on ") {
                return url.trim().to_owned();
            }
        }
    });
    let url = url.await.expect("moto should start within a minute");
    // It writes a line for each call, and would wait for a reader.
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    (moto, url)
}

/// What a command printed, once it ended well.
async fn run(command: &mut Command) -> String {
    let output = timeout(PATIENCE, command.kill_on_drop(true).output())
        .await
        .expect("it should not hang")
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
