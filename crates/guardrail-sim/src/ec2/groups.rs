//! Security groups and their inbound rules.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{SecurityGroupId, VpcId};
use guardrail::ec2::world::{IpPermission, IpProtocol, IpRange, Ipv6Range, SecurityGroup, Tag};

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::sim::Sim;

/// The default quota of rules in one direction.
const RULES_PER_GROUP: usize = 60;

impl Sim {
    pub(crate) fn create_group(
        &mut self,
        name: &str,
        description: &str,
        vpc_id: &VpcId,
        tags: &[Tag],
    ) -> Result<Response, ApiError> {
        let owner_id = self.vpc(vpc_id)?.owner_id.clone();
        if name.is_empty() || name.to_ascii_lowercase().starts_with("sg-") {
            let message = format!(
                "Invalid value '{name}' for groupName. Group names may not be in the format sg-*."
            );
            return Err(ApiError::invalid_value(message));
        }
        let mut siblings = self
            .world
            .security_groups
            .iter()
            .flatten()
            .filter(|g| g.vpc_id.as_ref() == Some(vpc_id));
        if siblings.any(|group| group.group_name.eq_ignore_ascii_case(name)) {
            let message = format!("The security group '{name}' already exists for VPC '{vpc_id}'");
            return Err(ApiError::new("InvalidGroup.Duplicate", message));
        }
        let group_id: SecurityGroupId = self.ids.next("sg-")?;
        self.bear(group_id.as_str());
        self.world.security_groups.get_or_insert_default().push(SecurityGroup {
            group_id: group_id.clone(),
            group_name: name.to_owned(),
            description: description.to_owned(),
            vpc_id: Some(vpc_id.clone()),
            owner_id,
            ip_permissions: Vec::new(),
            tags: tags.to_vec(),
        });
        Ok(Response::SecurityGroup { group_id })
    }

    /// All rules or none.
    pub(crate) fn authorize(
        &mut self,
        id: &SecurityGroupId,
        new: &[IpPermission],
    ) -> Result<Response, ApiError> {
        let group = self.group(id)?;
        let mut new = rules_of(new);
        new.iter_mut().for_each(|rule| self.name_owners(rule));
        let mut have = rules_of(&group.ip_permissions);
        if let Some(rule) = new.iter().find(|rule| !rule.is_sound()) {
            return Err(ApiError::invalid_value(format!(
                "CIDR block {} is malformed",
                rule.peer()
            )));
        }
        for rule in &new {
            if have.contains(rule) {
                let message =
                    format!("the specified rule \"peer: {}\" already exists", rule.peer());
                return Err(ApiError::new("InvalidPermission.Duplicate", message));
            }
            have.push(rule.clone());
        }
        if have.len() > RULES_PER_GROUP {
            let message = "The maximum number of rules per security group has been reached.";
            return Err(ApiError::new("RulesPerSecurityGroupLimitExceeded", message));
        }
        if let Some(group) = self.group_mut(id) {
            new.into_iter().for_each(|rule| insert(&mut group.ip_permissions, rule));
        }
        Ok(Response::Done)
    }

    /// EC2 says of a referenced group whose it is, "if the referenced security group is deleted,
    /// this value is not returned" (API reference, `UserIdGroupPair`).
    fn name_owners(&self, Rule(rule): &mut Rule) {
        for pair in rule.user_id_group_pairs.iter_mut().filter(|pair| pair.user_id.is_none()) {
            let mut groups = self.world.security_groups.iter().flatten();
            let named = groups.find(|group| Some(&group.group_id) == pair.group_id.as_ref());
            pair.user_id = named.and_then(|group| group.owner_id.as_ref()).map(ToString::to_string);
        }
    }

    /// All rules or none.
    pub(crate) fn revoke(
        &mut self,
        id: &SecurityGroupId,
        old: &[IpPermission],
    ) -> Result<Response, ApiError> {
        let old = rules_of(old);
        let have = rules_of(&self.group(id)?.ip_permissions);
        if !old.iter().all(|rule| have.contains(rule)) {
            let message = "The specified rule does not exist in this security group.";
            return Err(ApiError::new("InvalidPermission.NotFound", message));
        }
        if let Some(group) = self.group_mut(id) {
            group.ip_permissions.clear();
            let left = have.into_iter().filter(|rule| !old.contains(rule));
            left.for_each(|rule| insert(&mut group.ip_permissions, rule));
        }
        Ok(Response::Done)
    }
}

