//! Many alerts in one: what came in above the limit of an hour.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{Alert, Attribute, SUBJECT_LIMIT, printable};
use crate::ec2::id::Place;
use crate::history::gravity::Asks;
use crate::history::hourly::Held;
use crate::shown::{self, filled, one_line, word};

/// The alert that tells of all that was held.
pub fn summary(held: &Held, limit: u32, place: &Place, stack: &str) -> Alert {
    let asks = |what: Asks| held.asks.get(&what).copied().unwrap_or_default();
    let (act, look, over) = (asks(Asks::ToAct), asks(Asks::ToLook), asks(Asks::Nothing));
    let subject = format!(
        "VPC guardrail: {} more, {act} for you to act on, {}",
        alerts(held.count),
        place.region
    );
    let mut text = String::new();
    let first = format!(
        "{} in one: {act} for you to act on, {look} to look at, {over} that are over. {limit} came \
         one by one within the hour; these came after them.",
        alerts(held.count)
    );
    paragraph(&mut text, &first);
    counts(&mut text, "By verdict", &held.verdicts);
    counts(&mut text, "By rule", &held.rules);
    let _ = writeln!(text, "\nWhat needs you first");
    for alert in &held.worst {
        let _ = writeln!(text, "  - {}", one_line(&alert.subject));
        let _ = writeln!(text, "    {}, run {}", time(alert.since), word(&alert.run_id));
    }
    let named = u32::try_from(held.worst.len()).unwrap_or(u32::MAX);
    if let Some(more) = held.count.checked_sub(named).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more");
    }
    let command = list_command(stack);
    let _ = writeln!(text, "\nAll of them, with their reports\n  {command}");
    let (since, until) = (time(held.since), time(held.until));
    let _ = writeln!(text, "\nAccount {}, {}:\n{since} to {until}.", place.account, place.region);
    let json = json!({
        "version": 1, "verdict": "summary", "account": place.account, "region": place.region,
        "since": held.since, "until": held.until, "alerts": held.count, "asks": held.asks,
        "verdicts": held.verdicts, "rules": held.rules, "worst": held.worst, "command": command,
    });
    alert_of(&subject, text, &json, attributes(place, "summary"))
}

