//! The time that a look may take.

use std::future::Future;
use std::time::Duration;

use guardrail::probe::Limits;
use tokio::time::{Instant, timeout_at};

/// The limits of a look that has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Within {
    wait: Duration,
    end: Instant,
}

/// What has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    /// The time of one wait.
    OneWait,
    /// The time of the whole look.
    Whole,
}

impl Within {
    pub(crate) fn from_now(limits: Limits) -> Self {
        Self { wait: limits.wait(), end: Instant::now() + limits.whole() }
    }

    /// Waits for something, no longer than for one thing and than for all of it.
    pub(crate) async fn one_wait<F: Future>(self, what: F) -> Result<F::Output, Passed> {
        let own = Instant::now() + self.wait;
        let passed = if own <= self.end { Passed::OneWait } else { Passed::Whole };
        timeout_at(own.min(self.end), what).await.map_err(|_| passed)
    }

    /// Waits for something as long as the whole look may take.
    pub(crate) async fn whole<F: Future>(self, what: F) -> Result<F::Output, Passed> {
        timeout_at(self.end, what).await.map_err(|_| Passed::Whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_ends_first_is_what_has_passed() {
        let waited = |wait_ms, whole_ms| async move {
            let within = Within::from_now(Limits { wait_ms, whole_ms });
            within.one_wait(std::future::pending::<()>()).await
        };
        assert_eq!(waited(1, 10_000).await, Err(Passed::OneWait));
        assert_eq!(waited(10_000, 1).await, Err(Passed::Whole));
        let within = Within::from_now(Limits { wait_ms: 1, whole_ms: 1 });
        assert_eq!(within.whole(std::future::pending::<()>()).await, Err(Passed::Whole));
        assert_eq!(within.one_wait(std::future::ready(7)).await, Ok(7));
    }
}
