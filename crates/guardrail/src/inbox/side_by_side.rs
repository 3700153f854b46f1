//! Several things at once in one task, each by itself.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// That something panicked: its fault, and nobody else's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {0}")]
pub(super) struct Panicked(String);

type Job<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Does all of these, at most `at_once` at a time in their order; what came of each, in their order.
/// One that panics keeps no other from its end.
pub(super) async fn side_by_side<'a, T>(
    jobs: impl Iterator<Item = Job<'a, T>>,
    at_once: usize,
) -> Vec<Result<T, Panicked>> {
    let mut waiting: Vec<(usize, Job<'a, T>)> = jobs.enumerate().collect();
    waiting.reverse();
    let mut under_way: Vec<(usize, Job<'a, T>)> = Vec::new();
    let mut ended: Vec<(usize, Result<T, Panicked>)> = Vec::new();
    poll_fn(|context| {
        loop {
            while under_way.len() < at_once.max(1)
                && let Some(next) = waiting.pop()
            {
                under_way.push(next);
            }
            let before = ended.len();
            under_way.retain_mut(|(at, job)| {
                match catch_unwind(AssertUnwindSafe(|| job.as_mut().poll(context))) {
                    Ok(Poll::Pending) => true,
                    Ok(Poll::Ready(value)) => {
                        ended.push((*at, Ok(value)));
                        false
                    }
                    Err(panic) => {
                        ended.push((*at, Err(Panicked(words(panic.as_ref())))));
                        false
                    }
                }
            });
            if under_way.is_empty() && waiting.is_empty() {
                return Poll::Ready(());
            }
            // What takes a place that has become free has not been polled yet.
            if ended.len() == before || waiting.is_empty() {
                return Poll::Pending;
            }
        }
    })
    .await;
    ended.sort_by_key(|(at, _)| *at);
    ended.into_iter().map(|(_, came)| came).collect()
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without words".to_owned())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};

    use super::*;

    struct Awake;

    impl Wake for Awake {
        fn wake(self: Arc<Self>) {}
    }

    /// Polls until it is done, as an executor does that is woken each time.
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let waker = Waker::from(Arc::new(Awake));
        let mut future = std::pin::pin!(future);
        for _ in 0..1_000 {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
        }
        panic!("it does not end");
    }

    async fn after(polls: u32) {
        let mut left = polls;
        poll_fn(|_| match left {
            0 => Poll::Ready(()),
            _ => {
                left -= 1;
                Poll::Pending
            }
        })
        .await;
    }

    #[test]
    fn all_are_done_so_many_at_a_time_and_told_in_their_order() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let job = |number: u32| -> Job<'_, u32> {
            let (now, most) = (&now, &most);
            Box::pin(async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                after(10 - number).await;
                now.set(now.get() - 1);
                number
            })
        };
        let ended = block_on(side_by_side((0..10).map(job), 4));
        assert_eq!(ended, (0..10).map(Ok).collect::<Vec<_>>());
        assert_eq!(most.get(), 4);
        assert_eq!(block_on(side_by_side(std::iter::empty::<Job<'_, u32>>(), 4)), []);
    }

    #[test]
    fn one_that_panics_takes_no_other_with_it() {
        let job = |number: u32| -> Job<'_, u32> {
            Box::pin(async move {
                after(number).await;
                assert_ne!(number, 1, "scripted");
                number
            })
        };
        let ended = block_on(side_by_side((0..3).map(job), 1));
        assert_eq!((ended[0].clone(), ended[2].clone()), (Ok(0), Ok(2)));
        assert!(ended[1].as_ref().unwrap_err().to_string().contains("scripted"));
    }
}
