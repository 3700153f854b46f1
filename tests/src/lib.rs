//! The whole pipeline, run as processes on local parts.

#![expect(clippy::unwrap_used, reason = "what tests stand on ends with them")]

pub mod aws;
pub mod dynamodb;
mod http;
pub mod pipeline;
pub mod process;
pub mod stack;
pub mod worlds;
