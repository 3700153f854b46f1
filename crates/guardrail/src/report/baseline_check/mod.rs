//! What a baseline comes to beyond its form: which of its services can be had, and what in it does
//! nothing or hardly what was meant. None of this makes a baseline unusable.

mod needs_of_s3;
mod offers;
mod seen;
mod settings;

use crate::analysis::required_service::EndpointKind;
use crate::baseline::{Baseline, ListedService};
use crate::ec2::id::Region;
use crate::ec2::snapshot::{Shared, Snapshot, UnplacedWorld};
use crate::ec2::world::World;

pub use self::offers::{NotOffered, Offer, ServiceOffer};

/// A baseline compared with a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The Region that the world is of, where anything in it says so.
    pub region: Option<Region>,
    /// What the Region says of each service that the baseline lists, in the baseline's order.
    pub offers: Vec<ServiceOffer>,
    /// What the baseline says without effect, or hardly as it is meant: a line each.
    pub warnings: Vec<String>,
}

/// What the baseline says without effect, or hardly as it is meant, as far as it can be told
/// without a world: a line each. Services are looked up in this release's own list.
pub fn warnings(baseline: &Baseline) -> Vec<String> {
    let known = listed(baseline).filter_map(offers::unknown);
    settings::warnings(baseline)
        .into_iter()
        .chain(needs_of_s3::warnings(baseline, None))
        .chain(settings::of_selectors(baseline))
        .chain(known)
        .collect()
}

/// Compares the baseline with a world: its services with what the Region offers, its selectors with
/// what is there. A world without the section `Vpcs` may still say what the Region offers.
///
/// # Errors
/// When the world does not say which account and Region its VPCs are of.
pub fn check_in(baseline: &Baseline, world: &World) -> Result<Checked, UnplacedWorld> {
    let shared = Shared::of(world);
    let snapshots = match world.vpcs {
        Some(_) => Some(Snapshot::all(world, &shared)?),
        None => None,
    };
    let offers = offers::offers(baseline, &shared);
    let mut warnings = settings::warnings(baseline);
    warnings.extend(needs_of_s3::warnings(baseline, shared.region()));
    warnings.extend(offers.iter().filter_map(|offer| offer.warning(baseline, shared.region())));
    warnings.extend(offers::nothing_promised(baseline, &offers));
    match &snapshots {
        Some(snapshots) => warnings.extend(seen::warnings(baseline, snapshots)),
        None => warnings.extend(settings::of_selectors(baseline)),
    }
    Ok(Checked { region: shared.region().cloned(), offers, warnings })
}

/// A service where it stands in the baseline.
#[derive(Debug, Clone, Copy)]
struct Listed<'b> {
    list: &'static str,
    at: usize,
    kind: EndpointKind,
    listed: &'b ListedService,
}

impl Listed<'_> {
    /// The field that it is.
    fn place(self) -> String {
        format!("{}.services[{}]", self.list, self.at)
    }
}

/// The services that the baseline lists, in its order.
fn listed(baseline: &Baseline) -> impl Iterator<Item = Listed<'_>> {
    let lists = [
        ("gateway_endpoints", EndpointKind::Gateway, &baseline.gateway_endpoints.services),
        ("interface_endpoints", EndpointKind::Interface, &baseline.interface_endpoints.services),
    ];
    lists.into_iter().flat_map(|(list, kind, services)| {
        let each = services.iter().enumerate();
        each.map(move |(at, listed)| Listed { list, at, kind, listed })
    })
}

#[cfg(test)]
mod tests;
