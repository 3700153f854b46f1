use serde_json::{Value, json};

use super::*;
use crate::analysis::served::prove;
use crate::fixture::{Fixture, gateway_endpoint, group, interface_endpoint};

fn named<'p, 'w>(
    required_services: &'p [RequiredService<'w>],
    service: &str,
    kind: EndpointKind,
) -> &'p RequiredService<'w> {
    required_services.iter().find(|p| p.service.to_string() == service && p.kind == kind).unwrap()
}

fn adopted(
    service: &str,
    kind: EndpointKind,
    edit: impl FnOnce(&mut Fixture) -> &mut Fixture,
) -> Option<String> {
    Fixture::edited(edit).view(|view, required_services| {
        named(required_services, service, kind)
            .adopted(view.snapshot)
            .map(|endpoint| endpoint.vpc_endpoint_id.to_string())
    })
}

/// The subnets and the services each is not served with.
fn unserved(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    Fixture::edited(edit).view(|view, required_services| {
        let placed = view.topology.private();
        placed
            .flat_map(|p| {
                let without = required_services
                    .iter()
                    .filter(|required| !prove(view, required, p).is_served());
                without
                    .map(|required| format!("{} {}", p.subnet.subnet_id, required.service))
                    .collect::<Vec<_>>()
            })
            .collect()
    })
}

/// A second endpoint for SSM, with fields of its own.
fn second(w: &mut Fixture, fields: Value) -> &mut Fixture {
    let mut endpoint = interface_endpoint("vpce-aaa", "ssm");
    for (key, value) in fields.as_object().unwrap() {
        endpoint[key] = value.clone();
    }
    w.add("VpcEndpoints", endpoint)
}

#[test]
fn services_of_the_region_under_their_full_names() {
    Fixture::edited(|w| w.remove("com.amazonaws.eu-central-1.ec2messages")).view(
        |_, required_services| {
            let told: Vec<String> = required_services
                .iter()
                .map(|p| format!("{} {} {}", p.kind, p.name, p.offered.is_some()))
                .collect();
            assert_eq!(
                told,
                [
                    "gateway com.amazonaws.eu-central-1.s3 true",
                    "gateway com.amazonaws.eu-central-1.dynamodb true",
                    "interface com.amazonaws.eu-central-1.ssm true",
                    "interface com.amazonaws.eu-central-1.ssmmessages true",
                    "interface com.amazonaws.eu-central-1.ec2messages false",
                ]
            );
        },
    );
}

#[test]
fn names_of_other_forms_are_found() {
    for full in
        ["aws.api.eu-central-1.kendra", "aws.sagemaker.eu-central-1.kendra", "com.amazonaws.kendra"]
    {
        Fixture::edited(|w| {
            w.add(
                "VpcEndpointServices",
                json!({"ServiceName": full, "ServiceType": [{"ServiceType": "Interface"}]}),
            );
            w.baseline("interface_endpoints", json!({"services": ["kendra"]}))
        })
        .view(|_, required_services| {
            assert_eq!(
                named(required_services, "kendra", EndpointKind::Interface).name.as_str(),
                full
            )
        });
    }
}

#[test]
fn each_side_of_a_service_with_two_is_its_own_service() {
    Fixture::edited(|w| w.baseline("interface_endpoints", json!({"services": ["s3"]}))).view(
        |_, required_services| {
            let dns = |kind| named(required_services, "s3", kind).wants_private_dns();
            assert_eq!((dns(EndpointKind::Gateway), dns(EndpointKind::Interface)), (false, true));
        },
    );
}

#[test]
fn of_several_endpoints_the_soundest_is_adopted() {
    let ssm = |edit: fn(&mut Fixture) -> &mut Fixture| {
        adopted("ssm", EndpointKind::Interface, edit).unwrap()
    };
    assert_eq!(ssm(|w| second(w, json!({}))), "vpce-aaa");
    assert_eq!(ssm(|w| second(w, json!({"SubnetIds": ["subnet-pria"]}))), "vpce-ssm");
    assert_eq!(ssm(|w| second(w, json!({"PrivateDnsEnabled": false}))), "vpce-ssm");
    assert_eq!(ssm(|w| second(w, json!({"State": "Failed"}))), "vpce-ssm");
    assert_eq!(
        ssm(|w| second(w, json!({"SubnetIds": ["subnet-pria"]})).set(
            "vpce-ssm",
            "PrivateDnsEnabled",
            json!(false)
        )),
        "vpce-aaa"
    );
    assert_eq!(
        ssm(|w| second(w, json!({"PrivateDnsEnabled": false})).set(
            "vpce-ssm",
            "State",
            json!("expired")
        )),
        "vpce-aaa"
    );
}

