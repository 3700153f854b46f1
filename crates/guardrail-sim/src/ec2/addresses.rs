//! Elastic IP addresses: allocated, bound to interfaces, and given back.

use guardrail::ec2::id::{AddressAssociationId, InstanceId, InterfaceId, SubnetId};
use guardrail::ec2::world::{AddressAssociation, NetworkInterface, Tag};

use crate::ec2::beside::{Address, Bound};
use crate::ec2::errors::ApiError;
use crate::ec2::filters::Described;
use crate::ec2::request::{Query, Response};
use crate::sim::Sim;

/// A call of Elastic IP addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the variants and fields are AWS's operations and parameters, under AWS's names"
)]
pub enum AddressCall {
    AllocateAddress {
        tags: Vec<Tag>,
    },
    AssociateAddress(AssociateAddress),
    ReleaseAddress {
        allocation_id: String,
    },
    /// The ids are allocation ids.
    DescribeAddresses {
        query: Query,
        public_ips: Vec<String>,
    },
}

/// `AssociateAddress`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct AssociateAddress {
    pub allocation_id: String,
    pub instance_id: Option<InstanceId>,
    pub network_interface_id: Option<InterfaceId>,
    pub allow_reassociation: Option<bool>,
}

impl AddressCall {
    /// AWS's name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::AllocateAddress { .. } => "AllocateAddress",
            Self::AssociateAddress(_) => "AssociateAddress",
            Self::ReleaseAddress { .. } => "ReleaseAddress",
            Self::DescribeAddresses { .. } => "DescribeAddresses",
        }
    }
}

/// "You can allocate five Elastic IP addresses per Region": the default quota.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>
const ADDRESSES: usize = 5;

impl Sim {
    pub(crate) fn change_addresses(&mut self, call: &AddressCall) -> Result<Response, ApiError> {
        match call {
            AddressCall::AllocateAddress { tags } => self.allocate_address(tags),
            AddressCall::AssociateAddress(wanted) => self.associate_address(wanted),
            AddressCall::ReleaseAddress { allocation_id } => self.release_address(allocation_id),
            AddressCall::DescribeAddresses { query, public_ips } => {
                self.addresses(query, public_ips)
            }
        }
    }

    fn allocate_address(&mut self, tags: &[Tag]) -> Result<Response, ApiError> {
        if self.beside.addresses.len() >= ADDRESSES {
            let message = "The maximum number of addresses has been reached.";
            return Err(ApiError::new("AddressLimitExceeded", message));
        }
        let address = Address {
            allocation_id: self.ids.next("eipalloc-")?,
            public_ip: self.free_public_address(),
            bound: None,
            tags: tags.to_vec(),
        };
        self.bear(&address.allocation_id);
        self.beside.addresses.push(address.clone());
        Ok(Response::Address(address))
    }

    /// The lowest that nothing has, out of a block for documentation (RFC 5737).
    pub(crate) fn free_public_address(&self) -> String {
        let interfaces = self.world.network_interfaces.iter().flatten();
        let bound =
            interfaces.flat_map(|eni| &eni.association).filter_map(|it| it.public_ip.clone());
        let own = self.beside.addresses.iter().map(|it| it.public_ip.clone());
        let taken: Vec<String> = bound.chain(own).collect();
        let mut all = (1..=254_u8).map(|n| format!("192.0.2.{n}"));
        all.find(|it| !taken.contains(it)).unwrap_or_else(|| "192.0.2.254".to_owned())
    }

