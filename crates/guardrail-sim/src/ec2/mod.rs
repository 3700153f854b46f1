//! EC2's calls: what each is asked, does and answers.

pub(crate) mod associations;
pub(crate) mod describe;
pub(crate) mod endpoint_changes;
pub(crate) mod endpoint_interfaces;
pub(crate) mod endpoints;
pub(crate) mod errors;
pub(crate) mod filters;
pub(crate) mod gateways;
pub(crate) mod groups;
pub(crate) mod interfaces;
pub(crate) mod lookup;
pub(crate) mod nat;
pub(crate) mod network_acls;
pub(crate) mod request;
pub(crate) mod routes;
pub(crate) mod subnets;
pub(crate) mod tags;
pub(crate) mod vpcs;
