//! What is remembered of a VPC, as values and decisions; where it is kept is somebody else's.

mod alert;
mod calls;
pub mod detected;
pub mod digest;
mod exempted;
mod facts;
pub mod first_contact;
mod grace;
pub mod gravity;
pub mod hourly;
mod item;
pub mod ledger;
pub mod lost;
pub mod news;
pub mod outgoing;
pub mod own_calls;
mod pace;
pub mod packed;
mod premise;
mod record;
mod state;
mod vpc_facts;

pub use alert::{Alert, Attribute, Destination};
pub use calls::{kept_calls, recorded_calls, with_earlier};
pub use exempted::{ANNOUNCED_DAYS, ExemptedLeft, ExemptedStanding};
pub use facts::{Changed, Fact, Facts, Memory, RecordedCall, Unsettled};
pub use grace::Grace;
pub use item::{Body, Condition, Item, Key, Kind, Partition, Transaction, Write};
pub use ledger::{Finish, Kept, Open, Unreadable};
pub use pace::Pace;
pub use premise::{Premise, Seen};
pub use record::{Became, Closed, Mark, Marks, RecordedStep, RunRecord};
pub use state::{Blind, GaveWay, Lease, LeaseClock, LookAgain, Standing, VpcState};
pub use vpc_facts::{CachedAttributes, Looked, VpcFacts};
