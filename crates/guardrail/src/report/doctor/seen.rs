//! What the doctor saw: AWS's words, read once. A word that this version does not know is kept as
//! it is.

use std::fmt;

use crate::cloud::CallError;

/// A trail, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Whether it is logging.
    pub is_logging: Result<bool, CallError>,
    /// What it logs.
    pub selectors: Result<Vec<Selector>, CallError>,
}

/// One of the things that a trail logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// `EventSelector`.
    Basic {
        /// `IncludeManagementEvents`.
        management: bool,
        /// Whether `ReadWriteType` includes writes.
        writes: bool,
    },
    /// `AdvancedEventSelector`: all of its fields must fit.
    Advanced(Vec<FieldSelector>),
}

/// What a field of an advanced selector looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// `eventCategory`.
    EventCategory,
    /// `eventSource`.
    EventSource,
    /// `readOnly`.
    ReadOnly,
    /// Another one, by its name.
    Other(String),
}

impl From<String> for Field {
    fn from(name: String) -> Self {
        match name.as_str() {
            "eventCategory" => Self::EventCategory,
            "eventSource" => Self::EventSource,
            "readOnly" => Self::ReadOnly,
            _ => Self::Other(name),
        }
    }
}

/// A field of an advanced selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSelector {
    /// What it looks at.
    pub field: Field,
    /// `Equals`; empty when the selector says something else.
    pub equals: Vec<String>,
    /// `NotEquals`.
    pub not_equals: Vec<String>,
}

impl Selector {
    /// Whether EC2's writing calls are among what it logs. A field it is not known for certain to
    /// let through stops it
    /// (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html).
    pub(super) fn logs_ec2_writes(&self) -> bool {
        match self {
            Self::Basic { management, writes } => *management && *writes,
            Self::Advanced(fields) => {
                let lets_through = |field: &FieldSelector| match field.field {
                    Field::EventCategory => field.passes("Management"),
                    Field::ReadOnly => field.passes("false"),
                    Field::EventSource => field.passes("ec2.amazonaws.com"),
                    Field::Other(_) => false,
                };
                fields.iter().any(|field| field.field == Field::EventCategory)
                    && fields.iter().all(lets_through)
            }
        }
    }
}

impl FieldSelector {
    fn passes(&self, value: &str) -> bool {
        let is = |other: &String| other == value;
        (self.equals.iter().any(is) || self.equals.is_empty() && !self.not_equals.is_empty())
            && !self.not_equals.iter().any(is)
    }
}

/// What was seen of a part: nothing of that name, or this.
pub type Lookup<T> = Result<Option<T>, CallError>;

/// A rule: its name, its state, and what it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRule {
    /// Its name.
    pub name: String,
    /// Its state, where EventBridge says it.
    pub state: Option<RuleState>,
    /// Its targets.
    pub targets: Vec<Target>,
}

/// The table of a stack, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTable {
    /// Its name.
    pub name: String,
    /// Whether DynamoDB deletes what has expired.
    pub expires: Result<bool, CallError>,
    /// Whether point-in-time recovery is on.
    pub is_restorable: Result<bool, CallError>,
}

/// The state of a rule (docs.aws.amazon.com/eventbridge/latest/APIReference/API_Rule.html).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleState {
    /// `ENABLED`.
    Enabled,
    /// `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`: calls that only read are matched too.
    EnabledWithAllCloudTrailManagementEvents,
    /// `DISABLED`.
    Disabled,
    /// Another one, in EventBridge's word.
    Other(String),
}

impl From<&str> for RuleState {
    fn from(word: &str) -> Self {
        match word {
            "ENABLED" => Self::Enabled,
            "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => {
                Self::EnabledWithAllCloudTrailManagementEvents
            }
            "DISABLED" => Self::Disabled,
            _ => Self::Other(word.to_owned()),
        }
    }
}

impl fmt::Display for RuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enabled => "ENABLED",
            Self::EnabledWithAllCloudTrailManagementEvents => {
                "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
            }
            Self::Disabled => "DISABLED",
            Self::Other(word) => word,
        })
    }
}

/// What a rule calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A Lambda function, by its ARN.
    Function(String),
    /// Something else, by its ARN.
    Other(String),
}

impl From<String> for Target {
    /// A function's ARN is `arn:<partition>:lambda:<region>:<account>:function:<name>`.
    fn from(arn: String) -> Self {
        let mut parts = arn.split(':');
        match (parts.nth(2), parts.nth(2)) {
            (Some("lambda"), Some("function")) => Self::Function(arn),
            (_, _) => Self::Other(arn),
        }
    }
}

/// A subscription to the topic, as SNS lists it: in its ARN's place stands a word until there is
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscription {
    /// It has this ARN.
    Confirmed(String),
    /// `PendingConfirmation`.
    Pending,
    /// `Deleted`.
    Deleted,
    /// Another word.
    Other(String),
}

impl From<String> for Subscription {
    fn from(arn: String) -> Self {
        match arn.as_str() {
            "PendingConfirmation" => Self::Pending,
            "Deleted" => Self::Deleted,
            text if text.starts_with("arn:") => Self::Confirmed(arn),
            _ => Self::Other(arn),
        }
    }
}

impl Subscription {
    pub(super) fn is_confirmed(&self) -> bool {
        match self {
            Self::Confirmed(_) => true,
            Self::Pending | Self::Deleted | Self::Other(_) => false,
        }
    }
}
