//! Network interfaces and what they are attached to.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::ec2::id::{InstanceId, InterfaceId, SubnetId, VpcId};
use crate::ec2::world::EndpointGroup;

/// `NetworkInterfaces[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct NetworkInterface {
    pub network_interface_id: InterfaceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<VpcId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<SubnetId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_type: Option<String>,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub requester_managed: bool,
    /// `None` is "not said", which must not be read as off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_dest_check: Option<bool>,
    #[serde(default)]
    pub groups: Vec<EndpointGroup>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private_ip_addresses: Vec<InterfaceAddress>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipv6_addresses: Vec<InterfaceIpv6Address>,
    /// Of the primary private address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association: Option<AddressAssociation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
}

impl NetworkInterface {
    /// Every public IPv4 address of the interface, each once, with the private address that it stands
    /// for. A carrier or customer-owned address is none.
    pub fn public_addresses(&self) -> Vec<(Option<&str>, &AddressAssociation)> {
        let primary = self.association.iter().map(|it| (self.private_ip_address.as_deref(), it));
        let others = self.private_ip_addresses.iter().filter_map(|address| {
            Some((address.private_ip_address.as_deref(), address.association.as_ref()?))
        });
        let mut all: Vec<(Option<&str>, &AddressAssociation)> = Vec::new();
        for (private, association) in primary.chain(others) {
            let is_public = association.public_ip.as_ref().is_some_and(|it| !it.is_empty());
            if is_public && !all.iter().any(|(_, known)| known.public_ip == association.public_ip) {
                all.push((private, association));
            }
        }
        all
    }

    /// The interface without this public IPv4 address.
    pub fn lose_public_address(&mut self, address: &str) {
        let others = self.private_ip_addresses.iter_mut().map(|it| &mut it.association);
        for association in std::iter::once(&mut self.association).chain(others) {
            association.take_if(|it| it.public_ip.as_deref() == Some(address));
        }
    }

    /// Its addresses in the VPC, of both families, as far as they can be read.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let v4 = self.private_ip_addresses.iter().filter_map(|it| it.private_ip_address.as_deref());
        let v6 = self.ipv6_addresses.iter().filter_map(|it| it.ipv6_address.as_deref());
        let all = self.private_ip_address.as_deref().into_iter().chain(v4).chain(v6);
        all.filter_map(|address| address.parse().ok())
    }

    /// A public IPv4 address of the interface, its primary address's or a secondary one's. A carrier
    /// or customer-owned address is none.
    pub fn public_ip(&self) -> Option<&str> {
        let secondary = self.private_ip_addresses.iter().filter_map(|a| a.association.as_ref());
        let mut public =
            self.association.iter().chain(secondary).filter_map(|a| a.public_ip.as_deref());
        public.find(|address| !address.is_empty())
    }
}

/// `Ipv6Addresses[]` of a network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct InterfaceIpv6Address {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<String>,
}

/// `PrivateIpAddresses[]` of a network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct InterfaceAddress {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association: Option<AddressAssociation>,
}

/// `Association` of a network interface or of one of its private addresses: an Elastic address, or
/// one that AWS assigned. `CarrierIp` and `CustomerOwnedIp`, which no internet gateway serves, stand
/// beside it (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterfaceAssociation.html).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct AddressAssociation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    /// `amazon` of an address that AWS assigned, the account of an Elastic one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_owner_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association_id: Option<String>,
}

/// `Attachment` of a network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Attachment {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    /// 0 is the instance's primary interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_index: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}
