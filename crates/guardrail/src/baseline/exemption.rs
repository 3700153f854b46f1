//! Exemptions: what is left as it is until a day, for a reason, because somebody said so before.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RuleId, VpcSelector};
use crate::ec2::resource_id::{ResourceId, ResourceKind};
use crate::shown::quoted;
use crate::time::Day;

/// The tag that exempts what carries it.
pub const EXEMPT_TAG: &str = "vpc-guardrail:exempt";

/// How long a tag's value may be, in characters
/// (docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html).
const LONGEST_VALUE: usize = 256;

/// What an exemption says: for which rules, until when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// The last day on which it holds (UTC).
    pub until: Day,
    /// The rules that it holds for; `None` where it is for all of them.
    pub rules: Option<Vec<RuleId>>,
    /// Why.
    pub reason: String,
}

/// What is wrong with a tag's value that should exempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedExemption {
    /// The value is longer than AWS lets a value be.
    #[error("is longer than {LONGEST_VALUE} characters; shorten its reason")]
    TooLong,
    /// The value has a character that AWS's services do not all take.
    #[error(
        "has the character {}; write letters, digits, spaces and _.:/=+-@ only", shown_character(*.0)
    )]
    Character(char),
    /// The value does not begin with its end.
    #[error("does not begin with `until=`; write `until=2026-11-24 reason=…`")]
    NoUntil,
    /// The end is no day.
    #[error("says `until=` and then no day of the calendar ({}); write `until=2026-11-24`", quoted(.0))]
    NoDay(String),
    /// A rule is named that there is not.
    #[error("names the rule {}, which there is not; `guardrail rules` lists them", quoted(.0))]
    NoRule(String),
    /// Something else stands where the reason should.
    #[error("has {} where `reason=` should be; write `until=2026-11-24 reason=…`", quoted(.0))]
    Unexpected(String),
    /// The value says no reason.
    #[error("says no reason; write `until=2026-11-24 reason=…`")]
    NoReason,
    /// A field stands twice, so that nobody can tell which is meant.
    #[error("says `{0}=` twice, so that nobody can tell which is meant; write it once")]
    Twice(&'static str),
}

fn shown_character(c: char) -> String {
    match c.is_control() {
        true => format!("U+{:04X}", u32::from(c)),
        false => format!("{} (U+{:04X})", quoted(&c.to_string()), u32::from(c)),
    }
}

/// Whether AWS's services take the character in a tag's value, all of them.
fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}

impl Exemption {
    /// Reads a tag's value: `until=2026-11-24 rule=internet-route reason=…`, where `rule` may be left
    /// out for all rules, and several are joined by `+`.
    ///
    /// # Errors
    /// What is wrong with the value, the first fault of it.
    pub fn of_tag(value: &str) -> Result<Self, MalformedExemption> {
        if value.chars().count() > LONGEST_VALUE {
            return Err(MalformedExemption::TooLong);
        }
        if let Some(other) = value.chars().find(|c| !is_allowed(*c)) {
            return Err(MalformedExemption::Character(other));
        }
        for field in ["until", "rule", "reason"] {
            let begins =
                |word: &&str| word.strip_prefix(field).is_some_and(|it| it.starts_with('='));
            if value.split(' ').filter(begins).count() > 1 {
                return Err(MalformedExemption::Twice(field));
            }
        }
        let rest = value.trim().strip_prefix("until=").ok_or(MalformedExemption::NoUntil)?;
        let (day, rest) = first_word(rest);
        let until = day.parse().map_err(|_| MalformedExemption::NoDay(day.to_owned()))?;
        let (rules, rest) = match rest.strip_prefix("rule=") {
            None => (None, rest),
            Some(rest) => {
                let (names, rest) = first_word(rest);
                (Some(names.split('+').map(rule).collect::<Result<_, _>>()?), rest)
            }
        };
        let reason = match rest.strip_prefix("reason=") {
            Some(reason) => reason.trim(),
            None if rest.is_empty() => return Err(MalformedExemption::NoReason),
            None => return Err(MalformedExemption::Unexpected(first_word(rest).0.to_owned())),
        };
        if reason.is_empty() {
            return Err(MalformedExemption::NoReason);
        }
        Ok(Self { until, rules, reason: reason.to_owned() })
    }

