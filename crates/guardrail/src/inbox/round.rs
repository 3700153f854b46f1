//! One round of a sweep: survey, compare, ask runs to look, remember, and note how far it has come.
//! It decides nothing: that is `sweep`, which is pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::message::for_sweep;
use super::side_by_side::side_by_side;
use super::sweep::{
    AttributesToRead, KnownVpc, Progress, SweptVpc, attributes_to_read, sweep, waits_for,
    with_known_attributes,
};
use crate::baseline::Baseline;
use crate::cloud::{CallError, Commit, ErrorClass, Send, Survey, Table, Unread};
use crate::ec2::id::{Place, VpcId};
use crate::ec2::snapshot::Section;
use crate::ec2::world::World;
use crate::history::detected;
use crate::history::ledger::{facts_key, put, put_facts, read};
use crate::history::{Condition, Item, Kept, Key, Kind, Transaction, VpcFacts, VpcState};
use crate::run::unreadable;

/// How many VPCs' DNS attributes are asked for before the time is looked at again.
const AT_A_TIME: usize = 20;

/// How many items are written at once.
const WRITES_AT_ONCE: usize = 8;

/// Everything outside that a sweep has to do with.
#[derive(Debug)]
pub struct SweepHands<'a, S, T, Q> {
    /// The Region.
    pub region: &'a S,
    /// What outlives the process.
    pub table: &'a T,
    /// Where runs are asked for.
    pub queue: &'a Q,
}

/// Which VPCs a round compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Round {
    /// Every managed one: a sweep of this name begins.
    Begins(String),
    /// Those that the sweep under way has left.
    GoesOn,
}

/// What a round came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundEnd {
    /// How far the sweep has come.
    pub progress: Progress,
    /// How many VPCs are managed.
    pub managed: usize,
    /// Of the VPCs that the last sweep remembered how many there are, and of how many the table has
    /// nothing.
    pub forgotten: (usize, usize),
    /// The VPCs that runs were asked to look at.
    pub queued: Vec<VpcId>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// What was seen and could not be remembered: the first reason.
    pub not_remembered: Option<CallError>,
}

/// Makes one round of a sweep over the managed VPCs of a place, and begins nothing after `until`.
///
/// # Errors
/// When the VPCs could not be listed, or the table or the queue fails.
pub async fn round<S: Survey, T: Table, Q: Send>(
    hands: &SweepHands<'_, S, T, Q>,
    baseline: &Baseline,
    place: &Place,
    round: &Round,
    until: Timestamp,
) -> Result<RoundEnd, CallError> {
    let SweepHands { region, table, queue } = hands;
    let now = region.time();
    let known = known(*table, place).await?;
    let dropped = table.list(&detected::partition(place), detected::dropped_prefix()).await?;
    let dropped = detected::dropped_attributes(&dropped);
    let key = Kind::Sweep.at(place).key(PROGRESS);
    let item = table.get(&key).await?;
    let before: Option<Progress> = item.as_ref().and_then(|item| read(item).ok());
    let seen = region.survey(&baseline.managed_vpcs).await;
    if let Some(unread) = seen.unread.iter().find(|unread| unread.section == Section::Vpcs) {
        return Err(unread.error.clone());
    }
    let managed = managed(baseline, &seen.world);
    let progress = match (round, before) {
        (Round::Begins(name), before) => {
            Progress::begun(before.as_ref(), name, managed.clone(), now)
        }
        (Round::GoesOn, Some(progress)) => progress,
        (Round::GoesOn, None) => Progress::begun(None, "sweep", managed.clone(), now),
    };
    let forgotten = progress.forgotten(&managed, &known);
    let mut unread = seen.unread;
    let (swept, queued, not_remembered) = if waits_for(&unread) {
        (Vec::new(), Vec::new(), None)
    } else {
        let of: BTreeSet<VpcId> = progress.remaining.intersection(&managed).cloned().collect();
        let to_read = attributes_to_read(&of, &known, &dropped, now);
        let fresh = read_attributes(*region, &to_read, until, &mut unread).await;
        let read = Read { to_read: &to_read, fresh, hidden: hidden(&unread).collect() };
        let swept = compare(baseline, seen.world, of, &known, read, now)?;
        let queued = asked(&swept, &known, &managed);
        // Remembered first: what a run then finds says since when the VPC has been known.
        let not_remembered = remember(*table, place, &known, &swept).await.err();
        let messages = for_sweep(&progress.sweep, |vpc| place.scope(vpc), &queued);
        let envelopes: Vec<_> = messages.iter().map(super::message::Message::envelope).collect();
        queue.send(&envelopes).await?;
        (swept, queued, not_remembered)
    };
    let mut progress = progress.after(&swept, &managed, region.time());
    // What the table did not take is not missed in it later.
    let is_kept = |vpc: &VpcId| {
        known.contains_key(vpc)
            || (not_remembered.is_none() && swept.iter().any(|one| one.vpc == *vpc))
    };
    if progress.ended.is_some() {
        progress.remembered.retain(is_kept);
    }
    let not_noted = note(*table, item, &key, &progress, round).await?;
    Ok(RoundEnd {
        queued,
        managed: managed.len(),
        forgotten,
        progress,
        unread,
        not_remembered: not_remembered.or(not_noted),
    })
}

