//! `ModifyVpcEndpoint` and `DeleteVpcEndpoints`.

use guardrail::ec2::id::{EndpointId, RouteTableId, ServiceName};
use guardrail::ec2::world::{EndpointState, EndpointType, VpcEndpoint};

use crate::ec2::endpoints::inbound_only;
use crate::ec2::endpoints::{FULL_ACCESS, check_policy, without_repeats};
use crate::ec2::errors::ApiError;
use crate::ec2::request::{ModifyVpcEndpoint, Response, Unsuccessful};
use crate::ec2::routes::is_endpoint_route;
use crate::sim::Sim;

impl Sim {
    /// Every change of one call, or none.
    pub(crate) fn modify_endpoint(
        &mut self,
        change: &ModifyVpcEndpoint,
    ) -> Result<Response, ApiError> {
        let endpoint = self.endpoint(&change.vpc_endpoint_id)?.clone();
        if endpoint.requester_managed {
            let message = format!("{} is managed by another AWS service", endpoint.vpc_endpoint_id);
            return Err(ApiError::new("OperationNotPermitted", message));
        }
        if endpoint.state == EndpointState::Deleting {
            let message = format!("{} is being deleted", endpoint.vpc_endpoint_id);
            return Err(ApiError::new("IncorrectState", message));
        }
        check_policy(change.policy_document.as_deref())?;
        let service = endpoint
            .service_name
            .clone()
            .ok_or_else(|| ApiError::invalid("the endpoint has no service"))?;
        match endpoint.kind() {
            EndpointType::Gateway => self.modify_gateway(&endpoint, &service, change)?,
            EndpointType::Interface => {
                self.modify_interface_endpoint(&endpoint, &service, change)?
            }
            kind @ (EndpointType::GatewayLoadBalancer
            | EndpointType::Resource
            | EndpointType::ServiceNetwork
            | EndpointType::Other(_)) => {
                return Err(ApiError::new(
                    "UnsupportedOperation",
                    format!("{kind} endpoints are not simulated"),
                ));
            }
        }
        if let Some(endpoint) = self.endpoint_mut(&change.vpc_endpoint_id) {
            if change.reset_policy {
                endpoint.policy_document = Some(FULL_ACCESS.to_owned());
            }
            if let Some(policy) = &change.policy_document {
                endpoint.policy_document = Some(policy.clone());
            }
            if let Some(kind) = &change.ip_address_type {
                endpoint.ip_address_type = Some(kind.clone());
            }
        }
        Ok(Response::Done)
    }

    fn modify_gateway(
        &mut self,
        endpoint: &VpcEndpoint,
        service: &ServiceName,
        change: &ModifyVpcEndpoint,
    ) -> Result<(), ApiError> {
        let of_interfaces = [change.add_subnet_ids.len(), change.remove_subnet_ids.len()];
        let groups = [change.add_security_group_ids.len(), change.remove_security_group_ids.len()];
        if of_interfaces.iter().chain(&groups).any(|n| *n > 0)
            || change.private_dns_enabled == Some(true)
        {
            return Err(ApiError::invalid(
                "Subnets, security groups and private DNS cannot be set on a Gateway endpoint",
            ));
        }
        let id = &endpoint.vpc_endpoint_id;
        if let Some(table) =
            change.remove_route_table_ids.iter().find(|t| !endpoint.route_table_ids.contains(t))
        {
            return Err(ApiError::invalid(format!(
                "Route table {table} is not associated with {id}"
            )));
        }
        let add = without_repeats(&change.add_route_table_ids);
        self.check_tables(&endpoint.vpc_id, service, &add)?;
        self.erase_endpoint_routes(id, |table| change.remove_route_table_ids.contains(table));
        self.write_endpoint_routes(id, service, &add)?;
        if let Some(endpoint) = self.endpoint_mut(id) {
            endpoint.route_table_ids.retain(|table| !change.remove_route_table_ids.contains(table));
            endpoint.route_table_ids.extend(add);
        }
        Ok(())
    }

