//! What the detect function notes in the table, in a partition that no other function adds to, and
//! what the clock and the sweep make of it. Nothing of it rests on what others keep.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::item::{Body, Condition, Item, Key, Kind, Partition, Transaction, Write};
use super::own_calls::{OwnCall, Said};
use crate::ec2::id::{Place, VpcId};
use crate::event::{Evidence, digest};

/// Comparisons of the Region are so far apart, however many calls ask for one.
const BETWEEN_COMPARISONS: SignedDuration = SignedDuration::from_mins(5);

/// How far the clocks of two of our functions may be apart.
const CLOCKS: SignedDuration = SignedDuration::from_secs(30);

/// How long it is kept that cached attributes do not count: every cached one is older by then, and
/// was read again.
const DROPPED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long a call of which all is said is kept: no delivery of its event comes later
/// (template.yaml, `MaximumEventAgeInSeconds`).
const SAID_FOR: SignedDuration = SignedDuration::from_hours(24);

/// DynamoDB takes so many changes in one transaction
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html).
const CHANGES: usize = 100;

const COMPARISON: &str = "comparison";
const OWN: &str = "own#";
const DROPPED: &str = "dropped#";

/// What a recorded call asks for beside looks at VPCs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// One comparison of the Region with the baseline, when the last one is old enough.
    CompareRegion,
    /// The call was made with the guardrail's role: whether a run made it is for the clock to say.
    OwnCall(Box<OwnCall>),
    /// Cached attributes of this VPC count no longer.
    VpcAttributesChanged(VpcId),
}

#[derive(Serialize, Deserialize)]
struct Comparison {
    /// Absent once the comparison is made. The item stays, so that its versions go on and no
    /// request is taken for an earlier one.
    requested_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Dropped {
    at: Timestamp,
}

/// The prefix by which the clock lists the calls with the guardrail's role.
pub fn own_calls_prefix() -> &'static str {
    OWN
}

/// The prefix by which the sweep lists the VPCs whose cached attributes do not count.
pub fn dropped_prefix() -> &'static str {
    DROPPED
}

/// Where the request for a comparison is.
pub fn comparison_key(place: &Place) -> Key {
    partition(place).key(COMPARISON)
}

/// The detect function's partition.
pub fn partition(place: &Place) -> Partition {
    Kind::Detect.at(place)
}

/// The changes that note all this. Each conflict is tried again; where that of a call with the
/// guardrail's role stays one, an earlier delivery of its event has noted the call.
pub fn transactions(place: &Place, noted: &[Noted], now: Timestamp) -> Vec<Transaction> {
    let partition = partition(place);
    let mut names = BTreeSet::new();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for note in noted {
        let (name, body, expires, condition) = match note {
            Noted::CompareRegion => {
                let body = Comparison { requested_at: Some(now) };
                (COMPARISON.to_owned(), text(&body), None, Condition::Any)
            }
            Noted::VpcAttributesChanged(vpc) => {
                let expires = now.checked_add(DROPPED_FOR).ok();
                (format!("{DROPPED}{vpc}"), text(&Dropped { at: now }), expires, Condition::Any)
            }
            // No other delivery of the event takes back what was said of the call.
            Noted::OwnCall(call) => (own_name(&call.call), text(call), None, Condition::Absent),
        };
        if !names.insert(name.clone()) {
            continue;
        }
        let put = Write::Put { key: partition.key(name), body, expires, condition };
        match note {
            Noted::OwnCall(_) => own.push(Transaction::one(put)),
            Noted::CompareRegion | Noted::VpcAttributesChanged(_) => others.push(put),
        }
    }
    let others = others.chunks(CHANGES);
    own.extend(others.map(|writes| Transaction { token: None, writes: writes.to_vec() }));
    own
}

/// The call's own id where it can be part of a key, else a digest of what is known of the call.
fn own_name(call: &Evidence) -> String {
    let name = call.incident();
    match name.len() <= 80 && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => format!("{OWN}{name}"),
        false => format!("{OWN}{}", digest(&name)),
    }
}

