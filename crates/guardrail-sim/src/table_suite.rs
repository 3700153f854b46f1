//! What every table must do that the guardrail keeps its history in: the process's own memory and
//! the adapter to DynamoDB are held to the same sentences.

use guardrail::cloud::{CallError, Commit, ErrorClass, Table};
use guardrail::ec2::id::Place;
use guardrail::history::{Body, Condition, Item, Key, Kind, Partition, Transaction, Write};

/// As long as a report may be before it is packed.
const LONG: usize = 300 * 1024;

/// Goes through all of it, with items of this place only.
///
/// # Errors
/// When a call fails that should not.
///
/// # Panics
/// Where the table does something else than it should.
pub async fn check<T: Table>(table: &T, place: &Place) -> Result<(), CallError> {
    nothing_is_there_before_it_is_put(table, place).await?;
    a_version_counts_the_puts(table, place).await?;
    conditions_are_kept(table, place).await?;
    what_is_deleted_is_gone(table, place).await?;
    bodies_are_kept_to_the_letter(table, place).await?;
    all_is_changed_or_nothing(table, place).await?;
    a_token_makes_one_of_two(table, place).await?;
    a_list_is_sorted_and_of_one_partition(table, place).await?;
    what_cannot_be_one_transaction_is_refused(table, place).await
}

fn text(words: &str) -> Body {
    Body::Text(words.to_owned())
}

fn put(key: &Key, words: &str, condition: Condition) -> Write {
    Write::Put { key: key.clone(), body: text(words), expires: None, condition }
}

fn delete(key: &Key, condition: Condition) -> Write {
    Write::Delete { key: key.clone(), condition }
}

fn item(key: &Key, version: u64, words: &str) -> Item {
    Item { key: key.clone(), version, body: text(words) }
}

async fn one<T: Table>(table: &T, write: Write) -> Result<Commit, CallError> {
    table.commit(&Transaction::one(write)).await
}

async fn all<T: Table>(
    table: &T,
    token: Option<&str>,
    writes: Vec<Write>,
) -> Result<Commit, CallError> {
    table.commit(&Transaction { token: token.map(str::to_owned), writes }).await
}

async fn nothing_is_there_before_it_is_put<T: Table>(
    table: &T,
    place: &Place,
) -> Result<(), CallError> {
    let partition = Kind::State.at(place);
    assert_eq!(table.get(&partition.key("vpc-none")).await?, None);
    assert_eq!(table.list(&partition, "vpc-none").await?, []);
    assert_eq!(table.commit(&Transaction::default()).await?, Commit::Made);
    Ok(())
}

async fn a_version_counts_the_puts<T: Table>(table: &T, place: &Place) -> Result<(), CallError> {
    let key = Kind::State.at(place).key("vpc-counted");
    for (version, words) in [(1, "a"), (2, "b"), (3, "b")] {
        assert_eq!(one(table, put(&key, words, Condition::Any)).await?, Commit::Made);
        assert_eq!(table.get(&key).await?, Some(item(&key, version, words)));
    }
    Ok(())
}

async fn conditions_are_kept<T: Table>(table: &T, place: &Place) -> Result<(), CallError> {
    let key = Kind::Facts.at(place).key("vpc-conditions");
    let version = Condition::Version;
    let (made, conflict) = (Commit::Made, Commit::Conflict);
    for (condition, words, outcome, left) in [
        (version(1), "a", conflict, None),
        (Condition::Absent, "b", made, Some((1, "b"))),
        (Condition::Absent, "c", conflict, Some((1, "b"))),
        (version(2), "d", conflict, Some((1, "b"))),
        (version(1), "e", made, Some((2, "e"))),
        (version(1), "f", conflict, Some((2, "e"))),
        (Condition::Any, "g", made, Some((3, "g"))),
    ] {
        assert_eq!(one(table, put(&key, words, condition)).await?, outcome, "{words}");
        let left = left.map(|(version, words)| item(&key, version, words));
        let read = table.get(&key).await?;
        assert_eq!(read, left, "{words}");
        let again = Condition::unchanged(read.as_ref());
        assert_eq!(again, left.map_or(Condition::Absent, |left| version(left.version)));
    }
    Ok(())
}

