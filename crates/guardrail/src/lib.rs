//! The guardrail's decisions, and nothing else: baseline and snapshot in; findings, plan and report out.
//!
//! This crate reads no clock, no environment and no network; what it needs of the world comes in as values, or through the
//! [`cloud::Cloud`] trait. ARCHITECTURE.md says how the parts fit.

pub mod action;
pub mod baseline;
pub mod cidr;
pub mod cloud;
pub mod error_codes;
pub mod event;
pub mod id;
pub mod plan;
pub mod rules;
pub mod snapshot;
pub mod world;
