//! Our own events against their expected lines and the event table, real records where they are at
//! hand, and anything at all against the promise that reading never panics.
//!
//! After a change of `events/` or of what is read from them: `UPDATE_EXPECT=1 cargo test -p
//! guardrail --test events`, then read the difference.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's helpers stop the test as the test does"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads its files, and may be told to write them"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use guardrail::ec2::resource_id::ResourceId;
use guardrail::event::{Evidence, Reach, decode, parse, watched_names};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

/// Files of calls that must not be watched: other services' calls of a watched name, and two that
/// no row has.
const UNWATCHED: [&str; 5] = [
    "CreateRoute.appmesh",
    "CreateTags.elasticfilesystem",
    "CreateVpcEndpoint.opensearch",
    "DescribeVpcs",
    "ListKeys.network-activity",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the crate is in crates/")
        .to_owned()
}

/// The JSON files of a folder by their names without `.json`, in order.
fn json_files(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder)
        .expect("a folder of JSON files")
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn events() -> BTreeMap<String, String> {
    json_files(&workspace().join("events"))
}

fn only(text: &str) -> Evidence {
    let [evidence] = <[Evidence; 1]>::try_from(parse(text).unwrap()).expect("one record");
    evidence
}

fn event_of(file: &str) -> &str {
    file.split('.').next().unwrap()
}

fn reach(evidence: &Evidence) -> Value {
    match evidence.trigger().map(|trigger| trigger.reach) {
        Some(Reach::Vpcs(vpcs)) => json!({ "vpcs": vpcs }),
        Some(Reach::Resolve(ids)) => json!({ "resolve": ids }),
        Some(Reach::AllManaged) => json!("all managed"),
        Some(Reach::Comparison) => json!("one comparison"),
        None => json!(null),
    }
}

#[test]
fn every_event_decodes_to_its_expected_line() {
    let mut lines = String::new();
    for (file, text) in events() {
        let evidence = only(&text);
        let record = serde_json::to_string(&evidence.record).unwrap();
        let tagging = evidence
            .tagging
            .as_ref()
            .map(|tagging| format!(",\"tagging\":{}", serde_json::to_string(tagging).unwrap()));
        lines += &format!(
            "{{\"file\":\"{file}\",\"reach\":{},\"record\":{record}{}}}\n",
            reach(&evidence),
            tagging.unwrap_or_default()
        );
    }
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events.expected.jsonl");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&expected, &lines).unwrap();
    }
    let expected = std::fs::read_to_string(expected).expect("run with UPDATE_EXPECT=1 to write it");
    for (line, expected) in lines.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(lines.lines().count(), expected.lines().count(), "events and expected lines");
}

#[test]
fn every_row_has_an_event_and_every_event_a_row() {
    let files = events();
    let watched: BTreeSet<&str> = watched_names().collect();
    let with_a_file: BTreeSet<&str> = files
        .keys()
        .map(String::as_str)
        .filter(|file| !UNWATCHED.contains(file))
        .map(event_of)
        .collect();
    assert_eq!(
        with_a_file, watched,
        "names of the files in events/ (left) and rows of the table (right)"
    );
    for (file, text) in &files {
        let record = only(text).record;
        assert_eq!(record.event, event_of(file), "{file}");
        assert_eq!(record.watched, !UNWATCHED.contains(&file.as_str()), "{file}");
    }
}

#[test]
fn events_are_envelopes_of_a_documentation_account_and_documentation_addresses() {
    for (file, text) in events() {
        let envelope: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(envelope["account"], "111122223333", "{file}");
        assert_eq!(envelope["region"], "eu-central-1", "{file}");
        assert_eq!(envelope["time"], envelope["detail"]["eventTime"], "{file}");
        let source = envelope["detail"]["sourceIPAddress"].as_str().unwrap();
        let is_invented =
            ["203.0.113.", "198.51.100.", "10.20."].iter().any(|net| source.starts_with(net));
        assert!(
            is_invented || source.ends_with(".amazonaws.com") || source == "AWS Internal",
            "{file}: {source}"
        );
    }
}

