//! Where the functions' baseline is kept, and why it cannot be used: then nothing is changed
//! anywhere.

use jiff::{SignedDuration, Timestamp};

use crate::baseline::Baseline;

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
    /// Whether trying again later may help: Parameter Store did not answer, say. What is wrong in
    /// the baseline does not pass.
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
        let unusable = |why: &str| BaselineError {
            place: format!("`{VARIABLE}`"),
            why: why.to_owned(),
            passes: false,
        };
        let text = variable.unwrap_or_default().trim();
        match text.strip_prefix("ssm:") {
            None if text.is_empty() => Err(unusable(
                "it is not set; write a baseline as JSON, or `ssm:` and the name of a parameter",
            )),
            None => Ok(Self::Inline(text.to_owned())),
            Some("") => Err(unusable(
                "it names no parameter after `ssm:`; write for example `ssm:/vpc-guardrail/baseline`",
            )),
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

    /// The fault of a baseline that could not be had from there: why, and whether trying again
    /// later may help.
    pub fn unread(&self, why: &str, passes: bool) -> BaselineError {
        self.unusable(why, passes)
    }

    fn unusable(&self, why: &str, passes: bool) -> BaselineError {
        let place = match self {
            Self::Inline(_) => format!("`{VARIABLE}`"),
            Self::Parameter(name) => format!("the parameter `{name}`"),
        };
        BaselineError { place, why: why.to_owned(), passes }
    }

    /// Whether what was read at `read` may still be used: what stands in the variable is as old as
    /// the function, and a parameter may be edited at any time.
    pub fn still_counts(&self, read: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::Inline(_) => true,
            Self::Parameter(_) => now.duration_since(read).abs() < COUNTS_FOR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_in_the_variable_or_in_a_parameter() {
        assert_eq!(
            Source::of(Some(" {\"version\":1}\n")),
            Ok(Source::Inline("{\"version\":1}".to_owned()))
        );
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
        let fault = stored
            .read(r#"{"version":1,"limits":{"changes":0,"endpoint_changes":0}}"#)
            .unwrap_err()
            .to_string();
        assert!(
            fault
                .starts_with("the baseline in the parameter `/b` cannot be used: `limits.changes`"),
            "{fault}"
        );
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
}
