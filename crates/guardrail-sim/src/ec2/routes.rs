//! `CreateRoute`, `ReplaceRoute`, `DeleteRoute`.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{EndpointId, InstanceId, NatGatewayId, RouteTableId, VpcId};
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{
    Destination, EndpointType, NatGatewayState, NetworkInterface, Route, RouteOrigin, RouteState,
    RouteTable,
};
use ipnet::IpNet;

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::sim::Sim;

/// The default quota of static routes in a table, of each address family.
const ROUTES_PER_TABLE: usize = 500;
/// "No routes may be added" inside these (VPC guide, subnet route tables).
const RESERVED: [&str; 2] = ["169.254.168.0/22", "fd00:ec2::/32"];

impl Sim {
    pub(crate) fn create_route(
        &mut self,
        table_id: &RouteTableId,
        destination: &Destination,
        target: &RouteTarget,
    ) -> Result<Response, ApiError> {
        let table = self.table(table_id)?;
        let destination = self.canonical(destination)?;
        if *target == RouteTarget::Local {
            return Err(ApiError::invalid("The parameter LocalTarget is not recognized"));
        }
        if table.routes.iter().any(|route| same_destination(route, &destination)) {
            let message = format!("The route identified by {destination} already exists.");
            return Err(ApiError::new("RouteAlreadyExists", message));
        }
        let leads = self.leading_to(target, &table.vpc_id)?;
        self.fits(table, &destination, target)?;
        let static_routes = table
            .routes
            .iter()
            .filter(|r| is_static(r) && is_v6(r) == is_v6_destination(&destination));
        if static_routes.count() >= ROUTES_PER_TABLE {
            let message = format!(
                "The maximum number of routes has been reached for route table {table_id}."
            );
            return Err(ApiError::new("RouteLimitExceeded", message));
        }
        let route = Route {
            origin: Some(RouteOrigin::CreateRoute),
            ..with_destination(leads, destination)
        };
        if let Some(table) = self.table_mut(table_id) {
            table.routes.push(route);
        }
        Ok(Response::Done)
    }

    pub(crate) fn replace_route(
        &mut self,
        table_id: &RouteTableId,
        destination: &Destination,
        target: &RouteTarget,
    ) -> Result<Response, ApiError> {
        let table = self.table(table_id)?;
        let destination = self.canonical(destination)?;
        let found = table.routes.iter().position(|route| same_destination(route, &destination));
        let Some((index, old)) = found.and_then(|index| Some((index, table.routes.get(index)?)))
        else {
            return Err(ApiError::invalid_value(format!(
                "There is no route defined for '{destination}' in the route table. Use CreateRoute instead."
            )));
        };
        if is_endpoint_route(old) {
            return Err(ApiError::invalid_value(
                "Cannot create or replace a prefix list route targeting a VPC Endpoint.",
            ));
        }
        let leads = self.leading_to(target, &table.vpc_id)?;
        if is_local_destination(old) {
            let allowed = matches!(
                target,
                RouteTarget::Local
                    | RouteTarget::NetworkInterface(_)
                    | RouteTarget::NatGateway(_)
                    | RouteTarget::VpcEndpoint(_)
            );
            if !allowed {
                return Err(ApiError::invalid_value(format!(
                    "cannot replace the local route {destination} so"
                )));
            }
        } else if *target == RouteTarget::Local {
            return Err(ApiError::invalid_value(format!(
                "The route {destination} was never a local route"
            )));
        } else {
            self.fits(table, &destination, target)?;
        }
        let route = Route { origin: old.origin.clone(), ..with_destination(leads, destination) };
        if let Some(slot) = self.table_mut(table_id).and_then(|table| table.routes.get_mut(index)) {
            *slot = route;
        }
        Ok(Response::Done)
    }