#[test]
fn endpoints_that_are_not_ours_are_never_adopted() {
    let ssm = |fields: Value| {
        adopted("ssm", EndpointKind::Interface, |w| second(w.remove("vpce-ssm"), fields))
    };
    assert_eq!(ssm(json!({})), Some("vpce-aaa".to_owned()));
    for fields in [
        json!({"RequesterManaged": true}),
        json!({"ServiceRegion": "us-east-1"}),
        json!({"VpcId": "vpc-2"}),
        json!({"State": "deleting"}),
        json!({"State": "Deleted"}),
        json!({"VpcEndpointType": "Resource"}),
        json!({"VpcEndpointType": "ServiceNetwork"}),
        json!({"ServiceName": "com.amazonaws.us-east-1.ssm"}),
    ] {
        assert_eq!(ssm(fields.clone()), None, "{fields}");
    }
}

#[test]
fn states_in_any_letter_case() {
    let health = |state: &str| {
        Fixture::edited(|w| w.set("vpce-s3", "State", json!(state))).view(|view, _| {
            super::health(view.snapshot.endpoint(&"vpce-s3".parse().unwrap()).unwrap())
        })
    };
    for (health_is, states) in [
        (Health::Works, ["available", "Available", "AVAILABLE"]),
        (Health::Coming, ["pending", "Pending", "pendingacceptance"]),
        (Health::Gone, ["deleting", "Deleted", "DELETED"]),
        (Health::Broken, ["Failed", "rejected", "Expired"]),
        (Health::Broken, ["partial", "Partial", "hibernating"]),
    ] {
        for state in states {
            assert_eq!(health(state), health_is, "{state}");
        }
    }
}

#[test]
fn a_compliant_vpc_serves_every_private_subnet() {
    assert_eq!(unserved(|w| w), Vec::<String>::new());
}

#[test]
fn a_gateway_serves_where_both_its_association_and_its_route_show() {
    let in_b = ["subnet-prib s3"];
    assert_eq!(unserved(|w| w.drop_route("rtb-b", "pl-s3")), in_b);
    assert_eq!(
        unserved(|w| w.drop_route("rtb-b", "pl-s3").route("rtb-b", "10.9.0.0/16", "vpce-s3")),
        in_b
    );
    assert_eq!(unserved(|w| w.set("vpce-s3", "RouteTableIds", json!(["rtb-a"]))), in_b);
    assert_eq!(unserved(|w| w.set_route("rtb-b", "pl-s3", "State", json!("blackhole"))), in_b);
    assert_eq!(
        unserved(|w| w.set("vpce-s3", "State", json!("pending"))),
        ["subnet-pria s3", "subnet-prib s3"]
    );
    assert_eq!(
        unserved(|w| {
            w.drop_route("rtb-b", "pl-s3").route("rtb-b", "pl-s3", "vpce-two");
            w.set("vpce-s3", "RouteTableIds", json!(["rtb-a"]));
            w.add("VpcEndpoints", gateway_endpoint("vpce-two", "s3", &["rtb-b"]))
        }),
        Vec::<String>::new()
    );
}

#[test]
fn an_interface_endpoint_serves_where_everything_it_needs_is_there() {
    let nowhere = ["subnet-pria ssm", "subnet-prib ssm"];
    // An interface in another zone serves: names are answered with the addresses of all of them.
    assert_eq!(
        unserved(|w| w.set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]))),
        Vec::<String>::new()
    );
    assert_eq!(unserved(|w| w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))), nowhere);
    assert_eq!(unserved(|w| w.set("vpce-ssm", "State", json!("pending"))), nowhere);
    assert_eq!(unserved(|w| w.set("vpce-ssm", "Groups", json!([]))), nowhere);
    assert_eq!(
        unserved(|w| w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-unseen"}]))),
        nowhere
    );
    let off = json!({"vpc-1": {"EnableDnsSupport": true, "EnableDnsHostnames": false}});
    let all = unserved(|w| {
        w.world["VpcAttributes"] = off;
        w
    });
    assert_eq!(all.len(), 6, "{all:?}");
    // Whether anybody answers the clients of gateway services is not known then either.
    assert_eq!(unserved(|w| w.without("VpcAttributes")).len(), 10);
}

#[test]
fn the_zones_of_an_endpoint_are_told_in_order_and_once() {
    let zones = |subnets: Value| {
        Fixture::edited(|w| w.set("vpce-ssm", "SubnetIds", subnets)).view(|view, _| {
            let endpoint = view.snapshot.endpoint(&"vpce-ssm".parse().unwrap()).unwrap();
            zones_of(endpoint, view.snapshot).iter().map(ToString::to_string).collect::<Vec<_>>()
        })
    };
    assert_eq!(
        zones(json!(["subnet-prib", "subnet-pria", "subnet-pubb"])),
        ["eu-central-1a", "eu-central-1b"]
    );
    assert_eq!(zones(json!(["subnet-gone"])), Vec::<String>::new());
}

#[test]
fn a_zone_where_the_service_is_not_offered_is_served_from_another() {
    assert_eq!(
        unserved(|w| {
            w.set("com.amazonaws.eu-central-1.ssm", "AvailabilityZones", json!(["eu-central-1a"]));
            w.set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]))
        }),
        Vec::<String>::new()
    );
}

