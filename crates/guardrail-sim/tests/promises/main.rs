//! The promises of the README, each shown on the life that the functions run: a batch, the clock, a
//! sweep. What judges them shares no code with what keeps them: it reads the simulator's world, the
//! table's items and what was told.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's helpers stop the test as the test does"
)]

mod judge;
mod seams;
mod stage;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use guardrail::ec2::snapshot::Section;
use guardrail::history::Kind;
use guardrail_sim::queue::{DeadLetter, Outgoing, QueueOptions, Sender, Sqs};
use guardrail_sim::{Fault, Recorded};
use serde_json::{Value, json};

use crate::judge::{is_recorded, lost_by, may_change, not_planned, rests_on, tells_undo, things};
use crate::stage::{
    MANAGED, NAT, OTHER, S3, Stage, TABLE, delete_endpoint, endpoint_deleted, nat_route,
    route_created,
};

const NONE: [String; 0] = [];

/// What is missing is made at once, and what is seen counts at once: for the promises that are not
/// about waiting.
fn at_once() -> Value {
    json!({
        "settling": {"minutes": 0, "dhcp_options_minutes": 0},
        "rules": {
            "gateway-endpoint": {"grace_minutes": 0},
            "interface-endpoint": {"grace_minutes": 0},
        },
    })
}

/// A compliant VPC gets no write call.
#[test]
fn promise_1() {
    let stage = Stage::new(json!({}));
    stage.sim.sim_mut().take_calls();
    assert_eq!(stage.deliver(&[&route_created(), &endpoint_deleted()]), NONE);
    stage.minutes(30);
    stage.sweep();
    stage.minutes(30);
    let calls = stage.sim.sim_mut().take_calls();
    assert!(calls.len() > 10, "nobody looked");
    assert_eq!(calls.into_iter().filter(Recorded::is_write).collect::<Vec<_>>(), []);
    assert_eq!(stage.subjects(), NONE);
}

/// Nothing outside a managed VPC, nor what the plan does not name, is touched.
#[test]
fn promise_2() {
    let stage = Stage::new(at_once());
    stage.drift(OTHER);
    // Until EC2 lists what was deleted no more.
    stage.pass(Duration::from_secs(1_200));
    stage.drift(MANAGED);
    let other = |world: &Value| -> BTreeMap<String, Value> {
        let its = |thing: &Value| thing.to_string().contains(OTHER);
        things(world).into_iter().filter(|(id, thing)| id.contains(OTHER) || its(thing)).collect()
    };
    let before = other(&stage.world());
    assert!(before.len() > 15, "{before:?}");
    stage.deliver(&[&route_created()]);
    stage.minutes(15);
    stage.sweep();
    stage.minutes(15);
    assert!(!stage.leads_out(), "nothing was done");
    assert_eq!(other(&stage.world()), before);
    let made = stage.made.borrow();
    assert!(made.len() >= 3, "{:?}", stage.effects());
    for made in made.iter() {
        assert_eq!(not_planned(made), NONE, "{}", made.call);
    }
}

