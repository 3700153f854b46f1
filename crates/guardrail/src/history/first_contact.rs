//! VPCs that a sweep found and of which nothing was known: told together, for one sweep.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Destination};
use super::gravity::Gravity;
use super::item::{Condition, Item, Key, Kind, Transaction, Write};
use super::outgoing::{Level, Unreadable, body_of, value_of, writes};
use crate::baseline::RuleId;
use crate::ec2::id::{Place, VpcId};

/// What the names of all these items begin with.
pub const FIRST: &str = "first#";

/// How long a summary waits for VPCs whose runs have not ended.
const GATHERED: Duration = Duration::from_secs(10 * 60);

/// How long it is known which VPCs a sweep's summary had.
const KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How many changes a transaction has at most.
const MOST: usize = 100;

/// What the first run over a VPC came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstContact {
    /// The VPC.
    pub vpc: VpcId,
    /// The value of its `Name` tag; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_name: Option<String>,
    /// The sweep that found it.
    pub sweep: String,
    /// How the run ended, as reports write it: `drift-left`.
    pub verdict: String,
    /// How many findings there are of each rule.
    pub findings: BTreeMap<RuleId, u32>,
    /// When the run ended (UTC).
    pub since: Timestamp,
}

/// The VPCs of which a sweep's summaries have told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFirst {
    /// The VPCs.
    pub vpcs: BTreeSet<VpcId>,
    /// How many summaries there were.
    pub summaries: u32,
}

impl FirstContact {
    /// What keeps it until it is told: to be written together with the end of its run.
    pub fn write(&self, place: &Place) -> Write {
        Write::Put {
            key: Kind::Waiting.at(place).key(format!("{FIRST}{}", self.vpc)),
            body: body_of(self),
            expires: self.since.checked_add(KEPT).ok(),
            condition: Condition::Any,
        }
    }

    /// What an item holds.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn read(item: &Item) -> Result<Self, Unreadable> {
        value_of(item)
    }

    /// How bad the worst is that was found; nothing is better than anything.
    pub fn gravity(&self) -> Option<Gravity> {
        self.findings.keys().map(|rule| Gravity::of(*rule)).min()
    }
}

/// The item that says which VPCs a sweep's summaries have told of.
pub fn told_first_key(place: &Place, sweep: &str) -> Key {
    Kind::Told.at(place).key(format!("{FIRST}{sweep}"))
}

/// Which VPCs a sweep's summaries have told of, by its item. What cannot be read is nothing: told
/// twice is better than never.
pub fn told_first(item: Option<&Item>) -> ToldFirst {
    item.and_then(|item| value_of(item).ok()).unwrap_or_default()
}

/// What is to be told now of what waits for one sweep: nothing as long as others may come. `expected`
/// is how many VPCs without a state the sweep found, once it has ended.
pub fn first_contacts_due<'a>(
    waiting: &'a [FirstContact],
    told: &ToldFirst,
    expected: Option<usize>,
    now: Timestamp,
) -> Vec<&'a FirstContact> {
    let new: Vec<&FirstContact> =
        waiting.iter().filter(|first| !told.vpcs.contains(&first.vpc)).collect();
    let are_all_there =
        expected.is_some_and(|all| new.len().saturating_add(told.vpcs.len()) >= all);
    let has_waited =
        |first: &&FirstContact| first.since.checked_add(GATHERED).is_ok_and(|end| end <= now);
    match are_all_there || new.iter().any(has_waited) {
        true => new,
        false => Vec::new(),
    }
}

/// The name that the next summary of a sweep is told under.
pub fn first_contact_id(sweep: &str, told: &ToldFirst) -> String {
    match told.summaries {
        0 => format!("first-{sweep}"),
        before @ 1.. => format!("first-{sweep}-{}", before.saturating_add(1)),
    }
}

