//! What makes a baseline unusable although each of its fields can be read: what contradicts itself,
//! and what can have no effect.

use std::collections::BTreeMap;

use super::{
    AcceptedSubnets, Baseline, Create, Limits, ListedService, ManagedVpcs, ReachedBy, Remove,
    RuleId, RuleOptions, Settling, TagSelector, VpcOverride,
};
use crate::ec2::policy::Placeholder;

impl Baseline {
    /// The faults, one line each, which names the field, the value and what to write instead.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.private_subnets.is_empty() {
            faults.push(
                "`private_subnets`: is empty, so no subnet would be private; name at least one tag"
                    .to_owned(),
            );
        }
        faults.extend(of_selectors("private_subnets", &self.private_subnets));
        faults.extend(of_selectors("public_subnets", &self.public_subnets));
        faults.extend(self.unclassified_subnets.iter().flat_map(AcceptedSubnets::faults));
        if let ManagedVpcs::Tag { key, .. } = &self.managed_vpcs
            && key.is_empty()
        {
            faults.push("`managed_vpcs.tag.key`: is empty; write the tag's key".to_owned());
        }
        let gateway = &self.gateway_endpoints.services;
        faults.extend(of_services("gateway_endpoints", gateway, of_a_gateway_service));
        let interface = &self.interface_endpoints.services;
        faults.extend(of_services("interface_endpoints", interface, |_, _| Vec::new()));
        if !self.probes.is_empty() && self.internet_routes.remove == Remove::Immediately {
            faults.push(
                "`probes`: `internet_routes.remove` is `immediately`, so no probe would be asked; \
                 write `after-endpoints`, or name no probes"
                    .to_owned(),
            );
        }
        faults.extend(of_policies("gateway_endpoints", gateway, self.organization.is_some()));
        faults.extend(of_policies("interface_endpoints", interface, self.organization.is_some()));
        for (at, allowed) in self.internet_routes.allowed.iter().enumerate() {
            faults.extend(allowed.faults(&format!("internet_routes.allowed[{at}]")));
        }
        faults.extend(of_settling(self.settling));
        faults.extend(of_rules(&self.rules));
        faults.extend(of_overrides(&self.overrides));
        faults.extend(of_limits(self.limits));
        for (at, listed) in self.exemptions.iter().enumerate() {
            faults.extend(listed.faults(&format!("exemptions[{at}]")));
        }
        faults.extend(self.exempting.faults());
        faults
    }
}

/// A grace that no rule asks for, or that outlasts what any tool needs.
fn of_rules(rules: &BTreeMap<RuleId, RuleOptions>) -> Vec<String> {
    let mut faults = Vec::new();
    for (rule, _) in rules.iter().filter(|(_, options)| options.revoke_added) {
        if *rule != RuleId::OwnGroupEdited {
            faults.push(format!(
                "`rules.{rule}.revoke_added`: `{rule}` revokes nothing; write it for `own-group-edited`"
            ));
        }
    }
    for (rule, _) in rules.iter().filter(|(_, options)| options.irreversible) {
        if *rule != RuleId::PublicAddress {
            faults.push(format!(
                "`rules.{rule}.irreversible`: `{rule}` does nothing that cannot be undone; write it for \
                 `public-address`"
            ));
        }
    }
    for (rule, minutes) in
        rules.iter().filter_map(|(rule, options)| Some((*rule, options.grace_minutes?)))
    {
        if !rule.makes_endpoints() {
            faults.push(format!(
                "`rules.{rule}.grace_minutes`: `{rule}` makes no endpoints, so there is nothing to wait \
                 for; write it for `gateway-endpoint` or `interface-endpoint`"
            ));
        }
        if minutes > RuleOptions::LONGEST_GRACE {
            faults.push(format!(
                "`rules.{rule}.grace_minutes`: is {minutes}; write at most {}",
                RuleOptions::LONGEST_GRACE
            ));
        }
    }
    faults
}

fn of_selectors(list: &str, selectors: &[TagSelector]) -> Vec<String> {
    let each = selectors.iter().enumerate();
    each.flat_map(|(at, selector)| selector.faults(&format!("{list}[{at}]"))).collect()
}

