//! What of the waiting items asks for a run now.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::message::{Message, goes_on, is_due};
use crate::ec2::id::{Place, VpcId};
use crate::history::ledger::{DUE, GAVE_WAY, OPEN, read, vpc_of};
use crate::history::{Item, LookAgain, Open, Unreadable};

/// The messages about VPCs that are due, and what among the items cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// One message for each VPC, in the order of their ids.
    pub messages: Vec<Message>,
    /// The items that cannot be read: nobody looks at what they are about until the next sweep.
    pub unreadable: Vec<Unreadable>,
}

/// What of the waiting items of a place asks for a run at `now`: a VPC that is due, one over which a run
/// gave way to another whose lease has ended, and one with an open record whose lease has ended.
pub fn due(place: &Place, items: &[Item], now: Timestamp) -> Due {
    let mut by_vpc: BTreeMap<VpcId, Message> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for item in items {
        match wants(place, item, now) {
            Ok(Some((vpc, message))) => {
                by_vpc.entry(vpc).or_insert(message);
            }
            Ok(None) => {}
            Err(why) => unreadable.push(why),
        }
    }
    Due { messages: by_vpc.into_values().collect(), unreadable }
}

/// The message that an item asks for, and about which VPC.
fn wants(
    place: &Place,
    item: &Item,
    now: Timestamp,
) -> Result<Option<(VpcId, Message)>, Unreadable> {
    let name = &item.key.name;
    if let Some(vpc) = vpc_of(name, DUE).or_else(|| vpc_of(name, GAVE_WAY)) {
        let again: LookAgain = read(item)?;
        let message = (again.at <= now).then(|| is_due(place.scope(&vpc), &again));
        return Ok(message.map(|message| (vpc, message)));
    }
    if let Some(vpc) = vpc_of(name, OPEN) {
        let open: Open = read(item)?;
        let message = (open.until <= now).then(|| goes_on(place.scope(&vpc), &open));
        return Ok(message.map(|message| (vpc, message)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Body, Kind};
    use crate::report::Cause;

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    fn item(name: &str, body: serde_json::Value) -> Item {
        let key = Kind::Waiting.at(&place()).key(name);
        Item { key, version: 1, body: Body::Text(body.to_string()) }
    }

    #[test]
    fn what_is_due_is_sent_once_for_a_vpc_and_what_is_not_waits() {
        let at = |time: &str| serde_json::json!({"at": time, "why": "it settles"});
        let open = |time: &str| serde_json::json!({"run_id": "r-1", "until": time});
        let items = [
            item("due#vpc-1", at("1970-01-01T00:01:00Z")),
            item("due#vpc-2", at("1970-01-01T00:01:01Z")),
            item("gave-way#vpc-1", at("1970-01-01T00:00:30Z")),
            item("gave-way#vpc-3", at("1970-01-01T00:00:30Z")),
            item("open#vpc-4", open("1970-01-01T00:00:59Z")),
            item("open#vpc-5", open("1970-01-01T00:01:01Z")),
            item("unsent#r-1#topic", serde_json::json!({})),
        ];
        let due = due(&place(), &items, Timestamp::from_second(60).unwrap());
        let sent: Vec<(String, Cause, String)> = due
            .messages
            .into_iter()
            .map(|message| (message.deduplication_id(), message.cause, message.group_id()))
            .collect();
        let expected = [
            ("clock-1970-01-01T00:01:00Z/vpc-1", "vpc-1"),
            ("clock-1970-01-01T00:00:30Z/vpc-3", "vpc-3"),
            ("open-r-1/vpc-4", "vpc-4"),
        ];
        let expected = expected.map(|(id, vpc)| {
            (id.to_owned(), Cause::Clock, format!("111122223333/eu-central-1/{vpc}"))
        });
        assert_eq!((sent.as_slice(), due.unreadable.len()), (expected.as_slice(), 0));
    }

    #[test]
    fn what_cannot_be_read_is_said_and_keeps_nothing_else_from_being_sent() {
        let items = [
            item("due#vpc-1", serde_json::json!(7)),
            item("due#vpc-2", serde_json::json!({"at": "1970-01-01T00:00:00Z", "why": ""})),
        ];
        let due = due(&place(), &items, Timestamp::UNIX_EPOCH);
        assert_eq!((due.messages.len(), due.unreadable.len()), (1, 1));
        assert!(due.unreadable[0].to_string().contains("due#vpc-1"), "{}", due.unreadable[0]);
    }
}
