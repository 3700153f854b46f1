//! Which of the services that a baseline lists can be had in a Region.

use std::fmt;

use crate::analysis::required_service::{EndpointKind, RequiredService, required_services};
use crate::baseline::known_services::{KnownAs, known, similar};
use crate::baseline::{Baseline, Mode, ReachedBy, Remove, Required, RuleId, Service};
use crate::ec2::id::Region;
use crate::ec2::snapshot::Shared;
use crate::report::baseline_check::{Listed, listed};

/// A service that the baseline lists, and what the Region says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOffer {
    /// The service as the baseline writes it, with `?` where it is required only if offered.
    pub service: String,
    /// The field of the baseline that lists it.
    pub place: String,
    /// The type of endpoint that the baseline wants for it.
    pub kind: EndpointKind,
    /// What the Region says.
    pub offer: Offer,
}

/// What a Region says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// Nobody knows: the Region's list of services was not read in full.
    Unread,
    /// The Region offers gateway endpoints for it.
    Gateway,
    /// The Region offers interface endpoints for it.
    Interface {
        /// The number of zones that offer it; AWS names none for some services.
        zones: usize,
        /// Whether it has a name that private DNS can lead to the endpoint.
        private_name: bool,
        /// The name under which the baseline says that clients reach it.
        reached_by: ReachedBy,
    },
    /// The Region does not offer what the baseline wants.
    Not {
        /// What there is instead.
        why: NotOffered,
        /// What follows: whether it is passed over, and when routes are removed.
        required: Required,
        /// When the baseline lets a route go.
        remove: Remove,
    },
}

/// Why a Region does not offer what a baseline wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOffered {
    /// The Region offers it with the other type of endpoint.
    OfKind(EndpointKind),
    /// The full name is that of another Region's service.
    OfRegion(Region),
    /// The Region has no such service, and this release knows it from others.
    Here,
    /// This release does not know the name either; these are like it.
    Unknown(Vec<&'static str>),
}

/// What the Region says of each service that the baseline lists.
pub(super) fn offers(baseline: &Baseline, shared: &Shared<'_>) -> Vec<ServiceOffer> {
    let region = shared.region();
    let required = region.map(|region| required_services(baseline, region, shared));
    let required = required.unwrap_or_default();
    listed(baseline)
        .map(|it| {
            let same = |one: &&RequiredService<'_>| {
                one.service == it.listed.service && one.kind == it.kind
            };
            let found = required.iter().find(same);
            let offer = match (shared.services_were_read, region) {
                (true, Some(region)) => offer(it, found, baseline, shared, region),
                (false, _) | (_, None) => Offer::Unread,
            };
            let service = it.listed.to_string();
            ServiceOffer { service, place: it.place(), kind: it.kind, offer }
        })
        .collect()
}

fn offer(
    it: Listed<'_>,
    found: Option<&RequiredService<'_>>,
    baseline: &Baseline,
    shared: &Shared<'_>,
    region: &Region,
) -> Offer {
    match (found.and_then(|required| required.offered), it.kind) {
        (Some(_), EndpointKind::Gateway) => Offer::Gateway,
        (Some(offered), EndpointKind::Interface) => Offer::Interface {
            zones: offered.availability_zones.len(),
            private_name: offered.has_private_dns(),
            reached_by: it.listed.reached_by,
        },
        (None, _) => Offer::Not {
            why: why_not(it, shared, region),
            required: it.listed.required,
            remove: baseline.internet_routes.remove,
        },
    }
}

fn why_not(it: Listed<'_>, shared: &Shared<'_>, region: &Region) -> NotOffered {
    let service = &it.listed.service;
    let names = service.names(region);
    let other = match it.kind {
        EndpointKind::Gateway => EndpointKind::Interface,
        EndpointKind::Interface => EndpointKind::Gateway,
    };
    let has = |kind: EndpointKind| {
        let mut of_kind = shared.services.iter().filter(|it| it.is(&kind.endpoint_type()));
        of_kind.any(|it| names.contains(&it.service_name))
    };
    match service.region() {
        Some(own) if own != *region => NotOffered::OfRegion(own),
        Some(_) | None if has(other) => NotOffered::OfKind(other),
        Some(_) | None if known(service).is_some() => NotOffered::Here,
        Some(_) | None => NotOffered::Unknown(similar(service)),
    }
}

