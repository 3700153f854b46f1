//! The SDK itself: clients, the clock, its errors as the core's.

pub(crate) mod clients;
pub(crate) mod clock;
pub(crate) mod sdk_errors;
