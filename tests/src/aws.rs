//! A stand-in for AWS on one port that gives canned answers and remembers what it was asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::dynamodb::Items;
use crate::http::{Reply, Request, serve};

/// A call to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The operation.
    pub action: String,
    /// What it was given: the fields of a form, or the JSON.
    pub input: Value,
}

/// The stand-in. It knows one managed VPC, `vpc-0a1` of account 111122223333 in eu-central-1, takes
/// every message, and gives an empty answer to what it does not know.
#[derive(Debug, Clone)]
pub struct FakeAws {
    /// Where it listens.
    pub url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    answers: BTreeMap<String, (u16, String)>,
    items: Items,
    calls: Vec<(Instant, Call)>,
}

impl FakeAws {
    /// Starts it.
    pub async fn start() -> Self {
        Self::start_with_latency(Duration::ZERO).await
    }

    /// Starts one that takes so long over each answer.
    pub async fn start_with_latency(latency: Duration) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        let address = serve(move |request| {
            let reply = answer(&request, &mut shared.lock().unwrap());
            async move {
                tokio::time::sleep(latency).await;
                reply
            }
        });
        let aws = Self { url: format!("http://{}", address.await), state };
        aws.learn_vpc();
        aws.on("SendMessage", 200, r#"{"MessageId":"m"}"#);
        aws.on("ChangeMessageVisibilityBatch", 200, r#"{"Successful":[],"Failed":[]}"#);
        aws.on("SendMessageBatch", 200, r#"{"Successful":[],"Failed":[]}"#);
        aws.on(
            "Publish",
            200,
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
        );
        aws
    }

    /// From now on this operation is answered so.
    pub fn on(&self, action: &str, status: u16, body: &str) {
        self.state.lock().unwrap().answers.insert(action.to_owned(), (status, body.to_owned()));
    }

    /// From now on this operation is answered as at the beginning.
    pub fn forget(&self, action: &str) {
        self.state.lock().unwrap().answers.remove(action);
    }

    /// Does this with what the table holds.
    pub fn table<T>(&self, with: impl FnOnce(&mut Items) -> T) -> T {
        with(&mut self.state.lock().unwrap().items)
    }

    /// From now on this parameter's value is `value`.
    pub fn store(&self, value: &str) {
        self.on("GetParameter", 200, &json!({ "Parameter": { "Value": value } }).to_string());
    }

    /// The calls of this operation so far.
    pub fn calls(&self, action: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state
            .calls
            .iter()
            .filter(|(_, call)| call.action == action)
            .map(|(_, call)| call.input.clone())
            .collect()
    }

    /// Every operation asked for so far, and when.
    pub fn times(&self) -> Vec<(Instant, String)> {
        let state = self.state.lock().unwrap();
        state.calls.iter().map(|(at, call)| (*at, call.action.clone())).collect()
    }

    /// The operations asked for so far, but for those that read the network or the configuration, and
    /// for those of the table.
    pub fn actions(&self) -> Vec<String> {
        let reads = |action: &str| {
            ["Describe", "Get"]
                .iter()
                .chain(&Items::OPERATIONS)
                .any(|name| action.starts_with(name))
        };
        let state = self.state.lock().unwrap();
        state
            .calls
            .iter()
            .map(|(_, call)| call.action.clone())
            .filter(|action| !reads(action))
            .collect()
    }

    /// The entries of every batch of messages sent so far.
    pub fn queued(&self) -> Vec<Value> {
        let batches = self.calls("SendMessageBatch");
        batches
            .iter()
            .flat_map(|batch| {
                batch.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default()
            })
            .collect()
    }

    fn learn_vpc(&self) {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/guardrail-aws/tests/wire/vpc");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let action = path.file_stem().unwrap().to_string_lossy().into_owned();
            self.on(&action, 200, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn answer(request: &Request, state: &mut State) -> Reply {
    let call = read(request);
    let (status, body) = match call.input.get("Attribute").and_then(Value::as_str) {
        Some(attribute) => (200, vpc_attribute(attribute)),
        None if Items::OPERATIONS.contains(&call.action.as_str())
            && !state.answers.contains_key(&call.action) =>
        {
            state.items.answer(&call.action, &call.input)
        }
        None => {
            let empty = || (200, format!("<{0}Response></{0}Response>", call.action));
            state.answers.get(&call.action).cloned().unwrap_or_else(empty)
        }
    };
    state.calls.push((Instant::now(), call));
    Reply { status, headers: String::new(), body }
}

fn vpc_attribute(name: &str) -> String {
    let value = format!("<vpcId>vpc-0a1</vpcId><{name}><value>true</value></{name}>");
    format!("<DescribeVpcAttributeResponse>{value}</DescribeVpcAttributeResponse>")
}

pub(crate) fn read(request: &Request) -> Call {
    if let Some(target) = request.header("x-amz-target") {
        let action = target.rsplit('.').next().unwrap().to_owned();
        return Call { action, input: serde_json::from_str(&request.body).unwrap() };
    }
    let mut input: BTreeMap<String, String> =
        form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
    let action = input.remove("Action").unwrap_or_default();
    Call { action, input: json!(input) }
}