async fn what_is_deleted_is_gone<T: Table>(table: &T, place: &Place) -> Result<(), CallError> {
    let key = Kind::Waiting.at(place).key("due#vpc-deleted");
    assert_eq!(one(table, delete(&key, Condition::Any)).await?, Commit::Made, "it was not there");
    assert_eq!(one(table, delete(&key, Condition::Version(1))).await?, Commit::Conflict);
    assert_eq!(one(table, put(&key, "a", Condition::Absent)).await?, Commit::Made);
    assert_eq!(one(table, delete(&key, Condition::Version(2))).await?, Commit::Conflict);
    assert_eq!(table.get(&key).await?, Some(item(&key, 1, "a")));
    assert_eq!(one(table, delete(&key, Condition::Version(1))).await?, Commit::Made);
    assert_eq!(table.get(&key).await?, None);
    assert_eq!(one(table, put(&key, "b", Condition::Absent)).await?, Commit::Made);
    assert_eq!(one(table, delete(&key, Condition::Any)).await?, Commit::Made);
    assert_eq!(table.get(&key).await?, None);
    Ok(())
}

async fn bodies_are_kept_to_the_letter<T: Table>(
    table: &T,
    place: &Place,
) -> Result<(), CallError> {
    let key = Kind::Run.at(place).key("vpc-bodies#1f#step#2");
    let long: String = "{\"ä\":\"\\n\"}".chars().cycle().take(LONG).collect();
    let packed: Vec<u8> = (0..=255).cycle().take(LONG).collect();
    let expires = in_the_far_future();
    for (version, body, expires) in [
        (1, text(""), None),
        (2, text("with an end"), expires),
        (3, Body::Packed(packed), expires),
        (4, text(&long), None),
        (5, Body::Packed(vec![0]), None),
    ] {
        let write =
            Write::Put { key: key.clone(), body: body.clone(), expires, condition: Condition::Any };
        assert_eq!(one(table, write).await?, Commit::Made);
        let wanted = Item { key: key.clone(), version, body };
        assert!(table.get(&key).await? == Some(wanted.clone()), "the body of version {version}");
        let listed = table.list(&key.partition, &key.name).await?;
        assert!(listed == [wanted], "the listed body of version {version}");
    }
    Ok(())
}

/// A time long after every test: an item is kept until then at least.
fn in_the_far_future() -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(4_000_000_000).ok()
}

async fn all_is_changed_or_nothing<T: Table>(table: &T, place: &Place) -> Result<(), CallError> {
    let state = Kind::State.at(place).key("vpc-together");
    let run = Kind::Run.at(place).key("vpc-together#1f");
    let open = Kind::Waiting.at(place).key("open#vpc-together");
    let begin = |words| {
        vec![
            put(&run, words, Condition::Any),
            put(&state, words, Condition::Absent),
            put(&open, words, Condition::Any),
        ]
    };
    assert_eq!(all(table, None, begin("a")).await?, Commit::Made);
    assert_eq!(all(table, None, begin("b")).await?, Commit::Conflict);
    for key in [&state, &run, &open] {
        assert_eq!(table.get(key).await?, Some(item(key, 1, "a")));
    }
    let end = |version| {
        vec![
            put(&state, "c", Condition::Version(1)),
            put(&run, "c", Condition::Version(version)),
            delete(&open, Condition::Version(1)),
        ]
    };
    assert_eq!(all(table, None, end(2)).await?, Commit::Conflict);
    assert_eq!(table.get(&open).await?, Some(item(&open, 1, "a")));
    assert_eq!(all(table, None, end(1)).await?, Commit::Made);
    assert_eq!(table.get(&state).await?, Some(item(&state, 2, "c")));
    assert_eq!(table.get(&run).await?, Some(item(&run, 2, "c")));
    assert_eq!(table.get(&open).await?, None);
    Ok(())
}

async fn a_token_makes_one_of_two<T: Table>(table: &T, place: &Place) -> Result<(), CallError> {
    let (a, b) = (Kind::Run.at(place).key("vpc-token#1"), Kind::Run.at(place).key("vpc-token#2"));
    let token = format!("{}-1f", place.region);
    let token = Some(token.as_str());
    let writes = |words| vec![put(&a, words, Condition::Any), put(&b, words, Condition::Absent)];
    for _ in 0..3 {
        assert_eq!(all(table, token, writes("a")).await?, Commit::Made);
    }
    assert_eq!(table.get(&a).await?, Some(item(&a, 1, "a")), "it was made once");
    let other = all(table, token, writes("b")).await.map_err(|error| (error.class, error.code));
    let mismatch = Some("IdempotentParameterMismatchException".to_owned());
    assert_eq!(other, Err((ErrorClass::Invalid, mismatch)));
    assert_eq!(table.get(&a).await?, Some(item(&a, 1, "a")));

    let single = format!("{}-2f", place.region);
    let one = || vec![put(&b, "c", Condition::Any)];
    for _ in 0..2 {
        assert_eq!(all(table, Some(&single), one()).await?, Commit::Made);
    }
    assert_eq!(table.get(&b).await?, Some(item(&b, 2, "c")), "one item takes a token too");

    // A conflict is not remembered: the same transaction can be made once its conditions hold.
    let later = format!("{}-3f", place.region);
    let later = Some(later.as_str());
    let writes = || vec![put(&b, "d", Condition::Version(3)), delete(&a, Condition::Any)];
    assert_eq!(all(table, later, writes()).await?, Commit::Conflict);
    assert_eq!(all(table, None, vec![put(&b, "c", Condition::Any)]).await?, Commit::Made);
    assert_eq!(all(table, later, writes()).await?, Commit::Made);
    assert_eq!(table.get(&b).await?, Some(item(&b, 4, "d")));
    Ok(())
}

