use serde_json::{Value, json};

use super::*;
use crate::fixture::{Fixture, route};

/// How a route of `rtb-a` is judged after an edit: one word, and why.
fn judged(edit: impl FnOnce(&mut Fixture) -> &mut Fixture, route: Value) -> String {
    let route: Route = serde_json::from_value(route).unwrap();
    Fixture::edited(edit).topology(|topology, snapshot| {
        let class = classify(&route, table("rtb-a", topology), snapshot, topology);
        format!("{}: {class}", class.word())
    })
}

fn table<'w>(id: &str, topology: &Topology<'w>) -> &'w RouteTable {
    let mut tables = topology.tables.iter().map(|used| used.table);
    tables.find(|table| table.route_table_id.as_str() == id).unwrap()
}

fn plainly(destination: &str, target: &str) -> String {
    judged(|w| w, route(destination, target))
}

#[test]
fn every_destination_that_covers_a_public_address_leads_out_through_a_nat_gateway() {
    for destination in [
        "0.0.0.0/0",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "1.1.1.1/32",
        "10.0.0.0/7",
        "52.0.0.0/8",
        "pl-out",
        "::/0",
        "::/1",
    ] {
        assert_eq!(
            plainly(destination, "nat-1"),
            "internet: public NAT gateway nat-1",
            "{destination}"
        );
    }
    for destination in ["8000::/1", "2000::/3", "64:ff9b::/96", "2600:1f16::/36"] {
        assert_eq!(
            plainly(destination, "nat-1"),
            "internet: public NAT gateway nat-1",
            "{destination}"
        );
    }
}

#[test]
fn a_destination_without_a_public_address_stays_inside() {
    for destination in ["10.9.0.0/16", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8", "pl-in"] {
        assert_eq!(
            plainly(destination, "nat-1"),
            "inside: no public address in the destination",
            "{destination}"
        );
    }
}

#[test]
fn the_vpcs_own_public_range_stays_inside() {
    let own = |w: &mut Fixture| -> String {
        let _ = w.set("vpc-1", "CidrBlockAssociationSet", json!([{"CidrBlock": "52.0.0.0/16"}]));
        w.topology(|topology, snapshot| {
            let judge = |to: &str| {
                let route: Route = serde_json::from_value(route(to, "nat-1")).unwrap();
                classify(&route, table("rtb-a", topology), snapshot, topology).word()
            };
            format!("{} {}", judge("52.0.1.0/24"), judge("52.1.0.0/24"))
        })
    };
    assert_eq!(own(&mut Fixture::compliant()), "inside internet");
}

#[test]
fn every_gateway_that_is_one() {
    for (target, expected) in [
        ("nat-1", "internet: public NAT gateway nat-1"),
        ("nat-regional", "internet: regional NAT gateway nat-regional"),
        ("nat-private", "inside: private NAT gateway nat-private, whose traffic cannot leave"),
        ("nat-elsewhere", "unknown: NAT gateway nat-elsewhere, which was not among those observed"),
        ("igw-1", "internet: internet gateway igw-1"),
        ("eigw-1", "internet: egress-only internet gateway eigw-1"),
        ("cagw-1", "internet: carrier gateway cagw-1"),
        ("pcx-1", "inside: peering connection pcx-1, which passes on no internet traffic"),
        ("tgw-1", "may lead out: transit gateway tgw-1"),
        ("vgw-1", "may lead out: virtual private gateway vgw-1"),
        ("lgw-1", "may lead out: local gateway lgw-1"),
        ("vpce-gwlb", "may lead out: Gateway Load Balancer endpoint vpce-gwlb"),
        (
            "arn:aws:networkmanager::1:core-network/c",
            "may lead out: Cloud WAN core network \
          arn:aws:networkmanager::1:core-network/c",
        ),
        ("eni-1", "unknown: eni-1, which was not among the interfaces observed"),
        ("i-1", "unknown: i-1, which was not among the interfaces observed"),
        ("portal-1", "unknown: a target of no known kind: portal-1"),
        ("local", "local: within the VPC"),
    ] {
        assert_eq!(plainly("0.0.0.0/0", target), expected, "{target}");
    }
}

#[test]
fn targets_of_the_rarer_fields() {
    let to = |key: &str, value: &str| {
        judged(|w| w, json!({"DestinationCidrBlock": "0.0.0.0/0", key: value}))
    };
    assert_eq!(
        to("OdbNetworkArn", "arn:aws:odb:1"),
        "may lead out: Oracle Database@AWS network arn:aws:odb:1"
    );
    assert_eq!(to("IpAddress", "10.0.0.9"), "may lead out: Route Server next hop 10.0.0.9");
    assert_eq!(to("GatewayId", "eigw-1"), "internet: egress-only internet gateway eigw-1");
    assert_eq!(to("QuantumLinkId", "ql-1"), "unknown: no known target");
}

