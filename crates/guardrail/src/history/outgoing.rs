//! Alerts on their way: kept with the end of the run that they tell of, told then, and gone when they
//! are told.
//!
//! Each destination of an alert has a pointer, which the clock lists, and the text by itself, which
//! is read only to be told. Whatever dies in between, the pointer is still there: the worst that can
//! happen is that an alert is told twice, under the same run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Attribute, Destination};
use super::gravity::Rank;
use super::item::{Body, Condition, Item, Key, Kind, Transaction, Write};
use super::packed::{NotPacked, pack, unpack};
use crate::ec2::id::Place;

/// What the names of all pointers begin with.
pub const UNSENT: &str = "unsent#";

/// How long an alert is tried to be told. After two weeks it is no news: the run's record has it.
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How long a process has for telling an alert by itself: as long as a call may take, on both sides
/// of a clock that is half a minute off.
const CLAIMED: Duration = Duration::from_secs(60);

/// More parts than any text has that can be kept, and fewer than a transaction has changes.
const MOST_PARTS: usize = 60;

/// How much of a text is kept that is too long to be kept whole, in characters.
const CUT: usize = 20_000;

/// What kind of alert it is, as far as the limit of alerts in an hour goes; the most urgent is the
/// least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What must be known at once: no limit holds it, and it takes nobody's place.
    Alarm,
    /// What tells of many at once, and is bounded by itself: no limit holds it.
    Overview,
    /// What is new of one VPC: what is above the limit waits for the summary.
    News,
}

/// An alert that one destination has not taken yet: the pointer to its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// The run that it tells of.
    pub run_id: String,
    /// Who has not taken it yet.
    pub destination: Destination,
    /// Since when it waits (UTC).
    pub since: Timestamp,
    /// Which kind it is.
    pub level: Level,
    /// Its subject.
    pub subject: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// How many items its text is in.
    pub parts: usize,
    /// The hour in which it has a place among those that are told one by one (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Timestamp>,
    /// How often somebody has set out to tell it.
    #[serde(default)]
    pub tries: u32,
    /// Until when somebody is telling it (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<Timestamp>,
}

/// An item that should be a pointer to an alert and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` in the table cannot be read: {why}")]
pub struct Unreadable {
    /// The item's name.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

impl Unreadable {
    /// The item that holds no such value.
    pub(super) fn item(item: &Item, error: &serde_json::Error) -> Self {
        Self { name: item.key.name.clone(), why: error.to_string() }
    }

    /// The item that holds no text.
    pub(super) fn no_text(item: &Item) -> Self {
        Self { name: item.key.name.clone(), why: "it is no text".to_owned() }
    }
}

/// The value that an item holds as JSON.
pub(super) fn value_of<T: for<'de> Deserialize<'de>>(item: &Item) -> Result<T, Unreadable> {
    match &item.body {
        Body::Text(text) => {
            serde_json::from_str(text).map_err(|error| Unreadable::item(item, &error))
        }
        Body::Packed(_) => Err(Unreadable::no_text(item)),
    }
}

/// A value of ours as an item's body. None of ours is a map with keys that are no text.
pub(super) fn body_of(value: &impl Serialize) -> Body {
    Body::Text(serde_json::to_string(value).unwrap_or_default())
}

/// What keeps an alert until each of these destinations has taken it: to be written together with
/// what it tells of. Written twice, it is told twice.
pub fn writes(
    place: &Place,
    run_id: &str,
    alert: &Alert,
    level: Level,
    destinations: &[Destination],
    now: Timestamp,
) -> Vec<Write> {
    let bodies = bodies(alert);
    // A transaction that has an item twice is refused as a whole.
    let destinations: BTreeSet<&Destination> = destinations.iter().collect();
    let of = |destination: &Destination| {
        let unsent = Unsent {
            run_id: run_id.to_owned(),
            destination: destination.clone(),
            since: now,
            level,
            subject: alert.subject.clone(),
            attributes: alert.attributes.clone(),
            parts: bodies.len(),
            hour: None,
            tries: 0,
            claimed_until: None,
        };
        let expires = unsent.expires();
        let keys = unsent.text_keys(place);
        let texts: Vec<Write> = keys
            .into_iter()
            .zip(&bodies)
            .map(|(key, body)| Write::Put {
                key,
                body: body.clone(),
                expires,
                condition: Condition::Any,
            })
            .collect();
        texts.into_iter().chain([unsent.put(unsent.key(place), Condition::Any)])
    };
    destinations.into_iter().flat_map(of).collect()
}

/// An alert as bodies. One that is too long to be kept is kept as far as a person reads it.
fn bodies(alert: &Alert) -> Vec<Body> {
    let json = |alert: &Alert| serde_json::to_string(alert).unwrap_or_default();
    pack(&json(alert)).unwrap_or_else(|_| {
        let text = alert.text.chars().take(CUT).collect::<String>();
        let text = text + "\n… cut here: too long to be kept. The run's record has the report.\n";
        let short = Alert { text, json: "{}".to_owned(), ..alert.clone() };
        vec![Body::Text(json(&short))]
    })
}

impl Unsent {
    /// The pointer that an item holds.
    ///
    /// # Errors
    /// When it holds none: somebody must be told, for an alert is behind it.
    pub fn read(item: &Item) -> Result<Self, Unreadable> {
        value_of(item)
    }

