//! The detect function: a recorded call in, messages about VPCs out. Reads networks only; decides
//! nothing.

use std::env;

use guardrail::cloud::{Commit, Send as _, Table as _};
use guardrail::ec2::id::Place;
use guardrail::history::detected::transactions;
use guardrail::inbox::detect::{self, Detecting, Managed};
use guardrail::inbox::message::{About, Message};
use guardrail_aws::lambda::{Failed, Start, Variables};
use guardrail_aws::{Allowance, DynamoTable, Queue};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::info;

/// How often a note is tried that another delivery was quicker at.
const TRIES: usize = 3;

struct Detect {
    start: Start,
    queue: Queue,
    table: DynamoTable,
    repair_role: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let variables = Variables::new(|name| env::var(name).ok());
    let start = Start::load(&variables, Allowance::detect()).await?;
    let detect = Detect {
        queue: Queue::new(&start.clients, &variables.text("GUARDRAIL_QUEUE_URL")),
        table: DynamoTable::new(&start.clients, &variables.text("GUARDRAIL_TABLE")),
        repair_role: variables.text("GUARDRAIL_REPAIR_ROLE_ARN"),
        start,
    };
    lambda_runtime::run(service_fn(|event| detect.handle(event))).await
}

impl Detect {
    async fn handle(&self, event: LambdaEvent<Value>) -> Result<(), Failed> {
        let place = self.start.place(&event.context).await?;
        let trigger = match detect::accept(&event.payload, &place) {
            Ok(trigger) => trigger,
            Err(why) => {
                info!("ignored: {why}");
                return Ok(());
            }
        };
        let repair_role = Some(self.repair_role.as_str()).filter(|role| !role.is_empty());
        let detecting = Detecting { place: &place, repair_role, now: self.start.clock() };
        let baseline = self.start.configuration.current(self.start.clock()).await;
        let detected = if let Some(own) = detect::own_call(&trigger, detecting) {
            own
        } else {
            let aws = self.start.clouds.at(&place)?;
            let managed = async {
                match &baseline {
                    Ok(ready) => {
                        let managed = aws.managed_vpcs(&ready.baseline.managed_vpcs).await;
                        managed.map(|vpcs| Managed::Known(&ready.baseline, vpcs))
                    }
                    Err(unusable) => Ok(Managed::NoBaseline(unusable.clone())),
                }
            };
            let (resolved, managed) =
                tokio::join!(aws.resolve(trigger.reach.ids_to_resolve()), managed);
            let resolved = resolved.map_err(Failed::at("ResolveFailed"))?;
            let managed = managed.map_err(Failed::at("ListFailed"))?;
            if let Managed::NoBaseline(unusable) = &managed {
                tracing::error!("{unusable}");
            }
            detect::decide(&trigger, detecting, &resolved, &managed)
        };
        self.note(&place, &detected.notes).await?;
        let envelopes: Vec<_> = detected.messages.iter().map(Message::envelope).collect();
        self.queue.send(&envelopes).await.map_err(Failed::at("SendFailed"))?;
        let record = &trigger.evidence.record;
        let vpcs = about(&detected.messages);
        let (event_id, notes) = (record.event_id.as_deref(), detected.notes.len());
        info!(event = %record.event, event_id, actor = %record.actor, vpc = %vpcs, notes, "{} queued", envelopes.len());
        Ok(())
    }

    /// Notes what the call asks for beside looks. The invocation fails where it cannot, and Lambda
    /// tries it again.
    async fn note(
        &self,
        place: &Place,
        notes: &[guardrail::history::detected::Noted],
    ) -> Result<(), Failed> {
        for transaction in transactions(place, notes, self.start.clock()) {
            for _ in 0..TRIES {
                let noted = self.table.commit(&transaction).await;
                match noted.map_err(Failed::at("NoteFailed"))? {
                    Commit::Made => break,
                    // Of a call: an earlier delivery of its event has noted it.
                    Commit::Conflict => {}
                }
            }
        }
        Ok(())
    }
}

/// The VPCs of these messages, for the log.
fn about(messages: &[Message]) -> String {
    let vpcs = messages.iter().filter_map(|message| match &message.about {
        About::Vpc(scope) => Some(scope.vpc.as_str()),
        About::NoBaseline(_) => None,
    });
    vpcs.collect::<Vec<_>>().join(" ")
}
