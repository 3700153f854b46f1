//! The queues as an SQS endpoint: SQS's JSON protocol on a socket of this machine, for the real SDK
//! and the real functions.
//!
//! Under `/_sim/` it answers to tests instead: [`SqsServer`] says what.

mod calls;
mod parameters;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{Refusal, RefusalKind, Sender, Sqs};
use crate::ec2::errors::ApiError;
use crate::faults::{self, Fault};
use crate::http::control::{Done, asked_fault, bad, done_answer, seconds};
use crate::http::parameters::Parameters;
use crate::http::service::{Answer, LARGEST_BODY, Lost, access_key, header};
use crate::http::sockets::serve_until;
use crate::sim::later;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
/// Says who sends, where a test has no credentials of its own.
const SENDER: HeaderName = HeaderName::from_static("x-sim-sender");

/// How the queues are served.
#[derive(Debug, Clone, Default)]
pub struct SqsServerOptions {
    /// The port on the loopback interface; 0 picks a free one.
    pub port: u16,
    /// Simulated seconds in a real one; at 0, time passes only when told so.
    pub speed: u32,
    /// Who sends with which access key, or with that name in the header `x-sim-sender`, which goes
    /// first. Any other key is a user of that name.
    pub senders: BTreeMap<String, Sender>,
}

/// Queues on a socket.
///
/// Everything but `/_sim/` is SQS. For tests there are:
/// - `GET /_sim/queues`: everything, as [`Sqs::state`];
/// - `GET /_sim/status`: the time;
/// - `POST /_sim/advance?seconds=90`: lets time pass;
/// - `POST /_sim/clock?now=2026-11-22T12:00:00Z`: sets the time;
/// - `POST /_sim/fault?operation=SendMessage&code=RequestThrottled&times=2`: as
///   [`Fault`]; the code `lost` loses the answer of a call that happens.
#[derive(Debug)]
pub struct SqsServer {
    listener: TcpListener,
    address: SocketAddr,
    queues: Queues,
}

/// The served queues, for whoever plays Lambda beside the server, and for tests.
#[derive(Debug, Clone)]
pub struct Queues(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when something may have become visible.
    changed: Notify,
    senders: BTreeMap<String, Sender>,
}

#[derive(Debug)]
struct State {
    sqs: Sqs,
    faults: Vec<Fault>,
    now: Timestamp,
    /// When simulated time last caught up with real time.
    seen: Instant,
    speed: u32,
}

impl SqsServer {
    /// Opens the socket, on the loopback interface only.
    ///
    /// # Errors
    /// The port cannot be had.
    pub async fn bind(sqs: Sqs, now: Timestamp, options: SqsServerOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let state =
            State { sqs, faults: Vec::new(), now, seen: Instant::now(), speed: options.speed };
        let shared =
            Shared { state: Mutex::new(state), changed: Notify::new(), senders: options.senders };
        Ok(Self { listener, address, queues: Queues(Arc::new(shared)) })
    }

    /// The address and port that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The queues that are served, also after the server has stopped.
    pub fn queues(&self) -> Queues {
        self.queues.clone()
    }

    /// The URL of a queue.
    pub fn url(&self, queue: &str) -> String {
        let account = self.queues.quietly(|sqs, _| sqs.account().to_owned());
        format!("http://{}/{account}/{queue}", self.address)
    }

    /// Serves until `stop`. Calls being answered are cut off.
    ///
    /// # Errors
    /// The socket breaks.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let queues = self.queues;
        let answer = move |request| {
            let queues = queues.clone();
            async move { queues.answer(request).await }
        };
        serve_until(self.listener, stop, answer).await
    }
}

impl Queues {
    /// Does something with the queues as they are now.
    pub fn with<T>(&self, what: impl FnOnce(&mut Sqs, Timestamp) -> T) -> T {
        let outcome = self.quietly(what);
        self.0.changed.notify_waiters();
        outcome
    }

    /// As [`Queues::with`], without telling those who wait for a message.
    fn quietly<T>(&self, what: impl FnOnce(&mut Sqs, Timestamp) -> T) -> T {
        self.state(|state| what(&mut state.sqs, state.now))
    }

    /// Lets time pass, and gives the time then.
    pub fn advance(&self, time: Duration) -> Timestamp {
        self.set(|now| later(now, time))
    }

    /// Sets the time.
    pub fn set_now(&self, now: Timestamp) {
        self.set(|_| now);
    }

    fn set(&self, to: impl FnOnce(Timestamp) -> Timestamp) -> Timestamp {
        let now = self.state(|state| {
            state.now = to(state.now);
            state.now
        });
        self.0.changed.notify_waiters();
        now
    }

