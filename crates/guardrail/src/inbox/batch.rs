//! A batch from the queue: its messages as runs, one for each VPC, and which of them go back.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::baseline::Baseline;
use crate::ec2::id::Scope;
use crate::event::Evidence;
use crate::inbox::message::{About, Message, Unreadable};
use crate::report::Cause;
use crate::run::{PATIENCE, watched_for};

/// What a run may still take when its time is up: a change under way, which the client gives up after
/// 20 seconds, one more look, and the end.
const RESERVE: SignedDuration = SignedDuration::from_secs(35);

/// A run that has less time than this would only look.
const SHORTEST: SignedDuration = SignedDuration::from_secs(3);

/// A message as the queue hands it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// SQS's id of the message.
    pub id: String,
    /// What SQS names this handing out by.
    pub handle: String,
    /// Who sent it, as SQS says (`SenderId`); `None` where it does not say.
    pub sender: Option<String>,
    /// The message's group, where the queue says.
    pub group: Option<String>,
    /// The message's body as it was sent.
    pub body: String,
}

/// What a batch asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The runs to make, one for each VPC, in the order of their first messages.
    pub runs: Vec<VpcRun>,
    /// What senders without a baseline had to say.
    pub without_baseline: Vec<WithoutBaseline>,
    /// Messages that say nothing to act on: they are set aside for people.
    pub unreadable: Vec<(Received, Unreadable)>,
    /// Every message with its handle and its group, in their order.
    order: Vec<Handed>,
}

/// A message as far as it goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Handed {
    id: String,
    handle: String,
    group: Option<String>,
}

/// One run over one VPC, for all messages about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcRun {
    /// The account, Region and VPC to run over.
    pub scope: Scope,
    /// The cause that the first message says: calls explain more than a sweep, so one that has
    /// evidence counts as first; and a changed selection is the cause wherever it stands.
    pub cause: Cause,
    /// The incident that the first message names.
    pub incident: String,
    /// The calls that all messages tell of, by time, each call once.
    pub evidence: Vec<Evidence>,
    /// The messages' ids, in their order.
    pub messages: Vec<String>,
}

/// A message from a sender that could not tell which VPCs are managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithoutBaseline {
    /// Why the sender has no baseline.
    pub why: String,
    /// The name of what led to the message.
    pub incident: String,
    /// SQS's id of the message.
    pub message: String,
}

/// Sorts a batch. No message fails another one here: what cannot be read is set aside. What `detect`
/// sends is evidence; what another sender says of calls is its claim.
pub fn runs(received: &[Received], is_detect: impl Fn(&str) -> bool) -> Batch {
    let handed = |message: &Received| Handed {
        id: message.id.clone(),
        handle: message.handle.clone(),
        group: message.group.clone(),
    };
    let order = received.iter().map(handed).collect();
    let mut batch =
        Batch { runs: Vec::new(), without_baseline: Vec::new(), unreadable: Vec::new(), order };
    for message in received {
        let id = message.id.clone();
        match Message::parse(&message.body) {
            Err(why) => batch.unreadable.push((message.clone(), why)),
            Ok(Message { about: About::NoBaseline(why), incident, .. }) => {
                batch.without_baseline.push(WithoutBaseline {
                    why,
                    incident: named(incident, &id),
                    message: id,
                });
            }
            Ok(Message { about: About::Vpc(scope), cause, incident, evidence }) => {
                let incident = named(incident, &id);
                let messages = vec![id];
                let evidence = claimed(evidence, message.sender.as_deref(), &is_detect);
                batch.add(VpcRun { scope, cause, incident, evidence, messages });
            }
        }
    }
    for run in &mut batch.runs {
        // Of what is said of one call, what no other sender claims comes first.
        run.evidence.sort_by(|a, b| {
            (&a.time, a.claimed_by.is_some()).cmp(&(&b.time, b.claimed_by.is_some()))
        });
        let mut told = BTreeSet::new();
        run.evidence
            .retain(|call| call.record.event_id.as_ref().is_none_or(|id| told.insert(id.clone())));
    }
    batch
}

/// A message that does not name its incident is one of its own.
fn named(incident: Option<String>, id: &str) -> String {
    incident.unwrap_or_else(|| id.to_owned())
}

