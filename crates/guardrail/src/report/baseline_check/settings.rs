//! What a baseline says without effect, or hardly as it is meant, whatever world it is for.

use ipnet::IpNet;

use crate::baseline::{
    AcceptedSubnet, Baseline, DefaultMode, ManagedVpcs, Mode, RuleId, TagSelector,
};
use crate::ec2::cidr::Cidr;
use crate::report::baseline_check::listed;

/// A line for each setting that is amiss, but for selectors of subnets and services' names.
pub(super) fn warnings(baseline: &Baseline) -> Vec<String> {
    let mut warnings: Vec<String> =
        [every_vpc(baseline), no_promise(baseline)].into_iter().flatten().collect();
    warnings.extend(rules(baseline));
    warnings.extend(rules_of_overrides(baseline));
    warnings.extend(allowed_everything(baseline));
    warnings.extend(accepted_policies(baseline));
    warnings.extend(policies(baseline));
    warnings.extend(accepted_subnets(baseline));
    warnings
}

/// What accepts subnets that nobody has looked at: every one with a tag, whatever its value, or those
/// that a selector takes for private or public, so that one call makes a subnet an accepted one.
fn accepted_subnets(baseline: &Baseline) -> Vec<String> {
    let accepted =
        baseline.unclassified_subnets.iter().flat_map(|all| all.accept.iter().enumerate());
    let tagged = accepted.filter_map(|(at, accepted)| match accepted {
        AcceptedSubnet::Tagged(selector) => Some((at, selector)),
        AcceptedSubnet::Id(_) => None,
    });
    let of_subnets = || baseline.private_subnets.iter().chain(&baseline.public_subnets);
    tagged
        .filter_map(|(at, selector)| {
            let place = format!("unclassified_subnets.accept[{at}]");
            if let Some(value) = selector.value_that_matches_all() {
                return Some(format!(
                    "`{place}`: `{value}` accepts every subnet with the tag `{}`, whatever its value, so \
                     that a way out of one that somebody tags wrongly is never told; write the values, \
                     or the ids, of those that are meant",
                    selector.tag
                ));
            }
            let value = of_subnets().find_map(|other| selector.value_in_common(other))?;
            Some(format!(
                "`{place}`: accepts what is tagged `{}={value}`, which `private_subnets` or \
                 `public_subnets` match too, so that a contradictory tag hides a way out; name those \
                 that are meant by id, or by a tag of their own",
                selector.tag
            ))
        })
        .collect()
}

fn every_vpc(baseline: &Baseline) -> Option<String> {
    (baseline.managed_vpcs == ManagedVpcs::All && baseline.repairs()).then(|| {
        "`managed_vpcs`: `all` with the mode `repair` changes every VPC of the account in the Region, \
         also one that is made tomorrow; name a tag that the VPCs carry which are meant"
            .to_owned()
    })
}

fn no_promise(baseline: &Baseline) -> Option<String> {
    let none = listed(baseline).next().is_none();
    (none && baseline.mode_of(RuleId::InternetRoute) == Mode::Repair).then(|| {
        "`gateway_endpoints` and `interface_endpoints` list no service, and `internet-route` repairs, \
         so that a route goes at once, whatever clients reach through it; list what they use"
            .to_owned()
    })
}

/// Rules whose mode says `repair` though nothing repairs what they find.
fn rules(baseline: &Baseline) -> impl Iterator<Item = String> {
    let told = baseline.rules.iter().filter(|(_, options)| options.mode == Some(Mode::Repair));
    let vain = told.filter(|(rule, _)| repairs_nothing(**rule));
    vain.map(|(rule, _)| {
        format!(
            "`rules.{rule}.mode`: `repair` does no more than `notify`, because nothing repairs what \
             this rule finds; write `notify`, or leave it out"
        )
    })
}

