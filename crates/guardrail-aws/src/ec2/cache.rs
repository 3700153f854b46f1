//! What is the same in a Region for everybody, kept from one run of a warm function to the next.

use std::future::Future;

use guardrail::cloud::CallError;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

/// How long a thing is kept: AWS changes its service list and its prefix lists every few weeks.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(10);

/// A value with the time it was read at. A failed read is not kept.
#[derive(Debug)]
pub(crate) struct Cache<T>(Mutex<Option<(Timestamp, T)>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Cache<T> {
    /// The value, read only when there is none that is young enough; whoever asks meanwhile waits
    /// for the same read.
    pub(crate) async fn get(
        &self,
        now: Timestamp,
        read: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let mut held = self.0.lock().await;
        if let Some((at, value)) = held.as_ref()
            && now.duration_since(*at) < KEPT_FOR
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
    async fn a_value_is_read_again_after_ten_minutes() {
        let cache = Cache::default();
        let read = [
            get(&cache, 0, 1).await,
            get(&cache, 599, 2).await,
            get(&cache, 600, 3).await,
            get(&cache, 601, 4).await,
        ];
        assert_eq!(read, [1, 1, 3, 3]);
    }
}
