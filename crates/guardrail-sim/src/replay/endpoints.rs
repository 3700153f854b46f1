//! Recorded calls about endpoints, and what the world shows of a call already.

use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::id::{EndpointId, RouteTableId};
use guardrail::ec2::resource_id::ResourceId;
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::world::{Destination, EndpointType, IpAddressType, VpcEndpoint};

use crate::ec2::request::{CreateVpcEndpoint, ModifyVpcEndpoint, Request, SubnetAttribute};
use crate::replay::record::Record;
use crate::replay::{Replayed, Turned, id, ids, not_yet, tags};
use crate::sim::Sim;

/// The response says what the request left to AWS.
pub(crate) fn create_endpoint(sim: &Sim, record: Record<'_>) -> Turned<Request> {
    let (request, made) = (record.request, record.response.get("vpcEndpoint"));
    not_yet(sim, made.get("vpcEndpointId"))?;
    let text = |key: &str| made.get(key).text().or_else(|| request.get(key).text());
    let either = |response: Vec<String>, key: &str| {
        if response.is_empty() { request.get(key).texts() } else { response }
    };
    let mut wanted = CreateVpcEndpoint::new(
        id(request.get("vpcId"), "vpcId")?,
        text("serviceName").unwrap_or_default(),
    );
    wanted.vpc_endpoint_type = text("vpcEndpointType").map(EndpointType::from);
    wanted.route_table_ids = ids(either(made.get("routeTableIdSet").texts(), "routeTableId"))?;
    wanted.subnet_ids = ids(either(made.get("subnetIdSet").texts(), "subnetId"))?;
    wanted.security_group_ids =
        ids(either(made.get("groupSet").texts_of("groupId"), "securityGroupId"))?;
    wanted.private_dns_enabled =
        made.get("privateDnsEnabled").flag().or_else(|| request.get("privateDnsEnabled").flag());
    let option = "privateDnsOnlyForInboundResolverEndpoint";
    let said = made.get("dnsOptions").get(option).flag();
    wanted.inbound_resolver_only = said.or_else(|| request.get("dnsOptions").get(option).flag());
    wanted.policy_document = text("policyDocument");
    wanted.ip_address_type = text("ipAddressType").map(IpAddressType::from);
    wanted.tags = tags(request);
    Ok(Request::CreateVpcEndpoint(Box::new(wanted)))
}

/// Only what the world does not show yet is asked for.
pub(crate) fn modify_endpoint(sim: &Sim, record: Record<'_>) -> Turned<Request> {
    let request = record.request;
    let list = |key: &str| request.get(key).texts();
    let endpoint_id: EndpointId = id(request.get("vpcEndpointId"), "vpcEndpointId")?;
    let endpoint = sim.endpoint(&endpoint_id).map_err(|error| Replayed::NotHere(error.message))?;
    let mut change = ModifyVpcEndpoint::new(endpoint_id.clone());
    change.add_route_table_ids = without(ids(list("addRouteTableId"))?, &endpoint.route_table_ids);
    change.remove_route_table_ids =
        within(ids(list("removeRouteTableId"))?, &endpoint.route_table_ids);
    change.add_subnet_ids = without(ids(list("addSubnetId"))?, &endpoint.subnet_ids);
    change.remove_subnet_ids = within(ids(list("removeSubnetId"))?, &endpoint.subnet_ids);
    let groups: Vec<_> = endpoint.groups.iter().map(|group| group.group_id.clone()).collect();
    change.add_security_group_ids = without(ids(list("addSecurityGroupId"))?, &groups);
    change.remove_security_group_ids = within(ids(list("removeSecurityGroupId"))?, &groups);
    change.private_dns_enabled = request
        .get("privateDnsEnabled")
        .flag()
        .filter(|wanted| *wanted != endpoint.private_dns_enabled);
    let options = endpoint.dns_options.as_ref();
    let had = options.and_then(|o| o.private_dns_only_for_inbound_resolver_endpoint);
    let said = request.get("dnsOptions").get("privateDnsOnlyForInboundResolverEndpoint").flag();
    change.inbound_resolver_only = said.filter(|_| said != had);
    let new = |text: &String, old: &Option<String>| Some(text) != old.as_ref();
    change.policy_document =
        request.get("policyDocument").text().filter(|text| new(text, &endpoint.policy_document));
    change.ip_address_type = request.get("ipAddressType").text().map(IpAddressType::from);
    change.ip_address_type =
        change.ip_address_type.filter(|kind| endpoint.ip_address_type.as_ref() != Some(kind));
    change.reset_policy = request.get("resetPolicy").flag().unwrap_or(false);
    if change == ModifyVpcEndpoint::new(endpoint_id.clone()) {
        return Err(Replayed::AlreadySo(format!("{endpoint_id} is so already")));
    }
    Ok(Request::ModifyVpcEndpoint(Box::new(change)))
}

