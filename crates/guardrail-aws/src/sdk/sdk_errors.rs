//! The SDK's calls, and its errors as the core's.

use std::error::Error;
use std::pin::Pin;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use guardrail::cloud::error_codes::classify;
use guardrail::cloud::{CallError, ErrorClass};

/// A call with its state on the heap: the SDK's is tens of kilobytes, and a dozen are under way at
/// once.
pub(crate) fn on_heap<F: Future>(call: F) -> Pin<Box<F>> {
    Box::pin(call)
}

/// The core's error for one of the SDK's, of any service.
pub(crate) fn failed<E>(operation: &str, error: &SdkError<E>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(code) = error.code().filter(|code| !code.is_empty()) else {
        return without_code(operation, error);
    };
    let message = error.message().unwrap_or_default();
    CallError {
        operation: operation.to_owned(),
        class: classify(code, message),
        code: Some(code.to_owned()),
        message: message.to_owned(),
    }
}

/// An answer that says something this version cannot read: never taken for "nothing there".
pub(crate) fn unreadable(operation: &str, what: &str) -> CallError {
    CallError {
        operation: operation.to_owned(),
        class: ErrorClass::Invalid,
        code: None,
        message: what.to_owned(),
    }
}

/// No answer came, or one without a code: the network, a time-out, a proxy's page. All of these
/// pass, save a request that could not even be made and one that was refused.
fn without_code<E: Error + 'static>(operation: &str, error: &SdkError<E>) -> CallError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let class = match (error, status) {
        (SdkError::ConstructionFailure(_), _) => ErrorClass::Invalid,
        (_, Some(401 | 403)) => ErrorClass::Denied,
        (_, Some(429)) => ErrorClass::Throttled,
        _ => ErrorClass::Transient,
    };
    let answer = status.map(|status| format!(" (HTTP status {status})")).unwrap_or_default();
    CallError {
        operation: operation.to_owned(),
        class,
        code: None,
        message: format!("no readable answer{answer}: {}", chain(error)),
    }
}

/// The error and what led to it, each once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !words.ends_with(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        source = cause.source();
    }
    words
}
