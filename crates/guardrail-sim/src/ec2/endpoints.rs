//! `CreateVpcEndpoint`, and the rules that creating and changing an endpoint share.

use guardrail::ec2::id::{
    EndpointId, PrefixListId, RouteTableId, SecurityGroupId, ServiceName, SubnetId, VpcId,
};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{
    DnsOptions, EndpointService, EndpointState, EndpointType, IpAddressType, PrefixList, Route,
    RouteOrigin, RouteState, VpcEndpoint,
};

use crate::ec2::errors::ApiError;
use crate::ec2::request::{CreateVpcEndpoint, Response};
use crate::sim::Sim;

/// What an endpoint allows that was given no policy: everything.
pub(crate) const FULL_ACCESS: &str = r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
const POLICY_SIZE: usize = 20_480;

impl Sim {
    pub(crate) fn create_endpoint(
        &mut self,
        wanted: &CreateVpcEndpoint,
    ) -> Result<Response, ApiError> {
        if let Some(made) = self.made_before(wanted)? {
            return Ok(Response::Endpoint(Box::new(made)));
        }
        let vpc = self
            .vpc(&wanted.vpc_id)
            .map_err(|error| ApiError::new("InvalidVpcId.NotFound", error.message))?;
        let owner_id = vpc.owner_id.clone();
        let kind = wanted.vpc_endpoint_type.clone().unwrap_or(EndpointType::Gateway);
        let service = self.offered(&wanted.service_name, &kind)?;
        check_policy(wanted.policy_document.as_deref())?;
        self.check_quota(&wanted.vpc_id, &kind)?;
        let mut endpoint = VpcEndpoint {
            vpc_endpoint_id: self.ids.next("vpce-")?,
            vpc_endpoint_type: Some(kind.clone()),
            vpc_id: wanted.vpc_id.clone(),
            service_name: Some(service.clone()),
            state: EndpointState::Pending,
            policy_document: Some(
                wanted.policy_document.clone().unwrap_or_else(|| FULL_ACCESS.to_owned()),
            ),
            route_table_ids: Vec::new(),
            subnet_ids: Vec::new(),
            groups: Vec::new(),
            ip_address_type: wanted.ip_address_type.clone(),
            private_dns_enabled: false,
            dns_options: None,
            requester_managed: false,
            network_interface_ids: Vec::new(),
            creation_timestamp: Some(self.now.to_string()),
            tags: wanted.tags.clone(),
            owner_id,
            service_region: None,
            failure_reason: None,
            last_error: None,
        };
        match kind {
            EndpointType::Gateway => self.fill_gateway(&mut endpoint, &service, wanted)?,
            EndpointType::Interface => self.fill_interface(&mut endpoint, &service, wanted)?,
            EndpointType::GatewayLoadBalancer
            | EndpointType::Resource
            | EndpointType::ServiceNetwork
            | EndpointType::Other(_) => {
                return Err(ApiError::new(
                    "UnsupportedOperation",
                    format!("{kind} endpoints are not simulated"),
                ));
            }
        }
        Ok(Response::Endpoint(Box::new(self.add_endpoint(endpoint, wanted))))
    }

    fn add_endpoint(&mut self, endpoint: VpcEndpoint, wanted: &CreateVpcEndpoint) -> VpcEndpoint {
        let id = endpoint.vpc_endpoint_id.clone();
        self.bear(id.as_str());
        if let Some(token) = &wanted.client_token {
            self.endpoint_tokens.insert(token.clone(), (wanted.clone(), id.clone()));
        }
        let due = self.endpoint_ready(&endpoint.kind(), id);
        self.due.push(due);
        self.world.vpc_endpoints.get_or_insert_default().push(endpoint.clone());
        endpoint
    }

    /// The endpoint an earlier request with this token made, even one that is dead by now.
    fn made_before(&self, wanted: &CreateVpcEndpoint) -> Result<Option<VpcEndpoint>, ApiError> {
        let Some(token) = &wanted.client_token else { return Ok(None) };
        if !token.is_ascii() || token.len() > 64 {
            return Err(ApiError::new(
                "InvalidClientToken",
                format!("The client token '{token}' is not valid"),
            ));
        }
        let Some((before, id)) = self.endpoint_tokens.get(token) else { return Ok(None) };
        if before != wanted {
            let message =
                "The request uses the same client token as a previous, but non-identical request.";
            return Err(ApiError::new("IdempotentParameterMismatch", message));
        }
        Ok(self.world.vpc_endpoints.iter().flatten().find(|e| e.vpc_endpoint_id == *id).cloned())
    }

