//! Routes: where packets are going, and what they are handed to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::{InstanceId, InterfaceId, NatGatewayId, PrefixListId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::world::word::word;

/// `Routes[]` of a route table: one destination, one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Route {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_cidr_block: Option<Cidr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_ipv6_cidr_block: Option<Cidr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_prefix_list_id: Option<PrefixListId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_gateway_id: Option<NatGatewayId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_only_internet_gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_owner_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_interface_id: Option<InterfaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transit_gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_peering_connection_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_gateway_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_network_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odb_network_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RouteState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<RouteOrigin>,
}

word! {
    /// `State` of a route.
    RouteState {
        /// The target is there.
        Active = "active",
        /// The target is gone or not attached: packets are dropped.
        Blackhole = "blackhole",
        /// Kept out by Route Server.
        Filtered = "filtered",
    }
}

word! {
    /// `Origin` of a route.
    RouteOrigin {
        /// The table's own local route.
        CreateRouteTable = "CreateRouteTable",
        /// Added by a caller, or written by a gateway endpoint.
        CreateRoute = "CreateRoute",
        /// Propagated by a virtual private gateway.
        EnableVgwRoutePropagation = "EnableVgwRoutePropagation",
        /// Advertised through Route Server.
        Advertisement = "Advertisement",
    }
}

/// Where a route's packets are going: exactly one of AWS's three destination fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum Destination {
    /// `DestinationCidrBlock`.
    CidrBlock(Cidr),
    /// `DestinationIpv6CidrBlock`.
    Ipv6CidrBlock(Cidr),
    /// `DestinationPrefixListId`.
    PrefixList(PrefixListId),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CidrBlock(cidr) | Self::Ipv6CidrBlock(cidr) => cidr.fmt(f),
            Self::PrefixList(id) => id.fmt(f),
        }
    }
}

/// A target whose id is text to a world.
type OfText = fn(String) -> RouteTarget;

impl Route {
    /// The destination; `None` for a route that names none this version knows.
    pub fn destination(&self) -> Option<Destination> {
        let v4 = self.destination_cidr_block.clone().map(Destination::CidrBlock);
        let v6 = || self.destination_ipv6_cidr_block.clone().map(Destination::Ipv6CidrBlock);
        let list = || self.destination_prefix_list_id.clone().map(Destination::PrefixList);
        v4.or_else(v6).or_else(list)
    }

    /// Whether `destination` is this route's, to the letter.
    pub fn goes_to(&self, destination: &Destination) -> bool {
        match destination {
            Destination::CidrBlock(cidr) => self.destination_cidr_block.as_ref() == Some(cidr),
            Destination::Ipv6CidrBlock(cidr) => {
                self.destination_ipv6_cidr_block.as_ref() == Some(cidr)
            }
            Destination::PrefixList(id) => self.destination_prefix_list_id.as_ref() == Some(id),
        }
    }

    /// The target; an interface rather than the instance it is attached to.
    pub fn target(&self) -> Option<RouteTarget> {
        let id = self.nat_gateway_id.clone().map(RouteTarget::NatGateway);
        let id =
            id.or_else(|| self.network_interface_id.clone().map(RouteTarget::NetworkInterface));
        let id = id.or_else(|| self.instance_id.clone().map(RouteTarget::Instance));
        let id = id.or_else(|| self.gateway_id.as_deref().map(RouteTarget::of_gateway_id));
        let texts: [(&Option<String>, OfText); 8] = [
            (&self.egress_only_internet_gateway_id, RouteTarget::EgressOnlyInternetGateway),
            (&self.transit_gateway_id, RouteTarget::TransitGateway),
            (&self.vpc_peering_connection_id, RouteTarget::VpcPeeringConnection),
            (&self.local_gateway_id, RouteTarget::LocalGateway),
            (&self.carrier_gateway_id, RouteTarget::CarrierGateway),
            (&self.core_network_arn, RouteTarget::CoreNetwork),
            (&self.odb_network_arn, RouteTarget::OdbNetwork),
            (&self.ip_address, RouteTarget::NextHop),
        ];
        id.or_else(|| texts.into_iter().find_map(|(text, target)| text.clone().map(target)))
    }
}
