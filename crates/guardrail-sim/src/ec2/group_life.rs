//! Security groups' rules by their ids, and the end of a group.

use guardrail::ec2::id::SecurityGroupId;
use guardrail::ec2::world::{IpPermission, IpProtocol, IpRange, SecurityGroup, Tag, World};

use crate::ec2::errors::ApiError;
use crate::ec2::filters::Described;
use crate::ec2::groups::single_rules;
use crate::ec2::request::{Query, Response};
use crate::ec2::vpc_life::in_use;
use crate::ids::derived_id;
use crate::sim::Sim;

/// What a security group lets pass in one direction, from or to one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct GroupRule {
    pub security_group_rule_id: String,
    pub group_id: SecurityGroupId,
    pub is_egress: bool,
    /// With one peer.
    pub permission: IpPermission,
}

impl GroupRule {
    fn new(group: &SecurityGroup, is_egress: bool, permission: IpPermission) -> Self {
        let security_group_rule_id = rule_id(&group.group_id, is_egress, &permission);
        Self { security_group_rule_id, group_id: group.group_id.clone(), is_egress, permission }
    }
}

/// The id of a rule, the same every time for the same rule of the same group.
pub(crate) fn rule_id(group: &SecurityGroupId, is_egress: bool, rule: &IpPermission) -> String {
    let ports = (rule.from_port.unwrap_or(-1), rule.to_port.unwrap_or(-1));
    let v4 = rule.ip_ranges.iter().map(|range| range.cidr_ip.to_string());
    let v6 = rule.ipv6_ranges.iter().map(|range| range.cidr_ipv6.to_string());
    let lists = rule.prefix_list_ids.iter().map(|list| list.prefix_list_id.to_string());
    let groups = rule.user_id_group_pairs.iter();
    let groups = groups.flat_map(|pair| pair.group_id.as_ref().map(ToString::to_string));
    let peer: String = v4.chain(v6).chain(lists).chain(groups).collect();
    let direction = if is_egress { "egress " } else { "" };
    let identity = format!("{direction}{} {} {} {peer}", rule.ip_protocol, ports.0, ports.1);
    derived_id("sgr-", &[group.as_str(), &identity])
}

/// The rule by which a group lets everything out, as a new one does; a world file holds none of the
/// others.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>
pub(crate) fn everything_out() -> IpPermission {
    IpPermission {
        ip_protocol: IpProtocol::All,
        ip_ranges: vec![IpRange { cidr_ip: "0.0.0.0/0".into(), description: None }],
        ..IpPermission::default()
    }
}

fn rules_of_group(group: &SecurityGroup) -> Vec<GroupRule> {
    let inward = single_rules(&group.ip_permissions);
    let inward = inward.into_iter().map(|rule| GroupRule::new(group, false, rule));
    inward.chain([GroupRule::new(group, true, everything_out())]).collect()
}

impl Sim {
    /// "Describes one or more of your security group rules."
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html>
    pub(crate) fn group_rules(&self, world: &World, query: &Query) -> Result<Response, ApiError> {
        self.check_known(guardrail::ec2::snapshot::Section::SecurityGroups)?;
        let groups = world.security_groups.iter().flatten();
        let all: Vec<GroupRule> = groups.flat_map(rules_of_group).collect();
        let (found, next_token) = self.paged(&all, query, (5, 1000))?;
        Ok(Response::Rules { found, next_token })
    }

    pub(crate) fn revoke_by_id(
        &mut self,
        id: &SecurityGroupId,
        rules: &[String],
    ) -> Result<Response, ApiError> {
        let all = rules_of_group(self.group(id)?);
        let mut named = Vec::new();
        for rule in rules {
            let mut inward = all.iter().filter(|it| !it.is_egress);
            let found = inward.find(|it| it.security_group_rule_id == *rule).ok_or_else(|| {
                let code = "InvalidSecurityGroupRuleId.NotFound";
                ApiError::not_found(code, "security group rule", rule)
            })?;
            named.push(found.permission.clone());
        }
        self.revoke(id, &named)?;
        Ok(Response::Revoked { group_id: id.clone(), ip_permissions: named })
    }

    /// "If you attempt to delete a security group that is associated with an instance or network
    /// interface, is referenced by another security group in the same VPC …, the operation fails with
    /// `DependencyViolation`"; the default group "cannot be deleted".
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html>
    pub(crate) fn delete_group(&mut self, id: &SecurityGroupId) -> Result<Response, ApiError> {
        let group = self.group(id)?;
        if group.group_name == "default" {
            let message = format!(
                "the specified group: \"{id}\" name: \"default\" cannot be deleted by a user"
            );
            return Err(ApiError::new("CannotDelete", message));
        }
        let mut interfaces = self.world.network_interfaces.iter().flatten();
        let on_interface =
            interfaces.any(|eni| eni.groups.iter().any(|group| group.group_id == *id));
        let names = |permission: &IpPermission| {
            let mut pairs = permission.user_id_group_pairs.iter();
            pairs.any(|pair| pair.group_id.as_ref() == Some(id))
        };
        let mut others = self.world.security_groups.iter().flatten();
        let named = others.any(|it| it.group_id != *id && it.ip_permissions.iter().any(names));
        if on_interface || named {
            let message = format!("resource {id} has a dependent object");
            return Err(ApiError { message, ..in_use("security group", id.as_str()) });
        }
        let groups = self.world.security_groups.iter_mut();
        groups.for_each(|all| all.retain(|it| it.group_id != *id));
        Ok(Response::GroupDeleted { group_id: id.clone() })
    }
}

impl Described for GroupRule {
    const NOT_FOUND: &'static str = "InvalidSecurityGroupRuleId.NotFound";
    const WHAT: &'static str = "security group rule";
    const FILTERS: &'static [&'static str] = &["group-id", "security-group-rule-id"];

    fn id(&self) -> &str {
        &self.security_group_rule_id
    }
    fn tags(&self) -> &[Tag] {
        &[]
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "group-id" => vec![self.group_id.to_string()],
            "security-group-rule-id" => vec![self.security_group_rule_id.clone()],
            _ => Vec::new(),
        }
    }
}
