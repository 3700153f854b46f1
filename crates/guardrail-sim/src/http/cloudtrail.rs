//! The event that EventBridge delivers for a call, as CloudTrail records it.
//!
//! EC2's records have two encodings, fixed for each action. Flat: keys in lower camel case, lists
//! as `{"items": […]}`, types kept. Wrapped: the whole body in one key
//! (`CreateVpcEndpointRequest`), capitals in front, and the form that a plain translation of the
//! wire's XML has: a list of one is an object, of none an empty text, and text that looks like a
//! number or a boolean becomes one. Where no record of an action was seen, it is encoded as the
//! actions of its age.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::http::parameters::{Parameter, Parameters};
use crate::http::resources::ServedPlace;
use crate::http::tree::{Fields, NAMESPACE, Node};

/// A call as its record needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServedCall<'a> {
    pub(crate) action: &'a str,
    pub(crate) parameters: &'a Parameters,
    /// EC2's answer, or the code and words of its refusal with the HTTP status.
    pub(crate) outcome: Result<&'a Fields, (&'a str, &'a str, u16)>,
    pub(crate) request_id: &'a str,
    pub(crate) event_id: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) user_agent: &'a str,
    /// Of the credentials that signed the request, if any did.
    pub(crate) access_key: Option<&'a str>,
}

/// The EventBridge event of a call.
pub(crate) fn event(call: ServedCall<'_>, place: &ServedPlace) -> Value {
    let time = Timestamp::from_second(call.at.as_second()).unwrap_or(call.at).to_string();
    let mut detail = json!({
        "eventVersion": "1.11",
        "userIdentity": identity(call.access_key, &time, place),
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": call.action,
        "awsRegion": place.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": call.user_agent,
        "requestParameters": request_body(call.action, call.parameters),
        "responseElements": null,
        "requestID": call.request_id,
        "eventID": call.event_id,
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": place.account,
        "eventCategory": "Management",
    });
    let (key, value) = match call.outcome {
        Ok(answer) => ("responseElements", response_body(call.action, call.request_id, answer)),
        Err((code, message, status)) => {
            put(&mut detail, "errorMessage", json!(message));
            let side = if status >= 500 { "Server" } else { "Client" };
            ("errorCode", json!(format!("{side}.{code}")))
        }
    };
    put(&mut detail, key, value);
    json!({
        "version": "0",
        "id": call.event_id,
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": place.account,
        "time": time,
        "region": place.region,
        "resources": [],
        "detail": detail,
    })
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(key.to_owned(), value);
    }
}

/// Temporary credentials are a role's; all else is a user's.
fn identity(access_key: Option<&str>, time: &str, place: &ServedPlace) -> Value {
    let (account, partition) = (&place.account, place.partition());
    let mut identity = match access_key {
        Some(key) if key.starts_with("ASIA") => json!({
            "type": "AssumedRole",
            "principalId": "AROASIMULATEDROLE0000:sim-session",
            "arn": format!("arn:{partition}:sts::{account}:assumed-role/sim-role/sim-session"),
            "accountId": account,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROASIMULATEDROLE0000",
                    "arn": format!("arn:{partition}:iam::{account}:role/sim-role"),
                    "accountId": account,
                    "userName": "sim-role",
                },
                "attributes": { "creationDate": time, "mfaAuthenticated": "false" },
            },
        }),
        Some(_) | None => json!({
            "type": "IAMUser",
            "principalId": "AIDASIMULATEDUSER0000",
            "arn": format!("arn:{partition}:iam::{account}:user/sim-user"),
            "accountId": account,
            "userName": "sim-user",
        }),
    };
    if let Some(key) = access_key {
        put(&mut identity, "accessKeyId", json!(key));
    }
    identity
}

