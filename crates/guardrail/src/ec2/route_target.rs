//! What a route leads to: one of AWS's target fields.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::{EndpointId, InstanceId, InterfaceId, NatGatewayId};

/// What a route leads to. `GatewayId` holds gateways of several kinds, which only the prefix of the
/// id tells apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
pub enum RouteTarget {
    /// The VPC itself: `GatewayId` is `local`.
    Local,
    /// An internet gateway.
    InternetGateway(String),
    /// A virtual private gateway.
    VirtualPrivateGateway(String),
    /// A VPC endpoint in `GatewayId`: a gateway endpoint for a prefix list, a Gateway Load Balancer
    /// endpoint otherwise.
    VpcEndpoint(EndpointId),
    /// A NAT gateway.
    NatGateway(NatGatewayId),
    /// A network interface.
    NetworkInterface(InterfaceId),
    /// An instance.
    Instance(InstanceId),
    /// An egress-only internet gateway.
    EgressOnlyInternetGateway(String),
    /// A transit gateway.
    TransitGateway(String),
    /// A VPC peering connection.
    VpcPeeringConnection(String),
    /// A local gateway of an Outpost.
    LocalGateway(String),
    /// A carrier gateway of a Wavelength Zone.
    CarrierGateway(String),
    /// The ARN of a Cloud WAN core network.
    CoreNetwork(String),
    /// The ARN of an Oracle Database@AWS network.
    OdbNetwork(String),
    /// The address of a next hop of Route Server.
    NextHop(String),
    /// A gateway of a kind that this version does not know.
    OtherGateway(String),
}

impl RouteTarget {
    /// The target that `GatewayId` names.
    pub fn of_gateway_id(id: &str) -> Self {
        let text = || id.to_owned();
        match id.split_once('-').map(|(prefix, _)| prefix) {
            None if id == "local" => Self::Local,
            Some("igw") => Self::InternetGateway(text()),
            Some("vgw") => Self::VirtualPrivateGateway(text()),
            Some("eigw") => Self::EgressOnlyInternetGateway(text()),
            Some("cagw") => Self::CarrierGateway(text()),
            Some("lgw") => Self::LocalGateway(text()),
            Some("tgw") => Self::TransitGateway(text()),
            Some("vpce") => {
                id.parse().map_or_else(|_| Self::OtherGateway(text()), Self::VpcEndpoint)
            }
            Some(_) | None => Self::OtherGateway(text()),
        }
    }

    /// The id, ARN or address as AWS prints it; `local` for the VPC itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Local => "local",
            Self::NatGateway(id) => id.as_str(),
            Self::NetworkInterface(id) => id.as_str(),
            Self::Instance(id) => id.as_str(),
            Self::VpcEndpoint(id) => id.as_str(),
            Self::InternetGateway(text)
            | Self::VirtualPrivateGateway(text)
            | Self::EgressOnlyInternetGateway(text)
            | Self::TransitGateway(text)
            | Self::VpcPeeringConnection(text)
            | Self::LocalGateway(text)
            | Self::CarrierGateway(text)
            | Self::CoreNetwork(text)
            | Self::OdbNetwork(text)
            | Self::NextHop(text)
            | Self::OtherGateway(text) => text,
        }
    }

    /// The id of a target that no section of a world lists, so that a route is the only sign of it.
    pub fn unlisted(&self) -> Option<&str> {
        match self {
            Self::Local
            | Self::VpcEndpoint(_)
            | Self::NatGateway(_)
            | Self::NetworkInterface(_)
            | Self::Instance(_) => None,
            Self::InternetGateway(_)
            | Self::VirtualPrivateGateway(_)
            | Self::EgressOnlyInternetGateway(_)
            | Self::TransitGateway(_)
            | Self::VpcPeeringConnection(_)
            | Self::LocalGateway(_)
            | Self::CarrierGateway(_)
            | Self::CoreNetwork(_)
            | Self::OdbNetwork(_)
            | Self::NextHop(_)
            | Self::OtherGateway(_) => Some(self.as_str()),
        }
    }
}

impl fmt::Display for RouteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The target as it was printed: the way back from a report or a queue's message.
impl From<String> for RouteTarget {
    fn from(text: String) -> Self {
        let typed = text.parse().map(Self::NatGateway);
        let typed = typed.or_else(|_| text.parse().map(Self::NetworkInterface));
        if let Ok(typed) = typed.or_else(|_| text.parse().map(Self::Instance)) {
            return typed;
        }
        match text.split_once([':', '-']) {
            Some(("pcx", _)) => Self::VpcPeeringConnection(text),
            Some(("arn", name)) if name.contains(":odb:") => Self::OdbNetwork(text),
            Some(("arn", _)) => Self::CoreNetwork(text),
            _ if text.parse::<std::net::IpAddr>().is_ok() => Self::NextHop(text),
            Some(_) | None => Self::of_gateway_id(&text),
        }
    }
}

impl From<RouteTarget> for String {
    fn from(target: RouteTarget) -> Self {
        target.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_back_as_it_was_printed() {
        let text = |text: &str| text.to_owned();
        for target in [
            RouteTarget::Local,
            RouteTarget::InternetGateway(text("igw-1")),
            RouteTarget::VirtualPrivateGateway(text("vgw-1")),
            RouteTarget::VpcEndpoint("vpce-1".parse().unwrap()),
            RouteTarget::NatGateway("nat-1".parse().unwrap()),
            RouteTarget::NetworkInterface("eni-1".parse().unwrap()),
            RouteTarget::Instance("i-1".parse().unwrap()),
            RouteTarget::EgressOnlyInternetGateway(text("eigw-1")),
            RouteTarget::TransitGateway(text("tgw-1")),
            RouteTarget::VpcPeeringConnection(text("pcx-1")),
            RouteTarget::LocalGateway(text("lgw-1")),
            RouteTarget::CarrierGateway(text("cagw-1")),
            RouteTarget::CoreNetwork(text(
                "arn:aws:networkmanager::111122223333:core-network/core-network-1",
            )),
            RouteTarget::OdbNetwork(text(
                "arn:aws:odb:eu-central-1:111122223333:odb-network/odbnet-1",
            )),
            RouteTarget::NextHop(text("10.0.0.7")),
            RouteTarget::NextHop(text("fd00::7")),
            RouteTarget::OtherGateway(text("xgw-1")),
            RouteTarget::OtherGateway(text("vpce-")),
            RouteTarget::OtherGateway(text("")),
        ] {
            let printed = serde_json::to_value(&target).unwrap();
            assert_eq!(printed, target.to_string());
            assert_eq!(serde_json::from_value::<RouteTarget>(printed).unwrap(), target);
        }
    }
}
