//! The stack as processes in one test: the real functions, the simulator for EC2, SQS's and
//! Lambda's stand-in between them, a table that only remembers, and a topic that takes all. What
//! CloudTrail records goes to detect, the queue's messages to two processes of repair at most, as
//! Lambda's poller hands them out; sweep and clock run when told. A process that is killed is started
//! again. Time goes faster than real time, and can be set forward for all of them at once.

#![expect(clippy::panic, reason = "what is not as it should be ends the test")]

mod clock;
mod gateway;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use guardrail::ec2::world::World;
use guardrail_sim::http::{Events, Mishaps, Server, ServerOptions};
use guardrail_sim::queue::http::{Queues, SqsServer, SqsServerOptions};
use guardrail_sim::queue::{
    DeadLetter, EventSourceMapping, Invocation, MappingOptions, QueueOptions, Sender, Senders, Sqs,
};
use guardrail_sim::{Sim, SimOptions};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use crate::dynamodb::Items;
use crate::http::{Reply, ask, serve};
use crate::pipeline::parts;
use crate::process::{Answer, Function};

use clock::Clock;
use gateway::{Gateway, Shared, State};

pub use gateway::{Kill, Made, Which};

/// The account and Region of the scenarios.
pub const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-central-1";
const QUEUE: &str = "vpcs.fifo";
const DEAD: &str = "dead.fifo";
const UNREADABLE: &str = "unreadable";
/// The role that the simulator's CloudTrail names for temporary credentials.
const REPAIR_ROLE: &str = "arn:aws:iam::111122223333:role/sim-role";
/// "Maximum concurrency" of the template, and its time-outs.
const REPAIRS_AT_ONCE: usize = 2;
const TIMEOUT: Duration = Duration::from_secs(300);
const SWEEP_TIMEOUT: Duration = Duration::from_secs(120);
/// Nothing takes this long to come to rest; what hangs must end the test.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a stack is made of.
#[derive(Debug)]
pub struct Options {
    /// The network.
    pub world: World,
    /// How long EC2 takes, and whether its buckets apply.
    pub ec2: SimOptions,
    /// What happens to events on their way.
    pub mishaps: Mishaps,
    /// The baseline, as JSON.
    pub baseline: Value,
    /// How much faster than real time all of it goes.
    pub speed: u32,
}

/// An alert that the topic took.
#[derive(Debug, Clone)]
pub struct Published {
    /// Which of all calls of the functions it was.
    pub number: usize,
    /// The report.
    pub report: Value,
}

/// The stack, at work until it is dropped.
#[derive(Debug)]
pub struct Stack {
    shared: Arc<Shared>,
    queues: Queues,
    clock: Clock,
    mapping: Mutex<EventSourceMapping>,
    sweep: AsyncMutex<Function>,
    /// Events that came, and those that detect has dealt with.
    came: AtomicUsize,
    detected: AtomicUsize,
    lines: Mutex<Vec<(&'static str, String)>>,
    built: PathBuf,
    _folder: TempDir,
    variables: BTreeMap<String, String>,
}

impl Stack {
    /// Starts it.
    pub async fn start(options: Options) -> Arc<Self> {
        let folder = TempDir::new().unwrap();
        let clock = Clock::in_folder(folder.path(), options.speed);
        let (come, events) = mpsc::unbounded_channel();
        let receiver = serve(move |request| {
            come.send(serde_json::from_str::<Value>(&request.body).unwrap()).unwrap();
            async { Reply { status: 200, headers: String::new(), body: String::new() } }
        });
        let to: Events = format!("http://{}/", receiver.await).parse().unwrap();
        let served = ServerOptions {
            speed: options.speed,
            events: Some(to),
            mishaps: options.mishaps,
            ..ServerOptions::default()
        };
        let sim = Sim::new(options.world, clock.now(), options.ec2);
        let ec2 = Server::bind(sim, served).await.unwrap();
        let sqs = queues(clock.now(), options.speed).await;
        let (ec2_at, sqs_at, queues) = (ec2.address(), sqs.address(), sqs.queues());
        let variables = variables(&options.baseline, sqs_at, &clock);
        tokio::spawn(ec2.run());
        tokio::spawn(sqs.run_until(std::future::pending()));
        let shared =
            Arc::new(Shared { ec2: ec2_at, sqs: sqs_at, state: Mutex::new(State::default()) });
        let built = parts::functions();
        let (_, url) = Gateway::open("sweep", Arc::clone(&shared)).await;
        let sweep = function(&built, "sweep", &url, &variables).await;
        let stack = Arc::new(Self {
            mapping: Mutex::new(queues.with(mapping)),
            shared,
            queues,
            clock,
            sweep: AsyncMutex::new(sweep),
            came: AtomicUsize::new(0),
            detected: AtomicUsize::new(0),
            lines: Mutex::default(),
            built,
            _folder: folder,
            variables,
        });
        tokio::spawn(Arc::clone(&stack).detect(events));
        for _ in 0..REPAIRS_AT_ONCE {
            tokio::spawn(Arc::clone(&stack).repair());
        }
        stack
    }