/// A subnet never loses its last way to a required service by our hand.
#[test]
fn promise_3() {
    let lost = |baseline: Value, prepare: &dyn Fn(&Stage)| {
        let stage = Stage::new(baseline);
        prepare(&stage);
        stage.deliver(&[&route_created()]);
        stage.minutes(30);
        stage.sweep();
        stage.minutes(30);
        let lost: BTreeSet<String> = stage.made.borrow().iter().flat_map(lost_by).collect();
        (lost.into_iter().collect::<Vec<String>>(), stage.leads_out())
    };
    let nothing = || Vec::<String>::new();
    let drift = |stage: &Stage| stage.drift(MANAGED);
    assert_eq!(lost(json!({}), &drift), (nothing(), false));
    // While an endpoint cannot be made, the route stays.
    let refused = |stage: &Stage| {
        stage.drift(MANAGED);
        let fault = Fault::refuse("CreateVpcEndpoint", "VpcEndpointLimitExceeded").times(1000);
        stage.sim.sim_mut().inject(fault);
    };
    assert_eq!(lost(json!({}), &refused), (nothing(), true));
    // An endpoint that somebody deletes right before the route would go keeps it until there is
    // another.
    let deleted = |stage: &Stage| {
        stage.somebody(&nat_route(TABLE, NAT));
        *stage.meddling.borrow_mut() = Some(delete_endpoint(S3));
    };
    assert_eq!(lost(at_once(), &deleted), (nothing(), false));
    // The judge sees a core that breaks the promise: one that acts on what it saw before.
    let broken = |stage: &Stage| {
        stage.down.looks_again.set(true);
        deleted(stage);
    };
    let (by_a_broken_core, leads_out) = lost(at_once(), &broken);
    assert_eq!((by_a_broken_core.len(), leads_out), (1, false), "{by_a_broken_core:?}");
    assert!(by_a_broken_core[0].starts_with("s3 from subnet-"), "{by_a_broken_core:?}");
    // Who wants it otherwise has to say so; and the judge sees it.
    let immediately = json!({"internet_routes": {"remove": "immediately"}});
    let (lost, leads_out) = lost(immediately, &refused);
    assert_eq!((lost.len(), leads_out), (2, false), "{lost:?}");
}

/// No step is made on a section that it rests on and that was not read completely and afresh.
#[test]
fn promise_4() {
    let after = |prepare: &dyn Fn(&Stage)| {
        let stage = Stage::new(at_once());
        stage.drift(MANAGED);
        prepare(&stage);
        stage.deliver(&[&route_created()]);
        stage.minutes(10);
        stage
    };
    for missing in Section::judged() {
        let stage = after(&|stage| stage.down.section.set(Some(missing)));
        for made in stage.made.borrow().iter() {
            let rests = rests_on(made.operation).contains(&missing);
            assert!(!rests, "{missing} was not read: {}", made.call);
        }
    }
    let stage = after(&|_| {});
    assert!(!stage.leads_out(), "{:?}", stage.effects());
    for made in stage.made.borrow().iter() {
        let rests = rests_on(made.operation).iter();
        let is_stale = |section: &&Section| may_change(section) && !made.read.contains(section);
        let stale: Vec<&Section> = rests.filter(is_stale).collect();
        assert_eq!(stale, Vec::<&Section>::new(), "not read again before {}", made.call);
    }
    // What happens between the look and the step, the step sees.
    let stage = Stage::new(at_once());
    stage.somebody(&nat_route(TABLE, NAT));
    *stage.meddling.borrow_mut() = Some(delete_endpoint(S3));
    stage.deliver(&[&route_created()]);
    assert!(stage.meddling.borrow().is_none(), "nobody looked again");
    assert_eq!((stage.effects(), stage.leads_out()), (vec![], true));
}

/// Each occurrence of a fault, from its appearance to its verified end, has each planned step made
/// effective at most once, however many times, in whatever order, however late its events arrive.
#[test]
fn promise_5() {
    let stage = Stage::new(json!({}));
    stage.drift(MANAGED);
    // The answer to the first creation is lost, and nobody knows whether it was made.
    stage.sim.sim_mut().inject(Fault::lose_answer("CreateVpcEndpoint"));
    let (route, endpoint) = (route_created(), endpoint_deleted());
    stage.deliver_at_once([&endpoint, &route]);
    let late = [(0, &endpoint), (0, &route), (1, &route), (2, &endpoint), (20, &route)];
    let later = [(1, &endpoint), (30, &endpoint), (0, &route), (90, &route), (0, &endpoint)];
    for (minutes, event) in late.into_iter().chain(later) {
        stage.minutes(minutes);
        assert_eq!(stage.deliver(&[event, event]), NONE);
    }
    stage.sweep();
    stage.minutes(10);
    assert!(!stage.leads_out());
    let mut effects = stage.effects();
    effects.sort();
    let once: BTreeSet<String> = effects.iter().cloned().collect();
    assert_eq!(effects, once.into_iter().collect::<Vec<_>>());
    let world = stage.world();
    let endpoints = world["VpcEndpoints"].as_array().unwrap().iter();
    let mine = endpoints.filter(|e| e["VpcId"] == MANAGED && e["State"] == "available");
    let mut services: Vec<&str> = mine.map(|e| e["ServiceName"].as_str().unwrap()).collect();
    services.sort_unstable();
    let names = ["dynamodb", "ec2messages", "s3", "ssm", "ssmmessages"];
    assert_eq!(services, names.map(|name| format!("com.amazonaws.eu-central-1.{name}")));
}

