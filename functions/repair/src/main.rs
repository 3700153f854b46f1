//! The repair function: messages about VPCs in; each VPC compared, put back as far as the modes
//! allow, and told about.

mod log;

use std::env;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use guardrail::history::hourly::ALERTS_AN_HOUR;
use guardrail::inbox::batch::{self, Received};
use guardrail::inbox::work::{Event, Hands, Invocation, work};
use guardrail_aws::lambda::{Failed, Start, Variables};
use guardrail_aws::{Allowance, DynamoTable, Inbox, Topics};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

struct Repair {
    start: Start,
    topics: Topics,
    table: DynamoTable,
    inbox: Inbox,
    /// What SQS names detect by, before a colon.
    detect: String,
    alerts_per_hour: u32,
    stack: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let variables = Variables::new(|name| env::var(name).ok());
    let text = |name| variables.text(name);
    let start = Start::load(&variables, Allowance::repair()).await?;
    start.warm_up().await;
    let repair = Repair {
        topics: Topics::new(&start.clients, &text("GUARDRAIL_TOPIC_ARN")),
        table: DynamoTable::new(&start.clients, &text("GUARDRAIL_TABLE")),
        inbox: Inbox::new(
            &start.clients,
            &text("GUARDRAIL_QUEUE_URL"),
            &text("GUARDRAIL_UNREADABLE_URL"),
        ),
        detect: text("GUARDRAIL_DETECT_ROLE_ID"),
        alerts_per_hour: variables.number("GUARDRAIL_ALERTS_PER_HOUR", ALERTS_AN_HOUR)?,
        stack: text("GUARDRAIL_STACK"),
        start,
    };
    lambda_runtime::run(service_fn(|event| repair.handle(event))).await
}

impl Repair {
    async fn handle(&self, event: LambdaEvent<Value>) -> Result<SqsBatchResponse, Failed> {
        let context = &event.context;
        let batch = batch::runs(&received(event.payload)?, |sender| self.is_detect(sender));
        let place = self.start.place(context).await?;
        let configured = self.start.configuration.current(self.start.clock()).await;
        let baseline = configured.as_ref().map(|ready| &ready.baseline);
        let clouds = configured.as_ref().map_or(&self.start.clouds, |ready| &ready.clouds);
        let cloud = clouds.at(&place)?;
        let hands = Hands {
            cloud: &cloud,
            table: &self.table,
            telling: &self.topics,
            queue: &self.inbox,
            alerts_per_hour: self.alerts_per_hour,
            stack: &self.stack,
        };
        let (request_id, ends) = (context.request_id.as_str(), context.deadline);
        let invocation = Invocation { baseline, place: &place, request_id, ends };
        let log = |event: Event<'_>| log::log(&self.stack, event);
        let back = work(&hands, &batch, &invocation, &log).await;
        let mut response = SqsBatchResponse::default();
        back.into_iter().for_each(|id| response.add_failure(id));
        Ok(response)
    }

    /// `SenderId` of a role is its id, a colon and the session's name.
    fn is_detect(&self, sender: &str) -> bool {
        let role = sender.split(':').next().unwrap_or_default();
        !self.detect.is_empty() && role == self.detect
    }
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
            sender: attribute("SenderId").cloned(),
            handle: message.receipt_handle.unwrap_or_default(),
            id: message.message_id.filter(|id| !id.is_empty()).ok_or_else(no_id)?,
            body: message.body.unwrap_or_default(),
        })
    };
    event.records.into_iter().map(message).collect()
}
