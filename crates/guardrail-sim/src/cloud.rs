//! The simulator as the guardrail sees a cloud.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeSet;
use std::time::Duration;

use guardrail::cloud::error_codes::{call_error, outcome_of};
use guardrail::cloud::{Answer, Applied, CallError, Cloud, NatTraffic, Observation, Unread};
use guardrail::ec2::change::{Call, DnsAttribute, NewEndpoint, created_tags};
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{InstanceId, NatGatewayId, Scope, SecurityGroupId, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{EndpointType, IpPermission, IpProtocol, IpRange, Ipv6Range, World};
use guardrail::probe::{self, ProbeName, Question};
use ipnet::IpNet;
use jiff::Timestamp;

use crate::ec2::errors::{ApiError, NOT_IN_WORLD};
use crate::ec2::request::{
    CreateVpcEndpoint, ModifyVpcEndpoint, Query, Request, Response, SubnetAttribute,
};
use crate::sim::Sim;

/// A simulator behind the guardrail's own seam; a pause lets simulated time pass at once.
#[derive(Debug)]
pub struct SimCloud(RefCell<Sim>);

impl SimCloud {
    /// The seam to this simulator.
    pub fn new(sim: Sim) -> Self {
        Self(RefCell::new(sim))
    }

    /// The simulator, to look at. It must not be held across a run.
    pub fn sim(&self) -> Ref<'_, Sim> {
        self.0.borrow()
    }

    /// The simulator, to act on. It must not be held across a run.
    pub fn sim_mut(&self) -> RefMut<'_, Sim> {
        self.0.borrow_mut()
    }

    /// The simulator again.
    pub fn into_inner(self) -> Sim {
        self.0.into_inner()
    }
}

impl Cloud for SimCloud {
    fn now(&self) -> Timestamp {
        self.0.borrow().now()
    }

    fn uptime(&self) -> Duration {
        self.0.borrow().now().duration_since(Timestamp::UNIX_EPOCH).unsigned_abs()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        let mut sim = self.0.borrow_mut();
        let mut seen = Observation::default();
        seen.world.account_id = Some(scope.account.clone());
        seen.world.region = Some(scope.region.clone());
        for section in sections {
            match observe_section(&mut sim, &scope.vpc, *section) {
                Ok(read) => seen.world.append(read),
                Err(error) => seen.unread.push(Unread { section: *section, error }),
            }
        }
        seen
    }

    async fn apply(&self, _: &Scope, call: &Call) -> Answer {
        let request = request_of(call);
        Answer::without_id(match self.0.borrow_mut().call(&request) {
            Ok(Response::Endpoint(endpoint)) => {
                Ok(Applied::CreatedEndpoint(endpoint.vpc_endpoint_id))
            }
            Ok(Response::SecurityGroup { group_id }) => Ok(Applied::CreatedGroup(group_id)),
            Ok(_) => Ok(Applied::Done),
            Err(error) => outcome_of(call, told(request.operation(), &error)),
        })
    }

    async fn carried(&self, _: &Scope, nats: &[NatGatewayId]) -> Vec<NatTraffic> {
        self.0.borrow().traffic_of(nats)
    }

    async fn ask_probe(
        &self,
        _: &Scope,
        probe: &ProbeName,
        question: &Question,
    ) -> Result<probe::Answer, CallError> {
        self.0.borrow().ask_probe(probe, question)
    }

    async fn pause(&self, time: Duration) {
        self.0.borrow_mut().advance(time);
    }
}

fn told(operation: &str, error: &ApiError) -> CallError {
    call_error(operation, &error.code, &error.message)
}

fn observe_section(sim: &mut Sim, vpc: &VpcId, section: Section) -> Result<World, CallError> {
    let in_vpc = |vpc: &VpcId| Query::by("vpc-id", [vpc.as_str()]);
    match section {
        Section::Vpcs => every_page(sim, Request::DescribeVpcs, in_vpc(vpc)),
        Section::Subnets => every_page(sim, Request::DescribeSubnets, in_vpc(vpc)),
        Section::RouteTables => every_page(sim, Request::DescribeRouteTables, in_vpc(vpc)),
        Section::VpcEndpoints => every_page(sim, Request::DescribeVpcEndpoints, in_vpc(vpc)),
        Section::NatGateways => every_page(sim, Request::DescribeNatGateways, in_vpc(vpc)),
        Section::NetworkInterfaces => observe_interfaces(sim, vpc),
        Section::NetworkAcls => every_page(sim, Request::DescribeNetworkAcls, in_vpc(vpc)),
        Section::DhcpOptions => every_page(sim, Request::DescribeDhcpOptions, Query::default()),
        Section::VpcEndpointServices => {
            every_page(sim, Request::DescribeVpcEndpointServices, Query::default())
        }
        Section::InternetGateways => every_page(
            sim,
            Request::DescribeInternetGateways,
            Query::by("attachment.vpc-id", [vpc.as_str()]),
        ),
        // Of these EC2 takes no filter on the VPC.
        Section::EgressOnlyInternetGateways => {
            let ask = Request::DescribeEgressOnlyInternetGateways;
            let mut world = every_page(sim, ask, Query::default())?;
            let gateways = world.egress_only_internet_gateways.get_or_insert_default();
            gateways.retain(|gateway| gateway.vpc() == Some(vpc));
            Ok(world)
        }
        Section::SecurityGroups => observe_groups(sim, vpc),
        Section::PrefixLists => observe_prefix_lists(sim),
        Section::VpcAttributes => observe_attributes(sim, vpc),
    }
}