/// Whether the action's records are wrapped: those that came with NAT gateways and VPC endpoints,
/// and after.
fn is_wrapped(action: &str) -> bool {
    matches!(
        action,
        "CreateVpcEndpoint"
            | "ModifyVpcEndpoint"
            | "DeleteVpcEndpoints"
            | "CreateNatGateway"
            | "DeleteNatGateway"
            | "AssociateVpcCidrBlock"
            | "AssociateIamInstanceProfile"
            | "CreateEgressOnlyInternetGateway"
            | "CreateManagedPrefixList"
            | "DeleteEgressOnlyInternetGateway"
            | "DeleteManagedPrefixList"
            | "DisassociateIamInstanceProfile"
            | "ModifyManagedPrefixList"
            | "ReplaceIamInstanceProfileAssociation"
    )
}

fn request_body(action: &str, parameters: &Parameters) -> Value {
    let mut parameters = parameters.clone();
    parameters.ignore(&["Action", "Version", "DryRun"]);
    if !is_wrapped(action) {
        let mut body = flat_parameters(&parameters);
        if action.ends_with("SecurityGroupIngress") && body.get("ipPermissions").is_none() {
            put(&mut body, "ipPermissions", json!({}));
        }
        if matches!(action, "CreateNetworkAclEntry" | "ReplaceNetworkAclEntry") {
            for group in ["icmpTypeCode", "portRange"] {
                if body.get(group).is_none() {
                    put(&mut body, group, json!({}));
                }
            }
        }
        return body;
    }
    let body = wrapped_parameters(&parameters);
    json!({ format!("{action}Request"): if body.is_empty() { json!("") } else { Value::Object(body) } })
}

fn response_body(action: &str, request_id: &str, answer: &Fields) -> Value {
    if is_wrapped(action) {
        let mut body = wrapped_fields(answer);
        body.insert("xmlns".to_owned(), json!(NAMESPACE));
        body.insert("requestId".to_owned(), json!(request_id));
        return json!({ format!("{action}Response"): body });
    }
    let mut body = flat_fields(answer);
    if let Some(value) = body.remove("return") {
        body.insert("_return".to_owned(), value);
    }
    body.insert("requestId".to_owned(), json!(request_id));
    Value::Object(body)
}

// --- wrapped ---

fn wrapped_parameters(parameters: &Parameters) -> Map<String, Value> {
    parameters
        .iter()
        .map(|(name, parameter)| (name.to_owned(), wrapped_parameter(parameter)))
        .collect()
}

fn wrapped_parameter(parameter: &Parameter) -> Value {
    let group = match parameter {
        Parameter::Text(text) => return retyped(text),
        Parameter::Group(group) => group,
    };
    let Some(elements) = group.elements() else { return Value::Object(wrapped_parameters(group)) };
    let numbered = elements.into_iter().zip(1..).map(|(element, tag): (_, u32)| {
        let mut item = match element {
            Parameter::Text(text) => Map::from_iter([("content".to_owned(), retyped(text))]),
            Parameter::Group(group) => wrapped_parameters(group),
        };
        item.insert("tag".to_owned(), json!(tag));
        Value::Object(item)
    });
    one_or_many(numbered.collect())
}

fn wrapped_fields(fields: &Fields) -> Map<String, Value> {
    fields.0.iter().map(|(name, node)| ((*name).to_owned(), wrapped_node(node))).collect()
}

fn wrapped_node(node: &Node) -> Value {
    match node {
        Node::Text(text) => retyped(text),
        Node::Flag(value) => json!(value),
        Node::Number(value) => json!(value),
        Node::Struct(fields) => Value::Object(wrapped_fields(fields)),
        Node::List(items) if items.is_empty() => json!(""),
        Node::List(items) => {
            json!({ "item": one_or_many(items.iter().map(wrapped_node).collect()) })
        }
    }
}

fn one_or_many(items: Vec<Value>) -> Value {
    match <[Value; 1]>::try_from(items) {
        Ok([one]) => one,
        Err(items) if items.is_empty() => json!(""),
        Err(items) => Value::Array(items),
    }
}

