//! What a run writes down while it makes changes, so that one that is killed is finished by another.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::cloud::{Answer, CallError, Cloud, Commit, ErrorClass, LONGEST_CALL, Table};
use crate::ec2::change::StepId;
use crate::ec2::id::Scope;
use crate::ec2::operation::Operation;
use crate::history::ledger::{mark, pace_key, put};
use crate::history::{Kept, LeaseClock, Mark, Pace, Transaction, Unreadable};

/// How often something is tried that another writer was quicker at.
pub(super) const TRIES: u32 = 6;

/// The table, as one run uses it.
pub(super) struct Journal<'a, T> {
    table: &'a T,
    scope: &'a Scope,
    run_id: &'a str,
    lease: LeaseClock,
    /// Why the table no longer takes what is written: from then on no change is made.
    pub(super) failed: Option<CallError>,
}

/// Whether a call may be made.
pub(super) enum May {
    /// It may.
    Call,
    /// The lease would end while the call is under way.
    NotUnderThisLease,
    /// All that AWS grants is used until then.
    NotBefore(Timestamp),
    /// The table fails.
    NotRecord(CallError),
}

impl<'a, T: Table> Journal<'a, T> {
    pub(super) fn new(table: &'a T, scope: &'a Scope, run_id: &'a str, lease: LeaseClock) -> Self {
        Self { table, scope, run_id, lease, failed: None }
    }

    /// Right before a call: whether it may be made; and that it is about to be, so that nobody can
    /// find it made and know nothing of it.
    pub(super) async fn before<C: Cloud>(
        &mut self,
        cloud: &C,
        step: StepId,
        operation: Operation,
    ) -> May {
        if let Some(error) = &self.failed {
            return May::NotRecord(error.clone());
        }
        if operation.changes_endpoints() {
            match self.take_token(cloud, operation).await {
                Ok(Ok(())) => {}
                Ok(Err(until)) => return May::NotBefore(until),
                Err(error) => return self.fails(error),
            }
        }
        let at = cloud.now();
        if let Err(error) =
            self.write(&mark(self.scope, self.run_id, step, &Mark::Started { at }, at)).await
        {
            return self.fails(error);
        }
        // Asked last: what was written may have taken a while.
        match self.lease.allows_call(cloud.uptime(), LONGEST_CALL) {
            true => May::Call,
            false => May::NotUnderThisLease,
        }
    }

    /// Right after a call. What the table does not take now, a later run asks the VPC for.
    pub(super) async fn after<C: Cloud>(
        &mut self,
        cloud: &C,
        step: StepId,
        from: Timestamp,
        answer: &Answer,
    ) {
        let (at, request_id) = (cloud.now(), answer.request_id.clone());
        let ended = match &answer.outcome {
            Ok(applied) => Mark::Done { from, at, applied: applied.clone(), request_id },
            Err(error) => Mark::Failed { from, at, why: error.shown(), request_id },
        };
        if let Err(error) = self.write(&mark(self.scope, self.run_id, step, &ended, at)).await {
            self.failed = Some(error);
        }
    }

    fn fails(&mut self, error: CallError) -> May {
        self.failed = Some(error.clone());
        May::NotRecord(error)
    }

    async fn write(&self, transaction: &Transaction) -> Result<(), CallError> {
        match self.table.commit(transaction).await? {
            Commit::Made => Ok(()),
            Commit::Conflict => Err(too_many_writers()),
        }
    }

    /// Takes one call out of the allowance that all processes share.
    async fn take_token<C: Cloud>(
        &self,
        cloud: &C,
        operation: Operation,
    ) -> Result<Result<(), Timestamp>, CallError> {
        let key = pace_key(&self.scope.place(), operation.name());
        for attempt in 0..TRIES {
            let kept: Kept<Pace> =
                Kept::of(self.table.get(&key).await?).map_err(|error| unreadable(&error))?;
            let after = match Pace::take(kept.value, cloud.now()) {
                Ok(after) => after,
                Err(until) => return Ok(Err(until)),
            };
            let taken = Transaction::one(put(key.clone(), &after, kept.unchanged()));
            match self.table.commit(&taken).await? {
                Commit::Made => return Ok(Ok(())),
                Commit::Conflict => cloud.pause(jitter(self.run_id, attempt)).await,
            }
        }
        Err(too_many_writers())
    }
}

/// How long to wait before what another writer was quicker at is tried again: another time for each
/// run, so that two do not meet again; longer with each attempt.
pub(super) fn jitter(run_id: &str, attempt: u32) -> Duration {
    let digest = Sha256::digest(format!("{attempt}\n{run_id}").as_bytes());
    let random = digest.iter().take(2).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let most = 50_u64 << attempt.min(6);
    Duration::from_millis(1 + random % most)
}

/// The table holds what this version cannot read.
pub(crate) fn unreadable(error: &Unreadable) -> CallError {
    CallError {
        operation: "GetItem".to_owned(),
        class: ErrorClass::Invalid,
        code: None,
        message: error.to_string(),
    }
}

/// Others were quicker each time.
pub(crate) fn too_many_writers() -> CallError {
    CallError {
        operation: "TransactWriteItems".to_owned(),
        class: ErrorClass::Throttled,
        code: Some("TransactionConflict".to_owned()),
        message: "other writers were quicker each time".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_wait_differently_and_longer_each_time() {
        let waits = |run: &str| [0, 1, 2, 3].map(|attempt| jitter(run, attempt).as_millis());
        assert_ne!(waits("r-1"), waits("r-2"));
        for (attempt, most) in [50, 100, 200, 400].into_iter().enumerate() {
            for run in 0..50 {
                let wait = jitter(&format!("r-{run}"), u32::try_from(attempt).unwrap());
                assert!((1..=most).contains(&wait.as_millis()), "{wait:?}");
            }
        }
        assert!(jitter("r", u32::MAX) <= Duration::from_millis(3_201));
    }
}
