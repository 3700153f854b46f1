//! A name server that knows what the test says.

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::{Arc, Mutex};

const A: u16 = 1;
const AAAA: u16 = 28;

#[derive(Default)]
struct Known {
    names: BTreeMap<String, Vec<IpAddr>>,
    is_silent: bool,
}

/// The name server, which answers on the loopback interface.
pub(crate) struct Resolver(Arc<Mutex<Known>>);

impl Resolver {
    pub(crate) fn start() -> Self {
        let known = Arc::new(Mutex::new(Known::default()));
        let asked = Arc::clone(&known);
        std::thread::spawn(move || {
            // The interface comes up after this.
            let socket = UdpSocket::bind("0.0.0.0:53").unwrap();
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let known = asked.lock().unwrap();
                if !known.is_silent {
                    let _ = socket.send_to(&reply(&buffer[..length], &known.names), from);
                }
            }
        });
        Self(known)
    }

    pub(crate) fn name(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.0.lock().unwrap().names.insert(name.to_owned(), addresses);
    }

    pub(crate) fn be_silent(&self) {
        self.0.lock().unwrap().is_silent = true;
    }
}

/// An answer as of RFC 1035: the question again, and a record for each address of the family.
fn reply(query: &[u8], names: &BTreeMap<String, Vec<IpAddr>>) -> Vec<u8> {
    let (name, end) = name_of(query);
    let kind = u16::from_be_bytes([query[end], query[end + 1]]);
    let addresses = names.get(&name);
    let of_family: Vec<&IpAddr> = addresses
        .into_iter()
        .flatten()
        .filter(|address| match kind {
            A => address.is_ipv4(),
            AAAA => address.is_ipv6(),
            _ => false,
        })
        .collect();
    let no_such_name: u8 = if addresses.is_some() { 0 } else { 3 };
    let mut reply = query[..2].to_vec();
    reply.extend([0x85, 0x80 | no_such_name, 0, 1]);
    reply.extend(u16::try_from(of_family.len()).unwrap().to_be_bytes());
    reply.extend([0, 0, 0, 0]);
    reply.extend(&query[12..end + 4]);
    for address in of_family {
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 0]);
        reply.extend(u16::try_from(octets.len()).unwrap().to_be_bytes());
        reply.extend(octets);
    }
    reply
}

/// The name that is asked for, and where it ends.
fn name_of(query: &[u8]) -> (String, usize) {
    let (mut labels, mut at) = (Vec::new(), 12);
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), at + 1)
}
