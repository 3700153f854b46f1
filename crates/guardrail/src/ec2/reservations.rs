//! What `aws ec2 describe-instances` prints, as far as a world has a use for it: the instances'
//! network interfaces.

use serde::Deserialize;

use crate::ec2::id::InstanceId;
use crate::ec2::world::{Attachment, NetworkInterface};

/// The key at the top of what the command prints.
pub(super) const KEY: &str = "Reservations";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Printed {
    reservations: Vec<Reservation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reservation {
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Instance {
    instance_id: InstanceId,
    #[serde(default)]
    network_interfaces: Vec<NetworkInterface>,
}

impl Printed {
    /// The interfaces of the instances. Printed with its instance, an interface's attachment does
    /// not say which instance it is
    /// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAttachment.html).
    pub(super) fn interfaces(self) -> impl Iterator<Item = NetworkInterface> {
        let instances = self.reservations.into_iter().flat_map(|it| it.instances);
        instances.flat_map(|Instance { instance_id, network_interfaces }| {
            network_interfaces.into_iter().map(move |mut interface| {
                let printed = interface.attachment.unwrap_or_default();
                let instance_id = Some(instance_id.clone());
                interface.attachment = Some(Attachment { instance_id, ..printed });
                interface
            })
        })
    }
}
