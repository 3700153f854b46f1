//! The VPC part of EC2 as AWS documents it, in memory: a world file that answers calls, changes, and lets time pass.
//!
//! [`Sim`] holds a [`guardrail::world::World`] and answers a [`Request`] as EC2 would; [`SimCloud`] puts the guardrail's own
//! seam on top; [`enact`] makes the calls that CloudTrail recorded, so that an incident can be played again; with the feature
//! `http`, the module of that name puts it on a socket as EC2's Query API. Nothing but that module reads a clock: time passes
//! when [`Sim::advance`] is told so. Ids are counted, so a run is the same every time.
//!
//! What the tests in `facts` say is what AWS's documentation says; where it says nothing, the comment at the code does.

mod associations;
mod cloud;
#[cfg(feature = "http")]
mod cloudtrail;
mod describe;
mod enact;
mod enact_endpoints;
mod endpoint_changes;
mod endpoint_interfaces;
mod endpoints;
mod errors;
mod faults;
mod filters;
mod gateways;
mod groups;
#[cfg(feature = "http")]
pub mod http;
mod ids;
mod lookup;
mod nat;
mod network;
mod record;
mod request;
mod routes;
mod sim;
mod time;

#[cfg(test)]
mod facts;

pub use cloud::SimCloud;
pub use enact::{Enacted, enact};
pub use errors::ApiError;
pub use faults::{Fault, NotAFault};
pub use gateways::{EgressOnlyGateway, Instance, InternetGateway};
pub use request::{
    CreateNatGateway, CreateVpcEndpoint, Filter, ModifyVpcEndpoint, Query, Request, Response, RouteTarget,
    SubnetAttribute, Unsuccessful,
};
pub use sim::{Options, Recorded, Sim};
