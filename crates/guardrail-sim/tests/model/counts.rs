//! How often what happened.

use std::collections::BTreeMap;

/// How often each kind of trouble, place of a kill and meeting of two occurred.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub(crate) fn add(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }

    pub(crate) fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// One line for each.
    pub(crate) fn lines(&self) -> String {
        let line = |(what, count): (&String, &u64)| format!("{count:>10}  {what}\n");
        self.0.iter().map(line).collect()
    }
}