    /// The value of the tag that says the same.
    ///
    /// # Errors
    /// Why no tag can say it.
    pub fn tag_value(&self) -> Result<String, MalformedExemption> {
        let names = self.rules.iter().map(|rules| {
            let names: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
            format!(" rule={}", names.join("+"))
        });
        let names: String = names.collect();
        let value = format!("until={}{names} reason={}", self.until, self.reason.trim());
        Self::of_tag(&value).map(|_| value)
    }

    /// Whether it holds for what this rule finds.
    pub fn is_for(&self, rule: RuleId) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.contains(&rule))
    }
}

impl fmt::Display for Exemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "until {}", self.until)?;
        if let Some(rules) = &self.rules {
            write!(f, " from {}", crate::ec2::list(rules))?;
        }
        write!(f, ": {}", quoted(&self.reason))
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    (first, rest.trim_start())
}

fn rule(name: &str) -> Result<RuleId, MalformedExemption> {
    let known = RuleId::ALL.iter().find(|rule| rule.as_str() == name).copied();
    known.ok_or_else(|| MalformedExemption::NoRule(name.to_owned()))
}

/// An exemption that the baseline itself names: of a VPC or of one resource, which of the two is
/// there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListedExemption {
    /// The VPCs that are exempted, with all that is in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<VpcSelector>,
    /// The route table, subnet, endpoint or security group that is exempted, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// The rules that it holds for; absent, it is for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub rules: Option<Vec<RuleId>>,
    /// The last day on which it holds (UTC): `2026-11-24`. One that is further away than
    /// `exempting.longest_days` exempts nothing until it is not.
    pub until: Day,
    /// Why; plans, alerts and `guardrail explain` show it.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub reason: String,
}

impl ListedExemption {
    /// What it says.
    pub fn exemption(&self) -> Exemption {
        let Self { rules, until, reason, .. } = self;
        Exemption { until: *until, rules: rules.clone(), reason: reason.clone() }
    }

    /// What is wrong with it where it stands, one line each.
    pub(super) fn faults(&self, place: &str) -> Vec<String> {
        let mut faults = Vec::new();
        match (&self.vpc, &self.resource) {
            (Some(_), None) => {}
            (None, Some(resource)) if can_be_exempted(resource.kind()) => {}
            (None, Some(resource)) => faults.push(format!(
                "`{place}.resource`: nothing is found on {resource}; name a route table, a subnet, an \
                 endpoint or a security group, or a VPC under `vpc`"
            )),
            (None, None) | (Some(_), Some(_)) => faults.push(format!(
                "`{place}`: does not say what is exempted; write either `vpc` or `resource`"
            )),
        }
        if let Some(field) = self.vpc.as_ref().and_then(VpcSelector::empty_field) {
            faults.push(format!("`{place}.vpc.{field}`: is empty; write what is meant"));
        }
        if self.rules.as_ref().is_some_and(Vec::is_empty) {
            faults.push(format!(
                "`{place}.rules`: is empty, so that nothing is exempted; name a rule, or leave `rules` \
                 out for all of them"
            ));
        }
        if self.reason.trim().is_empty() {
            faults.push(format!("`{place}.reason`: is empty; write why it is exempted"));
        }
        faults
    }
}

/// Whether what rules find can lie on things of this kind, other than a whole VPC.
pub fn can_be_exempted(kind: ResourceKind) -> bool {
    match kind {
        ResourceKind::Subnet
        | ResourceKind::SecurityGroup
        | ResourceKind::Endpoint
        | ResourceKind::RouteTable => true,
        ResourceKind::Vpc
        | ResourceKind::Interface
        | ResourceKind::NatGateway
        | ResourceKind::PrefixList
        | ResourceKind::NetworkAcl
        | ResourceKind::Instance
        | ResourceKind::Association
        | ResourceKind::InternetGateway
        | ResourceKind::EgressOnlyInternetGateway
        | ResourceKind::OtherGateway
        | ResourceKind::OtherAssociation => false,
    }
}

/// How things may be exempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Exempting {
    /// Whether the tag `vpc-guardrail:exempt` exempts what carries it. Who may set tags may exempt.
    pub tags: ExemptionTags,
    /// How many days away an exemption's end may be at most, today.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 3660)))]
    pub longest_days: u32,
}

/// Whether tags exempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ExemptionTags {
    /// They do.
    #[default]
    Accept,
    /// They do not: only the baseline's own `exemptions` count, and a tag is told of as one that
    /// exempts nothing.
    Refuse,
}

