//! What an endpoint's policy lets through: everything, or perhaps not what this client wants.

use std::cell::RefCell;
use std::collections::BTreeMap;

use guardrail::ec2::id::EndpointId;
use guardrail::ec2::world::World;
use serde_json::Value;

/// The policy of an endpoint; `None` where it has none, which lets everything through.
pub(crate) fn of<'w>(world: &'w World, id: &EndpointId) -> Option<&'w str> {
    let mut all = world.vpc_endpoints.iter().flatten();
    all.find(|endpoint| endpoint.vpc_endpoint_id == *id)?.policy_document.as_deref()
}

/// Whether one statement allows everything to everybody and none denies anything.
pub(crate) fn allows_all(text: &str) -> bool {
    thread_local! {
        static KNOWN: RefCell<BTreeMap<String, bool>> = const { RefCell::new(BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| match known.get(text) {
        Some(answer) => *answer,
        None => {
            let answer = judge(text);
            known.insert(text.to_owned(), answer);
            answer
        }
    })
}

fn judge(text: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(text) else { return false };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    };
    let star = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text == "*",
        Some(Value::Array(list)) => list.iter().any(|item| item == "*"),
        _ => false,
    };
    let principal = |value: Option<&Value>| {
        star(value) || value.and_then(|map| map.get("AWS")).is_some_and(|aws| star(Some(aws)))
    };
    let allows = |statement: &Value| {
        statement.get("Effect").is_some_and(|effect| effect == "Allow")
            && principal(statement.get("Principal"))
            && star(statement.get("Action"))
            && star(statement.get("Resource"))
            && statement.get("Condition").is_none()
    };
    let denies = |statement: &Value| statement.get("Effect").is_none_or(|effect| effect != "Allow");
    statements.iter().any(allows) && !statements.iter().any(denies)
}