async fn a_list_is_sorted_and_of_one_partition<T: Table>(
    table: &T,
    place: &Place,
) -> Result<(), CallError> {
    let alerts = Kind::Alert.at(place);
    let elsewhere = Place { region: place.region.clone(), account: other_account(place) };
    let names = ["b#2", "a", "b#10", "b", "B#1", "b\u{e4}", "c#1"];
    for name in names {
        for partition in [&alerts, &Kind::Told.at(place), &Kind::Alert.at(&elsewhere)] {
            let words = format!("{partition} {name}");
            let commit = one(table, put(&partition.key(name), &words, Condition::Any)).await?;
            assert_eq!(commit, Commit::Made);
        }
    }
    let listed = |names: &[&str]| -> Vec<Item> {
        let of = |name: &&str| item(&alerts.key(name), 1, &format!("{alerts} {name}"));
        names.iter().map(of).collect()
    };
    for (prefix, wanted) in [
        ("", &["B#1", "a", "b", "b#10", "b#2", "b\u{e4}", "c#1"][..]),
        ("b", &["b", "b#10", "b#2", "b\u{e4}"]),
        ("b#", &["b#10", "b#2"]),
        ("c#1", &["c#1"]),
        ("d", &[]),
    ] {
        assert_eq!(table.list(&alerts, prefix).await?, listed(wanted), "`{prefix}`");
    }
    every_page_is_listed(table, &Kind::Detect.at(place)).await
}

/// DynamoDB's pages are of one megabyte.
async fn every_page_is_listed<T: Table>(table: &T, partition: &Partition) -> Result<(), CallError> {
    let long = "x".repeat(LONG);
    let names = ["1", "2", "3", "4", "5"];
    for name in names {
        let commit = one(table, put(&partition.key(name), &long, Condition::Any)).await?;
        assert_eq!(commit, Commit::Made);
    }
    let listed = table.list(partition, "").await?;
    let listed: Vec<&str> = listed.iter().map(|item| item.key.name.as_str()).collect();
    assert_eq!(listed, names);
    Ok(())
}

async fn what_cannot_be_one_transaction_is_refused<T: Table>(
    table: &T,
    place: &Place,
) -> Result<(), CallError> {
    let partition = Kind::Pace.at(place);
    let twice = ["a", "b"].map(|words| put(&partition.key("twice"), words, Condition::Any));
    let many = (0..101).map(|n| put(&partition.key(format!("many#{n}")), "a", Condition::Any));
    for writes in [twice.to_vec(), many.collect()] {
        let refused = all(table, None, writes).await.map_err(|error| error.class);
        assert_eq!(refused, Err(ErrorClass::Invalid));
    }
    assert_eq!(table.list(&partition, "").await?, []);
    let hundred = (0..100).map(|n| put(&partition.key(format!("many#{n}")), "a", Condition::Any));
    assert_eq!(all(table, None, hundred.collect()).await?, Commit::Made);
    assert_eq!(table.list(&partition, "").await?.len(), 100);
    Ok(())
}

/// Another account in the same Region.
fn other_account(place: &Place) -> guardrail::ec2::id::AccountId {
    let reversed: String = place.account.as_str().chars().rev().collect();
    reversed.parse().unwrap_or_else(|_| place.account.clone())
}

#[cfg(test)]
mod tests {
    use guardrail::cloud::InMemoryTable;

    use super::*;

    #[test]
    fn the_processs_own_memory_is_such_a_table() {
        let place = Place {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
        };
        let checked = pollster::block_on(check(&InMemoryTable::default(), &place));
        assert_eq!(checked, Ok(()));
    }
}
