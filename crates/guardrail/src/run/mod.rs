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
mod traffic;

use jiff::Timestamp;

pub use self::assess::{
    Assessment, VpcStanding, assess, assess_snapshot, looked_at, noted_since, preview,
    preview_snapshot,
};
pub use self::traffic::{asks_for_traffic, with_traffic, with_unreadable_traffic};

use crate::baseline::Baseline;
use crate::cloud::{Cloud, Notes};
use crate::ec2::id::Scope;
use crate::event::Evidence;
use crate::history::{Memory, Note};
use crate::plan::Circumstances;
use crate::report::{Cause, Report};

use self::apply::Runner;
use self::conclude::{Ended, report};
use self::recheck::{look_again, made_changes, recalled};
use self::traffic::carried;

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
    pub fn circumstances<'a>(&'a self, now: Timestamp, memory: Memory<'a>) -> Circumstances<'a> {
        Circumstances { incident: &self.incident, now, memory }
    }
}

/// Brings one VPC back to the baseline as far as the modes allow, and tells what was found and
/// done.
///
/// What rests on something that was not read is not done.
pub async fn run<C: Cloud, N: Notes>(
    cloud: &C,
    notes: &N,
    baseline: &Baseline,
    request: &RunRequest,
) -> Report {
    let started = cloud.now();
    let (facts, not_read) = recalled(notes.recall(&request.scope).await);
    let mut runner = Runner::new(cloud, baseline, request, facts);
    let first = runner.first_look().await;
    let nat_traffic = carried(cloud, &request.scope, first.advice.as_ref()).await;
    let outcomes = runner.apply(&first.plan).await;
    let last = match made_changes(&outcomes) {
        true => runner.verify(&first.plan, &outcomes).await,
        false => first.clone(),
    };
    let look_again = look_again(&outcomes, &last.plan);
    let (unread, facts) = runner.into_unread_and_facts();
    let not_kept = match facts {
        Some(facts) => {
            notes.note(&request.scope, &Note { facts, look_again: look_again.clone() }).await.err()
        }
        None => None,
    };
    report(Ended {
        baseline,
        request,
        started,
        finished: cloud.now(),
        first,
        last,
        outcomes,
        unread,
        nat_traffic,
        look_again,
        notes_error: not_read.or(not_kept),
    })
}

#[cfg(test)]
mod tests;
