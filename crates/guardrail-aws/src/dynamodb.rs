//! The DynamoDB table of what runs note for later ones: one item for each VPC.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use guardrail::cloud::{CallError, Notes};
use guardrail::ec2::id::{Place, Scope, VpcId};
use guardrail::history::{LookAgain, Looked, Note};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::ec2::concurrent::concurrent;
use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

/// The index of the items that wait, by place and time: an item without these two attributes is not
/// in it, so that looking for what is due costs nothing while nothing is.
const WAITING: &str = "waiting";

/// What an item is called under its VPC: others come beside it.
const NOTE: &str = "note";

/// A table of notes.
#[derive(Debug, Clone)]
pub struct NoteTable {
    dynamodb: Client,
    name: String,
}

/// A VPC that is to be looked at again by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The VPC.
    pub vpc: VpcId,
    /// When it became due, and why.
    pub look_again: LookAgain,
}

impl NoteTable {
    /// The table of this name.
    pub fn new(clients: &Clients, name: &str) -> Self {
        Self { dynamodb: Client::new(clients.config()), name: name.to_owned() }
    }

    /// The VPCs of a place that are due at `now`, the longest due first.
    ///
    /// # Errors
    /// When the index could not be read in full, or holds what is no note.
    pub async fn due(&self, place: &Place, now: Timestamp) -> Result<Vec<Due>, CallError> {
        const OPERATION: &str = "Query";
        self.is_named(OPERATION)?;
        let mut due = Vec::new();
        let mut from = None;
        loop {
            let request = self
                .dynamodb
                .query()
                .table_name(&self.name)
                .index_name(WAITING)
                .key_condition_expression("place = :place AND due <= :now")
                .expression_attribute_values(":place", AttributeValue::S(place.to_string()))
                .expression_attribute_values(
                    ":now",
                    AttributeValue::S(sortable(now, RoundMode::Trunc)),
                )
                .set_exclusive_start_key(from);
            let page = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
            for item in page.items.unwrap_or_default() {
                due.extend(due_of(&item).map_err(|why| unreadable(OPERATION, &why))?);
            }
            from = page.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                return Ok(due);
            }
        }
    }

    /// Notes what was seen of each of these VPCs of a place, where it is not as noted before; the
    /// first failure, after all have been tried. A VPC that a run notes at the same time is passed over:
    /// the run has seen more.
    ///
    /// # Errors
    /// The first failure.
    pub async fn note_looks(
        &self,
        place: &Place,
        looked: Vec<(VpcId, Looked)>,
        now: Timestamp,
    ) -> Result<(), CallError> {
        let noted = concurrent(looked, |(vpc, looked)| {
            let (table, scope) = (self.clone(), place.scope(&vpc));
            async move {
                let before = table.recall(&scope).await?;
                let note = before.clone().unwrap_or_default().after_look(&looked, &[], now);
                if before.as_ref() != Some(&note) {
                    table.note_unless_changed(&scope, before.as_ref(), &note).await?;
                }
                Ok(())
            }
        });
        noted.await.into_iter().collect()
    }

    /// Notes this of a VPC unless somebody has noted something else since `before` was read; whether
    /// it is noted.
    ///
    /// # Errors
    /// When the call fails otherwise.
    pub async fn note_unless_changed(
        &self,
        scope: &Scope,
        before: Option<&Note>,
        note: &Note,
    ) -> Result<bool, CallError> {
        const OPERATION: &str = "PutItem";
        let request = self.put(scope, note)?;
        let request = match before {
            None => request.condition_expression("attribute_not_exists(vpc)"),
            Some(before) => request
                .condition_expression("note = :before")
                .expression_attribute_values(":before", AttributeValue::S(text(before)?)),
        };
        match on_heap(request.send()).await {
            Ok(_) => Ok(true),
            Err(error) => {
                let refused = error
                    .as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception());
                if refused { Ok(false) } else { Err(failed(OPERATION, &error)) }
            }
        }
    }

    fn is_named(&self, operation: &str) -> Result<(), CallError> {
        match self.name.is_empty() {
            true => Err(unreadable(operation, "no table is named; set `GUARDRAIL_TABLE`")),
            false => Ok(()),
        }
    }

    fn put(
        &self,
        scope: &Scope,
        note: &Note,
    ) -> Result<aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder, CallError>
    {
        let request = self
            .dynamodb
            .put_item()
            .table_name(&self.name)
            .set_item(Some(key(scope)))
            .item("note", AttributeValue::S(text(note)?));
        Ok(match &note.look_again {
            None => request,
            Some(again) => request
                .item("place", AttributeValue::S(scope.place().to_string()))
                .item("due", AttributeValue::S(sortable(again.at, RoundMode::Ceil))),
        })
    }
}

impl Notes for NoteTable {
    async fn recall(&self, scope: &Scope) -> Result<Option<Note>, CallError> {
        const OPERATION: &str = "GetItem";
        self.is_named(OPERATION)?;
        let request = self
            .dynamodb
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key(scope)))
            .consistent_read(true);
        let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
        let note = answer.item.map(|item| note_of(&item)).transpose();
        note.map_err(|why| unreadable(OPERATION, &why))
    }

    async fn note(&self, scope: &Scope, note: &Note) -> Result<(), CallError> {
        let request = self.put(scope, note)?;
        on_heap(request.send()).await.map_err(|error| failed("PutItem", &error)).map(drop)
    }
}

/// Account, Region and VPC in one: two stacks' items are never the same.
fn key(scope: &Scope) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("vpc".to_owned(), AttributeValue::S(scope.to_string())),
        ("item".to_owned(), AttributeValue::S(NOTE.to_owned())),
    ])
}

fn text(note: &Note) -> Result<String, CallError> {
    serde_json::to_string(note).map_err(|error| unreadable("PutItem", &error.to_string()))
}

/// A whole second, so that times have one length and sort as text: nothing is due early.
fn sortable(time: Timestamp, mode: RoundMode) -> String {
    let whole = TimestampRound::new().smallest(Unit::Second).mode(mode);
    format!("{:.0}", time.round(whole).unwrap_or(time))
}

fn attribute<'i>(item: &'i HashMap<String, AttributeValue>, name: &str) -> Result<&'i str, String> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        Some(_) | None => Err(format!("an item has no text `{name}`")),
    }
}

fn note_of(item: &HashMap<String, AttributeValue>) -> Result<Note, String> {
    serde_json::from_str(attribute(item, "note")?)
        .map_err(|error| format!("`note` of an item is none: {error}"))
}

fn due_of(item: &HashMap<String, AttributeValue>) -> Result<Option<Due>, String> {
    let scope = attribute(item, "vpc")?;
    let vpc = scope.rsplit('/').next().unwrap_or_default();
    let vpc = vpc.parse().map_err(|_| format!("`{scope}` names no VPC"))?;
    Ok(note_of(item)?.look_again.map(|look_again| Due { vpc, look_again }))
}
