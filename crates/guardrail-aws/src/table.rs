//! The DynamoDB table in which runs, sweeps and the clock keep what must outlive them.
//!
//! An item has the attributes `pk` (the partition), `sk` (the name), `version`, one of `body` and
//! `packed`, and `expires` where the table may forget it. Every put is an update that adds one to
//! the version, so that an item's version only grows.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Delete, TransactWriteItem, Update,
};
use guardrail::cloud::error_codes::call_error;
use guardrail::cloud::{CallError, Commit, Table};
use guardrail::history::{Body, Condition, Item, Key, Partition, Transaction, Write};

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

/// The transaction that several items, or a token, take.
const TRANSACT: &str = "TransactWriteItems";

type Attributes = HashMap<String, AttributeValue>;

/// A DynamoDB table as the core's.
#[derive(Debug, Clone)]
pub struct DynamoTable {
    dynamodb: Client,
    name: String,
}

impl DynamoTable {
    /// The table of this name. Makes no call.
    pub fn new(clients: &Clients, name: &str) -> Self {
        Self { dynamodb: Client::new(clients.config()), name: name.to_owned() }
    }

    fn is_named(&self, operation: &str) -> Result<(), CallError> {
        match self.name.is_empty() {
            true => Err(unreadable(operation, "no table is named; set `GUARDRAIL_TABLE`")),
            false => Ok(()),
        }
    }

    async fn write_one(&self, write: &Write) -> Result<Commit, CallError> {
        let parts = Parts::of(write);
        match parts.update {
            Some(_) => self.update(parts, write.condition()).await,
            None => self.delete(parts, write.condition()).await,
        }
    }

    async fn update(&self, parts: Parts, condition: Condition) -> Result<Commit, CallError> {
        const OPERATION: &str = "UpdateItem";
        self.is_named(OPERATION)?;
        let request = self
            .dynamodb
            .update_item()
            .table_name(&self.name)
            .set_key(Some(parts.key))
            .set_update_expression(parts.update)
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(Some(parts.names))
            .set_expression_attribute_values(parts.values);
        let sent = match condition {
            Condition::Any => on_heap(request.send()).await,
            Condition::Absent | Condition::Version(_) => {
                on_heap(request.customize().config_override(once_unless_refused()).send()).await
            }
        };
        one(OPERATION, sent)
    }

    async fn delete(&self, parts: Parts, condition: Condition) -> Result<Commit, CallError> {
        const OPERATION: &str = "DeleteItem";
        self.is_named(OPERATION)?;
        let request = self
            .dynamodb
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(parts.key))
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(Some(parts.names).filter(|names| !names.is_empty()))
            .set_expression_attribute_values(parts.values);
        let sent = match condition {
            Condition::Any => on_heap(request.send()).await,
            Condition::Absent | Condition::Version(_) => {
                on_heap(request.customize().config_override(once_unless_refused()).send()).await
            }
        };
        one(OPERATION, sent)
    }

    /// Without a token the SDK sends one of its own, so that its tries are one transaction.
    async fn transact(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        self.is_named(TRANSACT)?;
        let writes: Result<Vec<_>, _> =
            transaction.writes.iter().map(|write| self.in_transaction(write)).collect();
        let writes = writes.map_err(|error| unreadable(TRANSACT, &error.to_string()))?;
        let request = self
            .dynamodb
            .transact_write_items()
            .set_transact_items(Some(writes))
            .set_client_request_token(transaction.token.clone());
        match on_heap(request.send()).await {
            Ok(_) => Ok(Commit::Made),
            Err(error) => match cancelled(&error) {
                Some(outcome) => outcome,
                None => Err(failed(TRANSACT, &error)),
            },
        }
    }

    fn in_transaction(&self, write: &Write) -> Result<TransactWriteItem, BuildError> {
        let parts = Parts::of(write);
        let item = TransactWriteItem::builder();
        let item = match parts.update {
            Some(update) => item.update(
                Update::builder()
                    .table_name(&self.name)
                    .set_key(Some(parts.key))
                    .update_expression(update)
                    .set_condition_expression(parts.condition)
                    .set_expression_attribute_names(Some(parts.names))
                    .set_expression_attribute_values(parts.values)
                    .build()?,
            ),
            None => item.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(parts.key))
                    .set_condition_expression(parts.condition)
                    .set_expression_attribute_names(
                        Some(parts.names).filter(|names| !names.is_empty()),
                    )
                    .set_expression_attribute_values(parts.values)
                    .build()?,
            ),
        };
        Ok(item.build())
    }
}

impl Table for DynamoTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        const OPERATION: &str = "GetItem";
        self.is_named(OPERATION)?;
        let request = self
            .dynamodb
            .get_item()
            .table_name(&self.name)
            .set_key(Some(attributes_of(key)))
            .consistent_read(true);
        let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
        let item = answer.item.filter(|item| !item.is_empty());
        let read = item.map(|item| item_of(item, &key.partition)).transpose();
        read.map_err(|why| unreadable(OPERATION, &why))
    }

    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError> {
        const OPERATION: &str = "Query";
        self.is_named(OPERATION)?;
        let request = self
            .dynamodb
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_string()));
        // DynamoDB takes no empty text for a key, not even as the beginning of one.
        let request = match prefix {
            "" => request.key_condition_expression("#pk = :pk"),
            some => request
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
                .expression_attribute_names("#sk", "sk")
                .expression_attribute_values(":prefix", AttributeValue::S(some.to_owned())),
        };
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let request = request.clone().set_exclusive_start_key(from.clone());
            let page = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
            for item in page.items.unwrap_or_default() {
                items.push(item_of(item, partition).map_err(|why| unreadable(OPERATION, &why))?);
            }
            match page.last_evaluated_key.filter(|key| !key.is_empty()) {
                None => return Ok(items),
                next if next == from => {
                    return Err(unreadable(
                        OPERATION,
                        "the same page was offered twice; the list cannot be read in full",
                    ));
                }
                next => from = next,
            }
        }
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        match (transaction.writes.as_slice(), &transaction.token) {
            ([], _) => Ok(Commit::Made),
            ([one], None) => self.write_one(one).await,
            (_, _) => self.transact(transaction).await,
        }
    }
}

