//! What a function's process has for AWS: one address, behind which calls go to the part that they
//! are for. It notes each call, and can have the process killed at one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::aws::Call;
use crate::dynamodb::Items;
use crate::http::{Request, forward, read_answer, receive};

/// A call that a function made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The function.
    pub by: &'static str,
    /// The operation and what it was given.
    pub call: Call,
    /// What was answered: the status; `None` where no answer came.
    pub status: Option<u16>,
}

/// Which calls count towards a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Each.
    Any,
    /// Those that change the network.
    NetworkChange,
    /// Those that change several items of the table at once: a run's begin, its steps' marks and its
    /// end.
    TableChange,
    /// An alert's.
    Publish,
}

/// When a process of repair is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// Which calls count.
    pub which: Which,
    /// At the how manieth of them, from 1.
    pub nth: usize,
    /// Whether the call is carried out before.
    pub after: bool,
}

/// What all gateways share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) ec2: SocketAddr,
    pub(super) sqs: SocketAddr,
    pub(super) state: Mutex<State>,
}

/// What was done so far, and what is to go wrong.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) items: Items,
    pub(super) made: Vec<Made>,
    pub(super) kill: Option<Kill>,
    pub(super) kills: Vec<(Kill, String)>,
    /// How many of repair's next calls to the table, and of all next alerts, are refused.
    pub(super) refused_table_calls: usize,
    pub(super) refused_alerts: usize,
    /// Those that were.
    pub(super) refusals: usize,
}

/// The address of one process, and its end.
#[derive(Debug)]
pub(super) struct Gateway {
    by: &'static str,
    shared: Arc<Shared>,
    /// Told when the process is to be killed.
    pub(super) kill: Notify,
    /// The process makes no more calls: it is as good as dead.
    is_dead: AtomicBool,
}

enum Verdict {
    Carry,
    KillBefore,
    KillAfter,
}

impl Gateway {
    /// Opens one for processes of this function; its URL.
    pub(super) async fn open(by: &'static str, shared: Arc<Shared>) -> (Arc<Self>, String) {
        let gateway =
            Arc::new(Self { by, shared, kill: Notify::new(), is_dead: AtomicBool::new(false) });
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let serving = Arc::clone(&gateway);
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let gateway = Arc::clone(&serving);
                tokio::spawn(async move { gateway.serve(stream).await });
            }
        });
        (gateway, url)
    }

    /// The killed process has a successor.
    pub(super) fn revive(&self) {
        self.is_dead.store(false, Ordering::SeqCst);
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some(request) = receive(&mut stream).await else { return };
        if self.is_dead.load(Ordering::SeqCst) {
            return;
        }
        let call = crate::aws::read(&request);
        let verdict = self.verdict(&call);
        if matches!(verdict, Verdict::KillBefore) {
            return self.kill.notify_one();
        }
        let answer = self.carry_out(&request, &call).await;
        let status = answer.as_deref().and_then(read_answer).map(|(status, _)| status);
        self.state(|state| state.made.push(Made { by: self.by, call, status }));
        match (verdict, answer) {
            (Verdict::KillAfter, _) => self.kill.notify_one(),
            (_, Some(answer)) => drop(stream.write_all(&answer).await),
            (_, None) => {}
        }
    }

    fn state<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.shared.state.lock().unwrap())
    }

    fn verdict(&self, call: &Call) -> Verdict {
        if self.by != "repair" {
            return Verdict::Carry;
        }
        self.state(|state| {
            let Some(kill) = state.kill.as_mut().filter(|kill| kill.which.counts(call)) else {
                return Verdict::Carry;
            };
            kill.nth -= 1;
            if kill.nth > 0 {
                return Verdict::Carry;
            }
            let kill = *kill;
            state.kill = None;
            state.kills.push((kill, call.action.clone()));
            self.is_dead.store(true, Ordering::SeqCst);
            if kill.after { Verdict::KillAfter } else { Verdict::KillBefore }
        })
    }

    async fn carry_out(&self, request: &Request, call: &Call) -> Option<Vec<u8>> {
        match request.header("x-amz-target") {
            Some(target) if target.starts_with("DynamoDB") => {
                Some(self.state(|state| self.table(state, call)))
            }
            Some(_) => forward(self.shared.sqs, request).await,
            None if call.action == "Publish" => Some(self.state(publish)),
            None => forward(self.shared.ec2, request).await,
        }
    }

    fn table(&self, state: &mut State, call: &Call) -> Vec<u8> {
        if self.by == "repair" && state.refused_table_calls > 0 {
            state.refused_table_calls -= 1;
            state.refusals += 1;
            let body = json!({ "__type": "InternalServerError", "message": "not now" });
            return answer(500, &body.to_string());
        }
        let (status, body) = state.items.answer(&call.action, &call.input);
        answer(status, &body)
    }
}

impl Which {
    fn counts(self, call: &Call) -> bool {
        let action = call.action.as_str();
        let starts = |words: &[&str]| words.iter().any(|word| action.starts_with(word));
        match self {
            Self::Any => true,
            Self::TableChange => action == "TransactWriteItems",
            Self::Publish => action == "Publish",
            Self::NetworkChange => is_of_ec2(call) && !starts(&["Describe", "Get"]),
        }
    }
}

/// Whether a call is one of EC2's.
pub(super) fn is_of_ec2(call: &Call) -> bool {
    call.input.get("Version").and_then(Value::as_str) == Some("2016-11-15")
}

fn publish(state: &mut State) -> Vec<u8> {
    if state.refused_alerts > 0 {
        state.refused_alerts -= 1;
        state.refusals += 1;
        let error = "<Code>InternalError</Code><Message>not now</Message>";
        return answer(500, &format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"));
    }
    let result = "<PublishResult><MessageId>m</MessageId></PublishResult>";
    answer(200, &format!("<PublishResponse>{result}</PublishResponse>"))
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    format!("{head}{body}").into_bytes()
}
