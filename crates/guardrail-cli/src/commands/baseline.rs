//! `guardrail baseline`: check one, print an example, print the schema.

use std::path::PathBuf;

use clap::Subcommand;
use guardrail::baseline::{Baseline, EXAMPLE, ManagedVpcs};
use schemars::JsonSchema;

use crate::ending::Ending;
use crate::error::BadInput;
use crate::input;
use crate::render::line;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Checks a baseline: errors name the field, the value and what is allowed.
    Check {
        /// The file.
        #[arg(value_name = "B.json")]
        file: PathBuf,
    },
    /// Prints the JSON Schema of a baseline.
    Schema,
    /// Prints a complete baseline, usable as it is.
    Example,
}

pub(crate) fn run(command: &Command, out: &mut String) -> Result<Ending, BadInput> {
    match command {
        Command::Check { file } => summary(&input::baseline(file)?, out),
        Command::Schema => schema::<Baseline>(out),
        Command::Example => out.push_str(EXAMPLE),
    }
    Ok(Ending::Fine)
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
