//! Subnets: making one, and changing its attributes.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{SubnetId, VpcId, Zone};
use guardrail::ec2::world::{Subnet, Tag, Vpc};
use ipnet::IpNet;

use crate::ec2::errors::ApiError;
use crate::ec2::request::{Response, SubnetAttribute};
use crate::ec2::vpcs::{not_a_block, overlap};
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

    /// `arn:aws:ec2:<region>:<account>`, as far as the world says them.
    fn arn_start(&self, vpc: &Vpc) -> Option<String> {
        let like =
            self.world.subnets.iter().flatten().find(|s| s.vpc_id == vpc.vpc_id).and_then(|s| s.subnet_arn.clone());
        like.and_then(|arn| Some(arn.rsplit_once(":subnet/")?.0.to_owned()))
    }
}

/// AWS keeps five addresses of every subnet.
fn usable_addresses(net: IpNet) -> u32 {
    let bits = u32::from(net.max_prefix_len() - net.prefix_len());
    1u32.checked_shl(bits).unwrap_or(u32::MAX).saturating_sub(5)
}