    async fn function(&self, name: &'static str, url: &str) -> Function {
        function(&self.built, name, url, &self.variables).await
    }

    /// Gives detect each event that the rule is for; what it fails at it gets three times.
    async fn detect(self: Arc<Self>, mut events: mpsc::UnboundedReceiver<Value>) {
        let (_, url) = Gateway::open("detect", Arc::clone(&self.shared)).await;
        let mut detect = self.function("detect", &url).await;
        while let Some(event) = events.recv().await {
            self.came.fetch_add(1, Ordering::SeqCst);
            let record = guardrail::event::decode(&event).unwrap().record;
            for _ in 0..if record.watched && !record.failed { 3 } else { 0 } {
                match detect.invoke_until(&event, self.deadline(Duration::from_secs(30))).await {
                    Answer::Response(_) => break,
                    Answer::Error(kind, why) => self.note("detect", format!("{kind}: {why}")),
                }
            }
            self.detected.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// One of repair's processes, and its successors.
    async fn repair(self: Arc<Self>) {
        let (gateway, url) = Gateway::open("repair", Arc::clone(&self.shared)).await;
        let mut repair = self.function("repair", &url).await;
        loop {
            let batch = self.queues.with(|sqs, now| self.mapping.lock().unwrap().poll(sqs, now));
            let Some(batch) = batch else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let deadline = self.deadline(TIMEOUT);
            let answer = repair.invoke_or_kill(batch.event(), deadline, &gateway.kill).await;
            let ended = match answer {
                Some(Answer::Response(answer)) => Invocation::Answered(answer.to_string()),
                Some(Answer::Error(kind, why)) => {
                    self.note("repair", format!("{kind}: {why}"));
                    Invocation::Failed
                }
                None => {
                    let successor = self.function("repair", &url).await;
                    let (_, lines) = std::mem::replace(&mut repair, successor).ended().await;
                    lines.into_iter().for_each(|line| self.note("repair, killed", line));
                    gateway.revive();
                    Invocation::Failed
                }
            };
            self.queues.with(|sqs, now| {
                self.mapping.lock().unwrap().ended(sqs, batch, &ended, now);
            });
        }
    }

    fn note(&self, who: &'static str, line: String) {
        self.lines.lock().unwrap().push((who, line));
    }

    /// What was noted of the functions: their errors, and what killed ones wrote.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        self.lines.lock().unwrap().clone()
    }

    fn deadline(&self, timeout: Duration) -> u64 {
        let end = self.now().checked_add(timeout).unwrap();
        u64::try_from(end.as_millisecond()).unwrap()
    }

    /// The time for all of them.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sets the time forward, for all of them.
    pub async fn advance(&self, time: Duration) {
        self.clock.advance(time);
        self.queues.advance(time);
        let path = format!("/_sim/advance?seconds={}", time.as_secs());
        self.sim("POST", &path).await;
    }

    async fn sim(&self, method: &str, path: &str) -> Value {
        let (status, body) = ask(self.shared.ec2, method, path, "none", "").await.unwrap();
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// What the simulator says of itself: `world`, `calls`, `buckets`, `status`.
    pub async fn ask_sim(&self, what: &str) -> Value {
        self.sim("GET", &format!("/_sim/{what}")).await
    }

    /// The next calls of an operation fail with this code, or with the code `lost` lose their answer.
    pub async fn fault(&self, operation: &str, code: &str, times: usize) {
        let path = format!("/_sim/fault?operation={operation}&code={code}&times={times}");
        self.sim("POST", &path).await;
    }

    /// A call to EC2 that somebody at a keyboard makes: status and body, and nothing where the answer
    /// was lost.
    pub async fn ec2(&self, action: &str, fields: &[(&str, &str)]) -> Option<(u16, String)> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", "2016-11-15")
            .extend_pairs(fields)
            .finish();
        ask(self.shared.ec2, "POST", "/", "AKIASOMEBODY", &body).await
    }

    /// Invokes sweep as its schedule does.
    ///
    /// # Errors
    /// The function's.
    pub async fn sweep(&self) -> Result<(), String> {
        self.invoke_sweep(&json!({})).await
    }

    /// Invokes sweep as its schedule of each minute does.
    ///
    /// # Errors
    /// The function's.
    pub async fn clock(&self) -> Result<(), String> {
        self.invoke_sweep(&json!({ "clock": true })).await
    }

    async fn invoke_sweep(&self, event: &Value) -> Result<(), String> {
        let mut sweep = self.sweep.lock().await;
        match sweep.invoke_until(event, self.deadline(SWEEP_TIMEOUT)).await {
            Answer::Response(_) => Ok(()),
            Answer::Error(kind, why) => {
                let error = format!("{kind}: {why}");
                self.note("sweep", error.clone());
                Err(error)
            }
        }
    }

    /// The most memory that sweep has had in use, in KiB.
    pub async fn sweep_peak_kib(&self) -> u64 {
        self.sweep.lock().await.peak_kib()
    }

    /// Waits until every event has come and was dealt with, and the queue has nothing to hand out.
    pub async fn quiet(&self) {
        let end = Instant::now() + PATIENCE;
        let mut times = 0;
        while times < 3 {
            assert!(Instant::now() < end, "the stack does not come to rest: {:?}", self.lines());
            tokio::time::sleep(Duration::from_millis(50)).await;
            times = if self.is_quiet().await { times + 1 } else { 0 };
        }
    }

    async fn is_quiet(&self) -> bool {
        let status = self.ask_sim("status").await;
        let count = |name: &str| {
            let count = status.pointer(&format!("/events/{name}")).and_then(Value::as_u64);
            usize::try_from(count.unwrap()).unwrap()
        };
        let expected = count("sent") - count("lost") + count("repeated");
        let detected = self.detected.load(Ordering::SeqCst);
        expected == detected && self.mapping.lock().unwrap().running() == 0
    }

    /// Has a process of repair killed.
    pub fn kill(&self, kill: Kill) {
        self.state(|state| state.kill = Some(kill));
    }

    /// Whether a process is still to be killed; from now on none is.
    pub fn take_kill(&self) -> Option<Kill> {
        self.state(|state| state.kill.take())
    }

    /// The kills that happened, each with the call that it happened at.
    pub fn kills(&self) -> Vec<(Kill, String)> {
        self.state(|state| state.kills.clone())
    }

    /// The table refuses so many of repair's next calls.
    pub fn refuse_table_calls(&self, count: usize) {
        self.state(|state| state.refused_table_calls = count);
    }

    /// The topic refuses so many alerts.
    pub fn refuse_alerts(&self, count: usize) {
        self.state(|state| state.refused_alerts = count);
    }

    /// How many calls table and topic have refused.
    pub fn refusals(&self) -> usize {
        self.state(|state| state.refusals)
    }

    /// Does this with what the table holds.
    pub fn table<T>(&self, with: impl FnOnce(&mut Items) -> T) -> T {
        self.state(|state| with(&mut state.items))
    }

    /// The calls that the functions have made so far.
    pub fn made(&self) -> Vec<Made> {
        self.state(|state| state.made.clone())
    }

    /// How many those are.
    pub fn made_so_far(&self) -> usize {
        self.state(|state| state.made.len())
    }

    /// The alerts that the topic took.
    pub fn published(&self) -> Vec<Published> {
        let made = self.made();
        let taken = made
            .iter()
            .enumerate()
            .filter(|(_, made)| made.call.action == "Publish" && made.status == Some(200));
        let text =
            |value: &Value| -> Value { serde_json::from_str(value.as_str().unwrap()).unwrap() };
        taken
            .map(|(number, made)| {
                let message = text(made.call.input.get("Message").unwrap());
                Published { number, report: text(message.get("default").unwrap()) }
            })
            .collect()
    }

    /// Every queue by its name, with its counts and messages.
    pub fn queues(&self) -> BTreeMap<String, Value> {
        let state = self.queues.with(|sqs, now| sqs.state(now));
        serde_json::from_value(state).unwrap()
    }

    fn state<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.shared.state.lock().unwrap())
    }
}

