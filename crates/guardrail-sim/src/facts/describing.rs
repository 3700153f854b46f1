use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{PrefixList, PrefixListEntry, World};

use super::*;
use crate::{Query, SubnetAttribute};

fn found(sim: &mut Sim, request: Request) -> World {
    let Response::Described { found, .. } = sim.call(&request).unwrap() else { panic!() };
    *found
}

fn tables(sim: &mut Sim, filter: &str, value: &str) -> Vec<String> {
    let world = found(sim, Request::DescribeRouteTables(Query::by(filter, [value])));
    world.route_tables.unwrap().iter().map(|table| table.route_table_id.to_string()).collect()
}

/// "The filter `association.subnet-id` misses" subnets of the main table; "`route.gateway-id` finds
/// vpce-".
#[test]
fn filters_find_what_the_thing_itself_says() {
    let mut sim = sim();
    assert_eq!(tables(&mut sim, "association.subnet-id", "subnet-a1"), ["rtb-a"]);
    assert_eq!(tables(&mut sim, "association.subnet-id", "subnet-b1"), Vec::<String>::new());
    assert_eq!(tables(&mut sim, "association.main", "true"), ["rtb-main", "rtb-x"]);
    assert_eq!(tables(&mut sim, "association.route-table-id", "rtb-a"), ["rtb-a"]);
    assert_eq!(tables(&mut sim, "route.gateway-id", "vpce-*"), ["rtb-a"]);
    assert_eq!(tables(&mut sim, "route.nat-gateway-id", "nat-1"), ["rtb-a"]);
    assert_eq!(tables(&mut sim, "vpc-id", "vpc-2"), ["rtb-x"]);
    assert_eq!(tables(&mut sim, "tag:Name", "*"), Vec::<String>::new());
}

/// VPCs and subnets have the filter `state`, of `pending` and `available`.
#[test]
fn vpcs_and_subnets_are_available() {
    let mut sim = sim();
    let all = sim.world();
    assert_eq!(
        found(&mut sim, Request::DescribeVpcs(Query::by("state", ["available"]))).vpcs,
        all.vpcs
    );
    assert_eq!(
        found(&mut sim, Request::DescribeVpcs(Query::by("state", ["pending"]))).vpcs,
        Some(Vec::new())
    );
    assert_eq!(
        found(&mut sim, Request::DescribeSubnets(Query::by("state", ["available"]))).subnets,
        all.subnets
    );
}

/// "`map-public-ip-on-launch` - Indicates whether instances launched in this subnet receive a
/// public IPv4 address." The model of `DescribeSubnets` lists no such filter for IPv6 addresses.
#[test]
fn subnets_are_found_by_one_of_their_two_attributes() {
    let mut sim = sim();
    let attribute = SubnetAttribute::MapPublicIpOnLaunch(true);
    sim.call(&Request::ModifySubnetAttribute { subnet_id: id("subnet-a1"), attribute }).unwrap();
    let public =
        found(&mut sim, Request::DescribeSubnets(Query::by("map-public-ip-on-launch", ["true"])));
    let public: Vec<String> =
        public.subnets.unwrap().iter().map(|subnet| subnet.subnet_id.to_string()).collect();
    assert_eq!(public, ["subnet-a1"]);
    let ipv6 = Request::DescribeSubnets(Query::by("assign-ipv6-address-on-creation", ["true"]));
    assert_eq!(code(&mut sim, &ipv6), "InvalidParameterValue");
}

/// "Unknown filter → InvalidParameterValue (catches typos)."
#[test]
fn an_unknown_filter_is_an_error_and_never_everything() {
    let typo = Request::DescribeVpcEndpoints(Query::by("vpc_id", ["vpc-1"]));
    let (code, message) = refusal(&mut sim(), &typo);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("InvalidParameterValue", "The filter 'vpc_id' is invalid")
    );
}