    /// "If the Elastic IP address is already associated with a different instance, it is disassociated
    /// from that instance", unless the caller says that it may not be. "This is an idempotent
    /// operation."
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html>
    fn associate_address(&mut self, wanted: &AssociateAddress) -> Result<Response, ApiError> {
        let address = self.address(&wanted.allocation_id)?.clone();
        let eni = self.interface_for(wanted)?.clone();
        let id = &eni.network_interface_id;
        let before = address.bound.as_ref();
        if let Some(bound) = before.filter(|bound| bound.network_interface_id == *id) {
            return Ok(Response::AddressAssociation {
                association_id: bound.association_id.clone(),
            });
        }
        if before.is_some() && wanted.allow_reassociation == Some(false) {
            let message = format!(
                "resource {} is already associated with associate-id {}",
                wanted.allocation_id,
                before.map(|bound| bound.association_id.to_string()).unwrap_or_default()
            );
            return Err(ApiError::new("Resource.AlreadyAssociated", message));
        }
        self.check_internet_gateway(&eni)?;
        let others = self.beside.addresses.iter();
        if others.filter_map(|it| it.bound.as_ref()).any(|it| it.network_interface_id == *id) {
            let message = format!("resource {id} is already associated with an Elastic IP address");
            return Err(ApiError::new("Resource.AlreadyAssociated", message));
        }
        let association_id = self.bind_address(&wanted.allocation_id, &eni)?;
        Ok(Response::AddressAssociation { association_id })
    }

    /// The address is at this interface from now on, and at no other.
    pub(crate) fn bind_address(
        &mut self,
        allocation: &str,
        eni: &NetworkInterface,
    ) -> Result<AddressAssociationId, ApiError> {
        let association_id: AddressAssociationId = self.ids.next("eipassoc-")?;
        let public_ip = self.address(allocation)?.public_ip.clone();
        self.unbind(allocation);
        let bound = Bound {
            association_id: association_id.clone(),
            network_interface_id: eni.network_interface_id.clone(),
            instance_id: eni.attachment.as_ref().and_then(|it| it.instance_id.clone()),
            private_ip_address: eni.private_ip_address.clone(),
        };
        let shown = AddressAssociation {
            public_ip: Some(public_ip),
            ip_owner_id: self.account().map(String::from),
            allocation_id: Some(allocation.to_owned()),
            association_id: Some(association_id.to_string()),
        };
        self.show_address(&eni.network_interface_id, Some(shown));
        if let Some(address) = self.address_mut(allocation) {
            address.bound = Some(bound);
        }
        Ok(association_id)
    }

    /// An instance or interface needs a way for what comes to the address: "Gateway.NotAttached: An
    /// internet gateway is not attached to a VPC."
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
    fn check_internet_gateway(&self, eni: &NetworkInterface) -> Result<(), ApiError> {
        let vpc = eni.vpc_id.as_ref();
        let mut gateways = self.world.internet_gateways.iter().flatten();
        if gateways.any(|it| it.vpc().is_some() && it.vpc() == vpc) {
            return Ok(());
        }
        let network = vpc.map(ToString::to_string).unwrap_or_default();
        let message = format!("Network {network} is not attached to any internet gateway");
        Err(ApiError::new("Gateway.NotAttached", message))
    }

    fn interface_for(&self, wanted: &AssociateAddress) -> Result<&NetworkInterface, ApiError> {
        match (&wanted.network_interface_id, &wanted.instance_id) {
            (Some(id), None) => self.interface(id),
            (None, Some(id)) => self.interface_of(id),
            (Some(_), Some(_)) | (None, None) => {
                let message =
                    "The request must contain exactly one of instanceId or networkInterfaceId";
                Err(ApiError::new("InvalidParameterCombination", message))
            }
        }
    }

    /// The address of this association is at nothing any more.
    pub(crate) fn forget_bound(&mut self, association: &AddressAssociationId) {
        let mut all = self.beside.addresses.iter_mut();
        let bound = |it: &&mut Address| {
            it.bound.as_ref().is_some_and(|at| at.association_id == *association)
        };
        if let Some(address) = all.find(bound) {
            address.bound = None;
        }
    }

    /// "The address is in use" is an error of its own: `InvalidIPAddress.InUse`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html>
    fn release_address(&mut self, allocation: &str) -> Result<Response, ApiError> {
        let address = self.address(allocation)?;
        if address.bound.is_some() {
            let message = format!("Address {} is in use.", address.public_ip);
            return Err(ApiError::new("InvalidIPAddress.InUse", message));
        }
        self.beside.addresses.retain(|it| it.allocation_id != allocation);
        Ok(Response::Done)
    }

