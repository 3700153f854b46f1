//! Subnets.

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::{AccountId, SubnetId, VpcId, Zone};
use crate::ec2::world::{CidrState, Ipv6CidrAssociation, Tag};

/// `Subnets[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Subnet {
    pub subnet_id: SubnetId,
    pub vpc_id: VpcId,
    pub availability_zone: Zone,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_block: Option<Cidr>,
    #[serde(default)]
    pub ipv6_cidr_block_association_set: Vec<Ipv6CidrAssociation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_ip_address_count: Option<u32>,
    #[serde(default)]
    pub ipv6_native: bool,
    /// `None` is "not said", which must not be read as off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_dns64: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_arn: Option<String>,
    #[serde(default)]
    pub map_public_ip_on_launch: bool,
    #[serde(default)]
    pub assign_ipv6_address_on_creation: bool,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

impl Subnet {
    /// Every CIDR block in use, the IPv4 one first.
    pub fn cidrs(&self) -> Vec<Cidr> {
        let v6 = self.ipv6_cidr_block_association_set.iter();
        let live = v6.filter(|a| a.ipv6_cidr_block_state.as_ref().is_none_or(CidrState::is_in_use));
        self.cidr_block.iter().chain(live.map(|a| &a.ipv6_cidr_block)).cloned().collect()
    }
}
