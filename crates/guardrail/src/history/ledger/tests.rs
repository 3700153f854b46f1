use serde_json::json;

use super::*;
use crate::baseline::RuleId;
use crate::ec2::change::Action;
use crate::history::Standing;
use crate::history::record::Closed;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn scope() -> Scope {
    Scope {
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        vpc: "vpc-1".parse().unwrap(),
    }
}

fn step(id: u32, action: Action<GroupRef>) -> RecordedStep {
    RecordedStep { id: StepId(id), action, before: String::new(), inverse: String::new() }
}

/// A run that makes a group, admits HTTPS to it, and deletes a route.
fn record() -> RunRecord {
    let made = GroupRef::MadeBy(StepId(1));
    let cidrs = vec![serde_json::from_value(json!("10.0.0.0/16")).unwrap()];
    let actions = [
        Action::CreateSecurityGroup {
            vpc: "vpc-1".parse().unwrap(),
            name: "own".to_owned(),
            description: String::new(),
        },
        Action::AuthorizeHttps { group: made, cidrs },
        Action::DeleteRoute {
            table: "rtb-a".parse().unwrap(),
            destination: serde_json::from_value(json!({"CidrBlock": "0.0.0.0/0"})).unwrap(),
            target: "nat-1".to_owned().into(),
        },
    ];
    let steps = (1..).zip(actions).map(|(id, action)| step(id, action));
    RunRecord {
        run_id: "r-1".to_owned(),
        scope: scope(),
        seed: "i-1".to_owned(),
        cause: "event".to_owned(),
        began: at(0),
        steps: steps.collect(),
        closed: None,
    }
}

/// Each write in short: what it is of, on which condition, and for how many days it is kept.
fn shown(transaction: &Transaction) -> Vec<String> {
    let shown = transaction.writes.iter().map(|write| {
        let (key, condition) = (write.key(), write.condition());
        let what = match write {
            Write::Put { expires: None, .. } => "put".to_owned(),
            Write::Put { expires: Some(expires), .. } => {
                format!("put for {} h", expires.as_second() / 3_600)
            }
            Write::Delete { .. } => "delete".to_owned(),
        };
        format!("{} {}: {what}, {condition:?}", key.partition.kind.as_str(), key.name)
    });
    shown.collect()
}

fn kept(state: VpcState) -> Kept<VpcState> {
    let item = Item { key: state_key(&scope()), version: 7, body: text(&state) };
    Kept { item: Some(item), value: Some(state) }
}

#[test]
fn a_run_begins_with_its_record_its_lease_and_that_it_is_open() {
    let lease = Lease::of("r-1", at(60));
    let before = VpcState { looked: Some(at(-9)), in_vain: 3, ..VpcState::default() };
    let first = begin(&Kept::default(), &record(), &lease, at(0));
    let writes = |condition: &str| {
        [
            "Run vpc-1#r-1: put for 2160 h, Any".to_owned(),
            format!("State vpc-1: put, {condition}"),
            "Waiting open#vpc-1: put, Any".to_owned(),
            "Told ran#vpc-1#r-1: put for 25 h, Any".to_owned(),
        ]
        .map(|write| write.to_lowercase())
    };
    let lower = |transaction: &Transaction| -> Vec<String> {
        shown(transaction).iter().map(|write| write.to_lowercase()).collect()
    };
    assert_eq!(lower(&first), writes("Absent"));
    let next = begin(&kept(before.clone()), &record(), &lease, at(0));
    assert_eq!(lower(&next), writes("Version(7)"));
    let Some(Write::Put { body: Body::Text(state), .. }) = next.writes.get(1) else { panic!() };
    let leased = VpcState { lease: Some(lease), ..before };
    assert_eq!(serde_json::from_str::<VpcState>(state).unwrap(), leased);
    let names: [String; 2] = [&first, &next].map(|it| it.token.clone().unwrap());
    assert!(names[0] != names[1] && names.iter().all(|name| name.len() <= 36), "{names:?}");
}

