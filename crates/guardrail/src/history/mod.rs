//! What is remembered of a VPC, as values and decisions; where it is kept is somebody else's.

mod calls;
pub mod detected;
mod facts;
mod item;
mod note;
pub mod own_calls;
mod premise;

pub use calls::recorded_calls;
pub use facts::{Changed, Fact, Facts, Memory, RecordedCall, Unsettled};
pub use item::{Body, Condition, Item, Key, Kind, Partition, Transaction, Write};
pub use note::{LookAgain, Looked, Note};
pub use premise::{Premise, Seen};
