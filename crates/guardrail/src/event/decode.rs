//! From JSON to records. Nothing but the absence of a record is refused: fields that are missing or
//! of another type than AWS documents are absent, because an exporter, a new event version or a
//! look-alike service may have written them.

use std::collections::BTreeMap;

use serde_json::{Deserializer, Value};

use super::{Evidence, Record, Tagging, actor, ids, table};
use crate::ec2::id::{AccountId, Region, VpcId};
use crate::ec2::resource_id::ResourceId;

/// Input that is no CloudTrail record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARecord {
    /// The input is empty.
    #[error("empty input; pass {WANTED}")]
    Empty,
    /// The input is not JSON.
    #[error("broken JSON: {reason}; pass {WANTED}")]
    Json {
        /// What is wrong, and the line and column where.
        reason: String,
    },
    /// The input is JSON, but a number, a text or the like.
    #[error("{found} instead of an object; pass {WANTED}")]
    NotAnObject {
        /// What the input is instead: `a number`.
        found: &'static str,
    },
    /// An EventBridge event that carries no CloudTrail record.
    #[error(
        "an EventBridge event of detail-type `{detail_type}`; pass one whose detail-type ends in `via CloudTrail`, such \
         as `AWS API Call via CloudTrail`"
    )]
    OtherEvent {
        /// The event's detail-type.
        detail_type: String,
    },
    /// An object without the one field that every record has.
    #[error("an object without `eventName` (it has {keys}); pass {WANTED}")]
    NoEventName {
        /// The object's first keys, as a list for people.
        keys: String,
    },
    /// One of several records is none.
    #[error("record {position}: {why}")]
    OneOfMany {
        /// The place of the faulty one, from 1.
        position: usize,
        /// What is wrong with the faulty one.
        why: Box<NotARecord>,
    },
}

const WANTED: &str = "an EventBridge event, a CloudTrail record, a CloudTrail log file (`{\"Records\": […]}`), a list of these, or one per line";

/// The records in the text of a file: one EventBridge event or bare record, a CloudTrail log file,
/// a list of these, or several after each other, as in JSON lines.
///
/// # Errors
/// The first thing in it that is no record, and where it stands. A log file or list with nothing in
/// it is no error.
pub fn parse(text: &str) -> Result<Vec<Evidence>, NotARecord> {
    Ok(parse_with_source(text)?.into_iter().map(|(_, evidence)| evidence).collect())
}

/// As [`parse`], each record with the event or bare record that it was read from.
///
/// # Errors
/// As [`parse`].
pub fn parse_with_source(text: &str) -> Result<Vec<(Value, Evidence)>, NotARecord> {
    let mut records = Vec::new();
    let mut empty = true;
    for value in Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter::<Value>() {
        let value = value.map_err(|error| NotARecord::Json { reason: error.to_string() })?;
        decode_all(value, false, &mut records)?;
        empty = false;
    }
    if empty { Err(NotARecord::Empty) } else { Ok(records) }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "JSON will have no further kinds of value")]
fn decode_all(
    value: Value,
    listed: bool,
    records: &mut Vec<(Value, Evidence)>,
) -> Result<(), NotARecord> {
    let list = match value {
        Value::Array(list) => list,
        Value::Object(mut file) if file.get("Records").is_some_and(Value::is_array) => {
            match file.remove("Records") {
                Some(Value::Array(list)) => list,
                Some(_) | None => Vec::new(),
            }
        }
        single => return decode_one(single, listed, records),
    };
    list.into_iter().try_for_each(|item| decode_all(item, true, records))
}

fn decode_one(
    value: Value,
    listed: bool,
    records: &mut Vec<(Value, Evidence)>,
) -> Result<(), NotARecord> {
    let position = records.len() + 1;
    let record = decode(&value).map_err(|why| match listed || position > 1 {
        true => NotARecord::OneOfMany { position, why: Box::new(why) },
        false => why,
    })?;
    records.push((value, record));
    Ok(())
}

