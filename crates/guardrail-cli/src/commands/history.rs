//! `guardrail history`: the runs that changed or told something.

use guardrail::cloud::Table as _;
use guardrail::ec2::id::VpcId;
use guardrail::history::{Kind, ledger, packed};
use guardrail::report::Report;
use guardrail::report::memory::{run_text, runs, runs_text};

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
    /// The VPC, whose runs alone are listed.
    #[arg(long, value_name = "ID")]
    vpc: Option<VpcId>,
    /// The run to tell in full, by its name.
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// How many runs to list at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    most: usize,
    /// How to print: for people, or one JSON object a line.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let session = Session::open(&arguments.place).await?;
    let table = table(&session.clients, &arguments.stack).await?;
    let partition = Kind::Run.at(&session.place);
    let prefix = arguments.vpc.as_ref().map(|vpc| format!("{vpc}#")).unwrap_or_default();
    let items = table.list(&partition, &prefix).await.map_err(Unavailable::NoTable)?;
    let most = if arguments.run.is_some() { usize::MAX } else { arguments.most };
    let listed = runs(&items, arguments.vpc.as_ref(), most);
    let Some(wanted) = &arguments.run else {
        match arguments.format {
            Format::Text => out.push_str(&runs_text(&listed)),
            Format::Json => listed.listed.iter().for_each(|run| json_line(out, run)),
        }
        return Ok(Ending::Fine);
    };
    let run = listed.listed.iter().find(|run| run.run_id == *wanted);
    let run = run.ok_or_else(|| Unavailable::NoRun(wanted.clone()))?;
    let name = format!("{}#", ledger::record_name(&run.scope.vpc, &run.run_id));
    let its: Vec<_> =
        items.iter().filter(|item| item.key.name.starts_with(&name)).cloned().collect();
    let report = packed::unpack(&ledger::report_parts(&its)).ok();
    let report: Option<Report> = report.and_then(|text| serde_json::from_str(&text).ok());
    match (arguments.format, &report) {
        (Format::Json, Some(report)) => json_line(out, report),
        (Format::Json, None) => json_line(out, run),
        (Format::Text, _) => {
            out.push_str(&run_text(run));
            if let Some(report) = &report {
                line(out, "");
                line(out, &guardrail::report::alert::plan_text(report));
            }
        }
    }
    Ok(Ending::Fine)
}
