use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::world::RouteState;

use super::*;

fn delete(table: &str, destination: Destination) -> Request {
    Request::DeleteRoute { route_table_id: id(table), destination }
}

fn replace(table: &str, destination: Destination, target: RouteTarget) -> Request {
    Request::ReplaceRoute { route_table_id: id(table), destination, target }
}

fn list(name: &str) -> Destination {
    Destination::PrefixList(id(name))
}

/// "CreateRoute canonicalises the CIDR (100.68.0.18/18 → 100.68.0.0/18). DeleteRoute needs the
/// exact stored value."
#[test]
fn a_destination_is_stored_canonical_and_deleted_to_the_letter() {
    let mut sim = sim();
    sim.call(&create_route("rtb-b", v4("100.68.0.18/18"), nat("nat-1"))).unwrap();
    assert_eq!(routes(&sim, "rtb-b").last().unwrap(), "100.68.0.0/18 nat-1 active");
    assert_eq!(code(&mut sim, &delete("rtb-b", v4("100.68.0.18/18"))), "InvalidRoute.NotFound");
    sim.call(&delete("rtb-b", v4("100.68.0.0/18"))).unwrap();
    assert_eq!(routes(&sim, "rtb-b").len(), 2);
}

/// "CreateRoute, same destination exists: `RouteAlreadyExists`."
#[test]
fn one_route_for_each_destination() {
    let mut sim = sim();
    for destination in ["0.0.0.0/0", "1.2.3.4/0"] {
        let (code, message) =
            refusal(&mut sim, &create_route("rtb-a", v4(destination), nat("nat-1")));
        assert_eq!(code, "RouteAlreadyExists");
        assert_eq!(message, "The route identified by 0.0.0.0/0 already exists.");
    }
}

/// "DeleteRoute, absent: `InvalidRoute.NotFound`", and the kind of destination has to match.
#[test]
fn deleting_what_is_not_there_is_not_found() {
    let mut sim = sim();
    let (code, message) = refusal(&mut sim, &delete("rtb-b", v4("0.0.0.0/0")));
    assert_eq!(code, "InvalidRoute.NotFound");
    assert_eq!(message, "no route with destination-cidr-block 0.0.0.0/0 in route table rtb-b");
    let as_v6 = Destination::Ipv6CidrBlock(Cidr::from("0.0.0.0/0"));
    assert_eq!(super::code(&mut sim, &delete("rtb-a", as_v6)), "InvalidRoute.NotFound");
    assert_eq!(
        super::code(&mut sim, &delete("rtb-none", v4("0.0.0.0/0"))),
        "InvalidRouteTableID.NotFound"
    );
}

/// "DeleteRoute, local: `InvalidParameterValue` 'cannot remove local route'."
#[test]
fn the_local_route_stays() {
    let mut sim = sim();
    let (code, message) = refusal(&mut sim, &delete("rtb-a", v4("10.0.0.0/16")));
    assert_eq!(code, "InvalidParameterValue");
    assert!(message.starts_with("cannot remove local route 10.0.0.0/16"), "{message}");
}

/// "It is visible, and it cannot be edited or deleted with route APIs"; clients know the words
/// `cannot remove VPC endpoint route` and "Cannot create or replace a prefix list route targeting a
/// VPC Endpoint".
#[test]
fn a_gateway_endpoints_route_is_not_a_route_to_edit() {
    let mut sim = sim();
    let (code, message) = refusal(&mut sim, &delete("rtb-a", list("pl-s3")));
    assert_eq!(code, "InvalidParameterValue");
    assert!(message.starts_with("cannot remove VPC endpoint route"), "{message}");
    let words = "Cannot create or replace a prefix list route targeting a VPC Endpoint.";
    let to_endpoint = RouteTarget::OtherGateway("vpce-s3".to_owned());
    for request in [
        replace("rtb-a", list("pl-s3"), nat("nat-1")),
        create_route("rtb-b", list("pl-s3"), to_endpoint),
    ] {
        assert_eq!(
            refusal(&mut sim, &request),
            ("InvalidParameterValue".to_owned(), words.to_owned())
        );
    }
}