#[test]
fn a_prefix_list_to_an_endpoint_is_the_gateway_endpoints_own() {
    assert_eq!(plainly("pl-s3", "vpce-s3"), "endpoint: gateway endpoint vpce-s3");
    assert_eq!(plainly("pl-unread", "vpce-s3"), "endpoint: gateway endpoint vpce-s3");
}

#[test]
fn a_list_that_was_not_read_is_said_to_be() {
    assert_eq!(
        plainly("pl-unread", "nat-1"),
        "may lead out: prefix list pl-unread, whose entries were not read"
    );
    assert_eq!(
        plainly("pl-none", "igw-1"),
        "may lead out: prefix list pl-none, whose entries were not read"
    );
    assert_eq!(plainly("pl-unread", "tgw-1"), "may lead out: transit gateway tgw-1");
    assert_eq!(
        plainly("pl-unread", "nat-private"),
        "inside: private NAT gateway nat-private, whose traffic cannot leave"
    );
}

#[test]
fn destinations_of_no_known_form_are_unknown() {
    assert_eq!(
        judged(|w| w, json!({"GatewayId": "igw-1"})),
        "unknown: a destination of no known form"
    );
    assert_eq!(plainly("everywhere", "igw-1"), "unknown: a destination of no known form");
    let list = json!({"PrefixListId": "pl-odd", "Entries": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "everywhere"}]});
    assert_eq!(
        judged(|w| w.add("PrefixLists", list), route("pl-odd", "nat-1")),
        "unknown: a destination of no known form"
    );
}

#[test]
fn nat_gateways_of_kinds_nobody_knows_are_unknown() {
    for (key, word) in [("ConnectivityType", "quantum"), ("AvailabilityMode", "orbital")] {
        assert_eq!(
            judged(|w| w.set("nat-1", key, json!(word)), route("0.0.0.0/0", "nat-1")),
            format!("unknown: a target of no known kind: {word}")
        );
    }
}

#[test]
fn a_nat_gateway_that_is_listed_no_more_is_gone_if_its_route_is_a_blackhole() {
    let mut gone = route("0.0.0.0/0", "nat-gone");
    gone["State"] = json!("Blackhole");
    assert_eq!(judged(|w| w, gone), "internet: NAT gateway nat-gone, which is gone");
    let mut deleted = route("0.0.0.0/0", "nat-private");
    deleted["State"] = json!("blackhole");
    assert_eq!(
        judged(|w| w.set("nat-private", "State", json!("deleted")), deleted),
        "inside: private NAT gateway nat-private, whose traffic cannot leave"
    );
}

fn interface(subnet: &str, check: Value) -> Value {
    json!({"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": subnet, "SourceDestCheck": check,
        "InterfaceType": "interface", "Attachment": {"InstanceId": "i-1", "Status": "attached"}})
}

#[test]
fn an_interface_that_forwards_beside_an_internet_gateway_is_a_nat_instance() {
    for target in ["eni-1", "i-1"] {
        assert_eq!(
            judged(
                |w| w.add("NetworkInterfaces", interface("subnet-puba", json!(false))),
                route("0.0.0.0/0", target)
            ),
            "internet: NAT instance i-1 (eni-1)"
        );
    }
}

/// What is not known is told of, whatever the baseline accepts, and never deleted.
#[test]
fn an_interface_of_which_a_premise_is_not_known_is_unknown() {
    let with = |key: &'static str, value: Value| {
        let mut odd = interface("subnet-puba", json!(false));
        odd[key] = value;
        judged(|w| w.add("NetworkInterfaces", odd), route("0.0.0.0/0", "eni-1"))
    };
    for kind in ["interface", "efa", "efa-only", "trunk", "branch"] {
        assert_eq!(with("InterfaceType", json!(kind)), "internet: NAT instance i-1 (eni-1)");
    }
    let unknown = |why: &str| format!("unknown: interface eni-1, {why}");
    for kind in ["transit_gateway", "teleporter", "lambda"] {
        let expected = unknown(&format!("of the type {kind}, which may pass traffic on or not"));
        assert_eq!(with("InterfaceType", json!(kind)), expected);
    }
    assert_eq!(with("InterfaceType", json!(null)), unknown("whose type is not said"));
    let detached = unknown("which is attached to nothing at present");
    assert_eq!(with("Attachment", json!(null)), detached);
    let mut nobodys = interface("subnet-puba", json!(false));
    nobodys["Attachment"] = json!(null);
    let mut gone = route("0.0.0.0/0", "eni-1");
    gone["State"] = json!("blackhole");
    assert_eq!(
        judged(|w| w.add("NetworkInterfaces", nobodys), gone),
        "internet: NAT instance interface eni-1",
        "it drops every packet at present, as AWS says"
    );
    for status in ["attaching", "detaching", "detached", "wobbling"] {
        let attachment = json!({"InstanceId": "i-1", "Status": status});
        assert_eq!(with("Attachment", attachment), detached, "{status}");
    }
    assert_eq!(
        with("SourceDestCheck", json!(null)),
        unknown("whose source/destination check is not said")
    );
}

