//! The attributes and the blocks of a VPC.

use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{DhcpOptionsId, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{CidrAssociation, CidrState, CidrStateCode, Ipv6CidrAssociation, Vpc};
use ipnet::IpNet;

use crate::ec2::associations::local_route;
use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::sim::Sim;

impl Sim {
    pub(crate) fn modify_vpc_attribute(
        &mut self,
        id: &VpcId,
        attribute: DnsAttribute,
        value: bool,
    ) -> Result<Response, ApiError> {
        self.vpc(id)?;
        let attributes =
            self.world.vpc_attributes.get_or_insert_default().entry(id.clone()).or_default();
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

    /// With `default` the VPC has no set of DHCP options. A set that a world file does not hold is not
    /// there, unless the world came without the section.
    pub(crate) fn associate_dhcp_options(
        &mut self,
        set: &DhcpOptionsId,
        id: &VpcId,
    ) -> Result<Response, ApiError> {
        self.vpc(id)?;
        let mut known = self.world.dhcp_options.iter().flatten();
        let is_there = set.as_str() == "default"
            || self.is_unknown(Section::DhcpOptions)
            || known.any(|known| known.dhcp_options_id == *set);
        if !is_there {
            let code = "InvalidDhcpOptionID.NotFound";
            return Err(ApiError::not_found(code, "dhcpOptions", set.as_str()));
        }
        if let Some(vpc) = self.world.vpcs.iter_mut().flatten().find(|vpc| vpc.vpc_id == *id) {
            vpc.dhcp_options_id = Some(set.clone());
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
        for table in
            self.world.route_tables.iter_mut().flatten().filter(|table| table.vpc_id == *id)
        {
            table.routes.push(local_route(cidr.clone()));
        }
        Ok(Response::Done)
    }
}

fn add_block(vpc: &mut Vpc, cidr: Cidr) {
    let state = Some(CidrState { state: CidrStateCode::Associated });
    match cidr.net() {
        Some(IpNet::V6(_)) => {
            let association =
                Ipv6CidrAssociation { ipv6_cidr_block: cidr, ipv6_cidr_block_state: state };
            vpc.ipv6_cidr_block_association_set.push(association);
        }
        Some(IpNet::V4(_)) | None => {
            vpc.cidr_block_association_set
                .push(CidrAssociation { cidr_block: cidr, cidr_block_state: state });
        }
    }
}

pub(crate) fn not_a_block(parameter: &str, cidr: &Cidr) -> ApiError {
    ApiError::invalid_value(format!(
        "Value ({cidr}) for parameter {parameter} is invalid. This is not a valid CIDR block."
    ))
}

pub(crate) fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}