impl Batch {
    fn add(&mut self, new: VpcRun) {
        let Some(run) = self.runs.iter_mut().find(|run| run.scope == new.scope) else {
            return self.runs.push(new);
        };
        if run.evidence.is_empty() && !new.evidence.is_empty() {
            run.cause = new.cause;
            run.incident = new.incident;
        } else if new.cause == Cause::SelectionChanged {
            run.cause = new.cause;
        }
        run.evidence.extend(new.evidence);
        run.messages.extend(new.messages);
    }

    /// What led to the first run: where the baseline cannot be used, its fault is told on that.
    /// None where there is no run that needs a baseline.
    pub fn incident(&self) -> Option<&str> {
        self.runs.first().map(|run| run.incident.as_str())
    }

    /// The ids of the messages of all runs.
    pub(super) fn runs_messages(&self) -> Vec<String> {
        self.runs.iter().flat_map(|run| run.messages.iter().cloned()).collect()
    }

    /// The ids of all messages, in their order.
    pub(super) fn ids(&self) -> Vec<&str> {
        self.order.iter().map(|message| message.id.as_str()).collect()
    }

    /// The handles of these messages.
    pub(super) fn handles(&self, ids: &[&str]) -> Vec<&str> {
        let named = self.order.iter().filter(|message| ids.contains(&message.id.as_str()));
        named.map(|message| message.handle.as_str()).collect()
    }

    /// The groups of these messages.
    pub(super) fn groups_of(&self, ids: &BTreeSet<String>) -> BTreeSet<String> {
        let named = self.order.iter().filter(|message| ids.contains(&message.id));
        named.filter_map(|message| message.group.clone()).collect()
    }

    /// Whether a message is of one of these groups.
    pub(super) fn is_of_group(&self, id: &str, groups: &BTreeSet<String>) -> bool {
        let message = self.order.iter().find(|message| message.id == id);
        let group = message.and_then(|message| message.group.as_ref());
        group.is_some_and(|group| groups.contains(group))
    }

    /// The messages that go back, in their order: the `failed` ones, and in each of their groups every
    /// later one, because a queue that got a message back must not have lost what came after it. Other groups are not held up: Lambda's advice to stop at a batch's
    /// first failure only serves the order within a group
    /// (docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
    pub fn batch_item_failures<'a>(
        &'a self,
        failed: impl IntoIterator<Item = &'a str>,
    ) -> Vec<&'a str> {
        let failed: BTreeSet<&str> = failed.into_iter().collect();
        let mut stopped = BTreeSet::new();
        let goes_back = |Handed { id, group, .. }: &&Handed| {
            let goes = failed.contains(id.as_str())
                || group.as_ref().is_some_and(|group| stopped.contains(group));
            if goes && let Some(group) = group {
                stopped.insert(group.clone());
            }
            goes
        };
        self.order.iter().filter(goes_back).map(|message| message.id.as_str()).collect()
    }
}

/// When a run that begins now must end, in an invocation that ends at this millisecond since the
/// epoch: soon, because what it waits for is looked at again; and early enough to look once more and
/// to tell. Of a short time, a third is kept; and the minute in which probes are asked again, where the
/// baseline names some. An end that is past, or beyond what a time can say, is no
/// fault.
pub fn deadline(now: Timestamp, ends: u64, baseline: &Baseline) -> Timestamp {
    let ends = at(ends);
    let left = ends.duration_since(now).max(SignedDuration::ZERO);
    let reserve = RESERVE.min(left / 3).saturating_add(watched_for(baseline));
    let last = ends.checked_sub(reserve).unwrap_or(now);
    now.checked_add(PATIENCE).map_or(last, |patient| patient.min(last))
}

/// How much time is left of an invocation that ends at this millisecond since the epoch.
pub(super) fn time_left(now: Timestamp, ends: u64) -> Duration {
    let left = at(ends).duration_since(now).max(SignedDuration::ZERO);
    left.unsigned_abs()
}

