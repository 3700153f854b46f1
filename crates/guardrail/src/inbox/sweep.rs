//! The scheduled look at every managed VPC: which of them a run should look at. Pure; the reading and
//! sending is in `round`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::baseline::{Baseline, Mode};
use crate::ec2::id::VpcId;
use crate::ec2::snapshot::{Section, Shared, Snapshot, UnplacedWorld};
use crate::ec2::world::World;
use crate::history::detected::DroppedAttributes;
use crate::history::{ExemptedStanding, Grace, Memory, VpcFacts, VpcState};
use crate::plan::{Circumstances, Plan, Task};
use crate::rules::exemptions::Exempted;
use crate::run::{
    Assessment, VpcStanding, assess_snapshot, exempting_nothing, fingerprint, looked_at,
};
use crate::time::Day;

/// What is known of a VPC before a sweep looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownVpc {
    /// What the last run left.
    pub state: Option<VpcState>,
    /// What was seen of it, and since when.
    pub facts: Option<VpcFacts>,
}

/// What a sweep saw of one VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweptVpc {
    /// The VPC.
    pub vpc: VpcId,
    /// How many private subnets it has.
    pub private_subnets: usize,
    /// Whether it is off its baseline.
    pub is_off: bool,
    /// Whether nothing was known of it.
    pub is_first_contact: bool,
    /// Why a run should look at it; `None` when it is as known.
    pub news: Option<SweptNews>,
    /// What is remembered of it from now on.
    pub facts: VpcFacts,
}

/// Why a run should look at a VPC that a sweep saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweptNews {
    /// What is found is not what was known.
    Changed,
    /// Something that was found is to be repaired, and nothing is waited for.
    ToRepair,
    /// Not all could be read, and nobody knows that yet.
    Blind,
}

/// Names a sweep: the minute is in it because an invocation that is tried again must not have its
/// messages swallowed as repeats, and the request because two sweeps may begin in one minute.
pub fn incident(now: Timestamp, request_id: &str) -> String {
    let minute = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%MZ").to_string();
    format!("sweep-{minute}-{request_id}")
}

/// Compares managed VPCs of a world with the baseline and with what is known of them: those in `of`,
/// in the order of their ids. The DNS attributes of those in `fresh` were read just now. What the sweep
/// itself may not read (`is_kept_blind`) is nothing that a run over one VPC could mend.
///
/// # Errors
/// When the VPCs could not be listed.
pub fn sweep(
    baseline: &Baseline,
    world: &World,
    of: &BTreeSet<VpcId>,
    known: &BTreeMap<VpcId, KnownVpc>,
    fresh: &BTreeSet<VpcId>,
    is_kept_blind: bool,
    now: Timestamp,
) -> Result<Vec<SweptVpc>, UnplacedWorld> {
    let shared = Shared::of(world);
    let circumstances = |memory| Circumstances { incident: "", now, memory, grace: Grace::none() };
    let nothing = KnownVpc::default();
    let mut swept = Vec::new();
    for snapshot in Snapshot::all(world, &shared)? {
        let vpc = &snapshot.vpc.vpc_id;
        // The others are compared in another round: a thousand in each would take all of its time.
        if !of.contains(vpc) {
            continue;
        }
        let known = known.get(vpc).unwrap_or(&nothing);
        let memory =
            known.facts.as_ref().map_or(Memory::NotAsked, |known| Memory::Of(&known.facts));
        let seen = assess_snapshot(baseline, &snapshot, circumstances(memory));
        match seen.standing {
            VpcStanding::Managed(_) => {
                let baseline = &*baseline.under(seen.known.as_ref());
                let mut looked = looked_at(&snapshot, baseline);
                looked.attributes = looked.attributes.filter(|_| fresh.contains(vpc));
                swept.push(SweptVpc {
                    vpc: vpc.clone(),
                    private_subnets: seen.private_subnets,
                    is_off: seen.findings.iter().any(|finding| !finding.rule.is_advice()),
                    is_first_contact: known.state.is_none() && known.facts.is_none(),
                    news: news(baseline, &seen, known.state.as_ref(), is_kept_blind, now),
                    facts: VpcFacts::after_look(known.facts.as_ref(), &looked, &[], now),
                });
            }
            VpcStanding::NotManaged(_) | VpcStanding::Missing | VpcStanding::Unobserved => {}
        }
    }
    Ok(swept)
}

