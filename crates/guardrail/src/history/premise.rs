//! What takes time to act once it was changed.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ec2::id::{EndpointId, NetworkAclId, SubnetId};
use crate::ec2::snapshot::Section;

/// Something that a service's being served rests on and that takes minutes to act, or hours: until
/// then some clients are answered as before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Premise {
    /// The service's private name leads to this endpoint.
    EndpointName(EndpointId),
    /// This endpoint's policy.
    EndpointPolicy(EndpointId),
    /// The VPC's DNS attributes.
    VpcDns,
    /// The VPC's DHCP options.
    DhcpOptions,
    /// This network ACL's entries, and that this subnet is under it.
    NetworkAcl(NetworkAclId, SubnetId),
}

/// A premise as it is seen at one time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// The premise.
    pub premise: Premise,
    /// What tells one state of it from another.
    pub fingerprint: String,
}

impl Seen {
    /// A premise in a state that `state` tells from every other.
    pub fn of(premise: Premise, state: &str) -> Self {
        let digest = Sha256::digest(state.as_bytes());
        let fingerprint = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
        Self { premise, fingerprint }
    }
}

impl Premise {
    /// The section that the premise is seen in.
    pub fn section(&self) -> Section {
        match self {
            Self::EndpointName(_) | Self::EndpointPolicy(_) => Section::VpcEndpoints,
            Self::VpcDns => Section::VpcAttributes,
            Self::DhcpOptions => Section::DhcpOptions,
            Self::NetworkAcl(..) => Section::NetworkAcls,
        }
    }
}

impl fmt::Display for Premise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndpointName(id) => write!(f, "the private name of {id}"),
            Self::EndpointPolicy(id) => write!(f, "the policy of {id}"),
            Self::VpcDns => f.write_str("the VPC's DNS attributes"),
            Self::DhcpOptions => f.write_str("the VPC's DHCP options"),
            Self::NetworkAcl(acl, subnet) => write!(f, "{acl} for {subnet}"),
        }
    }
}
