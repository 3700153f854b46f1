//! How a command that worked ended: its exit code.

/// How a command that worked ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Fine,
    DriftLeft,
}
