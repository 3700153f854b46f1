//! Which part of what a route carries each route of another table takes over, by longest prefix.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::ec2::cidr::{covered, covers_public};
use crate::ec2::world::{Route, RouteOrigin};

/// All addresses there are.
pub(super) const EVERYWHERE: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
    IpNet::V6(Ipv6Net::new_assert(std::net::Ipv6Addr::UNSPECIFIED, 0)),
];

/// NAT64: the last four bytes of an address in it are an IPv4 address
/// (docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html).
const NAT64: Ipv6Net =
    Ipv6Net::new_assert(std::net::Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// A block of addresses without those that are excepted.
#[derive(Debug, Clone)]
pub(super) struct Part {
    net: IpNet,
    except: Vec<IpNet>,
}

/// One block of a route's destination.
pub(super) struct Way<'t> {
    pub(super) route: &'t Route,
    pub(super) block: IpNet,
}

impl Part {
    pub(super) fn new(net: IpNet, except: &[IpNet]) -> Self {
        Self { net, except: except.to_vec() }
    }

    /// Whether an address is left that is in none of these either.
    pub(super) fn reaches_beyond(&self, kept: &[IpNet]) -> bool {
        let except: Vec<IpNet> = self.except.iter().chain(kept).copied().collect();
        !covered(self.net, &except)
    }

    pub(super) fn is_public(&self, own: &[IpNet]) -> bool {
        let except: Vec<IpNet> = self.except.iter().chain(own).copied().collect();
        covers_public(self.net, &except)
    }

    /// What of it goes this way, where these are all ways that there are.
    pub(super) fn going(&self, way: &Way<'_>, all: &[Way<'_>]) -> Option<Self> {
        let net = overlap(self.net, way.block)?;
        let better = all.iter().filter(|other| takes_from(other, way));
        let except = self.except.iter().copied().chain(better.map(|other| other.block));
        let except = except.filter(|block| overlap(*block, net).is_some()).collect();
        Some(Self { net, except }).filter(|part| part.reaches_beyond(&[]))
    }

    /// What a NAT gateway makes of it: IPv4 stays, NAT64's addresses become IPv4, and no other IPv6
    /// passes.
    pub(super) fn translated(&self) -> Option<Self> {
        let net = ipv4_of(self.net)?;
        let except = self.except.iter().filter_map(|block| ipv4_of(*block)).collect();
        Some(Self { net, except }).filter(|part| part.reaches_beyond(&[]))
    }
}

/// Whether packets rather go the one way than the other: the longest prefix first, then static
/// routes, then prefix lists, then propagated routes; of two equal prefix lists nobody can tell
/// (docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html).
fn takes_from(one: &Way<'_>, other: &Way<'_>) -> bool {
    let rank = |way: &Way<'_>| (way.block.prefix_len(), priority(way.route));
    rank(one) > rank(other)
}

fn priority(route: &Route) -> u8 {
    match (&route.origin, &route.destination_prefix_list_id) {
        (Some(RouteOrigin::EnableVgwRoutePropagation | RouteOrigin::Advertisement), _) => 0,
        (_, Some(_)) => 1,
        (_, None) => 2,
    }
}

/// The addresses that two blocks have in common: all of the smaller one, or none.
fn overlap(one: IpNet, two: IpNet) -> Option<IpNet> {
    if one.contains(&two) {
        return Some(two);
    }
    two.contains(&one).then_some(one)
}

fn ipv4_of(net: IpNet) -> Option<IpNet> {
    match (net, overlap(net, IpNet::V6(NAT64))) {
        (IpNet::V4(_), _) => Some(net),
        (IpNet::V6(_), Some(inside)) => {
            let IpAddr::V6(first) = inside.network() else { return None };
            let [.., a, b, c, d] = first.octets();
            let len = inside.prefix_len().checked_sub(NAT64.prefix_len())?;
            Ipv4Net::new(Ipv4Addr::new(a, b, c, d), len).ok().map(IpNet::V4)
        }
        (IpNet::V6(_), None) => None,
    }
}