impl Default for Exempting {
    fn default() -> Self {
        Self { tags: ExemptionTags::default(), longest_days: 90 }
    }
}

impl Exempting {
    const LONGEST: u32 = 3660;

    /// What is wrong with it, one line each.
    pub(super) fn faults(self) -> Vec<String> {
        let what = match self.longest_days {
            0 => "is 0, so that every exemption would have to end today; write 1 or more",
            1..=Self::LONGEST => return Vec::new(),
            _ => "is more than ten years; write 3660 or less",
        };
        vec![format!("`exempting.longest_days`: {what}")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<(String, Option<Vec<RuleId>>, String), String> {
        let read = Exemption::of_tag(value).map_err(|fault| fault.to_string())?;
        if let Ok(written) = read.tag_value() {
            assert_eq!(Exemption::of_tag(&written).as_ref(), Ok(&read), "{value}");
        }
        Ok((read.until.to_string(), read.rules, read.reason))
    }

    #[test]
    fn a_tag_says_until_when_for_which_rules_and_why() {
        let all = |until: &str, reason: &str| Ok((until.to_owned(), None, reason.to_owned()));
        assert_eq!(
            read("until=2026-12-31 reason=JIRA-7 a+b=c @x _:/."),
            all("2026-12-31", "JIRA-7 a+b=c @x _:/.")
        );
        assert_eq!(
            read("  until=2028-02-29   reason=  für Müller  "),
            all("2028-02-29", "für Müller")
        );
        let rules = vec![RuleId::InternetRoute, RuleId::PublicIpOnLaunch];
        assert_eq!(
            read("until=2026-12-31 rule=internet-route+public-ip-on-launch reason=x"),
            Ok(("2026-12-31".to_owned(), Some(rules), "x".to_owned()))
        );
        assert_eq!(
            read("until=2026-12-31 reason=a rule is a rule"),
            all("2026-12-31", "a rule is a rule")
        );
    }

    #[test]
    fn a_malformed_tag_says_what_is_wrong_with_it() {
        let long = format!("until=2026-12-31 reason={}", "x".repeat(234));
        for (value, said) in [
            ("", "does not begin with `until=`"),
            ("yes", "does not begin with `until=`"),
            ("reason=x until=2026-12-31", "does not begin with `until=`"),
            ("Until=2026-12-31 reason=x", "does not begin with `until=`"),
            ("until=", "no day of the calendar (\"\")"),
            ("until=2027-02-29 reason=x", "no day of the calendar (\"2027-02-29\")"),
            ("until=31.12.2026 reason=x", "no day of the calendar (\"31.12.2026\")"),
            ("until=2026-12-31T00:00 reason=x", "no day of the calendar"),
            ("until=2026-12-31", "says no reason"),
            ("until=2026-12-31 reason=", "says no reason"),
            ("until=2026-12-31 reason=   ", "says no reason"),
            ("until=2026-12-31 because", "has \"because\" where `reason=` should be"),
            ("until=2026-12-31 rule=nat reason=x", "names the rule \"nat\", which there is not"),
            ("until=2026-12-31 rule= reason=x", "names the rule \"\", which there is not"),
            ("until=2026-12-31 rule=internet-route+ reason=x", "names the rule \"\""),
            ("until=2026-12-31 rule=internet-route", "says no reason"),
            ("until=2026-12-31 until=2027-12-31 reason=x", "says `until=` twice"),
            ("until=2026-12-31 reason=x until=2027-12-31", "says `until=` twice"),
            ("until=2026-12-31 reason=x reason=y", "says `reason=` twice"),
            ("until=2026-12-31 rule=vpc-dns rule=private-dns reason=x", "says `rule=` twice"),
            ("until=2026-12-31\nreason=x", "has the character U+000A"),
            ("until=2026-12-31\treason=x", "has the character U+0009"),
            ("until=2026-12-31 reason=a\u{202e}b", "(U+202E)"),
            ("until=2026-12-31\u{a0}reason=x", "(U+00A0)"),
            ("until=2026-12-31 reason=\"x\"", "has the character \"'\" (U+0022)"),
            (&long, "is longer than 256 characters"),
        ] {
            let fault = read(value).expect_err(value);
            assert!(fault.contains(said), "{value:?}: {fault}");
        }
    }
}
