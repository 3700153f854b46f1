//! Histories by chance: what goes wrong in them, and when, a seed decides.

use std::time::Duration;

use guardrail::cloud::InMemoryTable;
use guardrail::history::Item;
use jiff::Timestamp;

use crate::actions::BEHAVIOURS;
use crate::counts::Counts;
use crate::dice::Dice;
use crate::flow::{Fate, Point, Refusal, Side};
use crate::history::{Coming, History, Kind};
use crate::planted::Planted;
use crate::scene::{MARKS, vpc};
use crate::stage::{Stage, start};

/// The most that is done in one history.
const ACTIONS: usize = 30;

/// A history is over after so many turns, or never.
const TURNS: usize = 60_000;

/// One thing that goes wrong, or that somebody does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Somebody,
    Fails,
    Throttled,
    AnswerLost,
    Stale,
    Killed,
    SecondCopy,
    TimePasses,
    HoldLost,
    TableOut,
    TopicsOut,
    Nonsense,
    Sweep,
    /// Something happens at the next call of a rare kind.
    Aimed,
}

/// What happens at a call that was aimed at.
#[derive(Debug, Clone, Copy)]
enum Aim {
    Fails,
    Throttled,
    AnswerLost,
    KilledBefore,
    KilledAfter,
    SecondCopy,
    SomebodyBefore,
    SomebodyAfter,
}

const AIMS: [(usize, Aim); 8] = [
    (2, Aim::Fails),
    (1, Aim::Throttled),
    (4, Aim::AnswerLost),
    (3, Aim::KilledBefore),
    (4, Aim::KilledAfter),
    (2, Aim::SecondCopy),
    (2, Aim::SomebodyBefore),
    (2, Aim::SomebodyAfter),
];

/// The calls that are aimed at: the rare ones, and those that matter most.
const TARGETS: [&str; 19] = [
    "call CreateVpcEndpoint",
    "call ModifyVpcEndpoint",
    "call DeleteRoute",
    "call ModifyVpcAttribute",
    "call CreateSecurityGroup",
    "call AuthorizeSecurityGroupIngress",
    "call",
    "commit begin",
    "commit mark started",
    "commit mark ended",
    "commit finish",
    "commit facts",
    "commit pace",
    "commit gives way",
    "commit no longer gives way",
    "commit sweep progress",
    "tell",
    "set aside",
    "send",
];

const ACTS: [(usize, Act); 14] = [
    (40, Act::Aimed),
    (30, Act::Somebody),
    (12, Act::Fails),
    (5, Act::Throttled),
    (14, Act::AnswerLost),
    (8, Act::Stale),
    (10, Act::Killed),
    (8, Act::SecondCopy),
    (8, Act::TimePasses),
    (4, Act::HoldLost),
    (3, Act::TableOut),
    (3, Act::TopicsOut),
    (2, Act::Nonsense),
    (3, Act::Sweep),
];

/// How a history ended.
pub(crate) struct Outcome {
    pub(crate) violations: Vec<String>,
    pub(crate) counts: Counts,
    pub(crate) log: Vec<String>,
}

/// Records come at once, late, twice, out of order, or not at all.
fn records(dice: &mut Dice) -> Vec<Duration> {
    let late = |dice: &mut Dice| {
        let seconds = match dice.below(10) {
            0..=5 => dice.below(5),
            6..=8 => dice.below(90),
            _ => dice.below(900),
        };
        Duration::from_secs(u64::try_from(seconds).unwrap())
    };
    match dice.below(20) {
        0..=2 => Vec::new(),
        3..=5 => vec![late(dice), late(dice)],
        _ => vec![late(dice)],
    }
}

/// What the table holds once all was seen for the first time, an hour before a history begins.
pub(crate) fn first_sight(vpcs: usize) -> Vec<Item> {
    let mut history = History::new(Stage::new(vpcs, false, None), Dice::of(0), 0);
    history.start_sweep();
    while history.turn() {}
    let all: &InMemoryTable = &history.stage.table;
    let seen = all.everything();
    assert_eq!(history.stage.watch.borrow().violations, Vec::<String>::new());
    seen
}

