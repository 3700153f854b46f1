//! The onlooker at the ends: of a message, of a process and of a history.

use std::time::Duration;

use guardrail::history::Kind;
use serde_json::Value;

use crate::clock;
use crate::fifo::Queued;
use crate::look::{Wrong, list, text};
use crate::stage::Stage;

impl Stage {
    /// A message is deleted only when what it asked for is noted.
    pub(crate) fn judge_deletion(&self, process: usize, message: &Queued) {
        let body: Value = serde_json::from_str(&message.body).unwrap_or_default();
        let vpc = text(&body["scope"], "vpc").to_owned();
        let is_done = match vpc.is_empty() {
            true => self.aside.borrow().contains(&message.id),
            false => self.watch.borrow().has_noted(process, &vpc),
        };
        if !is_done {
            let what = format!("{} about `{vpc}` is deleted, and nothing came of it", message.id);
            self.watch.borrow_mut().wrong(7, what);
        }
    }

    /// What a killed process has held comes again soon.
    pub(crate) fn judge_hold(&self, messages: &[Queued], most: Duration) {
        let latest = self.now().checked_add(most).unwrap();
        let queue = self.queue.borrow();
        for message in messages {
            let its = queue.waiting.iter().find(|it| it.handle == message.handle);
            let is_held = self.held.borrow().contains(&message.handle);
            if is_held && its.is_some_and(|it| it.visible > latest) {
                let what =
                    format!("{} of a killed run comes again only at a later time", message.id);
                self.watch.borrow_mut().wrong(7, what);
            }
        }
    }

    /// After the last sweep and its runs.
    pub(crate) fn judge_end(&self) {
        if clock::has_something(self) {
            self.watch.borrow_mut().wrong(7, "something waits for ever");
        }
        let wrong = self.watch.borrow().now().look.wrong.clone();
        for (vpc, wrong) in &wrong {
            if wrong.is_empty() {
                continue;
            }
            self.count("end: off its baseline, and the report says why");
            let unsaid = self.unsaid(vpc, wrong.iter());
            if !unsaid.is_empty() {
                let what = format!("{vpc} is off its baseline, and no report says {unsaid:?}");
                self.watch.borrow_mut().wrong(0, what);
            }
        }
        let off: Vec<&String> =
            wrong.iter().filter(|(_, wrong)| wrong.is_empty()).map(|(vpc, _)| vpc).collect();
        for vpc in off {
            let state = Kind::State.at(&self.place).key(vpc);
            let items = self.table.everything();
            let state = items.iter().find(|item| item.key == state);
            let stands = state.is_some_and(|item| {
                let guardrail::history::Body::Text(text) = &item.body else { return false };
                let state: Value = serde_json::from_str(text).unwrap_or_default();
                list(&state, "standing").next().is_some()
            });
            if stands {
                let what = format!("{vpc} is on its baseline, and its state says it is not");
                self.watch.borrow_mut().wrong(0, what);
            }
        }
        self.judge_changes_told();
        self.judge_made();
        self.judge_repeats();
    }

    /// What is wrong and the last report about the VPC does not name as left.
    fn unsaid<'w>(&self, vpc: &str, wrong: impl Iterator<Item = &'w Wrong>) -> Vec<&'w Wrong> {
        let reports = self.reports.borrow();
        let last = reports.iter().rev().find(|report| report.scope.vpc.as_str() == vpc);
        let report = last.map(|report| serde_json::to_value(&**report).unwrap());
        let report = report.unwrap_or_default();
        let left = list(&report, "findings").filter(|found| found["repaired"] == false);
        let left: String = left.map(Value::to_string).collect();
        wrong.filter(|wrong| !left.contains(&wrong.about)).collect()
    }
}
