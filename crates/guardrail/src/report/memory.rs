//! What the table remembers, for people: the runs that were made, and what waits.

use std::fmt::Write as _;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde::Serialize;

use crate::ec2::id::VpcId;
use crate::history::ledger::{DUE, GAVE_WAY, OPEN, read, vpc_of};
use crate::history::{Item, LookAgain, Open, RunRecord};
use crate::shown::{one_line, word};

/// The runs among these items, the newest first; of one VPC where it is named.
///
/// What is no record is a mark or a report of one. A record that cannot be read is left out and
/// counted.
pub fn runs(items: &[Item], of: Option<&VpcId>, most: usize) -> Runs {
    let mut runs = Runs::default();
    for item in items.iter().filter(|item| item.key.name.matches('#').count() == 1) {
        match read::<RunRecord>(item) {
            Ok(record) if of.is_none_or(|vpc| record.scope.vpc == *vpc) => runs.listed.push(record),
            Ok(_) => {}
            Err(_) => runs.unreadable += 1,
        }
    }
    runs.listed.sort_by(|a, b| (b.began, &b.run_id).cmp(&(a.began, &a.run_id)));
    runs.more = runs.listed.len().saturating_sub(most);
    runs.listed.truncate(most);
    runs
}

/// Runs, as they are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// The runs, the newest first.
    pub listed: Vec<RunRecord>,
    /// How many older ones there are.
    pub more: usize,
    /// How many records cannot be read by this version.
    pub unreadable: usize,
}

/// The list as people read it: one line for each run.
pub fn runs_text(runs: &Runs) -> String {
    let mut out = String::new();
    if runs.listed.is_empty() {
        out.push_str("no run has changed or told anything yet\n");
    }
    for run in &runs.listed {
        let (verdict, changes) = match &run.closed {
            Some(closed) => (one_line(&closed.verdict), closed.changes),
            None => ("open: not ended yet, or killed".to_owned(), 0),
        };
        let made = match changes {
            0 => String::new(),
            1 => ", 1 change".to_owned(),
            many => format!(", {many} changes"),
        };
        let _ = writeln!(out, "{}  {}  {verdict}{made}", to_the_second(run.began), run.scope.vpc);
        let _ = writeln!(out, "    {} ({})", word(&run.run_id), word(&run.cause));
    }
    if runs.more > 0 {
        let _ = writeln!(out, "and {} older; `--most N` lists more", runs.more);
    }
    if runs.unreadable > 0 {
        let _ = writeln!(out, "and {} that a newer version has written", runs.unreadable);
    }
    out
}

/// One run with its steps, as people read it.
pub fn run_text(run: &RunRecord) -> String {
    let mut out = format!("Run {} over {}\n", word(&run.run_id), run.scope);
    let _ = writeln!(out, "  began {} ({})", to_the_second(run.began), word(&run.cause));
    match &run.closed {
        Some(closed) if closed.by == run.run_id => {
            let _ = writeln!(
                out,
                "  ended {}: {}",
                to_the_second(closed.at),
                one_line(&closed.verdict)
            );
        }
        Some(closed) => {
            let at = to_the_second(closed.at);
            let _ = writeln!(out, "  killed; closed {at} by {}", word(&closed.by));
        }
        None => out.push_str("  open: it has not ended, or it was killed\n"),
    }
    if run.steps.is_empty() {
        out.push_str("  it had no change to make\n");
    }
    for step in &run.steps {
        let _ = writeln!(out, "  {}. {}", step.id, one_line(&step.action.to_string()));
        let _ = writeln!(out, "     before: {}", one_line(&step.before));
        let _ = writeln!(out, "     to undo: {}", one_line(&step.inverse));
    }
    out
}

/// What waits, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Waits {
    /// The VPCs that are looked at again, each with when and why.
    pub due: Vec<(VpcId, LookAgain)>,
    /// The VPCs with a run that was begun and not ended.
    pub open: Vec<(VpcId, Open)>,
    /// The alerts that not every destination has taken, by their names.
    pub unsent: Vec<String>,
    /// How many items cannot be read by this version.
    pub unreadable: usize,
}

/// What waits, by the waiting items of a place.
pub fn waits(items: &[Item]) -> Waits {
    let mut waits = Waits::default();
    for item in items {
        let name = &item.key.name;
        if let Some(vpc) = vpc_of(name, DUE).or_else(|| vpc_of(name, GAVE_WAY)) {
            match read(item) {
                Ok(again) => waits.due.push((vpc, again)),
                Err(_) => waits.unreadable += 1,
            }
        } else if let Some(vpc) = vpc_of(name, OPEN) {
            match read(item) {
                Ok(open) => waits.open.push((vpc, open)),
                Err(_) => waits.unreadable += 1,
            }
        } else if let Some(unsent) = name.strip_prefix("unsent#") {
            waits.unsent.push(unsent.to_owned());
        }
    }
    waits.due.sort_by(|a, b| (a.1.at, &a.0).cmp(&(b.1.at, &b.0)));
    waits
}

