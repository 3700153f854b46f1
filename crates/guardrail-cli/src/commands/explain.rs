//! `guardrail explain`: why everything is what it is.

use guardrail::analysis::View;
use guardrail::analysis::required_service::required_services;
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::run::preview_snapshot;
use guardrail::time::Day;

use crate::commands::plan::look_at;
use crate::ending::Ending;
use crate::error::BadInput;
use crate::render::line;
use crate::source::SourceArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let source = arguments.source.look()?;
    let shared = Shared::of(&source.world);
    let snapshots = Snapshot::all(&source.world, &shared)?;
    if snapshots.is_empty() {
        line(out, &source.nothing());
    }
    let now = arguments.source.now();
    let preview = |snapshot: &Snapshot<'_>| {
        preview_snapshot(&source.baseline, snapshot, &look_at(snapshot.scope.clone()), now)
    };
    let reports = arguments.source.with_traffic(snapshots.iter().map(preview).collect());
    for (snapshot, report) in snapshots.iter().zip(&reports) {
        let required_services =
            required_services(&source.baseline, &snapshot.scope.region, &shared);
        let view = View::of(&source.baseline, snapshot, &required_services);
        out.push_str(&guardrail::report::explain::explain(&view, Day::of(now)));
        out.push_str(&guardrail::report::explain::carried(&report.nat_traffic));
    }
    Ok(source.ending(Ending::Fine))
}
