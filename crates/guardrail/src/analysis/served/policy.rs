//! Whether an endpoint's policy is one that the baseline is content with.

use super::{Obstacle, Proof};
use crate::analysis::View;
use crate::analysis::endpoint_policy::{Access, Comparison, compare};
use crate::analysis::required_service::RequiredService;
use crate::ec2::partition::Partition;
use crate::ec2::policy::{PolicyDigest, PolicyDocument};
use crate::ec2::world::VpcEndpoint;
use crate::history::{Premise, Seen};

/// Adds the endpoint's policy, where it is neither full access, nor the baseline's own, nor one that
/// the baseline accepts.
pub(super) fn prove(
    view: &View<'_>,
    required: &RequiredService<'_>,
    endpoint: &VpcEndpoint,
    proof: &mut Proof,
) {
    let id = || endpoint.vpc_endpoint_id.clone();
    proof.premises.push(seen(endpoint));
    if let Some(digest) = unwanted_policy(view, required, endpoint) {
        let readable = is_readable(endpoint);
        proof.obstacles.push(Obstacle::Policy { endpoint: id(), readable, digest });
    }
}

/// Whether the endpoint's policy is written as IAM's policy language wants it.
fn is_readable(endpoint: &VpcEndpoint) -> bool {
    endpoint.policy_document.as_deref().is_none_or(|text| PolicyDocument::parse(text).is_ok())
}

/// The endpoint's policy, as a premise that takes time to act.
pub(super) fn seen(endpoint: &VpcEndpoint) -> Seen {
    let text = endpoint.policy_document.as_deref().unwrap_or_default();
    Seen::of(Premise::EndpointPolicy(endpoint.vpc_endpoint_id.clone()), text)
}

/// The digest of the endpoint's policy where it is none that the baseline is content with; `None`
/// where it is full access, the baseline's own or an accepted one.
pub fn unwanted_policy(
    view: &View<'_>,
    required: &RequiredService<'_>,
    endpoint: &VpcEndpoint,
) -> Option<PolicyDigest> {
    let text = endpoint.policy_document.as_deref()?;
    let region = &view.snapshot.scope.region;
    if Access::of(Some(text), &required.name, region) == Access::Full {
        return None;
    }
    let partition = Partition::of(region);
    let is_own = |wanted| compare(text, wanted, partition) == Comparison::Equal;
    if required.policy_in(&view.snapshot.scope).as_ref().is_some_and(is_own) {
        return None;
    }
    (!is_accepted(view, required, text)).then(|| PolicyDigest::of(text, partition))
}

/// Whether the baseline accepts this policy of the service's endpoints, though it is neither full
/// access nor the baseline's own.
pub fn is_accepted(view: &View<'_>, required: &RequiredService<'_>, policy: &str) -> bool {
    let digest = PolicyDigest::of(policy, Partition::of(&view.snapshot.scope.region));
    view.baseline
        .accepted_policies
        .iter()
        .any(|accepted| accepted.service == required.service && accepted.digest == digest)
}
