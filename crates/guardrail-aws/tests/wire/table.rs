//! The table: the whole JSON of each call, and what comes of each answer.

use guardrail::cloud::{Commit, ErrorClass, Table as _};
use guardrail::history::{Body, Condition, Item, Key, Kind, Transaction, Write};
use guardrail_aws::DynamoTable;
use serde_json::{Value, json};

use crate::listener::{Answer, Listener, Request, ok, page, scope};

const TARGET: &str = "DynamoDB_20120810";

fn state() -> Key {
    Kind::State.at(&scope().place()).key("vpc-0a1")
}

fn due() -> Key {
    Kind::Waiting.at(&scope().place()).key("due#vpc-0a1")
}

fn key(partition: &str, name: &str) -> Value {
    json!({"pk": {"S": format!("{partition}#111122223333/eu-central-1")}, "sk": {"S": name}})
}

fn put(condition: Condition) -> Write {
    let body = Body::Text("{}".to_owned());
    Write::Put { key: state(), body, expires: None, condition }
}

fn refusal(code: &str) -> Answer {
    let body =
        json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no"});
    page(400, &body.to_string())
}

/// The operation and the JSON of a request.
fn read(request: &Request) -> (String, Value) {
    let (target, body) = request.split_once('\n').unwrap();
    let operation = target.strip_prefix(&format!("{TARGET}.")).unwrap().to_owned();
    (operation, serde_json::from_str(body).unwrap())
}

/// What came of it, and the requests that it took.
async fn commit<const N: usize>(
    transaction: &Transaction,
    answers: [Answer; N],
) -> (Result<Commit, (ErrorClass, String)>, Vec<(String, Value)>) {
    let listener = Listener::start().await;
    listener.on("", answers);
    let table = DynamoTable::new(&listener.clients().await, "history");
    let outcome = table.commit(transaction).await;
    let requests = listener.requests().iter().map(read).collect();
    (outcome.map_err(|error| (error.class, error.to_string())), requests)
}

async fn request(write: Write) -> (String, Value) {
    let (outcome, mut requests) = commit(&Transaction::one(write), [ok("{}")]).await;
    assert_eq!((outcome, requests.len()), (Ok(Commit::Made), 1));
    requests.remove(0)
}

#[tokio::test]
async fn a_put_is_an_update_that_counts_and_leaves_nothing_of_before() {
    let names = json!({
        "#body": "body", "#packed": "packed", "#expires": "expires", "#version": "version",
    });
    let wanted = json!({
        "TableName": "history",
        "Key": key("STATE", "vpc-0a1"),
        "UpdateExpression": "SET #body = :body REMOVE #packed, #expires ADD #version :one",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":body": {"S": "{}"}, ":one": {"N": "1"}},
    });
    assert_eq!(request(put(Condition::Any)).await, ("UpdateItem".to_owned(), wanted));
    let packed = Write::Put {
        key: due(),
        body: Body::Packed(vec![1, 2, 3]),
        expires: Some("2026-11-23T12:00:00.9Z".parse().unwrap()),
        condition: Condition::Any,
    };
    let expression = "SET #packed = :body, #expires = :expires REMOVE #body ADD #version :one";
    let values =
        json!({":body": {"B": "AQID"}, ":one": {"N": "1"}, ":expires": {"N": "1795435200"}});
    let wanted = json!({
        "TableName": "history",
        "Key": key("WAITING", "due#vpc-0a1"),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    });
    assert_eq!(request(packed).await, ("UpdateItem".to_owned(), wanted));
}

#[tokio::test]
async fn a_condition_is_of_the_item_or_its_version() {
    let conditions = |request: (String, Value)| {
        let names = request.1["ExpressionAttributeNames"].clone();
        let value = request.1["ExpressionAttributeValues"][":version"].clone();
        (request.0, request.1["ConditionExpression"].clone(), names["#pk"].clone(), value)
    };
    let update = |condition: &str, pk: Value, version: Value| {
        ("UpdateItem".to_owned(), json!(condition), pk, version)
    };
    assert_eq!(
        conditions(request(put(Condition::Absent)).await),
        update("attribute_not_exists(#pk)", json!("pk"), Value::Null)
    );
    assert_eq!(
        conditions(request(put(Condition::Version(7))).await),
        update("#version = :version", Value::Null, json!({"N": "7"}))
    );
    let delete = |condition| Write::Delete { key: due(), condition };
    let wanted = json!({"TableName": "history", "Key": key("WAITING", "due#vpc-0a1")});
    assert_eq!(request(delete(Condition::Any)).await, ("DeleteItem".to_owned(), wanted.clone()));
    let mut conditioned = wanted;
    conditioned["ConditionExpression"] = json!("#version = :version");
    conditioned["ExpressionAttributeNames"] = json!({"#version": "version"});
    conditioned["ExpressionAttributeValues"] = json!({":version": {"N": "2"}});
    assert_eq!(
        request(delete(Condition::Version(2))).await,
        ("DeleteItem".to_owned(), conditioned)
    );
}

