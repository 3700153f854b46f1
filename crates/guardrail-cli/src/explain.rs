//! `guardrail explain`: why everything is what it is.

use guardrail::finding::View;
use guardrail::promise::promises;
use guardrail::snapshot::{Shared, Snapshot};

use crate::input::{self, BadInput};
use crate::{Ending, Subject};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: Subject,
}

pub(crate) fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let (world, baseline) = input::subject(&arguments.subject)?;
    let shared = Shared::of(&world);
    let snapshots = Snapshot::all(&world, &shared)?;
    if snapshots.is_empty() {
        out.push_str("The world holds no VPC.\n");
    }
    for snapshot in &snapshots {
        let promises = promises(&baseline, &snapshot.scope.region, &shared);
        out.push_str(&guardrail::explain::explain(&View::of(&baseline, snapshot, &promises)));
    }
    Ok(Ending::Fine)
}
