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

    /// What an instance that translates NAT64's addresses makes of it: those become IPv4.
    pub(super) fn nat64(&self) -> Option<Self> {
        match self.net {
            IpNet::V4(_) => None,
            IpNet::V6(_) => self.translated(),
        }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn route(block: &str, origin: &str, list: bool) -> (Route, IpNet) {
        let key = if list { "DestinationPrefixListId" } else { "DestinationCidrBlock" };
        let to = if list { "pl-1" } else { block };
        (serde_json::from_value(json!({key: to, "Origin": origin})).unwrap(), net(block))
    }

    fn holds(part: &Part, address: Ipv4Addr) -> bool {
        let address = IpNet::V4(address.into());
        part.net.contains(&address) && !part.except.iter().any(|block| block.contains(&address))
    }

    /// The ways that an address of these takes, by the place of their routes.
    fn taken(carried: &[Part], ways: &[Way<'_>], address: Ipv4Addr) -> Vec<usize> {
        let takes = |way: &Way<'_>| {
            carried
                .iter()
                .filter_map(|part| part.going(way, ways))
                .any(|part| holds(&part, address))
        };
        (0..ways.len()).filter(|at| takes(&ways[*at])).collect()
    }

    /// Beside the code under test: each address asks for its longest block itself.
    #[test]
    fn every_address_takes_the_way_of_its_longest_block_and_no_other() {
        let blocks = [
            "0.0.0.0/0",
            "0.0.0.0/1",
            "64.0.0.0/2",
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.2.0/24",
            "10.1.2.3/32",
            "128.0.0.0/1",
            "192.0.0.0/3",
        ];
        let routes = blocks.map(|block| route(block, "CreateRoute", false));
        let addresses: Vec<Ipv4Addr> = (0..4096_u32)
            .map(|at| Ipv4Addr::from(at.wrapping_mul(1_048_583)))
            .chain(["10.1.2.3", "10.1.2.4", "10.1.3.0", "10.2.0.0"].map(|a| a.parse().unwrap()))
            .collect();
        // Every choice of the blocks is a table.
        for choice in 0..1_u32 << blocks.len() {
            let chosen = routes.iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0);
            let ways: Vec<Way<'_>> =
                chosen.map(|(_, (route, block))| Way { route, block: *block }).collect();
            let carried = [
                Part::new(net("10.0.0.0/7"), &[net("11.0.0.0/9")]),
                Part::new(net("64.0.0.0/1"), &[]),
            ];
            for address in addresses.iter().skip(choice as usize % 7).step_by(61) {
                let single = IpNet::V4((*address).into());
                let best = (0..ways.len())
                    .filter(|at| ways[*at].block.contains(&single))
                    .max_by_key(|at| ways[*at].block.prefix_len());
                let is_carried = carried.iter().any(|part| holds(part, *address));
                let expected: Vec<usize> = best.filter(|_| is_carried).into_iter().collect();
                assert_eq!(taken(&carried, &ways, *address), expected, "{address} {choice:b}");
            }
        }
    }

    #[test]
    fn of_equal_blocks_the_static_one_goes_first_then_the_list_then_the_propagated_one() {
        let block = "0.0.0.0/0";
        let fixed = route(block, "CreateRoute", false);
        let list = route(block, "CreateRoute", true);
        let propagated = route(block, "EnableVgwRoutePropagation", false);
        let takes = |table: &[&(Route, IpNet)]| {
            let ways: Vec<Way<'_>> =
                table.iter().map(|(route, block)| Way { route, block: *block }).collect();
            taken(&[Part::new(net(block), &[])], &ways, Ipv4Addr::new(1, 1, 1, 1))
        };
        assert_eq!(takes(&[&propagated, &list, &fixed]), [2]);
        assert_eq!(takes(&[&propagated, &list]), [1]);
        assert_eq!(takes(&[&list, &list]), [0, 1], "nobody can tell which");
    }
}
