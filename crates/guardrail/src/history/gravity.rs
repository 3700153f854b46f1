//! What is worse than what, for a reader who is woken at three in the morning and reads ten lines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alert::Attribute;
use crate::baseline::RuleId;

/// How bad it is that a rule's promise does not hold; the worst is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gravity {
    /// A private subnet leads out, or may: data may be leaving now.
    LeadsOut,
    /// Private subnets have no way to a service: something of theirs may have stopped.
    CutOff,
    /// What guards is weaker than it was, and nothing is open or stopped by that alone.
    Weakened,
    /// A person should know of it some day.
    Advice,
}

impl Gravity {
    /// How bad it is that this rule found something.
    pub fn of(rule: RuleId) -> Self {
        match rule {
            RuleId::PrivateButPublic | RuleId::InternetRoute => Self::LeadsOut,
            RuleId::VpcDns
            | RuleId::EndpointSecurityGroup
            | RuleId::GatewayEndpoint
            | RuleId::GatewayEndpointRouteTable
            | RuleId::InterfaceEndpoint
            | RuleId::PrivateDns
            | RuleId::EndpointState
            | RuleId::ServiceNotServed => Self::CutOff,
            RuleId::InterfaceEndpointZone
            | RuleId::OwnGroupEdited
            | RuleId::EndpointPolicy
            | RuleId::EndpointRouteOverruled
            | RuleId::PublicAddress
            | RuleId::PublicIpOnLaunch => Self::Weakened,
            RuleId::UnguardedSubnet => Self::Advice,
        }
    }
}

/// What an alert asks of its reader; the most urgent is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    /// It stays as it is until somebody does something.
    ToAct,
    /// Somebody should look: it is not known, or no drift.
    ToLook,
    /// Nothing: it is over.
    Nothing,
}

/// How an alert ranks among others: what asks for more before what asks for less, and of that what is
/// worse before what is less so. What was repaired is over, however bad it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rank {
    /// What the alert asks of its reader.
    pub asks: Asks,
    /// How bad the worst is that it tells.
    pub gravity: Gravity,
}

impl Rank {
    /// The rank of an alert with these attributes. What says nothing of itself is as bad as can be:
    /// nobody may take it for harmless.
    pub fn of(attributes: &BTreeMap<String, Attribute>) -> Self {
        let is = |name: &str, value: &str| text(attributes, name) == Some(value);
        let asks = match text(attributes, "verdict") {
            // A VPC or a subnet has left the guardrail's care.
            _ if is("left", "true") => Asks::ToAct,
            // A probe does not reach what it reached before a route was removed.
            _ if is("cut_off", "true") => Asks::ToAct,
            Some("repaired" | "compliant" | "no-such-VPC") => Asks::Nothing,
            Some("not-fully-observed" | "advised" | "not-managed") => Asks::ToLook,
            Some(_) | None => Asks::ToAct,
        };
        let gravity = rules(attributes).into_iter().map(gravity_of).min();
        Self { asks, gravity: gravity.unwrap_or(Gravity::LeadsOut) }
    }
}

/// A rule that this version does not know may be the worst there is.
fn gravity_of(rule: &str) -> Gravity {
    let known = RuleId::ALL.iter().find(|known| known.as_str() == rule);
    known.map_or(Gravity::LeadsOut, |rule| Gravity::of(*rule))
}

/// The one value of an attribute.
pub(super) fn text<'a>(attributes: &'a BTreeMap<String, Attribute>, name: &str) -> Option<&'a str> {
    match attributes.get(name) {
        Some(Attribute::Text(text)) => Some(text),
        Some(Attribute::List(_)) | None => None,
    }
}

/// The rules that an alert is about.
pub(super) fn rules(attributes: &BTreeMap<String, Attribute>) -> Vec<&str> {
    match attributes.get("rules") {
        Some(Attribute::List(rules)) => rules.iter().map(String::as_str).collect(),
        Some(Attribute::Text(rule)) => vec![rule],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(verdict: &str, rules: &[&str]) -> Rank {
        let rules = rules.iter().map(|rule| (*rule).to_owned()).collect();
        Rank::of(&BTreeMap::from([
            ("verdict".to_owned(), Attribute::of(verdict)),
            ("rules".to_owned(), Attribute::List(rules)),
        ]))
    }

    #[test]
    fn what_needs_a_person_comes_first_and_of_that_what_leads_out() {
        let in_order = [
            rank("drift-left", &["unguarded-subnet", "internet-route"]),
            rank("drift-left", &["vpc-dns", "public-ip-on-launch"]),
            rank("drift-left", &["public-ip-on-launch"]),
            rank("not-fully-observed", &["internet-route"]),
            rank("advised", &["unguarded-subnet"]),
            rank("repaired", &["internet-route"]),
            rank("repaired", &["vpc-dns"]),
        ];
        assert!(in_order.is_sorted_by(|one, two| one < two), "{in_order:?}");
    }

    #[test]
    fn what_is_not_known_is_as_bad_as_can_be() {
        let worst = Rank { asks: Asks::ToAct, gravity: Gravity::LeadsOut };
        assert_eq!(Rank::of(&BTreeMap::new()), worst);
        assert_eq!(rank("of-another-version", &["of-another-version"]), worst);
        let mut left = BTreeMap::from([("verdict".to_owned(), Attribute::of("not-managed"))]);
        assert_eq!(Rank::of(&left).asks, Asks::ToLook);
        left.insert("left".to_owned(), Attribute::of(true));
        assert_eq!(Rank::of(&left).asks, Asks::ToAct);
        let mut cut_off = BTreeMap::from([("verdict".to_owned(), Attribute::of("repaired"))]);
        assert_eq!(Rank::of(&cut_off).asks, Asks::Nothing);
        cut_off.insert("cut_off".to_owned(), Attribute::of(true));
        assert_eq!(Rank::of(&cut_off).asks, Asks::ToAct);
    }
}
