//! The scheduled look at every managed VPC: which of them a run should look at.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::baseline::Baseline;
use crate::ec2::id::VpcId;
use crate::ec2::snapshot::{Shared, Snapshot, UnplacedWorld};
use crate::ec2::world::World;
use crate::history::Looked;
use crate::plan::Circumstances;
use crate::rules::finding::Finding;
use crate::run::{VpcStanding, assess_snapshot, looked_at};

/// What a sweep saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many VPCs are managed.
    pub managed: usize,
    /// How many private subnets they have: a number that falls is a way out of the guardrail's
    /// care.
    pub private_subnets: usize,
    /// What was seen of each managed VPC that is noted for later runs, in the order of their ids.
    pub looked: Vec<(VpcId, Looked)>,
    /// Those not on their baseline, or of which not all could be read, in the order of their ids.
    pub drifted: Vec<VpcId>,
}

/// Names a sweep: the minute is in it because an invocation that is tried again must not have its
/// messages swallowed as repeats, and the request because two sweeps may begin in one minute.
pub fn incident(now: Timestamp, request_id: &str) -> String {
    let minute = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%MZ").to_string();
    format!("sweep-{minute}-{request_id}")
}

/// Compares every managed VPC of a world with the baseline.
///
/// # Errors
/// When the VPCs could not be listed.
pub fn sweep(
    baseline: &Baseline,
    world: &World,
    circumstances: Circumstances<'_>,
) -> Result<Swept, UnplacedWorld> {
    let shared = Shared::of(world);
    let mut swept = Swept::default();
    for snapshot in Snapshot::all(world, &shared)? {
        let seen = assess_snapshot(baseline, &snapshot, circumstances);
        match seen.standing {
            VpcStanding::Managed(_) => {
                swept.managed += 1;
                let looked = looked_at(&snapshot, baseline);
                swept.looked.push((snapshot.vpc.vpc_id.clone(), looked));
                swept.private_subnets += seen.private_subnets;
                let has_drift = seen.findings.iter().any(is_news);
                if has_drift || !seen.complete {
                    swept.drifted.push(snapshot.vpc.vpc_id.clone());
                }
            }
            VpcStanding::NotManaged(_) | VpcStanding::Missing | VpcStanding::Unobserved => {}
        }
    }
    Ok(swept)
}

/// Whether a finding is a reason for a run: advice is none, unless tags contradict each other.
fn is_news(finding: &Finding) -> bool {
    !finding.rule.is_advice()
        || finding.left_alone.iter().any(|left| left.reason.is_told_from_a_sweep())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    /// What a sweep saw, but for what it notes.
    fn swept(fixture: &Fixture) -> Swept {
        Swept { looked: Vec::new(), ..swept_whole(fixture) }
    }

    fn swept_whole(fixture: &Fixture) -> Swept {
        let world = serde_json::from_value(fixture.world.clone()).unwrap();
        let baseline = serde_json::from_value(fixture.baseline.clone()).unwrap();
        sweep(
            &baseline,
            &world,
            Circumstances {
                incident: "s",
                now: Timestamp::UNIX_EPOCH,
                memory: crate::history::Memory::NotAsked,
                grace: crate::history::Grace::none(),
            },
        )
        .unwrap()
    }

    #[test]
    fn a_vpc_on_its_baseline_is_counted_and_left() {
        assert_eq!(
            swept(&Fixture::compliant()),
            Swept { managed: 1, private_subnets: 2, looked: vec![], drifted: vec![] }
        );
    }

    #[test]
    fn what_drifts_or_was_not_read_in_full_is_named() {
        let drifted = Swept {
            managed: 1,
            private_subnets: 2,
            looked: vec![],
            drifted: vec!["vpc-1".parse().unwrap()],
        };
        let mut no_attributes = Fixture::compliant();
        no_attributes.world.as_object_mut().unwrap().remove("VpcAttributes");
        assert_eq!(swept(&no_attributes), drifted);
        let mut no_endpoints = Fixture::compliant();
        no_endpoints.world["VpcEndpoints"] = serde_json::json!([]);
        assert_eq!(swept(&no_endpoints), drifted);
    }

    /// A VPC at rest never waits: what its services rest on is noted by every sweep.
    #[test]
    fn what_is_seen_of_each_managed_vpc_is_noted() {
        let looked = swept_whole(&Fixture::compliant()).looked;
        let [(vpc, looked)] = looked.as_slice() else { panic!("one VPC is managed") };
        assert_eq!((vpc.as_str(), looked.unread.len()), ("vpc-1", 0));
        let told: Vec<String> = looked.seen.iter().map(|seen| seen.premise.to_string()).collect();
        assert_eq!(
            told,
            [
                "the private name of vpce-ec2messages",
                "the private name of vpce-ssm",
                "the private name of vpce-ssmmessages",
                "the policy of vpce-dynamodb",
                "the policy of vpce-ec2messages",
                "the policy of vpce-s3",
                "the policy of vpce-ssm",
                "the policy of vpce-ssmmessages",
                "the VPC's DNS attributes",
                "the VPC's DHCP options",
                "acl-default for subnet-pria",
                "acl-default for subnet-prib",
                "acl-default for subnet-puba",
                "acl-default for subnet-pubb",
            ]
        );
    }

    /// What a person should know and nothing repairs is told with the next event, and needs no run.
    #[test]
    fn advice_alone_is_no_reason_for_a_run() {
        let advised = Fixture::edited(|w| {
            w.tag("subnet-pria", "Tier", "lab").route("rtb-a", "0.0.0.0/0", "nat-1")
        });
        assert_eq!(advised.plan("s").0.len(), 1);
        assert_eq!(
            swept(&advised),
            Swept { managed: 1, private_subnets: 1, looked: vec![], drifted: vec![] }
        );
    }

    /// A tag that contradicts another may be somebody's way past the guardrail.
    #[test]
    fn a_contradictory_subnet_is_a_reason_for_a_run() {
        let both =
            json!([{"Key": "Tier", "Value": "private"}, {"Key": "Name", "Value": "a-public-b"}]);
        let contradictory = Fixture::edited(|w| {
            w.set("subnet-pria", "Tags", both).route("rtb-a", "0.0.0.0/0", "nat-1")
        });
        assert_eq!(swept(&contradictory).drifted, [crate::fixture::vpc()]);
        let tagged_public = Fixture::edited(|w| {
            w.tag("subnet-pria", "Tier", "public").route("rtb-a", "0.0.0.0/0", "nat-1")
        });
        assert_eq!(swept(&tagged_public).drifted, [crate::fixture::vpc()]);
    }

    #[test]
    fn unmanaged_vpcs_are_passed_over() {
        let mut fixture = Fixture::compliant();
        fixture.baseline["managed_vpcs"] =
            serde_json::json!({"tag": {"key": "other", "value": "x"}});
        assert_eq!(swept(&fixture), Swept::default());
    }

    #[test]
    fn a_second_try_is_another_sweep() {
        let at = |time: &str| incident(time.parse().unwrap(), "r-1");
        assert_eq!(at("2026-09-14T08:31:07Z"), "sweep-2026-09-14T08:31Z-r-1");
        assert_ne!(at("2026-09-14T08:32:07Z"), at("2026-09-14T08:31:07Z"));
    }
}
