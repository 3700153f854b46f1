//! The clock: every minute, what is due. VPCs that wait, records that are open, a sweep that has not
//! come to its end, a comparison that was asked for, calls with the guardrail's role, alerts that were
//! not told, summaries and the digest. It decides nothing: each part's decision is a value of
//! `history/` or of `due`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::due::due;
use super::message::{Message, for_call};
use super::outbox::{Outbox, Sent};
use super::round::{PROGRESS, Round, RoundEnd, SweepHands, hidden, round};
use super::sweep::Progress;
use crate::baseline::Baseline;
use crate::cloud::{CallError, Send, Survey, Table, Telling, Unread};
use crate::ec2::id::Place;
use crate::ec2::snapshot::Section;
use crate::event::Evidence;
use crate::history::detected::{
    self, OwnCalls, comparison_is_due, comparison_key, own_calls, own_calls_prefix, requested,
};
use crate::history::first_contact::{FIRST, table_was_lost};
use crate::history::ledger::{put, ran_made, read, runs_since};
use crate::history::outgoing::{Level, UNSENT, writes};
use crate::history::own_calls::{Judgement, MadeCall, Said, judge_all};
use crate::history::{Condition, Item, Kind, Transaction, Unreadable, Write};
use crate::report::alert::{sweep_blind_alert, table_lost_alert, unmatched_call};

/// Everything outside that the clock has to do with.
#[derive(Debug)]
pub struct ClockHands<'a, S, T, P, Q> {
    /// The Region.
    pub region: &'a S,
    /// What outlives the process.
    pub table: &'a T,
    /// Those who read alerts.
    pub telling: &'a P,
    /// Where runs are asked for.
    pub queue: &'a Q,
}

/// What the clock goes by.
#[derive(Debug, Clone, Copy)]
pub struct ClockSettings<'a> {
    /// The account and Region.
    pub place: &'a Place,
    /// The baseline; `None` where none can be used, and nothing is compared.
    pub baseline: Option<&'a Baseline>,
    /// The ARN of the role that runs make their calls with.
    pub repair_role: &'a str,
    /// How many alerts an hour each destination gets, at most.
    pub alerts_per_hour: u32,
    /// The hour of the day at which the digest goes out (UTC).
    pub digest_hour: u8,
    /// The stack's name, for the commands in alerts.
    pub stack: &'a str,
    /// From when on nothing more is begun, because the process ends (UTC).
    pub until: Timestamp,
}

/// What a minute came to.
#[derive(Debug, Default)]
pub struct Minute {
    /// Of how many VPCs runs were asked for.
    pub due: usize,
    /// How many runs have not ended.
    pub open: usize,
    /// How many alerts waited.
    pub unsent: usize,
    /// How many calls with the guardrail's role no run made.
    pub unmatched: usize,
    /// What became of the alerts that waited.
    pub sent: Sent,
    /// The round of a sweep or comparison that was made.
    pub round: Option<RoundEnd>,
    /// What could not be read or done; the next minute tries again.
    pub faults: Vec<String>,
}

/// Does what is due.
///
/// # Errors
/// When the table cannot say what is due, or the queue does not take what is. What else fails is in
/// the minute's faults, and keeps nothing else from being done.
pub async fn minute<S: Survey, T: Table, P: Telling, Q: Send>(
    hands: &ClockHands<'_, S, T, P, Q>,
    settings: ClockSettings<'_>,
) -> Result<Minute, CallError> {
    let ClockSettings { place, .. } = settings;
    let clock = Clock { hands, settings };
    let waiting = hands.table.list(&Kind::Waiting.at(place), "").await?;
    let noted = hands.table.list(&detected::partition(place), "").await?;
    let mut minute = Minute {
        open: count(&waiting, crate::history::ledger::OPEN),
        unsent: count(&waiting, UNSENT),
        ..Minute::default()
    };
    let due = clock.send_due(&waiting, &mut minute).await;
    if let Err(error) = clock.judge_own_calls(&noted, &mut minute).await {
        minute.faults.push(error.to_string());
    }
    if let Err(error) = clock.compare(&noted, &mut minute).await {
        minute.faults.push(error.to_string());
    }
    clock.tell(&waiting, &mut minute).await;
    due.map(|()| minute)
}

