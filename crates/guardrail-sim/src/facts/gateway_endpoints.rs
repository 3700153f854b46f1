use guardrail::ec2::world::{Route, RouteOrigin, RouteState};

use super::*;
use crate::ModifyVpcEndpoint;

fn gateway(service: &str, tables: &[&str]) -> CreateVpcEndpoint {
    CreateVpcEndpoint {
        route_table_ids: ids(tables),
        ..CreateVpcEndpoint::new(id("vpc-1"), service)
    }
}

fn change(sim: &mut Sim, add: &[&str], remove: &[&str]) -> Result<Response, ApiError> {
    sim.call(&Request::ModifyVpcEndpoint(Box::new(modify(add, remove))))
}

fn modify(add: &[&str], remove: &[&str]) -> ModifyVpcEndpoint {
    ModifyVpcEndpoint {
        add_route_table_ids: ids(add),
        remove_route_table_ids: ids(remove),
        ..ModifyVpcEndpoint::new(id("vpce-s3"))
    }
}

/// As DescribeRouteTables returns it:
/// `{"DestinationPrefixListId":"pl-…","GatewayId":"vpce-…","Origin":"CreateRoute",
/// "State":"active"}`: no CIDR field at all, and the endpoint sits in `GatewayId`.
#[test]
fn a_new_endpoint_writes_its_route_into_each_table() {
    let mut sim = sim();
    let made = made_endpoint(&mut sim, gateway(DYNAMODB, &["rtb-a", "rtb-b", "rtb-b"]));
    assert_eq!(names(&made.route_table_ids), ["rtb-a", "rtb-b"]);
    let expected = Route {
        destination_prefix_list_id: Some(id("pl-ddb")),
        gateway_id: Some(made.vpc_endpoint_id.to_string()),
        origin: Some(RouteOrigin::CreateRoute),
        state: Some(RouteState::Active),
        ..Route::default()
    };
    for name in ["rtb-a", "rtb-b"] {
        assert_eq!(table(&sim, name).routes.last(), Some(&expected), "{name}");
    }
}

/// "ModifyVpcEndpoint Add/RemoveRouteTableIds adds/removes the pl- route in each table at once with
/// the association."
#[test]
fn a_changed_association_changes_the_routes_at_once() {
    let mut sim = sim();
    change(&mut sim, &["rtb-b", "rtb-main"], &["rtb-a"]).unwrap();
    assert_eq!(names(&endpoint(&sim, "vpce-s3").unwrap().route_table_ids), ["rtb-b", "rtb-main"]);
    assert_eq!(routes(&sim, "rtb-a"), ["10.0.0.0/16 local active", "0.0.0.0/0 nat-1 active"]);
    assert_eq!(routes(&sim, "rtb-b").last().unwrap(), "pl-s3 vpce-s3 active");
    assert_eq!(routes(&sim, "rtb-main").last().unwrap(), "pl-s3 vpce-s3 active");
}

/// "It goes when the route table is disassociated or the endpoint is deleted."
#[test]
fn a_deleted_endpoint_takes_its_routes_along() {
    let mut sim = sim();
    sim.call(&Request::DeleteVpcEndpoints { vpc_endpoint_ids: ids(&["vpce-s3"]) }).unwrap();
    assert_eq!(routes(&sim, "rtb-a"), ["10.0.0.0/16 local active", "0.0.0.0/0 nat-1 active"]);
}

/// "One route per service per route table; a VPC may hold several gateway endpoints for one service
/// if they are on different tables"; text `route table rtb-… already has a route with
/// destination-prefix-list-id pl-…`.
#[test]
fn one_endpoint_of_a_service_on_each_table() {
    let mut sim = sim();
    let (code, message) =
        refusal(&mut sim, &Request::CreateVpcEndpoint(Box::new(gateway(S3, &["rtb-b", "rtb-a"]))));
    assert_eq!(code, "RouteAlreadyExists");
    assert_eq!(
        message,
        "route table rtb-a already has a route with destination-prefix-list-id pl-s3"
    );
    made_endpoint(&mut sim, gateway(S3, &["rtb-b"]));
    let again = Request::ModifyVpcEndpoint(Box::new(modify(&["rtb-b"], &[])));
    assert_eq!(super::code(&mut sim, &again), "RouteAlreadyExists");
}

/// "Service name and cross-VPC table validation": a table of another VPC is refused, and nothing of
/// the call is done.
#[test]
fn only_tables_of_the_endpoints_vpc() {
    let mut sim = sim();
    let create = |tables: &[&str]| Request::CreateVpcEndpoint(Box::new(gateway(DYNAMODB, tables)));
    assert_eq!(code(&mut sim, &create(&["rtb-b", "rtb-x"])), "InvalidParameter");
    assert_eq!(code(&mut sim, &create(&["rtb-b", "rtb-none"])), "InvalidRouteTableId.NotFound");
    let add = Request::ModifyVpcEndpoint(Box::new(modify(&["rtb-b", "rtb-x"], &["rtb-a"])));
    assert_eq!(code(&mut sim, &add), "InvalidParameter");
    let remove = Request::ModifyVpcEndpoint(Box::new(modify(&[], &["rtb-b"])));
    assert_eq!(code(&mut sim, &remove), "InvalidParameter");
}

#[test]
fn what_interfaces_have_is_not_for_gateways() {
    let mut sim = sim();
    let plain = gateway(DYNAMODB, &[]);
    for wrong in [
        CreateVpcEndpoint { subnet_ids: ids(&["subnet-a1"]), ..plain.clone() },
        CreateVpcEndpoint { security_group_ids: ids(&["sg-web"]), ..plain.clone() },
        CreateVpcEndpoint { private_dns_enabled: Some(true), ..plain },
    ] {
        assert_eq!(
            code(&mut sim, &Request::CreateVpcEndpoint(Box::new(wrong))),
            "InvalidParameter"
        );
    }
    let wrong = ModifyVpcEndpoint { private_dns_enabled: Some(true), ..modify(&[], &[]) };
    assert_eq!(code(&mut sim, &Request::ModifyVpcEndpoint(Box::new(wrong))), "InvalidParameter");
}

/// A world that was described without AWS's own lists still has their ids, in the routes that
/// endpoints wrote.
#[test]
fn a_service_keeps_its_prefix_list_where_only_routes_name_it() {
    let mut world = guardrail::ec2::world_file::load(WORLD).unwrap();
    world.prefix_lists = None;
    let mut sim = Sim::new(world, Default::default(), SimOptions::default());
    made_endpoint(&mut sim, gateway(S3, &["rtb-b"]));
    assert!(routes(&sim, "rtb-b").last().unwrap().starts_with("pl-s3 vpce-0"));
    made_endpoint(&mut sim, gateway(DYNAMODB, &["rtb-a"]));
    made_endpoint(&mut sim, gateway(DYNAMODB, &["rtb-b"]));
    let list =
        |name: &str| table(&sim, name).routes.pop().unwrap().destination_prefix_list_id.unwrap();
    assert_eq!(list("rtb-a"), list("rtb-b"));
    assert_eq!(sim.world().prefix_lists, None);
}
