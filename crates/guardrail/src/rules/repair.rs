//! What repairs a finding: one small value that says what is wanted. The planner makes the steps of it, with what must come
//! before and after them.

use crate::ec2::change::{Call, DnsAttribute};
use crate::ec2::id::{EndpointId, RouteTableId, ServiceName, SubnetId, Zone};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::world::Destination;

/// The repair that a finding asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Nothing: the finding says what is left alone, and why.
    None,
    /// A DNS attribute of the VPC is turned on.
    EnableVpcDns(DnsAttribute),
    /// An endpoint is made.
    CreateEndpoint(NewEndpoint),
    /// Something is added to an endpoint that is there.
    EditEndpoint(EndpointEdit),
    /// A route is removed, once what its subnets require is served without it.
    RemoveRoute(RouteRemoval),
    /// One call that needs nothing before it.
    Call(Call),
}

/// An endpoint to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewEndpoint {
    /// A gateway endpoint.
    Gateway {
        /// The service.
        service: ServiceName,
        /// The route tables that should lead to it; never empty.
        tables: Vec<RouteTableId>,
    },
    /// An interface endpoint, with the guardrail's own security group.
    Interface {
        /// The service.
        service: ServiceName,
        /// One subnet in each zone; never empty.
        subnets: Vec<SubnetId>,
        /// The zones of these subnets.
        zones: Vec<Zone>,
    },
}

/// One addition to one endpoint. All additions to an endpoint become one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointEdit {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its service.
    pub service: ServiceName,
    /// What is added.
    pub addition: Addition,
}

/// What is added to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addition {
    /// These route tables lead to it.
    RouteTables(Vec<RouteTableId>),
    /// It has an interface in these subnets.
    Subnets(Vec<SubnetId>),
    /// It has the guardrail's own security group.
    OwnGroup,
    /// The service's own name leads to it.
    PrivateDns,
}

/// A route to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRemoval {
    /// Its table.
    pub table: RouteTableId,
    /// Its destination, to the letter as it was described.
    pub destination: Destination,
    /// The target that it was judged by.
    pub target: RouteTarget,
    /// The private subnets that use the table.
    pub subnets: Vec<SubnetId>,
}