/// What makes a sweep's summary: the alert for each destination, and of which VPCs it tells. Of two
/// clocks that make it one succeeds. The VPCs' own items are cleared after it, by
/// [`cleared_first`]: they are more than a transaction takes.
pub fn first_contact(
    place: &Place,
    sweep: &str,
    (item, told): (Option<&Item>, &ToldFirst),
    of: &[&FirstContact],
    (alert, destinations): (&Alert, &[Destination]),
    now: Timestamp,
) -> Transaction {
    let vpcs = told.vpcs.iter().chain(of.iter().map(|first| &first.vpc)).cloned().collect();
    let after = ToldFirst { vpcs, summaries: told.summaries.saturating_add(1) };
    let noted = Write::Put {
        key: told_first_key(place, sweep),
        body: body_of(&after),
        expires: now.checked_add(KEPT).ok(),
        condition: Condition::unchanged(item),
    };
    let id = first_contact_id(sweep, told);
    let alerts = writes(place, &id, alert, Level::Overview, destinations, now);
    Transaction { token: None, writes: [noted].into_iter().chain(alerts).collect() }
}

/// What clears the items of VPCs that a sweep's summaries have told of, in as many transactions as
/// it takes; each may fail by itself and is made again by the next clock.
pub fn cleared_first(items: &[(&Item, FirstContact)], told: &ToldFirst) -> Vec<Transaction> {
    let deletes: Vec<Write> = items
        .iter()
        .filter(|(_, first)| told.vpcs.contains(&first.vpc))
        .map(|(item, _)| Write::Delete {
            key: item.key.clone(),
            condition: Condition::Version(item.version),
        })
        .collect();
    let chunks = deletes.chunks(MOST);
    chunks.map(|writes| Transaction { token: None, writes: writes.to_vec() }).collect()
}

