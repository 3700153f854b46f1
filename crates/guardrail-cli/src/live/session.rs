//! Signed in to one account and Region, and what is read there.

use guardrail::baseline::ManagedVpcs;
use guardrail::cloud::{Cloud as _, Observation};
use guardrail::ec2::id::{Place, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail_aws::{Allowance, Aws, ClientOptions, Clients, Clouds};

use crate::arguments::PlaceArgs;
use crate::error::{BadInput, Unavailable};
use crate::narrow::narrow;

pub(crate) struct Session {
    pub(crate) clients: Clients,
    pub(crate) place: Place,
}

impl Session {
    /// Finds credentials, and asks AWS whose they are.
    pub(crate) async fn open(arguments: &PlaceArgs) -> Result<Self, Unavailable> {
        let clients = clients(arguments).await?;
        let account = clients.account().await.map_err(|error| Unavailable::NoIdentity { error })?;
        let place = Place { account, region: clients.region().clone() };
        Ok(Self { clients, place })
    }

    /// The cloud of the place.
    pub(crate) fn cloud(&self) -> Result<Aws, Unavailable> {
        Ok(Clouds::new(&self.clients, Allowance::unlimited()).at(&self.place)?)
    }

    /// Reads these VPCs, or every managed one: a single one as the repair function does, more as
    /// the sweep function does.
    pub(crate) async fn read(
        &self,
        aws: &Aws,
        vpcs: &[VpcId],
        managed: &ManagedVpcs,
    ) -> Result<Observation, BadInput> {
        let mut seen = match vpcs {
            [vpc] => aws.observe(&self.place.scope(vpc), &Section::ALL).await,
            [] => aws.observe_managed(managed, &Section::ALL).await,
            [_, ..] => aws.observe_managed(&ManagedVpcs::All, &Section::ALL).await,
        };
        if let Some(unread) = seen.unread.iter().find(|unread| unread.section == Section::Vpcs) {
            return Err(Unavailable::NoVpcs { error: unread.error.clone() }.into());
        }
        narrow(&mut seen.world, vpcs)?;
        Ok(seen)
    }
}

/// The clients of the account and Region that the arguments name, with credentials.
pub(crate) async fn clients(place: &PlaceArgs) -> Result<Clients, Unavailable> {
    let options = ClientOptions {
        region: place.region.clone(),
        profile: place.profile.clone(),
        ..ClientOptions::default()
    };
    let clients = Clients::load(&options).await?;
    clients.find_credentials().await?;
    Ok(clients)
}
