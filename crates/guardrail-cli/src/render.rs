//! Text of the command's own: lines, JSON lines, route tables.

use std::fmt::Write as _;

use guardrail::analysis::topology::Topology;
use guardrail::baseline::Baseline;
use guardrail::ec2::id::VpcId;
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::ec2::world::{Route, World};
use guardrail::shown::{one_line, word};
use serde::Serialize;

/// Appends a line.
pub(crate) fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}");
}

/// Appends a value as one line of JSON, made fit to be shown.
pub(crate) fn json_line<T: Serialize>(out: &mut String, value: &T) {
    line(out, &guardrail::shown::json(value));
}

/// The tables that serve private subnets, route by route.
pub(crate) fn private_tables(
    out: &mut String,
    world: &World,
    baseline: &Baseline,
    vpc: &VpcId,
    indent: &str,
) {
    let shared = Shared::of(world);
    let Ok(Some(snapshot)) = Snapshot::one(world, &shared, vpc) else { return };
    let topology = Topology::of(&snapshot, baseline);
    for used in topology.tables.iter().filter(|used| used.is_private()) {
        let subnets: Vec<&str> =
            used.private_users().map(guardrail::ec2::id::SubnetId::as_str).collect();
        line(out, &format!("{indent}{}, for {}", used.table.route_table_id, subnets.join(", ")));
        for route in &used.table.routes {
            line(out, &one_line(&format!("{indent}  {}", route_line(route))));
        }
    }
}

fn route_line(route: &Route) -> String {
    let destination =
        route.destination().map_or_else(|| "?".into(), |to| word(&to.to_string()).into_owned());
    let state = route.state.as_ref().map(|state| format!(" ({})", word(state.as_str())));
    let state = state.unwrap_or_default();
    format!(
        "{destination} → {}{state}",
        route.target().map_or_else(|| "?".into(), |target| word(target.as_str()).into_owned())
    )
}

/// Appends text, each of its lines behind a bar.
pub(crate) fn quoted(out: &mut String, text: &str, indent: &str) {
    for part in text.lines() {
        line(out, format!("{indent}| {part}").trim_end());
    }
}

/// How wide text for people is.
const WIDTH: usize = 80;

/// Appends text behind a label: it starts in this column, and goes on there in the next line where
/// it is too long.
pub(crate) fn labelled(out: &mut String, label: &str, column: usize, text: &str) {
    let mut current = format!("{label:<column$}");
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && current.chars().count() + 1 + word.chars().count() > WIDTH {
            line(out, &current);
            current = " ".repeat(column);
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty = false;
    }
    line(out, current.trim_end());
}

/// Appends a row of a table in Markdown.
pub(crate) fn row(out: &mut String, cells: &[&str]) {
    line(out, &format!("| {} |", cells.join(" | ")));
}