    /// Whether somebody else is telling it.
    pub fn is_claimed(&self, now: Timestamp) -> bool {
        self.claimed_until.is_some_and(|until| until > now)
    }

    /// Whether the limit of an hour may hold it.
    pub fn may_be_held(&self) -> bool {
        match self.level {
            Level::News => true,
            Level::Alarm | Level::Overview => false,
        }
    }

    /// In which order the alerts of a destination are tried: alarms first; then what was tried least,
    /// so that one which is never taken keeps no other back; then the oldest.
    pub fn order(&self) -> (Level, u32, Timestamp) {
        (self.level, self.tries, self.since)
    }

    /// How it ranks among others.
    pub fn rank(&self) -> Rank {
        Rank::of(&self.attributes)
    }

    /// The items that its text is in, in their order.
    pub fn text_keys(&self, place: &Place) -> Vec<Key> {
        let partition = Kind::Alert.at(place);
        let (run, to) = (&self.run_id, &self.destination);
        let name = |part: usize| match part {
            0 => format!("{run}#{to}"),
            1.. => format!("{run}#{to}#part{part}"),
        };
        (0..self.parts.min(MOST_PARTS)).map(|part| partition.key(name(part))).collect()
    }

    fn key(&self, place: &Place) -> Key {
        Kind::Waiting.at(place).key(format!("{UNSENT}{}#{}", self.run_id, self.destination))
    }

    fn expires(&self) -> Option<Timestamp> {
        self.since.checked_add(KEPT).ok()
    }

