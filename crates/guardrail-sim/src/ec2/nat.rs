//! NAT gateways, and the routes that lead nowhere once one is gone.

use guardrail::ec2::id::{InterfaceId, NatGatewayId};
use guardrail::ec2::world::{
    AvailabilityMode, Connectivity, NatGateway, NatGatewayAddress, NatGatewayState,
    NetworkInterface, Route, RouteState,
};

use crate::ec2::errors::ApiError;
use crate::ec2::request::{CreateNatGateway, Response};
use crate::sim::Sim;

impl Sim {
    pub(crate) fn create_nat_gateway(
        &mut self,
        wanted: &CreateNatGateway,
    ) -> Result<Response, ApiError> {
        if let Some(made) = self.made_with_token(wanted)? {
            return Ok(Response::NatGateway(made));
        }
        let (vpc_id, mode) = match (&wanted.subnet_id, &wanted.vpc_id) {
            (Some(subnet), None) => (self.subnet(subnet)?.vpc_id.clone(), AvailabilityMode::Zonal),
            (None, Some(vpc)) => (self.vpc(vpc)?.vpc_id.clone(), AvailabilityMode::Regional),
            (Some(_), Some(_)) | (None, None) => {
                let message =
                    "The request must contain exactly one of the parameters SubnetId and VpcId";
                return Err(ApiError::new("MissingParameter", message));
            }
        };
        let connectivity = wanted.connectivity_type.clone().unwrap_or(Connectivity::Public);
        if mode == AvailabilityMode::Regional && connectivity == Connectivity::Private {
            return Err(ApiError::invalid("A regional NAT gateway cannot be private"));
        }
        self.check_address(wanted, &connectivity)?;
        let id: NatGatewayId = self.ids.next("nat-")?;
        let mut nat = NatGateway {
            nat_gateway_id: id.clone(),
            vpc_id: Some(vpc_id),
            subnet_id: wanted.subnet_id.clone(),
            state: Some(NatGatewayState::Pending),
            connectivity_type: Some(connectivity),
            availability_mode: Some(mode),
            route_table_id: None,
            nat_gateway_addresses: Vec::new(),
            tags: wanted.tags.clone(),
        };
        self.bear(id.as_str());
        let address = self.add_nat_interface(&nat, wanted.allocation_id.as_deref())?;
        nat.nat_gateway_addresses = address.into_iter().collect();
        if let Some(token) = &wanted.client_token {
            self.nat_tokens.insert(token.clone(), (wanted.clone(), id.clone()));
        }
        self.world.nat_gateways.get_or_insert_default().push(nat.clone());
        let due = self.nat_ready(id);
        self.due.push(due);
        Ok(Response::NatGateway(nat))
    }

    /// "The request uses the same client token as a previous, but non-identical request":
    /// `IdempotentParameterMismatch`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
    fn made_with_token(&self, wanted: &CreateNatGateway) -> Result<Option<NatGateway>, ApiError> {
        let made = wanted.client_token.as_ref().and_then(|token| self.nat_tokens.get(token));
        let Some((before, id)) = made else { return Ok(None) };
        if before != wanted {
            let message = "The client token was used before, with other parameters";
            return Err(ApiError::new("IdempotentParameterMismatch", message));
        }
        Ok(self.world.nat_gateways.iter().flatten().find(|it| it.nat_gateway_id == *id).cloned())
    }

    /// "[Public NAT gateways only] … You cannot specify an Elastic IP address with a private NAT
    /// gateway"; one that is at something else already is `Resource.AlreadyAssociated`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html>
    fn check_address(
        &self,
        wanted: &CreateNatGateway,
        connectivity: &Connectivity,
    ) -> Result<(), ApiError> {
        let Some(allocation) = &wanted.allocation_id else { return Ok(()) };
        if *connectivity == Connectivity::Private {
            let message = "An Elastic IP address cannot be specified for a private NAT gateway";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        if self.is_strangers(allocation) {
            return Ok(());
        }
        if let Some(bound) = &self.address(allocation)?.bound {
            let message = format!(
                "resource {allocation} is already associated with associate-id {}",
                bound.association_id
            );
            return Err(ApiError::new("Resource.AlreadyAssociated", message));
        }
        Ok(())
    }

    /// Whether the address is one of the account's that nobody told of here.
    fn is_strangers(&self, allocation: &str) -> bool {
        !self.beside.complete && self.address(allocation).is_err()
    }

    /// Routes to it are blackholes from then on: "target gone or not attached".
    pub(crate) fn delete_nat_gateway(&mut self, id: &NatGatewayId) -> Result<Response, ApiError> {
        self.nat(id)?;
        if let Some(nat) = self.nat_mut(id) {
            nat.state = Some(NatGatewayState::Deleting);
        }
        self.blackhole(|route| route.nat_gateway_id.as_ref() == Some(id));
        let due = self.nat_deleted(id.clone());
        self.due.push(due);
        Ok(Response::NatGatewayDeleted(id.clone()))
    }

    pub(crate) fn drop_nat_interfaces(&mut self, id: &NatGatewayId) {
        let description = interface_description(id);
        let all = self.world.network_interfaces.iter().flatten();
        let its = all.filter(|eni| eni.description == description);
        let its: Vec<InterfaceId> = its.map(|eni| eni.network_interface_id.clone()).collect();
        self.unbind_from(|eni| its.contains(eni));
        self.world
            .network_interfaces
            .iter_mut()
            .for_each(|list| list.retain(|eni| eni.description != description));
    }

    /// The routes whose target is gone.
    pub(crate) fn blackhole(&mut self, leads_there: impl Fn(&Route) -> bool) {
        let routes =
            self.world.route_tables.iter_mut().flatten().flat_map(|table| &mut table.routes);
        routes
            .filter(|route| leads_there(route))
            .for_each(|route| route.state = Some(RouteState::Blackhole));
    }

    /// A zonal gateway's own interface, and the addresses it has there.
    fn add_nat_interface(
        &mut self,
        nat: &NatGateway,
        allocation: Option<&str>,
    ) -> Result<Option<NatGatewayAddress>, ApiError> {
        let Some(subnet) = &nat.subnet_id else { return Ok(None) };
        let network_interface_id: InterfaceId = self.ids.next("eni-")?;
        let interface = NetworkInterface {
            network_interface_id,
            vpc_id: nat.vpc_id.clone(),
            subnet_id: Some(subnet.clone()),
            interface_type: Some("nat_gateway".to_owned()), // on the wire; the model spells it natGateway
            description: interface_description(&nat.nat_gateway_id),
            requester_managed: true,
            source_dest_check: Some(false),
            groups: Vec::new(),
            private_ip_address: self.free_address(subnet),
            private_ip_addresses: Vec::new(),
            ipv6_addresses: Vec::new(),
            association: None,
            attachment: None,
        };
        let mut address =
            NatGatewayAddress { public_ip: None, private_ip: interface.private_ip_address.clone() };
        self.world.network_interfaces.get_or_insert_default().push(interface.clone());
        if let Some(allocation) = allocation.filter(|it| !self.is_strangers(it)) {
            self.bind_address(allocation, &interface)?;
            address.public_ip = Some(self.address(allocation)?.public_ip.clone());
        }
        Ok(Some(address))
    }
}

fn interface_description(id: &NatGatewayId) -> String {
    format!("Interface for NAT Gateway {id}")
}
