//! Which recorded calls may have changed premises, and which are kept for the run that comes when a
//! VPC is due: its alert has to name who led to it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::facts::{Changed, RecordedCall};
use super::grace::deletes_endpoints;
use crate::event::{Evidence, Record};

/// How many calls are kept for a later run. An alert shows ten.
const KEPT: usize = 50;

/// How old a call may be to be kept: what is found a day later has other causes.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The calls that led to a run, and after them those that earlier runs have left to it; each once.
pub fn with_earlier(own: &[Evidence], earlier: &[Evidence]) -> Vec<Evidence> {
    let mut named = BTreeSet::new();
    let all = own.iter().chain(earlier);
    all.filter(|call| named.insert(call.incident())).cloned().collect()
}

/// Those of these calls that are kept for a later run: of too many the newest, and before them those
/// that deleted endpoints, which a tool may be about to make again.
pub fn kept_calls(calls: &[Evidence], now: Timestamp) -> Vec<Evidence> {
    let made = |call: &Evidence| -> Option<Timestamp> { call.time.as_deref()?.parse().ok() };
    let is_old = |call: &Evidence| made(call).is_some_and(|at| now.duration_since(at) > KEPT_FOR);
    let mut kept: Vec<&Evidence> = calls.iter().filter(|call| !is_old(call)).collect();
    if kept.len() > KEPT {
        kept.sort_by_key(|call| Reverse((deletes_endpoints(call), made(call))));
        kept.truncate(KEPT);
    }
    kept.into_iter().cloned().collect()
}

/// Those of these calls that may have changed premises and that say when they were made.
pub fn recorded_calls(evidence: &[Evidence]) -> Vec<RecordedCall> {
    let made = evidence.iter().filter(|call| !call.record.failed);
    let of = made.filter_map(|call| {
        let at: Timestamp = call.time.as_deref()?.parse().ok()?;
        Some(RecordedCall { at, changed: changed_by(&call.record)? })
    });
    of.collect()
}

/// What a call may have changed, by its name in EC2's API.
fn changed_by(record: &Record) -> Option<Changed> {
    let endpoints = record.resource_ids.iter().filter_map(|id| id.as_str().parse().ok());
    match record.event.as_str() {
        "CreateVpcEndpoint"
        | "ModifyVpcEndpoint"
        | "DeleteVpcEndpoints"
        | "AcceptVpcEndpointConnections" => Some(Changed::Endpoints(endpoints.collect())),
        "ModifyVpcAttribute" => Some(Changed::VpcDns),
        "AssociateDhcpOptions" => Some(Changed::DhcpOptions),
        "CreateNetworkAclEntry"
        | "ReplaceNetworkAclEntry"
        | "DeleteNetworkAclEntry"
        | "ReplaceNetworkAclAssociation" => Some(Changed::NetworkAcls),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str, id: &str, at: i64) -> Evidence {
        let time = Timestamp::from_second(at).unwrap().to_string();
        let record = json!({
            "eventName": name, "eventSource": "ec2.amazonaws.com", "eventID": id, "eventTime": time,
        });
        crate::event::decode(&record).unwrap()
    }

    fn ids(calls: &[Evidence]) -> Vec<&str> {
        calls.iter().filter_map(|call| call.record.event_id.as_deref()).collect()
    }

    #[test]
    fn a_runs_own_calls_come_before_those_left_to_it_and_each_once() {
        let [a, b, c] = ["a", "b", "c"].map(|id| call("CreateRoute", id, 0));
        let claimed = Evidence { claimed_by: Some("somebody".to_owned()), ..a.clone() };
        let all = with_earlier(&[b.clone(), a.clone()], &[claimed, c.clone()]);
        assert_eq!(all, [b, a, c]);
    }

    #[test]
    fn of_too_many_calls_the_newest_are_kept_and_no_old_one() {
        let day = KEPT_FOR.as_secs();
        let old = call("CreateRoute", "old", 0);
        let deleted = call("DeleteVpcEndpoints", "deleted", 1);
        let others = (0..60).map(|number| call("CreateRoute", &number.to_string(), 100 + number));
        let few = [old.clone(), deleted.clone()];
        let now = Timestamp::from_second(day + 1).unwrap();
        assert_eq!(ids(&kept_calls(&few, now)), ["deleted"]);
        let many: Vec<Evidence> = [old, deleted].into_iter().chain(others).collect();
        let kept = kept_calls(&many, now);
        assert_eq!(
            (kept.len(), &ids(&kept)[..2], ids(&kept)[49]),
            (50, &["deleted", "59"][..], "11")
        );
    }
}
