use super::*;
use crate::probe::{HostName, WayOut};

fn host(name: &str) -> HostName {
    HostName::try_from(name.to_owned()).unwrap()
}

fn tried(address: &str, reached: Reached) -> Tried {
    Tried { address: address.parse().unwrap(), reached }
}

fn no_route() -> Reached {
    Reached::NotTried { why: Untried::NoRouteHere("Network is unreachable".to_owned()) }
}

fn refused() -> Reached {
    Reached::Refused { why: "Connection refused".to_owned() }
}

fn not_tls() -> Reached {
    Reached::NotTls { why: "closed".to_owned() }
}

fn target(seen: Vec<Tried>) -> (Verdict, Verdict) {
    let target = Target { name: host("checkip.amazonaws.com"), port: 443 };
    let answer = target_answer(&target, Seen { addresses: Ok(seen) });
    (answer.ipv4, answer.ipv6)
}

fn service(own: Own, seen: Vec<Tried>) -> ServiceVerdict {
    let service = ServiceQuestion {
        service: "com.amazonaws.eu-central-1.ssm".parse().unwrap(),
        name: host("ssm.eu-central-1.amazonaws.com"),
        port: 443,
        own,
    };
    service_answer(&service, Seen { addresses: Ok(seen) }).verdict
}

fn interface(addresses: &[&str]) -> Own {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Own { addresses, ranges: Vec::new() }
}

#[test]
fn a_target_says_the_most_that_one_of_its_addresses_says() {
    use Verdict::{Answered, Intercepted, NotTested, Path, Silent};
    let v4 = ["52.1.1.1", "52.1.1.2"];
    for (reached, verdict) in [
        ([Reached::Silent, Reached::Tls], Path),
        ([not_tls(), Reached::Silent], Intercepted),
        ([Reached::Silent, refused()], Answered),
        ([not_tls(), refused()], Intercepted),
        ([Reached::Silent, Reached::Silent], Silent),
        ([Reached::Silent, no_route()], Silent),
        ([no_route(), Reached::NotTried { why: Untried::OutOfTime }], NotTested),
    ] {
        let seen = v4.iter().zip(reached).map(|(address, reached)| tried(address, reached));
        assert_eq!(target(seen.collect()), (verdict, NotTested));
    }
}

#[test]
fn each_family_speaks_for_itself() {
    let seen = vec![tried("52.1.1.1", Reached::Silent), tried("2600:1::1", Reached::Tls)];
    assert_eq!(target(seen), (Verdict::Silent, Verdict::Path));
    assert_eq!(target(vec![]), (Verdict::NotTested, Verdict::NotTested));
}

#[test]
fn a_private_answer_disqualifies_a_target_in_both_families() {
    let no_need = Reached::NotTried { why: Untried::NoNeed };
    let disqualified = (Verdict::Disqualified, Verdict::Disqualified);
    for private in
        ["10.0.1.5", "100.64.0.1", "169.254.1.1", "127.0.0.1", "fd00::1", "::ffff:1.2.3.4"]
    {
        let seen = vec![tried("52.1.1.1", no_need.clone()), tried(private, no_need.clone())];
        assert_eq!(target(seen), disqualified, "{private}");
        let both: Vec<IpAddr> = ["52.1.1.1", private].map(|a| a.parse().unwrap()).into();
        assert_eq!(worth_trying(&both), Vec::<IpAddr>::new());
    }
}

#[test]
fn the_first_few_addresses_of_each_family_are_tried() {
    let v4 = (1..=6).map(|n| IpAddr::from([52, 1, 1, n]));
    let v6 = (1..=2).map(|n| IpAddr::from([0x2600, 1, 0, 0, 0, 0, 0, n]));
    let all: Vec<IpAddr> = v4.clone().chain(v6.clone()).collect();
    assert_eq!(worth_trying(&all), v4.take(4).chain(v6).collect::<Vec<_>>());
}

#[test]
fn what_all_targets_say_is_the_most_that_one_of_them_says() {
    use Verdict::{Answered, Disqualified, Intercepted, NotTested, Path, Silent};
    let said = |verdicts: &[Verdict]| {
        let targets = verdicts.iter().map(|verdict| TargetAnswer {
            name: host("checkip.amazonaws.com"),
            port: 443,
            ipv4: *verdict,
            ipv6: NotTested,
            unresolved: None,
            addresses: Vec::new(),
        });
        let answer = Answer { version: 1, targets: targets.collect(), services: Vec::new() };
        assert_eq!(answer.ipv6(), WayOut::NotTested);
        answer.ipv4()
    };
    assert_eq!(said(&[]), WayOut::NotTested);
    assert_eq!(said(&[NotTested, Disqualified]), WayOut::NotTested);
    assert_eq!(said(&[Silent, Silent]), WayOut::NoneSeen);
    assert_eq!(said(&[Silent, Answered]), WayOut::Answered);
    assert_eq!(said(&[Intercepted, Answered]), WayOut::Intercepted);
    assert_eq!(said(&[Silent, Path, Intercepted]), WayOut::Path);
    assert_eq!(WayOut::NoneSeen.to_string(), "no way out seen");
}

