//! A function as a process, under a stand-in for Lambda's Runtime API
//! (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

use std::ffi::OsStr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::aws::FakeAws;
use crate::http::{Reply, Request, serve};

/// Nothing takes this long; what hangs must end the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest that the template lets a function run.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(300);

/// What a function made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its result.
    Response(Value),
    /// An error, with its type and message.
    Error(String, String),
}

/// A running function.
#[derive(Debug)]
pub struct Function {
    child: Child,
    lines: JoinHandle<Vec<String>>,
    events: mpsc::Sender<Invocation>,
    answers: mpsc::Receiver<Answer>,
    asked: watch::Receiver<usize>,
    invoked: usize,
}

#[derive(Debug)]
struct Invocation {
    number: usize,
    event: String,
    deadline: u64,
}

impl Function {
    /// Starts a function's binary on this AWS, with these variables besides Lambda's own.
    pub async fn start(binary: &str, aws: &FakeAws, variables: &[(&str, &str)]) -> Self {
        Self::start_at(binary, "request", &aws.url, variables.iter().copied()).await
    }

    /// Starts a function's binary where AWS has this URL, with these variables besides Lambda's own.
    /// The ids of its requests begin so.
    pub async fn start_at(
        binary: impl AsRef<OsStr>,
        requests: &str,
        aws: &str,
        variables: impl IntoIterator<Item = (&str, &str)>,
    ) -> Self {
        let (events, next) = mpsc::channel(1);
        let (answer, answers) = mpsc::channel(1);
        let (ask, asked) = watch::channel(0);
        let requests = requests.to_owned();
        let api = Arc::new(Api { requests, next: Mutex::new(next), answer, ask });
        let address = serve(move |request| {
            let api = Arc::clone(&api);
            async move { api.reply(&request).await }
        });
        let mut child = Command::new(binary)
            .env_clear()
            .envs(lambda_variables())
            .env("AWS_LAMBDA_RUNTIME_API", address.await)
            .env("AWS_ENDPOINT_URL", aws)
            .envs(variables)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = tokio::spawn(async move {
            let mut lines = Vec::new();
            while let Ok(Some(line)) = stdout.next_line().await {
                lines.push(line);
            }
            lines
        });
        Self { child, lines, events, answers, asked, invoked: 0 }
    }

    /// Waits until the function asks for its next event.
    pub async fn ready(&mut self) {
        let wanted = self.invoked + 1;
        timeout(PATIENCE, self.asked.wait_for(|asked| *asked >= wanted)).await.unwrap().unwrap();
    }

    /// One event, in an invocation of five minutes.
    pub async fn invoke(&mut self, event: &Value) -> Answer {
        let end = SystemTime::now() + Duration::from_secs(300);
        let deadline = end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        self.invoke_until(event, u64::try_from(deadline).unwrap()).await
    }

    /// One event, in an invocation that ends at this millisecond since the epoch.
    pub async fn invoke_until(&mut self, event: &Value, deadline: u64) -> Answer {
        self.ready().await;
        self.invoked += 1;
        let invocation = Invocation { number: self.invoked, event: event.to_string(), deadline };
        self.events.send(invocation).await.unwrap();
        timeout(FUNCTION_TIMEOUT, self.answers.recv()).await.unwrap().unwrap()
    }

    /// One event, in an invocation that ends at this millisecond since the epoch; nothing where the
    /// process is killed before it answers.
    pub async fn invoke_or_kill(
        &mut self,
        event: &Value,
        deadline: u64,
        kill: &Notify,
    ) -> Option<Answer> {
        self.ready().await;
        self.invoked += 1;
        let invocation = Invocation { number: self.invoked, event: event.to_string(), deadline };
        self.events.send(invocation).await.unwrap();
        tokio::select! {
            biased;
            () = kill.notified() => {
                self.child.kill().await.unwrap();
                None
            }
            answer = timeout(FUNCTION_TIMEOUT, self.answers.recv()) => Some(answer.unwrap().unwrap()),
        }
    }

    /// Ends the function, once it waits for an event; the lines it wrote, each one JSON object.
    pub async fn end(mut self) -> Vec<Value> {
        self.ready().await;
        self.child.kill().await.unwrap();
        self.lines.await.unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The most memory the process has had in use so far, in KiB (Linux counts it as `VmHWM`).
    pub fn peak_kib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// How long the process has had a processor so far.
    pub fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id().unwrap()));
        let times = threads.unwrap().map(|thread| {
            let times = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
            times.split_whitespace().next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(times.sum())
    }

    /// Closes the other end of the function's standard output: from now on, what prints there
    /// panics.
    pub async fn stop_listening(&mut self) {
        self.ready().await;
        self.lines.abort();
        let _ = (&mut self.lines).await;
    }

    /// Waits until the function ends by itself; whether well, and the lines it wrote.
    pub async fn ended(mut self) -> (bool, Vec<String>) {
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        (status.success(), self.lines.await.unwrap())
    }
}

fn lambda_variables() -> [(&'static str, &'static str); 9] {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "not a secret"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
}

struct Api {
    requests: String,
    next: Mutex<mpsc::Receiver<Invocation>>,
    answer: mpsc::Sender<Answer>,
    ask: watch::Sender<usize>,
}

impl Api {
    async fn reply(&self, request: &Request) -> Reply {
        if request.method == "GET" {
            return self.hand_out().await;
        }
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let answer = match request.path.ends_with("/error") {
            true => Answer::Error(text("errorType"), text("errorMessage")),
            false => Answer::Response(body),
        };
        self.answer.send(answer).await.unwrap();
        Reply { status: 202, headers: String::new(), body: String::new() }
    }

    async fn hand_out(&self) -> Reply {
        let mut next = self.next.lock().await;
        self.ask.send_modify(|asked| *asked += 1);
        let Some(Invocation { number, event, deadline }) = next.recv().await else {
            return Reply { status: 500, headers: String::new(), body: String::new() };
        };
        let arn = "arn:aws:lambda:eu-central-1:111122223333:function:function";
        let requests = &self.requests;
        let headers = format!(
            "content-type: application/json\r\nlambda-runtime-aws-request-id: {requests}-{number}\r\n\
             lambda-runtime-deadline-ms: {deadline}\r\nlambda-runtime-invoked-function-arn: {arn}\r\n"
        );
        Reply { status: 200, headers, body: event }
    }
}
