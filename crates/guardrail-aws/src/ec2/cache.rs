//! What is the same in a Region for everybody, kept from one run of a warm function to the next.

use std::future::Future;

use guardrail::cloud::CallError;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

/// A value with the time it was read at. A failed read is not kept.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    kept_for: SignedDuration,
    held: Mutex<Option<(Timestamp, T)>>,
}

impl<T: Clone> Cache<T> {
    /// An empty cache that keeps a value for so many minutes.
    pub(crate) fn for_minutes(minutes: i64) -> Self {
        Self { kept_for: SignedDuration::from_mins(minutes), held: Mutex::new(None) }
    }

    /// The value, read only when there is none that is young enough; whoever asks meanwhile waits
    /// for the same read.
    pub(crate) async fn get(
        &self,
        now: Timestamp,
        read: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let mut held = self.held.lock().await;
        if let Some((at, value)) = held.as_ref()
            && now.duration_since(*at) < self.kept_for
        {
            return Ok(value.clone());
        }
        let value = read.await?;
        *held = Some((now, value.clone()));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(cache: &Cache<u8>, second: i64, value: u8) -> u8 {
        let now = Timestamp::from_second(second).unwrap();
        cache.get(now, async { Ok(value) }).await.unwrap()
    }

    #[tokio::test]
    async fn a_value_is_read_again_once_its_minutes_are_over() {
        for (minutes, over) in [(10, 600), (60, 3_600)] {
            let cache = Cache::for_minutes(minutes);
            let read = [
                get(&cache, 0, 1).await,
                get(&cache, over - 1, 2).await,
                get(&cache, over, 3).await,
                get(&cache, over + 1, 4).await,
            ];
            assert_eq!(read, [1, 1, 3, 3]);
        }
    }
}
