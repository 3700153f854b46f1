//! Address ranges, and whether one reaches public address space.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

/// A CIDR block as AWS printed it, together with what it means.
///
/// The text is kept because `DeleteRoute` takes only the stored destination, to the letter; text
/// that is no CIDR block is kept too (`net` is then `None`), because unknown input from AWS is
/// data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Cidr {
    text: String,
    net: Option<IpNet>,
}

impl Cidr {
    /// The block as AWS wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The block as a range of addresses; `None` when the text is not one.
    pub fn net(&self) -> Option<IpNet> {
        self.net
    }
}

impl From<String> for Cidr {
    fn from(text: String) -> Self {
        let net = text.parse::<IpNet>().ok().map(|net| net.trunc());
        Self { text, net }
    }
}

impl From<&str> for Cidr {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<IpNet> for Cidr {
    fn from(net: IpNet) -> Self {
        Self { text: net.to_string(), net: Some(net) }
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> String {
        cidr.text
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Blocks no packet to which can arrive on the internet (IANA's special-purpose registries), but
/// not NAT64's `64:ff9b::/96`: every address in it is an IPv4 address of the internet once a NAT
/// gateway has translated it.
const NOT_PUBLIC: [IpNet; 22] = [
    v4([0, 0, 0, 0], 8),                       // this network
    v4([10, 0, 0, 0], 8),                      // private
    v4([100, 64, 0, 0], 10),                   // shared (carrier-grade NAT)
    v4([127, 0, 0, 0], 8),                     // loopback
    v4([169, 254, 0, 0], 16),                  // link-local
    v4([172, 16, 0, 0], 12),                   // private
    v4([192, 0, 0, 0], 24),                    // protocol assignments
    v4([192, 0, 2, 0], 24),                    // documentation
    v4([192, 168, 0, 0], 16),                  // private
    v4([198, 18, 0, 0], 15),                   // benchmarking
    v4([198, 51, 100, 0], 24),                 // documentation
    v4([203, 0, 113, 0], 24),                  // documentation
    v4([224, 0, 0, 0], 4),                     // multicast
    v4([240, 0, 0, 0], 4),                     // reserved, broadcast
    v6([0; 8], 127),                           // unspecified and loopback
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),     // IPv4-mapped
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),  // local-use translation
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),      // discard
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),      // unique local
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),     // link-local
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),      // multicast
];

const fn v4(octets: [u8; 4], len: u8) -> IpNet {
    let [a, b, c, d] = octets;
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), len))
}

const fn v6(words: [u16; 8], len: u8) -> IpNet {
    let [a, b, c, d, e, f, g, h] = words;
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), len))
}

/// Whether the range holds at least one public address that is not in `own` (the VPC's own blocks,
/// which may be public ranges used privately: a route inside them leads to the VPC itself, not
/// out).
pub fn covers_public(net: IpNet, own: &[IpNet]) -> bool {
    let blocks = || NOT_PUBLIC.iter().chain(own);
    if blocks().any(|block| block.contains(&net)) {
        return false;
    }
    let inside: Vec<IpNet> = blocks().filter(|block| net.contains(*block)).copied().collect();
    !covered(net, &inside)
}

/// Whether the range holds at least one address that is not public, or that is in `own`.
pub fn reaches_private(net: IpNet, own: &[IpNet]) -> bool {
    NOT_PUBLIC.iter().chain(own).any(|block| block.contains(&net) || net.contains(block))
}

/// Whether every address of `net` is in at least one of `blocks`.
pub fn covered(net: IpNet, blocks: &[IpNet]) -> bool {
    if blocks.iter().any(|block| block.contains(&net)) {
        return true;
    }
    if !blocks.iter().any(|block| net.contains(block)) {
        return false;
    }
    halves(net).is_some_and(|(low, high)| covered(low, blocks) && covered(high, blocks))
}

fn halves(net: IpNet) -> Option<(IpNet, IpNet)> {
    let mut subnets = net.subnets(net.prefix_len().checked_add(1)?).ok()?;
    Some((subnets.next()?, subnets.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(net: &str, own: &[&str]) -> bool {
        let own: Vec<IpNet> = own.iter().map(|net| net.parse().unwrap()).collect();
        covers_public(net.parse().unwrap(), &own)
    }

    #[test]
    fn any_range_with_one_private_address_reaches_private_clients() {
        let own: Vec<IpNet> = vec!["9.9.0.0/16".parse().unwrap()];
        let reaches = |net: &str| reaches_private(net.parse().unwrap(), &own);
        for net in
            ["10.1.0.0/16", "0.0.0.0/0", "8.0.0.0/6", "9.9.9.9/32", "9.0.0.0/8", "fd00::/8", "::/0"]
        {
            assert!(reaches(net), "{net}");
        }
        for net in ["8.8.8.8/32", "11.0.0.0/8", "2600:1f16::/32"] {
            assert!(!reaches(net), "{net}");
        }
    }

    #[test]
    fn any_range_with_one_public_address_is_public() {
        for net in [
            "0.0.0.0/0",
            "0.0.0.0/1",
            "128.0.0.0/1",
            "10.0.0.0/7",
            "1.1.1.1/32",
            "172.0.0.0/8",
            "192.0.0.0/8",
        ] {
            assert!(public(net, &[]), "{net}");
        }
        for net in
            ["::/0", "::/1", "8000::/1", "2000::/3", "64:ff9b::/96", "2600:1f16::/56", "2001::/16"]
        {
            assert!(public(net, &[]), "{net}");
        }
    }

    #[test]
    fn special_ranges_are_not() {
        for net in [
            "10.0.0.0/8",
            "10.1.2.0/24",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "169.254.169.254/32",
        ] {
            assert!(!public(net, &[]), "{net}");
        }
        for net in [
            "fc00::/7",
            "fd00:ec2::/32",
            "fe80::/10",
            "ff02::1/128",
            "2001:db8::/32",
            "64:ff9b:1::/48",
        ] {
            assert!(!public(net, &[]), "{net}");
        }
    }

    #[test]
    fn two_adjacent_special_ranges_make_one() {
        assert!(!public("224.0.0.0/3", &[]));
    }

    #[test]
    fn the_vpcs_own_blocks_lead_to_the_vpc() {
        assert!(!public("52.0.0.0/16", &["52.0.0.0/16"]));
        assert!(!public("52.0.1.0/24", &["52.0.0.0/16"]));
        assert!(public("52.0.0.0/15", &["52.0.0.0/16"]));
        assert!(!public("52.0.0.0/15", &["52.0.0.0/16", "52.1.0.0/16"]));
        assert!(!public("2600:1f16:abc:de00::/56", &["2600:1f16:abc:de00::/56"]));
    }

    #[test]
    fn the_text_is_kept_to_the_letter_and_nonsense_is_data() {
        let cidr = Cidr::from("::FFFF/0");
        assert_eq!(cidr.as_str(), "::FFFF/0");
        assert_eq!(Cidr::from("what").net(), None);
    }
}