    fn fill_gateway(
        &mut self,
        endpoint: &mut VpcEndpoint,
        service: &ServiceName,
        wanted: &CreateVpcEndpoint,
    ) -> Result<(), ApiError> {
        if !wanted.subnet_ids.is_empty() || !wanted.security_group_ids.is_empty() {
            return Err(ApiError::invalid(
                "Subnets and security groups cannot be set on a Gateway endpoint",
            ));
        }
        if wanted.private_dns_enabled == Some(true) {
            return Err(ApiError::invalid("Private DNS cannot be enabled on a Gateway endpoint"));
        }
        let tables = without_repeats(&wanted.route_table_ids);
        self.check_tables(&wanted.vpc_id, service, &tables)?;
        self.write_endpoint_routes(&endpoint.vpc_endpoint_id, service, &tables)?;
        endpoint.route_table_ids = tables;
        Ok(())
    }

    fn fill_interface(
        &mut self,
        endpoint: &mut VpcEndpoint,
        service: &ServiceName,
        wanted: &CreateVpcEndpoint,
    ) -> Result<(), ApiError> {
        if !wanted.route_table_ids.is_empty() {
            return Err(ApiError::invalid("Route tables cannot be set on an Interface endpoint"));
        }
        let subnets = without_repeats(&wanted.subnet_ids);
        self.check_subnets(&wanted.vpc_id, service, &[], &subnets)?;
        let groups = self.groups_or_default(&wanted.vpc_id, &wanted.security_group_ids)?;
        let private_dns =
            wanted.private_dns_enabled.unwrap_or_else(|| self.has_private_dns(service));
        let inbound_only = inbound_only(service, private_dns, wanted.inbound_resolver_only)?;
        if private_dns {
            self.check_private_dns(&wanted.vpc_id, service, None)?;
        }
        if inbound_only == Some(true) {
            self.check_inbound_resolver(&wanted.vpc_id, service)?;
        }
        endpoint.dns_options = inbound_only.map(|on| DnsOptions {
            private_dns_only_for_inbound_resolver_endpoint: Some(on),
            ..DnsOptions::default()
        });
        endpoint.groups = self.named_groups(&groups);
        endpoint.private_dns_enabled = private_dns;
        endpoint.ip_address_type.get_or_insert(IpAddressType::Ipv4);
        for subnet in &subnets {
            let interface = self.add_interface(endpoint, subnet)?;
            endpoint.network_interface_ids.push(interface);
        }
        endpoint.subnet_ids = subnets;
        Ok(())
    }

    /// The service's name, if it exists and comes as this kind.
    fn offered(&self, name: &str, kind: &EndpointType) -> Result<ServiceName, ApiError> {
        let no_such = || {
            ApiError::new(
                "InvalidServiceName",
                format!("The Vpc Endpoint Service '{name}' does not exist"),
            )
        };
        let service: ServiceName = name.parse().map_err(|_| no_such())?;
        if self.is_unknown(Section::VpcEndpointServices) {
            return Ok(service);
        }
        let mut sides =
            self.world.vpc_endpoint_services.iter().flatten().filter(|s| s.service_name == service);
        let types: Vec<&str> =
            sides.clone().flat_map(|s| &s.service_type).map(|t| t.service_type.as_str()).collect();
        if sides.clone().next().is_none() {
            return Err(no_such());
        }
        if !sides.any(|side| side.is(kind)) {
            let types = types.join(", ");
            let message = format!(
                "Endpoint type ({kind}) does not match available service types ([{types}])."
            );
            return Err(ApiError::invalid(message));
        }
        Ok(service)
    }

    fn check_quota(&self, vpc: &VpcId, kind: &EndpointType) -> Result<(), ApiError> {
        let Some(quota) = self.options.endpoint_quota else { return Ok(()) };
        let alive =
            self.world.vpc_endpoints.iter().flatten().filter(|e| e.exists() && e.kind() == *kind);
        let count = alive.filter(|e| *kind == EndpointType::Gateway || e.vpc_id == *vpc).count();
        if count >= quota {
            let message = "The maximum number of VPC endpoints has been reached.";
            return Err(ApiError::new("VpcEndpointLimitExceeded", message));
        }
        Ok(())
    }

    /// Route tables of this VPC, without a route to the service yet: "one route per service per
    /// route table".
    pub(crate) fn check_tables(
        &self,
        vpc: &VpcId,
        service: &ServiceName,
        tables: &[RouteTableId],
    ) -> Result<(), ApiError> {
        let list = self.prefix_list_of(service);
        for id in tables {
            let table = self
                .table(id)
                .map_err(|e| ApiError::new("InvalidRouteTableId.NotFound", e.message))?;
            if table.vpc_id != *vpc {
                return Err(ApiError::invalid(format!(
                    "Route table {id} does not belong to the VPC {vpc}"
                )));
            }
            let taken =
                table.routes.iter().filter_map(|route| route.destination_prefix_list_id.as_ref());
            if let Some(list) = taken.clone().find(|taken| list.as_ref() == Some(*taken)) {
                let message = format!(
                    "route table {id} already has a route with destination-prefix-list-id {list}"
                );
                return Err(ApiError::new("RouteAlreadyExists", message));
            }
        }
        Ok(())
    }

