//! Every history of one VPC within a bound, one choice after the other: what somebody does besides and
//! when, where the guardrail is killed, and which answer is lost.
//!
//! Where two places lead to the same, one is taken: somebody's call matters only where it comes to be
//! seen, right before a read of what it changes or before a change; and a kill only where something
//! has just had its effect, or is about to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use guardrail::history::Item;

use crate::actions::{Deed, EIGHT};
use crate::dice::Dice;
use crate::flow::{Fate, Point, Side};
use crate::history::History;
use crate::scene::MARKS;
use crate::stage::{Stage, start};

/// The most turns of one history.
const TURNS: usize = 20_000;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search {
    /// Up to two things that somebody does.
    TwoDeeds,
    /// One thing that somebody does, one kill and one lost answer.
    DeedKillLoss,
}

/// The choices of one history: which was taken, and of how many.
#[derive(Debug, Clone, Default)]
struct Script {
    path: Vec<(usize, usize)>,
    at: usize,
}

impl Script {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.path.len() {
            self.path.push((0, of));
        }
        let (chosen, among) = self.path[self.at];
        assert_eq!(among, of, "a history is the same each time");
        self.at += 1;
        chosen
    }

    /// The next history, depth first, with the same first choice; none when all were played.
    fn next(&mut self) -> bool {
        self.at = 0;
        while self.path.len() > 1 {
            let (chosen, of) = self.path.pop().unwrap();
            if chosen + 1 < of {
                self.path.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

/// How many histories there were, how many choices the longest had, and the first that broke a
/// promise.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) histories: usize,
    pub(crate) most_places: usize,
    pub(crate) broken: Option<String>,
}

/// Plays all histories in which something goes wrong at the first `bound` places or at none.
pub(crate) fn search(search: Search, bound: usize, seen: &[Item]) -> Found {
    let found: Mutex<Found> = Mutex::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |it| it.get()) {
            scope.spawn(|| {
                loop {
                    let first = next.fetch_add(1, Ordering::Relaxed);
                    if first >= EIGHT.len() || found.lock().unwrap().broken.is_some() {
                        break;
                    }
                    all_that_begin_with(first, (search, bound), seen, &found);
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn all_that_begin_with(
    first: usize,
    (search, bound): (Search, usize),
    seen: &[Item],
    found: &Mutex<Found>,
) {
    let mut script = Script { path: vec![(first, EIGHT.len())], at: 0 };
    loop {
        let mut play = Play::new(search, bound, seen, false);
        play.all(&mut script);
        let violations = play.history.stage.watch.borrow().violations.clone();
        let mut found = found.lock().unwrap();
        found.histories += 1;
        found.most_places = found.most_places.max(play.places);
        if !violations.is_empty() && found.broken.is_none() {
            let mut again = Play::new(search, bound, seen, true);
            script.at = 0;
            again.all(&mut script);
            let log = again.history.stage.log.take().unwrap_or_default();
            let path = &script.path;
            found.broken = Some(format!(
                "{}\n{}\nits choices: {path:?}",
                log.join("\n"),
                violations.join("\n")
            ));
        }
        if found.broken.is_some() || !script.next() {
            return;
        }
    }
}

struct Play {
    search: Search,
    /// At so many places something may go wrong.
    bound: usize,
    places: usize,
    history: History,
    has_deed: bool,
    is_killed: bool,
    is_lost: bool,
}

impl Play {
    fn new(search: Search, bound: usize, seen: &[Item], is_logged: bool) -> Self {
        let stage = Stage::new(1, false, None);
        if is_logged {
            stage.log.replace(Some(Vec::new()));
        }
        stage.remember(seen);
        stage.pass_until(start().checked_add(Duration::from_secs(3_600)).unwrap());
        let mut history = History::new(stage, Dice::of(0), 0);
        history.is_in_order = true;
        let (has_deed, is_killed, is_lost) = (false, false, false);
        Self { search, bound, places: 0, history, has_deed, is_killed, is_lost }
    }

    fn all(&mut self, script: &mut Script) {
        self.history.deed(MARKS[0], EIGHT[script.choose(EIGHT.len())]);
        while self.goes_on() {
            if self.places < self.bound
                && let Some(point) = self.history.eligible().first().cloned()
                && self.goes_wrong(&point, script)
            {
                continue;
            }
            if !self.history.turn() {
                break;
            }
        }
        self.history.start_sweep();
        while self.goes_on() && self.history.turn() {}
        if self.goes_on() {
            self.history.stage.judge_end();
        }
    }

    fn goes_on(&self) -> bool {
        if self.history.turns > TURNS {
            self.history.stage.watch.borrow_mut().wrong(7, "it does not come to rest");
        }
        self.history.stage.watch.borrow().violations.is_empty()
    }

    /// Whether something goes wrong at this point; what, the script says.
    fn goes_wrong(&mut self, point: &Point, script: &mut Script) -> bool {
        match self.search {
            Search::TwoDeeds => {
                let deeds = deeds_at(point);
                if self.has_deed || deeds.is_empty() {
                    return false;
                }
                self.places += 1;
                let chosen = script.choose(deeds.len() + 1);
                let Some(deed) = chosen.checked_sub(1).map(|at| deeds[at]) else { return false };
                self.has_deed = true;
                self.history.deed(MARKS[0], deed);
                true
            }
            Search::DeedKillLoss => {
                let may_kill = !self.is_killed && is_place_to_kill(point);
                let may_lose = !self.is_lost && point.side == Side::Before && has_effect(point);
                if !may_kill && !may_lose {
                    return false;
                }
                self.places += 1;
                let chosen = script.choose(1 + usize::from(may_kill) + usize::from(may_lose));
                match (chosen, may_kill) {
                    (0, _) => return false,
                    (1, true) => {
                        self.is_killed = true;
                        self.history.kill(point.process);
                    }
                    _ => {
                        self.is_lost = true;
                        self.history.grant(point, Fate::AnswerLost);
                    }
                }
                true
            }
        }
    }
}

/// What somebody may do right before this point so that it makes a difference.
fn deeds_at(point: &Point) -> Vec<Deed> {
    let is_seen = |deed: &Deed| match deed {
        Deed::AddNatRoute(_) | Deed::DeleteNatRoute(_) | Deed::ToMainTable => {
            point.call == "read RouteTables"
        }
        Deed::DeleteGateway => {
            point.call == "read RouteTables" || point.call == "read VpcEndpoints"
        }
        Deed::DeleteInterface | Deed::CreateInterface | Deed::PrivateDnsOff => {
            point.call == "read VpcEndpoints"
        }
        Deed::ShutGroup => point.call == "read SecurityGroups",
        _ => false,
    };
    if point.side == Side::After {
        return Vec::new();
    }
    let is_change = point.call.starts_with("call ");
    EIGHT.into_iter().filter(|deed| is_change || is_seen(deed)).collect()
}

fn has_effect(point: &Point) -> bool {
    ["commit", "call", "tell", "hold", "send"].iter().any(|word| point.call.starts_with(word))
}

fn is_place_to_kill(point: &Point) -> bool {
    has_effect(point) && (point.side == Side::After || point.call.starts_with("call "))
}