pub(crate) struct Chance<'a> {
    pub(crate) seen: &'a [Vec<Item>; 3],
    pub(crate) planted: Option<Planted>,
    pub(crate) is_logged: bool,
}

impl Chance<'_> {
    /// Plays the history of a seed.
    pub(crate) fn play(&self, seed: u64) -> Outcome {
        let mut dice = Dice::of(seed);
        let vpcs = dice.weighed(&[(5, 1), (3, 2), (3, 3)]);
        let stage = Stage::new(vpcs, dice.chance(500), self.planted);
        if self.is_logged {
            stage.log.replace(Some(Vec::new()));
        }
        let ahead = dice.one(&[0, 1, -1]);
        if dice.chance(940) {
            stage.remember(&self.seen[vpcs - 1]);
            stage.count("start: all was seen an hour before");
        } else {
            stage.count("start: nothing was ever seen");
        }
        let hour = start().checked_add(Duration::from_secs(3_600)).unwrap();
        stage.pass_until(hour);
        let mut play = Play {
            marks: &MARKS[..vpcs.min(2)],
            aimed: Vec::new(),
            left: 1 + dice.below(ACTIONS),
            often: dice.one(&[15, 40, 120]),
            history: History::new(stage, Dice::of(seed ^ 0xabcd), ahead),
            dice,
        };
        play.history.records = records;
        play.all();
        let stage = &play.history.stage;
        let violations = stage.watch.borrow().violations.clone();
        let (counts, log) = (stage.counts.borrow().clone(), stage.log.take());
        Outcome { violations, counts, log: log.unwrap_or_default() }
    }
}

struct Play {
    history: History,
    dice: Dice,
    marks: &'static [&'static str],
    /// What happens at the next call of a kind.
    aimed: Vec<(&'static str, Aim)>,
    /// How many actions are left.
    left: usize,
    /// How often there is one (in a thousand turns).
    often: usize,
}

impl Play {
    fn all(&mut self) {
        self.act(Act::Somebody);
        while self.left > 0 && self.goes_on() {
            let is_idle = self.history.processes.is_empty();
            if self.hits() {
                continue;
            }
            if self.dice.chance(self.often) || (is_idle && self.dice.chance(300)) {
                let act = self.dice.weighed(&ACTS);
                self.act(act);
            }
            if !self.history.turn() {
                self.act(Act::Somebody);
                self.left = self.left.saturating_sub(1);
            }
        }
        self.come_to_rest();
        self.history.start_sweep();
        self.come_to_rest();
        if self.goes_on() {
            self.history.stage.judge_end();
        }
    }

    fn goes_on(&self) -> bool {
        self.history.stage.watch.borrow().violations.is_empty()
    }

    /// Nothing more goes wrong, and all that is under way or due is done.
    fn come_to_rest(&mut self) {
        let stage = &self.history.stage;
        stage.say(|| "-- nothing more goes wrong --".to_owned());
        stage.table_out.set(Timestamp::MIN);
        stage.topics_out.set(Timestamp::MIN);
        self.history.records = |_| vec![Duration::from_secs(2)];
        while self.goes_on() && self.history.turn() {
            if self.history.turns > TURNS {
                let what = "it does not come to rest";
                return self.history.stage.watch.borrow_mut().wrong(7, what);
            }
        }
    }

