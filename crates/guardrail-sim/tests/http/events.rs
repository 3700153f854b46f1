//! The event of each call: the guardrail reads it back, and it makes the same change again.

use std::collections::BTreeSet;

use guardrail::event::{Tool, decode};
use guardrail_sim::http::{Events, ServerOptions};
use guardrail_sim::{Replayed, Sim, SimOptions, replay_call};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::client::{NOW, serve};

const WORLD: &str = include_str!("../../src/facts/world.json");
const CALLS: &str = include_str!("calls.txt");
const EXPECTED: &str = include_str!("events.expected.txt");

/// The world's ids, the longer before those that they end in.
const IDS: [&str; 35] = [
    "vpc-1",
    "vpc-2",
    "vpc-9",
    "subnet-a1",
    "subnet-a2",
    "subnet-b1",
    "subnet-c1",
    "subnet-x1",
    "rtb-main",
    "rtb-public",
    "rtb-a",
    "rtb-b",
    "rtb-x",
    "rtbassoc-main",
    "rtbassoc-a1",
    "rtbassoc-a2",
    "rtbassoc-x",
    "vpce-s3",
    "vpce-ssm",
    "vpce-managed",
    "vpce-9",
    "nat-1",
    "sg-default",
    "sg-web",
    "sg-x",
    "eni-ssm",
    "eni-router",
    "i-router",
    "igw-1",
    "vgw-1",
    "pl-s3",
    "pl-ddb",
    "pl-own",
    "aclassoc-a1",
    "acl-1",
];

/// The text with ids as AWS gives them, which is what the guardrail looks for in records.
fn with_long_ids(text: &str) -> String {
    IDS.iter().enumerate().fold(text.to_owned(), |text, (n, id)| {
        let (prefix, _) = id.split_once('-').unwrap();
        text.replace(id, &format!("{prefix}-0a1b2c3d4e5f{n:05}"))
    })
}

/// The calls of `calls.txt` that change something.
fn changes() -> Vec<String> {
    let (_, changes) = CALLS.split_once("# Changes").unwrap();
    let (changes, _) = changes.split_once("# From nothing").unwrap();
    let changes = changes
        .lines()
        .filter(|line| line.starts_with("Action=") && !line.starts_with("Action=Describe"));
    changes.map(with_long_ids).collect()
}

fn to_file(dir: &tempfile::TempDir) -> (std::path::PathBuf, ServerOptions) {
    let path = dir.path().join("events.jsonl");
    (path.clone(), ServerOptions { events: Some(Events::File(path)), ..ServerOptions::default() })
}

fn events(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `events.expected.txt` has the ids that the guardrail reads, and both bodies, of each call's
/// event. After a wanted change, run this test with `UPDATE=1` and read the difference.
#[tokio::test]
async fn the_guardrail_reads_the_event_of_every_change() {
    let dir = tempfile::tempdir().unwrap();
    let (path, options) = to_file(&dir);
    let client = serve(&with_long_ids(WORLD), options).await;
    for call in changes() {
        let reply = client.call(&call).await.unwrap();
        assert_eq!(reply.status, 200, "{call}: {}", reply.body);
    }
    let mut text = String::new();
    let mut actions = BTreeSet::new();
    for event in events(&path) {
        let evidence = decode(&event).unwrap();
        let record = &evidence.record;
        assert_eq!(
            (record.actor.as_str(), evidence.time.as_deref(), record.failed),
            ("sim-user", Some(NOW), false)
        );
        let place =
            (record.account.as_ref().unwrap().as_str(), record.region.as_ref().unwrap().as_str());
        assert_eq!(place, ("111122223333", "eu-central-1"));
        let (request, response) =
            (&event["detail"]["requestParameters"], &event["detail"]["responseElements"]);
        let ids = record.resource_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        text.push_str(&format!("{}: {ids}\n  {request}\n  {response}\n", record.event));
        actions.insert(record.event.clone());
    }
    assert_eq!(actions.len(), 28, "every change is here: {actions:?}");
    if std::env::var_os("UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/events.expected.txt");
        std::fs::write(path, &text).unwrap();
        return;
    }
    for (line, expected) in text.lines().zip(EXPECTED.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(text.lines().count(), EXPECTED.lines().count());
}

/// Of the calls that build a network from nothing, the guardrail watches these two; what the events
/// name is what it looks up.
#[tokio::test]
async fn an_attached_gateway_and_a_changed_list_are_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let (path, options) = to_file(&dir);
    let client = serve(&with_long_ids(WORLD), options).await;
    for call in [
        "Action=DetachInternetGateway&InternetGatewayId=igw-1&VpcId=vpc-1",
        "Action=AttachInternetGateway&InternetGatewayId=igw-1&VpcId=vpc-1",
        "Action=ModifyManagedPrefixList&PrefixListId=pl-own&CurrentVersion=1&MaxEntries=2&AddEntry.1.Cidr=198.51.100.0%2F24",
    ] {
        let reply = client.call(&with_long_ids(call)).await.unwrap();
        assert_eq!(reply.status, 200, "{call}: {}", reply.body);
    }
    let told = events(&path);
    let told = told.iter().map(|event| {
        let record = decode(event).unwrap().record;
        let ids = record.resource_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        (record.event.clone(), ids)
    });
    let expected = [
        ("DetachInternetGateway", "igw-1 vpc-1"),
        ("AttachInternetGateway", "igw-1 vpc-1"),
        ("ModifyManagedPrefixList", "pl-own"),
    ];
    let expected = expected.map(|(event, ids)| (event.to_owned(), with_long_ids(ids)));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let body = |n: usize, key: &str| events(&path)[n]["detail"][key].clone();
    assert_eq!(
        body(1, "requestParameters"),
        json!({"internetGatewayId": with_long_ids("igw-1"), "vpcId": with_long_ids("vpc-1")})
    );
    assert_eq!(
        body(2, "requestParameters"),
        json!({"ModifyManagedPrefixListRequest": {
            "PrefixListId": with_long_ids("pl-own"), "CurrentVersion": 1, "MaxEntries": 2,
            "AddEntry": {"Cidr": "198.51.100.0/24", "tag": 1},
        }})
    );
}

