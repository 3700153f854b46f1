//! The drift rules: one file each; their names are in `baseline/rule_id.rs`.

pub mod exemptions;
pub mod finding;
pub mod left_alone;
pub mod repair;

use std::collections::BTreeSet;

use crate::analysis::View;
use crate::baseline::RuleId;
use crate::baseline::rule_id::every_rule;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::rules::finding::Finding;

/// One rule: what it finds, what is done about it, and what it needs for both.
#[derive(Debug)]
pub struct Rule {
    /// The rule's name.
    pub id: RuleId,
    /// What the rule finds, in words.
    pub finds: &'static str,
    /// What the repair is and what is left to a person, in words.
    pub repairs: &'static str,
    /// What must have been observed, or the rule says nothing.
    pub needs: &'static [Section],
    /// The EC2 operations that the rule's repair calls.
    pub operations: &'static [Operation],
    /// The rule itself: from a view of a VPC to its findings.
    pub check: fn(&View<'_>) -> Vec<Finding>,
}

impl Rule {
    /// The IAM actions that its repair needs, in the order of their names, each once.
    pub fn permissions(&self) -> BTreeSet<&'static str> {
        self.operations.iter().flat_map(|operation| operation.permissions()).copied().collect()
    }
}

impl Rule {
    /// The sections that are read for the rule, for its findings and again before its repairs.
    pub fn sections(&self) -> BTreeSet<Section> {
        let again = self.operations.iter().flat_map(|operation| operation.rests_on());
        self.needs.iter().chain(again).copied().collect()
    }
}

macro_rules! registry {
    ($($module:ident $name:ident $text:literal $default:ident;)*) => {
        $(mod $module;)*

        impl RuleId {
            /// The rule of this name.
            pub fn rule(self) -> &'static Rule {
                match self { $(Self::$name => &$module::RULE,)* }
            }
        }
    };
}

every_rule!(registry);

/// What every rule finds, in the order of repair; rules that need what was not observed say
/// nothing.
pub fn evaluate(view: &View<'_>) -> Vec<Finding> {
    RuleId::ALL.iter().flat_map(|id| found_by(view, *id)).collect()
}

/// What one rule finds; nothing where it needs what was not observed.
fn found_by(view: &View<'_>, id: RuleId) -> Vec<Finding> {
    let rule = id.rule();
    let is_missing = |section| view.snapshot.missing.contains(section);
    if rule.needs.iter().any(is_missing) { Vec::new() } else { (rule.check)(view) }
}

/// What every rule but this one finds.
fn found_by_others(view: &View<'_>, than: RuleId) -> Vec<Finding> {
    RuleId::ALL.iter().filter(|id| **id != than).flat_map(|id| found_by(view, *id)).collect()
}
