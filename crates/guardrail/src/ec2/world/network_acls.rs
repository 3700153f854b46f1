//! Network ACLs and their rules.

use serde::{Deserialize, Serialize};

use crate::ec2::cidr::Cidr;
use crate::ec2::id::{AccountId, NetworkAclId, OtherAssociationId, SubnetId, VpcId};
use crate::ec2::world::Tag;
use crate::ec2::world::word::word;

/// `NetworkAcls[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct NetworkAcl {
    pub network_acl_id: NetworkAclId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<VpcId>,
    #[serde(default)]
    pub is_default: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<AccountId>,
    #[serde(default)]
    pub associations: Vec<NetworkAclAssociation>,
    #[serde(default)]
    pub entries: Vec<NetworkAclEntry>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `Associations[]` of a network ACL: the subnets that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct NetworkAclAssociation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_acl_association_id: Option<OtherAssociationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_acl_id: Option<NetworkAclId>,
    pub subnet_id: SubnetId,
}

/// `Entries[]` of a network ACL: its rules, in no order.
///
/// Number, direction, action and protocol have no default: a rule that stands for less than it is,
/// or in the other direction, would be a wrong answer about who can reach what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct NetworkAclEntry {
    pub rule_number: u32,
    pub egress: bool,
    pub rule_action: RuleAction,
    /// The number of a protocol, or `-1` for all of them.
    pub protocol: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_block: Option<Cidr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr_block: Option<Cidr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_range: Option<PortRange>,
}

word! {
    /// `RuleAction` of a network ACL's rule.
    RuleAction {
        /// What matches may pass.
        Allow = "allow",
        /// What matches may not pass.
        Deny = "deny",
    }
}

/// `PortRange` of a network ACL's rule: ports of the packet's destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct PortRange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i32>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_describe_network_acls_prints_is_read_and_written_again() {
        let text = json!({
            "NetworkAclId": "acl-0a1b2c3d",
            "VpcId": "vpc-1",
            "IsDefault": true,
            "OwnerId": "111122223333",
            "Associations": [{
                "NetworkAclAssociationId": "aclassoc-0a1b2c3d",
                "NetworkAclId": "acl-0a1b2c3d",
                "SubnetId": "subnet-1",
            }],
            "Entries": [
                {
                    "RuleNumber": 100, "Egress": true, "RuleAction": "allow", "Protocol": "6",
                    "CidrBlock": "0.0.0.0/0", "PortRange": { "From": 443, "To": 443 },
                },
                {
                    "RuleNumber": 32768, "Egress": false, "RuleAction": "deny", "Protocol": "-1",
                    "Ipv6CidrBlock": "::/0",
                },
            ],
            "Tags": [],
        });
        let acl: NetworkAcl = serde_json::from_value(text.clone()).unwrap();
        let star = NetworkAclEntry {
            rule_number: 32_768,
            egress: false,
            rule_action: RuleAction::Deny,
            protocol: "-1".into(),
            cidr_block: None,
            ipv6_cidr_block: Some("::/0".into()),
            port_range: None,
        };
        assert_eq!(acl.entries[1], star);
        assert_eq!(serde_json::to_value(&acl).unwrap(), text);
    }

    #[test]
    fn a_rule_without_a_direction_is_refused() {
        let text = json!({ "RuleNumber": 100, "RuleAction": "allow", "Protocol": "-1" });
        let error = serde_json::from_value::<NetworkAclEntry>(text).unwrap_err();
        assert_eq!(error.to_string(), "missing field `Egress`");
    }
}