/// "Propagated and advertised routes are not removed by DeleteRoute; the remedy is to disable
/// propagation."
#[test]
fn a_propagated_route_stays() {
    assert_eq!(code(&mut sim(), &delete("rtb-b", v4("192.168.0.0/16"))), "InvalidParameterValue");
}

/// "ReplaceRoute, no such destination: `InvalidParameterValue` 'There is no route defined for … Use
/// CreateRoute instead.'"
#[test]
fn replacing_changes_the_target_of_a_route_that_exists() {
    let mut sim = sim();
    let igw = || RouteTarget::of_gateway_id("igw-1");
    let (code, message) = refusal(&mut sim, &replace("rtb-b", v4("0.0.0.0/0"), igw()));
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(
        message,
        "There is no route defined for '0.0.0.0/0' in the route table. Use CreateRoute instead."
    );
    sim.call(&replace("rtb-a", v4("0.0.0.0/0"), igw())).unwrap();
    assert_eq!(
        routes(&sim, "rtb-a"),
        ["10.0.0.0/16 local active", "0.0.0.0/0 igw-1 active", "pl-s3 vpce-s3 active"]
    );
}

/// "ReplaceRoute, `LocalTarget=true`: puts a local route back to `local`."
#[test]
fn a_local_route_can_be_turned_and_put_back() {
    let mut sim = sim();
    let eni = RouteTarget::NetworkInterface(id("eni-router"));
    sim.call(&replace("rtb-b", v4("10.0.0.0/16"), eni)).unwrap();
    assert_eq!(routes(&sim, "rtb-b").first().unwrap(), "10.0.0.0/16 eni-router active");
    sim.call(&replace("rtb-b", v4("10.0.0.0/16"), RouteTarget::Local)).unwrap();
    assert_eq!(routes(&sim, "rtb-b").first().unwrap(), "10.0.0.0/16 local active");
    assert_eq!(
        code(&mut sim, &replace("rtb-a", v4("0.0.0.0/0"), RouteTarget::Local)),
        "InvalidParameterValue"
    );
}

/// "Unknown targets refused": each under its own code.
#[test]
fn a_target_that_does_not_exist_is_refused() {
    let cases = [
        (nat("nat-none"), "NatGatewayNotFound"),
        (RouteTarget::of_gateway_id("igw-none"), "InvalidGatewayID.NotFound"),
        (RouteTarget::NetworkInterface(id("eni-none")), "InvalidNetworkInterfaceID.NotFound"),
        (RouteTarget::Instance(id("i-none")), "InvalidInstanceID.NotFound"),
        (RouteTarget::TransitGateway("tgw-none".to_owned()), "InvalidTransitGatewayID.NotFound"),
        (RouteTarget::VpcEndpoint(id("vpce-none")), "InvalidVpcEndpointId.NotFound"),
        (RouteTarget::VpcEndpoint(id("vpce-ssm")), "InvalidParameterValue"),
    ];
    let mut sim = sim();
    for (target, expected) in cases {
        assert_eq!(code(&mut sim, &create_route("rtb-b", v4("0.0.0.0/0"), target)), expected);
    }
    sim.know_gateway("igw-none");
    sim.call(&create_route("rtb-b", v4("0.0.0.0/0"), RouteTarget::of_gateway_id("igw-none")))
        .unwrap();
}

#[test]
fn a_target_in_another_vpc_is_refused() {
    assert_eq!(
        code(&mut sim(), &create_route("rtb-x", v4("0.0.0.0/0"), nat("nat-1"))),
        "InvalidParameterValue"
    );
}

/// "An instance target shows both `InstanceId` and `NetworkInterfaceId`."
#[test]
fn a_route_to_an_instance_shows_its_interface_too() {
    let mut sim = sim();
    sim.call(&create_route("rtb-b", v4("0.0.0.0/0"), RouteTarget::Instance(id("i-router"))))
        .unwrap();
    let route = table(&sim, "rtb-b").routes.pop().unwrap();
    assert_eq!(
        (route.instance_id, route.network_interface_id),
        (Some(id("i-router")), Some(id("eni-router")))
    );
}

