//! The only crate that speaks to AWS: reads into worlds, steps into calls, error codes into
//! classes.
//!
//! Nothing here decides what to do. [`Aws`] is the core's [`guardrail::cloud::Cloud`] over EC2 in
//! one place; [`Topics`], [`Queue`], [`Parameters`] and [`DynamoTable`] are the other services the functions
//! use. Each is made once from [`Clients`], before the first event; a function that does not make
//! one does not link its SDK.

mod cloudwatch;
mod configuration;
mod dead_letters;
pub mod doctor;
mod ec2;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod permissions;
mod probes;
mod sdk;
mod sns;
mod sqs;
mod ssm;
mod stack;
mod table;

pub use configuration::{Configuration, Ready};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use ec2::{Allowance, AnotherRegion, Aws, Clouds, REPAIRS_AT_ONCE, set_tag};
pub use sdk::clients::{ClientOptions, Clients, Credentials, NotAvailable, Pace};
pub use sns::{Body, Topic, Topics};
pub use sqs::{Inbox, Queue, ReceivedHandle, UnreadableMessages};
pub use ssm::Parameters;
pub use stack::{NoPart, Stack};
pub use table::DynamoTable;

/// The time now, for what a function logs.
pub fn now() -> jiff::Timestamp {
    sdk::clock::now()
}
