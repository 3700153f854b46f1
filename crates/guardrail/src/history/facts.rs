//! Since when each premise has been as it is, and when it counts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::premise::{Premise, Seen};
use crate::baseline::Settling;
use crate::ec2::id::EndpointId;
use crate::ec2::snapshot::Section;

/// Since when one premise has been in its present state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The premise.
    pub premise: Premise,
    /// What tells its state from others.
    pub fingerprint: String,
    /// Since when it has been seen in this state: the first look at it, or the first that knew of a later
    /// recorded call, which may have changed it and back (UTC).
    pub since: Timestamp,
    /// Whether it was seen to change, or was in this state when it was first looked at.
    pub changed: bool,
    /// Whether it was seen in another state before.
    #[serde(default)]
    pub was_otherwise: bool,
}

/// What is remembered of a VPC's premises.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(Vec<Fact>);

/// A recorded call that may have changed premises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// When it was made (UTC).
    pub at: Timestamp,
    /// The premises that it may have changed.
    pub changed: Changed,
}

/// The premises that a call may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Names and policies of these endpoints; of all where none is named.
    Endpoints(Vec<EndpointId>),
    /// The VPC's DNS attributes.
    VpcDns,
    /// The VPC's DHCP options.
    DhcpOptions,
    /// The entries of network ACLs, and which subnet is under which.
    NetworkAcls,
}

impl Changed {
    fn touches(&self, premise: &Premise) -> bool {
        match (self, premise) {
            (
                Self::Endpoints(named),
                Premise::EndpointName(endpoint) | Premise::EndpointPolicy(endpoint),
            ) => named.is_empty() || named.contains(endpoint),
            (Self::VpcDns, Premise::VpcDns)
            | (Self::DhcpOptions, Premise::DhcpOptions)
            | (Self::NetworkAcls, Premise::NetworkAcl(..)) => true,
            (
                Self::Endpoints(_) | Self::VpcDns | Self::DhcpOptions | Self::NetworkAcls,
                Premise::EndpointName(_)
                | Premise::EndpointPolicy(_)
                | Premise::VpcDns
                | Premise::DhcpOptions
                | Premise::NetworkAcl(..),
            ) => false,
        }
    }
}

/// What a decision can know of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory<'a> {
    /// Nobody asks: the plan is shown and not carried out.
    NotAsked,
    /// This is remembered.
    Of(&'a Facts),
    /// What is remembered could not be read, so that nothing counts as settled.
    Unreadable,
}

impl Facts {
    /// What is remembered after a look at `now`, at which these premises were seen and these
    /// sections were not read, and to which these calls led.
    #[must_use]
    pub fn after_look(
        &self,
        seen: &[Seen],
        unread: &BTreeSet<Section>,
        calls: &[RecordedCall],
        now: Timestamp,
    ) -> Self {
        let kept = self.0.iter().filter(|fact| {
            unread.contains(&fact.premise.section())
                && !seen.iter().any(|seen| seen.premise == fact.premise)
        });
        let mut facts: Vec<Fact> = seen.iter().map(|seen| self.fact(seen, calls, now)).collect();
        // What a call changed that could not be looked at: the next look may have no such call.
        let unseen = |fact: &Fact| {
            let of_it = calls.iter().filter(|call| call.changed.touches(&fact.premise));
            match of_it.map(|call| call.at).any(|at| at.min(now) > fact.since) {
                true => Fact { since: now, changed: true, ..fact.clone() },
                false => fact.clone(),
            }
        };
        facts.extend(kept.map(unseen));
        facts.sort_unstable_by(|a, b| a.premise.cmp(&b.premise));
        facts.dedup_by(|a, b| a.premise == b.premise);
        Self(facts)
    }