    fn act(&mut self, act: Act) {
        let done = match act {
            Act::Somebody => self.somebody(),
            Act::Fails => self.trouble(Side::Before, "fails", |_| Fate::Refused(Refusal::Failing)),
            Act::Throttled => {
                self.trouble(Side::Before, "throttled", |_| Fate::Refused(Refusal::Throttled))
            }
            Act::AnswerLost => self.trouble(Side::Before, "answer lost", |_| Fate::AnswerLost),
            Act::Stale => {
                self.trouble(Side::Before, "stale read", |dice| Fate::Stale(1 + dice.below(2)))
            }
            Act::Killed => self.kill(),
            Act::SecondCopy => self.second_copy(),
            Act::TimePasses => self.time_passes(),
            Act::HoldLost => {
                let now = self.history.stage.now();
                let which = self.dice.below(10);
                let lost = self.history.stage.queue.borrow_mut().lose_a_hold(which, now);
                if lost {
                    self.history.stage.count("a message in flight is handed out again");
                }
                lost
            }
            Act::TableOut | Act::TopicsOut => self.out(act),
            Act::Nonsense => {
                self.history.send_nonsense();
                true
            }
            Act::Aimed => {
                self.aimed.push((self.dice.one(&TARGETS), self.dice.weighed(&AIMS)));
                true
            }
            Act::Sweep => {
                self.history.start_sweep();
                self.history.stage.count("a sweep begins while things go wrong");
                true
            }
        };
        if done {
            self.left = self.left.saturating_sub(1);
        }
    }

    /// Whether a call comes that was aimed at, and what happens then.
    fn hits(&mut self) -> bool {
        let points = self.history.eligible();
        let hit = self.aimed.iter().enumerate().find_map(|(at, (target, aim))| {
            let side = match aim {
                Aim::KilledAfter | Aim::SomebodyAfter => Side::After,
                Aim::Fails
                | Aim::Throttled
                | Aim::AnswerLost
                | Aim::KilledBefore
                | Aim::SecondCopy
                | Aim::SomebodyBefore => Side::Before,
            };
            let fits = |point: &&Point| point.side == side && point.call.starts_with(target);
            Some((at, points.iter().find(fits)?.clone()))
        });
        let Some((at, point)) = hit else { return false };
        let (_, aim) = self.aimed.remove(at);
        match aim {
            Aim::Fails => self.grant("fails", &point, Fate::Refused(Refusal::Failing)),
            Aim::Throttled => self.grant("throttled", &point, Fate::Refused(Refusal::Throttled)),
            Aim::AnswerLost => self.grant("answer lost", &point, Fate::AnswerLost),
            Aim::KilledBefore | Aim::KilledAfter => self.kill_at(&point),
            Aim::SecondCopy => {
                let mark = self.mark_of(&point);
                self.second_copy_at(mark);
            }
            Aim::SomebodyBefore | Aim::SomebodyAfter => {
                let mark = self.mark_of(&point);
                self.somebody_in(mark);
            }
        }
        true
    }

