//! The IAM actions this crate needs, as data: what the template allows is compared with it.
//!
//! `sts:GetCallerIdentity` is not here, because nobody needs to be allowed it.

use guardrail::ec2::change::{Action, Call};

/// What [`Aws::observe`](guardrail::cloud::Cloud::observe), [`Aws::observe_managed`](crate::Aws::observe_managed)
/// and [`Aws::managed_vpcs`](crate::Aws::managed_vpcs) need.
pub const OBSERVE: &[&str] = crate::ec2::read::ACTIONS;

/// What [`Aws::managed_vpcs`](crate::Aws::managed_vpcs) alone needs.
pub const LIST: &[&str] = &["ec2:DescribeVpcs"];

/// What [`Aws::resolve`](crate::Aws::resolve) needs.
pub const RESOLVE: &[&str] = &[
    "ec2:DescribeEgressOnlyInternetGateways",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
];

/// What [`Aws::apply`](guardrail::cloud::Cloud::apply) needs for every call there is: [`of_call`] for each.
pub const WRITE: &[&str] = &[
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:CreateTags",
    "ec2:CreateVpcEndpoint",
    "ec2:DeleteRoute",
    "ec2:ModifyVpcAttribute",
    "ec2:ModifyVpcEndpoint",
    "route53:AssociateVPCWithHostedZone",
];

/// What [`Topic::publish`](crate::Topic::publish) needs; on an encrypted topic also the use of its key.
pub const PUBLISH: &[&str] = &["sns:Publish"];

/// What [`Queue::send`](crate::Queue::send) needs; on a queue encrypted with a key of the account also the use of it.
pub const SEND: &[&str] = &["sqs:SendMessage"];

/// What [`Parameters::read`](crate::Parameters::read) needs; for a secret also the use of its key.
pub const PARAMETER: &[&str] = &["ssm:GetParameter"];

/// What one call needs, with what AWS checks along with it: tags given on creation, and private DNS, which associates
/// the VPC with a hosted zone (Service Authorization Reference, dependent actions).
pub fn of_call(call: &Call) -> &'static [&'static str] {
    match call {
        Action::EnableVpcDns { .. } => &["ec2:ModifyVpcAttribute"],
        Action::CreateSecurityGroup { .. } => &["ec2:CreateSecurityGroup", "ec2:CreateTags"],
        Action::AuthorizeHttps { .. } => &["ec2:AuthorizeSecurityGroupIngress"],
        Action::CreateEndpoint { .. } => {
            &["ec2:CreateVpcEndpoint", "ec2:CreateTags", "route53:AssociateVPCWithHostedZone"]
        }
        Action::ModifyEndpoint { .. } => &["ec2:ModifyVpcEndpoint", "route53:AssociateVPCWithHostedZone"],
        Action::DeleteRoute { .. } => &["ec2:DeleteRoute"],
    }
}
