//! `guardrail sim`: a world as an EC2 endpoint on this machine.

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use guardrail::ec2::id::{AccountId, Region};
use guardrail::ec2::world::World;
use guardrail_sim::http::{Events, Kept, Mishaps, SavedWorld, Server, ServerOptions};
use guardrail_sim::{Beside, BucketUse, Fault, Sim, SimOptions, bucket_table, empty_world};
use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::now;
use crate::ending::Ending;
use crate::error::BadInput;
use crate::input;

#[derive(Debug, clap::Args)]
#[command(after_help = POINT_AT_IT)]
pub(crate) struct Arguments {
    /// A world: a file, or a folder with the outputs of `aws ec2 describe-*`. Several are laid
    /// over each other, the last on top. Without one, nothing is there yet: a client builds it, in
    /// any Region that it signs its calls for and any account whose role it assumes.
    #[arg(long, value_name = "W.json")]
    world: Vec<PathBuf>,
    /// The Region of calls that are not signed, where there is no world to begin with.
    #[arg(long, default_value = "us-east-1", conflicts_with = "world")]
    region: Region,
    /// The account, where there is no world to begin with.
    #[arg(long, default_value = "111122223333", conflicts_with = "world")]
    account: AccountId,
    /// Keeps Regions and accounts apart also with a world: calls signed for another Region, or with
    /// the credentials of another account's role, find nothing of it. Without it every call finds
    /// the one world.
    #[arg(long, requires = "world")]
    apart: bool,
    /// The world of another account or Region, kept apart; once for each.
    #[arg(long, value_name = "W.json")]
    elsewhere: Vec<PathBuf>,
    /// The port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How long each call takes, such as `30ms`.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    latency: Duration,
    /// Makes calls fail: the operation, EC2's code (or `lost`: the call happens, its answer never
    /// comes), and how many times, such as `CreateVpcEndpoint=RequestLimitExceeded:3`.
    #[arg(long = "fault", value_name = "OPERATION=CODE[:N]")]
    faults: Vec<Fault>,
    /// Simulated seconds in a real one.
    #[arg(long, default_value_t = 1, value_name = "N")]
    speed: u32,
    /// How old the world is that reads see, such as `2s`.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    visibility_delay: Duration,
    /// Puts EC2's documented token bucket on each API action (calls that find it empty are refused
    /// as `RequestLimitExceeded`), and prints at the end what the calls took of them.
    #[arg(long)]
    throttle: bool,
    /// Where to save the world when the simulator is told to stop (SIGTERM, SIGINT); worlds of other
    /// accounts and Regions beside it, as `AFTER.111122223333.eu-west-1.json`.
    #[arg(long, value_name = "AFTER.json")]
    save: Option<PathBuf>,
    /// Where to send the EventBridge event of each call that could change something: a file for
    /// JSON lines, or a URL.
    #[arg(long, value_name = "FILE|http://…")]
    events: Option<Events>,
    /// What happens to events on their way: how many of a hundred get lost or come twice, how long
    /// they take at most (so they overtake each other), and the seed of chance, such as
    /// `lost=5,repeated=10,late=3s,seed=7`.
    #[arg(long, value_name = "WHAT=N,…", requires = "events")]
    event_faults: Option<Mishaps>,
}

const POINT_AT_IT: &str = "Point a client at it with AWS_ENDPOINT_URL_EC2=http://127.0.0.1:PORT, or with AWS_ENDPOINT_URL, because it also answers \
     STS's GetCallerIdentity and AssumeRole; any credentials will do.";

/// A span of time as people write it.
fn time(text: &str) -> Result<Duration, String> {
    let wanted = || format!("`{text}` is no time; write it as `30ms` or `2s`");
    let time: SignedDuration = text.parse().map_err(|_| wanted())?;
    Duration::try_from(time).map_err(|_| wanted())
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, BadInput> {
    let events = match &arguments.events {
        Some(Events::File(path)) => Some(path.as_path()),
        Some(Events::Post(_)) | None => None,
    };
    events.into_iter().chain(arguments.save.as_deref()).try_for_each(input::writable)?;
    let (world, beside) = begin(arguments)?;
    let mut sim = Sim::new(
        world,
        now(),
        SimOptions {
            visibility_delay: arguments.visibility_delay,
            throttling: arguments.throttle,
            ..SimOptions::default()
        },
    )
    .with_beside(beside);
    arguments.faults.iter().for_each(|fault| sim.inject(fault.clone()));
    let options = ServerOptions {
        port: arguments.port,
        latency: arguments.latency,
        speed: arguments.speed,
        events: arguments.events.clone(),
        mishaps: arguments.event_faults.unwrap_or_default(),
        apart: arguments.world.is_empty() || arguments.apart || !arguments.elsewhere.is_empty(),
        elsewhere: elsewhere(&arguments.elsewhere)?,
    };
    let (worlds, uses) = serve(sim, options)
        .map_err(|reason| BadInput::Unserved { port: arguments.port, reason })?;
    if arguments.throttle {
        // Whoever reads it may be gone by now.
        let _ = std::io::stdout().write_all(bucket_table(&uses).as_bytes());
    }
    if let Some(path) = &arguments.save {
        worlds.iter().try_for_each(|kept| {
            input::write(&file_of(path, kept), &format!("{:#}\n", kept.file))
        })?;
    }
    Ok(Ending::Fine)
}

/// The world to begin with, and what was saved beside it.
fn begin(arguments: &Arguments) -> Result<(World, Beside), BadInput> {
    if arguments.world.is_empty() {
        return Ok((empty_world(&arguments.account, &arguments.region), Beside::of_nothing()));
    }
    Ok((input::world(&arguments.world)?, input::beside(&arguments.world)?))
}

fn elsewhere(paths: &[PathBuf]) -> Result<Vec<SavedWorld>, BadInput> {
    let saved = paths.iter().map(|path| {
        let path = std::slice::from_ref(path);
        Ok(SavedWorld { world: input::world(path)?, beside: input::beside(path)? })
    });
    saved.collect()
}

/// `after.json`, and beside it `after.111122223333.eu-west-1.json` for a world that is elsewhere.
fn file_of(path: &Path, kept: &Kept) -> PathBuf {
    match &kept.elsewhere {
        None => path.to_owned(),
        Some((account, region)) => path.with_extension(format!("{account}.{region}.json")),
    }
}

fn serve(sim: Sim, options: ServerOptions) -> std::io::Result<(Vec<Kept>, Vec<BucketUse>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = told_to_stop()?;
        let server = Server::bind(sim, options).await?;
        println!("listening on http://{}", server.address());
        let (meter, keeper) = (server.bucket_meter(), server.keeper());
        server.run_until(stop).await?;
        Ok((keeper.worlds(), meter.uses()))
    })
}

fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
