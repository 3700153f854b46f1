//! The probe in networks of the test's own: each test is in a network namespace that has one wire to
//! a router, and what they do is routes only. Names, listeners and certificates are the test's own.
//!
//! Where namespaces are forbidden, a test prints that it is skipped.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what tests stand on ends with them"
)]

mod listener;
mod place;
mod resolver;

use std::time::{Duration, Instant};

use guardrail::probe::{
    Answer, Limits, Own, Question, Reached, ServiceQuestion, ServiceVerdict, Target, Untried,
    Verdict, WayOut,
};
use listener::{Authority, Manner, listen};
use place::{Place, in_namespace};

const NAME: &str = "checkip.amazonaws.com";
const SERVICE: &str = "ssm.eu-central-1.amazonaws.com";
const OUTSIDE: &str = "52.1.1.1";

fn target(name: &str) -> Target {
    Target { name: name.to_owned().try_into().unwrap(), port: 443 }
}

fn service(own: Own) -> ServiceQuestion {
    ServiceQuestion {
        service: "com.amazonaws.eu-central-1.ssm".parse().unwrap(),
        name: SERVICE.to_owned().try_into().unwrap(),
        port: 443,
        own,
    }
}

fn interface(addresses: &[&str]) -> ServiceQuestion {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    service(Own { addresses, ranges: Vec::new() })
}

fn about(targets: Vec<Target>, services: Vec<ServiceQuestion>) -> Question {
    let limits = Limits { wait_ms: 1_500, whole_ms: 8_000 };
    Question { version: 1, targets, services, limits }
}

impl Place {
    /// What the probe says of one target.
    fn way_out(&self) -> (Verdict, Verdict, Answer) {
        let answer = self.ask(&about(vec![target(NAME)], Vec::new()));
        let of = &answer.targets[0];
        (of.ipv4, of.ipv6, answer)
    }

    /// What the probe says of one service.
    fn served(&self, question: ServiceQuestion) -> ServiceVerdict {
        self.ask(&about(Vec::new(), vec![question])).services[0].verdict
    }
}

#[test]
fn a_name_that_answers_with_its_certificate_is_a_way_out() {
    in_namespace("a_name_that_answers_with_its_certificate_is_a_way_out", |place| {
        place.name(NAME, &[OUTSIDE]);
        place.host(OUTSIDE);
        listen("52.1.1.1:443", Manner::Tls(place.authority.server(NAME)));
        let (ipv4, ipv6, answer) = place.way_out();
        assert_eq!((ipv4, ipv6), (Verdict::Path, Verdict::NotTested));
        assert_eq!((answer.ipv4(), answer.ipv6()), (WayOut::Path, WayOut::NotTested));
    });
}

#[test]
fn a_router_that_drops_everything_is_no_way_out_seen() {
    in_namespace("a_router_that_drops_everything_is_no_way_out_seen", |place| {
        place.name(NAME, &[OUTSIDE, "52.1.1.2"]);
        place.router_does("blackhole default");
        let (ipv4, ipv6, answer) = place.way_out();
        assert_eq!((ipv4, ipv6), (Verdict::Silent, Verdict::NotTested));
        assert_eq!(answer.ipv4(), WayOut::NoneSeen);
    });
}

#[test]
fn a_router_that_says_no_has_answered() {
    in_namespace("a_router_that_says_no_has_answered", |place| {
        place.name(NAME, &[OUTSIDE]);
        for no in ["unreachable default", "prohibit default"] {
            place.router_does(no);
            assert_eq!(place.way_out().0, Verdict::Answered, "{no}");
        }
    });
}

#[test]
fn what_this_machine_has_no_route_to_is_not_tested() {
    in_namespace("what_this_machine_has_no_route_to_is_not_tested", |place| {
        place.name(NAME, &[OUTSIDE]);
        for own in ["blackhole", "unreachable", "prohibit"] {
            place.ip(&format!("route replace {own} 52.0.0.0/8"));
            let (ipv4, _, answer) = place.way_out();
            assert_eq!(ipv4, Verdict::NotTested, "{own}");
            let tried = &answer.targets[0].addresses[0].reached;
            let no_route = matches!(tried, Reached::NotTried { why: Untried::NoRouteHere(_) });
            assert!(no_route, "{own}: {tried:?}");
            place.ip(&format!("route del {own} 52.0.0.0/8"));
        }
    });
}

#[test]
fn a_refused_connection_has_an_answer() {
    in_namespace("a_refused_connection_has_an_answer", |place| {
        place.name(NAME, &[OUTSIDE]);
        place.host(OUTSIDE);
        assert_eq!(place.way_out().0, Verdict::Answered);
    });
}

#[test]
fn a_connection_without_the_certificate_is_intercepted() {
    in_namespace("a_connection_without_the_certificate_is_intercepted", |place| {
        let addresses = ["52.1.1.1", "52.1.1.2", "52.1.1.3", "52.1.1.4", "52.1.1.5"];
        let manners = [
            Manner::Reset,
            Manner::Close,
            Manner::Mute,
            Manner::Garbage,
            Manner::Tls(place.authority.server("another.example.com")),
        ];
        for (address, manner) in addresses.into_iter().zip(manners) {
            let said = format!("{manner:?}");
            place.name(NAME, &[address]);
            place.host(address);
            listen(&format!("{address}:443"), manner);
            assert_eq!(place.way_out().0, Verdict::Intercepted, "{said}");
        }
    });
}

