//! The seam to the queue that messages come from.

use std::time::Duration;

use super::CallError;

/// What is asked of the queue while a batch is handled; what is done with is deleted by whoever
/// handed it out.
#[expect(
    async_fn_in_trait,
    reason = "used through generics only; no batch needs its futures to be Send"
)]
pub trait Queue {
    /// Hands these messages out again no earlier than after this time, counted from now, if they are
    /// not deleted before. They are named by their receipt handles.
    ///
    /// # Errors
    /// When some of them could not be held; the others are.
    async fn hold(&self, handles: &[&str], time: Duration) -> Result<(), CallError>;

    /// Puts a copy of a message that says nothing to act on where people find it, with why.
    ///
    /// # Errors
    /// When the copy was not accepted.
    async fn set_aside(&self, id: &str, body: &str, why: &str) -> Result<(), CallError>;
}
