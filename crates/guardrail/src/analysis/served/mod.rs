//! Whether a required service is served to a subnet: a proof with named premises.
//!
//! Every premise that can be observed is asked for, and each that does not hold is an obstacle with
//! the facts it rests on. The same proof judges what is there and what a plan would come to, on the
//! world with its steps made.

mod answers;
mod gateway_endpoint;
mod interface_endpoint;
mod name_servers;
mod network_acl;
mod obstacle;
mod obstacle_words;
mod policy;
mod resolver;
mod way;

pub use name_servers::{lost_servers, servers_among};
pub use obstacle::{Certainty, Leg, Obstacle};
pub use policy::{is_accepted, unwanted_policy};
pub use way::carries_nat64;

use ipnet::IpNet;

use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, RequiredService};
use crate::analysis::topology::SubnetUse;
use crate::baseline::ReachedBy;
use crate::ec2::cidr::Cidr;
use crate::ec2::id::EndpointId;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{CidrStateCode, EndpointType, Ipv6CidrAssociation, Subnet};
use crate::history::Seen;

/// What keeps a service from a subnet, and what its being served rests on that takes time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    /// What keeps the service from the subnet; none when it is served.
    pub obstacles: Vec<Obstacle>,
    /// The premises that take time to act, as they are seen.
    pub premises: Vec<Seen>,
    /// The endpoints that the subnet's clients come to, whether they are served there or not.
    pub endpoints: Vec<EndpointId>,
}

/// Whether a service is served to a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Every premise holds.
    Served,
    /// Some premise does not hold.
    NotServed,
    /// No premise is known not to hold, and of some it cannot be told.
    CannotTell,
}

impl Proof {
    fn not(obstacle: Obstacle) -> Self {
        Self { obstacles: vec![obstacle], ..Self::default() }
    }

    /// Adds what keeps the service from the subnet, once.
    fn note(&mut self, obstacle: Obstacle) {
        if !self.obstacles.contains(&obstacle) {
            self.obstacles.push(obstacle);
        }
    }

    /// What the proof comes to.
    pub fn answer(&self) -> Answer {
        match self.obstacles.iter().map(Obstacle::certainty).max() {
            None => Answer::Served,
            Some(Certainty::CannotTell) => Answer::CannotTell,
            Some(Certainty::Certain) => Answer::NotServed,
        }
    }

    /// Whether every premise holds.
    pub fn is_served(&self) -> bool {
        self.obstacles.is_empty()
    }
}

/// The premises that take time to act and that a service's being served to a subnet rests on.
pub fn premises(
    view: &View<'_>,
    required: &RequiredService<'_>,
    placed: &SubnetUse<'_>,
) -> Vec<Seen> {
    prove(view, required, placed).premises
}

/// Everything in a VPC that takes time to act and that any service's being served may come to rest on.
/// What is remembered before something rests on it is known to have changed when it does.
pub fn every_premise(view: &View<'_>) -> Vec<Seen> {
    let snapshot = view.snapshot;
    let endpoints = snapshot.endpoints.iter().filter(|endpoint| endpoint.exists());
    let of_endpoints = endpoints.flat_map(|endpoint| match endpoint.kind() {
        EndpointType::Interface => {
            vec![interface_endpoint::name_seen(endpoint), policy::seen(endpoint)]
        }
        EndpointType::Gateway => vec![policy::seen(endpoint)],
        EndpointType::GatewayLoadBalancer
        | EndpointType::Resource
        | EndpointType::ServiceNetwork
        | EndpointType::Other(_) => Vec::new(),
    });
    let acls = snapshot.subnets.iter().filter_map(|subnet| network_acl::seen(view, subnet));
    let of_vpc = [interface_endpoint::vpc_dns_seen(view), resolver::seen(view)];
    of_endpoints.chain(acls).chain(of_vpc.into_iter().flatten()).collect()
}

/// Whether a gateway service's route leads a subnet to it, whoever holds the service's name.
pub fn prove_route(
    view: &View<'_>,
    required: &RequiredService<'_>,
    placed: &SubnetUse<'_>,
) -> Proof {
    match unprovable(view, required) {
        Some(obstacle) => Proof::not(obstacle),
        None => gateway_endpoint::prove_route(view, required, placed),
    }
}

