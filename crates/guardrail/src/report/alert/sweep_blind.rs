//! What a sweep may not read.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Alert;
use super::summary::{alert_of, attributes, paragraph};
use crate::cloud::Unread;
use crate::ec2::id::Place;
use crate::shown::{one_line, word};

/// The alert that sweeps are kept from reading these sections until somebody mends that.
pub fn sweep_blind_alert(hidden: &[&Unread], sweep: &str, place: &Place) -> Alert {
    let subject = format!("VPC guardrail: sweeps cannot see everything, {}", place.region);
    let mut text = String::new();
    let what = format!(
        "Sweeps of account {}, {}, may not read all that they compare. What is changed there and \
         reaches no event is not found until this is mended. Runs over single VPCs read for \
         themselves, and say so where they cannot. This is told once.",
        place.account, place.region
    );
    paragraph(&mut text, &what);
    let _ = writeln!(text, "\nWhat cannot be read");
    for Unread { section, error } in hidden {
        let _ = writeln!(text, "  - {section}: {}", one_line(&error.to_string()));
    }
    let _ = writeln!(
        text,
        "\nAt once\n  1. see what the role of the sweep function may do, and which service\n     \
         control policies are above it\n  2. `guardrail doctor` makes each of the calls and says \
         which fail\n\nThis is {}.",
        word(sweep)
    );
    let sections: Vec<Value> = hidden
        .iter()
        .map(|Unread { section, error }| {
            json!({ "section": section.to_string(), "error": one_line(&error.to_string()) })
        })
        .collect();
    let json = json!({
        "version": 1, "verdict": "sweep-blind", "account": place.account, "region": place.region,
        "sweep": sweep, "hidden": sections,
    });
    alert_of(&subject, text, &json, attributes(place, "sweep-blind"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{CallError, ErrorClass};
    use crate::ec2::snapshot::Section;
    use crate::report::alert::summary::tests::place;

    #[test]
    fn what_cannot_be_read_is_named_with_its_error() {
        let error = CallError {
            operation: "DescribeSubnets".to_owned(),
            class: ErrorClass::Denied,
            code: Some("UnauthorizedOperation".to_owned()),
            message: "no\nway".to_owned(),
        };
        let unread = Unread { section: Section::Subnets, error };
        let alert = sweep_blind_alert(&[&unread], "sweep-1", &place());
        assert_eq!(alert.subject, "VPC guardrail: sweeps cannot see everything, eu-central-1");
        assert!(alert.text.contains("\n  - Subnets: "), "{}", alert.text);
        assert!(alert.text.contains("UnauthorizedOperation"), "{}", alert.text);
        assert!(alert.text.ends_with("\nThis is sweep-1.\n"), "{}", alert.text);
        let json: Value = serde_json::from_str(&alert.json).unwrap();
        assert_eq!(json["hidden"][0]["section"], "Subnets");
    }
}