/// The record in one EventBridge event, or a bare one.
///
/// # Errors
/// `value` is neither.
pub fn decode(value: &Value) -> Result<Evidence, NotARecord> {
    let (envelope, record) = match (value.get("detail-type"), value.get("detail")) {
        (Some(kind), _) if !kind.as_str().is_some_and(|kind| kind.ends_with(" via CloudTrail")) => {
            let detail_type = kind.as_str().map_or_else(|| kind.to_string(), str::to_owned);
            return Err(NotARecord::OtherEvent { detail_type });
        }
        (_, Some(detail)) if value.get("eventName").is_none() => (value, detail),
        (_, _) => (&Value::Null, value),
    };
    let event = event_name(record)?;
    let time = said(record, "eventTime").or_else(|| said(envelope, "time"));
    let identity = record.get("userIdentity").unwrap_or(&Value::Null);
    let request = record.get("requestParameters").unwrap_or(&Value::Null);
    let is_of_ec2 = text(record, "eventSource") == "ec2.amazonaws.com";
    let read = read(event, envelope, record);
    Ok(Evidence {
        time,
        actor_account: actor::account(identity, read.account.as_ref()),
        tool_vouched: actor::tool(record).1,
        session_issuer: actor::session_issuer(identity),
        request_id: said(record, "requestID"),
        claimed_by: None,
        tagging: Tagging::read(event, request).filter(|_| is_of_ec2),
        record: read,
    })
}

fn read(event: &str, envelope: &Value, record: &Value) -> Record {
    let identity = record.get("userIdentity").unwrap_or(&Value::Null);
    let error_code = error_code(record);
    let mut named = BTreeMap::new();
    for body in ["requestParameters", "responseElements"] {
        ids::collect(record.get(body).unwrap_or(&Value::Null), &mut named);
    }
    let accounts = [
        text(record, "recipientAccountId"),
        text(envelope, "account"),
        text(identity, "accountId"),
    ];
    let regions = [text(record, "awsRegion"), text(envelope, "region")];
    Record {
        event: event.to_owned(),
        event_id: said(record, "eventID"),
        account: accounts.into_iter().find_map(|text| text.parse::<AccountId>().ok()),
        region: regions.into_iter().find_map(|text| text.parse::<Region>().ok()),
        failed: error_code.is_some(),
        error_code,
        watched: text(record, "eventSource") == "ec2.amazonaws.com" && table::find(event).is_some(),
        vpc_ids: named.values().filter_map(vpc).collect(),
        resource_ids: named.into_values().collect(),
        actor: actor::actor(identity),
        tool: actor::tool(record).0,
        source_ip: said(record, "sourceIPAddress"),
    }
}

fn vpc(id: &ResourceId) -> Option<VpcId> {
    match id {
        ResourceId::Vpc(vpc) => Some(vpc.clone()),
        ResourceId::Subnet(_)
        | ResourceId::RouteTable(_)
        | ResourceId::Association(_)
        | ResourceId::OtherAssociation(_)
        | ResourceId::Endpoint(_)
        | ResourceId::NatGateway(_)
        | ResourceId::InternetGateway(_)
        | ResourceId::EgressOnlyInternetGateway(_)
        | ResourceId::OtherGateway(_)
        | ResourceId::Interface(_)
        | ResourceId::Instance(_)
        | ResourceId::SecurityGroup(_)
        | ResourceId::PrefixList(_)
        | ResourceId::NetworkAcl(_) => None,
    }
}

fn event_name(record: &Value) -> Result<&str, NotARecord> {
    let found = match record {
        Value::Object(fields) => {
            let name =
                fields.get("eventName").and_then(Value::as_str).filter(|name| !name.is_empty());
            return name.ok_or_else(|| NotARecord::NoEventName { keys: keys(fields) });
        }
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
    };
    Err(NotARecord::NotAnObject { found })
}

fn keys(fields: &serde_json::Map<String, Value>) -> String {
    const SHOWN: usize = 6;
    let mut keys: Vec<String> = fields.keys().take(SHOWN).map(|key| format!("`{key}`")).collect();
    match fields.len().checked_sub(SHOWN) {
        _ if keys.is_empty() => return "no keys".to_owned(),
        Some(more) if more > 0 => keys.push(format!("{more} more")),
        Some(_) | None => {}
    }
    keys.join(", ")
}

