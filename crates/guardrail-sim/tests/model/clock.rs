//! What the clock does once a minute: sends messages about what is due, and alerts that wait.

use std::collections::BTreeSet;

use guardrail::cloud::{Cloud as _, Envelope, Send as _, Table as _};
use guardrail::history::ledger::{DUE, OPEN, read, vpc_of};
use guardrail::history::{Kind, LookAgain, Open};
use guardrail::inbox::message::is_due;
use guardrail::inbox::outbox;

use crate::hands::Hand;
use crate::stage::{Stage, TOPICS};

/// Whether anything waits.
pub(crate) fn has_something(stage: &Stage) -> bool {
    let waiting = Kind::Waiting.at(&stage.place);
    let items = pollster::block_on(guardrail::cloud::Table::list(&stage.table, &waiting, ""));
    items.unwrap().iter().any(|item| !item.key.name.starts_with("first#"))
}

pub(crate) async fn tick(hand: &Hand) -> Vec<String> {
    let place = &hand.stage.place;
    let waiting = Kind::Waiting.at(place);
    let Ok(items) = hand.list(&waiting, "").await else { return Vec::new() };
    let now = hand.now();
    let mut due: Vec<Envelope> = Vec::new();
    let mut runs: BTreeSet<String> = BTreeSet::new();
    for item in &items {
        let name = item.key.name.as_str();
        if let (Some(vpc), Ok(again)) = (vpc_of(name, DUE), read::<LookAgain>(item))
            && again.at <= now
        {
            due.push(is_due(place.scope(&vpc), &again).envelope());
        }
        if let (Some(vpc), Ok(open)) = (vpc_of(name, OPEN), read::<Open>(item))
            && open.until <= now
        {
            let again = LookAgain { at: open.until, why: "a run was killed".to_owned() };
            due.push(is_due(place.scope(&vpc), &again).envelope());
        }
        let unsent = name.strip_prefix("unsent#");
        let run = TOPICS.iter().find_map(|topic| unsent?.strip_suffix(&format!("#{topic}")));
        runs.extend(run.map(str::to_owned));
    }
    let _ = hand.send(&due).await;
    for run in runs {
        let _ = outbox::send(hand, hand, place, &run, hand.now(), 20).await;
    }
    Vec::new()
}
