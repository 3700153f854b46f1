//! Security groups and what they let in.

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::{AccountId, PrefixListId, SecurityGroupId, VpcId};
use crate::ec2::world::Tag;
use crate::ec2::world::word::word;

/// `SecurityGroups[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct SecurityGroup {
    pub group_id: SecurityGroupId,
    #[serde(default)]
    pub group_name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<VpcId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<AccountId>,
    #[serde(default)]
    pub ip_permissions: Vec<IpPermission>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `IpPermissions[]` of a security group: who may come in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct IpPermission {
    #[serde(default)]
    pub ip_protocol: IpProtocol,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i32>,
    #[serde(default)]
    pub ip_ranges: Vec<IpRange>,
    #[serde(default)]
    pub ipv6_ranges: Vec<Ipv6Range>,
    #[serde(default)]
    pub prefix_list_ids: Vec<PermissionPrefixList>,
    #[serde(default)]
    pub user_id_group_pairs: Vec<GroupPair>,
}

word! {
    /// `IpProtocol` of a permission.
    IpProtocol {
        /// Every protocol.
        All = "-1",
        /// TCP by its name, as EC2 lists it.
        Tcp = "tcp",
        /// TCP by its number, as a caller may write it.
        TcpNumber = "6",
    }
}

impl Default for IpProtocol {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// `IpRanges[]` of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct IpRange {
    pub cidr_ip: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `Ipv6Ranges[]` of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Ipv6Range {
    pub cidr_ipv6: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `PrefixListIds[]` of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct PermissionPrefixList {
    pub prefix_list_id: PrefixListId,
}

/// `UserIdGroupPairs[]` of a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct GroupPair {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<SecurityGroupId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}