    fn fact(&self, seen: &Seen, calls: &[RecordedCall], now: Timestamp) -> Fact {
        let of_it = calls.iter().filter(|call| call.changed.touches(&seen.premise));
        let called = of_it.map(|call| call.at.min(now)).max();
        let (since, changed, was_otherwise) = match self.of(&seen.premise) {
            Some(fact) if fact.fingerprint == seen.fingerprint => {
                // The call may have made it otherwise, and the one that made it so again may not be known
                // of yet: it was this look that saw it so.
                let is_later = called.is_some_and(|at| at > fact.since);
                let since = if is_later { now } else { fact.since };
                (since, fact.changed, fact.was_otherwise)
            }
            // A call that is known of may be older than the one that made it so, which is not known
            // of yet: a call can only put off when it counts.
            Some(_) => (now, true, true),
            None => (now, false, self.had_another(&seen.premise)),
        };
        let (premise, fingerprint) = (seen.premise.clone(), seen.fingerprint.clone());
        let changed = changed || called.is_some();
        Fact { premise, fingerprint, since, changed, was_otherwise }
    }

    /// Whether another premise stood in the place of this one: the subnet was under another ACL.
    fn had_another(&self, premise: &Premise) -> bool {
        match premise {
            Premise::NetworkAcl(acl, subnet) => self.0.iter().any(|fact| match &fact.premise {
                Premise::NetworkAcl(other, its) => its == subnet && other != acl,
                Premise::EndpointName(_)
                | Premise::EndpointPolicy(_)
                | Premise::VpcDns
                | Premise::DhcpOptions => false,
            }),
            Premise::EndpointName(_)
            | Premise::EndpointPolicy(_)
            | Premise::VpcDns
            | Premise::DhcpOptions => false,
        }
    }

    fn of(&self, premise: &Premise) -> Option<&Fact> {
        self.0.iter().find(|fact| fact.premise == *premise)
    }

    /// The same, with nothing of an endpoint older than the endpoint: that it is as old says nothing of
    /// since when it has been as it is.
    #[must_use]
    pub fn none_older_than(mut self, endpoint: &EndpointId, created: Timestamp) -> Self {
        for fact in &mut self.0 {
            match &fact.premise {
                Premise::EndpointName(of) | Premise::EndpointPolicy(of) if of == endpoint => {
                    fact.since = fact.since.max(created);
                }
                Premise::EndpointName(_)
                | Premise::EndpointPolicy(_)
                | Premise::VpcDns
                | Premise::DhcpOptions
                | Premise::NetworkAcl(..) => {}
            }
        }
        self
    }

    /// When this premise, seen as it is, counts; `None` when it has not been noted in this state.
    pub fn counts_from(&self, seen: &Seen, settling: Settling) -> Option<Timestamp> {
        let fact = self.of(&seen.premise).filter(|fact| fact.fingerprint == seen.fingerprint)?;
        let wait = match (&fact.premise, fact.changed) {
            (Premise::DhcpOptions, true) => settling.dhcp_options(),
            (Premise::DhcpOptions, false)
            | (
                Premise::EndpointName(_)
                | Premise::EndpointPolicy(_)
                | Premise::VpcDns
                | Premise::NetworkAcl(..),
                _,
            ) => settling.usual(),
        };
        fact.since.checked_add(wait).ok()
    }
}

/// The premise that counts last, and from when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// The premise.
    pub premise: Premise,
    /// When it counts; `None` when nothing is remembered of it.
    pub until: Option<Timestamp>,
}