impl ServiceOffer {
    /// What is amiss, in one line; nothing where the service can be had, or the baseline says what
    /// is to become of it where it cannot.
    pub(super) fn warning(&self, baseline: &Baseline, region: Option<&Region>) -> Option<String> {
        let Self { service, place, kind, offer } = self;
        let here = region.map_or_else(|| "the Region".to_owned(), ToString::to_string);
        match offer {
            Offer::Unread | Offer::Gateway => None,
            Offer::Interface {
                private_name: false, reached_by: ReachedBy::PrivateName, ..
            } => Some(format!(
                "`{place}`: `{service}` has no private name in {here}, so no endpoint serves it \
                     by its own name, and {}; write `reached_by`: `endpoint-name` if clients use the \
                     endpoint's name",
                consequence(baseline.internet_routes.remove)
            )),
            Offer::Interface { .. } => None,
            Offer::Not { why: NotOffered::Here, required: Required::IfOffered, .. } => None,
            Offer::Not { why, required, remove } => {
                let follows = match required {
                    Required::IfOffered => "it is passed over",
                    Required::Always => consequence(*remove),
                };
                Some(match why {
                    NotOffered::OfKind(other) => format!(
                        "`{place}`: `{service}` has {other} endpoints in {here} and no {kind} ones, \
                         so {follows}; list it in `{}`",
                        list_of(*other)
                    ),
                    NotOffered::OfRegion(own) => format!(
                        "`{place}`: `{service}` is a service of {own}, not of {here}, so {follows}; \
                         write the short name, which stands for the service of each Region"
                    ),
                    NotOffered::Here => format!(
                        "`{place}`: `{service}` is not offered in {here}, so {follows}; write \
                         `{service}?` if it is required only where it is offered"
                    ),
                    NotOffered::Unknown(similar) => format!(
                        "`{place}`: `{service}` is not offered in {here}, nor is it a service that \
                         this release knows, so {follows}{}",
                        did_you_mean(similar)
                    ),
                })
            }
        }
    }
}

impl fmt::Display for ServiceOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, kind, offer, .. } = self;
        write!(f, "{service} ({kind}): ")?;
        match offer {
            Offer::Unread => f.write_str(
                "cannot tell: the Region's services were not read in full, with S3 among them",
            ),
            Offer::Gateway => f.write_str("offered"),
            Offer::Interface { zones, private_name, reached_by } => {
                f.write_str("offered")?;
                match zones {
                    0 => {}
                    1 => f.write_str(" in 1 zone")?,
                    _ => write!(f, " in {zones} zones")?,
                }
                match (private_name, reached_by) {
                    (_, ReachedBy::EndpointName) => {
                        f.write_str(", reached by the endpoint's own name")
                    }
                    (true, ReachedBy::PrivateName) => f.write_str(", with a private name"),
                    (false, ReachedBy::PrivateName) => {
                        f.write_str(", without a private name, so it cannot be served")
                    }
                }
            }
            Offer::Not { why, required, remove } => {
                match why {
                    NotOffered::OfKind(other) => write!(f, "not offered, only as {other}")?,
                    NotOffered::OfRegion(own) => write!(f, "not offered, a service of {own}")?,
                    NotOffered::Here | NotOffered::Unknown(_) => f.write_str("not offered")?,
                }
                match required {
                    Required::IfOffered => f.write_str("; passed over because of its `?`"),
                    Required::Always => write!(f, "; {}", consequence(*remove)),
                }
            }
        }
    }
}

/// What comes of a service that is required and cannot be served.
fn consequence(remove: Remove) -> &'static str {
    match remove {
        Remove::AfterEndpoints => "routes to the internet stay for it",
        Remove::Immediately => "nothing serves it",
    }
}

fn list_of(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Gateway => "gateway_endpoints",
        EndpointKind::Interface => "interface_endpoints",
    }
}

fn did_you_mean(similar: &[&str]) -> String {
    let similar: Vec<String> = similar.iter().map(|name| format!("`{name}`")).collect();
    match similar.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", similar.join(" or ")),
    }
}

/// What this release's own list says against a service.
pub(super) fn unknown(it: Listed<'_>) -> Option<String> {
    let (place, service): (String, &Service) = (it.place(), &it.listed.service);
    let other = match (known(service), it.kind) {
        (None, _) => {
            return Some(format!(
                "`{place}`: `{service}` is not a service that this release knows{}",
                did_you_mean(&similar(service))
            ));
        }
        (Some(KnownAs { gateway: true, .. }), EndpointKind::Gateway)
        | (Some(KnownAs { interface: true, .. }), EndpointKind::Interface) => return None,
        (Some(_), EndpointKind::Gateway) => EndpointKind::Interface,
        (Some(_), EndpointKind::Interface) => EndpointKind::Gateway,
    };
    Some(format!(
        "`{place}`: as far as this release knows, `{service}` has {other} endpoints and no {} ones; \
         list it in `{}`",
        it.kind,
        list_of(other)
    ))
}

/// Says that all that the baseline promises is passed over here, where it removes routes.
pub(super) fn nothing_promised(baseline: &Baseline, offers: &[ServiceOffer]) -> Option<String> {
    let is_passed_over =
        |it: &ServiceOffer| matches!(it.offer, Offer::Not { required: Required::IfOffered, .. });
    let none = !offers.is_empty() && offers.iter().all(is_passed_over);
    (none && baseline.mode_of(RuleId::InternetRoute) == Mode::Repair).then(|| {
        "every service of the baseline is passed over here, and `internet-route` repairs, so that a \
         route goes whatever clients reach through it; list what they use without `?`"
            .to_owned()
    })
}
