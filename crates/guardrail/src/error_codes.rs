//! AWS's error codes, and what each means for a run. The only file that names one.

use crate::action::{Action, Call};
use crate::cloud::{Applied, CallError, ErrorClass};

/// The class of an error, by AWS's code and, where one code stands for several things, its words.
pub fn classify(code: &str, message: &str) -> ErrorClass {
    match code {
        "RequestLimitExceeded" | "EC2ThrottledException" | "Throttling" | "ThrottlingException" | "SlowDown" => {
            ErrorClass::Throttled
        }
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" | "AuthorizationError" => ErrorClass::Denied,
        "RouteAlreadyExists" | "InvalidPermission.Duplicate" | "InvalidGroup.Duplicate" => ErrorClass::AlreadyDone,
        "InternalError" | "InternalFailure" | "ServiceUnavailable" | "Unavailable" | "IncorrectState" => {
            ErrorClass::Transient
        }
        code if code.ends_with("NotFound") => ErrorClass::NotFound,
        _ if message.contains("already has a route with destination-prefix-list-id") => ErrorClass::AlreadyDone,
        _ => ErrorClass::Invalid,
    }
}

/// What a failed call comes to: some failures say that what the call wants is so already.
///
/// # Errors
/// The error itself, where it is one for this call.
pub fn outcome_of(call: &Call, error: CallError) -> Result<Applied, CallError> {
    match (call, error.class) {
        (Action::CreateSecurityGroup { .. }, _) => Err(error),
        (_, ErrorClass::AlreadyDone) | (Action::DeleteRoute { .. }, ErrorClass::NotFound) => Ok(Applied::Already),
        _ => Err(error),
    }
}
