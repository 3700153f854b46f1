//! The declared baseline: what every managed VPC should look like, and what may be done about it
//! when it does not.

mod accepted_subnets;
mod allowed_destinations;
mod contradictions;
mod costs;
mod exemption;
pub mod known_services;
mod listed_service;
mod managed_vpcs;
mod organization;
mod preset;
pub mod rule_id;
mod service;
mod settling;
pub mod source;
mod tag_selector;
mod vpc_override;

pub use accepted_subnets::{AcceptedSubnet, AcceptedSubnets};
pub use allowed_destinations::AllowedDestinations;
pub use costs::{Costs, UsDollars};
pub use exemption::{
    EXEMPT_TAG, Exempting, Exemption, ExemptionTags, ListedExemption, MalformedExemption,
    can_be_exempted,
};
pub use listed_service::{AcceptedPolicy, Create, ListedService, ReachedBy, Required};
pub use managed_vpcs::ManagedVpcs;
pub use organization::OrganizationId;
pub use preset::Preset;
pub use rule_id::{DefaultMode, RuleId};
pub use service::Service;
pub use settling::Settling;
pub use tag_selector::TagSelector;
pub use vpc_override::{Resolver, RuleMode, VpcOverride, VpcSelector};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{Error, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ec2::world::Vpc;
use crate::ec2::world_file::plain;
use crate::probe::ProbeName;
use tag_selector::{usual_private_tags, usual_public_tags};
use vpc_override::under_one_mode;

/// A complete baseline to start from: mode `notify`, the usual tags, S3 and DynamoDB, the three SSM
/// services.
pub const EXAMPLE: &str = include_str!("../../baseline.example.json");

/// What managed VPCs should look like. Every field has a default, the example's; unknown fields are
/// errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The version of the baseline's form; there is one, `1`.
    pub version: Version,
    /// What is done about a finding, unless `rules` says otherwise for its rule.
    #[serde(default)]
    pub mode: Mode,
    /// Which VPCs are looked after. No other is ever changed.
    #[serde(default)]
    pub managed_vpcs: ManagedVpcs,
    /// A subnet is private if one of these matches and none of `public_subnets` does.
    #[serde(default = "usual_private_tags")]
    pub private_subnets: Vec<TagSelector>,
    /// A subnet is public if one of these matches and none of `private_subnets` does. What matches
    /// neither, or both, is unclassified: shown, never touched.
    #[serde(default = "usual_public_tags")]
    pub public_subnets: Vec<TagSelector>,
    /// Words for services that belong together: what they stand for is added to the lists of services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<Preset>,
    /// The gateway endpoints that route tables should lead to.
    #[serde(default)]
    pub gateway_endpoints: GatewayEndpoints,
    /// The interface endpoints that each VPC should have.
    #[serde(default)]
    pub interface_endpoints: InterfaceEndpoints,
    /// What is done about internet routes on private subnets' tables.
    #[serde(default)]
    pub internet_routes: InternetRoutes,
    /// The probes: functions that stand in private subnets, by their names. A route of such a subnet's
    /// table goes only when the probe has just seen each required service answer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub probes: BTreeSet<ProbeName>,
    /// The subnets that may lead out though they are neither private nor public, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unclassified_subnets: Option<AcceptedSubnets>,
    /// Options of single rules, by the rule's name.
    #[serde(default, deserialize_with = "each_rule_once")]
    pub rules: BTreeMap<RuleId, RuleOptions>,
    /// Policies of endpoints that are kept although they are neither full access nor the service's
    /// own `policy`.
    #[serde(default)]
    pub accepted_policies: Vec<AcceptedPolicy>,
    /// The organisation of the account, for policies that name it as `{{organization}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// How long what takes time to act must have been seen before a route goes.
    #[serde(default)]
    pub settling: Settling,
    /// What holds for single VPCs: the modes there, and what cannot be observed. The first that matches
    /// a VPC counts.
    #[serde(default)]
    pub overrides: Vec<VpcOverride>,
    /// What interface endpoints cost, and may cost.
    #[serde(default)]
    pub costs: Costs,
    /// How much one run may change in one VPC.
    #[serde(default)]
    pub limits: Limits,
    /// What is left as it is until a day, and why, beside what tags exempt.
    #[serde(default)]
    pub exemptions: Vec<ListedExemption>,
    /// How things may be exempted.
    #[serde(default)]
    pub exempting: Exempting,
}

/// The version of a baseline's form; there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("const" = 1)))]
#[serde(try_from = "u64", into = "u64")]
pub struct Version;

impl TryFrom<u64> for Version {
    type Error = String;
    fn try_from(number: u64) -> Result<Self, String> {
        if number == 1 {
            Ok(Self)
        } else {
            Err(format!("`{number}` is not a version of the baseline; the only one is `1`"))
        }
    }
}

