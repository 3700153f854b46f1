//! Many reads of one kind at a time, but not too many.

use std::future::Future;
use std::sync::Arc;

use guardrail::cloud::CallError;
use tokio::sync::Semaphore;

use crate::failure::unreadable;

/// How many are under way at once: EC2 refills 20 reads a second, and the account's other users need some.
const AT_ONCE: usize = 16;

/// Reads each of these; the results are in the order of the things.
pub(crate) async fn each<I, T, F>(things: Vec<I>, read: impl Fn(I) -> F) -> Vec<Result<T, CallError>>
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
        let stopped =
            |error: tokio::task::JoinError| Err(unreadable("Observe", &format!("a read was stopped: {error}")));
        results.push(task.await.unwrap_or_else(stopped));
    }
    results
}
