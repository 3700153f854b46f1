//! How much one run may change: what goes beyond that is left for the next run.

use std::collections::BTreeMap;

use super::Draft;
use crate::baseline::Mode;
use crate::ec2::change::Action;
use crate::plan::{Hold, StepId, Task};

impl Draft<'_, '_> {
    /// Leaves for the next run what goes beyond the limits, and what depends on it.
    pub(super) fn apply_limits(&mut self) {
        let limits = self.view.baseline.limits;
        let (mut changes, mut endpoint_changes) = (0, 0);
        let mut held: BTreeMap<StepId, Hold> = BTreeMap::new();
        // What no mode allows, and what comes after it, is never taken and uses nothing up.
        let mut idle: Vec<StepId> = Vec::new();
        for step in &mut self.plan.steps {
            if step.mode != Mode::Repair || step.after.iter().any(|id| idle.contains(id)) {
                idle.push(step.id);
                continue;
            }
            let (change, endpoint_change) = match &step.task {
                // It does not show, so that the next run makes it again before what it is for.
                Task::Change(Action::StopAutomaticAddress { address: None, .. }) => (0, 0),
                Task::Change(action) => (1, u32::from(action.operation().changes_endpoints())),
                Task::Await(_) => (0, 0),
            };
            let over = changes + change > limits.changes
                || endpoint_changes + endpoint_change > limits.endpoint_changes;
            let inherited = || step.after.iter().find_map(|id| held.get(id)).cloned();
            step.held = step.held.take().or_else(inherited).or(over.then_some(Hold::RunLimit));
            if let Some(hold) = &step.held {
                held.insert(step.id, hold.clone());
            } else {
                changes += change;
                endpoint_changes += endpoint_change;
            }
        }
    }
}
