//! The simulator in the place of EC2, in this process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use guardrail::ec2::world::World;
use guardrail_sim::http::{Events, Server, ServerOptions};
use guardrail_sim::{Sim, SimOptions};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::oneshot;

/// Simulated seconds in a real one: an endpoint that takes a minute to come up takes one second
/// here.
const SPEED: u32 = 60;

/// A simulator that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Ec2 {
    address: SocketAddr,
    events: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ec2 {
    /// Starts one in which each call takes so long.
    pub(crate) fn start(world: World, folder: &Path, latency: Duration) -> Self {
        let events = folder.join("events.jsonl");
        let options = ServerOptions {
            speed: SPEED,
            latency,
            events: Some(Events::File(events.clone())),
            ..ServerOptions::default()
        };
        let sim =
            Sim::new(world, Timestamp::try_from(SystemTime::now()).unwrap(), SimOptions::default());
        let (told, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(sim, options).await.unwrap();
                told.send(server.address()).unwrap();
                server.run_until(async { stopped.await.unwrap_or_default() }).await.unwrap();
            });
        });
        Self { address: address.recv().unwrap(), events, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the simulator says of itself: `world`, `calls`, `status`.
    pub(crate) fn get(&self, what: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET /_sim/{what} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// The events of the calls so far, as EventBridge would deliver them.
    pub(crate) fn events(&self) -> Vec<Value> {
        let lines = std::fs::read_to_string(&self.events).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Ec2 {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
