//! What is remembered of a VPC, as values and decisions; where it is kept is somebody else's.

mod alert;
mod calls;
mod facts;
mod item;
mod note;
mod premise;
mod state;

pub use alert::{Alert, Attribute, Destination};
pub use calls::recorded_calls;
pub use facts::{Changed, Fact, Facts, Memory, RecordedCall, Unsettled};
pub use item::{Body, Condition, Item, Key, Kind, Partition, Transaction, Write};
pub use note::{LookAgain, Looked, Note};
pub use premise::{Premise, Seen};
pub use state::{Lease, LeaseClock, Standing, VpcState};
