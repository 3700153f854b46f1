//! An alert as it is told, and to whom.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A message to those who read alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The subject: at most 99 printable ASCII characters.
    pub subject: String,
    /// The text for people, who read it as e-mail.
    pub text: String,
    /// The report as JSON, for queues, functions and HTTPS, and whatever has no form of its own.
    pub json: String,
    /// The message attributes that a subscription can filter on, by name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// What subscribers can filter on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribute {
    /// One value.
    Text(String),
    /// Several: a filter matches each of them.
    List(Vec<String>),
}

impl Attribute {
    /// One value, as it is shown.
    pub fn of(value: impl ToString) -> Self {
        Self::Text(value.to_string())
    }
}

/// Somewhere alerts go: the ARN of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Destination(String);

impl Destination {
    /// The destination of this name.
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
