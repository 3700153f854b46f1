//! From the ids a call names to the VPCs they belong to.

use std::collections::BTreeSet;

use guardrail::cloud::CallError;
use guardrail::ec2::id::VpcId;
use guardrail::ec2::resource_id::{ResourceId, ResourceKind};
use guardrail::inbox::detect::Resolved;

use crate::Aws;
use crate::ec2::observe::by_values;
use crate::ec2::read::{self, Reads, filter};

impl Aws {
    /// Looks up which VPCs these ids belong to: one call for each kind of id, all at once, and none
    /// for a VPC's own id. Ids go into filters, because one that is unknown there finds nothing
    /// instead of failing the call. A prefix list is never among those that are gone: where none
    /// uses it, it concerns no VPC.
    ///
    /// # Errors
    /// When a look-up fails: then nothing can be said of any of the ids.
    pub async fn resolve(&self, ids: &[ResourceId]) -> Result<Resolved, CallError> {
        let look = LookUp { reads: &self.shared.reads, ids };
        let (
            tables,
            associations,
            subnets,
            endpoints,
            gateways,
            groups,
            interfaces,
            internet,
            acls,
            lists,
        ) = tokio::join!(
            look.tables(),
            look.associations(),
            look.subnets(),
            look.endpoints(),
            look.nat_gateways(),
            look.groups(),
            look.interfaces(),
            look.internet_gateways(),
            look.network_acls(),
            look.prefix_lists(),
        );
        let mut found: Vec<Found> = Vec::new();
        for id in ids {
            if let ResourceId::Vpc(vpc) = id {
                found.push(Found::new(vpc.as_str(), vpc.clone()));
            }
        }
        for some in [
            tables,
            associations,
            subnets,
            endpoints,
            gateways,
            groups,
            interfaces,
            internet,
            acls,
            lists,
        ] {
            found.extend(some?);
        }
        let known: BTreeSet<&str> = found.iter().filter_map(|found| found.by.as_deref()).collect();
        let gone = ids
            .iter()
            .filter(|id| !known.contains(id.as_str()) && id.kind() != ResourceKind::PrefixList)
            .cloned()
            .collect();
        Ok(Resolved { gone, vpcs: found.into_iter().map(|found| found.vpc).collect() })
    }
}

/// A VPC, and the id that was found to belong to it; `None` for a prefix list, of which AWS does
/// not say which it was.
struct Found {
    by: Option<String>,
    vpc: VpcId,
}

impl Found {
    fn new(by: impl Into<String>, vpc: VpcId) -> Self {
        Self { by: Some(by.into()), vpc }
    }
}

struct LookUp<'a> {
    reads: &'a Reads,
    ids: &'a [ResourceId],
}

