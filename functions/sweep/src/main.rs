//! The sweep function: the clock in, messages about VPCs with news out, and a heartbeat. In its mode
//! `clock`, each minute: what is due. It reads networks only.

use std::env;
use std::time::Duration;

use guardrail::cloud::Send as _;
use guardrail::ec2::id::{Place, VpcId};
use guardrail::history::hourly::ALERTS_AN_HOUR;
use guardrail::inbox::clock::{ClockHands, ClockSettings, Minute, after_round, minute};
use guardrail::inbox::round::{Round, RoundEnd, SweepHands, ask_for_comparison, round};
use guardrail::inbox::{message, sweep};
use guardrail::report::metrics;
use guardrail_aws::lambda::{Failed, Start, Variables};
use guardrail_aws::{Allowance, Aws, DynamoTable, Queue, Ready, Topics};
use jiff::Timestamp;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::{error, info, warn};

/// How long before its end an invocation begins nothing more.
const TO_END_IN: Duration = Duration::from_secs(30);

/// When the digest goes out where nobody says otherwise, in hours of the day (UTC).
const DIGEST_HOUR: u8 = 7;

struct Sweep {
    start: Start,
    queue: Queue,
    table: DynamoTable,
    topics: Topics,
    repair_role: String,
    alerts_per_hour: u32,
    digest_hour: u8,
    stack: String,
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
    let variables = Variables::new(|name| env::var(name).ok());
    let text = |name| variables.text(name);
    let start = Start::load(&variables, Allowance::sweep()).await?;
    start.warm_up().await;
    let sweep = Sweep {
        queue: Queue::new(&start.clients, &text("GUARDRAIL_QUEUE_URL")),
        table: DynamoTable::new(&start.clients, &text("GUARDRAIL_TABLE")),
        topics: Topics::new(&start.clients, &text("GUARDRAIL_TOPIC_ARN")),
        repair_role: text("GUARDRAIL_REPAIR_ROLE_ARN"),
        alerts_per_hour: variables.number("GUARDRAIL_ALERTS_PER_HOUR", ALERTS_AN_HOUR)?,
        digest_hour: variables.number("GUARDRAIL_DIGEST_HOUR", DIGEST_HOUR)?,
        stack: text("GUARDRAIL_STACK"),
        start,
    };
    lambda_runtime::run(service_fn(|event| sweep.handle(event))).await
}

impl Sweep {
    async fn handle(&self, event: LambdaEvent<Value>) -> Result<(), Failed> {
        let context = &event.context;
        let now = self.start.clock();
        let place = self.start.place(context).await?;
        let until = last_moment(context, now);
        let configured = self.start.configuration.current(now).await;
        let clouds = configured.as_ref().map_or(&self.start.clouds, |ready| &ready.clouds);
        let aws = clouds.at(&place)?;
        if Asked::of(&event.payload) == Asked::Clock {
            return self.minute(&place, &aws, configured.as_ref().ok(), until).await;
        }
        let name = sweep::incident(now, &context.request_id);
        match configured {
            Ok(ready) => self.compare(&place, &aws, &ready, name, until).await,
            Err(unusable) if unusable.passes() => {
                warn!("nothing is compared now, and soon: {unusable}");
                let asked = ask_for_comparison(&self.table, &place, now).await;
                asked.map_err(Failed::at("TableFailed"))
            }
            Err(unusable) => {
                error!("nothing was compared: {unusable}");
                let message = message::sweep_without_baseline(&name, &unusable.to_string());
                let sent = self.queue.send(&[message.envelope()]).await;
                sent.map_err(Failed::at("SendFailed"))
            }
        }
    }

    /// Does what is due.
    async fn minute(
        &self,
        place: &Place,
        aws: &Aws,
        ready: Option<&std::sync::Arc<Ready>>,
        until: Timestamp,
    ) -> Result<(), Failed> {
        let hands = ClockHands {
            region: aws,
            table: &self.table,
            telling: &self.topics,
            queue: &self.queue,
        };
        let settings = ClockSettings {
            place,
            baseline: ready.map(|ready| &ready.baseline),
            repair_role: &self.repair_role,
            alerts_per_hour: self.alerts_per_hour,
            digest_hour: self.digest_hour,
            stack: &self.stack,
            until,
        };
        let minute = minute(&hands, settings).await.map_err(|error| {
            self.table_failed();
            Failed::at("ClockFailed")(error)
        })?;
        self.log_minute(&minute);
        Ok(())
    }

    fn log_minute(&self, minute: &Minute) {
        for fault in &minute.faults {
            error!("{fault}");
        }
        for not_told in &minute.sent.not_told {
            let (run, to, error) = (&not_told.run_id, &not_told.destination, &not_told.error);
            error!(run_id = %run, "an alert could not be told to {to}: {error}");
        }
        if let Some(error) = &minute.sent.table_error {
            error!("the table failed: {error}");
            self.table_failed();
        }
        if let Some(ended) = &minute.round {
            self.log_round(ended);
        }
        let (due, open, unsent) = (minute.due, minute.open, minute.unsent);
        if due + open + unsent + minute.unmatched > 0 {
            info!(due, open, unsent, unmatched = minute.unmatched, "a minute's work");
        }
        let counts =
            [("OpenRecords", open), ("UnsentAlerts", unsent), ("UnmatchedCalls", minute.unmatched)];
        println!("{}", metrics::line(self.start.clock(), &self.stack, &counts));
    }

    async fn compare(
        &self,
        place: &Place,
        aws: &Aws,
        ready: &Ready,
        name: String,
        until: Timestamp,
    ) -> Result<(), Failed> {
        let hands = SweepHands { region: aws, table: &self.table, queue: &self.queue };
        let begins = Round::Begins(name);
        let ended = round(&hands, &ready.baseline, place, &begins, until).await;
        let ended = ended.map_err(Failed::at("SweepFailed"))?;
        let (table, topics, now) = (&self.table, &self.topics, self.start.clock());
        after_round(table, topics, place, &self.stack, &ended, now)
            .await
            .map_err(Failed::at("TableFailed"))?;
        self.log_round(&ended);
        Ok(())
    }

    /// A round in the log, and in metrics once the sweep has come to its end.
    fn log_round(&self, ended: &RoundEnd) {
        for unread in &ended.unread {
            warn!("{} could not be read: {}", unread.section, unread.error);
        }
        if let Some(error) = &ended.not_remembered {
            warn!("what was seen could not be remembered: {error}");
        }
        let progress = &ended.progress;
        let queued = ended.queued.iter().map(VpcId::as_str).collect::<Vec<_>>().join(" ");
        info!(
            vpc = %queued,
            run_id = %progress.sweep,
            managed = ended.managed,
            compared = progress.compared,
            remaining = progress.remaining.len(),
            "{} queued",
            ended.queued.len()
        );
        if progress.ended.is_some() {
            let counts = [
                ("Heartbeat", 1),
                ("UnreadSections", ended.unread.len()),
                ("ManagedVpcs", ended.managed),
                ("PrivateSubnets", progress.private_subnets),
                ("DriftedVpcs", progress.off),
            ];
            println!("{}", metrics::line(self.start.clock(), &self.stack, &counts));
        }
    }

    fn table_failed(&self) {
        let counts = [("TableFailures", 1)];
        println!("{}", metrics::line(self.start.clock(), &self.stack, &counts));
    }
}

/// From when on the invocation begins nothing more.
fn last_moment(context: &Context, now: Timestamp) -> Timestamp {
    let ends = i64::try_from(context.deadline).ok();
    let ends = ends.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(now);
    ends.checked_sub(TO_END_IN).unwrap_or(now)
}