/// Whether a service is served to a subnet by what is there, and why not.
pub fn prove(view: &View<'_>, required: &RequiredService<'_>, placed: &SubnetUse<'_>) -> Proof {
    let mut proof = prove_by_table(view, required, placed);
    // While an association is between two states the subnet may use another table as well.
    for table in &placed.perhaps {
        let there = SubnetUse { table: Some(*table), perhaps: Vec::new(), ..placed.clone() };
        let by_it = prove_by_table(view, required, &there).obstacles;
        if by_it.iter().any(|obstacle| !proof.obstacles.contains(obstacle)) {
            proof.note(Obstacle::Unread { section: Section::RouteTables });
        }
    }
    proof
}

fn prove_by_table(
    view: &View<'_>,
    required: &RequiredService<'_>,
    placed: &SubnetUse<'_>,
) -> Proof {
    if let Some(obstacle) = unprovable(view, required) {
        return Proof::not(obstacle);
    }
    let mut proof = match required.kind {
        EndpointKind::Gateway => gateway_endpoint::prove(view, required, placed),
        EndpointKind::Interface => match by_interface(view, required, placed) {
            Ok(proof) => proof,
            Err(obstacle) => return Proof::not(obstacle),
        },
    };
    // By whatever name a service is reached, somebody has to resolve it.
    name_servers::prove(view, placed, &mut proof);
    proof.premises.extend(resolver::seen(view));
    proof
}

fn by_interface(
    view: &View<'_>,
    required: &RequiredService<'_>,
    placed: &SubnetUse<'_>,
) -> Result<Proof, Obstacle> {
    if !required.wants_private_dns() && required.reached_by == ReachedBy::PrivateName {
        return Err(Obstacle::NoPrivateName);
    }
    let endpoint = required.adopted(view.snapshot).ok_or_else(|| {
        let holder = required.name_holder(view.snapshot);
        holder.map_or(Obstacle::NoEndpoint, |holder| Obstacle::NameHeldByAnother {
            endpoint: holder.vpc_endpoint_id.clone(),
        })
    })?;
    let mut proof = Proof::default();
    interface_endpoint::prove(view, required, endpoint, placed, &mut proof);
    Ok(proof)
}

/// What keeps anything from being proved: a section that was not read, or a service that there is
/// not.
fn unprovable(view: &View<'_>, required: &RequiredService<'_>) -> Option<Obstacle> {
    let needed = match required.kind {
        EndpointKind::Gateway => {
            [Section::VpcEndpoints, Section::VpcEndpointServices, Section::RouteTables].as_slice()
        }
        EndpointKind::Interface => &[Section::VpcEndpoints, Section::VpcEndpointServices],
    };
    let unread = needed.iter().find(|section| view.snapshot.missing.contains(section));
    match unread {
        Some(section) => Some(Obstacle::Unread { section: *section }),
        None => required.offered.is_none().then_some(Obstacle::NotOffered),
    }
}

/// A version of IP, and the blocks of a subnet in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IpVersion {
    V4,
    V6,
}

impl IpVersion {
    fn of(net: &IpNet) -> Self {
        match net {
            IpNet::V4(_) => Self::V4,
            IpNet::V6(_) => Self::V6,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// The blocks of a subnet in a version of IP; the VPC's where the subnet's are not said.
fn blocks_of(subnet: &Subnet, version: IpVersion, view: &View<'_>) -> Vec<IpNet> {
    let of = |cidrs: &[Cidr]| -> Vec<IpNet> {
        let nets = cidrs.iter().filter_map(Cidr::net);
        nets.filter(|net| IpVersion::of(net) == version).collect()
    };
    let own = of(&subnet.cidrs());
    if own.is_empty() { of(&view.snapshot.vpc.cidrs()) } else { own }
}

/// Whether the subnet has IPv6 addresses, or may have: a block that is not known to be gone counts.
pub(crate) fn has_ipv6(subnet: &Subnet) -> bool {
    let may_be_in_use = |association: &Ipv6CidrAssociation| {
        let state = association.ipv6_cidr_block_state.as_ref();
        state.is_none_or(|it| it.is_in_use() || matches!(it.state, CidrStateCode::Other(_)))
    };
    subnet.ipv6_native || subnet.ipv6_cidr_block_association_set.iter().any(may_be_in_use)
}

#[cfg(test)]
mod tests;
