//! One connection to one address.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use guardrail::probe::{HostName, Reached, Untried};
use guardrail::shown::shortened;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::within::{Passed, Within};

/// What comes of a connection to an address, and of a handshake for the name.
pub(crate) async fn reach(
    tls: &TlsConnector,
    at: SocketAddr,
    name: &HostName,
    within: Within,
) -> Reached {
    if let Err(error) = has_route(at) {
        return not_from_here(&error);
    }
    let stream = match within.one_wait(TcpStream::connect(at)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return not_connected(&error),
        Err(Passed::OneWait) => return Reached::Silent,
        Err(Passed::Whole) => return Reached::NotTried { why: Untried::OutOfTime },
    };
    let Ok(server) = ServerName::try_from(name.as_str().to_owned()) else {
        return Reached::NotTls { why: "no certificate can have the name".to_owned() };
    };
    match within.one_wait(tls.connect(server, stream)).await {
        Ok(Ok(_)) => Reached::Tls,
        // It may quote what a stranger's certificate says.
        Ok(Err(error)) => Reached::NotTls { why: shortened(&error.to_string()) },
        Err(Passed::OneWait | Passed::Whole) => {
            Reached::NotTls { why: "it said nothing in time".to_owned() }
        }
    }
}

/// Whether this machine has an address and a route for a connection there. Nothing is sent: to
/// connect a socket of UDP only chooses both.
fn has_route(at: SocketAddr) -> Result<(), Error> {
    let any: IpAddr = match at.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0))?.connect(at)
}

fn not_from_here(error: &Error) -> Reached {
    Reached::NotTried { why: Untried::NoRouteHere(error.to_string()) }
}

/// What an error of a connection means where this machine has a route: what is not this machine's own
/// trouble came from the network.
fn not_connected(error: &Error) -> Reached {
    let from_the_network = [
        ErrorKind::ConnectionRefused,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkUnreachable,
        // A router's "administratively prohibited", over IPv6.
        ErrorKind::PermissionDenied,
    ];
    let kind = error.kind();
    if kind == ErrorKind::TimedOut {
        return Reached::Silent;
    }
    match from_the_network.contains(&kind) {
        true => Reached::Refused { why: error.to_string() },
        false => not_from_here(error),
    }
}
