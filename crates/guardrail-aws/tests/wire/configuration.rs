//! The baseline, where it is kept.

use guardrail::baseline::Mode;
use guardrail_aws::{Allowance, Configuration};
use jiff::Timestamp;

use crate::listener::{Answer, Listener, ok, page};

fn stored(baseline: &str) -> Answer {
    ok(serde_json::json!({"Parameter": {"Value": baseline}}).to_string())
}

/// The mode of the baseline that counts at this second, or why there is none.
async fn mode(configuration: &Configuration, second: i64) -> Result<Mode, String> {
    let now = Timestamp::from_second(second).unwrap();
    configuration
        .current(now)
        .await
        .map(|ready| ready.baseline.mode)
        .map_err(|unusable| unusable.to_string())
}

#[tokio::test]
async fn a_stored_baseline_is_read_again_after_a_minute_and_never_used_when_that_fails() {
    let listener = Listener::start().await;
    let fault = page(400, r#"{"__type":"AccessDeniedException","message":"no"}"#);
    let repair = || stored(r#"{"version":1,"mode":"repair"}"#);
    listener.on("", [repair(), stored(r#"{"version":1}"#), fault, stored("{"), repair()]);
    let configuration =
        Configuration::new(&listener.clients().await, Allowance::unlimited(), Some("ssm:/b"));
    assert_eq!(mode(&configuration, 0).await, Ok(Mode::Repair));
    assert_eq!(mode(&configuration, 59).await, Ok(Mode::Repair));
    assert_eq!(mode(&configuration, 60).await, Ok(Mode::Notify));
    let denied = "the baseline in the parameter `/b` cannot be used: GetParameter: AccessDeniedException: no";
    assert_eq!(mode(&configuration, 120).await, Err(denied.to_owned()));
    assert!(mode(&configuration, 121).await.is_err(), "read again at once, and broken");
    assert_eq!(mode(&configuration, 122).await, Ok(Mode::Repair));
    assert_eq!(listener.requests().len(), 5);
}

#[tokio::test]
async fn a_baseline_in_the_variable_takes_no_call() {
    let listener = Listener::start().await;
    let configuration = Configuration::new(
        &listener.clients().await,
        Allowance::unlimited(),
        Some(r#"{"version":1}"#),
    );
    assert_eq!(mode(&configuration, 0).await, Ok(Mode::Notify));
    assert_eq!(mode(&configuration, 100_000).await, Ok(Mode::Notify));
    assert_eq!(listener.requests(), Vec::<String>::new());
}