/// Why a run should look, after what the last one left.
fn news(
    baseline: &Baseline,
    seen: &Assessment,
    state: Option<&VpcState>,
    is_kept_blind: bool,
    now: Timestamp,
) -> Option<SweptNews> {
    let is_told = |rule| baseline.mode_of(rule) != Mode::Observe;
    let told = seen.findings.iter().filter(|finding| is_told(finding.rule));
    let found: BTreeSet<String> = told.map(|finding| fingerprint(&finding.drift)).collect();
    let standing = state.map(|state| state.standing.as_slice()).unwrap_or_default();
    let known: BTreeSet<String> = standing.iter().map(|it| it.fingerprint.clone()).collect();
    let is_waited_for = || {
        let again = state.and_then(|state| state.look_again.as_ref());
        again.is_some_and(|again| again.at > now)
    };
    let was_blind = state.is_some_and(|state| state.blind.is_some());
    // A run that has looked meanwhile may read what the sweep may not.
    let is_as_usual = is_kept_blind && state.is_some_and(|state| state.looked.is_some());
    match seen.cannot_tell() {
        true if !was_blind && !is_as_usual => Some(SweptNews::Blind),
        // What was not seen has not ended.
        true => (!found.is_subset(&known)).then_some(SweptNews::Changed),
        false if was_blind || found != known => Some(SweptNews::Changed),
        false if exemptions_changed(baseline, seen, state, now) => Some(SweptNews::Changed),
        false => (is_to_be_repaired(&seen.plan) && !is_waited_for()).then_some(SweptNews::ToRepair),
    }
}

/// Whether other things are exempted than is known, or an exemption lapses soon and nobody was told.
fn exemptions_changed(
    baseline: &Baseline,
    seen: &Assessment,
    state: Option<&VpcState>,
    now: Timestamp,
) -> bool {
    let today = Day::of(now);
    let is_told = |it: &&Exempted| baseline.mode_of(it.finding.rule) != Mode::Observe;
    let exempted: BTreeSet<(String, Day)> = seen
        .plan
        .exempted
        .iter()
        .filter(is_told)
        .map(|it| (fingerprint(&it.finding.drift), it.by.exemption.until))
        .collect();
    let known = state.map(|state| state.exempted.as_slice()).unwrap_or_default();
    let lapses = |it: &ExemptedStanding| it.lapses_soon(today) && !it.lapse_told;
    let known_keys = known.iter().map(|it| (it.fingerprint.clone(), it.until)).collect();
    let told = state.map(|state| state.exempting_nothing.clone()).unwrap_or_default();
    exempted != known_keys
        || known.iter().any(lapses)
        || !exempting_nothing(&seen.plan).is_subset(&told)
}

/// Whether a run would change something now.
fn is_to_be_repaired(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| {
        step.mode == Mode::Repair && step.held.is_none() && matches!(step.task, Task::Change(_))
    })
}

/// How far a sweep has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The sweep's name.
    pub sweep: String,
    /// When it began (UTC).
    pub began: Timestamp,
    /// The managed VPCs that are not compared yet.
    pub remaining: BTreeSet<VpcId>,
    /// How many are compared.
    pub compared: usize,
    /// How many of those are off their baseline.
    pub off: usize,
    /// How many private subnets those have.
    pub private_subnets: usize,
    /// Of how many a run was asked to look.
    pub queued: usize,
    /// Of how many of those nothing was known before.
    #[serde(default)]
    pub first_contacts: usize,
    /// Whether the table knew of no sweep that had come to its end before it: the guardrail is new
    /// here, or its table was lost.
    #[serde(default)]
    pub is_first: bool,
    /// When it ended (UTC); `None` while VPCs remain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// When the last comparison of the whole Region ended (UTC), this or an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_comparison: Option<Timestamp>,
    /// The VPCs that the last sweep that ended has remembered: where the table has none of them, it
    /// was lost.
    #[serde(default)]
    pub remembered: BTreeSet<VpcId>,
}

