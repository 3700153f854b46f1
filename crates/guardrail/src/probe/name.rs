//! The names of probes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::id::{InvalidId, SubnetId};

/// How the names of all probes begin: the guardrail may invoke no other function.
pub const PREFIX: &str = "vpc-guardrail-probe-";

/// The name of a probe's function, which ends with the subnet that it stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ProbeName(SubnetId);

impl ProbeName {
    /// The probe of a subnet.
    pub fn of(subnet: SubnetId) -> Self {
        Self(subnet)
    }

    /// The subnet that the probe stands in.
    pub fn subnet(&self) -> &SubnetId {
        &self.0
    }
}

impl TryFrom<String> for ProbeName {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let subnet = text.strip_prefix(PREFIX).and_then(|subnet| subnet.parse().ok());
        subnet.map(Self).ok_or_else(|| {
            let example = "vpc-guardrail-probe-subnet-0123456789abcdef0";
            InvalidId::of(text, "the name of a probe", example)
        })
    }
}

impl From<ProbeName> for String {
    fn from(name: ProbeName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for ProbeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_carries_its_subnet_in_its_name() {
        let name = |text: &str| ProbeName::try_from(text.to_owned());
        let probe = name("vpc-guardrail-probe-subnet-0a1b").unwrap();
        assert_eq!(probe.subnet().as_str(), "subnet-0a1b");
        assert_eq!(probe.to_string(), "vpc-guardrail-probe-subnet-0a1b");
        for other in
            ["vpc-guardrail-repair", "vpc-guardrail-probe-", "subnet-0a1b", "vpc-guardrail-probe-*"]
        {
            let said = name(other).unwrap_err().to_string();
            assert_eq!(
                said,
                format!(
                    "`{other}` is not the name of a probe; it should look like \
                     `vpc-guardrail-probe-subnet-0123456789abcdef0`"
                )
            );
        }
    }

    /// The stack of a probe gives its function this name.
    #[test]
    fn the_template_names_probes_so() {
        let template = include_str!("../../../../probe.yaml");
        assert!(template.contains(&format!("FunctionName: !Sub {PREFIX}${{SubnetId}}\n")));
    }
}
