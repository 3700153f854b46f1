use super::*;
use crate::ec2::world::Tag;

fn tag(key: &str, value: &str) -> Vec<Tag> {
    vec![Tag::new(key, value)]
}

#[test]
fn a_switch_is_for_its_own_rule() {
    let parsed = |rule: &str| {
        let options =
            format!(r#"{{"version": 1, "rules": {{"{rule}": {{"revoke_added": true}}}}}}"#);
        Baseline::parse(&options)
    };
    let later = r#"{"version": 1, "rules": {"public-address": {"irreversible": true}}}"#;
    let irreversible = Baseline::parse(later).unwrap();
    assert!(irreversible.allows(RuleId::PublicAddress, RuleSwitch::Irreversible));
    assert!(!irreversible.allows(RuleId::PublicAddress, RuleSwitch::RevokeAdded));
    assert_eq!(
        Baseline::parse(&later.replace("public-address", "own-group-edited")).unwrap_err().faults,
        [
            "`rules.own-group-edited.irreversible`: `own-group-edited` does nothing that cannot be undone; \
          write it for `public-address`"
        ]
    );
    let own = RuleId::OwnGroupEdited;
    let baseline = parsed("own-group-edited").unwrap();
    assert!(baseline.allows(own, RuleSwitch::RevokeAdded));
    assert!(!Baseline::default().allows(own, RuleSwitch::RevokeAdded));
    assert_eq!(baseline.mode_of(own), Mode::Notify);
    assert_eq!(
        parsed("vpc-dns").unwrap_err().faults,
        [
            "`rules.vpc-dns.revoke_added`: `vpc-dns` revokes nothing; write it for `own-group-edited`"
        ]
    );
}

#[test]
fn the_example_is_the_default_written_out() {
    assert_eq!(Baseline::parse(EXAMPLE), Ok(Baseline::default()));
    assert_eq!(Baseline::parse(r#"{"version": 1}"#), Ok(Baseline::default()));
}

#[test]
fn values_of_a_selector_match_without_case_and_with_stars() {
    let selector = |pattern: &str| TagSelector::new("Name", &[pattern]);
    for (pattern, value, fits) in [
        ("*-private-*", "prod-Private-eu-central-1a", true),
        ("*-private-*", "-private-", true),
        ("*-private-*", "private-a", false),
        ("private", "PRIVATE", true),
        ("private", "private ", false),
        ("*", "", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a*b*b", "ab", false),
        ("*ab*ab", "xabyab", true),
        ("*ab*ab", "abb-ab-b", false),
        ("**", "x", true),
        ("", "", true),
        ("", "x", false),
    ] {
        assert_eq!(
            selector(pattern).find(&tag("Name", value)).is_some(),
            fits,
            "{pattern} {value}"
        );
    }
    assert_eq!(selector("*").find(&tag("name", "x")), None, "keys match to the letter");
}

/// Whoever may set a tag chooses its value.
#[test]
fn no_tag_makes_a_pattern_take_long() {
    let pattern = format!("{}private", "*-".repeat(40));
    let selector = TagSelector::new("Name", &[&pattern]);
    assert_eq!(selector.find(&tag("Name", &"-".repeat(256))), None);
    assert_eq!(selector.find(&tag("Name", &"x".repeat(100_000))), None);
    let fitting = tag("Name", &format!("{}private", "-".repeat(256)));
    assert_eq!(selector.find(&fitting), fitting.first());
}

#[test]
fn managed_vpcs_carry_the_tag_to_the_letter() {
    let managed = ManagedVpcs::default();
    assert!(managed.matches(&tag("vpc-guardrail", "managed")));
    for (key, value) in
        [("vpc-guardrail", "Managed"), ("vpc-guardrail", "created"), ("VPC-guardrail", "managed")]
    {
        assert!(!managed.matches(&tag(key, value)), "{key}={value}");
    }
    assert!(ManagedVpcs::All.matches(&[]));
}

#[test]
fn a_rule_that_came_later_notifies_until_the_rules_switch_it_on() {
    let later = RuleId::PublicIpOnLaunch;
    for mode in [Mode::Observe, Mode::Notify, Mode::Repair] {
        let baseline = Baseline { mode, ..Baseline::default() };
        assert_eq!(baseline.mode_of(later), Mode::Notify);
        assert_eq!(baseline.with_mode(Mode::Repair).mode_of(later), Mode::Notify);
    }
    let observed = Baseline::default().with_mode(Mode::Observe);
    assert_eq!(observed.mode_of(later), Mode::Observe);
    for mode in ["observe", "notify"] {
        let json = format!(
            r#"{{"version": 1, "rules": {{"public-ip-on-launch": {{"mode": "{mode}"}}}}}}"#
        );
        let named = Baseline::parse(&json).unwrap().with_mode(Mode::Repair);
        assert_eq!(
            named.mode_of(later),
            Mode::Notify,
            "a mode that is not repair switches nothing on"
        );
    }
    let json = r#"{"version": 1, "rules": {"public-ip-on-launch": {"mode": "repair"}}}"#;
    let switched_on = Baseline::parse(json).unwrap();
    assert_eq!(switched_on.mode_of(later), Mode::Repair);
    assert!(switched_on.repairs());
    assert_eq!(switched_on.clone().with_mode(Mode::Notify).mode_of(later), Mode::Notify);
    assert_eq!(switched_on.with_mode(Mode::Repair).mode_of(later), Mode::Repair);
}

#[test]
fn a_rules_mode_goes_before_the_default_and_one_mode_before_both() {
    let json =
        r#"{"version": 1, "mode": "notify", "rules": {"internet-route": {"mode": "repair"}}}"#;
    let baseline = Baseline::parse(json).unwrap();
    assert_eq!(baseline.mode_of(RuleId::InternetRoute), Mode::Repair);
    assert_eq!(baseline.mode_of(RuleId::PrivateDns), Mode::Notify);
    assert!(baseline.repairs());
    let observed = baseline.with_mode(Mode::Observe);
    assert_eq!(observed.mode_of(RuleId::InternetRoute), Mode::Observe);
    assert!(!observed.repairs());
}

#[test]
fn an_override_says_the_modes_of_its_vpcs_and_one_mode_goes_before_it() {
    let (route, dns, later) = (RuleId::InternetRoute, RuleId::PrivateDns, RuleId::PublicIpOnLaunch);
    let parsed = |global: &str, own: &str| {
        let json = format!(
            r#"{{"version": 1, {global}, "overrides": [{{"vpc": {{"id": "vpc-1"}}, {own}}}]}}"#
        );
        Baseline::parse(&json).unwrap()
    };
    let modes = |baseline: &Baseline| {
        let own = baseline.under(baseline.overrides.first());
        [route, dns, later].map(|rule| own.mode_of(rule))
    };
    use Mode::{Notify, Observe, Repair};
    let repairing = r#""mode": "repair", "rules": {"public-ip-on-launch": {"mode": "repair"}}"#;
    let notify = parsed(repairing, r#""mode": "notify""#);
    assert_eq!(modes(&notify), [Notify; 3]);
    assert_eq!(notify.mode_of(route), Repair, "elsewhere");
    assert_eq!(modes(&notify.clone().with_mode(Repair)), [Repair; 3]);
    assert_eq!(modes(&notify.with_mode(Observe)), [Observe; 3]);
    let one = parsed(repairing, r#""rules": {"internet-route": {"mode": "observe"}}"#);
    assert_eq!(modes(&one), [Observe, Repair, Repair]);
    let both = parsed(
        r#""mode": "notify""#,
        r#""mode": "repair", "rules": {"private-dns": {"mode": "notify"}}"#,
    );
    assert_eq!(modes(&both), [Repair, Notify, Notify], "a later rule is not switched on");
    assert!(both.repairs() && !both.clone().with_mode(Notify).repairs());
    assert_eq!(modes(&both.with_mode(Repair)), [Repair, Repair, Notify]);
    let later_on = parsed(
        r#""mode": "notify""#,
        r#""rules": {"public-ip-on-launch": {"mode": "repair"}, "unguarded-subnet": {"mode": "repair"}}"#,
    );
    assert_eq!(modes(&later_on), [Notify, Notify, Repair]);
    assert_eq!(modes(&later_on.clone().with_mode(Repair)), [Repair; 3]);
    let advice = later_on.under(later_on.overrides.first());
    assert_eq!(advice.mode_of(RuleId::UnguardedSubnet), Notify, "never more than advice");
}
