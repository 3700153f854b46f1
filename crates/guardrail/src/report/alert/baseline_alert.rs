//! The alert that there is no usable baseline.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Alert, Attribute, SUBJECT_LIMIT, printable};
use crate::ec2::id::Region;
use crate::shown::{one_line, word};

/// How much of the fault is told, in characters: a baseline may have very many faults.
const FAULT_LIMIT: usize = 8000;

/// The alert that the baseline cannot be used.
pub fn baseline_alert(fault: &str, region: &Region, incident: &str) -> Alert {
    let fault: String = one_line(fault).chars().take(FAULT_LIMIT).collect();
    let text = format!(
        "The VPC guardrail in {region} is not working: {fault}.\n\nNothing is compared and nothing is repaired until this \
         is mended. To check a baseline before it is deployed: `guardrail baseline check B.json`.\n\nThis was noticed on \
         incident {}.\n",
        word(incident)
    );
    let json = json!({ "version": 1, "verdict": "no-baseline", "fault": fault, "region": region, "incident": incident });
    let attributes = BTreeMap::from([
        ("verdict".to_owned(), Attribute::of("no-baseline")),
        ("region".to_owned(), Attribute::of(region)),
    ]);
    let subject = printable(
        &format!("VPC guardrail: the baseline cannot be used in {region}"),
        SUBJECT_LIMIT,
    );
    Alert { subject, text, json: json.to_string(), attributes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alert_says_what_to_mend() {
        let alert = baseline_alert(
            "the baseline in `B` cannot be used:\nit is empty",
            &"eu-central-1".parse().unwrap(),
            "e-1\n2",
        );
        assert_eq!(alert.subject, "VPC guardrail: the baseline cannot be used in eu-central-1");
        assert!(alert.text.starts_with(
            "The VPC guardrail in eu-central-1 is not working: the baseline in `B` cannot be used: it is empty.\n"
        ));
        assert!(alert.text.ends_with("This was noticed on incident \"e-1 2\".\n"));
        let json: serde_json::Value = serde_json::from_str(&alert.json).unwrap();
        assert_eq!(json["verdict"], "no-baseline");
    }
}
