//! The simulator as an EC2 endpoint: the Query API on a socket of this machine, for the real SDK,
//! the real functions and the AWS CLI.
//!
//! Under `/_sim/` it answers to tests instead: [`Server`] says what.

pub(crate) mod building;
pub(crate) mod built;
pub(crate) mod cloudtrail;
pub(crate) mod control;
mod events;
mod mishaps;
pub(crate) mod parameters;
mod requests;
pub(crate) mod resources;
mod responses;
pub(crate) mod service;
pub(crate) mod sockets;
mod sts;
pub(crate) mod tree;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use guardrail::ec2::world::World;
use tokio::net::TcpListener;

pub use events::{Events, NotAnEventTarget};
pub use mishaps::{Mishaps, NotAMishap};

use crate::ec2::beside::Beside;
use crate::sim::Sim;
use crate::throttle::BucketUse;
use service::Service;

/// How the server behaves beyond what the simulator does.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// The port on the loopback interface; 0 picks a free one.
    pub port: u16,
    /// How long each call takes. Calls do not wait for each other.
    pub latency: Duration,
    /// Simulated seconds in a real one; at 0, time passes only when `/_sim/advance` says so.
    pub speed: u32,
    /// Where the event of each call goes that could change something.
    pub events: Option<Events>,
    /// What happens to events on their way there.
    pub mishaps: Mishaps,
    /// Whether each Region that calls are signed for, and each account whose role is assumed, has a
    /// world of its own. Otherwise every call finds the one world, whatever it is signed for.
    pub apart: bool,
    /// What there is in other accounts and Regions to begin with, where they are apart.
    pub elsewhere: Vec<SavedWorld>,
}

/// A world, with what was saved beside it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "what the fields are, their types say")]
pub struct SavedWorld {
    pub world: World,
    pub beside: Beside,
}

/// A simulator on a socket.
///
/// Everything but `/_sim/` is EC2, and two calls of STS. For tests there are these; where accounts and
/// Regions are apart, calls, buckets and faults are those of the world that the server began with:
/// - `GET /_sim/world`: the world now, as a world file; of another place, where they are apart, with
///   `?account=111122223333&region=eu-west-1`;
/// - `GET /_sim/calls`: every call so far as `{at, operation, write, dry_run, outcome}`; the
///   outcome is `ok`, EC2's code, or `lost`;
/// - `GET /_sim/buckets`: what each action's calls took of EC2's token bucket, as
///   [`BucketUse`];
/// - `GET /_sim/status`: the time, how many calls are being answered, the most that ever were at
///   once, how many events were sent off, and of them lost and repeated on purpose, and how many
///   could not be delivered;
/// - `POST /_sim/advance?seconds=90`: lets time pass;
/// - `POST /_sim/fault?operation=DeleteRoute&code=Unavailable&times=2`: as [`Fault`](crate::Fault);
///   the code `lost` loses the answer of a call that happens;
/// - `POST /_sim/reset`, with a world file as its body: that world, with no calls made yet and no
///   faults.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
}

impl Server {
    /// Opens the socket, on the loopback interface only.
    ///
    /// # Errors
    /// The port cannot be had, or the file for events cannot be written.
    pub async fn bind(sim: Sim, options: ServerOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, service: Arc::new(Service::new(sim, options)?) })
    }

    /// The address and port that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A way to ask what the calls took of EC2's token buckets, also after the server has stopped.
    pub fn bucket_meter(&self) -> BucketMeter {
        BucketMeter(self.service.clone())
    }

    /// A way to ask for all the worlds, also after the server has stopped.
    pub fn keeper(&self) -> Keeper {
        Keeper(self.service.clone())
    }

    /// Serves without end.
    ///
    /// # Errors
    /// The socket breaks.
    pub async fn run(self) -> io::Result<()> {
        self.run_until(std::future::pending()).await.map(|_| ())
    }

    /// Serves until `stop`, and gives out the world as it is then. Calls being answered are cut
    /// off.
    ///
    /// # Errors
    /// The socket breaks.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<World> {
        let service = self.service.clone();
        let answer = move |request| {
            let service = service.clone();
            async move { service.answer(request).await }
        };
        sockets::serve_until(self.listener, stop, answer).await?;
        Ok(self.service.world())
    }
}

/// The worlds of a [`Server`], whenever they are asked for.
#[derive(Debug, Clone)]
pub struct Keeper(Arc<Service>);

/// A world as it is saved.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The account and the Region, where it is not the world that the server began with.
    pub elsewhere: Option<(String, String)>,
    /// The world file.
    pub file: serde_json::Value,
}

impl Keeper {
    /// Every world: first the one that the server began with.
    pub fn worlds(&self) -> Vec<Kept> {
        self.0.kept()
    }
}

/// What the calls to a [`Server`] took of EC2's token buckets, whenever it is asked.
#[derive(Debug, Clone)]
pub struct BucketMeter(Arc<Service>);

impl BucketMeter {
    /// The uses so far, one for each bucket that was drawn on.
    pub fn uses(&self) -> Vec<BucketUse> {
        self.0.bucket_uses()
    }
}