fn of_services(
    list: &str,
    services: &[ListedService],
    of_the_kind: fn(&str, &ListedService) -> Vec<String>,
) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, listed) in services.iter().enumerate() {
        let place = format!("{list}.services[{at}]");
        let service = &listed.service;
        if services.iter().take(at).any(|earlier| earlier.service == *service) {
            faults.push(format!("`{place}`: `{service}` is there twice; name each service once"));
        }
        if let Some(selectors) = &listed.required_in {
            if selectors.is_empty() {
                faults.push(format!(
                    "`{place}.required_in`: is empty, so no subnet would need `{service}`; name a \
                     tag, or leave `required_in` out so that every private subnet needs it"
                ));
            }
            faults.extend(of_selectors(&format!("{place}.required_in"), selectors));
        }
        faults.extend(of_the_kind(&place, listed));
    }
    faults
}

/// What only an interface endpoint can have.
fn of_a_gateway_service(place: &str, listed: &ListedService) -> Vec<String> {
    let ListedService { service, .. } = listed;
    let reached_by = match listed.reached_by {
        ReachedBy::PrivateName => None,
        ReachedBy::EndpointName => Some(format!(
            "`{place}.reached_by`: `endpoint-name` is for interface endpoints: a gateway endpoint \
             has no name, and clients reach `{service}` through it by its own; leave `reached_by` out"
        )),
    };
    let create = match listed.create {
        Create::WhenItServes => None,
        Create::Always => Some(format!(
            "`{place}.create`: `always` is for interface endpoints, which cost money: the gateway \
             endpoint of `{service}` costs nothing and is made whenever it is missing; leave \
             `create` out"
        )),
    };
    reached_by.into_iter().chain(create).collect()
}

/// What policies leave open and nothing fills in.
fn of_policies(list: &str, services: &[ListedService], has_organization: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, listed) in services.iter().enumerate() {
        let Some(policy) = &listed.policy else { continue };
        let place = format!("{list}.services[{at}].policy");
        let known: Vec<&str> = Placeholder::ALL.iter().map(|open| open.as_str()).collect();
        for unknown in policy.unknown_placeholders() {
            faults.push(format!(
                "`{place}`: nothing fills in `{unknown}`; write one of `{}`",
                known.join("`, `")
            ));
        }
        if !has_organization && policy.leaves_open(Placeholder::Organization) {
            faults.push(format!(
                "`{place}`: has `{}`, and the baseline names no organisation; write its id in \
                 `organization`",
                Placeholder::Organization.as_str()
            ));
        }
    }
    faults
}

fn of_settling(settling: Settling) -> Vec<String> {
    let Settling { minutes, dhcp_options_minutes } = settling;
    let fields = [("minutes", minutes), ("dhcp_options_minutes", dhcp_options_minutes)];
    let long = fields.into_iter().filter(|(_, minutes)| *minutes > Settling::LONGEST);
    long.map(|(field, minutes)| {
        format!(
            "`settling.{field}`: `{minutes}` is more than a week, and no route would go before; \
             write {} or less",
            Settling::LONGEST
        )
    })
    .collect()
}

fn of_overrides(overrides: &[VpcOverride]) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, known) in overrides.iter().enumerate() {
        let VpcOverride { vpc, resolver, .. } = known;
        let place = format!("overrides[{at}]");
        if let Some(field) = vpc.empty_field() {
            faults.push(format!(
                "`{place}.vpc.{field}`: is empty; write the {}",
                match field {
                    "name" => "VPC's tag `Name`",
                    _ => "tag's key",
                }
            ));
        }
        if resolver.is_none() && !known.says_modes() {
            faults.push(format!(
                "`{place}`: says nothing of {vpc}; write `mode`, `rules` or `resolver`, or leave the \
                 override out"
            ));
        }
        if overrides.iter().take(at).any(|earlier| earlier.vpc.same_as(vpc)) {
            faults.push(format!(
                "`{place}.vpc`: {vpc} is there twice, and only the first would count; write one \
                 override for it"
            ));
        }
    }
    faults
}