/// DynamoDB refuses one name with two contents.
#[test]
fn what_is_tried_again_later_has_another_name() {
    let token = |now| begin(&Kept::default(), &record(), &Lease::of("r-1", at(60)), now).token;
    assert_eq!(token(at(0)), token(at(0)));
    assert_ne!(token(at(0)), token(at(1)));
}

fn ends(state: Option<&VpcState>, closed: &[RunRecord], more: Vec<Write>) -> Vec<String> {
    let before = kept(VpcState::default());
    let scope = scope();
    let end =
        Finish { scope: &scope, name: "r-1", before: &before, state, closed, more, now: at(0) };
    shown(&finish(end)).iter().map(|write| write.to_lowercase()).collect()
}

#[test]
fn a_run_ends_with_its_record_the_state_and_when_it_is_due() {
    let again = LookAgain { at: at(60), why: String::new() };
    let waits = VpcState { look_again: Some(again), ..VpcState::default() };
    let closed = Closed { at: at(0), by: "r-1".to_owned(), verdict: String::new(), changes: 1 };
    let closed = RunRecord { closed: Some(closed), ..record() };
    let more = due(&Scope { vpc: "vpc-2".parse().unwrap(), ..scope() }, None);
    assert_eq!(
        ends(Some(&waits), &[closed], vec![more]),
        [
            "run vpc-1#r-1: put for 2160 h, any",
            "state vpc-1: put, version(7)",
            "waiting due#vpc-1: put, any",
            "waiting open#vpc-1: delete, any",
            "waiting due#vpc-2: delete, any",
        ]
    );
    // One that began nothing leaves alone what another has begun; one of a VPC that is looked after
    // no more leaves nothing.
    assert_eq!(
        ends(Some(&VpcState::default()), &[], vec![]),
        ["state vpc-1: put, version(7)", "waiting due#vpc-1: delete, any"]
    );
    assert_eq!(
        ends(None, &[], vec![]),
        ["state vpc-1: delete, version(7)", "waiting due#vpc-1: delete, any"]
    );
}

fn item(key: Key, value: &impl Serialize) -> Item {
    Item { key, version: 1, body: text(value) }
}

fn marked(run_id: &str, id: u32, value: &Mark) -> Item {
    let transaction = mark(&scope(), run_id, StepId(id), value, at(0));
    let key = transaction.writes.first().unwrap().key().clone();
    item(key, value)
}

fn made(applied: Applied, request_id: &str) -> Mark {
    Mark::Done { from: at(1), at: at(2), applied, request_id: Some(request_id.to_owned()) }
}

#[test]
fn the_calls_of_a_run_name_what_they_named_and_made() {
    let group = Applied::CreatedGroup("sg-1".parse().unwrap());
    let lost = Mark::Failed { from: at(3), at: at(23), why: String::new(), request_id: None };
    let items = [
        item(record_key(&scope(), "r-1"), &record()),
        marked("r-1", 1, &made(group, "q-1")),
        marked("r-1", 2, &lost),
        marked("r-1", 3, &Mark::Started { at: at(30) }),
        // Of another run, whose name begins alike.
        item(record_key(&scope(), "r-10"), &record()),
        marked("r-10", 3, &made(Applied::Done, "q-9")),
    ];
    let call = |request_id: Option<&str>, operation: &str, ids: &[&str], from, to| MadeCall {
        request_id: request_id.map(str::to_owned),
        operation: operation.to_owned(),
        resources: ids.iter().map(|id| (*id).to_owned()).collect(),
        from: at(from),
        to: at(to),
    };
    let expected = vec![
        call(Some("q-1"), "CreateSecurityGroup", &["sg-1", "vpc-1"], 1, 2),
        call(None, "AuthorizeSecurityGroupIngress", &["sg-1"], 3, 23),
        call(None, "DeleteRoute", &["rtb-a"], 30, 90),
    ];
    assert_eq!(ran_made(&items), Ok(expected));
    assert_eq!(ran_made(&[]), Ok(Vec::new()));
}