#[test]
fn a_middlebox_that_takes_every_address_is_an_interception() {
    in_namespace("a_middlebox_that_takes_every_address_is_an_interception", |place| {
        place.name(NAME, &[OUTSIDE]);
        place.ip("route add local 0.0.0.0/0 dev lo");
        listen("0.0.0.0:443", Manner::Tls(Authority::new().server(NAME)));
        let (ipv4, _, answer) = place.way_out();
        assert_eq!(ipv4, Verdict::Intercepted);
        assert_eq!(answer.ipv4(), WayOut::Intercepted);
    });
}

#[test]
fn a_private_answer_disqualifies_a_target_and_is_not_tried() {
    in_namespace("a_private_answer_disqualifies_a_target_and_is_not_tried", |place| {
        place.name(NAME, &[OUTSIDE, "10.0.1.5"]);
        for address in [OUTSIDE, "10.0.1.5"] {
            place.host(address);
            listen(&format!("{address}:443"), Manner::Tls(place.authority.server(NAME)));
        }
        let (ipv4, ipv6, answer) = place.way_out();
        assert_eq!((ipv4, ipv6), (Verdict::Disqualified, Verdict::Disqualified));
        assert_eq!(answer.ipv4(), WayOut::NotTested);
        let no_need = Reached::NotTried { why: Untried::NoNeed };
        assert!(answer.targets[0].addresses.iter().all(|tried| tried.reached == no_need));
    });
}

#[test]
fn ipv6_speaks_for_itself() {
    in_namespace("ipv6_speaks_for_itself", |place| {
        place.name(NAME, &[OUTSIDE, "2600:1::1"]);
        let (ipv4, ipv6, _) = place.way_out();
        assert_eq!((ipv4, ipv6), (Verdict::Silent, Verdict::NotTested));

        place.has_ipv6();
        let (ipv4, ipv6, _) = place.way_out();
        assert_eq!((ipv4, ipv6), (Verdict::Silent, Verdict::Silent));

        place.host("2600:1::1");
        listen("[2600:1::1]:443", Manner::Tls(place.authority.server(NAME)));
        let (ipv4, ipv6, answer) = place.way_out();
        assert_eq!((ipv4, ipv6), (Verdict::Silent, Verdict::Path));
        assert_eq!((answer.ipv4(), answer.ipv6()), (WayOut::NoneSeen, WayOut::Path));
    });
}

#[test]
fn a_service_is_served_where_each_address_answers() {
    in_namespace("a_service_is_served_where_each_address_answers", |place| {
        place.name(SERVICE, &["10.0.1.5", "10.0.2.5"]);
        let own = || interface(&["10.0.1.5", "10.0.2.5"]);
        assert_eq!(place.served(own()), ServiceVerdict::NoAnswer);

        place.host("10.0.1.5");
        listen("10.0.1.5:443", Manner::Tls(place.authority.server(SERVICE)));
        assert_eq!(place.served(own()), ServiceVerdict::NoAnswer);

        place.host("10.0.2.5");
        // Interface endpoints of S3 speak no TLS 1.3.
        listen("10.0.2.5:443", Manner::Tls(place.authority.server_of_tls12(SERVICE)));
        assert_eq!(place.served(own()), ServiceVerdict::Served);

        assert_eq!(place.served(interface(&["10.0.1.5"])), ServiceVerdict::Elsewhere);
    });
}

#[test]
fn a_service_whose_name_answers_publicly_is_told_as_public() {
    in_namespace("a_service_whose_name_answers_publicly_is_told_as_public", |place| {
        place.name(SERVICE, &[OUTSIDE]);
        place.host(OUTSIDE);
        listen("52.1.1.1:443", Manner::Tls(place.authority.server(SERVICE)));
        assert_eq!(place.served(interface(&["10.0.1.5"])), ServiceVerdict::Public);
        let gateway = |range: &str| {
            service(Own { addresses: Vec::new(), ranges: vec![range.parse().unwrap()] })
        };
        assert_eq!(place.served(gateway("52.2.0.0/16")), ServiceVerdict::Public);
        assert_eq!(place.served(gateway("52.1.0.0/16")), ServiceVerdict::Served);
    });
}

#[test]
fn names_without_an_answer_end_in_time() {
    in_namespace("names_without_an_answer_end_in_time", |place| {
        let unknown = about(vec![target(NAME)], vec![interface(&["10.0.1.5"])]);
        let answer = place.ask(&unknown);
        assert_eq!(answer.targets[0].ipv4, Verdict::NotTested);
        assert!(answer.targets[0].unresolved.is_some());
        assert_eq!(answer.services[0].verdict, ServiceVerdict::NoAnswer);

        place.resolver_is_silent();
        let began = Instant::now();
        let answer = place.ask(&unknown);
        assert_eq!(answer.targets[0].unresolved.as_deref(), Some("no answer in time"));
        assert!(began.elapsed() < Duration::from_secs(4));
    });
}

#[test]
fn the_whole_look_ends_in_time() {
    in_namespace("the_whole_look_ends_in_time", |place| {
        place.name(NAME, &[OUTSIDE]);
        let limits = Limits { wait_ms: 10_000, whole_ms: 700 };
        let began = Instant::now();
        let answer = place.ask(&Question { limits, ..about(vec![target(NAME)], Vec::new()) });
        assert!(began.elapsed() < Duration::from_secs(3));
        assert_eq!(answer.targets[0].ipv4, Verdict::NotTested);
        let out_of_time = Reached::NotTried { why: Untried::OutOfTime };
        assert_eq!(answer.targets[0].addresses[0].reached, out_of_time);
    });
}
