//! The guardrail's decisions, and nothing else: baseline and snapshot in; findings, plan and report out.
//!
//! This crate reads no clock, no environment and no network; what it needs of the world comes in as values, or through the
//! [`cloud::Cloud`] trait. ARCHITECTURE.md says how the parts fit.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod analysis;
pub mod baseline;
pub mod cloud;
pub mod ec2;
pub mod event;
#[cfg(test)]
mod fixture;
pub mod inbox;
pub mod plan;
pub mod report;
pub mod rules;
pub mod run;
pub mod time;
