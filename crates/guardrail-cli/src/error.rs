//! What stops a command: each error says what was wrong, with what input, and what to do.

use std::path::PathBuf;

#[cfg(feature = "live")]
use guardrail::cloud::CallError;
use guardrail::ec2::id::VpcId;
use guardrail::ec2::snapshot::UnplacedWorld;
use guardrail::ec2::world_file::LoadError;
use guardrail::event::NotARecord;
use guardrail::shown::shortened;

/// Input that cannot be used: what it is, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadInput {
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: std::io::Error },
    #[error("{} is not text in UTF-8; write it anew in UTF-8, without what Windows PowerShell makes of `>`", path.display())]
    NotUtf8 { path: PathBuf },
    #[error("cannot write {}: {reason}", path.display())]
    Unwritable { path: PathBuf, reason: std::io::Error },
    #[error("{} holds no .json file; put the outputs of `aws ec2 describe-*` there", path.display())]
    EmptyFolder { path: PathBuf },
    #[error("cannot serve on 127.0.0.1:{port}: {reason}")]
    Unserved { port: u16, reason: std::io::Error },
    #[error("world: {0}")]
    World(#[from] LoadError),
    #[error("world: {0}")]
    Unplaced(#[from] UnplacedWorld),
    #[error("baseline {name}: {}", faults.join("; "))]
    Baseline { name: String, faults: Vec<String> },
    #[error("there is no {vpc} {among}")]
    NoSuchVpc { vpc: VpcId, among: String },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("nothing is exempted: {0}")]
    Exemption(String),
    #[error("event {name}: {reason}")]
    Event { name: String, reason: NotARecord },
    #[error("event {name}: holds no record")]
    NoRecord { name: String },
}

impl BadInput {
    /// The error as lines for a terminal: one, or one more for each fault of a baseline. What a file
    /// says, or is called, makes no line, colours nothing and is cut.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = if let Self::Baseline { name, faults } = self {
            let faults = faults.iter().map(|fault| format!("  {fault}"));
            [format!("baseline {name}:")].into_iter().chain(faults).collect()
        } else {
            vec![self.to_string()]
        };
        lines.iter().map(|line| shortened(line)).collect()
    }
}

/// Why there is no way to AWS.
#[cfg(feature = "live")]
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error(transparent)]
    NotAvailable(#[from] guardrail_aws::NotAvailable),
    #[error(transparent)]
    AnotherRegion(#[from] guardrail_aws::AnotherRegion),
    #[error("AWS does not say whose credentials these are: {error}{}", advice(error))]
    NoIdentity { error: CallError },
    #[error("cannot read the VPCs: {error}{}", advice(error))]
    NoVpcs { error: CallError },
    #[error("the tag could not be set: {error}{}", advice(error))]
    NotTagged { error: CallError },
    #[error(transparent)]
    NoPart(#[from] guardrail_aws::NoPart),
    #[error("the table cannot be read: {0}")]
    NoTable(CallError),
    #[error("the queue of dead letters cannot be read or written: {0}")]
    NoQueue(CallError),
    #[error("name the stack with `--stack NAME`")]
    NoStack,
    #[error("there is no run `{0}` in the table; `guardrail history` lists them")]
    NoRun(String),
    #[error(
        "a repair is recorded in the stack's table, so that no other run changes the VPC at the same time and \
         nothing is done unheard; name the stack with `--stack NAME`, or add `--no-history` where there is none"
    )]
    NoHistory,
    #[error("cannot start: {0}")]
    NoRuntime(std::io::Error),
}

/// What to do about a call that brought no answer of AWS.
#[cfg(feature = "live")]
fn advice(error: &CallError) -> &'static str {
    if error.code.is_none() && error.class.passes() {
        "; check the network, the Region, and `AWS_ENDPOINT_URL` if it is set"
    } else {
        ""
    }
}

/// Why there is no way to AWS.
#[cfg(not(feature = "live"))]
#[derive(Debug, thiserror::Error)]
#[error(
    "this build of `guardrail` does not reach AWS: build it with `cargo build --release -p guardrail-cli --features live`\
     {instead}"
)]
pub(crate) struct Unavailable {
    pub(crate) instead: &'static str,
}
