//! What `plan` and `explain` look at: a world, or an account's Region as it is now.

use std::path::PathBuf;

use guardrail::baseline::{Baseline, ManagedVpcs};
use guardrail::ec2::id::VpcId;
use guardrail::ec2::world::World;
use guardrail::report::Report;
use guardrail::time::Day;
use jiff::Timestamp;

use crate::arguments::{BaselineArgs, PlaceArgs};
use crate::clock::now;
use crate::ending::Ending;
use crate::error::BadInput;
use crate::narrow::{narrow, place};
use crate::traffic::asked;
use crate::{input, live};

#[derive(Debug, clap::Args)]
pub(crate) struct SourceArgs {
    /// A world: a file, or a folder with the outputs of `aws ec2 describe-*`. Several are laid
    /// over each other, the last on top. Without one, the account's managed VPCs in the Region are read, in a build with
    /// the feature `live`.
    #[arg(long, value_name = "W.json", conflicts_with_all = ["region", "profile"])]
    world: Vec<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
    /// Only this VPC, managed or not. Can be given several times.
    #[arg(long = "vpc", value_name = "ID")]
    vpcs: Vec<VpcId>,
    #[command(flatten)]
    baseline_args: BaselineArgs,
    /// Judge exemptions as of this day (UTC), in place of today's: what is found once they lapse.
    #[arg(long, value_name = "2026-11-24")]
    today: Option<Day>,
}

/// What was seen, and what it is judged by.
pub(crate) struct Source {
    pub(crate) world: World,
    pub(crate) baseline: Baseline,
    /// Whether all that was asked for could be read; what could not has been told.
    complete: bool,
    live: bool,
}

impl SourceArgs {
    /// Reads the world, or the Region.
    pub(crate) fn look(&self) -> Result<Source, BadInput> {
        let baseline = input::baseline_args(&self.baseline_args)?;
        let live = self.world.is_empty();
        let (mut world, complete) = match live {
            true => live::look(&self.place, &self.vpcs, &baseline)?,
            false => (input::world(&self.world)?, true),
        };
        narrow(&mut world, &self.vpcs)?;
        Ok(Source { world, baseline, complete, live })
    }

    /// The time to judge by.
    pub(crate) fn now(&self) -> Timestamp {
        self.today.map_or_else(now, Day::begins)
    }

    /// The reports, with what the NAT gateways carried whose routes their plans remove: of an account
    /// that is reached, for a world says nothing of that.
    pub(crate) fn with_traffic(&self, reports: Vec<Report>) -> Vec<Report> {
        if self.world.is_empty() { asked(&self.place, reports) } else { reports }
    }
}

impl Source {
    /// How a command ends that would end like this, had all been seen.
    pub(crate) fn ending(&self, ending: Ending) -> Ending {
        if self.complete { ending } else { ending.max(Ending::DriftLeft) }
    }

    /// Says that there is no VPC to look at, and why.
    pub(crate) fn nothing(&self) -> String {
        if !self.live {
            return "The world holds no VPC.".to_owned();
        }
        let wanted = match &self.baseline.managed_vpcs {
            ManagedVpcs::All => String::new(),
            ManagedVpcs::Tag { key, value } => {
                format!(
                    " with the tag {key}={value}; tag those that the guardrail is to look after, or name one with --vpc"
                )
            }
        };
        format!("There is no VPC {}{wanted}.", place(&self.world))
    }
}
