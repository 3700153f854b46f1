//! The pattern of the rule in `template.yaml`, against the event table: it is written there as the
//! table says, and it matches what the code acts on. How a pattern matches is told again here, as
//! far as this one needs it
//! (docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's helpers stop the test as the test does"
)]
#![expect(clippy::disallowed_methods, reason = "a test reads its files")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use guardrail::ec2::resource_id::{ResourceId, ResourceKind};
use guardrail::event::{Names, TABLE, Watch, decode};
use serde_json::{Value, json};

fn workspace() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    crates.expect("the crate is in crates/").to_owned()
}

/// A prefix of the ids of one kind: `vpc-`.
fn prefix(kind: ResourceKind) -> &'static str {
    let prefix = match kind {
        ResourceKind::Vpc => "vpc-",
        ResourceKind::Subnet => "subnet-",
        ResourceKind::RouteTable => "rtb-",
        ResourceKind::Endpoint => "vpce-",
        ResourceKind::SecurityGroup => "sg-",
        ResourceKind::Interface
        | ResourceKind::NatGateway
        | ResourceKind::PrefixList
        | ResourceKind::NetworkAcl
        | ResourceKind::Instance
        | ResourceKind::Association
        | ResourceKind::InternetGateway
        | ResourceKind::EgressOnlyInternetGateway
        | ResourceKind::OtherGateway
        | ResourceKind::OtherAssociation => "",
    };
    let id = ResourceId::read(&format!("{prefix}0a1b2c3d4e5f60718"));
    let id = id.expect("a kind whose prefix is written above");
    assert_eq!(id.kind(), kind);
    prefix
}

fn names(of: impl Fn(&&Watch) -> bool) -> Vec<&'static str> {
    let mut names: Vec<&str> = TABLE.iter().filter(of).map(|row| row.name).collect();
    names.sort_unstable();
    names
}

/// What the rule must match, by the table.
fn wanted() -> Value {
    let on_anything: Vec<&Watch> =
        TABLE.iter().filter(|row| row.names == Names::AnyThings).collect();
    let kinds = on_anything.first().expect("calls on tags").look_up;
    assert!(on_anything.iter().all(|row| row.look_up == kinds), "one pattern serves for them all");
    let mut ids: Vec<Value> = kinds.iter().map(|kind| json!({ "prefix": prefix(*kind) })).collect();
    ids.push(json!({ "exists": false }));
    json!({
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["ec2.amazonaws.com"],
            "errorCode": [{ "exists": false }],
            "$or": [
                { "eventName": names(|row| row.names != Names::AnyThings) },
                {
                    "eventName": names(|row| row.names == Names::AnyThings),
                    "requestParameters": { "resourcesSet": { "items": { "resourceId": ids } } },
                },
            ],
        },
    })
}

/// The lines of the template that say it, as its style has them.
fn lines() -> String {
    let wanted = wanted();
    let mut text = String::from("              detail:\n");
    let indent = " ".repeat(16);
    text += &format!("{indent}eventSource: [ec2.amazonaws.com]\n");
    text += &format!("{indent}errorCode: [{{ exists: false }}]\n{indent}$or:\n");
    let list = |pointer: &str| wanted.pointer(pointer).unwrap().as_array().unwrap().clone();
    for (at, branch) in list("/detail/$or").iter().enumerate() {
        let _ = writeln!(text, "{indent}  - eventName:");
        for name in list(&format!("/detail/$or/{at}/eventName")) {
            let _ = writeln!(text, "{indent}      - {}", name.as_str().unwrap());
        }
        if branch.get("requestParameters").is_none() {
            continue;
        }
        for (depth, key) in
            ["requestParameters", "resourcesSet", "items", "resourceId"].iter().enumerate()
        {
            let _ = writeln!(text, "{indent}    {}{key}:", "  ".repeat(depth));
        }
        let ids = format!("/detail/$or/{at}/requestParameters/resourcesSet/items/resourceId");
        for id in list(&ids) {
            let said = match id.get("prefix") {
                Some(prefix) => format!("prefix: {}", prefix.as_str().unwrap()),
                None => "exists: false".to_owned(),
            };
            let _ = writeln!(text, "{indent}            - {{ {said} }}");
        }
    }
    text
}

