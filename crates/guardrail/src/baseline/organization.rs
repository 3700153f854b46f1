//! The organisation that a policy may name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of an organisation of AWS Organizations: `o-` and 10 to 32 lower-case letters and digits
/// (docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^o-[a-z0-9]{10,32}$")))]
#[serde(try_from = "String", into = "String")]
pub struct OrganizationId(String);

impl OrganizationId {
    /// The id as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrganizationId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_id = text.strip_prefix("o-").is_some_and(|rest| {
            (10..=32).contains(&rest.len())
                && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        if is_id {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not the id of an organisation; write one like `o-a1b2c3d4e5`"))
        }
    }
}

impl From<OrganizationId> for String {
    fn from(OrganizationId(text): OrganizationId) -> Self {
        text
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_has_an_id_of_its_form() {
        for (text, is_id) in [
            ("o-a1b2c3d4e5", true),
            ("o-a1b2c3d4e", false),
            ("o-A1B2C3D4E5", false),
            ("r-a1b2c3d4e5", false),
            ("o-a1b2c3d4e5-", false),
            ("", false),
        ] {
            assert_eq!(OrganizationId::try_from(text.to_owned()).is_ok(), is_id, "{text}");
        }
    }
}
