//! `guardrail rules`: what each rule finds and repairs, and what it needs for both.

use guardrail::baseline::{DefaultMode, RuleId};

use crate::arguments::TableFormat;
use crate::ending::Ending;
use crate::render::{labelled, line, row};

/// Where the texts start: behind the longest label.
const COLUMN: usize = 17;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How to print the rules.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

pub(crate) fn run(arguments: &Arguments, out: &mut String) -> Ending {
    match arguments.format {
        TableFormat::Text => text(out),
        TableFormat::Markdown => markdown(out),
    }
    Ending::Fine
}

fn text(out: &mut String) {
    for id in RuleId::ALL {
        let rule = id.rule();
        let sections: Vec<String> = rule.sections().iter().map(ToString::to_string).collect();
        let permissions: Vec<&str> = rule.permissions().into_iter().collect();
        let actions =
            if permissions.is_empty() { "none".to_owned() } else { permissions.join(", ") };
        line(out, id.as_str());
        labelled(out, "  finds", COLUMN, rule.finds);
        labelled(out, "  repair", COLUMN, rule.repairs);
        labelled(out, "  default mode", COLUMN, default_mode(*id));
        labelled(out, "  permissions", COLUMN, &actions);
        labelled(out, "  sections read", COLUMN, &sections.join(", "));
    }
}

fn default_mode(rule: RuleId) -> &'static str {
    match rule.default_mode() {
        DefaultMode::OfBaseline => "the baseline's",
        DefaultMode::Notify => "notify, whatever the baseline's is",
        DefaultMode::Advice => "notify, and never more",
    }
}

fn markdown(out: &mut String) {
    row(out, &["rule", "finds", "repair"]);
    line(out, "|---|---|---|");
    for id in RuleId::ALL {
        let rule = id.rule();
        row(out, &[&format!("`{id}`"), rule.finds, rule.repairs]);
    }
}
