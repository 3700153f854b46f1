//! `guardrail explain`: why everything is what it is.

use guardrail::analysis::promise::promises;
use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::rules::finding::View;

use crate::Ending;
use crate::input::BadInput;
use crate::render::line;
use crate::sight::WhereToLook;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sight: WhereToLook,
}

pub(crate) fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let sight = arguments.sight.look()?;
    let shared = Shared::of(&sight.world);
    let snapshots = Snapshot::all(&sight.world, &shared)?;
    if snapshots.is_empty() {
        line(out, &sight.nothing());
    }
    for snapshot in &snapshots {
        let promises = promises(&sight.baseline, &snapshot.scope.region, &shared);
        out.push_str(&guardrail::report::explain::explain(&View::of(&sight.baseline, snapshot, &promises)));
    }
    Ok(sight.ending(Ending::Fine))
}
