//! The adapter's queues on ministack's SQS: what is held, and the way back of what was given up.

#![cfg(test)]

use std::time::Duration;

use e2e::pipeline::{Platform, REGION};
use guardrail::cloud::{Envelope, Send as _};
use guardrail_aws::{ClientOptions, Clients, Credentials, DeadLetters, Queue, ReceivedHandle};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Queues {
    platform: Platform,
    _folder: TempDir,
    clients: Clients,
    /// The queue, and its dead letters.
    urls: [String; 2],
}

impl Queues {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let platform = Platform::start(folder.path(), &[]);
        let urls = ["vpcs.fifo", "dead.fifo"].map(|name| {
            let queue = json!({ "QueueName": name, "Attributes": { "FifoQueue": "true" } });
            let made = platform.call("sqs", "create_queue", &queue).unwrap();
            made["QueueUrl"].as_str().unwrap().to_owned()
        });
        let options = ClientOptions {
            region: Some(REGION.parse().unwrap()),
            endpoint_url: Some(platform.url.clone()),
            credentials: Some(Credentials::new("test", "test", None, None, "test")),
            ..ClientOptions::default()
        };
        let clients = Clients::load(&options).await.unwrap();
        Self { platform, _folder: folder, clients, urls }
    }

    async fn send(&self, url: &str, group: &str, count: usize) {
        let message = |n: usize| Envelope {
            group: group.to_owned(),
            deduplication_id: format!("{group}-{n}"),
            body: format!("{group} {n}"),
        };
        let messages: Vec<_> = (0..count).map(message).collect();
        Queue::new(&self.clients, url).send(&messages).await.unwrap();
    }

    fn receive(&self, url: &str) -> Vec<Value> {
        let asked = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 600 });
        let answer = self.platform.call("sqs", "receive_message", &asked).unwrap();
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_held_group_is_handed_out_again_when_its_time_is_over() {
    let queues = Queues::start().await;
    let [url, _] = &queues.urls;
    queues.send(url, "g", 2).await;
    let received = queues.receive(url);
    assert_eq!(bodies(&received), ["g 0", "g 1"]);
    assert_eq!(queues.receive(url), Vec::<Value>::new());
    let handles: Vec<ReceivedHandle> = received
        .iter()
        .map(|message| message["ReceiptHandle"].as_str().unwrap().to_owned().into())
        .collect();
    Queue::new(&queues.clients, url).hold(&handles, Duration::ZERO).await.unwrap();
    assert_eq!(bodies(&queues.receive(url)), ["g 0", "g 1"]);
}

#[tokio::test]
async fn every_dead_letter_of_a_group_goes_back_in_order() {
    let queues = Queues::start().await;
    let [url, dead_url] = &queues.urls;
    queues.send(dead_url, "g", 12).await;
    queues.send(dead_url, "h", 1).await;
    let dead = DeadLetters::new(&queues.clients, dead_url, url);
    let seen = dead.receive().await.unwrap();
    dead.give_back(&seen).await.unwrap();
    let mut sent_back = 0;
    loop {
        let letters = dead.receive().await.unwrap();
        if letters.is_empty() {
            break;
        }
        for letter in &letters {
            assert!(letter.sent.is_some(), "{letter:?}");
            dead.send_back(letter).await.unwrap();
        }
        sent_back += letters.len();
    }
    assert_eq!(sent_back, 13);
    let mut back: Vec<String> = Vec::new();
    loop {
        let received = queues.receive(url);
        if received.is_empty() {
            break;
        }
        back.extend(bodies(&received).into_iter().map(str::to_owned));
        for message in &received {
            let handle = &message["ReceiptHandle"];
            let delete = json!({ "QueueUrl": url, "ReceiptHandle": handle });
            queues.platform.call("sqs", "delete_message", &delete).unwrap();
        }
    }
    let of_g: Vec<&String> = back.iter().filter(|body| body.starts_with('g')).collect();
    let wanted: Vec<String> = (0..12).map(|n| format!("g {n}")).collect();
    assert_eq!(of_g, wanted.iter().collect::<Vec<_>>());
    assert_eq!(back.len(), 13);
}
