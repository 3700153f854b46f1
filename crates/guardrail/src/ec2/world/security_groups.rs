//! Security groups and what they let in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::{AccountId, PrefixListId, SecurityGroupId, VpcId};
use crate::ec2::list;
use crate::ec2::world::Tag;
use crate::ec2::world::word::word;
use crate::shown;

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

impl SecurityGroup {
    /// What the group lets in, rule by rule.
    pub fn rules(&self) -> Vec<IpPermission> {
        self.ip_permissions.iter().flat_map(IpPermission::rules).collect()
    }
}

impl IpPermission {
    /// The permission cut into what EC2 calls rules: each has one source.
    pub fn rules(&self) -> Vec<Self> {
        let (ip_protocol, from_port, to_port) =
            (self.ip_protocol.clone(), self.from_port, self.to_port);
        let bare = Self { ip_protocol, from_port, to_port, ..Self::default() };
        let v4 =
            self.ip_ranges.iter().map(|it| Self { ip_ranges: vec![it.clone()], ..bare.clone() });
        let v6 = self
            .ipv6_ranges
            .iter()
            .map(|it| Self { ipv6_ranges: vec![it.clone()], ..bare.clone() });
        let lists = self
            .prefix_list_ids
            .iter()
            .map(|it| Self { prefix_list_ids: vec![it.clone()], ..bare.clone() });
        let groups = self
            .user_id_group_pairs
            .iter()
            .map(|it| Self { user_id_group_pairs: vec![it.clone()], ..bare.clone() });
        v4.chain(v6).chain(lists).chain(groups).collect()
    }

    /// Whether both let in the same, whatever their descriptions say.
    pub fn admits_the_same_as(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for IpPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ip_protocol {
            IpProtocol::All => f.write_str("everything")?,
            IpProtocol::Tcp | IpProtocol::TcpNumber => f.write_str("TCP")?,
            IpProtocol::Other(protocol) => write!(f, "protocol {}", shown::word(protocol))?,
        }
        match (self.from_port, self.to_port) {
            (None | Some(-1), None | Some(-1)) => {}
            (Some(from), Some(to)) if from == to => write!(f, " {from}")?,
            (from, to) => {
                let port =
                    |port: Option<i32>| port.map_or_else(|| "?".to_owned(), |it| it.to_string());
                write!(f, " {}-{}", port(from), port(to))?;
            }
        }
        let v4 = self.ip_ranges.iter().map(|it| shown::word(it.cidr_ip.as_str()).into_owned());
        let v6 = self.ipv6_ranges.iter().map(|it| shown::word(it.cidr_ipv6.as_str()).into_owned());
        let lists = self.prefix_list_ids.iter().map(|it| it.prefix_list_id.to_string());
        let groups = self.user_id_group_pairs.iter().map(|it| {
            it.group_id.as_ref().map_or_else(|| "an unknown group".to_owned(), ToString::to_string)
        });
        let sources: Vec<String> = v4.chain(v6).chain(lists).chain(groups).collect();
        write!(f, " from {}", list(&sources))
    }
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