/// Asks the clock for a comparison of the Region, in the place of a sweep that has no baseline at this
/// moment and is likely to have one soon.
///
/// # Errors
/// When the table fails.
pub async fn ask_for_comparison<T: Table>(
    table: &T,
    place: &Place,
    now: Timestamp,
) -> Result<(), CallError> {
    for transaction in detected::transactions(place, &[detected::Noted::CompareRegion], now) {
        // Whoever was quicker has asked for the same.
        let (Commit::Made | Commit::Conflict) = table.commit(&transaction).await?;
    }
    Ok(())
}

/// The VPCs that runs are asked to look at: those with news; and those that are remembered and not
/// managed any more, of which somebody has to be told. The run that tells of one forgets it.
fn asked(
    swept: &[SweptVpc],
    known: &BTreeMap<VpcId, KnownVpc>,
    managed: &BTreeSet<VpcId>,
) -> Vec<VpcId> {
    let news = swept.iter().filter(|one| one.news.is_some()).map(|one| one.vpc.clone());
    let left = known.keys().filter(|vpc| !managed.contains(*vpc)).cloned();
    news.chain(left).collect()
}

/// Notes how far a sweep has come; why not, where others were quicker.
async fn note<T: Table>(
    table: &T,
    mut item: Option<Item>,
    key: &Key,
    progress: &Progress,
    round: &Round,
) -> Result<Option<CallError>, CallError> {
    const TRIES: u32 = 5;
    for _ in 0..TRIES {
        let condition = Condition::unchanged(item.as_ref());
        let noted = Transaction::one(put(key.clone(), progress, condition));
        match (table.commit(&noted).await?, round) {
            (Commit::Made, _) => return Ok(None),
            // Another round was under way at the same time: what it noted stands.
            (Commit::Conflict, Round::GoesOn) => break,
            // A sweep that begins has all VPCs before it, those too that another one has left.
            (Commit::Conflict, Round::Begins(_)) => item = table.get(key).await?,
        }
    }
    Ok(Some(crate::run::too_many_writers()))
}

/// What the progress of a sweep is called.
pub const PROGRESS: &str = "progress";

/// What the table knows of each VPC of a place. One of which it holds what cannot be read is known all
/// the same: nothing of it was lost.
async fn known<T: Table>(table: &T, place: &Place) -> Result<BTreeMap<VpcId, KnownVpc>, CallError> {
    let mut known: BTreeMap<VpcId, KnownVpc> = BTreeMap::new();
    for item in table.list(&Kind::State.at(place), "").await? {
        let Ok(vpc) = item.key.name.parse() else { continue };
        known.entry(vpc).or_default().state = read::<VpcState>(&item).ok();
    }
    for item in table.list(&Kind::Facts.at(place), "").await? {
        let Ok(vpc) = item.key.name.parse() else { continue };
        known.entry(vpc).or_default().facts = read::<VpcFacts>(&item).ok();
    }
    Ok(known)
}

fn managed(baseline: &Baseline, world: &World) -> BTreeSet<VpcId> {
    let vpcs = world.vpcs.iter().flatten();
    vpcs.filter(|vpc| baseline.managed_vpcs.matches(&vpc.tags))
        .map(|vpc| vpc.vpc_id.clone())
        .collect()
}