/// Whether so many VPCs are without a state at once that the table was lost, and not that they are
/// new: more than a tenth of those that were known, and two at least.
pub fn table_was_lost(known: usize, without_state: usize) -> bool {
    without_state >= 2 && without_state.saturating_mul(10) > known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::item::Body;

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn first(vpc: &str, since: i64) -> FirstContact {
        FirstContact {
            vpc: vpc.parse().unwrap(),
            vpc_name: None,
            sweep: "s-1".to_owned(),
            verdict: "drift-left".to_owned(),
            findings: BTreeMap::from([(RuleId::VpcDns, 1), (RuleId::InternetRoute, 2)]),
            since: at(since),
        }
    }

    fn item(first: &FirstContact) -> Item {
        let Write::Put { key, body, .. } = first.write(&place()) else { panic!() };
        Item { key, version: 2, body }
    }

    fn told(vpcs: &[&str]) -> ToldFirst {
        let vpcs: BTreeSet<VpcId> = vpcs.iter().map(|vpc| vpc.parse().unwrap()).collect();
        ToldFirst { summaries: u32::from(!vpcs.is_empty()), vpcs }
    }

    #[test]
    fn a_first_contact_is_kept_for_two_weeks_and_read_again() {
        let write = first("vpc-1", 100).write(&place());
        let Write::Put { key, expires, condition, .. } = &write else { panic!() };
        assert_eq!(key.name, "first#vpc-1");
        assert_eq!((*expires, *condition), (Some(at(100 + 14 * 86_400)), Condition::Any));
        assert_eq!(FirstContact::read(&item(&first("vpc-1", 100))), Ok(first("vpc-1", 100)));
        assert_eq!(first("vpc-1", 100).gravity(), Some(Gravity::LeadsOut));
        let odd = Item { body: Body::Text("{}".to_owned()), ..item(&first("vpc-1", 1)) };
        assert_eq!(FirstContact::read(&odd).unwrap_err().name, "first#vpc-1");
    }

    #[test]
    fn they_are_told_when_all_are_there_or_one_has_waited_ten_minutes() {
        let waiting = [first("vpc-1", 100), first("vpc-2", 200)];
        let due = |told: &ToldFirst, expected, now| {
            let due = first_contacts_due(&waiting, told, expected, at(now));
            due.into_iter().map(|first| first.vpc.to_string()).collect::<Vec<_>>()
        };
        let (none, one, both) = (told(&[]), told(&["vpc-1"]), told(&["vpc-1", "vpc-2"]));
        let nothing: [&str; 0] = [];
        assert_eq!(due(&none, None, 699), nothing, "the sweep goes on");
        assert_eq!(due(&none, Some(3), 699), nothing, "one is not there yet");
        assert_eq!(due(&none, Some(2), 201), ["vpc-1", "vpc-2"]);
        assert_eq!(due(&none, Some(1), 201), ["vpc-1", "vpc-2"], "more than were expected");
        assert_eq!(due(&none, None, 700), ["vpc-1", "vpc-2"]);
        assert_eq!(due(&one, Some(2), 201), ["vpc-2"], "the rest of a sweep");
        assert_eq!(due(&one, Some(3), 799), nothing);
        assert_eq!(due(&both, Some(2), 9999), nothing, "all were told");
    }

    #[test]
    fn a_summary_is_made_with_the_note_of_whom_it_tells() {
        let (waiting, before) = (first("vpc-2", 100), told(&["vpc-1"]));
        let noted =
            Item { key: told_first_key(&place(), "s-1"), version: 5, body: body_of(&before) };
        assert_eq!(told_first(Some(&noted)), before);
        assert_eq!(first_contact_id("s-1", &told(&[])), "first-s-1");
        let alert = Alert {
            subject: String::new(),
            text: String::new(),
            json: String::new(),
            attributes: BTreeMap::new(),
        };
        let to = [Destination::new("a")];
        let made = first_contact(
            &place(),
            "s-1",
            (Some(&noted), &before),
            &[&waiting],
            (&alert, &to),
            at(50),
        );
        let names: Vec<&str> = made.writes.iter().map(|write| write.key().name.as_str()).collect();
        assert_eq!(names, ["first#s-1", "first-s-1-2#a", "unsent#first-s-1-2#a"]);
        let Write::Put { key, body, condition, .. } = &made.writes[0] else { panic!() };
        assert_eq!(*condition, Condition::Version(5));
        let after = Item { key: key.clone(), version: 6, body: body.clone() };
        assert_eq!(
            told_first(Some(&after)),
            ToldFirst { summaries: 2, ..told(&["vpc-1", "vpc-2"]) }
        );
        let odd = Item { body: Body::Packed(Vec::new()), ..after };
        assert_eq!(told_first(Some(&odd)), ToldFirst::default());
    }

    #[test]
    fn what_was_told_is_cleared_a_hundred_at_a_time() {
        let firsts: Vec<FirstContact> = (0..250).map(|at| first(&format!("vpc-{at}"), 1)).collect();
        let items: Vec<(Item, FirstContact)> =
            firsts.into_iter().map(|first| (item(&first), first)).collect();
        let items: Vec<(&Item, FirstContact)> =
            items.iter().map(|(item, first)| (item, first.clone())).collect();
        let vpcs = items.iter().skip(1).map(|(_, first)| first.vpc.clone()).collect();
        let cleared = cleared_first(&items, &ToldFirst { vpcs, summaries: 1 });
        let sizes: Vec<usize> =
            cleared.iter().map(|transaction| transaction.writes.len()).collect();
        assert_eq!(sizes, [100, 100, 49]);
        let key = Kind::Waiting.at(&place()).key("first#vpc-1");
        let expected = Write::Delete { key, condition: Condition::Version(2) };
        assert_eq!(cleared[0].writes[0], expected);
    }

    #[test]
    fn the_table_was_lost_when_more_than_a_tenth_is_unknown() {
        let lost = |known, without| table_was_lost(known, without);
        assert_eq!([(1, 1), (2, 1), (1000, 1)].map(|(k, w)| lost(k, w)), [false; 3]);
        assert_eq!([(20, 2), (19, 2), (2, 2)].map(|(k, w)| lost(k, w)), [false, true, true]);
        assert_eq!([(1000, 100), (1000, 101)].map(|(k, w)| lost(k, w)), [false, true]);
        assert!(!lost(0, 0));
    }
}