impl From<Version> for u64 {
    fn from(Version: Version) -> Self {
        1
    }
}

/// What is done about a finding.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A finding is logged and counted, no more.
    Observe,
    /// A finding is alerted; nothing is changed.
    #[default]
    Notify,
    /// A finding is repaired, and alerted.
    Repair,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observe => "observe",
            Self::Notify => "notify",
            Self::Repair => "repair",
        })
    }
}

/// The gateway endpoints that route tables should lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct GatewayEndpoints {
    /// The services: `s3`, `dynamodb`, `s3express`.
    pub services: Vec<ListedService>,
    /// Which route tables should lead to them.
    pub route_tables: RouteTables,
}

impl Default for GatewayEndpoints {
    fn default() -> Self {
        let services = ["s3", "dynamodb"].map(ListedService::always).to_vec();
        Self { services, route_tables: RouteTables::Private }
    }
}

/// Which route tables should lead to the gateway endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RouteTables {
    /// The route tables that serve a private subnet.
    #[default]
    Private,
    /// The route tables that serve any subnet.
    All,
}

/// The interface endpoints that each VPC should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct InterfaceEndpoints {
    /// The services. One that the Region does not offer keeps routes to the internet, unless it is
    /// required only where it is offered.
    pub services: Vec<ListedService>,
}

impl Default for InterfaceEndpoints {
    fn default() -> Self {
        let if_offered = ListedService::named("ec2messages", Required::IfOffered);
        let always = ["ssm", "ssmmessages"].map(ListedService::always);
        Self { services: always.into_iter().chain([if_offered]).collect() }
    }
}

/// What is done about internet routes on private subnets' tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct InternetRoutes {
    /// When a route is removed.
    pub remove: Remove,
    /// What is done about a route that may lead out: to a transit gateway, Cloud WAN, a VPN, an
    /// appliance.
    pub may_lead_out: MayLeadOut,
    /// Where routes may lead although that is on the internet: a partner's address, through a NAT
    /// gateway.
    pub allowed: Vec<AllowedDestinations>,
}

/// When an internet route is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Remove {
    /// The route is removed once an endpoint serves every service that is required for its subnets.
    #[default]
    AfterEndpoints,
    /// The route is removed at once, whatever that cuts off.
    Immediately,
}

/// What is done about a route that may lead out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MayLeadOut {
    /// The route is meant to be there: it is no finding.
    Accept,
    /// The route is a finding that is never repaired.
    #[default]
    Report,
    /// The route is removed as any internet route is.
    Remove,
}

/// Options of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RuleOptions {
    /// The mode for this rule's findings. Absent, the baseline's `mode` holds, and `notify` for a
    /// rule that was added after the first nine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How many minutes a missing endpoint is left to a tool that may be about to make it itself:
    /// after somebody deleted it, or in a VPC or subnet younger than ten minutes. Absent, 2. It is for
    /// the rules `gateway-endpoint` and `interface-endpoint`; no other makes endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(max = 60)))]
    pub grace_minutes: Option<u32>,
    /// Whether the rule `own-group-edited` revokes rules that others added to the guardrail's own
    /// security group; it is for no other rule. One that lets private clients in on TCP 443 stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoke_added: bool,
    /// Whether the rule `public-address` releases addresses that AWS assigned, which nobody gets back;
    /// it is for no other rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

/// An option of a rule that allows a part of its repair which its mode alone does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleSwitch {
    /// `revoke_added` of `own-group-edited`.
    RevokeAdded,
    /// `irreversible` of `public-address`.
    Irreversible,
}

impl fmt::Display for RuleSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RevokeAdded => "revoke_added",
            Self::Irreversible => "irreversible",
        })
    }
}

impl RuleOptions {
    /// The most minutes of grace that can be meant.
    pub(super) const LONGEST_GRACE: u32 = 60;
}

/// How much one run may change in one VPC; the rest is left for the next run, and the report says
/// so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The number of calls that change anything, at most.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub changes: u32,
    /// Of these, calls that create or modify endpoints. AWS grants 4 at once and then one each 3.3
    /// seconds, to the whole account and Region
    /// (docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html).
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub endpoint_changes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { changes: 40, endpoint_changes: 8 }
    }
}

/// A baseline that cannot be used: one line for each fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", faults.join("\n"))]
pub struct InvalidBaseline {
    /// The faults, one line each, which names the field, the value and what is allowed.
    pub faults: Vec<String>,
}