#[test]
fn what_cannot_be_read_of_a_run_is_said() {
    let name = |items: &[Item]| ran_made(items).unwrap_err().to_string();
    let of_the_record = name(&[item(record_key(&scope(), "r-1"), &7)]);
    assert!(of_the_record.contains("vpc-1#r-1") && of_the_record.contains("newer version"));
    let mut mark = marked("r-1", 1, &Mark::Started { at: at(0) });
    mark.body = Body::Packed(vec![1]);
    let of_a_mark = name(&[item(record_key(&scope(), "r-1"), &record()), mark]);
    assert!(of_a_mark.contains("#step#00001") && of_a_mark.contains("damaged"), "{of_a_mark}");
}

#[test]
fn the_runs_of_a_day_are_found_by_when_they_began() {
    let ran = |run_id: &str, began: i64| {
        let record = RunRecord { run_id: run_id.to_owned(), began: at(began), ..record() };
        let Write::Put { key, body, .. } = super::ran(&record, at(began)) else { panic!() };
        Item { key, version: 1, body }
    };
    let key = Kind::Told.at(&scope().place()).key("ran#vpc-1#r-4");
    let items = [ran("r-1", 9), ran("r-2", 10), ran("r-3", 11), item(key, &7)];
    let (names, unreadable) = runs_since(&items, Some(at(10)));
    assert_eq!((names, unreadable.len()), (vec!["vpc-1#r-2".into(), "vpc-1#r-3".into()], 1));
    assert_eq!(runs_since(&items, None).0.len(), 3);
}

#[test]
fn a_report_is_kept_in_parts_and_read_in_their_order() {
    let parts = vec![Body::Packed(vec![1]), Body::Packed(vec![2])];
    let writes = report_writes(&scope(), "r-1", parts.clone(), at(0));
    let mut items: Vec<Item> = writes
        .iter()
        .map(|write| {
            let Write::Put { key, body, .. } = write else { panic!() };
            Item { key: key.clone(), version: 1, body: body.clone() }
        })
        .collect();
    items.insert(0, item(record_key(&scope(), "r-1"), &record()));
    assert_eq!(report_parts(&items), parts);
    assert_eq!(marks(&items), Ok(Marks::new()));
}

#[test]
fn a_waiting_item_names_its_vpc() {
    let name = |key: Key| key.name;
    let vpc = Some(scope().vpc);
    assert_eq!(vpc_of(&name(due_key(&scope())), DUE), vpc);
    assert_eq!(vpc_of(&name(open_key(&scope())), OPEN), vpc);
    assert_eq!(vpc_of(&name(gave_way_key(&scope())), GAVE_WAY), vpc);
    assert_eq!(vpc_of(&name(gave_way_key(&scope())), DUE), None);
}

/// DynamoDB refuses an item above 400 KB, and the run that leaves so many findings would never end.
#[test]
fn a_state_of_a_thousand_findings_fits_into_an_item_and_is_read_by_all() {
    let finding = |number: usize| Standing {
        rule: RuleId::InternetRoute,
        fingerprint: format!("{:020x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        summary: format!(
            "rtb-{number:017x} has a route to igw-{number:017x}, for {}",
            "s".repeat(200)
        ),
        since: at(0),
        told: true,
    };
    let standing = (0..1_500).map(finding).collect();
    let state = VpcState { looked: Some(at(0)), standing, ..VpcState::default() };
    let write = put(state_key(&scope()), &state, Condition::Any);
    let Write::Put { key, body, .. } = write else { panic!() };
    assert!(matches!(&body, Body::Packed(packed) if packed.len() < 300_000));
    let item = Item { key, version: 1, body };
    assert_eq!(read::<VpcState>(&item), Ok(state));
    let (told, unreadable) = crate::history::digest::standing(std::slice::from_ref(&item));
    assert_eq!((told[0].findings.len(), unreadable.len()), (1_500, 0));
    let damaged = Item { body: Body::Packed(vec![1, 2]), ..item };
    assert!(read::<VpcState>(&damaged).unwrap_err().to_string().contains("damaged"));
}