/// The last moment at which something is begun in an invocation that ends at this millisecond since
/// the epoch.
pub(super) fn last_moment(ends: u64) -> Timestamp {
    const TO_END_IN: SignedDuration = SignedDuration::from_secs(5);
    at(ends).checked_sub(TO_END_IN).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn at(millisecond: u64) -> Timestamp {
    let at = i64::try_from(millisecond).ok();
    at.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(Timestamp::MAX)
}

/// Whether there is time to begin a run.
pub fn may_begin(now: Timestamp, deadline: Timestamp) -> bool {
    deadline.duration_since(now) >= SHORTEST
}

/// The calls that a message tells of, as who sent it may say: a claim where that is not `detect`.
fn claimed(
    evidence: Vec<Evidence>,
    sender: Option<&str>,
    is_detect: impl Fn(&str) -> bool,
) -> Vec<Evidence> {
    let claimed_by = match sender {
        Some(sender) if is_detect(sender) => None,
        Some(sender) => Some(sender.to_owned()),
        None => Some("an unknown sender".to_owned()),
    };
    let claim = |evidence| Evidence { claimed_by: claimed_by.clone(), ..evidence };
    evidence.into_iter().map(claim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::message::for_call;
    use crate::inbox::message::tests::{call, scope};

    fn received(id: &str, vpc: &str, evidence: &Evidence) -> Received {
        let message = for_call(evidence, scope(vpc));
        let group = Some(message.group_id());
        Received { group, ..handed(id, message.body()) }
    }

    /// A message that is in no group.
    fn handed(id: &str, body: String) -> Received {
        Received {
            id: id.to_owned(),
            handle: format!("handle of {id}"),
            sender: Some("AROADETECT:detect".to_owned()),
            group: None,
            body,
        }
    }

    fn poison(id: &str, group: Option<&str>) -> Received {
        Received { group: group.map(str::to_owned), ..handed(id, "poison".to_owned()) }
    }

    /// A batch that `detect` has sent.
    fn runs(received: &[Received]) -> Batch {
        super::runs(received, |_| true)
    }

    const GROUP_1: Option<&str> = Some("111122223333/eu-central-1/vpc-1");

    #[test]
    fn messages_about_one_vpc_are_one_run() {
        let (early, late) =
            (call("e-1", "2026-09-14T08:31:07Z"), call("e-2", "2026-09-14T08:31:09Z"));
        let batch = runs(&[
            received("m-1", "vpc-1", &late),
            received("m-2", "vpc-2", &late),
            received("m-3", "vpc-1", &early),
            received("m-4", "vpc-1", &late),
        ]);
        let run = |vpc: &str, evidence: &[&Evidence], messages: &[&str]| VpcRun {
            scope: scope(vpc),
            cause: Cause::Event,
            incident: "e-2".to_owned(),
            evidence: evidence.iter().copied().cloned().collect(),
            messages: messages.iter().map(|id| (*id).to_owned()).collect(),
        };
        let expected = [
            run("vpc-1", &[&early, &late], &["m-1", "m-3", "m-4"]),
            run("vpc-2", &[&late], &["m-2"]),
        ];
        assert_eq!(batch.runs, expected);
        assert!(batch.batch_item_failures([]).is_empty());
    }

    #[test]
    fn a_call_explains_more_than_a_sweep() {
        let sweep = crate::inbox::message::for_sweep(
            "s-1",
            |vpc| scope(vpc.as_str()),
            &["vpc-1".parse().unwrap()],
        )
        .remove(0);
        let batch =
            runs(&[handed("m-1", sweep.body()), received("m-2", "vpc-1", &call("e-1", ""))]);
        let run = &batch.runs[0];
        assert_eq!((run.cause, run.incident.as_str()), (Cause::Event, "e-1"));
    }

    #[test]
    fn a_changed_selection_is_the_cause_wherever_it_stands() {
        let left = crate::inbox::message::selection_changed(&call("e-2", "u"), scope("vpc-1"));
        let left = handed("m-2", left.body());
        let first = received("m-1", "vpc-1", &call("e-1", "t"));
        for order in [[first.clone(), left.clone()], [left, first]] {
            let batch = runs(&order);
            let run = &batch.runs[0];
            assert_eq!((run.cause, run.evidence.len()), (Cause::SelectionChanged, 2));
        }
    }

    #[test]
    fn a_message_that_names_no_incident_is_one_of_its_own() {
        let body = r#"{"scope":{"account":"111122223333","region":"eu-central-1","vpc":"vpc-1"}}"#
            .to_owned();
        let batch = runs(&[handed("m-1", body)]);
        let run = &batch.runs[0];
        assert_eq!((run.cause, run.incident.as_str()), (Cause::Operator, "m-1"));
    }

    #[test]
    fn what_cannot_be_read_is_by_itself_and_takes_only_its_group_back_with_it() {
        let event = call("e-1", "");
        let batch = runs(&[
            received("m-1", "vpc-1", &event),
            poison("m-2", GROUP_1),
            received("m-3", "vpc-2", &event),
            received("m-4", "vpc-1", &event),
            poison("m-5", None),
        ]);
        let ids: Vec<&str> = batch.unreadable.iter().map(|(it, _)| it.id.as_str()).collect();
        assert_eq!(ids, ["m-2", "m-5"]);
        assert_eq!(batch.runs.len(), 2);
        assert!(batch.batch_item_failures([]).is_empty(), "it is set aside");
        assert_eq!(batch.batch_item_failures(["m-2", "m-5"]), ["m-2", "m-4", "m-5"]);
    }

    #[test]
    fn after_a_failure_nothing_of_its_group_is_taken_off_the_queue() {
        let event = call("e-1", "");
        let batch = runs(&[
            received("m-1", "vpc-2", &event),
            received("m-2", "vpc-1", &event),
            received("m-3", "vpc-2", &event),
        ]);
        assert_eq!(batch.batch_item_failures(["m-1"]), ["m-1", "m-3"]);
        assert_eq!(batch.batch_item_failures(["m-3"]), ["m-3"]);
    }

    #[test]
    fn a_sender_without_a_baseline_is_heard() {
        let message = crate::inbox::message::sweep_without_baseline("s-1", "it is empty");
        let batch = runs(&[handed("m-1", message.body())]);
        let expected = WithoutBaseline {
            why: "it is empty".to_owned(),
            incident: "s-1".to_owned(),
            message: "m-1".to_owned(),
        };
        assert_eq!((batch.without_baseline, batch.runs), (vec![expected], vec![]));
    }

    #[test]
    fn messages_are_held_by_their_handles_and_late_by_their_groups() {
        let event = call("e-1", "");
        let batch = runs(&[
            received("m-1", "vpc-1", &event),
            handed("m-2", "poison".to_owned()),
            received("m-3", "vpc-2", &event),
        ]);
        assert_eq!(batch.ids(), ["m-1", "m-2", "m-3"]);
        assert_eq!(batch.handles(&["m-3", "m-1", "m-9"]), ["handle of m-1", "handle of m-3"]);
        let late = batch.groups_of(&["m-1".to_owned(), "m-2".to_owned()].into());
        assert_eq!(late.iter().map(String::as_str).collect::<Vec<_>>(), GROUP_1.as_slice());
        let is_late = |id| batch.is_of_group(id, &late);
        assert_eq!(["m-1", "m-2", "m-3", "m-9"].map(is_late), [true, false, false, false]);
        assert_eq!(
            (batch.incident(), batch.runs_messages()),
            (Some("e-1"), vec!["m-1".to_owned(), "m-3".to_owned()])
        );
    }

    #[test]
    fn a_run_ends_before_its_invocation() {
        let now: Timestamp = "2026-09-14T08:00:00Z".parse().unwrap();
        let at_end = |baseline: &Baseline, seconds: i64| {
            let ends = u64::try_from(now.as_millisecond() + seconds * 1000).unwrap();
            deadline(now, ends, baseline).duration_since(now).as_secs()
        };
        let baseline = Baseline::default();
        let in_seconds = |seconds| at_end(&baseline, seconds);
        assert_eq!([900, 300, 60, 45, 30, 0, -20].map(in_seconds), [25, 25, 25, 25, 20, 0, -20]);
        let probe = "vpc-guardrail-probe-subnet-1".to_owned().try_into().unwrap();
        let probed = Baseline { probes: [probe].into(), ..Baseline::default() };
        // After the last change probes are asked for more than a minute.
        let with_probes = |seconds| at_end(&probed, seconds);
        assert_eq!([900, 300, 120, 60].map(with_probes), [25, 25, 5, -40]);
        assert_eq!(deadline(now, 0, &baseline), Timestamp::UNIX_EPOCH);
        assert!(may_begin(now, deadline(now, u64::MAX, &baseline)));
        let begins = |seconds: i64| may_begin(now, now + SignedDuration::from_secs(seconds));
        assert_eq!([3, 2, 0, -20].map(begins), [true, false, false, false]);
    }
}
