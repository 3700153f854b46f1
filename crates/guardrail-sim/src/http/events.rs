//! Where the events of calls go: a file, or a URL.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::mishaps::Mishaps;

/// Where events go: `http://…`, or the path of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Events {
    /// Added to a file, one JSON line each, before the call is answered.
    File(PathBuf),
    /// Each the JSON body of a `POST`, one after another, after the call is answered.
    Post(Uri),
}

/// Text that is a URL, but none that events can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place for events; pass the path of a file, or a URL such as http://127.0.0.1:8080/events"
)]
pub struct NotAnEventTarget(String);

impl FromStr for Events {
    type Err = NotAnEventTarget;

    fn from_str(text: &str) -> Result<Self, NotAnEventTarget> {
        if !text.contains("://") {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let url: Uri = text.parse().map_err(|_| NotAnEventTarget(text.to_owned()))?;
        match (url.scheme_str(), url.host()) {
            (Some("http"), Some(_)) => Ok(Self::Post(url)),
            (Some(_) | None, Some(_) | None) => Err(NotAnEventTarget(text.to_owned())),
        }
    }
}

/// How many events could not be delivered, and why the last.
type Undelivered = Arc<Mutex<(usize, String)>>;

/// The open end of where events go.
#[derive(Debug)]
pub(crate) struct Sender {
    way: Arc<Way>,
    mishaps: Mishaps,
    fates: Mutex<Fates>,
}

/// What became of the events so far.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Fates {
    /// Those that were sent off.
    pub(crate) sent: u64,
    /// Those of them that never come.
    pub(crate) lost: u64,
    /// Those of them that come twice.
    pub(crate) repeated: u64,
}

#[derive(Debug)]
struct Way {
    to: To,
    undelivered: Undelivered,
}

#[derive(Debug)]
enum To {
    File(Mutex<File>),
    Url(mpsc::UnboundedSender<Value>),
}

impl Sender {
    pub(crate) fn open(events: Events, mishaps: Mishaps) -> io::Result<Self> {
        let undelivered = Undelivered::default();
        let to = match events {
            Events::File(path) => {
                To::File(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?))
            }
            Events::Post(url) => {
                let (sender, events) = mpsc::unbounded_channel();
                tokio::spawn(post_all(url, events, undelivered.clone()));
                To::Url(sender)
            }
        };
        Ok(Self { way: Arc::new(Way { to, undelivered }), mishaps, fates: Mutex::default() })
    }

    pub(crate) fn send(&self, event: Value) {
        for after in self.comings() {
            let (way, event) = (self.way.clone(), event.clone());
            if after.is_zero() {
                way.deliver(event);
            } else {
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    way.deliver(event);
                });
            }
        }
    }

    /// After how long the next event comes, each time that it does.
    fn comings(&self) -> Vec<Duration> {
        let mut fates = self.fates.lock().unwrap_or_else(PoisonError::into_inner);
        let comings = self.mishaps.comings(fates.sent);
        fates.sent = fates.sent.saturating_add(1);
        match comings.len() {
            0 => fates.lost = fates.lost.saturating_add(1),
            1 => {}
            _ => fates.repeated = fates.repeated.saturating_add(1),
        }
        comings
    }

    pub(crate) fn fates(&self) -> Fates {
        *self.fates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn undelivered(&self) -> (usize, String) {
        self.way.undelivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Way {
    fn deliver(&self, event: Value) {
        let sent = match &self.to {
            To::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(format!("{event}\n").as_bytes()).map_err(|error| error.to_string())
            }
            To::Url(sender) => sender.send(event).map_err(|error| error.to_string()),
        };
        if let Err(reason) = sent {
            note(&self.undelivered, reason);
        }
    }
}

fn note(undelivered: &Undelivered, reason: String) {
    let mut undelivered = undelivered.lock().unwrap_or_else(PoisonError::into_inner);
    *undelivered = (undelivered.0.saturating_add(1), reason);
}

/// Once each: EventBridge, too, gives CloudTrail's events as best it can.
async fn post_all(url: Uri, mut events: mpsc::UnboundedReceiver<Value>, undelivered: Undelivered) {
    while let Some(event) = events.recv().await {
        if let Err(error) = post(&url, event.to_string()).await {
            note(&undelivered, error.to_string());
        }
    }
}

async fn post(url: &Uri, body: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let host = url.host().unwrap_or_default();
    let stream =
        TcpStream::connect((host.trim_matches(['[', ']']), url.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let authority = url.authority().map_or(host, |authority| authority.as_str());
    let request = Request::builder()
        .method(Method::POST)
        .uri(url.path_and_query().map_or("/", |path| path.as_str()))
        .header(HOST, authority)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(body))?;
    let status = sender.send_request(request).await?.status();
    connection.abort();
    if status.is_success() { Ok(()) } else { Err(format!("{url} answered {status}").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_url_or_a_file() {
        assert_eq!("events.jsonl".parse(), Ok(Events::File("events.jsonl".into())));
        let url = "http://127.0.0.1:8080/in?x=1";
        assert_eq!(url.parse(), Ok(Events::Post(url.parse().unwrap())));
        assert_eq!(
            "https://example.com/".parse::<Events>().unwrap_err().to_string(),
            "`https://example.com/` is no place for events; pass the path of a file, or a URL such as \
             http://127.0.0.1:8080/events"
        );
    }
}
