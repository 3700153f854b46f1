//! The arguments that several commands share.

use std::path::PathBuf;

use guardrail::baseline::Mode;
use guardrail::ec2::id::Region;

/// The world and the baseline a command works on.
#[derive(Debug, clap::Args)]
pub(crate) struct WorldArgs {
    /// A world: a file, or a folder with the outputs of `aws ec2 describe-*`. Several are laid
    /// over each other, the last on top.
    #[arg(long, required = true, value_name = "W.json")]
    pub(crate) world: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) baseline_args: BaselineArgs,
}

/// What a command judges by.
#[derive(Debug, clap::Args)]
pub(crate) struct BaselineArgs {
    /// The baseline; without it, the one that `guardrail baseline example` prints.
    #[arg(long, value_name = "B.json")]
    pub(crate) baseline: Option<PathBuf>,
    /// The mode, in place of the baseline's for every rule. Rules added after the first nine repair
    /// only if the baseline's `rules` say so.
    #[arg(long, value_enum)]
    pub(crate) mode: Option<ModeWord>,
}

/// Which account and Region a command reaches.
#[derive(Debug, clap::Args)]
pub(crate) struct PlaceArgs {
    /// The Region; without it, `AWS_REGION` or the profile says which.
    #[arg(long)]
    pub(crate) region: Option<Region>,
    /// The profile of the AWS CLI's files that says who calls; without it, the environment says.
    #[arg(long)]
    pub(crate) profile: Option<String>,
}

/// Which stack's table a command works with.
#[cfg(feature = "live")]
#[derive(Debug, clap::Args)]
pub(crate) struct StackArgs {
    /// The stack.
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// The stack's table, where several stacks of the name have left theirs.
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
}

/// A mode, as the command line writes it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ModeWord {
    Observe,
    Notify,
    Repair,
}

impl From<ModeWord> for Mode {
    fn from(word: ModeWord) -> Self {
        match word {
            ModeWord::Observe => Self::Observe,
            ModeWord::Notify => Self::Notify,
            ModeWord::Repair => Self::Repair,
        }
    }
}

/// How reports are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One report object a line.
    Json,
}

/// How a table is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TableFormat {
    /// For people.
    #[default]
    Text,
    /// A table in Markdown.
    Markdown,
}