    pub(crate) fn delete_route(
        &mut self,
        table_id: &RouteTableId,
        destination: &Destination,
    ) -> Result<Response, ApiError> {
        let table = self.table(table_id)?;
        let Some(route) = table.routes.iter().find(|route| route.goes_to(destination)) else {
            let field = match destination {
                Destination::CidrBlock(_) => "destination-cidr-block",
                Destination::Ipv6CidrBlock(_) => "destination-ipv6-cidr-block",
                Destination::PrefixList(_) => "destination-prefix-list-id",
            };
            let message = format!("no route with {field} {destination} in route table {table_id}");
            return Err(ApiError::new("InvalidRoute.NotFound", message));
        };
        let refused = if is_local_destination(route) {
            Some("local")
        } else if is_endpoint_route(route) {
            Some("VPC endpoint")
        } else if is_static(route) {
            None
        } else {
            Some("propagated") // that EC2 refuses is not written anywhere; its remedy is to disable the propagation
        };
        if let Some(kind) = refused {
            let message =
                format!("cannot remove {kind} route {destination} in route table {table_id}");
            return Err(ApiError::invalid_value(message));
        }
        if let Some(table) = self.table_mut(table_id) {
            table.routes.retain(|route| !route.goes_to(destination));
        }
        Ok(Response::Done)
    }

    /// The destination as EC2 stores it: `100.68.0.18/18` becomes `100.68.0.0/18`.
    fn canonical(&self, destination: &Destination) -> Result<Destination, ApiError> {
        let wrong = |parameter: &str, cidr: &Cidr| {
            ApiError::invalid_value(format!(
                "Value ({cidr}) for parameter {parameter} is invalid. This is not a valid CIDR block."
            ))
        };
        match destination {
            Destination::CidrBlock(cidr) => match cidr.net() {
                Some(net @ IpNet::V4(_)) => Ok(Destination::CidrBlock(Cidr::from(net))),
                Some(IpNet::V6(_)) | None => Err(wrong("destinationCidrBlock", cidr)),
            },
            Destination::Ipv6CidrBlock(cidr) => match cidr.net() {
                Some(net @ IpNet::V6(_)) => Ok(Destination::Ipv6CidrBlock(Cidr::from(net))),
                Some(IpNet::V4(_)) | None => Err(wrong("destinationIpv6CidrBlock", cidr)),
            },
            Destination::PrefixList(id) => {
                if !self.is_unknown(Section::PrefixLists) {
                    self.prefix_list(id)?;
                }
                Ok(destination.clone())
            }
        }
    }

    /// The target's half of a route, if there is such a target and this VPC can reach it.
    fn leading_to(&self, target: &RouteTarget, vpc: &VpcId) -> Result<Route, ApiError> {
        let active = Route { state: Some(RouteState::Active), ..Route::default() };
        let outside = |id: &str, kind: &str| self.outside(id, kind).map(Some);
        Ok(match target {
            RouteTarget::OtherGateway(id) if EndpointId::is(id) => {
                return Err(ApiError::invalid_value(
                    "Cannot create or replace a prefix list route targeting a VPC Endpoint.",
                ));
            }
            RouteTarget::InternetGateway(id) => {
                self.check_attached(id, vpc)?;
                Route { gateway_id: outside(id, "InvalidGatewayID")?, ..active }
            }
            RouteTarget::VirtualPrivateGateway(id)
            | RouteTarget::OtherGateway(id)
            | RouteTarget::NextHop(id) => {
                Route { gateway_id: outside(id, "InvalidGatewayID")?, ..active }
            }
            RouteTarget::EgressOnlyInternetGateway(id) => Route {
                egress_only_internet_gateway_id: outside(id, "InvalidGatewayID")?,
                ..active
            },
            RouteTarget::TransitGateway(id) => {
                Route { transit_gateway_id: outside(id, "InvalidTransitGatewayID")?, ..active }
            }
            RouteTarget::VpcPeeringConnection(id) => Route {
                vpc_peering_connection_id: outside(id, "InvalidVpcPeeringConnectionID")?,
                ..active
            },
            RouteTarget::LocalGateway(id) => {
                Route { local_gateway_id: outside(id, "InvalidLocalGatewayID")?, ..active }
            }
            RouteTarget::CarrierGateway(id) => {
                Route { carrier_gateway_id: outside(id, "InvalidCarrierGatewayID")?, ..active }
            }
            RouteTarget::CoreNetwork(id) => {
                Route { core_network_arn: outside(id, "InvalidCoreNetworkArn")?, ..active }
            }
            RouteTarget::OdbNetwork(id) => {
                Route { odb_network_arn: outside(id, "InvalidOdbNetworkArn")?, ..active }
            }
            RouteTarget::NatGateway(id) => self.leading_to_nat(id, vpc, active)?,
            RouteTarget::NetworkInterface(id) if self.is_unknown(Section::NetworkInterfaces) => {
                Route { network_interface_id: Some(id.clone()), ..active }
            }
            RouteTarget::Instance(id) if self.is_unknown(Section::NetworkInterfaces) => {
                Route { instance_id: Some(id.clone()), ..active }
            }
            RouteTarget::NetworkInterface(id) => {
                leading_to_interface(self.interface(id)?, vpc, active)?
            }
            RouteTarget::Instance(id) => leading_to_interface(self.interface_of(id)?, vpc, active)?,
            RouteTarget::VpcEndpoint(id) => {
                if self.endpoint(id)?.kind() != EndpointType::GatewayLoadBalancer {
                    let message = format!("{id} is not a Gateway Load Balancer endpoint");
                    return Err(ApiError::invalid_value(message));
                }
                Route { gateway_id: Some(id.to_string()), ..active }
            }
            RouteTarget::Local => Route { gateway_id: Some("local".to_owned()), ..active },
        })
    }

