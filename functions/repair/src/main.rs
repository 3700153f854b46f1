//! The repair function: messages about VPCs in; each VPC compared, put back as far as the modes
//! allow, and told about.

mod app;

use std::env;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use guardrail::inbox::batch::{self, Received};
use guardrail_aws::lambda::{Failed, Start};
use guardrail_aws::{Allowance, NoteTable, Topic};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tokio::task::LocalSet;

use crate::app::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let [level, baseline, arn, table] =
        ["AWS_LAMBDA_LOG_LEVEL", "GUARDRAIL_BASELINE", "GUARDRAIL_TOPIC_ARN", "GUARDRAIL_TABLE"]
            .map(|name| env::var(name).ok());
    let start = Start::load(level.as_deref(), baseline.as_deref(), Allowance::repair()).await?;
    start.warm_up().await;
    let topic = Topic::new(&start.clients, &arn.unwrap_or_default());
    // As long as the process: the runs of one batch share it.
    let notes = NoteTable::new(&start.clients, &table.unwrap_or_default());
    let app: &'static App = Box::leak(Box::new(App::new(start, topic, notes)));
    lambda_runtime::run(service_fn(|event| handle(app, event))).await
}

async fn handle(app: &'static App, event: LambdaEvent<Value>) -> Result<SqsBatchResponse, Failed> {
    let batch = batch::runs(&received(event.payload)?);
    for (message, why) in &batch.unreadable {
        tracing::error!(message_id = %message, "a message goes back until the dead-letter queue has it: {why}");
    }
    let failed = LocalSet::new().run_until(app.work(&batch, &event.context)).await?;
    let mut response = SqsBatchResponse::default();
    batch
        .batch_item_failures(failed.iter().map(String::as_str))
        .into_iter()
        .for_each(|id| response.add_failure(id));
    Ok(response)
}

/// The batch's messages. An empty id in the answer would send all of them back, so one without an
/// id is an error, as is what is no batch at all.
fn received(payload: Value) -> Result<Vec<Received>, Failed> {
    let event: SqsEvent = serde_json::from_value(payload).map_err(|error| {
        Failed::new("NotABatch", format!("the event is no batch of SQS messages: {error}"))
    })?;
    let no_id = || Failed::new("NotABatch", "a message of the batch has no `messageId`");
    let message = |message: aws_lambda_events::sqs::SqsMessage| {
        let attribute = |name: &str| message.attributes.get(name);
        Ok(Received {
            group: attribute("MessageGroupId").cloned(),
            receive_count: attribute("ApproximateReceiveCount")
                .and_then(|count| count.parse().ok())
                .unwrap_or(1),
            id: message.message_id.filter(|id| !id.is_empty()).ok_or_else(no_id)?,
            body: message.body.unwrap_or_default(),
        })
    };
    event.records.into_iter().map(message).collect()
}
