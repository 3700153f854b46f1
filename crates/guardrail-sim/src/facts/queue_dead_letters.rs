//! What is received too often.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use super::queue_scene::{FIFO, STANDARD, Scene, bodies, refused};
use crate::queue::{DeadLetter, Outgoing, QueueOptions};

fn receive_in_vain(scene: &mut Scene, queue: &str, times: usize) {
    for _ in 0..times {
        assert_ne!(scene.receive(queue), []);
        scene.wait(30);
    }
}

/// "When the ReceiveCount for a message exceeds the maxReceiveCount for a queue, Amazon SQS moves
/// the message to the dead-letter queue"; on the way it keeps its id, its group and its receives
/// ("across all queues").
#[test]
fn after_its_last_receive_a_message_is_moved() {
    let mut scene = Scene::new();
    scene.send("a", &["a1"]);
    receive_in_vain(&mut scene, FIFO, 3);
    assert_eq!(scene.receive("dead.fifo"), [], "it is moved when it is asked for again");
    assert_eq!(scene.bodies(), [""; 0]);
    let dead = scene.one("dead.fifo");
    let attribute = |name: &str| dead.system_attributes[name].as_str();
    assert_eq!(
        (dead.body.as_str(), attribute("MessageGroupId"), attribute("ApproximateReceiveCount")),
        ("a1", "a", "4")
    );
    assert_eq!(attribute("SenderId"), "AROADETECT:detect");
    assert_eq!(
        attribute("DeadLetterQueueSourceArn"),
        "arn:aws:sqs:eu-central-1:111122223333:fifo.fifo"
    );
    assert_eq!(scene.sqs.counts(FIFO, scene.now).unwrap().dead_lettered, 1);
}

/// A dead letter no longer holds up its group: what was sent after it comes.
#[test]
fn the_group_goes_on_without_it() {
    let mut scene = Scene::new();
    scene.send("a", &["a1"]);
    receive_in_vain(&mut scene, FIFO, 3);
    scene.send("a", &["a2", "a3"]);
    assert_eq!(scene.bodies(), ["a2", "a3"]);
}

/// Dead letters of a group keep their order.
#[test]
fn dead_letters_keep_their_order() {
    let mut scene = Scene::new();
    scene.send("a", &["a1", "a2"]);
    scene.send("b", &["b1"]);
    receive_in_vain(&mut scene, FIFO, 3);
    assert_eq!(scene.bodies(), [""; 0]);
    assert_eq!(bodies(&scene.receive("dead.fifo")), ["a1", "a2", "b1"]);
}

/// "For FIFO queues, the enqueue timestamp resets when the message is moved to a dead-letter queue";
/// "for standard queues, the expiration of a message is always based on its original enqueue
/// timestamp."
#[test]
fn a_dead_letter_of_a_fifo_queue_is_kept_from_its_move_on() {
    let mut scene = Scene::new();
    let day = 86_400;
    scene.send("a", &["a1"]);
    scene.try_send(STANDARD, Outgoing::standard("s1")).unwrap();
    receive_in_vain(&mut scene, FIFO, 3);
    receive_in_vain(&mut scene, STANDARD, 3);
    scene.wait(day);
    assert_eq!((scene.receive(FIFO), scene.receive(STANDARD)), (vec![], vec![]));
    scene.wait(3 * day);
    assert_eq!(bodies(&scene.receive("dead.fifo")), ["a1"]);
    assert_eq!(scene.receive("dead"), []);
}

/// A handle from the queue that a message was moved from deletes nothing.
#[test]
fn a_moved_message_is_not_deleted_by_its_old_handle() {
    let mut scene = Scene::new();
    scene.send("a", &["a1"]);
    receive_in_vain(&mut scene, FIFO, 2);
    let last = scene.one(FIFO);
    scene.wait(30);
    assert_eq!(scene.bodies(), [""; 0]);
    scene.delete(FIFO, &last).unwrap();
    assert_eq!(bodies(&scene.receive("dead.fifo")), ["a1"]);
}

/// "The dead-letter queue of a FIFO queue must also be a FIFO queue. Similarly, the dead-letter
/// queue of a standard queue must also be a standard queue"; "you must first create a new queue
/// before configuring it as a dead-letter queue"; maxReceiveCount is 1 to 1,000.
#[test]
fn a_dead_letter_queue_is_of_the_same_kind() {
    let mut scene = Scene::new();
    for (name, dead, count) in [
        ("x.fifo", "dead", 3),
        ("x", "dead.fifo", 3),
        ("x", "nowhere", 3),
        ("x", "dead", 0),
        ("x", "dead", 1001),
    ] {
        let dead_letter = DeadLetter { queue: dead.to_owned(), max_receive_count: count };
        let options = QueueOptions { dead_letter: Some(dead_letter), ..QueueOptions::default() };
        assert!(refused(scene.sqs.create(name, options, scene.now)).contains("RedrivePolicy"));
    }
}

/// "The name of a FIFO queue must end with the .fifo suffix"; visibility is at most 12 hours,
/// retention a minute to 14 days.
#[test]
fn what_queue_is_not_made() {
    let standing = QueueOptions::default;
    let cases = [
        ("a.b", standing(), "QueueName"),
        (".fifo", standing(), "QueueName"),
        (
            "x",
            QueueOptions { visibility_timeout: super::seconds(43_201), ..standing() },
            "Visibility",
        ),
        ("x", QueueOptions { retention: super::seconds(59), ..standing() }, "RetentionPeriod"),
        ("x", QueueOptions { content_based_deduplication: true, ..standing() }, "ContentBased"),
        (FIFO, standing(), "QueueAlreadyExists"),
    ];
    for (name, options, words) in cases {
        let mut scene = Scene::new();
        let said = refused(scene.sqs.create(name, options, scene.now));
        assert!(said.contains(words), "{said}");
    }
}