/// EventBridge's rule of the stack asks for this source and detail-type; a recorded event has the
/// same fields.
#[tokio::test]
async fn around_the_record_is_what_eventbridge_puts_there() {
    let dir = tempfile::tempdir().unwrap();
    let (path, options) = to_file(&dir);
    let client = serve(WORLD, options).await;
    client.call("Action=DeleteTags&ResourceId.1=vpc-1").await.unwrap();
    let mut event = events(&path).pop().unwrap();
    let recorded: Value =
        serde_json::from_str(include_str!("../../../../events/DeleteTags.json")).unwrap();
    assert_eq!(
        event.as_object().unwrap().keys().collect::<BTreeSet<_>>(),
        recorded.as_object().unwrap().keys().collect::<BTreeSet<_>>()
    );
    event["detail"].take();
    assert_eq!(
        event,
        json!({
            "version": "0",
            "id": event["id"],
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.ec2",
            "account": "111122223333",
            "time": NOW,
            "region": "eu-central-1",
            "resources": [],
            "detail": null,
        })
    );
}

#[tokio::test]
async fn the_event_makes_the_same_change_on_the_world_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let (path, options) = to_file(&dir);
    let client = serve(&with_long_ids(WORLD), options).await;
    for call in changes() {
        let before = serde_json::from_value(client.look("world").await).unwrap();
        client.call(&call).await.unwrap();
        let mut copy = Sim::new(before, NOW.parse().unwrap(), SimOptions::default());
        let event = events(&path).pop().unwrap();
        assert_eq!(replay_call(&mut copy, &event), Replayed::Made, "{call}");
        assert_eq!(json!(copy.world()), client.look("world").await, "{call}");
    }
}

#[tokio::test]
async fn a_failed_change_is_an_event_too_and_a_read_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let (path, options) = to_file(&dir);
    let client = serve(WORLD, options).await;
    client.tell("fault", "operation=DeleteRoute&code=InternalError").await;
    for call in [
        "Action=DescribeVpcs",
        "Action=DescribeVpcs&VpcId.1=vpc-9",
        "Action=Nonsense",
        "Action=DeleteRoute&RouteTableId=rtb-a&DestinationCidrBlock=0.0.0.0%2F0",
        "Action=DeleteRoute&RouteTableId=rtb-a&DestinationCidrBlock=0.0.0.0%2F0&DryRun=true",
        "Action=DeleteRoute&RouteTableId=x&DestinationCidrBlock=0.0.0.0%2F0",
    ] {
        client.call(call).await.unwrap();
    }
    let told: Vec<Value> =
        events(&path).into_iter().map(|mut event| event["detail"].take()).collect();
    let brief = |event: &Value| {
        let keys = ["errorCode", "errorMessage", "requestParameters", "responseElements"];
        keys.map(|key| event[key].clone())
    };
    let asked = |table: &str| json!({"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0"});
    assert_eq!(
        told.iter().map(brief).collect::<Vec<_>>(),
        [
            [
                json!("Server.InternalError"),
                json!("DeleteRoute was made to fail"),
                asked("rtb-a"),
                Value::Null
            ],
            [
                json!("Client.DryRunOperation"),
                json!("Request would have succeeded, but DryRun flag is set."),
                asked("rtb-a"),
                Value::Null
            ],
            [
                json!("Client.InvalidRouteTableID.Malformed"),
                json!("Invalid id: \"x\""),
                asked("x"),
                Value::Null
            ],
        ]
    );
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_recorded_as_it_happened() {
    let dir = tempfile::tempdir().unwrap();
    let (path, options) = to_file(&dir);
    let client = serve(WORLD, options).await;
    client.tell("fault", "operation=DeleteNatGateway&code=lost").await;
    assert_eq!(client.call("Action=DeleteNatGateway&NatGatewayId=nat-1").await, None);
    let detail = events(&path).pop().unwrap()["detail"].take();
    assert_eq!(detail.get("errorCode"), None);
    assert_eq!(detail["responseElements"]["DeleteNatGatewayResponse"]["natGatewayId"], "nat-1");
}

