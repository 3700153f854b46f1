//! Policy documents in the one form that all spellings of a policy share, and its digest.
//!
//! The form follows the grammar of IAM's policy language
//! (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html). It is a form of the
//! text, not a proof about requests: `["s3:*"]` and `["s3:*", "s3:Get*"]` allow the same and are
//! two documents here.

mod digest;
mod json;
mod placeholder;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

pub use self::digest::PolicyDigest;
use self::json::Json;
pub use self::placeholder::Placeholder;
use crate::ec2::id::AccountId;
use crate::ec2::partition::Partition;

/// A policy document in canonical form: without `Id` and `Sid`, everything whose order means
/// nothing in order and once, one value as a list of one, what is case-insensitive in lower case.
/// Account ids stay as they are written until [`PolicyDocument::in_partition`], so two documents
/// are compared by that or by their digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    variables: Option<Variables>,
    statements: BTreeSet<Statement>,
}

/// What `${…}` means in a document that has one; it is all that `Version` decides
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variables {
    /// The text as it stands, in version 2008-10-17, which is also the one that is left out.
    Literal,
    /// A value of the request, in version 2012-10-17.
    Replaced,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// Whether the statement allows or denies.
    pub effect: Effect,
    /// Whom it is about: each kind of principal with its names; `"*"` is `{"AWS": ["*"]}`.
    pub principal: About<BTreeMap<PrincipalKind, BTreeSet<String>>>,
    /// The actions it is about, in lower case: neither service prefix nor name has a case
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html).
    pub action: About<BTreeSet<String>>,
    /// The resources it is about.
    pub resource: About<BTreeSet<String>>,
    /// The conditions: by operator, which has a case, and by key, which has none.
    pub condition: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// What a statement does to the requests that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It allows them.
    Allow,
    /// It denies them, whatever else allows them.
    Deny,
}

/// The kinds of principal that the grammar knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// Accounts, users, roles and sessions; `*` is everybody.
    Aws,
    /// Users of S3, by canonical id.
    CanonicalUser,
    /// Identity providers.
    Federated,
    /// AWS's services.
    Service,
}

impl PrincipalKind {
    const ALL: [Self; 4] = [Self::Aws, Self::CanonicalUser, Self::Federated, Self::Service];

    fn word(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::CanonicalUser => "CanonicalUser",
            Self::Federated => "Federated",
            Self::Service => "Service",
        }
    }
}

/// An element in its positive form or in its `Not…` form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About<T> {
    /// What the element names: `Action`.
    Only(T),
    /// Everything that the element does not name: `NotAction`.
    AllBut(T),
}

impl<T> About<T> {
    fn named(&self) -> &T {
        match self {
            Self::Only(named) | Self::AllBut(named) => named,
        }
    }

    fn map(&self, change: impl Fn(&T) -> T) -> Self {
        match self {
            Self::Only(named) => Self::Only(change(named)),
            Self::AllBut(named) => Self::AllBut(change(named)),
        }
    }

    fn key(&self, only: &'static str, all_but: &'static str) -> &'static str {
        match self {
            Self::Only(_) => only,
            Self::AllBut(_) => all_but,
        }
    }
}

