//! The adapter's table on ministack's DynamoDB, held to the same sentences as a process's own memory.

#![cfg(test)]

use e2e::pipeline::{ACCOUNT, Platform, REGION, translated_template};
use guardrail::ec2::id::Place;
use guardrail_aws::{ClientOptions, Clients, Credentials, DynamoTable};
use guardrail_sim::table_suite;
use serde_json::{Value, json};
use tempfile::TempDir;

const NAME: &str = "history";

/// A table with the keys of the template's.
fn create(platform: &Platform) {
    let template = translated_template();
    let properties = &template["Resources"]["HistoryTable"]["Properties"];
    let of = |field: &str| -> Value { properties[field].clone() };
    let table = json!({
        "TableName": NAME,
        "BillingMode": of("BillingMode"),
        "AttributeDefinitions": of("AttributeDefinitions"),
        "KeySchema": of("KeySchema"),
    });
    platform.call("dynamodb", "create_table", &table).unwrap();
}

#[tokio::test]
async fn dynamodb_is_such_a_table() {
    let folder = TempDir::new().unwrap();
    let platform = Platform::start(folder.path(), &[]);
    create(&platform);
    let place = Place { account: ACCOUNT.parse().unwrap(), region: REGION.parse().unwrap() };
    let options = ClientOptions {
        region: Some(place.region.clone()),
        endpoint_url: Some(platform.url.clone()),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
        ..ClientOptions::default()
    };
    let clients = Clients::load(&options).await.unwrap();
    let checked = table_suite::check(&DynamoTable::new(&clients, NAME), &place).await;
    assert_eq!(checked, Ok(()));
}
