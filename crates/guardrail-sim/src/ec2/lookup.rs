//! Finding what a call names, or refusing it in the words of the kind that was looked for.

use guardrail::ec2::id::{
    EndpointId, InterfaceId, NatGatewayId, NetworkAclId, PrefixListId, RouteTableId,
    SecurityGroupId, SubnetId, VpcId,
};
use guardrail::ec2::world::{
    NatGateway, NatGatewayState, NetworkAcl, NetworkInterface, PrefixList, RouteTable,
    SecurityGroup, Subnet, Vpc, VpcEndpoint,
};

use crate::ec2::errors::ApiError;
use crate::sim::Sim;

type Found<'a, T> = Result<&'a T, ApiError>;

impl Sim {
    pub(crate) fn vpc(&self, id: &VpcId) -> Found<'_, Vpc> {
        let vpc = self.world.vpcs.iter().flatten().find(|vpc| vpc.vpc_id == *id);
        self.known(vpc, id.as_str(), "InvalidVpcID.NotFound", "vpc")
    }

    pub(crate) fn subnet(&self, id: &SubnetId) -> Found<'_, Subnet> {
        let subnet = self.world.subnets.iter().flatten().find(|subnet| subnet.subnet_id == *id);
        self.known(subnet, id.as_str(), "InvalidSubnetID.NotFound", "subnet")
    }

    pub(crate) fn table(&self, id: &RouteTableId) -> Found<'_, RouteTable> {
        let table =
            self.world.route_tables.iter().flatten().find(|table| table.route_table_id == *id);
        self.known(table, id.as_str(), "InvalidRouteTableID.NotFound", "routeTable")
    }

    /// An endpoint that is listed and not yet deleted.
    pub(crate) fn endpoint(&self, id: &EndpointId) -> Found<'_, VpcEndpoint> {
        let endpoint = self
            .world
            .vpc_endpoints
            .iter()
            .flatten()
            .find(|endpoint| endpoint.vpc_endpoint_id == *id);
        let endpoint =
            endpoint.filter(|e| e.state != guardrail::ec2::world::EndpointState::Deleted);
        self.known(endpoint, id.as_str(), "InvalidVpcEndpointId.NotFound", "VpcEndpoint")
    }

    /// A NAT gateway that is not on its way out.
    pub(crate) fn nat(&self, id: &NatGatewayId) -> Found<'_, NatGateway> {
        let nat = self.world.nat_gateways.iter().flatten().find(|nat| nat.nat_gateway_id == *id);
        let nat = nat.filter(|n| {
            !matches!(n.state, Some(NatGatewayState::Deleting | NatGatewayState::Deleted))
        });
        self.known(nat, id.as_str(), "NatGatewayNotFound", "NatGateway")
    }

    pub(crate) fn interface(&self, id: &InterfaceId) -> Found<'_, NetworkInterface> {
        let interface = self
            .world
            .network_interfaces
            .iter()
            .flatten()
            .find(|eni| eni.network_interface_id == *id);
        self.known(interface, id.as_str(), "InvalidNetworkInterfaceID.NotFound", "networkInterface")
    }

    pub(crate) fn group(&self, id: &SecurityGroupId) -> Found<'_, SecurityGroup> {
        let group = self.world.security_groups.iter().flatten().find(|group| group.group_id == *id);
        self.known(group, id.as_str(), "InvalidGroup.NotFound", "security group")
    }

    pub(crate) fn acl(&self, id: &NetworkAclId) -> Found<'_, NetworkAcl> {
        let acl = self.world.network_acls.iter().flatten().find(|acl| acl.network_acl_id == *id);
        self.known(acl, id.as_str(), "InvalidNetworkAclID.NotFound", "networkAcl")
    }

    pub(crate) fn prefix_list(&self, id: &PrefixListId) -> Found<'_, PrefixList> {
        let list = self.world.prefix_lists.iter().flatten().find(|list| list.prefix_list_id == *id);
        self.known(list, id.as_str(), "InvalidPrefixListID.NotFound", "prefix list")
    }

    pub(crate) fn table_mut(&mut self, id: &RouteTableId) -> Option<&mut RouteTable> {
        self.world.route_tables.iter_mut().flatten().find(|table| table.route_table_id == *id)
    }

    pub(crate) fn endpoint_mut(&mut self, id: &EndpointId) -> Option<&mut VpcEndpoint> {
        self.world
            .vpc_endpoints
            .iter_mut()
            .flatten()
            .find(|endpoint| endpoint.vpc_endpoint_id == *id)
    }

    pub(crate) fn nat_mut(&mut self, id: &NatGatewayId) -> Option<&mut NatGateway> {
        self.world.nat_gateways.iter_mut().flatten().find(|nat| nat.nat_gateway_id == *id)
    }

    pub(crate) fn group_mut(&mut self, id: &SecurityGroupId) -> Option<&mut SecurityGroup> {
        self.world.security_groups.iter_mut().flatten().find(|group| group.group_id == *id)
    }

    /// Takes note that `id` came to be just now.
    pub(crate) fn bear(&mut self, id: &str) {
        self.born.insert(id.to_owned(), self.now);
    }

    fn known<'a, T>(&self, thing: Option<&'a T>, id: &str, code: &str, what: &str) -> Found<'a, T> {
        thing.filter(|_| self.is_settled(id)).ok_or_else(|| ApiError::not_found(code, what, id))
    }
}
