//! The attributes of a network interface.

use guardrail::ec2::id::InterfaceId;

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::sim::Sim;

impl Sim {
    pub(crate) fn modify_interface(
        &mut self,
        id: &InterfaceId,
        check: bool,
    ) -> Result<Response, ApiError> {
        if self.interface(id)?.requester_managed {
            let message =
                format!("You do not have permission to modify {id}: it is requester-managed");
            return Err(ApiError::new("OperationNotPermitted", message));
        }
        let found = self
            .world
            .network_interfaces
            .iter_mut()
            .flatten()
            .find(|eni| eni.network_interface_id == *id);
        if let Some(interface) = found {
            interface.source_dest_check = Some(check);
        }
        Ok(Response::Done)
    }
}
