//! NAT gateways.

use serde::{Deserialize, Serialize};

use crate::ec2::id::{NatGatewayId, RouteTableId, SubnetId, VpcId};
use crate::ec2::world::Tag;
use crate::ec2::world::word::word;

/// `NatGateways[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct NatGateway {
    pub nat_gateway_id: NatGatewayId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<VpcId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<SubnetId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NatGatewayState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectivity_type: Option<Connectivity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_mode: Option<AvailabilityMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_table_id: Option<RouteTableId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nat_gateway_addresses: Vec<NatGatewayAddress>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `NatGatewayAddresses[]` of a NAT gateway: its first address and the secondary ones, in each zone of
/// a regional one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct NatGatewayAddress {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip: Option<String>,
}

word! {
    /// `State` of a NAT gateway.
    NatGatewayState {
        /// Being made.
        Pending = "pending",
        /// Could not be made.
        Failed = "failed",
        /// Works.
        Available = "available",
        /// Being deleted.
        Deleting = "deleting",
        /// Deleted, still listed for a while.
        Deleted = "deleted",
    }
}

word! {
    /// `ConnectivityType` of a NAT gateway.
    Connectivity {
        /// Translates to public addresses.
        Public = "public",
        /// Translates to its private address; the internet gateway drops its traffic.
        Private = "private",
    }
}

word! {
    /// `AvailabilityMode` of a NAT gateway.
    AvailabilityMode {
        /// In one subnet.
        Zonal = "zonal",
        /// Across the Region's zones, with a route table of its own.
        Regional = "regional",
    }
}