    fn state<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        // A call that panicked has not been answered; the queues are as it left them.
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let real = Instant::now();
        let passed = real.duration_since(state.seen).saturating_mul(state.speed);
        state.seen = real;
        state.now = later(state.now, passed);
        what(&mut state)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Lost> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return Ok(done_answer(Err(bad("the body cannot be read"))));
        };
        let body = body.to_bytes();
        if let Some(path) = head.uri.path().strip_prefix("/_sim/") {
            return Ok(done_answer(self.control(&head, path, &body)));
        }
        let target = header(&head.headers, &TARGET).unwrap_or_default();
        let action = target.strip_prefix("AmazonSQS.").unwrap_or_default();
        let fault = self.state(|state| faults::next(&mut state.faults, action));
        if let Some((error, false)) = &fault {
            return Ok(fault_answer(error));
        }
        let outcome = self.sqs_call(&head, action, &body).await;
        match (fault, outcome) {
            (Some(_), _) => Err(Lost),
            (None, Ok(value)) => Ok(sqs_answer(StatusCode::OK, &value)),
            (None, Err(refusal)) => Ok(refused(&refusal)),
        }
    }

    async fn sqs_call(&self, head: &Parts, action: &str, body: &Bytes) -> Result<Value, Refusal> {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let host = header(&head.headers, &HOST).unwrap_or_default();
        if action == "ReceiveMessage" {
            return calls::receive(self, text).await;
        }
        let sender = self.sender(&head.headers);
        self.with(|sqs, now| calls::answer(sqs, now, &sender, host, action, text))
    }

    fn sender(&self, headers: &HeaderMap) -> Sender {
        let key = || header(headers, &AUTHORIZATION).and_then(access_key);
        let name = header(headers, &SENDER).or_else(key).unwrap_or("anonymous");
        if let Some(sender) = self.0.senders.get(name) {
            return sender.clone();
        }
        let account = self.quietly(|sqs, _| sqs.account().to_owned());
        Sender { principal: format!("arn:aws:iam::{account}:user/{name}"), id: name.to_owned() }
    }

    /// Waits until something may have become visible, or the time is over.
    pub(crate) async fn changed(&self, time: Duration) {
        let _ = tokio::time::timeout(time, self.0.changed.notified()).await;
    }

    fn control(&self, head: &Parts, path: &str, body: &Bytes) -> Done {
        let query = head.uri.query().unwrap_or_default();
        let form = || Parameters::parse(&[query.as_bytes(), body].join(&b'&'));
        match (&head.method, path) {
            (&Method::GET, "queues") => Ok(self.quietly(|sqs, now| sqs.state(now))),
            (&Method::GET, "status") => Ok(json!({ "now": self.state(|state| state.now) })),
            (&Method::POST, "advance") => Ok(json!({ "now": self.advance(seconds(form())?) })),
            (&Method::POST, "clock") => {
                let now = form().required("now").map_err(bad)?;
                let wrong =
                    |_| bad(format!("`{now}` is no time; write it as 2026-11-22T12:00:00Z"));
                let now: Timestamp = now.parse().map_err(wrong)?;
                self.set_now(now);
                Ok(json!({ "now": now }))
            }
            (&Method::POST, "fault") => {
                let fault = asked_fault(form())?;
                self.state(|state| state.faults.push(fault));
                Ok(json!({}))
            }
            (method, _) => {
                Err((StatusCode::NOT_FOUND, format!("there is no {method} /_sim/{path}")))
            }
        }
    }
}

fn sqs_answer(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Response::new(Full::from(value.to_string()));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    answer
}

fn refused(refusal: &Refusal) -> Answer {
    let is_denied = refusal.kind == RefusalKind::AccessDenied;
    let status = if is_denied { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
    error_answer(status, refusal.kind.shape(), refusal.kind.code(), &refusal.message)
}

/// A fault's code is any that a test likes.
fn fault_answer(error: &ApiError) -> Answer {
    let status = StatusCode::from_u16(error.http_status).unwrap_or(StatusCode::BAD_REQUEST);
    let shape = format!("com.amazonaws.sqs#{}", error.code);
    error_answer(status, &shape, &error.code, &error.message)
}

fn error_answer(status: StatusCode, shape: &str, code: &str, message: &str) -> Answer {
    let mut answer = sqs_answer(status, &json!({ "__type": shape, "message": message }));
    let whose = if status.is_server_error() { "Receiver" } else { "Sender" };
    if let Ok(value) = format!("{code};{whose}").parse() {
        answer.headers_mut().insert(QUERY_ERROR, value);
    }
    answer
}
