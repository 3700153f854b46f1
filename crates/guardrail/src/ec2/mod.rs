//! AWS's things under AWS's names: ids, address blocks, worlds, snapshots, and the changes we make.

pub mod change;
pub mod cidr;
pub mod id;
pub mod snapshot;
pub mod world;
pub mod world_file;