    fn modify_interface_endpoint(
        &mut self,
        endpoint: &VpcEndpoint,
        service: &ServiceName,
        change: &ModifyVpcEndpoint,
    ) -> Result<(), ApiError> {
        if !change.add_route_table_ids.is_empty() || !change.remove_route_table_ids.is_empty() {
            return Err(ApiError::invalid("Route tables cannot be set on an Interface endpoint"));
        }
        let id = &endpoint.vpc_endpoint_id;
        if let Some(subnet) =
            change.remove_subnet_ids.iter().find(|s| !endpoint.subnet_ids.contains(s))
        {
            return Err(ApiError::invalid(format!("Subnet {subnet} is not associated with {id}")));
        }
        let mut subnets = endpoint.subnet_ids.clone();
        subnets.retain(|subnet| !change.remove_subnet_ids.contains(subnet));
        let add = without_repeats(&change.add_subnet_ids);
        self.check_subnets(&endpoint.vpc_id, service, &subnets, &add)?;
        change.add_security_group_ids.iter().try_for_each(|group| self.group(group).map(|_| ()))?;
        if change.private_dns_enabled == Some(true) {
            self.check_private_dns(&endpoint.vpc_id, service, Some(id))?;
        }
        let private_dns = change.private_dns_enabled.unwrap_or(endpoint.private_dns_enabled);
        let had = endpoint.dns_options.as_ref();
        let had = had.and_then(|options| options.private_dns_only_for_inbound_resolver_endpoint);
        let said = change.inbound_resolver_only;
        let inbound_only = inbound_only(service, private_dns, said.or(had))?;
        if inbound_only == Some(true) && had != Some(true) {
            self.check_inbound_resolver(&endpoint.vpc_id, service)?;
        }
        let mut groups: Vec<_> =
            endpoint.groups.iter().map(|group| group.group_id.clone()).collect();
        groups.retain(|group| !change.remove_security_group_ids.contains(group));
        groups.extend(change.add_security_group_ids.iter().cloned());
        let mut changed = endpoint.clone();
        changed.groups = self.named_groups(&without_repeats(&groups));
        changed.private_dns_enabled =
            change.private_dns_enabled.unwrap_or(endpoint.private_dns_enabled);
        if let Some(on) = inbound_only {
            let options = changed.dns_options.get_or_insert_default();
            options.private_dns_only_for_inbound_resolver_endpoint = Some(on);
        }
        self.move_interfaces(&mut changed, &change.remove_subnet_ids, &add)?;
        subnets.extend(add);
        if changed.state == EndpointState::Available && subnets != endpoint.subnet_ids {
            changed.state = EndpointState::Pending;
            let due = self.endpoint_ready(&EndpointType::Interface, id.clone());
            self.due.push(due);
        }
        changed.subnet_ids = subnets;
        if let Some(endpoint) = self.endpoint_mut(id) {
            *endpoint = changed;
        }
        Ok(())
    }

    /// HTTP 200 whatever comes of each: what was not deleted is listed.
    pub(crate) fn delete_endpoints(&mut self, ids: &[EndpointId]) -> Response {
        let refused = ids.iter().filter_map(|id| {
            let error = self.delete_endpoint(id).err()?;
            Some(Unsuccessful {
                resource_id: id.to_string(),
                code: error.code,
                message: error.message,
            })
        });
        Response::Unsuccessful(refused.collect())
    }

    fn delete_endpoint(&mut self, id: &EndpointId) -> Result<(), ApiError> {
        let endpoint = self.endpoint(id).map_err(|_| {
            ApiError::new(
                "InvalidVpcEndpoint.NotFound",
                format!("The Vpc Endpoint Id '{id}' does not exist"),
            )
        })?;
        if endpoint.requester_managed {
            let message = format!("{id} is managed by another AWS service");
            return Err(ApiError::new("OperationNotPermitted", message));
        }
        if endpoint.state == EndpointState::Deleting {
            return Ok(());
        }
        self.erase_endpoint_routes(id, |_| true);
        self.blackhole(|route| {
            !is_endpoint_route(route) && route.gateway_id.as_deref() == Some(id.as_str())
        });
        if let Some(endpoint) = self.endpoint_mut(id) {
            endpoint.state = EndpointState::Deleting;
            endpoint.route_table_ids.clear();
        }
        let due = self.endpoint_deleted(id.clone());
        self.due.push(due);
        Ok(())
    }

    fn erase_endpoint_routes(&mut self, id: &EndpointId, from: impl Fn(&RouteTableId) -> bool) {
        for table in
            self.world.route_tables.iter_mut().flatten().filter(|table| from(&table.route_table_id))
        {
            table.routes.retain(|r| {
                !(is_endpoint_route(r) && r.gateway_id.as_deref() == Some(id.as_str()))
            });
        }
    }
}