/// The options by rule; a name that stands twice is refused, because nobody could tell which counts.
fn each_rule_once<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    input: D,
) -> Result<BTreeMap<RuleId, T>, D::Error> {
    struct Rules<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Rules<T> {
        type Value = BTreeMap<RuleId, T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut rules = BTreeMap::new();
            while let Some(name) = map.next_key::<String>()? {
                let rule = RuleId::deserialize(name.as_str().into_deserializer())?;
                if rules.insert(rule, map.next_value()?).is_some() {
                    return Err(Error::custom(format_args!("the rule `{name}` stands twice")));
                }
            }
            Ok(rules)
        }
    }

    input.deserialize_map(Rules(PhantomData))
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            version: Version,
            mode: Mode::default(),
            managed_vpcs: ManagedVpcs::default(),
            private_subnets: usual_private_tags(),
            public_subnets: usual_public_tags(),
            presets: Vec::new(),
            gateway_endpoints: GatewayEndpoints::default(),
            interface_endpoints: InterfaceEndpoints::default(),
            internet_routes: InternetRoutes::default(),
            probes: BTreeSet::new(),
            unclassified_subnets: None,
            rules: BTreeMap::new(),
            accepted_policies: Vec::new(),
            organization: None,
            settling: Settling::default(),
            overrides: Vec::new(),
            costs: Costs::default(),
            limits: Limits::default(),
            exemptions: Vec::new(),
            exempting: Exempting::default(),
        }
    }
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When it is not JSON, has an unknown field or a value that is not allowed, or contradicts
    /// itself.
    pub fn parse(json: &str) -> Result<Self, InvalidBaseline> {
        let mut input = serde_json::Deserializer::from_str(json);
        let mut baseline: Self =
            serde_path_to_error::deserialize(&mut input).map_err(|error| InvalidBaseline {
                faults: vec![match (error.path().to_string(), plain(&error.inner().to_string())) {
                    (path, what) if path == "." => what,
                    (path, what) => format!("`{path}`: {what}"),
                }],
            })?;
        input.end().map_err(|error| InvalidBaseline {
            faults: vec![format!("text after the baseline's end: {error}")],
        })?;
        preset::add(
            &baseline.presets,
            &mut baseline.gateway_endpoints,
            &mut baseline.interface_endpoints,
        );
        let faults = baseline.contradictions();
        if faults.is_empty() { Ok(baseline) } else { Err(InvalidBaseline { faults }) }
    }

    /// The mode a rule's findings are handled in.
    pub fn mode_of(&self, rule: RuleId) -> Mode {
        let own = self.own_mode_of(rule);
        match rule.default_mode() {
            DefaultMode::OfBaseline => own.unwrap_or(self.mode),
            DefaultMode::Notify => own.unwrap_or(Mode::Notify),
            DefaultMode::Advice => own.unwrap_or(Mode::Notify).min(Mode::Notify),
        }
    }

    /// How long the missing endpoints of a rule are left to a tool that may be about to make them.
    pub fn grace_of(&self, rule: RuleId) -> Duration {
        const USUAL_MINUTES: u32 = 2;
        let own = self.rules.get(&rule).and_then(|options| options.grace_minutes);
        Duration::from_secs(u64::from(own.unwrap_or(USUAL_MINUTES)) * 60)
    }

    /// Whether the options of a rule allow this part of its repair.
    pub fn allows(&self, rule: RuleId, switch: RuleSwitch) -> bool {
        self.rules.get(&rule).is_some_and(|options| match switch {
            RuleSwitch::RevokeAdded => options.revoke_added,
            RuleSwitch::Irreversible => options.irreversible,
        })
    }

    /// Whether a tag of this key may say that a subnet is private or public.
    pub fn selects_subnets_by(&self, key: &str) -> bool {
        self.private_subnets.iter().chain(&self.public_subnets).any(|selector| selector.tag == key)
    }

    /// The mode that `rules` gives a rule.
    fn own_mode_of(&self, rule: RuleId) -> Option<Mode> {
        self.rules.get(&rule).and_then(|options| options.mode)
    }

    /// Who answers the DNS queries of this VPC, where the baseline says so.
    pub fn resolver_of(&self, vpc: &Vpc) -> Option<Resolver> {
        self.override_of(vpc)?.resolver
    }

    /// Whether any rule may change anything in any VPC.
    pub fn repairs(&self) -> bool {
        let repairs = |of: &Self| RuleId::ALL.iter().any(|rule| of.mode_of(*rule) == Mode::Repair);
        repairs(self) || self.overrides.iter().any(|known| repairs(&self.under(Some(known))))
    }

    /// This baseline with one mode for every rule in every VPC; a rule that only `rules` switch on, and that they
    /// do not switch on, changes nothing in this one either.
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        for rule in RuleId::ALL {
            let allowed = under_one_mode(rule.default_mode(), self.own_mode_of(*rule), mode);
            self.rules.entry(*rule).or_default().mode = Some(allowed);
        }
        let overrides = std::mem::take(&mut self.overrides).into_iter();
        self.overrides = overrides.map(|known| known.with_mode(mode)).collect();
        self
    }
}

#[cfg(test)]
mod tests;
