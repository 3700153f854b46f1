//! Internet gateways and instances. Instances have no section in a world file, and a world may be
//! without the gateways': then they are read off what leads to them.

use std::collections::{BTreeMap, BTreeSet};

use guardrail::ec2::id::{InstanceId, InterfaceId, SubnetId, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{
    EgressOnlyInternetGateway, GatewayAttachment, InternetGateway, Tag, World,
};

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
        all.extend(read_off_routes().filter(|it| !known.contains(&it.internet_gateway_id)));
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
        all.extend(read_off_routes().filter(|it| !known.contains(&id(it))));
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
            });
            instance.network_interface_ids.push(eni.network_interface_id.clone());
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

fn described(section: Section, found: World) -> Response {
    Response::Described { section, found: Box::new(found), next_token: None }
}

/// All in one page, which EC2 may do whatever `MaxResults` says.
fn chosen<T: Described>(all: Vec<T>, query: &Query) -> Result<Vec<T>, ApiError> {
    if let Some(id) = query.ids.iter().find(|id| !all.iter().any(|thing| thing.id() == id.as_str()))
    {
        return Err(ApiError::not_found(T::NOT_FOUND, T::WHAT, id));
    }
    check::<T>(&query.filters)?;
    let named = |thing: &T| query.ids.is_empty() || query.ids.iter().any(|id| thing.id() == id);
    Ok(all.into_iter().filter(|thing| named(thing) && passes(thing, &query.filters)).collect())
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
    const FILTERS: &'static [&'static str] = &["instance-id", "vpc-id", "subnet-id"];

    fn id(&self) -> &str {
        self.instance_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &[]
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "instance-id" => vec![self.instance_id.to_string()],
            "vpc-id" => self.vpc_id.iter().map(ToString::to_string).collect(),
            "subnet-id" => self.subnet_id.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }
}
