//! Alerts from the table to those who read them. What is to be done with each is decided in
//! `history/outgoing.rs` and `history/hourly.rs`; here it is done.
//!
//! An alert is claimed, told, and forgotten, in that order and each by itself. A process that dies in
//! between has told it or not; the clock tells it again, under the same run.

mod overviews;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cloud::{CallError, Commit, Table, Telling};
use crate::ec2::id::Place;
use crate::history::hourly::{Admission, Hourly, admit, hourly, hourly_key};
use crate::history::lost::{given_up, lost_key};
use crate::history::outgoing::{UNSENT, Unreadable, Unsent, alert_of, told, without_text};
use crate::history::{Alert, Destination, Item, Kind};

/// How often a place within an hour is asked for when others ask at the same time; after that the
/// clock asks.
const TRIES: u32 = 5;

/// What sends the alerts of an account and Region.
#[derive(Debug)]
pub struct Outbox<'a, T, P, N> {
    /// Where the alerts wait.
    pub table: &'a T,
    /// Those who are told.
    pub telling: &'a P,
    /// Says what time it is.
    pub clock: N,
    /// The account and Region.
    pub place: &'a Place,
    /// How many alerts a destination gets one by one within an hour.
    pub limit: u32,
    /// From when on nothing more is begun, because the process ends (UTC).
    pub until: Timestamp,
    /// The stack's name, for the commands in alerts.
    pub stack: &'a str,
}

/// What became of the alerts that waited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many were told.
    pub told: usize,
    /// How many are in the next summary.
    pub held: usize,
    /// How many wait still: for another process that tells them, for a destination that fails, or for
    /// the next time.
    pub left: usize,
    /// Those that were not taken.
    pub not_told: Vec<NotTold>,
    /// Those that are not tried any more: their destinations, and the runs that they tell of.
    pub given_up: Vec<(Destination, String)>,
    /// What could not be read: an alert is behind each.
    pub unreadable: Vec<Unreadable>,
    /// Why the table did not do what it should; what was not told then waits still.
    pub table_error: Option<CallError>,
}

/// An alert that a destination did not say to have taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTold {
    /// The destination.
    pub destination: Destination,
    /// The run that it tells of.
    pub run_id: String,
    /// How often it was tried before.
    pub tries: u32,
    /// Why not.
    pub error: CallError,
}

/// Alerts that wait, as they were read.
type Queue<'a> = Vec<(&'a Item, Unsent)>;

/// What is done with an alert whose turn it is.
#[derive(Clone, Copy)]
enum Way {
    /// It is told.
    Tell,
    /// Its destination has just failed, so it waits for another time, if it would still have a place
    /// within the hour behind so many others. If not, it is held all the same: alerts do not pile up
    /// for a destination that takes none.
    Reserve(u32),
}

/// What became of it.
enum Admitted {
    /// It is this process's to tell.
    Claimed,
    /// It waits, and will need a place.
    Reserved,
    /// It is in the next summary.
    Held,
    /// It waits, or somebody else tells it.
    Waits,
}

