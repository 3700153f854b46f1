//! Who is told of a run, and what is remembered of it, from one run to the next.

use super::*;
use crate::baseline::Mode;
use crate::cloud::Table;
use crate::history::first_contact::FirstContact;
use crate::history::ledger::{gave_way_key, open_key, put, state_key};
use crate::history::{Item, Key, Kind, Lease, Open, Partition, Standing, VpcFacts};

/// What a future of a fake comes to.
pub(super) fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the fake never waits"),
    }
}

/// One more run, a minute later, with 25 seconds of time: its report and whether it is told.
pub(super) fn next(cloud: &Fake, table: &InMemoryTable) -> (bool, Report) {
    next_of(cloud, table, request(0))
}

/// The same, of this request.
pub(super) fn next_of(cloud: &Fake, table: &InMemoryTable, request: RunRequest) -> (bool, Report) {
    let now = cloud.now.get() + Duration::from_secs(60);
    cloud.now.set(now);
    let deadline = now + Duration::from_secs(25);
    let request = RunRequest { run_id: format!("run-{now}"), deadline, ..request };
    match lived(cloud, table, &request) {
        Lived::Recorded { report, is_told } => (is_told, *report),
        other @ (Lived::Busy { .. } | Lived::NotRecorded { .. }) => panic!("{other:?}"),
    }
}

pub(super) fn state(table: &InMemoryTable) -> VpcState {
    let item = done(table.get(&state_key(&request(0).scope))).unwrap();
    Kept::<VpcState>::of(item).unwrap().value.unwrap()
}

fn standing(table: &InMemoryTable) -> Vec<Standing> {
    state(table).standing
}

pub(super) fn edit(cloud: &Fake, edit: impl FnOnce(&mut Fixture) -> &mut Fixture) {
    edit(&mut cloud.state.borrow_mut());
}

/// Told when the endpoint is made, and then when it serves: nothing in between.
#[test]
fn an_endpoint_that_comes_is_told_when_it_is_made_and_when_it_has_come() {
    let cloud = Fake { comes_up: false, ..Fake::new(|w| w.remove("vpce-ssm")) };
    at_once(&mut cloud.state.borrow_mut());
    let table = InMemoryTable::default();
    let (is_told, made) = next(&cloud, &table);
    assert!(is_told && made.changed(), "{:?}", told(&made));
    let [coming] = &standing(&table)[..] else { panic!("{:?}", standing(&table)) };
    assert!(coming.summary.contains("vpce-made"), "{coming:?}");
    let (is_told, waiting) = next(&cloud, &table);
    assert_eq!((is_told, waiting.ended, waiting.was_off_for_seconds), (false, vec![], None));
    edit(&cloud, |w| w.set("vpce-made", "State", json!("available")));
    let (is_told, back) = next(&cloud, &table);
    assert!(is_told && back.was_off_for_seconds.is_some(), "{back:?}");
    assert_eq!((back.ended.len(), standing(&table).len()), (1, 0));
    assert!(!next(&cloud, &table).0);
}

/// That a rule is silenced mends nothing, so that nobody is told that anything has ended.
#[test]
fn what_is_silenced_has_not_ended() {
    let silence_all: Edit = |w| w.baseline("mode", json!("observe"));
    let silence_one: Edit = |w| w.baseline("rules", json!({"internet-route": {"mode": "observe"}}));
    for silence in [silence_all, silence_one] {
        let cloud = Fake::new(|w| nat(w).baseline("mode", json!("notify")));
        let table = InMemoryTable::default();
        assert!(next(&cloud, &table).0);
        assert!(!next(&cloud, &table).0, "it stands");
        edit(&cloud, silence);
        let (is_told, report) = next(&cloud, &table);
        assert_eq!((is_told, report.ended, report.was_off_for_seconds), (false, vec![], None));
        assert_eq!(standing(&table), []);
    }
}

/// A call without an answer may have been made, and somebody may have taken back since what it made:
/// that nothing shows is no reason to be silent.
#[test]
fn a_call_without_an_answer_is_told_though_nothing_else_is_new() {
    let mut cloud =
        Fake { refused: vec![("delete the route", ErrorClass::Invalid)], ..Fake::new(nat) };
    at_once(&mut cloud.state.borrow_mut());
    let table = InMemoryTable::default();
    assert!(next(&cloud, &table).0);
    assert!(!next(&cloud, &table).0, "it is refused as before");
    cloud.refused.clear();
    cloud.unanswered.push("delete the route");
    let (is_told, report) = next(&cloud, &table);
    let [step] = &report.steps[..] else { panic!("{:?}", report.steps) };
    let said = "failed, or taken back since: no answer came: Call: \"scripted\"";
    assert_eq!((is_told, step.outcome.to_string().as_str()), (true, said));
}

