//! As much of HTTP as the stand-ins need: a request in, an answer out, and the connection is over.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// Serves on a free port of the loopback interface until the test's runtime ends; the port's
/// address.
pub(crate) async fn serve<F>(answer: impl Fn(Request) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = Reply> + Send,
{
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let Some(request) = receive(&mut stream).await else { return };
                let Reply { status, headers, body } = answer(request).await;
                let head = format!(
                    "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    address
}

/// Hands a request on; what came back, and nothing where no answer came.
pub(crate) async fn forward(to: SocketAddr, request: &Request) -> Option<Vec<u8>> {
    let is_kept = |line: &&str| !line.to_ascii_lowercase().starts_with("connection:");
    let head: Vec<&str> = request.head.lines().filter(is_kept).collect();
    let text = format!("{}\r\nconnection: close\r\n\r\n{}", head.join("\r\n"), request.body);
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(text.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    Some(answer).filter(|answer| !answer.is_empty())
}

/// A request of our own, signed with this key as far as anybody looks; status and body of the
/// answer, and nothing where none came.
pub(crate) async fn ask(
    to: SocketAddr,
    method: &str,
    path: &str,
    key: &str,
    body: &str,
) -> Option<(u16, String)> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={key}/20261122/eu-central-1/ec2/aws4_request\r\n\
         content-length: {}",
        body.len()
    );
    let request =
        Request { method: method.to_owned(), path: path.to_owned(), head, body: body.to_owned() };
    read_answer(&forward(to, &request).await?)
}

/// Status and body of an answer.
pub(crate) fn read_answer(answer: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

pub(crate) async fn receive(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let mut first = head.split(' ');
        let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
        let request = Request { method, path, head: head.to_owned(), body: body.to_owned() };
        let length: usize =
            request.header("content-length").map_or(0, |length| length.parse().unwrap());
        if request.body.len() >= length {
            return Some(request);
        }
    }
}