impl<T: Table, P: Telling, N: Fn() -> Timestamp> Outbox<'_, T, P, N> {
    /// Sends the alerts of a run that has just ended.
    pub async fn send(&self, run_id: &str) -> Sent {
        let partition = Kind::Waiting.at(self.place);
        match self.table.list(&partition, &format!("{UNSENT}{run_id}#")).await {
            Ok(items) => self.send_unsent(&items).await,
            Err(error) => Sent { table_error: Some(error), ..Sent::default() },
        }
    }

    /// Sends those of these alerts that nobody else is sending: the items of the partition of what
    /// waits whose names begin with [`UNSENT`].
    ///
    /// A destination that fails is not asked again, and the others are told all the same. When the
    /// table fails, nothing more is told: nobody could know that it was.
    pub async fn send_unsent(&self, items: &[Item]) -> Sent {
        let (queues, unreadable) = queues(items);
        let mut sent = Sent { unreadable, ..Sent::default() };
        let all: usize = queues.values().map(Vec::len).sum();
        for queue in queues.into_values() {
            if let Err(error) = self.send_queue(&queue, &mut sent).await {
                sent.table_error = Some(error);
                break;
            }
        }
        let done = sent.told.saturating_add(sent.held).saturating_add(sent.given_up.len());
        sent.left = all.saturating_sub(done);
        sent
    }

    /// Sends the alerts of one destination in this order, until it fails; an error is the table's.
    async fn send_queue(&self, queue: &Queue<'_>, sent: &mut Sent) -> Result<(), CallError> {
        let (mut fails, mut reserved) = (false, 0);
        for (item, unsent) in queue {
            if (self.clock)() >= self.until {
                return Ok(());
            }
            if unsent.is_given_up((self.clock)()) {
                self.give_up(item, unsent, sent).await?;
                continue;
            }
            if fails && !unsent.may_be_held() {
                continue;
            }
            let way = if fails { Way::Reserve(reserved) } else { Way::Tell };
            match self.admitted(item, unsent, way, sent).await? {
                Admitted::Claimed => {
                    let alert = self.text(unsent, sent).await?;
                    fails = !self.told(item, unsent, &alert, sent).await?;
                }
                Admitted::Reserved => reserved += 1,
                Admitted::Held => sent.held += 1,
                Admitted::Waits => {}
            }
        }
        Ok(())
    }

    /// Counts an alert that waited for too long, in its place.
    async fn give_up(
        &self,
        item: &Item,
        unsent: &Unsent,
        sent: &mut Sent,
    ) -> Result<(), CallError> {
        let before = self.table.get(&lost_key(self.place, &unsent.destination)).await?;
        match self.table.commit(&given_up(item, unsent, before.as_ref())).await? {
            Commit::Made => {
                sent.given_up.push((unsent.destination.clone(), unsent.run_id.clone()));
            }
            // Somebody else has counted or told one: the next minute looks again.
            Commit::Conflict => {}
        }
        Ok(())
    }

    /// Whether the destination took an alert that is this process's to tell.
    async fn told(
        &self,
        item: &Item,
        unsent: &Unsent,
        alert: &Alert,
        sent: &mut Sent,
    ) -> Result<bool, CallError> {
        if let Err(error) = self.telling.tell(&unsent.destination, alert).await {
            sent.not_told.push(NotTold {
                destination: unsent.destination.clone(),
                run_id: unsent.run_id.clone(),
                tries: unsent.tries,
                error,
            });
            return Ok(false);
        }
        sent.told += 1;
        // Whoever has claimed it since tells it once more.
        let (Commit::Made | Commit::Conflict) = self.table.commit(&told(item, unsent)).await?;
        Ok(true)
    }

    /// What becomes of an alert now. When others ask for places at the same time, it asks again.
    async fn admitted(
        &self,
        item: &Item,
        unsent: &Unsent,
        way: Way,
        sent: &mut Sent,
    ) -> Result<Admitted, CallError> {
        for _ in 0..TRIES {
            let (before, hourly) = self.hourly(unsent, sent).await?;
            let limit = match way {
                Way::Tell => self.limit,
                Way::Reserve(reserved) => self.limit.saturating_sub(reserved),
            };
            let now = (self.clock)();
            let (transaction, made) =
                match (admit(item, unsent, (before.as_ref(), &hourly), limit, now), way) {
                    (Admission::Tell { claim, .. }, Way::Tell) => (claim, Admitted::Claimed),
                    (Admission::Tell { takes_place: true, .. }, Way::Reserve(_)) => {
                        return Ok(Admitted::Reserved);
                    }
                    (Admission::Tell { takes_place: false, .. }, Way::Reserve(_))
                    | (Admission::Others, _) => return Ok(Admitted::Waits),
                    (Admission::Hold(hold), _) => (hold, Admitted::Held),
                };
            match self.table.commit(&transaction).await? {
                Commit::Made => return Ok(made),
                Commit::Conflict => {}
            }
            let waits = self.table.get(&item.key).await?;
            if waits.is_none_or(|waits| waits.version != item.version) {
                return Ok(Admitted::Waits);
            }
        }
        Ok(Admitted::Waits)
    }

    async fn hourly(
        &self,
        unsent: &Unsent,
        sent: &mut Sent,
    ) -> Result<(Option<Item>, Hourly), CallError> {
        let before = self.table.get(&hourly_key(self.place, &unsent.destination)).await?;
        let hourly = hourly(before.as_ref()).unwrap_or_else(|why| {
            sent.unreadable.push(why);
            Hourly::default()
        });
        Ok((before, hourly))
    }

    async fn text(&self, unsent: &Unsent, sent: &mut Sent) -> Result<Alert, CallError> {
        let mut parts = Vec::new();
        for key in unsent.text_keys(self.place) {
            parts.push(self.table.get(&key).await?);
        }
        Ok(alert_of(parts).unwrap_or_else(|why| {
            let alert = without_text(unsent, &why);
            sent.unreadable.push(Unreadable { name: unsent.run_id.clone(), why });
            alert
        }))
    }
}

/// The alerts of each destination in the order in which they are tried, and what is none.
fn queues(items: &[Item]) -> (BTreeMap<Destination, Queue<'_>>, Vec<Unreadable>) {
    let mut queues: BTreeMap<Destination, Queue<'_>> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for item in items {
        match Unsent::read(item) {
            Ok(unsent) => {
                queues.entry(unsent.destination.clone()).or_default().push((item, unsent));
            }
            Err(why) => unreadable.push(why),
        }
    }
    queues.values_mut().for_each(|queue| queue.sort_by_key(|(_, unsent)| unsent.order()));
    (queues, unreadable)
}

#[cfg(test)]
mod tests;