/// A record of success may hold failures: what is `unsuccessful` was not deleted.
pub(crate) fn delete_endpoints(sim: &Sim, record: Record<'_>) -> Turned<Request> {
    let not_deleted = record.response.get("unsuccessful").texts_of("resourceId");
    let mut named = record.request.get("vpcEndpointId").texts();
    named.retain(|id| !not_deleted.contains(id));
    if named.is_empty() {
        return Err(Replayed::Failed(
            "no endpoint was deleted: all are among the unsuccessful".to_owned(),
        ));
    }
    let here: Vec<&VpcEndpoint> = sim
        .world
        .vpc_endpoints
        .iter()
        .flatten()
        .filter(|e| named.iter().any(|id| e.vpc_endpoint_id == **id))
        .collect();
    if here.is_empty() {
        return Err(Replayed::NotHere(format!("no endpoint here is {}", named.join(", "))));
    }
    let alive: Vec<EndpointId> =
        here.iter().filter(|e| e.exists()).map(|e| e.vpc_endpoint_id.clone()).collect();
    if alive.is_empty() {
        return Err(Replayed::AlreadySo(format!("{} deleted already", named.join(", "))));
    }
    if let Some(managed) = here.iter().find(|e| e.requester_managed) {
        let message = format!("{} is managed by another AWS service", managed.vpc_endpoint_id);
        return Err(Replayed::NotSimulated(message));
    }
    Ok(Request::DeleteVpcEndpoints { vpc_endpoint_ids: alive })
}

fn without<T: PartialEq>(wanted: Vec<T>, have: &[T]) -> Vec<T> {
    wanted.into_iter().filter(|item| !have.contains(item)).collect()
}

fn within<T: PartialEq>(wanted: Vec<T>, have: &[T]) -> Vec<T> {
    wanted.into_iter().filter(|item| have.contains(item)).collect()
}

/// What the world shows, for calls that would change nothing.
impl Sim {
    /// Whether anything here has this id.
    pub(crate) fn has(&self, id: &ResourceId) -> bool {
        let world = &self.world;
        let mut associations =
            world.route_tables.iter().flatten().flat_map(|table| &table.associations);
        match id {
            ResourceId::Vpc(id) => world.vpcs.iter().flatten().any(|vpc| vpc.vpc_id == *id),
            ResourceId::Subnet(id) => {
                world.subnets.iter().flatten().any(|subnet| subnet.subnet_id == *id)
            }
            ResourceId::RouteTable(id) => {
                world.route_tables.iter().flatten().any(|table| table.route_table_id == *id)
            }
            ResourceId::Association(id) => {
                associations.any(|a| a.route_table_association_id.as_ref() == Some(id))
            }
            ResourceId::Endpoint(id) => {
                world.vpc_endpoints.iter().flatten().any(|e| e.vpc_endpoint_id == *id)
            }
            ResourceId::NatGateway(id) => {
                world.nat_gateways.iter().flatten().any(|nat| nat.nat_gateway_id == *id)
            }
            ResourceId::SecurityGroup(id) => {
                world.security_groups.iter().flatten().any(|group| group.group_id == *id)
            }
            ResourceId::NetworkAcl(id) => {
                world.network_acls.iter().flatten().any(|acl| acl.network_acl_id == *id)
            }
            ResourceId::OtherAssociation(_)
            | ResourceId::InternetGateway(_)
            | ResourceId::EgressOnlyInternetGateway(_)
            | ResourceId::OtherGateway(_)
            | ResourceId::Interface(_)
            | ResourceId::Instance(_)
            | ResourceId::PrefixList(_) => false,
        }
    }

    /// Whether the table has this route, to this target.
    pub(crate) fn leads(
        &self,
        table: &RouteTableId,
        destination: &Destination,
        target: &RouteTarget,
    ) -> bool {
        let routes = self.table(table).map(|table| table.routes.as_slice()).unwrap_or_default();
        routes.iter().filter(|route| route.goes_to(destination)).any(|route| {
            let instance = route.instance_id.clone().map(RouteTarget::Instance);
            instance.as_ref() == Some(target) || route.target().as_ref() == Some(target)
        })
    }

    /// Whether the attribute that the request sets has the value already.
    pub(crate) fn has_attribute(&self, request: &Request) -> bool {
        if let Request::ModifySubnetAttribute { subnet_id, attribute } = request {
            return self.subnet(subnet_id).is_ok_and(|subnet| match attribute {
                SubnetAttribute::MapPublicIpOnLaunch(value) => {
                    subnet.map_public_ip_on_launch == *value
                }
                SubnetAttribute::AssignIpv6AddressOnCreation(value) => {
                    subnet.assign_ipv6_address_on_creation == *value
                }
            });
        }
        if let Request::ModifyNetworkInterfaceAttribute {
            network_interface_id,
            source_dest_check,
        } = request
        {
            let eni = self.interface(network_interface_id);
            return eni.is_ok_and(|eni| eni.source_dest_check == Some(*source_dest_check));
        }
        if let Request::ModifyVpcAttribute { vpc_id, attribute, value } = request {
            let all = self.world.vpc_attributes.as_ref();
            let own = all.and_then(|all| all.get(vpc_id)).copied().unwrap_or_default();
            let has = match attribute {
                DnsAttribute::Support => own.enable_dns_support,
                DnsAttribute::Hostnames => own.enable_dns_hostnames,
            };
            return has == Some(*value);
        }
        false
    }
}
