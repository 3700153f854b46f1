//! Gateway endpoints: tables, routes, ranges, and what overrules them.

use serde_json::{Value, json};

use super::{check, only_gateway, only_s3, told};
use crate::fixture::{Fixture, gateway_endpoint, route};

#[test]
fn a_table_without_the_endpoint_or_its_route() {
    check(
        |w| only_s3(w).delete_gateway("vpce-s3"),
        &["s3 for pria: no endpoint on rtb-a", "s3 for prib: no endpoint on rtb-b"],
    );
    check(
        |w| {
            only_s3(w)
                .set("vpce-s3", "RouteTableIds", json!(["rtb-b"]))
                .drop_route("rtb-a", "pl-s3")
        },
        &["s3 for pria: no endpoint on rtb-a"],
    );
    check(
        |w| only_s3(w).drop_route("rtb-a", "pl-s3"),
        &["s3 for pria: rtb-a has no active route to vpce-s3"],
    );
    check(
        |w| only_s3(w).set_route("rtb-a", "pl-s3", "State", json!("blackhole")),
        &["s3 for pria: rtb-a has no active route to vpce-s3"],
    );
}

#[test]
fn an_endpoint_of_the_route_that_does_not_work() {
    for (state, told) in [
        ("pending", "s3 for pria, prib: vpce-s3 is in state pending"),
        ("failed", "s3 for pria, prib: vpce-s3 is in state failed"),
    ] {
        check(|w| only_s3(w).set("vpce-s3", "State", json!(state)), &[told]);
    }
    // The endpoint of another service on the same table is none of this one's.
    check(|w| only_gateway(w, json!("s3")).set("vpce-dynamodb", "State", json!("failed")), &[]);
}

#[test]
fn the_table_and_the_lists_must_have_been_read() {
    check(|w| only_s3(w).without("PrefixLists"), &["s3 for pria, prib: ? PrefixLists not read"]);
    check(
        |w| only_s3(w).remove("pl-s3"),
        &[
            "s3 for pria: ? the address ranges of pl-s3 were not read",
            "s3 for prib: ? the address ranges of pl-s3 were not read",
        ],
    );
    check(
        |w| only_s3(w).set("pl-s3", "Cidrs", json!(null)),
        &[
            "s3 for pria: ? the address ranges of pl-s3 were not read",
            "s3 for prib: ? the address ranges of pl-s3 were not read",
        ],
    );
    check(|w| only_s3(w).without("RouteTables"), &["s3 for pria, prib: ? RouteTables not read"]);
}

/// Anybody may call a list of his own as AWS calls the service's.
#[test]
fn only_awss_own_list_of_the_services_name_is_the_services() {
    let decoy = |owner: Value| {
        json!({"PrefixListId": "pl-decoy", "PrefixListName": "com.amazonaws.eu-central-1.s3",
            "OwnerId": owner, "Entries": [{"Cidr": "8.8.8.8/32"}]})
    };
    let with = |owner: Value| {
        move |w: &mut Fixture| {
            only_s3(w).add("PrefixLists", decoy(owner.clone()));
        }
    };
    for (owner, expected) in [
        (json!("111122223333"), &[][..]),
        (
            json!("AWS"),
            &[
                "s3 for pria: rtb-a has no active route to vpce-s3",
                "s3 for prib: rtb-b has no active route to vpce-s3",
            ],
        ),
        (
            json!(null),
            &[
                "s3 for pria: ? the address ranges of pl-decoy were not read",
                "s3 for prib: ? the address ranges of pl-decoy were not read",
            ],
        ),
    ] {
        check(
            |w| {
                with(owner)(w);
                w
            },
            expected,
        );
    }
    // A way to what is in that list overrules nothing of the service's.
    check(
        |w| {
            only_s3(w).add("PrefixLists", decoy(json!("111122223333"))).route(
                "rtb-a",
                "8.8.8.8/32",
                "tgw-1",
            )
        },
        &[],
    );
}

/// A route of `rtb-a` as AWS makes it of this origin.
fn bent<'f>(w: &'f mut Fixture, destination: &str, target: &str, origin: Value) -> &'f mut Fixture {
    let mut added = route(destination, target);
    added["Origin"] = origin;
    w.thing("rtb-a")["Routes"].as_array_mut().unwrap().push(added);
    only_s3(w)
}

