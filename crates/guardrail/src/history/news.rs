//! What of a look is news.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::exempted::{ExemptedLeft, ExemptedStanding, after_look};
use super::state::{Blind, Standing, VpcState};
use crate::baseline::RuleId;
use crate::time::Day;

/// How long something may be expected to pass by itself before somebody is told that it stands.
const PASSES_WITHIN: Duration = Duration::from_secs(30 * 60);

/// What all blindness is called that passes by itself: which sections it keeps hidden changes from look
/// to look.
const PASSING: &str = "passing";

/// A finding as a look leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The rule that found it.
    pub rule: RuleId,
    /// What tells it from every other finding, and from itself once it has changed.
    pub fingerprint: String,
    /// The finding in one line, for people.
    pub summary: String,
    /// Whether somebody is expected to mend it within minutes: an endpoint that comes up, or that a
    /// tool may be about to make.
    pub passes: bool,
}

/// What a look came to, as far as it can be news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When (UTC).
    pub at: Timestamp,
    /// What is left that subscribers are told of.
    pub left: Vec<Left>,
    /// The fingerprints of what is left that keeps the VPC off its baseline and that nobody wants to
    /// be told of: that it is not told does not mean that it has ended.
    pub untold: BTreeSet<String>,
    /// What is exempted of what subscribers would be told of.
    pub exempted: Vec<ExemptedLeft>,
    /// What tells the exemptions that exempt nothing from each other; those that are over are none.
    pub exempting_nothing: BTreeSet<String>,
    /// Whether the guardrail looks after the VPC.
    pub managed: bool,
    /// Whether all that the rules need was read.
    pub sees: Sees,
    /// Whether something was changed, or has left the guardrail's care.
    pub done: bool,
    /// Whether a sweep has found the VPC for the first time, and no call led there.
    pub is_first_contact: bool,
    /// Whether no call led there, and nobody has asked.
    pub is_by_itself: bool,
}

/// Whether a look saw everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sees {
    /// It did.
    All,
    /// Not what passing faults kept from it.
    NotYet,
    /// Not what will be kept from it until somebody mends that.
    Never(String),
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Nobody: it stands as it was told, or nothing was ever told.
    Nothing,
    /// Subscribers.
    Tell,
    /// Subscribers, in the summary of a sweep: the VPC is seen for the first time.
    FirstContact,
}

/// What is remembered of a look, and who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Who is told.
    pub news: News,
    /// What stands.
    pub standing: Vec<Standing>,
    /// What was told to stand and stands no more.
    pub ended: Vec<Standing>,
    /// What is exempted.
    pub exempted: Vec<ExemptedStanding>,
    /// Which exemptions that exempt nothing were told of.
    pub exempting_nothing: BTreeSet<String>,
    /// What could not be observed.
    pub blind: Option<Blind>,
    /// Whether what is told later belongs into the summary of the sweep that has found the VPC first.
    pub owes_first_contact: bool,
    /// Since when the VPC has been off its baseline, as far as was told.
    pub off_since: Option<Timestamp>,
    /// How long the VPC was off its baseline, when it is back on it and that is news.
    pub was_off_for: Option<SignedDuration>,
}