/// The VPC's interfaces, and those in other VPCs of the instances that they are attached to.
fn observe_interfaces(sim: &mut Sim, vpc: &VpcId) -> Result<World, CallError> {
    let in_vpc = Query::by("vpc-id", [vpc.as_str()]);
    let mut world = every_page(sim, Request::DescribeNetworkInterfaces, in_vpc)?;
    let interfaces = world.network_interfaces.get_or_insert_default();
    let attached = interfaces.iter().filter_map(|interface| interface.attachment.as_ref());
    let instances: BTreeSet<&InstanceId> =
        attached.filter_map(|attachment| attachment.instance_id.as_ref()).collect();
    if !instances.is_empty() {
        let query =
            Query::by("attachment.instance-id", instances.iter().map(|instance| instance.as_str()));
        let more = every_page(sim, Request::DescribeNetworkInterfaces, query)?;
        let more = more.network_interfaces.into_iter().flatten();
        let elsewhere = more.filter(|interface| interface.vpc_id.as_ref() != Some(vpc));
        interfaces.extend(elsewhere);
    }
    Ok(world)
}

/// The VPC's groups, and those of other VPCs that its endpoints have.
fn observe_groups(sim: &mut Sim, vpc: &VpcId) -> Result<World, CallError> {
    let mut world =
        every_page(sim, Request::DescribeSecurityGroups, Query::by("vpc-id", [vpc.as_str()]))?;
    let endpoints =
        every_page(sim, Request::DescribeVpcEndpoints, Query::by("vpc-id", [vpc.as_str()]))?;
    let groups = world.security_groups.get_or_insert_default();
    let attached = endpoints.vpc_endpoints.iter().flatten().flat_map(|endpoint| &endpoint.groups);
    let known: BTreeSet<&SecurityGroupId> = groups.iter().map(|group| &group.group_id).collect();
    let elsewhere: BTreeSet<&SecurityGroupId> =
        attached.map(|group| &group.group_id).filter(|id| !known.contains(id)).collect();
    if !elsewhere.is_empty() {
        let query = Query::by("group-id", elsewhere.iter().map(|id| id.as_str()));
        let more = every_page(sim, Request::DescribeSecurityGroups, query)?;
        groups.extend(more.security_groups.into_iter().flatten());
    }
    Ok(world)
}

/// Every list with what is in it, as far as the world says.
fn observe_prefix_lists(sim: &mut Sim) -> Result<World, CallError> {
    let mut world = every_page(sim, Request::DescribeManagedPrefixLists, Query::default())?;
    for list in world.prefix_lists.iter_mut().flatten() {
        let request =
            Request::GetManagedPrefixListEntries { prefix_list_id: list.prefix_list_id.clone() };
        match sim.call(&request) {
            Ok(Response::PrefixListEntries(entries)) => list.entries = Some(entries),
            Ok(_) => {}
            Err(error) if error.code == NOT_IN_WORLD => {}
            Err(error) => return Err(told(request.operation(), &error)),
        }
    }
    Ok(world)
}

fn observe_attributes(sim: &mut Sim, vpc: &VpcId) -> Result<World, CallError> {
    let mut world = World::default();
    let read = world.vpc_attributes.get_or_insert_default().entry(vpc.clone()).or_default();
    for attribute in [DnsAttribute::Support, DnsAttribute::Hostnames] {
        let request = Request::DescribeVpcAttribute { vpc_id: vpc.clone(), attribute };
        let answer = sim.call(&request).map_err(|error| told(request.operation(), &error))?;
        if let Response::VpcAttribute { attribute, value, .. } = answer {
            match attribute {
                DnsAttribute::Support => read.enable_dns_support = Some(value),
                DnsAttribute::Hostnames => read.enable_dns_hostnames = Some(value),
            }
        }
    }
    Ok(world)
}

