//! Tags, which most resources have.

use serde::{Deserialize, Serialize};

use crate::shown::quoted;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The key, case-sensitive.
    pub key: String,
    /// The value; AWS allows an empty one.
    #[serde(default)]
    pub value: String,
}

impl Tag {
    /// A tag of this key and value.
    pub fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: value.to_owned() }
    }

    /// The tag for people: `"key=value"`.
    pub fn shown(&self) -> String {
        quoted(&format!("{}={}", self.key, self.value))
    }
}
