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
        assert_eq!((*expires, *condition), (Some(at(100 + 28 * 86_400)), Condition::Any));
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
    let cut =
        "é".repeat(CUT) + "\n… cut here: too long to be kept. The run's record has the report.\n";
    assert_eq!(kept, alert(&cut));
}

#[test]
fn a_claim_is_for_a_minute_and_counts_the_tries() {
    let (item, unsent) = waiting();
    let write = claim(&item, &unsent, Some(at(0)), at(1000));
    assert_eq!(write.condition(), Condition::Version(1));
    assert_eq!(write.key(), &item.key);
    let claimed = body(&write);
    let expected = Unsent { hour: Some(at(0)), tries: 1, claimed_until: Some(at(1060)), ..unsent };
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
    let damaged = "the text in the table is damaged or lacks a part (1 parts are there)";
    assert_eq!(odd(Body::Packed(Vec::new())).why, damaged);
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
