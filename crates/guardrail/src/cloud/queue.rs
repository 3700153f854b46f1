//! The seams to the queue of VPCs to look at: from whoever works on its messages, and from whoever
//! sends them.

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
    async fn set_aside(&self, message: &SetAside<'_>) -> Result<(), CallError>;
}

/// A message that says nothing to act on, as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetAside<'a> {
    /// The queue's id of the message.
    pub id: &'a str,
    /// The message's group, where the queue says.
    pub group: Option<&'a str>,
    /// Who sent it, where the queue says.
    pub sender: Option<&'a str>,
    /// Its body, to the letter.
    pub body: &'a str,
    /// Why nothing can be acted on.
    pub why: &'a str,
}

/// A message as the queue takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Messages of one group are handled in order, one batch at a time. At most 128 characters.
    pub group: String,
    /// A second message with this within five minutes is accepted and never delivered. At most 128
    /// characters.
    pub deduplication_id: String,
    /// The body.
    pub body: String,
}

/// What is asked of the queue by those who send.
#[expect(
    async_fn_in_trait,
    reason = "used through generics only; no sender needs its futures to be Send"
)]
pub trait Send {
    /// Sends these messages in their order. A message that is refused does not keep the others from
    /// being sent, and sending them all again is safe within five minutes.
    ///
    /// # Errors
    /// The first failure.
    async fn send(&self, messages: &[Envelope]) -> Result<(), CallError>;
}
