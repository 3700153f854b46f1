//! What SQS looks at before it takes a message.

use super::message::{Attribute, Outgoing};
use super::refusal::{Refusal, RefusalKind};

/// "The maximum size is 1 MiB or 1,048,576 bytes", also of all messages of a batch together.
pub(crate) const LARGEST: usize = 1024 * 1024;
/// "A message can have up to 10 attributes."
const MOST_ATTRIBUTES: usize = 10;
const LONGEST_ID: usize = 128;

/// Which of the two kinds of queue it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Standard,
    Fifo,
}

impl Kind {
    /// "The name of a FIFO queue must end with the `.fifo` suffix."
    pub(crate) fn of(name: &str) -> Self {
        if name.ends_with(".fifo") { Self::Fifo } else { Self::Standard }
    }
}

/// What the message is as the queue keeps it.
pub(crate) fn accepted(
    kind: Kind,
    content_based: bool,
    mut outgoing: Outgoing,
) -> Result<Outgoing, Refusal> {
    body(&outgoing)?;
    outgoing.attributes.iter().try_for_each(|(name, value)| attribute(name, value))?;
    if outgoing.attributes.len() > MOST_ATTRIBUTES {
        let message = format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MOST_ATTRIBUTES}].",
            outgoing.attributes.len()
        );
        return Err(Refusal::new(RefusalKind::InvalidParameterValue, message));
    }
    identifier("MessageGroupId", outgoing.group.as_deref())?;
    identifier("MessageDeduplicationId", outgoing.deduplication_id.as_deref())?;
    match kind {
        Kind::Fifo => {
            if outgoing.group.is_none() {
                return Err(Refusal::missing("MessageGroupId"));
            }
            if let Some(delay) = outgoing.delay_seconds {
                return Err(wrong_kind("DelaySeconds", delay));
            }
            if outgoing.deduplication_id.is_none() && content_based {
                outgoing.deduplication_id =
                    Some(super::message::sha256_hex(outgoing.body.as_bytes()));
            }
            if outgoing.deduplication_id.is_none() {
                return Err(Refusal::new(
                    RefusalKind::InvalidParameterValue,
                    "The queue should either have ContentBasedDeduplication enabled or \
                     MessageDeduplicationId provided explicitly",
                ));
            }
        }
        Kind::Standard => {
            if let Some(id) = &outgoing.deduplication_id {
                return Err(wrong_kind("MessageDeduplicationId", id));
            }
            if let Some(delay) = outgoing.delay_seconds.filter(|delay| *delay > 900) {
                let reason = "DelaySeconds must be >= 0 and <= 900.";
                return Err(Refusal::value("DelaySeconds", delay, reason));
            }
        }
    }
    Ok(outgoing)
}

/// The size that counts: the body, and the name, data type and value of each attribute.
pub(crate) fn size(outgoing: &Outgoing) -> usize {
    let attributes = outgoing.attributes.iter();
    let attributes = attributes.map(|(name, it)| name.len() + it.data_type.len() + it.value.len());
    outgoing.body.len().saturating_add(attributes.sum())
}

fn wrong_kind(parameter: &str, value: impl std::fmt::Display) -> Refusal {
    let reason = "The request include parameter that is not valid for this queue type.";
    Refusal::value(parameter, value, reason)
}

fn body(outgoing: &Outgoing) -> Result<(), Refusal> {
    if outgoing.body.is_empty() {
        return Err(Refusal::missing("MessageBody"));
    }
    if size(outgoing) > LARGEST {
        let message = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {LARGEST} bytes."
        );
        return Err(Refusal::new(RefusalKind::InvalidParameterValue, message));
    }
    match outgoing.body.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some(c) => Err(Refusal::new(
            RefusalKind::InvalidMessageContents,
            format!(
                "Invalid binary character '#x{:X}' was found in the message body.",
                u32::from(c)
            ),
        )),
    }
}

/// "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF".
fn is_allowed(c: char) -> bool {
    matches!(c, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// "Can contain up to 128 alphanumeric characters and punctuation."
fn identifier(parameter: &str, text: Option<&str>) -> Result<(), Refusal> {
    let Some(text) = text else { return Ok(()) };
    let is_good =
        (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_good {
        return Ok(());
    }
    let reason = format!(
        "{parameter} can only include alphanumeric and punctuation characters. 1 to {LONGEST_ID} in length."
    );
    Err(Refusal::value(parameter, text, &reason))
}

fn attribute(name: &str, attribute: &Attribute) -> Result<(), Refusal> {
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    let problem = match kind {
        "String" | "Number" if !attribute.value.is_empty() => return Ok(()),
        "String" | "Number" => "must contain a non-empty value",
        _ => "has a data type other than String and Number",
    };
    let message = format!("The message attribute '{name}' {problem}.");
    Err(Refusal::new(RefusalKind::InvalidParameterValue, message))
}
