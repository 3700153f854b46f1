//! The only crate that speaks to AWS: reads into worlds, steps into calls, error codes into classes.
//!
//! Nothing here decides what to do. [`Aws`] is the core's [`guardrail::cloud::Cloud`] over EC2; [`Topic`], [`Queue`]
//! and [`Parameters`] are the three other services the functions use. Each is made once from [`Clients`], before the
//! first event; a function that does not make one does not link its SDK.

mod apply;
mod aws;
mod cache;
mod clients;
mod clock;
mod configuration;
mod convert;
pub mod doctor;
mod each;
mod failure;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "lambda")]
mod logs;
mod observe;
mod parameter;
pub mod permissions;
mod queue;
mod read;
mod resolve;
mod second_wave;
mod topic;

pub use aws::Aws;
pub use clients::{Clients, Credentials, NotAvailable, Options, Pace};
pub use configuration::{Configuration, Ready};
pub use parameter::Parameters;
pub use queue::{Message, Queue};
pub use topic::{Body, Topic};