fn every_page(sim: &mut Sim, ask: fn(Query) -> Request, query: Query) -> Result<World, CallError> {
    let mut world = World::default();
    let mut query = query;
    loop {
        let request = ask(query.clone());
        let answer = sim.call(&request).map_err(|error| told(request.operation(), &error))?;
        let Response::Described { found, next_token, .. } = answer else { return Ok(world) };
        world.append(*found);
        match next_token.filter(|token| !token.is_empty()) {
            Some(token) => query.next_token = Some(token),
            None => return Ok(world),
        }
    }
}

/// The one request that makes a change.
fn request_of(call: &Call) -> Request {
    match call {
        Call::EnableVpcDns { vpc, attribute } => {
            Request::ModifyVpcAttribute { vpc_id: vpc.clone(), attribute: *attribute, value: true }
        }
        Call::CreateSecurityGroup { vpc, name, description } => Request::CreateSecurityGroup {
            group_name: name.clone(),
            description: description.clone(),
            vpc_id: vpc.clone(),
            tags: created_tags(name),
        },
        Call::AuthorizeHttps { group, cidrs } => Request::AuthorizeSecurityGroupIngress {
            group_id: group.clone(),
            ip_permissions: vec![https_from(cidrs)],
        },
        Call::RevokeIngress { group, rule } => Request::RevokeSecurityGroupIngress {
            group_id: group.clone(),
            ip_permissions: vec![rule.clone()],
        },
        Call::CreateEndpoint { vpc, service, kind, policy, token } => {
            let mut wanted = CreateVpcEndpoint::new(vpc.clone(), service.as_str());
            wanted.client_token = Some(token.clone());
            wanted.policy_document.clone_from(policy);
            wanted.tags = created_tags(service.as_str());
            of_kind(&mut wanted, kind);
            Request::CreateVpcEndpoint(Box::new(wanted))
        }
        Call::ModifyEndpoint {
            endpoint,
            add_route_tables,
            add_subnets,
            add_groups,
            private_dns,
        } => Request::ModifyVpcEndpoint(Box::new(ModifyVpcEndpoint {
            add_route_table_ids: add_route_tables.clone(),
            add_subnet_ids: add_subnets.clone(),
            add_security_group_ids: add_groups.clone(),
            private_dns_enabled: private_dns.is_on().then_some(true),
            inbound_resolver_only: private_dns.for_inbound_only(),
            ..ModifyVpcEndpoint::new(endpoint.clone())
        })),
        Call::SetEndpointPolicy { endpoint, policy, before: _ } => {
            Request::ModifyVpcEndpoint(Box::new(ModifyVpcEndpoint {
                policy_document: Some(policy.clone()),
                ..ModifyVpcEndpoint::new(endpoint.clone())
            }))
        }
        Call::DeleteRoute { table, destination, target: _ } => {
            Request::DeleteRoute { route_table_id: table.clone(), destination: destination.clone() }
        }
        Call::DisablePublicIpOnLaunch { subnet } => Request::ModifySubnetAttribute {
            subnet_id: subnet.clone(),
            attribute: SubnetAttribute::MapPublicIpOnLaunch(false),
        },
        Call::StopAutomaticAddress { interface, .. } => {
            Request::AssociatePublicIp { network_interface_id: interface.clone(), value: false }
        }
        Call::DisassociateAddress { association, .. } => {
            Request::DisassociateAddress { association_id: association.clone() }
        }
    }
}

/// What goes with the type of an endpoint to make.
fn of_kind(wanted: &mut CreateVpcEndpoint, kind: &NewEndpoint<SecurityGroupId>) {
    match kind {
        NewEndpoint::Gateway { route_tables } => {
            wanted.vpc_endpoint_type = Some(EndpointType::Gateway);
            wanted.route_table_ids.clone_from(route_tables);
        }
        NewEndpoint::Interface { subnets, groups, private_dns } => {
            wanted.vpc_endpoint_type = Some(EndpointType::Interface);
            wanted.subnet_ids.clone_from(subnets);
            wanted.security_group_ids.clone_from(groups);
            wanted.private_dns_enabled = Some(private_dns.is_on());
            wanted.inbound_resolver_only = private_dns.for_inbound_only();
        }
    }
}

fn https_from(cidrs: &[Cidr]) -> IpPermission {
    let mut permission = IpPermission {
        ip_protocol: IpProtocol::Tcp,
        from_port: Some(443),
        to_port: Some(443),
        ..IpPermission::default()
    };
    for cidr in cidrs {
        match cidr.net() {
            Some(IpNet::V6(_)) => {
                permission
                    .ipv6_ranges
                    .push(Ipv6Range { cidr_ipv6: cidr.clone(), description: None });
            }
            Some(IpNet::V4(_)) | None => {
                permission.ip_ranges.push(IpRange { cidr_ip: cidr.clone(), description: None });
            }
        }
    }
    permission
}
