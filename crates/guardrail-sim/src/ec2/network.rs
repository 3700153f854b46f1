//! Subnets, the attributes and blocks of a VPC, interfaces, tags.

use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{InterfaceId, SubnetId, VpcId, Zone};
use guardrail::ec2::world::{CidrAssociation, CidrState, Ipv6CidrAssociation, Subnet, Tag, Vpc};
use ipnet::IpNet;

use crate::ec2::associations::local_route;
use crate::ec2::errors::ApiError;
use crate::ec2::request::{Response, SubnetAttribute};
use crate::sim::Sim;

impl Sim {
    pub(crate) fn create_subnet(
        &mut self,
        vpc_id: &VpcId,
        cidr: &Cidr,
        zone: Option<&Zone>,
        tags: &[Tag],
    ) -> Result<Response, ApiError> {
        let vpc = self.vpc(vpc_id)?;
        let Some(net) = cidr.net() else { return Err(not_a_block("cidrBlock", cidr)) };
        if !vpc.cidrs().iter().filter_map(Cidr::net).any(|block| block.contains(&net)) {
            return Err(ApiError::new("InvalidSubnet.Range", format!("The CIDR '{cidr}' is invalid.")));
        }
        let siblings = || self.world.subnets.iter().flatten().filter(|subnet| subnet.vpc_id == *vpc_id);
        if siblings().filter_map(|s| s.cidr_block.as_ref()?.net()).any(|other| overlap(other, net)) {
            let message = format!("The CIDR '{cidr}' conflicts with another subnet");
            return Err(ApiError::new("InvalidSubnet.Conflict", message));
        }
        let zone = zone.or_else(|| siblings().map(|subnet| &subnet.availability_zone).min()).cloned();
        let zone = zone.ok_or_else(|| ApiError::new("MissingParameter", "AvailabilityZone must be given"))?;
        let (owner_id, arn_start) = (vpc.owner_id.clone(), self.arn_start(vpc));
        let subnet_id: SubnetId = self.ids.next("subnet-")?;
        let subnet = Subnet {
            subnet_id: subnet_id.clone(),
            vpc_id: vpc_id.clone(),
            availability_zone: zone,
            cidr_block: Some(Cidr::from(net)),
            ipv6_cidr_block_association_set: Vec::new(),
            available_ip_address_count: Some(usable_addresses(net)),
            ipv6_native: false,
            owner_id,
            subnet_arn: arn_start.map(|start| format!("{start}:subnet/{subnet_id}")),
            map_public_ip_on_launch: false,
            tags: tags.to_vec(),
        };
        self.bear(subnet_id.as_str());
        self.world.subnets.get_or_insert_default().push(subnet.clone());
        Ok(Response::Subnet(subnet))
    }

    pub(crate) fn modify_subnet_attribute(
        &mut self,
        id: &SubnetId,
        attribute: SubnetAttribute,
    ) -> Result<Response, ApiError> {
        self.subnet(id)?;
        let SubnetAttribute::MapPublicIpOnLaunch(value) = attribute;
        if let Some(subnet) = self.world.subnets.iter_mut().flatten().find(|subnet| subnet.subnet_id == *id) {
            subnet.map_public_ip_on_launch = value;
        }
        Ok(Response::Done)
    }

    pub(crate) fn modify_vpc_attribute(
        &mut self,
        id: &VpcId,
        attribute: DnsAttribute,
        value: bool,
    ) -> Result<Response, ApiError> {
        self.vpc(id)?;
        let attributes = self.world.vpc_attributes.get_or_insert_default().entry(id.clone()).or_default();
        match attribute {
            DnsAttribute::Hostnames if value && attributes.enable_dns_support == Some(false) => {
                let message = "enableDnsHostnames cannot be true while enableDnsSupport is false";
                return Err(ApiError::new("InvalidParameterCombination", message));
            }
            DnsAttribute::Hostnames => attributes.enable_dns_hostnames = Some(value),
            DnsAttribute::Support => attributes.enable_dns_support = Some(value),
        }
        Ok(Response::Done)
    }

    /// Every table of the VPC gets a local route for the new block.
    pub(crate) fn associate_cidr(&mut self, id: &VpcId, cidr: &Cidr) -> Result<Response, ApiError> {
        let vpc = self.vpc(id)?;
        let Some(net) = cidr.net() else { return Err(not_a_block("cidrBlock", cidr)) };
        if vpc.cidrs().iter().filter_map(Cidr::net).any(|block| overlap(block, net)) {
            let message = format!("The CIDR '{cidr}' conflicts with another block of {id}");
            return Err(ApiError::new("CidrConflict", message));
        }
        let cidr = Cidr::from(net);
        if let Some(vpc) = self.world.vpcs.iter_mut().flatten().find(|vpc| vpc.vpc_id == *id) {
            add_block(vpc, cidr.clone());
        }
        for table in self.world.route_tables.iter_mut().flatten().filter(|table| table.vpc_id == *id) {
            table.routes.push(local_route(cidr.clone()));
        }
        Ok(Response::Done)
    }

