//! The seam to the table in which runs, sweeps and the clock keep what must outlive them.
//!
//! There are two implementations: a process's own memory, and the adapter to DynamoDB. Both pass
//! the simulator's suite `table_suite`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::CallError;
use super::error_codes::call_error;
use crate::history::{Body, Condition, Item, Key, Partition, Transaction, Write};

/// Where things are kept that must outlive a process.
#[expect(
    async_fn_in_trait,
    reason = "used through generics only; no run needs its futures to be Send"
)]
pub trait Table {
    /// The item of this key; `None` when there is none. Strongly consistent.
    ///
    /// # Errors
    /// When it could not be read: it may be there.
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError>;

    /// The items of a partition whose names begin so, in the order of their names. Strongly
    /// consistent, and all of them: a read that breaks off on the way is an error.
    ///
    /// # Errors
    /// When they could not all be read.
    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError>;

    /// Makes all these changes, or none.
    ///
    /// # Errors
    /// When the table did not say what came of it: they may have been made.
    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError>;
}

/// What came of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Commit {
    /// All was changed.
    Made,
    /// Nothing was changed: a condition does not hold, or another transaction was under way on one
    /// of the items. Who wants it still reads again and decides again.
    Conflict,
}

/// A table that lives as long as the process: for a command without a stack, and for tests.
#[derive(Debug, Default)]
pub struct InMemoryTable(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    items: BTreeMap<Key, (u64, Body, Option<Timestamp>)>,
    /// The transactions that were made, by their tokens.
    made: BTreeMap<String, Transaction>,
}

impl InMemoryTable {
    /// The items that no table need keep any more are gone, as DynamoDB's are some days after their
    /// time.
    pub fn forget_expired(&self, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.items.retain(|_, (_, _, expires)| expires.is_none_or(|at| at > now));
    }

    /// Everything there is, in the order of its keys.
    pub fn everything(&self) -> Vec<Item> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.items.iter().map(|(key, kept)| item(key, kept)).collect()
    }
}

fn item(key: &Key, (version, body, _): &(u64, Body, Option<Timestamp>)) -> Item {
    Item { key: key.clone(), version: *version, body: body.clone() }
}

/// Whether DynamoDB would take this for a transaction at all: of 100 items at most, and of none twice
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html).
fn takes(transaction: &Transaction) -> Result<(), CallError> {
    const MOST: usize = 100;
    let items: BTreeSet<&Key> = transaction.writes.iter().map(Write::key).collect();
    if items.len() < transaction.writes.len() {
        return Err(refused("ValidationException", "one item is changed twice"));
    }
    match items.len() {
        ..=MOST => Ok(()),
        _ => Err(refused("ValidationException", "more than 100 items are changed")),
    }
}

fn refused(code: &str, message: &str) -> CallError {
    call_error("TransactWriteItems", code, message)
}

impl Kept {
    fn holds(&self, write: &Write) -> bool {
        let version = self.items.get(write.key()).map(|(version, ..)| *version);
        match write.condition() {
            Condition::Any => true,
            Condition::Absent => version.is_none(),
            Condition::Version(wanted) => version == Some(wanted),
        }
    }

    fn make(&mut self, write: &Write) {
        match write {
            Write::Put { key, body, expires, condition: _ } => {
                let version = self.items.get(key).map_or(0, |(version, ..)| *version);
                let put = (version.saturating_add(1), body.clone(), *expires);
                self.items.insert(key.clone(), put);
            }
            Write::Delete { key, condition: _ } => {
                self.items.remove(key);
            }
        }
    }
}

impl Table for InMemoryTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.items.get(key).map(|kept| item(key, kept)))
    }

    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |key: &Key| key.partition == *partition && key.name.starts_with(prefix);
        Ok(kept
            .items
            .iter()
            .filter(|(key, _)| of(key))
            .map(|(key, kept)| item(key, kept))
            .collect())
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        takes(transaction)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = &transaction.token
            && let Some(made) = kept.made.get(token)
        {
            return match made == transaction {
                true => Ok(Commit::Made),
                false => Err(refused(
                    "IdempotentParameterMismatchException",
                    "the client token was used for another transaction",
                )),
            };
        }
        if !transaction.writes.iter().all(|write| kept.holds(write)) {
            return Ok(Commit::Conflict);
        }
        transaction.writes.iter().for_each(|write| kept.make(write));
        if let Some(token) = &transaction.token {
            kept.made.insert(token.clone(), transaction.clone());
        }
        Ok(Commit::Made)
    }
}
