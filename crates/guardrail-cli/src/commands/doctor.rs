//! `guardrail doctor`: whether everything is there that the guardrail needs.

use std::path::PathBuf;

use guardrail::baseline::Baseline;
use guardrail::report::doctor::{Check, State};
use guardrail::shown::one_line;

use crate::arguments::PlaceArgs;
use crate::ending::Ending;
use crate::error::BadInput;
use crate::input;
use crate::live::session::clients;
use crate::render::line;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: PlaceArgs,
    /// The stack, whose parts are found by the names that CloudFormation derives from its.
    #[arg(
        long = "stack",
        alias = "stack-name",
        value_name = "NAME",
        default_value = "vpc-guardrail"
    )]
    stack: String,
    /// The baseline that says which VPCs are managed: permissions are asked for on one of them.
    #[arg(long, value_name = "B.json")]
    baseline: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let baseline =
        arguments.baseline.as_deref().map_or_else(|| Ok(Baseline::default()), input::baseline)?;
    let clients = match clients(&arguments.place).await {
        Ok(clients) => clients,
        // To find this is what a doctor is for.
        Err(reason) => {
            show(out, &Check::new("credentials and Region", State::Missing, reason.to_string()));
            return Ok(Ending::DriftLeft);
        }
    };
    show(out, &Check::new("Region", State::Fine, clients.region().as_str()));
    let checks =
        guardrail_aws::doctor::examine(&clients, &arguments.stack, &baseline.managed_vpcs).await;
    checks.iter().for_each(|check| show(out, check));
    line(
        out,
        "\nThe permissions are those of whoever runs this; the functions' own are in the stack's template. A dry run shows in \
         CloudTrail as a failed call.",
    );
    Ok(if checks.iter().any(|check| check.state.wants_a_person()) {
        Ending::DriftLeft
    } else {
        Ending::Fine
    })
}

fn show(out: &mut String, check: &Check) {
    let detail =
        if check.detail.is_empty() { String::new() } else { format!(": {}", check.detail) };
    line(out, &one_line(&format!("{:<12} {}{detail}", check.state, check.what)));
}
