//! What a network is built of: VPCs with what AWS makes along with each, gateways, network ACLs, sets
//! of DHCP options, and the end of each.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{
    DhcpOptionsId, EgressOnlyInternetGatewayId, InternetGatewayId, NetworkAclId, SecurityGroupId,
    SubnetId, VpcId,
};
use guardrail::ec2::world::{DhcpConfiguration, Tag};

use crate::ec2::errors::ApiError;
use crate::ec2::request::{Query, Response};
use crate::sim::Sim;

/// A call of what a network is built of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the variants and fields are AWS's operations and parameters, under AWS's names"
)]
pub enum NetworkCall {
    CreateVpc {
        cidr_block: Cidr,
        amazon_provided_ipv6_cidr_block: bool,
        tags: Vec<Tag>,
    },
    DeleteVpc {
        vpc_id: VpcId,
    },
    DeleteSubnet {
        subnet_id: SubnetId,
    },
    CreateInternetGateway {
        tags: Vec<Tag>,
    },
    AttachInternetGateway {
        internet_gateway_id: InternetGatewayId,
        vpc_id: VpcId,
    },
    DetachInternetGateway {
        internet_gateway_id: InternetGatewayId,
        vpc_id: VpcId,
    },
    DeleteInternetGateway {
        internet_gateway_id: InternetGatewayId,
    },
    CreateEgressOnlyInternetGateway {
        vpc_id: VpcId,
        client_token: Option<String>,
        tags: Vec<Tag>,
    },
    DeleteEgressOnlyInternetGateway {
        egress_only_internet_gateway_id: EgressOnlyInternetGatewayId,
    },
    DeleteSecurityGroup {
        group_id: SecurityGroupId,
    },
    /// `RevokeSecurityGroupIngress` with `SecurityGroupRuleId`.
    RevokeRules {
        group_id: SecurityGroupId,
        security_group_rule_ids: Vec<String>,
    },
    DescribeSecurityGroupRules(Query),
    CreateNetworkAcl {
        vpc_id: VpcId,
        client_token: Option<String>,
        tags: Vec<Tag>,
    },
    DeleteNetworkAcl {
        network_acl_id: NetworkAclId,
    },
    CreateDhcpOptions {
        dhcp_configurations: Vec<DhcpConfiguration>,
        tags: Vec<Tag>,
    },
    DeleteDhcpOptions {
        dhcp_options_id: DhcpOptionsId,
    },
}

impl NetworkCall {
    /// AWS's name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::CreateVpc { .. } => "CreateVpc",
            Self::DeleteVpc { .. } => "DeleteVpc",
            Self::DeleteSubnet { .. } => "DeleteSubnet",
            Self::CreateInternetGateway { .. } => "CreateInternetGateway",
            Self::AttachInternetGateway { .. } => "AttachInternetGateway",
            Self::DetachInternetGateway { .. } => "DetachInternetGateway",
            Self::DeleteInternetGateway { .. } => "DeleteInternetGateway",
            Self::CreateEgressOnlyInternetGateway { .. } => "CreateEgressOnlyInternetGateway",
            Self::DeleteEgressOnlyInternetGateway { .. } => "DeleteEgressOnlyInternetGateway",
            Self::DeleteSecurityGroup { .. } => "DeleteSecurityGroup",
            Self::RevokeRules { .. } => "RevokeSecurityGroupIngress",
            Self::DescribeSecurityGroupRules(_) => "DescribeSecurityGroupRules",
            Self::CreateNetworkAcl { .. } => "CreateNetworkAcl",
            Self::DeleteNetworkAcl { .. } => "DeleteNetworkAcl",
            Self::CreateDhcpOptions { .. } => "CreateDhcpOptions",
            Self::DeleteDhcpOptions { .. } => "DeleteDhcpOptions",
        }
    }
}

impl Sim {
    pub(crate) fn change_network(&mut self, call: &NetworkCall) -> Result<Response, ApiError> {
        use NetworkCall::*;
        match call {
            CreateVpc { cidr_block, amazon_provided_ipv6_cidr_block, tags } => {
                self.create_vpc(cidr_block, *amazon_provided_ipv6_cidr_block, tags)
            }
            DeleteVpc { vpc_id } => self.delete_vpc(vpc_id),
            DeleteSubnet { subnet_id } => self.delete_subnet(subnet_id),
            CreateInternetGateway { tags } => self.create_internet_gateway(tags),
            AttachInternetGateway { internet_gateway_id: id, vpc_id } => self.attach(id, vpc_id),
            DetachInternetGateway { internet_gateway_id: id, vpc_id } => self.detach(id, vpc_id),
            DeleteInternetGateway { internet_gateway_id } => {
                self.delete_internet_gateway(internet_gateway_id)
            }
            CreateEgressOnlyInternetGateway { vpc_id, client_token, tags } => {
                self.create_egress_only_gateway(vpc_id, client_token.as_deref(), tags)
            }
            DeleteEgressOnlyInternetGateway { egress_only_internet_gateway_id } => {
                self.delete_egress_only_gateway(egress_only_internet_gateway_id)
            }
            DeleteSecurityGroup { group_id } => self.delete_group(group_id),
            RevokeRules { group_id, security_group_rule_ids } => {
                self.revoke_by_id(group_id, security_group_rule_ids)
            }
            DescribeSecurityGroupRules(query) => self.group_rules(self.visible(), query),
            CreateNetworkAcl { vpc_id, client_token, tags } => {
                self.create_acl(vpc_id, client_token.as_deref(), tags)
            }
            DeleteNetworkAcl { network_acl_id } => self.delete_acl(network_acl_id),
            CreateDhcpOptions { dhcp_configurations, tags } => {
                self.create_dhcp_options(dhcp_configurations, tags)
            }
            DeleteDhcpOptions { dhcp_options_id } => self.delete_dhcp_options(dhcp_options_id),
        }
    }
}
