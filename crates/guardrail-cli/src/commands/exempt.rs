//! `guardrail exempt`: the tag that exempts something until a day.

use guardrail::baseline::{
    Baseline, EXEMPT_TAG, Exemption, ExemptionTags, RuleId, can_be_exempted,
};
use guardrail::ec2::resource_id::{ResourceId, ResourceKind};
use guardrail::report::commands;
use guardrail::time::Day;

use crate::arguments::{BaselineArgs, PlaceArgs};
use crate::clock::now;
use crate::ending::Ending;
use crate::error::BadInput;
use crate::render::line;
use crate::{input, live};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The route table, subnet, endpoint or security group to exempt; or the VPC, for all that is in
    /// it and for what is missing there.
    #[arg(value_name = "ID")]
    on: ResourceId,
    /// The last day of the exemption (UTC).
    #[arg(long, value_name = "2026-11-24")]
    until: Day,
    /// Why: letters, digits, spaces and _.:/=+-@.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Only what this rule finds. Can be given several times; without it, whatever rule finds it.
    #[arg(long = "rule", value_name = "RULE", value_parser = rule)]
    rules: Vec<RuleId>,
    #[command(flatten)]
    baseline_args: BaselineArgs,
    #[command(flatten)]
    place: PlaceArgs,
    /// Really set the tag, in a build with the feature `live`; without it, the command that does is
    /// printed.
    #[arg(long)]
    yes: bool,
}

fn rule(name: &str) -> Result<RuleId, String> {
    let known = RuleId::ALL.iter().find(|rule| rule.as_str() == name).copied();
    known.ok_or_else(|| "there is no such rule; `guardrail rules` lists them".to_owned())
}

pub(crate) fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let baseline = input::baseline_args(&arguments.baseline_args)?;
    let value = value(arguments, &baseline, Day::of(now())).map_err(BadInput::Exemption)?;
    if arguments.yes {
        live::tag(&arguments.place, &arguments.on, EXEMPT_TAG, &value)?;
        line(out, &format!("{} has the tag {EXEMPT_TAG}={value}", arguments.on));
        return Ok(Ending::Fine);
    }
    let command = commands::tag(arguments.on.as_str(), EXEMPT_TAG, &value);
    let region = arguments.place.region.as_ref().map(|region| format!(" --region {region}"));
    line(out, &format!("{command}{}", region.unwrap_or_default()));
    Ok(Ending::Fine)
}

/// The tag's value; or why there is none that would exempt.
fn value(arguments: &Arguments, baseline: &Baseline, today: Day) -> Result<String, String> {
    let Arguments { on, until, reason, rules, .. } = arguments;
    if on.kind() != ResourceKind::Vpc && !can_be_exempted(on.kind()) {
        return Err(format!(
            "{on} cannot be exempted, because nothing is found on it; name a route table, a subnet, an \
             endpoint, a security group, or the VPC"
        ));
    }
    match baseline.exempting.tags {
        ExemptionTags::Accept => {}
        ExemptionTags::Refuse => {
            return Err(
                "the baseline refuses exemptions by tags (`exempting.tags`); add this one to its \
                        `exemptions`"
                    .to_owned(),
            );
        }
    }
    let latest = today.plus(baseline.exempting.longest_days);
    if *until < today || *until > latest {
        return Err(format!(
            "the last day, {until}, has to lie between today, {today}, and {latest} \
             (`exempting.longest_days` in the baseline)"
        ));
    }
    let rules = (!rules.is_empty()).then(|| rules.clone());
    let exemption = Exemption { until: *until, rules, reason: reason.clone() };
    exemption.tag_value().map_err(|fault| format!("the tag's value {fault}"))
}
