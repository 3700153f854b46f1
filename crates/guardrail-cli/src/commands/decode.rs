//! `guardrail decode`: what the guardrail reads in CloudTrail records.

use std::path::PathBuf;

use crate::ending::Ending;
use crate::error::BadInput;
use crate::input;
use crate::render::json_line;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Files with EventBridge events, CloudTrail records or CloudTrail log files; `-` is standard
    /// input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    for file in &arguments.files {
        for (_, evidence) in input::records(file)? {
            json_line(out, &evidence.record);
        }
    }
    Ok(Ending::Fine)
}
