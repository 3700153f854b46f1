//! DynamoDB, as far as the functions use it: items under two keys, and the expressions that the adapter
//! writes. The adapter's own tests hold it to the real service's words; this only remembers.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what this stand-in does not know ends the test"
)]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The items of one table, by partition and name.
#[derive(Debug, Default)]
pub struct Items(BTreeMap<(String, String), Map<String, Value>>);

const REFUSED: &str = "ConditionalCheckFailedException";

impl Items {
    /// The operations that it knows.
    pub const OPERATIONS: [&str; 5] =
        ["GetItem", "Query", "UpdateItem", "DeleteItem", "TransactWriteItems"];

    /// The answer to a call: status and body.
    pub fn answer(&mut self, operation: &str, input: &Value) -> (u16, String) {
        match operation {
            "GetItem" => match self.0.get(&key(&input["Key"])) {
                Some(item) => (200, json!({ "Item": item }).to_string()),
                None => (200, "{}".to_owned()),
            },
            "Query" => (200, json!({ "Items": self.listed(input) }).to_string()),
            "TransactWriteItems" => self.transact(input),
            _ => match self.holds(input) {
                true => {
                    self.make(operation == "UpdateItem", input);
                    (200, "{}".to_owned())
                }
                false => (400, json!({ "__type": REFUSED, "message": "no" }).to_string()),
            },
        }
    }

    /// What the items of a kind hold, by their names: `STATE`.
    pub fn of_kind(&self, kind: &str) -> BTreeMap<String, Value> {
        let its =
            self.0.iter().filter(|((partition, _), _)| partition.split('#').next() == Some(kind));
        its.map(|((_, name), item)| {
            let body = item["body"]["S"].as_str().unwrap_or("null");
            (name.clone(), serde_json::from_str(body).unwrap())
        })
        .collect()
    }

    /// Puts what an item holds.
    pub fn put(&mut self, partition: &str, name: &str, body: &Value) {
        let item = json!({
            "pk": {"S": partition}, "sk": {"S": name}, "version": {"N": "1"}, "body": {"S": body.to_string()},
        });
        self.0.insert((partition.to_owned(), name.to_owned()), item.as_object().unwrap().clone());
    }

    fn listed(&self, input: &Value) -> Vec<&Map<String, Value>> {
        let values = &input["ExpressionAttributeValues"];
        let (partition, prefix) =
            (values[":pk"]["S"].as_str().unwrap(), values[":prefix"]["S"].as_str());
        let is_asked = |(its, name): &(String, String)| {
            its == partition && name.starts_with(prefix.unwrap_or_default())
        };
        self.0.iter().filter(|(key, _)| is_asked(key)).map(|(_, item)| item).collect()
    }

    fn transact(&mut self, input: &Value) -> (u16, String) {
        let items = input["TransactItems"].as_array().unwrap();
        let part = |item: &Value| match item.get("Update") {
            Some(update) => (true, update.clone()),
            None => (false, item["Delete"].clone()),
        };
        let parts: Vec<(bool, Value)> = items.iter().map(part).collect();
        let held: Vec<bool> = parts.iter().map(|(_, part)| self.holds(part)).collect();
        if held.iter().all(|held| *held) {
            parts.iter().for_each(|(is_update, part)| self.make(*is_update, part));
            return (200, "{}".to_owned());
        }
        let reason = |held| json!({ "Code": if held { "None" } else { "ConditionalCheckFailed" } });
        let reasons: Vec<Value> = held.into_iter().map(reason).collect();
        let body = json!({
            "__type": "TransactionCanceledException", "Message": "cancelled", "CancellationReasons": reasons,
        });
        (400, body.to_string())
    }

    fn holds(&self, part: &Value) -> bool {
        let item = self.0.get(&key(&part["Key"]));
        match part["ConditionExpression"].as_str() {
            None => true,
            Some("attribute_not_exists(#pk)") => item.is_none(),
            Some("#version = :version") => {
                let wanted = &part["ExpressionAttributeValues"][":version"];
                item.is_some_and(|item| item["version"] == *wanted)
            }
            Some(other) => panic!("a condition that this stand-in does not know: {other}"),
        }
    }

    fn make(&mut self, is_update: bool, part: &Value) {
        let key = key(&part["Key"]);
        if !is_update {
            self.0.remove(&key);
            return;
        }
        let version = self
            .0
            .get(&key)
            .map_or(0, |item| item["version"]["N"].as_str().unwrap().parse::<u64>().unwrap());
        let body = &part["ExpressionAttributeValues"][":body"];
        let name = if body.get("B").is_some() { "packed" } else { "body" };
        let mut item = part["Key"].as_object().unwrap().clone();
        item.insert("version".to_owned(), json!({ "N": (version + 1).to_string() }));
        item.insert(name.to_owned(), body.clone());
        self.0.insert(key, item);
    }
}

fn key(key: &Value) -> (String, String) {
    let part = |name: &str| key[name]["S"].as_str().unwrap().to_owned();
    (part("pk"), part("sk"))
}
