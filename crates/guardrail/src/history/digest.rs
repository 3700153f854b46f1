//! What stands, told once a day.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Destination};
use super::exempted::ExemptedStanding;
use super::gravity::Gravity;
use super::item::{Condition, Item, Key, Kind, Transaction, Write};
use super::outgoing::{Level, Unreadable, Unsent, body_of, clear, value_of, writes};
use super::state::{Standing, VpcState};
use crate::ec2::id::{Place, VpcId};

/// What the run of a digest is called, before its day.
const DIGEST: &str = "digest-";

/// The last day whose digest was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// The day on which the digest was due (UTC): `2026-09-14`.
    day: String,
}

/// What is not as the baseline wants it in one VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingVpc {
    /// The VPC.
    pub vpc: VpcId,
    /// When a run looked last (UTC); `None` where none has come to its end.
    pub looked: Option<Timestamp>,
    /// What was found then, the worst first and of that the oldest.
    pub findings: Vec<Standing>,
    /// What was exempted then, what lapses first coming first.
    pub exempted: Vec<ExemptedStanding>,
}

/// The item of the last day whose digest was made.
pub fn digest_key(place: &Place) -> Key {
    Kind::Told.at(place).key("digest")
}

/// The name of the digest that is due now; `None` when it was made.
///
/// A digest's day begins at its hour: what was missed at that hour is made up for whenever the clock
/// runs again before the next. What cannot be read is told once more rather than never.
pub fn digest_is_due(told: Option<&Item>, now: Timestamp, hour: u8) -> Option<String> {
    let day = day(now, hour);
    let told = told.and_then(|item| value_of::<Told>(item).ok());
    // Days of four digits sort as text.
    told.is_none_or(|told| told.day < day).then(|| format!("{DIGEST}{day}"))
}