/// What is done after a round of a sweep, whoever made it: that the table was lost is told, and what
/// sweeps may not read.
///
/// # Errors
/// When the table fails.
pub async fn after_round<T: Table, P: Telling>(
    table: &T,
    telling: &P,
    place: &Place,
    stack: &str,
    ended: &RoundEnd,
    now: Timestamp,
) -> Result<(), CallError> {
    tell_hidden(table, telling, place, ended, now).await?;
    let (known, forgotten) = ended.forgotten;
    if !table_was_lost(known, forgotten) {
        return Ok(());
    }
    let key = Kind::Told.at(place).key(TABLE_LOST);
    let item = table.get(&key).await?;
    let told: Option<String> = item.as_ref().and_then(|item| read(item).ok());
    let sweep = &ended.progress.sweep;
    // Each round of a sweep misses what the first one missed, but for what it has seen meanwhile.
    if told.as_ref() == Some(sweep) {
        return Ok(());
    }
    let alert = table_lost_alert(known, forgotten, place, stack);
    let name = format!("{TABLE_LOST}-{sweep}");
    let mut writes = writes(place, &name, &alert, Level::Alarm, &telling.destinations(), now);
    writes.push(put(key, sweep, Condition::unchanged(item.as_ref())));
    // Where another round was quicker, that one tells it.
    table.commit(&Transaction { token: None, writes }).await.map(drop)
}

/// Tells once of each section that sweeps may not read.
async fn tell_hidden<T: Table, P: Telling>(
    table: &T,
    telling: &P,
    place: &Place,
    ended: &RoundEnd,
    now: Timestamp,
) -> Result<(), CallError> {
    let key = Kind::Told.at(place).key(HIDDEN);
    let item = table.get(&key).await?;
    let said: BTreeMap<String, Timestamp> =
        item.as_ref().and_then(|item| read(item).ok()).unwrap_or_default();
    let name = |unread: &Unread| unread.section.to_string();
    let sweep = &ended.progress.sweep;
    let mut still = still_hidden(&said, now);
    still.extend(hidden(&ended.unread).map(|unread| (name(unread), now)));
    let mut new: Vec<&Unread> =
        hidden(&ended.unread).filter(|unread| !said.contains_key(&name(unread))).collect();
    new.dedup_by_key(|unread| unread.section);
    if still == said {
        return Ok(());
    }
    let mut all = vec![put(key, &still, Condition::unchanged(item.as_ref()))];
    if !new.is_empty() {
        let alert = sweep_blind_alert(&new, sweep, place);
        let (name, to) = (format!("{HIDDEN}-{sweep}-{now}"), telling.destinations());
        all.extend(writes(place, &name, &alert, Level::Alarm, &to, now));
    }
    // Where another round was quicker, that one tells it.
    table.commit(&Transaction { token: None, writes: all }).await.map(drop)
}

/// What was hidden lately and need not have been asked for since: only some rounds read DNS
/// attributes. All else was read again.
fn still_hidden(said: &BTreeMap<String, Timestamp>, now: Timestamp) -> BTreeMap<String, Timestamp> {
    const ALL_READ_WITHIN: SignedDuration = SignedDuration::from_hours(24);
    let attributes = Section::VpcAttributes.to_string();
    let lately = |at: &Timestamp| now.duration_since(*at) < ALL_READ_WITHIN;
    let kept = said.iter().filter(|(name, at)| **name == attributes && lately(at));
    kept.map(|(name, at)| (name.clone(), *at)).collect()
}

/// What it is called that sweeps may not read something.
const HIDDEN: &str = "sweep-blind";

/// What it is called that the table was lost.
const TABLE_LOST: &str = "table-lost";

struct Clock<'c, 'a, S, T, P, Q> {
    hands: &'c ClockHands<'a, S, T, P, Q>,
    settings: ClockSettings<'a>,
}

impl<S: Survey, T: Table, P: Telling, Q: Send> Clock<'_, '_, S, T, P, Q> {
    fn now(&self) -> Timestamp {
        self.hands.region.time()
    }