fn text(body: &impl Serialize) -> Body {
    // Ids, texts and times are JSON always.
    Body::Text(serde_json::to_string(body).unwrap_or_default())
}

fn read<T: serde::de::DeserializeOwned>(item: &Item) -> Option<T> {
    match &item.body {
        Body::Text(text) => serde_json::from_str(text).ok(),
        Body::Packed(_) => None,
    }
}

/// A request for a comparison, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// When it was made last (UTC); `None` where that cannot be read.
    pub at: Option<Timestamp>,
    key: Key,
    version: u64,
}

/// The request that stands; `None` where there is none. One that cannot be read is one.
pub fn requested(item: Option<&Item>) -> Option<Requested> {
    let item = item?;
    let at = match read::<Comparison>(item) {
        Some(Comparison { requested_at }) => Some(requested_at?),
        None => None,
    };
    Some(Requested { at, key: item.key.clone(), version: item.version })
}

impl Requested {
    /// The request is done with by a comparison that began after it was read; not so if somebody
    /// asked again meanwhile.
    pub fn done(&self) -> Write {
        Write::Put {
            key: self.key.clone(),
            body: text(&Comparison { requested_at: None }),
            expires: None,
            condition: Condition::Version(self.version),
        }
    }
}

/// Whether the Region is to be compared now: somebody asked for it, and the last comparison is old
/// enough. One that is said to be of the future never was.
pub fn comparison_is_due(
    requested: Option<&Requested>,
    last_comparison: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let is_old = |last: Timestamp| now.duration_since(last).abs() >= BETWEEN_COMPARISONS;
    requested.is_some() && last_comparison.is_none_or(is_old)
}

/// The calls with the guardrail's role that are noted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnCalls {
    /// The calls, each with where it is kept.
    pub calls: Vec<KeptCall>,
    /// Items that cannot be read: of these nobody can tell what they were.
    pub unreadable: Vec<Key>,
}

/// A call with the guardrail's role, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCall {
    /// The call.
    pub own: OwnCall,
    key: Key,
    version: u64,
}

/// The calls in these items, which were listed by their prefix.
pub fn own_calls(items: &[Item]) -> OwnCalls {
    let mut all = OwnCalls::default();
    for item in items {
        let key = item.key.clone();
        match read::<OwnCall>(item) {
            Some(own) => all.calls.push(KeptCall { own, key, version: item.version }),
            None => all.unreadable.push(key),
        }
    }
    all
}

impl KeptCall {
    /// The change by which this is said of the call, once. The item stays for a while, so that a
    /// late delivery of the event is known and the run's call stands for no other.
    pub fn say(&self, said: Said, now: Timestamp) -> Write {
        Write::Put {
            key: self.key.clone(),
            body: text(&OwnCall { said: Some(said), ..self.own.clone() }),
            expires: now.checked_add(SAID_FOR).ok(),
            condition: Condition::Version(self.version),
        }
    }
}

/// The VPCs whose cached attributes do not count, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DroppedAttributes(BTreeMap<VpcId, Timestamp>);

/// The VPCs in these items, which were listed by their prefix. What cannot be read counts for ever:
/// then the attributes are read each time.
pub fn dropped_attributes(items: &[Item]) -> DroppedAttributes {
    let of = |item: &Item| {
        let vpc = item.key.name.strip_prefix(DROPPED)?.parse().ok()?;
        Some((vpc, read::<Dropped>(item).map_or(Timestamp::MAX, |dropped| dropped.at)))
    };
    DroppedAttributes(items.iter().filter_map(of).collect())
}

impl DroppedAttributes {
    /// Whether attributes of a VPC that were read at this time still count.
    pub fn count(&self, vpc: &VpcId, read_at: Timestamp) -> bool {
        let after = |at: &Timestamp| at.checked_add(CLOCKS).is_ok_and(|end| read_at > end);
        self.0.get(vpc).is_none_or(after)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use serde_json::{Value, json};

    use super::*;
    use crate::cloud::{CallError, Commit, InMemoryTable, Table as _};
    use crate::event::decode;

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    fn at(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-09-14T08:00:00Z".parse().unwrap();
        start.checked_add(SignedDuration::from_mins(minute)).unwrap()
    }

    /// What a table in memory answers, which never waits.
    fn now<T>(answer: impl Future<Output = Result<T, CallError>>) -> T {
        match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer.unwrap(),
            Poll::Pending => panic!("nothing is waited for"),
        }
    }

