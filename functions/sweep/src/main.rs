//! The sweep function: the clock in, messages about VPCs that are not on their baseline out, and a
//! heartbeat. In its mode `clock`: messages about VPCs that are due. It reads networks only.

use std::env;

use guardrail::ec2::id::VpcId;
use guardrail::ec2::snapshot::Section;
use guardrail::history::Memory;
use guardrail::inbox::{message, sweep};
use guardrail::plan::Circumstances;
use guardrail::report::metrics;
use guardrail_aws::lambda::{Failed, Start};
use guardrail_aws::{Allowance, Due, NoteTable, Queue, QueueMessage, Ready};
use jiff::Timestamp;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::{error, info, warn};

struct Sweep {
    start: Start,
    queue: Queue,
    notes: NoteTable,
}

/// What an invocation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Every managed VPC is compared.
    Sweep,
    /// What is due is sent.
    Clock,
}

impl Asked {
    /// The schedule of the clock says so; whatever else comes asks for a sweep.
    fn of(payload: &Value) -> Self {
        match payload.get("clock") {
            Some(Value::Bool(true)) => Self::Clock,
            Some(_) | None => Self::Sweep,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let [level, baseline, url, table] =
        ["AWS_LAMBDA_LOG_LEVEL", "GUARDRAIL_BASELINE", "GUARDRAIL_QUEUE_URL", "GUARDRAIL_TABLE"]
            .map(|name| env::var(name).ok());
    let start = Start::load(level.as_deref(), baseline.as_deref(), Allowance::sweep()).await?;
    start.warm_up().await;
    let queue = Queue::new(&start.clients, &url.unwrap_or_default());
    let notes = NoteTable::new(&start.clients, &table.unwrap_or_default());
    let sweep = Sweep { queue, notes, start };
    lambda_runtime::run(service_fn(|event| sweep.handle(event))).await
}

impl Sweep {
    async fn handle(&self, event: LambdaEvent<Value>) -> Result<(), Failed> {
        let context = &event.context;
        let now = self.start.clock();
        if Asked::of(&event.payload) == Asked::Clock {
            return self.send_due(context, now).await;
        }
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

    /// Sends what is due; whether it still is, the run that looks will see.
    async fn send_due(&self, context: &Context, now: Timestamp) -> Result<(), Failed> {
        let place = self.start.place(context).await?;
        let due = self.notes.due(&place, now).await.map_err(Failed::at("NotesUnread"))?;
        if due.is_empty() {
            return Ok(());
        }
        let message = |due: &Due| message::is_due(place.scope(&due.vpc), &due.look_again);
        let messages: Vec<message::Message> = due.iter().map(message).collect();
        self.send(&messages).await?;
        let vpcs = due.iter().map(|due| due.vpc.as_str()).collect::<Vec<_>>().join(" ");
        info!(vpc = %vpcs, "{} due", due.len());
        Ok(())
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
        let seen = aws.observe_managed(&ready.baseline.managed_vpcs, &Section::judged()).await;
        if let Some(unread) = seen.unread.iter().find(|unread| unread.section == Section::Vpcs) {
            return Err(Failed::new("ListFailed", &unread.error));
        }
        for unread in &seen.unread {
            warn!("{} could not be read: {}", unread.section, unread.error);
        }
        let circumstances = Circumstances { incident, now: began, memory: Memory::NotAsked };
        let swept = sweep::sweep(&ready.baseline, &seen.world, circumstances)
            .map_err(|why| Failed::new("ListFailed", why))?;
        self.send(&message::for_sweep(incident, |vpc| place.scope(vpc), &swept.drifted)).await?;
        if let Err(error) = self.notes.note_looks(&place, swept.looked, began).await {
            warn!("what was seen could not be noted for later runs: {error}");
        }
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
