//! What a decision rests on beside the baseline and the snapshot.

use jiff::Timestamp;

use crate::history::{Grace, Memory};

/// The circumstances of one decision, frozen before it is made: a decision asks no clock and no
/// storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances<'a> {
    /// The name of what led to the run, or to the killed one that it goes on from. Client tokens
    /// depend on it, so that an endpoint that is deleted twice is made twice, while a call repeated
    /// within one incident makes one endpoint.
    pub incident: &'a str,
    /// The time of the decision (UTC).
    pub now: Timestamp,
    /// What is remembered of the VPC.
    pub memory: Memory<'a>,
    /// What is left to the tool that may be about to make it itself.
    pub grace: &'a Grace,
}