/// "A route more specific than local is allowed only for a whole subnet's CIDR, to NAT gateway, ENI
/// or GWLB endpoint", and "no routes may be added inside 169.254.168.0/22 or fd00:ec2::/32."
#[test]
fn the_vpcs_own_and_reserved_ranges_are_guarded() {
    let mut sim = sim();
    assert_eq!(
        code(&mut sim, &create_route("rtb-b", v4("10.0.9.0/24"), nat("nat-1"))),
        "InvalidParameterValue"
    );
    let igw = RouteTarget::of_gateway_id("igw-1");
    assert_eq!(
        code(&mut sim, &create_route("rtb-b", v4("10.0.0.0/24"), igw)),
        "InvalidParameterValue"
    );
    assert_eq!(
        code(&mut sim, &create_route("rtb-b", v4("169.254.169.254/32"), nat("nat-1"))),
        "InvalidParameterValue"
    );
    sim.call(&create_route("rtb-b", v4("10.0.0.0/24"), nat("nat-1"))).unwrap();
}

#[test]
fn a_destination_is_of_the_kind_its_field_says() {
    let mut sim = sim();
    for wrong in ["::/0", "everything", "10.0.0.0"] {
        assert_eq!(
            code(&mut sim, &create_route("rtb-b", v4(wrong), nat("nat-1"))),
            "InvalidParameterValue",
            "{wrong}"
        );
    }
    assert_eq!(
        code(&mut sim, &create_route("rtb-b", list("pl-none"), nat("nat-1"))),
        "InvalidPrefixListID.NotFound"
    );
    sim.call(&create_route("rtb-b", list("pl-own"), nat("nat-1"))).unwrap();
    assert_eq!(routes(&sim, "rtb-b").last().unwrap(), "pl-own nat-1 active");
}

/// "Routes per route table: 500 default; IPv4 and IPv6 counted apart."
#[test]
fn a_table_is_full_of_one_family_at_a_time() {
    let mut sim = sim();
    for n in 0..500 {
        let destination = format!("203.{}.{}.0/24", n / 250, n % 250);
        sim.call(&create_route("rtb-b", v4(&destination), nat("nat-1"))).unwrap();
    }
    assert_eq!(
        code(&mut sim, &create_route("rtb-b", v4("0.0.0.0/0"), nat("nat-1"))),
        "RouteLimitExceeded"
    );
    let v6 = Destination::Ipv6CidrBlock(Cidr::from("64:ff9b::/96"));
    sim.call(&create_route("rtb-b", v6, nat("nat-1"))).unwrap();
}

/// "Blackhole state when a NAT gateway, ENI or instance behind a route goes."
#[test]
fn deleting_a_nat_gateway_leaves_a_black_hole() {
    let mut sim = sim();
    sim.call(&Request::DeleteNatGateway { nat_gateway_id: id("nat-1") }).unwrap();
    let route = table(&sim, "rtb-a")
        .routes
        .into_iter()
        .find(|route| route.goes_to(&v4("0.0.0.0/0")))
        .unwrap();
    assert_eq!(
        (route.nat_gateway_id, route.state),
        (Some(id("nat-1")), Some(RouteState::Blackhole))
    );
    assert_eq!(
        code(&mut sim, &create_route("rtb-b", v4("0.0.0.0/0"), nat("nat-1"))),
        "NatGatewayNotFound"
    );
    assert_eq!(
        code(&mut sim, &Request::DeleteNatGateway { nat_gateway_id: id("nat-1") }),
        "NatGatewayNotFound"
    );
}

/// "DryRun never mutates: `DryRunOperation` 412"; it is "missing on ModifyVpcAttribute,
/// ModifySubnetAttribute".
#[test]
fn a_dry_run_changes_nothing() {
    let mut sim = sim();
    let before = sim.world();
    let dry = Request::DryRun(Box::new(delete("rtb-a", v4("0.0.0.0/0"))));
    let error = sim.call(&dry).unwrap_err();
    assert_eq!((error.code.as_str(), error.http_status), ("DryRunOperation", 412));
    assert_eq!(sim.world(), before);
    let attribute = Request::ModifyVpcAttribute {
        vpc_id: id("vpc-1"),
        attribute: DnsAttribute::Support,
        value: false,
    };
    assert_eq!(code(&mut sim, &Request::DryRun(Box::new(attribute))), "UnknownParameter");
}