#[test]
fn a_nat_gateway_in_a_state_nobody_knows_is_unknown() {
    let in_state =
        |state: Value| judged(|w| w.set("nat-1", "State", state), route("0.0.0.0/0", "nat-1"));
    for state in ["pending", "available", "deleting", "deleted", "failed"] {
        assert_eq!(in_state(json!(state)), "internet: public NAT gateway nat-1", "{state}");
    }
    assert_eq!(
        in_state(json!("paused")),
        "unknown: NAT gateway nat-1, in a state of no known kind: paused"
    );
    assert_eq!(in_state(json!(null)), "unknown: NAT gateway nat-1, whose state is not said");
}

#[test]
fn an_interface_that_is_attached_to_nothing_is_no_instances() {
    let mut unattached = interface("subnet-puba", json!(false));
    unattached["Attachment"] = json!(null);
    assert_eq!(
        judged(|w| w.add("NetworkInterfaces", unattached), route("0.0.0.0/0", "i-1")),
        "unknown: i-1, which was not among the interfaces observed"
    );
}

#[test]
fn any_other_interface_may_be_an_appliance() {
    let appliance = "may lead out: interface eni-1, which may be an appliance";
    for (subnet, check) in [("subnet-puba", json!(true)), ("subnet-pria", json!(false))] {
        assert_eq!(
            judged(
                |w| w.add("NetworkInterfaces", interface(subnet, check)),
                route("0.0.0.0/0", "eni-1")
            ),
            appliance
        );
    }
    let behind_a_blackhole = judged(
        |w| {
            w.set_route("rtb-pub", "0.0.0.0/0", "State", json!("blackhole"));
            w.add("NetworkInterfaces", interface("subnet-puba", json!(false)))
        },
        route("0.0.0.0/0", "eni-1"),
    );
    assert_eq!(
        behind_a_blackhole,
        "may lead out: interface eni-1, then igw-1, a blackhole at present"
    );
}

#[test]
fn an_interface_of_another_vpc_was_not_seen() {
    let mut other = interface("subnet-puba", json!(false));
    other["VpcId"] = json!("vpc-2");
    assert_eq!(
        judged(|w| w.add("NetworkInterfaces", other), route("0.0.0.0/0", "eni-1")),
        "unknown: eni-1, which was not among the interfaces observed"
    );
}

/// AWS prints one target for each route; of more than one, that counts which takes the least away.
#[test]
fn a_local_or_an_endpoints_route_is_none_of_another_target() {
    let mut local = route("0.0.0.0/0", "nat-1");
    local["GatewayId"] = json!("local");
    assert_eq!(judged(|w| w, local), "local: within the VPC");
    let mut endpoint = route("pl-out", "vpce-s3");
    endpoint["NetworkInterfaceId"] = json!("eni-1");
    assert_eq!(judged(|w| w, endpoint), "endpoint: gateway endpoint vpce-s3");
}

#[test]
fn a_prefix_list_to_an_appliances_endpoint_is_no_endpoints_route() {
    let with = |kind: &'static str| {
        judged(|w| w.set("vpce-ssm", "VpcEndpointType", json!(kind)), route("pl-out", "vpce-ssm"))
    };
    let leads = "may lead out: Gateway Load Balancer endpoint vpce-ssm";
    assert_eq!(with("GatewayLoadBalancer"), leads);
    assert_eq!(with("Gateway"), "endpoint: gateway endpoint vpce-ssm");
}

#[test]
fn a_customers_list_to_an_endpoint_that_is_not_among_those_observed_is_no_endpoints_route() {
    assert_eq!(plainly("pl-s3", "vpce-gone"), "endpoint: gateway endpoint vpce-gone");
    // Nobody says whose it is.
    assert_eq!(plainly("pl-in", "vpce-gone"), "inside: no public address in the destination");
    assert_eq!(
        plainly("pl-out", "vpce-gone"),
        "may lead out: Gateway Load Balancer endpoint vpce-gone"
    );
    assert_eq!(plainly("pl-none", "vpce-gone"), "endpoint: gateway endpoint vpce-gone");
}
