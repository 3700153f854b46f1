//! Probes, by Lambda.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::primitives::Blob;
use guardrail::cloud::{ASK_PROBE, CallError, ErrorClass};
use guardrail::probe::{Answer, ProbeName, Question};

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

/// How much longer than the probe looks its answer may take: for a process that has to start.
const TO_START: Duration = Duration::from_secs(6);

/// The longest that a probe looks, and what it takes to start.
const LONGEST: Duration = Duration::from_secs(70);

/// Lambda as these clients reach it.
#[derive(Debug, Clone)]
pub(crate) struct Probes(Client);

impl Probes {
    pub(crate) fn new(clients: &Clients) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_millis(1500))
            .operation_attempt_timeout(LONGEST)
            .operation_timeout(LONGEST)
            .build();
        let config = aws_sdk_lambda::config::Builder::from(clients.config())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        Self(Client::from_conf(config.build()))
    }

    /// Asks a probe of the clients' own account and Region once, and waits for its answer.
    pub(crate) async fn ask(
        &self,
        probe: &ProbeName,
        question: &Question,
    ) -> Result<Answer, CallError> {
        let payload = serde_json::to_vec(question)
            .map_err(|error| unreadable(ASK_PROBE, &error.to_string()))?;
        let request = self.0.invoke().function_name(probe.to_string()).payload(Blob::new(payload));
        let within = question.limits.whole().saturating_add(TO_START);
        let answer = tokio::time::timeout(within, on_heap(request.send()));
        let answer = answer.await.map_err(|_| too_late(within))?;
        let answer = answer.map_err(|error| failed(ASK_PROBE, &error))?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        read(answer.function_error.as_deref(), &payload)
    }
}

/// What a function answered; one that failed answers with its error
/// (docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
fn read(function_error: Option<&str>, payload: &[u8]) -> Result<Answer, CallError> {
    if let Some(kind) = function_error {
        let said = String::from_utf8_lossy(payload);
        return Err(unreadable(ASK_PROBE, &format!("the function failed ({kind}): {said}")));
    }
    serde_json::from_slice(payload)
        .map_err(|error| unreadable(ASK_PROBE, &format!("the answer cannot be read: {error}")))
}

fn too_late(within: Duration) -> CallError {
    CallError {
        operation: ASK_PROBE.to_owned(),
        class: ErrorClass::Transient,
        code: None,
        message: format!("no answer within {} seconds", within.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_what_is_none_is_an_error() {
        let answer = br#"{"version": 1, "targets": [], "services": []}"#;
        let empty = Answer { version: 1, targets: Vec::new(), services: Vec::new() };
        assert_eq!(read(None, answer), Ok(empty));
        let said = |error: Option<&str>, payload: &[u8]| read(error, payload).unwrap_err().shown();
        assert_eq!(
            said(Some("Unhandled"), br#"{"errorMessage": "no roots"}"#),
            "Invoke: \"the function failed (Unhandled): {'errorMessage': 'no roots'}\""
        );
        assert_eq!(
            said(None, b""),
            "Invoke: \"the answer cannot be read: EOF while parsing a value at line 1 column 0\""
        );
    }
}
