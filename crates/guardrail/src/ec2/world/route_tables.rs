//! Route tables, and what they are associated with.

use serde::{Deserialize, Serialize};

use crate::ec2::id::{AssociationId, RouteTableId, SubnetId, VpcId};
use crate::ec2::world::word::word;
use crate::ec2::world::{Route, Tag};

/// `RouteTables[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct RouteTable {
    pub route_table_id: RouteTableId,
    pub vpc_id: VpcId,
    #[serde(default)]
    pub associations: Vec<Association>,
    #[serde(default)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `Associations[]` of a route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Association {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_table_association_id: Option<AssociationId>,
    #[serde(default)]
    pub main: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<SubnetId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ipv4_pool: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association_state: Option<AssociationState>,
}

/// The state of a route table's association.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct AssociationState {
    pub state: AssociationStateCode,
}

word! {
    /// `State` of a route table's association.
    AssociationStateCode {
        /// The association is being made.
        Associating = "associating",
        /// The association acts.
        Associated = "associated",
        /// The association is being taken away.
        Disassociating = "disassociating",
        /// The association is gone, and listed for a while.
        Disassociated = "disassociated",
        /// The association could not be made.
        Failed = "failed",
    }
}

impl Association {
    /// Whether the association acts; one that is `disassociating`, `disassociated` or `failed` does
    /// not.
    pub fn is_live(&self) -> bool {
        use AssociationStateCode::{
            Associated, Associating, Disassociated, Disassociating, Failed, Other,
        };
        self.association_state.as_ref().is_none_or(|association| match association.state {
            Associating | Associated | Other(_) => true,
            Disassociating | Disassociated | Failed => false,
        })
    }

    /// Whether it binds the table to a gateway, for traffic that comes in: such a table is no
    /// subnet's.
    pub fn is_edge(&self) -> bool {
        self.gateway_id.is_some() || self.public_ipv4_pool.is_some()
    }
}
