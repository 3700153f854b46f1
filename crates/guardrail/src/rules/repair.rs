//! What repairs a finding: one small value that says what is wanted. The planner makes the steps of
//! it, with what must come before and after them.

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
    /// The guardrail's own security group admits TCP 443 again from every block of the VPC.
    OpenOwnGroup,
    /// A route is removed, once what its subnets require is served without it.
    RemoveRoute(RouteRemoval),
    /// An endpoint's policy is set, in a run that takes no route away.
    SetPolicy(NewPolicy),
    /// One call that needs nothing before it.
    Call(Call),
    /// Several calls, each of which is made only once those before it have succeeded.
    Calls(Vec<Call>),
}

/// An endpoint to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewEndpoint {
    /// A gateway endpoint.
    Gateway {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The route tables that should lead to it; never empty.
        tables: Vec<RouteTableId>,
    },
    /// An interface endpoint, with the guardrail's own security group.
    Interface {
        /// The service that the endpoint is for.
        service: ServiceName,
        /// The subnets that the endpoint has an interface in, one in each zone; never empty.
        subnets: Vec<SubnetId>,
        /// The zones of these subnets.
        zones: Vec<Zone>,
    },
}

/// One addition to one endpoint. All additions to an endpoint become one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointEdit {
    /// The endpoint to add to.
    pub endpoint: EndpointId,
    /// The service that the endpoint is for.
    pub service: ServiceName,
    /// What is added to the endpoint.
    pub addition: Addition,
}

/// What is added to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addition {
    /// These route tables lead to the endpoint.
    RouteTables(Vec<RouteTableId>),
    /// The endpoint has an interface in these subnets.
    Subnets(Vec<SubnetId>),
    /// The endpoint has the guardrail's own security group.
    OwnGroup,
    /// The service's own name leads to the endpoint.
    PrivateDns,
}

/// The policy that an endpoint is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicy {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its policy, as JSON text.
    pub policy: String,
    /// The policy that it has, to the letter; `None` where it has AWS's default, full access.
    pub before: Option<String>,
}

/// A route to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRemoval {
    /// The route table that the route is in.
    pub table: RouteTableId,
    /// Its destination, to the letter as it was described.
    pub destination: Destination,
    /// The id or ARN of the target that the route was judged by.
    pub target: RouteTarget,
    /// The private subnets that use the table, and those whose traffic is passed on to the route.
    pub subnets: Vec<SubnetId>,
}
