//! Route tables themselves, and which subnet or gateway uses which.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{AssociationId, RouteTableId, SubnetId, VpcId};
use guardrail::ec2::world::{
    Association, AssociationState, AssociationStateCode, Route, RouteOrigin, RouteState,
    RouteTable, Tag,
};
use ipnet::IpNet;

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::sim::Sim;

/// The default quota.
const TABLES_PER_VPC: usize = 200;

impl Sim {
    pub(crate) fn create_route_table(
        &mut self,
        vpc_id: &VpcId,
        client_token: Option<&str>,
        tags: &[Tag],
    ) -> Result<Response, ApiError> {
        let made = client_token.and_then(|token| self.table_tokens.get(token));
        if let Some(table) = made.map(|id| self.table(id)).transpose()? {
            return Ok(Response::RouteTable(table.clone()));
        }
        let routes = self.vpc(vpc_id)?.cidrs().into_iter().map(local_route).collect();
        if self.world.route_tables.iter().flatten().filter(|table| table.vpc_id == *vpc_id).count()
            >= TABLES_PER_VPC
        {
            return Err(ApiError::new(
                "RouteTableLimitExceeded",
                "The maximum number of route tables has been reached.",
            ));
        }
        let route_table_id: RouteTableId = self.ids.next("rtb-")?;
        let table = RouteTable {
            route_table_id: route_table_id.clone(),
            vpc_id: vpc_id.clone(),
            associations: Vec::new(),
            routes,
            tags: tags.to_vec(),
        };
        self.bear(route_table_id.as_str());
        if let Some(token) = client_token {
            self.table_tokens.insert(token.to_owned(), route_table_id);
        }
        self.world.route_tables.get_or_insert_default().push(table.clone());
        Ok(Response::RouteTable(table))
    }

    pub(crate) fn delete_route_table(&mut self, id: &RouteTableId) -> Result<Response, ApiError> {
        if self.table(id)?.associations.iter().any(Association::is_live) {
            let message = format!("The routeTable '{id}' has dependencies and cannot be deleted.");
            return Err(ApiError::new("DependencyViolation", message));
        }
        self.world
            .route_tables
            .iter_mut()
            .for_each(|tables| tables.retain(|table| table.route_table_id != *id));
        for endpoint in self.world.vpc_endpoints.iter_mut().flatten() {
            endpoint.route_table_ids.retain(|table| table != id);
        }
        Ok(Response::Done)
    }

    pub(crate) fn associate_subnet(
        &mut self,
        table_id: &RouteTableId,
        subnet: &SubnetId,
    ) -> Result<Response, ApiError> {
        let vpc = self.table(table_id)?.vpc_id.clone();
        if self.subnet(subnet)?.vpc_id != vpc {
            let message =
                format!("route table {table_id} and subnet {subnet} belong to different networks");
            return Err(ApiError::invalid_value(message));
        }
        self.associate(
            table_id,
            |a| a.subnet_id.as_ref() == Some(subnet),
            |id| Association { subnet_id: Some(subnet.clone()), ..association(id) },
        )
    }

    pub(crate) fn associate_gateway(
        &mut self,
        table_id: &RouteTableId,
        gateway: &str,
    ) -> Result<Response, ApiError> {
        self.table(table_id)?;
        if !self.gateways.contains(gateway) {
            return Err(ApiError::not_found("InvalidGatewayID.NotFound", "gateway", gateway));
        }
        self.associate(
            table_id,
            |a| a.gateway_id.as_deref() == Some(gateway),
            |id| Association { gateway_id: Some(gateway.to_owned()), ..association(id) },
        )
    }

    /// A subnet without an association of its own is the main table's again: nothing is written for
    /// that.
    pub(crate) fn disassociate(&mut self, id: &AssociationId) -> Result<Response, ApiError> {
        let (table_id, old) = self.association(id)?;
        if old.main {
            let message = format!("cannot disassociate the main route table association {id}");
            return Err(ApiError::invalid_value(message));
        }
        self.remove_association(&table_id, id);
        Ok(Response::Done)
    }

