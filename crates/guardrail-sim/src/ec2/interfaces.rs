//! The attributes of a network interface.

use guardrail::ec2::id::{AddressAssociationId, InterfaceId};
use guardrail::ec2::world::{AddressAssociation, NetworkInterface};

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::sim::Sim;

impl Sim {
    pub(crate) fn modify_interface(
        &mut self,
        id: &InterfaceId,
        check: bool,
    ) -> Result<Response, ApiError> {
        self.may_modify(id)?;
        if let Some(interface) = self.interface_mut(id) {
            interface.source_dest_check = Some(check);
        }
        Ok(Response::Done)
    }

    /// "Indicates whether to assign a public IPv4 address to a network interface" (API reference,
    /// ModifyNetworkInterfaceAttribute): turned off, an automatic address is released at once.
    pub(crate) fn associate_public_ip(
        &mut self,
        id: &InterfaceId,
        value: bool,
    ) -> Result<Response, ApiError> {
        self.may_modify(id)?;
        if value {
            self.without_public_ip.remove(id);
            self.assign_public_ip(id);
            return Ok(Response::Done);
        }
        self.without_public_ip.insert(id.clone());
        if let Some(interface) = self.interface_mut(id) {
            let automatic = interface.association.take_if(|it| it.association_id.is_none());
            if let Some(address) = automatic.and_then(|it| it.public_ip) {
                interface.lose_public_address(&address);
            }
        }
        Ok(Response::Done)
    }

    /// "This is an idempotent operation. If you perform the operation more than once, Amazon EC2
    /// doesn't return an error" (API reference, DisassociateAddress). Once it is off, "we assign a
    /// public IPv4 address" to an instance (EC2 user guide, using-instance-addressing).
    pub(crate) fn disassociate_address(
        &mut self,
        association: &AddressAssociationId,
    ) -> Result<Response, ApiError> {
        let interfaces = self.world.network_interfaces.iter().flatten();
        let mut having = interfaces.filter_map(|interface| {
            let its = interface.public_addresses().into_iter().map(|(_, it)| it);
            let mut its =
                its.filter(|it| it.association_id.as_deref() == Some(association.as_str()));
            Some((interface.network_interface_id.clone(), its.next()?.public_ip.clone()?))
        });
        let Some((id, address)) = having.next() else { return Ok(Response::Done) };
        drop(having);
        self.may_modify(&id)?;
        if let Some(interface) = self.interface_mut(&id) {
            interface.lose_public_address(&address);
        }
        self.forget_bound(association);
        self.assign_public_ip(&id);
        Ok(Response::Done)
    }

    fn may_modify(&self, id: &InterfaceId) -> Result<(), ApiError> {
        if self.interface(id)?.requester_managed {
            let message =
                format!("You do not have permission to modify {id}: it is requester-managed");
            return Err(ApiError::new("OperationNotPermitted", message));
        }
        Ok(())
    }

    /// Gives an instance's interface that has no public address one, unless it is to have none.
    fn assign_public_ip(&mut self, id: &InterfaceId) {
        if self.without_public_ip.contains(id) {
            return;
        }
        let given = self.without_public_ip.len().saturating_add(200).min(254);
        if let Some(interface) = self.interface_mut(id) {
            let attachment = interface.attachment.as_ref();
            let is_instances = attachment.is_some_and(|it| it.instance_id.is_some());
            if is_instances && interface.public_addresses().is_empty() {
                interface.association = Some(AddressAssociation {
                    public_ip: Some(format!("198.51.100.{given}")),
                    ip_owner_id: Some("amazon".to_owned()),
                    ..AddressAssociation::default()
                });
            }
        }
    }

    fn interface_mut(&mut self, id: &InterfaceId) -> Option<&mut NetworkInterface> {
        let mut interfaces = self.world.network_interfaces.iter_mut().flatten();
        interfaces.find(|eni| eni.network_interface_id == *id)
    }
}