/// What waits, as people read it.
pub fn waits_text(waits: &Waits, now: Timestamp) -> String {
    let mut out = String::new();
    section(&mut out, "Looked at again", &waits.due, |(vpc, again)| {
        let late = if again.at <= now { ", which is now" } else { "" };
        format!("{vpc} at {}{late}: {}", to_the_second(again.at), one_line(&again.why))
    });
    section(&mut out, "Runs that have not ended", &waits.open, |(vpc, open)| {
        let state = match open.until <= now {
            true => "killed; the next minute's run closes it".to_owned(),
            false => format!("may change it until {}", to_the_second(open.until)),
        };
        format!("{vpc}: {} {state}", word(&open.run_id))
    });
    section(&mut out, "Alerts that are not sent yet", &waits.unsent, |name| one_line(name));
    if waits.unreadable > 0 {
        let _ = writeln!(out, "{} items that a newer version has written", waits.unreadable);
    }
    out
}

fn section<T>(out: &mut String, title: &str, all: &[T], line: impl Fn(&T) -> String) {
    const SHOWN: usize = 50;
    let _ = writeln!(
        out,
        "{title}: {}",
        if all.is_empty() { "none".to_owned() } else { all.len().to_string() }
    );
    for one in all.iter().take(SHOWN) {
        let _ = writeln!(out, "  - {}", line(one));
    }
    if let Some(more) = all.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more");
    }
}

/// A time as people read it.
pub fn to_the_second(time: Timestamp) -> Timestamp {
    let whole = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc);
    time.round(whole).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ec2::id::{Place, Scope};
    use crate::history::{Body, Closed, Kind};

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn record(run: &str, vpc: &str, began: i64, closed: Option<Closed>) -> RunRecord {
        let scope: Scope = place().scope(&vpc.parse().unwrap());
        RunRecord {
            run_id: run.to_owned(),
            scope,
            seed: "i".to_owned(),
            cause: "event".to_owned(),
            began: at(began),
            steps: Vec::new(),
            closed,
        }
    }

    fn item(kind: Kind, name: &str, body: serde_json::Value) -> Item {
        Item { key: kind.at(&place()).key(name), version: 1, body: Body::Text(body.to_string()) }
    }

    #[test]
    fn runs_are_listed_newest_first_and_marks_are_none() {
        let closed =
            Closed { at: at(20), by: "r-2".to_owned(), verdict: "repaired".to_owned(), changes: 2 };
        let (old, new) =
            (record("r-1", "vpc-1", 0, None), record("r-2", "vpc-2", 10, Some(closed)));
        let items = [
            item(Kind::Run, "vpc-1#r-1", json!(old)),
            item(Kind::Run, "vpc-1#r-1#step#00001", json!({"started": {"at": at(1)}})),
            item(Kind::Run, "vpc-2#r-2", json!(new)),
            item(Kind::Run, "vpc-3#r-3", json!(7)),
        ];
        let listed = runs(&items, None, 10);
        assert_eq!(listed, Runs { listed: vec![new.clone(), old.clone()], more: 0, unreadable: 1 });
        assert_eq!(
            runs_text(&listed),
            "1970-01-01T00:00:10Z  vpc-2  repaired, 2 changes\n    r-2 (event)\n\
             1970-01-01T00:00:00Z  vpc-1  open: not ended yet, or killed\n    r-1 (event)\n\
             and 1 that a newer version has written\n"
        );
        let one = runs(&items, Some(&"vpc-1".parse().unwrap()), 10);
        assert_eq!(one.listed, std::slice::from_ref(&old));
        assert_eq!((runs(&items, None, 1).more, runs(&[], None, 1)), (1, Runs::default()));
    }

    #[test]
    fn what_waits_is_said_with_when_and_why() {
        let again = |second| json!({"at": at(second), "why": "it settles"});
        let items = [
            item(Kind::Waiting, "due#vpc-2", again(90)),
            item(Kind::Waiting, "due#vpc-1", again(30)),
            item(Kind::Waiting, "open#vpc-3", json!({"run_id": "r-1", "until": at(10)})),
            item(Kind::Waiting, "unsent#r-9#topic", json!({})),
            item(Kind::Waiting, "due#vpc-4", json!(1)),
        ];
        assert_eq!(
            waits_text(&waits(&items), at(60)),
            "Looked at again: 2\n  - vpc-1 at 1970-01-01T00:00:30Z, which is now: it settles\n  - \
             vpc-2 at 1970-01-01T00:01:30Z: it settles\nRuns that have not ended: 1\n  - vpc-3: r-1 \
             killed; the next minute's run closes it\nAlerts that are not sent yet: 1\n  - \
             r-9#topic\n1 items that a newer version has written\n"
        );
        assert_eq!(
            waits_text(&Waits::default(), at(0)),
            "Looked at again: none\nRuns that have not ended: none\nAlerts that are not sent yet: \
             none\n"
        );
    }
}
