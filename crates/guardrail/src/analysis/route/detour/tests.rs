use serde_json::{Value, json};

use super::*;
use crate::analysis::route::classify;
use crate::fixture::{Fixture, route};

/// How the route `0.0.0.0/0` of `rtb-a` to this target is judged after an edit: one word, where it
/// leads, and why it is only told of.
fn judged(target: &str, edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> String {
    to("0.0.0.0/0", target, edit)
}

fn to(destination: &str, target: &str, edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> String {
    let route: Route = serde_json::from_value(route(destination, target)).unwrap();
    Fixture::edited(edit).topology(|topology, snapshot| {
        let mut tables = topology.tables.iter().map(|used| used.table);
        let table = tables.find(|table| table.route_table_id.as_str() == "rtb-a").unwrap();
        let class = classify(&route, table, snapshot, topology);
        let told = |doubt: &Doubt| match doubt {
            Doubt::CarriesMore(to) => format!(" [carries more: {to}]"),
            Doubt::Unproven(from, to) => format!(" [unproven: {from} to {to}]"),
        };
        let doubt = if let RouteClass::Internet(InternetExit::Detour(detour)) = &class {
            detour.doubt.as_ref().map(told)
        } else {
            None
        };
        let doubt = doubt.unwrap_or_default();
        format!("{}: {class}{doubt}", class.word())
    })
}

/// An interface that forwards, of the instance of the same number.
fn eni(number: u8, subnet: &str) -> Value {
    json!({"NetworkInterfaceId": format!("eni-{number}"), "VpcId": "vpc-1", "SubnetId": subnet,
        "SourceDestCheck": false, "InterfaceType": "interface",
        "Attachment": {"InstanceId": format!("i-{number}")}})
}

fn with(mut eni: Value, key: &str, value: Value) -> Value {
    eni[key] = value;
    eni
}

const UNPROVEN: &str = " [unproven: private NAT gateway nat-private to public NAT gateway nat-1]";

#[test]
fn a_private_nat_gateway_leads_where_its_own_subnets_table_does() {
    let inside = "inside: private NAT gateway nat-private, whose traffic cannot leave";
    assert_eq!(judged("nat-private", |w| w), inside);
    // The internet gateway drops what is not translated to a public address.
    assert_eq!(judged("nat-private", |w| w.route("rtb-b", "0.0.0.0/0", "igw-1")), inside);
    assert_eq!(
        judged("nat-private", |w| w.route("rtb-b", "0.0.0.0/0", "nat-1")),
        format!(
            "internet: private NAT gateway nat-private, then public NAT gateway nat-1{UNPROVEN}"
        )
    );
    assert_eq!(
        judged("nat-private", |w| {
            let w = w.route("rtb-b", "0.0.0.0/0", "eni-1");
            w.add("NetworkInterfaces", eni(1, "subnet-puba"))
        }),
        "internet: private NAT gateway nat-private, then interface eni-1, then internet gateway igw-1 \
         [unproven: private NAT gateway nat-private to interface eni-1]"
    );
}

#[test]
fn behind_a_private_nat_gateway_what_may_lead_out_is_told() {
    for (target, exit) in [
        ("tgw-1", "transit gateway tgw-1"),
        ("vgw-1", "virtual private gateway vgw-1"),
        ("pcx-1", "peering connection pcx-1"),
        ("lgw-1", "local gateway lgw-1"),
        ("cagw-1", "carrier gateway cagw-1"),
        ("vpce-gwlb", "Gateway Load Balancer endpoint vpce-gwlb"),
    ] {
        assert_eq!(
            judged("nat-private", |w| w.route("rtb-b", "0.0.0.0/0", target)),
            format!("may lead out: private NAT gateway nat-private, then {exit}")
        );
    }
    for (target, what) in [
        ("portal-1", "a target of no known kind: portal-1"),
        ("nat-gone", "NAT gateway nat-gone, which was not among those observed"),
        ("eni-9", "eni-9, which was not among the interfaces observed"),
    ] {
        assert_eq!(
            judged("nat-private", |w| w.route("rtb-b", "0.0.0.0/0", target)),
            format!("unknown: private NAT gateway nat-private, then {what}")
        );
    }
}

#[test]
fn a_hop_whose_subnet_is_not_known_is_unknown() {
    let expected =
        "unknown: private NAT gateway nat-private, whose subnet's table was not observed";
    for subnet in [json!(null), json!("subnet-elsewhere")] {
        assert_eq!(judged("nat-private", |w| w.set("nat-private", "SubnetId", subnet)), expected);
    }
    assert_eq!(
        judged("eni-1", |w| w.add("NetworkInterfaces", eni(1, "subnet-elsewhere"))),
        "unknown: interface eni-1, whose subnet's table was not observed"
    );
}

#[test]
fn a_circle_leads_nowhere() {
    let inside = "inside: private NAT gateway nat-private, whose traffic cannot leave";
    assert_eq!(judged("nat-private", |w| w.route("rtb-b", "0.0.0.0/0", "nat-private")), inside);
    assert_eq!(
        judged("eni-1", |w| {
            w.route("rtb-b", "0.0.0.0/0", "eni-2").route("rtb-a", "0.0.0.0/0", "eni-1");
            w.add("NetworkInterfaces", eni(1, "subnet-prib"));
            w.add("NetworkInterfaces", eni(2, "subnet-pria"))
        }),
        "may lead out: interface eni-1, then interface eni-2, which may be an appliance"
    );
}

#[test]
fn an_appliance_in_front_of_a_nat_gateway_leads_out_for_certain() {
    let w = |w: &mut Fixture| {
        w.route("rtb-b", "0.0.0.0/0", "nat-1").add("NetworkInterfaces", eni(1, "subnet-prib"));
    };
    let expected = "internet: interface eni-1, then public NAT gateway nat-1";
    for target in ["eni-1", "i-1"] {
        assert_eq!(
            judged(target, |f| {
                w(f);
                f
            }),
            expected
        );
    }
}

#[test]
fn instances_behind_each_other_count_only_with_the_check_off() {
    let behind = |check: Value, next: Value| {
        judged("eni-1", |w| {
            w.route("rtb-b", "0.0.0.0/0", "eni-2");
            w.add("NetworkInterfaces", with(eni(1, "subnet-prib"), "SourceDestCheck", check));
            w.add("NetworkInterfaces", with(eni(2, "subnet-puba"), "SourceDestCheck", next))
        })
    };
    let (on, off, not_said) = (json!(true), json!(false), json!(null));
    assert_eq!(
        behind(off.clone(), off.clone()),
        "internet: interface eni-1, then interface eni-2, then internet gateway igw-1"
    );
    assert_eq!(
        behind(on.clone(), off.clone()),
        "may lead out: interface eni-1, which may be an appliance"
    );
    assert_eq!(
        behind(off.clone(), on),
        "may lead out: interface eni-1, then interface eni-2, which may be an appliance"
    );
    let unsaid = "whose source/destination check is not said";
    assert_eq!(
        behind(not_said.clone(), off.clone()),
        format!("unknown: interface eni-1, {unsaid}")
    );
    assert_eq!(
        behind(off, not_said),
        format!("unknown: interface eni-1, then interface eni-2, {unsaid}")
    );
}

/// A firewall has an interface on each side; what it does between them is not seen from outside.
#[test]
fn what_comes_in_by_one_interface_may_leave_by_another_of_the_same_instance() {
    let firewall = |outside: &str, edit: fn(&mut Fixture) -> &mut Fixture| {
        judged("eni-1", |w| {
            w.add("NetworkInterfaces", eni(1, "subnet-prib"));
            let other = with(eni(2, outside), "Attachment", json!({"InstanceId": "i-1"}));
            edit(w.add("NetworkInterfaces", with(other, "SourceDestCheck", json!(true))))
        })
    };
    assert_eq!(
        firewall("subnet-puba", |w| w),
        "internet: interface eni-1, then interface eni-2 of the same instance, then internet gateway \
         igw-1 [unproven: interface eni-1 to interface eni-2 of the same instance]"
    );
    let appliance = "may lead out: interface eni-1, which may be an appliance";
    assert_eq!(firewall("subnet-pria", |w| w), appliance);
    assert_eq!(
        firewall("subnet-puba", |w| w.set("eni-2", "Attachment", json!({"InstanceId": "i-2"}))),
        appliance
    );
    assert_eq!(
        firewall("subnet-puba", |w| {
            let nobodys = || json!({"Status": "attached"});
            w.set("eni-1", "Attachment", nobodys()).set("eni-2", "Attachment", nobodys())
        }),
        appliance,
        "two interfaces that are of no instance are not of one"
    );
}

/// What a gateway in another VPC does with it, nobody sees from here.
#[test]
fn an_instance_with_an_interface_in_another_vpc_may_lead_out_there() {
    let other_vpc = |inside: &str| {
        judged("eni-1", |w| {
            w.add("NetworkInterfaces", eni(1, inside));
            let other = with(eni(2, "subnet-2"), "Attachment", json!({"InstanceId": "i-1"}));
            w.add("NetworkInterfaces", with(other, "VpcId", json!("vpc-2")))
        })
    };
    assert_eq!(
        other_vpc("subnet-prib"),
        "unknown: interface eni-1, then interface eni-2 of the same instance, whose subnet's table was \
         not observed"
    );
    assert_eq!(
        other_vpc("subnet-puba"),
        "internet: interface eni-1, then internet gateway igw-1 [carries more: interface eni-2 of the \
         same instance, in another VPC]"
    );
}

/// An instance can translate as a NAT gateway does; that it does is not seen from outside.
#[test]
fn an_instance_may_translate_nat64s_addresses_to_ipv4() {
    let carrying = |destination: &str, target: &str| {
        to(destination, "eni-1", |w| {
            w.route("rtb-b", "0.0.0.0/0", target).add("NetworkInterfaces", eni(1, "subnet-prib"))
        })
    };
    let out = "internet: interface eni-1, then its translation to IPv4, then public NAT gateway nat-1 \
               [unproven: interface eni-1 to its translation to IPv4]";
    for destination in ["64:ff9b::/96", "::/0", "64:ff9b::808:808/128"] {
        assert_eq!(carrying(destination, "nat-1"), out, "{destination}");
    }
    assert_eq!(
        carrying("2000::/3", "nat-1"),
        "may lead out: interface eni-1, which may be an appliance"
    );
    assert_eq!(
        carrying("64:ff9b::/96", "portal-1"),
        "unknown: interface eni-1, then its translation to IPv4, then a target of no known kind: portal-1"
    );
}

/// IPv6 comes in on one side, IPv4 goes out on the other.
#[test]
fn what_an_instance_translates_may_leave_by_another_of_its_interfaces() {
    let instance = |interface| with(interface, "Attachment", json!({"InstanceId": "i-1"}));
    let carrying = |destination: &str| {
        to(destination, "eni-1", |w| {
            w.add("NetworkInterfaces", instance(eni(1, "subnet-prib")))
                .add("NetworkInterfaces", instance(eni(2, "subnet-puba")))
        })
    };
    let out = "internet: interface eni-1, then interface eni-2 of the same instance, then internet \
               gateway igw-1 [unproven: interface eni-1 to interface eni-2 of the same instance]";
    for destination in ["64:ff9b::/96", "::/0"] {
        assert_eq!(carrying(destination), out, "{destination}");
    }
    assert_eq!(carrying("2000::/3"), "may lead out: interface eni-1, which may be an appliance");
}

#[test]
fn each_destination_goes_by_the_longest_prefix() {
    let nat = |edit: fn(&mut Fixture) -> &mut Fixture| judged("nat-private", edit);
    let out = "internet: private NAT gateway nat-private, then public NAT gateway nat-1";
    // Half leads out, the other half may.
    assert_eq!(
        nat(|w| w.route("rtb-b", "0.0.0.0/0", "nat-1").route("rtb-b", "128.0.0.0/1", "tgw-1")),
        format!("{out} [carries more: transit gateway tgw-1]")
    );
    // What is longer takes all of it.
    assert_eq!(
        nat(|w| {
            w.route("rtb-b", "0.0.0.0/0", "nat-1").route("rtb-b", "0.0.0.0/1", "igw-1");
            w.route("rtb-b", "128.0.0.0/1", "igw-1")
        }),
        "inside: private NAT gateway nat-private, whose traffic cannot leave"
    );
    // The longer route is for private addresses only.
    assert_eq!(
        nat(|w| w.route("rtb-b", "0.0.0.0/0", "igw-1").route("rtb-b", "10.9.0.0/16", "nat-1")),
        "inside: private NAT gateway nat-private, whose traffic cannot leave"
    );
    assert_eq!(
        nat(|w| w.route("rtb-b", "0.0.0.0/0", "igw-1").route("rtb-b", "10.9.0.0/16", "portal-1")),
        "inside: private NAT gateway nat-private, whose traffic cannot leave"
    );
    // A list with one public address.
    assert_eq!(
        nat(|w| w.route("rtb-b", "0.0.0.0/0", "igw-1").route("rtb-b", "pl-out", "nat-1")),
        format!("{out}{UNPROVEN}")
    );
    assert_eq!(
        nat(|w| w.route("rtb-b", "pl-unread", "nat-1")),
        "unknown: private NAT gateway nat-private, then a way by prefix list pl-unread, whose entries \
         were not read"
    );
}

#[test]
fn only_what_the_route_carries_is_followed() {
    let carrying = |destination: &str| {
        to(destination, "nat-private", |w| {
            w.route("rtb-b", "0.0.0.0/0", "igw-1").route("rtb-b", "52.0.0.0/8", "nat-1")
        })
    };
    let inside = "inside: private NAT gateway nat-private, whose traffic cannot leave";
    let out = format!(
        "internet: private NAT gateway nat-private, then public NAT gateway nat-1{UNPROVEN}"
    );
    assert_eq!(carrying("1.1.1.1/32"), inside);
    assert_eq!(carrying("52.1.0.0/16"), out);
    assert_eq!(carrying("52.0.0.0/7"), out);
    assert_eq!(carrying("0.0.0.0/0"), out);
}

#[test]
fn two_halves_of_a_default_route_may_go_different_ways() {
    let w = |w: &mut Fixture| {
        w.route("rtb-b", "0.0.0.0/1", "eni-1").route("rtb-b", "128.0.0.0/1", "eni-2");
        w.add("NetworkInterfaces", eni(1, "subnet-puba"));
        w.add("NetworkInterfaces", with(eni(2, "subnet-pubb"), "SourceDestCheck", json!(true)));
        w.add("NetworkInterfaces", eni(3, "subnet-prib"));
    };
    let carrying = |destination: &str| {
        to(destination, "eni-3", |f| {
            w(f);
            f
        })
    };
    let out = "internet: interface eni-3, then interface eni-1, then internet gateway igw-1";
    assert_eq!(
        carrying("0.0.0.0/0"),
        format!("{out} [carries more: interface eni-2, which may be an appliance]")
    );
    assert_eq!(carrying("0.0.0.0/1"), out);
    assert_eq!(
        carrying("200.0.0.0/8"),
        "may lead out: interface eni-3, then interface eni-2, which may be an appliance"
    );
}

/// Nothing of what it carries leads out there, but a removal would cut it.
#[test]
fn private_addresses_that_go_on_to_another_network_keep_the_route() {
    let instance = |edit: fn(&mut Fixture) -> &mut Fixture| {
        judged("eni-1", |w| edit(w.add("NetworkInterfaces", eni(1, "subnet-puba"))))
    };
    assert_eq!(instance(|w| w), "internet: NAT instance i-1 (eni-1)");
    let on = "internet: interface eni-1, then internet gateway igw-1 [carries more: transit gateway \
              tgw-1]";
    assert_eq!(instance(|w| w.route("rtb-pub", "192.168.0.0/16", "tgw-1")), on);
    // The table has its own way there, which stays.
    assert_eq!(
        instance(|w| {
            w.route("rtb-pub", "192.168.0.0/16", "tgw-1").route("rtb-a", "192.168.0.0/16", "tgw-1")
        }),
        "internet: NAT instance i-1 (eni-1)"
    );
    assert_eq!(
        instance(|w| {
            w.route("rtb-pub", "192.168.0.0/16", "tgw-1").route("rtb-a", "192.168.0.0/17", "tgw-1")
        }),
        on,
        "for half of it only"
    );
    assert_eq!(
        instance(|w| w.route("rtb-pub", "192.168.0.0/16", "portal-1")),
        on.replace("transit gateway tgw-1", "a target of no known kind: portal-1")
    );
    // The VPC's own addresses are never handed to another network.
    assert_eq!(
        instance(|w| w.route("rtb-pub", "10.0.0.0/16", "tgw-1")),
        "internet: NAT instance i-1 (eni-1)"
    );
}

#[test]
fn a_static_route_goes_before_a_propagated_one_for_the_same_block() {
    let both = |origin: &'static str| {
        judged("nat-private", |w| {
            w.route("rtb-b", "0.0.0.0/0", "vgw-1");
            w.set_route("rtb-b", "0.0.0.0/0", "Origin", json!(origin));
            w.route("rtb-b", "0.0.0.0/0", "nat-1")
        })
    };
    let out = "internet: private NAT gateway nat-private, then public NAT gateway nat-1";
    assert_eq!(both("EnableVgwRoutePropagation"), format!("{out}{UNPROVEN}"));
    assert_eq!(both("CreateRoute"), format!("{out} [carries more: virtual private gateway vgw-1]"));
}

#[test]
fn nat64_goes_on_as_ipv4_and_no_other_ipv6_passes_a_nat_gateway() {
    let out = format!(
        "internet: private NAT gateway nat-private, then public NAT gateway nat-1{UNPROVEN}"
    );
    let inside = "inside: private NAT gateway nat-private, whose traffic cannot leave";
    let carrying = |destination: &str| {
        to(destination, "nat-private", |w| {
            w.route("rtb-b", "8.0.0.0/8", "nat-1").route("rtb-b", "::/0", "eigw-1")
        })
    };
    assert_eq!(carrying("64:ff9b::/96"), out);
    assert_eq!(carrying("::/0"), out);
    assert_eq!(carrying("64:ff9b::808:808/128"), out);
    assert_eq!(carrying("64:ff9b::908:808/128"), inside);
    assert_eq!(carrying("2000::/3"), inside);
}

#[test]
fn an_interface_passes_ipv6_on_as_it_is() {
    let carrying = |destination: &str| {
        to(destination, "eni-1", |w| {
            w.route("rtb-b", "::/0", "eigw-1").add("NetworkInterfaces", eni(1, "subnet-prib"))
        })
    };
    assert_eq!(
        carrying("::/0"),
        "internet: interface eni-1, then egress-only internet gateway eigw-1"
    );
    assert_eq!(carrying("0.0.0.0/0"), "may lead out: interface eni-1, which may be an appliance");
}

#[test]
fn a_blackhole_behind_a_hop_may_come_back() {
    let mut gone = route("0.0.0.0/0", "eni-2");
    gone["State"] = json!("blackhole");
    assert_eq!(
        judged("nat-private", |w| {
            w.thing("rtb-b")["Routes"].as_array_mut().unwrap().push(gone);
            w.add("NetworkInterfaces", eni(2, "subnet-puba"))
        }),
        "may lead out: private NAT gateway nat-private, then eni-2, a blackhole at present"
    );
}

#[test]
fn a_gateway_endpoints_route_is_no_way_out() {
    assert_eq!(
        judged("nat-private", |w| w.route("rtb-b", "pl-unread", "vpce-s3")),
        "inside: private NAT gateway nat-private, whose traffic cannot leave"
    );
}

/// A way that is longer than anybody would make it is not followed for ever.
#[test]
fn more_hops_than_are_followed_are_unknown() {
    let told = judged("eni-0", |w| {
        for number in 0_u8..70 {
            let (subnet, table) = (format!("subnet-x{number}"), format!("rtb-x{number}"));
            w.add("Subnets", crate::fixture::subnet(&subnet, "a", "private"));
            w.add("RouteTables", crate::fixture::table(&table, &[&subnet]));
            w.add("NetworkInterfaces", eni(number, &subnet));
            w.route(&table, "0.0.0.0/0", &format!("eni-{}", number + 1));
        }
        w
    });
    assert!(told.starts_with("unknown: interface eni-0, then interface eni-1, then "), "{told}");
    assert!(told.ends_with("interface eni-63, then more hops than are followed"), "{told}");
}
