//! What was told, judged as those who read it would.

use std::collections::BTreeSet;

use guardrail::history::Kind;
use serde_json::Value;

use crate::look::{list, text};
use crate::stage::{Stage, TOPICS, Told};
use crate::watch::Change;

impl Stage {
    /// An alert has reached a topic.
    pub(crate) fn tell(&self, told: Told) {
        let alert: Value = serde_json::from_str(&told.alert.json).unwrap_or_default();
        let run = alert.get("run").unwrap_or(&alert);
        let (vpc, run_id) = (text(&run["scope"], "vpc"), text(run, "run_id"));
        let is_unrecorded = alert.get("notes_error").is_some_and(|error| !error.is_null());
        let record = Kind::Run.at(&self.place).key(format_args!("{vpc}#{run_id}"));
        let items = self.table.everything();
        let is_closed = items.iter().any(|item| {
            let guardrail::history::Body::Text(text) = &item.body else { return false };
            item.key == record && text.contains("\"closed\":{")
        });
        if !is_unrecorded && !vpc.is_empty() && !is_closed {
            let what = format!("run {run_id} is told before its outcome is recorded");
            self.watch.borrow_mut().wrong(6, what);
        }
        self.told.borrow_mut().push(told);
    }

    /// Every change is told to every topic, with what takes it back.
    pub(crate) fn judge_changes_told(&self) {
        let changes = self.watch.borrow().changes.clone();
        for change in &changes {
            for topic in TOPICS {
                // What a killed run made and somebody took back shows to nobody: it is in the record.
                let is_over = self.watch.borrow().may_be_taken_back(change);
                let is_known = is_over && self.is_closed_as_killed(change);
                if !(self.is_told(change, topic) || is_known) {
                    let Change { run_id, call, .. } = change;
                    let what =
                        format!("`{call}` of {run_id} was not told to {topic} with its undo");
                    self.watch.borrow_mut().wrong(6, what);
                }
            }
        }
    }

    /// What is told as made was made.
    pub(crate) fn judge_made(&self) {
        for told in self.told.borrow().iter() {
            let report: Value = serde_json::from_str(&told.alert.json).unwrap_or_default();
            let run_id = text(&report, "run_id");
            let made = list(&report, "steps").filter(|step| {
                let done = &step["outcome"]["done"];
                !done.is_null() && done != "already" && !text(step, "command").is_empty()
            });
            for step in made {
                let key = (run_id.to_owned(), step["id"].as_u64().unwrap_or_default());
                if !self.watch.borrow().taken.contains(&key) {
                    let what = format!("step {} of {run_id} is told as made, and was not", key.1);
                    self.watch.borrow_mut().wrong(6, what);
                }
            }
        }
    }

    fn is_closed_as_killed(&self, change: &Change) -> bool {
        let items = self.table.everything();
        let ends = format!("#{}", change.run_id);
        items.iter().any(|item| {
            let guardrail::history::Body::Text(text) = &item.body else { return false };
            item.key.name.ends_with(&ends) && text.contains("\"verdict\":\"killed\"")
        })
    }

    fn is_told(&self, change: &Change, topic: &str) -> bool {
        self.told.borrow().iter().filter(|told| told.topic == topic).any(|told| {
            let alert: Value = serde_json::from_str(&told.alert.json).unwrap_or_default();
            let run = alert.get("run").unwrap_or(&alert);
            // What somebody has taken back by the time when a call without an answer is looked for
            // does not show; nothing is left to undo.
            let is_gone = |step: &Value| {
                let shows_no_more = step["became"] == "does-not-show"
                    || step["became"].get("failed").is_some()
                    || step["outcome"].get("failed").is_some();
                shows_no_more && self.watch.borrow().may_be_taken_back(change)
            };
            let names = |step: &Value| {
                step["id"].as_u64() == Some(change.step)
                    && (!text(step, "undo").is_empty() || is_gone(step))
            };
            text(run, "run_id") == change.run_id && list(run, "steps").any(names)
        })
    }

    /// No alert says again what another one has said, but with the same name.
    pub(crate) fn judge_repeats(&self) {
        let told = self.told.borrow();
        for topic in TOPICS {
            let of_topic = told.iter().filter(|told| told.topic == topic);
            let mut reports: Vec<Value> = of_topic
                .filter_map(|told| serde_json::from_str(&told.alert.json).ok())
                .filter(|alert: &Value| alert.get("findings").is_some())
                .collect();
            // Clocks are apart: the order is that in which the table took them.
            let finished = self.finished.borrow();
            let at =
                |report: &Value| finished.iter().rposition(|run| *run == text(report, "run_id"));
            reports.retain(|report| at(report).is_some());
            reports.sort_by_key(at);
            reports.dedup_by_key(|report| text(report, "run_id").to_owned());
            for (at, report) in reports.iter().enumerate() {
                let vpc = &report["scope"]["vpc"];
                let before = reports[..at].iter().rev().find(|it| it["scope"]["vpc"] == *vpc);
                let Some(before) = before else { continue };
                if says_nothing_new(before, report) {
                    let (first, second) = (text(before, "run_id"), text(report, "run_id"));
                    let what =
                        format!("{second} tells {topic} what {first} has told: {:?}", left(report));
                    self.watch.borrow_mut().wrong(8, what);
                }
            }
        }
    }
}

/// What a report leaves.
fn left(report: &Value) -> BTreeSet<String> {
    let left = list(report, "findings").filter(|found| found["repaired"] == Value::Bool(false));
    left.map(|found| text(found, "summary").to_owned()).collect()
}

fn says_nothing_new(before: &Value, report: &Value) -> bool {
    let is_null = |of: &Value, key: &str| of.get(key).is_none_or(Value::is_null);
    let is_empty = |key: &str| list(report, key).next().is_none();
    let has_done = list(report, "steps").any(|step| {
        ["done", "failed", "found-made"].iter().any(|done| step["outcome"].get(done).is_some())
    });
    let unread = |of: &Value| {
        let sections = list(of, "unread").map(|it| text(it, "section").to_owned());
        sections.collect::<BTreeSet<String>>()
    };
    !has_done
        && is_empty("ended")
        && is_empty("departures")
        && is_null(report, "was_off_for_seconds")
        && is_null(report, "notes_error")
        && is_null(before, "notes_error")
        && left(report) == left(before)
        && unread(report) == unread(before)
}