/// What is remembered of a look, and who is told of it: `before` is what was known of the VPC.
pub fn decide(before: Option<&VpcState>, look: &Look) -> Decided {
    let known = before.map(|state| state.standing.as_slice()).unwrap_or_default();
    let mut standing: Vec<Standing> =
        look.left.iter().map(|left| stands(known, left, look)).collect();
    if look.managed && look.sees != Sees::All {
        // What was not seen has not ended.
        let seen: BTreeSet<String> = standing.iter().map(|it| it.fingerprint.clone()).collect();
        let is_seen = |it: &Standing| seen.contains(&it.fingerprint) || is_exempted(look, it);
        standing.extend(known.iter().filter(|it| !is_seen(it)).cloned());
    }
    let exempted = Exemptions::after(before, look);
    let blind = blind(before, look);
    let is_told = |told: bool, was: bool| told && !was;
    let appeared = standing.iter().any(|it| is_told(it.told, was_told(known, &it.fingerprint)));
    let blinded =
        blind.as_ref().is_some_and(|it| is_told(it.told, was_blind(before, &it.fingerprint)));
    let stands = |it: &Standing| standing.iter().any(|still| still.fingerprint == it.fingerprint);
    let stays = |it: &Standing| {
        // What is exempted is told as that.
        stands(it) || look.untold.contains(&it.fingerprint) || is_exempted(look, it)
    };
    let ended: Vec<Standing> =
        known.iter().filter(|it| it.told && look.managed && !stays(it)).cloned().collect();
    let is_owed = before.is_some_and(|state| state.first_contact.is_some());
    let is_first = (before.is_none() && look.is_first_contact) || (is_owed && look.is_by_itself);
    let first = is_first && !look.done;
    let off_before = before.and_then(|state| state.off_since);
    let all_is_well = standing.is_empty() && look.untold.is_empty() && look.sees == Sees::All;
    let back = look.managed && all_is_well;
    let any = (appeared || blinded || !ended.is_empty() || look.done)
        || (back && off_before.is_some())
        || (exempted.is_news && !first);
    let news = match (any, first) {
        (false, _) => News::Nothing,
        (true, true) => News::FirstContact,
        (true, false) => News::Tell,
    };
    if news != News::Nothing {
        // What is told of the look tells of all that it found.
        let is_found =
            |it: &Standing| look.left.iter().any(|left| left.fingerprint == it.fingerprint);
        standing.iter_mut().filter(|it| is_found(it)).for_each(|it| it.told = true);
    }
    let off = standing.iter().any(|it| it.told) || blind.as_ref().is_some_and(|it| it.told);
    // Whoever was told that it is off is told when it is back, whatever kept it off meanwhile.
    let off_since = off_before.filter(|_| !back).or_else(|| off.then_some(look.at));
    let off_since = off_since.filter(|_| look.managed);
    Decided {
        news,
        standing,
        ended,
        exempted: exempted.standing_once(news),
        exempting_nothing: exempted.nothing_once(news, before),
        blind,
        owes_first_contact: first && news == News::Nothing && look.managed && !back,
        off_since,
        was_off_for: off_before.filter(|_| back).map(|since| look.at.duration_since(since)),
    }
}

/// What is exempted after a look, and what exempts nothing.
struct Exemptions<'a> {
    standing: Vec<ExemptedStanding>,
    nothing: &'a BTreeSet<String>,
    today: Day,
    is_news: bool,
}

impl<'a> Exemptions<'a> {
    fn after(before: Option<&VpcState>, look: &'a Look) -> Self {
        let today = Day::of(look.at);
        let known = before.map(|state| state.exempted.as_slice()).unwrap_or_default();
        let (mut standing, mut is_news) = after_look(known, &look.exempted, today);
        if look.managed && look.sees != Sees::All {
            // What was not seen may be exempted still.
            let is_left = |it: &ExemptedStanding| {
                look.left.iter().any(|left| left.fingerprint == it.fingerprint)
            };
            let is_seen = |it: &ExemptedStanding| {
                look.exempted.iter().any(|left| left.covers(&it.fingerprint))
            };
            standing.extend(known.iter().filter(|it| !is_left(it) && !is_seen(it)).cloned());
        }
        let nothing = &look.exempting_nothing;
        is_news |=
            before.map_or(!nothing.is_empty(), |it| !nothing.is_subset(&it.exempting_nothing));
        Self { standing, nothing, today, is_news: is_news && look.managed }
    }

    /// What is exempted, with what was announced now.
    fn standing_once(&self, news: News) -> Vec<ExemptedStanding> {
        let announced = |it: &ExemptedStanding| {
            let lapse_told = it.lapse_told || (news == News::Tell && it.lapses_soon(self.today));
            ExemptedStanding { lapse_told, ..it.clone() }
        };
        self.standing.iter().map(announced).collect()
    }