fn two(token: Option<&str>) -> Transaction {
    let writes =
        vec![put(Condition::Absent), Write::Delete { key: due(), condition: Condition::Any }];
    Transaction { token: token.map(str::to_owned), writes }
}

#[tokio::test]
async fn several_items_or_a_token_are_one_transaction() {
    let (outcome, requests) = commit(&two(Some("run-1f")), [ok("{}")]).await;
    assert_eq!(outcome, Ok(Commit::Made));
    let names = json!({
        "#body": "body", "#packed": "packed", "#expires": "expires", "#version": "version",
        "#pk": "pk",
    });
    let update = json!({
        "TableName": "history",
        "Key": key("STATE", "vpc-0a1"),
        "UpdateExpression": "SET #body = :body REMOVE #packed, #expires ADD #version :one",
        "ConditionExpression": "attribute_not_exists(#pk)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":body": {"S": "{}"}, ":one": {"N": "1"}},
    });
    let delete = json!({"TableName": "history", "Key": key("WAITING", "due#vpc-0a1")});
    let wanted = json!({
        "ClientRequestToken": "run-1f",
        "TransactItems": [{"Update": update}, {"Delete": delete}],
    });
    assert_eq!(requests, [("TransactWriteItems".to_owned(), wanted)]);

    let with_token = Transaction { token: Some("t".to_owned()), writes: vec![put(Condition::Any)] };
    let (_, requests) = commit(&with_token, [ok("{}")]).await;
    assert_eq!((requests.len(), requests[0].0.as_str()), (1, "TransactWriteItems"));
}

