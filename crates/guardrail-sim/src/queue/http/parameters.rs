//! What SQS's clients send, under SQS's names. A parameter that is not known here is refused, not
//! passed over.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::queue::{Attribute, Outgoing, Refusal, RefusalKind, no_queue};

/// Reads the parameters of a call.
pub(crate) fn read<T: DeserializeOwned>(action: &str, text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the simulated queues cannot read this {action}: {error}");
        Refusal::new(RefusalKind::UnsupportedOperation, message)
    })
}

/// The name at the end of a queue's URL, `http://HOST/ACCOUNT/NAME`; another account's queue does not
/// exist here.
pub(crate) fn queue<'a>(url: Option<&'a str>, account: &str) -> Result<&'a str, Refusal> {
    let url = url.ok_or_else(|| Refusal::missing("QueueUrl"))?;
    let (before, name) = url.rsplit_once('/').ok_or_else(no_queue)?;
    if before.rsplit('/').next() == Some(account) { Ok(name) } else { Err(no_queue()) }
}

/// A number as it came; what is out of every range is refused as what it then is.
pub(crate) fn number(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct SendMessage {
    pub(crate) queue_url: Option<String>,
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, MessageAttribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MessageAttribute {
    data_type: String,
    string_value: Option<String>,
}

impl From<SendMessage> for Outgoing {
    fn from(sent: SendMessage) -> Self {
        let attributes = sent.message_attributes.into_iter().map(|(name, attribute)| {
            let value = attribute.string_value.unwrap_or_default();
            (name, Attribute { data_type: attribute.data_type, value })
        });
        Self {
            body: sent.message_body.unwrap_or_default(),
            group: sent.message_group_id,
            deduplication_id: sent.message_deduplication_id,
            delay_seconds: sent.delay_seconds.map(number),
            attributes: attributes.collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct SendMessageBatch {
    pub(crate) queue_url: Option<String>,
    #[serde(default)]
    pub(crate) entries: Vec<SendEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct SendEntry {
    #[serde(default)]
    id: String,
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, MessageAttribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

impl SendEntry {
    pub(crate) fn outgoing(self) -> (String, Outgoing) {
        let sent = SendMessage {
            queue_url: None,
            message_body: self.message_body,
            delay_seconds: self.delay_seconds,
            message_attributes: self.message_attributes,
            message_deduplication_id: self.message_deduplication_id,
            message_group_id: self.message_group_id,
        };
        (self.id, sent.into())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ReceiveMessage {
    pub(crate) queue_url: Option<String>,
    #[serde(default)]
    pub(crate) attribute_names: Vec<String>,
    #[serde(default)]
    pub(crate) message_system_attribute_names: Vec<String>,
    #[serde(default)]
    pub(crate) message_attribute_names: Vec<String>,
    pub(crate) max_number_of_messages: Option<i64>,
    pub(crate) visibility_timeout: Option<i64>,
    pub(crate) wait_time_seconds: Option<i64>,
}

/// One receipt handle: of `DeleteMessage`, or of `ChangeMessageVisibility` with its time-out.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct OneMessage {
    pub(crate) queue_url: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

impl OneMessage {
    pub(crate) fn handle(&self) -> Result<&str, Refusal> {
        self.receipt_handle.as_deref().ok_or_else(|| Refusal::missing("ReceiptHandle"))
    }

    pub(crate) fn visibility(&self) -> Result<u32, Refusal> {
        self.visibility_timeout.map(number).ok_or_else(|| Refusal::missing("VisibilityTimeout"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct ManyMessages {
    pub(crate) queue_url: Option<String>,
    #[serde(default)]
    pub(crate) entries: Vec<HandleEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct HandleEntry {
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) receipt_handle: String,
    pub(crate) visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct QueueAttributes {
    pub(crate) queue_url: Option<String>,
    #[serde(default)]
    pub(crate) attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct QueueUrl {
    pub(crate) queue_name: Option<String>,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    pub(crate) owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct JustQueue {
    pub(crate) queue_url: Option<String>,
}
