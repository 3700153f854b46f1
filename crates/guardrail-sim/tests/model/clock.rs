//! The clock in a history: the real one, once a minute, as long as anything waits.

use std::time::Duration;

use guardrail::cloud::{Survey as _, Table};
use guardrail::history::{Body, Item, Kind};
use guardrail::inbox::clock::{ClockHands, ClockSettings, minute};
use serde_json::Value;

use crate::actions::REPAIR_ROLE;
use crate::hands::Hand;
use crate::stage::Stage;

/// No history has so many alerts in an hour that some go into a summary.
pub(crate) const ALERTS_PER_HOUR: u32 = 1_000;

/// The clock's own process ends after this time.
const TIMEOUT: Duration = Duration::from_secs(50);

/// Whether anything waits.
pub(crate) fn has_something(stage: &Stage) -> bool {
    let list =
        |kind: Kind| pollster::block_on(stage.table.list(&kind.at(&stage.place), "")).unwrap();
    let of = |item: &Item| match &item.body {
        Body::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        Body::Packed(_) => Value::Null,
    };
    let asks = |item: &Item| {
        let (name, body): (&str, Value) = (&item.key.name, of(item));
        let is_null = |key: &str| body.get(key).is_none_or(Value::is_null);
        (name.starts_with("own#") && is_null("said"))
            || (name == "comparison" && !is_null("requested_at"))
    };
    !list(Kind::Waiting).is_empty() || list(Kind::Detect).iter().any(asks)
}

pub(crate) async fn tick(hand: &Hand) -> Vec<String> {
    let stage = &hand.stage;
    let hands = ClockHands { region: hand, table: hand, telling: hand, queue: hand };
    let settings = ClockSettings {
        place: &stage.place,
        baseline: Some(&stage.baseline),
        repair_role: REPAIR_ROLE,
        alerts_per_hour: ALERTS_PER_HOUR,
        digest_hour: 6,
        stack: "vpc-guardrail",
        until: hand.time().checked_add(TIMEOUT).unwrap(),
    };
    match minute(&hands, settings).await {
        Ok(minute) if minute.unmatched > 0 => {
            let what = "a call that a run made is told as one that none made";
            stage.watch.borrow_mut().wrong(6, what);
        }
        Ok(minute) => {
            stage.say(|| format!("  the minute: {} due, faults {:?}", minute.due, minute.faults))
        }
        Err(error) => stage.say(|| format!("  the minute fails: {error}")),
    }
    Vec::new()
}
