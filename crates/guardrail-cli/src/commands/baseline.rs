//! `guardrail baseline`: check one, print an example, print the schema.

use std::path::PathBuf;

use clap::Subcommand;
use guardrail::baseline::{Baseline, EXAMPLE, ManagedVpcs};
use guardrail::ec2::world::World;
use guardrail::report::baseline_check::{Checked, check_in, warnings};
use guardrail::shown::one_line;
use schemars::JsonSchema;

use crate::arguments::PlaceArgs;
use crate::ending::Ending;
use crate::error::BadInput;
use crate::render::line;
use crate::{input, live};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Checks a baseline: errors name the field, the value and what is allowed. Warnings name what
    /// does nothing, or hardly what is meant; they leave the exit code at 0.
    Check(Check),
    /// Prints the JSON Schema of a baseline.
    Schema,
    /// Prints a complete baseline, usable as it is.
    Example,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The file.
    #[arg(value_name = "B.json")]
    file: PathBuf,
    /// A world to check it with: which of its services the Region offers, and what its selectors
    /// match. A file, or a folder with the outputs of `aws ec2 describe-*`; several are laid
    /// over each other, the last on top. With `--region` or `--profile` the account's Region is read instead, in a build
    /// with the feature `live`. Without any, services are looked up in this release's own list.
    #[arg(long, value_name = "W.json", conflicts_with_all = ["region", "profile"])]
    world: Vec<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) fn run(command: &Command, out: &mut String) -> Result<Ending, BadInput> {
    match command {
        Command::Check(arguments) => return check(arguments, out),
        Command::Schema => schema::<Baseline>(out),
        Command::Example => out.push_str(EXAMPLE),
    }
    Ok(Ending::Fine)
}

fn check(arguments: &Check, out: &mut String) -> Result<Ending, BadInput> {
    let baseline = input::baseline(&arguments.file)?;
    let (world, complete) = match world(arguments, &baseline)? {
        Some((world, complete)) => (Some(world), complete),
        None => (None, true),
    };
    summary(&baseline, out);
    let told = match world {
        Some(world) => {
            let checked = check_in(&baseline, &world)?;
            offers(&checked, out);
            checked.warnings
        }
        None => warnings(&baseline),
    };
    for warning in told {
        // What a file says must not colour the terminal.
        eprintln!("warning: {}", one_line(&warning));
    }
    Ok(if complete { Ending::Fine } else { Ending::DriftLeft })
}

/// The world that the arguments name, if they name one, and whether all of it could be read.
fn world(arguments: &Check, baseline: &Baseline) -> Result<Option<(World, bool)>, BadInput> {
    let PlaceArgs { region, profile } = &arguments.place;
    if !arguments.world.is_empty() {
        Ok(Some((input::world(&arguments.world)?, true)))
    } else if region.is_some() || profile.is_some() {
        live::look(&arguments.place, &[], baseline).map(Some)
    } else {
        Ok(None)
    }
}

/// What the Region says of each service.
fn offers(checked: &Checked, out: &mut String) {
    let place = checked
        .region
        .as_ref()
        .map_or_else(|| "the world, which does not say its Region".to_owned(), ToString::to_string);
    line(out, &format!("in {place}:"));
    for offer in &checked.offers {
        line(out, &format!("  {offer}"));
    }
}

fn summary(baseline: &Baseline, out: &mut String) {
    let vpcs = match &baseline.managed_vpcs {
        ManagedVpcs::All => "every VPC".to_owned(),
        ManagedVpcs::Tag { key, value } => format!("VPCs tagged {key}={value}"),
    };
    let names = |services: &[guardrail::baseline::ListedService]| {
        services.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    line(out, &format!("ok: mode {}, {vpcs}", baseline.mode));
    line(out, &format!("gateway endpoints: {}", names(&baseline.gateway_endpoints.services)));
    line(out, &format!("interface endpoints: {}", names(&baseline.interface_endpoints.services)));
}

pub(crate) fn schema<T: JsonSchema>(out: &mut String) {
    line(out, &format!("{:#}", schemars::schema_for!(T).to_value()));
}
