//! What the simulator knows beside a world: the things that a world file has no section for.

use std::collections::BTreeMap;

use guardrail::ec2::id::{
    AddressAssociationId, InstanceId, InterfaceId, OtherAssociationId, PrefixListId, SubnetId,
    VpcId,
};
use guardrail::ec2::world::Tag;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The key of a world file that holds these; commands that read worlds pass it over.
pub(crate) const KEY: &str = "Simulator";

/// What a world file has no section for. It is saved with the world, under `Simulator`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Beside {
    /// Whether all there is was made here. A world that was read from an account is without its
    /// Elastic IP addresses: one that a call names is then taken for one of the account's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) complete: bool,
    /// The Elastic IP addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) addresses: Vec<Address>,
    /// The instances that were run here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) instances: Vec<RunInstance>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) profile_associations: Vec<ProfileAssociation>,
    /// Of customers' prefix lists, what their section does not hold.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) prefix_lists: BTreeMap<PrefixListId, ListDetails>,
    /// The tags of things that a world file has without tags, or not at all, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, Vec<Tag>>,
}

impl Beside {
    /// What is beside a world in which nothing was made yet.
    pub fn of_nothing() -> Self {
        Self { complete: true, ..Self::default() }
    }

    /// What a saved world holds under `Simulator`; nothing where it has no such key.
    ///
    /// # Errors
    /// What is there is not what was saved.
    pub fn of_saved(world: &serde_json::Value) -> Result<Self, serde_json::Error> {
        world.get(KEY).map_or_else(|| Ok(Self::default()), Self::deserialize)
    }

    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An Elastic IP address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Address {
    pub allocation_id: String,
    pub public_ip: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// Where an Elastic IP address is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Bound {
    pub association_id: AddressAssociationId,
    pub network_interface_id: InterfaceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip_address: Option<String>,
}

/// An instance that was run here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct RunInstance {
    pub instance_id: InstanceId,
    pub reservation_id: String,
    pub image_id: String,
    pub instance_type: String,
    pub state: InstanceState,
    pub vpc_id: VpcId,
    pub subnet_id: SubnetId,
    pub launch_time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

/// The states that an instance has here; AWS's others are passed through at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants are AWS's states, under AWS's names")]
pub enum InstanceState {
    Running,
    Terminated,
}

impl InstanceState {
    /// AWS's name and code of the state.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html>
    pub(crate) fn name_and_code(self) -> (&'static str, i64) {
        match self {
            Self::Running => ("running", 16),
            Self::Terminated => ("terminated", 48),
        }
    }
}

/// The binding of an instance profile to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct ProfileAssociation {
    pub association_id: OtherAssociationId,
    pub instance_id: InstanceId,
    pub arn: String,
    pub timestamp: Timestamp,
}

/// What the section of prefix lists does not hold of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct ListDetails {
    pub address_family: AddressFamily,
    pub max_entries: usize,
    pub version: i64,
}

/// `AddressFamily` of a prefix list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are AWS's words")]
pub enum AddressFamily {
    IPv4,
    IPv6,
}

impl AddressFamily {
    /// AWS's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::IPv4 => "IPv4",
            Self::IPv6 => "IPv6",
        }
    }
}
