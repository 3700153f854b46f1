//! The commands, one file each.

pub(crate) mod baseline;
pub(crate) mod decode;
pub(crate) mod demo;
#[cfg(feature = "live")]
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod exempt;
pub(crate) mod explain;
#[cfg(feature = "live")]
pub(crate) mod history;
#[cfg(feature = "live")]
pub(crate) mod live;
#[cfg(not(feature = "live"))]
pub(crate) mod not_live;
pub(crate) mod plan;
#[cfg(feature = "live")]
pub(crate) mod probe;
#[cfg(feature = "live")]
pub(crate) mod redrive;
#[cfg(feature = "live")]
pub(crate) mod repair;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod sim;
#[cfg(feature = "live")]
pub(crate) mod snapshot;
#[cfg(feature = "live")]
pub(crate) mod status;

#[cfg(not(feature = "live"))]
pub(crate) use not_live as live;
