//! The core's cloud, over EC2.

mod allowance;
pub(crate) mod apply;
mod cache;
pub(crate) mod concurrent;
pub(crate) mod convert;
mod dependent_reads;
pub(crate) mod observe;
pub(crate) mod read;
mod resolve;
mod tag;

pub use allowance::{Allowance, REPAIRS_AT_ONCE};
pub use tag::set_tag;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::Client;
use guardrail::baseline::ManagedVpcs;
use guardrail::cloud::{
    ASK_PROBE, Answer, CallError, Cloud, ErrorClass, NatTraffic, Observation, Survey, Unread,
};
use guardrail::ec2::change::Call;
use guardrail::ec2::id::{NatGatewayId, Place, Region, Scope, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{EndpointService, PrefixList, World};
use guardrail::probe::{self, ProbeName, Question};
use jiff::Timestamp;

use crate::cloudwatch::Metrics;
use crate::ec2::cache::Cache;
use crate::ec2::observe::{Within, every_vpc};
use crate::ec2::read::Reads;
use crate::probes::Probes;
use crate::sdk::clients::Clients;
use crate::sdk::clock;

/// EC2 as one set of clients reaches it: the clouds of all places in their Region.
///
/// What is the same for everybody in a Region (AWS's prefix lists, the services on offer) is read
/// once for all of them and kept: AWS changes its prefix lists every few weeks, and its list of
/// services every few months.
#[derive(Debug, Clone)]
pub struct Clouds(Arc<InRegion>);

/// What the clouds of a Region share.
#[derive(Debug)]
pub(crate) struct InRegion {
    pub(crate) reads: Reads,
    metrics: Metrics,
    probes: Probes,
    region: Region,
    pub(crate) offered: Cache<Vec<EndpointService>>,
    pub(crate) aws_lists: Cache<Vec<PrefixList>>,
    /// For calls that change something.
    changes: Client,
}

/// A place that these clients do not reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{place}` is not in `{region}`, where these clients are; use clients of its Region")]
pub struct AnotherRegion {
    place: Place,
    region: Region,
}

impl Clouds {
    /// EC2 as these clients reach it, read within this allowance. Makes no call.
    pub fn new(clients: &Clients, allowance: Allowance) -> Self {
        Self(Arc::new(InRegion {
            reads: Reads::new(Client::new(clients.config()), allowance),
            metrics: Metrics::new(clients),
            probes: Probes::new(clients),
            region: clients.region().clone(),
            offered: Cache::for_minutes(60),
            aws_lists: Cache::for_minutes(10),
            changes: Client::from_conf(clients.for_changes()),
        }))
    }

    /// The cloud of a place. Makes no call: whether the clients' credentials are of its account,
    /// only AWS can say.
    ///
    /// # Errors
    /// When the place is in a Region that the clients do not reach: they would answer, about the
    /// wrong one.
    pub fn at(&self, place: &Place) -> Result<Aws, AnotherRegion> {
        if place.region == self.0.region {
            Ok(Aws { place: place.clone(), shared: Arc::clone(&self.0) })
        } else {
            Err(AnotherRegion { place: place.clone(), region: self.0.region.clone() })
        }
    }

    /// Reads what is the same for everybody in the Region, so that the first event finds it read,
    /// and the connection up. A read that fails here is made again when it is needed, and its fault
    /// told then.
    pub async fn prepare(&self) {
        let _ = tokio::join!(self.0.aws_prefix_lists(), self.0.services_on_offer());
    }
}

/// EC2 in one account and Region, as [`Clouds::at`] gives it.
///
/// Reads are complete or say what is missing. But for what the clouds of a Region share, everything
/// is read anew each time.
#[derive(Debug, Clone)]
pub struct Aws {
    place: Place,
    pub(crate) shared: Arc<InRegion>,
}

impl Aws {
    /// Reads these sections for all VPCs of the account that are managed. All but the DNS attributes,
    /// which are read whatever the sections are, take a number of calls that grows with the pages of resources and not with the VPCs; the
    /// attributes take two calls for each VPC. A VPC whose attributes could not be read is absent
    /// from the world's `vpc_attributes`, and `unread` says why. Where the VPCs could not be
    /// listed, there is nothing in the attributes either.
    pub async fn observe_managed(
        &self,
        managed: &ManagedVpcs,
        sections: &[Section],
    ) -> Observation {
        let sections: Vec<_> =
            sections.iter().copied().filter(|section| *section != Section::VpcAttributes).collect();
        let within = Within::Region { account: &self.place.account, managed };
        let mut seen = self.look(&within, &sections, empty(&self.place)).await;
        let vpcs: Vec<VpcId> =
            seen.world.vpcs.iter().flatten().map(|vpc| vpc.vpc_id.clone()).collect();
        let attributes = crate::ec2::observe::attributes(&self.shared.reads, &vpcs).await;
        seen.world.refresh(attributes.world, &[Section::VpcAttributes]);
        seen.unread.extend(attributes.unread);
        seen
    }

    /// The managed VPCs of the account, in the order of their ids.
    ///
    /// # Errors
    /// When they could not all be listed.
    pub async fn managed_vpcs(&self, managed: &ManagedVpcs) -> Result<Vec<VpcId>, CallError> {
        let within = Within::Region { account: &self.place.account, managed };
        let mut ids: Vec<_> = every_vpc(&self.shared.reads, &within)
            .await?
            .into_iter()
            .map(|vpc| vpc.vpc_id)
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The fault of asking one place's cloud about another place: it would answer, about the wrong
    /// one.
    fn elsewhere(&self, scope: &Scope, operation: &str) -> Option<CallError> {
        let (here, there) = (&self.place, scope.place());
        (there != *here).then(|| CallError {
            operation: operation.to_owned(),
            class: ErrorClass::Invalid,
            code: None,
            message: format!(
                "`{}` is in `{there}` and these clients are used for `{here}`; use clients of `{there}`",
                scope.vpc
            ),
        })
    }
}

impl Cloud for Aws {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn uptime(&self) -> Duration {
        clock::uptime()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        let base = empty(&scope.place());
        if let Some(error) = self.elsewhere(scope, "Observe") {
            let unread = sections
                .iter()
                .map(|section| Unread { section: *section, error: error.clone() })
                .collect();
            return Observation { world: base, unread };
        }
        self.look(&Within::Vpc(&scope.vpc), sections, base).await
    }

    async fn apply(&self, scope: &Scope, call: &Call) -> Answer {
        if let Some(error) = self.elsewhere(scope, call.operation().name()) {
            return Answer::without_id(Err(error));
        }
        apply::apply(&self.shared.changes, call).await
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn carried(&self, _scope: &Scope, nats: &[NatGatewayId]) -> Vec<NatTraffic> {
        self.shared.metrics.carried(nats, clock::now()).await
    }

    async fn ask_probe(
        &self,
        scope: &Scope,
        probe: &ProbeName,
        question: &Question,
    ) -> Result<probe::Answer, CallError> {
        match self.elsewhere(scope, ASK_PROBE) {
            Some(error) => Err(error),
            None => self.shared.probes.ask(probe, question).await,
        }
    }
}

/// All managed VPCs of the place at once.
impl Survey for Aws {
    fn time(&self) -> Timestamp {
        clock::now()
    }

    async fn survey(&self, managed: &ManagedVpcs) -> Observation {
        let within = Within::Region { account: &self.place.account, managed };
        let sections: Vec<Section> = Section::judged()
            .into_iter()
            .filter(|section| *section != Section::VpcAttributes)
            .collect();
        self.look(&within, &sections, empty(&self.place)).await
    }

    async fn dns_attributes(&self, vpcs: &[VpcId]) -> Observation {
        crate::ec2::observe::attributes(&self.shared.reads, vpcs).await
    }
}

/// A world of this place in which nothing was read.
fn empty(place: &Place) -> World {
    World {
        region: Some(place.region.clone()),
        account_id: Some(place.account.clone()),
        ..World::default()
    }
}
