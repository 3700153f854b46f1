//! The VPC part of EC2 as AWS documents it, in memory: a world file that answers calls, changes,
//! and lets time pass.
//!
//! [`Sim`] holds a [`guardrail::ec2::world::World`] and answers a [`Request`] as EC2 would;
//! [`SimCloud`] puts the guardrail's own seam on top; [`replay_call`] makes the calls that
//! CloudTrail recorded, so that an incident can be played again; with the feature `http`, the
//! module of that name puts it on a socket as EC2's Query API. Nothing but that module reads a
//! clock: time passes when [`Sim::advance`] is told so. Ids are counted, so a run is the same every
//! time.
//!
//! Beside EC2 there are SQS's queues and Lambda's poller, in [`queue`]: what the guardrail's
//! functions wait for each other with.
//!
//! What the tests in `facts` say is what AWS's documentation says; where it says nothing, the
//! comment at the code does.

mod cloud;
mod ec2;
mod faults;
#[cfg(feature = "http")]
pub mod http;
mod ids;
mod probes;
pub mod queue;
mod replay;
mod sim;
pub mod table_suite;
mod throttle;
mod time;

#[cfg(test)]
mod facts;

pub use cloud::SimCloud;
pub use ec2::addresses::{AddressCall, AddressView, AssociateAddress};
pub use ec2::beside::{
    Address, AddressFamily, Beside, Bound, InstanceState, ListDetails, ProfileAssociation,
    RunInstance,
};
pub use ec2::customer_lists::{CreateManagedPrefixList, ModifyManagedPrefixList, PrefixListCall};
pub use ec2::errors::ApiError;
pub use ec2::gateways::Instance;
pub use ec2::group_life::GroupRule;
pub use ec2::instances::{InstanceCall, Profile, RunInstances};
pub use ec2::network::NetworkCall;
pub use ec2::nothing::empty_world;
pub use ec2::request::{
    CreateNatGateway, CreateVpcEndpoint, Filter, ModifyVpcEndpoint, Query, Request, Response,
    SubnetAttribute, Unsuccessful,
};
pub use faults::{Fault, NotAFault};
pub use replay::{Replayed, replay_call};
pub use sim::{Recorded, Sim, SimOptions};
pub use throttle::{BucketUse, bucket_table};
