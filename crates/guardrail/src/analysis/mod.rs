//! What each subnet is, where each route leads, and which endpoint serves what.

pub mod required_service;
pub mod route;
pub mod topology;
