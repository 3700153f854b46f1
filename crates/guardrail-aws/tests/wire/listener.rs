//! A stand-in for AWS that says what it is told to, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guardrail::ec2::id::Scope;
use guardrail_aws::{Allowance, Aws, ClientOptions, Clients, Clouds, Credentials, Pace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// An answer of AWS.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    body: String,
    request_id: Option<&'static str>,
}

impl Answer {
    /// This answer, to a request that AWS gave this id.
    pub(crate) fn with_id(self, id: &'static str) -> Self {
        Self { request_id: Some(id), ..self }
    }
}

/// A good answer.
pub(crate) fn ok(body: impl Into<String>) -> Answer {
    Answer { status: 200, body: body.into(), request_id: None }
}

/// An answer that is none of AWS's own.
pub(crate) fn page(status: u16, body: &str) -> Answer {
    Answer { status, body: body.to_owned(), request_id: None }
}

/// EC2's form of an error.
pub(crate) fn fault(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    page(
        status,
        &format!("<Response><Errors>{error}</Errors><RequestID>6f0a</RequestID></Response>"),
    )
}

/// A request: the form one field a line, or the JSON with its target on a line before.
pub(crate) type Request = String;

struct Rule {
    needles: Vec<String>,
    answers: VecDeque<Answer>,
}

/// The listener; it ends with the test's runtime.
pub(crate) struct Listener {
    url: String,
    heard: Heard,
}

#[derive(Clone)]
struct Heard {
    rules: Arc<Mutex<Vec<Rule>>>,
    requests: Arc<Mutex<Vec<Request>>>,
    agents: Arc<Mutex<Vec<String>>>,
    received: Arc<watch::Sender<usize>>,
    held_until: usize,
}

impl Listener {
    pub(crate) async fn start() -> Self {
        Self::holding(0).await
    }

    /// A listener that answers nobody before so many have asked.
    pub(crate) async fn holding(held_until: usize) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let heard = Heard {
            rules: Arc::default(),
            requests: Arc::default(),
            agents: Arc::default(),
            received: Arc::new(watch::Sender::new(0)),
            held_until,
        };
        let listener = Self { url, heard: heard.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(serve(stream, heard.clone()));
            }
        });
        listener
    }

    /// A request that has all of `lines` gets these answers in turn, and the last one from then on.
    /// The first rule that fits counts; what none fits gets an answer with nothing in it.
    pub(crate) fn on<const N: usize>(&self, lines: &str, answers: [Answer; N]) -> &Self {
        let needles = lines.split_whitespace().map(str::to_owned).collect();
        self.heard.rules.lock().unwrap().push(Rule { needles, answers: answers.into() });
        self
    }

    /// Every request so far, in the order of their text, because independent ones come in any.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let mut requests = self.heard.requests.lock().unwrap().clone();
        requests.sort();
        requests
    }

    /// What the requests said of who sent them.
    pub(crate) fn agents(&self) -> Vec<String> {
        self.heard.agents.lock().unwrap().clone()
    }

    /// The requests of this action.
    pub(crate) fn of(&self, action: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| has(request, &format!("Action={action}")));
        requests
    }

    /// The actions asked for, in alphabetical order.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.requests().iter().map(|request| action(request).to_owned()).collect()
    }

    pub(crate) async fn clients(&self) -> Clients {
        clients(&self.url).await
    }

    pub(crate) async fn clouds(&self) -> Clouds {
        Clouds::new(&self.clients().await, Allowance::unlimited())
    }

    /// The cloud of the place of [`scope`].
    pub(crate) async fn aws(&self) -> Aws {
        self.clouds().await.at(&scope().place()).unwrap()
    }
}

/// Clients of a service at this address that do not wait long before they try again.
pub(crate) async fn clients(url: &str) -> Clients {
    let wait = Duration::from_millis(1);
    let options = ClientOptions {
        region: Some("eu-central-1".parse().unwrap()),
        endpoint_url: Some(url.to_owned()),
        credentials: Some(Credentials::new("AKIDEXAMPLE", "not a secret", None, None, "test")),
        pace: Pace { usual: wait },
        profile: None,
    };
    Clients::load(&options).await.unwrap()
}

pub(crate) fn scope() -> Scope {
    Scope {
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        vpc: "vpc-0a1".parse().unwrap(),
    }
}

/// A request without what is the same in all of EC2's.
pub(crate) fn fields(request: &str) -> Vec<&str> {
    request.lines().filter(|line| *line != "Version=2016-11-15").collect()
}

fn has(request: &str, line: &str) -> bool {
    request.lines().any(|have| have == line)
}

fn action(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("Action=")).unwrap_or("")
}

async fn serve(mut stream: TcpStream, heard: Heard) {
    let Some((agent, request)) = receive(&mut stream).await else { return };
    heard.received.send_modify(|received| *received += 1);
    heard.received.subscribe().wait_for(|received| *received >= heard.held_until).await.unwrap();
    let answer = answer_to(&request, &mut heard.rules.lock().unwrap());
    heard.requests.lock().unwrap().push(request);
    heard.agents.lock().unwrap().push(agent);
    let Answer { status, body, request_id } = answer;
    let id = request_id.map(|id| format!("x-amzn-requestid: {id}\r\n")).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{id}connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}

fn answer_to(request: &str, rules: &mut [Rule]) -> Answer {
    let fits = |rule: &&mut Rule| rule.needles.iter().all(|needle| has(request, needle));
    let Some(rule) = rules.iter_mut().find(fits) else {
        let name = action(request);
        return ok(format!(
            "<{name}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"></{name}Response>"
        ));
    };
    let next = rule.answers.pop_front().unwrap();
    if rule.answers.is_empty() {
        rule.answers.push_back(next.clone());
    }
    next
}

async fn receive(stream: &mut TcpStream) -> Option<(String, Request)> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
        if body.len() < length {
            continue;
        }
        let request = match header("x-amz-target") {
            Some(target) => format!("{target}\n{body}"),
            None => {
                let fields = form_urlencoded::parse(body.as_bytes())
                    .map(|(key, value)| format!("{key}={value}"));
                fields.collect::<Vec<_>>().join("\n")
            }
        };
        return Some((header("user-agent").unwrap_or_default(), request));
    }
}
