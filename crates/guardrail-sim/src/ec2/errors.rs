//! Refusals, in EC2's codes and words.

/// A call that EC2 refused, or whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// EC2's code, as on the wire (no `Client.` prefix); empty when no answer came.
    pub code: String,
    /// EC2's words.
    pub message: String,
    /// The HTTP status; 0 when no answer came.
    pub http_status: u16,
}

/// The code for a section that the loaded world does not hold: nothing EC2 would say, and nothing
/// that may be read as "none".
pub(crate) const NOT_IN_WORLD: &str = "NotInWorld";

impl ApiError {
    /// A refusal with the status that goes with its code.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), http_status: status_of(code) }
    }

    /// The refusal of text that is not an id of this kind; `kind` as the wire's error codes spell
    /// it (`InvalidVpcID`).
    pub fn malformed(kind: &str, text: &str) -> Self {
        Self::new(&format!("{kind}.Malformed"), format!("Invalid id: \"{text}\""))
    }

    /// Whether no answer came.
    pub fn is_lost(&self) -> bool {
        self.http_status == 0
    }

    pub(crate) fn lost() -> Self {
        Self {
            code: String::new(),
            message: "the connection closed before an answer came".to_owned(),
            http_status: 0,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameter", message)
    }

    pub(crate) fn invalid_value(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", message)
    }

    pub(crate) fn not_found(code: &str, what: &str, id: &str) -> Self {
        Self::new(code, format!("The {what} ID '{id}' does not exist"))
    }
}

fn status_of(code: &str) -> u16 {
    match code {
        "DryRunOperation" => 412,
        "UnauthorizedOperation" | "AuthFailure" => 403,
        "RequestLimitExceeded" | "ServiceUnavailable" | "Unavailable" => 503,
        "InternalError" | "InternalFailure" => 500,
        _ => 400,
    }
}