    /// "route table … and network gateway … belong to different networks" is what a gateway is refused
    /// with that is attached elsewhere, or nowhere yet. A world need not list its gateways.
    fn check_attached(&self, id: &str, vpc: &VpcId) -> Result<(), ApiError> {
        let mut listed = self.world.internet_gateways.iter().flatten();
        match listed.find(|it| it.internet_gateway_id == *id) {
            Some(gateway) if gateway.vpc() != Some(vpc) => Err(ApiError::invalid_value(format!(
                "route table and network gateway {id} belong to different networks"
            ))),
            Some(_) | None => Ok(()),
        }
    }

    fn leading_to_nat(
        &self,
        id: &NatGatewayId,
        vpc: &VpcId,
        route: Route,
    ) -> Result<Route, ApiError> {
        let mut route = Route { nat_gateway_id: Some(id.clone()), ..route };
        if self.is_unknown(Section::NatGateways) {
            return Ok(route);
        }
        let nat = self.nat(id)?;
        same_network(nat.vpc_id.as_ref(), vpc, id.as_str())?;
        if nat.state == Some(NatGatewayState::Failed) {
            route.state = Some(RouteState::Blackhole);
        }
        Ok(route)
    }

    pub(crate) fn interface_of(&self, id: &InstanceId) -> Result<&NetworkInterface, ApiError> {
        let is_attached = |eni: &&NetworkInterface| {
            eni.attachment
                .as_ref()
                .is_some_and(|attachment| attachment.instance_id.as_ref() == Some(id))
        };
        let found = self.world.network_interfaces.iter().flatten().find(is_attached);
        found.ok_or_else(|| {
            ApiError::not_found("InvalidInstanceID.NotFound", "instance", id.as_str())
        })
    }

    /// A target that no section of a world file could hold: it exists if something says so.
    fn outside(&self, id: &str, kind: &str) -> Result<String, ApiError> {
        if self.gateways.contains(id) {
            return Ok(id.to_owned());
        }
        Err(ApiError::not_found(&format!("{kind}.NotFound"), "gateway", id))
    }

