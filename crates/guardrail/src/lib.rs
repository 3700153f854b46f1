//! The guardrail's decisions, and nothing else: baseline and snapshot in; findings, plan and report
//! out.
//!
//! This crate reads no clock, no environment and no network; what it needs of the world comes in as
//! values, or through the [`cloud::Cloud`] trait. ARCHITECTURE.md says how the parts fit.
//!
//! Read the folders in this order: each uses only those before it, so that nothing is met before it
//! is explained.
//!
//! 1. [`ec2`]: what there is in AWS, and the changes that can be made to it. Begin with `world`,
//!    then `snapshot`.
//! 2. [`probe`]: what a function inside a subnet is asked of it, and what its answers come to.
//! 3. [`baseline`]: what is wanted.
//! 4. [`event`]: what CloudTrail says of a call. No plan is made from it, so it can wait until
//!    `inbox`.
//! 5. [`history`]: what is remembered of a VPC, and when it counts.
//! 6. [`analysis`]: what a snapshot means: which subnets are private, where routes lead, what
//!    serves a required service.
//! 7. [`rules`]: what is not as it is wanted. One rule is enough to read first: `vpc_dns` is the
//!    shortest.
//! 8. [`plan`]: what to do about it, in which order, and what is left alone.
//! 9. [`cloud`]: what a run asks of EC2, and how EC2 says no.
//! 10. [`report`]: what is told of a run.
//! 11. [`run`]: the loop that brings all of these together. Who wants the whole first begins here.
//! 12. [`inbox`]: what starts a run: events, messages, sweeps.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod analysis;
pub mod baseline;
pub mod cloud;
pub mod ec2;
pub mod event;
#[cfg(test)]
mod fixture;
pub mod history;
pub mod inbox;
pub mod plan;
pub mod probe;
pub mod report;
pub mod rules;
pub mod run;
pub mod shown;
pub mod time;
