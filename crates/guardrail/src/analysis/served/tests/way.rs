//! The way from a client to an endpoint's interface, within the VPC.

use super::*;

/// What is in the way of each service, one line each.
fn lines(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    let found = obstacles(&Fixture::edited(edit)).into_iter();
    found
        .map(|(service, obstacle, subnets)| format!("{service} {}: {obstacle}", subnets.join(" ")))
        .collect()
}

#[test]
fn a_route_within_the_vpc_that_goes_before_its_own_diverts_what_is_for_an_interface() {
    let diverted = |destination: &str, state: &str| {
        lines(|w| {
            w.set("subnet-pria", "CidrBlock", json!("10.0.1.0/24"));
            w.set("subnet-prib", "CidrBlock", json!("10.0.2.0/24"));
            w.route("rtb-a", destination, "eni-1");
            w.set_route("rtb-a", destination, "State", json!(state))
        })
    };
    // The answers of the interface in subnet-pria to clients in subnet-prib go the same way.
    let all = |verb: &str| {
        ["ssm", "ssmmessages", "ec2messages"].map(|service| {
            [("pria", "to"), ("prib", "back from")].map(|(subnet, way)| {
                let route = "rtb-a: 10.0.2.0/25 → eni-1";
                format!("{service} {subnet}: {route} {verb} the way {way} vpce-{service}")
            })
        })
    };
    assert_eq!(diverted("10.0.2.0/25", "active"), all("may end").concat());
    assert_eq!(diverted("10.0.2.0/25", "blackhole"), all("ends").concat());
    // Within its own subnet no packet asks the table.
    assert_eq!(diverted("10.0.1.0/24", "blackhole"), [""; 0]);
}

/// `vpce-ssm` in `subnet-pria` alone, each subnet with a block of its own, and a route in the table of
/// the endpoint's subnet.
fn answered(
    destination: &str,
    target: &str,
    edit: fn(&mut Fixture) -> &mut Fixture,
) -> Vec<String> {
    lines(|w| {
        for (subnet, block) in [
            ("subnet-pria", "10.0.1.0/24"),
            ("subnet-prib", "10.0.2.0/24"),
            ("subnet-puba", "10.0.8.0/24"),
            ("subnet-pubb", "10.0.9.0/24"),
        ] {
            w.set(subnet, "CidrBlock", json!(block));
        }
        only_ssm(w).set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]));
        w.route("rtb-a", destination, target);
        edit(w)
    })
}

/// "Routing for a middlebox appliance": a route of the whole block of the clients' subnet, in the table
/// of the endpoint's, takes the answers, and no table of the clients' says so.
#[test]
fn answers_go_by_the_table_of_the_interfaces_subnet() {
    let seen = answered("10.0.2.0/24", "eni-1", |w| w);
    assert_eq!(seen, ["ssm prib: rtb-a: 10.0.2.0/24 → eni-1 may end the way back from vpce-ssm"]);
    // A part of the clients' block, and a Gateway Load Balancer endpoint.
    let seen = answered("10.0.2.128/25", "vpce-gwlb", |w| w);
    let line = "ssm prib: rtb-a: 10.0.2.128/25 → vpce-gwlb may end the way back from vpce-ssm";
    assert_eq!(seen, [line]);
    // Another subnet's block, and one that is no longer than the VPC's own route.
    assert_eq!(answered("10.0.9.0/24", "eni-1", |w| w), [""; 0]);
    assert_eq!(answered("10.0.0.0/8", "tgw-1", |w| w), [""; 0]);
    // The interface's own subnet has clients too; they ask no table.
    assert_eq!(answered("10.0.1.0/24", "eni-1", |w| w), [""; 0]);
    // In the clients' own table a route to their own block takes nothing.
    let own = answered("10.0.9.0/24", "eni-1", |w| w.route("rtb-b", "10.0.2.0/24", "eni-1"));
    assert_eq!(own, [""; 0]);
}

#[test]
fn where_a_prefix_list_leads_counts_and_one_that_was_not_read_may_lead_anywhere() {
    let seen = answered("pl-out", "eni-1", |w| {
        w.set("pl-out", "Entries", json!([{"Cidr": "10.0.2.0/24"}]))
    });
    assert_eq!(seen, ["ssm prib: rtb-a: pl-out → eni-1 may end the way back from vpce-ssm"]);
    let seen = answered("pl-unread", "tgw-1", |w| w);
    assert_eq!(seen, ["ssm prib: rtb-a: pl-unread → tgw-1 may end the way back from vpce-ssm"]);
    // What was not read of AWS's own lists is no address of the VPC.
    let awss = answered("pl-unread", "tgw-1", |w| w.set("pl-unread", "OwnerId", json!("AWS")));
    assert_eq!(awss, [""; 0]);
}

#[test]
fn the_tables_on_the_way_must_have_been_seen() {
    let seen = answered("10.9.0.0/16", "tgw-1", |w| {
        w.set("rtb-a", "Associations", json!([])).remove("rtb-main")
    });
    assert_eq!(seen, ["ssm prib: RouteTables not read"]);
    let seen = answered("10.9.0.0/16", "tgw-1", |w| w.without("RouteTables"));
    assert_eq!(seen, ["ssm prib: RouteTables not read"]);
}
