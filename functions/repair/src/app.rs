//! Runs over VPCs, several at a time, and what is told about them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use guardrail::ec2::id::Scope;
use guardrail::inbox::batch::{self, Batch, VpcRun};
use guardrail::inbox::reported_faults::ReportedFaults;
use guardrail::report::alert::{Alert, alert, baseline_alert};
use guardrail::report::metrics;
use guardrail::report::{Next, Outcome, Report, Verdict};
use guardrail::run::{self, RunRequest};
use guardrail_aws::lambda::{Failed, Start};
use guardrail_aws::{Aws, NoteTable, Ready, Topic};
use jiff::Timestamp;
use lambda_runtime::Context;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{Instrument as _, error, error_span, info};

/// How many VPCs are worked on at once: most of a run is waiting for endpoints, and one look takes
/// about a dozen of the reads that EC2 grants an account 20 of in a second.
const AT_ONCE: usize = 4;

pub(crate) struct App {
    start: Start,
    topic: Topic,
    notes: NoteTable,
    places: Semaphore,
    reported_faults: RefCell<ReportedFaults>,
    /// Alerts that the topic did not take, for the next run over the same VPC: that finds nothing
    /// to tell any more.
    unsent_alerts: RefCell<BTreeMap<Scope, Alert>>,
}

impl App {
    pub(crate) fn new(start: Start, topic: Topic, notes: NoteTable) -> Self {
        let (reported_faults, unsent_alerts) = (RefCell::default(), RefCell::default());
        Self {
            start,
            topic,
            notes,
            places: Semaphore::new(AT_ONCE),
            reported_faults,
            unsent_alerts,
        }
    }

    /// Does what a batch asks for; the messages that failed.
    ///
    /// # Errors
    /// When nobody says where the function runs: then no run can be made.
    pub(crate) async fn work(
        &'static self,
        batch: &Batch,
        context: &Context,
    ) -> Result<Vec<String>, Failed> {
        let mut failed = Vec::new();
        let now = self.start.clock();
        let deadline = batch::deadline(now, context.deadline);
        match self.start.configuration.current(now).await {
            Ok(ready) => {
                if batch.without_baseline.is_empty() {
                    self.reported_faults.borrow_mut().forget();
                }
                let aws = ready.clouds.at(&self.start.place(context).await?)?;
                failed.extend(
                    self.run_all(&ready, &aws, &batch.runs, deadline, &context.request_id).await,
                );
            }
            Err(unusable) => {
                let is_told = match batch.incident() {
                    Some(incident) => {
                        self.publish_no_baseline(&unusable.to_string(), incident).await
                    }
                    None => true,
                };
                failed.extend(batch.without_runs(is_told, unusable.passes()));
            }
        }
        for sender in &batch.without_baseline {
            if !self.publish_no_baseline(&sender.why, &sender.incident).await {
                failed.push(sender.message.clone());
            }
        }
        Ok(failed)
    }

    /// The runs of a batch, each by itself: one that panics fails its own messages only.
    async fn run_all(
        &'static self,
        ready: &Arc<Ready>,
        aws: &Aws,
        runs: &[VpcRun],
        deadline: Timestamp,
        request: &str,
    ) -> Vec<String> {
        let mut set = JoinSet::new();
        let mut messages = BTreeMap::new();
        let outer = tracing::Span::current();
        for run in runs.iter().cloned() {
            let run_id = format!("{request}/{}", run.scope.vpc);
            let span = error_span!(parent: &outer, "run", vpc = %run.scope.vpc, run_id = %run_id);
            let ids = run.messages.clone();
            let (ready, aws) = (Arc::clone(ready), aws.clone());
            let task = set.spawn_local(
                async move { self.run(&ready, &aws, run, run_id, deadline).await }.instrument(span),
            );
            messages.insert(task.id(), ids);
        }
        while let Some(ended) = set.join_next_with_id().await {
            let (task, is_done) = match ended {
                Ok((task, is_done)) => (task, is_done),
                Err(panicked) => (panicked.id(), false),
            };
            if is_done {
                messages.remove(&task);
            }
        }
        messages.into_values().flatten().collect()
    }

    /// One run over one VPC; whether its messages are done with.
    async fn run(
        &self,
        ready: &Ready,
        aws: &Aws,
        run: VpcRun,
        run_id: String,
        deadline: Timestamp,
    ) -> bool {
        let _place = self.places.acquire().await;
        if !batch::may_begin(self.start.clock(), deadline) {
            info!("no time is left to begin; the messages go back to the queue");
            return false;
        }
        let attempt = run.attempt;
        let VpcRun { scope, cause, incident, evidence, .. } = run;
        let request = RunRequest { scope, cause, evidence, run_id, incident, deadline };
        let report = run::run(aws, &self.notes, &ready.baseline, &request).await;
        if let Some(error) = &report.notes_error {
            error!("what is noted between runs could not be read or kept: {error}");
        }
        let tell = batch::is_told(&report, attempt);
        summarize(&report, tell);
        let alert = alert(&report, &ready.baseline);
        if !tell && report.has_something_to_tell() {
            info!(report = %alert.json, "not published");
        }
        let alert = tell.then_some(alert);
        self.publish(&report.scope, alert).await && report.next == Next::Settled
    }

    /// Publishes this alert, and before it one that was not taken earlier; whether the topic has
    /// taken all there is.
    async fn publish(&self, scope: &Scope, alert: Option<Alert>) -> bool {
        let earlier = self.unsent_alerts.borrow_mut().remove(scope);
        for alert in earlier.into_iter().chain(alert) {
            if let Err(why) = self.topic.tell(&alert).await {
                error!(alert = %alert.json, "an alert could not be published: {why}");
                self.unsent_alerts.borrow_mut().insert(scope.clone(), alert);
                return false;
            }
        }
        true
    }

    /// Says that there is no usable baseline, unless that was said; whether the topic has taken it.
    async fn publish_no_baseline(&self, fault: &str, incident: &str) -> bool {
        error!("nothing is compared or changed: {fault}");
        if !self.reported_faults.borrow().is_new(fault, incident) {
            return true;
        }
        let alert = baseline_alert(fault, self.start.clients.region(), incident);
        match self.topic.tell(&alert).await {
            Ok(_) => {
                self.reported_faults.borrow_mut().remember(fault, incident);
                true
            }
            Err(why) => {
                error!("an alert could not be published: {why}");
                false
            }
        }
    }
}

/// A run in one line of the log, and in metrics.
fn summarize(report: &Report, is_told: bool) {
    let done = report.steps.iter().filter(|step| matches!(step.outcome, Outcome::Done(_))).count();
    info!(
        verdict = %report.verdict,
        findings = report.findings.len(),
        departures = report.departures.len(),
        steps = report.steps.len(),
        done,
        again = report.next == Next::Again,
        alert = is_told,
        cause = %report.cause,
        duration_ms = report.finished.duration_since(report.started).as_millis(),
        "run ended"
    );
    let drift_left = usize::from(report.verdict == Verdict::DriftLeft);
    let counts = [
        ("Runs", 1),
        ("Repairs", usize::from(report.changed())),
        ("DriftLeft", drift_left),
        ("Departures", report.departures.len()),
    ];
    println!("{}", metrics::line(report.finished, &counts));
}
