//! What the baseline says of single VPCs: the modes there, and what cannot be observed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Baseline, DefaultMode, Mode, RuleId, each_rule_once};
use crate::ec2::id::VpcId;
use crate::ec2::world::Vpc;

/// What the baseline says of one VPC, or of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VpcOverride {
    /// The VPCs that it holds for.
    pub vpc: VpcSelector,
    /// Who answers the VPC's DNS queries, where its DHCP options name servers that are not Amazon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolver: Option<Resolver>,
    /// What is done about findings in the VPC, in place of the baseline's `mode` and of the modes in its
    /// `rules`. Rules that were added after the first nine repair only where the baseline's `rules` or
    /// these say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The modes of single rules in the VPC, in place of every other.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "each_rule_once"
    )]
    pub rules: BTreeMap<RuleId, RuleMode>,
}

/// The mode of one rule in one VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RuleMode {
    /// The mode for the rule's findings in the VPC.
    pub mode: Mode,
}

impl VpcOverride {
    /// Whether it says the modes in its VPC.
    pub fn says_modes(&self) -> bool {
        self.mode.is_some() || !self.rules.is_empty()
    }

    /// The override where one mode holds for every rule of every VPC: a rule that only `rules` switch
    /// on, and that they do not switch on here, changes nothing here either.
    #[must_use]
    pub(super) fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = None;
        for (rule, own) in &mut self.rules {
            own.mode = under_one_mode(rule.default_mode(), Some(own.mode), mode);
        }
        self
    }
}

/// The mode of a rule where one mode holds for every rule, by what `rules` say of it.
pub(super) fn under_one_mode(default: DefaultMode, own: Option<Mode>, mode: Mode) -> Mode {
    match (default, own) {
        (DefaultMode::OfBaseline, _) | (DefaultMode::Notify, Some(Mode::Repair)) => mode,
        (DefaultMode::Notify, Some(Mode::Observe | Mode::Notify) | None)
        | (DefaultMode::Advice, _) => mode.min(Mode::Notify),
    }
}

impl Baseline {
    /// The first override that matches a VPC: it alone counts.
    pub fn override_of(&self, vpc: &Vpc) -> Option<&VpcOverride> {
        self.overrides.iter().find(|known| known.vpc.matches(vpc))
    }

    /// The baseline as it is for VPCs under this override: the modes are the override's.
    pub fn under(&self, known: Option<&VpcOverride>) -> Cow<'_, Self> {
        let Some(known) = known.filter(|known| known.says_modes()) else {
            return Cow::Borrowed(self);
        };
        let mut own = match known.mode {
            Some(mode) => self.clone().with_mode(mode),
            None => self.clone(),
        };
        for (rule, RuleMode { mode }) in &known.rules {
            own.rules.entry(*rule).or_default().mode = Some(*mode);
        }
        Cow::Owned(own)
    }
}

/// Which VPCs are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VpcSelector {
    /// The VPC of this id.
    Id(VpcId),
    /// The VPCs with this tag `Name`, to the letter.
    Name(String),
    /// The VPCs with this tag, key and value to the letter.
    Tag {
        /// The tag's key, to the letter.
        key: String,
        /// The tag's value, to the letter.
        value: String,
    },
}

/// Who answers a VPC's DNS queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Resolver {
    /// The servers hand queries for AWS's names to the VPC's Amazon-provided resolver.
    ForwardsToAmazon,
}

impl VpcSelector {
    /// Whether this VPC is meant.
    pub fn matches(&self, vpc: &Vpc) -> bool {
        let tagged =
            |key: &str, value: &str| vpc.tags.iter().any(|t| t.key == key && t.value == value);
        match self {
            Self::Id(id) => vpc.vpc_id == *id,
            Self::Name(name) => tagged("Name", name),
            Self::Tag { key, value } => tagged(key, value),
        }
    }

    /// Whether both mean the same VPCs, by whatever tags these have.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }

    /// The field that has to say something and is empty.
    pub(super) fn empty_field(&self) -> Option<&'static str> {
        match self {
            Self::Id(_) => None,
            Self::Name(name) => name.is_empty().then_some("name"),
            Self::Tag { key, .. } => key.is_empty().then_some("tag.key"),
        }
    }
}

impl fmt::Display for VpcSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => write!(f, "the tag Name={name}"),
            Self::Tag { key, value } => write!(f, "the tag {key}={value}"),
        }
    }
}
