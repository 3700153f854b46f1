//! How many alerts were given up because a destination did not take them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Alert;
use super::summary::{alert_of, attributes, list_command, number, paragraph, time};
use crate::ec2::id::Place;
use crate::history::Destination;
use crate::history::lost::Lost;
use crate::shown::{one_line, word};

/// The alert that these destinations have not taken so many alerts.
pub fn lost_alert(id: &str, lost: &[(Destination, Lost)], place: &Place, stack: &str) -> Alert {
    let count = lost.iter().fold(0, |all: u32, (_, lost)| all.saturating_add(lost.count));
    let all = alerts(count);
    let subject = format!("VPC guardrail: {all} given up, not taken for 14 days, {}", place.region);
    let mut text = String::new();
    let what = format!(
        "Of account {}, {}: {all} could not be told for 14 days and will not be tried any more.",
        place.account, place.region
    );
    paragraph(&mut text, &what);
    let _ = writeln!(text, "\nWho has not taken them");
    for (destination, lost) in lost {
        let (to, count) = (one_line(destination.as_str()), alerts(lost.count));
        let _ = writeln!(text, "  - {to}: {count}");
        let _ = writeln!(text, "    of {} to {}", time(lost.since), time(lost.until));
    }
    let command = list_command(stack);
    let _ = writeln!(
        text,
        "\nAt once\n  1. see that each destination exists and that its policy and its key let the\n     \
         functions publish; their logs say what it answers\n  2. read what was found and done since \
         then:\n     {command}\n\nThis is {}.",
        word(id)
    );
    let of = |(destination, lost): &(Destination, Lost)| -> Value {
        json!({ "destination": destination, "count": lost.count, "since": lost.since, "until": lost.until })
    };
    let json = json!({
        "version": 1, "verdict": "alerts-lost", "id": id, "account": place.account,
        "region": place.region, "lost": lost.iter().map(of).collect::<Vec<Value>>(),
        "command": command,
    });
    alert_of(&subject, text, &json, attributes(place, "alerts-lost"))
}

fn alerts(count: u32) -> String {
    number(usize::try_from(count).unwrap_or(usize::MAX), "alert", "alerts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::alert::summary::tests::place;

    #[test]
    fn who_has_not_taken_how_many_is_told() {
        let of = |count| Lost {
            count,
            since: "2026-09-14T06:59:00Z".parse().unwrap(),
            until: "2026-09-15T07:00:00Z".parse().unwrap(),
        };
        let lost = [(Destination::new("topic-a"), of(3)), (Destination::new("topic-b"), of(1))];
        let alert = lost_alert("lost-1", &lost, &place(), "guardrail");
        let subject = "VPC guardrail: 4 alerts given up, not taken for 14 days, eu-central-1";
        assert_eq!(alert.subject, subject);
        let listed = "  - topic-a: 3 alerts\n    of 2026-09-14 06:59 UTC to 2026-09-15 07:00 UTC\n  \
                      - topic-b: 1 alert\n";
        assert!(alert.text.contains(listed), "{}", alert.text);
        let json: Value = serde_json::from_str(&alert.json).unwrap();
        assert_eq!(
            (&json["lost"][0]["count"], &json["verdict"]),
            (&json!(3), &json!("alerts-lost"))
        );
    }
}
