//! Text of the command's own: lines, JSON lines, route tables.

use std::fmt::Write as _;

use guardrail::analysis::topology::Topology;
use guardrail::baseline::Baseline;
use guardrail::ec2::id::VpcId;
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::ec2::world::{Route, World};
use serde::Serialize;

/// Appends a line.
pub(crate) fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}");
}

/// Appends a value as one line of JSON.
pub(crate) fn json_line<T: Serialize>(out: &mut String, value: &T) {
    // Our own types have text keys only, so this cannot fail.
    line(out, &serde_json::to_string(value).unwrap_or_default());
}

/// The tables that serve private subnets, route by route.
pub(crate) fn private_tables(out: &mut String, world: &World, baseline: &Baseline, vpc: &VpcId, indent: &str) {
    let shared = Shared::of(world);
    let Ok(Some(snapshot)) = Snapshot::one(world, &shared, vpc) else { return };
    let topology = Topology::of(&snapshot, baseline);
    for used in topology.tables.iter().filter(|used| used.is_private()) {
        let subnets: Vec<&str> = used.private_users().map(guardrail::ec2::id::SubnetId::as_str).collect();
        line(out, &format!("{indent}{}, for {}", used.table.route_table_id, subnets.join(", ")));
        for route in &used.table.routes {
            line(out, &format!("{indent}  {}", route_line(route)));
        }
    }
}

fn route_line(route: &Route) -> String {
    let destination = route.destination().map_or_else(|| "?".to_owned(), |destination| destination.to_string());
    let state = route.state.as_ref().map(|state| format!(" ({state})")).unwrap_or_default();
    format!("{destination} → {}{state}", route.target().unwrap_or("?"))
}

/// Appends text, each of its lines behind a bar.
pub(crate) fn quoted(out: &mut String, text: &str, indent: &str) {
    for part in text.lines() {
        line(out, format!("{indent}| {part}").trim_end());
    }
}