    async fn send_due(&self, waiting: &[Item], minute: &mut Minute) -> Result<(), CallError> {
        let due = due(self.settings.place, waiting, self.now());
        minute.faults.extend(due.unreadable.iter().map(ToString::to_string));
        minute.due = due.messages.len();
        self.send(&due.messages).await
    }

    async fn send(&self, messages: &[Message]) -> Result<(), CallError> {
        let envelopes: Vec<_> = messages.iter().map(Message::envelope).collect();
        self.hands.queue.send(&envelopes).await
    }

    /// Says of each call with the guardrail's role whether a run made it; one that none made is told,
    /// and its VPCs are looked at.
    async fn judge_own_calls(&self, noted: &[Item], minute: &mut Minute) -> Result<(), CallError> {
        let its: Vec<Item> = of_prefix(noted, own_calls_prefix()).cloned().collect();
        let OwnCalls { calls, unreadable } = own_calls(&its);
        let names = unreadable.iter().map(|key| format!("`{}` cannot be read", key.name));
        minute.faults.extend(names);
        if calls.iter().all(|kept| kept.own.said.is_some()) {
            return Ok(());
        }
        let now = self.now();
        let mut unreadable = Vec::new();
        let made = self.made_calls(now, &mut unreadable).await?;
        minute.faults.extend(unreadable.iter().map(ToString::to_string));
        let judged = judge_all(calls.iter().map(|kept| &kept.own), &made, now);
        let said: BTreeMap<String, Judgement> =
            judged.into_iter().map(|(own, said)| (own.call.incident(), said)).collect();
        for kept in calls.iter().filter(|kept| kept.own.said.is_none()) {
            let judgement = said.get(&kept.own.call.incident()).copied();
            let Some(says) = judgement.and_then(Judgement::said) else { continue };
            // The run that made it may be one that cannot be read.
            if says == Said::Unmatched && !unreadable.is_empty() {
                continue;
            }
            let mut all = vec![kept.say(says, now)];
            if says == Said::Unmatched {
                minute.unmatched += 1;
                all.extend(self.unmatched(&kept.own.call, now));
                // What it names by other ids is found by a comparison.
                let compare = [detected::Noted::CompareRegion];
                let asks = detected::transactions(self.settings.place, &compare, now);
                all.extend(asks.into_iter().flat_map(|transaction| transaction.writes));
                self.send(&self.looks_after(&kept.own.call)).await?;
            }
            // Where another clock was quicker, that one has said it.
            let _ = self.hands.table.commit(&Transaction { token: None, writes: all }).await?;
        }
        Ok(())
    }

    fn unmatched(&self, call: &Evidence, now: Timestamp) -> Vec<Write> {
        let ClockSettings { place, repair_role, .. } = self.settings;
        let alert = unmatched_call(call, repair_role, place, now);
        let name = format!("unmatched-{}", call.incident());
        writes(place, &name, &alert, Level::Alarm, &self.hands.telling.destinations(), now)
    }

    /// The looks that a call asks for which names its VPCs; what names others is found by the
    /// comparison that follows.
    fn looks_after(&self, call: &Evidence) -> Vec<Message> {
        let place = self.settings.place;
        call.record.vpc_ids.iter().map(|vpc| for_call(call, place.scope(vpc))).collect()
    }

    /// The calls that runs of the last day say they made, as far as what they wrote can be read.
    async fn made_calls(
        &self,
        now: Timestamp,
        unreadable: &mut Vec<Unreadable>,
    ) -> Result<Vec<MadeCall>, CallError> {
        let ClockSettings { place, .. } = self.settings;
        let told =
            self.hands.table.list(&Kind::Told.at(place), crate::history::ledger::RAN).await?;
        let since = now.saturating_sub(SignedDuration::from_hours(25)).ok();
        let (names, not_read) = runs_since(&told, since);
        unreadable.extend(not_read);
        let mut made = Vec::new();
        for name in names {
            let items = self.hands.table.list(&Kind::Run.at(place), &name).await?;
            match ran_made(&items) {
                Ok(calls) => made.extend(calls),
                Err(why) => unreadable.push(why),
            }
        }
        Ok(made)
    }

