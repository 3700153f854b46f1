//! Addresses times ports: the plane that the rules of a network ACL divide among themselves.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::{IpNet, IpSubnets, Ipv4Subnets, Ipv6Subnets};

/// Every packet between one address and another of the same IP version, to one port or another;
/// never empty. It is kept by its ends, because what is left of it when a block is taken away need
/// not be a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    lowest: IpAddr,
    highest: IpAddr,
    first: u16,
    last: u16,
}

impl Area {
    /// A block and a range of ports; `None` where the range is empty.
    pub(super) fn of(net: IpNet, ports: &RangeInclusive<u16>) -> Option<Self> {
        let (lowest, highest) = (net.network(), net.broadcast());
        let area = Self { lowest, highest, first: *ports.start(), last: *ports.end() };
        Some(area).filter(Self::has_any)
    }

    /// What is in both.
    pub(super) fn overlap(&self, other: &Self) -> Option<Self> {
        let both = Self {
            lowest: self.lowest.max(other.lowest),
            highest: self.highest.min(other.highest),
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        };
        // Of two IP versions there is never any: every IPv6 address is higher than every IPv4 one.
        Some(both).filter(Self::has_any)
    }

    /// What is left when a part of it is taken away: at most four areas, that do not overlap.
    pub(super) fn without(self, part: Self) -> impl Iterator<Item = Self> {
        let below = before(part.lowest).map(|highest| Self { highest, ..self });
        let above = after(part.highest).map(|lowest| Self { lowest, ..self });
        let beside = Self { first: self.first, last: self.last, ..part };
        let under = part.first.checked_sub(1).map(|last| Self { last, ..beside });
        let over = part.last.checked_add(1).map(|first| Self { first, ..beside });
        [below, above, under, over].into_iter().flatten().filter(Self::has_any)
    }

    /// The addresses with other ports.
    pub(super) fn with_ports(self, ports: &RangeInclusive<u16>) -> Option<Self> {
        let area = Self { first: *ports.start(), last: *ports.end(), ..self };
        Some(area).filter(Self::has_any)
    }

    /// The ports.
    pub(super) fn ports(&self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// The addresses as the fewest blocks.
    pub(super) fn blocks(&self) -> impl Iterator<Item = IpNet> + use<> {
        let blocks = match (self.lowest, self.highest) {
            (IpAddr::V4(low), IpAddr::V4(high)) => Some(Ipv4Subnets::new(low, high, 0).into()),
            (IpAddr::V6(low), IpAddr::V6(high)) => Some(Ipv6Subnets::new(low, high, 0).into()),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
        };
        blocks.into_iter().flat_map(|blocks: IpSubnets| blocks)
    }

    fn has_any(&self) -> bool {
        self.lowest <= self.highest && self.first <= self.last
    }
}

fn before(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => v4.to_bits().checked_sub(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(v6) => v6.to_bits().checked_sub(1).map(|bits| IpAddr::V6(bits.into())),
    }
}

fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => v4.to_bits().checked_add(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(v6) => v6.to_bits().checked_add(1).map(|bits| IpAddr::V6(bits.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(net: &str, ports: RangeInclusive<u16>) -> Area {
        Area::of(net.parse().unwrap(), &ports).unwrap()
    }

    fn shown(areas: impl Iterator<Item = Area>) -> Vec<String> {
        let blocks = |area: &Area| area.blocks().map(|net| net.to_string()).collect::<Vec<_>>();
        areas
            .map(|area| format!("{} {}-{}", blocks(&area).join("+"), area.first, area.last))
            .collect()
    }

    #[test]
    fn a_hole_leaves_what_is_below_above_under_and_over_it() {
        let whole = area("10.0.0.0/29", 0..=9);
        let hole = area("10.0.0.2/32", 3..=4);
        assert_eq!(
            shown(whole.without(hole)),
            [
                "10.0.0.0/31 0-9",
                "10.0.0.3/32+10.0.0.4/30 0-9",
                "10.0.0.2/32 0-2",
                "10.0.0.2/32 5-9"
            ]
        );
        assert_eq!(whole.without(whole).count(), 0);
    }

    #[test]
    fn the_ends_of_all_addresses_and_all_ports_have_nothing_beyond_them() {
        for (whole, top) in [("0.0.0.0/0", "128.0.0.0/1"), ("::/0", "8000::/1")] {
            let whole = area(whole, 0..=u16::MAX);
            assert_eq!(whole.without(whole).count(), 0);
            assert_eq!(shown(std::iter::once(whole)).len(), 1);
            assert_eq!(whole.without(area(top, 0..=u16::MAX)).count(), 1);
        }
    }

    #[test]
    fn ip_versions_do_not_overlap() {
        assert_eq!(area("0.0.0.0/0", 0..=9).overlap(&area("::/0", 0..=9)), None);
        assert_eq!(area("10.0.0.0/24", 0..=9).overlap(&area("10.0.1.0/24", 0..=9)), None);
        assert_eq!(area("10.0.0.0/24", 0..=9).overlap(&area("10.0.0.0/25", 10..=19)), None);
        let both = area("10.0.0.0/24", 0..=9).overlap(&area("10.0.0.128/25", 5..=19));
        assert_eq!(both, Some(area("10.0.0.128/25", 5..=9)));
    }

    #[test]
    fn an_empty_range_of_ports_is_no_area() {
        #[expect(clippy::reversed_empty_ranges, reason = "an empty range is what is tested")]
        let none = 2..=1;
        assert_eq!(Area::of("10.0.0.0/8".parse().unwrap(), &none), None);
    }
}