async fn function(
    built: &std::path::Path,
    name: &'static str,
    url: &str,
    variables: &BTreeMap<String, String>,
) -> Function {
    let variables = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // A role has temporary credentials; which role it is, the queue's policy asks.
    let key = format!("ASIA{}", name.to_uppercase());
    let own = [("AWS_ACCESS_KEY_ID", key.as_str())];
    // No two requests have the same id, in whatever process.
    static PROCESSES: AtomicUsize = AtomicUsize::new(1);
    let requests = format!("{name}-{}", PROCESSES.fetch_add(1, Ordering::SeqCst));
    Function::start_at(built.join(name), &requests, url, variables.chain(own)).await
}

/// What the template gives the functions.
fn variables(baseline: &Value, sqs: SocketAddr, clock: &Clock) -> BTreeMap<String, String> {
    let url = |queue: &str| format!("http://{sqs}/{ACCOUNT}/{queue}");
    let of_the_stack = [
        ("GUARDRAIL_BASELINE", baseline.to_string()),
        ("GUARDRAIL_QUEUE_URL", url(QUEUE)),
        ("GUARDRAIL_UNREADABLE_URL", url(UNREADABLE)),
        ("GUARDRAIL_TABLE", "history".to_owned()),
        ("GUARDRAIL_TOPIC_ARN", format!("arn:aws:sns:{REGION}:{ACCOUNT}:alerts")),
        ("GUARDRAIL_REPAIR_ROLE_ARN", REPAIR_ROLE.to_owned()),
        ("GUARDRAIL_DETECT_ROLE_ID", "AROADETECT".to_owned()),
        ("GUARDRAIL_ALERTS_PER_HOUR", "1000".to_owned()),
        ("GUARDRAIL_STACK", "guardrail".to_owned()),
    ];
    let of_the_stack = of_the_stack.map(|(name, value)| (name.to_owned(), value));
    of_the_stack.into_iter().chain(clock.variables()).collect()
}

