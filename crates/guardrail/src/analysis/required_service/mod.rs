//! The services the baseline requires, the endpoints that serve each, and whether one is served.

mod groups;

use std::fmt;

pub use groups::{
    AddedRule, added_rule, blocks_shut_out, cidrs_without_https, https_sources, https_sources_of,
    unclear_group_of,
};

use crate::analysis::endpoint_policy::Access;
use crate::analysis::topology::Topology;
use crate::baseline::OrganizationId;
use crate::baseline::{Baseline, Create, ListedService, ReachedBy, Required, Service, TagSelector};
use crate::ec2::change::{CREATED_TAG, GROUP_NAME};
use crate::ec2::id::{Region, Scope, ServiceName, Zone};
use crate::ec2::policy::{Placeholder, PolicyDocument};
use crate::ec2::snapshot::{Shared, Snapshot};
use crate::ec2::world::{
    EndpointService, EndpointState, EndpointType, RouteState, RouteTable, SecurityGroup, Subnet,
    VpcEndpoint,
};

/// A service that every managed VPC of a Region should reach through an endpoint.
#[derive(Debug, Clone)]
pub struct RequiredService<'w> {
    /// The service as the baseline writes it: `s3`, `ecr.api`.
    pub service: Service,
    /// The service's full name in the Region; the usual one where the Region does not offer it.
    pub name: ServiceName,
    /// The type of endpoint that it is reached through.
    pub kind: EndpointKind,
    /// The service as AWS describes it; `None` when the Region does not offer it.
    pub offered: Option<&'w EndpointService>,
    /// Whether the service is required where the Region does not offer it.
    pub required: Required,
    /// The name under which clients reach it.
    pub reached_by: ReachedBy,
    /// When an interface endpoint for it is made.
    pub create: Create,
    /// The policy that its endpoints should have, in which account and VPC may still be left open;
    /// `None` for full access.
    policy: Option<PolicyDocument>,
    required_in: Option<Vec<TagSelector>>,
}

/// How a required service is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointKind {
    /// It is reached by the route that a gateway endpoint writes into a route table.
    Gateway,
    /// It is reached through an interface endpoint's addresses in the VPC.
    Interface,
}

impl EndpointKind {
    /// The type as AWS writes it.
    pub fn endpoint_type(self) -> EndpointType {
        match self {
            Self::Gateway => EndpointType::Gateway,
            Self::Interface => EndpointType::Interface,
        }
    }
}

impl fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gateway => "gateway",
            Self::Interface => "interface",
        })
    }
}

/// The services that the baseline requires, in a Region.
pub fn required_services<'w>(
    baseline: &Baseline,
    region: &Region,
    shared: &Shared<'w>,
) -> Vec<RequiredService<'w>> {
    let gateway =
        baseline.gateway_endpoints.services.iter().map(|service| (service, EndpointKind::Gateway));
    let interface = baseline
        .interface_endpoints
        .services
        .iter()
        .map(|service| (service, EndpointKind::Interface));
    gateway
        .chain(interface)
        .filter_map(|(service, kind)| required(service, kind, region, shared))
        .map(|mut required| {
            let organization = baseline.organization.as_ref().map(OrganizationId::as_str);
            let filled = |policy: PolicyDocument| {
                policy.filled(|open| match open {
                    Placeholder::Organization => organization,
                    Placeholder::Account | Placeholder::Region | Placeholder::Vpc => None,
                })
            };
            required.policy = required.policy.map(filled);
            required
        })
        .collect()
}

fn required<'w>(
    listed: &ListedService,
    kind: EndpointKind,
    region: &Region,
    shared: &Shared<'w>,
) -> Option<RequiredService<'w>> {
    let names = listed.service.names(region);
    let kind_wanted = kind.endpoint_type();
    let offered = names.iter().find_map(|name| {
        shared.services.iter().find(|offer| offer.service_name == *name && offer.is(&kind_wanted))
    });
    let name =
        offered.map(|offer| offer.service_name.clone()).or_else(|| names.into_iter().next())?;
    Some(RequiredService {
        service: listed.service.clone(),
        name,
        kind,
        offered,
        // What was not read may be offered.
        required: match shared.services_were_read {
            true => listed.required,
            false => Required::Always,
        },
        reached_by: listed.reached_by,
        create: listed.create,
        policy: listed.policy.clone(),
        required_in: listed.required_in.clone(),
    })
}

impl<'w> RequiredService<'w> {
    /// A service that the baseline does not list, as an endpoint of the VPC names it.
    pub fn unlisted(name: &ServiceName, kind: EndpointKind, shared: &Shared<'w>) -> Option<Self> {
        let kind_wanted = kind.endpoint_type();
        let is_it =
            |offer: &&EndpointService| offer.service_name == *name && offer.is(&kind_wanted);
        Some(Self {
            service: Service::try_from(name.to_string()).ok()?,
            name: name.clone(),
            kind,
            offered: shared.services.iter().find(is_it),
            required: Required::IfOffered,
            reached_by: ReachedBy::PrivateName,
            create: Create::WhenItServes,
            policy: None,
            required_in: None,
        })
    }