    fn note(table: &InMemoryTable, noted: &[Noted], minute: i64) -> Vec<Commit> {
        let all = transactions(&place(), noted, at(minute));
        all.iter().map(|transaction| now(table.commit(transaction))).collect()
    }

    fn write(table: &InMemoryTable, write: Write) -> Commit {
        now(table.commit(&Transaction::one(write)))
    }

    fn asked(table: &InMemoryTable) -> Option<Requested> {
        requested(now(table.get(&comparison_key(&place()))).as_ref())
    }

    fn kept(table: &InMemoryTable) -> OwnCalls {
        own_calls(&now(table.list(&partition(&place()), own_calls_prefix())))
    }

    fn dropped(table: &InMemoryTable) -> DroppedAttributes {
        dropped_attributes(&now(table.list(&partition(&place()), dropped_prefix())))
    }

    fn own(event_id: &str) -> Noted {
        let call = json!({"eventName": "DeleteRoute", "eventID": event_id});
        Noted::OwnCall(Box::new(OwnCall::noted(&decode(&call).unwrap(), at(0))))
    }

    fn put(name: &str, body: &str) -> Write {
        let key = partition(&place()).key(name);
        let body = Body::Text(body.to_owned());
        Write::Put { key, body, expires: None, condition: Condition::Any }
    }

    #[test]
    fn what_is_noted_is_read_again() {
        let table = InMemoryTable::default();
        let vpc: VpcId = "vpc-1".parse().unwrap();
        let noted = [
            own("e-1"),
            Noted::CompareRegion,
            Noted::VpcAttributesChanged(vpc.clone()),
            own("e-2"),
        ];
        assert_eq!(note(&table, &noted, 3), [Commit::Made; 3]);
        let names: Vec<(String, String)> = table
            .everything()
            .into_iter()
            .map(|item| (item.key.partition.to_string(), item.key.name))
            .collect();
        let names: Vec<(&str, &str)> =
            names.iter().map(|(partition, name)| (partition.as_str(), name.as_str())).collect();
        let partition = "DETECT#111122223333/eu-central-1";
        let expected = ["comparison", "dropped#vpc-1", "own#e-1", "own#e-2"];
        assert_eq!(names, expected.map(|name| (partition, name)));
        assert_eq!(asked(&table).unwrap().at, Some(at(3)));
        let ids: Vec<String> =
            kept(&table).calls.iter().map(|kept| kept.own.call.incident()).collect();
        assert_eq!(ids, ["e-1", "e-2"]);
        let attributes = dropped(&table);
        assert!(!attributes.count(&vpc, at(3)));
        assert!(attributes.count(&vpc, at(4)));
        assert!(attributes.count(&"vpc-2".parse().unwrap(), at(3)));
    }

    #[test]
    fn a_comparison_is_made_at_most_every_five_minutes_and_only_on_request() {
        let table = InMemoryTable::default();
        assert!(!comparison_is_due(None, None, at(0)));
        note(&table, &[Noted::CompareRegion], 0);
        let request = asked(&table);
        let due = |last: Option<i64>| comparison_is_due(request.as_ref(), last.map(at), at(60));
        let table = [(None, true), (Some(55), true), (Some(56), false), (Some(61), false)];
        for (last, expected) in table {
            assert_eq!(due(last), expected, "{last:?}");
        }
        assert!(due(Some(600)), "a time of the future that would stop comparisons for hours");
    }

    /// Also between two clocks that both have read the request: nobody's request is lost.
    #[test]
    fn a_request_is_done_with_only_as_it_was_read() {
        let table = InMemoryTable::default();
        note(&table, &[Noted::CompareRegion], 0);
        let (first, second) = (asked(&table).unwrap(), asked(&table).unwrap());
        assert_eq!(write(&table, first.done()), Commit::Made);
        assert_eq!(asked(&table), None);
        note(&table, &[Noted::CompareRegion], 1);
        assert_eq!(write(&table, second.done()), Commit::Conflict);
        assert_eq!(asked(&table).unwrap().at, Some(at(1)));
    }

