//! Network ACLs and sets of DHCP options: made and deleted.

use guardrail::ec2::id::{DhcpOptionsId, NetworkAclId, VpcId};
use guardrail::ec2::world::{DhcpConfiguration, DhcpOptions, NetworkAcl, Tag};

use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::ec2::vpc_life::{closing_entries, in_use};
use crate::sim::Sim;

/// "Options": `domain-name-servers`, `domain-name`, `ntp-servers`, `netbios-name-servers`,
/// `netbios-node-type`, `ipv6-address-preferred-lease-time`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateDhcpOptions.html>
const OPTIONS: [&str; 6] = [
    "domain-name-servers",
    "domain-name",
    "ntp-servers",
    "netbios-name-servers",
    "netbios-node-type",
    "ipv6-address-preferred-lease-time",
];

impl Sim {
    /// "By default, a custom network ACL denies all inbound and outbound traffic until you add rules."
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html>
    pub(crate) fn create_acl(
        &mut self,
        vpc_id: &VpcId,
        token: Option<&str>,
        tags: &[Tag],
    ) -> Result<Response, ApiError> {
        if let Some(id) = token.and_then(|token| self.made_by_token(token, "acl-")) {
            let made = self.world.network_acls.iter().flatten();
            if let Some(acl) = made.into_iter().find(|acl| *acl.network_acl_id.as_str() == *id) {
                return Ok(Response::NetworkAcl(acl.clone()));
            }
        }
        let vpc = self.vpc(vpc_id)?.clone();
        let network_acl_id: NetworkAclId = self.ids.next("acl-")?;
        self.bear(network_acl_id.as_str());
        self.keep_token(token, network_acl_id.as_str());
        let acl = NetworkAcl {
            network_acl_id,
            vpc_id: Some(vpc_id.clone()),
            is_default: false,
            owner_id: vpc.owner_id,
            associations: Vec::new(),
            entries: closing_entries(!vpc.ipv6_cidr_block_association_set.is_empty()),
            tags: tags.to_vec(),
        };
        self.world.network_acls.get_or_insert_default().push(acl.clone());
        Ok(Response::NetworkAcl(acl))
    }

    /// "You can't delete the ACL if it's associated with any subnets. You can't delete the default
    /// network ACL." Which code the second has is not documented; this is the one it was seen with.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkAcl.html>
    pub(crate) fn delete_acl(&mut self, id: &NetworkAclId) -> Result<Response, ApiError> {
        let acl = self.acl(id)?;
        if acl.is_default {
            return Err(ApiError::invalid("cannot delete default network ACL"));
        }
        if !acl.associations.is_empty() {
            return Err(in_use("networkAcl", id.as_str()));
        }
        let acls = self.world.network_acls.iter_mut();
        acls.for_each(|all| all.retain(|acl| acl.network_acl_id != *id));
        Ok(Response::Done)
    }

    pub(crate) fn create_dhcp_options(
        &mut self,
        options: &[DhcpConfiguration],
        tags: &[Tag],
    ) -> Result<Response, ApiError> {
        if let Some(wrong) = options.iter().find(|it| !OPTIONS.contains(&it.key.as_str())) {
            let message =
                format!("Value ({}) for parameter key is invalid. Unknown DHCP option", wrong.key);
            return Err(ApiError::invalid_value(message));
        }
        if let Some(empty) = options.iter().find(|it| it.values.is_empty()) {
            let message = format!("The DHCP option {} has no value", empty.key);
            return Err(ApiError::invalid_value(message));
        }
        let dhcp_options_id: DhcpOptionsId = self.ids.next("dopt-")?;
        self.bear(dhcp_options_id.as_str());
        let set = DhcpOptions { dhcp_options_id, dhcp_configurations: options.to_vec() };
        self.tag_beside(set.dhcp_options_id.as_str(), tags);
        self.world.dhcp_options.get_or_insert_default().push(set.clone());
        Ok(Response::DhcpOptions(set))
    }

    /// "You must disassociate the set of DHCP options before you can delete it."
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteDhcpOptions.html>
    pub(crate) fn delete_dhcp_options(&mut self, id: &DhcpOptionsId) -> Result<Response, ApiError> {
        let mut sets = self.world.dhcp_options.iter().flatten();
        if !sets.any(|set| set.dhcp_options_id == *id) || !self.is_settled(id.as_str()) {
            let code = "InvalidDhcpOptionID.NotFound";
            return Err(ApiError::not_found(code, "dhcpOptions", id.as_str()));
        }
        let mut vpcs = self.world.vpcs.iter().flatten();
        if vpcs.any(|vpc| vpc.dhcp_options_id.as_ref() == Some(id)) {
            return Err(in_use("dhcpOptions", id.as_str()));
        }
        let sets = self.world.dhcp_options.iter_mut();
        sets.for_each(|all| all.retain(|set| set.dhcp_options_id != *id));
        self.beside.tags.remove(id.as_str());
        Ok(Response::Done)
    }

    /// Keeps the tags of a thing that a world file has without tags, or not at all.
    pub(crate) fn tag_beside(&mut self, id: &str, tags: &[Tag]) {
        if !tags.is_empty() {
            self.beside.tags.insert(id.to_owned(), tags.to_vec());
        }
    }
}