/// What every alert of many VPCs is filtered by.
pub(super) fn attributes(place: &Place, verdict: &str) -> BTreeMap<String, Attribute> {
    let all = [
        ("account", Attribute::of(&place.account)),
        ("region", Attribute::of(&place.region)),
        ("verdict", Attribute::of(verdict)),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An alert with a subject that a topic takes.
pub(super) fn alert_of(
    subject: &str,
    text: String,
    json: &serde_json::Value,
    attributes: BTreeMap<String, Attribute>,
) -> Alert {
    Alert { subject: printable(subject, SUBJECT_LIMIT), text, json: shown::json(json), attributes }
}

/// The command that lists the runs of a stack.
pub(super) fn list_command(stack: &str) -> String {
    format!("guardrail history --stack {}", word(stack))
}

/// A time as people write it.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A number of things, each in a word.
pub(super) fn number(of: usize, one: &str, more: &str) -> String {
    if of == 1 { format!("{of} {one}") } else { format!("{of} {more}") }
}

/// Sentences of ours on lines that fit a terminal.
pub(super) fn paragraph(out: &mut String, text: &str) {
    for line in filled(text, 0) {
        // A paragraph has no hanging lines.
        let _ = writeln!(out, "{}", line.trim_start());
    }
}

fn alerts(count: u32) -> String {
    number(usize::try_from(count).unwrap_or(usize::MAX), "alert", "alerts")
}

/// Counts under a title, the greatest first.
pub(super) fn counts(out: &mut String, title: &str, counts: &BTreeMap<String, u32>) {
    if counts.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    let mut sorted: Vec<(&String, &u32)> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (name, count) in sorted {
        let _ = writeln!(out, "  {count:>5}  {}", word(name));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::history::gravity::{Gravity, Rank};
    use crate::history::hourly::HeldAlert;
    use crate::report::Verdict;

    fn held() -> Held {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let worst = |run: &str, asks, gravity, subject: &str| HeldAlert {
            rank: Rank { asks, gravity },
            since: at("2026-09-14T08:31:07Z"),
            run_id: run.to_owned(),
            subject: subject.to_owned(),
        };
        Held {
            since: at("2026-09-14T08:31:07Z"),
            until: at("2026-09-14T08:36:00Z"),
            count: 42,
            asks: BTreeMap::from([(Asks::ToAct, 30), (Asks::Nothing, 12)]),
            verdicts: BTreeMap::from([("repaired".to_owned(), 12), ("drift-left".to_owned(), 30)]),
            rules: BTreeMap::from([("internet-route".to_owned(), 42)]),
            worst: vec![
                worst(
                    "run-1",
                    Asks::ToAct,
                    Gravity::LeadsOut,
                    "VPC guardrail: drift found vpc-1 eu-central-1 (internet-route)",
                ),
                worst("run 2\n", Asks::Nothing, Gravity::CutOff, "forged\n\nsubject"),
            ],
        }
    }

    pub(in crate::report::alert) fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    #[test]
    fn a_summary_counts_names_the_worst_and_says_how_to_see_all() {
        let alert = summary(&held(), 20, &place(), "vpc-guardrail");
        assert_eq!(
            alert.subject,
            "VPC guardrail: 42 alerts more, 30 for you to act on, eu-central-1"
        );
        assert_eq!(
            alert.text,
            "42 alerts in one: 30 for you to act on, 0 to look at, 12 that are over. 20 came\n\
             one by one within the hour; these came after them.\n\
             \n\
             By verdict\n\
             \x20    30  drift-left\n\
             \x20    12  repaired\n\
             \n\
             By rule\n\
             \x20    42  internet-route\n\
             \n\
             What needs you first\n\
             \x20 - VPC guardrail: drift found vpc-1 eu-central-1 (internet-route)\n\
             \x20   2026-09-14 08:31 UTC, run run-1\n\
             \x20 - forged  subject\n\
             \x20   2026-09-14 08:31 UTC, run \"run 2 \"\n\
             \x20 and 40 more\n\
             \n\
             All of them, with their reports\n\
             \x20 guardrail history --stack vpc-guardrail\n\
             \n\
             Account 111122223333, eu-central-1:\n\
             2026-09-14 08:31 UTC to 2026-09-14 08:36 UTC.\n"
        );
        let json: serde_json::Value = serde_json::from_str(&alert.json).unwrap();
        assert_eq!(json["verdict"], "summary");
        assert_eq!(json["alerts"], 42);
        assert_eq!(json["asks"], json!({"to-act": 30, "nothing": 12}));
        assert_eq!(json["worst"][0]["rank"], json!({"asks": "to-act", "gravity": "leads-out"}));
        let expected =
            [("account", "111122223333"), ("region", "eu-central-1"), ("verdict", "summary")];
        let expected = expected.map(|(name, value)| (name.to_owned(), Attribute::of(value)));
        assert_eq!(alert.attributes, BTreeMap::from(expected));
    }

    /// What an alert says of its verdict is what it is ranked by.
    #[test]
    fn every_verdict_asks_for_something_known() {
        for (verdict, asks) in [
            (Verdict::Compliant, Asks::Nothing),
            (Verdict::Repaired, Asks::Nothing),
            (Verdict::Advised, Asks::ToLook),
            (Verdict::DriftLeft, Asks::ToAct),
            (Verdict::Incomplete, Asks::ToLook),
            (Verdict::NotManaged, Asks::ToLook),
            (Verdict::NoSuchVpc, Asks::Nothing),
        ] {
            let told = Attribute::Text(super::super::verdict_word(verdict));
            let attributes = BTreeMap::from([("verdict".to_owned(), told)]);
            assert_eq!(Rank::of(&attributes).asks, asks, "{verdict}");
        }
    }

    #[test]
    fn one_held_alert_is_one() {
        let one = Held { count: 1, worst: held().worst.into_iter().take(1).collect(), ..held() };
        let alert = summary(&one, 20, &place(), "s");
        assert!(alert.subject.starts_with("VPC guardrail: 1 alert more, "), "{}", alert.subject);
        assert!(!alert.text.contains("and 0 more"), "{}", alert.text);
    }
}
