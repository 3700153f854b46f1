//! Setting and deleting tags, on any kind of thing that has them.

use guardrail::ec2::resource_id::ResourceId;
use guardrail::ec2::world::Tag;

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::sim::Sim;

impl Sim {
    pub(crate) fn create_tags(
        &mut self,
        resources: &[String],
        tags: &[Tag],
    ) -> Result<Response, ApiError> {
        self.change_tags(resources, |list| {
            for tag in tags {
                list.retain(|old| old.key != tag.key);
                list.push(tag.clone());
            }
        })
    }

    pub(crate) fn delete_tags(
        &mut self,
        resources: &[String],
        tags: &[(String, Option<String>)],
    ) -> Result<Response, ApiError> {
        self.change_tags(resources, |list| {
            list.retain(|tag| {
                let named = |(key, value): &(String, Option<String>)| {
                    *key == tag.key && value.as_ref().is_none_or(|value| *value == tag.value)
                };
                // "If you omit this parameter, we delete all user-defined tags for the specified
                // resources."
                if tags.is_empty() { tag.key.starts_with("aws:") } else { !tags.iter().any(named) }
            });
        })
    }

    /// Whether there is such a thing, of a kind that a world file has without tags, or not at all.
    fn is_tagged_beside(&self, id: &str) -> bool {
        let world = &self.world;
        self.beside.instances.iter().any(|it| *it.instance_id.as_str() == *id)
            || world.dhcp_options.iter().flatten().any(|it| *it.dhcp_options_id.as_str() == *id)
            || world.network_interfaces.iter().flatten().any(|it| it.network_interface_id == *id)
            || self.beside.prefix_lists.keys().any(|it| *it == *id)
    }

    /// All resources or none.
    fn change_tags(
        &mut self,
        resources: &[String],
        change: impl Fn(&mut Vec<Tag>),
    ) -> Result<Response, ApiError> {
        let mut ids = Vec::new();
        for text in resources {
            match self.is_settled(text) && self.tags_mut(text).is_some() {
                true => ids.push(text),
                false => {
                    return Err(ApiError::new(
                        "InvalidID",
                        format!("The ID '{text}' is not valid"),
                    ));
                }
            }
        }
        for id in &ids {
            if let Some(tags) = self.tags_mut(id) {
                change(tags);
            }
        }
        Ok(Response::Done)
    }

    fn tags_mut(&mut self, text: &str) -> Option<&mut Vec<Tag>> {
        if text.starts_with("eipalloc-") {
            let mut addresses = self.beside.addresses.iter_mut();
            return addresses.find(|it| it.allocation_id == text).map(|it| &mut it.tags);
        }
        if self.is_tagged_beside(text) {
            return Some(self.beside.tags.entry(text.to_owned()).or_default());
        }
        let world = &mut self.world;
        match &ResourceId::read(text)? {
            ResourceId::Vpc(id) => {
                world.vpcs.iter_mut().flatten().find(|v| v.vpc_id == *id).map(|v| &mut v.tags)
            }
            ResourceId::Subnet(id) => {
                world.subnets.iter_mut().flatten().find(|s| s.subnet_id == *id).map(|s| &mut s.tags)
            }
            ResourceId::RouteTable(id) => world
                .route_tables
                .iter_mut()
                .flatten()
                .find(|t| t.route_table_id == *id)
                .map(|t| &mut t.tags),
            ResourceId::Endpoint(id) => world
                .vpc_endpoints
                .iter_mut()
                .flatten()
                .find(|e| e.vpc_endpoint_id == *id)
                .map(|e| &mut e.tags),
            ResourceId::NatGateway(id) => world
                .nat_gateways
                .iter_mut()
                .flatten()
                .find(|n| n.nat_gateway_id == *id)
                .map(|n| &mut n.tags),
            ResourceId::SecurityGroup(id) => world
                .security_groups
                .iter_mut()
                .flatten()
                .find(|g| g.group_id == *id)
                .map(|g| &mut g.tags),
            ResourceId::NetworkAcl(id) => world
                .network_acls
                .iter_mut()
                .flatten()
                .find(|acl| acl.network_acl_id == *id)
                .map(|acl| &mut acl.tags),
            ResourceId::InternetGateway(id) => world
                .internet_gateways
                .iter_mut()
                .flatten()
                .find(|it| it.internet_gateway_id == *id)
                .map(|it| &mut it.tags),
            ResourceId::EgressOnlyInternetGateway(id) => world
                .egress_only_internet_gateways
                .iter_mut()
                .flatten()
                .find(|it| it.egress_only_internet_gateway_id == *id)
                .map(|it| &mut it.tags),
            ResourceId::Association(_)
            | ResourceId::OtherAssociation(_)
            | ResourceId::OtherGateway(_)
            | ResourceId::Interface(_)
            | ResourceId::Instance(_)
            | ResourceId::PrefixList(_) => None,
        }
    }
}