    /// Moves a subnet, a gateway or the VPC's "main" to another table, under a new association id.
    pub(crate) fn replace_association(
        &mut self,
        id: &AssociationId,
        table_id: &RouteTableId,
    ) -> Result<Response, ApiError> {
        let (from, old) = self.association(id)?;
        let same_vpc = self.table(&from)?.vpc_id == self.table(table_id)?.vpc_id;
        if !same_vpc {
            let message =
                format!("route table {table_id} and association {id} belong to different networks");
            return Err(ApiError::invalid_value(message));
        }
        let new_id: AssociationId = self.ids.next("rtbassoc-")?;
        self.remove_association(&from, id);
        let new = Association { route_table_association_id: Some(new_id.clone()), ..old };
        self.add_association(table_id, new);
        Ok(Response::Association { association_id: new_id })
    }

    /// The table an association belongs to.
    pub(crate) fn association(
        &self,
        id: &AssociationId,
    ) -> Result<(RouteTableId, Association), ApiError> {
        let mut all = self.world.route_tables.iter().flatten().flat_map(|table| {
            table
                .associations
                .iter()
                .map(move |association| (table.route_table_id.clone(), association))
        });
        let found = all
            .find(|(_, association)| association.route_table_association_id.as_ref() == Some(id));
        let known = found.filter(|(_, a)| a.is_live() && self.is_settled(id.as_str()));
        known.map(|(table, association)| (table, association.clone())).ok_or_else(|| {
            ApiError::not_found("InvalidAssociationID.NotFound", "association", id.as_str())
        })
    }

    fn associate(
        &mut self,
        table_id: &RouteTableId,
        taken: impl Fn(&Association) -> bool,
        new: impl FnOnce(AssociationId) -> Association,
    ) -> Result<Response, ApiError> {
        let all = self.world.route_tables.iter().flatten().flat_map(|table| &table.associations);
        if all.filter(|association| association.is_live()).any(taken) {
            let message = format!(
                "the specified association for route table {table_id} conflicts with an existing association"
            );
            return Err(ApiError::new("Resource.AlreadyAssociated", message));
        }
        let id: AssociationId = self.ids.next("rtbassoc-")?;
        self.add_association(table_id, new(id.clone()));
        Ok(Response::Association { association_id: id })
    }

    fn add_association(&mut self, table_id: &RouteTableId, association: Association) {
        if let Some(id) = &association.route_table_association_id {
            self.bear(id.as_str());
        }
        if let Some(table) = self.table_mut(table_id) {
            table.associations.push(association);
        }
    }

    fn remove_association(&mut self, table_id: &RouteTableId, id: &AssociationId) {
        if let Some(table) = self.table_mut(table_id) {
            table.associations.retain(|a| a.route_table_association_id.as_ref() != Some(id));
        }
    }
}

fn association(id: AssociationId) -> Association {
    Association {
        route_table_association_id: Some(id),
        main: false,
        subnet_id: None,
        gateway_id: None,
        public_ipv4_pool: None,
        association_state: Some(AssociationState { state: AssociationStateCode::Associated }),
    }
}

/// The route every table of a VPC has for each of the VPC's blocks.
pub(crate) fn local_route(cidr: Cidr) -> Route {
    let (v4, v6) = match cidr.net() {
        Some(IpNet::V6(_)) => (None, Some(cidr)),
        Some(IpNet::V4(_)) | None => (Some(cidr), None),
    };
    Route {
        destination_cidr_block: v4,
        destination_ipv6_cidr_block: v6,
        gateway_id: Some("local".to_owned()),
        origin: Some(RouteOrigin::CreateRouteTable),
        state: Some(RouteState::Active),
        ..Route::default()
    }
}