    pub(crate) fn modify_interface(&mut self, id: &InterfaceId, check: bool) -> Result<Response, ApiError> {
        if self.interface(id)?.requester_managed {
            let message = format!("You do not have permission to modify {id}: it is requester-managed");
            return Err(ApiError::new("OperationNotPermitted", message));
        }
        let found = self.world.network_interfaces.iter_mut().flatten().find(|eni| eni.network_interface_id == *id);
        if let Some(interface) = found {
            interface.source_dest_check = Some(check);
        }
        Ok(Response::Done)
    }

    pub(crate) fn create_tags(&mut self, resources: &[String], tags: &[Tag]) -> Result<Response, ApiError> {
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
                // "If you omit this parameter, we delete all user-defined tags for the specified resources."
                if tags.is_empty() { tag.key.starts_with("aws:") } else { !tags.iter().any(named) }
            });
        })
    }

    /// All resources or none.
    fn change_tags(&mut self, resources: &[String], change: impl Fn(&mut Vec<Tag>)) -> Result<Response, ApiError> {
        for id in resources {
            if !self.is_settled(id) || self.tags_mut(id).is_none() {
                return Err(ApiError::new("InvalidID", format!("The ID '{id}' is not valid")));
            }
        }
        resources.iter().for_each(|id| {
            if let Some(tags) = self.tags_mut(id) {
                change(tags);
            }
        });
        Ok(Response::Done)
    }

    fn tags_mut(&mut self, id: &str) -> Option<&mut Vec<Tag>> {
        let world = &mut self.world;
        let kind = id.split_once('-').map_or("", |(kind, _)| kind);
        match kind {
            "vpc" => world.vpcs.iter_mut().flatten().find(|vpc| vpc.vpc_id == *id).map(|vpc| &mut vpc.tags),
            "subnet" => world.subnets.iter_mut().flatten().find(|s| s.subnet_id == *id).map(|s| &mut s.tags),
            "rtb" => world.route_tables.iter_mut().flatten().find(|t| t.route_table_id == *id).map(|t| &mut t.tags),
            "vpce" => world.vpc_endpoints.iter_mut().flatten().find(|e| e.vpc_endpoint_id == *id).map(|e| &mut e.tags),
            "nat" => world.nat_gateways.iter_mut().flatten().find(|n| n.nat_gateway_id == *id).map(|n| &mut n.tags),
            "sg" => world.security_groups.iter_mut().flatten().find(|g| g.group_id == *id).map(|g| &mut g.tags),
            _ => None,
        }
    }

    /// `arn:aws:ec2:<region>:<account>`, as far as the world says them.
    fn arn_start(&self, vpc: &Vpc) -> Option<String> {
        let like =
            self.world.subnets.iter().flatten().find(|s| s.vpc_id == vpc.vpc_id).and_then(|s| s.subnet_arn.clone());
        like.and_then(|arn| Some(arn.rsplit_once(":subnet/")?.0.to_owned()))
    }
}

fn add_block(vpc: &mut Vpc, cidr: Cidr) {
    let state = Some(CidrState { state: "associated".to_owned() });
    match cidr.net() {
        Some(IpNet::V6(_)) => {
            let association = Ipv6CidrAssociation { ipv6_cidr_block: cidr, ipv6_cidr_block_state: state };
            vpc.ipv6_cidr_block_association_set.push(association);
        }
        Some(IpNet::V4(_)) | None => {
            vpc.cidr_block_association_set.push(CidrAssociation { cidr_block: cidr, cidr_block_state: state });
        }
    }
}

fn not_a_block(parameter: &str, cidr: &Cidr) -> ApiError {
    ApiError::invalid_value(format!(
        "Value ({cidr}) for parameter {parameter} is invalid. This is not a valid CIDR block."
    ))
}

fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// AWS keeps five addresses of every subnet.
fn usable_addresses(net: IpNet) -> u32 {
    let bits = u32::from(net.max_prefix_len() - net.prefix_len());
    1u32.checked_shl(bits).unwrap_or(u32::MAX).saturating_sub(5)
}