/// "A remaining route overrules where it is static and equal to or longer than a range of the
/// service, propagated and longer, or in a longer customer-list entry (equal: cannot tell)."
#[test]
fn a_route_into_the_services_ranges_overrules() {
    let (fixed, propagated) = (json!("CreateRoute"), json!("EnableVgwRoutePropagation"));
    let yes = |destination: &str, target: &str| {
        vec![format!("s3 for pria: rtb-a: {destination} → {target} overrules the endpoint's route")]
    };
    let perhaps = |destination: &str, target: &str| {
        vec![format!(
            "s3 for pria: ? rtb-a: {destination} → {target} may overrule the endpoint's route"
        )]
    };
    for (destination, target, origin, expected) in [
        // Static: as long, longer, shorter, beside.
        ("52.219.0.0/16", "nat-1", &fixed, yes("52.219.0.0/16", "nat-1")),
        ("52.219.4.0/24", "tgw-1", &fixed, yes("52.219.4.0/24", "tgw-1")),
        ("52.218.0.0/15", "nat-1", &fixed, vec![]),
        ("52.220.0.0/16", "nat-1", &fixed, vec![]),
        ("0.0.0.0/1", "nat-1", &fixed, vec![]),
        ("2600::/12", "eigw-1", &fixed, vec![]),
        // Propagated: as long, longer, advertised by a route server.
        ("52.219.0.0/16", "vgw-1", &propagated, vec![]),
        ("52.219.4.0/24", "vgw-1", &propagated, yes("52.219.4.0/24", "vgw-1")),
        ("52.219.0.0/16", "eni-1", &json!("Advertisement"), vec![]),
        // Of an origin of no known meaning, or of none that was said.
        ("52.219.0.0/16", "tgw-1", &json!("Elsewhere"), perhaps("52.219.0.0/16", "tgw-1")),
        ("52.219.0.0/16", "tgw-1", &json!(null), perhaps("52.219.0.0/16", "tgw-1")),
    ] {
        let seen = told(|w| bent(w, destination, target, origin.clone()));
        assert_eq!(seen, expected, "{destination} {origin}");
    }
}

#[test]
fn an_entry_of_a_customers_list_overrules_where_it_is_longer() {
    let listed = |entries: Value| {
        told(|w| {
            w.add(
                "PrefixLists",
                json!({"PrefixListId": "pl-own", "OwnerId": "111122223333",
                "Entries": entries}),
            );
            bent(w, "pl-own", "tgw-1", json!("CreateRoute"))
        })
    };
    assert_eq!(
        listed(json!([{"Cidr": "10.9.0.0/16"}, {"Cidr": "52.219.4.0/24"}])),
        ["s3 for pria: rtb-a: pl-own → tgw-1 overrules the endpoint's route"]
    );
    assert_eq!(
        listed(json!([{"Cidr": "52.219.0.0/16"}])),
        ["s3 for pria: ? rtb-a: pl-own → tgw-1 may overrule the endpoint's route"]
    );
    assert_eq!(listed(json!([{"Cidr": "10.9.0.0/16"}, {"Cidr": "52.0.0.0/8"}])), [""; 0]);
}

/// A list whose entries were not read may hold anything.
#[test]
fn an_unread_list_may_overrule_unless_it_leads_to_the_services_public_addresses() {
    check(
        |w| bent(w, "pl-unread", "tgw-1", json!("CreateRoute")),
        &["s3 for pria: ? rtb-a: pl-unread → tgw-1 may overrule the endpoint's route"],
    );
    check(|w| bent(w, "pl-unread", "nat-1", json!("CreateRoute")), &[]);
    check(
        |w| {
            bent(w, "pl-unread", "nat-1", json!("CreateRoute"));
            w.set_route("rtb-a", "pl-unread", "State", json!("blackhole"))
        },
        &["s3 for pria: ? rtb-a: pl-unread → nat-1 may overrule the endpoint's route"],
    );
}

