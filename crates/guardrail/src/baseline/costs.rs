//! What AWS charges for endpoints, and how much of it the guardrail may cause.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ec2::id::Region;

/// What AWS charges for interface endpoints, and how much the guardrail may cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Costs {
    /// What an interface endpoint costs in one Availability Zone for an hour, in US dollars, by Region.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub interface_endpoint_hour: BTreeMap<Region, UsDollars>,
    /// What the interface endpoints that the guardrail makes in one VPC may cost a month at most, in US
    /// dollars. Above it, or where the price is not known, none is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling_per_month: Option<UsDollars>,
}

/// An amount of US dollars, to the millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsDollars(u64);

/// An hour of an interface endpoint in one zone, in millionths of a dollar, where AWS's page of prices
/// was read (aws.amazon.com/privatelink/pricing).
const KNOWN: [(&str, u64); 1] = [("us-east-1", 10_000)];

impl Costs {
    /// What an interface endpoint in so many zones costs a month; `None` where neither the baseline nor
    /// this release knows the Region's price. The price of another Region is never taken.
    pub fn of_interface_endpoint(&self, region: &Region, zones: usize) -> Option<UsDollars> {
        /// The hours of a month, as AWS's own calculator counts them (calculator.aws).
        const HOURS: u64 = 730;
        let known = KNOWN.iter().find(|(code, _)| *code == region.as_str());
        let UsDollars(hour) = self
            .interface_endpoint_hour
            .get(region)
            .copied()
            .or_else(|| known.map(|(_, hour)| UsDollars(*hour)))?;
        let zones = u64::try_from(zones).unwrap_or(u64::MAX);
        Some(UsDollars(hour.saturating_mul(HOURS).saturating_mul(zones)))
    }
}

impl fmt::Display for UsDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The millionths of a dollar in a cent.
        const CENT: u64 = 10_000;
        let cents = self.0.saturating_add(CENT / 2) / CENT;
        write!(f, "${}.{:02}", cents / 100, cents % 100)
    }
}

impl Serialize for UsDollars {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let whole = u32::try_from(self.0 / 1_000_000).unwrap_or(u32::MAX);
        let rest = u32::try_from(self.0 % 1_000_000).unwrap_or_default();
        output.serialize_f64(f64::from(whole) + f64::from(rest) / 1e6)
    }
}

impl<'de> Deserialize<'de> for UsDollars {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        /// More than any Region charges for an hour, or anybody's ceiling.
        const MOST: f64 = 1e9;
        let dollars = f64::deserialize(input)?;
        let is_amount = dollars.is_finite() && (0.0..=MOST).contains(&dollars);
        if !is_amount {
            return Err(serde::de::Error::custom(format_args!(
                "`{dollars}` is not an amount of US dollars; write one like `0.011`"
            )));
        }
        // Within the bounds above, and rounded, it is a whole number that fits.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
        let millionths = (dollars * 1e6).round() as u64;
        Ok(Self(millionths))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for UsDollars {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UsDollars".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An amount of US dollars.",
            "type": "number",
            "minimum": 0,
            "maximum": 1_000_000_000
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(json: &str) -> Costs {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_price_is_the_baselines_then_the_known_one_and_never_another_regions() {
        let ours = costs(r#"{"interface_endpoint_hour": {"eu-central-1": 0.012}}"#);
        let price = |costs: &Costs, region: &str, zones| {
            costs.of_interface_endpoint(&region.parse().unwrap(), zones).map(|it| it.to_string())
        };
        assert_eq!(price(&ours, "eu-central-1", 2).as_deref(), Some("$17.52"));
        assert_eq!(price(&ours, "us-east-1", 1).as_deref(), Some("$7.30"));
        assert_eq!(price(&ours, "eu-west-1", 1), None);
        let other = costs(r#"{"interface_endpoint_hour": {"us-east-1": 0.02}}"#);
        assert_eq!(price(&other, "us-east-1", 3).as_deref(), Some("$43.80"));
    }

    #[test]
    fn an_amount_is_written_as_it_was_read() {
        for amount in ["0.0", "0.012", "7.3", "1000000000.0", "0.00001"] {
            let read: UsDollars = serde_json::from_str(amount).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), amount);
        }
        for amount in ["-1", "1e10", "\"1\"", "null"] {
            assert!(serde_json::from_str::<UsDollars>(amount).is_err(), "{amount}");
        }
    }
}
