//! Calls with up to ten entries, each of which goes through or fails by itself.

use std::collections::BTreeSet;

use super::refusal::{Refusal, RefusalKind};

/// "The maximum number of entries you can include in a single SendMessageBatch request is 10."
const MOST: usize = 10;
const LONGEST_ID: usize = 80;

/// An entry of a batch, under the id that its caller gave it.
pub type Entries<E> = Vec<(String, E)>;

/// What came of a batch's entries, by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchAnswer<T> {
    /// Those that went through.
    pub successful: Vec<(String, T)>,
    /// Those that were refused.
    pub failed: Vec<(String, Refusal)>,
}

/// "Because the batch request can result in a combination of successful and unsuccessful actions,
/// you should check for batch errors even when the call returns an HTTP status code of 200."
pub(crate) fn each<E, T>(
    entries: Entries<E>,
    mut one: impl FnMut(E) -> Result<T, Refusal>,
) -> Result<BatchAnswer<T>, Refusal> {
    check(&entries)?;
    let mut answer = BatchAnswer { successful: Vec::new(), failed: Vec::new() };
    for (id, entry) in entries {
        match one(entry) {
            Ok(done) => answer.successful.push((id, done)),
            Err(refusal) => answer.failed.push((id, refusal)),
        }
    }
    Ok(answer)
}

fn check<E>(entries: &Entries<E>) -> Result<(), Refusal> {
    if entries.is_empty() {
        return Err(Refusal::new(
            RefusalKind::EmptyBatchRequest,
            "There should be at least one entry in the request.",
        ));
    }
    if entries.len() > MOST {
        let message = format!(
            "Maximum number of entries per request are {MOST}. You have sent {}.",
            entries.len()
        );
        return Err(Refusal::new(RefusalKind::TooManyEntriesInBatchRequest, message));
    }
    let mut seen = BTreeSet::new();
    for (id, _) in entries {
        let is_good = (1..=LONGEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_good {
            return Err(Refusal::new(
                RefusalKind::InvalidBatchEntryId,
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
                 It can be at most 80 letters long.",
            ));
        }
        if !seen.insert(id) {
            return Err(Refusal::new(
                RefusalKind::BatchEntryIdsNotDistinct,
                format!("Id {id} repeated."),
            ));
        }
    }
    Ok(())
}