#[test]
fn an_id_that_does_not_exist_is_an_error() {
    type Ask = fn(Query) -> Request;
    let ask: [(Ask, &str); 7] = [
        (Request::DescribeVpcs, "InvalidVpcID.NotFound"),
        (Request::DescribeSubnets, "InvalidSubnetID.NotFound"),
        (Request::DescribeRouteTables, "InvalidRouteTableID.NotFound"),
        (Request::DescribeVpcEndpoints, "InvalidVpcEndpointId.NotFound"),
        (Request::DescribeNatGateways, "NatGatewayNotFound"),
        (Request::DescribeSecurityGroups, "InvalidGroup.NotFound"),
        (Request::DescribeNetworkInterfaces, "InvalidNetworkInterfaceID.NotFound"),
    ];
    let mut sim = sim();
    for (ask, expected) in ask {
        assert_eq!(code(&mut sim, &ask(Query::of(["x-none"]))), expected);
    }
}

/// "Paginate until NextToken is absent"; page sizes of DescribeRouteTables are 5-100; invalid
/// tokens are errors.
#[test]
fn a_long_list_comes_in_pages() {
    let mut sim = sim_with(SimOptions { page_size: 2, ..SimOptions::default() });
    let mut query = Query::default();
    let mut pages = Vec::new();
    loop {
        let request = Request::DescribeRouteTables(query.clone());
        let Response::Described { found, next_token, .. } = sim.call(&request).unwrap() else {
            panic!()
        };
        pages.push(found.route_tables.unwrap().len());
        match next_token {
            Some(token) => query.next_token = Some(token),
            None => break,
        }
    }
    assert_eq!(pages, [2, 2, 1]);
    let with = |max_results, next_token: Option<&str>| {
        Request::DescribeRouteTables(Query {
            max_results,
            next_token: next_token.map(str::to_owned),
            ..Query::default()
        })
    };
    assert_eq!(code(&mut sim, &with(Some(4), None)), "InvalidParameterValue");
    assert_eq!(code(&mut sim, &with(Some(101), None)), "InvalidParameterValue");
    assert_eq!(code(&mut sim, &with(None, Some("bogus"))), "InvalidNextToken");
}

/// "`MaxResults` can't be combined with explicit ids on DescribeNetworkInterfaces."
#[test]
fn interfaces_by_id_come_at_once() {
    let query = Query { max_results: Some(5), ..Query::of(["eni-ssm"]) };
    assert_eq!(
        code(&mut sim(), &Request::DescribeNetworkInterfaces(query)),
        "InvalidParameterCombination"
    );
}

/// `describe-prefix-lists` gives the blocks of AWS's lists, `describe-managed-prefix-lists` the
/// owners of all, and neither the entries of one's own.
#[test]
fn prefix_lists_are_described_by_three_calls() {
    let mut sim = sim();
    let list = |id: &str, name: &str, owner: Option<&str>, cidrs: Option<&[&str]>| PrefixList {
        prefix_list_id: super::id(id),
        prefix_list_name: name.to_owned(),
        owner_id: owner.map(str::to_owned),
        cidrs: cidrs.map(|cidrs| cidrs.iter().map(|cidr| Cidr::from(*cidr)).collect()),
        entries: None,
    };
    let aws = found(&mut sim, Request::DescribePrefixLists(Query::default())).prefix_lists.unwrap();
    assert_eq!(
        aws,
        [list("pl-s3", S3, None, Some(&["3.5.0.0/19"])), list("pl-ddb", DYNAMODB, None, None)]
    );
    let own = Query::by("owner-id", ["111122223333"]);
    let managed = found(&mut sim, Request::DescribeManagedPrefixLists(own)).prefix_lists.unwrap();
    assert_eq!(managed, [list("pl-own", "partners", Some("111122223333"), None)]);
    let entries =
        sim.call(&Request::GetManagedPrefixListEntries { prefix_list_id: id("pl-own") }).unwrap();
    let entry = PrefixListEntry { cidr: Cidr::from("203.0.113.0/24"), description: None };
    assert_eq!(entries, Response::PrefixListEntries(vec![entry]));
}

