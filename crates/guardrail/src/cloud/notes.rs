//! The seam to what is noted of VPCs between two runs.
//!
//! There are two implementations: a process's own memory, and the adapter to DynamoDB.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::CallError;
use crate::ec2::id::Scope;
use crate::history::Note;

/// Where it is kept what runs note for later ones.
#[expect(
    async_fn_in_trait,
    reason = "used through generics only; no run needs its futures to be Send"
)]
pub trait Notes {
    /// What is noted of a VPC; `None` when nothing is.
    ///
    /// # Errors
    /// When it could not be read: it may be that something is noted.
    async fn recall(&self, scope: &Scope) -> Result<Option<Note>, CallError>;

    /// Notes this of a VPC, in place of what was noted before.
    ///
    /// # Errors
    /// When it could not be kept.
    async fn note(&self, scope: &Scope, note: &Note) -> Result<(), CallError>;
}

/// What is noted as long as the process lives.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<BTreeMap<Scope, Note>>);

impl Notes for InMemory {
    async fn recall(&self, scope: &Scope) -> Result<Option<Note>, CallError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(scope).cloned())
    }

    async fn note(&self, scope: &Scope, note: &Note) -> Result<(), CallError> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.insert(scope.clone(), note.clone());
        Ok(())
    }
}
