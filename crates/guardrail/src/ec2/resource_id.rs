//! The id of a resource whose kind only its prefix tells: as CloudTrail records name them, and
//! callers of `CreateTags`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::{
    AssociationId, EgressOnlyInternetGatewayId, EndpointId, InstanceId, InterfaceId,
    InternetGatewayId, InvalidId, NatGatewayId, NetworkAclId, OtherAssociationId, OtherGatewayId,
    PrefixListId, RouteTableId, SecurityGroupId, SubnetId, VpcId,
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($id:ty),)*) => {
        /// What a resource is, without its id.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ResourceKind {
            $($(#[$doc])* $kind,)*
        }

        /// The id of a resource of one of these kinds.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub enum ResourceId {
            $($(#[$doc])* $kind($id),)*
        }

        impl ResourceId {
            /// The id, where the text has the form of one.
            pub fn read(text: &str) -> Option<Self> {
                $(if <$id>::is(text) {
                    return text.parse().ok().map(Self::$kind);
                })*
                None
            }

            /// What it is the id of.
            pub fn kind(&self) -> ResourceKind {
                match self {
                    $(Self::$kind(_) => ResourceKind::$kind,)*
                }
            }

            /// The id as AWS writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$kind(id) => id.as_str(),)*
                }
            }
        }
    };
}

// The order is that in which a text is tried: what records name most comes first.
kinds! {
    /// A VPC.
    Vpc(VpcId),
    /// A subnet.
    Subnet(SubnetId),
    /// A security group.
    SecurityGroup(SecurityGroupId),
    /// A VPC endpoint.
    Endpoint(EndpointId),
    /// A network interface.
    Interface(InterfaceId),
    /// A route table.
    RouteTable(RouteTableId),
    /// A NAT gateway.
    NatGateway(NatGatewayId),
    /// A prefix list.
    PrefixList(PrefixListId),
    /// A network ACL.
    NetworkAcl(NetworkAclId),
    /// An instance.
    Instance(InstanceId),
    /// The binding of a route table.
    Association(AssociationId),
    /// An internet gateway.
    InternetGateway(InternetGatewayId),
    /// An egress-only internet gateway.
    EgressOnlyInternetGateway(EgressOnlyInternetGatewayId),
    /// A virtual private, transit, local or carrier gateway.
    OtherGateway(OtherGatewayId),
    /// The binding of an address, a CIDR block, a network ACL or an instance profile.
    OtherAssociation(OtherAssociationId),
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for ResourceId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::read(&text).ok_or_else(|| {
            InvalidId::of(text, "the id of a resource of EC2", "rtb-0123456789abcdef0")
        })
    }
}

impl std::str::FromStr for ResourceId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<ResourceId> for String {
    fn from(id: ResourceId) -> String {
        id.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_by_its_prefix() {
        for (prefix, kind) in [
            ("vpc", ResourceKind::Vpc),
            ("subnet", ResourceKind::Subnet),
            ("rtb", ResourceKind::RouteTable),
            ("rtbassoc", ResourceKind::Association),
            ("eipassoc", ResourceKind::OtherAssociation),
            ("aclassoc", ResourceKind::OtherAssociation),
            ("iip-assoc", ResourceKind::OtherAssociation),
            ("vpc-cidr-assoc", ResourceKind::OtherAssociation),
            ("subnet-cidr-assoc", ResourceKind::OtherAssociation),
            ("vpce", ResourceKind::Endpoint),
            ("nat", ResourceKind::NatGateway),
            ("igw", ResourceKind::InternetGateway),
            ("eigw", ResourceKind::EgressOnlyInternetGateway),
            ("vgw", ResourceKind::OtherGateway),
            ("tgw", ResourceKind::OtherGateway),
            ("lgw", ResourceKind::OtherGateway),
            ("cagw", ResourceKind::OtherGateway),
            ("eni", ResourceKind::Interface),
            ("i", ResourceKind::Instance),
            ("sg", ResourceKind::SecurityGroup),
            ("pl", ResourceKind::PrefixList),
        ] {
            for digits in ["0a1b2c3d4e5f60718", "1a2b3c4d"] {
                let text = format!("{prefix}-{digits}");
                let id = ResourceId::read(&text).unwrap();
                assert_eq!((id.kind(), id.as_str()), (kind, text.as_str()));
                assert_eq!(serde_json::to_value(&id).unwrap(), text);
                assert_eq!(serde_json::from_value::<ResourceId>(text.into()).unwrap(), id);
            }
        }
    }

    #[test]
    fn other_text_is_no_id() {
        for text in [
            "",
            "-",
            "vpc-",
            "vpce-svc-0a1b2c3d",
            "eni-attach-0a1b2c3d",
            "tgw-attach-0a1b2c3d",
            "sgr-0a1b2c3d",
        ] {
            assert_eq!(ResourceId::read(text), None, "{text}");
        }
        assert_eq!(
            "sgr-0a1b2c3d".parse::<ResourceId>().unwrap_err().to_string(),
            "`sgr-0a1b2c3d` is not the id of a resource of EC2; it should look like `rtb-0123456789abcdef0`"
        );
    }
}
