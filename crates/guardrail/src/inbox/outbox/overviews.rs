//! Alerts of many VPCs: each is made as one that waits to be sent, together with the note that it was
//! made. So it is made once, and told at least once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Outbox;
use crate::cloud::{CallError, Commit, Table, Telling};
use crate::history::digest::{digest, digest_is_due, digest_key, standing};
use crate::history::first_contact::{
    FirstContact, cleared_first, first_contact, first_contact_id, first_contacts_due, told_first,
    told_first_key,
};
use crate::history::hourly::{HOUR_OF, destination_of, hourly, summarized, summary_is_due};
use crate::history::lost::{LOST, lost_of};
use crate::history::outgoing::{Level, Unreadable, Unsent, writes as outgoing};
use crate::history::{Condition, Item, Kind, Transaction, Write};
use crate::report::alert;
use crate::time::Day;

impl<T: Table, P: Telling, N: Fn() -> Timestamp> Outbox<'_, T, P, N> {
    /// Makes the summaries that are due, where these alerts wait still; and says what could not be
    /// read.
    ///
    /// # Errors
    /// When the table fails: what was not made is due still.
    pub async fn make_summaries(&self, unsent: &[Item]) -> Result<Vec<Unreadable>, CallError> {
        let waiting = readable(unsent);
        let mut unreadable = Vec::new();
        for item in self.table.list(&Kind::Told.at(self.place), HOUR_OF).await? {
            let (Some(to), now) = (destination_of(&item), (self.clock)()) else { continue };
            let hourly = match hourly(Some(&item)) {
                Ok(hourly) => hourly,
                Err(why) => {
                    unreadable.push(why);
                    continue;
                }
            };
            let of_it = waiting.iter().map(|(_, unsent)| unsent);
            let of_it: Vec<&Unsent> = of_it.filter(|unsent| unsent.destination == to).collect();
            if let Some(held) = summary_is_due(&hourly, &of_it, now) {
                let alert = alert::summary(held, self.limit, self.place, self.stack);
                let made = summarized(&item.key, (Some(&item), &hourly), held, (&alert, &to), now);
                // Who comes second finds it made.
                let (Commit::Made | Commit::Conflict) = self.table.commit(&made).await?;
            }
        }
        Ok(unreadable)
    }

    /// Makes the digest of the day that begins at this hour, if it is due; and says which states could
    /// not be read.
    ///
    /// # Errors
    /// When the table fails: the digest is due still.
    pub async fn make_digest(
        &self,
        hour: u8,
        unsent: &[Item],
    ) -> Result<Vec<Unreadable>, CallError> {
        let (told, now) = (self.table.get(&digest_key(self.place)).await?, (self.clock)());
        let Some(id) = digest_is_due(told.as_ref(), now, hour) else { return Ok(Vec::new()) };
        let mut odd = self.make_lost(&id).await?;
        let states = self.table.list(&Kind::State.at(self.place), "").await?;
        let (standing, mut unreadable) = standing(&states);
        let alert =
            alert::digest(&id, &standing, unreadable.len(), self.place, self.stack, Day::of(now));
        // What stands on the first day of a table was told on that day.
        let alert = alert.filter(|_| told.is_some());
        let to = self.telling.destinations();
        let waiting = readable(unsent);
        let (told, alert) = (told.as_ref(), alert.as_ref());
        let made = digest(told, self.place, &id, alert, &to, &waiting, now);
        let (Commit::Made | Commit::Conflict) = self.table.commit(&made).await?;
        unreadable.append(&mut odd);
        Ok(unreadable)
    }

    /// Makes the alert of those that were given up since the digest before this one, if any was; and
    /// says which counts could not be read.
    async fn make_lost(&self, digest: &str) -> Result<Vec<Unreadable>, CallError> {
        let (mut all, mut unreadable, mut writes) = (Vec::new(), Vec::new(), Vec::new());
        for item in self.table.list(&Kind::Told.at(self.place), LOST).await? {
            match lost_of(&item) {
                Ok(lost) => all.extend(lost),
                Err(why) => {
                    unreadable.push(why);
                    continue;
                }
            }
            let (key, condition) = (item.key, Condition::Version(item.version));
            writes.push(Write::Delete { key, condition });
        }
        if !all.is_empty() {
            let (id, now) = (format!("lost-{digest}"), (self.clock)());
            let alert = alert::lost_alert(&id, &all, self.place, self.stack);
            let to = self.telling.destinations();
            writes.extend(outgoing(self.place, &id, &alert, Level::Overview, &to, now));
            let made = Transaction { token: None, writes };
            // Who comes second, or has counted one more, makes it later.
            let (Commit::Made | Commit::Conflict) = self.table.commit(&made).await?;
        }
        Ok(unreadable)
    }

    /// Makes the summaries of VPCs that sweeps found first, of which these items wait: their names
    /// begin with [`FIRST`](crate::history::first_contact::FIRST). `ended` says of each sweep that has
    /// ended how many VPCs without a state it found; `first_sweep` is the one before which the table
    /// knew of none.
    ///
    /// # Errors
    /// When the table fails: what was not made is due still.
    pub async fn make_first_contacts(
        &self,
        items: &[Item],
        ended: &BTreeMap<String, usize>,
        first_sweep: Option<&str>,
    ) -> Result<Vec<Unreadable>, CallError> {
        let (by_sweep, unreadable) = by_sweep(items);
        for (sweep, waiting) in by_sweep {
            let noted = self.table.get(&told_first_key(self.place, &sweep)).await?;
            let (mut told, now) = (told_first(noted.as_ref()), (self.clock)());
            let firsts: Vec<FirstContact> =
                waiting.iter().map(|(_, first)| first.clone()).collect();
            let due = first_contacts_due(&firsts, &told, ended.get(&sweep).copied(), now);
            if !due.is_empty() {
                let id = first_contact_id(&sweep, &told);
                let is_first = first_sweep == Some(sweep.as_str());
                let alert = alert::first_contact_alert(&id, &due, is_first, self.place, self.stack);
                let to = self.telling.destinations();
                let (noted, alert) = ((noted.as_ref(), &told), (&alert, to.as_slice()));
                let made = first_contact(self.place, &sweep, noted, &due, alert, now);
                match self.table.commit(&made).await? {
                    Commit::Made => told.vpcs.extend(due.iter().map(|first| first.vpc.clone())),
                    // Whoever made it clears it.
                    Commit::Conflict => continue,
                }
            }
            for cleared in cleared_first(&waiting, &told) {
                let (Commit::Made | Commit::Conflict) = self.table.commit(&cleared).await?;
            }
        }
        Ok(unreadable)
    }
}

/// The alerts among these items; whoever sends them says what cannot be read.
fn readable(items: &[Item]) -> Vec<(&Item, Unsent)> {
    items.iter().filter_map(|item| Some((item, Unsent::read(item).ok()?))).collect()
}

/// VPCs that one sweep found first, as they were read.
type Firsts<'a> = Vec<(&'a Item, FirstContact)>;

/// The VPCs that each sweep found first.
fn by_sweep(items: &[Item]) -> (BTreeMap<String, Firsts<'_>>, Vec<Unreadable>) {
    let mut by_sweep: BTreeMap<String, Firsts<'_>> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for item in items {
        match FirstContact::read(item) {
            Ok(first) => by_sweep.entry(first.sweep.clone()).or_default().push((item, first)),
            Err(why) => unreadable.push(why),
        }
    }
    (by_sweep, unreadable)
}