    fn put(&self, key: Key, condition: Condition) -> Write {
        Write::Put { key, body: body_of(self), expires: self.expires(), condition }
    }
}

/// What makes the telling of an alert this process's own for a minute, with the place that it has in
/// an hour. Nobody claims what [`Unsent::is_claimed`] by another.
pub(super) fn claim(
    item: &Item,
    unsent: &Unsent,
    hour: Option<Timestamp>,
    now: Timestamp,
) -> Write {
    let claimed = Unsent {
        hour: hour.or(unsent.hour),
        tries: unsent.tries.saturating_add(1),
        claimed_until: now.checked_add(CLAIMED).ok(),
        ..unsent.clone()
    };
    claimed.put(item.key.clone(), Condition::Version(item.version))
}

/// What forgets an alert that was claimed as it was read in this item and then told, unless somebody
/// else has claimed it since.
pub fn told(item: &Item, unsent: &Unsent) -> Transaction {
    // The claim has written the pointer once.
    Transaction { token: None, writes: clear(item, item.version.saturating_add(1), unsent) }
}

/// What forgets an alert, pointer and text, if its pointer has this version still.
pub(super) fn clear(item: &Item, version: u64, unsent: &Unsent) -> Vec<Write> {
    let pointer = Write::Delete { key: item.key.clone(), condition: Condition::Version(version) };
    let texts = unsent.text_keys(&item.key.partition.place);
    let texts = texts.into_iter().map(|key| Write::Delete { key, condition: Condition::Any });
    [pointer].into_iter().chain(texts).collect()
}

/// The alert whose text is in these items, read under [`Unsent::text_keys`] in that order.
///
/// # Errors
/// When a part is lacking or damaged.
pub fn alert_of(parts: Vec<Option<Item>>) -> Result<Alert, String> {
    let wanted = parts.len();
    let bodies: Vec<Body> = parts.into_iter().flatten().map(|item| item.body).collect();
    if bodies.len() < wanted {
        return Err(format!("{} of its {wanted} parts are in the table", bodies.len()));
    }
    let text = unpack(&bodies).map_err(|error: NotPacked| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("what is kept is no alert: {error}"))
}

/// What is told in the place of an alert whose text is lost: a subject is better than silence.
pub fn without_text(unsent: &Unsent, why: &str) -> Alert {
    let text = format!(
        "{}.\n\nThe text of this alert is lost: {why}.\n\nThe report is in the log and in the record \
         of run {}.\n",
        unsent.subject, unsent.run_id
    );
    let json = serde_json::json!({
        "version": 1, "run_id": unsent.run_id, "subject": unsent.subject, "text_lost": why,
    });
    Alert {
        subject: unsent.subject.clone(),
        text,
        json: json.to_string(),
        attributes: unsent.attributes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::item::Condition;

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn alert(text: &str) -> Alert {
        Alert {
            subject: "VPC guardrail: drift found vpc-1".to_owned(),
            text: text.to_owned(),
            json: "{}".to_owned(),
            attributes: BTreeMap::from([("vpc".to_owned(), Attribute::of("vpc-1"))]),
        }
    }

    /// What is written for these destinations: pointers and texts.
    fn written(alert: &Alert, destinations: &[&str]) -> Vec<Write> {
        let to: Vec<Destination> = destinations.iter().map(|to| Destination::new(to)).collect();
        writes(&place(), "r-1", alert, Level::News, &to, at(100))
    }

    /// The items that are there after these writes.
    fn items(writes: Vec<Write>) -> Vec<Item> {
        let put = |write| match write {
            Write::Put { key, body, .. } => Item { key, version: 1, body },
            Write::Delete { .. } => panic!("nothing is deleted"),
        };
        writes.into_iter().map(put).collect()
    }

    fn names(writes: &[Write]) -> Vec<String> {
        let name =
            |write: &Write| format!("{} {}", write.key().partition.kind.as_str(), write.key().name);
        writes.iter().map(name).collect()
    }

    fn waiting() -> (Item, Unsent) {
        let all = items(written(&alert("t"), &["a"]));
        let unsent = Unsent::read(&all[1]).unwrap();
        (all[1].clone(), unsent)
    }

    fn body(write: &Write) -> Unsent {
        match write {
            Write::Put { body: Body::Text(text), .. } => serde_json::from_str(text).unwrap(),
            Write::Put { body: Body::Packed(_), .. } | Write::Delete { .. } => {
                panic!("a pointer is text")
            }
        }
    }

    #[test]
    fn each_destination_has_a_pointer_and_a_text_for_two_weeks() {
        let writes = written(&alert("t"), &["b", "a", "b"]);
        assert_eq!(
            names(&writes),
            ["ALERT r-1#a", "WAITING unsent#r-1#a", "ALERT r-1#b", "WAITING unsent#r-1#b"]
        );
        for write in &writes {
            let Write::Put { expires, condition, .. } = write else { panic!("{write:?}") };
            assert_eq!((*expires, *condition), (Some(at(100 + 14 * 86_400)), Condition::Any));
        }
        assert_eq!(
            body(&writes[1]),
            Unsent {
                run_id: "r-1".to_owned(),
                destination: Destination::new("a"),
                since: at(100),
                level: Level::News,
                subject: "VPC guardrail: drift found vpc-1".to_owned(),
                attributes: alert("t").attributes,
                parts: 1,
                hour: None,
                tries: 0,
                claimed_until: None,
            }
        );
    }

    #[test]
    fn an_alert_comes_back_as_it_was_also_in_parts() {
        let long = (0..400_000u64).map(|at| char::from(b'!' + (at * at % 89 % 80) as u8));
        let long: String = long.collect();
        let mut alert = alert(&long);
        alert.json = format!("{:?}", (0..100_000).map(|at| at * 7919).collect::<Vec<u64>>());
        let all = items(written(&alert, &["a"]));
        let unsent = Unsent::read(all.last().unwrap()).unwrap();
        let find = |key: &Key| all.iter().find(|item| item.key == *key).cloned();
        let parts = || unsent.text_keys(&place()).iter().map(find).collect::<Vec<_>>();
        assert_eq!((unsent.parts, all.len()), (2, 3));
        assert_eq!(all[1].key.name, "r-1#a#part1");
        assert_eq!(alert_of(parts()), Ok(alert));
        let lacks = |at: usize| {
            let mut parts = parts();
            parts[at] = None;
            alert_of(parts)
        };
        let why = Err("1 of its 2 parts are in the table".to_owned());
        assert_eq!((lacks(0), lacks(1)), (why.clone(), why));
        let no_alert = Item { body: Body::Text("[]".to_owned()), ..all[0].clone() };
        let why = alert_of(vec![Some(no_alert)]).unwrap_err();
        assert!(why.starts_with("what is kept is no alert: "), "{why}");
        assert!(alert_of(Vec::new()).is_err());
    }

    #[test]
    fn what_is_too_long_to_be_kept_is_kept_as_far_as_a_person_reads() {
        let all = items(written(&alert(&"é".repeat(9_000_000)), &["a"]));
        let kept = alert_of(vec![Some(all[0].clone())]).unwrap();
        assert_eq!(all.len(), 2);
        let cut = "é".repeat(CUT)
            + "\n… cut here: too long to be kept. The run's record has the report.\n";
        assert_eq!(kept, alert(&cut));
    }

    #[test]
    fn a_claim_is_for_a_minute_and_counts_the_tries() {
        let (item, unsent) = waiting();
        let write = claim(&item, &unsent, Some(at(0)), at(1000));
        assert_eq!(write.condition(), Condition::Version(1));
        assert_eq!(write.key(), &item.key);
        let claimed = body(&write);
        let expected =
            Unsent { hour: Some(at(0)), tries: 1, claimed_until: Some(at(1060)), ..unsent };
        assert_eq!(claimed, expected);
        assert_eq!([1059, 1060].map(|now| claimed.is_claimed(at(now))), [true, false]);
    }

    #[test]
    fn what_was_told_is_forgotten_unless_another_has_claimed_it() {
        let (item, unsent) = waiting();
        let told = told(&item, &unsent);
        assert_eq!(names(&told.writes), ["WAITING unsent#r-1#a", "ALERT r-1#a"]);
        assert_eq!(told.writes[0].condition(), Condition::Version(2));
        assert_eq!(told.writes[1].condition(), Condition::Any);
    }

    #[test]
    fn a_pointer_that_cannot_be_read_is_named() {
        let (item, unsent) = waiting();
        let odd = |body: Body| Unsent::read(&Item { body, ..item.clone() }).unwrap_err();
        let why = odd(Body::Text("{}".to_owned())).to_string();
        assert_eq!(
            why,
            "`unsent#r-1#a` in the table cannot be read: missing field `run_id` at line 1 column 2"
        );
        assert_eq!(odd(Body::Packed(Vec::new())).why, "it is no text");
        let many = Unsent { parts: usize::MAX, ..unsent };
        assert_eq!(many.text_keys(&place()).len(), MOST_PARTS, "it fills no memory");
    }

    #[test]
    fn an_alert_without_its_text_has_its_subject_still() {
        let (_, unsent) = waiting();
        assert_eq!(
            without_text(&unsent, "0 of its 1 parts are in the table"),
            Alert {
                text: "VPC guardrail: drift found vpc-1.\n\nThe text of this alert is lost: 0 of its 1 parts \
                       are in the table.\n\nThe report is in the log and in the record of run r-1.\n"
                    .to_owned(),
                json: "{\"run_id\":\"r-1\",\"subject\":\"VPC guardrail: drift found vpc-1\",\"text_lost\":\
                       \"0 of its 1 parts are in the table\",\"version\":1}"
                    .to_owned(),
                ..alert("")
            }
        );
    }
}
