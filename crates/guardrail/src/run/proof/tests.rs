use serde_json::{Value, json};

use super::*;
use crate::cloud::ErrorClass;
use crate::fixture::{Fixture, vpc};
use crate::probe::Tried;

const PROBE_A: &str = "vpc-guardrail-probe-subnet-pria";

/// The fixture's VPC with a probe in the private subnet of zone a, and interfaces of its endpoints.
pub(in crate::run) fn probed(w: &mut Fixture) -> &mut Fixture {
    w.baseline("probes", json!([PROBE_A]));
    for (number, service) in ["ssm", "ssmmessages", "ec2messages"].into_iter().enumerate() {
        let interface = format!("eni-{service}");
        w.add(
            "NetworkInterfaces",
            json!({
                "NetworkInterfaceId": interface, "VpcId": "vpc-1", "SubnetId": "subnet-pria",
                "InterfaceType": "vpc_endpoint", "PrivateIpAddress": format!("10.0.1.{number}"),
                "PrivateIpAddresses": [{"PrivateIpAddress": format!("10.0.1.{number}")}],
            }),
        );
        w.set(&format!("vpce-{service}"), "NetworkInterfaceIds", json!([interface]));
    }
    w
}

fn asked(table: &str, edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<Inquiry> {
    let fixture = Fixture::edited(|w| edit(probed(w)));
    let scope = Scope {
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        vpc: vpc(),
    };
    let table: RouteTableId = table.parse().unwrap();
    inquiries(&fixture.wanted(), &fixture.world(), &scope, &BTreeSet::from([&table]))
}

fn unaskable(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> String {
    asked("rtb-a", edit)[0].question().unwrap_err()
}

#[test]
fn a_probe_is_asked_for_each_required_service_at_the_addresses_of_its_endpoint() {
    let interface = |service: &str, address: &str| {
        json!({
            "service": format!("com.amazonaws.eu-central-1.{service}"),
            "name": format!("{service}.example"), "port": 443, "own": {"addresses": [address]},
        })
    };
    let gateway = |service: &str, ranges: Value| {
        json!({
            "service": format!("com.amazonaws.eu-central-1.{service}"),
            "name": format!("{service}.eu-central-1.amazonaws.com"), "port": 443,
            "own": {"ranges": ranges},
        })
    };
    let expected = json!({
        "version": 1,
        "targets": [],
        "services": [
            gateway("s3", json!(["3.5.0.0/19", "52.219.0.0/16"])),
            gateway("dynamodb", json!(["52.94.0.0/22"])),
            interface("ssm", "10.0.1.0"),
            interface("ssmmessages", "10.0.1.1"),
            interface("ec2messages", "10.0.1.2"),
        ],
        "limits": {"wait_ms": 2000, "whole_ms": 4000},
    });
    let inquiries = asked("rtb-a", |w| w);
    assert_eq!(inquiries.len(), 1);
    assert_eq!(inquiries[0].probe.to_string(), PROBE_A);
    assert_eq!(serde_json::to_value(inquiries[0].question().unwrap()).unwrap(), expected);
}

#[test]
fn only_probes_in_subnets_of_the_table_are_asked() {
    assert_eq!(asked("rtb-b", |w| w), []);
    assert_eq!(asked("rtb-a", |w| w.baseline("probes", json!([]))), []);
    let elsewhere = json!(["vpc-guardrail-probe-subnet-elsewhere"]);
    assert_eq!(asked("rtb-a", |w| w.baseline("probes", elsewhere)), []);
    let nothing_required = |w: &mut Fixture| {
        w.baseline("gateway_endpoints", json!({"services": []}))
            .baseline("interface_endpoints", json!({"services": []}));
    };
    let inquiries = asked("rtb-a", |w| {
        nothing_required(w);
        w
    });
    assert_eq!(inquiries, []);
}

#[test]
fn any_name_below_a_wildcard_is_asked_for() {
    let name = json!([{"PrivateDnsName": "*.dkr.example"}]);
    let inquiries = asked("rtb-a", |w| {
        let services = w.section("VpcEndpointServices").iter_mut();
        for service in services.filter(|it| it["ServiceName"] == "com.amazonaws.eu-central-1.ssm") {
            service["PrivateDnsNames"] = name.clone();
        }
        w
    });
    let question = inquiries[0].question().unwrap();
    assert_eq!(question.services[2].name.as_str(), "vpc-guardrail-probe.dkr.example");
}

#[test]
fn a_name_that_two_endpoints_serve_is_asked_for_once() {
    let both = json!({"services": ["s3", "ssm"]});
    let inquiries = asked("rtb-a", |w| {
        for service in w.section("VpcEndpointServices").iter_mut() {
            if service["ServiceName"] == "com.amazonaws.eu-central-1.s3" {
                service["PrivateDnsName"] = json!("s3.eu-central-1.amazonaws.com");
            }
        }
        let mut endpoint = crate::fixture::interface_endpoint("vpce-s3i", "s3");
        endpoint["NetworkInterfaceIds"] = json!(["eni-s3i"]);
        let interface = json!({"NetworkInterfaceId": "eni-s3i", "VpcId": "vpc-1",
            "SubnetId": "subnet-pria", "PrivateIpAddress": "10.0.1.9",
            "Ipv6Addresses": [{"Ipv6Address": "2001:db8::9"}]});
        w.add("VpcEndpoints", endpoint).add("NetworkInterfaces", interface);
        w.baseline("interface_endpoints", both)
    });
    let question = inquiries[0].question().unwrap();
    let names: Vec<&str> = question.services.iter().map(|asked| asked.name.as_str()).collect();
    let dynamodb = "dynamodb.eu-central-1.amazonaws.com";
    assert_eq!(names, ["s3.eu-central-1.amazonaws.com", dynamodb, "ssm.example"]);
    let own = &question.services[0].own;
    for address in ["10.0.1.9", "2001:db8::9", "52.219.1.1"] {
        assert!(own.holds(address.parse().unwrap()), "{address}");
    }
    assert!(!own.holds("10.0.1.8".parse().unwrap()));
}

#[test]
fn what_cannot_be_asked_is_said_and_proves_nothing() {
    let unread = "it cannot be asked about com.amazonaws.eu-central-1.ssm, because the addresses it \
                  should answer from were not read";
    assert_eq!(unaskable(|w| w.remove("eni-ssm")), unread);
    let of_s3 = "it cannot be asked about com.amazonaws.eu-central-1.s3, because the addresses it \
                 should answer from were not read";
    assert_eq!(unaskable(|w| w.without("PrefixLists")), of_s3);
    let by_its_own_name = json!({"services": [{"service": "ssm", "reached_by": "endpoint-name"}]});
    assert_eq!(
        unaskable(|w| w.baseline("interface_endpoints", by_its_own_name)),
        "it cannot be asked about com.amazonaws.eu-central-1.ssm, because the name that clients use \
         is not known"
    );
}

fn question() -> Question {
    asked("rtb-a", |w| w)[0].question().unwrap()
}

/// What a probe answers where every service comes to the same.
pub(in crate::run) fn answer_of(question: &Question, verdict: ServiceVerdict) -> Answer {
    let services = question.services.iter().map(|asked| ServiceAnswer {
        service: asked.service.clone(),
        name: asked.name.clone(),
        port: asked.port,
        verdict,
        unresolved: None,
        addresses: Vec::<Tried>::new(),
    });
    Answer { version: VERSION, targets: Vec::new(), services: services.collect() }
}

#[test]
fn only_an_answer_that_every_service_is_served_leaves_no_doubt() {
    let question = question();
    let served = answer_of(&question, ServiceVerdict::Served);
    assert_eq!(doubt(&question, &Ok(served.clone())), None);

    for verdict in [ServiceVerdict::Elsewhere, ServiceVerdict::Public, ServiceVerdict::NoAnswer] {
        let mut answer = served.clone();
        answer.services[4].verdict = verdict;
        let said = answer.services[4].to_string();
        assert_eq!(doubt(&question, &Ok(answer)), Some(said), "{verdict:?}");
    }
    let mut forgets = served.clone();
    forgets.services.remove(1);
    assert_eq!(
        doubt(&question, &Ok(forgets)),
        Some("it said nothing of com.amazonaws.eu-central-1.dynamodb".to_owned())
    );
    assert_eq!(
        doubt(&question, &Ok(Answer { version: 2, ..served })),
        Some("it answered in version 2 and not in 1; deploy it from this release".to_owned())
    );
    let pending = CallError {
        operation: "Invoke".to_owned(),
        class: ErrorClass::Transient,
        code: Some("ResourceConflictException".to_owned()),
        message: "The function is pending".to_owned(),
    };
    assert_eq!(
        doubt(&question, &Err(pending)).unwrap(),
        "it gave no answer: Invoke: ResourceConflictException: \"The function is pending\""
    );
}

#[test]
fn a_run_has_longer_where_probes_are_asked_again() {
    let watched = |probes: Value| {
        let fixture = Fixture::edited(|w| w.baseline("probes", probes));
        watched_for(&fixture.wanted()).as_secs()
    };
    assert_eq!([watched(json!([])), watched(json!([PROBE_A]))], [0, 80]);
    let waits = BETWEEN_TRIES_AFTER * (TRIES_AFTER - 1);
    assert!(waits >= Duration::from_secs(60), "the tries are spread over a minute");
}