    /// Which of those that exempt nothing are known as told now.
    fn nothing_once(&self, news: News, before: Option<&VpcState>) -> BTreeSet<String> {
        let was_told =
            |it: &&String| before.is_some_and(|state| state.exempting_nothing.contains(*it));
        self.nothing.iter().filter(|it| news == News::Tell || was_told(it)).cloned().collect()
    }
}

/// Whether what stood is exempted now, or a part of it.
fn is_exempted(look: &Look, standing: &Standing) -> bool {
    look.exempted.iter().any(|left| left.covers(&standing.fingerprint))
}

fn was_told(known: &[Standing], fingerprint: &str) -> bool {
    known.iter().any(|it| it.told && it.fingerprint == fingerprint)
}

fn was_blind(before: Option<&VpcState>, fingerprint: &str) -> bool {
    let blind = before.and_then(|state| state.blind.as_ref());
    blind.is_some_and(|it| it.told && it.fingerprint == fingerprint)
}

/// Whether what passes by itself has been there for longer than that takes.
fn is_late(since: Timestamp, now: Timestamp) -> bool {
    now > since && now.duration_since(since).unsigned_abs() >= PASSES_WITHIN
}

fn stands(known: &[Standing], left: &Left, look: &Look) -> Standing {
    let before = known.iter().find(|it| it.fingerprint == left.fingerprint);
    let since = before.map_or(look.at, |it| it.since);
    let told = !left.passes || is_late(since, look.at);
    Standing {
        rule: left.rule,
        fingerprint: left.fingerprint.clone(),
        summary: left.summary.clone(),
        since,
        told: told || before.is_some_and(|it| it.told),
    }
}