/// A call succeeded if and only if its record has no `errorCode`; exporters write null or an empty
/// text instead.
fn error_code(record: &Value) -> Option<String> {
    match record.get("errorCode")? {
        Value::Null => None,
        Value::String(code) if code.is_empty() => None,
        Value::String(code) => Some(code.clone()),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(other.to_string())
        }
    }
}

/// The text at `key`, where there is one with something in it.
pub(super) fn said(value: &Value, key: &str) -> Option<String> {
    Some(text(value, key)).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The text at `key`; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The first that is not empty, else empty.
pub(super) fn first_text<const N: usize>(texts: [&str; N]) -> &str {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Tool;
    use serde_json::json;

    fn record(name: &str) -> Value {
        json!({"eventName": name, "eventSource": "ec2.amazonaws.com", "eventID": "e-1"})
    }

    fn names(text: &str) -> Vec<String> {
        parse(text).unwrap().into_iter().map(|evidence| evidence.record.event).collect()
    }

    #[test]
    fn every_way_to_write_records_is_read() {
        let (a, b) = (record("A"), record("B"));
        let envelope = json!({"detail-type": "AWS API Call via CloudTrail", "detail": a});
        assert_eq!(names(&a.to_string()), ["A"]);
        assert_eq!(names(&envelope.to_string()), ["A"]);
        assert_eq!(names(&json!({"Records": [a, b]}).to_string()), ["A", "B"]);
        assert_eq!(names(&json!([envelope, b, {"Records": [a]}]).to_string()), ["A", "B", "A"]);
        assert_eq!(names(&format!("{a}\n\n{envelope}\n{b}\n")), ["A", "A", "B"]);
        assert_eq!(names(&format!("{a:#}\n{b:#}")), ["A", "B"]);
        assert_eq!(names(&format!("\u{feff}{a}\r\n")), ["A"]);
        assert_eq!(names(r#"{"Records":[]}"#), [""; 0]);
    }

    #[test]
    fn what_is_no_record_is_refused_with_what_to_pass_instead() {
        let say = |text: &str| parse(text).unwrap_err().to_string();
        let wanted = format!("; pass {WANTED}");
        assert_eq!(say(" \n"), format!("empty input{wanted}"));
        assert_eq!(
            say("{\"eventName\":\n  oops}"),
            format!("broken JSON: expected value at line 2 column 3{wanted}")
        );
        assert_eq!(say("7"), format!("a number instead of an object{wanted}"));
        assert_eq!(say("{}"), format!("an object without `eventName` (it has no keys){wanted}"));
        assert_eq!(
            say(r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}"#),
            format!(
                "an object without `eventName` (it has `a`, `b`, `c`, `d`, `e`, `f`, 2 more){wanted}"
            )
        );
        assert_eq!(
            say(r#"{"detail-type":"EC2 Instance State-change Notification","detail":{}}"#),
            "an EventBridge event of detail-type `EC2 Instance State-change Notification`; pass one whose detail-type ends \
             in `via CloudTrail`, such as `AWS API Call via CloudTrail`"
        );
        assert_eq!(
            say(r#"{"Records":[{"eventName":"A"},{"body":"{}"}]}"#),
            format!("record 2: an object without `eventName` (it has `body`){wanted}")
        );
    }

    #[test]
    fn a_record_with_nothing_but_a_name_says_nothing_else() {
        let expected = Record {
            event: "CreateRoute".into(),
            event_id: None,
            account: None,
            region: None,
            failed: false,
            error_code: None,
            watched: false,
            vpc_ids: vec![],
            resource_ids: vec![],
            actor: "unknown".into(),
            tool: Tool::NotSaid,
            source_ip: None,
        };
        let evidence = decode(&json!({"eventName": "CreateRoute"})).unwrap();
        assert_eq!(
            evidence,
            Evidence {
                time: None,
                actor_account: None,
                tool_vouched: false,
                session_issuer: None,
                request_id: None,
                claimed_by: None,
                tagging: None,
                record: expected.clone()
            }
        );
        let odd = json!({
            "eventName": "CreateRoute", "eventID": 7, "recipientAccountId": 111_122_223_333_u64, "awsRegion": ["x"],
            "eventSource": {}, "userIdentity": "me", "userAgent": 1, "sourceIPAddress": "", "eventTime": false,
            "requestParameters": "", "responseElements": 0, "errorCode": null,
        });
        assert_eq!(
            decode(&odd).unwrap(),
            Evidence {
                time: None,
                actor_account: None,
                tool_vouched: false,
                session_issuer: None,
                request_id: None,
                claimed_by: None,
                tagging: None,
                record: expected
            }
        );
    }

    #[test]
    fn account_region_and_time_come_from_where_they_are() {
        let read = |value: Value| {
            let evidence = decode(&value).unwrap();
            (
                evidence.record.account.map(String::from),
                evidence.record.region.map(String::from),
                evidence.time,
            )
        };
        let detail = json!({
            "eventName": "A", "recipientAccountId": "111122223333", "awsRegion": "eu-central-1",
            "eventTime": "2026-09-14T08:31:07Z", "userIdentity": {"accountId": "333322221111"},
        });
        let envelope = |detail: Value| {
            json!({
                "detail-type": "AWS API Call via CloudTrail", "account": "222211113333", "region": "eu-west-1",
                "time": "2026-09-14T08:31:09Z", "detail": detail,
            })
        };
        let of = |account: &str, region: &str, time: &str| {
            (Some(account.into()), Some(region.into()), Some(time.into()))
        };
        assert_eq!(
            read(envelope(detail)),
            of("111122223333", "eu-central-1", "2026-09-14T08:31:07Z")
        );
        let bare = json!({"eventName": "A", "userIdentity": {"accountId": "333322221111"}});
        assert_eq!(
            read(envelope(bare.clone())),
            of("222211113333", "eu-west-1", "2026-09-14T08:31:09Z")
        );
        assert_eq!(read(bare), (Some("333322221111".into()), None, None));
    }

    /// What a caller may choose (agent, session, tags) is none of it; what AWS would not write there
    /// is absent, and nobody's record says by whom it was sent.
    #[test]
    fn the_role_and_the_request_are_awss_word() {
        let role = "arn:aws:iam::111122223333:role/a/path/guardrail-RepairRole-1";
        let read = |identity: Value, request_id: Value| {
            let evidence = decode(&json!({
                "eventName": "CreateRoute", "userIdentity": identity, "requestID": request_id,
                "userAgent": role, "claimed_by": "me", "session_issuer": role,
            }));
            let Evidence { session_issuer, request_id, claimed_by, .. } = evidence.unwrap();
            (session_issuer, request_id, claimed_by)
        };
        let issued = |kind: &str, arn: Value| json!({"arn": role, "sessionContext": {"sessionIssuer": {"type": kind, "arn": arn}}});
        let by_role = read(issued("Role", json!(role)), json!("r-1"));
        assert_eq!(by_role, (Some(role.to_owned()), Some("r-1".to_owned()), None));
        for none in [
            json!(null),
            json!("x"),
            json!({"arn": role}),
            issued("Role", json!(7)),
            issued("Role", json!("")),
        ] {
            assert_eq!(read(none.clone(), json!(7)), (None, None, None), "{none}");
        }
    }

    #[test]
    fn any_error_code_is_a_failure_and_null_is_none() {
        let code = |code: Value| {
            decode(&json!({"eventName": "A", "errorCode": code})).unwrap().record.error_code
        };
        assert_eq!(
            code(json!("Client.DryRunOperation")).as_deref(),
            Some("Client.DryRunOperation")
        );
        assert_eq!(code(json!(503)).as_deref(), Some("503"));
        assert_eq!(code(json!(null)), None);
        assert_eq!(code(json!("")), None);
    }

    #[test]
    fn a_look_alike_of_another_service_is_not_watched() {
        let watched = |source: &str| {
            decode(&json!({"eventName": "CreateRoute", "eventSource": source}))
                .unwrap()
                .record
                .watched
        };
        assert!(watched("ec2.amazonaws.com"));
        assert!(!watched("appmesh.amazonaws.com"));
    }
}
