//! `guardrail probe`: what the subnets reach in which probes stand.

use guardrail::run::ask_all;

use crate::arguments::{BaselineArgs, Format, PlaceArgs};
use crate::ending::Ending;
use crate::error::BadInput;
use crate::input;
use crate::live::session::Session;
use crate::live::tell;
use crate::render::{json_line, line};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    baseline_args: BaselineArgs,
    /// How to print: for people, or as one JSON object a line for each probe.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let baseline = input::baseline_args(&arguments.baseline_args)?;
    if baseline.probes.is_empty() {
        eprintln!("note: the baseline names no probes");
        return Ok(Ending::Fine);
    }
    let session = Session::open(&arguments.place).await?;
    let aws = session.cloud()?;
    let seen = session.read(&aws, &[], &baseline.managed_vpcs).await?;
    tell(&seen.unread);
    let mut ending = Ending::Fine;
    for probed in ask_all(&aws, &session.place, &baseline, &seen.world).await {
        match arguments.format {
            Format::Json => json_line(out, &probed),
            Format::Text => line(out, &probed.to_string()),
        }
        if !probed.is_well() {
            ending = Ending::DriftLeft;
        }
    }
    Ok(ending)
}
