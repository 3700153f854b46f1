//! What is remembered of a VPC, as values and decisions; where it is kept is somebody else's.

mod alert;
mod calls;
pub mod digest;
mod facts;
pub mod first_contact;
pub mod gravity;
pub mod hourly;
mod item;
mod note;
pub mod outgoing;
pub mod packed;
mod premise;
mod state;

pub use alert::{Alert, Attribute, Destination};
pub use calls::recorded_calls;
pub use facts::{Changed, Fact, Facts, Memory, RecordedCall, Unsettled};
pub use item::{Body, Condition, Item, Key, Kind, Partition, Transaction, Write};
pub use note::{LookAgain, Looked, Note};
pub use premise::{Premise, Seen};
pub use state::{Lease, LeaseClock, Standing, VpcState};
