//! The probe: what a subnet reaches, seen by a function inside it. This crate resolves and connects;
//! what that comes to is decided in `guardrail::probe`.
//!
//! It connects by address and reads no variable that names a proxy, because a proxy's answer would be
//! about the proxy.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod connect;
mod within;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use guardrail::probe::{
    Answer, HostName, Question, Reached, Seen, Tried, Untried, answer, worth_trying,
};
use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore};
use within::Within;

/// How many connections are open at one time. A function may have 1,024 files and sockets open
/// (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const AT_ONE_TIME: usize = 256;

/// What looks.
#[derive(Clone)]
pub struct Probe {
    tls: TlsConnector,
    turns: Arc<Semaphore>,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}

/// The root certificates of the system.
///
/// # Errors
/// When there are none: then no certificate could be told from another.
pub fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (used, _) = roots.add_parsable_certificates(found.certs);
    let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    match used {
        0 => Err(format!("the system has no root certificates: {}", errors.join("; "))),
        _ => Ok(roots),
    }
}

impl Probe {
    /// A probe that knows these authorities. TLS 1.2 stays on: interface endpoints of S3 do not speak
    /// 1.3 (docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html).
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(roots: RootCertStore) -> Result<Self, Error> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let turns = Arc::new(Semaphore::new(AT_ONE_TIME));
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), turns })
    }

    /// Looks at everything that the question names at one time, and ends within its limits.
    pub async fn look(&self, question: &Question) -> Answer {
        let within = Within::from_now(question.limits);
        let targets = question
            .targets
            .iter()
            .map(|target| self.begin(target.name.clone(), target.port, worth_trying, within));
        let targets: Vec<_> = targets.collect();
        let services = question.services.iter().map(|service| {
            self.begin(service.name.clone(), service.port, <[IpAddr]>::to_vec, within)
        });
        let services: Vec<_> = services.collect();
        answer(question, all(targets).await, all(services).await)
    }

    fn begin(
        &self,
        name: HostName,
        port: u16,
        which: fn(&[IpAddr]) -> Vec<IpAddr>,
        within: Within,
    ) -> JoinHandle<Seen> {
        let probe = self.clone();
        tokio::spawn(async move { Seen { addresses: probe.see(name, port, which, within).await } })
    }

    /// Resolves a name and tries the addresses that are worth it.
    async fn see(
        &self,
        name: HostName,
        port: u16,
        which: fn(&[IpAddr]) -> Vec<IpAddr>,
        within: Within,
    ) -> Result<Vec<Tried>, String> {
        let addresses = resolve(&name, port, within).await?;
        let worth = which(&addresses);
        let mut tries = Vec::new();
        for address in addresses {
            let (probe, name) = (self.clone(), name.clone());
            let is_worth = worth.contains(&address);
            let reached = tokio::spawn(async move {
                match is_worth {
                    true => probe.try_one(SocketAddr::new(address, port), &name, within).await,
                    false => Reached::NotTried { why: Untried::NoNeed },
                }
            });
            tries.push((address, reached));
        }
        let mut tried = Vec::new();
        for (address, reached) in tries {
            let reached = reached.await.map_err(|_| GAVE_UP.to_owned())?;
            tried.push(Tried { address, reached });
        }
        Ok(tried)
    }

    async fn try_one(&self, at: SocketAddr, name: &HostName, within: Within) -> Reached {
        match within.whole(self.turns.acquire()).await {
            Ok(Ok(_turn)) => connect::reach(&self.tls, at, name, within).await,
            Ok(Err(_)) | Err(_) => Reached::NotTried { why: Untried::OutOfTime },
        }
    }
}

/// What is said of a name whose look ended without a result.
const GAVE_UP: &str = "the probe gave up on the name; ask again";

async fn all(looks: Vec<JoinHandle<Seen>>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for look in looks {
        seen.push(look.await.unwrap_or_else(|_| Seen { addresses: Err(GAVE_UP.to_owned()) }));
    }
    seen
}

/// The addresses of a name by the system's resolver, each once.
async fn resolve(name: &HostName, port: u16, within: Within) -> Result<Vec<IpAddr>, String> {
    let found = within
        .one_wait(lookup_host((name.absolute(), port)))
        .await
        .map_err(|_| "no answer in time".to_owned())?
        .map_err(|error| error.to_string())?;
    let mut known = BTreeSet::new();
    Ok(found.map(|at| at.ip()).filter(|address| known.insert(*address)).collect())
}