impl Memory<'_> {
    /// The premise among these that has to be waited for longest; `None` when all count at `now`.
    pub fn unsettled<'s>(
        &self,
        seen: impl IntoIterator<Item = &'s Seen>,
        settling: Settling,
        now: Timestamp,
    ) -> Option<Unsettled> {
        let facts = match self {
            Self::NotAsked => return None,
            Self::Of(facts) => Some(*facts),
            Self::Unreadable => None,
        };
        let waits = seen.into_iter().map(|seen| Unsettled {
            premise: seen.premise.clone(),
            until: facts.and_then(|facts| facts.counts_from(seen, settling)),
        });
        let open = waits.filter(|wait| wait.until.is_none_or(|until| until > now));
        // What nothing is remembered of comes last of all.
        open.max_by_key(|wait| wait.until.unwrap_or(Timestamp::MAX))
    }

    /// The premise among these that was seen in another state lately and may still act as it was,
    /// with when it counts; of several the last.
    pub fn lately_otherwise<'s>(
        &self,
        seen: impl IntoIterator<Item = &'s Seen>,
        settling: Settling,
        now: Timestamp,
    ) -> Option<(Premise, Timestamp)> {
        let Self::Of(facts) = self else { return None };
        let lately = |seen: &'s Seen| {
            let was_otherwise = facts.of(&seen.premise).is_some_and(|fact| fact.was_otherwise);
            let until = facts.counts_from(seen, settling).filter(|until| *until > now)?;
            was_otherwise.then(|| (seen.premise.clone(), until))
        };
        seen.into_iter().filter_map(lately).max_by_key(|(_, until)| *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn name(state: &str) -> Seen {
        Seen::of(Premise::EndpointName("vpce-1".parse().unwrap()), state)
    }

    fn dhcp(state: &str) -> Seen {
        Seen::of(Premise::DhcpOptions, state)
    }

    fn look(facts: &Facts, seen: &[Seen], now: i64) -> Facts {
        facts.after_look(seen, &BTreeSet::new(), &[], at(now))
    }

    fn call(changed: Changed, seconds: i64) -> RecordedCall {
        RecordedCall { at: at(seconds), changed }
    }

    fn counts(facts: &Facts, seen: &Seen) -> Option<i64> {
        facts.counts_from(seen, Settling::default()).map(Timestamp::as_second)
    }

    #[test]
    fn a_premise_counts_five_minutes_after_the_first_look_that_saw_it_so() {
        let first = look(&Facts::default(), &[name("on")], 100);
        let later = look(&first, &[name("on")], 350);
        for facts in [&first, &later] {
            assert_eq!(counts(facts, &name("on")), Some(100 + 5 * MINUTE));
            assert_eq!(counts(facts, &name("off")), None);
        }
        let again = look(&look(&later, &[name("off")], 400), &[name("on")], 500);
        assert_eq!(counts(&again, &name("on")), Some(500 + 5 * MINUTE));
    }

    /// A record may come late, and be of an earlier call than the one that made the state so.
    #[test]
    fn a_recorded_call_puts_off_when_its_state_counts_and_never_brings_it_forward() {
        let none = BTreeSet::new();
        let calls = [call(Changed::Endpoints(vec![]), 40), call(Changed::VpcDns, 90)];
        let first = Facts::default().after_look(&[name("on")], &none, &calls, at(100));
        assert_eq!(counts(&first, &name("on")), Some(100 + 5 * MINUTE));
        // Off and on again between two looks: the state is the same, and clients have the old answer.
        let again = [call(Changed::Endpoints(vec![]), 300), call(Changed::Endpoints(vec![]), 200)];
        let later = first.after_look(&[name("on")], &none, &again, at(310));
        assert_eq!(counts(&later, &name("on")), Some(310 + 5 * MINUTE));
        let late = [call(Changed::Endpoints(vec![]), 10)];
        let same = later.after_look(&[name("on")], &none, &late, at(320));
        assert_eq!(counts(&same, &name("on")), Some(310 + 5 * MINUTE));
        // The guardrail's own write comes after the call that it was told of.
        let other = later.after_look(&[name("off")], &none, &again, at(1_000));
        assert_eq!(counts(&other, &name("off")), Some(1_000 + 5 * MINUTE));
        // A clock that is ahead makes nothing younger than now.
        let ahead = [call(Changed::Endpoints(vec![]), 9_000)];
        let ahead = first.after_look(&[name("on")], &none, &ahead, at(400));
        assert_eq!(counts(&ahead, &name("on")), Some(400 + 5 * MINUTE));
    }

    #[test]
    fn dhcp_options_take_hours_only_after_a_change() {
        let first = look(&Facts::default(), &[dhcp("a")], 0);
        assert_eq!(counts(&first, &dhcp("a")), Some(5 * MINUTE));
        let changed = look(&first, &[dhcp("b")], 60);
        assert_eq!(counts(&changed, &dhcp("b")), Some(60 + 240 * MINUTE));
        let still = look(&changed, &[dhcp("b")], 600);
        assert_eq!(counts(&still, &dhcp("b")), Some(60 + 240 * MINUTE));
        let recorded = [call(Changed::DhcpOptions, 50)];
        let recorded =
            Facts::default().after_look(&[dhcp("a")], &BTreeSet::new(), &recorded, at(60));
        assert_eq!(counts(&recorded, &dhcp("a")), Some(60 + 240 * MINUTE));
    }

    /// The next look may have no such call: its message is done with.
    #[test]
    fn what_a_call_changed_that_could_not_be_looked_at_counts_from_the_next_look_on() {
        let unread: BTreeSet<Section> = [Section::VpcEndpoints].into_iter().collect();
        let first = look(&Facts::default(), &[name("on")], 0);
        let blind = |at_second| {
            let calls = [call(Changed::Endpoints(vec![]), at_second)];
            first.after_look(&[], &unread, &calls, at(400))
        };
        let later = |facts: &Facts| counts(&look(facts, &[name("on")], 500), &name("on"));
        assert_eq!(later(&blind(300)), Some(400 + 5 * MINUTE));
        assert_eq!(later(&blind(0)), Some(5 * MINUTE), "it is older than what was seen");
    }

    #[test]
    fn what_was_not_read_is_not_forgotten_and_what_is_gone_is() {
        let facts = look(&Facts::default(), &[name("on"), dhcp("a")], 0);
        let unread = BTreeSet::from([Section::DhcpOptions]);
        let later = facts.after_look(&[], &unread, &[], at(60));
        assert_eq!(counts(&later, &dhcp("a")), Some(5 * MINUTE));
        assert_eq!(counts(&later, &name("on")), None);
    }

    #[test]
    fn the_longest_wait_is_the_one_that_is_named() {
        let facts = look(&look(&Facts::default(), &[dhcp("a")], 0), &[dhcp("a"), name("on")], 60);
        let both = [dhcp("a"), name("on")];
        let wait = |memory: Memory<'_>, now| memory.unsettled(&both, Settling::default(), at(now));
        let named = |until| Unsettled { premise: name("on").premise, until };
        assert_eq!(wait(Memory::Of(&facts), 61), Some(named(Some(at(360)))));
        assert_eq!(wait(Memory::Of(&facts), 360), None);
        assert_eq!(wait(Memory::NotAsked, 0), None);
        assert_eq!(wait(Memory::Unreadable, 9_999).map(|wait| wait.until), Some(None));
        let other = [name("off"), dhcp("a")];
        let unknown = Memory::Of(&facts).unsettled(&other, Settling::default(), at(9_999));
        assert_eq!(unknown, Some(named(None)));
    }

    #[test]
    fn what_was_otherwise_lately_may_still_act_as_it_was() {
        let first = look(&Facts::default(), &[name("on")], 0);
        let changed = look(&first, &[name("off")], 100);
        let lately = |facts: &Facts, seen: &Seen, now: i64| {
            let found = Memory::Of(facts).lately_otherwise([seen], Settling::default(), at(now));
            found.map(|(premise, until)| (premise.to_string(), until.as_second()))
        };
        let told = ("the private name of vpce-1".to_owned(), 400);
        assert_eq!(lately(&first, &name("on"), 10), None);
        assert_eq!(lately(&changed, &name("off"), 110), Some(told.clone()));
        assert_eq!(lately(&look(&changed, &[name("off")], 200), &name("off"), 399), Some(told));
        assert_eq!(lately(&changed, &name("off"), 400), None);
        // What a step makes it is in no memory.
        assert_eq!(lately(&changed, &name("on"), 110), None);
        let unreadable =
            Memory::Unreadable.lately_otherwise([&name("off")], Settling::default(), at(110));
        assert_eq!(unreadable, None);
    }

    #[test]
    fn a_subnet_under_another_acl_was_under_the_former_lately() {
        let under = |acl: &str| {
            let subnet = "subnet-a".parse().unwrap();
            Seen::of(Premise::NetworkAcl(acl.parse().unwrap(), subnet), acl)
        };
        let first = look(&Facts::default(), &[under("acl-1")], 0);
        let moved = look(&first, &[under("acl-2")], 100);
        let lately = |facts: &Facts, seen: Seen| {
            Memory::Of(facts).lately_otherwise([&seen], Settling::default(), at(110)).is_some()
        };
        assert!(!lately(&first, under("acl-1")));
        assert!(lately(&moved, under("acl-2")));
    }
}