impl LookUp<'_> {
    fn of(&self, kind: ResourceKind) -> Vec<String> {
        self.ids.iter().filter(|id| id.kind() == kind).map(ToString::to_string).collect()
    }

    async fn tables(&self) -> Result<Vec<Found>, CallError> {
        let ids = self.of(ResourceKind::RouteTable);
        let tables = by_values("route-table-id", ids, async |filters| {
            read::route_tables(self.reads, filters).await
        });
        Ok(tables
            .await?
            .into_iter()
            .map(|table| Found::new(table.route_table_id, table.vpc_id))
            .collect())
    }

    async fn associations(&self) -> Result<Vec<Found>, CallError> {
        let ids = self.of(ResourceKind::Association);
        let filter = "association.route-table-association-id";
        let tables =
            by_values(filter, ids, async |filters| read::route_tables(self.reads, filters).await)
                .await?;
        let found = tables.into_iter().flat_map(|table| {
            let ids = table
                .associations
                .into_iter()
                .filter_map(|association| association.route_table_association_id);
            ids.map(move |id| Found::new(id, table.vpc_id.clone()))
        });
        Ok(found.collect())
    }

    async fn subnets(&self) -> Result<Vec<Found>, CallError> {
        let ids = self.of(ResourceKind::Subnet);
        let subnets =
            by_values("subnet-id", ids, async |filters| read::subnets(self.reads, filters).await);
        Ok(subnets
            .await?
            .into_iter()
            .map(|subnet| Found::new(subnet.subnet_id, subnet.vpc_id))
            .collect())
    }

    async fn endpoints(&self) -> Result<Vec<Found>, CallError> {
        let ids = self.of(ResourceKind::Endpoint);
        let endpoints = by_values("vpc-endpoint-id", ids, async |filters| {
            read::vpc_endpoints(self.reads, filters).await
        });
        Ok(endpoints
            .await?
            .into_iter()
            .map(|endpoint| Found::new(endpoint.vpc_endpoint_id, endpoint.vpc_id))
            .collect())
    }

    async fn nat_gateways(&self) -> Result<Vec<Found>, CallError> {
        let ids = self.of(ResourceKind::NatGateway);
        let gateways = by_values("nat-gateway-id", ids, async |filters| {
            read::nat_gateways(self.reads, filters).await
        });
        let found = gateways.await?.into_iter();
        Ok(found
            .filter_map(|gateway| Some(Found::new(gateway.nat_gateway_id, gateway.vpc_id?)))
            .collect())
    }

    async fn groups(&self) -> Result<Vec<Found>, CallError> {
        let ids = self.of(ResourceKind::SecurityGroup);
        let groups = by_values("group-id", ids, async |filters| {
            read::security_groups(self.reads, filters).await
        });
        let found = groups.await?.into_iter();
        Ok(found.filter_map(|group| Some(Found::new(group.group_id, group.vpc_id?))).collect())
    }

    /// Interfaces by their own ids, and instances by their interfaces.
    async fn interfaces(&self) -> Result<Vec<Found>, CallError> {
        let (interfaces, instances) =
            (self.of(ResourceKind::Interface), self.of(ResourceKind::Instance));
        let read = async |filters: &[_]| read::network_interfaces(self.reads, filters).await;
        let (by_id, by_instance) = tokio::join!(
            by_values("network-interface-id", interfaces, read),
            by_values("attachment.instance-id", instances, read),
        );
        let by_id = by_id?.into_iter();
        let mut found: Vec<Found> = by_id
            .filter_map(|interface| {
                Some(Found::new(interface.network_interface_id, interface.vpc_id?))
            })
            .collect();
        found.extend(by_instance?.into_iter().filter_map(|interface| {
            let instance = interface.attachment?.instance_id?;
            Some(Found::new(instance, interface.vpc_id?))
        }));
        Ok(found)
    }

    /// Internet gateways, of both kinds.
    async fn internet_gateways(&self) -> Result<Vec<Found>, CallError> {
        let (both_ways, egress_only) = (
            self.of(ResourceKind::InternetGateway),
            self.of(ResourceKind::EgressOnlyInternetGateway),
        );
        let (attached, outward) = tokio::join!(
            by_values("internet-gateway-id", both_ways, async |filters| {
                read::internet_gateways(self.reads, filters).await
            }),
            async {
                if egress_only.is_empty() {
                    Ok(Vec::new())
                } else {
                    // AWS has no filter on their ids, and an id it does not know would be an error.
                    read::egress_only_internet_gateways(self.reads, &[]).await
                }
            },
        );
        let both_ways = attached?.into_iter().filter_map(|gateway| {
            let vpc = gateway.vpc().cloned()?;
            Some(Found::new(gateway.internet_gateway_id, vpc))
        });
        let outward = outward?.into_iter().filter_map(|gateway| {
            let vpc = gateway.vpc().cloned()?;
            Some(Found::new(gateway.egress_only_internet_gateway_id, vpc))
        });
        let outward =
            outward.filter(|found| found.by.as_ref().is_some_and(|by| egress_only.contains(by)));
        Ok(both_ways.chain(outward).collect())
    }

    async fn network_acls(&self) -> Result<Vec<Found>, CallError> {
        let ids = self.of(ResourceKind::NetworkAcl);
        let acls = by_values("network-acl-id", ids, async |filters| {
            read::network_acls(self.reads, filters).await
        });
        let found = acls.await?.into_iter();
        Ok(found.filter_map(|acl| Some(Found::new(acl.network_acl_id, acl.vpc_id?))).collect())
    }

    /// The VPCs whose route tables or security groups use these prefix lists.
    async fn prefix_lists(&self) -> Result<Vec<Found>, CallError> {
        let ids = self.of(ResourceKind::PrefixList);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let by_routes = [filter("route.destination-prefix-list-id", ids.iter().cloned())];
        let by_groups = [filter("ip-permission.prefix-list-id", ids.iter().cloned())];
        let (tables, groups) = tokio::join!(
            read::route_tables(self.reads, &by_routes),
            read::security_groups(self.reads, &by_groups),
        );
        let routed = tables?.into_iter().map(|table| table.vpc_id);
        let admitted = groups?.into_iter().filter_map(|group| group.vpc_id);
        Ok(routed.chain(admitted).map(|vpc| Found { by: None, vpc }).collect())
    }
}
