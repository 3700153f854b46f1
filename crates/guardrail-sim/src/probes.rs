//! Probes as the simulated world would have them answer: by its names, addresses and routes.

use std::net::IpAddr;

use guardrail::cloud::error_codes::call_error;
use guardrail::cloud::{ASK_PROBE, CallError};
use guardrail::ec2::id::ServiceName;
use guardrail::ec2::world::{
    EndpointState, EndpointType, RouteState, RouteTable, Subnet, VpcEndpoint, World,
};
use guardrail::probe::{
    Answer, ProbeName, Question, Reached, Seen, ServiceQuestion, Tried, answer,
};

use crate::ec2::errors::ApiError;
use crate::sim::Sim;

/// An address of the internet, which stands for every one of it.
const OUTSIDE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 50, 0, 1));

impl Sim {
    /// Has this probe fail as Lambda says it: `ResourceNotFoundException` where there is no function,
    /// `ResourceConflictException` while its interface is being made. Every other probe stands, if
    /// its subnet does.
    pub fn break_probe(&mut self, probe: ProbeName, error: ApiError) {
        self.broken_probes.insert(probe, error);
    }

    /// Has this probe answer again.
    pub fn mend_probe(&mut self, probe: &ProbeName) {
        self.broken_probes.remove(probe);
    }

    pub(crate) fn ask_probe(
        &self,
        probe: &ProbeName,
        question: &Question,
    ) -> Result<Answer, CallError> {
        if let Some(error) = self.broken_probes.get(probe) {
            return Err(call_error(ASK_PROBE, &error.code, &error.message));
        }
        let subnets = self.world.subnets.iter().flatten();
        let place = { subnets }.find(|subnet| subnet.subnet_id == *probe.subnet());
        let Some(place) = place.map(|subnet| Place { world: &self.world, subnet }) else {
            let message = format!("Function not found: {probe}");
            return Err(call_error(ASK_PROBE, "ResourceNotFoundException", &message));
        };
        let targets = question.targets.iter().map(|_| place.try_all(&[OUTSIDE]));
        let services = question.services.iter().map(|service| place.service(service));
        Ok(answer(question, targets.collect(), services.collect()))
    }
}

/// Where a probe stands.
struct Place<'w> {
    world: &'w World,
    subnet: &'w Subnet,
}

impl Place<'_> {
    /// What a service's name leads to from here, and whether it is reached.
    fn service(&self, asked: &ServiceQuestion) -> Seen {
        if let Some(endpoint) = self.holder(&asked.service) {
            return Seen { addresses: Ok(each(&self.addresses(endpoint), &Reached::Tls)) };
        }
        // A gateway service answers from its ranges, whichever way leads there.
        let addresses = asked.own.ranges.first().map_or(OUTSIDE, |range| range.addr());
        match self.has_route_to_gateway(&asked.service) {
            true => Seen { addresses: Ok(each(&[addresses], &Reached::Tls)) },
            false => self.try_all(&[addresses]),
        }
    }

    /// What is reached over the internet, or is not.
    fn try_all(&self, addresses: &[IpAddr]) -> Seen {
        let reached = if self.leads_out() { Reached::Tls } else { Reached::Silent };
        Seen { addresses: Ok(each(addresses, &reached)) }
    }

    /// The interface endpoint that a service's private name leads to.
    fn holder<'s>(&'s self, service: &'s ServiceName) -> Option<&'s VpcEndpoint> {
        self.working(service).find(|endpoint| {
            endpoint.vpc_endpoint_type == Some(EndpointType::Interface)
                && endpoint.private_dns_enabled
        })
    }

    fn working<'s>(&'s self, service: &'s ServiceName) -> impl Iterator<Item = &'s VpcEndpoint> {
        self.world.vpc_endpoints.iter().flatten().filter(move |endpoint| {
            endpoint.service_name.as_ref() == Some(service)
                && endpoint.vpc_id == self.subnet.vpc_id
                && endpoint.state == EndpointState::Available
        })
    }

    fn addresses(&self, endpoint: &VpcEndpoint) -> Vec<IpAddr> {
        let interfaces = self.world.network_interfaces.iter().flatten();
        let its = interfaces
            .filter(|it| endpoint.network_interface_ids.contains(&it.network_interface_id));
        its.filter_map(|interface| interface.addresses().next()).collect()
    }

    fn has_route_to_gateway(&self, service: &ServiceName) -> bool {
        let endpoints = || self.working(service).map(|endpoint| endpoint.vpc_endpoint_id.as_str());
        let mut routes = self.table().into_iter().flat_map(|table| &table.routes);
        routes.any(|route| {
            route.destination_prefix_list_id.is_some()
                && endpoints().any(|id| route.gateway_id.as_deref() == Some(id))
        })
    }

    /// Whether the subnet's table has a default route that works.
    fn leads_out(&self) -> bool {
        let mut routes = self.table().into_iter().flat_map(|table| &table.routes);
        routes.any(|route| {
            let destination = route.destination_cidr_block.as_ref();
            destination.is_some_and(|cidr| cidr.as_str() == "0.0.0.0/0")
                && route.state != Some(RouteState::Blackhole)
        })
    }

    fn table(&self) -> Option<&RouteTable> {
        let tables = || {
            let tables = self.world.route_tables.iter().flatten();
            tables.filter(|table| table.vpc_id == self.subnet.vpc_id)
        };
        let own = tables().find(|table| {
            let mut bound = table.associations.iter();
            bound.any(|it| it.subnet_id.as_ref() == Some(&self.subnet.subnet_id))
        });
        own.or_else(|| tables().find(|table| table.associations.iter().any(|it| it.main)))
    }
}

fn each(addresses: &[IpAddr], reached: &Reached) -> Vec<Tried> {
    let tried = |address: &IpAddr| Tried { address: *address, reached: reached.clone() };
    addresses.iter().map(tried).collect()
}
