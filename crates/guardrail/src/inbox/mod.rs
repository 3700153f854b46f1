//! What arrives: events, messages, batches, and the scheduled look; and which VPCs each asks to
//! look at.

pub mod batch;
pub mod detect;
pub mod message;
pub mod outbox;
pub mod reported_faults;
pub mod resolve;
pub mod sweep;