fn blind(before: Option<&VpcState>, look: &Look) -> Option<Blind> {
    let (fingerprint, passes) = match &look.sees {
        _ if !look.managed => return None,
        Sees::All => return None,
        Sees::NotYet => (PASSING, true),
        Sees::Never(fingerprint) => (fingerprint.as_str(), false),
    };
    let before = before.and_then(|state| state.blind.as_ref());
    let same = before.filter(|it| passes || it.fingerprint == fingerprint);
    let since = same.map_or(look.at, |it| it.since);
    let told = !passes || is_late(since, look.at) || same.is_some_and(|it| it.told);
    Some(Blind { fingerprint: fingerprint.to_owned(), since, told })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn left(fingerprint: &str, passes: bool) -> Left {
        Left {
            rule: RuleId::InternetRoute,
            fingerprint: fingerprint.to_owned(),
            summary: format!("finding {fingerprint}"),
            passes,
        }
    }

    fn look(seconds: i64, left: &[Left]) -> Look {
        let left = left.to_vec();
        Look {
            at: at(seconds),
            left,
            untold: BTreeSet::new(),
            exempted: Vec::new(),
            exempting_nothing: BTreeSet::new(),
            managed: true,
            sees: Sees::All,
            done: false,
            is_first_contact: false,
            is_by_itself: false,
        }
    }

    /// The state that a look leaves.
    fn state(decided: &Decided, seconds: i64) -> VpcState {
        VpcState {
            looked: Some(at(seconds)),
            standing: decided.standing.clone(),
            off_since: decided.off_since,
            blind: decided.blind.clone(),
            exempted: decided.exempted.clone(),
            exempting_nothing: decided.exempting_nothing.clone(),
            grace: std::collections::BTreeMap::new(),
            look_again: None,
            first_contact: decided.owes_first_contact.then(|| "s".to_owned()),
            calls: Vec::new(),
            in_vain: 0,
            lease: None,
        }
    }

    /// What these looks bring, one after another.
    fn news(looks: &[Look]) -> Vec<News> {
        let mut before: Option<VpcState> = None;
        let one = |look: &Look| {
            let decided = decide(before.as_ref(), look);
            before = Some(state(&decided, look.at.as_second()));
            decided.news
        };
        looks.iter().map(one).collect()
    }

    #[test]
    fn what_stands_is_told_once_and_its_end_once() {
        let (a, b) = (left("a", false), left("b", false));
        let looks = [
            look(0, std::slice::from_ref(&a)),
            look(10, std::slice::from_ref(&a)),
            look(20, &[a.clone(), b.clone()]),
            look(30, &[a, b.clone()]),
            look(40, &[b]),
            look(50, &[]),
            look(60, &[]),
        ];
        use News::{Nothing, Tell};
        assert_eq!(news(&looks), [Tell, Nothing, Tell, Nothing, Tell, Tell, Nothing]);
    }

    #[test]
    fn the_end_says_how_long_it_was() {
        let first = decide(None, &look(100, &[left("a", false)]));
        assert_eq!(first.off_since, Some(at(100)));
        let end = decide(Some(&state(&first, 100)), &look(160, &[]));
        assert_eq!(
            (end.news, end.off_since, end.was_off_for),
            (News::Tell, None, Some(SignedDuration::from_secs(60)))
        );
    }

    /// An apply that deletes an endpoint and makes it again is nobody's news.
    #[test]
    fn what_passes_by_itself_is_told_only_when_it_does_not() {
        let coming = left("a", true);
        let minutes = |minute: i64| look(minute * 60, std::slice::from_ref(&coming));
        use News::{Nothing, Tell};
        assert_eq!(news(&[minutes(0), minutes(1), look(120, &[])]), [Nothing, Nothing, Nothing]);
        assert_eq!(news(&[minutes(0), minutes(29), minutes(30)]), [Nothing, Nothing, Tell]);
    }

    #[test]
    fn what_was_told_with_other_news_is_not_told_again_when_it_does_not_pass() {
        let (coming, other) = (left("a", true), left("b", false));
        let looks = [
            look(0, &[coming, other.clone()]),
            look(60, &[left("a", false), other.clone()]),
            look(120, &[other]),
        ];
        assert_eq!(news(&looks), [News::Tell, News::Nothing, News::Tell]);
    }

    #[test]
    fn what_was_done_is_always_told() {
        let done = Look { done: true, ..look(0, &[]) };
        assert_eq!(news(&[done.clone(), done]), [News::Tell, News::Tell]);
    }

    #[test]
    fn an_incomplete_look_ends_nothing_and_tells_nobody_unless_it_lasts() {
        let unseen = |minute: i64| Look { sees: Sees::NotYet, ..look(minute * 60, &[]) };
        let a = || look(0, &[left("a", false)]);
        use News::{Nothing, Tell};
        assert_eq!(news(&[a(), unseen(1), a()]), [Tell, Nothing, Nothing]);
        assert_eq!(
            news(&[unseen(0), unseen(29), unseen(30), unseen(90)]),
            [Nothing, Nothing, Tell, Nothing]
        );
        let seen = look(100 * 60, &[]);
        assert_eq!(news(&[unseen(0), unseen(30), seen.clone()]), [Nothing, Tell, Tell]);
        assert_eq!(news(&[unseen(0), seen]), [Nothing, Nothing]);
    }

    #[test]
    fn what_nobody_lets_the_guardrail_see_is_told_once() {
        let denied = |second| Look { sees: Sees::Never("Subnets".to_owned()), ..look(second, &[]) };
        assert_eq!(news(&[denied(0), denied(9)]), [News::Tell, News::Nothing]);
    }

    #[test]
    fn a_vpc_that_a_sweep_sees_first_is_told_with_the_others() {
        let swept = |second| Look { is_first_contact: true, ..look(second, &[left("a", false)]) };
        assert_eq!(news(&[swept(0), swept(9)]), [News::FirstContact, News::Nothing]);
        assert_eq!(news(&[look(0, &[left("a", false)])]), [News::Tell], "a call led there");
        assert_eq!(news(&[Look { is_first_contact: true, ..look(0, &[]) }]), [News::Nothing]);
        assert_eq!(news(&[Look { done: true, ..swept(0) }]), [News::Tell]);
    }

    /// What a sweep could not read of a new VPC, or leaves to a tool, it does not tell by itself later.
    #[test]
    fn a_first_contact_that_had_nothing_to_tell_yet_is_told_with_the_others_later() {
        let unseen = Look { is_first_contact: true, sees: Sees::NotYet, ..look(0, &[]) };
        let waits = Look { is_first_contact: true, ..look(0, &[left("a", true)]) };
        let clock = |second| Look { is_by_itself: true, ..look(second, &[left("a", false)]) };
        let called = look(60, &[left("a", false)]);
        use News::{FirstContact, Nothing, Tell};
        for first in [unseen, waits] {
            let told = news(&[first.clone(), clock(60), clock(90), look(99, &[])]);
            assert_eq!(told, [Nothing, FirstContact, Nothing, Tell]);
            assert_eq!(news(&[first.clone(), called.clone()]), [Nothing, Tell], "a call led there");
            let done = Look { done: true, ..clock(60) };
            assert_eq!(news(&[first.clone(), done]), [Nothing, Tell]);
            let well = Look { is_by_itself: true, ..look(60, &[]) };
            assert_eq!(news(&[first, well, clock(90)]), [Nothing, Nothing, Tell], "it was well");
        }
    }

    /// A summary that counts what passes has told of it.
    #[test]
    fn what_was_counted_in_a_first_contact_is_not_told_again_when_it_does_not_pass() {
        let (coming, other) = (left("a", true), left("b", false));
        let first = Look { is_first_contact: true, ..look(0, &[coming, other.clone()]) };
        let clock = Look { is_by_itself: true, ..look(60, &[left("a", false), other]) };
        assert_eq!(news(&[first, clock]), [News::FirstContact, News::Nothing]);
    }

    fn exempted(fingerprint: &str, whole: &str, until: &str) -> ExemptedLeft {
        let standing = ExemptedStanding {
            rule: RuleId::InternetRoute,
            fingerprint: fingerprint.to_owned(),
            summary: format!("finding {fingerprint}"),
            since: at(0),
            until: until.parse().unwrap(),
            exemption: String::new(),
            set_by: None,
            lapse_told: false,
        };
        ExemptedLeft { standing, whole: whole.to_owned() }
    }

    const DAY: i64 = 24 * 60 * 60;

    fn exempting(seconds: i64, left: &[ExemptedLeft]) -> Look {
        Look { exempted: left.to_vec(), ..look(seconds, &[]) }
    }

    #[test]
    fn what_becomes_exempted_is_told_once_as_that_and_its_lapse_once_before_and_once_after() {
        let of = |day: i64| exempting(day * DAY, &[exempted("a", "a", "1970-01-31")]);
        let found = |day: i64| look(day * DAY, &[left("a", false)]);
        use News::{Nothing, Tell};
        let looks = [found(0), of(1), of(2), of(22), of(23), of(24), of(30), found(31), found(32)];
        assert_eq!(
            news(&looks),
            [Tell, Tell, Nothing, Nothing, Tell, Nothing, Nothing, Tell, Nothing]
        );
        let told = decide(None, &found(0));
        let then = decide(Some(&state(&told, 0)), &of(1));
        assert_eq!(then.ended, [], "it has not ended");
        assert_eq!((then.standing.len(), then.exempted.len()), (0, 1));
        let longer = exempting(3 * DAY, &[exempted("a", "a", "1970-03-01")]);
        assert_eq!(news(&[of(1), longer.clone(), longer]), [Tell, Tell, Nothing], "prolonged");
        assert_eq!(news(&[of(30), of(30)]), [Tell, Nothing], "so soon that it is told at once");
        let mended = decide(Some(&state(&then, DAY)), &look(2 * DAY, &[]));
        assert_eq!((mended.news, mended.exempted.len()), (Nothing, 0));
    }

    #[test]
    fn of_a_finding_that_is_exempted_in_part_nothing_has_ended() {
        let whole = decide(None, &look(0, &[left("ab", false)]));
        let parts = Look {
            exempted: vec![exempted("a", "ab", "1970-01-31")],
            ..look(60, &[left("b", false)])
        };
        let then = decide(Some(&state(&whole, 0)), &parts);
        assert_eq!((then.news, then.ended.len(), then.standing.len()), (News::Tell, 0, 1));
        assert_eq!(news(&[parts.clone(), parts]), [News::Tell, News::Nothing]);
    }

    #[test]
    fn an_incomplete_look_forgets_no_exemption_and_finds_none_ended() {
        let of = |second| exempting(second, &[exempted("a", "a", "1970-01-31")]);
        let unseen = Look { sees: Sees::NotYet, ..look(60, &[]) };
        assert_eq!(
            news(&[of(0), unseen.clone(), of(90)]),
            [News::Tell, News::Nothing, News::Nothing]
        );
        let found = decide(None, &look(0, &[left("a", false)]));
        let half = Look { sees: Sees::NotYet, ..of(60) };
        assert_eq!(decide(Some(&state(&found, 0)), &half).standing, []);
    }

    #[test]
    fn what_exempts_nothing_is_told_once_and_not_with_a_first_contact() {
        let of = |seconds, names: &[&str]| Look {
            exempting_nothing: names.iter().map(|name| (*name).to_owned()).collect(),
            ..look(seconds, &[])
        };
        use News::{Nothing, Tell};
        let looks =
            [of(0, &["x"]), of(1, &["x"]), of(2, &["x", "y"]), of(3, &["y"]), of(4, &["x", "y"])];
        assert_eq!(news(&looks), [Tell, Nothing, Tell, Nothing, Tell]);
        let first = |seconds| Look { is_first_contact: true, ..of(seconds, &["x"]) };
        assert_eq!(news(&[first(0), first(1), first(2)]), [Nothing, Tell, Nothing]);
        let exempted = |seconds| Look {
            is_first_contact: true,
            ..exempting(seconds, &[exempted("a", "a", "1970-03-01")])
        };
        assert_eq!(news(&[exempted(0), exempted(1)]), [Nothing, Nothing], "the digest has it");
        let left_care = Look { managed: false, ..of(0, &["x"]) };
        assert_eq!(news(&[left_care]), [Nothing]);
    }

    /// A baseline that wants nobody told of a rule any more mends nothing.
    #[test]
    fn what_nobody_wants_to_be_told_of_has_not_ended() {
        let silenced = Look { untold: BTreeSet::from(["a".to_owned()]), ..look(60, &[]) };
        let told = decide(None, &look(0, &[left("a", false)]));
        let then = decide(Some(&state(&told, 0)), &silenced);
        assert_eq!((then.news, &then.ended), (News::Nothing, &Vec::new()));
        assert_eq!((then.off_since, then.was_off_for), (Some(at(0)), None));
        let back = decide(Some(&state(&then, 60)), &look(90, &[]));
        assert_eq!(
            (back.news, back.was_off_for),
            (News::Tell, Some(SignedDuration::from_secs(90)))
        );
    }

    /// What was told has ended, and something that passes keeps the VPC off its baseline still.
    #[test]
    fn that_a_vpc_is_back_is_told_after_the_last_of_what_kept_it_off() {
        let told = decide(None, &look(0, &[left("a", false)]));
        let passes = decide(Some(&state(&told, 0)), &look(60, &[left("b", true)]));
        assert_eq!((passes.ended.len(), passes.off_since), (1, Some(at(0))));
        let back = decide(Some(&state(&passes, 60)), &look(90, &[]));
        assert_eq!((back.news, back.off_since), (News::Tell, None));
        assert_eq!(back.was_off_for, Some(SignedDuration::from_secs(90)));
    }

    /// Nobody is told that a VPC is back on its baseline which the guardrail left.
    #[test]
    fn a_vpc_that_is_not_managed_has_no_end() {
        let left_care = Look { managed: false, ..look(10, &[]) };
        assert_eq!(news(&[look(0, &[left("a", false)]), left_care]), [News::Tell, News::Nothing]);
    }
}
