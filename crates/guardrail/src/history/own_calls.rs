//! Calls with the guardrail's own role: whether a run made them. AWS says which role made a call;
//! whether it was a run, only the runs' records say.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::Evidence;

/// How long a run may take to mark what it did: until then a call that no record has may be one
/// that will be in it.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// How far the clocks of EC2 and of our functions may be apart; CloudTrail leaves out what is less than
/// a second.
const CLOCKS: SignedDuration = SignedDuration::from_secs(30 + 1);

/// A recorded call that was made with the repair function's role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnCall {
    /// When it was noted (UTC).
    pub noted_at: Timestamp,
    /// The call; of its tags nothing is kept.
    pub call: Evidence,
    /// What was said of it; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
}

/// What was said of a call with the guardrail's role, once and for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A run made it.
    Matched,
    /// No run made it.
    Unmatched,
}

/// A call that a run says it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeCall {
    /// The request id that EC2 answered with; `None` where its answer was lost, or where more than
    /// one request may have been sent for it.
    pub request_id: Option<String>,
    /// The operation: `DeleteRoute`.
    pub operation: String,
    /// The ids that the call named or made.
    pub resources: BTreeSet<String>,
    /// When it was marked as started (UTC).
    pub from: Timestamp,
    /// When it was marked as done or failed, or could have been made at the latest (UTC).
    pub to: Timestamp,
}

/// What can be said of a call with the guardrail's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// A run made it.
    Matched,
    /// Nobody can tell yet.
    Wait,
    /// No run made it: somebody else has the guardrail's role.
    Unmatched,
}

impl Judgement {
    /// What is said of the call from now on; `None` while nobody can tell.
    pub fn said(self) -> Option<Said> {
        match self {
            Self::Matched => Some(Said::Matched),
            Self::Unmatched => Some(Said::Unmatched),
            Self::Wait => None,
        }
    }
}

impl OwnCall {
    /// A call, noted now.
    pub fn noted(call: &Evidence, now: Timestamp) -> Self {
        Self { noted_at: now, call: Evidence { tagging: None, ..call.clone() }, said: None }
    }

    /// Whether this is the request that a run says it made, by the id that EC2 gave it.
    fn is_answered(&self, made: &MadeCall) -> bool {
        self.call.request_id.is_some() && self.call.request_id == made.request_id
    }

    /// Whether this can be a request whose answer a run has lost.
    fn may_be_lost(&self, made: &MadeCall) -> bool {
        let named = || self.call.record.resource_ids.iter().map(|id| id.as_str());
        made.request_id.is_none()
            && named().any(|id| made.resources.contains(id))
            && self.at().is_some_and(|at| {
                at.duration_since(made.from) >= -CLOCKS && at.duration_since(made.to) <= CLOCKS
            })
    }

    fn at(&self) -> Option<Timestamp> {
        self.call.time.as_deref()?.parse().ok()
    }

    /// Takes the call that this is off those that are left.
    fn take(&self, left: &mut Vec<&MadeCall>) -> bool {
        let same = |made: &MadeCall| made.operation == self.call.record.event;
        let answered = left.iter().position(|made| same(made) && self.is_answered(made));
        // Of several the one that ends first: the others may be those of later calls.
        let lost = || {
            let all = left.iter().enumerate();
            let may = all.filter(|(_, made)| same(made) && self.may_be_lost(made));
            may.min_by_key(|(_, made)| (made.to, made.from, &made.resources)).map(|(at, _)| at)
        };
        answered.or_else(lost).map(|at| left.remove(at)).is_some()
    }
}

/// What can be said of one call by itself.
pub fn judge(own: &OwnCall, made: &[MadeCall], now: Timestamp) -> Judgement {
    own.judged(own.take(&mut made.iter().collect()), now)
}

impl OwnCall {
    fn judged(&self, is_made: bool, now: Timestamp) -> Judgement {
        if is_made {
            Judgement::Matched
        // Also when it was noted by a clock that is far ahead: nothing waits for ever.
        } else if now.duration_since(self.noted_at).abs() >= PATIENCE {
            Judgement::Unmatched
        } else {
            Judgement::Wait
        }
    }
}