/// Its own condition would refuse what an earlier try had made.
#[tokio::test]
async fn a_transaction_is_tried_again_with_its_token_and_a_conditioned_write_only_when_refused() {
    let broken = || page(500, r#"{"__type":"InternalServerError"}"#);
    for token in [None, Some("run-1f")] {
        let (outcome, requests) = commit(&two(token), [broken(), ok("{}")]).await;
        assert_eq!((outcome, requests.len()), (Ok(Commit::Made), 2));
        let sent = |n: usize| requests[n].1["ClientRequestToken"].as_str().unwrap();
        assert_eq!(sent(0), sent(1));
    }
    let delete = Write::Delete { key: due(), condition: Condition::Version(1) };
    for write in [put(Condition::Absent), put(Condition::Version(1)), delete] {
        let transaction = Transaction::one(write);
        let (outcome, requests) = commit(&transaction, [broken(), ok("{}")]).await;
        assert_eq!(
            (outcome.map_err(|(class, _)| class), requests.len()),
            (Err(ErrorClass::Transient), 1)
        );
        let throttled = refusal("ProvisionedThroughputExceededException");
        let (outcome, requests) = commit(&transaction, [throttled, ok("{}")]).await;
        assert_eq!((outcome, requests.len()), (Ok(Commit::Made), 2));
    }
    let (outcome, requests) =
        commit(&Transaction::one(put(Condition::Any)), [broken(), ok("{}")]).await;
    assert_eq!((outcome, requests.len()), (Ok(Commit::Made), 2));
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_a_conflict_and_nothing_else_is() {
    for code in ["ConditionalCheckFailedException", "TransactionConflictException"] {
        let write = Transaction::one(put(Condition::Version(1)));
        assert_eq!(commit(&write, [refusal(code)]).await.0, Ok(Commit::Conflict), "{code}");
    }
    let write = Transaction::one(put(Condition::Any));
    let denied = "UpdateItem: AccessDeniedException: no".to_owned();
    assert_eq!(
        commit(&write, [refusal("AccessDeniedException")]).await.0,
        Err((ErrorClass::Denied, denied))
    );
}

#[tokio::test]
async fn the_reasons_of_a_cancelled_transaction_say_what_it_comes_to() {
    let cancelled = |codes: &[&str]| {
        let reason = |code: &&str| json!({"Code": code, "Message": "words"});
        let reasons: Vec<Value> = codes.iter().map(reason).collect();
        let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        page(400, &json!({"__type": code, "CancellationReasons": reasons}).to_string())
    };
    let error = |class, text: &str| Err((class, format!("TransactWriteItems: {text}")));
    for (codes, wanted) in [
        (&["ConditionalCheckFailed", "None"][..], Ok(Commit::Conflict)),
        (&["None", "TransactionConflict"], Ok(Commit::Conflict)),
        (
            &["ConditionalCheckFailed", "ThrottlingError"],
            error(ErrorClass::Throttled, "ThrottlingError: words"),
        ),
        (
            &["ProvisionedThroughputExceeded", "None"],
            error(ErrorClass::Throttled, "ProvisionedThroughputExceeded: words"),
        ),
        (&["None", "ValidationError"], error(ErrorClass::Invalid, "ValidationError: words")),
        (&["None", "None"], error(ErrorClass::Invalid, "TransactionCanceledException: ")),
    ] {
        assert_eq!(commit(&two(Some("t")), [cancelled(codes)]).await.0, wanted, "{codes:?}");
    }
    let other = "IdempotentParameterMismatchException";
    assert_eq!(
        commit(&two(Some("t")), [refusal(other)]).await.0,
        error(ErrorClass::Invalid, &format!("{other}: no"))
    );
}

fn item(name: &str, body: Value) -> Value {
    let mut item = key("WAITING", name);
    item["version"] = json!({"N": "3"});
    for (name, value) in body.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

#[tokio::test]
async fn an_item_is_read_consistently_and_what_is_none_is_an_error() {
    let listener = Listener::start().await;
    let get = format!("{TARGET}.GetItem");
    listener.on(
        &get,
        [
            ok("{}"),
            ok(json!({"Item": item("due#vpc-0a1", json!({"body": {"S": "{}"}}))}).to_string()),
            ok(json!({"Item": item("due#vpc-0a1", json!({"packed": {"B": "AQID"}}))}).to_string()),
            ok(json!({"Item": item("due#vpc-0a1", json!({}))}).to_string()),
        ],
    );
    let table = DynamoTable::new(&listener.clients().await, "history");
    let read_item = |body| Ok(Some(Item { key: due(), version: 3, body }));
    assert_eq!(table.get(&due()).await, Ok(None));
    assert_eq!(table.get(&due()).await, read_item(Body::Text("{}".to_owned())));
    assert_eq!(table.get(&due()).await, read_item(Body::Packed(vec![1, 2, 3])));
    assert_eq!(
        table.get(&due()).await.unwrap_err().to_string(),
        "GetItem: `due#vpc-0a1` of `WAITING#111122223333/eu-central-1` has neither a text `body` nor `packed`"
    );
    let wanted = json!({
        "TableName": "history", "Key": key("WAITING", "due#vpc-0a1"), "ConsistentRead": true,
    });
    assert_eq!(read(&listener.requests()[0]), ("GetItem".to_owned(), wanted));
}

#[tokio::test]
async fn a_partition_is_listed_to_its_last_page() {
    let listener = Listener::start().await;
    let of = |name| item(name, json!({"body": {"S": name}}));
    let next = |name| json!({"Items": [of(name)], "LastEvaluatedKey": key("WAITING", name)});
    let last = json!({"Items": [of("due#vpc-3")]});
    let pages = [next("due#vpc-1"), next("due#vpc-2"), last];
    listener.on(&format!("{TARGET}.Query"), pages.map(|page| ok(page.to_string())));
    let table = DynamoTable::new(&listener.clients().await, "history");
    let partition = Kind::Waiting.at(&scope().place());
    let listed = table.list(&partition, "due#").await.unwrap();
    let wanted = ["due#vpc-1", "due#vpc-2", "due#vpc-3"].map(|name| Item {
        key: partition.key(name),
        version: 3,
        body: Body::Text(name.to_owned()),
    });
    assert_eq!(listed, wanted);
    let query = json!({
        "TableName": "history",
        "ConsistentRead": true,
        "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :prefix)",
        "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
        "ExpressionAttributeValues": {
            ":pk": {"S": "WAITING#111122223333/eu-central-1"}, ":prefix": {"S": "due#"},
        },
    });
    let mut from: Vec<Value> = Vec::new();
    for request in listener.requests() {
        let (operation, mut asked) = read(&request);
        from.push(asked.as_object_mut().unwrap().remove("ExclusiveStartKey").unwrap_or_default());
        assert_eq!((operation.as_str(), &asked), ("Query", &query));
    }
    from.sort_by_key(ToString::to_string);
    assert_eq!(from, [Value::Null, key("WAITING", "due#vpc-1"), key("WAITING", "due#vpc-2")]);
}

#[tokio::test]
async fn a_page_that_comes_twice_is_an_error_and_no_prefix_is_none() {
    let listener = Listener::start().await;
    let same = json!({"Items": [], "LastEvaluatedKey": key("WAITING", "a")}).to_string();
    listener.on(&format!("{TARGET}.Query"), [ok(same)]);
    let table = DynamoTable::new(&listener.clients().await, "history");
    let error = table.list(&Kind::Waiting.at(&scope().place()), "").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Query: the same page was offered twice; the list cannot be read in full"
    );
    let (_, query) = read(&listener.requests()[0]);
    assert_eq!(
        (&query["KeyConditionExpression"], &query["ExpressionAttributeNames"]),
        (&json!("#pk = :pk"), &json!({"#pk": "pk"}))
    );
}

#[tokio::test]
async fn without_a_name_nothing_is_asked() {
    let listener = Listener::start().await;
    let table = DynamoTable::new(&listener.clients().await, "");
    let why = |operation: &str| format!("{operation}: no table is named; set `GUARDRAIL_TABLE`");
    let errors = [
        table.get(&due()).await.map(drop),
        table.list(&due().partition, "").await.map(drop),
        table.commit(&Transaction::one(put(Condition::Any))).await.map(drop),
        table.commit(&two(None)).await.map(drop),
    ];
    assert_eq!(
        errors.map(|error| error.unwrap_err().to_string()),
        ["GetItem", "Query", "UpdateItem", "TransactWriteItems"].map(why)
    );
    assert_eq!(listener.requests(), Vec::<String>::new());
}
