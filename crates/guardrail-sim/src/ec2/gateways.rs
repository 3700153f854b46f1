//! Internet gateways and instances. Instances have no section in a world file, and a world may be
//! without the gateways': then they are read off what leads to them.

use std::collections::{BTreeMap, BTreeSet};

use guardrail::ec2::id::{InstanceId, InterfaceId, SubnetId, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{
    EgressOnlyInternetGateway, GatewayAttachment, InternetGateway, RouteState, Tag, World,
};

use crate::ec2::beside::{InstanceState, ProfileAssociation, RunInstance};
use crate::ec2::errors::ApiError;
use crate::ec2::filters::{Described, check, passes};
use crate::ec2::request::{Query, Response};
use crate::sim::Sim;

/// An instance, as far as its interfaces tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Instance {
    pub instance_id: InstanceId,
    pub vpc_id: Option<VpcId>,
    pub subnet_id: Option<SubnetId>,
    pub network_interface_ids: Vec<InterfaceId>,
    /// What is known besides, of one that was run here.
    pub run: Option<RunInstance>,
    pub profile: Option<ProfileAssociation>,
    pub tags: Vec<Tag>,
}

impl Sim {
    pub(crate) fn internet_gateways(
        &self,
        world: &World,
        query: &Query,
    ) -> Result<Response, ApiError> {
        let read_off_routes = || {
            let gateways = self.gateways_of(world, "igw-").into_iter();
            gateways.filter_map(|(id, attachments)| {
                let internet_gateway_id = id.parse().ok()?;
                Some(InternetGateway { internet_gateway_id, attachments, tags: Vec::new() })
            })
        };
        let mut all = world.internet_gateways.clone().unwrap_or_default();
        let known: BTreeSet<_> = all.iter().map(|it| it.internet_gateway_id.clone()).collect();
        let is_told = |it: &InternetGateway| {
            !known.contains(&it.internet_gateway_id)
                && !is_gone(world, it.internet_gateway_id.as_str())
        };
        all.extend(read_off_routes().filter(is_told));
        let found = chosen(all, query)?;
        let found = World { internet_gateways: Some(found), ..World::default() };
        Ok(described(Section::InternetGateways, found))
    }

    pub(crate) fn egress_only_gateways(
        &self,
        world: &World,
        query: &Query,
    ) -> Result<Response, ApiError> {
        let read_off_routes = || {
            let gateways = self.gateways_of(world, "eigw-").into_iter();
            gateways.filter_map(|(id, attachments)| {
                let egress_only_internet_gateway_id = id.parse().ok()?;
                let tags = Vec::new();
                Some(EgressOnlyInternetGateway {
                    egress_only_internet_gateway_id,
                    attachments,
                    tags,
                })
            })
        };
        let mut all = world.egress_only_internet_gateways.clone().unwrap_or_default();
        let id = |it: &EgressOnlyInternetGateway| it.egress_only_internet_gateway_id.clone();
        let known: BTreeSet<_> = all.iter().map(id).collect();
        let is_told = |it: &EgressOnlyInternetGateway| {
            !known.contains(&id(it)) && !is_gone(world, id(it).as_str())
        };
        all.extend(read_off_routes().filter(is_told));
        let found = chosen(all, query)?;
        let found = World { egress_only_internet_gateways: Some(found), ..World::default() };
        Ok(described(Section::EgressOnlyInternetGateways, found))
    }

    pub(crate) fn instances(&self, world: &World, query: &Query) -> Result<Response, ApiError> {
        let mut all: BTreeMap<InstanceId, Instance> = BTreeMap::new();
        for eni in world.network_interfaces.iter().flatten() {
            let Some(id) =
                eni.attachment.as_ref().and_then(|attachment| attachment.instance_id.clone())
            else {
                continue;
            };
            let instance = all.entry(id.clone()).or_insert_with(|| Instance {
                instance_id: id,
                vpc_id: eni.vpc_id.clone(),
                subnet_id: eni.subnet_id.clone(),
                network_interface_ids: Vec::new(),
                run: None,
                profile: None,
                tags: Vec::new(),
            });
            instance.network_interface_ids.push(eni.network_interface_id.clone());
        }
        let beside = self.visible_beside();
        for run in &beside.instances {
            let instance = all.entry(run.instance_id.clone()).or_insert_with(|| Instance {
                instance_id: run.instance_id.clone(),
                // A terminated one is in no network any more.
                vpc_id: None,
                subnet_id: None,
                network_interface_ids: Vec::new(),
                run: None,
                profile: None,
                tags: Vec::new(),
            });
            instance.run = Some(run.clone());
        }
        for instance in all.values_mut() {
            let profiles = &beside.profile_associations;
            let profile = profiles.iter().find(|it| it.instance_id == instance.instance_id);
            instance.profile = profile.cloned();
            let tags = beside.tags.get(instance.instance_id.as_str());
            instance.tags = tags.cloned().unwrap_or_default();
        }
        Ok(Response::Instances(chosen(all.into_values().collect(), query)?))
    }

