//! What a call was made with, as one word for people and JSON.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a call was made with. CDK deploys through CloudFormation and cannot be told from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Tool {
    /// The console.
    Console,
    /// The AWS CLI.
    Cli,
    /// Terraform.
    Terraform,
    /// CloudFormation.
    CloudFormation,
    /// An SDK, or a client of the caller's own.
    Sdk,
    /// An AWS service, by its name as CloudTrail writes it: `eks.amazonaws.com`, `AWS Internal`.
    Service(String),
    /// The record does not say.
    NotSaid,
}

impl Tool {
    /// The word for it; empty where the record does not say.
    pub fn word(&self) -> &str {
        match self {
            Self::Console => "console",
            Self::Cli => "cli",
            Self::Terraform => "terraform",
            Self::CloudFormation => "cloudformation",
            Self::Sdk => "sdk",
            Self::Service(name) => name,
            Self::NotSaid => "",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl From<String> for Tool {
    /// The tool of this word. Every other text is a service's name.
    fn from(word: String) -> Self {
        match word.as_str() {
            "console" => Self::Console,
            "cli" => Self::Cli,
            "terraform" => Self::Terraform,
            "cloudformation" => Self::CloudFormation,
            "sdk" => Self::Sdk,
            "" => Self::NotSaid,
            _ => Self::Service(word),
        }
    }
}

impl From<Tool> for String {
    fn from(tool: Tool) -> Self {
        match tool {
            Tool::Service(name) => name,
            Tool::Console
            | Tool::Cli
            | Tool::Terraform
            | Tool::CloudFormation
            | Tool::Sdk
            | Tool::NotSaid => tool.word().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tool_is_its_word_in_json_and_the_word_is_the_tool_again() {
        let table = [
            (Tool::Console, "console"),
            (Tool::Cli, "cli"),
            (Tool::Terraform, "terraform"),
            (Tool::CloudFormation, "cloudformation"),
            (Tool::Sdk, "sdk"),
            (Tool::Service("eks.amazonaws.com".to_owned()), "eks.amazonaws.com"),
            (Tool::Service("AWS Internal".to_owned()), "AWS Internal"),
            (Tool::NotSaid, ""),
        ];
        for (tool, word) in table {
            assert_eq!((tool.to_string().as_str(), json!(tool)), (word, json!(word)));
            assert_eq!(serde_json::from_value::<Tool>(json!(word)).unwrap(), tool);
        }
    }

    #[test]
    fn a_word_that_is_not_known_is_data() {
        let word = json!("a tool of next year");
        assert_eq!(json!(serde_json::from_value::<Tool>(word.clone()).unwrap()), word);
    }
}
