//! Prefix lists, AWS's and the customer's own.

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::PrefixListId;

/// `PrefixLists[]` of `describe-managed-prefix-lists` and of `describe-prefix-lists`, with the
/// entries of the customer's own lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct PrefixList {
    pub prefix_list_id: PrefixListId,
    #[serde(default)]
    pub prefix_list_name: String,
    /// `AWS` for AWS's own lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
    /// As `describe-prefix-lists` prints them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidrs: Option<Vec<Cidr>>,
    /// As `get-managed-prefix-list-entries` prints them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<PrefixListEntry>>,
}

/// `Entries[]` of a prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct PrefixListEntry {
    pub cidr: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl PrefixList {
    /// Whether the list is AWS's own, whatever its name: a customer's list may have any. `None` where
    /// its owner is not said
    /// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ManagedPrefixList.html).
    pub fn is_awss(&self) -> Option<bool> {
        self.owner_id.as_deref().map(|owner| owner == "AWS")
    }

    /// The list's blocks; `None` when they were not read.
    pub fn blocks(&self) -> Option<Vec<&Cidr>> {
        match (&self.cidrs, &self.entries) {
            (Some(cidrs), _) => Some(cidrs.iter().collect()),
            (None, Some(entries)) => Some(entries.iter().map(|entry| &entry.cidr).collect()),
            (None, None) => None,
        }
    }
}
