//! `guardrail events`: the calls that are watched, why, and what is done about what is gone.

use guardrail::event::TABLE;

use crate::arguments::TableFormat;
use crate::ending::Ending;
use crate::render::{labelled, line, row};

/// Where the reasons start: behind the longest name.
const COLUMN: usize = 39;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How to print the table.
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
    let mut family = None;
    for watch in TABLE {
        if family != Some(watch.family) {
            line(out, &watch.family.to_string());
            family = Some(watch.family);
        }
        labelled(out, &format!("  {}", watch.name), COLUMN, watch.why);
        let gone = format!("gone: {}: {}", watch.gone.what(), watch.gone.reason());
        labelled(out, "", COLUMN, &gone);
    }
}

fn markdown(out: &mut String) {
    row(out, &["call", "about", "why it is watched", "what is looked at if what it names is gone"]);
    line(out, "|---|---|---|---|");
    for watch in TABLE {
        let gone = format!("{}: {}", watch.gone.what(), watch.gone.reason());
        row(out, &[&format!("`{}`", watch.name), &watch.family.to_string(), watch.why, &gone]);
    }
}
