//! What a baseline says without effect, or hardly as it is meant, of the VPCs of a world.

use crate::analysis::topology::{Class, SubnetUse, Topology};
use crate::baseline::{Baseline, Service, TagSelector};
use crate::ec2::partition::Partition;
use crate::ec2::policy::PolicyDigest;
use crate::ec2::snapshot::{Section, Snapshot};
use crate::report::baseline_check::listed;

/// A line for each thing that is amiss.
pub(super) fn warnings(baseline: &Baseline, snapshots: &[Snapshot<'_>]) -> Vec<String> {
    let managed = snapshots.iter().filter(|one| baseline.managed_vpcs.matches(&one.vpc.tags));
    let managed: Vec<&Snapshot<'_>> = managed.collect();
    if managed.is_empty() {
        return vec![
            "`managed_vpcs`: no VPC of the world carries this tag, so that nothing is looked after; \
             tag those that are meant"
                .to_owned(),
        ];
    }
    let mut warnings = Vec::new();
    if managed.iter().all(|one| !one.missing.contains(&Section::Subnets)) {
        let all: Vec<Topology<'_>> =
            managed.iter().map(|snapshot| Topology::of(snapshot, baseline)).collect();
        let subnets: Vec<&SubnetUse<'_>> = all.iter().flat_map(|one| &one.subnets).collect();
        warnings.extend(of_subnets(&subnets));
        warnings.extend(required_in(baseline, &subnets));
    }
    warnings.extend(overrides(baseline, &managed));
    if managed.iter().all(|one| !one.missing.contains(&Section::VpcEndpoints)) {
        warnings.extend(accepted_policies(baseline, &managed));
    }
    warnings
}

/// What the selectors come to, in all managed VPCs together.
fn of_subnets(subnets: &[&SubnetUse<'_>]) -> Option<String> {
    let count = |is: fn(&Class<'_>) -> bool| subnets.iter().filter(|it| is(&it.class)).count();
    let private = count(|class| class.is_private());
    let contradictory = count(|class| matches!(class, Class::Contradictory(..)));
    let built_otherwise = count(|class| class.belies_its_tag());
    let all = subnets.len();
    if all == 0 {
        None
    } else if private == all && all > 1 {
        Some(format!(
            "`private_subnets`: matches all {all} subnets of the managed VPCs, so that none may have a \
             way to the internet; check the selectors if some are public"
        ))
    } else if private > 0 || built_otherwise > 0 {
        None
    } else if contradictory > 0 {
        Some(format!(
            "`private_subnets`: `public_subnets` match every subnet that these match ({contradictory} \
             of {all}), so that none is private and nothing is repaired; let one of them match it"
        ))
    } else {
        Some(format!(
            "`private_subnets`: matches none of the {all} subnets of the managed VPCs, so that nothing \
             is guarded; name the tags that private subnets carry"
        ))
    }
}

/// Selectors of `required_in` that match no private subnet.
fn required_in(baseline: &Baseline, subnets: &[&SubnetUse<'_>]) -> Vec<String> {
    let matches_none = |selector: &TagSelector| {
        let mut private = subnets.iter().filter(|it| it.class.is_private());
        !private.any(|it| selector.find(&it.subnet.tags).is_some())
    };
    let places = listed(baseline).flat_map(|it| {
        let selectors = it.listed.required_in.iter().flatten().enumerate();
        selectors
            .filter(|(_, selector)| matches_none(selector))
            .map(move |(at, selector)| (format!("{}.required_in[{at}]", it.place()), selector))
    });
    places
        .map(|(place, selector)| {
            format!(
                "`{place}`: `{}` with {} matches no private subnet of the managed VPCs; write what the \
                 subnets carry that need the service",
                selector.tag,
                selector.values.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" or ")
            )
        })
        .collect()
}

fn overrides(baseline: &Baseline, managed: &[&Snapshot<'_>]) -> Vec<String> {
    let all = baseline.overrides.iter().enumerate();
    let vain = all.filter(|(_, one)| !managed.iter().any(|snapshot| one.vpc.matches(snapshot.vpc)));
    vain.map(|(at, one)| {
        format!(
            "`overrides[{at}].vpc`: no managed VPC of the world is or carries {}; correct it, or leave \
             the override out",
            one.vpc
        )
    })
    .collect()
}

/// Accepted policies that no endpoint of the service has.
fn accepted_policies(baseline: &Baseline, managed: &[&Snapshot<'_>]) -> Vec<String> {
    let all = baseline.accepted_policies.iter().enumerate();
    let is_listed = |service: &Service| listed(baseline).any(|it| it.listed.service == *service);
    let vain = all.filter(|(_, accepted)| is_listed(&accepted.service)).filter(|(_, accepted)| {
        !managed.iter().any(|snapshot| {
            let region = &snapshot.scope.region;
            let names = accepted.service.names(region);
            snapshot.endpoints.iter().any(|endpoint| {
                let of_service =
                    endpoint.service_name.as_ref().is_some_and(|it| names.contains(it));
                let digest = endpoint.policy_document.as_deref();
                let digest = digest.map(|text| PolicyDigest::of(text, Partition::of(region)));
                of_service && digest.as_ref() == Some(&accepted.digest)
            })
        })
    });
    vain.map(|(at, accepted)| {
        format!(
            "`accepted_policies[{at}]`: no endpoint of `{}` in the managed VPCs has a policy with this \
             digest, so that nothing is accepted; take the digest from `guardrail explain`, or leave \
             this out",
            accepted.service
        )
    })
    .collect()
}
