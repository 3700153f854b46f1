//! What arrives: events, messages, batches, and the scheduled look; and which VPCs each asks to
//! look at.

pub mod batch;
pub mod clock;
pub mod detect;
pub mod due;
pub mod message;
pub mod outbox;
pub mod resolve;
pub mod round;
mod side_by_side;
pub mod sweep;
pub mod work;
