//! `guardrail snapshot`: an account's VPCs as a world file.

use std::path::PathBuf;

use guardrail::baseline::{Baseline, ManagedVpcs};
use guardrail::ec2::id::VpcId;
use serde_json::json;

use crate::arguments::PlaceArgs;
use crate::ending::Ending;
use crate::error::BadInput;
use crate::input;
use crate::live::session::Session;
use crate::live::tell;
use crate::render::line;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: PlaceArgs,
    /// Only this VPC, managed or not. Can be given several times.
    #[arg(long = "vpc", value_name = "ID")]
    vpcs: Vec<VpcId>,
    /// Every VPC of the Region, not only the managed ones.
    #[arg(long, conflicts_with_all = ["vpcs", "baseline"])]
    all: bool,
    /// The baseline that says which VPCs are managed; without it, those with the tag
    /// `vpc-guardrail=managed` are.
    #[arg(long, value_name = "B.json")]
    baseline: Option<PathBuf>,
    /// The file to write; without it, standard output.
    #[arg(long, value_name = "W.json")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    arguments.out.as_deref().map_or(Ok(()), input::writable)?;
    let managed = match (arguments.all, &arguments.baseline) {
        (true, _) => ManagedVpcs::All,
        (false, Some(path)) => input::baseline(path)?.managed_vpcs,
        (false, None) => Baseline::default().managed_vpcs,
    };
    let session = Session::open(&arguments.place).await?;
    let aws = session.cloud()?;
    let seen = session.read(&aws, &arguments.vpcs, &managed).await?;
    if seen.world.vpcs.iter().flatten().next().is_none() {
        eprintln!("warning: no VPC of the Region is managed; `--all` reads the others too");
    }
    tell(&seen.unread);
    let text = format!("{:#}", json!(seen.world));
    match &arguments.out {
        Some(path) => input::write(path, &format!("{text}\n"))?,
        None => line(out, &text),
    }
    if seen.unread.is_empty() {
        return Ok(Ending::Fine);
    }
    eprintln!(
        "warning: what could not be read is left out, and counts as not observed: nothing would be changed on account of it"
    );
    Ok(Ending::DriftLeft)
}
