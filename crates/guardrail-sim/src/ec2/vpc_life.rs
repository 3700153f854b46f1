//! The beginning of a VPC, with all that AWS makes along with it, and its end.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{
    AccountId, AssociationId, DhcpOptionsId, NetworkAclId, RouteTableId, SecurityGroupId, SubnetId,
    VpcId,
};
use guardrail::ec2::world::{
    Association, AssociationState, AssociationStateCode, CidrAssociation, CidrState, CidrStateCode,
    DhcpOptions, EndpointState, GroupPair, IpPermission, IpProtocol, Ipv6CidrAssociation,
    NatGatewayState, NetworkAcl, NetworkAclEntry, RouteTable, RuleAction, SecurityGroup, Tag, Vpc,
    VpcAttributes,
};
use ipnet::IpNet;

use crate::ec2::associations::local_route;
use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::ec2::vpcs::not_a_block;
use crate::sim::Sim;

/// The number of the rule that denies what no rule before it allowed, for IPv4; that for IPv6 is the
/// next.
const LAST_RULE: u32 = 32_767;

impl Sim {
    /// "The allowed block size is between a /28 netmask and /16 netmask."
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
    ///
    /// A new VPC has a main route table, a default network ACL and a default security group, and DNS
    /// support without DNS hostnames
    /// (<https://docs.aws.amazon.com/vpc/latest/userguide/create-vpc.html>,
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html>).
    pub(crate) fn create_vpc(
        &mut self,
        cidr: &Cidr,
        with_v6: bool,
        tags: &[Tag],
    ) -> Result<Response, ApiError> {
        let Some(IpNet::V4(net)) = cidr.net() else { return Err(not_a_block("cidrBlock", cidr)) };
        if !(16..=28).contains(&net.prefix_len()) {
            let message = format!("The CIDR '{cidr}' is invalid.");
            return Err(ApiError::new("InvalidVpc.Range", message));
        }
        let cidr = Cidr::from(IpNet::V4(net.trunc()));
        let state = || Some(CidrState { state: CidrStateCode::Associated });
        let v6 = with_v6.then(|| self.next_v6_block()).into_iter();
        let v6 = v6.map(|block| Ipv6CidrAssociation {
            ipv6_cidr_block: block,
            ipv6_cidr_block_state: state(),
        });
        let vpc = Vpc {
            vpc_id: self.ids.next("vpc-")?,
            owner_id: self.account(),
            cidr_block: Some(cidr.clone()),
            cidr_block_association_set: vec![CidrAssociation {
                cidr_block: cidr,
                cidr_block_state: state(),
            }],
            ipv6_cidr_block_association_set: v6.collect(),
            is_default: false,
            dhcp_options_id: self.default_dhcp_options(),
            tags: tags.to_vec(),
        };
        self.bear(vpc.vpc_id.as_str());
        self.world.vpcs.get_or_insert_default().push(vpc.clone());
        let attributes =
            VpcAttributes { enable_dns_support: Some(true), enable_dns_hostnames: Some(false) };
        self.world.vpc_attributes.get_or_insert_default().insert(vpc.vpc_id.clone(), attributes);
        self.add_main_table(&vpc)?;
        self.add_default_acl(&vpc)?;
        self.add_default_group(&vpc)?;
        Ok(Response::Vpc(vpc))
    }

    /// The account whose world it is, as the world says it or else as the owner of a VPC.
    pub(crate) fn account(&self) -> Option<AccountId> {
        let owner = self.world.vpcs.iter().flatten().find_map(|vpc| vpc.owner_id.clone());
        self.world.account_id.clone().or(owner)
    }

    /// "An Amazon-provided IPv6 CIDR block with a /56 prefix length": out of those that are for
    /// documentation, one after another.
    fn next_v6_block(&self) -> Cidr {
        let taken = |block: &Cidr| {
            let mut vpcs = self.world.vpcs.iter().flatten();
            vpcs.any(|vpc| {
                vpc.ipv6_cidr_block_association_set.iter().any(|it| it.ipv6_cidr_block == *block)
            })
        };
        let blocks = (0..=u8::MAX).map(|n| Cidr::from(format!("2001:db8:1234:{n:x}00::/56")));
        blocks.into_iter().find(|block| !taken(block)).unwrap_or("2001:db8:1234::/56".into())
    }

    /// The Region's default set, which has Amazon's name server and nothing else for one.
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html>
    fn default_dhcp_options(&self) -> Option<DhcpOptionsId> {
        let amazons = |set: &&DhcpOptions| {
            set.domain_name_servers().is_some_and(|servers| servers == ["AmazonProvidedDNS"])
        };
        let set = self.world.dhcp_options.iter().flatten().find(amazons);
        set.map(|set| set.dhcp_options_id.clone()).or_else(|| "default".parse().ok())
    }

    fn add_main_table(&mut self, vpc: &Vpc) -> Result<(), ApiError> {
        let route_table_id: RouteTableId = self.ids.next("rtb-")?;
        let association: AssociationId = self.ids.next("rtbassoc-")?;
        self.bear(route_table_id.as_str());
        self.bear(association.as_str());
        let main = Association {
            route_table_association_id: Some(association),
            main: true,
            subnet_id: None,
            gateway_id: None,
            public_ipv4_pool: None,
            association_state: Some(AssociationState { state: AssociationStateCode::Associated }),
        };
        self.world.route_tables.get_or_insert_default().push(RouteTable {
            route_table_id,
            vpc_id: vpc.vpc_id.clone(),
            associations: vec![main],
            routes: vpc.cidrs().into_iter().map(local_route).collect(),
            tags: Vec::new(),
        });
        Ok(())
    }

    /// "The default network ACL is configured to allow all traffic to flow in and out."
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html>
    fn add_default_acl(&mut self, vpc: &Vpc) -> Result<(), ApiError> {
        let network_acl_id: NetworkAclId = self.ids.next("acl-")?;
        self.bear(network_acl_id.as_str());
        let has_v6 = !vpc.ipv6_cidr_block_association_set.is_empty();
        let mut entries = closing_entries(has_v6);
        for egress in [true, false] {
            entries.push(entry(100, egress, RuleAction::Allow, Some("0.0.0.0/0".into()), None));
            if has_v6 {
                entries.push(entry(101, egress, RuleAction::Allow, None, Some("::/0".into())));
            }
        }
        self.world.network_acls.get_or_insert_default().push(NetworkAcl {
            network_acl_id,
            vpc_id: Some(vpc.vpc_id.clone()),
            is_default: true,
            owner_id: vpc.owner_id.clone(),
            associations: Vec::new(),
            entries,
            tags: Vec::new(),
        });
        Ok(())
    }

    /// It admits what comes from itself.
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html>
    fn add_default_group(&mut self, vpc: &Vpc) -> Result<(), ApiError> {
        let group_id: SecurityGroupId = self.ids.next("sg-")?;
        self.bear(group_id.as_str());
        let itself = GroupPair {
            group_id: Some(group_id.clone()),
            user_id: vpc.owner_id.as_ref().map(ToString::to_string),
        };
        self.world.security_groups.get_or_insert_default().push(SecurityGroup {
            group_id,
            group_name: "default".to_owned(),
            description: "default VPC security group".to_owned(),
            vpc_id: Some(vpc.vpc_id.clone()),
            owner_id: vpc.owner_id.clone(),
            ip_permissions: vec![IpPermission {
                ip_protocol: IpProtocol::All,
                user_id_group_pairs: vec![itself],
                ..IpPermission::default()
            }],
            tags: Vec::new(),
        });
        Ok(())
    }

    /// "You must detach or delete all gateways and resources that are associated with the VPC before
    /// you can delete it." What AWS made along with it goes along with it.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html>
    pub(crate) fn delete_vpc(&mut self, id: &VpcId) -> Result<Response, ApiError> {
        self.vpc(id)?;
        if self.is_used(id) {
            return Err(in_use("vpc", id.as_str()));
        }
        let world = &mut self.world;
        world.vpcs.iter_mut().for_each(|all| all.retain(|it| it.vpc_id != *id));
        world.route_tables.iter_mut().for_each(|all| all.retain(|it| it.vpc_id != *id));
        let others = |vpc: &Option<VpcId>| vpc.as_ref() != Some(id);
        world.network_acls.iter_mut().for_each(|all| all.retain(|it| others(&it.vpc_id)));
        world.security_groups.iter_mut().for_each(|all| all.retain(|it| others(&it.vpc_id)));
        if let Some(attributes) = &mut world.vpc_attributes {
            attributes.remove(id);
        }
        Ok(Response::Done)
    }

    fn is_used(&self, id: &VpcId) -> bool {
        let (world, here) = (&self.world, |vpc: Option<&VpcId>| vpc == Some(id));
        let is_main = |table: &RouteTable| table.associations.iter().any(|bound| bound.main);
        world.subnets.iter().flatten().any(|it| it.vpc_id == *id)
            || world.internet_gateways.iter().flatten().any(|it| here(it.vpc()))
            || world.egress_only_internet_gateways.iter().flatten().any(|it| here(it.vpc()))
            || world.route_tables.iter().flatten().any(|it| it.vpc_id == *id && !is_main(it))
            || world.network_interfaces.iter().flatten().any(|it| here(it.vpc_id.as_ref()))
            || world
                .security_groups
                .iter()
                .flatten()
                .any(|it| here(it.vpc_id.as_ref()) && it.group_name != "default")
            || world
                .network_acls
                .iter()
                .flatten()
                .any(|it| here(it.vpc_id.as_ref()) && !it.is_default)
            || world
                .vpc_endpoints
                .iter()
                .flatten()
                .any(|it| it.vpc_id == *id && it.state != EndpointState::Deleted)
            || world
                .nat_gateways
                .iter()
                .flatten()
                .any(|it| here(it.vpc_id.as_ref()) && it.state != Some(NatGatewayState::Deleted))
    }

    /// "You must terminate all running instances in the subnet before you can delete the subnet": what
    /// is there is an interface.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSubnet.html>
    pub(crate) fn delete_subnet(&mut self, id: &SubnetId) -> Result<Response, ApiError> {
        self.subnet(id)?;
        let interfaces = self.world.network_interfaces.iter().flatten();
        if interfaces.into_iter().any(|eni| eni.subnet_id.as_ref() == Some(id)) {
            return Err(in_use("subnet", id.as_str()));
        }
        let world = &mut self.world;
        world.subnets.iter_mut().for_each(|all| all.retain(|it| it.subnet_id != *id));
        for table in world.route_tables.iter_mut().flatten() {
            table.associations.retain(|bound| bound.subnet_id.as_ref() != Some(id));
        }
        for acl in world.network_acls.iter_mut().flatten() {
            acl.associations.retain(|bound| bound.subnet_id != *id);
        }
        Ok(Response::Done)
    }
}