/// What was hidden while everybody wanted silence is told when they want it no more.
#[test]
fn what_could_not_be_seen_in_silence_is_told_afterwards() {
    let cloud = Fake {
        blind: vec![(1, 99, Section::Subnets, ErrorClass::Denied)],
        ..Fake::new(|w| w.baseline("mode", json!("observe")))
    };
    let table = InMemoryTable::default();
    assert!(!next(&cloud, &table).0);
    edit(&cloud, |w| w.baseline("mode", json!("notify")));
    assert!(next(&cloud, &table).0);
    assert!(!next(&cloud, &table).0);
}

#[test]
fn a_vpc_that_only_a_sweep_has_seen_is_told_of_when_it_is_looked_after_no_more() {
    let cloud = Fake::new(|w| w.set("vpc-1", "Tags", json!([])));
    let table = InMemoryTable::default();
    assert!(!next(&cloud, &table).0, "nobody knew it");
    let facts = VpcFacts::first_seen_at(cloud.now.get());
    let seen = ledger::put_facts(&request(0).scope, &Kept::default(), &facts);
    assert_eq!(done(table.commit(&seen)), Ok(Commit::Made));
    let (is_told, report) = next(&cloud, &table);
    assert!(is_told && report.was_managed, "{report:?}");
    assert!(!next(&cloud, &table).0, "once");
}

#[test]
fn a_vpc_that_could_not_be_read_is_not_said_to_have_been_looked_after() {
    let cloud = Fake {
        blind: vec![(1, 1, Section::Vpcs, ErrorClass::Throttled)],
        ..Fake::new(|w| w.set("vpc-1", "Tags", json!([])))
    };
    let table = InMemoryTable::default();
    assert_eq!(next(&cloud, &table).1.verdict, Verdict::Incomplete);
    let (is_told, report) = next(&cloud, &table);
    assert_eq!((is_told, report.verdict, report.was_managed), (false, Verdict::NotManaged, false));
}

/// A record that is gone leaves nothing to judge, and the clock would ask for ever.
#[test]
fn what_is_open_without_a_record_is_closed() {
    let scope = request(0).scope;
    let table = InMemoryTable::default();
    let open = Open { run_id: "r-0".to_owned(), until: Timestamp::UNIX_EPOCH };
    let opened = put(open_key(&scope), &open, Condition::Any);
    assert_eq!(done(table.commit(&Transaction::one(opened))), Ok(Commit::Made));
    let cloud = Fake::new(|w| w);
    assert!(!next(&cloud, &table).0);
    assert_eq!(done(table.get(&open_key(&scope))), Ok(None));
}

/// A table in which another run writes the state right before the first change: when it ends, or,
/// where a lease is given, when it begins and is killed.
struct Overtaken<'a>(&'a InMemoryTable, Cell<bool>, Option<Lease>);

impl Table for Overtaken<'_> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        self.0.get(key).await
    }

    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError> {
        self.0.list(partition, prefix).await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        if !self.1.replace(true) {
            let looked = Some(Timestamp::UNIX_EPOCH);
            let other = VpcState { looked, lease: self.2.clone(), ..VpcState::default() };
            let ended = put(state_key(&request(0).scope), &other, Condition::Any);
            let _ = self.0.commit(&Transaction::one(ended)).await?;
        }
        self.0.commit(transaction).await
    }
}

/// The look of the run that ended meanwhile may be the newer one: what this one saw is not told.
#[test]
fn a_run_that_another_overtook_looks_again() {
    let cloud = Fake::new(|w| nat(w).baseline("mode", json!("notify")));
    let table = InMemoryTable::default();
    let overtaken = Overtaken(&table, Cell::new(false), None);
    let (baseline, request) = (cloud.state.borrow().wanted(), request(60));
    let lived = done(super::super::run(&cloud, &overtaken, &[], &baseline, &request));
    assert!(matches!(lived, Lived::Busy { due } if due <= cloud.now.get()), "{lived:?}");
    assert!(done(table.get(&gave_way_key(&request.scope))).unwrap().is_some());
    let alerts = Kind::Waiting.at(&request.scope.place());
    assert_eq!(done(table.list(&alerts, "unsent#")), Ok(Vec::new()));
}

/// Its record is open, and would never be closed and told if this run put its own in its place.
#[test]
fn a_run_that_was_overtaken_by_one_that_was_killed_gives_way_however_old_its_lease_is() {
    let mut cloud = Fake::new(nat);
    at_once(&mut cloud.state.borrow_mut());
    cloud.now = Cell::new(Timestamp::UNIX_EPOCH + Duration::from_secs(3_600));
    let table = InMemoryTable::default();
    let killed = Lease { run_id: "killed".to_owned(), until: Timestamp::UNIX_EPOCH };
    let overtaken = Overtaken(&table, Cell::new(false), Some(killed.clone()));
    let request = RunRequest { deadline: cloud.now.get() + Duration::from_secs(60), ..request(0) };
    let baseline = cloud.state.borrow().wanted();
    let lived = done(super::super::run(&cloud, &overtaken, &[], &baseline, &request));
    assert!(matches!(lived, Lived::Busy { due } if due == killed.until), "{lived:?}");
    assert_eq!(*cloud.calls.borrow(), Vec::<String>::new());
    assert_eq!(done(table.get(&open_key(&request.scope))), Ok(None), "it has not begun");
}

