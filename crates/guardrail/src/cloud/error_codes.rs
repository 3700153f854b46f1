//! What AWS's error codes mean: the only place in the product where they are spelled out.
//!
//! EC2 models no typed errors; a code is text, and for some refusals only the words tell what it
//! means. Codes and texts are those of "Error codes for the Amazon EC2 API" and of public captures;
//! beside them are the few of DynamoDB, SQS and Systems Manager that the guardrail meets
//! (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html).

use crate::cloud::{Applied, CallError, ErrorClass};
use crate::ec2::change::Call;

/// What a failed call means. An empty `code` is a call that no answer came to. CloudTrail's
/// `Client.` and `Server.` are understood.
pub fn classify(code: &str, message: &str) -> ErrorClass {
    let code = without_side(code);
    match code {
        "" => ErrorClass::Transient,
        "RequestLimitExceeded"
        | "EC2ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "ProvisionedThroughputExceeded"
        | "ProvisionedThroughputExceededException" => ErrorClass::Throttled,
        _ if code.starts_with("Throttl") => ErrorClass::Throttled,
        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "AuthFailure"
        | "AuthorizationError"
        | "OperationNotPermitted" => ErrorClass::Denied,
        "ExpiredToken"
        | "InvalidClientTokenId"
        | "OptInRequired"
        | "PendingVerification"
        | "Blocked"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => ErrorClass::Denied,
        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "ServiceUnavailable"
        | "Unavailable"
        | "IncorrectState"
        | "OperationInProgress"
        | "InvalidState"
        | "DependencyViolation"
        | "InsufficientFreeAddressesInSubnet"
        | "TransactionInProgressException"
        | "RequestExpired" => ErrorClass::Transient,
        "RouteAlreadyExists"
        | "InvalidPermission.Duplicate"
        | "InvalidGroup.Duplicate"
        | "Resource.AlreadyAssociated" => ErrorClass::AlreadyDone,
        // One public capture has the second gateway endpoint on a table refused under
        // `InvalidParameter`.
        _ if message.contains("already has a route with destination-prefix-list-id") => {
            ErrorClass::AlreadyDone
        }
        "NatGatewayNotFound"
        | "ParameterNotFound"
        | "AWS.SimpleQueueService.NonExistentQueue"
        | "QueueDoesNotExist"
        | "ResourceNotFoundException" => ErrorClass::NotFound,
        _ if code.ends_with(".NotFound") => ErrorClass::NotFound,
        _ => ErrorClass::Invalid,
    }
}

/// Whether a dry run says that the call would be allowed: it does so with an error.
pub fn is_dry_run_allowed(error: &CallError) -> bool {
    matches!(code_of(error), Some("DryRunOperation"))
}

/// Whether a dry run says that the call would not be allowed, and not that it could not be looked
/// at.
pub fn is_dry_run_denied(error: &CallError) -> bool {
    matches!(
        code_of(error),
        Some("UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException")
    )
}

/// Whether a call failed because the security group that it names is not there, or not known
/// everywhere yet.
pub fn is_group_not_found(error: &CallError) -> bool {
    error.class == ErrorClass::NotFound
        && code_of(error).is_some_and(|code| code.starts_with("InvalidGroup"))
}

/// The error a call failed with, classified. An empty `code` is a call that no answer came to.
pub fn call_error(operation: &str, code: &str, message: &str) -> CallError {
    CallError {
        operation: operation.to_owned(),
        class: classify(code, message),
        code: Some(without_side(code)).filter(|code| !code.is_empty()).map(str::to_owned),
        message: message.to_owned(),
    }
}

/// What a failed call came to: some refusals say that what was wanted is so already.
///
/// Where one call holds several changes, EC2 makes all of them or none, so that "one of them is
/// there" leaves the others to do: the error then becomes one that passes, and the next look plans
/// what is still missing.
///
/// # Errors
/// The error, where it is one.
pub fn outcome_of(call: &Call, error: CallError) -> Result<Applied, CallError> {
    match (call, error.class) {
        (Call::DeleteRoute { .. }, ErrorClass::NotFound)
            if code_of(&error) == Some("InvalidRoute.NotFound") =>
        {
            Ok(Applied::Already)
        }
        (Call::RevokeIngress { .. }, ErrorClass::NotFound)
            if code_of(&error) == Some("InvalidPermission.NotFound") =>
        {
            Ok(Applied::Already)
        }
        (_, ErrorClass::AlreadyDone) if call.is_single() => Ok(Applied::Already),
        (_, ErrorClass::AlreadyDone) => Err(CallError { class: ErrorClass::Transient, ..error }),
        // The group was made, or described, moments ago: it is there, though not yet for every part
        // of EC2.
        (
            Call::AuthorizeHttps { .. } | Call::CreateEndpoint { .. } | Call::ModifyEndpoint { .. },
            ErrorClass::NotFound,
        ) if is_group_not_found(&error) => Err(CallError { class: ErrorClass::Transient, ..error }),
        (_, _) => Err(error),
    }
}

fn code_of(error: &CallError) -> Option<&str> {
    error.code.as_deref().map(without_side)
}

