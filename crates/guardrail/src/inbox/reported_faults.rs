//! Which faults of the baseline were told already.

use std::collections::BTreeSet;

/// Which faults of the baseline were told by this process: each once, and once for each incident,
/// whose messages are many.
#[derive(Debug, Clone, Default)]
pub struct ReportedFaults {
    faults: BTreeSet<String>,
    incidents: BTreeSet<String>,
}

impl ReportedFaults {
    /// Whether this fault is still to be told on this incident.
    pub fn is_new(&self, fault: &str, incident: &str) -> bool {
        !self.faults.contains(fault) && !self.incidents.contains(incident)
    }

    /// It was told.
    pub fn remember(&mut self, fault: &str, incident: &str) {
        self.faults.insert(fault.to_owned());
        self.incidents.insert(incident.to_owned());
    }

    /// The baseline is good: the next fault is a new one, also if it is the same.
    pub fn forget(&mut self) {
        self.faults.clear();
        self.incidents.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_once_and_once_for_an_incident() {
        let mut told = ReportedFaults::default();
        assert!(told.is_new("a", "1"));
        told.remember("a", "1");
        let is_new = |told: &ReportedFaults| {
            [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")].map(|(f, i)| told.is_new(f, i))
        };
        assert_eq!(is_new(&told), [false, false, false, true]);
        told.forget();
        assert_eq!(is_new(&told), [true; 4]);
    }
}
