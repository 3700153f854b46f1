//! What a tool may be about to make itself is not made at once.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::vpc_facts::VpcFacts;
use crate::ec2::id::ServiceName;
use crate::event::Evidence;

/// How long a VPC or a subnet counts as young: whoever made it may still be making what belongs to
/// it.
const YOUNG: Duration = Duration::from_secs(600);

/// Until when endpoints are left to the tool that may be about to make them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grace {
    /// The services whose grace was noted when their endpoints were first found missing, each with
    /// its end (UTC).
    pub noted: BTreeMap<ServiceName, Timestamp>,
    /// What a grace is counted from that begins now; `None` where no tool is at work.
    pub from: Option<Timestamp>,
}

impl Grace {
    /// No grace: a person has asked, or nothing is to be made.
    pub const fn none() -> &'static Self {
        static NONE: Grace = Grace { noted: BTreeMap::new(), from: None };
        &NONE
    }

    /// What is known of tools at work: `noted` by earlier runs, the calls that led to this one, and
    /// how young the VPC and its subnets are, as far as they were seen before this look.
    pub fn of(
        noted: &BTreeMap<ServiceName, Timestamp>,
        seen: Option<&VpcFacts>,
        calls: &[Evidence],
        now: Timestamp,
    ) -> Self {
        let young = seen.is_none_or(|seen| seen.is_young(now, YOUNG));
        let from = deleted(calls).map(|at| at.min(now)).max().into_iter();
        let from = from.chain(young.then_some(now)).max();
        Self { noted: noted.clone(), from }
    }

    /// Until when the endpoint of a service is not made, where its rule grants this much; `None`
    /// when it may be made at `now`.
    pub fn until(
        &self,
        service: &ServiceName,
        grants: Duration,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let begins = || self.from?.checked_add(grants).ok();
        let until = self.noted.get(service).copied().or_else(begins)?;
        (until > now).then_some(until)
    }
}

/// Whether a call deleted endpoints.
pub(super) fn deletes_endpoints(call: &Evidence) -> bool {
    let record = &call.record;
    !record.failed && record.watched && record.event == "DeleteVpcEndpoints"
}

/// When endpoints were deleted, as far as these calls say: Terraform replaces an endpoint by deleting
/// it and making another.
fn deleted(calls: &[Evidence]) -> impl Iterator<Item = Timestamp> {
    let deletions = calls.iter().filter(|call| deletes_endpoints(call));
    deletions.filter_map(|call| call.time.as_deref()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn deletion(seconds: i64, failed: bool) -> Evidence {
        let mut record = json!({
            "eventName": "DeleteVpcEndpoints", "eventSource": "ec2.amazonaws.com", "eventID": "e-1",
            "eventTime": at(seconds).to_string(),
        });
        if failed {
            record["errorCode"] = json!("Client.UnauthorizedOperation");
        }
        crate::event::decode(&record).unwrap()
    }

    fn ssm() -> ServiceName {
        "com.amazonaws.eu-central-1.ssm".parse().unwrap()
    }

    fn old() -> VpcFacts {
        VpcFacts::first_seen_at(at(0))
    }

    fn until(grace: &Grace, now: i64) -> Option<Timestamp> {
        grace.until(&ssm(), Duration::from_secs(120), at(now))
    }

    #[test]
    fn a_deletion_is_answered_after_the_grace() {
        let grace = |calls: &[Evidence]| Grace::of(&BTreeMap::new(), Some(&old()), calls, at(5000));
        assert_eq!(until(&grace(&[deletion(4990, false)]), 5000), Some(at(5110)));
        assert_eq!(until(&grace(&[deletion(4800, false)]), 5000), None, "it has passed");
        assert_eq!(until(&grace(&[deletion(9999, false)]), 5000), Some(at(5120)));
        assert_eq!(until(&grace(&[deletion(4990, true)]), 5000), None, "nothing was deleted");
        assert_eq!(until(&grace(&[]), 5000), None);
    }

    #[test]
    fn what_is_young_or_never_seen_is_somebodys_work_in_progress() {
        let grace = |seen: Option<&VpcFacts>, now| Grace::of(&BTreeMap::new(), seen, &[], at(now));
        assert_eq!(until(&grace(None, 5000), 5000), Some(at(5120)));
        assert_eq!(until(&grace(Some(&old()), 599), 599), Some(at(719)));
        assert_eq!(until(&grace(Some(&old()), 600), 600), None);
    }

    /// Otherwise each run would begin the grace anew.
    #[test]
    fn a_grace_that_was_noted_is_not_begun_again() {
        let noted = BTreeMap::from([(ssm(), at(100))]);
        let grace = Grace::of(&noted, None, &[], at(90));
        assert_eq!((until(&grace, 90), until(&grace, 100)), (Some(at(100)), None));
    }
}
