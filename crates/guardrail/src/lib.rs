//! The guardrail's decisions, and nothing else: baseline and snapshot in; findings, plan and report out.
//!
//! This crate reads no clock, no environment and no network; what it needs of the world comes in as values, or through the
//! [`cloud::Cloud`] trait. ARCHITECTURE.md says how the parts fit.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod action;
pub mod alert;
pub mod baseline;
pub mod baseline_source;
pub mod batch;
pub mod cidr;
pub mod cloud;
pub mod commands;
pub mod detect;
pub mod doctor;
pub mod error_codes;
pub mod event;
pub mod explain;
pub mod finding;
#[cfg(test)]
mod fixture;
pub mod id;
pub mod message;
pub mod metrics;
pub mod plan;
pub mod planner;
pub mod promise;
pub mod reconcile;
pub mod report;
pub mod resolve;
pub mod route;
pub mod rules;
pub mod snapshot;
pub mod sweep;
pub mod topology;
pub mod world;
pub mod world_file;