/// The day of the digest that was due last.
fn day(now: Timestamp, hour: u8) -> String {
    let begun = now.saturating_sub(SignedDuration::from_hours(i64::from(hour.min(23))));
    let begun = begun.unwrap_or(now);
    begun.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// What stands in all VPCs of a place by their states, the worst first; and which states cannot be
/// read.
pub fn standing(states: &[Item]) -> (Vec<StandingVpc>, Vec<Unreadable>) {
    let (mut all, mut unreadable) = (Vec::new(), Vec::new());
    for item in states {
        match standing_of(item) {
            Ok(standing) => all.extend(standing),
            Err(why) => unreadable.push(why),
        }
    }
    all.sort_by_cached_key(|of: &StandingVpc| {
        let findings = of.findings.iter().map(order).collect::<Vec<_>>();
        // What is exempted only comes last.
        (findings.is_empty(), findings, of.vpc.clone())
    });
    (all, unreadable)
}

fn standing_of(item: &Item) -> Result<Option<StandingVpc>, Unreadable> {
    let state: VpcState = value_of(item)?;
    let vpc = item
        .key
        .name
        .parse::<VpcId>()
        .map_err(|error| Unreadable { name: item.key.name.clone(), why: error.to_string() })?;
    let mut findings = state.standing;
    findings.sort_by_key(order);
    let mut exempted = state.exempted;
    exempted.sort_by(|a, b| (a.until, &a.fingerprint).cmp(&(b.until, &b.fingerprint)));
    let is_told = !findings.is_empty() || !exempted.is_empty();
    let looked = state.looked;
    Ok(is_told.then_some(StandingVpc { vpc, looked, findings, exempted }))
}

fn order(finding: &Standing) -> (Gravity, Timestamp, String) {
    (Gravity::of(finding.rule), finding.since, finding.fingerprint.clone())
}

/// What makes the digest of a name: the alert for each destination, if anything stands, and that it
/// was made. Of two clocks that make it one succeeds. A digest of another day that was not told yet
/// is not told any more.
pub fn digest(
    told: Option<&Item>,
    place: &Place,
    id: &str,
    alert: Option<&Alert>,
    destinations: &[Destination],
    waiting: &[(&Item, Unsent)],
    now: Timestamp,
) -> Transaction {
    let day = id.strip_prefix(DIGEST).unwrap_or(id).to_owned();
    let made = Write::Put {
        key: digest_key(place),
        body: body_of(&Told { day }),
        expires: None,
        condition: Condition::unchanged(told),
    };
    let alerts = alert.map(|alert| writes(place, id, alert, Level::Overview, destinations, now));
    let old = waiting.iter().filter(|(_, unsent)| {
        unsent.run_id.starts_with(DIGEST) && unsent.run_id != id && !unsent.is_claimed(now)
    });
    let old = old.flat_map(|(item, unsent)| clear(item, item.version, unsent));
    let writes = [made].into_iter().chain(alerts.into_iter().flatten()).chain(old).take(100);
    Transaction { token: None, writes: writes.collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::baseline::RuleId;
    use crate::history::item::Body;

    fn place() -> Place {
        Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn told(day: &str) -> Item {
        let body = body_of(&Told { day: day.to_owned() });
        Item { key: digest_key(&place()), version: 3, body }
    }

    #[test]
    fn a_digest_is_due_once_between_its_hour_and_the_next() {
        let due = |told: &Item, now: &str| digest_is_due(Some(told), time(now), 7);
        let id = |day: &str| Some(format!("digest-{day}"));
        let before = told("2026-09-13");
        assert_eq!(due(&before, "2026-09-14T06:59:59Z"), None);
        assert_eq!(due(&before, "2026-09-14T07:00:00Z"), id("2026-09-14"));
        assert_eq!(due(&before, "2026-09-14T23:00:00Z"), id("2026-09-14"), "the clock was off");
        assert_eq!(due(&before, "2026-09-15T06:59:59Z"), id("2026-09-14"), "and past midnight");
        assert_eq!(due(&before, "2026-12-15T07:00:00Z"), id("2026-12-15"), "one for all missed");
        let after = told("2026-09-14");
        assert_eq!(due(&after, "2026-09-14T07:01:00Z"), None);
        assert_eq!(due(&after, "2026-09-15T06:59:59Z"), None);
        assert_eq!(due(&after, "2026-09-14T06:59:59Z"), None, "another clock is behind");
        assert_eq!(digest_is_due(None, time("2026-09-14T07:00:00Z"), 7), id("2026-09-14"));
        assert_eq!(digest_is_due(None, time("2026-09-14T00:00:00Z"), 0), id("2026-09-14"));
        assert_eq!(digest_is_due(None, time("2026-09-14T23:00:00Z"), 99), id("2026-09-14"));
        let odd = Item { body: Body::Text(String::new()), ..told("2026-09-14") };
        assert_eq!(due(&odd, "2026-09-14T07:00:00Z"), id("2026-09-14"), "twice, not never");
    }

    fn finding(rule: RuleId, name: &str, since: i64) -> Standing {
        Standing {
            rule,
            fingerprint: name.to_owned(),
            summary: name.to_owned(),
            since: at(since),
            told: true,
        }
    }

    fn state(vpc: &str, standing: Vec<Standing>) -> Item {
        state_of(vpc, Some(at(99)), standing)
    }

    fn state_of(vpc: &str, looked: Option<Timestamp>, standing: Vec<Standing>) -> Item {
        let state = VpcState { looked, standing, ..VpcState::default() };
        Item { key: Kind::State.at(&place()).key(vpc), version: 1, body: body_of(&state) }
    }

    #[test]
    fn what_stands_is_sorted_worst_first_then_oldest() {
        let (route, dns, advice) = (RuleId::InternetRoute, RuleId::VpcDns, RuleId::UnguardedSubnet);
        let states = [
            state("vpc-1", vec![finding(advice, "a", 1), finding(dns, "b", 9)]),
            state("vpc-2", vec![]),
            state("vpc-3", vec![finding(dns, "c", 5), finding(route, "d", 8)]),
            state("vpc-4", vec![finding(route, "e", 7)]),
            state_of("vpc-6", None, vec![finding(route, "g", 9)]),
            state("no VPC", vec![finding(route, "f", 7)]),
            Item { body: Body::Text("{}".to_owned()), ..state("vpc-5", vec![]) },
        ];
        let (standing, unreadable) = standing(&states);
        let shown: Vec<(&str, Vec<&str>)> = standing
            .iter()
            .map(|of| {
                let names = of.findings.iter().map(|finding| finding.summary.as_str());
                (of.vpc.as_str(), names.collect())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("vpc-4", vec!["e"]),
                ("vpc-3", vec!["d", "c"]),
                ("vpc-6", vec!["g"]),
                ("vpc-1", vec!["b", "a"]),
            ]
        );
        assert_eq!(standing[0].looked, Some(at(99)));
        let names: Vec<&str> = unreadable.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["no VPC", "vpc-5"]);
    }

    fn alert() -> Alert {
        Alert {
            subject: String::new(),
            text: String::new(),
            json: String::new(),
            attributes: BTreeMap::new(),
        }
    }

    fn names(transaction: &Transaction) -> Vec<(&str, Condition)> {
        let name = |write| (Write::key(write).name.as_str(), write.condition());
        transaction.writes.iter().map(name).collect()
    }

    #[test]
    fn a_digest_is_made_with_the_note_of_its_day_and_ends_the_ones_before() {
        let to = [Destination::new("a"), Destination::new("b")];
        let old = |run: &str| {
            let mut writes = writes(&place(), run, &alert(), Level::Overview, &to[..1], at(0));
            let Some(Write::Put { key, body, .. }) = writes.pop() else { panic!() };
            let item = Item { key, version: 4, body };
            let unsent = Unsent::read(&item).unwrap();
            (item, unsent)
        };
        let all = [old("digest-2026-09-13"), old("digest-2026-09-14"), old("r-1")];
        let waiting: Vec<(&Item, Unsent)> =
            all.iter().map(|(item, unsent)| (item, unsent.clone())).collect();
        let id = "digest-2026-09-14";
        let before = told("2026-09-13");
        let made = digest(Some(&before), &place(), id, Some(&alert()), &to, &waiting, at(50));
        assert_eq!(
            names(&made),
            [
                ("digest", Condition::Version(3)),
                ("digest-2026-09-14#a", Condition::Any),
                ("unsent#digest-2026-09-14#a", Condition::Any),
                ("digest-2026-09-14#b", Condition::Any),
                ("unsent#digest-2026-09-14#b", Condition::Any),
                ("unsent#digest-2026-09-13#a", Condition::Version(4)),
                ("digest-2026-09-13#a", Condition::Any),
            ]
        );
        let nothing = digest(None, &place(), id, None, &to, &[], at(50));
        assert_eq!(names(&nothing), [("digest", Condition::Absent)], "the day is done");
        let Write::Put { key, body, .. } = &nothing.writes[0] else { panic!() };
        let after = Item { key: key.clone(), version: 1, body: body.clone() };
        assert_eq!(digest_is_due(Some(&after), time("2026-09-14T20:00:00Z"), 7), None);
    }
}