    #[test]
    fn a_request_that_cannot_be_read_is_one() {
        let table = InMemoryTable::default();
        for body in ["", "{\"requested_at\":7}", "[]", "{\"requested_at\":\"soon\"}"] {
            assert_eq!(write(&table, put("comparison", body)), Commit::Made);
            assert_eq!(asked(&table).map(|request| request.at), Some(None), "{body}");
        }
        assert_eq!(write(&table, asked(&table).unwrap().done()), Commit::Made);
        assert_eq!(asked(&table), None);
    }

    /// An event that comes twice, or again after all is said of its call, changes nothing.
    #[test]
    fn an_event_is_noted_once() {
        let table = InMemoryTable::default();
        assert_eq!(note(&table, &[own("e-1"), own("e-1")], 0), [Commit::Made]);
        assert_eq!(note(&table, &[own("e-1"), own("e-2")], 1), [Commit::Conflict, Commit::Made]);
        let first = kept(&table).calls.remove(0);
        assert_eq!(write(&table, first.say(Said::Matched, at(2))), Commit::Made);
        assert_eq!(write(&table, first.say(Said::Unmatched, at(2))), Commit::Conflict);
        assert_eq!(note(&table, &[own("e-1")], 3), [Commit::Conflict]);
        let said: Vec<Option<Said>> = kept(&table).calls.iter().map(|kept| kept.own.said).collect();
        assert_eq!(said, [Some(Said::Matched), None]);
        table.forget_expired(at(25 * 60));
        assert_eq!(kept(&table).calls.len(), 1, "what nobody has judged is never forgotten");
    }

    #[test]
    fn a_call_without_a_usable_id_has_a_name_of_its_own() {
        let table = InMemoryTable::default();
        let odd = ["", "two words", "\u{fc}", &"x".repeat(5000)];
        note(&table, &odd.map(own), 0);
        let kept = kept(&table);
        assert_eq!(kept.calls.len(), odd.len());
        assert!(kept.calls.iter().all(|kept| kept.key.name.len() == "own#".len() + 64));
    }

    #[test]
    fn an_item_that_cannot_be_read_is_named() {
        let table = InMemoryTable::default();
        for body in ["{}", "", "{\"noted_at\":\"2026-09-14T08:00:00Z\",\"call\":{}}"] {
            assert_eq!(write(&table, put("own#e-1", body)), Commit::Made);
            let key = partition(&place()).key("own#e-1");
            assert_eq!(kept(&table), OwnCalls { calls: vec![], unreadable: vec![key] }, "{body}");
        }
        assert_eq!(write(&table, put("dropped#vpc-1", "{}")), Commit::Made);
        assert_eq!(write(&table, put("dropped#x", "{}")), Commit::Made);
        assert!(!dropped(&table).count(&"vpc-1".parse().unwrap(), at(1_000_000)));
    }

    #[test]
    fn hundreds_of_vpcs_are_noted_in_transactions_that_the_table_takes() {
        let vpcs =
            (0..250).map(|n| Noted::VpcAttributesChanged(format!("vpc-{n}").parse().unwrap()));
        let noted: Vec<Noted> = vpcs.clone().chain(vpcs).collect();
        let sizes: Vec<usize> =
            transactions(&place(), &noted, at(0)).iter().map(|all| all.writes.len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
    }

    /// Of a later version, which may note more.
    #[test]
    fn unknown_fields_are_passed_over() {
        let table = InMemoryTable::default();
        let Noted::OwnCall(call) = own("e-1") else { panic!("it is one") };
        let mut body: Value = json!(call);
        body["more"] = json!({});
        assert_eq!(write(&table, put("own#e-1", &body.to_string())), Commit::Made);
        assert_eq!(kept(&table).calls.len(), 1);
    }
}