/// What can be said of those of these calls of which nothing was said yet, in the order of their
/// times. One call of a run is one request: what a run made is the answer for one of them only,
/// those included of which it was said before.
pub fn judge_all<'o>(
    own: impl IntoIterator<Item = &'o OwnCall>,
    made: &[MadeCall],
    now: Timestamp,
) -> Vec<(&'o OwnCall, Judgement)> {
    let mut left: Vec<&MadeCall> = made.iter().collect();
    let mut own: Vec<&OwnCall> = own.into_iter().collect();
    own.sort_by_key(|own| (own.said != Some(Said::Matched), own.at(), own.call.incident()));
    let mut judged = Vec::new();
    for call in own {
        match call.said {
            None => judged.push((call, call.judged(call.take(&mut left), now))),
            Some(Said::Matched) => {
                call.take(&mut left);
            }
            Some(Said::Unmatched) => {}
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use serde_json::json;

    use super::*;
    use crate::event::decode;

    const TABLE: &str = "rtb-0a1b2c3d4e5f60011";

    fn at(seconds: i64) -> Timestamp {
        let start: Timestamp = "2026-09-14T08:31:00Z".parse().unwrap();
        start.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    /// A call on one table at this second, noted five seconds later.
    fn own(event_id: &str, request_id: &str, name: &str, seconds: i64) -> OwnCall {
        let record = json!({
            "eventName": name, "eventID": event_id, "requestID": request_id,
            "eventTime": at(seconds), "requestParameters": {"routeTableId": TABLE},
        });
        OwnCall::noted(&decode(&record).unwrap(), at(seconds + 5))
    }

    /// A call of a run between the seconds 0 and 10.
    fn made(request_id: Option<&str>, operation: &str, resources: &[&str]) -> MadeCall {
        MadeCall {
            request_id: request_id.map(str::to_owned),
            operation: operation.to_owned(),
            resources: resources.iter().map(|id| (*id).to_owned()).collect(),
            from: at(0),
            to: at(10),
        }
    }

    const LATE: i64 = 1000;

    #[test]
    fn a_request_id_that_a_run_was_answered_with_is_the_runs_own() {
        let call = own("e-1", "r-1", "DeleteRoute", 3);
        let answered = made(Some("r-1"), "DeleteRoute", &[]);
        assert_eq!(judge(&call, &[answered], at(4)), Judgement::Matched);
        for other in
            [made(Some("r-2"), "DeleteRoute", &[TABLE]), made(Some("r-1"), "CreateRoute", &[])]
        {
            assert_eq!(judge(&call, &[other], at(LATE)), Judgement::Unmatched);
        }
    }

    #[test]
    fn after_a_lost_answer_operation_resource_and_time_must_agree() {
        let lost = [made(None, "DeleteRoute", &[TABLE, "vpc-0a1b2c3d4e5f60000"])];
        let said = |own: OwnCall| judge(&own, &lost, at(LATE));
        for seconds in [-31, 0, 10, 41] {
            assert_eq!(said(own("e-1", "r-1", "DeleteRoute", seconds)), Judgement::Matched);
        }
        for seconds in [-32, 42] {
            assert_eq!(said(own("e-1", "r-1", "DeleteRoute", seconds)), Judgement::Unmatched);
        }
        assert_eq!(said(own("e-1", "r-1", "ReplaceRoute", 3)), Judgement::Unmatched);
        let elsewhere = [made(None, "DeleteRoute", &["rtb-0a1b2c3d4e5f60012"])];
        let call = own("e-1", "r-1", "DeleteRoute", 3);
        assert_eq!(judge(&call, &elsewhere, at(LATE)), Judgement::Unmatched);
        let mut without_time = own("e-1", "r-1", "DeleteRoute", 3);
        without_time.call.time = None;
        assert_eq!(said(without_time), Judgement::Unmatched);
    }

    /// A run that has its answer has one request only: nothing else passes for it.
    #[test]
    fn a_call_without_a_request_id_is_no_answered_one() {
        let call = own("e-1", "", "DeleteRoute", 3);
        assert_eq!(call.call.request_id, None);
        let answered = made(Some("r-1"), "DeleteRoute", &[TABLE]);
        assert_eq!(judge(&call, &[answered], at(LATE)), Judgement::Unmatched);
        let lost = made(None, "DeleteRoute", &[TABLE]);
        assert_eq!(judge(&call, &[lost], at(LATE)), Judgement::Matched);
        let nothing_named = made(None, "DeleteRoute", &[]);
        assert_eq!(judge(&call, &[nothing_named], at(LATE)), Judgement::Unmatched);
    }

    #[test]
    fn nobody_is_accused_within_two_minutes() {
        let call = own("e-1", "r-1", "DeleteRoute", 0);
        assert_eq!(judge(&call, &[], at(5 + 119)), Judgement::Wait);
        assert_eq!(judge(&call, &[], at(5 + 120)), Judgement::Unmatched);
        assert_eq!(judge(&call, &[], at(-25)), Judgement::Wait, "noted by a clock that is ahead");
        assert_eq!(judge(&call, &[], at(-LATE)), Judgement::Unmatched);
        assert_eq!(Judgement::Wait.said(), None);
    }

    fn said(own: &[OwnCall], made: &[MadeCall]) -> Vec<(String, Judgement)> {
        let judged = judge_all(own, made, at(LATE)).into_iter();
        judged.map(|(own, said)| (own.call.incident(), said)).collect()
    }

    fn is(id: &str, judgement: Judgement) -> (String, Judgement) {
        (id.to_owned(), judgement)
    }

    /// Whoever has the role and repeats a run's own call has made one call more than the run.
    #[test]
    fn a_call_of_a_run_stands_for_one_request() {
        for (request_id, other) in [(None, "r-2"), (None, ""), (Some("r-1"), "r-1")] {
            let calls = [own("e-2", other, "DeleteRoute", 4), own("e-1", "r-1", "DeleteRoute", 3)];
            let both = [is("e-1", Judgement::Matched), is("e-2", Judgement::Unmatched)];
            assert_eq!(said(&calls, &[made(request_id, "DeleteRoute", &[TABLE])]), both);
        }
    }

    /// What was said stays said: the run's call is used up, and nobody is told twice.
    #[test]
    fn what_was_said_before_is_not_said_again_and_still_counts() {
        let lost = [made(None, "DeleteRoute", &[TABLE])];
        let before = |said| OwnCall { said: Some(said), ..own("e-1", "r-1", "DeleteRoute", 9) };
        let new = own("e-2", "r-2", "DeleteRoute", 3);
        let calls = [new.clone(), before(Said::Matched)];
        assert_eq!(said(&calls, &lost), [is("e-2", Judgement::Unmatched)]);
        let calls = [new, before(Said::Unmatched)];
        assert_eq!(said(&calls, &lost), [is("e-2", Judgement::Matched)]);
    }

    #[test]
    fn each_of_several_lost_answers_stands_for_its_call() {
        let early = made(None, "DeleteRoute", &[TABLE]);
        let late = MadeCall { from: at(0), to: at(100), ..early.clone() };
        let calls = [own("e-1", "r-1", "DeleteRoute", 3), own("e-2", "r-2", "DeleteRoute", 99)];
        let both = [is("e-1", Judgement::Matched), is("e-2", Judgement::Matched)];
        for made in [[early.clone(), late.clone()], [late, early]] {
            assert_eq!(said(&calls, &made), both);
        }
    }

    #[test]
    fn a_call_of_hundreds_of_tags_is_kept_without_them() {
        let tags: Vec<_> = (0..50).map(|key| json!({"key": key.to_string()})).collect();
        let call = decode(&json!({
            "eventName": "DeleteTags", "eventSource": "ec2.amazonaws.com", "requestParameters": {
                "resourcesSet": {"items": [{"resourceId": TABLE}]}, "tagSet": {"items": tags},
            },
        }))
        .unwrap();
        assert!(call.tagging.is_some());
        let expected = Evidence { tagging: None, ..call.clone() };
        assert_eq!(OwnCall::noted(&call, at(0)).call, expected);
    }

    fn some_own() -> impl Strategy<Value = Vec<OwnCall>> {
        let said = select(vec![None, None, Some(Said::Matched), Some(Said::Unmatched)]);
        let request = select(vec!["", "r-1", "r-2"]);
        let one = (request, select(vec!["DeleteRoute", "CreateRoute"]), -60..60_i64, said);
        prop::collection::vec(one, 0..7).prop_map(|all| {
            let named = all.into_iter().enumerate().map(|(at, (request, name, seconds, said))| {
                OwnCall { said, ..own(&format!("e-{at}"), request, name, seconds) }
            });
            named.collect()
        })
    }

    fn some_made() -> impl Strategy<Value = Vec<MadeCall>> {
        let request = select(vec![None, None, Some("r-1"), Some("r-2")]);
        let on = subsequence(vec![TABLE, "vpc-0a1b2c3d4e5f60000"], 0..=2);
        let one = (request, select(vec!["DeleteRoute", "CreateRoute"]), on, 0..60_i64);
        prop::collection::vec(one, 0..5).prop_map(|all| {
            let of = |(request, name, on, seconds): (Option<&str>, _, Vec<&str>, _)| MadeCall {
                to: at(seconds),
                ..made(request, name, &on)
            };
            all.into_iter().map(of).collect()
        })
    }

    proptest! {
        /// However calls are mixed: no more of them are the runs' own than the runs made, none is
        /// that would not be by itself, and the order in which they are read changes nothing.
        #[test]
        fn nobody_hides_behind_the_runs(own in some_own(), made in some_made()) {
            let judged = judge_all(&own, &made, at(LATE));
            prop_assert_eq!(judged.len(), own.iter().filter(|own| own.said.is_none()).count());
            let matched = || judged.iter().filter(|(_, said)| *said == Judgement::Matched);
            prop_assert!(matched().count() <= made.len());
            for (own, _) in matched() {
                prop_assert_eq!(judge(own, &made, at(LATE)), Judgement::Matched);
            }
            let turned: Vec<MadeCall> = made.iter().rev().cloned().collect();
            let again = judge_all(own.iter().rev(), &turned, at(LATE));
            prop_assert_eq!(again, judged);
        }
    }
}
