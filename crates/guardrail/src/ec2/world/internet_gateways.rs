//! Internet gateways and egress-only internet gateways: what a VPC has to be attached to before a
//! route can lead out by it.

use serde::{Deserialize, Serialize};

use crate::ec2::id::{EgressOnlyInternetGatewayId, InternetGatewayId, VpcId};
use crate::ec2::world::Tag;

/// `InternetGateways[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct InternetGateway {
    pub internet_gateway_id: InternetGatewayId,
    #[serde(default)]
    pub attachments: Vec<GatewayAttachment>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `EgressOnlyInternetGateways[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct EgressOnlyInternetGateway {
    pub egress_only_internet_gateway_id: EgressOnlyInternetGatewayId,
    #[serde(default)]
    pub attachments: Vec<GatewayAttachment>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `Attachments[]` of either kind of gateway
/// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InternetGatewayAttachment.html).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct GatewayAttachment {
    pub vpc_id: Option<VpcId>,
    /// As AWS says it: of an internet gateway `available` means attached, of an egress-only one
    /// `attached` may stand there too.
    pub state: Option<String>,
}

impl InternetGateway {
    /// The VPC that it is attached to, or was and is being taken from; AWS allows one.
    pub fn vpc(&self) -> Option<&VpcId> {
        vpc_of(&self.attachments)
    }
}

impl EgressOnlyInternetGateway {
    /// The VPC that it is attached to, or was and is being taken from; AWS allows one.
    pub fn vpc(&self) -> Option<&VpcId> {
        vpc_of(&self.attachments)
    }
}

fn vpc_of(attachments: &[GatewayAttachment]) -> Option<&VpcId> {
    attachments.iter().find_map(|attachment| attachment.vpc_id.as_ref())
}
