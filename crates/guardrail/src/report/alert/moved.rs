//! What the reader should know of the traffic that a plan moves or cuts off.

use std::fmt::Write as _;

use crate::cloud::NatTraffic;
use crate::ec2::list;
use crate::plan::advice::{Advice, Caution, NatGatewayLeft};
use crate::report::Report;
use crate::shown::{one_line, word};

/// How many ids or addresses are shown in one line: the report as data has all of them.
const SHOWN: usize = 8;

/// What the plan moves or cuts off, in one short line each.
pub(super) fn moved(out: &mut String, report: &Report) {
    let Some(advice) = &report.advice else { return };
    let _ = writeln!(out, "\nWhat this moves or cuts off");
    let lines = uncovered(advice).into_iter().chain(sources(advice));
    let lines = lines.chain(traffic(&report.nat_traffic));
    for line in lines.chain(advice.cautions.iter().map(caution)) {
        let _ = writeln!(out, "  - {}", one_line(&line));
    }
}

fn uncovered(advice: &Advice) -> Option<String> {
    let names = &advice.without_endpoint;
    (!names.is_empty()).then(|| {
        let names = list(names);
        format!("not covered by an endpoint here, and not reached without the route: {names}")
    })
}

/// Whom the traffic seems to come from, and who counts on it.
fn sources(advice: &Advice) -> Option<String> {
    let left = &advice.nat_gateways;
    if left.is_empty() {
        return None;
    }
    let shown = first(left.iter().map(addresses_of).collect());
    Some(format!(
        "resource policies that allow the addresses of {shown} by aws:SourceIp stop matching: \
         allow the VPC by aws:SourceVpc too"
    ))
}

fn traffic(all: &[NatTraffic]) -> Vec<String> {
    let mut lines: Vec<String> = all.iter().take(SHOWN).map(ToString::to_string).collect();
    if let Some(more) = all.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("what {more} more NAT gateways carried is in the report as data"));
    }
    lines
}

fn addresses_of(left: &NatGatewayLeft) -> String {
    match left.public_ips.as_slice() {
        [] => format!("{} (not read)", left.nat),
        [_, ..] => {
            let shown = left.public_ips.iter().map(|address| word(address).into_owned());
            format!("{} ({})", left.nat, first(shown.collect()))
        }
    }
}

/// The first few, and how many more there are.
fn first(all: Vec<String>) -> String {
    let more = all.len().saturating_sub(SHOWN);
    let shown: Vec<String> = all.into_iter().take(SHOWN).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", list(&shown))
}

fn caution(caution: &Caution) -> String {
    match caution {
        Caution::OpenConnections => "open connections that go that way now break".to_owned(),
        Caution::OpenConnectionsStay => {
            "open connections stay on the way they have where a private name moves, and break when \
             that way goes"
                .to_owned()
        }
        Caution::BucketsInOtherRegions => {
            "buckets in other Regions are not reached through S3's endpoint".to_owned()
        }
        Caution::ClientSecurityGroups => {
            "not looked at: whether clients' own security groups let TCP 443 out to the endpoints"
                .to_owned()
        }
        Caution::Ipv6Names { subnets } => {
            let shown = first(subnets.iter().map(ToString::to_string).collect());
            format!(
                "IPv6: clients in {shown} try it first for `dualstack` and `api.aws` names, and lose \
                 those that no endpoint answers over IPv6"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::cloud::Carried;
    use crate::ec2::id::Scope;
    use crate::fixture::Fixture;
    use crate::report::Cause;
    use crate::run::{RunRequest, preview};

    fn lines(advice: Option<Advice>, nat_traffic: Vec<NatTraffic>) -> Vec<String> {
        let request = RunRequest {
            scope: Scope {
                account: "111122223333".parse().unwrap(),
                region: "eu-central-1".parse().unwrap(),
                vpc: crate::fixture::vpc(),
            },
            cause: Cause::Event,
            evidence: Vec::new(),
            run_id: String::new(),
            incident: String::new(),
            deadline: Timestamp::MAX,
        };
        let fixture = Fixture::compliant();
        let now = Timestamp::UNIX_EPOCH;
        let report = preview(&fixture.wanted(), &fixture.world(), &request, now);
        let mut out = String::new();
        moved(&mut out, &Report { advice, nat_traffic, ..report });
        out.lines().map(str::to_owned).collect()
    }

    fn left(nat: &str, count: u8) -> NatGatewayLeft {
        let public_ips = (0..count).map(|at| format!("203.0.113.{at}")).collect();
        NatGatewayLeft { nat: nat.parse().unwrap(), public_ips, loses_route: true }
    }

    #[test]
    fn each_thing_to_know_is_one_line() {
        let advice = Advice {
            without_endpoint: ["sts", "kms"].map(str::to_owned).to_vec(),
            nat_gateways: vec![left("nat-1", 2), left("nat-2", 0), left("nat-3", 10)],
            cautions: vec![
                Caution::OpenConnections,
                Caution::OpenConnectionsStay,
                Caution::BucketsInOtherRegions,
                Caution::ClientSecurityGroups,
                Caution::Ipv6Names { subnets: vec!["subnet-a".parse().unwrap()] },
            ],
        };
        let carried = vec![NatTraffic { nat: "nat-1".parse().unwrap(), carried: Carried::NoData }];
        assert_eq!(
            lines(Some(advice), carried),
            [
                "",
                "What this moves or cuts off",
                "  - not covered by an endpoint here, and not reached without the route: sts, kms",
                "  - resource policies that allow the addresses of nat-1 (203.0.113.0, 203.0.113.1), \
                 nat-2 (not read), nat-3 (203.0.113.0, 203.0.113.1, 203.0.113.2, 203.0.113.3, \
                 203.0.113.4, 203.0.113.5, 203.0.113.6, 203.0.113.7 and 2 more) by aws:SourceIp stop \
                 matching: allow the VPC by aws:SourceVpc too",
                "  - no data of what nat-1 carried in the last hour: idle, or not told",
                "  - open connections that go that way now break",
                "  - open connections stay on the way they have where a private name moves, and \
                 break when that way goes",
                "  - buckets in other Regions are not reached through S3's endpoint",
                "  - not looked at: whether clients' own security groups let TCP 443 out to the \
                 endpoints",
                "  - IPv6: clients in subnet-a try it first for `dualstack` and `api.aws` names, and \
                 lose those that no endpoint answers over IPv6",
            ]
        );
    }

    #[test]
    fn what_moves_nothing_says_nothing() {
        assert_eq!(lines(None, Vec::new()), Vec::<String>::new());
    }

    #[test]
    fn many_gateways_are_not_all_told_of() {
        let idle = |at: usize| NatTraffic {
            nat: format!("nat-{at}").parse().unwrap(),
            carried: Carried::NoData,
        };
        let lines = lines(Some(Advice::default()), (0..SHOWN + 3).map(idle).collect());
        assert_eq!(lines.len(), 2 + SHOWN + 1);
        let last = "  - what 3 more NAT gateways carried is in the report as data";
        assert_eq!(lines.last().map(String::as_str), Some(last));
    }

    /// The addresses come from the world, which anybody may have written.
    #[test]
    fn an_address_forges_no_line() {
        let mut forged = left("nat-1", 0);
        forged.public_ips.push("1.2.3.4\n\nDone\n".to_owned());
        let advice = Advice { nat_gateways: vec![forged], ..Advice::default() };
        assert_eq!(lines(Some(advice), Vec::new()).len(), 3);
    }
}