/// The grace of two minutes is counted from the first look, and nobody hears of it.
#[test]
fn a_grace_is_noted_once_and_ends_with_the_endpoint() {
    let cloud = Fake::new(|w| {
        w.remove("vpce-ssm")
            .add("SecurityGroups", own_group(&["10.0.0.0/16"]))
            .baseline("settling", json!({"minutes": 0, "dhcp_options_minutes": 0}))
    });
    let table = InMemoryTable::default();
    let noted = || -> Vec<(String, i64)> {
        let grace = state(&table).grace.into_iter();
        grace.map(|(service, until)| (service.to_string(), until.as_second())).collect()
    };
    let ssm = ("com.amazonaws.eu-central-1.ssm".to_owned(), 180);
    for _ in 0..2 {
        let (is_told, waits) = next(&cloud, &table);
        let due = waits.look_again.as_ref().map(|again| again.at.as_second());
        assert!(!is_told, "{:?} {:?}", told(&waits), standing(&table));
        assert_eq!((is_told, due, noted()), (false, Some(180), vec![ssm.clone()]));
        assert!(standing(&table).iter().all(|it| !it.told), "{:?}", standing(&table));
    }
    let (is_told, made) = next(&cloud, &table);
    assert!(is_told && made.changed(), "{:?}", told(&made));
    assert_eq!(noted(), []);
}

/// What was told to stand and is repaired now has ended, and is not said twice.
#[test]
fn what_is_repaired_is_not_said_to_have_ended_too() {
    let cloud = Fake::new(|w| nat(w).baseline("mode", json!("notify")));
    at_once(&mut cloud.state.borrow_mut());
    let table = InMemoryTable::default();
    assert!(next(&cloud, &table).0);
    edit(&cloud, |w| w.baseline("mode", json!("repair")));
    let (is_told, report) = next(&cloud, &table);
    assert!(is_told && report.findings.iter().all(|found| found.repaired), "{:?}", told(&report));
    assert_eq!((report.findings.len(), report.ended), (1, vec![]));
    assert_eq!(standing(&table), []);
}

/// What throttling kept from the first look of a sweep's run belongs into the sweep's summary still.
#[test]
fn a_first_contact_that_was_blind_at_first_is_told_with_the_others() {
    let cloud = Fake {
        blind: vec![(1, 1, Section::RouteTables, ErrorClass::Throttled)],
        ..Fake::new(|w| nat(w).baseline("mode", json!("notify")))
    };
    let table = InMemoryTable::default();
    let by =
        |cause, incident: &str| RunRequest { cause, incident: incident.to_owned(), ..request(0) };
    assert!(!next_of(&cloud, &table, by(Cause::Sweep, "sweep-1")).0);
    let waiting = Kind::Waiting.at(&request(0).scope.place());
    let first = waiting.key("first#vpc-1");
    assert_eq!(done(table.get(&first)), Ok(None), "there is nothing to tell yet");
    let (is_told, report) = next_of(&cloud, &table, by(Cause::Clock, "clock-1"));
    assert_eq!((is_told, report.findings.len()), (false, 1), "{:?}", told(&report));
    let item = done(table.get(&first)).unwrap().unwrap();
    assert_eq!(FirstContact::read(&item).unwrap().sweep, "sweep-1");
    assert_eq!(state(&table).first_contact, None);
    assert!(!next_of(&cloud, &table, by(Cause::Clock, "clock-2")).0, "it stands");
}

/// The modes of a VPC's override hold for all that is done and told of it.
#[test]
fn an_override_says_what_is_done_and_told_of_its_vpc() {
    let under = |mode: &str, own: Value| {
        let cloud = Fake::new(|w| {
            let known = json!([{"vpc": {"name": "shop"}, "mode": own}]);
            nat(w).baseline("mode", json!(mode)).baseline("overrides", known)
        });
        at_once(&mut cloud.state.borrow_mut());
        let table = InMemoryTable::default();
        let (is_told, report) = next(&cloud, &table);
        assert!(report.modes_of_override);
        (report.mode, cloud.calls.take().len(), is_told, next(&cloud, &table).0)
    };
    assert_eq!(under("repair", json!("notify")), (Mode::Notify, 0, true, false));
    assert_eq!(under("repair", json!("observe")), (Mode::Observe, 0, false, false));
    assert_eq!(under("notify", json!("repair")), (Mode::Repair, 1, true, false));
    assert_eq!(under("observe", json!("notify")), (Mode::Notify, 0, true, false));
}