fn of_limits(limits: Limits) -> Vec<String> {
    let Limits { changes, endpoint_changes } = limits;
    let fields = [("changes", changes), ("endpoint_changes", endpoint_changes)];
    let none = fields.into_iter().filter(|(_, value)| *value == 0);
    none.map(|(field, value)| {
        format!(
            "`limits.{field}`: `{value}` would never repair anything; write 1 or more, or use the \
             mode `notify`"
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(field: &str) -> Vec<String> {
        Baseline::parse(&format!(r#"{{"version": 1, {field}}}"#)).unwrap_err().faults
    }

    #[test]
    fn every_contradiction_is_named_at_once() {
        let fields = r#"
            "managed_vpcs": {"tag": {"key": "", "value": "x"}},
            "private_subnets": [],
            "public_subnets": [{"tag": "", "values": []}],
            "gateway_endpoints": {"services": ["s3", "s3"]},
            "limits": {"changes": 0, "endpoint_changes": 0}
        "#;
        assert_eq!(
            faults(fields),
            [
                "`private_subnets`: is empty, so no subnet would be private; name at least one tag",
                "`public_subnets[0].tag`: is empty; write the tag's key",
                "`public_subnets[0].values`: is empty, so nothing matches; write values, or `*` for any",
                "`managed_vpcs.tag.key`: is empty; write the tag's key",
                "`gateway_endpoints.services[1]`: `s3` is there twice; name each service once",
                "`limits.changes`: `0` would never repair anything; write 1 or more, or use the mode `notify`",
                "`limits.endpoint_changes`: `0` would never repair anything; write 1 or more, or use the mode `notify`",
            ]
        );
    }

    #[test]
    fn probes_are_asked_only_where_a_route_waits_for_something() {
        let probes = r#""probes": ["vpc-guardrail-probe-subnet-1"]"#;
        let at_once = r#""internet_routes": {"remove": "immediately"}"#;
        assert_eq!(
            faults(&format!("{probes}, {at_once}")),
            [
                "`probes`: `internet_routes.remove` is `immediately`, so no probe would be asked; write \
              `after-endpoints`, or name no probes"
            ]
        );
        assert!(
            faults(r#""probes": ["vpc-guardrail-repair"]"#)[0]
                .contains("is not the name of a probe")
        );
        assert!(Baseline::parse(&format!(r#"{{"version": 1, {probes}}}"#)).is_ok());
    }

    #[test]
    fn a_gateway_service_takes_nothing_that_only_interface_endpoints_have() {
        let services = r#"{"services": [{"service": "s3", "reached_by": "endpoint-name", "create": "always"}]}"#;
        assert_eq!(
            faults(&format!(r#""gateway_endpoints": {services}"#)),
            [
                "`gateway_endpoints.services[0].reached_by`: `endpoint-name` is for interface \
                 endpoints: a gateway endpoint has no name, and clients reach `s3` through it by its \
                 own; leave `reached_by` out",
                "`gateway_endpoints.services[0].create`: `always` is for interface endpoints, which \
                 cost money: the gateway endpoint of `s3` costs nothing and is made whenever it is \
                 missing; leave `create` out",
            ]
        );
        let interface = format!(r#"{{"version": 1, "interface_endpoints": {services}}}"#);
        assert!(Baseline::parse(&interface).is_ok());
    }

    #[test]
    fn selectors_of_required_in_select_something() {
        let services = r#"{"services": [{"service": "ssm", "required_in": []},
            {"service": "kms", "required_in": [{"tag": "Tier", "values": []}]}]}"#;
        assert_eq!(
            faults(&format!(r#""interface_endpoints": {services}"#)),
            [
                "`interface_endpoints.services[0].required_in`: is empty, so no subnet would need \
                 `ssm`; name a tag, or leave `required_in` out so that every private subnet needs it",
                "`interface_endpoints.services[1].required_in[0].values`: is empty, so nothing \
                 matches; write values, or `*` for any",
            ]
        );
    }

    #[test]
    fn a_policy_that_is_none_is_refused_with_its_place_and_the_reason() {
        let policy = |policy: &str| {
            let services =
                format!(r#"{{"services": ["s3", {{"service": "kms", "policy": {policy}}}]}}"#);
            faults(&format!(r#""interface_endpoints": {services}"#)).join("\n")
        };
        let place = "`interface_endpoints.services[1].policy`: ";
        for (written, why) in [
            ("[]", "an object"),
            (r#"{"Version": "2012-10-17"}"#, "`Statement`"),
            (
                r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
                "`Principal`",
            ),
            (
                r#"{"Statement": {"Effect": "Allow", "Effect": "Deny", "Principal": "*", "Action": "*",
                    "Resource": "*"}}"#,
                "`Effect`",
            ),
        ] {
            let said = policy(written);
            assert!(said.starts_with(place) && said.contains(why), "{written}: {said}");
        }
    }

    #[test]
    fn nothing_takes_longer_than_a_week_to_settle() {
        assert_eq!(
            faults(r#""settling": {"minutes": 10081, "dhcp_options_minutes": 4294967295}"#),
            [
                "`settling.minutes`: `10081` is more than a week, and no route would go before; write \
                 10080 or less",
                "`settling.dhcp_options_minutes`: `4294967295` is more than a week, and no route would \
                 go before; write 10080 or less",
            ]
        );
        let week =
            r#"{"version": 1, "settling": {"minutes": 10080, "dhcp_options_minutes": 10080}}"#;
        assert!(Baseline::parse(week).is_ok());
    }

    #[test]
    fn what_is_allowed_is_blocks_with_a_reason() {
        let allowed = r#"{"allowed": [{"destinations": [], "reason": "x"},
            {"destinations": ["partner", "203.0.113.7/24", "203.0.113.7"], "reason": " "}]}"#;
        assert_eq!(
            faults(&format!(r#""internet_routes": {allowed}"#)),
            [
                "`internet_routes.allowed[0].destinations`: is empty, so nothing is allowed; name address \
                 blocks, or leave this out",
                "`internet_routes.allowed[1].destinations[0]`: `partner` is no address block; write one \
                 such as `203.0.113.7/32`",
                "`internet_routes.allowed[1].destinations[1]`: `203.0.113.7/24` is an address in a block; \
                 write the block, `203.0.113.0/24`, or the address alone, with `/32`",
                "`internet_routes.allowed[1].destinations[2]`: `203.0.113.7` is no address block; write one \
                 such as `203.0.113.7/32`",
                "`internet_routes.allowed[1].reason`: is empty; write why routes may lead there",
            ]
        );
    }

    #[test]
    fn an_exemption_says_what_until_when_and_why() {
        let listed = |fields: &str| {
            let all = faults(&format!(r#""exemptions": [{{"until": "2026-12-31", {fields}}}]"#));
            all.join("\n")
        };
        for (fields, said) in [
            (r#""reason": "x""#, "`exemptions[0]`: does not say what is exempted"),
            (
                r#""reason": "x", "vpc": {"id": "vpc-1"}, "resource": "rtb-1a2b3c4d""#,
                "`exemptions[0]`: does not say what is exempted",
            ),
            (r#""reason": " ", "resource": "rtb-1a2b3c4d""#, "`exemptions[0].reason`: is empty"),
            (
                r#""reason": "x", "resource": "nat-1a2b3c4d""#,
                "`exemptions[0].resource`: nothing is found on nat-1a2b3c4d",
            ),
            (r#""reason": "x", "vpc": {"name": ""}"#, "`exemptions[0].vpc.name`: is empty"),
            (
                r#""reason": "x", "rules": [], "resource": "rtb-1a2b3c4d""#,
                "`exemptions[0].rules`: is empty",
            ),
            (r#""reason": "x", "resource": "no id""#, "`no id` is not the id of a resource of EC2"),
            (r#""reason": "x", "rules": ["nat"], "resource": "rtb-1a2b3c4d""#, "`nat`"),
        ] {
            let faults = listed(fields);
            assert!(faults.contains(said) && faults.lines().count() == 1, "{fields}: {faults}");
        }
        let day =
            faults(r#""exemptions": [{"until": "31.12.", "reason": "x", "vpc": {"id": "vpc-1"}}]"#);
        assert!(day.join("").contains("\"31.12.\" is no day of the calendar"), "{day:?}");
        for (days, said) in [("0", "is 0"), ("3661", "more than ten years")] {
            let faults = faults(&format!(r#""exempting": {{"longest_days": {days}}}"#));
            assert!(faults.join("").contains(said), "{faults:?}");
        }
    }

    #[test]
    fn an_override_says_something_of_one_vpc_and_once() {
        let resolver = r#""resolver": "forwards-to-amazon""#;
        let overrides = format!(
            r#""overrides": [
                {{"vpc": {{"id": "vpc-1"}}}},
                {{"vpc": {{"id": "vpc-1"}}, {resolver}}},
                {{"vpc": {{"name": "shop"}}, {resolver}}},
                {{"vpc": {{"tag": {{"key": "Name", "value": "shop"}}}}, {resolver}}},
                {{"vpc": {{"name": ""}}, {resolver}}},
                {{"vpc": {{"tag": {{"key": "", "value": "x"}}}}, {resolver}}}
            ]"#
        );
        assert_eq!(
            faults(&overrides),
            [
                "`overrides[0]`: says nothing of vpc-1; write `mode`, `rules` or `resolver`, or leave \
                 the override out",
                "`overrides[1].vpc`: vpc-1 is there twice, and only the first would count; write one \
                 override for it",
                "`overrides[3].vpc`: the tag Name=shop is there twice, and only the first would count; \
                 write one override for it",
                "`overrides[4].vpc.name`: is empty; write the VPC's tag `Name`",
                "`overrides[5].vpc.tag.key`: is empty; write the tag's key",
            ]
        );
    }
}