    /// The VPC that a call is about, or one of them.
    fn mark_of(&mut self, point: &Point) -> &'static str {
        let of = |mark: &&&'static str| point.vpc.as_ref() == Some(&vpc(mark).to_string());
        let its = self.marks.iter().find(of).copied();
        its.unwrap_or_else(|| self.dice.one(self.marks))
    }

    fn grant(&mut self, name: &str, point: &Point, fate: Fate) {
        self.history.stage.count(format!("{name}: {}", kind(point)));
        self.history.grant(point, fate);
    }

    fn somebody(&mut self) -> bool {
        let mark = self.dice.one(self.marks);
        self.somebody_in(mark)
    }

    fn somebody_in(&mut self, mark: &'static str) -> bool {
        let all: Vec<(usize, usize)> =
            BEHAVIOURS.iter().enumerate().map(|(at, (weight, ..))| (*weight, at)).collect();
        let (_, name, deeds) = BEHAVIOURS[self.dice.weighed(&all)];
        let now = self.history.stage.now();
        let mut at = now;
        for (after, deed) in deeds {
            at = at.checked_add(Duration::from_secs(*after)).unwrap();
            self.history.coming.push((at, Coming::Deed(mark, *deed)));
        }
        let stage = &self.history.stage;
        stage.count(format!("somebody: {name}"));
        let points = stage.flow.borrow().points.clone();
        let its = vpc(mark).to_string();
        if let Some(point) = points.iter().find(|point| point.vpc.as_ref() == Some(&its)) {
            let place = if point.side == Side::Before { "before" } else { "after" };
            stage.count(format!(
                "meeting: somebody's call {place} `{}` of a run there",
                kind(point)
            ));
        }
        true
    }

    /// Something goes wrong with a call under way.
    fn trouble(&mut self, side: Side, name: &str, fate: impl FnOnce(&mut Dice) -> Fate) -> bool {
        let fate = fate(&mut self.dice);
        let fits = |point: &Point| {
            let is_read = point.call.starts_with("read");
            point.side == side
                && point.latest.is_some()
                && match fate {
                    Fate::Stale(_) => is_read && point.vpc.is_some(),
                    Fate::AnswerLost => !is_read && !point.call.starts_with("survey"),
                    Fate::Goes | Fate::Refused(_) => true,
                }
        };
        let points = self.history.eligible();
        let fitting: Vec<&Point> = points.iter().filter(|point| fits(point)).collect();
        // Reads are many, and changes few.
        let changes: Vec<&Point> =
            fitting.iter().copied().filter(|point| !point.call.starts_with("read")).collect();
        let of = if changes.is_empty() || self.dice.chance(300) { fitting } else { changes };
        if of.is_empty() {
            return false;
        }
        let point = of[self.dice.below(of.len())].clone();
        self.grant(name, &point, fate);
        true
    }

    fn kill(&mut self) -> bool {
        let points = self.history.stage.flow.borrow().points.clone();
        if points.is_empty() {
            return false;
        }
        let point = points[self.dice.below(points.len())].clone();
        self.kill_at(&point);
        true
    }

    fn kill_at(&mut self, point: &Point) {
        let side = if point.side == Side::Before { "before" } else { "after" };
        self.history.stage.count(format!("killed {side} {}", kind(point)));
        self.history.kill(point.process);
    }

    /// A second copy of the guardrail, that of a person at a keyboard, looks at a VPC.
    fn second_copy(&mut self) -> bool {
        if self.history.processes.len() > 3 {
            return false;
        }
        let mark = self.dice.one(self.marks);
        self.second_copy_at(mark);
        true
    }

    fn second_copy_at(&mut self, mark: &'static str) {
        let place = &self.history.stage.place;
        let scope = place.scope(&vpc(mark));
        let body = serde_json::json!({"scope": scope, "cause": "event"}).to_string();
        let message = crate::fifo::Queued {
            id: "by-hand".to_owned(),
            group: "by-hand".to_owned(),
            body,
            receives: 1,
            handle: "by-hand".to_owned(),
            visible: self.history.stage.now(),
        };
        let points = self.history.stage.flow.borrow().points.clone();
        let its = vpc(mark).to_string();
        if let Some(point) = points.iter().find(|point| point.vpc.as_ref() == Some(&its)) {
            self.history.stage.count(format!("meeting: a second copy begins at `{}`", kind(point)));
        }
        self.history.stage.count("a second copy begins");
        self.history.start_repair(Kind::SecondCopy, vec![message]);
    }

    fn time_passes(&mut self) -> bool {
        let seconds = self.dice.one(&[1, 5, 15, 60, 200]);
        self.history.pass(Duration::from_secs(seconds));
        self.history.stage.count("time passes between two calls");
        true
    }

    fn out(&mut self, act: Act) -> bool {
        let seconds = self.dice.one(&[1, 10, 120]);
        let stage = &self.history.stage;
        let until = stage.now().checked_add(Duration::from_secs(seconds)).unwrap();
        match act {
            Act::TableOut => stage.table_out.set(until),
            _ => stage.topics_out.set(until),
        }
        stage.say(|| format!("{act:?} for {seconds} s"));
        true
    }
}

/// The kind of a call, as it is counted: reads of whatever section are one kind.
fn kind(point: &Point) -> String {
    match point.call.split_once(' ') {
        Some(("read" | "survey", _)) => point.call.split(' ').next().unwrap_or_default().to_owned(),
        _ => point.call.clone(),
    }
}