/// The ids in the text of a request and response, found without regard to their structure: what
/// stands between quotes, or after the last slash of an ARN there, and is a known prefix once the
/// hexadecimal digits at its end are cut off.
fn ids_in_text(text: &str) -> BTreeSet<String> {
    const PREFIXES: &str = "vpc- subnet- rtb- rtbassoc- eipassoc- aclassoc- iip-assoc- vpc-cidr-assoc- subnet-cidr-assoc- \
                            vpce- nat- igw- eigw- vgw- tgw- lgw- cagw- eni- i- sg- pl- acl-";
    let mut found = BTreeSet::new();
    for quoted in text.split('"') {
        let id = if quoted.starts_with("arn:") {
            quoted.split('/').next_back().unwrap()
        } else {
            quoted
        };
        let prefix = id.trim_end_matches(|c: char| matches!(c, '0'..='9' | 'a'..='f'));
        let digits = id.len() - prefix.len();
        if PREFIXES.split_whitespace().any(|known| known == prefix) && (8..=32).contains(&digits) {
            found.insert(id.to_owned());
        }
    }
    found
}

/// The person from ARNs, where the decoder reads the other fields: a scrubbed role ARN may lack its
/// session.
fn person_by_arn(identity: &Value) -> Option<String> {
    let arn = identity["arn"].as_str()?;
    match identity["type"].as_str()? {
        "IAMUser" => {
            arn.rsplit_once('/').map(|(_, user)| user.to_owned()).or_else(|| Some(arn.to_owned()))
        }
        "AssumedRole" => {
            let issuer =
                identity.pointer("/sessionContext/sessionIssuer/arn").and_then(Value::as_str);
            let Some(role) = issuer.and_then(|arn| arn.rsplit('/').next()) else {
                return arn
                    .split_once('/')
                    .map(|(_, role_and_session)| role_and_session.to_owned());
            };
            identity["principalId"]
                .as_str()?
                .rsplit(':')
                .next()
                .map(|session| format!("{role}/{session}"))
        }
        "Root" => arn.split(':').nth(4).map(|account| format!("root of {account}")),
        _ => None,
    }
}

fn check_independently(file: &str, value: &Value, evidence: &Evidence) {
    let raw = value.get("detail").unwrap_or(value);
    let record = &evidence.record;
    let found = ids_in_text(&format!("{} {}", raw["requestParameters"], raw["responseElements"]));
    let ids: Vec<&str> = record.resource_ids.iter().map(ResourceId::as_str).collect();
    assert_eq!(ids, found.iter().map(String::as_str).collect::<Vec<_>>(), "{file}");
    let vpcs: Vec<&str> = record.vpc_ids.iter().map(|id| id.as_str()).collect();
    let is_vpc = |id: &&str| id.starts_with("vpc-") && !id.starts_with("vpc-cidr-");
    assert_eq!(vpcs, ids.into_iter().filter(is_vpc).collect::<Vec<_>>(), "{file}");
    if let Some(person) = person_by_arn(&raw["userIdentity"]) {
        let service =
            raw["userIdentity"]["invokedBy"].as_str().filter(|by| !by.starts_with("signin."));
        let actor = service.map_or(person.clone(), |service| format!("{person} via {service}"));
        assert_eq!(record.actor, actor, "{file}");
    }
    assert_eq!(record.failed, raw["errorCode"].is_string(), "{file}");
    assert_eq!(record.event, raw["eventName"], "{file}");
    assert_eq!(record.event_id.as_deref(), raw["eventID"].as_str(), "{file}");
    assert_eq!(record.source_ip.as_deref(), raw["sourceIPAddress"].as_str(), "{file}");
    assert_eq!(evidence.request_id.as_deref(), raw["requestID"].as_str(), "{file}");
    let issuer = &raw["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"];
    assert_eq!(evidence.session_issuer.as_deref(), issuer.as_str(), "{file}");
}

#[test]
fn our_events_agree_with_an_independent_reading() {
    for (file, text) in events() {
        check_independently(&file, &serde_json::from_str(&text).unwrap(), &only(&text));
    }
}

#[test]
fn real_records_are_all_read_and_agree_with_an_independent_reading() {
    let folder = workspace().join("../shared/cloudtrail");
    if !folder.exists() {
        eprintln!("no real records beside this clone; nothing to compare with");
        return;
    }
    let files = json_files(&folder);
    assert!(files.len() > 100, "only {} real records", files.len());
    for (file, text) in &files {
        let evidence = only(text);
        check_independently(file, &serde_json::from_str(text).unwrap(), &evidence);
        let foreign = file.starts_with("appmesh-") || file.starts_with("NetworkActivity-");
        let named = watched_names().any(|name| name == evidence.record.event);
        assert_eq!(evidence.record.watched, named && !foreign, "{file}");
        if !evidence.record.watched || evidence.record.failed {
            assert_eq!(evidence.trigger(), None, "{file}");
        }
    }
}

