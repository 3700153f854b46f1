//! FIFO queues: order, groups and visibility.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>

use super::queue_scene::{FIFO, STANDARD, Scene, bodies};
use crate::queue::Outgoing;

/// "You can receive multiple messages from the same message group ID in a single call (up to 10
/// messages using the `MaxNumberOfMessages` parameter)"; "messages retrieved in a batch retain
/// their FIFO order within the group."
#[test]
fn up_to_ten_of_one_group_come_at_once_in_their_order() {
    let mut scene = Scene::new();
    let sent: Vec<String> = (0..12).map(|n| format!("m{n:02}")).collect();
    scene.send("a", &sent.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(scene.bodies(), sent[..10]);
}

/// "However, you can't receive additional messages from the same message group ID in subsequent
/// requests until the currently received messages are deleted, or they become visible again."
#[test]
fn none_of_a_group_comes_while_one_of_it_is_in_flight() {
    let mut scene = Scene::new();
    scene.send("a", &["a1", "a2", "a3"]);
    let first = scene.one(FIFO);
    assert_eq!(scene.bodies(), [""; 0]);
    scene.delete(FIFO, &first).unwrap();
    assert_eq!(scene.bodies(), ["a2", "a3"]);
    scene.wait(29);
    assert_eq!(scene.bodies(), [""; 0]);
    scene.wait(1);
    assert_eq!(scene.bodies(), ["a2", "a3"]);
}

/// "Attempts to return as many messages with the same message group ID as possible in a single
/// call. Allows other consumers to process messages from different message group IDs at the same
/// time." "If fewer than 10 messages are available for the same message group ID, Amazon SQS may
/// include messages from other message group IDs in the same batch, but each group retains FIFO
/// order."
#[test]
fn a_group_comes_whole_and_then_the_next() {
    let mut scene = Scene::new();
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2")] {
        scene.send(group, &[body]);
    }
    assert_eq!(bodies(&scene.sqs.receive(FIFO, 3, None, scene.now).unwrap()), ["a1", "a2", "b1"]);
    scene.send("c", &["c1"]);
    assert_eq!(scene.bodies(), ["c1"]);
}

/// "For each MessageGroupId, the messages are sorted by time sent": what comes again comes before
/// what was sent after it.
#[test]
fn what_comes_again_comes_first() {
    let mut scene = Scene::new();
    scene.send("a", &["a1"]);
    scene.one(FIFO);
    scene.send("a", &["a2"]);
    scene.wait(30);
    assert_eq!(scene.bodies(), ["a1", "a2"]);
}

/// "While messages with a particular MessageGroupId are invisible, no more messages belonging to the
/// same MessageGroupId are returned until the visibility timeout expires": of several returned ones
/// the longest holds up the group.
#[test]
fn the_longest_hidden_message_holds_up_its_group() {
    let mut scene = Scene::new();
    scene.send("a", &["a1", "a2"]);
    let both = scene.receive(FIFO);
    scene.hide(FIFO, &both[0], 5).unwrap();
    scene.wait(29);
    assert_eq!(scene.bodies(), [""; 0]);
    scene.wait(1);
    assert_eq!(scene.bodies(), ["a1", "a2"]);
}

/// "The 10 seconds begin to count from the time that you make the ChangeMessageVisibility call";
/// "0 seconds" is the minimum.
#[test]
fn visibility_is_changed_from_the_moment_of_the_call() {
    let mut scene = Scene::new();
    scene.send("a", &["a1"]);
    let message = scene.one(FIFO);
    scene.wait(15);
    scene.hide(FIFO, &message, 10).unwrap();
    scene.wait(9);
    assert_eq!(scene.bodies(), [""; 0]);
    scene.wait(1);
    let message = scene.one(FIFO);
    scene.hide(FIFO, &message, 0).unwrap();
    assert_eq!(scene.bodies(), ["a1"]);
}

/// "The visibility timeout for the message reverts to the original timeout value (not to the value
/// you set using the ChangeMessageVisibility action) the next time the message is received."
#[test]
fn the_next_receive_hides_as_the_queue_says() {
    let mut scene = Scene::new();
    scene.send("a", &["a1"]);
    let message = scene.one(FIFO);
    scene.hide(FIFO, &message, 300).unwrap();
    scene.wait(300);
    assert_eq!(scene.bodies(), ["a1"]);
    scene.wait(30);
    assert_eq!(scene.bodies(), ["a1"]);
}

/// "The duration (in seconds) that the received messages are hidden from subsequent retrieve
/// requests … If not specified, the default visibility timeout for the queue is used."
#[test]
fn a_receive_may_say_how_long_it_hides() {
    let mut scene = Scene::new();
    scene.send("a", &["a1"]);
    scene.sqs.receive(FIFO, 10, Some(7), scene.now).unwrap();
    scene.wait(7);
    assert_eq!(scene.bodies(), ["a1"]);
}

/// "Unlike FIFO queues, messages with the same MessageGroupId can be processed in parallel" on a
/// standard queue.
#[test]
fn a_standard_queue_holds_no_group_up() {
    let mut scene = Scene::new();
    for body in ["1", "2"] {
        let message = Outgoing { group: Some("a".to_owned()), ..Outgoing::standard(body) };
        scene.try_send(STANDARD, message).unwrap();
    }
    assert_eq!((scene.one(STANDARD).body, scene.one(STANDARD).body), ("1".into(), "2".into()));
}

/// "Messages with a positive DelaySeconds value become available for processing after the delay
/// period is finished."
#[test]
fn a_delayed_message_comes_later() {
    let mut scene = Scene::new();
    let message = Outgoing { delay_seconds: Some(900), ..Outgoing::standard("later") };
    scene.try_send(STANDARD, message).unwrap();
    scene.wait(899);
    assert_eq!(scene.receive(STANDARD), []);
    scene.wait(1);
    assert_eq!(bodies(&scene.receive(STANDARD)), ["later"]);
}