/// Every change is recorded before it is made and told after, with its undo, also when the process
/// is killed in between.
#[test]
fn promise_6() {
    let mut kills = 0;
    for awaits in 1.. {
        let stage = Stage::new(at_once());
        stage.somebody(&delete_endpoint(S3));
        stage.pass(Duration::from_secs(120));
        stage.somebody(&nat_route(TABLE, NAT));
        let ended = stage.deliver_until(&[&route_created()], awaits).is_some();
        if !ended {
            kills += 1;
            // The message was not deleted, and is handed out again.
            stage.minutes(6);
            stage.deliver(&[&route_created()]);
        }
        stage.minutes(10);
        assert!(!stage.leads_out(), "killed at {awaits}: {:?}", stage.effects());
        for (number, made) in stage.made.borrow().iter().enumerate() {
            assert!(is_recorded(made), "killed at {awaits}: not recorded before {}", made.call);
            let told = stage.told.borrow();
            let mut after = told.iter().filter(|told| told.writes > number);
            let is_told = after.any(|told| tells_undo(&told.alert.text, made));
            assert!(is_told, "killed at {awaits}: not told: {}", made.call);
        }
        if ended {
            break;
        }
    }
    assert!(kills > 40, "{kills}");
}

/// Nothing is silently dropped: what could not be done is looked at again, then in a dead-letter
/// queue with an alarm, and found by the next sweep.
#[test]
fn promise_7() {
    let stage = Stage::new(at_once());
    stage.somebody(&nat_route(TABLE, NAT));
    // The table is down: nothing is done, and the message goes back each time, until it is set
    // aside.
    stage.down.table.set(true);
    assert_eq!(dead_letters(&stage, &route_created()), [route_created()]);
    assert_eq!((stage.effects(), stage.subjects()), (vec![], vec![]));
    stage.down.table.set(false);

    // A section cannot be read: the VPC is looked at again, and nobody needs to send a message.
    stage.down.section.set(Some(Section::RouteTables));
    assert_eq!(stage.deliver(&[&route_created()]), NONE);
    assert_eq!(stage.items(Kind::Waiting, "due#").len(), 1);
    stage.down.section.set(None);
    // The topic is down: what was done is kept until it is told.
    stage.down.topic.set(true);
    stage.minutes(10);
    assert!(!stage.leads_out());
    assert_eq!(stage.subjects(), NONE);
    stage.down.topic.set(false);
    stage.minutes(10);
    let told = stage.told.borrow().iter().any(|told| told.alert.text.contains("create-route"));
    assert!(told, "{:?}", stage.subjects());

    // What nobody can read leaves the queue when its copy is kept, and not before.
    stage.down.copies.set(true);
    assert_eq!(stage.deliver(&["no message"]), ["m-0"]);
    stage.down.copies.set(false);
    assert_eq!(stage.deliver(&["no message"]), NONE);
    assert_eq!(*stage.aside.borrow(), ["no message"]);

    // What no event told, the sweep finds.
    stage.somebody(&nat_route(TABLE, NAT));
    stage.minutes(30);
    assert!(stage.leads_out(), "nobody knows yet");
    stage.sweep();
    stage.minutes(10);
    assert!(!stage.leads_out());

    let template = include_str!("../../../../template.yaml");
    for (queue, alarm) in [
        ("RepairDeadLetters", "RepairDeadLettersAlarm:"),
        ("UnreadableMessages", "UnreadableMessagesAlarm:"),
    ] {
        let (_, alarm) = template.split_once(alarm).unwrap();
        let (alarm, _) = alarm.split_once("AlarmActions: [!Ref AlertTopic]").unwrap();
        assert!(alarm.contains(&format!("!GetAtt {queue}.QueueName")), "{alarm}");
    }
}

