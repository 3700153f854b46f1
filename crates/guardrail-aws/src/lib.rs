//! The only crate that speaks to AWS: reads into worlds, steps into calls, error codes into classes.
//!
//! Nothing here decides what to do. [`Aws`] is the core's [`guardrail::cloud::Cloud`] over EC2; [`Topic`], [`Queue`]
//! and [`Parameters`] are the three other services the functions use. Each is made once from [`Clients`], before the
//! first event; a function that does not make one does not link its SDK.

mod configuration;
pub mod doctor;
mod ec2;
#[cfg(feature = "lambda")]
pub mod lambda;
mod parameter;
pub mod permissions;
mod queue;
mod sdk;
mod topic;

pub use configuration::{Configuration, Ready};
pub use ec2::Aws;
pub use parameter::Parameters;
pub use queue::{Message, Queue};
pub use sdk::clients::{Clients, Credentials, NotAvailable, Options, Pace};
pub use topic::{Body, Topic};