impl Progress {
    /// A sweep that begins: those that an unfinished one left come first by being all there are.
    #[must_use]
    pub fn begun(
        before: Option<&Self>,
        sweep: &str,
        managed: BTreeSet<VpcId>,
        now: Timestamp,
    ) -> Self {
        Self {
            sweep: sweep.to_owned(),
            began: now,
            remaining: managed,
            is_first: before.is_none_or(|before| before.last_comparison.is_none()),
            last_comparison: before.and_then(|before| before.last_comparison),
            remembered: before.map(|before| before.remembered.clone()).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The progress after these were compared; what is managed no more remains no longer.
    #[must_use]
    pub fn after(mut self, swept: &[SweptVpc], managed: &BTreeSet<VpcId>, now: Timestamp) -> Self {
        for one in swept {
            if self.remaining.remove(&one.vpc) {
                self.compared += 1;
                self.off += usize::from(one.is_off);
                self.private_subnets += one.private_subnets;
                self.queued += usize::from(one.news.is_some());
                self.first_contacts += usize::from(one.news.is_some() && one.is_first_contact);
            }
        }
        self.remaining.retain(|vpc| managed.contains(vpc));
        if self.remaining.is_empty() && self.ended.is_none() {
            self.ended = Some(now);
            self.last_comparison = Some(now);
            self.remembered = managed.clone();
        }
        self
    }

    /// Of the VPCs that the last sweep remembered and that are managed still, how many there are, and
    /// of how many the table has nothing.
    pub fn forgotten(
        &self,
        managed: &BTreeSet<VpcId>,
        known: &BTreeMap<VpcId, KnownVpc>,
    ) -> (usize, usize) {
        let still = || self.remembered.iter().filter(|vpc| managed.contains(*vpc));
        (still().count(), still().filter(|vpc| !known.contains_key(*vpc)).count())
    }
}

/// Whose DNS attributes are read, in this order, before the VPCs of a sweep are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributesToRead {
    /// Without these a VPC cannot be compared.
    pub needed: BTreeSet<VpcId>,
    /// These are known and old: the oldest first.
    pub refreshed: Vec<VpcId>,
}

/// Whose DNS attributes are read for a sweep over these VPCs: those not known, or that a call may have
/// changed since (`dropped`), and of the others the oldest, so many that all are read again within a
/// day of hourly sweeps.
pub fn attributes_to_read(
    of: &BTreeSet<VpcId>,
    known: &BTreeMap<VpcId, KnownVpc>,
    dropped: &DroppedAttributes,
    now: Timestamp,
) -> AttributesToRead {
    const SWEEPS_A_DAY: usize = 24;
    const OLD: SignedDuration = SignedDuration::from_hours(20);
    let read = |vpc: &VpcId| {
        let cached = known.get(vpc)?.facts.as_ref()?.attributes.as_ref()?;
        dropped.count(vpc, cached.read).then_some(cached.read)
    };
    let (mut needed, mut old) = (BTreeSet::new(), Vec::new());
    for vpc in of {
        match read(vpc) {
            None => drop(needed.insert(vpc.clone())),
            Some(read) if now.duration_since(read) >= OLD => old.push((read, vpc.clone())),
            Some(_) => {}
        }
    }
    old.sort();
    let most = of.len().div_ceil(SWEEPS_A_DAY);
    AttributesToRead { needed, refreshed: old.into_iter().take(most).map(|(_, vpc)| vpc).collect() }
}

/// The world with the DNS attributes that are known, where they were not read just now.
pub fn with_known_attributes(
    mut world: World,
    of: &BTreeSet<VpcId>,
    known: &BTreeMap<VpcId, KnownVpc>,
    needed: &BTreeSet<VpcId>,
) -> World {
    let attributes = world.vpc_attributes.get_or_insert_default();
    for vpc in of.iter().filter(|vpc| !needed.contains(vpc)) {
        let facts = known.get(vpc).and_then(|known| known.facts.as_ref());
        if let Some(cached) = facts.and_then(|facts| facts.attributes.as_ref()) {
            attributes.entry(vpc.clone()).or_insert(cached.attributes);
        }
    }
    world
}

/// Whether faults that pass have kept a part of the survey from a sweep: then nothing is compared, and
/// the sweep goes on a minute later.
pub fn waits_for(unread: &[crate::cloud::Unread]) -> bool {
    unread
        .iter()
        .any(|unread| unread.section != Section::VpcAttributes && unread.error.class.passes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, vpc};
    use crate::history::{Blind, Fact, LookAgain, Standing};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// What a sweep of the tenth minute sees of the fixture's VPC.
    fn swept_after(fixture: &Fixture, state: Option<VpcState>) -> Vec<SweptVpc> {
        let of = BTreeSet::from([vpc()]);
        let known = BTreeMap::from([(vpc(), KnownVpc { state, facts: None })]);
        let (baseline, world) = (fixture.wanted(), fixture.world());
        sweep(&baseline, &world, &of, &known, &BTreeSet::new(), false, at(10)).unwrap()
    }

    /// Whether the one VPC is off its baseline, and why a run should look, after what one left.
    fn seen_after(fixture: &Fixture, state: Option<VpcState>) -> (bool, Option<SweptNews>) {
        let swept = swept_after(fixture, state);
        let [seen] = swept.as_slice() else { panic!("one VPC is managed") };
        (seen.is_off, seen.news)
    }

    fn seen(fixture: &Fixture) -> (bool, Option<SweptNews>) {
        seen_after(fixture, None)
    }

    /// The state that a run leaves that has found what is to be found.
    fn known(fixture: &Fixture) -> VpcState {
        let (findings, _) = fixture.plan("s");
        let standing = findings.iter().map(|finding| Standing {
            rule: finding.rule,
            fingerprint: fingerprint(&finding.drift),
            summary: finding.drift.to_string(),
            since: at(0),
            told: true,
        });
        VpcState { looked: Some(at(0)), standing: standing.collect(), ..VpcState::default() }
    }

    #[test]
    fn a_vpc_on_its_baseline_is_counted_and_left() {
        let swept = swept_after(&Fixture::compliant(), None);
        let [seen] = swept.as_slice() else { panic!("one VPC is managed") };
        assert_eq!((&seen.vpc, seen.private_subnets, seen.is_off), (&vpc(), 2, false));
        assert_eq!(seen.news, None);
    }

    #[test]
    fn what_drifts_is_asked_about_until_it_is_known_and_what_was_known_when_it_is_gone() {
        let notify: fn(&mut Fixture) -> &mut Fixture =
            |w| w.baseline("mode", json!("notify")).remove("vpce-ssm");
        let drifted = Fixture::edited(notify);
        assert_eq!(seen(&drifted), (true, Some(SweptNews::Changed)));
        assert_eq!(seen_after(&drifted, Some(known(&drifted))), (true, None));
        let more = Fixture::edited(|w| notify(w).route("rtb-a", "0.0.0.0/0", "nat-1"));
        assert_eq!(seen_after(&more, Some(known(&drifted))), (true, Some(SweptNews::Changed)));
        let mended = seen_after(&Fixture::compliant(), Some(known(&drifted)));
        assert_eq!(mended, (false, Some(SweptNews::Changed)));
    }

    #[test]
    fn an_override_says_of_what_a_run_is_asked() {
        let with = |mode: &str, own: &str| {
            Fixture::edited(|w| {
                let known = json!([{"vpc": {"id": "vpc-1"}, "mode": own}]);
                let w = w.route("rtb-a", "0.0.0.0/0", "nat-1").baseline("mode", json!(mode));
                w.baseline("overrides", known)
            })
        };
        assert_eq!(seen(&with("notify", "observe")), (true, None));
        assert_eq!(seen(&with("observe", "notify")).1, Some(SweptNews::Changed));
        let repairs = with("notify", "repair");
        assert_eq!(seen_after(&repairs, Some(known(&repairs))).1, Some(SweptNews::ToRepair));
        let told = with("repair", "notify");
        assert_eq!(seen_after(&told, Some(known(&told))).1, None);
    }

    #[test]
    fn what_is_exempted_is_asked_about_until_it_is_known_and_again_before_it_lapses() {
        let with = |value: &str| {
            Fixture::edited(|w| {
                w.route("rtb-a", "0.0.0.0/0", "nat-1").tag("rtb-a", "vpc-guardrail:exempt", value)
            })
        };
        let exempted = with("until=1970-01-31 reason=x");
        assert_eq!(seen(&exempted), (false, Some(SweptNews::Changed)));
        let known = |fixture: &Fixture, until: &str, lapse_told: bool| {
            let (_, plan) = fixture.plan("s");
            let exempted = plan.exempted.iter().map(|it| ExemptedStanding {
                rule: it.finding.rule,
                fingerprint: fingerprint(&it.finding.drift),
                summary: String::new(),
                since: at(0),
                until: until.parse().unwrap(),
                exemption: String::new(),
                set_by: None,
                lapse_told,
            });
            let nothing = exempting_nothing(&plan);
            VpcState {
                looked: Some(at(0)),
                exempted: exempted.collect(),
                exempting_nothing: nothing,
                ..VpcState::default()
            }
        };
        let after = |value: &str, until: &str, lapse_told: bool| {
            let fixture = with(value);
            seen_after(&fixture, Some(known(&fixture, until, lapse_told))).1
        };
        let month = "until=1970-01-31 reason=x";
        assert_eq!(after(month, "1970-01-31", false), None);
        assert_eq!(after(month, "1970-01-30", false), Some(SweptNews::Changed), "prolonged");
        let soon = "until=1970-01-08 reason=x";
        assert_eq!(after(soon, "1970-01-08", false), Some(SweptNews::Changed));
        assert_eq!(after(soon, "1970-01-08", true), None);
        let state = known(&exempted, "1970-01-31", false);
        assert_eq!(seen_after(&Fixture::compliant(), Some(state)).1, Some(SweptNews::Changed));
        let malformed = Fixture::edited(|w| w.tag("rtb-a", "vpc-guardrail:exempt", "x"));
        assert_eq!(seen(&malformed).1, Some(SweptNews::Changed));
        assert_eq!(seen_after(&malformed, Some(known(&malformed, "1970-01-01", false))).1, None);
    }

    /// A run that was lost, or whose calls failed, is made up for by the next sweep.
    #[test]
    fn what_is_known_and_could_be_repaired_is_asked_about_unless_it_is_waited_for() {
        let drifted = Fixture::edited(|w| w.remove("vpce-ssm"));
        let after = |again: Option<Timestamp>| {
            let why = String::new();
            let look_again = again.map(|at| LookAgain { at, why });
            seen_after(&drifted, Some(VpcState { look_again, ..known(&drifted) })).1
        };
        assert_eq!(after(None), Some(SweptNews::ToRepair));
        assert_eq!(after(Some(at(10))), Some(SweptNews::ToRepair), "it is due");
        assert_eq!(after(Some(at(11))), None);
    }

    #[test]
    fn what_was_not_read_in_full_is_asked_about_once_and_once_more_when_it_is() {
        let blind = Fixture::edited(|w| w.without("VpcAttributes"));
        assert_eq!(seen(&blind).1, Some(SweptNews::Blind));
        let was_blind = VpcState {
            blind: Some(Blind { fingerprint: String::new(), since: at(0), told: true }),
            ..known(&blind)
        };
        assert_eq!(seen_after(&blind, Some(was_blind.clone())).1, None);
        let sees = seen_after(&Fixture::compliant(), Some(was_blind));
        assert_eq!(sees, (false, Some(SweptNews::Changed)));
    }

    /// A VPC at rest never waits: what its services rest on is noted by every sweep.
    #[test]
    fn what_is_seen_of_each_managed_vpc_is_noted() {
        let facts = swept_after(&Fixture::compliant(), None).remove(0).facts;
        let subnets: Vec<&str> = facts.subnets.keys().map(|id| id.as_str()).collect();
        assert_eq!(subnets, ["subnet-pria", "subnet-prib", "subnet-puba", "subnet-pubb"]);
        assert_eq!((facts.first_seen, facts.attributes), (at(10), None), "they were not read now");
        let facts: Vec<Fact> =
            serde_json::from_value(serde_json::to_value(facts.facts).unwrap()).unwrap();
        assert!(facts.iter().all(|fact| fact.since == at(10)));
        let told: Vec<String> = facts.iter().map(|fact| fact.premise.to_string()).collect();
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

    /// What a person should know and nothing repairs is told once, and does not put a VPC off its
    /// baseline.
    #[test]
    fn advice_alone_is_news_once_and_no_drift() {
        let advised = Fixture::edited(|w| {
            w.tag("subnet-pria", "Tier", "lab").route("rtb-a", "0.0.0.0/0", "nat-1")
        });
        assert_eq!(seen(&advised), (false, Some(SweptNews::Changed)));
        assert_eq!(seen_after(&advised, Some(known(&advised))), (false, None));
    }

    #[test]
    fn what_is_only_observed_is_no_news() {
        let drifted = Fixture::edited(|w| w.baseline("mode", json!("observe")).remove("vpce-ssm"));
        assert_eq!(seen(&drifted), (true, None));
    }

    #[test]
    fn unmanaged_vpcs_are_passed_over() {
        let other = json!({"tag": {"key": "other", "value": "x"}});
        let fixture = Fixture::edited(|w| w.baseline("managed_vpcs", other));
        assert_eq!(swept_after(&fixture, None), []);
    }

    #[test]
    fn a_second_try_is_another_sweep() {
        let at = |time: &str| incident(time.parse().unwrap(), "r-1");
        assert_eq!(at("2026-09-14T08:31:07Z"), "sweep-2026-09-14T08:31Z-r-1");
        assert_ne!(at("2026-09-14T08:32:07Z"), at("2026-09-14T08:31:07Z"));
    }

    #[test]
    fn a_sweep_is_the_first_as_long_as_none_has_come_to_its_end() {
        let begun =
            |before: Option<&Progress>| Progress::begun(before, "s", BTreeSet::new(), at(1));
        let first = begun(None);
        let second = begun(Some(&first));
        let ended = second.clone().after(&[], &BTreeSet::new(), at(2));
        let third = begun(Some(&ended));
        assert_eq!([first, second, third].map(|it| it.is_first), [true, true, false]);
    }
}