/// Text that looks like a boolean or a number is one, unless it has leading zeros.
fn retyped(text: &str) -> Value {
    match text {
        "true" => json!(true),
        "false" => json!(false),
        "0" => json!(0),
        _ if text.starts_with('0') || text.starts_with("-0") || text.starts_with('+') => {
            json!(text)
        }
        _ => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
    }
}

// --- flat ---

fn flat_parameters(parameters: &Parameters) -> Value {
    let mut body = Map::new();
    for (name, parameter) in parameters.iter() {
        let (key, value) = flat_parameter(name, parameter);
        body.insert(key, value);
    }
    Value::Object(body)
}

fn flat_parameter(name: &str, parameter: &Parameter) -> (String, Value) {
    let key = match name {
        "ResourceId" => "resourcesSet".to_owned(),
        "Tag" => "tagSet".to_owned(),
        "TagSpecification" => "tagSpecificationSet".to_owned(),
        "Protocol" => "aclProtocol".to_owned(),
        "Icmp" => "icmpTypeCode".to_owned(),
        other => lower_camel(other),
    };
    let value = match parameter {
        Parameter::Text(text) => flat_leaf(name, text),
        Parameter::Group(group) => match group.elements() {
            Some(elements) => {
                json!({ "items": elements.into_iter().map(|e| flat_element(name, e)).collect::<Vec<_>>() })
            }
            // `MapPublicIpOnLaunch.Value`, `AssignIpv6AddressOnCreation.Value`
            None => {
                let values = group.iter().map(|(part, value)| match value {
                    Parameter::Text(text) if part == "Value" => {
                        ("value".to_owned(), flag_or_text(text))
                    }
                    Parameter::Text(_) | Parameter::Group(_) => flat_parameter(part, value),
                });
                Value::Object(values.collect())
            }
        },
    };
    (key, value)
}

fn flat_element(list: &str, element: &Parameter) -> Value {
    let group = match element {
        Parameter::Text(text) if list == "ResourceId" => return json!({ "resourceId": text }),
        Parameter::Text(text) => return json!(text),
        Parameter::Group(group) => group,
    };
    let Value::Object(mut item) = flat_parameters(group) else { return Value::Null };
    match list {
        "TagSpecification" => {
            let tags =
                item.remove("tagSet").and_then(|mut set| set.get_mut("items").map(Value::take));
            item.insert("tags".to_owned(), tags.unwrap_or_else(|| json!([])));
        }
        // A list that is not given is there all the same, and empty.
        "IpPermissions" => {
            for list in ["groups", "ipRanges", "ipv6Ranges", "prefixListIds"] {
                item.entry(list).or_insert_with(|| json!({}));
            }
        }
        _ => {}
    }
    Value::Object(item)
}

/// Only these are not text in EC2's model; a tag's value stays what it is.
fn flat_leaf(name: &str, text: &str) -> Value {
    match name {
        "FromPort" | "ToPort" | "RuleNumber" | "From" | "To" => {
            text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
        }
        "LocalTarget" | "Egress" => flag_or_text(text),
        _ => json!(text),
    }
}

fn flag_or_text(text: &str) -> Value {
    text.parse::<bool>().map_or_else(|_| json!(text), |flag| json!(flag))
}

fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

fn flat_fields(fields: &Fields) -> Map<String, Value> {
    fields.0.iter().map(|(name, node)| ((*name).to_owned(), flat_node(node))).collect()
}

fn flat_node(node: &Node) -> Value {
    match node {
        Node::Text(text) => json!(text),
        Node::Flag(value) => json!(value),
        Node::Number(value) => json!(value),
        Node::Struct(fields) => Value::Object(flat_fields(fields)),
        Node::List(items) if items.is_empty() => json!({}),
        Node::List(items) => json!({ "items": items.iter().map(flat_node).collect::<Vec<_>>() }),
    }
}