    /// Writes the service's route into each table, at once with the association.
    pub(crate) fn write_endpoint_routes(
        &mut self,
        endpoint: &EndpointId,
        service: &ServiceName,
        tables: &[RouteTableId],
    ) -> Result<(), ApiError> {
        let list = match self.prefix_list_of(service) {
            Some(list) => list,
            None => self.make_prefix_list(service)?,
        };
        for id in tables {
            let route = Route {
                destination_prefix_list_id: Some(list.clone()),
                gateway_id: Some(endpoint.to_string()),
                origin: Some(RouteOrigin::CreateRoute),
                state: Some(RouteState::Active),
                ..Route::default()
            };
            if let Some(table) = self.table_mut(id) {
                table.routes.push(route);
            }
        }
        Ok(())
    }

    /// The prefix list of a service: by its name, else by a route that an endpoint of the service
    /// wrote.
    fn prefix_list_of(&self, service: &ServiceName) -> Option<PrefixListId> {
        let lists = self.world.prefix_lists.iter().flatten();
        let named = lists
            .filter(|list| list.prefix_list_name == service.as_str())
            .map(|list| &list.prefix_list_id);
        let endpoints = self
            .world
            .vpc_endpoints
            .iter()
            .flatten()
            .filter(|e| e.service_name.as_ref() == Some(service));
        let ids: Vec<&str> = endpoints.map(|e| e.vpc_endpoint_id.as_str()).collect();
        let routes = self.world.route_tables.iter().flatten().flat_map(|table| &table.routes);
        let written =
            routes.filter(|route| route.gateway_id.as_deref().is_some_and(|id| ids.contains(&id)));
        let in_routes = written.filter_map(|route| route.destination_prefix_list_id.as_ref());
        named.chain(in_routes).next().cloned()
    }

    fn make_prefix_list(&mut self, service: &ServiceName) -> Result<PrefixListId, ApiError> {
        let id: PrefixListId = self.ids.next("pl-")?;
        self.world.prefix_lists.get_or_insert_default().push(PrefixList {
            prefix_list_id: id.clone(),
            prefix_list_name: service.to_string(),
            owner_id: Some("AWS".to_owned()),
            cidrs: None,
            entries: None,
        });
        Ok(id)
    }

    /// New subnets next to those an endpoint has: of this VPC, in zones the service is in, one in
    /// each zone.
    pub(crate) fn check_subnets(
        &self,
        vpc: &VpcId,
        service: &ServiceName,
        have: &[SubnetId],
        new: &[SubnetId],
    ) -> Result<(), ApiError> {
        let zone_of = |id: &SubnetId| self.subnet(id).ok().map(|subnet| &subnet.availability_zone);
        let mut zones: Vec<_> = have.iter().filter_map(zone_of).collect();
        let offered = self.interface_side(service);
        for id in new {
            let subnet = self.subnet(id)?;
            let zone = &subnet.availability_zone;
            if subnet.vpc_id != *vpc {
                return Err(ApiError::invalid(format!(
                    "Subnet {id} does not belong to the VPC {vpc}"
                )));
            }
            let not_there = |s: &EndpointService| {
                !s.availability_zones.is_empty() && !s.availability_zones.contains(zone)
            };
            if offered.is_some_and(not_there) {
                return Err(ApiError::invalid(format!(
                    "The VPC endpoint service {service} does not support the availability zone of the subnet: {id}."
                )));
            }
            if zones.contains(&zone) {
                let message =
                    format!("Found another VPC endpoint subnet in the availability zone of {id}");
                return Err(ApiError::new("DuplicateSubnetsInSameZone", message));
            }
            if subnet.available_ip_address_count == Some(0) {
                let message = format!("Insufficient free addresses in subnet '{id}'");
                return Err(ApiError::new("InsufficientFreeAddressesInSubnet", message));
            }
            zones.push(zone);
        }
        Ok(())
    }

    fn groups_or_default(
        &self,
        vpc: &VpcId,
        wanted: &[SecurityGroupId],
    ) -> Result<Vec<SecurityGroupId>, ApiError> {
        let groups = without_repeats(wanted);
        groups.iter().try_for_each(|id| self.group(id).map(|_| ()))?;
        if !groups.is_empty() {
            return Ok(groups);
        }
        let all = self.world.security_groups.iter().flatten();
        let default =
            all.filter(|group| group.vpc_id.as_ref() == Some(vpc) && group.group_name == "default");
        Ok(default.map(|group| group.group_id.clone()).collect())
    }

