//! AWS's things under AWS's names: ids, address blocks, worlds, snapshots, and the changes we make.

pub mod change;
pub mod cidr;
pub mod id;
pub mod operation;
pub mod partition;
pub mod policy;
mod reservations;
pub mod resource_id;
pub mod route_target;
pub mod snapshot;
pub mod world;
pub mod world_file;

use std::fmt;

/// Words joined with commas, as messages list ids and names.
pub(crate) fn list<T: fmt::Display>(words: &[T]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
