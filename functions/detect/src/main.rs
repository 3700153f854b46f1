//! The detect function: a recorded call in, messages about VPCs out. Reads only; decides nothing.

use std::env;

use guardrail::inbox::detect::{self, Managed};
use guardrail::inbox::message::About;
use guardrail_aws::lambda::{Failed, Start};
use guardrail_aws::{Allowance, Clouds, Queue, QueueMessage};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::info;

struct Detect {
    start: Start,
    clouds: Clouds,
    queue: Queue,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let [level, baseline, url] =
        ["AWS_LAMBDA_LOG_LEVEL", "GUARDRAIL_BASELINE", "GUARDRAIL_QUEUE_URL"]
            .map(|name| env::var(name).ok());
    let allowance = Allowance::detect();
    let start = Start::load(level.as_deref(), baseline.as_deref(), allowance.clone()).await?;
    let queue = Queue::new(&start.clients, &url.unwrap_or_default());
    let detect = Detect { clouds: Clouds::new(&start.clients, allowance), queue, start };
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
        let aws = self.clouds.at(&place)?;
        let baseline = self.start.configuration.current(self.start.clock()).await;
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
        let messages = detect::messages(&trigger, &place, &resolved, &managed);
        let queued: Vec<QueueMessage> = messages.iter().map(QueueMessage::from).collect();
        self.queue.send(&queued).await.map_err(Failed::at("SendFailed"))?;
        let record = &trigger.evidence.record;
        let vpcs = about(&messages);
        let event_id = record.event_id.as_deref();
        info!(event = %record.event, event_id, actor = %record.actor, vpc = %vpcs, "{} queued", queued.len());
        Ok(())
    }
}

/// The VPCs of these messages, for the log.
fn about(messages: &[guardrail::inbox::message::Message]) -> String {
    let vpcs = messages.iter().filter_map(|message| match &message.about {
        About::Vpc(scope) => Some(scope.vpc.as_str()),
        About::NoBaseline(_) => None,
    });
    vpcs.collect::<Vec<_>>().join(" ")
}
