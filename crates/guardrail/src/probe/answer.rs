//! What a probe answers.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::question::HostName;
use crate::ec2::id::ServiceName;
use crate::shown::{quoted, word};

/// What a probe saw, and what that comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The version of the answer.
    pub version: u32,
    /// Each target of the question, in its order.
    pub targets: Vec<TargetAnswer>,
    /// Each service of the question, in its order.
    pub services: Vec<ServiceAnswer>,
}

/// What came of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetAnswer {
    /// The target's name.
    pub name: HostName,
    /// Its port.
    pub port: u16,
    /// What its IPv4 addresses say.
    pub ipv4: Verdict,
    /// What its IPv6 addresses say.
    pub ipv6: Verdict,
    /// Why the name has no addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<String>,
    /// Its addresses.
    pub addresses: Vec<Tried>,
}

/// What a target says of one family's way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The target answered with the certificate of its name: there is a way out.
    Path,
    /// Somebody took the connection who does not have the name's certificate.
    Intercepted,
    /// Somebody refused the connection.
    Answered,
    /// Nobody answered.
    Silent,
    /// The name has no address of the family, or none could be tried from here.
    NotTested,
    /// The name has a private address here, so that it does not stand for the internet.
    Disqualified,
}

/// What came of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAnswer {
    /// The service.
    pub service: ServiceName,
    /// The name that was resolved.
    pub name: HostName,
    /// The port.
    pub port: u16,
    /// What it comes to.
    pub verdict: ServiceVerdict,
    /// Why the name has no addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<String>,
    /// Its addresses.
    pub addresses: Vec<Tried>,
}

/// Whether a service answers where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceVerdict {
    /// Every address is the service's own and each that could be tried answered with the
    /// certificate of the name.
    Served,
    /// The name leads to a private address that is not the service's own.
    Elsewhere,
    /// The name leads to a public address that is not the service's own.
    Public,
    /// The name leads nowhere, or one of its addresses did not answer as the service.
    NoAnswer,
}

/// An address, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The address.
    pub address: IpAddr,
    /// What came of it.
    #[serde(flatten)]
    pub reached: Reached,
}

/// What came of a connection to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reached", rename_all = "kebab-case")]
pub enum Reached {
    /// TLS with the certificate of the name.
    Tls,
    /// A connection, but not TLS with the certificate of the name.
    NotTls {
        /// What came instead.
        why: String,
    },
    /// An answer that refuses the connection.
    Refused {
        /// In the system's words.
        why: String,
    },
    /// No answer in time.
    Silent,
    /// It was not tried.
    NotTried {
        /// Why not.
        why: Untried,
    },
}

/// Why an address was not tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Untried {
    /// The probe itself has no address of the family, or no route there: that says nothing of the
    /// subnet, whose routes a function does not see.
    NoRouteHere(String),
    /// The time for the whole look had passed.
    OutOfTime,
    /// There was no need: enough others are tried, or what the name stands for is decided.
    NoNeed,
}

/// What all targets of one family say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayOut {
    /// Nothing could be tried.
    NotTested,
    /// What was tried was silent. It proves nothing.
    NoneSeen,
    /// Somebody refuses connections on the way.
    Answered,
    /// Somebody takes connections on the way who is not the target.
    Intercepted,
    /// A target was reached.
    Path,
}

impl Answer {
    /// The way out over IPv4, as far as it was seen.
    pub fn ipv4(&self) -> WayOut {
        way_out(self.targets.iter().map(|target| target.ipv4))
    }

    /// The way out over IPv6, as far as it was seen.
    pub fn ipv6(&self) -> WayOut {
        way_out(self.targets.iter().map(|target| target.ipv6))
    }

    /// Whether this service answered through its own addresses.
    pub fn serves(&self, service: &ServiceName) -> bool {
        let of_it = || self.services.iter().filter(|answer| answer.service == *service);
        of_it().next().is_some() && of_it().all(|answer| answer.verdict == ServiceVerdict::Served)
    }
}

/// The worst of what the targets say.
fn way_out(verdicts: impl Iterator<Item = Verdict>) -> WayOut {
    let says = |verdict| match verdict {
        Verdict::Path => WayOut::Path,
        Verdict::Intercepted => WayOut::Intercepted,
        Verdict::Answered => WayOut::Answered,
        Verdict::Silent => WayOut::NoneSeen,
        Verdict::NotTested | Verdict::Disqualified => WayOut::NotTested,
    };
    verdicts.map(says).max().unwrap_or(WayOut::NotTested)
}

impl fmt::Display for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "there is a way out",
            Self::Intercepted => "somebody takes connections on the way out and is not the target",
            Self::Answered => "somebody on the way out refuses connections",
            Self::NoneSeen => "no way out seen",
            Self::NotTested => "not tested",
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "over IPv4: {}; over IPv6: {}", self.ipv4(), self.ipv6())?;
        self.targets.iter().try_for_each(|target| writeln!(f, "{target}"))?;
        self.services.iter().try_for_each(|service| writeln!(f, "{service}"))
    }
}

impl fmt::Display for TargetAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port, ipv4, ipv6, unresolved, addresses } = self;
        write!(f, "{name}:{port}: IPv4 {ipv4}, IPv6 {ipv6}")?;
        details(f, unresolved.as_deref(), addresses)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "reached",
            Self::Intercepted => "intercepted",
            Self::Answered => "refused",
            Self::Silent => "silent",
            Self::NotTested => "not tested",
            Self::Disqualified => "disqualified by a private answer",
        })
    }
}

impl fmt::Display for ServiceAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, name, port, verdict, unresolved, addresses } = self;
        let verdict = match verdict {
            ServiceVerdict::Served => "answers through its endpoint",
            ServiceVerdict::Elsewhere => "leads to a private address that is not its endpoint's",
            ServiceVerdict::Public => "leads to a public address",
            ServiceVerdict::NoAnswer => "does not answer",
        };
        write!(f, "{} ({name}:{port}) {verdict}", word(service.as_str()))?;
        details(f, unresolved.as_deref(), addresses)
    }
}

fn details(f: &mut fmt::Formatter<'_>, unresolved: Option<&str>, tried: &[Tried]) -> fmt::Result {
    if let Some(why) = unresolved {
        write!(f, "; the name leads nowhere: {}", quoted(why))?;
    }
    tried.iter().try_for_each(|tried| write!(f, "; {tried}"))
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        match &self.reached {
            Reached::Tls => write!(f, "{address} answered as the name"),
            Reached::NotTls { why } => {
                write!(f, "{address} took the connection, but {}", quoted(why))
            }
            Reached::Refused { why } => write!(f, "{address} refused: {}", quoted(why)),
            Reached::Silent => write!(f, "{address} was silent"),
            Reached::NotTried { why: Untried::NoRouteHere(why) } => {
                write!(f, "{address} cannot be tried by this probe: {}", quoted(why))
            }
            Reached::NotTried { why: Untried::OutOfTime } => {
                write!(f, "no time was left for {address}")
            }
            Reached::NotTried { why: Untried::NoNeed } => write!(f, "{address} was left out"),
        }
    }
}
