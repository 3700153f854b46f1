//! The loop: observe, compare, plan, apply, verify by observing again, report.
//!
//! A run reads the whole VPC once ([`assess()`] says what that comes to), takes the steps of its
//! plan one by one, each after it has read again what the step rests on, reads once more what was
//! changed, and reports. The functions that await decide nothing: what to do comes from `assess`
//! and `recheck`, and what to tell from `conclude`, which are pure.

mod apply;
mod assess;
mod conclude;
mod recheck;

use jiff::Timestamp;

pub use self::assess::{
    Assessment, VpcStanding, assess, assess_snapshot, preview, preview_snapshot,
};

use crate::baseline::Baseline;
use crate::cloud::Cloud;
use crate::ec2::id::Scope;
use crate::event::Evidence;
use crate::plan::Circumstances;
use crate::report::{Cause, Report};

use self::apply::Runner;
use self::conclude::{Ended, report};
use self::recheck::made_changes;

/// What to look at, and why.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Where to look.
    pub scope: Scope,
    /// What led to the run.
    pub cause: Cause,
    /// The calls that led to it: for the alert only.
    pub evidence: Vec<Evidence>,
    /// Names the run.
    pub run_id: String,
    /// Names what led to it: the same when the run is tried again.
    pub incident: String,
    /// When the run must end.
    pub deadline: Timestamp,
}

impl RunRequest {
    /// What a decision of this run rests on at this time, beside the baseline and what is seen.
    pub fn circumstances(&self, now: Timestamp) -> Circumstances<'_> {
        Circumstances { incident: &self.incident, now }
    }
}

/// Brings one VPC back to the baseline as far as the modes allow, and tells what was found and
/// done.
///
/// With a snapshot that is not complete nothing is changed.
pub async fn run<C: Cloud>(cloud: &C, baseline: &Baseline, request: &RunRequest) -> Report {
    let started = cloud.now();
    let mut runner = Runner::new(cloud, baseline, request);
    let first = runner.first_look().await;
    let outcomes = runner.apply(&first.plan).await;
    let last = match made_changes(&outcomes) {
        true => runner.verify(&first.plan, &outcomes).await,
        false => first.clone(),
    };
    let unread = runner.into_unread();
    report(Ended {
        baseline,
        request,
        started,
        finished: cloud.now(),
        first,
        last,
        outcomes,
        unread,
    })
}

#[cfg(test)]
mod tests;
