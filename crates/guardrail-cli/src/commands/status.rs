//! `guardrail status`: what waits, and how far the last sweep came.

use guardrail::cloud::{Cloud as _, Table as _};
use guardrail::history::Kind;
use guardrail::history::ledger::read;
use guardrail::inbox::round::PROGRESS;
use guardrail::inbox::sweep::Progress;
use guardrail::report::memory::{to_the_second, waits, waits_text};
use serde_json::json;

use crate::arguments::{Format, PlaceArgs, StackArgs};
use crate::ending::Ending;
use crate::error::{BadInput, Unavailable};
use crate::live::session::Session;
use crate::live::table::table;
use crate::render::{json_line, line};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    stack: StackArgs,
    /// How to print: for people, or as one JSON object.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let session = Session::open(&arguments.place).await?;
    let table = table(&session.clients, &arguments.stack).await?;
    let now = session.cloud()?.now();
    let waiting = table.list(&Kind::Waiting.at(&session.place), "").await;
    let waits = waits(&waiting.map_err(Unavailable::NoTable)?);
    let progress = table.get(&Kind::Sweep.at(&session.place).key(PROGRESS)).await;
    let progress = progress.map_err(Unavailable::NoTable)?;
    let progress: Option<Progress> = progress.as_ref().and_then(|item| read(item).ok());
    match arguments.format {
        Format::Json => json_line(out, &json!({ "waits": waits, "sweep": progress })),
        Format::Text => {
            out.push_str(&waits_text(&waits, now));
            line(out, &sweep_text(progress.as_ref()));
        }
    }
    Ok(Ending::Fine)
}

fn sweep_text(progress: Option<&Progress>) -> String {
    let Some(progress) = progress else { return "Last sweep: none yet".to_owned() };
    let Progress { began, compared, remaining, off, queued, ended, .. } = progress;
    let state = match ended {
        Some(ended) => format!("ended {}", to_the_second(*ended)),
        None => format!("{} VPCs remain, which the next minutes compare", remaining.len()),
    };
    format!(
        "Last sweep: began {}, {state}\n  compared: {compared}, off their baseline: {off}, runs asked for: {queued}",
        to_the_second(*began)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_says_how_far_it_came() {
        assert_eq!(sweep_text(None), "Last sweep: none yet");
        let vpcs = ["vpc-1", "vpc-2"].map(|id| id.parse().unwrap());
        let mut progress = Progress {
            remaining: vpcs.into_iter().collect(),
            compared: 3,
            off: 1,
            queued: 1,
            ..Progress::default()
        };
        assert_eq!(
            sweep_text(Some(&progress)),
            "Last sweep: began 1970-01-01T00:00:00Z, 2 VPCs remain, which the next minutes compare\n  \
             compared: 3, off their baseline: 1, runs asked for: 1"
        );
        progress.ended = Some("1970-01-01T00:01:00.5Z".parse().unwrap());
        assert!(sweep_text(Some(&progress)).contains("ended 1970-01-01T00:01:00Z"));
    }
}
