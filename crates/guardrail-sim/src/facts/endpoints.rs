//! What holds for endpoints of both types.

use guardrail::ec2::world::{EndpointState, EndpointType};

use super::*;
use crate::{ModifyVpcEndpoint, Unsuccessful};

fn wanted(service: &str) -> CreateVpcEndpoint {
    CreateVpcEndpoint::new(id("vpc-1"), service)
}

fn create(wanted: CreateVpcEndpoint) -> Request {
    Request::CreateVpcEndpoint(Box::new(wanted))
}

/// "`VpcEndpointType` in CreateVpcEndpoint defaults to `Gateway`"; "default (no policy given) =
/// allow all"; the state is lower-case on the wire.
#[test]
fn what_is_left_out_is_a_gateway_that_allows_all() {
    let made = made_endpoint(&mut sim(), wanted(DYNAMODB));
    assert_eq!(made.vpc_endpoint_type, Some(EndpointType::Gateway));
    assert_eq!(made.state.as_str(), "pending");
    let policy: serde_json::Value = serde_json::from_str(&made.policy_document.unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Action"], "*");
    assert_eq!(made.creation_timestamp.as_deref(), Some("2026-11-22T12:00:00Z"));
}

/// "A Region launched in 2024 or later has no such service → `InvalidServiceName`"; S3 and DynamoDB
/// have two service entries of one name, told apart by their type.
#[test]
fn a_service_exists_as_a_type() {
    let mut sim = sim();
    assert_eq!(
        code(&mut sim, &create(wanted("com.amazonaws.eu-central-1.ec2messages"))),
        "InvalidServiceName"
    );
    assert_eq!(code(&mut sim, &create(wanted("S3"))), "InvalidServiceName");
    let (code, message) = refusal(&mut sim, &create(wanted(KMS)));
    assert_eq!(code, "InvalidParameter");
    assert_eq!(
        message,
        "Endpoint type (Gateway) does not match available service types ([Interface])."
    );
}

/// "CreateVpcEndpoint validation: InvalidVpcID.NotFound; CreateVpcEndpoint on AWS spells
/// InvalidVpcId."
#[test]
fn a_vpc_that_is_not_there_is_spelled_its_own_way() {
    let nowhere = CreateVpcEndpoint::new(id("vpc-9"), S3);
    assert_eq!(code(&mut sim(), &create(nowhere)), "InvalidVpcId.NotFound");
}

/// "ClientToken: same token and parameters → same endpoint; other parameters →
/// `IdempotentParameterMismatch`"; "≤64 ASCII characters; malformed → `InvalidClientToken`".
#[test]
fn a_client_token_makes_one_endpoint() {
    let mut sim = sim();
    let with = |token: &str| CreateVpcEndpoint {
        client_token: Some(token.to_owned()),
        ..wanted(DYNAMODB)
    };
    let first = made_endpoint(&mut sim, with("once"));
    assert_eq!(made_endpoint(&mut sim, with("once")), first);
    let other = CreateVpcEndpoint { route_table_ids: ids(&["rtb-b"]), ..with("once") };
    assert_eq!(code(&mut sim, &create(other)), "IdempotentParameterMismatch");
    assert_ne!(made_endpoint(&mut sim, with("twice")).vpc_endpoint_id, first.vpc_endpoint_id);
    for malformed in ["ünïque".to_owned(), "x".repeat(65)] {
        assert_eq!(code(&mut sim, &create(with(&malformed))), "InvalidClientToken");
    }
}

/// "A remembered token may return the dead endpoint": so a token has to change when an endpoint
/// must be made again.
#[test]
fn a_remembered_token_gives_back_the_dead() {
    let mut sim = sim();
    let wanted = CreateVpcEndpoint { client_token: Some("once".to_owned()), ..wanted(DYNAMODB) };
    let made = made_endpoint(&mut sim, wanted.clone());
    sim.call(&Request::DeleteVpcEndpoints { vpc_endpoint_ids: vec![made.vpc_endpoint_id.clone()] })
        .unwrap();
    let again = made_endpoint(&mut sim, wanted);
    assert_eq!(
        (again.vpc_endpoint_id, again.state),
        (made.vpc_endpoint_id, EndpointState::Deleting)
    );
}

/// "Endpoint policy size 20,480 characters including white space", and it is JSON.
#[test]
fn a_policy_is_json_of_bounded_size() {
    let mut sim = sim();
    let long = format!("{{\"Version\":\"{}\"}}", "x".repeat(20_480));
    for policy in ["{\"Statement\":", "[]", long.as_str()] {
        let with =
            CreateVpcEndpoint { policy_document: Some(policy.to_owned()), ..wanted(DYNAMODB) };
        assert_eq!(code(&mut sim, &create(with)), "InvalidPolicyDocument");
    }
}

/// "Gateway endpoints per Region: 20, adjustable": `VpcEndpointLimitExceeded`.
#[test]
fn the_quota_is_an_option() {
    let mut sim = sim_with(SimOptions { endpoint_quota: Some(2), ..SimOptions::default() });
    made_endpoint(&mut sim, wanted(DYNAMODB));
    assert_eq!(
        code(&mut sim, &create(CreateVpcEndpoint::new(id("vpc-2"), S3))),
        "VpcEndpointLimitExceeded"
    );
}

/// "`DeleteVpcEndpoints` is HTTP 200 with an `Unsuccessful[]` list"; "`RequesterManaged=true`
/// endpoints belong to another AWS service: never repair or delete them."
#[test]
fn a_deletion_answers_for_each_endpoint() {
    let mut sim = sim();
    let request = Request::DeleteVpcEndpoints {
        vpc_endpoint_ids: ids(&["vpce-none", "vpce-s3", "vpce-managed"]),
    };
    let Response::Unsuccessful(left) = sim.call(&request).unwrap() else { panic!() };
    let refused = |id: &str, code: &str, message: &str| Unsuccessful {
        resource_id: id.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
    };
    assert_eq!(
        left,
        [
            refused(
                "vpce-none",
                "InvalidVpcEndpoint.NotFound",
                "The Vpc Endpoint Id 'vpce-none' does not exist"
            ),
            refused(
                "vpce-managed",
                "OperationNotPermitted",
                "vpce-managed is managed by another AWS service"
            ),
        ]
    );
    assert_eq!(endpoint(&sim, "vpce-s3").unwrap().state, EndpointState::Deleting);
}

#[test]
fn an_endpoint_on_its_way_out_is_not_changed() {
    let mut sim = sim();
    let change =
        |id: &str| Request::ModifyVpcEndpoint(Box::new(ModifyVpcEndpoint::new(super::id(id))));
    sim.call(&Request::DeleteVpcEndpoints { vpc_endpoint_ids: ids(&["vpce-s3"]) }).unwrap();
    assert_eq!(code(&mut sim, &change("vpce-s3")), "IncorrectState");
    assert_eq!(code(&mut sim, &change("vpce-managed")), "OperationNotPermitted");
    assert_eq!(code(&mut sim, &change("vpce-none")), "InvalidVpcEndpointId.NotFound");
}

/// "Set the policy", and "`ModifyVpcEndpoint.ResetPolicy`".
#[test]
fn a_policy_is_set_and_reset() {
    let mut sim = sim();
    let set = r#"{"Statement":[]}"#;
    let mut change = ModifyVpcEndpoint::new(id("vpce-s3"));
    change.policy_document = Some(set.to_owned());
    sim.call(&Request::ModifyVpcEndpoint(Box::new(change))).unwrap();
    assert_eq!(endpoint(&sim, "vpce-s3").unwrap().policy_document.as_deref(), Some(set));
    let reset = ModifyVpcEndpoint { reset_policy: true, ..ModifyVpcEndpoint::new(id("vpce-s3")) };
    sim.call(&Request::ModifyVpcEndpoint(Box::new(reset))).unwrap();
    assert!(
        endpoint(&sim, "vpce-s3").unwrap().policy_document.unwrap().contains(r#""Action":"*""#)
    );
}
