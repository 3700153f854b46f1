//! The topic, the queue, the parameters, and whose credentials these are.

use std::collections::BTreeMap;

use guardrail::cloud::{Envelope, ErrorClass, Send as _, Telling as _};
use guardrail::history::Destination;
use guardrail::report::alert::{Alert, Attribute};
use guardrail_aws::{Body, Parameters, Queue, Topic, Topics};
use serde_json::{Value, json};

use crate::listener::{Listener, ok, page};

const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:alerts";
const QUEUE: &str = "http://localhost/111122223333/vpcs.fifo";

fn published() -> String {
    "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>"
        .to_owned()
}

fn messages(count: usize) -> Vec<Envelope> {
    let message = |n| Envelope {
        group: "g".to_owned(),
        deduplication_id: format!("d{n}"),
        body: format!("b{n}"),
    };
    (0..count).map(message).collect()
}

/// The JSON of a request, after the line with its target.
fn json_of(request: &str, target: &str) -> Value {
    let (first, body) = request.split_once('\n').unwrap();
    assert_eq!(first, target);
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn an_alert_is_published_with_its_attributes() {
    let listener = Listener::start().await;
    listener.on("Action=Publish", [ok(published())]);
    let attributes = [("mode", "repair"), ("account", "")]
        .map(|(name, text)| (name, Attribute::Text(text.to_owned())));
    let topic = Topic::new(&listener.clients().await, TOPIC);
    let id = topic
        .publish("A subject", &Body::Same("text".to_owned()), &BTreeMap::from(attributes))
        .await;
    assert_eq!(id.as_deref(), Ok("m-1"));
    assert_eq!(
        listener.requests()[0].lines().collect::<Vec<_>>(),
        [
            "Action=Publish",
            "Version=2010-03-31",
            &format!("TopicArn={TOPIC}"),
            "Message=text",
            "Subject=A subject",
            "MessageAttributes.entry.1.Name=mode",
            "MessageAttributes.entry.1.Value.DataType=String",
            "MessageAttributes.entry.1.Value.StringValue=repair",
        ]
    );
}

#[tokio::test]
async fn each_kind_of_subscriber_can_have_its_own_text() {
    let listener = Listener::start().await;
    listener.on("Action=Publish", [ok(published())]);
    let body = Body::PerProtocol {
        default: "for people".to_owned(),
        others: BTreeMap::from([("sqs", r#"{"a":1}"#.to_owned())]),
    };
    Topic::new(&listener.clients().await, TOPIC)
        .publish("S", &body, &BTreeMap::<&str, Attribute>::new())
        .await
        .unwrap();
    let request = &listener.requests()[0];
    assert!(request.lines().any(|line| line == "MessageStructure=json"));
    let message = request.lines().find_map(|line| line.strip_prefix("Message=")).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(message).unwrap(),
        json!({"default": "for people", "sqs": "{\"a\":1}"})
    );
}

#[tokio::test]
async fn an_alert_is_text_for_people_and_the_report_for_the_rest() {
    let listener = Listener::start().await;
    let published = "<PublishResult><MessageId>6f0a</MessageId></PublishResult>";
    listener.on("Action=Publish", [ok(format!("<PublishResponse>{published}</PublishResponse>"))]);
    let rules = Attribute::List(vec!["nat".to_owned(), "dns".to_owned()]);
    let attributes = BTreeMap::from(
        [("mode", Attribute::Text("repair".to_owned())), ("rules", rules)]
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let alert = Alert {
        subject: "S".to_owned(),
        text: "text".to_owned(),
        json: "{}".to_owned(),
        attributes,
    };
    Topic::new(&listener.clients().await, TOPIC).tell(&alert).await.unwrap();
    let request = &listener.requests()[0];
    let message = request.lines().find_map(|line| line.strip_prefix("Message=")).unwrap();
    let expected = json!({"default": "{}", "email": "text", "sms": "S"});
    assert_eq!(serde_json::from_str::<Value>(message).unwrap(), expected);
    let mut kinds: Vec<_> =
        request.lines().filter_map(|line| line.split_once("DataType=")).map(|(_, k)| k).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["String", "String.Array"]);
    assert!(
        request.lines().any(|line| line.ends_with(r#"StringValue=["nat","dns"]"#)),
        "{request}"
    );
}

#[tokio::test]
async fn an_alert_that_is_refused_says_why() {
    let listener = Listener::start().await;
    let error = "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>not authorized</Message></Error></ErrorResponse>";
    listener.on("Action=Publish", [page(403, error)]);
    let topic = Topic::new(&listener.clients().await, TOPIC);
    let none = BTreeMap::<&str, Attribute>::new();
    let error = topic.publish("S", &Body::Same("t".to_owned()), &none).await.unwrap_err();
    assert_eq!(
        (error.class, error.to_string()),
        (ErrorClass::Denied, "Publish: AuthorizationError: not authorized".to_owned())
    );
}

#[tokio::test]
async fn messages_go_ten_to_a_call_in_their_order() {
    let listener = Listener::start().await;
    listener.on("", [ok(r#"{"Successful":[],"Failed":[]}"#)]);
    let queue = Queue::new(&listener.clients().await, QUEUE);
    assert_eq!(queue.send(&messages(11)).await, Ok(()));
    let requests: Vec<_> = listener
        .requests()
        .iter()
        .map(|request| json_of(request, "AmazonSQS.SendMessageBatch"))
        .collect();
    let entry = |id: usize, n: usize| {
        json!({
            "Id": id.to_string(), "MessageBody": format!("b{n}"),
            "MessageDeduplicationId": format!("d{n}"), "MessageGroupId": "g",
        })
    };
    let first: Vec<_> = (0..10).map(|n| entry(n, n)).collect();
    assert_eq!(
        requests,
        [
            json!({"QueueUrl": QUEUE, "Entries": first}),
            json!({"QueueUrl": QUEUE, "Entries": [entry(0, 10)]})
        ]
    );
}

#[tokio::test]
async fn no_message_takes_no_call() {
    let listener = Listener::start().await;
    assert_eq!(Queue::new(&listener.clients().await, QUEUE).send(&[]).await, Ok(()));
    assert_eq!(listener.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_message_that_is_refused_is_an_error_and_the_rest_are_sent() {
    let listener = Listener::start().await;
    let refused =
        r#"{"Failed":[{"Id":"3","SenderFault":false,"Code":"InternalError","Message":"later"}]}"#;
    listener.on("", [ok(refused), ok(r#"{"Successful":[],"Failed":[]}"#)]);
    let error = Queue::new(&listener.clients().await, QUEUE).send(&messages(11)).await.unwrap_err();
    assert_eq!(error.to_string(), "SendMessageBatch: InternalError: later");
    assert_eq!(listener.requests().len(), 2);
}

#[tokio::test]
async fn a_parameter_is_read_decrypted() {
    let listener = Listener::start().await;
    listener.on(
        "",
        [ok(r#"{"Parameter":{"Name":"/guardrail/baseline","Value":"{}","Type":"SecureString"}}"#)],
    );
    let value = Parameters::new(&listener.clients().await).read("/guardrail/baseline").await;
    assert_eq!(value.as_deref(), Ok("{}"));
    let request = json_of(&listener.requests()[0], "AmazonSSM.GetParameter");
    assert_eq!(request, json!({"Name": "/guardrail/baseline", "WithDecryption": true}));
}

#[tokio::test]
async fn a_parameter_that_is_not_there_says_so() {
    let listener = Listener::start().await;
    listener.on("", [page(400, r#"{"__type":"ParameterNotFound","message":"no such parameter"}"#)]);
    let error = Parameters::new(&listener.clients().await).read("/nothing").await.unwrap_err();
    assert_eq!(
        (error.class, error.to_string()),
        (ErrorClass::NotFound, "GetParameter: ParameterNotFound: no such parameter".to_owned())
    );
}

#[tokio::test]
async fn the_account_is_the_callers() {
    let listener = Listener::start().await;
    let result =
        "<GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>";
    let answer = format!("<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>");
    listener.on("Action=GetCallerIdentity", [ok(answer)]);
    assert_eq!(listener.clients().await.account().await, Ok("111122223333".parse().unwrap()));
}

#[tokio::test]
async fn each_topic_is_told_by_itself_and_a_strangers_is_not() {
    let listener = Listener::start().await;
    let denied = "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>";
    let other = "arn:aws:sns:eu-central-1:111122223333:others";
    listener
        .on(&format!("Action=Publish TopicArn={TOPIC}"), [ok(published())])
        .on(&format!("Action=Publish TopicArn={other}"), [page(403, denied)]);
    let topics = Topics::new(&listener.clients().await, &format!("{TOPIC}, {other},"));
    let destinations = topics.destinations();
    assert_eq!(destinations, [TOPIC, other].map(Destination::new));
    let alert = Alert {
        subject: "S".to_owned(),
        text: "text".to_owned(),
        json: "{}".to_owned(),
        attributes: BTreeMap::new(),
    };
    let mut told = Vec::new();
    for destination in destinations.iter().chain([&Destination::new("nobody's")]) {
        told.push(topics.tell(destination, &alert).await.map_err(|error| error.class));
    }
    assert_eq!(told, [Ok(()), Err(ErrorClass::Denied), Err(ErrorClass::Invalid)]);
    assert_eq!(listener.of("Publish").len(), 2);
}
