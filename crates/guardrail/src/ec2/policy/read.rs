//! From JSON to a policy document: what the grammar allows, and nothing else.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::json::Json;
use super::{
    About, Effect, NotComparable, PolicyDocument, PrincipalKind, Statement, Variables, everybody,
};

type Read<T> = Result<T, NotComparable>;

/// Reads a whole document.
pub(super) fn document(json: Json) -> Read<PolicyDocument> {
    let Json::Object(entries) = json else {
        return Err(NotComparable::NotAnObject);
    };
    let mut policy = Elements::once_each(entries)?;
    let version = policy.label("Version")?;
    policy.label("Id")?;
    let written = policy.require("Statement")?;
    policy.end()?;

    let statements: BTreeSet<Statement> = match written {
        Json::List(items) if !items.is_empty() => {
            items.into_iter().map(statement).collect::<Read<_>>()?
        }
        one @ Json::Object(_) => BTreeSet::from([statement(one)?]),
        Json::List(_) | Json::Word(_) | Json::Unclear => {
            return Err(form("Statement", "a statement or a list of statements"));
        }
    };
    let variables = match version.as_deref() {
        None | Some("2008-10-17") => Variables::Literal,
        Some("2012-10-17") => Variables::Replaced,
        Some(_) => return Err(form("Version", "2008-10-17 or 2012-10-17")),
    };
    let matters = statements.iter().flat_map(Statement::words).any(|word| word.contains("${"));
    Ok(PolicyDocument { variables: matters.then_some(variables), statements })
}

fn statement(json: Json) -> Read<Statement> {
    let mut elements = Elements::of(json, "Statement")?;
    elements.label("Sid")?;
    // "The Effect value is case sensitive"
    // (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html).
    let effect = match elements.require("Effect")? {
        Json::Word(word) if word == "Allow" => Effect::Allow,
        Json::Word(word) if word == "Deny" => Effect::Deny,
        Json::Word(_) | Json::List(_) | Json::Object(_) | Json::Unclear => {
            return Err(form("Effect", "Allow or Deny"));
        }
    };
    let read = Statement {
        effect,
        principal: elements.about("Principal", "NotPrincipal", principal)?,
        action: elements.about("Action", "NotAction", |json| {
            let actions = words(json, "Action")?;
            Ok(actions.into_iter().map(|action| action.to_ascii_lowercase()).collect())
        })?,
        resource: elements.about("Resource", "NotResource", |json| words(json, "Resource"))?,
        condition: match elements.take("Condition") {
            Some(json) => condition(json)?,
            None => BTreeMap::new(),
        },
    };
    elements.end()?;
    Ok(read)
}

fn principal(json: Json) -> Read<BTreeMap<PrincipalKind, BTreeSet<String>>> {
    let mut written = match json {
        Json::Word(word) if word == "*" => return Ok(everybody()),
        map @ Json::Object(_) => Elements::of(map, "Principal")?,
        Json::Word(_) | Json::List(_) | Json::Unclear => {
            return Err(form("Principal", "`*` or a map of kinds of principals"));
        }
    };
    let mut kinds = BTreeMap::new();
    for kind in PrincipalKind::ALL {
        if let Some(names) = written.take(kind.word()) {
            kinds.insert(kind, words(names, kind.word())?);
        }
    }
    written.end()?;
    if kinds.is_empty() {
        return Err(form("Principal", "`*` or a map of kinds of principals"));
    }
    Ok(kinds)
}

/// "Context key names are not case-sensitive", and the key of a tag is part of the name
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html,
/// access_tags.html); an operator is, IAM refuses `stringEquals`. Whether a value is depends on the
/// operator: values are left as they are.
fn condition(json: Json) -> Read<BTreeMap<String, BTreeMap<String, BTreeSet<String>>>> {
    let mut operators = BTreeMap::new();
    for (operator, tested) in Elements::some(json, "Condition")?.0 {
        let mut keys = BTreeMap::new();
        for (key, values) in Elements::some(tested, &operator)?.0 {
            let values = words(values, &key)?;
            match keys.entry(key.to_ascii_lowercase()) {
                Entry::Vacant(place) => place.insert(values),
                Entry::Occupied(_) => return Err(NotComparable::Twice(key)),
            };
        }
        operators.insert(operator, keys);
    }
    Ok(operators)
}

/// The values of an element that takes a list: "If the element takes an array (marked with [ and ])
/// but only one value is included, the brackets are optional".
fn words(json: Json, element: &str) -> Read<BTreeSet<String>> {
    let one_word = |json| match json {
        Json::Word(word) => Ok(word),
        Json::List(_) | Json::Object(_) | Json::Unclear => Err(form(element, "a text")),
    };
    match json {
        Json::List(items) if !items.is_empty() => items.into_iter().map(one_word).collect(),
        Json::List(_) => Err(form(element, "a text or a list of at least one")),
        one @ (Json::Word(_) | Json::Object(_) | Json::Unclear) => {
            Ok(BTreeSet::from([one_word(one)?]))
        }
    }
}

/// What is left to read of an object.
struct Elements(BTreeMap<String, Json>);

impl Elements {
    fn of(json: Json, name: &str) -> Read<Self> {
        match json {
            Json::Object(entries) => Self::once_each(entries),
            Json::Word(_) | Json::List(_) | Json::Unclear => Err(form(name, "an object")),
        }
    }

    /// "Individual elements must not contain multiple instances of the same key."
    fn once_each(entries: Vec<(String, Json)>) -> Read<Self> {
        let mut elements = BTreeMap::new();
        for (key, value) in entries {
            match elements.entry(key) {
                Entry::Vacant(place) => place.insert(value),
                Entry::Occupied(place) => {
                    return Err(NotComparable::Twice(place.key().clone()));
                }
            };
        }
        Ok(Self(elements))
    }

    /// An object that is not empty: the grammar has no empty condition.
    fn some(json: Json, name: &str) -> Read<Self> {
        let elements = Self::of(json, name)?;
        if elements.0.is_empty() { Err(form(name, "an object with a key")) } else { Ok(elements) }
    }

    fn take(&mut self, key: &str) -> Option<Json> {
        self.0.remove(key)
    }

    fn require(&mut self, key: &'static str) -> Read<Json> {
        self.take(key).ok_or(NotComparable::Missing(key))
    }

    fn label(&mut self, key: &str) -> Read<Option<String>> {
        match self.take(key) {
            None => Ok(None),
            Some(Json::Word(word)) => Ok(Some(word)),
            Some(Json::List(_) | Json::Object(_) | Json::Unclear) => Err(form(key, "a text")),
        }
    }

    fn about<T>(
        &mut self,
        only: &'static str,
        all_but: &'static str,
        read: impl Fn(Json) -> Read<T>,
    ) -> Read<About<T>> {
        match (self.take(only), self.take(all_but)) {
            (Some(json), None) => read(json).map(About::Only),
            (None, Some(json)) => read(json).map(About::AllBut),
            (None, None) => Err(NotComparable::Missing(only)),
            (Some(_), Some(_)) => Err(NotComparable::BothForms(only)),
        }
    }

    fn end(self) -> Read<()> {
        self.0.into_keys().next().map_or(Ok(()), |key| Err(NotComparable::Unknown(key)))
    }
}

fn form(element: &str, wanted: &'static str) -> NotComparable {
    NotComparable::Form { element: element.to_owned(), wanted }
}