    /// The gateways that routes lead to, attached to the VPC whose routes they are, and those made
    /// known otherwise.
    fn gateways_of(&self, world: &World, prefix: &str) -> Vec<(String, Vec<GatewayAttachment>)> {
        let mut ids: BTreeSet<String> = self.gateways.clone();
        let tables = || world.route_tables.iter().flatten();
        ids.extend(
            tables()
                .flat_map(|table| &table.routes)
                .filter_map(|route| Some(route.target()?.unlisted()?.to_owned())),
        );
        let vpc_of = |id: &str| {
            let leads = |route: &guardrail::ec2::world::Route| {
                route.target().is_some_and(|target| target.unlisted() == Some(id))
            };
            tables().find(|table| table.routes.iter().any(leads)).map(|table| table.vpc_id.clone())
        };
        let ids = ids.into_iter().filter(|id| id.starts_with(prefix));
        let attached = |vpc: VpcId| GatewayAttachment {
            vpc_id: Some(vpc),
            state: Some("available".to_owned()),
        };
        ids.map(|id| (id.clone(), vpc_of(&id).map(attached).into_iter().collect())).collect()
    }
}

/// Whether routes say of a gateway that it is gone: all that lead to it are blackholes.
fn is_gone(world: &World, id: &str) -> bool {
    let routes = world.route_tables.iter().flatten().flat_map(|table| &table.routes);
    let mut leading = routes
        .filter(|route| route.target().is_some_and(|target| target.unlisted() == Some(id)))
        .peekable();
    leading.peek().is_some() && leading.all(|it| it.state == Some(RouteState::Blackhole))
}

fn described(section: Section, found: World) -> Response {
    Response::Described { section, found: Box::new(found), next_token: None }
}

/// All in one page, which EC2 may do whatever `MaxResults` says.
pub(crate) fn chosen<T: Described>(all: Vec<T>, query: &Query) -> Result<Vec<T>, ApiError> {
    if let Some(id) = query.ids.iter().find(|id| !all.iter().any(|thing| thing.id() == id.as_str()))
    {
        return Err(ApiError::not_found(T::NOT_FOUND, T::WHAT, id));
    }
    check::<T>(&query.filters)?;
    let named = |thing: &T| query.ids.is_empty() || query.ids.iter().any(|id| thing.id() == id);
    Ok(all.into_iter().filter(|thing| named(thing) && passes(thing, &[], &query.filters)).collect())
}

impl Instance {
    /// One that was not run here is running.
    pub(crate) fn state(&self) -> InstanceState {
        self.run.as_ref().map_or(InstanceState::Running, |run| run.state)
    }
}

impl Described for InternetGateway {
    const NOT_FOUND: &'static str = "InvalidInternetGatewayID.NotFound";
    const WHAT: &'static str = "internetGateway";
    const FILTERS: &'static [&'static str] =
        &["internet-gateway-id", "attachment.vpc-id", "attachment.state"];

    fn id(&self) -> &str {
        self.internet_gateway_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "internet-gateway-id" => vec![self.internet_gateway_id.to_string()],
            "attachment.vpc-id" => self.vpc().iter().map(ToString::to_string).collect(),
            "attachment.state" => {
                self.attachments.iter().filter_map(|attachment| attachment.state.clone()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// AWS has filters on its tags only.
impl Described for EgressOnlyInternetGateway {
    const NOT_FOUND: &'static str = "InvalidEgressOnlyInternetGatewayId.NotFound";
    const WHAT: &'static str = "egressOnlyInternetGateway";
    const FILTERS: &'static [&'static str] = &[];

    fn id(&self) -> &str {
        self.egress_only_internet_gateway_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

impl Described for Instance {
    const NOT_FOUND: &'static str = "InvalidInstanceID.NotFound";
    const WHAT: &'static str = "instance";
    const FILTERS: &'static [&'static str] = &[
        "instance-id",
        "vpc-id",
        "subnet-id",
        "image-id",
        "instance-type",
        "instance-state-name",
        "iam-instance-profile.arn",
    ];

    fn id(&self) -> &str {
        self.instance_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &self.tags
    }
    fn values(&self, filter: &str) -> Vec<String> {
        let run = self.run.iter();
        match filter {
            "image-id" => run.map(|it| it.image_id.clone()).collect(),
            "instance-type" => run.map(|it| it.instance_type.clone()).collect(),
            "instance-state-name" => vec![self.state().name_and_code().0.to_owned()],
            "iam-instance-profile.arn" => self.profile.iter().map(|it| it.arn.clone()).collect(),
            "instance-id" => vec![self.instance_id.to_string()],
            "vpc-id" => self.vpc_id.iter().map(ToString::to_string).collect(),
            "subnet-id" => self.subnet_id.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }
}