#[test]
fn the_template_has_the_pattern_that_the_table_asks_for() {
    let template = std::fs::read_to_string(workspace().join("template.yaml")).unwrap();
    let expected = lines();
    let start = template.find("              detail:\n").expect("one pattern in the template");
    let mut found = template.get(start..).unwrap_or_default().lines();
    for (found, expected) in found.clone().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert!(template.contains(&expected));
    let after = found.nth(expected.lines().count()).unwrap_or_default();
    assert!(after.trim_start().starts_with('#'), "the pattern goes on with {after:?}");
    assert!(
        template.contains(
            "              source: [aws.ec2]\n              detail-type: [AWS API Call via CloudTrail]\n              detail:\n"
        )
    );
}

/// EventBridge takes so many characters
/// (docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html).
#[test]
fn the_pattern_is_not_too_long() {
    let length = wanted().to_string().len();
    assert!(length < 2048, "{length}");
}

/// The leaves of an event under a path: those in all elements of a list.
fn leaves<'e>(event: &'e Value, path: &[&str], found: &mut Vec<&'e Value>) {
    match (event, path) {
        (Value::Array(items), _) => items.iter().for_each(|item| leaves(item, path, found)),
        (Value::Object(fields), [key, rest @ ..]) => {
            if let Some(field) = fields.get(*key) {
                leaves(field, rest, found);
            }
        }
        (Value::Object(_), []) => {}
        (leaf, []) => found.push(leaf),
        (_, [_, ..]) => {}
    }
}

fn matches(pattern: &Value, event: &Value, path: &mut Vec<String>) -> bool {
    pattern.as_object().unwrap().iter().all(|(key, value)| {
        if key == "$or" {
            let branches = value.as_array().unwrap();
            return branches.iter().any(|branch| matches(branch, event, path));
        }
        path.push(key.clone());
        let is_met = match value {
            Value::Array(wanted) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                let mut found = Vec::new();
                leaves(event, &path, &mut found);
                wanted.iter().any(|wanted| is_met(wanted, &found))
            }
            Value::Object(_) => matches(value, event, path),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        };
        path.pop();
        is_met
    })
}

fn is_met(wanted: &Value, found: &[&Value]) -> bool {
    if *wanted == json!({ "exists": false }) {
        return found.is_empty();
    }
    match wanted["prefix"].as_str() {
        Some(prefix) => {
            found.iter().any(|leaf| leaf.as_str().is_some_and(|leaf| leaf.starts_with(prefix)))
        }
        None => found.contains(&wanted),
    }
}

fn is_delivered(event: &Value) -> bool {
    matches(&wanted(), event, &mut Vec::new())
}

#[test]
fn what_the_code_acts_on_is_delivered_and_nothing_else() {
    let files = std::fs::read_dir(workspace().join("events")).unwrap();
    let (mut acted_on, mut others) = (0, 0);
    for file in files {
        let path = file.unwrap().path();
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let acts = decode(&event).unwrap().trigger().is_some();
        assert_eq!(is_delivered(&event), acts, "{}", path.display());
        if acts { acted_on += 1 } else { others += 1 }
    }
    assert!(acted_on > 50 && others >= 5, "{acted_on} and {others}");
}

/// A call on tags as CloudTrail records it.
fn tagging(name: &str, request: Value) -> Value {
    json!({
        "source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail",
        "detail": {"eventName": name, "eventSource": "ec2.amazonaws.com", "requestParameters": request},
    })
}

#[test]
fn a_call_on_tags_is_delivered_for_any_one_thing_that_matters() {
    for name in names(|row| row.names == Names::AnyThings) {
        let on = |ids: &[&str]| {
            let items: Vec<Value> = ids.iter().map(|id| json!({ "resourceId": id })).collect();
            tagging(name, json!({"resourcesSet": {"items": items}, "tagSet": {}}))
        };
        let others = ["i-0a1b2c3d4e5f60081", "vol-0a1b2c3d4e5f60081", "eni-0a1b2c3d4e5f60081"];
        assert!(!is_delivered(&on(&others)));
        for kind in ["vpc-", "subnet-", "rtb-", "vpce-", "sg-"] {
            let id = format!("{kind}0a1b2c3d4e5f60718");
            let event = on(&[others.as_slice(), &[&id]].concat());
            assert!(is_delivered(&event) && decode(&event).unwrap().trigger().is_some(), "{id}");
        }
    }
}

/// Who takes a thousand tags away at once must not pass by.
#[test]
fn a_call_on_tags_of_which_the_request_is_left_out_is_delivered() {
    for left_out in [json!(null), json!({}), json!({"omitted": true}), json!({"resourcesSet": {}})]
    {
        let event = tagging("DeleteTags", left_out.clone());
        assert!(is_delivered(&event), "{left_out}");
        assert!(decode(&event).unwrap().trigger().is_some(), "{left_out}");
    }
}