    /// The preconditions of private DNS on one endpoint of a service in a VPC, beside `except`.
    pub(crate) fn check_private_dns(
        &self,
        vpc: &VpcId,
        service: &ServiceName,
        except: Option<&EndpointId>,
    ) -> Result<(), ApiError> {
        let attributes = self
            .world
            .vpc_attributes
            .as_ref()
            .and_then(|all| all.get(vpc))
            .copied()
            .unwrap_or_default();
        if [attributes.enable_dns_support, attributes.enable_dns_hostnames].contains(&Some(false)) {
            return Err(ApiError::invalid(format!(
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc}"
            )));
        }
        if !self.has_private_dns(service) {
            return Err(ApiError::invalid(format!(
                "Private DNS can't be enabled because the service {service} does not provide a private DNS name."
            )));
        }
        let in_the_way = |e: &&VpcEndpoint| {
            e.vpc_id == *vpc
                && e.private_dns_enabled
                && e.state != EndpointState::Deleted
                && e.service_name.as_ref() == Some(service)
                && Some(&e.vpc_endpoint_id) != except
        };
        if self.world.vpc_endpoints.iter().flatten().any(|e| in_the_way(&e)) {
            return Err(ApiError::invalid(format!(
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {} in the VPC {vpc}",
                self.private_name(service)
            )));
        }
        Ok(())
    }

    /// A name for inbound Resolver endpoints only leans on the gateway endpoint.
    pub(crate) fn check_inbound_resolver(
        &self,
        vpc: &VpcId,
        service: &ServiceName,
    ) -> Result<(), ApiError> {
        let is_gateway = |e: &VpcEndpoint| {
            e.vpc_id == *vpc
                && e.exists()
                && e.kind() == EndpointType::Gateway
                && e.service_name.as_ref() == Some(service)
        };
        if self.world.vpc_endpoints.iter().flatten().any(is_gateway) {
            return Ok(());
        }
        Err(ApiError::invalid(format!(
            "To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC {vpc} must have a Gateway endpoint for the service."
        )))
    }

    fn interface_side(&self, service: &ServiceName) -> Option<&EndpointService> {
        let sides = self
            .world
            .vpc_endpoint_services
            .iter()
            .flatten()
            .filter(|s| s.service_name == *service);
        sides.into_iter().find(|side| side.is(&EndpointType::Interface))
    }

    fn has_private_dns(&self, service: &ServiceName) -> bool {
        self.interface_side(service)
            .map_or_else(|| self.is_unknown(Section::VpcEndpointServices), |s| s.has_private_dns())
    }

    fn private_name(&self, service: &ServiceName) -> String {
        let side = self.interface_side(service);
        let listed = || {
            side.and_then(|s| s.private_dns_names.first()).map(|name| name.private_dns_name.clone())
        };
        side.and_then(|s| s.private_dns_name.clone())
            .or_else(listed)
            .unwrap_or_else(|| service.to_string())
    }
}

/// A policy is JSON, and of no more than 20,480 characters, white space included.
pub(crate) fn check_policy(policy: Option<&str>) -> Result<(), ApiError> {
    let Some(policy) = policy else { return Ok(()) };
    let is_object =
        serde_json::from_str::<serde_json::Value>(policy).is_ok_and(|value| value.is_object());
    if !is_object || policy.chars().count() > POLICY_SIZE {
        return Err(ApiError::new(
            "InvalidPolicyDocument",
            "The specified policy document is not valid",
        ));
    }
    Ok(())
}

pub(crate) fn without_repeats<T: Clone + PartialEq>(items: &[T]) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        if !kept.contains(item) {
            kept.push(item.clone());
        }
    }
    kept
}

/// `PrivateDnsOnlyForInboundResolverEndpoint` of an endpoint: S3 alone has it, and with private DNS on
/// it is on where nothing else is said.
pub(crate) fn inbound_only(
    service: &ServiceName,
    private_dns: bool,
    said: Option<bool>,
) -> Result<Option<bool>, ApiError> {
    match (service.as_str().ends_with(".s3"), said) {
        (true, said) => Ok(said.or(private_dns.then_some(true))),
        (false, None) => Ok(None),
        // That AWS refuses it is documented, the words are not.
        (false, Some(_)) => Err(ApiError::invalid(format!(
            "PrivateDnsOnlyForInboundResolverEndpoint is not supported for the service {service}"
        ))),
    }
}