/// The same of rules in overrides.
fn rules_of_overrides(baseline: &Baseline) -> impl Iterator<Item = String> {
    let each = baseline.overrides.iter().enumerate();
    let repair = each.flat_map(|(at, known)| {
        let repair = known.rules.iter().filter(|(_, own)| own.mode == Mode::Repair);
        repair.map(move |(rule, _)| (at, *rule))
    });
    repair.filter(|(_, rule)| repairs_nothing(*rule)).map(|(at, rule)| {
        format!(
            "`overrides[{at}].rules.{rule}.mode`: `repair` does no more than `notify`, because nothing \
             repairs what this rule finds; write `notify`, or leave it out"
        )
    })
}

fn repairs_nothing(rule: RuleId) -> bool {
    match rule.default_mode() {
        DefaultMode::Advice => true,
        DefaultMode::OfBaseline | DefaultMode::Notify => rule.rule().operations.is_empty(),
    }
}

/// What allows routes to everything, so that `internet-route` finds nothing more of a family.
fn allowed_everything(baseline: &Baseline) -> impl Iterator<Item = String> {
    let each = baseline.internet_routes.allowed.iter().enumerate();
    let wide = each.flat_map(|(at, allowed)| {
        let is_wide = |block: &&Cidr| {
            // All of IPv6 that is routed lies in one block of 3 bits.
            let least = |net: IpNet| if net.max_prefix_len() == 32 { 3 } else { 8 };
            block.net().is_some_and(|net| net.prefix_len() < least(net))
        };
        allowed.destinations.iter().filter(is_wide).map(move |block| (at, block))
    });
    wide.map(|(at, block)| {
        format!(
            "`internet_routes.allowed[{at}]`: `{block}` allows routes to nearly everything, so that \
             `internet-route` finds none of them; name the addresses that are meant"
        )
    })
}

fn accepted_policies(baseline: &Baseline) -> impl Iterator<Item = String> {
    let all = baseline.accepted_policies.iter().enumerate();
    let vain = all
        .filter(|(_, accepted)| listed(baseline).all(|it| it.listed.service != accepted.service));
    vain.map(|(at, accepted)| {
        format!(
            "`accepted_policies[{at}]`: `{}` is in neither list of services, so that nothing is \
             accepted; write the service as it is listed, or leave this out",
            accepted.service
        )
    })
}

/// Policies of services that tell an endpoint's own only where it is written alike.
fn policies(baseline: &Baseline) -> impl Iterator<Item = String> {
    listed(baseline).filter_map(|it| {
        let element = it.listed.policy.as_ref()?.negation()?;
        Some(format!(
            "`{}.policy`: has `{element}`, so that a policy which is not written alike cannot be \
             compared with it, and counts as an obstacle; name what is meant in the positive",
            it.place()
        ))
    })
}

/// A line for each selector that makes more private than is likely meant, or all of it
/// contradictory.
pub(super) fn of_selectors(baseline: &Baseline) -> Vec<String> {
    let private = || baseline.private_subnets.iter().enumerate();
    let all = private().filter_map(|(at, selector)| {
        let value = selector.value_that_matches_all()?;
        Some(format!(
            "`private_subnets[{at}]`: `{value}` makes every subnet with the tag `{}` private, whatever \
             its value; write the values of those that are",
            selector.tag
        ))
    });
    let both = private().flat_map(|(at, selector)| {
        let public = baseline.public_subnets.iter().enumerate();
        public.filter_map(move |(other_at, other)| in_both(at, selector, other_at, other))
    });
    all.chain(both).collect()
}

fn in_both(
    at: usize,
    private: &TagSelector,
    other_at: usize,
    public: &TagSelector,
) -> Option<String> {
    let value = private.value_in_common(public)?;
    Some(format!(
        "`private_subnets[{at}]` and `public_subnets[{other_at}]` both match `{}={value}`, so that \
         nothing of such a subnet is repaired; let one of them match it",
        private.tag
    ))
}
