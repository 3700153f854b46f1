//! VPCs and their address blocks.

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::{AccountId, DhcpOptionsId, VpcId};
use crate::ec2::world::Tag;
use crate::ec2::world::word::word;

/// `Vpcs[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Vpc {
    pub vpc_id: VpcId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_block: Option<Cidr>,
    #[serde(default)]
    pub cidr_block_association_set: Vec<CidrAssociation>,
    #[serde(default)]
    pub ipv6_cidr_block_association_set: Vec<Ipv6CidrAssociation>,
    #[serde(default)]
    pub is_default: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp_options_id: Option<DhcpOptionsId>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `CidrBlockAssociationSet[]` of a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct CidrAssociation {
    pub cidr_block: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_block_state: Option<CidrState>,
}

/// `Ipv6CidrBlockAssociationSet[]` of a VPC or a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Ipv6CidrAssociation {
    pub ipv6_cidr_block: Cidr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr_block_state: Option<CidrState>,
}

/// The state of a CIDR block's association.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct CidrState {
    pub state: CidrStateCode,
}

word! {
    /// `State` of a CIDR block's association.
    CidrStateCode {
        /// The block is being given.
        Associating = "associating",
        /// The block is in use.
        Associated = "associated",
        /// The block is being taken away.
        Disassociating = "disassociating",
        /// The block is gone, and listed for a while.
        Disassociated = "disassociated",
        /// Giving the block is failing.
        Failing = "failing",
        /// The block could not be given.
        Failed = "failed",
    }
}

impl CidrState {
    /// Whether the block is in use, or is being given.
    pub fn is_in_use(&self) -> bool {
        match self.state {
            CidrStateCode::Associating | CidrStateCode::Associated => true,
            CidrStateCode::Disassociating
            | CidrStateCode::Disassociated
            | CidrStateCode::Failing
            | CidrStateCode::Failed
            | CidrStateCode::Other(_) => false,
        }
    }
}

impl Vpc {
    /// Every CIDR block in use, IPv4 and IPv6, primary first, without duplicates.
    pub fn cidrs(&self) -> Vec<Cidr> {
        let live = |state: &Option<CidrState>| state.as_ref().is_none_or(CidrState::is_in_use);
        let v4 = self
            .cidr_block_association_set
            .iter()
            .filter(|a| live(&a.cidr_block_state))
            .map(|a| &a.cidr_block);
        let v6 =
            self.ipv6_cidr_block_association_set.iter().filter(|a| live(&a.ipv6_cidr_block_state));
        let mut all: Vec<Cidr> = Vec::new();
        for cidr in self.cidr_block.iter().chain(v4).chain(v6.map(|a| &a.ipv6_cidr_block)) {
            if !all.contains(cidr) {
                all.push(cidr.clone());
            }
        }
        all
    }
}