#[test]
fn a_service_is_served_where_each_of_its_addresses_is_its_own_and_answers() {
    let own = || interface(&["10.0.1.5", "10.0.2.5", "2600:5::5"]);
    let served = vec![tried("10.0.1.5", Reached::Tls), tried("10.0.2.5", Reached::Tls)];
    assert_eq!(service(own(), served), ServiceVerdict::Served);
    let one_family = vec![tried("10.0.1.5", Reached::Tls), tried("2600:5::5", no_route())];
    assert_eq!(service(own(), one_family), ServiceVerdict::Served);
}

#[test]
fn a_service_is_not_served_where_one_address_does_not_answer_as_it() {
    let out_of_time = Reached::NotTried { why: Untried::OutOfTime };
    for fault in [Reached::Silent, refused(), not_tls(), out_of_time] {
        let seen = vec![tried("10.0.1.5", Reached::Tls), tried("10.0.2.5", fault.clone())];
        let own = interface(&["10.0.1.5", "10.0.2.5"]);
        assert_eq!(service(own, seen), ServiceVerdict::NoAnswer, "{fault:?}");
    }
    assert_eq!(service(interface(&["10.0.1.5"]), vec![]), ServiceVerdict::NoAnswer);
    let nothing_tried = vec![tried("10.0.1.5", no_route())];
    assert_eq!(service(interface(&["10.0.1.5"]), nothing_tried), ServiceVerdict::NoAnswer);
}

#[test]
fn a_name_that_leads_to_others_says_so_however_they_answer() {
    let at = |address: &str| {
        let seen = vec![tried("10.0.1.5", Reached::Tls), tried(address, Reached::Tls)];
        service(interface(&["10.0.1.5"]), seen)
    };
    assert_eq!(at("10.0.9.9"), ServiceVerdict::Elsewhere);
    assert_eq!(at("52.1.1.1"), ServiceVerdict::Public);
    let both = vec![tried("10.0.9.9", Reached::Tls), tried("52.1.1.1", Reached::Silent)];
    assert_eq!(service(interface(&[]), both), ServiceVerdict::Public);
}

#[test]
fn a_gateway_service_has_public_addresses_in_its_ranges() {
    let own = || Own { addresses: Vec::new(), ranges: vec!["52.1.0.0/16".parse().unwrap()] };
    let at = |address: &str, reached| service(own(), vec![tried(address, reached)]);
    assert_eq!(at("52.1.1.1", Reached::Tls), ServiceVerdict::Served);
    assert_eq!(at("52.1.1.1", Reached::Silent), ServiceVerdict::NoAnswer);
    assert_eq!(at("52.2.1.1", Reached::Tls), ServiceVerdict::Public);
    assert_eq!(at("10.0.1.5", Reached::Tls), ServiceVerdict::Elsewhere);
}

#[test]
fn an_answer_comes_back_as_it_went_out() {
    let question = Question {
        version: 1,
        targets: vec![Target { name: host("checkip.amazonaws.com"), port: 443 }],
        services: vec![ServiceQuestion {
            service: "com.amazonaws.eu-central-1.ssm".parse().unwrap(),
            name: host("ssm.eu-central-1.amazonaws.com"),
            port: 443,
            own: interface(&["10.0.1.5"]),
        }],
        limits: crate::probe::Limits::default(),
    };
    let silent = Seen { addresses: Ok(vec![tried("52.1.1.1", Reached::Silent)]) };
    let unresolved = Seen { addresses: Err("no\nsuch name".to_owned()) };
    let answer = answer(&question, vec![silent], vec![unresolved]);
    let json = serde_json::json!({
        "version": 1,
        "targets": [{
            "name": "checkip.amazonaws.com", "port": 443,
            "ipv4": "silent", "ipv6": "not-tested",
            "addresses": [{ "address": "52.1.1.1", "reached": "silent" }],
        }],
        "services": [{
            "service": "com.amazonaws.eu-central-1.ssm",
            "name": "ssm.eu-central-1.amazonaws.com", "port": 443,
            "verdict": "no-answer", "unresolved": "no\nsuch name", "addresses": [],
        }],
    });
    assert_eq!(serde_json::to_value(&answer).unwrap(), json);
    assert_eq!(serde_json::from_value::<Answer>(json).unwrap(), answer);
    assert_eq!(
        answer.to_string(),
        "over IPv4: no way out seen; over IPv6: not tested\n\
         checkip.amazonaws.com:443: IPv4 silent, IPv6 not tested; 52.1.1.1 was silent\n\
         com.amazonaws.eu-central-1.ssm (ssm.eu-central-1.amazonaws.com:443) does not answer; the \
         name leads nowhere: \"no such name\"\n"
    );
}