    /// Goes on with a sweep that has not come to its end, or compares the Region if somebody asked.
    async fn compare(&self, noted: &[Item], minute: &mut Minute) -> Result<(), CallError> {
        let ClockSettings { place, baseline, until, stack, .. } = self.settings;
        let Some(baseline) = baseline else { return Ok(()) };
        let ClockHands { region, table, telling, queue } = self.hands;
        let item = table.get(&Kind::Sweep.at(place).key(PROGRESS)).await?;
        let progress: Option<Progress> = item.as_ref().and_then(|item| read(item).ok());
        let asked = noted.iter().find(|item| item.key == comparison_key(place));
        let asked = requested(asked);
        let last = progress.as_ref().and_then(|progress| progress.last_comparison);
        let now = self.now();
        let kind = match &progress {
            Some(progress) if progress.ended.is_none() => Round::GoesOn,
            Some(_) | None if comparison_is_due(asked.as_ref(), last, now) => {
                Round::Begins(format!("comparison-{now}"))
            }
            Some(_) | None => return Ok(()),
        };
        let hands = SweepHands { region: *region, table: *table, queue: *queue };
        let ended = round(&hands, baseline, place, &kind, until).await?;
        if let (Round::Begins(_), Some(asked)) = (&kind, &asked) {
            // Not so if somebody has asked again meanwhile.
            let _ = table.commit(&Transaction::one(asked.done())).await?;
        }
        after_round(*table, *telling, place, stack, &ended, self.now()).await?;
        minute.round = Some(ended);
        Ok(())
    }

    /// Tells what was not told, and what is told of many at once.
    async fn tell(&self, waiting: &[Item], minute: &mut Minute) {
        let ClockSettings { place, alerts_per_hour, digest_hour, stack, until, .. } = self.settings;
        let ClockHands { table, telling, region, .. } = self.hands;
        let outbox = Outbox {
            table: *table,
            telling: *telling,
            clock: || region.time(),
            place,
            limit: alerts_per_hour,
            until,
            stack,
        };
        let unsent: Vec<Item> = of_prefix(waiting, UNSENT).cloned().collect();
        let first: Vec<Item> = of_prefix(waiting, FIRST).cloned().collect();
        let progress = self.progress().await;
        let expected = first_contacts_expected(progress.as_ref());
        let first_sweep = progress.filter(|progress| progress.is_first);
        let first_sweep = first_sweep.as_ref().map(|progress| progress.sweep.as_str());
        let made = [
            outbox.make_summaries(&unsent).await,
            outbox.make_digest(digest_hour, &unsent).await,
            outbox.make_first_contacts(&first, &expected, first_sweep).await,
        ];
        for made in made {
            match made {
                Ok(unreadable) => {
                    minute.faults.extend(unreadable.iter().map(|it| format!("{it:?}")));
                }
                Err(error) => minute.faults.push(error.to_string()),
            }
        }
        minute.sent = match table.list(&Kind::Waiting.at(place), UNSENT).await {
            Ok(unsent) => outbox.send_unsent(&unsent).await,
            Err(error) => Sent { table_error: Some(error), ..Sent::default() },
        };
        minute.faults.extend(minute.sent.given_up.iter().map(|(to, run_id)| {
            format!("the alert of {run_id} is given up: {to} has not taken it for 14 days")
        }));
    }

    /// How far the last sweep has come.
    async fn progress(&self) -> Option<Progress> {
        let key = Kind::Sweep.at(self.settings.place).key(PROGRESS);
        let item = self.hands.table.get(&key).await.ok().flatten();
        item.as_ref().and_then(|item| read(item).ok())
    }
}

/// How many VPCs the last sweep has found for the first time, once it has come to its end.
fn first_contacts_expected(progress: Option<&Progress>) -> BTreeMap<String, usize> {
    let ended = progress.filter(|progress| progress.ended.is_some());
    ended.into_iter().map(|progress| (progress.sweep.clone(), progress.first_contacts)).collect()
}

fn of_prefix<'i>(items: &'i [Item], prefix: &'i str) -> impl Iterator<Item = &'i Item> {
    items.iter().filter(move |item| item.key.name.starts_with(prefix))
}

fn count(items: &[Item], prefix: &str) -> usize {
    let names: BTreeSet<&str> =
        of_prefix(items, prefix).map(|item| item.key.name.as_str()).collect();
    names.len()
}

#[cfg(test)]
mod tests;