    /// An address that is asked for and not there is `InvalidAddress.NotFound`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
    fn addresses(&self, query: &Query, public_ips: &[String]) -> Result<Response, ApiError> {
        let known = |ip: &String| self.beside.addresses.iter().any(|it| it.public_ip == *ip);
        if let Some(unknown) = public_ips.iter().find(|ip| !known(ip)) {
            let message = format!("Address '{unknown}' not found.");
            return Err(ApiError::new("InvalidAddress.NotFound", message));
        }
        let all: Vec<AddressView> = self
            .visible_beside()
            .addresses
            .iter()
            .map(|address| {
                let eni = address
                    .bound
                    .as_ref()
                    .and_then(|it| self.interface(&it.network_interface_id).ok());
                AddressView {
                    address: address.clone(),
                    subnet_id: eni.and_then(|eni| eni.subnet_id.clone()),
                }
            })
            .collect();
        let mut found = crate::ec2::gateways::chosen(all, query)?;
        found.retain(|it| public_ips.is_empty() || public_ips.contains(&it.address.public_ip));
        Ok(Response::Addresses(found))
    }

    pub(crate) fn address(&self, allocation: &str) -> Result<&Address, ApiError> {
        let found = self.beside.addresses.iter().find(|it| it.allocation_id == allocation);
        found.filter(|_| self.is_settled(allocation)).ok_or_else(|| {
            let message = format!("The allocation ID '{allocation}' does not exist");
            ApiError::new("InvalidAllocationID.NotFound", message)
        })
    }

    fn address_mut(&mut self, allocation: &str) -> Option<&mut Address> {
        self.beside.addresses.iter_mut().find(|it| it.allocation_id == allocation)
    }

    pub(crate) fn unbind(&mut self, allocation: &str) {
        let bound = self.address_mut(allocation).and_then(|it| it.bound.take());
        if let Some(bound) = bound {
            self.show_address(&bound.network_interface_id, None);
        }
    }

    /// The addresses of an interface that goes are free again.
    pub(crate) fn unbind_from(&mut self, gone: impl Fn(&InterfaceId) -> bool) {
        let bound = self.beside.addresses.iter_mut();
        for address in bound {
            if address.bound.as_ref().is_some_and(|bound| gone(&bound.network_interface_id)) {
                address.bound = None;
            }
        }
    }

    fn show_address(&mut self, id: &InterfaceId, shown: Option<AddressAssociation>) {
        let mut all = self.world.network_interfaces.iter_mut().flatten();
        if let Some(eni) = all.find(|eni| eni.network_interface_id == *id) {
            eni.association = shown;
        }
    }
}

/// An address as it is described: with the subnet of the interface that it is at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct AddressView {
    pub address: Address,
    pub subnet_id: Option<SubnetId>,
}

impl Described for AddressView {
    const NOT_FOUND: &'static str = "InvalidAllocationID.NotFound";
    const WHAT: &'static str = "allocation";
    const FILTERS: &'static [&'static str] = &[
        "allocation-id",
        "association-id",
        "instance-id",
        "network-interface-id",
        "private-ip-address",
        "public-ip",
    ];

    fn id(&self) -> &str {
        &self.address.allocation_id
    }
    fn tags(&self) -> &[Tag] {
        &self.address.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        let bound = self.address.bound.as_ref();
        let value = match filter {
            "allocation-id" => Some(self.address.allocation_id.clone()),
            "association-id" => bound.map(|it| it.association_id.to_string()),
            "instance-id" => bound.and_then(|it| it.instance_id.as_ref()).map(ToString::to_string),
            "network-interface-id" => bound.map(|it| it.network_interface_id.to_string()),
            "private-ip-address" => bound.and_then(|it| it.private_ip_address.clone()),
            "public-ip" => Some(self.address.public_ip.clone()),
            _ => None,
        };
        value.into_iter().collect()
    }
}