#[tokio::test]
async fn the_actor_is_who_signed_and_the_agent_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let (path, options) = to_file(&dir);
    let client = serve(WORLD, options).await;
    for key in ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"] {
        let headers = format!(
            "authorization: AWS4-HMAC-SHA256 Credential={key}/20261122/eu-central-1/ec2/aws4_request, Signature=0\r\n\
             user-agent: aws-cli/2.31.0 md/command#ec2.delete-tags\r\n"
        );
        client.send("POST", "/", &headers, "Action=DeleteTags&ResourceId.1=vpc-1").await.unwrap();
    }
    let events = events(&path);
    let keys: Vec<&Value> =
        events.iter().map(|event| &event["detail"]["userIdentity"]["accessKeyId"]).collect();
    assert_eq!(keys, ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"]);
    let actors = events.iter().map(|event| decode(event).unwrap().record);
    let actors: Vec<_> =
        actors.map(|record| (record.actor, record.tool, record.source_ip)).collect();
    let by = |actor: &str| (actor.to_owned(), Tool::Cli, Some("127.0.0.1".to_owned()));
    assert_eq!(actors, [by("sim-user"), by("sim-role/sim-session")]);
}

#[tokio::test]
async fn events_are_posted_to_a_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in?from=sim", listener.local_addr().unwrap());
    let client = serve(
        WORLD,
        ServerOptions { events: Some(url.parse().unwrap()), ..ServerOptions::default() },
    )
    .await;
    client.call("Action=DeleteTags&ResourceId.1=vpc-1").await.unwrap();

    let (mut stream, _) = listener.accept().await.unwrap();
    let mut text = String::new();
    let event: Value = loop {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.unwrap();
        assert_ne!(length, 0, "the connection ended in the middle of {text}");
        text.push_str(std::str::from_utf8(&part[..length]).unwrap());
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(event) = serde_json::from_str(body)
        {
            break event;
        }
    };
    stream.write_all(b"HTTP/1.1 500 Oh No\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    assert!(text.starts_with("POST /in?from=sim HTTP/1.1\r\n"), "{text}");
    assert_eq!(event["detail"]["eventName"], "DeleteTags");
    while client.look("status").await["undelivered_events"] != 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        client.look("status").await["last_delivery_failure"],
        format!("{url} answered 500 Internal Server Error")
    );
}

#[tokio::test]
async fn events_get_lost_come_twice_and_overtake_each_other_as_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (path, options) = to_file(&dir);
    let mishaps = "lost=30,repeated=50,late=40ms,seed=2".parse().unwrap();
    let client = serve(WORLD, ServerOptions { mishaps, ..options }).await;
    for _ in 0..20 {
        client.call("Action=DeleteTags&ResourceId.1=vpc-1").await.unwrap();
    }
    let fates = client.look("status").await["events"].clone();
    let fate = |name: &str| fates[name].as_u64().unwrap();
    assert_eq!(fate("sent"), 20);
    assert!(fate("lost") > 0 && fate("repeated") > 0, "{fates}");
    let expected = usize::try_from(20 - fate("lost") + fate("repeated")).unwrap();
    let mut came = Vec::new();
    while came.len() < expected {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        came = events(&path);
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let ids: Vec<String> =
        events(&path).iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), expected, "and no more");
    let different: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(different.len() as u64, 20 - fate("lost"));
    assert!(!ids.is_sorted(), "{ids:?}");
}