/// A permission with one peer: what EC2 calls a rule. Two are the same whatever their descriptions.
#[derive(Debug, Clone)]
struct Rule(IpPermission);

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        let ports = |p: &IpPermission| (p.ip_protocol.clone(), p.from_port, p.to_port);
        ports(&self.0) == ports(&other.0) && self.peer() == other.peer()
    }
}

impl Rule {
    /// Whether its blocks are blocks; what a loaded world holds need not be.
    fn is_sound(&self) -> bool {
        let v4 = self.0.ip_ranges.iter().map(|range| &range.cidr_ip);
        v4.chain(self.0.ipv6_ranges.iter().map(|range| &range.cidr_ipv6))
            .all(|cidr| cidr.net().is_some())
    }

    fn peer(&self) -> String {
        let v4 = self.0.ip_ranges.iter().map(|range| range.cidr_ip.to_string());
        let v6 = self.0.ipv6_ranges.iter().map(|range| range.cidr_ipv6.to_string());
        let lists = self.0.prefix_list_ids.iter().map(|list| list.prefix_list_id.to_string());
        let groups = self
            .0
            .user_id_group_pairs
            .iter()
            .map(|pair| pair.group_id.as_ref().map_or_else(String::new, ToString::to_string));
        v4.chain(v6).chain(lists).chain(groups).collect()
    }
}

/// A protocol as EC2 lists it, from what a caller may write.
fn other_protocol(text: &str) -> IpProtocol {
    match text.to_ascii_lowercase().as_str() {
        "17" => IpProtocol::Other("udp".to_owned()),
        "1" => IpProtocol::Other("icmp".to_owned()),
        "all" => IpProtocol::All,
        other => IpProtocol::Other(other.to_owned()),
    }
}

/// Cuts permissions into rules, canonical: protocol names in lower case, `-1` without ports, blocks
/// without host bits.
fn rules_of(permissions: &[IpPermission]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for permission in permissions {
        let protocol = match &permission.ip_protocol {
            IpProtocol::All => IpProtocol::All,
            IpProtocol::Tcp | IpProtocol::TcpNumber => IpProtocol::Tcp,
            IpProtocol::Other(text) => other_protocol(text),
        };
        let ports = match protocol {
            IpProtocol::All => (None, None),
            IpProtocol::Tcp | IpProtocol::TcpNumber | IpProtocol::Other(_) => {
                (permission.from_port, permission.to_port)
            }
        };
        let alone = IpPermission {
            ip_protocol: protocol,
            from_port: ports.0,
            to_port: ports.1,
            ..IpPermission::default()
        };
        for range in &permission.ip_ranges {
            let range = IpRange { cidr_ip: block(&range.cidr_ip), ..range.clone() };
            rules.push(Rule(IpPermission { ip_ranges: vec![range], ..alone.clone() }));
        }
        for range in &permission.ipv6_ranges {
            let range = Ipv6Range { cidr_ipv6: block(&range.cidr_ipv6), ..range.clone() };
            rules.push(Rule(IpPermission { ipv6_ranges: vec![range], ..alone.clone() }));
        }
        for list in &permission.prefix_list_ids {
            rules.push(Rule(IpPermission { prefix_list_ids: vec![list.clone()], ..alone.clone() }));
        }
        for pair in &permission.user_id_group_pairs {
            rules.push(Rule(IpPermission {
                user_id_group_pairs: vec![pair.clone()],
                ..alone.clone()
            }));
        }
    }
    rules
}

/// The rules that permissions stand for, each a permission with one peer.
pub(crate) fn single_rules(permissions: &[IpPermission]) -> Vec<IpPermission> {
    rules_of(permissions).into_iter().map(|Rule(rule)| rule).collect()
}

fn block(cidr: &Cidr) -> Cidr {
    cidr.net().map_or_else(|| cidr.clone(), Cidr::from)
}

/// EC2 lists the peers of one protocol and port range together.
fn insert(permissions: &mut Vec<IpPermission>, Rule(rule): Rule) {
    let ports = |p: &IpPermission| (p.ip_protocol.clone(), p.from_port, p.to_port);
    match permissions.iter_mut().find(|permission| ports(permission) == ports(&rule)) {
        None => permissions.push(rule),
        Some(permission) => {
            permission.ip_ranges.extend(rule.ip_ranges);
            permission.ipv6_ranges.extend(rule.ipv6_ranges);
            permission.prefix_list_ids.extend(rule.prefix_list_ids);
            permission.user_id_group_pairs.extend(rule.user_id_group_pairs);
        }
    }
}
