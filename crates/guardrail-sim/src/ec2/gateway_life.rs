//! Internet gateways and egress-only ones: made, attached, detached and deleted.

use guardrail::ec2::id::{EgressOnlyInternetGatewayId, InternetGatewayId, VpcId};
use guardrail::ec2::world::{
    EgressOnlyInternetGateway, GatewayAttachment, InternetGateway, Route, RouteState, Tag,
};

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::ec2::vpc_life::in_use;
use crate::sim::Sim;

impl Sim {
    pub(crate) fn create_internet_gateway(&mut self, tags: &[Tag]) -> Result<Response, ApiError> {
        let internet_gateway_id: InternetGatewayId = self.ids.next("igw-")?;
        let gateway = InternetGateway {
            internet_gateway_id: internet_gateway_id.clone(),
            attachments: Vec::new(),
            tags: tags.to_vec(),
        };
        self.bear(internet_gateway_id.as_str());
        self.gateways.insert(internet_gateway_id.to_string());
        self.world.internet_gateways.get_or_insert_default().push(gateway.clone());
        Ok(Response::InternetGateway(gateway))
    }

    /// Routes to it are active again: a blackhole is a route whose target "isn't available (for
    /// example, the specified gateway isn't attached to the VPC)"
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html>). "An internet gateway can be attached to only one VPC at a time", and a VPC has one
    /// (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>).
    pub(crate) fn attach(
        &mut self,
        id: &InternetGatewayId,
        vpc_id: &VpcId,
    ) -> Result<Response, ApiError> {
        let gateway = self.internet_gateway(id)?;
        self.vpc(vpc_id)?;
        if gateway.vpc().is_some() {
            let message = format!("resource {id} is already attached to network {vpc_id}");
            return Err(ApiError::new("Resource.AlreadyAssociated", message));
        }
        if self.world.internet_gateways.iter().flatten().any(|it| it.vpc() == Some(vpc_id)) {
            let message = format!("Network {vpc_id} already has an internet gateway attached");
            return Err(ApiError::invalid(message));
        }
        let attached =
            GatewayAttachment { vpc_id: Some(vpc_id.clone()), state: Some("available".to_owned()) };
        if let Some(gateway) = self.internet_gateway_mut(id) {
            gateway.attachments = vec![attached];
        }
        let mut tables = self.world.route_tables.iter_mut().flatten();
        for table in tables.by_ref().filter(|table| table.vpc_id == *vpc_id) {
            let leading = |route: &&mut Route| route.gateway_id.as_deref() == Some(id.as_str());
            table.routes.iter_mut().filter(leading).for_each(|route| {
                route.state = Some(RouteState::Active);
            });
        }
        Ok(Response::Done)
    }

    /// "The VPC must not contain any running instances with Elastic IP addresses or public IPv4
    /// addresses." Routes to it are blackholes from then on.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html>
    pub(crate) fn detach(
        &mut self,
        id: &InternetGatewayId,
        vpc_id: &VpcId,
    ) -> Result<Response, ApiError> {
        if self.internet_gateway(id)?.vpc() != Some(vpc_id) {
            let message = format!("resource {id} is not attached to network {vpc_id}");
            return Err(ApiError::new("Gateway.NotAttached", message));
        }
        let mut interfaces = self.world.network_interfaces.iter().flatten();
        if interfaces.any(|eni| eni.vpc_id.as_ref() == Some(vpc_id) && eni.public_ip().is_some()) {
            let message = format!(
                "Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before \
                 detaching the gateway."
            );
            return Err(ApiError::new("DependencyViolation", message));
        }
        if let Some(gateway) = self.internet_gateway_mut(id) {
            gateway.attachments.clear();
        }
        self.blackhole(|route| route.gateway_id.as_deref() == Some(id.as_str()));
        Ok(Response::Done)
    }

    /// "You must detach the internet gateway from the VPC before you can delete it."
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteInternetGateway.html>
    pub(crate) fn delete_internet_gateway(
        &mut self,
        id: &InternetGatewayId,
    ) -> Result<Response, ApiError> {
        if self.internet_gateway(id)?.vpc().is_some() {
            return Err(in_use("internetGateway", id.as_str()));
        }
        self.gateways.remove(id.as_str());
        let all = self.world.internet_gateways.iter_mut();
        all.for_each(|all| all.retain(|it| it.internet_gateway_id != *id));
        Ok(Response::Done)
    }

    /// A token that was used gives the gateway that it made.
    pub(crate) fn create_egress_only_gateway(
        &mut self,
        vpc_id: &VpcId,
        token: Option<&str>,
        tags: &[Tag],
    ) -> Result<Response, ApiError> {
        let made = token.and_then(|token| self.made_by_token(token, "eigw-"));
        let mut all = self.world.egress_only_internet_gateways.iter().flatten();
        let made =
            made.and_then(|id| all.find(|it| *it.egress_only_internet_gateway_id.as_str() == id));
        if let Some(gateway) = made {
            return Ok(Response::EgressOnlyInternetGateway(gateway.clone()));
        }
        self.vpc(vpc_id)?;
        let id: EgressOnlyInternetGatewayId = self.ids.next("eigw-")?;
        let gateway = EgressOnlyInternetGateway {
            egress_only_internet_gateway_id: id.clone(),
            attachments: vec![GatewayAttachment {
                vpc_id: Some(vpc_id.clone()),
                state: Some("attached".to_owned()),
            }],
            tags: tags.to_vec(),
        };
        self.bear(id.as_str());
        self.gateways.insert(id.to_string());
        self.keep_token(token, id.as_str());
        let all = self.world.egress_only_internet_gateways.get_or_insert_default();
        all.push(gateway.clone());
        Ok(Response::EgressOnlyInternetGateway(gateway))
    }

    pub(crate) fn delete_egress_only_gateway(
        &mut self,
        id: &EgressOnlyInternetGatewayId,
    ) -> Result<Response, ApiError> {
        let is_it = |it: &EgressOnlyInternetGateway| it.egress_only_internet_gateway_id == *id;
        let all = self.world.egress_only_internet_gateways.iter().flatten();
        if !all.into_iter().any(is_it) || !self.is_settled(id.as_str()) {
            let code = "InvalidGatewayID.NotFound";
            return Err(ApiError::not_found(code, "eigw", id.as_str()));
        }
        self.gateways.remove(id.as_str());
        let all = self.world.egress_only_internet_gateways.iter_mut();
        all.for_each(|all| all.retain(|it| !is_it(it)));
        let target = Some(id.as_str());
        self.blackhole(|route| route.egress_only_internet_gateway_id.as_deref() == target);
        Ok(Response::Done)
    }

    /// What a client token made, of the kind with this prefix.
    pub(crate) fn made_by_token(&self, token: &str, prefix: &str) -> Option<String> {
        self.tokens.get(&format!("{prefix}{token}")).cloned()
    }

    /// Takes note of what a client token made: tokens of different calls do not meet.
    pub(crate) fn keep_token(&mut self, token: Option<&str>, id: &str) {
        let prefix = id.split_once('-').map_or("", |(prefix, _)| prefix);
        if let Some(token) = token {
            self.tokens.insert(format!("{prefix}-{token}"), id.to_owned());
        }
    }

    fn internet_gateway(&self, id: &InternetGatewayId) -> Result<&InternetGateway, ApiError> {
        let mut all = self.world.internet_gateways.iter().flatten();
        let found = all.find(|it| it.internet_gateway_id == *id);
        found.filter(|_| self.is_settled(id.as_str())).ok_or_else(|| {
            let code = "InvalidInternetGatewayID.NotFound";
            ApiError::not_found(code, "internetGateway", id.as_str())
        })
    }

    fn internet_gateway_mut(&mut self, id: &InternetGatewayId) -> Option<&mut InternetGateway> {
        let mut all = self.world.internet_gateways.iter_mut().flatten();
        all.find(|it| it.internet_gateway_id == *id)
    }
}