/// A write in DynamoDB's words; every name is behind a `#`, because many words are reserved
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html).
struct Parts {
    key: Attributes,
    /// The update expression; `None` for an item that goes.
    update: Option<String>,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: Option<Attributes>,
}

impl Parts {
    fn of(write: &Write) -> Self {
        let mut parts = Self {
            key: attributes_of(write.key()),
            update: None,
            condition: None,
            names: HashMap::new(),
            values: None,
        };
        if let Write::Put { key: _, body, expires, condition: _ } = write {
            let (holds, other, value) = match body {
                Body::Text(text) => ("body", "packed", AttributeValue::S(text.clone())),
                Body::Packed(bytes) => {
                    ("packed", "body", AttributeValue::B(Blob::new(bytes.clone())))
                }
            };
            for name in ["body", "packed", "expires", "version"] {
                parts.name(name);
            }
            parts.value(":body", value);
            parts.value(":one", AttributeValue::N("1".to_owned()));
            parts.update = Some(match expires {
                Some(at) => {
                    parts.value(":expires", AttributeValue::N(at.as_second().to_string()));
                    format!(
                        "SET #{holds} = :body, #expires = :expires REMOVE #{other} ADD #version :one"
                    )
                }
                None => format!("SET #{holds} = :body REMOVE #{other}, #expires ADD #version :one"),
            });
        }
        match write.condition() {
            Condition::Any => {}
            Condition::Absent => {
                parts.name("pk");
                parts.condition = Some("attribute_not_exists(#pk)".to_owned());
            }
            Condition::Version(version) => {
                parts.name("version");
                parts.value(":version", AttributeValue::N(version.to_string()));
                parts.condition = Some("#version = :version".to_owned());
            }
        }
        parts
    }

    fn name(&mut self, name: &str) {
        self.names.insert(format!("#{name}"), name.to_owned());
    }

    fn value(&mut self, name: &str, value: AttributeValue) {
        self.values.get_or_insert_default().insert(name.to_owned(), value);
    }
}

fn attributes_of(key: &Key) -> Attributes {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.partition.to_string())),
        ("sk".to_owned(), AttributeValue::S(key.name.clone())),
    ])
}

fn item_of(mut item: Attributes, partition: &Partition) -> Result<Item, String> {
    let name = match item.remove("sk") {
        Some(AttributeValue::S(name)) => name,
        Some(_) | None => return Err(format!("an item of `{partition}` has no text `sk`")),
    };
    let version = match item.get("version") {
        Some(AttributeValue::N(number)) => number.parse().ok(),
        Some(_) | None => None,
    };
    let version = version
        .ok_or_else(|| format!("`{name}` of `{partition}` has no whole number `version`"))?;
    let body = match (item.remove("body"), item.remove("packed")) {
        (Some(AttributeValue::S(text)), None) => Body::Text(text),
        (None, Some(AttributeValue::B(bytes))) => Body::Packed(bytes.into_inner()),
        (_, _) => {
            return Err(format!(
                "`{name}` of `{partition}` has neither a text `body` nor `packed`"
            ));
        }
    };
    Ok(Item { key: partition.key(name), version, body })
}

/// What came of a write to one item.
fn one<T, E>(operation: &str, sent: Result<T, SdkError<E>>) -> Result<Commit, CallError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match sent {
        Ok(_) => Ok(Commit::Made),
        Err(error) => match error.code() {
            Some("ConditionalCheckFailedException" | "TransactionConflictException") => {
                Ok(Commit::Conflict)
            }
            Some(_) | None => Err(failed(operation, &error)),
        },
    }
}

/// What a cancelled transaction comes to: AWS gives a reason for each item, in the order of the
/// items (docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html). `None`
/// where the transaction failed otherwise.
fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<Result<Commit, CallError>> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let code = |reason: &CancellationReason| reason.code.clone().unwrap_or_default();
    let reasons = cancelled.cancellation_reasons();
    let is_conflict = |reason: &CancellationReason| {
        matches!(code(reason).as_str(), "ConditionalCheckFailed" | "TransactionConflict")
    };
    let other = reasons
        .iter()
        .find(|reason| !is_conflict(reason) && !matches!(code(reason).as_str(), "None" | ""));
    match other {
        Some(other) => {
            let message = other.message.clone().unwrap_or_default();
            Some(Err(call_error(TRANSACT, &code(other), &message)))
        }
        None if reasons.iter().any(is_conflict) => Some(Ok(Commit::Conflict)),
        None => None,
    }
}

/// A write under a condition is not tried again when nobody knows what came of it: had it been made,
/// its own condition would refuse the second try, and that would look as if somebody else had come
/// first.
fn once_unless_refused() -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::config::Config::builder().retry_classifier(NotAfterSilence)
}

/// Only an answer that refuses the call, which throttling is, says that nothing was made.
#[derive(Debug)]
struct NotAfterSilence;

impl ClassifyRetry for NotAfterSilence {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let refused = |status: u16| (400..500).contains(&status);
        match (context.output_or_error(), context.response()) {
            (Some(Ok(_)) | None, _) => RetryAction::NoActionIndicated,
            (Some(Err(_)), Some(response)) if refused(response.status().as_u16()) => {
                RetryAction::NoActionIndicated
            }
            (Some(Err(_)), _) => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "not after silence"
    }
}
