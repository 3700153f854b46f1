//! The sweep function: the clock in, messages about VPCs that are not on their baseline out, and a
//! heartbeat. Reads only.

use std::env;

use guardrail::ec2::id::VpcId;
use guardrail::ec2::snapshot::Section;
use guardrail::inbox::{message, sweep};
use guardrail::plan::Circumstances;
use guardrail::report::metrics;
use guardrail_aws::lambda::{Failed, Start};
use guardrail_aws::{Queue, QueueMessage, Ready};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::{error, info, warn};

struct Sweep {
    start: Start,
    queue: Queue,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let [level, baseline, url] =
        ["AWS_LAMBDA_LOG_LEVEL", "GUARDRAIL_BASELINE", "GUARDRAIL_QUEUE_URL"]
            .map(|name| env::var(name).ok());
    let start = Start::load(level.as_deref(), baseline.as_deref()).await?;
    start.warm_up().await;
    let queue = Queue::new(&start.clients, &url.unwrap_or_default());
    let sweep = Sweep { queue, start };
    lambda_runtime::run(service_fn(|event| sweep.handle(event))).await
}

impl Sweep {
    async fn handle(&self, event: LambdaEvent<Value>) -> Result<(), Failed> {
        let context = &event.context;
        let now = self.start.clock();
        let incident = sweep::incident(now, &context.request_id);
        match self.start.configuration.current(now).await {
            Ok(ready) => self.compare(context, &ready, &incident).await,
            Err(unusable) => {
                error!("nothing was compared: {unusable}");
                let message = message::sweep_without_baseline(&incident, &unusable.to_string());
                self.send(&[message]).await
            }
        }
    }

    async fn compare(
        &self,
        context: &Context,
        ready: &Ready,
        incident: &str,
    ) -> Result<(), Failed> {
        let began = self.start.clock();
        let place = self.start.place(context).await?;
        let aws = ready.clouds.at(&place)?;
        let seen = aws.observe_managed(&ready.baseline.managed_vpcs).await;
        if let Some(unread) = seen.unread.iter().find(|unread| unread.section == Section::Vpcs) {
            return Err(Failed::new("ListFailed", &unread.error));
        }
        for unread in &seen.unread {
            warn!("{} could not be read: {}", unread.section, unread.error);
        }
        let circumstances = Circumstances { incident, now: began };
        let swept = sweep::sweep(&ready.baseline, &seen.world, circumstances)
            .map_err(|why| Failed::new("ListFailed", why))?;
        self.send(&message::for_sweep(incident, |vpc| place.scope(vpc), &swept.drifted)).await?;
        let now = self.start.clock();
        let drifted = swept.drifted.iter().map(VpcId::as_str).collect::<Vec<_>>().join(" ");
        let duration_ms = now.duration_since(began).as_millis();
        info!(vpc = %drifted, run_id = incident, managed = swept.managed, duration_ms, "{} queued", swept.drifted.len());
        let counts = [
            ("Heartbeat", 1),
            ("ManagedVpcs", swept.managed),
            ("PrivateSubnets", swept.private_subnets),
            ("DriftedVpcs", swept.drifted.len()),
        ];
        println!("{}", metrics::line(now, &counts));
        Ok(())
    }

    async fn send(&self, messages: &[message::Message]) -> Result<(), Failed> {
        let queued: Vec<QueueMessage> = messages.iter().map(QueueMessage::from).collect();
        self.queue.send(&queued).await.map_err(Failed::at("SendFailed"))
    }
}
