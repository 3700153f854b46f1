//! The seam to all managed VPCs of an account and Region at once.

use jiff::Timestamp;

use super::Observation;
use crate::baseline::ManagedVpcs;
use crate::ec2::id::VpcId;

/// What a sweep needs of a cloud.
#[expect(
    async_fn_in_trait,
    reason = "used through generics only; no sweep needs its futures to be Send"
)]
pub trait Survey {
    /// The time now, by the cloud's clock.
    fn time(&self) -> Timestamp;

    /// Reads everything that a comparison needs of every managed VPC, but for their DNS attributes,
    /// which cost a call each: a number of calls that depends on pages and not on VPCs. Never fails as
    /// a whole: a section that could not be read in full is absent from the world, and `unread` says
    /// why.
    async fn survey(&self, managed: &ManagedVpcs) -> Observation;

    /// Reads the DNS attributes of these VPCs. Those that could not be read are absent, and `unread`
    /// has the first reason.
    async fn dns_attributes(&self, vpcs: &[VpcId]) -> Observation;
}