/// EC2's refusal to delete what something else rests on.
pub(crate) fn in_use(what: &str, id: &str) -> ApiError {
    let message = format!("The {what} '{id}' has dependencies and cannot be deleted.");
    ApiError::new("DependencyViolation", message)
}

/// The rules that every network ACL ends with, which deny.
pub(crate) fn closing_entries(has_v6: bool) -> Vec<NetworkAclEntry> {
    let mut entries = Vec::new();
    for egress in [true, false] {
        let v4 = Some("0.0.0.0/0".into());
        entries.push(entry(LAST_RULE, egress, RuleAction::Deny, v4, None));
        if has_v6 {
            let v6 = Some("::/0".into());
            entries.push(entry(LAST_RULE.saturating_add(1), egress, RuleAction::Deny, None, v6));
        }
    }
    entries
}

fn entry(
    rule_number: u32,
    egress: bool,
    rule_action: RuleAction,
    cidr_block: Option<Cidr>,
    ipv6_cidr_block: Option<Cidr>,
) -> NetworkAclEntry {
    let (protocol, port_range) = ("-1".to_owned(), None);
    NetworkAclEntry {
        rule_number,
        egress,
        rule_action,
        protocol,
        cidr_block,
        ipv6_cidr_block,
        port_range,
    }
}
