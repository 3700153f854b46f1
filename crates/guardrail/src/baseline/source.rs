//! Where the functions' baseline is kept, and what is told when it cannot be used: then nothing is changed anywhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::baseline::Baseline;
use crate::cloud::CallError;
use crate::report::alert::Alert;

/// The environment variable that says where the baseline is, or holds it.
pub const VARIABLE: &str = "GUARDRAIL_BASELINE";

/// How long a stored baseline counts before it is read again.
const COUNTS_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Where a baseline is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The baseline is in the variable itself: this is its JSON.
    Inline(String),
    /// The baseline is in Parameter Store, under this name.
    Parameter(String),
}

/// A baseline that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the baseline in {place} cannot be used: {why}")]
pub struct BaselineError {
    place: String,
    why: String,
    /// Whether it may be had later without anybody's doing.
    passes: bool,
}

impl BaselineError {
    /// Whether trying again later may help: Parameter Store did not answer, say. What is wrong in the baseline does not pass.
    pub fn passes(&self) -> bool {
        self.passes
    }
}

impl Source {
    /// Reads the variable: a baseline as JSON, or `ssm:` and a parameter's name.
    ///
    /// # Errors
    /// When it is not set or names no parameter.
    pub fn of(variable: Option<&str>) -> Result<Self, BaselineError> {
        let unusable = |why: &str| BaselineError { place: format!("`{VARIABLE}`"), why: why.to_owned(), passes: false };
        let text = variable.unwrap_or_default().trim();
        match text.strip_prefix("ssm:") {
            None if text.is_empty() => {
                Err(unusable("it is not set; write a baseline as JSON, or `ssm:` and the name of a parameter"))
            }
            None => Ok(Self::Inline(text.to_owned())),
            Some("") => {
                Err(unusable("it names no parameter after `ssm:`; write for example `ssm:/vpc-guardrail/baseline`"))
            }
            Some(name) => Ok(Self::Parameter(name.to_owned())),
        }
    }

    /// Reads the baseline that was found there.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(&self, text: &str) -> Result<Baseline, BaselineError> {
        Baseline::parse(text).map_err(|error| self.unusable(&error.faults.join("; "), false))
    }

    /// The fault of a baseline that could not be had from there, for now or for good.
    pub fn unread(&self, error: &CallError) -> BaselineError {
        self.unusable(&error.to_string(), error.class.passes())
    }

    fn unusable(&self, why: &str, passes: bool) -> BaselineError {
        let place = match self {
            Self::Inline(_) => format!("`{VARIABLE}`"),
            Self::Parameter(name) => format!("the parameter `{name}`"),
        };
        BaselineError { place, why: why.to_owned(), passes }
    }

    /// Whether what was read at `read` may still be used: what stands in the variable is as old as the function, and a
    /// parameter may be edited at any time.
    pub fn still_counts(&self, read: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::Inline(_) => true,
            Self::Parameter(_) => now.duration_since(read).abs() < COUNTS_FOR,
        }
    }
}

/// Which faults of the baseline were told by this process: each once, and once for each incident, whose messages are many.
#[derive(Debug, Clone, Default)]
pub struct ReportedFaults {
    faults: BTreeSet<String>,
    incidents: BTreeSet<String>,
}

impl ReportedFaults {
    /// Whether this fault is still to be told on this incident.
    pub fn is_new(&self, fault: &str, incident: &str) -> bool {
        !self.faults.contains(fault) && !self.incidents.contains(incident)
    }

    /// It was told.
    pub fn remember(&mut self, fault: &str, incident: &str) {
        self.faults.insert(fault.to_owned());
        self.incidents.insert(incident.to_owned());
    }

    /// The baseline is good: the next fault is a new one, also if it is the same.
    pub fn forget(&mut self) {
        self.faults.clear();
        self.incidents.clear();
    }
}

/// The alert that the baseline cannot be used.
pub fn alert(fault: &str, region: &str, incident: &str) -> Alert {
    let fault: String = fault.chars().map(|c| if c.is_control() { ' ' } else { c }).take(8000).collect();
    let text = format!(
        "The VPC guardrail in {region} is not working: {fault}.\n\nNothing is compared and nothing is repaired until this \
         is mended. To check a baseline before it is deployed: `guardrail baseline check B.json`.\n\nThis was noticed on \
         incident {incident}.\n"
    );
    let json =
        json!({ "version": 1, "verdict": "no-baseline", "fault": fault, "region": region, "incident": incident });
    let attributes = BTreeMap::from([("verdict", "no-baseline".to_owned()), ("region", region.to_owned())]);
    let subject = format!("VPC guardrail: the baseline cannot be used in {region}").chars().take(99).collect();
    Alert { subject, text, json: json.to_string(), attributes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_in_the_variable_or_in_a_parameter() {
        assert_eq!(Source::of(Some(" {\"version\":1}\n")), Ok(Source::Inline("{\"version\":1}".to_owned())));
        assert_eq!(Source::of(Some("ssm:/a/b")), Ok(Source::Parameter("/a/b".to_owned())));
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_place() {
        let nowhere = "the baseline in `GUARDRAIL_BASELINE` cannot be used: it is not set; write a baseline as JSON, or \
                       `ssm:` and the name of a parameter";
        assert_eq!(Source::of(None).unwrap_err().to_string(), nowhere);
        assert_eq!(Source::of(Some("  ")).unwrap_err().to_string(), nowhere);
        assert!(Source::of(Some("ssm:")).unwrap_err().to_string().contains("names no parameter"));
        let stored = Source::Parameter("/b".to_owned());
        let fault =
            stored.read(r#"{"version":1,"limits":{"changes":0,"endpoint_changes":0}}"#).unwrap_err().to_string();
        assert!(fault.starts_with("the baseline in the parameter `/b` cannot be used: `limits.changes`"), "{fault}");
        assert!(fault.contains("; `limits.endpoint_changes`"), "{fault}");
    }

    #[test]
    fn a_stored_baseline_counts_for_a_minute() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let (here, stored) = (Source::Inline(String::new()), Source::Parameter("/b".to_owned()));
        assert_eq!([59, 60].map(|now| stored.still_counts(at(0), at(now))), [true, false]);
        assert!(here.still_counts(at(0), at(100_000)));
        assert!(!stored.still_counts(at(100), at(0)), "a clock that was set back");
    }

    #[test]
    fn a_fault_is_told_once_and_once_for_an_incident() {
        let mut told = ReportedFaults::default();
        assert!(told.is_new("a", "1"));
        told.remember("a", "1");
        let is_new =
            |told: &ReportedFaults| [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")].map(|(f, i)| told.is_new(f, i));
        assert_eq!(is_new(&told), [false, false, false, true]);
        told.forget();
        assert_eq!(is_new(&told), [true; 4]);
    }

    #[test]
    fn the_alert_says_what_to_mend() {
        let alert = alert("the baseline in `B` cannot be used:\nit is empty", "eu-central-1", "e-1");
        assert_eq!(alert.subject, "VPC guardrail: the baseline cannot be used in eu-central-1");
        assert!(alert.text.starts_with(
            "The VPC guardrail in eu-central-1 is not working: the baseline in `B` cannot be used: it is empty.\n"
        ));
        let json: serde_json::Value = serde_json::from_str(&alert.json).unwrap();
        assert_eq!(json["verdict"], "no-baseline");
    }
}