#[test]
fn an_ipv6_only_subnet_is_not_served_by_endpoints_with_ipv4_addresses_only() {
    let v6_only = |w: &mut Fixture| {
        w.baseline("gateway_endpoints", json!({"services": []}));
        w.ipv6("subnet-prib", "2001:db8:0:2::/64");
        w.baseline("interface_endpoints", json!({"services": ["ssm"]})).set(
            "subnet-prib",
            "Ipv6Native",
            json!(true),
        );
    };
    assert_eq!(
        unserved(|w| {
            v6_only(w);
            w
        }),
        ["subnet-prib ssm"]
    );
    assert_eq!(
        unserved(|w| {
            v6_only(w);
            w.set("vpce-ssm", "IpAddressType", json!(null))
        }),
        ["subnet-prib ssm"]
    );
    assert_eq!(
        unserved(|w| {
            v6_only(w);
            w.set("vpce-ssm", "IpAddressType", json!("dualstack"))
        }),
        Vec::<String>::new()
    );
}

#[test]
fn an_ipv6_only_subnet_is_not_served_by_the_gateway_endpoint_of_another_table() {
    let served_by = |own: &str, other: &str| {
        unserved(|w| {
            w.baseline("interface_endpoints", json!({"services": []})).set(
                "subnet-prib",
                "Ipv6Native",
                json!(true),
            );
            w.baseline("gateway_endpoints", json!({"services": ["s3"]})).set(
                "vpce-s3",
                "IpAddressType",
                json!(own),
            );
            w.add("VpcEndpoints", gateway_endpoint("vpce-aaa", "s3", &[])).set(
                "vpce-aaa",
                "IpAddressType",
                json!(other),
            )
        })
    };
    assert_eq!(served_by("ipv4", "dualstack"), ["subnet-prib s3"]);
}

/// What a group with this permission admits.
fn admits(permission: Value) -> Vec<String> {
    let mut thing = group("sg-x", "x", &[]);
    thing["IpPermissions"] = json!([permission]);
    Fixture::edited(|w| w.add("SecurityGroups", thing)).view(|view, _| {
        let id: crate::ec2::id::SecurityGroupId = "sg-x".parse().unwrap();
        let group = view.snapshot.shared.groups.get(&id).unwrap();
        https_sources(group, view.snapshot.shared).iter().map(ToString::to_string).collect()
    })
}

#[test]
fn permissions_that_admit_443() {
    let from = |protocol: &str, ports: Value| {
        let mut permission = json!({"IpProtocol": protocol, "IpRanges": [{"CidrIp": "10.0.0.0/16"}],
            "Ipv6Ranges": [{"CidrIpv6": "2600::/16"}]});
        for (key, value) in ports.as_object().unwrap() {
            permission[key] = value.clone();
        }
        !admits(permission).is_empty()
    };
    assert!(from("-1", json!({})));
    assert!(from("tcp", json!({"FromPort": 443, "ToPort": 443})));
    assert!(from("6", json!({"FromPort": 0, "ToPort": 65535})));
    for ports in [json!({"FromPort": 443}), json!({"ToPort": 443}), json!({})] {
        assert!(!from("tcp", ports), "a port that is not said is no port");
    }
    assert!(!from("tcp", json!({"FromPort": 444, "ToPort": 500})));
    assert!(!from("tcp", json!({"FromPort": 80, "ToPort": 442})));
    let both = json!({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}], "Ipv6Ranges": [{"CidrIpv6": "2600::/16"}]});
    assert_eq!(admits(both), ["10.0.0.0/16", "2600::/16"]);
    assert!(!from("udp", json!({"FromPort": 443, "ToPort": 443})));
    assert!(!from("icmp", json!({"FromPort": -1, "ToPort": -1})));
}

#[test]
fn prefix_lists_admit_their_entries_as_far_as_they_were_read() {
    let by = |list: &str| {
        admits(
            json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": list}]}),
        )
    };
    assert_eq!(by("pl-in"), ["10.9.0.0/16"]);
    assert_eq!(by("pl-unread"), Vec::<String>::new());
    assert_eq!(by("pl-elsewhere"), Vec::<String>::new());
}

#[test]
fn a_group_named_as_source_admits_no_block() {
    let pair = json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": "sg-app"}]});
    assert_eq!(admits(pair), Vec::<String>::new());
}

#[test]
fn the_guardrails_own_group_is_known_by_its_tag_and_vpc() {
    let own = |edit: fn(&mut Fixture) -> &mut Fixture| {
        Fixture::edited(edit)
            .view(|view, _| own_group(view.snapshot).map(|group| group.group_id.to_string()))
    };
    assert_eq!(own(|w| w.tag("sg-https", "vpc-guardrail", "managed")), None);
    assert_eq!(
        own(|w| w.add("SecurityGroups", crate::fixture::own_group(&[]))),
        Some("sg-own".to_owned())
    );
    assert_eq!(
        own(|w| w.add("SecurityGroups", crate::fixture::own_group(&[])).set(
            "sg-own",
            "VpcId",
            json!("vpc-2")
        )),
        None
    );
}