/// What is in the dead-letter queue when a message has been handed out as often as the queue does.
fn dead_letters(stage: &Stage, body: &str) -> Vec<String> {
    let mut sqs = Sqs::new("111122223333", "eu-central-1");
    let options = QueueOptions { ..QueueOptions::default() };
    sqs.create("dead.fifo", options.clone(), stage.now()).unwrap();
    let dead_letter = DeadLetter { queue: "dead.fifo".to_owned(), max_receive_count: 12 };
    let options = QueueOptions { dead_letter: Some(dead_letter), ..options };
    sqs.create("vpcs.fifo", options, stage.now()).unwrap();
    let sender = Sender { principal: "detect".to_owned(), id: "detect".to_owned() };
    sqs.send("vpcs.fifo", &sender, Outgoing::fifo(MANAGED, "1", body), stage.now()).unwrap();
    for _ in 0..20 {
        for message in sqs.receive("vpcs.fifo", 10, None, stage.now()).unwrap() {
            if stage.deliver(&[&message.body]).is_empty() {
                sqs.delete("vpcs.fifo", &message.receipt_handle, stage.now()).unwrap();
            }
        }
        stage.pass(Duration::from_secs(1_800));
    }
    let dead = sqs.receive("dead.fifo", 10, None, stage.now()).unwrap();
    dead.into_iter().map(|message| message.body).collect()
}

/// What stands is told once, then in one digest a day.
#[test]
fn promise_8() {
    let stage = Stage::new(json!({"mode": "notify"}));
    stage.somebody(&nat_route(TABLE, NAT));
    assert_eq!(stage.deliver(&[&route_created()]), NONE);
    for _ in 0..54 {
        stage.minutes(60);
        stage.sweep();
        // The same event again, as late as it likes: somebody looks, and nothing is new.
        assert_eq!(stage.deliver(&[&route_created()]), NONE);
    }
    assert!(stage.leads_out());
    let told = stage.told.borrow();
    let days = told.iter().skip(1).map(|told| told.at.strftime("%F").to_string());
    let days: Vec<String> = days.collect();
    let subjects = stage.subjects();
    assert!(subjects[0].contains(MANAGED), "{subjects:?}");
    assert!(subjects[1..].iter().all(|subject| subject.contains("once a day")), "{subjects:?}");
    assert_eq!(days, ["2026-09-15", "2026-09-16"], "{subjects:?}");
}

/// The README's promises are the sentences above the tests.
#[test]
fn the_readme_promises_what_is_tested() {
    let (readme, tests) = (include_str!("../../../../README.md"), include_str!("main.rs"));
    let (_, promises) = readme.split_once("\n## Promises\n").unwrap();
    let (promises, _) = promises.split_once("\n## ").unwrap();
    let mut promised: Vec<String> = Vec::new();
    for line in promises.lines() {
        let number = format!("{}. ", promised.len() + 1);
        match (line.strip_prefix(&number), line.strip_prefix("   ")) {
            (Some(first), _) => promised.push(first.to_owned()),
            (None, Some(more)) => {
                let last = promised.last_mut().unwrap();
                *last = format!("{last} {more}");
            }
            (None, None) => {}
        }
    }
    let mut tested = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in tests.lines() {
        match line.strip_prefix("/// ") {
            Some(more) => comment.push(more),
            None if line.starts_with("fn promise_") => {
                let name = format!("fn promise_{}()", tested.len() + 1);
                assert!(line.starts_with(&name), "{line}");
                tested.push(std::mem::take(&mut comment).join(" "));
            }
            None if line.starts_with("#[") => {}
            None => comment.clear(),
        }
    }
    assert_eq!((promised.len(), promised), (8, tested));
}