/// Why a policy cannot be compared with another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotComparable {
    /// The text is no JSON.
    #[error("the policy is not JSON ({0})")]
    NotJson(String),
    /// The text is JSON, but no object.
    #[error("the policy is not an object with `Statement`")]
    NotAnObject,
    /// An element has a value that the grammar does not allow there.
    #[error("`{element}` in the policy is not {wanted}")]
    Form {
        /// The element, or the condition's operator or key.
        element: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A key stands twice in one object, and which of the two counts is not said anywhere.
    #[error("`{0}` stands twice in one object of the policy")]
    Twice(String),
    /// A key that the grammar does not have there.
    #[error("`{0}` is not an element of IAM's policy language at its place in the policy")]
    Unknown(String),
    /// An element that the grammar wants is not there.
    #[error("the policy has no `{0}` where there must be one")]
    Missing(&'static str),
    /// An element is there in both forms.
    #[error("a statement of the policy has both `{0}` and `Not{0}`")]
    BothForms(&'static str),
    /// An element says what the statement is not about; whether that is the same as some positive
    /// form depends on all that there is.
    #[error("the policy has `{0}`, which cannot be compared with a list of what is meant")]
    Negated(&'static str),
}

impl PolicyDocument {
    /// Reads a document as AWS prints it in `PolicyDocument`.
    ///
    /// # Errors
    /// When it is not written in IAM's policy language, or leaves open what it means.
    pub fn parse(text: &str) -> Result<Self, NotComparable> {
        let json: Json = serde_json::from_str(text)
            .map_err(|error| NotComparable::NotJson(error.to_string()))?;
        read::document(json)
    }

    /// Reads a document that was read as JSON before. Keys that stood twice can no longer be seen.
    ///
    /// # Errors
    /// As [`PolicyDocument::parse`].
    pub fn from_value(value: &Value) -> Result<Self, NotComparable> {
        let json =
            Json::deserialize(value).map_err(|error| NotComparable::NotJson(error.to_string()))?;
        read::document(json)
    }

    /// The statements, in a fixed order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter()
    }

    /// The first `Not…` element of the document, if it has one.
    pub fn negation(&self) -> Option<&'static str> {
        self.statements.iter().find_map(Statement::negation)
    }

    /// The document with account ids as the ARNs that they stand for: "The account ARN and the
    /// shortened account ID behave the same way"
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
    #[must_use]
    pub fn in_partition(&self, partition: Partition) -> Self {
        let statements = self.statements.iter().map(|statement| statement.in_partition(partition));
        Self { variables: self.variables, statements: statements.collect() }
    }

    /// The statements, to be replaced by others of the same document.
    fn with_statements(&self, change: impl Fn(&Statement) -> Statement) -> Self {
        let statements = self.statements.iter().map(change).collect();
        Self { variables: self.variables, statements }
    }

    /// The digest of the document in this partition.
    pub fn digest(&self, partition: Partition) -> PolicyDigest {
        PolicyDigest::of_text(&self.in_partition(partition).to_json().to_string())
    }

    /// The canonical form as a policy. Objects are filled in the order of their keys, so that the
    /// text is the same whether or not the library sorts them.
    fn to_json(&self) -> Value {
        let statements: Vec<Value> = self.statements.iter().map(Statement::to_json).collect();
        match self.variables {
            None => json!({ "Statement": statements }),
            Some(Variables::Literal) => {
                json!({ "Statement": statements, "Version": "2008-10-17" })
            }
            Some(Variables::Replaced) => {
                json!({ "Statement": statements, "Version": "2012-10-17" })
            }
        }
    }
}

impl Statement {
    fn negation(&self) -> Option<&'static str> {
        if let About::AllBut(_) = self.principal {
            Some("NotPrincipal")
        } else if let About::AllBut(_) = self.action {
            Some("NotAction")
        } else if let About::AllBut(_) = self.resource {
            Some("NotResource")
        } else {
            None
        }
    }

    fn in_partition(&self, partition: Partition) -> Self {
        let full = |name: &String| {
            if AccountId::is(name) {
                format!("arn:{partition}:iam::{name}:root")
            } else {
                name.clone()
            }
        };
        let principal = self.principal.map(|kinds| {
            let mut kinds = kinds.clone();
            if let Some(names) = kinds.get_mut(&PrincipalKind::Aws) {
                *names = names.iter().map(full).collect();
            }
            kinds
        });
        Self { principal, ..self.clone() }
    }

    fn to_json(&self) -> Value {
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let mut elements = BTreeMap::from([
            ("Effect", json!(effect)),
            (self.principal.key("Principal", "NotPrincipal"), principal(self.principal.named())),
            (self.action.key("Action", "NotAction"), json!(self.action.named())),
            (self.resource.key("Resource", "NotResource"), json!(self.resource.named())),
        ]);
        if !self.condition.is_empty() {
            elements.insert("Condition", json!(self.condition));
        }
        json!(elements)
    }

    /// The texts of the statement in which `${…}` may stand.
    fn words(&self) -> impl Iterator<Item = &String> {
        let principals = self.principal.named().values().flatten();
        let conditions = self.condition.values().flatten();
        principals
            .chain(self.action.named())
            .chain(self.resource.named())
            .chain(conditions.flat_map(|(key, values)| std::iter::once(key).chain(values)))
    }
}

/// Everybody is `"*"`, the only principal that a gateway endpoint's policy may name
/// (docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html).
fn principal(kinds: &BTreeMap<PrincipalKind, BTreeSet<String>>) -> Value {
    if *kinds == everybody() {
        return json!("*");
    }
    let by_word: BTreeMap<&str, _> =
        kinds.iter().map(|(kind, names)| (kind.word(), names)).collect();
    json!(by_word)
}

/// What `"*"` stands for as a principal: "the following elements are equivalent", it and
/// `{"AWS": "*"}`
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
fn everybody() -> BTreeMap<PrincipalKind, BTreeSet<String>> {
    BTreeMap::from([(PrincipalKind::Aws, BTreeSet::from(["*".to_owned()]))])
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(output)
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        read::document(Json::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PolicyDocument {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PolicyDocument".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A policy document in IAM's policy language, with a principal in each \
                            statement.",
            "type": "object",
            "required": ["Statement"]
        })
    }
}

#[cfg(test)]
mod spellings;
#[cfg(test)]
mod tests;