/// A blackhole takes its part too, and drops it; a route that is filtered acts on nothing.
#[test]
fn a_blackhole_overrules_and_a_filtered_route_does_not() {
    let with = |state: &str| {
        told(|w| {
            bent(w, "52.219.4.0/24", "nat-1", json!("CreateRoute"));
            w.set_route("rtb-a", "52.219.4.0/24", "State", json!(state))
        })
    };
    assert_eq!(
        with("blackhole"),
        ["s3 for pria: rtb-a: 52.219.4.0/24 → nat-1 overrules the endpoint's route"]
    );
    assert_eq!(with("filtered"), [""; 0]);
}

#[test]
fn a_gateway_endpoint_writes_routes_for_its_versions_of_ip() {
    let native = |w: &mut Fixture, kind: &str| {
        let _ = only_s3(w).set("vpce-s3", "IpAddressType", json!(kind));
        w.set("subnet-pria", "Ipv6Native", json!(true));
    };
    check(
        |w| {
            native(w, "ipv4");
            w
        },
        &["s3 for pria: vpce-s3 does not answer over IPv6"],
    );
    // Without a list of IPv6 ranges in the table, no IPv6 client comes by the endpoint.
    check(
        |w| {
            native(w, "dualstack");
            w
        },
        &["s3 for pria: ? rtb-a leads to none of the service's address ranges that were read"],
    );
    check(
        |w| {
            native(w, "dualstack");
            w.add(
                "PrefixLists",
                json!({"PrefixListId": "pl-s3v6", "PrefixListName": "six",
                "Cidrs": ["2a05:d000::/32"]}),
            );
            w.route("rtb-a", "pl-s3v6", "vpce-s3");
            let rule = |egress: bool| {
                json!({"RuleNumber": 101, "Egress": egress, "RuleAction": "allow",
                    "Protocol": "-1", "Ipv6CidrBlock": "::/0"})
            };
            let entries = w.thing("acl-default")["Entries"].as_array_mut().unwrap();
            entries.extend([rule(true), rule(false)]);
            w
        },
        &[],
    );
    check(
        |w| only_s3(w).set("vpce-s3", "IpAddressType", json!("ipv6")),
        &["s3 for pria, prib: vpce-s3 does not answer over IPv4"],
    );
}

/// A second endpoint of the service elsewhere in the VPC is none of this table's.
#[test]
fn the_endpoint_that_the_table_leads_to_is_judged() {
    check(
        |w| {
            only_s3(w).add("VpcEndpoints", gateway_endpoint("vpce-aaa", "s3", &["rtb-pub"]));
            w.set("vpce-aaa", "State", json!("failed"))
        },
        &[],
    );
}

/// `subnet-pria` has both versions of IP, and the endpoint a route for each in `rtb-a`; the name answers
/// as said.
fn dual_stack(w: &mut Fixture, record: Value) -> &mut Fixture {
    only_s3(w).ipv6("subnet-pria", "2001:db8:0:1::/64").remove("subnet-prib");
    w.set("vpce-s3", "IpAddressType", json!("dualstack"));
    w.set("vpce-s3", "DnsOptions", json!({"DnsRecordIpType": record}));
    let list = json!({"PrefixListId": "pl-s3v6", "PrefixListName": "six",
        "Cidrs": ["2a05:d000::/32"]});
    w.add("PrefixLists", list).route("rtb-a", "pl-s3v6", "vpce-s3")
}

