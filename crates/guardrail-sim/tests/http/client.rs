//! A server on a socket of this machine, and just enough of an HTTP client.

use std::net::SocketAddr;

use guardrail_sim::http::{Server, ServerOptions};
use guardrail_sim::{Sim, SimOptions};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(SocketAddr);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A server of this world, whose time stands still.
pub(crate) async fn serve(world: &str, options: ServerOptions) -> Client {
    let world = guardrail::ec2::world_file::load(world).unwrap();
    serve_sim(Sim::new(world, NOW.parse().unwrap(), SimOptions::default()), options).await
}

pub(crate) async fn serve_sim(sim: Sim, options: ServerOptions) -> Client {
    let server = Server::bind(sim, options).await.unwrap();
    let client = Client::of(server.address());
    tokio::spawn(server.run());
    client
}

impl Client {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self(address)
    }

    /// One request on a connection of its own; `None` when no answer came.
    pub(crate) async fn send(
        self,
        method: &str,
        target: &str,
        headers: &str,
        body: &str,
    ) -> Option<Reply> {
        let mut stream = TcpStream::connect(self.0).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A connection that is closed before the request was read may also show as an error.
        let _ = stream.read_to_string(&mut answer).await;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Reply { status, head: head.to_owned(), body: body.to_owned() })
    }

    /// A call of EC2.
    pub(crate) async fn call(self, form: &str) -> Option<Reply> {
        self.send("POST", "/", "", form).await
    }

    /// What `GET /_sim/…` answers.
    pub(crate) async fn look(self, path: &str) -> Value {
        let reply = self.send("GET", &format!("/_sim/{path}"), "", "").await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    /// `POST /_sim/…`.
    pub(crate) async fn tell(self, path: &str, body: &str) -> Reply {
        self.send("POST", &format!("/_sim/{path}"), "", body).await.unwrap()
    }
}
