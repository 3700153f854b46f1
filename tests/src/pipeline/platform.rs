//! ministack in the place of AWS, and calls to it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::parts::{parts, repository};
use super::wait_until;

/// The account and the Region of every world that is played here.
pub const ACCOUNT: &str = "111122223333";
/// As above.
pub const REGION: &str = "eu-central-1";

/// A ministack with the functions' processes, and a process that calls it.
#[derive(Debug)]
pub struct Platform {
    /// Where it listens.
    pub url: String,
    server: Child,
    calls: Mutex<Calls>,
    log: PathBuf,
}

#[derive(Debug)]
struct Calls {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Platform {
    /// Starts it, with `variables` for it and for the functions.
    pub fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let log = folder.join("ministack.log");
        let mut server = python("start.py", variables)
            .env("TMPDIR", folder)
            .stderr(File::create(&log).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let address = format!("127.0.0.1:{}", port.trim());
        wait_until("ministack answers", || {
            let ended = server.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "ministack ended: {}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
            TcpStream::connect(&address).ok()
        });
        let url = format!("http://{address}");
        let mut child = python("aws.py", variables).env("AWS_ENDPOINT_URL", &url).spawn().unwrap();
        let (to, from) =
            (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { url, server, calls: Mutex::new(Calls { child, to, from }), log }
    }

    /// A call to AWS, by boto3's names.
    ///
    /// # Errors
    /// AWS's error.
    pub fn call(&self, service: &str, operation: &str, parameters: &Value) -> Result<Value, Value> {
        let call = json!({ "service": service, "operation": operation, "parameters": parameters });
        let mut calls = self.calls.lock().unwrap();
        writeln!(calls.to, "{call}").unwrap();
        let mut line = String::new();
        calls.from.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Kills the processes of a function that it has started: how many there were.
    pub(crate) fn kill(&self, function: &Path) -> usize {
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let process: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let runs = std::fs::read_link(format!("/proc/{process}/exe")).ok()?;
            (runs == function && self.has_started(process)).then_some(process)
        });
        let killed = processes.map(|process| {
            let status = Command::new("kill").args(["-9", &process.to_string()]).status();
            assert!(status.unwrap().success());
        });
        killed.count()
    }

    /// Whether a process descends from ministack.
    fn has_started(&self, mut process: u32) -> bool {
        while process > 1 && process != self.server.id() {
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else {
                return false;
            };
            // The name before it may have spaces and brackets.
            let after_name = stat.rsplit(')').next().unwrap_or_default();
            let Some(parent) = after_name.split_whitespace().nth(1) else { return false };
            process = parent.parse().unwrap();
        }
        process == self.server.id()
    }

    /// The end of ministack's own log.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(60)).map(|line| format!("{line}\n")).collect()
    }
}

/// Both end when their standard input does; ministack takes the functions with it.
impl Drop for Platform {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let end = Instant::now() + Duration::from_secs(10);
        while matches!(self.server.try_wait(), Ok(None)) {
            if Instant::now() > end {
                let _ = self.server.kill();
            }
            thread::sleep(Duration::from_millis(10));
        }
        if let Ok(calls) = self.calls.get_mut() {
            let _ = calls.child.kill();
            let _ = calls.child.wait();
        }
    }
}

/// Nothing of the machine's own configuration of AWS gets through.
fn python(script: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(&parts().python);
    command
        .arg(repository().join("tests/local").join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let configured = std::env::vars_os().map(|(name, _)| name);
    configured.filter(|name| name.to_string_lossy().starts_with("AWS_")).for_each(|name| {
        command.env_remove(name);
    });
    command
        .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
        .envs([
            ("MINISTACK_REGION", REGION),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
        ])
        .envs([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ])
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(variables.iter().copied());
    command
}