/// "Returned record types": with AAAA records, clients that have both versions come over IPv6 first, so
/// that IPv6 ranges, ACLs and routes count.
#[test]
fn a_gateway_endpoint_whose_name_answers_over_ipv6_is_looked_at_over_ipv6_too() {
    let overruled = "s3 for pria: rtb-a: 2a05:d000::/33 → eigw-1 overrules the endpoint's route";
    let longer = |w: &mut Fixture, record: Value| {
        dual_stack(w, record).route("rtb-a", "2a05:d000::/33", "eigw-1");
    };
    let stopped =
        "s3 for pria: acl-default stops outbound TCP 443 to 2a05:d000::/32 (no rule admits it)";
    let shut = |w: &mut Fixture, record: Value| {
        dual_stack(w, record);
        let entries = w.thing("acl-default")["Entries"].as_array_mut().unwrap();
        entries.retain(|entry| entry["Egress"] == json!(false) || entry["CidrBlock"].is_string());
    };
    for (record, counts) in [
        (json!("dualstack"), true),
        (json!(null), false),
        (json!("service-defined"), false),
        (json!("ipv4"), false),
    ] {
        let expected = |line: &'static str| if counts { vec![line] } else { vec![] };
        check(|w| dual_stack(w, record.clone()), &[]);
        check(
            |w| {
                longer(w, record.clone());
                w
            },
            &expected(overruled),
        );
        check(
            |w| {
                shut(w, record.clone());
                w
            },
            &expected(stopped),
        );
    }
    check(|w| dual_stack(w, json!("ipv6")), &["s3 for pria: vpce-s3 does not answer over IPv4"]);
    check(
        |w| dual_stack(w, json!("six")),
        &["s3 for pria: ? whether the name of vpce-s3 answers over IPv6 is not said"],
    );
    check(
        |w| dual_stack(w, json!("dualstack")).set("vpce-s3", "IpAddressType", json!("ipv4")),
        &["s3 for pria: vpce-s3 does not answer over IPv6"],
    );
    check(
        |w| dual_stack(w, json!("dualstack")).set("vpce-s3", "IpAddressType", json!("tristack")),
        &["s3 for pria: ? the IP address type of vpce-s3 is not known: tristack"],
    );
}

/// The route of one version of IP is none of the other's.
#[test]
fn each_version_of_ip_has_a_route_of_its_own() {
    check(
        |w| dual_stack(w, json!("dualstack")).drop_route("rtb-a", "pl-s3"),
        &["s3 for pria: rtb-a has no active route to vpce-s3"],
    );
    check(
        |w| dual_stack(w, json!("dualstack")).drop_route("rtb-a", "pl-s3v6"),
        &["s3 for pria: ? rtb-a leads to none of the service's address ranges that were read"],
    );
    check(
        |w| {
            dual_stack(w, json!("dualstack"));
            w.set_route("rtb-a", "pl-s3", "State", json!("blackhole"))
        },
        &["s3 for pria: rtb-a has no active route to vpce-s3"],
    );
}

/// What AWS does not say of the endpoint's route, or says in a word that is not known, is not known.
#[test]
fn a_route_whose_state_is_not_said() {
    for state in [json!(null), json!("dreaming")] {
        check(
            |w| only_s3(w).set_route("rtb-a", "pl-s3", "State", state),
            &["s3 for pria: ? whether the route of rtb-a to vpce-s3 is active is not said"],
        );
    }
}

#[test]
fn an_endpoint_that_a_route_leads_to_and_that_is_listed_as_another_than_a_gateway() {
    for kind in ["Interface", "GatewayLoadBalancer", "what"] {
        let seen = super::told(|w| only_s3(w).set("vpce-s3", "VpcEndpointType", json!(kind)));
        let line = |table: &str| {
            format!(
                "s3 for pri{table}: ? rtb-{table} leads to vpce-s3, which is not listed as a gateway endpoint"
            )
        };
        assert_eq!(seen, [line("a"), line("b")], "{kind}");
    }
}

/// A subnet between two tables is served where both serve it; by which one it goes nobody knows.
#[test]
fn both_tables_of_a_subnet_whose_association_is_not_settled_count() {
    let unclear = "s3 for pria: ? RouteTables not read";
    let world = |w: &mut Fixture, state: &str| {
        let association =
            json!([{"SubnetId": "subnet-pria", "AssociationState": {"State": state}}]);
        only_s3(w).set("rtb-a", "Associations", association);
    };
    for state in ["associating", "wobbling"] {
        let told = told(|w| {
            world(w, state);
            w
        });
        assert_eq!(told, [unclear], "{state}");
    }
    check(
        |w| {
            world(w, "associating");
            w.set("vpce-s3", "RouteTableIds", json!(["rtb-a", "rtb-b", "rtb-main"]));
            w.route("rtb-main", "pl-s3", "vpce-s3")
        },
        &[],
    );
}
