//! Many reads of one kind at a time, but not too many.

use std::future::Future;
use std::sync::Arc;

use guardrail::cloud::CallError;
use tokio::sync::Semaphore;

use crate::sdk::sdk_errors::unreadable;

/// How many are under way at once: EC2 refills 20 reads a second, and the account's other users
/// need some.
const AT_ONCE: usize = 16;

/// Reads each of these; the results are in the order of the things.
pub(crate) async fn concurrent<I, T, F>(
    things: Vec<I>,
    read: impl Fn(I) -> F,
) -> Vec<Result<T, CallError>>
where
    T: Send + 'static,
    F: Future<Output = Result<T, CallError>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let start = |thing| {
        let (places, read) = (Arc::clone(&places), read(thing));
        tokio::spawn(async move {
            let _place = places.acquire().await;
            read.await
        })
    };
    let started: Vec<_> = things.into_iter().map(start).collect();
    let mut results = Vec::with_capacity(started.len());
    for task in started {
        let stopped = |error: tokio::task::JoinError| {
            Err(unreadable("Observe", &format!("a read was stopped: {error}")))
        };
        results.push(task.await.unwrap_or_else(stopped));
    }
    results
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn all_are_read_in_order_and_sixteen_at_once() {
        let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let results = concurrent((0..40).collect(), |thing: usize| {
            let (under_way, most) = (Arc::clone(&under_way), Arc::clone(&most));
            async move {
                let now = under_way.fetch_add(1, Ordering::Relaxed) + 1;
                most.fetch_max(now, Ordering::Relaxed);
                tokio::task::yield_now().await;
                under_way.fetch_sub(1, Ordering::Relaxed);
                Ok(thing)
            }
        });
        assert_eq!(results.await, (0..40).map(Ok).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::Relaxed), AT_ONCE);
    }
}
