//! The SNS topic that alerts go to.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sns::Client;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use guardrail::cloud::{CallError, Telling};
use guardrail::history::Destination;
use guardrail::report::alert::{Alert, Attribute};

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

const OPERATION: &str = "Publish";

/// A topic to publish to.
#[derive(Debug, Clone)]
pub struct Topic {
    sns: Client,
    arn: String,
}

/// The topics that alerts go to, each by itself.
#[derive(Debug, Clone)]
pub struct Topics(Vec<Topic>);

impl Topics {
    /// The topics of these ARNs, which commas part.
    pub fn new(clients: &Clients, arns: &str) -> Self {
        let arns = arns.split(',').map(str::trim).filter(|arn| !arn.is_empty());
        Self(arns.map(|arn| Topic::new(clients, arn)).collect())
    }
}

impl Telling for Topics {
    fn destinations(&self) -> Vec<Destination> {
        self.0.iter().map(|topic| Destination::new(&topic.arn)).collect()
    }

    async fn tell(&self, destination: &Destination, alert: &Alert) -> Result<(), CallError> {
        match self.0.iter().find(|topic| topic.arn == destination.as_str()) {
            Some(topic) => topic.tell(alert).await.map(drop),
            None => Err(unreadable(
                OPERATION,
                "the topic is none of this function's; set `GUARDRAIL_TOPIC_ARN`",
            )),
        }
    }
}

/// What subscribers get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// All the same.
    Same(String),
    /// Each kind of subscriber its own.
    PerProtocol {
        /// For those not named.
        default: String,
        /// By SNS's name of the protocol: `email`, `sqs`, `lambda`, `https`.
        others: BTreeMap<&'static str, String>,
    },
}

impl Topic {
    /// The topic of this ARN.
    pub fn new(clients: &Clients, arn: &str) -> Self {
        Self { sns: Client::new(clients.config()), arn: arn.to_owned() }
    }

    /// Publishes an alert and returns its id: text to people, and the report as JSON to everything
    /// else. It is the default and not each of those protocols' own, because SNS counts every copy.
    ///
    /// # Errors
    /// When it was not accepted.
    pub async fn tell(&self, alert: &Alert) -> Result<String, CallError> {
        let others =
            BTreeMap::from([("email", alert.text.clone()), ("sms", alert.subject.clone())]);
        let body = Body::PerProtocol { default: alert.json.clone(), others };
        self.publish(&alert.subject, &body, &alert.attributes).await
    }

    /// Publishes one message and returns its id. SNS refuses a subject of 100 characters or more,
    /// or with a line break or control character in it, and a message of more than 262,144 bytes
    /// together with its attributes. An attribute with nothing in it is left out, because SNS
    /// refuses the whole message for it; a list is sent as such, so that a filter policy matches
    /// its members.
    ///
    /// # Errors
    /// When the message was not accepted.
    pub async fn publish(
        &self,
        subject: &str,
        body: &Body,
        attributes: &BTreeMap<impl AsRef<str>, Attribute>,
    ) -> Result<String, CallError> {
        let request = self.sns.publish().topic_arn(&self.arn).subject(subject);
        let request = match body {
            Body::Same(text) => request.message(text),
            Body::PerProtocol { default, others } => {
                let mut by_protocol: BTreeMap<&str, &str> =
                    others.iter().map(|(to, text)| (*to, text.as_str())).collect();
                by_protocol.insert("default", default);
                request
                    .message(serde_json::json!(by_protocol).to_string())
                    .message_structure("json")
            }
        };
        let made = attributes.iter().filter_map(|(name, value)| {
            message_attribute(value)
                .map(|value| value.map(|value| (name.as_ref().to_owned(), value)))
        });
        let attributes: Result<HashMap<String, MessageAttributeValue>, BuildError> = made.collect();
        let attributes = attributes.map_err(|error| unreadable(OPERATION, &error.to_string()))?;
        let request = request.set_message_attributes(Some(attributes));
        let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
        Ok(answer.message_id.unwrap_or_default())
    }
}

/// The attribute as SNS takes it; `None` where there is nothing in it.
fn message_attribute(value: &Attribute) -> Option<Result<MessageAttributeValue, BuildError>> {
    let (kind, text) = match value {
        Attribute::Text(text) if text.is_empty() => return None,
        Attribute::List(members) if members.is_empty() => return None,
        Attribute::Text(text) => ("String", text.clone()),
        Attribute::List(members) => ("String.Array", serde_json::json!(members).to_string()),
    };
    Some(MessageAttributeValue::builder().data_type(kind).string_value(text).build())
}
