//! Rules of network ACLs, and which subnet is under which.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{NetworkAclId, OtherAssociationId, SubnetId, VpcId};
use guardrail::ec2::world::{NetworkAcl, NetworkAclAssociation, NetworkAclEntry};
use ipnet::IpNet;

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::sim::Sim;

/// The highest number that a rule of one's own may have; the rules that deny all else have higher
/// ones.
const LAST_OWN: u32 = 32_766;

impl Sim {
    pub(crate) fn create_acl_entry(
        &mut self,
        id: &NetworkAclId,
        entry: &NetworkAclEntry,
    ) -> Result<Response, ApiError> {
        check_entry(entry)?;
        if rule(self.acl(id)?, entry.rule_number, entry.egress).is_some() {
            let message = format!(
                "The network acl entry identified by {} already exists.",
                entry.rule_number
            );
            return Err(ApiError::new("NetworkAclEntryAlreadyExists", message));
        }
        if let Some(acl) = self.acl_mut(id) {
            acl.entries.push(entry.clone());
        }
        Ok(Response::Done)
    }

    pub(crate) fn replace_acl_entry(
        &mut self,
        id: &NetworkAclId,
        entry: &NetworkAclEntry,
    ) -> Result<Response, ApiError> {
        check_entry(entry)?;
        let at = rule(self.acl(id)?, entry.rule_number, entry.egress);
        let at = at.ok_or_else(|| no_entry(entry.rule_number))?;
        if let Some(there) = self.acl_mut(id).and_then(|acl| acl.entries.get_mut(at)) {
            there.clone_from(entry);
        }
        Ok(Response::Done)
    }

    pub(crate) fn delete_acl_entry(
        &mut self,
        id: &NetworkAclId,
        number: u32,
        egress: bool,
    ) -> Result<Response, ApiError> {
        check_number(number)?;
        let at = rule(self.acl(id)?, number, egress).ok_or_else(|| no_entry(number))?;
        if let Some(acl) = self.acl_mut(id) {
            acl.entries.remove(at);
        }
        Ok(Response::Done)
    }

    /// The association gets a new id.
    pub(crate) fn replace_acl_association(
        &mut self,
        old: &OtherAssociationId,
        to: &NetworkAclId,
    ) -> Result<Response, ApiError> {
        let vpc = self.acl(to)?.vpc_id.clone();
        let is_old =
            |bound: &NetworkAclAssociation| bound.network_acl_association_id.as_ref() == Some(old);
        let all = || self.world.network_acls.iter().flatten();
        let from = all().find(|acl| acl.associations.iter().any(is_old));
        let bound = from.and_then(|acl| acl.associations.iter().find(|it| is_old(it)));
        let (Some(from), Some(bound)) = (from, bound) else {
            let code = "InvalidAssociationID.NotFound";
            return Err(ApiError::not_found(code, "association", old.as_str()));
        };
        if from.vpc_id != vpc {
            return Err(ApiError::invalid(format!(
                "network ACL {to} and subnet {} belong to different networks",
                bound.subnet_id
            )));
        }
        let (from, subnet) = (from.network_acl_id.clone(), bound.subnet_id.clone());
        if let Some(acl) = self.acl_mut(&from) {
            acl.associations.retain(|bound| !is_old(bound));
        }
        let association_id = self.bind_to_acl(to, &subnet)?;
        Ok(Response::NetworkAclAssociation { association_id })
    }

    /// A new subnet is under the VPC's default network ACL.
    pub(crate) fn bind_to_default_acl(
        &mut self,
        vpc: &VpcId,
        subnet: &SubnetId,
    ) -> Result<(), ApiError> {
        let mut all = self.world.network_acls.iter().flatten();
        let default = all.find(|acl| acl.is_default && acl.vpc_id.as_ref() == Some(vpc));
        if let Some(id) = default.map(|acl| acl.network_acl_id.clone()) {
            self.bind_to_acl(&id, subnet)?;
        }
        Ok(())
    }

    fn bind_to_acl(
        &mut self,
        id: &NetworkAclId,
        subnet: &SubnetId,
    ) -> Result<OtherAssociationId, ApiError> {
        let association: OtherAssociationId = self.ids.next("aclassoc-")?;
        if let Some(acl) = self.acl_mut(id) {
            acl.associations.push(NetworkAclAssociation {
                network_acl_association_id: Some(association.clone()),
                network_acl_id: Some(id.clone()),
                subnet_id: subnet.clone(),
            });
        }
        Ok(association)
    }

    fn acl_mut(&mut self, id: &NetworkAclId) -> Option<&mut NetworkAcl> {
        self.world.network_acls.iter_mut().flatten().find(|acl| acl.network_acl_id == *id)
    }
}

/// Where an ACL has the rule of this number and direction.
fn rule(acl: &NetworkAcl, number: u32, egress: bool) -> Option<usize> {
    acl.entries.iter().position(|entry| entry.rule_number == number && entry.egress == egress)
}

fn no_entry(number: u32) -> ApiError {
    ApiError::not_found("InvalidNetworkAclEntry.NotFound", "network acl entry", &number.to_string())
}

fn check_number(number: u32) -> Result<(), ApiError> {
    if (1..=LAST_OWN).contains(&number) {
        return Ok(());
    }
    Err(ApiError::invalid_value(format!(
        "Value ({number}) for parameter ruleNumber is invalid. It must be from 1 to {LAST_OWN}."
    )))
}

/// One block of one version of IP, and both ports where the protocol has ports.
fn check_entry(entry: &NetworkAclEntry) -> Result<(), ApiError> {
    check_number(entry.rule_number)?;
    let v4 = entry.cidr_block.as_ref().map(|cidr| matches!(cidr.net(), Some(IpNet::V4(_))));
    let v6 = entry.ipv6_cidr_block.as_ref().map(|cidr| matches!(cidr.net(), Some(IpNet::V6(_))));
    match (v4, v6) {
        (Some(true), None) | (None, Some(true)) => {}
        (None, None) | (Some(_), Some(_)) => {
            let message = "The request must contain exactly one of cidrBlock or ipv6CidrBlock";
            return Err(ApiError::new("MissingParameter", message));
        }
        (Some(false), None) | (None, Some(false)) => {
            let cidr = entry.cidr_block.as_ref().or(entry.ipv6_cidr_block.as_ref());
            let cidr = cidr.map(Cidr::as_str).unwrap_or_default();
            return Err(ApiError::invalid_value(format!(
                "Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
            )));
        }
    }
    let ports = entry.port_range.map(|range| (range.from, range.to));
    match (entry.protocol.as_str(), ports) {
        ("6" | "17", Some((Some(_), Some(_)))) => Ok(()),
        ("6" | "17", _) => Err(ApiError::new(
            "MissingParameter",
            "The request must contain the parameter portRange for TCP and UDP",
        )),
        _ => Ok(()),
    }
}
