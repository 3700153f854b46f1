//! The body of a CloudTrail record of EC2, whichever of its two encodings it is in.
//!
//! Flat actions have keys in lower camel case and lists as `{"items": [...]}`. Wrapped ones have
//! the whole body in one key (`CreateVpcEndpointRequest`), capital letters in front, lists as one
//! object, an array, or the empty string, and text that looks like a number or a boolean turned
//! into one.

use serde_json::Value;

/// One call as CloudTrail recorded it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) source: &'a str,
    pub(crate) event: &'a str,
    pub(crate) error_code: Option<&'a str>,
    pub(crate) request: Body<'a>,
    pub(crate) response: Body<'a>,
}

impl<'a> Record<'a> {
    /// Reads an EventBridge envelope or a bare record; `None` when it is neither.
    pub(crate) fn read(json: &'a Value) -> Option<Self> {
        let record = json.get("detail").filter(|detail| detail.is_object()).unwrap_or(json);
        let text = |key: &str| record.get(key).and_then(Value::as_str);
        let event = text("eventName")?;
        let body = |key: &str, wrapper: &str| {
            let body = record.get(key).unwrap_or(&Value::Null);
            Body(body.get(format!("{event}{wrapper}")).unwrap_or(body))
        };
        Some(Self {
            source: text("eventSource").unwrap_or_default(),
            event,
            error_code: text("errorCode").filter(|code| !code.is_empty()),
            request: body("requestParameters", "Request"),
            response: body("responseElements", "Response"),
        })
    }
}

/// A part of a body. What is not there reads as nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a>(&'a Value);

impl<'a> Body<'a> {
    /// The part under this key, written in lower camel case; a wrapped body's capital is
    /// understood.
    pub(crate) fn get(self, key: &str) -> Self {
        let mut letters = key.chars();
        let capital: String =
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        Self(self.0.get(key).or_else(|| self.0.get(capital)).unwrap_or(&Value::Null))
    }

    /// Its text; `None` for what is absent, empty, or no leaf.
    pub(crate) fn text(self) -> Option<String> {
        match self.0 {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Object(object) => {
                let inner = object
                    .get("content")
                    .or_else(|| object.get("value"))
                    .or_else(|| object.get("Value"))?;
                Self(inner).text()
            }
            Value::Null | Value::Array(_) => None,
        }
    }

    /// Its text as true or false.
    pub(crate) fn flag(self) -> Option<bool> {
        self.text().and_then(|text| text.parse().ok())
    }

    /// Its text as a number.
    pub(crate) fn number(self) -> Option<i32> {
        self.text().and_then(|text| text.parse().ok())
    }

    /// Its elements, of a list in any form.
    pub(crate) fn list(self) -> Vec<Self> {
        match self.0 {
            Value::Null => Vec::new(),
            Value::String(text) if text.is_empty() => Vec::new(),
            Value::Array(items) => items.iter().map(Self).collect(),
            Value::Object(object) if object.is_empty() => Vec::new(),
            Value::Object(object) => match object.get("items").or_else(|| object.get("item")) {
                Some(items) => Self(items).list(),
                None => vec![self],
            },
            Value::String(_) | Value::Number(_) | Value::Bool(_) => vec![self],
        }
    }

    /// The texts of a list.
    pub(crate) fn texts(self) -> Vec<String> {
        self.list().into_iter().filter_map(Self::text).collect()
    }

    /// The texts of one key in a list's elements.
    pub(crate) fn texts_of(self, key: &str) -> Vec<String> {
        self.list().into_iter().filter_map(|item| item.get(key).text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_read_in_every_form() {
        let forms = [
            (
                json!({"subnetIdSet": {"items": ["subnet-1", "subnet-2"]}}),
                vec!["subnet-1", "subnet-2"],
            ),
            (
                json!({"SubnetIdSet": {"item": ["subnet-1", "subnet-2"]}}),
                vec!["subnet-1", "subnet-2"],
            ),
            (json!({"subnetIdSet": {"item": "subnet-1"}}), vec!["subnet-1"]),
            (json!({"subnetIdSet": {"tag": 1, "content": "subnet-1"}}), vec!["subnet-1"]),
            (
                json!({"subnetIdSet": [{"tag": 1, "content": "subnet-1"}, {"tag": 2, "content": 22}]}),
                vec!["subnet-1", "22"],
            ),
            (json!({"subnetIdSet": ""}), vec![]),
            (json!({"subnetIdSet": {}}), vec![]),
            (json!({"subnetIdSet": null}), vec![]),
            (json!({}), vec![]),
        ];
        for (form, expected) in forms {
            assert_eq!(Body(&form).get("subnetIdSet").texts(), expected, "{form}");
        }
    }

    #[test]
    fn a_retyped_leaf_is_text_and_an_attribute_its_value() {
        let body = json!({"Key": true, "ownerId": 200_802_171_337_u64, "mapPublicIpOnLaunch": {"value": true}});
        assert_eq!(Body(&body).get("key").text().as_deref(), Some("true"));
        assert_eq!(Body(&body).get("ownerId").text().as_deref(), Some("200802171337"));
        assert_eq!(Body(&body).get("mapPublicIpOnLaunch").flag(), Some(true));
    }

    #[test]
    fn a_record_is_read_bare_or_in_its_envelope_wrapped_or_flat() {
        let bare = json!({"eventName": "DeleteNatGateway", "eventSource": "ec2.amazonaws.com",
            "requestParameters": {"DeleteNatGatewayRequest": {"NatGatewayId": "nat-1"}}, "responseElements": null});
        let envelope = json!({"detail-type": "AWS API Call via CloudTrail", "detail": bare});
        for json in [&bare, &envelope] {
            let record = Record::read(json).unwrap();
            assert_eq!((record.event, record.source), ("DeleteNatGateway", "ec2.amazonaws.com"));
            assert_eq!(record.request.get("natGatewayId").text().as_deref(), Some("nat-1"));
            assert_eq!(record.response.get("natGatewayId").text(), None);
        }
        assert!(Record::read(&json!([1, {"eventName": 5}])).is_none());
    }
}
