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
    /// The servers that the set names for DNS queries, as written; several may stand in one value.
    pub fn domain_name_servers(&self) -> Vec<&str> {
        let named =
            self.dhcp_configurations.iter().filter(|option| option.key == "domain-name-servers");
        let values =
            named.flat_map(|option| &option.values).flat_map(|value| value.value.split(','));
        values.map(str::trim).filter(|server| !server.is_empty()).collect()
    }
}