/// What a value may turn into.
fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!("")),
        Just(json!({})),
        Just(json!([])),
        Just(json!({"items": [{"item": "vpc-0a1b2c3d4e5f60000"}]})),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "(arn:aws:ec2:.{0,9}/)?(vpc|rtb|vpce|vpc-cidr-assoc)-[0-9a-g]{0,40}".prop_map(Value::from),
    ]
}

/// How many values there are in `value`, itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => fields.values().map(size).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The value at a place in `value`, counted as `size` does.
fn nth(value: &mut Value, place: usize) -> Option<&mut Value> {
    let Some(mut left) = place.checked_sub(1) else { return Some(value) };
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    };
    for child in children {
        let size = size(child);
        if left < size {
            return nth(child, left);
        }
        left -= size;
    }
    None
}

#[derive(Debug, Clone)]
enum Mutation {
    /// Another value in a place.
    Retype(Index, Value),
    /// A field less in the first object at or after a place.
    Delete(Index),
    /// The values of two places changed for each other.
    Swap(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), anything()).prop_map(|(place, to)| Mutation::Retype(place, to)),
        any::<Index>().prop_map(Mutation::Delete),
        (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Mutation::Swap(one, other)),
    ]
}

fn mutate(value: &mut Value, mutation: &Mutation) {
    let size = size(value);
    match mutation {
        Mutation::Retype(place, to) => *nth(value, place.index(size)).unwrap() = to.clone(),
        Mutation::Delete(place) => {
            let object = (place.index(size)..size)
                .find(|at| nth(value, *at).is_some_and(|value| value.is_object()));
            if let Some(Value::Object(fields)) = object.and_then(|at| nth(value, at))
                && !fields.is_empty()
            {
                let key = fields.keys().nth(place.index(fields.len())).unwrap().clone();
                fields.remove(&key);
            }
        }
        Mutation::Swap(one, other) => {
            let (first, second) =
                (one.index(size).min(other.index(size)), one.index(size).max(other.index(size)));
            let (at_first, at_second) =
                (nth(value, first).unwrap().clone(), nth(value, second).unwrap().clone());
            // The second goes first: it may stand inside the first, which then takes its place
            // whole.
            *nth(value, second).unwrap() = at_first;
            *nth(value, first).unwrap() = at_second;
        }
    }
}

/// Our events, read once for all cases.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| events().into_values().collect());

fn keeps_its_promises(evidence: &Evidence) -> Result<(), TestCaseError> {
    let ids = &evidence.record.resource_ids;
    prop_assert!(ids.is_sorted_by(|a, b| a.as_str() < b.as_str()));
    prop_assert!(
        evidence.record.vpc_ids.iter().all(|vpc| ids.iter().any(|id| id.as_str() == vpc.as_str()))
    );
    prop_assert_eq!(evidence.record.failed, evidence.record.error_code.is_some());
    if let Some(trigger) = evidence.trigger() {
        prop_assert!(evidence.record.watched && !evidence.record.failed);
        match trigger.reach {
            Reach::Vpcs(vpcs) => prop_assert_eq!(&vpcs, &evidence.record.vpc_ids),
            Reach::Resolve(wanted) => {
                prop_assert!(!wanted.is_empty() && wanted.iter().all(|id| ids.contains(id)));
            }
            Reach::AllManaged | Reach::Comparison => {}
        }
    }
    let line = serde_json::to_string(evidence).unwrap();
    prop_assert_eq!(&serde_json::from_str::<Evidence>(&line).unwrap(), evidence);
    Ok(())
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for evidence in parse(&String::from_utf8_lossy(&bytes)).unwrap_or_default() {
            keeps_its_promises(&evidence)?;
        }
    }

    #[test]
    fn cut_and_spliced_text_never_panics(file in any::<Index>(), cut in any::<Index>(), insert in ".{0,3}") {
        let text: &String = file.get(&TEXTS);
        let at = (0..=cut.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let (before, after) = text.split_at(at);
        for text in [before.to_owned(), format!("{before}{insert}{after}"), format!("{text}{before}")] {
            for evidence in parse(&text).unwrap_or_default() {
                keeps_its_promises(&evidence)?;
            }
        }
    }

    #[test]
    fn mutated_records_never_panic(file in any::<Index>(), mutations in prop::collection::vec(mutation(), 1..12)) {
        let mut value: Value = serde_json::from_str(file.get::<String>(&TEXTS)).unwrap();
        for mutation in &mutations {
            mutate(&mut value, mutation);
        }
        for evidence in decode(&value).into_iter().chain(parse(&value.to_string()).unwrap_or_default()) {
            keeps_its_promises(&evidence)?;
        }
    }
}
