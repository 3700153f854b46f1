//! The IAM actions this crate needs, as data: what the template allows is compared with it.
//!
//! `sts:GetCallerIdentity` is not here, because nobody needs to be allowed it.

use std::collections::BTreeSet;

use guardrail::ec2::operation::Operation;

/// What [`Aws::observe`](guardrail::cloud::Cloud::observe),
/// [`Aws::observe_managed`](crate::Aws::observe_managed) and
/// [`Aws::managed_vpcs`](crate::Aws::managed_vpcs) need.
pub const OBSERVE: &[&str] = crate::ec2::read::ACTIONS;

/// What these need besides when they are asked for the sections that only people read.
pub const TOLD_ONLY: &[&str] = crate::ec2::read::TOLD_ONLY;

/// What [`Aws::managed_vpcs`](crate::Aws::managed_vpcs) alone needs.
pub const LIST: &[&str] = &["ec2:DescribeVpcs"];

/// What [`Aws::resolve`](crate::Aws::resolve) needs.
pub const RESOLVE: &[&str] = &[
    "ec2:DescribeEgressOnlyInternetGateways",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
];

/// What [`Aws::apply`](guardrail::cloud::Cloud::apply) needs for every change there is, in the
/// order of the names.
pub fn write() -> BTreeSet<&'static str> {
    Operation::ALL.iter().flat_map(|operation| operation.permissions()).copied().collect()
}

/// What [`Topic::publish`](crate::Topic::publish) needs; on an encrypted topic also the use of its
/// key.
pub const PUBLISH: &[&str] = &["sns:Publish"];

/// What [`Queue::send`](crate::Queue::send) needs; on a queue encrypted with a key of the account
/// also the use of it.
pub const SEND: &[&str] = &["sqs:SendMessage"];

/// What [`Parameters::read`](crate::Parameters::read) needs; for a secret also the use of its key.
pub const PARAMETER: &[&str] = &["ssm:GetParameter"];

/// What [`Queue::hold`](crate::Queue::hold) needs.
pub const HOLD: &[&str] = &["sqs:ChangeMessageVisibility"];

/// What [`UnreadableMessages::set_aside`](crate::UnreadableMessages::set_aside) needs.
pub const SET_ASIDE: &[&str] = &["sqs:SendMessage"];

/// What [`DynamoTable`](crate::DynamoTable) needs to read.
pub const READ_TABLE: &[&str] = &["dynamodb:GetItem", "dynamodb:Query"];

/// What [`DynamoTable`](crate::DynamoTable) needs to put items; transactions of them need no more.
pub const PUT_IN_TABLE: &[&str] = &["dynamodb:UpdateItem"];

/// What [`DynamoTable`](crate::DynamoTable) needs to delete items; transactions of them need no more.
pub const DELETE_FROM_TABLE: &[&str] = &["dynamodb:DeleteItem"];

/// What [`Aws::carried`](guardrail::cloud::Cloud::carried) needs: advice, so that a run without it goes
/// on.
pub const TRAFFIC: &[&str] = &["cloudwatch:GetMetricData"];

/// What [`Aws::ask_probe`](guardrail::cloud::Cloud::ask_probe) needs: the functions' names begin with
/// [`PREFIX`](guardrail::probe::PREFIX).
pub const ASK_PROBES: &[&str] = &["lambda:InvokeFunction"];