    /// The rules about what may stand in which table.
    fn fits(
        &self,
        table: &RouteTable,
        destination: &Destination,
        target: &RouteTarget,
    ) -> Result<(), ApiError> {
        let inward = matches!(
            target,
            RouteTarget::Local | RouteTarget::NetworkInterface(_) | RouteTarget::VpcEndpoint(_)
        );
        let edge = table
            .associations
            .iter()
            .any(|association| association.is_edge() && association.is_live());
        if edge && (!inward || matches!(destination, Destination::PrefixList(_))) {
            let message = format!(
                "{} is a gateway route table: {destination} cannot lead there",
                table.route_table_id
            );
            return Err(ApiError::invalid_value(message));
        }
        let net = match destination {
            Destination::CidrBlock(cidr) | Destination::Ipv6CidrBlock(cidr) => cidr.net(),
            Destination::PrefixList(_) => None,
        };
        let Some(net) = net else { return Ok(()) };
        if RESERVED
            .iter()
            .filter_map(|block| block.parse::<IpNet>().ok())
            .any(|block| block.contains(&net))
        {
            return Err(ApiError::invalid_value(format!("{net} is reserved for AWS services")));
        }
        let local = self
            .vpc(&table.vpc_id)?
            .cidrs()
            .iter()
            .filter_map(Cidr::net)
            .any(|block| block.contains(&net));
        let middlebox =
            inward || matches!(target, RouteTarget::NatGateway(_) | RouteTarget::Instance(_));
        if local && !(middlebox && self.is_a_subnet(&table.vpc_id, net)) {
            return Err(ApiError::invalid_value(format!(
                "Route destination {net} is more specific than the local route and is not a subnet's CIDR block"
            )));
        }
        Ok(())
    }

    fn is_a_subnet(&self, vpc: &VpcId, net: IpNet) -> bool {
        let own = self.world.subnets.iter().flatten().filter(|subnet| subnet.vpc_id == *vpc);
        own.flat_map(|subnet| {
            let v6 = subnet.ipv6_cidr_block_association_set.iter().map(|a| &a.ipv6_cidr_block);
            subnet.cidr_block.iter().chain(v6)
        })
        .any(|cidr| cidr.net() == Some(net))
    }
}

/// A route to an interface shows the instance it is attached to as well.
fn leading_to_interface(
    eni: &NetworkInterface,
    vpc: &VpcId,
    route: Route,
) -> Result<Route, ApiError> {
    same_network(eni.vpc_id.as_ref(), vpc, eni.network_interface_id.as_str())?;
    let instance_id = eni.attachment.as_ref().and_then(|attachment| attachment.instance_id.clone());
    Ok(Route { network_interface_id: Some(eni.network_interface_id.clone()), instance_id, ..route })
}

fn same_network(owner: Option<&VpcId>, vpc: &VpcId, id: &str) -> Result<(), ApiError> {
    match owner {
        Some(owner) if owner != vpc => Err(ApiError::invalid_value(format!(
            "the route table and {id} belong to different networks"
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Whether the route is written by a gateway endpoint: a prefix list that leads to an endpoint. A
/// CIDR block that leads to one is a Gateway Load Balancer's.
pub(crate) fn is_endpoint_route(route: &Route) -> bool {
    route.destination_prefix_list_id.is_some()
        && matches!(route.target(), Some(RouteTarget::VpcEndpoint(_)))
}

fn is_local_destination(route: &Route) -> bool {
    route.target() == Some(RouteTarget::Local)
        || route.origin == Some(RouteOrigin::CreateRouteTable)
}

fn is_static(route: &Route) -> bool {
    matches!(route.origin, Some(RouteOrigin::CreateRoute) | None)
}

fn is_v6(route: &Route) -> bool {
    route.destination_ipv6_cidr_block.is_some()
}

fn is_v6_destination(destination: &Destination) -> bool {
    matches!(destination, Destination::Ipv6CidrBlock(_))
}

/// Whether they mean the same packets, whatever the text.
fn same_destination(route: &Route, destination: &Destination) -> bool {
    match (route.destination(), destination) {
        (Some(Destination::CidrBlock(a)), Destination::CidrBlock(b))
        | (Some(Destination::Ipv6CidrBlock(a)), Destination::Ipv6CidrBlock(b)) => {
            a.net() == b.net()
        }
        (Some(Destination::PrefixList(a)), Destination::PrefixList(b)) => a == *b,
        (Some(_) | None, _) => false,
    }
}

fn with_destination(route: Route, destination: Destination) -> Route {
    match destination {
        Destination::CidrBlock(cidr) => Route { destination_cidr_block: Some(cidr), ..route },
        Destination::Ipv6CidrBlock(cidr) => {
            Route { destination_ipv6_cidr_block: Some(cidr), ..route }
        }
        Destination::PrefixList(id) => Route { destination_prefix_list_id: Some(id), ..route },
    }
}
