//! The network interfaces of interface endpoints: one in each subnet, with the endpoint's groups.

use std::collections::HashSet;

use guardrail::ec2::id::{EndpointId, InterfaceId, SecurityGroupId, SubnetId};
use guardrail::ec2::world::{EndpointGroup, NetworkInterface, VpcEndpoint};
use ipnet::IpNet;

use crate::ec2::errors::ApiError;
use crate::sim::Sim;

impl Sim {
    /// Makes the endpoint's interface in one subnet.
    pub(crate) fn add_interface(
        &mut self,
        endpoint: &VpcEndpoint,
        subnet: &SubnetId,
    ) -> Result<InterfaceId, ApiError> {
        let id: InterfaceId = self.ids.next("eni-")?;
        let interface = NetworkInterface {
            network_interface_id: id.clone(),
            vpc_id: Some(endpoint.vpc_id.clone()),
            subnet_id: Some(subnet.clone()),
            interface_type: Some("vpc_endpoint".to_owned()),
            description: format!("VPC Endpoint Interface {}", endpoint.vpc_endpoint_id),
            requester_managed: true,
            source_dest_check: Some(true),
            groups: endpoint.groups.clone(),
            private_ip_address: self.free_address(subnet),
            private_ip_addresses: Vec::new(),
            ipv6_addresses: Vec::new(),
            association: None,
            attachment: None,
        };
        self.count_address(subnet, false);
        self.world.network_interfaces.get_or_insert_default().push(interface);
        Ok(id)
    }

    /// Removes and makes interfaces as the subnets change, and gives all of them the endpoint's
    /// groups.
    pub(crate) fn move_interfaces(
        &mut self,
        endpoint: &mut VpcEndpoint,
        leave: &[SubnetId],
        enter: &[SubnetId],
    ) -> Result<(), ApiError> {
        let own = endpoint.network_interface_ids.clone();
        let gone = self.drop_interfaces(|eni| {
            own.contains(&eni.network_interface_id)
                && eni.subnet_id.as_ref().is_some_and(|s| leave.contains(s))
        });
        endpoint.network_interface_ids.retain(|id| !gone.contains(id));
        for subnet in enter {
            let id = self.add_interface(endpoint, subnet)?;
            endpoint.network_interface_ids.push(id);
        }
        for eni in self.world.network_interfaces.iter_mut().flatten() {
            if endpoint.network_interface_ids.contains(&eni.network_interface_id) {
                eni.groups.clone_from(&endpoint.groups);
            }
        }
        Ok(())
    }

    /// Removes every interface of an endpoint.
    pub(crate) fn drop_interfaces_of(&mut self, id: &EndpointId) {
        let own = self
            .endpoint_mut(id)
            .map(|e| std::mem::take(&mut e.network_interface_ids))
            .unwrap_or_default();
        self.drop_interfaces(|eni| own.contains(&eni.network_interface_id));
    }

    /// The groups with the names they have now.
    pub(crate) fn named_groups(&self, ids: &[SecurityGroupId]) -> Vec<EndpointGroup> {
        let name = |id| self.group(id).ok().map(|group| group.group_name.clone());
        ids.iter().map(|id| EndpointGroup { group_id: id.clone(), group_name: name(id) }).collect()
    }

    /// The lowest address of the subnet that no known interface has; AWS keeps the first four and
    /// the last.
    pub(crate) fn free_address(&self, subnet: &SubnetId) -> Option<String> {
        let IpNet::V4(net) = self.subnet(subnet).ok()?.cidr_block.as_ref()?.net()? else {
            return None;
        };
        let interfaces = self.world.network_interfaces.iter().flatten();
        let taken: HashSet<&str> =
            interfaces.filter_map(|eni| eni.private_ip_address.as_deref()).collect();
        net.hosts()
            .skip(3)
            .map(|address| address.to_string())
            .find(|address| !taken.contains(address.as_str()))
    }

    pub(crate) fn drop_interfaces(
        &mut self,
        goes: impl Fn(&NetworkInterface) -> bool,
    ) -> Vec<InterfaceId> {
        let Some(all) = &mut self.world.network_interfaces else { return Vec::new() };
        let (gone, left): (Vec<_>, Vec<_>) = std::mem::take(all).into_iter().partition(goes);
        *all = left;
        gone.iter()
            .filter_map(|eni| eni.subnet_id.as_ref())
            .for_each(|subnet| self.count_address(subnet, true));
        gone.into_iter().map(|eni| eni.network_interface_id).collect()
    }

    pub(crate) fn count_address(&mut self, subnet: &SubnetId, freed: bool) {
        let found = self.world.subnets.iter_mut().flatten().find(|s| s.subnet_id == *subnet);
        if let Some(count) = found.and_then(|subnet| subnet.available_ip_address_count.as_mut()) {
            *count = if freed { count.saturating_add(1) } else { count.saturating_sub(1) };
        }
    }
}
