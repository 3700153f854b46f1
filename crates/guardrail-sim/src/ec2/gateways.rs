//! Internet gateways and instances: a world file has no section for them, so they are read off what
//! leads to them.

use std::collections::{BTreeMap, BTreeSet};

use guardrail::ec2::id::{InstanceId, InterfaceId, SubnetId, VpcId};
use guardrail::ec2::world::{Tag, World};

use crate::ec2::errors::ApiError;
use crate::ec2::filters::{Described, check, passes};
use crate::ec2::request::{Query, Response};
use crate::sim::Sim;

/// An internet gateway, and the VPC whose routes lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternetGateway {
    /// `InternetGatewayId`.
    pub id: String,
    /// `Attachments[].VpcId`; `None` where nothing leads there.
    pub vpc_id: Option<VpcId>,
}

/// An egress-only internet gateway, and the VPC whose routes lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressOnlyGateway(pub InternetGateway);

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
        let found = chosen(self.gateways_of(world, "igw-"), query)?;
        Ok(Response::InternetGateways(found))
    }

    pub(crate) fn egress_only_gateways(
        &self,
        world: &World,
        query: &Query,
    ) -> Result<Response, ApiError> {
        let all = self.gateways_of(world, "eigw-").into_iter().map(EgressOnlyGateway).collect();
        Ok(Response::EgressOnlyGateways(chosen(all, query)?))
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

    fn gateways_of(&self, world: &World, prefix: &str) -> Vec<InternetGateway> {
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
        ids.map(|id| InternetGateway { vpc_id: vpc_of(&id), id }).collect()
    }
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
        &self.id
    }
    fn tags(&self) -> &[Tag] {
        &[]
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "internet-gateway-id" => vec![self.id.clone()],
            "attachment.vpc-id" => self.vpc_id.iter().map(ToString::to_string).collect(),
            "attachment.state" => self.vpc_id.iter().map(|_| "available".to_owned()).collect(),
            _ => Vec::new(),
        }
    }
}

/// AWS has filters on its tags only.
impl Described for EgressOnlyGateway {
    const NOT_FOUND: &'static str = "InvalidEgressOnlyInternetGatewayId.NotFound";
    const WHAT: &'static str = "egressOnlyInternetGateway";
    const FILTERS: &'static [&'static str] = &[];

    fn id(&self) -> &str {
        &self.0.id
    }
    fn tags(&self) -> &[Tag] {
        &[]
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