/// The template's queues, and who sends with which key.
async fn queues(now: Timestamp, speed: u32) -> SqsServer {
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let sender = |name: &str| Sender {
        principal: role(name),
        id: format!("AROA{}:{name}", name.to_uppercase()),
    };
    let mut sqs = Sqs::new(ACCOUNT, REGION);
    sqs.create(UNREADABLE, QueueOptions::default(), now).unwrap();
    sqs.create(DEAD, QueueOptions::default(), now).unwrap();
    let options = QueueOptions {
        visibility_timeout: Duration::from_secs(1800),
        dead_letter: Some(DeadLetter { queue: DEAD.to_owned(), max_receive_count: 12 }),
        senders: Senders::Only(vec![role("detect"), role("sweep")]),
        ..QueueOptions::default()
    };
    sqs.create(QUEUE, options, now).unwrap();
    let senders = ["detect", "sweep", "repair"];
    let senders = senders.map(|name| (format!("ASIA{}", name.to_uppercase()), sender(name)));
    let options =
        SqsServerOptions { speed, senders: senders.into(), ..SqsServerOptions::default() };
    SqsServer::bind(sqs, now, options).await.unwrap()
}

fn mapping(sqs: &mut Sqs, now: Timestamp) -> EventSourceMapping {
    let options = MappingOptions {
        queue: QUEUE.to_owned(),
        batch_size: 10,
        maximum_concurrency: Some(REPAIRS_AT_ONCE),
        report_batch_item_failures: true,
        function_timeout: TIMEOUT,
    };
    EventSourceMapping::new(sqs, options, now).unwrap_or_else(|why| panic!("{why:?}"))
}