    /// Whether nothing is asked of any VPC for it here: the Region does not offer it, and it is
    /// required only where it is offered.
    pub fn is_passed_over(&self) -> bool {
        self.offered.is_none() && self.required == Required::IfOffered
    }

    /// Whether it is required although the Region does not offer it, so that nothing can serve it.
    pub fn cannot_be_served(&self) -> bool {
        self.offered.is_none() && self.required == Required::Always
    }

    /// The endpoints that could keep it: of this service and type, in this Region, made by no other
    /// AWS service. Deleted ones that are still listed are among them.
    pub fn endpoints<'s>(
        &'s self,
        snapshot: &'s Snapshot<'w>,
    ) -> impl Iterator<Item = &'w VpcEndpoint> + 's {
        let kind = self.kind.endpoint_type();
        snapshot.endpoints.iter().copied().filter(move |endpoint| {
            endpoint.service_name.as_ref() == Some(&self.name)
                && endpoint.kind() == kind
                && !endpoint.requester_managed
                && endpoint
                    .service_region
                    .as_ref()
                    .is_none_or(|region| *region == snapshot.scope.region)
        })
    }

    /// Whether a private subnet needs the service.
    pub fn is_required_in(&self, subnet: &Subnet) -> bool {
        let matches = |selectors: &Vec<TagSelector>| {
            selectors.iter().any(|selector| selector.find(&subnet.tags).is_some())
        };
        self.required_in.as_ref().is_none_or(matches)
    }

    /// The interface endpoint in the VPC, anybody's, that the service's own name leads to, or will
    /// once it is available.
    pub fn name_holder(&self, snapshot: &Snapshot<'w>) -> Option<&'w VpcEndpoint> {
        snapshot.endpoints.iter().copied().find(|endpoint| self.is_name_holder(endpoint))
    }

    /// The endpoint that keeps the service's own name from leading to this one: of two only one can
    /// hold it, and AWS gives it to nobody while another has it.
    pub fn holder_beside(
        &self,
        endpoint: &VpcEndpoint,
        snapshot: &Snapshot<'w>,
    ) -> Option<&'w VpcEndpoint> {
        let is_own = |holder: &VpcEndpoint| {
            self.endpoints(snapshot).any(|own| own.vpc_endpoint_id == holder.vpc_endpoint_id)
        };
        let mut beside = snapshot.endpoints.iter().copied().filter(|holder| {
            holder.vpc_endpoint_id != endpoint.vpc_endpoint_id && self.is_name_holder(holder)
        });
        beside.find(|holder| !endpoint.holds_name_in_vpc() || !is_own(holder))
    }

    fn is_name_holder(&self, endpoint: &VpcEndpoint) -> bool {
        endpoint.service_name.as_ref() == Some(&self.name)
            && endpoint.kind() == EndpointType::Interface
            && endpoint.holds_name_in_vpc()
            && match health(endpoint) {
                Health::Works | Health::Coming => true,
                Health::Gone | Health::Broken => false,
            }
    }

    /// The endpoint that is adopted as the one to serve it: of those that exist, the one that holds
    /// the service's name, then a sound one before a broken one, then one without a policy of its
    /// own, then the one in most zones, then the first by id.
    pub fn adopted(&self, snapshot: &Snapshot<'w>) -> Option<&'w VpcEndpoint> {
        let region = &snapshot.scope.region;
        let mut existing: Vec<_> = self.endpoints(snapshot).filter(|e| e.exists()).collect();
        if existing.len() > 1 {
            existing.sort_by_cached_key(|endpoint| {
                let policy = endpoint.policy_document.as_deref();
                (
                    health(endpoint).is_broken(),
                    !endpoint.holds_name_in_vpc(),
                    Access::of(policy, &self.name, region) != Access::Full,
                    usize::MAX - zones_of(endpoint, snapshot).len(),
                    endpoint.vpc_endpoint_id.clone(),
                )
            });
        }
        existing.into_iter().next()
    }

    /// The policy that the service's endpoints should have in this VPC; `None` for full access.
    pub fn policy_in(&self, scope: &Scope) -> Option<PolicyDocument> {
        let filled = |open: Placeholder| match open {
            Placeholder::Account => Some(scope.account.as_str()),
            Placeholder::Region => Some(scope.region.as_str()),
            Placeholder::Vpc => Some(scope.vpc.as_str()),
            Placeholder::Organization => None,
        };
        Some(self.policy.as_ref()?.filled(filled))
    }

    /// Whether the baseline has a policy of its own for the service's endpoints.
    pub fn has_own_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// Whether private DNS can and should be on: the service has a private name.
    pub fn wants_private_dns(&self) -> bool {
        match self.kind {
            EndpointKind::Gateway => false,
            EndpointKind::Interface => match self.reached_by {
                ReachedBy::PrivateName => {
                    self.offered.is_some_and(EndpointService::has_private_dns)
                }
                ReachedBy::EndpointName => false,
            },
        }
    }

    /// Whether the service is offered in a zone; AWS lists no zones for some services, which then
    /// are offered in all.
    pub fn is_offered_in(&self, zone: &Zone) -> bool {
        self.offered.is_some_and(|offer| {
            offer.availability_zones.is_empty()
                || offer.availability_zones.iter().any(|offered| offered == zone)
        })
    }

    /// The endpoint of this service, anybody's, that a table already leads to: a second one could
    /// not be added.
    pub fn route_to(&self, table: &RouteTable, snapshot: &Snapshot<'w>) -> Option<&'w VpcEndpoint> {
        let active = |route: &&crate::ec2::world::Route| {
            route.state.as_ref().is_none_or(|s| *s == RouteState::Active)
        };
        let targets = table
            .routes
            .iter()
            .filter(|route| route.destination_prefix_list_id.is_some())
            .filter(active)
            .filter_map(|route| route.gateway_id.as_deref());
        let mut endpoints = targets.filter_map(|id| {
            snapshot.endpoints.iter().find(|endpoint| endpoint.vpc_endpoint_id == *id)
        });
        endpoints
            .find(|endpoint| {
                endpoint.service_name.as_ref() == Some(&self.name) && endpoint.exists()
            })
            .copied()
    }

    /// The zones an interface endpoint should be in: those with a private subnet where the service
    /// is offered.
    pub fn zones_wanted(&self, topology: &Topology<'w>) -> Vec<&'w Zone> {
        let mut zones: Vec<&Zone> = topology
            .private()
            .filter(|placed| self.is_required_in(placed.subnet))
            .map(|placed| &placed.subnet.availability_zone)
            .filter(|zone| self.is_offered_in(zone))
            .collect();
        zones.sort_unstable();
        zones.dedup();
        zones
    }
}

/// What an endpoint's state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The endpoint works.
    Works,
    /// The endpoint is being made or changed: in time it works.
    Coming,
    /// The endpoint is deleted or being deleted.
    Gone,
    /// The endpoint does not work and will not by itself.
    Broken,
}

impl Health {
    fn is_broken(self) -> bool {
        self == Self::Broken
    }
}

/// What an endpoint's state means. A state this version does not know is taken for broken:
/// reported, never acted on.
pub fn health(endpoint: &VpcEndpoint) -> Health {
    match endpoint.state {
        EndpointState::Available => Health::Works,
        EndpointState::Pending | EndpointState::PendingAcceptance => Health::Coming,
        EndpointState::Deleting | EndpointState::Deleted => Health::Gone,
        EndpointState::Rejected
        | EndpointState::Failed
        | EndpointState::Expired
        | EndpointState::Partial
        | EndpointState::Other(_) => Health::Broken,
    }
}

/// The zones an endpoint has an interface in.
pub fn zones_of<'w>(endpoint: &VpcEndpoint, snapshot: &Snapshot<'w>) -> Vec<&'w Zone> {
    let mut zones: Vec<&Zone> = endpoint
        .subnet_ids
        .iter()
        .filter_map(|id| snapshot.subnet(id))
        .map(|subnet| &subnet.availability_zone)
        .collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

/// Whether a DNS attribute of the VPC is known to be off, so that no private name leads anywhere.
pub fn vpc_dns_is_off(snapshot: &Snapshot<'_>) -> bool {
    snapshot.attributes.is_some_and(|a| {
        a.enable_dns_support == Some(false) || a.enable_dns_hostnames == Some(false)
    })
}

/// Whether both DNS attributes of the VPC are on, as private DNS needs.
pub fn vpc_dns_is_on(snapshot: &Snapshot<'_>) -> bool {
    snapshot
        .attributes
        .is_some_and(|a| a.enable_dns_support == Some(true) && a.enable_dns_hostnames == Some(true))
}

/// The security group the guardrail made in this VPC, if it did: the only one whose rules it may
/// change.
pub fn own_group<'w>(snapshot: &Snapshot<'w>) -> Option<&'w SecurityGroup> {
    let (key, value) = CREATED_TAG;
    let mine = |group: &&&SecurityGroup| {
        let is_tagged = group.tags.iter().any(|tag| tag.key == key && tag.value == value);
        is_tagged && group.group_name == GROUP_NAME
    };
    snapshot.groups.iter().filter(mine).min_by_key(|group| &group.group_id).copied()
}

#[cfg(test)]
mod tests;