/// A section that a world file lacks is "not observed", never "none": it is not described, and one
/// thing made in it does not make the rest known.
#[test]
fn what_the_world_came_without_stays_unknown() {
    let mut world = guardrail::ec2::world_file::load(WORLD).unwrap();
    world.nat_gateways = None;
    let mut sim = Sim::new(world, Default::default(), SimOptions::default());
    let (code, message) = refusal(&mut sim, &Request::DescribeNatGateways(Query::default()));
    assert_eq!(code, "NotInWorld");
    assert!(message.ends_with("add what `aws ec2 describe-nat-gateways` prints"), "{message}");
    let wanted = crate::CreateNatGateway { subnet_id: Some(id("subnet-a2")), ..Default::default() };
    sim.call(&Request::CreateNatGateway(wanted)).unwrap();
    assert!(!sim.world().has(Section::NatGateways));
    sim.call(&create_route("rtb-b", v4("0.0.0.0/0"), nat("nat-whatever"))).unwrap();
}

/// The filters that AWS documents for each call, over one world: what each value finds.
#[test]
fn things_are_found_by_what_they_are() {
    let mut sim = sim();
    let tagged = Request::CreateTags {
        resources: vec!["eni-router".to_owned()],
        tags: vec![guardrail::ec2::world::Tag::new("a", "b")],
    };
    sim.call(&tagged).unwrap();
    let mut found = |request: Request| -> Vec<String> {
        let Response::Described { found, .. } = sim.call(&request).unwrap() else { panic!() };
        let value = serde_json::to_value(*found).unwrap();
        let things =
            value.as_object().unwrap().values().next().unwrap().as_array().unwrap().clone();
        let ids =
            ["VpcId", "SubnetId", "RouteTableId", "GroupId", "NetworkAclId", "NetworkInterfaceId"];
        let id_of = |thing: &serde_json::Value| {
            let own = ids.iter().rev().find_map(|key| thing.get(key)).unwrap();
            own.as_str().unwrap().to_owned()
        };
        things.iter().map(id_of).collect()
    };
    let by = |name: &str, value: &str| Query::by(name, [value]);
    let subnets = |name, value| Request::DescribeSubnets(by(name, value));
    let tables = |name, value| Request::DescribeRouteTables(by(name, value));
    let groups = |name, value| Request::DescribeSecurityGroups(by(name, value));
    let acls = |name, value| Request::DescribeNetworkAcls(by(name, value));
    let interfaces = |name, value| Request::DescribeNetworkInterfaces(by(name, value));
    let vpcs = |name, value| Request::DescribeVpcs(by(name, value));
    for (request, expected) in [
        (vpcs("cidr-block-association.cidr-block", "10.0.0.0/16"), vec!["vpc-1"]),
        (vpcs("ipv6-cidr-block-association.ipv6-cidr-block", "2001:db8:2::/56"), vec!["vpc-2"]),
        (vpcs("dhcp-options-id", "default"), vec!["vpc-1", "vpc-2"]),
        (subnets("cidrBlock", "10.0.1.0/24"), vec!["subnet-b1"]),
        (subnets("available-ip-address-count", "0"), vec!["subnet-c1"]),
        (
            tables("route.state", "active"),
            vec!["rtb-main", "rtb-a", "rtb-b", "rtb-public", "rtb-x"],
        ),
        (tables("route.origin", "EnableVgwRoutePropagation"), vec!["rtb-b"]),
        (groups("ip-permission.cidr", "10.0.0.0/16"), vec!["sg-web"]),
        (groups("ip-permission.to-port", "443"), vec!["sg-web"]),
        (groups("ip-permission.protocol", "udp"), vec![]),
        (acls("entry.ipv6-cidr", "::/0"), vec!["acl-2"]),
        (acls("entry.rule-action", "allow"), vec!["acl-1", "acl-2"]),
        (interfaces("private-ip-address", "10.0.2.4"), vec!["eni-router"]),
        (interfaces("source-dest-check", "true"), vec!["eni-router"]),
        (interfaces("status", "available"), vec![]),
        (interfaces("tag:a", "b"), vec!["eni-router"]),
    ] {
        assert_eq!(found(request.clone()), expected, "{request:?}");
    }
}
