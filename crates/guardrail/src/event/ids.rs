//! Ids of resources in a record's request and response, wherever they stand.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ec2::resource_id::ResourceId;

/// The id that a whole text in a record is, if it is one: 8 to 32 lower-case hexadecimal digits
/// after a known prefix. (AWS writes 8 or 17 of them. Anything wider would take a name such as
/// `vpc-production` in a tag for a VPC.)
///
/// The prefix reaches to the last hyphen, so `vpc-cidr-assoc-…` is no VPC, `vpce-svc-…` no endpoint
/// and `eni-attach-…` no interface.
fn id(text: &str) -> Option<ResourceId> {
    let (_, digits) = text.rsplit_once('-')?;
    let is_id = (8..=32).contains(&digits.len())
        && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_id { ResourceId::read(text) } else { None }
}

/// Adds to `found` every id that is a whole text in `value`, or the last component of an ARN there.
/// The shape around it is of no interest, which is what makes this hold for both of CloudTrail's
/// encodings and for actions nobody has seen yet.
pub(super) fn collect<'a>(value: &'a Value, found: &mut BTreeMap<&'a str, ResourceId>) {
    match value {
        Value::String(text) => {
            let last = if text.starts_with("arn:") {
                text.rsplit(['/', ':']).next().unwrap_or(text)
            } else {
                text
            };
            if !found.contains_key(last) {
                found.extend(id(last).map(|id| (last, id)));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ids(value: &Value) -> Vec<&str> {
        let mut found = BTreeMap::new();
        collect(value, &mut found);
        found.into_keys().collect()
    }

    #[test]
    fn what_only_looks_like_an_id_is_none() {
        for text in [
            "",
            "-",
            "vpc-",
            "vpc-1",
            "vpc-1a2b3c4",
            "vpc-production",
            "vpc-0A1B2C3D",
            "sg-0a1b2c3d ",
            " sg-0a1b2c3d",
            "vpc-0a1b2c3d4e5f607180a1b2c3d4e5f60718",
            "vpce-svc-0a1b2c3d4e5f60718",
            "eni-attach-0a1b2c3d4e5f60718",
            "tgw-attach-0a1b2c3d4e5f60718",
            "tgw-rtb-0a1b2c3d4e5f60718",
            "sgr-0a1b2c3d4e5f60718",
            "{{ RouteTableId }}",
            "rtb\u{2010}0a1b2c3d",
        ] {
            assert_eq!(id(text), None, "{text:?}");
        }
    }

    #[test]
    fn lists_of_none_one_and_many_are_read_in_both_encodings() {
        for none in [
            json!(null),
            json!(""),
            json!({}),
            json!([]),
            json!({"items": []}),
            json!({"item": ""}),
        ] {
            assert!(ids(&none).is_empty(), "{none}");
        }
        let one = ["sg-1a2b3c4d"];
        for list in [
            json!({"items": [{"groupId": "sg-1a2b3c4d"}]}),
            json!({"item": {"groupId": "sg-1a2b3c4d", "groupName": "endpoints"}}),
            json!({"item": "sg-1a2b3c4d"}),
            json!({"tag": 1, "content": "sg-1a2b3c4d"}),
        ] {
            assert_eq!(ids(&list), one, "{list}");
        }
        let many = ["subnet-1a2b3c4d", "subnet-2a2b3c4d"];
        for list in [
            json!([{"tag": 1, "content": "subnet-2a2b3c4d"}, {"tag": 2, "content": "subnet-1a2b3c4d"}]),
            json!({"item": ["subnet-2a2b3c4d", "subnet-1a2b3c4d"]}),
            json!({"items": [{"subnetId": "subnet-2a2b3c4d"}, {"subnetId": "subnet-1a2b3c4d"}]}),
        ] {
            assert_eq!(ids(&list), many, "{list}");
        }
    }

    #[test]
    fn an_arn_names_what_stands_last_in_it() {
        assert_eq!(
            ids(&json!("arn:aws:ec2:eu-central-1:111122223333:subnet/subnet-1a2b3c4d")),
            ["subnet-1a2b3c4d"]
        );
        assert!(ids(&json!("arn:aws:iam::111122223333:role/vpc-reader")).is_empty());
        assert!(ids(&json!("not/an/arn/vpc-1a2b3c4d")).is_empty());
    }

    #[test]
    fn retyped_leaves_are_no_ids() {
        assert!(
            ids(&json!({"ownerId": 111_122_223_333_u64, "Value": true, "version": 1.5})).is_empty()
        );
    }
}
