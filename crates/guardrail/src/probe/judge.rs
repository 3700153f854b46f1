//! What connections come to.

use std::net::IpAddr;

use ipnet::IpNet;

use super::answer::{
    Answer, Reached, ServiceAnswer, ServiceVerdict, TargetAnswer, Tried, Untried, Verdict,
};
use super::question::{Own, Question, ServiceQuestion, Target, VERSION};
use crate::ec2::cidr::covers_public;

/// How many addresses of a target are tried in each family.
const ADDRESSES_OF_A_TARGET: usize = 4;

/// What was seen of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its addresses and what came of each, or why it has none.
    pub addresses: Result<Vec<Tried>, String>,
}

/// Which of a name's addresses are tried: of a target the first few of each family, and none where a
/// private one disqualifies it.
pub fn worth_trying(addresses: &[IpAddr]) -> Vec<IpAddr> {
    if addresses.iter().any(|address| !is_public(*address)) {
        return Vec::new();
    }
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().copied().partition(IpAddr::is_ipv4);
    let first = |addresses: Vec<IpAddr>| addresses.into_iter().take(ADDRESSES_OF_A_TARGET);
    first(v4).chain(first(v6)).collect()
}

/// The answer to a question, by what was seen of its targets and services, each in its order.
pub fn answer(question: &Question, targets: Vec<Seen>, services: Vec<Seen>) -> Answer {
    Answer {
        version: VERSION,
        targets: question
            .targets
            .iter()
            .zip(targets)
            .map(|(target, seen)| target_answer(target, seen))
            .collect(),
        services: question
            .services
            .iter()
            .zip(services)
            .map(|(service, seen)| service_answer(service, seen))
            .collect(),
    }
}

/// What a target says of the way out.
pub fn target_answer(target: &Target, seen: Seen) -> TargetAnswer {
    let (addresses, unresolved) = parts(seen);
    let family = |is_of: fn(&IpAddr) -> bool| match addresses.iter().all(|t| is_public(t.address)) {
        true => worst(addresses.iter().filter(|tried| is_of(&tried.address))),
        false => Verdict::Disqualified,
    };
    let (ipv4, ipv6) = (family(IpAddr::is_ipv4), family(IpAddr::is_ipv6));
    TargetAnswer { name: target.name.clone(), port: target.port, ipv4, ipv6, unresolved, addresses }
}

fn parts(seen: Seen) -> (Vec<Tried>, Option<String>) {
    match seen.addresses {
        Ok(addresses) => (addresses, None),
        Err(why) => (Vec::new(), Some(why)),
    }
}

/// What the addresses of one family say: a way through one of them is a way. Silence counts only
/// where every address that was worth it was tried.
fn worst<'a>(tried: impl Iterator<Item = &'a Tried>) -> Verdict {
    let mut verdict = Verdict::NotTested;
    for tried in tried {
        let next = match &tried.reached {
            Reached::Tls => Verdict::Path,
            Reached::NotTls { .. } => Verdict::Intercepted,
            Reached::Refused { .. } => Verdict::Answered,
            Reached::Silent => Verdict::Silent,
            Reached::NotTried { .. } => Verdict::NotTested,
        };
        if rank(next) > rank(verdict) {
            verdict = next;
        }
    }
    verdict
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Path => 4,
        Verdict::Intercepted => 3,
        Verdict::Answered => 2,
        Verdict::Silent => 1,
        Verdict::NotTested | Verdict::Disqualified => 0,
    }
}

/// Whether a service answers where it should.
pub fn service_answer(service: &ServiceQuestion, seen: Seen) -> ServiceAnswer {
    let (addresses, unresolved) = parts(seen);
    ServiceAnswer {
        service: service.service.clone(),
        name: service.name.clone(),
        port: service.port,
        verdict: service_verdict(&service.own, &addresses),
        unresolved,
        addresses,
    }
}

fn service_verdict(own: &Own, tried: &[Tried]) -> ServiceVerdict {
    let foreign = || tried.iter().map(|tried| tried.address).filter(|address| !own.holds(*address));
    if foreign().any(is_public) {
        return ServiceVerdict::Public;
    }
    if foreign().next().is_some() {
        return ServiceVerdict::Elsewhere;
    }
    let answered = tried.iter().any(|tried| tried.reached == Reached::Tls);
    match answered && tried.iter().all(is_no_fault) {
        true => ServiceVerdict::Served,
        false => ServiceVerdict::NoAnswer,
    }
}

/// Whether an address answered, or is of a family that the probe does not have. Clients beside it may
/// have the family; what they meet there it cannot say.
fn is_no_fault(tried: &Tried) -> bool {
    match &tried.reached {
        Reached::Tls | Reached::NotTried { why: Untried::NoRouteHere(_) } => true,
        Reached::NotTls { .. }
        | Reached::Refused { .. }
        | Reached::Silent
        | Reached::NotTried { why: Untried::OutOfTime | Untried::NoNeed } => false,
    }
}

fn is_public(address: IpAddr) -> bool {
    covers_public(IpNet::from(address), &[])
}

#[cfg(test)]
mod tests;
