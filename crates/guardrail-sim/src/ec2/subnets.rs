//! Subnets: making one, and changing its attributes.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{SubnetId, VpcId, Zone};
use guardrail::ec2::world::{CidrStateCode, Subnet, Tag, Vpc};
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
            return Err(ApiError::new(
                "InvalidSubnet.Range",
                format!("The CIDR '{cidr}' is invalid."),
            ));
        }
        let siblings =
            || self.world.subnets.iter().flatten().filter(|subnet| subnet.vpc_id == *vpc_id);
        if siblings().filter_map(|s| s.cidr_block.as_ref()?.net()).any(|other| overlap(other, net))
        {
            let message = format!("The CIDR '{cidr}' conflicts with another subnet");
            return Err(ApiError::new("InvalidSubnet.Conflict", message));
        }
        let zone =
            zone.or_else(|| siblings().map(|subnet| &subnet.availability_zone).min()).cloned();
        // "AWS selects one for you."
        let first = self.world.region.as_ref().and_then(|region| format!("{region}a").parse().ok());
        let zone = zone.or(first);
        let zone = zone
            .ok_or_else(|| ApiError::new("MissingParameter", "AvailabilityZone must be given"))?;
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
            enable_dns64: Some(false),
            owner_id,
            subnet_arn: arn_start.map(|start| format!("{start}:subnet/{subnet_id}")),
            map_public_ip_on_launch: false,
            assign_ipv6_address_on_creation: false,
            tags: tags.to_vec(),
        };
        self.bear(subnet_id.as_str());
        self.world.subnets.get_or_insert_default().push(subnet.clone());
        self.bind_to_default_acl(vpc_id, &subnet_id)?;
        Ok(Response::Subnet(subnet))
    }

    pub(crate) fn modify_subnet_attribute(
        &mut self,
        id: &SubnetId,
        attribute: SubnetAttribute,
    ) -> Result<Response, ApiError> {
        let subnet = self.subnet(id)?;
        if attribute == SubnetAttribute::AssignIpv6AddressOnCreation(true)
            && !has_ipv6_block(subnet)
        {
            return Err(ApiError::invalid_value(format!(
                "Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set assign-ipv6-address-on-creation \
                 to true unless the subnet ({id}) has an IPv6 CIDR block associated with it."
            )));
        }
        if let Some(subnet) =
            self.world.subnets.iter_mut().flatten().find(|subnet| subnet.subnet_id == *id)
        {
            match attribute {
                SubnetAttribute::MapPublicIpOnLaunch(value) => {
                    subnet.map_public_ip_on_launch = value
                }
                SubnetAttribute::AssignIpv6AddressOnCreation(value) => {
                    subnet.assign_ipv6_address_on_creation = value
                }
            }
        }
        Ok(Response::Done)
    }

    /// `arn:aws:ec2:<region>:<account>`, as far as the world says them.
    fn arn_start(&self, vpc: &Vpc) -> Option<String> {
        let like = self
            .world
            .subnets
            .iter()
            .flatten()
            .find(|s| s.vpc_id == vpc.vpc_id)
            .and_then(|s| s.subnet_arn.clone());
        like.and_then(|arn| Some(arn.rsplit_once(":subnet/")?.0.to_owned()))
    }
}

/// A world file may leave the state out, of a block that is associated.
fn has_ipv6_block(subnet: &Subnet) -> bool {
    let states = subnet
        .ipv6_cidr_block_association_set
        .iter()
        .map(|block| block.ipv6_cidr_block_state.as_ref());
    states
        .into_iter()
        .any(|state| state.is_none_or(|state| state.state == CidrStateCode::Associated))
}

/// AWS keeps five addresses of every subnet.
fn usable_addresses(net: IpNet) -> u32 {
    let bits = u32::from(net.max_prefix_len() - net.prefix_len());
    1u32.checked_shl(bits).unwrap_or(u32::MAX).saturating_sub(5)
}
