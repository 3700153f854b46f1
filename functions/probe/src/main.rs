//! The probe function: a question in, an answer out. It writes no log, because its role may not.

use guardrail::probe::Question;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use probe::{Probe, system_roots};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let probe = Probe::new(system_roots()?)?;
    lambda_runtime::run(service_fn(|event| answer(&probe, event))).await
}

async fn answer(probe: &Probe, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let question = Question::read(&event.payload)?;
    Ok(serde_json::to_value(probe.look(&question).await)?)
}