/// Reads DNS attributes until it is time to end or EC2 wants no more; the world of what was read.
async fn read_attributes<S: Survey>(
    region: &S,
    to_read: &AttributesToRead,
    until: Timestamp,
    unread: &mut Vec<Unread>,
) -> World {
    let all: Vec<VpcId> = to_read.needed.iter().chain(&to_read.refreshed).cloned().collect();
    let mut world = World::default();
    for some in all.chunks(AT_A_TIME) {
        if region.time() >= until {
            break;
        }
        let seen = region.dns_attributes(some).await;
        world.append(seen.world);
        let passes = seen.unread.iter().any(|unread| unread.error.class.passes());
        unread.extend(seen.unread);
        if passes {
            break;
        }
    }
    world
}

/// What cannot be read until somebody mends that: what can be compared without it is.
pub(super) fn hidden(unread: &[Unread]) -> impl Iterator<Item = &Unread> {
    unread.iter().filter(|it| match it.error.class {
        ErrorClass::Denied | ErrorClass::Invalid => true,
        // A VPC that is gone by now says nothing of the others.
        ErrorClass::NotFound
        | ErrorClass::AlreadyDone
        | ErrorClass::Throttled
        | ErrorClass::Transient => false,
    })
}

/// What was read of DNS attributes.
struct Read<'a> {
    to_read: &'a AttributesToRead,
    fresh: World,
    hidden: Vec<&'a Unread>,
}

/// Compares those of the VPCs of which enough is known by now.
fn compare(
    baseline: &Baseline,
    world: World,
    of: BTreeSet<VpcId>,
    known: &BTreeMap<VpcId, KnownVpc>,
    Read { to_read, fresh, hidden }: Read<'_>,
    now: Timestamp,
) -> Result<Vec<SweptVpc>, CallError> {
    let read: BTreeSet<VpcId> =
        fresh.vpc_attributes.iter().flat_map(|by_vpc| by_vpc.keys().cloned()).collect();
    let is_denied = hidden.iter().any(|unread| unread.section == Section::VpcAttributes);
    let lacks = |vpc: &VpcId| !is_denied && to_read.needed.contains(vpc) && !read.contains(vpc);
    let of: BTreeSet<VpcId> = of.into_iter().filter(|vpc| !lacks(vpc)).collect();
    let world = World { vpc_attributes: fresh.vpc_attributes, ..world };
    let world = with_known_attributes(world, &of, known, &to_read.needed);
    let is_kept_blind = !hidden.is_empty();
    sweep(baseline, &world, &of, known, &read, is_kept_blind, now).map_err(|why| CallError {
        operation: "DescribeVpcs".to_owned(),
        class: ErrorClass::Invalid,
        code: None,
        message: why.to_string(),
    })
}

/// Keeps what was seen of each VPC, where it is not as it was known. What a run has kept meanwhile
/// stands: it has seen more.
async fn remember<T: Table>(
    table: &T,
    place: &Place,
    known: &BTreeMap<VpcId, KnownVpc>,
    swept: &[SweptVpc],
) -> Result<(), CallError> {
    let is_new = |one: &&SweptVpc| {
        let before = known.get(&one.vpc).and_then(|known| known.facts.as_ref());
        before != Some(&one.facts)
    };
    let jobs =
        swept.iter().filter(is_new).map(|one| -> std::pin::Pin<Box<dyn Future<Output = _>>> {
            let scope = place.scope(&one.vpc);
            Box::pin(async move {
                let before: Kept<VpcFacts> = Kept::of(table.get(&facts_key(&scope)).await?)
                    .map_err(|error| unreadable(&error))?;
                let known = known.get(&one.vpc).and_then(|known| known.facts.as_ref());
                if before.value.as_ref() != known {
                    return Ok(());
                }
                table.commit(&put_facts(&scope, &before, &one.facts)).await.map(drop)
            })
        });
    let mut outcome = Ok(());
    for ended in side_by_side(jobs, WRITES_AT_ONCE).await {
        let ended: Result<(), CallError> = ended.unwrap_or(Ok(()));
        outcome = outcome.and(ended);
    }
    outcome
}

#[cfg(test)]
pub(super) mod tests;