fn without_side(code: &str) -> &str {
    code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::change::PrivateDns;
    use crate::ec2::cidr::Cidr;
    use crate::ec2::world::Destination;

    #[test]
    fn every_code_the_repair_may_meet_has_its_class() {
        let table = [
            (
                ErrorClass::NotFound,
                "InvalidRoute.NotFound InvalidVpcEndpointId.NotFound InvalidVpcEndpoint.NotFound",
            ),
            (
                ErrorClass::NotFound,
                "InvalidRouteTableID.NotFound InvalidGatewayID.NotFound NatGatewayNotFound",
            ),
            (
                ErrorClass::NotFound,
                "InvalidVpcID.NotFound InvalidVpcId.NotFound InvalidSubnetID.NotFound",
            ),
            (
                ErrorClass::NotFound,
                "InvalidPermission.NotFound InvalidGroup.NotFound Client.InvalidRoute.NotFound",
            ),
            (
                ErrorClass::AlreadyDone,
                "RouteAlreadyExists InvalidPermission.Duplicate InvalidGroup.Duplicate",
            ),
            (
                ErrorClass::Denied,
                "UnauthorizedOperation Client.UnauthorizedOperation AuthFailure OperationNotPermitted",
            ),
            (
                ErrorClass::Throttled,
                "RequestLimitExceeded Client.RequestLimitExceeded EC2ThrottledException Throttling",
            ),
            (
                ErrorClass::Throttled,
                "ProvisionedThroughputExceededException ThrottlingException ThrottlingError",
            ),
            (ErrorClass::Transient, "InternalServerError TransactionInProgressException"),
            (
                ErrorClass::NotFound,
                "ResourceNotFoundException QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue",
            ),
            (ErrorClass::Invalid, "ValidationException IdempotentParameterMismatchException"),
            (
                ErrorClass::Transient,
                "InternalError InternalFailure ServiceUnavailable Unavailable Server.InternalError",
            ),
            (ErrorClass::Transient, "IncorrectState DependencyViolation OperationInProgress"),
            (
                ErrorClass::Invalid,
                "InvalidServiceName DuplicateSubnetsInSameZone VpcEndpointLimitExceeded",
            ),
            (
                ErrorClass::Invalid,
                "RouteLimitExceeded InvalidParameter InvalidParameterValue NeverSeen",
            ),
            (ErrorClass::Invalid, "IdempotentParameterMismatch InvalidRouteTableId.Malformed"),
        ];
        for (class, codes) in table {
            for code in codes.split(' ') {
                assert_eq!(classify(code, "some words"), class, "{code}");
            }
        }
    }

    /// "Code `RouteAlreadyExists` in captures, `InvalidParameter` in one capture; match code or
    /// text."
    #[test]
    fn a_second_gateway_endpoint_on_a_table_is_known_by_its_words_too() {
        let words = "route table rtb-1 already has a route with destination-prefix-list-id pl-1";
        assert_eq!(classify("InvalidParameter", words), ErrorClass::AlreadyDone);
    }

    #[test]
    fn no_answer_may_pass() {
        assert_eq!(classify("", "connection closed"), ErrorClass::Transient);
        let error = call_error("DeleteRoute", "", "connection closed");
        assert_eq!(
            (error.code.as_deref(), error.to_string().as_str()),
            (None, "DeleteRoute: connection closed")
        );
        let refused = call_error("DeleteRoute", "Client.IncorrectState", "later");
        assert_eq!(refused.code.as_deref(), Some("IncorrectState"));
        assert_eq!(refused.to_string(), "DeleteRoute: IncorrectState: later");
    }

    fn outcome(call: &Call, code: &str) -> Result<Applied, ErrorClass> {
        outcome_of(call, call_error("Operation", code, "words")).map_err(|error| error.class)
    }

    #[test]
    fn a_route_that_is_gone_is_deleted_but_a_table_that_is_gone_is_an_error() {
        let call = Call::DeleteRoute {
            table: "rtb-1".parse().unwrap(),
            destination: Destination::CidrBlock(Cidr::from("0.0.0.0/0")),
            target: "nat-1".to_owned().into(),
        };
        assert_eq!(outcome(&call, "InvalidRoute.NotFound"), Ok(Applied::Already));
        assert_eq!(outcome(&call, "InvalidRouteTableID.NotFound"), Err(ErrorClass::NotFound));
    }

    #[test]
    fn one_rule_that_exists_is_done_and_one_of_several_is_looked_at_again() {
        let call = |cidrs: &[&str]| Call::AuthorizeHttps {
            group: "sg-1".parse().unwrap(),
            cidrs: cidrs.iter().copied().map(Cidr::from).collect(),
        };
        assert_eq!(
            outcome(&call(&["10.0.0.0/16"]), "InvalidPermission.Duplicate"),
            Ok(Applied::Already)
        );
        let two = call(&["10.0.0.0/16", "10.1.0.0/16"]);
        assert_eq!(outcome(&two, "InvalidPermission.Duplicate"), Err(ErrorClass::Transient));
        assert_eq!(outcome(&two, "InvalidGroup.NotFound"), Err(ErrorClass::Transient));
    }

    #[test]
    fn an_association_that_exists_does_not_hide_the_other_changes_of_the_call() {
        let call = |private_dns| Call::ModifyEndpoint {
            endpoint: "vpce-1".parse().unwrap(),
            add_route_tables: vec!["rtb-1".parse().unwrap()],
            add_subnets: Vec::new(),
            add_groups: Vec::new(),
            private_dns,
        };
        assert_eq!(outcome(&call(PrivateDns::Off), "RouteAlreadyExists"), Ok(Applied::Already));
        assert_eq!(
            outcome(&call(PrivateDns::On), "RouteAlreadyExists"),
            Err(ErrorClass::Transient)
        );
        assert_eq!(
            outcome(&call(PrivateDns::Off), "InvalidVpcEndpointId.NotFound"),
            Err(ErrorClass::NotFound)
        );
    }
}
