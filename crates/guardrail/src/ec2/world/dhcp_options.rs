//! DHCP option sets, which say who answers a VPC's DNS queries.

use serde::{Deserialize, Serialize};

use crate::ec2::id::DhcpOptionsId;

/// `DhcpOptions[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct DhcpOptions {
    pub dhcp_options_id: DhcpOptionsId,
    #[serde(default)]
    pub dhcp_configurations: Vec<DhcpConfiguration>,
}

/// `DhcpConfigurations[]` of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct DhcpConfiguration {
    pub key: String,
    #[serde(default)]
    pub values: Vec<DhcpValue>,
}

/// `Values[]` of an option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct DhcpValue {
    pub value: String,
}

impl DhcpOptions {
    /// The servers that the set names for DNS queries, as written; several may stand in one value. It
    /// is `None` where the set was not read whole: every set has an option, and every option a value
    /// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateDhcpOptions.html).
    pub fn domain_name_servers(&self) -> Option<Vec<&str>> {
        if self.dhcp_configurations.is_empty() {
            return None;
        }
        let named =
            self.dhcp_configurations.iter().filter(|option| option.key == "domain-name-servers");
        let mut servers = Vec::new();
        for option in named {
            let values = option.values.iter().flat_map(|value| value.value.split(','));
            let its: Vec<&str> = values.map(str::trim).filter(|it| !it.is_empty()).collect();
            if its.is_empty() {
                return None;
            }
            servers.extend(its);
        }
        Some(servers)
    }
}
