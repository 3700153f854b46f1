//! A VPC's DNS attributes.

use serde::{Deserialize, Serialize};

/// The two DNS attributes of a VPC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VpcAttributes {
    /// Whether the Amazon resolver answers; `None` when not read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "plain_or_value")]
    pub enable_dns_support: Option<bool>,
    /// Whether host names are given; `None` when not read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "plain_or_value")]
    pub enable_dns_hostnames: Option<bool>,
}

/// `true`, or `{"Value": true}` as `describe-vpc-attribute` prints it.
fn plain_or_value<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected true, false or {\"Value\": true}")]
    enum Form {
        Plain(bool),
        Value {
            #[serde(rename = "Value")]
            value: bool,
        },
    }
    Ok(Option::<Form>::deserialize(input)?.map(|form| match form {
        Form::Plain(value) | Form::Value { value } => value,
    }))
}
